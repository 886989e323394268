#include "capture/tape/import_hint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct import_hints hints;
static struct binance_message message;

static int fresh(void **state) {
    (void)state;
    memset(&hints, 0, sizeof hints);
    return 0;
}

static void decode(const char *text) {
    struct binance_fault fault;
    assert_int_equal(binance_decode(text, strlen(text), &message, &fault), BINANCE_OK);
}

static void see_trade(const char *symbol, const char *px) {
    char text[256];
    snprintf(text, sizeof text,
        "{\"e\":\"trade\",\"E\":1723161255000,\"T\":1723161255000,\"s\":\"%s\",\"t\":1,\"p\":\"%"
        "s\","
        "\"q\":\"1\",\"X\":\"MARKET\",\"m\":true}",
        symbol, px);
    decode(text);
    import_hints_see(&hints, &message);
}

static void see_depth(const char *symbol, const char *bids, const char *asks) {
    char text[512];
    snprintf(text, sizeof text,
        "{\"e\":\"depthUpdate\",\"E\":1723161255000,\"T\":1723161255000,\"s\":\"%s\",\"U\":1,"
        "\"u\":2,\"pu\":0,\"b\":[%s],\"a\":[%s]}",
        symbol, bids, asks);
    decode(text);
    import_hints_see(&hints, &message);
}

static const char *whose(const char *bid, const char *ask) {
    char text[256];
    snprintf(text, sizeof text,
        "{\"lastUpdateId\":10,\"E\":1723161255000,\"T\":1723161255000,\"bids\":[[\"%s\",\"1\"]],"
        "\"asks\":[[\"%s\",\"1\"]]}",
        bid, ask);
    decode(text);
    return import_hints_whose(&hints, &message);
}

static void a_file_of_one_symbol_needs_no_price(void **state) {
    (void)state;
    assert_string_equal(whose("1", "1.001"), "");
    see_trade("AAAUSDT", "500");
    assert_string_equal(whose("1", "1.001"), "AAAUSDT");
}

static void among_several_the_price_decides(void **state) {
    (void)state;
    see_trade("AAAUSDT", "61000.5");
    see_trade("BBBUSDT", "2680.11");
    see_trade("CCCUSDT", "0.0175");
    assert_string_equal(whose("61001.1", "61001.2"), "AAAUSDT");
    assert_string_equal(whose("2679.9", "2680.0"), "BBBUSDT");
    assert_string_equal(whose("0.0160", "0.0161"), "CCCUSDT"); /* after a pause: a tenth away */
    see_trade("CCCUSDT", "2600");                              /* the latest price counts */
    assert_string_equal(whose("2600", "2600.1"), "CCCUSDT");
}

static void two_symbols_of_like_price_or_none_near_are_not_guessed(void **state) {
    (void)state;
    see_trade("AAAUSDT", "1.00");
    see_trade("BBBUSDT", "1.01");
    assert_null(whose("1.003", "1.004"));
    assert_null(whose("2.0", "2.001"));
    assert_null(whose("1.0", "1.5")); /* too wide to have a middle */
}

static void a_symbol_without_a_price_is_not_chosen_and_diffs_can_give_one(void **state) {
    (void)state;
    see_trade("AAAUSDT", "100");
    see_depth("BBBUSDT", "[\"7.00\",\"1\"]", "");
    assert_null(whose("7.00", "7.01"));
    see_depth("BBBUSDT", "[\"7.00\",\"1\"],[\"9.00\",\"0\"]", "[\"7.02\",\"3\"],[\"8.00\",\"1\"]");
    assert_string_equal(whose("7.00", "7.01"), "BBBUSDT");
}

static void more_symbols_than_fit_are_not_guessed(void **state) {
    (void)state;
    char name[32], px[32];
    for (int i = 0; i <= HINTS_MAX; i++) {
        snprintf(name, sizeof name, "S%dUSDT", i);
        snprintf(px, sizeof px, "%d", 1000 * (i + 1));
        if (i == HINTS_MAX) assert_string_equal(whose("1000", "1000.1"), "S0USDT");
        see_trade(name, px);
    }
    assert_null(whose("1000", "1000.1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_file_of_one_symbol_needs_no_price, fresh),
        cmocka_unit_test_setup(among_several_the_price_decides, fresh),
        cmocka_unit_test_setup(two_symbols_of_like_price_or_none_near_are_not_guessed, fresh),
        cmocka_unit_test_setup(
            a_symbol_without_a_price_is_not_chosen_and_diffs_can_give_one, fresh),
        cmocka_unit_test_setup(more_symbols_than_fit_are_not_guessed, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
