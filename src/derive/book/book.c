#include "derive/book/book.h"

#include <string.h>

#include "base/hash.h"
#include "derive/book/book_internal.h"

#define BOOK_MAGIC 0x31304b4f4f424846ull /* "FHBOOK01" */

enum { HASH_LEVELS = 128 }; /* levels hashed at a time */

_Static_assert(LADDER_TOPS * 64 * 64 == BOOK_WINDOW, "two bitmap levels cover the ladder");
_Static_assert(sizeof(struct book) % 64 == 0, "what follows stays aligned");

static size_t levels_max_of(const struct book_limits *l) {
    return l != NULL && l->levels_max > 0 ? l->levels_max : BOOK_LEVELS_DEFAULT;
}

static size_t pending_max_of(const struct book_limits *l) {
    return l != NULL && l->pending_max > 0 ? l->pending_max : BOOK_PENDING_DEFAULT;
}

static size_t align64(size_t n) { return (n + 63) & ~(size_t)63; }

struct layout {
    size_t dir[2], pool[2], pending, bytes;
};

static struct layout layout_of(size_t levels_max, size_t pending_max) {
    struct layout at;
    size_t blocks = far_blocks_max(levels_max), n = sizeof(struct book);
    for (int side = 0; side < 2; side++) {
        at.dir[side] = n;
        n = align64(n + blocks * sizeof(struct far_entry));
        at.pool[side] = n;
        n = align64(n + blocks * sizeof(struct far_block));
    }
    at.pending = n;
    at.bytes = n + pending_max * sizeof(struct event);
    return at;
}

size_t book_mem_size(const struct book_limits *limits) {
    return layout_of(levels_max_of(limits), pending_max_of(limits)).bytes;
}

static enum book_rule rule_of(uint8_t venue) {
    if (venue == VENUE_BINANCE_SPOT || venue == VENUE_BYBIT) return RULE_NEXT;
    if (venue == VENUE_NONE || venue == VENUE_OTHER) return RULE_NONE;
    return RULE_PREV;
}

struct book *book_init(void *mem, const struct book_limits *limits, uint8_t venue) {
    CHECK(mem != NULL && ((uintptr_t)mem & 63u) == 0);
    size_t levels_max = levels_max_of(limits), pending_max = pending_max_of(limits);
    CHECK(levels_max <= UINT32_MAX / FAR_BLOCK);
    struct layout at = layout_of(levels_max, pending_max);
    memset(mem, 0, at.bytes);
    struct book *b = mem;
    b->magic = BOOK_MAGIC;
    b->bytes = at.bytes;
    b->pending_max = pending_max;
    b->pending_at = at.pending;
    b->rule = (uint8_t)rule_of(venue);
    b->chain_id = BOOK_NO_ID;
    for (int side = 0; side < 2; side++) {
        size_t here = offsetof(struct book, side) + (size_t)side * sizeof(struct book_side);
        side_init(&b->side[side], levels_max, at.dir[side] - here, at.pool[side] - here);
    }
    return b;
}

struct book *book_load(void *mem) {
    struct book *b = mem;
    if (b == NULL || ((uintptr_t)mem & 63u) != 0 || b->magic != BOOK_MAGIC) return NULL;
    struct layout at = layout_of(b->side[0].levels_max, b->pending_max);
    return at.bytes == b->bytes && at.pending == b->pending_at ? b : NULL;
}

/* ---- events ---- */

static void apply_level(struct book *b, const struct event *ev, struct book_change *change) {
    switch ((enum book_mode)b->mode) {
    case MODE_APPLY:
    case MODE_LOAD:
        if (!book_set_level(b, ev, change)) sync_bad_level(b, change, change->any);
        if (b->mode == MODE_LOAD || b->state != BOOK_SYNCED) change->any = false;
        break;
    case MODE_KEEP: sync_keep(b, ev); break;
    case MODE_NONE:
    case MODE_SKIP: break;
    }
}

void book_fetch(const struct book *b, const struct event *ev) {
    if (ev->kind != EV_DEPTH) return;
    int side = (ev->flags & EVF_SELL) != 0;
    const struct book_side *s = &b->side[side];
    uint64_t slot = (uint64_t)side_key(side, ev->px.ticks) - (uint64_t)s->base;
    if (slot >= BOOK_WINDOW) return;
    __builtin_prefetch(&s->lots[slot], 1);
    __builtin_prefetch(&s->words[slot >> 6], 1);
}

static void apply_depth(struct book *b, const struct event *ev, struct book_change *change) {
    if (ev->flags & EVF_FIRST) {
        sync_begin(b, ev, change);
    } else if (b->mode == MODE_NONE || b->message_id != ev->id) {
        sync_torn(b, change);
        b->message_id = ev->id;
        b->mode = MODE_SKIP;
    }
    if (ev->kind == EV_DEPTH) {
        b->counters.depth_levels += !(ev->flags & EVF_SNAPSHOT);
        if (__builtin_expect(b->mode == MODE_APPLY && b->state == BOOK_SYNCED, 1)) {
            if (!book_set_level(b, ev, change)) sync_bad_level(b, change, change->any);
        } else {
            apply_level(b, ev, change);
        }
    } else if (b->mode == MODE_KEEP) {
        sync_keep(b, ev);
    }
    if (ev->flags & EVF_LAST) sync_end(b, ev, change);
}

void book_apply(struct book *b, const struct event *ev, struct book_change *change) {
    memset(change, 0, sizeof *change);
    if (ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END) {
        apply_depth(b, ev, change);
    } else if (ev->kind == EV_TICKER) {
        check_ticker(b, ev);
    } else if (ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE) {
        if (ev->flags & EVF_NON_MARKET) b->counters.non_market++;
        if (!(ev->flags & EVF_NON_MARKET)) b->counters.trades++;
    }
}

/* ---- reading ---- */

static bool visible(const struct book *b) {
    return b->state == BOOK_SYNCED && b->mode != MODE_LOAD;
}

enum book_state book_state(const struct book *b) { return (enum book_state)b->state; }

const char *book_state_name(enum book_state s) {
    switch (s) {
    case BOOK_EMPTY: return "EMPTY";
    case BOOK_SYNCED: return "SYNCED";
    case BOOK_GAP: return "GAP";
    }
    return "?";
}

bool book_between_messages(const struct book *b) { return b->mode == MODE_NONE; }
const struct book_counters *book_counters(const struct book *b) { return &b->counters; }
int64_t book_update_id(const struct book *b) { return b->update_id; }
ts_t book_update_ts(const struct book *b) { return b->update_ts; }

size_t book_count(const struct book *b, int side) {
    CHECK(side == BOOK_BID || side == BOOK_ASK);
    return visible(b) ? b->side[side].count : 0;
}

bool book_best(const struct book *b, int side, struct book_level *out) {
    CHECK(side == BOOK_BID || side == BOOK_ASK);
    const struct book_side *s = &b->side[side];
    if (!visible(b) || s->count == 0) return false;
    out->px.ticks = side_key(side, s->best);
    out->qty.lots = s->lots[s->best - s->base];
    return true;
}

size_t book_top(const struct book *b, int side, size_t n, struct book_level *out) {
    struct book_level level;
    if (n == 0 || !book_best(b, side, &level)) return 0;
    const struct book_side *s = &b->side[side];
    out[0] = level;
    size_t i = 1;
    for (int64_t key = s->best, lots; i < n && side_next(s, key, &key, &lots); i++) {
        out[i] = (struct book_level){{side_key(side, key)}, {lots}};
    }
    return i;
}

qty_t book_qty_at(const struct book *b, int side, price_t px) {
    CHECK(side == BOOK_BID || side == BOOK_ASK);
    if (!visible(b) || px.ticks <= 0 || px.ticks > BOOK_PX_MAX) return (qty_t){0};
    return (qty_t){side_lots(&b->side[side], side_key(side, px.ticks))};
}

qty_t book_qty_between(const struct book *b, int side, price_t from, price_t to) {
    CHECK(side == BOOK_BID || side == BOOK_ASK);
    CHECK(from.ticks > 0 && from.ticks <= BOOK_PX_MAX && to.ticks <= BOOK_PX_MAX);
    if (!visible(b)) return (qty_t){0};
    int64_t first = side_key(side, from.ticks), last = side_key(side, to.ticks);
    return (qty_t){first <= last ? side_sum(&b->side[side], first, last) : 0};
}

bool book_next(const struct book *b, int side, price_t px, struct book_level *out) {
    CHECK(side == BOOK_BID || side == BOOK_ASK);
    int64_t key, lots, from = px.ticks;
    if (!visible(b)) return false;
    if (from < 0) from = 0;
    if (from > BOOK_PX_MAX) from = BOOK_PX_MAX + 1;
    if (!side_next(&b->side[side], side_key(side, from), &key, &lots)) return false;
    *out = (struct book_level){{side_key(side, key)}, {lots}};
    return true;
}

static uint64_t side_hash(const struct book *b, int side, uint64_t h) {
    const struct book_side *s = &b->side[side];
    struct book_level levels[HASH_LEVELS];
    size_t n = 0;
    if (s->count == 0) return h;
    int64_t key = s->best, lots = s->lots[s->best - s->base];
    do {
        levels[n++] = (struct book_level){{side_key(side, key)}, {lots}};
        if (n == HASH_LEVELS) {
            h = hash64(h, levels, sizeof levels);
            n = 0;
        }
    } while (side_next(s, key, &key, &lots));
    return n > 0 ? hash64(h, levels, n * sizeof levels[0]) : h;
}

uint64_t book_hash(const struct book *b, uint64_t before) {
    bool show = visible(b);
    int64_t head[4] = {b->update_id, b->state, show ? (int64_t)b->side[BOOK_BID].count : 0,
        show ? (int64_t)b->side[BOOK_ASK].count : 0};
    uint64_t h = hash64(before, head, sizeof head);
    if (!show) return h;
    return side_hash(b, BOOK_ASK, side_hash(b, BOOK_BID, h));
}
