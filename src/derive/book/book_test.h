/* book_test.h: a small true market for the tests of the book: messages with the venue's numbering,
 * and a plain copy of both sides after each of them.
 *
 * Invariant  the true book is never crossed; a message's U..u follow the rule of its venue.
 */
#ifndef FATHOM_DERIVE_BOOK_BOOK_TEST_H
#define FATHOM_DERIVE_BOOK_BOOK_TEST_H

#include <stdlib.h>
#include <string.h>

#include "derive/book/book.h"

enum { TRUE_LEVELS = 160, TRUE_MESSAGES = 400, MESSAGE_LEVELS = 64 };

static inline uint64_t rng_next(uint64_t *rng) { /* splitmix64 */
    uint64_t z = (*rng += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static inline int64_t rng_below(uint64_t *rng, int64_t n) {
    return (int64_t)(rng_next(rng) % (uint64_t)n);
}

struct true_side { /* unsorted on purpose: as plain as it can be */
    struct book_level level[TRUE_LEVELS];
    size_t n;
};

struct true_book {
    struct true_side side[2];
};

struct true_message {
    int64_t first, last, prev;
    size_t n;
    struct book_level level[MESSAGE_LEVELS];
    uint8_t side[MESSAGE_LEVELS];
    struct true_book after;
};

struct true_market {
    uint8_t venue;
    int64_t mid;
    size_t n;
    struct true_message m[TRUE_MESSAGES];
};

static inline void true_set(struct true_side *s, price_t px, qty_t qty) {
    size_t i = 0;
    while (i < s->n && s->level[i].px.ticks != px.ticks) i++;
    if (i < s->n && qty.lots == 0) {
        s->level[i] = s->level[--s->n];
    } else if (qty.lots != 0) {
        if (i == s->n) s->n++;
        s->level[i] = (struct book_level){px, qty};
    }
}

static inline void message_add(
    struct true_message *m, struct true_book *now, int side, int64_t px, int64_t lots) {
    if (m->n == MESSAGE_LEVELS) abort();
    m->level[m->n] = (struct book_level){{px}, {lots}};
    m->side[m->n++] = (uint8_t)side;
    true_set(&now->side[side], (price_t){px}, (qty_t){lots});
}

/* The best of a true side, or what keeps the mid free to walk. */
static inline int64_t true_best(const struct true_side *s, int side) {
    int64_t best = side == BOOK_BID ? INT64_MIN : INT64_MAX;
    for (size_t i = 0; i < s->n; i++) {
        int64_t px = s->level[i].px.ticks;
        if (side == BOOK_BID ? px > best : px < best) best = px;
    }
    return best;
}

/* The mid walks as far as one message can clear the way; some levels come, some very far away. */
static inline void message_make(
    struct true_message *m, struct true_market *market, struct true_book *now, uint64_t *rng) {
    int64_t mid = market->mid + rng_below(rng, 41) - 20;
    if (rng_below(rng, 60) == 0) mid += rng_below(rng, 40001) - 20000;
    m->n = 0;
    for (int side = 0; side < 2; side++) {
        struct true_side *s = &now->side[side];
        for (int64_t px; m->n < MESSAGE_LEVELS / 2;) {
            px = true_best(s, side);
            if (s->n == 0 || (side == BOOK_BID ? px < mid : px > mid)) break;
            message_add(m, now, side, px, 0);
        }
    }
    int64_t bid = true_best(&now->side[BOOK_BID], BOOK_BID);
    int64_t ask = true_best(&now->side[BOOK_ASK], BOOK_ASK);
    if (mid <= bid) mid = bid + 1; /* bid + 1 < ask or the ask side is behind it */
    if (mid >= ask) mid = ask - 1;
    market->mid = mid;
    for (int64_t more = rng_below(rng, 12); more > 0; more--) {
        int side = (int)rng_below(rng, 2);
        int64_t away = rng_below(rng, 8) == 0 ? rng_below(rng, 900000) : rng_below(rng, 200);
        int64_t px = side == BOOK_BID ? mid - 1 - away : mid + 1 + away;
        bool room = now->side[side].n < TRUE_LEVELS - MESSAGE_LEVELS;
        message_add(m, now, side, px, room ? rng_below(rng, 4) : 0);
    }
}

static inline void market_make(struct true_market *k, uint8_t venue, uint64_t seed) {
    uint64_t rng = seed;
    memset(k, 0, sizeof *k);
    k->venue = venue;
    k->mid = 2000000;
    struct true_book now = {0};
    int64_t u = 1000;
    for (k->n = 0; k->n < TRUE_MESSAGES; k->n++) {
        struct true_message *m = &k->m[k->n];
        message_make(m, k, &now, &rng);
        m->prev = u;
        m->first = venue == VENUE_BINANCE_SPOT ? u + 1 : u + 1 + rng_below(&rng, 9);
        m->last = u = m->first + rng_below(&rng, 30);
        m->after = now;
    }
}

static inline size_t events_of_diff(
    const struct true_message *m, uint8_t venue, int64_t ts, struct event *out) {
    struct event e = {.ts_local = {ts}, .id = m->last, .kind = EV_DEPTH};
    e.depth.first_id = m->first;
    e.depth.prev_id = venue == VENUE_BINANCE_SPOT ? 0 : m->prev;
    if (m->n == 0) {
        e.kind = EV_DEPTH_END;
        e.flags = EVF_FIRST | EVF_LAST;
        out[0] = e;
        return 1;
    }
    for (size_t i = 0; i < m->n; i++) {
        e.px = m->level[i].px;
        e.qty = m->level[i].qty;
        e.flags = m->side[i] == BOOK_BID ? EVF_BUY : EVF_SELL;
        if (i == 0) e.flags |= EVF_FIRST;
        if (i == m->n - 1) e.flags |= EVF_LAST;
        out[i] = e;
    }
    return m->n;
}

static inline size_t events_of_snapshot(
    const struct true_book *t, int64_t id, int64_t ts, struct event *out) {
    size_t n = 0;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < t->side[side].n; i++) {
            struct event e = {.ts_local = {ts}, .id = id, .kind = EV_DEPTH};
            e.px = t->side[side].level[i].px;
            e.qty = t->side[side].level[i].qty;
            e.flags = (uint8_t)((side == BOOK_BID ? EVF_BUY : EVF_SELL) | EVF_SNAPSHOT);
            out[n++] = e;
        }
    }
    if (n == 0)
        out[n++] =
            (struct event){.ts_local = {ts}, .id = id, .kind = EV_DEPTH_END, .flags = EVF_SNAPSHOT};
    out[0].flags |= EVF_FIRST;
    out[n - 1].flags |= EVF_LAST;
    return n;
}

/* Every level of the book is in the truth and none is missing. */
static inline bool book_equals(const struct book *b, const struct true_book *t) {
    for (int side = 0; side < 2; side++) {
        struct book_level at;
        size_t n = 0;
        if (book_count(b, side) != t->side[side].n) return false;
        for (bool more = book_best(b, side, &at); more; more = book_next(b, side, at.px, &at)) {
            size_t i = 0;
            while (i < t->side[side].n && t->side[side].level[i].px.ticks != at.px.ticks) i++;
            if (i == t->side[side].n || t->side[side].level[i].qty.lots != at.qty.lots)
                return false;
            n++;
        }
        if (n != t->side[side].n) return false;
    }
    return true;
}

#endif
