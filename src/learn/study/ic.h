/* ic.h: the information coefficient of one column against what followed, and how sure it is.
 *
 *   x[i] known at close i -> y[i] the label of row i;  ic = correlation over rows with both
 *
 * Error      the standard error takes the largest of three variances, so that doubt counts against
 *            the finding: 1/n; the product of the two memories (Bartlett 1935); Newey and West 1987
 *            on the products x y, which also sees volatility that both share. n_effective = 1 /
 *            variance, p two-sided from the normal law of ic sqrt(n_effective).
 * Band       95 % percentiles of a stationary bootstrap whose blocks are drawn once for all columns
 *            of a table (struct ic_blocks) and cost one look into prefix sums each.
 * NaN        fewer than IC_LEAST rows with both, or no variance.
 */
#ifndef FATHOM_LEARN_STUDY_IC_H
#define FATHOM_LEARN_STUDY_IC_H

#include <stddef.h>
#include <stdint.h>

enum { IC_LEAST = 30 };

struct ic_figures {
    double ic, lo, hi, p, n, n_effective;
};

/* Blocks of all repetitions over n rows. */
struct ic_blocks {
    size_t n, repeats;
    double mean_length;
    uint32_t *from, *length; /* block after block */
    size_t *first;           /* of each repetition; repeats + 1 */
};
/* Mean block length for labels that reach `span` rows ahead: the larger of Politis-White on y, the
 * cube root of n and six spans (at most a tenth of the rows). */
double ic_block_length(const double *y, size_t n, double span);
void ic_blocks_draw(
    struct ic_blocks *b, size_t n, double mean_length, size_t repeats, uint64_t seed);
void ic_blocks_fini(struct ic_blocks *b);

/* x, y: n values, NaN where missing; `span`: rows that a label reaches ahead. `blocks` of n rows,
 * NULL = no band. */
struct ic_figures ic_measure(
    const double *x, const double *y, size_t n, size_t span, const struct ic_blocks *blocks);

#endif
