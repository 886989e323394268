/* The random source: fixed numbers, ranges, and moments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "base/rng.h"

/* First outputs of xoshiro256** from the state 1, 2, 3, 4, worked out by hand from its definition:
 * rotl(2 * 5, 7) * 9 = 11520, then s[1] = 3 ^ ... as the steps give. */
static void the_recurrence_is_xoshiro256_star_star(void **state) {
    (void)state;
    struct rng r = {{1, 2, 3, 4}};
    assert_true(rng_u64(&r) == 11520);
    assert_true(rng_u64(&r) == 0);
    assert_true(rng_u64(&r) == 1509978240);
    assert_true(rng_u64(&r) == 1215971899390074240);
}

static void a_seed_gives_the_same_numbers_and_streams_differ(void **state) {
    (void)state;
    struct rng a, b, c, d;
    rng_init(&a, 7, 1);
    rng_init(&b, 7, 1);
    rng_init(&c, 7, 2);
    rng_init(&d, 8, 1);
    for (int i = 0; i < 100; i++) {
        uint64_t x = rng_u64(&a);
        assert_true(x == rng_u64(&b));
        assert_true(x != rng_u64(&c) && x != rng_u64(&d));
    }
}

static void small_ranges_are_even(void **state) {
    (void)state;
    struct rng r;
    uint64_t count[7] = {0};
    rng_init(&r, 1, 1);
    for (int i = 0; i < 70000; i++) count[rng_below(&r, 7)]++;
    for (int k = 0; k < 7; k++) assert_true(count[k] > 9600 && count[k] < 10400); /* 4 sigma */
}

static void deviates_have_their_moments(void **state) {
    (void)state;
    struct rng r;
    double n = 200000, sum = 0, square = 0, cube = 0, wait = 0;
    rng_init(&r, 3, 1);
    for (int i = 0; i < (int)n; i++) {
        double x = rng_normal(&r), u = rng_unit(&r);
        assert_true(u > 0 && u < 1);
        sum += x;
        square += x * x;
        cube += x * x * x;
        wait += rng_exp(&r);
    }
    assert_true(fabs(sum / n) < 4 / sqrt(n));
    assert_true(fabs(square / n - 1) < 4 * sqrt(2 / n));
    assert_true(fabs(cube / n) < 4 * sqrt(15 / n));
    assert_true(fabs(wait / n - 1) < 4 / sqrt(n));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recurrence_is_xoshiro256_star_star),
        cmocka_unit_test(a_seed_gives_the_same_numbers_and_streams_differ),
        cmocka_unit_test(small_ranges_are_even),
        cmocka_unit_test(deviates_have_their_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
