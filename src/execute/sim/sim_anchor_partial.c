#include "execute/sim/sim_anchor_partial.h"

#include <math.h>

#include "base/check.h"
#include "execute/sim/sim_internal.h"

static const struct anchor_partial *switches(const struct sim_seat *s) {
    return &s->world->cfg->partial;
}

/* What our side is not told of: its copy of the order shrinks without a fill. */
static void hide(struct sim_order *o, int64_t lots) {
    o->qty -= lots;
    o->leaves -= lots;
}

/* One execution as our side hears of it. */
static void tell(struct sim_seat *s, struct sim_order *o, int64_t px, int64_t lots, bool maker,
    int64_t before, int64_t ts) {
    CHECK(lots > 0 && lots <= o->leaves);
    if (switches(s)->filled_only && lots < o->leaves) {
        hide(o, lots);
        s->world->counters.fills++;
        s->world->counters.maker_fills += maker;
        sim_say(s, o, REPORT_MODIFIED, WHY_NONE, ts);
        return;
    }
    o->leaves -= lots;
    sim_fill(s, o, px, lots, maker, before, ts);
}

static int64_t ahead_of(const struct sim_order *o) {
    return o->pos.ahead > 0 ? (int64_t)floor(o->pos.ahead) : 0;
}

bool anchor_partial_hit(struct sim_seat *s, int side, uint32_t i, int64_t lots, int64_t ts) {
    struct sim_order *o = &s->orders[side][i];
    if (o->leaves == 0) {
        sim_fault(s->world, WORLD_ORDER_STATUS, o->id, ts);
        return false;
    }
    bool exact = lots == o->leaves; /* only what is hit by more than its leaves is taken off */
    tell(s, o, o->px, lots < o->leaves ? lots : o->leaves, true, ahead_of(o), ts);
    if (o->leaves > 0 || (exact && switches(s)->ghosts)) return false;
    sim_remove(s, side, i);
    return true;
}

void anchor_partial_whole(struct sim_seat *s, int side, uint32_t i, int64_t ts) {
    struct sim_order o = s->orders[side][i];
    sim_remove(s, side, i);
    if (o.leaves == 0) {
        sim_fault(s->world, WORLD_ORDER_STATUS, o.id, ts);
        return;
    }
    tell(s, &o, o.px, o.leaves, true, ahead_of(&o), ts);
}

/* ---- taking ---- */

struct chunk { /* an execution that waits until it is known whether it is the last */
    int64_t px, lots;
    bool hidden; /* earlier ones of this sweep were not told */
};

static void chunk_next(struct sim_seat *s, struct sim_order *o, struct chunk *c, int64_t px,
    int64_t lots, int64_t ts) {
    if (c->lots > 0 && switches(s)->one_response) {
        hide(o, c->lots);
        c->hidden = true;
        s->world->counters.fills++;
    } else if (c->lots > 0) {
        tell(s, o, c->px, c->lots, false, -1, ts);
    }
    c->px = px;
    c->lots = lots;
}

/* The last execution. A sweep that leaves a rest answers with the order's end alone: the anchor
 * puts the last execution into that answer, where nobody looks at it. */
static void chunk_last(struct sim_seat *s, struct sim_order *o, struct chunk *c, int64_t ts) {
    if (c->lots == 0) return;
    if (c->hidden) sim_say(s, o, REPORT_MODIFIED, WHY_NONE, ts);
    tell(s, o, c->px, c->lots, false, -1, ts);
}

/* Whole lots displayed at the price. */
static int64_t shown(const struct sim_seat *s, int side, int64_t px) {
    return anchor_book_at(s->world->anchor, side, px);
}

/* The farthest price that held a level since the side was last empty. */
static int64_t farthest(const struct anchor_book *b, int side) {
    return anchor_px(b, side, b->side[side].far);
}

/* The last price a sweep looks at: the limit, or so many ticks from the best. */
static int64_t sweep_end(const struct sim_seat *s, const struct sim_order *o) {
    const struct anchor_book *b = s->world->anchor;
    int side = o->side ^ 1;
    if (o->type != ORDER_MARKET) {
        /* beyond the farthest level seen there is nothing */
        int64_t far = farthest(b, side);
        return sim_better(side, far, o->px) ? far : o->px;
    }
    if (switches(s)->market_ticks == 0) return farthest(b, side);
    /* one tick less for buys than for sells: the anchor's ranges end before and at it */
    int64_t reach = (switches(s)->market_ticks - (side == SIDE_SELL)) * b->tick;
    return anchor_book_best(b, side) + (side == SIDE_SELL ? reach : -reach);
}

static bool covers(const struct sim_seat *s, const struct sim_order *o, int64_t end) {
    int side = o->side ^ 1;
    int64_t step = side == SIDE_SELL ? s->world->anchor->tick : -s->world->anchor->tick, sum = 0;
    for (int64_t px = anchor_book_best(s->world->anchor, side); !sim_better(side, end, px);
         px += step) {
        sum += shown(s, side, px);
        if (sum >= o->qty) return true;
    }
    return false;
}

bool anchor_partial_take(struct sim_seat *s, struct sim_order *o, int64_t ts) {
    const struct anchor_book *b = s->world->anchor;
    const struct anchor_partial *p = switches(s);
    int side = o->side ^ 1;
    bool market = o->type == ORDER_MARKET, gtc = !market && o->tif == TIF_GTC;
    bool fok = !market && o->tif == TIF_FOK;
    int64_t best = anchor_book_best(b, side);
    if (best == ANCHOR_NO_BID || best == ANCHOR_NO_ASK) {
        sim_say(s, o, REPORT_EXPIRED, WHY_NO_LIQUIDITY, ts);
        return false;
    }
    int64_t end = sweep_end(s, o), step = side == SIDE_SELL ? b->tick : -b->tick;
    if (fok && !covers(s, o, end)) {
        sim_say(s, o, REPORT_EXPIRED, WHY_NO_LIQUIDITY, ts);
        return false;
    }
    struct chunk c = {0};
    int64_t left = o->leaves;
    bool limit_takes_rest = gtc && p->gtc_at_limit;
    for (int64_t px = best; left > 0 && !sim_better(side, end, px); px += step) {
        if (limit_takes_rest && px == o->px && o->side == SIDE_BUY) break; /* sells see it */
        int64_t lots = shown(s, side, px);
        if (lots == 0) continue;
        lots = lots < left ? lots : left;
        chunk_next(s, o, &c, px, lots, ts);
        left -= lots;
    }
    if (limit_takes_rest && left > 0) {
        chunk_next(s, o, &c, o->px, left, ts);
        left = 0;
    }
    chunk_last(s, o, &c, ts);
    if (left > 0 && !gtc) sim_say(s, o, REPORT_EXPIRED, WHY_NO_LIQUIDITY, ts);
    return left > 0 && gtc;
}
