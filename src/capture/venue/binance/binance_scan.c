#include "capture/venue/binance/binance_internal.h"

#include "base/check.h"

bool binance_fail(
    struct binance_reader *r, enum binance_status status, const char *at, const char *expected) {
    CHECK(status != BINANCE_OK && at >= r->s.start && at <= r->s.end);
    if (r->fault.status == BINANCE_OK)
        r->fault = (struct binance_fault){status, (size_t)(at - r->s.start), expected};
    return false;
}

static enum binance_status status_of(enum json_fault f) {
    static const uint8_t map[] = {
        [JSON_OK] = BINANCE_OK,
        [JSON_TRUNCATED] = BINANCE_TRUNCATED,
        [JSON_EXPECTED] = BINANCE_SYNTAX,
        [JSON_TRAILING] = BINANCE_TRAILING,
        [JSON_NESTING] = BINANCE_NESTING,
        [JSON_UTF8] = BINANCE_TEXT,
        [JSON_CONTROL] = BINANCE_TEXT,
        [JSON_ESCAPE] = BINANCE_TEXT,
        [JSON_SURROGATE] = BINANCE_TEXT,
        [JSON_BAD_NUMBER] = BINANCE_NUMBER,
        [JSON_BAD_DECIMAL] = BINANCE_DECIMAL,
    };
    return (enum binance_status)map[f];
}

enum binance_status binance_result(const struct binance_reader *r, struct binance_fault *fault) {
    struct binance_fault f = r->fault;
    if (f.status == BINANCE_OK && r->s.fault != JSON_OK)
        f = (struct binance_fault){
            status_of(r->s.fault), (size_t)(r->s.fault_at - r->s.start), r->s.expected};
    if (fault) *fault = f;
    return f.status;
}

static bool same(const struct json_ref *k, const char *word, size_t n) {
    return k->n == n && memcmp(k->p, word, n) == 0;
}
#define SAME(k, word) same(k, word, sizeof(word) - 1)

static unsigned key_word(const struct json_ref *k) {
    if (k->n == 1) {
        char c = k->p[0];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        return letter ? KEY(c) : KEY_UNKNOWN;
    }
    switch (k->n ? k->p[0] : 0) {
    case 'a': return SAME(k, "ap") ? KEY_AP : SAME(k, "asks") ? KEY_ASKS : KEY_UNKNOWN;
    case 'b': return SAME(k, "bids") ? KEY_BIDS : KEY_UNKNOWN;
    case 'c': return SAME(k, "code") ? KEY_CODE : KEY_UNKNOWN;
    case 'd': return SAME(k, "data") ? KEY_DATA : KEY_UNKNOWN;
    case 'e': return SAME(k, "error") ? KEY_ERROR : SAME(k, "event") ? KEY_EVENT : KEY_UNKNOWN;
    case 'i': return SAME(k, "id") ? KEY_ID : KEY_UNKNOWN;
    case 'l': return SAME(k, "lastUpdateId") ? KEY_LAST_UPDATE_ID : KEY_UNKNOWN;
    case 'm': return SAME(k, "msg") ? KEY_MSG : KEY_UNKNOWN;
    case 'o': return SAME(k, "openInterest") ? KEY_OPEN_INTEREST : KEY_UNKNOWN;
    case 'p': return SAME(k, "pu") ? KEY_PU : SAME(k, "ps") ? KEY_PS : KEY_UNKNOWN;
    case 'r': return SAME(k, "result") ? KEY_RESULT : KEY_UNKNOWN;
    case 's':
        if (SAME(k, "st")) return KEY_ST;
        if (SAME(k, "stream")) return KEY_STREAM;
        if (SAME(k, "symbol")) return KEY_SYMBOL;
        return SAME(k, "symbols") ? KEY_SYMBOLS : KEY_UNKNOWN;
    case 't': return SAME(k, "time") ? KEY_TIME : KEY_UNKNOWN;
    default: return KEY_UNKNOWN;
    }
}

/* Any key with its colon; an escaped one is compared unescaped. */
static bool key_slow(struct binance_reader *r, unsigned *key) {
    struct json_scan *s = &r->s;
    struct json_ref k;
    json_ws(s);
    if (s->p >= s->end || *s->p != '"') return json_fail(s, JSON_EXPECTED, s->p, "a key");
    if (!json_string(s, &k)) return false;
    if (k.escaped) {
        char text[16];
        size_t n;
        *key = KEY_UNKNOWN;
        if (json_text(&k, text, sizeof text, &n))
            *key = key_word(&(struct json_ref){text, (uint32_t)n, JSON_STRING, 0});
    } else {
        *key = key_word(&k);
    }
    return json_expect(s, ':', "':'");
}

/* One letter in quotes with its colon is nearly every key there is. */
static inline bool key_next(struct binance_reader *r, unsigned *key) {
    const char *p = r->s.p;
    if (r->s.end - p >= 4 && p[0] == '"' && p[2] == '"' && p[3] == ':') {
        unsigned lower = (unsigned)(unsigned char)p[1] | 0x20u;
        if (lower - 'a' < 26u) {
            *key = KEY(p[1]);
            r->s.p = p + 4;
            return true;
        }
    }
    return key_slow(r, key);
}

static inline bool level_next(struct json_scan *s, struct binance_level *level) {
    return json_expect(s, '[', "'['") && json_decimal(s, &level->px) &&
           json_expect(s, ',', "','") && json_decimal(s, &level->qty) && json_expect(s, ']', "']'");
}

/* [["px","qty"], ...] at the cursor. False with a grammar fault, or BINANCE_LEVELS. */
static bool levels_read(struct binance_reader *r, struct binance_level *out, uint32_t *count) {
    struct json_scan *s = &r->s;
    uint32_t n = 0;
    s->p++; /* '[' */
    json_ws(s);
    if (s->p < s->end && *s->p == ']') {
        s->p++;
        *count = 0;
        return true;
    }
    for (;;) {
        if (n == BINANCE_LEVELS_MAX)
            return binance_fail(r, BINANCE_LEVELS, s->p, "at most 5000 levels a side");
        if (!level_next(s, &out[n])) return false;
        n++;
        if (__builtin_expect(s->p < s->end && *s->p == ',', 1)) {
            s->p++;
            continue;
        }
        json_ws(s);
        if (s->p < s->end && *s->p == ']') break;
        if (!json_expect(s, ',', "',' or ']'")) return false;
    }
    s->p++;
    *count = n;
    return true;
}

/* The array of key b, a, bids or asks. One that holds no levels may belong to a kind where this key
 * is unknown: it is checked as any value, and its fault kept for the kinds that need levels. */
static bool levels_value(
    struct binance_reader *r, int depth, struct binance_object *o, unsigned key) {
    struct json_scan *s = &r->s;
    struct binance_depth *d = &r->out->depth;
    bool bid = key == KEY('b') || key == KEY_BIDS;
    if (bid ? binance_has(o, key == KEY_BIDS ? KEY('b') : KEY_BIDS)
            : binance_has(o, key == KEY_ASKS ? KEY('a') : KEY_ASKS))
        return binance_fail(r, BINANCE_DUPLICATE, s->p, bid ? "one of b, bids" : "one of a, asks");
    struct json_scan before = *s;
    struct json_ref *ref = &o->ref[key];
    if (levels_read(r, bid ? d->bid : d->ask, bid ? &d->bids : &d->asks)) {
        *ref = (struct json_ref){before.p, (uint32_t)(s->p - before.p), JSON_ARRAY, 0};
        o->levels = true;
        return true;
    }
    if (r->fault.status != BINANCE_OK) return false;
    struct binance_fault bad;
    (void)binance_result(r, &bad);
    *s = before;
    if (!json_value(s, depth, ref)) return false;
    if (bad.status == BINANCE_SYNTAX) bad.status = BINANCE_TYPE; /* JSON, but no levels */
    if (o->bad_levels.status == BINANCE_OK) o->bad_levels = bad;
    return true;
}

static bool member_value(struct binance_reader *r, int depth, struct binance_object *o,
    struct binance_object *data, unsigned key) {
    struct json_scan *s = &r->s;
    if (s->p < s->end && *s->p != '"') json_ws(s);
    char c = s->p < s->end ? *s->p : 0;
    if (c == '"') return json_string(s, &o->ref[key]);
    if (c == '[' && r->out &&
        (key == KEY('b') || key == KEY('a') || key == KEY_BIDS || key == KEY_ASKS))
        return levels_value(r, depth, o, key);
    if (c == '{' && data && key == KEY_DATA) {
        const char *start = s->p;
        if (!binance_object(r, depth, data, NULL)) return false;
        o->ref[key] = (struct json_ref){start, (uint32_t)(s->p - start), JSON_OBJECT, 0};
        return true;
    }
    return json_value(s, depth, &o->ref[key]);
}

/* One `"key": value`. */
static inline bool member_next(
    struct binance_reader *r, int depth, struct binance_object *o, struct binance_object *data) {
    const char *at = r->s.p;
    unsigned key = KEY_UNKNOWN;
    if (!key_next(r, &key)) return false;
    if (key == KEY_UNKNOWN) {
        struct json_ref ignored;
        return json_value(&r->s, depth, &ignored);
    }
    if (binance_has(o, key)) return binance_fail(r, BINANCE_DUPLICATE, at, "each key once");
    if (!member_value(r, depth, o, data, key)) return false;
    o->seen[key >> 6] |= 1ull << (key & 63);
    return true;
}

bool binance_object(
    struct binance_reader *r, int depth, struct binance_object *o, struct binance_object *data) {
    struct json_scan *s = &r->s;
    o->seen[0] = o->seen[1] = 0;
    o->levels = false;
    o->bad_levels.status = BINANCE_OK;
    if (!json_expect(s, '{', "'{'")) return false;
    json_ws(s);
    if (s->p < s->end && *s->p == '}') {
        s->p++;
        return true;
    }
    for (;;) {
        if (!member_next(r, depth + 1, o, data)) return false;
        if (__builtin_expect(s->p < s->end && *s->p == ',', 1)) {
            s->p++;
            continue;
        }
        json_ws(s);
        if (s->p < s->end && *s->p == '}') break;
        if (!json_expect(s, ',', "',' or '}'")) return false;
    }
    s->p++;
    return true;
}

bool binance_inner(struct binance_reader *r, const struct json_ref *ref, struct binance_object *o) {
    CHECK(ref->type == JSON_OBJECT);
    struct binance_message *out = r->out;
    r->out = NULL;
    r->s.p = ref->p;
    bool ok = binance_object(r, 0, o, NULL);
    r->out = out;
    return ok;
}

static bool missing(struct binance_reader *r, const char *name) {
    return binance_fail(r, BINANCE_MISSING, r->s.end, name);
}

bool binance_int(struct binance_reader *r, const struct binance_object *o, unsigned key,
    const char *name, int64_t *out) {
    if (!binance_has(o, key)) return missing(r, name);
    const struct json_ref *ref = &o->ref[key];
    if (ref->type != JSON_NUMBER) return binance_fail(r, BINANCE_TYPE, ref->p, name);
    return json_int64(ref, out) || binance_fail(r, BINANCE_INTEGER, ref->p, name);
}

bool binance_stamp(struct binance_reader *r, const struct binance_object *o, unsigned key,
    const char *name, int64_t *ns) {
    int64_t v;
    if (!binance_int(r, o, key, name, &v)) return false;
    const int64_t ms_max = INT64_MAX / NS_PER_MS, us_min = 100000000000000;
    if (v >= 0 && v <= ms_max) {
        *ns = v * NS_PER_MS;
    } else if (v >= us_min && v <= INT64_MAX / NS_PER_US) {
        *ns = v * NS_PER_US;
    } else {
        return binance_fail(r, BINANCE_STAMP, o->ref[key].p, name);
    }
    return true;
}

bool binance_dec(struct binance_reader *r, const struct binance_object *o, unsigned key,
    const char *name, struct decimal *out) {
    if (!binance_has(o, key)) return missing(r, name);
    const struct json_ref *ref = &o->ref[key];
    if (ref->type != JSON_STRING) return binance_fail(r, BINANCE_TYPE, ref->p, name);
    r->s.p = ref->p - 1;
    return json_decimal(&r->s, out);
}

bool binance_dec_maybe(struct binance_reader *r, const struct binance_object *o, unsigned key,
    struct decimal *out, bool *has) {
    *has = binance_has(o, key) && !(o->ref[key].type == JSON_STRING && o->ref[key].n == 0);
    *out = (struct decimal){0, 0};
    return !*has || binance_dec(r, o, key, "a decimal or \"\"", out);
}

bool binance_flag(struct binance_reader *r, const struct binance_object *o, unsigned key,
    const char *name, bool *out) {
    if (!binance_has(o, key)) return missing(r, name);
    const struct json_ref *ref = &o->ref[key];
    if (ref->type != JSON_TRUE && ref->type != JSON_FALSE)
        return binance_fail(r, BINANCE_TYPE, ref->p, name);
    *out = ref->type == JSON_TRUE;
    return true;
}

bool binance_word(struct binance_reader *r, const struct binance_object *o, unsigned key,
    const char *name, char *out, size_t cap) {
    if (!binance_has(o, key)) return missing(r, name);
    const struct json_ref *ref = &o->ref[key];
    if (ref->type != JSON_STRING) return binance_fail(r, BINANCE_TYPE, ref->p, name);
    size_t n = ref->n;
    memset(out, 0, cap);
    if (__builtin_expect(!ref->escaped && n > 0 && n < cap, 1)) {
        memcpy(out, ref->p, n);
        return true;
    }
    if (n == 0 || !json_text(ref, out, cap, &n))
        return binance_fail(r, BINANCE_SYMBOL, ref->p, name);
    return true;
}
