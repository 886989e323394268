/* engine.h: one strategy instance on one instrument: events in, requests and records out.
 *
 *   event, bucket -> strategy -> intent gates -> risk -> blotter -> port
 *   order report  -> blotter -> ledger -> strategy            every step -> record sink, hashes
 *
 * Units      as event.h, order.h, ledger.h.
 * Time       the local time of the event being handled; it never runs backwards.
 * Ownership  the caller gives `mem` (engine_mem_size bytes, aligned 16); config, io and what they
 *            point to outlive the engine. engine_state gives the bytes to save: plain, no pointers.
 * Threads    one.
 * Invariant  the sequence of calls decides everything that leaves. No request leaves without
 *            risk_check; no money moves without a ledger row; ledger_check holds after each.
 * Limits     those of blotter, risk, strategy. A full port or a money overflow is an error.
 */
#ifndef FATHOM_EXECUTE_ENGINE_ENGINE_H
#define FATHOM_EXECUTE_ENGINE_ENGINE_H

#include <stddef.h>

#include "base/err.h"
#include "execute/intent/intent.h"
#include "execute/ledger/ledger.h"
#include "execute/order/blotter.h"
#include "execute/risk/risk.h"
#include "execute/strategy/strategy.h"

struct engine_config {
    const struct instrument *inst;
    const struct strategy *strategy; /* NULL: nothing trades, funding and marks still count */
    struct strategy_params params;
    struct intent_config intent;
    struct risk_config risk;
    struct ledger_fees fees;
    money_t deposit;
    int64_t order_timeout_ns; /* no answer for so long: UNKNOWN; 0 = never */
    int64_t first_order_id;   /* 0 = 1 */
    int64_t take_slip_e4;     /* target orders: IOC limit this many bps x 1e4 beyond the best */
    bool bars; /* no book: targets go out as market orders, bar closes are the price */
};

/* One fill with what a report needs to split its cost. Hashed; no holes. */
struct fill_record {
    money_t fee; /* fair fee, settlement asset; positive = cost */
    ts_t ts_venue, ts_local;
    int64_t order_id;
    price_t px;
    qty_t qty;
    price_t mid2;         /* bid + ask of our view when the order was sent */
    price_t fill_mid2;    /* the same when the report arrived */
    int64_t queue_placed; /* market quantity ahead at placement; -1 = none or unknown */
    int64_t queue_before; /* and just before this fill */
    int64_t wait_ns;      /* from sending the order to this report */
    int64_t position;     /* after the fill */
    uint16_t inst;
    uint8_t side, maker;
    uint8_t tag; /* enum engine_tag */
    uint8_t pad[3];
};
_Static_assert(sizeof(struct fill_record) == 112, "hashed");

/* TAG_LIQUIDATION: the venue traded, without an order of ours; order_id 0. */
enum engine_tag { TAG_RAW = 0, TAG_QUOTE = 1, TAG_TARGET = 2, TAG_LIQUIDATION = 3 };

struct funding_record {
    ts_t ts; /* settlement time */
    int64_t position;
    int64_t mark_e10;
    rate_t rate;
    money_t paid;
};

enum record_kind {
    RECORD_DECISION = 1, /* decision */
    RECORD_REQUEST,      /* request: it left through the port */
    RECORD_REFUSED,      /* request, why = enum risk_reason: it did not */
    RECORD_REPORT,       /* order after a report, why = REPORT_STATUS */
    RECORD_FILL,         /* fill */
    RECORD_FUNDING,      /* funding */
    RECORD_INSURED       /* insured: the venue paid in what the account lacked */
};

struct engine_record {
    uint8_t kind;
    uint8_t why;
    bool ended; /* RECORD_REPORT: by this report the order can trade no more (once an order) */
    ts_t now;
    union {
        const struct decision *decision;
        const struct order_request *request;
        const struct order *order;
        const struct fill_record *fill;
        const struct funding_record *funding;
        const money_t *insured;
    };
};

struct engine_io {
    struct order_port port;
    const struct book *book; /* our own view, kept by the caller; NULL with bars */
    /* Another source of the best levels than `book` (NULL = book). */
    bool (*best)(void *ctx, int side, struct book_level *out);
    void *best_ctx;
    /* Equity of the account that the daily-loss stop watches, where several instruments share one;
     * NULL: this instrument's is all of it. False: nothing prices it now. */
    bool (*equity)(void *ctx, money_t *out);
    void *equity_ctx;
    void (*sink)(void *ctx, const struct engine_record *r); /* NULL = none */
    void *sink_ctx;
};

/* Stage hashes, running. */
struct engine_hashes {
    uint64_t predictions, decisions, orders, fills, ledger;
};

struct engine_counters {
    uint64_t events, buckets, timers, reports, fills, fundings;
    uint64_t liquidations; /* fills by the venue's liquidation */
    uint64_t port_full, quotes_dropped, queries;
};

struct engine;
size_t engine_mem_size(const struct engine_config *cfg);
struct engine *engine_init(void *mem, const struct engine_config *cfg, const struct engine_io *io);

/* Market events (apply them to the book first), EV_TIMER and EV_ORDER_REPORT, in local time. */
MUST_USE err_t engine_on_event(struct engine *e, const struct event *ev);
/* True if handling `ev` would move nothing but the clock, the age of the book and a counter: the
 * strategy does not look at events, and `ev` is no timer, report, mark, funding or bar. Many
 * engines on one replay need not see each of those: engine_passed, called before anything else
 * reaches an engine, leaves the state that one call an event would have left. */
bool engine_ignores(const struct engine *e, const struct event *ev);
/* n such events; the largest local time among them, and up to the last depth event (INT64_MIN:
 * there was none). */
void engine_passed(struct engine *e, ts_t now, ts_t book, uint64_t n);
/* A closed bucket; row of n columns and prediction may be NULL. */
MUST_USE err_t engine_on_bucket(struct engine *e, const struct bucket *b, const float *row,
    size_t n, const struct prediction *p);

int64_t engine_timer_ns(const struct engine *e); /* period the strategy asks for; 0 = none */
const struct ledger *engine_ledger(const struct engine *e);
struct blotter *engine_blotter(struct engine *e);
struct risk *engine_risk(struct engine *e);
const struct intent_counters *engine_intent(const struct engine *e);
const struct engine_counters *engine_counters(const struct engine *e);
const struct engine_hashes *engine_hashes(const struct engine *e);
/* cash + position at the mid of our view (bars: last close); false while there is no price. */
bool engine_equity(const struct engine *e, money_t *equity);
/* The last mark price recorded, 1e-10; 0 = none yet. */
int64_t engine_mark_e10(const struct engine *e);
/* Best prices of our view (bars: both the last close); false while there is none. */
bool engine_quote(const struct engine *e, price_t *bid, price_t *ask);
void *engine_strategy_state(struct engine *e);

/* The bytes to save; load = the same bytes copied back after engine_init with the same config. */
void *engine_state(struct engine *e, size_t *n);

#endif
