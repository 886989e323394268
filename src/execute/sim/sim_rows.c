/* sim_rows.c: an anchor world over prepared rows: runs of messages at the exchange, and our side's
 * book brought up to date only when somebody looks.
 */
#include "base/check.h"
#include "execute/sim/sim_internal.h"

void sim_rows_init(struct world *w) {
    const struct world_rows *r = w->cfg->rows;
    if (!r) return;
    CHECK(w->cfg->rules == SIM_ANCHOR && !w->cfg->bars && !w->cfg->clears);
    CHECK(!w->cfg->clock && w->cfg->queue.model != QUEUE_FIFO); /* what rows do not carry */
    CHECK(r->done);
    CHECK(r->inst == w->cfg->inst->id && r->tick == w->cfg->inst->tick_units);
    CHECK(r->print_kind == w->cfg->print_kind);
    CHECK(r->clock_offset_ns == w->cfg->clock_offset_ns);
    w->replay.rows = r;
    w->replay.own_first[SIDE_BUY] = w->replay.own_first[SIDE_SELL] = ANCHOR_NO_KEY;
    w->replay.local_over = r->events == 0;
    w->in.ended = true;
}

/* Widens the keys between which own orders rest by those of a seat. A price off the tick counts for
 * both neighbours. */
static void widen(struct sim_replay *p, const struct sim_seat *s) {
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        if (s->count[side] == 0) continue;
        int64_t sign = side == SIDE_SELL ? 1 : -1, tick = p->rows->tick;
        int64_t first = sign * s->orders[side][0].px / tick - 1;
        int64_t last = sign * s->orders[side][s->count[side] - 1].px / tick + 1;
        if (p->own_first[side] == ANCHOR_NO_KEY) {
            p->own_first[side] = first;
            p->own_span[side] = (uint64_t)(last - first);
            continue;
        }
        int64_t end = p->own_first[side] + (int64_t)p->own_span[side];
        if (first < p->own_first[side]) p->own_first[side] = first;
        if (last > end) end = last;
        p->own_span[side] = (uint64_t)(end - p->own_first[side]);
    }
}

void sim_rows_own(struct sim_seat *s) {
    struct world *w = s->world;
    struct sim_replay *p = &w->replay;
    if (!p->rows) return;
    if (++p->own_age <= w->seats) { /* what left makes no harm but cost */
        widen(p, s);
        return;
    }
    p->own_age = 0;
    p->own_first[SIDE_BUY] = p->own_first[SIDE_SELL] = ANCHOR_NO_KEY;
    p->own_span[SIDE_BUY] = p->own_span[SIDE_SELL] = 0;
    for (uint32_t k = 0; k < w->seats; k++) widen(p, &w->seat[k]);
}

/* Other worlds have had the caches: the lines of a message's levels are asked for together, before
 * they are needed one after the other. */
static void fetch(const struct anchor_book *b, const struct world_level *l, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct anchor_side *s = &b->side[l[i].at & 1];
        uint64_t slot = (uint64_t)(l[i].at >> 1) - (uint64_t)s->base;
        __builtin_prefetch(&s->lots[slot % ANCHOR_WINDOW], 1);
    }
}

bool sim_rows_run(struct world *w, int64_t limit) {
    struct sim_replay *p = &w->replay;
    const struct world_rows *r = p->rows;
    uint64_t answered = w->counters.responses;
    if (p->at == r->messages || r->message[p->at].ts > limit) return false;
    do {
        const struct world_message *m = &r->message[p->at++];
        if (w->cfg->crowded) fetch(w->anchor, &r->level[m->first], m->count);
        sim_rate_see(w, m->ts, m->flags);
        sim_anchor_message(w, m);
        if (w->counters.responses != answered || w->fault.result != WORLD_EVENT) return true;
    } while (p->at < r->messages && r->message[p->at].ts <= limit);
    return false;
}

static void apply(
    struct anchor_book *b, const struct world_level *l, const struct world_level *end) {
    for (; l < end; l++) (void)anchor_put(b, (int)(l->at & 1), l->at >> 1, l->lots);
}

static void replace(
    struct anchor_book *b, const struct world_level *l, const struct world_level *end, bool last) {
    for (; l < end; l++) {
        anchor_book_keep(b, (int)(l->at & 1), (struct anchor_level){l->at >> 1, l->lots});
    }
    if (last) anchor_book_replace(b, NULL, NULL);
}

void sim_rows_look(struct world *w, int64_t ts) {
    struct sim_replay *p = &w->replay;
    const struct world_rows *r = p->rows;
    while (p->batch_at < r->batches && r->batch[p->batch_at].ts_local <= ts) {
        const struct world_batch *b = &r->batch[p->batch_at++];
        const struct world_level *from = &r->level[p->level_at], *to = &r->level[b->end];
        p->level_at = b->end;
        if (w->cfg->crowded) fetch(w->anchor_local, from, (size_t)(to - from));
        if (b->flags & EVF_SNAPSHOT) {
            replace(w->anchor_local, from, to, (b->flags & EVF_LAST) != 0);
        } else {
            apply(w->anchor_local, from, to);
        }
    }
}
