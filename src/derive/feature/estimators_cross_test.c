/* estimators_cross_test.c: Granger, error correction and information share against published
 * answers and planted truths.
 */
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
#include "derive/feature/estimators_cross.h"

enum { POINTS_MAX = 6000, SEED = 20240808 };

static void assert_near(double got, double want, double within) {
    if (fabs(got - want) <= within) return;
    print_message("got %.17g, want %.17g within %g\n", got, want, within);
    fail();
}

/* Two columns of a CSV file with one line of names; returns the rows. */
static size_t read_columns(const char *path, int a, int b, double *x, double *y) {
    char line[1024];
    size_t n = 0;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        char *save = NULL;
        int column = 0;
        assert_true(n < POINTS_MAX);
        for (char *w = strtok_r(line, ",\n", &save); w; w = strtok_r(NULL, ",\n", &save)) {
            if (column == a) x[n] = strtod(w, NULL);
            if (column++ == b) y[n] = strtod(w, NULL);
        }
        n++;
    }
    fclose(f);
    return n;
}

static void the_tail_of_fishers_distribution_has_its_known_values(void **state) {
    (void)state;
    assert_near(f_tail(0.0, 3.0, 7.0), 1.0, 0.0);
    assert_near(f_tail(1.0, 5.0, 5.0), 0.5, 1e-14); /* symmetric in the logarithm */
    for (double f = 0.1; f < 20.0; f *= 1.7) {
        assert_near(f_tail(f, 2.0, 10.0), pow(1.0 + f / 5.0, -5.0), 1e-14); /* closed form */
        assert_near(f_tail(f, 3.0, 11.0) + f_tail(1.0 / f, 11.0, 3.0), 1.0, 1e-14);
    }
    /* t squared with one degree: Cauchy */
    assert_near(f_tail(1.0, 1.0, 1.0), 0.5, 1e-14);
    assert_near(f_tail(3.0, 1.0, 1.0), 1.0 - 2.0 / M_PI * atan(sqrt(3.0)), 1e-14);
    assert_true(isnan(f_tail(-1.0, 1.0, 1.0)) && isnan(f_tail(NAN, 1.0, 1.0)));
    assert_true(isnan(f_tail(1.0, 0.0, 1.0)) && isnan(f_tail(INFINITY, 1.0, 1.0)));
}

static void granger_of_output_and_consumption_is_the_published_one(void **state) {
    static const double f[4] = {
        2.880790764761401, 0.243096977960197, 1.0555992865821189, 1.3208256801535423};
    static const double p[4] = {
        0.0912132230294254, 0.7844327580356123, 0.3692008891444047, 0.263714215969642};
    static const double df[4] = {198, 195, 192, 189};
    static double gdp[POINTS_MAX], cons[POINTS_MAX];
    (void)state;
    SHARED_OR_SKIP("oracles/stats/macrodata.csv", path);
    size_t n = read_columns(path, 2, 3, gdp, cons);
    assert_int_equal(n, 203);
    for (size_t i = 0; i + 1 < n; i++) {
        gdp[i] = log(gdp[i + 1] / gdp[i]);
        cons[i] = log(cons[i + 1] / cons[i]);
    }
    for (size_t lags = 1; lags <= 4; lags++) {
        struct granger g;
        assert_true(granger_test(gdp, cons, n - 1, lags, &g));
        assert_near(g.f, f[lags - 1], 1e-9);
        assert_near(g.p, p[lags - 1], 1e-9);
        assert_true(g.df_num == (double)lags && g.df_den == df[lags - 1]);
    }
}

static void the_information_share_is_the_published_one(void **state) {
    static double p1[POINTS_MAX], p2[POINTS_MAX];
    struct price_discovery d, back;
    (void)state;
    SHARED_OR_SKIP("oracles/stats/is_in.csv", path);
    size_t n = read_columns(path, 0, 1, p1, p2);
    assert_int_equal(n, 5000);
    assert_true(price_discovery_estimate(p1, p2, n, 5, &d));
    assert_near(d.beta, 1.0001238457727704, 1e-10);
    assert_near(d.alpha[0], 0.004064377178020591, 1e-9);
    assert_near(d.alpha[1], 0.9717499702847953, 1e-9);
    assert_near(d.s11, 0.00012708600065033823, 1e-15);
    assert_near(d.s12, 1.2464010587925933e-05, 1e-15);
    assert_near(d.s22, 4.7992942588892895e-05, 1e-15);
    assert_near(d.share_first, 0.9999935567187996, 1e-10);
    assert_near(d.share_last, 0.975323039679476, 1e-10);
    assert_near(d.component, 1.0042001, 5e-8);
    /* the other way round the shares are what is left */
    assert_true(price_discovery_estimate(p2, p1, n, 5, &back));
    assert_near(back.share_first, 1.0 - d.share_last, 1e-9);
    assert_near(back.share_last, 1.0 - d.share_first, 1e-9);
    assert_near(back.component + d.component, 1.0, 1e-3); /* but for beta's scale */
    /* with beta given as 1 little changes: the estimate is 1.00012 */
    assert_true(price_discovery_given(p1, p2, n, 5, &d));
    assert_near(d.share_first, 0.99999, 1e-4);
    assert_near(d.share_last, 0.9753, 1e-3);
}

/* p2 follows p1 with a lag of one step; both carry a little noise of their own. */
static void make_follower(struct rng *r, double *p1, double *p2, size_t n) {
    double truth = 100.0, before = truth;
    for (size_t i = 0; i < n; i++) {
        p1[i] = truth + 0.05 * rng_normal(r);
        p2[i] = before + 0.05 * rng_normal(r) - 3.0; /* another level: basis */
        before = truth;
        truth += rng_normal(r);
    }
}

static void a_planted_leader_has_the_share_and_the_cause(void **state) {
    static double p1[POINTS_MAX], p2[POINTS_MAX], d1[POINTS_MAX], d2[POINTS_MAX];
    struct price_discovery d;
    struct granger to, from;
    struct rng r;
    size_t n = 3000;
    (void)state;
    rng_init(&r, SEED, 3);
    make_follower(&r, p1, p2, n);
    for (size_t i = 0; i + 1 < n; i++) {
        d1[i] = p1[i + 1] - p1[i];
        d2[i] = p2[i + 1] - p2[i];
    }
    assert_true(price_discovery_given(p1, p2, n, 5, &d));
    assert_near(d.mean, 3.0, 0.2);
    assert_true(d.share_first > 0.95 && d.share_last > 0.95 && d.component > 0.9);
    assert_true(price_discovery_given(p2, p1, n, 5, &d));
    assert_true(d.share_first < 0.05 && d.share_last < 0.05 && d.component < 0.1);
    assert_true(granger_test(d1, d2, n - 1, 3, &to) && granger_test(d2, d1, n - 1, 3, &from));
    assert_true(to.p < 1e-6 && from.p > 0.001 && to.f > 50.0 * from.f);
}

/* The same regressions with plain least squares by Gram-Schmidt, apart from the sweep. */
static double naive_rss(double x[][POINTS_MAX], size_t k, double *y, size_t n) {
    double rss = 0.0;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t j = 0; j < k; j++) {
            double xx = 0.0, xy = 0.0;
            for (size_t i = 0; pass == 0 && i < j; i++) {
                double ii = 0.0, ij = 0.0;
                for (size_t t = 0; t < n; t++) {
                    ii += x[i][t] * x[i][t];
                    ij += x[i][t] * x[j][t];
                }
                for (size_t t = 0; t < n; t++) x[j][t] -= ij / ii * x[i][t];
            }
            for (size_t t = 0; t < n; t++) {
                xx += x[j][t] * x[j][t];
                xy += x[j][t] * y[t];
            }
            for (size_t t = 0; t < n; t++) y[t] -= xy / xx * x[j][t];
        }
    for (size_t t = 0; t < n; t++) rss += y[t] * y[t];
    return rss;
}

static void granger_equals_plain_least_squares(void **state) {
    static double x[17][POINTS_MAX], cause[POINTS_MAX], effect[POINTS_MAX], y[POINTS_MAX];
    struct rng r;
    (void)state;
    rng_init(&r, SEED, 4);
    for (size_t lags = 1; lags <= CROSS_LAGS_MAX; lags++) {
        size_t n = 200 + (size_t)rng_below(&r, 300), rows = n - lags;
        for (size_t t = 0; t < n; t++) {
            cause[t] = 2.0 + rng_normal(&r);
            effect[t] =
                5.0 + (t > 2 ? 0.3 * effect[t - 1] + 0.2 * cause[t - 2] : 0.0) + rng_normal(&r);
        }
        double rss[2];
        for (size_t with = 0; with < 2; with++) {
            size_t k = 1 + lags * (1 + with);
            for (size_t t = 0; t < rows; t++) {
                y[t] = effect[t + lags];
                x[0][t] = 1.0;
                for (size_t i = 1; i <= lags; i++) {
                    x[i][t] = effect[t + lags - i];
                    x[lags + i][t] = cause[t + lags - i];
                }
            }
            rss[with] = naive_rss(x, k, y, rows);
        }
        struct granger g;
        assert_true(granger_test(cause, effect, n, lags, &g));
        double want = (rss[0] - rss[1]) / (double)lags / (rss[1] / (double)(rows - 2 * lags - 1));
        assert_near(g.f, want, 1e-8 * fmax(1.0, want));
    }
}

static void what_cannot_be_estimated_gives_no_number(void **state) {
    double flat[100], walk[100], at = 0.0;
    struct rng r;
    struct granger g;
    struct price_discovery d;
    (void)state;
    rng_init(&r, SEED, 5);
    for (size_t i = 0; i < 100; i++) {
        flat[i] = 7.0;
        walk[i] = at += rng_normal(&r);
    }
    assert_false(granger_test(flat, walk, 100, 2, &g) || granger_test(walk, flat, 100, 2, &g));
    assert_false(granger_test(walk, walk, 100, 2, &g)); /* the same series twice */
    assert_false(granger_test(walk, flat, 7, 2, &g) || granger_test(walk, flat, 100, 0, &g));
    assert_false(granger_test(walk, flat, 100, CROSS_LAGS_MAX + 1, &g));
    assert_false(price_discovery_given(walk, walk, 100, 3, &d));
    assert_false(price_discovery_given(walk, flat, 100, 3, &d));
    assert_false(price_discovery_estimate(flat, flat, 100, 3, &d));
    assert_false(price_discovery_given(walk, flat, 12, 3, &d));
    walk[50] = NAN;
    assert_false(granger_test(walk, flat, 100, 2, &g));
    assert_false(price_discovery_estimate(walk, flat, 100, 3, &d));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tail_of_fishers_distribution_has_its_known_values),
        cmocka_unit_test(granger_of_output_and_consumption_is_the_published_one),
        cmocka_unit_test(the_information_share_is_the_published_one),
        cmocka_unit_test(a_planted_leader_has_the_share_and_the_cause),
        cmocka_unit_test(granger_equals_plain_least_squares),
        cmocka_unit_test(what_cannot_be_estimated_gives_no_number),
    };
    print_message("seed %d\n", SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
