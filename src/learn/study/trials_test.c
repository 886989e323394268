#include "learn/study/trials.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "learn/study/scorecard.h"

static char path[64];

static int fresh(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/fathom-trials-XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0) return -1;
    close(fd);
    return unlink(path);
}
static int gone(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

static struct trial_counts add(uint64_t config, double sharpe) {
    struct trial t = {"a \"run\"", config, 7, sharpe, 100};
    struct trial_counts c;
    struct err_info e;
    assert_int_equal(trials_append(path, &t, &c, &e), ERR_OK);
    return c;
}

static void every_run_counts_and_equal_ones_are_told_apart(void **state) {
    (void)state;
    assert_int_equal(add(1, 0.1).runs, 1);
    assert_true(isnan(add(1, 0.1).variance));
    add(2, 0.3);
    struct trial_counts c = add(3, NAN);
    assert_int_equal(c.runs, 4);
    assert_int_equal(c.distinct, 3);
    assert_int_equal(c.unreadable, 0);
    assert_true(fabs(c.variance - 0.01) < 1e-15);
    struct err_info e;
    assert_int_equal(trials_append(path, NULL, &c, &e), ERR_OK);
    assert_int_equal(c.runs, 4);
}

static void a_torn_line_still_counts_and_the_next_one_stays_whole(void **state) {
    (void)state;
    add(1, 0.1);
    FILE *f = fopen(path, "a");
    fputs("{\"format\":\"fathom-tri", f);
    fclose(f);
    struct trial_counts c = add(2, 0.2);
    assert_int_equal(c.runs, 3);
    assert_int_equal(c.unreadable, 1);
    assert_int_equal(c.distinct, 2);
}

static void *many(void *from) {
    for (uint64_t i = 0; i < 25; i++) add(*(uint64_t *)from + i, 0.1);
    return NULL;
}

static void writers_at_the_same_time_lose_no_line(void **state) {
    (void)state;
    pthread_t thread[4];
    uint64_t from[4] = {100, 200, 300, 400};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, many, &from[i]), 0);
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
    struct trial_counts c = add(1, 0.1);
    assert_int_equal(c.runs, 101);
    assert_int_equal(c.distinct, 101);
    assert_int_equal(c.unreadable, 0);
}

static void a_ledger_that_cannot_be_opened_is_an_error_with_its_path(void **state) {
    (void)state;
    struct trial t = {"x", 1, 2, 0, 1};
    struct trial_counts c;
    struct err_info e;
    assert_int_equal(trials_append("/nowhere/trials.jsonl", &t, &c, &e), ERR_RESOURCE);
    assert_non_null(strstr(e.text, "/nowhere/trials.jsonl"));
}

static void every_target_has_a_verdict_and_what_was_not_measured_says_so(void **state) {
    (void)state;
    struct scorecard s;
    const struct score_row *rows;
    size_t n = scorecard_rows(&rows);
    scorecard_init(&s);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(scorecard_verdict(&s, &rows[i]), "not measurable");
    scorecard_set(&s, SCORE_BRIER, 0.17, 0.16, 0.18);
    int met = 0, not_met = 0;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].measure != SCORE_BRIER) continue;
        met += strcmp(scorecard_verdict(&s, &rows[i]), "met") == 0;
        not_met += strcmp(scorecard_verdict(&s, &rows[i]), "not met") == 0;
    }
    assert_int_equal(met, 1);     /* below 0.20 */
    assert_int_equal(not_met, 1); /* below 0.15 */
    bool used[SCORE_MEASURES] = {0};
    for (size_t i = 0; i < n; i++) used[rows[i].measure] = true;
    for (int m = 0; m < SCORE_MEASURES; m++) assert_true(used[m]);
}

static void ratios_to_buy_and_hold_need_a_gain_to_compare_with(void **state) {
    (void)state;
    struct scorecard s;
    struct return_metrics mine = {.annual_return = 0.4, .max_drawdown = 0.02, .sharpe = 2.5},
                          hold = {.annual_return = -0.1, .max_drawdown = 0.1};
    scorecard_init(&s);
    scorecard_returns(&s, &mine, &hold);
    assert_true(isnan(s.value[SCORE_RETURN_RATIO]));
    assert_true(fabs(s.value[SCORE_DRAWDOWN_RATIO] - 0.2) < 1e-15);
    hold.annual_return = 0.1;
    scorecard_returns(&s, &mine, &hold);
    assert_true(fabs(s.value[SCORE_RETURN_RATIO] - 4) < 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            every_run_counts_and_equal_ones_are_told_apart, fresh, gone),
        cmocka_unit_test_setup_teardown(
            a_torn_line_still_counts_and_the_next_one_stays_whole, fresh, gone),
        cmocka_unit_test_setup_teardown(writers_at_the_same_time_lose_no_line, fresh, gone),
        cmocka_unit_test(a_ledger_that_cannot_be_opened_is_an_error_with_its_path),
        cmocka_unit_test(every_target_has_a_verdict_and_what_was_not_measured_says_so),
        cmocka_unit_test(ratios_to_buy_and_hold_need_a_gain_to_compare_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
