/* exchangeInfo: what the three markets declare, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <zlib.h>

#include "../test/shared.h"
#include "capture/venue/binance/binance_testing.h"

enum { ROWS_MAX = 4096, BODY_MAX = 8 << 20 };

static struct instrument rows[ROWS_MAX];
static struct binance_fault fault;

static const char *const linear =
    "{\"timezone\":\"UTC\",\"rateLimits\":[{\"limit\":2400}],\"symbols\":[{\"symbol\":\"ABCUSDT\","
    "\"contractType\":\"PERPETUAL\",\"status\":\"TRADING\",\"baseAsset\":\"ABC\",\"quoteAsset\":"
    "\"USDT\",\"marginAsset\":\"USDT\",\"pricePrecision\":7,\"filters\":[{\"minPrice\":\"0.10\","
    "\"tickSize\":\"0.10\",\"filterType\":\"PRICE_FILTER\"},{\"filterType\":\"LOT_SIZE\","
    "\"stepSize\":\"0.001\",\"minQty\":\"0.002\"},{\"filterType\":\"MARKET_LOT_SIZE\",\"stepSize\":"
    "\"0.5\",\"minQty\":\"5\"},{\"filterType\":\"MIN_NOTIONAL\",\"notional\":\"5\"}]}]}";

static const char *const inverse =
    "{\"symbols\":[{\"filters\":[{\"tickSize\":\"0.5\",\"filterType\":\"PRICE_FILTER\"},"
    "{\"stepSize\":\"1\",\"minQty\":\"1\",\"filterType\":\"LOT_SIZE\"}],\"symbol\":"
    "\"ABCUSD_PERP\",\"pair\":\"ABCUSD\",\"contractType\":\"PERPETUAL\",\"contractSize\":100,"
    "\"marginAsset\":\"ABC\",\"baseAsset\":\"ABC\",\"quoteAsset\":\"USD\"}]}";

static const char *const spot =
    "{\"symbols\":[{\"symbol\":\"ABCUSDT\",\"baseAsset\":\"ABC\",\"quoteAsset\":\"USDT\","
    "\"filters\":[{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"0.01000000\"},{\"filterType\":"
    "\"LOT_SIZE\",\"stepSize\":\"0.00001000\",\"minQty\":\"0.00001000\"},{\"filterType\":"
    "\"NOTIONAL\",\"minNotional\":\"5.00000000\"}]}]}";

static enum binance_status read_rows(const char *body, size_t *n) {
    return binance_instruments(body, strlen(body), rows, ROWS_MAX, n, &fault);
}

static void a_linear_contract_counts_ticks_and_lots(void **state) {
    (void)state;
    size_t n = 0;
    assert_int_equal(read_rows(linear, &n), BINANCE_OK);
    assert_int_equal(n, 1);
    assert_string_equal(rows[0].symbol, "ABCUSDT");
    assert_string_equal(rows[0].settle, "USDT");
    assert_int_equal(rows[0].venue, VENUE_BINANCE_USDM);
    assert_int_equal(rows[0].kind, INSTRUMENT_LINEAR);
    assert_int_equal(rows[0].px_mant, 1);
    assert_int_equal(rows[0].px_exp, 1);
    assert_int_equal(rows[0].qty_exp, 3);
    assert_int_equal(rows[0].min_qty_units, 2);
    assert_int_equal(rows[0].min_notional_e8, 500000000);
    assert_int_equal(rows[0].contract_e8, 100000000);
    assert_int_equal(rows[0].tick_units, 1);
    assert_int_equal(rows[0].unit_source, UNIT_DECLARED);
}

static void an_inverse_contract_has_its_size(void **state) {
    (void)state;
    size_t n = 0;
    assert_int_equal(read_rows(inverse, &n), BINANCE_OK);
    assert_int_equal(rows[0].venue, VENUE_BINANCE_COINM);
    assert_int_equal(rows[0].kind, INSTRUMENT_INVERSE);
    assert_int_equal(rows[0].contract_e8, 10000000000);
    assert_string_equal(rows[0].settle, "ABC");
    assert_int_equal(rows[0].px_mant, 5);
    assert_int_equal(rows[0].px_exp, 1);
    assert_int_equal(rows[0].qty_exp, 0);
}

static void a_spot_pair_settles_in_its_quote(void **state) {
    (void)state;
    size_t n = 0;
    assert_int_equal(read_rows(spot, &n), BINANCE_OK);
    assert_int_equal(rows[0].venue, VENUE_BINANCE_SPOT);
    assert_int_equal(rows[0].kind, INSTRUMENT_SPOT);
    assert_string_equal(rows[0].settle, "USDT");
    assert_int_equal(rows[0].px_exp, 2);
    assert_int_equal(rows[0].qty_exp, 5);
    assert_int_equal(rows[0].min_notional_e8, 500000000);
}

static void a_cut_list_is_refused_whole(void **state) {
    (void)state;
    size_t length = strlen(linear);
    for (size_t cut = 0; cut < length; cut++) {
        size_t n = 77;
        char *exact = malloc(cut + 1);
        memcpy(exact, linear, cut);
        assert_int_equal(
            binance_instruments(exact, cut, rows, ROWS_MAX, &n, &fault), BINANCE_TRUNCATED);
        free(exact);
        assert_int_equal(n, 77);
    }
}

/* The sample with one piece of text replaced. */
static enum binance_status with(const char *from, const char *to) {
    char text[TEXT_MAX];
    size_t n;
    const char *at = strstr(linear, from);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - linear), linear, to, at + strlen(from));
    return read_rows(text, &n);
}

static void what_cannot_be_an_instrument_is_refused(void **state) {
    (void)state;
    assert_int_equal(with("\"tickSize\":\"0.10\"", "\"tickSize\":\"0\""), BINANCE_BAD_PRICE);
    assert_int_equal(with("\"tickSize\":\"0.10\"", "\"tickSize\":0.1"), BINANCE_SYNTAX);
    assert_int_equal(with("\"tickSize\":\"0.10\"", "\"tickSize\":\"1e-1\""), BINANCE_DECIMAL);
    assert_int_equal(with("\"LOT_SIZE\"", "\"OTHER\""), BINANCE_MISSING);
    assert_int_equal(with("\"minQty\":\"0.002\"", "\"minQty\":\"0.0025\""), BINANCE_FINER);
    assert_int_equal(with("\"ABCUSDT\"", "\"\""), BINANCE_SYMBOL);
    assert_int_equal(with("\"ABCUSDT\"", "7"), BINANCE_TYPE);
    assert_int_equal(
        with("\"baseAsset\":\"ABC\"", "\"baseAsset\":\"A2345678901234567\""), BINANCE_SYMBOL);
    assert_int_equal(with("\"quoteAsset\":\"USDT\",", ""), BINANCE_MISSING);
    assert_int_equal(with("\"symbols\"", "\"others\""), BINANCE_MISSING);
    assert_int_equal(with("\"symbols\":[", "\"symbols\":[],\"symbols\":["), BINANCE_DUPLICATE);
    size_t n;
    assert_int_equal(
        binance_instruments(linear, strlen(linear), rows, 0, &n, &fault), BINANCE_ITEMS);
}

static void the_recorded_list_has_its_steps(void **state) {
    (void)state;
    SHARED_OR_SKIP("data/raw/venues/BINANCE_FUTURES.0.gz", path);
    char *line = malloc(BODY_MAX);
    bool found = false;
    gzFile f = gzopen(path, "rb");
    while (gzgets(f, line, BODY_MAX)) {
        char *p = strstr(line, "exchangeInfo -> ");
        size_t n = 0;
        if (!p || !(p = strstr(p, ": {"))) continue;
        assert_int_equal(
            binance_instruments(p + 2, strcspn(p + 2, "\n"), rows, ROWS_MAX, &n, &fault), 0);
        for (size_t i = 0; i < n; i++) {
            if (strcmp(rows[i].symbol, "BTCUSDT") != 0) continue;
            found = true;
            assert_int_equal(rows[i].px_exp, 2);
            assert_int_equal(rows[i].qty_exp, 3);
            assert_int_equal(rows[i].min_notional_e8, 500000000);
        }
    }
    gzclose(f);
    free(line);
    assert_true(found);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_contract_counts_ticks_and_lots),
        cmocka_unit_test(an_inverse_contract_has_its_size),
        cmocka_unit_test(a_spot_pair_settles_in_its_quote),
        cmocka_unit_test(a_cut_list_is_refused_whole),
        cmocka_unit_test(what_cannot_be_an_instrument_is_refused),
        cmocka_unit_test(the_recorded_list_has_its_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
