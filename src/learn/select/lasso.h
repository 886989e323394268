/* lasso.h: the L1 path of a linear model, by coordinate descent on sums (Friedman, Hastie,
 * Tibshirani 2010, covariance updates).
 *
 *   least 1/2n |y - Z b|^2 + lambda |b|_1, lambda falling from where all b are 0
 *
 * Units      Z has columns of mean 0 and variance 1 (a missing value is 0), y has mean 0: b is in
 *            units of y a standard deviation.
 * Ownership  lasso_free releases the path.
 */
#ifndef FATHOM_LEARN_SELECT_LASSO_H
#define FATHOM_LEARN_SELECT_LASSO_H

#include <stddef.h>

enum { LASSO_STEPS = 40 };

struct lasso_path {
    size_t columns, steps;
    double lambda[LASSO_STEPS];
    double *beta; /* steps x columns */
};
/* Lambda falls by equal factors to a hundredth of the first. steps = 0 where y is constant or no
 * column has a link with it. */
void lasso_fit(
    const double *z, const double *y, size_t rows, size_t columns, struct lasso_path *out);
void lasso_free(struct lasso_path *p);
/* The step with the strongest lambda whose squared error on other rows is within one standard error
 * of the best (Breiman et al. 1984), step 0 (nothing) included. */
size_t lasso_choose(const struct lasso_path *p, const double *z, const double *y, size_t rows);

#endif
