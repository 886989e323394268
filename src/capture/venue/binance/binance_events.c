#include "capture/venue/binance/binance.h"

#include <string.h>

#include "base/check.h"

/* What one conversion knows; the first fault stays. */
struct scaler {
    const struct instrument *in;
    enum binance_status status;
    const char *expected;
};

static bool refuse(struct scaler *c, enum binance_status status, const char *expected) {
    if (c->status == BINANCE_OK) {
        c->status = status;
        c->expected = expected;
    }
    return false;
}

/* 5^-k modulo 2^64 and floor((2^64 - 1) / 5^k): v is a multiple of 5^k iff v * inverse <= limit,
 * and then the product is the quotient (Granlund and Montgomery 1994, section 9). */
static const struct {
    uint64_t inverse, limit;
} five[19] = {
    {1ull, 18446744073709551615ull},
    {14757395258967641293ull, 3689348814741910323ull},
    {10330176681277348905ull, 737869762948382064ull},
    {2066035336255469781ull, 147573952589676412ull},
    {15170602326218735249ull, 29514790517935282ull},
    {6723469279985657373ull, 5902958103587056ull},
    {8723391485480952121ull, 1180591620717411ull},
    {16502073556063831717ull, 236118324143482ull},
    {14368461155438497313ull, 47223664828696ull},
    {10252389860571520109ull, 9444732965739ull},
    {5739826786856214345ull, 1888946593147ull},
    {1147965357371242869ull, 377789318629ull},
    {3918941886216158897ull, 75557863725ull},
    {11851834821468962749ull, 15111572745ull},
    {6059715779035702873ull, 3022314549ull},
    {8590640785290961221ull, 604462909ull},
    {16475523416025833537ull, 120892581ull},
    {14363151127430897677ull, 24178516ull},
    {13940676669711910505ull, 4835703ull},
};

static bool exact_divide(uint64_t v, unsigned power, uint64_t *quotient) {
    if (v & ((1ull << power) - 1)) return false;
    uint64_t q = (v >> power) * five[power].inverse;
    if (q > five[power].limit) return false;
    *quotient = q;
    return true;
}

/* Decimal -> count of mant / 10^exp; the common units are powers of ten. */
static bool scale(struct scaler *c, struct decimal d, int64_t unit_mant, uint8_t unit_exp,
    const char *name, int64_t *out) {
    if (d.exp == unit_exp && unit_mant == 1) {
        *out = d.mant;
        return true;
    }
    if (unit_mant == 1 && d.exp > unit_exp && d.mant >= 0) {
        uint64_t q;
        if (!exact_divide((uint64_t)d.mant, (unsigned)(d.exp - unit_exp), &q))
            return refuse(c, BINANCE_FINER, name);
        *out = (int64_t)q;
        return true;
    }
    if (decimal_to_units(d, unit_mant, unit_exp, out)) return true;
    /* a remainder or an overflow: one with the unit's own decimals left over is finer */
    struct decimal least = decimal_reduce(d);
    bool finer = least.exp > unit_exp || (unit_mant != 1 && least.mant % unit_mant != 0);
    return refuse(c, finer ? BINANCE_FINER : BINANCE_RANGE, name);
}

static bool price(struct scaler *c, struct decimal d, const char *name, price_t *out) {
    int64_t v;
    if (!scale(c, d, c->in->px_mant, c->in->px_exp, name, &v)) return false;
    if (v < 0) return refuse(c, BINANCE_BAD_PRICE, name);
    out->ticks = v;
    return true;
}

static bool quantity(struct scaler *c, struct decimal d, const char *name, qty_t *out) {
    int64_t v;
    if (!scale(c, d, c->in->qty_mant, c->in->qty_exp, name, &v)) return false;
    if (v < 0) return refuse(c, BINANCE_BAD_PRICE, name);
    out->lots = v;
    return true;
}

static bool fixed(struct scaler *c, struct decimal d, uint8_t exp, const char *name, int64_t *out) {
    return scale(c, d, 1, exp, name, out);
}

/* Message time minus venue time in us; beyond +-2147 s it stays at the end of its range. */
static int32_t msg_us(int64_t msg_ns, int64_t venue_ns) {
    int64_t us = msg_ns == 0 ? 0 : (msg_ns - venue_ns) / NS_PER_US;
    if (us > INT32_MAX) return INT32_MAX;
    return us < INT32_MIN ? INT32_MIN : (int32_t)us;
}

static struct event head(
    const struct scaler *c, uint8_t kind, int64_t venue_ns, int64_t msg_ns, ts_t ts_local) {
    return (struct event){.ts_venue = {venue_ns},
        .ts_local = ts_local,
        .inst = c->in->id,
        .kind = kind,
        .flags = EVF_FIRST | EVF_LAST,
        .msg_us = msg_us(msg_ns, venue_ns)};
}

static void words(struct event *head_slot, const int64_t w[8]) {
    memcpy(head_slot + 1, w, sizeof(struct event_cont));
}

static bool trade_event(
    struct scaler *c, const struct binance_message *m, ts_t at, struct event *out) {
    const struct binance_trade *t = &m->trade;
    bool agg = m->kind == BINANCE_AGG_TRADE;
    struct event e = head(c, agg ? EV_AGG_TRADE : EV_TRADE, m->venue_ns, m->msg_ns, at);
    if (!price(c, t->px, "price", &e.px) || !quantity(c, t->qty, "quantity", &e.qty)) return false;
    e.id = t->id;
    e.flags |= t->seller_aggressor ? EVF_SELL : EVF_BUY;
    if (!t->market || e.px.ticks == 0 || e.qty.lots == 0) e.flags |= EVF_NON_MARKET;
    if (agg) {
        e.agg.first_id = t->first_id;
        e.agg.last_id = t->last_id;
    }
    *out = e;
    return true;
}

static bool level_events(struct scaler *c, const struct binance_level *level, uint32_t count,
    struct event base, uint8_t side, struct event *out) {
    base.flags |= side;
    for (uint32_t i = 0; i < count; i++) {
        if (!price(c, level[i].px, "level price", &base.px) ||
            !quantity(c, level[i].qty, "level quantity", &base.qty))
            return false;
        if (__builtin_expect(base.px.ticks == 0, 0))
            return refuse(c, BINANCE_BAD_PRICE, "level price above 0");
        out[i] = base;
    }
    return true;
}

static bool depth_events(
    struct scaler *c, const struct binance_message *m, ts_t at, struct event *out, size_t *n) {
    const struct binance_depth *d = &m->depth;
    if (m->kind == BINANCE_DEPTH && !d->has_prev && c->in->venue != VENUE_BINANCE_SPOT)
        return refuse(c, BINANCE_MISSING, "pu (changes of a futures book)");
    bool levels = d->bids + d->asks > 0;
    struct event base = head(c, levels ? EV_DEPTH : EV_DEPTH_END, m->venue_ns, m->msg_ns, at);
    base.id = d->last_id;
    base.depth.first_id = d->first_id;
    base.depth.prev_id = d->prev_id;
    base.flags = m->kind == BINANCE_DEPTH ? 0 : EVF_SNAPSHOT;
    if (!levels) {
        base.flags |= EVF_FIRST | EVF_LAST;
        out[0] = base;
        *n = 1;
        return true;
    }
    if (!level_events(c, d->bid, d->bids, base, EVF_BUY, out) ||
        !level_events(c, d->ask, d->asks, base, EVF_SELL, out + d->bids))
        return false;
    *n = d->bids + d->asks;
    out[0].flags |= EVF_FIRST;
    out[*n - 1].flags |= EVF_LAST;
    return true;
}

static bool ticker_event(
    struct scaler *c, const struct binance_message *m, ts_t at, struct event *out) {
    const struct binance_ticker *t = &m->ticker;
    struct event e = head(c, EV_TICKER, m->venue_ns, m->msg_ns, at);
    e.id = t->id;
    if (!price(c, t->bid_px, "b", &e.px) || !quantity(c, t->bid_qty, "B", &e.qty) ||
        !price(c, t->ask_px, "a", &e.ask.px) || !quantity(c, t->ask_qty, "A", &e.ask.qty))
        return false;
    *out = e;
    return true;
}

static bool mark_event(struct scaler *c, const struct binance_mark *k, ts_t at, struct event *out) {
    struct event e = head(c, EV_MARK, k->msg_ns, k->msg_ns, at);
    int64_t w[8] = {[MARK_NEXT_FUNDING_NS] = k->next_funding_ns, [MARK_RATE_E16] = KLINE_UNKNOWN};
    if (!fixed(c, k->mark, 10, "mark price", &e.aux.a) ||
        !fixed(c, k->index, 10, "index price", &e.aux.b) ||
        !fixed(c, k->settle, 10, "settle price", &w[MARK_SETTLE_E10]) ||
        !fixed(c, k->average, 10, "average mark price", &w[MARK_AVERAGE_E10]) ||
        (k->has_rate && !fixed(c, k->rate, 16, "funding rate", &w[MARK_RATE_E16])))
        return false;
    out[0] = e;
    words(out, w);
    return true;
}

static bool liquidation_event(
    struct scaler *c, const struct binance_liquidation *l, ts_t at, struct event *out) {
    struct event e = head(c, EV_LIQUIDATION, l->venue_ns, l->msg_ns, at);
    if (!price(c, l->px, "order price", &e.px) || !quantity(c, l->filled, "filled", &e.qty) ||
        !fixed(c, l->average, 10, "average price", &e.aux.a))
        return false;
    e.flags |= l->buys ? EVF_BUY : EVF_SELL;
    *out = e;
    return true;
}

static bool kline_event(
    struct scaler *c, const struct binance_message *m, ts_t at, struct event *out) {
    const struct binance_kline *k = &m->kline;
    struct event e = head(c, EV_KLINE, m->msg_ns, m->msg_ns, at);
    price_t open, high, low;
    qty_t taker;
    int64_t w[8] = {[KLINE_COUNT] = k->count, [KLINE_CLOSE_NS] = k->close_ns};
    if (!price(c, k->close, "close", &e.px) || !quantity(c, k->volume, "volume", &e.qty) ||
        !price(c, k->open, "open", &open) || !price(c, k->high, "high", &high) ||
        !price(c, k->low, "low", &low) || !quantity(c, k->taker_buy, "taker-buy volume", &taker) ||
        !fixed(c, k->quote_volume, 8, "quote volume", &w[KLINE_QUOTE_VOLUME_E8]) ||
        !fixed(c, k->taker_buy_quote, 8, "taker-buy quote", &w[KLINE_TAKER_BUY_QUOTE_E8]))
        return false;
    w[KLINE_OPEN_PX] = open.ticks;
    w[KLINE_HIGH_PX] = high.ticks;
    w[KLINE_LOW_PX] = low.ticks;
    w[KLINE_TAKER_BUY_QTY] = taker.lots;
    e.id = k->open_ns;
    if (k->closed) e.flags |= EVF_CLOSED;
    out[0] = e;
    words(out, w);
    return true;
}

static bool stat24_event(
    struct scaler *c, const struct binance_stat24 *t, ts_t at, struct event *out) {
    struct event e = head(c, EV_STAT24, t->msg_ns, t->msg_ns, at);
    price_t open, high, low;
    int64_t w[8] = {[STAT24_COUNT] = t->count,
        [STAT24_FIRST_ID] = t->first_id,
        [STAT24_LAST_ID] = t->last_id,
        [STAT24_OPEN_NS] = t->open_ns};
    if (!price(c, t->last, "last", &e.px) || !quantity(c, t->volume, "volume", &e.qty) ||
        !price(c, t->open, "open", &open) || !price(c, t->high, "high", &high) ||
        !price(c, t->low, "low", &low) ||
        !fixed(c, t->quote_volume, 8, "quote volume", &w[STAT24_QUOTE_VOLUME_E8]))
        return false;
    w[STAT24_OPEN_PX] = open.ticks;
    w[STAT24_HIGH_PX] = high.ticks;
    w[STAT24_LOW_PX] = low.ticks;
    out[0] = e;
    words(out, w);
    return true;
}

static bool open_interest_event(
    struct scaler *c, const struct binance_message *m, ts_t at, struct event *out) {
    struct event e = head(c, EV_OPEN_INTEREST, m->venue_ns, m->msg_ns, at);
    if (!fixed(c, m->open_interest.amount, 8, "openInterest", &e.aux.a)) return false;
    *out = e;
    return true;
}

static bool convert(struct scaler *c, const struct binance_message *m, size_t item, ts_t at,
    struct event *out, size_t *n) {
    *n = 1;
    switch ((enum binance_kind)m->kind) {
    case BINANCE_TRADE:
    case BINANCE_AGG_TRADE: return trade_event(c, m, at, out);
    case BINANCE_DEPTH:
    case BINANCE_PARTIAL_DEPTH:
    case BINANCE_SNAPSHOT: return depth_events(c, m, at, out, n);
    case BINANCE_TICKER: return ticker_event(c, m, at, out);
    case BINANCE_LIQUIDATION: return liquidation_event(c, &m->liquidation[item], at, out);
    case BINANCE_OPEN_INTEREST: return open_interest_event(c, m, at, out);
    case BINANCE_MARK: *n = 2; return mark_event(c, &m->mark[item], at, out);
    case BINANCE_KLINE: *n = 2; return kline_event(c, m, at, out);
    case BINANCE_STAT24: *n = 2; return stat24_event(c, &m->stat24[item], at, out);
    case BINANCE_NONE:
    case BINANCE_EXCHANGE_INFO:
    case BINANCE_CONTROL:
    case BINANCE_OTHER:
    case BINANCE_KIND_COUNT: break;
    }
    *n = 0;
    return true;
}

enum binance_status binance_events(const struct binance_message *m, size_t item,
    const struct instrument *in, ts_t ts_local, struct event *out, size_t *n,
    struct binance_fault *fault) {
    CHECK(item < m->items || m->items == 0);
    CHECK(in->px_mant > 0 && in->qty_mant > 0);
    struct scaler c = {.in = in};
    size_t slots;
    if (convert(&c, m, item, ts_local, out, &slots)) *n = slots;
    if (fault) *fault = (struct binance_fault){c.status, 0, c.expected};
    return c.status;
}
