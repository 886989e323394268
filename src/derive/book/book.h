/* book.h: the exact L2 book of one instrument in price units and quantity units.
 *
 *   EMPTY --snapshot--> SYNCED --break in the venue's numbering--> GAP --snapshot--> SYNCED
 *                                                                   `--the missing message--^
 *
 * Units      ticks and lots of the instrument. Bids are side 0, asks side 1.
 * Time       none: sequence numbers only.
 * Ownership  the caller gives `mem` (book_mem_size bytes, aligned 64); the state is plain bytes
 *            without pointers: saving and loading is a memcpy of the block.
 * Threads    one.
 * Invariant  SYNCED means: every level equals the venue's book after update_id. A gap, a crossed or
 *            locked book after a message, a bad level, a message that never ended or a full side
 *            means GAP: never a silently wrong book. While it is not SYNCED (and while a snapshot
 *            is half loaded) no level is visible: counts are 0, book_best is false.
 * Reading    state, update id and counters are those of the last whole message; levels change with
 *            each event, so read them only after EVF_LAST.
 * Limits     book_limits; BOOK_PX_MAX, BOOK_LOTS_MAX.
 * Why        each side is a ladder of BOOK_WINDOW ticks around the touch under a bitmap hierarchy
 *            and a sorted far store for the rest, which reaches a million ticks. Measured on four
 *            recordings (bench/book_bench): 16,384 ticks 10.7..21.9 ns an update, 65,536 ticks
 *            9.5..13.9 ns, 131,072 no more than that. Numbering rules: book_sync.c.
 */
#ifndef FATHOM_DERIVE_BOOK_BOOK_H
#define FATHOM_DERIVE_BOOK_BOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"
#include "base/instrument.h"

enum { BOOK_BID = 0, BOOK_ASK = 1, BOOK_TOP_MAX = 64 };
enum { BOOK_LEVELS_DEFAULT = 32768, BOOK_PENDING_DEFAULT = 65536 };
enum { BOOK_WINDOW = 65536 };            /* ticks of a side's ladder */
#define BOOK_PX_MAX ((int64_t)1 << 56)   /* a level beyond is absurd */
#define BOOK_LOTS_MAX ((int64_t)1 << 60) /* the same for quantities */
enum book_state { BOOK_EMPTY = 0, BOOK_SYNCED = 1, BOOK_GAP = 2 };

struct book;

struct book_limits {
    size_t levels_max;  /* a side; 0 = BOOK_LEVELS_DEFAULT; beyond it the book is GAP */
    size_t pending_max; /* diff events kept while waiting for a snapshot; 0 = default; when full the
                           oldest messages are dropped and counted */
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
    bool whole; /* the whole visible book changed (snapshot, replay, loss of trust): level deltas
                   are meaningless */
};

struct book_counters {
    uint64_t depth_messages, depth_levels; /* diffs; snapshots are counted apart */
    uint64_t snapshots, stale_messages;
    uint64_t gaps;            /* times the book stopped being trusted, whatever the reason */
    uint64_t resyncs;         /* times it came back after a gap */
    uint64_t crossed;         /* gaps because it was crossed or locked after a message */
    uint64_t dropped_pending; /* events that waited for a snapshot and did not fit */
    uint64_t ticker_checked, ticker_equal, ticker_seen;
    uint64_t trades, non_market;
    uint64_t bad_levels;        /* gaps because of a level that cannot be */
    uint64_t full;              /* gaps because a side passed levels_max */
    uint64_t torn_messages;     /* messages without their first or last event */
    uint64_t snapshots_refused; /* older than the book, or than the diffs kept for it */
    uint64_t ticker_unjudged;   /* depth messages that could not be compared with a ticker */
    uint64_t recentres;         /* moves of a ladder (cost only) */
};

size_t book_mem_size(const struct book_limits *limits);
/* `mem` zeroed by book_init. `venue` picks the numbering rule. */
struct book *book_init(void *mem, const struct book_limits *limits, uint8_t venue);
/* A block copied from a saved one; NULL if it is none of this version. */
struct book *book_load(void *mem);

/* Fetches what applying a level event will touch, for a caller that has several books and knows
 * what comes next. Changes nothing; other events are passed over. */
void book_fetch(const struct book *b, const struct event *ev);

/* Applies one event of this instrument (others ignored by the caller). O(1) amortised near the top.
 * Never fails: a bad sequence becomes GAP and a counter. */
void book_apply(struct book *b, const struct event *ev, struct book_change *change);

/* At the end of the data: the depth messages that still wait for a ticker with a larger id are
 * counted as compared if they equal the last ticker already, else as unjudged (the ticker that
 * would decide may simply not have come). Nothing else changes. */
void book_end(struct book *b);

enum book_state book_state(const struct book *b);
const char *book_state_name(enum book_state s);   /* "EMPTY", "SYNCED", "GAP" */
bool book_between_messages(const struct book *b); /* false after a message's first event until its
                                                     last: levels must not be read */
const struct book_counters *book_counters(const struct book *b);
int64_t book_update_id(const struct book *b);
ts_t book_update_ts(const struct book *b); /* latest ts_local of the applied messages */
size_t book_count(const struct book *b, int side);

/* Best level; false if the side is empty. */
bool book_best(const struct book *b, int side, struct book_level *out);
/* The best n levels, best first; returns how many there are (<= n). */
size_t book_top(const struct book *b, int side, size_t n, struct book_level *out);
qty_t book_qty_at(const struct book *b, int side, price_t px);
/* Sum of the quantities from price `from` away from the best to price `to`, both included. */
qty_t book_qty_between(const struct book *b, int side, price_t from, price_t to);
/* Next level away from the best after px (exclusive); false at the end. */
bool book_next(const struct book *b, int side, price_t px, struct book_level *out);
/* Hash over all levels of both sides from the best outward, update id and state. */
uint64_t book_hash(const struct book *b, uint64_t before);

#endif
