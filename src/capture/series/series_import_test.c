#include "capture/series/series_internal.h"
#include "capture/tape/import_testing.h"

static struct series_report report;
static struct err_info info;

/* Imports one file with a description; the events are in `out`. */
static err_t import(struct fixture *x, const char *desc, const char *file, struct event *out,
    size_t *n, bool strict) {
    char *to = fixture_path(x, "tape");
    const char *files[1] = {file};
    struct series_options opt = {.files = files, .n_files = 1, .to = to, .strict = strict};
    opt.desc = put_text(x, "desc.yaml", desc);
    err_t code = series_import(&opt, &report, &info);
    *n = 0;
    if (code) {
        assert_false(file_exists(to));
        return code;
    }
    struct tape_reader *r;
    struct tape_reader_options ropt = {0};
    const struct event *slots;
    size_t got;
    assert_int_equal(tape_reader_open(&r, to, &ropt, &info), ERR_OK);
    while (tape_reader_next(r, &slots, &got, &info) == ERR_OK)
        for (size_t i = 0; i < got; i++) out[(*n)++] = slots[i];
    tape_reader_close(r);
    return ERR_OK;
}

#define DESC                                                                                       \
    "series:\n"                                                                                    \
    "  - {name: flow, asset: BTC, unit: BTC, value: v, event_time: day, publish_time: pub}\n"

static void revisions_are_kept_and_numbered_by_publication(void **state) {
    struct fixture *x = *state;
    struct event ev[16];
    size_t n;
    const char *csv = put_text(x, "a.csv",
        "day,pub,v\n"
        "2024-01-02,2024-01-04T00:10:00Z,13.5\n" /* published last, stands first */
        "2024-01-01,2024-01-02 00:10:00,10\n"
        "2024-01-02,2024-01-03 00:10:00,12\n"
        "2024-01-01,1704240600000,11\n"); /* 2024-01-03 00:10 */
    assert_int_equal(import(x, DESC, csv, ev, &n, true), ERR_OK);
    assert_int_equal(n, 4);
    static const struct {
        int64_t day, revision;
        double value;
        int64_t newest;
    } want[] = {{1, 0, 10.0, 1}, {1, 1, 11.0, 1}, {2, 0, 12.0, 2}, {2, 1, 13.5, 2}};
    const int64_t first = INT64_C(1704067200) * NS_PER_S, day = 86400 * NS_PER_S;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(ev[i].kind, EV_EXTERNAL);
        assert_int_equal(ev[i].ts_venue.ns, first + (want[i].day - 1) * day);
        assert_int_equal(ev[i].px.ticks, want[i].revision);
        assert_true(external_value(&ev[i]) == want[i].value);
        assert_int_equal(ev[i].aux.b, first + (want[i].newest - 1) * day);
        assert_int_equal(ev[i].id, external_key("flow"));
        assert_true(i == 0 || ev[i].ts_local.ns >= ev[i - 1].ts_local.ns);
    }
    assert_int_equal(report.n_series, 1);
    assert_string_equal(report.series[0].symbol, "BTC.flow");
    assert_int_equal(report.series[0].points, 2);
    assert_int_equal(report.series[0].revisions, 2);
    series_report_fini(&report);
}

static void a_last_row_without_a_line_end_is_kept_and_told(void **state) {
    struct fixture *x = *state;
    struct event ev[16];
    size_t n;
    const char *torn = put_text(x, "a.csv", "day,pub,v\n2024-01-01,1704240600000,-15");
    assert_int_equal(import(x, DESC, torn, ev, &n, false), ERR_OK);
    assert_int_equal(n, 1);
    assert_string_equal(report.open_file, torn);
    assert_int_equal(report.open_line, 2);
    series_report_fini(&report);
}

static void a_whole_last_row_is_not_told(void **state) {
    struct fixture *x = *state;
    struct event ev[16];
    size_t n;
    const char *whole = put_text(x, "a.csv", "day,pub,v\r\n2024-01-01,1704240600000,-15\r\n");
    assert_int_equal(import(x, DESC, whole, ev, &n, false), ERR_OK);
    assert_int_equal(n, 1);
    assert_null(report.open_file);
    series_report_fini(&report);
}

/* put_text's paths live for eight calls only. */
static void put_into(char path[160], struct fixture *x, const char *name, const char *text) {
    snprintf(path, 160, "%s", put_text(x, name, text));
}

static void csv_and_every_shape_of_json_give_the_same_events(void **state) {
    struct fixture *x = *state;
    struct event ev[5][8];
    size_t n[5];
    char files[5][160];
    put_into(files[0], x, "a.csv",
        "\xef\xbb\xbf"
        "pub,\"v\", day \r\n1704153600,-1.25,\"1704067200\"\r\n1704240000,2e3,1704153600\r\n\r\n");
    put_into(files[1], x, "b.json",
        "[{\"day\":1704067200,\"pub\":1704153600,\"v\":-1.25},\n"
        " {\"day\":\"2024-01-02\",\"pub\":\"2024-01-03T00:00:00.000+00:00\",\"v\":\"2e3\",\"z\":[{}"
        "]}]");
    put_into(files[2], x, "c.json",
        "{\"day\":1704067200,\"pub\":1704153600,\"v\":-1.25}\n\n"
        "{\"v\":2000,\"day\":1704153600,\"pub\":\"2024-01-03T02:00:00+02:00\"}\n");
    put_into(files[3], x, "d.json",
        "{\"ok\":true,\"data\":{\"rows\":[{\"day\":1704067200,\"pub\":1704153600,\"v\":-1.25},"
        "{\"day\":1704153600,\"pub\":1704240000,\"v\":2000.0}]}}");
    put_into(
        files[4], x, "e.json", "[[1704067200, -1.25, 1704153600],[1704153600,2000,1704240000]]");
    const char *desc[5] = {DESC, DESC, DESC, "rows: data.rows\n" DESC,
        "series:\n- {name: flow, asset: BTC, unit: BTC, value: '1', event_time: '0', "
        "publish_time: '2'}\n"};
    for (size_t i = 0; i < 5; i++) {
        err_t code = import(x, desc[i], files[i], ev[i], &n[i], true);
        if (code) fail_msg("%s: %s", files[i], info.text);
        series_report_fini(&report);
        assert_int_equal(n[i], 2);
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(ev[i][k].ts_local.ns, ev[0][k].ts_local.ns);
            assert_int_equal(ev[i][k].ts_venue.ns, ev[0][k].ts_venue.ns);
            assert_true(external_value(&ev[i][k]) == external_value(&ev[0][k]));
        }
    }
    assert_true(external_value(&ev[0][0]) == -1.25 && external_value(&ev[0][1]) == 2000.0);
}

static void every_row_that_cannot_be_used_is_counted_under_its_reason(void **state) {
    struct fixture *x = *state;
    struct event ev[16];
    size_t n;
    const char *csv = put_text(x, "bad.csv",
        "day,pub,v\n"
        "2024-01-01,2024-01-02,1\n"     /* 2: taken */
        "2024-01-01,2024-01-02,1\n"     /* 3: duplicate */
        "2024-01-01,2024-01-02,2\n"     /* 4: conflict */
        "2024-01-02,2024-01-01,2\n"     /* 5: published before */
        "2024-01-03,,2\n"               /* 6: no publish time */
        "2024-01-03,2024-01-04,\n"      /* 7: no value */
        "2024-01-03,2024-01-04,nan\n"   /* 8: bad value */
        "2024-02-30,2024-03-01,1\n"     /* 9: bad event time */
        "2024-01-05,yesterday,1\n"      /* 10: bad publish time */
        "2024-01-05,2024-01-06\n"       /* 11: malformed */
        "\"2024-01-05,2024-01-06,1\n"); /* 12: a quote that does not end */
    assert_int_equal(import(x, DESC, csv, ev, &n, false), ERR_OK);
    assert_int_equal(n, 1);
    static const uint64_t want[SERIES_REASON_COUNT] = {2, 2, 1, 1, 1, 1, 1, 1, 0};
    uint64_t all = n;
    for (int i = 0; i < SERIES_REASON_COUNT; i++) {
        assert_int_equal(report.rejected[i], want[i]);
        all += report.rejected[i];
    }
    assert_int_equal(report.rows, all);
    assert_int_equal(report.sample[SERIES_CONFLICT][0].line, 4);
    series_report_fini(&report);
    assert_int_equal(import(x, DESC, csv, ev, &n, true), ERR_INPUT);
    assert_non_null(strstr(info.text, "bad.csv:5: published_before_event"));
    series_report_fini(&report);
}

static void the_sources_own_revision_number_must_rise_with_publication(void **state) {
    struct fixture *x = *state;
    struct event ev[8];
    size_t n;
    const char *csv = put_text(x, "rev.csv",
        "day,pub,v,r\n2024-01-01,2024-01-02,1,7\n2024-01-01,2024-01-03,2,9\n"
        "2024-01-01,2024-01-04,3,8\n");
    assert_int_equal(
        import(x, "series:\n- {name: a, value: v, event_time: day, publish_time: pub, revision: r}",
            csv, ev, &n, false),
        ERR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(ev[1].px.ticks, 1);
    assert_int_equal(report.rejected[SERIES_REVISION_ORDER], 1);
    series_report_fini(&report);
}

static void a_publication_time_is_never_assumed(void **state) {
    struct fixture *x = *state;
    struct event ev[8];
    size_t n;
    const char *csv = put_text(x, "a.csv", "day,v\n2024-01-01,1\n");
    assert_int_equal(
        import(x, "series:\n- {name: a, value: v, event_time: day}", csv, ev, &n, true), ERR_USAGE);
    assert_non_null(strstr(info.text, "never assumed"));
    assert_non_null(strstr(info.text, ":2:"));
    assert_int_equal(
        import(x, "series:\n- {name: a, value: v, event_time: day, publication_delay: 36h}", csv,
            ev, &n, true),
        ERR_OK);
    assert_int_equal(ev[0].ts_local.ns - ev[0].ts_venue.ns, 36 * 3600 * NS_PER_S);
    series_report_fini(&report);
}

static void a_description_that_is_wrong_is_refused_with_its_line(void **state) {
    struct fixture *x = *state;
    static const struct {
        const char *desc, *says;
    } bad[] = {{"series:\n- {name: A, value: v, event_time: d, publication_delay: 1d}", "a-z"},
        {"series:\n- {value: v, event_time: d, publication_delay: 1d}", "without 'name'"},
        {"series:\n- {name: a, event_time: d, publication_delay: 1d}", "no value column"},
        {"series:\n- {name: a, value: v, publication_delay: 1d}", "no event_time"},
        {"series:\n- {name: a, value: v, event_time: d, publication_delay: soon}", "30m, 24h"},
        {"series:\n- {name: a, value: v, event_time: d, publication_delay: 1d, publish_time: p}",
            "both"},
        {"series:\n- {name: a, value: v, event_time: d, publication_delay: 1d, x: y}",
            "unknown key"},
        {"series:\n- {name: a, value: v, event_time: d, publication_delay: 1d}\n"
         "- {name: a, value: w, event_time: d, publication_delay: 1d}",
            "described twice"},
        {"series: []", "no entry"}, {"rows: x", "list under"}, {"{", "neither YAML"},
        {"series:\n- {name: a, value: [v], event_time: d}", "one plain value"},
        {"series:\n- {name: a, value: v, event_time: d, publication_delay: 1d, ahead: maybe}",
            "true or false"}};
    const char *csv = put_text(x, "a.csv", "d,v\n2024-01-01,1\n");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct event ev[4];
        size_t n;
        assert_int_equal(import(x, bad[i].desc, csv, ev, &n, false), ERR_USAGE);
        if (!strstr(info.text, bad[i].says)) fail_msg("%s: %s", bad[i].desc, info.text);
    }
}

static void torn_broken_or_empty_input_leaves_no_tape(void **state) {
    struct fixture *x = *state;
    static const struct {
        const char *name, *text, *says;
    } bad[] = {{"a.json", "[{\"day\":1704067200,\"pub\":170415", "torn"},
        {"b.json", "[{\"day\":1704067200,\"pub\":1704153600,\"v\":NaN}]", ":1: broken JSON"},
        {"c.csv", "day,pub\n", "no column 'v'"}, {"d.csv", "day,pub,v\n", "no value"},
        {"e.csv", "", "is empty"}, {"f.json", "[1,2]", "no value"}, {"g.json", "[]", "no value"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct event ev[4];
        size_t n;
        err_t code = import(x, DESC, put_text(x, bad[i].name, bad[i].text), ev, &n, false);
        assert_int_equal(code, ERR_INPUT);
        if (!strstr(info.text, bad[i].says)) fail_msg("%s: %s", bad[i].text, info.text);
        series_report_fini(&report);
    }
    struct event ev[4];
    size_t n;
    const char *object = put_text(x, "h.json", "{\"data\":7}");
    assert_int_equal(import(x, "rows: data.x\n" DESC, object, ev, &n, false), ERR_INPUT);
    assert_non_null(strstr(info.text, "no 'data.x'"));
    series_report_fini(&report);
    assert_int_equal(import(x, "rows: data\n" DESC, object, ev, &n, false), ERR_INPUT);
    assert_non_null(strstr(info.text, "no array"));
    series_report_fini(&report);
}

static void times_read_as_they_are_written(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } known[] = {{"1704067200", 1704067200000000000}, {"1704067200123", 1704067200123000000},
        {"1704067200123456789", 1704067200123456789}, {"2024-01-01", 1704067200000000000},
        {"2024-01-01T00:00:00Z", 1704067200000000000},
        {"2024-01-01 00:00:00.5", 1704067200500000000},
        {"2024-01-01T02:30:00+02:30", 1704067200000000000},
        {"2023-12-31T19:00:00.000-0500", 1704067200000000000}};
    static const char *const bad[] = {"", "170406720", "2024-13-01", "2024-01-01T25:00:00",
        "2024-01-01T00:00:00X", "2024-01-01T00:00", "2024-01-01T00:00:00.", "2024-1-1",
        "2024-01-01T00:00:00+1", "2024-01-01T00:00:00.1234567891"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        int64_t ns = 0;
        if (!series_time_text(known[i].text, &ns) || ns != known[i].ns)
            fail_msg("%s: %lld", known[i].text, (long long)ns);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ns;
        if (series_time_text(bad[i], &ns)) fail_msg("'%s' is taken", bad[i]);
    }
}

static void a_table_of_options_is_one_message_a_snapshot(void **state) {
    struct fixture *x = *state;
    const char *files[1] = {put_text(x, "o.csv",
        "option_type,strike,maturity,mark_price,mark_iv,index_price,open_interest,time\n"
        "call,60000,2024-06-28 08:00:00,0.05,55.5,61000.5,12.5,2024-05-24T12:00:00Z\n"
        "put,60000,2024-06-28 08:00:00,0.03,55.25,61000.5,,2024-05-24T12:00:00Z\n"
        "put,60000,2024-06-28 08:00:00,0.031,55.25,61000.5,3,2024-05-24T11:00:00Z\n"
        "put,60000,2024-05-24 08:00:00,0.031,55.25,61000.5,3,2024-05-24T11:00:00Z\n"
        "both,60000,2024-06-28 08:00:00,0.031,55.25,61000.5,3,2024-05-24T11:00:00Z\n"
        "call,60000,2024-06-28 08:00:00,0.00000000001,1,1,1,2024-05-24T11:00:00Z\n")};
    struct series_options opt = {.files = files, .n_files = 1, .options = true, .symbol = "BTC"};
    opt.to = fixture_path(x, "tape");
    assert_int_equal(series_import(&opt, &report, &info), ERR_OK);
    assert_int_equal(report.events, 3);
    assert_int_equal(report.rejected[SERIES_BAD_TIME], 1);
    assert_int_equal(report.rejected[SERIES_MALFORMED], 1);
    assert_int_equal(report.rejected[SERIES_BAD_VALUE], 1);
    struct tape_reader *r;
    struct tape_reader_options ropt = {0};
    const struct event *ev;
    size_t n;
    assert_int_equal(tape_reader_open(&r, opt.to, &ropt, &info), ERR_OK);
    assert_int_equal(tape_reader_next(r, &ev, &n, &info), ERR_OK);
    assert_int_equal(n, 6);
    assert_int_equal(ev[0].flags, EVF_SELL | EVF_FIRST | EVF_LAST);
    assert_int_equal(ev[2].flags, EVF_BUY | EVF_FIRST);
    assert_int_equal(ev[4].flags, EVF_SELL | EVF_LAST);
    assert_int_equal(ev[2].aux.a, 60000 * AUX_ONE);
    assert_int_equal(event_words(&ev[2])[OPTION_IV_E10], 5550000000);
    assert_int_equal(event_words(&ev[2])[OPTION_INTEREST_E8], 1250000000);
    assert_int_equal(event_words(&ev[4])[OPTION_INTEREST_E8], KLINE_UNKNOWN);
    assert_int_equal(event_words(&ev[4])[OPTION_FORWARD_E10], KLINE_UNKNOWN);
    tape_reader_close(r);
    series_report_fini(&report);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(revisions_are_kept_and_numbered_by_publication),
        cmocka_unit_test(csv_and_every_shape_of_json_give_the_same_events),
        cmocka_unit_test(every_row_that_cannot_be_used_is_counted_under_its_reason),
        cmocka_unit_test(the_sources_own_revision_number_must_rise_with_publication),
        cmocka_unit_test(a_publication_time_is_never_assumed),
        cmocka_unit_test(a_description_that_is_wrong_is_refused_with_its_line),
        cmocka_unit_test(torn_broken_or_empty_input_leaves_no_tape),
        cmocka_unit_test(a_last_row_without_a_line_end_is_kept_and_told),
        cmocka_unit_test(a_whole_last_row_is_not_told),
        cmocka_unit_test(times_read_as_they_are_written),
        cmocka_unit_test(a_table_of_options_is_one_message_a_snapshot),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
