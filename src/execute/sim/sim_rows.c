/* sim_rows.c: an anchor world over prepared rows: runs of messages at the exchange, and our side's
 * book brought up to date only when somebody looks.
 */
#include "base/check.h"
#include "execute/sim/sim_internal.h"

void sim_rows_init(struct world *w) {
    const struct world_rows *r = w->cfg->rows;
    if (!r) return;
    CHECK(w->cfg->rules == SIM_ANCHOR && !w->cfg->bars);
    CHECK(r->done);
    CHECK(r->inst == w->cfg->inst->id && r->tick == w->cfg->inst->tick_units);
    CHECK(r->print_kind == w->cfg->print_kind);
    CHECK(r->clock_offset_ns == w->cfg->clock_offset_ns);
    w->replay.rows = r;
    w->replay.own_stale = true;
    w->replay.local_over = r->events == 0;
    w->in.ended = true;
}

/* Between which keys own orders of any seat rest. A price off the tick counts for both neighbours.
 */
static void find_own(struct world *w) {
    struct sim_replay *p = &w->replay;
    int64_t tick = p->rows->tick;
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        int64_t first = ANCHOR_NO_KEY, last = INT64_MIN, sign = side == SIDE_SELL ? 1 : -1;
        for (uint32_t k = 0; k < w->seats; k++) {
            const struct sim_seat *s = &w->seat[k];
            if (s->count[side] == 0) continue;
            int64_t a = sign * s->orders[side][0].px / tick - 1;
            int64_t b = sign * s->orders[side][s->count[side] - 1].px / tick + 1;
            if (a < first) first = a;
            if (b > last) last = b;
        }
        p->own_first[side] = first;
        p->own_span[side] = first == ANCHOR_NO_KEY ? 0 : (uint64_t)(last - first);
    }
    p->own_stale = false;
}

bool sim_rows_run(struct world *w, int64_t limit) {
    struct sim_replay *p = &w->replay;
    const struct world_rows *r = p->rows;
    uint64_t answered = w->counters.responses;
    if (p->at == r->messages || r->message[p->at].ts > limit) return false;
    if (p->own_stale) find_own(w);
    do {
        sim_anchor_message(w, &r->message[p->at++]);
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
        if (b->flags & EVF_SNAPSHOT) {
            replace(w->anchor_local, from, to, (b->flags & EVF_LAST) != 0);
        } else {
            apply(w->anchor_local, from, to);
        }
    }
}
