/* Returns and realised variance again. */
#include <stdlib.h>

#include "feature_laws/world.h"

static double ret(const struct world *w, size_t k, int n) {
    return k < (size_t)n ? NAN : 1e4 * log(b_px(w, k) / b_px(w, k - (size_t)n));
}
/* The last close in the second `n` seconds ago, or in one of the ten before it. */
static double ret_s(const struct world *w, size_t k, int n) {
    int64_t want = last_ns(&w->bucket[k].b) / NS_PER_S - n;
    for (size_t i = k + 1; i-- > 0;) {
        int64_t second = last_ns(&w->bucket[i].b) / NS_PER_S;
        if (second > want) continue;
        return second < want - 10 ? NAN : 1e4 * log(b_px(w, k) / b_px(w, i));
    }
    return NAN;
}
static double momentum(const struct world *w, size_t k, int n) {
    double r[64];
    if (!window(w, k, n, b_ret, r)) return NAN;
    return quotient(n * mean_of(r, n), sd_of(r, n) * sqrt(n));
}
static double accel(const struct world *w, size_t k, int n) {
    return k < 2 * (size_t)n ? NAN : ret(w, k, n) - ret(w, k - (size_t)n, n);
}
static double ret_z(const struct world *w, size_t k, int n) {
    double r[64];
    if (!window(w, k, n, b_ret, r)) return NAN;
    return quotient(r[n - 1] - mean_of(r, n), sd_of(r, n));
}
static double px_z(const struct world *w, size_t k, int n) {
    double x[64];
    if (!window(w, k, n, b_px, x)) return NAN;
    return quotient(x[n - 1] - mean_of(x, n), sd_of(x, n));
}
static double standard_moment(const double *r, int n, int order) {
    double m = mean_of(r, n), sd = sd_of(r, n), sum = 0.0;
    for (int i = 0; i < n; i++) sum += pow((r[i] - m) / sd, order);
    return sd == 0.0 ? NAN : sum / n;
}
static double skew(const struct world *w, size_t k, int n) {
    double r[64];
    return window(w, k, n, b_ret, r) ? standard_moment(r, n, 3) : NAN;
}
static double kurtosis(const struct world *w, size_t k, int n) {
    double r[64];
    return window(w, k, n, b_ret, r) ? standard_moment(r, n, 4) - 3.0 : NAN;
}
static double autocorr(const struct world *w, size_t k, int n) {
    double r[64], a = 0.0, b = 0.0;
    if (!window(w, k, n, b_ret, r) || sd_of(r, n) == 0.0) return NAN;
    double m = mean_of(r, n);
    for (int i = 0; i < n; i++) b += (r[i] - m) * (r[i] - m);
    for (int i = 1; i < n; i++) a += (r[i] - m) * (r[i - 1] - m);
    return a / b;
}
static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
/* Prices of the window, sorted. */
static bool sorted(const struct world *w, size_t k, int n, double *x) {
    if (!window(w, k, n, b_px, x)) return false;
    qsort(x, (size_t)n, sizeof *x, ascending);
    return true;
}
static double drawdown(const struct world *w, size_t k, int n) {
    double x[64];
    return sorted(w, k, n, x) ? 1e4 * (b_px(w, k) / x[n - 1] - 1.0) : NAN;
}
static double drawup(const struct world *w, size_t k, int n) {
    double x[64];
    return sorted(w, k, n, x) ? 1e4 * (b_px(w, k) / x[0] - 1.0) : NAN;
}
static double range_position(const struct world *w, size_t k, int n) {
    double x[64];
    return sorted(w, k, n, x) ? quotient(b_px(w, k) - x[0], x[n - 1] - x[0]) : NAN;
}
static double up_share(const struct world *w, size_t k, int n) {
    double r[64], up = 0.0;
    if (!window(w, k, n, b_ret, r)) return NAN;
    for (int i = 0; i < n; i++) up += r[i] > 0.0;
    return up / n;
}
static double efficiency(const struct world *w, size_t k, int n) {
    double r[64], path = 0.0;
    if (!window(w, k, n, b_ret, r)) return NAN;
    for (int i = 0; i < n; i++) path += fabs(r[i]);
    return quotient(fabs(n * mean_of(r, n)), path);
}
static double trend_r2(const struct world *w, size_t k, int n) {
    double x[64], t[64];
    if (!window(w, k, n, b_px, x)) return NAN;
    for (int i = 0; i < n; i++) t[i] = i;
    return r2_of(t, x, n);
}

/* --- realised variance ----------------------------------------------------------------------- */

static double square(const struct world *w, size_t k) { return b_ret(w, k) * b_ret(w, k); }
static double var(const struct world *w, size_t k, int n) { return over(w, k, n, square); }
static double vol(const struct world *w, size_t k, int n) { return sqrt(var(w, k, n) / n); }
static double bipower(const struct world *w, size_t k, int n) {
    double r[64], sum = 0.0;
    if (!window(w, k, n, b_ret, r)) return NAN;
    for (int i = 1; i < n; i++) sum += fabs(r[i] * r[i - 1]);
    return M_PI / 2.0 * n / (n - 1.0) * sum;
}
static double medrv(const struct world *w, size_t k, int n) {
    double r[64], sum = 0.0;
    if (!window(w, k, n, b_ret, r)) return NAN;
    for (int i = 2; i < n; i++) {
        double three[3] = {fabs(r[i - 2]), fabs(r[i - 1]), fabs(r[i])};
        qsort(three, 3, sizeof three[0], ascending);
        sum += three[1] * three[1];
    }
    return M_PI / (6.0 - 4.0 * sqrt(3.0) + M_PI) * n / (n - 2.0) * sum;
}
static double minrv(const struct world *w, size_t k, int n) {
    double r[64], sum = 0.0;
    if (!window(w, k, n, b_ret, r)) return NAN;
    for (int i = 1; i < n; i++) sum += pow(fmin(fabs(r[i - 1]), fabs(r[i])), 2.0);
    return M_PI / (M_PI - 2.0) * n / (n - 1.0) * sum;
}
static double semi(const struct world *w, size_t k, int n, double side) {
    double r[64], sum = 0.0;
    if (!window(w, k, n, b_ret, r)) return NAN;
    for (int i = 0; i < n; i++) sum += r[i] * side > 0.0 ? r[i] * r[i] : 0.0;
    return sum;
}
static double semi_up(const struct world *w, size_t k, int n) { return semi(w, k, n, 1.0); }
static double semi_down(const struct world *w, size_t k, int n) { return semi(w, k, n, -1.0); }
static double semi_balance(const struct world *w, size_t k, int n) {
    double up = semi_up(w, k, n), down = semi_down(w, k, n);
    return quotient(up - down, up + down);
}
static double jump(const struct world *w, size_t k, int n) {
    double all = var(w, k, n);
    return isnan(all) ? NAN : fmax(all - bipower(w, k, n), 0.0);
}
static double jump_ratio(const struct world *w, size_t k, int n) {
    return quotient(jump(w, k, n), var(w, k, n));
}
static double lee_mykland(const struct world *w, size_t k, int n) {
    double r[64], sum = 0.0;
    if (!window(w, k, n, b_ret, r)) return NAN;
    for (int i = 1; i < n - 1; i++) sum += fabs(r[i]) * fabs(r[i - 1]);
    return quotient(r[n - 1], sqrt(M_PI / 2.0 * sum / (n - 2.0)));
}
static double lm_count(const struct world *w, size_t k, int n) {
    double c = sqrt(2.0 * log(60.0)), sum = 0.0;
    double critical = c - (log(M_PI) + log(log(60.0))) / (2.0 * c) - log(-log(0.99)) / c;
    if (k + 1 < (size_t)n) return NAN;
    for (size_t i = k + 1 - (size_t)n; i <= k; i++) {
        double l = lee_mykland(w, i, 60);
        sum += isnan(l) ? NAN : fabs(l) > critical;
    }
    return sum;
}
static double vol5(const struct world *w, size_t k) { return vol(w, k, 5); }
static double volvol(const struct world *w, size_t k, int n) {
    double x[64];
    return window(w, k, n, vol5, x) ? sd_of(x, n) : NAN;
}
static double term_ratio(const struct world *w, size_t k, int n) {
    return quotient(var(w, k, 5) / 5.0, var(w, k, n) / n);
}

/* Range estimators over the buckets with trades. */
static double ranges(const struct world *w, size_t k, int n, int which) {
    double sum = 0.0, all = 0.0;
    if (k + 1 < (size_t)n) return NAN;
    for (size_t i = k + 1 - (size_t)n; i <= k; i++) {
        const struct bucket *b = &w->bucket[i].b;
        if (b->close.ticks == 0) continue;
        double o = log((double)b->open.ticks), h = log((double)b->high.ticks);
        double l = log((double)b->low.ticks), c = log((double)b->close.ticks);
        const double form[3] = {(h - l) * (h - l) / (4.0 * log(2.0)),
            0.5 * (h - l) * (h - l) - (2.0 * log(2.0) - 1.0) * (c - o) * (c - o),
            (h - c) * (h - o) + (l - c) * (l - o)};
        sum += form[which];
        all += 1.0;
    }
    return 1e4 * sqrt(quotient(sum, all));
}
static double parkinson(const struct world *w, size_t k, int n) { return ranges(w, k, n, 0); }
static double garman_klass(const struct world *w, size_t k, int n) { return ranges(w, k, n, 1); }
static double rogers_satchell(const struct world *w, size_t k, int n) { return ranges(w, k, n, 2); }

const struct naive_row naive_ret[] = {
    {"ret_b1", ret, 1},
    {"ret_b5", ret, 5},
    {"ret_b20", ret, 20},
    {"ret_b60", ret, 60},
    {"ret_s60", ret_s, 60},
    {"ret_s300", ret_s, 300},
    {"ret_momentum_b20", momentum, 20},
    {"ret_accel_b5", accel, 5},
    {"ret_accel_b20", accel, 20},
    {"ret_z_b20", ret_z, 20},
    {"ret_z_b60", ret_z, 60},
    {"ret_price_z_b20", px_z, 20},
    {"ret_price_z_b60", px_z, 60},
    {"ret_skew_b60", skew, 60},
    {"ret_kurtosis_b60", kurtosis, 60},
    {"ret_autocorr1_b60", autocorr, 60},
    {"ret_drawdown_b60", drawdown, 60},
    {"ret_drawup_b60", drawup, 60},
    {"ret_range_position_b20", range_position, 20},
    {"ret_up_share_b20", up_share, 20},
    {"ret_efficiency_b20", efficiency, 20},
    {"ret_trend_r2_b60", trend_r2, 60},
    {"rv_var_b5", var, 5},
    {"rv_var_b20", var, 20},
    {"rv_var_b60", var, 60},
    {"rv_vol_b20", vol, 20},
    {"rv_vol_b60", vol, 60},
    {"rv_bipower_b60", bipower, 60},
    {"rv_medrv_b60", medrv, 60},
    {"rv_minrv_b60", minrv, 60},
    {"rv_semi_up_b60", semi_up, 60},
    {"rv_semi_down_b60", semi_down, 60},
    {"rv_semi_balance_b60", semi_balance, 60},
    {"rv_jump_b60", jump, 60},
    {"rv_jump_ratio_b60", jump_ratio, 60},
    {"rv_lee_mykland_b60", lee_mykland, 60},
    {"rv_lee_mykland_count_b60", lm_count, 60},
    {"rv_volvol_b20", volvol, 20},
    {"rv_term_ratio_b5_b60", term_ratio, 60},
    {"rv_parkinson_b20", parkinson, 20},
    {"rv_garman_klass_b20", garman_klass, 20},
    {"rv_rogers_satchell_b20", rogers_satchell, 20},
    {0},
};
