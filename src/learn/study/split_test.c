#include "learn/study/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void purge_case(int64_t t0, int64_t t1, int64_t embargo, const char *want) { /* '1' = kept */
    struct split_span span[10], test = {t0, t1};
    bool keep[10];
    for (int i = 0; i < 10; i++) span[i] = (struct split_span){i, i + 2};
    split_purge(span, 10, &test, 1, embargo, keep);
    for (int i = 0; i < 10; i++) assert_int_equal(keep[i], want[i] == '1');
}

static void purged_rows_are_those_of_the_published_example(void **state) {
    (void)state;
    purge_case(1, 2, 0, "0001111111");
    purge_case(8, 11, 0, "1111110000");
    purge_case(6, 8, 0, "1111000001");
    purge_case(1, 2, 2, "0000011111"); /* the embargo drops rows after the test only */
    purge_case(6, 8, 3, "1111000000");
}

static void combinatorial_splits_have_the_published_counts(void **state) {
    (void)state;
    struct cpcv c;
    struct err_info e;
    assert_int_equal(cpcv_count(6, 2, &c, &e), ERR_OK);
    assert_int_equal(c.splits, 15);
    assert_int_equal(c.paths, 5);
    assert_int_equal(c.tests_per_sample, 5);
    uint32_t mask = 0;
    int splits = 0, tested[6] = {0}, samples[100] = {0};
    while (cpcv_next(6, 2, &mask)) {
        splits++;
        assert_int_equal(__builtin_popcount(mask), 2);
        for (size_t g = 0; g < 6; g++) {
            if (!(mask >> g & 1)) continue;
            tested[g]++;
            struct split_fold f = split_kfold(100, 6, g);
            for (size_t i = f.test_from; i < f.test_to; i++) samples[i]++;
        }
    }
    assert_int_equal(splits, 15);
    for (int g = 0; g < 6; g++) assert_int_equal(tested[g], 5);
    for (int i = 0; i < 100; i++) assert_int_equal(samples[i], 5);
    assert_int_equal(cpcv_count(6, 6, &c, &e), ERR_USAGE);
    assert_int_equal(cpcv_count(40, 2, &c, &e), ERR_USAGE);
}

static void folds_cover_every_row_after_the_first_training_window_once(void **state) {
    (void)state;
    enum { MAX = 64 };
    for (size_t n = 20; n < 400; n += 7) {
        for (int k = 0; k < 6; k++) {
            struct split_fold f[MAX];
            bool rolling = k & 1;
            size_t train = k < 2 ? 0 : 15, test = k < 4 ? 0 : 9;
            size_t folds = split_walk_forward(n, rolling, 4, train, test, f, MAX);
            assert_in_range(folds, 1, MAX);
            size_t at = f[0].train_to;
            for (size_t i = 0; i < folds; i++) {
                assert_int_equal(f[i].test_from, at);
                assert_int_equal(f[i].train_to, at);
                assert_true(f[i].test_to > at && f[i].train_from < at);
                if (rolling)
                    assert_int_equal(at - f[i].train_from, f[0].train_to);
                else
                    assert_int_equal(f[i].train_from, 0);
                at = f[i].test_to;
            }
            assert_int_equal(at, n);
            if (k < 2) assert_int_equal(folds, 4);
        }
    }
    struct split_fold f[4];
    assert_int_equal(split_walk_forward(10, false, 4, 10, 1, f, 4), 0);
    assert_int_equal(split_walk_forward(3, false, 4, 0, 0, f, 4), 0);
}

static void folds_by_time_hold_the_rows_of_their_windows(void **state) {
    (void)state;
    int64_t t[100];
    struct split_fold f[50];
    for (int i = 0; i < 100; i++) t[i] = 1000 + 10 * i + (i > 50 ? 500 : 0); /* a pause of 500 */
    for (int rolling = 0; rolling < 2; rolling++) {
        size_t folds = split_walk_forward_time(t, 100, rolling, 200, 70, f, 50), rows = 0;
        assert_true(folds > 10);
        for (size_t i = 0; i < folds; i++) {
            assert_true(t[f[i].test_to - 1] - t[f[i].test_from] < 70);
            assert_true(t[f[i].train_to - 1] < t[f[i].test_from]);
            rows += f[i].test_to - f[i].test_from;
            if (rolling)
                assert_true(t[f[i].test_from] - t[f[i].train_from] < 200 + 70);
            else
                assert_int_equal(f[i].train_from, 0);
        }
        if (!rolling) assert_int_equal(rows, 80);
    }
    assert_int_equal(split_walk_forward_time(t, 0, false, 1, 1, f, 50), 0);
}

static void blocks_of_k_folds_differ_by_one_row_at_most(void **state) {
    (void)state;
    for (size_t n = 7; n < 60; n++) {
        size_t at = 0;
        for (size_t i = 0; i < 7; i++) {
            struct split_fold f = split_kfold(n, 7, i);
            assert_int_equal(f.test_from, at);
            assert_in_range(f.test_to - f.test_from, n / 7, n / 7 + 1);
            at = f.test_to;
        }
        assert_int_equal(at, n);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(purged_rows_are_those_of_the_published_example),
        cmocka_unit_test(combinatorial_splits_have_the_published_counts),
        cmocka_unit_test(folds_cover_every_row_after_the_first_training_window_once),
        cmocka_unit_test(folds_by_time_hold_the_rows_of_their_windows),
        cmocka_unit_test(blocks_of_k_folds_differ_by_one_row_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
