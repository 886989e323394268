/* feature_bench.c: nanoseconds an event and microseconds a bucket close, all features.
 *
 *   feature_bench [TAPE [SET]]     a tape made by `fathom import` (first instrument; default: the
 *                                  shipped recording); "-" is a small seeded stream
 *
 * The loop of stream.c is repeated here with a clock around it: book and volume clock alone, then
 * with features; the difference, less the time inside closes, is the features' cost an event.
 * Prints input and its hash, the hash of the rows (equal in every pass, else exit 1), the least of
 * all passes in thread-CPU time, heap bytes taken while running. One line of JSON at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bench.h"
#include "derive/feature/feature.h"

enum {
    PASSES = 40,
    SLICE_SLOTS = 16384,
    SECONDS = 200,
    SEED = 20240808,
    LEVELS = 400,
    MID = 600000
};

/* A still market: level changes around one mid, trades at the touch. */
static void generate(struct bench_input *in) {
    struct rng r;
    rng_init(&r, SEED, 1);
    int64_t now = INT64_C(1723161600) * NS_PER_S, id = 1;
    in->name = "generated";
    in->inst = (struct instrument){.symbol = "TESTUSDT",
        .px_mant = 1,
        .px_exp = 1,
        .qty_mant = 1,
        .qty_exp = 3,
        .tick_units = 1,
        .lot_units = 1,
        .contract_e8 = 100000000,
        .venue = VENUE_BINANCE_USDM};
    for (int64_t i = 0; i < 2 * LEVELS; i++) {
        struct event ev = {.kind = EV_DEPTH, .id = id, .ts_local = {now}};
        int64_t away = i / 2 + 1;
        ev.px.ticks = i % 2 ? MID + away : MID - away;
        ev.qty.lots = 1 + (int64_t)rng_below(&r, 3000);
        ev.flags = (uint8_t)((i % 2 ? EVF_SELL : EVF_BUY) | EVF_SNAPSHOT |
                             (i == 0 ? EVF_FIRST : 0) | (i == 2 * LEVELS - 1 ? EVF_LAST : 0));
        bench_push(in, &ev);
    }
    for (int64_t end = now + (bench_small() ? SECONDS / 5 : SECONDS) * NS_PER_S; now < end;
         now += 15 * NS_PER_MS) {
        for (int64_t i = 0, n = 1 + (int64_t)rng_below(&r, 40); i < n; i++) {
            bool ask = rng_below(&r, 2);
            int64_t away = 1 + (int64_t)rng_below(&r, LEVELS);
            struct event ev = {.kind = EV_DEPTH, .id = id + 1, .ts_local = {now}};
            ev.depth.prev_id = id;
            ev.depth.first_id = id + 1;
            ev.px.ticks = ask ? MID + away : MID - away;
            ev.qty.lots = 1 + (int64_t)rng_below(&r, 3000);
            ev.flags = (uint8_t)((ask ? EVF_SELL : EVF_BUY) | (i == 0 ? EVF_FIRST : 0) |
                                 (i == n - 1 ? EVF_LAST : 0));
            bench_push(in, &ev);
        }
        id++;
        struct event trade = {.kind = EV_TRADE, .id = id, .ts_local = {now}};
        trade.flags = (uint8_t)(EVF_FIRST | EVF_LAST | (rng_below(&r, 2) ? EVF_BUY : EVF_SELL));
        trade.px.ticks = trade.flags & EVF_BUY ? MID + 1 : MID - 1;
        trade.qty.lots = 1 + (int64_t)rng_below(&r, 300);
        bench_push(in, &trade);
    }
}

struct pass {
    double closes; /* of the slice in work */
    double worst;
    uint64_t hash, rows;
};

struct machine {
    void *book_mem, *engine_mem;
    struct book *book;
    struct feature_engine *engine; /* NULL: book and clock only */
    struct vclock clock;
    float *row;
    size_t columns;
    struct bench_slices *close; /* one a row */
};

static void close_bucket(struct machine *m, const struct bucket *b, struct pass *p) {
    if (!m->engine) return;
    double t = bench_cpu_ns();
    feature_on_bucket(m->engine, b, m->row);
    t = bench_cpu_ns() - t;
    p->closes += t;
    bench_slices_add(m->close, t);
    p->worst = t > p->worst ? t : p->worst;
    p->hash = hash64(p->hash, m->row, m->columns * sizeof *m->row);
    p->rows++;
}

static inline struct pass run(
    struct machine *m, const struct bench_input *in, struct bench_slices *slices) {
    struct pass p = {0};
    struct book_change change;
    struct bucket b;
    bench_slices_begin(slices);
    for (size_t i = 0, end; i < in->n;) {
        end = i + SLICE_SLOTS < in->n ? i + SLICE_SLOTS : in->n;
        p.closes = 0;
        double t = bench_cpu_ns();
        for (; i < end; i += event_slots(in->ev[i].kind)) {
            const struct event *ev = &in->ev[i];
            while (vclock_before(&m->clock, ev, &b)) close_bucket(m, &b, &p);
            book_apply(m->book, ev, &change);
            if (m->engine) feature_on_event(m->engine, ev, &change);
            if (vclock_after(&m->clock, ev, &b)) close_bucket(m, &b, &p);
        }
        bench_slices_add(slices, bench_cpu_ns() - t - p.closes);
    }
    return p;
}

static void run_bare(struct machine *m, const struct bench_input *in, struct bench_slices *slices) {
    (void)run(m, in, slices);
}

/* Apart, so that callgrind --toggle-collect=run_features counts its instructions only. */
__attribute__((noinline)) static struct pass run_features(
    struct machine *m, const struct bench_input *in, struct bench_slices *slices) {
    bench_slices_begin(m->close);
    return run(m, in, slices);
}

static void start(struct machine *m, const struct bench_input *in, const struct feature_set *set) {
    struct feature_ctx ctx;
    memset(&ctx, 0, sizeof ctx);
    ctx.spec = (struct bucket_spec){.mode = BUCKET_TIME, .size = NS_PER_S};
    m->book = book_init(m->book_mem, NULL, in->inst.venue);
    vclock_init(&m->clock, &ctx.spec, in->inst.id);
    ctx.inst = &in->inst;
    ctx.book = m->book;
    ctx.px_unit = instrument_px_unit(&in->inst);
    ctx.qty_unit = instrument_qty_unit(&in->inst);
    m->engine = set ? feature_engine_init(m->engine_mem, set, &ctx) : NULL;
}

static void *block(size_t n) {
    void *p = aligned_alloc(64, (n + 63) / 64 * 64);
    CHECK(p != NULL);
    return p;
}

struct figures {
    struct bench_slices bare, event, close;
    double worst; /* least of the passes' worst close */
    unsigned long heap;
    struct pass first;
    int passes;
    bool bad;
};

static void print(
    const struct bench_input *in, const struct feature_set *set, const struct figures *f) {
    double n = (double)in->events, bare = bench_slices_sum(&f->bare) / n;
    double per_event = bench_slices_sum(&f->event) / n - bare;
    double per_close = bench_slices_sum(&f->close) / (double)f->first.rows / 1e3;
    printf("input      %s: %zu events, hash %016llx\n", in->name, in->events,
        (unsigned long long)in->hash);
    printf("result     %llu rows of %zu features (%s), hash %016llx%s\n",
        (unsigned long long)f->first.rows, set->count, set->name, (unsigned long long)f->first.hash,
        f->bad ? " WRONG: differs between passes" : "");
    printf("time       %.2f ns an event beside %.2f for book and clock; %.2f us a close (worst "
           "%.2f); least of %d passes, A/A %.3f, closes %.3f\n",
        per_event, bare, per_close, f->worst / 1e3, f->passes, bench_slices_noise(&f->event),
        bench_slices_noise(&f->close));
    printf("heap       %lu calls while running; state %zu bytes\n", f->heap,
        feature_engine_mem_size(set));
    bench_footer();
    printf("{\"stage\":\"features\",\"events\":%zu,\"units\":%zu,\"rows\":%llu,\"columns\":%zu,"
           "\"input\":\"%016llx\",\"result\":\"%016llx\",\"ns_per_event\":%.3f,"
           "\"book_ns_per_event\":%.3f,\"us_per_close\":%.3f,\"heap\":%lu}\n",
        in->events, in->events * (size_t)f->passes, (unsigned long long)f->first.rows, set->count,
        (unsigned long long)in->hash, (unsigned long long)f->first.hash, per_event, bare, per_close,
        f->heap);
}

static int measure(const struct bench_input *in, const struct feature_set *set) {
    struct figures f = {.worst = 1e18, .passes = bench_passes(PASSES)};
    struct machine m = {.book_mem = block(book_mem_size(NULL)),
        .engine_mem = block(feature_engine_mem_size(set)),
        .row = mem_alloc(set->count * sizeof(float)),
        .columns = set->count,
        .close = &f.close};
    bench_slices_init(&f.bare);
    bench_slices_init(&f.event);
    bench_slices_init(&f.close);
    for (int i = 0; i < f.passes; i++) {
        start(&m, in, NULL);
        unsigned long before = bench_heap_calls();
        run_bare(&m, in, &f.bare);
        start(&m, in, set);
        struct pass p = run_features(&m, in, &f.event);
        f.heap += bench_heap_calls() - before;
        if (i == 0) f.first = p;
        f.bad |= p.hash != f.first.hash;
        f.worst = p.worst < f.worst ? p.worst : f.worst;
    }
    print(in, set, &f);
    bench_slices_free(&f.bare);
    bench_slices_free(&f.event);
    bench_slices_free(&f.close);
    free(m.book_mem);
    free(m.engine_mem);
    free(m.row);
    return f.bad || f.heap != 0;
}

int main(int argc, char **argv) {
    struct bench_input *in = mem_alloc(sizeof *in);
    struct feature_set *set = mem_alloc(sizeof *set);
    const char *bad = NULL;
    int code = 0;
    if (!feature_set_parse(argc > 2 ? argv[2] : "all", set, &bad)) {
        fprintf(stderr, "feature_bench: \"%s\" is no set, family or feature\n", bad);
        code = 2;
    }
    const char *tape = argc > 1 ? argv[1] : BENCH_TAPE;
    if (!code && strcmp(tape, "-") == 0)
        generate(in);
    else if (!code && !bench_load(in, tape, 0))
        code = 4;
    if (!code) code = measure(in, set);
    free(in->ev);
    free(in);
    free(set);
    return code;
}
