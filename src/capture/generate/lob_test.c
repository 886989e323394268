/* The book of orders against a plain list of orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "capture/generate/lob.h"

enum { ORDERS = 2000, STEPS = 40000, MID = 10000 };

struct plain_order {
    int32_t id;
    int side;
    int64_t tick, qty;
    bool there;
};

/* Orders in order of arrival. */
struct plain {
    struct plain_order o[STEPS];
    int n;
};

static int plain_best(const struct plain *p, int side) {
    int best = -1;
    for (int i = 0; i < p->n; i++) {
        if (!p->o[i].there || p->o[i].side != side) continue;
        int64_t d = best < 0 ? 1 : p->o[i].tick - p->o[best].tick;
        if (side == LOB_ASK && best >= 0) d = -d;
        if (d > 0) best = i; /* the first of equal prices stays: it came earlier */
    }
    return best;
}

static int64_t plain_qty(const struct plain *p, int side, int64_t tick) {
    int64_t sum = 0;
    for (int i = 0; i < p->n; i++)
        if (p->o[i].there && p->o[i].side == side && p->o[i].tick == tick) sum += p->o[i].qty;
    return sum;
}

static void plain_forget(struct plain *p) {
    int n = 0;
    for (int i = 0; i < p->n; i++)
        if (p->o[i].there) p->o[n++] = p->o[i];
    p->n = n;
}

static void take(struct lob *b, struct plain *p, int side, int64_t qty, int64_t limit) {
    static struct lob_fill fill[ORDERS];
    size_t n = lob_take(b, (enum lob_side)side, qty, limit, fill, ORDERS, NULL);
    for (size_t i = 0; i < n; i++) {
        int best = plain_best(p, side);
        assert_true(best >= 0);
        struct plain_order *o = &p->o[best];
        int64_t want = o->qty < qty ? o->qty : qty;
        assert_int_equal(fill[i].tick, o->tick);
        assert_int_equal(fill[i].qty, want);
        assert_true(side == LOB_ASK ? o->tick <= limit : o->tick >= limit);
        qty -= want;
        o->qty -= want;
        o->there = o->qty > 0;
    }
    int next = plain_best(p, side);
    if (next >= 0 && qty > 0)
        assert_true(side == LOB_ASK ? p->o[next].tick > limit : p->o[next].tick < limit);
}

static void compare(const struct lob *b, const struct plain *p) {
    for (int side = 0; side < 2; side++) {
        int best = plain_best(p, side);
        assert_int_equal(b->count[side] > 0, best >= 0);
        if (best >= 0) assert_int_equal(b->best[side], p->o[best].tick);
        for (int64_t tick = MID - 40; tick <= MID + 40; tick++)
            assert_int_equal(lob_qty(b, (enum lob_side)side, tick), plain_qty(p, side, tick));
    }
    for (size_t i = 0; i < b->changes; i++)
        for (size_t k = 0; k < i; k++)
            assert_false(
                b->change[i].tick == b->change[k].tick && b->change[i].side == b->change[k].side);
}

static void random_orders_match_as_in_a_plain_list(void **state) {
    (void)state;
    struct lob *b = malloc(sizeof *b);
    struct plain *p = calloc(1, sizeof *p);
    struct rng r;
    rng_init(&r, 17, 1);
    lob_init(b);
    for (int step = 0; step < STEPS / 4; step++) {
        lob_step(b);
        int side = (int)rng_below(&r, 2), what = (int)rng_below(&r, 10);
        int64_t away = 1 + (int64_t)rng_below(&r, 30);
        int64_t tick = side == LOB_BID ? MID - away : MID + away;
        int any = p->n > 0 ? (int)rng_below(&r, (uint64_t)p->n) : -1;
        if (what < 5 && p->n < ORDERS) {
            int64_t qty = 1 + (int64_t)rng_below(&r, 50);
            int32_t id = lob_add(b, (enum lob_side)side, tick, qty, rng_below(&r, 2));
            p->o[p->n++] = (struct plain_order){id, side, tick, qty, true};
        } else if (what < 7 && any >= 0) {
            lob_cancel(b, p->o[any].id);
            p->o[any].there = false;
        } else if (what < 8 && any >= 0) {
            p->o[any].qty = 1 + (int64_t)rng_below(&r, (uint64_t)p->o[any].qty);
            lob_reduce(b, p->o[any].id, p->o[any].qty);
        } else {
            take(b, p, side, 1 + (int64_t)rng_below(&r, 200), tick);
        }
        plain_forget(p);
        if (step % 16 == 0) compare(b, p);
    }
    free(b);
    free(p);
}

static void a_step_lists_every_level_it_touched_once(void **state) {
    (void)state;
    struct lob *b = malloc(sizeof *b);
    lob_init(b);
    lob_step(b);
    int32_t id = lob_add(b, LOB_BID, MID, 5, false);
    lob_add(b, LOB_BID, MID, 6, true);
    lob_add(b, LOB_ASK, MID + 1, 7, true);
    lob_cancel(b, id);
    assert_int_equal(b->changes, 2);
    lob_step(b);
    assert_int_equal(b->changes, 0);
    assert_int_equal(lob_qty(b, LOB_BID, MID), 6);
    assert_int_equal(lob_qty(b, LOB_ASK, MID), 0);
    assert_int_equal(lob_first(b, LOB_ASK, MID), LOB_NONE);
    free(b);
}

static void chance_never_picks_a_pinned_order(void **state) {
    (void)state;
    struct lob *b = malloc(sizeof *b);
    struct rng r;
    rng_init(&r, 1, 1);
    lob_init(b);
    int32_t pinned = lob_add(b, LOB_BID, MID, 5, true);
    assert_int_equal(lob_random(b, LOB_BID, &r), LOB_NONE);
    int32_t loose = lob_add(b, LOB_BID, MID, 5, false);
    for (int i = 0; i < 100; i++) assert_int_equal(lob_random(b, LOB_BID, &r), loose);
    lob_cancel(b, loose);
    assert_int_equal(lob_random(b, LOB_BID, &r), LOB_NONE);
    lob_cancel(b, pinned);
    assert_int_equal(b->count[LOB_BID], 0);
    free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_orders_match_as_in_a_plain_list),
        cmocka_unit_test(a_step_lists_every_level_it_touched_once),
        cmocka_unit_test(chance_never_picks_a_pinned_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
