/* Volume across price, large trades, returns of hours again, from the arrays of all that happened.
 */
#include <stdlib.h>

#include "base/dmath.h"
#include "feature_laws/world.h"

/* Trades of buckets k-n+1..k: first and one past the last. */
static size_t trades_of(const struct world *w, size_t k, int n, size_t *end) {
    *end = w->bucket[k].trades;
    return k >= (size_t)n ? w->bucket[k - (size_t)n].trades : 0;
}

static double price_sd(const struct world *w, size_t k, int n) {
    size_t end, from = trades_of(w, k, n, &end);
    double volume = 0.0, offset = 0.0, sum = 0.0;
    if (k + 1 < (size_t)n || from == end) return NAN;
    for (size_t i = from; i < end; i++) {
        volume += (double)w->trade[i].lots;
        offset += (double)(w->trade[i].px - w->trade[from].px) * (double)w->trade[i].lots;
    }
    offset /= volume;
    for (size_t i = from; i < end; i++) {
        double d = (double)(w->trade[i].px - w->trade[from].px) - offset;
        sum += d * d * (double)w->trade[i].lots;
    }
    return 1e4 * sqrt(sum / volume) / ((double)w->trade[from].px + offset);
}

static double price_map(const struct world *w, size_t k, int what) {
    static int64_t bin[4096];
    static double qty[4096];
    size_t end, from = trades_of(w, k, 1, &end), n = 0;
    double volume = 0.0, entropy = 0.0, peak = 0.0;
    for (size_t i = from; i < end; i++) {
        int64_t b =
            (int64_t)floor(1e4 * dm_log(instrument_px(&w->inst, (price_t){w->trade[i].px})));
        size_t at = 0;
        while (at < n && bin[at] != b) at++;
        if (at == 4096) abort();
        if (at == n) qty[n++] = 0.0;
        bin[at] = b;
        qty[at] += (double)w->trade[i].lots;
        volume += (double)w->trade[i].lots;
    }
    if (n == 0 || n > 128) return NAN;
    for (size_t i = 0; i < n; i++) {
        entropy -= qty[i] / volume * log(qty[i] / volume);
        peak = fmax(peak, qty[i] / volume);
    }
    return what == 0 ? (double)n : what == 1 ? entropy : peak;
}

/* The start of the step of a size: sixteen to an octave. */
static double step_of(const struct world *w, int64_t lots) {
    double qty = instrument_qty(&w->inst, (qty_t){lots}), octave = floor(log2(qty));
    return exp2(octave) * (1.0 + floor(qty / exp2(octave) * 16.0 - 16.0) / 16.0);
}
static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
/* Large volume of bucket k against the 512 trades before it. */
static double large(const struct world *w, size_t k) {
    double x[512], sum = 0.0;
    if (k == 0 || w->bucket[k - 1].trades < 512) return NAN;
    size_t before = w->bucket[k - 1].trades;
    for (size_t i = 0; i < 512; i++) x[i] = step_of(w, w->trade[before - 512 + i].lots);
    qsort(x, 512, sizeof x[0], ascending);
    for (size_t i = before; i < w->bucket[k].trades; i++)
        if (instrument_qty(&w->inst, (qty_t){w->trade[i].lots}) >= x[486])
            sum += (double)w->trade[i].lots;
    return sum;
}
static double large_share(const struct world *w, size_t k, int n) {
    return quotient(over(w, k, n, large), over(w, k, n, b_volume));
}

/* The price at the last close in the minute or, if it had none, before it. */
static double hours(const struct world *w, size_t k, int minutes) {
    int64_t then = last_ns(&w->bucket[k].b) / (60 * NS_PER_S) - minutes;
    if (last_ns(&w->bucket[0].b) / (60 * NS_PER_S) > then) return NAN;
    size_t at = k;
    while (last_ns(&w->bucket[at].b) / (60 * NS_PER_S) > then) at--;
    return 1e4 * log(b_px(w, k) / b_px(w, at));
}

const struct naive_row naive_more[] = {
    {"flow_price_sd_b1", price_sd, 1},
    {"flow_price_sd_b5", price_sd, 5},
    {"flow_price_sd_b20", price_sd, 20},
    {"flow_price_bins_b1", price_map, 0},
    {"flow_price_entropy_b1", price_map, 1},
    {"flow_price_peak_share_b1", price_map, 2},
    {"flow_large_q95_share_b1", large_share, 1},
    {"flow_large_q95_share_b20", large_share, 20},
    {"ret_h1", hours, 60},
    {"ret_h4", hours, 240},
    {0},
};
