/* Order flow and market: rates, what moves the mid, and how strong the planted signal is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/unit.h"
#include "capture/generate/hawkes.h"
#include "capture/generate/market.h"

#define START_NS ((int64_t)1735689600000000000)

static struct market_params params(uint64_t seed, double strength) {
    return (struct market_params){.seed = seed,
        .start_ns = START_NS,
        .rate = 20,
        .jump_rate = 3,
        .jump_ticks = 4,
        .strength = strength,
        .bucket_ns = NS_PER_S,
        .first_tick = 100000};
}

static void flow_has_its_long_run_rates_and_clusters(void **state) {
    (void)state;
    struct hawkes h;
    struct rng r;
    double count[FLOW_KINDS] = {0}, t = 0, horizon = 20000, in_second = 0, square = 0, second = 1;
    hawkes_init(&h, 20);
    rng_init(&r, 4, 1);
    for (;;) {
        enum flow_kind kind;
        t += hawkes_next(&h, &r, &kind);
        for (; t > second; second += 1) {
            square += in_second * in_second;
            in_second = 0;
        }
        if (t > horizon) break;
        in_second++;
        count[kind]++;
    }
    double mean = 0;
    for (int k = 0; k < FLOW_KINDS; k++) {
        double rate = count[k] / horizon, expected = 20 * hawkes_share((enum flow_kind)k);
        assert_true(fabs(rate - expected) < 0.05 * expected);
        mean += rate;
        double caused = 0;
        for (int j = 0; j < FLOW_KINDS; j++)
            caused += hawkes_children((enum flow_kind)k, (enum flow_kind)j);
        assert_true(caused < 1);
    }
    double dispersion = (square / horizon - mean * mean) / mean;
    assert_true(dispersion > 1.5); /* 1 for a Poisson process */
}

static void only_jumps_move_the_mid(void **state) {
    (void)state;
    struct market_params p = params(3, 0.2);
    struct market *m = market_open(&p);
    struct market_step s;
    int64_t mid2 = 0, last_ns = START_NS;
    for (int i = 0; i < 200000; i++) {
        market_next(m, &s);
        int64_t now = s.book->best[LOB_BID] + s.book->best[LOB_ASK];
        int64_t spread = s.book->best[LOB_ASK] - s.book->best[LOB_BID];
        assert_true(s.venue_ns > last_ns || !s.jump);
        assert_true(s.venue_ns >= last_ns);
        assert_true(spread == 1 || spread == 3);
        if (mid2 && !s.jump) assert_int_equal(now, mid2);
        if (mid2 && s.jump) assert_int_not_equal(now, mid2);
        for (size_t k = 0; k < s.fills; k++) assert_true(s.fill[k].qty > 0);
        assert_true(s.book->count[0] > 20 && s.book->count[0] < 3000);
        assert_true(s.book->count[1] > 20 && s.book->count[1] < 3000);
        mid2 = now;
        last_ns = s.venue_ns;
    }
    market_close(m);
}

/* Correlation of the latent with the next bucket's mid move, and of the imbalance shown at the end
 * of a bucket less the latent's share (its spread); over `buckets` seconds. */
static void correlations(const struct market_params *p, int buckets, double *ic, double *shown) {
    struct market *m = market_open(p);
    struct market_step s;
    int64_t bucket = START_NS / NS_PER_S, mid2 = 0, before = 0;
    double imbalance = 0, n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0, z = 0, zz = 0;
    while (n < buckets) {
        market_next(m, &s);
        if (s.venue_ns / NS_PER_S > bucket) {
            double latent = market_latent(p->seed, bucket - 1);
            double own = market_latent(p->seed, bucket);
            double move = (double)(mid2 - before);
            if (before) {
                n++;
                x += latent;
                xx += latent * latent;
                y += move;
                yy += move * move;
                xy += latent * move;
                z += imbalance - 0.3 * own; /* what does not come from the latent */
                zz += (imbalance - 0.3 * own) * (imbalance - 0.3 * own);
            }
            before = mid2;
            bucket = s.venue_ns / NS_PER_S;
        }
        int64_t bid = s.book->best[LOB_BID], ask = s.book->best[LOB_ASK];
        double b = (double)lob_qty(s.book, LOB_BID, bid), a = (double)lob_qty(s.book, LOB_ASK, ask);
        imbalance = (b - a) / (b + a);
        mid2 = bid + ask;
    }
    *ic = (xy / n - x / n * y / n) / sqrt((xx / n - x * x / n / n) * (yy / n - y * y / n / n));
    *shown = sqrt(zz / n - z * z / n / n);
    market_close(m);
}

static void the_planted_strength_is_found_in_the_sample(void **state) {
    (void)state;
    double ic, noise, n = 10000;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct market_params p = params(seed, 0.2);
        correlations(&p, (int)n, &ic, &noise);
        printf("seed %llu: ic %.4f, noise of the shown imbalance %.4f\n", (unsigned long long)seed,
            ic, noise);
        assert_true(fabs(ic - 0.2) < 4 / sqrt(n));
        assert_true(noise < 0.03); /* of a deviation of 0.3 */
        p.strength = -0.4;
        correlations(&p, (int)n, &ic, &noise);
        assert_true(fabs(ic + 0.4) < 4 / sqrt(n));
    }
}

static void without_strength_nothing_is_found(void **state) {
    (void)state;
    double ic, noise, n = 10000, sum = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct market_params p = params(seed, 0);
        correlations(&p, (int)n, &ic, &noise);
        assert_true(fabs(ic) < 4 / sqrt(n));
        sum += ic;
    }
    assert_true(fabs(sum / 5) < 4 / sqrt(5 * n));
}

static void the_tilt_solves_for_the_correlation(void **state) {
    (void)state;
    struct market_params p = params(1, 0.2);
    /* n = 3 jumps of mean 4: variance 3 * 4 * 7 = 84; drift^2 = 84 * 0.04 / 0.96 = 3.5 */
    assert_true(fabs(market_tilt(&p) - sqrt(3.5) / 12) < 1e-12);
    p.strength = 0;
    assert_true(market_tilt(&p) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flow_has_its_long_run_rates_and_clusters),
        cmocka_unit_test(only_jumps_move_the_mid),
        cmocka_unit_test(the_planted_strength_is_found_in_the_sample),
        cmocka_unit_test(without_strength_nothing_is_found),
        cmocka_unit_test(the_tilt_solves_for_the_correlation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
