#include "execute/sim/sim_l3.h"

#include <string.h>

#include "base/check.h"
#include "execute/sim/sim_internal.h"

size_t l3_book_size(void) { return sizeof(struct l3_book); }

void l3_book_init(struct l3_book *b) { memset(b, 0, sizeof *b); }

static size_t home(int64_t id) {
    return (size_t)(((uint64_t)id * 0x9E3779B97F4A7C15u) >> 40) & (L3_SLOTS - 1);
}

/* The slot of id, or the free one where it would go. */
static size_t locate(const struct l3_book *b, int64_t id) {
    size_t i = home(id);
    while (b->slot[i].lots != 0 && b->slot[i].id != id) i = (i + 1) & (L3_SLOTS - 1);
    return i;
}

/* Closes the hole so that probing never meets a false end. */
static void erase(struct l3_book *b, size_t hole) {
    struct l3_order *t = b->slot;
    const size_t mask = L3_SLOTS - 1;
    t[hole].lots = 0;
    b->used--;
    for (size_t i = (hole + 1) & mask; t[i].lots != 0; i = (i + 1) & mask) {
        size_t want = home(t[i].id);
        if (((i - want) & mask) < ((i - hole) & mask)) continue;
        t[hole] = t[i];
        t[i].lots = 0;
        hole = i;
    }
}

const struct l3_order *l3_find(const struct l3_book *b, int64_t id) {
    const struct l3_order *o = &b->slot[locate(b, id)];
    return o->lots != 0 ? o : NULL;
}

static bool add(struct l3_book *b, const struct event *ev, struct l3_change *out) {
    out->number = ++b->added;
    out->lots = ev->qty.lots;
    if (ev->id == 0 || ev->qty.lots <= 0) return true;
    struct l3_order *o = &b->slot[locate(b, ev->id)];
    if (o->lots == 0 && b->used >= L3_SLOTS / 4 * 3) return false;
    b->used += o->lots == 0;
    *o = (struct l3_order){ev->id, ev->qty.lots, out->number};
    return true;
}

bool l3_apply(struct l3_book *b, const struct event *ev, struct l3_change *out) {
    CHECK(ev->kind == EV_ORDER);
    *out = (struct l3_change){0, 0};
    if (ev->aux.a == ACTION_ADD) return add(b, ev, out);
    bool leaves =
        ev->aux.a == ACTION_REDUCE || ev->aux.a == ACTION_DELETE || ev->aux.a == ACTION_EXECUTE;
    if (!leaves || ev->qty.lots <= 0) return true;
    out->lots = ev->qty.lots;
    if (ev->id == 0) return true;
    size_t i = locate(b, ev->id);
    struct l3_order *o = &b->slot[i];
    if (o->lots == 0) return true;
    out->number = o->number;
    if (ev->aux.a == ACTION_DELETE || out->lots > o->lots) out->lots = o->lots;
    if (out->lots == o->lots) {
        erase(b, i);
    } else {
        o->lots -= out->lots;
    }
    return true;
}

/* ---- strict ---- */

/* Cancels of who stands before an own order move it up; executions do so by their print. Quantity
 * that comes into view at a level was there before; of unknown quantity that is gone it is not
 * known where it stood: then only the level's total is a bound. */
static void queue_moves(
    struct sim_seat *s, const struct event *ev, int side, const struct l3_change *c) {
    for (uint32_t i = 0; i < s->count[side]; i++) {
        struct sim_order *o = &s->orders[side][i];
        if (o->px != ev->px.ticks) continue;
        if (ev->aux.a == ACTION_ADD) {
            if (ev->id == 0) o->pos.ahead += (double)c->lots;
        } else if (ev->id != 0 && c->number <= o->pos.arrived) {
            o->pos.ahead -= (double)c->lots;
            if (o->pos.ahead < 0) o->pos.ahead = 0;
        }
    }
}

void sim_l3_strict(struct world *w, const struct event *ev) {
    struct l3_change c;
    int side = (ev->flags & EVF_SELL) ? SIDE_SELL : SIDE_BUY;
    if (!l3_apply(w->l3, ev, &c)) {
        sim_fault(w, WORLD_ORDERS_FULL, ev->id, ev->ts_local.ns);
        return;
    }
    if (ev->aux.a == ACTION_EXECUTE || c.lots == 0) return;
    for (uint32_t k = 0; k < w->seats; k++) {
        if (w->seat[k].count[side] > 0) queue_moves(&w->seat[k], ev, side, &c);
    }
}
