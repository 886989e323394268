/* Indicators again: recursive ones from the first price on. */
#include "feature_laws/world.h"

static double high_at(const struct world *w, size_t k) {
    const struct bucket *b = &w->bucket[k].b;
    double px = b_px(w, k);
    return b->close.ticks && !isnan(px) ? fmax(px, instrument_px(&w->inst, b->high)) : px;
}
static double low_at(const struct world *w, size_t k) {
    const struct bucket *b = &w->bucket[k].b;
    double px = b_px(w, k);
    return b->close.ticks && !isnan(px) ? fmin(px, instrument_px(&w->inst, b->low)) : px;
}
static double typical_at(const struct world *w, size_t k) {
    return (high_at(w, k) + low_at(w, k) + b_px(w, k)) / 3.0;
}

static double sma(const struct world *w, size_t k, int n) {
    return 1e4 * (b_px(w, k) / (over(w, k, n, b_px) / n) - 1.0);
}
/* Exponential average of the prices so far (missing ones left out). */
static double ema(const struct world *w, size_t k, int n) {
    double value = NAN;
    for (size_t i = 0; i <= k; i++) {
        double x = b_px(w, i);
        if (isnan(x)) continue;
        value = isnan(value) ? x : value + 2.0 / (n + 1.0) * (x - value);
    }
    return value;
}
static double ema_dist(const struct world *w, size_t k, int n) {
    return 1e4 * (b_px(w, k) / ema(w, k, n) - 1.0);
}
/* MACD and its signal line in one pass. */
static void macd_both(const struct world *w, size_t k, double *macd, double *signal) {
    double fast = NAN, slow = NAN;
    *macd = *signal = NAN;
    for (size_t i = 0; i <= k; i++) {
        double x = b_px(w, i);
        if (isnan(x)) continue;
        fast = isnan(fast) ? x : fast + 2.0 / 13.0 * (x - fast);
        slow = isnan(slow) ? x : slow + 2.0 / 27.0 * (x - slow);
        *macd = 1e4 * (fast - slow) / x;
        *signal = isnan(*signal) ? *macd : *signal + 0.2 * (*macd - *signal);
    }
    if (isnan(b_px(w, k))) *macd = *signal = NAN;
}
static double macd(const struct world *w, size_t k, int which) {
    double line, signal;
    macd_both(w, k, &line, &signal);
    return which == 0 ? line : which == 1 ? signal : line - signal;
}
static double rsi(const struct world *w, size_t k, int n) {
    double gain = 0.0, loss = 0.0, before = NAN;
    for (size_t i = 0; i <= k; i++) {
        double x = b_px(w, i);
        if (isnan(x)) continue;
        double change = isnan(before) ? 0.0 : x - before;
        gain = gain * (n - 1) / n + fmax(change, 0.0) / n;
        loss = loss * (n - 1) / n + fmax(-change, 0.0) / n;
        before = x;
    }
    return isnan(b_px(w, k)) ? NAN : 100.0 * quotient(gain, gain + loss);
}
static double atr(const struct world *w, size_t k, int n) {
    double value = NAN, before = NAN;
    for (size_t i = 0; i <= k; i++) {
        if (isnan(b_px(w, i))) continue;
        double high = high_at(w, i), low = low_at(w, i), range = high - low;
        if (!isnan(before)) range = fmax(range, fmax(fabs(high - before), fabs(low - before)));
        value = isnan(value) ? range : value * (n - 1) / n + range / n;
        before = b_px(w, i);
    }
    return 1e4 * value / b_px(w, k);
}
static double channel(const struct world *w, size_t k, int n) {
    double h[64], l[64];
    if (!window(w, k, n, high_at, h) || !window(w, k, n, low_at, l)) return NAN;
    double high = h[0], low = l[0];
    for (int i = 1; i < n; i++) {
        high = fmax(high, h[i]);
        low = fmin(low, l[i]);
    }
    return quotient(b_px(w, k) - low, high - low);
}
static double stoch(const struct world *w, size_t k, int n) { return 100.0 * channel(w, k, n); }
static double stoch14(const struct world *w, size_t k) { return stoch(w, k, 14); }
static double stoch_d(const struct world *w, size_t k, int n) { return over(w, k, n, stoch14) / n; }
static double cci(const struct world *w, size_t k, int n) {
    double x[64], dev = 0.0;
    if (!window(w, k, n, typical_at, x) || sd_of(x, n) == 0.0) return NAN;
    for (int i = 0; i < n; i++) dev += fabs(x[i] - mean_of(x, n)) / n;
    return (x[n - 1] - mean_of(x, n)) / (0.015 * dev);
}
static double boll_z(const struct world *w, size_t k, int n) {
    double x[64];
    if (!window(w, k, n, b_px, x)) return NAN;
    return quotient(x[n - 1] - mean_of(x, n), 2.0 * sd_of(x, n));
}
static double boll_width(const struct world *w, size_t k, int n) {
    double x[64];
    return window(w, k, n, b_px, x) ? 1e4 * 4.0 * sd_of(x, n) / mean_of(x, n) : NAN;
}
static double roc(const struct world *w, size_t k, int n) {
    return k < (size_t)n ? NAN : 1e4 * (b_px(w, k) / b_px(w, k - (size_t)n) - 1.0);
}
static double mfi(const struct world *w, size_t k, int n) {
    double up = 0.0, down = 0.0;
    if (k < (size_t)n) return NAN;
    for (size_t i = k + 1 - (size_t)n; i <= k; i++) {
        double now = typical_at(w, i), before = typical_at(w, i - 1);
        if (isnan(now) || isnan(before)) return NAN;
        double money = now * b_volume(w, i);
        up += now > before + 1e-9 ? money : 0.0;
        down += now < before - 1e-9 ? money : 0.0;
    }
    return 100.0 * quotient(up, up + down);
}
static double cmf(const struct world *w, size_t k, int n) {
    double flow = 0.0;
    if (k + 1 < (size_t)n) return NAN;
    for (size_t i = k + 1 - (size_t)n; i <= k; i++) {
        double high = high_at(w, i), low = low_at(w, i), px = b_px(w, i);
        if (isnan(px)) return NAN;
        if (high > low) flow += (2.0 * px - high - low) / (high - low) * b_volume(w, i);
    }
    return quotient(flow, over(w, k, n, b_volume));
}

const struct naive_row naive_ta[] = {
    {"ta_sma_dist_b20", sma, 20},
    {"ta_sma_dist_b60", sma, 60},
    {"ta_ema_dist_b12", ema_dist, 12},
    {"ta_ema_dist_b26", ema_dist, 26},
    {"ta_macd_b26", macd, 0},
    {"ta_macd_signal_b26", macd, 1},
    {"ta_macd_hist_b26", macd, 2},
    {"ta_rsi_b14", rsi, 14},
    {"ta_stoch_k_b14", stoch, 14},
    {"ta_stoch_d_b14", stoch_d, 3},
    {"ta_cci_b20", cci, 20},
    {"ta_atr_b14", atr, 14},
    {"ta_bollinger_position_b20", boll_z, 20},
    {"ta_bollinger_width_b20", boll_width, 20},
    {"ta_donchian_position_b20", channel, 20},
    {"ta_roc_b10", roc, 10},
    {"ta_mfi_b14", mfi, 14},
    {"ta_cmf_b20", cmf, 20},
    {0},
};
