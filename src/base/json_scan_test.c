/* The scanner: grammar, places of faults, and numbers against plain readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_scan.h"
#include "base/rng.h"

static struct json_scan scan;
static struct json_ref ref;

static bool value(const char *text) {
    json_scan_init(&scan, text, strlen(text));
    return json_value(&scan, 0, &ref) && json_end(&scan);
}

static void every_kind_of_value_is_found_with_its_bounds(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum json_type type;
        size_t at, n;
    } row[] = {{" \"ab\" ", JSON_STRING, 2, 2}, {"-12.5e+3", JSON_NUMBER, 0, 8},
        {"\ttrue", JSON_TRUE, 1, 4}, {"false\n", JSON_FALSE, 0, 5}, {"null", JSON_NULL, 0, 4},
        {"[ ]", JSON_ARRAY, 0, 3}, {"{\"a\":[1,{\"b\":{}}]}", JSON_OBJECT, 0, 18},
        {"0", JSON_NUMBER, 0, 1}, {"-0.0", JSON_NUMBER, 0, 4}, {"\"\"", JSON_STRING, 1, 0},
        {"123456789012345678901234567890", JSON_NUMBER, 0, 30}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_true(value(row[i].text));
        assert_int_equal(ref.type, row[i].type);
        assert_int_equal(ref.p - row[i].text, row[i].at);
        assert_int_equal(ref.n, row[i].n);
    }
}

static void what_is_no_json_is_refused_at_its_byte(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum json_fault fault;
        size_t at;
    } row[] = {{"", JSON_TRUNCATED, 0}, {"  ", JSON_TRUNCATED, 2}, {"01", JSON_BAD_NUMBER, 0},
        {"-", JSON_TRUNCATED, 1}, {"1.e5", JSON_BAD_NUMBER, 2}, {"1e+x", JSON_BAD_NUMBER, 3},
        {"+1", JSON_EXPECTED, 0}, {".5", JSON_EXPECTED, 0}, {"nul", JSON_TRUNCATED, 3},
        {"nulx", JSON_EXPECTED, 3}, {"True", JSON_EXPECTED, 0}, {"[1 2]", JSON_EXPECTED, 3},
        {"[1,]", JSON_EXPECTED, 3}, {"{\"a\":1,}", JSON_EXPECTED, 7}, {"{1:2}", JSON_EXPECTED, 1},
        {"{\"a\"=1}", JSON_EXPECTED, 4}, {"\"a\tb\"", JSON_CONTROL, 2}, {"\"\\q\"", JSON_ESCAPE, 1},
        {"\"\\u12\"", JSON_TRUNCATED, 1}, {"\"\\ud800x\"", JSON_SURROGATE, 1},
        {"\"\x80\"", JSON_UTF8, 1}, {"\"\xe0\x80\x80\"", JSON_UTF8, 1}, {"1 1", JSON_TRAILING, 2},
        {"\"abc", JSON_TRUNCATED, 4}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_false(value(row[i].text));
        assert_int_equal(scan.fault, row[i].fault);
        assert_int_equal(scan.fault_at - scan.start, row[i].at);
        assert_non_null(scan.expected);
    }
}

static void nesting_ends_at_its_limit(void **state) {
    (void)state;
    char text[128];
    for (int deep = JSON_NESTING_MAX - 1; deep <= JSON_NESTING_MAX + 1; deep++) {
        memset(text, '[', (size_t)deep);
        memset(text + deep, ']', (size_t)deep);
        text[2 * deep] = 0;
        assert_int_equal(value(text), deep <= JSON_NESTING_MAX);
        if (deep > JSON_NESTING_MAX) assert_int_equal(scan.fault, JSON_NESTING);
    }
}

static void escapes_become_their_text(void **state) {
    (void)state;
    char out[32];
    size_t n;
    assert_true(value("\"a\\n\\u00e9\\u5e01\\ud83d\\ude00\\/\\\"\""));
    assert_true(json_text(&ref, out, sizeof out, &n));
    assert_string_equal(out, "a\n\xc3\xa9\xe5\xb8\x81\xf0\x9f\x98\x80/\"");
    assert_int_equal(n, strlen(out));
    assert_false(json_text(&ref, out, n, &n)); /* no room for the NUL */
    assert_true(value("\"a\\u0000b\""));
    assert_false(json_text(&ref, out, sizeof out, &n));
}

/* Strings of every length ending at every distance from the end of the text. */
static void strings_end_at_their_quote_wherever_it_is(void **state) {
    (void)state;
    for (size_t length = 0; length < 40; length++) {
        for (size_t after = 0; after < 12; after++) {
            size_t n = length + 2 + after;
            char *text = malloc(n); /* exact, so that a sanitizer sees reads beyond it */
            memset(text, 'x', n);
            text[0] = text[length + 1] = '"';
            json_scan_init(&scan, text, n);
            assert_true(json_string(&scan, &ref));
            assert_int_equal(ref.n, length);
            assert_ptr_equal(scan.p, text + length + 2);
            free(text);
        }
    }
}

static void integers_equal_the_plain_reader(void **state) {
    (void)state;
    struct rng r;
    rng_init(&r, 5, 1);
    for (int i = 0; i < 50000; i++) {
        char text[32];
        int64_t v = (int64_t)(rng_u64(&r) >> rng_below(&r, 64)), got;
        if (rng_below(&r, 2)) v = (int64_t)(0 - (uint64_t)v);
        snprintf(text, sizeof text, "%lld", (long long)v);
        assert_true(value(text));
        assert_true(json_int64(&ref, &got));
        assert_int_equal(got, v);
    }
    int64_t got;
    static const char *const none[] = {
        "9223372036854775808", "-9223372036854775809", "1.0", "12345678.9", "1e2", "12345678e1"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_true(value(none[i]));
        assert_false(json_int64(&ref, &got));
    }
}

/* Random texts that are decimals, or nearly: fast path and decimal_parse agree. */
static void decimals_equal_the_plain_parser(void **state) {
    (void)state;
    struct rng r;
    rng_init(&r, 6, 1);
    for (int i = 0; i < 200000; i++) {
        char text[64] = "\"";
        size_t n = 1, whole = rng_below(&r, 12), part = rng_below(&r, 12);
        for (size_t k = 0; k < whole; k++) text[n++] = (char)('0' + (int)rng_below(&r, 10));
        if (rng_below(&r, 5)) text[n++] = '.';
        for (size_t k = 0; k < part; k++) text[n++] = (char)('0' + (int)rng_below(&r, 10));
        if (rng_below(&r, 10) == 0) text[1 + rng_below(&r, n)] = "-. e/:\"x"[rng_below(&r, 8)];
        text[n++] = '"';
        struct decimal fast, plain;
        size_t inner = (size_t)((char *)memchr(text + 1, '"', n) - text) - 1;
        json_scan_init(&scan, text, rng_below(&r, 2) ? n : sizeof text);
        bool a = json_decimal(&scan, &fast);
        bool b = decimal_parse(text + 1, inner, false, &plain);
        assert_int_equal(a, b);
        if (!a) continue;
        assert_int_equal(fast.mant, plain.mant);
        assert_int_equal(fast.exp, plain.exp);
        assert_ptr_equal(scan.p, text + inner + 2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_is_found_with_its_bounds),
        cmocka_unit_test(what_is_no_json_is_refused_at_its_byte),
        cmocka_unit_test(nesting_ends_at_its_limit),
        cmocka_unit_test(escapes_become_their_text),
        cmocka_unit_test(strings_end_at_their_quote_wherever_it_is),
        cmocka_unit_test(integers_equal_the_plain_reader),
        cmocka_unit_test(decimals_equal_the_plain_parser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
