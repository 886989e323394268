#include "learn/study/multiple.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "learn/study/stats.h"

static size_t tests_of(const double *p, size_t n) {
    size_t tests = 0;
    for (size_t i = 0; i < n; i++) tests += isnan(p[i]) ? 0u : 1u;
    return tests;
}

void multiple_bonferroni(const double *p, size_t n, double *out) {
    double tests = (double)tests_of(p, n);
    for (size_t i = 0; i < n; i++) out[i] = isnan(p[i]) ? NAN : fmin(1, p[i] * tests);
}

struct ranked {
    double p;
    size_t at;
};

static int by_p(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->p != y->p) return x->p < y->p ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

void multiple_benjamini_hochberg(const double *p, size_t n, double *out) {
    struct ranked *r = mem_alloc((n + 1) * sizeof *r);
    size_t tests = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = NAN;
        if (!isnan(p[i])) r[tests++] = (struct ranked){p[i], i};
    }
    qsort(r, tests, sizeof *r, by_p);
    double least = 1;
    for (size_t i = tests; i-- > 0;) {
        least = fmin(least, r[i].p * (double)tests / (double)(i + 1));
        out[r[i].at] = least;
    }
    free(r);
}

size_t multiple_count(const double *p, size_t n, double level) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += p[i] <= level; /* false for NaN */
    return count;
}

/* Means of the k columns over the drawn rows. */
static void drawn_means(const double *f, size_t n, size_t k, const uint32_t *index, double *mean) {
    for (size_t j = 0; j < k; j++) mean[j] = 0;
    for (size_t i = 0; i < n; i++) {
        const double *row = f + (size_t)index[i] * k;
        for (size_t j = 0; j < k; j++) mean[j] += row[j];
    }
    for (size_t j = 0; j < k; j++) mean[j] /= (double)n;
}

struct reality_check reality_check(
    const double *f, size_t n, size_t k, double block, size_t repeats, uint64_t seed) {
    CHECK(n > 0 && k > 0);
    struct reality_check r = {.best = 0};
    double *mean = mem_alloc(k * sizeof *mean), *drawn = mem_alloc(k * sizeof *drawn);
    uint32_t *index = mem_alloc(n * sizeof *index);
    struct dice dice = {seed};
    for (size_t i = 0; i < n; i++) index[i] = (uint32_t)i;
    drawn_means(f, n, k, index, mean);
    for (size_t j = 1; j < k; j++)
        if (mean[j] > mean[r.best]) r.best = j;
    double beyond = 1, alone = 1;
    for (size_t b = 0; b < repeats; b++) {
        double most = -INFINITY;
        dice_blocks(&dice, block, n, index);
        drawn_means(f, n, k, index, drawn);
        for (size_t j = 0; j < k; j++) most = fmax(most, drawn[j] - mean[j]);
        beyond += most >= mean[r.best];
        alone += drawn[r.best] - mean[r.best] >= mean[r.best];
    }
    r.mean = mean[r.best];
    r.p = beyond / (double)(repeats + 1);
    r.p_naive = alone / (double)(repeats + 1);
    free(mean);
    free(drawn);
    free(index);
    return r;
}
