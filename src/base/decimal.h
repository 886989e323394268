/* decimal.h: checked decimal text <-> integers. No float, no locale, no rounding.
 *
 * Limits     18 significant digits, 18 decimals (leading zeros before the point: one at most, as in
 *            JSON numbers and venue strings). JSON has no exponents here; CSV exponents are exact.
 */
#ifndef FATHOM_BASE_DECIMAL_H
#define FATHOM_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/unit.h"

enum { DECIMAL_TEXT_MAX = 48, DECIMAL_EXP_MAX = 18 };

struct decimal {
    int64_t mant; /* value = mant / 10^exp */
    uint8_t exp;  /* 0..18, as written (trailing zeros kept) */
};

extern const int64_t decimal_pow10[19];

/* Parses all of s[0..n): [-]digits[.digits]. `exponent_ok` (CSV) also takes [eE][+-]digits when the
 * result fits. False (out untouched): empty, stray byte, "+1", ".5", "5.", "00.1", more than 18
 * digits after leading zeros or 18 decimals. "-0" parses as 0. */
bool decimal_parse(const char *s, size_t n, bool exponent_ok, struct decimal *out);

/* Value as a count of units (unit_mant / 10^unit_exp). False: not a multiple, or overflow. */
bool decimal_to_units(struct decimal d, int64_t unit_mant, uint8_t unit_exp, int64_t *units);

/* Value x 10^exp as an integer. False: a remainder would be lost, or overflow. */
bool decimal_to_scale(struct decimal d, uint8_t exp, int64_t *out);

/* Money text (json_money, our CSV files) back to 1e-12: [-]digits[.digits], as many digits as fit
 * 128 bits. False (out untouched): anything else, more than 12 decimals. */
bool decimal_parse_e12(const char *s, int128 *out);

/* Removes trailing zeros of the fraction. */
struct decimal decimal_reduce(struct decimal d);

/* mant / 10^exp as text: all `exp` decimals, or trailing zeros cut if `trim`. Returns the length
 * without the NUL; out must hold DECIMAL_TEXT_MAX bytes. */
size_t decimal_text(int128 mant, uint8_t exp, bool trim, char *out);

#endif
