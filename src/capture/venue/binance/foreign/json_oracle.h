/* json_oracle.h: simdjson as a second opinion on a message; linked by tests only.
 *
 * The values of the same keys as text, read by another reader: tests compare them with what the
 * codec decoded.
 */
#ifndef FATHOM_CAPTURE_VENUE_BINANCE_FOREIGN_JSON_ORACLE_H
#define FATHOM_CAPTURE_VENUE_BINANCE_FOREIGN_JSON_ORACLE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 1 if simdjson takes the text as one JSON document, 0 if not, -1 if it dislikes a number. */
int json_oracle_accepts(const char *text, size_t n);

/* Writes "value\n" for each of `keys` (blank-separated; "k.o" looks inside k) of the payload: the
 * value of "data" if there is one, else the document. Strings and integers as they are, flags as
 * "true" and "false", levels as "px:qty,px:qty,". Returns the length; 0 if the text is no JSON, a
 * key is absent or out does not suffice. */
size_t json_oracle_values(const char *text, size_t n, const char *keys, char *out, size_t cap);

#ifdef __cplusplus
}
#endif

#endif
