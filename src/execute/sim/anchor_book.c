#include "execute/sim/anchor_book.h"

#include <string.h>

#include "base/check.h"
#include "execute/order/order.h"

enum { WINDOW_EDGE = ANCHOR_WINDOW / 8 }; /* the window moves when the best comes this near */

/* Quantities by side, key and book. */
struct windows {
    int64_t lots[2][ANCHOR_WINDOW][ANCHOR_BOOKS];
};

size_t anchor_book_beside_size(void) { return (sizeof(struct anchor_book) + 63) & ~(size_t)63; }
size_t anchor_book_size(void) { return anchor_book_beside_size() + sizeof(struct windows); }

static void init(struct anchor_book *b, int64_t tick) {
    CHECK(tick > 0);
    memset(b, 0, sizeof *b);
    b->tick = tick;
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        b->side[side].best = ANCHOR_NO_KEY;
        b->side[side].far = INT64_MIN;
        b->side[side].base = INT64_MIN / 2; /* out of reach until the first level */
    }
}

void anchor_book_init(struct anchor_book *b, int64_t tick) {
    init(b, tick);
    struct windows *w = (void *)((unsigned char *)b + anchor_book_beside_size());
    memset(w, 0, sizeof *w);
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) b->side[side].lots = &w->lots[side][0][0];
}

void anchor_book_init_beside(struct anchor_book *b, const struct anchor_book *of) {
    init(b, of->tick);
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        b->side[side].lots = of->side[side].lots + 1;
    }
}

int64_t anchor_key(int64_t tick, int side, int64_t px) {
    int64_t n = px;
    if (tick != 1) n = (px >= 0 ? px + tick / 2 : px - tick / 2) / tick;
    return side == SIDE_SELL ? n : -n;
}

static int64_t best_px(const struct anchor_book *b, int side, int64_t key) {
    if (key == ANCHOR_NO_KEY) return side == SIDE_SELL ? ANCHOR_NO_ASK : ANCHOR_NO_BID;
    return anchor_px(b, side, key);
}

int64_t anchor_book_best(const struct anchor_book *b, int side) {
    return best_px(b, side, b->side[side].best);
}

struct anchor_step anchor_step_of(const struct anchor_book *b, int side, struct anchor_level l,
    int64_t before, int64_t best_before) {
    return (struct anchor_step){.side = side,
        .px = anchor_px(b, side, l.key),
        .before = before,
        .after = l.lots,
        .best_before = best_px(b, side, best_before),
        .best_after = anchor_book_best(b, side)};
}

/* ---- the outer list ---- */

/* Index of the first outer level with a key >= key. */
static size_t outer_find(const struct anchor_side *s, int64_t key) {
    size_t lo = 0, n = s->outer_count;
    while (n > 0) {
        size_t half = n / 2;
        bool below = s->outer[lo + half].key < key;
        lo = below ? lo + half + 1 : lo;
        n = below ? n - half - 1 : half;
    }
    return lo;
}

static void outer_remove(struct anchor_side *s, size_t i, size_t n) {
    memmove(&s->outer[i], &s->outer[i + n], (s->outer_count - i - n) * sizeof s->outer[0]);
    s->outer_count -= n;
}

static void outer_insert(struct anchor_book *b, struct anchor_side *s, struct anchor_level l) {
    if (s->outer_count == ANCHOR_OUTER_MAX) {
        b->full++;
        return;
    }
    size_t i = outer_find(s, l.key);
    memmove(&s->outer[i + 1], &s->outer[i], (s->outer_count - i) * sizeof l);
    s->outer[i] = l;
    s->outer_count++;
}

int64_t anchor_book_outer(struct anchor_book *b, int side, int64_t key, int64_t lots) {
    struct anchor_side *s = &b->side[side];
    if (!s->placed && lots > 0) { /* the first level of the side: the window goes there */
        s->placed = true;
        s->base = key - ANCHOR_WINDOW / 2;
        *anchor_slot(s, key) = lots;
        return 0;
    }
    size_t i = outer_find(s, key);
    bool have = i < s->outer_count && s->outer[i].key == key;
    int64_t before = have ? s->outer[i].lots : 0;
    if (have && lots == 0) {
        outer_remove(s, i, 1);
    } else if (have) {
        s->outer[i].lots = lots;
    } else if (lots > 0) {
        outer_insert(b, s, (struct anchor_level){key, lots});
    }
    return before;
}

int64_t anchor_book_at_key(const struct anchor_book *b, int side, int64_t key) {
    const struct anchor_side *s = &b->side[side];
    if (anchor_inside(s, key)) return *anchor_slot(s, key);
    size_t i = outer_find(s, key);
    return i < s->outer_count && s->outer[i].key == key ? s->outer[i].lots : 0;
}

int64_t anchor_book_at(const struct anchor_book *b, int side, int64_t px) {
    return anchor_book_at_key(b, side, anchor_key(b->tick, side, px));
}

/* ---- the window's place ---- */

/* Moves the window so that `best` is in its middle: levels that leave go to the outer list, those
 * of the list that it now covers come in. */
static void window_move(struct anchor_book *b, struct anchor_side *s, int64_t best) {
    int64_t base = best - ANCHOR_WINDOW / 2, was = s->base;
    for (int64_t k = was; k < was + ANCHOR_WINDOW; k++) {
        int64_t *slot = anchor_slot(s, k), lots = *slot;
        if (lots == 0 || (k >= base && k < base + ANCHOR_WINDOW)) continue;
        outer_insert(b, s, (struct anchor_level){k, lots});
        *slot = 0;
    }
    s->base = base;
    size_t from = outer_find(s, base), to = outer_find(s, base + ANCHOR_WINDOW);
    for (size_t i = from; i < to; i++) *anchor_slot(s, s->outer[i].key) = s->outer[i].lots;
    outer_remove(s, from, to - from);
}

/* The side's best is `key` now. */
static void best_set(struct anchor_book *b, struct anchor_side *s, int64_t key) {
    s->best = key;
    if (key == ANCHOR_NO_KEY) {
        s->far = INT64_MIN;
        return;
    }
    int64_t slot = key - s->base;
    if (slot < WINDOW_EDGE || slot >= ANCHOR_WINDOW - WINDOW_EDGE) window_move(b, s, key);
}

/* The first level with a key > from, not beyond the farthest seen. */
static int64_t search(const struct anchor_side *s, int64_t from) {
    size_t i = s->outer_count > 0 ? outer_find(s, from + 1) : 0;
    int64_t outer = i < s->outer_count ? s->outer[i].key : ANCHOR_NO_KEY;
    int64_t end = s->base + ANCHOR_WINDOW, key = from < s->base ? s->base : from + 1;
    if (end > s->far) end = s->far + 1;
    if (end > outer) end = outer;
    while (key < end && *anchor_slot(s, key) == 0) key++;
    if (key < end) return key;
    return outer <= s->far ? outer : ANCHOR_NO_KEY;
}

/* ---- changes ---- */

void anchor_book_touch(struct anchor_book *b, int side, int64_t key, int64_t lots) {
    struct anchor_side *s = &b->side[side], *other = &b->side[side ^ 1];
    if (lots == 0) {
        if (key == s->best) best_set(b, s, search(s, key));
        return;
    }
    if (key >= s->best) return;
    best_set(b, s, key);
    bool crossed = other->best != ANCHOR_NO_KEY && other->best <= -key;
    if (crossed) best_set(b, other, search(other, -key));
}

int64_t anchor_book_set(struct anchor_book *b, int side, int64_t key, int64_t lots) {
    CHECK(side == SIDE_BUY || side == SIDE_SELL);
    CHECK(lots >= 0);
    return anchor_put(b, side, key, lots);
}

void anchor_book_clear(struct anchor_book *b, int side, int64_t key) {
    struct anchor_side *s = &b->side[side];
    if (s->best != ANCHOR_NO_KEY && key >= s->best) {
        int64_t from = s->best > s->base ? s->best : s->base, to = s->base + ANCHOR_WINDOW - 1;
        if (to > key) to = key;
        for (int64_t k = from; k <= to; k++) *anchor_slot(s, k) = 0;
        size_t first = outer_find(s, s->best), end = outer_find(s, key + 1);
        outer_remove(s, first, end - first);
    }
    best_set(b, s, search(s, key + 1));
}

static void step_level(
    struct anchor_book *b, int side, struct anchor_level l, anchor_step_fn *step, void *ctx) {
    int64_t best = b->side[side].best, before = anchor_book_set(b, side, l.key, l.lots);
    if (!step) return;
    struct anchor_step c = anchor_step_of(b, side, l, before, best);
    step(ctx, &c);
}

void anchor_book_keep(struct anchor_book *b, int side, struct anchor_level l) {
    if (b->snapshot_count == ANCHOR_SNAPSHOT_MAX) {
        b->full++;
        return;
    }
    b->snapshot_side[b->snapshot_count] = (uint8_t)side;
    b->snapshot[b->snapshot_count++] = l;
}

void anchor_book_replace(struct anchor_book *b, anchor_step_fn *step, void *ctx) {
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        size_t last = b->snapshot_count;
        for (size_t i = 0; i < b->snapshot_count; i++) {
            if (b->snapshot_side[i] == side) last = i;
        }
        if (last == b->snapshot_count) continue;
        anchor_book_clear(b, side, b->snapshot[last].key);
        for (size_t i = 0; i < b->snapshot_count; i++) {
            if (b->snapshot_side[i] == side) step_level(b, side, b->snapshot[i], step, ctx);
        }
    }
    b->snapshot_count = 0;
}

void anchor_book_apply(
    struct anchor_book *b, const struct event *ev, anchor_step_fn *step, void *ctx) {
    if (ev->kind != EV_DEPTH && ev->kind != EV_DEPTH_END) return;
    int side = (ev->flags & EVF_SELL) ? SIDE_SELL : SIDE_BUY;
    struct anchor_level l = {anchor_key(b->tick, side, ev->px.ticks), ev->qty.lots};
    if (!(ev->flags & EVF_SNAPSHOT)) {
        if (ev->kind == EV_DEPTH) step_level(b, side, l, step, ctx);
        return;
    }
    if (ev->kind == EV_DEPTH) anchor_book_keep(b, side, l);
    if (ev->flags & EVF_LAST) anchor_book_replace(b, step, ctx);
}
