#include "execute/sim/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "execute/sim/sim_testing.h"

enum { GOT_MAX = 64 };
struct got {
    struct report r[GOT_MAX];
    size_t n;
};

/* The book of the known small cases: bids 100 x 5, 99 x 5; asks 101 x 5, 102 x 5, 103 x 5. */
static struct script market(void) {
    static const struct script_level book[] = {{EVF_BUY, 100, 5}, {EVF_BUY, 99, 5},
        {EVF_SELL, 101, 5}, {EVF_SELL, 102, 5}, {EVF_SELL, 103, 5}};
    struct script s = {0};
    script_message(&s, 1000, EVF_SNAPSHOT, book, 5);
    return s;
}

static struct order_request order(
    int64_t id, int side, int64_t px, int64_t qty, int type, int tif) {
    return (struct order_request){.id = id,
        .px = {px},
        .qty = {qty},
        .ts_sent = {11 * NS_PER_MS},
        .kind = REQUEST_NEW,
        .side = (uint8_t)side,
        .type = (uint8_t)type,
        .tif = (uint8_t)tif};
}

static const struct world_config slow = {
    .entry_new_ns = NS_PER_MS, .entry_cancel_ns = NS_PER_MS, .response_ns = NS_PER_MS};

/* Runs the script with the requests; all reports in order. */
static struct got play(
    const struct script *s, uint8_t rules, const struct order_request *q, size_t n) {
    struct world_config cfg = slow;
    cfg.rules = rules;
    struct script_world *w = script_open(s, &cfg);
    struct order_port port = world_port(w->world, 0);
    for (size_t i = 0; i < n; i++) assert_true(port.send(port.ctx, &q[i]));
    struct got g = {0};
    const struct event *ev;
    uint32_t seat;
    int64_t now = 0;
    enum world_result end;
    while ((end = world_next(w->world, &ev, &seat)) == WORLD_EVENT) {
        assert_true(ev->ts_local.ns >= now);
        now = ev->ts_local.ns;
        if (ev->kind != EV_ORDER_REPORT) continue;
        assert_true(g.n < GOT_MAX);
        report_decode(ev, &g.r[g.n++]);
    }
    assert_int_equal(end, WORLD_END);
    script_close(w);
    return g;
}

static int64_t filled(const struct got *g, int64_t id) {
    int64_t sum = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (g->r[i].status == REPORT_FILL && g->r[i].order_id == id) sum += g->r[i].last_qty.lots;
    }
    return sum;
}

static int64_t filled_at(const struct got *g, int64_t px) {
    int64_t sum = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (g->r[i].status == REPORT_FILL && g->r[i].last_px.ticks == px) {
            sum += g->r[i].last_qty.lots;
        }
    }
    return sum;
}

static bool saw(const struct got *g, uint8_t status, uint8_t why) {
    for (size_t i = 0; i < g->n; i++) {
        if (g->r[i].status == status && g->r[i].why == why) return true;
    }
    return false;
}

static struct order_request buy(int64_t px, int64_t qty, int tif) {
    return order(1, SIDE_BUY, px, qty, ORDER_LIMIT, tif);
}

/* ---- the known small cases ---- */

static void partial_fills_of_three_prints_add_up(void **state) {
    (void)state;
    struct script s = market();
    script_print(&s, 20000, EVF_SELL, 100, 6);
    script_print(&s, 21000, EVF_SELL, 100, 1);
    script_print(&s, 22000, EVF_SELL, 100, 9);
    struct order_request q = buy(100, 3, TIF_GTC);
    struct got g = play(&s, SIM_STRICT, &q, 1);
    assert_int_equal(g.n, 4); /* acknowledged, then one each */
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(g.r[i].last_qty.lots, 1);
        assert_int_equal(g.r[i].filled.lots, i);
        assert_true(g.r[i].maker);
    }
    assert_int_equal(g.r[1].queue_placed, 5);
    assert_int_equal(g.r[1].queue_before, 5);
    assert_int_equal(g.r[2].queue_before, 0);
    assert_int_equal(g.r[1].ts_venue.ns, 20 * NS_PER_MS);
    assert_int_equal(g.r[1].ts_local.ns, 21 * NS_PER_MS);
}

static void a_fill_that_equals_the_leaves_ends_the_order_and_not_the_run(void **state) {
    (void)state;
    struct script s = market();
    script_print(&s, 20000, EVF_SELL, 100, 7);
    script_print(&s, 21000, EVF_SELL, 100, 3);
    struct order_request q = buy(100, 2, TIF_GTC);
    struct got g = play(&s, SIM_STRICT, &q, 1);
    assert_int_equal(filled(&g, 1), 2);
    assert_int_equal(g.n, 2);
}

static void twelve_lots_walk_three_levels_whatever_the_time_in_force(void **state) {
    (void)state;
    const struct order_request q[] = {buy(103, 12, TIF_IOC), buy(103, 12, TIF_FOK),
        buy(103, 12, TIF_GTC), order(1, SIDE_BUY, 0, 12, ORDER_MARKET, TIF_IOC)};
    struct script s = market();
    for (size_t i = 0; i < 4; i++) {
        struct got g = play(&s, SIM_STRICT, &q[i], 1);
        assert_int_equal(filled(&g, 1), 12);
        assert_int_equal(filled_at(&g, 101), 5);
        assert_int_equal(filled_at(&g, 102), 5);
        assert_int_equal(filled_at(&g, 103), 2);
    }
}

static void an_ioc_keeps_what_it_took_and_expires_the_rest(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q = buy(102, 30, TIF_IOC);
    struct got g = play(&s, SIM_STRICT, &q, 1);
    assert_int_equal(filled(&g, 1), 10);
    assert_true(saw(&g, REPORT_EXPIRED, WHY_NO_LIQUIDITY));
}

static void a_fok_that_cannot_fill_whole_takes_nothing(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q = buy(102, 11, TIF_FOK);
    struct got g = play(&s, SIM_STRICT, &q, 1);
    assert_int_equal(filled(&g, 1), 0);
    assert_true(saw(&g, REPORT_EXPIRED, WHY_NO_LIQUIDITY));
}

static void a_gtc_takes_what_is_there_and_rests_with_the_remainder(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q = buy(102, 30, TIF_GTC);
    struct got g = play(&s, SIM_STRICT, &q, 1);
    assert_int_equal(filled_at(&g, 101), 5);
    assert_int_equal(filled_at(&g, 102), 5);
    assert_false(saw(&g, REPORT_EXPIRED, WHY_NO_LIQUIDITY));
    script_print(&s, 20000, EVF_SELL, 102, 4); /* nobody is before the remainder */
    g = play(&s, SIM_STRICT, &q, 1);
    assert_int_equal(filled(&g, 1), 14);
    q = buy(103, 30, TIF_GTC);
    s = market();
    g = play(&s, SIM_STRICT, &q, 1);
    assert_int_equal(filled(&g, 1), 15);
    g = play(&s, SIM_ANCHOR, &q, 1); /* the anchor fills everything at the best price */
    assert_int_equal(filled_at(&g, 101), 30);
}

static void two_orders_share_a_print_by_queue_order(void **state) {
    (void)state;
    struct script s = market();
    script_print(&s, 20000, EVF_SELL, 100, 6);
    struct order_request q[2] = {buy(100, 1, TIF_GTC), buy(100, 1, TIF_GTC)};
    q[1].id = 2;
    struct got g = play(&s, SIM_STRICT, q, 2);
    assert_int_equal(filled(&g, 1), 1);
    assert_int_equal(filled(&g, 2), 0);
    g = play(&s, SIM_ANCHOR, q, 2);
    assert_int_equal(filled(&g, 1) + filled(&g, 2), 2); /* the anchor shows both the whole print */
}

static void data_comes_before_an_order_of_the_same_nanosecond(void **state) {
    (void)state;
    for (uint8_t rules = SIM_STRICT; rules <= SIM_ANCHOR; rules++) {
        struct script s = market();
        script_level(&s, 12000, EVF_SELL, 101, 0);
        script_print(&s, 20000, EVF_BUY, 102, 1);
        struct order_request q = buy(101, 1, TIF_GTC);
        struct got g = play(&s, rules, &q, 1);
        assert_int_equal(filled(&g, 1), 0);
        assert_int_equal(g.n, 1);
        assert_int_equal(g.r[0].status, REPORT_ACK);
        assert_int_equal(g.r[0].ts_venue.ns, 12 * NS_PER_MS);
    }
}

static void a_print_through_the_price_fills_only_its_own_size(void **state) {
    (void)state;
    struct script s = market();
    script_print(&s, 20000, EVF_SELL, 99, 1);
    struct order_request q = buy(100, 3, TIF_GTX);
    struct got g = play(&s, SIM_STRICT, &q, 1);
    assert_int_equal(filled_at(&g, 100), 1);
    g = play(&s, SIM_ANCHOR, &q, 1);
    assert_int_equal(filled_at(&g, 100), 3);
}

static void less_quantity_at_the_same_price_keeps_the_place_in_the_queue(void **state) {
    (void)state;
    struct script s = market();
    script_print(&s, 12500, EVF_SELL, 100, 4); /* 4 of the 5 ahead */
    script_print(&s, 20000, EVF_SELL, 100, 2); /* 1 ahead, then 1 of ours */
    struct order_request q[2] = {buy(100, 3, TIF_GTC), buy(100, 2, TIF_GTC)};
    q[1].kind = REQUEST_MODIFY;
    q[1].ts_sent.ns = 13 * NS_PER_MS;
    struct got g = play(&s, SIM_STRICT, q, 2);
    assert_int_equal(filled(&g, 1), 1);
    assert_int_equal(g.r[g.n - 1].queue_before, 1);
    g = play(&s, SIM_ANCHOR, q, 2);
    assert_int_equal(filled(&g, 1), 2);
    script_print(&s, 21000, EVF_SELL, 100, 1); /* at the front now: the next lot is ours */
    g = play(&s, SIM_STRICT, q, 2);
    assert_int_equal(filled(&g, 1), 2);
    q[1].qty.lots = 4; /* more: to the end of the queue */
    g = play(&s, SIM_STRICT, q, 2);
    assert_int_equal(filled(&g, 1), 0);
}

static void a_market_order_against_an_empty_side_is_rejected(void **state) {
    (void)state;
    struct script s = market();
    static const struct script_level none[] = {
        {EVF_SELL, 101, 0}, {EVF_SELL, 102, 0}, {EVF_SELL, 103, 0}};
    script_message(&s, 5000, 0, none, 3);
    struct order_request q = order(1, SIDE_BUY, 0, 1, ORDER_MARKET, TIF_IOC);
    struct got g = play(&s, SIM_STRICT, &q, 1);
    assert_int_equal(g.n, 1);
    assert_true(saw(&g, REPORT_REJECTED, WHY_NO_LIQUIDITY));
    g = play(&s, SIM_ANCHOR, &q, 1);
    assert_int_equal(g.r[0].last_px.ticks, INT64_MAX); /* its empty-side sentinel */
}

/* ---- strict: liquidity is finite ---- */

static void a_crossing_quote_fills_up_to_its_size_once_until_it_refreshes(void **state) {
    (void)state;
    struct script s = market();
    script_level(&s, 20000, EVF_BUY, 100, 0);
    static const struct script_level down[] = {{EVF_BUY, 99, 5}, {EVF_SELL, 100, 2}};
    script_message(&s, 21000, 0, down, 2);
    script_level(&s, 22000, EVF_SELL, 105, 1); /* another level: nothing new at 100 */
    struct order_request q = buy(100, 6, TIF_GTC);
    struct got g = play(&s, SIM_STRICT, &q, 1);
    assert_int_equal(filled_at(&g, 100), 2);
    script_level(&s, 23000, EVF_SELL, 100, 2); /* named again: fresh */
    g = play(&s, SIM_STRICT, &q, 1);
    assert_int_equal(filled_at(&g, 100), 4);
    g = play(&s, SIM_ANCHOR, &q, 1);
    assert_int_equal(filled_at(&g, 100), 6); /* whole at once */
}

static void taken_liquidity_stays_taken_until_the_level_is_named_again(void **state) {
    (void)state;
    struct script s = market();
    struct order_request q[2] = {buy(101, 4, TIF_IOC), buy(101, 4, TIF_IOC)};
    q[1].id = 2;
    q[1].ts_sent.ns = 15 * NS_PER_MS;
    struct got g = play(&s, SIM_STRICT, q, 2);
    assert_int_equal(filled(&g, 1), 4);
    assert_int_equal(filled(&g, 2), 1);
    script_level(&s, 14000, EVF_SELL, 101, 5);
    g = play(&s, SIM_STRICT, q, 2);
    assert_int_equal(filled(&g, 2), 4);
}

static void a_post_only_order_that_would_take_expires(void **state) {
    (void)state;
    for (uint8_t rules = SIM_STRICT; rules <= SIM_ANCHOR; rules++) {
        struct script s = market();
        struct order_request q = buy(101, 1, TIF_GTX);
        struct got g = play(&s, rules, &q, 1);
        assert_int_equal(filled(&g, 1), 0);
        assert_true(saw(&g, REPORT_EXPIRED, WHY_POST_ONLY));
    }
}

static void no_order_is_taken_against_a_book_that_is_not_synced(void **state) {
    (void)state;
    struct script s = {0};
    script_level(&s, 1000, EVF_BUY, 100, 5); /* diffs without a snapshot */
    struct order_request q = buy(100, 1, TIF_GTC);
    struct got g = play(&s, SIM_STRICT, &q, 1);
    assert_true(saw(&g, REPORT_REJECTED, WHY_BOOK_GAP));
}

static void a_cancel_that_comes_too_late_is_rejected_after_the_fill(void **state) {
    (void)state;
    struct script s = market();
    script_print(&s, 13000, EVF_SELL, 99, 9);
    struct order_request q[2] = {buy(100, 1, TIF_GTC), buy(100, 1, TIF_GTC)};
    q[1].kind = REQUEST_CANCEL;
    q[1].ts_sent.ns = 12500 * NS_PER_US;
    struct got g = play(&s, SIM_STRICT, q, 2);
    assert_int_equal(g.n, 3);
    assert_int_equal(g.r[1].status, REPORT_FILL);
    assert_int_equal(g.r[2].status, REPORT_CANCEL_REJECTED);
}

static void a_query_tells_whether_an_order_stands(void **state) {
    (void)state;
    for (uint8_t rules = SIM_STRICT; rules <= SIM_ANCHOR; rules++) {
        struct script s = market();
        struct order_request q[3] = {
            buy(100, 1, TIF_GTC), buy(100, 1, TIF_GTC), buy(100, 1, TIF_GTC)};
        q[1].kind = q[2].kind = REQUEST_QUERY;
        q[2].id = 77; /* never sent */
        struct got g = play(&s, rules, q, 3);
        assert_int_equal(g.n, 3);
        assert_int_equal(g.r[1].status, REPORT_ACK);
        assert_int_equal(g.r[2].status, REPORT_NOT_FOUND);
    }
}

static void venue_rules_of_tick_lot_and_least_size_hold(void **state) {
    (void)state;
    struct instrument in = script_inst;
    in.tick_units = 5;
    in.lot_units = 2;
    in.min_qty_units = 4;
    in.min_notional_e8 = (int64_t)1000 * 100000000;
    const struct {
        int64_t px, qty;
        uint8_t why;
    } bad[] = {
        {99, 100, WHY_TICK}, {95, 3, WHY_LOT}, {95, 2, WHY_MIN_QTY}, {95, 4, WHY_MIN_NOTIONAL}};
    for (size_t i = 0; i < 4; i++) {
        struct script s = market();
        struct world_config cfg = slow;
        cfg.inst = &in;
        struct script_world *w = script_open(&s, &cfg);
        struct order_request q = buy(bad[i].px, bad[i].qty, TIF_GTC);
        struct order_port port = world_port(w->world, 0);
        assert_true(port.send(port.ctx, &q));
        const struct event *ev;
        uint32_t seat;
        while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
            if (ev->kind != EV_ORDER_REPORT) continue;
            struct report r;
            report_decode(ev, &r);
            assert_int_equal(r.status, REPORT_REJECTED);
            assert_int_equal(r.why, bad[i].why);
        }
        assert_int_equal(world_counters(w->world)->refused, 1);
        script_close(w);
    }
}

/* ---- the merge ---- */

static void the_exchange_sees_venue_order_and_the_engine_local_order(void **state) {
    (void)state;
    struct script s = market();
    script_level(&s, 9000, EVF_BUY, 100, 7);
    script_level(&s, 8000, EVF_BUY, 100, 6); /* made earlier at the venue, received later */
    s.ev[s.n - 1].id = s.ev[s.n - 2].id;     /* the earlier one has the lower number */
    s.ev[s.n - 2].id++;
    struct world_config cfg = slow;
    cfg.reorder_ns = 2 * NS_PER_MS;
    cfg.stop_late = true;
    struct script_world *w = script_open(&s, &cfg);
    const struct event *ev;
    uint32_t seat;
    size_t n = 0;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        assert_memory_equal(ev, &s.ev[n], sizeof *ev);
        n++;
    }
    assert_int_equal(n, s.n);
    assert_int_equal(book_qty_at(world_book(w->world), BOOK_BID, (price_t){100}).lots, 7);
    assert_int_equal(world_counters(w->world)->local_backward, 1);
    script_close(w);
}

static void an_event_beyond_the_reorder_window_is_counted_and_stops_a_strict_run(void **state) {
    (void)state;
    struct script s = market();
    script_level(&s, 9000, EVF_BUY, 98, 1);
    script_level(&s, 30000, EVF_BUY, 97, 1);
    script_level(&s, 40000, EVF_BUY, 95, 1);
    script_level(&s, 8000, EVF_BUY, 96, 1);
    for (int strict = 0; strict < 2; strict++) {
        struct world_config cfg = slow;
        cfg.reorder_ns = NS_PER_MS;
        cfg.stop_late = strict;
        struct script_world *w = script_open(&s, &cfg);
        const struct event *ev;
        uint32_t seat;
        enum world_result end;
        do end = world_next(w->world, &ev, &seat);
        while (end == WORLD_EVENT);
        assert_int_equal(end, strict ? WORLD_LATE : WORLD_END);
        assert_int_equal(world_counters(w->world)->late, 1);
        script_close(w);
    }
}

static void a_clock_offset_moves_the_venue_onto_our_axis_and_back(void **state) {
    (void)state;
    struct script s = market();
    for (size_t i = 0; i < s.n; i++)
        s.ev[i].ts_venue.ns += 1270 * NS_PER_MS; /* their clock ahead */
    struct world_config cfg = slow;
    cfg.clock_offset_ns = -1270 * NS_PER_MS;
    struct script_world *w = script_open(&s, &cfg);
    struct order_request q = buy(101, 1, TIF_IOC);
    struct order_port port = world_port(w->world, 0);
    assert_true(port.send(port.ctx, &q));
    const struct event *ev;
    uint32_t seat;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        if (ev->kind != EV_ORDER_REPORT) continue;
        assert_int_equal(ev->ts_venue.ns, 1282 * NS_PER_MS);
        assert_int_equal(ev->ts_local.ns, 13 * NS_PER_MS);
    }
    script_close(w);
}

static void timers_ring_after_everything_of_their_instant_and_end_with_the_data(void **state) {
    (void)state;
    struct script s = market();
    script_level(&s, 4500, EVF_BUY, 98, 1); /* local 5.0 ms */
    struct world_config cfg = slow;
    struct script_world *w = script_open(&s, &cfg);
    world_timer(w->world, 0, NS_PER_MS);
    const struct event *ev;
    uint32_t seat;
    int64_t last = 0, timers = 0;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        if (ev->kind == EV_TIMER) {
            timers++;
            assert_int_equal(seat, 0);
            assert_int_equal(ev->ts_local.ns % NS_PER_MS, 0);
        }
        last = ev->ts_local.ns;
    }
    assert_int_equal(last, 5 * NS_PER_MS); /* the data, not the timer of 5 ms */
    assert_int_equal(timers, 3);           /* 2, 3, 4 */
    script_close(w);
}

static void buses_never_let_a_message_overtake(void **state) {
    (void)state;
    struct script s = market();
    struct world_config cfg = slow;
    cfg.entry_cancel_ns = 0; /* faster than the order it cancels */
    struct script_world *w = script_open(&s, &cfg);
    struct order_request q[2] = {buy(99, 1, TIF_GTC), buy(99, 1, TIF_GTC)};
    q[1].kind = REQUEST_CANCEL;
    struct order_port port = world_port(w->world, 0);
    for (int i = 0; i < 2; i++) assert_true(port.send(port.ctx, &q[i]));
    const struct event *ev;
    uint32_t seat;
    uint8_t want[2] = {REPORT_ACK, REPORT_CANCELED};
    size_t n = 0;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        if (ev->kind != EV_ORDER_REPORT) continue;
        assert_int_equal(event_words(ev)[REPORT_STATUS], want[n++]);
        assert_int_equal(ev->ts_local.ns, 13 * NS_PER_MS);
    }
    assert_int_equal(n, 2);
    script_close(w);
}

/* ---- bars ---- */

static void a_market_order_on_bars_fills_at_the_next_open_worse_by_the_slip(void **state) {
    (void)state;
    struct script s = {0};
    const int64_t minute = 60000000; /* us */
    for (int64_t k = 0; k < 4; k++) {
        struct event *ev = script_add(&s, (k + 1) * minute, EV_KLINE,
            EVF_FIRST | EVF_LAST | EVF_CLOSED, 2000 + k, k == 1 ? 0 : 10);
        ev->id = k * minute * 1000;
        ev->ts_local = ev->ts_venue;
        struct event *cont = &s.ev[s.n++];
        memset(cont, 0, sizeof *cont);
        ((struct event_cont *)(void *)cont)->w[KLINE_OPEN_PX] = 1000 + k;
    }
    struct world_config cfg = slow;
    cfg.bars = true;
    cfg.bar_slip_e4 = 100 * 10000; /* 1 % */
    struct order_request q = order(1, SIDE_BUY, 0, 3, ORDER_MARKET, TIF_IOC);
    q.ts_sent.ns = minute * 1000; /* at the close of bar 0; bar 1 is a halt */
    struct order_request limit = buy(900, 1, TIF_GTC);
    limit.id = 2;
    limit.ts_sent = q.ts_sent;
    limit.trigger = TRIGGER_STOP; /* stop or target first? a bar cannot tell */
    limit.trigger_px.ticks = 950;
    struct script_world *w = script_open(&s, &cfg);
    struct order_port port = world_port(w->world, 0);
    assert_true(port.send(port.ctx, &q));
    assert_true(port.send(port.ctx, &limit));
    const struct event *ev;
    uint32_t seat;
    bool fill = false, refused = false;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        if (ev->kind != EV_ORDER_REPORT) continue;
        struct report r;
        report_decode(ev, &r);
        refused |= r.order_id == 2 && r.status == REPORT_REJECTED && r.why == WHY_UNSUPPORTED;
        if (r.status != REPORT_FILL) continue;
        fill = true;
        assert_int_equal(r.last_px.ticks, 1002 + 11); /* open of bar 2, 1 % rounded up */
        assert_int_equal(r.last_qty.lots, 3);
        assert_int_equal(r.ts_venue.ns, 2 * minute * 1000 + NS_PER_S);
    }
    assert_true(fill);
    assert_true(refused);
    script_close(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partial_fills_of_three_prints_add_up),
        cmocka_unit_test(a_fill_that_equals_the_leaves_ends_the_order_and_not_the_run),
        cmocka_unit_test(twelve_lots_walk_three_levels_whatever_the_time_in_force),
        cmocka_unit_test(an_ioc_keeps_what_it_took_and_expires_the_rest),
        cmocka_unit_test(a_fok_that_cannot_fill_whole_takes_nothing),
        cmocka_unit_test(a_gtc_takes_what_is_there_and_rests_with_the_remainder),
        cmocka_unit_test(two_orders_share_a_print_by_queue_order),
        cmocka_unit_test(data_comes_before_an_order_of_the_same_nanosecond),
        cmocka_unit_test(a_print_through_the_price_fills_only_its_own_size),
        cmocka_unit_test(less_quantity_at_the_same_price_keeps_the_place_in_the_queue),
        cmocka_unit_test(a_market_order_against_an_empty_side_is_rejected),
        cmocka_unit_test(a_crossing_quote_fills_up_to_its_size_once_until_it_refreshes),
        cmocka_unit_test(taken_liquidity_stays_taken_until_the_level_is_named_again),
        cmocka_unit_test(a_post_only_order_that_would_take_expires),
        cmocka_unit_test(no_order_is_taken_against_a_book_that_is_not_synced),
        cmocka_unit_test(a_cancel_that_comes_too_late_is_rejected_after_the_fill),
        cmocka_unit_test(a_query_tells_whether_an_order_stands),
        cmocka_unit_test(venue_rules_of_tick_lot_and_least_size_hold),
        cmocka_unit_test(the_exchange_sees_venue_order_and_the_engine_local_order),
        cmocka_unit_test(an_event_beyond_the_reorder_window_is_counted_and_stops_a_strict_run),
        cmocka_unit_test(a_clock_offset_moves_the_venue_onto_our_axis_and_back),
        cmocka_unit_test(timers_ring_after_everything_of_their_instant_and_end_with_the_data),
        cmocka_unit_test(buses_never_let_a_message_overtake),
        cmocka_unit_test(a_market_order_on_bars_fills_at_the_next_open_worse_by_the_slip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
