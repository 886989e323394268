/* multiple.h: what many tests at once are worth (VAL3).
 *
 * Units      p-values and adjusted p-values 0..1; NaN = not tested, and not counted.
 * Sources    Bonferroni 1936; Benjamini and Hochberg 1995 (step-up, false discovery rate); White
 *            2000, "A Reality Check for Data Snooping", with the stationary bootstrap of Politis
 *            and Romano 1994.
 */
#ifndef FATHOM_LEARN_STUDY_MULTIPLE_H
#define FATHOM_LEARN_STUDY_MULTIPLE_H

#include <stddef.h>
#include <stdint.h>

/* out[i]: p times the number of tests, at most 1. */
void multiple_bonferroni(const double *p, size_t n, double *out);
/* out[i]: the least false discovery rate at which test i is a discovery. */
void multiple_benjamini_hochberg(const double *p, size_t n, double *out);
/* How many are at most `level`. */
size_t multiple_count(const double *p, size_t n, double level);

struct reality_check {
    size_t best;    /* the alternative with the largest mean */
    double mean;    /* its mean gain over the benchmark */
    double p;       /* of the best, the search counted */
    double p_naive; /* of the best, as if it had been the only one */
};
/* f: n rows x k alternatives, row by row: gain over the benchmark in each period. `block` is the
 * mean block length in rows. p = (1 + repeats in which the largest resampled gain, less its mean,
 * reaches the largest gain) / (1 + repeats). */
struct reality_check reality_check(
    const double *f, size_t n, size_t k, double block, size_t repeats, uint64_t seed);

#endif
