/* json_scan.h: a strict, bounded, allocation-free scanner for one JSON message of a venue.
 *
 *   bytes -> json_scan (cursor) -> json_ref (where a value lies, its type) -> int64, decimal, text
 *
 * Units      offsets in bytes from the first byte of the message.
 * Ownership  a json_ref points into the message; nothing is copied but by json_text.
 * Invariant  every byte is judged: grammar of RFC 8259, UTF-8 (no overlong forms, no surrogates),
 *            escapes (no lone surrogate), no control bytes in strings, nothing after the value.
 *            The first fault stays: its kind, its place and what was expected there.
 * Limits     JSON_NESTING_MAX levels; the caller bounds the length.
 * Why        a venue's text is hostile input; a general reader would build a tree and convert
 *            decimals to doubles. Eight bytes are looked at together (little-endian words).
 */
#ifndef FATHOM_BASE_JSON_SCAN_H
#define FATHOM_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/decimal.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read little-endian");

enum { JSON_NESTING_MAX = 16 };

enum json_fault {
    JSON_OK = 0,
    JSON_TRUNCATED,  /* the message ends inside a value */
    JSON_EXPECTED,   /* another byte was expected: see `expected` */
    JSON_TRAILING,   /* bytes after the value */
    JSON_NESTING,    /* deeper than JSON_NESTING_MAX */
    JSON_UTF8,       /* bytes that are no UTF-8 */
    JSON_CONTROL,    /* control byte in a string */
    JSON_ESCAPE,     /* unknown or cut escape */
    JSON_SURROGATE,  /* lone surrogate */
    JSON_BAD_NUMBER, /* no JSON number, e.g. 00.1, 1., NaN */
    JSON_BAD_DECIMAL /* no decimal by the rules of decimal.h */
};

enum json_type {
    JSON_NONE = 0,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_scan {
    const char *start, *p, *end;
    const char *fault_at;
    const char *expected; /* for a person: "a string", "',' or '}'" */
    enum json_fault fault;
};

/* A value in the message: p[0..n) is the text (of a string: between the quotes, still escaped). */
struct json_ref {
    const char *p;
    uint32_t n;
    uint8_t type;    /* enum json_type */
    uint8_t escaped; /* the string holds a backslash */
};

static inline void json_scan_init(struct json_scan *s, const char *text, size_t n) {
    *s = (struct json_scan){.start = text, .p = text, .end = text + n};
}

/* Records the first fault; always false. */
bool json_fail(struct json_scan *s, enum json_fault fault, const char *at, const char *expected);

/* Any value at the cursor; containers are checked to their end. `depth` = levels already open. */
bool json_value(struct json_scan *s, int depth, struct json_ref *out);
bool json_string_slow(struct json_scan *s, struct json_ref *out);
bool json_decimal_slow(struct json_scan *s, struct decimal *out);
bool json_expect_slow(struct json_scan *s, char c, const char *expected);
/* After the value: only white space may follow. */
bool json_end(struct json_scan *s);

/* Writes the unescaped text and a NUL; false if it does not fit cap (or holds U+0000). */
bool json_text(const struct json_ref *ref, char *out, size_t cap, size_t *n);
/* The number as int64; false if it is no integer in plain digits or does not fit. */
bool json_int64(const struct json_ref *ref, int64_t *out);

static inline uint64_t json_load8(const char *p) {
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

#define JSON_EACH 0x0101010101010101u
#define JSON_HIGH 0x8080808080808080u

/* High bit of every byte that is '"', '\\', below 0x20 or above 0x7f; exact for the lowest one. */
static inline uint64_t json_special(uint64_t w) {
    uint64_t quote = w ^ (JSON_EACH * '"'), slash = w ^ (JSON_EACH * '\\');
    uint64_t found = (quote - JSON_EACH) & ~quote;
    found |= (slash - JSON_EACH) & ~slash;
    found |= w - JSON_EACH * 0x20;
    return (found | w) & JSON_HIGH;
}

/* High bit of every byte that is no digit (w already xored with '0's); exact for the lowest one. */
static inline uint64_t json_nondigit(uint64_t t) {
    return ((t + JSON_EACH * 0x76) | t) & JSON_HIGH;
}

/* Eight digit values, most significant in the lowest byte -> number (pairs, fours, eight). */
static inline uint64_t json_digits8(uint64_t t) {
    t = (t * 10 + (t >> 8)) & 0x00ff00ff00ff00ffu;
    t = (t * 100 + (t >> 16)) & 0x0000ffff0000ffffu;
    return (t * 10000 + (t >> 32)) & 0xffffffffu;
}

static inline bool json_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

static inline void json_ws(struct json_scan *s) {
    while (s->p < s->end && json_space(*s->p)) s->p++;
}

/* White space, then exactly c. */
static inline bool json_expect(struct json_scan *s, char c, const char *expected) {
    if (__builtin_expect(s->p < s->end && *s->p == c, 1)) {
        s->p++;
        return true;
    }
    return json_expect_slow(s, c, expected);
}

/* A string with its opening quote at the cursor. */
static inline bool json_string(struct json_scan *s, struct json_ref *out) {
    const char *p = s->p + 1;
    while (s->end - p >= 8) {
        uint64_t m = json_special(json_load8(p));
        if (m == 0) {
            p += 8;
            continue;
        }
        p += __builtin_ctzll(m) >> 3;
        if (*p != '"') break;
        *out = (struct json_ref){s->p + 1, (uint32_t)(p - s->p - 1), JSON_STRING, 0};
        s->p = p + 1;
        return true;
    }
    return json_string_slow(s, out);
}

/* A decimal in quotes, the opening one at the cursor. */
static inline bool json_decimal(struct json_scan *s, struct decimal *out) {
    const char *p = s->p;
    if (__builtin_expect(s->end - p < 24 || *p != '"', 0)) return json_decimal_slow(s, out);
    uint64_t whole = json_load8(p + 1) ^ (JSON_EACH * '0'), stop = json_nondigit(whole);
    unsigned k = stop ? (unsigned)__builtin_ctzll(stop) >> 3 : 8;
    if (__builtin_expect(k == 0 || k == 8 || ((whole & 0xff) == 0 && k > 1), 0))
        return json_decimal_slow(s, out);
    uint64_t v = json_digits8(whole << (64 - 8 * k));
    p += 1 + k;
    if (*p == '"') {
        *out = (struct decimal){(int64_t)v, 0};
        s->p = p + 1;
        return true;
    }
    uint64_t part = json_load8(p + 1) ^ (JSON_EACH * '0');
    stop = json_nondigit(part);
    unsigned f = stop ? (unsigned)__builtin_ctzll(stop) >> 3 : 8;
    if (__builtin_expect(*p != '.' || f == 0 || p[1 + f] != '"', 0))
        return json_decimal_slow(s, out);
    v = v * (uint64_t)decimal_pow10[f] + json_digits8(part << (64 - 8 * f));
    *out = (struct decimal){(int64_t)v, (uint8_t)f};
    s->p = p + 2 + f;
    return true;
}

#endif
