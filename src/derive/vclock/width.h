/* width.h: how fast an instrument trades just now, and the bucket size that follows from it.
 *
 *   amounts -> slots of 30 s -> rate of the last 5..15 min -> size, each 5 min
 *
 * Units      amounts in what the buckets count (quantity units, trades, depth messages).
 * Time       the clock's own time; slots are multiples of 30 s since 1970. Only whole slots count,
 * so a rate does not depend on when it is asked for inside a slot. Ownership  plain bytes inside
 * the clock's state. Invariant  integers only: a replay gives the same sizes on every machine.
 * Limits     RATE_SLOTS slots: the last 15 min and the slot under way.
 * Why        docs/decisions/volume-clock.md (what counts as a crash or an outage).
 */
#ifndef FATHOM_DERIVE_VCLOCK_WIDTH_H
#define FATHOM_DERIVE_VCLOCK_WIDTH_H

#include <stdbool.h>

#include "base/unit.h"

enum {
    RATE_SLOTS = 31,
    RATE_SHORT = 10, /* slots of 5 min: least history, and "just now" */
    RATE_LONG = 30,  /* slots of 15 min */
    WIDTH_JUMP = 8   /* a rate that changed by this factor within 15 min is a crash */
};
#define RATE_SLOT_NS (30 * NS_PER_S)
#define WIDTH_PERIOD_NS (300 * NS_PER_S)

struct rate_ring {
    int64_t first, newest; /* numbers of the first and the newest slot; newest < 0: nothing yet */
    int64_t sum[RATE_SLOTS];
};

void rate_init(struct rate_ring *r);
/* Time does not go back: an earlier stamp counts in the newest slot. */
void rate_add(struct rate_ring *r, int64_t t_ns, int64_t amount);
/* Sum over slots [from, to). Slots that left the ring, or that nobody has reached, are 0. */
int64_t rate_sum(const struct rate_ring *r, int64_t from, int64_t to);
/* Whole slots before `t_ns` since the start, at most `most`. */
int64_t rate_whole(const struct rate_ring *r, int64_t t_ns, int64_t most);

enum width_reason { WIDTH_RATE = 1, WIDTH_OUTAGE = 2, WIDTH_CRASH = 3, WIDTH_TAPE = 4 };

struct width_ask {
    int64_t target_ns, calibrated, least, most;
    int64_t gap_ns; /* time of the last gap; INT64_MIN = none */
    int64_t now;    /* the size in force */
};
/* The size from boundary `at_ns` (a multiple of WIDTH_PERIOD_NS) on, and why; 0 as long as there is
 * less than 5 min of history: then the size stays. */
uint8_t width_at(
    const struct rate_ring *r, const struct width_ask *ask, int64_t at_ns, int64_t *size);

#endif
