/* cluster_test.c: correlations against Spearman's, the tree against a naive one. */
#include "learn/select/cluster.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "learn/study/stats.h"

enum { SEED = 31, ROWS = 500, COLUMNS = 24 };

/* Columns 0..5 follow one another (two with the sign turned), 6..9 a second one, the rest none. */
static float *world(double gaps) {
    float *x = malloc((size_t)ROWS * COLUMNS * sizeof *x);
    struct rng r;
    assert_non_null(x);
    rng_init(&r, SEED, 1);
    for (size_t i = 0; i < ROWS; i++) {
        double a = rng_normal(&r), b = rng_normal(&r);
        for (size_t j = 0; j < COLUMNS; j++) {
            double own = rng_normal(&r), v = j < 6 ? a + 0.1 * own : j < 10 ? b + 0.1 * own : own;
            if (j == 2 || j == 4) v = -exp(v);
            if (rng_unit(&r) < gaps) v = (double)NAN;
            x[i * COLUMNS + j] = (float)v;
        }
    }
    return x;
}

static void correlations_are_spearmans_over_common_rows(void **state) {
    (void)state;
    float *x = world(0);
    uint32_t column[COLUMNS];
    struct matrix m = {.rows = ROWS, .columns = COLUMNS, .x = x};
    for (uint32_t j = 0; j < COLUMNS; j++) column[j] = j;
    float *r = cluster_correlations(&m, column, COLUMNS, 0, ROWS);
    for (size_t i = 0; i < COLUMNS; i++) {
        for (size_t j = 0; j < COLUMNS; j++) {
            double a[ROWS], b[ROWS];
            for (size_t k = 0; k < ROWS; k++) {
                a[k] = (double)x[k * COLUMNS + i];
                b[k] = (double)x[k * COLUMNS + j];
            }
            assert_true(fabs((double)r[i * COLUMNS + j] - stats_spearman(a, b, ROWS)) < 1e-6);
        }
    }
    free(r);
    free(x);
    x = world(0.3); /* with gaps: near it, and unrelated where nothing is in common */
    for (size_t i = 0; i < ROWS; i++) x[i * COLUMNS + (i % 2 ? 10 : 11)] = NAN;
    m.x = x;
    r = cluster_correlations(&m, column, COLUMNS, 0, ROWS);
    assert_true((double)r[1] > 0.95 && (double)r[2] < -0.95);
    assert_true(r[10 * COLUMNS + 11] == 0);
    free(r);
    free(x);
}

/* Average linkage by its definition: join the two nearest until none is near enough. */
static void naive_clusters(const float *r, size_t n, double least, uint32_t *id) {
    for (uint32_t i = 0; i < n; i++) id[i] = i;
    for (;;) {
        double best = 2;
        uint32_t a = 0, b = 0;
        for (uint32_t p = 0; p < n; p++) {
            for (uint32_t q = p + 1; q < n; q++) {
                double sum = 0, pairs = 0;
                for (size_t i = 0; i < n; i++)
                    for (size_t j = 0; j < n; j++)
                        if (id[i] == p && id[j] == q)
                            sum += 1 - fabs((double)r[i * n + j]), pairs++;
                if (pairs > 0 && sum / pairs < best) best = sum / pairs, a = p, b = q;
            }
        }
        if (best > 1 - least) return;
        for (size_t i = 0; i < n; i++)
            if (id[i] == b) id[i] = a;
    }
}

static void the_tree_is_that_of_average_linkage(void **state) {
    (void)state;
    float *x = world(0);
    uint32_t column[COLUMNS], want[COLUMNS], medoid[COLUMNS];
    struct matrix m = {.rows = ROWS, .columns = COLUMNS, .x = x};
    for (uint32_t j = 0; j < COLUMNS; j++) column[j] = j;
    float *r = cluster_correlations(&m, column, COLUMNS, 0, ROWS);
    static const double cut[] = {0.9, 0.1, 0.05, 0.03, 0};
    for (size_t c = 0; c < sizeof cut / sizeof cut[0]; c++) {
        struct cluster_tree t;
        size_t seen[COLUMNS] = {0}, clusters = 0;
        cluster_tree_make(&t, r, COLUMNS, cut[c]);
        naive_clusters(r, COLUMNS, cut[c], want);
        for (size_t i = 0; i < COLUMNS; i++) {
            seen[t.order[i]]++;
            clusters += want[i] == i;
            for (size_t j = 0; j < COLUMNS; j++)
                assert_int_equal(t.cluster[i] == t.cluster[j], want[i] == want[j]);
        }
        for (size_t i = 0; i < COLUMNS; i++) assert_int_equal(seen[i], 1);
        assert_int_equal(t.clusters, clusters);
        cluster_medoids(&t, r, medoid);
        for (uint32_t k = 0; k < t.clusters; k++) assert_int_equal(t.cluster[medoid[k]], k);
        if (c == 0) assert_int_equal(t.clusters, 1 + 1 + COLUMNS - 10);
        cluster_tree_fini(&t);
    }
    free(r);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(correlations_are_spearmans_over_common_rows),
        cmocka_unit_test(the_tree_is_that_of_average_linkage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
