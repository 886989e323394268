/* The text form of a bucket_spec: "time=1", "volume=10.5,limit=60", ... */
#include <string.h>

#include "base/check.h"
#include "base/decimal.h"
#include "derive/vclock/vclock.h"

/* Seconds as nanoseconds, exactly; at most ten years. */
static bool seconds(const char *s, size_t n, int64_t *ns, const char **why) {
    struct decimal d;
    const int64_t most = (int64_t)3660 * 86400 * NS_PER_S;
    if (!decimal_parse(s, n, false, &d) || !decimal_to_scale(d, 9, ns)) {
        *why = "the seconds must be a decimal number of at most nine decimals, like 0.5";
        return false;
    }
    if (*ns < NS_PER_US || *ns > most) {
        *why = "the seconds must be from 0.000001 to 3660 days";
        return false;
    }
    return true;
}

static bool whole(const char *s, size_t n, int64_t *out, const char **why) {
    struct decimal d;
    if (decimal_parse(s, n, false, &d) && d.exp == 0 && d.mant > 0) {
        *out = d.mant;
        return true;
    }
    *why = "count and update take a whole number above 0";
    return false;
}

static bool volume(
    const char *s, size_t n, int64_t mant, uint8_t exp, int64_t *lots, const char **why) {
    struct decimal d;
    if (!decimal_parse(s, n, false, &d) || d.mant <= 0) {
        *why = "the volume must be a decimal number above 0, like 10.5";
        return false;
    }
    if (decimal_to_units(d, mant, exp, lots)) return true;
    *why = "the volume is no multiple of the instrument's quantity unit";
    return false;
}

static bool word_is(const char *s, size_t n, const char *word) {
    return n == strlen(word) && memcmp(s, word, n) == 0;
}

enum { TARGET_S = 30, LEAST_TRADES = 20 }; /* adaptive, where the text does not say (S3 3085) */

struct unit {
    int64_t mant;
    uint8_t exp;
};

static bool size_of(const struct bucket_spec *spec, const char *s, size_t n, struct unit u,
    int64_t *out, const char **why) {
    if (spec->mode == BUCKET_VOLUME) return volume(s, n, u.mant, u.exp, out, why);
    return whole(s, n, out, why);
}

static bool head(
    const char *s, size_t n, struct unit u, struct bucket_spec *spec, const char **why) {
    const char *eq = memchr(s, '=', n);
    size_t name = eq ? (size_t)(eq - s) : n;
    *why = "a bucket is time=SECONDS, volume=QUANTITY, count=TRADES, update=MESSAGES, "
           "adaptive=QUANTITY or reference";
    spec->size = 1;
    if (word_is(s, n, "reference")) {
        spec->mode = BUCKET_REFERENCE;
        return true;
    }
    if (!eq) return false;
    if (word_is(s, name, "time")) {
        spec->mode = BUCKET_TIME;
        return seconds(eq + 1, n - name - 1, &spec->size, why);
    }
    spec->adaptive = word_is(s, name, "adaptive");
    if (spec->adaptive || word_is(s, name, "volume")) {
        spec->mode = BUCKET_VOLUME;
    } else if (word_is(s, name, "count")) {
        spec->mode = BUCKET_COUNT;
    } else if (word_is(s, name, "update")) {
        spec->mode = BUCKET_UPDATE;
    } else {
        return false;
    }
    return size_of(spec, eq + 1, n - name - 1, u, &spec->size, why);
}

/* One ",key=value" behind the head. */
static bool option(
    const char *s, size_t n, struct unit u, struct bucket_spec *spec, const char **why) {
    const char *eq = memchr(s, '=', n);
    size_t name = eq ? (size_t)(eq - s) : n;
    const char *v = eq ? eq + 1 : s + n;
    size_t len = (size_t)(s + n - v);
    int64_t *at = word_is(s, name, "limit")                      ? &spec->time_limit_ns
                  : word_is(s, name, "time")                     ? &spec->target_ns
                  : word_is(s, name, "fallback")                 ? &spec->fallback_ns
                  : word_is(s, name, "least")                    ? &spec->size_least
                  : word_is(s, name, "most")                     ? &spec->size_most
                  : spec->adaptive && word_is(s, name, "trades") ? &spec->least_trades
                                                                 : NULL;
    *why = "behind the size may follow limit=, time=, least=, most=, fallback= and, for adaptive, "
           "trades=";
    if (at == NULL) return false;
    *why = "an option is given twice";
    if (*at != 0) return false;
    if (at == &spec->least_trades) return whole(v, len, at, why);
    if (at == &spec->size_least || at == &spec->size_most) return size_of(spec, v, len, u, at, why);
    return seconds(v, len, at, why);
}

/* What must and must not stand together. */
static bool fits(struct bucket_spec *spec, const char **why) {
    bool wide = spec->size_least > 0 || spec->size_most > 0;
    bool plain = spec->mode == BUCKET_TIME || spec->mode == BUCKET_REFERENCE;
    *why = "time and reference buckets take no options";
    if (plain) return !wide && !spec->time_limit_ns && !spec->target_ns && !spec->fallback_ns;
    *why = "the limit of adaptive buckets follows the rate: leave limit= out";
    if (spec->adaptive && spec->time_limit_ns) return false;
    if (spec->adaptive && !spec->target_ns) spec->target_ns = TARGET_S * NS_PER_S;
    if (spec->adaptive && !spec->least_trades) spec->least_trades = LEAST_TRADES;
    *why = "an online width needs least=, most= and time=, and least <= size <= most";
    if (wide && (!spec->size_least || !spec->target_ns || spec->size_least > spec->size ||
                    spec->size > spec->size_most))
        return false;
    *why = "time= is the target of adaptive buckets and of an online width (least=, most=)";
    if (spec->target_ns && !spec->adaptive && !wide) return false;
    *why = "the target time must be at most one hour";
    if (spec->target_ns > 3600 * NS_PER_S) return false;
    *why = "fallback= takes at most 10 seconds: the switch must be done within that";
    return spec->fallback_ns <= VCLOCK_FALLBACK_MAX_NS;
}

bool bucket_spec_parse(const char *text, int64_t qty_mant, uint8_t qty_exp, struct bucket_spec *out,
    const char **why) {
    CHECK(qty_mant > 0 && qty_exp <= DECIMAL_EXP_MAX);
    struct bucket_spec spec = {0};
    struct unit u = {qty_mant, qty_exp};
    size_t n = strcspn(text, ",");
    if (!head(text, n, u, &spec, why)) return false;
    for (const char *s = text + n; *s; s += n) {
        n = strcspn(++s, ",");
        if (!option(s, n, u, &spec, why)) return false;
    }
    if (!fits(&spec, why)) return false;
    *out = spec;
    return true;
}

bool bucket_spec_fits_bar(const struct bucket_spec *spec, int64_t bar_ns, const char **why) {
    CHECK(bar_ns > 0);
    *why = "bars carry plain time and volume buckets only: no adaptive cut, width or fallback";
    if (spec->adaptive || spec->size_most || spec->fallback_ns) return false;
    switch ((enum bucket_mode)spec->mode) {
    case BUCKET_TIME:
        if (spec->size % bar_ns == 0) return true;
        *why = "time buckets over bars must be a multiple of the bar's length";
        return false;
    case BUCKET_VOLUME: return true; /* whole bars; a bucket may pass its size by one bar */
    case BUCKET_COUNT:
        *why = "bars cannot be cut by trades: use time or volume buckets";
        return false;
    case BUCKET_UPDATE:
        *why = "bars hold no depth messages: use time or volume buckets";
        return false;
    case BUCKET_REFERENCE:
        *why = "bars arrive when their time is over: use time or volume buckets";
        return false;
    }
    return false;
}
