/* feature_flow_price.c: how volume lies across price, and how much of it is large trades. More rows
 * of the family `flow`.
 *
 * Price   offsets from the first trade of their bucket are summed as integers; buckets are joined
 *         by their means, so nothing depends on where the stream began.
 * Bins    floor(1e4 ln price): of the price, not of the units in which the tape counts it.
 * Large   the size that 95 % of the last 512 trades do not reach, on a grid of sixteen steps an
 *         octave, as of the close before the trade's bucket.
 */
#include <string.h>

#include "derive/feature/feature_internal.h"

enum price_row {
    P_SD_B1,
    P_SD_B5,
    P_SD_B20,
    P_BINS,
    P_ENTROPY,
    P_PEAK,
    P_LARGE_B1,
    P_LARGE_B20,
    P_ROWS
};

enum { BINS = 128, RING = 512, RANK = 487, STEPS = 16, SIZES = 64 * STEPS + 2 };

#define SPREAD "definition: volume-weighted standard deviation"
#define LARGE "source document S3 (large-trade share); rolling 95 % quantile"
#define GONE "no volume in the window"
#define MAP "no volume; more than 128 bins"
#define FEW "before 512 trades and a close, at every bucket of the window; no volume"
#define ROW(N, U, W, WARM, SRC, ABOUT, MISS, CLOCK)                                                \
    FEATURE_ROW_APART(N, U, W, WARM, NEED_TRADE, "FEA2", SRC, ABOUT, MISS, CLOCK)

static const struct feature_def defs[P_ROWS] = {
    [P_SD_B1] = ROW("flow_price_sd_b1", "bps", "b1", 1, SPREAD,
        "standard deviation of the price by volume / its mean", GONE, CLOCK_BUCKET),
    [P_SD_B5] = ROW("flow_price_sd_b5", "bps", "b5", 6, SPREAD,
        "standard deviation of the price by volume / its mean", GONE, CLOCK_BUCKET),
    [P_SD_B20] = ROW("flow_price_sd_b20", "bps", "b20", 21, SPREAD,
        "standard deviation of the price by volume / its mean", GONE, CLOCK_BUCKET),
    [P_BINS] = ROW("flow_price_bins_b1", "bins", "b1", 1, "definition",
        "bins of one basis point, floor(1e4 ln price), that traded", MAP, CLOCK_BUCKET),
    [P_ENTROPY] = ROW("flow_price_entropy_b1", "nats", "b1", 1, "definition",
        "- sum of p ln p, p = share of the volume in a bin of one basis point", MAP, CLOCK_BUCKET),
    [P_PEAK] = ROW("flow_price_peak_share_b1", "1", "b1", 1, "definition",
        "largest share of the volume in a bin of one basis point", MAP, CLOCK_BUCKET),
    [P_LARGE_B1] = ROW("flow_large_q95_share_b1", "1", "e512", RING, LARGE,
        "volume of trades of at least the 95 % size / volume", FEW, CLOCK_EVENT),
    [P_LARGE_B20] = ROW("flow_large_q95_share_b20", "1", "e512", RING, LARGE,
        "volume of trades of at least the 95 % size / volume of 20 buckets", FEW, CLOCK_EVENT),
};

struct price_bin {
    int64_t bin, qty;
};

struct price_state {
    int64_t anchor; /* first price of the open bucket */
    int64_t qty, large, bins_n;
    int128 offset, square; /* sums of q d and q d^2, d = price - anchor */
    bool full;
    uint8_t pad[15];
    struct price_bin bin[BINS];
    struct series volume, mean, square_about, larges; /* of closed buckets; square about the mean */
    uint64_t trades;
    uint16_t ring[RING];   /* size steps of the last trades */
    uint16_t count[SIZES]; /* of the trades in the ring */
    uint32_t threshold;    /* as of the last close; 0 = not known */
    uint8_t pad2[12];
};

static size_t price_state_size(void) { return sizeof(struct price_state); }

/* The upper bits of the IEEE 754 form of a quantity > 0: its octave and the sixteenth within it.
 * They are the same whatever unit the tape counts in. */
static int64_t size_bits(double qty) {
    uint64_t bits;
    memcpy(&bits, &qty, sizeof bits);
    return (int64_t)(bits >> 48);
}

/* Number of the step of a size, monotone, above 0: one unit of the tape is in one of the first. */
static uint16_t size_step(const struct feature_ctx *ctx, qty_t qty) {
    int64_t least = size_bits(ctx->qty_unit);
    return (uint16_t)(1 + size_bits(instrument_qty(ctx->inst, qty)) - least);
}

static void size_add(struct price_state *s, uint16_t step) {
    uint16_t *at = &s->ring[s->trades++ % RING];
    if (s->trades > RING) s->count[*at]--;
    *at = step;
    s->count[step]++;
}

/* The step of the trade of that rank among the last 512. */
static uint32_t size_threshold(const struct price_state *s) {
    uint32_t below = 0, step = 0;
    if (s->trades < RING) return 0;
    while (below + s->count[step] < RANK) below += s->count[step++];
    return step;
}

static void bin_add(struct price_state *s, int64_t bin, int64_t q) {
    int64_t i = s->bins_n;
    while (i > 0 && s->bin[i - 1].bin != bin) i--;
    if (i > 0) {
        s->bin[i - 1].qty += q;
    } else if (s->bins_n < BINS) {
        s->bin[s->bins_n++] = (struct price_bin){bin, q};
    } else {
        s->full = true;
    }
}

static void price_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct price_state *s = state;
    (void)change;
    if (!is_market_trade(ev)) return;
    int64_t q = ev->qty.lots;
    uint16_t step = size_step(ctx, ev->qty);
    if (s->qty == 0) s->anchor = ev->px.ticks;
    int128 d = ev->px.ticks - s->anchor;
    s->qty += q;
    s->offset += d * q;
    s->square += d * d * q;
    bin_add(s, (int64_t)floor(BPS * dm_log(instrument_px(ctx->inst, ev->px))), q);
    if (s->threshold > 0 && step >= s->threshold) s->large += q;
    size_add(s, step);
}

/* Of the last w buckets: their variances and the distances of their means. */
static double spread(const struct price_state *s, uint64_t w) {
    double volume = 0.0, mean = 0.0, sum = 0.0;
    if (s->volume.n < w) return MISSING;
    for (uint64_t i = w; i-- > 0;) {
        double v = series_lag(&s->volume, i);
        if (v == 0.0) continue;
        volume += v;
        mean += v * series_lag(&s->mean, i);
    }
    if (volume == 0.0) return MISSING;
    mean /= volume;
    for (uint64_t i = w; i-- > 0;) {
        double v = series_lag(&s->volume, i), off = series_lag(&s->mean, i) - mean;
        if (v != 0.0) sum += series_lag(&s->square_about, i) + v * off * off;
    }
    return BPS * sqrt(sum / volume) / mean;
}

static void map_report(const struct price_state *s, double *out) {
    double logs = 0.0, peak = 0.0, volume = (double)s->qty;
    out[P_BINS] = out[P_ENTROPY] = out[P_PEAK] = MISSING;
    if (s->qty == 0 || s->full) return;
    for (int64_t i = 0; i < s->bins_n; i++) {
        double v = (double)s->bin[i].qty;
        logs += v * dm_log(v);
        if (v > peak) peak = v;
    }
    out[P_BINS] = (double)s->bins_n;
    out[P_ENTROPY] = dm_log(volume) - logs / volume;
    out[P_PEAK] = peak / volume;
}

static void bucket_close(struct price_state *s) {
    double v = (double)s->qty, off = s->qty ? (double)s->offset / v : 0.0;
    double about = s->qty ? (double)s->square - v * off * off : 0.0;
    series_push(&s->volume, v);
    series_push(&s->mean, s->qty ? (double)s->anchor + off : MISSING);
    series_push(&s->square_about, about > 0.0 ? about : 0.0);
    series_push(&s->larges, s->threshold > 0 ? (double)s->large : MISSING);
}

static void price_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct price_state *s = state;
    (void)ctx;
    (void)view;
    (void)b;
    bucket_close(s);
    map_report(s, out);
    out[P_SD_B1] = spread(s, 1);
    out[P_SD_B5] = spread(s, 5);
    out[P_SD_B20] = spread(s, 20);
    out[P_LARGE_B1] = ratio_of(series_sum(&s->larges, 1), series_sum(&s->volume, 1));
    out[P_LARGE_B20] = ratio_of(series_sum(&s->larges, 20), series_sum(&s->volume, 20));
    s->qty = s->large = s->bins_n = 0;
    s->offset = s->square = 0;
    s->full = false;
    s->threshold = size_threshold(s);
}

const struct feature_family feature_family_flow_price = {
    .name = "flow",
    .defs = defs,
    .count = P_ROWS,
    .kinds = KINDS_TRADE,
    .state_size = price_state_size,
    .on_event = price_on_event,
    .on_bucket = price_on_bucket,
};
