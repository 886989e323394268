#include "capture/tape/import.h"

#include "../test/shared.h"
#include "base/event.h"
#include "capture/tape/import_internal.h"
#include "capture/tape/import_testing.h"

/* Lines of a small made-up USD-M recording: stamp, then one message. */
#define SNAP(stamp, id)                                                                            \
    stamp " {\"lastUpdateId\":" id ",\"E\":1723161255000,\"T\":1723161255000,"                     \
          "\"bids\":[[\"100.10\",\"1.500\"]],\"asks\":[[\"100.20\",\"0.004\"]]}\n"
#define TRADE(stamp, ms, id, px, x)                                                                \
    stamp " {\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":" ms ",\"T\":" ms        \
          ",\"s\":\"BTCUSDT\",\"t\":" id ",\"p\":\"" px "\",\"q\":\"0.010\",\"X\":\"" x            \
          "\",\"m\":true}}\n"
#define DEPTH(stamp, ms, u, first, pu)                                                             \
    stamp " {\"stream\":\"btcusdt@depth@0ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":" ms           \
          ",\"T\":" ms ",\"s\":\"BTCUSDT\",\"U\":" first ",\"u\":" u ",\"pu\":" pu                 \
          ",\"b\":[[\"100.10\",\"1.000\"],[\"100.00\",\"2.000\"]],\"a\":[[\"100.20\",\"0\"]]}}\n"

static const char session[] =
    DEPTH("1723161255001000000", "1723161255000", "10", "9", "8") SNAP("1723161255002000000", "10")
        TRADE("1723161255003000000", "1723161255002", "1", "100.10", "MARKET")
            DEPTH("1723161255004000000", "1723161255003", "12", "11", "10")
                TRADE("1723161255005000000", "1723161255004", "2", "100.20", "MARKET");

static void a_raw_recording_becomes_a_tape_with_inferred_units(void **state) {
    struct imported i = import_one(*state, put_gzip(*state, "rec.gz", session));
    assert_int_equal(i.err, ERR_OK);
    assert_int_equal(i.report.lines, 5);
    assert_int_equal(i.report.tally.events, 10);
    assert_int_equal(i.n, 10);
    assert_string_equal(i.report.local_unit, "ns");
    assert_rejected(&i, 0, 0, 0, 0, 0, 0, 0);
    assert_int_equal(i.report.n_instruments, 1);
    const struct instrument *in = &i.report.instrument[0];
    assert_string_equal(in->symbol, "BTCUSDT");
    assert_int_equal(in->venue, VENUE_BINANCE_USDM);
    assert_int_equal(in->unit_source, UNIT_INFERRED);
    assert_true(in->px_mant == 1 && in->px_exp == 1 && in->qty_mant == 2 && in->qty_exp == 3);
    assert_int_equal(i.slots[0].px.ticks, 1001);
    assert_int_equal(i.slots[0].qty.lots, 500);
    assert_true(i.slots[3].flags & EVF_SNAPSHOT);
    assert_int_equal(i.slots[5].kind, EV_TRADE);
    assert_true(i.slots[5].flags & EVF_SELL);
    imported_free(&i);
}

static void the_reported_hash_is_the_hash_of_the_tape(void **state) {
    struct imported i = import_one(*state, put_gzip(*state, "rec.gz", session));
    uint64_t hash;
    struct err_info e;
    assert_int_equal(tape_hash(i.tape, &hash, &e), ERR_OK);
    assert_int_equal(hash, i.report.hash);
    struct tape_verdict v;
    assert_int_equal(tape_verify(i.tape, &v, &e), ERR_OK);
    assert_true(v.valid);
    tape_verdict_fini(&v);
    imported_free(&i);
}

/* The same session with its stamps in another unit: same events, coarser stamps. */
static void the_unit_of_the_receive_stamps_is_detected(void **state) {
    static const struct {
        int drop;
        const char *name;
    } units[] = {{0, "ns"}, {3, "us"}, {6, "ms"}, {9, "s"}};
    for (size_t u = 0; u < 4; u++) {
        char text[sizeof session];
        size_t n = 0;
        bool line_start = true;
        for (const char *p = session; *p; p++) {
            if (line_start) {
                n += (size_t)snprintf(text + n, sizeof text - n, "%.*s", 19 - units[u].drop, p);
                p += 19;
            }
            line_start = *p == '\n';
            text[n++] = *p;
        }
        text[n] = 0;
        struct imported i = import_one(*state, put_text(*state, "rec.txt", text));
        assert_int_equal(i.err, ERR_OK);
        assert_string_equal(i.report.local_unit, units[u].name);
        assert_int_equal(i.report.tally.events, 10);
        assert_int_equal(i.slots[0].ts_local.ns / NS_PER_S, 1723161255);
        imported_free(&i);
    }
}

static void a_stamp_of_another_unit_in_mid_file_is_malformed(void **state) {
    char text[2 * sizeof session];
    snprintf(text, sizeof text, "%s%s", session,
        TRADE("1723161255006000", "1723161255005", "3", "100.20", "MARKET"));
    struct imported i = import_one(*state, put_text(*state, "rec.txt", text));
    assert_rejected(&i, 0, 0, 0, 0, 0, 0, 1);
    assert_int_equal(i.report.tally.sample[IMPORT_MALFORMED][0].line, 6);
    imported_free(&i);
}

#define HOSTILE_NUMBER                                                                             \
    "1723161255003000000 "                                                                         \
    "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"p\":\"1e309\"}}}"

static void hostile_lines_are_counted_and_the_rest_is_kept(void **state) {
    static const char *const hostile[] = {"", "x", "1723161255003000000", "1723161255003000000 ",
        "1723161255003000000 {", HOSTILE_NUMBER,
        "1723161255003000000 [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "1723161255003000000 {\"e\":\"trade\",\"s\":\"\xff\xfe\"}",
        "1723161255003000000 <html>502 Bad Gateway</html>", "99999999999999999999 {}",
        "-1723161255003000000 {}", "\xef\xbb\xbf{}"};
    enum { HOSTILE = sizeof hostile / sizeof hostile[0] };
    char text[8192];
    size_t n = (size_t)snprintf(text, sizeof text, "%s", session);
    for (size_t h = 0; h < HOSTILE; h++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\n", hostile[h]);
    n += (size_t)snprintf(text + n, sizeof text - n, "%s",
        TRADE("1723161255006000000", "1723161255005", "3", "100.20", "MARKET"));
    struct imported i = import_one(*state, put_text(*state, "rec.txt", text));
    assert_int_equal(i.err, ERR_OK);
    assert_rejected(&i, 0, 0, 0, 0, 0, 0, HOSTILE - 1); /* a blank line is none */
    assert_int_equal(i.report.tally.events, 11);
    assert_int_equal(i.report.lines, 5 + HOSTILE + 1);
    imported_free(&i);
}

static void strict_stops_at_the_first_bad_line_and_keeps_what_was_before(void **state) {
    char text[8192];
    snprintf(text, sizeof text, "%s%s%s", session, "1723161255006000000 {\"e\":\n",
        TRADE("1723161255007000000", "1723161255005", "3", "100.20", "MARKET"));
    const char *file = put_text(*state, "rec.txt", text);
    struct import_options opt = default_options();
    opt.strict = true;
    struct imported i = import_with(*state, opt, &file, 1);
    assert_int_equal(i.err, ERR_INPUT);
    assert_non_null(strstr(i.e.text, "rec.txt:6: malformed"));
    assert_int_equal(i.n, 10);
    imported_free(&i);
}

static void an_input_without_any_event_writes_nothing(void **state) {
    static const char *const texts[] = {
        "", "\n\n", "1723161255003000000 {\"e\":\n", "hello world\n", "{\"a\":1}\n", "a,b,c\n"};
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        struct imported i = import_one(*state, put_text(*state, "none.txt", texts[t]));
        assert_int_equal(i.err, ERR_INPUT);
        assert_false(file_exists(i.tape));
        imported_free(&i);
    }
}

static void an_existing_tape_is_replaced_by_force_only(void **state) {
    const char *file = put_text(*state, "rec.txt", session);
    struct imported i = import_one(*state, file);
    struct import_options opt = default_options();
    opt.files = &file;
    opt.n_files = 1;
    opt.to = i.tape;
    struct import_report again;
    struct err_info e;
    assert_int_equal(import_run(&opt, &again, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "--force"));
    import_report_fini(&again);
    opt.force = true;
    assert_int_equal(import_run(&opt, &again, &e), ERR_OK);
    assert_int_equal(again.hash, i.report.hash);
    import_report_fini(&again);
    imported_free(&i);
}

static void a_torn_recording_leaves_the_tape_of_all_whole_lines_before_the_tear(void **state) {
    static char text[60000];
    size_t n = (size_t)snprintf(text, sizeof text, "%s", session);
    for (int t = 3; t < 200; t++) {
        n += (size_t)snprintf(text + n, sizeof text - n,
            "1723161255%09d {\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":"
            "1723161255004,\"T\":1723161255004,\"s\":\"BTCUSDT\",\"t\":%d,\"p\":\"100.%d0\","
            "\"q\":\"0.0%d\",\"X\":\"MARKET\",\"m\":false}}\n",
            6000000 + t * 37, t, t * 7 % 10, 10 + t * 13 % 90);
    }
    struct imported whole = import_one(*state, put_text(*state, "whole.txt", text));
    assert_int_equal(whole.err, ERR_OK);
    assert_rejected(&whole, 0, 0, 0, 0, 0, 0, 0);
    size_t packed_n, most = 0;
    unsigned char *packed = gzip_of(text, n, &packed_n);
    for (size_t cut = 200; cut < packed_n; cut += packed_n / 23) {
        char *path = fixture_path(*state, "torn.gz");
        put_bytes(path, packed, cut);
        struct imported i = import_one(*state, path);
        assert_int_equal(i.err, ERR_INPUT);
        assert_non_null(strstr(i.e.text, "torn.gz"));
        assert_true(i.n >= most && i.n <= whole.n);
        for (size_t k = 0; k < i.n; k++) {
            assert_int_equal(i.slots[k].id, whole.slots[k].id);
            assert_int_equal(i.slots[k].ts_local.ns, whole.slots[k].ts_local.ns);
        }
        most = i.n;
        imported_free(&i);
    }
    assert_true(most > whole.n / 2);
    free(packed);
    imported_free(&whole);
}

static void files_of_one_session_continue_in_order_whatever_their_order(void **state) {
    const char *second = TRADE("1723161256000000000", "1723161255999", "3", "100.30", "MARKET")
        TRADE("1723161256001000000", "1723161256000", "4", "100.35", "MARKET");
    const char *files[] = {put_gzip(*state, "a.gz", session), put_text(*state, "b.txt", second)};
    const char *turned[] = {files[1], files[0]};
    struct imported a = import_with(*state, default_options(), files, 2);
    struct imported b = import_with(*state, default_options(), turned, 2);
    assert_int_equal(a.err, ERR_OK);
    assert_int_equal(a.n, 12);
    assert_int_equal(a.report.hash, b.report.hash);
    assert_rejected(&a, 0, 0, 0, 0, 0, 0, 0); /* ids go on over the files */
    for (size_t k = 0; k < a.n; k++) assert_int_not_equal(a.slots[k].kind, EV_GAP);
    assert_true(a.report.instrument[0].px_mant == 5); /* one unit for all files */
    imported_free(&a);
    imported_free(&b);
}

static void a_clock_behind_the_exchange_is_an_offset_and_no_fault(void **state) {
    char text[4096];
    size_t n = 0;
    for (int t = 1; t <= 10; t++) { /* received 1.27 s before the event, give or take */
        n += (size_t)snprintf(text + n, sizeof text - n,
            "17231612537%02d000000 {\"e\":\"trade\",\"E\":1723161255000,\"T\":1723161255000,"
            "\"s\":\"BTCUSDT\",\"t\":%d,\"p\":\"100.1\",\"q\":\"1\",\"X\":\"MARKET\",\"m\":true}\n",
            30 + t, t);
    }
    struct imported i = import_one(*state, put_text(*state, "rec.txt", text));
    assert_rejected(&i, 0, 0, 0, 0, 0, 0, 0);
    assert_int_equal(i.report.clock_offset_ns, -1269 * NS_PER_MS);
    imported_free(&i);
}

/* ---- recordings of the other shape ---- */

#define FEED_WS                                                                                    \
    "wss://fstream.binance.com/stream?streams=aaausdt@aggTrade <-> 1626992740.179554\n"            \
    "1626992741.06217: {\"stream\":\"aaausdt@bookTicker\",\"data\":{\"e\":\"bookTicker\",\"u\":9," \
    "\"s\":\"AAAUSDT\",\"b\":\"7.6110\",\"B\":\"2\",\"a\":\"7.6120\",\"A\":\"297\","               \
    "\"T\":1626992741012,\"E\":1626992741017}}\n"                                                  \
    "1626992743.5: {\"stream\":\"aaausdt@aggTrade\",\"data\":{\"e\":\"aggTrade\",\"E\":"           \
    "1626992743400,\"a\":5,\"s\":\"AAAUSDT\",\"p\":\"7.6110\",\"q\":\"3\",\"f\":1,\"l\":2,"        \
    "\"T\":1626992743399,\"m\":true}}\n"
#define FEED_HTTP                                                                                  \
    "https://fapi.binance.com/fapi/v1/depth?symbol=AAAUSDT&limit=1000 -> 1626992742.25: "          \
    "{\"lastUpdateId\":8,\"E\":1626992742200,\"T\":1626992742199,\"bids\":[[\"7.6110\",\"6\"]],"   \
    "\"asks\":[[\"7.6120\",\"1\"],[\"7.6130\",\"1\"]]}\n"
#define FEED_MAIN                                                                                  \
    "https://fapi.binance.com/fapi/v1/exchangeInfo -> 1626992740.175661: {\"timezone\":\"UTC\","   \
    "\"futuresType\":\"U_MARGINED\",\"rateLimits\":[],\"exchangeFilters\":[],\"assets\":[],"       \
    "\"symbols\":[{\"symbol\":\"AAAUSDT\",\"pair\":\"AAAUSDT\",\"contractType\":\"PERPETUAL\","    \
    "\"status\":\"TRADING\",\"baseAsset\":\"AAA\",\"quoteAsset\":\"USDT\",\"marginAsset\":"        \
    "\"USDT\",\"filters\":[{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"0.0010\"},"             \
    "{\"filterType\":\"LOT_SIZE\",\"stepSize\":\"1\",\"minQty\":\"1\"},{\"filterType\":"           \
    "\"MIN_NOTIONAL\",\"notional\":\"5\"}]}]}\nconfiguration: {\"trades\":[\"AAA\"]}\n"

static void socket_answer_and_main_files_are_one_session_by_time(void **state) {
    const char *files[] = {put_gzip(*state, "X.ws.1.0.gz", FEED_WS),
        put_gzip(*state, "X.http.0.0.gz", FEED_HTTP), put_gzip(*state, "X.0.gz", FEED_MAIN)};
    struct imported i = import_with(*state, default_options(), files, 3);
    if (i.err) fail_msg("%s", i.e.text);
    assert_string_equal(i.report.local_unit, "s");
    assert_int_equal(i.report.lines, 6);
    assert_int_equal(i.report.control_lines, 2);
    assert_int_equal(i.n, 5);
    assert_int_equal(i.slots[0].kind, EV_TICKER);
    assert_int_equal(i.slots[0].ts_local.ns, 1626992741062170000);
    assert_true(i.slots[1].kind == EV_DEPTH && (i.slots[1].flags & EVF_SNAPSHOT));
    assert_int_equal(i.slots[4].kind, EV_AGG_TRADE);
    const struct instrument *in = &i.report.instrument[0];
    assert_int_equal(in->unit_source, UNIT_DECLARED);
    assert_true(in->px_mant == 1 && in->px_exp == 3);
    assert_int_equal(in->min_notional_e8, 500000000);
    imported_free(&i);
}

static void other_venues_and_other_shapes_are_refused_by_name(void **state) {
    static const struct {
        const char *file, *text, *word;
    } cases[] = {
        {"a.gz", "wss://ws.okx.com:8443/ws/v5/public <-> 1652459224.53\n", "okx"},
        {"b.gz", "1652459224.53: {\"arg\":{\"channel\":\"books\",\"instId\":\"X\"},\"data\":[]}\n",
            "okx"},
        {"c.gz", "1626993723.8: {\"jsonrpc\":\"2.0\",\"id\":0,\"result\":[]}\n", "deribit"},
        {"d.gz", "{\"t\":\"header\",\"format\":2,\"exchange\":\"BYBIT\"}\n", "bybit"},
        {"e.gz", "1626993723.8: {\"hello\":1}\n", "Binance"},
        {"f.gz", "ts_ms,dvol_pct\n1667692800000,56.76\n", "no known kind of file"},
        {"g.gz", "34200.004241176,1,16113575,18,5853300,1\n", "without header"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct imported i = import_one(*state, put_gzip(*state, cases[c].file, cases[c].text));
        assert_int_equal(i.err, ERR_INPUT);
        if (!strstr(i.e.text, cases[c].word)) fail_msg("%s: %s", cases[c].word, i.e.text);
        imported_free(&i);
    }
}

#define NAMED_TRADE(stamp, symbol, id, px)                                                         \
    stamp " {\"e\":\"trade\",\"E\":1723161255000,\"T\":1723161255000,\"s\":\"" symbol              \
          "\",\"t\":" id ",\"p\":\"" px "\",\"q\":\"1\",\"X\":\"MARKET\",\"m\":true}\n"
#define BARE_SNAPSHOT(stamp, bid, ask)                                                             \
    stamp " {\"lastUpdateId\":10,\"E\":1723161255000,\"T\":1723161255000,\"bids\":[[\"" bid        \
          "\",\"1\"]],\"asks\":[[\"" ask "\",\"1\"]]}\n"

static void a_snapshot_without_a_symbol_goes_to_the_symbol_of_its_price(void **state) {
    static const char text[] = BARE_SNAPSHOT("1723161255001000000", "20.1", "20.2")
        BARE_SNAPSHOT("1723161255002000000", "600.1", "600.2")
            NAMED_TRADE("1723161255003000000", "AAAUSDT", "1", "600.1")
                NAMED_TRADE("1723161255004000000", "BBBUSDT", "1", "20.2")
                    BARE_SNAPSHOT("1723161255005000000", "90.1", "90.2");
    struct import_options opt = default_options();
    opt.venue = VENUE_BINANCE_USDM;
    const char *file = put_gzip(*state, "two.gz", text);
    struct imported i = import_with(*state, opt, &file, 1);
    assert_int_equal(i.err, ERR_OK);
    assert_int_equal(i.n, 6); /* the last snapshot is nobody's */
    assert_rejected(&i, 0, 0, 0, 0, 0, 0, 1);
    assert_int_equal(i.report.n_instruments, 2);
    for (size_t at = 0; at < 4; at++) {
        const char *symbol = i.report.instrument[i.slots[at].inst].symbol;
        assert_string_equal(symbol, at < 2 ? "BBBUSDT" : "AAAUSDT");
    }
    imported_free(&i);
}

/* ---- CSV ---- */

static struct imported import_csv(
    struct fixture *x, const char *name, const char *text, struct import_options opt) {
    const char *file = strstr(name, ".zip") ? put_zip(x, name, text, 1) : put_text(x, name, text);
    return import_with(x, opt, &file, 1);
}

static void a_refused_trade_is_no_gap_and_a_market_print_at_zero_is_bad(void **state) {
    char text[8192];
    snprintf(text, sizeof text, "%s%s%s%s%s", session,
        TRADE("1723161255006000000", "1723161255005", "3", "-100.20", "MARKET"),
        TRADE("1723161255007000000", "1723161255006", "4", "0", "MARKET"),
        TRADE("1723161255008000000", "1723161255007", "5", "0", "NA"),
        TRADE("1723161255009000000", "1723161255008", "6", "100.10", "INSURANCE_FUND"));
    struct imported i = import_one(*state, put_text(*state, "rec.txt", text));
    assert_rejected(&i, 2, 0, 0, 0, 0, 0, 0);
    assert_int_equal(i.report.tally.non_market_trades, 2);
    assert_int_equal(i.n, 12);
    imported_free(&i);
    struct import_options opt = default_options();
    opt.symbol = "X";
    i = import_csv(*state, "x-trades.csv",
        "1,1.5,1,1,1723161255322,true\n2,abc,1,1,1723161255322,true\n"
        "3,1.5,1,1,1723161255322,true\n",
        opt);
    assert_rejected(&i, 1, 0, 0, 0, 0, 0, 0);
    imported_free(&i);
}

static void bars_of_two_lengths_do_not_share_a_tape(void **state) {
    static const char bars[] = "ts_ms,open,high,low,close,volume\n1672531200000,1,2,1,2,1\n";
    const char *files[] = {put_text(*state, "a-5m.csv", bars), put_text(*state, "a-1h.csv", bars)};
    struct import_options opt = default_options();
    opt.symbol = "X";
    struct imported i = import_with(*state, opt, files, 2);
    assert_int_equal(i.err, ERR_USAGE);
    assert_non_null(strstr(i.e.text, "two lengths"));
    imported_free(&i);
}

static void bulk_trades_come_from_zip_without_header(void **state) {
    struct import_options opt = default_options();
    opt.symbol = "BTCUSDT"; /* the fixture puts a number before the name */
    opt.venue = VENUE_BINANCE_USDM;
    struct imported i = import_csv(*state, "BTCUSDT-trades-2024-08-08.zip",
        "5266583935,61800.3,0.006,370.8018,1723161255322,false\n"
        "5266583936,61800.2,0.010,618.002,1723161255400,true\n",
        opt);
    if (i.err) fail_msg("%s", i.e.text);
    assert_int_equal(i.n, 2);
    assert_true(i.slots[0].flags & EVF_BUY);
    assert_true(i.slots[1].flags & EVF_SELL);
    assert_int_equal(i.slots[0].ts_local.ns, 1723161255322000000);
    assert_int_equal(i.slots[0].ts_venue.ns, i.slots[0].ts_local.ns);
    assert_string_equal(i.report.local_unit, "ms");
    imported_free(&i);
}

static void every_bulk_kind_makes_its_events(void **state) {
    static const struct {
        const char *name, *text;
        uint8_t kind;
        size_t slots;
    } kinds[] = {
        {"aggTrades.csv",
            "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,"
            "is_buyer_maker\n7,1.5,2,10,12,1723161255322,true\n",
            EV_AGG_TRADE, 1},
        {"bookTicker.csv",
            "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,"
            "event_time\n9,1.5,2,1.6,3,1723161255322,1723161255325\n",
            EV_TICKER, 1},
        {"fundingRate.csv",
            "calc_time,funding_interval_hours,last_funding_rate\n1723161600000,8,-0.00010000\n",
            EV_FUNDING, 1},
        {"metrics.csv",
            "create_time,symbol,sum_open_interest,sum_open_interest_value,"
            "count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,"
            "count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
            "2024-08-08 23:55:00,BTCUSDT,81234.567,5000000000.12,1.25,1.5,,0.9\n",
            EV_OPEN_INTEREST, 4},
        {"1h.csv", "1723158000000,1.5,1.7,1.4,1.6,100,1723161599999,155.5,12,40,62.1,0\n", EV_KLINE,
            2},
    };
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        struct import_options opt = default_options();
        opt.symbol = "BTCUSDT";
        struct imported i = import_csv(*state, kinds[k].name, kinds[k].text, opt);
        if (i.err) fail_msg("%s", i.e.text);
        assert_int_equal(i.n, kinds[k].slots);
        assert_int_equal(i.slots[0].kind, kinds[k].kind);
        imported_free(&i);
    }
}

static void a_last_csv_row_without_a_line_end_is_kept_and_told(void **state) {
    static const struct {
        const char *name, *text;
    } files[] = {
        {"a-8h-futures.csv",
            "ts_ms,open,high,low,close,volume\n1672531200000,16537.5,16538.0,16523.0,16529.2,1.5\n"
            "1672560000000,16529.2,16533.6,16519.0,16521.5,321.527"},
        {"a-8h-funding_rate.csv",
            "ts_ms,funding_rate\n1672531200000,0.0001\n1672560000000,0.00012"},
        {"a-8h-mark.csv",
            "ts_ms,open,high,low,close\n1672531200000,16537.6,16557.1,16493.6,16519.5\n"
            "1672560000000,16519.5,16533.6,16519.0,16521.5"},
    };
    struct import_options opt = default_options();
    opt.symbol = "BTCUSDT";
    for (size_t k = 0; k < 6; k++) {
        char text[512];
        bool whole = k >= 3;
        snprintf(text, sizeof text, "%s%s", files[k % 3].text, whole ? "\n" : "");
        struct imported i = import_csv(*state, files[k % 3].name, text, opt);
        if (i.err) fail_msg("%s", i.e.text);
        assert_int_equal(i.report.tally.events, 2);
        assert_int_equal(i.report.file[0].open_line, whole ? 0 : 3);
        imported_free(&i);
    }
}

static void bars_funding_and_mark_merge_by_the_time_they_are_known(void **state) {
    const char *files[] = {
        put_text(*state, "a-8h-futures.csv",
            "ts_ms,open,high,low,close,volume\n1672531200000,16537.5,16538.0,16523.0,16529.2,1.5\n"
            "1672560000000,16529.2,16533.6,16519.0,16521.5,321.527\n"),
        put_text(*state, "a-8h-funding_rate.csv",
            "ts_ms,funding_rate\n1672531200000,0.0001\n1672560000000,6.91e-6\n"),
        put_text(*state, "a-8h-mark.csv",
            "ts_ms,open,high,low,close\n1672531200000,16537.6,16557.1,16493.62911039,16519.5\n"),
    };
    struct import_options opt = default_options();
    opt.symbol = "BTCUSDT";
    struct imported i = import_with(*state, opt, files, 3);
    if (i.err) fail_msg("%s", i.e.text);
    assert_int_equal(i.report.tally.events, 5);
    const struct event *ev = i.slots;
    assert_int_equal(ev[0].kind, EV_FUNDING); /* 00:00 */
    assert_int_equal(ev[1].kind, EV_MARK);    /* 08:00: the mark, the funding, the bar */
    assert_int_equal(ev[1].aux.a, 165195000000000);
    assert_int_equal(ev[3].kind, EV_FUNDING);
    assert_int_equal(ev[3].aux.a, 69100000000);
    assert_int_equal(ev[4].kind, EV_KLINE);
    assert_int_equal(ev[4].ts_local.ns, 1672560000000000000);
    assert_int_equal(ev[4].id, 1672531200000000000);
    assert_true(ev[4].flags & EVF_CLOSED);
    const int64_t *w = event_words(&ev[4]);
    assert_int_equal(w[KLINE_HIGH_PX], 165380);
    assert_int_equal(w[KLINE_TAKER_BUY_QTY], KLINE_UNKNOWN);
    assert_int_equal(w[KLINE_COUNT], KLINE_UNKNOWN);
    assert_int_equal(ev[6].ts_local.ns, 1672588800000000000);
    imported_free(&i);
}

static void bars_without_a_length_in_their_name_take_it_from_their_spacing(void **state) {
    struct import_options opt = default_options();
    opt.symbol = "X";
    struct imported i = import_csv(*state, "bars.csv",
        "ts_ms,open,high,low,close,volume\n1672531200000,1,2,1,2,1\n1672531260000,2,2,2,2,0\n",
        opt);
    assert_int_equal(i.err, ERR_OK);
    assert_int_equal(i.slots[0].ts_local.ns, 1672531260000000000);
    imported_free(&i);
    i = import_csv(
        *state, "one.csv", "ts_ms,open,high,low,close,volume\n1672531200000,1,2,1,2,1\n", opt);
    assert_int_equal(i.err, ERR_USAGE);
    assert_non_null(strstr(i.e.text, "--interval"));
    imported_free(&i);
}

static void bars_that_contradict_themselves_are_bad(void **state) {
    struct import_options opt = default_options();
    opt.symbol = "X";
    struct imported i = import_csv(*state, "bars-1m.csv",
        "ts_ms,open,high,low,close,volume\n1672531200000,1,2,1,2,1\n1672531260000,3,2,1,2,1\n"
        "1672531320000,1,2,1.5,2,1\n1672531380000,0,0,0,0,1\n1672531440000,1,2,1,x,1\n"
        "1672531500000,1,2,1,2,-1\n",
        opt);
    assert_rejected(&i, 5, 0, 0, 0, 0, 0, 0);
    assert_int_equal(i.report.tally.events, 1);
    imported_free(&i);
}

static void a_table_without_symbol_needs_the_option(void **state) {
    struct imported i =
        import_csv(*state, "x.csv", "id,price,qty,time,is_buyer_maker\n", default_options());
    assert_int_equal(i.err, ERR_USAGE);
    assert_non_null(strstr(i.e.text, "--symbol"));
    imported_free(&i);
}

static void names_of_files_tell_symbol_and_venue(void **state) {
    (void)state;
    static const struct {
        const char *path, *symbol;
        bool futures;
    } names[] = {{"/x/BTCUSDT-trades-2024-08-08.zip", "BTCUSDT", false},
        {"BTC_USDT_USDT-5m-futures.csv.gz", "BTCUSDT", true},
        {"1000PEPE_USDT_USDT-8h-mark.csv.gz", "1000PEPEUSDT", true},
        {"BTC_USDT-1h.csv", "BTCUSDT", false},
        {"BTCUSD_PERP-aggTrades-2024.zip", "BTCUSD_PERP", false},
        {"BTCUSD_240927-1m.csv", "BTCUSD_240927", false}, {"trades.csv", NULL, false},
        {"test_negative_04-03-2025.csv", NULL, false}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char symbol[SYMBOL_MAX];
        bool futures;
        bool found = import_symbol_of_path(names[i].path, symbol, &futures);
        assert_int_equal(found, names[i].symbol != NULL);
        if (!found) continue;
        assert_string_equal(symbol, names[i].symbol);
        assert_int_equal(futures, names[i].futures);
    }
    assert_int_equal(import_venue_of_path("/data/spot/qa_usd_m_futures_x.csv"), VENUE_BINANCE_USDM);
    assert_int_equal(import_venue_of_path("/usdm/btc_coin_m_x.csv"), VENUE_BINANCE_COINM);
    assert_int_equal(import_venue_of_path("binance-spot/btcusdt.gz"), VENUE_BINANCE_SPOT);
    assert_int_equal(import_venue_of_path("btcusdt.gz"), VENUE_NONE);
}

static bool stop_now(void) { return true; }

static void an_interrupted_import_keeps_a_valid_prefix_and_says_so(void **state) {
    static char text[1400000];
    size_t n = 0;
    for (int t = 0; t < 10000; t++) {
        n += (size_t)snprintf(
            text + n, sizeof text - n, "%d,61800.%d,0.01,1,1723161255322,true\n", t + 1, t % 10);
    }
    const char *file = put_text(*state, "x-trades.csv", text);
    struct import_options opt = default_options();
    opt.symbol = "BTCUSDT";
    opt.interrupted = stop_now;
    struct imported i = import_with(*state, opt, &file, 1);
    assert_int_equal(i.err, ERR_INTERRUPTED);
    assert_true(i.n > 0 && i.n < 10000);
    struct tape_verdict v;
    struct err_info e;
    assert_int_equal(tape_verify(i.tape, &v, &e), ERR_OK);
    assert_true(v.valid);
    tape_verdict_fini(&v);
    imported_free(&i);
}

/* ---- recorded data with known answers ---- */

#define QA "data/qa/test_"
#define USDM "_binance_trade_stream_usd_m_futures_trxusdt_04-03-2025.csv.gz"
#define SPOT "_binance_trade_stream_spot_trxusdt_04-03-2025.csv.gz"
#define COINM "_binance_trade_stream_coin_m_futures_trxusd_perp_04-03-2025.csv.gz"

static void damaged_usdm_trades_are_reported_exactly(void **state) {
    SHARED_OR_SKIP(QA "positive" USDM, good);
    SHARED_OR_SKIP(QA "negative" USDM, bad);
    struct imported i = import_one(*state, good);
    assert_rejected(&i, 0, 0, 0, 0, 0, 0, 0);
    assert_int_equal(i.report.tally.non_market_trades, 1);
    assert_true(i.slots[9326].flags & EVF_NON_MARKET);
    assert_string_equal(i.report.local_unit, "ms");
    imported_free(&i);
    i = import_one(*state, bad);
    assert_rejected(&i, 1, 0, 0, 0, 0, 0, 0);
    assert_int_equal(i.report.tally.non_market_trades, 1);
    assert_int_equal(i.report.tally.sample[IMPORT_BAD_PRICE][0].line, 2);
    assert_int_equal(i.report.tally.events, 9999);
    imported_free(&i);
}

static void damaged_spot_trades_are_reported_exactly(void **state) {
    SHARED_OR_SKIP(QA "positive" SPOT, good);
    SHARED_OR_SKIP(QA "negative" SPOT, bad);
    struct imported i = import_one(*state, good);
    assert_rejected(&i, 0, 0, 0, 0, 0, 1, 0);
    assert_string_equal(i.report.local_unit, "us");
    assert_int_equal(i.report.instrument[0].venue, VENUE_BINANCE_SPOT);
    imported_free(&i);
    i = import_one(*state, bad);
    assert_rejected(&i, 0, 0, 1, 0, 1, 1, 0);
    assert_int_equal(i.report.tally.sample[IMPORT_RECEIVE_BEFORE_EVENT][0].line, 89);
    assert_int_equal(i.report.tally.sample[IMPORT_LATENCY_OUTLIER][0].line, 10001);
    assert_int_equal(i.report.tally.sample[IMPORT_DUPLICATE_ID][0].line, 4);
    imported_free(&i);
}

static void damaged_coinm_trades_are_reported_exactly(void **state) {
    SHARED_OR_SKIP(QA "positive" COINM, good);
    SHARED_OR_SKIP(QA "negative" COINM, bad);
    struct imported i = import_one(*state, good);
    assert_rejected(&i, 0, 0, 0, 0, 0, 0, 0);
    assert_int_equal(i.report.instrument[0].kind, INSTRUMENT_INVERSE);
    imported_free(&i);
    i = import_one(*state, bad);
    assert_rejected(&i, 0, 1, 1, 0, 2, 0, 0);
    assert_int_equal(i.report.tally.sample[IMPORT_LATENCY_OUTLIER][0].line, 2);
    assert_int_equal(i.report.tally.sample[IMPORT_LATENCY_OUTLIER][1].line, 10001);
    assert_int_equal(i.report.tally.sample[IMPORT_PRICE_JUMP][0].line, 4);
    imported_free(&i);
}

static void assert_steps(const struct imported *i, int64_t tick_e8, int64_t lot_e8) {
    const struct instrument *in = &i->report.instrument[0];
    assert_int_equal(i->report.n_instruments, 1);
    assert_int_equal(in->unit_source, UNIT_INFERRED);
    assert_int_equal(in->px_mant * in->tick_units * decimal_pow10[8 - in->px_exp], tick_e8);
    assert_int_equal(in->qty_mant * in->lot_units * decimal_pow10[8 - in->qty_exp], lot_e8);
}

static void the_btcusdt_recording_is_clean_and_complete(void **state) {
    SHARED_OR_SKIP("data/raw/binance-usdm/btcusdt_20240808.gz", path);
    struct imported i = import_one(*state, path);
    assert_int_equal(i.err, ERR_OK);
    assert_int_equal(i.report.lines, 93954);
    assert_int_equal(i.report.tally.events, 532923);
    assert_rejected(&i, 0, 0, 0, 0, 0, 0, 0);
    assert_steps(&i, 10000000, 100000);
    assert_int_equal(i.report.clock_offset_ns, -1272548721);
    uint64_t trades = 0, tickers = 0, volume = 0, buys = 0;
    for (size_t k = 0; k < i.n; k++) {
        tickers += i.slots[k].kind == EV_TICKER;
        if (i.slots[k].kind != EV_TRADE) continue;
        trades++;
        volume += (uint64_t)i.slots[k].qty.lots;
        if (i.slots[k].flags & EVF_BUY) buys += (uint64_t)i.slots[k].qty.lots;
    }
    assert_int_equal(trades, 21313);
    assert_int_equal(tickers, 66089);
    assert_int_equal(volume, 2429366);
    assert_int_equal(buys, 1251576);
    imported_free(&i);
}

static void the_shipped_tape_is_whole_and_is_the_import_of_its_recording(void **state) {
    const char *shipped = FATHOM_ROOT "/examples/data/btcusdt-20240808.tape";
    struct tape_verdict v;
    struct err_info e;
    if (tape_verify(shipped, &v, &e)) fail_msg("%s", e.text);
    assert_true(v.valid);
    assert_int_equal(v.events, 532923);
    tape_verdict_fini(&v);
    uint64_t hash;
    assert_int_equal(tape_hash(shipped, &hash, &e), ERR_OK);
    SHARED_OR_SKIP("data/raw/binance-usdm/btcusdt_20240808.gz", path);
    struct imported i = import_one(*state, path);
    assert_int_equal(i.report.hash, hash);
    imported_free(&i);
}

static void recordings_over_midnight_are_one_clean_session(void **state) {
    SHARED_OR_SKIP("data/raw/binance-coinm/btcusd_perp_20240808.gz", coin_a);
    SHARED_OR_SKIP("data/raw/binance-coinm/btcusd_perp_20240809.gz", coin_b);
    SHARED_OR_SKIP("data/raw/binance-spot/btcusdt_20240808.gz", spot_a);
    SHARED_OR_SKIP("data/raw/binance-spot/btcusdt_20240809.gz", spot_b);
    const char *coin[] = {coin_a, coin_b}, *spot[] = {spot_a, spot_b};
    struct imported i = import_with(*state, default_options(), coin, 2);
    assert_rejected(&i, 0, 0, 0, 0, 0, 0, 0);
    assert_steps(&i, 10000000, 100000000);
    assert_int_equal(i.report.instrument[0].contract_e8, 10000000000);
    assert_string_equal(i.report.instrument[0].settle, "BTC");
    imported_free(&i);
    i = import_with(*state, default_options(), spot, 2);
    assert_rejected(&i, 0, 0, 0, 0, 0, 0, 0);
    assert_steps(&i, 1000000, 1000); /* although seven old orders have six decimals */
    assert_int_equal(i.report.instrument[0].qty_exp, 6);
    assert_int_equal(i.report.instrument[0].venue, VENUE_BINANCE_SPOT);
    imported_free(&i);
}

static void sixteen_months_of_bars_and_their_funding_come_over_whole(void **state) {
    SHARED_OR_SKIP("data/bars/binance-usdm/BTC_USDT_USDT-5m-futures.csv.gz", bars);
    SHARED_OR_SKIP("data/bars/binance-usdm/BTC_USDT_USDT-8h-funding_rate.csv.gz", funding);
    SHARED_OR_SKIP("data/bars/binance-usdm/BTC_USDT_USDT-8h-mark.csv.gz", mark);
    const char *files[] = {bars, funding, mark};
    struct imported i = import_with(*state, default_options(), files, 3);
    assert_int_equal(i.err, ERR_OK);
    assert_rejected(&i, 0, 0, 0, 0, 0, 0, 0);
    assert_int_equal(i.report.tally.events, 143900 + 1498 + 1498);
    assert_string_equal(i.report.instrument[0].symbol, "BTCUSDT");
    int64_t open = 0;
    for (size_t k = 0; k < i.n; k += event_slots(i.slots[k].kind)) {
        if (i.slots[k].kind != EV_KLINE) continue;
        if (open) assert_int_equal(i.slots[k].id - open, 300 * NS_PER_S); /* no gap */
        open = i.slots[k].id;
    }
    imported_free(&i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_raw_recording_becomes_a_tape_with_inferred_units),
        cmocka_unit_test(the_reported_hash_is_the_hash_of_the_tape),
        cmocka_unit_test(the_unit_of_the_receive_stamps_is_detected),
        cmocka_unit_test(a_stamp_of_another_unit_in_mid_file_is_malformed),
        cmocka_unit_test(hostile_lines_are_counted_and_the_rest_is_kept),
        cmocka_unit_test(strict_stops_at_the_first_bad_line_and_keeps_what_was_before),
        cmocka_unit_test(an_input_without_any_event_writes_nothing),
        cmocka_unit_test(an_existing_tape_is_replaced_by_force_only),
        cmocka_unit_test(a_torn_recording_leaves_the_tape_of_all_whole_lines_before_the_tear),
        cmocka_unit_test(files_of_one_session_continue_in_order_whatever_their_order),
        cmocka_unit_test(a_clock_behind_the_exchange_is_an_offset_and_no_fault),
        cmocka_unit_test(socket_answer_and_main_files_are_one_session_by_time),
        cmocka_unit_test(a_snapshot_without_a_symbol_goes_to_the_symbol_of_its_price),
        cmocka_unit_test(other_venues_and_other_shapes_are_refused_by_name),
        cmocka_unit_test(a_refused_trade_is_no_gap_and_a_market_print_at_zero_is_bad),
        cmocka_unit_test(bars_of_two_lengths_do_not_share_a_tape),
        cmocka_unit_test(bulk_trades_come_from_zip_without_header),
        cmocka_unit_test(every_bulk_kind_makes_its_events),
        cmocka_unit_test(a_last_csv_row_without_a_line_end_is_kept_and_told),
        cmocka_unit_test(bars_funding_and_mark_merge_by_the_time_they_are_known),
        cmocka_unit_test(bars_without_a_length_in_their_name_take_it_from_their_spacing),
        cmocka_unit_test(bars_that_contradict_themselves_are_bad),
        cmocka_unit_test(a_table_without_symbol_needs_the_option),
        cmocka_unit_test(names_of_files_tell_symbol_and_venue),
        cmocka_unit_test(an_interrupted_import_keeps_a_valid_prefix_and_says_so),
        cmocka_unit_test(damaged_usdm_trades_are_reported_exactly),
        cmocka_unit_test(damaged_spot_trades_are_reported_exactly),
        cmocka_unit_test(damaged_coinm_trades_are_reported_exactly),
        cmocka_unit_test(the_btcusdt_recording_is_clean_and_complete),
        cmocka_unit_test(the_shipped_tape_is_whole_and_is_the_import_of_its_recording),
        cmocka_unit_test(recordings_over_midnight_are_one_clean_session),
        cmocka_unit_test(sixteen_months_of_bars_and_their_funding_come_over_whole),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
