#include "program/pipeline_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/decimal.h"
#include "base/mem.h"
#include "derive/model/model.h"
#include "program/plan.h"
#include "program/plan_sim.h"
#include "program/plan_strategy.h"

/* ---- what the configuration says, in the instrument's units ---- */

/* Instruments that are used by turns lie in huge pages; one alone takes no more than it touches. */
static void *block(const struct pipeline *p, size_t size) {
    return p->company ? mem_huge(size) : aligned_alloc(64, (size + 63) & ~(size_t)63);
}

static err_t stream_of(struct pipeline *p, struct err_info *e) {
    const struct config *c = p->cfg;
    const char *why = "", *bad = "";
    p->spec.inst = p->inst;
    p->spec.hash_events = true;
    if (!others_bucket(&p->spec, config_string(c, "bucket.spec"), &why)) {
        return err_set(e, ERR_USAGE, "%s: bucket.spec = %s: %s", config_where(c, "bucket.spec"),
            config_string(c, "bucket.spec"), why);
    }
    if (!feature_set_parse(config_string(c, "features.set"), &p->facts->set, &bad)) {
        return err_set(e, ERR_USAGE,
            "%s: features.set: \"%s\" is no set, family or feature; see fathom features list",
            config_where(c, "features.set"), bad);
    }
    size_t size = stream_mem_size(&p->spec, &p->facts->set);
    p->stream_mem = block(p, size);
    if (!p->stream_mem)
        return err_set(e, ERR_RESOURCE, "out of memory: %zu bytes for book and features", size);
    p->stream = stream_init(p->stream_mem, &p->spec, &p->facts->set);
    return ERR_OK;
}

static err_t limits_of(struct pipeline *p, struct pipeline_seat *s, struct err_info *e) {
    const struct config *c = s->c;
    const struct instrument *in = &p->inst;
    struct risk_config *risk = &s->cfg.risk;
    qty_t order, position, intent;
    money_t notional, loss;
    err_t code = plan_qty(c, "risk.order_max", in, &order, e);
    if (!code) code = plan_qty(c, "risk.position_max", in, &position, e);
    if (!code) code = plan_qty(c, "strategy.position_max", in, &intent, e);
    if (!code) code = plan_money(c, "risk.notional_max", &notional, e);
    if (!code) code = plan_money(c, "risk.daily_loss", &loss, e);
    if (!code) s->cfg.deposit = s->deposit;
    if (!code) s->cfg.fees = s->rules.fees;
    if (code) return code;
    *risk = (struct risk_config){.order_max = order.lots,
        .position_max = position.lots,
        .notional_max_e12 = notional.e12,
        .daily_loss_e12 = loss.e12,
        .collar_e4 = (int64_t)(config_double(c, "risk.collar_bps") * 1e4),
        .stale_ns = p->bars ? 0 : config_int(c, "risk.stale_ms") * NS_PER_MS,
        .rate_10s = (uint32_t)config_int(c, "risk.orders_10s"),
        .rate_60s = (uint32_t)config_int(c, "risk.orders_60s"),
        .cancel_reserve = (uint32_t)config_int(c, "risk.orders_10s") / 10,
        .open_max = (uint32_t)config_int(c, "risk.open_orders"),
        .bars = p->bars};
    s->move_bps = config_double(c, "intent.move_bps");
    s->cfg.intent =
        (struct intent_config){.confidence_min = config_double(c, "intent.confidence_min"),
            .edge_min_bps = config_double(c, "intent.edge_min_bps"),
            .edge_full_bps = config_double(c, "intent.edge_full_bps"),
            .move_bps = s->move_bps,
            .missing_max = config_double(c, "intent.missing_max"),
            .taker_bps = (double)s->cfg.fees.taker.e16 / (double)RATE_ONE * 1e4,
            .slippage_bps = p->bars ? config_double(c, "sim.bar_slippage_bps") : 0,
            .position_max = intent.lots,
            .stale_ns = p->bars ? 0 : config_int(c, "risk.stale_ms") * NS_PER_MS,
            .bars = p->bars};
    return ERR_OK;
}

/* Our side's events end with the last one of the instrument: others that go on would only let
 * timers ring and empty buckets close over a recording that is over. */
static const struct event *local_next(void *ctx) {
    struct pipeline *p = ctx;
    const struct event *ev = p->local_left > 0 ? fanout_local(p->lane) : NULL;
    if (ev && ev->inst == p->inst.id) p->local_left--;
    return ev;
}

static err_t world_of(struct pipeline *p, const struct fanout_facts *f, struct err_info *e) {
    const struct config *c = p->cfg;
    int64_t entry = (int64_t)(config_double(c, "sim.entry_ms") * 1e6);
    bool anchor = !p->bars && strcmp(config_string(c, "sim.rules"), "anchor") == 0;
    p->world_cfg = (struct world_config){.inst = &p->inst,
        .rules = anchor ? SIM_ANCHOR : SIM_STRICT,
        .bus_slots = 4096,
        .print_kind = f->trades > 0 ? EV_TRADE : EV_AGG_TRADE,
        .bars = p->bars,
        .timers_from_start = anchor,
        .rank = p->rank,
        .clears = true,
        .seats = p->seats + 1,
        .entry_new_ns = entry,
        .entry_cancel_ns = entry,
        .response_ns = (int64_t)(config_double(c, "sim.response_ms") * 1e6),
        .clock_offset_ns = anchor && f->offset_ns > 0 ? 0 : f->offset_ns,
        .reorder_ns = config_int(c, "sim.reorder_ms") * NS_PER_MS,
        .bar_slip_e4 = (int64_t)(config_double(c, "sim.bar_slippage_bps") * 1e4),
        .book = p->spec.limits};
    err_t code = plan_sim(c, p->lane, f, &p->sim, &p->world_cfg, e);
    if (code) return code;
    size_t size = world_mem_size(&p->world_cfg);
    p->world_mem = block(p, size);
    if (!p->world_mem)
        return err_set(
            e, ERR_RESOURCE, "out of memory: %zu bytes for the simulated exchange", size);
    p->local_left = f->events;
    struct world_source local = {p, local_next}, venue = {p->lane, fanout_venue};
    p->world = world_init(p->world_mem, &p->world_cfg, &local, &venue);
    return ERR_OK;
}

/* Under the anchor rules our own view has the anchor's defects too. */
static bool anchor_best(void *ctx, int side, struct book_level *out) {
    return world_local_best(ctx, side, out);
}

static err_t engine_of(struct pipeline *p, uint32_t k, struct err_info *e) {
    struct pipeline_seat *s = &p->seat[k];
    s->cfg.inst = &p->inst;
    s->cfg.bars = p->bars;
    s->cfg.take_slip_e4 =
        10 * 10000; /* IOC limit 10 bps beyond the best: a runaway price is not chased */
    s->cfg.order_timeout_ns = 10 * NS_PER_S;
    err_t code = plan_strategy(s->c, &p->inst, &s->cfg.strategy, &s->cfg.params, e);
    if (!code) code = limits_of(p, s, e);
    if (code) return code;
    size_t size = engine_mem_size(&s->cfg);
    s->mem = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (!s->mem) return err_set(e, ERR_RESOURCE, "out of memory: %zu bytes for the engine", size);
    struct engine_io io = {.port = world_port(p->world, k),
        .book = p->bars ? NULL : stream_book(p->stream),
        .best = p->world_cfg.rules == SIM_ANCHOR ? anchor_best : NULL,
        .best_ctx = p->world,
        .equity = s->equity,
        .equity_ctx = s->account_ctx,
        .sink = sinks_record,
        .sink_ctx = &s->sinks};
    s->engine = engine_init(s->mem, &s->cfg, &io);
    s->sinks.engine = s->engine;
    p->listening |= s->cfg.strategy && s->cfg.strategy->on_event;
    s->r->anchor.on = p->world_cfg.rules == SIM_ANCHOR;
    world_timer(p->world, k, p->bars ? 0 : engine_timer_ns(s->engine));
    return ERR_OK;
}

/* The seat behind the engines has no orders: its timer closes buckets in time. */
static void bucket_timer(struct pipeline *p) {
    const struct stream_spec *s = &p->spec;
    const struct bucket_spec *b = s->bucket.mode == BUCKET_REFERENCE ? &s->clock : &s->bucket;
    if (!p->bars && b->mode == BUCKET_TIME) world_timer(p->world, p->seats, b->size);
    if (b->adaptive || b->fallback_ns > 0) world_timer(p->world, p->seats, NS_PER_S);
}

/* ---- the loop ---- */

static int64_t book_mid2(const struct pipeline *p) {
    struct book_level bid, ask;
    const struct book *book = stream_book(p->stream);
    if (book_state(book) != BOOK_SYNCED || !book_best(book, BOOK_BID, &bid) ||
        !book_best(book, BOOK_ASK, &ask)) {
        return 0;
    }
    return bid.px.ticks + ask.px.ticks;
}

static int64_t mid2_now(struct pipeline *p, const struct bucket *b) {
    if (!p->bars) return book_mid2(p);
    if (b->close.ticks > 0) p->close_mid2 = 2 * b->close.ticks;
    return p->close_mid2;
}

/* The prediction of this bucket, NULL where no model scores it or its features are not warm. */
static const struct prediction *predict(
    struct pipeline *p, const struct bucket *b, const float *row, struct prediction *out) {
    const struct run_model *m = p->models ? run_models_at(p->models, b->id) : NULL;
    if (!m) return NULL;
    if (m != p->model) {
        p->model = m;
        for (uint32_t k = 0; k < p->seats; k++) {
            struct pipeline_seat *s = &p->seat[k];
            s->cfg.intent.move_bps = s->move_bps > 0 ? s->move_bps : m->move_bps;
        }
    }
    memset(out, 0, sizeof *out);
    model_predict(m->t->model, trained_calibration(m->t), row, out);
    out->bucket_id = b->id;
    p->predictions++;
    return out;
}

static void note_gap(struct pipeline_facts *f, const struct bucket *b) {
    bool more = f->spans > 0 && f->last_gapped + 1 == b->id;
    f->gapped++;
    f->last_gapped = b->id;
    if (!more) f->spans++;
    if (f->spans > PIPELINE_SPANS_MAX) return;
    struct pipeline_span *s = &f->span[f->spans - 1];
    if (!more) s->from_ns = b->open_ts.ns;
    s->to_ns = b->close_ts.ns;
    s->buckets++;
}

/* What the engine of a set has not been told yet, before anything else reaches it. */
static void tell(struct pipeline *p, struct pipeline_seat *s) {
    if (s->passed == p->quiet) return;
    bool depth = s->passed_depth != p->quiet_depth;
    engine_passed(s->engine, (ts_t){p->quiet_ns}, (ts_t){depth ? p->quiet_book_ns : INT64_MIN},
        p->quiet - s->passed);
    s->passed = p->quiet;
    s->passed_depth = p->quiet_depth;
}

static void on_row(
    void *user, const struct stream *stream, const struct bucket *b, const float *row) {
    struct pipeline *p = user;
    struct prediction prediction;
    (void)stream;
    if (p->failed) return;
    p->facts->trigger[b->trigger & 15]++;
    if (b->gapped) note_gap(p->facts, b);
    const struct prediction *pr = predict(p, b, row, &prediction);
    int64_t mid2 = mid2_now(p, b);
    for (uint32_t k = 0; k < p->seats; k++) {
        tell(p, &p->seat[k]);
        err_t code = engine_on_bucket(p->seat[k].engine, b, row, p->facts->set.count, pr);
        if (code) p->failed = code;
        sinks_bucket(&p->seat[k].sinks, b, mid2);
    }
}

static void to_engines(struct pipeline *p, const struct event *ev) {
    if (!p->listening && engine_ignores(p->seat[0].engine, ev)) {
        p->quiet++;
        if (ev->ts_local.ns > p->quiet_ns) p->quiet_ns = ev->ts_local.ns;
        if (ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END) {
            p->quiet_depth++;
            p->quiet_book_ns = p->quiet_ns;
        }
        return;
    }
    for (uint32_t k = 0; k < p->seats; k++) {
        tell(p, &p->seat[k]);
        err_t code = engine_on_event(p->seat[k].engine, ev);
        if (code) p->failed = code;
    }
}

/* The book as it stood before `now_ns` marks the fills whose horizon ended by then. */
static void mark_fills(struct pipeline *p, int64_t now_ns) {
    int64_t mid2 = p->bars ? 0 : book_mid2(p);
    p->mark_due = INT64_MAX;
    for (uint32_t k = 0; k < p->seats; k++) {
        struct fill_log *l = &p->seat[k].sinks.log;
        fill_log_time(l, now_ns, mid2, p->book_ns + p->seat[k].stale_ns);
        if (l->due < p->mark_due) p->mark_due = l->due;
    }
}

static void to_engine(struct pipeline *p, struct pipeline_seat *s, const struct event *ev) {
    tell(p, s);
    p->failed = engine_on_event(s->engine, ev);
    if (s->sinks.log.due < p->mark_due) p->mark_due = s->sinks.log.due;
}

static void fetch(const void *at, size_t lines) {
    for (size_t i = 0; i < lines; i++) __builtin_prefetch((const char *)at + 64 * i);
}

void pipeline_fetch(const struct pipeline *p) {
    const struct event *ahead = fanout_ahead(p->lane, 0);
    fetch(p, 4);
    fetch(p->world, 12);
    fetch(p->stream, 4);
    fetch(stream_book(p->stream), 5);
    for (uint32_t k = 0; k < p->seats; k++) fetch(p->seat[k].engine, 2);
    if (!ahead) return;
    fetch(ahead, 2);
}

enum { FETCH_AHEAD = 6 }; /* levels: far enough for memory to answer */

void pipeline_step(struct pipeline *p, const struct event *ev, uint32_t seat) {
    if (ev->kind == EV_TIMER && seat == p->seats) {
        stream_time(p->stream, ev->ts_local, on_row, p);
        return;
    }
    if (ev->kind == EV_TIMER) anchor_sum_step(&p->seat[seat].sinks.anchor);
    if (ev->kind == EV_TIMER || ev->kind == EV_ORDER_REPORT) {
        to_engine(p, &p->seat[seat], ev);
        return;
    }
    bool outside = ev->kind == EV_EXTERNAL || ev->kind == EV_OPTION;
    if (ev->inst != p->inst.id && !outside) { /* a peer or a reference: for the features only */
        stream_route(p->stream, ev, on_row, p);
        return;
    }
    p->events++;
    const struct event *ahead = fanout_ahead(p->lane, FETCH_AHEAD);
    if (ahead && !p->bars) book_fetch(stream_book(p->stream), ahead);
    if (ev->ts_local.ns > p->mark_due) mark_fills(p, ev->ts_local.ns);
    if (ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END) p->book_ns = ev->ts_local.ns;
    if (p->bars) { /* the bar's price first, then the bucket that it completes */
        to_engines(p, ev);
        if (!p->failed) stream_route(p->stream, ev, on_row, p);
        return;
    }
    stream_route(p->stream, ev, on_row, p);
    if (!p->failed) to_engines(p, ev);
}

/* ---- ends ---- */

static void reasons(struct run_result *r, const char *prefix, const char *name, uint64_t count) {
    if (count == 0 || r->reasons == RUN_REASONS_MAX) return;
    struct run_count *c = &r->reason[r->reasons++];
    snprintf(c->name, sizeof c->name, "%s: %s", prefix, name);
    c->count = count;
}

static void gather_anchor(struct pipeline_seat *s) {
    struct anchor_sum *sum = &s->sinks.anchor;
    struct run_anchor *a = &s->r->anchor;
    const struct blotter_counters *n = &engine_blotter(s->engine)->counters;
    const struct ledger *l = engine_ledger(s->engine);
    anchor_sum_end(sum);
    int128 balance = l->cash.e12 - l->deposits.e12 + l->fees.e12;
    *a = (struct run_anchor){.on = true,
        .orders = n->sent,
        .fills = n->fills,
        .canceled = n->canceled,
        .cancel_requests = n->cancels_sent,
        .expired = n->expired,
        .steps = sum->steps,
        .checksum = sum->hash,
        .unhashed = sum->overflow,
        .position_lots = l->position / s->r->inst.lot_units,
        .balance = s->r->inst.kind == INSTRUMENT_INVERSE ? -balance : balance,
        .fee = l->fees.e12};
}

static void gather_seat(struct pipeline *p, struct pipeline_seat *s) {
    struct run_result *r = s->r;
    struct stream_hashes h = stream_hashes(p->stream);
    const struct engine_hashes *eh = engine_hashes(s->engine);
    uint64_t stage[STAGE_COUNT] = {h.events, h.books, h.buckets, h.features, eh->predictions,
        eh->orders, eh->fills, eh->ledger};
    memcpy(r->stage, stage, sizeof stage);
    r->events = p->events;
    r->predictions = p->predictions;
    for (int i = 1; i < INTENT_REASON_COUNT; i++) {
        reasons(r, "gate", intent_reason_name((uint8_t)i), engine_intent(s->engine)->reason[i]);
    }
    for (int i = 1; i < RISK_REASON_COUNT; i++) {
        reasons(r, "limit", risk_reason_name((uint8_t)i), engine_risk(s->engine)->refused[i]);
    }
    r->fee_maker = s->rules.fees.maker;
    r->fee_taker = s->rules.fees.taker;
    r->ignored_reorder = world_counters(p->world)->late;
    const struct latency_cursor *wire = world_wire(p->world, (uint32_t)(s - p->seat));
    r->wire_rejects = wire->rejected;
    r->wire_lost = wire->lost;
    if (r->anchor.on) gather_anchor(s);
}

void pipeline_gather(struct pipeline *p) {
    stream_finish(p->stream);
    for (uint32_t k = 0; k < p->seats; k++) {
        tell(p, &p->seat[k]);
        gather_seat(p, &p->seat[k]);
    }
    p->facts->book = *book_counters(stream_book(p->stream));
    p->facts->book_state = book_state(stream_book(p->stream));
    p->facts->features = p->facts->set.count;
    p->facts->rows = feature_rows(stream_features(p->stream));
    const uint64_t *missing = feature_missing(stream_features(p->stream));
    for (size_t i = 0; i < p->facts->set.count && p->facts->rows > 0; i++) {
        p->facts->missing[i] = (double)missing[i] / (double)p->facts->rows;
    }
}

err_t pipeline_finish(struct pipeline *p, struct err_info *e) {
    int64_t mid2 = p->bars ? 0 : book_mid2(p);
    err_t code = ERR_OK;
    for (size_t k = 0; !code && k < p->seats; k++) {
        struct sinks *sinks = &p->seat[k].sinks;
        fill_log_end(&sinks->log, sinks->r->last_ns, mid2, p->book_ns + p->seat[k].stale_ns);
        code = sinks_finish(sinks, e);
    }
    return code;
}

void pipeline_close(struct pipeline *p) {
    plan_sim_free(&p->sim);
    for (uint32_t k = 0; p->seat && k < p->seats; k++) {
        sinks_abort(&p->seat[k].sinks);
        free(p->seat[k].mem);
    }
    free(p->stream_mem);
    free(p->world_mem);
    free(p->seat);
}

int64_t pipeline_period(size_t periods, int64_t span_ns, int64_t least_ns) {
    int64_t period = 60 * NS_PER_S;
    if (periods > 0 && span_ns / (int64_t)periods < period) {
        period = span_ns / (int64_t)periods / NS_PER_S * NS_PER_S;
    }
    return period > least_ns ? period : least_ns;
}

static int64_t period_of(const struct pipeline *p) {
    const struct bucket_spec *b = &p->spec.bucket;
    return pipeline_period(p->periods, p->found->last_ns - p->found->first_ns,
        b->mode == BUCKET_TIME ? b->size : NS_PER_S);
}

static err_t seat_of(struct pipeline *p, uint32_t k, struct err_info *e) {
    struct pipeline_seat *s = &p->seat[k];
    qty_t hold = {0};
    s->r->inst = p->inst;
    s->r->bars = p->bars;
    s->r->first_ns = p->found->first_ns;
    s->r->last_ns = p->found->last_ns;
    s->r->clock_offset_ns = p->found->offset_ns;
    s->r->clock_drift_ppm = clock_map_drift_ppm(&p->sim.clock);
    s->r->clock_range_ns = clock_map_range(&p->sim.clock);
    s->stale_ns = config_int(s->c, "risk.stale_ms") * NS_PER_MS;
    clearing_join(s->clearing, p->world, k, &s->rules);
    err_t code = plan_qty(s->c, "strategy.position_max", &p->inst, &hold, e);
    if (code) return code;
    sinks_init(&s->sinks, s->r, &s->files, hold.lots, period_of(p));
    s->sinks.account = s->account;
    s->sinks.use = s->use;
    s->sinks.account_ctx = s->account_ctx;
    return engine_of(p, k, e);
}

err_t pipeline_open(struct pipeline *p, struct err_info *e) {
    p->mark_due = INT64_MAX;
    p->quiet_ns = p->quiet_book_ns = INT64_MIN;
    err_t code = stream_of(p, e);
    if (!code) code = world_of(p, p->found, e);
    for (uint32_t k = 0; !code && k < p->seats; k++) code = seat_of(p, k, e);
    if (!code) bucket_timer(p);
    return code;
}
