/* garch_test.c: the published answer, recovery of known parameters, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../test/shared.h"
#include "base/rng.h"
#include "derive/feature/garch.h"

enum { SEED = 1986, DAYS = 1974, LONG = 40000 };

/* Equal to four significant digits. */
static void assert_four_digits(double got, double want) {
    if (fabs(got - want) <= 5e-5 * fabs(want)) return;
    print_message("got %.12g, want %.12g\n", got, want);
    fail();
}

static void the_mark_and_pound_returns_give_the_published_parameters(void **state) {
    static double r[DAYS];
    struct garch g;
    char line[64];
    size_t n = 0;
    (void)state;
    SHARED_OR_SKIP("oracles/stats/dem2gbp.csv", path);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    while (n < DAYS && fgets(line, sizeof line, f)) r[n++] = strtod(line, NULL);
    fclose(f);
    assert_int_equal(n, DAYS);
    assert_true(garch_fit(r, n, &g));
    assert_four_digits(g.mu, -.00619041436);
    assert_four_digits(g.omega, .01076139156);
    assert_four_digits(g.alpha, .15313390532);
    assert_four_digits(g.beta, .80597378021);
    assert_true(fabs(g.log_likelihood + 1106.608) < 0.001);
}

/* Returns made by the model itself. */
static void simulate(double *r, size_t n, const struct garch *g) {
    struct rng rng;
    double h = g->omega / (1.0 - g->alpha - g->beta), e = 0.0;
    rng_init(&rng, SEED, 1);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) h = g->omega + g->alpha * e * e + g->beta * h;
        e = sqrt(h) * rng_normal(&rng);
        r[i] = g->mu + e;
    }
}

static void parameters_of_a_simulated_series_are_found_again(void **state) {
    double *r = malloc(LONG * sizeof *r);
    struct garch truth = {.mu = 0.02, .omega = 0.05, .alpha = 0.08, .beta = 0.88}, g;
    (void)state;
    assert_non_null(r);
    simulate(r, LONG, &truth);
    assert_true(garch_fit(r, LONG, &g));
    assert_true(fabs(g.mu - truth.mu) < 0.02 && fabs(g.omega - truth.omega) < 0.01);
    assert_true(fabs(g.alpha - truth.alpha) < 0.01 && fabs(g.beta - truth.beta) < 0.015);
    assert_true(garch_filter(r, LONG, &truth));
    assert_true(g.log_likelihood >= truth.log_likelihood);
    free(r);
}

/* A law that needs no reference: nothing near the answer is likelier. */
static void no_neighbour_of_the_answer_is_likelier(void **state) {
    static double r[2000];
    struct garch truth = {.mu = -1.0, .omega = 3.0, .alpha = 0.2, .beta = 0.6}, g;
    (void)state;
    simulate(r, 2000, &truth);
    assert_true(garch_fit(r, 2000, &g));
    for (int part = 0; part < 8; part++) {
        struct garch near = g;
        double by = part % 2 ? 1e-3 : -1e-3;
        *(part / 2 == 0     ? &near.mu
            : part / 2 == 1 ? &near.omega
            : part / 2 == 2 ? &near.alpha
                            : &near.beta) += by;
        assert_true(garch_filter(r, 2000, &near));
        assert_true(near.log_likelihood < g.log_likelihood);
    }
}

static void the_unit_of_the_returns_does_not_matter(void **state) {
    static double r[1000], big[1000];
    struct garch truth = {.omega = 0.1, .alpha = 0.1, .beta = 0.8}, a, b;
    (void)state;
    simulate(r, 1000, &truth);
    for (int i = 0; i < 1000; i++) big[i] = 1024.0 * r[i];
    assert_true(garch_fit(r, 1000, &a) && garch_fit(big, 1000, &b));
    assert_true(fabs(a.alpha - b.alpha) < 1e-4 && fabs(a.beta - b.beta) < 1e-4);
    assert_true(fabs(b.next_variance / a.next_variance / (1024.0 * 1024.0) - 1.0) < 1e-3);
}

static void what_cannot_be_fitted_is_refused_and_leaves_the_answer_alone(void **state) {
    double r[200];
    struct garch g = {.mu = 7.0}, before = g;
    (void)state;
    for (int i = 0; i < 200; i++) r[i] = 2.5;
    assert_false(garch_fit(r, 200, &g)); /* constant */
    for (int i = 0; i < 200; i++) r[i] = i % 3 - 1.0;
    assert_false(garch_fit(r, GARCH_MIN - 1, &g));
    r[20] = NAN;
    assert_false(garch_fit(r, 200, &g));
    assert_memory_equal(&g, &before, sizeof g);
    r[20] = 0.0;
    g = (struct garch){.omega = 0.1, .alpha = 0.5, .beta = 0.5};
    assert_false(garch_filter(r, 200, &g));
    g = (struct garch){.omega = 0.0, .alpha = 0.1, .beta = 0.5};
    assert_false(garch_filter(r, 200, &g));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mark_and_pound_returns_give_the_published_parameters),
        cmocka_unit_test(parameters_of_a_simulated_series_are_found_again),
        cmocka_unit_test(no_neighbour_of_the_answer_is_likelier),
        cmocka_unit_test(the_unit_of_the_returns_does_not_matter),
        cmocka_unit_test(what_cannot_be_fitted_is_refused_and_leaves_the_answer_alone),
    };
    print_message("seed %d\n", SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
