/* Support and resistance of closed bars again: swings sorted by price, runs of dense ones joined,
 * their neighbours given to the run that was begun earliest.
 */
#include <stdlib.h>

#include "feature_laws/world.h"

enum { MOST = 256 };

struct swing {
    double px;
    int time, bar, run; /* order of arrival, bar of the slice, run (-1: none) */
    bool dense;
};

static int by_price(const void *a, const void *b) {
    const struct swing *x = a, *y = b;
    if (x->px != y->px) return x->px < y->px ? -1 : 1;
    return x->time - y->time;
}

static int swings(const struct bar_slice *s, struct swing *out) {
    const double *h = s->h - s->n, *l = s->l - s->n;
    int n = 0;
    for (int i = 2; i < s->n - 2; i++) {
        bool top = h[i] > fmax(h[i - 1], h[i - 2]) && h[i] >= fmax(h[i + 1], h[i + 2]);
        bool bottom = l[i] < fmin(l[i - 1], l[i - 2]) && l[i] <= fmin(l[i + 1], l[i + 2]);
        if (top) out[n] = (struct swing){h[i], n, i, -1, false}, n++;
        if (bottom) out[n] = (struct swing){l[i], n, i, -1, false}, n++;
    }
    return n;
}

/* Runs of dense swings, each named by the arrival of its earliest one. */
static void runs(struct swing *x, int n, double reach) {
    int begun = -1;
    for (int i = 0; i < n; i++) {
        int met = 0;
        for (int j = 0; j < n; j++) met += fabs(x[i].px - x[j].px) <= reach;
        x[i].dense = met >= 3;
    }
    for (int i = 0; i < n; i++) {
        if (!x[i].dense) continue;
        if (begun < 0 || x[i].px - x[begun].px > reach) { /* a new run up to its last dense one */
            int least = x[i].time, last = i;
            for (int j = i + 1; j < n; j++) {
                if (!x[j].dense) continue;
                if (x[j].px - x[last].px > reach) break;
                last = j;
                least = x[j].time < least ? x[j].time : least;
            }
            for (int j = i; j <= last; j++)
                if (x[j].dense) x[j].run = least;
        }
        begun = i;
    }
    for (int i = 0; i < n; i++) {
        if (x[i].dense) continue;
        for (int j = 0; j < n; j++)
            if (x[j].dense && fabs(x[i].px - x[j].px) <= reach &&
                (x[i].run < 0 || x[j].run < x[i].run))
                x[i].run = x[j].run;
    }
}

struct found {
    double px, touches, age;
};

/* Levels of the slice; returns how many. */
static int levels(const struct bar_slice *s, struct found *out) {
    struct swing x[MOST];
    double range = 0.0;
    int n = swings(s, x), count = 0;
    for (int i = 1; i <= s->n; i++) range += s->h[-i] - s->l[-i];
    qsort(x, (size_t)n, sizeof x[0], by_price);
    runs(x, n, range / (4.0 * s->n));
    for (int run = 0; run < n; run++) {
        struct found f = {0.0, 0.0, 0.0};
        int last = -1;
        for (int i = 0; i < n; i++) {
            if (x[i].run != run) continue;
            f.px += x[i].px;
            f.touches += 1.0;
            last = x[i].bar > last ? x[i].bar : last;
        }
        if (f.touches == 0.0) continue;
        f.px /= f.touches;
        f.age = s->n - 1 - last;
        out[count++] = f;
    }
    return count;
}

static struct found nearest(const struct bar_slice *s, bool above) {
    struct found all[MOST], best = {NAN, NAN, NAN};
    int n = levels(s, all);
    for (int i = 0; i < n; i++) {
        bool is_above = all[i].px > s->c[-1];
        if (is_above != above) continue;
        if (isnan(best.px) || fabs(all[i].px - s->c[-1]) < fabs(best.px - s->c[-1])) best = all[i];
    }
    return best;
}

static double support(const struct bar_slice *s, int n) {
    (void)n;
    return 1e4 * (1.0 - nearest(s, false).px / s->c[-1]);
}
static double resistance(const struct bar_slice *s, int n) {
    (void)n;
    return 1e4 * (nearest(s, true).px / s->c[-1] - 1.0);
}
static double support_touches(const struct bar_slice *s, int n) {
    (void)n;
    return nearest(s, false).touches;
}
static double resistance_touches(const struct bar_slice *s, int n) {
    (void)n;
    return nearest(s, true).touches;
}
static double support_age(const struct bar_slice *s, int n) {
    (void)n;
    return nearest(s, false).age;
}
static double resistance_age(const struct bar_slice *s, int n) {
    (void)n;
    return nearest(s, true).age;
}
static double how_many(const struct bar_slice *s, int n) {
    struct found all[MOST];
    (void)n;
    return levels(s, all);
}

const struct bar_row naive_bar_levels[] = {
    {"support_dist", 120, 120, support},
    {"resistance_dist", 120, 120, resistance},
    {"support_touches", 120, 120, support_touches},
    {"resistance_touches", 120, 120, resistance_touches},
    {"support_age", 120, 120, support_age},
    {"resistance_age", 120, 120, resistance_age},
    {"levels", 120, 120, how_many},
    {0},
};
