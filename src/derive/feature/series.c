/* series.c: sums, moments and line fits over short windows; every order of addition is fixed. */
#include "derive/feature/feature_internal.h"

bool series_window(const struct series *s, size_t w, double *out) {
    CHECK(w > 0 && w <= SERIES_MAX);
    if (s->n < w) return false;
    for (size_t i = 0; i < w; i++) out[i] = s->v[(s->n - w + i) & SERIES_MASK];
    return true;
}

double series_sum(const struct series *s, size_t w) {
    CHECK(w > 0 && w <= SERIES_MAX);
    if (s->n < w) return MISSING;
    double sum = 0.0;
    for (size_t i = 0; i < w; i++) sum += s->v[(s->n - w + i) & SERIES_MASK];
    return sum;
}

double series_mean(const struct series *s, size_t w) { return series_sum(s, w) / (double)w; }

struct moments moments_of(const double *x, size_t n) {
    CHECK(n > 0);
    struct moments m = {0};
    for (size_t i = 0; i < n; i++) m.mean += x[i];
    m.mean /= (double)n;
    for (size_t i = 0; i < n; i++) {
        double d = x[i] - m.mean, d2 = d * d;
        m.m2 += d2;
        m.m3 += d2 * d;
        m.m4 += d2 * d2;
    }
    m.m2 /= (double)n;
    m.m3 /= (double)n;
    m.m4 /= (double)n;
    return m;
}

bool moments_flat(const struct moments *m) { return !(m->m2 > 1e-18 * m->mean * m->mean); }

double zscore_of(double x, const double *window, size_t n) {
    struct moments m = moments_of(window, n);
    return moments_flat(&m) ? MISSING : ratio_of(x - m.mean, sqrt(m.m2));
}

struct line_fit line_fit(const double *x, const double *y, size_t n) {
    CHECK(n > 1);
    struct line_fit fit = {MISSING, MISSING, MISSING};
    double mx = 0.0, my = 0.0, sxx = 0.0, sxy = 0.0, syy = 0.0;
    for (size_t i = 0; i < n; i++) {
        mx += x[i];
        my += y[i];
    }
    mx /= (double)n;
    my /= (double)n;
    for (size_t i = 0; i < n; i++) {
        double dx = x[i] - mx, dy = y[i] - my;
        sxx += dx * dx;
        sxy += dx * dy;
        syy += dy * dy;
    }
    if (!(sxx > 1e-18 * (double)n * mx * mx) || isnan(sxy)) return fit;
    fit.slope = sxy / sxx;
    fit.intercept = my - fit.slope * mx;
    if (syy > 1e-18 * (double)n * my * my) fit.r2 = sxy * sxy / (sxx * syy);
    return fit;
}
