/* feature_flow.c: what was traded: volume by side, counts, sizes, runs, arrival, over several
 * windows.
 *
 * Bucket windows come from the bucket record, so bars carry them too. Time windows are whole
 * seconds (minutes for h1 and h6) of ts_local, ending with the one in which the bucket closed.
 */
#include "derive/feature/feature_internal.h"

enum flow_row {
    F_VOLUME = 0, /* b1 b5 b20 b60 */
    F_SIGNED = 4,
    F_IMBALANCE = 8,
    F_COUNT = 12,
    F_VWAP_DEV = 16,
    F_VALUE_B1 = 20,
    F_VALUE_B20,
    F_COUNT_IMBALANCE_B5,
    F_COUNT_IMBALANCE_B20,
    F_INTENSITY_S60,
    F_INTENSITY_S300,
    F_BUY_RATE_S60,
    F_BUY_RATE_S300,
    F_SELL_RATE_S60,
    F_SELL_RATE_S300,
    F_IMBALANCE_S60,
    F_IMBALANCE_S300,
    F_CVD_S60,
    F_CVD_S300,
    F_CVD_H1,
    F_CVD_H6,
    F_CVD_SLOPE_B20,
    F_CVD_SLOPE_B60,
    F_SIZE_MEAN_B1,
    F_SIZE_MEAN_B20,
    F_SIZE_STD_B20,
    F_SIZE_SKEW_B20,
    F_SIZE_MAX_B1,
    F_SIZE_MAX_B20,
    F_LARGE_BUYS_B1,
    F_LARGE_SELLS_B1,
    F_LARGE_BUYS_B20,
    F_LARGE_SELLS_B20,
    F_LARGE_SHARE_B20,
    F_RUN_E100,
    F_PERSISTENCE_E100,
    F_GAP_MEAN_B20,
    F_GAP_CV_B20,
    F_VOLUME_BURST,
    F_ROWS
};

#define LARGE_QUOTE 10000.0 /* features.md: a large trade, in quote units */
#define GAP_MAX_NS (60 * NS_PER_S)
enum { RUN_MAX = 100 };

static const size_t windows[4] = {1, 5, 20, 60};

#define SUM_SRC "definition: sums of trades by the aggressor side the venue reports"
#define BARS_ROW(NAME, UNIT, W, WARM, ABOUT, GONE)                                                 \
    FEATURE_ROW(NAME, UNIT, W, WARM, NEED_TRADE, true, "FEA2", SUM_SRC, ABOUT, GONE)
#define VALUE_ROW(NAME, UNIT, W, WARM, ABOUT, GONE)                                                \
    FEATURE_ROW(NAME, UNIT, W, WARM, NEED_TRADE | NEED_VALUE, true, "FEA2", SUM_SRC, ABOUT, GONE)
#define TAKER_ROW(NAME, UNIT, W, WARM, ABOUT, GONE)                                                \
    FEATURE_ROW(NAME, UNIT, W, WARM, NEED_TRADE | NEED_TAKER, true, "FEA2", SUM_SRC, ABOUT, GONE)
#define TRADE_ROW(NAME, UNIT, W, WARM, SOURCE, ABOUT, GONE)                                        \
    FEATURE_ROW(NAME, UNIT, W, WARM, NEED_TRADE, false, "FEA2", SOURCE, ABOUT, GONE)
#define SECONDS_ROW(NAME, UNIT, W, WARM, ABOUT, GONE)                                              \
    FEATURE_ROW_CLOCK(                                                                             \
        NAME, UNIT, W, WARM, NEED_TRADE, false, "FEA2", SUM_SRC, ABOUT, GONE, CLOCK_TIME)
#define HOURS_ROW(NAME, UNIT, W, WARM, ABOUT, GONE)                                                \
    FEATURE_ROW_CLOCK(NAME, UNIT, W, WARM, NEED_TRADE | NEED_TAKER, true, "FEA2", SUM_SRC, ABOUT,  \
        GONE, CLOCK_TIME)
#define EVENTS_ROW(NAME, UNIT, W, WARM, ABOUT, GONE)                                               \
    FEATURE_ROW_CLOCK(                                                                             \
        NAME, UNIT, W, WARM, NEED_TRADE, false, "FEA2", SUM_SRC, ABOUT, GONE, CLOCK_EVENT)
#define FOUR(MACRO, AT, NAME, UNIT, ABOUT, GONE)                                                   \
    [AT] = MACRO(NAME "_b1", UNIT, "b1", 1, ABOUT, GONE),                                          \
    [AT + 1] = MACRO(NAME "_b5", UNIT, "b5", 6, ABOUT, GONE),                                      \
    [AT + 2] = MACRO(NAME "_b20", UNIT, "b20", 21, ABOUT, GONE),                                   \
    [AT + 3] = MACRO(NAME "_b60", UNIT, "b60", 61, ABOUT, GONE)

#define NO_WINDOW "before the window is full"
#define NO_TAKER "before the window is full; bars without taker-buy volume"
#define NO_VOLUME "no volume in the window; before it is full; taker side unknown"
#define NO_TRADES "before the window is full; no trade in it"

static const struct feature_def defs[F_ROWS] = {
    FOUR(BARS_ROW, F_VOLUME, "flow_volume", "base", "sum of traded quantity", NO_WINDOW),
    FOUR(TAKER_ROW, F_SIGNED, "flow_signed_volume", "base", "taker-buy minus taker-sell quantity",
        NO_TAKER),
    FOUR(TAKER_ROW, F_IMBALANCE, "flow_imbalance", "1", "signed volume / volume", NO_VOLUME),
    FOUR(BARS_ROW, F_COUNT, "flow_count", "trades", "number of market trades", NO_WINDOW),
    FOUR(VALUE_ROW, F_VWAP_DEV, "flow_vwap_dev", "bps",
        "1e4 (reference price / volume-weighted mean price - 1)",
        "no volume or no price; before the window is full; bars without quote volume"),
    [F_VALUE_B1] = VALUE_ROW(
        "flow_value_b1", "quote", "b1", 1, "sum of price x quantity", "bars without quote volume"),
    [F_VALUE_B20] = VALUE_ROW("flow_value_b20", "quote", "b20", 21, "sum of price x quantity",
        "before the window is full; bars without quote volume"),
    [F_COUNT_IMBALANCE_B5] = TRADE_ROW("flow_count_imbalance_b5", "1", "b5", 6, SUM_SRC,
        "(buys - sells) / trades, by number", NO_TRADES),
    [F_COUNT_IMBALANCE_B20] = TRADE_ROW("flow_count_imbalance_b20", "1", "b20", 21, SUM_SRC,
        "(buys - sells) / trades, by number", NO_TRADES),
    [F_INTENSITY_S60] =
        SECONDS_ROW("flow_intensity_s60", "1/s", "s60", 62, "trades a second", NO_WINDOW),
    [F_INTENSITY_S300] =
        SECONDS_ROW("flow_intensity_s300", "1/s", "s300", 302, "trades a second", NO_WINDOW),
    [F_BUY_RATE_S60] =
        SECONDS_ROW("flow_buy_rate_s60", "1/s", "s60", 62, "buying trades a second", NO_WINDOW),
    [F_BUY_RATE_S300] =
        SECONDS_ROW("flow_buy_rate_s300", "1/s", "s300", 302, "buying trades a second", NO_WINDOW),
    [F_SELL_RATE_S60] =
        SECONDS_ROW("flow_sell_rate_s60", "1/s", "s60", 62, "selling trades a second", NO_WINDOW),
    [F_SELL_RATE_S300] = SECONDS_ROW(
        "flow_sell_rate_s300", "1/s", "s300", 302, "selling trades a second", NO_WINDOW),
    [F_IMBALANCE_S60] =
        SECONDS_ROW("flow_imbalance_s60", "1", "s60", 62, "signed volume / volume", NO_TRADES),
    [F_IMBALANCE_S300] =
        SECONDS_ROW("flow_imbalance_s300", "1", "s300", 302, "signed volume / volume", NO_TRADES),
    [F_CVD_S60] = SECONDS_ROW(
        "flow_cvd_s60", "base", "s60", 62, "cumulative volume delta over 60 s", NO_WINDOW),
    [F_CVD_S300] = SECONDS_ROW(
        "flow_cvd_s300", "base", "s300", 302, "cumulative volume delta over 300 s", NO_WINDOW),
    [F_CVD_H1] = HOURS_ROW(
        "flow_cvd_h1", "base", "h1", 3660, "cumulative volume delta over 60 minutes", NO_TAKER),
    [F_CVD_H6] = HOURS_ROW("flow_cvd_h6", "base", "h6", 21660,
        "cumulative volume delta over 360 minutes (factor F v2 of S2)", NO_TAKER),
    [F_CVD_SLOPE_B20] = TAKER_ROW("flow_cvd_slope_b20", "base/bucket", "b20", 21,
        "least-squares slope of cumulative signed volume over bucket number", NO_TAKER),
    [F_CVD_SLOPE_B60] = TAKER_ROW("flow_cvd_slope_b60", "base/bucket", "b60", 61,
        "least-squares slope of cumulative signed volume over bucket number", NO_TAKER),
    [F_SIZE_MEAN_B1] =
        TRADE_ROW("flow_size_mean_b1", "base", "b1", 1, SUM_SRC, "mean trade size", NO_TRADES),
    [F_SIZE_MEAN_B20] =
        TRADE_ROW("flow_size_mean_b20", "base", "b20", 21, SUM_SRC, "mean trade size", NO_TRADES),
    [F_SIZE_STD_B20] = TRADE_ROW("flow_size_std_b20", "base", "b20", 21, SUM_SRC,
        "population standard deviation of trade size", NO_TRADES),
    [F_SIZE_SKEW_B20] = TRADE_ROW("flow_size_skew_b20", "1", "b20", 21,
        "third standardised moment (Fisher-Pearson g1)", "m3 / m2^1.5 of trade size",
        "before the window is full; no trade; all sizes equal"),
    [F_SIZE_MAX_B1] =
        TRADE_ROW("flow_size_max_b1", "base", "b1", 1, SUM_SRC, "largest trade", NO_TRADES),
    [F_SIZE_MAX_B20] =
        TRADE_ROW("flow_size_max_b20", "base", "b20", 21, SUM_SRC, "largest trade", NO_TRADES),
    [F_LARGE_BUYS_B1] = TRADE_ROW("flow_large_buys_b1", "trades", "b1", 1, SUM_SRC,
        "buys of at least 10,000 quote units", NO_WINDOW),
    [F_LARGE_SELLS_B1] = TRADE_ROW("flow_large_sells_b1", "trades", "b1", 1, SUM_SRC,
        "sells of at least 10,000 quote units", NO_WINDOW),
    [F_LARGE_BUYS_B20] = TRADE_ROW("flow_large_buys_b20", "trades", "b20", 21, SUM_SRC,
        "buys of at least 10,000 quote units", NO_WINDOW),
    [F_LARGE_SELLS_B20] = TRADE_ROW("flow_large_sells_b20", "trades", "b20", 21, SUM_SRC,
        "sells of at least 10,000 quote units", NO_WINDOW),
    [F_LARGE_SHARE_B20] = TRADE_ROW("flow_large_share_b20", "1", "b20", 21, SUM_SRC,
        "part of the volume in trades of at least 10,000 quote units", NO_TRADES),
    [F_RUN_E100] = EVENTS_ROW("flow_run_length_e100", "trades", "e100", 100,
        "trades in the current run of one side, at most 100; positive for buys",
        "before 100 trades"),
    [F_PERSISTENCE_E100] = EVENTS_ROW("flow_persistence_e100", "1", "e100", 101,
        "part of the last 100 trades on the side of the trade before", "before 101 trades"),
    [F_GAP_MEAN_B20] = TRADE_ROW("flow_gap_mean_b20_s", "s", "b20", 81, SUM_SRC,
        "mean time between trades (gaps over 60 s left out)", NO_TRADES),
    [F_GAP_CV_B20] = TRADE_ROW("flow_gap_cv_b20", "1", "b20", 81, SUM_SRC,
        "standard deviation / mean of the time between trades (gaps over 60 s left out)",
        "before the window is full; no two trades; mean 0"),
    [F_VOLUME_BURST] = BARS_ROW("flow_volume_burst_b20", "1", "b20", 21,
        "volume of the bucket / mean volume of 20 buckets", "before 20 buckets; no volume"),
};

/* Sums over the trades of the open bucket, sizes in quantity units, gaps in seconds. */
struct flow_open {
    double count, size, size2, size3, size_max;
    double gaps, gap, gap2;
    double large_buys, large_sells, large_size;
};
enum { OPEN_FIELDS = sizeof(struct flow_open) / sizeof(double) };

struct flow_state {
    struct flow_open open;
    int64_t last_ns;
    int64_t trades; /* since the start, stops at RUN_MAX + 1 */
    int64_t run;
    uint8_t same[RUN_MAX]; /* ring: the trade was on the side of the one before */
    int64_t same_at, same_count;
    uint8_t last_buy;
    uint8_t pad[7];
    struct bins seconds, minutes;
    struct series volume, signed_volume, value, quote, count, buys;
    struct series trade[OPEN_FIELDS]; /* struct flow_open of past buckets, field by field */
};

enum second_field { SEC_VOLUME, SEC_SIGNED, SEC_BUYS, SEC_SELLS };

static size_t flow_state_size(void) { return sizeof(struct flow_state); }

static void flow_run(struct flow_state *s, bool buy) {
    uint8_t same = s->trades > 0 && s->last_buy == (uint8_t)buy;
    s->same_count += same - s->same[s->same_at];
    s->same[s->same_at] = same;
    s->same_at = (s->same_at + 1) % RUN_MAX;
    if (!same) s->run = 0;
    if (s->run < RUN_MAX) s->run++;
    if (s->trades <= RUN_MAX) s->trades++;
    s->last_buy = buy;
}

static void flow_size(struct flow_open *o, const struct feature_ctx *ctx, const struct event *ev) {
    double q = (double)ev->qty.lots;
    o->count += 1.0;
    o->size += q;
    o->size2 += q * q;
    o->size3 += q * q * q;
    if (q > o->size_max) o->size_max = q;
    double px = instrument_px(ctx->inst, ev->px);
    if (quote_value(ctx->inst, px, q * ctx->qty_unit) < LARGE_QUOTE) return;
    o->large_size += q;
    if (ev->flags & EVF_BUY)
        o->large_buys += 1.0;
    else
        o->large_sells += 1.0;
}

static void flow_gap(struct flow_state *s, int64_t now) {
    int64_t ns = now - s->last_ns;
    if (s->last_ns != 0 && ns >= 0 && ns <= GAP_MAX_NS) {
        double gap = (double)ns / 1e9;
        s->open.gaps += 1.0;
        s->open.gap += gap;
        s->open.gap2 += gap * gap;
    }
    s->last_ns = now;
}

static void flow_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct flow_state *s = state;
    (void)change;
    if (!is_market_trade(ev)) return;
    bool buy = ev->flags & EVF_BUY;
    int64_t q = ev->qty.lots;
    bins_roll(&s->seconds, ev->ts_local.ns, NS_PER_S);
    bins_add(&s->seconds, SEC_VOLUME, q);
    bins_add(&s->seconds, SEC_SIGNED, buy ? q : -q);
    bins_add(&s->seconds, buy ? SEC_BUYS : SEC_SELLS, 1);
    bins_roll(&s->minutes, ev->ts_local.ns, 60 * NS_PER_S);
    bins_add(&s->minutes, SEC_SIGNED, buy ? q : -q);
    flow_run(s, buy);
    flow_size(&s->open, ctx, ev);
    flow_gap(s, ev->ts_local.ns);
}

static void flow_buckets(const struct flow_state *s, const struct feature_ctx *ctx,
    const struct feature_view *view, double *out) {
    for (size_t i = 0; i < 4; i++) {
        double volume = series_sum(&s->volume, windows[i]);
        double net = series_sum(&s->signed_volume, windows[i]);
        double vwap = vwap_of(ctx, series_sum(&s->value, windows[i]), volume);
        out[F_VOLUME + i] = volume * ctx->qty_unit;
        out[F_SIGNED + i] = net * ctx->qty_unit;
        out[F_IMBALANCE + i] = ratio_of(net, volume);
        out[F_COUNT + i] = series_sum(&s->count, windows[i]);
        out[F_VWAP_DEV + i] = bps_of(view->px, vwap);
    }
    out[F_VALUE_B1] = series_sum(&s->quote, 1);
    out[F_VALUE_B20] = series_sum(&s->quote, 20);
    double n5 = series_sum(&s->count, 5), n20 = series_sum(&s->count, 20);
    out[F_COUNT_IMBALANCE_B5] = ratio_of(2.0 * series_sum(&s->buys, 5) - n5, n5);
    out[F_COUNT_IMBALANCE_B20] = ratio_of(2.0 * series_sum(&s->buys, 20) - n20, n20);
    out[F_VOLUME_BURST] = ratio_of(series_lag(&s->volume, 0), series_mean(&s->volume, 20));
}

static void flow_times(const struct flow_state *s, double qty_unit, double *out) {
    static const size_t w[2] = {60, 300};
    for (size_t i = 0; i < 2; i++) {
        double seconds = (double)w[i], buys = bins_sum(&s->seconds, SEC_BUYS, w[i]);
        double sells = bins_sum(&s->seconds, SEC_SELLS, w[i]);
        double net = bins_sum(&s->seconds, SEC_SIGNED, w[i]);
        out[F_INTENSITY_S60 + i] = (buys + sells) / seconds;
        out[F_BUY_RATE_S60 + i] = buys / seconds;
        out[F_SELL_RATE_S60 + i] = sells / seconds;
        out[F_IMBALANCE_S60 + i] = ratio_of(net, bins_sum(&s->seconds, SEC_VOLUME, w[i]));
        out[F_CVD_S60 + i] = net * qty_unit;
    }
    out[F_CVD_H1] = bins_sum(&s->minutes, SEC_SIGNED, 60) * qty_unit;
    out[F_CVD_H6] = bins_sum(&s->minutes, SEC_SIGNED, 360) * qty_unit;
}

/* Slope of the cumulative sum, which needs no level: it starts at the window's first bucket. */
static double cvd_slope(const struct series *net, size_t w) {
    double x[SERIES_MAX], y[SERIES_MAX], sum = 0.0;
    if (!series_window(net, w, y)) return MISSING;
    for (size_t i = 0; i < w; i++) {
        x[i] = (double)i;
        sum += y[i];
        y[i] = sum;
    }
    return line_fit(x, y, w).slope;
}

static double trade_sum(const struct flow_state *s, size_t field, size_t w) {
    return series_sum(&s->trade[field / sizeof(double)], w);
}
#define TRADE_SUM(s, field, w) trade_sum(s, offsetof(struct flow_open, field), w)

static double size_max(const struct flow_state *s, size_t w) {
    double most = 0.0, x[SERIES_MAX];
    if (!series_window(&s->trade[offsetof(struct flow_open, size_max) / sizeof(double)], w, x))
        return MISSING;
    for (size_t i = 0; i < w; i++)
        if (x[i] > most) most = x[i];
    return most > 0.0 ? most : MISSING;
}

static void flow_sizes(const struct flow_state *s, double unit, double *out) {
    double n = TRADE_SUM(s, count, 20), m = ratio_of(TRADE_SUM(s, size, 20), n);
    double raw2 = ratio_of(TRADE_SUM(s, size2, 20), n), raw3 = ratio_of(TRADE_SUM(s, size3, 20), n);
    double m2 = raw2 - m * m, m3 = raw3 - 3.0 * m * raw2 + 2.0 * m * m * m;
    bool flat = m2 <= 1e-12 * m * m; /* what is left of equal sizes after rounding */
    out[F_SIZE_MEAN_B1] = ratio_of(TRADE_SUM(s, size, 1), TRADE_SUM(s, count, 1)) * unit;
    out[F_SIZE_MEAN_B20] = m * unit;
    out[F_SIZE_STD_B20] = flat ? 0.0 : sqrt(m2) * unit;
    out[F_SIZE_SKEW_B20] = flat ? MISSING : ratio_of(m3, m2 * sqrt(m2));
    out[F_SIZE_MAX_B1] = size_max(s, 1) * unit;
    out[F_SIZE_MAX_B20] = size_max(s, 20) * unit;
    out[F_LARGE_BUYS_B1] = TRADE_SUM(s, large_buys, 1);
    out[F_LARGE_SELLS_B1] = TRADE_SUM(s, large_sells, 1);
    out[F_LARGE_BUYS_B20] = TRADE_SUM(s, large_buys, 20);
    out[F_LARGE_SELLS_B20] = TRADE_SUM(s, large_sells, 20);
    out[F_LARGE_SHARE_B20] = ratio_of(TRADE_SUM(s, large_size, 20), TRADE_SUM(s, size, 20));
    double gaps = TRADE_SUM(s, gaps, 20), gap = ratio_of(TRADE_SUM(s, gap, 20), gaps);
    double spread = ratio_of(TRADE_SUM(s, gap2, 20), gaps) - gap * gap;
    out[F_GAP_MEAN_B20] = gap;
    out[F_GAP_CV_B20] = ratio_of(spread > 0.0 ? sqrt(spread) : 0.0, gap) + 0.0 * spread;
}

static void flow_push(struct flow_state *s, const struct feature_ctx *ctx, const struct bucket *b) {
    double fields[OPEN_FIELDS];
    memcpy(fields, &s->open, sizeof fields);
    for (size_t i = 0; i < OPEN_FIELDS; i++)
        series_push(&s->trade[i], b->from_kline ? MISSING : fields[i]);
    memset(&s->open, 0, sizeof s->open);
    series_push(&s->volume, (double)b->volume.lots);
    series_push(&s->signed_volume, bucket_signed(b));
    series_push(&s->value, b->value_known ? (double)bucket_value(b) : MISSING);
    series_push(&s->quote, bucket_quote(ctx, b));
    series_push(&s->count, (double)b->trades);
    series_push(&s->buys, b->from_kline ? MISSING : (double)b->buy_trades);
    bins_roll(&s->seconds, bucket_last_ns(b), NS_PER_S);
    bins_roll(&s->minutes, bucket_last_ns(b), 60 * NS_PER_S);
    if (b->from_kline && b->taker_known)
        bins_add(&s->minutes, SEC_SIGNED, 2 * b->buy_volume.lots - b->volume.lots);
}

static void flow_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct flow_state *s = state;
    flow_push(s, ctx, b);
    flow_buckets(s, ctx, view, out);
    flow_times(s, ctx->qty_unit, out);
    flow_sizes(s, ctx->qty_unit, out);
    out[F_CVD_SLOPE_B20] = cvd_slope(&s->signed_volume, 20) * ctx->qty_unit;
    out[F_CVD_SLOPE_B60] = cvd_slope(&s->signed_volume, 60) * ctx->qty_unit;
    out[F_RUN_E100] = s->trades < RUN_MAX ? MISSING : (double)(s->last_buy ? s->run : -s->run);
    out[F_PERSISTENCE_E100] = s->trades > RUN_MAX ? (double)s->same_count / RUN_MAX : MISSING;
}

const struct feature_family feature_family_flow = {
    .name = "flow",
    .defs = defs,
    .count = F_ROWS,
    .kinds = KINDS_TRADE,
    .state_size = flow_state_size,
    .on_event = flow_on_event,
    .on_bucket = flow_on_bucket,
};
