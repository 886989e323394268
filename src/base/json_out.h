/* json_out.h: writes one JSON document to a growing buffer; commas and escapes are its business.
 *
 * Numbers that are prices, quantities or money go out as decimal strings (json_str of decimal.h's
 * text); counts as integers; doubles with 17 significant digits, NaN and infinity as null.
 */
#ifndef FATHOM_BASE_JSON_OUT_H
#define FATHOM_BASE_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/unit.h"

enum { JSON_DEPTH_MAX = 32 };

struct json_out {
    char *text; /* NUL-terminated, owned */
    size_t len, cap;
    int depth;
    bool first[JSON_DEPTH_MAX];
    bool after_key;
};

void json_init(struct json_out *j);
void json_fini(struct json_out *j);
void json_object(struct json_out *j);     /* { */
void json_object_end(struct json_out *j); /* } */
void json_array(struct json_out *j);      /* [ */
void json_array_end(struct json_out *j);  /* ] */
void json_key(struct json_out *j, const char *key);
void json_str(struct json_out *j, const char *s); /* invalid UTF-8 bytes go out as U+FFFD */
void json_strn(struct json_out *j, const char *s, size_t n);
void json_int(struct json_out *j, int64_t v);
void json_uint(struct json_out *j, uint64_t v);
void json_double(struct json_out *j, double v);
void json_figure(struct json_out *j, double v); /* six significant digits: statistics, drawings */
void json_bool(struct json_out *j, bool v);
void json_null(struct json_out *j);
void json_hash(struct json_out *j, uint64_t h);  /* 16 hex digits as a string */
void json_money(struct json_out *j, int128 e12); /* decimal string, trailing zeros cut */
/* key + value in one call */
void json_kstr(struct json_out *j, const char *key, const char *s);
void json_kint(struct json_out *j, const char *key, int64_t v);
void json_kdouble(struct json_out *j, const char *key, double v);
void json_kfigure(struct json_out *j, const char *key, double v);
void json_kbool(struct json_out *j, const char *key, bool v);

#endif
