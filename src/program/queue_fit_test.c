#include "program/queue_fit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { ORDERS_MAX = 400, SEED = 7 };

/* One level at which orders join behind, trade in front and cancel by the power law `law`. */
struct crowd {
    struct rng r;
    struct {
        int64_t id, qty;
    } order[ORDERS_MAX];
    size_t n;
    int64_t next_id, total, ts;
    struct queue_spec law;
    int64_t sizes; /* order sizes are 1..sizes */
};

static struct event event_of(struct crowd *c, uint8_t kind, int64_t qty) {
    return (struct event){.ts_venue = {c->ts},
        .ts_local = {c->ts},
        .px = {100},
        .qty = {qty},
        .kind = kind,
        .flags = EVF_BUY | EVF_FIRST | EVF_LAST};
}

static void say(struct crowd *c, struct queue_watch *w, int64_t id, int64_t qty, int action) {
    struct event order = event_of(c, EV_ORDER, qty), level = event_of(c, EV_DEPTH, 0);
    int64_t before = c->total;
    order.id = id;
    order.aux.a = action;
    c->total += action == ACTION_ADD ? qty : -qty;
    queue_watch_order(w, &order, true);
    if (action == ACTION_EXECUTE) {
        struct event print = event_of(c, EV_TRADE, qty);
        print.flags = EVF_SELL | EVF_FIRST | EVF_LAST;
        queue_watch_print(w, &print);
    }
    queue_watch_level(w, &level, before, c->total, true);
    c->ts += NS_PER_S;
}

static void leave(struct crowd *c, size_t i) {
    memmove(&c->order[i], &c->order[i + 1], (c->n - i - 1) * sizeof c->order[0]);
    c->n--;
}

/* The order at a place drawn from the law. */
static size_t who_cancels(struct crowd *c) {
    double u = rng_unit(&c->r), sum = 0;
    for (size_t i = 0; i < c->n; i++) {
        sum += (double)c->order[i].qty;
        double q = sum / (double)c->total;
        if (queue_place_share(&c->law, (double)c->total, q) >= u) return i;
    }
    return c->n - 1;
}

static void step(struct crowd *c, struct queue_watch *w) {
    uint64_t what = rng_below(&c->r, 10);
    if (c->n < 8 || (what < 5 && c->n < ORDERS_MAX)) {
        int64_t qty = 1 + (int64_t)rng_below(&c->r, (uint64_t)c->sizes);
        c->order[c->n].id = ++c->next_id;
        c->order[c->n++].qty = qty;
        say(c, w, c->next_id, qty, ACTION_ADD);
    } else if (what == 5) {
        int64_t id = c->order[0].id, qty = c->order[0].qty;
        leave(c, 0);
        say(c, w, id, qty, ACTION_EXECUTE);
    } else {
        size_t i = who_cancels(c);
        int64_t id = c->order[i].id, qty = c->order[i].qty;
        leave(c, i);
        say(c, w, id, qty, ACTION_DELETE);
    }
}

static void run(struct queue_watch *w, struct queue_spec law, bool per_order, int64_t sizes) {
    struct crowd *c = calloc(1, sizeof *c);
    rng_init(&c->r, SEED, law.model);
    c->law = law;
    c->sizes = sizes;
    c->ts = NS_PER_S;
    queue_watch_init(w, 1, per_order);
    for (int i = 0; i < 20000; i++) step(c, w);
    queue_watch_end(w);
    free(c);
}

static void the_fit_finds_the_power_that_made_the_cancels(void **state) {
    (void)state;
    printf("seed %d\n", SEED);
    for (uint8_t m = QUEUE_POWER; m <= QUEUE_POWER3; m++) {
        for (int k = 0; k < 3; k++) {
            double truth = k == 0 ? 0.7 : k == 1 ? 1.5 : 3;
            for (int per_order = 0; per_order < 2; per_order++) {
                struct queue_spec law = {.model = m, .power = truth, .unit = 1};
                struct queue_spec fit = {.model = m, .unit = 1};
                struct queue_watch w;
                run(&w, law, per_order, 1 << 20); /* sizes that tell orders apart */
                assert_true(w.n > 1000);
                double best = queue_best_power(&fit, w.seen, w.n);
                printf("%s %g, %s: fitted %.3f from %zu cancels\n", queue_name(m), truth,
                    per_order ? "orders" : "levels", fit.power, w.n);
                assert_true(fabs(fit.power / truth - 1) < 0.1);
                /* the law that made them is the most likely of all models */
                for (uint8_t o = QUEUE_LOG; o <= QUEUE_POWER3; o++) {
                    struct queue_spec other = {.model = o, .power = 1, .unit = 1};
                    assert_true(queue_best_power(&other, w.seen, w.n) <= best + 1e-9);
                }
                queue_watch_free(&w);
            }
        }
    }
}

static void equal_sizes_are_not_told_apart_from_levels(void **state) {
    (void)state;
    struct queue_spec law = {.model = QUEUE_POWER, .power = 1, .unit = 1};
    struct queue_watch few, many;
    run(&few, law, false, 5);
    run(&many, law, false, 1 << 20);
    assert_true(few.unmatched * 2 > few.cancels);
    assert_true(many.unmatched * 100 < many.cancels);
    queue_watch_free(&few);
    queue_watch_free(&many);
}

static void a_fall_that_a_print_explains_later_is_no_cancel(void **state) {
    (void)state;
    struct queue_watch w;
    struct crowd c = {.ts = NS_PER_S};
    queue_watch_init(&w, 1, false);
    struct event level = event_of(&c, EV_DEPTH, 0), print = event_of(&c, EV_TRADE, 7);
    print.flags = EVF_SELL;
    queue_watch_level(&w, &level, 0, 7, true);
    queue_watch_level(&w, &level, 7, 12, true);
    queue_watch_level(&w, &level, 12, 15, true);
    level.ts_venue.ns += NS_PER_MS;
    queue_watch_level(&w, &level, 15, 8, true); /* 7 gone: so far a cancel */
    assert_int_equal(w.n, 1);
    print.ts_venue.ns = level.ts_venue.ns + 50 * NS_PER_MS;
    queue_watch_print(&w, &print);
    queue_watch_end(&w);
    assert_int_equal(w.n, 0);
    queue_watch_free(&w);
}

static void places_are_shares_of_the_level(void **state) {
    (void)state;
    struct queue_watch w;
    struct crowd c = {.ts = NS_PER_S};
    queue_watch_init(&w, 0.5, false);
    struct event level = event_of(&c, EV_DEPTH, 0);
    queue_watch_level(&w, &level, 10, 30, true); /* 10 unknown, then 20 */
    queue_watch_level(&w, &level, 30, 35, true); /* then 5 */
    queue_watch_level(&w, &level, 35, 40, true);
    queue_watch_level(&w, &level, 40, 20, true); /* the 20 go */
    assert_int_equal(w.n, 1);
    assert_true(fabs(w.seen[0].x0 - 0.25) < 1e-12 && fabs(w.seen[0].x1 - 0.75) < 1e-12);
    assert_true(fabs(w.seen[0].unknown - 0.25) < 1e-12 && w.seen[0].total == 20);
    queue_watch_level(&w, &level, 20, 15, true); /* 5 of two orders of 5: whose? */
    assert_int_equal(w.n, 1);
    assert_int_equal(w.unmatched, 1);
    struct queue_spec flat = {.model = QUEUE_POWER, .power = 1, .unit = 1};
    double want = log(0.5 / 0.75);
    assert_true(fabs(queue_likelihood(&flat, w.seen, 1) - want) < 1e-12);
    struct queue_spec risk = {.model = QUEUE_RISK, .unit = 1};
    assert_true(queue_likelihood(&risk, w.seen, 1) == -INFINITY);
    queue_watch_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fit_finds_the_power_that_made_the_cancels),
        cmocka_unit_test(equal_sizes_are_not_told_apart_from_levels),
        cmocka_unit_test(a_fall_that_a_print_explains_later_is_no_cancel),
        cmocka_unit_test(places_are_shares_of_the_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
