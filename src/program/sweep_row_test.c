#include "program/sweep_row.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

static int128 any(struct rng *g) {
    int128 v = (int128)(rng_u64(g) >> 20) * 1000000000 + (int128)(rng_u64(g) >> 40);
    return rng_below(g, 2) == 0 ? v : -v;
}

static struct run_result *result(struct rng *g, size_t periods) {
    struct run_result *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->equity_start = (int128)10000 * MONEY_ONE;
    r->equity_end = r->equity_start + any(g);
    r->fees = any(g);
    r->funding = any(g);
    r->spread = any(g);
    r->slippage = any(g);
    r->turnover = any(g);
    r->max_drawdown = any(g);
    r->position_max = (int64_t)rng_below(g, 1000000);
    r->position_end = -r->position_max / 2;
    r->fills = rng_below(g, 1 << 20);
    r->log.mark[1][2] = (struct run_mean){3, -12345, 9};
    for (int i = 0; i < STAGE_COUNT; i++) r->stage[i] = rng_u64(g);
    r->pnl = calloc(periods + 1, sizeof *r->pnl);
    assert_non_null(r->pnl);
    r->periods = periods;
    for (size_t i = 0; i < periods; i++) r->pnl[i] = rng_normal(g);
    return r;
}

static void a_row_survives_its_line_to_the_last_bit(void **state) {
    (void)state;
    static const size_t periods[] = {0, 1, 2, 60, 1024, 1025, 5000};
    struct rng g;
    rng_init(&g, 1, 0);
    for (size_t k = 0; k < sizeof periods / sizeof *periods; k++) {
        struct run_result *r = result(&g, periods[k]);
        struct sweep_row a, b;
        struct json_out one, two;
        size_t set = 0;
        sweep_row_take(&a, r, 10000);
        snprintf(a.failed, sizeof a.failed, "%s", k == 3 ? "a \"quoted\" reason" : "");
        json_init(&one);
        json_init(&two);
        sweep_row_json(&a, 17 + k, &one);
        assert_true(sweep_row_parse(one.text, one.len, &set, &b));
        assert_int_equal(set, 17 + k);
        sweep_row_json(&b, set, &two);
        assert_string_equal(one.text, two.text);
        assert_true(a.net == b.net && a.fees == b.fees && a.ledger_hash == b.ledger_hash);
        assert_int_equal(a.points, b.points);
        assert_memory_equal(a.pnl, b.pnl, a.points * sizeof *a.pnl);
        sweep_row_free(&b);
        assert_false(sweep_row_parse(one.text, one.len / 2, &set, &b)); /* torn */
        json_fini(&one);
        json_fini(&two);
        sweep_row_free(&a);
        free(r->pnl);
        free(r);
    }
    printf("seed 1\n");
}

static void a_long_series_is_summed_in_blocks_that_lose_only_a_rest(void **state) {
    (void)state;
    struct rng g;
    rng_init(&g, 2, 0);
    struct run_result *r = result(&g, 2050);
    struct sweep_row row;
    sweep_row_take(&row, r, 10000);
    assert_int_equal(row.block, 3);
    assert_int_equal(row.points, 683);
    double sum = 0, want = 0;
    for (size_t i = 0; i < row.points; i++) sum += row.pnl[i];
    for (size_t i = 0; i < 683 * 3; i++) want += r->pnl[i];
    assert_true(fabs(sum - want) < 1e-9);
    sweep_row_free(&row);
    free(r->pnl);
    free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_survives_its_line_to_the_last_bit),
        cmocka_unit_test(a_long_series_is_summed_in_blocks_that_lose_only_a_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
