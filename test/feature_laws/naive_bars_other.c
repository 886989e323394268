/* Oscillators, bands, volume and candles of closed bars again. */
#include "feature_laws/world.h"

static double greatest(const double *end, int n) {
    double x = end[-1];
    for (int i = 1; i <= n; i++) x = fmax(x, end[-i]);
    return x;
}
static double least(const double *end, int n) {
    double x = end[-1];
    for (int i = 1; i <= n; i++) x = fmin(x, end[-i]);
    return x;
}
static double place(const double *end, int n, double nil) {
    double range = greatest(end, n) - least(end, n);
    return range > nil ? (end[-1] - least(end, n)) / range : NAN;
}
static double mean_back(const double *end, int n) { return mean_of(end - n, n); }

/* --- momentum -------------------------------------------------------------------------------- */

/* Strength after the first `len` bars of the slice. */
static double rsi_at(const struct bar_slice *s, int n, int len) {
    const double *c = s->c - s->n;
    double up = 0.0, down = 0.0;
    for (int i = 1; i < len; i++) {
        double rise = fmax(c[i] - c[i - 1], 0.0), fall = fmax(c[i - 1] - c[i], 0.0);
        up = i <= n ? up + rise / n : (up * (n - 1) + rise) / n;
        down = i <= n ? down + fall / n : (down * (n - 1) + fall) / n;
    }
    return 100.0 * quotient(up, up + down);
}
static double rsi(const struct bar_slice *s, int n) { return rsi_at(s, n, s->n); }
static double rsi_place(const struct bar_slice *s, int n, int values) {
    double x[32];
    for (int i = 0; i < values; i++) {
        x[i] = rsi_at(s, n, s->n - values + 1 + i);
        if (isnan(x[i])) return NAN;
    }
    return place(x + values, values, 1e-9);
}
static double rsi_stoch(const struct bar_slice *s, int n) { return 100.0 * rsi_place(s, n, 14); }
static double rsi_div(const struct bar_slice *s, int n) {
    return place(s->c, n, 0.0) - rsi_place(s, 14, n);
}
static double stoch_back(const struct bar_slice *s, int n, int back) {
    double high = greatest(s->h - back, n), low = least(s->l - back, n);
    return 100.0 * quotient(s->c[-1 - back] - low, high - low);
}
static double stoch_k(const struct bar_slice *s, int n) { return stoch_back(s, n, 0); }
static double stoch_d(const struct bar_slice *s, int n) {
    return (stoch_back(s, n, 0) + stoch_back(s, n, 1) + stoch_back(s, n, 2)) / 3.0;
}
static double williams(const struct bar_slice *s, int n) { return stoch_back(s, n, 0) - 100.0; }
static double cci(const struct bar_slice *s, int n) {
    double x[32] = {0}, dev = 0.0;
    for (int i = 0; i < n; i++) x[i] = (s->h[i - n] + s->l[i - n] + s->c[i - n]) / 3.0;
    if (sd_of(x, n) == 0.0) return NAN;
    for (int i = 0; i < n; i++) dev += fabs(x[i] - mean_of(x, n));
    return (x[n - 1] - mean_of(x, n)) / (0.015 * dev / n);
}
static double roc(const struct bar_slice *s, int n) {
    return 1e4 * (s->c[-1] / s->c[-1 - n] - 1.0);
}
static double cmo(const struct bar_slice *s, int n) {
    double up = 0.0, down = 0.0;
    for (int i = 1; i <= n; i++) {
        up += fmax(s->c[-i] - s->c[-i - 1], 0.0);
        down += fmax(s->c[-i - 1] - s->c[-i], 0.0);
    }
    return 100.0 * quotient(up - down, up + down);
}
static double pressure(const struct bar_slice *s, int n) {
    double buying = 0.0, range = 0.0;
    for (int i = 1; i <= n; i++) {
        double low = fmin(s->l[-i], s->c[-i - 1]), high = fmax(s->h[-i], s->c[-i - 1]);
        buying += s->c[-i] - low;
        range += high - low;
    }
    return quotient(buying, range);
}
static double ultimate(const struct bar_slice *s, int n) {
    return 100.0 * (4.0 * pressure(s, n / 4) + 2.0 * pressure(s, n / 2) + pressure(s, n)) / 7.0;
}

/* --- range ----------------------------------------------------------------------------------- */

static double atr(const struct bar_slice *s, int n) {
    double y[128];
    bar_atr(s, n, y);
    return y[s->n - 1];
}
static double natr(const struct bar_slice *s, int n) { return 1e4 * atr(s, n) / s->c[-1]; }
static double boll_pos(const struct bar_slice *s, int n) {
    return quotient(s->c[-1] - mean_back(s->c, n), 2.0 * sd_of(s->c - n, n));
}
static double boll_width(const struct bar_slice *s, int n) {
    return 4e4 * sd_of(s->c - n, n) / mean_back(s->c, n);
}
static double ema(const struct bar_slice *s, int n) {
    double y[128];
    return bar_ema(s->c - s->n, 0, n, 2.0 / (n + 1.0), y, s->n);
}
static double kelt_pos(const struct bar_slice *s, int n) {
    return quotient(s->c[-1] - ema(s, n), 2.0 * atr(s, 10));
}
static double kelt_width(const struct bar_slice *s, int n) { return 4e4 * atr(s, 10) / ema(s, n); }
static double donch_pos(const struct bar_slice *s, int n) { return stoch_back(s, n, 0) / 100.0; }
static double donch_width(const struct bar_slice *s, int n) {
    double high = greatest(s->h, n), low = least(s->l, n);
    return 2e4 * (high - low) / (high + low);
}
/* The recursion written out as a weighted sum of past squares. */
static double garch(const struct bar_slice *s, int n) {
    double v = 0.0, h = 0.0, weight = 0.1, constant = 0.0;
    for (int i = 1; i <= n; i++) v += pow(1e4 * log(s->c[-i] / s->c[-i - 1]), 2.0) / n;
    for (int i = 1; i <= n; i++) {
        h += weight * pow(1e4 * log(s->c[-i] / s->c[-i - 1]), 2.0);
        constant += weight / 2.0;
        weight *= 0.85;
    }
    return sqrt(h + constant * v + weight * 10.0 * v);
}
static double over_range(const struct bar_slice *s, double x) {
    return quotient(x, s->h[-1] - s->l[-1]);
}
static double body(const struct bar_slice *s, int n) {
    (void)n;
    return over_range(s, s->c[-1] - s->o[-1]);
}
static double upper(const struct bar_slice *s, int n) {
    (void)n;
    return over_range(s, s->h[-1] - fmax(s->o[-1], s->c[-1]));
}
static double lower(const struct bar_slice *s, int n) {
    (void)n;
    return over_range(s, fmin(s->o[-1], s->c[-1]) - s->l[-1]);
}
static double streak(const struct bar_slice *s, int n) {
    int up = 0, down = 0;
    while (up < n && s->c[-1 - up] > s->c[-2 - up]) up++;
    while (down < n && s->c[-1 - down] < s->c[-2 - down]) down++;
    return up - down;
}

/* --- volume ---------------------------------------------------------------------------------- */

static const double steps[20] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};

static void obv_line(const struct bar_slice *s, int n, double *y) {
    double sum = 0.0;
    for (int i = -n; i < 0; i++) {
        sum += s->c[i] > s->c[i - 1] ? s->v[i] : 0.0;
        sum -= s->c[i] < s->c[i - 1] ? s->v[i] : 0.0;
        y[i + n] = sum;
    }
}
static double obv_slope(const struct bar_slice *s, int n) {
    double y[32];
    obv_line(s, n, y);
    return quotient(slope_of(steps, y, n), mean_back(s->v, n));
}
static double obv_div(const struct bar_slice *s, int n) {
    double y[32];
    obv_line(s, n, y);
    return place(s->c, n, 0.0) - place(y + n, n, 0.0);
}
static double flow_of(const struct bar_slice *s, int i) {
    double up = s->c[i] - s->l[i], down = s->h[i] - s->c[i];
    return up + down > 0.0 ? (up - down) / (up + down) * s->v[i] : 0.0;
}
static void ad_line(const struct bar_slice *s, int n, double *y) {
    double sum = 0.0;
    for (int i = 0; i < n; i++) y[i] = sum += flow_of(s, i - n);
}
static double ad_slope(const struct bar_slice *s, int n) {
    double y[32];
    ad_line(s, n, y);
    return quotient(slope_of(steps, y, n), mean_back(s->v, n));
}
static double ad_osc(const struct bar_slice *s, int n) {
    double y[128], fast, slow;
    ad_line(s, s->n, y);
    fast = slow = y[0];
    for (int i = 1; i < s->n; i++) {
        fast = y[i] * 0.5 + fast * 0.5;
        slow = y[i] * 2.0 / (n + 1) + slow * (n - 1) / (n + 1);
    }
    return quotient(fast - slow, mean_back(s->v, 20));
}
static double cmf(const struct bar_slice *s, int n) {
    double y[32];
    ad_line(s, n, y);
    return quotient(y[n - 1], n * mean_back(s->v, n));
}
static double typical(const struct bar_slice *s, int i) { return s->h[i] + s->l[i] + s->c[i]; }
static double mfi(const struct bar_slice *s, int n) {
    double up = 0.0, down = 0.0;
    for (int i = -n; i < 0; i++) {
        if (typical(s, i) > typical(s, i - 1)) up += typical(s, i) / 3.0 * s->v[i];
        if (typical(s, i) < typical(s, i - 1)) down += typical(s, i) / 3.0 * s->v[i];
    }
    return 100.0 * quotient(up, up + down);
}
static double vwap_parts(const struct bar_slice *s, int n, double *sd) {
    double volume = n * mean_back(s->v, n), mean = 0.0, square = 0.0;
    for (int i = -n; i < 0; i++) mean += typical(s, i) / 3.0 * quotient(s->v[i], volume);
    for (int i = -n; i < 0; i++) square += pow(typical(s, i) / 3.0 - mean, 2.0) * s->v[i];
    *sd = sqrt(square / volume);
    if (*sd <= 1e-9 * mean) *sd = 0.0;
    return mean;
}
static double vwap_dist(const struct bar_slice *s, int n) {
    double sd;
    return 1e4 * (s->c[-1] / vwap_parts(s, n, &sd) - 1.0);
}
static double vwap_pos(const struct bar_slice *s, int n) {
    double sd, mean = vwap_parts(s, n, &sd);
    return quotient(s->c[-1] - mean, 2.0 * sd);
}
static double vwap_width(const struct bar_slice *s, int n) {
    double sd, mean = vwap_parts(s, n, &sd);
    return 4e4 * sd / mean;
}
static double force(const struct bar_slice *s, int n) {
    double x[128] = {0}, y[128];
    for (int i = 1; i < s->n; i++) x[i] = (s->c[i - s->n] - s->c[i - s->n - 1]) * s->v[i - s->n];
    return 1e4 * quotient(bar_ema(x, 1, n, 2.0 / (n + 1.0), y, s->n), mean_back(s->v, 20)) /
           s->c[-1];
}
static double emv(const struct bar_slice *s, int n) {
    double sum = 0.0, range = mean_back(s->h, n) - mean_back(s->l, n), volume = mean_back(s->v, n);
    for (int i = -n; i < 0; i++) {
        double move = (s->h[i] + s->l[i]) / 2.0 - (s->h[i - 1] + s->l[i - 1]) / 2.0;
        if (s->v[i] == 0.0) continue;
        sum += move / s->c[-1] * (s->h[i] - s->l[i]) / (s->v[i] / volume);
    }
    bool flat = greatest(s->h, n) == least(s->l, n);
    return flat ? NAN : 1e4 * sum / n / range;
}
static double volume_ratio(const struct bar_slice *s, int n) {
    return quotient(s->v[-1], mean_back(s->v, n));
}

const struct bar_row naive_bar_other[] = {
    {"rsi", 14, 120, rsi},
    {"rsi_stoch", 14, 120, rsi_stoch},
    {"stoch_k", 14, 14, stoch_k},
    {"stoch_d", 14, 16, stoch_d},
    {"williams_r", 14, 14, williams},
    {"cci", 20, 20, cci},
    {"roc", 10, 11, roc},
    {"cmo", 14, 15, cmo},
    {"ultimate", 28, 29, ultimate},
    {"rsi_divergence", 20, 120, rsi_div},
    {"natr", 14, 120, natr},
    {"bollinger_position", 20, 20, boll_pos},
    {"bollinger_width", 20, 20, boll_width},
    {"keltner_position", 20, 120, kelt_pos},
    {"keltner_width", 20, 120, kelt_width},
    {"donchian_position", 20, 20, donch_pos},
    {"donchian_width", 20, 20, donch_width},
    {"garch_vol", 119, 120, garch},
    {"candle_body", 1, 1, body},
    {"candle_upper", 1, 1, upper},
    {"candle_lower", 1, 1, lower},
    {"candle_streak", 20, 21, streak},
    {"obv_slope", 20, 21, obv_slope},
    {"ad_slope", 20, 20, ad_slope},
    {"ad_oscillator", 10, 120, ad_osc},
    {"cmf", 20, 20, cmf},
    {"mfi", 14, 15, mfi},
    {"vwap_dist", 20, 20, vwap_dist},
    {"vwap_position", 20, 20, vwap_pos},
    {"vwap_width", 20, 20, vwap_width},
    {"force", 13, 120, force},
    {"ease_of_movement", 14, 15, emv},
    {"obv_divergence", 20, 21, obv_div},
    {"volume_ratio", 20, 20, volume_ratio},
    {0},
};
