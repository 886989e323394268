/* series_test.c: windows, moments, fits and wall-time bins against plain loops over all of history.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"
#include "derive/feature/feature_internal.h"

enum { SEED = 11, LONG = 5000 };

static void a_window_is_missing_until_it_is_full(void **state) {
    struct series s = {0};
    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_true(isnan(series_sum(&s, 5)));
        assert_true(isnan(series_lag(&s, (uint64_t)i)));
        series_push(&s, 2.0);
    }
    assert_true(series_sum(&s, 5) == 10.0 && series_mean(&s, 5) == 2.0);
    assert_true(series_lag(&s, 4) == 2.0 && isnan(series_lag(&s, 5)));
}

static void window_sums_equal_sums_over_the_whole_history(void **state) {
    static double all[LONG];
    struct series s = {0};
    struct rng r;
    (void)state;
    rng_init(&r, SEED, 1);
    for (size_t i = 0; i < LONG; i++) {
        all[i] = rng_normal(&r) * 1e6;
        series_push(&s, all[i]);
        for (size_t w = 1; w <= 60 && w <= i + 1; w += 7) {
            double sum = 0.0;
            for (size_t k = i + 1 - w; k <= i; k++) sum += all[k];
            assert_true(series_sum(&s, w) == sum); /* the same order: the same bits */
        }
        if (i >= 60) assert_true(series_lag(&s, 60) == all[i - 60]);
    }
}

static void a_missing_value_leaves_with_its_window(void **state) {
    struct series s = {0};
    (void)state;
    for (int i = 0; i < 20; i++) series_push(&s, i == 5 ? MISSING : 1.0);
    assert_true(isnan(series_sum(&s, 15)));
    assert_true(series_sum(&s, 14) == 14.0);
}

static void moments_of_shifted_and_scaled_values_shift_and_scale(void **state) {
    double x[50], y[50];
    struct rng r;
    (void)state;
    rng_init(&r, SEED, 2);
    for (int i = 0; i < 50; i++) {
        x[i] = rng_exp(&r);
        y[i] = 3.0 * x[i] + 7.0;
    }
    struct moments a = moments_of(x, 50), b = moments_of(y, 50);
    assert_true(fabs(b.mean - (3.0 * a.mean + 7.0)) < 1e-12);
    assert_true(fabs(b.m2 - 9.0 * a.m2) < 1e-11);
    assert_true(fabs(b.m3 - 27.0 * a.m3) < 1e-10);
    assert_true(fabs(b.m4 - 81.0 * a.m4) < 1e-9);
    assert_false(moments_flat(&a));
    assert_true(fabs(zscore_of(x[3], x, 50) - zscore_of(y[3], y, 50)) < 1e-12);
}

static void equal_values_are_flat_and_have_no_z_score(void **state) {
    double x[20];
    (void)state;
    for (int i = 0; i < 20; i++) x[i] = 61659.75;
    struct moments m = moments_of(x, 20);
    assert_true(moments_flat(&m));
    assert_true(isnan(zscore_of(x[0], x, 20)));
}

static void a_line_is_found_again(void **state) {
    double x[30], y[30];
    (void)state;
    for (int i = 0; i < 30; i++) {
        x[i] = 0.1 * i - 4.0;
        y[i] = 2.5 - 1.25 * x[i];
    }
    struct line_fit f = line_fit(x, y, 30);
    assert_true(fabs(f.slope + 1.25) < 1e-12 && fabs(f.intercept - 2.5) < 1e-12);
    assert_true(fabs(f.r2 - 1.0) < 1e-12);
    for (int i = 0; i < 30; i++) x[i] = 5.0;
    assert_true(isnan(line_fit(x, y, 30).slope));
}

static void a_ratio_is_a_number_or_missing_never_infinite(void **state) {
    (void)state;
    assert_true(ratio_of(1.0, 4.0) == 0.25);
    assert_true(isnan(ratio_of(1.0, 0.0)) && isnan(ratio_of(0.0, 0.0)));
    assert_true(isnan(ratio_of(1e300, 1e-300)) && isnan(ratio_of(MISSING, 1.0)));
}

/* Trades at random times, some after long silence: bins against a sum over all trades. */
static void bins_equal_a_sum_over_all_of_history(void **state) {
    static int64_t at[LONG], size[LONG];
    static struct bins b;
    struct rng r;
    int64_t now = INT64_C(1723161255) * NS_PER_S;
    (void)state;
    rng_init(&r, SEED, 3);
    for (size_t i = 0; i < LONG; i++) {
        now += (int64_t)(rng_exp(&r) * 1e9 * (rng_below(&r, 100) ? 0.7 : 200.0));
        at[i] = now / NS_PER_S;
        size[i] = (int64_t)rng_below(&r, 1000);
        bins_roll(&b, now, NS_PER_S);
        bins_add(&b, 1, size[i]);
        for (int64_t w = 60; w <= 300; w += 240) {
            int64_t sum = 0;
            for (size_t k = i + 1; k-- > 0 && at[k] > at[i] - w;) sum += size[k];
            double got = bins_sum(&b, 1, (size_t)w);
            if (at[i] - at[0] < w)
                assert_true(isnan(got));
            else
                assert_true(got == (double)sum);
        }
    }
}

static void a_late_stamp_counts_in_the_latest_bin(void **state) {
    static struct bins b;
    (void)state;
    bins_roll(&b, 1000 * NS_PER_S, NS_PER_S);
    bins_roll(&b, 1100 * NS_PER_S, NS_PER_S);
    bins_add(&b, 0, 5);
    bins_roll(&b, 1099 * NS_PER_S, NS_PER_S);
    bins_add(&b, 0, 7);
    assert_true(bins_sum(&b, 0, 1) == 12.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_is_missing_until_it_is_full),
        cmocka_unit_test(window_sums_equal_sums_over_the_whole_history),
        cmocka_unit_test(a_missing_value_leaves_with_its_window),
        cmocka_unit_test(moments_of_shifted_and_scaled_values_shift_and_scale),
        cmocka_unit_test(equal_values_are_flat_and_have_no_z_score),
        cmocka_unit_test(a_line_is_found_again),
        cmocka_unit_test(a_ratio_is_a_number_or_missing_never_infinite),
        cmocka_unit_test(bins_equal_a_sum_over_all_of_history),
        cmocka_unit_test(a_late_stamp_counts_in_the_latest_bin),
    };
    print_message("seed %d\n", SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
