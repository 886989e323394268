#include "learn/study/drift.h"

#include <math.h>
#include <stdlib.h>

#include "learn/study/stats.h"

/* How many of the sorted values are at most `edge`. */
static size_t upto(const double *v, size_t n, double edge) {
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (v[mid] <= edge)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static double psi_term(double before, double now, double na, double nb) {
    double p = fmax(before, 0.5) / na, q = fmax(now, 0.5) / nb;
    return (q - p) * log(q / p);
}

double drift_psi(const double *a, size_t na, const double *b, size_t nb) {
    if (na < DRIFT_LEAST || nb < DRIFT_LEAST) return NAN;
    double psi = 0, edge = -INFINITY;
    size_t a_done = 0, b_done = 0;
    for (size_t k = 1; k <= DRIFT_BINS; k++) {
        double next = k < DRIFT_BINS ? a[k * na / DRIFT_BINS - 1] : INFINITY;
        if (next == edge) continue; /* equal edges: one bin */
        size_t a_to = upto(a, na, next), b_to = upto(b, nb, next);
        psi += psi_term((double)(a_to - a_done), (double)(b_to - b_done), (double)na, (double)nb);
        a_done = a_to;
        b_done = b_to;
        edge = next;
    }
    return psi;
}

/* Q(l) = 2 sum (-1)^(k-1) exp(-2 k^2 l^2). */
static double kolmogorov(double l) {
    if (l < 0.2) return 1; /* the series does not converge there; Q(0.2) > 1 - 1e-12 */
    double sum = 0, sign = 1;
    for (int k = 1; k <= 100; k++, sign = -sign) {
        double term = exp(-2.0 * k * k * l * l);
        sum += sign * term;
        if (term < 1e-16) break;
    }
    return fmin(1, fmax(0, 2 * sum));
}

struct drift_ks drift_ks(const double *a, size_t na, const double *b, size_t nb, double effective_a,
    double effective_b) {
    struct drift_ks r = {NAN, NAN};
    if (na < DRIFT_LEAST || nb < DRIFT_LEAST) return r;
    r.d = 0;
    for (size_t i = 0, j = 0; i < na && j < nb;) {
        double x = fmin(a[i], b[j]);
        while (i < na && a[i] == x) i++;
        while (j < nb && b[j] == x) j++;
        r.d = fmax(r.d, fabs((double)i / (double)na - (double)j / (double)nb));
    }
    double n = sqrt(effective_a * effective_b / (effective_a + effective_b));
    r.p = kolmogorov((n + 0.12 + 0.11 / n) * r.d);
    return r;
}

double drift_effective(const double *x, size_t n) {
    if (n < 4) return (double)n;
    double mean = stats_mean(x, n), own = 0, sum = 0;
    for (size_t i = 0; i < n; i++) own += (x[i] - mean) * (x[i] - mean);
    if (!(own > 0)) return (double)n;
    for (size_t lag = 1; lag + 1 <= n / 4; lag += 2) {
        double pair = 0;
        for (size_t i = lag; i < n; i++) pair += (x[i] - mean) * (x[i - lag] - mean);
        for (size_t i = lag + 1; i < n; i++) pair += (x[i] - mean) * (x[i - lag - 1] - mean);
        if (pair <= 0) break;
        sum += pair / own;
    }
    return fmin((double)n, fmax(1, (double)n / (1 + 2 * sum)));
}
