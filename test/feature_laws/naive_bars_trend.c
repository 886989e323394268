/* Averages and trend indicators of closed bars again. */
#include "feature_laws/world.h"

static double bps(double x, double base) { return 1e4 * (x / base - 1.0); }
static double mean_back(const double *end, int n) {
    double sum = 0.0;
    for (int i = 1; i <= n; i++) sum += end[-i];
    return sum / n;
}

static double sma_dist(const struct bar_slice *s, int n) {
    return bps(s->c[-1], mean_back(s->c, n));
}
static double sma_slope(const struct bar_slice *s, int n) {
    return bps(mean_back(s->c, n), mean_back(s->c - 1, n));
}
/* EMA of EMA ... `depth` times; both its last values. */
static void ema_deep(const struct bar_slice *s, int n, int depth, double *now, double *before) {
    double x[128], y[128];
    const double *c = s->c - s->n;
    for (int i = 0; i < s->n; i++) x[i] = c[i];
    for (int d = 0; d < depth; d++) {
        (void)bar_ema(x, d * (n - 1), n, 2.0 / (n + 1.0), y, s->n);
        for (int i = (d + 1) * (n - 1); i < s->n; i++) x[i] = y[i];
    }
    *now = y[s->n - 1];
    *before = y[s->n - 2];
}
static double ema_at(const struct bar_slice *s, int n, int depth) {
    double now, before;
    ema_deep(s, n, depth, &now, &before);
    return now;
}
static double ema_dist(const struct bar_slice *s, int n) { return bps(s->c[-1], ema_at(s, n, 1)); }
static double ema_slope(const struct bar_slice *s, int n) {
    double now, before;
    ema_deep(s, n, 1, &now, &before);
    return bps(now, before);
}
static double trix(const struct bar_slice *s, int n) {
    double now, before;
    ema_deep(s, n, 3, &now, &before);
    return bps(now, before);
}
static double dema_dist(const struct bar_slice *s, int n) {
    return bps(s->c[-1], 2.0 * ema_at(s, n, 1) - ema_at(s, n, 2));
}
static double tema_dist(const struct bar_slice *s, int n) {
    return bps(s->c[-1], 3.0 * ema_at(s, n, 1) - 3.0 * ema_at(s, n, 2) + ema_at(s, n, 3));
}
static double wma_back(const double *end, int n) {
    double sum = 0.0, weights = 0.0;
    for (int i = 1; i <= n; i++) {
        sum += (n + 1 - i) * end[-i];
        weights += i;
    }
    return sum / weights;
}
static double wma_dist(const struct bar_slice *s, int n) {
    return bps(s->c[-1], wma_back(s->c, n));
}
static double kama_both(const struct bar_slice *s, int n, double *before) {
    const double *c = s->c - s->n;
    double y = c[n - 1];
    for (int i = n; i < s->n; i++) {
        double path = 0.0, fast = 2.0 / (2 + 1), slow = 2.0 / (30 + 1);
        for (int j = 0; j < n; j++) path += fabs(c[i - j] - c[i - j - 1]);
        double er = path == 0.0 ? 1.0 : fabs(c[i] - c[i - n]) / path;
        double sc = pow(er * (fast - slow) + slow, 2.0);
        *before = y;
        y = sc * c[i] + (1.0 - sc) * y;
    }
    return y;
}
static double kama_dist(const struct bar_slice *s, int n) {
    double before;
    return bps(s->c[-1], kama_both(s, n, &before));
}
static double kama_slope(const struct bar_slice *s, int n) {
    double before, now = kama_both(s, n, &before);
    return bps(now, before);
}
static double hma_at(const double *end, int n) {
    double raw[4];
    for (int i = 0; i < 4; i++)
        raw[i] = 2.0 * wma_back(end - 3 + i, n / 2) - wma_back(end - 3 + i, n);
    return wma_back(raw + 4, 4);
}
static double hma_dist(const struct bar_slice *s, int n) { return bps(s->c[-1], hma_at(s->c, n)); }
static double hma_slope(const struct bar_slice *s, int n) {
    return bps(hma_at(s->c, n), hma_at(s->c - 1, n));
}
static double macd_line(const struct bar_slice *s, double *signal) {
    double fast[128], slow[128], line[128] = {0}, y[128];
    const double *c = s->c - s->n;
    (void)bar_ema(c, 26 - 12, 12, 2.0 / 13.0, fast, s->n);
    (void)bar_ema(c, 0, 26, 2.0 / 27.0, slow, s->n);
    for (int i = 25; i < s->n; i++) line[i] = fast[i] - slow[i];
    *signal = bar_ema(line, 25, 9, 0.2, y, s->n);
    return line[s->n - 1];
}
static double macd(const struct bar_slice *s, int n) {
    double signal;
    (void)n;
    return 1e4 * macd_line(s, &signal) / s->c[-1];
}
static double macd_signal(const struct bar_slice *s, int n) {
    double signal;
    (void)n;
    (void)macd_line(s, &signal);
    return 1e4 * signal / s->c[-1];
}
static double macd_hist(const struct bar_slice *s, int n) { return macd(s, n) - macd_signal(s, n); }

/* Directional movement into arrays, then Wilder's sums: 13 values plain, then fading. */
static void movement(const struct bar_slice *s, int n, double sums[3][128]) {
    const double *h = s->h - s->n, *l = s->l - s->n, *c = s->c - s->n;
    for (int i = 1; i < s->n; i++) {
        double up = h[i] - h[i - 1], down = l[i - 1] - l[i], x[3] = {0.0, 0.0, 0.0};
        if (up > down && up > 0.0) x[0] = up;
        if (down > up && down > 0.0) x[1] = down;
        x[2] = fmax(h[i] - l[i], fmax(fabs(h[i] - c[i - 1]), fabs(l[i] - c[i - 1])));
        for (int j = 0; j < 3; j++) {
            double before = i == 1 ? 0.0 : sums[j][i - 1];
            sums[j][i] = (i < n ? before : before - before / n) + x[j];
        }
    }
}
static double di(const struct bar_slice *s, int n, int which) {
    double sums[3][128];
    movement(s, n, sums);
    return 100.0 * quotient(sums[which][s->n - 1], sums[2][s->n - 1]);
}
static double di_plus(const struct bar_slice *s, int n) { return di(s, n, 0); }
static double di_minus(const struct bar_slice *s, int n) { return di(s, n, 1); }
static double adx(const struct bar_slice *s, int n) {
    double sums[3][128], dx[128] = {0}, value = 0.0;
    movement(s, n, sums);
    for (int i = n; i < s->n; i++) {
        double plus = sums[0][i], minus = sums[1][i];
        bool still = plus + minus == 0.0;
        if (!still) dx[i] = 100.0 * fabs(plus - minus) / (plus + minus);
        if (i == 2 * n - 1)
            for (int j = n; j < 2 * n; j++) value += dx[j] / n;
        if (i >= 2 * n && !still) value = (value * (n - 1) + dx[i]) / n;
    }
    return sums[2][s->n - 1] == 0.0 ? NAN : value;
}
static double aroon(const double *end, int n, double sign) {
    int best = 1;
    for (int i = 2; i <= n + 1; i++)
        if (sign * end[-i] > sign * end[-best]) best = i;
    return 100.0 * (n - (best - 1)) / n;
}
static double aroon_up(const struct bar_slice *s, int n) { return aroon(s->h, n, 1.0); }
static double aroon_down(const struct bar_slice *s, int n) { return aroon(s->l, n, -1.0); }

static double supertrend(const struct bar_slice *s, int n) {
    double atr[128], over[128], under[128], line = NAN;
    const double *h = s->h - s->n, *l = s->l - s->n, *c = s->c - s->n;
    bool up = false;
    bar_atr(s, n, atr);
    for (int i = n; i < s->n; i++) {
        double m = (h[i] + l[i]) / 2.0;
        over[i] = m + 3.0 * atr[i];
        under[i] = m - 3.0 * atr[i];
        if (i == n) {
            up = c[i] >= m;
        } else {
            if (over[i] >= over[i - 1] && c[i - 1] <= over[i - 1]) over[i] = over[i - 1];
            if (under[i] <= under[i - 1] && c[i - 1] >= under[i - 1]) under[i] = under[i - 1];
            if (up && c[i] < under[i])
                up = false;
            else if (!up && c[i] > over[i])
                up = true;
        }
        line = up ? under[i] : over[i];
    }
    return bps(c[s->n - 1], line);
}

static double psar(const struct bar_slice *s, int n) {
    const double *h = s->h - s->n, *l = s->l - s->n;
    bool rising = !(l[0] > l[1] && l[0] - l[1] > h[1] - h[0]);
    double next = rising ? l[0] : h[0], peak = rising ? h[1] : l[1], af = 0.02, stop = NAN;
    (void)n;
    for (int i = 1; i < s->n; i++) {
        int j = i == 1 ? 1 : i - 1;
        bool hit = rising ? l[i] <= next : h[i] >= next;
        stop = next;
        if (hit) {
            rising = !rising;
            stop = rising ? fmin(peak, fmin(l[i], l[j])) : fmax(peak, fmax(h[i], h[j]));
            peak = rising ? h[i] : l[i];
            af = 0.02;
        } else if (rising ? h[i] > peak : l[i] < peak) {
            peak = rising ? h[i] : l[i];
            af = fmin(af + 0.02, 0.2);
        }
        next = stop + af * (peak - stop);
        next = rising ? fmin(next, fmin(l[i], l[j])) : fmax(next, fmax(h[i], h[j]));
    }
    return bps(s->c[-1], stop);
}

static double middle(const struct bar_slice *s, int back, int n) {
    double high = s->h[-back], low = s->l[-back];
    for (int i = back; i < back + n; i++) {
        high = fmax(high, s->h[-i]);
        low = fmin(low, s->l[-i]);
    }
    return (high + low) / 2.0;
}
static double line_of_middle(const struct bar_slice *s, int n) {
    return bps(s->c[-1], middle(s, 1, n));
}
static double cloud(const struct bar_slice *s, int n) {
    double a = (middle(s, 27, 9) + middle(s, 27, 26)) / 2.0, b = middle(s, 27, n), c = s->c[-1];
    if (c > fmax(a, b)) return bps(c, fmax(a, b));
    return c < fmin(a, b) ? bps(c, fmin(a, b)) : 0.0;
}
static const double steps[20] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
static double trend_slope(const struct bar_slice *s, int n) {
    return 1e4 * slope_of(steps, s->c - n, n) / mean_back(s->c, n);
}
static double trend_r2(const struct bar_slice *s, int n) { return r2_of(steps, s->c - n, n); }
static double hurst(const struct bar_slice *s, int n) {
    double x[5], y[5];
    for (int j = 0; j < 5; j++) {
        int lag = 1 << j;
        double sum = 0.0;
        for (int i = 1; i <= n - lag; i++) sum += fabs(s->c[-i] - s->c[-i - lag]);
        if (sum == 0.0) return NAN;
        x[j] = log(lag);
        y[j] = log(sum / (n - lag));
    }
    return slope_of(x, y, 5);
}

const struct bar_row naive_bar_trend[] = {
    {"sma_dist", 20, 20, sma_dist},
    {"sma_slope", 20, 21, sma_slope},
    {"ema_dist", 20, 120, ema_dist},
    {"ema_slope", 20, 120, ema_slope},
    {"wma_dist", 20, 20, wma_dist},
    {"dema_dist", 20, 120, dema_dist},
    {"tema_dist", 20, 120, tema_dist},
    {"kama_dist", 10, 120, kama_dist},
    {"kama_slope", 10, 120, kama_slope},
    {"hma_dist", 16, 19, hma_dist},
    {"hma_slope", 16, 20, hma_slope},
    {"macd", 26, 120, macd},
    {"macd_signal", 26, 120, macd_signal},
    {"macd_hist", 26, 120, macd_hist},
    {"adx", 14, 120, adx},
    {"di_plus", 14, 120, di_plus},
    {"di_minus", 14, 120, di_minus},
    {"aroon_up", 25, 26, aroon_up},
    {"aroon_down", 25, 26, aroon_down},
    {"trix", 15, 120, trix},
    {"supertrend_dist", 10, 120, supertrend},
    {"psar_dist", 1, 120, psar},
    {"ichimoku_tenkan_dist", 9, 9, line_of_middle},
    {"ichimoku_kijun_dist", 26, 26, line_of_middle},
    {"ichimoku_cloud_dist", 52, 78, cloud},
    {"trend_slope", 20, 20, trend_slope},
    {"trend_r2", 20, 20, trend_r2},
    {"trend_hurst", 64, 64, hurst},
    {0},
};
