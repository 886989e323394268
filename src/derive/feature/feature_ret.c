/* feature_ret.c: returns of the reference price, their momentum, shape and place in the range. */
#include "derive/feature/feature_internal.h"

enum ret_row {
    R_B1 = 0, /* b1 b5 b20 b60 */
    R_S60 = 4,
    R_S300,
    R_MOMENTUM_B20,
    R_ACCEL_B5,
    R_ACCEL_B20,
    R_Z_B20,
    R_Z_B60,
    R_PRICE_Z_B20,
    R_PRICE_Z_B60,
    R_SKEW_B60,
    R_KURT_B60,
    R_AUTOCORR_B60,
    R_DRAWDOWN_B60,
    R_DRAWUP_B60,
    R_RANGE_POS_B20,
    R_UP_SHARE_B20,
    R_EFFICIENCY_B20,
    R_TREND_R2_B60,
    R_ROWS
};

enum { PRICE_BINS = 512, PRICE_AGE_MAX_S = 10 };

#define LOG_SRC "definition: log return of the reference price"
#define ROW(NAME, UNIT, W, WARM, SOURCE, ABOUT, GONE)                                              \
    FEATURE_ROW(NAME, UNIT, W, WARM, NEED_DEPTH, true, "FEA3", SOURCE, ABOUT, GONE)
#define GONE_PRICE "a price in the window is missing; before it is full"

static const struct feature_def defs[R_ROWS] = {
    [R_B1] =
        ROW("ret_b1", "bps", "b1", 2, LOG_SRC, "1e4 ln(price / price 1 bucket ago)", GONE_PRICE),
    [R_B1 + 1] =
        ROW("ret_b5", "bps", "b5", 6, LOG_SRC, "1e4 ln(price / price 5 buckets ago)", GONE_PRICE),
    [R_B1 + 2] = ROW(
        "ret_b20", "bps", "b20", 21, LOG_SRC, "1e4 ln(price / price 20 buckets ago)", GONE_PRICE),
    [R_B1 + 3] = ROW(
        "ret_b60", "bps", "b60", 61, LOG_SRC, "1e4 ln(price / price 60 buckets ago)", GONE_PRICE),
    [R_S60] = FEATURE_ROW_CLOCK("ret_s60", "bps", "s60", 72, NEED_DEPTH, false, "FEA3", LOG_SRC,
        "1e4 ln(price / last price of the second 60 s ago or of the 10 s before it)",
        "no close in that span", CLOCK_TIME),
    [R_S300] = FEATURE_ROW_CLOCK("ret_s300", "bps", "s300", 312, NEED_DEPTH, false, "FEA3", LOG_SRC,
        "1e4 ln(price / last price of the second 300 s ago or of the 10 s before it)",
        "no close in that span", CLOCK_TIME),
    [R_MOMENTUM_B20] = ROW("ret_momentum_b20", "1", "b20", 22,
        "return over its own volatility (Moskowitz, Ooi, Pedersen 2012)",
        "sum of 20 returns / (their standard deviation x sqrt 20)",
        GONE_PRICE "; all returns equal"),
    [R_ACCEL_B5] = ROW("ret_accel_b5", "bps", "b5", 11, "definition: difference of two returns",
        "return of the last 5 buckets minus that of the 5 before", GONE_PRICE),
    [R_ACCEL_B20] = ROW("ret_accel_b20", "bps", "b20", 41, "definition: difference of two returns",
        "return of the last 20 buckets minus that of the 20 before", GONE_PRICE),
    [R_Z_B20] = ROW("ret_z_b20", "1", "b20", 22, "definition: z-score",
        "(last return - mean) / standard deviation of 20 returns",
        GONE_PRICE "; all returns equal"),
    [R_Z_B60] = ROW("ret_z_b60", "1", "b60", 62, "definition: z-score",
        "(last return - mean) / standard deviation of 60 returns",
        GONE_PRICE "; all returns equal"),
    [R_PRICE_Z_B20] = ROW("ret_price_z_b20", "1", "b20", 21, "definition: z-score",
        "(price - mean) / standard deviation of 20 prices", GONE_PRICE "; all prices equal"),
    [R_PRICE_Z_B60] = ROW("ret_price_z_b60", "1", "b60", 61, "definition: z-score",
        "(price - mean) / standard deviation of 60 prices", GONE_PRICE "; all prices equal"),
    [R_SKEW_B60] = ROW("ret_skew_b60", "1", "b60", 62, "third standardised moment g1",
        "m3 / m2^1.5 of 60 returns", GONE_PRICE "; all returns equal"),
    [R_KURT_B60] = ROW("ret_kurtosis_b60", "1", "b60", 62, "excess kurtosis g2",
        "m4 / m2^2 - 3 of 60 returns", GONE_PRICE "; all returns equal"),
    [R_AUTOCORR_B60] = ROW("ret_autocorr1_b60", "1", "b60", 62, "Box, Jenkins: r_1",
        "sum of products of neighbours about the mean / sum of squares, 60 returns",
        GONE_PRICE "; all returns equal"),
    [R_DRAWDOWN_B60] = ROW("ret_drawdown_b60", "bps", "b60", 61, "definition",
        "1e4 (price / highest of 60 prices - 1)", GONE_PRICE),
    [R_DRAWUP_B60] = ROW("ret_drawup_b60", "bps", "b60", 61, "definition",
        "1e4 (price / lowest of 60 prices - 1)", GONE_PRICE),
    [R_RANGE_POS_B20] = ROW("ret_range_position_b20", "1", "b20", 21, "definition",
        "(price - lowest) / (highest - lowest) of 20 prices", GONE_PRICE "; no range"),
    [R_UP_SHARE_B20] = ROW(
        "ret_up_share_b20", "1", "b20", 22, "definition", "part of 20 returns above 0", GONE_PRICE),
    [R_EFFICIENCY_B20] = ROW("ret_efficiency_b20", "1", "b20", 22, "Kaufman 1995: efficiency ratio",
        "|sum of 20 returns| / sum of their absolute values", GONE_PRICE "; no move"),
    [R_TREND_R2_B60] = ROW("ret_trend_r2_b60", "1", "b60", 61, "ordinary least squares",
        "R^2 of the price on a line over 60 buckets", GONE_PRICE "; all prices equal"),
};

struct ret_state {
    struct series px, ret;
    int64_t bin_of[PRICE_BINS]; /* second + 1 that the entry belongs to, 0 = none */
    double px_of[PRICE_BINS];   /* last price of that second */
};

static size_t ret_state_size(void) { return sizeof(struct ret_state); }

static void price_bin_set(struct ret_state *s, int64_t second, double px) {
    size_t at = (size_t)second % PRICE_BINS;
    s->bin_of[at] = second + 1;
    s->px_of[at] = px;
}

/* The last price of `second` or of the PRICE_AGE_MAX_S seconds before it. */
static double price_bin_get(const struct ret_state *s, int64_t second) {
    for (int64_t t = second; t >= 0 && t >= second - PRICE_AGE_MAX_S; t--) {
        size_t at = (size_t)t % PRICE_BINS;
        if (s->bin_of[at] == t + 1) return s->px_of[at];
    }
    return MISSING;
}

static double log_bps(double now, double before) {
    double r = ratio_of(now, before);
    return r > 0.0 ? BPS * dm_log(r) : MISSING;
}

static void ret_moments(const double *r, double *out) {
    struct moments m = moments_of(r, 60);
    double cross = 0.0;
    for (size_t i = 1; i < 60; i++) cross += (r[i] - m.mean) * (r[i - 1] - m.mean);
    bool flat = moments_flat(&m);
    out[R_SKEW_B60] = flat ? MISSING : ratio_of(m.m3, m.m2 * sqrt(m.m2));
    out[R_KURT_B60] = flat ? MISSING : ratio_of(m.m4, m.m2 * m.m2) - 3.0;
    out[R_AUTOCORR_B60] = flat ? MISSING : ratio_of(cross, 60.0 * m.m2);
}

static void ret_on_returns(const struct ret_state *s, double *out) {
    double r[SERIES_MAX];
    if (series_window(&s->ret, 20, r)) {
        struct moments m = moments_of(r, 20);
        double up = 0.0, path = 0.0, sum = 20.0 * m.mean;
        for (size_t i = 0; i < 20; i++) {
            up += r[i] > 0.0 ? 1.0 : 0.0;
            path += fabs(r[i]);
        }
        out[R_MOMENTUM_B20] = moments_flat(&m) ? MISSING : ratio_of(sum, sqrt(20.0 * m.m2));
        out[R_Z_B20] = zscore_of(r[19], r, 20);
        out[R_UP_SHARE_B20] = isnan(sum) ? MISSING : up / 20.0;
        out[R_EFFICIENCY_B20] = ratio_of(fabs(sum), path);
    }
    if (series_window(&s->ret, 60, r)) {
        ret_moments(r, out);
        out[R_Z_B60] = zscore_of(r[59], r, 60);
    }
}

/* Lowest and highest; NaN entries make both NaN. */
static void range_of(const double *x, size_t n, double *low, double *high) {
    *low = *high = x[0];
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        if (x[i] < *low) *low = x[i];
        if (x[i] > *high) *high = x[i];
    }
    if (isnan(sum)) *low = *high = MISSING;
}

static void ret_on_prices(const struct ret_state *s, double px, double *out) {
    double x[SERIES_MAX], t[SERIES_MAX], low, high;
    if (series_window(&s->px, 20, x)) {
        range_of(x, 20, &low, &high);
        out[R_PRICE_Z_B20] = zscore_of(px, x, 20);
        out[R_RANGE_POS_B20] = ratio_of(px - low, high - low);
    }
    if (series_window(&s->px, 60, x)) {
        for (size_t i = 0; i < 60; i++) t[i] = (double)i;
        range_of(x, 60, &low, &high);
        out[R_PRICE_Z_B60] = zscore_of(px, x, 60);
        out[R_DRAWDOWN_B60] = bps_of(px, high);
        out[R_DRAWUP_B60] = bps_of(px, low);
        out[R_TREND_R2_B60] = line_fit(t, x, 60).r2;
    }
}

static void ret_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct ret_state *s = state;
    (void)ctx;
    int64_t second = bucket_last_ns(b) / NS_PER_S;
    series_push(&s->px, view->px);
    series_push(&s->ret, view->ret);
    price_bin_set(s, second, view->px);
    for (size_t i = 0; i < R_ROWS; i++) out[i] = MISSING;
    static const uint64_t w[4] = {1, 5, 20, 60};
    for (size_t i = 0; i < 4; i++) out[R_B1 + i] = log_bps(view->px, series_lag(&s->px, w[i]));
    out[R_S60] = log_bps(view->px, price_bin_get(s, second - 60));
    out[R_S300] = log_bps(view->px, price_bin_get(s, second - 300));
    double p5 = series_lag(&s->px, 5), p20 = series_lag(&s->px, 20);
    out[R_ACCEL_B5] = log_bps(view->px, p5) - log_bps(p5, series_lag(&s->px, 10));
    out[R_ACCEL_B20] = log_bps(view->px, p20) - log_bps(p20, series_lag(&s->px, 40));
    ret_on_returns(s, out);
    ret_on_prices(s, view->px, out);
}

const struct feature_family feature_family_ret = {
    .name = "ret",
    .defs = defs,
    .count = R_ROWS,
    .state_size = ret_state_size,
    .on_bucket = ret_on_bucket,
};
