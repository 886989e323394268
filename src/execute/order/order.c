#include "execute/order/order.h"

#include <string.h>

#include "base/check.h"

#define NO ORDER_STATUS_COUNT
/* Rows: from. Columns: enum order_step. LIVE = WORKING, or PARTIAL once something is filled. */
#define LIVE ORDER_PARTIAL
static const uint8_t table[ORDER_STATUS_COUNT][STEP_COUNT] = {
    /* submit, cancel, ack, part, full, canceled, expired, rejected, cancel-rej, timeout, no-find,
     * amend, amended */
    [ORDER_NONE] = {ORDER_NEW_SENT, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
    [ORDER_NEW_SENT] = {NO, NO, LIVE, LIVE, ORDER_FILLED, ORDER_CANCELED, ORDER_EXPIRED,
        ORDER_REJECTED, NO, ORDER_UNKNOWN, NO, NO, LIVE},
    [ORDER_WORKING] = {NO, ORDER_CANCEL_SENT, LIVE, LIVE, ORDER_FILLED, ORDER_CANCELED,
        ORDER_EXPIRED, NO, LIVE, NO, NO, ORDER_AMEND_SENT, LIVE},
    [ORDER_PARTIAL] = {NO, ORDER_CANCEL_SENT, LIVE, LIVE, ORDER_FILLED, ORDER_CANCELED,
        ORDER_EXPIRED, NO, LIVE, NO, NO, ORDER_AMEND_SENT, LIVE},
    [ORDER_CANCEL_SENT] = {NO, NO, ORDER_CANCEL_SENT, ORDER_CANCEL_SENT, ORDER_FILLED,
        ORDER_CANCELED, ORDER_EXPIRED, NO, LIVE, ORDER_UNKNOWN, NO, NO, ORDER_CANCEL_SENT},
    [ORDER_AMEND_SENT] = {NO, ORDER_CANCEL_SENT, ORDER_AMEND_SENT, ORDER_AMEND_SENT, ORDER_FILLED,
        ORDER_CANCELED, ORDER_EXPIRED, NO, ORDER_AMEND_SENT, ORDER_UNKNOWN, NO, NO, LIVE},
    /* A cancel of an UNKNOWN order is safe and changes nothing that we know. A cancel reject only
     * says that the venue did not find it: that is a reason to ask, not an answer (X6). */
    [ORDER_UNKNOWN] = {NO, ORDER_UNKNOWN, LIVE, LIVE, ORDER_FILLED, ORDER_CANCELED, ORDER_EXPIRED,
        ORDER_REJECTED, ORDER_UNKNOWN, ORDER_UNKNOWN, ORDER_REJECTED, NO, LIVE},
    /* Ended: late and repeated reports (and a query that finds nothing any more) are allowed and
     * change no more than the fill count. */
    [ORDER_FILLED] = {NO, NO, ORDER_FILLED, ORDER_FILLED, ORDER_FILLED, NO, NO, NO, ORDER_FILLED,
        NO, ORDER_FILLED, NO, ORDER_FILLED},
    [ORDER_CANCELED] = {NO, NO, ORDER_CANCELED, ORDER_CANCELED, ORDER_FILLED, ORDER_CANCELED, NO,
        NO, ORDER_CANCELED, NO, ORDER_CANCELED, NO, ORDER_CANCELED},
    [ORDER_EXPIRED] = {NO, NO, ORDER_EXPIRED, ORDER_EXPIRED, ORDER_FILLED, NO, ORDER_EXPIRED, NO,
        ORDER_EXPIRED, NO, ORDER_EXPIRED, NO, ORDER_EXPIRED},
    [ORDER_REJECTED] = {NO, NO, NO, NO, NO, NO, NO, ORDER_REJECTED, ORDER_REJECTED, NO,
        ORDER_REJECTED, NO, NO},
};

static const char *const status_names[ORDER_STATUS_COUNT] = {"none", "new_sent", "working",
    "partial", "cancel_sent", "amend_sent", "unknown", "filled", "canceled", "expired", "rejected"};
static const char *const why_names[WHY_COUNT] = {"", "post_only", "no_liquidity", "unknown_order",
    "duplicate_id", "book_gap", "tick", "lot", "min_qty", "min_notional", "limit", "wire", "bars",
    "outside", "malformed", "reduce_only", "self_trade", "price_band", "max_qty", "max_orders",
    "rate", "banned", "outage", "gtd", "oco", "trigger", "would_trigger", "no_reference",
    "no_change", "amend", "unsupported", "margin", "liquidation", "takeover"};
static const char *const tif_names[] = {"GTC", "GTX", "IOC", "FOK", "GTD"};
static const char *const type_names[TRIGGER_TRAIL + 1][2] = {{"limit", "market"},
    {"stop_limit", "stop_market"}, {"take_limit", "take_market"}, {"trail_limit", "trail_market"}};

enum order_status order_next(enum order_status from, enum order_step step) {
    CHECK(from < ORDER_STATUS_COUNT);
    CHECK(step < STEP_COUNT);
    return (enum order_status)table[from][step];
}

const char *order_status_name(uint8_t status) {
    return status < ORDER_STATUS_COUNT ? status_names[status] : "invalid";
}

const char *report_why_name(int64_t why) {
    return why >= 0 && why < WHY_COUNT ? why_names[why] : "invalid";
}

const char *order_tif_name(uint8_t tif) { return tif <= TIF_GTD ? tif_names[tif] : "invalid"; }

const char *order_type_name(uint8_t type, uint8_t trigger) {
    if (type > ORDER_MARKET || trigger > TRIGGER_TRAIL) return "invalid";
    return type_names[trigger][type];
}

bool order_request_plain(const struct order_request *q) {
    return q->trigger_px.ticks == 0 && q->expire_ns == 0 && q->oco == 0 && q->callback_e4 == 0 &&
           q->trigger == TRIGGER_NONE && q->trigger_by == 0 && q->stp == STP_VENUE;
}

bool order_request_formed(const struct order_request *q) {
    if (q->id <= 0 || q->side > SIDE_SELL || q->type > ORDER_MARKET) return false;
    if (q->tif > TIF_GTD || q->stp > STP_BOTH) return false;
    return q->trigger <= TRIGGER_TRAIL && q->trigger_by <= TRIGGER_BY_LAST;
}

void order_init(struct order *o, const struct order_request *req, price_t mid2) {
    CHECK(req->kind == REQUEST_NEW);
    CHECK(req->qty.lots > 0);
    memset(o, 0, sizeof *o);
    o->id = req->id;
    o->px = req->px;
    o->qty = req->qty;
    o->mid2 = mid2;
    o->inst = req->inst;
    o->side = req->side;
    o->type = req->type;
    o->tif = req->tif;
    o->trigger = req->trigger;
    o->trigger_by = req->trigger_by;
    o->trigger_px = req->trigger_px;
    o->callback_e4 = req->callback_e4;
    o->expire_ns = req->expire_ns;
    o->oco = req->oco;
    o->reduce_only = req->reduce_only;
    o->queue_at_placement.lots = -1;
    o->status = ORDER_NONE;
}

qty_t order_leaves(const struct order *o) {
    int64_t qty = o->amend_qty.lots > o->qty.lots ? o->amend_qty.lots : o->qty.lots;
    return (qty_t){qty - o->filled.lots};
}

/* The table's PARTIAL means "live": which of the two is a matter of fills. */
static uint8_t settle(const struct order *o, enum order_status to) {
    if (to != LIVE) return (uint8_t)to;
    return o->filled.lots > 0 ? ORDER_PARTIAL : ORDER_WORKING;
}

static struct order_change advance(struct order *o, enum order_step step) {
    struct order_change c = {0};
    enum order_status to = order_next((enum order_status)o->status, step);
    if (to == NO) return c;
    bool was = order_live(o->status);
    c.legal = true;
    o->status = settle(o, to);
    c.ended = was && !order_live(o->status);
    c.needs_query = o->status == ORDER_UNKNOWN;
    return c;
}

struct order_change order_step(struct order *o, enum order_step step, ts_t now) {
    CHECK(step == STEP_SUBMIT || step == STEP_CANCEL || step == STEP_TIMEOUT ||
          step == STEP_NOT_FOUND);
    struct order_change c = advance(o, step);
    if (!c.legal) return c;
    if (step == STEP_SUBMIT) o->ts_sent = now;
    if (step == STEP_CANCEL) o->ts_cancel = now;
    return c;
}

struct order_change order_amend(struct order *o, price_t px, qty_t qty, ts_t now) {
    CHECK(qty.lots > 0);
    struct order_change c = advance(o, STEP_AMEND);
    if (!c.legal) return c;
    o->amend_px = px;
    o->amend_qty = qty;
    o->ts_amend = now;
    return c;
}

static bool covered(const struct order *o, int64_t from, int64_t to) {
    if (to <= o->head.lots) return true;
    for (unsigned i = 0; i < o->ahead_count; i++) {
        if (o->ahead[i].from <= from && to <= o->ahead[i].to) return true;
    }
    return false;
}

static bool overlaps(const struct order *o, int64_t from, int64_t to) {
    if (from < o->head.lots) return true;
    for (unsigned i = 0; i < o->ahead_count; i++) {
        if (from < o->ahead[i].to && o->ahead[i].from < to) return true;
    }
    return false;
}

/* Moves intervals that touch the head into it. */
static void absorb(struct order *o) {
    for (unsigned i = 0; i < o->ahead_count;) {
        if (o->ahead[i].from != o->head.lots) {
            i++;
            continue;
        }
        o->head.lots = o->ahead[i].to;
        o->ahead[i] = o->ahead[--o->ahead_count];
        i = 0;
    }
}

/* Counts the fill [from, to) of the order's quantity once. False: it contradicts what we know. */
static bool take(struct order *o, int64_t from, int64_t to) {
    /* An amend's answer may come after the first fill of the larger order. */
    int64_t most = o->filled.lots + order_leaves(o).lots;
    if (from < 0 || to <= from || to > most || overlaps(o, from, to)) return false;
    if (from == o->head.lots) {
        o->head.lots = to;
        absorb(o);
    } else {
        if (o->ahead_count == ORDER_AHEAD_MAX) return false;
        o->ahead[o->ahead_count].from = from;
        o->ahead[o->ahead_count].to = to;
        o->ahead_count++;
    }
    o->filled.lots += to - from;
    CHECK(o->filled.lots <= most);
    return true;
}

static struct order_change report_fill(struct order *o, const int64_t *w) {
    int64_t to = w[REPORT_FILLED_QTY], from = to - w[REPORT_LAST_QTY];
    struct order_change c = {0};
    if (to > from && from >= 0 && covered(o, from, to)) {
        c.legal = c.duplicate = true;
        return c;
    }
    struct order before = *o;
    if (!take(o, from, to)) return c;
    c = advance(o, o->filled.lots >= o->qty.lots ? STEP_FULL : STEP_PART);
    if (!c.legal) {
        *o = before;
        return c;
    }
    c.fill.lots = to - from;
    return c;
}

/* What the venue says the order is now. An amend's own answer ends the wait for it; a cut by the
 * venue (WHY_REDUCE_ONLY) does not. A quantity below what is filled contradicts what we know. */
static struct order_change report_modified(struct order *o, const struct event *ev, bool answer) {
    struct order_change c = advance(o, answer ? STEP_AMENDED : STEP_ACK);
    if (!c.legal) return c;
    if (answer) o->amend_qty.lots = 0;
    if (ev->qty.lots <= o->filled.lots) return c;
    o->px = ev->px;
    o->qty = ev->qty;
    return c;
}

static struct order_change report_ack(struct order *o, const struct event *ev) {
    if (o->ts_ack.ns == TS_NONE_NS) o->ts_ack = ev->ts_local;
    /* The answer to a query about an amend that nobody confirmed. */
    if (o->status == ORDER_UNKNOWN && o->amend_qty.lots > 0) return report_modified(o, ev, true);
    return advance(o, STEP_ACK);
}

static struct order_change report_refused_amend(struct order *o) {
    struct order_change c = advance(o, STEP_AMENDED);
    if (c.legal) o->amend_qty.lots = 0;
    return c;
}

struct order_change order_report(struct order *o, const struct event *ev) {
    CHECK(ev->kind == EV_ORDER_REPORT);
    const int64_t *w = event_words(ev);
    CHECK(w[REPORT_ORDER_ID] == o->id);
    if (o->queue_at_placement.lots < 0) o->queue_at_placement.lots = ev->aux.a;
    int64_t why = w[REPORT_REASON];
    if (why > WHY_NONE && why < WHY_COUNT) o->why = (uint8_t)why;
    switch ((enum report_status)w[REPORT_STATUS]) {
    case REPORT_ACK: return report_ack(o, ev);
    case REPORT_FILL: return report_fill(o, w);
    case REPORT_CANCELED: return advance(o, STEP_CANCELED);
    case REPORT_EXPIRED: return advance(o, STEP_EXPIRED);
    case REPORT_REJECTED: return advance(o, STEP_REJECTED);
    case REPORT_CANCEL_REJECTED: {
        bool lost = o->status == ORDER_CANCEL_SENT && w[REPORT_REASON] == WHY_UNKNOWN_ORDER;
        return advance(o, lost ? STEP_TIMEOUT : STEP_CANCEL_REJECTED);
    }
    case REPORT_MODIFIED: return report_modified(o, ev, w[REPORT_REASON] != WHY_REDUCE_ONLY);
    case REPORT_MODIFY_REJECTED: return report_refused_amend(o);
    case REPORT_TRIGGERED: o->fired = 1; return advance(o, STEP_ACK);
    case REPORT_NOT_FOUND: return advance(o, STEP_NOT_FOUND);
    case REPORT_NONE:
    case REPORT_LIQUIDATION:
    case REPORT_FUNDING:
    case REPORT_INSURED:
    case REPORT_STATUS_COUNT: break;
    }
    return (struct order_change){0};
}

void report_encode(const struct report *r, struct event out[2]) {
    CHECK(r->status > REPORT_NONE && r->status < REPORT_STATUS_COUNT);
    memset(out, 0, 2 * sizeof out[0]);
    out[0].ts_venue = r->ts_venue;
    out[0].ts_local = r->ts_local;
    out[0].px = r->px;
    out[0].qty = r->qty;
    out[0].id = r->order_id;
    out[0].inst = r->inst;
    out[0].kind = EV_ORDER_REPORT;
    out[0].flags =
        (uint8_t)((r->side == SIDE_BUY ? EVF_BUY : EVF_SELL) | (int)EVF_FIRST | (int)EVF_LAST);
    out[0].aux.a = r->queue_placed;
    out[0].aux.b = r->queue_before;
    int64_t *w = ((struct event_cont *)(void *)(out + 1))->w;
    w[REPORT_ORDER_ID] = r->order_id;
    w[REPORT_STATUS] = r->status;
    w[REPORT_LAST_PX] = r->last_px.ticks;
    w[REPORT_LAST_QTY] = r->last_qty.lots;
    w[REPORT_FILLED_QTY] = r->filled.lots;
    w[REPORT_FEE_E12] = r->fee_e12;
    w[REPORT_REASON] = r->why;
    w[REPORT_MAKER] = r->maker;
    if (r->rated) {
        CHECK(r->fee_rate.e16 > -REPORT_RATE_MAX && r->fee_rate.e16 < REPORT_RATE_MAX);
        w[REPORT_MAKER] += r->fee_rate.e16 * 4 + 2;
    }
}

void report_decode(const struct event *ev, struct report *out) {
    CHECK(ev->kind == EV_ORDER_REPORT);
    const int64_t *w = event_words(ev);
    *out = (struct report){.order_id = w[REPORT_ORDER_ID],
        .ts_venue = ev->ts_venue,
        .ts_local = ev->ts_local,
        .px = ev->px,
        .last_px = {w[REPORT_LAST_PX]},
        .qty = ev->qty,
        .last_qty = {w[REPORT_LAST_QTY]},
        .filled = {w[REPORT_FILLED_QTY]},
        .fee_e12 = w[REPORT_FEE_E12],
        .queue_placed = ev->aux.a,
        .queue_before = ev->aux.b,
        .inst = ev->inst,
        .side = (ev->flags & EVF_SELL) ? SIDE_SELL : SIDE_BUY,
        .status = (uint8_t)w[REPORT_STATUS],
        .why = (uint8_t)w[REPORT_REASON],
        .maker = (uint8_t)(w[REPORT_MAKER] & 1),
        .rated = (w[REPORT_MAKER] & 2) != 0,
        .fee_rate = {(w[REPORT_MAKER] & 2) ? w[REPORT_MAKER] >> 2 : 0}};
}
