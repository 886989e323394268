/* The account at the simulated venue: margin at order entry, funding at the instant, liquidation.
 */
#include "execute/sim/clearing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "execute/sim/sim_testing.h"

static uint64_t seed = 31;
static uint64_t rnd(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static const struct world_config quick = {.entry_new_ns = NS_PER_MS,
    .entry_cancel_ns = NS_PER_MS,
    .response_ns = NS_PER_MS,
    .reorder_ns = NS_PER_S,
    .clears = true};

static int128 units(int64_t v) { return (int128)v * MONEY_ONE; }

/* Up to 300 at 1 % (20x), up to 1,000 at 5 % (10x), then 20 % (5x); leverage 10; no fees. */
static struct clearing_rules rules_of(void) {
    struct clearing_rules r = {.funding = true};
    r.margin = (struct margin_rules){.on = true, .initial = {RATE_ONE / 10}};
    static const struct {
        int64_t to, percent, leverage;
    } row[] = {{300, 1, 20}, {1000, 5, 10}, {0, 20, 5}};
    for (int i = 0; i < 3; i++) {
        r.margin.ladder.tier[r.margin.ladder.tiers++] =
            (struct margin_tier){.to = {units(row[i].to)},
                .maintenance = {row[i].percent * (RATE_ONE / 100)},
                .initial = {RATE_ONE / row[i].leverage}};
    }
    assert_true(margin_ladder_good(&r.margin.ladder));
    return r;
}

static struct order_request order(int64_t id, int64_t ms, int side, int64_t px, int64_t qty) {
    return (struct order_request){.id = id,
        .px = {px},
        .qty = {qty},
        .ts_sent = {ms * NS_PER_MS},
        .kind = REQUEST_NEW,
        .side = (uint8_t)side,
        .type = ORDER_LIMIT,
        .tif = TIF_GTC};
}

struct run {
    struct clearing c;
    struct report r[SCRIPT_MAX];
    size_t n;
    uint32_t resting;
};

static void play(struct run *run, const struct script *s, const struct clearing_rules *rules,
    int64_t deposit, const struct order_request *q, size_t n) {
    struct script_world *w = script_open(s, &quick);
    run->n = 0;
    clearing_init(&run->c);
    clearing_deposit(&run->c, 0, (money_t){units(deposit)});
    assert_int_equal(clearing_join(&run->c, w->world, 0, rules), 0);
    struct order_port port = world_port(w->world, 0);
    for (size_t i = 0; i < n; i++) assert_true(port.send(port.ctx, &q[i]));
    const struct event *ev;
    uint32_t seat;
    enum world_result end;
    while ((end = world_next(w->world, &ev, &seat)) == WORLD_EVENT) {
        if (ev->kind != EV_ORDER_REPORT) continue;
        assert_true(run->n < SCRIPT_MAX);
        report_decode(ev, &run->r[run->n++]);
    }
    assert_int_equal(end, WORLD_END);
    assert_true(margin_check(&run->c.account));
    run->resting = world_resting(w->world, 0);
    script_close(w);
}

static size_t told(const struct run *run, uint8_t status, uint8_t why) {
    size_t n = 0;
    for (size_t i = 0; i < run->n; i++) n += run->r[i].status == status && run->r[i].why == why;
    return n;
}

static void an_order_beyond_the_margin_is_refused_and_open_orders_count(void **state) {
    (void)state;
    struct run *run = calloc(1, sizeof *run);
    struct script s = script_market();
    struct clearing_rules rules = rules_of();
    script_mark(&s, 2000, 100 * AUX_ONE);
    script_mark(&s, 90000, 100 * AUX_ONE);
    struct order_request q[] = {order(1, 11, SIDE_BUY, 98, 4), order(2, 12, SIDE_BUY, 98, 2),
        order(3, 13, SIDE_BUY, 98, 1), order(4, 14, SIDE_SELL, 105, 5)};
    play(run, &s, &rules, 50, q, 4); /* 10x: 500 */
    assert_int_equal(told(run, REPORT_REJECTED, WHY_MARGIN), 2);
    assert_int_equal(run->r[1].order_id, 2);
    assert_int_equal(run->r[3].order_id, 4);
    assert_int_equal(run->c.counters.margin_refused, 2);
    assert_int_equal(run->resting, 2);
    rules.margin.on = false;
    play(run, &s, &rules, 50, q, 4);
    assert_int_equal(told(run, REPORT_REJECTED, WHY_MARGIN), 0);
    free(run);
}

/* ---- funding ---- */

static void funding_event(struct script *s, int64_t us, int64_t at_us, int64_t rate, int64_t mark) {
    struct event *ev = script_add(s, us, EV_FUNDING, EVF_FIRST | EVF_LAST, 0, 0);
    ev->ts_venue.ns = at_us * 1000;
    ev->aux.a = rate;
    ev->aux.b = mark;
}

static void told_mark(struct script *s, int64_t us, int64_t px, int64_t rate, int64_t next_us) {
    script_mark(s, us, px * AUX_ONE);
    int64_t *w = ((struct event_cont *)(void *)&s->ev[s->n - 1])->w;
    w[MARK_RATE_E16] = rate;
    w[MARK_NEXT_FUNDING_NS] = next_us * 1000;
}

/* Buys 3 that arrive at 12 ms, and 2 that arrive exactly at 20 ms. */
static const int64_t funding_at_us = 20000;
static size_t two_buys(struct order_request q[2]) {
    q[0] = order(1, 11, SIDE_BUY, 101, 3);
    q[1] = order(2, 19, SIDE_BUY, 101, 2);
    return 2;
}

static void funding_is_on_the_position_of_the_instant_however_late_it_is_told(void **state) {
    (void)state;
    struct run *run = calloc(1, sizeof *run);
    struct script s = script_market();
    struct clearing_rules rules = rules_of();
    struct order_request q[2];
    size_t n = two_buys(q);
    script_mark(&s, 2000, 100 * AUX_ONE);
    funding_event(&s, 40000, funding_at_us, RATE_ONE / 100, 100 * AUX_ONE);
    funding_event(&s, 41000, funding_at_us, RATE_ONE / 100, 100 * AUX_ONE); /* told again */
    script_mark(&s, 60000, 100 * AUX_ONE);
    play(run, &s, &rules, 1000, q, n);
    assert_int_equal(told(run, REPORT_FUNDING, WHY_NONE), 1);
    const struct report *r = &run->r[run->n - 1];
    assert_int_equal(r->status, REPORT_FUNDING);
    assert_int_equal(r->last_qty.lots, 3); /* the fill at the instant comes after it */
    assert_int_equal(r->filled.lots, funding_at_us * 1000);
    assert_int_equal(run->c.account.leg[0].ledger.position, 5);
    assert_true(run->c.account.leg[0].ledger.funding.e12 == units(3)); /* 3 x 100 x 1 % */
    rules.funding = false;
    play(run, &s, &rules, 1000, q, n);
    assert_int_equal(told(run, REPORT_FUNDING, WHY_NONE), 0);
    free(run);
}

static void a_rate_that_is_only_predicted_is_never_booked(void **state) {
    (void)state;
    struct run *run = calloc(1, sizeof *run);
    struct script s = script_market();
    struct clearing_rules rules = rules_of();
    struct order_request q[2];
    size_t n = two_buys(q);
    rules.funding_told = true;
    told_mark(&s, 2000, 100, RATE_ONE / 50, funding_at_us);
    told_mark(&s, 15000, 100, RATE_ONE / 100, funding_at_us);
    struct script before = s;
    told_mark(&before, 19000, 100, RATE_ONE / 100, funding_at_us);
    script_print(&before, 90000, EVF_BUY, 101, 1);
    play(run, &before, &rules, 1000, q, n); /* the instant comes, but nothing tells of it */
    assert_int_equal(run->c.counters.fundings, 0);
    told_mark(&s, 23000, 107, RATE_ONE / 10, 2 * funding_at_us); /* an interval of its own */
    told_mark(&s, 43000, 107, RATE_ONE / 10, 5 * funding_at_us);
    play(run, &s, &rules, 1000, q, n);
    assert_int_equal(run->c.counters.fundings, 2);
    assert_int_equal(run->c.counters.funding_told, 2);
    /* 3 x 100 x 1 % with the last rate and mark told before, then 5 x 107 x 10 % */
    assert_true(run->c.account.leg[0].ledger.funding.e12 == units(3) + units(535) / 10);
    rules.funding_told = false; /* the data hold settled rates: told ones count for nothing */
    play(run, &s, &rules, 1000, q, n);
    assert_int_equal(run->c.counters.fundings, 0);
    free(run);
}

static void a_settlement_without_a_mark_takes_the_market_and_is_counted(void **state) {
    (void)state;
    struct run *run = calloc(1, sizeof *run);
    struct script s = script_market();
    struct clearing_rules rules = rules_of();
    struct order_request q[2];
    size_t n = two_buys(q);
    funding_event(&s, 40000, 30000, RATE_ONE / 100, 0);
    script_print(&s, 60000, EVF_BUY, 103, 1);
    play(run, &s, &rules, 1000, q, n);
    assert_int_equal(run->c.counters.funding_by_price, 1);
    assert_int_equal(run->c.counters.fundings, 1);
    /* mid 100.5 x 5 x 1 % */
    assert_true(run->c.account.leg[0].ledger.funding.e12 == units(5025) / 1000);
    free(run);
}

/* ---- liquidation ---- */

static void liquidation_cancels_then_sells_through_the_book_with_its_fee(void **state) {
    (void)state;
    struct run *run = calloc(1, sizeof *run);
    struct script s = script_market();
    struct clearing_rules rules = rules_of();
    rules.margin.clearance.e16 = RATE_ONE / 100;
    script_mark(&s, 2000, 100 * AUX_ONE);
    script_mark(&s, 30000, 90 * AUX_ONE); /* 2 x -11: 27 - 22 = 5 > 1.8 */
    script_mark(&s, 40000, 88 * AUX_ONE); /* 27 - 26 = 1 < 1.76 */
    script_mark(&s, 60000, 88 * AUX_ONE);
    struct order_request q[] = {order(1, 11, SIDE_BUY, 101, 2), order(2, 12, SIDE_BUY, 20, 1)};
    play(run, &s, &rules, 27, q, 2);
    assert_int_equal(run->c.counters.liquidations, 1);
    assert_int_equal(run->c.counters.orders_canceled, 1);
    assert_int_equal(told(run, REPORT_CANCELED, WHY_LIQUIDATION), 1);
    assert_int_equal(told(run, REPORT_LIQUIDATION, WHY_LIQUIDATION), 1);
    const struct report *r = &run->r[run->n - 1];
    assert_int_equal(r->last_px.ticks, 100); /* the bid that stood, far above the mark */
    assert_int_equal(r->last_qty.lots, 2);
    assert_int_equal(r->side, SIDE_SELL);
    assert_int_equal(r->ts_venue.ns, 40 * NS_PER_MS);
    assert_int_equal(r->ts_local.ns, 41 * NS_PER_MS);
    assert_true(run->c.account.leg[0].ledger.clearance.e12 == units(2));
    assert_int_equal(run->resting, 0);
    assert_true(margin_balance(&run->c.account, 0) == units(27 - 2 - 2));
    free(run);
}

static void a_large_position_goes_down_the_ladder_step_by_step(void **state) {
    (void)state;
    struct run *run = calloc(1, sizeof *run);
    struct script s = {0};
    static const struct script_level book[] = {
        {EVF_BUY, 100, 500}, {EVF_BUY, 99, 500}, {EVF_SELL, 101, 500}};
    struct clearing_rules rules = rules_of();
    script_message(&s, 1000, EVF_SNAPSHOT, book, 3);
    script_mark(&s, 2000, 100 * AUX_ONE);
    script_mark(&s, 30000, 91 * AUX_ONE); /* 430 - 200 = 230 > 1,820 x 20 % - 162 = 202 */
    struct order_request q[] = {order(1, 11, SIDE_BUY, 101, 9), order(2, 12, SIDE_BUY, 101, 11)};
    rules.margin.initial.e16 = RATE_ONE / 20;
    play(run, &s, &rules, 430, q, 2);
    assert_int_equal(run->c.counters.liquidations, 0);
    assert_int_equal(run->c.account.leg[0].ledger.position, 20);
    script_mark(&s, 32000, 89 * AUX_ONE); /* 430 - 240 = 190 < 1,780 x 20 % - 162 = 194 */
    script_mark(&s, 60000, 89 * AUX_ONE);
    play(run, &s, &rules, 430, q, 2);
    assert_int_equal(run->c.counters.liquidations, 1);
    assert_int_equal(run->c.counters.takeovers, 0);
    assert_int_equal(run->c.account.leg[0].ledger.position, 11); /* 979 is in the second tier */
    free(run);
}

static void what_the_book_does_not_take_is_taken_over_at_the_bankruptcy_price(void **state) {
    (void)state;
    struct run *run = calloc(1, sizeof *run);
    struct script s = script_market();
    struct clearing_rules rules = rules_of();
    script_mark(&s, 2000, 100 * AUX_ONE);
    script_level(&s, 20000, EVF_BUY, 100, 0);
    script_level(&s, 21000, EVF_BUY, 99, 1);
    script_mark(&s, 40000, 70 * AUX_ONE); /* 27 - 2 x 31, after one is sold 27 - 2 - 31 */
    script_mark(&s, 60000, 70 * AUX_ONE);
    struct order_request q = order(1, 11, SIDE_BUY, 101, 2);
    play(run, &s, &rules, 27, &q, 1);
    const struct margin_leg *l = &run->c.account.leg[0];
    assert_int_equal(told(run, REPORT_LIQUIDATION, WHY_LIQUIDATION), 1); /* 1 at 99 */
    assert_int_equal(told(run, REPORT_LIQUIDATION, WHY_TAKEOVER), 1);
    assert_int_equal(l->ledger.position, 0);
    assert_int_equal(run->c.counters.takeovers, 1);
    assert_int_equal(run->c.counters.adl, 1); /* the fund pays, and has nothing */
    assert_true(run->c.counters.insurance > 0);
    int128 left = margin_balance(&run->c.account, 0);
    assert_true(left >= 0 && left < units(1)); /* nothing but the tick's rounding */
    free(run);
}

static void what_is_owed_with_no_position_left_is_paid_by_the_venue(void **state) {
    (void)state;
    struct run *run = calloc(1, sizeof *run);
    struct script s = script_market();
    struct clearing_rules rules = rules_of();
    rules.margin.clearance.e16 = RATE_ONE / 2; /* a fee beyond all that is left */
    script_mark(&s, 2000, 100 * AUX_ONE);
    script_mark(&s, 40000, 88 * AUX_ONE);
    script_mark(&s, 60000, 88 * AUX_ONE);
    struct order_request q = order(1, 11, SIDE_BUY, 101, 2);
    play(run, &s, &rules, 27, &q, 1);
    assert_int_equal(told(run, REPORT_INSURED, WHY_LIQUIDATION), 1);
    assert_int_equal(run->c.counters.insured, 1);
    assert_true(margin_balance(&run->c.account, 0) == 0);
    assert_true(run->c.account.leg[0].ledger.insurance.e12 == units(100 - 25));
    free(run);
}

static void an_account_without_margin_rules_is_never_liquidated(void **state) {
    (void)state;
    struct run *run = calloc(1, sizeof *run);
    struct script s = script_market();
    struct clearing_rules rules = rules_of();
    rules.margin.on = false;
    script_mark(&s, 2000, 100 * AUX_ONE);
    script_mark(&s, 40000, 1 * AUX_ONE);
    script_mark(&s, 60000, 1 * AUX_ONE);
    struct order_request q = order(1, 11, SIDE_BUY, 101, 5);
    play(run, &s, &rules, 1, &q, 1);
    assert_int_equal(run->c.counters.liquidations, 0);
    assert_int_equal(run->c.account.leg[0].ledger.position, 5);
    free(run);
}

/* ---- two instruments ---- */

/* Steps both worlds as a run does; reports of the second world are returned. */
static size_t step_both(struct clearing *c, struct script_world *w[2], struct report *out) {
    struct world_key first = {INT64_MIN, 0}, key[2];
    const struct event *ev;
    uint32_t seat;
    size_t n = 0;
    for (;;) {
        enum world_result got[2];
        for (int i = 0; i < 2; i++) got[i] = world_until(w[i]->world, first, &key[i], &ev, &seat);
        for (int i = 0; i < 2; i++) assert_true(got[i] == WORLD_WAIT || got[i] == WORLD_END);
        if (got[0] == WORLD_END && got[1] == WORLD_END) return n;
        int i =
            got[1] == WORLD_END || (got[0] == WORLD_WAIT && world_before(key[0], key[1])) ? 0 : 1;
        struct world_key past = key[i];
        past.rank++;
        if (world_until(w[i]->world, past, &key[i], &ev, &seat) != WORLD_EVENT) continue;
        if (i == 1 && ev->kind == EV_ORDER_REPORT) report_decode(ev, &out[n++]);
        assert_true(margin_check(&c->account));
    }
}

static void a_loss_of_one_instrument_liquidates_the_other_of_its_pool(void **state) {
    (void)state;
    static struct clearing c;
    static struct report r[64];
    struct instrument inst[2] = {script_inst, script_inst};
    struct world_config cfg[2] = {quick, quick};
    struct script s[2] = {script_market(), script_market()};
    struct script_world *w[2];
    struct clearing_rules rules = rules_of();
    script_mark(&s[0], 2000, 100 * AUX_ONE);
    script_mark(&s[1], 2000, 100 * AUX_ONE);
    script_mark(&s[0], 40000, 80 * AUX_ONE);
    script_mark(&s[0], 90000, 80 * AUX_ONE);
    script_mark(&s[1], 90000, 100 * AUX_ONE);
    clearing_init(&c);
    clearing_deposit(&c, 0, (money_t){units(62)});
    for (int i = 0; i < 2; i++) {
        inst[i].id = (uint16_t)i;
        cfg[i].rank = (uint16_t)i;
        cfg[i].inst = &inst[i];
        for (size_t k = 0; k < s[i].n; k += event_slots(s[i].ev[k].kind)) {
            s[i].ev[k].inst = (uint16_t)i;
        }
        w[i] = script_open(&s[i], &cfg[i]);
        assert_int_equal(clearing_join(&c, w[i]->world, 0, &rules), i);
    }
    struct order_request q = order(1, 11, SIDE_BUY, 101, 3), rest = order(2, 13, SIDE_BUY, 40, 1);
    struct order_port port[2] = {world_port(w[0]->world, 0), world_port(w[1]->world, 0)};
    assert_true(port[0].send(port[0].ctx, &q));
    q.qty.lots = 2;
    assert_true(port[1].send(port[1].ctx, &q));
    assert_true(port[1].send(port[1].ctx, &rest));
    size_t n = step_both(&c, w, r);
    /* 62 - 65 < 0: the first is sold at 100 and the pool holds again, but all orders are gone */
    assert_int_equal(c.counters.liquidations, 1);
    assert_true(c.touched);
    assert_int_equal(c.account.leg[0].ledger.position, 0);
    assert_int_equal(r[n - 1].status, REPORT_CANCELED);
    assert_int_equal(r[n - 1].why, WHY_LIQUIDATION);
    assert_int_equal(r[n - 1].ts_local.ns, 41 * NS_PER_MS);
    for (int i = 0; i < 2; i++) script_close(w[i]);
}

/* ---- the law: what was reported is what the venue has ---- */

static void random_market(struct script *s) {
    static const struct script_level book[] = {{EVF_BUY, 100, 9}, {EVF_BUY, 99, 20},
        {EVF_BUY, 95, 3}, {EVF_SELL, 101, 9}, {EVF_SELL, 102, 20}, {EVF_SELL, 106, 3}};
    int64_t us = 3000, mark = 1000, next = 20000;
    script_message(s, 1000, EVF_SNAPSHOT, book, 6);
    while (s->n < 900) {
        us += 1 + (int64_t)rnd(300);
        int64_t px = 90 + (int64_t)rnd(11);
        switch (rnd(5)) {
        case 0: script_level(s, us, EVF_BUY, px, (int64_t)rnd(4)); break;
        case 1: script_level(s, us, EVF_SELL, px + 11, (int64_t)rnd(4)); break;
        case 2: script_print(s, us, rnd(2) ? EVF_BUY : EVF_SELL, 95 + (int64_t)rnd(12), 6); break;
        case 3:
            mark += (int64_t)rnd(61) - 30;
            if (mark < 300) mark = 300;
            if (us > next) next += 5000 + (int64_t)rnd(20000);
            told_mark(s, us, 1, ((int64_t)rnd(200) - 100) * (RATE_ONE / 10000), next);
            s->ev[s->n - 2].aux.a = mark * (AUX_ONE / 10);
            break;
        default: break;
        }
    }
}

static size_t random_orders(struct order_request *q, size_t n) {
    int64_t ms = 4;
    for (size_t i = 0; i < n; i++) {
        ms += (int64_t)rnd(3);
        int side = (int)rnd(2);
        int64_t px = side == SIDE_BUY ? 96 + (int64_t)rnd(8) : 98 + (int64_t)rnd(8);
        q[i] = order((int64_t)i + 1, ms, side, px, 1 + (int64_t)rnd(8));
        q[i].tif = rnd(2) ? TIF_GTC : TIF_IOC;
        if (i > 3 && rnd(5) == 0) {
            q[i] = q[rnd(i)];
            q[i].kind = REQUEST_CANCEL;
            q[i].ts_sent.ns = ms * NS_PER_MS;
        }
    }
    return n;
}

static void book(struct ledger *l, const struct margin_leg *leg, const struct report *r) {
    const money_t none = {0};
    bool takeover = r->why == WHY_TAKEOVER;
    if (r->status == REPORT_FILL || r->status == REPORT_LIQUIDATION) {
        assert_int_equal(ledger_fill(l, leg->inst, r->side, r->last_px, r->last_qty, r->maker != 0,
                             takeover ? &none : NULL, NULL),
            ERR_OK);
    }
    if (r->status == REPORT_LIQUIDATION && takeover) l->liquidations++;
    if (r->status == REPORT_LIQUIDATION && !takeover) {
        assert_int_equal(ledger_clearance(l, leg->inst, r->last_px, r->last_qty,
                             (rate_t){r->queue_placed}, NULL),
            ERR_OK);
    }
    if (r->status == REPORT_FUNDING) {
        assert_int_equal(ledger_funding_of(l, leg->inst, r->last_qty.lots, r->px.ticks,
                             (rate_t){r->last_px.ticks}, NULL),
            ERR_OK);
    }
    if (r->status == REPORT_INSURED) {
        money_t amount = {((int128)r->last_px.ticks << 62) + r->last_qty.lots};
        assert_int_equal(ledger_insure(l, amount), ERR_OK);
    }
}

static void our_books_from_the_reports_equal_the_venues_to_the_last_unit(void **state) {
    (void)state;
    struct run *run = calloc(1, sizeof *run);
    struct order_request q[200];
    uint64_t liquidations = 0, takeovers = 0, fundings = 0, insured = 0, refused = 0;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int k = 0; k < 400; k++) {
        struct script s = {0};
        struct clearing_rules rules = rules_of();
        rules.funding_told = true;
        rules.fees = (struct ledger_fees){{-RATE_ONE / 30000}, {RATE_ONE / 1700}};
        rules.margin.clearance.e16 = RATE_ONE / (rnd(4) ? 80 : 3);
        rules.margin.isolated = rnd(3) == 0;
        rules.margin.initial.e16 = RATE_ONE / (1 + (int64_t)rnd(20));
        random_market(&s);
        play(run, &s, &rules, 5 + (int64_t)rnd(400), q, random_orders(q, 200));
        const struct margin_leg *leg = &run->c.account.leg[0];
        struct ledger ours;
        ledger_init(&ours, &rules.fees, (money_t){0});
        for (size_t i = 0; i < run->n; i++) {
            book(&ours, leg, &run->r[i]);
            assert_true(ledger_check(&ours));
        }
        assert_memory_equal(&ours, &leg->ledger, sizeof ours);
        if (ours.position == 0) assert_true(margin_balance(&run->c.account, 0) >= 0);
        liquidations += run->c.counters.liquidations;
        takeovers += run->c.counters.takeovers;
        fundings += run->c.counters.fundings;
        insured += run->c.counters.insured;
        refused += run->c.counters.margin_refused;
    }
    printf("%llu liquidations, %llu takeovers, %llu insured, %llu settlements, %llu refused\n",
        (unsigned long long)liquidations, (unsigned long long)takeovers,
        (unsigned long long)insured, (unsigned long long)fundings, (unsigned long long)refused);
    assert_true(liquidations > 50 && takeovers > 5 && fundings > 200 && refused > 100);
    free(run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_beyond_the_margin_is_refused_and_open_orders_count),
        cmocka_unit_test(funding_is_on_the_position_of_the_instant_however_late_it_is_told),
        cmocka_unit_test(a_rate_that_is_only_predicted_is_never_booked),
        cmocka_unit_test(a_settlement_without_a_mark_takes_the_market_and_is_counted),
        cmocka_unit_test(liquidation_cancels_then_sells_through_the_book_with_its_fee),
        cmocka_unit_test(a_large_position_goes_down_the_ladder_step_by_step),
        cmocka_unit_test(what_the_book_does_not_take_is_taken_over_at_the_bankruptcy_price),
        cmocka_unit_test(what_is_owed_with_no_position_left_is_paid_by_the_venue),
        cmocka_unit_test(an_account_without_margin_rules_is_never_liquidated),
        cmocka_unit_test(a_loss_of_one_instrument_liquidates_the_other_of_its_pool),
        cmocka_unit_test(our_books_from_the_reports_equal_the_venues_to_the_last_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
