#include "capture/tape/import_units.h"

#include "base/decimal.h"
#include "capture/tape/import_testing.h"

static struct decimal dec(const char *s) {
    struct decimal d;
    assert_true(decimal_parse(s, strlen(s), true, &d));
    return d;
}

/* The unit of a list of decimals, as text. */
static const char *unit_text(const char *const *values, size_t n) {
    static char out[DECIMAL_TEXT_MAX];
    struct import_step s = {.g = 0};
    for (size_t i = 0; i < n; i++) import_step_add(&s, dec(values[i]));
    struct decimal u = import_step_unit(&s);
    decimal_text(u.mant, u.exp, true, out);
    return out;
}

#define UNIT(...)                                                                                  \
    unit_text((const char *const[]){__VA_ARGS__},                                                  \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void the_unit_is_the_step_that_divides_every_decimal(void **state) {
    (void)state;
    assert_string_equal(UNIT("61800.20", "61800.30"), "0.1");
    assert_string_equal(UNIT("0.00000000", "1.50000000", "0.00001000"), "0.00001");
    assert_string_equal(UNIT("16537.5", "16538.0", "4"), "0.5");
    assert_string_equal(UNIT("10.25", "10.75", "11"), "0.25");
    assert_string_equal(UNIT("7", "0.2", "1.6e-3"), "0.0002");
    assert_string_equal(UNIT("-1", "0.23102"), "0.00002");
    assert_string_equal(UNIT("999999999999999999", "0.000000000000000001"), "0.000000000000000001");
}

static void the_unit_is_never_coarser_than_one_nor_made_of_nothing(void **state) {
    (void)state;
    assert_string_equal(UNIT("500", "1000"), "1");
    assert_string_equal(UNIT("0", "0.000"), "1");
    assert_string_equal(UNIT("6.91e2"), "1");
}

/* Against a model that keeps every value: the unit divides all, and ten times the unit does not
 * (or the unit is 1). Values are random multiples of a random step, written with random trailing
 * zeros. */
static void random_decimals_are_multiples_of_their_unit_and_not_of_ten_times_it(void **state) {
    (void)state;
    uint64_t seed = 20240808;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 300; round++) {
        struct import_step s = {.g = 0};
        struct decimal value[400];
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint8_t exp = (uint8_t)(seed >> 60) % 9;
        size_t n = 1 + (seed >> 40) % 400;
        for (size_t i = 0; i < n; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint8_t zeros = (uint8_t)((seed >> 20) % 4);
            int64_t mant = (int64_t)(seed >> 36) * decimal_pow10[zeros];
            value[i] = (struct decimal){mant, (uint8_t)(exp + zeros)};
            import_step_add(&s, value[i]);
        }
        struct decimal u = import_step_unit(&s);
        bool all_ten = true;
        for (size_t i = 0; i < n; i++) {
            int64_t k;
            assert_true(decimal_to_units(value[i], u.mant, u.exp, &k));
            if (k % 10 != 0) all_ten = false;
        }
        assert_true(!all_ten || u.exp == 0);
    }
}

static void stragglers_with_finer_values_refine_the_unit_but_not_the_lot(void **state) {
    (void)state;
    struct import_step s = {.g = 0};
    char text[32];
    for (int i = 1; i < 9000; i++) {
        bool straggler = i == 40 || i == 5000; /* among the first, and late */
        snprintf(text, sizeof text, "%d.%s", i, straggler ? "25418900" : "00007000");
        import_step_add(&s, dec(text));
    }
    struct decimal u = import_step_unit(&s);
    assert_true(u.mant == 1 && u.exp == 6);
    assert_int_equal(import_step_units(&s, u), 10);
    for (int i = 0; i < 20; i++) import_step_add(&s, dec("1.00000100"));
    assert_int_equal(import_step_units(&s, import_step_unit(&s)), 1); /* no longer rare */
}

static void few_values_make_no_stragglers(void **state) {
    (void)state;
    struct import_step s = {.g = 0};
    for (int i = 0; i < 100; i++) import_step_add(&s, dec("1.5"));
    import_step_add(&s, dec("1.25"));
    struct decimal u = import_step_unit(&s);
    assert_int_equal(import_step_units(&s, u), 1);
}

static void symbols_of_two_venues_are_two_and_found_again(void **state) {
    (void)state;
    struct import_units u;
    struct err_info e;
    assert_int_equal(import_units_init(&u, &e), ERR_OK);
    struct import_symbol *a = import_units_symbol(&u, VENUE_BINANCE_USDM, "BTCUSDT", 7);
    struct import_symbol *b = import_units_symbol(&u, VENUE_BINANCE_SPOT, "BTCUSDT", 7);
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(import_units_symbol(&u, VENUE_BINANCE_USDM, "BTCUSDT", 7), a);
    assert_null(import_units_symbol(&u, VENUE_BINANCE_USDM, "", 0));
    assert_null(import_units_symbol(
        &u, VENUE_BINANCE_USDM, "A_NAME_OF_THIRTY_TWO_BYTES_EXACT", SYMBOL_MAX));
    char name[16];
    while (u.n < INST_MAX) {
        int n = snprintf(name, sizeof name, "S%zuUSDT", u.n);
        assert_non_null(import_units_symbol(&u, VENUE_OTHER, name, (size_t)n));
    }
    assert_null(import_units_symbol(&u, VENUE_OTHER, "ONEMORE", 7));
    assert_ptr_equal(import_units_symbol(&u, VENUE_BINANCE_SPOT, "BTCUSDT", 7), b);
    import_units_fini(&u);
}

/* Loads the text as --instruments file. */
static err_t load(struct fixture *x, const char *text, struct import_units *u, struct err_info *e) {
    assert_int_equal(import_units_init(u, e), ERR_OK);
    return import_units_load(u, put_text(x, "instruments.yaml", text), e);
}

static void declared_steps_come_from_yaml_and_json_alike(void **state) {
    static const char *const texts[] = {
        "- symbol: BTCUSDT\n  venue: binance-usdm\n  tick_size: 0.10\n  lot_size: 0.001\n"
        "  min_qty: 0.002\n  min_notional: 100\n",
        "{\"instruments\": [{\"symbol\": \"BTCUSDT\", \"venue\": \"binance-usdm\", "
        "\"tick_size\": \"0.1\", \"lot_size\": \"1e-3\", \"min_qty\": 0.002, "
        "\"min_notional\": \"100\"}]}"};
    for (int i = 0; i < 2; i++) {
        struct import_units u;
        struct err_info e;
        if (load(*state, texts[i], &u, &e)) fail_msg("%s", e.text);
        struct import_symbol *s = import_units_symbol(&u, VENUE_BINANCE_USDM, "BTCUSDT", 7);
        import_units_settle(&u);
        assert_int_equal(s->in.unit_source, UNIT_FILE);
        assert_true(s->in.px_mant == 1 && s->in.px_exp == 1);
        assert_true(s->in.qty_mant == 1 && s->in.qty_exp == 3);
        assert_int_equal(s->in.min_qty_units, 2);
        assert_int_equal(s->in.min_notional_e8, 10000000000);
        assert_int_equal(s->in.kind, INSTRUMENT_LINEAR);
        assert_string_equal(s->in.base, "BTC");
        assert_string_equal(s->in.settle, "USDT");
        import_units_fini(&u);
    }
}

static void data_finer_than_declared_refine_the_unit_and_keep_the_tick(void **state) {
    struct import_units u;
    struct err_info e;
    const char *text = "[{symbol: X_PERP, tick_size: 0.5, lot_size: 1, kind: inverse, "
                       "contract_size: 100, min_qty: 3, base: X, quote: USD}]";
    if (load(*state, text, &u, &e)) fail_msg("%s", e.text);
    struct import_symbol *s = import_units_symbol(&u, VENUE_BINANCE_COINM, "X_PERP", 6);
    import_step_add(&s->px, dec("100.25"));
    import_step_add(&s->qty, dec("0.1"));
    import_units_settle(&u);
    assert_true(s->in.px_mant == 25 && s->in.px_exp == 2 && s->in.tick_units == 2);
    assert_true(s->in.qty_mant == 1 && s->in.qty_exp == 1 && s->in.lot_units == 10);
    assert_int_equal(s->in.min_qty_units, 30);
    assert_int_equal(s->in.contract_e8, 10000000000);
    assert_string_equal(s->in.settle, "X");
    import_units_fini(&u);
}

static void wrong_instrument_files_are_refused_with_the_word(void **state) {
    static const struct {
        const char *text, *word;
    } bad[] = {
        {"- {symbol: A, tick_size: 0.1, lot_size: 1, tik: 3}", "tik"},
        {"- {symbol: A, tick_size: 0, lot_size: 1}", "0"},
        {"- {symbol: A, tick_size: -1, lot_size: 1}", "-1"},
        {"- {symbol: A, tick_size: x, lot_size: 1}", "x"},
        {"- {symbol: A, lot_size: 1}", "tick_size"},
        {"- {symbol: A, tick_size: 1}", "lot_size"},
        {"- {tick_size: 1, lot_size: 1}", "symbol"},
        {"- {symbol: A, venue: moon, tick_size: 1, lot_size: 1}", "moon"},
        {"- {symbol: A, kind: future, tick_size: 1, lot_size: 1}", "future"},
        {"- {symbol: A, tick_size: 1, lot_size: 0.1, min_qty: 0.15}", "min_qty"},
        {"- {symbol: A, tick_size: [1], lot_size: 1}", "tick_size"},
        {"- just a word", "map"},
        {"symbol: A", "instruments"},
        {"{[", "YAML"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct import_units u;
        struct err_info e;
        assert_int_equal(load(*state, bad[i].text, &u, &e), ERR_USAGE);
        if (!strstr(e.text, bad[i].word)) fail_msg("'%s' not in: %s", bad[i].word, e.text);
        import_units_fini(&u);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_unit_is_the_step_that_divides_every_decimal),
        cmocka_unit_test(the_unit_is_never_coarser_than_one_nor_made_of_nothing),
        cmocka_unit_test(random_decimals_are_multiples_of_their_unit_and_not_of_ten_times_it),
        cmocka_unit_test(stragglers_with_finer_values_refine_the_unit_but_not_the_lot),
        cmocka_unit_test(few_values_make_no_stragglers),
        cmocka_unit_test(symbols_of_two_venues_are_two_and_found_again),
        cmocka_unit_test(declared_steps_come_from_yaml_and_json_alike),
        cmocka_unit_test(data_finer_than_declared_refine_the_unit_and_keep_the_tick),
        cmocka_unit_test(wrong_instrument_files_are_refused_with_the_word),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
