/* Realised variance on the clock of time again: every sample and every hour found anew. */
#include "feature_laws/world.h"

#define SECOND NS_PER_S
#define HOUR (3600 * SECOND)

/* 1e4 ln mid after the last message before t; NaN if that is over a minute ago. */
static double mid_before(const struct world *w, int64_t t) {
    size_t low = 0, high = w->messages; /* messages before low are before t */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (w->message[middle].ns < t)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return NAN;
    const struct world_message *m = &w->message[low - 1];
    if (!m->synced || !m->n[0] || !m->n[1] || t - m->ns > 60 * SECOND) return NAN;
    double mid =
        instrument_px(&w->inst, m->top[0][0].px) + instrument_px(&w->inst, m->top[1][0].px);
    return 1e4 * log(mid / 2.0);
}

/* The 60 returns of samples `step` seconds apart, absolute, newest first. */
static bool moves(const struct world *w, size_t k, int step, double *out) {
    int64_t t = w->bucket[k].b.close_ts.ns / (step * SECOND) * (step * SECOND);
    for (int i = 0; i < 60; i++) {
        out[i] = fabs(mid_before(w, t) - mid_before(w, t - step * SECOND));
        if (isnan(out[i])) return false;
        t -= step * SECOND;
    }
    return true;
}
static double var(const struct world *w, size_t k, int step) {
    double r[60], sum = 0.0;
    if (!moves(w, k, step, r)) return NAN;
    for (int i = 0; i < 60; i++) sum += r[i] * r[i];
    return sum;
}
static double bipower(const struct world *w, size_t k, int step) {
    double r[60], sum = 0.0;
    if (!moves(w, k, step, r)) return NAN;
    for (int i = 0; i < 59; i++) sum += r[i] * r[i + 1];
    return M_PI / 2.0 * 60.0 / 59.0 * sum;
}
static double medrv(const struct world *w, size_t k, int step) {
    double r[60], sum = 0.0;
    if (!moves(w, k, step, r)) return NAN;
    for (int i = 0; i < 58; i++) {
        double a = r[i], b = r[i + 1], c = r[i + 2];
        double median = fmax(fmin(a, b), fmin(fmax(a, b), c));
        sum += median * median;
    }
    return M_PI / (6.0 - 4.0 * sqrt(3.0) + M_PI) * 60.0 / 58.0 * sum;
}
static double jump(const struct world *w, size_t k, int step) {
    double all = var(w, k, step);
    return isnan(all) ? NAN : fmax(all - bipower(w, k, step), 0.0);
}
static double jump_ratio(const struct world *w, size_t k, int step) {
    return quotient(jump(w, k, step), var(w, k, step));
}

/* The bucket of the last close before t that has a price, of 0..k; -1 if there is none. */
static long close_before(const struct world *w, size_t k, int64_t t) {
    long low = 0, high = (long)k + 1;
    while (low < high) {
        long middle = (low + high) / 2;
        if (last_ns(&w->bucket[middle].b) < t)
            low = middle + 1;
        else
            high = middle;
    }
    while (--low >= 0 && isnan(b_px(w, (size_t)low))) continue;
    return low;
}
static bool has_close(const struct world *w, size_t k, int64_t from) {
    long at = close_before(w, k, from + HOUR);
    return at >= 0 && last_ns(&w->bucket[at].b) >= from;
}
/* Of the hour that starts at `from`; known only if it and the hour before have a close. */
static double hour_variance(const struct world *w, size_t k, int64_t from) {
    double sum = 0.0;
    if (!has_close(w, k, from) || !has_close(w, k, from - HOUR)) return NAN;
    for (int64_t t = from; t < from + HOUR; t += 300 * SECOND) {
        double a = b_px(w, (size_t)close_before(w, k, t));
        double b = b_px(w, (size_t)close_before(w, k, t + 300 * SECOND));
        sum += pow(1e4 * log(b / a), 2.0);
    }
    return sum;
}
static double har(const struct world *w, size_t k, int hours) {
    int64_t now = last_ns(&w->bucket[k].b) / HOUR * HOUR;
    double sum = 0.0;
    for (int i = 1; i <= hours && !isnan(sum); i++) sum += hour_variance(w, k, now - i * HOUR);
    return sum / hours;
}

const struct naive_row naive_rv_time[] = {
    {"rv_var_s60", var, 1},
    {"rv_bipower_s60", bipower, 1},
    {"rv_medrv_s60", medrv, 1},
    {"rv_jump_s60", jump, 1},
    {"rv_jump_ratio_s60", jump_ratio, 1},
    {"rv_var_s300", var, 5},
    {"rv_bipower_s300", bipower, 5},
    {"rv_medrv_s300", medrv, 5},
    {"rv_jump_s300", jump, 5},
    {"rv_jump_ratio_s300", jump_ratio, 5},
    {"rv_var_h1", var, 60},
    {"rv_bipower_h1", bipower, 60},
    {"rv_medrv_h1", medrv, 60},
    {"rv_jump_h1", jump, 60},
    {"rv_jump_ratio_h1", jump_ratio, 60},
    {"rv_har_h1", har, 1},
    {"rv_har_d1", har, 24},
    {"rv_har_w1", har, 168},
    {0},
};
