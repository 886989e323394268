#include "base/json_out.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/decimal.h"
#include "base/hash.h"

static void put(struct json_out *j, const char *s, size_t n) {
    if (j->len + n + 1 > j->cap) {
        size_t cap = j->cap ? j->cap * 2 : 4096;
        while (cap < j->len + n + 1) cap *= 2;
        char *text = realloc(j->text, cap);
        CHECK(text != NULL);
        j->text = text;
        j->cap = cap;
    }
    memcpy(j->text + j->len, s, n);
    j->len += n;
    j->text[j->len] = 0;
}

static void before_value(struct json_out *j) {
    if (j->after_key) {
        j->after_key = false;
        return;
    }
    if (!j->first[j->depth]) put(j, ",", 1);
    j->first[j->depth] = false;
}

void json_init(struct json_out *j) {
    memset(j, 0, sizeof *j);
    j->first[0] = true;
    put(j, "", 0);
}

void json_fini(struct json_out *j) {
    free(j->text);
    memset(j, 0, sizeof *j);
}

static void open_level(struct json_out *j, const char *c) {
    before_value(j);
    CHECK(j->depth + 1 < JSON_DEPTH_MAX);
    j->first[++j->depth] = true;
    put(j, c, 1);
}

static void close_level(struct json_out *j, const char *c) {
    CHECK(j->depth > 0);
    j->depth--;
    put(j, c, 1);
}

void json_object(struct json_out *j) { open_level(j, "{"); }
void json_object_end(struct json_out *j) { close_level(j, "}"); }
void json_array(struct json_out *j) { open_level(j, "["); }
void json_array_end(struct json_out *j) { close_level(j, "]"); }

/* Length of the valid UTF-8 sequence at s, 0 if there is none. */
static size_t utf8_len(const unsigned char *s, size_t n) {
    if (s[0] < 0x80) return 1;
    size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || n < len) return 0;
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
    }
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) return 0;
    if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
    return len;
}

static void put_escaped(struct json_out *j, const char *s, size_t n) {
    put(j, "\"", 1);
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)s[i];
        size_t len = utf8_len((const unsigned char *)s + i, n - i);
        char esc[8];
        if (c == '"' || c == '\\') {
            esc[0] = '\\';
            esc[1] = (char)c;
            put(j, esc, 2);
        } else if (c < 0x20) {
            int escaped = snprintf(esc, sizeof esc, "\\u%04x", c);
            put(j, esc, (size_t)escaped);
        } else if (len == 0) {
            put(j, "\xef\xbf\xbd", 3);
        } else {
            put(j, s + i, len);
        }
        i += len ? len : 1;
    }
    put(j, "\"", 1);
}

void json_key(struct json_out *j, const char *key) {
    before_value(j);
    put_escaped(j, key, strlen(key));
    put(j, ":", 1);
    j->after_key = true;
}

void json_strn(struct json_out *j, const char *s, size_t n) {
    before_value(j);
    put_escaped(j, s, n);
}

void json_str(struct json_out *j, const char *s) { json_strn(j, s, strlen(s)); }

void json_int(struct json_out *j, int64_t v) {
    char t[32];
    before_value(j);
    int n = snprintf(t, sizeof t, "%" PRId64, v);
    put(j, t, (size_t)n);
}

void json_uint(struct json_out *j, uint64_t v) {
    char t[32];
    before_value(j);
    int n = snprintf(t, sizeof t, "%" PRIu64, v);
    put(j, t, (size_t)n);
}

static void number(struct json_out *j, double v, int digits) {
    char t[40];
    if (!isfinite(v)) {
        json_null(j);
        return;
    }
    before_value(j);
    int n = snprintf(t, sizeof t, "%.*g", digits, v);
    put(j, t, (size_t)n);
}

void json_double(struct json_out *j, double v) { number(j, v, 17); }

void json_figure(struct json_out *j, double v) { number(j, v, 6); }

void json_bool(struct json_out *j, bool v) {
    before_value(j);
    put(j, v ? "true" : "false", v ? 4 : 5);
}

void json_null(struct json_out *j) {
    before_value(j);
    put(j, "null", 4);
}

void json_hash(struct json_out *j, uint64_t h) {
    char t[17];
    hash64_text(h, t);
    json_str(j, t);
}

void json_money(struct json_out *j, int128 e12) {
    char t[DECIMAL_TEXT_MAX];
    decimal_text(e12, 12, true, t);
    json_str(j, t);
}

void json_kstr(struct json_out *j, const char *key, const char *s) {
    json_key(j, key);
    json_str(j, s);
}

void json_kint(struct json_out *j, const char *key, int64_t v) {
    json_key(j, key);
    json_int(j, v);
}

void json_kdouble(struct json_out *j, const char *key, double v) {
    json_key(j, key);
    json_double(j, v);
}

void json_kfigure(struct json_out *j, const char *key, double v) {
    json_key(j, key);
    json_figure(j, v);
}

void json_kbool(struct json_out *j, const char *key, bool v) {
    json_key(j, key);
    json_bool(j, v);
}
