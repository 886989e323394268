/* What venues do with orders before and beside matching: amends, self-trades, filters, request
 * limits, outages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "execute/sim/clearing.h"
#include "execute/sim/sim_testing.h"

#define MARK(px) ((px)*AUX_ONE)

struct rig {
    struct instrument in;
    struct world_config cfg;
};

static void rig_at(struct rig *r, uint8_t venue) {
    memset(r, 0, sizeof *r);
    r->in = script_inst;
    r->in.venue = venue;
    r->cfg = (struct world_config){
        .entry_new_ns = NS_PER_MS, .entry_cancel_ns = NS_PER_MS, .response_ns = NS_PER_MS};
    r->cfg.inst = &r->in;
}

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

static struct order_request amend(struct order_request q, int64_t ms, int64_t px, int64_t qty) {
    q.kind = REQUEST_MODIFY;
    q.ts_sent.ns = ms * NS_PER_MS;
    q.px.ticks = px;
    q.qty.lots = qty;
    return q;
}

static struct order_request about(struct order_request q, int kind, int64_t ms) {
    q.kind = (uint8_t)kind;
    q.ts_sent.ns = ms * NS_PER_MS;
    return q;
}

/* ---- amends ---- */

/* Four of five lots ahead are printed, then the amend, then two more lots are printed. */
static int64_t filled_after_amend(uint8_t venue, int64_t px, int64_t qty, uint8_t rule) {
    struct rig r;
    struct script s = script_market();
    rig_at(&r, venue);
    r.cfg.venue.amend = rule;
    struct order_request q[2] = {order(1, 11, SIDE_BUY, 100, 3, TIF_GTC)};
    q[1] = amend(q[0], 20, px, qty);
    script_print(&s, 15000, EVF_SELL, 100, 4);
    script_print(&s, 30000, EVF_SELL, 100, 2);
    struct script_got g = script_play(&s, &r.cfg, q, NULL, 2);
    assert_int_equal(script_told(&g, 1, REPORT_MODIFIED, WHY_NONE), 1);
    return script_filled(&g, 1);
}

static void less_keeps_the_place_only_where_the_venue_says_so(void **state) {
    (void)state;
    static const struct {
        uint8_t venue;
        int64_t less, more;
    } want[] = {{VENUE_OTHER, 1, 0}, {VENUE_BINANCE_USDM, 0, 0}, {VENUE_OKX, 0, 0},
        {VENUE_BYBIT, 0, 0}, {VENUE_DERIBIT, 1, 0}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        assert_int_equal(filled_after_amend(want[i].venue, 100, 2, 0), want[i].less);
        assert_int_equal(filled_after_amend(want[i].venue, 100, 4, 0), want[i].more);
    }
    assert_int_equal(filled_after_amend(VENUE_BINANCE_USDM, 100, 2, AMEND_KEEP), 1);
    assert_int_equal(filled_after_amend(VENUE_DERIBIT, 100, 2, AMEND_LOSE), 0);
}

static void an_amend_to_a_total_that_is_filled_already_cancels(void **state) {
    (void)state;
    struct rig r;
    struct script s = script_market();
    rig_at(&r, VENUE_BINANCE_USDM);
    struct order_request q[2] = {order(1, 11, SIDE_BUY, 100, 3, TIF_GTC)};
    q[1] = amend(q[0], 20, 100, 2);
    script_print(&s, 15000, EVF_SELL, 100, 7);
    struct script_got g = script_play(&s, &r.cfg, q, NULL, 2);
    assert_int_equal(script_filled(&g, 1), 2);
    assert_int_equal(script_told(&g, 1, REPORT_CANCELED, WHY_NONE), 1);
}

static void an_amend_to_the_same_values_is_refused_at_two_venues(void **state) {
    (void)state;
    static const uint8_t venue[] = {VENUE_BINANCE_USDM, VENUE_BYBIT, VENUE_OKX, VENUE_DERIBIT};
    for (size_t i = 0; i < 4; i++) {
        struct rig r;
        struct script s = script_market();
        rig_at(&r, venue[i]);
        struct order_request q[2] = {order(1, 11, SIDE_BUY, 100, 3, TIF_GTC)};
        q[1] = amend(q[0], 20, 100, 3);
        script_print(&s, 30000, EVF_SELL, 101, 1);
        struct script_got g = script_play(&s, &r.cfg, q, NULL, 2);
        size_t refused = script_told(&g, 1, REPORT_MODIFY_REJECTED, WHY_NO_CHANGE);
        assert_int_equal(refused, i < 2);
        assert_int_equal(g.resting, 1);
    }
}

static void a_post_only_amend_that_would_take_ends_or_stays_by_venue(void **state) {
    (void)state;
    static const struct {
        uint8_t venue;
        bool ends;
    } want[] = {
        {VENUE_BINANCE_USDM, true}, {VENUE_OKX, false}, {VENUE_BYBIT, true}, {VENUE_DERIBIT, true}};
    for (size_t i = 0; i < 4; i++) {
        struct rig r;
        struct script s = script_market();
        rig_at(&r, want[i].venue);
        struct order_request q[2] = {order(1, 11, SIDE_BUY, 100, 3, TIF_GTX)};
        q[1] = amend(q[0], 20, 101, 3);
        script_print(&s, 30000, EVF_BUY, 101, 1);
        struct script_got g = script_play(&s, &r.cfg, q, NULL, 2);
        assert_int_equal(script_filled(&g, 1), 0);
        assert_int_equal(script_told(&g, 1, REPORT_EXPIRED, WHY_POST_ONLY), want[i].ends);
        assert_int_equal(script_told(&g, 1, REPORT_MODIFY_REJECTED, WHY_POST_ONLY), !want[i].ends);
        assert_int_equal(g.resting, !want[i].ends);
    }
}

static void a_post_only_order_that_would_take_is_rejected_or_expires_by_venue(void **state) {
    (void)state;
    static const struct {
        uint8_t venue, status;
    } want[] = {{VENUE_BINANCE_USDM, REPORT_REJECTED}, {VENUE_OKX, REPORT_EXPIRED},
        {VENUE_BYBIT, REPORT_EXPIRED}, {VENUE_DERIBIT, REPORT_REJECTED}};
    for (size_t i = 0; i < 4; i++) {
        struct rig r;
        struct script s = script_market();
        rig_at(&r, want[i].venue);
        struct order_request q = order(1, 11, SIDE_BUY, 101, 3, TIF_GTX);
        script_print(&s, 30000, EVF_BUY, 101, 1);
        struct script_got g = script_play(&s, &r.cfg, &q, NULL, 1);
        assert_int_equal(script_told(&g, 1, want[i].status, WHY_POST_ONLY), 1);
    }
}

/* ---- self-trades ---- */

/* An own ask of 2 at 101 behind the five displayed ones, then an own buy of 10 up to 102. */
static struct script_got self_trade(uint8_t venue, uint8_t stp, bool two_seats) {
    static const uint8_t account[2] = {0, 0}, seat_of[2] = {0, 1};
    struct rig r;
    struct script s = script_market();
    rig_at(&r, venue);
    if (two_seats) {
        r.cfg.seats = 2;
        r.cfg.account = account;
    }
    struct order_request q[2] = {
        order(1, 11, SIDE_SELL, 101, 2, TIF_GTC), order(2, 12, SIDE_BUY, 102, 10, TIF_GTC)};
    q[1].stp = stp;
    script_print(&s, 30000, EVF_BUY, 103, 1);
    return script_play(&s, &r.cfg, q, two_seats ? seat_of : NULL, 2);
}

static void own_orders_that_meet_end_by_the_mode_after_what_stands_before_them(void **state) {
    (void)state;
    for (int two = 0; two < 2; two++) {
        struct script_got none = self_trade(VENUE_OTHER, STP_NONE, two);
        assert_int_equal(script_filled(&none, 1), 2);
        assert_int_equal(script_filled(&none, 2), 10); /* 5 at 101, 2 of its own, 3 at 102 */
        assert_int_equal(none.position, 8);
        struct script_got taker = self_trade(VENUE_OTHER, STP_TAKER, two);
        assert_int_equal(script_filled(&taker, 2), 5);
        assert_int_equal(script_told(&taker, 2, REPORT_EXPIRED, WHY_SELF_TRADE), 1);
        assert_int_equal(script_told(&taker, 1, REPORT_EXPIRED, WHY_SELF_TRADE), 0);
        struct script_got maker = self_trade(VENUE_OTHER, STP_MAKER, two);
        assert_int_equal(script_filled(&maker, 2), 10); /* 5 at 101, 5 at 102 */
        assert_int_equal(script_told(&maker, 1, REPORT_EXPIRED, WHY_SELF_TRADE), 1);
        struct script_got both = self_trade(VENUE_OTHER, STP_BOTH, two);
        assert_int_equal(script_filled(&both, 2), 5);
        assert_int_equal(script_told(&both, 1, REPORT_EXPIRED, WHY_SELF_TRADE), 1);
        assert_int_equal(script_told(&both, 2, REPORT_EXPIRED, WHY_SELF_TRADE), 1);
    }
}

static void the_mode_of_an_order_that_names_none_is_the_venues(void **state) {
    (void)state;
    static const struct {
        uint8_t venue;
        bool trades;
    } want[] = {{VENUE_BINANCE_USDM, false}, {VENUE_OKX, false}, {VENUE_BYBIT, true},
        {VENUE_DERIBIT, true}};
    for (size_t i = 0; i < 4; i++) {
        struct script_got g = self_trade(want[i].venue, STP_VENUE, false);
        assert_int_equal(script_filled(&g, 1), want[i].trades ? 2 : 0);
        assert_int_equal(g.counters.self_trades, 1);
    }
}

static void a_post_only_order_never_takes_an_own_one(void **state) {
    (void)state;
    struct rig r;
    struct script s = script_market();
    rig_at(&r, VENUE_OTHER);
    static const struct script_level wide[] = {{EVF_SELL, 101, 0}};
    script_message(&s, 2000, 0, wide, 1);
    struct order_request q[2] = {
        order(1, 11, SIDE_SELL, 101, 2, TIF_GTC), order(2, 12, SIDE_BUY, 101, 1, TIF_GTX)};
    script_print(&s, 30000, EVF_SELL, 99, 1);
    struct script_got g = script_play(&s, &r.cfg, q, NULL, 2);
    assert_int_equal(script_told(&g, 2, REPORT_EXPIRED, WHY_POST_ONLY), 1);
    assert_int_equal(g.resting, 1);
}

/* ---- filters ---- */

static void every_filter_has_its_own_word(void **state) {
    (void)state;
    struct rig r;
    struct script s = script_market();
    rig_at(&r, VENUE_OTHER);
    r.in.tick_units = 5;
    r.in.lot_units = 2;
    r.in.min_qty_units = 4;
    r.in.min_notional_e8 = (int64_t)500 * 100000000;
    r.cfg.venue.qty_max = 100;
    r.cfg.venue.orders_max = 1;
    r.cfg.venue.band_e8 = 15000000; /* 15 %: 85 .. 115 */
    script_mark(&s, 5000, MARK(100));
    struct order_request q[10] = {order(1, 11, SIDE_BUY, 101, 6, TIF_GTC),
        order(2, 11, SIDE_BUY, 100, 7, TIF_GTC), order(3, 11, SIDE_BUY, 100, 2, TIF_GTC),
        order(4, 11, SIDE_BUY, 80, 4, TIF_GTC), order(5, 11, SIDE_BUY, 100, 102, TIF_GTC),
        order(6, 11, SIDE_BUY, 120, 8, TIF_GTC), order(7, 11, SIDE_SELL, 80, 8, TIF_GTC),
        order(8, 11, SIDE_BUY, 100, 8, TIF_GTC), order(9, 11, SIDE_BUY, 95, 8, TIF_GTC),
        order(8, 11, SIDE_BUY, 100, 8, TIF_GTC)};
    static const uint8_t why[10] = {WHY_TICK, WHY_LOT, WHY_MIN_QTY, WHY_MIN_NOTIONAL, WHY_MAX_QTY,
        WHY_PRICE_BAND, WHY_PRICE_BAND, WHY_NONE, WHY_MAX_ORDERS, WHY_DUPLICATE_ID};
    script_print(&s, 30000, EVF_BUY, 103, 1);
    struct script_got g = script_play(&s, &r.cfg, q, NULL, 10);
    for (int i = 0; i < 10; i++) {
        if (why[i] == WHY_NONE) continue;
        assert_int_equal(script_told(&g, q[i].id, REPORT_REJECTED, why[i]), 1);
        assert_true(report_why_name(why[i])[0] != 0);
    }
    assert_int_equal(g.resting, 1);
}

static void a_waiting_order_meets_the_band_when_it_fires(void **state) {
    (void)state;
    for (int there = 0; there < 2; there++) {
        struct rig r;
        struct script s = script_market();
        rig_at(&r, VENUE_OTHER);
        r.cfg.venue.band_e8 = 15000000;
        script_mark(&s, 5000, MARK(100));
        script_print(&s, 6000, EVF_SELL, 100, 1);
        struct order_request q = order(1, 11, SIDE_BUY, 121, 1, TIF_GTC); /* 21 % above */
        q.trigger = TRIGGER_STOP;
        q.trigger_by = TRIGGER_BY_LAST;
        q.trigger_px.ticks = 120;
        if (there) script_mark(&s, 19000, MARK(119));
        script_print(&s, 20000, EVF_BUY, 120, 1);
        struct script_got g = script_play(&s, &r.cfg, &q, NULL, 1);
        assert_int_equal(script_told(&g, 1, REPORT_ACK, WHY_NONE), 1);
        assert_int_equal(script_told(&g, 1, REPORT_TRIGGERED, WHY_NONE), 1);
        assert_int_equal(script_told(&g, 1, REPORT_EXPIRED, WHY_PRICE_BAND), !there);
        assert_int_equal(script_filled(&g, 1), there);
    }
}

static void a_market_order_below_the_least_value_is_rejected_at_the_mark(void **state) {
    (void)state;
    struct rig r;
    struct script s = script_market();
    rig_at(&r, VENUE_OTHER);
    r.in.min_notional_e8 = (int64_t)250 * 100000000;
    script_mark(&s, 5000, MARK(100));
    struct order_request q[2] = {
        order(1, 11, SIDE_BUY, 0, 2, TIF_GTC), order(2, 11, SIDE_BUY, 0, 3, TIF_GTC)};
    script_print(&s, 20000, EVF_BUY, 120, 1);
    struct script_got g = script_play(&s, &r.cfg, q, NULL, 2);
    assert_int_equal(script_told(&g, 1, REPORT_REJECTED, WHY_MIN_NOTIONAL), 1);
    assert_int_equal(script_filled(&g, 2), 3);
}

static void a_market_order_stops_at_its_bound_from_the_mark(void **state) {
    (void)state;
    struct rig r;
    struct script s = script_market();
    rig_at(&r, VENUE_OTHER);
    r.cfg.venue.market_bound_e8 = 2000000; /* 2 %: up to 102 */
    script_mark(&s, 5000, MARK(100));
    struct order_request q = order(1, 11, SIDE_BUY, 0, 12, TIF_GTC);
    script_print(&s, 30000, EVF_BUY, 103, 1);
    struct script_got g = script_play(&s, &r.cfg, &q, NULL, 1);
    assert_int_equal(script_filled(&g, 1), 10);
    assert_int_equal(script_told(&g, 1, REPORT_EXPIRED, WHY_PRICE_BAND), 1);
}

/* ---- request limits ---- */

/* n orders that each expire at once (IOC far from the market), step_us apart. */
static struct script_got burst(uint8_t venue, int n, int64_t step_us, bool off) {
    enum { MOST = 120 };
    struct order_request q[MOST];
    struct rig r;
    struct script s = script_market();
    assert_true(n <= MOST);
    rig_at(&r, venue);
    r.cfg.venue.no_limits = off;
    for (int i = 0; i < n; i++) {
        q[i] = order(i + 1, 0, SIDE_BUY, 50, 1, TIF_IOC);
        q[i].ts_sent.ns = 11 * NS_PER_MS + i * step_us * 1000;
    }
    script_print(&s, 60000000, EVF_BUY, 103, 1);
    return script_play(&s, &r.cfg, q, NULL, (size_t)n);
}

static void each_venue_counts_requests_in_its_own_way(void **state) {
    (void)state;
    struct script_got g = burst(VENUE_BYBIT, 12, 1000, false); /* 10 in any second */
    assert_int_equal(script_told(&g, 10, REPORT_ACK, WHY_NONE), 1);
    assert_int_equal(script_told(&g, 11, REPORT_REJECTED, WHY_RATE), 1);
    assert_int_equal(g.counters.limited, 2);
    g = burst(VENUE_BYBIT, 30, 100000, false); /* exactly ten a second pass */
    assert_int_equal(g.counters.limited, 0);
    g = burst(VENUE_OKX, 61, 10000, false);
    assert_int_equal(g.counters.limited, 1);
    g = burst(VENUE_DERIBIT, 21, 100, false); /* 20 credits, then the session is closed */
    assert_int_equal(g.counters.limited, 1);
    g = burst(VENUE_DERIBIT, 25, 100, false);
    assert_int_equal(script_told(&g, 25, REPORT_REJECTED, WHY_BANNED), 1);
    g = burst(VENUE_DERIBIT, 60, 200000, false); /* one comes back each 200 ms */
    assert_int_equal(g.counters.limited, 0);
    g = burst(VENUE_BYBIT, 12, 1000, true);
    assert_int_equal(g.counters.limited, 0);
    g = burst(VENUE_OTHER, 120, 10, false);
    assert_int_equal(g.counters.limited, 0);
}

static void binance_counts_orders_in_windows_of_ten_seconds_and_a_minute(void **state) {
    (void)state;
    enum { ORDERS = 1400 };
    static struct order_request q[ORDERS];
    struct rig r;
    struct script s = script_market();
    rig_at(&r, VENUE_BINANCE_USDM);
    r.cfg.bus_slots = 2 * ORDERS;
    /* 350 in each of four windows of ten seconds: 300 pass; of the fifth window's none, the minute
     * is full at 1200. */
    for (int i = 0; i < ORDERS; i++) {
        q[i] = order(i + 1, 0, SIDE_BUY, 50, 1, TIF_IOC);
        q[i].ts_sent.ns = 11 * NS_PER_MS + (int64_t)(i / 350) * 10 * NS_PER_S + i % 350 * 1000;
    }
    script_print(&s, 99000000, EVF_BUY, 103, 1);
    struct script_world *w = script_open(&s, &r.cfg);
    struct order_port port = world_port(w->world, 0);
    for (int i = 0; i < ORDERS; i++) assert_true(port.send(port.ctx, &q[i]));
    struct order_request last = order(ORDERS + 1, 41000, SIDE_BUY, 50, 1, TIF_IOC);
    assert_true(port.send(port.ctx, &last));
    last.id++;
    last.ts_sent.ns = 61 * NS_PER_S;
    assert_true(port.send(port.ctx, &last));
    size_t acks[8] = {0}, limited = 0;
    const struct event *ev;
    uint32_t seat;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        if (ev->kind != EV_ORDER_REPORT) continue;
        struct report p;
        report_decode(ev, &p);
        if (p.status == REPORT_ACK) acks[p.ts_venue.ns / (10 * NS_PER_S)]++;
        limited += p.why == WHY_RATE;
    }
    for (int i = 0; i < 4; i++) assert_int_equal(acks[i], 300);
    assert_int_equal(acks[4], 0);
    assert_int_equal(acks[6], 1);
    assert_int_equal(limited, 201);
    script_close(w);
}

/* Seven orders each on two instruments of one account; how many pass. */
static size_t together(uint8_t venue, bool one_account) {
    static struct clearing account[2];
    const struct clearing_rules rules = {0};
    size_t acks = 0;
    clearing_init(&account[0]);
    clearing_init(&account[1]);
    for (int k = 0; k < 2; k++) {
        struct rig r;
        struct script s = script_market();
        rig_at(&r, venue);
        r.cfg.clears = true;
        script_print(&s, 300000, EVF_BUY, 103, 1);
        struct script_world *w = script_open(&s, &r.cfg);
        (void)clearing_join(&account[one_account ? 0 : k], w->world, 0, &rules);
        struct order_port port = world_port(w->world, 0);
        for (int i = 0; i < 7; i++) {
            struct order_request q = order(i + 1, 11, SIDE_BUY, 50, 1, TIF_IOC);
            assert_true(port.send(port.ctx, &q));
        }
        const struct event *ev;
        uint32_t seat;
        while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
            if (ev->kind != EV_ORDER_REPORT) continue;
            struct report p;
            report_decode(ev, &p);
            acks += p.status == REPORT_ACK;
        }
        script_close(w);
    }
    return acks;
}

static void an_accounts_requests_count_together_over_its_instruments(void **state) {
    (void)state;
    assert_int_equal(together(VENUE_BYBIT, true), 10);
    assert_int_equal(together(VENUE_BYBIT, false), 14);
    assert_int_equal(together(VENUE_OKX, true), 14); /* OKX counts each instrument by itself */
}

static void going_on_after_the_limit_is_a_ban(void **state) {
    (void)state;
    enum { CANCELS = 2420 };
    struct rig r;
    struct script s = script_market();
    rig_at(&r, VENUE_BINANCE_USDM);
    r.cfg.bus_slots = 4096;
    script_print(&s, 300000000, EVF_BUY, 103, 1);
    struct script_world *w = script_open(&s, &r.cfg);
    struct order_port port = world_port(w->world, 0);
    struct order_request q = order(1, 11, SIDE_BUY, 50, 1, TIF_GTC);
    for (int i = 0; i < CANCELS; i++) {
        struct order_request c = about(q, REQUEST_CANCEL, 11);
        assert_true(port.send(port.ctx, &c));
    }
    q.ts_sent.ns = 100 * NS_PER_S; /* still banned, though the minute is over */
    assert_true(port.send(port.ctx, &q));
    q.id = 2;
    q.ts_sent.ns = 200 * NS_PER_S;
    assert_true(port.send(port.ctx, &q));
    size_t limited = 0, banned = 0, acks = 0;
    const struct event *ev;
    uint32_t seat;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        if (ev->kind != EV_ORDER_REPORT) continue;
        struct report p;
        report_decode(ev, &p);
        limited += p.why == WHY_RATE;
        banned += p.why == WHY_BANNED;
        acks += p.status == REPORT_ACK;
    }
    assert_int_equal(limited, 10);
    assert_int_equal(banned, 11); /* ten cancels and the order of 100 s */
    assert_int_equal(acks, 1);
    script_close(w);
}

/* ---- outages ---- */

static void an_outage_rejects_loses_or_keeps_silent(void **state) {
    (void)state;
    for (uint8_t kind = OUTAGE_REJECT; kind <= OUTAGE_MUTE; kind++) {
        const struct world_outage span = {15 * NS_PER_MS, 25 * NS_PER_MS, kind, {0}};
        struct rig r;
        struct script s = script_market();
        rig_at(&r, VENUE_OTHER);
        r.cfg.venue.outage = &span;
        r.cfg.venue.outages = 1;
        struct order_request q[5] = {
            order(1, 11, SIDE_BUY, 100, 1, TIF_GTC), order(2, 16, SIDE_BUY, 101, 1, TIF_GTC)};
        q[2] = about(q[0], REQUEST_CANCEL, 17);
        q[3] = about(q[0], REQUEST_QUERY, 30);
        q[4] = about(q[1], REQUEST_QUERY, 30);
        script_print(&s, 40000, EVF_BUY, 103, 1);
        struct script_got g = script_play(&s, &r.cfg, q, NULL, 5);
        bool rejects = kind == OUTAGE_REJECT, mute = kind == OUTAGE_MUTE;
        assert_int_equal(script_told(&g, 2, REPORT_REJECTED, WHY_OUTAGE), rejects);
        assert_int_equal(script_told(&g, 1, REPORT_CANCEL_REJECTED, WHY_OUTAGE), rejects);
        assert_int_equal(script_filled(&g, 2), mute); /* fills are told even then */
        assert_int_equal(script_told(&g, 2, REPORT_ACK, WHY_NONE), 0);
        assert_int_equal(script_told(&g, 1, REPORT_CANCELED, WHY_NONE), 0);
        /* The query tells what became of it. */
        assert_int_equal(script_told(&g, 1, REPORT_ACK, WHY_NONE), mute ? 1 : 2);
        assert_int_equal(script_told(&g, 1, REPORT_NOT_FOUND, WHY_UNKNOWN_ORDER), mute);
        assert_int_equal(script_told(&g, 2, REPORT_NOT_FOUND, WHY_UNKNOWN_ORDER), 1);
        assert_int_equal(g.counters.lost, kind == OUTAGE_LOST ? 2 : 0);
    }
}

static void a_drawn_outage_lies_once_in_each_slot_of_time(void **state) {
    (void)state;
    enum { SLOTS = 5, PER_SLOT = 50 };
    struct rig r;
    struct script s = script_market();
    struct order_request q[SLOTS * PER_SLOT];
    rig_at(&r, VENUE_OTHER);
    r.cfg.venue.seed = 42;
    r.cfg.venue.outage_every_ns = NS_PER_S;
    r.cfg.venue.outage_ns = NS_PER_S / 10;
    r.cfg.venue.outage_kind = OUTAGE_REJECT;
    for (int i = 0; i < SLOTS * PER_SLOT; i++) {
        q[i] = order(i + 1, 999 + i * (1000 / PER_SLOT), SIDE_BUY, 50, 1, TIF_IOC);
    }
    script_print(&s, 9000000, EVF_BUY, 103, 1);
    struct script_world *w = script_open(&s, &r.cfg);
    struct order_port port = world_port(w->world, 0);
    for (int i = 0; i < SLOTS * PER_SLOT; i++) assert_true(port.send(port.ctx, &q[i]));
    int hit[SLOTS + 2] = {0};
    const struct event *ev;
    uint32_t seat;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        if (ev->kind != EV_ORDER_REPORT) continue;
        struct report p;
        report_decode(ev, &p);
        if (p.why == WHY_OUTAGE) hit[p.ts_venue.ns / NS_PER_S]++;
    }
    for (int i = 1; i <= SLOTS; i++) assert_in_range(hit[i], 4, 6); /* 100 ms at 20 ms steps */
    script_close(w);
}

/* ---- hostile requests ---- */

static uint64_t seed = 99;
static uint64_t rnd(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static int64_t hostile(void) {
    static const int64_t v[] = {0, -1, 1, INT64_MAX, INT64_MIN, ORDER_UNITS_MAX,
        ORDER_UNITS_MAX + 1, -ORDER_UNITS_MAX, 100, 101, 3, 7};
    return v[rnd(sizeof v / sizeof v[0])];
}

static void requests_of_any_bytes_leave_the_exchange_whole(void **state) {
    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    size_t malformed = 0, fills = 0;
    for (int run = 0; run < 2000; run++) {
        struct rig r;
        struct script s = script_market();
        struct order_request q[60];
        rig_at(&r, (uint8_t)rnd(VENUE_COUNT));
        r.cfg.rules = rnd(8) == 0 ? SIM_ANCHOR : SIM_STRICT;
        r.cfg.venue.band_e8 = rnd(2) ? 15000000 : 0;
        r.cfg.venue.no_limits = rnd(2);
        for (int i = 0; i < 60; i++) {
            q[i] = order((int64_t)rnd(40), 11 + i, (int)rnd(2), 98 + (int64_t)rnd(7),
                1 + (int64_t)rnd(5), (int)rnd(5));
            q[i].kind = (uint8_t)(1 + rnd(4));
            if (rnd(2)) q[i].trigger = (uint8_t)rnd(4);
            if (rnd(2)) q[i].trigger_px.ticks = 96 + (int64_t)rnd(12);
            q[i].trigger_by = TRIGGER_BY_LAST;
            q[i].callback_e4 = (int32_t)rnd(3) * 1000000;
            if (rnd(3) == 0) q[i].oco = (int64_t)rnd(40);
            q[i].reduce_only = rnd(4) == 0;
            q[i].expire_ns = (int64_t)rnd(99) * NS_PER_MS;
            q[i].stp = (uint8_t)rnd(5);
            if (rnd(4)) continue;
            unsigned char *b = (unsigned char *)&q[i];
            int64_t *field[] = {&q[i].id, &q[i].px.ticks, &q[i].qty.lots, &q[i].trigger_px.ticks,
                &q[i].expire_ns, &q[i].oco};
            *field[rnd(6)] = hostile();
            b[offsetof(struct order_request, side) + rnd(5)] ^= (unsigned char)rnd(256);
            b[offsetof(struct order_request, callback_e4) + rnd(7)] ^= (unsigned char)rnd(256);
        }
        for (int i = 0; i < 60; i++) {
            int buy = (int)rnd(2);
            script_print(&s, 12000 + i * 1000, buy ? EVF_BUY : EVF_SELL, 96 + (int64_t)rnd(10),
                1 + (int64_t)rnd(6));
        }
        struct script_got g = script_play(&s, &r.cfg, q, NULL, 60);
        int64_t position = 0;
        for (size_t i = 0; i < g.n; i++) {
            malformed += g.r[i].why == WHY_MALFORMED;
            if (g.r[i].status != REPORT_FILL) continue;
            fills++;
            assert_true(g.r[i].last_qty.lots > 0 && g.r[i].filled.lots <= g.r[i].qty.lots);
            position += g.r[i].side == SIDE_BUY ? g.r[i].last_qty.lots : -g.r[i].last_qty.lots;
        }
        assert_int_equal(position, g.position);
    }
    printf("%zu malformed, %zu fills\n", malformed, fills);
    assert_true(malformed > 1000 && fills > 1000);
}

/* ---- seats of one account ---- */

enum { PLAYERS = 40 };
struct player { /* an order as its reports tell */
    struct order_request q;
    int64_t px, left;
    bool stands;
};

static void player_hear(struct player *p, const struct report *r) {
    p->px = r->px.ticks;
    p->left = r->qty.lots - r->filled.lots;
    bool over = r->status == REPORT_CANCELED || r->status == REPORT_EXPIRED ||
                r->status == REPORT_REJECTED || p->left == 0;
    if (r->status == REPORT_ACK) p->stands = true;
    if (over) p->stands = false;
}

/* At the end of an instant no own buy rests at or above an own sell. */
static void check_uncrossed(const struct player *p) {
    for (int a = 0; a < PLAYERS; a++) {
        for (int b = 0; b < PLAYERS; b++) {
            bool both =
                p[a].stands && p[b].stands && p[a].q.side == SIDE_BUY && p[b].q.side == SIDE_SELL;
            if (both && !p[a].q.reduce_only && !p[b].q.reduce_only) assert_true(p[a].px < p[b].px);
        }
    }
}

static void play_account(size_t *fills, size_t *self) {
    static const uint8_t together_two[2] = {0, 0};
    struct rig r;
    struct script s = script_market();
    struct player p[PLAYERS] = {0};
    rig_at(&r, VENUE_OTHER);
    r.cfg.seats = 2;
    r.cfg.account = together_two;
    for (int i = 0; i < 60; i++) {
        int buy = (int)rnd(2);
        script_print(&s, 12000 + i * 1000, buy ? EVF_BUY : EVF_SELL, 97 + (int64_t)rnd(8),
            1 + (int64_t)rnd(6));
    }
    struct script_world *w = script_open(&s, &r.cfg);
    for (int i = 0; i < PLAYERS; i++) {
        struct order_request *q = &p[i].q;
        *q = order(i + 1, 11 + i, (int)rnd(2), 97 + (int64_t)rnd(8), 1 + (int64_t)rnd(6), TIF_GTC);
        q->stp = (uint8_t)rnd(5);
        q->reduce_only = rnd(5) == 0;
        struct order_port port = world_port(w->world, (uint32_t)rnd(2));
        assert_true(port.send(port.ctx, q));
    }
    const struct event *ev;
    uint32_t seat;
    int64_t instant = 0, position = 0;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        struct report m;
        if (ev->kind != EV_ORDER_REPORT) continue;
        report_decode(ev, &m);
        if (m.ts_venue.ns != instant) check_uncrossed(p);
        instant = m.ts_venue.ns;
        struct player *mine = &p[m.order_id - 1];
        player_hear(mine, &m);
        *self += m.why == WHY_SELF_TRADE;
        if (m.status != REPORT_FILL) continue;
        (*fills)++;
        position += m.side == SIDE_BUY ? m.last_qty.lots : -m.last_qty.lots;
    }
    check_uncrossed(p);
    for (uint32_t k = 0; k < 2; k++) assert_int_equal(world_position(w->world, k), position);
    script_close(w);
}

static void seats_of_one_account_never_rest_crossed_and_share_a_position(void **state) {
    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    size_t fills = 0, self = 0;
    for (int run = 0; run < 1000; run++) play_account(&fills, &self);
    printf("%zu fills, %zu self-trades prevented\n", fills, self);
    assert_true(fills > 1000 && self > 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(less_keeps_the_place_only_where_the_venue_says_so),
        cmocka_unit_test(an_amend_to_a_total_that_is_filled_already_cancels),
        cmocka_unit_test(an_amend_to_the_same_values_is_refused_at_two_venues),
        cmocka_unit_test(a_post_only_amend_that_would_take_ends_or_stays_by_venue),
        cmocka_unit_test(a_post_only_order_that_would_take_is_rejected_or_expires_by_venue),
        cmocka_unit_test(own_orders_that_meet_end_by_the_mode_after_what_stands_before_them),
        cmocka_unit_test(the_mode_of_an_order_that_names_none_is_the_venues),
        cmocka_unit_test(a_post_only_order_never_takes_an_own_one),
        cmocka_unit_test(every_filter_has_its_own_word),
        cmocka_unit_test(a_waiting_order_meets_the_band_when_it_fires),
        cmocka_unit_test(a_market_order_below_the_least_value_is_rejected_at_the_mark),
        cmocka_unit_test(a_market_order_stops_at_its_bound_from_the_mark),
        cmocka_unit_test(each_venue_counts_requests_in_its_own_way),
        cmocka_unit_test(binance_counts_orders_in_windows_of_ten_seconds_and_a_minute),
        cmocka_unit_test(an_accounts_requests_count_together_over_its_instruments),
        cmocka_unit_test(going_on_after_the_limit_is_a_ban),
        cmocka_unit_test(an_outage_rejects_loses_or_keeps_silent),
        cmocka_unit_test(a_drawn_outage_lies_once_in_each_slot_of_time),
        cmocka_unit_test(requests_of_any_bytes_leave_the_exchange_whole),
        cmocka_unit_test(seats_of_one_account_never_rest_crossed_and_share_a_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
