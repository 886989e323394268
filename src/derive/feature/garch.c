#include "derive/feature/garch.h"

#include "derive/feature/feature_internal.h"

#define LN_2PI 1.83787706640934548356

enum { PARTS = 4, ITERATIONS_MAX = 200, HALVINGS_MAX = 40 };
static const double GAIN_MIN = 1e-11; /* of the log-likelihood, relative: four digits and more */

/* Gradient of the log-likelihood and expected information, in the order mu, omega, alpha, beta. */
struct score {
    double gradient[PARTS], information[PARTS][PARTS];
};

static double mean_square(const double *r, size_t n, double mu) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += (r[i] - mu) * (r[i] - mu);
    return sum / (double)n;
}

/* Adds one return: e and h with the derivatives of h. */
static void score_add(struct score *s, double e, double h, const double dh[PARTS]) {
    double pull = 0.5 * (e * e / h - 1.0) / h;
    for (size_t j = 0; j < PARTS; j++) {
        s->gradient[j] += pull * dh[j] + (j == 0 ? e / h : 0.0);
        for (size_t k = 0; k < PARTS; k++) s->information[j][k] += 0.5 * dh[j] * dh[k] / (h * h);
    }
    s->information[0][0] += 1.0 / h;
}

/* One pass: likelihood, next variance and, if asked, the score. */
static bool walk(const double *r, size_t n, struct garch *g, struct score *s) {
    if (!(g->omega > 0.0 && g->alpha >= 0.0 && g->beta >= 0.0 && g->alpha + g->beta < 1.0))
        return false;
    double start = mean_square(r, n, g->mu), square = start, h = start, sum = 0.0, residuals = 0.0;
    for (size_t i = 0; i < n; i++) residuals += r[i] - g->mu;
    double dstart = -2.0 * residuals / (double)n, dsquare = dstart; /* by mu */
    double dh[PARTS] = {dstart, 0.0, 0.0, 0.0};
    if (s) memset(s, 0, sizeof *s);
    for (size_t i = 0; i < n; i++) {
        double own[PARTS] = {g->alpha * dsquare, 1.0, square, h};
        for (size_t j = 0; j < PARTS; j++) dh[j] = own[j] + g->beta * dh[j];
        h = g->omega + g->alpha * square + g->beta * h;
        double e = r[i] - g->mu;
        sum -= 0.5 * (LN_2PI + dm_log(h) + e * e / h);
        if (s) score_add(s, e, h, dh);
        square = e * e;
        dsquare = -2.0 * e;
    }
    g->log_likelihood = sum;
    g->next_variance = g->omega + g->alpha * square + g->beta * h;
    return isfinite(sum);
}

bool garch_filter(const double *r, size_t n, struct garch *g) {
    CHECK(n > 0);
    return walk(r, n, g, NULL);
}

/* information x step = gradient by elimination with row exchange; false if it is singular. */
static bool solve(struct score *s, double step[PARTS]) {
    for (size_t i = 0; i < PARTS; i++) {
        size_t best = i;
        for (size_t k = i + 1; k < PARTS; k++)
            if (fabs(s->information[k][i]) > fabs(s->information[best][i])) best = k;
        if (!(fabs(s->information[best][i]) > 0.0)) return false;
        for (size_t j = 0; j < PARTS; j++) {
            double swap = s->information[i][j];
            s->information[i][j] = s->information[best][j];
            s->information[best][j] = swap;
        }
        double swap = s->gradient[i];
        s->gradient[i] = s->gradient[best];
        s->gradient[best] = swap;
        for (size_t k = i + 1; k < PARTS; k++) {
            double f = s->information[k][i] / s->information[i][i];
            for (size_t j = i; j < PARTS; j++) s->information[k][j] -= f * s->information[i][j];
            s->gradient[k] -= f * s->gradient[i];
        }
    }
    for (size_t i = PARTS; i-- > 0;) {
        double x = s->gradient[i];
        for (size_t j = i + 1; j < PARTS; j++) x -= s->information[i][j] * step[j];
        step[i] = x / s->information[i][i];
    }
    return true;
}

/* The longest of the step's halves that gains; false if none does. */
static bool advance(const double *r, size_t n, struct garch *g, const double step[PARTS]) {
    double length = 1.0;
    for (int i = 0; i < HALVINGS_MAX; i++, length *= 0.5) {
        struct garch try = *g;
        try.mu += length * step[0];
        try.omega += length * step[1];
        try.alpha += length * step[2];
        try.beta += length * step[3];
        if (!walk(r, n, &try, NULL) || !(try.log_likelihood > g->log_likelihood)) continue;
        *g = try;
        return true;
    }
    return false;
}

/* How much the likelihood would still rise to second order: half of gradient x step. */
static double promise(const double gradient[PARTS], const double step[PARTS]) {
    double sum = 0.0;
    for (size_t j = 0; j < PARTS; j++) sum += gradient[j] * step[j];
    return 0.5 * sum;
}

bool garch_fit(const double *r, size_t n, struct garch *out) {
    if (n < GARCH_MIN) return false;
    struct garch g = {.alpha = 0.1, .beta = 0.8};
    for (size_t i = 0; i < n; i++) g.mu += r[i];
    g.mu /= (double)n;
    double variance = mean_square(r, n, g.mu);
    if (!(variance > 1e-18 * g.mu * g.mu) || !isfinite(variance)) return false;
    g.omega = variance * (1.0 - g.alpha - g.beta);
    for (int i = 0; i < ITERATIONS_MAX; i++) {
        struct score s;
        double step[PARTS], gradient[PARTS];
        if (!walk(r, n, &g, &s)) return false;
        memcpy(gradient, s.gradient, sizeof gradient);
        if (!solve(&s, step)) return false;
        double left = promise(gradient, step);
        if (left <= GAIN_MIN * (1.0 + fabs(g.log_likelihood)) || !advance(r, n, &g, step)) {
            /* no step gains: at the top only if nearly nothing was left to gain */
            if (!(left <= 1e-6 * (1.0 + fabs(g.log_likelihood)))) return false;
            *out = g;
            return true;
        }
    }
    return false;
}
