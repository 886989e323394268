/* Order flow again, from the array of all trades. */
#include "feature_laws/world.h"

enum pick { PICK_ALL, PICK_BUYS, PICK_SELLS };

/* First and one past the last trade of buckets k-n+1..k; false when there are not n buckets. */
static bool trades_of(const struct world *w, size_t k, int n, size_t *from, size_t *to) {
    if (k + 1 < (size_t)n) return false;
    size_t lo = 0, hi = w->trades, first = k + 1 - (size_t)n;
    while (lo < hi) {
        size_t half = (lo + hi) / 2;
        if (w->trade[half].bucket < first)
            lo = half + 1;
        else
            hi = half;
    }
    for (*from = *to = lo; *to < w->trades && w->trade[*to].bucket <= k;) ++*to;
    return true;
}
static double unit(const struct world *w) { return instrument_qty_unit(&w->inst); }
static double value_of(const struct world *w, const struct world_trade *t) {
    return instrument_px(&w->inst, (price_t){t->px}) * (double)t->lots * unit(w);
}

static double b_count(const struct world *w, size_t k) { return (double)w->bucket[k].b.trades; }
static double volume(const struct world *w, size_t k, int n) {
    return over(w, k, n, b_volume) * unit(w);
}
static double signed_volume(const struct world *w, size_t k, int n) {
    return over(w, k, n, b_signed) * unit(w);
}
static double imbalance(const struct world *w, size_t k, int n) {
    return quotient(signed_volume(w, k, n), volume(w, k, n));
}
static double count(const struct world *w, size_t k, int n) { return over(w, k, n, b_count); }
static double value(const struct world *w, size_t k, int n) { return over(w, k, n, b_quote); }
static double vwap_dev(const struct world *w, size_t k, int n) {
    double vwap = quotient(value(w, k, n), volume(w, k, n));
    return 1e4 * (b_px(w, k) / vwap - 1.0);
}
static double burst(const struct world *w, size_t k, int n) {
    return quotient(b_volume(w, k), over(w, k, n, b_volume) / n);
}

static double picked(const struct world *w, size_t k, int n, enum pick p) {
    size_t from, to;
    double sum = 0.0;
    if (!trades_of(w, k, n, &from, &to)) return NAN;
    for (; from < to; from++)
        sum += p == PICK_ALL || w->trade[from].buy == (p == PICK_BUYS) ? 1.0 : 0.0;
    return sum;
}
static double count_imbalance(const struct world *w, size_t k, int n) {
    return quotient(
        picked(w, k, n, PICK_BUYS) - picked(w, k, n, PICK_SELLS), picked(w, k, n, PICK_ALL));
}

struct seconds {
    double volume, net, buys, sells;
};
/* Trades of the last `n` periods of wall time, the current one included; false until n whole ones
 * have passed since the stream's first trade or close. */
static bool periods(const struct world *w, size_t k, int n, int64_t width, struct seconds *s) {
    *s = (struct seconds){0};
    int64_t now = last_ns(&w->bucket[k].b) / width;
    int64_t first = last_ns(&w->bucket[0].b) / width;
    if (w->trades && w->trade[0].ns / width < first) first = w->trade[0].ns / width;
    if (now - first < n) return false;
    for (size_t i = 0; i < w->trades && w->trade[i].bucket <= k; i++) {
        const struct world_trade *t = &w->trade[i];
        if (t->ns / width <= now - n) continue;
        double q = (double)t->lots * unit(w);
        s->volume += q;
        s->net += t->buy ? q : -q;
        s->buys += t->buy;
        s->sells += !t->buy;
    }
    for (size_t i = 0; i <= k; i++) { /* bars count in the minute of their close */
        const struct bucket *b = &w->bucket[i].b;
        if (b->from_kline && last_ns(b) / width > now - n) s->net += b_signed(w, i) * unit(w);
    }
    return true;
}
static double intensity(const struct world *w, size_t k, int n) {
    struct seconds s;
    return periods(w, k, n, NS_PER_S, &s) ? (s.buys + s.sells) / n : NAN;
}
static double buy_rate(const struct world *w, size_t k, int n) {
    struct seconds s;
    return periods(w, k, n, NS_PER_S, &s) ? s.buys / n : NAN;
}
static double sell_rate(const struct world *w, size_t k, int n) {
    struct seconds s;
    return periods(w, k, n, NS_PER_S, &s) ? s.sells / n : NAN;
}
static double imbalance_s(const struct world *w, size_t k, int n) {
    struct seconds s;
    return periods(w, k, n, NS_PER_S, &s) ? quotient(s.net, s.volume) : NAN;
}
static double cvd_s(const struct world *w, size_t k, int n) {
    struct seconds s;
    return periods(w, k, n, NS_PER_S, &s) ? s.net : NAN;
}
static double cvd_m(const struct world *w, size_t k, int n) {
    struct seconds s;
    return periods(w, k, n, 60 * NS_PER_S, &s) ? s.net : NAN;
}
static double cvd_slope(const struct world *w, size_t k, int n) {
    double x[64], y[64];
    if (k + 1 < (size_t)n) return NAN;
    for (int i = 0; i < n; i++) {
        x[i] = i;
        y[i] = signed_volume(w, k + 1 - (size_t)n + (size_t)i, 1) + (i ? y[i - 1] : 0.0);
    }
    return slope_of(x, y, n);
}

/* Sizes of the trades of n buckets as a two-pass moment of this order; order 0 = the number. */
static double size_moment(const struct world *w, size_t k, int n, int order, double about) {
    size_t from, to;
    double sum = 0.0, all = 0.0;
    if (!trades_of(w, k, n, &from, &to)) return NAN;
    for (size_t i = from; i < to; i++) {
        sum += pow((double)w->trade[i].lots * unit(w) - about, order);
        all += 1.0;
    }
    return order ? quotient(sum, all) : all;
}
static double size_mean(const struct world *w, size_t k, int n) {
    return size_moment(w, k, n, 1, 0.0);
}
static double size_std(const struct world *w, size_t k, int n) {
    return sqrt(size_moment(w, k, n, 2, size_mean(w, k, n)));
}
static double size_skew(const struct world *w, size_t k, int n) {
    double m = size_mean(w, k, n), m2 = size_moment(w, k, n, 2, m);
    return quotient(size_moment(w, k, n, 3, m), m2 * sqrt(m2));
}
static double size_max(const struct world *w, size_t k, int n) {
    size_t from, to;
    double most = NAN;
    if (!trades_of(w, k, n, &from, &to)) return NAN;
    for (; from < to; from++) most = fmax(most, (double)w->trade[from].lots * unit(w));
    return most;
}
static double large(const struct world *w, size_t k, int n, bool buy) {
    size_t from, to;
    double sum = 0.0;
    if (!trades_of(w, k, n, &from, &to)) return NAN;
    for (; from < to; from++)
        sum += w->trade[from].buy == buy && value_of(w, &w->trade[from]) >= 10000.0;
    return sum;
}
static double large_buys(const struct world *w, size_t k, int n) { return large(w, k, n, true); }
static double large_sells(const struct world *w, size_t k, int n) { return large(w, k, n, false); }
static double large_share(const struct world *w, size_t k, int n) {
    size_t from, to;
    double sum = 0.0, all = 0.0;
    if (!trades_of(w, k, n, &from, &to)) return NAN;
    for (; from < to; from++) {
        all += (double)w->trade[from].lots;
        if (value_of(w, &w->trade[from]) >= 10000.0) sum += (double)w->trade[from].lots;
    }
    return quotient(sum, all);
}

static double run_length(const struct world *w, size_t k, int n) {
    size_t from, to;
    (void)trades_of(w, k, 1, &from, &to);
    if (to < (size_t)n) return NAN;
    int run = 1;
    while (run < n && w->trade[to - 1 - (size_t)run].buy == w->trade[to - 1].buy) run++;
    return w->trade[to - 1].buy ? run : -run;
}
static double persistence(const struct world *w, size_t k, int n) {
    size_t from, to;
    (void)trades_of(w, k, 1, &from, &to);
    if (to < (size_t)n + 1) return NAN;
    double same = 0.0;
    for (size_t i = to - (size_t)n; i < to; i++) same += w->trade[i].buy == w->trade[i - 1].buy;
    return same / n;
}

static bool gaps_of(const struct world *w, size_t k, int n, double *mean, double *sd) {
    size_t from, to;
    double sum = 0.0, all = 0.0, square = 0.0;
    if (!trades_of(w, k, n, &from, &to)) return false;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = from; i < to; i++) {
            if (i == 0 || w->trade[i].ns - w->trade[i - 1].ns > 60 * NS_PER_S) continue;
            double gap = (double)(w->trade[i].ns - w->trade[i - 1].ns) / 1e9;
            if (pass == 0) {
                sum += gap;
                all += 1.0;
            } else {
                square += (gap - *mean) * (gap - *mean);
            }
        }
        *mean = quotient(sum, all);
    }
    *sd = sqrt(quotient(square, all));
    return true;
}
static double gap_mean(const struct world *w, size_t k, int n) {
    double mean, sd;
    return gaps_of(w, k, n, &mean, &sd) ? mean : NAN;
}
static double gap_cv(const struct world *w, size_t k, int n) {
    double mean, sd;
    return gaps_of(w, k, n, &mean, &sd) ? quotient(sd, mean) : NAN;
}

const struct naive_row naive_flow[] = {
    {"flow_volume_b1", volume, 1},
    {"flow_volume_b5", volume, 5},
    {"flow_volume_b20", volume, 20},
    {"flow_volume_b60", volume, 60},
    {"flow_signed_volume_b1", signed_volume, 1},
    {"flow_signed_volume_b5", signed_volume, 5},
    {"flow_signed_volume_b20", signed_volume, 20},
    {"flow_signed_volume_b60", signed_volume, 60},
    {"flow_imbalance_b1", imbalance, 1},
    {"flow_imbalance_b5", imbalance, 5},
    {"flow_imbalance_b20", imbalance, 20},
    {"flow_imbalance_b60", imbalance, 60},
    {"flow_count_b1", count, 1},
    {"flow_count_b5", count, 5},
    {"flow_count_b20", count, 20},
    {"flow_count_b60", count, 60},
    {"flow_vwap_dev_b1", vwap_dev, 1},
    {"flow_vwap_dev_b5", vwap_dev, 5},
    {"flow_vwap_dev_b20", vwap_dev, 20},
    {"flow_vwap_dev_b60", vwap_dev, 60},
    {"flow_value_b1", value, 1},
    {"flow_value_b20", value, 20},
    {"flow_count_imbalance_b5", count_imbalance, 5},
    {"flow_count_imbalance_b20", count_imbalance, 20},
    {"flow_intensity_s60", intensity, 60},
    {"flow_intensity_s300", intensity, 300},
    {"flow_buy_rate_s60", buy_rate, 60},
    {"flow_buy_rate_s300", buy_rate, 300},
    {"flow_sell_rate_s60", sell_rate, 60},
    {"flow_sell_rate_s300", sell_rate, 300},
    {"flow_imbalance_s60", imbalance_s, 60},
    {"flow_imbalance_s300", imbalance_s, 300},
    {"flow_cvd_s60", cvd_s, 60},
    {"flow_cvd_s300", cvd_s, 300},
    {"flow_cvd_h1", cvd_m, 60},
    {"flow_cvd_h6", cvd_m, 360},
    {"flow_cvd_slope_b20", cvd_slope, 20},
    {"flow_cvd_slope_b60", cvd_slope, 60},
    {"flow_size_mean_b1", size_mean, 1},
    {"flow_size_mean_b20", size_mean, 20},
    {"flow_size_std_b20", size_std, 20},
    {"flow_size_skew_b20", size_skew, 20},
    {"flow_size_max_b1", size_max, 1},
    {"flow_size_max_b20", size_max, 20},
    {"flow_large_buys_b1", large_buys, 1},
    {"flow_large_sells_b1", large_sells, 1},
    {"flow_large_buys_b20", large_buys, 20},
    {"flow_large_sells_b20", large_sells, 20},
    {"flow_large_share_b20", large_share, 20},
    {"flow_run_length_e100", run_length, 100},
    {"flow_persistence_e100", persistence, 100},
    {"flow_gap_mean_b20_s", gap_mean, 20},
    {"flow_gap_cv_b20", gap_cv, 20},
    {"flow_volume_burst_b20", burst, 20},
    {0},
};
