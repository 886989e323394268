/* Orders that wait, end by time, come in pairs, or may only reduce: one sentence a rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "execute/sim/sim_testing.h"

static const struct world_config slow = {
    .entry_new_ns = NS_PER_MS, .entry_cancel_ns = NS_PER_MS, .response_ns = NS_PER_MS};

#define MARK(px) ((px)*AUX_ONE)

static struct order_request order(
    int64_t id, int64_t ms, int side, int64_t px, int64_t qty, int tif) {
    return (struct order_request){.id = id,
        .px = {px},
        .qty = {qty},
        .ts_sent = {ms * NS_PER_MS},
        .kind = REQUEST_NEW,
        .side = (uint8_t)side,
        .type = px == 0 ? ORDER_MARKET : ORDER_LIMIT,
        .tif = (uint8_t)tif};
}

static struct order_request stop(int64_t id, int64_t ms, int side, int64_t at, int64_t qty) {
    struct order_request q = order(id, ms, side, 0, qty, TIF_GTC);
    q.trigger = TRIGGER_STOP;
    q.trigger_px.ticks = at;
    q.trigger_by = TRIGGER_BY_LAST;
    return q;
}

static struct order_request about(struct order_request q, int kind, int64_t ms) {
    q.kind = (uint8_t)kind;
    q.ts_sent.ns = ms * NS_PER_MS;
    return q;
}

static struct script_got play(const struct script *s, const struct order_request *q, size_t n) {
    return script_play(s, &slow, q, NULL, n);
}

/* A print at 100 makes a last price before anything is sent at 11 ms. */
static struct script market(void) {
    struct script s = script_market();
    script_print(&s, 5000, EVF_SELL, 100, 1);
    return s;
}

static int64_t at_ms(const struct script_got *g, int64_t id, uint8_t status) {
    for (size_t i = 0; i < g->n; i++) {
        if (g->r[i].order_id == id && g->r[i].status == status) {
            return g->r[i].ts_venue.ns / NS_PER_MS;
        }
    }
    return -1;
}

static void a_stop_waits_until_a_print_reaches_its_price_and_takes_the_then_book(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q = stop(1, 11, SIDE_BUY, 102, 7);
    script_print(&s, 20000, EVF_BUY, 101, 1);
    script_level(&s, 21000, EVF_SELL, 101, 2);
    script_print(&s, 22000, EVF_BUY, 103, 1);
    struct script_got g = play(&s, &q, 1);
    assert_int_equal(script_told(&g, 1, REPORT_TRIGGERED, WHY_NONE), 1);
    assert_int_equal(at_ms(&g, 1, REPORT_TRIGGERED), 22);
    assert_int_equal(script_filled(&g, 1), 7); /* 2 at 101, as that level showed by then */
    for (size_t i = 0; i < g.n; i++) {
        if (g.r[i].status == REPORT_FILL && g.r[i].last_px.ticks == 101) {
            assert_int_equal(g.r[i].last_qty.lots, 2);
        }
    }
    assert_int_equal(g.position, 7);
}

static void a_stop_triggers_once_however_often_its_price_is_printed(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q = stop(1, 11, SIDE_SELL, 99, 1);
    for (int i = 0; i < 5; i++) script_print(&s, 20000 + i * 1000, EVF_SELL, 98, 1);
    struct script_got g = play(&s, &q, 1);
    assert_int_equal(script_told(&g, 1, REPORT_TRIGGERED, WHY_NONE), 1);
    assert_int_equal(script_filled(&g, 1), 1);
    assert_int_equal(g.waiting, 0);
}

static void a_take_profit_triggers_on_the_other_side_of_the_price(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[2] = {stop(1, 11, SIDE_SELL, 102, 1), stop(2, 11, SIDE_BUY, 98, 1)};
    q[0].trigger = q[1].trigger = TRIGGER_TAKE;
    script_print(&s, 20000, EVF_BUY, 102, 1);
    script_print(&s, 21000, EVF_SELL, 98, 1);
    struct script_got g = play(&s, q, 2);
    assert_int_equal(at_ms(&g, 1, REPORT_TRIGGERED), 20);
    assert_int_equal(at_ms(&g, 2, REPORT_TRIGGERED), 21);
}

static void a_stop_limit_rests_at_its_limit_when_the_book_has_gone_beyond(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q = stop(1, 11, SIDE_BUY, 102, 3);
    q.type = ORDER_LIMIT;
    q.px.ticks = 100;
    script_print(&s, 20000, EVF_BUY, 102, 1);
    struct script_got g = play(&s, &q, 1);
    assert_int_equal(script_told(&g, 1, REPORT_TRIGGERED, WHY_NONE), 1);
    assert_int_equal(script_filled(&g, 1), 0);
    assert_int_equal(g.resting, 1);
}

static void the_mark_and_the_last_price_each_trigger_only_their_own_orders(void **state) {
    (void)state;
    struct script s = market();
    script_mark(&s, 6000, MARK(100));
    struct order_request q[2] = {stop(1, 11, SIDE_SELL, 98, 1), stop(2, 11, SIDE_SELL, 98, 1)};
    q[1].trigger_by = TRIGGER_BY_MARK;
    script_mark(&s, 20000, MARK(98) + 1);
    script_print(&s, 21000, EVF_SELL, 98, 1);
    script_mark(&s, 22000, MARK(98));
    struct script_got g = play(&s, q, 2);
    assert_int_equal(at_ms(&g, 1, REPORT_TRIGGERED), 21);
    assert_int_equal(at_ms(&g, 2, REPORT_TRIGGERED), 22); /* not a ten-billionth earlier */
}

static void a_trigger_that_is_there_already_or_cannot_be_judged_is_rejected(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[4] = {stop(1, 11, SIDE_BUY, 100, 1), stop(2, 11, SIDE_BUY, 105, 1),
        stop(3, 11, SIDE_BUY, 0, 1), stop(4, 11, SIDE_BUY, 105, 1)};
    q[1].trigger_by = TRIGGER_BY_MARK; /* no mark was ever seen */
    q[3].trigger = TRIGGER_TRAIL;      /* without a callback */
    struct script_got g = play(&s, q, 4);
    assert_int_equal(script_told(&g, 1, REPORT_REJECTED, WHY_WOULD_TRIGGER), 1);
    assert_int_equal(script_told(&g, 2, REPORT_REJECTED, WHY_NO_REFERENCE), 1);
    assert_int_equal(script_told(&g, 3, REPORT_REJECTED, WHY_TRIGGER), 1);
    assert_int_equal(script_told(&g, 4, REPORT_REJECTED, WHY_TRIGGER), 1);
}

static void a_trailing_stop_follows_the_best_price_and_fires_at_the_callback(void **state) {
    (void)state;
    static const int64_t px[] = {104, 103, 108, 110, 108, 107, 120};
    struct script s = market();
    struct order_request q = stop(1, 11, SIDE_SELL, 105, 1); /* active from 105 on */
    q.trigger = TRIGGER_TRAIL;
    q.callback_e4 = 200 * 10000; /* 2 %: of 110 to 107.8, so 107 */
    for (int i = 0; i < 7; i++) script_print(&s, 20000 + i * 1000, EVF_BUY, px[i], 1);
    struct script_got g = play(&s, &q, 1);
    assert_int_equal(at_ms(&g, 1, REPORT_TRIGGERED), 25);
    assert_int_equal(script_told(&g, 1, REPORT_TRIGGERED, WHY_NONE), 1);
}

static void a_waiting_order_is_found_by_a_query_and_gone_after_its_cancel(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[4] = {stop(1, 11, SIDE_BUY, 102, 1)};
    q[1] = about(q[0], REQUEST_QUERY, 12);
    q[2] = about(q[0], REQUEST_CANCEL, 13);
    q[3] = about(q[0], REQUEST_CANCEL, 14);
    script_print(&s, 20000, EVF_BUY, 102, 1);
    struct script_got g = play(&s, q, 4);
    assert_int_equal(script_told(&g, 1, REPORT_ACK, WHY_NONE), 2);
    assert_int_equal(script_told(&g, 1, REPORT_CANCELED, WHY_NONE), 1);
    assert_int_equal(script_told(&g, 1, REPORT_CANCEL_REJECTED, WHY_UNKNOWN_ORDER), 1);
    assert_int_equal(script_told(&g, 1, REPORT_TRIGGERED, WHY_NONE), 0);
}

static void a_trigger_in_a_gap_meets_the_first_book_that_is_known_again(void **state) {
    (void)state;
    static const struct script_level back[] = {{EVF_BUY, 104, 5}, {EVF_SELL, 106, 5}};
    struct script s = market();
    struct order_request q = stop(1, 11, SIDE_BUY, 102, 1);
    script_level(&s, 18000, EVF_BUY, 105, 1); /* crossed: the book is lost */
    script_print(&s, 20000, EVF_BUY, 102, 1);
    script_message(&s, 30000, EVF_SNAPSHOT, back, 2);
    struct script_got g = play(&s, &q, 1);
    assert_int_equal(at_ms(&g, 1, REPORT_TRIGGERED), 30);
    assert_int_equal(g.r[g.n - 1].last_px.ticks, 106);
}

static void waiting_orders_have_a_limit(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[SIM_TRIGGERS_MAX + 1];
    for (int i = 0; i <= SIM_TRIGGERS_MAX; i++) q[i] = stop(i + 1, 11, SIDE_BUY, 102, 1);
    struct script_got g = play(&s, q, SIM_TRIGGERS_MAX + 1);
    assert_int_equal(script_told(&g, SIM_TRIGGERS_MAX, REPORT_ACK, WHY_NONE), 1);
    assert_int_equal(script_told(&g, SIM_TRIGGERS_MAX + 1, REPORT_REJECTED, WHY_LIMIT), 1);
    struct instrument bybit = script_inst;
    bybit.venue = VENUE_BYBIT;
    struct world_config cfg = slow;
    cfg.inst = &bybit;
    cfg.venue.no_limits = true;
    g = script_play(&s, &cfg, q, NULL, 11);
    assert_int_equal(script_told(&g, 10, REPORT_ACK, WHY_NONE), 1);
    assert_int_equal(script_told(&g, 11, REPORT_REJECTED, WHY_MAX_ORDERS), 1);
}

/* ---- time ---- */

static void a_gtd_order_expires_at_its_venue_time_between_events(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[2] = {
        order(1, 11, SIDE_BUY, 100, 3, TIF_GTD), order(2, 11, SIDE_BUY, 100, 3, TIF_GTD)};
    q[0].expire_ns = 25 * NS_PER_MS + 7;
    q[1].expire_ns = 12 * NS_PER_MS; /* the instant at which it arrives */
    script_print(&s, 25000, EVF_SELL, 100, 6);
    script_print(&s, 90000, EVF_SELL, 100, 20);
    struct script_got g = play(&s, q, 2);
    assert_int_equal(script_told(&g, 2, REPORT_REJECTED, WHY_GTD), 1);
    assert_int_equal(script_filled(&g, 1), 1); /* what the print of 25 ms left for it */
    assert_int_equal(script_told(&g, 1, REPORT_EXPIRED, WHY_GTD), 1);
    assert_int_equal(g.r[g.n - 1].ts_venue.ns, 25 * NS_PER_MS + 7);
    assert_int_equal(g.r[g.n - 1].ts_local.ns, 26 * NS_PER_MS + 7);
}

static void an_expiry_comes_before_the_data_of_its_nanosecond(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q = order(1, 11, SIDE_BUY, 100, 3, TIF_GTD);
    q.expire_ns = 25 * NS_PER_MS;
    script_print(&s, 25000, EVF_SELL, 100, 20);
    script_print(&s, 30000, EVF_SELL, 100, 1);
    struct script_got g = play(&s, &q, 1);
    assert_int_equal(script_filled(&g, 1), 0);
    assert_int_equal(script_told(&g, 1, REPORT_EXPIRED, WHY_GTD), 1);
}

/* ---- pairs ---- */

static void the_first_fill_of_a_pair_cancels_the_other_even_if_it_is_partial(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[2] = {
        order(1, 11, SIDE_BUY, 100, 3, TIF_GTC), stop(2, 11, SIDE_BUY, 103, 3)};
    q[1].oco = 1;
    script_print(&s, 20000, EVF_SELL, 100, 6); /* one lot for order 1 */
    script_print(&s, 30000, EVF_BUY, 103, 1);
    struct script_got g = play(&s, q, 2);
    assert_int_equal(script_filled(&g, 1), 1);
    assert_int_equal(script_told(&g, 2, REPORT_CANCELED, WHY_OCO), 1);
    assert_int_equal(at_ms(&g, 2, REPORT_CANCELED), 20);
    assert_int_equal(script_told(&g, 2, REPORT_TRIGGERED, WHY_NONE), 0);
    assert_int_equal(g.resting, 1); /* the rest of order 1 stays */
}

static void a_trigger_of_a_pair_cancels_the_resting_one_before_it_trades(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[2] = {
        order(1, 11, SIDE_BUY, 100, 3, TIF_GTC), stop(2, 11, SIDE_BUY, 103, 3)};
    q[1].oco = 1;
    script_print(&s, 30000, EVF_BUY, 103, 1);
    script_print(&s, 40000, EVF_SELL, 99, 50);
    struct script_got g = play(&s, q, 2);
    assert_int_equal(script_told(&g, 1, REPORT_CANCELED, WHY_OCO), 1);
    assert_int_equal(script_filled(&g, 1), 0);
    assert_int_equal(script_filled(&g, 2), 3);
    assert_int_equal(g.position, 3);
}

static void one_print_never_fills_both_of_a_pair(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[2] = {
        order(1, 11, SIDE_BUY, 100, 2, TIF_GTC), order(2, 11, SIDE_BUY, 99, 2, TIF_GTC)};
    q[1].oco = 1;
    script_print(&s, 20000, EVF_SELL, 98, 50);
    struct script_got g = play(&s, q, 2);
    assert_int_equal(script_filled(&g, 1), 2);
    assert_int_equal(script_filled(&g, 2), 0);
    assert_int_equal(script_told(&g, 2, REPORT_CANCELED, WHY_OCO), 1);
    assert_int_equal(g.resting, 0);
}

static void a_pair_needs_its_other_order_and_only_one(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[4] = {order(1, 11, SIDE_BUY, 100, 2, TIF_GTC),
        order(2, 11, SIDE_BUY, 99, 2, TIF_GTC), order(3, 11, SIDE_BUY, 99, 2, TIF_GTC),
        order(4, 11, SIDE_BUY, 99, 2, TIF_GTC)};
    q[1].oco = 77;
    q[2].oco = 1;
    q[3].oco = 1;
    struct script_got g = play(&s, q, 4);
    assert_int_equal(script_told(&g, 2, REPORT_REJECTED, WHY_OCO), 1);
    assert_int_equal(script_told(&g, 3, REPORT_ACK, WHY_NONE), 1);
    assert_int_equal(script_told(&g, 4, REPORT_REJECTED, WHY_OCO), 1);
}

/* ---- reduce-only ---- */

static struct order_request reducing(int64_t id, int64_t ms, int side, int64_t px, int64_t qty) {
    struct order_request q = order(id, ms, side, px, qty, TIF_GTC);
    q.reduce_only = 1;
    return q;
}

static struct script_got play_at(
    const struct script *s, uint8_t venue, const struct order_request *q, size_t n) {
    struct instrument in = script_inst;
    in.venue = venue;
    struct world_config cfg = slow;
    cfg.inst = &in;
    cfg.venue.no_limits = true;
    return script_play(s, &cfg, q, NULL, n);
}

static void a_reduce_only_order_without_a_position_is_rejected(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[3] = {reducing(1, 11, SIDE_SELL, 105, 1),
        order(2, 12, SIDE_BUY, 0, 2, TIF_GTC), reducing(3, 13, SIDE_BUY, 100, 1)};
    struct script_got g = play(&s, q, 3);
    assert_int_equal(script_told(&g, 1, REPORT_REJECTED, WHY_REDUCE_ONLY), 1);
    assert_int_equal(script_told(&g, 3, REPORT_REJECTED, WHY_REDUCE_ONLY), 1); /* it would add */
}

static void more_than_the_position_is_rejected_or_cut_as_the_venue_does(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[2] = {
        order(1, 11, SIDE_BUY, 0, 2, TIF_GTC), reducing(2, 13, SIDE_SELL, 105, 5)};
    struct script_got binance = play_at(&s, VENUE_BINANCE_USDM, q, 2);
    assert_int_equal(script_told(&binance, 2, REPORT_REJECTED, WHY_REDUCE_ONLY), 1);
    struct script_got bybit = play_at(&s, VENUE_BYBIT, q, 2);
    assert_int_equal(script_told(&bybit, 2, REPORT_ACK, WHY_NONE), 1);
    assert_int_equal(script_told(&bybit, 2, REPORT_MODIFIED, WHY_REDUCE_ONLY), 1);
    assert_int_equal(bybit.r[bybit.n - 1].qty.lots, 2);
}

static void resting_reduce_only_orders_are_cut_from_the_last_as_the_position_shrinks(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[4] = {order(1, 11, SIDE_BUY, 0, 5, TIF_GTC),
        reducing(2, 13, SIDE_SELL, 105, 2), reducing(3, 13, SIDE_SELL, 106, 3),
        order(4, 14, SIDE_SELL, 0, 4, TIF_GTC)};
    struct script_got g = play(&s, q, 4);
    assert_int_equal(g.position, 1);
    assert_int_equal(script_told(&g, 2, REPORT_MODIFIED, WHY_REDUCE_ONLY), 1);
    assert_int_equal(script_told(&g, 3, REPORT_EXPIRED, WHY_REDUCE_ONLY), 1);
    assert_int_equal(g.resting, 1);
}

static void a_print_that_reaches_both_never_takes_reduce_only_beyond_flat(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[3] = {order(1, 11, SIDE_BUY, 0, 5, TIF_GTC),
        order(2, 13, SIDE_SELL, 105, 3, TIF_GTC), reducing(3, 13, SIDE_SELL, 106, 5)};
    script_print(&s, 20000, EVF_BUY, 110, 50);
    struct script_got g = play(&s, q, 3);
    assert_int_equal(script_filled(&g, 2), 3);
    assert_int_equal(script_filled(&g, 3), 2);
    assert_int_equal(g.position, 0);
    assert_int_equal(g.resting, 0);
}

static void a_bracket_closes_a_position_once(void **state) {
    (void)state;
    for (int up = 0; up < 2; up++) {
        struct script s = market();
        struct order_request q[3] = {order(1, 11, SIDE_BUY, 0, 5, TIF_GTC),
            reducing(2, 13, SIDE_SELL, 110, 5), stop(3, 13, SIDE_SELL, 95, 5)};
        q[2].reduce_only = 1;
        q[2].oco = 2;
        script_print(&s, 20000, up ? EVF_BUY : EVF_SELL, up ? 111 : 95, 50);
        script_print(&s, 30000, up ? EVF_SELL : EVF_BUY, up ? 95 : 111, 50);
        struct script_got g = play(&s, q, 3);
        assert_int_equal(g.position, 0);
        assert_int_equal(script_told(&g, up ? 3 : 2, REPORT_CANCELED, WHY_OCO), 1);
        assert_int_equal(script_filled(&g, up ? 2 : 3), 5);
        assert_int_equal(g.resting + g.waiting, 0);
    }
}

static void a_stop_that_finds_nothing_to_reduce_expires_when_it_fires(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q = stop(1, 11, SIDE_SELL, 99, 5);
    q.reduce_only = 1;
    script_print(&s, 20000, EVF_SELL, 98, 1);
    struct script_got g = play(&s, &q, 1);
    assert_int_equal(script_told(&g, 1, REPORT_TRIGGERED, WHY_NONE), 1);
    assert_int_equal(script_told(&g, 1, REPORT_EXPIRED, WHY_REDUCE_ONLY), 1);
    assert_int_equal(g.position, 0);
}

static void bars_know_reduce_only_and_refuse_what_needs_a_book(void **state) {
    (void)state;
    struct script s = {0};
    const int64_t minute = 60000000; /* us */
    for (int64_t k = 0; k < 4; k++) {
        struct event *ev =
            script_add(&s, (k + 1) * minute, EV_KLINE, EVF_FIRST | EVF_LAST | EVF_CLOSED, 1000, 10);
        ev->id = k * minute * 1000;
        ev->ts_local = ev->ts_venue;
        memset(&s.ev[s.n], 0, sizeof s.ev[0]);
        ((struct event_cont *)(void *)&s.ev[s.n++])->w[KLINE_OPEN_PX] = 1000;
    }
    struct world_config cfg = slow;
    cfg.bars = true;
    struct order_request q[4] = {order(1, 60000, SIDE_BUY, 0, 3, TIF_GTC),
        reducing(2, 120000, SIDE_SELL, 0, 5), reducing(3, 120000, SIDE_SELL, 0, 1),
        stop(4, 120000, SIDE_SELL, 900, 1)};
    struct script_got g = script_play(&s, &cfg, q, NULL, 4);
    assert_int_equal(script_filled(&g, 1), 3);
    assert_int_equal(script_filled(&g, 2), 3); /* cut at the open */
    assert_int_equal(script_told(&g, 2, REPORT_MODIFIED, WHY_REDUCE_ONLY), 1);
    assert_int_equal(script_told(&g, 3, REPORT_EXPIRED, WHY_REDUCE_ONLY), 1);
    assert_int_equal(script_told(&g, 4, REPORT_REJECTED, WHY_UNSUPPORTED), 1);
    assert_int_equal(g.position, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_waits_until_a_print_reaches_its_price_and_takes_the_then_book),
        cmocka_unit_test(a_stop_triggers_once_however_often_its_price_is_printed),
        cmocka_unit_test(a_take_profit_triggers_on_the_other_side_of_the_price),
        cmocka_unit_test(a_stop_limit_rests_at_its_limit_when_the_book_has_gone_beyond),
        cmocka_unit_test(the_mark_and_the_last_price_each_trigger_only_their_own_orders),
        cmocka_unit_test(a_trigger_that_is_there_already_or_cannot_be_judged_is_rejected),
        cmocka_unit_test(a_trailing_stop_follows_the_best_price_and_fires_at_the_callback),
        cmocka_unit_test(a_waiting_order_is_found_by_a_query_and_gone_after_its_cancel),
        cmocka_unit_test(a_trigger_in_a_gap_meets_the_first_book_that_is_known_again),
        cmocka_unit_test(waiting_orders_have_a_limit),
        cmocka_unit_test(a_gtd_order_expires_at_its_venue_time_between_events),
        cmocka_unit_test(an_expiry_comes_before_the_data_of_its_nanosecond),
        cmocka_unit_test(the_first_fill_of_a_pair_cancels_the_other_even_if_it_is_partial),
        cmocka_unit_test(a_trigger_of_a_pair_cancels_the_resting_one_before_it_trades),
        cmocka_unit_test(one_print_never_fills_both_of_a_pair),
        cmocka_unit_test(a_pair_needs_its_other_order_and_only_one),
        cmocka_unit_test(a_reduce_only_order_without_a_position_is_rejected),
        cmocka_unit_test(more_than_the_position_is_rejected_or_cut_as_the_venue_does),
        cmocka_unit_test(resting_reduce_only_orders_are_cut_from_the_last_as_the_position_shrinks),
        cmocka_unit_test(a_print_that_reaches_both_never_takes_reduce_only_beyond_flat),
        cmocka_unit_test(a_bracket_closes_a_position_once),
        cmocka_unit_test(a_stop_that_finds_nothing_to_reduce_expires_when_it_fires),
        cmocka_unit_test(bars_know_reduce_only_and_refuse_what_needs_a_book),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
