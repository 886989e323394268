/* sim_orders.c: resting orders of a seat by priority, and its reports. */
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "execute/sim/sim_internal.h"

bool sim_insert(struct sim_seat *s, const struct sim_order *o) {
    uint32_t n = s->count[o->side], i = n;
    if (n == SIM_ORDERS_MAX) return false;
    struct sim_order *list = s->orders[o->side];
    while (i > 0 && sim_better(o->side, o->px, list[i - 1].px)) i--;
    memmove(&list[i + 1], &list[i], (n - i) * sizeof *list);
    list[i] = *o;
    s->open_stale = true;
    s->count[o->side]++;
    s->reducing += (o->flags & SIM_REDUCE) != 0;
    return true;
}

void sim_remove(struct sim_seat *s, int side, uint32_t i) {
    CHECK(i < s->count[side]);
    struct sim_order *list = s->orders[side];
    if (list[i].flags & SIM_TIED) sim_untie(s, list[i].id);
    s->reducing -= (list[i].flags & SIM_REDUCE) != 0;
    memmove(&list[i], &list[i + 1], (s->count[side] - i - 1) * sizeof *list);
    s->count[side]--;
    s->open_stale = true;
}

struct sim_order *sim_find(struct sim_seat *s, int64_t id, uint32_t *index) {
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        for (uint32_t i = 0; i < s->count[side]; i++) {
            if (s->orders[side][i].id != id) continue;
            *index = i;
            return &s->orders[side][i];
        }
    }
    return NULL;
}

struct sim_order sim_order_of(const struct order_request *req) {
    return (struct sim_order){.id = req->id,
        .px = req->px.ticks,
        .qty = req->qty.lots,
        .leaves = req->qty.lots,
        .placed = -1,
        .side = req->side,
        .type = req->type,
        .tif = req->tif,
        .flags = req->reduce_only ? SIM_REDUCE : 0,
        .stp = req->stp};
}

void sim_fault(struct world *w, enum world_result result, int64_t order_id, int64_t ts) {
    if (w->fault.result != WORLD_EVENT) return;
    w->fault = (struct world_fault){result, order_id, sim_venue_ns(w, ts)};
}

void sim_respond(struct sim_seat *s, const struct sim_order *o, const struct sim_said *said,
    int64_t venue_ns, int64_t arrival) {
    struct world *w = s->world;
    if (s->mute && said->status != REPORT_FILL) {
        w->counters.muted++;
        return;
    }
    if (s->back.count == w->bus_slots) {
        sim_fault(w, WORLD_FULL, o->id, arrival); /* a lost report would be a silent lie */
        return;
    }
    if (arrival < s->back.last) arrival = s->back.last;
    s->back.last = arrival;
    size_t at = sim_bus_push(&s->back, w->bus_slots);
    struct report r = {.order_id = o->id,
        .ts_venue = {venue_ns},
        .ts_local = {arrival},
        .px = {o->px},
        .last_px = {said->last_px},
        .qty = {o->qty},
        .last_qty = {said->last_qty},
        .filled = {o->qty - o->leaves},
        .fee_e12 = REPORT_FEE_UNKNOWN,
        .queue_placed = o->placed,
        .queue_before = said->queue_before,
        .inst = w->cfg->inst->id,
        .side = o->side,
        .status = said->status,
        .why = said->why,
        .maker = said->maker,
        .rated = said->rated,
        .fee_rate = said->fee_rate};
    s->responses[at].arrival = arrival;
    report_encode(&r, s->responses[at].ev);
    w->in_flight++;
    if (s->back.count == 1) sim_seat_moved(s);
    w->counters.responses++;
}

void sim_report(
    struct sim_seat *s, const struct sim_order *o, const struct sim_said *said, int64_t ts) {
    int64_t arrival = ts + sim_response_ns(s, o, said->status, ts);
    sim_respond(s, o, said, sim_venue_ns(s->world, ts), arrival);
}

void sim_fill(struct sim_seat *s, const struct sim_order *o, int64_t px, int64_t qty, bool maker,
    int64_t queue_before, int64_t ts) {
    CHECK(qty > 0);
    CHECK(o->leaves >= 0);
    bool liquidated = (o->flags & SIM_LIQUIDATION) != 0;
    struct sim_said said = {.status = liquidated ? REPORT_LIQUIDATION : REPORT_FILL,
        .why = liquidated ? WHY_LIQUIDATION : WHY_NONE,
        .last_px = px,
        .last_qty = qty,
        .maker = maker,
        .queue_before = queue_before};
    sim_account(s)->position += o->side == SIDE_BUY ? qty : -qty;
    s->open_stale = true;
    if (s->clearing) {
        said.fee_rate = sim_clear_fill(s, o, px, qty, maker, ts);
        said.rated = s->clearing->account.leg[s->leg].rules.fees.rows > 0;
    }
    s->world->counters.fills++;
    s->world->counters.maker_fills += maker;
    sim_report(s, o, &said, ts);
}

void sim_query(struct sim_seat *s, const struct order_request *req, int64_t ts) {
    uint32_t i;
    const struct sim_order *have = sim_find(s, req->id, &i);
    const struct sim_trigger *waits = have ? NULL : sim_waiting(s, req->id, &i);
    if (waits) have = &waits->order;
    struct sim_order o = have ? *have : sim_order_of(req);
    sim_say(s, &o, have ? REPORT_ACK : REPORT_NOT_FOUND, have ? WHY_NONE : WHY_UNKNOWN_ORDER, ts);
}
