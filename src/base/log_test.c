#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

/* Ends the line into a pipe and returns what came out. */
static const char *written(struct log_line *l) {
    static char text[LOG_LINE_MAX + 32];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_end(l, ends[1]);
    close(ends[1]);
    ssize_t n = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    assert_true(n > 0);
    text[n] = 0;
    return text;
}

static void a_line_has_time_level_what_and_pairs(void **state) {
    (void)state;
    struct log_line l;
    log_start(&l, 1723161255123456789, LOG_WARN, "feed_gap");
    log_str(&l, "venue", "okx");
    log_int(&l, "missing", -12);
    log_double(&l, "rate", 0.25);
    log_str(&l, "text", "two \"words\"");
    log_str(&l, "empty", "");
    assert_string_equal(written(&l),
        "2024-08-08T23:54:15.123456789Z warn feed_gap venue=okx "
        "missing=-12 rate=0.25 text=\"two \\\"words\\\"\" empty=\"\"\n");
}

static void times_before_1970_and_at_it_are_right(void **state) {
    (void)state;
    struct log_line l;
    log_start(&l, 0, LOG_INFO, "x");
    assert_string_equal(written(&l), "1970-01-01T00:00:00.000000000Z info x\n");
    log_start(&l, -1, LOG_DEBUG, "x");
    assert_string_equal(written(&l), "1969-12-31T23:59:59.999999999Z debug x\n");
}

static void hostile_text_makes_no_second_line_and_no_second_key(void **state) {
    (void)state;
    srand(3);
    print_message("seed 3\n");
    for (int round = 0; round < 2000; round++) {
        struct log_line l;
        char bytes[40];
        size_t n = (size_t)rand() % sizeof bytes;
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)(rand() % 4 ? rand() : "\n\"=\\ "[rand() % 5]);
        log_start(&l, 1, LOG_ERROR, "bad");
        log_strn(&l, "body", bytes, n);
        log_int(&l, "end", 1);
        const char *text = written(&l);
        assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
        /* outside quotes there are exactly two '=' */
        int equals = 0;
        bool quoted = false;
        for (const char *s = text; *s; s++) {
            assert_true((*s >= 0x20 && *s < 0x7f) || *s == '\n');
            if (quoted && *s == '\\') {
                s++;
            } else if (*s == '"') {
                quoted = !quoted;
            } else {
                equals += !quoted && *s == '=';
            }
        }
        assert_false(quoted);
        assert_int_equal(equals, 2);
    }
}

static void a_long_line_is_cut_and_says_so(void **state) {
    (void)state;
    struct log_line l;
    char big[3000];
    memset(big, 'a', sizeof big);
    log_start(&l, 1, LOG_INFO, "big");
    log_strn(&l, "body", big, sizeof big);
    log_int(&l, "after", 1);
    const char *text = written(&l);
    assert_true(strlen(text) <= LOG_LINE_MAX + 16);
    assert_non_null(strstr(text, " cut=1\n"));
    assert_null(strstr(text, "after"));
}

static void a_closed_descriptor_is_no_death(void **state) {
    (void)state;
    struct log_line l;
    log_start(&l, log_now(), LOG_INFO, "lost");
    log_end(&l, -1);
    assert_true(log_now() > 1700000000000000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_what_and_pairs),
        cmocka_unit_test(times_before_1970_and_at_it_are_right),
        cmocka_unit_test(hostile_text_makes_no_second_line_and_no_second_key),
        cmocka_unit_test(a_long_line_is_cut_and_says_so),
        cmocka_unit_test(a_closed_descriptor_is_no_death),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
