/* estimators_cross.h: what two series of one underlying say of each other, as pure functions over
 * arrays: Granger's test, the error-correction model, Hasbrouck's information share.
 *
 * Units      any; logarithms of prices where both should weigh alike.
 * Time       evenly spaced, oldest first, both on the same clock.
 * Missing    false, outputs untouched: too few points, a NaN, or regressors that depend on each
 *            other (a series that never moves).
 * Limits     CROSS_LAGS_MAX lags; n as the caller's array; no scratch memory beyond the stack.
 */
#ifndef FATHOM_DERIVE_FEATURE_ESTIMATORS_CROSS_H
#define FATHOM_DERIVE_FEATURE_ESTIMATORS_CROSS_H

#include <stdbool.h>
#include <stddef.h>

enum { CROSS_LAGS_MAX = 8 };

/* P(F > f) of Fisher's distribution with d1 and d2 degrees of freedom (regularised incomplete beta
 * function, Lentz's continued fraction: Press et al., Numerical Recipes, 6.4). NaN unless f >= 0
 * and d1, d2 > 0. */
double f_tail(double f, double d1, double d2);

/* Granger 1969: whether the past of `cause` adds to what the past of `effect` says of it. Least
 * squares of effect[t] on a constant and `lags` lags of itself, without and with `lags` lags of
 * cause; F of the difference of the squared residuals over n - lags rows. */
struct granger {
    double f, p;
    double df_num, df_den; /* lags, n - 3 lags - 1 */
};
bool granger_test(
    const double *cause, const double *effect, size_t n, size_t lags, struct granger *out);

/* Vector error-correction model of two prices with one common trend,
 *   dp[t] = alpha (p1[t-1] - beta p2[t-1] - mean) + sum of `lags` lagged dp + e[t],
 * and the shares in price discovery it gives. Market 1 is the first array. */
struct price_discovery {
    double beta, mean;
    double alpha[2];
    double s11, s12, s22; /* covariance of e, divided by the rows n - lags - 1 */
    /* Hasbrouck 1995: market 1's part of the variance of the common trend's innovation with market
     * 1 before and behind market 2 in the Cholesky factor: the two bounds, in no fixed order */
    double share_first, share_last;
    double component; /* Gonzalo, Granger 1995: alpha2 / (alpha2 - alpha1) of market 1 */
};
/* beta by maximum likelihood (Johansen 1991: rank 1, no constant; mean is 0). */
bool price_discovery_estimate(
    const double *p1, const double *p2, size_t n, size_t lags, struct price_discovery *out);
/* beta = 1 given (one underlying), mean = that of the difference over the array. */
bool price_discovery_given(
    const double *p1, const double *p2, size_t n, size_t lags, struct price_discovery *out);
/* The shares of alpha and s of `d`; false where the trend has no variance. */
bool price_discovery_shares(struct price_discovery *d);

#endif
