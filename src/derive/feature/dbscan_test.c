/* dbscan_test.c: the published example, the definition, and the borders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../test/shared.h"
#include "base/rng.h"
#include "derive/feature/dbscan.h"

enum { SEED = 11, POINTS = 200 };

static int within(const double *x, size_t i, size_t j, double eps) {
    double dx = x[2 * i] - x[2 * j], dy = x[2 * i + 1] - x[2 * j + 1];
    return dx * dx + dy * dy <= eps * eps;
}
static int core(const double *x, size_t n, size_t i, double eps, size_t least) {
    size_t met = 0;
    for (size_t j = 0; j < n; j++) met += (size_t)within(x, i, j, eps);
    return met >= least;
}

static void the_published_example_has_three_clusters_and_48_noise_points(void **state) {
    double x[2 * POINTS];
    int want[POINTS];
    int32_t got[POINTS];
    uint32_t scratch[POINTS];
    size_t n = 0, noise = 0;
    char line[128];
    (void)state;
    SHARED_OR_SKIP("oracles/stats/dbscan.csv", path);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    while (n < POINTS && fgets(line, sizeof line, f)) {
        assert_int_equal(sscanf(line, "%lf,%lf,%d", &x[2 * n], &x[2 * n + 1], &want[n]), 3);
        n++;
    }
    fclose(f);
    assert_int_equal(n, POINTS);
    assert_int_equal(dbscan(x, n, 2, 0.35, 5, got, scratch), 3);
    for (size_t i = 0; i < n; i++) {
        noise += got[i] == DBSCAN_NOISE;
        assert_int_equal(got[i] == DBSCAN_NOISE, want[i] == -1);
        if (core(x, n, i, 0.35, 5)) assert_int_equal(got[i], want[i]);
    }
    assert_int_equal(noise, 48);
}

static void labels_are_what_the_definition_says_on_random_points(void **state) {
    struct rng r;
    double x[2 * POINTS];
    int32_t label[POINTS];
    uint32_t scratch[POINTS];
    (void)state;
    rng_init(&r, SEED, 3);
    print_message("seed %d\n", SEED);
    for (int round = 0; round < 40; round++) {
        size_t n = 1 + (size_t)rng_below(&r, POINTS), least = 1 + (size_t)rng_below(&r, 6);
        for (size_t i = 0; i < 2 * n; i++) x[i] = (double)rng_below(&r, 40); /* many ties */
        size_t clusters = dbscan(x, n, 2, 3.0, least, label, scratch);
        for (size_t i = 0; i < n; i++) {
            int reached = 0;
            assert_in_range(label[i] + 1, 0, clusters);
            for (size_t j = 0; j < n; j++) {
                if (!within(x, i, j, 3.0) || !core(x, n, j, 3.0, least)) continue;
                reached |= label[j] == label[i];
                if (core(x, n, i, 3.0, least)) assert_int_equal(label[i], label[j]);
            }
            assert_int_equal(reached, label[i] != DBSCAN_NOISE);
        }
    }
}

static void the_radius_and_the_point_itself_count(void **state) {
    const double x[4] = {0.0, 5.0, 10.0, 16.0};
    int32_t label[4];
    uint32_t scratch[4];
    (void)state;
    assert_int_equal(dbscan(x, 4, 1, 5.0, 3, label, scratch), 1);
    assert_int_equal(label[0], 0);
    assert_int_equal(label[2], 0);
    assert_int_equal(label[3], DBSCAN_NOISE);
    assert_int_equal(dbscan(x, 4, 1, 4.9, 2, label, scratch), 0);
    assert_int_equal(dbscan(x, 0, 1, 1.0, 1, label, scratch), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_example_has_three_clusters_and_48_noise_points),
        cmocka_unit_test(labels_are_what_the_definition_says_on_random_points),
        cmocka_unit_test(the_radius_and_the_point_itself_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
