#include "execute/engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct instrument inst = {.px_mant = 1,
    .px_exp = 1,
    .qty_mant = 1,
    .qty_exp = 3,
    .tick_units = 1,
    .lot_units = 1,
    .contract_e8 = 100000000};

/* A strategy driven by the test through these wishes. */
struct wishes {
    int64_t target;
    bool use_target, once_per_bucket, edge, use_raw;
    struct order_request raw;
    int64_t amend_id, amend_qty;
    struct strategy_quote quote[STRATEGY_QUOTES_MAX];
    size_t quotes;
    enum strategy_quote_mode mode;
    uint64_t reports, events, timers;
    int64_t edge_lots;
    bool edge_ok;
};

static void act(struct wishes *w, const struct strategy_ctx *ctx) {
    if (w->use_raw) {
        (void)strategy_submit(ctx, &w->raw);
    } else if (w->amend_id) {
        (void)strategy_amend(ctx, w->amend_id, (price_t){599900}, (qty_t){w->amend_qty});
    } else if (w->use_target) {
        strategy_target(ctx, w->target);
    } else {
        strategy_quotes(ctx, SIDE_BUY, w->quote, w->quotes, w->mode);
    }
}

static void on_timer(void *state, const struct strategy_ctx *ctx) {
    struct wishes *w = state;
    w->timers++;
    act(w, ctx);
}

static void on_event(void *state, const struct strategy_ctx *ctx, const struct event *ev) {
    (void)ctx;
    (void)ev;
    ((struct wishes *)state)->events++;
}

static void on_report(
    void *state, const struct strategy_ctx *ctx, const struct strategy_report *r) {
    (void)ctx;
    assert_non_null(r->order);
    ((struct wishes *)state)->reports++;
}

static void on_bucket(void *state, const struct strategy_ctx *ctx, const struct bucket *b,
    const float *row, size_t n, const struct prediction *p) {
    (void)row;
    (void)n;
    struct wishes *w = state;
    if (w->edge) w->edge_ok = strategy_edge(ctx, p, b, &w->edge_lots);
    if (w->once_per_bucket) act(w, ctx);
}

static const struct strategy puppet = {.name = "puppet",
    .state_size = sizeof(struct wishes),
    .on_event = on_event,
    .on_bucket = on_bucket,
    .on_timer = on_timer,
    .on_report = on_report};

struct bench { /* an engine with a port that records */
    struct engine_config cfg;
    struct engine *e;
    struct order_request sent[64];
    size_t n;
    bool port_full;
    struct book_level best[2];
    struct fill_record fill;
    size_t fills, decisions, refused, fundings;
    uint8_t refused_why;
    int64_t now;
};

static bool port_send(void *ctx, const struct order_request *req) {
    struct bench *b = ctx;
    if (b->port_full) return false;
    assert_true(b->n < 64);
    b->sent[b->n++] = *req;
    return true;
}

static bool best(void *ctx, int side, struct book_level *out) {
    *out = ((struct bench *)ctx)->best[side];
    return out->px.ticks > 0;
}

static void sink(void *ctx, const struct engine_record *r) {
    struct bench *b = ctx;
    if (r->kind == RECORD_FILL) {
        b->fill = *r->fill;
        b->fills++;
    }
    b->decisions += r->kind == RECORD_DECISION;
    b->fundings += r->kind == RECORD_FUNDING;
    if (r->kind == RECORD_REFUSED) {
        b->refused++;
        b->refused_why = r->why;
    }
}

static struct bench *open_bench(void) {
    struct bench *b = calloc(1, sizeof *b);
    b->cfg = (struct engine_config){.inst = &inst,
        .strategy = &puppet,
        .risk = {.order_max = 100},
        .fees = {.maker = {RATE_ONE / 10000}, .taker = {RATE_ONE / 1000}},
        .deposit = {(int128)1000 * MONEY_ONE},
        .order_timeout_ns = NS_PER_S,
        .take_slip_e4 = 10 * 10000};
    struct engine_io io = {
        .port = {b, port_send}, .best = best, .best_ctx = b, .sink = sink, .sink_ctx = b};
    b->best[SIDE_BUY] = (struct book_level){{600000}, {1000}};
    b->best[SIDE_SELL] = (struct book_level){{600002}, {1000}};
    b->now = 1000000;
    b->e =
        engine_init(aligned_alloc(64, (engine_mem_size(&b->cfg) + 63) & ~(size_t)63), &b->cfg, &io);
    return b;
}

static void close_bench(struct bench *b) {
    assert_true(ledger_check(engine_ledger(b->e)));
    free(b->e);
    free(b);
}

static struct wishes *wish(struct bench *b) { return engine_strategy_state(b->e); }

static void tick(struct bench *b) {
    b->now += NS_PER_MS;
    struct event ev = {.ts_local = {b->now}, .kind = EV_TIMER, .flags = EVF_FIRST | EVF_LAST};
    assert_int_equal(engine_on_event(b->e, &ev), ERR_OK);
}

static void tell(struct bench *b, const struct order_request *q, uint8_t status, int64_t last,
    int64_t filled, int64_t px) {
    struct report r = {.order_id = q->id,
        .status = status,
        .side = q->side,
        .px = q->px,
        .qty = q->qty,
        .last_px = {px},
        .last_qty = {last},
        .filled = {filled},
        .fee_e12 = REPORT_FEE_UNKNOWN,
        .ts_local = {b->now += 1000},
        .maker = q->tif == TIF_GTX};
    struct event ev[2];
    report_encode(&r, ev);
    assert_int_equal(engine_on_event(b->e, ev), ERR_OK);
}

static void a_target_takes_the_difference_once_and_waits_for_its_answer(void **state) {
    (void)state;
    struct bench *b = open_bench();
    wish(b)->use_target = true;
    wish(b)->target = 30;
    tick(b);
    assert_int_equal(b->n, 1);
    assert_int_equal(b->sent[0].tif, TIF_IOC);
    assert_int_equal(b->sent[0].qty.lots, 30);
    assert_int_equal(b->sent[0].px.ticks, 600002 + 600); /* 10 bps beyond the best */
    tick(b);
    assert_int_equal(b->n, 1); /* it may still trade: nothing more goes out (I3) */
    tell(b, &b->sent[0], REPORT_FILL, 10, 10, 600002);
    tell(b, &b->sent[0], REPORT_EXPIRED, 0, 10, 0);
    assert_int_equal(b->n, 1); /* at the next look, not in a loop with the venue */
    tick(b);
    assert_int_equal(b->n, 2);
    assert_int_equal(b->sent[1].qty.lots, 20);
    assert_int_equal(b->fill.position, 10);
    assert_int_equal(b->fill.mid2.ticks, 1200002);
    assert_int_equal(b->fill.tag, TAG_TARGET);
    assert_true(b->fill.fee.e12 == (int128)600002 * MONEY_ONE / 1000000); /* 600.002 x 0.001 */
    close_bench(b);
}

static void a_target_larger_than_an_order_goes_on_in_parts(void **state) {
    (void)state;
    struct bench *b = open_bench();
    wish(b)->use_target = true;
    wish(b)->target = -250;
    tick(b);
    for (size_t i = 0; i < 3; i++) {
        int64_t want = i < 2 ? 100 : 50;
        assert_int_equal(b->n, i + 1);
        assert_int_equal(b->sent[i].qty.lots, want);
        assert_int_equal(b->sent[i].side, SIDE_SELL);
        tell(b, &b->sent[i], REPORT_FILL, want, want, 600000);
    }
    assert_int_equal(b->n, 3);
    assert_int_equal(engine_ledger(b->e)->position, -250);
    close_bench(b);
}

static void an_unanswered_order_blocks_its_target_until_it_is_resolved(void **state) {
    (void)state;
    struct bench *b = open_bench();
    wish(b)->use_target = true;
    wish(b)->target = 30;
    tick(b);
    b->now += 2 * NS_PER_S;
    tick(b);
    assert_int_equal(engine_blotter(b->e)->counters.unknown, 1);
    assert_int_equal(b->n, 2); /* no second order while the first may live (X1): a question */
    assert_int_equal(b->sent[1].kind, REQUEST_QUERY);
    assert_int_equal(b->sent[1].id, b->sent[0].id);
    tick(b);
    assert_int_equal(b->n, 2);                         /* asked once a timeout */
    tell(b, &b->sent[0], REPORT_FILL, 30, 30, 600002); /* it had filled (X2) */
    tell(b, &b->sent[0], REPORT_NOT_FOUND, 0, 0, 0);
    tick(b);
    assert_int_equal(b->n, 2);
    assert_int_equal(engine_ledger(b->e)->position, 30);
    assert_int_equal(engine_blotter(b->e)->counters.illegal, 0);
    close_bench(b);
}

static void an_order_that_never_arrived_is_sent_anew_only_after_the_venue_said_so(void **state) {
    (void)state;
    struct bench *b = open_bench();
    wish(b)->use_target = true;
    wish(b)->target = 30;
    tick(b);
    b->now += 2 * NS_PER_S;
    tick(b);
    assert_int_equal(b->n, 2);
    tell(b, &b->sent[0], REPORT_NOT_FOUND, 0, 0, 0);
    tick(b);
    assert_int_equal(b->n, 3);
    assert_int_equal(b->sent[2].kind, REQUEST_NEW);
    assert_true(b->sent[2].id > b->sent[0].id);
    close_bench(b);
}

static void quotes_send_only_the_difference(void **state) {
    (void)state;
    struct bench *b = open_bench();
    struct wishes *w = wish(b);
    w->quotes = 3;
    for (int64_t i = 0; i < 3; i++) w->quote[i] = (struct strategy_quote){{599990 - i}, {5}};
    tick(b);
    assert_int_equal(b->n, 3);
    assert_int_equal(b->sent[2].tif, TIF_GTX);
    tick(b);
    assert_int_equal(b->n, 3); /* all there already, answered or not */
    for (size_t i = 0; i < 3; i++) tell(b, &b->sent[i], REPORT_ACK, 0, 0, 0);
    w->quote[0].px.ticks = 599995;
    tick(b);
    assert_int_equal(b->n, 5);
    assert_int_equal(b->sent[3].kind, REQUEST_CANCEL);
    assert_int_equal(b->sent[3].id, b->sent[0].id);
    assert_int_equal(b->sent[4].px.ticks, 599995);
    w->quotes = 0;
    tick(b);
    assert_int_equal(b->n, 7); /* two working ones cancelled; one has a cancel out, one no answer */
    close_bench(b);
}

static void one_by_one_waits_until_the_unwanted_are_gone(void **state) {
    (void)state;
    struct bench *b = open_bench();
    struct wishes *w = wish(b);
    w->mode = QUOTES_ONE_BY_ONE;
    w->quotes = 1;
    w->quote[0] = (struct strategy_quote){{599990}, {5}};
    tick(b);
    tell(b, &b->sent[0], REPORT_ACK, 0, 0, 0);
    w->quote[0].px.ticks = 599991;
    tick(b);
    assert_int_equal(b->n, 2);
    assert_int_equal(b->sent[1].kind, REQUEST_CANCEL);
    tick(b);
    assert_int_equal(b->n, 2);
    tell(b, &b->sent[0], REPORT_CANCELED, 0, 0, 0);
    tick(b);
    assert_int_equal(b->n, 3);
    assert_int_equal(b->sent[2].px.ticks, 599991);
    close_bench(b);
}

static void submit_on(struct bench *b, const struct order_request *q) {
    wish(b)->raw = *q;
    wish(b)->use_raw = true;
    tick(b);
    wish(b)->use_raw = false;
}

static void say(struct bench *b, const struct order_request *q, uint8_t status, uint8_t why) {
    struct report r = {.order_id = q->id,
        .status = status,
        .why = why,
        .side = q->side,
        .px = q->px,
        .qty = q->qty,
        .ts_local = {b->now += 1000}};
    struct event ev[2];
    report_encode(&r, ev);
    assert_int_equal(engine_on_event(b->e, ev), ERR_OK);
}

static void an_amend_counts_the_larger_quantity_until_its_answer(void **state) {
    (void)state;
    struct bench *b = open_bench();
    struct blotter *orders = engine_blotter(b->e);
    struct order_request q = {.px = {599900}, .qty = {10}, .side = SIDE_BUY};
    submit_on(b, &q);
    assert_int_equal(b->n, 1);
    say(b, &b->sent[0], REPORT_ACK, WHY_NONE);
    wish(b)->amend_id = b->sent[0].id;
    wish(b)->amend_qty = 25;
    tick(b);
    assert_int_equal(b->n, 2);
    assert_int_equal(b->sent[1].kind, REQUEST_MODIFY);
    assert_int_equal(blotter_exposure(orders, SIDE_BUY).lots, 25);
    tick(b);
    assert_int_equal(b->n, 2); /* one request about an order at a time */
    say(b, &b->sent[1], REPORT_MODIFIED, WHY_NONE);
    assert_int_equal(blotter_exposure(orders, SIDE_BUY).lots, 25);
    wish(b)->amend_qty = 5;
    tick(b);
    assert_int_equal(blotter_exposure(orders, SIDE_BUY).lots, 25); /* it may come too late */
    say(b, &b->sent[2], REPORT_MODIFY_REJECTED, WHY_RATE);
    assert_int_equal(blotter_exposure(orders, SIDE_BUY).lots, 25);
    assert_int_equal(blotter_find(orders, b->sent[0].id)->why, WHY_RATE);
    wish(b)->amend_qty = 500; /* more than an order may have */
    tick(b);
    assert_int_equal(b->n, 3);
    assert_int_equal(b->refused_why, RISK_SIZE);
    close_bench(b);
}

static void an_amend_without_an_answer_is_unknown_until_a_query_tells(void **state) {
    (void)state;
    struct bench *b = open_bench();
    struct blotter *orders = engine_blotter(b->e);
    struct order_request q = {.px = {599900}, .qty = {10}, .side = SIDE_BUY};
    submit_on(b, &q);
    say(b, &b->sent[0], REPORT_ACK, WHY_NONE);
    wish(b)->amend_id = b->sent[0].id;
    wish(b)->amend_qty = 25;
    tick(b);
    wish(b)->amend_id = 0;
    b->now += 2 * NS_PER_S;
    tick(b);
    assert_int_equal(b->n, 3);
    assert_int_equal(b->sent[2].kind, REQUEST_QUERY);
    assert_int_equal(blotter_find(orders, b->sent[0].id)->status, ORDER_UNKNOWN);
    assert_int_equal(blotter_exposure(orders, SIDE_BUY).lots, 25);
    say(b, &b->sent[1], REPORT_ACK, WHY_NONE); /* the venue says 25: the amend was done */
    assert_int_equal(blotter_find(orders, b->sent[0].id)->qty.lots, 25);
    assert_int_equal(blotter_find(orders, b->sent[0].id)->status, ORDER_WORKING);
    close_bench(b);
}

static void a_stop_far_from_the_market_passes_the_collar_by_its_own_prices(void **state) {
    (void)state;
    struct bench *b = open_bench();
    b->cfg.risk.collar_e4 = 100 * 10000;
    struct order_request q = {.qty = {10},
        .side = SIDE_SELL,
        .type = ORDER_MARKET,
        .trigger = TRIGGER_STOP,
        .trigger_px = {500000}};
    submit_on(b, &q);
    assert_int_equal(b->n, 1);
    q.type = ORDER_LIMIT;
    q.px.ticks = 499000;
    submit_on(b, &q);
    assert_int_equal(b->n, 2);
    q.px.ticks = 400000; /* 20 % beyond its trigger */
    submit_on(b, &q);
    assert_int_equal(b->n, 2);
    assert_int_equal(b->refused_why, RISK_COLLAR);
    q.trigger_px.ticks = 0;
    submit_on(b, &q);
    assert_int_equal(b->refused_why, RISK_BAD_ORDER);
    say(b, &b->sent[0], REPORT_ACK, WHY_NONE);
    say(b, &b->sent[0], REPORT_TRIGGERED, WHY_NONE);
    const struct order *o = blotter_find(engine_blotter(b->e), b->sent[0].id);
    assert_int_equal(o->fired, 1);
    assert_int_equal(o->status, ORDER_WORKING);
    close_bench(b);
}

static uint64_t seed = 4711;
static uint64_t rnd(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static void requests_of_any_bytes_leave_the_engine_whole_or_not_at_all(void **state) {
    (void)state;
    static const int64_t odd[] = {0, -1, INT64_MAX, INT64_MIN, ORDER_UNITS_MAX, ORDER_UNITS_MAX + 1,
        600000, 599990, 5, INT64_MAX / 2};
    printf("seed %llu\n", (unsigned long long)seed);
    size_t left = 0;
    for (int run = 0; run < 300; run++) {
        struct bench *b = open_bench();
        if (rnd(2)) b->cfg.risk.order_max = 0; /* no limit but the words' own range */
        b->cfg.risk.collar_e4 = rnd(2) ? 100 * 10000 : 0;
        for (int i = 0; i < 60; i++) {
            struct order_request q = {.px = {odd[rnd(10)]},
                .qty = {odd[rnd(10)]},
                .trigger_px = {odd[rnd(10)]},
                .expire_ns = odd[rnd(10)],
                .oco = odd[rnd(10)],
                .callback_e4 = (int32_t)odd[rnd(10)],
                .side = (uint8_t)rnd(4),
                .type = (uint8_t)rnd(4),
                .tif = (uint8_t)rnd(8),
                .trigger = (uint8_t)rnd(6),
                .trigger_by = (uint8_t)rnd(4),
                .stp = (uint8_t)rnd(8),
                .reduce_only = (uint8_t)rnd(4)};
            if (rnd(2)) q.px.ticks = 599990, q.qty.lots = 5, q.type = ORDER_LIMIT, q.side &= 1;
            if (rnd(2)) q.trigger = q.trigger_by = 0, q.trigger_px.ticks = q.callback_e4 = 0;
            if (rnd(2)) q.tif = TIF_GTC, q.expire_ns = 0, q.stp = 0;
            submit_on(b, &q);
        }
        for (size_t i = 0; i < b->n; i++) {
            const struct order_request *q = &b->sent[i];
            assert_true(order_request_formed(q));
            assert_true(q->qty.lots > 0 && q->qty.lots <= ORDER_UNITS_MAX);
            assert_true(q->px.ticks <= ORDER_UNITS_MAX && q->trigger_px.ticks <= ORDER_UNITS_MAX);
        }
        const struct blotter *orders = engine_blotter(b->e);
        assert_int_equal(orders->live_count, b->n);
        for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
            assert_int_equal(
                blotter_exposure(orders, side).lots, blotter_exposure_slow(orders, side).lots);
        }
        left += b->n;
        close_bench(b);
    }
    assert_true(left > 300);
}

static void a_refusal_is_recorded_and_nothing_leaves(void **state) {
    (void)state;
    struct bench *b = open_bench();
    struct wishes *w = wish(b);
    w->quotes = 1;
    w->quote[0] = (struct strategy_quote){{599990}, {101}};
    tick(b);
    assert_int_equal(b->n, 0);
    assert_int_equal(b->refused, 1);
    assert_int_equal(b->refused_why, RISK_SIZE);
    assert_int_equal(engine_hashes(b->e)->orders, 0);
    close_bench(b);
}

static void a_full_port_leaves_no_trace_of_the_order(void **state) {
    (void)state;
    struct bench *b = open_bench();
    struct wishes *w = wish(b);
    w->quotes = 1;
    w->quote[0] = (struct strategy_quote){{599990}, {5}};
    b->port_full = true;
    tick(b);
    assert_int_equal(engine_blotter(b->e)->live_count, 0);
    assert_int_equal(blotter_exposure(engine_blotter(b->e), SIDE_BUY).lots, 0);
    assert_int_equal(engine_counters(b->e)->port_full, 1);
    b->port_full = false;
    tick(b);
    assert_int_equal(b->n, 1);
    assert_int_equal(b->sent[0].id, 2); /* an id is never used twice */
    close_bench(b);
}

static void mark(struct bench *b, int64_t px, int64_t rate_e16, int64_t next) {
    struct event ev[2];
    memset(ev, 0, sizeof ev);
    ev[0] = (struct event){.ts_local = {b->now += NS_PER_MS},
        .kind = EV_MARK,
        .flags = EVF_FIRST | EVF_LAST,
        .aux = {px * AUX_ONE, 0}};
    int64_t *w = ((struct event_cont *)(void *)(ev + 1))->w;
    w[MARK_RATE_E16] = rate_e16;
    w[MARK_NEXT_FUNDING_NS] = next;
    assert_int_equal(engine_on_event(b->e, ev), ERR_OK);
}

static void money_row(struct bench *b, struct report r) {
    struct event ev[2];
    r.ts_local = (ts_t){b->now += 1000};
    r.fee_e12 = REPORT_FEE_UNKNOWN;
    report_encode(&r, ev);
    assert_int_equal(engine_on_event(b->e, ev), ERR_OK);
    assert_true(ledger_check(engine_ledger(b->e)));
}

static void funding_is_what_the_venue_charged_for_the_position_it_had(void **state) {
    (void)state;
    struct bench *b = open_bench();
    wish(b)->use_target = true;
    wish(b)->target = 100; /* 0.1 */
    tick(b);
    tell(b, &b->sent[0], REPORT_FILL, 100, 100, 600000);
    int64_t hour = 3600 * NS_PER_S;
    mark(b, 60000, RATE_ONE / 10000, hour);
    mark(b, 61000, RATE_ONE / 5000, 2 * hour);
    struct event ev = {.ts_venue = {hour},
        .ts_local = {b->now},
        .kind = EV_FUNDING,
        .flags = EVF_FIRST | EVF_LAST,
        .aux = {RATE_ONE / 10000, (int64_t)60000 * AUX_ONE}};
    assert_int_equal(engine_on_event(b->e, &ev), ERR_OK);
    assert_int_equal(b->fundings, 0); /* a rate that is told moves no money */
    struct report r = {.status = REPORT_FUNDING,
        .px = {(int64_t)60000 * AUX_ONE},
        .last_px = {RATE_ONE / 10000},
        .last_qty = {40}, /* the venue had 0.04 at that instant */
        .filled = {hour}};
    money_row(b, r);
    assert_int_equal(b->fundings, 1);
    assert_true(engine_ledger(b->e)->funding.e12 == (int128)24 * MONEY_ONE / 100);
    close_bench(b);
}

static void a_liquidation_is_booked_with_its_fees_and_changes_no_order(void **state) {
    (void)state;
    struct bench *b = open_bench();
    wish(b)->use_target = true;
    wish(b)->target = 100;
    tick(b);
    tell(b, &b->sent[0], REPORT_FILL, 100, 100, 600000);
    wish(b)->use_target = false;
    const struct ledger *l = engine_ledger(b->e);
    int128 fees = l->fees.e12;
    size_t sent = b->n, fills = b->fills;
    struct report r = {.status = REPORT_LIQUIDATION,
        .why = WHY_LIQUIDATION,
        .side = SIDE_SELL,
        .last_px = {500000},
        .last_qty = {60},
        .queue_placed = RATE_ONE / 80};
    money_row(b, r);
    assert_int_equal(l->position, 40);
    assert_true(l->clearance.e12 == (int128)3000 * MONEY_ONE / 80); /* 0.06 x 50,000 */
    assert_true(l->fees.e12 > fees);
    assert_int_equal(b->fills, fills + 1);
    r.why = WHY_TAKEOVER;
    r.last_qty.lots = 40;
    fees = l->fees.e12;
    money_row(b, r);
    assert_int_equal(l->position, 0);
    assert_true(l->fees.e12 == fees);
    struct report paid = {
        .status = REPORT_INSURED, .last_px = {3}, .last_qty = {5}, .side = SIDE_BUY};
    int128 cash = l->cash.e12;
    money_row(b, paid);
    assert_true(l->cash.e12 - cash == ((int128)3 << 62) + 5);
    assert_int_equal(b->n, sent);
    assert_int_equal(engine_blotter(b->e)->counters.external, 0);
    close_bench(b);
}

static void a_fill_that_names_its_rate_is_charged_at_it(void **state) {
    (void)state;
    struct bench *b = open_bench();
    wish(b)->use_target = true;
    wish(b)->target = 100;
    tick(b);
    struct report r = {.order_id = b->sent[0].id,
        .status = REPORT_FILL,
        .px = b->sent[0].px,
        .qty = b->sent[0].qty,
        .last_px = {600000},
        .last_qty = {100},
        .filled = {100},
        .rated = true,
        .fee_rate = {-RATE_ONE / 50000}};
    money_row(b, r);
    assert_true(engine_ledger(b->e)->fees.e12 == -(int128)6000 * MONEY_ONE / 50000);
    close_bench(b);
}

static void every_decision_is_recorded_with_its_reason(void **state) {
    (void)state;
    struct bench *b = open_bench();
    wish(b)->edge = true;
    struct bucket k = {.id = 1, .close_ts = {b->now}, .gapped = 1};
    struct prediction p = {.classes = 1, .p = {0.9}};
    float row[3] = {0};
    assert_int_equal(engine_on_bucket(b->e, &k, row, 3, &p), ERR_OK);
    assert_int_equal(engine_on_bucket(b->e, &k, NULL, 0, NULL), ERR_OK);
    assert_false(wish(b)->edge_ok);
    assert_int_equal(b->decisions, 2);
    assert_int_equal(engine_intent(b->e)->reason[INTENT_GAPPED], 1);
    assert_int_equal(engine_intent(b->e)->reason[INTENT_NO_PREDICTION], 1);
    assert_true(engine_hashes(b->e)->decisions != 0);
    assert_true(engine_hashes(b->e)->predictions != 0);
    close_bench(b);
}

static void an_engine_goes_on_bit_for_bit_from_its_saved_state(void **state) {
    (void)state;
    struct bench *a = open_bench(), *b = open_bench();
    size_t n, n2;
    for (int i = 0; i < 20; i++) {
        wish(a)->use_target = true;
        wish(a)->target = (i * 37) % 90 - 45;
        tick(a);
        const struct order_request *q = &a->sent[a->n - 1];
        tell(a, q, REPORT_FILL, q->qty.lots, q->qty.lots, 600000 + i);
    }
    void *from = engine_state(a->e, &n);
    void *to = engine_state(b->e, &n2);
    assert_int_equal(n, n2);
    memcpy(to, from, n);
    b->now = a->now;
    a->n = b->n = 0;
    struct bench *both[2] = {a, b};
    for (int i = 0; i < 20; i++) {
        for (int k = 0; k < 2; k++) {
            wish(both[k])->target = (i * 53) % 90 - 45;
            tick(both[k]);
            const struct order_request *q = &both[k]->sent[both[k]->n - 1];
            tell(both[k], q, REPORT_FILL, q->qty.lots, q->qty.lots, 600100 - i);
        }
    }
    assert_memory_equal(engine_hashes(a->e), engine_hashes(b->e), sizeof(struct engine_hashes));
    assert_memory_equal(from, to, n);
    close_bench(a);
    close_bench(b);
}

static const struct strategy deaf = {.name = "deaf",
    .state_size = sizeof(struct wishes),
    .on_bucket = on_bucket,
    .on_timer = on_timer,
    .on_report = on_report};

static struct bench *open_deaf(void) {
    struct bench *b = open_bench();
    free(b->e);
    b->cfg.strategy = &deaf;
    struct engine_io io = {.port = {b, port_send}, .best = best, .best_ctx = b};
    b->e =
        engine_init(aligned_alloc(64, (engine_mem_size(&b->cfg) + 63) & ~(size_t)63), &b->cfg, &io);
    return b;
}

/* Local times that now and then run backwards; timers between them. */
static void events_told_together_leave_the_state_of_events_told_one_by_one(void **state) {
    (void)state;
    static const uint8_t kind[] = {
        EV_DEPTH, EV_TRADE, EV_DEPTH_END, EV_AGG_TRADE, EV_TICKER, EV_LIQUIDATION, EV_MARK};
    struct bench *one = open_deaf(), *many = open_deaf();
    int64_t t = 5000, now = INT64_MIN, depth = INT64_MIN;
    uint64_t passed = 0, dice = 1, told = 0;
    size_t n, n2;
    for (int i = 0; i < 20000; i++) {
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        t += (int64_t)(dice >> 33) % 9 - 2;
        struct event ev[2] = {{.ts_local = {t}, .flags = EVF_FIRST | EVF_LAST}};
        ev[0].kind = (dice >> 50) % 11 == 0 ? EV_TIMER : kind[(dice >> 40) % sizeof kind];
        assert_int_equal(engine_on_event(one->e, ev), ERR_OK);
        if (engine_ignores(many->e, ev)) {
            passed++;
            if (t > now) now = t;
            if (ev[0].kind == EV_DEPTH || ev[0].kind == EV_DEPTH_END) depth = now;
            continue;
        }
        assert_true(ev[0].kind == EV_TIMER || ev[0].kind == EV_MARK);
        if (passed > 0) engine_passed(many->e, (ts_t){now}, (ts_t){depth}, passed);
        passed = 0;
        depth = INT64_MIN;
        assert_int_equal(engine_on_event(many->e, ev), ERR_OK);
        const void *a = engine_state(one->e, &n), *b = engine_state(many->e, &n2);
        assert_int_equal(n, n2);
        assert_memory_equal(a, b, n);
        told++;
    }
    assert_true(told > 1000);
    close_bench(one);
    close_bench(many);
}

static void a_strategy_that_looks_at_events_is_told_of_each(void **state) {
    (void)state;
    struct bench *b = open_bench();
    for (int k = 0; k < EV_KIND_COUNT; k++) {
        struct event ev = {.kind = (uint8_t)k, .flags = EVF_FIRST | EVF_LAST};
        assert_false(engine_ignores(b->e, &ev));
    }
    close_bench(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_takes_the_difference_once_and_waits_for_its_answer),
        cmocka_unit_test(a_target_larger_than_an_order_goes_on_in_parts),
        cmocka_unit_test(an_unanswered_order_blocks_its_target_until_it_is_resolved),
        cmocka_unit_test(an_order_that_never_arrived_is_sent_anew_only_after_the_venue_said_so),
        cmocka_unit_test(quotes_send_only_the_difference),
        cmocka_unit_test(one_by_one_waits_until_the_unwanted_are_gone),
        cmocka_unit_test(an_amend_counts_the_larger_quantity_until_its_answer),
        cmocka_unit_test(an_amend_without_an_answer_is_unknown_until_a_query_tells),
        cmocka_unit_test(a_stop_far_from_the_market_passes_the_collar_by_its_own_prices),
        cmocka_unit_test(requests_of_any_bytes_leave_the_engine_whole_or_not_at_all),
        cmocka_unit_test(a_refusal_is_recorded_and_nothing_leaves),
        cmocka_unit_test(a_full_port_leaves_no_trace_of_the_order),
        cmocka_unit_test(funding_is_what_the_venue_charged_for_the_position_it_had),
        cmocka_unit_test(a_liquidation_is_booked_with_its_fees_and_changes_no_order),
        cmocka_unit_test(a_fill_that_names_its_rate_is_charged_at_it),
        cmocka_unit_test(every_decision_is_recorded_with_its_reason),
        cmocka_unit_test(an_engine_goes_on_bit_for_bit_from_its_saved_state),
        cmocka_unit_test(events_told_together_leave_the_state_of_events_told_one_by_one),
        cmocka_unit_test(a_strategy_that_looks_at_events_is_told_of_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
