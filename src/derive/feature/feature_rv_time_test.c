/* feature_rv_time_test.c: variances known by hand, and what a silent book or hour does to them.
 * The laws of these rows are in test/feature_laws_test.c.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "derive/feature/stream.h"

enum { HOURS = 40, SPANS = 12, H1 = 0, D1 = 1, COLUMNS = 2 };
#define SPAN_NS (300 * NS_PER_S)
#define START (INT64_C(472222) * SPANS * SPAN_NS)

struct run {
    double value[HOURS][COLUMNS]; /* at the last close in each hour */
};

static void keep(void *user, const struct stream *s, const struct bucket *b, const float *row) {
    struct run *r = user;
    (void)row;
    int64_t hour = (b->close_ts.ns - START) / (SPANS * SPAN_NS);
    assert_true(hour >= 0 && hour < HOURS);
    memcpy(r->value[hour], feature_values(stream_features(s)), sizeof r->value[0]);
}

/* One trade in the middle of each five minutes, a bucket each, up and down by a thousandth; none
 * in the hours silent..silent + length - 1. */
static void make(struct run *r, int silent, int length) {
    struct stream_spec spec;
    struct feature_set set;
    memset(&spec, 0, sizeof spec);
    for (size_t i = 0; i < HOURS; i++) r->value[i][H1] = r->value[i][D1] = NAN;
    spec.inst.px_mant = spec.inst.qty_mant = 1;
    spec.inst.px_exp = spec.inst.qty_exp = 2;
    spec.inst.tick_units = spec.inst.lot_units = 1;
    spec.inst.contract_e8 = 100000000;
    spec.bucket.mode = BUCKET_COUNT;
    spec.bucket.size = 1;
    assert_true(feature_set_parse("rv_har_h1+rv_har_d1", &set, NULL));
    size_t n = (stream_mem_size(&spec, &set) + 63) & ~(size_t)63;
    struct stream *s = stream_init(aligned_alloc(64, n), &spec, &set);
    for (int i = 0; i < HOURS * SPANS; i++) {
        int hour = i / SPANS;
        struct event ev = {.kind = EV_TRADE,
            .flags = EVF_FIRST | EVF_LAST | EVF_BUY,
            .ts_local = {START + i * SPAN_NS + SPAN_NS / 2},
            .px = {i % 2 ? 100100 : 100000},
            .qty = {5}};
        if (hour < silent || hour >= silent + length) stream_event(s, &ev, keep, r);
    }
    free(s);
}

static double hour_by_hand(void) {
    double move = 1e4 * log(1.001);
    return SPANS * move * move;
}

static bool known(double value) {
    if (isnan(value)) return false;
    assert_true(fabs(value / hour_by_hand() - 1.0) < 1e-12);
    return true;
}

static void an_hour_holds_the_squares_of_its_twelve_moves(void **state) {
    struct run r;
    (void)state;
    make(&r, HOURS, 0);
    /* the first hour has no price before it; the row tells of the hour before the close */
    for (int i = 0; i < HOURS; i++) assert_int_equal(known(r.value[i][H1]), i >= 2);
    for (int i = 0; i < HOURS; i++) assert_int_equal(known(r.value[i][D1]), i >= 25);
}

static void a_silent_hour_and_the_one_after_it_are_missing(void **state) {
    struct run r;
    (void)state;
    make(&r, 5, 1);
    for (int i = 2; i < HOURS; i++)
        if (i != 5) assert_int_equal(known(r.value[i][H1]), i != 6 && i != 7);
    for (int i = 2; i < HOURS; i++) assert_int_equal(known(r.value[i][D1]), i >= 7 + 24);
}

static void a_longer_silence_does_the_same(void **state) {
    struct run r;
    (void)state;
    make(&r, 5, 4);
    for (int i = 9; i < HOURS; i++) {
        assert_int_equal(known(r.value[i][H1]), i > 10);
        assert_int_equal(known(r.value[i][D1]), i >= 10 + 24);
    }
}

/* --- samples of the mid ---------------------------------------------------------------------- */

enum { SECONDS = 420, QUIET_FROM = 200, QUIET_TO = 290 };

static void keep_second(
    void *user, const struct stream *s, const struct bucket *b, const float *row) {
    double *value = user;
    (void)row;
    int64_t second = (b->close_ts.ns - START) / NS_PER_S;
    assert_true(second >= 0 && second < SECONDS);
    value[second] = feature_values(stream_features(s))[0];
}

static void put_level(struct stream *s, double *value, int64_t second, bool bid, int64_t px) {
    struct event ev = {.kind = EV_DEPTH,
        .flags = (uint8_t)(EVF_SNAPSHOT | (bid ? EVF_BUY | EVF_FIRST : EVF_SELL | EVF_LAST)),
        .id = 1000 + second,
        .ts_local = {START + second * NS_PER_S + NS_PER_S / 2},
        .px = {px},
        .qty = {5}};
    stream_event(s, &ev, keep_second, value);
}

/* A book each second, up and down by a thousandth; silent from QUIET_FROM to QUIET_TO. */
static void a_mid_older_than_a_minute_is_no_sample(void **state) {
    struct stream_spec spec;
    struct feature_set set;
    double value[SECONDS];
    double square = pow(1e4 * log(1.001), 2.0);
    (void)state;
    memset(&spec, 0, sizeof spec);
    for (size_t i = 0; i < SECONDS; i++) value[i] = NAN;
    spec.inst.px_mant = spec.inst.qty_mant = 1;
    spec.inst.px_exp = spec.inst.qty_exp = 2;
    spec.inst.tick_units = spec.inst.lot_units = 1;
    spec.inst.contract_e8 = 100000000;
    spec.bucket.mode = BUCKET_TIME;
    spec.bucket.size = NS_PER_S;
    assert_true(feature_set_parse("rv_var_s60", &set, NULL));
    size_t n = (stream_mem_size(&spec, &set) + 63) & ~(size_t)63;
    struct stream *s = stream_init(aligned_alloc(64, n), &spec, &set);
    for (int64_t i = 0; i < SECONDS; i++) {
        if (i >= QUIET_FROM && i < QUIET_TO) continue;
        int64_t up = i % 2 ? 100 : 0;
        put_level(s, value, i, true, 99990 + up);
        put_level(s, value, i, false, 100010 + up);
    }
    free(s);
    assert_true(isnan(value[60]) && fabs(value[61] / (60.0 * square) - 1.0) < 1e-9);
    assert_true(fabs(value[QUIET_FROM + 50] / (10.0 * square) - 1.0) < 1e-9);
    assert_true(value[QUIET_FROM + 59] < 2.0 * square); /* the last mid is 59.5 s old */
    for (int i = QUIET_FROM + 60; i <= QUIET_TO + 60; i++) assert_true(isnan(value[i]));
    assert_true(fabs(value[QUIET_TO + 61] / (60.0 * square) - 1.0) < 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_hour_holds_the_squares_of_its_twelve_moves),
        cmocka_unit_test(a_silent_hour_and_the_one_after_it_are_missing),
        cmocka_unit_test(a_longer_silence_does_the_same),
        cmocka_unit_test(a_mid_older_than_a_minute_is_no_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
