/* feature_perp_contagion_test.c: forced orders of two venues whose answer can be told by hand. */
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

#define T0 (INT64_C(1723161600) * NS_PER_S)

extern const struct feature_family feature_family_perp_contagion;

struct bench {
    struct instrument own, peer; /* prices in units of 1, quantities of 1 */
    struct feature_ctx ctx;
    void *state;
    double out[16];
};

static void bench_init(struct bench *b, size_t peers) {
    const struct feature_family *f = &feature_family_perp_contagion;
    memset(b, 0, sizeof *b);
    b->own.px_mant = b->own.qty_mant = 1;
    b->own.contract_e8 = 100000000;
    b->own.kind = INSTRUMENT_LINEAR;
    b->peer = b->own;
    b->peer.kind = INSTRUMENT_INVERSE; /* one contract is one quote unit */
    b->ctx.inst = &b->own;
    b->ctx.px_unit = b->ctx.qty_unit = 1.0;
    b->ctx.peers = peers;
    b->ctx.peer[0] = (struct feature_peer){.inst = &b->peer, .px_unit = 1.0, .qty_unit = 1.0};
    b->state = calloc(1, f->state_size());
    assert_non_null(b->state);
    assert_true(f->count <= sizeof b->out / sizeof b->out[0]);
}

static void forced(struct bench *b, bool peer, int64_t second, bool buys, int64_t lots) {
    struct event ev = {.kind = EV_LIQUIDATION,
        .flags = (uint8_t)(EVF_FIRST | EVF_LAST | (buys ? EVF_BUY : EVF_SELL)),
        .ts_local = {T0 + second * NS_PER_S + 5},
        .px = {10},
        .qty = {lots}};
    if (peer)
        feature_family_perp_contagion.on_peer(b->state, &b->ctx, 0, &ev, NULL);
    else
        feature_family_perp_contagion.on_event(b->state, &b->ctx, &ev, NULL);
}

/* A bucket that ends with that second; the value of one row. */
static double value_at(struct bench *b, int64_t second, const char *name) {
    struct bucket bucket = {.close_ts = {T0 + (second + 1) * NS_PER_S}, .trigger = CUT_TIME};
    feature_family_perp_contagion.on_bucket(b->state, &b->ctx, NULL, &bucket, b->out);
    for (size_t i = 0; i < feature_family_perp_contagion.count; i++)
        if (strcmp(feature_family_perp_contagion.defs[i].name, name) == 0) return b->out[i];
    fail_msg("no row %s", name);
    return 0.0;
}

static void without_a_peer_or_its_forced_orders_nothing_is_told(void **state) {
    struct bench b;
    (void)state;
    for (size_t peers = 0; peers < 2; peers++) {
        bench_init(&b, peers);
        (void)value_at(&b, 0, "perp_liq_peer_value_s60");
        forced(&b, false, 70, true, 3);
        assert_true(isnan(value_at(&b, 100, "perp_liq_peer_value_s60")));
        if (peers == 1) forced(&b, true, 101, true, 3);
        assert_int_equal(isnan(value_at(&b, 101, "perp_liq_peer_value_s60")) == 0, peers);
        assert_true(isnan(value_at(&b, 702, "perp_liq_peer_value_s60"))); /* ten minutes old */
        free(b.state);
    }
}

static void value_is_summed_over_sixty_seconds_and_set_against_the_own(void **state) {
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    (void)value_at(&b, 0, "perp_liq_peer_value_s60");
    forced(&b, true, 10, true, 100);
    assert_true(isnan(value_at(&b, 59, "perp_liq_peer_value_s60"))); /* not seen whole */
    assert_true(value_at(&b, 60, "perp_liq_peer_value_s60") == 100.0);
    forced(&b, true, 61, false, 300);
    forced(&b, false, 62, false, 40); /* 40 x 10 */
    assert_true(value_at(&b, 69, "perp_liq_peer_value_s60") == 400.0);
    assert_true(value_at(&b, 69, "perp_liq_peer_imbalance_s60") == -0.5);
    assert_true(value_at(&b, 69, "perp_liq_peer_share_s60") == 0.5);
    assert_true(value_at(&b, 70, "perp_liq_peer_value_s60") == 300.0);
    assert_true(isnan(value_at(&b, 130, "perp_liq_peer_imbalance_s60")));
    free(b.state);
}

/* Four causes: followed at once by the other side, in the same second, after 10 s, after 11 s. */
static void a_follower_is_counted_when_its_ten_seconds_are_over(void **state) {
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    (void)value_at(&b, 0, "perp_liq_peer_follow_s300");
    forced(&b, true, 100, true, 1);
    forced(&b, false, 101, false, 1);
    forced(&b, true, 150, true, 1);
    forced(&b, false, 150, true, 1);
    forced(&b, true, 200, true, 1);
    forced(&b, false, 210, true, 1);
    forced(&b, true, 300, false, 1);
    forced(&b, false, 311, false, 1);
    forced(&b, true, 390, true, 1);
    forced(&b, false, 391, true, 1);
    assert_true(value_at(&b, 400, "perp_liq_peer_follow_s300") == 0.25); /* 390 + 10 is not over */
    assert_true(value_at(&b, 401, "perp_liq_peer_follow_s300") == 0.4);
    free(b.state);
}

static void cells_that_follow_the_peers_cells_correlate_one_way(void **state) {
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    (void)value_at(&b, 0, "perp_liq_peer_excite_in_s300");
    for (int64_t cell = 2; cell < 64; cell++) {
        if (cell % 7 == 0) forced(&b, true, 5 * cell + 1, true, 1);
        if (cell % 7 == 1) forced(&b, false, 5 * cell + 2, true, 1);
    }
    assert_true(fabs(value_at(&b, 319, "perp_liq_peer_excite_in_s300") - 1.0) < 1e-12);
    assert_true(value_at(&b, 319, "perp_liq_peer_excite_out_s300") < 0.0);
    free(b.state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_peer_or_its_forced_orders_nothing_is_told),
        cmocka_unit_test(value_is_summed_over_sixty_seconds_and_set_against_the_own),
        cmocka_unit_test(a_follower_is_counted_when_its_ten_seconds_are_over),
        cmocka_unit_test(cells_that_follow_the_peers_cells_correlate_one_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
