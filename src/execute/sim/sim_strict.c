/* sim_strict.c: the default rule set: what a venue does with our orders, on the pessimistic side.
 *
 * Recorded quantities do not know our orders, so each seat keeps an overlay of what it took: a
 * level's displayed quantity minus that is what it can still take, until a depth message names the
 * level again. Prints and quotes fill resting orders only up to their own size, in queue order.
 */
#include <math.h>

#include "base/check.h"
#include "execute/sim/sim_internal.h"

/* ---- the overlay of taken liquidity ---- */

static struct sim_taken *taken_at(struct sim_seat *s, int side, int64_t px) {
    for (uint32_t i = 0; i < s->taken_count[side]; i++) {
        if (s->taken[side][i].px == px) return &s->taken[side][i];
    }
    return NULL;
}

static int64_t available(struct sim_seat *s, int side, const struct book_level *l) {
    const struct sim_taken *t = s->taken_count[side] > 0 ? taken_at(s, side, l->px.ticks) : NULL;
    int64_t left = l->qty.lots - (t ? t->lots : 0);
    return left > 0 ? left : 0;
}

/* False: no room to remember it, so it must not be taken. */
static bool take(struct sim_seat *s, int side, int64_t px, int64_t lots) {
    CHECK(lots > 0);
    struct sim_taken *t = taken_at(s, side, px);
    if (!t) {
        if (s->taken_count[side] == SIM_TAKEN_MAX) {
            s->world->counters.taken_full++;
            return false;
        }
        t = &s->taken[side][s->taken_count[side]++];
        *t = (struct sim_taken){px, 0};
    }
    t->lots += lots;
    return true;
}

static void refresh(struct sim_seat *s, int side, int64_t px) {
    struct sim_taken *t = taken_at(s, side, px);
    if (t) *t = s->taken[side][--s->taken_count[side]];
}

/* ---- displayed liquidity of the other side ---- */

/* The best level of `side` (displayed) that still has something for this seat, from *l on: l->px 0
 * starts at the best. False at the end or beyond `limit` (0 = none). */
static bool offer(
    struct sim_seat *s, int side, int64_t limit, struct book_level *l, int64_t *lots) {
    const struct book *b = s->world->book;
    bool more = l->px.ticks == 0 ? book_best(b, side, l) : book_next(b, side, l->px, l);
    for (; more; more = book_next(b, side, l->px, l)) {
        if (limit != 0 && sim_better(side, limit, l->px.ticks)) return false;
        *lots = available(s, side, l);
        if (*lots > 0) return true;
    }
    return false;
}

static int64_t whole_lots(const struct world *w, int64_t lots) {
    return lots - lots % w->cfg->inst->lot_units;
}

/* What an order of this side and limit could take now, at most `want`. */
static int64_t offered(struct sim_seat *s, const struct sim_order *o, int64_t want) {
    struct book_level l = {0};
    int64_t lots, sum = 0, limit = o->type == ORDER_MARKET ? 0 : o->px;
    while (sum < want && offer(s, o->side ^ 1, limit, &l, &lots)) sum += lots;
    return sum;
}

/* Walks the displayed levels; each level is one taker fill at its price. */
static void walk(struct sim_seat *s, struct sim_order *o, int64_t ts) {
    struct book_level l = {0};
    int64_t lots, limit = o->type == ORDER_MARKET ? 0 : o->px;
    while (o->leaves > 0 && offer(s, o->side ^ 1, limit, &l, &lots)) {
        lots = whole_lots(s->world, lots < o->leaves ? lots : o->leaves);
        if (lots == 0) continue;
        if (!take(s, o->side ^ 1, l.px.ticks, lots)) return;
        o->leaves -= lots;
        sim_fill(s, o, l.px.ticks, lots, false, -1, ts);
    }
}

/* ---- resting orders against the market ---- */

/* Fills a resting order by `lots` at its own price; true if it is complete and gone. */
static bool fill_resting(
    struct sim_seat *s, int side, uint32_t i, int64_t lots, int64_t before, int64_t ts) {
    struct sim_order *o = &s->orders[side][i];
    CHECK(lots > 0 && lots <= o->leaves);
    o->leaves -= lots;
    sim_fill(s, o, o->px, lots, true, before, ts);
    if (o->leaves > 0) return false;
    sim_remove(s, side, i);
    return true;
}

/* Displayed quotes of the other side at or through own orders fill them at their own price, best
 * first, each displayed lot once until its level is named again. */
static void cross(struct sim_seat *s, int side, int64_t ts) {
    while (s->count[side] > 0) {
        struct sim_order *o = &s->orders[side][0];
        struct book_level l = {0};
        int64_t lots, ahead = o->pos.ahead > 0 ? (int64_t)floor(o->pos.ahead) : 0;
        bool any = false;
        while (offer(s, side ^ 1, o->px, &l, &lots)) {
            lots = whole_lots(s->world, lots < o->leaves ? lots : o->leaves);
            if (lots > 0) {
                any = true;
                break;
            }
        }
        if (!any || !take(s, side ^ 1, l.px.ticks, lots)) return;
        o->pos.ahead = 0; /* the other side got here: nobody is left before us */
        s->world->counters.cross_fills++;
        (void)fill_resting(s, side, 0, lots, ahead, ts);
    }
}

static void cross_all(struct world *w, int64_t ts) {
    struct book_level best[2];
    if (book_state(w->book) != BOOK_SYNCED) return;
    bool have[2] = {book_best(w->book, SIDE_BUY, &best[SIDE_BUY]),
        book_best(w->book, SIDE_SELL, &best[SIDE_SELL])};
    for (uint32_t k = 0; k < w->seats; k++) {
        struct sim_seat *s = &w->seat[k];
        for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
            if (s->count[side] == 0 || !have[side ^ 1]) continue;
            if (sim_better(side, best[side ^ 1].px.ticks, s->orders[side][0].px)) continue;
            cross(s, side, ts);
        }
    }
}

static void level_changed(struct world *w, struct sim_seat *s, const struct book_change *c) {
    refresh(s, c->side, c->px.ticks);
    if (!c->any) return;
    for (uint32_t i = 0; i < s->count[c->side]; i++) {
        struct sim_order *o = &s->orders[c->side][i];
        if (o->px != c->px.ticks) continue;
        queue_level(&w->cfg->queue, &o->pos, c->before.lots, c->after.lots);
        if (o->pos.ahead < 0) o->pos.ahead = 0;
    }
}

/* A snapshot or a replay: level changes are unknown, so the queue takes the new level as a cap. */
static void book_replaced(struct world *w, struct sim_seat *s) {
    if (book_state(w->book) != BOOK_SYNCED) return; /* lost: keep what we know until it is back */
    s->taken_count[0] = s->taken_count[1] = 0;
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        for (uint32_t i = 0; i < s->count[side]; i++) {
            struct sim_order *o = &s->orders[side][i];
            double level = (double)book_qty_at(w->book, side, (price_t){o->px}).lots;
            if (level < o->pos.ahead) o->pos.ahead = level;
            o->pos.printed = 0;
        }
    }
}

static void depth(struct world *w, const struct event *ev) {
    struct book_change c;
    book_apply(w->book, ev, &c);
    /* A level that a message names was changed at the venue even if its quantity is the same again:
     * that is new liquidity. book_apply leaves px 0 where it did not apply the level. */
    bool named = ev->kind == EV_DEPTH && c.px.ticks == ev->px.ticks && c.px.ticks > 0;
    for (uint32_t k = 0; k < w->seats; k++) {
        if (named && !c.whole) level_changed(w, &w->seat[k], &c);
        if (c.whole) book_replaced(w, &w->seat[k]);
    }
    if (ev->flags & EVF_LAST) cross_all(w, ev->ts_local.ns);
}

/* A print of `left` lots at the orders' own price. The queue is market | order | market | order:
 * what one order has before it, later ones have before them too. Returns what is left. */
static double print_at(struct world *w, struct sim_seat *s, int side, uint32_t i, double left,
    const struct event *ev) {
    double eaten = 0;
    while (i < s->count[side] && s->orders[side][i].px == ev->px.ticks) {
        struct sim_order *o = &s->orders[side][i];
        double before = o->pos.ahead > 0 ? o->pos.ahead : 0;
        double market = before > eaten ? before - eaten : 0.0;
        if (market > left) market = left;
        left -= market;
        eaten += market;
        o->pos.ahead = before - eaten > 0 ? before - eaten : 0;
        o->pos.printed += (double)ev->qty.lots;
        int64_t lots = (int64_t)floor(left);
        lots = whole_lots(w, lots < o->leaves ? lots : o->leaves);
        bool gone = false;
        if (lots > 0 && o->pos.ahead == 0) {
            left -= (double)lots;
            gone = fill_resting(s, side, i, lots, (int64_t)floor(before), ev->ts_local.ns);
        }
        if (!gone) i++;
    }
    return left;
}

static void print_on(struct world *w, struct sim_seat *s, int side, const struct event *ev) {
    int64_t left = ev->qty.lots;
    uint32_t i = 0;
    while (i < s->count[side] && sim_better(side, s->orders[side][i].px, ev->px.ticks)) {
        struct sim_order *o = &s->orders[side][i];
        int64_t before = o->pos.ahead > 0 ? (int64_t)floor(o->pos.ahead) : 0;
        o->pos.ahead = 0; /* the market traded through this price */
        int64_t lots = whole_lots(w, left < o->leaves ? left : o->leaves);
        bool gone = false;
        if (lots > 0) {
            left -= lots;
            gone = fill_resting(s, side, i, lots, before, ev->ts_local.ns);
        }
        if (!gone) i++;
    }
    (void)print_at(w, s, side, i, (double)left, ev);
}

static void print(struct world *w, const struct event *ev) {
    int side = (ev->flags & EVF_BUY) ? SIDE_SELL : SIDE_BUY;
    for (uint32_t k = 0; k < w->seats; k++) {
        if (w->seat[k].count[side] > 0) print_on(w, &w->seat[k], side, ev);
    }
}

/* ---- requests ---- */

static enum report_why refuse(struct sim_seat *s, const struct order_request *q) {
    const struct instrument *in = s->world->cfg->inst;
    uint32_t i;
    bool limit = q->type == ORDER_LIMIT;
    int128 value;
    if (sim_find(s, q->id, &i)) return WHY_DUPLICATE_ID;
    if (book_state(s->world->book) != BOOK_SYNCED) return WHY_BOOK_GAP;
    if (limit && (q->px.ticks <= 0 || q->px.ticks % in->tick_units != 0)) return WHY_TICK;
    if (q->qty.lots <= 0 || q->qty.lots % in->lot_units != 0) return WHY_LOT;
    if (q->qty.lots < in->min_qty_units) return WHY_MIN_QTY;
    if (limit && in->min_notional_e8 > 0 && !q->reduce_only &&
        instrument_value_e12(in, q->px, q->qty, &value) &&
        value < (int128)in->min_notional_e8 * 10000) {
        return WHY_MIN_NOTIONAL;
    }
    return WHY_NONE;
}

static void rest(struct world *w, struct sim_seat *s, struct sim_order *o, int64_t ts) {
    queue_place(&o->pos, book_qty_at(w->book, o->side, (price_t){o->px}).lots);
    o->placed = (int64_t)o->pos.ahead;
    if (!sim_insert(s, o)) sim_say(s, o, REPORT_EXPIRED, WHY_LIMIT, ts);
}

/* The order meets the book: takes, rests, or ends. */
static void meet(struct world *w, struct sim_seat *s, struct sim_order *o, int64_t ts) {
    bool market = o->type == ORDER_MARKET;
    bool now = market || o->tif == TIF_IOC || o->tif == TIF_FOK;
    if (!market && o->tif == TIF_GTX && offered(s, o, 1) > 0) {
        sim_say(s, o, REPORT_EXPIRED, WHY_POST_ONLY, ts);
        return;
    }
    if (o->tif == TIF_FOK && offered(s, o, o->leaves) < o->leaves) {
        sim_say(s, o, REPORT_EXPIRED, WHY_NO_LIQUIDITY, ts);
        return;
    }
    walk(s, o, ts);
    if (o->leaves == 0) return;
    if (now) {
        sim_say(s, o, REPORT_EXPIRED, WHY_NO_LIQUIDITY, ts);
    } else {
        rest(w, s, o, ts);
    }
}

static void arrive(struct world *w, struct sim_seat *s, const struct order_request *q, int64_t ts) {
    struct sim_order o = sim_order_of(q);
    enum report_why why = refuse(s, q);
    if (why == WHY_NONE && o.type == ORDER_MARKET && offered(s, &o, 1) == 0) {
        why = WHY_NO_LIQUIDITY;
    }
    bool rests = o.type == ORDER_LIMIT && (o.tif == TIF_GTC || o.tif == TIF_GTX);
    if (why == WHY_NONE && rests && s->count[o.side] == SIM_ORDERS_MAX) why = WHY_LIMIT;
    if (why != WHY_NONE) {
        w->counters.refused++;
        sim_say(s, &o, REPORT_REJECTED, (uint8_t)why, ts);
        return;
    }
    if (rests) o.placed = book_qty_at(w->book, o.side, (price_t){o.px}).lots;
    sim_say(s, &o, REPORT_ACK, WHY_NONE, ts);
    meet(w, s, &o, ts);
}

static void cancel(struct sim_seat *s, const struct order_request *q, int64_t ts) {
    uint32_t i;
    const struct sim_order *have = sim_find(s, q->id, &i);
    struct sim_order o = have ? *have : sim_order_of(q);
    if (have) sim_remove(s, o.side, i);
    sim_say(s, &o, have ? REPORT_CANCELED : REPORT_CANCEL_REJECTED,
        have ? WHY_NONE : WHY_UNKNOWN_ORDER, ts);
}

/* qty of a modify is the new total. Less at the same price keeps the place in the queue; anything
 * else is a new arrival, and a total that is already filled ends the order. */
static void modify(struct world *w, struct sim_seat *s, const struct order_request *q, int64_t ts) {
    uint32_t i;
    struct sim_order *have = sim_find(s, q->id, &i);
    struct order_request probe = *q;
    probe.id = 0;
    if (!have || refuse(s, &probe) != WHY_NONE) {
        struct sim_order none = have ? *have : sim_order_of(q);
        sim_say(s, &none, REPORT_MODIFY_REJECTED, have ? WHY_LOT : WHY_UNKNOWN_ORDER, ts);
        return;
    }
    int64_t filled = have->qty - have->leaves;
    if (q->qty.lots <= filled) {
        cancel(s, q, ts);
        return;
    }
    struct sim_order next = *have;
    next.qty = q->qty.lots;
    next.leaves = q->qty.lots - filled;
    next.px = q->px.ticks;
    if (next.px == have->px && next.leaves <= have->leaves) {
        *have = next;
        sim_say(s, &next, REPORT_MODIFIED, WHY_NONE, ts);
        return;
    }
    sim_remove(s, next.side, i);
    sim_say(s, &next, REPORT_MODIFIED, WHY_NONE, ts);
    meet(w, s, &next, ts);
}

static void request(
    struct world *w, struct sim_seat *s, const struct order_request *q, int64_t ts) {
    switch ((enum request_kind)q->kind) {
    case REQUEST_NEW: arrive(w, s, q, ts); return;
    case REQUEST_CANCEL: cancel(s, q, ts); return;
    case REQUEST_MODIFY: modify(w, s, q, ts); return;
    case REQUEST_QUERY: sim_query(s, q, ts); return;
    }
}

const struct sim_ops sim_strict = {.depth = depth, .print = print, .request = request};
