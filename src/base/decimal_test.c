#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/decimal.h"

/* The oracle: numbers as strings of decimal digits, school arithmetic, no integer type to overflow.
 * digits[0] is the most significant; `exp` digits stand behind the point. */
struct big {
    char digit[160];
    int n, exp;
    bool negative;
};

static void big_trim(struct big *b) {
    int zeros = 0;
    while (zeros < b->n - 1 && b->digit[zeros] == '0') zeros++;
    memmove(b->digit, b->digit + zeros, (size_t)(b->n - zeros));
    b->n -= zeros;
    if (b->n == 1 && b->digit[0] == '0') b->negative = false;
}

/* Grammar of decimal.h; exponents as the header says for CSV. */
static bool big_parse(const char *s, size_t n, bool exponent_ok, struct big *out) {
    size_t at = 0, whole = 0, fraction = 0;
    int exp10 = 0, significant = 0;
    *out = (struct big){.negative = n > 0 && s[0] == '-'};
    at += out->negative;
    size_t start = at;
    for (; at < n && s[at] >= '0' && s[at] <= '9'; at++, whole++) out->digit[out->n++] = s[at];
    if (whole == 0 || (whole > 1 && s[start] == '0')) return false;
    if (at < n && s[at] == '.') {
        for (at++; at < n && s[at] >= '0' && s[at] <= '9'; at++, fraction++) {
            out->digit[out->n++] = s[at];
        }
        if (fraction == 0 || fraction > 18) return false;
    }
    for (int i = 0; i < out->n; i++) significant += significant > 0 || out->digit[i] != '0';
    if (significant > 18) return false;
    if (at < n && exponent_ok && (s[at] == 'e' || s[at] == 'E')) {
        char text[8] = "";
        size_t sign = at + 1 < n && (s[at + 1] == '-' || s[at + 1] == '+');
        size_t digits = n - at - 1 - sign;
        if (digits < 1 || digits > 3) return false;
        for (size_t i = at + 1 + sign; i < n; i++) {
            if (s[i] < '0' || s[i] > '9') return false;
            text[i - at - 1 - sign] = s[i];
        }
        exp10 = atoi(text) * (sign && s[at + 1] == '-' ? -1 : 1);
        at = n;
    }
    out->exp = (int)fraction - exp10;
    big_trim(out);
    return at == n;
}

/* True if both are the same number. */
static bool same_value(const struct big *a, int128 mant, int exp) {
    struct big b = {.exp = exp, .negative = mant < 0};
    char back[60];
    int n = 0;
    uint128 v = mant < 0 ? -(uint128)mant : (uint128)mant;
    do {
        back[n++] = (char)('0' + (int)(v % 10));
        v /= 10;
    } while (v > 0);
    while (n > 0) b.digit[b.n++] = back[--n];
    struct big x = *a, y = b;
    /* the same number of decimals, then digit by digit; zeros at an end need no room */
    while (x.exp > y.exp && x.digit[x.n - 1] == '0' && x.n > 1) x.n--, x.exp--;
    while (y.exp > x.exp && y.digit[y.n - 1] == '0' && y.n > 1) y.n--, y.exp--;
    if (x.n == 1 && x.digit[0] == '0') return y.n == 1 && y.digit[0] == '0';
    while (x.exp < y.exp && x.n < 150) x.digit[x.n++] = '0', x.exp++;
    while (y.exp < x.exp && y.n < 150) y.digit[y.n++] = '0', y.exp++;
    return x.exp == y.exp && x.n == y.n && x.negative == y.negative &&
           memcmp(x.digit, y.digit, (size_t)x.n) == 0;
}

static size_t random_text(char *out, bool exponents) {
    static const char any[] = "0123456789.-+eE x";
    size_t n = 0;
    if (rand() % 4 == 0) { /* noise */
        for (int i = rand() % 12; i > 0; i--) out[n++] = any[(size_t)rand() % (sizeof any - 1)];
        return n;
    }
    if (rand() % 3 == 0) out[n++] = '-';
    int whole = 1 + rand() % (rand() % 8 ? 9 : 22), fraction = rand() % (rand() % 8 ? 9 : 22);
    for (int i = 0; i < whole; i++) {
        out[n++] =
            (char)('0' + (i == 0 && whole > 1 && rand() % 20 ? 1 + rand() % 9 : rand() % 10));
    }
    if (fraction) out[n++] = '.';
    for (int i = 0; i < fraction; i++) out[n++] = (char)(rand() % 2 ? '0' : '0' + rand() % 10);
    if (exponents && rand() % 2) {
        n += (size_t)sprintf(out + n, "%c%s%d", rand() % 2 ? 'e' : 'E', rand() % 3 ? "-" : "",
            rand() % (rand() % 5 ? 12 : 1200));
    }
    return n;
}

static void parsing_agrees_with_the_digit_string_oracle(void **state) {
    (void)state;
    const unsigned seed = 1;
    int good = 0;
    print_message("seed %u\n", seed);
    srand(seed);
    for (int i = 0; i < 400000; i++) {
        char text[80];
        struct big wanted;
        struct decimal d = {.mant = 77, .exp = 7};
        size_t n = random_text(text, false);
        bool ok = big_parse(text, n, false, &wanted);
        if (decimal_parse(text, n, false, &d) != ok) fail_msg("%.*s", (int)n, text);
        if (!ok) {
            assert_true(d.mant == 77 && d.exp == 7);
            continue;
        }
        good++;
        assert_int_equal(d.exp, wanted.exp); /* as written, zeros kept */
        if (!same_value(&wanted, d.mant, d.exp)) fail_msg("%.*s", (int)n, text);
    }
    assert_true(good > 100000);
}

/* With an exponent the value may not fit; what is taken must be exact, what fits easily is taken.
 */
static void csv_exponents_are_exact_or_refused(void **state) {
    (void)state;
    int taken = 0;
    print_message("seed 2\n");
    srand(2);
    for (int i = 0; i < 400000; i++) {
        char text[80];
        struct big wanted;
        struct decimal d;
        size_t n = random_text(text, true);
        bool ok = big_parse(text, n, true, &wanted);
        bool got = decimal_parse(text, n, true, &d);
        if (got && !ok) fail_msg("taken: %.*s", (int)n, text);
        if (got && !same_value(&wanted, d.mant, d.exp)) fail_msg("wrong: %.*s", (int)n, text);
        bool easy = ok && wanted.exp >= 0 && wanted.exp <= 18;
        if (easy && !got) fail_msg("refused: %.*s", (int)n, text);
        taken += got;
    }
    assert_true(taken > 100000);
}

static void the_listed_hostile_numbers_are_refused(void **state) {
    (void)state;
    const char *const bad[] = {"", "-", "+1", ".5", "5.", "00.1", "01", "1e5", "1E5", "0x1", "NaN",
        "Infinity", "-Infinity", "1 ", " 1", "1,000", "1.2.3", "--1", "1e309",
        "1000000000000000000", "0.0000000000000000001", "\xd9\xa1", "1\n"};
    struct decimal d;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (decimal_parse(bad[i], strlen(bad[i]), false, &d)) fail_msg("taken: %s", bad[i]);
    }
    assert_false(decimal_parse("1\0", 2, false, &d));
    assert_true(decimal_parse("-0", 2, false, &d));
    assert_int_equal(d.mant, 0);
    assert_true(decimal_parse("999999999999999999", 18, false, &d));
    assert_true(decimal_parse("0.000000000000000001", 20, false, &d));
    assert_int_equal(d.exp, 18);
}

static void text_of_a_parsed_number_is_the_text_it_came_from(void **state) {
    (void)state;
    print_message("seed 3\n");
    srand(3);
    for (int i = 0; i < 200000; i++) {
        char text[80], back[DECIMAL_TEXT_MAX];
        struct decimal d, again;
        size_t n = random_text(text, false);
        if (!decimal_parse(text, n, false, &d)) continue;
        size_t len = decimal_text(d.mant, d.exp, false, back);
        text[n] = 0;
        if (d.mant != 0 || text[0] != '-') assert_string_equal(back, text);
        len = decimal_text(d.mant, d.exp, true, back);
        assert_int_equal(len, strlen(back));
        assert_true(decimal_parse(back, len, false, &again));
        struct decimal least = decimal_reduce(d);
        assert_int_equal(again.mant, least.mant);
        assert_int_equal(again.exp, least.exp);
        assert_true(again.exp == 0 || again.mant % 10 != 0);
    }
}

static void units_are_exact_or_refused(void **state) {
    (void)state;
    print_message("seed 4\n");
    srand(4);
    int exact = 0, refused = 0;
    for (int i = 0; i < 300000; i++) {
        int64_t unit = rand() % 2 ? 1 : 1 + rand() % 50, units = 0;
        uint8_t unit_exp = (uint8_t)(rand() % 10), exp = (uint8_t)(rand() % 10);
        struct decimal d = {.mant = (int64_t)rand() * (rand() % 2 ? 1 : -1000), .exp = exp};
        if (rand() % 2) d.mant = (int64_t)(rand() % 100000) * unit * 100;
        if (decimal_to_units(d, unit, unit_exp, &units)) {
            /* units * unit / 10^unit_exp == mant / 10^exp, cross-multiplied in 128 bits */
            assert_true((int128)units * unit * decimal_pow10[exp] ==
                        (int128)d.mant * decimal_pow10[unit_exp]);
            exact++;
        } else {
            int128 num = (int128)d.mant * decimal_pow10[unit_exp];
            int128 den = (int128)unit * decimal_pow10[exp];
            assert_true(num % den != 0 || num / den > INT64_MAX || num / den < INT64_MIN);
            refused++;
        }
    }
    assert_true(exact > 10000 && refused > 10000);
}

static void an_overflow_of_units_or_scale_is_refused_and_writes_nothing(void **state) {
    (void)state;
    int64_t v = 5;
    struct decimal big = {.mant = 999999999999999999, .exp = 0};
    assert_false(decimal_to_scale(big, 18, &v));
    assert_false(decimal_to_units(big, 1, 2, &v));
    assert_int_equal(v, 5);
    assert_true(decimal_to_scale((struct decimal){.mant = 9, .exp = 0}, 18, &v));
    assert_int_equal(v, 9000000000000000000);
    assert_false(decimal_to_scale((struct decimal){.mant = 10, .exp = 0}, 18, &v));
    assert_true(decimal_to_scale((struct decimal){.mant = -1500, .exp = 3}, 1, &v));
    assert_int_equal(v, -15);
    assert_false(decimal_to_scale((struct decimal){.mant = 1501, .exp = 3}, 1, &v));
}

static void text_of_128_bit_money_is_whole(void **state) {
    (void)state;
    char out[DECIMAL_TEXT_MAX];
    int128 most = (int128)(((uint128)1 << 127) - 1);
    decimal_text(most, 12, false, out);
    assert_string_equal(out, "170141183460469231731687303.715884105727");
    decimal_text(-most - 1, 12, true, out);
    assert_string_equal(out, "-170141183460469231731687303.715884105728");
    decimal_text(-5, 12, true, out);
    assert_string_equal(out, "-0.000000000005");
    decimal_text(0, 12, true, out);
    assert_string_equal(out, "0");
    decimal_text(0, 3, false, out);
    assert_string_equal(out, "0.000");
    decimal_text(1200, 2, true, out);
    assert_string_equal(out, "12");
}

static void money_text_comes_back_whole_or_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "", "-", ".5", "1.", "+1", "1e3", "1.0000000000001", " 1", "1 ", "--1", "1.2.3"};
    int128 most = (int128)(((uint128)1 << 127) - 1), v = 7;
    char text[DECIMAL_TEXT_MAX];
    const int128 all[] = {0, 1, -1, 999999999999, -1000000000001, most, -most};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (int trim = 0; trim < 2; trim++) {
            decimal_text(all[i], 12, trim, text);
            assert_true(decimal_parse_e12(text, &v));
            assert_true(v == all[i]);
        }
    }
    v = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(decimal_parse_e12(bad[i], &v));
    assert_false(decimal_parse_e12("170141183460469231731687303.715884105728", &v));
    assert_false(decimal_parse_e12("170141183460469231731687304", &v));
    assert_true(v == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing_agrees_with_the_digit_string_oracle),
        cmocka_unit_test(csv_exponents_are_exact_or_refused),
        cmocka_unit_test(the_listed_hostile_numbers_are_refused),
        cmocka_unit_test(text_of_a_parsed_number_is_the_text_it_came_from),
        cmocka_unit_test(units_are_exact_or_refused),
        cmocka_unit_test(an_overflow_of_units_or_scale_is_refused_and_writes_nothing),
        cmocka_unit_test(text_of_128_bit_money_is_whole),
        cmocka_unit_test(money_text_comes_back_whole_or_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
