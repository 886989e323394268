#include "execute/sim/anchor_book.h"

#include <string.h>

#include "base/check.h"
#include "execute/order/order.h"

size_t anchor_book_size(size_t slots) {
    return sizeof(struct anchor_book) + 2 * slots * sizeof(struct anchor_level);
}

void anchor_book_init(struct anchor_book *b, size_t slots, int64_t tick) {
    CHECK(slots > 0 && (slots & (slots - 1)) == 0);
    CHECK(tick > 0);
    memset(b, 0, anchor_book_size(slots));
    b->slots = slots;
    b->tick = tick;
    b->best[SIDE_BUY] = ANCHOR_NO_BID;
    b->best[SIDE_SELL] = ANCHOR_NO_ASK;
    b->far[SIDE_BUY] = INT64_MAX;
    b->far[SIDE_SELL] = INT64_MIN;
}

static size_t home(const struct anchor_book *b, int64_t px) {
    return (size_t)(((uint64_t)px * 0x9E3779B97F4A7C15u) >> 32) & (b->slots - 1);
}

/* The slot of px, or the free slot where it would go. */
static size_t locate(const struct anchor_book *b, int side, int64_t px) {
    const struct anchor_level *t = b->level + (size_t)side * b->slots;
    size_t i = home(b, px);
    while (t[i].lots != 0 && t[i].px != px) i = (i + 1) & (b->slots - 1);
    return i;
}

int64_t anchor_book_at(const struct anchor_book *b, int side, int64_t px) {
    return b->level[(size_t)side * b->slots + locate(b, side, px)].lots;
}

/* Closes the hole so that probing never meets a false end. */
static void erase(struct anchor_book *b, int side, size_t hole) {
    struct anchor_level *t = b->level + (size_t)side * b->slots;
    size_t mask = b->slots - 1;
    t[hole].lots = 0;
    b->used[side]--;
    for (size_t i = (hole + 1) & mask; t[i].lots != 0; i = (i + 1) & mask) {
        size_t want = home(b, t[i].px);
        if (((i - want) & mask) < ((i - hole) & mask)) continue;
        t[hole] = t[i];
        t[i].lots = 0;
        hole = i;
    }
}

static int64_t put(struct anchor_book *b, int side, int64_t px, int64_t lots) {
    size_t i = locate(b, side, px);
    struct anchor_level *at = b->level + (size_t)side * b->slots + i;
    int64_t before = at->lots;
    if (lots == 0) {
        if (before != 0) erase(b, side, i);
        return before;
    }
    if (before == 0 && b->used[side] >= b->slots / 4 * 3) {
        b->full++;
        return 0;
    }
    b->used[side] += before == 0;
    *at = (struct anchor_level){px, lots};
    return before;
}

/* The next occupied price worse than `from`, tick by tick to the farthest seen. */
static int64_t search(struct anchor_book *b, int side, int64_t from) {
    if (side == SIDE_BUY) {
        for (int64_t p = from - b->tick; p >= b->far[side]; p -= b->tick) {
            if (anchor_book_at(b, side, p) > 0) return p;
        }
        return ANCHOR_NO_BID;
    }
    for (int64_t p = from + b->tick; p <= b->far[side]; p += b->tick) {
        if (anchor_book_at(b, side, p) > 0) return p;
    }
    return ANCHOR_NO_ASK;
}

static void forget_far(struct anchor_book *b, int side) {
    if (side == SIDE_BUY && b->best[side] == ANCHOR_NO_BID) b->far[side] = INT64_MAX;
    if (side == SIDE_SELL && b->best[side] == ANCHOR_NO_ASK) b->far[side] = INT64_MIN;
}

static void improve(struct anchor_book *b, int side, int64_t px) {
    b->best[side] = px;
    int other = side ^ 1;
    if (b->best[SIDE_BUY] == ANCHOR_NO_BID || b->best[SIDE_SELL] == ANCHOR_NO_ASK) return;
    if (b->best[SIDE_BUY] < b->best[SIDE_SELL]) return;
    b->best[other] = search(b, other, px);
    forget_far(b, other);
}

void anchor_book_set(
    struct anchor_book *b, int side, int64_t px, int64_t lots, struct anchor_step *out) {
    CHECK(side == SIDE_BUY || side == SIDE_SELL);
    CHECK(lots >= 0);
    out->side = side;
    out->px = px;
    out->after = lots;
    out->best_before = b->best[side];
    out->before = put(b, side, px, lots);
    if (lots == 0) {
        if (px == b->best[side]) {
            b->best[side] = search(b, side, px);
            forget_far(b, side);
        }
    } else {
        bool better = side == SIDE_BUY ? px > b->best[side] : px < b->best[side];
        if (better) improve(b, side, px);
        bool farther = side == SIDE_BUY ? px < b->far[side] : px > b->far[side];
        if (farther) b->far[side] = px;
    }
    out->best_after = b->best[side];
}

void anchor_book_clear(struct anchor_book *b, int side, int64_t px) {
    if (side == SIDE_BUY) {
        if (b->best[side] != ANCHOR_NO_BID) {
            for (int64_t p = px; p <= b->best[side]; p += b->tick) (void)put(b, side, p, 0);
        }
        b->best[side] = search(b, side, px - b->tick);
    } else {
        if (b->best[side] != ANCHOR_NO_ASK) {
            for (int64_t p = b->best[side]; p <= px; p += b->tick) (void)put(b, side, p, 0);
        }
        b->best[side] = search(b, side, px + b->tick);
    }
    forget_far(b, side);
}

static void step_level(struct anchor_book *b, int side, struct anchor_level l,
    void (*step)(void *ctx, const struct anchor_step *c), void *ctx) {
    struct anchor_step c;
    anchor_book_set(b, side, l.px, l.lots, &c);
    if (step) step(ctx, &c);
}

static void snapshot_end(
    struct anchor_book *b, void (*step)(void *ctx, const struct anchor_step *c), void *ctx) {
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        size_t last = b->snapshot_count;
        for (size_t i = 0; i < b->snapshot_count; i++) {
            if (b->snapshot_side[i] == side) last = i;
        }
        if (last == b->snapshot_count) continue;
        anchor_book_clear(b, side, b->snapshot[last].px);
        for (size_t i = 0; i < b->snapshot_count; i++) {
            if (b->snapshot_side[i] == side) step_level(b, side, b->snapshot[i], step, ctx);
        }
    }
    b->snapshot_count = 0;
}

void anchor_book_apply(struct anchor_book *b, const struct event *ev,
    void (*step)(void *ctx, const struct anchor_step *c), void *ctx) {
    int side = (ev->flags & EVF_SELL) ? SIDE_SELL : SIDE_BUY;
    struct anchor_level l = {ev->px.ticks, ev->qty.lots};
    if (ev->kind != EV_DEPTH && ev->kind != EV_DEPTH_END) return;
    if (!(ev->flags & EVF_SNAPSHOT)) {
        if (ev->kind == EV_DEPTH) step_level(b, side, l, step, ctx);
        return;
    }
    if (ev->kind == EV_DEPTH && b->snapshot_count == ANCHOR_SNAPSHOT_MAX) b->full++;
    if (ev->kind == EV_DEPTH && b->snapshot_count < ANCHOR_SNAPSHOT_MAX) {
        b->snapshot_side[b->snapshot_count] = (uint8_t)side;
        b->snapshot[b->snapshot_count++] = l;
    }
    if (ev->flags & EVF_LAST) snapshot_end(b, step, ctx);
}
