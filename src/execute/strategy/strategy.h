/* strategy.h: the seam for user strategies: a table of functions over plain state.
 *
 *   market event, bucket, timer, report -> strategy -> wanted position | wanted resting orders
 *                                                      -> intent gates -> risk -> port
 *
 * Units      prices in price units, quantities in quantity units of ctx->inst; times in ns.
 * Time       ctx->now is the local time of the event being handled; there is no other clock.
 * Ownership  `state` is state_size bytes, zeroed before init, saved and moved with memcpy: no
 *            pointers in it, no static data beside it; many instances run over one replay.
 * Threads    one. A strategy performs no I/O, takes no memory, reads no clock and no randomness.
 * Invariant  what a strategy asks for is wanted, not sent: gates and risk may refuse (each refusal
 *            is counted and recorded with its reason), and the engine sends what differs.
 * Limits     STRATEGY_QUOTES_MAX wanted orders a side; STRATEGY_PARAMS_MAX parameters.
 * Why        docs/strategies.md teaches it with the strategies of examples/strategies.
 */
#ifndef FATHOM_EXECUTE_STRATEGY_STRATEGY_H
#define FATHOM_EXECUTE_STRATEGY_STRATEGY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"
#include "base/instrument.h"
#include "derive/book/book.h"
#include "derive/model/model.h"
#include "derive/vclock/vclock.h"
#include "execute/order/order.h"

enum { STRATEGY_QUOTES_MAX = 64, STRATEGY_PARAMS_MAX = 16 };

/* How a parameter's text becomes its int64 value. */
enum strategy_param_kind {
    PARAM_COUNT = 0,  /* a whole number */
    PARAM_LOTS = 1,   /* base units (contracts where the venue counts them) -> quantity units */
    PARAM_TICKS = 2,  /* whole venue ticks -> price units */
    PARAM_MS = 3,     /* milliseconds, decimals allowed -> ns */
    PARAM_NUMBER = 4, /* decimal -> x 1e-8 */
    PARAM_RATE = 5    /* decimal -> x 1e-16 */
};

struct strategy_param {
    const char *name;     /* key under "strategy." in the configuration */
    const char *fallback; /* default as text */
    const char *about;
    uint8_t kind;
};

struct strategy_params {
    int64_t value[STRATEGY_PARAMS_MAX]; /* in the order of the strategy's table */
};

struct strategy_quote {
    price_t px;
    qty_t qty;
};

enum strategy_quote_mode {
    QUOTES_OVERLAP = 0,   /* cancels and new orders go out together */
    QUOTES_ONE_BY_ONE = 1 /* nothing new on a side until its unwanted orders are gone */
};

struct strategy_ctx;
/* What the engine does for a strategy; called through the functions below. */
struct strategy_ops {
    void (*target)(void *engine, int64_t lots);
    void (*quotes)(void *engine, int side, const struct strategy_quote *wanted, size_t n,
        enum strategy_quote_mode mode);
    int64_t (*submit)(void *engine, const struct order_request *req);
    bool (*cancel)(void *engine, int64_t id);
    bool (*amend)(void *engine, int64_t id, price_t px, qty_t qty);
    bool (*best)(void *engine, int side, struct book_level *out);
    size_t (*orders)(void *engine, const struct order **out);
    bool (*edge)(void *engine, const struct prediction *p, const struct bucket *b, int64_t *lots);
};

struct strategy_ctx {
    ts_t now;
    const struct instrument *inst;
    const struct book *book; /* our own view, local time; NULL where only bars exist */
    const struct strategy_params *params;
    int64_t position; /* quantity units, long > 0, as far as reports have told */
    const struct strategy_ops *ops;
    void *engine;
};

struct strategy_report { /* one of our orders after a report about it */
    const struct order *order;
    qty_t fill;          /* newly filled, 0 = none */
    price_t px;          /* of the fill */
    uint8_t status, why; /* enum report_status, enum report_why */
    bool maker;
};

struct strategy {
    const char *name;
    const char *about;
    const struct strategy_param *params;
    size_t param_count;
    size_t state_size;
    /* Any may be NULL. */
    void (*init)(void *state, const struct strategy_ctx *ctx);
    int64_t (*timer_ns)(const struct strategy_params *params); /* period; 0 = no timer */
    /* Market events in local time, called at the last event of a message (EVF_LAST). */
    void (*on_event)(void *state, const struct strategy_ctx *ctx, const struct event *ev);
    /* A closed bucket; row (n columns, NaN = missing) and p may be NULL. */
    void (*on_bucket)(void *state, const struct strategy_ctx *ctx, const struct bucket *b,
        const float *row, size_t n, const struct prediction *p);
    void (*on_timer)(void *state, const struct strategy_ctx *ctx);
    void (*on_report)(void *state, const struct strategy_ctx *ctx, const struct strategy_report *r);
};

/* The position wanted from now on; the engine takes (IOC at the limit of its collar) what is
 * missing, never while an earlier order for it may still trade. */
static inline void strategy_target(const struct strategy_ctx *ctx, int64_t lots) {
    ctx->ops->target(ctx->engine, lots);
}
/* The post-only orders wanted on a side: wanted ones that exist by price stay, others are
 * cancelled, missing ones are sent. n = 0 cancels the side. */
static inline void strategy_quotes(const struct strategy_ctx *ctx, int side,
    const struct strategy_quote *wanted, size_t n, enum strategy_quote_mode mode) {
    ctx->ops->quotes(ctx->engine, side, wanted, n, mode);
}
/* Raw orders of every type (docs/strategies.md has one of each); still through risk. Wanted are
 * side, type, tif, px, qty, and what order.h names for stops, expiries and pairs. The id, 0 if
 * refused. */
static inline int64_t strategy_submit(
    const struct strategy_ctx *ctx, const struct order_request *req) {
    return ctx->ops->submit(ctx->engine, req);
}
static inline bool strategy_cancel(const struct strategy_ctx *ctx, int64_t id) {
    return ctx->ops->cancel(ctx->engine, id);
}
/* A resting order's price and total quantity anew; false if it is not standing, another request
 * about it is on its way, or risk refuses. */
static inline bool strategy_amend(
    const struct strategy_ctx *ctx, int64_t id, price_t px, qty_t qty) {
    return ctx->ops->amend(ctx->engine, id, px, qty);
}
/* Best level of our own view; false if the side is empty. */
static inline bool strategy_best(const struct strategy_ctx *ctx, int side, struct book_level *out) {
    return ctx->ops->best(ctx->engine, side, out);
}
/* Own orders that may still trade, by rising id; valid until the next request. */
static inline size_t strategy_orders(const struct strategy_ctx *ctx, const struct order **out) {
    return ctx->ops->orders(ctx->engine, out);
}
/* Wanted position for a prediction after the intent gates (confidence, data quality, cost); false
 * if a gate refused (the reason is recorded). */
static inline bool strategy_edge(const struct strategy_ctx *ctx, const struct prediction *p,
    const struct bucket *b, int64_t *lots) {
    return ctx->ops->edge(ctx->engine, p, b, lots);
}

/* All parameters at their defaults for an instrument. False: a default does not fit it (*why, a
 * static text; *bad = the parameter's name). */
bool strategy_params_init(const struct strategy *s, const struct instrument *in,
    struct strategy_params *out, const char **bad, const char **why);
/* One parameter from its configuration text. False: unknown name or bad value (*why). */
bool strategy_param_set(const struct strategy *s, const struct instrument *in, const char *name,
    const char *text, struct strategy_params *out, const char **why);

/* The strategies of examples/strategies; NULL at the end. A program of one's own links its own
 * table instead. */
extern const struct strategy *const strategy_table[];
const struct strategy *strategy_find(const char *name); /* NULL if unknown */

#endif
