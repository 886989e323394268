#include "learn/study/returns.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "learn/study/stats.h"

/* Variance of the Sharpe estimate times n - 1. */
static double sharpe_spread(double sharpe, double skew, double kurtosis) {
    return 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe * sharpe;
}

double psr(double sharpe, double benchmark, double n, double skew, double kurtosis) {
    double spread = sharpe_spread(sharpe, skew, kurtosis);
    if (!(spread > 0) || !(n > 1)) return NAN;
    return normal_cdf((sharpe - benchmark) * sqrt((n - 1) / spread));
}

double expected_max_sharpe(double trials, double variance) {
    static const double euler = 0.57721566490153286061, e = 2.71828182845904523536;
    if (!(trials > 1) || !(variance >= 0)) return 0;
    return sqrt(variance) * ((1 - euler) * normal_quantile(1 - 1 / trials) +
                                euler * normal_quantile(1 - 1 / (trials * e)));
}

double dsr(double sharpe, double n, double skew, double kurtosis, double trials, double variance) {
    return psr(sharpe, expected_max_sharpe(trials, variance), n, skew, kurtosis);
}

double min_track_record(
    double sharpe, double benchmark, double skew, double kurtosis, double alpha) {
    if (!(sharpe > benchmark)) return NAN;
    double z = normal_quantile(1 - alpha) / (sharpe - benchmark);
    return 1 + sharpe_spread(sharpe, skew, kurtosis) * z * z;
}

double returns_drawdown(const double *r, size_t n) {
    double equity = 1, top = 1, worst = 0;
    for (size_t i = 0; i < n; i++) {
        equity *= 1 + r[i];
        if (equity > top) top = equity;
        double fall = 1 - equity / top;
        if (fall > worst) worst = fall;
    }
    return worst;
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Days to years of 365.2425 days that begin in March, so that the leap day comes last. */
int64_t calendar_month(int64_t ns) {
    int64_t day = floor_div(ns, 86400 * (int64_t)1000000000) + 719468; /* since 0000-03-01 */
    int64_t era = floor_div(day, 146097), of_era = day - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t march = (5 * of_year + 2) / 153; /* 0 = March */
    return (year + era * 400) * 12 + march + 2;
}

struct span {
    int64_t id;
    double sum, wins;
    size_t counted;
};

/* Closes the span when its id changes (or at the end). */
static void span_add(struct span *s, int64_t id, double r, bool end) {
    if (end || id != s->id) {
        s->counted += s->sum > 0 || s->sum < 0;
        s->wins += s->sum > 0;
        s->sum = 0;
        s->id = id;
    }
    s->sum += r;
}

struct calendar_metrics returns_calendar(
    const double *r, size_t n, int64_t first_ns, int64_t period_ns) {
    struct span day = {.id = INT64_MIN}, month = {.id = INT64_MIN};
    double worst = 0;
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t t = first_ns + (int64_t)i * period_ns; /* a period belongs to where it begins */
        int64_t m = calendar_month(t);
        if (i && m != month.id) {
            worst = fmax(worst, returns_drawdown(r + from, i - from));
            from = i;
        }
        span_add(&day, floor_div(t, 86400 * (int64_t)1000000000), r[i], false);
        span_add(&month, m, r[i], false);
    }
    span_add(&day, 0, 0, true);
    span_add(&month, 0, 0, true);
    if (n) worst = fmax(worst, returns_drawdown(r + from, n - from));
    struct calendar_metrics c = {day.counted, month.counted, NAN, NAN, NAN};
    if (c.days >= CALENDAR_DAYS) c.daily_wins = day.wins / (double)c.days;
    if (c.months >= CALENDAR_MONTHS) {
        c.monthly_wins = month.wins / (double)c.months;
        c.monthly_drawdown = worst;
    }
    return c;
}

static void moments(const double *r, size_t n, struct return_metrics *m) {
    double mean = stats_mean(r, n), m2 = 0, m3 = 0, m4 = 0;
    for (size_t i = 0; i < n; i++) {
        double d = r[i] - mean;
        m2 += d * d;
        m3 += d * d * d;
        m4 += d * d * d * d;
    }
    double k = (double)n;
    m2 /= k, m3 /= k, m4 /= k;
    m->skew = m2 > 0 ? m3 / (m2 * sqrt(m2)) : NAN;
    m->kurtosis = m2 > 0 ? m4 / (m2 * m2) : NAN;
}

static void wins(const double *r, size_t n, struct return_metrics *m) {
    double gain = 0, loss = 0, down = 0;
    size_t up = 0, low = 0;
    for (size_t i = 0; i < n; i++) {
        if (r[i] > 0) gain += r[i], up++;
        if (r[i] < 0) loss -= r[i], low++, down += r[i] * r[i];
    }
    m->hit_rate = up + low ? (double)up / (double)(up + low) : NAN;
    m->payoff = up && low ? gain / (double)up / (loss / (double)low) : NAN;
    double deviation = n ? sqrt(down / (double)n) : 0;
    m->sortino = deviation > 0 ? stats_mean(r, n) / deviation : NAN;
}

static double sharpe_of(const double *r, const uint32_t *index, size_t n) {
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) sum += r[index[i]];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) square += (r[index[i]] - mean) * (r[index[i]] - mean);
    return square > 0 ? mean / sqrt(square / (double)(n - 1)) : NAN;
}

static void sharpe_band(
    const double *r, size_t n, size_t repeats, uint64_t seed, double *lo, double *hi) {
    uint32_t *index = mem_alloc(n * sizeof *index);
    double *value = mem_alloc((repeats + 1) * sizeof *value), block;
    struct dice dice = {seed};
    size_t k = 0;
    block = stats_block_length(r, n).stationary;
    for (size_t b = 0; b < repeats; b++) {
        dice_blocks(&dice, block, n, index);
        double s = sharpe_of(r, index, n);
        if (isfinite(s)) value[k++] = s;
    }
    stats_sort(value, k);
    *lo = stats_quantile(value, k, 0.025);
    *hi = stats_quantile(value, k, 0.975);
    free(index);
    free(value);
}

struct return_metrics returns_measure(
    const double *r, size_t n, double periods, size_t bootstrap, uint64_t seed) {
    struct return_metrics m = {.n = n};
    double year = sqrt(periods), equity = 1, sd = stats_sd(r, n), mean = stats_mean(r, n);
    for (size_t i = 0; i < n; i++) equity *= 1 + r[i];
    m.total = n ? equity - 1 : NAN;
    m.annual_return = n && equity > 0 ? expm1(log(equity) * periods / (double)n) : NAN;
    m.annual_volatility = sd * year;
    m.sharpe_period = sd > 0 ? mean / sd : NAN;
    m.sharpe = m.sharpe_period * year;
    m.max_drawdown = n ? returns_drawdown(r, n) : NAN;
    m.calmar = m.max_drawdown > 0 ? m.annual_return / m.max_drawdown : NAN;
    moments(r, n, &m);
    wins(r, n, &m);
    m.sortino *= year;
    m.sharpe_lo = m.sharpe_hi = NAN;
    if (n >= 8 && sd > 0 && bootstrap) {
        sharpe_band(r, n, bootstrap, seed, &m.sharpe_lo, &m.sharpe_hi);
        m.sharpe_lo *= year;
        m.sharpe_hi *= year;
    }
    m.psr = psr(m.sharpe_period, 0, (double)n, m.skew, m.kurtosis);
    m.min_track = min_track_record(m.sharpe_period, 0, m.skew, m.kurtosis, 0.05);
    return m;
}
