#include "derive/feature/wavelet.h"

#include "base/check.h"

const double db4_low[DB4_TAPS] = {-0.010597401785069032, 0.0328830116668852, 0.030841381835560764,
    -0.18703481171909309, -0.027983769416859854, 0.6308807679298589, 0.7148465705529157,
    0.2303778133088965};

double db4_high(size_t k) {
    CHECK(k < DB4_TAPS);
    double tap = db4_low[DB4_TAPS - 1 - k];
    return k & 1 ? tap : -tap;
}

static double back(const struct wavelet *w, size_t level, uint64_t lag) {
    return w->a[level][(w->n - lag) % WAVELET_RING];
}

double haar_push(struct wavelet *w, double x, size_t levels, double *detail) {
    CHECK(levels > 0 && levels <= WAVELET_LEVELS);
    size_t now = w->n % WAVELET_RING;
    w->a[0][now] = x;
    for (size_t j = 0; j < levels; j++) {
        double newer = back(w, j, 0), older = back(w, j, UINT64_C(1) << j);
        detail[j] = 0.5 * (newer - older);
        w->a[j + 1][now] = 0.5 * (newer + older);
    }
    w->n++;
    return w->a[levels][now];
}

double db4_push(struct wavelet *w, double x, size_t levels, double *detail) {
    CHECK(levels > 0 && levels <= DB4_LEVELS);
    size_t now = w->n % WAVELET_RING;
    w->a[0][now] = x;
    for (size_t j = 0; j < levels; j++) {
        double low = 0.0, high = 0.0;
        for (size_t k = 0; k < DB4_TAPS; k++) {
            double v = back(w, j, (uint64_t)k << j);
            low += db4_low[k] * v;
            high += db4_high(k) * v;
        }
        detail[j] = high;
        w->a[j + 1][now] = low;
    }
    w->n++;
    return w->a[levels][now];
}
