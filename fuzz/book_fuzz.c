/* book_fuzz.c: any sequence of depth events, also impossible ones, against a plain list of levels.
 *
 * The list follows what book_apply says it changed; whenever a message ends, the visible book must
 * be that list, sorted, uncrossed, and the same after a save and load.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "derive/book/book.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { LEVELS = 96, PENDING = 64, LIST_MAX = 2 * LEVELS + 8, RECORD = 6, TICKS_AWAY = 16 };

struct list {
    struct book_level level[2][LIST_MAX];
    size_t n[2];
};

static void list_set(struct list *l, int side, price_t px, qty_t qty) {
    size_t i = 0;
    while (i < l->n[side] && l->level[side][i].px.ticks != px.ticks) i++;
    if (qty.lots == 0) {
        if (i < l->n[side]) l->level[side][i] = l->level[side][--l->n[side]];
        return;
    }
    if (i == l->n[side]) {
        CHECK(l->n[side] < LIST_MAX);
        l->n[side]++;
    }
    l->level[side][i] = (struct book_level){px, qty};
}

static int64_t list_qty(const struct list *l, int side, price_t px) {
    for (size_t i = 0; i < l->n[side]; i++)
        if (l->level[side][i].px.ticks == px.ticks) return l->level[side][i].qty.lots;
    return 0;
}

static void list_take(struct list *l, const struct book *b) {
    struct book_level at;
    memset(l, 0, sizeof *l);
    for (int side = 0; side < 2; side++)
        for (bool more = book_best(b, side, &at); more; more = book_next(b, side, at.px, &at))
            list_set(l, side, at.px, at.qty);
}

static void compare(const struct book *b, const struct list *l) {
    struct book_level at[2];
    bool there[2] = {false, false};
    for (int side = 0; side < 2; side++) {
        struct book_level x;
        size_t n = 0;
        int64_t last = side == BOOK_BID ? INT64_MAX : 0;
        there[side] = book_best(b, side, &at[side]);
        x = at[side];
        for (bool more = there[side]; more; more = book_next(b, side, x.px, &x), n++) {
            CHECK(x.qty.lots > 0 && (side == BOOK_BID ? x.px.ticks < last : x.px.ticks > last));
            CHECK(list_qty(l, side, x.px) == x.qty.lots);
            CHECK(book_qty_at(b, side, x.px).lots == x.qty.lots);
            last = x.px.ticks;
        }
        CHECK(n == l->n[side] && n == book_count(b, side) && n <= LEVELS);
    }
    if (there[0] && there[1]) CHECK(at[BOOK_BID].px.ticks < at[BOOK_ASK].px.ticks);
}

/* Six bytes: how, side and flags, price (near, far, absurd), quantity, step of the ids. */
static struct event event_of(const uint8_t r[RECORD], int64_t *u) {
    static const int64_t odd[] = {0, -1, 1, INT64_MAX, INT64_MIN, BOOK_PX_MAX, BOOK_PX_MAX + 1};
    struct event e = {.kind = EV_DEPTH, .ts_local = {*u}};
    int64_t far = (int64_t)(r[2] & 7) * (r[2] & 8 ? BOOK_WINDOW / 3 : TICKS_AWAY);
    e.flags = r[1] & (EVF_BUY | EVF_SELL | EVF_FIRST | EVF_LAST | EVF_SNAPSHOT);
    e.px.ticks = 5000000 + (e.flags & EVF_SELL ? far + (r[3] & 63) : -far - (r[3] & 63));
    if (r[2] >= 250) e.px.ticks = odd[r[3] % 7];
    e.qty.lots = r[4] >= 250 ? odd[r[3] % 7] : r[4] & 3;
    if (r[0] & 1) e.kind = EV_DEPTH_END;
    if ((r[0] & 30) == 30) e.kind = EV_TICKER;
    if (e.kind == EV_TICKER) {
        e.id = *u;
        e.ask.px.ticks = 5000000 + (r[3] & 7);
        return e;
    }
    if (e.flags & EVF_FIRST) *u += (int8_t)r[5] / 16;
    e.id = *u;
    e.depth.first_id = e.id - (r[0] >> 6);
    e.depth.prev_id = e.id - ((int8_t)r[5] / 16);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static const struct book_limits limits = {.levels_max = LEVELS, .pending_max = PENDING};
    static _Thread_local struct list list; /* large; one a thread */
    if (n < 1) return 0;
    size_t size = (book_mem_size(&limits) + 63) / 64 * 64;
    void *mem = aligned_alloc(64, size), *other = aligned_alloc(64, size);
    CHECK(mem != NULL && other != NULL);
    uint8_t venue = bytes[0] % VENUE_COUNT;
    struct book *b = book_init(mem, &limits, venue);
    int64_t u = 1000;
    memset(&list, 0, sizeof list);
    for (size_t at = 1; at + RECORD <= n; at += RECORD) {
        struct event e = event_of(bytes + at, &u);
        struct book_change c;
        book_apply(b, &e, &c);
        CHECK(!(c.any && c.whole));
        if (c.any) {
            CHECK(list_qty(&list, c.side, c.px) == c.before.lots);
            list_set(&list, c.side, c.px, c.after);
        }
        if (c.whole) list_take(&list, b);
        if (book_state(b) != BOOK_SYNCED)
            CHECK(book_count(b, BOOK_BID) == 0 && book_count(b, BOOK_ASK) == 0);
        if (!book_between_messages(b) || book_state(b) != BOOK_SYNCED) continue;
        compare(b, &list);
        if (bytes[at] >> 4 != 9) continue;
        uint64_t h = book_hash(b, 1);
        memcpy(other, mem, book_mem_size(&limits));
        void *swap = mem;
        mem = other;
        other = swap;
        b = book_load(mem);
        CHECK(b != NULL && book_hash(b, 1) == h);
    }
    free(mem);
    free(other);
    return 0;
}
