/* anchor_book.h: the book of the `anchor` rule set: hftbacktest's hash book, defects included.
 *
 * Units      price and quantity units; `tick` price units a step.
 * Ownership  caller gives mem (anchor_book_size), plain bytes. Threads: one.
 * Invariant  none about truth: diffs apply without a sequence check; a bid at or above the best ask
 *            moves the best ask up but leaves the crossed levels stored (and the best ask does not
 *            come back when the bid leaves); a clear up to a price looks for the next best from two
 *            ticks beyond. These are what equal fills need (docs/simulator.md).
 * Limits     `slots` levels a side, a power of two, at most 3/4 used; what does not fit is dropped
 *            and counted in `full`.
 */
#ifndef FATHOM_EXECUTE_SIM_ANCHOR_BOOK_H
#define FATHOM_EXECUTE_SIM_ANCHOR_BOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"

enum { ANCHOR_SLOTS = 65536, ANCHOR_SNAPSHOT_MAX = 16384 };
#define ANCHOR_NO_BID INT64_MIN
#define ANCHOR_NO_ASK INT64_MAX

struct anchor_level {
    int64_t px, lots; /* lots 0 = free slot */
};

struct anchor_book {
    int64_t tick;
    int64_t best[2]; /* ANCHOR_NO_BID, ANCHOR_NO_ASK when empty */
    int64_t far[2];  /* lowest bid, highest ask seen since the side was empty */
    size_t slots, used[2];
    uint64_t full;
    size_t snapshot_count; /* levels of the open snapshot message */
    struct anchor_level snapshot[ANCHOR_SNAPSHOT_MAX];
    uint8_t snapshot_side[ANCHOR_SNAPSHOT_MAX];
    struct anchor_level level[]; /* slots a side: bids, asks */
};

size_t anchor_book_size(size_t slots);
void anchor_book_init(struct anchor_book *b, size_t slots, int64_t tick);
int64_t anchor_book_at(const struct anchor_book *b, int side, int64_t px);

struct anchor_step { /* one changed level */
    int side;
    int64_t px, before, after;
    int64_t best_before, best_after; /* of that side */
};
/* Sets one level. */
void anchor_book_set(
    struct anchor_book *b, int side, int64_t px, int64_t lots, struct anchor_step *out);
/* Applies a depth event (levels of a snapshot are kept until its last one: each side is cleared up
 * to its last listed price, then set, bids first); `step` (may be NULL) is told of every level. */
void anchor_book_apply(struct anchor_book *b, const struct event *ev,
    void (*step)(void *ctx, const struct anchor_step *c), void *ctx);
/* Removes the levels of a side from the best up to px. */
void anchor_book_clear(struct anchor_book *b, int side, int64_t px);

#endif
