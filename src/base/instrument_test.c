#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/decimal.h"
#include "base/event.h"
#include "base/instrument.h"

/* BTCUSDT of Binance USD-M: tick 0.10, lot 0.001. */
static const struct instrument linear = {.symbol = "BTCUSDT",
    .px_mant = 1,
    .px_exp = 1,
    .qty_mant = 1,
    .qty_exp = 3,
    .contract_e8 = 100000000,
    .kind = INSTRUMENT_LINEAR};

static void every_venue_name_reads_back(void **state) {
    (void)state;
    for (uint8_t v = 1; v < VENUE_COUNT; v++) assert_int_equal(venue_from_name(venue_name(v)), v);
    assert_int_equal(venue_from_name("none"), VENUE_NONE);
    assert_int_equal(venue_from_name("nyse"), VENUE_NONE);
    assert_string_equal(venue_name(200), "unknown");
}

static void prices_and_quantities_have_their_units_decimals(void **state) {
    (void)state;
    char out[DECIMAL_TEXT_MAX];
    assert_int_equal(instrument_px_text(&linear, (price_t){616597}, out), 7);
    assert_string_equal(out, "61659.7");
    instrument_qty_text(&linear, (qty_t){-1486}, out);
    assert_string_equal(out, "-1.486");
    assert_true(instrument_px(&linear, (price_t){616597}) == 61659.7);
    assert_true(instrument_qty(&linear, (qty_t){1486}) == 1.486);
    assert_true(instrument_px_unit(&linear) == 0.1);
    assert_true(instrument_qty_unit(&linear) == 0.001);
}

/* The nearest double of the exact decimal is what strtod reads from its text. */
static void a_price_as_double_is_the_nearest_to_its_text(void **state) {
    (void)state;
    print_message("seed 12\n");
    srand(12);
    for (int i = 0; i < 100000; i++) {
        struct instrument in = linear;
        char out[DECIMAL_TEXT_MAX];
        in.px_mant = rand() % 2 ? 1 : 5;
        in.px_exp = (uint8_t)(rand() % 11);
        price_t px = {((int64_t)rand() * 65536 + rand()) % 900000000000000};
        instrument_px_text(&in, px, out);
        double exact = strtod(out, NULL);
        assert_true(instrument_px(&in, px) == exact);
    }
}

static void the_value_of_a_linear_trade_is_price_times_quantity(void **state) {
    (void)state;
    int128 v = 0;
    char out[DECIMAL_TEXT_MAX];
    assert_true(instrument_value_e12(&linear, (price_t){616597}, (qty_t){1486}, &v));
    decimal_text(v, 12, true, out);
    assert_string_equal(out, "91626.3142");
    assert_true(instrument_value_e12(&linear, (price_t){616597}, (qty_t){-1486}, &v));
    decimal_text(v, 12, true, out);
    assert_string_equal(out, "-91626.3142");
}

static void the_value_of_inverse_contracts_is_their_number_times_the_contract(void **state) {
    (void)state;
    struct instrument in = linear;
    int128 v = 0;
    in.kind = INSTRUMENT_INVERSE;
    in.qty_exp = 0;
    in.contract_e8 = 100 * 100000000ll;
    assert_true(instrument_value_e12(&in, (price_t){616000}, (qty_t){27}, &v));
    assert_true(v == (int128)2700 * MONEY_ONE);
}

static void a_value_that_does_not_fit_is_refused(void **state) {
    (void)state;
    struct instrument in = linear;
    int128 v = 5;
    in.px_exp = 10;
    in.qty_exp = 10;
    assert_false(instrument_value_e12(&in, (price_t){1}, (qty_t){1}, &v)); /* 1e-20 is lost */
    assert_true(v == 5);
    assert_true(instrument_value_e12(&in, (price_t){10000}, (qty_t){10000}, &v));
    assert_true(v == 1);
    v = 5;
    in.px_mant = in.qty_mant = INT64_MAX;
    assert_false(instrument_value_e12(&in, (price_t){INT64_MAX}, (qty_t){INT64_MAX}, &v));
    assert_true(v == 5);
}

static void a_symbol_may_name_its_venue(void **state) {
    (void)state;
    struct instrument in = {.symbol = "BTCUSDT", .venue = VENUE_BINANCE_SPOT};
    assert_true(instrument_is(&in, "BTCUSDT"));
    assert_true(instrument_is(&in, "binance-spot:BTCUSDT"));
    assert_false(instrument_is(&in, "binance-usdm:BTCUSDT"));
    assert_false(instrument_is(&in, "binance:BTCUSDT"));
    assert_false(instrument_is(&in, "BTCUSD"));
    assert_false(instrument_is(&in, "binance-spot:"));
    assert_false(instrument_is(&in, ""));
}

static void two_slot_kinds_are_those_with_continuation_words(void **state) {
    (void)state;
    for (uint8_t kind = 0; kind < EV_KIND_COUNT; kind++) {
        bool two = kind == EV_MARK || kind == EV_KLINE || kind == EV_STAT24 ||
                   kind == EV_INSTRUMENT || kind == EV_ORDER_REPORT || kind == EV_OPTION;
        assert_int_equal(event_slots(kind), two ? 2 : 1);
    }
    struct event pair[2] = {{.kind = EV_MARK}};
    ((struct event_cont *)(void *)&pair[1])->w[MARK_RATE_E16] = 42;
    assert_int_equal(event_words(pair)[MARK_RATE_E16], 42);
}

static void a_series_concerns_the_instruments_of_its_asset(void **state) {
    (void)state;
    struct instrument btc = {.symbol = "BTCUSDT", .base = "BTC", .kind = INSTRUMENT_LINEAR};
    struct instrument bare = {.symbol = "BTCUSDT", .kind = INSTRUMENT_SPOT};
    struct instrument eth = {.symbol = "ETHUSDT", .base = "ETH"};
    struct instrument flow = {.symbol = "BTC.flow", .base = "BTC", .kind = INSTRUMENT_SERIES};
    struct instrument fear = {.symbol = "fear_greed", .kind = INSTRUMENT_SERIES};
    struct instrument chain = {.symbol = "BTC", .base = "BTC", .kind = INSTRUMENT_OPTIONS};
    assert_true(instrument_concerns(&flow, &btc) && instrument_concerns(&flow, &bare));
    assert_true(instrument_concerns(&chain, &btc) && instrument_concerns(&fear, &eth));
    assert_false(instrument_concerns(&flow, &eth) || instrument_concerns(&chain, &eth));
    assert_false(instrument_concerns(&btc, &eth) || instrument_concerns(&flow, &chain));
    assert_true(instrument_trades(&btc) && instrument_trades(&bare));
    assert_false(instrument_trades(&flow) || instrument_trades(&chain));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_venue_name_reads_back),
        cmocka_unit_test(prices_and_quantities_have_their_units_decimals),
        cmocka_unit_test(a_price_as_double_is_the_nearest_to_its_text),
        cmocka_unit_test(the_value_of_a_linear_trade_is_price_times_quantity),
        cmocka_unit_test(the_value_of_inverse_contracts_is_their_number_times_the_contract),
        cmocka_unit_test(a_value_that_does_not_fit_is_refused),
        cmocka_unit_test(a_symbol_may_name_its_venue),
        cmocka_unit_test(two_slot_kinds_are_those_with_continuation_words),
        cmocka_unit_test(a_series_concerns_the_instruments_of_its_asset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
