#include "execute/sim/bar_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct instrument nearusdt = {.symbol = "NEARUSDT",
    .px_mant = 1,
    .px_exp = 4,
    .qty_mant = 1,
    .tick_units = 10,
    .lot_units = 1,
    .contract_e8 = 100000000};

static void bar(struct event ev[2], int64_t open, int64_t volume) {
    memset(ev, 0, 2 * sizeof *ev);
    ev[0].kind = EV_KLINE;
    ev[0].id = 60 * NS_PER_S;
    ev[0].qty.lots = volume;
    struct event_cont *c = (struct event_cont *)(void *)&ev[1];
    c->w[KLINE_OPEN_PX] = open;
}

static struct order_request market(int64_t id, uint8_t side) {
    return (struct order_request){
        .id = id, .kind = REQUEST_NEW, .type = ORDER_MARKET, .side = side, .qty = {5}};
}

static void a_market_order_fills_at_the_next_open_worse_by_slippage_and_rounding(void **state) {
    (void)state;
    struct bar_sim b;
    bar_sim_init(&b, &nearusdt, 100); /* 1 bp */
    struct order_port port = bar_sim_port(&b);
    struct order_request buy = market(1, SIDE_BUY), sell = market(2, SIDE_SELL);
    assert_true(port.send(port.ctx, &buy) && port.send(port.ctx, &sell));
    struct event k[2], out[2 * BAR_SIM_PENDING];
    bar(k, 13700, 100);
    assert_int_equal(bar_sim_on_kline(&b, k, out), 2);
    struct report r;
    report_decode(out, &r);
    assert_int_equal(r.status, REPORT_FILL);
    assert_int_equal(r.last_px.ticks, 13710); /* 13701.37 up to the tick */
    assert_int_equal(r.filled.lots, 5);
    assert_int_equal(r.ts_local.ns, 60 * NS_PER_S);
    report_decode(out + 2, &r);
    assert_int_equal(r.last_px.ticks, 13690); /* 13698.63 down to the tick */
    assert_int_equal(bar_sim_on_kline(&b, k, out), 0);
}

static void a_bar_without_volume_fills_nothing_and_the_order_waits(void **state) {
    (void)state;
    struct bar_sim b;
    bar_sim_init(&b, &nearusdt, 0);
    struct order_port port = bar_sim_port(&b);
    struct order_request buy = market(1, SIDE_BUY);
    assert_true(port.send(port.ctx, &buy));
    struct event k[2], out[2 * BAR_SIM_PENDING];
    bar(k, 13700, 0);
    assert_int_equal(bar_sim_on_kline(&b, k, out), 0);
    assert_int_equal(b.waited, 1);
    bar(k, 13800, 1);
    assert_int_equal(bar_sim_on_kline(&b, k, out), 1);
    struct report r;
    report_decode(out, &r);
    assert_int_equal(r.last_px.ticks, 13800);
}

static void limit_orders_and_cancels_are_refused_and_a_full_queue_says_so(void **state) {
    (void)state;
    struct bar_sim b;
    bar_sim_init(&b, &nearusdt, 0);
    struct order_port port = bar_sim_port(&b);
    struct order_request limit = market(1, SIDE_BUY), cancel = market(2, SIDE_BUY);
    limit.type = ORDER_LIMIT;
    cancel.kind = REQUEST_CANCEL;
    assert_true(port.send(port.ctx, &limit) && port.send(port.ctx, &cancel));
    for (int i = 2; i < BAR_SIM_PENDING; i++) {
        struct order_request m = market(i + 1, SIDE_SELL);
        assert_true(port.send(port.ctx, &m));
    }
    struct order_request over = market(1000, SIDE_BUY);
    assert_false(port.send(port.ctx, &over));
    struct event k[2], out[2 * BAR_SIM_PENDING];
    bar(k, 13700, 1);
    assert_int_equal(bar_sim_on_kline(&b, k, out), BAR_SIM_PENDING);
    struct report r;
    report_decode(out, &r);
    assert_int_equal(r.status, REPORT_REJECTED);
    report_decode(out + 2, &r);
    assert_int_equal(r.status, REPORT_CANCEL_REJECTED);
    assert_int_equal(b.rejects, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_market_order_fills_at_the_next_open_worse_by_slippage_and_rounding),
        cmocka_unit_test(a_bar_without_volume_fills_nothing_and_the_order_waits),
        cmocka_unit_test(limit_orders_and_cancels_are_refused_and_a_full_queue_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
