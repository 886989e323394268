/* feature_ta_trend.c: averages and what follows a trend, on closed bars. */
#include "derive/feature/feature_ta_internal.h"

enum { NEWEST = TA_BARS - 1 };

/* Weights 1..n, the newest weighs most. */
static double wma(const double *x, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += (double)(i + 1) * x[i];
    return sum / (0.5 * (double)(n * (n + 1)));
}

static double slope_bps(const double *y) { return bps_of(y[NEWEST], y[NEWEST - 1]); }

static void averages(const struct ta_window *w, double *out) {
    const double *c = w->close;
    double px = c[NEWEST], e1[TA_BARS], e2[TA_BARS], e3[TA_BARS];
    double mean = ta_sum(ta_last(c, 20), 20), before = ta_sum(ta_last(c, 21), 20);
    out[T_SMA_DIST] = bps_of(px, mean / 20.0);
    out[T_SMA_SLOPE] = bps_of(mean, before);
    out[T_WMA_DIST] = bps_of(px, wma(ta_last(c, 20), 20));
    ta_ema(c, 0, 20, e1);
    ta_ema(e1, 19, 20, e2);
    ta_ema(e2, 38, 20, e3);
    out[T_EMA_DIST] = bps_of(px, e1[NEWEST]);
    out[T_EMA_SLOPE] = slope_bps(e1);
    out[T_DEMA_DIST] = bps_of(px, 2.0 * e1[NEWEST] - e2[NEWEST]);
    out[T_TEMA_DIST] = bps_of(px, 3.0 * (e1[NEWEST] - e2[NEWEST]) + e3[NEWEST]);
    ta_ema(c, 0, 15, e1);
    ta_ema(e1, 14, 15, e2);
    ta_ema(e2, 28, 15, e3);
    out[T_TRIX] = slope_bps(e3);
}

/* The path of 10 changes is kept as a sum of whole numbers, which stays exact. */
static void kama(const struct ta_window *w, double *out) {
    const double *c = w->close, fast = 2.0 / 3.0, slow = 2.0 / 31.0;
    double now = c[9], before = c[9], path = 0.0;
    for (size_t i = 1; i < 10; i++) path += fabs(c[i] - c[i - 1]);
    for (size_t i = 10; i < TA_BARS; i++) {
        path += fabs(c[i] - c[i - 1]);
        if (i > 10) path -= fabs(c[i - 10] - c[i - 11]);
        double efficiency = path > 0.0 ? fabs(c[i] - c[i - 10]) / path : 1.0;
        double k = efficiency * (fast - slow) + slow;
        before = now;
        now += k * k * (c[i] - now);
    }
    out[T_KAMA_DIST] = bps_of(c[NEWEST], now);
    out[T_KAMA_SLOPE] = bps_of(now, before);
}

static void hull(const struct ta_window *w, double *out) {
    double raw[5];
    for (size_t i = 0; i < 5; i++) {
        const double *end = w->close + TA_BARS - 4 + i;
        raw[i] = 2.0 * wma(end - 8, 8) - wma(end - 16, 16);
    }
    double now = wma(raw + 1, 4), before = wma(raw, 4);
    out[T_HMA_DIST] = bps_of(w->close[NEWEST], now);
    out[T_HMA_SLOPE] = bps_of(now, before);
}

/* Both averages begin at bar 25, the fast one with the mean of the 12 closes up to there. */
static void macd(const struct ta_window *w, double *out) {
    double fast[TA_BARS], slow[TA_BARS], line[TA_BARS], signal[TA_BARS];
    ta_ema(w->close, 14, 12, fast);
    ta_ema(w->close, 0, 26, slow);
    for (size_t i = 25; i < TA_BARS; i++) line[i] = fast[i] - slow[i];
    ta_ema(line, 25, 9, signal);
    double scale = BPS / w->close[NEWEST];
    out[T_MACD] = scale * line[NEWEST];
    out[T_MACD_SIGNAL] = scale * signal[NEWEST];
    out[T_MACD_HIST] = scale * (line[NEWEST] - signal[NEWEST]);
}

struct directional {
    double plus, minus, range; /* Wilder sums of 14 */
};

static void directional_step(struct directional *d, const struct ta_window *w, size_t i) {
    double rise = w->high[i] - w->high[i - 1], fall = w->low[i - 1] - w->low[i];
    double before = w->close[i - 1], high = w->high[i], low = w->low[i];
    double keep = i < 14 ? 1.0 : 1.0 - 1.0 / 14.0; /* the first 13 are summed */
    d->plus = keep * d->plus + (rise > 0.0 && rise > fall ? rise : 0.0);
    d->minus = keep * d->minus + (fall > 0.0 && fall > rise ? fall : 0.0);
    d->range = keep * d->range + (high > before ? high : before) - (low < before ? low : before);
}

static void directional(const struct ta_window *w, double *out) {
    struct directional d = {0.0, 0.0, 0.0};
    double sum = 0.0, adx = 0.0;
    for (size_t i = 1; i < TA_BARS; i++) {
        directional_step(&d, w, i);
        if (i < 14) continue;
        double both = d.plus + d.minus;
        double dx = both > 0.0 ? 100.0 * fabs(d.plus - d.minus) / both : i < 28 ? 0.0 : adx;
        if (i < 28) sum += dx;
        adx = i < 28 ? sum / 14.0 : adx + (dx - adx) / 14.0;
    }
    out[T_ADX] = d.range > 0.0 ? adx : MISSING;
    out[T_DI_PLUS] = 100.0 * ratio_of(d.plus, d.range);
    out[T_DI_MINUS] = 100.0 * ratio_of(d.minus, d.range);
}

static void aroon(const struct ta_window *w, double *out) {
    const double *h = ta_last(w->high, 26), *l = ta_last(w->low, 26);
    size_t top = 0, bottom = 0;
    for (size_t i = 1; i < 26; i++) {
        if (h[i] >= h[top]) top = i;
        if (l[i] <= l[bottom]) bottom = i;
    }
    out[T_AROON_UP] = 4.0 * (double)top;
    out[T_AROON_DOWN] = 4.0 * (double)bottom;
}

static void supertrend(const struct ta_window *w, double *out) {
    double atr[TA_BARS], over = 0.0, under = 0.0;
    bool up = false;
    ta_atr(w, 10, atr);
    for (size_t i = 10; i < TA_BARS; i++) {
        double middle = 0.5 * (w->high[i] + w->low[i]), c = w->close[i], before = w->close[i - 1];
        double upper = middle + 3.0 * atr[i], lower = middle - 3.0 * atr[i];
        bool first = i == 10;
        if (first || upper < over || before > over) over = upper;
        if (first || lower > under || before < under) under = lower;
        if (first)
            up = c >= middle;
        else
            up = up ? !(c < under) : c > over;
    }
    out[T_SUPERTREND] = bps_of(w->close[NEWEST], up ? under : over);
}

/* Prices of a fall are mirrored (sign -1), so that one rule serves both directions. */
struct parabolic {
    double sign, stop, extreme, step;
};

/* The stop of bar i; then its state for the bar after. a = low, b = high of the rising view. */
static double parabolic_step(struct parabolic *p, const struct ta_window *w, size_t i) {
    bool up = p->sign > 0.0;
    size_t j = i > 1 ? i - 1 : 1; /* the first bar is only the first stop */
    double a = up ? w->low[i] : -w->high[i], b = up ? w->high[i] : -w->low[i];
    double a1 = up ? w->low[j] : -w->high[j], b1 = up ? w->high[j] : -w->low[j];
    double shown = p->stop;
    if (a <= p->stop) { /* turns: the stop jumps to the extreme, not inside the two bars */
        shown = p->extreme > b1 ? p->extreme : b1;
        shown = shown > b ? shown : b;
        double next = shown + 0.02 * (a - shown);
        next = next > b1 ? next : b1;
        next = next > b ? next : b;
        p->stop = -next;
        p->extreme = -a;
        p->step = 0.02;
        p->sign = -p->sign;
        return up ? shown : -shown;
    }
    if (b > p->extreme) {
        p->extreme = b;
        p->step = p->step + 0.02 < 0.2 ? p->step + 0.02 : 0.2;
    }
    double next = p->stop + p->step * (p->extreme - p->stop);
    next = next < a1 ? next : a1;
    p->stop = next < a ? next : a;
    return up ? shown : -shown;
}

static void parabolic(const struct ta_window *w, double *out) {
    double rise = w->high[1] - w->high[0], fall = w->low[0] - w->low[1], stop = MISSING;
    bool up = !(fall > 0.0 && fall > rise);
    struct parabolic p = {.sign = up ? 1.0 : -1.0, .step = 0.02};
    p.stop = up ? w->low[0] : -w->high[0];
    p.extreme = up ? w->high[1] : -w->low[1];
    for (size_t i = 1; i < TA_BARS; i++) stop = parabolic_step(&p, w, i);
    out[T_PSAR] = bps_of(w->close[NEWEST], stop);
}

/* Middle of the range of the n bars before `end`. */
static double middle_of(const struct ta_window *w, size_t end, size_t n) {
    return 0.5 * (ta_max(w->high + end - n, n) + ta_min(w->low + end - n, n));
}

static void ichimoku(const struct ta_window *w, double *out) {
    double px = w->close[NEWEST];
    size_t then = TA_BARS - 26;
    out[T_TENKAN] = bps_of(px, middle_of(w, TA_BARS, 9));
    out[T_KIJUN] = bps_of(px, middle_of(w, TA_BARS, 26));
    double a = 0.5 * (middle_of(w, then, 9) + middle_of(w, then, 26)), b = middle_of(w, then, 52);
    double top = a > b ? a : b, bottom = a > b ? b : a;
    out[T_CLOUD] = px > top ? bps_of(px, top) : px < bottom ? bps_of(px, bottom) : 0.0;
}

static void strength(const struct ta_window *w, double *out) {
    static const size_t lag[5] = {1, 2, 4, 8, 16};
    const double *c = ta_last(w->close, 64);
    double x[20], k[5], size[5];
    for (size_t i = 0; i < 20; i++) x[i] = (double)i;
    struct line_fit fit = line_fit(x, ta_last(w->close, 20), 20);
    out[T_LINE_SLOPE] = BPS * ratio_of(fit.slope, ta_sum(ta_last(w->close, 20), 20) / 20.0);
    out[T_LINE_R2] = fit.r2;
    for (size_t j = 0; j < 5; j++) {
        double sum = 0.0;
        for (size_t i = lag[j]; i < 64; i++) sum += fabs(c[i] - c[i - lag[j]]);
        k[j] = dm_log((double)lag[j]);
        size[j] = sum > 0.0 ? dm_log(sum / (double)(64 - lag[j])) : MISSING;
    }
    out[T_HURST] = line_fit(k, size, 5).slope;
}

void ta_trend(const struct ta_window *w, double *out) {
    averages(w, out);
    kama(w, out);
    hull(w, out);
    macd(w, out);
    directional(w, out);
    aroon(w, out);
    supertrend(w, out);
    parabolic(w, out);
    ichimoku(w, out);
    strength(w, out);
}
