#include "base/decimal.h"

#include <string.h>

#include "base/check.h"

const int64_t decimal_pow10[19] = {1LL, 10LL, 100LL, 1000LL, 10000LL, 100000LL, 1000000LL,
    10000000LL, 100000000LL, 1000000000LL, 10000000000LL, 100000000000LL, 1000000000000LL,
    10000000000000LL, 100000000000000LL, 1000000000000000LL, 10000000000000000LL,
    100000000000000000LL, 1000000000000000000LL};

/* [eE][+-]digits at s[*at]; at most 3 digits. */
static bool exponent_parse(const char *s, size_t n, size_t *at, int *exp10) {
    size_t i = *at + 1;
    bool negative = false;
    if (i < n && (s[i] == '-' || s[i] == '+')) negative = s[i++] == '-';
    if (i >= n || n - i > 3) return false;
    int v = 0;
    for (; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') return false;
        v = v * 10 + (s[i] - '0');
    }
    *exp10 = negative ? -v : v;
    *at = i;
    return true;
}

/* Moves the decimal point by exp10 places, exactly. */
static bool shift(int64_t *mant, int *exp, int exp10) {
    int e = *exp - exp10;
    while (e > DECIMAL_EXP_MAX && *mant % 10 == 0) {
        *mant /= 10;
        e--;
        if (*mant == 0) e = 0;
    }
    while (e < 0) {
        if (__builtin_mul_overflow(*mant, (int64_t)10, mant)) return false;
        if (*mant == 0) e = -1;
        e++;
    }
    if (e > DECIMAL_EXP_MAX) return false;
    *exp = e;
    return true;
}

bool decimal_parse(const char *s, size_t n, bool exponent_ok, struct decimal *out) {
    size_t i = 0;
    bool negative = n > 0 && s[0] == '-';
    if (negative) i = 1;
    size_t whole = i;
    int64_t v = 0;
    int digits = 0, exp = 0, exp10 = 0;
    for (; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
        if ((digits || s[i] != '0') && ++digits > 18) return false;
        v = v * 10 + (s[i] - '0');
    }
    if (i == whole || (i - whole > 1 && s[whole] == '0')) return false;
    if (i < n && s[i] == '.') {
        size_t fraction = ++i;
        for (; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
            if ((digits || s[i] != '0') && ++digits > 18) return false;
            v = v * 10 + (s[i] - '0');
        }
        if (i == fraction || i - fraction > DECIMAL_EXP_MAX) return false;
        exp = (int)(i - fraction);
    }
    if (i < n && exponent_ok && (s[i] == 'e' || s[i] == 'E')) {
        if (!exponent_parse(s, n, &i, &exp10) || !shift(&v, &exp, exp10)) return false;
    }
    if (i != n) return false;
    out->mant = negative ? -v : v;
    out->exp = (uint8_t)exp;
    return true;
}

bool decimal_to_units(struct decimal d, int64_t unit_mant, uint8_t unit_exp, int64_t *units) {
    CHECK(unit_mant > 0 && unit_exp <= DECIMAL_EXP_MAX && d.exp <= DECIMAL_EXP_MAX);
    /* d.mant / 10^d.exp = units * unit_mant / 10^unit_exp */
    if (d.exp == unit_exp && unit_mant == 1) {
        *units = d.mant;
        return true;
    }
    int128 num = d.mant, den = unit_mant;
    if (unit_exp >= d.exp) {
        num *= decimal_pow10[unit_exp - d.exp];
    } else {
        den *= decimal_pow10[d.exp - unit_exp];
    }
    if (num % den != 0) return false;
    num /= den;
    if (num > INT64_MAX || num < INT64_MIN) return false;
    *units = (int64_t)num;
    return true;
}

bool decimal_to_scale(struct decimal d, uint8_t exp, int64_t *out) {
    return decimal_to_units(d, 1, exp, out);
}

struct decimal decimal_reduce(struct decimal d) {
    while (d.exp > 0 && d.mant % 10 == 0) {
        d.mant /= 10;
        d.exp--;
    }
    return d;
}

size_t decimal_text(int128 mant, uint8_t exp, bool trim, char *out) {
    CHECK(exp <= 40);
    char back[DECIMAL_TEXT_MAX];
    size_t n = 0;
    bool negative = mant < 0;
    uint128 v = negative ? -(uint128)mant : (uint128)mant;
    for (uint8_t place = 0; v > 0 || place <= exp; place++) {
        char digit = (char)('0' + (int)(v % 10));
        v /= 10;
        if (place == exp && exp > 0 && n > 0) back[n++] = '.';
        if (place < exp && trim && n == 0 && digit == '0') continue;
        CHECK(n < sizeof back - 2);
        back[n++] = digit;
    }
    size_t len = 0;
    if (negative) out[len++] = '-';
    while (n > 0) out[len++] = back[--n];
    out[len] = 0;
    return len;
}

bool decimal_parse_e12(const char *s, int128 *out) {
    bool minus = *s == '-';
    int decimals = -1;
    int128 v = 0;
    s += minus;
    if (*s < '0' || *s > '9') return false;
    for (; *s; s++) {
        if (*s == '.' && decimals < 0 && s[1]) {
            decimals = 0;
            continue;
        }
        if (*s < '0' || *s > '9' || decimals == 12) return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *s - '0', &v))
            return false;
        if (decimals >= 0) decimals++;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < 12; i++) {
        if (__builtin_mul_overflow(v, 10, &v)) return false;
    }
    *out = minus ? -v : v;
    return true;
}
