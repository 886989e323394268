#include "execute/sim/bar_sim.h"

#include <string.h>

#include "base/check.h"

void bar_sim_init(struct bar_sim *b, const struct instrument *in, int64_t slippage_e6) {
    CHECK(slippage_e6 >= 0 && slippage_e6 < 1000000);
    CHECK(in->tick_units >= 1);
    memset(b, 0, sizeof *b);
    b->slippage_e6 = slippage_e6;
    b->tick_units = in->tick_units;
}

static bool send(void *ctx, const struct order_request *req) {
    struct bar_sim *b = ctx;
    if (b->pending_count == BAR_SIM_PENDING) return false;
    b->pending[b->pending_count++] = *req;
    return true;
}

struct order_port bar_sim_port(struct bar_sim *b) {
    return (struct order_port){b, send};
}

/* open x (1 +- slippage), rounded away from us to a whole tick. */
static price_t fill_price(const struct bar_sim *b, int64_t open, uint8_t side) {
    int128 scaled =
        (int128)open * (side == SIDE_BUY ? 1000000 + b->slippage_e6 : 1000000 - b->slippage_e6);
    int128 step = (int128)1000000 * b->tick_units;
    int128 ticks = side == SIDE_BUY ? (scaled + step - 1) / step : scaled / step;
    CHECK(ticks >= 0 && ticks * b->tick_units <= INT64_MAX);
    return (price_t){(int64_t)ticks * b->tick_units};
}

static struct report answer(const struct order_request *req, const struct event *kline) {
    return (struct report){.order_id = req->id,
        .ts_venue = {kline->id},
        .ts_local = {kline->id},
        .px = req->px,
        .qty = req->qty,
        .fee_e12 = REPORT_FEE_UNKNOWN,
        .queue_placed = -1,
        .queue_before = -1,
        .inst = req->inst,
        .side = req->side};
}

/* An order that wants to trade at once: market, or limit with IOC or FOK. */
static bool takes(const struct order_request *req) {
    return req->kind == REQUEST_NEW &&
           (req->type == ORDER_MARKET || req->tif == TIF_IOC || req->tif == TIF_FOK);
}

static bool beyond_limit(const struct order_request *req, price_t px) {
    if (req->type == ORDER_MARKET) return false;
    return req->side == SIDE_BUY ? px.ticks > req->px.ticks : px.ticks < req->px.ticks;
}

static void settle(
    struct bar_sim *b, const struct order_request *req, int64_t open, struct report *r) {
    if (!takes(req)) {
        r->status = req->kind == REQUEST_NEW ? REPORT_REJECTED : REPORT_CANCEL_REJECTED;
        r->why = req->kind == REQUEST_NEW ? WHY_NO_LIQUIDITY : WHY_UNKNOWN_ORDER;
        b->rejects++;
        return;
    }
    price_t px = fill_price(b, open, req->side);
    if (beyond_limit(req, px)) {
        r->status = REPORT_EXPIRED;
        r->why = WHY_NO_LIQUIDITY;
        b->rejects++;
        return;
    }
    r->status = REPORT_FILL;
    r->last_px = px;
    r->last_qty = r->filled = req->qty;
    b->fills++;
}

unsigned bar_sim_on_kline(
    struct bar_sim *b, const struct event *kline, struct event out[2 * BAR_SIM_PENDING]) {
    CHECK(kline->kind == EV_KLINE);
    int64_t open = event_words(kline)[KLINE_OPEN_PX];
    bool halted = kline->qty.lots <= 0 || open <= 0; /* nothing trades */
    unsigned n = 0, kept = 0;
    for (uint32_t i = 0; i < b->pending_count; i++) {
        const struct order_request req = b->pending[i];
        if (takes(&req) && halted) {
            b->waited++;
            b->pending[kept++] = req;
            continue;
        }
        struct report r = answer(&req, kline);
        settle(b, &req, open, &r);
        report_encode(&r, out + 2 * n++);
    }
    b->pending_count = kept;
    return n;
}
