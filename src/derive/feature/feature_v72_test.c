/* feature_v72_test.c: the factors that need a reference instrument, and the scales.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "derive/feature/stream.h"

enum { SECONDS = 260, FACTORS = 13, I_COLUMN = 7, REGIME_COLUMN = 8, I_HOURS = 11, REGIME_HOURS };
#define START (INT64_C(1700000000) * NS_PER_S)

enum how { NO_REFERENCE, SAME, UNRELATED, STALE, LATE };

struct run {
    double value[SECONDS + 2][FACTORS];
    size_t rows;
};

static void keep(void *user, const struct stream *s, const struct bucket *b, const float *row) {
    struct run *r = user;
    (void)b;
    (void)row;
    assert_true(r->rows < SECONDS + 2);
    memcpy(r->value[r->rows++], feature_values(stream_features(s)), sizeof r->value[0]);
}

static void trade(struct stream *s, struct run *r, struct rng *rng, int64_t ns, int64_t px) {
    bool buy = rng_below(rng, 2);
    struct event ev = {.kind = EV_TRADE,
        .flags = (uint8_t)(EVF_FIRST | EVF_LAST | (buy ? EVF_BUY : EVF_SELL)),
        .ts_local = {ns},
        .px = {px},
        .qty = {1 + (int64_t)rng_below(rng, 900)}};
    stream_event(s, &ev, keep, r);
}

/* One trade a second of a wandering price; the reference a quarter of a second later. */
static void make(struct run *r, enum how how) {
    struct stream_spec spec;
    struct feature_set set;
    struct rng rng, other;
    double px = 20000.0, ref = 900.0;
    memset(&spec, 0, sizeof spec);
    memset(r, 0, sizeof *r);
    spec.inst.px_mant = spec.inst.qty_mant = 1;
    spec.inst.px_exp = spec.inst.qty_exp = 2;
    spec.inst.tick_units = spec.inst.lot_units = 1;
    spec.inst.contract_e8 = 100000000;
    spec.bucket.mode = BUCKET_TIME;
    spec.bucket.size = NS_PER_S;
    assert_true(feature_set_parse("v72", &set, NULL));
    assert_int_equal(set.count, FACTORS);
    size_t n = (stream_mem_size(&spec, &set) + 63) & ~(size_t)63;
    struct stream *s = stream_init(aligned_alloc(64, n), &spec, &set);
    rng_init(&rng, 7, 0);
    rng_init(&other, 7, 1);
    for (int64_t t = 0; t < SECONDS; t++) {
        int64_t now = START + t * NS_PER_S + NS_PER_S / 4;
        px = floor(px * exp(0.002 * rng_normal(&rng) + 0.001));
        ref *= exp(0.002 * rng_normal(&other));
        trade(s, r, &rng, now, (int64_t)px);
        ts_t at = {how == LATE ? START + (t + 1) * NS_PER_S + NS_PER_S / 8 : now + NS_PER_S / 4};
        bool quiet = how == NO_REFERENCE || (how == STALE && t > SECONDS - 70);
        if (!quiet) stream_reference(s, at, how == UNRELATED ? ref : px, keep, r);
    }
    free(s);
}

static const double *last(const struct run *r) { return r->value[r->rows - 1]; }

static void without_a_reference_i_and_regime_are_missing_and_nothing_else_is(void **state) {
    struct run r;
    (void)state;
    make(&r, NO_REFERENCE);
    assert_true(isnan(last(&r)[I_COLUMN]) && isnan(last(&r)[REGIME_COLUMN]));
    static const size_t there[] = {0, 1, 2, 3, 9, 10};
    for (size_t i = 0; i < 6; i++) assert_true(!isnan(last(&r)[there[i]]));
}

static void a_price_that_is_the_reference_itself_is_not_independent(void **state) {
    struct run r;
    (void)state;
    make(&r, SAME);
    assert_true(fabs(last(&r)[I_COLUMN]) < 1e-6);
    assert_true(last(&r)[REGIME_COLUMN] > 80.0); /* it drifts upwards */
}

static void an_unrelated_price_is_independent(void **state) {
    struct run r;
    (void)state;
    make(&r, UNRELATED);
    assert_true(last(&r)[I_COLUMN] > 90.0 && last(&r)[I_COLUMN] <= 100.0);
    assert_true(fabs(last(&r)[REGIME_COLUMN]) <= 100.0);
}

/* The reference's price of the next second closes the bucket first: the row must not hold it. */
static void a_reference_price_after_the_close_is_not_in_the_row(void **state) {
    struct run now, late;
    (void)state;
    make(&now, SAME);
    make(&late, LATE);
    assert_true(last(&late)[I_COLUMN] > 90.0); /* one close behind: nothing in common */
    assert_true(last(&now)[I_COLUMN] < 1e-6);
}

static void a_reference_older_than_a_minute_is_none(void **state) {
    struct run r;
    (void)state;
    make(&r, STALE);
    assert_true(isnan(last(&r)[I_COLUMN]) && isnan(last(&r)[REGIME_COLUMN]));
    assert_true(!isnan(r.value[r.rows - 40][I_COLUMN])); /* half a minute old */
}

static void factors_keep_their_scale(void **state) {
    struct run r;
    (void)state;
    make(&r, UNRELATED);
    for (size_t i = 0; i < r.rows; i++) {
        for (size_t j = 0; j <= REGIME_COLUMN; j++)
            if (!isnan(r.value[i][j]))
                assert_true(
                    r.value[i][j] <= 100.0 && r.value[i][j] >= (j == I_COLUMN ? 0.0 : -100.0));
        for (size_t j = REGIME_COLUMN + 1; j < I_HOURS; j++)
            if (!isnan(r.value[i][j])) assert_true(r.value[i][j] > 0.0);
    }
}

/* --- rows over hours ------------------------------------------------------------------------- */

enum { HOURS = 200, QUARTERS = 4 * HOURS, GAP_HOUR = 12 };
#define HOUR_START (INT64_C(472222) * 3600 * NS_PER_S)

struct column {
    double i, i_hours, regime, regime_hours;
};
struct hours {
    struct column at[HOURS]; /* at the end of each hour */
    int64_t bucket_ns;
    size_t inside; /* rows with a number that do not end an hour */
};

static void keep_hours(
    void *user, const struct stream *s, const struct bucket *b, const float *row) {
    struct hours *r = user;
    const double *v = feature_values(stream_features(s));
    int64_t since = b->close_ts.ns - HOUR_START, hour = 3600 * NS_PER_S;
    (void)row;
    if (since % hour != 0) {
        r->inside += !isnan(v[I_HOURS]) && !isnan(v[REGIME_HOURS]);
        return;
    }
    assert_true(since > 0 && since <= HOURS * hour);
    r->at[since / hour - 1] =
        (struct column){v[I_COLUMN], v[I_HOURS], v[REGIME_COLUMN], v[REGIME_HOURS]};
}

static void put_trade(
    struct stream *s, struct hours *r, int64_t ns, int64_t px, int64_t qty, bool buy) {
    struct event ev = {.kind = EV_TRADE,
        .flags = (uint8_t)(EVF_FIRST | EVF_LAST | (buy ? EVF_BUY : EVF_SELL)),
        .ts_local = {ns},
        .px = {px},
        .qty = {qty}};
    stream_event(s, &ev, keep_hours, r);
}

/* A trade and a price of the reference 30 s before the end of each quarter of an hour. With
 * `gap` the reference is silent all through one hour. */
static void make_hours(struct hours *r, int64_t bucket_ns, bool gap) {
    struct stream_spec spec;
    struct feature_set set;
    struct rng rng;
    double px = 20000.0, ref = 900.0;
    memset(&spec, 0, sizeof spec);
    memset(r, 0, sizeof *r);
    for (size_t i = 0; i < HOURS; i++) r->at[i] = (struct column){NAN, NAN, NAN, NAN};
    spec.inst.px_mant = spec.inst.qty_mant = 1;
    spec.inst.px_exp = spec.inst.qty_exp = 2;
    spec.inst.tick_units = spec.inst.lot_units = 1;
    spec.inst.contract_e8 = 100000000;
    spec.bucket.mode = BUCKET_TIME;
    spec.bucket.size = bucket_ns;
    assert_true(feature_set_parse("v72", &set, NULL));
    size_t n = (stream_mem_size(&spec, &set) + 63) & ~(size_t)63;
    struct stream *s = stream_init(aligned_alloc(64, n), &spec, &set);
    rng_init(&rng, 11, 0);
    for (int64_t q = 0; q <= QUARTERS; q++) {
        int64_t now = HOUR_START + (q + 1) * 900 * NS_PER_S - 30 * NS_PER_S;
        double common = rng_normal(&rng);
        px = floor(px * exp(0.002 * (common + rng_normal(&rng)) + 0.0005));
        ref *= exp(0.002 * common + 0.0003);
        put_trade(s, r, now, (int64_t)px, 1 + (int64_t)rng_below(&rng, 900), rng_below(&rng, 2));
        if (gap && q / 4 == GAP_HOUR) continue;
        stream_reference(s, (ts_t){now}, ref, NULL, NULL);
    }
    free(s);
}

static void assert_same(double a, double b) {
    if (isnan(a) || isnan(b))
        assert_true(isnan(a) && isnan(b));
    else
        assert_true(a == b);
}

static void where_buckets_are_hours_the_rows_over_hours_are_those_over_buckets(void **state) {
    struct hours r;
    size_t numbers = 0;
    (void)state;
    make_hours(&r, 3600 * NS_PER_S, false);
    for (size_t i = 170; i < HOURS; i++) { /* the rows over buckets warm up for 170 */
        assert_same(r.at[i].i, r.at[i].i_hours);
        assert_same(r.at[i].regime, r.at[i].regime_hours);
        numbers += !isnan(r.at[i].i_hours) && !isnan(r.at[i].regime_hours);
    }
    assert_int_equal(numbers, HOURS - 170);
    assert_true(isnan(r.at[166].i_hours) && !isnan(r.at[167].i_hours));
    assert_true(r.at[HOURS - 1].i_hours > 20.0 && r.at[HOURS - 1].i_hours < 80.0);
}

static void finer_buckets_give_the_same_rows_over_hours(void **state) {
    struct hours whole, quarter;
    (void)state;
    make_hours(&whole, 3600 * NS_PER_S, false);
    make_hours(&quarter, 900 * NS_PER_S, false);
    for (size_t i = 0; i < HOURS; i++) {
        assert_same(whole.at[i].i_hours, quarter.at[i].i_hours);
        assert_same(whole.at[i].regime_hours, quarter.at[i].regime_hours);
    }
    assert_true(quarter.inside > 90); /* and they stand at each close, not at the hour only */
    assert_true(quarter.at[HOURS - 1].i != quarter.at[HOURS - 1].i_hours);
}

static void an_hour_without_the_reference_is_missing_while_it_is_in_the_window(void **state) {
    struct hours r;
    (void)state;
    make_hours(&r, 900 * NS_PER_S, true);
    assert_true(isnan(r.at[GAP_HOUR + 167].i_hours) && isnan(r.at[GAP_HOUR + 167].regime_hours));
    assert_false(isnan(r.at[GAP_HOUR + 168].i_hours) || isnan(r.at[GAP_HOUR + 168].regime_hours));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_reference_i_and_regime_are_missing_and_nothing_else_is),
        cmocka_unit_test(a_price_that_is_the_reference_itself_is_not_independent),
        cmocka_unit_test(an_unrelated_price_is_independent),
        cmocka_unit_test(a_reference_price_after_the_close_is_not_in_the_row),
        cmocka_unit_test(a_reference_older_than_a_minute_is_none),
        cmocka_unit_test(factors_keep_their_scale),
        cmocka_unit_test(where_buckets_are_hours_the_rows_over_hours_are_those_over_buckets),
        cmocka_unit_test(finer_buckets_give_the_same_rows_over_hours),
        cmocka_unit_test(an_hour_without_the_reference_is_missing_while_it_is_in_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
