/* The strict rule set against a slow model written separately: a queue of single lots a price.
 *
 * The model keeps every own lot and every market lot before it as a token in a list; it knows
 * nothing of positions, formulas or overlays by level lists. Both get the same random books,
 * prints, orders and latencies; every report must be equal, in order, to the nanosecond.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "execute/sim/sim_testing.h"

enum { PRICES = 24, TOKENS_MAX = 512, ORDERS = 24, REPORTS_MAX = 512, SEQUENCES = 10000 };

static uint64_t seed = 1234567;
static uint64_t rnd(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

/* ---- the slow model ---- */

struct naive_order {
    int side, px, qty, filled, stp;
    bool market, live;
};

struct naive {
    int shown[2][PRICES], taken[2][PRICES]; /* displayed, and taken by us since it was named */
    short token[2][PRICES][TOKENS_MAX];     /* 0 = a market lot, else own order id; front first */
    int tokens[2][PRICES];
    struct naive_order order[ORDERS + 1];
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
        .last_px = {last_px},
        .last_qty = {last},
        .filled = {m->order[id].filled},
        .ts_venue = {ts},
        .ts_local = {arrival},
        .maker = maker};
}

static void naive_fill(struct naive *m, int id, int px, int lots, bool maker, int64_t ts) {
    m->order[id].filled += lots;
    assert_true(m->order[id].filled <= m->order[id].qty);
    naive_say(m, id, REPORT_FILL, 0, px, lots, maker, ts);
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

static int first_own(const struct naive *m, int side, int px) {
    for (int i = 0; i < m->tokens[side][px]; i++) {
        if (m->token[side][px][i] != 0) return i;
    }
    return -1;
}

/* Own lots at px as they stand in the queue, up to `lots`; one report for each run of one order. */
static int naive_hit(struct naive *m, int side, int px, int lots, bool skip_market, int64_t ts) {
    int run_id = 0, run = 0;
    while (lots > 0 && m->tokens[side][px] > 0) {
        int i = skip_market ? first_own(m, side, px) : 0;
        if (i < 0) break;
        int id = m->token[side][px][i];
        token_remove(m, side, px, i);
        lots--;
        if (id != run_id && run > 0) {
            naive_fill(m, run_id, px, run, true, ts);
            run = 0;
        }
        run_id = id;
        run += id != 0;
    }
    if (run > 0) naive_fill(m, run_id, px, run, true, ts);
    return lots;
}

static int better(int side, int a, int b) { return side == SIDE_BUY ? a > b : a < b; }

/* The best own price of a side; -1 without any. */
static int best_own(const struct naive *m, int side) {
    int best = -1;
    for (int px = 1; px < PRICES; px++) {
        if (first_own(m, side, px) < 0) continue;
        if (best < 0 || better(side, px, best)) best = px;
    }
    return best;
}

static void naive_print(struct naive *m, int side, int px, int lots, int64_t ts) {
    for (;;) {
        int own = best_own(m, side);
        if (own < 0 || !better(side, own, px)) break;
        /* Traded through: whoever stood before our last lot there is gone. */
        int last = 0;
        for (int i = 0; i < m->tokens[side][own]; i++) last = m->token[side][own][i] ? i : last;
        for (int i = last; i >= 0; i--) {
            if (m->token[side][own][i] == 0) token_remove(m, side, own, i);
        }
        int left = naive_hit(m, side, own, lots, true, ts);
        if (left == lots) break;
        lots = left;
        if (lots == 0) { break; }
    }
    /* Prices the print went through although nothing of it was left for them. */
    for (int own = 1; own < PRICES; own++) {
        if (!better(side, own, px) || first_own(m, side, own) < 0) continue;
        int last = 0;
        for (int i = 0; i < m->tokens[side][own]; i++) last = m->token[side][own][i] ? i : last;
        for (int i = last; i >= 0; i--) {
            if (m->token[side][own][i] == 0) token_remove(m, side, own, i);
        }
    }
    if (lots > 0) (void)naive_hit(m, side, px, lots, false, ts);
}

static int offer_px(const struct naive *m, int side) { /* best shown level with something left */
    int best = -1;
    for (int px = 1; px < PRICES; px++) {
        if (m->shown[side][px] - m->taken[side][px] <= 0) continue;
        if (best < 0 || better(side, px, best)) best = px;
    }
    return best;
}

static void naive_cross(struct naive *m, int64_t ts) {
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        for (;;) {
            int own = best_own(m, side), there = offer_px(m, side ^ 1);
            if (own < 0 || there < 0 || better(side, there, own)) break;
            int left = m->shown[side ^ 1][there] - m->taken[side ^ 1][there];
            int i = first_own(m, side, own), id = m->token[side][own][i], mine = 0;
            for (int k = 0; k < m->tokens[side][own]; k++) mine += m->token[side][own][k] == id;
            for (int k = i - 1; k >= 0; k--) token_remove(m, side, own, k); /* the front is ours */
            int lots = mine < left ? mine : left, gone = 0;
            for (int k = 0; gone < lots;) {
                if (m->token[side][own][k] == id) {
                    token_remove(m, side, own, k);
                    gone++;
                } else {
                    k++;
                }
            }
            m->taken[side ^ 1][there] += lots;
            naive_fill(m, id, own, lots, true, ts);
        }
    }
}

/* Shown lots at px of `side` that stand before the first own lot there and are not taken yet. */
static int naive_before(const struct naive *m, int side, int px) {
    int zeros = first_own(m, side, px) - m->taken[side][px];
    int left = m->shown[side][px] - m->taken[side][px];
    zeros = zeros < left ? zeros : left;
    return zeros > 0 ? zeros : 0;
}

static int naive_leaves(const struct naive *m, int id) {
    const struct naive_order *o = &m->order[id];
    int n = 0;
    for (int i = 0; i < m->tokens[o->side][o->px]; i++) n += m->token[o->side][o->px][i] == id;
    return n;
}

static int naive_drop(struct naive *m, int id, int lots) {
    const struct naive_order *o = &m->order[id];
    int gone = 0;
    for (int i = 0; i < m->tokens[o->side][o->px] && gone < lots;) {
        if (m->token[o->side][o->px][i] == id) {
            token_remove(m, o->side, o->px, i);
            gone++;
        } else {
            i++;
        }
    }
    return gone;
}

/* What an order could take, its own orders on the way by its mode. */
static int naive_can(const struct naive *m, int id) {
    const struct naive_order *o = &m->order[id];
    int there = o->side ^ 1, own = best_own(m, there), can = 0;
    bool stops = own >= 0 && (o->stp == STP_TAKER || o->stp == STP_BOTH);
    for (int p = 1; p < PRICES; p++) {
        int left = m->shown[there][p] - m->taken[there][p];
        if (!o->market && better(o->side, p, o->px)) continue;
        if (o->stp == STP_NONE) {
            for (int i = 0; i < m->tokens[there][p]; i++) can += m->token[there][p][i] != 0;
        }
        if (left <= 0 || (stops && better(there, own, p))) continue;
        can += stops && own == p ? naive_before(m, there, p) : left;
    }
    return can;
}

/* The order meets its own one at px; false: it ends. */
static bool naive_self(struct naive *m, int id, int px, int64_t ts) {
    struct naive_order *o = &m->order[id];
    int there = o->side ^ 1, maker = m->token[there][px][first_own(m, there, px)];
    if (o->stp == STP_NONE) {
        int lots = naive_leaves(m, maker), want = o->qty - o->filled;
        if (lots > want) lots = want;
        (void)naive_drop(m, maker, lots);
        naive_fill(m, maker, px, lots, true, ts);
        naive_fill(m, id, px, lots, false, ts);
        return true;
    }
    if (o->stp != STP_TAKER) {
        (void)naive_drop(m, maker, naive_leaves(m, maker));
        naive_say(m, maker, REPORT_EXPIRED, WHY_SELF_TRADE, 0, 0, false, ts);
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

static void naive_new(struct naive *m, const struct order_request *q, int64_t ts) {
    int id = (int)q->id, side = q->side, px = (int)q->px.ticks, qty = (int)q->qty.lots;
    bool market = q->type == ORDER_MARKET;
    int stp = q->stp == STP_VENUE ? STP_MAKER : q->stp; /* the default of an unnamed venue */
    m->order[id] = (struct naive_order){side, px, qty, 0, stp, market, true};
    int own = best_own(m, side ^ 1), can = naive_can(m, id);
    bool takes = can > 0 || (own >= 0 && (market || !better(side, own, px)));
    if (market && !takes) {
        naive_say(m, id, REPORT_REJECTED, WHY_NO_LIQUIDITY, 0, 0, false, ts);
        return;
    }
    naive_say(m, id, REPORT_ACK, 0, 0, 0, false, ts);
    if (!market && q->tif == TIF_GTX && takes) {
        naive_say(m, id, REPORT_EXPIRED, WHY_POST_ONLY, 0, 0, false, ts);
        return;
    }
    if (q->tif == TIF_FOK && can < qty) {
        naive_say(m, id, REPORT_EXPIRED, WHY_NO_LIQUIDITY, 0, 0, false, ts);
        return;
    }
    if (!naive_take(m, id, ts) || m->order[id].filled == qty) return;
    if (market || q->tif == TIF_IOC || q->tif == TIF_FOK) {
        naive_say(m, id, REPORT_EXPIRED, WHY_NO_LIQUIDITY, 0, 0, false, ts);
        return;
    }
    naive_match_shown(m, side, px, m->shown[side][px]);
    for (int i = m->order[id].filled; i < qty; i++) {
        m->token[side][px][m->tokens[side][px]++] = (short)id;
    }
}

static void naive_cancel(struct naive *m, const struct order_request *q, int64_t ts) {
    int id = (int)q->id, found = 0;
    const struct naive_order *o = &m->order[id];
    for (int i = m->tokens[o->side][o->px] - 1; o->live && i >= 0; i--) {
        if (m->token[o->side][o->px][i] != id) continue;
        token_remove(m, o->side, o->px, i);
        found++;
    }
    if (found) {
        naive_say(m, id, REPORT_CANCELED, 0, 0, 0, false, ts);
    } else {
        naive_say(m, id, REPORT_CANCEL_REJECTED, WHY_UNKNOWN_ORDER, 0, 0, false, ts);
        m->out[m->n - 1].filled.lots = 0; /* the venue knows no such order any more */
    }
}

static void naive_event(struct naive *m, const struct event *ev) {
    int side = (ev->flags & EVF_SELL) ? SIDE_SELL : SIDE_BUY, px = (int)ev->px.ticks;
    if (ev->kind == EV_TRADE) {
        naive_print(m, side ^ 1, px, (int)ev->qty.lots, ev->ts_venue.ns);
        return;
    }
    m->shown[side][px] = (int)ev->qty.lots;
    m->taken[side][px] = 0;
    if (first_own(m, side, px) >= 0) naive_match_shown(m, side, px, (int)ev->qty.lots);
    if (ev->flags & EVF_LAST) naive_cross(m, ev->ts_venue.ns);
}

/* ---- random runs ---- */

struct run {
    struct script s;
    struct order_request q[2 * ORDERS];
    size_t requests;
    struct world_config cfg;
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
}

static void random_requests(struct run *r) {
    int64_t ns = 1000000;
    int64_t id = 0;
    for (r->requests = 0; r->requests < 30 && id < ORDERS; r->requests++) {
        struct order_request *q = &r->q[r->requests];
        ns += (int64_t)rnd(4) * 500000;
        if (id > 0 && rnd(4) == 0) {
            *q = r->q[rnd(r->requests)];
            q->kind = REQUEST_CANCEL;
        } else {
            id++;
            *q = (struct order_request){.id = id,
                .px = {7 + (int64_t)rnd(10)},
                .qty = {1 + (int64_t)rnd(9)},
                .kind = REQUEST_NEW,
                .side = (uint8_t)rnd(2),
                .type = rnd(8) == 0 ? ORDER_MARKET : ORDER_LIMIT,
                .tif = (uint8_t)(rnd(3) ? TIF_GTC : rnd(4)),
                .stp = (uint8_t)rnd(5)};
        }
        q->ts_sent.ns = ns;
    }
}

static void run_naive(const struct run *r, struct naive *m) {
    memset(m, 0, sizeof *m);
    m->response = r->cfg.response_ns;
    size_t at = 0, next = 0;
    int64_t last = 0;
    while (at < r->s.n || next < r->requests) {
        int64_t arrival = INT64_MAX;
        if (next < r->requests) {
            const struct order_request *q = &r->q[next];
            arrival = q->ts_sent.ns +
                      (q->kind == REQUEST_NEW ? r->cfg.entry_new_ns : r->cfg.entry_cancel_ns);
            if (arrival < last) arrival = last;
        }
        if (at < r->s.n && r->s.ev[at].ts_venue.ns <= arrival) {
            naive_event(m, &r->s.ev[at++]);
            continue;
        }
        last = arrival;
        if (r->q[next].kind == REQUEST_NEW) {
            naive_new(m, &r->q[next], arrival);
        } else {
            naive_cancel(m, &r->q[next], arrival);
        }
        next++;
    }
}

static void check_seat(const struct naive *m, const struct report *got, size_t n) {
    assert_int_equal(n, m->n);
    for (size_t i = 0; i < n; i++) {
        const struct report *a = &got[i], *b = &m->out[i];
        bool equal = a->order_id == b->order_id && a->status == b->status && a->why == b->why &&
                     a->last_px.ticks == b->last_px.ticks && a->last_qty.lots == b->last_qty.lots &&
                     a->filled.lots == b->filled.lots && a->ts_venue.ns == b->ts_venue.ns &&
                     a->ts_local.ns == b->ts_local.ns && a->maker == b->maker;
        if (equal) continue;
        printf(
            "report %zu: order %lld status %d px %lld qty %lld at %lld, model: order %lld status "
            "%d px %lld qty %lld at %lld\n",
            i, (long long)a->order_id, a->status, (long long)a->last_px.ticks,
            (long long)a->last_qty.lots, (long long)a->ts_venue.ns, (long long)b->order_id,
            b->status, (long long)b->last_px.ticks, (long long)b->last_qty.lots,
            (long long)b->ts_venue.ns);
        fail();
    }
}

/* No fill beyond the prints: the maker fills of one instant are at most its prints plus the shown
 * size of the other side. Weaker than equality with the model, but independent of it. */
static void check_conservation(const struct run *r, const struct report *got, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (got[i].status != REPORT_FILL || !got[i].maker) continue;
        int64_t sum = 0, prints = 0, shown = 0;
        for (size_t k = 0; k < n; k++) {
            bool same = got[k].ts_venue.ns == got[i].ts_venue.ns && got[k].maker;
            if (got[k].status == REPORT_FILL && same) sum += got[k].last_qty.lots;
        }
        for (size_t k = 0; k < r->s.n; k++) {
            if (r->s.ev[k].ts_venue.ns > got[i].ts_venue.ns) break;
            bool now = r->s.ev[k].ts_venue.ns == got[i].ts_venue.ns;
            if (r->s.ev[k].kind == EV_TRADE && now) prints += r->s.ev[k].qty.lots;
            if (r->s.ev[k].kind == EV_DEPTH) shown += r->s.ev[k].qty.lots;
        }
        assert_true(sum <= prints + shown);
    }
}

static void run_sim(const struct run *r, uint32_t seats, struct report *got, size_t *n) {
    struct world_config cfg = r->cfg;
    cfg.seats = seats;
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
    script_close(w);
}

static struct run random_run(void) {
    struct run r;
    memset(&r, 0, sizeof r);
    random_market(&r.s);
    random_requests(&r);
    r.cfg.entry_new_ns = (int64_t)rnd(4) * 500000;
    r.cfg.entry_cancel_ns = (int64_t)rnd(4) * 500000;
    r.cfg.response_ns = (int64_t)rnd(4) * 500000;
    return r;
}

static void strict_equals_a_queue_of_single_lots_on_random_markets(void **state) {
    (void)state;
    static struct naive m;
    static struct report got[REPORTS_MAX];
    size_t n, fills = 0, makers = 0;
    for (int i = 0; i < SEQUENCES; i++) {
        uint64_t was = seed;
        struct run r = random_run();
        run_naive(&r, &m);
        run_sim(&r, 1, got, &n);
        if (n != m.n) printf("seed %llu\n", (unsigned long long)was);
        check_seat(&m, got, n);
        if (i % 16 == 0) check_conservation(&r, got, n);
        for (size_t k = 0; k < n; k++) {
            fills += got[k].status == REPORT_FILL;
            makers += got[k].maker;
        }
    }
    printf("%d sequences, %zu fills, %zu of them passive\n", SEQUENCES, fills, makers);
    assert_true(makers > SEQUENCES / 2);
}

static void many_seats_on_one_replay_give_the_bits_of_single_runs(void **state) {
    (void)state;
    static struct report one[REPORTS_MAX], many[3 * REPORTS_MAX];
    for (int i = 0; i < 500; i++) {
        struct run r = random_run();
        size_t n, k[3];
        run_sim(&r, 1, one, &n);
        run_sim(&r, 3, many, k);
        for (size_t s = 0; s < 3; s++) {
            assert_int_equal(k[s], n);
            assert_memory_equal(&many[s * REPORTS_MAX], one, n * sizeof *one);
        }
    }
}

int main(void) {
    printf("seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_equals_a_queue_of_single_lots_on_random_markets),
        cmocka_unit_test(many_seats_on_one_replay_give_the_bits_of_single_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
