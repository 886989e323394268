/* The strict rule set against a slow model written separately: a queue of single lots a price.
 *
 * The model keeps every own lot and every market lot before it as a token in a list; it knows
 * nothing of positions, formulas or overlays by level lists. Both get the same random books,
 * prints, marks, orders of every type and latencies; every report must be equal, in order, to the
 * nanosecond. FATHOM_SEQUENCES and FATHOM_SEED in the environment change how many and which.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "execute/sim/sim_testing.h"

enum {
    PRICES = 24,
    TOKENS_MAX = 512,
    ORDERS = 24,
    REQUESTS = 40,
    REPORTS_MAX = 512,
    HISTORY_MAX = 128
};
enum { SEQUENCES = 10000 };

static uint64_t seed = 1234567;
static uint64_t rnd(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

/* ---- the slow model ---- */

/* What the venues' pages say, written down a second time. */
struct naive_rules {
    uint8_t venue;
    bool keeps;         /* less at the same price keeps the place */
    bool cuts;          /* reduce-only beyond the position */
    bool same_refused;  /* an amend to the same values */
    bool gtx_rejected;  /* at the door, not after an acknowledgement */
    bool gtx_amend_end; /* an amend that would take ends the order */
    int stp, waiting_max;
    int64_t gtd_least;
};
static const struct naive_rules naive_rules[] = {
    {VENUE_OTHER, true, true, false, false, false, STP_MAKER, 64, 0},
    {VENUE_BINANCE_USDM, false, false, true, true, true, STP_MAKER, 64, 600 * NS_PER_S},
    {VENUE_OKX, false, true, false, false, false, STP_MAKER, 64, 0},
    {VENUE_BYBIT, false, true, true, false, true, STP_NONE, 10, 0},
    {VENUE_DERIBIT, true, true, false, true, true, STP_NONE, 64, 0},
};

struct naive_order {
    struct order_request q;
    int side, px, qty, filled, stp, tif;
    bool market, reduce, waits;
    int partner;    /* 0 = none */
    int64_t expire; /* 0 = never */
    int seen;       /* waits: prices of its reference before it was placed */
};

struct naive {
    const struct naive_rules *rules;
    int shown[2][PRICES], taken[2][PRICES]; /* displayed, and taken by us since it was named */
    short token[2][PRICES][TOKENS_MAX];     /* 0 = a market lot, else own order id; front first */
    int tokens[2][PRICES];
    struct naive_order order[ORDERS + 1];
    int queue[ORDERS + 1], waiting; /* ids that wait, in the order of their arrival */
    int64_t price[2][HISTORY_MAX];  /* every mark (1e-10) and last price there was */
    int prices[2];
    int position;
    struct report out[REPORTS_MAX];
    size_t n;
    int64_t response, last_arrival;
};

static void naive_say(struct naive *m, int id, uint8_t status, uint8_t why, int last_px, int last,
    bool maker, int64_t ts) {
    assert_true(m->n < REPORTS_MAX);
    int64_t arrival = ts + m->response;
    if (arrival < m->last_arrival) arrival = m->last_arrival;
    m->last_arrival = arrival;
    m->out[m->n++] = (struct report){.order_id = id,
        .status = status,
        .why = why,
        .px = {m->order[id].px},
        .qty = {m->order[id].qty},
        .last_px = {last_px},
        .last_qty = {last},
        .filled = {m->order[id].filled},
        .ts_venue = {ts},
        .ts_local = {arrival},
        .maker = maker};
}

/* An answer about an order that the venue does not have: it repeats the request. */
static void naive_unknown(
    struct naive *m, const struct order_request *q, uint8_t status, int64_t ts) {
    naive_say(m, (int)q->id, status, WHY_UNKNOWN_ORDER, 0, 0, false, ts);
    struct report *r = &m->out[m->n - 1];
    r->filled.lots = 0;
    r->px = q->px;
    r->qty = q->qty;
}

static void token_remove(struct naive *m, int side, int px, int i) {
    for (int k = i; k + 1 < m->tokens[side][px]; k++) {
        m->token[side][px][k] = m->token[side][px][k + 1];
    }
    m->tokens[side][px]--;
}

static int market_tokens(const struct naive *m, int side, int px) {
    int n = 0;
    for (int i = 0; i < m->tokens[side][px]; i++) n += m->token[side][px][i] == 0;
    return n;
}

/* The level shows `lots` market lots: new ones join behind, those that leave were behind (the
 * pessimistic reading). */
static void naive_match_shown(struct naive *m, int side, int px, int lots) {
    int have = market_tokens(m, side, px);
    for (; have < lots; have++) m->token[side][px][m->tokens[side][px]++] = 0;
    for (int i = m->tokens[side][px] - 1; have > lots; i--) {
        if (m->token[side][px][i] != 0) continue;
        token_remove(m, side, px, i);
        have--;
    }
}

/* Lots of the position that an order of this side could reduce. */
static int naive_position_room(const struct naive *m, int side) {
    int room = side == SIDE_SELL ? m->position : -m->position;
    return room > 0 ? room : 0;
}

static bool can_fill(const struct naive *m, int id) {
    const struct naive_order *o = &m->order[id];
    return !o->reduce || naive_position_room(m, o->side) > 0;
}

/* The first own lot there that may fill; -1. */
static int first_own(const struct naive *m, int side, int px) {
    for (int i = 0; i < m->tokens[side][px]; i++) {
        int id = m->token[side][px][i];
        if (id != 0 && can_fill(m, id)) return i;
    }
    return -1;
}

static int naive_leaves(const struct naive *m, int id) {
    const struct naive_order *o = &m->order[id];
    int n = 0;
    if (o->market || o->px < 1) return 0;
    for (int i = 0; i < m->tokens[o->side][o->px]; i++) n += m->token[o->side][o->px][i] == id;
    return n;
}

/* Takes `lots` of its lots out of the queue, the last ones or the first. */
static void naive_drop(struct naive *m, int id, int lots, bool last) {
    const struct naive_order *o = &m->order[id];
    for (; lots > 0; lots--) {
        int at = -1;
        for (int i = 0; i < m->tokens[o->side][o->px]; i++) {
            if (m->token[o->side][o->px][i] == id && (last || at < 0)) at = i;
        }
        assert_true(at >= 0);
        token_remove(m, o->side, o->px, at);
    }
}

static void naive_unwait(struct naive *m, int id) {
    int n = 0;
    for (int i = 0; i < m->waiting; i++) {
        if (m->queue[i] != id) m->queue[n++] = m->queue[i];
    }
    m->waiting = n;
    m->order[id].waits = false;
}

/* The order is nowhere any more. */
static void naive_forget(struct naive *m, int id) {
    struct naive_order *o = &m->order[id];
    if (o->waits) naive_unwait(m, id);
    naive_drop(m, id, naive_leaves(m, id), true);
    if (o->partner && m->order[o->partner].partner == id) m->order[o->partner].partner = 0;
    o->partner = 0;
    o->expire = 0;
}

static bool naive_stands(const struct naive *m, int id) {
    return m->order[id].waits || naive_leaves(m, id) > 0;
}

static void naive_pair_end(struct naive *m, int id, int64_t ts) {
    int other = m->order[id].partner;
    if (!other) return;
    m->order[id].partner = m->order[other].partner = 0;
    if (!naive_stands(m, other)) return;
    naive_say(m, other, REPORT_CANCELED, WHY_OCO, 0, 0, false, ts);
    naive_forget(m, other);
}

/* The lots have left the queue already. */
static void naive_fill(struct naive *m, int id, int px, int lots, bool maker, int64_t ts) {
    struct naive_order *o = &m->order[id];
    o->filled += lots;
    m->position += o->side == SIDE_BUY ? lots : -lots;
    assert_true(o->filled <= o->qty);
    naive_say(m, id, REPORT_FILL, 0, px, lots, maker, ts);
    naive_pair_end(m, id, ts);
}

/* Own lots at px as they stand in the queue, up to `lots`, order by order: an order's lots stand
 * together. With `through` nobody of the market is left before them. */
static int naive_hit(struct naive *m, int side, int px, int lots, bool through, int64_t ts) {
    int i = 0;
    while (lots > 0 && i < m->tokens[side][px]) {
        int id = m->token[side][px][i];
        if (id == 0) {
            if (through) {
                i++;
            } else {
                token_remove(m, side, px, i);
                lots--;
            }
            continue;
        }
        int run = naive_leaves(m, id), room = naive_position_room(m, side);
        if (run > lots) run = lots;
        if (m->order[id].reduce && run > room) run = room;
        int left = naive_leaves(m, id) - run;
        naive_drop(m, id, run, false);
        lots -= run;
        if (run > 0) naive_fill(m, id, px, run, true, ts);
        i += left; /* what is left of it stays where it stands */
    }
    return lots;
}

static int better(int side, int a, int b) { return side == SIDE_BUY ? a > b : a < b; }

/* The k-th best price of a side. */
static int nth_price(int side, int k) { return side == SIDE_BUY ? PRICES - 1 - k : 1 + k; }

/* The best price of a side with an own lot that may fill; -1 without any. */
static int best_own(const struct naive *m, int side) {
    for (int k = 0; k < PRICES - 1; k++) {
        if (first_own(m, side, nth_price(side, k)) >= 0) return nth_price(side, k);
    }
    return -1;
}

static void naive_print(struct naive *m, int side, int px, int lots, int64_t ts) {
    for (int k = 0; k < PRICES - 1; k++) {
        int own = nth_price(side, k), last = 0;
        if (!better(side, own, px)) break;
        /* Traded through: whoever stood before our last lot there is gone. */
        for (int i = 0; i < m->tokens[side][own]; i++) last = m->token[side][own][i] ? i : last;
        for (int i = last; i >= 0 && m->tokens[side][own] > 0; i--) {
            if (m->token[side][own][i] == 0) token_remove(m, side, own, i);
        }
        lots = naive_hit(m, side, own, lots, true, ts);
    }
    if (lots > 0) (void)naive_hit(m, side, px, lots, false, ts);
}

static int offer_px(const struct naive *m, int side) { /* best shown level with something left */
    for (int k = 0; k < PRICES - 1; k++) {
        int px = nth_price(side, k);
        if (m->shown[side][px] > m->taken[side][px]) return px;
    }
    return -1;
}

static void naive_cross(struct naive *m, int64_t ts) {
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        for (;;) {
            int own = best_own(m, side), there = offer_px(m, side ^ 1);
            if (own < 0 || there < 0 || better(side, there, own)) break;
            int left = m->shown[side ^ 1][there] - m->taken[side ^ 1][there];
            int id = m->token[side][own][first_own(m, side, own)];
            int lots = naive_leaves(m, id), room = naive_position_room(m, side);
            for (int i = first_own(m, side, own) - 1; i >= 0; i--) { /* the front is ours */
                if (m->token[side][own][i] == 0) token_remove(m, side, own, i);
            }
            if (lots > left) lots = left;
            if (m->order[id].reduce && lots > room) lots = room;
            naive_drop(m, id, lots, false);
            m->taken[side ^ 1][there] += lots;
            naive_fill(m, id, own, lots, true, ts);
        }
    }
}

/* ---- what a new order meets ---- */

/* Shown lots at px of `side` that stand before the first own lot there and are not taken yet. */
static int naive_before(const struct naive *m, int side, int px) {
    int zeros = -m->taken[side][px], left = m->shown[side][px] - m->taken[side][px];
    for (int i = first_own(m, side, px); i >= 0; i--) zeros += m->token[side][px][i] == 0;
    zeros = zeros < left ? zeros : left;
    return zeros > 0 ? zeros : 0;
}

/* What an order could take, its own orders on the way by its mode. */
static int naive_can(const struct naive *m, int id) {
    const struct naive_order *o = &m->order[id];
    int there = o->side ^ 1, own = best_own(m, there), can = 0;
    bool stops = own >= 0 && (o->stp == STP_TAKER || o->stp == STP_BOTH);
    for (int p = 1; p < PRICES; p++) {
        int left = m->shown[there][p] - m->taken[there][p];
        if (!o->market && better(o->side, p, o->px)) continue;
        for (int i = 0; o->stp == STP_NONE && i < m->tokens[there][p]; i++) {
            int mine = m->token[there][p][i];
            can += mine != 0 && can_fill(m, mine);
        }
        if (left <= 0 || (stops && better(there, own, p))) continue;
        can += stops && own == p ? naive_before(m, there, p) : left;
    }
    return can;
}

static bool naive_would_take(const struct naive *m, int id) {
    const struct naive_order *o = &m->order[id];
    int own = best_own(m, o->side ^ 1);
    bool meets = own >= 0 && (o->market || !better(o->side, own, o->px));
    return meets || naive_can(m, id) > 0;
}

/* The order meets its own one at px; false: it ends. */
static bool naive_self(struct naive *m, int id, int px, int64_t ts) {
    struct naive_order *o = &m->order[id];
    int there = o->side ^ 1, maker = m->token[there][px][first_own(m, there, px)];
    if (o->stp == STP_NONE) {
        int lots = naive_leaves(m, maker), want = o->qty - o->filled;
        int room = naive_position_room(m, there);
        if (lots > want) lots = want;
        if (m->order[maker].reduce && lots > room) lots = room;
        naive_drop(m, maker, lots, false);
        naive_fill(m, maker, px, lots, true, ts);
        naive_fill(m, id, px, lots, false, ts);
        return true;
    }
    if (o->stp != STP_TAKER) {
        naive_say(m, maker, REPORT_EXPIRED, WHY_SELF_TRADE, 0, 0, false, ts);
        naive_forget(m, maker);
    }
    if (o->stp == STP_MAKER) return true;
    naive_say(m, id, REPORT_EXPIRED, WHY_SELF_TRADE, 0, 0, false, ts);
    return false;
}

static bool naive_take(struct naive *m, int id, int64_t ts) {
    struct naive_order *o = &m->order[id];
    int there = o->side ^ 1;
    while (o->filled < o->qty) {
        int p = offer_px(m, there), own = best_own(m, there);
        if (!o->market && p >= 0 && better(o->side, p, o->px)) p = -1;
        if (!o->market && own >= 0 && better(o->side, own, o->px)) own = -1;
        if (p < 0 && own < 0) break;
        int left = p < 0 ? 0 : m->shown[there][p] - m->taken[there][p];
        if (own >= 0 && (p < 0 || !better(there, p, own))) {
            left = p == own ? naive_before(m, there, p) : 0;
            if (left == 0) {
                if (!naive_self(m, id, own, ts)) return false;
                continue;
            }
        }
        int lots = left < o->qty - o->filled ? left : o->qty - o->filled;
        m->taken[there][p] += lots;
        naive_fill(m, id, p, lots, false, ts);
    }
    return true;
}

static bool naive_at_once(const struct naive_order *o) {
    return o->market || o->tif == TIF_IOC || o->tif == TIF_FOK;
}

static void naive_end(struct naive *m, int id, uint8_t why, int64_t ts) {
    naive_say(m, id, REPORT_EXPIRED, why, 0, 0, false, ts);
    naive_forget(m, id);
}

static void naive_meet(struct naive *m, int id, int64_t ts) {
    struct naive_order *o = &m->order[id];
    if (!o->market && o->tif == TIF_GTX && naive_would_take(m, id)) {
        naive_end(m, id, WHY_POST_ONLY, ts);
    } else if (o->tif == TIF_FOK && naive_can(m, id) < o->qty - o->filled) {
        naive_end(m, id, WHY_NO_LIQUIDITY, ts);
    } else if (!naive_take(m, id, ts) || o->filled == o->qty) {
        naive_forget(m, id);
    } else if (naive_at_once(o)) {
        naive_end(m, id, WHY_NO_LIQUIDITY, ts);
    } else {
        naive_match_shown(m, o->side, o->px, m->shown[o->side][o->px]);
        for (int i = o->filled; i < o->qty; i++) {
            m->token[o->side][o->px][m->tokens[o->side][o->px]++] = (short)id;
        }
    }
}

/* ---- reduce-only ---- */

/* What a reduce-only order may have: what executes now the whole position, what rests what others
 * that rest leave of it. */
static int naive_room(const struct naive *m, const struct naive_order *o, bool now) {
    int room = naive_position_room(m, o->side);
    for (int id = 1; !now && id <= ORDERS; id++) {
        if (m->order[id].reduce && m->order[id].side == o->side) room -= naive_leaves(m, id);
    }
    return room > 0 ? room : 0;
}

/* Cuts it; false: nothing to reduce. */
static bool naive_cut(struct naive *m, int id, bool now) {
    struct naive_order *o = &m->order[id];
    if (!o->reduce) return true;
    int room = naive_room(m, o, now || naive_at_once(o));
    if (room == 0 || (!m->rules->cuts && !now && o->qty > room)) return false;
    if (o->qty - o->filled > room) o->qty = o->filled + room;
    return true;
}

/* After each event: the best reduce-only orders keep what the position allows. */
static void naive_trim(struct naive *m, int64_t ts) {
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        int room = naive_position_room(m, side);
        for (int k = 0; k < PRICES - 1; k++) {
            int px = nth_price(side, k), before = 0;
            for (int i = 0; i < m->tokens[side][px];) {
                int id = m->token[side][px][i];
                if (id == 0 || id == before || !m->order[id].reduce) {
                    i++;
                    continue;
                }
                int has = naive_leaves(m, id);
                before = id;
                if (has > room && room == 0) {
                    naive_end(m, id, WHY_REDUCE_ONLY, ts);
                    continue;
                }
                if (has > room) {
                    naive_drop(m, id, has - room, true);
                    m->order[id].qty -= has - room;
                    has = room;
                    naive_say(m, id, REPORT_MODIFIED, WHY_REDUCE_ONLY, 0, 0, false, ts);
                }
                room -= has;
                i += has;
            }
        }
    }
}

/* ---- waiting for a price ---- */

/* Has the order's condition been met by the prices since it was placed? Each time from scratch. */
static bool naive_met(const struct naive *m, const struct naive_order *o) {
    int by = o->q.trigger_by, from = o->seen;
    int64_t at = by == TRIGGER_BY_MARK ? o->q.trigger_px.ticks * AUX_ONE : o->q.trigger_px.ticks;
    bool buy = o->side == SIDE_BUY, up = buy == (o->q.trigger == TRIGGER_STOP);
    if (o->q.trigger != TRIGGER_TRAIL) {
        for (int i = from; i < m->prices[by]; i++) {
            if (up ? m->price[by][i] >= at : m->price[by][i] <= at) return true;
        }
        return false;
    }
    int64_t best = 0;
    for (int i = from - 1; i < m->prices[by]; i++) { /* the price it was placed at counts */
        int64_t px = m->price[by][i];
        bool active = best != 0 || at == 0 || (buy ? px <= at : px >= at);
        if (!active) continue;
        if (best == 0 || (buy ? px < best : px > best)) best = px;
        int128 edge = (int128)best * (100000000 + (buy ? 1 : -1) * o->q.callback_e4);
        if (buy ? (int128)px * 100000000 >= edge : (int128)px * 100000000 <= edge) return true;
    }
    return false;
}

static void naive_fire(struct naive *m, int id, int64_t ts) {
    struct naive_order *o = &m->order[id];
    int qty = o->qty;
    naive_unwait(m, id);
    naive_say(m, id, REPORT_TRIGGERED, 0, 0, 0, false, ts);
    bool some = naive_cut(m, id, true);
    if (o->qty != qty) naive_say(m, id, REPORT_MODIFIED, WHY_REDUCE_ONLY, 0, 0, false, ts);
    naive_pair_end(m, id, ts);
    if (some) {
        naive_meet(m, id, ts);
    } else {
        naive_end(m, id, WHY_REDUCE_ONLY, ts);
    }
}

static void naive_price(struct naive *m, int by, int64_t px, int64_t ts) {
    assert_true(m->prices[by] < HISTORY_MAX);
    m->price[by][m->prices[by]++] = px;
    for (int i = 0; i < m->waiting;) {
        int id = m->queue[i];
        if (m->order[id].q.trigger_by == by && naive_met(m, &m->order[id])) {
            naive_fire(m, id, ts);
            i = 0;
        } else {
            i++;
        }
    }
}

/* ---- requests ---- */

static uint8_t naive_pair(struct naive *m, int id, int64_t ts) {
    struct naive_order *o = &m->order[id];
    int other = (int)o->q.oco;
    int64_t life = o->q.expire_ns - ts;
    if (o->tif == TIF_GTD && (life <= 0 || life < m->rules->gtd_least)) return WHY_GTD;
    if (other && (!naive_stands(m, other) || m->order[other].partner)) return WHY_OCO;
    o->expire = o->tif == TIF_GTD ? o->q.expire_ns : 0;
    o->partner = other;
    if (other) m->order[other].partner = id;
    return WHY_NONE;
}

static uint8_t naive_wait(struct naive *m, int id, int64_t ts) {
    struct naive_order *o = &m->order[id];
    int by = o->q.trigger_by;
    uint8_t why = naive_pair(m, id, ts);
    if (why != WHY_NONE) return why;
    if (m->waiting >= m->rules->waiting_max) return WHY_MAX_ORDERS;
    if (m->prices[by] == 0) return WHY_NO_REFERENCE;
    if (o->q.trigger == TRIGGER_TRAIL && !o->market) return WHY_TRIGGER;
    o->seen = m->prices[by] - 1;
    if (o->q.trigger != TRIGGER_TRAIL && naive_met(m, o)) return WHY_WOULD_TRIGGER;
    o->seen = m->prices[by];
    o->waits = true;
    m->queue[m->waiting++] = id;
    return WHY_NONE;
}

static void naive_new(struct naive *m, const struct order_request *q, int64_t ts) {
    int id = (int)q->id, qty = (int)q->qty.lots;
    struct naive_order *o = &m->order[id];
    *o = (struct naive_order){.q = *q,
        .side = q->side,
        .px = (int)q->px.ticks,
        .qty = qty,
        .stp = q->stp == STP_VENUE ? m->rules->stp : q->stp,
        .tif = q->tif,
        .market = q->type == ORDER_MARKET,
        .reduce = q->reduce_only};
    uint8_t why = WHY_NONE;
    if (q->trigger != TRIGGER_NONE) {
        why = naive_wait(m, id, ts);
    } else {
        if (!naive_cut(m, id, false)) why = WHY_REDUCE_ONLY;
        if (why == WHY_NONE && o->market && !naive_would_take(m, id)) why = WHY_NO_LIQUIDITY;
        bool post_only = o->tif == TIF_GTX && !o->market && m->rules->gtx_rejected;
        if (why == WHY_NONE && post_only && naive_would_take(m, id)) why = WHY_POST_ONLY;
        if (why == WHY_NONE) why = naive_pair(m, id, ts);
    }
    if (why != WHY_NONE) {
        naive_say(m, id, REPORT_REJECTED, why, 0, 0, false, ts);
        naive_forget(m, id);
        return;
    }
    naive_say(m, id, REPORT_ACK, 0, 0, 0, false, ts);
    if (o->waits) return;
    if (o->qty != qty) naive_say(m, id, REPORT_MODIFIED, WHY_REDUCE_ONLY, 0, 0, false, ts);
    naive_meet(m, id, ts);
}

static void naive_cancel(struct naive *m, const struct order_request *q, int64_t ts) {
    int id = (int)q->id;
    if (!naive_stands(m, id)) {
        naive_unknown(m, q, REPORT_CANCEL_REJECTED, ts);
        return;
    }
    naive_say(m, id, REPORT_CANCELED, 0, 0, 0, false, ts);
    naive_forget(m, id);
}

static uint8_t naive_refuse_amend(struct naive *m, int id, int px, int qty) {
    struct naive_order *o = &m->order[id], was = *o;
    int has = naive_leaves(m, id), more = qty - o->filled - has;
    if (m->rules->same_refused && px == o->px && qty == o->qty) return WHY_NO_CHANGE;
    if (o->reduce && more > 0 && more > naive_room(m, o, false)) return WHY_REDUCE_ONLY;
    o->px = px;
    o->qty = qty;
    bool takes = o->tif == TIF_GTX && qty > o->filled && naive_would_take(m, id);
    *o = was;
    return takes && !m->rules->gtx_amend_end ? WHY_POST_ONLY : WHY_NONE;
}

static void naive_amend(struct naive *m, const struct order_request *q, int64_t ts) {
    int id = (int)q->id, qty = (int)q->qty.lots, px = (int)q->px.ticks;
    struct naive_order *o = &m->order[id];
    if (!naive_stands(m, id) || o->waits) {
        naive_unknown(m, q, REPORT_MODIFY_REJECTED, ts);
        if (o->waits) m->out[m->n - 1].why = WHY_AMEND;
        return;
    }
    uint8_t why = naive_refuse_amend(m, id, px, qty);
    if (why != WHY_NONE) {
        naive_say(m, id, REPORT_MODIFY_REJECTED, why, 0, 0, false, ts);
        return;
    }
    if (qty <= o->filled) {
        naive_cancel(m, q, ts);
        return;
    }
    bool keeps = m->rules->keeps && px == o->px && qty <= o->qty;
    naive_drop(m, id, keeps ? o->qty - qty : naive_leaves(m, id), true);
    o->px = px;
    o->qty = qty;
    naive_say(m, id, REPORT_MODIFIED, 0, 0, 0, false, ts);
    if (!keeps) naive_meet(m, id, ts);
}

static void naive_request(struct naive *m, const struct order_request *q, int64_t ts) {
    switch ((enum request_kind)q->kind) {
    case REQUEST_NEW: naive_new(m, q, ts); break;
    case REQUEST_CANCEL: naive_cancel(m, q, ts); break;
    case REQUEST_MODIFY: naive_amend(m, q, ts); break;
    case REQUEST_QUERY:
        if (naive_stands(m, (int)q->id)) {
            naive_say(m, (int)q->id, REPORT_ACK, 0, 0, 0, false, ts);
        } else {
            naive_unknown(m, q, REPORT_NOT_FOUND, ts);
        }
        break;
    }
    naive_trim(m, ts);
}

static void naive_event(struct naive *m, const struct event *ev) {
    int side = (ev->flags & EVF_SELL) ? SIDE_SELL : SIDE_BUY, px = (int)ev->px.ticks;
    int64_t ts = ev->ts_venue.ns;
    if (ev->kind == EV_TRADE) {
        naive_print(m, side ^ 1, px, (int)ev->qty.lots, ts);
        naive_price(m, TRIGGER_BY_LAST, px, ts);
    } else if (ev->kind == EV_MARK) {
        naive_price(m, TRIGGER_BY_MARK, ev->aux.a, ts);
    } else {
        m->shown[side][px] = (int)ev->qty.lots;
        m->taken[side][px] = 0;
        if (m->tokens[side][px] > 0) naive_match_shown(m, side, px, (int)ev->qty.lots);
        if (ev->flags & EVF_LAST) naive_cross(m, ts);
    }
    naive_trim(m, ts);
}

/* The earliest expiry, INT64_MAX without one; the lowest id of those. */
static int64_t naive_next_expiry(const struct naive *m, int *id) {
    int64_t at = INT64_MAX;
    for (int i = 1; i <= ORDERS; i++) {
        if (m->order[i].expire == 0 || m->order[i].expire >= at) continue;
        at = m->order[i].expire;
        *id = i;
    }
    return at;
}

/* ---- random runs ---- */

struct run {
    struct script s;
    struct order_request q[REQUESTS];
    size_t requests;
    struct world_config cfg;
    const struct naive_rules *rules;
};

/* A book whose best prices wander; every message leaves it uncrossed. */
static void random_market(struct script *s) {
    struct script_level l[2 * PRICES];
    size_t n = 0;
    int bid = 11, shown[2][PRICES] = {{0}};
    for (int px = 6; px <= 17; px++) {
        int side = px <= bid ? EVF_BUY : EVF_SELL, qty = 1 + (int)rnd(6);
        shown[side == EVF_SELL][px] = qty;
        l[n++] = (struct script_level){side, px, qty};
    }
    script_message(s, 1000, EVF_SNAPSHOT, l, n);
    int64_t us = 1000;
    for (int k = 0; k < 40; k++) {
        us += (int64_t)rnd(3) * 500;
        if (rnd(6) == 0) {
            script_mark(s, us, (bid + (int64_t)rnd(4) - 1) * AUX_ONE + (int64_t)rnd(3) - 1);
            continue;
        }
        if (rnd(5) < 2) {
            int buy = (int)rnd(2), px = buy ? bid + 1 + (int)rnd(3) : bid - (int)rnd(3);
            script_print(s, us, buy ? EVF_BUY : EVF_SELL, px, 1 + (int64_t)rnd(9));
            continue;
        }
        int move = (int)rnd(3) - 1;
        if (bid + move > 7 && bid + move < 16) bid += move;
        n = 0;
        for (int px = 5; px <= 18; px++) { /* what the move crosses goes first */
            int wrong = px <= bid ? SIDE_SELL : SIDE_BUY;
            if (shown[wrong][px] == 0) continue;
            shown[wrong][px] = 0;
            l[n++] = (struct script_level){wrong == SIDE_SELL ? EVF_SELL : EVF_BUY, px, 0};
        }
        for (size_t more = 1 + rnd(3); more > 0; more--) {
            int px = bid - 3 + (int)rnd(8), side = px <= bid ? SIDE_BUY : SIDE_SELL;
            int qty = (int)rnd(8);
            shown[side][px] = qty;
            l[n++] = (struct script_level){side == SIDE_SELL ? EVF_SELL : EVF_BUY, px, qty};
        }
        script_message(s, us, 0, l, n);
    }
    script_level(s, 200000, EVF_BUY, 1, 0); /* later than every expiry */
}

static void random_order(struct order_request *q, int64_t id) {
    *q = (struct order_request){.id = id,
        .px = {7 + (int64_t)rnd(10)},
        .qty = {1 + (int64_t)rnd(9)},
        .kind = REQUEST_NEW,
        .side = (uint8_t)rnd(2),
        .type = rnd(8) == 0 ? ORDER_MARKET : ORDER_LIMIT,
        .tif = (uint8_t)(rnd(3) ? TIF_GTC : rnd(5)),
        .stp = (uint8_t)rnd(5),
        .reduce_only = rnd(5) == 0};
    if (id > 1 && rnd(6) == 0) q->oco = 1 + (int64_t)rnd((uint64_t)id - 1);
    if (rnd(5) == 0) {
        q->trigger = (uint8_t)(1 + rnd(3));
        q->trigger_by = (uint8_t)rnd(2);
        q->trigger_px.ticks = 8 + (int64_t)rnd(8);
        if (rnd(2)) q->type = ORDER_MARKET;
        if (q->trigger == TRIGGER_TRAIL) {
            q->callback_e4 = (int32_t)(1 + rnd(15)) * 1000000; /* 1 .. 15 % */
            if (rnd(2)) q->trigger_px.ticks = 0;
        }
    }
    if (q->type == ORDER_MARKET) q->px.ticks = 0;
}

static void random_requests(struct run *r) {
    int64_t ns = 1000000;
    int64_t id = 0;
    for (r->requests = 0; r->requests < REQUESTS && id < ORDERS; r->requests++) {
        struct order_request *q = &r->q[r->requests];
        ns += (int64_t)rnd(4) * 500000;
        uint64_t what = id > 0 ? rnd(12) : 11;
        if (what < 5) {
            *q = r->q[rnd(r->requests)];
            q->kind = (uint8_t)(what < 2   ? REQUEST_CANCEL
                                : what < 4 ? REQUEST_MODIFY
                                           : REQUEST_QUERY);
            if (q->kind == REQUEST_MODIFY) {
                if (rnd(2) || q->px.ticks == 0) q->px.ticks = 7 + (int64_t)rnd(10);
                q->qty.lots = 1 + (int64_t)rnd(9);
            }
        } else {
            random_order(q, ++id);
            q->expire_ns = q->tif == TIF_GTD ? ns + (int64_t)rnd(40) * 500000 : 0;
        }
        q->ts_sent.ns = ns;
    }
}

static void run_naive(const struct run *r, struct naive *m) {
    memset(m, 0, sizeof *m);
    m->rules = r->rules;
    m->response = r->cfg.response_ns;
    size_t at = 0, next = 0;
    int64_t last = 0;
    while (at < r->s.n || next < r->requests) {
        int64_t arrival = INT64_MAX, data = at < r->s.n ? r->s.ev[at].ts_venue.ns : INT64_MAX;
        if (next < r->requests) {
            const struct order_request *q = &r->q[next];
            arrival = q->ts_sent.ns +
                      (q->kind == REQUEST_CANCEL ? r->cfg.entry_cancel_ns : r->cfg.entry_new_ns);
            if (arrival < last) arrival = last;
        }
        int id = 0;
        int64_t over = naive_next_expiry(m, &id);
        if (over <= data && over <= arrival) {
            m->order[id].expire = 0;
            if (!naive_stands(m, id)) continue;
            naive_end(m, id, WHY_GTD, over);
        } else if (data <= arrival) {
            naive_event(m, &r->s.ev[at]);
            at += event_slots(r->s.ev[at].kind);
        } else {
            last = arrival;
            naive_request(m, &r->q[next++], arrival);
        }
    }
}

static bool same(const struct report *a, const struct report *b) {
    return a->order_id == b->order_id && a->status == b->status && a->why == b->why &&
           a->px.ticks == b->px.ticks && a->qty.lots == b->qty.lots &&
           a->last_px.ticks == b->last_px.ticks && a->last_qty.lots == b->last_qty.lots &&
           a->filled.lots == b->filled.lots && a->ts_venue.ns == b->ts_venue.ns &&
           a->ts_local.ns == b->ts_local.ns && a->maker == b->maker;
}

static void show(const char *who, const struct report *r) {
    printf(
        "  %s: order %lld status %d why %s px %lld qty %lld filled %lld last %lld x %lld at %lld\n",
        who, (long long)r->order_id, r->status, report_why_name(r->why), (long long)r->px.ticks,
        (long long)r->qty.lots, (long long)r->filled.lots, (long long)r->last_qty.lots,
        (long long)r->last_px.ticks, (long long)r->ts_venue.ns);
}

static void check_seat(const struct naive *m, const struct report *got, size_t n, uint64_t was) {
    size_t both = n < m->n ? n : m->n, i = 0;
    while (i < both && same(&got[i], &m->out[i])) i++;
    if (i == n && i == m->n) return;
    printf("seed %llu: report %zu of %zu, model %zu\n", (unsigned long long)was, i, n, m->n);
    for (size_t k = i > 3 ? i - 3 : 0; k < i; k++) show("both", &got[k]);
    if (i < n) show("sim", &got[i]);
    if (i < m->n) show("model", &m->out[i]);
    fail();
}

/* No fill beyond the prints: the maker fills of one instant are at most its prints, the shown size
 * of the other side, and own takers. Weaker than equality with the model, but independent of it. */
static void check_conservation(const struct run *r, const struct report *got, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (got[i].status != REPORT_FILL || !got[i].maker) continue;
        int64_t sum = 0, prints = 0, shown = 0, own = 0;
        for (size_t k = 0; k < n; k++) {
            if (got[k].status != REPORT_FILL || got[k].ts_venue.ns != got[i].ts_venue.ns) continue;
            *(got[k].maker ? &sum : &own) += got[k].last_qty.lots;
        }
        for (size_t k = 0; k < r->s.n; k += event_slots(r->s.ev[k].kind)) {
            if (r->s.ev[k].ts_venue.ns > got[i].ts_venue.ns) break;
            bool now = r->s.ev[k].ts_venue.ns == got[i].ts_venue.ns;
            if (r->s.ev[k].kind == EV_TRADE && now) prints += r->s.ev[k].qty.lots;
            if (r->s.ev[k].kind == EV_DEPTH) shown += r->s.ev[k].qty.lots;
        }
        assert_true(sum <= prints + shown + own);
    }
}

/* Laws that need no model: an order never fills beyond its quantity nor before its trigger, fires
 * once, ends once; one that may only reduce never adds; the position is the sum of the fills. */
static void check_laws(const struct run *r, const struct report *got, size_t n, int64_t position) {
    int64_t sum = 0;
    int fired[ORDERS + 1] = {0}, ended[ORDERS + 1] = {0};
    for (size_t i = 0; i < n; i++) {
        const struct order_request *q = NULL;
        for (size_t k = 0; k < r->requests && !q; k++) {
            if (r->q[k].id == got[i].order_id && r->q[k].kind == REQUEST_NEW) q = &r->q[k];
        }
        assert_non_null(q);
        int64_t signed_lots = q->side == SIDE_BUY ? got[i].last_qty.lots : -got[i].last_qty.lots;
        fired[q->id] += got[i].status == REPORT_TRIGGERED;
        ended[q->id] += got[i].status == REPORT_EXPIRED || got[i].status == REPORT_CANCELED;
        assert_true(fired[q->id] <= 1 && ended[q->id] <= 1);
        if (got[i].status != REPORT_FILL) continue;
        assert_true(got[i].filled.lots <= got[i].qty.lots);
        assert_true(q->trigger == TRIGGER_NONE || fired[q->id] == 1);
        if (q->reduce_only) assert_true(sum * (sum + signed_lots) >= 0 && sum * signed_lots < 0);
        sum += signed_lots;
    }
    assert_int_equal(sum, position);
}

static int64_t run_sim(const struct run *r, uint32_t seats, struct report *got, size_t *n) {
    struct world_config cfg = r->cfg;
    struct instrument inst = script_inst;
    inst.venue = r->rules->venue;
    cfg.inst = &inst;
    cfg.seats = seats;
    cfg.venue.no_limits = true;
    struct script_world *w = script_open(&r->s, &cfg);
    for (uint32_t k = 0; k < seats; k++) {
        struct order_port port = world_port(w->world, k);
        for (size_t i = 0; i < r->requests; i++) { assert_true(port.send(port.ctx, &r->q[i])); }
        n[k] = 0;
    }
    const struct event *ev;
    uint32_t seat;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        if (ev->kind != EV_ORDER_REPORT) continue;
        assert_true(n[seat] < REPORTS_MAX);
        report_decode(ev, &got[seat * REPORTS_MAX + n[seat]++]);
    }
    int64_t position = world_position(w->world, 0);
    script_close(w);
    return position;
}

static struct run random_run(void) {
    struct run r;
    memset(&r, 0, sizeof r);
    r.rules = &naive_rules[rnd(sizeof naive_rules / sizeof naive_rules[0])];
    random_market(&r.s);
    random_requests(&r);
    r.cfg.entry_new_ns = (int64_t)rnd(4) * 500000;
    r.cfg.entry_cancel_ns = (int64_t)rnd(4) * 500000;
    r.cfg.response_ns = (int64_t)rnd(4) * 500000;
    return r;
}

struct seen { /* how much of each kind the sequences held */
    size_t fills, makers, fired, reduced, pairs, expired, self, amended;
};

static void count(struct seen *s, const struct report *got, size_t n) {
    for (size_t k = 0; k < n; k++) {
        s->fills += got[k].status == REPORT_FILL;
        s->makers += got[k].maker;
        s->fired += got[k].status == REPORT_TRIGGERED;
        s->reduced += got[k].why == WHY_REDUCE_ONLY && got[k].status != REPORT_REJECTED;
        s->pairs += got[k].status == REPORT_CANCELED && got[k].why == WHY_OCO;
        s->expired += got[k].status == REPORT_EXPIRED && got[k].why == WHY_GTD;
        s->self += got[k].why == WHY_SELF_TRADE;
        s->amended += got[k].status == REPORT_MODIFIED && got[k].why == WHY_NONE;
    }
}

static void strict_equals_a_queue_of_single_lots_on_random_markets(void **state) {
    (void)state;
    static struct naive m;
    static struct report got[REPORTS_MAX];
    const char *asked = getenv("FATHOM_SEQUENCES");
    size_t n, sequences = asked ? (size_t)strtoul(asked, NULL, 10) : SEQUENCES;
    struct seen seen = {0};
    for (size_t i = 0; i < sequences; i++) {
        uint64_t was = seed;
        struct run r = random_run();
        run_naive(&r, &m);
        int64_t position = run_sim(&r, 1, got, &n);
        check_seat(&m, got, n, was);
        check_laws(&r, got, n, position);
        if (i % 16 == 0) check_conservation(&r, got, n);
        count(&seen, got, n);
    }
    printf("%zu sequences, %zu fills, %zu of them passive; %zu triggers, %zu reduce-only cuts and "
           "ends, %zu pairs, %zu expiries, %zu self-trades prevented, %zu amends\n",
        sequences, seen.fills, seen.makers, seen.fired, seen.reduced, seen.pairs, seen.expired,
        seen.self, seen.amended);
    assert_true(seen.makers > sequences / 2 && seen.fired > sequences / 8);
    assert_true(seen.reduced > sequences / 20 && seen.pairs > sequences / 20);
    assert_true(seen.expired > sequences / 20 && seen.self > sequences / 20);
}

static void many_seats_on_one_replay_give_the_bits_of_single_runs(void **state) {
    (void)state;
    static struct report one[REPORTS_MAX], many[3 * REPORTS_MAX];
    for (int i = 0; i < 500; i++) {
        struct run r = random_run();
        size_t n, k[3];
        (void)run_sim(&r, 1, one, &n);
        (void)run_sim(&r, 3, many, k);
        for (size_t s = 0; s < 3; s++) {
            assert_int_equal(k[s], n);
            assert_memory_equal(&many[s * REPORTS_MAX], one, n * sizeof *one);
        }
    }
}

int main(void) {
    const char *start = getenv("FATHOM_SEED");
    if (start) seed = strtoull(start, NULL, 10);
    printf("seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_equals_a_queue_of_single_lots_on_random_markets),
        cmocka_unit_test(many_seats_on_one_replay_give_the_bits_of_single_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
