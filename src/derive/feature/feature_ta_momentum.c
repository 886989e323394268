/* feature_ta_momentum.c: oscillators of the close, on closed bars. */
#include "derive/feature/feature_ta_internal.h"

enum { NEWEST = TA_BARS - 1 };

static const double RSI_RANGE_MIN = 1e-9; /* equal values differ by rounding only */

static void rsi(const struct ta_window *w, double *out) {
    double y[TA_BARS];
    ta_rsi(w, y);
    out[T_RSI] = y[NEWEST];
    out[T_RSI_STOCH] = 100.0 * ta_place(ta_last(y, 14), 14, RSI_RANGE_MIN);
    out[T_RSI_DIV] =
        ta_place(ta_last(w->close, 20), 20, 0.0) - ta_place(ta_last(y, 20), 20, RSI_RANGE_MIN);
}

static void stochastic(const struct ta_window *w, double *out) {
    double k[3], high = MISSING;
    for (size_t j = 0; j < 3; j++) {
        size_t from = TA_BARS - 16 + j;
        double low = ta_min(w->low + from, 14);
        high = ta_max(w->high + from, 14);
        k[j] = 100.0 * ratio_of(w->close[from + 13] - low, high - low);
    }
    out[T_STOCH_K] = k[2];
    out[T_STOCH_D] = (k[0] + k[1] + k[2]) / 3.0;
    double range = high - ta_min(ta_last(w->low, 14), 14);
    out[T_WILLIAMS] = -100.0 * ratio_of(high - w->close[NEWEST], range);
}

/* Three times the typical price: whole numbers, and the index does not depend on the scale. */
static void cci(const struct ta_window *w, double *out) {
    double x[20], dev = 0.0;
    for (size_t i = 0; i < 20; i++) {
        size_t j = TA_BARS - 20 + i;
        x[i] = w->high[j] + w->low[j] + w->close[j];
    }
    double mean = ta_sum(x, 20) / 20.0;
    for (size_t i = 0; i < 20; i++) dev += fabs(x[i] - mean);
    out[T_CCI] = ratio_of(x[19] - mean, 0.015 * dev / 20.0);
}

static void chande(const struct ta_window *w, double *out) {
    double net = w->close[NEWEST] - w->close[NEWEST - 14], path = 0.0;
    for (size_t i = TA_BARS - 14; i < TA_BARS; i++) path += fabs(w->close[i] - w->close[i - 1]);
    out[T_CMO] = 100.0 * ratio_of(net, path);
}

static void ultimate(const struct ta_window *w, double *out) {
    double pressure = 0.0, range = 0.0, part[3] = {0};
    size_t parts = 0;
    for (size_t back = 1; back <= 28; back++) {
        size_t i = TA_BARS - back;
        double before = w->close[i - 1], high = w->high[i], low = w->low[i];
        double bottom = low < before ? low : before, top = high > before ? high : before;
        pressure += w->close[i] - bottom;
        range += top - bottom;
        if (back == 7 || back == 14 || back == 28) part[parts++] = ratio_of(pressure, range);
    }
    out[T_ULTIMATE] = 100.0 * (4.0 * part[0] + 2.0 * part[1] + part[2]) / 7.0;
}

void ta_momentum(const struct ta_window *w, double *out) {
    rsi(w, out);
    stochastic(w, out);
    cci(w, out);
    chande(w, out);
    ultimate(w, out);
    out[T_ROC] = bps_of(w->close[NEWEST], w->close[NEWEST - 10]);
}
