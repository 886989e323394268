/* decimal_fuzz.c: decimal_parse against a digit-by-digit oracle, and text back to the same value.
 */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* The grammar of decimal.h without exponents, walked once more with other means. */
static bool oracle(const char *s, size_t n, int128 *mant, size_t *exp) {
    size_t minus = n > 0 && s[0] == '-', point = n, significant = 0;
    int128 v = 0;
    for (size_t i = minus; i < n; i++) {
        if (s[i] == '.' && point == n) {
            point = i;
            continue;
        }
        if (s[i] < '0' || s[i] > '9') return false;
        if (significant > 0 || s[i] != '0') significant++;
        if (significant > 18) return false;
        v = v * 10 + (s[i] - '0');
    }
    size_t whole = point - minus, fraction = point == n ? 0 : n - point - 1;
    if (whole == 0 || (whole > 1 && s[minus] == '0')) return false;
    if ((point < n && fraction == 0) || fraction > 18) return false;
    *mant = minus ? -v : v;
    *exp = fraction;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    const char *s = (const char *)bytes;
    struct decimal d, again;
    int128 mant = 0;
    size_t exp = 0;
    if (n > 200) return 0;
    bool good = decimal_parse(s, n, false, &d);
    CHECK(good == oracle(s, n, &mant, &exp));
    if (good) {
        char text[DECIMAL_TEXT_MAX];
        CHECK(d.mant == mant && d.exp == exp);
        size_t len = decimal_text(d.mant, d.exp, false, text);
        CHECK(decimal_parse(text, len, false, &again));
        CHECK(again.mant == d.mant && again.exp == d.exp);
    }
    if (decimal_parse(s, n, true, &d)) CHECK(d.exp <= DECIMAL_EXP_MAX);
    return 0;
}
