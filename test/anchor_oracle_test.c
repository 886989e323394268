/* The `anchor` rule set against hftbacktest: fill for fill on its own BTCUSDT and ETHUSDT samples.
 *
 * The expected counts and checksums were produced by its core (FNV-1a over venue time, side, price
 * in ticks, quantity in lots of each fill, by rising order id within a step of 100 ms).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/tape/import.h"
#include "capture/tape/tape.h"
#include "execute/engine/engine.h"
#include "execute/sim/anchor_sum.h"
#include "execute/sim/world.h"
#include "execute/sim/world_rows.h"
#include "shared.h"

struct recording { /* the whole tape in memory: small */
    struct event *ev;
    size_t n;
    struct instrument inst;
    int64_t offset;
    struct world_rows *rows;
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

static void load(const char *tape, struct recording *r) {
    struct err_info e;
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
    /* The shift of the data: least local minus venue time of the events that are used. */
    struct cursor c = {r, 0};
    r->offset = INT64_MAX;
    for (const struct event *ev; (ev = cursor_next(&c)) != NULL;) {
        int64_t lag = ev->ts_local.ns - ev->ts_venue.ns;
        if (lag < r->offset) r->offset = lag;
    }
    if (r->offset > 0) r->offset = 0; /* only a clock that runs behind is shifted */
    struct world_rows_need need = {0};
    c.at = 0;
    for (const struct event *ev; (ev = cursor_next(&c)) != NULL;) {
        if (world_rows_wants(&r->inst, EV_TRADE, ev)) world_rows_count(&need, ev);
    }
    void *mem = aligned_alloc(64, (world_rows_size(&need) + 63) & ~(size_t)63);
    r->rows = world_rows_begin(mem, &need, &r->inst, EV_TRADE, r->offset);
    c.at = 0;
    for (const struct event *ev; (ev = cursor_next(&c)) != NULL;) {
        if (world_rows_wants(&r->inst, EV_TRADE, ev)) assert_true(world_rows_add(r->rows, ev));
    }
    world_rows_end(r->rows);
    assert_int_equal(r->rows->messages, need.messages);
}

static void unload(struct recording *r) {
    free(r->rows);
    free(r->ev);
}

static const struct event *nothing(void *ctx) {
    (void)ctx;
    return NULL;
}

struct run {
    struct world *world;
    struct anchor_sum sum;
    int64_t step_ns;
};

static bool local_best(void *ctx, int side, struct book_level *out) {
    return world_local_best(((const struct run *)ctx)->world, side, out);
}

static void sink(void *ctx, const struct engine_record *rec) {
    struct run *r = ctx;
    if (rec->kind != RECORD_FILL) return;
    const struct fill_record *f = rec->fill;
    struct anchor_fill fill = {f->order_id, f->ts_venue.ns, f->px, f->qty, f->side};
    anchor_sum_fill(&r->sum, &fill);
}

extern const struct strategy strategy_anchor_grid;
extern const struct strategy strategy_quoter;

struct want {
    const struct strategy *strategy;
    uint8_t queue;
    int64_t entry_ms, response_ms;
    const char *q, *limit, *power;
    uint64_t fills, checksum;
    uint64_t orders, cancels, expired; /* 0 = not stated */
    int64_t position;
    int64_t balance_e3, fee_e8, dies_ns; /* dies_ns: with partial fills, when code 14 ends it */
};

static struct engine_config config_of(const struct recording *rec, const struct want *w) {
    const char *why, *bad;
    struct engine_config c = {.inst = &rec->inst,
        .strategy = w->strategy,
        .fees = {.maker = {-RATE_ONE / 20000}, .taker = {RATE_ONE / 10000 * 7}}};
    assert_non_null(c.strategy);
    assert_true(strategy_params_init(c.strategy, &rec->inst, &c.params, &bad, &why));
    assert_true(strategy_param_set(c.strategy, &rec->inst, "quantity", w->q, &c.params, &why));
    assert_true(
        strategy_param_set(c.strategy, &rec->inst, "position_max", w->limit, &c.params, &why));
    assert_true(strategy_param_set(c.strategy, &rec->inst, "period_ms", "100", &c.params, &why));
    return c;
}

/* The reference's clock stands at the step in which it died, on its shifted axis. */
static void check_step_of_death(
    const struct recording *rec, const struct run *r, enum world_result end, int64_t dies_ns) {
    int64_t fault_ns = world_fault(r->world)->venue_ns;
    assert_int_equal(end, WORLD_ORDER_STATUS);
    assert_int_equal(r->step_ns - rec->offset, dies_ns);
    assert_true(fault_ns > dies_ns && fault_ns <= dies_ns + 100 * NS_PER_MS);
}

static void check_money(const struct engine *e, const struct run *r, const struct want *w) {
    const struct blotter_counters *n = &engine_blotter((struct engine *)(uintptr_t)e)->counters;
    const struct ledger *l = engine_ledger(e);
    assert_true(ledger_check(l));
    if (w->orders == 0) return;
    assert_int_equal(n->sent, w->orders);
    bool asked = w->strategy == &strategy_anchor_grid; /* the peer's grid counts requests */
    assert_int_equal(asked ? n->cancels_sent : n->canceled, w->cancels);
    if (!asked) assert_int_equal(n->expired, w->expired);
    assert_int_equal(l->position / r->sum.lot, w->position);
    assert_int_equal((l->cash.e12 + l->fees.e12) / (MONEY_ONE / 1000), w->balance_e3);
    assert_int_equal(l->fees.e12 / (MONEY_ONE / 100000000), w->fee_e8);
}

/* The stage hashes; over the tape's two cursors, or over prepared rows. */
static struct engine_hashes run_once(
    const struct recording *rec, const struct want *w, bool prepared) {
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
        .partial = w->dies_ns ? ANCHOR_PARTIAL : (struct anchor_partial){0},
        .clock_offset_ns = rec->offset,
        .reorder_ns = 5 * NS_PER_S,
        .rows = prepared ? rec->rows : NULL};
    struct engine_config ec = config_of(rec, w);
    struct cursor local = {rec, 0}, venue = {rec, 0};
    struct world_source ls = {&local, prepared ? nothing : cursor_next};
    struct world_source vs = {&venue, prepared ? nothing : cursor_next};
    void *wm = aligned_alloc(64, world_mem_size(&wc) + 64), *em = malloc(engine_mem_size(&ec));
    struct run *r = calloc(1, sizeof *r);
    anchor_sum_init(&r->sum, &rec->inst);
    struct world *world = r->world = world_init(wm, &wc, &ls, &vs);
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
        if (ev->kind == EV_TIMER) anchor_sum_step(&r->sum);
        if (ev->kind == EV_TIMER) r->step_ns = ev->ts_local.ns;
        assert_int_equal(engine_on_event(e, ev), ERR_OK);
    }
    anchor_sum_end(&r->sum);
    const struct blotter_counters *n = &engine_blotter(e)->counters;
    const struct ledger *l = engine_ledger(e);
    printf("%s %s %d/%d ms%s: %llu fills %016llx, %llu orders, %llu cancels, %llu expired, "
           "position %lld, steps %llu\n",
        rec->inst.symbol, queue_name(w->queue), (int)w->entry_ms, (int)w->response_ms,
        prepared ? ", prepared" : "", (unsigned long long)r->sum.fills,
        (unsigned long long)r->sum.hash, (unsigned long long)n->sent,
        (unsigned long long)n->canceled, (unsigned long long)n->expired, (long long)l->position,
        (unsigned long long)engine_counters(e)->timers);
    struct engine_hashes hashes = *engine_hashes(e);
    assert_int_equal(r->sum.overflow, 0);
    assert_int_equal(r->sum.fills, w->fills);
    if (w->checksum) assert_int_equal(r->sum.hash, w->checksum);
    if (w->dies_ns) {
        check_step_of_death(rec, r, end, w->dies_ns);
        assert_int_equal(n->sent, w->orders);
        assert_int_equal(n->canceled, w->cancels);
        assert_int_equal(n->expired, w->expired);
        assert_int_equal(engine_ledger(e)->position / rec->inst.lot_units, w->position);
        goto done;
    }
    assert_int_equal(end, WORLD_END);
    assert_int_equal(world_counters(world)->late, 0);
    check_money(e, r, w);
done:
    free(r);
    free(em);
    free(wm);
    return hashes;
}

static void check_run(const struct recording *rec, const struct want *w) {
    struct engine_hashes cursors = run_once(rec, w, false), rows = run_once(rec, w, true);
    assert_memory_equal(&cursors, &rows, sizeof rows);
}

/* With partial fills the reference's own run ends with code 14; until then it is equal too (its
 * package 2.4.4, hash book). */
struct death {
    uint8_t queue;
    int64_t entry_ms, dies_ms;
    uint64_t fills, checksum, orders, cancels, expired;
    int64_t position;
};

static void check_death(
    const struct recording *rec, const struct death *d, const char *q, const char *limit) {
    struct want w = {.strategy = &strategy_quoter,
        .queue = d->queue,
        .entry_ms = d->entry_ms,
        .response_ms = d->entry_ms ? 3 : 0,
        .q = q,
        .limit = limit,
        .power = d->queue == QUEUE_POWER3 ? "3" : "2",
        .fills = d->fills,
        .checksum = d->checksum,
        .orders = d->orders,
        .cancels = d->cancels,
        .expired = d->expired,
        .position = d->position,
        .dies_ns = d->dies_ms * NS_PER_MS};
    check_run(rec, &w);
}

static const struct want btc[] = {
    {&strategy_quoter, QUEUE_RISK, 2, 3, "0.01", "0.1", "0", 417, 0xc4cc8c3d56b75d6b, 743, 294, 30,
        -30, 1826221, -1286902675, 0},
    {&strategy_quoter, QUEUE_LOG, 2, 3, "0.01", "0.1", "0", 471, 0x64c219dd02ee6aa3, 798, 294, 31,
        -10, 595372, -1453560970, 0},
    {&strategy_quoter, QUEUE_LOG2, 2, 3, "0.01", "0.1", "0", 433, 0xa30c14491598bfda, 757, 292, 30,
        -10, 593642, -1336257050, 0},
    {&strategy_quoter, QUEUE_POWER, 2, 3, "0.01", "0.1", "2", 450, 0x4ae529f3c0c97e17, 777, 294, 31,
        -20, 1209788, -1388715520, 0},
    {&strategy_quoter, QUEUE_POWER2, 2, 3, "0.01", "0.1", "2", 495, 0xe75701c152afc99e, 823, 295,
        31, -30, 1827416, -1527614620, 0},
    {&strategy_quoter, QUEUE_POWER3, 2, 3, "0.01", "0.1", "3", 420, 0x2d342b01e963d7b2, 746, 294,
        30, -20, 1209714, -1296155390, 0},
    {&strategy_quoter, QUEUE_RISK, 0, 0, "0.01", "0.1", "0", 426, 0xdf7f630272a495b0, 0, 0, 0, 0, 0,
        0, 0},
    {&strategy_quoter, QUEUE_LOG, 0, 0, "0.01", "0.1", "0", 479, 0xf5b10872e335e259, 0, 0, 0, 0, 0,
        0, 0},
    {&strategy_quoter, QUEUE_LOG2, 0, 0, "0.01", "0.1", "0", 441, 0xc0793e892d7e29fd, 0, 0, 0, 0, 0,
        0, 0},
    {&strategy_quoter, QUEUE_POWER, 0, 0, "0.01", "0.1", "2", 458, 0xf849d2c54488695a, 0, 0, 0, 0,
        0, 0, 0},
    {&strategy_quoter, QUEUE_POWER2, 0, 0, "0.01", "0.1", "2", 503, 0x33e7e58de184aa8e, 0, 0, 0, 0,
        0, 0, 0},
    {&strategy_quoter, QUEUE_POWER3, 0, 0, "0.01", "0.1", "3", 428, 0xd19d119aa46abe67, 0, 0, 0, 0,
        0, 0, 0},
};

static void anchor_equals_hftbacktest_fill_for_fill_on_btc(void **state) {
    (void)state;
    struct recording rec;
    load(FATHOM_ROOT "/examples/data/btcusdt-20240808.tape", &rec);
    for (size_t i = 0; i < sizeof btc / sizeof btc[0]; i++) check_run(&rec, &btc[i]);
    unload(&rec);
}

static void with_partial_fills_btc_ends_where_the_anchor_ends(void **state) {
    (void)state;
    struct recording rec;
    load(FATHOM_ROOT "/examples/data/btcusdt-20240808.tape", &rec);
    static const struct death deaths[] = {
        {QUEUE_RISK, 2, 1723161271698, 20, 0x35fb8c4e3036cf0b, 37, 14, 1, -23},
        {QUEUE_RISK, 0, 1723161271698, 24, 0xbab0437f64976725, 39, 14, 0, -43},
        {QUEUE_LOG, 2, 1723161271698, 21, 0x75ad0d1f30c3805b, 38, 14, 1, -3},
        {QUEUE_LOG, 0, 1723161271698, 25, 0xcd7173cf36fa23a1, 40, 14, 0, -23},
        {QUEUE_LOG2, 2, 1723161271698, 20, 0xe2c9607d86e2a39b, 37, 14, 1, -20},
        {QUEUE_LOG2, 0, 1723161271698, 24, 0xd8f2a9283b7d9235, 39, 14, 0, -40},
        {QUEUE_POWER, 2, 1723161271698, 21, 0x9a5f539e834d66ff, 38, 14, 1, -27},
        {QUEUE_POWER, 0, 1723161271698, 24, 0x53ec4130f8939548, 39, 14, 0, -37},
        {QUEUE_POWER2, 2, 1723161271698, 22, 0xde7cdf645e18a4f4, 39, 14, 1, -9},
        {QUEUE_POWER2, 0, 1723161271698, 25, 0x5d6df58a417fa2eb, 40, 14, 0, -19},
        {QUEUE_POWER3, 2, 1723161271698, 20, 0x83ef072d4c124fb3, 37, 14, 1, -15},
        {QUEUE_POWER3, 0, 1723161271698, 24, 0x2e8ffddd9f293a3d, 39, 14, 0, -35}};
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++) {
        check_death(&rec, &deaths[i], "0.01", "0.1");
    }
    unload(&rec);
}

/* Expected rows made with the peer's package 2.4.4, hash book, on the same recording. */
static const struct want eth[] = {
    {&strategy_quoter, QUEUE_RISK, 2, 3, "0.1", "1", "0", 538, 0xc29b44aa9c0eeb67, 941, 354, 48,
        1000, -2691063, -721298805, 0},
    {&strategy_quoter, QUEUE_POWER, 2, 3, "0.1", "1", "2", 572, 0x28de152d9c6608aa, 974, 353, 48,
        1000, -2690117, -766892005, 0},
    {&strategy_quoter, QUEUE_LOG2, 2, 3, "0.1", "1", "0", 556, 0x0fa74183e18cffda, 961, 356, 48,
        1000, -2690528, -745433890, 0},
};

static void anchor_equals_hftbacktest_fill_for_fill_on_eth(void **state) {
    (void)state;
    SHARED_OR_SKIP("data/raw/binance-usdm/ethusdt_20240808.gz", path);
    char dir[] = "/tmp/anchor-oracle-XXXXXX", tape[64], cmd[128];
    const char *raw = path;
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
    struct recording rec;
    load(tape, &rec);
    for (size_t i = 0; i < sizeof eth / sizeof eth[0]; i++) check_run(&rec, &eth[i]);
    static const struct death deaths[] = {
        {QUEUE_POWER, 2, 1723161261402, 4, 0xd6845375b9de114c, 8, 2, 0, -322},
        {QUEUE_RISK, 2, 1723161437002, 288, 0xdb469fd2aa037df7, 477, 166, 21, 732},
        {QUEUE_LOG2, 2, 1723161472502, 341, 0x2cd456b4953a2996, 568, 200, 25, 641},
        {QUEUE_LOG, 2, 1723161483502, 373, 0x8e05667a65063a2a, 613, 212, 26, 857},
        {QUEUE_POWER2, 2, 1723161483502, 387, 0x86256d28a378f3d5, 620, 207, 24, 948},
        {QUEUE_POWER3, 2, 1723161483502, 347, 0x2e79614fbe74d2f0, 591, 216, 26, 802}};
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++) {
        check_death(&rec, &deaths[i], "0.1", "1");
    }
    unload(&rec);
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    assert_int_equal(system(cmd), 0);
}

static void the_grid_sends_fills_and_cancels_as_hftbacktest_does(void **state) {
    (void)state;
    static const struct want grid = {&strategy_anchor_grid, QUEUE_RISK, 2, 3, "0.01", "0.1", "0",
        921, 0, 2833, 1822, 0, 70, -4369700, -2841287200, 0};
    struct recording rec;
    load(FATHOM_ROOT "/examples/data/btcusdt-20240808.tape", &rec);
    check_run(&rec, &grid);
    unload(&rec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anchor_equals_hftbacktest_fill_for_fill_on_btc),
        cmocka_unit_test(with_partial_fills_btc_ends_where_the_anchor_ends),
        cmocka_unit_test(anchor_equals_hftbacktest_fill_for_fill_on_eth),
        cmocka_unit_test(the_grid_sends_fills_and_cancels_as_hftbacktest_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
