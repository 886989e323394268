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
    (void)script_add(s, us, EV_DEPTH, side | EVF_FIRST | EVF_LAST, px, qty);
}

static inline void script_print(
    struct script *s, int64_t us, int aggressor, int64_t px, int64_t qty) {
    (void)script_add(s, us, EV_TRADE, aggressor | EVF_FIRST | EVF_LAST, px, qty);
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
        (void)script_add(s, us, EV_DEPTH, f, l[i].px, l[i].qty);
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

#endif
