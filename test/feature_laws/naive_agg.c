/* Aggregates from a second to a day again, agg_<what>_<width>: each from the plain list of trades.
 */
#include <string.h>

#include "feature_laws/world.h"

struct grid {                 /* whole steps that are over at a close */
    int64_t step, first, end; /* numbers of the first usable step and of the open one */
};

static size_t trades_before(const struct world *w, int64_t ns) {
    size_t low = 0, high = w->trades;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (w->trade[mid].ns < ns)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* The last price before the step `x` begins. */
static double px_before(const struct world *w, const struct grid *g, int64_t x) {
    return (double)w->trade[trades_before(w, x * g->step) - 1].px;
}

static double ret_between(const struct world *w, const struct grid *g, int64_t a, int64_t b) {
    return 1e4 * log(px_before(w, g, b) / px_before(w, g, a));
}

static double range_of(const struct world *w, const struct grid *g, int64_t from) {
    double high = 0.0, low = INFINITY;
    for (int64_t x = from; x < g->end; x++) {
        size_t a = trades_before(w, x * g->step), b = trades_before(w, (x + 1) * g->step);
        if (a == b) a--; /* silent: the price before */
        for (; a < b; a++) {
            high = fmax(high, (double)w->trade[a].px);
            low = fmin(low, (double)w->trade[a].px);
        }
    }
    return 1e4 * log(high / low);
}

static double flow_of(const struct world *w, const struct grid *g, int64_t from, double sell) {
    double sum = 0.0;
    size_t end = trades_before(w, g->end * g->step);
    for (size_t i = trades_before(w, from * g->step); i < end; i++)
        sum += (double)w->trade[i].lots * (w->trade[i].buy ? 1.0 : sell);
    return sum;
}

static double agg_of(const struct world *w, const struct grid *g, const char *what, int64_t n) {
    int64_t lag = strncmp(what, "return_lag", 10) == 0 ? what[10] - '0' : 0;
    int64_t end = g->end - lag * n, from = end - n;
    double sum = 0.0;
    if (from - 1 < g->first) return NAN;
    if (strncmp(what, "return", 6) == 0) return ret_between(w, g, from, end);
    if (strncmp(what, "range_", 6) == 0) return range_of(w, g, from);
    double volume = flow_of(w, g, from, 1.0);
    if (strncmp(what, "volume_", 7) == 0) return volume * instrument_qty_unit(&w->inst);
    if (strncmp(what, "imbalance_", 10) == 0) return quotient(flow_of(w, g, from, -1.0), volume);
    for (int64_t x = from; x < end; x++) sum += pow(ret_between(w, g, x, x + 1), 2.0);
    return sqrt(sum);
}

bool naive_agg_value(const struct world *w, const char *name, size_t k, double *out) {
    static const struct {
        const char *tag;
        int64_t step_s, n;
    } widths[] = {{"_s1", 1, 1}, {"_s10", 1, 10}, {"_m1", 1, 60}, {"_m5", 60, 5}, {"_m15", 60, 15},
        {"_h1", 60, 60}, {"_d1", 900, 96}};
    if (strncmp(name, "agg_", 4) != 0) return false;
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        if (strcmp(strrchr(name, '_'), widths[i].tag) != 0) continue;
        struct grid g = {widths[i].step_s * NS_PER_S, 0, 0};
        *out = NAN;
        if (w->bucket[k].trades == 0) return true;
        g.first = w->trade[0].ns / g.step + 1;
        g.end = w->bucket[k].b.close_ts.ns / g.step;
        *out = agg_of(w, &g, name + 4, widths[i].n);
        return true;
    }
    return false;
}
