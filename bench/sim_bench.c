/* sim_bench.c: a backtest's cost: both sites' books, buses, queue models, orders, ledger.
 *
 *   sim_bench [TAPE [PASSES [STAGE]]]
 *   sim_bench serve TAPE QUANTITY
 *
 * Events are preloaded. Cases: replay (no strategy), quoter, grid: strict over the tape's two
 * cursors, anchor over cursors and over prepared rows (world_rows.h), there with our side's best
 * levels read each 100 ms even where nothing trades; several quoters in one replay; 32 instruments
 * (copies of the tape, shifted by some ms) under one clock, each with its books and its quoter.
 * Prints nanoseconds a row as the sum over slices of the least thread-CPU time of all passes, the
 * stage hashes (equal in every pass, else exit 1; over rows as over cursors, else exit 1), the heap
 * calls made while running (0, else exit 1). On the shipped recording the anchor rules must give
 * the peer's orders and fills (else exit 1). One line of JSON a case.
 *
 * `serve` prepares the tape and runs one pass for each line it reads, "CASE QUEUE POWER ENTRY_MS
 * RESPONSE_MS [list]", answering with one line of JSON: our half of bench/peers/hftbacktest. `list`
 * adds every fill: venue time, side, tick, lots.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "bench.h"
#include "capture/tape/tape.h"
#include "execute/engine/engine.h"
#include "execute/sim/anchor_sum.h"
#include "execute/sim/world.h"
#include "execute/sim/world_rows.h"

enum {
    PASSES_DEFAULT = 41,
    SLICE_EVENTS = 8192,
    SLICE_STEPS = 128,
    SEATS_MAX = 64,
    INSTRUMENTS = 32
};
#define SHIPPED_HASH UINT64_C(0x84e20d2161a0f34a)
#define LOOK_NS (100 * NS_PER_MS)

struct input {
    struct event *ev;
    size_t n, cap;
    struct instrument inst;
    int64_t offset; /* least local - venue */
    uint64_t hash;
    struct world_rows *rows; /* at the peer's offset: only a clock that runs behind is shifted */
};

struct cursor {
    const struct input *in;
    size_t at;
};

static const struct event *cursor_next(void *ctx) {
    struct cursor *c = ctx;
    if (c->at >= c->in->n) return NULL;
    const struct event *ev = &c->in->ev[c->at];
    c->at += event_slots(ev->kind);
    return ev;
}

static const struct event *nothing(void *ctx) {
    (void)ctx;
    return NULL;
}

static int64_t anchor_offset(const struct input *in) { return in->offset < 0 ? in->offset : 0; }

static int prepare(struct input *in) {
    struct world_rows_need need = {0};
    for (size_t i = 0; i < in->n; i++) world_rows_count(&need, &in->ev[i]);
    void *mem = aligned_alloc(64, (world_rows_size(&need) + 63) & ~(size_t)63);
    if (!mem) return 4;
    in->rows = world_rows_begin(mem, &need, &in->inst, EV_TRADE, anchor_offset(in));
    for (size_t i = 0; i < in->n; i++) {
        if (world_rows_add(in->rows, &in->ev[i])) continue;
        fprintf(stderr, "sim_bench: row %zu cannot be prepared\n", i);
        return 4;
    }
    world_rows_end(in->rows);
    return 0;
}

/* The rows that the peers replay: depth and market trades. */
static int load(const char *tape, struct input *in) {
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    struct err_info e;
    const struct event *slots;
    size_t n;
    if (tape_reader_open(&r, tape, &opt, &e) != ERR_OK) {
        fprintf(stderr, "sim_bench: %s\n", e.text);
        return 4;
    }
    in->inst = tape_reader_instruments(r, &n)[0];
    in->cap = (size_t)tape_reader_events(r) + 1;
    in->ev = aligned_alloc(64, in->cap * sizeof *in->ev);
    in->offset = INT64_MAX;
    while (in->ev && !(bench_small() && in->n > BENCH_SMALL_SLOTS) &&
           tape_reader_next(r, &slots, &n, &e) == ERR_OK) {
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
            if (!world_rows_wants(&in->inst, EV_TRADE, &slots[i])) continue;
            in->ev[in->n++] = slots[i];
            in->hash = hash64(in->hash, &slots[i], sizeof slots[i]);
            int64_t lag = slots[i].ts_local.ns - slots[i].ts_venue.ns;
            if (lag < in->offset) in->offset = lag;
        }
    }
    tape_reader_close(r);
    return in->ev && in->n > 0 ? prepare(in) : 4;
}

enum feed { CURSORS, ROWS };

struct bench_case {
    const char *name, *strategy;
    uint8_t rules, feed;
    uint32_t seats;
    uint64_t orders, fills; /* known for the whole shipped recording; 0 = not */
};

struct rig {
    struct world_config wc;
    struct engine_config ec;
    void *world_mem, *book_mem, *engine_mem[SEATS_MAX];
    struct engine *engine;
    struct world *world;
    struct engine_hashes hashes;
    uint64_t orders, fills, steps;
    uint64_t market;       /* hash of both sites' books at the end (anchor: the best levels) */
    uint64_t looked;       /* hash of what a replay without strategy saw of our side */
    struct anchor_sum sum; /* serve */
    struct anchor_fill *list;
    uint64_t *list_step;
    size_t listed, list_max;
};

static bool anchor_best(void *ctx, int side, struct book_level *out) {
    return world_local_best(ctx, side, out);
}

/* Every parameter at its default, but the two that a contract's size decides. */
static bool set_params(struct rig *g, const struct input *in, const char *quantity) {
    char limit[64];
    const char *why;
    snprintf(limit, sizeof limit, "%.12g", 10 * atof(quantity));
    for (size_t i = 0; i < g->ec.strategy->param_count; i++) {
        const struct strategy_param *p = &g->ec.strategy->params[i];
        const char *text = strcmp(p->name, "quantity") == 0       ? quantity
                           : strcmp(p->name, "position_max") == 0 ? limit
                                                                  : p->fallback;
        if (strategy_param_set(g->ec.strategy, &in->inst, p->name, text, &g->ec.params, &why))
            continue;
        fprintf(stderr, "sim_bench: %s = %s: %s\n", p->name, text, why);
        return false;
    }
    return true;
}

static int rig_open(
    struct rig *g, const struct input *in, const struct bench_case *c, const char *quantity) {
    memset(g, 0, sizeof *g);
    g->wc = (struct world_config){.inst = &in->inst,
        .rules = c->rules,
        .print_kind = EV_TRADE,
        .timers_from_start = true,
        .seats = c->seats,
        .queue = {.model = QUEUE_RISK, .unit = instrument_qty_unit(&in->inst)},
        .entry_new_ns = 2 * NS_PER_MS,
        .entry_cancel_ns = 2 * NS_PER_MS,
        .response_ns = 3 * NS_PER_MS,
        .clock_offset_ns = c->rules == SIM_ANCHOR ? anchor_offset(in) : in->offset,
        .reorder_ns = NS_PER_S,
        .rows = c->feed == ROWS ? in->rows : NULL};
    g->ec = (struct engine_config){
        .inst = &in->inst, .fees = {{-RATE_ONE / 20000}, {RATE_ONE / 10000 * 7}}};
    if (c->strategy) {
        g->ec.strategy = strategy_find(c->strategy);
        if (!g->ec.strategy || !set_params(g, in, quantity)) return 2;
    }
    g->world_mem = aligned_alloc(64, (world_mem_size(&g->wc) + 63) & ~(size_t)63);
    g->book_mem = aligned_alloc(64, (book_mem_size(&g->wc.book) + 63) & ~(size_t)63);
    for (uint32_t k = 0; k < c->seats; k++) {
        g->engine_mem[k] = aligned_alloc(64, (engine_mem_size(&g->ec) + 63) & ~(size_t)63);
    }
    return 0;
}

static void rig_close(struct rig *g) {
    free(g->world_mem);
    free(g->book_mem);
    free(g->list);
    free(g->list_step);
    for (uint32_t k = 0; k < SEATS_MAX; k++) free(g->engine_mem[k]);
}

static uint64_t market_hash(const struct world *w, const struct book *own) {
    struct book_level best[2];
    memset(best, 0, sizeof best);
    if (own && world_book(w)) return book_hash(own, 0) ^ book_hash(world_book(w), 1);
    for (int side = 0; side < 2; side++) (void)world_best(w, side, &best[side]);
    return hash64(0, best, sizeof best);
}

/* Fills are listed as the peer's strategy lists them, and hashed outside the timed part. */
static void sink(void *ctx, const struct engine_record *rec) {
    struct rig *g = ctx;
    if (rec->kind != RECORD_FILL || g->listed == g->list_max) return;
    const struct fill_record *f = rec->fill;
    g->list_step[g->listed] = g->steps;
    g->list[g->listed++] =
        (struct anchor_fill){f->order_id, f->ts_venue.ns, f->px, f->qty, f->side};
}

static void look(struct rig *g) {
    struct book_level best[2];
    memset(best, 0, sizeof best);
    for (int side = 0; side < 2; side++) (void)world_local_best(g->world, side, &best[side]);
    g->looked = hash64(g->looked, best, sizeof best);
}

static err_t step(struct rig *g, struct engine **e, struct book *book, const struct event *ev,
    uint32_t seat, uint32_t seats) {
    struct book_change change;
    err_t code = ERR_OK;
    if (seat != WORLD_ALL) {
        g->steps += ev->kind == EV_TIMER && seat == 0;
        if (g->ec.strategy) return engine_on_event(e[seat], ev);
        look(g);
        return ERR_OK;
    }
    if (g->wc.rules == SIM_STRICT) book_apply(book, ev, &change);
    for (uint32_t k = 0; g->ec.strategy && k < seats && !code; k++) {
        code = engine_on_event(e[k], ev);
    }
    return code;
}

static void facts(struct rig *g, const struct book *book) {
    g->hashes = *engine_hashes(g->engine);
    g->orders = engine_blotter(g->engine)->counters.sent;
    g->fills = engine_blotter(g->engine)->counters.fills;
    g->market = market_hash(g->world, book);
}

static err_t pass(
    struct rig *g, const struct input *in, uint32_t seats, struct bench_slices *slices) {
    bool rows = g->wc.rows != NULL, strict = g->wc.rules == SIM_STRICT;
    struct cursor local = {in, 0}, venue = {in, 0};
    struct world_source ls = {&local, rows ? nothing : cursor_next};
    struct world_source vs = {&venue, rows ? nothing : cursor_next};
    struct engine *e[SEATS_MAX] = {NULL};
    struct world *w = g->world = world_init(g->world_mem, &g->wc, &ls, &vs);
    struct book *book = book_init(g->book_mem, &g->wc.book, in->inst.venue);
    for (uint32_t k = 0; k < seats; k++) {
        struct engine_io io = {.port = world_port(w, k),
            .book = strict ? book : NULL,
            .best = strict ? NULL : anchor_best,
            .best_ctx = w,
            .sink = g->list ? sink : NULL,
            .sink_ctx = g};
        e[k] = engine_init(g->engine_mem[k], &g->ec, &io);
        world_timer(w, k, rows && !g->ec.strategy ? LOOK_NS : engine_timer_ns(e[k]));
    }
    g->engine = e[0];
    g->steps = g->looked = g->listed = 0;
    bench_slices_begin(slices);
    double t = bench_cpu_ns(); /* making the world is outside, as it is for the peer */
    const struct event *ev;
    uint32_t seat;
    size_t n = 0, slice = rows ? SLICE_STEPS : SLICE_EVENTS;
    enum world_result end;
    err_t code = ERR_OK;
    while ((end = world_next(w, &ev, &seat)) == WORLD_EVENT && !code) {
        code = step(g, e, book, ev, seat, seats);
        if (++n % slice != 0) continue;
        double now = bench_cpu_ns();
        bench_slices_add(slices, now - t);
        t = bench_cpu_ns();
    }
    bench_slices_add(slices, bench_cpu_ns() - t);
    facts(g, book);
    return code ? code : end == WORLD_END ? ERR_OK : ERR_INPUT;
}

static const char *feed_name(const struct bench_case *c) {
    return c->rules == SIM_STRICT ? "strict" : c->feed == ROWS ? "anchor_rows" : "anchor";
}

static void stage_name(const struct bench_case *c, char *out, size_t size) {
    snprintf(out, size, "sim_%s_%s_%u", c->name, feed_name(c), c->seats);
}

static void print(const struct input *in, const struct bench_case *c, const struct rig *g,
    const struct bench_slices *slices, unsigned long heap) {
    double ns = bench_slices_sum(slices), rows = (double)in->n;
    uint64_t result = hash64(g->hashes.fills, &g->market, sizeof g->market) ^ g->looked;
    char orders[17], fills[17], stage[64];
    stage_name(c, stage, sizeof stage);
    hash64_text(g->hashes.orders, orders);
    hash64_text(result, fills);
    printf("%-11s %-11s %2u seat%s %6.2f ns a row  %6.2f M rows/s  %6.2f ms  A/A %.3f  %5llu "
           "orders %5llu fills  %s\n",
        c->name, feed_name(c), c->seats, c->seats > 1 ? "s" : " ", ns / rows, rows / ns * 1e3,
        ns / 1e6, bench_slices_noise(slices), (unsigned long long)g->orders,
        (unsigned long long)g->fills, fills);
    printf("{\"stage\":\"%s\",\"rows\":%zu,\"ns_per_row\":%.3f,\"orders\":%llu,"
           "\"fills\":%llu,\"heap\":%lu,\"input\":\"%016llx\",\"orders_hash\":\"%s\","
           "\"result\":\"%s\"}\n",
        stage, in->n, ns / rows, (unsigned long long)g->orders, (unsigned long long)g->fills, heap,
        (unsigned long long)in->hash, orders, fills);
}

/* The peer's own counts on its sample (test/anchor_oracle_test.c has its fills one by one). */
static bool as_known(const struct input *in, const struct bench_case *c, const struct rig *g) {
    if (bench_small() || in->hash != SHIPPED_HASH || c->orders == 0) return true;
    if (g->orders == c->orders && g->fills == c->fills) return true;
    fprintf(stderr, "sim_bench: %s must give %llu orders and %llu fills\n", c->name,
        (unsigned long long)c->orders, (unsigned long long)c->fills);
    return false;
}

/* Over rows the first seat sends and fills what it did over cursors. */
static bool as_over_cursors(const struct bench_case *c, const struct rig *g) {
    static struct {
        const char *strategy;
        uint64_t orders, fills;
    } seen[8];
    static size_t n;
    if (c->rules != SIM_ANCHOR || !c->strategy) return true;
    for (size_t i = 0; i < n && c->feed == ROWS; i++) {
        if (strcmp(seen[i].strategy, c->strategy) != 0) continue;
        if (seen[i].orders == g->hashes.orders && seen[i].fills == g->hashes.fills) return true;
        fprintf(stderr, "sim_bench: %s over rows is not %s over cursors\n", c->name, c->name);
        return false;
    }
    if (c->feed == CURSORS && n < sizeof seen / sizeof seen[0]) {
        seen[n].strategy = c->strategy;
        seen[n].orders = g->hashes.orders;
        seen[n++].fills = g->hashes.fills;
    }
    return true;
}

static int run_case(const struct input *in, const struct bench_case *c, int passes) {
    static struct rig g, first;
    struct bench_slices slices;
    unsigned long heap = 0;
    int rc = rig_open(&g, in, c, "0.01");
    if (rc) return rc;
    bench_slices_init(&slices);
    for (int i = 0; i < passes && rc == 0; i++) {
        unsigned long before = bench_heap_calls();
        if (pass(&g, in, c->seats, &slices) != ERR_OK) rc = 3;
        heap += bench_heap_calls() - before;
        if (i == 0) first = g;
        if (memcmp(&first.hashes, &g.hashes, sizeof g.hashes) == 0 && first.market == g.market &&
            first.looked == g.looked)
            continue;
        fprintf(stderr, "sim_bench: pass %d of %s gave other hashes\n", i + 1, c->name);
        rc = 1;
    }
    if (rc == 3) fprintf(stderr, "sim_bench: %s ended before the data\n", c->name);
    if (rc == 0) print(in, c, &g, &slices, heap);
    if (rc == 0 && (heap || !as_known(in, c, &g) || !as_over_cursors(c, &g))) rc = 1;
    bench_slices_free(&slices);
    rig_close(&g);
    return rc;
}

/* ---- several instruments ---- */

/* The rows once more, `shift_ns` later, in memory of their own. */
static struct world_rows *shifted(const struct input *in, int64_t shift_ns) {
    struct world_rows_need need = {0};
    for (size_t i = 0; i < in->n; i++) world_rows_count(&need, &in->ev[i]);
    void *mem = aligned_alloc(64, (world_rows_size(&need) + 63) & ~(size_t)63);
    if (!mem) return NULL;
    struct world_rows *r = world_rows_begin(mem, &need, &in->inst, EV_TRADE, anchor_offset(in));
    for (size_t i = 0; i < in->n; i++) {
        struct event ev = in->ev[i];
        ev.ts_venue.ns += shift_ns;
        ev.ts_local.ns += shift_ns;
        if (!world_rows_add(r, &ev)) return NULL;
    }
    world_rows_end(r);
    return r;
}

/* Every instrument up to `until`, before any goes further: a strategy acts each 100 ms, and its
 * orders are for its own instrument. False: all are over. */
static bool advance(struct rig *g, size_t n, bool *over, int64_t until, err_t *code) {
    bool more = false;
    struct world_key bound = {until, 0}, next;
    for (size_t k = 0; k < n; k++) {
        const struct event *ev;
        uint32_t seat;
        enum world_result got = WORLD_WAIT;
        while (
            !over[k] && (got = world_until(g[k].world, bound, &next, &ev, &seat)) == WORLD_EVENT) {
            if (engine_on_event(g[k].engine, ev) != ERR_OK) *code = ERR_INPUT;
        }
        if (got == WORLD_END) over[k] = true;
        if (got != WORLD_END && got != WORLD_WAIT) *code = ERR_INPUT;
        more |= !over[k];
    }
    return more;
}

static err_t pass_many(struct rig *g, size_t n, const struct input *in, struct bench_slices *s) {
    struct world_source none = {NULL, nothing};
    bool over[INSTRUMENTS] = {false};
    err_t code = ERR_OK;
    for (size_t k = 0; k < n; k++) {
        g[k].world = world_init(g[k].world_mem, &g[k].wc, &none, &none);
        struct engine_io io = {
            .port = world_port(g[k].world, 0), .best = anchor_best, .best_ctx = g[k].world};
        g[k].engine = engine_init(g[k].engine_mem[0], &g[k].ec, &io);
        world_timer(g[k].world, 0, engine_timer_ns(g[k].engine));
    }
    bench_slices_begin(s);
    double t = bench_cpu_ns();
    int64_t until = in->rows->message[0].ts;
    for (size_t steps = 1; advance(g, n, over, until, &code) && code == ERR_OK; steps++) {
        until += LOOK_NS;
        if (steps % SLICE_STEPS != 0) continue;
        double now = bench_cpu_ns();
        bench_slices_add(s, now - t);
        t = bench_cpu_ns();
    }
    bench_slices_add(s, bench_cpu_ns() - t);
    for (size_t k = 0; k < n; k++) facts(&g[k], NULL);
    return code;
}

static bool same_everywhere(const struct rig *g, size_t n) {
    for (size_t k = 1; k < n; k++) {
        if (g[k].orders != g[0].orders || g[k].fills != g[0].fills) return false;
    }
    return true;
}

static void print_many(const struct input *in, const struct rig *g,
    const struct bench_slices *slices, uint64_t result, unsigned long heap) {
    double ns = bench_slices_sum(slices), rows = (double)in->n * INSTRUMENTS;
    printf("quoter      anchor_rows %d instruments %.2f ns a row  %6.2f M rows/s  %6.2f ms  A/A "
           "%.3f\n",
        INSTRUMENTS, ns / rows, rows / ns * 1e3, ns / 1e6, bench_slices_noise(slices));
    printf("{\"stage\":\"sim_quoter_instruments_%d\",\"rows\":%.0f,\"ns_per_row\":%.3f,\"orders\":%"
           "llu,"
           "\"fills\":%llu,\"heap\":%lu,\"input\":\"%016llx\",\"result\":\"%016llx\"}\n",
        INSTRUMENTS, rows, ns / rows, (unsigned long long)g->orders, (unsigned long long)g->fills,
        heap, (unsigned long long)in->hash, (unsigned long long)result);
}

static int run_many(const struct input *in, int passes) {
    static struct rig g[INSTRUMENTS];
    const struct bench_case c = {"quoter", "quoter", SIM_ANCHOR, ROWS, 1, 743, 417};
    struct bench_slices slices;
    uint64_t first = 0;
    unsigned long heap = 0;
    int rc = 0;
    for (size_t k = 0; k < INSTRUMENTS && rc == 0; k++) {
        rc = rig_open(&g[k], in, &c, "0.01");
        g[k].wc.rows = shifted(in, (int64_t)k * 3137 * 1000);
        g[k].wc.crowded = true;
        if (!g[k].wc.rows) rc = 4;
    }
    bench_slices_init(&slices);
    for (int i = 0; i < passes && rc == 0; i++) {
        unsigned long before = bench_heap_calls();
        if (pass_many(g, INSTRUMENTS, in, &slices) != ERR_OK) rc = 3;
        heap += bench_heap_calls() - before;
        uint64_t h = 0;
        for (size_t k = 0; k < INSTRUMENTS; k++) h = hash64(h, &g[k].hashes, sizeof g[k].hashes);
        if (i == 0) first = h;
        if (h != first || !same_everywhere(g, INSTRUMENTS)) rc = 1;
    }
    if (rc == 0 && (heap || !as_known(in, &c, &g[0]))) rc = 1;
    if (rc == 0) print_many(in, &g[0], &slices, first, heap);
    bench_slices_free(&slices);
    for (size_t k = 0; k < INSTRUMENTS; k++) {
        free((void *)(uintptr_t)g[k].wc.rows);
        rig_close(&g[k]);
    }
    return rc;
}

/* ---- serve ---- */

static void checksum(struct rig *g, const struct input *in) {
    anchor_sum_init(&g->sum, &in->inst);
    for (size_t i = 0; i < g->listed; i++) {
        if (i > 0 && g->list_step[i] != g->list_step[i - 1]) anchor_sum_step(&g->sum);
        anchor_sum_fill(&g->sum, &g->list[i]);
    }
    anchor_sum_end(&g->sum);
}

static void list_fills(const struct rig *g, const struct input *in) {
    printf(",\"list\":[");
    for (size_t i = 0; i < g->listed; i++) {
        const struct anchor_fill *f = &g->list[i];
        printf("%s[%lld,%d,%lld,%lld]", i ? "," : "", (long long)f->venue_ns,
            f->side == SIDE_BUY ? 1 : -1, (long long)(f->px.ticks / in->inst.tick_units),
            (long long)(f->qty.lots / in->inst.lot_units));
    }
    printf("]");
}

static void answer(
    struct rig *g, const struct input *in, const char *name, double cpu_ns, bool list) {
    checksum(g, in);
    const struct blotter_counters *n = &engine_blotter(g->engine)->counters;
    const struct ledger *l = engine_ledger(g->engine);
    double balance = (double)(l->cash.e12 + l->fees.e12);
    if (in->inst.kind == INSTRUMENT_INVERSE) balance = -balance; /* the peer's sign */
    printf("{\"case\":\"%s\",\"cpu_ms\":%.4f,\"rows\":%zu,\"steps\":%llu,\"orders\":%llu,"
           "\"fills\":%llu,\"canceled\":%llu,\"cancels_sent\":%llu,\"expired\":%llu,"
           "\"position\":%lld,\"balance_e12\":%.0f,\"fee_e12\":%.0f,\"checksum\":\"%016llx\","
           "\"orders_hash\":\"%016llx\",\"looked\":\"%016llx\",\"rss_anon_kib\":%ld",
        name, cpu_ns / 1e6, in->n, (unsigned long long)g->steps, (unsigned long long)g->orders,
        (unsigned long long)g->sum.fills, (unsigned long long)n->canceled,
        (unsigned long long)n->cancels_sent, (unsigned long long)n->expired,
        (long long)(l->position / in->inst.lot_units), balance, (double)l->fees.e12,
        (unsigned long long)g->sum.hash, (unsigned long long)g->hashes.orders,
        (unsigned long long)g->looked, bench_rss_anon_kib());
    if (list) list_fills(g, in);
    printf("}\n");
    fflush(stdout);
}

static bool serve_line(const struct input *in, const char *quantity, const char *line) {
    static struct rig g;
    char name[32], queue[16], list[8] = "";
    double power, entry, response;
    int words =
        sscanf(line, "%31s %15s %lf %lf %lf %7s", name, queue, &power, &entry, &response, list);
    if (words != 5 && !(words == 6 && strcmp(list, "list") == 0)) return false;
    bool replay = strcmp(name, "replay") == 0;
    struct bench_case c = {name, replay ? NULL : name, SIM_ANCHOR, ROWS, 1, 0, 0};
    if (rig_open(&g, in, &c, quantity)) return false;
    bool good = queue_find(queue, &g.wc.queue.model);
    g.wc.queue.power = power;
    g.wc.entry_new_ns = g.wc.entry_cancel_ns = (int64_t)(entry * 1e6);
    g.wc.response_ns = (int64_t)(response * 1e6);
    g.list_max = 1 << 20;
    g.list = malloc(g.list_max * sizeof *g.list);
    g.list_step = malloc(g.list_max * sizeof *g.list_step);
    struct bench_slices slices;
    bench_slices_init(&slices);
    good = good && pass(&g, in, 1, &slices) == ERR_OK && g.listed < g.list_max;
    if (good) answer(&g, in, name, bench_slices_sum(&slices), words == 6);
    bench_slices_free(&slices);
    rig_close(&g);
    return good;
}

static int serve(const char *tape, const char *quantity) {
    struct input in = {0};
    char line[256];
    int rc = load(tape, &in);
    while (rc == 0 && fgets(line, sizeof line, stdin)) {
        if (serve_line(&in, quantity, line)) continue;
        fprintf(stderr, "sim_bench: cannot run: %s", line);
        rc = 2;
    }
    free(in.rows);
    free(in.ev);
    return rc;
}

int main(int argc, char **argv) {
    static const struct bench_case cases[] = {
        {"replay", NULL, SIM_STRICT, CURSORS, 1, 0, 0},
        {"quoter", "quoter", SIM_STRICT, CURSORS, 1, 0, 0},
        {"grid", "grid", SIM_STRICT, CURSORS, 1, 0, 0},
        {"quoter", "quoter", SIM_STRICT, CURSORS, 4, 0, 0},
        {"replay", NULL, SIM_ANCHOR, CURSORS, 1, 0, 0},
        {"quoter", "quoter", SIM_ANCHOR, CURSORS, 1, 743, 417},
        {"anchor_grid", "anchor_grid", SIM_ANCHOR, CURSORS, 1, 2833, 921},
        {"replay", NULL, SIM_ANCHOR, ROWS, 1, 0, 0},
        {"quoter", "quoter", SIM_ANCHOR, ROWS, 1, 743, 417},
        {"anchor_grid", "anchor_grid", SIM_ANCHOR, ROWS, 1, 2833, 921},
        {"grid", "grid", SIM_ANCHOR, ROWS, 1, 0, 0},
        {"quoter", "quoter", SIM_ANCHOR, ROWS, 2, 743, 417},
        {"quoter", "quoter", SIM_ANCHOR, ROWS, 16, 743, 417},
        {"quoter", "quoter", SIM_ANCHOR, ROWS, 64, 743, 417},
    };
    if (argc == 4 && strcmp(argv[1], "serve") == 0) return serve(argv[2], argv[3]);
    const char *tape = argc > 1 ? argv[1] : BENCH_TAPE;
    int passes = argc > 2 ? atoi(argv[2]) : bench_passes(PASSES_DEFAULT);
    struct input in = {0};
    int rc = load(tape, &in);
    if (rc) return rc;
    printf("input      %s: %zu rows of depth and trades, hash %016llx; least of %d passes\n", tape,
        in.n, (unsigned long long)in.hash, passes);
    for (size_t i = 0; rc == 0 && i < sizeof cases / sizeof cases[0]; i++) {
        char stage[64];
        stage_name(&cases[i], stage, sizeof stage);
        if (argc > 3 && strcmp(argv[3], stage) != 0) continue;
        rc = run_case(&in, &cases[i], passes > 0 ? passes : 1);
    }
    if (rc == 0 && (argc < 4 || strcmp(argv[3], "sim_quoter_instruments_32") == 0))
        rc = run_many(&in, passes > 0 ? passes : 1);
    bench_footer();
    free(in.rows);
    free(in.ev);
    return rc;
}
