/* stats.h: the statistics that studies are judged by: plain functions of arrays.
 *
 * Conventions  correlations divide by n; equal values share their mean rank; the area under the ROC
 *              curve counts ties as one half. NaN when a figure is not defined (no variance, one
 *              class, no rows).
 * Ownership    inputs are not changed; heap inside is freed before return.
 * Why          formulas carry their source, because libraries differ in the conventions.
 */
#ifndef FATHOM_LEARN_STUDY_STATS_H
#define FATHOM_LEARN_STUDY_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

double stats_mean(const double *x, size_t n);
double stats_sd(const double *x, size_t n); /* divides by n - 1 */
double stats_pearson(const double *x, const double *y, size_t n);
/* Mean ranks 1..n (ties share). */
void stats_ranks(const double *x, size_t n, double *rank);
/* 0-based rank among the different values; returns how many there are. */
size_t stats_dense_ranks(const double *x, size_t n, uint32_t *rank);
double stats_spearman(const double *x, const double *y, size_t n);
/* up: 1 or 0. */
double stats_auc(const double *score, const uint8_t *up, size_t n);
/* Linear between order statistics (Hyndman-Fan 7); x sorted ascending. */
double stats_quantile(const double *sorted, size_t n, double q);
void stats_sort(double *x, size_t n);

double normal_cdf(double z);
double normal_quantile(double p); /* 0 < p < 1 */

/* Mean block length that is best for the bootstrap variance of the mean (Politis and White 2004,
 * corrected by Patton, Politis and White 2009), flat-top lag window, cut at ceil(min(3 sqrt n,
 * n/3)). 1 when x has no variance or n < 8. */
struct block_length {
    double stationary, circular;
};
struct block_length stats_block_length(const double *x, size_t n);

/* Wilson's 95 % band of a share. */
void stats_wilson(double hits, double n, double *lo, double *hi);

/* SplitMix64 (Steele, Lea, Flood 2014): eight bytes of state. */
struct dice {
    uint64_t state;
};
uint64_t dice_next(struct dice *d);
double dice_uniform(struct dice *d);         /* [0, 1) */
size_t dice_below(struct dice *d, size_t n); /* 0..n-1 */
/* n row numbers of a stationary bootstrap (Politis and Romano 1994): blocks of geometric length
 * with the given mean, wrapping around. */
void dice_blocks(struct dice *d, double mean_length, size_t n, uint32_t *index);
void dice_shuffle(struct dice *d, uint32_t *x, size_t n);

#endif
