#include "learn/study/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../test/shared.h"
#include "base/file.h"
#include "learn/study/returns.h"

enum { SEED = 12 };

static void shares_of_winning_pairs_equal_the_area_by_ranks(void **state) {
    (void)state;
    printf("seed %d\n", SEED);
    struct dice d = {SEED};
    enum { N = 120 };
    for (int round = 0; round < 50; round++) {
        double score[N], pairs = 0, won = 0;
        uint8_t up[N];
        for (int i = 0; i < N; i++) {
            score[i] = (double)dice_below(&d, 20);
            up[i] = dice_uniform(&d) < 0.3;
        }
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++) {
                if (!up[i] || up[j]) continue;
                pairs++;
                won += score[i] > score[j] ? 1 : score[i] == score[j] ? 0.5 : 0;
            }
        }
        assert_true(fabs(stats_auc(score, up, N) - won / pairs) < 1e-12);
    }
    double one[2] = {1, 2};
    uint8_t same[2] = {1, 1};
    assert_true(isnan(stats_auc(one, same, 2)));
}

/* Rank by counting how many are smaller and how many are equal. */
static void ranks_share_ties_and_give_the_rank_correlation(void **state) {
    (void)state;
    struct dice d = {SEED + 1};
    enum { N = 80 };
    double x[N], y[N], rx[N], ry[N], got[N];
    for (int i = 0; i < N; i++) {
        x[i] = (double)dice_below(&d, 15) - 7;
        y[i] = x[i] + (double)dice_below(&d, 10);
    }
    for (int i = 0; i < N; i++) {
        double lower[2] = {0}, equal[2] = {0};
        for (int j = 0; j < N; j++) {
            lower[0] += x[j] < x[i], equal[0] += x[j] == x[i];
            lower[1] += y[j] < y[i], equal[1] += y[j] == y[i];
        }
        rx[i] = lower[0] + (equal[0] + 1) / 2;
        ry[i] = lower[1] + (equal[1] + 1) / 2;
    }
    stats_ranks(x, N, got);
    for (int i = 0; i < N; i++) assert_true(got[i] == rx[i]);
    assert_true(fabs(stats_spearman(x, y, N) - stats_pearson(rx, ry, N)) < 1e-14);
    double flat[3] = {1, 1, 1}, any[3] = {1, 2, 3};
    assert_true(isnan(stats_pearson(flat, any, 3)));
    assert_true(fabs(stats_pearson(any, any, 3) - 1) < 1e-15);
}

static void normal_quantiles_invert_the_distribution(void **state) {
    (void)state;
    static const double known[][2] = {{0.975, 1.959963984540054}, {0.5, 0},
        {0.05, -1.6448536269514722}, {1e-9, -5.997807015007687}, {0.999999, 4.753424308822899}};
    for (int i = 0; i < 5; i++)
        assert_true(fabs(normal_quantile(known[i][0]) - known[i][1]) < 1e-9);
    for (double p = 0.001; p < 1; p += 0.0101)
        assert_true(fabs(normal_cdf(normal_quantile(p)) - p) < 1e-14);
}

static void the_block_length_of_the_recorded_series_is_the_published_one(void **state) {
    (void)state;
    SHARED_OR_SKIP("oracles/stats/ar1.csv", path);
    static double x[10000];
    char *text;
    size_t n, k = 0;
    struct err_info e;
    assert_int_equal(file_read(path, 1 << 20, &text, &n, &e), ERR_OK);
    for (char *p = strchr(text, '\n'); p && k < 10000; k++) {
        char *end;
        x[k] = strtod(p, &end);
        if (end == p) break;
        p = end;
    }
    free(text);
    assert_int_equal(k, 10000);
    struct block_length b = stats_block_length(x, k);
    printf("stationary %.6f circular %.6f\n", b.stationary, b.circular);
    assert_true(fabs(b.stationary - 13.635665) < 1e-6);
    assert_true(fabs(b.circular - 15.60894) < 1e-5);
}

static void independent_rows_get_short_blocks_and_flat_ones_single_rows(void **state) {
    (void)state;
    struct dice d = {SEED + 2};
    static double x[5000];
    for (int i = 0; i < 5000; i++) x[i] = dice_uniform(&d);
    assert_true(stats_block_length(x, 5000).stationary < 6);
    for (int i = 0; i < 5000; i++) x[i] = 3;
    assert_true(stats_block_length(x, 5000).stationary == 1);
    assert_true(stats_block_length(x, 5).circular == 1);
}

static void stationary_blocks_have_the_asked_mean_length_and_use_every_row_alike(void **state) {
    (void)state;
    struct dice d = {SEED + 3};
    enum { N = 1000, ROUNDS = 400 };
    static uint32_t index[N];
    static int used[N];
    double jumps = 0;
    for (int r = 0; r < ROUNDS; r++) {
        dice_blocks(&d, 10, N, index);
        for (int i = 0; i < N; i++) {
            used[index[i]]++;
            jumps += i > 0 && index[i] != (index[i - 1] + 1) % N;
        }
    }
    assert_true(fabs(jumps / ((double)ROUNDS * N) - 0.1) < 0.005);
    for (int i = 0; i < N; i++) assert_in_range(used[i], ROUNDS / 2, ROUNDS * 3 / 2);
}

static void a_shuffle_keeps_every_number(void **state) {
    (void)state;
    struct dice d = {SEED + 4};
    uint32_t x[100], moved = 0;
    bool seen[100] = {0};
    for (uint32_t i = 0; i < 100; i++) x[i] = i;
    dice_shuffle(&d, x, 100);
    for (uint32_t i = 0; i < 100; i++) {
        assert_false(seen[x[i]]);
        seen[x[i]] = true;
        moved += x[i] != i;
    }
    assert_true(moved > 80);
}

static void sharpe_statistics_equal_the_published_examples(void **state) {
    (void)state;
    assert_true(fabs(psr(1.14, 1, 250, 0, 3) - 0.9572778803) < 1e-9);
    static const double trials[3] = {3.5, 1.01, 1.02}; /* the trials beside the one judged */
    double mean = stats_mean(trials, 3), variance = 0;
    for (int i = 0; i < 3; i++) variance += (trials[i] - mean) * (trials[i] - mean) / 3;
    assert_true(fabs(expected_max_sharpe(3, variance) - 0.9990155653) < 1e-9);
    assert_true(fabs(expected_max_sharpe(3, variance * 1.5) - 1.2235391900) < 1e-9);
    assert_true(fabs(dsr(1.14, 250, 0, 3, 3, variance) - 0.9583658118) < 1e-9);
    assert_true(fabs(min_track_record(1.14, 1, 0, 3, 0.05) - 228.7349791) < 1e-6);
    /* 2.5 a year over 250 days, five years, 100 trials whose yearly variance is 1/2. */
    double found = dsr(2.5 / sqrt(250), 1250, -3, 10, 100, 0.5 / 250);
    assert_true(fabs(found - 0.9003968) < 1e-6);
    assert_true(isnan(min_track_record(0.5, 1, 0, 3, 0.05)));
}

static void return_figures_of_a_small_series_are_what_a_pencil_gives(void **state) {
    (void)state;
    static const double r[4] = {0.1, -0.2, 0.05, 0};
    struct return_metrics m = returns_measure(r, 4, 4, 0, 1);
    double total = 1.1 * 0.8 * 1.05 - 1;
    assert_true(fabs(m.total - total) < 1e-15 && fabs(m.annual_return - total) < 1e-14);
    assert_true(fabs(m.max_drawdown - 0.2) < 1e-15);
    assert_true(fabs(m.calmar - total / 0.2) < 1e-13);
    assert_true(fabs(m.hit_rate - 2.0 / 3) < 1e-15);
    assert_true(fabs(m.payoff - 0.075 / 0.2) < 1e-15);
    assert_true(fabs(m.sharpe - m.sharpe_period * 2) < 1e-15);
    assert_true(fabs(m.sortino - -0.0125 / 0.1 * 2) < 1e-14);
    struct return_metrics none = returns_measure(r, 0, 4, 100, 1);
    assert_true(isnan(none.sharpe) && isnan(none.hit_rate) && isnan(none.max_drawdown));
}

static void the_sharpe_band_holds_the_truth_of_independent_returns(void **state) {
    (void)state;
    struct dice d = {SEED + 5};
    int held = 0;
    for (int round = 0; round < 60; round++) {
        static double r[1000];
        for (int i = 0; i < 1000; i++)
            r[i] = 0.001 + 0.01 * normal_quantile(dice_uniform(&d) * 0.999999 + 5e-7);
        struct return_metrics m = returns_measure(r, 1000, 250, 200, (uint64_t)round);
        held += m.sharpe_lo < 0.1 * sqrt(250) && m.sharpe_hi > 0.1 * sqrt(250);
        assert_true(m.sharpe_lo < m.sharpe && m.sharpe < m.sharpe_hi);
    }
    assert_in_range(held, 50, 60);
}

static int64_t at(int year, int month, int day) { /* by the C library */
    struct tm t = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    return (int64_t)timegm(&t) * 1000000000;
}

static void months_are_those_of_the_calendar(void **state) {
    (void)state;
    for (int year = 1968; year < 2105; year++) {
        for (int month = 1; month <= 12; month++) {
            int64_t first = at(year, month, 1);
            assert_int_equal(calendar_month(first), year * 12 + month - 1);
            assert_int_equal(calendar_month(first - 1), year * 12 + month - 2);
        }
    }
}

static void days_and_months_win_by_the_sum_of_their_periods(void **state) {
    (void)state;
    enum { HOUR = 24 * 60 };
    static double r[HOUR]; /* 60 days of hours from 15 January 2024 */
    for (int i = 0; i < HOUR; i++) {
        int day = i / 24;
        r[i] = i % 24 ? 0 : day % 3 == 0 ? -0.01 : day % 3 == 1 ? 0.02 : 0;
    }
    int64_t hour = 3600 * (int64_t)1000000000;
    struct calendar_metrics c = returns_calendar(r, HOUR, at(2024, 1, 15), hour);
    assert_int_equal(c.days, 40); /* the 20 days without a result do not count */
    assert_true(fabs(c.daily_wins - 0.5) < 1e-15);
    assert_int_equal(c.months, 3);
    assert_true(c.monthly_wins == 1);
    assert_true(fabs(c.monthly_drawdown - 0.01) < 1e-12);
    assert_true(isnan(returns_calendar(r, 24, 0, hour).daily_wins));
    assert_int_equal(returns_calendar(r, 0, 0, hour).days, 0);
}

static void wilson_bands_stay_inside_0_and_1(void **state) {
    (void)state;
    double lo, hi;
    stats_wilson(0, 10, &lo, &hi);
    assert_true(fabs(lo) < 1e-12 && fabs(hi - 0.2775) < 1e-4);
    stats_wilson(50, 100, &lo, &hi);
    assert_true(fabs(lo - 0.4038) < 1e-4 && fabs(hi - 0.5962) < 1e-4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_of_winning_pairs_equal_the_area_by_ranks),
        cmocka_unit_test(ranks_share_ties_and_give_the_rank_correlation),
        cmocka_unit_test(normal_quantiles_invert_the_distribution),
        cmocka_unit_test(the_block_length_of_the_recorded_series_is_the_published_one),
        cmocka_unit_test(independent_rows_get_short_blocks_and_flat_ones_single_rows),
        cmocka_unit_test(stationary_blocks_have_the_asked_mean_length_and_use_every_row_alike),
        cmocka_unit_test(a_shuffle_keeps_every_number),
        cmocka_unit_test(sharpe_statistics_equal_the_published_examples),
        cmocka_unit_test(return_figures_of_a_small_series_are_what_a_pencil_gives),
        cmocka_unit_test(the_sharpe_band_holds_the_truth_of_independent_returns),
        cmocka_unit_test(months_are_those_of_the_calendar),
        cmocka_unit_test(days_and_months_win_by_the_sum_of_their_periods),
        cmocka_unit_test(wilson_bands_stay_inside_0_and_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
