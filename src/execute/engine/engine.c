#include "execute/engine/engine.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "execute/engine/engine_internal.h"

static size_t round16(size_t n) { return (n + 15) & ~(size_t)15; }

static size_t strategy_bytes(const struct engine_config *cfg) {
    return cfg->strategy ? round16(cfg->strategy->state_size) : 0;
}

size_t engine_mem_size(const struct engine_config *cfg) {
    return round16(sizeof(struct engine)) + round16(sizeof(struct engine_state)) +
           strategy_bytes(cfg);
}

struct engine *engine_init(void *mem, const struct engine_config *cfg, const struct engine_io *io) {
    CHECK(((uintptr_t)mem & 15u) == 0);
    CHECK(cfg->inst);
    CHECK(!cfg->strategy || io->port.send);
    memset(mem, 0, engine_mem_size(cfg));
    struct engine *e = mem;
    e->cfg = cfg;
    e->io = *io;
    e->s = (void *)((unsigned char *)mem + round16(sizeof(struct engine)));
    e->strategy_state = (unsigned char *)(void *)e->s + round16(sizeof(struct engine_state));
    ledger_init(&e->s->ledger, &cfg->fees, cfg->deposit);
    risk_init(&e->s->risk);
    e->s->next_id = cfg->first_order_id > 0 ? cfg->first_order_id : 1;
    blotter_init(&e->s->blotter, e->s->next_id);
    e->ctx = (struct strategy_ctx){.inst = cfg->inst,
        .book = io->book,
        .params = &cfg->params,
        .ops = &engine_ops,
        .engine = e};
    if (cfg->strategy && cfg->strategy->init) cfg->strategy->init(e->strategy_state, &e->ctx);
    return e;
}

void engine_emit(struct engine *e, const struct engine_record *r) {
    if (e->io.sink) e->io.sink(e->io.sink_ctx, r);
}

bool engine_quote(const struct engine *e, price_t *bid, price_t *ask) {
    struct book_level best[2];
    if (e->cfg->bars) {
        bid->ticks = ask->ticks = e->s->close_mid2 / 2;
        return e->s->close_mid2 > 0;
    }
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        if (!e->ctx.ops->best(e->ctx.engine, side, &best[side])) return false;
    }
    *bid = best[SIDE_BUY].px;
    *ask = best[SIDE_SELL].px;
    return true;
}

bool engine_mid2(const struct engine *e, price_t *mid2) {
    price_t bid, ask;
    if (!engine_quote(e, &bid, &ask)) return false;
    mid2->ticks = bid.ticks + ask.ticks;
    return true;
}

bool engine_equity(const struct engine *e, money_t *equity) {
    price_t mid2 = {0};
    money_t value = {0};
    if (e->s->ledger.position != 0) {
        if (!engine_mid2(e, &mid2)) return false;
        if (ledger_mark2(&e->s->ledger, e->cfg->inst, mid2, &value) != ERR_OK) return false;
    }
    *equity = ledger_equity(&e->s->ledger, value);
    return true;
}

static void expire_orders(struct engine *e) {
    if (e->cfg->order_timeout_ns <= 0 || e->s->blotter.live_count == 0) return;
    (void)blotter_expire(&e->s->blotter, e->s->now, e->cfg->order_timeout_ns);
    engine_ask(e);
}

static void watch_loss(struct engine *e) {
    money_t equity;
    if (e->cfg->risk.daily_loss_e12 <= 0) return; /* nobody asks what the day has cost */
    bool priced =
        e->io.equity ? e->io.equity(e->io.equity_ctx, &equity) : engine_equity(e, &equity);
    if (priced) risk_equity(&e->s->risk, &e->cfg->risk, e->s->now, equity);
}

/* Regular look: loss stop, price reference, orders without an answer. */
static void watch(struct engine *e) {
    price_t mid2;
    expire_orders(e);
    watch_loss(e);
    if (e->cfg->risk.collar_e4 <= 0) return; /* only the collar has a robust reference */
    if (engine_mid2(e, &mid2)) risk_observe(&e->s->risk, mid2);
}

static void refresh_ctx(struct engine *e, ts_t now) {
    if (now.ns > e->s->now.ns) e->s->now = now;
    e->ctx.now = e->s->now;
    e->ctx.position = e->s->ledger.position;
}

static void hash_ledger(struct engine *e) {
    CHECK(ledger_check(&e->s->ledger));
    e->s->hashes.ledger = ledger_hash(&e->s->ledger, e->s->hashes.ledger);
}

/* Every row of money: hashed, and the books must balance. */
static err_t book_fill(
    struct engine *e, const struct order *o, const struct report *r, qty_t qty, uint8_t tag) {
    struct engine_state *s = e->s;
    struct fill_record f;
    memset(&f, 0, sizeof f);
    bool takeover = tag == TAG_LIQUIDATION && r->why == WHY_TAKEOVER;
    money_t given = {takeover ? 0 : r->fee_e12};
    const money_t *fee = !takeover && r->fee_e12 == REPORT_FEE_UNKNOWN ? NULL : &given;
    if (r->rated && r->maker) s->ledger.rates.maker = r->fee_rate;
    if (r->rated && !r->maker) s->ledger.rates.taker = r->fee_rate;
    err_t err =
        ledger_fill(&s->ledger, e->cfg->inst, o->side, r->last_px, qty, r->maker != 0, fee, &f.fee);
    if (err != ERR_OK) return err;
    f.ts_venue = r->ts_venue;
    f.ts_local = s->now;
    f.order_id = o->id;
    f.px = r->last_px;
    f.qty = qty;
    f.mid2 = o->mid2;
    (void)engine_mid2(e, &f.fill_mid2);
    f.queue_placed = o->queue_at_placement.lots;
    f.queue_before = r->queue_before;
    f.wait_ns = s->now.ns - o->ts_sent.ns;
    f.position = s->ledger.position;
    f.inst = o->inst;
    f.side = o->side;
    f.maker = r->maker;
    f.tag = tag;
    s->counters.fills++;
    if (tag == TAG_LIQUIDATION && !takeover) {
        money_t clearance;
        err = ledger_clearance(
            &s->ledger, e->cfg->inst, r->last_px, qty, (rate_t){r->queue_placed}, &clearance);
        if (err != ERR_OK) return err;
        f.fee.e12 += clearance.e12;
    }
    s->hashes.fills = hash64(s->hashes.fills, &f, sizeof f);
    hash_ledger(e);
    struct engine_record rec = {.kind = RECORD_FILL, .now = s->now, .fill = &f};
    engine_emit(e, &rec);
    return ERR_OK;
}

/* The venue closed some of the position: a fill that no order of ours asked for. */
static err_t book_liquidation(struct engine *e, const struct report *r) {
    struct order none;
    memset(&none, 0, sizeof none);
    none.ts_sent = e->s->now;
    none.queue_at_placement.lots = -1;
    none.inst = r->inst;
    none.side = r->side;
    (void)engine_mid2(e, &none.mid2);
    e->s->counters.liquidations++;
    if (r->why == WHY_TAKEOVER) e->s->ledger.liquidations++;
    return book_fill(e, &none, r, r->last_qty, TAG_LIQUIDATION);
}

/* What the venue charged or paid for the position it had at the settlement. */
static err_t book_funding(struct engine *e, const struct report *r) {
    struct engine_state *s = e->s;
    struct funding_record f = {.ts = {r->filled.lots},
        .position = r->last_qty.lots,
        .mark_e10 = r->px.ticks,
        .rate = {r->last_px.ticks}};
    err_t err =
        ledger_funding_of(&s->ledger, e->cfg->inst, f.position, f.mark_e10, f.rate, &f.paid);
    if (err != ERR_OK) return err;
    s->counters.fundings++;
    hash_ledger(e);
    struct engine_record rec = {.kind = RECORD_FUNDING, .now = s->now, .funding = &f};
    engine_emit(e, &rec);
    return ERR_OK;
}

static err_t book_insured(struct engine *e, const struct report *r) {
    money_t amount = {((int128)r->last_px.ticks << 62) + r->last_qty.lots};
    err_t err = ledger_insure(&e->s->ledger, amount);
    if (err != ERR_OK) return err;
    hash_ledger(e);
    struct engine_record rec = {.kind = RECORD_INSURED, .now = e->s->now, .insured = &amount};
    engine_emit(e, &rec);
    return ERR_OK;
}

static err_t on_account(struct engine *e, const struct report *r) {
    err_t err = r->status == REPORT_FUNDING       ? book_funding(e, r)
                : r->status == REPORT_LIQUIDATION ? book_liquidation(e, r)
                                                  : book_insured(e, r);
    if (err == ERR_OK) watch_loss(e);
    refresh_ctx(e, e->s->now);
    return err;
}

static err_t on_report(struct engine *e, const struct event *ev) {
    struct order after;
    struct report r;
    e->s->counters.reports++;
    report_decode(ev, &r);
    if (report_of_account(r.status)) return on_account(e, &r);
    struct order_change c = blotter_report(&e->s->blotter, ev, &after);
    if (!c.legal) return ERR_OK; /* counted by the blotter */
    if (c.fill.lots > 0) {
        err_t err = book_fill(e, &after, &r, c.fill, (uint8_t)after.tag);
        if (err != ERR_OK) return err;
        watch_loss(e);
    }
    struct engine_record rec = {.kind = RECORD_REPORT,
        .why = r.status,
        .ended = c.ended,
        .now = e->s->now,
        .order = &after};
    engine_emit(e, &rec);
    refresh_ctx(e, e->s->now);
    const struct strategy *st = e->cfg->strategy;
    if (st && st->on_report) {
        struct strategy_report sr = {.order = &after,
            .fill = c.fill,
            .px = r.last_px,
            .status = r.status,
            .why = r.why,
            .maker = r.maker != 0};
        st->on_report(e->strategy_state, &e->ctx, &sr);
    }
    /* A target larger than one order may be goes on when its part is done. */
    if (c.ended && after.tag == TAG_TARGET && after.status == ORDER_FILLED) engine_chase(e);
    return ERR_OK;
}

/* Settlements are the venue's to book (REPORT_FUNDING): a mark only values. */
static void on_mark(struct engine *e, const struct event *ev) { e->s->mark_e10 = ev->aux.a; }

static err_t on_data(struct engine *e, const struct event *ev) {
    struct engine_state *s = e->s;
    switch ((enum event_kind)ev->kind) {
    case EV_MARK: on_mark(e, ev); return ERR_OK;
    case EV_FUNDING: return ERR_OK;
    case EV_KLINE:
        if (ev->flags & EVF_CLOSED) {
            s->close_mid2 = 2 * ev->px.ticks;
            if (e->cfg->bars) s->book_ts = s->now;
        }
        return ERR_OK;
    case EV_DEPTH:
    case EV_DEPTH_END: s->book_ts = s->now; return ERR_OK;
    case EV_NONE:
    case EV_TRADE:
    case EV_AGG_TRADE:
    case EV_TICKER:
    case EV_LIQUIDATION:
    case EV_STAT24:
    case EV_INSTRUMENT:
    case EV_OPEN_INTEREST:
    case EV_RATIO:
    case EV_GAP:
    case EV_TIMER:
    case EV_ORDER_REPORT:
    case EV_CONFIG:
    case EV_EXTERNAL:
    case EV_OPTION:
    case EV_ORDER:
    case EV_KIND_COUNT: return ERR_OK;
    }
    return ERR_OK;
}

static err_t finish(const struct engine *e) { return e->s->failed ? ERR_FULL : ERR_OK; }

err_t engine_on_event(struct engine *e, const struct event *ev) {
    const struct strategy *st = e->cfg->strategy;
    refresh_ctx(e, ev->ts_local);
    if (ev->kind == EV_ORDER_REPORT) {
        err_t err = on_report(e, ev);
        return err != ERR_OK ? err : finish(e);
    }
    if (ev->kind == EV_TIMER) {
        e->s->counters.timers++;
        watch(e);
        if (st && st->on_timer) st->on_timer(e->strategy_state, &e->ctx);
        engine_chase(e);
        return finish(e);
    }
    e->s->counters.events++;
    err_t err = on_data(e, ev);
    if (err != ERR_OK) return err;
    if (st && st->on_event && (ev->flags & EVF_LAST)) {
        refresh_ctx(e, e->s->now); /* funding may have moved nothing but money; position stays */
        st->on_event(e->strategy_state, &e->ctx, ev);
    }
    return finish(e);
}

bool engine_ignores(const struct engine *e, const struct event *ev) {
    const struct strategy *st = e->cfg->strategy;
    if (st && st->on_event) return false;
    switch ((enum event_kind)ev->kind) {
    case EV_DEPTH:
    case EV_DEPTH_END:
    case EV_TRADE:
    case EV_AGG_TRADE:
    case EV_TICKER:
    case EV_LIQUIDATION:
    case EV_STAT24:
    case EV_OPEN_INTEREST:
    case EV_RATIO:
    case EV_EXTERNAL:
    case EV_OPTION: return true;
    case EV_NONE:
    case EV_MARK:
    case EV_FUNDING:
    case EV_KLINE:
    case EV_INSTRUMENT:
    case EV_GAP:
    case EV_TIMER:
    case EV_ORDER_REPORT:
    case EV_CONFIG:
    case EV_ORDER:
    case EV_KIND_COUNT: return false;
    }
    return false;
}

void engine_passed(struct engine *e, ts_t now, ts_t book, uint64_t n) {
    if (book.ns != INT64_MIN) {
        refresh_ctx(e, book);
        e->s->book_ts = e->s->now;
    }
    refresh_ctx(e, now);
    e->s->counters.events += n;
}

err_t engine_on_bucket(struct engine *e, const struct bucket *b, const float *row, size_t n,
    const struct prediction *p) {
    const struct strategy *st = e->cfg->strategy;
    struct engine_state *s = e->s;
    refresh_ctx(e, b->close_ts);
    s->counters.buckets++;
    s->columns = n;
    if (p) {
        s->hashes.predictions = hash64(s->hashes.predictions, &p->bucket_id, sizeof p->bucket_id);
        s->hashes.predictions = hash64(s->hashes.predictions, p->p, p->classes * sizeof p->p[0]);
    }
    watch(e);
    if (st && st->on_bucket) st->on_bucket(e->strategy_state, &e->ctx, b, row, n, p);
    engine_chase(e);
    return finish(e);
}

int64_t engine_mark_e10(const struct engine *e) { return e->s->mark_e10; }

int64_t engine_timer_ns(const struct engine *e) {
    const struct strategy *st = e->cfg->strategy;
    return st && st->timer_ns ? st->timer_ns(&e->cfg->params) : 0;
}

const struct ledger *engine_ledger(const struct engine *e) { return &e->s->ledger; }
struct blotter *engine_blotter(struct engine *e) {
    return &e->s->blotter;
}
struct risk *engine_risk(struct engine *e) {
    return &e->s->risk;
}
const struct intent_counters *engine_intent(const struct engine *e) { return &e->s->intent; }
const struct engine_counters *engine_counters(const struct engine *e) { return &e->s->counters; }
const struct engine_hashes *engine_hashes(const struct engine *e) { return &e->s->hashes; }
void *engine_strategy_state(struct engine *e) { return e->strategy_state; }

void *engine_state(struct engine *e, size_t *n) {
    *n = round16(sizeof(struct engine_state)) + strategy_bytes(e->cfg);
    return e->s;
}
