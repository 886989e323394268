/* feature_ta_levels.c: support and resistance: prices at which closed bars turned several times.
 *
 * A swing is a bar whose high stands out: above those of the two bars before it and not below those
 * of the two after; of lows the same below. It is known when the second bar after it has closed.
 * The swings of the window are clustered by price (DBSCAN, radius a quarter of the window's mean
 * range, three points); a cluster is a level at the mean price of its swings, noise is none.
 */
#include "derive/feature/dbscan.h"
#include "derive/feature/feature_ta_internal.h"

enum { NEWEST = TA_BARS - 1, WING = 2, LEAST = 3, SWINGS_MAX = 2 * TA_BARS };

struct swings {
    size_t n;
    double px[SWINGS_MAX];
    size_t bar[SWINGS_MAX];
};

struct price_level {
    double sum, touches; /* of its swings' prices, whole numbers */
    size_t last;         /* bar of its latest swing */
};

/* `sign` +1 for highs, -1 for lows. */
static bool stands_out(const double *x, size_t i, double sign) {
    for (size_t k = 1; k <= WING; k++)
        if (sign * (x[i] - x[i - k]) <= 0.0 || sign * (x[i] - x[i + k]) < 0.0) return false;
    return true;
}

static void swing_add(struct swings *s, double px, size_t bar) {
    s->px[s->n] = px;
    s->bar[s->n++] = bar;
}

static void swings_find(const struct ta_window *w, struct swings *s) {
    s->n = 0;
    for (size_t i = WING; i + WING < TA_BARS; i++) {
        if (stands_out(w->high, i, 1.0)) swing_add(s, w->high[i], i);
        if (stands_out(w->low, i, -1.0)) swing_add(s, w->low[i], i);
    }
}

static size_t levels_find(const struct ta_window *w, struct price_level *level) {
    struct swings s;
    int32_t label[SWINGS_MAX];
    uint32_t queue[SWINGS_MAX];
    swings_find(w, &s);
    double range = ta_sum(w->high, TA_BARS) - ta_sum(w->low, TA_BARS);
    size_t n = dbscan(s.px, s.n, 1, 0.25 * range / (double)TA_BARS, LEAST, label, queue);
    for (size_t i = 0; i < n; i++) level[i] = (struct price_level){0.0, 0.0, 0};
    for (size_t i = 0; i < s.n; i++) {
        if (label[i] == DBSCAN_NOISE) continue;
        struct price_level *l = &level[label[i]];
        l->sum += s.px[i];
        l->touches += 1.0;
        l->last = s.bar[i]; /* swings stand in the order of their bars */
    }
    return n;
}

void ta_levels(const struct ta_window *w, double *out) {
    struct price_level level[SWINGS_MAX];
    double close = w->close[NEWEST], best[2] = {MISSING, MISSING};
    if (isnan(w->close[0])) return; /* the window is not full */
    size_t n = levels_find(w, level);
    out[T_SR_LEVELS] = (double)n;
    for (size_t i = 0; i < n; i++) {
        const struct price_level *l = &level[i];
        bool above = l->sum > close * l->touches;
        double away = BPS * fabs(ratio_of(l->sum, l->touches * close) - 1.0);
        if (!isnan(best[above]) && away >= best[above]) continue;
        best[above] = away;
        out[above ? T_RESISTANCE_TOUCHES : T_SUPPORT_TOUCHES] = l->touches;
        out[above ? T_RESISTANCE_AGE : T_SUPPORT_AGE] = (double)(NEWEST - l->last);
    }
    out[T_SUPPORT_DIST] = best[0];
    out[T_RESISTANCE_DIST] = best[1];
}
