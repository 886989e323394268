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

/* A trade that moves price and volume: the volume clock's rule. Which of trades and aggregate
 * trades count where a recording has both is decided before (stream.c). */
static inline bool is_market_trade(const struct event *ev) {
    return !(ev->flags & EVF_NON_MARKET) && ev->px.ticks > 0 && ev->qty.lots > 0;
}

enum { KINDS_TRADE = 1u << EV_TRADE | 1u << EV_AGG_TRADE };

/* The last instant that belongs to the bucket: a time cut's boundary belongs to the next one. */
static inline int64_t bucket_last_ns(const struct bucket *b) {
    return bucket_at_boundary(b) ? b->close_ts.ns - 1 : b->close_ts.ns;
}

/* Taker-buy minus taker-sell quantity of a bucket in quantity units; NaN where not known. */
static inline double bucket_signed(const struct bucket *b) {
    if (b->from_kline && !b->taker_known) return MISSING;
    return (double)(2 * b->buy_volume.lots - b->volume.lots);
}

/* Quote value of a quantity (in double base units or contracts) at a price. */
static inline double quote_value(const struct instrument *in, double px, double qty) {
    double contract = (double)in->contract_e8 / 1e8;
    return in->kind == INSTRUMENT_INVERSE ? qty * contract : px * qty * contract;
}
/* Quote value of a bucket; NaN where the bars do not say it. */
double bucket_quote(const struct feature_ctx *ctx, const struct bucket *b);
/* Volume-weighted mean price of summed value and volume (both in units); NaN without volume. */
static inline double vwap_of(const struct feature_ctx *ctx, double value, double volume) {
    return ratio_of(value, volume) * ctx->px_unit;
}

/* Integer sums over the last w bins of wall time (seconds, minutes), whole bins only at the old
 * end. The bin in which the stream began is incomplete and never counted as full. */
enum { BINS_MAX = 384, BINS_FIELDS = 4 };
struct bins {
    int64_t first, now; /* bin numbers since 1970; now < first before the first call */
    bool started;
    uint8_t pad[7];
    int64_t v[BINS_FIELDS][BINS_MAX];
};
/* Moves on to the bin that holds `ns` (never back), clearing the bins passed over. */
void bins_roll(struct bins *b, int64_t ns, int64_t width_ns);
void bins_add(struct bins *b, size_t field, int64_t x); /* into the bin of the last roll */
/* NaN until w complete bins have passed. */
double bins_sum(const struct bins *b, size_t field, size_t w);

#define FEATURE_ROW_ALL(                                                                           \
    NAME, UNIT, WINDOW, WARM, NEEDS, BARS, CAPABILITY, SOURCE, ABOUT, GONE, CLOCK, LONG_MEMORY)    \
    {                                                                                              \
        .name = NAME, .unit = UNIT, .window = WINDOW, .source = SOURCE, .about = ABOUT,            \
        .missing = GONE, .capability = CAPABILITY, .warmup = WARM, .needs = NEEDS, .version = 1,   \
        .clock = CLOCK, .bars_ok = BARS, .recursive = LONG_MEMORY                                  \
    }
#define FEATURE_ROW_CLOCK(N, U, W, WARM, NEEDS, BARS, CAP, SRC, ABOUT, GONE, CLOCK)                \
    FEATURE_ROW_ALL(N, U, W, WARM, NEEDS, BARS, CAP, SRC, ABOUT, GONE, CLOCK, false)
#define FEATURE_ROW(N, U, W, WARM, NEEDS, BARS, CAP, SRC, ABOUT, GONE)                             \
    FEATURE_ROW_ALL(N, U, W, WARM, NEEDS, BARS, CAP, SRC, ABOUT, GONE, CLOCK_BUCKET, false)
#define FEATURE_ROW_RECURSIVE(N, U, W, WARM, NEEDS, BARS, CAP, SRC, ABOUT, GONE)                   \
    FEATURE_ROW_ALL(N, U, W, WARM, NEEDS, BARS, CAP, SRC, ABOUT, GONE, CLOCK_BUCKET, true)
/* A row of the family and of "all" only, for events (bars carry none of these). */
#define FEATURE_ROW_APART(N, U, W, WARM, NEEDS, CAP, SRC, ABOUT, GONE, CLOCK)                      \
    {                                                                                              \
        .name = N, .unit = U, .window = W, .source = SRC, .about = ABOUT, .missing = GONE,         \
        .capability = CAP, .warmup = WARM, .needs = NEEDS, .version = 1, .clock = CLOCK,           \
        .apart = true                                                                              \
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
