#include "execute/risk/risk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static uint64_t seed = 99;
static uint64_t rnd(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static const struct instrument inst = {.px_mant = 1,
    .px_exp = 1,
    .qty_mant = 1,
    .qty_exp = 3,
    .tick_units = 1,
    .lot_units = 2,
    .min_qty_units = 4,
    .min_notional_e8 = (int64_t)5 * 100000000,
    .contract_e8 = 100000000};

struct fixture {
    struct risk risk;
    struct risk_config cfg;
    struct ledger ledger;
    struct blotter blotter;
    struct risk_view view;
    int64_t next;
};

static void setup(struct fixture *f) {
    risk_init(&f->risk);
    f->cfg = (struct risk_config){.order_max = 1000,
        .position_max = 2000,
        .notional_max_e12 = (int128)50000 * MONEY_ONE,
        .daily_loss_e12 = (int128)100 * MONEY_ONE,
        .collar_e4 = 100 * 10000, /* 1 % */
        .stale_ns = NS_PER_S,
        .rate_10s = 20,
        .rate_60s = 50,
        .cancel_reserve = 2,
        .open_max = 10};
    ledger_init(&f->ledger, &(struct ledger_fees){{0}, {0}}, (money_t){0});
    blotter_init(&f->blotter, 1);
    f->next = 1;
    f->view = (struct risk_view){.now = {100 * NS_PER_S},
        .inst = &inst,
        .ledger = &f->ledger,
        .blotter = &f->blotter,
        .book_ok = true,
        .book_ts = {100 * NS_PER_S},
        .mid2 = {1200000}}; /* 60,000.0 */
}

static struct order_request buy(int64_t qty) {
    return (struct order_request){
        .px = {600000}, .qty = {qty}, .kind = REQUEST_NEW, .side = SIDE_BUY};
}

static enum risk_reason ask(struct fixture *f, struct order_request q) {
    return risk_check(&f->risk, &f->cfg, &f->view, &q);
}

static void send(struct fixture *f, struct order_request q) {
    q.id = f->next++;
    assert_non_null(blotter_add(&f->blotter, &q, f->view.mid2));
}

static void position(struct fixture *f, int side, int64_t qty) {
    assert_int_equal(
        ledger_fill(&f->ledger, &inst, side, (price_t){600000}, (qty_t){qty}, true, NULL, NULL),
        ERR_OK);
}

static void a_good_order_passes_and_each_bad_one_has_its_reason(void **state) {
    (void)state;
    static struct fixture f;
    setup(&f);
    assert_int_equal(ask(&f, buy(10)), RISK_OK);
    assert_int_equal(ask(&f, buy(0)), RISK_BAD_ORDER);
    assert_int_equal(ask(&f, buy(-4)), RISK_BAD_ORDER);
    assert_int_equal(ask(&f, buy(11)), RISK_BAD_ORDER); /* lot 2 */
    assert_int_equal(ask(&f, buy(2)), RISK_BAD_ORDER);  /* least 4 */
    assert_int_equal(ask(&f, buy(1002)), RISK_SIZE);
    assert_int_equal(ask(&f, buy(1000)), RISK_NOTIONAL); /* 60,000 */
    struct order_request q = buy(10);
    q.px.ticks = 606000;
    assert_int_equal(ask(&f, q), RISK_OK); /* exactly 1 % */
    q.px.ticks = 606001;
    assert_int_equal(ask(&f, q), RISK_COLLAR);
    q.px.ticks = 593999;
    assert_int_equal(ask(&f, q), RISK_COLLAR);
    q.px.ticks = -1;
    assert_int_equal(ask(&f, q), RISK_BAD_ORDER);
    assert_int_equal(f.risk.refused[RISK_BAD_ORDER], 5);
    assert_int_equal(f.risk.refused[RISK_COLLAR], 2);
    assert_int_equal(f.risk.passed, 2);
}

static void wrong_units_are_blocked(void **state) {
    (void)state;
    static struct fixture f;
    setup(&f);
    struct order_request q = buy(10);
    q.px.ticks = 60000000; /* x 100 */
    assert_int_equal(ask(&f, q), RISK_COLLAR);
    assert_int_equal(ask(&f, buy(600000)), RISK_SIZE); /* notional as quantity */
}

static void one_wild_quote_does_not_open_the_collar(void **state) {
    (void)state;
    static struct fixture f;
    setup(&f);
    for (int i = 0; i < 5; i++) risk_observe(&f.risk, (price_t){1200000 + i});
    risk_observe(&f.risk, (price_t){12000000}); /* ten times the price */
    struct order_request q = buy(10);
    assert_int_equal(ask(&f, q), RISK_OK);
    f.view.mid2.ticks = 12000000; /* the book shows it right now */
    q.px.ticks = 6000000;
    assert_int_equal(ask(&f, q), RISK_COLLAR);
    q.type = ORDER_MARKET;
    assert_int_equal(ask(&f, q), RISK_COLLAR);
}

static void reduce_only_never_opens(void **state) {
    (void)state;
    static struct fixture f;
    setup(&f);
    struct order_request q = buy(10);
    q.reduce_only = 1;
    assert_int_equal(ask(&f, q), RISK_POSITION);
    position(&f, SIDE_SELL, 10);
    assert_int_equal(ask(&f, q), RISK_OK);
    q.qty.lots = 12;
    assert_int_equal(ask(&f, q), RISK_POSITION);
}

static void a_stale_or_lost_book_refuses_orders_but_not_cancels(void **state) {
    (void)state;
    static struct fixture f;
    setup(&f);
    f.view.now.ns += NS_PER_S + 1;
    assert_int_equal(ask(&f, buy(10)), RISK_STALE);
    f.view.book_ok = false;
    assert_int_equal(ask(&f, buy(10)), RISK_BOOK_STATE);
    struct order_request q = {.kind = REQUEST_CANCEL};
    assert_int_equal(ask(&f, q), RISK_OK);
}

static void worst_case_position_counts_live_and_unknown_orders(void **state) {
    (void)state;
    static struct fixture f;
    setup(&f);
    position(&f, SIDE_BUY, 800);
    send(&f, buy(600));
    assert_int_equal(ask(&f, buy(600)), RISK_OK);
    assert_int_equal(ask(&f, buy(602)), RISK_POSITION);
    assert_int_equal(blotter_expire(&f.blotter, f.view.now, 1), 1); /* no answer: UNKNOWN */
    assert_int_equal(ask(&f, buy(602)), RISK_POSITION);
    assert_int_equal(risk_worst(&f.ledger, &f.blotter, SIDE_BUY), 1400);
    assert_int_equal(risk_worst(&f.ledger, &f.blotter, SIDE_SELL), 800);
}

static void a_reduction_passes_every_stop_and_a_reversal_does_not(void **state) {
    (void)state;
    static struct fixture f;
    setup(&f);
    position(&f, SIDE_BUY, 800);
    money_t start = {(int128)1000 * MONEY_ONE}, low = {(int128)900 * MONEY_ONE};
    risk_equity(&f.risk, &f.cfg, f.view.now, start);
    risk_equity(&f.risk, &f.cfg, f.view.now, low);
    struct order_request sell = buy(800);
    sell.side = SIDE_SELL;
    assert_int_equal(ask(&f, buy(10)), RISK_DAILY_LOSS);
    assert_int_equal(ask(&f, sell), RISK_OK);
    sell.qty.lots = 802;
    assert_int_equal(ask(&f, sell), RISK_DAILY_LOSS);
    risk_equity(&f.risk, &f.cfg, f.view.now, start); /* latched, recovery does not lift it */
    assert_int_equal(ask(&f, buy(10)), RISK_DAILY_LOSS);
    f.view.now.ns += (int64_t)86400 * NS_PER_S;
    f.view.book_ts = f.view.now;
    risk_equity(&f.risk, &f.cfg, f.view.now, start);
    assert_int_equal(ask(&f, buy(10)), RISK_OK);
    risk_halt(&f.risk, true);
    assert_int_equal(ask(&f, buy(10)), RISK_HALTED);
    sell.qty.lots = 100;
    assert_int_equal(ask(&f, sell), RISK_OK);
}

static void a_flood_is_cut_at_the_rate_and_cancels_keep_their_reserve(void **state) {
    (void)state;
    static struct fixture f;
    setup(&f);
    int passed = 0;
    for (int i = 0; i < 1000000; i++) passed += ask(&f, buy(10)) == RISK_OK;
    assert_int_equal(passed, 18); /* 20 less the reserve of 2 */
    struct order_request q = {.kind = REQUEST_CANCEL};
    assert_int_equal(ask(&f, q), RISK_OK);
    assert_int_equal(ask(&f, q), RISK_OK);
    assert_int_equal(ask(&f, q), RISK_RATE);
    f.view.now.ns += 10 * NS_PER_S;
    f.view.book_ts = f.view.now;
    assert_int_equal(ask(&f, buy(10)), RISK_OK);
}

static void a_reserve_larger_than_the_rate_does_not_refuse_everything(void **state) {
    (void)state;
    static struct fixture f;
    setup(&f);
    f.cfg.cancel_reserve = 1000000;
    int passed = 0;
    for (int i = 0; i < 100; i++) passed += ask(&f, buy(10)) == RISK_OK;
    assert_int_equal(passed, 10); /* half of the 20 */
}

static void any_window_of_10_and_60_seconds_holds_no_more_than_its_rate(void **state) {
    (void)state;
    static struct fixture f;
    static int64_t sent[20000];
    setup(&f);
    printf("seed %llu\n", (unsigned long long)seed);
    size_t n = 0;
    for (int i = 0; i < 20000; i++) {
        f.view.now.ns += (int64_t)rnd(900) * NS_PER_MS;
        f.view.book_ts = f.view.now;
        if (ask(&f, buy(10)) == RISK_OK) sent[n++] = f.view.now.ns;
    }
    assert_true(n > 1000);
    for (size_t i = 0; i < n; i++) { /* naive: count the window that ends at i */
        size_t in10 = 0, in60 = 0;
        for (size_t k = i + 1; k-- > 0 && sent[i] - sent[k] < 60 * NS_PER_S;) {
            in60++;
            in10 += sent[i] - sent[k] < 10 * NS_PER_S;
        }
        assert_true(in10 <= f.cfg.rate_10s - f.cfg.cancel_reserve);
        assert_true(in60 <= f.cfg.rate_60s - f.cfg.cancel_reserve);
    }
}

static void a_stop_and_a_target_may_both_close_a_position(void **state) {
    (void)state;
    static struct fixture f;
    setup(&f);
    position(&f, SIDE_BUY, 500);
    risk_halt(&f.risk, true);
    struct order_request q = buy(500);
    q.side = SIDE_SELL;
    q.reduce_only = 1;
    send(&f, q);
    assert_int_equal(ask(&f, q), RISK_OK); /* the venue lets only one of them through */
    q.qty.lots = 502;
    assert_int_equal(ask(&f, q), RISK_HALTED);
    q.reduce_only = 0;
    q.qty.lots = 500;
    assert_int_equal(ask(&f, q), RISK_HALTED);
    q.reduce_only = 1;
    f.cfg.position_max = 499; /* the worst case stays within the limit in any event */
    assert_int_equal(ask(&f, q), RISK_POSITION);
}

static void whatever_fills_the_position_stays_within_its_limit(void **state) {
    (void)state;
    static struct fixture f;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int run = 0; run < 300; run++) {
        setup(&f);
        f.cfg.rate_10s = f.cfg.rate_60s = 0;
        f.cfg.open_max = 200;
        for (int i = 0; i < 200; i++) {
            struct order_request q = buy(4 + 2 * (int64_t)rnd(300));
            q.side = (uint8_t)rnd(2);
            if (ask(&f, q) == RISK_OK) send(&f, q);
            if (rnd(2) && f.blotter.live_count > 0) { /* a random order fills, whole or in part */
                const struct order *o = &f.blotter.live[rnd(f.blotter.live_count)];
                int64_t part = 1 + (int64_t)rnd((uint64_t)order_leaves(o).lots);
                struct report r = {.order_id = o->id,
                    .status = REPORT_FILL,
                    .last_px = o->px,
                    .last_qty = {part},
                    .filled = {o->filled.lots + part}};
                struct event ev[2];
                int side = o->side;
                report_encode(&r, ev);
                assert_int_equal(blotter_report(&f.blotter, ev, NULL).fill.lots, part);
                position(&f, side, part);
            }
            assert_in_range(risk_worst(&f.ledger, &f.blotter, SIDE_BUY) + 100000, 0, 102000);
            assert_in_range(-risk_worst(&f.ledger, &f.blotter, SIDE_SELL) + 100000, 0, 102000);
        }
    }
}

static void open_orders_have_a_limit(void **state) {
    (void)state;
    static struct fixture f;
    setup(&f);
    for (int i = 0; i < 10; i++) send(&f, buy(4));
    assert_int_equal(ask(&f, buy(4)), RISK_OPEN_ORDERS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_order_passes_and_each_bad_one_has_its_reason),
        cmocka_unit_test(wrong_units_are_blocked),
        cmocka_unit_test(one_wild_quote_does_not_open_the_collar),
        cmocka_unit_test(reduce_only_never_opens),
        cmocka_unit_test(a_stale_or_lost_book_refuses_orders_but_not_cancels),
        cmocka_unit_test(worst_case_position_counts_live_and_unknown_orders),
        cmocka_unit_test(a_reduction_passes_every_stop_and_a_reversal_does_not),
        cmocka_unit_test(a_flood_is_cut_at_the_rate_and_cancels_keep_their_reserve),
        cmocka_unit_test(a_reserve_larger_than_the_rate_does_not_refuse_everything),
        cmocka_unit_test(any_window_of_10_and_60_seconds_holds_no_more_than_its_rate),
        cmocka_unit_test(a_stop_and_a_target_may_both_close_a_position),
        cmocka_unit_test(whatever_fills_the_position_stays_within_its_limit),
        cmocka_unit_test(open_orders_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
