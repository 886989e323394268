/* quoter.c: one post-only order at the best bid and one at the best ask, renewed by a timer.
 *
 * The simplest market maker, and the one whose fills are known elsewhere: it makes the simulated
 * exchange comparable. It stops adding on a side once the position reaches its limit.
 */
#include "strategies.h"

enum { QUANTITY, POSITION_MAX, PERIOD };

static const struct strategy_param params[] = {
    {"quantity", "0.01", "size of each quote, base units", PARAM_LOTS},
    {"position_max", "0.1", "no new quote on a side from this position on", PARAM_LOTS},
    {"period_ms", "100", "time between two looks at the market", PARAM_MS},
};

static bool has_order(const struct strategy_ctx *ctx, int side) {
    const struct order *o;
    size_t n = strategy_orders(ctx, &o);
    for (size_t i = 0; i < n; i++) {
        if (o[i].side == side) return true;
    }
    return false;
}

static void on_timer(void *state, const struct strategy_ctx *ctx) {
    (void)state;
    const int64_t *p = ctx->params->value;
    struct book_level best[2];
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        if (!strategy_best(ctx, side, &best[side])) return;
    }
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        int64_t held = side == SIDE_BUY ? ctx->position : -ctx->position;
        /* A standing quote stays while it is at the best; only a new one asks for room. */
        bool wanted = held < p[POSITION_MAX] || has_order(ctx, side);
        struct strategy_quote quote = {best[side].px, {p[QUANTITY]}};
        strategy_quotes(ctx, side, &quote, wanted ? 1 : 0, QUOTES_ONE_BY_ONE);
    }
}

static int64_t timer_ns(const struct strategy_params *p) { return p->value[PERIOD]; }

const struct strategy strategy_quoter = {
    .name = "quoter",
    .about = "post-only quotes at both bests, renewed by a timer",
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .timer_ns = timer_ns,
    .on_timer = on_timer,
};
