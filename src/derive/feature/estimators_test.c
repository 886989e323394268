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
    double volume[BARS_MAX], value[BARS_MAX], log_return[BARS_MAX];
    int8_t sign[BARS_MAX]; /* of the last change that was not nil */
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
        int n = b->n++;
        int got = sscanf(comma + 1, "%lf,%lf,%lf,%lf,%lf,%lf", &open, &b->high[n], &b->low[n],
            &b->close[n], &b->volume[n], &b->value[n]);
        assert_int_equal(got, 6);
        b->change[n] = n ? b->close[n] - b->close[n - 1] : NAN;
        b->log_return[n] = n ? log(b->close[n] / b->close[n - 1]) : NAN;
        b->sign[n] = b->change[n] > 0.0 ? 1 : b->change[n] < 0.0 ? -1 : n ? b->sign[n - 1] : 0;
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

struct extent { /* of one estimator over all windows of 20 bars */
    double most, sum, n;
};

static void extent_take(struct extent *x, double value) {
    assert_true(isfinite(value));
    x->most = fmax(x->most, value);
    x->sum += value;
    x->n += 1.0;
}

static void impact_of_the_dollar_bars_is_the_published_one(void **state) {
    static struct bars b;
    struct extent kyle = {0}, amihud = {0}, hasbrouck = {0};
    (void)state;
    SHARED_OR_SKIP("data/known/mlfinlab/dollar_bar_sample.csv", path);
    bars_load(&b, path);
    for (int i = 20; i < b.n; i++) {
        int k = i - 19;
        extent_take(&kyle, bar_kyle(&b.change[k], &b.volume[k], &b.sign[k], 20));
        extent_take(&amihud, bar_amihud(&b.log_return[k], &b.value[k], 20));
        extent_take(&hasbrouck, bar_hasbrouck(&b.log_return[k], &b.value[k], &b.sign[k], 20));
    }
    assert_near(kyle.most, 0.000163423, 1e-9);
    assert_near(kyle.sum / kyle.n, 7.02e-5, 1e-8);
    assert_near(amihud.most, 4.057838e-11, 1e-16);
    assert_near(hasbrouck.most, 3.39527e-7, 1e-12);
}

static void bulk_vpin_of_the_dollar_bars_is_the_published_one(void **state) {
    static struct bars b;
    static double share[BARS_MAX];
    struct extent one = {0}, twenty = {0};
    (void)state;
    SHARED_OR_SKIP("data/known/mlfinlab/dollar_bar_sample.csv", path);
    bars_load(&b, path);
    for (int i = 20; i < b.n; i++) {
        double mean = 0.0, square = 0.0;
        for (int k = i - 19; k <= i; k++) mean += b.change[k] / 20.0;
        for (int k = i - 19; k <= i; k++) square += pow(b.change[k] - mean, 2.0);
        share[i] = bulk_buy_share(b.change[i], sqrt(square / 19.0));
        extent_take(&one, bulk_vpin(&share[i], &b.volume[i], 1));
        if (i >= 39) extent_take(&twenty, bulk_vpin(&share[i - 19], &b.volume[i - 19], 20));
    }
    assert_near(one.most, 0.9999745, 5e-8);
    assert_near(one.sum / one.n, 0.501, 5e-4);
    assert_near(twenty.most, 0.6811, 1e-4); /* published with its digits cut */
    assert_near(twenty.sum / twenty.n, 0.500, 5e-4);
}

static void impact_is_missing_where_a_bar_has_no_volume_or_no_sign(void **state) {
    const double change[2] = {1.0, -2.0}, volume[2] = {2.0, 4.0}, none[2] = {2.0, 0.0};
    const int8_t sign[2] = {1, -1}, still[2] = {0, -1};
    (void)state;
    assert_near(bar_kyle(change, volume, sign, 2), 0.5, 1e-15);
    assert_true(isnan(bar_kyle(change, none, sign, 2)));
    assert_true(isnan(bar_kyle(change, volume, still, 2)));
    assert_near(bar_amihud(change, volume, 2), 0.5, 1e-15);
    assert_true(isnan(bar_amihud(change, none, 2)));
    assert_near(bar_hasbrouck(change, volume, sign, 2), (1.0 / sqrt(2.0) + 1.0) / 2.0, 1e-15);
    assert_true(isnan(bar_hasbrouck(change, volume, still, 2)));
    assert_true(isnan(bar_kyle(change, volume, sign, 0)));
    assert_true(isnan(bulk_vpin(change, volume, 0)));
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

enum { DAY_MINUTES = 391 };

/* One-minute prices of the first `days` days of column 0, a day an array. */
static void minutes_load(const char *path, double px[][DAY_MINUTES], int days) {
    char line[256], day[16] = "";
    int d = -1, n = 0;
    gzFile f = gzopen(path, "rb");
    assert_non_null(f);
    assert_non_null(gzgets(f, line, sizeof line));
    while (gzgets(f, line, sizeof line)) {
        if (memcmp(day, line, 10) != 0) {
            assert_true(d < 0 || n == DAY_MINUTES);
            if (++d == days) break;
            memcpy(day, line, 10);
            n = 0;
        }
        assert_true(n < DAY_MINUTES);
        assert_int_equal(sscanf(line + 11, "%*d:%*d:%*f,%lf", &px[d][n++]), 1);
    }
    gzclose(f);
    assert_int_equal(d, days);
}

static void jiang_oomen_of_the_sample_days_is_the_published_one(void **state) {
    static double px[4][DAY_MINUTES];
    static const double published[4] = {1.58839275, -2.23596373, 1.43940618, -1.62044390};
    (void)state;
    SHARED_OR_SKIP("data/known/highfrequency/sampleOneMinuteData.csv.gz", path);
    minutes_load(path, px, 4);
    /* the published figures carry the rounding of log differences in rv / swv, which is near 1 */
    for (int d = 0; d < 4; d++) assert_near(jiang_oomen(px[d], DAY_MINUTES), published[d], 1e-7);
}

static void a_planted_jump_moves_jiang_oomen_by_its_sign(void **state) {
    double px[200], up[200], down[200];
    (void)state;
    for (int i = 0; i < 200; i++) {
        px[i] = 100.0 * exp(0.0005 * sin(1.7 * i) + 0.0003 * cos(0.9 * i * i));
        up[i] = i < 120 ? px[i] : px[i] * 1.02;
        down[i] = i < 120 ? px[i] : px[i] / 1.02;
    }
    assert_true(fabs(jiang_oomen(px, 200)) < 3.0);
    assert_true(jiang_oomen(up, 200) > 10.0);
    assert_true(jiang_oomen(down, 200) < -10.0);
    assert_true(isnan(jiang_oomen(px, 8)));
    px[50] = NAN;
    assert_true(isnan(jiang_oomen(px, 200)));
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
        cmocka_unit_test(impact_of_the_dollar_bars_is_the_published_one),
        cmocka_unit_test(impact_is_missing_where_a_bar_has_no_volume_or_no_sign),
        cmocka_unit_test(medrv_of_the_sample_days_is_the_published_one),
        cmocka_unit_test(jiang_oomen_of_the_sample_days_is_the_published_one),
        cmocka_unit_test(a_planted_jump_moves_jiang_oomen_by_its_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
