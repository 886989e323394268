/* sim_rows.c: an anchor world over prepared rows: runs of messages at the exchange, and our side's
 * book brought up to date only when somebody looks.
 */
#include <string.h>

#include "base/check.h"
#include "execute/sim/sim_internal.h"

enum { ROWS_TURN = 64 }; /* levels: about half of what the exchange takes in 100 ms */

static void mark_key(struct sim_replay *p, int side, int64_t key) {
    uint64_t at = (uint64_t)key % SIM_MARK_KEYS;
    p->own_mark[side][at / 64] |= 1ull << (at % 64);
    if (key < p->own_first[side]) p->own_first[side] = key;
}

/* An own order may rest there. A price off the tick is looked for at both neighbours. */
static void mark(struct sim_replay *p, int side, int64_t px) {
    int64_t sign = side == SIDE_SELL ? 1 : -1, tick = p->rows->tick;
    mark_key(p, side, sign * (px / tick));
    if (px % tick != 0) mark_key(p, side, sign * (px / tick + 1));
}

static void forget(struct sim_replay *p) {
    memset(p->own_mark, 0, sizeof p->own_mark);
    p->own_first[SIDE_BUY] = p->own_first[SIDE_SELL] = ANCHOR_NO_KEY;
}

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
    forget(&w->replay);
    w->replay.local_over = r->events == 0;
    w->in.ended = true;
}

/* A mark that is left over costs a look, no more: they are made anew now and then. */
void sim_rows_own(struct sim_seat *s, const struct order_request *req) {
    enum { REQUESTS = 32 }; /* a seat */
    struct world *w = s->world;
    struct sim_replay *p = &w->replay;
    if (!p->rows) return;
    if (++p->own_age <= REQUESTS * w->seats) {
        if (req->kind == REQUEST_CANCEL || req->kind == REQUEST_QUERY) return;
        for (int side = SIDE_BUY; side <= SIDE_SELL; side++) mark(p, side, req->px.ticks);
        return;
    }
    p->own_age = 0;
    forget(p);
    for (uint32_t k = 0; k < w->seats; k++) {
        for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
            const struct sim_order *o = w->seat[k].orders[side];
            for (uint32_t i = 0; i < w->seat[k].count[side]; i++) mark(p, side, o[i].px);
        }
    }
}

/* Other worlds will have the caches until the next turn: its first levels are asked for now. */
static void fetch_turn(const struct sim_replay *p) {
    const struct world_rows *r = p->rows;
    if (p->at == r->messages) return;
    size_t at = r->message[p->at].first,
           end = at + ROWS_TURN < r->levels ? at + ROWS_TURN : r->levels;
    for (; at < end; at += 64 / sizeof r->level[0]) __builtin_prefetch(&r->level[at]);
}

bool sim_rows_run(struct world *w, int64_t limit) {
    struct sim_replay *p = &w->replay;
    const struct world_rows *r = p->rows;
    uint64_t answered = w->counters.responses;
    if (p->at == r->messages || r->message[p->at].ts > limit) return false;
    do {
        const struct world_message *m = &r->message[p->at++];
        sim_rate_see(w, m->ts, m->flags);
        sim_anchor_message(w, m);
        if (w->counters.responses != answered || w->fault.result != WORLD_EVENT) return true;
    } while (p->at < r->messages && r->message[p->at].ts <= limit);
    if (w->cfg->crowded) fetch_turn(p);
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
        if (b->flags & EVF_SNAPSHOT) {
            replace(w->anchor_local, from, to, (b->flags & EVF_LAST) != 0);
        } else {
            apply(w->anchor_local, from, to);
        }
    }
}
