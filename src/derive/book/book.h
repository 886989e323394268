/* book.h: the exact L2 book of one instrument in price units and quantity units.
 *
 *   EMPTY --snapshot--> SYNCED --break in the venue's numbering--> GAP --snapshot--> SYNCED
 *
 * Units      ticks and lots of the instrument. Bids are side 0, asks side 1.
 * Time       none: sequence numbers only.
 * Ownership  the caller gives `mem` (book_mem_size bytes, aligned 64); the state is plain bytes
 *            without pointers: saving and loading is a memcpy of the block.
 * Threads    one.
 * Invariant  SYNCED means: every level equals the venue's book after update_id. A gap, a crossed
 *            book after a message, or a bad level means GAP: never a silently wrong book.
 * Limits     book_limits.
 * Venue rules are in ../../../docs and book_sync.c: futures pu == previous u; spot U == previous u
 * + 1.
 */
#ifndef FATHOM_DERIVE_BOOK_BOOK_H
#define FATHOM_DERIVE_BOOK_BOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"
#include "base/instrument.h"

enum { BOOK_BID = 0, BOOK_ASK = 1, BOOK_TOP_MAX = 64 };
enum book_state { BOOK_EMPTY = 0, BOOK_SYNCED = 1, BOOK_GAP = 2 };

struct book;

struct book_limits {
    size_t levels_max;  /* a side; 0 = default 32768 */
    size_t pending_max; /* diff events kept while waiting for a snapshot; 0 = default 65536 */
};

struct book_level {
    price_t px;
    qty_t qty;
};

/* What the last book_apply changed: one level. */
struct book_change {
    price_t px;
    qty_t before, after;
    uint8_t side;
    bool any;   /* a level really changed (false: pending, stale, ticker, trade, ...) */
    bool whole; /* the whole book was replaced or replayed (snapshot): level deltas are meaningless
                 */
};

struct book_counters {
    uint64_t depth_messages, depth_levels, snapshots, stale_messages;
    uint64_t gaps, resyncs, crossed, dropped_pending;
    uint64_t ticker_checked, ticker_equal, ticker_seen;
    uint64_t trades, non_market;
};

size_t book_mem_size(const struct book_limits *limits);
/* `mem` zeroed by book_init. `venue` picks the numbering rule. */
struct book *book_init(void *mem, const struct book_limits *limits, uint8_t venue);
struct book *book_load(void *mem); /* a block copied from a saved one */

/* Applies one event of this instrument (others ignored by the caller). O(1) amortised near the top.
 * Never fails: a bad sequence becomes GAP and a counter. */
void book_apply(struct book *b, const struct event *ev, struct book_change *change);

enum book_state book_state(const struct book *b);
const struct book_counters *book_counters(const struct book *b);
int64_t book_update_id(const struct book *b);
ts_t book_update_ts(const struct book *b); /* ts_local of the last applied message */
size_t book_count(const struct book *b, int side);

/* Best level; false if the side is empty. */
bool book_best(const struct book *b, int side, struct book_level *out);
/* The best n levels, best first; returns how many there are (<= n). */
size_t book_top(const struct book *b, int side, size_t n, struct book_level *out);
qty_t book_qty_at(const struct book *b, int side, price_t px);
/* Next level away from the best after px (exclusive); false at the end. */
bool book_next(const struct book *b, int side, price_t px, struct book_level *out);
/* Hash over all levels of both sides from the best outward, update id and state. */
uint64_t book_hash(const struct book *b, uint64_t before);

#endif
