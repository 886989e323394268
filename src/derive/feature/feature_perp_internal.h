/* feature_perp_internal.h: what the files of the family `perp` share: ages and units of slow
 * values.
 *
 * A value of the mark stream counts while it is younger than a minute, open interest and "there are
 * liquidations on this tape" for ten minutes, long/short ratios (published each five) for fifteen.
 */
#ifndef FATHOM_DERIVE_FEATURE_FEATURE_PERP_INTERNAL_H
#define FATHOM_DERIVE_FEATURE_FEATURE_PERP_INTERNAL_H

#include "derive/feature/feature_internal.h"

#define MARK_AGE_MAX (60 * NS_PER_S)
#define INTEREST_AGE_MAX (600 * NS_PER_S)
#define LIQUIDATION_AGE_MAX (600 * NS_PER_S)
#define RATIO_AGE_MAX (900 * NS_PER_S)

static inline bool young(int64_t ns, int64_t now, int64_t age) {
    return ns != 0 && now - ns <= age;
}

static inline double aux_px(int64_t e10) {
    return e10 > 0 ? (double)e10 / (double)AUX_ONE : MISSING;
}

/* A mark event of an instrument without funding carries no rate. */
static inline double rate_bps(int64_t e16) {
    return e16 == KLINE_UNKNOWN ? MISSING : BPS * ((double)e16 / (double)RATE_ONE);
}

#define PERP_ROW_CLOCK(NAME, UNIT, W, WARM, NEEDS, SOURCE, ABOUT, GONE, CLOCK)                     \
    {                                                                                              \
        .name = NAME, .unit = UNIT, .window = W, .source = SOURCE, .about = ABOUT,                 \
        .missing = GONE, .capability = "FEA11", .warmup = WARM, .needs = NEEDS, .version = 1,      \
        .clock = CLOCK, .apart = true                                                              \
    }
#define PERP_ROW(NAME, UNIT, W, WARM, NEEDS, SOURCE, ABOUT, GONE)                                  \
    PERP_ROW_CLOCK(NAME, UNIT, W, WARM, NEEDS, SOURCE, ABOUT, GONE, CLOCK_BUCKET)

#endif
