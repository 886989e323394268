#include "execute/sim/clearing.h"

#include <string.h>

#include "base/check.h"
#include "base/decimal.h"
#include "execute/sim/sim_internal.h"

void clearing_init(struct clearing *c) {
    memset(c, 0, sizeof *c);
    margin_init(&c->account);
}

void clearing_deposit(struct clearing *c, uint8_t asset, money_t amount) {
    CHECK(asset < MARGIN_ASSETS_MAX);
    c->account.deposit[asset].e12 += amount.e12;
}

uint32_t clearing_join(
    struct clearing *c, struct world *w, uint32_t seat, const struct clearing_rules *rules) {
    CHECK(seat < w->seats);
    CHECK(!w->started);
    CHECK(w->cfg->clears);
    uint32_t k =
        margin_leg_add(&c->account, w->cfg->inst, &rules->margin, &rules->fees, rules->asset);
    c->leg[k] = (struct clearing_leg){
        .world = w, .seat = seat, .funding = rules->funding, .funding_told = rules->funding_told};
    w->seat[seat].clearing = c;
    w->seat[seat].leg = k;
    sim_account(&w->seat[seat])->shared = &c->meter[w->cfg->inst->venue % VENUE_COUNT];
    w->cleared = true;
    return k;
}

struct clearing_use clearing_use(const struct clearing *c, uint8_t asset) {
    struct clearing_use u = {c->account.deposit[asset].e12, 0};
    for (uint32_t i = 0; i < c->account.legs; i++) {
        const struct margin_leg *l = &c->account.leg[i];
        if (l->asset != asset || l->rules.isolated) continue;
        u.balance = margin_balance(&c->account, i);
        u.upkeep = margin_upkeep(&c->account, i);
    }
    return u;
}

static struct sim_seat *seat_of(const struct clearing *c, uint32_t leg) {
    return &c->leg[leg].world->seat[c->leg[leg].seat];
}

/* Money must fit: a run whose sums do not ends, it is never wrong. */
static void settle_error(struct sim_seat *s, err_t code, int64_t ts) {
    if (code != ERR_OK) sim_fault(s->world, WORLD_MONEY, 0, ts);
}

static void checked(const struct clearing *c) { CHECK(margin_check(&c->account)); }

/* A row about money, no order: it waits in the queue of reports like any other. */
static void tell(struct sim_seat *s, struct sim_order *o, struct sim_said *said, int64_t ts) {
    said->queue_before = -1;
    sim_report(s, o, said, ts);
}

/* ---- fills ---- */

rate_t sim_clear_fill(struct sim_seat *s, const struct sim_order *o, int64_t px, int64_t qty,
    bool maker, int64_t ts) {
    struct clearing *c = s->clearing;
    struct ledger_fees rates = {{0}, {0}};
    ts_t at = {sim_venue_ns(s->world, ts)};
    err_t code =
        margin_fill(&c->account, s->leg, o->side, (price_t){px}, (qty_t){qty}, maker, at, &rates);
    if (!code && (o->flags & SIM_LIQUIDATION)) {
        struct margin_leg *l = &c->account.leg[s->leg];
        code = ledger_clearance(
            &l->ledger, l->inst, (price_t){px}, (qty_t){qty}, l->rules.clearance, NULL);
        c->counters.liquidation_fills++;
    }
    settle_error(s, code, ts);
    checked(c);
    return maker ? rates.maker : rates.taker;
}

/* ---- orders ---- */

static void add_open(const struct sim_seat *s, const struct margin_leg *l,
    const struct sim_order *o, struct margin_orders *sum) {
    int128 value;
    (void)s;
    if (o->leaves <= 0 || (o->flags & (SIM_REDUCE | SIM_DEAD))) return;
    if (!margin_value(l, (price_t){o->px}, (qty_t){o->leaves}, &value)) return;
    if (o->side == SIDE_BUY) {
        sum->buys += value;
    } else {
        sum->sells += value;
        sum->sell_lots += o->leaves;
    }
}

/* Open orders of a leg, kept until one of them changes. A bar's market orders have no price: they
 * count at the mark. */
static const struct margin_orders *open_of(struct clearing *c, uint32_t leg) {
    struct sim_seat *s = seat_of(c, leg);
    if (!s->open_stale) return &s->open;
    s->open = (struct margin_orders){0};
    s->open_stale = false;
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        for (uint32_t i = 0; i < s->count[side]; i++) {
            add_open(s, &c->account.leg[leg], &s->orders[side][i], &s->open);
        }
    }
    return &s->open;
}

/* What an order is valued at: its limit; without one the best it would meet, or the mark. */
static int64_t order_px(const struct sim_seat *s, const struct sim_order *o) {
    const struct world *w = s->world;
    const struct margin_leg *l = &s->clearing->account.leg[s->leg];
    struct book_level best;
    if (o->type == ORDER_LIMIT) return o->px;
    if (world_best(w, o->side ^ 1, &best)) return best.px.ticks;
    int128 ticks = (int128)l->mark_e10 * decimal_pow10[l->inst->px_exp] / l->inst->px_mant;
    return (int64_t)(ticks / AUX_ONE);
}

enum report_why sim_clear_admit(
    struct sim_seat *s, const struct sim_order *o, const struct sim_order *instead) {
    struct clearing *c = s->clearing;
    if (!c || (o->flags & SIM_REDUCE)) return WHY_NONE;
    struct margin_account *a = &c->account;
    if (!a->leg[s->leg].rules.on) return WHY_NONE;
    struct margin_orders open = *open_of(c, s->leg), mine = {0};
    if (instead) add_open(s, &a->leg[s->leg], instead, &mine);
    open.buys -= mine.buys;
    open.sells -= mine.sells;
    open.sell_lots -= mine.sell_lots;
    int128 others = 0;
    for (uint32_t i = 0; i < a->legs; i++) {
        const struct margin_leg *l = &a->leg[i];
        if (i == s->leg || l->asset != a->leg[s->leg].asset) continue;
        int128 required = margin_required(l, open_of(c, i));
        if (l->rules.isolated) required -= required < l->isolated.e12 ? required : l->isolated.e12;
        others += required;
    }
    int64_t px = order_px(s, o);
    if (px <= 0) return WHY_NONE; /* bars before the first: it fills at an open, which is judged */
    if (margin_allows(a, s->leg, &open, o->side, (price_t){px}, (qty_t){o->leaves}, others)) {
        return WHY_NONE;
    }
    c->counters.margin_refused++;
    return WHY_MARGIN;
}

/* ---- liquidation ---- */

static void cancel_all(struct clearing *c, uint32_t leg, int64_t ts) {
    struct sim_seat *s = seat_of(c, leg);
    struct sim_said said = {.status = REPORT_CANCELED, .why = WHY_LIQUIDATION};
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        while (s->count[side] > 0) {
            struct sim_order o = s->orders[side][0];
            sim_remove(s, side, 0);
            tell(s, &o, &said, ts);
            c->counters.orders_canceled++;
        }
    }
    while (s->triggers > 0) {
        struct sim_order o = s->trigger[0].order;
        sim_unwait(s, 0);
        tell(s, &o, &said, ts);
        c->counters.orders_canceled++;
    }
}

/* The venue takes the rest of a position over at the bankruptcy price. */
static void take_over(struct clearing *c, uint32_t leg, price_t px, int64_t ts) {
    struct margin_account *a = &c->account;
    struct margin_leg *l = &a->leg[leg];
    struct sim_seat *s = seat_of(c, leg);
    int64_t position = l->ledger.position;
    struct sim_order o = {.px = px.ticks,
        .qty = position < 0 ? -position : position,
        .placed = -1,
        .side = position > 0 ? SIDE_SELL : SIDE_BUY};
    struct sim_said said = {
        .status = REPORT_LIQUIDATION, .why = WHY_TAKEOVER, .last_px = px.ticks, .last_qty = o.qty};
    int128 marked = l->value.e12, at = 0;
    money_t value;
    if (ledger_mark(&l->ledger, l->inst, px, &value) == ERR_OK) at = value.e12;
    err_t code = margin_takeover(
        a, leg, px, (ts_t){sim_venue_ns(s->world, ts)}); /* no fee: the fund has the position */
    settle_error(s, code, ts);
    checked(c);
    if (at > marked) { /* dearer for the fund than the market */
        c->counters.insurance += at - marked;
        c->counters.adl += c->counters.insurance > c->insurance_e12.e12;
    }
    sim_account(s)->position -= position;
    c->counters.takeovers++;
    tell(s, &o, &said, ts);
}

/* Through the book, at the bankruptcy price or better; the lots that were taken. */
static int64_t through_book(
    struct clearing *c, uint32_t leg, price_t limit, int64_t lots, int64_t ts) {
    struct sim_seat *s = seat_of(c, leg);
    struct sim_order o = {.px = limit.ticks,
        .qty = lots,
        .leaves = lots,
        .placed = c->account.leg[leg].rules.clearance.e16, /* told with each fill */
        .side = c->account.leg[leg].ledger.position > 0 ? SIDE_SELL : SIDE_BUY,
        .type = ORDER_LIMIT,
        .tif = TIF_IOC,
        .flags = SIM_LIQUIDATION,
        .stp = STP_NONE};
    if (s->world->ops->liquidate) s->world->ops->liquidate(s, &o, ts);
    return lots - o.leaves;
}

/* Nothing is left to lose: what the balance lacks is paid by the venue. */
static void make_whole(struct clearing *c, uint32_t leg, int128 balance, int64_t ts) {
    struct margin_leg *l = &c->account.leg[leg];
    struct sim_seat *s = seat_of(c, leg);
    if (balance >= 0) return;
    money_t amount = {-balance};
    settle_error(s, ledger_insure(&l->ledger, amount), ts);
    checked(c);
    c->counters.insured++;
    c->counters.insurance += amount.e12;
    c->counters.adl += c->counters.insurance > c->insurance_e12.e12;
    struct sim_order o = {.placed = -1};
    struct sim_said said = {.status = REPORT_INSURED,
        .why = WHY_LIQUIDATION,
        .last_px = (int64_t)(amount.e12 >> 62),
        .last_qty = (int64_t)(amount.e12 & (((int128)1 << 62) - 1))};
    tell(s, &o, &said, ts);
}

static bool any_position(const struct clearing *c, uint32_t leg) {
    const struct margin_account *a = &c->account;
    for (uint32_t i = 0; i < a->legs; i++) {
        if (margin_together(a, leg, i) && a->leg[i].ledger.position != 0) return true;
    }
    return false;
}

/* One step down the ladder of the leg that asks for most. */
static void reduce(struct clearing *c, uint32_t leg, int64_t ts) {
    struct margin_account *a = &c->account;
    struct margin_leg *l = &a->leg[leg];
    int64_t held = l->ledger.position < 0 ? -l->ledger.position : l->ledger.position;
    int64_t lots = l->rules.isolated ? held : margin_step(l);
    price_t limit = margin_bankrupt(a, leg);
    int64_t taken = through_book(c, leg, limit, lots, ts);
    if (taken < lots && margin_broken(a, leg)) {
        take_over(c, leg, l->ledger.position != 0 ? margin_bankrupt(a, leg) : limit, ts);
    }
}

static void liquidate(struct clearing *c, uint32_t leg, int64_t ts) {
    struct margin_account *a = &c->account;
    struct margin_leg *l = &a->leg[leg];
    int128 base = l->isolated.e12 - l->ledger.cash.e12 - l->ledger.cost.e12;
    c->counters.liquidations++;
    for (uint32_t i = 0; i < a->legs; i++) {
        if (!margin_together(a, leg, i)) continue;
        if (i != leg) c->touched = true;
        cancel_all(c, i, ts);
    }
    while (margin_broken(a, leg) && any_position(c, leg)) reduce(c, margin_worst(a, leg), ts);
    if (any_position(c, leg)) return;
    int128 left = base + l->ledger.cash.e12 + l->ledger.cost.e12;
    make_whole(c, leg, l->rules.isolated ? left : margin_balance(a, leg), ts);
}

/* After a new price of the leg: can its pool keep its positions? */
static void watch(struct clearing *c, uint32_t leg, int64_t ts) {
    const struct margin_leg *l = &c->account.leg[leg];
    if (!l->rules.on || l->ledger.position == 0 || l->inst->kind == INSTRUMENT_SPOT) return;
    if (margin_broken(&c->account, leg)) liquidate(c, leg, ts);
}

static void price(struct clearing *c, uint32_t leg, int64_t e10, int64_t ts) {
    if (e10 <= 0 || e10 == c->account.leg[leg].mark_e10) return;
    settle_error(seat_of(c, leg), margin_mark(&c->account, leg, e10), ts);
    watch(c, leg, ts);
}

/* ---- funding ---- */

static int64_t px_e10(const struct instrument *in, int128 twice_ticks) {
    int128 v = twice_ticks * in->px_mant * AUX_ONE / 2 / decimal_pow10[in->px_exp];
    return v > 0 && v <= INT64_MAX / 2 ? (int64_t)v : 0;
}

static int64_t mid_e10(const struct world *w) {
    struct book_level bid, ask;
    if (w->book && book_state(w->book) != BOOK_SYNCED) return 0;
    if (!world_best(w, SIDE_BUY, &bid) || !world_best(w, SIDE_SELL, &ask)) return 0;
    return px_e10(w->cfg->inst, (int128)bid.px.ticks + ask.px.ticks);
}

/* One settlement at venue time `at`; its row goes out at ts. */
static void settle(
    struct clearing *c, uint32_t leg, int64_t at, int64_t mark_e10, rate_t rate, int64_t ts) {
    struct clearing_leg *g = &c->leg[leg];
    struct margin_leg *l = &c->account.leg[leg];
    struct sim_seat *s = seat_of(c, leg);
    if (!g->funding || at <= g->settled_ns) return;
    g->settled_ns = at;
    int64_t position = margin_position_at(l, (ts_t){at});
    if (position == 0) return;
    if (mark_e10 <= 0 && g->marked) mark_e10 = l->mark_e10; /* the last one recorded */
    if (mark_e10 <= 0) {
        mark_e10 = l->mark_e10 > 0 ? l->mark_e10 : mid_e10(g->world);
        c->counters.funding_by_price++;
    }
    if (mark_e10 <= 0) {
        c->counters.funding_unpriced++;
        return;
    }
    settle_error(s, margin_funding(&c->account, leg, position, mark_e10, rate), ts);
    checked(c);
    c->counters.fundings++;
    struct sim_order o = {.px = mark_e10, .qty = at, .leaves = 0, .placed = -1};
    struct sim_said said = {.status = REPORT_FUNDING, .last_px = rate.e16, .last_qty = position};
    tell(s, &o, &said, ts);
}

/* A mark: px and qty of the copy carry its rate and the next settlement (world.c). */
static void on_mark(struct clearing *c, uint32_t leg, const struct event *ev) {
    struct clearing_leg *g = &c->leg[leg];
    int64_t next = ev->qty.lots;
    if (g->funding_told && g->next_ns > 0 && next > g->next_ns) {
        c->counters.funding_told++;
        settle(c, leg, g->next_ns, c->account.leg[leg].mark_e10, g->told, ev->ts_local.ns);
    }
    g->told = (rate_t){ev->px.ticks};
    if (next > 0) g->next_ns = next;
    g->marked = true;
    price(c, leg, ev->aux.a, ev->ts_local.ns);
}

static void on_funding(struct clearing *c, uint32_t leg, const struct event *ev) {
    int64_t at = ev->ts_venue.ns != TS_NONE_NS ? ev->ts_venue.ns
                                               : sim_venue_ns(c->leg[leg].world, ev->ts_local.ns);
    settle(c, leg, at, ev->aux.b, (rate_t){ev->aux.a}, ev->ts_local.ns);
}

/* A bar about to open: the one before it is over, its extremes were real. aux.a, aux.b of the copy
 * are high and low. */
static void on_bar(struct clearing *c, uint32_t leg, const struct event *ev) {
    struct clearing_leg *g = &c->leg[leg];
    const struct margin_leg *l = &c->account.leg[leg];
    int64_t extreme = l->ledger.position > 0 ? g->low_e10 : g->high_e10, mark = l->mark_e10;
    if (l->ledger.position != 0 && extreme > 0) {
        price(c, leg, extreme, ev->ts_local.ns);
        if (g->marked) {
            settle_error(seat_of(c, leg), margin_mark(&c->account, leg, mark), ev->ts_local.ns);
        }
    }
    g->high_e10 = px_e10(l->inst, (int128)2 * ev->aux.a);
    g->low_e10 = px_e10(l->inst, (int128)2 * ev->aux.b);
    if (!g->marked) price(c, leg, px_e10(l->inst, (int128)2 * ev->px.ticks), ev->ts_local.ns);
}

void sim_clear_data(struct world *w, const struct event *ev) {
    for (uint32_t k = 0; k < w->seats; k++) {
        struct clearing *c = w->seat[k].clearing;
        uint32_t leg = w->seat[k].leg;
        if (!c) continue;
        if (ev->kind == EV_MARK) {
            on_mark(c, leg, ev);
        } else if (ev->kind == EV_FUNDING) {
            on_funding(c, leg, ev);
        } else if (ev->kind == EV_KLINE) {
            on_bar(c, leg, ev);
        } else if (!c->leg[leg].marked && (ev->flags & EVF_LAST)) {
            price(c, leg, mid_e10(w), ev->ts_local.ns);
        }
        w->yield |= c->touched;
    }
}
