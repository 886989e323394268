/* order.h: one order's life, what we send about it and what comes back.
 *
 *   NONE -> NEW_SENT -> WORKING -> PARTIAL -> FILLED
 *              |          |  ^        |
 *              |          v  |        v
 *              |       CANCEL_SENT -> CANCELED        EXPIRED, REJECTED end it as well
 *              `-timeout-> UNKNOWN <-timeout- CANCEL_SENT, AMEND_SENT (from WORKING, PARTIAL)
 *
 * An order with a trigger is WORKING while it waits at the venue; its id stays when it fires.
 *
 * Units      px in price units, qty in quantity units of the instrument; fees 1e-12 settlement.
 * Time       ts_sent, ts_ack: local; a report carries both clocks. expire_ns: the venue's clock.
 * Ownership  plain structs of the caller. Threads: one.
 * Invariant  every change goes through one table; what the table does not allow changes nothing and
 *            is counted. A timeout after a send never becomes "failed": it is UNKNOWN, counted in
 *            full by exposure, and left only by a report or by the answer to a query (fault X1).
 *            Fills are intervals of the order's own quantity, so a repeated or reordered report
 *            cannot be counted twice (X5).
 * Limits     ORDER_AHEAD_MAX fills may be known before an earlier one is.
 */
#ifndef FATHOM_EXECUTE_ORDER_ORDER_H
#define FATHOM_EXECUTE_ORDER_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"

enum { SIDE_BUY = 0, SIDE_SELL = 1 }; /* = BOOK_BID, BOOK_ASK: the side an order rests on */
enum order_type { ORDER_LIMIT = 0, ORDER_MARKET = 1 };
/* GTX = post only; GTD = until expire_ns of the venue's clock */
enum order_tif { TIF_GTC = 0, TIF_GTX = 1, TIF_IOC = 2, TIF_FOK = 3, TIF_GTD = 4 };

/* When an order goes to the market. STOP: at a price at or beyond trigger_px against us (buy: risen
 * to it); TAKE: in our favour (buy: fallen to it); TRAIL: callback_e4 back from the best price
 * since trigger_px was reached (0 = since it was placed). */
enum order_trigger { TRIGGER_NONE = 0, TRIGGER_STOP = 1, TRIGGER_TAKE = 2, TRIGGER_TRAIL = 3 };
enum order_trigger_by { TRIGGER_BY_MARK = 0, TRIGGER_BY_LAST = 1 };
/* Own order against own order: which of the two ends unfilled. VENUE = the venue's default. */
enum order_stp { STP_VENUE = 0, STP_NONE = 1, STP_TAKER = 2, STP_MAKER = 3, STP_BOTH = 4 };
/* Prices and quantities beyond this are malformed: sums of them fit int64, each fits a double. */
#define ORDER_UNITS_MAX INT64_C(1000000000000000)

enum order_status {
    ORDER_NONE = 0,
    ORDER_NEW_SENT,
    ORDER_WORKING,
    ORDER_PARTIAL,
    ORDER_CANCEL_SENT,
    ORDER_AMEND_SENT,
    ORDER_UNKNOWN, /* <- up to here it may still trade */
    ORDER_FILLED,
    ORDER_CANCELED,
    ORDER_EXPIRED,
    ORDER_REJECTED,
    ORDER_STATUS_COUNT
};

enum order_step { /* what can happen to an order */
    STEP_SUBMIT = 0,
    STEP_CANCEL,
    STEP_ACK,
    STEP_PART,
    STEP_FULL,
    STEP_CANCELED,
    STEP_EXPIRED,
    STEP_REJECTED,
    STEP_CANCEL_REJECTED,
    STEP_TIMEOUT,
    STEP_NOT_FOUND, /* a query found no such order at the venue */
    STEP_AMEND,
    STEP_AMENDED, /* done or refused: the answer is here */
    STEP_COUNT
};

/* REPORT_STATUS word of EV_ORDER_REPORT. */
enum report_status {
    REPORT_NONE = 0,
    REPORT_ACK,
    REPORT_FILL,
    REPORT_CANCELED,
    REPORT_EXPIRED,
    REPORT_REJECTED,
    REPORT_CANCEL_REJECTED,
    REPORT_MODIFIED,
    REPORT_MODIFY_REJECTED,
    REPORT_NOT_FOUND,
    REPORT_TRIGGERED, /* a waiting order went to the market */
    /* About the account, of no order: */
    REPORT_LIQUIDATION, /* the venue traded the position: last_px, last_qty, side; why TAKEOVER: no
                           fee, else taker fee and queue_placed = clearance rate 1e-16 */
    REPORT_FUNDING,     /* px = mark 1e-10, last_px = rate 1e-16, last_qty = position, filled = the
                           settlement's venue time */
    REPORT_INSURED,     /* last_px x 2^62 + last_qty = 1e-12 that the venue paid in */
    REPORT_STATUS_COUNT
};

/* REPORT_REASON word. */
enum report_why {
    WHY_NONE = 0,
    WHY_POST_ONLY,     /* GTX would have taken */
    WHY_NO_LIQUIDITY,  /* IOC/FOK/market rest, or a market order against an empty side */
    WHY_UNKNOWN_ORDER, /* cancel or modify of an order the venue does not have */
    WHY_DUPLICATE_ID,
    WHY_BOOK_GAP, /* the simulated exchange takes no order while its book is not SYNCED */
    WHY_TICK,
    WHY_LOT,
    WHY_MIN_QTY,
    WHY_MIN_NOTIONAL,
    WHY_LIMIT,       /* a named limit of the exchange is reached */
    WHY_WIRE,        /* lost or refused before the matching engine */
    WHY_BARS,        /* bars show no queue: orders cannot be amended there */
    WHY_OUTSIDE,     /* the venue did it by itself */
    WHY_MALFORMED,   /* no such side, type or id; a price or quantity out of range */
    WHY_REDUCE_ONLY, /* nothing to reduce, more than that, or cut down as the position shrank */
    WHY_SELF_TRADE,  /* met an own order */
    WHY_PRICE_BAND,  /* too far from the mark; a market order that got to its bound */
    WHY_MAX_QTY,
    WHY_MAX_ORDERS, /* open orders, or waiting ones, at the venue's most */
    WHY_RATE,       /* too many requests */
    WHY_BANNED,     /* went on after that */
    WHY_OUTAGE,     /* the venue takes nothing now */
    WHY_GTD,        /* its time is over, or too near */
    WHY_OCO,        /* the other one of the pair filled, fired, or is not there */
    WHY_TRIGGER,    /* the trigger's own fields make no sense */
    WHY_WOULD_TRIGGER,
    WHY_NO_REFERENCE, /* no mark (or no print) yet to judge by */
    WHY_NO_CHANGE,    /* an amend to what the order is already */
    WHY_AMEND,        /* this kind of order cannot be amended */
    WHY_UNSUPPORTED,  /* the rule set (anchor, bars) has no such order */
    WHY_MARGIN,       /* the account's margin does not carry it */
    WHY_LIQUIDATION,  /* the venue liquidates the account */
    WHY_TAKEOVER,     /* what the book did not take, at the bankruptcy price */
    WHY_COUNT
};

#define REPORT_FEE_UNKNOWN INT64_MIN /* the ledger computes the fee from its rates */

static inline bool report_of_account(uint8_t status) {
    return status >= REPORT_LIQUIDATION && status <= REPORT_INSURED;
}

/* QUERY asks for the state of an order: ACK if it stands, its end if it ended, or NOT_FOUND. */
enum request_kind { REQUEST_NEW = 1, REQUEST_CANCEL = 2, REQUEST_MODIFY = 3, REQUEST_QUERY = 4 };

/* What goes out. Ids are chosen by us, rise, and are never used again: sending one twice is
 * harmless. */
struct order_request {
    int64_t id;
    price_t px; /* limit; 0 for market */
    qty_t qty;  /* MODIFY: the new total quantity */
    ts_t ts_sent;
    uint16_t inst;
    uint8_t kind; /* enum request_kind */
    uint8_t side;
    uint8_t type;
    uint8_t tif;
    uint8_t reduce_only;
    uint8_t pad; /* zero */
    /* From here on 0 for a plain order. */
    price_t trigger_px;  /* TRAIL: activation price, 0 = at once */
    int64_t expire_ns;   /* GTD */
    int64_t oco;         /* id of the earlier order of a pair: one fills or fires, the other ends */
    int32_t callback_e4; /* TRAIL: bps x 1e4 */
    uint8_t trigger, trigger_by, stp;
    uint8_t pad2; /* zero */
};
enum { ORDER_PLAIN_BYTES = 40 };
_Static_assert(sizeof(struct order_request) == 72, "hashed");
_Static_assert(offsetof(struct order_request, trigger_px) == ORDER_PLAIN_BYTES, "plain part");
/* No trigger, expiry, pair or self-trade mode: its first ORDER_PLAIN_BYTES say everything. */
bool order_request_plain(const struct order_request *req);
/* The words of a well-formed order; prices, quantities and what fits together are judged apart. */
bool order_request_formed(const struct order_request *req);
const char *order_type_name(uint8_t type, uint8_t trigger); /* "limit", "stop_market", ... */
const char *order_tif_name(uint8_t tif);

/* The port that venues and the simulated exchange implement. False: it was NOT sent (queue full);
 * true says nothing about the venue's answer. */
struct order_port {
    void *ctx;
    bool (*send)(void *ctx, const struct order_request *req);
};

enum { ORDER_AHEAD_MAX = 4 };

struct order {
    int64_t id;
    price_t px;
    qty_t qty, filled; /* filled = all fills seen, in whatever order they came */
    qty_t head;        /* [0, head) is filled without a hole; the rest is in `ahead` */
    struct {
        int64_t from, to;
    } ahead[ORDER_AHEAD_MAX];
    ts_t ts_sent, ts_ack, ts_cancel, ts_query;
    price_t mid2;             /* bid + ask when sent (twice the mid): arrival price of slippage */
    qty_t queue_at_placement; /* quantity ahead as the first report told; -1 unknown */
    price_t amend_px;         /* of an amend without an answer yet; amend_qty 0 = none */
    qty_t amend_qty;
    ts_t ts_amend;
    price_t trigger_px;
    int64_t expire_ns, oco;
    uint16_t inst;
    uint8_t side, type, tif, status;
    uint8_t ahead_count;
    uint8_t trigger, trigger_by, reduce_only;
    uint8_t why;   /* enum report_why of the last report that had one */
    uint8_t fired; /* its trigger has */
    uint32_t tag;  /* the owner's: quote, target, raw */
    int32_t callback_e4;
    uint8_t pad[4]; /* zero */
};
_Static_assert(sizeof(struct order) == 224, "plain bytes");

/* The table's answer; ORDER_STATUS_COUNT = not allowed. PARTIAL stands for WORKING or PARTIAL: the
 * caller's fill count decides (order_apply does). */
enum order_status order_next(enum order_status from, enum order_step step);
static inline bool order_live(uint8_t status) {
    return status >= ORDER_NEW_SENT && status <= ORDER_UNKNOWN;
}
const char *order_status_name(uint8_t status);
const char *report_why_name(int64_t why);

void order_init(struct order *o, const struct order_request *req, price_t mid2);

struct order_change {
    qty_t fill;       /* newly filled by this step (0 = none) */
    bool legal;       /* false: counted by the caller, nothing changed */
    bool duplicate;   /* a fill already counted */
    bool ended;       /* the order left the live states by this step */
    bool needs_query; /* only the venue can say what is true now */
};

/* A local step (STEP_SUBMIT, STEP_CANCEL, STEP_TIMEOUT, STEP_NOT_FOUND). */
struct order_change order_step(struct order *o, enum order_step step, ts_t now);
/* An amend to px and a new total quantity was sent: until its answer both count, the larger one. */
struct order_change order_amend(struct order *o, price_t px, qty_t qty, ts_t now);
/* A report (two slots). Fills cover [FILLED_QTY - LAST_QTY, FILLED_QTY). */
struct order_change order_report(struct order *o, const struct event *report);

/* Quantity that may still trade, whatever the venue does. */
qty_t order_leaves(const struct order *o);

/* Writes the two slots of an EV_ORDER_REPORT. head.aux.a, b = market quantity ahead at placement,
 * and before this fill (-1 = unknown). */
struct report {
    int64_t order_id;
    ts_t ts_venue, ts_local;
    price_t px, last_px;
    qty_t qty, last_qty, filled;
    int64_t fee_e12;
    int64_t queue_placed, queue_before;
    uint16_t inst;
    uint8_t side, status, why, maker;
    bool rated;
    rate_t fee_rate; /* rated: what was in force at this fill; else the owner knows */
};
void report_encode(const struct report *r, struct event out[2]);
void report_decode(const struct event *ev, struct report *out);

#endif
