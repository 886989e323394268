/* The footprint again, from the array of all trades. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/dmath.h"
#include "feature_laws/world.h"

struct spot { /* a price bin */
    int64_t bin;
    double volume, net;
};

/* The same logarithm, so that a price on a border falls on the same side. */
static int64_t bin_of(const struct world *w, int64_t px) {
    return (int64_t)floor(dm_log(instrument_px(&w->inst, (price_t){px})) / 2e-4);
}

static int larger(const void *a, const void *b) {
    const struct spot *x = a, *y = b;
    if (x->volume != y->volume) return x->volume < y->volume ? 1 : -1;
    return (x->bin > y->bin) - (x->bin < y->bin);
}

/* Bins of trades from..to-1, the largest first. The caller frees. */
static size_t spots_of(const struct world *w, size_t from, size_t to, struct spot **out) {
    struct spot *s = calloc(to - from + 1, sizeof *s);
    size_t n = 0;
    CHECK(s);
    for (size_t i = from; i < to; i++) {
        const struct world_trade *t = &w->trade[i];
        int64_t bin = bin_of(w, t->px);
        size_t at = 0;
        while (at < n && s[at].bin != bin) at++;
        if (at == n) s[n++].bin = bin;
        s[at].volume += (double)t->lots;
        s[at].net += t->buy ? (double)t->lots : -(double)t->lots;
    }
    qsort(s, n, sizeof *s, larger);
    *out = s;
    return n;
}

static size_t bucket_spots(const struct world *w, size_t k, struct spot **s) {
    return spots_of(w, k ? w->bucket[k - 1].trades : 0, w->bucket[k].trades, s);
}
static double delta(const struct world *w, size_t k, int unused) {
    struct spot *s;
    double d = NAN;
    (void)unused;
    if (bucket_spots(w, k, &s)) d = s[0].net / s[0].volume;
    free(s);
    return d;
}
static double concentration(const struct world *w, size_t k, int unused) {
    struct spot *s;
    double sum = 0.0, squares = 0.0;
    (void)unused;
    for (size_t i = 0, n = bucket_spots(w, k, &s); i < n; i++) {
        sum += s[i].volume;
        squares += s[i].volume * s[i].volume;
    }
    free(s);
    return quotient(squares, sum * sum);
}

/* --- minutes --------------------------------------------------------------------------------- */

/* First trade that is not before `ns`. */
static size_t trade_at(const struct world *w, int64_t ns) {
    size_t lo = 0, hi = w->trades;
    while (lo < hi) {
        size_t half = (lo + hi) / 2;
        if (w->trade[half].ns < ns)
            lo = half + 1;
        else
            hi = half;
    }
    return lo;
}
#define MINUTE (60 * NS_PER_S)
#define PERIOD (300 * NS_PER_S)

struct span {
    double volume, net, high, low, close;
};
static struct span minutes_of(const struct world *w, int64_t from, int64_t to) {
    struct span s = {0, 0, -INFINITY, INFINITY, NAN};
    size_t end = trade_at(w, to * MINUTE);
    for (size_t i = trade_at(w, from * MINUTE); i < end; i++) {
        const struct world_trade *t = &w->trade[i];
        s.volume += (double)t->lots;
        s.net += t->buy ? (double)t->lots : -(double)t->lots;
        s.high = fmax(s.high, (double)t->px);
        s.low = fmin(s.low, (double)t->px);
    }
    s.close = end ? (double)w->trade[end - 1].px : NAN;
    return s;
}
static bool busy(const struct world *w, int64_t m) {
    return minutes_of(w, m, m + 1).volume > minutes_of(w, m - 60, m).volume / 60.0;
}
static bool absorbs(const struct world *w, int64_t m) {
    struct span s = minutes_of(w, m, m + 1);
    return busy(w, m) && fabs(s.net) < 0.2 * s.volume && (s.high - s.low) * 1e4 < 5.0 * s.low;
}
/* The push of minute m failed in minute m + 1. */
static bool exhausts(const struct world *w, int64_t m) {
    struct span s = minutes_of(w, m, m + 1), after = minutes_of(w, m + 1, m + 2);
    return busy(w, m) && fabs(s.net) > 0.7 * s.volume && s.net * (after.close - s.close) < 0.0;
}
static double judged(const struct world *w, size_t k, int exhaustion) {
    int64_t now = last_ns(&w->bucket[k].b) / MINUTE, count = 0;
    if (w->trades == 0 || w->bucket[k].trades == 0) return NAN;
    if (now - w->trade[0].ns / MINUTE < 122) return NAN;
    for (int64_t m = now - 60; m < now; m++)
        count += exhaustion ? exhausts(w, m - 1) : absorbs(w, m);
    return (double)count;
}

/* --- levels ---------------------------------------------------------------------------------- */

struct dot {
    double bps, volume;
    int64_t period;
    bool core;
    int group;
};
struct naive_level {
    double ln, volume;
    int64_t last;
};
enum { DOTS = 600 };
/* The levels of the last period asked for, one a span: neighbouring buckets ask for the same. */
static struct {
    const struct world_trade *of;
    size_t trades;
    int64_t period;
    double volume;
    size_t n;
    struct naive_level level[DOTS];
} held[3];

static size_t dots_of(const struct world *w, int64_t from, int64_t to, struct dot *d) {
    size_t n = 0;
    for (int64_t p = from; p < to; p++) {
        struct spot *s;
        size_t have = spots_of(w, trade_at(w, p * PERIOD), trade_at(w, (p + 1) * PERIOD), &s);
        for (size_t i = 0; i < have && i < 2; i++)
            d[n++] = (struct dot){2.0 * (double)s[i].bin, s[i].volume, p, false, -1};
        free(s);
    }
    return n;
}

static bool close_by(const struct dot *a, const struct dot *b) {
    return fabs(a->bps - b->bps) <= 5.0;
}

/* Cores in reach of each other carry the number of the first of them; a dot that is no core takes
 * the least number among the cores in its reach. */
static void group(struct dot *d, size_t n, int least) {
    for (size_t i = 0; i < n; i++) {
        int met = 0;
        for (size_t j = 0; j < n; j++) met += close_by(&d[i], &d[j]);
        d[i].core = met >= least;
        if (d[i].core) d[i].group = (int)i;
    }
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n && d[i].core; j++)
                if (d[j].core && close_by(&d[i], &d[j]) && d[j].group < d[i].group) {
                    d[i].group = d[j].group;
                    more = true;
                }
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n && !d[i].core; j++)
            if (d[j].core && close_by(&d[i], &d[j]) && (d[i].group < 0 || d[j].group < d[i].group))
                d[i].group = d[j].group;
}

/* False until `span` whole periods lie behind the one of the first trade. */
static bool levels_of(const struct world *w, size_t k, int which) {
    static const int64_t spans[3] = {12, 48, 288};
    static struct dot d[DOTS];
    int64_t now = last_ns(&w->bucket[k].b) / PERIOD;
    if (w->trades == 0 || w->bucket[k].trades == 0) return false;
    if (now - w->trade[0].ns / PERIOD <= spans[which]) return false;
    if (held[which].of == w->trade && held[which].trades == w->trades && held[which].period == now)
        return true;
    size_t n = dots_of(w, now - spans[which], now, d);
    group(d, n, which == 0 ? 3 : which == 1 ? 6 : 24);
    memset(&held[which], 0, sizeof held[which]);
    held[which].of = w->trade;
    held[which].trades = w->trades;
    held[which].period = now;
    for (size_t i = 0; i < n; i++) held[which].volume += d[i].volume;
    for (size_t g = 0; g < n; g++) {
        struct naive_level l = {0, 0, 0};
        for (size_t i = 0; i < n; i++) {
            if (d[i].group != (int)g) continue;
            l.ln += d[i].volume * (d[i].bps + 1.0) * 1e-4;
            l.volume += d[i].volume;
            l.last = d[i].period;
        }
        l.ln /= l.volume;
        if (l.volume > 0.0) held[which].level[held[which].n++] = l;
    }
    return true;
}

static double off_bps(const struct world *w, size_t k, const struct naive_level *l) {
    return 1e4 * (l->ln - log(b_px(w, k)));
}
static double fade(const struct world *w, size_t k, const struct naive_level *l) {
    int64_t now = last_ns(&w->bucket[k].b) / PERIOD;
    return pow(2.0, -(double)(now - 1 - l->last) * 300.0 / 7200.0);
}
static const struct naive_level *nearest(const struct world *w, size_t k, int which, bool above) {
    const struct naive_level *best = NULL;
    if (!levels_of(w, k, which) || isnan(b_px(w, k))) return NULL;
    for (size_t i = 0; i < held[which].n; i++) {
        const struct naive_level *l = &held[which].level[i];
        double off = off_bps(w, k, l);
        if ((off >= 0.0) != above) continue;
        if (!best || fabs(off) < fabs(off_bps(w, k, best))) best = l;
    }
    return best;
}
static double distance(const struct world *w, size_t k, int which, bool above) {
    const struct naive_level *l = nearest(w, k, which, above);
    return l ? fabs(off_bps(w, k, l)) : NAN;
}
static double support(const struct world *w, size_t k, int n) { return distance(w, k, n, false); }
static double resistance(const struct world *w, size_t k, int n) { return distance(w, k, n, true); }
static double level_ratio(const struct world *w, size_t k, int which) {
    double sum[2] = {0.0, 0.0};
    if (!levels_of(w, k, which) || isnan(b_px(w, k))) return NAN;
    for (size_t i = 0; i < held[which].n; i++) {
        const struct naive_level *l = &held[which].level[i];
        double off = off_bps(w, k, l);
        sum[off >= 0.0] += l->volume * fade(w, k, l) * exp(-fabs(off) / 50.0);
    }
    return sum[0] > 0.0 && sum[1] > 0.0 ? log(sum[1]) - log(sum[0]) : NAN;
}
static double strength(const struct world *w, size_t k, int above) {
    const struct naive_level *l = nearest(w, k, 2, above);
    return l ? l->volume / held[2].volume * fade(w, k, l) : NAN;
}
static double age(const struct world *w, size_t k, int above) {
    const struct naive_level *l = nearest(w, k, 2, above);
    return l ? (double)(last_ns(&w->bucket[k].b) - (l->last + 1) * PERIOD) / 6e10 : NAN;
}

const struct naive_row naive_foot[] = {
    {"foot_delta_b1", delta, 1},
    {"foot_concentration_b1", concentration, 1},
    {"foot_absorption_h1", judged, 0},
    {"foot_exhaustion_h1", judged, 1},
    {"foot_support_distance_h1", support, 0},
    {"foot_support_distance_h4", support, 1},
    {"foot_support_distance_h24", support, 2},
    {"foot_resistance_distance_h1", resistance, 0},
    {"foot_resistance_distance_h4", resistance, 1},
    {"foot_resistance_distance_h24", resistance, 2},
    {"foot_level_ratio_h1", level_ratio, 0},
    {"foot_level_ratio_h4", level_ratio, 1},
    {"foot_level_ratio_h24", level_ratio, 2},
    {"foot_support_strength_h24", strength, 0},
    {"foot_resistance_strength_h24", strength, 1},
    {"foot_support_age_h24", age, 0},
    {"foot_resistance_age_h24", age, 1},
    {0},
};
