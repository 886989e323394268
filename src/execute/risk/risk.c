#include "execute/risk/risk.h"

#include <string.h>

#include "base/check.h"

static const char *const names[RISK_REASON_COUNT] = {"ok", "bad_order", "size", "notional",
    "position", "collar", "rate", "daily_loss", "stale", "book_state", "open_orders", "halted",
    "money"};

const char *risk_reason_name(uint8_t reason) {
    return reason < RISK_REASON_COUNT ? names[reason] : "invalid";
}

void risk_init(struct risk *r) {
    memset(r, 0, sizeof *r);
    r->day = INT64_MIN;
}

void risk_halt(struct risk *r, bool on) { r->halted = on; }

#define DAY_NS ((int64_t)86400 * NS_PER_S)

void risk_equity(struct risk *r, const struct risk_config *cfg, ts_t now, money_t equity) {
    int64_t day = now.ns / DAY_NS;
    if (day != r->day) {
        r->day = day;
        r->day_start_equity_e12 = equity.e12;
        r->loss_stop = false;
    }
    if (cfg->daily_loss_e12 > 0 && r->day_start_equity_e12 - equity.e12 >= cfg->daily_loss_e12) {
        r->loss_stop = true;
    }
}

int64_t risk_worst(const struct ledger *l, const struct blotter *b, int side) {
    int64_t leaves = blotter_exposure(b, side).lots;
    return side == SIDE_BUY ? l->position + leaves : l->position - leaves;
}

/* Forgets messages older than 60 s and recounts the 10 s window. Amortised O(1). */
static void rate_slide(struct risk *r, ts_t now) {
    while (r->count > 0 && now.ns - r->sent_ns[r->head] >= 60 * NS_PER_S) {
        r->head = (r->head + 1) % RISK_RATE_MAX;
        r->count--;
        if (r->in_10s > r->count) r->in_10s = r->count;
    }
    while (r->in_10s > 0) {
        uint32_t oldest = (r->head + r->count - r->in_10s) % RISK_RATE_MAX;
        if (now.ns - r->sent_ns[oldest] < 10 * NS_PER_S) break;
        r->in_10s--;
    }
}

/* A reserve larger than half of a limit would refuse everything: half is the most. */
static bool within(uint32_t sent, uint32_t limit, uint32_t keep) {
    return sent + (keep < limit / 2 ? keep : limit / 2) < limit;
}

static bool rate_allows(const struct risk *r, const struct risk_config *cfg, bool cancel) {
    uint32_t keep = cancel ? 0 : cfg->cancel_reserve;
    if (!within(r->count, RISK_RATE_MAX, keep)) return false;
    if (cfg->rate_10s && !within(r->in_10s, cfg->rate_10s, keep)) return false;
    return !cfg->rate_60s || within(r->count, cfg->rate_60s, keep);
}

static void rate_count(struct risk *r, ts_t now) {
    CHECK(r->count < RISK_RATE_MAX);
    r->sent_ns[(r->head + r->count) % RISK_RATE_MAX] = now.ns;
    r->count++;
    r->in_10s++;
}

/* What a request adds to the quantity that may still trade; an amend to less may be too late. */
static int64_t added(const struct risk_view *v, const struct order_request *q) {
    if (!v->amended) return q->qty.lots;
    int64_t more = q->qty.lots - v->amended->filled.lots - order_leaves(v->amended).lots;
    return more > 0 ? more : 0;
}

/* An order that can only bring the position nearer to zero, whatever else fills. */
static bool reduces(const struct risk_view *v, const struct order_request *q) {
    int64_t pos = v->ledger->position;
    int64_t same = blotter_exposure(v->blotter, q->side).lots + added(v, q);
    return q->side == SIDE_SELL ? pos > 0 && same <= pos : pos < 0 && same <= -pos;
}

/* One that the venue lets only reduce, and that is no larger than the position. */
static bool guarded(const struct risk_view *v, const struct order_request *q) {
    int64_t pos = v->ledger->position, room = q->side == SIDE_SELL ? pos : -pos;
    return q->reduce_only && q->qty.lots <= room;
}

static bool good_trigger(const struct instrument *in, const struct order_request *q) {
    if (q->trigger > TRIGGER_TRAIL || q->trigger_by > TRIGGER_BY_LAST) return false;
    if (q->trigger == TRIGGER_NONE) return q->trigger_px.ticks == 0 && q->callback_e4 == 0;
    if (q->trigger_px.ticks < 0 || q->trigger_px.ticks > ORDER_UNITS_MAX) return false;
    if (q->trigger_px.ticks % in->tick_units != 0) return false;
    return q->trigger == TRIGGER_TRAIL ? q->callback_e4 > 0 : q->trigger_px.ticks > 0;
}

static enum risk_reason check_shape(
    const struct risk_config *cfg, const struct instrument *in, const struct order_request *q) {
    if (q->px.ticks > ORDER_UNITS_MAX || q->qty.lots > ORDER_UNITS_MAX) return RISK_BAD_ORDER;
    if (q->qty.lots <= 0 || q->qty.lots % in->lot_units != 0) return RISK_BAD_ORDER;
    if (q->qty.lots < in->min_qty_units) return RISK_BAD_ORDER;
    bool limit = q->type == ORDER_LIMIT;
    if (limit && (q->px.ticks <= 0 || q->px.ticks % in->tick_units != 0)) return RISK_BAD_ORDER;
    if (q->side > SIDE_SELL || q->tif > TIF_GTD || q->type > ORDER_MARKET) return RISK_BAD_ORDER;
    if ((q->tif == TIF_GTD) != (q->expire_ns > 0) || q->stp > STP_BOTH) return RISK_BAD_ORDER;
    if (!good_trigger(in, q)) return RISK_BAD_ORDER;
    return cfg->order_max > 0 && q->qty.lots > cfg->order_max ? RISK_SIZE : RISK_OK;
}

void risk_observe(struct risk *r, price_t mid2) {
    if (mid2.ticks <= 0) return;
    r->mid2[r->mid_next] = mid2.ticks;
    r->mid_next = (r->mid_next + 1) % RISK_MIDS;
    if (r->mids < RISK_MIDS) r->mids++;
}

/* Median of the samples (the lower one of an even count); 0 while there are fewer than three. */
static int64_t median_mid2(const struct risk *r) {
    int64_t v[RISK_MIDS] = {0};
    if (r->mids < 3) return 0;
    for (uint32_t i = 0; i < r->mids; i++) {
        uint32_t k = i;
        for (; k > 0 && v[k - 1] > r->mid2[i]; k--) v[k] = v[k - 1];
        v[k] = r->mid2[i];
    }
    return v[(r->mids - 1) / 2];
}

/* |2 px - mid2| > collar x mid2, in integers. */
static bool beyond(int64_t px, int64_t mid2, int64_t collar_e4) {
    int128 away = (int128)2 * px - mid2;
    if (away < 0) away = -away;
    return away * 100000000 > (int128)mid2 * collar_e4;
}

/* Price against the present mid and against the robust one; a market order is judged by the mid
 * itself, which it will trade near. */
static enum risk_reason check_price(const struct risk *r, const struct risk_config *cfg,
    const struct risk_view *v, const struct order_request *q) {
    if (v->mid2.ticks <= 0) return RISK_BOOK_STATE;
    if (cfg->collar_e4 <= 0) return RISK_OK;
    if (q->trigger != TRIGGER_NONE) { /* a market order's price is not known before it fires */
        bool far =
            q->type == ORDER_LIMIT && beyond(q->px.ticks, 2 * q->trigger_px.ticks, cfg->collar_e4);
        return far ? RISK_COLLAR : RISK_OK;
    }
    int64_t px = q->type == ORDER_LIMIT ? q->px.ticks : v->mid2.ticks / 2;
    int64_t robust = cfg->bars ? 0 : median_mid2(r); /* bars: nine closes are too old a price */
    if (q->type == ORDER_LIMIT && beyond(px, v->mid2.ticks, cfg->collar_e4)) return RISK_COLLAR;
    return robust > 0 && beyond(px, robust, cfg->collar_e4) ? RISK_COLLAR : RISK_OK;
}

static enum risk_reason check_value(
    const struct risk_config *cfg, const struct risk_view *v, const struct order_request *q) {
    price_t px = q->type == ORDER_LIMIT ? q->px : (price_t){v->mid2.ticks / 2};
    if (q->type == ORDER_MARKET && q->trigger_px.ticks > 0) px = q->trigger_px;
    money_t value;
    int128 quote;
    if (ledger_value(v->inst, px, q->qty, &value, NULL) != ERR_OK) return RISK_MONEY;
    if (cfg->notional_max_e12 > 0 && value.e12 > cfg->notional_max_e12) return RISK_NOTIONAL;
    if (v->inst->min_notional_e8 <= 0 || q->reduce_only) return RISK_OK;
    if (!instrument_value_e12(v->inst, px, q->qty, &quote)) return RISK_OK;
    return quote < (int128)v->inst->min_notional_e8 * 10000 ? RISK_BAD_ORDER : RISK_OK;
}

static enum risk_reason check_position(
    const struct risk_config *cfg, const struct risk_view *v, const struct order_request *q) {
    bool more = !v->amended;
    if (more && cfg->open_max && v->blotter->live_count >= cfg->open_max) return RISK_OPEN_ORDERS;
    if (more && v->blotter->live_count >= BLOTTER_LIVE_MAX) return RISK_OPEN_ORDERS;
    if (cfg->position_max <= 0 || reduces(v, q)) return RISK_OK;
    int64_t worst = risk_worst(v->ledger, v->blotter, q->side);
    worst = q->side == SIDE_BUY ? worst + added(v, q) : -(worst - added(v, q));
    return worst > cfg->position_max ? RISK_POSITION : RISK_OK;
}

static enum risk_reason judge(const struct risk *r, const struct risk_config *cfg,
    const struct risk_view *v, const struct order_request *q) {
    enum risk_reason why = check_shape(cfg, v->inst, q);
    if (why != RISK_OK) return why;
    if (!cfg->bars && !v->book_ok) return RISK_BOOK_STATE;
    if (cfg->stale_ns > 0 && v->now.ns - v->book_ts.ns > cfg->stale_ns) return RISK_STALE;
    if (v->amended && q->qty.lots <= v->amended->filled.lots) return RISK_BAD_ORDER;
    bool reducing = reduces(v, q) || guarded(v, q);
    if (r->halted && !reducing) return RISK_HALTED;
    if (r->loss_stop && !reducing) return RISK_DAILY_LOSS;
    if (q->reduce_only && !reducing) return RISK_POSITION;
    why = check_price(r, cfg, v, q);
    if (why == RISK_OK) why = check_value(cfg, v, q);
    if (why == RISK_OK) why = check_position(cfg, v, q);
    if (why == RISK_OK && !rate_allows(r, cfg, false)) why = RISK_RATE;
    return why;
}

enum risk_reason risk_check(struct risk *r, const struct risk_config *cfg,
    const struct risk_view *v, const struct order_request *q) {
    CHECK(q->kind >= REQUEST_NEW && q->kind <= REQUEST_QUERY);
    CHECK((q->kind == REQUEST_MODIFY) == (v->amended != NULL));
    rate_slide(r, v->now);
    enum risk_reason why;
    if (q->kind == REQUEST_CANCEL || q->kind == REQUEST_QUERY) {
        why = rate_allows(r, cfg, true) ? RISK_OK : RISK_RATE;
        r->cancels += why == RISK_OK;
    } else {
        why = judge(r, cfg, v, q);
        r->passed += why == RISK_OK;
    }
    if (why != RISK_OK) {
        r->refused[why]++;
        return why;
    }
    rate_count(r, v->now);
    return RISK_OK;
}
