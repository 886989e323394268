/* The wire form: exact text of each message, and numbers of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "capture/generate/wire.h"

static const struct wire_names names = {"SIMUSDT", "simusdt"};
static const struct wire_depth numbers = {.msg_ms = 1735689600025,
    .venue_ms = 1735689600024,
    .first_id = 24,
    .last_id = 30,
    .prev_id = 7};
static struct text text;

static void assert_text(const char *expected) {
    assert_int_equal(text.n, strlen(expected));
    assert_memory_equal(text.s, expected, text.n);
    text.n = 0;
}

/* Bids 999.99 x 2, 999.90 x 1.5; asks 1000.00 x 0.25, 1000.50 x 12. */
static struct lob *book_make(void) {
    struct lob *b = malloc(sizeof *b);
    lob_init(b);
    lob_step(b);
    lob_add(b, LOB_BID, 99999, 1500, true);
    lob_add(b, LOB_ASK, 100050, 12000, true);
    lob_add(b, LOB_BID, 99990, 1500, true);
    lob_add(b, LOB_ASK, 100000, 250, true);
    lob_add(b, LOB_BID, 99999, 500, true);
    return b;
}

static void numbers_have_all_their_decimals(void **state) {
    (void)state;
    static const struct {
        int64_t v;
        int decimals;
        const char *text;
    } row[] = {{0, 0, "0"}, {0, 3, "0.000"}, {5, 3, "0.005"}, {1000, 3, "1.000"},
        {123456, 2, "1234.56"}, {-7, 2, "-0.07"}, {-12, 0, "-12"},
        {INT64_MIN, 0, "-9223372036854775808"}, {INT64_MAX, 18, "9.223372036854775807"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        text.n = 0;
        text_fixed(&text, row[i].v, row[i].decimals);
        assert_text(row[i].text);
    }
    struct rng r;
    rng_init(&r, 1, 1);
    for (int i = 0; i < 10000; i++) { /* the checked reader gives them back */
        int64_t v = (int64_t)(rng_u64(&r) >> (6 + rng_below(&r, 50)));
        int decimals = (int)rng_below(&r, 18);
        struct decimal d;
        text.n = 0;
        text_fixed(&text, v, decimals);
        if (v >= decimal_pow10[18]) continue;
        assert_true(decimal_parse(text.s, text.n, false, &d));
        assert_int_equal(d.mant, v);
        assert_int_equal(d.exp, decimals);
    }
}

static void depth_lists_changed_levels_by_rising_price(void **state) {
    (void)state;
    struct lob *b = book_make();
    text.n = 0;
    wire_depth(&text, &names, &numbers, b, b->change, b->changes);
    assert_text(
        "{\"stream\":\"simusdt@depth@0ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1735689600025,"
        "\"T\":1735689600024,\"s\":\"SIMUSDT\",\"U\":24,\"u\":30,\"pu\":7,\"b\":[[\"999.90\","
        "\"1.500\"],[\"999.99\",\"2.000\"]],\"a\":[[\"1000.00\",\"0.250\"],[\"1000.50\","
        "\"12.000\"]]}}");
    struct lob_fill fill[4];
    lob_step(b);
    assert_int_equal(lob_take(b, LOB_ASK, 250, 100000, fill, 4, NULL), 1);
    wire_depth(&text, &names, &numbers, b, b->change, b->changes);
    assert_non_null(strstr(text.s, "\"b\":[],\"a\":[[\"1000.00\",\"0.000\"]]}}"));
    free(b);
}

static void a_snapshot_goes_from_the_best_price_outward(void **state) {
    (void)state;
    struct lob *b = book_make();
    text.n = 0;
    wire_snapshot(&text, &numbers, b);
    assert_text(
        "{\"lastUpdateId\":30,\"E\":1735689600025,\"T\":1735689600024,\"bids\":[[\"999.99\","
        "\"2.000\"],[\"999.90\",\"1.500\"]],\"asks\":[[\"1000.00\",\"0.250\"],[\"1000.50\","
        "\"12.000\"]]}");
    free(b);
}

static void tickers_trades_and_marks_have_the_recorded_key_order(void **state) {
    (void)state;
    struct lob *b = book_make();
    text.n = 0;
    wire_ticker(&text, &names, &numbers, b);
    assert_text(
        "{\"stream\":\"simusdt@bookTicker\",\"data\":{\"e\":\"bookTicker\",\"u\":30,\"s\":"
        "\"SIMUSDT\",\"b\":\"999.99\",\"B\":\"2.000\",\"a\":\"1000.00\",\"A\":\"0.250\",\"T\":"
        "1735689600024,\"E\":1735689600025}}");
    wire_trade(&text, &names, &numbers, 77, (struct lob_fill){100000, 250}, true, "MARKET");
    assert_text("{\"stream\":\"simusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":1735689600025,\"T\":"
                "1735689600024,\"s\":\"SIMUSDT\",\"t\":77,\"p\":\"1000.00\",\"q\":\"0.250\",\"X\":"
                "\"MARKET\",\"m\":false}}");
    const struct wire_mark k = {1735689601000, 99999500000, 99998000000, -125, 1735718400000};
    wire_mark(&text, &names, &k);
    assert_text(
        "{\"stream\":\"simusdt@markPrice@1s\",\"data\":{\"e\":\"markPriceUpdate\",\"E\":"
        "1735689601000,\"s\":\"SIMUSDT\",\"p\":\"999.99500000\",\"P\":\"999.99500000\",\"i\":"
        "\"999.98000000\",\"r\":\"-0.00000125\",\"T\":1735718400000}}");
    free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_all_their_decimals),
        cmocka_unit_test(depth_lists_changed_levels_by_rising_price),
        cmocka_unit_test(a_snapshot_goes_from_the_best_price_outward),
        cmocka_unit_test(tickers_trades_and_marks_have_the_recorded_key_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
