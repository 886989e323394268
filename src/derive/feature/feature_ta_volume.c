/* feature_ta_volume.c: price together with volume, on closed bars. */
#include "derive/feature/feature_ta_internal.h"

enum { NEWEST = TA_BARS - 1 };

/* Volume x (2 close - high - low) / (high - low); nothing where the bar has no height. */
static double money_flow(const struct ta_window *w, size_t i) {
    double range = w->high[i] - w->low[i];
    if (range == 0.0) return 0.0 * w->volume[i];
    return (2.0 * w->close[i] - w->high[i] - w->low[i]) / range * w->volume[i];
}

static double slope20(const double *y) {
    double x[20];
    for (size_t i = 0; i < 20; i++) x[i] = (double)i;
    return line_fit(x, y, 20).slope;
}

static void balance(const struct ta_window *w, double mean, double *out) {
    double obv[20], sum = 0.0;
    for (size_t i = 0; i < 20; i++) {
        size_t j = TA_BARS - 20 + i;
        double change = w->close[j] - w->close[j - 1];
        sum += change > 0.0 ? w->volume[j] : change < 0.0 ? -w->volume[j] : 0.0;
        obv[i] = sum;
    }
    out[T_OBV_SLOPE] = ratio_of(slope20(obv), mean);
    out[T_OBV_DIV] = ta_place(ta_last(w->close, 20), 20, 0.0) - ta_place(obv, 20, 0.0);
}

/* The oscillator's averages begin with the first value itself. */
static void accumulation(const struct ta_window *w, double mean, double *out) {
    double ad[TA_BARS], fast[TA_BARS], slow[TA_BARS], part[20], sum = 0.0;
    for (size_t i = 0; i < TA_BARS; i++) ad[i] = sum += money_flow(w, i);
    ta_smooth(ad, 0, 1, 2.0 / 4.0, fast);
    ta_smooth(ad, 0, 1, 2.0 / 11.0, slow);
    out[T_AD_OSC] = ratio_of(fast[NEWEST] - slow[NEWEST], mean);
    sum = 0.0;
    for (size_t i = 0; i < 20; i++) part[i] = sum += money_flow(w, TA_BARS - 20 + i);
    out[T_AD_SLOPE] = ratio_of(slope20(part), mean);
    out[T_CMF] = ratio_of(sum, 20.0 * mean);
}

static double typical3(const struct ta_window *w, size_t i) {
    return w->high[i] + w->low[i] + w->close[i];
}

static void money_index(const struct ta_window *w, double *out) {
    double up = 0.0, down = 0.0;
    for (size_t i = TA_BARS - 14; i < TA_BARS; i++) {
        double now = typical3(w, i), before = typical3(w, i - 1), money = now * w->volume[i];
        up += now > before ? money : 0.0;
        down += now < before ? money : 0.0;
    }
    out[T_MFI] = 100.0 * ratio_of(up, up + down);
}

static void vwap(const struct ta_window *w, double mean, double *out) {
    double value = 0.0, square = 0.0, volume = 20.0 * mean, px = w->close[NEWEST];
    for (size_t i = TA_BARS - 20; i < TA_BARS; i++) value += typical3(w, i) / 3.0 * w->volume[i];
    double center = ratio_of(value, volume);
    for (size_t i = TA_BARS - 20; i < TA_BARS; i++) {
        double d = typical3(w, i) / 3.0 - center;
        square += d * d * w->volume[i];
    }
    double sd = sqrt(ratio_of(square, volume));
    if (sd <= 1e-9 * center) sd = 0.0;
    out[T_VWAP_DIST] = bps_of(px, center);
    out[T_VWAP_POS] = ratio_of(px - center, 2.0 * sd);
    out[T_VWAP_WIDTH] = BPS * ratio_of(4.0 * sd, center);
}

static void effort(const struct ta_window *w, double mean20, double *out) {
    double force[TA_BARS], y[TA_BARS], sum = 0.0, range = 0.0, volume = 0.0;
    force[0] = MISSING;
    for (size_t i = 1; i < TA_BARS; i++) force[i] = (w->close[i] - w->close[i - 1]) * w->volume[i];
    ta_ema(force, 1, 13, y);
    out[T_FORCE] = BPS * ratio_of(y[NEWEST], w->close[NEWEST] * mean20);
    for (size_t i = TA_BARS - 14; i < TA_BARS; i++) {
        double height = w->high[i] - w->low[i];
        double move = 0.5 * (w->high[i] + w->low[i] - w->high[i - 1] - w->low[i - 1]);
        if (w->volume[i] > 0.0) sum += move * height / w->volume[i];
        range += height;
        volume += w->volume[i];
    }
    out[T_EMV] = BPS * ratio_of(sum * volume, 14.0 * range * w->close[NEWEST]);
}

void ta_volume(const struct ta_window *w, double *out) {
    double mean = ta_sum(ta_last(w->volume, 20), 20) / 20.0;
    balance(w, mean, out);
    accumulation(w, mean, out);
    money_index(w, out);
    vwap(w, mean, out);
    effort(w, mean, out);
    out[T_VOL_RATIO] = ratio_of(w->volume[NEWEST], mean);
}
