/* feature_agg_test.c: aggregates at their edges, told by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "derive/feature/feature_internal.h"

#define T0 (INT64_C(1723161600) * NS_PER_S) /* a whole day */
#define QUARTER (900 * NS_PER_S)

extern const struct feature_family feature_family_agg;

struct bench {
    struct feature_ctx ctx;
    void *state;
    double *out;
};

static struct bench bench_new(void) {
    const struct feature_family *f = &feature_family_agg;
    struct bench b = {{0}, calloc(1, f->state_size()), calloc(f->count, sizeof(double))};
    assert_true(b.state && b.out);
    b.ctx.qty_unit = 0.001;
    f->init(b.state, &b.ctx);
    return b;
}

static void bench_free(struct bench *b) {
    free(b->state);
    free(b->out);
}

static void trade(struct bench *b, int64_t ns, int64_t px, int64_t lots) { /* lots < 0: sold */
    struct event ev = {.kind = EV_TRADE,
        .flags = (uint8_t)(EVF_FIRST | EVF_LAST | (lots > 0 ? EVF_BUY : EVF_SELL)),
        .ts_local = {T0 + ns},
        .px = {px},
        .qty = {lots > 0 ? lots : -lots}};
    feature_family_agg.on_event(b->state, &b->ctx, &ev, NULL);
}

static double value_at(struct bench *b, int64_t ns, const char *name) {
    struct bucket bucket = {.close_ts = {T0 + ns}, .trigger = CUT_TIME};
    feature_family_agg.on_bucket(b->state, &b->ctx, NULL, &bucket, b->out);
    for (size_t i = 0; i < feature_family_agg.count; i++)
        if (strcmp(feature_family_agg.defs[i].name, name) == 0) return b->out[i];
    fail_msg("no row %s", name);
    return 0.0;
}

static void assert_near(double a, double b) {
    assert_true(fabs(a - b) < 1e-9 * fmax(1.0, fabs(b)));
}

static void a_second_is_told_when_it_is_over_and_a_silent_one_repeats_the_price(void **state) {
    struct bench b = bench_new();
    (void)state;
    trade(&b, 0, 1000, 5); /* the cut second */
    trade(&b, NS_PER_S, 1010, 4);
    trade(&b, 2 * NS_PER_S, 1030, 3); /* the boundary belongs to the second that begins */
    trade(&b, 2 * NS_PER_S + 7, 1020, -1);
    assert_true(isnan(value_at(&b, 3 * NS_PER_S - 1, "agg_return_s1")));
    assert_near(value_at(&b, 3 * NS_PER_S, "agg_return_s1"), 1e4 * log(1020.0 / 1010.0));
    assert_near(value_at(&b, 3 * NS_PER_S, "agg_range_s1"), 1e4 * log(1030.0 / 1020.0));
    assert_near(value_at(&b, 3 * NS_PER_S, "agg_volume_s1"), 0.004);
    assert_near(value_at(&b, 3 * NS_PER_S, "agg_imbalance_s1"), 0.5);
    assert_true(value_at(&b, 4 * NS_PER_S, "agg_return_s1") == 0.0);
    assert_true(value_at(&b, 4 * NS_PER_S, "agg_volume_s1") == 0.0);
    assert_true(isnan(value_at(&b, 4 * NS_PER_S, "agg_imbalance_s1")));
    assert_near(value_at(&b, 4 * NS_PER_S, "agg_return_lag1_s1"), 1e4 * log(1020.0 / 1010.0));
    bench_free(&b);
}

/* The price goes back and forth between 1000 and 1001 each quarter, and ends at 1001. */
static void a_day_is_the_last_ninety_six_quarters(void **state) {
    struct bench b = bench_new();
    double step = 1e4 * log(1001.0 / 1000.0);
    (void)state;
    for (int64_t i = 0; i < 98; i++) trade(&b, i * QUARTER, 1000 + i % 2, i % 4 ? 1000 : -1000);
    assert_true(isnan(value_at(&b, 97 * QUARTER, "agg_return_d1")));
    assert_true(value_at(&b, 98 * QUARTER, "agg_return_d1") == 0.0);
    assert_near(value_at(&b, 98 * QUARTER, "agg_range_d1"), step);
    assert_near(value_at(&b, 98 * QUARTER, "agg_volume_d1"), 96.0);
    assert_near(value_at(&b, 98 * QUARTER, "agg_imbalance_d1"), 0.5);
    assert_near(value_at(&b, 98 * QUARTER, "agg_vol_d1"), step * sqrt(96.0));
    assert_near(value_at(&b, 98 * QUARTER, "agg_return_m15"), step);
    assert_near(value_at(&b, 99 * QUARTER, "agg_return_d1"), step); /* from 1000 to a silent 1001 */
    bench_free(&b);
}

static void a_silence_of_days_is_the_same_in_one_step_and_in_many(void **state) {
    struct bench a = bench_new(), b = bench_new();
    size_t n = feature_family_agg.state_size();
    (void)state;
    for (int64_t i = 0; i < 500; i++) {
        trade(&a, i * 17 * NS_PER_S, 1000 + i * 7919 % 31, 1 + i % 5);
        trade(&b, i * 17 * NS_PER_S, 1000 + i * 7919 % 31, 1 + i % 5);
    }
    for (int64_t s = 8500; s < 400000; s += 13) (void)value_at(&a, s * NS_PER_S, "agg_vol_d1");
    (void)value_at(&a, 400000 * NS_PER_S, "agg_vol_d1");
    (void)value_at(&b, 400000 * NS_PER_S, "agg_vol_d1");
    assert_memory_equal(a.out, b.out, feature_family_agg.count * sizeof(double));
    assert_memory_equal(a.state, b.state, n);
    assert_true(value_at(&b, 400000 * NS_PER_S, "agg_return_lag1_d1") == 0.0);
    bench_free(&a);
    bench_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_is_told_when_it_is_over_and_a_silent_one_repeats_the_price),
        cmocka_unit_test(a_day_is_the_last_ninety_six_quarters),
        cmocka_unit_test(a_silence_of_days_is_the_same_in_one_step_and_in_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
