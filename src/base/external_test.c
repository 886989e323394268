#include "base/external.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { SEED = 515 };

static bool parse(const char *s, struct external_number *x) {
    return external_parse(s, strlen(s), x);
}

static void a_number_is_kept_as_it_was_published(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t mant;
        int decimals;
        bool rounded;
    } known[] = {{"0", 0, 0, false}, {"-0.00", 0, 0, false}, {"12.50", 125, 1, false},
        {"-1234.5", -12345, 1, false}, {"5.8e20", 58, -19, false}, {"1.2E-05", 12, 6, false},
        {"123456789012345678", 123456789012345678, 0, false},
        {"1234567890123456789", 123456789012345679, -1, true},
        {"0.1234567890123456784", 123456789012345678, 18, true},
        {"0.1234567890123456785", 123456789012345679, 18, true},
        {"0.00000000000000000000012", 1, 22, true}, {"0.00000000000000000000005", 1, 22, true},
        {"0.000000000000000000000049", 0, 0, true}, {"1e-400", 0, 0, true}, {"1e22", 1, -22, false},
        {"000012", 12, 0, false}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct external_number x = {0};
        if (!parse(known[i].text, &x)) fail_msg("%s is refused", known[i].text);
        assert_int_equal(x.mant, known[i].mant);
        assert_int_equal(x.decimals, known[i].decimals);
        assert_int_equal(x.rounded, known[i].rounded);
    }
}

static void what_is_no_number_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"", "-", "+1", ".5", "5.", "1e", "1e+", "nan", "inf", "1,5",
        " 1", "1 ", "0x10", "1e99999", "1e23", "--1", "1.2.3", "1e5e5"};
    struct external_number x;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (parse(bad[i], &x)) fail_msg("'%s' is taken", bad[i]);
    }
    char long_text[80];
    memset(long_text, '1', sizeof long_text);
    assert_false(external_parse(long_text, EXTERNAL_TEXT_MAX + 1, &x));
}

/* strtod is the reference of a program that may use one; here it is the test's. */
static void the_double_is_that_of_the_text(void **state) {
    struct rng r;
    (void)state;
    rng_init(&r, SEED, 1);
    printf("seed %d\n", SEED);
    for (int i = 0; i < 200000; i++) {
        char text[80];
        int64_t whole = (int64_t)rng_below(&r, 1u << (1 + rng_below(&r, 30)));
        int64_t part = (int64_t)rng_below(&r, 100000);
        snprintf(text, sizeof text, "%s%lld.%05llde%d", rng_below(&r, 2) ? "-" : "",
            (long long)whole, (long long)part, (int)rng_below(&r, 24) - 12);
        struct external_number x = {0};
        assert_true(parse(text, &x));
        double want = strtod(text, NULL), got = external_double(x.mant, x.decimals);
        if (got != want) fail_msg("%s: %.17g, not %.17g", text, got, want);
    }
}

static void a_key_tells_names_apart_and_no_range_is_left(void **state) {
    (void)state;
    assert_int_not_equal(external_key("sopr"), external_key("mvrv"));
    assert_int_equal(external_key("sopr"), external_key("sopr"));
    assert_true(isnan(external_double(1, 23)) && isnan(external_double(1, -23)));
    struct event ev = {.aux = {.a = -125}, .qty = {2}};
    assert_true(external_value(&ev) == -1.25);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_kept_as_it_was_published),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(the_double_is_that_of_the_text),
        cmocka_unit_test(a_key_tells_names_apart_and_no_range_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
