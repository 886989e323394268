#include "derive/feature/pin.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/rng.h"

enum { SEED = 1996, DAYS_MAX = 1500 };

/* A Poisson count: exponential times until `rate` is used up. */
static double poisson(struct rng *r, double rate) {
    double n = 0.0;
    for (double at = rng_exp(r); at < rate; at += rng_exp(r)) n += 1.0;
    return n;
}

static void simulate(struct rng *r, const struct pin *p, size_t days, double *buys, double *sells) {
    for (size_t i = 0; i < days; i++) {
        bool event = rng_unit(r) < p->alpha, bad = rng_unit(r) < p->delta;
        buys[i] = poisson(r, p->eps_buy + (event && !bad ? p->mu : 0.0));
        sells[i] = poisson(r, p->eps_sell + (event && bad ? p->mu : 0.0));
    }
}

static void the_parameters_of_a_simulation_are_found(void **state) {
    static const struct pin truth[] = {{0.3, 0.4, 60, 100, 110, 0, 0}, {0.6, 0.7, 35, 40, 55, 0, 0},
        {0.15, 0.5, 300, 500, 450, 0, 0}, {0.5, 0.1, 20, 15, 25, 0, 0}};
    static double buys[DAYS_MAX], sells[DAYS_MAX];
    struct rng r;
    (void)state;
    rng_init(&r, SEED, 1);
    printf("seed %d\n", SEED);
    for (size_t i = 0; i < sizeof truth / sizeof truth[0]; i++) {
        const struct pin *t = &truth[i];
        struct pin got;
        simulate(&r, t, DAYS_MAX, buys, sells);
        assert_true(pin_fit(buys, sells, DAYS_MAX, &got));
        double known = t->alpha * t->mu / (t->alpha * t->mu + t->eps_buy + t->eps_sell);
        printf("pin %.4f, simulated with %.4f\n", got.pin, known);
        assert_true(fabs(got.pin - known) < 0.012);
        assert_true(fabs(got.alpha - t->alpha) < 0.05 && fabs(got.delta - t->delta) < 0.06);
        assert_true(fabs(got.mu / t->mu - 1.0) < 0.06);
        assert_true(fabs(got.eps_buy / t->eps_buy - 1.0) < 0.02);
        assert_true(fabs(got.eps_sell / t->eps_sell - 1.0) < 0.02);
        assert_true(got.log_likelihood >= pin_likelihood(t, buys, sells, DAYS_MAX));
    }
}

/* The likelihood as it stands in the paper, by sums of logarithms of factorials. */
static double term(double rate, double n) {
    double ln = -rate + n * log(rate);
    for (double i = 2.0; i <= n; i += 1.0) ln -= log(i);
    return ln;
}

static void the_likelihood_is_that_of_the_paper(void **state) {
    const struct pin p = {0.35, 0.45, 12, 9, 7, 0, 0};
    const double buys[] = {8, 21, 3, 0}, sells[] = {7, 5, 22, 1};
    double want = 0.0;
    (void)state;
    for (int i = 0; i < 4; i++) {
        double b = buys[i], s = sells[i];
        want += log((1 - p.alpha) * exp(term(p.eps_buy, b) + term(p.eps_sell, s)) +
                    p.alpha * p.delta * exp(term(p.eps_buy, b) + term(p.eps_sell + p.mu, s)) +
                    p.alpha * (1 - p.delta) * exp(term(p.eps_buy + p.mu, b) + term(p.eps_sell, s)));
        want -= term(1.0, b) + 1.0 + term(1.0, s) + 1.0; /* the factorials stay out */
    }
    assert_true(fabs(pin_likelihood(&p, buys, sells, 4) - want) < 1e-10);
}

static void no_small_change_of_a_parameter_is_better(void **state) {
    static double buys[200], sells[200];
    const struct pin truth = {0.4, 0.3, 50, 80, 70, 0, 0};
    struct pin got;
    struct rng r;
    (void)state;
    rng_init(&r, SEED, 2);
    simulate(&r, &truth, 200, buys, sells);
    assert_true(pin_fit(buys, sells, 200, &got));
    for (int i = 0; i < 10; i++) {
        struct pin p = got;
        double *const at[5] = {&p.alpha, &p.delta, &p.mu, &p.eps_buy, &p.eps_sell};
        *at[i / 2] *= i % 2 ? 1.01 : 0.99;
        assert_true(pin_likelihood(&p, buys, sells, 200) < got.log_likelihood);
    }
}

static void what_cannot_be_fitted_is_refused(void **state) {
    double buys[12] = {0}, sells[12] = {0};
    struct pin got = {.pin = 7};
    (void)state;
    assert_false(pin_fit(buys, sells, 12, &got));
    buys[3] = -1;
    assert_false(pin_fit(buys, sells, 12, &got));
    buys[3] = NAN;
    assert_false(pin_fit(buys, sells, 12, &got));
    assert_false(pin_fit(buys, sells, 9, &got));
    assert_true(got.pin == 7);
    for (int i = 0; i < 12; i++) buys[i] = sells[i] = 5;
    assert_true(pin_fit(buys, sells, 12, &got));
    assert_true(got.pin >= 0.0 && got.pin < 0.5 && isfinite(got.log_likelihood));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parameters_of_a_simulation_are_found),
        cmocka_unit_test(the_likelihood_is_that_of_the_paper),
        cmocka_unit_test(no_small_change_of_a_parameter_is_better),
        cmocka_unit_test(what_cannot_be_fitted_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
