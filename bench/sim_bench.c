/* sim_bench.c: a backtest's cost: both sites' books, buses, queue models, orders, ledger.
 *
 *   sim_bench [TAPE [PASSES]]
 *
 * Events are preloaded. Cases: replay (no strategy), quoter, grid, each under both rule sets, and
 * four quoters over one replay. Prints events a second as the sum over slices of the least
 * thread-CPU time of all passes, the stage hashes (equal in every pass, else exit 1), and the heap
 * calls made while running (0 by construction: nothing here allocates).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "capture/tape/tape.h"
#include "execute/engine/engine.h"
#include "execute/sim/world.h"

enum { PASSES_DEFAULT = 15, SLICES_MAX = 4096, SLICE_EVENTS = 8192, SEATS = 4 };

struct input {
    struct event *ev;
    size_t n, cap;
    struct instrument inst;
    int64_t offset;
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

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
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
    while (in->ev && tape_reader_next(r, &slots, &n, &e) == ERR_OK) {
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
            if (!wanted(&slots[i]) || slots[i].inst != in->inst.id) continue;
            in->ev[in->n++] = slots[i];
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
};

struct rig {
    struct world_config wc;
    struct engine_config ec;
    void *world_mem, *book_mem, *engine_mem[SEATS];
    struct engine_hashes hashes;
    uint64_t orders, fills;
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

static void pass(struct rig *g, const struct input *in, uint32_t seats, double *least) {
    struct cursor local = {in, 0}, venue = {in, 0};
    struct world_source ls = {&local, cursor_next}, vs = {&venue, cursor_next};
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
    size_t slice = 0, n = 0;
    double t = cpu_s();
    while (world_next(w, &ev, &seat) == WORLD_EVENT) {
        if (seat == WORLD_ALL) {
            if (strict) book_apply(book, ev, &change);
            for (uint32_t k = 0; g->ec.strategy && k < seats; k++) {
                if (engine_on_event(e[k], ev) != ERR_OK) return;
            }
        } else if (engine_on_event(e[seat], ev) != ERR_OK) {
            return;
        }
        if (++n % SLICE_EVENTS != 0) continue;
        double now = cpu_s();
        if (slice < SLICES_MAX && (least[slice] == 0 || now - t < least[slice])) {
            least[slice] = now - t;
        }
        slice++;
        t = cpu_s();
    }
    g->hashes = *engine_hashes(e[0]);
    g->orders = engine_blotter(e[0])->counters.sent;
    g->fills = engine_blotter(e[0])->counters.fills;
}

static int run_case(const struct input *in, const struct bench_case *c, int passes) {
    static double least[SLICES_MAX];
    struct rig g;
    struct engine_hashes first;
    memset(least, 0, sizeof least);
    if (rig_open(&g, in, c)) return 2;
    for (int i = 0; i < passes; i++) {
        pass(&g, in, c->seats, least);
        if (i == 0) first = g.hashes;
        if (memcmp(&first, &g.hashes, sizeof first) != 0) {
            fprintf(stderr, "sim_bench: pass %d of %s gave other hashes\n", i + 1, c->name);
            return 1;
        }
    }
    double sum = 0;
    for (size_t i = 0; i < SLICES_MAX; i++) sum += least[i];
    char orders[17], fills[17];
    hash64_text(g.hashes.orders, orders);
    hash64_text(g.hashes.fills, fills);
    printf("%-16s %-6s %u seat%s %7.2f M rows/s  %6.2f ms  %5llu orders %5llu fills  %s %s\n",
        c->name, c->rules == SIM_STRICT ? "strict" : "anchor", c->seats, c->seats > 1 ? "s" : " ",
        (double)in->n / sum / 1e6, sum * 1e3, (unsigned long long)g.orders,
        (unsigned long long)g.fills, orders, fills);
    rig_close(&g);
    return 0;
}

int main(int argc, char **argv) {
    static const struct bench_case cases[] = {
        {"replay", NULL, SIM_STRICT, 1},
        {"quoter", "quoter", SIM_STRICT, 1},
        {"grid", "grid", SIM_STRICT, 1},
        {"quoter", "quoter", SIM_STRICT, SEATS},
        {"replay", NULL, SIM_ANCHOR, 1},
        {"quoter", "quoter", SIM_ANCHOR, 1},
        {"grid", "grid", SIM_ANCHOR, 1},
    };
    const char *tape = argc > 1 ? argv[1] : "examples/data/btcusdt-20240808.tape";
    int passes = argc > 2 ? atoi(argv[2]) : PASSES_DEFAULT;
    struct input in = {0};
    int rc = load(tape, &in);
    if (rc) return rc;
    printf("input %s: %zu rows of depth and trades; %d passes, compiler %s\n", tape, in.n, passes,
        __VERSION__);
    for (size_t i = 0; rc == 0 && i < sizeof cases / sizeof cases[0]; i++) {
        rc = run_case(&in, &cases[i], passes > 0 ? passes : 1);
    }
    free(in.ev);
    return rc;
}
