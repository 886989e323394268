/* Rows of CSV histories -> events. */
#include "base/check.h"
#include "capture/tape/import_internal.h"

struct out {
    const struct import_csv_row *row;
    const struct instrument *in;
    const char *why; /* first refusal */
    enum import_reason reason;
};

static void refuse(struct out *o, enum import_reason reason, const char *why) {
    if (o->why) return;
    o->why = why;
    o->reason = reason;
}

static price_t px(struct out *o, enum import_role role) {
    int64_t v = 0;
    if (!decimal_to_units(o->row->d[role], o->in->px_mant, o->in->px_exp, &v))
        refuse(o, IMPORT_BAD_PRICE, "a price that is no multiple of the unit, or too large");
    return (price_t){v};
}

static qty_t qty(struct out *o, enum import_role role) {
    int64_t v = 0;
    if (!decimal_to_units(o->row->d[role], o->in->qty_mant, o->in->qty_exp, &v))
        refuse(o, IMPORT_BAD_PRICE, "a quantity that is no multiple of the unit, or too large");
    return (qty_t){v};
}

static int64_t fixed(struct out *o, enum import_role role, uint8_t exp) {
    int64_t v = 0;
    if (!decimal_to_scale(o->row->d[role], exp, &v))
        refuse(o, IMPORT_MALFORMED, "a value with more decimals than its scale holds");
    return v;
}

static struct event head(const struct out *o, uint8_t kind, int64_t at_ns) {
    return (struct event){.ts_venue.ns = o->row->venue_ns,
        .ts_local.ns = at_ns,
        .inst = o->in->id,
        .kind = kind,
        .flags = EVF_FIRST | EVF_LAST};
}

/* Message time minus transaction time. */
static int32_t msg_us(struct out *o) {
    if (o->row->event_ns == 0) return 0;
    int64_t us = (o->row->event_ns - o->row->venue_ns) / NS_PER_US;
    if (us > INT32_MAX || us < INT32_MIN) {
        refuse(o, IMPORT_MALFORMED, "an event time more than 35 minutes from its transaction time");
        return 0;
    }
    return (int32_t)us;
}

static size_t trade(struct out *o, uint8_t kind, int64_t at_ns, struct event *ev) {
    const struct import_csv_row *r = o->row;
    *ev = head(o, kind, at_ns);
    ev->px = px(o, ROLE_PX);
    ev->qty = qty(o, ROLE_QTY);
    ev->id = r->id;
    ev->msg_us = msg_us(o);
    ev->flags = (uint8_t)(ev->flags | (r->seller_aggressor ? EVF_SELL : EVF_BUY));
    if (!r->market) ev->flags |= EVF_NON_MARKET;
    if (kind == EV_AGG_TRADE) {
        ev->agg.first_id = r->first_id;
        ev->agg.last_id = r->last_id;
    }
    return 1;
}

static size_t ticker(struct out *o, int64_t at_ns, struct event *ev) {
    *ev = head(o, EV_TICKER, at_ns);
    ev->px = px(o, ROLE_BID_PX);
    ev->qty = qty(o, ROLE_BID_QTY);
    ev->ask.px = px(o, ROLE_ASK_PX);
    ev->ask.qty = qty(o, ROLE_ASK_QTY);
    ev->id = o->row->id;
    ev->msg_us = msg_us(o);
    return 1;
}

static int64_t optional_e8(struct out *o, enum import_role role) {
    return import_has(o->row->has, role) ? fixed(o, role, 8) : KLINE_UNKNOWN;
}

static size_t kline(struct out *o, const struct import_file *f, int64_t at_ns, struct event *ev) {
    *ev = head(o, EV_KLINE, at_ns);
    ev->ts_venue.ns = at_ns;
    ev->px = px(o, ROLE_CLOSE);
    ev->qty = qty(o, ROLE_VOLUME);
    ev->id = o->row->venue_ns;
    ev->flags |= EVF_CLOSED;
    int64_t *w = ((struct event_cont *)(void *)(ev + 1))->w;
    w[KLINE_OPEN_PX] = px(o, ROLE_OPEN).ticks;
    w[KLINE_HIGH_PX] = px(o, ROLE_HIGH).ticks;
    w[KLINE_LOW_PX] = px(o, ROLE_LOW).ticks;
    w[KLINE_QUOTE_VOLUME_E8] = optional_e8(o, ROLE_QUOTE_VOLUME);
    w[KLINE_TAKER_BUY_QTY] =
        import_has(o->row->has, ROLE_TAKER_QTY) ? qty(o, ROLE_TAKER_QTY).lots : KLINE_UNKNOWN;
    w[KLINE_TAKER_BUY_QUOTE_E8] = optional_e8(o, ROLE_TAKER_QUOTE);
    w[KLINE_COUNT] = import_has(o->row->has, ROLE_COUNT) ? o->row->count : KLINE_UNKNOWN;
    w[KLINE_CLOSE_NS] = o->row->venue_ns + f->interval_ns - NS_PER_MS; /* as the venue writes it */
    int64_t low = w[KLINE_LOW_PX], high = w[KLINE_HIGH_PX];
    bool inside = ev->px.ticks >= low && ev->px.ticks <= high && w[KLINE_OPEN_PX] >= low &&
                  w[KLINE_OPEN_PX] <= high;
    if (low <= 0 || !inside || ev->qty.lots < 0)
        refuse(o, IMPORT_BAD_PRICE,
            "a bar needs 0 < low <= open, close <= high and a volume that is not negative");
    return 2;
}

/* A bar of the mark price: its close, known when it closes. */
static size_t mark(struct out *o, int64_t at_ns, struct event *ev) {
    *ev = head(o, EV_MARK, at_ns);
    ev->ts_venue.ns = at_ns;
    ev->aux.a = fixed(o, ROLE_CLOSE, 10);
    int64_t *w = ((struct event_cont *)(void *)(ev + 1))->w;
    for (int i = 0; i < 8; i++) w[i] = 0;
    w[MARK_RATE_E16] = KLINE_UNKNOWN;
    if (ev->aux.a <= 0) refuse(o, IMPORT_BAD_PRICE, "a mark price is positive");
    return 2;
}

static size_t metrics(struct out *o, int64_t at_ns, struct event *ev) {
    static const struct {
        uint8_t role, ratio;
    } ratios[] = {{ROLE_RATIO_ACCOUNTS, RATIO_ACCOUNTS},
        {ROLE_RATIO_TOP_ACCOUNTS, RATIO_TOP_ACCOUNTS},
        {ROLE_RATIO_TOP_POSITIONS, RATIO_TOP_POSITIONS}, {ROLE_RATIO_TAKER, RATIO_TAKER}};
    size_t n = 0;
    ev[n] = head(o, EV_OPEN_INTEREST, at_ns);
    ev[n].aux.a = fixed(o, ROLE_INTEREST, 8);
    if (import_has(o->row->has, ROLE_INTEREST_VALUE))
        ev[n].aux.b = fixed(o, ROLE_INTEREST_VALUE, 8);
    n++;
    for (size_t i = 0; i < 4; i++) {
        enum import_role role = (enum import_role)ratios[i].role;
        if (!import_has(o->row->has, role)) continue;
        ev[n] = head(o, EV_RATIO, at_ns);
        ev[n].id = ratios[i].ratio;
        ev[n++].aux.a = fixed(o, role, 10);
    }
    return n;
}

const char *import_csv_event(const struct import_file *f, const struct import_csv_row *row,
    int64_t at_ns, const struct instrument *in, struct event *ev, size_t *n,
    enum import_reason *reason) {
    struct out o = {.row = row, .in = in};
    switch ((enum import_csv_kind)f->csv.kind) {
    case IMPORT_CSV_TRADES: *n = trade(&o, EV_TRADE, at_ns, ev); break;
    case IMPORT_CSV_AGG_TRADES: *n = trade(&o, EV_AGG_TRADE, at_ns, ev); break;
    case IMPORT_CSV_KLINES: *n = kline(&o, f, at_ns, ev); break;
    case IMPORT_CSV_MARK: *n = mark(&o, at_ns, ev); break;
    case IMPORT_CSV_BOOK_TICKER: *n = ticker(&o, at_ns, ev); break;
    case IMPORT_CSV_FUNDING:
        *ev = head(&o, EV_FUNDING, at_ns);
        ev->aux.a = fixed(&o, ROLE_RATE, 16);
        *n = 1;
        break;
    case IMPORT_CSV_METRICS: *n = metrics(&o, at_ns, ev); break;
    case IMPORT_CSV_NONE:
    case IMPORT_CSV_KIND_COUNT: CHECK(false);
    }
    if (o.why) *reason = o.reason;
    return o.why;
}
