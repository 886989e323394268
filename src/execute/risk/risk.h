/* risk.h: the limits every order must pass. Can refuse, never create.
 *
 * Units      quantities in quantity units, notional and loss in settlement x 1e-12, collar in bps.
 * Time       local; order rates are counted over the last 10 s and 60 s, loss by UTC day.
 * Ownership  open structs of plain bytes. Threads: one.
 * Invariant  worst-case position (every order that may still trade, UNKNOWN too, filled) stays
 *            within position_max at every instant (I5). A cancel is never refused but by the rate
 *            limit's reserve, and never for the book's state. An order that only reduces passes the
 *            daily-loss stop and the position limit. A reduce-only order that alone is no larger
 *            than the position passes the stops as well (the venue keeps the sum of several within
 *            it, so a stop and a target may stand side by side), not the position limit.
 *            An order with a trigger is judged by its own prices, not by the present mid.
 * Limits     RISK_RATE_MAX messages remembered.
 * Why        reasons are an enum, each with a counter, so that a refusal is never silent (I8).
 */
#ifndef FATHOM_EXECUTE_RISK_RISK_H
#define FATHOM_EXECUTE_RISK_RISK_H

#include <stdbool.h>

#include "base/instrument.h"
#include "execute/ledger/ledger.h"
#include "execute/order/blotter.h"

enum risk_reason {
    RISK_OK = 0,
    RISK_BAD_ORDER, /* quantity or price not positive, no multiple of lot or tick, too small */
    RISK_SIZE,
    RISK_NOTIONAL,
    RISK_POSITION, /* worst case beyond the limit, or reduce-only that would not reduce */
    RISK_COLLAR,
    RISK_RATE,
    RISK_DAILY_LOSS, /* latched until the next UTC day; only reductions pass */
    RISK_STALE,
    RISK_BOOK_STATE, /* not SYNCED, or a side is empty */
    RISK_OPEN_ORDERS,
    RISK_HALTED, /* an operator's, or latched, stop: only reductions pass */
    RISK_MONEY,  /* a value does not fit the ledger */
    RISK_REASON_COUNT
};
const char *risk_reason_name(uint8_t reason);

struct risk_config {
    int64_t order_max, position_max;         /* quantity units */
    int128 notional_max_e12, daily_loss_e12; /* <= 0: no limit */
    int64_t collar_e4;                       /* bps x 1e4 of mid; 0 = no collar */
    int64_t stale_ns;                        /* 0 = not judged */
    uint32_t rate_10s, rate_60s;             /* messages; 0 = no limit */
    uint32_t cancel_reserve;                 /* of each rate kept for cancels */
    uint32_t open_max;
    bool bars; /* no book: the reference price comes from bars, no book-state gate */
    uint8_t pad[7];
};

/* The collar's second reference: the median of the last RISK_MIDS observed mids, so that one wild
 * quote moves nothing (fault M8). */
enum { RISK_MIDS = 9 };

/* Times of the last messages, a ring; 60 s at the largest rate that is not refused. */
enum { RISK_RATE_MAX = 4096 };

struct risk {
    uint64_t refused[RISK_REASON_COUNT];
    uint64_t passed, cancels;
    int128 day_start_equity_e12;
    int64_t day; /* UTC day number of day_start_equity */
    bool loss_stop, halted;
    uint8_t pad[6];
    uint32_t head, count, in_10s, pad2; /* ring: oldest at head; the last in_10s are younger */
    int64_t mid2[RISK_MIDS];            /* a ring of observed bid + ask */
    uint32_t mids, mid_next;
    int64_t sent_ns[RISK_RATE_MAX];
};

/* What an order is judged against. */
struct risk_view {
    ts_t now;
    const struct instrument *inst;
    const struct ledger *ledger;
    const struct blotter *blotter;
    bool book_ok;                /* SYNCED and both sides there */
    ts_t book_ts;                /* local time of its last change */
    price_t mid2;                /* bid + ask (bars: 2 x last close); 0 = unknown */
    const struct order *amended; /* MODIFY: the order as it stands; NULL otherwise */
};

void risk_init(struct risk *r);
/* RISK_OK lets exactly this request pass now and counts it in the rates; any other answer is
 * counted. Requests are NEW, MODIFY (px, new total), CANCEL or QUERY. */
enum risk_reason risk_check(struct risk *r, const struct risk_config *cfg,
    const struct risk_view *v, const struct order_request *req);
/* Called when equity is known (each fill, mark and timer): trips the daily-loss stop. */
void risk_equity(struct risk *r, const struct risk_config *cfg, ts_t now, money_t equity);
/* One look at the market, regularly (timer, bucket): a sample of the collar's reference. */
void risk_observe(struct risk *r, price_t mid2);
void risk_halt(struct risk *r, bool on);

/* Largest long (side buy) or short position that the live orders can still lead to. */
int64_t risk_worst(const struct ledger *l, const struct blotter *b, int side);

#endif
