/* external.h: the event of an external series (EV_EXTERNAL): its fields, its value, its key.
 *
 *   ts_venue  what instant the value is about (event time; in a calendar it may lie ahead)
 *   ts_local  when it was published: nothing may see it before
 *   id        external_key of the series' name (without the asset, which the row names)
 *   aux.a     mantissa, qty.lots = decimals: value = mantissa / 10^decimals, as published
 *   px.ticks  revision of this event time: 0 first, then rising with publication
 *   aux.b     the newest event time of this series that was published by then, this one included;
 *             so a reader that starts in the middle knows what it has not seen
 *
 * Units      of the series; the tape's row says it (instrument.quote).
 * Invariant  decimals lie in -EXTERNAL_EXP_MAX..EXTERNAL_EXP_MAX and the mantissa has at most 18
 *            digits, so that external_value rounds once.
 */
#ifndef FATHOM_BASE_EXTERNAL_H
#define FATHOM_BASE_EXTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"

enum { EXTERNAL_EXP_MAX = 22, EXTERNAL_TEXT_MAX = 64 };

struct external_number {
    int64_t mant;
    int decimals; /* value = mant / 10^decimals */
    bool rounded; /* the text had more than 18 digits or 22 decimals; nearest, half away from 0 */
};

/* All of text[0..n): [-]digits[.digits][e[+-]digits], at most EXTERNAL_TEXT_MAX bytes. False (out
 * untouched): anything else (also nan, inf), or a size that the range above cannot hold. */
bool external_parse(const char *text, size_t n, struct external_number *out);

/* The double nearest to mant / 10^decimals for a mantissa below 2^53 (one rounding), within one
 * unit of the last place beyond; NaN where decimals are out of range. */
double external_double(int64_t mant, int64_t decimals);
double external_value(const struct event *ev);

/* Names a series by 64 bits (XXH3 of its name), the same on every tape. */
int64_t external_key(const char *name);

#endif
