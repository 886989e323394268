/* An anchor world over prepared rows against the same world over the tape's two cursors: every
 * report and every timer of a seat, and what our side and the exchange show then. Answers without
 * latency to several seats by one message come seat by seat, not level by level: no seat can tell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "execute/sim/anchor_book.h"
#include "execute/sim/sim_testing.h"
#include "execute/sim/world_rows.h"

enum { MARKETS = 1000, SEATS = 3, REQUESTS = 40, SEEN_MAX = 512, LEVELS_MAX = 12 };

static uint64_t seed = 8082024;

static uint64_t rnd(uint64_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

/* ---- a market whose venue order is not its tape order ---- */

static void stamp(struct event *ev, int64_t local_us, int64_t lag_us) {
    ev->ts_local.ns = local_us * 1000;
    ev->ts_venue.ns = (local_us - lag_us) * 1000;
}

static void add_message(struct script *s, int64_t local_us, int64_t lag_us, int64_t mid) {
    struct script_level level[LEVELS_MAX];
    bool snapshot = rnd(40) == 0;
    size_t n = 1 + rnd(snapshot ? LEVELS_MAX : 5), from = s->n;
    for (size_t i = 0; i < n; i++) {
        bool buy = rnd(2) == 0;
        int64_t away = (int64_t)rnd(6) - (rnd(8) == 0 ? 2 : 0);
        int64_t qty = !snapshot && rnd(3) == 0 ? 0 : 1 + (int64_t)rnd(20);
        level[i] = (struct script_level){
            buy ? EVF_BUY : EVF_SELL, buy ? mid - 1 - away : mid + 1 + away, qty};
    }
    script_message(s, 0, snapshot ? EVF_SNAPSHOT : 0, level, n);
    for (size_t i = from; i < s->n; i++) stamp(&s->ev[i], local_us, lag_us);
}

static void random_market(struct script *s) {
    int64_t local_us = 5000, mid = 100;
    memset(s, 0, sizeof *s);
    for (int i = 0; i < 120; i++) {
        int64_t lag_us = rnd(4) == 0 ? 0 : (int64_t)rnd(12) * 100;
        if (rnd(3) != 0) local_us += (int64_t)rnd(8) * 100;
        mid += (int64_t)rnd(3) - 1;
        switch (rnd(6)) {
        case 0:
        case 1:
            script_print(
                s, 0, rnd(2) ? EVF_BUY : EVF_SELL, mid + (int64_t)rnd(7) - 3, 1 + (int64_t)rnd(15));
            if (rnd(10) == 0) s->ev[s->n - 1].flags |= EVF_NON_MARKET;
            stamp(&s->ev[s->n - 1], local_us, lag_us);
            break;
        case 2:
            if (rnd(5) == 0) { /* a depth message without levels */
                (void)script_add(s, 0, EV_DEPTH_END, EVF_FIRST | EVF_LAST, 0, 0);
                stamp(&s->ev[s->n - 1], local_us, lag_us);
                break;
            }
            add_message(s, local_us, lag_us, mid);
            break;
        default: add_message(s, local_us, lag_us, mid); break;
        }
    }
}

static void random_requests(struct order_request *q) {
    int64_t us = 5000, id[SEATS] = {0};
    for (size_t i = 0; i < REQUESTS; i++) {
        uint32_t seat = (uint32_t)(i % SEATS);
        us += (int64_t)rnd(8) * 200;
        q[i] = (struct order_request){.id = ++id[seat],
            .px = {97 + (int64_t)rnd(8)},
            .qty = {1 + (int64_t)rnd(9)},
            .ts_sent = {us * 1000},
            .kind = REQUEST_NEW,
            .side = (uint8_t)rnd(2),
            .type = ORDER_LIMIT,
            .tif = (uint8_t)rnd(4)};
        if (id[seat] > 1 && rnd(3) == 0) {
            q[i].kind = rnd(2) ? REQUEST_CANCEL : REQUEST_MODIFY;
            q[i].id = 1 + (int64_t)rnd((uint64_t)id[seat]);
        }
    }
}

/* ---- what a strategy could see ---- */

struct seen {
    int64_t ts;
    uint64_t kind;
    struct report report; /* of a report */
    struct book_level ours[2], theirs[2];
};

struct record {
    struct seen seen[SEATS][SEEN_MAX];
    size_t n[SEATS];
    enum world_result end;
    struct world_counters counters;
};

static void look(struct record *r, const struct world *w, const struct event *ev, uint32_t seat) {
    assert_true(r->n[seat] < SEEN_MAX);
    struct seen *s = &r->seen[seat][r->n[seat]++];
    memset(s, 0, sizeof *s);
    s->ts = ev->ts_local.ns;
    s->kind = ev->kind;
    if (ev->kind == EV_ORDER_REPORT) report_decode(ev, &s->report);
    for (int side = 0; side < 2; side++) {
        (void)world_local_best(w, side, &s->ours[side]);
        /* an answer without latency comes within the message that fills: rows take it whole */
        if (ev->kind == EV_TIMER) (void)world_best(w, side, &s->theirs[side]);
    }
}

static const struct event *nothing(void *ctx) {
    (void)ctx;
    return NULL;
}

static struct world_rows *prepare(const struct script *s) {
    struct world_rows_need need = {0};
    for (size_t i = 0; i < s->n; i++) {
        if (world_rows_wants(&script_inst, EV_TRADE, &s->ev[i])) world_rows_count(&need, &s->ev[i]);
    }
    void *mem = aligned_alloc(64, (world_rows_size(&need) + 63) & ~(size_t)63);
    struct world_rows *rows = world_rows_begin(mem, &need, &script_inst, EV_TRADE, 0);
    for (size_t i = 0; i < s->n; i++) {
        if (!world_rows_wants(&script_inst, EV_TRADE, &s->ev[i])) continue;
        assert_true(world_rows_add(rows, &s->ev[i]));
    }
    world_rows_end(rows);
    assert_int_equal(rows->messages, need.messages);
    assert_int_equal(rows->levels, need.levels);
    return rows;
}

static void run_world(const struct script *s, const struct world_config *base,
    const struct order_request *q, bool prepared, struct record *out) {
    struct world_config cfg = *base;
    struct script local = *s, venue = *s;
    struct world_rows *rows = prepared ? prepare(s) : NULL;
    cfg.rows = rows;
    void *mem = aligned_alloc(64, (world_mem_size(&cfg) + 63) & ~(size_t)63);
    struct world_source ls = {&local, prepared ? nothing : script_next};
    struct world_source vs = {&venue, prepared ? nothing : script_next};
    struct world *w = world_init(mem, &cfg, &ls, &vs);
    for (size_t i = 0; i < REQUESTS; i++) {
        struct order_port port = world_port(w, (uint32_t)(i % SEATS));
        assert_true(port.send(port.ctx, &q[i]));
    }
    world_timer(w, 0, 700000);
    world_timer(w, 2, 1000000);
    const struct event *ev;
    uint32_t seat;
    memset(out, 0, sizeof *out);
    while ((out->end = world_next(w, &ev, &seat)) == WORLD_EVENT) {
        if (seat != WORLD_ALL) look(out, w, ev, seat);
    }
    out->counters = *world_counters(w);
    free(mem);
    free(rows);
}

static void rows_tell_every_seat_what_the_two_cursors_tell(void **state) {
    (void)state;
    static struct record one, two;
    static struct script s;
    struct order_request q[REQUESTS];
    uint64_t fills = 0, timers = 0;
    for (int i = 0; i < MARKETS; i++) {
        uint64_t was = seed;
        random_market(&s);
        random_requests(q);
        struct world_config cfg = {.inst = &script_inst,
            .rules = SIM_ANCHOR,
            .print_kind = EV_TRADE,
            .timers_from_start = rnd(2) == 0,
            .seats = SEATS,
            .queue = {.model = (uint8_t)rnd(QUEUE_FIFO), .power = 2, .unit = 1},
            .entry_new_ns = (int64_t)rnd(4) * 500000,
            .entry_cancel_ns = (int64_t)rnd(4) * 500000,
            .response_ns = (int64_t)rnd(4) * 500000,
            .reorder_ns = NS_PER_S,
            .reorder_slots = 4096,
            .crowded = i % 2 == 1};
        run_world(&s, &cfg, q, false, &one);
        run_world(&s, &cfg, q, true, &two);
        for (int k = 0; k < SEATS; k++) {
            size_t bytes = one.n[k] * sizeof one.seen[k][0];
            if (one.n[k] != two.n[k] || memcmp(one.seen[k], two.seen[k], bytes) != 0) {
                printf("seed %llu\n", (unsigned long long)was);
            }
            assert_int_equal(one.n[k], two.n[k]);
            assert_memory_equal(one.seen[k], two.seen[k], bytes);
        }
        assert_int_equal(one.end, WORLD_END);
        assert_int_equal(two.end, WORLD_END);
        assert_int_equal(one.counters.fills, two.counters.fills);
        assert_int_equal(one.counters.prints, two.counters.prints);
        fills += one.counters.fills;
        for (size_t k = 0; k < one.n[0]; k++) timers += one.seen[0][k].kind == EV_TIMER;
    }
    printf("%d markets, %llu fills, %llu timers\n", MARKETS, (unsigned long long)fills,
        (unsigned long long)timers);
    assert_true(fills > MARKETS && timers > MARKETS);
}

static void a_level_that_cannot_be_is_not_prepared(void **state) {
    (void)state;
    static struct script s;
    memset(&s, 0, sizeof s);
    (void)script_add(&s, 1, EV_DEPTH, EVF_FIRST | EVF_LAST, 100, 1); /* without a side */
    (void)script_add(&s, 1, EV_DEPTH, EVF_BUY | EVF_SELL | EVF_FIRST | EVF_LAST, 100, 1);
    (void)script_add(&s, 1, EV_DEPTH, EVF_BUY | EVF_FIRST | EVF_LAST, 100, -1);
    for (size_t i = 0; i < s.n; i++) {
        struct world_rows_need need = {0};
        world_rows_count(&need, &s.ev[i]);
        void *mem = aligned_alloc(64, (world_rows_size(&need) + 63) & ~(size_t)63);
        struct world_rows *rows = world_rows_begin(mem, &need, &script_inst, EV_TRADE, 0);
        assert_false(world_rows_add(rows, &s.ev[i]));
        free(mem);
    }
}

/* One-level messages, each further from the best than the last. */
struct far_levels {
    struct event ev;
    int64_t n;
};

static const struct event *far_next(void *ctx) {
    struct far_levels *f = ctx;
    if (f->n > ANCHOR_OUTER_MAX + 1) return NULL;
    int64_t px = f->n == 0 ? 1 : 10 * (int64_t)ANCHOR_WINDOW + f->n;
    f->ev = (struct event){.ts_venue = {1000 + f->n},
        .ts_local = {2000 + f->n},
        .px = {px},
        .qty = {1},
        .kind = EV_DEPTH,
        .flags = EVF_SELL | EVF_FIRST | EVF_LAST};
    f->n++;
    return &f->ev;
}

static void a_book_that_cannot_hold_its_levels_ends_the_run(void **state) {
    (void)state;
    static struct far_levels local, venue;
    struct world_config cfg = {
        .inst = &script_inst, .rules = SIM_ANCHOR, .print_kind = EV_TRADE, .reorder_ns = 100};
    void *mem = aligned_alloc(64, (world_mem_size(&cfg) + 63) & ~(size_t)63);
    struct world_source ls = {&local, far_next}, vs = {&venue, far_next};
    struct world *w = world_init(mem, &cfg, &ls, &vs);
    const struct event *ev;
    uint32_t seat;
    enum world_result end;
    while ((end = world_next(w, &ev, &seat)) == WORLD_EVENT) {}
    assert_int_equal(end, WORLD_BOOK_FULL);
    free(mem);
}

int main(void) {
    printf("seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_tell_every_seat_what_the_two_cursors_tell),
        cmocka_unit_test(a_book_that_cannot_hold_its_levels_ends_the_run),
        cmocka_unit_test(a_level_that_cannot_be_is_not_prepared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
