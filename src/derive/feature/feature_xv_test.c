/* feature_xv_test.c: planted leaders, units of inverse contracts, and the gate. */
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

enum { SECONDS = 200, STEPS = 10 * SECONDS, SEED = 20240808, VALUES = 64 };
#define START (INT64_C(1700000000) * NS_PER_S)
#define STEP (100 * NS_PER_MS)

struct run {
    struct feature_set set;
    double last[VALUES]; /* of the newest row */
    size_t rows;
    double *all; /* rows x set.count */
};

static void keep(void *user, const struct stream *s, const struct bucket *b, const float *row) {
    struct run *r = user;
    (void)b;
    (void)row;
    size_t c = r->set.count;
    assert_true(c <= VALUES);
    memcpy(r->last, feature_values(stream_features(s)), c * sizeof r->last[0]);
    r->all = realloc(r->all, (r->rows + 1) * c * sizeof *r->all);
    assert_non_null(r->all);
    memcpy(r->all + r->rows++ * c, r->last, c * sizeof r->last[0]);
}

static size_t column(const struct run *r, const char *name) {
    for (size_t i = 0; i < r->set.count; i++)
        if (strcmp(feature_get(r->set.index[i], NULL)->name, name) == 0) return i;
    fail_msg("no row %s", name);
    return 0;
}
static double value(const struct run *r, const char *name) { return r->last[column(r, name)]; }

static void instrument(struct instrument *in, uint16_t id) {
    in->px_mant = in->qty_mant = 1;
    in->px_exp = 2;
    in->qty_exp = 3;
    in->tick_units = in->lot_units = 1;
    in->contract_e8 = 100000000;
    in->id = id;
}

static void describe(struct run *r, struct stream_spec *spec, size_t peers) {
    memset(r, 0, sizeof *r);
    memset(spec, 0, sizeof *spec);
    instrument(&spec->inst, 0);
    spec->bucket.mode = BUCKET_TIME;
    spec->bucket.size = NS_PER_S;
    spec->others = peers;
    for (size_t i = 0; i < peers; i++) {
        instrument(&spec->other[i].inst, (uint16_t)(i + 1));
        spec->other[i].roles = OTHER_PEER;
    }
    assert_true(feature_set_parse("xv", &r->set, NULL));
}

static struct stream *start(struct run *r, const struct stream_spec *spec) {
    size_t n = (stream_mem_size(spec, &r->set) + 63) & ~(size_t)63;
    void *mem = aligned_alloc(64, n);
    assert_non_null(mem);
    memset(mem, 0xA5, n);
    return stream_init(mem, spec, &r->set);
}

static void quote(struct stream *s, struct run *r, uint16_t inst, int64_t ns, int64_t mid) {
    struct event ev = {.kind = EV_TICKER,
        .flags = EVF_FIRST | EVF_LAST,
        .inst = inst,
        .ts_local = {ns},
        .px = {mid - 1},
        .qty = {1000}};
    ev.ask.px.ticks = mid + 1;
    ev.ask.qty.lots = 1000;
    stream_route(s, &ev, keep, r);
}

static void trade(struct stream *s, struct run *r, uint16_t inst, int64_t ns, int64_t px,
    int64_t lots, bool buy) {
    struct event ev = {.kind = EV_TRADE,
        .flags = (uint8_t)(EVF_FIRST | EVF_LAST | (buy ? EVF_BUY : EVF_SELL)),
        .inst = inst,
        .ts_local = {ns},
        .px = {px},
        .qty = {lots}};
    stream_route(s, &ev, keep, r);
}

/* Own and one peer follow the same path, the peer `steps` of 100 ms before us. */
static void follow(struct run *r, int steps) {
    static int64_t path[STEPS + 64];
    struct stream_spec spec;
    struct rng rng;
    describe(r, &spec, 1);
    struct stream *s = start(r, &spec);
    rng_init(&rng, SEED, 1);
    int64_t px = 2000000;
    for (int i = 0; i < STEPS + 64; i++) path[i] = px += (int64_t)(rng_normal(&rng) * 60.0);
    for (int i = 0; i < STEPS; i++) {
        int own = 32 + i, peer = own + steps;
        int64_t now = START + i * STEP + 40 * NS_PER_MS;
        quote(s, r, 0, now, path[own] + (int64_t)rng_below(&rng, 9));
        quote(s, r, 1, now + 7 * NS_PER_MS, path[peer] - 500 + (int64_t)rng_below(&rng, 9));
    }
    free(s);
}

static void a_peer_that_moves_first_is_found_with_its_lag_and_sign(void **state) {
    struct run r;
    (void)state;
    follow(&r, 3);
    assert_true(value(&r, "xv_peak_lag_p1_s60") == 300.0);
    assert_true(value(&r, "xv_lead_share_p1_s60") > 0.9);
    assert_true(value(&r, "xv_granger_direction_p1_s120") == 1.0);
    assert_true(value(&r, "xv_granger_in_p1_s120") > 50.0 * value(&r, "xv_granger_out_p1_s120"));
    assert_true(value(&r, "xv_info_high_p1_s120") < 0.1);
    assert_true(fabs(value(&r, "xv_corr_p1_s60")) < 0.2);
    free(r.all);
}

static void an_instrument_that_moves_first_is_found_with_its_lag_and_sign(void **state) {
    struct run r;
    (void)state;
    follow(&r, -2);
    assert_true(value(&r, "xv_peak_lag_p1_s60") == -200.0);
    assert_true(value(&r, "xv_lead_share_p1_s60") < 0.1);
    assert_true(value(&r, "xv_granger_direction_p1_s120") == -1.0);
    assert_true(value(&r, "xv_info_low_p1_s120") > 0.9);
    assert_true(value(&r, "xv_component_p1_s120") > 0.8);
    free(r.all);
    follow(&r, -1);
    assert_true(value(&r, "xv_corr_own100_p1_s60") > 0.9);
    assert_true(fabs(value(&r, "xv_corr_peer100_p1_s60")) < 0.2);
    free(r.all);
    follow(&r, 5);
    assert_true(value(&r, "xv_corr_peer500_p1_s60") > 0.9);
    free(r.all);
    follow(&r, 0);
    assert_true(value(&r, "xv_peak_lag_p1_s60") == 0.0);
    assert_true(value(&r, "xv_corr_p1_s60") > 0.9);
    free(r.all);
}

static void without_peers_every_row_is_missing_and_counted(void **state) {
    struct stream_spec spec;
    struct run r;
    (void)state;
    describe(&r, &spec, 0);
    struct stream *s = start(&r, &spec);
    for (int i = 0; i < 10 * 130; i++) quote(s, &r, 0, START + i * STEP, 2000000 + i);
    assert_true(r.rows > 120);
    for (size_t i = 0; i < r.set.count; i++) {
        assert_true(isnan(r.last[i]));
        assert_int_equal(feature_missing(stream_features(s))[i], r.rows);
    }
    free(s);
    free(r.all);
}

/* Contracts of 100 quote units at 20,000: 200 of them are one base unit. */
static void contracts_of_an_inverse_peer_count_in_base_units(void **state) {
    struct stream_spec spec;
    struct run r;
    (void)state;
    describe(&r, &spec, 1);
    spec.other[0].inst.kind = INSTRUMENT_INVERSE;
    spec.other[0].inst.contract_e8 = INT64_C(100) * 100000000;
    spec.other[0].inst.qty_exp = 0;
    struct stream *s = start(&r, &spec);
    for (int i = 0; i < 30 * 10; i++) {
        int64_t now = START + i * STEP + 10 * NS_PER_MS;
        quote(s, &r, 0, now, 2000000);
        quote(s, &r, 1, now + 1, 1999000);
        if (i % 10 != 5) continue;
        trade(s, &r, 0, now + 2, 2000000, 3000, true); /* 3 */
        trade(s, &r, 1, now + 3, 2000000, 200, false); /* 1 */
    }
    assert_true(fabs(value(&r, "xv_volume_share_b1") - 0.75) < 1e-12);
    assert_true(fabs(value(&r, "xv_flow_imbalance_b1") - 0.5) < 1e-12);
    assert_true(fabs(value(&r, "xv_mid_diff_p1") - 1000.0) < 1e-6);
    assert_true(fabs(value(&r, "xv_basis_p1") - 1e4 * (20000.0 / 19990.0 - 1.0)) < 1e-9);
    assert_true(fabs(value(&r, "xv_sell_edge_p1") - 1e4 * (19999.99 / 19990.01 - 1.0)) < 1e-9);
    assert_true(fabs(value(&r, "xv_buy_edge_p1") - 1e4 * (19989.99 / 20000.01 - 1.0)) < 1e-9);
    assert_true(value(&r, "xv_best_bid_b1") == 1.0 && value(&r, "xv_best_ask_b1") == 0.0);
    assert_true(fabs(value(&r, "xv_ask_gap") - 1e4 * (1.0 - 19990.01 / 20000.01)) < 1e-9);
    assert_true(value(&r, "xv_bid_gap") == 0.0 && value(&r, "xv_joint_spread") < 0.0);
    assert_true(value(&r, "xv_ofi_b1") == 0.0 && value(&r, "xv_peers_on") == 1.0);
    free(s);
    free(r.all);
}

/* Peer 1 falls silent in second 60 and comes back in second 70; peer 2 is 3 % away from second 100
 * on.
 */
static void a_silent_or_a_distant_peer_is_off_until_it_agreed_again(void **state) {
    struct stream_spec spec;
    struct run r;
    (void)state;
    describe(&r, &spec, 2);
    struct stream *s = start(&r, &spec);
    for (int i = 0; i < 130 * 10; i++) {
        int64_t now = START + i * STEP + 10 * NS_PER_MS, px = 2000000 + 50 * (i % 3);
        quote(s, &r, 0, now, px);
        if (i < 600 || i >= 700) quote(s, &r, 1, now + 1, px);
        quote(s, &r, 2, now + 2, i < 1000 ? px : px + px * 3 / 100);
    }
    size_t c = r.set.count, basis1 = column(&r, "xv_basis_p1"), basis2 = column(&r, "xv_basis_p2"),
           on = column(&r, "xv_peers_on"), flow = column(&r, "xv_ofi_b1"),
           gap = column(&r, "xv_bid_gap"), gated = column(&r, "xv_gated_b60");
#define AT(SECOND, COLUMN) r.all[(SECOND)*c + (COLUMN)] /* row 0 ends at second 1 */
    assert_true(isnan(AT(5, basis1)) && isnan(AT(5, on)));
    assert_true(!isnan(AT(20, basis1)) && AT(20, on) == 2.0 && !isnan(AT(20, flow)));
    assert_true(!isnan(AT(60, basis1)));                          /* 1 s old: still known */
    assert_true(isnan(AT(63, basis1)) && AT(63, on) == 1.0);      /* stale */
    assert_true(!isnan(AT(63, basis2)) && !isnan(AT(63, gap)));   /* the other one serves */
    assert_true(isnan(AT(63, flow)));                             /* sums want all */
    assert_true(isnan(AT(71, basis1)) && !isnan(AT(79, basis1))); /* 80 % of 10 s again */
    assert_true(isnan(AT(101, basis2)) && isnan(AT(125, basis2)) && AT(125, on) == 1.0);
    double off = 0.0;
    for (size_t k = 128 - 59; k <= 128; k++) off += AT(k, on) < 2.0;
    assert_true(AT(128, gated) == off && off > 20.0 && off < 60.0);
#undef AT
    free(s);
    free(r.all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_moves_first_is_found_with_its_lag_and_sign),
        cmocka_unit_test(an_instrument_that_moves_first_is_found_with_its_lag_and_sign),
        cmocka_unit_test(without_peers_every_row_is_missing_and_counted),
        cmocka_unit_test(contracts_of_an_inverse_peer_count_in_base_units),
        cmocka_unit_test(a_silent_or_a_distant_peer_is_off_until_it_agreed_again),
    };
    print_message("seed %d\n", SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
