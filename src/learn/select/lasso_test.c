/* lasso_test.c: the closed form of orthogonal columns, the conditions of the optimum, no luck. */
#include "learn/select/lasso.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"

enum { SEED = 96, ROWS = 400, COLUMNS = 30 };

/* Four columns of +-1 that are orthogonal over every four rows. */
static void orthogonal_columns_are_shrunk_by_lambda(void **state) {
    (void)state;
    static const double h[4][3] = {{1, 1, 1}, {-1, 1, -1}, {1, -1, -1}, {-1, -1, 1}};
    double z[40 * 3], y[40];
    struct lasso_path p;
    for (size_t i = 0; i < 40; i++) {
        for (size_t j = 0; j < 3; j++) z[i * 3 + j] = h[i % 4][j];
        y[i] = 2 * z[i * 3] - 0.5 * z[i * 3 + 1];
    }
    lasso_fit(z, y, 40, 3, &p);
    assert_true(p.steps == LASSO_STEPS && fabs(p.lambda[0] - 2) < 1e-12);
    assert_true(fabs(p.lambda[LASSO_STEPS - 1] - 0.02) < 1e-12);
    for (size_t s = 0; s < p.steps; s++) {
        double l = p.lambda[s];
        assert_true(fabs(p.beta[s * 3] - fmax(0, 2 - l)) < 1e-9);
        assert_true(fabs(p.beta[s * 3 + 1] + fmax(0, 0.5 - l)) < 1e-9);
        assert_true(fabs(p.beta[s * 3 + 2]) < 1e-9);
    }
    lasso_free(&p);
}

static void fill(double *z, double *y, double signal, uint64_t stream) {
    struct rng r;
    rng_init(&r, SEED, stream);
    for (size_t i = 0; i < ROWS; i++) {
        double common = rng_normal(&r);
        for (size_t j = 0; j < COLUMNS; j++)
            z[i * COLUMNS + j] = 0.6 * common + 0.8 * rng_normal(&r);
        y[i] = signal * (z[i * COLUMNS + 3] - z[i * COLUMNS + 11]) + rng_normal(&r);
    }
}

/* The gradient of a column is lambda with the sign of its weight, or at most lambda where it is 0.
 */
static void every_step_is_an_optimum(void **state) {
    (void)state;
    double *z = malloc(ROWS * COLUMNS * sizeof *z), y[ROWS];
    struct lasso_path p;
    assert_non_null(z);
    fill(z, y, 0.5, 1);
    lasso_fit(z, y, ROWS, COLUMNS, &p);
    assert_int_equal(p.steps, LASSO_STEPS);
    for (size_t s = 0; s < p.steps; s++) {
        const double *beta = p.beta + s * COLUMNS;
        double slope[COLUMNS] = {0};
        for (size_t i = 0; i < ROWS; i++) {
            double left = y[i];
            for (size_t j = 0; j < COLUMNS; j++) left -= z[i * COLUMNS + j] * beta[j];
            for (size_t j = 0; j < COLUMNS; j++) slope[j] += z[i * COLUMNS + j] * left / ROWS;
        }
        for (size_t j = 0; j < COLUMNS; j++) {
            if (beta[j] == 0)
                assert_true(fabs(slope[j]) <= p.lambda[s] + 1e-6);
            else
                assert_true(fabs(slope[j] - copysign(p.lambda[s], beta[j])) < 1e-6);
        }
    }
    lasso_free(&p);
    free(z);
}

static void the_rule_takes_what_is_there_and_nothing_where_nothing_is(void **state) {
    (void)state;
    double *z = malloc(2 * ROWS * COLUMNS * sizeof *z), y[2 * ROWS];
    size_t empty = 0;
    assert_non_null(z);
    for (uint64_t world = 0; world < 40; world++) {
        struct lasso_path p;
        bool signal = world % 2;
        fill(z, y, signal ? 0.5 : 0, 10 + 2 * world);
        fill(z + ROWS * COLUMNS, y + ROWS, signal ? 0.5 : 0, 11 + 2 * world);
        lasso_fit(z, y, ROWS, COLUMNS, &p);
        size_t s = lasso_choose(&p, z + ROWS * COLUMNS, y + ROWS, ROWS);
        if (signal) assert_true(p.beta[s * COLUMNS + 3] > 0 && p.beta[s * COLUMNS + 11] < 0);
        empty += !signal && s == 0;
        lasso_free(&p);
    }
    print_message("nothing taken in %zu of 20 worlds without a link\n", empty);
    assert_true(empty >= 17);
    free(z);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orthogonal_columns_are_shrunk_by_lambda),
        cmocka_unit_test(every_step_is_an_optimum),
        cmocka_unit_test(the_rule_takes_what_is_there_and_nothing_where_nothing_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
