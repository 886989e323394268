/* estimators_test.c: the textbook estimators against published answers and their own identities. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "../test/shared.h"
#include "derive/feature/estimators.h"

static void assert_near(double got, double want, double within) {
    if (fabs(got - want) <= within) return;
    print_message("got %.17g, want %.17g within %g\n", got, want, within);
    fail();
}

enum { BARS_MAX = 1100, MINUTES_MAX = 10000, GRID_RETURNS = 79 };

static void the_critical_value_of_lee_and_mykland_is_the_published_one(void **state) {
    (void)state;
    assert_near(lee_mykland_critical(78.0, 0.01), 4.067058, 5e-7);
}

static void equal_moves_have_no_jump_and_equal_variances(void **state) {
    double r[60], all = 0.0;
    (void)state;
    for (int i = 0; i < 60; i++) {
        r[i] = i % 2 ? -3.0 : 3.0;
        all += r[i] * r[i];
    }
    /* 9 in every term: each estimator is its scale times the same sum */
    assert_near(bipower_variance(r, 60), M_PI / 2.0 * all, 1e-9);
    assert_near(min_rv(r, 60), M_PI / (M_PI - 2.0) * all, 1e-9);
    assert_near(med_rv(r, 60), M_PI / (6.0 - 4.0 * sqrt(3.0) + M_PI) * all, 1e-9);
    assert_near(fabs(lee_mykland(r, 60)), 1.0 / sqrt(M_PI / 2.0), 1e-12);
}

static void one_jump_does_not_enter_the_robust_estimators(void **state) {
    double r[60];
    (void)state;
    for (int i = 0; i < 60; i++) r[i] = i % 2 ? -1.0 : 1.0;
    double before = med_rv(r, 60), least = min_rv(r, 60);
    r[30] = 500.0;
    assert_near(med_rv(r, 60), before, 1e-9);
    assert_near(min_rv(r, 60), least, 1e-9);
    assert_true(bipower_variance(r, 60) > before);
}

static void missing_or_few_points_give_no_number(void **state) {
    double r[4] = {1.0, NAN, 2.0, 1.0};
    (void)state;
    assert_true(isnan(med_rv(r, 4)) && isnan(min_rv(r, 4)) && isnan(bipower_variance(r, 4)));
    assert_true(isnan(med_rv(r, 2)) && isnan(min_rv(r, 1)) && isnan(bipower_variance(r, 1)));
    assert_true(isnan(lee_mykland(r, 3)) && isnan(lag_covariance(r, 2)));
    assert_true(isnan(corwin_schultz(1.0, 0.0, 1.0, 1.0)));
    assert_true(isnan(bulk_buy_share(1.0, 0.0)));
}

static void range_estimators_agree_on_a_bar_that_ends_where_it_began(void **state) {
    (void)state;
    double l = log(1.02);
    assert_near(parkinson(102.0, 100.0), l * l / (4.0 * log(2.0)), 1e-15);
    assert_near(garman_klass(101.0, 102.0, 100.0, 101.0), 0.5 * l * l, 1e-15);
    double up = log(102.0 / 101.0), down = log(100.0 / 101.0);
    assert_near(rogers_satchell(101.0, 102.0, 100.0, 101.0), up * up + down * down, 1e-15);
    assert_near(rogers_satchell(100.0, 102.0, 100.0, 102.0), 0.0, 1e-15);
}

/* --- mlfinlab's dollar bars, window 20 ------------------------------------------------------- */

struct bars {
    double high[BARS_MAX], low[BARS_MAX], close[BARS_MAX], change[BARS_MAX];
    int n;
};

static void bars_load(struct bars *b, const char *path) {
    char line[512];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    b->n = 0;
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f) && b->n < BARS_MAX) {
        double open;
        char *comma = strchr(line, ',');
        assert_non_null(comma);
        int got = sscanf(
            comma + 1, "%lf,%lf,%lf,%lf", &open, &b->high[b->n], &b->low[b->n], &b->close[b->n]);
        assert_int_equal(got, 4);
        b->change[b->n] = b->n ? b->close[b->n] - b->close[b->n - 1] : NAN;
        b->n++;
    }
    fclose(f);
    assert_int_equal(b->n, 1000);
}

static void rolls_spread_of_the_dollar_bars_is_the_published_one(void **state) {
    static struct bars b;
    (void)state;
    SHARED_OR_SKIP("data/known/mlfinlab/dollar_bar_sample.csv", path);
    bars_load(&b, path);
    double most = 0.0, sum = 0.0, n = 0.0;
    for (int i = 21; i < b.n; i++) { /* 20 pairs of changes */
        double roll = 2.0 * sqrt(fabs(lag_covariance(&b.change[i - 20], 21)));
        most = fmax(most, roll);
        sum += roll;
        n += 1.0;
    }
    assert_near(most, 7.1584, 1e-4); /* published with its digits cut */
    assert_near(sum / n, 2.341, 1e-3);
}

static void corwin_schultz_of_the_dollar_bars_is_the_published_one(void **state) {
    static struct bars b;
    static double beta[BARS_MAX], gamma[BARS_MAX];
    (void)state;
    SHARED_OR_SKIP("data/known/mlfinlab/dollar_bar_sample.csv", path);
    bars_load(&b, path);
    double most = 0.0;
    for (int i = 1; i < b.n; i++) {
        double now = log(b.high[i] / b.low[i]), before = log(b.high[i - 1] / b.low[i - 1]);
        double both = log(fmax(b.high[i], b.high[i - 1]) / fmin(b.low[i], b.low[i - 1]));
        beta[i] = now * now + before * before;
        gamma[i] = both * both;
        double mean = 0.0;
        for (int k = i - 19; k <= i && i >= 20; k++) mean += beta[k] / 20.0;
        if (i >= 20) most = fmax(most, corwin_schultz_spread(mean, gamma[i]));
        assert_near(corwin_schultz(b.high[i - 1], b.low[i - 1], b.high[i], b.low[i]),
            corwin_schultz_spread(beta[i], gamma[i]), 1e-12);
    }
    assert_near(most, 0.01652, 5e-6);
}

static void bulk_vpin_of_the_dollar_bars_is_the_published_one(void **state) {
    static struct bars b;
    (void)state;
    SHARED_OR_SKIP("data/known/mlfinlab/dollar_bar_sample.csv", path);
    bars_load(&b, path);
    double most = 0.0, sum = 0.0, n = 0.0;
    for (int i = 20; i < b.n; i++) {
        double mean = 0.0, square = 0.0;
        for (int k = i - 19; k <= i; k++) mean += b.change[k] / 20.0;
        for (int k = i - 19; k <= i; k++) square += pow(b.change[k] - mean, 2.0);
        double vpin = fabs(2.0 * bulk_buy_share(b.change[i], sqrt(square / 19.0)) - 1.0);
        most = fmax(most, vpin);
        sum += vpin;
        n += 1.0;
    }
    assert_near(most, 0.9999745, 5e-7);
    assert_near(sum / n, 0.501, 5e-4);
}

/* --- the R package highfrequency: MedRV on a five-minute grid ----------------------------------
 */

static double day_medrv(const double *r, int n) {
    assert_int_equal(n, GRID_RETURNS);
    return med_rv(r, (size_t)n);
}

/* Sum over days of MedRV of one column; the grid closes on the right, the first price of a day
 * stands at the day's start too, which makes the first return nil. */
static double medrv_sum(const char *path, int column) {
    char line[256], day[16] = "";
    double r[GRID_RETURNS + 1], last = NAN, grid = NAN, sum = 0.0;
    int n = 0;
    gzFile f = gzopen(path, "rb");
    assert_non_null(f);
    assert_non_null(gzgets(f, line, sizeof line));
    while (gzgets(f, line, sizeof line)) {
        double price[2];
        int hour, minute;
        assert_int_equal(
            sscanf(line + 11, "%d:%d:%*f,%lf,%lf", &hour, &minute, &price[0], &price[1]), 4);
        if (memcmp(day, line, 10) != 0) {
            if (day[0]) sum += day_medrv(r, n);
            memcpy(day, line, 10);
            grid = price[column];
            r[0] = 0.0;
            n = 1;
        }
        last = price[column];
        if ((hour * 60 + minute) % 5 == 0 && (hour > 9 || minute > 30)) {
            assert_true(n <= GRID_RETURNS);
            r[n++] = log(last / grid);
            grid = last;
        }
    }
    gzclose(f);
    return sum + day_medrv(r, n);
}

static void medrv_of_the_sample_days_is_the_published_one(void **state) {
    (void)state;
    SHARED_OR_SKIP("data/known/highfrequency/sampleOneMinuteData.csv.gz", path);
    assert_near(medrv_sum(path, 0), 0.003387052289, 5e-13);
    assert_near(medrv_sum(path, 1), 0.001451676499, 5e-13);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_critical_value_of_lee_and_mykland_is_the_published_one),
        cmocka_unit_test(equal_moves_have_no_jump_and_equal_variances),
        cmocka_unit_test(one_jump_does_not_enter_the_robust_estimators),
        cmocka_unit_test(missing_or_few_points_give_no_number),
        cmocka_unit_test(range_estimators_agree_on_a_bar_that_ends_where_it_began),
        cmocka_unit_test(rolls_spread_of_the_dollar_bars_is_the_published_one),
        cmocka_unit_test(corwin_schultz_of_the_dollar_bars_is_the_published_one),
        cmocka_unit_test(bulk_vpin_of_the_dollar_bars_is_the_published_one),
        cmocka_unit_test(medrv_of_the_sample_days_is_the_published_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
