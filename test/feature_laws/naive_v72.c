/* The factors v7.2 again. */
#include "feature_laws/world.h"

static double bounded(double z) { return 100.0 * (1.0 - 2.0 / (exp(z) + 1.0)); } /* tanh(z / 2) */
static double log_px(const struct world *w, size_t k) { return log(b_px(w, k)); }

static double z_of(
    const struct world *w, size_t k, int n, double (*f)(const struct world *, size_t)) {
    double x[64];
    if (!window(w, k, n, f, x)) return NAN;
    return quotient(x[n - 1] - mean_of(x, n), sd_of(x, n));
}
static double trend(const struct world *w, size_t k, int n) {
    double x[64], t[64];
    if (!window(w, k, n, log_px, x)) return NAN;
    for (int i = 0; i < n; i++) t[i] = i;
    return copysign(100.0 * r2_of(t, x, n), slope_of(t, x, n));
}
static double momentum(const struct world *w, size_t k, int n) {
    double x[64];
    if (!window(w, k, n, b_ret, x)) return NAN;
    return bounded(quotient(mean_of(x, n) * sqrt(n), sd_of(x, n)));
}
static double capital(const struct world *w, size_t k, int n) {
    return 100.0 * quotient(over(w, k, n, b_signed), over(w, k, n, b_volume));
}
static double volume(const struct world *w, size_t k, int n) {
    return bounded(z_of(w, k, n, b_volume));
}
static double interest(const struct world *w, size_t k) {
    return point_at(w, w->interest, w->interests, k, 600);
}
static double interest_moved(const struct world *w, size_t k) {
    return k < 20 ? NAN : interest(w, k) / interest(w, k - 20) * 1e4 - 1e4;
}
static double interest_factor(const struct world *w, size_t k, int n) {
    return bounded(z_of(w, k, n, interest_moved));
}
static double basis(const struct world *w, size_t k) {
    const struct world_mark *m = mark_at(w, k);
    return m ? 1e4 * (b_px(w, k) - m->index) / m->index : NAN;
}
static double basis_factor(const struct world *w, size_t k, int n) {
    return bounded(z_of(w, k, n, basis));
}

/* Minutes are whole at the old end; the first minute of the stream never counts. */
static double fund_flow(const struct world *w, size_t k, int seconds) {
    const int64_t minute = 60 * NS_PER_S;
    int64_t now = last_ns(&w->bucket[k].b) / minute, from = now - seconds / 60;
    int64_t first = last_ns(&w->bucket[0].b) / minute;
    double signed_lots = 0.0, lots = 0.0, then = NAN;
    if (w->trades && w->trade[0].ns / minute < first) first = w->trade[0].ns / minute;
    if (from < first) return NAN;
    for (size_t i = 0; i < w->trades && w->trade[i].bucket <= k; i++) {
        if (w->trade[i].ns / minute <= from) continue;
        lots += (double)w->trade[i].lots;
        signed_lots += (double)(w->trade[i].buy ? w->trade[i].lots : -w->trade[i].lots);
    }
    for (size_t i = 0; i < w->interests && w->interest[i].ns / minute <= from; i++)
        if (w->interest[i].ns / minute >= from - 10) then = w->interest[i].value;
    double flow = tanh(quotient(signed_lots, lots) / 0.1);
    double opened = tanh((interest(w, k) / then - 1.0) / 0.02);
    return 100.0 * flow * (1.0 + opened) / 2.0;
}

static double true_range(const struct world *w, size_t k) {
    if (k == 0) return NAN;
    double before = b_px(w, k - 1), px = b_px(w, k), high = fmax(before, px),
           low = fmin(before, px), unit = instrument_px_unit(&w->inst);
    if (isnan(before) || isnan(px)) return NAN;
    if (w->bucket[k].b.low.ticks == 0) return high - low;
    return fmax(high, (double)w->bucket[k].b.high.ticks * unit) -
           fmin(low, (double)w->bucket[k].b.low.ticks * unit);
}
static double range(const struct world *w, size_t k, int n) {
    return over(w, k, n, true_range) / n;
}
static double square(const struct world *w, size_t k) { return b_ret(w, k) * b_ret(w, k); }
static double volatility(const struct world *w, size_t k, int n) {
    return sqrt(over(w, k, n, square) / n);
}
static double alone(const struct world *w, size_t k, int n) {
    (void)w;
    (void)k;
    (void)n;
    return NAN; /* the world holds one instrument */
}

const struct naive_row naive_v72[] = {
    {"v72_t_b60", trend, 60},
    {"v72_m_b20", momentum, 20},
    {"v72_c_b20", capital, 20},
    {"v72_v_b60", volume, 60},
    {"v72_o_b60", interest_factor, 60},
    {"v72_b_b60", basis_factor, 60},
    {"v72_f_s21600", fund_flow, 21600},
    {"v72_i_b168", alone, 168},
    {"v72_regime_b168", alone, 168},
    {"v72_atr_b14", range, 14},
    {"v72_volatility_b60", volatility, 60},
    {"v72_i_h168", alone, 168},
    {"v72_regime_h168", alone, 168},
    {0},
};
