#include "observe/monitor/report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "observe/monitor/chart.h"

static const char document[] =
    "{\"format\":\"fathom-report-1\",\"name\":\"<script>x</script>\",\"subtitle\":\"a & "
    "b\",\"headline\":\"h\","
    "\"warnings\":[\"w1\"],\"limits\":[\"l1\"],\"summary\":[{\"label\":\"Net\",\"value\":\"-1\","
    "\"note\":\"n\"}],"
    "\"settle\":\"USDT\",\"equity\":{\"ts_s\":[1,2,3],\"net\":[0,null,-1],\"gross\":[0,1,2],"
    "\"hold\":[0,0,0],"
    "\"drawdown\":[0,0,-1]},\"cost\":{\"paper\":1,\"spread\":0,\"slippage\":0,\"gross\":1,\"fee\":"
    "2,\"funding\":0,"
    "\"net\":-1},\"stages\":{\"events\":\"00ff\"},\"config\":\"a: <b>\\n\"}";

static char *render(const char *json, err_t *code, struct err_info *e) {
    struct html h;
    html_init(&h);
    *code = report_render(json, &h, e);
    char *copy = h.text ? strdup(h.text) : NULL;
    html_fini(&h);
    return copy;
}

static void a_report_shows_its_parts_and_escapes_what_comes_from_data(void **state) {
    (void)state;
    struct err_info e;
    err_t code;
    char *page = render(document, &code, &e);
    assert_int_equal(code, ERR_OK);
    assert_null(strstr(page, "<script"));
    assert_non_null(strstr(page, "&lt;script&gt;x&lt;/script&gt;"));
    assert_non_null(strstr(page, "a &amp; b"));
    assert_non_null(strstr(page, "a: &lt;b&gt;"));
    assert_non_null(strstr(page, "w1"));
    assert_non_null(strstr(page, "What this cannot show"));
    assert_non_null(strstr(page, "Where the profit went"));
    assert_null(strstr(page, "id=\"study\"")); /* absent in the document: absent on the page */
    assert_null(strstr(page, "nan"));
    assert_null(strstr(page, "http"));
    free(page);
}

static void every_cut_of_a_report_document_is_refused_or_shown_never_a_crash(void **state) {
    (void)state;
    size_t refused = 0;
    for (size_t n = 0; n < sizeof document - 1; n++) {
        char *cut = strndup(document, n);
        struct err_info e;
        err_t code;
        char *page = render(cut, &code, &e);
        assert_int_equal(code, ERR_INPUT);
        assert_non_null(strstr(e.text, "report"));
        refused++;
        free(page);
        free(cut);
    }
    assert_int_equal(refused, sizeof document - 1);
}

static void another_format_is_named_and_refused(void **state) {
    (void)state;
    struct err_info e;
    err_t code;
    free(render("{\"format\":\"fathom-report-9\"}", &code, &e));
    assert_int_equal(code, ERR_INPUT);
    assert_non_null(strstr(e.text, "fathom-report-9"));
}

static void wrong_types_in_a_document_are_left_out(void **state) {
    (void)state;
    struct err_info e;
    err_t code;
    char *page = render("{\"format\":\"fathom-report-1\",\"name\":7,\"warnings\":{},\"equity\":[],"
                        "\"cost\":3,\"fills\":[1],"
                        "\"study\":\"x\",\"data\":[],\"scorecard\":9,\"stages\":[]}",
        &code, &e);
    assert_int_equal(code, ERR_OK);
    assert_non_null(strstr(page, "</html>"));
    free(page);
}

static void an_index_links_every_run(void **state) {
    (void)state;
    char dir[] = "/tmp/fathom-report-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/report.json", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(document, f);
    fclose(f);
    const char *dirs[] = {dir};
    struct html h;
    struct err_info e;
    html_init(&h);
    assert_int_equal(report_index("All <runs>", dirs, 1, &h, &e), ERR_OK);
    assert_non_null(strstr(h.text, "All &lt;runs&gt;"));
    assert_non_null(strstr(h.text, strrchr(dir, '/') + 1));
    html_fini(&h);
    unlink(path);
    html_init(&h);
    assert_int_not_equal(report_index("t", dirs, 1, &h, &e), ERR_OK);
    assert_non_null(strstr(e.text, dir));
    html_fini(&h);
    rmdir(dir);
}

static void lines_with_holes_extremes_and_one_point_have_finite_coordinates(void **state) {
    (void)state;
    static const double x[] = {0, 1, 2, 3}, holes[] = {1, NAN, 3, NAN}, same[] = {5, 5, 5, 5},
                        large[] = {-1e300, 0, 1e300, 1};
    const double *const series[] = {holes, same, large};
    for (size_t k = 0; k < 3; k++) {
        for (size_t points = 0; points <= 4; points++) {
            struct html h;
            html_init(&h);
            struct chart_series s = {"s", 0, true, false, series[k]};
            struct chart_lines c = {
                "t", "x", "y", points % 2 ? CHART_TIME : CHART_NUMBER, x, points, &s, 1, 0};
            chart_lines(&h, &c);
            assert_non_null(h.text);
            assert_null(strstr(h.text, "nan"));
            assert_null(strstr(h.text, "inf"));
            html_fini(&h);
        }
    }
}

static void a_waterfall_ends_where_its_steps_add_up(void **state) {
    (void)state;
    struct chart_step step[] = {{"a", 10, true}, {"b", -4, false}, {"c", 6, true}};
    struct html h;
    html_init(&h);
    chart_waterfall(&h, "t", "u", step, 3);
    assert_non_null(strstr(h.text, "class=\"loss\""));
    assert_non_null(strstr(h.text, "-4"));
    assert_non_null(strstr(h.text, "+6"));
    html_fini(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_shows_its_parts_and_escapes_what_comes_from_data),
        cmocka_unit_test(every_cut_of_a_report_document_is_refused_or_shown_never_a_crash),
        cmocka_unit_test(another_format_is_named_and_refused),
        cmocka_unit_test(wrong_types_in_a_document_are_left_out),
        cmocka_unit_test(an_index_links_every_run),
        cmocka_unit_test(lines_with_holes_extremes_and_one_point_have_finite_coordinates),
        cmocka_unit_test(a_waterfall_ends_where_its_steps_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
