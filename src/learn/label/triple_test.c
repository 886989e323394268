#include "learn/label/triple.h"

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

enum { BARS = 4000 };
static struct label_bar bar[BARS];
static struct triple_event event[BARS];

/* "2015-01-01 23:00:23.723,open,high,low,close,..." */
static size_t read_bars(const char *path) {
    char *text, *line;
    size_t bytes, n = 0;
    struct err_info e;
    assert_int_equal(file_read(path, 1 << 22, &text, &bytes, &e), ERR_OK);
    for (line = strchr(text, '\n'); line && line[1] && n < BARS; line = strchr(line + 1, '\n')) {
        struct tm t = {0};
        double seconds, open, high, low, close;
        int y, mo, d, h, mi;
        int got = sscanf(line + 1, "%d-%d-%d %d:%d:%lf,%lf,%lf,%lf,%lf", &y, &mo, &d, &h, &mi,
            &seconds, &open, &high, &low, &close);
        assert_int_equal(got, 10);
        t.tm_year = y - 1900, t.tm_mon = mo - 1, t.tm_mday = d, t.tm_hour = h, t.tm_min = mi;
        int64_t ns = (int64_t)timegm(&t) * 1000000000 + llround(seconds * 1000) * 1000000;
        bar[n] = (struct label_bar){(int64_t)n + 1, ns, ns, close, high, low, 0};
        n++;
    }
    free(text);
    return n;
}

static const struct triple_spec day = {.cusum = 0.02,
    .span_ns = 86400000000000,
    .lookback = 100,
    .profit = 1,
    .stop = 1,
    .target_least = 0.005,
    .timeout_ns = 86400000000000};

static void events_and_targets_of_the_recorded_dollar_bars_are_the_published_ones(void **state) {
    (void)state;
    SHARED_OR_SKIP("data/known/mlfinlab/dollar_bar_sample.csv", path);
    size_t n = read_bars(path);
    static double volatility[BARS];
    triple_volatility(bar, n, day.span_ns, day.lookback, volatility);
    size_t events = triple_make(&day, bar, n, event);
    printf("%zu bars, last volatility %.18f, %zu events, targets %.18f .. %.18f\n", n,
        volatility[n - 1], events, event[0].target, event[events - 1].target);
    assert_true(fabs(volatility[n - 1] - .008968238932170641) < 1e-13);
    assert_int_equal(events, 8);
    assert_true(fabs(event[0].target - .010166261175903357) < 1e-13);
    assert_true(fabs(event[7].target - .006455887663302871) < 1e-13);
}

static void cusum_events_forget_the_way_behind_them(void **state) {
    (void)state;
    static const double px[8] = {100, 101, 102, 103, 102.5, 101, 99, 99.5};
    size_t rows[8];
    for (int i = 0; i < 8; i++) bar[i] = (struct label_bar){.close_ns = i + 1, .px = px[i]};
    assert_int_equal(triple_cusum(bar, 8, 0.0195, rows), 3);
    assert_int_equal(rows[0], 2); /* +1.98 % since the start */
    assert_int_equal(rows[1], 5); /* -1.96 % since the top */
    assert_int_equal(rows[2], 6); /* -2.00 % since the last event */
}

static void an_event_ends_at_its_first_barrier_or_at_the_timeout(void **state) {
    (void)state;
    static const double after[3][4] = {
        {100.2, 101.5, 90, 90}, {99.8, 98.4, 120, 120}, {100.3, 99.9, 100.1, 130}};
    static const int klass[3] = {LABEL_UP, LABEL_DOWN, LABEL_FLAT};
    static const int known[3] = {2, 2, 3};
    struct triple_spec s = {.cusum = 0.004,
        .span_ns = 1,
        .lookback = 2,
        .profit = 1,
        .stop = 1,
        .target_least = 0,
        .timeout_ns = 3000000000};
    for (int c = 0; c < 3; c++) {
        /* Two returns of +-1 % make a target of about 1 %; the second is the event. */
        static const double before[4] = {100, 101, 99.5, 100};
        for (int i = 0; i < 8; i++) {
            double px = i < 4 ? before[i] : after[c][i - 4];
            bar[i] = (struct label_bar){.close_ns = (int64_t)(i + 1) * 1000000000, .px = px};
        }
        size_t n = triple_make(&s, bar, 8, event), i = 0;
        while (i < n && event[i].row != 3) i++;
        assert_true(i < n && event[i].target > 0.004 && event[i].target < 0.02);
        assert_int_equal(event[i].label.klass, klass[c]);
        assert_int_equal(event[i].label.known_row, 3 + known[c]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_and_targets_of_the_recorded_dollar_bars_are_the_published_ones),
        cmocka_unit_test(cusum_events_forget_the_way_behind_them),
        cmocka_unit_test(an_event_ends_at_its_first_barrier_or_at_the_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
