/* sim_bars.c: the exchange when the tape holds bars only.
 *
 * A bar shows neither book nor queue, so only market and IOC orders are taken: they fill at the
 * NEXT bar's open, worse by the slippage, never at the close that triggered them. A bar without
 * volume (a halt) fills nothing: the order waits for the next one.
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

static void open_bar(struct world *w, struct sim_seat *s, int side, const struct event *ev) {
    int64_t px = worse(w, side, ev->px.ticks);
    while (s->count[side] > 0) {
        struct sim_order o = s->orders[side][0];
        sim_remove(s, side, 0);
        if (o.type == ORDER_LIMIT && sim_better(side, px, o.px)) {
            sim_say(s, &o, REPORT_EXPIRED, WHY_NO_LIQUIDITY, ev->ts_local.ns);
            continue;
        }
        if (!reduce(s, &o, ev->ts_local.ns)) continue;
        int64_t qty = o.leaves;
        o.leaves = 0;
        sim_fill(s, &o, px, qty, false, -1, ev->ts_local.ns);
    }
}

static void bar(struct world *w, const struct event *ev) {
    if (ev->qty.lots <= 0 || ev->px.ticks <= 0) return;
    for (uint32_t k = 0; k < w->seats; k++) {
        open_bar(w, &w->seat[k], SIDE_BUY, ev);
        open_bar(w, &w->seat[k], SIDE_SELL, ev);
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
    bool takes = o.type == ORDER_MARKET || o.tif == TIF_IOC || o.tif == TIF_FOK;
    enum report_why why = takes ? WHY_NONE : WHY_BARS;
    if (!order_request_plain(req)) why = WHY_UNSUPPORTED;
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
