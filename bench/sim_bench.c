/* sim_bench.c: a backtest's cost: both sites' books, buses, queue models, orders, ledger.
 *
 *   sim_bench [TAPE [PASSES]]
 *
 * Events are preloaded. Cases: replay (no strategy), quoter, grid, each under both rule sets, and
 * four quoters over one replay. Prints nanoseconds a row as the sum over slices of the least
 * thread-CPU time of all passes, filling the world's reorder window included, the stage hashes
 * (equal in every pass, else exit 1), the heap calls made while running (0, else exit 1). On the
 * shipped recording the anchor rules must give the peer's orders and fills (else exit 1). One line
 * of JSON a case.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "bench.h"
#include "capture/tape/tape.h"
#include "execute/engine/engine.h"
#include "execute/sim/world.h"

enum { PASSES_DEFAULT = 41, SLICE_EVENTS = 8192, SEATS = 4 };
#define SHIPPED_HASH UINT64_C(0x84e20d2161a0f34a)

struct input {
    struct event *ev;
    size_t n, cap;
    struct instrument inst;
    int64_t offset;
    uint64_t hash;
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

/* The rows that the peers replay: depth and market trades. */
static bool wanted(const struct event *ev) {
    return ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END || ev->kind == EV_TRADE;
}

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
            if (!wanted(&slots[i]) || slots[i].inst != in->inst.id) continue;
            in->ev[in->n++] = slots[i];
            in->hash = hash64(in->hash, &slots[i], sizeof slots[i]);
            int64_t lag = slots[i].ts_local.ns - slots[i].ts_venue.ns;
            if (lag < in->offset) in->offset = lag;
        }
    }
    tape_reader_close(r);
    return in->ev && in->n > 0 ? 0 : 4;
}

struct bench_case {
    const char *name, *strategy;
    uint8_t rules;
    uint32_t seats;
    uint64_t orders, fills; /* known for the whole shipped recording; 0 = not */
};

struct rig {
    struct world_config wc;
    struct engine_config ec;
    void *world_mem, *book_mem, *engine_mem[SEATS];
    struct engine_hashes hashes;
    uint64_t orders, fills;
    uint64_t market; /* hash of both sites' books at the end (anchor: the best levels) */
};

static bool anchor_best(void *ctx, int side, struct book_level *out) {
    return world_local_best(ctx, side, out);
}

static int rig_open(struct rig *g, const struct input *in, const struct bench_case *c) {
    const char *bad, *why;
    memset(g, 0, sizeof *g);
    g->wc = (struct world_config){.inst = &in->inst,
        .rules = c->rules,
        .print_kind = EV_TRADE,
        .timers_from_start = true,
        .seats = c->seats,
        .queue = {.model = QUEUE_RISK},
        .entry_new_ns = 2 * NS_PER_MS,
        .entry_cancel_ns = 2 * NS_PER_MS,
        .response_ns = 3 * NS_PER_MS,
        .clock_offset_ns = in->offset,
        .reorder_ns = NS_PER_S};
    g->ec = (struct engine_config){
        .inst = &in->inst, .fees = {{-RATE_ONE / 20000}, {RATE_ONE / 10000 * 7}}};
    if (c->strategy) {
        g->ec.strategy = strategy_find(c->strategy);
        if (!strategy_params_init(g->ec.strategy, &in->inst, &g->ec.params, &bad, &why)) return 2;
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
    for (uint32_t k = 0; k < SEATS; k++) free(g->engine_mem[k]);
}

static uint64_t market_hash(const struct world *w, const struct book *own) {
    struct book_level best[2];
    memset(best, 0, sizeof best);
    if (world_book(w)) return book_hash(own, 0) ^ book_hash(world_book(w), 1);
    for (int side = 0; side < 2; side++) (void)world_best(w, side, &best[side]);
    return hash64(0, best, sizeof best);
}

static err_t pass(
    struct rig *g, const struct input *in, uint32_t seats, struct bench_slices *slices) {
    struct cursor local = {in, 0}, venue = {in, 0};
    struct world_source ls = {&local, cursor_next}, vs = {&venue, cursor_next};
    bench_slices_begin(slices);
    double t = bench_cpu_ns();
    struct world *w = world_init(g->world_mem, &g->wc, &ls, &vs);
    bool strict = g->wc.rules == SIM_STRICT;
    struct book *book = book_init(g->book_mem, &g->wc.book, in->inst.venue);
    struct engine *e[SEATS];
    for (uint32_t k = 0; k < seats; k++) {
        struct engine_io io = {.port = world_port(w, k),
            .book = strict ? book : NULL,
            .best = strict ? NULL : anchor_best,
            .best_ctx = w};
        e[k] = engine_init(g->engine_mem[k], &g->ec, &io);
        world_timer(w, k, engine_timer_ns(e[k]));
    }
    const struct event *ev;
    struct book_change change;
    uint32_t seat;
    size_t n = 0;
    enum world_result end;
    err_t code = ERR_OK;
    while ((end = world_next(w, &ev, &seat)) == WORLD_EVENT && !code) {
        if (seat == WORLD_ALL) {
            if (strict) book_apply(book, ev, &change);
            for (uint32_t k = 0; g->ec.strategy && k < seats && !code; k++)
                code = engine_on_event(e[k], ev);
        } else {
            code = engine_on_event(e[seat], ev);
        }
        if (++n % SLICE_EVENTS != 0) continue;
        double now = bench_cpu_ns();
        bench_slices_add(slices, now - t);
        t = bench_cpu_ns();
    }
    bench_slices_add(slices, bench_cpu_ns() - t);
    g->hashes = *engine_hashes(e[0]);
    g->orders = engine_blotter(e[0])->counters.sent;
    g->fills = engine_blotter(e[0])->counters.fills;
    g->market = market_hash(w, book);
    return code ? code : end == WORLD_END ? ERR_OK : ERR_INPUT;
}

static void print(const struct input *in, const struct bench_case *c, const struct rig *g,
    const struct bench_slices *slices, unsigned long heap) {
    double ns = bench_slices_sum(slices), rows = (double)in->n;
    const char *rules = c->rules == SIM_STRICT ? "strict" : "anchor";
    char orders[17], fills[17];
    hash64_text(g->hashes.orders, orders);
    hash64_text(hash64(g->hashes.fills, &g->market, sizeof g->market), fills);
    printf("%-7s %-6s %u seat%s %6.1f ns a row  %5.2f M rows/s  %6.2f ms  A/A %.3f  %5llu orders "
           "%5llu fills  %s\n",
        c->name, rules, c->seats, c->seats > 1 ? "s" : " ", ns / rows, rows / ns * 1e3, ns / 1e6,
        bench_slices_noise(slices), (unsigned long long)g->orders, (unsigned long long)g->fills,
        fills);
    printf("{\"stage\":\"sim_%s_%s_%u\",\"rows\":%zu,\"ns_per_row\":%.3f,\"orders\":%llu,"
           "\"fills\":%llu,\"heap\":%lu,\"input\":\"%016llx\",\"orders_hash\":\"%s\","
           "\"result\":\"%s\"}\n",
        c->name, rules, c->seats, in->n, ns / rows, (unsigned long long)g->orders,
        (unsigned long long)g->fills, heap, (unsigned long long)in->hash, orders, fills);
}

/* The peer's own counts on its sample (test/anchor_oracle_test.c has its fills one by one). */
static bool as_known(const struct input *in, const struct bench_case *c, const struct rig *g) {
    if (bench_small() || in->hash != SHIPPED_HASH || c->orders == 0) return true;
    if (g->orders == c->orders && g->fills == c->fills) return true;
    fprintf(stderr, "sim_bench: %s must give %llu orders and %llu fills\n", c->name,
        (unsigned long long)c->orders, (unsigned long long)c->fills);
    return false;
}

static int run_case(const struct input *in, const struct bench_case *c, int passes) {
    struct bench_slices slices;
    struct rig g, first = {0};
    unsigned long heap = 0;
    int rc = 0;
    if (rig_open(&g, in, c)) return 2;
    bench_slices_init(&slices);
    for (int i = 0; i < passes && rc == 0; i++) {
        unsigned long before = bench_heap_calls();
        if (pass(&g, in, c->seats, &slices) != ERR_OK) rc = 3;
        heap += bench_heap_calls() - before;
        if (i == 0) first = g;
        if (memcmp(&first.hashes, &g.hashes, sizeof g.hashes) == 0 && first.market == g.market)
            continue;
        fprintf(stderr, "sim_bench: pass %d of %s gave other hashes\n", i + 1, c->name);
        rc = 1;
    }
    if (rc == 3) fprintf(stderr, "sim_bench: %s ended before the data\n", c->name);
    if (rc == 0) print(in, c, &g, &slices, heap);
    if (rc == 0 && (heap || !as_known(in, c, &g))) rc = 1;
    bench_slices_free(&slices);
    rig_close(&g);
    return rc;
}

int main(int argc, char **argv) {
    static const struct bench_case cases[] = {
        {"replay", NULL, SIM_STRICT, 1, 0, 0},
        {"quoter", "quoter", SIM_STRICT, 1, 0, 0},
        {"grid", "grid", SIM_STRICT, 1, 0, 0},
        {"quoter", "quoter", SIM_STRICT, SEATS, 0, 0},
        {"replay", NULL, SIM_ANCHOR, 1, 0, 0},
        {"quoter", "quoter", SIM_ANCHOR, 1, 743, 417},
        {"grid", "grid", SIM_ANCHOR, 1, 0, 0},
    };
    const char *tape = argc > 1 ? argv[1] : BENCH_TAPE;
    int passes = argc > 2 ? atoi(argv[2]) : bench_passes(PASSES_DEFAULT);
    struct input in = {0};
    int rc = load(tape, &in);
    if (rc) return rc;
    printf("input      %s: %zu rows of depth and trades, hash %016llx; least of %d passes\n", tape,
        in.n, (unsigned long long)in.hash, passes);
    for (size_t i = 0; rc == 0 && i < sizeof cases / sizeof cases[0]; i++) {
        rc = run_case(&in, &cases[i], passes > 0 ? passes : 1);
    }
    bench_footer();
    free(in.ev);
    return rc;
}
