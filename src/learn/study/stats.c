#include "learn/study/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

double stats_mean(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return n ? sum / (double)n : NAN;
}

double stats_sd(const double *x, size_t n) {
    if (n < 2) return NAN;
    double mean = stats_mean(x, n), sum = 0;
    for (size_t i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
    return sqrt(sum / (double)(n - 1));
}

double stats_pearson(const double *x, const double *y, size_t n) {
    double mx = stats_mean(x, n), my = stats_mean(y, n), xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        double a = x[i] - mx, b = y[i] - my;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void stats_sort(double *x, size_t n) { qsort(x, n, sizeof *x, by_value); }

struct keyed {
    double x;
    uint32_t at;
};

static int by_key(const void *a, const void *b) {
    const struct keyed *p = a, *q = b;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    return (p->at > q->at) - (p->at < q->at);
}

static struct keyed *sorted_keys(const double *x, size_t n) {
    struct keyed *k = mem_alloc((n + 1) * sizeof *k);
    for (size_t i = 0; i < n; i++) k[i] = (struct keyed){x[i], (uint32_t)i};
    qsort(k, n, sizeof *k, by_key);
    return k;
}

void stats_ranks(const double *x, size_t n, double *rank) {
    struct keyed *k = sorted_keys(x, n);
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i; j < n && k[j].x == k[i].x; j++) continue;
        for (size_t t = i; t < j; t++) rank[k[t].at] = 0.5 * (double)(i + 1 + j);
    }
    free(k);
}

size_t stats_dense_ranks(const double *x, size_t n, uint32_t *rank) {
    struct keyed *k = sorted_keys(x, n);
    size_t r = 0;
    for (size_t i = 0; i < n; i++) {
        if (i && k[i].x != k[i - 1].x) r++;
        rank[k[i].at] = (uint32_t)r;
    }
    free(k);
    return n ? r + 1 : 0;
}

double stats_spearman(const double *x, const double *y, size_t n) {
    double *a = mem_alloc((n + 1) * sizeof *a), *b = mem_alloc((n + 1) * sizeof *b);
    stats_ranks(x, n, a);
    stats_ranks(y, n, b);
    double r = stats_pearson(a, b, n);
    free(a);
    free(b);
    return r;
}

double stats_auc(const double *score, const uint8_t *up, size_t n) {
    double *rank = mem_alloc((n + 1) * sizeof *rank), ranks = 0, ups = 0;
    stats_ranks(score, n, rank);
    for (size_t i = 0; i < n; i++) {
        ups += up[i];
        if (up[i]) ranks += rank[i];
    }
    free(rank);
    double downs = (double)n - ups;
    if (ups == 0 || downs == 0) return NAN;
    return (ranks - ups * (ups + 1) / 2) / (ups * downs); /* Mann and Whitney */
}

double stats_quantile(const double *sorted, size_t n, double q) {
    CHECK(q >= 0 && q <= 1);
    if (n == 0) return NAN;
    double at = q * (double)(n - 1);
    size_t lo = (size_t)at;
    if (lo + 1 >= n) return sorted[n - 1];
    return sorted[lo] + (at - (double)lo) * (sorted[lo + 1] - sorted[lo]);
}

double normal_cdf(double z) { return 0.5 * erfc(-z / sqrt(2)); }

/* Bisection to a bracket, then Newton: each step squares the error. */
double normal_quantile(double p) {
    CHECK(p > 0 && p < 1);
    double lo = -40, hi = 40;
    for (int i = 0; i < 20; i++) {
        double mid = 0.5 * (lo + hi);
        if (normal_cdf(mid) < p)
            lo = mid;
        else
            hi = mid;
    }
    double z = 0.5 * (lo + hi);
    for (int i = 0; i < 4; i++) {
        double density = exp(-0.5 * z * z) / sqrt(2 * 3.14159265358979323846);
        z -= (normal_cdf(z) - p) / density;
    }
    return z;
}

static double lagged(const double *e, size_t n, size_t lag) {
    double sum = 0;
    for (size_t i = lag; i < n; i++) sum += e[i] * e[i - lag];
    return sum;
}

/* |autocorrelation| at `lag`, each side scaled by its own sum of squares; `tail` sums run from the
 * lag's side inward. */
static double correlation(double cross, double head, double tail) {
    return head > 0 && tail > 0 ? fabs(cross) / sqrt(head * tail) : 0;
}

/* The first lag m after which `calm` correlations in a row stay below the limit; `most` if none. */
static size_t last_significant_lag(
    const double *e, size_t n, double *acv, size_t calm, size_t most) {
    double limit = 2 * sqrt(log10((double)n) / (double)n), head = 0, tail = 0;
    for (size_t i = 0; i < n; i++) head += e[i] * e[i];
    tail = head;
    size_t run = 0, found = 0;
    bool any = false;
    for (size_t lag = 0; lag <= most; lag++) {
        head -= e[lag] * e[lag]; /* sum over e[lag + 1 ..] */
        tail -= e[n - 1 - lag] * e[n - 1 - lag];
        double cross = lagged(e, n, lag);
        acv[lag] = cross / (double)n;
        if (lag >= calm && !any && run >= calm) {
            found = lag - calm;
            any = true;
        }
        run = correlation(cross, head, tail) < limit ? run + 1 : 0;
    }
    if (!any) return most;
    size_t m = 2 * (found > 1 ? found : 1);
    return m < most ? m : most;
}

struct block_length stats_block_length(const double *x, size_t n) {
    struct block_length one = {1, 1};
    if (n < 8) return one;
    size_t calm = (size_t)log10((double)n), most;
    if (calm < 5) calm = 5;
    most = (size_t)ceil(sqrt((double)n)) + calm;
    if (most + 2 >= n) return one;
    double *e = mem_alloc(n * sizeof *e), *acv = mem_alloc((most + 1) * sizeof *acv);
    double mean = stats_mean(x, n), g = 0, spectrum;
    for (size_t i = 0; i < n; i++) e[i] = x[i] - mean;
    size_t m = last_significant_lag(e, n, acv, calm, most);
    spectrum = acv[0];
    for (size_t k = 1; k <= m; k++) {
        double share = (double)k / (double)m, window = share <= 0.5 ? 1 : 2 * (1 - share);
        g += 2 * window * (double)k * acv[k];
        spectrum += 2 * window * acv[k];
    }
    bool flat = !(acv[0] > 0) || spectrum == 0;
    free(e);
    free(acv);
    if (flat) return one;
    double cap = ceil(fmin(3 * sqrt((double)n), (double)n / 3));
    double ratio = 2 * g * g / (spectrum * spectrum), root = cbrt((double)n);
    struct block_length b = {cbrt(ratio / 2) * root, cbrt(ratio * 0.75) * root};
    b.stationary = fmax(1, fmin(b.stationary, cap));
    b.circular = fmax(1, fmin(b.circular, cap));
    return b;
}

void stats_wilson(double hits, double n, double *lo, double *hi) {
    if (!(n > 0)) {
        *lo = *hi = NAN;
        return;
    }
    double z = 1.959963984540054, p = hits / n, z2 = z * z;
    double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = z * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n);
    *lo = centre - half;
    *hi = centre + half;
}

uint64_t dice_next(struct dice *d) {
    uint64_t z = d->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double dice_uniform(struct dice *d) { return (double)(dice_next(d) >> 11) * 0x1p-53; }

size_t dice_below(struct dice *d, size_t n) {
    CHECK(n > 0);
    return (size_t)(dice_uniform(d) * (double)n);
}

void dice_blocks(struct dice *d, double mean_length, size_t n, uint32_t *index) {
    CHECK(n <= UINT32_MAX);
    double fresh = mean_length > 1 ? 1 / mean_length : 1;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        bool jump = i == 0 || dice_uniform(d) < fresh;
        at = jump ? dice_below(d, n) : at + 1 < n ? at + 1 : 0;
        index[i] = (uint32_t)at;
    }
}

void dice_shuffle(struct dice *d, uint32_t *x, size_t n) {
    for (size_t i = n; i > 1; i--) {
        size_t j = dice_below(d, i);
        uint32_t t = x[i - 1];
        x[i - 1] = x[j];
        x[j] = t;
    }
}
