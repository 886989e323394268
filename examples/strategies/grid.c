/* grid.c: levels of post-only orders on both sides of mid, skewed against the position.
 *
 * bid = floor(min(mid - half spread - position / q ticks, best bid) / interval) x interval, then
 * `levels` orders downward, one interval apart; asks mirrored. Everything is counted in half ticks
 * so that mid stays a whole number.
 */
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

static int64_t floor_to(int64_t v, int64_t step) {
    int64_t rest = v % step;
    return rest < 0 ? v - rest - step : v - rest;
}

/* Twice the first level's price before rounding; dir = -1 for bids, 1 for asks. */
static int64_t first_level2(
    const struct strategy_ctx *ctx, const struct book_level best[2], int side) {
    const int64_t *p = ctx->params->value;
    int64_t tick = ctx->inst->tick_units, dir = side == SIDE_BUY ? -1 : 1;
    /* position / q ticks, in half ticks, toward the lower price where it does not divide */
    int64_t skew2 = floor_to(2 * ctx->position * tick, p[QUANTITY]) / p[QUANTITY];
    int64_t mid2 = best[SIDE_BUY].px.ticks + best[SIDE_SELL].px.ticks;
    int64_t px2 = mid2 + dir * 2 * p[HALF_SPREAD] - skew2;
    int64_t best2 = 2 * best[side].px.ticks;
    if (side == SIDE_BUY) return px2 < best2 ? px2 : best2;
    return px2 > best2 ? px2 : best2;
}

static size_t levels(const struct strategy_ctx *ctx, const struct book_level best[2], int side,
    struct strategy_quote *out) {
    const int64_t *p = ctx->params->value;
    int64_t px2 = first_level2(ctx, best, side), step2 = 2 * p[INTERVAL];
    int64_t px = side == SIDE_BUY ? floor_to(px2, step2) / 2 : -floor_to(-px2, step2) / 2;
    size_t n = 0;
    for (; n < (size_t)p[LEVELS] && n < STRATEGY_QUOTES_MAX && px > 0; n++) {
        out[n] = (struct strategy_quote){{px}, {p[QUANTITY]}};
        px += side == SIDE_BUY ? -p[INTERVAL] : p[INTERVAL];
    }
    return n;
}

static void on_timer(void *state, const struct strategy_ctx *ctx) {
    (void)state;
    const int64_t *p = ctx->params->value;
    struct book_level best[2];
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        if (!strategy_best(ctx, side, &best[side])) return;
    }
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        struct strategy_quote wanted[STRATEGY_QUOTES_MAX];
        int64_t held = side == SIDE_BUY ? ctx->position : -ctx->position;
        size_t n = held < p[POSITION_MAX] ? levels(ctx, best, side, wanted) : 0;
        strategy_quotes(ctx, side, wanted, n, QUOTES_OVERLAP);
    }
}

static int64_t timer_ns(const struct strategy_params *p) { return p->value[PERIOD]; }

const struct strategy strategy_grid = {
    .name = "grid",
    .about = "levels of post-only orders on both sides, skewed against the position",
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .timer_ns = timer_ns,
    .on_timer = on_timer,
};
