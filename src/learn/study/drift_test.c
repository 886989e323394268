/* drift_test.c: worked answers; equal distributions pass as often as promised, shifted ones fail.
 */
#include "learn/study/drift.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "learn/study/stats.h"

enum { SEED = 1903, N = 1000, WORLDS = 400 };

/* Ten bins of 10 rows each; b holds 20 in the lowest bin and none in the highest. */
static void psi_of_a_worked_example(void **state) {
    (void)state;
    double a[100], b[100];
    for (int i = 0; i < 100; i++) a[i] = i;
    for (int i = 0; i < 100; i++) b[i] = i < 10 ? 0.5 : i - 10;
    stats_sort(b, 100);
    double want = 0.1 * log(2.0) + (0.005 - 0.1) * log(0.005 / 0.1);
    assert_true(fabs(drift_psi(a, 100, b, 100) - want) < 1e-12);
    assert_true(fabs(drift_psi(a, 100, a, 100)) < 1e-12);
    assert_true(isnan(drift_psi(a, 19, b, 100)));
}

static void psi_joins_equal_edges(void **state) {
    (void)state;
    double a[40], b[40];
    for (int i = 0; i < 40; i++) a[i] = i < 30 ? 0 : 1;
    for (int i = 0; i < 40; i++) b[i] = i < 10 ? 0 : 1;
    double want = (0.25 - 0.75) * log(0.25 / 0.75) + (0.75 - 0.25) * log(0.75 / 0.25);
    assert_true(fabs(drift_psi(a, 40, b, 40) - want) < 1e-12);
}

/* {1..4, each ten times} against {3..6}: the largest distance is 1/2; the limit law's 5 % point is
 * 1.3581 (Smirnov 1948). */
static void ks_of_worked_examples(void **state) {
    (void)state;
    double a[40], b[40];
    for (int i = 0; i < 40; i++) a[i] = 1 + i / 10, b[i] = 3 + i / 10;
    struct drift_ks r = drift_ks(a, 40, b, 40, 40, 40);
    assert_true(fabs(r.d - 0.5) < 1e-12);
    double n = sqrt(20.0), l = (n + 0.12 + 0.11 / n) * 0.5;
    assert_true(fabs(r.p - 2 * (exp(-2 * l * l) - exp(-8 * l * l))) < 1e-7);
    assert_true(drift_ks(a, 40, a, 40, 40, 40).p > 0.9999);
    r = drift_ks(a, 40, b, 40, 2e12 * 1.3581 * 1.3581 * 4 / 1e12, 1e30); /* 0.5 sqrt(n) large */
    assert_true(r.p < 0.05);
}

static double autoregression(struct rng *r, double *x, size_t n, double rho, double level) {
    double v = rng_normal(r);
    for (size_t i = 0; i < n; i++) {
        x[i] = level + v;
        v = rho * v + sqrt(1 - rho * rho) * rng_normal(r);
    }
    return drift_effective(x, n);
}

/* With the counts that memory leaves, two halves of one process differ about as often as 5 %; with
 * the raw counts nearly always. */
static void memory_is_not_taken_for_drift(void **state) {
    (void)state;
    struct rng r;
    size_t raw = 0, honest = 0, shifted = 0;
    double effective = 0;
    rng_init(&r, SEED, 2);
    print_message("seed %d\n", SEED);
    for (int w = 0; w < WORLDS; w++) {
        static double a[N], b[N];
        double na = autoregression(&r, a, N, 0.9, 0), nb = autoregression(&r, b, N, 0.9, 0);
        effective += (na + nb) / 2 / WORLDS;
        stats_sort(a, N);
        stats_sort(b, N);
        honest += drift_ks(a, N, b, N, na, nb).p < 0.05;
        raw += drift_ks(a, N, b, N, N, N).p < 0.05;
        for (int i = 0; i < N; i++) b[i] += 1.5;
        shifted += drift_ks(a, N, b, N, na, nb).p < 0.05;
    }
    print_message("effective %.0f of %d, p < .05: %zu, with raw counts %zu, shifted %zu of %d\n",
        effective, N, honest, raw, shifted, WORLDS);
    assert_true(fabs(effective - N * 0.1 / 1.9) < 20); /* n (1 - rho) / (1 + rho) = 53 */
    assert_true(honest <= WORLDS / 9 && raw > WORLDS / 2 && shifted > WORLDS * 9 / 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(psi_of_a_worked_example),
        cmocka_unit_test(psi_joins_equal_edges),
        cmocka_unit_test(ks_of_worked_examples),
        cmocka_unit_test(memory_is_not_taken_for_drift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
