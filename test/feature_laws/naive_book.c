/* The book's features again, from sorted lists and in doubles. */
#include <stdlib.h>

#include "feature_laws/world.h"

static const struct level_list *side_of(const struct world *w, size_t k, int side) {
    return &w->bucket[k].side[side];
}
static bool known(const struct world *w, size_t k, size_t levels) {
    return side_of(w, k, 0)->n >= levels && side_of(w, k, 1)->n >= levels && levels > 0;
}
static double px_at(const struct world *w, size_t k, int side, size_t i) {
    return instrument_px(&w->inst, side_of(w, k, side)->l[i].px);
}
static double qty_at(const struct world *w, size_t k, int side, size_t i) {
    return instrument_qty(&w->inst, side_of(w, k, side)->l[i].qty);
}
static double away(const struct world *w, size_t k, int side, size_t i) {
    return 1e4 * fabs(px_at(w, k, side, i) - b_mid(w, k)) / b_mid(w, k);
}
static double depth(const struct world *w, size_t k, int side, int n) {
    double sum = 0.0;
    if (side_of(w, k, side)->n < (size_t)n) return NAN;
    for (int i = 0; i < n; i++) sum += qty_at(w, k, side, (size_t)i);
    return sum;
}
static double balance(double a, double b) { return quotient(a - b, a + b); }

static double mid(const struct world *w, size_t k, int n) { return n ? b_mid(w, k) : 0; }
static double spread(const struct world *w, size_t k, int bps) {
    if (!known(w, k, 1)) return NAN;
    double s = px_at(w, k, 1, 0) - px_at(w, k, 0, 0);
    return bps ? 1e4 * s / b_mid(w, k) : round(s / instrument_px_unit(&w->inst));
}
static double imbalance(const struct world *w, size_t k, int n) {
    return balance(depth(w, k, 0, n), depth(w, k, 1, n));
}
static double microprice(const struct world *w, size_t k, int n) {
    if (!known(w, k, 1)) return NAN;
    double bids = depth(w, k, 0, n), asks = depth(w, k, 1, n);
    return (px_at(w, k, 0, 0) * asks + px_at(w, k, 1, 0) * bids) / (bids + asks);
}
static double micro(const struct world *w, size_t k, int n) {
    return 1e4 * (microprice(w, k, n) / b_mid(w, k) - 1.0);
}
static double imbalance_distance(const struct world *w, size_t k, int n) {
    double sum[2] = {0, 0};
    if (!known(w, k, (size_t)n)) return NAN;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < (size_t)n; i++)
            sum[side] += qty_at(w, k, side, i) / (1.0 + away(w, k, side, i));
    return balance(sum[0], sum[1]);
}
static double imbalance_value(const struct world *w, size_t k, int n) {
    double sum[2] = {0, 0};
    if (!known(w, k, (size_t)n)) return NAN;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < (size_t)n; i++)
            sum[side] += qty_at(w, k, side, i) * px_at(w, k, side, i);
    return balance(sum[0], sum[1]);
}

/* Integer prices, so that a level on the border is judged as it is: |2 px - mid2| 1e4 <= bps mid2.
 */
static double band(const struct world *w, size_t k, int side, int bps) {
    const struct level_list *l = side_of(w, k, side);
    if (!known(w, k, 1)) return NAN;
    int64_t mid2 = side_of(w, k, 0)->l[0].px.ticks + side_of(w, k, 1)->l[0].px.ticks;
    double sum = 0.0;
    size_t i = 0;
    for (; i < l->n && llabs(2 * l->l[i].px.ticks - mid2) * 10000 <= bps * mid2; i++)
        sum += qty_at(w, k, side, i);
    return i < l->n ? sum : NAN;
}
static double band_bid(const struct world *w, size_t k, int n) { return band(w, k, 0, n); }
static double band_ask(const struct world *w, size_t k, int n) { return band(w, k, 1, n); }
static double band_both(const struct world *w, size_t k, int n) {
    return balance(band(w, k, 0, n), band(w, k, 1, n));
}
static double depth_bid(const struct world *w, size_t k, int n) { return depth(w, k, 0, n); }
static double depth_ask(const struct world *w, size_t k, int n) { return depth(w, k, 1, n); }

static double slope(const struct world *w, size_t k, int side) {
    double x[10], y[10];
    if (side_of(w, k, side)->n < 10) return NAN;
    for (int i = 0; i < 10; i++) {
        x[i] = away(w, k, side, (size_t)i);
        y[i] = depth(w, k, side, i + 1);
    }
    return slope_of(x, y, 10);
}
static double convexity(const struct world *w, size_t k, int side) {
    double sum = 0.0;
    if (side_of(w, k, side)->n < 10) return NAN;
    for (int i = 1; i < 10; i++)
        sum += depth(w, k, side, i + 1) - 2.0 * depth(w, k, side, i) +
               (i > 1 ? depth(w, k, side, i - 1) : 0.0);
    return sum / 9.0;
}
/* Distance of the level that reaches this part of 20 levels' lots (integers: no rounding). */
static double reach(const struct world *w, size_t k, int side, double part) {
    int64_t all = 0, sum = 0;
    for (size_t i = 0; i < 20; i++) all += side_of(w, k, side)->l[i].qty.lots;
    for (size_t i = 0; i < 20; i++) {
        sum += side_of(w, k, side)->l[i].qty.lots;
        if ((double)sum >= part * (double)all) return away(w, k, side, i);
    }
    return NAN;
}
static double tail(const struct world *w, size_t k, int side) {
    if (side_of(w, k, side)->n < 20) return NAN;
    return reach(w, k, side, 0.9) - reach(w, k, side, 0.5);
}
static double gap(const struct world *w, size_t k, int side) {
    int64_t most = 0;
    if (side_of(w, k, side)->n < 20) return NAN;
    for (size_t i = 1; i < 20; i++) {
        int64_t step =
            llabs(side_of(w, k, side)->l[i].px.ticks - side_of(w, k, side)->l[i - 1].px.ticks);
        most = step > most ? step : most;
    }
    return (double)most;
}
static double density(const struct world *w, size_t k, int side) {
    if (side_of(w, k, side)->n < 20) return NAN;
    int64_t span = llabs(side_of(w, k, side)->l[19].px.ticks - side_of(w, k, side)->l[0].px.ticks);
    return 20.0 / ((double)span + 1.0);
}

/* Takes units one lot batch at a time until the wanted quantity is there. */
static double walk(const struct world *w, size_t k, int side, double wanted) {
    double left = wanted, cost = 0.0;
    for (size_t i = 0; i < side_of(w, k, side)->n; i++) {
        double q = qty_at(w, k, side, i) < left ? qty_at(w, k, side, i) : left;
        cost += q * px_at(w, k, side, i);
        left -= q;
        if (left < 1e-9)
            return 1e4 * (cost / wanted / b_mid(w, k) - 1.0) * (side == BOOK_ASK ? 1.0 : -1.0);
    }
    return NAN;
}
static double walk_sell(const struct world *w, size_t k, int n) { return walk(w, k, 0, n); }
static double walk_buy(const struct world *w, size_t k, int n) { return walk(w, k, 1, n); }
static double linear(const struct world *w, size_t k, int side) {
    const double q[4] = {1, 5, 10, 50};
    double a = 0.0, b = 0.0;
    for (int i = 0; i < 4; i++) {
        a += q[i] * walk(w, k, side, q[i]);
        b += q[i] * q[i];
    }
    return a / b;
}
static double root(const struct world *w, size_t k, int side) {
    const double q[4] = {1, 5, 10, 50};
    double a = 0.0, b = 0.0;
    for (int i = 0; i < 4; i++) {
        a += sqrt(q[i]) * walk(w, k, side, q[i]);
        b += q[i];
    }
    return a / b;
}
static size_t wall_at(const struct world *w, size_t k, int side) {
    size_t best = 0;
    for (size_t i = 1; i < 20; i++)
        if (side_of(w, k, side)->l[i].qty.lots > side_of(w, k, side)->l[best].qty.lots) best = i;
    return best;
}
static double wall(const struct world *w, size_t k, int side) {
    return side_of(w, k, side)->n < 20 ? NAN : qty_at(w, k, side, wall_at(w, k, side));
}
static double wall_distance(const struct world *w, size_t k, int side) {
    return side_of(w, k, side)->n < 20 ? NAN : away(w, k, side, wall_at(w, k, side));
}

static double imbalance5(const struct world *w, size_t k) { return imbalance(w, k, 5); }
static double spread_bps(const struct world *w, size_t k) { return spread(w, k, 1); }
static double micro1(const struct world *w, size_t k) { return micro(w, k, 1); }
static double pressure(const struct world *w, size_t k, int n) {
    return over(w, k, n, imbalance5) / n;
}
static double spread_ratio(const struct world *w, size_t k, int n) {
    return quotient(spread(w, k, 1), over(w, k, n, spread_bps) / n);
}
static double imbalance_change(const struct world *w, size_t k, int n) {
    return k < (size_t)n ? NAN : imbalance5(w, k) - imbalance5(w, k - (size_t)n);
}
static double micro_mean(const struct world *w, size_t k, int n) {
    return over(w, k, n, micro1) / n;
}

const struct naive_row naive_book[] = {
    {"book_mid", mid, 1},
    {"book_spread_ticks", spread, 0},
    {"book_spread_bps", spread, 1},
    {"book_microprice_dev_l1", micro, 1},
    {"book_microprice_dev_l5", micro, 5},
    {"book_weighted_microprice_l1", microprice, 1},
    {"book_weighted_microprice_l5", microprice, 5},
    {"book_imbalance_l1", imbalance, 1},
    {"book_imbalance_l3", imbalance, 3},
    {"book_imbalance_l5", imbalance, 5},
    {"book_imbalance_l10", imbalance, 10},
    {"book_imbalance_l20", imbalance, 20},
    {"book_weighted_imbalance_distance_l5", imbalance_distance, 5},
    {"book_imbalance_distance_l10", imbalance_distance, 10},
    {"book_weighted_imbalance_distance_l20", imbalance_distance, 20},
    {"book_weighted_imbalance_value_l1", imbalance_value, 1},
    {"book_weighted_imbalance_value_l5", imbalance_value, 5},
    {"book_imbalance_value_l10", imbalance_value, 10},
    {"book_weighted_imbalance_value_l20", imbalance_value, 20},
    {"book_depth_bid_1bps", band_bid, 1},
    {"book_depth_bid_5bps", band_bid, 5},
    {"book_depth_bid_10bps", band_bid, 10},
    {"book_depth_bid_25bps", band_bid, 25},
    {"book_depth_bid_50bps", band_bid, 50},
    {"book_depth_ask_1bps", band_ask, 1},
    {"book_depth_ask_5bps", band_ask, 5},
    {"book_depth_ask_10bps", band_ask, 10},
    {"book_depth_ask_25bps", band_ask, 25},
    {"book_depth_ask_50bps", band_ask, 50},
    {"book_depth_imbalance_1bps", band_both, 1},
    {"book_depth_imbalance_5bps", band_both, 5},
    {"book_depth_imbalance_10bps", band_both, 10},
    {"book_depth_imbalance_25bps", band_both, 25},
    {"book_depth_imbalance_50bps", band_both, 50},
    {"book_depth_bid_l20", depth_bid, 20},
    {"book_depth_ask_l20", depth_ask, 20},
    {"book_slope_bid_l10", slope, 0},
    {"book_slope_ask_l10", slope, 1},
    {"book_convexity_bid_l10", convexity, 0},
    {"book_convexity_ask_l10", convexity, 1},
    {"book_tail_width_bid_l20", tail, 0},
    {"book_tail_width_ask_l20", tail, 1},
    {"book_gap_max_bid_l20", gap, 0},
    {"book_gap_max_ask_l20", gap, 1},
    {"book_density_bid_l20", density, 0},
    {"book_density_ask_l20", density, 1},
    {"book_impact_sell_q1", walk_sell, 1},
    {"book_impact_sell_q5", walk_sell, 5},
    {"book_impact_sell_q10", walk_sell, 10},
    {"book_impact_sell_q50", walk_sell, 50},
    {"book_impact_buy_q1", walk_buy, 1},
    {"book_impact_buy_q5", walk_buy, 5},
    {"book_impact_buy_q10", walk_buy, 10},
    {"book_impact_buy_q50", walk_buy, 50},
    {"book_impact_linear_sell", linear, 0},
    {"book_impact_linear_buy", linear, 1},
    {"book_impact_sqrt_sell", root, 0},
    {"book_impact_sqrt_buy", root, 1},
    {"book_wall_bid_l20", wall, 0},
    {"book_wall_ask_l20", wall, 1},
    {"book_wall_distance_bid_l20", wall_distance, 0},
    {"book_wall_distance_ask_l20", wall_distance, 1},
    {"book_pressure_l5_b5", pressure, 5},
    {"book_pressure_l5_b20", pressure, 20},
    {"book_pressure_l5_b60", pressure, 60},
    {"book_spread_ratio_b20", spread_ratio, 20},
    {"book_imbalance_change_l5_b1", imbalance_change, 1},
    {"book_microprice_dev_l1_b5", micro_mean, 5},
    {0},
};
