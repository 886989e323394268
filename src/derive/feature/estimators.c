#include "derive/feature/estimators.h"

#include "derive/feature/feature_internal.h"

#define PI 3.14159265358979323846
#define LN2 0.69314718055994530942
#define SQRT_HALF 0.70710678118654752440

double bipower_variance(const double *r, size_t n) {
    if (n < 2) return MISSING;
    double sum = 0.0;
    for (size_t i = 1; i < n; i++) sum += fabs(r[i]) * fabs(r[i - 1]);
    return PI / 2.0 * ((double)n / (double)(n - 1)) * sum;
}

static double median3(double a, double b, double c) {
    double low = a < b ? a : b, high = a < b ? b : a;
    if (c < low) return low;
    return c > high ? high : c;
}

double med_rv(const double *r, size_t n) {
    if (n < 3) return MISSING;
    double sum = 0.0, all = 0.0;
    for (size_t i = 0; i < n; i++) all += r[i];
    for (size_t i = 2; i < n; i++) {
        double m = median3(fabs(r[i - 2]), fabs(r[i - 1]), fabs(r[i]));
        sum += m * m;
    }
    if (isnan(all)) return MISSING;
    double scale = PI / (6.0 - 4.0 * sqrt(3.0) + PI);
    return scale * ((double)n / (double)(n - 2)) * sum;
}

double min_rv(const double *r, size_t n) {
    if (n < 2) return MISSING;
    double sum = 0.0, all = fabs(r[0]);
    for (size_t i = 1; i < n; i++) {
        double a = fabs(r[i - 1]), b = fabs(r[i]), m = a < b ? a : b;
        sum += m * m;
        all += b;
    }
    if (isnan(all)) return MISSING;
    return PI / (PI - 2.0) * ((double)n / (double)(n - 1)) * sum;
}

double lee_mykland(const double *r, size_t n) {
    if (n < 4) return MISSING;
    double sum = 0.0;
    for (size_t i = 1; i + 1 < n; i++) sum += fabs(r[i]) * fabs(r[i - 1]);
    return ratio_of(r[n - 1], sqrt(PI / 2.0 * sum / (double)(n - 2)));
}

double lee_mykland_critical(double n, double alpha) {
    CHECK(n > 1.0 && alpha > 0.0 && alpha < 1.0);
    double root = sqrt(2.0 * dm_log(n));
    double center = root - (dm_log(PI) + dm_log(dm_log(n))) / (2.0 * root);
    return center - dm_log(-dm_log(1.0 - alpha)) / root;
}

/* E|Z|^1 of a standard normal, to the sixth power below: sqrt(2/pi)^6 = (2/pi)^3; E|Z|^6 = 15. */
double jiang_oomen(const double *px, size_t n) {
    if (n < 9) return MISSING; /* N - 7 > 0 */
    double returns = (double)(n - 1), rv = 0.0, bv = 0.0, swap = 0.0, six = 0.0, r[6] = {0};
    for (size_t i = 1; i < n; i++) {
        double simple = ratio_of(px[i] - px[i - 1], px[i - 1]);
        if (!(simple > -1.0)) return MISSING;
        double now = dm_log1p(simple), before = r[(i - 1) % 6], product = 1.0;
        r[i % 6] = now;
        rv += now * now;
        swap += 2.0 * (simple - now);
        if (i >= 2) bv += fabs(now) * fabs(before);
        if (i < 6) continue;
        for (size_t k = 0; k < 6; k++) product *= r[k];
        six += fabs(product);
    }
    double normal = 2.0 / PI;
    double omega = 15.0 / 9.0 * returns * returns * returns / (normal * normal * normal) /
                   (returns - 7.0) * six;
    return ratio_of(returns * (PI / 2.0) * bv, sqrt(omega)) * (1.0 - ratio_of(rv, swap));
}

double corwin_schultz_spread(double beta, double gamma) {
    double den = 3.0 - 2.0 * sqrt(2.0);
    double alpha = (sqrt(2.0 * beta) - sqrt(beta)) / den - sqrt(gamma / den);
    double spread = 2.0 * dm_expm1(alpha) / (1.0 + dm_exp(alpha));
    return spread < 0.0 ? 0.0 : spread;
}

double corwin_schultz(double high1, double low1, double high2, double low2) {
    double r1 = ratio_of(high1, low1), r2 = ratio_of(high2, low2);
    double both = ratio_of(high1 > high2 ? high1 : high2, low1 < low2 ? low1 : low2);
    if (!(r1 > 0.0) || !(r2 > 0.0) || !(both > 0.0)) return MISSING;
    double l1 = dm_log(r1), l2 = dm_log(r2), l = dm_log(both);
    return corwin_schultz_spread(l1 * l1 + l2 * l2, l * l);
}

double lag_covariance(const double *x, size_t n) {
    if (n < 3) return MISSING;
    double a = 0.0, b = 0.0, cov = 0.0, pairs = (double)(n - 1);
    for (size_t i = 1; i < n; i++) {
        a += x[i];
        b += x[i - 1];
    }
    a /= pairs;
    b /= pairs;
    for (size_t i = 1; i < n; i++) cov += (x[i] - a) * (x[i - 1] - b);
    return cov / (pairs - 1.0);
}

double bulk_buy_share(double change, double sigma) {
    double z = ratio_of(change, sigma);
    return isnan(z) ? MISSING : 0.5 * (1.0 + dm_erf(z * SQRT_HALF));
}

double bar_kyle(const double *change, const double *volume, const int8_t *sign, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += ratio_of(change[i], volume[i] * sign[i]);
    return ratio_of(sum, (double)n);
}

double bar_amihud(const double *log_return, const double *value, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += ratio_of(fabs(log_return[i]), value[i]);
    return ratio_of(sum, (double)n);
}

double bar_hasbrouck(const double *log_return, const double *value, const int8_t *sign, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += ratio_of(log_return[i], sqrt(value[i]) * sign[i]);
    return ratio_of(sum, (double)n);
}

double bulk_vpin(const double *buy_share, const double *volume, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += fabs(2.0 * buy_share[i] - 1.0) * volume[i];
    return n ? ratio_of(sum / (double)n, volume[n - 1]) : MISSING;
}

double parkinson(double high, double low) {
    double l = dm_log(high / low);
    return l * l / (4.0 * LN2);
}

double garman_klass(double open, double high, double low, double close) {
    double range = dm_log(high / low), move = dm_log(close / open);
    return 0.5 * range * range - (2.0 * LN2 - 1.0) * move * move;
}

double rogers_satchell(double open, double high, double low, double close) {
    return dm_log(high / close) * dm_log(high / open) + dm_log(low / close) * dm_log(low / open);
}
