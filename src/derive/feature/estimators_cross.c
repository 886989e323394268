/* estimators_cross.c: regressions by the sweep operator over one matrix of cross products.
 *
 * All regressors are lags of two series, so the products of lags i and j are those of lags i-1 and
 * j-1 but for one row at each end: only products with lag 0 are added up over all rows (a third of
 * the time of adding up all of them, measured with 5 lags).
 *
 * Sweeping a pivot out of the symmetric matrix of cross products leaves those of the residuals of
 * all other variables on it (Goodnight 1979). What is small beside the pivot's own sum of squares
 * is rounding: that variable depends on those swept before.
 */
#include "derive/feature/estimators_cross.h"

#include <string.h>

#include "derive/feature/feature_internal.h"

enum { VARIABLES_MAX = 2 * CROSS_LAGS_MAX + 4 };
#define DEPENDENT 1e-12

struct products {
    size_t n; /* variables */
    double of[VARIABLES_MAX][VARIABLES_MAX];
    double own[VARIABLES_MAX]; /* the diagonal before any sweep */
};

/* ---- products of lagged series ---- */

/* Two series, or (rises) their differences x[t] - x[t-1], and up to two columns beside them. */
struct lagged {
    const double *x[2];
    bool rises;
    size_t first, n, lags; /* rows first..n-1 */
    enum { BESIDE_ONE, BESIDE_GAP, BESIDE_LEVELS } beside;
    double mean; /* of the gap */
};

static inline double value_at(const struct lagged *l, int s, size_t t) {
    return l->rises ? l->x[s][t] - l->x[s][t - 1] : l->x[s][t];
}

/* Column k beside the series in row t. */
static inline double beside_at(const struct lagged *l, int k, size_t t) {
    if (l->beside == BESIDE_ONE) return k ? 0.0 : 1.0;
    if (l->beside == BESIDE_LEVELS) return l->x[k][t - 1];
    return k ? 0.0 : l->x[0][t - 1] - l->x[1][t - 1] - l->mean;
}

enum { LAG_VALUES = CROSS_LAGS_MAX + 1 };
struct lag_products {
    double xx[2][LAG_VALUES][2][LAG_VALUES]; /* series, lag; series, lag */
    double bx[2][2][LAG_VALUES];             /* column beside; series, lag */
    double bb[2][2];
};

/* Products of lag 0 and of the columns beside with lag j. */
static void lag_row(const struct lagged *l, size_t j, struct lag_products *p) {
    double s00 = 0.0, s01 = 0.0, s10 = 0.0, s11 = 0.0, b00 = 0.0, b01 = 0.0, b10 = 0.0, b11 = 0.0;
    for (size_t t = l->first; t < l->n; t++) {
        double a = value_at(l, 0, t), b = value_at(l, 1, t);
        double c = value_at(l, 0, t - j), d = value_at(l, 1, t - j);
        double e = beside_at(l, 0, t), f = beside_at(l, 1, t);
        s00 += a * c;
        s01 += a * d;
        s10 += b * c;
        s11 += b * d;
        b00 += e * c;
        b01 += e * d;
        b10 += f * c;
        b11 += f * d;
    }
    p->xx[0][0][0][j] = p->xx[0][j][0][0] = s00;
    p->xx[0][0][1][j] = p->xx[1][j][0][0] = s01;
    p->xx[1][0][0][j] = p->xx[0][j][1][0] = s10;
    p->xx[1][0][1][j] = p->xx[1][j][1][0] = s11;
    p->bx[0][0][j] = b00;
    p->bx[0][1][j] = b01;
    p->bx[1][0][j] = b10;
    p->bx[1][1][j] = b11;
}

static void lag_products(const struct lagged *l, struct lag_products *p) {
    memset(p, 0, sizeof *p);
    for (size_t j = 0; j <= l->lags; j++) lag_row(l, j, p);
    for (int s = 0; s < 4; s++) {
        int a = s / 2, b = s % 2;
        for (size_t i = 1; i <= l->lags; i++)
            for (size_t j = 1; j <= l->lags; j++)
                p->xx[a][i][b][j] = p->xx[a][i - 1][b][j - 1] +
                                    value_at(l, a, l->first - i) * value_at(l, b, l->first - j) -
                                    value_at(l, a, l->n - i) * value_at(l, b, l->n - j);
    }
    for (size_t t = l->first; t < l->n; t++) {
        double e = beside_at(l, 0, t), f = beside_at(l, 1, t);
        p->bb[0][0] += e * e;
        p->bb[0][1] += e * f;
        p->bb[1][1] += f * f;
    }
    p->bb[1][0] = p->bb[0][1];
}

/* A variable of a regression: a lag of a series, or (series < 0) a column beside. */
struct variable {
    int series;
    size_t lag; /* the column's number */
};

static double product_of(
    const struct lag_products *p, const struct variable *a, const struct variable *b) {
    if (a->series < 0 && b->series < 0) return p->bb[a->lag][b->lag];
    if (a->series < 0) return p->bx[a->lag][b->series][b->lag];
    if (b->series < 0) return p->bx[b->lag][a->series][a->lag];
    return p->xx[a->series][a->lag][b->series][b->lag];
}

static void products_of(struct products *m, const struct lagged *l, const struct variable *v) {
    struct lag_products p;
    lag_products(l, &p);
    for (size_t i = 0; i < m->n; i++)
        for (size_t j = 0; j < m->n; j++) m->of[i][j] = product_of(&p, &v[i], &v[j]);
    for (size_t i = 0; i < m->n; i++) m->own[i] = m->of[i][i];
}

/* ---- regressions ---- */

static bool products_sweep(struct products *m, size_t k) {
    double pivot = m->of[k][k];
    if (!(pivot > DEPENDENT * m->own[k])) return false;
    for (size_t i = 0; i < m->n; i++) {
        double part = m->of[i][k] / pivot;
        if (i == k) continue;
        for (size_t j = 0; j < m->n; j++)
            if (j != k) m->of[i][j] -= part * m->of[k][j];
    }
    for (size_t i = 0; i < m->n; i++) m->of[i][k] = m->of[k][i] = 0.0;
    return true;
}

static bool sweep_range(struct products *m, size_t from, size_t to) {
    bool good = true;
    for (size_t k = from; k < to && good; k++) good = products_sweep(m, k);
    return good;
}

/* ---- Fisher's distribution ---- */

/* Lanczos, g = 7, nine terms: 1e-15 relative for x > 0.5. */
static double log_gamma(double x) {
    static const double c[9] = {0.99999999999980993, 676.5203681218851, -1259.1392167224028,
        771.32342877765313, -176.61502916214059, 12.507343278686905, -0.13857109526572012,
        9.9843695780195716e-6, 1.5056327351493116e-7};
    double sum = c[0], t = x + 6.5;
    for (int i = 1; i < 9; i++) sum += c[i] / (x - 1.0 + i);
    return 0.91893853320467274178 + (x - 0.5) * dm_log(t) - t + dm_log(sum);
}

/* Continued fraction of the incomplete beta function; converges for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x) {
    const double tiny = 1e-300;
    double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int i = 1; i <= 500; i++) {
        double m = i, even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for (int k = 0; k < 2; k++) {
            double term = k ? odd : even;
            d = 1.0 + term * d;
            c = 1.0 + term / c;
            d = 1.0 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            h *= d * c;
        }
        if (fabs(d * c - 1.0) < 1e-15) break;
    }
    return h;
}

static double beta_share(double a, double b, double x) {
    if (x <= 0.0 || x >= 1.0) return x <= 0.0 ? 0.0 : 1.0;
    double front =
        dm_exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * dm_log(x) + b * dm_log1p(-x));
    if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(a, b, x) / a;
    return 1.0 - front * beta_fraction(b, a, 1.0 - x) / b;
}

double f_tail(double f, double d1, double d2) {
    if (!(f >= 0.0) || !(d1 > 0.0) || !(d2 > 0.0) || !isfinite(f)) return MISSING;
    return beta_share(0.5 * d2, 0.5 * d1, d2 / (d2 + d1 * f));
}

/* ---- Granger ---- */

bool granger_test(
    const double *cause, const double *effect, size_t n, size_t lags, struct granger *out) {
    struct products m = {.n = 2 * lags + 2};
    struct variable v[VARIABLES_MAX];
    size_t last = 2 * lags + 1; /* 0 constant, 1.. own lags, then those of the cause, effect */
    if (lags == 0 || lags > CROSS_LAGS_MAX || n < 3 * lags + 2) return false;
    struct lagged l = {
        .x = {effect, cause}, .first = lags, .n = n, .lags = lags, .beside = BESIDE_ONE};
    v[0] = (struct variable){-1, 0};
    v[last] = (struct variable){0, 0};
    for (size_t i = 1; i <= lags; i++) {
        v[i] = (struct variable){0, i};
        v[lags + i] = (struct variable){1, i};
    }
    products_of(&m, &l, v);
    if (!sweep_range(&m, 0, lags + 1)) return false;
    double before = m.of[last][last];
    if (!sweep_range(&m, lags + 1, last)) return false;
    double after = m.of[last][last], d1 = (double)lags, d2 = (double)(n - 3 * lags - 1);
    double f = ratio_of((before - after) / d1, after / d2);
    if (isnan(f) || !(after > DEPENDENT * m.own[last])) return false;
    if (f < 0.0) f = 0.0; /* rounding: the past of the cause adds nothing */
    *out = (struct granger){.f = f, .p = f_tail(f, d1, d2), .df_num = d1, .df_den = d2};
    return true;
}

/* ---- error correction ---- */

bool price_discovery_shares(struct price_discovery *d) {
    /* the common trend moves by a[2] e1 - a[1] e2, orthogonal to alpha, but for a factor */
    double w1 = d->alpha[1], w2 = -d->alpha[0];
    double all = w1 * w1 * d->s11 + 2.0 * w1 * w2 * d->s12 + w2 * w2 * d->s22;
    double first = w1 * d->s11 + w2 * d->s12;          /* of e1 with all that e2 shares with it */
    double behind = d->s11 - d->s12 * d->s12 / d->s22; /* of e1 without what e2 explains */
    double share_first = ratio_of(first * first / d->s11, all);
    double share_last = ratio_of(w1 * w1 * behind, all);
    double component = ratio_of(d->alpha[1], d->alpha[1] - d->alpha[0]);
    if (isnan(share_first) || isnan(share_last) || isnan(component)) return false;
    d->share_first = share_first;
    d->share_last = share_last;
    d->component = component;
    return true;
}

/* Residual products of (dp1, dp2, level...) on the lagged differences. Levels are p1, p2 at t-1, or
 * the gap p1 - p2 - mean. */
static bool correction_products(const double *p1, const double *p2, size_t n, size_t lags,
    size_t levels, double mean, struct products *m) {
    struct variable v[VARIABLES_MAX];
    memset(m, 0, sizeof *m);
    m->n = 2 + levels + 2 * lags;
    if (lags == 0 || lags > CROSS_LAGS_MAX || n < 4 * lags + 8) return false;
    struct lagged l = {.x = {p1, p2},
        .rises = true,
        .first = lags + 1,
        .n = n,
        .lags = lags,
        .beside = levels == 2 ? BESIDE_LEVELS : BESIDE_GAP,
        .mean = mean};
    for (int s = 0; s < 2; s++) {
        v[s] = (struct variable){s, 0};
        for (size_t i = 1; i <= lags; i++)
            v[1 + levels + (size_t)s * lags + i] = (struct variable){s, i};
    }
    for (size_t k = 0; k < levels; k++) v[2 + k] = (struct variable){-1, k};
    products_of(m, &l, v);
    return sweep_range(m, 2 + levels, m->n);
}

/* alpha and the covariance of e, given the products of dp with b = beta' p[t-1] and b's own. */
static bool correction_solve(const struct products *m, const double with[2], double own,
    double rows, struct price_discovery *d) {
    for (int i = 0; i < 2; i++) d->alpha[i] = ratio_of(with[i], own);
    if (isnan(d->alpha[0]) || isnan(d->alpha[1])) return false;
    d->s11 = (m->of[0][0] - d->alpha[0] * with[0]) / rows;
    d->s12 = (m->of[0][1] - d->alpha[0] * with[1]) / rows;
    d->s22 = (m->of[1][1] - d->alpha[1] * with[1]) / rows;
    if (!(d->s11 > DEPENDENT * m->own[0] / rows) || !(d->s22 > DEPENDENT * m->own[1] / rows))
        return false;
    return price_discovery_shares(d);
}

/* x = A^-1 b for a symmetric 2 x 2 matrix. */
static void solve2(double a, double b, double c, const double in[2], double out[2]) {
    double det = a * c - b * b;
    out[0] = (c * in[0] - b * in[1]) / det;
    out[1] = (a * in[1] - b * in[0]) / det;
}

bool price_discovery_estimate(
    const double *p1, const double *p2, size_t n, size_t lags, struct price_discovery *out) {
    struct products m;
    struct price_discovery d = {0};
    double g[2][2], with[2];
    if (!correction_products(p1, p2, n, lags, 2, 0.0, &m)) return false;
    /* the largest root of |x S11 - S10 S00^-1 S01| and its vector */
    for (int k = 0; k < 2; k++) {
        double s0k[2] = {m.of[0][2 + k], m.of[1][2 + k]}, x[2], y[2], column[2];
        solve2(m.of[0][0], m.of[0][1], m.of[1][1], s0k, x);
        for (int i = 0; i < 2; i++) y[i] = m.of[2 + i][0] * x[0] + m.of[2 + i][1] * x[1];
        solve2(m.of[2][2], m.of[2][3], m.of[3][3], y, column);
        for (int i = 0; i < 2; i++) g[i][k] = column[i];
    }
    double half = 0.5 * (g[0][0] + g[1][1]), det = g[0][0] * g[1][1] - g[0][1] * g[1][0];
    double root = half + sqrt(half * half > det ? half * half - det : 0.0);
    d.beta = -ratio_of(root - g[0][0], g[0][1]);
    if (isnan(d.beta)) return false;
    for (int i = 0; i < 2; i++) with[i] = m.of[i][2] - d.beta * m.of[i][3];
    double own = m.of[2][2] - 2.0 * d.beta * m.of[2][3] + d.beta * d.beta * m.of[3][3];
    if (!correction_solve(&m, with, own, (double)(n - lags - 1), &d)) return false;
    *out = d;
    return true;
}

bool price_discovery_given(
    const double *p1, const double *p2, size_t n, size_t lags, struct price_discovery *out) {
    struct products m;
    struct price_discovery d = {.beta = 1.0};
    if (n == 0) return false;
    for (size_t t = 0; t < n; t++) d.mean += p1[t] - p2[t];
    d.mean /= (double)n;
    if (!correction_products(p1, p2, n, lags, 1, d.mean, &m)) return false;
    double with[2] = {m.of[0][2], m.of[1][2]};
    if (!(m.of[2][2] > DEPENDENT * m.own[2])) return false;
    if (!correction_solve(&m, with, m.of[2][2], (double)(n - lags - 1), &d)) return false;
    *out = d;
    return true;
}
