#include "capture/generate/lob.h"

#include <string.h>

#include "base/check.h"

static struct lob_level *slot(struct lob *b, int64_t tick) {
    return &b->level[(uint64_t)tick % LOB_RING];
}

static const struct lob_level *slot_const(const struct lob *b, int64_t tick) {
    return &b->level[(uint64_t)tick % LOB_RING];
}

void lob_init(struct lob *b) {
    memset(b, 0, sizeof *b);
    for (int i = 0; i < LOB_RING; i++) b->level[i].first = b->level[i].last = LOB_NONE;
    for (int32_t i = 0; i < LOB_ORDERS_MAX; i++)
        b->order[i].next = i + 1 < LOB_ORDERS_MAX ? i + 1 : LOB_NONE;
    b->step = 1;
}

void lob_step(struct lob *b) {
    b->step++;
    b->changes = 0;
}

static void touch(struct lob *b, enum lob_side side, int64_t tick) {
    uint64_t *stamp = &b->touched[side][(uint64_t)tick % LOB_RING];
    if (*stamp == b->step) return;
    CHECK(b->changes < LOB_CHANGES_MAX);
    *stamp = b->step;
    b->change[b->changes++] = (struct lob_change){tick, (uint8_t)side};
}

static bool better(enum lob_side side, int64_t a, int64_t b) {
    return side == LOB_BID ? a > b : a < b;
}

int64_t lob_qty(const struct lob *b, enum lob_side side, int64_t tick) {
    const struct lob_level *l = slot_const(b, tick);
    bool here = l->first != LOB_NONE && l->tick == tick && b->order[l->first].side == side;
    return here ? l->qty : 0;
}

int32_t lob_first(const struct lob *b, enum lob_side side, int64_t tick) {
    return lob_qty(b, side, tick) > 0 ? slot_const(b, tick)->first : LOB_NONE;
}

int32_t lob_last(const struct lob *b, enum lob_side side, int64_t tick) {
    return lob_qty(b, side, tick) > 0 ? slot_const(b, tick)->last : LOB_NONE;
}

int32_t lob_random(const struct lob *b, enum lob_side side, struct rng *r) {
    if (b->loose_count[side] == 0) return LOB_NONE;
    return b->loose[side][rng_below(r, (uint64_t)b->loose_count[side])];
}

int32_t lob_add(struct lob *b, enum lob_side side, int64_t tick, int64_t qty, bool pinned) {
    enum lob_side other = side == LOB_BID ? LOB_ASK : LOB_BID;
    CHECK(qty > 0 && tick > 0 && b->free != LOB_NONE);
    CHECK(b->count[other] == 0 || better(side, b->best[other], tick));
    int32_t id = b->free;
    struct lob_order *o = &b->order[id];
    struct lob_level *l = slot(b, tick);
    CHECK(l->first == LOB_NONE || (l->tick == tick && b->order[l->first].side == side));
    b->free = o->next;
    *o = (struct lob_order){.tick = tick,
        .qty = qty,
        .next = LOB_NONE,
        .prev = l->last,
        .place = LOB_NONE,
        .side = (uint8_t)side};
    if (l->last == LOB_NONE) {
        l->first = id;
        l->qty = 0;
        l->tick = tick;
    } else {
        b->order[l->last].next = id;
    }
    l->last = id;
    l->qty += qty;
    if (!pinned) {
        o->place = b->loose_count[side]++;
        b->loose[side][o->place] = id;
    }
    if (b->count[side]++ == 0 || better(side, tick, b->best[side])) b->best[side] = tick;
    touch(b, side, tick);
    return id;
}

/* The next level outward that holds orders becomes the best. */
static void best_find(struct lob *b, enum lob_side side) {
    if (b->count[side] == 0) return;
    int64_t out = side == LOB_BID ? -1 : 1, tick = b->best[side];
    for (int i = 0; lob_qty(b, side, tick) == 0; i++, tick += out) CHECK(i < LOB_RING);
    b->best[side] = tick;
}

static void loose_remove(struct lob *b, const struct lob_order *o) {
    if (o->place == LOB_NONE) return;
    int32_t moved = b->loose[o->side][--b->loose_count[o->side]];
    b->loose[o->side][o->place] = moved;
    b->order[moved].place = o->place;
}

void lob_cancel(struct lob *b, int32_t id) {
    CHECK(id >= 0 && id < LOB_ORDERS_MAX);
    struct lob_order *o = &b->order[id];
    struct lob_level *l = slot(b, o->tick);
    enum lob_side side = (enum lob_side)o->side;
    CHECK(o->qty > 0 && l->tick == o->tick);
    loose_remove(b, o);
    *(o->prev == LOB_NONE ? &l->first : &b->order[o->prev].next) = o->next;
    *(o->next == LOB_NONE ? &l->last : &b->order[o->next].prev) = o->prev;
    l->qty -= o->qty;
    b->count[side]--;
    touch(b, side, o->tick);
    o->qty = 0;
    o->next = b->free;
    b->free = id;
    if (l->first == LOB_NONE && b->best[side] == o->tick) best_find(b, side);
}

void lob_reduce(struct lob *b, int32_t id, int64_t qty) {
    struct lob_order *o = &b->order[id];
    CHECK(qty > 0 && qty <= o->qty);
    slot(b, o->tick)->qty -= o->qty - qty;
    o->qty = qty;
    touch(b, (enum lob_side)o->side, o->tick);
}

size_t lob_take(struct lob *b, enum lob_side side, int64_t qty, int64_t limit,
    struct lob_fill *fill, size_t cap, int32_t *pinned) {
    size_t n = 0;
    while (qty > 0 && n < cap && b->count[side] > 0 && !better(side, limit, b->best[side])) {
        int32_t id = slot(b, b->best[side])->first;
        struct lob_order *o = &b->order[id];
        int64_t done = o->qty < qty ? o->qty : qty;
        fill[n++] = (struct lob_fill){o->tick, done};
        qty -= done;
        if (done < o->qty) {
            lob_reduce(b, id, o->qty - done);
        } else {
            lob_cancel(b, id);
            if (pinned && *pinned == id) *pinned = LOB_NONE;
        }
    }
    return n;
}
