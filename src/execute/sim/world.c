#include "execute/sim/world.h"

#include <string.h>

#include "base/check.h"
#include "execute/sim/sim_internal.h"

enum { RING_FIRST = 1024 }; /* slots of the reorder window in use at the start */

static size_t round64(size_t n) { return (n + 63) & ~(size_t)63; }

struct layout {
    size_t world, seats, requests, responses, ring, book, anchor, anchor_local, l3, total;
    size_t bus_slots, ring_slots, seat_count;
};

static struct layout layout_of(const struct world_config *cfg) {
    struct layout l = {.bus_slots = cfg->bus_slots ? cfg->bus_slots : 1024,
        .ring_slots = cfg->rows            ? 0
                      : cfg->reorder_slots ? cfg->reorder_slots
                                           : 65536,
        .seat_count = cfg->seats ? cfg->seats : 1};
    size_t at = 0;
    l.world = at, at += round64(sizeof(struct world));
    l.seats = at, at += round64(l.seat_count * sizeof(struct sim_seat));
    l.requests = at, at += round64(l.seat_count * l.bus_slots * sizeof(struct sim_request));
    l.responses = at, at += round64(l.seat_count * l.bus_slots * sizeof(struct sim_response));
    l.ring = at, at += round64(l.ring_slots * sizeof(struct event));
    l.book = l.anchor = at;
    if (cfg->rules == SIM_ANCHOR) {
        l.anchor_local = at + round64(anchor_book_size());
        at = l.anchor_local + round64(anchor_book_beside_size());
    } else if (!cfg->bars) {
        at += round64(book_mem_size(&cfg->book));
    }
    l.l3 = at;
    if (cfg->queue.model == QUEUE_FIFO) at += round64(l3_book_size());
    l.total = at;
    return l;
}

size_t world_mem_size(const struct world_config *cfg) { return layout_of(cfg).total; }

/* ---- exchange data: out of the source, through the reorder window ---- */

/* A bar acts twice: at its open (plus the grace), where its open price was the market, and at its
 * close, when its extremes are known (EVF_CLOSED tells the second). */
static bool admit_bar(const struct world *w, const struct event *ev, struct event *out) {
    if (ev->kind != EV_KLINE || ev->inst != w->cfg->inst->id || !(ev->flags & EVF_CLOSED)) {
        return false;
    }
    *out = *ev;
    out->px.ticks = event_words(ev)[KLINE_OPEN_PX];
    out->aux.a = event_words(ev)[KLINE_HIGH_PX];
    out->aux.b = event_words(ev)[KLINE_LOW_PX];
    int64_t grace = w->cfg->bar_grace_ns ? w->cfg->bar_grace_ns : NS_PER_S;
    out->ts_local.ns = ev->id + w->cfg->clock_offset_ns + grace;
    out->flags = (uint8_t)(ev->flags & ~EVF_CLOSED);
    return true;
}

/* The second time, from the copy of the first. */
static void close_of_bar(const struct world *w, const struct event *ev, struct event *copy) {
    int64_t close = event_words(ev)[KLINE_CLOSE_NS];
    if (close <= ev->id) close = ev->ts_venue.ns;
    close += w->cfg->clock_offset_ns;
    if (close > copy->ts_local.ns) copy->ts_local.ns = close;
    copy->flags |= EVF_CLOSED;
}

/* What only accounts look at: copies of one slot carry what they need of the second. A settled rate
 * acts when it is told, on the position of its instant (clearing.h). */
static bool admit_account(const struct world *w, const struct event *ev, struct event *out) {
    if (!w->cfg->clears || ev->inst != w->cfg->inst->id) return false;
    if (ev->kind == EV_FUNDING) {
        *out = *ev;
        return true;
    }
    if (ev->kind != EV_MARK || ev->aux.a <= 0 || ev->aux.a >= INT64_MAX / 2) return false;
    *out = *ev;
    out->px.ticks = event_words(ev)[MARK_RATE_E16];
    out->qty.lots = event_words(ev)[MARK_NEXT_FUNDING_NS];
    if (ev->ts_venue.ns != TS_NONE_NS) out->ts_local.ns = sim_axis_ns(w, ev);
    return true;
}

/* Only what the exchange acts on; a copy with its place on our axis in ts_local. */
static bool admit(const struct world *w, const struct event *ev, struct event *out) {
    if (admit_account(w, ev, out)) return true;
    if (w->cfg->bars) return admit_bar(w, ev, out);
    bool depth = ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END;
    bool trade = ev->kind == w->cfg->print_kind && !(ev->flags & EVF_NON_MARKET) &&
                 ev->qty.lots > 0 && (ev->flags & (EVF_BUY | EVF_SELL)) != 0;
    bool mark = ev->kind == EV_MARK && w->ops->mark && ev->aux.a > 0 && ev->aux.a < INT64_MAX / 2;
    bool order = w->l3 && ev->kind == EV_ORDER;
    if (!depth && !trade && !mark && !order && ev->kind != EV_GAP) return false;
    if (ev->kind != EV_GAP && ev->inst != w->cfg->inst->id) return false;
    *out = *ev;
    if (ev->ts_venue.ns != TS_NONE_NS) out->ts_local.ns = sim_axis_ns(w, ev);
    return true;
}

static struct event *ring_at(const struct sim_reorder *r, size_t i) {
    size_t at = r->head + i;
    return &r->ring[at >= r->span ? at - r->span : at];
}

/* The ring turns in as little of its room as it needs, so that it stays near: it is full, and gets
 * twice as much; what lay before the head goes behind the end. */
static void ring_widen(struct sim_reorder *r) {
    size_t wider = 2 * r->span < r->slots ? 2 * r->span : r->slots, behind = r->head;
    if (behind > wider - r->span) behind = wider - r->span;
    memcpy(&r->ring[r->span], r->ring, behind * sizeof *r->ring);
    memmove(r->ring, &r->ring[behind], (r->head - behind) * sizeof *r->ring);
    r->span = wider;
}

/* Stable: behind everything of the same or an earlier key. */
static void ring_insert(struct sim_reorder *r, const struct event *ev) {
    CHECK(r->count < r->slots);
    size_t i = r->count++; /* ring_fill reads into the next free slot: it may be in its place */
    if (i == 0 || ring_at(r, i - 1)->ts_local.ns <= ev->ts_local.ns) {
        if (ev->ts_local.ns > r->newest) r->newest = ev->ts_local.ns;
        return;
    }
    struct event late = *ev;
    ev = &late;
    while (i > 0 && ring_at(r, i - 1)->ts_local.ns > ev->ts_local.ns) {
        *ring_at(r, i) = *ring_at(r, i - 1);
        i--;
    }
    *ring_at(r, i) = *ev;
    if (ev->ts_local.ns > r->newest) r->newest = ev->ts_local.ns;
}

/* Both times of a bar; the first one lies at *copy already. */
static void insert_bar(struct world *w, const struct event *ev, struct event *copy) {
    struct event second = *copy;
    ring_insert(&w->in, copy);
    close_of_bar(w, ev, &second);
    copy = ring_at(&w->in, w->in.count);
    *copy = second;
    ring_insert(&w->in, copy);
}

/* Reads ahead until the front may go: nothing that is still to come can be before it. False: a late
 * event ended the run. */
static bool ring_fill(struct world *w) {
    struct sim_reorder *r = &w->in;
    size_t room = w->cfg->bars ? 2 : 1; /* events of one that is read */
    while (!r->ended) {
        if (r->count > 0 && r->newest - r->ring[r->head].ts_local.ns > w->cfg->reorder_ns) break;
        if (r->count + room > r->slots) {
            w->counters.window_cut++;
            break;
        }
        if (r->count == r->span) ring_widen(r);
        const struct event *ev = w->venue.next(w->venue.ctx);
        if (!ev) {
            r->ended = true;
            break;
        }
        struct event *copy = ring_at(r, r->count);
        if (!admit(w, ev, copy)) continue;
        w->counters.venue_events++;
        if (ev->ts_local.ns > w->traded_ts) w->traded_ts = ev->ts_local.ns;
        if (copy->ts_local.ns < r->released) {
            w->counters.late++;
            if (w->cfg->stop_late) return false;
            copy->ts_local.ns = r->released;
        }
        if (copy->kind == EV_KLINE) {
            insert_bar(w, ev, copy);
        } else {
            ring_insert(r, copy);
        }
    }
    return true;
}

static void ring_pop(struct sim_reorder *r) {
    r->released = r->ring[r->head].ts_local.ns;
    r->head = r->head + 1 == r->span ? 0 : r->head + 1;
    r->count--;
}

enum { AHEAD = 6 }; /* levels: far enough for memory to answer */

static void exchange_data(struct world *w) {
    const struct event *ev = ring_at(&w->in, 0);
    if (w->book && w->in.count > AHEAD) book_fetch(w->book, ring_at(&w->in, AHEAD));
    bool mark = ev->kind == EV_MARK, account = ev->kind == EV_FUNDING || (mark && !w->ops->mark);
    if (!account && ev->kind != EV_ORDER) sim_rate_see(w, ev->ts_local.ns, ev->flags);
    bool opens = ev->kind == EV_KLINE && !(ev->flags & EVF_CLOSED);
    if (w->cleared && opens) sim_clear_data(w, ev); /* before it opens */
    if (ev->kind == w->cfg->print_kind) {
        w->counters.prints++;
        w->ops->print(w, ev);
    } else if (mark && w->ops->mark) {
        w->ops->mark(w, ev);
    } else if (ev->kind == EV_ORDER) {
        w->ops->order(w, ev);
    } else if (!account) {
        w->ops->depth(w, ev);
    }
    bool other = ev->kind == EV_KLINE || ev->kind == EV_ORDER || ev->kind == w->cfg->print_kind;
    if (w->cleared && !other) { sim_clear_data(w, ev); }
    ring_pop(&w->in);
}

/* ---- buses ---- */

static bool port_send(void *ctx, const struct order_request *req) {
    struct sim_seat *s = ctx;
    struct world *w = s->world;
    if (s->out.count == w->bus_slots) {
        w->counters.bus_full++;
        return false;
    }
    int64_t arrival;
    if (!sim_entry(s, req, &arrival)) return true;
    if (arrival < s->out.last) arrival = s->out.last;
    s->out.last = arrival;
    size_t at = sim_bus_push(&s->out, w->bus_slots);
    s->requests[at] = (struct sim_request){arrival, *req};
    w->in_flight++;
    if (s->out.count == 1) sim_seat_moved(s);
    return true;
}

struct order_port world_port(struct world *w, uint32_t seat) {
    CHECK(seat < w->seats);
    return (struct order_port){.ctx = &w->seat[seat], .send = port_send};
}

static void bus_pop(struct sim_seat *s, struct sim_bus *b) {
    b->head = b->head + 1 == s->world->bus_slots ? 0 : b->head + 1;
    b->count--;
    s->world->in_flight--;
    sim_seat_moved(s);
}

static void exchange_request(struct world *w, struct sim_seat *s) {
    struct sim_request r = s->requests[s->out.head];
    bus_pop(s, &s->out);
    w->counters.requests++;
    w->ops->request(w, s, &r.req, r.arrival);
    sim_rows_own(s, &r.req);
}

/* ---- the merge ---- */

static void local_next(struct world *w) {
    w->local_head = w->local.next(w->local.ctx);
    if (!w->local_head) {
        w->local_ts = INT64_MAX;
        return;
    }
    int64_t ts = w->local_head->ts_local.ns;
    bool backward = w->counters.local_events > 0 && ts < w->local_ts;
    w->counters.local_backward += backward;
    w->counters.local_events++;
    if (!backward) w->local_ts = ts;
}

/* DUE: an order's time at the exchange is over. */
enum slot { SLOT_LOCAL, SLOT_RESPONSE, SLOT_DUE, SLOT_DATA, SLOT_REQUEST, SLOT_TIMER, SLOT_COUNT };

struct choice {
    int64_t ts;
    enum slot slot;
    uint32_t seat;
};

static void consider(struct choice *c, int64_t ts, enum slot slot, uint32_t seat) {
    if (ts < c->ts || (ts == c->ts && slot < c->slot)) *c = (struct choice){ts, slot, seat};
}

void sim_seat_moved(struct sim_seat *s) {
    struct world *w = s->world;
    uint32_t k = (uint32_t)(s - w->seat);
    struct choice c = {INT64_MAX, SLOT_COUNT, k};
    if (s->back.count > 0) consider(&c, s->responses[s->back.head].arrival, SLOT_RESPONSE, k);
    if (s->out.count > 0) consider(&c, s->requests[s->out.head].arrival, SLOT_REQUEST, k);
    if (s->timer_ns > 0 && w->started) consider(&c, s->timer_next, SLOT_TIMER, k);
    merge_tree_set(&w->tree, k, (struct world_key){c.ts, (uint32_t)c.slot << 16 | k});
}

/* The seats' first; ties of one slot go to the first seat. */
static void consider_seats(struct choice *c, const struct world *w) {
    size_t k = merge_tree_first(&w->tree);
    struct world_key key = merge_tree_least(&w->tree);
    if (key.rank >> 16 < SLOT_COUNT) consider(c, key.ts, (enum slot)(key.rank >> 16), (uint32_t)k);
}

/* Prepared rows: the exchange's next message, and the last event of our side, which is silent. */
static void consider_rows(struct choice *c, const struct sim_replay *p) {
    if (p->at < p->rows->messages) consider(c, p->rows->message[p->at].ts, SLOT_DATA, 0);
    if (!p->local_over) consider(c, p->rows->last_local_ns, SLOT_LOCAL, WORLD_ALL);
}

/* Does our side still wait for something? The anchor knows of depth and trades only: what comes
 * behind the last of them is handed out, and rings no timer. */
static bool local_waits(const struct world *w) {
    if (!w->local_head) return false;
    return w->cfg->rules != SIM_ANCHOR || !w->in.ended || w->local_ts <= w->traded_ts;
}

/* The earliest; at equal times the order of enum slot, then of seats. Timers and expiries alone are
 * nothing: when all else is over, so is the run. */
static struct choice choose(const struct world *w) {
    struct choice c = {INT64_MAX, SLOT_COUNT, 0};
    if (local_waits(w)) consider(&c, w->local_ts, SLOT_LOCAL, WORLD_ALL);
    if (w->in.count > 0) consider(&c, ring_at(&w->in, 0)->ts_local.ns, SLOT_DATA, 0);
    if (w->replay.rows) consider_rows(&c, &w->replay);
    if (c.slot == SLOT_COUNT && w->in_flight == 0) {
        if (w->local_head) consider(&c, w->local_ts, SLOT_LOCAL, WORLD_ALL);
        return c;
    }
    if (w->local_head) consider(&c, w->local_ts, SLOT_LOCAL, WORLD_ALL);
    consider_seats(&c, w);
    consider(&c, w->due, SLOT_DUE, 0);
    return c;
}

/* Up to where the exchange may take prepared rows before anything else happens. */
static int64_t rows_limit(const struct world *w, struct world_key bound) {
    struct choice c = {bound.ts, SLOT_LOCAL, 0};
    if (w->local_head) consider(&c, w->local_ts, SLOT_LOCAL, WORLD_ALL);
    consider_seats(&c, w);
    return c.slot < SLOT_DATA ? c.ts - 1 : c.ts;
}

static void start(struct world *w) {
    struct choice c = choose(w);
    w->started = true;
    if (c.slot == SLOT_COUNT) return;
    const struct world_rows *rows = w->replay.rows;
    if (rows && rows->messages > 0) c.ts = rows->message[0].ts;
    if (w->cfg->rules == SIM_ANCHOR && w->in.count > 0) c.ts = ring_at(&w->in, 0)->ts_local.ns;
    for (uint32_t k = 0; k < w->seats; k++) {
        struct sim_seat *s = &w->seat[k];
        if (s->timer_ns == 0) continue;
        int64_t from = w->cfg->timers_from_start ? c.ts : c.ts - c.ts % s->timer_ns;
        s->timer_next = from + s->timer_ns;
        sim_seat_moved(s);
    }
}

static const struct event *timer_event(struct world *w, struct sim_seat *s) {
    w->timer = (struct event){.ts_local = {s->timer_next},
        .id = s->timer_ns,
        .inst = w->cfg->inst->id,
        .kind = EV_TIMER,
        .flags = EVF_FIRST | EVF_LAST};
    s->timer_next += s->timer_ns;
    sim_seat_moved(s);
    return &w->timer;
}

static const struct event *report_event(struct world *w, struct sim_seat *s) {
    memcpy(w->report, s->responses[s->back.head].ev, sizeof w->report);
    bus_pop(s, &s->back);
    return w->report;
}

static struct world_key key_of(const struct world *w, const struct choice *c) {
    return (struct world_key){c->ts, (uint32_t)c->slot << 16 | w->cfg->rank};
}

/* More of the message that the exchange took last: nothing of its instant comes before, unless the
 * answer to it does. */
static void exchange_run(struct world *w, int64_t ts) {
    uint64_t answered = w->counters.responses;
    do {
        exchange_data(w);
    } while (w->in.count > 0 && ring_at(&w->in, 0)->ts_local.ns == ts && w->due > ts && !w->yield &&
             w->counters.responses == answered && w->fault.result == WORLD_EVENT);
}

/* Our side's next event. */
static const struct event *local_event(struct world *w) {
    const struct event *ev = w->local_head;
    w->local_used = true;
    if (w->anchor_local && !w->replay.rows && ev->inst == w->cfg->inst->id) {
        anchor_book_apply(w->anchor_local, ev, NULL, NULL);
    }
    return ev;
}

enum world_result world_until(struct world *w, struct world_key bound, struct world_key *next,
    const struct event **ev, uint32_t *seat) {
    if (w->local_used) { /* handed out by the last call, valid until this one */
        int64_t ts = w->local_ts;
        w->local_used = false;
        local_next(w);
        struct choice more = {ts, SLOT_LOCAL, WORLD_ALL};
        *next = key_of(w, &more);
        bool same = w->local_head && w->local_ts == ts; /* what is first of all at its instant */
        if (same && !w->yield && world_before(*next, bound)) {
            *seat = WORLD_ALL;
            *ev = local_event(w);
            return WORLD_EVENT;
        }
    }
    for (;;) {
        if (!ring_fill(w)) return WORLD_LATE;
        if (w->fault.result != WORLD_EVENT) return w->fault.result;
        if (w->anchor && (w->anchor->full | w->anchor_local->full) != 0) return WORLD_BOOK_FULL;
        if (!w->started) start(w);
        if (w->replay.rows && sim_rows_run(w, rows_limit(w, bound))) continue;
        struct choice c = choose(w);
        *seat = c.seat;
        *next = key_of(w, &c);
        if (c.slot != SLOT_COUNT && (w->yield || !world_before(*next, bound))) {
            w->yield = false;
            return WORLD_WAIT;
        }
        if (w->replay.rows) sim_rows_look(w, c.ts);
        switch (c.slot) {
        case SLOT_LOCAL:
            if (!w->local_head || c.ts != w->local_ts) { /* the end of prepared rows */
                w->replay.local_over = true;
                break;
            }
            *ev = local_event(w);
            return WORLD_EVENT;
        case SLOT_RESPONSE: *ev = report_event(w, &w->seat[c.seat]); return WORLD_EVENT;
        case SLOT_DUE: sim_due(w, c.ts); break;
        case SLOT_DATA:
            if (w->replay.rows) {
                (void)sim_rows_run(w, c.ts);
            } else {
                exchange_run(w, c.ts);
            }
            break;
        case SLOT_REQUEST: exchange_request(w, &w->seat[c.seat]); break;
        case SLOT_TIMER: *ev = timer_event(w, &w->seat[c.seat]); return WORLD_EVENT;
        case SLOT_COUNT: return WORLD_END;
        }
    }
}

enum world_result world_next(struct world *w, const struct event **ev, uint32_t *seat) {
    struct world_key end = {INT64_MAX, UINT32_MAX}, next;
    return world_until(w, end, &next, ev, seat);
}

/* ---- set-up and views ---- */

struct world *world_init(void *mem, const struct world_config *cfg,
    const struct world_source *local, const struct world_source *venue) {
    CHECK(((uintptr_t)mem & 63u) == 0);
    CHECK(cfg->seats <= WORLD_SEATS_MAX);
    CHECK(cfg->print_kind == EV_TRADE || cfg->print_kind == EV_AGG_TRADE);
    CHECK(cfg->entry_new_ns >= 0 && cfg->entry_cancel_ns >= 0 && cfg->response_ns >= 0);
    struct layout l = layout_of(cfg);
    unsigned char *base = mem;
    struct world *w = mem;
    memset(w, 0, round64(sizeof *w));
    w->cfg = cfg;
    w->ops = cfg->bars ? &sim_bars : cfg->rules == SIM_ANCHOR ? &sim_anchor : &sim_strict;
    w->local = *local;
    w->venue = *venue;
    w->seats = (uint32_t)l.seat_count;
    w->bus_slots = l.bus_slots;
    w->in.ring = (void *)(base + l.ring);
    w->in.slots = l.ring_slots;
    w->in.span = l.ring_slots < RING_FIRST ? l.ring_slots : RING_FIRST;
    w->in.newest = w->in.released = INT64_MIN;
    w->due = INT64_MAX;
    for (int by = 0; by < 2; by++) w->fence[by] = (struct sim_fence){INT64_MAX, INT64_MIN};
    w->venue_rules = sim_rules_of(cfg->inst->venue);
    const struct world_venue *v = &cfg->venue;
    w->gated = !v->no_limits || v->outages > 0 || v->outage_every_ns > 0;
    w->seat = (void *)(base + l.seats);
    memset(w->seat, 0, w->seats * sizeof *w->seat);
    merge_tree_init(&w->tree, w->seats);
    struct sim_request *requests = (void *)(base + l.requests);
    struct sim_response *responses = (void *)(base + l.responses);
    for (uint32_t k = 0; k < w->seats; k++) {
        w->seat[k].world = w;
        w->seat[k].account = cfg->account ? cfg->account[k] : (uint8_t)k;
        w->shared |= w->seat[k].account != k;
        CHECK(w->seat[k].account < w->seats);
        w->seat[k].requests = requests + k * l.bus_slots;
        w->seat[k].responses = responses + k * l.bus_slots;
    }
    if (cfg->bars) {
        CHECK(cfg->rules == SIM_STRICT);
    } else if (cfg->rules == SIM_ANCHOR) {
        w->anchor = (void *)(base + l.anchor);
        w->anchor_local = (void *)(base + l.anchor_local);
        anchor_book_init(w->anchor, cfg->inst->tick_units);
        anchor_book_init_beside(w->anchor_local, w->anchor);
    } else {
        w->book = book_init(base + l.book, &cfg->book, cfg->inst->venue);
    }
    if (cfg->queue.model == QUEUE_FIFO) {
        CHECK(!cfg->bars && !cfg->rows);
        w->l3 = (void *)(base + l.l3);
        l3_book_init(w->l3);
    }
    sim_rows_init(w);
    local_next(w);
    return w;
}

void world_timer(struct world *w, uint32_t seat, int64_t period_ns) {
    CHECK(seat < w->seats);
    CHECK(period_ns >= 0 && !w->started);
    w->seat[seat].timer_ns = period_ns;
}

const struct world_counters *world_counters(const struct world *w) { return &w->counters; }
const struct latency_cursor *world_wire(const struct world *w, uint32_t seat) {
    CHECK(seat < w->seats);
    return &w->seat[seat].wire;
}
const struct world_fault *world_fault(const struct world *w) { return &w->fault; }
const struct book *world_book(const struct world *w) { return w->book; }

static bool anchor_best(const struct anchor_book *b, int side, struct book_level *out) {
    const struct anchor_side *s = &b->side[side];
    if (s->best == ANCHOR_NO_KEY) return false;
    out->px.ticks = anchor_px(b, side, s->best);
    out->qty.lots = *anchor_slot(s, s->best); /* the best is always inside the window */
    return true;
}

bool world_local_best(const struct world *w, int side, struct book_level *out) {
    CHECK(w->anchor_local);
    return anchor_best(w->anchor_local, side, out);
}

bool world_best(const struct world *w, int side, struct book_level *out) {
    if (w->book) return book_best(w->book, side, out);
    return w->anchor && anchor_best(w->anchor, side, out);
}

uint32_t world_resting(const struct world *w, uint32_t seat) {
    CHECK(seat < w->seats);
    return w->seat[seat].count[0] + w->seat[seat].count[1];
}

uint32_t world_waiting(const struct world *w, uint32_t seat) {
    CHECK(seat < w->seats);
    return w->seat[seat].triggers;
}

int64_t world_position(const struct world *w, uint32_t seat) {
    CHECK(seat < w->seats);
    return sim_account(&w->seat[seat])->position;
}
