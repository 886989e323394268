/* The as-of join against a bitemporal table that is searched from the start for every question. */
#include "derive/feature/asof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { SEED = 20240521, ROWS = 400, TABLES = 300, WINDOW = 12 };

struct fact { /* a row of the bitemporal table */
    int64_t event, publish;
    double value;
    int64_t newest; /* of all rows published by then */
};

/* Rows in order of publication: new points, revisions, points that come late. */
static size_t table_make(struct rng *r, struct fact *t) {
    int64_t now = 1000, newest = 0;
    size_t n = 20 + (size_t)rng_below(r, ROWS - 20);
    for (size_t i = 0; i < n; i++) {
        uint64_t pick = rng_below(r, 10);
        now += (int64_t)rng_below(r, 4); /* ties happen */
        int64_t event = newest + 1 + (int64_t)rng_below(r, 5);
        if (i > 0 && pick < 3) event = t[rng_below(r, i)].event; /* a revision */
        if (i > 0 && pick == 3) event = 1 + (int64_t)rng_below(r, (uint64_t)newest); /* late */
        if (event > newest) newest = event;
        t[i] = (struct fact){event, now, (double)rng_below(r, 50) - 20.0, newest};
    }
    return n;
}

/* Of the first `seen` rows: the last one of the event time that is `rank`-th from the newest. */
static const struct fact *naive(const struct fact *t, size_t seen, size_t rank, int64_t from) {
    int64_t below = INT64_MAX;
    const struct fact *found = NULL;
    for (size_t k = 0; k <= rank; k++) {
        found = NULL;
        for (size_t i = 0; i < seen; i++)
            if (t[i].event < below && t[i].event >= from && (!found || t[i].event >= found->event))
                found = &t[i];
        if (!found) return NULL;
        below = found->event;
    }
    return found;
}

static void nothing_unpublished_and_no_later_revision_is_ever_seen(void **state) {
    struct fact t[ROWS];
    struct rng r;
    (void)state;
    rng_init(&r, SEED, 1);
    printf("seed %d\n", SEED);
    for (int k = 0; k < TABLES; k++) {
        struct asof a;
        size_t n = table_make(&r, t);
        memset(&a, 0, sizeof a);
        assert_null(asof_latest(&a));
        for (size_t seen = 1; seen <= n; seen++) {
            const struct fact *f = &t[seen - 1];
            double window[WINDOW];
            asof_take(&a, f->event, f->publish, f->value, f->newest);
            const struct asof_point *p = asof_latest(&a);
            const struct fact *want = naive(t, seen, 0, t[0].newest);
            assert_true(p && want);
            assert_int_equal(p->event_ns, want->event);
            assert_int_equal(p->publish_ns, want->publish);
            assert_true(p->publish_ns <= f->publish && p->value == want->value);
            bool full = naive(t, seen, WINDOW - 1, t[0].newest) != NULL;
            assert_int_equal(asof_window(&a, WINDOW, window), full);
            for (size_t i = 0; i < WINDOW && full; i++)
                assert_true(window[WINDOW - 1 - i] == naive(t, seen, i, t[0].newest)->value);
        }
    }
}

static void a_reader_that_starts_in_the_middle_is_silent_or_right(void **state) {
    struct fact t[ROWS];
    struct rng r;
    size_t right = 0;
    (void)state;
    rng_init(&r, SEED, 2);
    for (int k = 0; k < TABLES; k++) {
        struct asof whole, late;
        size_t n = table_make(&r, t), from = (size_t)rng_below(&r, n);
        memset(&whole, 0, sizeof whole);
        memset(&late, 0, sizeof late);
        for (size_t i = 0; i < n; i++) {
            double x[WINDOW], y[WINDOW];
            asof_take(&whole, t[i].event, t[i].publish, t[i].value, t[i].newest);
            if (i < from) continue;
            asof_take(&late, t[i].event, t[i].publish, t[i].value, t[i].newest);
            const struct asof_point *p = asof_latest(&whole), *q = asof_latest(&late);
            if (q) {
                assert_memory_equal(p, q, sizeof *p);
                right++;
            }
            if (asof_window(&late, WINDOW, y)) {
                assert_true(asof_window(&whole, WINDOW, x));
                assert_memory_equal(x, y, sizeof x);
            }
            int64_t at = late.known_ns + (int64_t)rng_below(&r, 20);
            const struct asof_point *next = asof_after(&late, at), *real = asof_after(&whole, at);
            assert_int_equal(next == NULL, real == NULL);
            if (next) assert_memory_equal(next, real, sizeof *next);
        }
    }
    assert_true(right > 1000);
}

static void what_was_dropped_is_said(void **state) {
    struct asof a;
    (void)state;
    memset(&a, 0, sizeof a);
    for (int64_t i = 1; i <= ASOF_POINTS; i++) asof_take(&a, 10 * i, i, (double)i, 10 * i);
    assert_int_equal(a.known_ns, 10);
    asof_take(&a, 10 * (ASOF_POINTS + 1), 99, 0.0, 10 * (ASOF_POINTS + 1));
    assert_int_equal(a.known_ns, 11);
    assert_int_equal(a.point[0].event_ns, 20);
    asof_take(&a, 15, 100, 0.0, 10 * (ASOF_POINTS + 1)); /* older than all: not kept */
    assert_int_equal(a.known_ns, 16);
    assert_int_equal(a.n, ASOF_POINTS);
    asof_take(&a, 25, 101, 7.0, 10 * (ASOF_POINTS + 1));
    assert_int_equal(a.point[0].event_ns, 25);
    assert_true(a.point[0].value == 7.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_unpublished_and_no_later_revision_is_ever_seen),
        cmocka_unit_test(a_reader_that_starts_in_the_middle_is_silent_or_right),
        cmocka_unit_test(what_was_dropped_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
