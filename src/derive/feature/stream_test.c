/* stream_test.c: what a stream does at its edges; the laws themselves are in
 * test/feature_laws_test.c.
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

#include "derive/feature/stream.h"

#define T0 (INT64_C(1723161600) * NS_PER_S)

struct counted {
    size_t rows;
    float last[FEATURE_MAX];
    struct bucket bucket;
};

static void count_row(
    void *user, const struct stream *s, const struct bucket *b, const float *row) {
    struct counted *c = user;
    memcpy(c->last, row, feature_engine_set(stream_features(s))->count * sizeof *row);
    c->bucket = *b;
    c->rows++;
}

static struct stream_spec spec_new(void) {
    struct stream_spec spec;
    memset(&spec, 0, sizeof spec);
    memcpy(spec.inst.symbol, "TESTUSDT", 8);
    spec.inst.px_mant = spec.inst.qty_mant = spec.inst.tick_units = spec.inst.lot_units = 1;
    spec.inst.px_exp = 1;
    spec.inst.qty_exp = 3;
    spec.inst.contract_e8 = 100000000;
    spec.inst.venue = VENUE_BINANCE_USDM;
    spec.inst.id = 3;
    spec.bucket = (struct bucket_spec){.mode = BUCKET_TIME, .size = NS_PER_S};
    spec.limits = (struct book_limits){.levels_max = 256, .pending_max = 256};
    spec.hash_events = true;
    return spec;
}

static struct stream *open_set(const char *text) {
    struct feature_set set;
    struct stream_spec spec = spec_new();
    assert_true(feature_set_parse(text, &set, NULL));
    void *mem = aligned_alloc(64, (stream_mem_size(&spec, &set) + 63) & ~(size_t)63);
    assert_non_null(mem);
    return stream_init(mem, &spec, &set);
}

static struct event trade_at(int64_t ms, int64_t px, int64_t lots, bool buy) {
    return (struct event){.kind = EV_TRADE,
        .inst = 3,
        .flags = (uint8_t)(EVF_FIRST | EVF_LAST | (buy ? EVF_BUY : EVF_SELL)),
        .ts_local = {T0 + ms * NS_PER_MS},
        .px = {px},
        .qty = {lots},
        .id = ms};
}

static void a_stream_of_trades_only_takes_the_last_trade_as_price(void **state) {
    struct counted c = {0};
    (void)state;
    struct stream *s = open_set("ret_b1+book_mid");
    for (int i = 0; i < 6; i++) {
        struct event ev = trade_at(500 + 1000 * i, i < 4 ? 1000 : 1010, 5, true);
        stream_event(s, &ev, count_row, &c);
    }
    assert_int_equal(c.rows, 5);
    assert_true(fabs((double)c.last[0] - 1e4 * log(1.01)) < 1e-5);
    assert_true(isnan(c.last[1]));
    free(s);
}

static void events_of_other_instruments_are_passed_over(void **state) {
    struct counted a = {0}, b = {0};
    struct event ev[4] = {trade_at(100, 1000, 5, true), trade_at(200, 9999, 7, false),
        trade_at(300, 1001, 2, false), trade_at(1400, 1002, 1, true)};
    (void)state;
    struct stream *x = open_set("flow"), *y = open_set("flow");
    ev[1].inst = 4;
    assert_int_equal(stream_events(x, ev, 4, count_row, &a), 1);
    stream_event(y, &ev[0], count_row, &b);
    stream_event(y, &ev[2], count_row, &b);
    stream_event(y, &ev[3], count_row, &b);
    struct stream_hashes h = stream_hashes(x), g = stream_hashes(y);
    assert_memory_equal(&h, &g, sizeof h);
    assert_int_equal(a.bucket.volume.lots, 7);
    free(x);
    free(y);
}

static void aggregate_trades_beside_trades_do_not_count_twice(void **state) {
    struct counted a = {0}, b = {0};
    struct event trade = trade_at(100, 1000, 5, true), next = trade_at(1100, 1000, 5, true);
    struct event twin = trade;
    (void)state;
    struct stream *x = open_set("flow+toxic+impact"), *y = open_set("flow+toxic+impact");
    twin.kind = EV_AGG_TRADE;
    stream_event(x, &trade, count_row, &a);
    stream_event(x, &twin, count_row, &a);
    stream_event(x, &next, count_row, &a);
    stream_event(y, &trade, count_row, &b);
    stream_event(y, &next, count_row, &b);
    assert_true(stream_counts(x, EV_TRADE) && !stream_counts(x, EV_AGG_TRADE));
    assert_true(stream_hashes(x).features == stream_hashes(y).features);
    free(x);
    free(y);
}

static void the_unfinished_bucket_comes_out_only_when_asked(void **state) {
    struct counted c = {0};
    struct event ev = trade_at(100, 1000, 5, true);
    (void)state;
    struct stream *s = open_set("flow_volume_b1");
    assert_int_equal(stream_end(s, count_row, &c), 0);
    assert_int_equal(stream_event(s, &ev, count_row, &c), 0);
    assert_int_equal(stream_end(s, count_row, &c), 1);
    assert_int_equal(c.bucket.trigger, CUT_END);
    assert_int_equal(stream_buckets(s), 1);
    free(s);
}

static void saved_bytes_that_are_not_whole_are_refused(void **state) {
    struct event ev = trade_at(100, 1000, 5, true), next = trade_at(4100, 1000, 5, true);
    (void)state;
    struct stream *s = open_set("flow+ret");
    stream_event(s, &ev, NULL, NULL);
    assert_int_equal(stream_event(s, &next, NULL, NULL), 4);
    size_t n = stream_size(s);
    unsigned char *save = aligned_alloc(64, (n + 63) & ~(size_t)63);
    assert_non_null(save);
    stream_save(s, save);
    assert_null(stream_load(save, n - 1));
    assert_null(stream_load(save, 16));
    save[0] ^= 1;
    assert_null(stream_load(save, n));
    save[0] ^= 1;
    struct stream *again = stream_load(save, n);
    assert_non_null(again);
    assert_true(stream_hashes(again).events == stream_hashes(s).events);
    assert_int_equal(stream_buckets(again), 4);
    assert_int_equal(feature_rows(stream_features(again)), 4);
    assert_string_equal(stream_instrument(again)->symbol, "TESTUSDT");
    free(save);
    free(s);
}

static void equal_states_save_to_equal_bytes_wherever_they_lie(void **state) {
    (void)state;
    struct stream *x = open_set("all"), *y = open_set("all");
    for (int i = 0; i < 300; i++) {
        struct event ev = trade_at(37 * i, 1000 + i % 7, 1 + i % 5, i % 3 == 0);
        stream_event(x, &ev, NULL, NULL);
        stream_event(y, &ev, NULL, NULL);
    }
    unsigned char *a = malloc(stream_size(x)), *b = malloc(stream_size(y));
    assert_true(a && b);
    stream_save(x, a);
    stream_save(y, b);
    assert_memory_equal(a, b, stream_size(x));
    free(a);
    free(b);
    free(x);
    free(y);
}

static void no_value_stands_before_its_warm_up_is_over(void **state) {
    struct counted c = {0};
    (void)state;
    struct stream *s = open_set("flow_volume_b5");
    for (int i = 0; i < 10; i++) {
        struct event ev = trade_at(500 + 1000 * i, 1000, 2, true);
        stream_event(s, &ev, count_row, &c);
        assert_true(c.rows == 0 || isnan(c.last[0]) == (c.rows <= 6));
    }
    assert_true(c.last[0] == 0.01f);
    assert_int_equal(feature_missing(stream_features(s))[0], 6);
    free(s);
}

/* ---- other instruments ---- */

static struct stream_spec spec_with(uint8_t roles) {
    struct stream_spec spec = spec_new();
    spec.other[0].inst = spec.inst;
    spec.other[0].inst.id = 4;
    spec.other[0].roles = roles;
    spec.others = 1;
    if (roles & OTHER_CLOCK) {
        spec.bucket = (struct bucket_spec){.mode = BUCKET_REFERENCE, .size = 1};
        spec.clock =
            (struct bucket_spec){.mode = BUCKET_VOLUME, .size = 40, .time_limit_ns = 3 * NS_PER_S};
    }
    return spec;
}

static struct stream *open_spec(const struct stream_spec *spec, const char *text) {
    struct feature_set set;
    assert_true(feature_set_parse(text, &set, NULL));
    void *mem = aligned_alloc(64, (stream_mem_size(spec, &set) + 63) & ~(size_t)63);
    assert_non_null(mem);
    return stream_init(mem, spec, &set);
}

struct cuts {
    size_t n;
    struct bucket b[64];
};
static void keep_cut(void *user, const struct stream *s, const struct bucket *b, const float *row) {
    struct cuts *c = user;
    (void)s;
    (void)row;
    assert_true(c->n < 64);
    c->b[c->n++] = *b;
}

/* Its buckets by volume and by time limit, from a clock that knows nothing of the stream. */
static void the_buckets_of_a_reference_are_cut_where_its_own_clock_cuts(void **state) {
    struct stream_spec spec = spec_with(OTHER_CLOCK);
    struct stream *s = open_spec(&spec, "flow_volume_b1");
    struct vclock alone;
    struct cuts got = {0}, want = {0};
    (void)state;
    vclock_init(&alone, &spec.clock, 4);
    for (int i = 0; i < 60; i++) {
        struct event own = trade_at(600 * i, 1000, 5, true);
        struct event ref = trade_at(600 * i + 250, 1000, i < 20 ? 7 : 1, true);
        struct event tick = {.kind = EV_TIMER, .flags = EVF_FIRST | EVF_LAST, .inst = 4};
        tick.ts_local = own.ts_local;
        ref.inst = 4;
        while (i > 0 && vclock_before(&alone, &tick, &want.b[want.n])) want.n++;
        stream_route(s, &own, keep_cut, &got);
        while (vclock_before(&alone, &ref, &want.b[want.n])) want.n++;
        if (vclock_after(&alone, &ref, &want.b[want.n])) want.n++;
        stream_route(s, &ref, keep_cut, &got);
    }
    assert_true(want.n > 10);
    assert_int_equal(got.n, want.n);
    size_t limits = 0;
    for (size_t i = 0; i < want.n; i++) {
        assert_int_equal(got.b[i].id, want.b[i].id);
        assert_int_equal(got.b[i].close_ts.ns, want.b[i].close_ts.ns);
        assert_int_equal(got.b[i].trigger, CUT_REFERENCE);
        assert_int_equal(got.b[i].inst, 3);
        limits += want.b[i].trigger == CUT_LIMIT;
    }
    assert_true(limits > 3);
    free(s);
}

static void a_stream_goes_on_from_saved_bytes_with_its_reference_clock(void **state) {
    struct stream_spec spec = spec_with(OTHER_CLOCK | OTHER_PEER);
    struct stream *a = open_spec(&spec, "flow_volume_b1+xv"), *b = NULL;
    struct cuts one = {0}, two = {0};
    (void)state;
    for (int i = 0; i < 40; i++) {
        struct event own = trade_at(600 * i, 1000, 5, true),
                     ref = trade_at(600 * i + 250, 1000, 7, true);
        ref.inst = 4;
        stream_route(a, &own, keep_cut, &one);
        if (b) stream_route(b, &own, keep_cut, &two);
        if (i == 17) { /* between an own event and one of the reference */
            size_t n = stream_size(a);
            void *mem = aligned_alloc(64, (n + 63) & ~(size_t)63);
            assert_non_null(mem);
            stream_save(a, mem);
            b = stream_load(mem, n);
            assert_non_null(b);
            two.n = one.n;
        }
        stream_route(a, &ref, keep_cut, &one);
        if (b) stream_route(b, &ref, keep_cut, &two);
    }
    assert_true(one.n > 5 && one.n == two.n);
    struct stream_hashes x = stream_hashes(a), y = stream_hashes(b);
    assert_memory_equal(&x, &y, sizeof x);
    free(a);
    free(b);
}

static void a_reference_sets_its_price_by_trades_and_closed_bars(void **state) {
    struct stream_spec spec = spec_with(OTHER_REFERENCE);
    struct stream *s = open_spec(&spec, "v72");
    struct counted c = {0};
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct event own = trade_at(1000 * i + 500, 1000 + i % 7, 5, true);
        struct event ref[2] = {trade_at(1000 * i + 100, 500 + i % 5, 7, true)};
        ref[0].inst = 4;
        if (i % 2) { /* a bar of the reference; an open one says nothing */
            ref[0].kind = EV_KLINE;
            ref[0].flags = EVF_FIRST | EVF_LAST | EVF_CLOSED;
        }
        stream_route(s, &own, count_row, &c);
        stream_route(s, ref, count_row, &c);
        ref[0].px.ticks = 999999;
        ref[0].flags &= (uint8_t)~EVF_CLOSED;
        if (i % 2) stream_route(s, ref, count_row, &c);
    }
    long regime = feature_find("v72_regime_b168") - feature_find("v72_t_b60");
    assert_true(c.rows > 170 && !isnan(c.last[regime]) && fabsf(c.last[regime]) < 1.0f);
    free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_of_trades_only_takes_the_last_trade_as_price),
        cmocka_unit_test(events_of_other_instruments_are_passed_over),
        cmocka_unit_test(aggregate_trades_beside_trades_do_not_count_twice),
        cmocka_unit_test(the_unfinished_bucket_comes_out_only_when_asked),
        cmocka_unit_test(saved_bytes_that_are_not_whole_are_refused),
        cmocka_unit_test(equal_states_save_to_equal_bytes_wherever_they_lie),
        cmocka_unit_test(no_value_stands_before_its_warm_up_is_over),
        cmocka_unit_test(the_buckets_of_a_reference_are_cut_where_its_own_clock_cuts),
        cmocka_unit_test(a_stream_goes_on_from_saved_bytes_with_its_reference_clock),
        cmocka_unit_test(a_reference_sets_its_price_by_trades_and_closed_bars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
