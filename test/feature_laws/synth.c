#include "feature_laws/synth.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/external.h"
#include "base/rng.h"

enum { PRICES = 4096, BASE = 18000, BURST_MAX = 9, CHANGED_MAX = 64 };
#define START_NS (INT64_C(1709539080) * NS_PER_S + 217000000) /* 2024-03-04 07:58:00.217 */

/* One quantity a price above BASE: bids below `ask`, asks from it on. */
struct market {
    int64_t qty[PRICES];
    int64_t bid, ask; /* best prices */
    int64_t update_id, trade_id;
    int64_t changed[CHANGED_MAX];
    size_t changes;
    uint8_t told[PRICES]; /* side flag of the level that was sent last, 0 = none */
};

static struct event *put(struct synth *s, size_t slots) {
    if (s->n + slots > s->cap) {
        s->cap = s->cap ? 2 * s->cap : 4096;
        s->slots = realloc(s->slots, s->cap * sizeof *s->slots);
        CHECK(s->slots);
    }
    struct event *ev = &s->slots[s->n];
    memset(ev, 0, slots * sizeof *ev);
    s->n += slots;
    return ev;
}

static struct event *put_kind(struct synth *s, uint8_t kind, int64_t now) {
    struct event *ev = put(s, event_slots(kind));
    ev->kind = kind;
    ev->flags = EVF_FIRST | EVF_LAST;
    ev->ts_local.ns = now;
    ev->ts_venue.ns = now - 3 * NS_PER_MS;
    return ev;
}

static int64_t size_of(struct rng *r) { return 1 + (int64_t)(rng_exp(r) * 700.0); }

struct message {
    uint8_t flags; /* EVF_SNAPSHOT or 0 */
    int64_t first_id, prev_id;
    size_t levels;
};

static void put_level(struct synth *s, struct market *m, struct message *msg, int64_t now,
    int64_t px, uint8_t side, int64_t qty) {
    struct event *ev = put_kind(s, EV_DEPTH, now);
    ev->flags = (uint8_t)(side | msg->flags | (msg->levels++ == 0 ? EVF_FIRST : 0));
    ev->px.ticks = BASE + px;
    ev->qty.lots = qty;
    ev->id = m->update_id;
    ev->depth.first_id = msg->first_id;
    ev->depth.prev_id = msg->prev_id;
    m->told[px] = qty ? side : 0;
}

/* A price that changed sides is deleted on the one and set on the other. */
static void put_price(
    struct synth *s, struct market *m, struct message *msg, int64_t now, int64_t px) {
    uint8_t side = px < m->ask ? EVF_BUY : EVF_SELL, was = m->told[px];
    if (was && (was != side || m->qty[px] == 0)) put_level(s, m, msg, now, px, was, 0);
    if (m->qty[px]) put_level(s, m, msg, now, px, side, m->qty[px]);
}

static void put_snapshot(struct synth *s, struct market *m, int64_t now) {
    struct message msg = {.flags = EVF_SNAPSHOT};
    memset(m->told, 0, sizeof m->told);
    for (int64_t px = 0; px < PRICES; px++) put_price(s, m, &msg, now, px);
    s->slots[s->n - 1].flags |= EVF_LAST;
}

static void change(struct market *m, int64_t px, int64_t qty) {
    if (m->changes == CHANGED_MAX || px <= 0 || px >= PRICES) return;
    m->qty[px] = qty;
    for (size_t i = 0; i < m->changes; i++)
        if (m->changed[i] == px) return;
    m->changed[m->changes++] = px;
}

/* The touch moves by a few ticks: levels in the way go, new ones come behind. */
static void move(struct market *m, struct rng *r, bool up) {
    int64_t steps = 1 + (int64_t)rng_below(r, 4);
    if (up && m->ask + steps < PRICES - 400) {
        for (int64_t px = m->ask; px < m->ask + steps; px++) change(m, px, 0);
        int64_t was = m->ask;
        for (m->ask += steps; m->qty[m->ask] == 0;) m->ask++;
        if (rng_below(r, 3)) change(m, m->bid = was, size_of(r));
    } else if (!up && m->bid - steps > 400) {
        for (int64_t px = m->bid; px > m->bid - steps; px--) change(m, px, 0);
        int64_t was = m->bid;
        for (m->bid -= steps; m->qty[m->bid] == 0;) m->bid--;
        if (rng_below(r, 3)) change(m, m->ask = was, size_of(r));
    }
}

/* A message of level changes; `send` false: the venue's message is lost on the way. */
static void depth_message(
    struct synth *s, struct market *m, struct rng *r, int64_t now, bool send) {
    m->changes = 0;
    if (rng_below(r, 4) == 0) move(m, r, rng_below(r, 2));
    for (uint64_t i = rng_below(r, 7); i > 0; i--) {
        int64_t far = 1 + (int64_t)(rng_exp(r) * (rng_below(r, 8) ? 15.0 : 90.0));
        int64_t px = rng_below(r, 2) ? m->bid - far : m->ask + far;
        if (px > 0 && px < PRICES) change(m, px, rng_below(r, 3) ? size_of(r) : 0);
    }
    if (rng_below(r, 3) == 0) change(m, rng_below(r, 2) ? m->bid : m->ask, size_of(r));
    int64_t prev = m->update_id, first = prev + 1;
    m->update_id += 1 + (int64_t)rng_below(r, 5);
    if (!send) return;
    struct message msg = {.first_id = first, .prev_id = prev};
    for (size_t i = 0; i < m->changes; i++) put_price(s, m, &msg, now, m->changed[i]);
    if (msg.levels > 0) {
        s->slots[s->n - 1].flags |= EVF_LAST;
        return;
    }
    struct event *ev = put_kind(s, EV_DEPTH_END, now);
    ev->id = m->update_id;
    ev->depth.first_id = first;
    ev->depth.prev_id = prev;
}

static void trade_burst(struct synth *s, struct market *m, struct rng *r, int64_t now, bool buy) {
    for (uint64_t i = 1 + rng_below(r, BURST_MAX); i > 0; i--) {
        struct event *ev = put_kind(s, EV_TRADE, now);
        int64_t off = rng_below(r, 6) == 0 ? (int64_t)rng_below(r, 4) - 1 : 0;
        ev->flags |= buy ? EVF_BUY : EVF_SELL;
        ev->px.ticks = BASE + (buy ? m->ask + off : m->bid - off);
        ev->qty.lots = rng_below(r, 40) ? size_of(r) : 90 * size_of(r);
        ev->id = ++m->trade_id;
        if (rng_below(r, 50) == 0) {
            ev->flags |= EVF_NON_MARKET;
            ev->qty.lots *= 100;
        }
    }
}

static void mark_event(struct synth *s, const struct market *m, struct rng *r, int64_t now) {
    struct event *ev = put_kind(s, EV_MARK, now);
    struct event_cont *cont = (struct event_cont *)(void *)(ev + 1);
    double mid = 0.005 * (double)(2 * BASE + m->bid + m->ask);
    ev->aux.a = (int64_t)((mid + 0.01 * rng_normal(r)) * (double)AUX_ONE);
    ev->aux.b = (int64_t)((mid - 0.02 + 0.01 * rng_normal(r)) * (double)AUX_ONE);
    cont->w[MARK_RATE_E16] = (int64_t)((1e-4 + 2e-5 * rng_normal(r)) * (double)RATE_ONE);
    cont->w[MARK_NEXT_FUNDING_NS] = (now / (28800 * NS_PER_S) + 1) * 28800 * NS_PER_S;
    int64_t second = now / NS_PER_S;
    if (second / 1000 % 2) cont->w[MARK_RATE_E16] *= -1;
    if (second % 700 < 10) cont->w[MARK_RATE_E16] = KLINE_UNKNOWN; /* no rate in the message */
    if (rng_below(r, 5) == 0) {
        struct event *oi = put_kind(s, EV_OPEN_INTEREST, now);
        oi->aux.a = (int64_t)(1e8 * (50000.0 + 100.0 * rng_normal(r)));
    }
    if (rng_below(r, 400) == 0) {
        struct event *paid = put_kind(s, EV_FUNDING, now);
        paid->aux.a = (int64_t)(1e-4 * (double)RATE_ONE);
    }
}

/* Forced orders in runs of one side, and the ratios of long to short. */
static void crowd_events(struct synth *s, const struct market *m, struct rng *r, int64_t now) {
    if (rng_below(r, 40) == 0) {
        bool buy = rng_below(r, 2);
        for (uint64_t i = 1 + rng_below(r, 4); i > 0; i--) {
            struct event *ev = put_kind(s, EV_LIQUIDATION, now);
            ev->flags |= buy ? EVF_BUY : EVF_SELL;
            ev->px.ticks = BASE + (buy ? m->ask + 30 : m->bid - 30);
            ev->qty.lots = size_of(r);
            ev->aux.a = rng_below(r, 3) ? (BASE + m->bid) * (AUX_ONE / 100) : 0;
        }
    }
    if (rng_below(r, 150) != 0) return;
    for (int64_t kind = RATIO_ACCOUNTS; kind <= RATIO_TAKER; kind++) {
        struct event *ev = put_kind(s, EV_RATIO, now);
        ev->id = kind;
        ev->aux.a = (int64_t)((0.4 + 2.0 * rng_unit(r)) * (double)AUX_ONE);
    }
}

/* clang-format off */
const struct synth_series synth_series[SYNTH_SERIES] = {
    {"exchange_inflow", 259200}, {"exchange_outflow", 259200}, {"exchange_netflow", 259200},
    {"exchange_balance", 259200}, {"whale_transfers", 259200}, {"whale_balance", 259200},
    {"miner_outflow", 259200}, {"active_addresses", 259200}, {"fees", 259200},
    {"hash_rate", 259200}, {"mempool_size", 3600}, {"mempool_fee", 3600}, {"hodl_1y", 259200},
    {"realised_profit", 259200}, {"realised_loss", 259200}, {"sopr", 259200}, {"mvrv", 259200},
    {"coin_days", 259200}, {"stablecoins", 259200}, {"sentiment", 86400}, {"social_volume", 86400},
    {"search_trend", 1209600}, {"fear_greed", 259200}, {"surprise", 3888000}, {"dvol", 259200},
    {"calendar", 0}};
/* clang-format on */

enum { HISTORY = 48 };

struct publisher {
    int64_t event[HISTORY]; /* event times so far, newest last */
    int64_t times[HISTORY]; /* how often each was published */
    size_t n;
    int64_t newest;
};

/* Publishes a new point, a revision of one, or one that comes late. */
static void publish(struct synth *s, struct publisher *p, size_t k, struct rng *r, int64_t now) {
    bool calendar = k == SYNTH_SERIES - 1;
    uint64_t pick = rng_below(r, 10);
    size_t at = p->n;
    int64_t event = now - (int64_t)rng_below(r, 20) * NS_PER_S;
    if (calendar) event = now + (int64_t)rng_below(r, 90) * NS_PER_S - 10 * NS_PER_S;
    if (pick < 3 && p->n > 0) {
        at = rng_below(r, p->n);
        event = p->event[at];
    } else if (pick > 3 && event <= p->newest && !calendar) {
        event = p->newest + 1;
    }
    for (size_t i = 0; i < p->n; i++)
        if (p->event[i] == event) at = i;
    if (at == HISTORY) {
        memmove(p->event, p->event + 1, (HISTORY - 1) * sizeof p->event[0]);
        memmove(p->times, p->times + 1, (HISTORY - 1) * sizeof p->times[0]);
        at = --p->n;
    }
    if (at == p->n) {
        p->event[p->n] = event;
        p->times[p->n++] = 0;
    }
    if (event > p->newest) p->newest = event;
    struct event *ev = put_kind(s, EV_EXTERNAL, now);
    ev->inst = s->row[k].id;
    ev->ts_venue.ns = event;
    ev->px.ticks = p->times[at]++;
    ev->qty.lots = calendar ? 0 : 2;
    ev->id = external_key(synth_series[k].name);
    ev->aux.a = calendar ? (int64_t)rng_below(r, 4) : (int64_t)rng_below(r, 900) - 200;
    ev->aux.b = p->newest;
}

enum { SYNTH_EXPIRIES = 8, STRIKES = 17 };

/* One option; what it does not say is KLINE_UNKNOWN. */
static void put_option(struct synth *s, struct rng *r, int64_t now, size_t expiry, int strike,
    bool call, double index, bool said) {
    static const double days[SYNTH_EXPIRIES] = {0.004, 0.4, 3.0, 8.0, 29.0, 31.5, 92.0, 180.0};
    struct event *ev = put_kind(s, EV_OPTION, now);
    struct event_cont *w = (struct event_cont *)(void *)(ev + 1);
    double k = 160.0 + 5.0 * strike, forward = index * (1.0 + 2e-4 * days[expiry]);
    double vol = 0.5 + 1e-5 * (k - 205.0) * (k - 200.0) + 0.02 * rng_unit(r);
    double put = 0.02 + 0.1 * rng_unit(r), mark = call ? put + 1.0 - k / forward : put;
    ev->inst = s->row[SYNTH_SERIES].id;
    ev->id = START_NS + (int64_t)(days[expiry] * 86400e9);
    ev->flags = call ? EVF_BUY : EVF_SELL;
    ev->aux.a = (int64_t)k * AUX_ONE;
    ev->aux.b = (int64_t)(index * 1e10);
    w->w[OPTION_MARK_E10] = (int64_t)(mark * 1e10);
    w->w[OPTION_LAST_E10] = KLINE_UNKNOWN;
    w->w[OPTION_IV_E10] = rng_below(r, 12) ? (int64_t)(vol * 1e10) : KLINE_UNKNOWN;
    w->w[OPTION_FORWARD_E10] = said ? (int64_t)(forward * 1e10) : KLINE_UNKNOWN;
    w->w[OPTION_INTEREST_E8] = rng_below(r, 900) ? size_of(r) * 1000000 : KLINE_UNKNOWN;
    w->w[OPTION_VOLUME_E8] = size_of(r) * 500000;
}

/* A snapshot of the chain, or the new quote of one option. */
static void option_events(struct synth *s, struct rng *r, int64_t now, double index) {
    bool said = rng_below(r, 2);
    if (rng_below(r, 2)) {
        put_option(s, r, now, rng_below(r, SYNTH_EXPIRIES), (int)rng_below(r, STRIKES),
            rng_below(r, 2), index, said);
        s->slots[s->n - 2].flags |= EVF_FIRST | EVF_LAST;
        return;
    }
    size_t first = s->n, skip = rng_below(r, 20) ? SYNTH_EXPIRIES : rng_below(r, SYNTH_EXPIRIES);
    for (size_t e = 0; e < SYNTH_EXPIRIES; e++)
        for (int i = 0; i < STRIKES && e != skip; i++)
            for (int call = 0; call < 2; call++)
                if (rng_below(r, 10)) put_option(s, r, now, e, i, call, index, said);
    s->slots[first].flags |= EVF_FIRST;
    s->slots[s->n - 2].flags |= EVF_LAST;
}

struct outside {
    struct rng rng, options;
    struct publisher publisher[SYNTH_SERIES];
    uint64_t rarity; /* one in so many seconds, each series */
};

static void outside_start(struct outside *o, struct synth *s, const struct synth_options *opt) {
    memset(o, 0, sizeof *o);
    rng_init(&o->rng, opt->seed, 3);
    rng_init(&o->options, opt->seed, 4);
    o->rarity = opt->seconds > 1800.0 ? (uint64_t)(opt->seconds / 150.0) : 12;
    for (size_t k = 0; k < SYNTH_ROWS; k++) {
        struct instrument *in = &s->row[k];
        in->id = (uint16_t)(SYNTH_ROW_FIRST + k);
        in->kind = k < SYNTH_SERIES ? INSTRUMENT_SERIES : INSTRUMENT_OPTIONS;
        const char *name = k < SYNTH_SERIES ? synth_series[k].name : "TEST";
        memcpy(in->symbol, name, strlen(name));
    }
}

static void outside_events(
    struct synth *s, const struct market *m, struct outside *o, int64_t now) {
    for (size_t k = 0; k < SYNTH_SERIES; k++)
        if (rng_below(&o->rng, o->rarity) == 0) publish(s, &o->publisher[k], k, &o->rng, now);
    if (rng_below(&o->options, 3 * o->rarity) == 0)
        option_events(s, &o->options, now, 0.005 * (double)(2 * BASE + m->bid + m->ask));
}

static void market_start(struct market *m, struct rng *r) {
    memset(m, 0, sizeof *m);
    m->bid = PRICES / 2;
    m->ask = m->bid + 2;
    for (int64_t i = 0; i < 260; i++) {
        if (i == 0 || rng_below(r, 5)) m->qty[m->bid - i] = size_of(r);
        if (i == 0 || rng_below(r, 5)) m->qty[m->ask + i] = size_of(r);
    }
    m->update_id = 1000;
}

static void ticker_event(struct synth *s, const struct market *m, int64_t now) {
    struct event *ev = put_kind(s, EV_TICKER, now);
    ev->px.ticks = BASE + m->bid;
    ev->qty.lots = m->qty[m->bid];
    ev->ask.px.ticks = BASE + m->ask;
    ev->ask.qty.lots = m->qty[m->ask];
    ev->id = m->update_id;
}

static void synth_live(struct synth *s, const struct synth_options *o, struct rng *r) {
    struct market *m = malloc(sizeof *m);
    CHECK(m);
    struct rng crowd; /* sources of their own: the rest stays what it was */
    struct outside *outside = malloc(sizeof *outside);
    CHECK(outside);
    rng_init(&crowd, o->seed, 2);
    outside_start(outside, s, o);
    market_start(m, r);
    int64_t now = START_NS, end = START_NS + (int64_t)(o->seconds * 1e9), next_mark = START_NS;
    double part = (double)(end - START_NS), all = o->depth_rate + o->trade_rate + 0.3;
    bool lost = false, healed = false, broke = false, buying = true;
    put_snapshot(s, m, now);
    while (now < end) {
        now += 1 + (int64_t)(rng_exp(r) / all * 1e9);
        double at = (double)(now - START_NS) / part, pick = rng_unit(r) * all;
        for (; next_mark <= now; next_mark += NS_PER_S) {
            mark_event(s, m, r, next_mark);
            crowd_events(s, m, &crowd, next_mark);
            if (!o->market_only) outside_events(s, m, outside, next_mark);
        }
        if (o->faults && at > 0.70 && at < 0.72) continue; /* silence: empty buckets */
        bool lose = o->faults && at > 0.30 && !lost;
        if (o->faults && lost && !healed && at > 0.315) {
            put_snapshot(s, m, now);
            healed = true;
        }
        if (o->faults && at > 0.85 && !broke) {
            put_kind(s, EV_GAP, now)->id = GAP_CONNECTION;
            put_snapshot(s, m, now + 1);
            broke = true;
        }
        if (rng_below(r, 5) == 0) buying = !buying;
        if (pick < o->depth_rate || lose) {
            depth_message(s, m, r, now, !lose);
            lost |= lose;
        } else if (pick < o->depth_rate + o->trade_rate) {
            trade_burst(s, m, r, now, buying);
        } else {
            ticker_event(s, m, now);
        }
    }
    free(outside);
    free(m);
}

static void synth_bars(struct synth *s, const struct synth_options *o, struct rng *r) {
    int64_t px = 20000, minute = 60 * NS_PER_S;
    int64_t open = START_NS / minute * minute;
    for (int64_t end = open + (int64_t)(o->seconds * 1e9); open < end; open += minute) {
        struct event *ev = put_kind(s, EV_KLINE, open + minute);
        struct event_cont *cont = (struct event_cont *)(void *)(ev + 1);
        int64_t move = (int64_t)(rng_normal(r) * 12.0), range = 1 + (int64_t)(rng_exp(r) * 8.0);
        bool halted = rng_below(r, 60) == 0;
        int64_t close = halted ? px : px + move, volume = halted ? 0 : 50 * size_of(r);
        ev->flags |= EVF_CLOSED;
        ev->id = open;
        ev->px.ticks = close;
        ev->qty.lots = volume;
        cont->w[KLINE_OPEN_PX] = px;
        cont->w[KLINE_HIGH_PX] = (px > close ? px : close) + range;
        cont->w[KLINE_LOW_PX] = (px < close ? px : close) - range;
        /* mean price x volume: 0.01 x 0.001 quote units are 1000 x 1e-8 */
        cont->w[KLINE_QUOTE_VOLUME_E8] = (px + close) / 2 * volume * 1000;
        cont->w[KLINE_TAKER_BUY_QTY] = (int64_t)((double)volume * rng_unit(r));
        cont->w[KLINE_TAKER_BUY_QUOTE_E8] = KLINE_UNKNOWN;
        cont->w[KLINE_COUNT] = halted ? 0 : 1 + (int64_t)rng_below(r, 900);
        cont->w[KLINE_CLOSE_NS] = open + minute - NS_PER_MS;
        px = close;
    }
}

void synth_make(struct synth *s, const struct synth_options *o) {
    struct rng r;
    memset(s, 0, sizeof *s);
    rng_init(&r, o->seed, 1);
    memcpy(s->inst.symbol, "TESTUSDT", 8);
    s->inst.px_mant = s->inst.qty_mant = 1;
    s->inst.px_exp = 2;
    s->inst.qty_exp = 3;
    s->inst.tick_units = s->inst.lot_units = 1;
    s->inst.contract_e8 = 100000000;
    s->inst.venue = VENUE_BINANCE_USDM;
    if (o->bars)
        synth_bars(s, o, &r);
    else
        synth_live(s, o, &r);
}

void synth_free(struct synth *s) {
    free(s->slots);
    memset(s, 0, sizeof *s);
}
