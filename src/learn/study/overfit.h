/* overfit.h: how much of the best of many tries is luck.
 *
 * Units      profit of each sampling period in one asset, the same periods for every set; Sharpe
 *            ratios per period. A set without variance (it never traded) has Sharpe ratio 0.
 * Sources    probability of backtest overfitting by combinatorially symmetric cross-validation:
 *            Bailey, Borwein, Lopez de Prado, Zhu 2015; reality check: White 2000, studentised as
 *            in Hansen 2005 with the benchmark of doing nothing; blocks: Politis and Romano 1994;
 *            effective number of trials: the participation ratio of the eigenvalues of their
 *            correlation matrix, N^2 / (sum of squared correlations).
 * Ownership  inputs are not changed; heap inside is freed before return.
 * NaN        not measurable: fewer than two sets, too few periods.
 * Limits     the bootstrap and the correlations see at most OVERFIT_BLOCKS periods: longer series
 *            are summed in equal blocks first (a rest at the end is left out).
 */
#ifndef FATHOM_LEARN_STUDY_OVERFIT_H
#define FATHOM_LEARN_STUDY_OVERFIT_H

#include <stddef.h>
#include <stdint.h>

enum { OVERFIT_BLOCKS = 512, OVERFIT_SPANS_MAX = 16, OVERFIT_SPAN_LEAST = 4, OVERFIT_BINS = 10 };

struct profit_table {
    const double *const *set; /* set[k][t] */
    size_t sets, periods;
};

struct overfit_pbo {
    size_t spans, splits;   /* 0 = not measurable */
    double probability;     /* share of splits whose in-sample best is in the lower half outside */
    double loss;            /* share of splits whose in-sample best loses money outside */
    double inside, outside; /* mean Sharpe ratio of the in-sample best */
    uint64_t rank[OVERFIT_BINS]; /* splits by the best's relative rank outside, worst first */
};

/* spans: even, at most OVERFIT_SPANS_MAX; fewer are taken if they would be shorter than
 * OVERFIT_SPAN_LEAST periods. */
struct overfit_pbo overfit_pbo(const struct profit_table *t, size_t spans);

struct overfit_noise {
    size_t repeats;
    double best, best_sharpe; /* the largest of the sets: total profit, Sharpe ratio */
    double mean, high;        /* the same of sets without skill: expected, 95 % quantile */
    double mean_sharpe, high_sharpe;
    double p, p_sharpe; /* share of repeats whose best is at least as good */
};

/* All sets are moved to mean 0 and drawn together in blocks, so that what they have in common
 * stays in common. */
struct overfit_noise overfit_noise(const struct profit_table *t, size_t repeats, uint64_t seed);

double overfit_effective(const struct profit_table *t);

#endif
