#include "execute/sim/sim_anchor_partial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "execute/sim/sim_testing.h"

enum { GOT_MAX = 64 };
struct got {
    struct report r[GOT_MAX];
    size_t n;
    enum world_result end;
    struct world_fault fault;
    uint64_t executions;
};

/* The book of the known small cases: bids 100 x 5, 99 x 5; asks 101 x 5, 102 x 5, 103 x 5. */
static struct script market(void) {
    static const struct script_level book[] = {{EVF_BUY, 100, 5}, {EVF_BUY, 99, 5},
        {EVF_SELL, 101, 5}, {EVF_SELL, 102, 5}, {EVF_SELL, 103, 5}};
    struct script s = {0};
    script_message(&s, 1000, EVF_SNAPSHOT, book, 5);
    return s;
}

static struct order_request buy(int64_t px, int64_t qty, int tif) {
    return (struct order_request){.id = 1,
        .px = {px},
        .qty = {qty},
        .ts_sent = {11 * NS_PER_MS},
        .kind = REQUEST_NEW,
        .side = SIDE_BUY,
        .type = px == 0 ? ORDER_MARKET : ORDER_LIMIT,
        .tif = (uint8_t)tif};
}

static struct got play_with(
    const struct script *s, struct anchor_partial p, const struct order_request *q, size_t n) {
    struct world_config cfg = {.rules = SIM_ANCHOR,
        .partial = p,
        .entry_new_ns = NS_PER_MS,
        .entry_cancel_ns = NS_PER_MS,
        .response_ns = NS_PER_MS};
    struct script_world *w = script_open(s, &cfg);
    struct order_port port = world_port(w->world, 0);
    for (size_t i = 0; i < n; i++) assert_true(port.send(port.ctx, &q[i]));
    struct got g = {0};
    const struct event *ev;
    uint32_t seat;
    while ((g.end = world_next(w->world, &ev, &seat)) == WORLD_EVENT) {
        if (ev->kind != EV_ORDER_REPORT) continue;
        assert_true(g.n < GOT_MAX);
        report_decode(ev, &g.r[g.n++]);
    }
    g.fault = *world_fault(w->world);
    g.executions = world_counters(w->world)->fills;
    script_close(w);
    return g;
}

static struct got play(const struct script *s, const struct order_request *q, size_t n) {
    return play_with(s, ANCHOR_PARTIAL, q, n);
}

/* The position our side believes in. */
static int64_t position(const struct got *g) {
    int64_t sum = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (g->r[i].status == REPORT_FILL) sum += g->r[i].last_qty.lots;
    }
    return sum;
}

/* Our side's order after all reports: what is open of it. */
static int64_t open_lots(const struct got *g, const struct order_request *q) {
    struct order o;
    order_init(&o, q, (price_t){0});
    (void)order_step(&o, STEP_SUBMIT, q->ts_sent);
    for (size_t i = 0; i < g->n; i++) {
        struct event ev[2];
        if (g->r[i].order_id != q->id) continue;
        report_encode(&g->r[i], ev);
        assert_true(order_report(&o, ev).legal);
    }
    return order_live(o.status) ? order_leaves(&o).lots : 0;
}

static int64_t filled_at(const struct got *g, int64_t px) {
    int64_t sum = 0;
    for (size_t i = 0; i < g->n; i++) {
        bool there = g->r[i].status == REPORT_FILL && g->r[i].last_px.ticks == px;
        if (there) sum += g->r[i].last_qty.lots;
    }
    return sum;
}

static void our_position_counts_only_the_fill_that_completes_the_order(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q = buy(100, 3, TIF_GTC);
    script_print(&s, 20000, EVF_SELL, 100, 6);
    struct got g = play(&s, &q, 1);
    assert_int_equal(position(&g), 0);
    assert_int_equal(open_lots(&g, &q), 2);
    script_print(&s, 21000, EVF_SELL, 100, 1);
    g = play(&s, &q, 1);
    assert_int_equal(position(&g), 0);
    script_print(&s, 22000, EVF_SELL, 100, 9);
    g = play(&s, &q, 1);
    assert_int_equal(position(&g), 1);
    assert_int_equal(g.executions, 3);
    assert_int_equal(open_lots(&g, &q), 0);
    assert_int_equal(g.end, WORLD_END);
    struct anchor_partial p = ANCHOR_PARTIAL;
    p.filled_only = false;
    g = play_with(&s, p, &q, 1);
    assert_int_equal(position(&g), 3);
}

static void the_next_hit_of_an_exactly_filled_order_ends_the_run(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q = buy(100, 2, TIF_GTC);
    script_print(&s, 20000, EVF_SELL, 100, 7);
    script_print(&s, 21000, EVF_SELL, 100, 3);
    struct got g = play(&s, &q, 1);
    assert_int_equal(position(&g), 2);
    assert_int_equal(g.end, WORLD_ORDER_STATUS);
    assert_int_equal(g.fault.order_id, 1);
    assert_int_equal(g.fault.venue_ns, 21 * NS_PER_MS);
    struct anchor_partial p = ANCHOR_PARTIAL;
    p.ghosts = false;
    g = play_with(&s, p, &q, 1);
    assert_int_equal(g.end, WORLD_END);
    assert_int_equal(position(&g), 2);
}

static void a_quote_that_crosses_a_ghost_ends_the_run_and_a_cancel_lays_it(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[2] = {buy(100, 2, TIF_GTC), buy(100, 2, TIF_GTC)};
    script_print(&s, 20000, EVF_SELL, 100, 7);
    script_level(&s, 30000, EVF_SELL, 100, 1);
    struct got g = play(&s, q, 1);
    assert_int_equal(g.end, WORLD_ORDER_STATUS);
    assert_int_equal(g.fault.venue_ns, 30 * NS_PER_MS);
    q[1].kind = REQUEST_CANCEL;
    q[1].ts_sent.ns = 25 * NS_PER_MS;
    g = play(&s, q, 2);
    assert_int_equal(g.end, WORLD_END);
}

static void a_sweep_answers_with_its_last_level_only(void **state) {
    (void)state;
    struct script s = market();
    const struct order_request all[] = {
        buy(103, 12, TIF_IOC), buy(103, 12, TIF_FOK), buy(103, 12, TIF_GTC), buy(0, 12, TIF_IOC)};
    for (size_t i = 0; i < 4; i++) {
        struct got g = play(&s, &all[i], 1);
        assert_int_equal(g.executions, 3);
        assert_int_equal(position(&g), 2);
        assert_int_equal(filled_at(&g, 103), 2);
        assert_int_equal(open_lots(&g, &all[i]), 0);
        struct anchor_partial p = ANCHOR_PARTIAL;
        p.one_response = p.filled_only = false;
        g = play_with(&s, p, &all[i], 1);
        assert_int_equal(position(&g), 12);
        assert_int_equal(filled_at(&g, 101), 5);
        assert_int_equal(filled_at(&g, 102), 5);
    }
}

static void an_ioc_with_a_rest_shows_no_position_though_it_took(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q = buy(102, 30, TIF_IOC);
    struct got g = play(&s, &q, 1);
    assert_int_equal(g.executions, 2);
    assert_int_equal(position(&g), 0);
    assert_int_equal(g.r[g.n - 1].status, REPORT_EXPIRED);
    assert_int_equal(g.r[g.n - 1].qty.lots, 20); /* it took 10 */
    struct anchor_partial p = ANCHOR_PARTIAL;
    p.one_response = p.filled_only = false;
    g = play_with(&s, p, &q, 1);
    assert_int_equal(position(&g), 10);
    q = buy(102, 11, TIF_FOK);
    g = play(&s, &q, 1);
    assert_int_equal(g.executions, 0);
    assert_int_equal(g.r[0].status, REPORT_EXPIRED);
}

static void a_gtc_remainder_fills_at_the_limit(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q = buy(102, 30, TIF_GTC);
    struct anchor_partial p = ANCHOR_PARTIAL;
    p.one_response = p.filled_only = false;
    struct got g = play_with(&s, p, &q, 1);
    assert_int_equal(filled_at(&g, 101), 5);
    assert_int_equal(filled_at(&g, 102), 25);
    p.gtc_at_limit = false;
    g = play_with(&s, p, &q, 1);
    assert_int_equal(filled_at(&g, 101), 5);
    assert_int_equal(filled_at(&g, 102), 5);
    assert_int_equal(open_lots(&g, &q), 20);
    q = buy(99, 30, TIF_GTC);
    q.side = SIDE_SELL; /* takes the level at its limit, then the remainder there */
    g = play(&s, &q, 1);
    assert_int_equal(position(&g), 20);
    assert_int_equal(g.executions, 3);
}

static void two_orders_at_a_price_both_see_the_whole_print(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[2] = {buy(100, 1, TIF_GTC), buy(100, 1, TIF_GTC)};
    q[1].id = 2;
    script_print(&s, 20000, EVF_SELL, 100, 6);
    struct got g = play(&s, q, 2);
    assert_int_equal(position(&g), 2);
}

static void a_print_through_the_price_fills_whole(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q = buy(100, 3, TIF_GTX);
    script_print(&s, 20000, EVF_SELL, 99, 1);
    script_print(&s, 21000, EVF_SELL, 99, 1); /* through: no ghost is left */
    struct got g = play(&s, &q, 1);
    assert_int_equal(position(&g), 3);
    assert_int_equal(g.end, WORLD_END);
}

static void a_market_order_looks_a_hundred_ticks_far(void **state) {
    (void)state;
    struct script s = market();
    script_level(&s, 2000, EVF_SELL, 200, 7); /* 101 + 99 ticks: the last it sees */
    script_level(&s, 3000, EVF_SELL, 201, 7);
    struct order_request q = buy(0, 40, TIF_IOC);
    struct anchor_partial p = ANCHOR_PARTIAL;
    p.one_response = p.filled_only = false;
    struct got g = play_with(&s, p, &q, 1);
    assert_int_equal(position(&g), 22);
    p.market_ticks = 0;
    g = play_with(&s, p, &q, 1);
    assert_int_equal(position(&g), 29);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_position_counts_only_the_fill_that_completes_the_order),
        cmocka_unit_test(the_next_hit_of_an_exactly_filled_order_ends_the_run),
        cmocka_unit_test(a_quote_that_crosses_a_ghost_ends_the_run_and_a_cancel_lays_it),
        cmocka_unit_test(a_sweep_answers_with_its_last_level_only),
        cmocka_unit_test(an_ioc_with_a_rest_shows_no_position_though_it_took),
        cmocka_unit_test(a_gtc_remainder_fills_at_the_limit),
        cmocka_unit_test(two_orders_at_a_price_both_see_the_whole_print),
        cmocka_unit_test(a_print_through_the_price_fills_whole),
        cmocka_unit_test(a_market_order_looks_a_hundred_ticks_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
