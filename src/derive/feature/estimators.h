/* estimators.h: the textbook estimators as pure functions over arrays.
 *
 * Used by the families and by the tests that compare them with published answers, so that what is
 * tested is what runs.
 *
 * Units      prices as given; returns as given (variance in their square).
 * Missing    NaN for too few points, a zero denominator or a NaN input.
 * Limits     n as the caller's array; no scratch memory.
 */
#ifndef FATHOM_DERIVE_FEATURE_ESTIMATORS_H
#define FATHOM_DERIVE_FEATURE_ESTIMATORS_H

#include <stddef.h>

/* Barndorff-Nielsen, Shephard 2004: pi/2 x n/(n-1) x sum |r_t||r_t-1|. */
double bipower_variance(const double *r, size_t n);
/* Andersen, Dobrev, Schaumburg 2012: pi/(6 - 4 sqrt 3 + pi) x n/(n-2) x sum med(|r|)^2. */
double med_rv(const double *r, size_t n);
/* The same paper: pi/(pi - 2) x n/(n-1) x sum min(|r_t|, |r_t-1|)^2. */
double min_rv(const double *r, size_t n);

/* Lee, Mykland 2008: last return over its local volatility, the pi/2-scaled bipower mean of the
 * returns before it. */
double lee_mykland(const double *r, size_t n);
/* C_n + S_n x beta with P(|L| > value) = alpha under no jump: C_n = sqrt(2 ln n) - (ln pi +
 * ln ln n) / (2 sqrt(2 ln n)), S_n = 1 / sqrt(2 ln n), beta = -ln(-ln(1 - alpha)). */
double lee_mykland_critical(double n, double alpha);

/* Corwin, Schultz 2012, from the highs and lows of two following bars, as a ratio; negative
 * values are 0 as in the paper. */
double corwin_schultz(double high1, double low1, double high2, double low2);
/* The same from beta (sum of the two bars' squared log ranges) and gamma (squared log range of
 * both), which may be means over many pairs. */
double corwin_schultz_spread(double beta, double gamma);

/* Covariance (n - 1 in the denominator) of x[i] and x[i-1], i = 1..n-1. */
double lag_covariance(const double *x, size_t n);
/* Bulk classification (Easley, Lopez de Prado, O'Hara 2012): buy part Phi(change / sigma). */
double bulk_buy_share(double change, double sigma);

/* One bar's range variance: Parkinson 1980, Garman-Klass 1980, Rogers-Satchell 1991. */
double parkinson(double high, double low);
double garman_klass(double open, double high, double low, double close);
double rogers_satchell(double open, double high, double low, double close);

#endif
