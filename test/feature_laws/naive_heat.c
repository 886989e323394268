/* The heat map of trades and the graph rows again, from the arrays of all that happened. */
#include <stdlib.h>

#include "base/dmath.h"
#include "feature_laws/world.h"

/* --- heat ------------------------------------------------------------------------------------ */

enum { CELLS_MAX = 4096 };
#define SLICE (10 * NS_PER_S)
__extension__ typedef __int128 wide;

struct naive_cell {
    int64_t slice, bin, buy, sell;
};
struct map {
    struct naive_cell cell[CELLS_MAX];
    size_t n;
    int64_t now;
    int64_t qty[2];
    wide value[2];
    double age[2];
};

static int64_t bin_of(double px) { return (int64_t)floor(1e4 * dm_log(px)); }

/* The map at the close of bucket k; false before it is whole, without trades, with a full slice. */
static bool map_at(const struct world *w, size_t k, struct map *m) {
    const struct world_trade *t = w->trade;
    size_t end = w->bucket[k].trades, used[31] = {0};
    m->n = 0;
    m->now = last_ns(&w->bucket[k].b) / SLICE;
    m->qty[0] = m->qty[1] = 0;
    m->value[0] = m->value[1] = 0;
    m->age[0] = m->age[1] = 0.0;
    int64_t first = last_ns(&w->bucket[0].b) / SLICE;
    if (w->print_ns && w->print_ns / SLICE < first) first = w->print_ns / SLICE;
    if (m->now - 30 < first) return false;
    for (size_t i = end; i-- > 0 && t[i].ns / SLICE > m->now - 30;) {
        int64_t slice = t[i].ns / SLICE, bin = bin_of(instrument_px(&w->inst, (price_t){t[i].px}));
        size_t at = 0;
        while (at < m->n && (m->cell[at].slice != slice || m->cell[at].bin != bin)) at++;
        if (at == CELLS_MAX) abort();
        if (at == m->n) {
            m->cell[m->n++] = (struct naive_cell){slice, bin, 0, 0};
            if (++used[m->now - slice] > 64) return false;
        }
        if (t[i].buy)
            m->cell[at].buy += t[i].lots;
        else
            m->cell[at].sell += t[i].lots;
        m->qty[t[i].buy] += t[i].lots;
        m->value[t[i].buy] += (wide)t[i].px * t[i].lots;
        m->age[t[i].buy] += 10.0 * (double)(m->now - slice) * (double)t[i].lots;
    }
    return m->n > 0;
}

/* Slope of bought minus sold over the 30 slices, of the mean volume of one. */
static double slope_over_time(const struct map *m) {
    double x[30], y[30] = {0.0}, all = 0.0;
    for (int i = 0; i < 30; i++) x[i] = i;
    for (size_t i = 0; i < m->n; i++) {
        y[29 - (m->now - m->cell[i].slice)] += (double)(m->cell[i].buy - m->cell[i].sell);
        all += (double)(m->cell[i].buy + m->cell[i].sell);
    }
    double slope = slope_of(x, y, 30);
    return (sd_of(y, 30) == 0.0 ? 0.0 : slope) / (all / 30.0);
}

static double drift_of(const struct world *w, size_t k, const struct map *m, double mean_px) {
    double v[30] = {0.0}, all = 0.0, mean = 0.0, xy = 0.0, xx = 0.0;
    wide value[30] = {0};
    for (size_t i = w->bucket[k].trades; i-- > 0 && w->trade[i].ns / SLICE > m->now - 30;) {
        int at = (int)(29 - (m->now - w->trade[i].ns / SLICE));
        v[at] += (double)w->trade[i].lots;
        value[at] += (wide)w->trade[i].px * w->trade[i].lots;
    }
    for (int i = 0; i < 30; i++) all += v[i];
    for (int i = 0; i < 30; i++) mean += v[i] / all * 10.0 * i;
    for (int i = 0; i < 30; i++) {
        if (v[i] == 0.0) continue;
        double px = (double)value[i] / v[i];
        xy += v[i] * (10.0 * i - mean) * (px / mean_px - 1.0);
        xx += v[i] * (10.0 * i - mean) * (10.0 * i - mean);
    }
    return 1e4 * quotient(xy, xx);
}

static double heat(const struct world *w, size_t k, int what) {
    static struct map m;
    static const struct world_trade *of;
    static size_t bucket;
    static bool known;
    if (of != w->trade || bucket != k) known = map_at(w, k, &m);
    of = w->trade;
    bucket = k;
    if (!known) return NAN;
    double volume = (double)(m.qty[0] + m.qty[1]), unit = instrument_px_unit(&w->inst);
    double sell = quotient((double)m.value[0], (double)m.qty[0]);
    double buy = quotient((double)m.value[1], (double)m.qty[1]);
    double all = (double)(m.value[0] + m.value[1]) / volume;
    double entropy = 0.0, peak = 0.0, sweep = 0.0;
    for (size_t i = 0; i < m.n; i++) {
        double v = (double)(m.cell[i].buy + m.cell[i].sell);
        double d = (double)(m.cell[i].buy - m.cell[i].sell);
        entropy -= v / volume * log(v / volume);
        peak = fmax(peak, v / volume);
        if (m.cell[i].bin != bin_of(all * unit))
            sweep += m.cell[i].bin > bin_of(all * unit) ? d : -d;
    }
    switch (what) {
    case 0: return 1e4 * (buy * unit / b_px(w, k) - 1.0);
    case 1: return 1e4 * (sell * unit / b_px(w, k) - 1.0);
    case 2: return 1e4 * (buy / sell - 1.0);
    case 3: return quotient(m.age[1], (double)m.qty[1]);
    case 4: return quotient(m.age[0], (double)m.qty[0]);
    case 5: return entropy;
    case 6: return peak;
    case 7: return (double)m.n;
    case 8: return slope_over_time(&m);
    case 9: return sweep / volume;
    default: return drift_of(w, k, &m, all);
    }
}

/* --- graph ----------------------------------------------------------------------------------- */

static double lasts(const struct world *w, size_t k) {
    return (double)(w->bucket[k].b.close_ts.ns - w->bucket[k].b.open_ts.ns) / 1e9;
}
static double next_duration(const struct world *w, size_t k, int n) {
    return over(w, k, n, lasts) / n;
}
static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double tier(const struct world *w, size_t k, int n) {
    double x[100];
    if (k + 1 < (size_t)n) return NAN;
    for (int i = 0; i < n; i++) {
        size_t at = k - (size_t)i;
        if (lasts(w, at) == 0.0) return NAN;
        x[i] = b_volume(w, at) * instrument_qty_unit(&w->inst) / lasts(w, at);
    }
    qsort(x, (size_t)n, sizeof x[0], ascending);
    double median = x[n / 2 - 1];
    return median >= 10.0 ? 3.0 : median >= 1.0 ? 2.0 : median >= 0.1 ? 1.0 : 0.0;
}

static bool leaves(const struct world *w, size_t k, int side, double *share) {
    const struct level_list *l = &w->bucket[k].side[side];
    double all = 0.0;
    if (w->bucket[k].side[0].n < 16 || w->bucket[k].side[1].n < 16) return false;
    for (size_t i = 0; i < 16; i++) all += (double)l->l[i].qty.lots;
    for (size_t i = 0; i < 16; i++) share[i] = (double)l->l[i].qty.lots / all;
    return true;
}
/* Near half minus far half of every fork below (and with) this one. */
static double forks(const double *share, int n) {
    double near = 0.0, far = 0.0;
    if (n == 1) return 0.0;
    for (int i = 0; i < n / 2; i++) near += share[i], far += share[n / 2 + i];
    return near - far + forks(share, n / 2) + forks(share + n / 2, n / 2);
}
static double tree_skew(const struct world *w, size_t k, int side) {
    double share[16];
    return leaves(w, k, side, share) ? forks(share, 16) / 4.0 : NAN;
}
static double tree_entropy(const struct world *w, size_t k, int n) {
    double all = 0.0, sum = 0.0, share[16];
    if (!leaves(w, k, 0, share)) return NAN;
    for (int i = 0; i < 2 * n; i++) all += (double)w->bucket[k].side[i / n].l[i % n].qty.lots;
    for (int i = 0; i < 2 * n; i++) {
        double p = (double)w->bucket[k].side[i / n].l[i % n].qty.lots / all;
        sum -= p * log(p);
    }
    return sum;
}
static double nodes_off(const double *a, const double *b, int n) {
    double sum = 0.0;
    for (int i = 0; i < n; i++) sum += a[i] - b[i];
    if (n == 1) return fabs(sum);
    double below = nodes_off(a, b, n / 2) + nodes_off(a + n / 2, b + n / 2, n / 2);
    return n == 16 ? below : fabs(sum) + below;
}
static double tree_change(const struct world *w, size_t k, int n) {
    double a[16], b[16], sum = 0.0;
    for (int side = 0; side < 2; side++) {
        if (k == 0 || !leaves(w, k, side, a) || !leaves(w, k - 1, side, b)) return NAN;
        sum += nodes_off(a, b, n) / 8.0;
    }
    return sum;
}

static double book_imbalance(const struct world *w, size_t k) {
    double q[2] = {0.0, 0.0};
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < 5 && i < w->bucket[k].side[side].n; i++)
            q[side] += (double)w->bucket[k].side[side].l[i].qty.lots;
    return quotient(q[0] - q[1], q[0] + q[1]);
}
static double corr(const double *x, const double *y, int n) {
    double mx = mean_of(x, n), my = mean_of(y, n), sum = 0.0;
    for (int i = 0; i < n; i++) sum += (x[i] - mx) * (y[i] - my);
    return sum / n / (sd_of(x, n) * sd_of(y, n));
}

/* All edges of bucket k; the last asked is kept. */
static bool edges(const struct world *w, size_t k, double e[4][4]) {
    static double (*const node[4])(const struct world *, size_t) = {
        b_signed, b_ret, book_imbalance, b_volume};
    static double kept[4][4], x[4][60];
    static const struct world_bucket *of;
    static size_t bucket;
    static bool known;
    if (of != w->bucket || bucket != k) {
        known = true;
        for (int i = 0; i < 4 && known; i++) known = window(w, k, 60, node[i], x[i]);
        for (int i = 0; i < 4 && known; i++)
            known = sd_of(x[i], 59) > 0.0 && sd_of(x[i] + 1, 59) > 0.0;
        for (int i = 0; i < 16 && known; i++) {
            const double *from = x[i / 4], *to = x[i % 4];
            if (i / 4 == i % 4) continue;
            double own = corr(to, to + 1, 59), lead = corr(from, to + 1, 59);
            double both = corr(from, to, 59), rest = (1.0 - own * own) * (1.0 - both * both);
            known = rest > 1e-9;
            kept[i / 4][i % 4] = (lead - own * both) / sqrt(rest);
        }
        of = w->bucket;
        bucket = k;
    }
    for (int i = 0; i < 16; i++) e[i / 4][i % 4] = kept[i / 4][i % 4];
    return known;
}
static double graph(const struct world *w, size_t k, int what) {
    double e[4][4], count[4][2] = {{0.0}}, all = 0.0;
    if (!edges(w, k, e)) return NAN;
    for (int i = 0; i < 16; i++) {
        if (i / 4 == i % 4 || fabs(e[i / 4][i % 4]) * sqrt(59.0) <= 2.0) continue;
        all += 1.0;
        count[i / 4][0] += 1.0;
        count[i % 4][1] += 1.0;
    }
    const double v[8] = {all, count[0][0] - count[0][1], count[2][0] - count[2][1], count[1][1],
        e[0][1], e[2][1], e[1][0], e[2][0] * e[0][1]};
    return v[what];
}

const struct naive_row naive_heat[] = {
    {"heat_com_buy_s300", heat, 0},
    {"heat_com_sell_s300", heat, 1},
    {"heat_com_gap_s300", heat, 2},
    {"heat_age_buy_s300", heat, 3},
    {"heat_age_sell_s300", heat, 4},
    {"heat_entropy_s300", heat, 5},
    {"heat_peak_share_s300", heat, 6},
    {"heat_cells_s300", heat, 7},
    {"heat_sweep_time_s300", heat, 8},
    {"heat_sweep_price_s300", heat, 9},
    {"heat_drift_s300", heat, 10},
    {"graph_next_duration_b10", next_duration, 10},
    {"graph_tier_b100", tier, 100},
    {"graph_tree_skew_bid", tree_skew, 0},
    {"graph_tree_skew_ask", tree_skew, 1},
    {"graph_tree_entropy", tree_entropy, 16},
    {"graph_tree_change_b1", tree_change, 16},
    {"graph_edges_b60", graph, 0},
    {"graph_flow_net_b60", graph, 1},
    {"graph_book_net_b60", graph, 2},
    {"graph_price_in_b60", graph, 3},
    {"graph_flow_to_price_b60", graph, 4},
    {"graph_book_to_price_b60", graph, 5},
    {"graph_price_to_flow_b60", graph, 6},
    {"graph_book_flow_price_b60", graph, 7},
    {0},
};
