/* Laws of the execution path on the shipped recording: what leaves does not depend on how the input
 * is cut into pieces, on who else trades, or on when it runs. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/ring.h"
#include "capture/tape/tape.h"
#include "execute/engine/engine.h"
#include "execute/sim/world.h"

static const char *const shipped = FATHOM_ROOT "/examples/data/btcusdt-20240808.tape";

/* ---- one tape, delivered in different ways ---- */

/* BLOCKS: as the tape's reader hands them out. SINGLE: one event at a time in a buffer that the
 * next call destroys. LIVE: from another thread, over a small ring that is now full and now empty.
 */
enum delivery { BLOCKS, SINGLE, LIVE };
enum { RING_SLOTS = 64, GROUP_MAX = 8 };

struct source {
    struct tape_reader *reader;
    const struct event *slots;
    size_t n, at;
    enum delivery how;
    struct event copy[GROUP_MAX];
    struct ring ring;
    void *memory;
    pthread_t feed;
    atomic_bool over, stop;
};

static const struct event *tape_next(struct source *s) {
    struct err_info e;
    while (s->at >= s->n) {
        s->at = 0;
        if (tape_reader_next(s->reader, &s->slots, &s->n, &e) != ERR_OK) return NULL;
    }
    const struct event *ev = &s->slots[s->at];
    s->at += event_slots(ev->kind);
    return ev;
}

/* The feed: whole events, in bursts whose length changes; a full ring is waited for. */
static void *feed(void *ctx) {
    struct source *s = ctx;
    uint64_t n = 0;
    for (const struct event *ev; (ev = tape_next(s)) != NULL && !atomic_load(&s->stop); n++) {
        while (!ring_put(&s->ring, ev, event_slots(ev->kind)) && !atomic_load(&s->stop))
            sched_yield();
        if (n % 977 == 0) sched_yield();
    }
    atomic_store(&s->over, true);
    return NULL;
}

static bool ring_slot(struct source *s, struct event *out) {
    const void *slots = NULL;
    for (;;) {
        bool over = atomic_load(&s->over); /* read before the ring: what is there then is all */
        if (ring_peek(&s->ring, &slots) > 0) break;
        if (over) return false;
        sched_yield();
    }
    memcpy(out, slots, sizeof *out);
    ring_drop(&s->ring, 1);
    return true;
}

static const struct event *source_next(void *ctx) {
    struct source *s = ctx;
    if (s->how == LIVE) {
        if (!ring_slot(s, s->copy)) return NULL;
        size_t slots = event_slots(s->copy[0].kind);
        for (size_t i = 1; i < slots; i++) assert_true(ring_slot(s, &s->copy[i]));
        return s->copy;
    }
    const struct event *ev = tape_next(s);
    if (!ev || s->how == BLOCKS) return ev;
    memset(s->copy, 0xA5, sizeof s->copy);
    memcpy(s->copy, ev, event_slots(ev->kind) * sizeof *ev);
    return s->copy;
}

static void source_open(struct source *s, const char *const *tapes, size_t n, enum delivery how) {
    struct tape_reader_options opt = {0};
    struct err_info e;
    memset(s, 0, sizeof *s);
    s->how = how;
    err_t code = n == 1 ? tape_reader_open(&s->reader, tapes[0], &opt, &e)
                        : tape_reader_open_merged(&s->reader, tapes, n, &opt, &e);
    assert_int_equal(code, ERR_OK);
    if (how != LIVE) return;
    s->memory = aligned_alloc(64, RING_SLOTS * sizeof(struct event));
    assert_non_null(s->memory);
    ring_init(&s->ring, s->memory, RING_SLOTS, sizeof(struct event));
    assert_int_equal(pthread_create(&s->feed, NULL, feed, s), 0);
}

static void source_close(struct source *s) {
    if (s->how == LIVE) {
        atomic_store(&s->stop, true);
        pthread_join(s->feed, NULL);
        free(s->memory);
    }
    tape_reader_close(s->reader);
}

/* ---- a run ---- */

struct outcome {
    struct engine_hashes hashes;
    struct blotter_counters orders;
    struct ledger ledger;
    uint64_t late;
};

struct seat {
    const char *strategy;
    struct engine_config cfg;
    struct engine *engine;
};

static struct engine_config config_of(const char *name, const struct instrument *in) {
    const char *bad, *why;
    struct engine_config c = {.inst = in,
        .strategy = strategy_find(name),
        .risk = {.order_max = 1000,
            .position_max = 500,
            .collar_e4 = 100 * 10000,
            .stale_ns = 5 * NS_PER_S,
            .rate_10s = 300,
            .rate_60s = 1200},
        .fees = {{RATE_ONE / 5000}, {RATE_ONE / 2000}},
        .deposit = {(int128)10000 * MONEY_ONE},
        .take_slip_e4 = 10 * 10000,
        .order_timeout_ns = NS_PER_S};
    assert_true(strategy_params_init(c.strategy, in, &c.params, &bad, &why));
    return c;
}

/* A bucket each second from the best quotes, for strategies that live on buckets. */
static void second(struct seat *s, const struct book *book, int64_t ts, int64_t *last_mid) {
    struct book_level bid, ask;
    if (!book_best(book, BOOK_BID, &bid) || !book_best(book, BOOK_ASK, &ask)) return;
    int64_t mid = (bid.px.ticks + ask.px.ticks) / 2;
    struct bucket b = {.id = ts / NS_PER_S,
        .close_ts = {ts},
        .open = {*last_mid ? *last_mid : mid},
        .close = {mid}};
    assert_int_equal(engine_on_bucket(s->engine, &b, NULL, 0, NULL), ERR_OK);
    *last_mid = mid;
}

static bool anchor_best(void *ctx, int side, struct book_level *out) {
    return world_local_best(ctx, side, out);
}

static void run(const char *const *tapes, size_t n, enum delivery how, enum sim_rules rules,
    const char *const *strategies, uint32_t seats, struct outcome *out) {
    struct source local, venue;
    size_t count;
    source_open(&local, tapes, n, how);
    source_open(&venue, tapes, n, how);
    struct instrument in = tape_reader_instruments(local.reader, &count)[0];
    struct world_config wc = {.inst = &in,
        .rules = (uint8_t)rules,
        .print_kind = EV_TRADE,
        .seats = seats,
        .queue = {.model = QUEUE_RISK},
        .entry_new_ns = 2 * NS_PER_MS,
        .entry_cancel_ns = NS_PER_MS,
        .response_ns = 3 * NS_PER_MS,
        .clock_offset_ns = -1272548721,
        .reorder_ns = NS_PER_S,
        .stop_late = true};
    struct world_source ls = {&local, source_next}, vs = {&venue, source_next};
    void *wm = aligned_alloc(64, (world_mem_size(&wc) + 63) & ~(size_t)63);
    struct world *w = world_init(wm, &wc, &ls, &vs);
    void *bm = aligned_alloc(64, (book_mem_size(&wc.book) + 63) & ~(size_t)63);
    struct book *book = book_init(bm, &wc.book, in.venue);
    struct seat seat[4];
    int64_t next = 0, mid[4] = {0};
    for (uint32_t k = 0; k < seats; k++) {
        seat[k].cfg = config_of(strategies[k], &in);
        struct engine_io io = {.port = world_port(w, k),
            .book = book,
            .best = rules == SIM_ANCHOR ? anchor_best : NULL,
            .best_ctx = w};
        size_t size = (engine_mem_size(&seat[k].cfg) + 63) & ~(size_t)63;
        seat[k].engine = engine_init(aligned_alloc(64, size), &seat[k].cfg, &io);
        world_timer(w, k, engine_timer_ns(seat[k].engine));
    }
    const struct event *ev;
    uint32_t to;
    enum world_result end;
    struct book_change change;
    while ((end = world_next(w, &ev, &to)) == WORLD_EVENT) {
        if (to != WORLD_ALL) {
            assert_int_equal(engine_on_event(seat[to].engine, ev), ERR_OK);
            continue;
        }
        for (; next > 0 && next <= ev->ts_local.ns; next += NS_PER_S) {
            for (uint32_t k = 0; k < seats; k++) second(&seat[k], book, next, &mid[k]);
        }
        if (next == 0) next = ev->ts_local.ns - ev->ts_local.ns % NS_PER_S + NS_PER_S;
        book_apply(book, ev, &change);
        for (uint32_t k = 0; k < seats; k++) {
            assert_int_equal(engine_on_event(seat[k].engine, ev), ERR_OK);
        }
    }
    assert_int_equal(end, WORLD_END);
    for (uint32_t k = 0; k < seats; k++) {
        out[k] = (struct outcome){*engine_hashes(seat[k].engine),
            engine_blotter(seat[k].engine)->counters, *engine_ledger(seat[k].engine),
            world_counters(w)->late};
        assert_true(ledger_check(engine_ledger(seat[k].engine)));
        free(seat[k].engine);
    }
    free(bm);
    free(wm);
    source_close(&local);
    source_close(&venue);
}

static const char *const all[] = {"quoter", "grid", "momentum"};

/* ---- the laws ---- */

/* The recording cut into pieces at arbitrary places inside messages, each its own raw tape. */
static size_t cut(char (*path)[64], size_t pieces) {
    char dir[] = "/tmp/execute-laws-XXXXXX";
    assert_non_null(mkdtemp(dir));
    const char *tapes[1] = {shipped};
    struct source s;
    struct err_info e;
    size_t count, at = 0, total = 0;
    source_open(&s, tapes, 1, BLOCKS);
    total = tape_reader_events(s.reader);
    for (size_t p = 0; p < pieces; p++) {
        struct tape_writer *w;
        struct tape_writer_options opt = {.raw = p % 2 == 0};
        struct instrument in = tape_reader_instruments(s.reader, &count)[0];
        snprintf(path[p], sizeof path[p], "%s/%zu", dir, p);
        assert_int_equal(tape_writer_open(&w, path[p], &opt, NULL, &e), ERR_OK);
        assert_int_equal(tape_writer_instrument(w, &in, &e), ERR_OK);
        for (; at < total * (p + 1) / pieces; at++) {
            const struct event *ev = source_next(&s);
            assert_non_null(ev);
            assert_int_equal(tape_writer_append(w, ev, event_slots(ev->kind), &e), ERR_OK);
        }
        assert_int_equal(tape_writer_close(w, &e), ERR_OK);
    }
    tape_reader_close(s.reader);
    return pieces;
}

static void equal(const struct outcome *a, const struct outcome *b) {
    assert_memory_equal(&a->hashes, &b->hashes, sizeof a->hashes);
    assert_memory_equal(&a->orders, &b->orders, sizeof a->orders);
    assert_memory_equal(&a->ledger, &b->ledger, sizeof a->ledger);
}

static void results_do_not_depend_on_how_the_input_is_cut(void **state) {
    (void)state;
    static const enum sim_rules rules[] = {SIM_STRICT, SIM_ANCHOR};
    char path[5][64];
    const char *tape[5];
    size_t n = cut(path, 5);
    for (size_t i = 0; i < n; i++) tape[i] = path[i];
    for (int r = 0; r < 2; r++) {
        struct outcome whole[3], single[3], live[3], pieces[3], both[3];
        run(&shipped, 1, BLOCKS, rules[r], all, 3, whole);
        run(&shipped, 1, SINGLE, rules[r], all, 3, single);
        run(&shipped, 1, LIVE, rules[r], all, 3, live);
        run(tape, n, BLOCKS, rules[r], all, 3, pieces);
        run(tape, n, LIVE, rules[r], all, 3, both);
        for (int k = 0; k < 3; k++) {
            equal(&whole[k], &single[k]);
            equal(&whole[k], &live[k]);
            equal(&whole[k], &pieces[k]);
            equal(&whole[k], &both[k]);
            assert_true(whole[k].orders.fills > 0);
            assert_int_equal(whole[k].late, 0);
        }
    }
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -r %.*s", (int)(strlen(path[0]) - 2), path[0]);
    assert_int_equal(system(cmd), 0);
}

static void a_strategy_in_company_trades_as_if_alone(void **state) {
    (void)state;
    struct outcome together[3], alone;
    run(&shipped, 1, BLOCKS, SIM_STRICT, all, 3, together);
    for (int k = 0; k < 3; k++) {
        run(&shipped, 1, BLOCKS, SIM_STRICT, &all[k], 1, &alone);
        printf("%s: %llu orders, %llu fills\n", all[k], (unsigned long long)alone.orders.sent,
            (unsigned long long)alone.orders.fills);
        equal(&together[k], &alone);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_do_not_depend_on_how_the_input_is_cut),
        cmocka_unit_test(a_strategy_in_company_trades_as_if_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
