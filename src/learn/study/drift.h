/* drift.h: has the distribution of a column changed (VAL4).
 *
 * Units      PSI and the KS distance have none; p-values 0..1.
 * Sources    population stability index: Siddiqi 2006 (below .1 stable, above .25 shifted; S3 asks
 *            for < .15); Kolmogorov-Smirnov with Stephens' (1970) correction of the limit law.
 * NaN        fewer than DRIFT_LEAST values on a side.
 */
#ifndef FATHOM_LEARN_STUDY_DRIFT_H
#define FATHOM_LEARN_STUDY_DRIFT_H

#include <stddef.h>

enum { DRIFT_LEAST = 20, DRIFT_BINS = 10 };

/* Sum of (q - p) ln(q / p) over DRIFT_BINS bins of equal count of `a`, equal edges joined; a share
 * below half a row counts as half a row. Inputs without NaN, sorted ascending. */
double drift_psi(const double *a, size_t na, const double *b, size_t nb);

struct drift_ks {
    double d; /* largest distance of the two distribution functions */
    double p; /* at effective counts */
};
/* Sorted, without NaN. effective_a, effective_b: what the counts are worth where neighbours are
 * alike (drift_effective); the counts themselves for independent values. */
struct drift_ks drift_ks(
    const double *a, size_t na, const double *b, size_t nb, double effective_a, double effective_b);

/* n / (1 + 2 sum of autocorrelations), summed up to the first lag pair whose sum is not positive
 * (Geyer 1992, initial positive sequence), at most n / 4 lags: 1..n. x in time order without NaN.
 */
double drift_effective(const double *x, size_t n);

#endif
