/* feature_ta_math.c: sums, extremes and averages that several indicators share. */
#include "derive/feature/feature_ta_internal.h"

double ta_sum(const double *x, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum;
}

double ta_max(const double *x, size_t n) {
    CHECK(n > 0);
    double most = x[0];
    for (size_t i = 1; i < n; i++) most = x[i] > most ? x[i] : most;
    return most;
}

double ta_min(const double *x, size_t n) {
    CHECK(n > 0);
    double least = x[0];
    for (size_t i = 1; i < n; i++) least = x[i] < least ? x[i] : least;
    return least;
}

void ta_smooth(const double *x, size_t from, size_t n, double alpha, double *y) {
    CHECK(n > 0 && from + n <= TA_BARS);
    size_t i = from + n - 1;
    y[i] = ta_sum(x + from, n) / (double)n;
    /* one product and one sum wait for the value before, not three operations */
    for (i++; i < TA_BARS; i++) y[i] = alpha * x[i] + (1.0 - alpha) * y[i - 1];
}

void ta_atr(const struct ta_window *w, size_t n, double *y) {
    double range[TA_BARS];
    range[0] = MISSING;
    for (size_t i = 1; i < TA_BARS; i++) {
        double high = w->high[i], low = w->low[i], before = w->close[i - 1];
        range[i] = (high > before ? high : before) - (low < before ? low : before);
    }
    ta_smooth(range, 1, n, 1.0 / (double)n, y);
}

void ta_rsi(const struct ta_window *w, double *y) {
    enum { SHOWN = 20 }; /* divisions are dear, and nobody looks further back */
    double gain[TA_BARS], loss[TA_BARS], up[TA_BARS], down[TA_BARS];
    gain[0] = loss[0] = MISSING;
    for (size_t i = 1; i < TA_BARS; i++) {
        double change = w->close[i] - w->close[i - 1];
        gain[i] = change < 0.0 ? 0.0 : change;
        loss[i] = change > 0.0 ? 0.0 : -change;
    }
    ta_smooth(gain, 1, 14, 1.0 / 14.0, up);
    ta_smooth(loss, 1, 14, 1.0 / 14.0, down);
    for (size_t i = TA_BARS - SHOWN; i < TA_BARS; i++)
        y[i] = 100.0 * ratio_of(up[i], up[i] + down[i]);
}

double ta_place(const double *x, size_t n, double least_range) {
    double most = ta_max(x, n), least = ta_min(x, n);
    if (isnan(ta_sum(x, n)) || !(most - least > least_range)) return MISSING;
    return (x[n - 1] - least) / (most - least);
}

void ta_compute(const struct ta_window *w, uint64_t bars, double *out) {
#define NEED(ID, WHAT, N, UNIT, BARS, ...) BARS,
    static const uint8_t need[T_COUNT] = {TA_INDICATORS(NEED)};
#undef NEED
    for (size_t i = 0; i < T_COUNT; i++) out[i] = MISSING;
    ta_trend(w, out);
    ta_momentum(w, out);
    ta_range(w, out);
    ta_volume(w, out);
    ta_levels(w, out);
    for (size_t i = 0; i < T_COUNT; i++)
        if (bars < need[i] || !isfinite(out[i])) out[i] = MISSING;
}
