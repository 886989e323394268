/* feature_ta_range.c: bands, volatility and the shape of the candle, on closed bars. */
#include "derive/feature/feature_ta_internal.h"

enum { NEWEST = TA_BARS - 1, STREAK_MAX = 20 };

static void bands(const struct ta_window *w, double *out) {
    double px = w->close[NEWEST], atr[TA_BARS], ema[TA_BARS];
    struct moments m = moments_of(ta_last(w->close, 20), 20);
    double sd = moments_flat(&m) ? 0.0 : sqrt(m.m2);
    out[T_BOLL_POS] = ratio_of(px - m.mean, 2.0 * sd);
    out[T_BOLL_WIDTH] = BPS * ratio_of(4.0 * sd, m.mean);
    ta_ema(w->close, 0, 20, ema);
    ta_atr(w, 10, atr);
    out[T_KELT_POS] = ratio_of(px - ema[NEWEST], 2.0 * atr[NEWEST]);
    out[T_KELT_WIDTH] = BPS * ratio_of(4.0 * atr[NEWEST], ema[NEWEST]);
    double high = ta_max(ta_last(w->high, 20), 20), low = ta_min(ta_last(w->low, 20), 20);
    out[T_DONCH_POS] = ratio_of(px - low, high - low);
    out[T_DONCH_WIDTH] = BPS * ratio_of(high - low, 0.5 * (high + low));
    ta_atr(w, 14, atr);
    out[T_NATR] = BPS * ratio_of(atr[NEWEST], px);
}

/* Persistence 0.95; the long-run variance is that of the window, so nothing is fitted. */
static double garch_vol(const struct ta_window *w) {
    double target = 0.0;
    for (size_t i = 1; i < TA_BARS; i++) target += w->ret[i] * w->ret[i];
    target /= (double)(TA_BARS - 1);
    double h = target;
    for (size_t i = 1; i < TA_BARS; i++) h = 0.05 * target + 0.1 * w->ret[i] * w->ret[i] + 0.85 * h;
    return sqrt(h);
}

static double streak(const double *c) {
    double n = 0.0;
    for (size_t i = NEWEST; i > NEWEST - STREAK_MAX; i--) {
        double way = c[i] > c[i - 1] ? 1.0 : c[i] < c[i - 1] ? -1.0 : 0.0;
        if (way == 0.0 || way * n < 0.0) break;
        n += way;
    }
    return n;
}

static void candle(const struct ta_window *w, double *out) {
    double o = w->open[NEWEST], h = w->high[NEWEST], l = w->low[NEWEST], c = w->close[NEWEST];
    out[T_BODY] = ratio_of(c - o, h - l);
    out[T_UPPER] = ratio_of(h - (o > c ? o : c), h - l);
    out[T_LOWER] = ratio_of((o < c ? o : c) - l, h - l);
    out[T_STREAK] = streak(w->close);
}

void ta_range(const struct ta_window *w, double *out) {
    bands(w, out);
    candle(w, out);
    out[T_GARCH] = garch_vol(w);
}
