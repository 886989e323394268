/* The verdicts on the best of many: against models that copy the data instead of summing it, and on
 * markets whose truth is known. */
#include "learn/study/overfit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"
#include "learn/study/stats.h"

enum { SETS = 24, PERIODS = 240 };

struct market {
    double x[SETS][PERIODS];
    const double *row[SETS];
    struct profit_table t;
};

/* skill: mean of set 0 in standard deviations; common: share of variance that all have in common */
static struct market *market(uint64_t seed, double skill, double common) {
    struct market *m = calloc(1, sizeof *m);
    struct rng g;
    assert_non_null(m);
    rng_init(&g, seed, 7);
    for (int i = 0; i < PERIODS; i++) {
        double shared = rng_normal(&g);
        for (int k = 0; k < SETS; k++)
            m->x[k][i] = sqrt(common) * shared + sqrt(1 - common) * rng_normal(&g);
        m->x[0][i] += skill;
    }
    for (int k = 0; k < SETS; k++) m->row[k] = m->x[k];
    m->t = (struct profit_table){m->row, SETS, PERIODS};
    return m;
}

/* ---- the model of the split count: halves are copied out, ranked by sorting ---- */

struct naive {
    double overfit, loss, splits;
};

static double naive_sharpe(const double *x, size_t n) {
    double sd = stats_sd(x, n);
    return sd > 0 ? stats_mean(x, n) / sd : 0;
}

static void naive_split(const struct market *m, size_t spans, const bool *in, struct naive *out) {
    size_t length = PERIODS / spans, best = 0;
    double inside[SETS], outside[SETS], rank[SETS], sum[SETS];
    for (int k = 0; k < SETS; k++) {
        double a[PERIODS], b[PERIODS];
        size_t na = 0, nb = 0;
        for (size_t i = 0; i < spans * length; i++) {
            if (in[i / length]) {
                a[na++] = m->x[k][i];
            } else {
                b[nb++] = m->x[k][i];
            }
        }
        inside[k] = naive_sharpe(a, na);
        outside[k] = naive_sharpe(b, nb);
        sum[k] = stats_mean(b, nb);
        if (inside[k] > inside[best]) best = (size_t)k;
    }
    stats_ranks(outside, SETS, rank);
    out->overfit += rank[best] / (SETS + 1) <= 0.5;
    out->loss += sum[best] < 0;
    out->splits++;
}

static void naive_all(
    const struct market *m, size_t spans, size_t at, size_t chosen, bool *in, struct naive *out) {
    if (at == spans) {
        if (chosen == spans / 2) naive_split(m, spans, in, out);
        return;
    }
    for (int take = 0; take < 2; take++) {
        in[at] = take;
        naive_all(m, spans, at + 1, chosen + (size_t)take, in, out);
    }
}

static void splits_agree_with_halves_that_are_copied_out(void **state) {
    (void)state;
    static const size_t spans[] = {4, 6, 8, 10};
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct market *m = market(seed, seed == 2 ? 0.3 : 0, 0.2);
        for (size_t s = 0; s < sizeof spans / sizeof *spans; s++) {
            bool in[16] = {false};
            struct naive want = {0};
            naive_all(m, spans[s], 0, 0, in, &want);
            struct overfit_pbo got = overfit_pbo(&m->t, spans[s]);
            assert_int_equal(got.splits, (size_t)want.splits);
            assert_true(fabs(got.probability - want.overfit / want.splits) < 1e-12);
            assert_true(fabs(got.loss - want.loss / want.splits) < 1e-12);
            uint64_t all = 0;
            for (int i = 0; i < OVERFIT_BINS; i++) all += got.rank[i];
            assert_int_equal(all, got.splits);
        }
        free(m);
    }
    printf("seeds 1 to 4\n");
}

static void noise_is_called_noise_and_skill_is_not(void **state) {
    (void)state;
    double pbo = 0, small = 0, markets = 60;
    for (int s = 0; s < (int)markets; s++) {
        struct market *m = market(100 + (uint64_t)s, 0, 0.3);
        struct overfit_noise o = overfit_noise(&m->t, 200, 1);
        pbo += overfit_pbo(&m->t, 8).probability / markets;
        small += o.p_sharpe < 0.2;
        free(m);
    }
    printf("noise, seeds 100 to 159: mean probability of overfitting %.3f, p below 0.2 in %.0f\n",
        pbo, small);
    assert_true(pbo > 0.35 && pbo < 0.65);
    assert_true(small >= 4 && small <= 24); /* 12 expected, sd 3.1 */
    struct market *m = market(5, 0.5, 0.3);
    struct overfit_noise o = overfit_noise(&m->t, 500, 1);
    struct overfit_pbo p = overfit_pbo(&m->t, 16);
    printf("skill, seed 5: probability of overfitting %.4f, p %.4f, best %.1f, noise %.1f\n",
        p.probability, o.p_sharpe, o.best, o.mean);
    assert_true(p.probability < 0.01);
    assert_true(o.p < 0.01 && o.p_sharpe < 0.01);
    assert_true(o.best > o.high && o.high > o.mean && o.mean > 0);
    assert_true(p.outside > 0 && p.inside >= p.outside);
    free(m);
}

static void twins_are_one_trial_and_strangers_are_many(void **state) {
    (void)state;
    struct market *m = market(3, 0, 0);
    double alone = overfit_effective(&m->t);
    assert_true(alone > SETS * 0.85 && alone <= SETS);
    for (int k = 0; k < SETS; k++) m->row[k] = m->x[0];
    assert_true(fabs(overfit_effective(&m->t) - 1) < 1e-9);
    for (int k = 0; k < SETS; k++) m->row[k] = m->x[k % 2];
    double two = overfit_effective(&m->t);
    assert_true(two > 1.9 && two <= 2 + 1e-9);
    static const double idle[PERIODS];
    for (int k = 2; k < SETS; k++) m->row[k] = idle; /* never traded: no bet, no trial */
    two = overfit_effective(&m->t);
    assert_true(two > 1.9 && two <= 2 + 1e-9);
    free(m);
}

static void too_little_is_not_measurable(void **state) {
    (void)state;
    struct market *m = market(1, 0, 0);
    m->t.periods = 15;
    assert_int_equal(overfit_pbo(&m->t, 16).splits, 0);
    assert_true(isnan(overfit_pbo(&m->t, 16).probability));
    m->t.periods = 33; /* room for 8 spans of 4 */
    assert_int_equal(overfit_pbo(&m->t, 16).spans, 8);
    m->t.periods = 7;
    assert_true(isnan(overfit_noise(&m->t, 100, 1).p));
    m->t.periods = PERIODS;
    m->t.sets = 1;
    assert_int_equal(overfit_pbo(&m->t, 16).splits, 0);
    free(m);
}

static void long_series_are_summed_in_blocks_without_losing_their_total(void **state) {
    (void)state;
    enum { LONG = OVERFIT_BLOCKS * 3 };
    double *x = calloc(LONG, sizeof *x), total = 0;
    assert_non_null(x);
    struct rng g;
    rng_init(&g, 9, 0);
    for (int i = 0; i < LONG; i++) total += x[i] = rng_normal(&g);
    const double *row[1] = {x};
    struct profit_table t = {row, 1, LONG};
    assert_true(fabs(overfit_noise(&t, 50, 1).best - total) < 1e-9);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_agree_with_halves_that_are_copied_out),
        cmocka_unit_test(noise_is_called_noise_and_skill_is_not),
        cmocka_unit_test(twins_are_one_trial_and_strangers_are_many),
        cmocka_unit_test(too_little_is_not_measurable),
        cmocka_unit_test(long_series_are_summed_in_blocks_without_losing_their_total),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
