/* anchor_book.h: the book of the `anchor` rule set: hftbacktest's hash book, defects included.
 *
 * Units      quantity units; prices at the edge in price units, inside as KEYS: tick numbers
 *            (price / tick, half a tick away from zero as the peer rounds), negated for bids, so
 *            that smaller is better on both sides.
 * Ownership  caller gives mem (anchor_book_size, aligned 64); a book beside another one
 *            (anchor_book_beside_size) keeps its levels in that one's memory. Threads: one.
 * Invariant  a level with a key in [base, base + ANCHOR_WINDOW) is in the side's window, every
 *            other in its sorted outer list; the best is in the window. None about truth: diffs
 * apply without a sequence check; a bid at or above the best ask moves the best ask up but leaves
 * the crossed levels stored (and the best ask does not come back when the bid leaves); a clear up
 * to a price looks for the next best from two ticks beyond. These are what equal fills need
 *            (docs/simulator.md).
 * Limits     ANCHOR_OUTER_MAX levels a side outside the window; what does not fit is dropped and
 *            counted in `full`, which ends the run (WORLD_BOOK_FULL).
 * Why        a flat window by tick costs one load and one store a level; the next best is looked
 *            for tick by tick, which is near. A key's slot is the key modulo the window's length,
 *            wherever the window stands, and two books of one market share the lines of memory:
 *            the second book finds what the first has just fetched (docs/decisions/sim-speed.md).
 */
#ifndef FATHOM_EXECUTE_SIM_ANCHOR_BOOK_H
#define FATHOM_EXECUTE_SIM_ANCHOR_BOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"

enum { ANCHOR_BOOKS = 2 }; /* of one market: side by side */
enum { ANCHOR_WINDOW = 262144, ANCHOR_OUTER_MAX = 32768, ANCHOR_SNAPSHOT_MAX = 16384 };
#define ANCHOR_NO_BID INT64_MIN
#define ANCHOR_NO_ASK INT64_MAX
#define ANCHOR_NO_KEY INT64_MAX

struct anchor_level {
    int64_t key, lots;
};

struct anchor_side {
    int64_t base, best; /* ANCHOR_NO_KEY when empty */
    int64_t far;        /* largest key set since the side was empty, INT64_MIN then */
    size_t outer_count;
    bool placed;                                 /* the window has a place */
    int64_t *lots;                               /* the window: anchor_slot */
    struct anchor_level outer[ANCHOR_OUTER_MAX]; /* rising keys */
};

struct anchor_book {
    int64_t tick;
    uint64_t full;
    size_t snapshot_count; /* levels of the open snapshot message */
    struct anchor_level snapshot[ANCHOR_SNAPSHOT_MAX];
    uint8_t snapshot_side[ANCHOR_SNAPSHOT_MAX];
    struct anchor_side side[2];
};

size_t anchor_book_size(void);
void anchor_book_init(struct anchor_book *b, int64_t tick);
/* A second book of the same market, whose slots lie between those of `of`, which has no other such
 * book. All else is its own: the two may hold anything. */
size_t anchor_book_beside_size(void);
void anchor_book_init_beside(struct anchor_book *b, const struct anchor_book *of);

int64_t anchor_key(int64_t tick, int side, int64_t px);
/* Best price, ANCHOR_NO_BID or ANCHOR_NO_ASK when empty. */
int64_t anchor_book_best(const struct anchor_book *b, int side);
int64_t anchor_book_at(const struct anchor_book *b, int side, int64_t px);
int64_t anchor_book_at_key(const struct anchor_book *b, int side, int64_t key);

struct anchor_step { /* one changed level, in price units */
    int side;
    int64_t px, before, after;
    int64_t best_before, best_after; /* of that side */
};
/* The step that a level made which had `before`, while the best key was best_before. */
struct anchor_step anchor_step_of(const struct anchor_book *b, int side, struct anchor_level l,
    int64_t before, int64_t best_before);
/* Sets one level; returns the quantity before. */
int64_t anchor_book_set(struct anchor_book *b, int side, int64_t key, int64_t lots);
typedef void anchor_step_fn(void *ctx, const struct anchor_step *c);
/* Applies a depth event (levels of a snapshot are kept until its last one: each side is cleared up
 * to its last listed price, then set, bids first); `step` (may be NULL) is told of every level. */
void anchor_book_apply(
    struct anchor_book *b, const struct event *ev, anchor_step_fn *step, void *ctx);
/* The two halves of a snapshot, for levels that are keys already. */
void anchor_book_keep(struct anchor_book *b, int side, struct anchor_level l);
void anchor_book_replace(struct anchor_book *b, anchor_step_fn *step, void *ctx);
/* Removes the levels of a side from the best up to key. */
void anchor_book_clear(struct anchor_book *b, int side, int64_t key);

/* What is left to do after a level at or before the best has changed its quantity to `lots`. */
void anchor_book_touch(struct anchor_book *b, int side, int64_t key, int64_t lots);
/* A level outside the window: returns the quantity before. */
int64_t anchor_book_outer(struct anchor_book *b, int side, int64_t key, int64_t lots);

static inline int64_t anchor_px(const struct anchor_book *b, int side, int64_t key) {
    return side == 0 ? -key * b->tick : key * b->tick;
}

/* Where the key is while the window covers it. */
static inline int64_t *anchor_slot(const struct anchor_side *s, int64_t key) {
    return &s->lots[ANCHOR_BOOKS * ((uint64_t)key % ANCHOR_WINDOW)];
}

static inline bool anchor_inside(const struct anchor_side *s, int64_t key) {
    return (uint64_t)key - (uint64_t)s->base < ANCHOR_WINDOW;
}

/* anchor_book_set without its checks: what a replay does most. */
static inline int64_t anchor_put(struct anchor_book *b, int side, int64_t key, int64_t lots) {
    struct anchor_side *s = &b->side[side];
    int64_t before;
    if (__builtin_expect(anchor_inside(s, key), 1)) {
        int64_t *slot = anchor_slot(s, key);
        before = *slot;
        *slot = lots;
    } else {
        before = anchor_book_outer(b, side, key, lots);
    }
    if (key <= s->best) anchor_book_touch(b, side, key, lots);
    if (__builtin_expect(key > s->far, 0) && lots > 0) s->far = key;
    return before;
}

#endif
