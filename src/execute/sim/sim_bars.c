/* sim_bars.c: the exchange when the tape holds bars only.
 *
 * A bar shows neither book nor queue nor the path inside it, so every order meets the worst that is
 * consistent with it. Market, IOC and FOK orders fill at the NEXT bar's open, worse by the
 * slippage, never at the close that triggered them. A limit order that rests (GTC, GTX) counts from
 * the next bar's open on:
 *
 *   at an open that is through it   GTC takes like a market order if the worsened open is within
 *                                   its limit, else rests on; GTX expires
 *   inside the bar                  fills at its own price only if the bar traded THROUGH it, by a
 *                                   tick or more (at the price itself the queue before it may have
 *                                   eaten all), at most the bar's volume over all own orders, and
 *                                   is told of it at the bar's close
 *
 * A bar without volume (a halt) fills nothing: the order waits for the next one. Orders
 * that wait for a price (stops) are refused: which came first in a bar, stop or target, cannot be
 * known.
 */
#include "base/check.h"
#include "base/decimal.h"
#include "execute/sim/sim_internal.h"

/* The open, worse by bar_slip_e4, on the tick against the order. */
static int64_t worse(const struct world *w, int side, int64_t open) {
    int64_t tick = w->cfg->inst->tick_units;
    int64_t slip = (int64_t)(((int128)open * w->cfg->bar_slip_e4 + 99999999) / 100000000);
    int64_t px = side == SIDE_BUY ? open + slip : open - slip, rest = px % tick;
    if (rest != 0) px += side == SIDE_BUY ? tick - rest : -rest;
    return px > 0 ? px : tick;
}

/* A reduce-only order against the position at the open; false: it ended. */
static bool reduce(struct sim_seat *s, struct sim_order *o, int64_t ts) {
    if (!(o->flags & SIM_REDUCE)) return true;
    int64_t room = sim_room(s, o->side, false);
    if (room == 0) {
        sim_say(s, o, REPORT_EXPIRED, WHY_REDUCE_ONLY, ts);
        return false;
    }
    if (o->leaves > room) {
        o->qty -= o->leaves - room;
        o->leaves = room;
        sim_say(s, o, REPORT_MODIFIED, WHY_REDUCE_ONLY, ts);
    }
    return true;
}

static bool rests(const struct sim_order *o) {
    return o->type == ORDER_LIMIT && (o->tif == TIF_GTC || o->tif == TIF_GTX);
}

/* At the open: true if the order stays. */
static bool meet_open(struct sim_seat *s, struct sim_order *o, const struct event *ev, int64_t px) {
    bool through = o->type == ORDER_LIMIT && !sim_better(o->side, ev->px.ticks, o->px);
    if (rests(o) && o->tif == TIF_GTX && through) {
        sim_say(s, o, REPORT_EXPIRED, WHY_POST_ONLY, ev->ts_local.ns);
        return false;
    }
    bool takes = o->type == ORDER_MARKET || !sim_better(o->side, px, o->px);
    if (rests(o) && !takes) {
        o->flags |= SIM_OPENED;
        return true;
    }
    if (!takes) {
        sim_say(s, o, REPORT_EXPIRED, WHY_NO_LIQUIDITY, ev->ts_local.ns);
        return false;
    }
    if (!reduce(s, o, ev->ts_local.ns)) return false;
    int64_t qty = o->leaves;
    o->leaves = 0;
    sim_fill(s, o, px, qty, false, -1, ev->ts_local.ns);
    return false;
}

static void open_bar(struct world *w, struct sim_seat *s, int side, const struct event *ev) {
    int64_t px = worse(w, side, ev->px.ticks);
    for (uint32_t i = 0; i < s->count[side];) {
        struct sim_order o = s->orders[side][i];
        if (meet_open(s, &o, ev, px)) {
            s->orders[side][i++] = o;
        } else {
            sim_remove(s, side, i);
        }
    }
}

/* A resting order that the bar traded through: true if it stays. */
static bool meet_range(
    struct sim_seat *s, struct sim_order *o, const struct event *ev, int64_t *left) {
    if (!reduce(s, o, ev->ts_local.ns)) return false;
    int64_t lots = *left < o->leaves ? *left : o->leaves;
    lots -= lots % s->world->cfg->inst->lot_units;
    if (lots <= 0) return true;
    *left -= lots;
    o->leaves -= lots;
    sim_fill(s, o, o->px, lots, true, -1, ev->ts_local.ns);
    return o->leaves > 0;
}

/* At the close: what the bar traded through is filled. *left = volume no own order had yet. */
static void close_bar(struct sim_seat *s, int side, const struct event *ev, int64_t *left) {
    int64_t extreme = side == SIDE_BUY ? ev->aux.b : ev->aux.a;
    for (uint32_t i = 0; extreme > 0 && i < s->count[side];) {
        struct sim_order *o = &s->orders[side][i];
        bool through = (o->flags & SIM_OPENED) && sim_better(side, o->px, extreme);
        if (!through || meet_range(s, o, ev, left)) {
            i++;
        } else {
            sim_remove(s, side, i);
        }
    }
}

static void bar(struct world *w, const struct event *ev) {
    if (ev->qty.lots <= 0 || ev->px.ticks <= 0) return;
    for (uint32_t k = 0; k < w->seats; k++) {
        int64_t left = ev->qty.lots;
        for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
            if (ev->flags & EVF_CLOSED) {
                close_bar(&w->seat[k], side, ev, &left);
            } else {
                open_bar(w, &w->seat[k], side, ev);
            }
        }
    }
}

static void no_print(struct world *w, const struct event *ev) {
    (void)w;
    (void)ev;
}

static void request(
    struct world *w, struct sim_seat *s, const struct order_request *req, int64_t ts) {
    uint32_t i;
    struct sim_order o = sim_order_of(req);
    const struct sim_order *have = sim_find(s, req->id, &i);
    if (req->kind == REQUEST_CANCEL) {
        if (have) {
            o = *have;
            sim_remove(s, o.side, i);
        }
        sim_say(s, &o, have ? REPORT_CANCELED : REPORT_CANCEL_REJECTED,
            have ? WHY_NONE : WHY_UNKNOWN_ORDER, ts);
        return;
    }
    if (req->kind == REQUEST_QUERY) {
        sim_query(s, req, ts);
        return;
    }
    if (req->kind == REQUEST_MODIFY) {
        sim_say(s, &o, REPORT_MODIFY_REJECTED, WHY_BARS, ts);
        return;
    }
    CHECK(req->kind == REQUEST_NEW);
    const struct instrument *in = w->cfg->inst;
    enum report_why why = WHY_NONE;
    if (rests(&o) && (o.px <= 0 || o.px % in->tick_units != 0)) why = WHY_TICK;
    if (o.leaves % in->lot_units != 0) why = WHY_LOT;
    if (!order_request_plain(req) || o.tif == TIF_GTD) why = WHY_UNSUPPORTED;
    if (!order_request_formed(req) || o.leaves <= 0 || o.leaves > ORDER_UNITS_MAX) {
        why = WHY_MALFORMED;
    }
    if (have) why = WHY_DUPLICATE_ID;
    if (why == WHY_NONE) why = sim_clear_admit(s, &o, NULL);
    if (why == WHY_NONE && !sim_insert(s, &o)) why = WHY_LIMIT;
    w->counters.refused += why != WHY_NONE;
    sim_say(s, &o, why == WHY_NONE ? REPORT_ACK : REPORT_REJECTED, (uint8_t)why, ts);
}

/* At the mark that broke the account, worse by the slippage; not worse than the limit. */
static void liquidate(struct sim_seat *s, struct sim_order *o, int64_t ts) {
    const struct world *w = s->world;
    const struct instrument *in = w->cfg->inst;
    int64_t mark = s->clearing->account.leg[s->leg].mark_e10;
    int128 ticks = (int128)mark * decimal_pow10[in->px_exp] / in->px_mant / AUX_ONE;
    int64_t px = worse(w, o->side, (int64_t)ticks), lots = o->leaves;
    if (sim_better(o->side, px, o->px)) return;
    o->leaves = 0;
    sim_fill(s, o, px, lots, false, -1, ts);
}

const struct sim_ops sim_bars = {
    .depth = bar, .print = no_print, .request = request, .liquidate = liquidate};
