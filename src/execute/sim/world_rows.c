#include "execute/sim/world_rows.h"

#include <string.h>

#include "base/check.h"
#include "execute/order/order.h"
#include "execute/sim/anchor_book.h"

static size_t round64(size_t n) { return (n + 63) & ~(size_t)63; }

struct layout {
    size_t message, scratch, batch, level, total;
};

static struct layout layout_of(const struct world_rows_need *n) {
    struct layout l;
    size_t messages = round64(n->messages * sizeof(struct world_message));
    l.message = round64(sizeof(struct world_rows));
    l.scratch = l.message + messages;
    l.batch = l.scratch + messages;
    l.level = l.batch + round64(n->messages * sizeof(struct world_batch));
    l.total = l.level + round64(n->levels * sizeof(struct world_level));
    return l;
}

size_t world_rows_size(const struct world_rows_need *n) { return layout_of(n).total; }

bool world_rows_wants(const struct instrument *inst, uint8_t print_kind, const struct event *ev) {
    if (ev->inst != inst->id) return false;
    if (ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END) return true;
    return ev->kind == print_kind && !(ev->flags & EVF_NON_MARKET) && ev->qty.lots > 0 &&
           (ev->flags & (EVF_BUY | EVF_SELL)) != 0;
}

/* Does the event go on with the message of the one before? */
static bool goes_on(const struct world_rows_tail *t, const struct event *ev) {
    if (!t->open || ev->kind != EV_DEPTH || (ev->flags & EVF_FIRST)) return false;
    return t->venue_ns == ev->ts_venue.ns && t->local_ns == ev->ts_local.ns &&
           ((t->flags ^ ev->flags) & EVF_SNAPSHOT) == 0;
}

static struct world_rows_tail tail_of(const struct event *ev) {
    return (struct world_rows_tail){.venue_ns = ev->ts_venue.ns,
        .local_ns = ev->ts_local.ns,
        .flags = ev->flags,
        .open = ev->kind == EV_DEPTH && !(ev->flags & EVF_LAST)};
}

void world_rows_count(struct world_rows_need *n, const struct event *ev) {
    n->levels += ev->kind == EV_DEPTH;
    n->messages += !goes_on(&n->tail, ev);
    n->tail = tail_of(ev);
}

struct world_rows *world_rows_begin(void *mem, const struct world_rows_need *n,
    const struct instrument *inst, uint8_t print_kind, int64_t clock_offset_ns) {
    CHECK(((uintptr_t)mem & 63u) == 0);
    CHECK(n->levels <= UINT32_MAX);
    struct layout l = layout_of(n);
    unsigned char *base = mem;
    struct world_rows *r = mem;
    *r = (struct world_rows){.message = (void *)(base + l.message),
        .scratch = (void *)(base + l.scratch),
        .batch = (void *)(base + l.batch),
        .level = (void *)(base + l.level),
        .messages_max = n->messages,
        .levels_max = n->levels,
        .last_local_ns = INT64_MIN,
        .tick = inst->tick_units,
        .clock_offset_ns = clock_offset_ns,
        .inst = inst->id,
        .print_kind = print_kind};
    return r;
}

static bool start(struct world_rows *r, const struct event *ev, int64_t ts) {
    if (r->messages == r->messages_max) return false;
    bool depth = ev->kind != r->print_kind;
    r->message[r->messages++] = (struct world_message){.ts = ts,
        .ts_local = r->last_local_ns,
        .px = depth ? 0 : ev->px.ticks,
        .qty = depth ? 0 : ev->qty.lots,
        .first = (uint32_t)r->levels,
        .kind = ev->kind,
        .flags = depth ? (ev->flags & (EVF_SNAPSHOT | EVF_LAST)) : ev->flags};
    if (depth) {
        r->batch[r->batches++] = (struct world_batch){.ts_local = r->last_local_ns,
            .end = (uint32_t)r->levels,
            .flags = ev->flags & EVF_SNAPSHOT};
    }
    return true;
}

static bool add_level(struct world_rows *r, const struct event *ev) {
    unsigned sides = ev->flags & (EVF_BUY | EVF_SELL);
    bool one = sides == EVF_BUY || sides == EVF_SELL;
    if (!one || ev->qty.lots < 0 || r->levels == r->levels_max) return false;
    int side = sides == EVF_SELL ? SIDE_SELL : SIDE_BUY;
    int64_t key = anchor_key(r->tick, side, ev->px.ticks);
    r->level[r->levels++] = (struct world_level){key * 2 + side, ev->qty.lots};
    struct world_message *m = &r->message[r->messages - 1];
    struct world_batch *b = &r->batch[r->batches - 1];
    m->count++;
    m->flags |= ev->flags & EVF_LAST;
    b->flags |= ev->flags & EVF_LAST;
    b->end = (uint32_t)r->levels;
    return true;
}

bool world_rows_add(struct world_rows *r, const struct event *ev) {
    CHECK(!r->done);
    int64_t local = ev->ts_local.ns, ts = local;
    if (ev->ts_venue.ns != TS_NONE_NS) ts = ev->ts_venue.ns + r->clock_offset_ns;
    if (local > r->last_local_ns) r->last_local_ns = local;
    r->events++;
    if (!goes_on(&r->tail, ev) && !start(r, ev, ts)) return false;
    r->tail = tail_of(ev);
    return ev->kind != EV_DEPTH || add_level(r, ev);
}

/* Merges the sorted halves [at, mid) and [mid, end) of `from` into `to`; equal times keep order. */
static void merge(
    const struct world_message *from, struct world_message *to, size_t at, size_t mid, size_t end) {
    size_t a = at, b = mid;
    for (size_t i = at; i < end; i++) {
        bool left = a < mid && (b == end || from[a].ts <= from[b].ts);
        to[i] = left ? from[a++] : from[b++];
    }
}

void world_rows_end(struct world_rows *r) {
    CHECK(!r->done);
    struct world_message *from = r->message, *to = r->scratch;
    for (size_t width = 1; width < r->messages; width *= 2) {
        for (size_t at = 0; at < r->messages; at += 2 * width) {
            size_t mid = at + width < r->messages ? at + width : r->messages;
            size_t end = mid + width < r->messages ? mid + width : r->messages;
            merge(from, to, at, mid, end);
        }
        struct world_message *t = from;
        from = to;
        to = t;
    }
    r->message = from;
    r->scratch = to;
    r->done = true;
}
