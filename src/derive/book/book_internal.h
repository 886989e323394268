/* book_internal.h: the layout of a book and the one hot function, side_set.
 *
 * Units      a side's KEY is px for asks and -px for bids, so that smaller is better on both.
 *            The far store sorts by RANK = -key, so that the best level is its last.
 * Invariant  a level with key in [base, base + BOOK_WINDOW) is in the ladder, every other is in the
 *            far store and worse than the ladder; the ladder is empty only if the side is.
 *            best is the least key of the side, BOOK_NO_KEY when it is empty.
 *            Two neighbouring far blocks hold more than FAR_MERGE levels together, which bounds
 *            the blocks by 2 n / (FAR_MERGE + 1) + 2.
 */
#ifndef FATHOM_DERIVE_BOOK_BOOK_INTERNAL_H
#define FATHOM_DERIVE_BOOK_BOOK_INTERNAL_H

#include "base/check.h"
#include "derive/book/book.h"

enum {
    LADDER_WORDS = BOOK_WINDOW / 64,
    LADDER_TOPS = LADDER_WORDS / 64,
    LADDER_LEAD = BOOK_WINDOW / 8,  /* free ticks before the best after a move */
    LADDER_DRIFT = BOOK_WINDOW / 2, /* the ladder moves when the best is further in */
    FAR_BLOCK = 64,
    FAR_MERGE = 48,
    TICKERS_KEPT = 256,   /* a depth message may come this many tickers late */
    CHECKS_KEPT = 1024,   /* depth messages that wait for the next ticker */
    STALE_RUN_MAX = 4096, /* so many old messages in a row: the venue numbers anew */
    REORDER_MAX = 64      /* passes over the kept diffs when one was missing */
};
#define BOOK_NO_KEY INT64_MAX
#define BOOK_NO_ID INT64_MIN

struct far_block {
    int64_t rank[FAR_BLOCK]; /* ascending: worst level first; a free block's rank[0] = next free */
    int64_t lots[FAR_BLOCK];
};

struct far_entry { /* directory: blocks in order */
    int64_t rank;  /* of the block's first level */
    uint32_t block, count;
};

struct book_side {
    int64_t base, best;
    size_t count, far_count, levels_max;
    size_t dir_at, pool_at; /* bytes from the side to its directory and blocks */
    size_t dir_count, dir_max, pool_used;
    int64_t pool_free; /* -1 = none */
    uint64_t recentres;
    uint64_t tops[LADDER_TOPS];
    uint64_t words[LADDER_WORDS];
    int64_t lots[BOOK_WINDOW];
};

struct book_quote { /* best of both sides at a book update id */
    int64_t id;
    struct book_level bid, ask;
};

enum book_rule { RULE_PREV, RULE_NEXT, RULE_NONE };
enum book_mode { /* what is done with the events of the open message */
    MODE_NONE,   /* no message is open */
    MODE_APPLY,
    MODE_LOAD, /* snapshot */
    MODE_KEEP, /* waits for a snapshot */
    MODE_SKIP
};

struct book {
    uint64_t magic;
    size_t bytes;
    size_t pending_max, pending_at;                   /* bytes from the book to the kept diffs */
    size_t pending_head, pending_count, pending_open; /* events; open: of the unfinished message */
    int64_t update_id;
    int64_t message_id;
    int64_t chain_id; /* u of the last diff seen that the snapshot covers; BOOK_NO_ID */
    ts_t update_ts;
    uint64_t stale_run;
    uint8_t state;     /* enum book_state */
    uint8_t rule;      /* enum book_rule */
    uint8_t mode;      /* enum book_mode */
    uint8_t fresh;     /* a snapshot was loaded and no diff applied since */
    uint8_t exact;     /* the levels are the venue's at update_id, also in GAP: the missing message
                          would repair it */
    uint8_t replaying; /* kept diffs are being applied: no ticker check */
    uint8_t broken;    /* the open message must not be kept (bad, torn) */
    uint8_t pad;
    struct book_counters counters;
    size_t ticker_head, ticker_count, check_head, check_count;
    struct book_quote tickers[TICKERS_KEPT];
    struct book_quote checks[CHECKS_KEPT];
    _Alignas(64) struct book_side side[2];
};

/* book_side.c */
void side_init(struct book_side *s, size_t levels_max, size_t dir_at, size_t pool_at);
void side_clear(struct book_side *s);
size_t far_blocks_max(size_t levels_max);
/* A level outside the ladder: returns what was there. */
int64_t side_set_far(struct book_side *s, int64_t key, int64_t lots);
void side_best_gone(struct book_side *s);
/* The first level with a key > after; false at the end. */
bool side_next(const struct book_side *s, int64_t after, int64_t *key, int64_t *lots);
int64_t side_lots(const struct book_side *s, int64_t key);
/* Quantity at the keys first..last. */
int64_t side_sum(const struct book_side *s, int64_t first, int64_t last);

/* book_sync.c */
void sync_begin(struct book *b, const struct event *ev, struct book_change *change);
void sync_end(struct book *b, const struct event *ev, struct book_change *change);
void sync_keep(struct book *b, const struct event *ev);
void sync_bad_level(struct book *b, struct book_change *change, bool full);
void sync_torn(struct book *b, struct book_change *change);

/* book_check.c */
void check_ticker(struct book *b, const struct event *ev);
void check_depth(struct book *b);

static inline int64_t side_key(int side, int64_t px) { return side == BOOK_ASK ? px : -px; }

static inline void book_quote_now(const struct book *b, struct book_quote *q) {
    const struct book_side *bid = &b->side[BOOK_BID], *ask = &b->side[BOOK_ASK];
    *q = (struct book_quote){.id = b->update_id};
    if (bid->count > 0) {
        q->bid = (struct book_level){{-bid->best}, {bid->lots[bid->best - bid->base]}};
    }
    if (ask->count > 0) {
        q->ask = (struct book_level){{ask->best}, {ask->lots[ask->best - ask->base]}};
    }
}

/* Sets a level and returns the quantity before. Straight-line code: whether a level appears,
 * changes or goes is as good as random, and a wrong guess costs more than all of this. */
static inline int64_t side_set(struct book_side *s, int64_t key, int64_t lots) {
    uint64_t slot = (uint64_t)key - (uint64_t)s->base;
    if (__builtin_expect(slot >= BOOK_WINDOW, 0)) return side_set_far(s, key, lots);
    int64_t before = s->lots[slot];
    uint64_t bit = 1ull << (slot & 63u), top = 1ull << ((slot >> 6) & 63u);
    uint64_t *word = &s->words[slot >> 6], *over = &s->tops[slot >> 12];
    s->lots[slot] = lots;
    *word = (*word & ~bit) | (lots != 0 ? bit : 0);
    *over = (*over & ~top) | (*word != 0 ? top : 0);
    s->count += (size_t)(lots != 0) - (size_t)(before != 0);
    if (key <= s->best) {
        if (lots != 0) {
            s->best = key;
        } else if (key == s->best) {
            side_best_gone(s);
        }
    }
    return before;
}

/* The same for one level of a message; false if it cannot be (then nothing changed, or the side is
 * over full: either way the book is lost). */
static inline bool book_set_level(struct book *b, const struct event *ev, struct book_change *c) {
    unsigned sides = ev->flags & (EVF_BUY | EVF_SELL);
    bool bad = (sides != EVF_BUY) & (sides != EVF_SELL);
    bad |= (uint64_t)ev->px.ticks - 1u >= (uint64_t)BOOK_PX_MAX;
    bad |= (uint64_t)ev->qty.lots > (uint64_t)BOOK_LOTS_MAX;
    if (__builtin_expect(bad, 0)) return false;
    int side = sides == EVF_SELL;
    struct book_side *s = &b->side[side];
    int64_t before = side_set(s, side_key(side, ev->px.ticks), ev->qty.lots);
    c->px = ev->px;
    c->before.lots = before;
    c->after = ev->qty;
    c->side = (uint8_t)side;
    c->any = before != ev->qty.lots;
    return s->count <= s->levels_max;
}

static inline bool book_crossed(const struct book *b) {
    const struct book_side *bid = &b->side[BOOK_BID], *ask = &b->side[BOOK_ASK];
    return bid->count > 0 && ask->count > 0 && -bid->best >= ask->best;
}

#endif
