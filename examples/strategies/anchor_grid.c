/* anchor_grid.c: the grid of hftbacktest's examples in its own floating point.
 *
 * Its position sums up as a double (ten fills of 0.01 give 0.09999...), and floor() and the
 * position limit see that: whole numbers (grid.c) send other orders. It is here to be compared
 * order for order (docs/simulator.md), not to be traded.
 */
#include <math.h>

#include "strategies.h"

enum { QUANTITY, POSITION_MAX, PERIOD, LEVELS, INTERVAL, HALF_SPREAD };

static const struct strategy_param params[] = {
    {"quantity", "0.01", "size of each order, base units", PARAM_LOTS},
    {"position_max", "0.1", "no orders on a side from this position on", PARAM_LOTS},
    {"period_ms", "100", "time between two looks at the market", PARAM_MS},
    {"levels", "10", "orders a side", PARAM_COUNT},
    {"interval_ticks", "10", "distance of two levels", PARAM_TICKS},
    {"half_spread_ticks", "20", "least distance of the first level to mid", PARAM_TICKS},
};

struct state {
    double position;
};

static void on_report(
    void *state, const struct strategy_ctx *ctx, const struct strategy_report *r) {
    struct state *s = state;
    double qty = instrument_qty(ctx->inst, r->fill);
    s->position += r->order->side == SIDE_BUY ? qty : -qty;
}

static void wanted(const struct strategy_ctx *ctx, int side, double px, bool room) {
    const int64_t *p = ctx->params->value;
    struct strategy_quote want[STRATEGY_QUOTES_MAX];
    int64_t unit = ctx->inst->tick_units;
    double tick = instrument_px(ctx->inst, (price_t){unit});
    double interval = tick * (double)(p[INTERVAL] / unit);
    size_t n = 0;
    for (; room && n < (size_t)p[LEVELS] && n < STRATEGY_QUOTES_MAX && px > 0; n++) {
        want[n] = (struct strategy_quote){{(int64_t)floor(px / tick + 0.5) * unit}, {p[QUANTITY]}};
        px += side == SIDE_BUY ? -interval : interval;
    }
    strategy_quotes(ctx, side, want, n, QUOTES_OVERLAP);
}

static void on_timer(void *state, const struct strategy_ctx *ctx) {
    const struct state *s = state;
    const int64_t *p = ctx->params->value;
    int64_t unit = ctx->inst->tick_units;
    double tick = instrument_px(ctx->inst, (price_t){unit});
    double q = instrument_qty(ctx->inst, (qty_t){p[QUANTITY]});
    double most = (double)(p[POSITION_MAX] / p[QUANTITY]) * q;
    double half = tick * (double)(p[HALF_SPREAD] / unit);
    double interval = tick * (double)(p[INTERVAL] / unit);
    struct book_level best[2];
    for (int side = 0; side < 2; side++) {
        if (!strategy_best(ctx, side, &best[side])) return;
    }
    double bid = (double)(best[0].px.ticks / unit) * tick;
    double ask = (double)(best[1].px.ticks / unit) * tick;
    double mid = (bid + ask) / 2.0;
    double low = mid - half - tick * s->position / q, high = mid + half - tick * s->position / q;
    if (low > bid) low = bid;
    if (high < ask) high = ask;
    wanted(ctx, SIDE_BUY, floor(low / interval) * interval, s->position < most);
    wanted(ctx, SIDE_SELL, ceil(high / interval) * interval, s->position > -most);
}

static int64_t timer_ns(const struct strategy_params *p) { return p->value[PERIOD]; }

const struct strategy strategy_anchor_grid = {
    .name = "anchor_grid",
    .about = "hftbacktest's grid in its own floating point, to be compared with it",
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .state_size = sizeof(struct state),
    .timer_ns = timer_ns,
    .on_timer = on_timer,
    .on_report = on_report,
};
