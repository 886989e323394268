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
#include <stdint.h>

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

/* Jiang, Oomen 2008: swap variance against realised variance, scaled by bipower and sixth-power
 * variation, from n prices of equal spacing (n - 1 returns, no missing one). About N(0, 1) without
 * jumps; far from 0 with one. Convention of the R package highfrequency: N bv / sqrt(omega)
 * (1 - rv / swv), bv without a small-sample factor, omega over N - 7 of the products of six. */
double jiang_oomen(const double *px, size_t n);

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

/* Bar-level price impact over a window of n bars (means of one ratio a bar; Lopez de Prado 2018,
 * chapter 19, window form). `sign` is that of the bar's price change, of the last bar that moved
 * where it did not. change: price differences; log_return: of closes; volume, value: of the bar.
 * A bar without volume or sign makes the window missing. */
double bar_kyle(const double *change, const double *volume, const int8_t *sign, size_t n);
double bar_amihud(const double *log_return, const double *value, size_t n);
double bar_hasbrouck(const double *log_return, const double *value, const int8_t *sign, size_t n);
/* VPIN of n bars by bulk classification: mean |2 buy - volume| over the window, as a share of the
 * last bar's volume. buy_share: bulk_buy_share of each bar. */
double bulk_vpin(const double *buy_share, const double *volume, size_t n);

/* One bar's range variance: Parkinson 1980, Garman-Klass 1980, Rogers-Satchell 1991. */
double parkinson(double high, double low);
double garman_klass(double open, double high, double low, double close);
double rogers_satchell(double open, double high, double low, double close);

#endif
