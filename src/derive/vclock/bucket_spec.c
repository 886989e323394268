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

bool bucket_spec_parse(const char *text, int64_t qty_mant, uint8_t qty_exp, struct bucket_spec *out,
    const char **why) {
    CHECK(qty_mant > 0 && qty_exp <= DECIMAL_EXP_MAX);
    struct bucket_spec spec = {0};
    const char *comma = strchr(text, ','), *eq = strchr(text, '=');
    size_t len = comma ? (size_t)(comma - text) : strlen(text);
    if (eq == NULL || (size_t)(eq - text) >= len) {
        *why = "a bucket is time=SECONDS, volume=QUANTITY, count=TRADES or update=MESSAGES";
        return false;
    }
    size_t name = (size_t)(eq - text), n = len - name - 1;
    bool ok;
    if (word_is(text, name, "time")) {
        spec.mode = BUCKET_TIME;
        ok = seconds(eq + 1, n, &spec.size, why);
    } else if (word_is(text, name, "volume")) {
        spec.mode = BUCKET_VOLUME;
        ok = volume(eq + 1, n, qty_mant, qty_exp, &spec.size, why);
    } else if (word_is(text, name, "count") || word_is(text, name, "update")) {
        spec.mode = text[0] == 'c' ? BUCKET_COUNT : BUCKET_UPDATE;
        ok = whole(eq + 1, n, &spec.size, why);
    } else {
        *why = "the bucket kinds are time, volume, count and update";
        return false;
    }
    if (!ok) return false;
    if (comma != NULL) {
        static const char key[] = "limit=";
        if (strncmp(comma + 1, key, sizeof key - 1) != 0 || spec.mode == BUCKET_TIME) {
            *why = "after the comma only limit=SECONDS may follow, and not for time buckets";
            return false;
        }
        const char *v = comma + sizeof key;
        if (!seconds(v, strlen(v), &spec.time_limit_ns, why)) return false;
    }
    *out = spec;
    return true;
}

bool bucket_spec_fits_bar(const struct bucket_spec *spec, int64_t bar_ns, const char **why) {
    CHECK(bar_ns > 0);
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
    }
    return false;
}
