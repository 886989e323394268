/* sim_fuzz.c: any sequence of levels, prints, marks and order requests, sensible and hostile,
 * through the simulated exchange under its venue rules.
 *
 * Two bytes choose venue, rules and seats; then each record of 16 bytes is one event or one
 * request. Whatever comes: time never runs back, no order fills beyond its quantity, the position
 * is the sum of the fills, lists stay within their limits.
 */
#include <stdint.h>

#include "base/check.h"
#include "execute/sim/sim_testing.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { RECORD = 16, RECORDS_MAX = 500 };

static const int64_t odd[8] = {
    0, -1, INT64_MAX, INT64_MIN, ORDER_UNITS_MAX, ORDER_UNITS_MAX + 1, 1, 1000000007};

/* Mostly small, else one of the odd values. */
static int64_t number(uint8_t b, int64_t from) { return b >= 248 ? odd[b & 7] : from + (b & 31); }

static struct order_request request(const uint8_t *r, int64_t us) {
    struct order_request q = {.id = number(r[1], 0),
        .px = {number(r[2], 85)},
        .qty = {number(r[3], 1)},
        .ts_sent = {us * 1000},
        .kind = (uint8_t)(REQUEST_NEW + (r[4] & 3)),
        .side = r[5] & 1,
        .type = (r[5] >> 1) & 1,
        .tif = (uint8_t)((r[5] >> 2) % 5),
        .reduce_only = (r[6] & 3) == 3,
        .stp = (uint8_t)((r[6] >> 2) % 5)};
    if (r[7] & 1) q.trigger = (uint8_t)(1 + (r[7] >> 1) % 3);
    q.trigger_by = (r[7] >> 3) & 1;
    if (q.trigger) q.trigger_px.ticks = number(r[8], 85);
    if (q.trigger == TRIGGER_TRAIL) q.callback_e4 = (int32_t)r[9] * 1000000;
    if (r[10] & 1) q.oco = number(r[11], 0);
    q.expire_ns = r[12] == 255 ? INT64_MAX : us * 1000 + (int64_t)r[12] * NS_PER_MS - NS_PER_MS;
    if (r[13] == 255) { /* fields that no enum has */
        q.side = r[14];
        q.tif = r[15];
        q.trigger_by = r[9];
    }
    return q;
}

struct input {
    struct script s;
    struct order_request q[RECORDS_MAX];
    size_t requests;
};

static void read_market(struct input *in, const uint8_t *bytes, size_t n) {
    int64_t us = 2000;
    for (size_t i = 0; i + RECORD <= n && i < (size_t)RECORDS_MAX * RECORD; i += RECORD) {
        const uint8_t *r = bytes + i;
        int side = (r[3] & 1) ? EVF_BUY : EVF_SELL;
        us += (r[0] >> 4) * 100;
        switch (r[0] & 7) {
        case 0: script_level(&in->s, us, side, 90 + (r[1] & 31), r[2] & 15); break;
        case 1: script_print(&in->s, us, side, 88 + (r[1] & 31), 1 + (r[2] & 31)); break;
        case 2: script_mark(&in->s, us, (88 + (r[1] & 31)) * AUX_ONE + r[2]); break;
        default: in->q[in->requests++] = request(r, us); break;
        }
    }
    script_level(&in->s, us + 1000000, EVF_BUY, 1, 0);
}

struct outcome {
    int64_t position, now;
};

static void check(struct outcome *o, const struct report *r, int64_t local_ns) {
    CHECK(local_ns >= o->now);
    o->now = local_ns;
    CHECK(r->why < WHY_COUNT && r->status < REPORT_STATUS_COUNT);
    if (r->status != REPORT_FILL) return;
    CHECK(r->last_qty.lots > 0 && r->last_px.ticks > 0);
    CHECK(r->filled.lots <= r->qty.lots && r->last_qty.lots <= r->filled.lots);
    o->position += r->side == SIDE_BUY ? r->last_qty.lots : -r->last_qty.lots;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static struct input in;
    static const uint8_t together[2] = {0, 0};
    if (n < 2) return 0;
    struct instrument inst = script_inst;
    inst.venue = bytes[0] % VENUE_COUNT;
    struct world_config cfg = {.inst = &inst,
        .rules = (bytes[0] >> 4) == 15 ? SIM_ANCHOR : SIM_STRICT,
        .seats = 1 + (bytes[1] & 1),
        .account = (bytes[1] & 2) ? together : NULL,
        .entry_new_ns = (bytes[1] >> 4) * 100000,
        .entry_cancel_ns = (bytes[1] >> 6) * 100000,
        .response_ns = 300000};
    if (cfg.seats == 1) cfg.account = NULL;
    cfg.venue = (struct world_venue){.no_limits = (bytes[1] & 4) != 0,
        .band_e8 = (bytes[1] & 8) ? 15000000 : 0,
        .market_bound_e8 = (bytes[1] & 8) ? 5000000 : 0,
        .outage_every_ns = 20 * NS_PER_MS,
        .outage_ns = 2 * NS_PER_MS,
        .outage_kind = bytes[1] & 3};
    in.s = script_market();
    in.requests = 0;
    read_market(&in, bytes + 2, n - 2);
    struct script_world *w = script_open(&in.s, &cfg);
    for (size_t i = 0; i < in.requests; i++) {
        struct order_port port = world_port(w->world, (uint32_t)i % cfg.seats);
        CHECK(port.send(port.ctx, &in.q[i]));
    }
    struct outcome o = {0};
    int64_t sum[2] = {0};
    const struct event *ev;
    uint32_t seat;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        if (ev->kind != EV_ORDER_REPORT) continue;
        struct report r;
        report_decode(ev, &r);
        int64_t before = o.position;
        check(&o, &r, ev->ts_local.ns);
        sum[seat] += o.position - before;
    }
    for (uint32_t k = 0; k < cfg.seats; k++) {
        CHECK(world_position(w->world, k) == (cfg.account ? o.position : sum[k]));
        CHECK(world_resting(w->world, k) <= 2 * SIM_ORDERS_MAX);
        CHECK(world_waiting(w->world, k) <= SIM_TRIGGERS_MAX);
    }
    script_close(w);
    return 0;
}
