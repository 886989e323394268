/* The `anchor` rule set against hftbacktest: fill for fill on its own BTCUSDT and ETHUSDT samples.
 *
 * The expected counts and checksums were produced by its core (FNV-1a over venue time, side, price
 * in ticks, quantity in lots of each fill, by rising order id within a step of 100 ms).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/tape/import.h"
#include "capture/tape/tape.h"
#include "execute/engine/engine.h"
#include "execute/sim/anchor_book.h"
#include "execute/sim/world.h"
#include "shared.h"

struct recording { /* the whole tape in memory: small */
    struct event *ev;
    size_t n;
    struct instrument inst;
    int64_t offset;
};

struct cursor {
    const struct recording *rec;
    size_t at;
};

static const struct event *cursor_next(void *ctx) {
    struct cursor *c = ctx;
    while (c->at < c->rec->n) {
        const struct event *ev = &c->rec->ev[c->at];
        c->at += event_slots(ev->kind);
        if (ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END || ev->kind == EV_TRADE) return ev;
    }
    return NULL;
}

static void load(const char *raw, struct recording *r) {
    char dir[] = "/tmp/anchor-oracle-XXXXXX", tape[64], cmd[128];
    struct err_info e;
    assert_non_null(mkdtemp(dir));
    snprintf(tape, sizeof tape, "%s/tape", dir);
    struct import_options opt = {.files = &raw,
        .n_files = 1,
        .to = tape,
        .jump_ppm = IMPORT_JUMP_PPM,
        .latency_ns = IMPORT_LATENCY_NS};
    struct import_report report;
    assert_int_equal(import_run(&opt, &report, &e), ERR_OK);
    import_report_fini(&report);
    struct tape_reader *t;
    struct tape_reader_options ropt = {0};
    assert_int_equal(tape_reader_open(&t, tape, &ropt, &e), ERR_OK);
    size_t n, cap = 1 << 20;
    memset(r, 0, sizeof *r);
    r->ev = malloc(cap * sizeof *r->ev);
    r->inst = tape_reader_instruments(t, &n)[0];
    const struct event *slots;
    while (tape_reader_next(t, &slots, &n, &e) == ERR_OK) {
        assert_true(r->n + n <= cap);
        memcpy(&r->ev[r->n], slots, n * sizeof *slots);
        r->n += n;
    }
    tape_reader_close(t);
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    assert_int_equal(system(cmd), 0);
    /* The shift of the data: least local minus venue time of the events that are used. */
    struct cursor c = {r, 0};
    r->offset = INT64_MAX;
    for (const struct event *ev; (ev = cursor_next(&c)) != NULL;) {
        int64_t lag = ev->ts_local.ns - ev->ts_venue.ns;
        if (lag < r->offset) r->offset = lag;
    }
}

struct got_fill {
    int64_t id, ts, side, tick, lots;
};

struct run {
    struct anchor_book *local;
    struct got_fill step[64];
    size_t step_fills, fills;
    uint64_t checksum;
    int64_t tick, lot;
};

static bool local_best(void *ctx, int side, struct book_level *out) {
    const struct run *r = ctx;
    int64_t px = r->local->best[side];
    if (px == ANCHOR_NO_BID || px == ANCHOR_NO_ASK) return false;
    *out = (struct book_level){{px}, {anchor_book_at(r->local, side, px)}};
    return true;
}

static void fnv(uint64_t *h, int64_t v) {
    for (int i = 0; i < 8; i++) { *h = (*h ^ (((uint64_t)v >> (8 * i)) & 255u)) * 0x100000001b3u; }
}

static int by_id(const void *a, const void *b) {
    int64_t x = ((const struct got_fill *)a)->id, y = ((const struct got_fill *)b)->id;
    return (x > y) - (x < y);
}

static void end_step(struct run *r) {
    qsort(r->step, r->step_fills, sizeof r->step[0], by_id);
    for (size_t i = 0; i < r->step_fills; i++) {
        const struct got_fill *f = &r->step[i];
        fnv(&r->checksum, f->ts);
        fnv(&r->checksum, f->side);
        fnv(&r->checksum, f->tick);
        fnv(&r->checksum, f->lots);
        r->fills++;
    }
    r->step_fills = 0;
}

static void sink(void *ctx, const struct engine_record *rec) {
    struct run *r = ctx;
    if (rec->kind != RECORD_FILL) return;
    const struct fill_record *f = rec->fill;
    assert_true(r->step_fills < 64);
    r->step[r->step_fills++] = (struct got_fill){f->order_id, f->ts_venue.ns,
        f->side == SIDE_BUY ? 1 : -1, f->px.ticks / r->tick, f->qty.lots / r->lot};
}

struct want {
    uint8_t queue;
    int64_t entry_ms, response_ms;
    const char *q, *limit, *power;
    uint64_t fills, checksum;
    uint64_t orders, cancels, expired; /* 0 = not stated */
    int64_t position;
    int64_t balance_e3, fee_e8;
};

static struct engine_config config_of(const struct recording *rec, const struct want *w) {
    const char *why;
    struct engine_config c = {.inst = &rec->inst,
        .strategy = strategy_find("quoter"),
        .fees = {.maker = {-RATE_ONE / 20000}, .taker = {RATE_ONE / 10000 * 7}}};
    assert_non_null(c.strategy);
    assert_true(strategy_param_set(c.strategy, &rec->inst, "quantity", w->q, &c.params, &why));
    assert_true(
        strategy_param_set(c.strategy, &rec->inst, "position_max", w->limit, &c.params, &why));
    assert_true(strategy_param_set(c.strategy, &rec->inst, "period_ms", "100", &c.params, &why));
    return c;
}

static void check_run(const struct recording *rec, const struct want *w) {
    struct world_config wc = {.inst = &rec->inst,
        .rules = SIM_ANCHOR,
        .print_kind = EV_TRADE,
        .timers_from_start = true,
        .queue = {.model = w->queue,
            .power = atof(w->power),
            .unit = instrument_qty_unit(&rec->inst)},
        .entry_new_ns = w->entry_ms * NS_PER_MS,
        .entry_cancel_ns = w->entry_ms * NS_PER_MS,
        .response_ns = w->response_ms * NS_PER_MS,
        .clock_offset_ns = rec->offset,
        .reorder_ns = 5 * NS_PER_S};
    struct engine_config ec = config_of(rec, w);
    struct cursor local = {rec, 0}, venue = {rec, 0};
    struct world_source ls = {&local, cursor_next}, vs = {&venue, cursor_next};
    void *wm = aligned_alloc(64, world_mem_size(&wc) + 64), *em = malloc(engine_mem_size(&ec));
    struct run *r = calloc(1, sizeof *r);
    r->checksum = 0xcbf29ce484222325u;
    r->tick = rec->inst.tick_units;
    r->lot = rec->inst.lot_units;
    r->local = malloc(anchor_book_size(ANCHOR_SLOTS));
    anchor_book_init(r->local, ANCHOR_SLOTS, r->tick);
    struct world *world = world_init(wm, &wc, &ls, &vs);
    struct engine_io io = {.port = world_port(world, 0),
        .best = local_best,
        .best_ctx = r,
        .sink = sink,
        .sink_ctx = r};
    struct engine *e = engine_init(em, &ec, &io);
    world_timer(world, 0, engine_timer_ns(e));
    const struct event *ev;
    uint32_t seat;
    enum world_result end;
    while ((end = world_next(world, &ev, &seat)) == WORLD_EVENT) {
        if (seat == WORLD_ALL) anchor_book_apply(r->local, ev, NULL, NULL);
        if (ev->kind == EV_TIMER) end_step(r);
        assert_int_equal(engine_on_event(e, ev), ERR_OK);
    }
    end_step(r);
    const struct blotter_counters *n = &engine_blotter(e)->counters;
    const struct ledger *l = engine_ledger(e);
    printf("%s %s %d/%d ms: %zu fills %016llx, %llu orders, %llu cancels, %llu expired, "
           "position %lld, steps %llu\n",
        rec->inst.symbol, queue_name(w->queue), (int)w->entry_ms, (int)w->response_ms, r->fills,
        (unsigned long long)r->checksum, (unsigned long long)n->sent,
        (unsigned long long)n->canceled, (unsigned long long)n->expired, (long long)l->position,
        (unsigned long long)engine_counters(e)->timers);
    assert_int_equal(end, WORLD_END);
    assert_int_equal(world_counters(world)->late, 0);
    assert_int_equal(r->fills, w->fills);
    assert_int_equal(r->checksum, w->checksum);
    assert_true(ledger_check(l));
    if (w->orders) {
        assert_int_equal(n->sent, w->orders);
        assert_int_equal(n->canceled, w->cancels);
        assert_int_equal(n->expired, w->expired);
        assert_int_equal(l->position / r->lot, w->position);
        assert_int_equal((l->cash.e12 + l->fees.e12) / (MONEY_ONE / 1000), w->balance_e3);
        assert_int_equal(l->fees.e12 / (MONEY_ONE / 100000000), w->fee_e8);
    }
    free(r->local);
    free(r);
    free(em);
    free(wm);
}

static const struct want btc[] = {
    {QUEUE_RISK, 2, 3, "0.01", "0.1", "0", 417, 0xc4cc8c3d56b75d6b, 743, 294, 30, -30, 1826221,
        -1286902675},
    {QUEUE_LOG, 2, 3, "0.01", "0.1", "0", 471, 0x64c219dd02ee6aa3, 798, 294, 31, -10, 595372,
        -1453560970},
    {QUEUE_LOG2, 2, 3, "0.01", "0.1", "0", 433, 0xa30c14491598bfda, 757, 292, 30, -10, 593642,
        -1336257050},
    {QUEUE_POWER, 2, 3, "0.01", "0.1", "2", 450, 0x4ae529f3c0c97e17, 777, 294, 31, -20, 1209788,
        -1388715520},
    {QUEUE_POWER2, 2, 3, "0.01", "0.1", "2", 495, 0xe75701c152afc99e, 823, 295, 31, -30, 1827416,
        -1527614620},
    {QUEUE_POWER3, 2, 3, "0.01", "0.1", "3", 420, 0x2d342b01e963d7b2, 746, 294, 30, -20, 1209714,
        -1296155390},
    {QUEUE_RISK, 0, 0, "0.01", "0.1", "0", 426, 0xdf7f630272a495b0, 0, 0, 0, 0, 0, 0},
    {QUEUE_LOG, 0, 0, "0.01", "0.1", "0", 479, 0xf5b10872e335e259, 0, 0, 0, 0, 0, 0},
    {QUEUE_LOG2, 0, 0, "0.01", "0.1", "0", 441, 0xc0793e892d7e29fd, 0, 0, 0, 0, 0, 0},
    {QUEUE_POWER, 0, 0, "0.01", "0.1", "2", 458, 0xf849d2c54488695a, 0, 0, 0, 0, 0, 0},
    {QUEUE_POWER2, 0, 0, "0.01", "0.1", "2", 503, 0x33e7e58de184aa8e, 0, 0, 0, 0, 0, 0},
    {QUEUE_POWER3, 0, 0, "0.01", "0.1", "3", 428, 0xd19d119aa46abe67, 0, 0, 0, 0, 0, 0},
};

static void anchor_equals_hftbacktest_fill_for_fill_on_btc(void **state) {
    (void)state;
    SHARED_OR_SKIP("data/raw/binance-usdm/btcusdt_20240808.gz", path);
    struct recording rec;
    load(path, &rec);
    for (size_t i = 0; i < sizeof btc / sizeof btc[0]; i++) check_run(&rec, &btc[i]);
    free(rec.ev);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anchor_equals_hftbacktest_fill_for_fill_on_btc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
