/* feature_internal.h: what the families share: rings of bucket values, sums over them, rows.
 *
 * Why sums are taken fresh  a window of at most SERIES_MAX bucket values is added up oldest first
 * at each close. That costs about a nanosecond a value, cannot drift over any number of events,
 * and makes the result independent of where the stream began, bit for bit. Longer windows
 * (seconds, minutes) keep running sums of integers.
 */
#ifndef FATHOM_DERIVE_FEATURE_FEATURE_INTERNAL_H
#define FATHOM_DERIVE_FEATURE_FEATURE_INTERNAL_H

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/dmath.h"
#include "derive/feature/feature.h"

#define MISSING ((double)NAN)
#define BPS 1e4

enum { SERIES_MAX = 64, SERIES_MASK = SERIES_MAX - 1 };

/* The last SERIES_MAX bucket values; NaN entries make every window over them NaN. */
struct series {
    uint64_t n; /* pushed so far */
    double v[SERIES_MAX];
};

static inline void series_push(struct series *s, double x) { s->v[s->n++ & SERIES_MASK] = x; }

/* The value `lag` buckets ago (0 = newest); NaN before the start. */
static inline double series_lag(const struct series *s, uint64_t lag) {
    return lag < s->n ? s->v[(s->n - 1 - lag) & SERIES_MASK] : MISSING;
}

/* Copies the last w values, oldest first; false (untouched) if there are not yet w. */
bool series_window(const struct series *s, size_t w, double *out);
/* Sum of the last w values, oldest first; NaN if one is missing or there are not yet w. */
double series_sum(const struct series *s, size_t w);
double series_mean(const struct series *s, size_t w);

/* Moments of a window, about its mean (two passes); NaN entries give NaN everywhere. */
struct moments {
    double mean, m2, m3, m4; /* central moments, divided by n */
};
struct moments moments_of(const double *x, size_t n);
/* (x - mean) / population standard deviation; NaN where the spread is nil. */
double zscore_of(double x, const double *window, size_t n);
/* Spread counts as nil when m2 <= 1e-18 x mean^2 (rounding of equal values) or is 0. */
bool moments_flat(const struct moments *m);

/* Ordinary least squares y = a + b x over n points: slope and R^2; NaN where x is flat. */
struct line_fit {
    double slope, intercept, r2;
};
struct line_fit line_fit(const double *x, const double *y, size_t n);

/* a / b; NaN for b == 0 or a result that is not finite. */
static inline double ratio_of(double a, double b) {
    double r = b != 0.0 ? a / b : MISSING;
    return isfinite(r) ? r : MISSING;
}

static inline double bps_of(double x, double base) { return BPS * ratio_of(x - base, base); }

/* A trade that moves price and volume (the same rule as the volume clock's). */
static inline bool is_market_trade(const struct event *ev) {
    return (ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE) && !(ev->flags & EVF_NON_MARKET);
}

enum { KINDS_TRADE = 1u << EV_TRADE | 1u << EV_AGG_TRADE };

/* Taker-buy minus taker-sell quantity of a bucket in quantity units; NaN where not known. */
static inline double bucket_signed(const struct bucket *b) {
    if (!b->taker_known) return MISSING;
    return (double)(2 * b->buy_volume.lots - b->volume.lots);
}

/* The families of the registry plus a test's own; NULL stands for the program's registry. */
struct feature_registry {
    const struct feature_family *const *families;
    size_t count;
};
size_t registry_count(const struct feature_registry *r);
const struct feature_def *registry_get(
    const struct feature_registry *r, size_t index, size_t *family, size_t *row);
bool registry_parse(
    const struct feature_registry *r, const char *text, struct feature_set *out, const char **bad);
size_t registry_mem_size(const struct feature_registry *r, const struct feature_set *set);
struct feature_engine *registry_engine_init(const struct feature_registry *r, void *mem,
    const struct feature_set *set, const struct feature_ctx *ctx);
struct feature_engine *registry_engine_load(
    const struct feature_registry *r, void *mem, const struct feature_ctx *ctx);
/* feature_set_signature over a registry of one's own. */
uint64_t registry_signature(const struct feature_registry *r, const struct feature_set *set);

struct stream;
struct stream_spec;
size_t registry_stream_mem_size(const struct feature_registry *r, const struct stream_spec *spec,
    const struct feature_set *set);
struct stream *registry_stream_init(const struct feature_registry *r, void *mem,
    const struct stream_spec *spec, const struct feature_set *set);
struct stream *registry_stream_load(const struct feature_registry *r, void *mem, size_t n);

#endif
