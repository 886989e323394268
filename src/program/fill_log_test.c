/* Mark-outs against a model that looks the mid up in a table of all quotes, and shares no code. */
#include "program/fill_log.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { QUOTES = 4000, FILLS = 700 };

struct market {
    int64_t ts[QUOTES], mid2[QUOTES]; /* 0 = the book is not trusted from here on */
};

struct want { /* of a fill, by the model */
    int64_t ts, px;
    bool buy;
    double mark[RUN_MARKS]; /* bps; NAN-free: -1e9 = missing */
};

static struct run_result *result(void) {
    struct run_result *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->inst = (struct instrument){.px_mant = 1, .px_exp = 1, .qty_mant = 1, .qty_exp = 3};
    return r;
}

/* The mid that stood at `at`: of the last quote not after it. */
static double model(const struct market *m, const struct want *w, int64_t at, int64_t stale) {
    int i = QUOTES - 1;
    if (at > m->ts[i]) return -1e9;
    while (m->ts[i] > at) i--;
    if (m->mid2[i] == 0 || at - m->ts[i] > stale) return -1e9;
    double mid = (double)m->mid2[i] / 2, away = (mid - (double)w->px) / (double)w->px * 1e4;
    return w->buy ? away : -away;
}

static void make(struct market *m, struct rng *g) {
    int64_t t = 1000 * NS_PER_S, mid2 = 200000;
    for (int i = 0; i < QUOTES; i++) {
        t += (int64_t)(rng_exp(g) * 0.05e9) + 1;
        if (rng_below(g, 200) == 0) t += (int64_t)rng_below(g, 20) * NS_PER_S; /* silence */
        mid2 += (int64_t)rng_below(g, 41) - 20;
        m->ts[i] = t;
        m->mid2[i] = rng_below(g, 50) == 0 ? 0 : mid2;
    }
}

static void add(struct fill_log *l, const struct want *w) {
    struct fill_row row = {.f = {.ts_local = {w->ts},
                               .px = {w->px},
                               .qty = {10},
                               .side = w->buy ? SIDE_BUY : SIDE_SELL,
                               .maker = 1,
                               .queue_placed = 5},
        .order_lots = 10,
        .type = "limit",
        .tif = "GTX"};
    fill_log_add(l, &row);
}

/* The marks that fills.csv tells must be those of the model, the means those of the marks. */
static void compare(FILE *csv, const struct want *w, int n, const struct run_result *r) {
    char line[1024];
    double sum[RUN_MARKS] = {0};
    uint64_t missing[RUN_MARKS] = {0};
    rewind(csv);
    assert_non_null(fgets(line, sizeof line, csv));
    for (int i = 0; i < n; i++) {
        assert_non_null(fgets(line, sizeof line, csv));
        char *symbol = strrchr(line, ',');
        assert_string_equal(symbol, ",other:X\n");
        *symbol = 0;
        for (int h = RUN_MARKS - 1; h >= 0; h--) {
            char *cell = strrchr(line, ',');
            *cell++ = 0;
            if (w[i].mark[h] < -1e8) {
                assert_string_equal(cell, "");
                missing[h]++;
                continue;
            }
            assert_true(*cell != 0);
            assert_true(fabs(strtod(cell, NULL) - w[i].mark[h]) <= 0.5001e-4);
            sum[h] += strtod(cell, NULL);
        }
    }
    assert_null(fgets(line, sizeof line, csv));
    for (int h = 0; h < RUN_MARKS; h++) {
        const struct run_mean *m = &r->log.mark[1][h + 1];
        assert_int_equal(r->log.unmarked[h], missing[h]);
        assert_true(missing[h] > 0);
        assert_int_equal(m->n + missing[h], n);
        assert_true(fabs(run_mean_bps(m) - sum[h] / (double)m->n) <= 1e-9);
    }
}

static void every_mark_is_the_mid_that_stood_at_its_horizon(void **state) {
    (void)state;
    const int64_t stale = 5 * NS_PER_S;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rng g;
        struct market *m = calloc(1, sizeof *m);
        struct want *w = calloc(FILLS, sizeof *w);
        struct run_result *r = result();
        struct fill_log log;
        FILE *csv = tmpfile();
        assert_true(m && w && csv);
        rng_init(&g, seed, 0);
        make(m, &g);
        fill_log_head(csv);
        fill_log_open(&log, r, csv, "other:X");
        int n = 0;
        for (int i = 0; i < QUOTES; i++) {
            int64_t mid2 = i > 0 ? m->mid2[i - 1] : 0, book = i > 0 ? m->ts[i - 1] : 0;
            if (log.due < m->ts[i]) fill_log_time(&log, m->ts[i], mid2, book + stale);
            if (n == FILLS || i + 1 == QUOTES || rng_below(&g, 5) != 0) continue;
            w[n] = (struct want){
                .ts = m->ts[i] + (int64_t)rng_below(&g, (uint64_t)(m->ts[i + 1] - m->ts[i])),
                .px = 100000 + (int64_t)rng_below(&g, 100),
                .buy = rng_below(&g, 2) == 0};
            add(&log, &w[n]);
            n++;
        }
        for (int i = 0; i < n; i++) {
            for (int h = 0; h < RUN_MARKS; h++)
                w[i].mark[h] = model(m, &w[i], w[i].ts + fill_mark_ns[h], stale);
        }
        fill_log_end(&log, m->ts[QUOTES - 1], m->mid2[QUOTES - 1], m->ts[QUOTES - 1] + stale);
        compare(csv, w, n, r);
        assert_int_equal(r->log.count[1], n);
        fclose(csv);
        free(r);
        free(w);
        free(m);
    }
    printf("seeds 1 to 20\n");
}

static void a_row_leaves_only_when_its_last_mark_is_known(void **state) {
    (void)state;
    struct run_result *r = result();
    struct fill_log log;
    char line[1024];
    FILE *csv = tmpfile();
    assert_non_null(csv);
    fill_log_head(csv);
    fill_log_open(&log, r, csv, "other:X");
    struct want w = {.ts = NS_PER_S, .px = 100000, .buy = true};
    add(&log, &w);
    assert_int_equal(log.due, 2 * NS_PER_S);
    fill_log_time(&log, 2 * NS_PER_S, 200000, INT64_MAX); /* at the very instant: not yet */
    assert_int_equal(log.due, 2 * NS_PER_S);
    fill_log_time(&log, 2 * NS_PER_S + 1, 200020, INT64_MAX);
    assert_int_equal(log.due, 11 * NS_PER_S);
    fill_log_time(&log, 61 * NS_PER_S, 200020, INT64_MAX);
    fflush(csv);
    rewind(csv);
    assert_non_null(fgets(line, sizeof line, csv));
    assert_null(fgets(line, sizeof line, csv));
    fseek(csv, 0, SEEK_END);
    fill_log_time(&log, 61 * NS_PER_S + 1, 199980, INT64_MAX);
    assert_int_equal(log.due, INT64_MAX);
    rewind(csv);
    assert_non_null(fgets(line, sizeof line, csv));
    assert_non_null(fgets(line, sizeof line, csv));
    assert_non_null(strstr(line, ",1,1,-1,other:X\n")); /* 10 units of 100,000 are 1 bps */
    fclose(csv);
    fill_log_abort(&log);
    free(r);
}

static void bars_have_no_mid_inside_so_their_marks_are_missing_at_once(void **state) {
    (void)state;
    struct run_result *r = result();
    struct fill_log log;
    r->bars = true;
    fill_log_open(&log, r, NULL, "other:X");
    struct want w = {.ts = NS_PER_S, .px = 100000};
    add(&log, &w);
    assert_int_equal(log.due, INT64_MAX);
    for (int h = 0; h < RUN_MARKS; h++) assert_int_equal(r->log.unmarked[h], 1);
    fill_log_abort(&log);
    free(r);
}

static void the_queue_ahead_is_binned_by_multiples_of_the_order(void **state) {
    (void)state;
    static const int64_t ahead[] = {0, 1, 10, 11, 100, 101, 1000, 1001, 10000, 10001, INT64_MAX};
    static const uint64_t want[RUN_AHEAD_BINS] = {1, 2, 2, 2, 2, 2};
    struct run_result *r = result();
    struct fill_log log;
    fill_log_open(&log, r, NULL, "other:X");
    for (size_t i = 0; i < sizeof ahead / sizeof *ahead; i++) {
        struct fill_row row = {
            .f = {.ts_local = {NS_PER_S}, .px = {100}, .maker = 1, .queue_placed = ahead[i]},
            .order_lots = 10,
            .type = "",
            .tif = ""};
        fill_log_add(&log, &row);
    }
    fill_log_end(&log, 100 * NS_PER_S, 200, INT64_MAX);
    for (int i = 0; i < RUN_AHEAD_BINS; i++) assert_int_equal(r->log.ahead[i].n, want[i]);
    free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mark_is_the_mid_that_stood_at_its_horizon),
        cmocka_unit_test(a_row_leaves_only_when_its_last_mark_is_known),
        cmocka_unit_test(bars_have_no_mid_inside_so_their_marks_are_missing_at_once),
        cmocka_unit_test(the_queue_ahead_is_binned_by_multiples_of_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
