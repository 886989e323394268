/* event.h: the 64-byte event: ring slot, tape record and the engine's only input.
 *
 *   socket / file -> codec -> EVENT -> tape -> book, vclock, features, strategy, sim -> EVENT ...
 *
 * Units      px and qty count the instrument's units (instrument.h). Prices that are no order
 *            prices (mark, index, average) are int64 x 1e-10 (AUX_ONE); rates int64 x 1e-16.
 * Time       ts_venue: transaction time, message time where only that exists, 0 = none.
 *            ts_local: our receive stamp. msg_us: message time minus ts_venue in microseconds.
 * Layout     a kind that needs more room continues in `event_slots(kind) - 1` directly following
 *            slots of struct event_cont; the group is ONE event with one sequence number, never
 *            split over blocks, files or calls.
 * Messages   a depth message is one EV_DEPTH per changed level; the first carries EVF_FIRST, the
 *            last EVF_LAST (both on a single-level one). A depth message without levels is one
 *            EV_DEPTH_END with both flags. Every other event carries both flags. Books, buckets,
 *            features and decisions act only at EVF_LAST.
 * Limits     INST_MAX instruments a tape.
 */
#ifndef FATHOM_BASE_EVENT_H
#define FATHOM_BASE_EVENT_H

#include "base/unit.h"

enum event_kind {
    EV_NONE = 0,
    EV_DEPTH = 1, /* one level: px, qty = new absolute quantity (0 deletes), side; id = u; depth */
    EV_DEPTH_END = 2, /* a depth message without levels: id = u; depth */
    EV_TRADE = 3,     /* px, qty, side = aggressor, id = trade id */
    EV_AGG_TRADE = 4, /* px, qty, side = aggressor, id = aggregate id; agg.first_id, agg.last_id */
    EV_TICKER = 5,    /* best bid px/qty; ask.px, ask.qty; id = book update id u */
    EV_MARK = 6,      /* aux.a = mark 1e-10, aux.b = index 1e-10; 2 slots: cont = mark_cont */
    EV_FUNDING = 7,   /* a settled funding: aux.a = rate 1e-16, aux.b = mark 1e-10 (0 = none) */
    EV_LIQUIDATION = 8, /* order px, qty = filled in all, side of the liquidation ORDER; aux.a =
                           average px 1e-10 */
    EV_KLINE = 9, /* px = close, qty = volume, id = open time ns; 2 slots: kline_cont; EVF_CLOSED */
    EV_STAT24 = 10,     /* px = last, qty = volume in 24 h; 2 slots: stat24_cont */
    EV_INSTRUMENT = 11, /* order rules changed: 2 slots: instrument_cont */
    EV_OPEN_INTEREST =
        12,        /* aux.a = open interest 1e-8 base units, aux.b = value 1e-8 quote (0 = none) */
    EV_RATIO = 13, /* long/short ratio 1e-10: aux.a; id = enum ratio_kind */
    EV_GAP =
        14, /* the recording itself broke here (connection, file boundary): id = enum gap_reason */
    EV_TIMER = 15,        /* engine timer: id = the owner's tag */
    EV_ORDER_REPORT = 16, /* venue -> us about our order: 2 slots: report_cont */
    EV_CONFIG = 17,       /* configuration or model change: id = hash of what is new */
    EV_EXTERNAL = 18, /* a value of an external series (external.h): inst = its row; ts_venue = what
                         it is about, ts_local = when it was published */
    EV_OPTION = 19, /* an option of a chain: inst = the chain's row, id = expiry ns; aux.a = strike
                       1e-10, aux.b = index price 1e-10; flags BUY = call, SELL = put; 2 slots:
                       option_cont. A snapshot of a chain is one message: FIRST .. LAST */
    EV_ORDER = 20,  /* one order of the market changed (per-order data): id = its id, 0 = unknown
                       orders of a level; px, qty = by how much, side it rests on; aux.a = enum
                       order_action. Comes before the trade and the depth message it causes */
    EV_KIND_COUNT = 21
};

enum order_action {
    ACTION_ADD = 1,
    ACTION_REDUCE = 2,  /* cancelled in part; id 0: of unknown orders */
    ACTION_DELETE = 3,  /* cancelled whole */
    ACTION_EXECUTE = 4, /* traded: the print follows */
    ACTION_HIDDEN = 5,  /* a hidden order traded: it changes no displayed quantity */
    ACTION_CROSS = 6,   /* an auction's print */
    ACTION_HALT = 7     /* px = -1 halted, 0 quoting again, 1 trading again */
};

enum event_flag {
    EVF_BUY = 1,         /* bid level, buying aggressor, liquidation order that buys */
    EVF_SELL = 2,        /* ask level, selling aggressor, liquidation order that sells */
    EVF_FIRST = 4,       /* first event of its message */
    EVF_LAST = 8,        /* last event of its message: state may be read now */
    EVF_SNAPSHOT = 16,   /* level of a snapshot: at EVF_FIRST the book is replaced */
    EVF_NON_MARKET = 32, /* print that is no market trade: kept, excluded from price and volume */
    EVF_SUSPECT = 64,    /* data quality rule fired on it (see import report) */
    EVF_CLOSED = 128     /* kline: the bar is final */
};

enum ratio_kind {
    RATIO_ACCOUNTS = 1,
    RATIO_TOP_ACCOUNTS = 2,
    RATIO_TOP_POSITIONS = 3,
    RATIO_TAKER = 4
};
enum gap_reason { GAP_CONNECTION = 1, GAP_FILE = 2, GAP_CLOCK = 3 };

enum { INST_MAX = 4096 };

struct event {
    ts_t ts_venue;
    ts_t ts_local;
    price_t px;
    qty_t qty;
    int64_t id;
    uint16_t inst;
    uint8_t kind;
    uint8_t flags;
    int32_t msg_us;
    union {
        struct {
            int64_t first_id, prev_id;
        } depth; /* U and pu; pu = 0 where the venue has none */
        struct {
            int64_t first_id, last_id;
        } agg;
        struct {
            price_t px;
            qty_t qty;
        } ask;
        struct {
            int64_t a, b;
        } aux;
    };
};
_Static_assert(sizeof(struct event) == 64, "one cache line");

/* Continuation slots: eight int64, so that columns need no knowledge of the kind. */
struct event_cont {
    int64_t w[8];
};
_Static_assert(sizeof(struct event_cont) == sizeof(struct event), "a slot");

/* Words of the continuation slots. e8 = 1e-8, e10 = 1e-10, e16 = 1e-16. */
enum mark_cont { MARK_RATE_E16, MARK_NEXT_FUNDING_NS, MARK_SETTLE_E10, MARK_AVERAGE_E10 };
enum kline_cont {
    KLINE_OPEN_PX,
    KLINE_HIGH_PX,
    KLINE_LOW_PX,
    KLINE_QUOTE_VOLUME_E8,
    KLINE_TAKER_BUY_QTY,
    KLINE_TAKER_BUY_QUOTE_E8,
    KLINE_COUNT,
    KLINE_CLOSE_NS
};
/* taker-buy words of a source that has none are KLINE_UNKNOWN; so is a missing count or quote
 * volume */
#define KLINE_UNKNOWN INT64_MIN
enum stat24_cont {
    STAT24_OPEN_PX,
    STAT24_HIGH_PX,
    STAT24_LOW_PX,
    STAT24_QUOTE_VOLUME_E8,
    STAT24_COUNT,
    STAT24_FIRST_ID,
    STAT24_LAST_ID,
    STAT24_OPEN_NS
};
enum instrument_cont {
    INSTR_TICK_UNITS,
    INSTR_LOT_UNITS,
    INSTR_MIN_QTY_UNITS,
    INSTR_MIN_NOTIONAL_E8,
    INSTR_CONTRACT_E8,
    INSTR_STATUS
};
enum report_cont {
    REPORT_ORDER_ID,
    REPORT_STATUS,
    REPORT_LAST_PX,
    REPORT_LAST_QTY,
    REPORT_FILLED_QTY,
    REPORT_FEE_E12,
    REPORT_REASON,
    REPORT_MAKER /* bit 0: maker; bit 1: bits 2.. are the fee rate x 1e-16 of this fill */
};
#define REPORT_RATE_MAX ((int64_t)1 << 58)
/* Prices of options are in the underlying coin where the venue settles in it (Deribit). What the
 * source does not say is KLINE_UNKNOWN. */
enum option_cont {
    OPTION_MARK_E10, /* mark price */
    OPTION_LAST_E10,
    OPTION_IV_E10,      /* mark volatility a year, 1.0 = 100 % */
    OPTION_FORWARD_E10, /* the venue's price of the underlying at expiry */
    OPTION_INTEREST_E8, /* open interest, contracts */
    OPTION_VOLUME_E8    /* traded in 24 h, contracts */
};

/* Slots of one event of this kind: 1 or 2. */
static inline unsigned event_slots(uint8_t kind) {
    return ((0x90E40u >> (kind & 31u)) & 1u) + 1u; /* bits 6, 9, 10, 11, 16, 19 */
}

static inline const int64_t *event_words(const struct event *head) {
    return ((const struct event_cont *)(const void *)(head + 1))->w;
}

#endif
