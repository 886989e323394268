/* Wavelet features again, from the definition: halves of a window and whole filters. */
#include "feature_laws/world.h"

typedef double signal_fn(const struct world *w, size_t k);

static double log_px(const struct world *w, size_t k) { return 1e4 * log(b_px(w, k)); }
static double base(const struct world *w, size_t k) {
    return b_volume(w, k) * instrument_qty_unit(&w->inst);
}
static double imbalance(const struct world *w, size_t k) {
    double sum[2] = {0.0, 0.0};
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < 5 && i < w->bucket[k].side[side].n; i++)
            sum[side] += (double)w->bucket[k].side[side].l[i].qty.lots;
    return quotient(sum[0] - sum[1], sum[0] + sum[1]);
}

static double mean_over(const struct world *w, size_t k, int n, signal_fn *f) {
    return over(w, k, n, f) / n;
}
/* Half the newer half's mean minus the older half's, squared; mean of 32. */
static double haar_energy(const struct world *w, size_t k, int level, signal_fn *f) {
    int half = 1 << (level - 1);
    double sum = 0.0;
    if (k + 1 < 31 + 2 * (size_t)half) return NAN;
    for (size_t i = k - 31; i <= k; i++) {
        double d = mean_over(w, i, half, f) - mean_over(w, i - (size_t)half, half, f);
        sum += d * d / 4.0;
    }
    return sum / 32.0;
}
static double snr(const struct world *w, size_t k, signal_fn *f) {
    double mean8[32], noise = 0.0;
    if (k < 39) return NAN;
    for (size_t i = 0; i < 32; i++) mean8[i] = mean_over(w, k - 31 + i, 8, f);
    for (int level = 1; level <= 3; level++) noise += haar_energy(w, k, level, f);
    double sd = sd_of(mean8, 32);
    return quotient(sd * sd, noise);
}
static double price_energy(const struct world *w, size_t k, int n) {
    return haar_energy(w, k, n, log_px);
}
static double price_snr(const struct world *w, size_t k, int n) { return n * snr(w, k, log_px); }
static double volume_energy(const struct world *w, size_t k, int n) {
    return haar_energy(w, k, n, base);
}
static double volume_snr(const struct world *w, size_t k, int n) { return n * snr(w, k, base); }
static double imbalance_energy(const struct world *w, size_t k, int n) {
    return haar_energy(w, k, n, imbalance);
}
static double imbalance_snr(const struct world *w, size_t k, int n) {
    return n * snr(w, k, imbalance);
}

/* Scaling filter of Daubechies' four moments, from the table of 1988 (rounded there to 1e-12). */
static const double scaling[8] = {0.2303778133088965, 0.7148465705529157, 0.6308807679298589,
    -0.027983769416859854, -0.18703481171909309, 0.030841381835560764, 0.0328830116668852,
    -0.010597401785069032};

/* The filter of a level as one long filter (low-pass spread out, then high-pass): its taps. */
static int long_filter(int level, double *out) {
    double now[64] = {1.0};
    int n = 1;
    for (int j = 1; j <= level; j++) {
        double next[64] = {0.0};
        int step = 1 << (j - 1);
        for (int i = 0; i < n; i++)
            for (int k = 0; k < 8; k++)
                next[i + k * step] +=
                    now[i] * (j < level ? scaling[7 - k] : (k % 2 ? 1.0 : -1.0) * scaling[k]);
        n += 7 * step;
        for (int i = 0; i < 64; i++) now[i] = next[i];
    }
    for (int i = 0; i < n; i++) out[i] = now[i];
    return n;
}
static double db4_energy(const struct world *w, size_t k, int level) {
    double tap[64], sum = 0.0;
    int n = long_filter(level, tap);
    if (k < 32 + (size_t)n) return NAN;
    for (size_t i = k - 31; i <= k; i++) {
        double d = 0.0;
        for (int j = 0; j < n; j++) d += tap[j] * b_ret(w, i - (size_t)j);
        sum += d * d;
    }
    return sum / 32.0;
}

const struct naive_row naive_wave[] = {
    {"wave_price_energy_l1_b32", price_energy, 1},
    {"wave_price_energy_l2_b32", price_energy, 2},
    {"wave_price_energy_l3_b32", price_energy, 3},
    {"wave_price_energy_l4_b32", price_energy, 4},
    {"wave_price_energy_l5_b32", price_energy, 5},
    {"wave_price_snr_b32", price_snr, 1},
    {"wave_return_db4_energy_l1_b32", db4_energy, 1},
    {"wave_return_db4_energy_l2_b32", db4_energy, 2},
    {"wave_return_db4_energy_l3_b32", db4_energy, 3},
    {"wave_volume_energy_l1_b32", volume_energy, 1},
    {"wave_volume_energy_l2_b32", volume_energy, 2},
    {"wave_volume_energy_l3_b32", volume_energy, 3},
    {"wave_volume_snr_b32", volume_snr, 1},
    {"wave_imbalance_energy_l1_b32", imbalance_energy, 1},
    {"wave_imbalance_energy_l2_b32", imbalance_energy, 2},
    {"wave_imbalance_energy_l3_b32", imbalance_energy, 3},
    {"wave_imbalance_snr_b32", imbalance_snr, 1},
    {0},
};
