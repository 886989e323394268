/* The crowd's and the forced orders' features again, over all that happened. */
#include <stdlib.h>

#include "feature_laws/world.h"

/* --- funding, open interest, ratios ---------------------------------------------------------- */

static double rate(const struct world *w, size_t k) {
    const struct world_mark *m = mark_at(w, k);
    return m ? m->rate : NAN;
}
static double premium(const struct world *w, size_t k) {
    const struct world_mark *m = mark_at(w, k);
    return m ? 1e4 * (m->mark / m->index - 1.0) : NAN;
}
static double interest(const struct world *w, size_t k) {
    return point_at(w, w->interest, w->interests, k, 600);
}
static double interest_moved(const struct world *w, size_t k) {
    return k < 20 ? NAN : 1e4 * (interest(w, k) / interest(w, k - 20) - 1.0);
}
static double imbalance(const struct world *w, size_t k) {
    double bid = 0.0, ask = 0.0;
    for (size_t i = 0; i < 5; i++) {
        if (i < w->bucket[k].side[0].n) bid += (double)w->bucket[k].side[0].l[i].qty.lots;
        if (i < w->bucket[k].side[1].n) ask += (double)w->bucket[k].side[1].l[i].qty.lots;
    }
    return quotient(bid - ask, bid + ask);
}
static double tight(const struct world *w, size_t k) {
    const struct world_bucket *b = &w->bucket[k];
    if (b->side[0].n == 0) return NAN;
    return 1.0 / (double)(b->side[1].l[0].px.ticks - b->side[0].l[0].px.ticks);
}
static double z_of(
    const struct world *w, size_t k, int n, double (*f)(const struct world *, size_t)) {
    double x[64];
    if (!window(w, k, n, f, x)) return NAN;
    return quotient(x[n - 1] - mean_of(x, n), sd_of(x, n));
}
static double rate_z(const struct world *w, size_t k, int n) { return z_of(w, k, n, rate); }
static double premium_z(const struct world *w, size_t k, int n) { return z_of(w, k, n, premium); }
static double interest_z(const struct world *w, size_t k, int n) { return z_of(w, k, n, interest); }
static double moved_z(const struct world *w, size_t k, int n) {
    return z_of(w, k, n, interest_moved);
}
static double shock_flow(const struct world *w, size_t k, int n) {
    if (k < (size_t)n) return NAN;
    return (rate(w, k) - rate(w, k - (size_t)n)) *
           quotient(over(w, k, n, b_signed), over(w, k, n, b_volume));
}
static double interest_price(const struct world *w, size_t k, int n) {
    if (k < (size_t)n || isnan(b_px(w, k)) || isnan(b_px(w, k - (size_t)n))) return NAN;
    double now = b_px(w, k), then = b_px(w, k - (size_t)n);
    return now == then ? 0.0 * interest_moved(w, k)
                       : copysign(1.0, now - then) * interest_moved(w, k);
}
static double squeeze(const struct world *w, size_t k, int n) {
    double a = z_of(w, k, n, imbalance), b = moved_z(w, k, n), c = z_of(w, k, n, tight);
    return copysign(fabs(a) * fabs(b) * fabs(c), a);
}
static double ratio(const struct world *w, size_t k, int kind) {
    return point_at(w, w->ratio[kind - 1], w->ratios[kind - 1], k, 900);
}
static double divergence(const struct world *w, size_t k, int n) {
    return n * (log(ratio(w, k, 3)) - log(ratio(w, k, 1)));
}
static double ratio_moved(const struct world *w, size_t k, int n) {
    return k < (size_t)n ? NAN : log(ratio(w, k, 1)) - log(ratio(w, k - (size_t)n, 1));
}
static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double macro(const struct world *w, size_t k, int n) {
    double x[512];
    if (!window(w, k, n, interest, x) || isnan(rate(w, k))) return NAN;
    double now = x[n - 1];
    qsort(x, (size_t)n, sizeof x[0], ascending);
    if (!(now > x[7 * n / 10])) return 0.0;
    return rate(w, k) > 1.0 ? 2.0 : rate(w, k) < -1.0 ? -2.0 : 0.0;
}

/* --- forced orders --------------------------------------------------------------------------- */

typedef double liq_fn(const struct world *w, const struct world_liq *l);

/* Sum of f over the liquidations of buckets k-n+1..k; NaN when the last is over ten minutes old. */
static double liqs(const struct world *w, size_t k, int n, liq_fn *f) {
    double sum = 0.0;
    const struct world_liq *last = NULL;
    if (k + 1 < (size_t)n) return NAN;
    for (size_t i = 0; i < w->liqs && w->liq[i].bucket <= k; i++) {
        last = &w->liq[i];
        if (last->bucket + (size_t)n > k) sum += f(w, last);
    }
    bool known = last && w->bucket[k].b.close_ts.ns - last->ns <= 600 * NS_PER_S;
    return known ? sum : NAN;
}
static double one(const struct world *w, const struct world_liq *l) {
    (void)w;
    (void)l;
    return 1.0;
}
static double lots(const struct world *w, const struct world_liq *l) {
    (void)w;
    return l->lots;
}
static double value(const struct world *w, const struct world_liq *l) {
    return l->px * l->lots * instrument_qty_unit(&w->inst);
}
static double short_value(const struct world *w, const struct world_liq *l) {
    return l->buy ? value(w, l) : 0.0;
}
static double near_another(const struct world *w, const struct world_liq *l) {
    for (const struct world_liq *o = l; o-- > w->liq;)
        if (o->buy == l->buy) return l->ns - o->ns <= 30 * NS_PER_S;
    return 0.0;
}
static double weighted_move(const struct world *w, const struct world_liq *l) {
    double move = log(b_px(w, l->bucket + 5) / b_px(w, l->bucket));
    return (l->buy ? 1e4 : -1e4) * move * value(w, l);
}
static double seconds(const struct world *w, size_t k) {
    return (double)(w->bucket[k].b.close_ts.ns - w->bucket[k].b.open_ts.ns) / 1e9;
}

static double liq_count(const struct world *w, size_t k, int n) { return liqs(w, k, n, one); }
static double liq_value(const struct world *w, size_t k, int n) { return liqs(w, k, n, value); }
static double liq_sides(const struct world *w, size_t k, int n) {
    return 2.0 * quotient(liqs(w, k, n, short_value), liqs(w, k, n, value)) - 1.0;
}
static double liq_share(const struct world *w, size_t k, int n) {
    return quotient(liqs(w, k, n, lots), over(w, k, n, b_volume));
}
static double liq_rate(const struct world *w, size_t k, int n) {
    return quotient(liqs(w, k, n, one), over(w, k, n, seconds));
}
static double liq_panic(const struct world *w, size_t k, int n) {
    double mean = liq_rate(w, k, n) * over(w, k, 5, seconds);
    return quotient(liqs(w, k, 5, one) - mean, sqrt(mean));
}
static double liq_chain(const struct world *w, size_t k, int n) {
    return liqs(w, k, n, near_another);
}
static double liq_breeds(const struct world *w, size_t k, int n) {
    double x[64] = {0.0}, m, cross = 0.0, all = 0.0;
    double known = liqs(w, k, n, one);
    for (size_t i = 0; i < w->liqs; i++)
        if (w->liq[i].bucket <= k && w->liq[i].bucket + (size_t)n > k)
            x[(size_t)n - 1 - (k - w->liq[i].bucket)] += 1.0;
    if (isnan(known) || sd_of(x, n) == 0.0) return NAN;
    m = mean_of(x, n);
    for (int i = 0; i < n; i++) {
        all += (x[i] - m) * (x[i] - m);
        if (i) cross += (x[i] - m) * (x[i - 1] - m);
    }
    return cross / all;
}
/* Those of the 20 buckets that ended five closes ago. */
static double liq_move(const struct world *w, size_t k, int n) {
    double moved = 0.0, all = 0.0;
    if (k + 1 < (size_t)n + 5 || isnan(liqs(w, k, n, one))) return NAN;
    for (size_t i = 0; i < w->liqs; i++) {
        const struct world_liq *l = &w->liq[i];
        if (l->bucket + 5 > k || l->bucket + (size_t)n + 5 <= k) continue;
        moved += weighted_move(w, l);
        all += value(w, l);
    }
    return quotient(moved, all);
}

const struct naive_row naive_perp[] = {
    {"perp_funding_z_b60", rate_z, 60},
    {"perp_funding_shock_x_imbalance_b20", shock_flow, 20},
    {"perp_premium_z_b60", premium_z, 60},
    {"perp_open_interest_z_b60", interest_z, 60},
    {"perp_open_interest_change_z_b60", moved_z, 60},
    {"perp_open_interest_x_price_b20", interest_price, 20},
    {"perp_ratio_accounts", ratio, RATIO_ACCOUNTS},
    {"perp_ratio_top_accounts", ratio, RATIO_TOP_ACCOUNTS},
    {"perp_ratio_top_positions", ratio, RATIO_TOP_POSITIONS},
    {"perp_ratio_taker", ratio, RATIO_TAKER},
    {"perp_ratio_divergence", divergence, 1},
    {"perp_ratio_accounts_change_b60", ratio_moved, 60},
    {"perp_squeeze_b60", squeeze, 60},
    {"perp_macro_state_b500", macro, 500},
    {"perp_liq_count_b20", liq_count, 20},
    {"perp_liq_value_b20", liq_value, 20},
    {"perp_liq_imbalance_b20", liq_sides, 20},
    {"perp_liq_share_b20", liq_share, 20},
    {"perp_liq_rate_b60", liq_rate, 60},
    {"perp_liq_panic_b60", liq_panic, 60},
    {"perp_liq_cascade_b20", liq_chain, 20},
    {"perp_liq_contagion_b60", liq_breeds, 60},
    {"perp_liq_move_b20", liq_move, 20},
    {0},
};
