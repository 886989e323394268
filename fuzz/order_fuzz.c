/* order_fuzz.c: any sequence of requests, timeouts and reports through blotter, risk and ledger.
 *
 * Each input byte pair is a step. Whatever the venue says, in whatever order and how often: no lot
 * counts twice, exposure equals the recomputed sum, money is conserved.
 */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "execute/risk/risk.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { IDS = 32, LOTS = 8, LIMIT = 24 };

static const struct instrument inst = {.px_mant = 1,
    .px_exp = 1,
    .qty_mant = 1,
    .qty_exp = 3,
    .tick_units = 1,
    .lot_units = 1,
    .contract_e8 = 100000000};

struct run {
    struct blotter blotter;
    struct risk risk;
    struct ledger ledger;
    struct risk_config cfg;
    uint8_t counted[IDS + 1][LOTS]; /* own list of lots already filled, by order */
    int64_t next;
    ts_t now;
};

static void step_new(struct run *r, uint8_t arg) {
    if (r->next > IDS) return;
    struct order_request q = {.id = r->next,
        .px = {600000 + (arg >> 5)},
        .qty = {1 + (arg & 7)},
        .ts_sent = r->now,
        .kind = REQUEST_NEW,
        .side = (arg >> 3) & 1};
    struct risk_view v = {.now = r->now,
        .inst = &inst,
        .ledger = &r->ledger,
        .blotter = &r->blotter,
        .book_ok = true,
        .book_ts = r->now,
        .mid2 = {1200000}};
    if (risk_check(&r->risk, &r->cfg, &v, &q) != RISK_OK) return;
    CHECK(blotter_add(&r->blotter, &q, v.mid2));
    r->next++;
}

static void step_amend(struct run *r, uint8_t arg) {
    const struct order *o = blotter_find(&r->blotter, 1 + (arg & (IDS - 1)));
    if (!o || o->status == ORDER_UNKNOWN || !order_live(o->status)) return;
    struct order_request q = {.id = o->id,
        .px = o->px,
        .qty = {1 + (arg >> 5)},
        .ts_sent = r->now,
        .kind = REQUEST_MODIFY,
        .side = o->side};
    struct risk_view v = {.now = r->now,
        .inst = &inst,
        .ledger = &r->ledger,
        .blotter = &r->blotter,
        .book_ok = true,
        .book_ts = r->now,
        .mid2 = {1200000},
        .amended = o};
    if (risk_check(&r->risk, &r->cfg, &v, &q) != RISK_OK) return;
    (void)blotter_amend_sent(&r->blotter, q.id, q.px, q.qty, r->now);
}

static void step_report(struct run *r, uint8_t what, uint8_t arg) {
    int64_t id = 1 + (arg & (IDS - 1)), cum = (what >> 4) & 7, last = (arg >> 5) & 7;
    struct report said = {.order_id = id,
        .status = (uint8_t)(1 + (what & 15) % (REPORT_STATUS_COUNT - 1)),
        .px = {600000},
        .qty = {1 + (what & 7)},
        .last_px = {600000 + arg},
        .last_qty = {last},
        .filled = {cum}};
    struct event ev[2];
    struct order after;
    report_encode(&said, ev);
    struct order_change c = blotter_report(&r->blotter, ev, &after);
    if (c.fill.lots == 0) return;
    CHECK(c.fill.lots == last);
    for (int64_t i = cum - last; i < cum; i++) {
        CHECK(r->counted[id][i] == 0);
        r->counted[id][i] = 1;
    }
    CHECK(ledger_fill(&r->ledger, &inst, after.side, said.last_px, c.fill, (arg & 1) != 0, NULL,
              NULL) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static struct run r;
    memset(&r, 0, sizeof r);
    blotter_init(&r.blotter, 1);
    risk_init(&r.risk);
    ledger_init(&r.ledger, &(struct ledger_fees){{RATE_ONE / 3000}, {RATE_ONE / 1700}},
        (money_t){MONEY_ONE});
    r.cfg = (struct risk_config){.position_max = LIMIT, .order_max = LOTS, .open_max = 16};
    r.next = 1;
    for (size_t i = 0; i + 2 <= n; i += 2) {
        uint8_t what = bytes[i], arg = bytes[i + 1];
        r.now.ns += NS_PER_MS * (1 + (what & 3));
        switch (what >> 6) {
        case 0: step_new(&r, arg); break;
        case 1: (void)blotter_cancel_sent(&r.blotter, 1 + (arg & (IDS - 1)), r.now); break;
        case 2: (void)blotter_expire(&r.blotter, r.now, NS_PER_MS * (1 + arg)); break;
        default: step_amend(&r, arg); break;
        }
        if (what & 128) step_report(&r, what, arg);
        for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
            CHECK(blotter_exposure(&r.blotter, side).lots ==
                  blotter_exposure_slow(&r.blotter, side).lots);
        }
        CHECK(ledger_check(&r.ledger));
    }
    return 0;
}
