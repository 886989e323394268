#include "capture/tape/import_csv.h"

#include "base/unit.h"
#include "capture/tape/import_testing.h"

static struct import_csv_layout layout_of(const char *header) {
    struct import_csv_layout l;
    const char *why;
    if (!import_csv_header(header, strlen(header), &l, &why)) fail_msg("%s", why ? why : header);
    return l;
}

static enum import_csv_fault row_of(
    const struct import_csv_layout *l, const char *line, struct import_csv_row *r) {
    const char *why = NULL;
    enum import_csv_fault fault = import_csv_row(l, line, strlen(line), r, &why);
    if (fault) assert_non_null(why);
    return fault;
}

static void assert_decimal(struct decimal d, const char *want) {
    char text[DECIMAL_TEXT_MAX];
    decimal_text(d.mant, d.exp, true, text);
    assert_string_equal(text, want);
}

static void headers_of_all_known_files_make_their_kind(void **state) {
    (void)state;
    static const struct {
        const char *header;
        enum import_csv_kind kind;
    } known[] = {
        {"TimestampOfReceive,Stream,EventType,EventTime,TransactionTime,Symbol,TradeId,Price,"
         "Quantity,IsBuyerMarketMaker,XUnknownParameter",
            IMPORT_CSV_TRADES},
        {"id,price,qty,quote_qty,time,is_buyer_maker", IMPORT_CSV_TRADES},
        {"id,price,qty,base_qty,time,is_buyer_maker", IMPORT_CSV_TRADES},
        {"agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker",
            IMPORT_CSV_AGG_TRADES},
        {"open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
         "taker_buy_quote_volume,ignore",
            IMPORT_CSV_KLINES},
        {"ts_ms,open,high,low,close,volume", IMPORT_CSV_KLINES},
        {"ts_ms,open,high,low,close", IMPORT_CSV_MARK},
        {"ts_ms,funding_rate", IMPORT_CSV_FUNDING},
        {"calc_time,funding_interval_hours,last_funding_rate", IMPORT_CSV_FUNDING},
        {"update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,"
         "event_time",
            IMPORT_CSV_BOOK_TICKER},
        {"create_time,symbol,sum_open_interest,sum_open_interest_value,"
         "count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,count_long_short_ratio,"
         "sum_taker_long_short_vol_ratio",
            IMPORT_CSV_METRICS},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_int_equal(layout_of(known[i].header).kind, known[i].kind);
}

static void a_data_line_is_no_header_and_a_strange_header_says_why(void **state) {
    (void)state;
    struct import_csv_layout l;
    const char *why;
    assert_false(import_csv_header("1,2,3", 5, &l, &why));
    assert_null(why);
    assert_false(import_csv_header("", 0, &l, &why));
    assert_null(why);
    assert_false(import_csv_header("alpha,beta", 10, &l, &why));
    assert_non_null(why);
    const char *twice = "time,price,price,qty,id,is_buyer_maker";
    assert_false(import_csv_header(twice, strlen(twice), &l, &why));
    assert_non_null(why);
    char wide[200] = "id";
    for (int i = 0; i < IMPORT_FIELDS_MAX; i++) strcat(wide, ",x");
    assert_false(import_csv_header(wide, strlen(wide), &l, &why));
    assert_non_null(why);
}

static void columns_are_found_by_name_in_any_order(void **state) {
    (void)state;
    struct import_csv_layout l = layout_of("is_buyer_maker,Time,qty,comment,ID,Price");
    struct import_csv_row r;
    assert_int_equal(row_of(&l, "true,1723161255000,0.5,\"a word\",77,61800.10", &r), 0);
    assert_int_equal(r.id, 77);
    assert_true(r.seller_aggressor && r.market);
    assert_int_equal(r.venue_ns, 1723161255000000000);
    assert_int_equal(r.local_ns, 0);
    assert_decimal(r.d[ROLE_PX], "61800.1");
    assert_decimal(r.d[ROLE_QTY], "0.5");
}

static void exponents_are_exact(void **state) {
    (void)state;
    struct import_csv_layout l = layout_of("ts_ms,funding_rate");
    struct import_csv_row r;
    assert_int_equal(row_of(&l, "1672588800000,6.91e-6", &r), IMPORT_CSV_OK);
    assert_decimal(r.d[ROLE_RATE], "0.00000691");
    assert_int_equal(row_of(&l, "1672588800000,-1E-4", &r), IMPORT_CSV_OK);
    assert_decimal(r.d[ROLE_RATE], "-0.0001");
    assert_int_equal(row_of(&l, "1672588800000,1e309", &r), IMPORT_CSV_BAD_DECIMAL);
}

static void broken_rows_say_what_was_expected(void **state) {
    (void)state;
    struct import_csv_layout l;
    assert_true(import_csv_headless(IMPORT_CSV_TRADES, 6, &l));
    static const struct {
        const char *row;
        enum import_csv_fault fault;
    } rows[] = {
        {"1,61800.1,0.5,30900,1723161255000,true", IMPORT_CSV_OK},
        {"1,61800.1,0.5,anything,1723161255000,False", IMPORT_CSV_OK},
        {"1,NaN,0.5,30900,1723161255000,true", IMPORT_CSV_BAD_DECIMAL},
        {"1,,0.5,30900,1723161255000,true", IMPORT_CSV_BAD_DECIMAL},
        {"1,0x10,0.5,30900,1723161255000,true", IMPORT_CSV_BAD_DECIMAL},
        {"1,61800.1,1234567890123456789,30900,1723161255000,true", IMPORT_CSV_BAD_DECIMAL},
        {"-1,61800.1,0.5,30900,1723161255000,true", IMPORT_CSV_MALFORMED},
        {"1,61800.1,0.5,30900,17231612550,true", IMPORT_CSV_MALFORMED},
        {"1,61800.1,0.5,30900,0000000000000,true", IMPORT_CSV_MALFORMED},
        {"1,61800.1,0.5,30900,9999999999999999,true", IMPORT_CSV_MALFORMED},
        {"1,61800.1,0.5,30900,1723161255000,maybe", IMPORT_CSV_MALFORMED},
        {"1,61800.1,0.5,30900,1723161255000", IMPORT_CSV_MALFORMED},
        {"1,61800.1,0.5,30900,1723161255000,true,", IMPORT_CSV_MALFORMED},
        {"1,61800.1,0.5,30900,1723161255000,true,x,y", IMPORT_CSV_MALFORMED},
        {"", IMPORT_CSV_MALFORMED},
        {"1,NaN,0.5,30900,never,true", IMPORT_CSV_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct import_csv_row r;
        if (row_of(&l, rows[i].row, &r) != rows[i].fault) fail_msg("%s", rows[i].row);
    }
}

static void a_print_without_market_in_its_execution_column_is_no_market_trade(void **state) {
    (void)state;
    struct import_csv_layout l =
        layout_of("TimestampOfReceive,TransactionTime,TradeId,Price,Quantity,IsBuyerMarketMaker,"
                  "XUnknownParameter");
    struct import_csv_row r;
    assert_int_equal(row_of(&l, "1741046404352,1741046404349,5,0.1,2,0,MARKET", &r), 0);
    assert_true(r.market);
    assert_int_equal(r.unit_ns, NS_PER_MS);
    assert_int_equal(row_of(&l, "1741046404352123,1741046404349,5,0.0,0.0,0,", &r), 0);
    assert_false(r.market);
    assert_int_equal(r.unit_ns, NS_PER_US);
    assert_int_equal(row_of(&l, "1741046404352,1741046404349,5,0.1,2,0,INSURANCE_FUND", &r), 0);
    assert_false(r.market);
}

static void stamps_tell_their_unit_by_their_digits(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ns, unit;
    } good[] = {{"1723161255", 1723161255000000000, NS_PER_S},
        {"1723161255030", 1723161255030000000, NS_PER_MS},
        {"1723161255030314", 1723161255030314000, NS_PER_US},
        {"1723161255030314667", 1723161255030314667, 1}};
    int64_t ns, unit;
    for (size_t i = 0; i < 4; i++) {
        assert_true(import_stamp(good[i].text, strlen(good[i].text), &ns, &unit));
        assert_int_equal(ns, good[i].ns);
        assert_int_equal(unit, good[i].unit);
        assert_false(import_stamp(good[i].text, strlen(good[i].text) - 1, &ns, &unit));
    }
    assert_false(import_stamp("172316125x", 10, &ns, &unit));
    assert_false(import_stamp("9999999999999999999", 19, &ns, &unit));
    assert_false(import_stamp("9999999999", 10, &ns, &unit));
}

static void a_date_is_counted_with_leap_days(void **state) {
    (void)state;
    struct import_csv_layout l = layout_of("create_time,symbol,sum_open_interest");
    static const struct {
        const char *row;
        int64_t seconds; /* 0 = refused */
    } rows[] = {{"1970-01-01 00:00:01,A,1", 1}, {"2000-02-29 00:00:00,A,1", 951782400},
        {"2000-03-01 00:00:00,A,1", 951868800}, {"2024-08-08 23:55:00,A,1", 1723161300},
        {"2100-03-01 00:00:00,A,1", 4107542400}, {"2024-13-01 00:00:00,A,1", 0},
        {"2024-02-30 00:00:00,A,1", 0}, {"2023-02-29 00:00:00,A,1", 0},
        {"2024-08-08 24:00:00,A,1", 0}, {"2024-08-08,A,1", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct import_csv_row r;
        enum import_csv_fault fault = row_of(&l, rows[i].row, &r);
        assert_int_equal(fault, rows[i].seconds ? IMPORT_CSV_OK : IMPORT_CSV_MALFORMED);
        if (rows[i].seconds) assert_int_equal(r.venue_ns, rows[i].seconds * NS_PER_S);
    }
}

static void bar_lengths_are_read_from_words(void **state) {
    (void)state;
    assert_int_equal(import_interval("1s", 2), NS_PER_S);
    assert_int_equal(import_interval("5m", 2), 300 * NS_PER_S);
    assert_int_equal(import_interval("12h", 3), 43200 * NS_PER_S);
    assert_int_equal(import_interval("1w", 2), 604800 * NS_PER_S);
    static const char *const none[] = {"", "m", "0m", "5", "5x", "m5", "2024", "12345m"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(import_interval(none[i], strlen(none[i])), 0);
}

static void kinds_without_header_need_their_number_of_columns(void **state) {
    (void)state;
    struct import_csv_layout l;
    assert_true(import_csv_headless(IMPORT_CSV_KLINES, 12, &l));
    assert_true(import_csv_headless(IMPORT_CSV_KLINES, 6, &l));
    assert_false(import_csv_headless(IMPORT_CSV_KLINES, 7, &l));
    assert_false(import_csv_headless(IMPORT_CSV_TRADES, 5, &l));
    assert_true(import_csv_headless(IMPORT_CSV_AGG_TRADES, 8, &l));
    assert_true(import_csv_headless(IMPORT_CSV_FUNDING, 2, &l));
    for (int k = 1; k < IMPORT_CSV_KIND_COUNT; k++) {
        const char *name = import_csv_kind_name((enum import_csv_kind)k);
        assert_int_equal(import_csv_kind_from(name, strlen(name)), k);
    }
    assert_int_equal(import_csv_kind_from("aggtrades", 9), IMPORT_CSV_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_of_all_known_files_make_their_kind),
        cmocka_unit_test(a_data_line_is_no_header_and_a_strange_header_says_why),
        cmocka_unit_test(columns_are_found_by_name_in_any_order),
        cmocka_unit_test(exponents_are_exact),
        cmocka_unit_test(broken_rows_say_what_was_expected),
        cmocka_unit_test(a_print_without_market_in_its_execution_column_is_no_market_trade),
        cmocka_unit_test(stamps_tell_their_unit_by_their_digits),
        cmocka_unit_test(a_date_is_counted_with_leap_days),
        cmocka_unit_test(bar_lengths_are_read_from_words),
        cmocka_unit_test(kinds_without_header_need_their_number_of_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
