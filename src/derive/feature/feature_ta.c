/* feature_ta.c: the usual indicators on bucket closes.
 *
 * Close = the reference price; high and low are those of the bucket's trades, widened to hold the
 * close (a bucket without trades is a bar of no height). Averages that never forget (EMA, Wilder)
 * start with the first price, and forget it to 1e-9 within their declared warm-up. A missing price
 * leaves them as they are and makes the value missing.
 */
#include "derive/feature/feature_internal.h"

enum ta_row {
    A_SMA20,
    A_SMA60,
    A_EMA12,
    A_EMA26,
    A_MACD,
    A_MACD_SIGNAL,
    A_MACD_HIST,
    A_RSI14,
    A_STOCH_K14,
    A_STOCH_D3,
    A_CCI20,
    A_ATR14,
    A_BOLL_Z20,
    A_BOLL_WIDTH20,
    A_DONCHIAN20,
    A_ROC10,
    A_MFI14,
    A_CMF20,
    A_ROWS
};

#define ROW(NAME, UNIT, W, WARM, SOURCE, ABOUT, GONE)                                              \
    FEATURE_ROW(NAME, UNIT, W, WARM, NEED_DEPTH, true, "FEA12", SOURCE, ABOUT, GONE)
#define LONG(NAME, UNIT, W, WARM, SOURCE, ABOUT, GONE)                                             \
    FEATURE_ROW_RECURSIVE(NAME, UNIT, W, WARM, NEED_DEPTH, true, "FEA12", SOURCE, ABOUT, GONE)
#define GONE_PX "a price in the window is missing; before it is full"
#define GONE_NOW "no price at this close"
#define APPEL "Appel 1979"
#define WILDER "Wilder 1978"

static const struct feature_def defs[A_ROWS] = {
    [A_SMA20] = ROW("ta_sma_dist_b20", "bps", "b20", 20, "simple moving average",
        "1e4 (price / mean of 20 closes - 1)", GONE_PX),
    [A_SMA60] = ROW("ta_sma_dist_b60", "bps", "b60", 60, "simple moving average",
        "1e4 (price / mean of 60 closes - 1)", GONE_PX),
    [A_EMA12] = LONG("ta_ema_dist_b12", "bps", "b12", 250, "exponential average, alpha 2/(n+1)",
        "1e4 (price / EMA of 12 - 1)", GONE_NOW),
    [A_EMA26] = LONG("ta_ema_dist_b26", "bps", "b26", 450, "exponential average, alpha 2/(n+1)",
        "1e4 (price / EMA of 26 - 1)", GONE_NOW),
    [A_MACD] = LONG(
        "ta_macd_b26", "bps", "b26", 450, APPEL, "1e4 (EMA of 12 - EMA of 26) / price", GONE_NOW),
    [A_MACD_SIGNAL] =
        LONG("ta_macd_signal_b26", "bps", "b26", 500, APPEL, "EMA of 9 of ta_macd_b26", GONE_NOW),
    [A_MACD_HIST] = LONG(
        "ta_macd_hist_b26", "bps", "b26", 500, APPEL, "ta_macd_b26 - ta_macd_signal_b26", GONE_NOW),
    [A_RSI14] = LONG("ta_rsi_b14", "1", "b14", 500, WILDER,
        "100 mean gain / (mean gain + mean loss), Wilder means of 14", GONE_NOW "; no move so far"),
    [A_STOCH_K14] = ROW("ta_stoch_k_b14", "1", "b14", 15, "Lane 1984",
        "100 (close - lowest low) / (highest high - lowest low), 14 buckets", GONE_PX "; no range"),
    [A_STOCH_D3] = ROW("ta_stoch_d_b14", "1", "b14", 18, "Lane 1984",
        "mean of 3 values of ta_stoch_k_b14", GONE_PX "; no range"),
    [A_CCI20] = ROW("ta_cci_b20", "1", "b20", 21, "Lambert 1980",
        "(typical price - mean of 20) / (0.015 mean absolute deviation)", GONE_PX "; no range"),
    [A_ATR14] = LONG("ta_atr_b14", "bps", "b14", 500, WILDER,
        "1e4 Wilder mean of 14 true ranges / price", GONE_NOW),
    [A_BOLL_Z20] = ROW("ta_bollinger_position_b20", "1", "b20", 20, "Bollinger 2001",
        "(price - mean of 20) / (2 standard deviations)", GONE_PX "; all prices equal"),
    [A_BOLL_WIDTH20] = ROW("ta_bollinger_width_b20", "bps", "b20", 20, "Bollinger 2001",
        "1e4 x 4 standard deviations / mean of 20 closes", GONE_PX),
    [A_DONCHIAN20] = ROW("ta_donchian_position_b20", "1", "b20", 21, "Donchian channel",
        "(close - lowest low) / (highest high - lowest low), 20 buckets", GONE_PX "; no range"),
    [A_ROC10] = ROW("ta_roc_b10", "bps", "b10", 11, "rate of change",
        "1e4 (price / price 10 buckets ago - 1)", GONE_PX),
    [A_MFI14] = FEATURE_ROW("ta_mfi_b14", "1", "b14", 16, NEED_DEPTH | NEED_TRADE, true, "FEA12",
        "Quong, Soudack 1989",
        "100 x volume x typical price on rises / that on rises and falls, 14 buckets",
        GONE_PX "; no volume on a move"),
    [A_CMF20] = FEATURE_ROW("ta_cmf_b20", "1", "b20", 21, NEED_DEPTH | NEED_TRADE, true, "FEA12",
        "Chaikin", "sum of volume x (2 close - high - low) / (high - low) / sum of volume",
        GONE_PX "; no volume"),
};

struct ta_state {
    uint64_t seen; /* buckets with a price */
    double ema12, ema26, signal, gain, loss, atr;
    double px_before;
    int64_t typical6_before; /* six times the typical price in price units, 0 = missing */
    struct series px, high, low, typical, stoch, money_up, money_down, volume, money_flow;
};

static size_t ta_state_size(void) { return sizeof(struct ta_state); }

static void ta_init(void *state, const struct feature_ctx *ctx) {
    struct ta_state *s = state;
    (void)ctx;
    s->px_before = MISSING;
}

static double ema_step(double before, double x, double n) {
    return before + 2.0 / (n + 1.0) * (x - before);
}

/* The averages that never forget; called with a price only. */
static void ta_recursive(struct ta_state *s, double px, double high, double low, double *out) {
    bool first = s->seen == 0;
    double change = first ? 0.0 : px - s->px_before, range = high - low;
    if (!first && fabs(high - s->px_before) > range) range = fabs(high - s->px_before);
    if (!first && fabs(low - s->px_before) > range) range = fabs(low - s->px_before);
    s->ema12 = first ? px : ema_step(s->ema12, px, 12.0);
    s->ema26 = first ? px : ema_step(s->ema26, px, 26.0);
    double macd = BPS * (s->ema12 - s->ema26) / px;
    s->signal = first ? macd : ema_step(s->signal, macd, 9.0);
    s->gain += ((change > 0.0 ? change : 0.0) - s->gain) / 14.0;
    s->loss += ((change < 0.0 ? -change : 0.0) - s->loss) / 14.0;
    s->atr = first ? range : s->atr + (range - s->atr) / 14.0;
    s->px_before = px;
    s->seen++;
    out[A_EMA12] = bps_of(px, s->ema12);
    out[A_EMA26] = bps_of(px, s->ema26);
    out[A_MACD] = macd;
    out[A_MACD_SIGNAL] = s->signal;
    out[A_MACD_HIST] = macd - s->signal;
    out[A_RSI14] = 100.0 * ratio_of(s->gain, s->gain + s->loss);
    out[A_ATR14] = BPS * ratio_of(s->atr, px);
}

/* (close - lowest low) / (highest high - lowest low) of the last w buckets. */
static double channel_position(const struct ta_state *s, double px, size_t w) {
    double h[SERIES_MAX], l[SERIES_MAX], sum = 0.0;
    if (!series_window(&s->high, w, h) || !series_window(&s->low, w, l)) return MISSING;
    double high = h[0], low = l[0];
    for (size_t i = 0; i < w; i++) {
        high = h[i] > high ? h[i] : high;
        low = l[i] < low ? l[i] : low;
        sum += h[i] + l[i];
    }
    return isnan(sum) ? MISSING : ratio_of(px - low, high - low);
}

static double cci_of(const struct ta_state *s) {
    double x[SERIES_MAX], dev = 0.0;
    if (!series_window(&s->typical, 20, x)) return MISSING;
    double mean = series_mean(&s->typical, 20);
    for (size_t i = 0; i < 20; i++) dev += fabs(x[i] - mean);
    dev /= 20.0;
    return dev > 1e-14 * fabs(mean) ? ratio_of(x[19] - mean, 0.015 * dev) : MISSING;
}

static void ta_windows(struct ta_state *s, double px, double *out) {
    double x[SERIES_MAX];
    out[A_SMA20] = bps_of(px, series_mean(&s->px, 20));
    out[A_SMA60] = bps_of(px, series_mean(&s->px, 60));
    if (series_window(&s->px, 20, x)) {
        struct moments m = moments_of(x, 20);
        double sd = moments_flat(&m) ? 0.0 : sqrt(m.m2);
        out[A_BOLL_Z20] = ratio_of(px - m.mean, 2.0 * sd);
        out[A_BOLL_WIDTH20] = BPS * ratio_of(4.0 * sd, m.mean);
    }
    out[A_STOCH_K14] = 100.0 * channel_position(s, px, 14);
    series_push(&s->stoch, out[A_STOCH_K14]);
    out[A_STOCH_D3] = series_mean(&s->stoch, 3);
    out[A_DONCHIAN20] = channel_position(s, px, 20);
    out[A_CCI20] = cci_of(s);
    out[A_ROC10] = bps_of(px, series_lag(&s->px, 10));
    double up = series_sum(&s->money_up, 14), down = series_sum(&s->money_down, 14);
    out[A_MFI14] = 100.0 * ratio_of(up, up + down);
    out[A_CMF20] = ratio_of(series_sum(&s->money_flow, 20), series_sum(&s->volume, 20));
}

/* Typical price in integers: whether it rose must not hang on the last bit of a division. */
static int64_t typical6_of(const struct feature_view *view, const struct bucket *b) {
    int64_t px2 = view->px2, high2 = px2, low2 = px2;
    if (px2 != 0 && b->low.ticks > 0) {
        high2 = 2 * b->high.ticks > px2 ? 2 * b->high.ticks : px2;
        low2 = 2 * b->low.ticks < px2 ? 2 * b->low.ticks : px2;
    }
    return high2 + low2 + px2;
}

static void ta_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct ta_state *s = state;
    double px = view->px, high = px, low = px, volume = (double)b->volume.lots;
    for (size_t i = 0; i < A_ROWS; i++) out[i] = MISSING;
    if (b->low.ticks > 0 && !isnan(px)) {
        double h = instrument_px(ctx->inst, b->high), l = instrument_px(ctx->inst, b->low);
        high = h > high ? h : high;
        low = l < low ? l : low;
    }
    double typical = (high + low + px) / 3.0, money = typical * volume;
    int64_t typical6 = typical6_of(view, b);
    int64_t rise = typical6 != 0 && s->typical6_before != 0 ? typical6 - s->typical6_before : 0;
    bool known = typical6 != 0 && s->typical6_before != 0;
    series_push(&s->px, px);
    series_push(&s->high, high);
    series_push(&s->low, low);
    series_push(&s->typical, typical);
    series_push(&s->volume, volume + 0.0 * px);
    series_push(&s->money_up, !known ? MISSING : rise > 0 ? money : 0.0);
    series_push(&s->money_down, !known ? MISSING : rise < 0 ? money : 0.0);
    double place = high > low ? ((px - low) - (high - px)) / (high - low) : 0.0 * px;
    series_push(&s->money_flow, place * volume);
    s->typical6_before = typical6;
    if (!isnan(px)) ta_recursive(s, px, high, low, out);
    ta_windows(s, px, out);
}

const struct feature_family feature_family_ta = {
    .name = "ta",
    .defs = defs,
    .count = A_ROWS,
    .state_size = ta_state_size,
    .init = ta_init,
    .on_bucket = ta_on_bucket,
};
