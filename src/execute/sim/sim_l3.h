/* sim_l3.h: the market's orders by id, so that an own order knows exactly who stands before it.
 *
 *   EV_ORDER add / reduce / delete / execute -> l3_book: id -> (number of arrival, quantity)
 *
 * Units      quantity units. Ownership: caller gives mem (l3_book_size). Threads: one.
 * Invariant  `added` counts additions; an own order keeps the count of its arrival: who has a
 *            smaller or equal number stands before it. Orders never announced (they stood there
 *            before the data began) have number 0.
 * Limits     L3_SLOTS, at most 3/4 used; beyond that the run ends (WORLD_ORDERS_FULL).
 * Why        a level's total cannot say who cancelled; per-order data can, and then the queue
 *            position is no model (docs/simulator.md).
 */
#ifndef FATHOM_EXECUTE_SIM_SIM_L3_H
#define FATHOM_EXECUTE_SIM_SIM_L3_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"

enum { L3_SLOTS = 1 << 18 };

struct l3_order {
    int64_t id, lots; /* lots 0 = free slot */
    uint64_t number;
};
struct l3_book {
    uint64_t added;
    size_t used;
    struct l3_order slot[L3_SLOTS];
};

struct l3_change { /* what left the queue, or joined it */
    uint64_t number;
    int64_t lots;
};

size_t l3_book_size(void);
void l3_book_init(struct l3_book *b);
/* Applies an EV_ORDER. More than an order has cannot leave it. False: no slot is free. */
bool l3_apply(struct l3_book *b, const struct event *ev, struct l3_change *out);
const struct l3_order *l3_find(const struct l3_book *b, int64_t id); /* NULL: unknown */

#endif
