/* sim_strict.c: the default rule set: what a venue does with our orders, on the pessimistic side.
 *
 * Recorded quantities do not know our orders, so each seat keeps an overlay of what it took: a
 * level's displayed quantity minus that is what it can still take, until a depth message names the
 * level again. Prints and quotes fill resting orders only up to their own size, in queue order.
 */
#include <math.h>

#include "base/check.h"
#include "execute/sim/sim_internal.h"

#define BAND_ONE INT64_C(100000000)

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
static bool take(struct sim_seat *s, int side, int64_t px, int64_t lots, int64_t ts) {
    CHECK(lots > 0);
    struct sim_taken *t = taken_at(s, side, px);
    if (!t) {
        if (s->taken_count[side] == SIM_TAKEN_MAX) {
            s->world->counters.taken_full++;
            return false;
        }
        t = &s->taken[side][s->taken_count[side]++];
        *t = (struct sim_taken){.px = px};
    }
    t->lots += lots;
    t->first = t->lots;
    t->at = ts;
    return true;
}

/* The transient model of impact.h: what is taken comes back with time, not with messages. */
static void recover(struct sim_seat *s, int64_t ts) {
    int64_t half_life = s->world->cfg->impact.half_life_ns;
    if (half_life == 0) return;
    for (int side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < s->taken_count[side];) {
            struct sim_taken *t = &s->taken[side][i];
            t->lots = impact_left(t->first, ts - t->at, half_life);
            if (t->lots > 0) {
                i++;
            } else {
                *t = s->taken[side][--s->taken_count[side]];
            }
        }
    }
}

/* The permanent model: how much worse than displayed this seat takes at px. */
static int64_t shift(const struct sim_seat *s, int side, int64_t px) {
    const struct world_config *c = s->world->cfg;
    return impact_shift(&c->impact, s->taken_net, side, px, c->inst->tick_units);
}

/* The worst displayed price that an order with this limit reaches; 0 = none. */
static int64_t reach(const struct sim_seat *s, int side, int64_t limit) {
    if (limit == 0 || s->world->cfg->impact.shape == IMPACT_NONE) return limit;
    int64_t worse = shift(s, side, limit);
    int64_t px = side == SIDE_BUY ? limit - worse : limit + worse;
    return px > 0 ? px : 1;
}

/* What a level at px costs this seat, never beyond the limit (0 = none): that is a tick of
 * rounding at most. */
static int64_t paid(const struct sim_seat *s, int side, int64_t px, int64_t limit) {
    if (s->world->cfg->impact.shape == IMPACT_NONE) return px;
    int64_t worse = shift(s, side, px), at = side == SIDE_BUY ? px + worse : px - worse;
    return limit != 0 && sim_better(side, at, limit) ? limit : at;
}

static void refresh(struct sim_seat *s, int side, int64_t px) {
    if (s->world->cfg->impact.half_life_ns > 0) return;
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

/* Twice the mark in price units, the mid while no mark is known; 0 = neither. */
static int128 reference_px2(const struct world *w) {
    const struct instrument *in = w->cfg->inst;
    struct book_level bid, ask;
    if (w->reference[TRIGGER_BY_MARK] > 0) {
        int128 px2 = (int128)2 * w->reference[TRIGGER_BY_MARK];
        for (unsigned i = 0; i < in->px_exp; i++) px2 *= 10;
        return px2 / ((int128)in->px_mant * AUX_ONE);
    }
    bool both = book_best(w->book, SIDE_BUY, &bid) && book_best(w->book, SIDE_SELL, &ask);
    return both ? (int128)bid.px.ticks + ask.px.ticks : 0;
}

/* The furthest price that a band around it lets an order of this side have; 0 = none. */
static int64_t band_px(const struct world *w, int side, int64_t band_e8) {
    if (band_e8 <= 0) return 0;
    int128 at = reference_px2(w) * (side == SIDE_BUY ? BAND_ONE + band_e8 : BAND_ONE - band_e8);
    at = side == SIDE_BUY ? at / (2 * BAND_ONE) : (at + 2 * BAND_ONE - 1) / (2 * BAND_ONE);
    return at > 0 && at <= ORDER_UNITS_MAX ? (int64_t)at : 0;
}

static bool beyond_band(const struct world *w, int side, int64_t px) {
    int64_t band = band_px(w, side, w->cfg->venue.band_e8);
    return band > 0 && sim_better(side, px, band);
}

/* Every fill of this rule set: the account's position and the order's pair follow at once. */
static void fill(struct sim_seat *s, const struct sim_order *o, int64_t px, int64_t lots,
    bool maker, int64_t before, int64_t ts) {
    sim_fill(s, o, px, lots, maker, before, ts);
    sim_moved(s);
    if (o->flags & SIM_TIED) sim_pair_end(s, o->id, ts);
}

/* What a resting order can take of `lots`: a reduce-only one never more than is left to reduce. */
static int64_t fillable(const struct sim_seat *s, const struct sim_order *o, int64_t lots) {
    if (lots > o->leaves) lots = o->leaves;
    if (!(o->flags & (SIM_REDUCE | SIM_DEAD))) return lots;
    if (o->flags & SIM_DEAD) return 0;
    int64_t room = sim_room(s, o->side, false);
    return lots < room ? lots : room;
}

/* Fills a resting order by `lots` at its own price; true if it is complete and gone. */
static bool fill_resting(
    struct sim_seat *s, int side, uint32_t i, int64_t lots, int64_t before, int64_t ts) {
    struct sim_order *o = &s->orders[side][i];
    CHECK(lots > 0 && lots <= o->leaves);
    o->leaves -= lots;
    fill(s, o, o->px, lots, true, before, ts);
    if (o->leaves > 0) return false;
    sim_remove(s, side, i);
    return true;
}

/* ---- own orders on the other side ---- */

struct own { /* the first own resting order that an order would meet */
    struct sim_seat *seat;
    uint32_t at;
    struct sim_order *order;
};

static void own_in(struct sim_seat *s, const struct sim_order *o, struct own *best) {
    int side = o->side ^ 1;
    for (uint32_t i = 0; i < s->count[side]; i++) {
        struct sim_order *r = &s->orders[side][i];
        if (o->type == ORDER_LIMIT && sim_better(side, o->px, r->px)) return;
        if (best->order && !sim_better(side, r->px, best->order->px)) return;
        if ((r->flags & SIM_DEAD) || fillable(s, r, r->leaves) == 0) continue;
        *best = (struct own){s, i, r};
        return;
    }
}

/* Of the whole account, within the limit of o: best price, then seat, then time. */
static bool own_first(struct sim_seat *s, const struct sim_order *o, struct own *best) {
    *best = (struct own){0};
    if (!s->world->shared) {
        if (s->count[o->side ^ 1] > 0) own_in(s, o, best);
        return best->order != NULL;
    }
    for (uint32_t k = 0; k < s->world->seats; k++) {
        if (s->world->seat[k].account == s->account) own_in(&s->world->seat[k], o, best);
    }
    return best->order != NULL;
}

/* Displayed lots at its price that stand before an own order, what was taken there is gone. */
static int64_t before_own(struct sim_seat *s, const struct sim_order *r, int64_t left) {
    const struct sim_taken *t = taken_at(s, r->side, r->px);
    int64_t ahead = (int64_t)floor(r->pos.ahead) - (t ? t->lots : 0);
    if (ahead > left) ahead = left;
    return ahead > 0 ? whole_lots(s->world, ahead) : 0;
}

/* The order meets an own one. False: it ends here (told). */
static bool meet_own(struct sim_seat *s, struct sim_order *o, const struct own *m, int64_t ts) {
    struct sim_order *r = m->order;
    s->world->counters.self_trades++;
    if (o->stp == STP_NONE) {
        int64_t px = r->px, lots = fillable(m->seat, r, o->leaves);
        int64_t ahead = r->pos.ahead > 0 ? (int64_t)floor(r->pos.ahead) : 0;
        (void)fill_resting(m->seat, r->side, m->at, lots, ahead, ts);
        o->leaves -= lots;
        fill(s, o, px, lots, false, -1, ts);
        return true;
    }
    if (o->stp == STP_MAKER || o->stp == STP_BOTH) {
        sim_say(m->seat, r, REPORT_EXPIRED, WHY_SELF_TRADE, ts);
        sim_remove(m->seat, r->side, m->at);
    }
    if (o->stp == STP_MAKER) return true;
    sim_say(s, o, REPORT_EXPIRED, WHY_SELF_TRADE, ts);
    return false;
}

/* ---- taking ---- */

/* How far a market order may walk: the bound from the mark; 0 = no bound. */
static int64_t limit_of(const struct sim_seat *s, const struct sim_order *o) {
    if (o->type == ORDER_LIMIT) return o->px;
    return band_px(s->world, o->side, s->world->cfg->venue.market_bound_e8);
}

/* What an order could take now, at most `want`, by its self-trade mode. */
static int64_t offered(struct sim_seat *s, const struct sim_order *o, int64_t want) {
    struct book_level l = {0};
    struct own m;
    int64_t lots, sum = 0, limit = limit_of(s, o);
    int64_t far = reach(s, o->side, limit);
    bool own = own_first(s, o, &m), stops = own && o->stp != STP_NONE && o->stp != STP_MAKER;
    while (sum < want && offer(s, o->side ^ 1, far, &l, &lots)) {
        if (stops && sim_better(o->side ^ 1, m.order->px, l.px.ticks)) break;
        if (stops && m.order->px == l.px.ticks) {
            sum += before_own(s, m.order, lots);
            break;
        }
        sum += lots;
    }
    if (!own || o->stp != STP_NONE) return sum;
    for (uint32_t k = 0; k < s->world->seats; k++) { /* trading with oneself counts as liquidity */
        const struct sim_seat *t = &s->world->seat[k];
        if (t->account != s->account) continue;
        for (uint32_t i = 0; sum < want && i < t->count[o->side ^ 1]; i++) {
            const struct sim_order *r = &t->orders[o->side ^ 1][i];
            if (limit != 0 && sim_better(o->side ^ 1, limit, r->px)) break;
            /* A trade with oneself leaves the position, so the room to reduce, as it was. */
            if (fillable(t, r, r->leaves) > 0) sum += r->leaves;
        }
    }
    return sum;
}

/* The next level with at least one whole lot left, as offer. */
static bool offer_whole(
    struct sim_seat *s, int side, int64_t limit, struct book_level *l, int64_t *lots) {
    while (offer(s, side, limit, l, lots)) {
        *lots = whole_lots(s->world, *lots);
        if (*lots > 0) return true;
    }
    return false;
}

/* Takes what stands before it, level by level and through own orders by their mode; each level is
 * one taker fill at its price. False: it ended on the way (told). */
static bool walk(struct sim_seat *s, struct sim_order *o, int64_t ts) {
    struct book_level l = {0};
    struct own m;
    int64_t lots, limit = limit_of(s, o), far = reach(s, o->side, limit);
    int64_t net = s->taken_net; /* what the order itself does, the levels show */
    int there = o->side ^ 1;
    bool own = false;
    while (o->leaves > 0) {
        bool was = own;
        own = own_first(s, o, &m) && !(limit != 0 && sim_better(there, limit, m.order->px));
        if (own || was) l.px.ticks = 0; /* an own order that ended leaves what is behind it */
        bool any = offer_whole(s, there, far, &l, &lots);
        if (own && (!any || !sim_better(there, l.px.ticks, m.order->px))) {
            lots = any && l.px.ticks == m.order->px ? before_own(s, m.order, lots) : 0;
            if (lots == 0) {
                if (meet_own(s, o, &m, ts)) continue;
                s->taken_net = net;
                return false;
            }
        } else if (!any) {
            break;
        }
        if (lots > o->leaves) lots = o->leaves;
        if (!take(s, there, l.px.ticks, lots, ts)) break;
        o->leaves -= lots;
        net += o->side == SIDE_BUY ? lots : -lots;
        fill(s, o, paid(s, o->side, l.px.ticks, limit), lots, false, -1, ts);
    }
    s->taken_net = net;
    return true;
}

/* A market order's rest: is there more that only its bound kept it from? */
static bool bounded(struct sim_seat *s, const struct sim_order *o) {
    struct book_level l = {0};
    int64_t lots;
    return o->type == ORDER_MARKET && limit_of(s, o) != 0 && offer(s, o->side ^ 1, 0, &l, &lots);
}

/* ---- resting orders against the market ---- */

/* Displayed quotes of the other side at or through own orders fill them at their own price, best
 * first, each displayed lot once until its level is named again. */
static void cross(struct sim_seat *s, int side, int64_t ts) {
    for (uint32_t i = 0; i < s->count[side];) {
        struct sim_order *o = &s->orders[side][i];
        struct book_level l = {0};
        int64_t lots, ahead = o->pos.ahead > 0 ? (int64_t)floor(o->pos.ahead) : 0;
        bool any = false;
        if (fillable(s, o, o->leaves) == 0) { /* ended, or nothing left to reduce: the next one */
            i++;
            continue;
        }
        while (offer(s, side ^ 1, reach(s, side, o->px), &l, &lots)) {
            lots = whole_lots(s->world, fillable(s, o, lots));
            if (lots > 0) {
                any = true;
                break;
            }
        }
        if (!any || !take(s, side ^ 1, l.px.ticks, lots, ts)) return;
        o->pos.ahead = 0; /* the other side got here: nobody is left before us */
        s->world->counters.cross_fills++;
        (void)fill_resting(s, side, i, lots, ahead, ts);
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
            recover(s, ts);
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
    if (w->cfg->impact.half_life_ns == 0) s->taken_count[0] = s->taken_count[1] = 0;
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        for (uint32_t i = 0; i < s->count[side]; i++) {
            struct sim_order *o = &s->orders[side][i];
            double level = (double)book_qty_at(w->book, side, (price_t){o->px}).lots;
            if (level < o->pos.ahead) o->pos.ahead = level;
            if (!w->l3) o->pos.printed = 0;
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
    if (c.whole && w->held > 0 && book_state(w->book) == BOOK_SYNCED) {
        sim_watch_held(w, ev->ts_local.ns);
    }
    sim_settle(w, ev->ts_local.ns);
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
        if (!w->l3) o->pos.printed += (double)ev->qty.lots;
        int64_t lots = whole_lots(w, fillable(s, o, (int64_t)floor(left)));
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
        int64_t lots = whole_lots(w, fillable(s, o, left));
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
    w->reference[TRIGGER_BY_LAST] = ev->px.ticks;
    if (sim_beyond(w, TRIGGER_BY_LAST, ev->px.ticks)) {
        sim_watch(w, TRIGGER_BY_LAST, ev->px.ticks, ev->ts_local.ns);
    }
    sim_settle(w, ev->ts_local.ns);
}

static void mark(struct world *w, const struct event *ev) {
    w->reference[TRIGGER_BY_MARK] = ev->aux.a;
    if (sim_beyond(w, TRIGGER_BY_MARK, ev->aux.a)) {
        sim_watch(w, TRIGGER_BY_MARK, ev->aux.a, ev->ts_local.ns);
    }
    sim_settle(w, ev->ts_local.ns);
}

/* ---- requests ---- */

/* Everything about price and quantity that needs no other order. */
static enum report_why refuse_shape(struct sim_seat *s, const struct order_request *q) {
    const struct world *w = s->world;
    const struct instrument *in = w->cfg->inst;
    const struct world_venue *v = &w->cfg->venue;
    bool limit = q->type == ORDER_LIMIT;
    int128 value;
    if (q->px.ticks > ORDER_UNITS_MAX || q->qty.lots > ORDER_UNITS_MAX) return WHY_MALFORMED;
    if (limit && (q->px.ticks <= 0 || q->px.ticks % in->tick_units != 0)) return WHY_TICK;
    if (q->qty.lots <= 0 || q->qty.lots % in->lot_units != 0) return WHY_LOT;
    if (q->qty.lots < in->min_qty_units) return WHY_MIN_QTY;
    if (v->qty_max > 0 && q->qty.lots > v->qty_max) return WHY_MAX_QTY;
    price_t px = {limit ? q->px.ticks : (int64_t)(reference_px2(w) / 2)};
    if (in->min_notional_e8 > 0 && !q->reduce_only && px.ticks > 0 &&
        instrument_value_e12(in, px, q->qty, &value) &&
        value < (int128)in->min_notional_e8 * 10000) {
        return WHY_MIN_NOTIONAL;
    }
    /* An order that waits is judged against the mark of the time when it fires. */
    bool now = limit && q->trigger == TRIGGER_NONE;
    return now && beyond_band(w, q->side, px.ticks) ? WHY_PRICE_BAND : WHY_NONE;
}

static uint32_t open_orders(const struct sim_seat *s) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < s->world->seats; k++) {
        const struct sim_seat *t = &s->world->seat[k];
        if (t->account == s->account) n += t->count[SIDE_BUY] + t->count[SIDE_SELL];
    }
    return n;
}

/* The venue's limit of open orders, then our own room. */
static enum report_why refuse_rest(const struct sim_seat *s, int side) {
    uint32_t most = s->world->cfg->venue.orders_max;
    if (most == 0) most = s->world->venue_rules->orders_max;
    if (most > 0 && open_orders(s) >= most) return WHY_MAX_ORDERS;
    return s->count[side] == SIM_ORDERS_MAX ? WHY_LIMIT : WHY_NONE;
}

/* A reduce-only order against the position at the exchange: refused or cut, by the venue. One that
 * executes now may use the whole position; what then rests too much is trimmed after it. */
static enum report_why reduce(struct sim_seat *s, struct sim_order *o, bool fired) {
    const struct world *w = s->world;
    if (!(o->flags & SIM_REDUCE)) return WHY_NONE;
    uint8_t rule = w->cfg->venue.reduce ? w->cfg->venue.reduce : w->venue_rules->reduce;
    bool now = fired || o->type == ORDER_MARKET || o->tif == TIF_IOC || o->tif == TIF_FOK;
    int64_t room = sim_room(s, o->side, !now);
    if (room == 0) return WHY_REDUCE_ONLY;
    if (o->leaves <= room) return WHY_NONE;
    if (rule == REDUCE_REJECT && !fired) return WHY_REDUCE_ONLY;
    o->qty -= o->leaves - room;
    o->leaves = room;
    return WHY_NONE;
}

static bool known(struct sim_seat *s, int64_t id) {
    uint32_t i;
    return sim_find(s, id, &i) || (s->triggers > 0 && sim_waiting(s, id, &i));
}

static enum report_why refuse(struct sim_seat *s, const struct order_request *q) {
    if (!order_request_formed(q)) return WHY_MALFORMED;
    if (known(s, q->id)) return WHY_DUPLICATE_ID;
    if (book_state(s->world->book) != BOOK_SYNCED) return WHY_BOOK_GAP;
    return refuse_shape(s, q);
}

/* ---- the order meets the book ---- */

/* Ends an order that stands nowhere. */
static void end(struct sim_seat *s, const struct sim_order *o, uint8_t why, int64_t ts) {
    if (o->flags & SIM_TIED) sim_untie(s, o->id);
    sim_say(s, o, REPORT_EXPIRED, why, ts);
}

static void rest(struct world *w, struct sim_seat *s, struct sim_order *o, int64_t ts) {
    queue_place(&o->pos, book_qty_at(w->book, o->side, (price_t){o->px}).lots);
    if (w->l3) o->pos.arrived = w->l3->added;
    o->placed = (int64_t)o->pos.ahead;
    if (!sim_insert(s, o)) {
        end(s, o, WHY_LIMIT, ts);
        return;
    }
    /* What it took on the way may have left less to reduce than it rests with. */
    if (o->flags & SIM_REDUCE) s->unsettled = w->unsettled = true;
}

static bool would_take(struct sim_seat *s, const struct sim_order *o) {
    struct own m;
    return own_first(s, o, &m) || offered(s, o, 1) > 0;
}

static bool executes_now(const struct sim_order *o) {
    return o->type == ORDER_MARKET || o->tif == TIF_IOC || o->tif == TIF_FOK;
}

/* Takes, rests, or ends. */
static void meet(struct world *w, struct sim_seat *s, struct sim_order *o, int64_t ts) {
    bool market = o->type == ORDER_MARKET;
    if (!market && o->tif == TIF_GTX && would_take(s, o)) {
        end(s, o, WHY_POST_ONLY, ts);
        return;
    }
    if (o->tif == TIF_FOK && offered(s, o, o->leaves) < o->leaves) {
        end(s, o, WHY_NO_LIQUIDITY, ts);
        return;
    }
    bool stands = walk(s, o, ts);
    if (!stands || o->leaves == 0) {
        if (o->flags & SIM_TIED) sim_untie(s, o->id);
    } else if (executes_now(o)) {
        end(s, o, bounded(s, o) ? WHY_PRICE_BAND : WHY_NO_LIQUIDITY, ts);
    } else {
        rest(w, s, o, ts);
    }
}

void sim_fire(struct sim_seat *s, struct sim_order *o, int64_t ts) {
    int64_t qty = o->qty;
    recover(s, ts);
    enum report_why why = reduce(s, o, true);
    if (o->qty != qty) sim_say(s, o, REPORT_MODIFIED, WHY_REDUCE_ONLY, ts);
    if (o->flags & SIM_TIED) sim_pair_end(s, o->id, ts);
    if (why == WHY_NONE && !executes_now(o)) why = refuse_rest(s, o->side);
    bool limit = o->type == ORDER_LIMIT;
    if (why == WHY_NONE && limit && beyond_band(s->world, o->side, o->px)) why = WHY_PRICE_BAND;
    if (why == WHY_NONE) why = sim_clear_admit(s, o, NULL);
    if (why != WHY_NONE) {
        end(s, o, (uint8_t)why, ts);
    } else {
        meet(s->world, s, o, ts);
    }
}

static void refused(struct sim_seat *s, const struct sim_order *o, uint8_t why, int64_t ts) {
    s->world->counters.refused++;
    sim_say(s, o, REPORT_REJECTED, why, ts);
}

/* An order with a trigger: nothing about the position is asked before it fires. */
static void arrive_waiting(
    struct sim_seat *s, const struct order_request *q, struct sim_order *o, int64_t ts) {
    enum report_why why = sim_tie(s, q, o, ts);
    if (why == WHY_NONE) why = sim_wait(s, q, o);
    if (why != WHY_NONE) {
        if (o->flags & SIM_TIED) sim_untie(s, o->id);
        refused(s, o, (uint8_t)why, ts);
        return;
    }
    sim_say(s, o, REPORT_ACK, WHY_NONE, ts);
}

static void arrive(struct world *w, struct sim_seat *s, const struct order_request *q, int64_t ts) {
    struct sim_order o = sim_order_of(q);
    if (o.stp == STP_VENUE) o.stp = w->cfg->venue.stp ? w->cfg->venue.stp : w->venue_rules->stp;
    enum report_why why = refuse(s, q);
    if (why == WHY_NONE && q->trigger != TRIGGER_NONE) {
        arrive_waiting(s, q, &o, ts);
        return;
    }
    bool market = o.type == ORDER_MARKET, rests = !executes_now(&o);
    if (why == WHY_NONE) why = reduce(s, &o, false);
    if (why == WHY_NONE && market && !would_take(s, &o)) why = WHY_NO_LIQUIDITY;
    if (why == WHY_NONE && rests) why = refuse_rest(s, o.side);
    if (why == WHY_NONE && o.tif == TIF_GTX && !market && w->venue_rules->post_only_rejects &&
        would_take(s, &o)) {
        why = WHY_POST_ONLY;
    }
    if (why == WHY_NONE) why = sim_clear_admit(s, &o, NULL);
    if (why == WHY_NONE) why = sim_tie(s, q, &o, ts);
    if (why != WHY_NONE) {
        refused(s, &o, (uint8_t)why, ts);
        return;
    }
    if (rests) o.placed = book_qty_at(w->book, o.side, (price_t){o.px}).lots;
    sim_say(s, &o, REPORT_ACK, WHY_NONE, ts);
    /* Cut on the way in: the total that stands is told at once. */
    if (o.qty != q->qty.lots) sim_say(s, &o, REPORT_MODIFIED, WHY_REDUCE_ONLY, ts);
    meet(w, s, &o, ts);
}

static void cancel(struct sim_seat *s, const struct order_request *q, int64_t ts) {
    uint32_t i;
    const struct sim_order *have = sim_find(s, q->id, &i);
    const struct sim_trigger *waits = have ? NULL : sim_waiting(s, q->id, &i);
    struct sim_order o = have ? *have : waits ? waits->order : sim_order_of(q);
    if (have) sim_remove(s, o.side, i);
    if (waits) sim_unwait(s, i);
    bool gone = have || waits;
    sim_say(s, &o, gone ? REPORT_CANCELED : REPORT_CANCEL_REJECTED,
        gone ? WHY_NONE : WHY_UNKNOWN_ORDER, ts);
}

/* ---- amends ---- */

/* What an amend may not do; *next is the order as it would be. */
static enum report_why refuse_amend(struct sim_seat *s, const struct sim_order *have,
    const struct order_request *q, struct sim_order *next) {
    const struct world *w = s->world;
    struct order_request probe = *q;
    probe.side = have->side;
    probe.type = have->type;
    probe.reduce_only = (have->flags & SIM_REDUCE) != 0;
    if (book_state(w->book) != BOOK_SYNCED) return WHY_BOOK_GAP;
    enum report_why why = refuse_shape(s, &probe);
    if (why != WHY_NONE) return why;
    int64_t filled = have->qty - have->leaves;
    *next = *have;
    next->qty = q->qty.lots;
    next->leaves = q->qty.lots - filled;
    next->px = q->px.ticks;
    bool same = next->px == have->px && next->qty == have->qty;
    if (next->leaves > 0 && sim_clear_admit(s, next, have) != WHY_NONE) return WHY_MARGIN;
    if (same && w->venue_rules->same_refused) return WHY_NO_CHANGE;
    if ((have->flags & SIM_REDUCE) && next->leaves > have->leaves &&
        next->leaves - have->leaves > sim_room(s, have->side, true)) {
        return WHY_REDUCE_ONLY;
    }
    bool takes = next->tif == TIF_GTX && next->leaves > 0 && would_take(s, next);
    return takes && !w->venue_rules->post_only_amend_ends ? WHY_POST_ONLY : WHY_NONE;
}

/* qty of a modify is the new total at every venue of the table; a total that is already filled ends
 * the order. Less at the same price keeps the place in the queue where the venue's rules say so;
 * anything else is a new arrival. */
static void modify(struct world *w, struct sim_seat *s, const struct order_request *q, int64_t ts) {
    uint32_t i;
    struct sim_order *have = sim_find(s, q->id, &i), next;
    bool waits = !have && sim_waiting(s, q->id, &i);
    enum report_why why = waits ? WHY_AMEND : WHY_UNKNOWN_ORDER;
    if (have) why = refuse_amend(s, have, q, &next);
    if (why != WHY_NONE) {
        struct sim_order none = have ? *have : sim_order_of(q);
        sim_say(s, &none, REPORT_MODIFY_REJECTED, (uint8_t)why, ts);
        return;
    }
    if (next.leaves <= 0) {
        cancel(s, q, ts);
        return;
    }
    uint8_t rule = w->cfg->venue.amend ? w->cfg->venue.amend : w->venue_rules->amend;
    if (rule == AMEND_KEEP && next.px == have->px && next.leaves <= have->leaves) {
        *have = next;
        s->open_stale = true;
        sim_say(s, &next, REPORT_MODIFIED, WHY_NONE, ts);
        return;
    }
    have->flags &= (uint8_t)~SIM_TIED; /* it comes back with its expiry and its pair */
    sim_remove(s, next.side, i);
    sim_say(s, &next, REPORT_MODIFIED, WHY_NONE, ts);
    meet(w, s, &next, ts);
}

static void stopped(struct sim_seat *s, const struct order_request *q, uint8_t why, int64_t ts) {
    uint32_t i;
    const struct sim_order *have = sim_find(s, q->id, &i);
    struct sim_order o = have ? *have : sim_order_of(q);
    switch ((enum request_kind)q->kind) {
    case REQUEST_NEW:
        o = sim_order_of(q);
        refused(s, &o, why, ts);
        return;
    case REQUEST_CANCEL: sim_say(s, &o, REPORT_CANCEL_REJECTED, why, ts); return;
    case REQUEST_MODIFY: sim_say(s, &o, REPORT_MODIFY_REJECTED, why, ts); return;
    case REQUEST_QUERY: return; /* no answer: the sender asks again */
    }
}

static void act(struct world *w, struct sim_seat *s, const struct order_request *q, int64_t ts) {
    switch ((enum request_kind)q->kind) {
    case REQUEST_NEW: arrive(w, s, q, ts); break;
    case REQUEST_CANCEL: cancel(s, q, ts); break;
    case REQUEST_MODIFY: modify(w, s, q, ts); break;
    case REQUEST_QUERY: sim_query(s, q, ts); break;
    }
}

static void request(
    struct world *w, struct sim_seat *s, const struct order_request *q, int64_t ts) {
    bool lost = false;
    recover(s, ts);
    enum report_why why = w->gated ? sim_gate(s, q, ts, &lost) : WHY_NONE;
    if (why != WHY_NONE) {
        stopped(s, q, (uint8_t)why, ts);
    } else if (!lost) {
        act(w, s, q, ts);
    }
    s->mute = false;
    sim_settle(w, ts);
}

static void liquidate(struct sim_seat *s, struct sim_order *o, int64_t ts) {
    if (book_state(s->world->book) != BOOK_SYNCED) return;
    recover(s, ts);
    (void)walk(s, o, ts);
}

const struct sim_ops sim_strict = {.depth = depth,
    .print = print,
    .request = request,
    .mark = mark,
    .liquidate = liquidate,
    .order = sim_l3_strict};
