#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/progress.h"

static const int64_t second = 1000000000;

/* Steps of 50 ms up to `seconds`; returns what was written (to be freed). */
static char *written(bool live, int seconds, uint64_t total) {
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    struct progress p = {.what = "import", .unit = "lines", .scale = 1, .total = total};
    progress_begin_at(&p, to, live, 77);
    for (int i = 1; i <= seconds * 20; i++) progress_step(&p, (uint64_t)i, 77 + i * (second / 20));
    progress_finish(&p, (uint64_t)seconds * 20, 77 + seconds * second);
    fclose(to);
    return text;
}

static size_t count(const char *s, char c) {
    size_t n = 0;
    for (; *s; s++) n += *s == c;
    return n;
}

static void a_file_gets_one_line_each_ten_seconds_and_a_last_one(void **state) {
    (void)state;
    char *text = written(false, 35, 700);
    assert_int_equal(count(text, '\n'), 4);
    assert_int_equal(count(text, '\r'), 0);
    assert_non_null(strstr(text, "import: 200 of 700 lines (29 %), 20 lines/s, left 25 s\n"));
    assert_non_null(strstr(text, "import: 700 of 700 lines (100 %), 20 lines/s\n"));
    free(text);
}

static void short_work_says_nothing_to_a_file(void **state) {
    (void)state;
    char *text = written(false, 9, 0);
    assert_string_equal(text, "");
    free(text);
}

static void a_terminal_gets_one_line_that_is_rewritten(void **state) {
    (void)state;
    char *text = written(true, 2, 0);
    assert_int_equal(count(text, '\n'), 1);
    assert_true(count(text, '\r') >= 10);
    assert_null(strchr(strchr(text, '\n'), '\r'));
    free(text);
}

static void quiet_is_silent(void **state) {
    (void)state;
    struct progress p;
    progress_begin(&p, "x", "y", 1, 0, true);
    progress_at(&p, 1);
    progress_end(&p, 2);
    assert_null(p.to);
    assert_false(p.shown);
}

static void a_line_never_outgrows_its_limit_nor_divides_by_zero(void **state) {
    (void)state;
    char out[PROGRESS_LINE_MAX], what[300];
    memset(what, 'w', sizeof what - 1);
    what[sizeof what - 1] = 0;
    struct progress p = {.what = what, .unit = "MB", .scale = 1e-6, .total = UINT64_MAX};
    assert_int_equal(progress_line(&p, UINT64_MAX, INT64_MAX, out), PROGRESS_LINE_MAX - 1);
    p.what = "a";
    p.total = 10;
    assert_true(progress_line(&p, 0, 0, out) > 0);
    assert_null(strstr(out, "nan"));
    assert_null(strstr(out, "inf"));
    p.scale = 1;
    p.total = 1000000;
    progress_line(&p, 100, 10 * second, out);
    assert_non_null(strstr(out, "left 27 h 46 m"));
    progress_line(&p, 20, 1, out);
    assert_non_null(strstr(out, "left 0 s"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_gets_one_line_each_ten_seconds_and_a_last_one),
        cmocka_unit_test(short_work_says_nothing_to_a_file),
        cmocka_unit_test(a_terminal_gets_one_line_that_is_rewritten),
        cmocka_unit_test(quiet_is_silent),
        cmocka_unit_test(a_line_never_outgrows_its_limit_nor_divides_by_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
