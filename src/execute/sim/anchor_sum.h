/* anchor_sum.h: the checksum by which fills are compared with hftbacktest's: FNV-1a 64 over the
 * little-endian int64 words (venue time, +1 buy or -1 sell, price in ticks, quantity in lots) of
 * each fill, by rising order id within a step (the time between two looks of the strategy).
 *
 * Units      price and quantity units in, ticks and lots hashed; times ns of the venue.
 * Ownership  a plain struct of the caller. Threads: one.
 * Limits     ANCHOR_STEP_FILLS fills a step: `overflow` counts those beyond, which are not hashed.
 * Why        the peer keeps no list of fills; its driver counts filled orders at each step.
 */
#ifndef FATHOM_EXECUTE_SIM_ANCHOR_SUM_H
#define FATHOM_EXECUTE_SIM_ANCHOR_SUM_H

#include <stddef.h>

#include "base/instrument.h"

enum { ANCHOR_STEP_FILLS = 1024 };

struct anchor_fill {
    int64_t id, venue_ns;
    price_t px;
    qty_t qty;
    int side;
};

struct anchor_sum {
    uint64_t hash, fills, steps, overflow;
    int64_t tick, lot;
    size_t pending;
    struct anchor_fill step[ANCHOR_STEP_FILLS];
};

void anchor_sum_init(struct anchor_sum *a, const struct instrument *inst);
void anchor_sum_fill(struct anchor_sum *a, const struct anchor_fill *f);
/* The strategy looks: the fills of the step that ends are hashed. */
void anchor_sum_step(struct anchor_sum *a);
/* The last fills; call once. */
void anchor_sum_end(struct anchor_sum *a);

#endif
