/* sim_anchor.c: the rule set equal to hftbacktest's exchange: without partial fills, or with
 * them (sim_anchor_partial.h).
 *
 * An order never changes the book, and every own order sees the full size of a print; without
 * partial fills it fills whole or not at all. Each difference from `strict` has its row in
 * docs/simulator.md.
 */
#include <math.h>

#include "base/check.h"
#include "execute/sim/sim_internal.h"

static void fill_whole(struct sim_seat *s, int side, uint32_t i, int64_t ts) {
    if (s->world->cfg->partial.on) {
        anchor_partial_whole(s, side, i, ts);
        return;
    }
    struct sim_order o = s->orders[side][i];
    sim_remove(s, side, i);
    int64_t qty = o.leaves, ahead = o.pos.ahead > 0 ? (int64_t)floor(o.pos.ahead) : 0;
    o.leaves = 0;
    sim_fill(s, &o, o.px, qty, true, ahead, ts);
}

/* Own orders of `side` in the range (before, after] that the other side's best moved through. */
static void on_best(struct sim_seat *s, int side, int64_t best, int64_t ts) {
    while (s->count[side] > 0) {
        int64_t px = s->orders[side][0].px;
        if (sim_better(side, best, px)) return; /* best quote of the other side is out of reach */
        fill_whole(s, side, 0, ts);
        s->world->counters.cross_fills++;
    }
}

static void on_level(struct world *w, struct sim_seat *s, const struct anchor_step *c, int64_t ts) {
    struct sim_order *list = s->orders[c->side];
    for (uint32_t i = 0; i < s->count[c->side]; i++) {
        if (list[i].px == c->px) queue_level(&w->cfg->queue, &list[i].pos, c->before, c->after);
    }
    if (sim_better(c->side, c->best_after, c->best_before))
        on_best(s, c->side ^ 1, c->best_after, ts);
}

struct depth_ctx {
    struct world *w;
    int64_t ts;
};

static void on_step(void *ctx, const struct anchor_step *c) {
    const struct depth_ctx *d = ctx;
    for (uint32_t k = 0; k < d->w->seats; k++) on_level(d->w, &d->w->seat[k], c, d->ts);
}

/* One changed level of prepared rows, for the seats: the same as on_step, once it concerns them. */
static void rows_step(struct world *w, int side, struct anchor_level l, int64_t before,
    int64_t best_before, int64_t ts) {
    struct anchor_step c = anchor_step_of(w->anchor, side, l, before, best_before);
    struct depth_ctx d = {w, ts};
    on_step(&d, &c);
}

enum { ROWS_AHEAD = 32 }; /* levels: far enough for memory to answer */

/* Where worlds take turns, each finds the caches cold: the line of a level is asked for ROWS_AHEAD
 * levels before it is needed. Our side's book lies in the same lines. */
static inline __attribute__((always_inline)) void rows_levels(
    struct world *w, const struct world_message *m, bool crowded) {
    struct anchor_book *b = w->anchor;
    const struct sim_replay *p = &w->replay;
    const struct world_level *l = &p->rows->level[m->first], *end = l + m->count;
    const struct world_level *over = &p->rows->level[p->rows->levels];
    for (; l < end; l++) {
        if (crowded) {
            const struct world_level *next = over - l > ROWS_AHEAD ? l + ROWS_AHEAD : l;
            __builtin_prefetch(anchor_slot(&b->side[next->at & 1], next->at >> 1), 1);
        }
        int side = (int)(l->at & 1);
        int64_t key = l->at >> 1, best = b->side[side].best;
        int64_t before = anchor_put(b, side, key, l->lots), now = b->side[side].best;
        uint64_t at = (uint64_t)key % SIM_MARK_KEYS;
        bool mine = (p->own_mark[side][at / 64] >> (at % 64)) & 1;
        bool reached = now < best && p->own_first[side ^ 1] <= -now;
        if (mine || reached) {
            rows_step(w, side, (struct anchor_level){key, l->lots}, before, best, m->ts);
        }
    }
}

static void rows_snapshot(struct world *w, const struct world_message *m) {
    struct depth_ctx d = {w, m->ts};
    const struct world_level *l = &w->replay.rows->level[m->first], *end = l + m->count;
    for (; l < end; l++) {
        anchor_book_keep(w->anchor, (int)(l->at & 1), (struct anchor_level){l->at >> 1, l->lots});
    }
    if (m->flags & EVF_LAST) anchor_book_replace(w->anchor, on_step, &d);
}

/* A clear takes all own orders with it. */
static void clear_own(struct world *w, int64_t ts) {
    for (uint32_t k = 0; k < w->seats; k++) {
        struct sim_seat *s = &w->seat[k];
        for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
            while (s->count[side] > 0) {
                struct sim_order o = s->orders[side][0];
                sim_remove(s, side, 0);
                sim_say(s, &o, REPORT_EXPIRED, WHY_OUTSIDE, ts);
            }
        }
    }
}

static void depth(struct world *w, const struct event *ev) {
    struct depth_ctx d = {w, ev->ts_local.ns};
    bool cleared = w->l3 && (ev->flags & EVF_SNAPSHOT) && (ev->flags & EVF_FIRST);
    if (cleared) clear_own(w, ev->ts_local.ns);
    anchor_book_apply(w->anchor, ev, on_step, &d);
}

static void print_on(struct world *w, struct sim_seat *s, int side, const struct event *ev) {
    int64_t lot = w->cfg->inst->lot_units;
    for (uint32_t i = 0; i < s->count[side];) {
        struct sim_order *o = &s->orders[side][i];
        if (sim_better(side, ev->px.ticks, o->px)) return; /* the print did not reach it */
        bool fills = o->px != ev->px.ticks;
        if (!fills) {
            queue_print(&o->pos, (double)ev->qty.lots);
            int64_t lots = queue_executable(&o->pos, lot);
            if (lots > 0 && w->cfg->partial.on) {
                if (!anchor_partial_hit(s, side, i, lots, ev->ts_local.ns)) i++;
                continue;
            }
            fills = lots > 0;
        }
        if (fills) {
            fill_whole(s, side, i, ev->ts_local.ns);
        } else {
            i++;
        }
    }
}

static void print(struct world *w, const struct event *ev) {
    if (w->l3) return; /* its per-order exchange looks at fills, not at prints */
    int side = (ev->flags & EVF_BUY) ? SIDE_SELL : SIDE_BUY; /* whom the aggressor meets */
    for (uint32_t k = 0; k < w->seats; k++) {
        if (w->seat[k].count[side] > 0) print_on(w, &w->seat[k], side, ev);
    }
}

void sim_anchor_message(struct world *w, const struct world_message *m) {
    if (m->kind == w->cfg->print_kind) {
        struct event ev = {.ts_local = {m->ts},
            .px = {m->px},
            .qty = {m->qty},
            .kind = m->kind,
            .flags = m->flags};
        w->counters.prints++;
        print(w, &ev);
    } else if (m->flags & EVF_SNAPSHOT) {
        rows_snapshot(w, m);
    } else if (w->cfg->crowded) {
        rows_levels(w, m, true);
    } else {
        rows_levels(w, m, false);
    }
}

static void rest(struct world *w, struct sim_seat *s, struct sim_order *o, int64_t ts) {
    queue_place(&o->pos, anchor_book_at(w->anchor, o->side, o->px));
    if (w->l3) o->pos.arrived = w->l3->added;
    o->placed = (int64_t)o->pos.ahead;
    bool rests = sim_insert(s, o);
    sim_say(s, o, rests ? REPORT_ACK : REPORT_REJECTED, rests ? WHY_NONE : WHY_LIMIT, ts);
}

static void arrive(struct world *w, struct sim_seat *s, struct sim_order o, int64_t ts) {
    int64_t best = anchor_book_best(w->anchor, o.side ^ 1);
    bool market = o.type == ORDER_MARKET;
    bool takes = market || (o.side == SIDE_BUY ? o.px >= best : o.px <= best);
    if (takes && !market && o.tif == TIF_GTX) {
        sim_say(s, &o, REPORT_EXPIRED, WHY_POST_ONLY, ts);
    } else if (takes && w->cfg->partial.on) {
        if (anchor_partial_take(s, &o, ts)) rest(w, s, &o, ts);
    } else if (takes) {
        int64_t qty = o.leaves;
        o.leaves = 0;
        sim_fill(s, &o, best, qty, false, -1, ts);
    } else if (o.tif == TIF_IOC || o.tif == TIF_FOK) {
        sim_say(s, &o, REPORT_EXPIRED, WHY_NO_LIQUIDITY, ts);
    } else {
        rest(w, s, &o, ts);
    }
}

/* qty of a modify is the new remaining quantity here. */
static void modify(
    struct world *w, struct sim_seat *s, const struct order_request *req, int64_t ts) {
    uint32_t i;
    struct sim_order *o = sim_find(s, req->id, &i);
    if (!o) {
        struct sim_order none = sim_order_of(req);
        sim_say(s, &none, REPORT_MODIFY_REJECTED, WHY_UNKNOWN_ORDER, ts);
        return;
    }
    struct sim_order next = *o;
    next.px = req->px.ticks;
    next.qty = next.leaves = req->qty.lots;
    if (req->px.ticks == o->px && req->qty.lots <= o->leaves) {
        *o = next;
        sim_say(s, &next, REPORT_MODIFIED, WHY_NONE, ts);
        return;
    }
    sim_remove(s, o->side, i);
    arrive(w, s, next, ts);
}

static void request(
    struct world *w, struct sim_seat *s, const struct order_request *req, int64_t ts) {
    uint32_t i;
    struct sim_order o = sim_order_of(req);
    switch ((enum request_kind)req->kind) {
    case REQUEST_NEW:
        if (!order_request_formed(req) || !order_request_plain(req)) {
            bool formed = order_request_formed(req);
            sim_say(s, &o, REPORT_REJECTED, formed ? WHY_UNSUPPORTED : WHY_MALFORMED, ts);
            return;
        }
        arrive(w, s, o, ts);
        return;
    case REQUEST_MODIFY: modify(w, s, req, ts); return;
    case REQUEST_QUERY: sim_query(s, req, ts); return;
    case REQUEST_CANCEL: break;
    }
    const struct sim_order *have = sim_find(s, req->id, &i);
    if (!have) {
        sim_say(s, &o, REPORT_CANCEL_REJECTED, WHY_UNKNOWN_ORDER, ts);
        return;
    }
    o = *have;
    sim_remove(s, o.side, i);
    sim_say(s, &o, REPORT_CANCELED, WHY_NONE, ts);
}

/* ---- per-order data: the anchor's FIFO exchange ---- */

/* A fill of a market order fills whole what stands before it: at its price own orders that came
 * earlier, and those at better prices up to the best quote of the side (one beyond that stays). */
static void order_filled(
    struct sim_seat *s, int side, const struct event *ev, const struct l3_change *c) {
    int64_t best = anchor_book_best(s->world->anchor, side);
    for (uint32_t i = 0; i < s->count[side];) {
        const struct sim_order *o = &s->orders[side][i];
        if (sim_better(side, ev->px.ticks, o->px)) return;
        bool behind = o->px == ev->px.ticks && o->pos.arrived >= c->number;
        if (behind || (o->px != ev->px.ticks && sim_better(side, o->px, best))) {
            i++;
            continue;
        }
        fill_whole(s, side, i, ev->ts_local.ns);
    }
}

static void order(struct world *w, const struct event *ev) {
    struct l3_change c;
    int side = (ev->flags & EVF_SELL) ? SIDE_SELL : SIDE_BUY;
    if (!l3_apply(w->l3, ev, &c)) {
        sim_fault(w, WORLD_ORDERS_FULL, ev->id, ev->ts_local.ns);
        return;
    }
    if (ev->aux.a != ACTION_EXECUTE) return;
    for (uint32_t k = 0; k < w->seats; k++) order_filled(&w->seat[k], side, ev, &c);
}

const struct sim_ops sim_anchor = {
    .depth = depth, .print = print, .request = request, .order = order};
