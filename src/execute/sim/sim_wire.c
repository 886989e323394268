/* sim_wire.c: the way to the exchange and back: latency, rejects and losses on it, clock. */
#include "base/check.h"
#include "execute/sim/sim_internal.h"

static enum latency_leg leg_of(const struct order_request *req) {
    switch ((enum request_kind)req->kind) {
    case REQUEST_CANCEL: return LEG_CANCEL;
    case REQUEST_MODIFY: return LEG_MODIFY;
    case REQUEST_NEW:
    case REQUEST_QUERY: break;
    }
    return LEG_NEW;
}

/* Refused before the matching engine: the venue never stamped it. */
static void refuse(struct sim_seat *s, const struct order_request *req, int64_t arrival) {
    static const uint8_t status[] = {[REQUEST_NEW] = REPORT_REJECTED,
        [REQUEST_CANCEL] = REPORT_CANCEL_REJECTED,
        [REQUEST_MODIFY] = REPORT_MODIFY_REJECTED};
    struct sim_order o = sim_order_of(req);
    struct sim_said said = {.status = status[req->kind], .why = WHY_WIRE, .queue_before = -1};
    s->wire.rejected++;
    sim_respond(s, &o, &said, TS_NONE_NS, arrival);
}

/* The anchor's axis is the venue's clock: its rows are looked up by that. */
static int64_t row_time(const struct world *w, int64_t ts) {
    return w->cfg->latency->defects ? sim_venue_ns(w, ts) : ts;
}

bool sim_entry(struct sim_seat *s, const struct order_request *req, int64_t *arrival) {
    struct world *w = s->world;
    const struct world_config *c = w->cfg;
    int64_t now = req->ts_sent.ns;
    if (!c->latency) {
        *arrival = now + (req->kind == REQUEST_CANCEL ? c->entry_cancel_ns : c->entry_new_ns);
        return true;
    }
    double rate = latency_rate_at(&w->rate, now);
    struct latency_answer a =
        latency_entry(c->latency, &s->wire, leg_of(req), rate, row_time(w, now));
    *arrival = now + a.ns;
    if (a.fate == FATE_LOST) {
        s->wire.lost++;
        return false;
    }
    bool question = req->kind == REQUEST_QUERY; /* the last resort of an unknown order */
    if (a.fate == FATE_ARRIVES || question) return true;
    refuse(s, req, *arrival);
    return false;
}

int64_t sim_response_ns(struct sim_seat *s, const struct sim_order *o, uint8_t status, int64_t ts) {
    struct world *w = s->world;
    const struct world_config *c = w->cfg;
    if (!c->latency) return c->response_ns;
    enum latency_leg leg = status == REPORT_FILL ? LEG_FILL : LEG_ACK;
    int64_t ns = 0;
    double rate = latency_rate_at(&w->rate, ts);
    if (!latency_response(c->latency, &s->wire, leg, rate, row_time(w, ts), &ns)) {
        sim_fault(w, WORLD_LATENCY, o->id, ts);
    }
    return ns;
}
