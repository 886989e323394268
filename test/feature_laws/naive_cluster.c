/* Clusters of trades again: by reach, from the array of all trades. */
#include "base/dmath.h"
#include "feature_laws/world.h"

enum { LAST = 128 };

static bool reach(const struct world_trade *a, const struct world_trade *b, int64_t newest) {
    double t = (double)(a->ns - newest) / 1e9 / 5.0 - (double)(b->ns - newest) / 1e9 / 5.0;
    double p = dm_log((double)a->px) * 1e4 / 10.0 - dm_log((double)b->px) * 1e4 / 10.0;
    double q = dm_log((double)a->lots) / 0.2 - dm_log((double)b->lots) / 0.2;
    return t * t + p * p + q * q <= 1.0;
}

/* Cores in reach of each other share the least number of theirs; others take the least in reach;
 * -1 where there is none. */
static void group(const struct world_trade *t, int *g) {
    static bool near[LAST][LAST];
    bool core[LAST];
    for (int i = 0; i < LAST; i++) {
        int met = 0;
        for (int j = 0; j < LAST; j++) met += near[i][j] = reach(&t[i], &t[j], t[LAST - 1].ns);
        core[i] = met >= 3;
        g[i] = core[i] ? i : -1;
    }
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < LAST; i++)
            for (int j = 0; j < LAST && core[i]; j++)
                if (core[j] && near[i][j] && g[j] < g[i]) {
                    g[i] = g[j];
                    more = true;
                }
    }
    for (int i = 0; i < LAST; i++)
        for (int j = 0; j < LAST && !core[i]; j++)
            if (core[j] && near[i][j] && (g[i] < 0 || g[j] < g[i])) g[i] = g[j];
}

struct found {
    double clusters, noise, all, trades, volume, net, seconds, range;
};

static struct found measure(const struct world_trade *t, const int *g) {
    struct found f = {0};
    for (int i = 0; i < LAST; i++) {
        f.all += (double)t[i].lots;
        f.noise += g[i] < 0;
    }
    for (int c = 0; c < LAST; c++) {
        double n = 0.0, volume = 0.0, net = 0.0, low = INFINITY, high = 0.0;
        int64_t first = INT64_MAX, last = 0;
        for (int i = 0; i < LAST; i++) {
            if (g[i] != c) continue;
            n += 1.0;
            volume += (double)t[i].lots;
            net += t[i].buy ? (double)t[i].lots : -(double)t[i].lots;
            low = fmin(low, (double)t[i].px);
            high = fmax(high, (double)t[i].px);
            first = t[i].ns < first ? t[i].ns : first;
            last = t[i].ns > last ? t[i].ns : last;
        }
        f.clusters += n > 0.0;
        if (n == 0.0 || volume <= f.volume) continue;
        f.trades = n;
        f.volume = volume;
        f.net = net;
        f.seconds = (double)(last - first) / 1e9;
        f.range = 1e4 * (high / low - 1.0);
    }
    return f;
}

/* The trades up to the last close that was the first of its ten seconds; kept for the next row. */
static bool found_at(const struct world *w, size_t k, struct found *f) {
    static const struct world_trade *of;
    static size_t end;
    static struct found held;
    int64_t ten = 10 * NS_PER_S;
    size_t j = k;
    while (j > 0 && last_ns(&w->bucket[j].b) / ten == last_ns(&w->bucket[j - 1].b) / ten) j--;
    if (j == 0 || w->bucket[j].trades < LAST) return false;
    const struct world_trade *t = &w->trade[w->bucket[j].trades - LAST];
    if (of != w->trade || end != w->bucket[j].trades) {
        int g[LAST];
        group(t, g);
        held = measure(t, g);
        of = w->trade;
        end = w->bucket[j].trades;
    }
    *f = held;
    return true;
}

static double cluster(const struct world *w, size_t k, int what) {
    struct found f;
    if (!found_at(w, k, &f)) return NAN;
    if (what == 0) return f.clusters;
    if (what == 1) return f.noise / LAST;
    if (f.clusters == 0.0) return NAN;
    const double v[] = {f.volume / f.all, f.trades, f.net / f.volume, f.seconds, f.range,
        quotient(f.trades, f.seconds)};
    return v[what - 2];
}

const struct naive_row naive_cluster[] = {
    {"cluster_count_e128", cluster, 0},
    {"cluster_noise_share_e128", cluster, 1},
    {"cluster_volume_share_e128", cluster, 2},
    {"cluster_trades_e128", cluster, 3},
    {"cluster_imbalance_e128", cluster, 4},
    {"cluster_duration_e128", cluster, 5},
    {"cluster_range_e128", cluster, 6},
    {"cluster_rate_e128", cluster, 7},
    {0},
};
