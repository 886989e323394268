/* multiple_test.c: published answers, and how often luck passes. */
#include "learn/study/multiple.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"

enum { SEED = 1995, ROWS = 200, TRIES = 20, WORLDS = 1000, REPEATS = 99 };

/* Benjamini and Hochberg 1995, section 3.2: 15 p-values, 4 discoveries at .05, Bonferroni 3. */
static void the_example_of_benjamini_and_hochberg(void **state) {
    (void)state;
    static const double p[15] = {.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459,
        .3240, .4262, .5719, .6528, .7590, 1.0};
    double q[15], b[15];
    multiple_benjamini_hochberg(p, 15, q);
    multiple_bonferroni(p, 15, b);
    assert_int_equal(multiple_count(q, 15, 0.05), 4);
    assert_int_equal(multiple_count(b, 15, 0.05), 3);
    assert_true(fabs(q[3] - .0095 * 15 / 4) < 1e-12 && fabs(b[2] - .0019 * 15) < 1e-12);
    assert_true(fabs(q[14] - 1) < 1e-12);
    for (int i = 1; i < 15; i++) assert_true(q[i] >= q[i - 1]);
}

static void what_was_not_tested_is_not_counted(void **state) {
    (void)state;
    double p[4] = {0.04, (double)NAN, 0.01, 0.03}, q[4], b[4];
    multiple_benjamini_hochberg(p, 4, q);
    multiple_bonferroni(p, 4, b);
    assert_true(isnan(q[1]) && isnan(b[1]));
    assert_true(fabs(b[2] - 0.03) < 1e-12 && fabs(q[2] - 0.03) < 1e-12);
    assert_true(fabs(q[0] - 0.04) < 1e-12 && fabs(q[3] - 0.04) < 1e-12);
}

static void fill(double *f, struct rng *r, double skill) {
    for (size_t i = 0; i < (size_t)ROWS * TRIES; i++) f[i] = rng_normal(r);
    for (size_t i = 0; i < ROWS; i++) f[i * TRIES + 7] += skill;
}

/* The best of 20 tries without skill: its own p-value is small in most worlds, the reality check's
 * below .1 in about a tenth of them. */
static void the_best_of_many_tries_is_judged_by_how_many_were_tried(void **state) {
    (void)state;
    double *f = malloc((size_t)ROWS * TRIES * sizeof *f);
    struct rng r;
    size_t honest = 0, naive = 0;
    assert_non_null(f);
    rng_init(&r, SEED, 1);
    print_message("seed %d\n", SEED);
    for (uint64_t w = 0; w < WORLDS; w++) {
        fill(f, &r, 0);
        struct reality_check c = reality_check(f, ROWS, TRIES, 1, REPEATS, w);
        honest += c.p <= 0.1;
        naive += c.p_naive <= 0.1;
    }
    print_message("p <= .1: reality check %zu, alone %zu of %d worlds\n", honest, naive, WORLDS);
    assert_true(honest >= 62 && honest <= 138); /* 100 expected, sd 9.5 */
    assert_true(naive > WORLDS / 2);
    fill(f, &r, 0.4); /* t of 5.7 */
    struct reality_check c = reality_check(f, ROWS, TRIES, 1, REPEATS, 1);
    assert_int_equal(c.best, 7);
    assert_true(c.p <= 0.02 && fabs(c.mean - 0.4) < 0.3);
    free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_benjamini_and_hochberg),
        cmocka_unit_test(what_was_not_tested_is_not_counted),
        cmocka_unit_test(the_best_of_many_tries_is_judged_by_how_many_were_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
