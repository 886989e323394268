/* bracket.c: enters with the heavier side of the book and leaves by a pair: a target that rests and
 * a stop that waits, both reduce-only, the first to act cancels the other.
 *
 * It earns nothing; it shows how orders with triggers, pairs and reduce-only are sent and what must
 * be watched: the venue cancels the stop at the target's first partial fill, so the rest needs a
 * stop anew; a stop that would trigger at once is rejected, so the position is closed instead.
 */
#include "strategies.h"

enum { QUANTITY, PERIOD, TARGET, STOP };

static const struct strategy_param params[] = {
    {"quantity", "0.01", "size of each position, base units", PARAM_LOTS},
    {"period_ms", "100", "time between two looks at the market", PARAM_MS},
    {"target_ticks", "200", "profit at which the target rests", PARAM_TICKS},
    {"stop_ticks", "100", "loss at which the stop fires", PARAM_TICKS},
};

struct bracket {
    int64_t entry_px; /* of the last fill that opened the position */
    bool rejected;    /* the stop could not be placed: close */
};

static void enter(const struct strategy_ctx *ctx) {
    struct book_level bid, ask;
    if (!strategy_best(ctx, SIDE_BUY, &bid) || !strategy_best(ctx, SIDE_SELL, &ask)) return;
    bool buy = bid.qty.lots > ask.qty.lots;
    struct order_request q = {.px = buy ? ask.px : bid.px,
        .qty = {ctx->params->value[QUANTITY]},
        .side = buy ? SIDE_BUY : SIDE_SELL,
        .tif = TIF_IOC};
    (void)strategy_submit(ctx, &q);
}

static void leave(const struct strategy_ctx *ctx) {
    int64_t held = ctx->position;
    struct order_request q = {.qty = {held > 0 ? held : -held},
        .side = held > 0 ? SIDE_SELL : SIDE_BUY,
        .type = ORDER_MARKET,
        .reduce_only = 1};
    (void)strategy_submit(ctx, &q);
}

/* The target (0 = none stands) gets its stop; both close what is held. */
static void protect(const struct strategy_ctx *ctx, const struct bracket *b, int64_t target) {
    const int64_t *p = ctx->params->value;
    int64_t way = ctx->position > 0 ? 1 : -1;
    struct order_request q = {.px = {b->entry_px + way * p[TARGET]},
        .qty = {way * ctx->position},
        .side = way > 0 ? SIDE_SELL : SIDE_BUY,
        .reduce_only = 1};
    if (target == 0) target = strategy_submit(ctx, &q);
    q.px.ticks = 0;
    q.type = ORDER_MARKET;
    q.trigger = TRIGGER_STOP;
    q.trigger_by = TRIGGER_BY_LAST;
    q.trigger_px.ticks = b->entry_px - way * p[STOP];
    q.oco = target;
    (void)strategy_submit(ctx, &q);
}

static void on_timer(void *state, const struct strategy_ctx *ctx) {
    struct bracket *b = state;
    const struct order *o;
    size_t n = strategy_orders(ctx, &o);
    int64_t target = 0;
    bool other = false;
    for (size_t i = 0; i < n; i++) {
        bool rests = o[i].reduce_only && o[i].trigger == TRIGGER_NONE && o[i].type == ORDER_LIMIT;
        if (rests) target = o[i].id;
        other |= !rests;
    }
    if (other) return; /* an entry, a stop or a close is on its way or stands */
    if (ctx->position == 0) {
        if (target == 0) enter(ctx);
    } else if (b->rejected) {
        b->rejected = false;
        leave(ctx);
    } else {
        protect(ctx, b, target);
    }
}

static void on_report(
    void *state, const struct strategy_ctx *ctx, const struct strategy_report *r) {
    struct bracket *b = state;
    (void)ctx;
    if (r->fill.lots > 0 && !r->order->reduce_only) b->entry_px = r->px.ticks;
    if (r->status == REPORT_REJECTED && r->order->trigger != TRIGGER_NONE) b->rejected = true;
}

static int64_t timer_ns(const struct strategy_params *p) { return p->value[PERIOD]; }

const struct strategy strategy_bracket = {
    .name = "bracket",
    .about = "enters with the heavier side, leaves by a target and a stop",
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .state_size = sizeof(struct bracket),
    .timer_ns = timer_ns,
    .on_timer = on_timer,
    .on_report = on_report,
};
