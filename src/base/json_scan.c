#include "base/json_scan.h"

#include "base/check.h"

bool json_fail(struct json_scan *s, enum json_fault fault, const char *at, const char *expected) {
    CHECK(fault != JSON_OK && at >= s->start && at <= s->end);
    if (s->fault == JSON_OK) {
        /* a complaint at the very end is a cut message, whatever was looked for there */
        bool cut = at == s->end && (fault == JSON_EXPECTED || fault == JSON_BAD_NUMBER);
        s->fault = cut ? JSON_TRUNCATED : fault;
        s->fault_at = at;
        s->expected = expected;
    }
    return false;
}

bool json_expect_slow(struct json_scan *s, char c, const char *expected) {
    json_ws(s);
    if (s->p < s->end && *s->p == c) {
        s->p++;
        return true;
    }
    return json_fail(s, JSON_EXPECTED, s->p, expected);
}

bool json_end(struct json_scan *s) {
    json_ws(s);
    return s->p == s->end || json_fail(s, JSON_TRAILING, s->p, "the end of the message");
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Four hex digits at p (which has them, or the answer is -1). */
static int32_t hex4(const char *p, const char *end) {
    if (end - p < 4) return -1;
    int32_t v = 0;
    for (int i = 0; i < 4; i++) {
        int d = hex_digit(p[i]);
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

/* Length of the escape at p[0] == '\\' and its code point; 0 after recording the fault. */
static size_t escape_scan(struct json_scan *s, const char *p, uint32_t *code) {
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (s->end - p < 2) return (size_t)json_fail(s, JSON_TRUNCATED, s->end, "an escape");
    if (p[1] != 'u') {
        const char *at = p[1] ? strchr(plain, p[1]) : NULL;
        if (!at) return (size_t)json_fail(s, JSON_ESCAPE, p, "a known escape");
        *code = (uint32_t)meant[at - plain];
        return 2;
    }
    int32_t first = hex4(p + 2, s->end);
    if (first < 0) {
        bool cut = s->end - p < 6;
        return (size_t)json_fail(s, cut ? JSON_TRUNCATED : JSON_ESCAPE, p, "four hex digits");
    }
    *code = (uint32_t)first;
    if (first < 0xd800 || first > 0xdfff) return 6;
    int32_t second = -1;
    if (s->end - p >= 12 && p[6] == '\\' && p[7] == 'u') second = hex4(p + 8, s->end);
    if (first > 0xdbff || second < 0xdc00 || second > 0xdfff)
        return (size_t)json_fail(s, JSON_SURROGATE, p, "a surrogate pair");
    *code = 0x10000u + (((uint32_t)first & 0x3ffu) << 10) + ((uint32_t)second & 0x3ffu);
    return 12;
}

/* Length of the well-formed UTF-8 sequence at p (Unicode 15, table 3-7); 0 if there is none. */
static size_t utf8_length(const unsigned char *p, size_t left) {
    unsigned char a = p[0], lo = 0x80, hi = 0xbf;
    size_t n;
    if (a >= 0xc2 && a <= 0xdf) {
        n = 2;
    } else if ((a & 0xf0) == 0xe0) {
        n = 3;
        if (a == 0xe0) lo = 0xa0;
        if (a == 0xed) hi = 0x9f;
    } else if (a >= 0xf0 && a <= 0xf4) {
        n = 4;
        if (a == 0xf0) lo = 0x90;
        if (a == 0xf4) hi = 0x8f;
    } else {
        return 0;
    }
    if (left < n || p[1] < lo || p[1] > hi) return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    return n;
}

bool json_string_slow(struct json_scan *s, struct json_ref *out) {
    if (s->p >= s->end || *s->p != '"') return json_fail(s, JSON_EXPECTED, s->p, "a string");
    const char *p = s->p + 1;
    uint8_t escaped = 0;
    while (p < s->end && *p != '"') {
        unsigned char c = (unsigned char)*p;
        size_t step = 1;
        if (c == '\\') {
            uint32_t code;
            step = escape_scan(s, p, &code);
            escaped = 1;
        } else if (c < 0x20) {
            return json_fail(s, JSON_CONTROL, p, "no control byte in a string");
        } else if (c >= 0x80) {
            step = utf8_length((const unsigned char *)p, (size_t)(s->end - p));
            if (step == 0) return json_fail(s, JSON_UTF8, p, "UTF-8");
        }
        if (step == 0) return false;
        p += step;
    }
    if (p >= s->end) return json_fail(s, JSON_TRUNCATED, s->end, "'\"'");
    *out = (struct json_ref){s->p + 1, (uint32_t)(p - s->p - 1), JSON_STRING, escaped};
    s->p = p + 1;
    return true;
}

bool json_decimal_slow(struct json_scan *s, struct decimal *out) {
    json_ws(s);
    struct json_ref ref;
    if (s->p >= s->end || *s->p != '"')
        return json_fail(s, JSON_EXPECTED, s->p, "a decimal in quotes");
    if (!json_string(s, &ref)) return false;
    if (!decimal_parse(ref.p, ref.n, false, out))
        return json_fail(s, JSON_BAD_DECIMAL, ref.p, "a decimal of at most 18 digits");
    return true;
}

static const char *digits_end(const char *p, const char *end) {
    while (end - p >= 8) {
        uint64_t stop = json_nondigit(json_load8(p) ^ (JSON_EACH * '0'));
        if (stop) return p + (__builtin_ctzll(stop) >> 3);
        p += 8;
    }
    while (p < end && *p >= '0' && *p <= '9') p++;
    return p;
}

static bool number_scan(struct json_scan *s, struct json_ref *out) {
    const char *p = s->p + (*s->p == '-'), *whole = p;
    p = digits_end(p, s->end);
    if (p == whole) return json_fail(s, JSON_BAD_NUMBER, p, "a digit");
    if (*whole == '0' && p - whole > 1)
        return json_fail(s, JSON_BAD_NUMBER, whole, "no leading zero");
    if (p < s->end && *p == '.') {
        const char *fraction = ++p;
        p = digits_end(p, s->end);
        if (p == fraction) return json_fail(s, JSON_BAD_NUMBER, p, "a digit");
    }
    if (p < s->end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < s->end && (*p == '+' || *p == '-')) p++;
        const char *power = p;
        p = digits_end(p, s->end);
        if (p == power) return json_fail(s, JSON_BAD_NUMBER, p, "a digit");
    }
    *out = (struct json_ref){s->p, (uint32_t)(p - s->p), JSON_NUMBER, 0};
    s->p = p;
    return true;
}

static bool word_scan(struct json_scan *s, const char *word, uint8_t type, struct json_ref *out) {
    const char *p = s->p;
    for (size_t i = 0; word[i]; i++, p++)
        if (p >= s->end || *p != word[i]) return json_fail(s, JSON_EXPECTED, p, "a JSON value");
    *out = (struct json_ref){s->p, (uint32_t)(p - s->p), type, 0};
    s->p = p;
    return true;
}

static bool key_skip(struct json_scan *s) {
    struct json_ref key;
    json_ws(s);
    if (s->p >= s->end || *s->p != '"') return json_fail(s, JSON_EXPECTED, s->p, "a key");
    return json_string(s, &key) && json_expect(s, ':', "':'");
}

/* An array or object from its opening bracket to its closing one. */
static bool container_skip(struct json_scan *s, int depth, struct json_ref *out) {
    const char *start = s->p;
    bool object = *s->p == '{';
    char close = object ? '}' : ']';
    if (depth >= JSON_NESTING_MAX) return json_fail(s, JSON_NESTING, s->p, "fewer levels");
    s->p++;
    json_ws(s);
    if (s->p < s->end && *s->p == close) {
        s->p++;
    } else {
        for (;;) {
            struct json_ref item;
            if (object && !key_skip(s)) return false;
            if (!json_value(s, depth + 1, &item)) return false;
            json_ws(s);
            if (s->p < s->end && *s->p == close) break;
            if (!json_expect(s, ',', object ? "',' or '}'" : "',' or ']'")) return false;
        }
        s->p++;
    }
    *out = (struct json_ref){
        start, (uint32_t)(s->p - start), (uint8_t)(object ? JSON_OBJECT : JSON_ARRAY), 0};
    return true;
}

bool json_value(struct json_scan *s, int depth, struct json_ref *out) {
    json_ws(s);
    if (s->p >= s->end) return json_fail(s, JSON_TRUNCATED, s->p, "a JSON value");
    switch (*s->p) {
    case '"': return json_string(s, out);
    case '{':
    case '[': return container_skip(s, depth, out);
    case 't': return word_scan(s, "true", JSON_TRUE, out);
    case 'f': return word_scan(s, "false", JSON_FALSE, out);
    case 'n': return word_scan(s, "null", JSON_NULL, out);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return number_scan(s, out);
    default: return json_fail(s, JSON_EXPECTED, s->p, "a JSON value");
    }
}

static size_t utf8_write(uint32_t c, char out[4]) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80u | (c & 0x3fu));
    static const unsigned lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(lead[n] | c);
    return n;
}

bool json_text(const struct json_ref *ref, char *out, size_t cap, size_t *n) {
    CHECK(ref->type == JSON_STRING && cap > 0);
    struct json_scan s; /* the text was scanned before: escapes are right */
    json_scan_init(&s, ref->p, ref->n);
    size_t len = 0;
    while (s.p < s.end) {
        char piece[4] = {*s.p};
        size_t step = 1, bytes = 1;
        if (*s.p == '\\') {
            uint32_t code = 0;
            step = escape_scan(&s, s.p, &code);
            CHECK(step > 0);
            bytes = utf8_write(code, piece);
        }
        if (piece[0] == 0 || len + bytes >= cap) return false;
        memcpy(out + len, piece, bytes);
        len += bytes;
        s.p += step;
    }
    out[len] = 0;
    *n = len;
    return true;
}

/* 8 to 16 digits: the first and the last eight bytes, which may overlap. */
static bool int64_short(const struct json_ref *ref, int64_t *out) {
    uint64_t head = json_load8(ref->p) ^ (JSON_EACH * '0');
    uint64_t tail = json_load8(ref->p + ref->n - 8) ^ (JSON_EACH * '0');
    if (json_nondigit(head) | json_nondigit(tail)) return false;
    uint64_t v = json_digits8(tail);
    if (ref->n > 8) v += json_digits8(head << (64 - 8 * (ref->n - 8))) * 100000000u;
    *out = (int64_t)v;
    return true;
}

bool json_int64(const struct json_ref *ref, int64_t *out) {
    if (ref->type != JSON_NUMBER) return false;
    if (ref->n >= 8 && ref->n <= 16 && int64_short(ref, out)) return true;
    bool negative = ref->p[0] == '-';
    uint64_t v = 0;
    for (uint32_t i = negative; i < ref->n; i++) {
        unsigned d = (unsigned)(unsigned char)ref->p[i] - '0';
        if (d > 9 || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)d, &v))
            return false;
    }
    if (v > (uint64_t)INT64_MAX + negative) return false;
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}
