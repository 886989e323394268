/* ic_test.c: the coefficient itself, and how often chance passes for skill. */
#include "learn/study/ic.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "learn/study/stats.h"

enum { SEED = 77, N = 1200, AHEAD = 10, WORLDS = 400, REPEATS = 200 };

static double x[N], y[N];

/* x remembers (rho .95), y sums the next AHEAD shocks, scaled by a volatility that x's size shares.
 * `skill` is the correlation with the next shock. */
static void world(struct rng *r, double rho, size_t ahead, double skill) {
    static double shock[N + AHEAD];
    double v = rng_normal(r);
    for (size_t i = 0; i < N + AHEAD; i++) shock[i] = rng_normal(r);
    for (size_t i = 0; i < N; i++) {
        x[i] = v;
        v = rho * v + sqrt(1 - rho * rho) * rng_normal(r);
        y[i] = 0;
        for (size_t k = 1; k <= ahead; k++) y[i] += shock[i + k - 1];
        y[i] = y[i] * (1 + 0.5 * fabs(x[i])) + skill * x[i];
    }
}

static void a_full_table_gives_pearson_and_gaps_are_left_out(void **state) {
    (void)state;
    struct rng r;
    rng_init(&r, SEED, 1);
    world(&r, 0.5, 1, 0.3);
    struct ic_figures f = ic_measure(x, y, N, 1, NULL);
    assert_true(fabs(f.ic - stats_pearson(x, y, N)) < 1e-12 && f.n == N && isnan(f.lo));
    double a[N], b[N];
    size_t k = 0;
    for (size_t i = 0; i < N; i++) {
        if (i % 3 == 0) x[i] = (double)NAN;
        if (i % 5 == 0) y[i] = (double)NAN;
        if (i % 3 && i % 5) a[k] = x[i], b[k++] = y[i];
    }
    f = ic_measure(x, y, N, 1, NULL);
    assert_true(fabs(f.ic - stats_pearson(a, b, k)) < 1e-12 && f.n == (double)k);
    for (size_t i = 0; i < N; i++) x[i] = 3;
    assert_true(isnan(ic_measure(x, y, N, 1, NULL).ic));
    assert_true(isnan(ic_measure(x, y, IC_LEAST - 1, 1, NULL).ic));
}

/* Labels that overlap, a column that remembers, volatility that both share: without any skill p is
 * below .05 in about one world of twenty. */
static void chance_passes_about_as_often_as_promised(void **state) {
    (void)state;
    struct rng r;
    size_t small = 0, naive = 0;
    rng_init(&r, SEED, 2);
    print_message("seed %d\n", SEED);
    for (int w = 0; w < WORLDS; w++) {
        world(&r, 0.95, AHEAD, 0);
        struct ic_figures f = ic_measure(x, y, N, AHEAD, NULL);
        small += f.p < 0.05;
        naive += fabs(f.ic) > 1.96 / sqrt(N);
        assert_true(f.n_effective <= N && f.n_effective > 0);
    }
    print_message("p < .05: %zu of %d worlds, by 1 / sqrt(n): %zu\n", small, WORLDS, naive);
    assert_true(small <= WORLDS / 10 && naive > WORLDS / 4);
}

static void the_band_covers_the_truth(void **state) {
    (void)state;
    struct rng r;
    size_t covered = 0, worlds = 100;
    struct ic_blocks blocks;
    double truth = 0;
    rng_init(&r, SEED, 3);
    for (size_t w = 0; w < worlds; w++) {
        world(&r, 0.5, 1, 0.3);
        truth += stats_pearson(x, y, N) / (double)worlds;
    }
    rng_init(&r, SEED, 3);
    for (size_t w = 0; w < worlds; w++) {
        world(&r, 0.5, 1, 0.3);
        ic_blocks_draw(&blocks, N, ic_block_length(y, N, 1), REPEATS, w);
        struct ic_figures f = ic_measure(x, y, N, 1, &blocks);
        covered += f.lo <= truth && truth <= f.hi;
        assert_true(f.lo < f.ic && f.ic < f.hi && f.p < 0.05);
        ic_blocks_fini(&blocks);
    }
    print_message("IC %.3f covered in %zu of %zu worlds\n", truth, covered, worlds);
    assert_true(covered >= 85);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_table_gives_pearson_and_gaps_are_left_out),
        cmocka_unit_test(chance_passes_about_as_often_as_promised),
        cmocka_unit_test(the_band_covers_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
