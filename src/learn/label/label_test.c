#include "learn/label/label.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEED = 99, N = 400 };
static const int64_t second = 1000000000;

static uint64_t rng_state;
static double uniform(void) {
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return (double)(rng_state >> 11) * 0x1p-53;
}

static void random_bars(struct label_bar *bar, size_t n) {
    double px = 100;
    int64_t t = 1000 * second;
    for (size_t i = 0; i < n; i++) {
        int64_t open = t;
        t += second / 2 + (int64_t)(uniform() * 3e9);
        double last = px;
        px *= exp(0.001 * (uniform() - 0.5));
        bar[i] = (struct label_bar){(int64_t)i + 1, open, t, uniform() < 0.01 ? NAN : px,
            fmax(px, last) * (1 + 1e-4 * uniform()), fmin(px, last) * (1 - 1e-4 * uniform()),
            uniform() < 0.01};
    }
}

/* Written apart from the code under test: looks at every later row, from scratch, for each row. */
static void naive(const struct label_spec *s, const struct label_bar *bar, size_t n, size_t t,
    double *move, int64_t *known, int *klass) {
    *move = NAN, *known = -1, *klass = LABEL_NONE;
    double base = bar[t].px;
    if (isnan(base)) return;
    for (size_t i = t + 1; i < n; i++) {
        if (bar[i].gapped) return;
        bool late = s->kind == LABEL_NEXT ? (int64_t)(i - t) == s->buckets
                                          : bar[i].close_ns >= bar[t].close_ns + s->horizon_ns;
        if (s->kind == LABEL_BARRIER) {
            if (isnan(bar[i].px)) return;
            double target = base * (1 + s->target_bps / 1e4), stop = base * (1 - s->stop_bps / 1e4);
            if (bar[i].low <= stop)
                *klass = LABEL_DOWN, *move = log(stop / base);
            else if (bar[i].high >= target)
                *klass = LABEL_UP, *move = log(target / base);
            else if (late)
                *klass = LABEL_FLAT, *move = log(bar[i].px / base);
            else
                continue;
        } else {
            if (!late) continue;
            if (isnan(bar[i].px)) return;
            *move = log(bar[i].px / base);
            double v = *move / ((double)(bar[i].close_ns - bar[t].close_ns) / 1e9);
            *klass = v > s->threshold ? LABEL_UP : v < -s->threshold ? LABEL_DOWN : LABEL_FLAT;
        }
        *known = (int64_t)i;
        return;
    }
}

static const struct label_spec specs[] = {
    {.kind = LABEL_NEXT, .buckets = 1, .threshold = 1e-5},
    {.kind = LABEL_NEXT, .buckets = 7, .threshold = 1e-4},
    {.kind = LABEL_HORIZON, .horizon_ns = 1000000000, .threshold = 1e-5},
    {.kind = LABEL_HORIZON, .horizon_ns = 20500000000, .threshold = 1e-5},
    {.kind = LABEL_BARRIER, .horizon_ns = 30000000000, .target_bps = 8, .stop_bps = 6},
    {.kind = LABEL_BARRIER, .horizon_ns = 3000000000, .target_bps = 3, .stop_bps = 300},
};
enum { SPECS = sizeof specs / sizeof specs[0] };

static void labels_equal_a_naive_search_of_the_future(void **state) {
    (void)state;
    printf("seed %d\n", SEED);
    rng_state = SEED;
    static struct label_bar bar[N];
    static struct label label[N];
    for (int round = 0; round < 20; round++) {
        random_bars(bar, N);
        for (size_t s = 0; s < SPECS; s++) {
            label_make(&specs[s], bar, N, label);
            size_t there = 0;
            for (size_t t = 0; t < N; t++) {
                double move;
                int64_t known;
                int klass;
                naive(&specs[s], bar, N, t, &move, &known, &klass);
                assert_int_equal(label[t].known_row, known);
                assert_int_equal(label[t].klass, klass);
                if (known < 0) {
                    assert_true(isnan(label[t].value) && isnan(label[t].move));
                    continue;
                }
                assert_true(fabs(label[t].move - move) < 1e-12);
                assert_int_equal(label[t].known_ns, bar[known].close_ns);
                there++;
            }
            assert_true(there > N / 2);
        }
    }
}

static void a_label_depends_on_no_row_after_its_known_time(void **state) {
    (void)state;
    rng_state = SEED + 1;
    static struct label_bar bar[N];
    static struct label whole[N], cut[N];
    random_bars(bar, N);
    for (size_t s = 0; s < SPECS; s++) {
        label_make(&specs[s], bar, N, whole);
        for (size_t n = 1; n < N; n += 13) {
            label_make(&specs[s], bar, n, cut);
            for (size_t t = 0; t < n; t++) {
                bool known = whole[t].known_row >= 0 && (size_t)whole[t].known_row < n;
                if (known)
                    assert_memory_equal(&whole[t], &cut[t], sizeof cut[t]);
                else
                    assert_int_equal(cut[t].klass, LABEL_NONE);
            }
        }
    }
}

static void a_bar_that_touches_both_barriers_counts_as_a_stop(void **state) {
    (void)state;
    struct label_bar bar[2] = {
        {1, 0, second, 100, 100, 100, 0}, {2, second, 2 * second, 100, 101, 99, 0}};
    struct label label[2];
    label_make(&specs[4], bar, 2, label);
    assert_int_equal(label[0].klass, LABEL_DOWN);
    assert_true(label[0].move < 0);
}

static void the_fitted_threshold_leaves_a_third_of_the_values_flat(void **state) {
    (void)state;
    rng_state = SEED + 2;
    static double v[9999];
    for (size_t i = 0; i < 9999; i++) v[i] = uniform() - 0.5;
    v[5] = NAN;
    double threshold = label_threshold_fit(v, 9999);
    int count[3] = {0};
    for (size_t i = 0; i < 9999; i++) {
        int32_t k = label_class(v[i], threshold);
        if (k != LABEL_NONE) count[k]++;
    }
    assert_in_range(count[LABEL_FLAT], 3300, 3340);
    assert_true(label_threshold_fit(v, 0) == 0);
}

static void label_text_is_read_back_and_bad_text_is_refused_with_its_place(void **state) {
    (void)state;
    static const char *good[] = {
        "next=5,threshold=1e-05", "horizon=60.5,adaptive", "barrier=3600,20,10,threshold=1e-05"};
    for (size_t i = 0; i < 3; i++) {
        struct label_spec s;
        struct err_info e;
        char text[128];
        assert_int_equal(label_spec_parse(good[i], &s, &e), ERR_OK);
        label_spec_text(&s, text, sizeof text);
        assert_string_equal(text, good[i]);
    }
    static const char *bad[] = {"", "next", "next=0", "next=1.5", "next=-1", "horizon=0",
        "horizon=nan", "barrier=10", "barrier=10,5", "barrier=10,5,0", "next=1,foo",
        "next=1,threshold=2", "next=1x", "horizon=1e99"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct label_spec s;
        struct err_info e;
        assert_int_equal(label_spec_parse(bad[i], &s, &e), ERR_USAGE);
        assert_non_null(strstr(e.text, "next=BUCKETS"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_equal_a_naive_search_of_the_future),
        cmocka_unit_test(a_label_depends_on_no_row_after_its_known_time),
        cmocka_unit_test(a_bar_that_touches_both_barriers_counts_as_a_stop),
        cmocka_unit_test(the_fitted_threshold_leaves_a_third_of_the_values_flat),
        cmocka_unit_test(label_text_is_read_back_and_bad_text_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
