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

enum { SECONDS = 260, FACTORS = 11, I_COLUMN = 7, REGIME_COLUMN = 8 };
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
        for (size_t j = REGIME_COLUMN + 1; j < FACTORS; j++)
            if (!isnan(r.value[i][j])) assert_true(r.value[i][j] > 0.0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_reference_i_and_regime_are_missing_and_nothing_else_is),
        cmocka_unit_test(a_price_that_is_the_reference_itself_is_not_independent),
        cmocka_unit_test(an_unrelated_price_is_independent),
        cmocka_unit_test(a_reference_price_after_the_close_is_not_in_the_row),
        cmocka_unit_test(a_reference_older_than_a_minute_is_none),
        cmocka_unit_test(factors_keep_their_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
