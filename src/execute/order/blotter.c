#include "execute/order/blotter.h"

#include <string.h>

#include "base/check.h"

void blotter_init(struct blotter *b, int64_t first_id) {
    CHECK(first_id > 0);
    memset(b, 0, sizeof *b);
    b->last_id = first_id - 1;
}

static size_t live_index(const struct blotter *b, int64_t id) {
    size_t lo = 0, hi = b->live_count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (b->live[mid].id < id) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < b->live_count && b->live[lo].id == id ? lo : BLOTTER_LIVE_MAX;
}

struct order *blotter_find(struct blotter *b, int64_t id) {
    size_t i = live_index(b, id);
    if (i != BLOTTER_LIVE_MAX) return &b->live[i];
    for (i = 0; i < BLOTTER_DONE_MAX; i++) {
        if (b->done[i].id == id && b->done[i].status != ORDER_NONE) return &b->done[i];
    }
    return NULL;
}

struct order *blotter_add(struct blotter *b, const struct order_request *req, price_t mid2) {
    CHECK(req->id > b->last_id);
    if (b->live_count == BLOTTER_LIVE_MAX) return NULL;
    struct order *o = &b->live[b->live_count++];
    order_init(o, req, mid2);
    struct order_change c = order_step(o, STEP_SUBMIT, req->ts_sent);
    CHECK(c.legal);
    b->last_id = req->id;
    b->live_leaves[o->side] += o->qty.lots;
    b->counters.sent++;
    return o;
}

static void remove_live(struct blotter *b, size_t i) {
    CHECK(i < b->live_count);
    memmove(&b->live[i], &b->live[i + 1], (b->live_count - i - 1) * sizeof b->live[0]);
    b->live_count--;
}

void blotter_unsend(struct blotter *b, int64_t id) {
    size_t i = live_index(b, id);
    CHECK(i != BLOTTER_LIVE_MAX);
    CHECK(b->live[i].status == ORDER_NEW_SENT);
    b->live_leaves[b->live[i].side] -= order_leaves(&b->live[i]).lots;
    remove_live(b, i);
    b->counters.sent--;
    b->counters.not_sent++;
}

bool blotter_cancel_sent(struct blotter *b, int64_t id, ts_t now) {
    size_t i = live_index(b, id);
    if (i == BLOTTER_LIVE_MAX) return false;
    struct order_change c = order_step(&b->live[i], STEP_CANCEL, now);
    if (c.legal) b->counters.cancels_sent++;
    return c.legal;
}

bool blotter_amend_sent(struct blotter *b, int64_t id, price_t px, qty_t qty, ts_t now) {
    size_t i = live_index(b, id);
    if (i == BLOTTER_LIVE_MAX) return false;
    struct order *o = &b->live[i];
    int64_t before = order_leaves(o).lots;
    struct order_change c = order_amend(o, px, qty, now);
    if (!c.legal) return false;
    b->live_leaves[o->side] += order_leaves(o).lots - before;
    b->counters.amends_sent++;
    return true;
}

static void count_report(struct blotter *b, int64_t status, struct order_change c) {
    b->counters.illegal += !c.legal;
    b->counters.duplicates += c.duplicate;
    b->counters.fills += c.fill.lots > 0;
    if (!c.legal) return;
    switch ((enum report_status)status) {
    case REPORT_ACK: b->counters.acks++; break;
    case REPORT_CANCELED: b->counters.canceled += c.ended; break;
    case REPORT_EXPIRED: b->counters.expired += c.ended; break;
    case REPORT_REJECTED: b->counters.rejected += c.ended; break;
    case REPORT_CANCEL_REJECTED: b->counters.cancel_rejected++; break;
    case REPORT_MODIFIED: b->counters.modified++; break;
    case REPORT_MODIFY_REJECTED: b->counters.modify_rejected++; break;
    case REPORT_TRIGGERED: b->counters.triggered++; break;
    case REPORT_NOT_FOUND:
    case REPORT_NONE:
    case REPORT_FILL:
    case REPORT_LIQUIDATION:
    case REPORT_FUNDING:
    case REPORT_INSURED:
    case REPORT_STATUS_COUNT: break;
    }
}

struct order_change blotter_report(struct blotter *b, const struct event *ev, struct order *out) {
    int64_t id = event_words(ev)[REPORT_ORDER_ID];
    struct order *o = blotter_find(b, id);
    if (!o) {
        b->counters.external++;
        return (struct order_change){0};
    }
    bool live = order_live(o->status);
    int64_t before = live ? order_leaves(o).lots : 0;
    bool unknown = o->status == ORDER_UNKNOWN;
    struct order_change c = order_report(o, ev);
    count_report(b, event_words(ev)[REPORT_STATUS], c);
    b->counters.unknown += !unknown && o->status == ORDER_UNKNOWN;
    int64_t after = order_live(o->status) ? order_leaves(o).lots : 0;
    b->live_leaves[o->side] += after - before;
    CHECK(b->live_leaves[o->side] >= 0);
    if (out) *out = *o;
    if (live && c.ended) {
        b->done[b->done_next] = *o;
        b->done_next = (b->done_next + 1) % BLOTTER_DONE_MAX;
        remove_live(b, live_index(b, id));
    }
    return c;
}

/* When the request without an answer went out; false if none did. */
static bool waits_since(const struct order *o, ts_t *since) {
    *since = o->status == ORDER_NEW_SENT     ? o->ts_sent
             : o->status == ORDER_AMEND_SENT ? o->ts_amend
                                             : o->ts_cancel;
    return o->status == ORDER_NEW_SENT || o->status == ORDER_AMEND_SENT ||
           o->status == ORDER_CANCEL_SENT;
}

unsigned blotter_expire(struct blotter *b, ts_t now, int64_t timeout_ns) {
    CHECK(timeout_ns > 0);
    unsigned n = 0;
    for (size_t i = 0; i < b->live_count; i++) {
        struct order *o = &b->live[i];
        ts_t since;
        if (!waits_since(o, &since) || now.ns - since.ns < timeout_ns) continue;
        struct order_change c = order_step(o, STEP_TIMEOUT, now);
        CHECK(c.legal);
        b->counters.unknown++;
        n++;
    }
    return n;
}

qty_t blotter_exposure_slow(const struct blotter *b, int side) {
    CHECK(side == SIDE_BUY || side == SIDE_SELL);
    int64_t sum = 0;
    for (size_t i = 0; i < b->live_count; i++) {
        if (b->live[i].side == side) sum += order_leaves(&b->live[i]).lots;
    }
    return (qty_t){sum};
}
