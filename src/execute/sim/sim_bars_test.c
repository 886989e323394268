/* Bars against the ticks that they are made of: equal where fills cannot differ, never better where
 * they can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/rng.h"
#include "execute/sim/sim_testing.h"

enum { BARS = 24, STEPS = 12, ORDERS = 40, SIZE = 50 };
#define SECOND INT64_C(1000000) /* us */
#define BAR (60 * SECOND)

static struct order_request ask_for(
    int64_t id, int side, int type, int tif, int64_t px, int64_t qty, int64_t us) {
    return (struct order_request){.id = id,
        .px = {px},
        .qty = {qty},
        .ts_sent = {us * 1000},
        .kind = REQUEST_NEW,
        .side = (uint8_t)side,
        .type = (uint8_t)type,
        .tif = (uint8_t)tif};
}

static void add_bar(struct script *s, int64_t k, const int64_t ohlc[4], int64_t volume) {
    struct event *ev = script_add(
        s, (k + 1) * BAR - 1, EV_KLINE, EVF_FIRST | EVF_LAST | EVF_CLOSED, ohlc[3], volume);
    ev->id = k * BAR * 1000;
    ev->ts_local = ev->ts_venue;
    struct event *cont = &s->ev[s->n++];
    memset(cont, 0, sizeof *cont);
    int64_t *w = ((struct event_cont *)(void *)cont)->w;
    w[KLINE_OPEN_PX] = ohlc[0];
    w[KLINE_HIGH_PX] = ohlc[1];
    w[KLINE_LOW_PX] = ohlc[2];
    w[KLINE_CLOSE_NS] = ((k + 1) * BAR - 1) * 1000;
}

static struct world_config bars_config(int64_t slip_e4) {
    return (struct world_config){.bars = true, .bar_slip_e4 = slip_e4, .response_ns = NS_PER_MS};
}

/* ---- single cases ---- */

static struct script four_bars(void) {
    static const int64_t ohlc[4][4] = {{1000, 1000, 1000, 1000}, {1000, 1010, 990, 1005},
        {1005, 1006, 989, 990}, {990, 995, 985, 990}};
    struct script s = {0};
    for (int64_t k = 0; k < 4; k++) add_bar(&s, k, ohlc[k], 10);
    return s;
}

static void a_resting_order_fills_only_if_the_bar_traded_through_it(void **state) {
    (void)state;
    struct script s = four_bars();
    struct world_config cfg = bars_config(0);
    struct order_request q = ask_for(1, SIDE_BUY, ORDER_LIMIT, TIF_GTC, 990, 4, BAR);
    struct script_got g = script_play(&s, &cfg, &q, NULL, 1);
    assert_int_equal(g.n, 2); /* bar 1 only touched 990, bar 2 went to 989 */
    assert_int_equal(g.r[1].status, REPORT_FILL);
    assert_int_equal(g.r[1].last_px.ticks, 990);
    assert_true(g.r[1].maker);
    assert_int_equal(g.r[1].ts_venue.ns, (3 * BAR - 1) * 1000); /* told at the bar's close */
}

static void own_orders_share_the_volume_of_a_bar(void **state) {
    (void)state;
    struct script s = four_bars();
    struct world_config cfg = bars_config(0);
    struct order_request q[2] = {ask_for(1, SIDE_BUY, ORDER_LIMIT, TIF_GTX, 995, 8, BAR),
        ask_for(2, SIDE_SELL, ORDER_LIMIT, TIF_GTX, 1008, 8, BAR)};
    struct script_got g = script_play(&s, &cfg, q, NULL, 2);
    int64_t in_first = 0, filled[3] = {0};
    for (size_t i = 0; i < g.n; i++) {
        if (g.r[i].status != REPORT_FILL) continue;
        if (g.r[i].ts_venue.ns < 2 * BAR * 1000) in_first += g.r[i].last_qty.lots;
        filled[g.r[i].order_id] += g.r[i].last_qty.lots;
    }
    assert_int_equal(in_first, 10); /* the bar's volume, though both prices were passed */
    assert_int_equal(filled[1], 8);
    assert_int_equal(filled[2], 2); /* no later bar went beyond 1008 again */
}

static void an_open_through_the_limit_is_met_as_a_taker_or_not_at_all(void **state) {
    (void)state;
    struct script s = four_bars();
    struct world_config cfg = bars_config(10 * 10000); /* 10 bps: 1000 -> 1001, 1005 -> 1007 */
    struct order_request q[4] = {ask_for(1, SIDE_BUY, ORDER_LIMIT, TIF_GTX, 1000, 1, BAR),
        ask_for(2, SIDE_BUY, ORDER_LIMIT, TIF_GTC, 1002, 1, BAR),
        ask_for(3, SIDE_BUY, ORDER_LIMIT, TIF_GTC, 1000, 1, BAR),
        ask_for(4, SIDE_BUY, ORDER_LIMIT, TIF_IOC, 1000, 1, BAR)};
    struct script_got g = script_play(&s, &cfg, q, NULL, 4);
    uint8_t seen = 0;
    for (size_t i = 0; i < g.n; i++) {
        const struct report *r = &g.r[i];
        if (r->status == REPORT_ACK) continue;
        seen |= (uint8_t)(1u << r->order_id);
        if (r->order_id == 1) assert_int_equal(r->status, REPORT_EXPIRED);
        if (r->order_id == 1) assert_int_equal(r->why, WHY_POST_ONLY);
        if (r->order_id == 2) assert_int_equal(r->last_px.ticks, 1001); /* the worsened open */
        if (r->order_id == 2) assert_false(r->maker);
        if (r->order_id == 3) assert_int_equal(r->last_px.ticks, 1000); /* rested: low was 990 */
        if (r->order_id == 3) assert_true(r->maker);
        if (r->order_id == 4) assert_int_equal(r->status, REPORT_EXPIRED);
    }
    assert_int_equal(seen, 0x1e);
}

static void an_order_sees_no_bar_that_was_open_before_it_came(void **state) {
    (void)state;
    struct script s = four_bars();
    struct world_config cfg = bars_config(0);
    struct order_request q =
        ask_for(1, SIDE_BUY, ORDER_LIMIT, TIF_GTC, 988, 1, 2 * BAR + 30 * SECOND);
    struct script_got g = script_play(&s, &cfg, &q, NULL, 1);
    assert_int_equal(g.n, 2); /* bar 2's low of 989 is out of reach, bar 3's 985 is not */
    assert_int_equal(g.r[1].ts_venue.ns, (4 * BAR - 1) * 1000);
    q.px.ticks = 990; /* bar 2 fell to 989 before or after it came: nobody knows */
    g = script_play(&s, &cfg, &q, NULL, 1);
    assert_int_equal(g.r[1].ts_venue.ns, 3 * BAR * 1000 + NS_PER_S);
    assert_int_equal(g.r[1].last_px.ticks, 990); /* it opened at 990: taken there */
}

/* ---- laws on random paths ---- */

struct market {
    struct script ticks, bars;
    int64_t opens[BARS];
};

/* One tick of spread, deep levels; the first print of a bar lifts the ask at once. */
static void quote(struct script *s, int64_t us, int64_t old_bid, int64_t bid) {
    struct script_level l[6];
    size_t n = 0;
    int flags = old_bid == 0 ? EVF_SNAPSHOT : 0;
    for (int d = 0; d < 1 && old_bid != 0 && old_bid != bid; d++) {
        l[n++] = (struct script_level){EVF_BUY, old_bid, 0};
        l[n++] = (struct script_level){EVF_SELL, old_bid + 1, 0};
    }
    l[n++] = (struct script_level){EVF_BUY, bid, 1000};
    l[n++] = (struct script_level){EVF_SELL, bid + 1, 1000};
    script_message(s, us, flags, l, n);
}

static void make(struct market *m, struct rng *g) {
    int64_t bid = 0;
    memset(m, 0, sizeof *m);
    for (int64_t k = 0; k < BARS; k++) {
        int64_t ohlc[4] = {0}, volume = 0;
        for (int64_t i = 0; i < STEPS; i++) {
            int64_t at = k * BAR + i * 4 * SECOND + SECOND / 100;
            int64_t next = bid == 0 ? 1000 : bid + (int64_t)rng_below(g, 7) - 3;
            quote(&m->ticks, at, bid, next);
            bid = next;
            bool buys = i == 0 || rng_below(g, 2) == 0;
            int64_t px = buys ? bid + 1 : bid;
            script_print(&m->ticks, at + 2 * SECOND, buys ? EVF_BUY : EVF_SELL, px, SIZE);
            if (i == 0) ohlc[0] = ohlc[1] = ohlc[2] = px;
            if (px > ohlc[1]) ohlc[1] = px;
            if (px < ohlc[2]) ohlc[2] = px;
            ohlc[3] = px;
            volume += SIZE;
        }
        m->opens[k] = ohlc[0];
        add_bar(&m->bars, k, ohlc, volume);
    }
}

struct filled {
    int64_t lots, value, last_ns;
};

static struct filled of_order(const struct script_got *g, int64_t id) {
    struct filled f = {0};
    for (size_t i = 0; i < g->n; i++) {
        if (g->r[i].order_id != id || g->r[i].status != REPORT_FILL) continue;
        f.lots += g->r[i].last_qty.lots;
        f.value += g->r[i].last_qty.lots * g->r[i].last_px.ticks;
        f.last_ns = g->r[i].ts_venue.ns;
    }
    return f;
}

static void market_orders_at_the_open_equal_ticks_or_are_worse(void **state) {
    (void)state;
    size_t equal = 0, worse = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct market *m = calloc(1, sizeof *m);
        struct order_request q[BARS];
        struct rng g;
        size_t n = 0;
        assert_non_null(m);
        rng_init(&g, seed, 0);
        make(m, &g);
        for (int64_t k = 1; k < BARS; k++, n++) {
            int side = rng_below(&g, 2) == 0 ? SIDE_BUY : SIDE_SELL;
            q[n] = ask_for(k, side, ORDER_MARKET, TIF_IOC, 0, 1 + (int64_t)rng_below(&g, 9),
                k * BAR + SECOND / 2); /* after the opening quote, before anything moves */
        }
        struct world_config tick = {.response_ns = NS_PER_MS};
        struct script_got t = script_play(&m->ticks, &tick, q, NULL, n);
        for (int64_t slip = 0; slip <= 1; slip++) {
            struct world_config bars = bars_config(slip * 10000); /* 1 bps: a tick, rounded */
            struct script_got b = script_play(&m->bars, &bars, q, NULL, n);
            for (size_t i = 0; i < n; i++) {
                struct filled x = of_order(&t, q[i].id), y = of_order(&b, q[i].id);
                assert_int_equal(x.lots, q[i].qty.lots);
                assert_int_equal(y.lots, q[i].qty.lots);
                bool buys = q[i].side == SIDE_BUY;
                /* the print at the open was at the ask: a buyer's own price, without a slip; a
                 * seller's is the bid, which the slip of a tick finds */
                if (buys == (slip == 0)) {
                    assert_int_equal(x.value, y.value);
                    equal++;
                } else if (slip == 1) {
                    assert_true(y.value > x.value);
                    worse++;
                }
            }
        }
        free(m);
    }
    printf("seeds 1 to 40: %zu orders equal, %zu dearer on bars\n", equal, worse);
    assert_true(equal > 500 && worse > 200);
}

static void a_limit_order_that_bars_fill_is_filled_by_ticks_no_later_at_its_price(void **state) {
    (void)state;
    size_t both = 0, ticks_only = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct market *m = calloc(1, sizeof *m);
        struct order_request q[ORDERS];
        struct rng g;
        assert_non_null(m);
        rng_init(&g, seed, 1);
        make(m, &g);
        for (int64_t i = 0; i < ORDERS; i++) {
            int64_t k = 1 + i * (BARS - 2) / ORDERS, away = 2 + (int64_t)rng_below(&g, 12);
            bool buys = rng_below(&g, 2) == 0;
            int64_t px = m->opens[k] + (buys ? -away : away);
            q[i] = ask_for(i + 1, buys ? SIDE_BUY : SIDE_SELL, ORDER_LIMIT, TIF_GTX, px, 1,
                k * BAR + SECOND / 2);
        }
        struct world_config tick = {.response_ns = NS_PER_MS}, bars = bars_config(0);
        struct script_got t = script_play(&m->ticks, &tick, q, NULL, ORDERS);
        struct script_got b = script_play(&m->bars, &bars, q, NULL, ORDERS);
        for (size_t i = 0; i < ORDERS; i++) {
            struct filled x = of_order(&t, q[i].id), y = of_order(&b, q[i].id);
            assert_true(y.lots <= x.lots);
            ticks_only += y.lots < x.lots;
            if (y.lots == 0) continue;
            both++;
            assert_int_equal(y.value, q[i].px.ticks);
            assert_int_equal(x.value, q[i].px.ticks);
            assert_true(x.last_ns <= y.last_ns);
        }
        free(m);
    }
    printf("seeds 1 to 40: %zu orders filled by both, %zu by ticks only\n", both, ticks_only);
    assert_true(both > 300 && ticks_only > 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resting_order_fills_only_if_the_bar_traded_through_it),
        cmocka_unit_test(own_orders_share_the_volume_of_a_bar),
        cmocka_unit_test(an_open_through_the_limit_is_met_as_a_taker_or_not_at_all),
        cmocka_unit_test(an_order_sees_no_bar_that_was_open_before_it_came),
        cmocka_unit_test(market_orders_at_the_open_equal_ticks_or_are_worse),
        cmocka_unit_test(a_limit_order_that_bars_fill_is_filled_by_ticks_no_later_at_its_price),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
