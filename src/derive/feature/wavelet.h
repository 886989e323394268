/* wavelet.h: causal wavelet transforms, one value in, the details of every level out.
 *
 * Both keep every coefficient (no decimation): a detail of level j at time t uses values at t and
 * before only. What an offline transform with zero padding gives is a part of these coefficients:
 * its cD_j[i] is the detail of level j at t = 2^j (i + 1) - 1.
 *
 * Units      db4 in the input's unit (orthonormal filters); haar: details are half the difference
 *            of the means of the two halves of the last 2^j values, approximations are the means.
 * Missing    a NaN input makes every coefficient NaN whose support holds it.
 * Ownership  the state is the caller's, plain bytes; zero bytes are the start (a past of zeros).
 * Threads    one a state.
 * Limits     WAVELET_LEVELS levels, 3 for db4.
 * Why        symmetric padding in offline code sees the future; here there is nothing to pad.
 */
#ifndef FATHOM_DERIVE_FEATURE_WAVELET_H
#define FATHOM_DERIVE_FEATURE_WAVELET_H

#include <stddef.h>
#include <stdint.h>

enum { WAVELET_LEVELS = 5, DB4_LEVELS = 3, DB4_TAPS = 8, WAVELET_RING = 32 };

/* Daubechies 1988, four vanishing moments: decomposition low-pass; the high-pass is its
 * quadrature mirror: hi[k] = (-1)^(k+1) lo[7 - k]. */
extern const double db4_low[DB4_TAPS];
double db4_high(size_t k);

struct wavelet {
    uint64_t n;                                 /* values so far */
    double a[WAVELET_LEVELS + 1][WAVELET_RING]; /* input and approximations */
};

/* detail[levels]; the approximation of the last level is returned. */
double haar_push(struct wavelet *w, double x, size_t levels, double *detail);
double db4_push(struct wavelet *w, double x, size_t levels, double *detail);

#endif
