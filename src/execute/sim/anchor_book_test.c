/* The anchor's book against a model that keeps every tick of a small market in two plain arrays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "execute/order/order.h"
#include "execute/sim/anchor_book.h"

static uint64_t seed = 20240808;

static uint64_t rnd(uint64_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

/* Prices 0 .. TOP - 1 in ticks; none = -1. The rules are those of the anchor, walked tick by tick.
 */
enum { TOP = 400000 };
struct naive {
    int64_t lots[2][TOP];
    int64_t best[2], far[2];
};

static int64_t away(int side) { return side == SIDE_SELL ? 1 : -1; }
static bool before(int side, int64_t a, int64_t b) { return side == SIDE_SELL ? a < b : a > b; }

static int64_t naive_search(const struct naive *m, int side, int64_t from) {
    for (int64_t p = from + away(side); p >= 0 && p < TOP; p += away(side)) {
        if (m->far[side] < 0 || before(side, m->far[side], p)) return -1;
        if (m->lots[side][p] > 0) return p;
    }
    return -1;
}

static void naive_best(struct naive *m, int side, int64_t px) {
    m->best[side] = px;
    if (px < 0) m->far[side] = -1;
}

static void naive_set(struct naive *m, int side, int64_t px, int64_t lots) {
    m->lots[side][px] = lots;
    if (lots == 0) {
        if (px == m->best[side]) naive_best(m, side, naive_search(m, side, px));
        return;
    }
    if (m->best[side] < 0 || before(side, px, m->best[side])) {
        m->best[side] = px;
        int64_t bid = m->best[SIDE_BUY], ask = m->best[SIDE_SELL];
        if (bid >= 0 && ask >= 0 && bid >= ask)
            naive_best(m, side ^ 1, naive_search(m, side ^ 1, px));
    }
    if (m->far[side] < 0 || before(side, m->far[side], px)) m->far[side] = px;
}

static void naive_clear(struct naive *m, int side, int64_t px) {
    for (int64_t p = m->best[side]; p >= 0 && p < TOP && !before(side, px, p); p += away(side)) {
        m->lots[side][p] = 0;
    }
    naive_best(m, side, naive_search(m, side, px + away(side)));
}

static void check_same(const struct anchor_book *b, const struct naive *m, int64_t px) {
    for (int side = 0; side < 2; side++) {
        int64_t want = m->best[side] >= 0 ? m->best[side] * b->tick
                       : side == SIDE_BUY ? ANCHOR_NO_BID
                                          : ANCHOR_NO_ASK;
        assert_int_equal(anchor_book_best(b, side), want);
        assert_int_equal(anchor_book_at(b, side, px * b->tick), m->lots[side][px]);
    }
}

/* Mostly near a middle that wanders and sometimes jumps, sometimes anywhere. */
static int64_t some_price(int64_t *mid) {
    if (rnd(2000) == 0) *mid = 1000 + (int64_t)rnd(TOP - 2000);
    if (rnd(4) == 0) *mid += (int64_t)rnd(81) - 40;
    if (*mid < 1000) *mid = 1000;
    if (*mid > TOP - 1000) *mid = TOP - 1000;
    if (rnd(50) == 0) return (int64_t)rnd(TOP);
    return *mid + (int64_t)rnd(60) - 30;
}

struct market {
    struct anchor_book *book;
    struct naive *model;
    int64_t mid;
};

static struct anchor_book *room(size_t size) {
    return aligned_alloc(64, (size + 63) & ~(size_t)63);
}

static struct market market(struct anchor_book *b) {
    struct market m = {b, calloc(1, sizeof *m.model), TOP / 2};
    for (int side = 0; side < 2; side++) m.model->best[side] = m.model->far[side] = -1;
    return m;
}

static void market_step(struct market *m) {
    struct anchor_book *b = m->book;
    int side = (int)rnd(2);
    int64_t px = some_price(&m->mid), lots = rnd(3) == 0 ? 0 : 1 + (int64_t)rnd(9);
    int64_t key = anchor_key(b->tick, side, px * b->tick);
    if (rnd(500) == 0) {
        anchor_book_clear(b, side, key);
        naive_clear(m->model, side, px);
    } else {
        int64_t was = m->model->lots[side][px];
        naive_set(m->model, side, px, lots);
        assert_int_equal(anchor_book_set(b, side, key, lots), was);
    }
    check_same(b, m->model, px);
    check_same(b, m->model, (int64_t)rnd(TOP));
}

static void market_end(struct market *m) {
    assert_int_equal(m->book->full, 0);
    size_t other = 0;
    for (int64_t px = 0; px < TOP; px++) {
        for (int side = 0; side < 2; side++)
            other += anchor_book_at(m->book, side, px * m->book->tick) != m->model->lots[side][px];
    }
    assert_int_equal(other, 0);
    free(m->model);
    free(m->book);
}

static void run_market(int64_t tick, size_t steps) {
    struct market m = market(room(anchor_book_size()));
    anchor_book_init(m.book, tick);
    for (size_t i = 0; i < steps; i++) market_step(&m);
    market_end(&m);
}

/* Fewer steps where the sanitizers make each dear (FATHOM_SHORT). */
static size_t steps(size_t n) { return getenv("FATHOM_SHORT") ? n / 10 : n; }

static void the_window_and_the_outer_list_together_are_every_tick(void **state) {
    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 6; i++) run_market(i % 2 ? 10 : 1, steps(60000));
}

/* They go apart: each has its own prices, jumps and clears. */
static void books_beside_each_other_know_nothing_of_each_other(void **state) {
    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    struct market first = market(room(anchor_book_size()));
    struct market second = market(room(anchor_book_beside_size()));
    anchor_book_init(first.book, 10);
    anchor_book_init_beside(second.book, first.book);
    for (size_t i = 0; i < steps(120000); i++) {
        market_step(rnd(3) == 0 ? &first : &second);
        if (i % 1000 == 0) check_same(first.book, first.model, second.mid);
        if (i % 1000 == 0) check_same(second.book, second.model, first.mid);
    }
    market_end(&second);
    market_end(&first);
}

static void a_price_off_the_tick_is_rounded_half_away_from_zero(void **state) {
    (void)state;
    struct anchor_book *b = room(anchor_book_size());
    anchor_book_init(b, 10);
    assert_int_equal(anchor_key(b->tick, SIDE_SELL, 104), 10);
    assert_int_equal(anchor_key(b->tick, SIDE_SELL, 105), 11);
    assert_int_equal(anchor_key(b->tick, SIDE_BUY, 105), -11);
    assert_int_equal(anchor_px(b, SIDE_BUY, -11), 110);
    free(b);
}

static void levels_beyond_the_room_are_counted(void **state) {
    (void)state;
    struct anchor_book *b = room(anchor_book_size());
    anchor_book_init(b, 1);
    (void)anchor_book_set(b, SIDE_SELL, 1, 1);
    for (int64_t i = 0; i <= ANCHOR_OUTER_MAX; i++) {
        (void)anchor_book_set(b, SIDE_SELL, 10 * ANCHOR_WINDOW + i, 1);
    }
    assert_int_equal(b->full, 1);
    free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_and_the_outer_list_together_are_every_tick),
        cmocka_unit_test(books_beside_each_other_know_nothing_of_each_other),
        cmocka_unit_test(a_price_off_the_tick_is_rounded_half_away_from_zero),
        cmocka_unit_test(levels_beyond_the_room_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
