/* binance.h: Binance's market messages (USD-M, COIN-M, spot) -> checked structs -> events.
 *
 *   bytes --binance_decode--> struct binance_message --binance_events--> struct event[]
 *                 | a REST exchangeInfo: binance_instruments --> struct instrument[]
 *
 * Units      the message holds decimals as written (mantissa, exponent); binance_events scales them
 *            to the instrument's units and refuses what is finer than a unit.
 * Time       milliseconds on the wire (microseconds from 1e14 on); ns here; 0 = the message has
 * none. Ownership  the caller owns the message (about 0.4 MB); `stream` and `event_name` point into
 * the bytes. Threads    pure functions, no state. Invariant  a message is decoded whole or not at
 * all; a refusal names its kind, the byte and what was expected. Key order is free; unknown keys
 * are checked JSON and ignored; a key that is read here may appear once. Limits     BINANCE_*_MAX.
 * Why        docs/formats/binance.md; wire facts from Binance's API documentation and recordings.
 */
#ifndef FATHOM_CAPTURE_VENUE_BINANCE_BINANCE_H
#define FATHOM_CAPTURE_VENUE_BINANCE_BINANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/decimal.h"
#include "base/event.h"
#include "base/instrument.h"

enum {
    BINANCE_MESSAGE_MAX = 1 << 20,              /* bytes of a message */
    BINANCE_INFO_MAX = 64 << 20,                /* bytes of an exchangeInfo body */
    BINANCE_LEVELS_MAX = 5000,                  /* levels a side (the largest REST snapshot) */
    BINANCE_ITEMS_MAX = 2000,                   /* rows of an all-market array */
    BINANCE_SLOTS_MAX = 2 * BINANCE_LEVELS_MAX, /* event slots one item can become */
    BINANCE_FAULT_TEXT_MAX = 192
};

enum binance_kind {
    BINANCE_NONE = 0,
    BINANCE_TRADE,
    BINANCE_AGG_TRADE,
    BINANCE_DEPTH,         /* changes: U, u, pu */
    BINANCE_PARTIAL_DEPTH, /* the whole top: told from changes by the stream name only */
    BINANCE_SNAPSHOT,      /* REST depth */
    BINANCE_TICKER,        /* bookTicker */
    BINANCE_MARK,          /* markPriceUpdate; may be an array */
    BINANCE_LIQUIDATION,   /* forceOrder; may be an array */
    BINANCE_KLINE,
    BINANCE_STAT24,        /* 24hrTicker; may be an array */
    BINANCE_OPEN_INTEREST, /* REST openInterest */
    BINANCE_EXCHANGE_INFO, /* pass the bytes to binance_instruments */
    BINANCE_CONTROL,       /* answer to a subscription, error reply, server notice: no data */
    BINANCE_OTHER,         /* well-formed, but of a kind that is not read here: see event_name */
    BINANCE_KIND_COUNT
};

enum binance_status {
    BINANCE_OK = 0,
    BINANCE_TOO_LONG,  /* longer than BINANCE_MESSAGE_MAX */
    BINANCE_TRUNCATED, /* ends inside a value */
    BINANCE_SYNTAX,    /* no JSON: another byte was expected */
    BINANCE_TRAILING,  /* bytes after the message */
    BINANCE_NESTING,   /* more than JSON_NESTING_MAX levels */
    BINANCE_TEXT,      /* no UTF-8, control byte, bad escape, lone surrogate */
    BINANCE_NUMBER,    /* no JSON number */
    BINANCE_DECIMAL,   /* no decimal by the rules of decimal.h */
    BINANCE_INTEGER,   /* an id or count that is no int64 */
    BINANCE_STAMP,     /* a time that is no ms or us since 1970 */
    BINANCE_TYPE,      /* a value of another type than the key has */
    BINANCE_MISSING,   /* a key that the kind needs is absent */
    BINANCE_DUPLICATE, /* a key that is read here appears twice */
    BINANCE_VALUE,     /* a word outside its list */
    BINANCE_SYMBOL,    /* a name that does not fit SYMBOL_MAX or ASSET_MAX, or is empty */
    BINANCE_LEVELS,    /* more than BINANCE_LEVELS_MAX levels a side */
    BINANCE_ITEMS,     /* more than BINANCE_ITEMS_MAX rows, or more than the caller has room */
    BINANCE_FINER,     /* finer_than_unit: no multiple of the instrument's unit */
    BINANCE_RANGE,     /* does not fit 64 bits in the event's scale */
    BINANCE_BAD_PRICE, /* a negative price or quantity, a level at price 0 */
    BINANCE_STATUS_COUNT
};

/* Where and why a message was refused. */
struct binance_fault {
    enum binance_status status;
    size_t offset;        /* byte of the message */
    const char *expected; /* static text: what was expected, or the key */
};

struct binance_level {
    struct decimal px, qty;
};

struct binance_trade {
    int64_t id;
    int64_t first_id, last_id; /* aggTrade only */
    struct decimal px, qty;
    bool seller_aggressor; /* m: the buyer was the maker */
    bool market;           /* X is MARKET or absent */
};

struct binance_depth {
    int64_t first_id; /* U; 0 in a snapshot */
    int64_t last_id;  /* u, lastUpdateId */
    int64_t prev_id;  /* pu */
    bool has_prev;
    uint32_t bids, asks;
    struct binance_level bid[BINANCE_LEVELS_MAX], ask[BINANCE_LEVELS_MAX];
};

struct binance_ticker {
    int64_t id;
    struct decimal bid_px, bid_qty, ask_px, ask_qty;
};

struct binance_mark {
    char symbol[SYMBOL_MAX];
    uint8_t st;
    int64_t msg_ns, next_funding_ns; /* 0: delivery contract */
    struct decimal mark, index, settle, average, rate;
    bool has_index, has_settle, has_average, has_rate;
};

struct binance_liquidation {
    char symbol[SYMBOL_MAX];
    uint8_t st;
    int64_t venue_ns, msg_ns;
    struct decimal px, average, filled;
    bool buys; /* the liquidation order buys: a short was liquidated */
};

struct binance_kline {
    int64_t open_ns, close_ns, count;
    struct decimal open, high, low, close, volume, quote_volume, taker_buy, taker_buy_quote;
    bool closed;
    char interval[4];
};

struct binance_stat24 {
    char symbol[SYMBOL_MAX];
    uint8_t st;
    int64_t msg_ns, open_ns, count, first_id, last_id;
    struct decimal last, open, high, low, volume, quote_volume;
};

struct binance_open_interest {
    struct decimal amount;
};

struct binance_message {
    uint8_t kind;  /* enum binance_kind */
    uint8_t venue; /* enum venue as the message itself tells, VENUE_NONE if it does not */
    uint8_t st;    /* 1 USD-M, 2 COIN-M, 0 absent (before 2026) */
    uint8_t pad;
    uint32_t items;          /* rows: 1, or the length of an array (0 possible) */
    char symbol[SYMBOL_MAX]; /* of the first row; empty for a bare snapshot: the caller knows */
    int64_t venue_ns;        /* T, else E; 0 = none */
    int64_t msg_ns;          /* E; 0 = none */
    const char *stream;      /* of the wrapper; NULL if raw. Not unescaped */
    size_t stream_n;
    const char *event_name; /* text of `e`; NULL if none */
    size_t event_name_n;
    union {
        struct binance_trade trade;
        struct binance_depth depth;
        struct binance_ticker ticker;
        struct binance_mark mark[BINANCE_ITEMS_MAX];
        struct binance_liquidation liquidation[BINANCE_ITEMS_MAX];
        struct binance_kline kline;
        struct binance_stat24 stat24[BINANCE_ITEMS_MAX];
        struct binance_open_interest open_interest;
    };
};

/* Reads one message. On failure `out` is unspecified and `fault` (may be NULL) says why. */
enum binance_status binance_decode(
    const char *msg, size_t n, struct binance_message *out, struct binance_fault *fault);

/* Symbol of row `item`, NUL-padded to SYMBOL_MAX; and its `st` (1 USD-M, 2 COIN-M, 0 absent): since
 * 2026 all-market arrays carry both. */
const char *binance_symbol(const struct binance_message *m, size_t item);
uint8_t binance_st(const struct binance_message *m, size_t item);

/* Row `item` as events of `in` (all slots of the group), stamped ts_local. *n = slots written; 0
 * for kinds that carry no event. `out` needs BINANCE_SLOTS_MAX slots. A futures diff without `pu`
 * is refused. Quantities of trades that are no market trades: EVF_NON_MARKET. */
enum binance_status binance_events(const struct binance_message *m, size_t item,
    const struct instrument *in, ts_t ts_local, struct event *out, size_t *n,
    struct binance_fault *fault);

/* The instruments of an exchangeInfo body; `id` and `revision` stay 0. *n = rows written. */
enum binance_status binance_instruments(const char *body, size_t n, struct instrument *out,
    size_t cap, size_t *count, struct binance_fault *fault);

/* "trade", "depthUpdate", ... */
const char *binance_kind_name(uint8_t kind);
/* One short word a status, as reports count them: "truncated", "finer_than_unit", ... */
const char *binance_status_name(enum binance_status status);
/* For a person: "truncated: expected ',' or '}' at byte 57". Returns the length. */
size_t binance_fault_text(const struct binance_fault *fault, char out[BINANCE_FAULT_TEXT_MAX]);

#endif
