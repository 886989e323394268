/* sim_testing.h: tiny markets for tests: a script of depth messages and prints on one instrument of
 * tick 1 and lot 1, and a world over it. */
#ifndef FATHOM_EXECUTE_SIM_SIM_TESTING_H
#define FATHOM_EXECUTE_SIM_SIM_TESTING_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "execute/sim/world.h"

enum { SCRIPT_MAX = 4096 };

struct script {
    struct event ev[SCRIPT_MAX];
    size_t n, at;
    int64_t id;
};

static const struct instrument script_inst = {.symbol = "TEST",
    .px_mant = 1,
    .qty_mant = 1,
    .tick_units = 1,
    .lot_units = 1,
    .contract_e8 = 100000000,
    .venue = VENUE_OTHER};

static inline struct event *script_add(
    struct script *s, int64_t us, uint8_t kind, int flags, int64_t px, int64_t qty) {
    assert(s->n < SCRIPT_MAX);
    struct event *ev = &s->ev[s->n++];
    *ev = (struct event){.ts_venue = {us * 1000},
        .ts_local = {us * 1000 + 500000},
        .px = {px},
        .qty = {qty},
        .id = s->id,
        .kind = kind,
        .flags = (uint8_t)flags};
    return ev;
}

/* A depth message of one level; side flag EVF_BUY or EVF_SELL. */
static inline void script_level(struct script *s, int64_t us, int side, int64_t px, int64_t qty) {
    s->id++;
    struct event *ev = script_add(s, us, EV_DEPTH, side | EVF_FIRST | EVF_LAST, px, qty);
    ev->depth.first_id = s->id;
    ev->depth.prev_id = s->id - 1;
}

static inline void script_print(
    struct script *s, int64_t us, int aggressor, int64_t px, int64_t qty) {
    (void)script_add(s, us, EV_TRADE, aggressor | EVF_FIRST | EVF_LAST, px, qty);
}

static inline void script_mark(struct script *s, int64_t us, int64_t px_e10) {
    struct event *ev = script_add(s, us, EV_MARK, EVF_FIRST | EVF_LAST, 0, 0);
    ev->aux.a = px_e10;
    assert(s->n < SCRIPT_MAX);
    memset(&s->ev[s->n++], 0, sizeof(struct event));
}

struct script_level {
    int side;
    int64_t px, qty;
};

static inline void script_message(
    struct script *s, int64_t us, int flags, const struct script_level *l, size_t n) {
    s->id++;
    for (size_t i = 0; i < n; i++) {
        int f = flags | l[i].side | (i == 0 ? EVF_FIRST : 0) | (i + 1 == n ? EVF_LAST : 0);
        struct event *ev = script_add(s, us, EV_DEPTH, f, l[i].px, l[i].qty);
        ev->depth.first_id = s->id;
        ev->depth.prev_id = s->id - 1;
    }
}

static inline const struct event *script_next(void *ctx) {
    struct script *s = ctx;
    if (s->at >= s->n) return NULL;
    const struct event *ev = &s->ev[s->at];
    s->at += event_slots(ev->kind);
    return ev;
}

/* Both cursors over a script; free with script_close. */
struct script_world {
    struct script local, venue;
    struct world_config cfg;
    void *mem;
    struct world *world;
};

static inline struct script_world *script_open(
    const struct script *s, const struct world_config *cfg) {
    struct script_world *w = calloc(1, sizeof *w);
    w->local = w->venue = *s;
    w->cfg = *cfg;
    if (!w->cfg.inst) w->cfg.inst = &script_inst;
    w->cfg.print_kind = EV_TRADE;
    w->cfg.reorder_slots = 512;
    w->cfg.book.levels_max = 64;
    w->cfg.book.pending_max = 64;
    w->mem = aligned_alloc(64, (world_mem_size(&w->cfg) + 63) & ~(size_t)63);
    struct world_source ls = {&w->local, script_next}, vs = {&w->venue, script_next};
    w->world = world_init(w->mem, &w->cfg, &ls, &vs);
    return w;
}

static inline void script_close(struct script_world *w) {
    free(w->mem);
    free(w);
}

/* The book of the known small cases: bids 100 x 5, 99 x 5; asks 101 x 5, 102 x 5, 103 x 5. */
static inline struct script script_market(void) {
    static const struct script_level book[] = {{EVF_BUY, 100, 5}, {EVF_BUY, 99, 5},
        {EVF_SELL, 101, 5}, {EVF_SELL, 102, 5}, {EVF_SELL, 103, 5}};
    struct script s = {0};
    script_message(&s, 1000, EVF_SNAPSHOT, book, 5);
    return s;
}

/* All reports of a seat's requests, in order. */
enum { SCRIPT_GOT_MAX = 256 };
struct script_got {
    struct report r[SCRIPT_GOT_MAX];
    size_t n;
    struct world_counters counters;
    int64_t position;
    uint32_t resting, waiting;
};

static inline struct script_got script_play(const struct script *s, const struct world_config *cfg,
    const struct order_request *q, const uint8_t *seat_of, size_t n) {
    struct script_world *w = script_open(s, cfg);
    struct script_got g = {0};
    for (size_t i = 0; i < n; i++) {
        struct order_port port = world_port(w->world, seat_of ? seat_of[i] : 0);
        bool sent = port.send(port.ctx, &q[i]);
        assert(sent);
        (void)sent;
    }
    const struct event *ev;
    uint32_t seat;
    int64_t now = 0;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        assert(ev->ts_local.ns >= now);
        now = ev->ts_local.ns;
        if (ev->kind != EV_ORDER_REPORT) continue;
        assert(g.n < SCRIPT_GOT_MAX);
        report_decode(ev, &g.r[g.n++]);
    }
    g.counters = *world_counters(w->world);
    g.position = world_position(w->world, 0);
    g.resting = world_resting(w->world, 0);
    g.waiting = world_waiting(w->world, 0);
    script_close(w);
    return g;
}

/* How often an order was told so, with this reason. */
static inline size_t script_told(
    const struct script_got *g, int64_t id, uint8_t status, uint8_t why) {
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        n += g->r[i].order_id == id && g->r[i].status == status && g->r[i].why == why;
    }
    return n;
}

static inline int64_t script_filled(const struct script_got *g, int64_t id) {
    int64_t sum = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (g->r[i].status == REPORT_FILL && g->r[i].order_id == id) sum += g->r[i].last_qty.lots;
    }
    return sum;
}

#endif
