/* sim_venue.c: what differs between venues, as one table, and what stands before the matching
 * engine: request limits and outages.
 *
 * Sources of the rows: the venues' own API pages of 2025-2026 (sections "new order", "modify",
 * "rate limits", "error codes"). Where a page is silent the row takes the reading that is worse for
 * us and says so; every column can be overridden by struct world_venue.
 */
#include "base/check.h"
#include "execute/sim/sim_internal.h"

enum {
    NEW = 1 << REQUEST_NEW,
    CANCEL = 1 << REQUEST_CANCEL,
    MODIFY = 1 << REQUEST_MODIFY,
    QUERY = 1 << REQUEST_QUERY
};

/* Binance USD-M
 *   amend       PUT /fapi/v1/order: "modified orders are reordered in the match queue": the place
 * is lost whatever changes; quantity = the new original quantity, at or below what is filled
 * cancels; same values -5027; a GTX order to a taking price is canceled reduce-only -2022 with
 * nothing to reduce; -4118 beyond position and open orders STP         EXPIRE_MAKER (default of the
 * current SDK; older pages say NONE) GTX         -5022: rejected GTD         at least 600 s ahead
 *   limits      ORDERS 300 / 10 s and 1200 / 60 s of the account (new, modify); REQUEST_WEIGHT
 *               2400 / 60 s (cancel 1, query 1); going on after 429 is 418, a ban of 2 minutes up
 *   open        MAX_NUM_ORDERS 200; conditional orders 200
 * The numbers are those of a recorded exchangeInfo of 2021. */
#define BINANCE_ROW(v)                                                                             \
    {                                                                                              \
        .venue = (v), .amend = AMEND_LOSE, .reduce = REDUCE_REJECT, .stp = STP_MAKER,              \
        .same_refused = true, .post_only_rejects = true, .post_only_amend_ends = true,             \
        .orders_max = 200, .waiting_max = 200, .gtd_least_ns = 600 * NS_PER_S,                     \
        .limit = {                                                                                 \
            {NEW | MODIFY, LIMIT_WINDOW, false, {0}, 300, 0, 10 * NS_PER_S, 0},                    \
            {NEW | MODIFY, LIMIT_WINDOW, false, {0}, 1200, 0, 60 * NS_PER_S, 0},                   \
            {CANCEL | QUERY, LIMIT_WINDOW, false, {0}, 2400, 10, 60 * NS_PER_S, 120 * NS_PER_S},   \
        },                                                                                         \
    }

static const struct sim_rules_row rows[] = {
    /* Unnamed: the plain price-time book of the textbooks, no request limits. */
    {.venue = VENUE_OTHER, .amend = AMEND_KEEP, .reduce = REDUCE_CUT, .stp = STP_MAKER},
    BINANCE_ROW(VENUE_BINANCE_USDM),
    BINANCE_ROW(VENUE_BINANCE_COINM), /* shares position mode and weight pool with USD-M */
    /* OKX
     *   amend       newSz includes the filled part; the place after it is not stated: lost. A
     *               post-only amend that would take is refused (51511)
     *   reduce-only more than can be reduced is cut, and canceled as the position shrinks
     *               (cancelSource 2, 22, 23); nothing to reduce 51169
     *   STP         cancel_maker
     *   post_only   accepted, then canceled (cancelSource 31)
     *   limits      60 / 2 s each for new, amend, cancel, query, by user and instrument
     *   waiting     500 trigger orders; 50 trailing. No limit of open orders is stated */
    {.venue = VENUE_OKX,
        .amend = AMEND_LOSE,
        .reduce = REDUCE_CUT,
        .stp = STP_MAKER,
        .waiting_max = 500,
        .limit = {{NEW, LIMIT_ROLLING, true, {0}, 60, 0, 2 * NS_PER_S, 0},
            {MODIFY, LIMIT_ROLLING, true, {0}, 60, 0, 2 * NS_PER_S, 0},
            {CANCEL, LIMIT_ROLLING, true, {0}, 60, 0, 2 * NS_PER_S, 0},
            {QUERY, LIMIT_ROLLING, true, {0}, 60, 0, 2 * NS_PER_S, 0}}},
    /* Bybit
     *   amend       qty = "order quantity after modification"; unchanged values are an error; the
     *               place after it is not stated: lost
     *   reduce-only the quantity is truncated; to zero 110017
     *   STP         smpType None unless asked for
     *   PostOnly    Cancelled with EC_PostOnlyWillTakeLiquidity, amends as well
     *   limits      10 / s each for create, amend, cancel (default class), 50 / s queries, rolling
     *   open        500; 10 conditional orders a symbol */
    {.venue = VENUE_BYBIT,
        .amend = AMEND_LOSE,
        .reduce = REDUCE_CUT,
        .stp = STP_NONE,
        .same_refused = true,
        .post_only_amend_ends = true,
        .orders_max = 500,
        .waiting_max = 10,
        .limit = {{NEW, LIMIT_ROLLING, false, {0}, 10, 0, NS_PER_S, 0},
            {MODIFY, LIMIT_ROLLING, false, {0}, 10, 0, NS_PER_S, 0},
            {CANCEL, LIMIT_ROLLING, false, {0}, 10, 0, NS_PER_S, 0},
            {QUERY, LIMIT_ROLLING, false, {0}, 50, 0, NS_PER_S, 0}}},
    /* Deribit
     *   amend       amount = new total; the place is kept only for less at the same price; a
     *               post-only edit that would take ends the order (edit_post_only_reject)
     *   reduce-only cut to the position
     *   STP         off: fills of one's own orders carry self_trade
     *   post_only   with reject_post_only: rejected (11054)
     *   limits      credits: matching 5 / s, burst 20 (lowest tier); others 20 / s, burst 100;
     * empty is 10028 and the session ends: a second to be back is our assumption */
    {.venue = VENUE_DERIBIT,
        .amend = AMEND_KEEP,
        .reduce = REDUCE_CUT,
        .stp = STP_NONE,
        .post_only_rejects = true,
        .post_only_amend_ends = true,
        .limit = {{NEW | MODIFY | CANCEL, LIMIT_CREDIT, false, {0}, 20, 1, NS_PER_S / 5, NS_PER_S},
            {QUERY, LIMIT_CREDIT, false, {0}, 100, 1, NS_PER_S / 20, NS_PER_S}}},
};

const struct sim_rules_row *sim_rules_of(uint8_t venue) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].venue == venue) return &rows[i];
    }
    return &rows[0];
}

/* ---- request limits ---- */

static bool window_full(struct meter_use *u, const struct sim_limit *l, int64_t ts) {
    int64_t now = ts / l->span_ns;
    if (now > u->window) { /* instruments of one account need not agree on the last instant */
        u->window = now;
        u->used = 0;
        u->strikes = 0;
    }
    if (u->used >= l->most) return true;
    u->used++;
    return false;
}

/* recent[] holds the times of the last `most` that were let through. */
static bool rolling_full(struct meter_use *u, const struct sim_limit *l, int64_t ts) {
    CHECK(l->most <= METER_RECENT_MAX);
    if (u->count == l->most && ts - u->recent[u->next] < l->span_ns) return true;
    u->recent[u->next] = ts;
    u->next = (u->next + 1) % l->most;
    if (u->count < l->most) u->count++;
    u->strikes = 0;
    return false;
}

/* window: when all credits would be there again. */
static bool credit_empty(struct meter_use *u, const struct sim_limit *l, int64_t ts) {
    int64_t full = u->window > ts ? u->window : ts;
    if (full + l->span_ns - ts > (int64_t)l->most * l->span_ns) return true;
    u->window = full + l->span_ns;
    u->strikes = 0;
    return false;
}

static bool over(struct meter_use *u, const struct sim_limit *l, int64_t ts) {
    switch ((enum sim_limit_shape)l->shape) {
    case LIMIT_WINDOW: return window_full(u, l, ts);
    case LIMIT_ROLLING: return rolling_full(u, l, ts);
    case LIMIT_CREDIT: return credit_empty(u, l, ts);
    }
    return false;
}

/* On the venue's clock: windows begin at its round times. */
static enum report_why count_request(
    struct sim_seat *account, const struct sim_limit *limit, uint8_t kind, int64_t ts) {
    struct meter *all = account->shared ? account->shared : &account->meter;
    if (ts < all->banned_until) return WHY_BANNED;
    for (int i = 0; i < METER_LIMITS_MAX && limit[i].most > 0; i++) {
        const struct sim_limit *l = &limit[i];
        struct meter_use *u = l->each ? &account->meter.use[i] : &all->use[i];
        if (!(l->kinds >> kind & 1u) || !over(u, l, ts)) continue;
        if (l->strikes > 0 && ++u->strikes >= l->strikes) {
            all->banned_until = ts + l->ban_ns;
            u->strikes = 0;
        }
        return WHY_RATE;
    }
    return WHY_NONE;
}

/* ---- outages: given spans, and drawn ones as a pure hash of (seed, place) ---- */

enum { DRAW_OUTAGE = 16 }; /* a stream of its own beside those of latency.c */

static uint8_t outage_at(const struct world_venue *v, int64_t ts) {
    for (size_t i = 0; i < v->outages; i++) {
        if (ts >= v->outage[i].from_ns && ts < v->outage[i].to_ns) return v->outage[i].kind;
    }
    if (v->outage_every_ns <= 0 || ts < 0) return OUTAGE_NONE;
    uint64_t slot = (uint64_t)(ts / v->outage_every_ns);
    double room = (double)(v->outage_every_ns - v->outage_ns);
    int64_t at = (int64_t)(latency_unit(v->seed, DRAW_OUTAGE, slot) * room);
    int64_t in = ts % v->outage_every_ns;
    return in >= at && in < at + v->outage_ns ? v->outage_kind : OUTAGE_NONE;
}

enum report_why sim_gate(
    struct sim_seat *s, const struct order_request *q, int64_t ts, bool *lost) {
    struct world *w = s->world;
    const struct world_venue *v = &w->cfg->venue;
    int64_t venue_ts = sim_venue_ns(w, ts);
    uint8_t outage = outage_at(v, venue_ts);
    *lost = outage == OUTAGE_LOST;
    if (*lost) {
        w->counters.lost++;
        return WHY_NONE;
    }
    s->mute = outage == OUTAGE_MUTE;
    if (outage == OUTAGE_REJECT) {
        w->counters.outage_rejects++;
        return WHY_OUTAGE;
    }
    if (v->no_limits || q->kind < REQUEST_NEW || q->kind > REQUEST_QUERY) return WHY_NONE;
    enum report_why why = count_request(sim_account(s), w->venue_rules->limit, q->kind, venue_ts);
    w->counters.limited += why != WHY_NONE;
    return why;
}
