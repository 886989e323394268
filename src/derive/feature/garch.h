/* garch.h: GARCH(1,1) with a constant mean, by Gaussian quasi maximum likelihood.
 *
 *   r_t = mu + e_t,  h_t = omega + alpha e_(t-1)^2 + beta h_(t-1)
 *
 * Before the first return e^2 and h are the mean squared residual (the convention of the published
 * answers for the mark/pound returns, Bollerslev and Ghysels 1996).
 *
 * Units      returns as given; variances in their square.
 * Why        scoring steps with exact derivatives (Fiorentini, Calzolari, Panattoni 1996): some
 *            ten passes over the returns, no scratch memory, the same bits everywhere.
 * Limits     GARCH_MIN returns; alpha + beta < 1.
 */
#ifndef FATHOM_DERIVE_FEATURE_GARCH_H
#define FATHOM_DERIVE_FEATURE_GARCH_H

#include <stdbool.h>
#include <stddef.h>

enum { GARCH_MIN = 100 };

struct garch {
    double mu, omega, alpha, beta;
    double log_likelihood;
    double next_variance; /* h of the return after the last one */
};

/* Fits `out`; false (untouched) for too few, missing or constant returns, and where no maximum
 * inside the limits was reached. */
bool garch_fit(const double *r, size_t n, struct garch *out);
/* Fills log_likelihood and next_variance for the four parameters in `g`; false outside of
 * omega > 0, alpha >= 0, beta >= 0, alpha + beta < 1. */
bool garch_filter(const double *r, size_t n, struct garch *g);

#endif
