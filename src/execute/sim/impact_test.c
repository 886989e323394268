#include "execute/sim/impact.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "execute/sim/sim_testing.h"

static void taken_liquidity_halves_every_half_life(void **state) {
    (void)state;
    assert_int_equal(impact_left(1000, 0, NS_PER_S), 1000);
    assert_int_equal(impact_left(1000, NS_PER_S, NS_PER_S), 500);
    assert_int_equal(impact_left(1000, 3 * NS_PER_S, NS_PER_S), 125);
    assert_int_equal(impact_left(1000, 12 * NS_PER_S, NS_PER_S), 0);
    for (int64_t age = 0; age < 100; age++) { /* never grows */
        assert_true(impact_left(777, age * NS_PER_MS * 50, NS_PER_S) >=
                    impact_left(777, (age + 1) * NS_PER_MS * 50, NS_PER_S));
    }
}

static void the_price_moves_by_its_formula_and_only_against_us(void **state) {
    (void)state;
    struct impact_spec linear = {.bps = 100, .volume = 1000, .shape = IMPACT_LINEAR};
    struct impact_spec root = {.bps = 100, .volume = 1000, .shape = IMPACT_SQRT};
    assert_int_equal(impact_shift(&linear, 100, SIDE_BUY, 10000, 1), 10);   /* 10 bps */
    assert_int_equal(impact_shift(&root, 100, SIDE_BUY, 10000, 1), 32);     /* 31.6, rounded up */
    assert_int_equal(impact_shift(&root, 1000, SIDE_BUY, 10000, 1), 100);   /* equal at Q = V */
    assert_int_equal(impact_shift(&linear, -100, SIDE_SELL, 10000, 3), 12); /* whole ticks */
    assert_int_equal(impact_shift(&linear, 100, SIDE_SELL, 10000, 1), 0);
    assert_int_equal(impact_shift(&linear, -100, SIDE_BUY, 10000, 1), 0);
    assert_int_equal(impact_shift(&linear, 0, SIDE_BUY, 10000, 1), 0);
    assert_int_equal(impact_shift(&linear, -1000000000, SIDE_SELL, 10000, 1), 9999);
}

/* ---- in the world ---- */

enum { FILLS_MAX = 64 };
struct fills {
    struct report r[FILLS_MAX];
    size_t n;
};

static struct script ladder(void) {
    struct script_level book[40];
    for (int i = 0; i < 20; i++) {
        book[i] = (struct script_level){EVF_BUY, 1000 - i, 10};
        book[20 + i] = (struct script_level){EVF_SELL, 1001 + i, 10};
    }
    struct script s = {0};
    script_message(&s, 1000, EVF_SNAPSHOT, book, 40);
    return s;
}

static struct order_request market(int64_t id, int side, int64_t px, int64_t qty, int64_t us) {
    return (struct order_request){.id = id,
        .px = {px},
        .qty = {qty},
        .ts_sent = {us * 1000},
        .kind = REQUEST_NEW,
        .side = (uint8_t)side,
        .type = px == 0 ? ORDER_MARKET : ORDER_LIMIT,
        .tif = TIF_IOC};
}

static struct fills play(const struct script *s, const struct impact_spec *impact,
    const struct order_request *q, size_t n) {
    struct world_config cfg = {.impact = *impact};
    struct script_world *w = script_open(s, &cfg);
    struct order_port port = world_port(w->world, 0);
    for (size_t i = 0; i < n; i++) assert_true(port.send(port.ctx, &q[i]));
    struct fills f = {0};
    const struct event *ev;
    uint32_t seat;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        struct report r;
        if (ev->kind != EV_ORDER_REPORT) continue;
        report_decode(ev, &r);
        if (r.status != REPORT_FILL) continue;
        assert_true(f.n < FILLS_MAX);
        f.r[f.n++] = r;
    }
    script_close(w);
    return f;
}

static int64_t lots_at(const struct fills *f, int64_t id, int64_t px) {
    int64_t sum = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (f->r[i].order_id == id && f->r[i].last_px.ticks == px) sum += f->r[i].last_qty.lots;
    }
    return sum;
}

static void a_hole_fills_with_time_whatever_the_data_say(void **state) {
    (void)state;
    struct impact_spec off = {0}, on = {.half_life_ns = NS_PER_S};
    struct script s = ladder();
    script_level(&s, 3000, EVF_SELL, 1001, 10); /* the data name the level again */
    script_level(&s, 9000000, EVF_BUY, 990, 10);
    const struct order_request q[3] = {market(1, SIDE_BUY, 1001, 8, 2000),
        market(2, SIDE_BUY, 1001, 10, 4000), market(3, SIDE_BUY, 1001, 10, 1004000)};
    struct fills f = play(&s, &off, q, 3);
    assert_int_equal(lots_at(&f, 2, 1001), 10); /* new liquidity at once */
    assert_int_equal(lots_at(&f, 3, 1001), 0);  /* and none until it is named again */
    f = play(&s, &on, q, 3);
    assert_int_equal(lots_at(&f, 2, 1001), 2); /* 8 are still gone */
    assert_int_equal(lots_at(&f, 3, 1001), 5); /* half of the 10 came back in a second */
}

static void later_orders_pay_for_what_the_earlier_took(void **state) {
    (void)state;
    struct impact_spec on = {.bps = 100, .volume = 100, .shape = IMPACT_LINEAR};
    struct script s = ladder();
    script_level(&s, 3000, EVF_SELL, 1001, 10);
    script_level(&s, 3001, EVF_SELL, 1002, 10);
    const struct order_request q[3] = {market(1, SIDE_BUY, 0, 20, 2000),
        market(2, SIDE_BUY, 1004, 20, 4000), market(3, SIDE_SELL, 0, 10, 5000)};
    struct fills f = play(&s, &on, q, 3);
    assert_int_equal(lots_at(&f, 1, 1001), 10); /* the first pays what is shown */
    assert_int_equal(lots_at(&f, 1, 1002), 10);
    assert_int_equal(lots_at(&f, 2, 1004), 10); /* 20 % of V: 20 bps of 1001, up to whole ticks */
    assert_int_equal(f.n, 4);                   /* 1002 costs 1005: beyond its limit */
    assert_int_equal(lots_at(&f, 3, 1000), 10); /* the other way nothing is gained */
}

static void a_quote_crosses_a_resting_order_only_if_it_would_after_the_move(void **state) {
    (void)state;
    struct impact_spec on = {.bps = 100, .volume = 100, .shape = IMPACT_LINEAR};
    struct script s = ladder();
    struct order_request q[2] = {
        market(1, SIDE_BUY, 0, 20, 2000), market(2, SIDE_BUY, 1002, 5, 4000)};
    q[1].tif = TIF_GTC; /* 1003 is shown, 1006 it costs: it rests at 1002 */
    script_level(&s, 6000, EVF_SELL, 1002, 10);
    struct fills f = play(&s, &on, q, 2);
    assert_int_equal(lots_at(&f, 2, 1002), 0);
    script_level(&s, 7000, EVF_BUY, 1000, 0); /* bids go first: the book never crosses */
    script_level(&s, 7000, EVF_BUY, 999, 0);
    script_level(&s, 7000, EVF_SELL, 999, 10);
    f = play(&s, &on, q, 2);
    assert_int_equal(lots_at(&f, 2, 1002), 5); /* 999 + 3 ticks: reached, at its own price */
}

/* Off means off; on never pays less, never trades more than is shown, and keeps the limit. */
static void impact_never_makes_a_taker_better_off(void **state) {
    (void)state;
    uint64_t seed = 99;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int run = 0; run < 300; run++) {
        struct script s = ladder();
        struct order_request q[8];
        struct impact_spec off = {0}, on = {.bps = 50,
                                          .volume = 200,
                                          .shape = run % 2 ? IMPACT_SQRT : IMPACT_LINEAR,
                                          .half_life_ns = run % 3 ? NS_PER_MS : 0};
        for (int i = 0; i < 8; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            int side = (seed >> 40) % 3 == 0 ? SIDE_SELL : SIDE_BUY;
            int64_t px = (seed >> 50) % 4 == 0 ? 0 : 995 + (int64_t)((seed >> 33) % 12);
            q[i] = market(i + 1, side, px, 1 + (int64_t)((seed >> 20) % 30), 2000 + i * 500);
        }
        struct fills plain = play(&s, &off, q, 8), hard = play(&s, &on, q, 8);
        for (int i = 0; i < 8; i++) {
            int64_t lots[2] = {0, 0}, cost[2] = {0, 0};
            for (int k = 0; k < 2; k++) {
                const struct fills *f = k ? &hard : &plain;
                for (size_t n = 0; n < f->n; n++) {
                    const struct report *r = &f->r[n];
                    if (r->order_id != q[i].id) continue;
                    lots[k] += r->last_qty.lots;
                    cost[k] += r->last_qty.lots * r->last_px.ticks;
                    if (q[i].px.ticks == 0) continue;
                    bool kept = q[i].side == SIDE_BUY ? r->last_px.ticks <= q[i].px.ticks
                                                      : r->last_px.ticks >= q[i].px.ticks;
                    assert_true(kept);
                }
            }
            assert_true(lots[1] <= q[i].qty.lots);
            if (i == 0) { /* nothing was taken before the first */
                assert_int_equal(lots[0], lots[1]);
                assert_int_equal(cost[0], cost[1]);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_liquidity_halves_every_half_life),
        cmocka_unit_test(the_price_moves_by_its_formula_and_only_against_us),
        cmocka_unit_test(a_hole_fills_with_time_whatever_the_data_say),
        cmocka_unit_test(later_orders_pay_for_what_the_earlier_took),
        cmocka_unit_test(a_quote_crosses_a_resting_order_only_if_it_would_after_the_move),
        cmocka_unit_test(impact_never_makes_a_taker_better_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
