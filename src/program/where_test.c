#include "program/where.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const columns[] = {"side", "px", "wait_ns"};

static bool matches(const char *text, const char *side, const char *px, const char *wait) {
    struct where w;
    struct err_info e;
    const char *cell[] = {side, px, wait};
    assert_int_equal(where_parse(&w, text, columns, 3, &e), ERR_OK);
    return where_match(&w, cell);
}

static void conditions_compare_numbers_as_numbers_and_words_as_words(void **state) {
    (void)state;
    assert_true(matches("", "buy", "1", "2"));
    assert_true(matches("side = sell and px>=9.5", "sell", "10.0", "0"));
    assert_false(matches("side = sell and px>=9.5", "sell", "9.49", "0"));
    assert_true(matches("wait_ns != 7", "buy", "1", "8"));
    assert_true(matches("wait_ns < 10", "buy", "1", "9"));
    assert_false(matches("wait_ns <= 10", "buy", "1", "11"));
    assert_true(matches("px = 1.50", "buy", "1.5", "0"));
    assert_true(matches("wait_ns = 1723161257234771297", "buy", "1", "1723161257234771297"));
    assert_false(matches("wait_ns = 1723161257234771297", "buy", "1", "1723161257234771298"));
    assert_true(matches("wait_ns < 1723161257234771298", "buy", "1", "1723161257234771297"));
}

static void a_cell_without_a_value_meets_no_comparison(void **state) {
    (void)state;
    assert_false(matches("px < 5", "buy", "", "0"));
    assert_false(matches("px > -5", "buy", "", "0"));
    assert_false(matches("px = 0", "buy", "", "0"));
    assert_true(matches("px != 0", "buy", "", "0"));
    assert_true(matches("px = missing", "buy", "", "0"));
    assert_false(matches("px = missing", "buy", "3", "0"));
    assert_true(matches("px != missing and px < 5", "buy", "3", "0"));
}

static void a_wrong_expression_names_the_word(void **state) {
    (void)state;
    struct where w;
    struct err_info e;
    assert_int_equal(where_parse(&w, "sidd = buy", columns, 3, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "sidd"));
    assert_non_null(strstr(e.text, "did you mean side"));
    assert_int_equal(where_parse(&w, "px => 3", columns, 3, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "=>"));
    assert_int_equal(where_parse(&w, "side = 'sell'", columns, 3, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "quotes"));
    assert_int_equal(where_parse(&w, "px > ", columns, 3, &e), ERR_USAGE);
    assert_int_equal(where_parse(&w, "px > abc", columns, 3, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "px > wants a number, not \"abc\""));
    assert_int_equal(where_parse(&w, "px <= missing", columns, 3, &e), ERR_USAGE);
    assert_int_equal(where_parse(&w, "px >= -1e3 and px != missing", columns, 3, &e), ERR_OK);
    assert_int_equal(where_parse(&w, "px > 1 or px < 3", columns, 3, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "or"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_compare_numbers_as_numbers_and_words_as_words),
        cmocka_unit_test(a_cell_without_a_value_meets_no_comparison),
        cmocka_unit_test(a_wrong_expression_names_the_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
