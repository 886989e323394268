/* base64.h: bytes as text and back (RFC 4648, with padding, no line breaks).
 *
 * Ownership  the caller gives the room.
 */
#ifndef FATHOM_BASE_BASE64_H
#define FATHOM_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Characters of n bytes, without a NUL. */
size_t base64_size(size_t n);
/* Writes base64_size(n) characters and a NUL. */
void base64_encode(const void *bytes, size_t n, char *out);
/* Reads exactly n bytes; false if the text is not that of n bytes. */
bool base64_decode(const char *text, void *out, size_t n);

#endif
