/* lob.h: a limit order book of single orders with price-time priority.
 *
 *   ring of levels by price -> queue of orders, oldest first; a taker eats from the front
 *
 * Units      prices in ticks, quantities in lots. Side 0 bids, 1 asks.
 * Ownership  the caller's block; plain state with indices, no pointers.
 * Invariant  a level's quantity is the sum of its orders; best bid < best ask is the caller's to
 *            keep (lob_add refuses a crossing order with a CHECK).
 * Limits     LOB_RING ticks between the two outermost orders, LOB_ORDERS_MAX orders.
 */
#ifndef FATHOM_CAPTURE_GENERATE_LOB_H
#define FATHOM_CAPTURE_GENERATE_LOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

enum { LOB_RING = 4096, LOB_ORDERS_MAX = 16384, LOB_CHANGES_MAX = 4096, LOB_NONE = -1 };
enum lob_side { LOB_BID = 0, LOB_ASK = 1 };

struct lob_order {
    int64_t tick, qty;
    int32_t next, prev; /* in the level's queue; `next` also links free orders */
    int32_t place;      /* in lob.loose; LOB_NONE for pinned orders */
    uint8_t side, pad[3];
};

struct lob_level {
    int64_t tick, qty;
    int32_t first, last;
};

struct lob_change {
    int64_t tick;
    uint8_t side;
};

struct lob_fill {
    int64_t tick, qty;
};

struct lob {
    struct lob_level level[LOB_RING];
    uint64_t touched[2][LOB_RING]; /* step number of the last change */
    struct lob_order order[LOB_ORDERS_MAX];
    int32_t loose[2][LOB_ORDERS_MAX]; /* orders that chance may cancel */
    int32_t loose_count[2];
    int32_t free;
    int64_t best[2]; /* meaningful where count > 0 */
    int64_t count[2];
    uint64_t step;
    struct lob_change change[LOB_CHANGES_MAX]; /* levels touched since lob_step */
    size_t changes;
};

void lob_init(struct lob *b);
/* Forgets the list of changes: a new step begins. */
void lob_step(struct lob *b);
/* Adds at the end of the level's queue; `pinned` orders are never cancelled by chance. */
int32_t lob_add(struct lob *b, enum lob_side side, int64_t tick, int64_t qty, bool pinned);
void lob_cancel(struct lob *b, int32_t id);
/* Less quantity, same place in the queue; 0 < qty <= now. */
void lob_reduce(struct lob *b, int32_t id, int64_t qty);
/* Takes up to qty from `side`, best price and oldest first, not beyond `limit`. Returns the fills
 * (<= cap; stops there). Filled orders are gone; *pinned (may be NULL) becomes LOB_NONE if it was
 * one of them. */
size_t lob_take(struct lob *b, enum lob_side side, int64_t qty, int64_t limit,
    struct lob_fill *fill, size_t cap, int32_t *pinned);
int64_t lob_qty(const struct lob *b, enum lob_side side, int64_t tick);
/* Front and back of a level's queue; LOB_NONE if the level is empty or the other side's. */
int32_t lob_first(const struct lob *b, enum lob_side side, int64_t tick);
int32_t lob_last(const struct lob *b, enum lob_side side, int64_t tick);
/* A random order that is not pinned; LOB_NONE if there is none. */
int32_t lob_random(const struct lob *b, enum lob_side side, struct rng *r);

#endif
