/* feature_wave.c: causal wavelet energies per level and signal to noise, on price, volume and book
 * imbalance. An energy is the mean of 32 squared details, so that levels can be compared.
 */
#include "derive/feature/feature_internal.h"
#include "derive/feature/wavelet.h"

enum wave_row {
    W_PRICE_L1, /* l1..l5 */
    W_PRICE_SNR = W_PRICE_L1 + WAVELET_LEVELS,
    W_DB4_L1, /* l1..l3 */
    W_VOLUME_L1 = W_DB4_L1 + DB4_LEVELS,
    W_VOLUME_SNR = W_VOLUME_L1 + 3,
    W_IMBALANCE_L1,
    W_IMBALANCE_SNR = W_IMBALANCE_L1 + 3,
    W_ROWS
};

enum { ENERGY_W = 32, SNR_LEVELS = 3, IMBALANCE_LEVELS = 5 };

#define ROW(NAME, UNIT, WARM, NEEDS, BARS, SOURCE, ABOUT, GONE)                                    \
    {                                                                                              \
        .name = NAME, .unit = UNIT, .window = "b32", .source = SOURCE, .about = ABOUT,             \
        .missing = GONE, .capability = "FEA15", .warmup = WARM, .needs = NEEDS, .version = 1,      \
        .clock = CLOCK_BUCKET, .bars_ok = BARS, .apart = true                                      \
    }
#define HAAR "Haar 1910; Mallat 1989, undecimated (a trous), past values only"
#define DB4 "Daubechies 1988 (db4), undecimated (a trous), past values only"
#define SNR_SRC "source document S3 (low over high energy), causal Haar"
#define SNR_TEXT "variance of 32 Haar approximations of level 3 / sum of the energies of levels 1-3"
#define GONE_PX "a price in the window is missing; before it is full"
#define GONE_BOOK "no synchronised book in the window; before it is full"
#define GONE_FLAT "; no change in the window"
#define PRICE(NAME, ABOUT) ROW(NAME, "bps^2", 64, NEED_DEPTH, true, HAAR, ABOUT, GONE_PX)
#define RETURN(NAME, ABOUT) ROW(NAME, "bps^2", 90, NEED_DEPTH, true, DB4, ABOUT, GONE_PX)
#define VOLUME(NAME, ABOUT) ROW(NAME, "base^2", 64, NEED_TRADE, true, HAAR, ABOUT, "before 64 rows")
#define IMBALANCE(NAME, ABOUT) ROW(NAME, "1", 64, NEED_DEPTH, false, HAAR, ABOUT, GONE_BOOK)

static const struct feature_def defs[W_ROWS] = {
    [W_PRICE_L1] = PRICE("wave_price_energy_l1_b32",
        "mean of 32 squared Haar details of level 1 (2 closes) of 1e4 ln price"),
    [W_PRICE_L1 + 1] = PRICE("wave_price_energy_l2_b32",
        "mean of 32 squared Haar details of level 2 (4 closes) of 1e4 ln price"),
    [W_PRICE_L1 + 2] = PRICE("wave_price_energy_l3_b32",
        "mean of 32 squared Haar details of level 3 (8 closes) of 1e4 ln price"),
    [W_PRICE_L1 + 3] = PRICE("wave_price_energy_l4_b32",
        "mean of 32 squared Haar details of level 4 (16 closes) of 1e4 ln price"),
    [W_PRICE_L1 + 4] = PRICE("wave_price_energy_l5_b32",
        "mean of 32 squared Haar details of level 5 (32 closes) of 1e4 ln price"),
    [W_PRICE_SNR] = ROW("wave_price_snr_b32", "1", 64, NEED_DEPTH, true, SNR_SRC,
        SNR_TEXT " of 1e4 ln price", GONE_PX GONE_FLAT),
    [W_DB4_L1] = RETURN("wave_return_db4_energy_l1_b32",
        "mean of 32 squared db4 details of level 1 (8 returns) of bucket returns"),
    [W_DB4_L1 + 1] = RETURN("wave_return_db4_energy_l2_b32",
        "mean of 32 squared db4 details of level 2 (22 returns) of bucket returns"),
    [W_DB4_L1 + 2] = RETURN("wave_return_db4_energy_l3_b32",
        "mean of 32 squared db4 details of level 3 (50 returns) of bucket returns"),
    [W_VOLUME_L1] = VOLUME("wave_volume_energy_l1_b32",
        "mean of 32 squared Haar details of level 1 (2 buckets) of volume"),
    [W_VOLUME_L1 + 1] = VOLUME("wave_volume_energy_l2_b32",
        "mean of 32 squared Haar details of level 2 (4 buckets) of volume"),
    [W_VOLUME_L1 + 2] = VOLUME("wave_volume_energy_l3_b32",
        "mean of 32 squared Haar details of level 3 (8 buckets) of volume"),
    [W_VOLUME_SNR] = ROW("wave_volume_snr_b32", "1", 64, NEED_TRADE, true, SNR_SRC,
        SNR_TEXT " of volume", "before 64 rows" GONE_FLAT),
    [W_IMBALANCE_L1] = IMBALANCE("wave_imbalance_energy_l1_b32",
        "mean of 32 squared Haar details of level 1 (2 closes) of the imbalance of 5 levels"),
    [W_IMBALANCE_L1 + 1] = IMBALANCE("wave_imbalance_energy_l2_b32",
        "mean of 32 squared Haar details of level 2 (4 closes) of the imbalance of 5 levels"),
    [W_IMBALANCE_L1 + 2] = IMBALANCE("wave_imbalance_energy_l3_b32",
        "mean of 32 squared Haar details of level 3 (8 closes) of the imbalance of 5 levels"),
    [W_IMBALANCE_SNR] = ROW("wave_imbalance_snr_b32", "1", 64, NEED_DEPTH, false, SNR_SRC,
        SNR_TEXT " of the imbalance of 5 levels", GONE_BOOK GONE_FLAT),
};

struct wave_signal {
    struct wavelet filter;
    struct series energy[WAVELET_LEVELS]; /* squared details */
    struct series approx;                 /* of level SNR_LEVELS */
};

struct wave_state {
    struct wave_signal price, volume, imbalance;
    struct wavelet db4;
    struct series db4_energy[DB4_LEVELS];
};

static size_t wave_state_size(void) { return sizeof(struct wave_state); }

static double energy_of(const struct series *s) { return series_mean(s, ENERGY_W); }

/* Steps a signal's levels and writes the energies; returns signal to noise. */
static double signal_step(struct wave_signal *s, double x, size_t levels, double *energy) {
    double detail[WAVELET_LEVELS], approx[SERIES_MAX], noise = 0.0;
    (void)haar_push(&s->filter, x, levels, detail);
    for (size_t j = 0; j < levels; j++) {
        series_push(&s->energy[j], detail[j] * detail[j]);
        energy[j] = energy_of(&s->energy[j]);
        if (j < SNR_LEVELS) noise += energy[j];
    }
    series_push(&s->approx, s->filter.a[SNR_LEVELS][(s->filter.n - 1) % WAVELET_RING]);
    if (!series_window(&s->approx, ENERGY_W, approx)) return MISSING;
    return ratio_of(moments_of(approx, ENERGY_W).m2, noise);
}

static double imbalance_of(const struct feature_view *view) {
    double sum[2] = {0.0, 0.0};
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < view->levels[side] && i < IMBALANCE_LEVELS; i++)
            sum[side] += (double)view->top[side][i].qty.lots;
    return ratio_of(sum[BOOK_BID] - sum[BOOK_ASK], sum[BOOK_BID] + sum[BOOK_ASK]);
}

static void wave_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct wave_state *s = state;
    double detail[DB4_LEVELS];
    double price = view->px > 0.0 ? BPS * dm_log(view->px) : MISSING;
    double volume = (double)b->volume.lots * ctx->qty_unit;
    out[W_PRICE_SNR] = signal_step(&s->price, price, WAVELET_LEVELS, out + W_PRICE_L1);
    out[W_VOLUME_SNR] = signal_step(&s->volume, volume, SNR_LEVELS, out + W_VOLUME_L1);
    out[W_IMBALANCE_SNR] =
        signal_step(&s->imbalance, imbalance_of(view), SNR_LEVELS, out + W_IMBALANCE_L1);
    (void)db4_push(&s->db4, view->ret, DB4_LEVELS, detail);
    for (size_t j = 0; j < DB4_LEVELS; j++) {
        series_push(&s->db4_energy[j], detail[j] * detail[j]);
        out[W_DB4_L1 + j] = energy_of(&s->db4_energy[j]);
    }
}

const struct feature_family feature_family_wave = {
    .name = "wave",
    .defs = defs,
    .count = W_ROWS,
    .state_size = wave_state_size,
    .on_bucket = wave_on_bucket,
};
