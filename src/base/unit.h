/* unit.h: the unit types of money and time; a swap of two of them does not compile.
 *
 * Units      price_t counts an instrument's price unit, qty_t its quantity unit (instrument.h);
 *            ts_t is nanoseconds since 1970-01-01 UTC (TS_NONE = no such stamp);
 *            money_t is 1e-12 of the settlement asset; rate_t is 1e-16 (a fraction).
 * Invariant  no double here: doubles begin in derive/feature.
 * Why        one-field structs cost nothing and make price + quantity a compile error.
 */
#ifndef FATHOM_BASE_UNIT_H
#define FATHOM_BASE_UNIT_H

#include <stdint.h>

typedef struct {
    int64_t ticks;
} price_t;
typedef struct {
    int64_t lots;
} qty_t;
typedef struct {
    int64_t ns;
} ts_t;
typedef struct {
    int64_t e16;
} rate_t;

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

typedef struct {
    int128 e12;
} money_t;

#define TS_NONE_NS ((int64_t)0)
#define NS_PER_US ((int64_t)1000)
#define NS_PER_MS ((int64_t)1000000)
#define NS_PER_S ((int64_t)1000000000)
#define MONEY_ONE ((int64_t)1000000000000)    /* 1.0 as money_t.e12 */
#define RATE_ONE ((int64_t)10000000000000000) /* 1.0 as rate_t.e16 */
#define AUX_ONE ((int64_t)10000000000)        /* 1.0 of prices that are no order prices: 1e-10 */

#endif
