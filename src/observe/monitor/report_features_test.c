/* report_features_test.c: the page shows what the document says, escapes it, and refuses others. */
#include "observe/monitor/report_features.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COLUMN(NAME, IC, FDR)                                                                      \
    "{\"name\":\"" NAME "\",\"family\":\"book\",\"unit\":\"1\",\"about\":\"about <b>\","           \
    "\"values\":50,\"missing\":0,\"bin_from\":0,\"bin_width\":1,\"bins\":[3,4,5],"                 \
    "\"path_least\":[0,1],\"path_mean\":[1,2],\"path_largest\":[2,3],"                             \
    "\"autocorrelation\":[0.5,0.2],\"effective\":20,\"psi\":0.3,\"ks\":0.2,\"ks_p\":0.01,"         \
    "\"ic\":[{\"ic\":" IC ",\"lo\":-0.1,\"hi\":0.3,\"p\":0.01,\"n\":50,\"n_effective\":40},"       \
    "{\"ic\":0.0625,\"lo\":0,\"hi\":0.1,\"p\":0.5,\"n\":50,\"n_effective\":40}],"                  \
    "\"rank_ic\":0.1,\"fdr\":" FDR ",\"bonferroni\":1,\"cluster\":0}"

static const char document[] =
    "{\"format\":\"fathom-features-report-1\",\"name\":\"Features of <X>\",\"subtitle\":\"s\","
    "\"headline\":\"h\",\"warnings\":[\"w & w\"],\"limits\":[\"none\"],\"summary\":[],"
    "\"cost_note\":\"c\",\"families\":[{\"name\":\"book\",\"features\":2,\"live\":2,\"missing\":0,"
    "\"median_ic\":0.1,\"best\":\"book_a\",\"best_ic\":0.125,\"discoveries\":1,\"drifted\":2,"
    "\"ns_per_event\":7.5,\"us_per_close\":1.5}],\"horizons\":[1,5],\"path_s\":[10,20],"
    "\"tests\":{\"tested\":2,\"outside\":1,\"by_chance\":0,\"rate\":0.1},"
    "\"columns\":[" COLUMN("book_b", "0.01", "0.9") "," COLUMN("book_a", "0.125",
        "0.02") ","
                "{\"name\":\"perp_none\",\"family\":\"perp\",\"values\":0,\"missing\":1}],"
                "\"map\":{\"same\":0.9,\"clusters\":2,\"order\":[1,0],\"correlation\":\"ZAoKZA==\"}"
                "}";

static size_t count(const char *text, const char *word) {
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) n++;
    return n;
}

static void the_page_shows_the_document_and_escapes_it(void **state) {
    (void)state;
    struct html h;
    struct err_info e;
    html_init(&h);
    assert_int_equal(report_features_render(document, 1, &h, &e), ERR_OK);
    assert_non_null(strstr(h.text, "Features of &lt;X&gt;"));
    assert_non_null(strstr(h.text, "w &amp; w"));
    assert_null(strstr(h.text, "about <b>"));
    assert_int_equal(count(h.text, "data:image/png;base64,"), 1);
    assert_int_equal(count(h.text, "<details class=\"feature\""), 1); /* the stronger of the two */
    assert_non_null(strstr(strstr(h.text, "<details class=\"feature\""), "book_a"));
    assert_int_equal(count(h.text, "dot marked"), 1); /* one finding */
    assert_non_null(strstr(h.text, "1 features have no value"));
    assert_null(strstr(h.text, "nan"));
    assert_null(strstr(h.text, "http"));
    html_fini(&h);
}

static void other_documents_are_refused(void **state) {
    (void)state;
    static const char *const other[] = {"{", "{}", "{\"format\":\"fathom-report-1\"}", "[]"};
    for (size_t i = 0; i < 4; i++) {
        struct html h;
        struct err_info e;
        html_init(&h);
        assert_int_equal(report_features_render(other[i], 1, &h, &e), ERR_INPUT);
        html_fini(&h);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_shows_the_document_and_escapes_it),
        cmocka_unit_test(other_documents_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
