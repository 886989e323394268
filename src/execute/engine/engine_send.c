/* engine_send.c: what a strategy asks for becomes requests: the difference, through risk. */
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "execute/engine/engine_internal.h"

static bool op_best(void *engine, int side, struct book_level *out) {
    const struct engine *e = engine;
    if (e->io.best) return e->io.best(e->io.best_ctx, side, out);
    return e->io.book && book_best(e->io.book, side, out);
}

static struct risk_view view_of(const struct engine *e) {
    struct risk_view v = {.now = e->s->now,
        .inst = e->cfg->inst,
        .ledger = &e->s->ledger,
        .blotter = &e->s->blotter,
        .book_ts = e->s->book_ts};
    bool priced = engine_mid2(e, &v.mid2);
    bool synced = e->io.best || (e->io.book && book_state(e->io.book) == BOOK_SYNCED);
    v.book_ok = priced && synced;
    return v;
}

static void hash_request(struct engine *e, const struct order_request *req) {
    size_t bytes = order_request_plain(req) ? ORDER_PLAIN_BYTES : sizeof *req;
    e->s->hashes.orders = hash64(e->s->hashes.orders, req, bytes);
    struct engine_record rec = {.kind = RECORD_REQUEST, .now = e->s->now, .request = req};
    engine_emit(e, &rec);
}

/* True if risk lets the request go; else counted and recorded. */
static bool allowed(struct engine *e, const struct order_request *req, struct risk_view *v) {
    *v = view_of(e);
    if (req->kind == REQUEST_MODIFY) v->amended = blotter_find(&e->s->blotter, req->id);
    enum risk_reason why = risk_check(&e->s->risk, &e->cfg->risk, v, req);
    if (why == RISK_OK) return true;
    struct engine_record rec = {
        .kind = RECORD_REFUSED, .why = (uint8_t)why, .now = e->s->now, .request = req};
    engine_emit(e, &rec);
    return false;
}

static int64_t send_new(struct engine *e, struct order_request req, enum engine_tag tag) {
    struct engine_state *s = e->s;
    struct risk_view v;
    req.kind = REQUEST_NEW;
    req.id = s->next_id;
    req.ts_sent = s->now;
    req.inst = e->cfg->inst->id;
    req.pad = req.pad2 = 0;
    if (!allowed(e, &req, &v)) return 0;
    struct order *o = blotter_add(&s->blotter, &req, v.mid2);
    CHECK(o); /* risk_check holds the room */
    o->tag = (uint32_t)tag;
    s->next_id++;
    if (!e->io.port.send(e->io.port.ctx, &req)) {
        blotter_unsend(&s->blotter, req.id);
        s->counters.port_full++;
        return 0;
    }
    hash_request(e, &req);
    return req.id;
}

static bool cancelable(const struct order *o) {
    return o->status == ORDER_WORKING || o->status == ORDER_PARTIAL ||
           o->status == ORDER_AMEND_SENT;
}

static struct order_request request_about(
    const struct engine *e, const struct order *o, enum request_kind kind) {
    return (struct order_request){.id = o->id,
        .px = o->px,
        .qty = o->qty,
        .ts_sent = e->s->now,
        .inst = o->inst,
        .kind = (uint8_t)kind,
        .side = o->side,
        .type = o->type,
        .tif = o->tif};
}

/* A cancel or a query: through the rate limit, out of the port, into the hash. */
static bool send_about(struct engine *e, const struct order_request *req) {
    struct risk_view v;
    if (!allowed(e, req, &v)) return false;
    if (!e->io.port.send(e->io.port.ctx, req)) {
        e->s->counters.port_full++;
        return false;
    }
    hash_request(e, req);
    return true;
}

static bool send_cancel(struct engine *e, const struct order *o) {
    if (!cancelable(o)) return false;
    struct order_request req = request_about(e, o, REQUEST_CANCEL);
    if (!send_about(e, &req)) return false;
    bool sent = blotter_cancel_sent(&e->s->blotter, req.id, req.ts_sent);
    CHECK(sent);
    return true;
}

void engine_ask(struct engine *e) {
    struct blotter *b = &e->s->blotter;
    for (size_t i = 0; i < b->live_count; i++) {
        struct order *o = &b->live[i];
        if (o->status != ORDER_UNKNOWN) continue;
        bool asked = o->ts_query.ns != TS_NONE_NS;
        if (asked && e->s->now.ns - o->ts_query.ns < e->cfg->order_timeout_ns) continue;
        struct order_request req = request_about(e, o, REQUEST_QUERY);
        if (!send_about(e, &req)) continue;
        o->ts_query = e->s->now;
        e->s->counters.queries++;
    }
}

static int64_t op_submit(void *engine, const struct order_request *req) {
    return send_new(engine, *req, TAG_RAW);
}

static bool op_cancel(void *engine, int64_t id) {
    struct engine *e = engine;
    const struct order *o = blotter_find(&e->s->blotter, id);
    return o && send_cancel(e, o);
}

/* px and the new total; the venue's rules say what becomes of the place in the queue. */
static bool op_amend(void *engine, int64_t id, price_t px, qty_t qty) {
    struct engine *e = engine;
    const struct order *o = blotter_find(&e->s->blotter, id);
    if (!o || (o->status != ORDER_WORKING && o->status != ORDER_PARTIAL)) return false;
    struct order_request req = request_about(e, o, REQUEST_MODIFY);
    req.px = px;
    req.qty = qty;
    req.reduce_only = o->reduce_only;
    req.tif = o->tif == TIF_GTD ? TIF_GTC : o->tif; /* an amend names no expiry: it keeps its own */
    if (!send_about(e, &req)) return false;
    bool sent = blotter_amend_sent(&e->s->blotter, id, px, qty, req.ts_sent);
    CHECK(sent);
    return true;
}

static size_t op_orders(void *engine, const struct order **out) {
    const struct engine *e = engine;
    *out = e->s->blotter.live;
    return e->s->blotter.live_count;
}

/* Marks which wanted quotes exist already and cancels live ones that are not wanted. Returns how
 * many live orders of the side are not wanted. */
static size_t match_quotes(
    struct engine *e, int side, const struct strategy_quote *wanted, size_t n, bool *have) {
    size_t unwanted = 0;
    const struct blotter *b = &e->s->blotter;
    for (size_t i = 0; i < b->live_count; i++) {
        const struct order *o = &b->live[i];
        if (o->side != side || o->tag != TAG_QUOTE) continue;
        size_t k = 0;
        while (k < n && (have[k] || wanted[k].px.ticks != o->px.ticks)) k++;
        if (k < n) {
            have[k] = true;
        } else {
            unwanted++;
            (void)send_cancel(e, o);
        }
    }
    return unwanted;
}

static void op_quotes(void *engine, int side, const struct strategy_quote *wanted, size_t n,
    enum strategy_quote_mode mode) {
    struct engine *e = engine;
    CHECK(side == SIDE_BUY || side == SIDE_SELL);
    if (n > STRATEGY_QUOTES_MAX) {
        e->s->counters.quotes_dropped += n - STRATEGY_QUOTES_MAX;
        n = STRATEGY_QUOTES_MAX;
    }
    bool have[STRATEGY_QUOTES_MAX] = {false};
    size_t unwanted = match_quotes(e, side, wanted, n, have);
    if (mode == QUOTES_ONE_BY_ONE && unwanted > 0) return;
    for (size_t k = 0; k < n; k++) {
        if (have[k]) continue;
        struct order_request req = {.px = wanted[k].px,
            .qty = wanted[k].qty,
            .side = (uint8_t)side,
            .type = ORDER_LIMIT,
            .tif = TIF_GTX};
        (void)send_new(e, req, TAG_QUOTE);
    }
}

static bool target_pending(const struct engine *e) {
    for (size_t i = 0; i < e->s->blotter.live_count; i++) {
        if (e->s->blotter.live[i].tag == TAG_TARGET) return true;
    }
    return false;
}

/* An IOC at the opposite best, worse by the allowed slip, on the tick grid. */
static bool take_price(const struct engine *e, int side, price_t *px) {
    struct book_level best;
    if (!op_best((void *)(uintptr_t)e, side == SIDE_BUY ? SIDE_SELL : SIDE_BUY, &best)) {
        return false;
    }
    int64_t tick = e->cfg->inst->tick_units;
    int64_t slip = (int64_t)((int128)best.px.ticks * e->cfg->take_slip_e4 / 100000000);
    slip -= slip % tick;
    px->ticks = side == SIDE_BUY ? best.px.ticks + slip : best.px.ticks - slip;
    return px->ticks > 0;
}

void engine_chase(struct engine *e) {
    struct engine_state *s = e->s;
    if (!s->target_set || target_pending(e)) return;
    int64_t delta = s->target - s->ledger.position;
    int64_t qty = delta < 0 ? -delta : delta;
    qty -= qty % e->cfg->inst->lot_units;
    if (e->cfg->risk.order_max > 0 && qty > e->cfg->risk.order_max) qty = e->cfg->risk.order_max;
    if (qty == 0 || s->chased.ns == s->now.ns) return;
    s->chased = s->now;
    struct order_request req = {.qty = {qty},
        .side = delta > 0 ? SIDE_BUY : SIDE_SELL,
        .type = e->cfg->bars ? ORDER_MARKET : ORDER_LIMIT,
        .tif = TIF_IOC};
    if (!e->cfg->bars && !take_price(e, req.side, &req.px)) return;
    (void)send_new(e, req, TAG_TARGET);
}

static void op_target(void *engine, int64_t lots) {
    struct engine *e = engine;
    if (!e->s->target_set || e->s->target != lots) e->s->chased.ns = INT64_MIN;
    e->s->target = lots;
    e->s->target_set = 1;
    engine_chase(e);
}

static bool op_edge(
    void *engine, const struct prediction *p, const struct bucket *b, int64_t *lots) {
    struct engine *e = engine;
    struct intent_input in = {.now = e->s->now,
        .p = p,
        .b = b,
        .features = e->s->columns,
        .book = e->io.book,
        .inst = e->cfg->inst,
        .position = e->s->ledger.position};
    struct decision d = intent_decide(&e->cfg->intent, &in, &e->s->intent);
    e->s->hashes.decisions = hash64(e->s->hashes.decisions, &d, sizeof d);
    struct engine_record rec = {
        .kind = RECORD_DECISION, .why = d.reason, .now = e->s->now, .decision = &d};
    engine_emit(e, &rec);
    *lots = d.wanted;
    return d.reason == INTENT_OK;
}

const struct strategy_ops engine_ops = {
    .target = op_target,
    .quotes = op_quotes,
    .submit = op_submit,
    .cancel = op_cancel,
    .amend = op_amend,
    .best = op_best,
    .orders = op_orders,
    .edge = op_edge,
};
