/* feature_bench.c: nanoseconds an event and microseconds a bucket close, all features.
 *
 *   feature_bench [TAPE [SET]]     a tape made by `fathom import` or `generate` (first instrument);
 *                                  without one a small seeded stream
 *
 * The loop of stream.c is repeated here with a clock around it: book and volume clock alone, then
 * with features; the difference, less the time inside closes, is the features' cost an event.
 * Prints input and its hash, the hash of the rows (equal in every pass, else exit 1), the least of
 * all passes in thread-CPU time, heap bytes taken while running. One line of JSON at the end.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "capture/tape/tape.h"
#include "derive/feature/feature.h"

enum { PASSES = 40, SECONDS = 200, SEED = 20240808, LEVELS = 400, MID = 600000 };

struct input {
    struct event *ev;
    size_t n, cap, events;
    struct instrument inst;
    const char *name;
    uint64_t hash;
};

static double cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct event *push(struct input *in, const struct event *ev) {
    size_t slots = event_slots(ev->kind);
    if (in->n + slots > in->cap) {
        in->cap = in->cap ? 2 * in->cap : 65536;
        in->ev = mem_grow(in->ev, in->cap * sizeof *in->ev);
    }
    memcpy(in->ev + in->n, ev, slots * sizeof *ev);
    in->hash = hash64(in->hash, ev, slots * sizeof *ev);
    in->events++;
    in->n += slots;
    return &in->ev[in->n - slots];
}

/* A still market: level changes around one mid, trades at the touch. */
static void generate(struct input *in) {
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
        push(in, &ev);
    }
    for (int64_t end = now + SECONDS * NS_PER_S; now < end; now += 15 * NS_PER_MS) {
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
            push(in, &ev);
        }
        id++;
        struct event trade = {.kind = EV_TRADE, .id = id, .ts_local = {now}};
        trade.flags = (uint8_t)(EVF_FIRST | EVF_LAST | (rng_below(&r, 2) ? EVF_BUY : EVF_SELL));
        trade.px.ticks = trade.flags & EVF_BUY ? MID + 1 : MID - 1;
        trade.qty.lots = 1 + (int64_t)rng_below(&r, 300);
        push(in, &trade);
    }
}

static int load(struct input *in, const char *path) {
    struct tape_reader *r = NULL;
    struct tape_reader_options opt = {0};
    struct err_info e;
    const struct event *slots;
    size_t n, table;
    err_t code = tape_reader_open(&r, path, &opt, &e);
    while (!code && !(code = tape_reader_next(r, &slots, &n, &e)))
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind))
            if (slots[i].inst == 0) push(in, &slots[i]);
    if (code == ERR_END) {
        in->inst = tape_reader_instruments(r, &table)[0];
        in->name = path;
    } else {
        fprintf(stderr, "feature_bench: %s\n", e.text);
    }
    if (r) tape_reader_close(r);
    return code == ERR_END && in->n > 0 ? 0 : 1;
}

struct pass {
    double all, closes, worst;
    uint64_t hash, rows;
};

struct machine {
    void *book_mem, *engine_mem;
    struct book *book;
    struct feature_engine *engine; /* NULL: book and clock only */
    struct vclock clock;
    float *row;
    size_t columns;
};

static void close_bucket(struct machine *m, const struct bucket *b, struct pass *p) {
    if (!m->engine) return;
    double t = cpu_ns();
    feature_on_bucket(m->engine, b, m->row);
    t = cpu_ns() - t;
    p->closes += t;
    p->worst = t > p->worst ? t : p->worst;
    p->hash = hash64(p->hash, m->row, m->columns * sizeof *m->row);
    p->rows++;
}

static struct pass run(struct machine *m, const struct input *in) {
    struct pass p = {0};
    struct book_change change;
    struct bucket b;
    double t = cpu_ns();
    for (size_t i = 0; i < in->n; i += event_slots(in->ev[i].kind)) {
        const struct event *ev = &in->ev[i];
        while (vclock_before(&m->clock, ev, &b)) close_bucket(m, &b, &p);
        book_apply(m->book, ev, &change);
        if (m->engine) feature_on_event(m->engine, ev, &change);
        if (vclock_after(&m->clock, ev, &b)) close_bucket(m, &b, &p);
    }
    p.all = cpu_ns() - t;
    return p;
}

static void start(struct machine *m, const struct input *in, const struct feature_set *set) {
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

static int measure(const struct input *in, const struct feature_set *set) {
    struct machine m = {.book_mem = block(book_mem_size(NULL)),
        .engine_mem = block(feature_engine_mem_size(set)),
        .row = mem_alloc(set->count * sizeof(float)),
        .columns = set->count};
    struct pass first = {0};
    double bare = 1e18, event = 1e18, closes = 1e18, worst = 1e18;
    size_t heap = 0;
    int bad = 0;
    for (int i = 0; i < PASSES; i++) {
        start(&m, in, NULL);
        size_t before = mallinfo2().uordblks;
        double t = run(&m, in).all;
        bare = t < bare ? t : bare;
        start(&m, in, set);
        struct pass p = run(&m, in);
        heap += mallinfo2().uordblks - before;
        if (i == 0) first = p;
        bad |= p.hash != first.hash;
        event = p.all - p.closes < event ? p.all - p.closes : event;
        closes = p.closes < closes ? p.closes : closes;
        worst = p.worst < worst ? p.worst : worst;
    }
    double per_event = (event - bare) / (double)in->events;
    double per_close = closes / (double)first.rows / 1e3;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("input      %s: %zu events, hash %016llx\n", in->name, in->events,
        (unsigned long long)in->hash);
    printf("result     %llu rows of %zu features (%s), hash %016llx%s\n",
        (unsigned long long)first.rows, set->count, set->name, (unsigned long long)first.hash,
        bad ? " WRONG: differs between passes" : "");
    printf("time       %.2f ns an event beside %.2f for book and clock; %.2f us a close (worst "
           "%.2f)\n",
        per_event, bare / (double)in->events, per_close, worst / 1e3);
    printf("memory     %zu heap bytes while running, peak %ld KiB; state %zu bytes\n", heap,
        usage.ru_maxrss, feature_engine_mem_size(set));
    printf("compiler   %s\n", __VERSION__);
    printf("{\"stage\":\"features\",\"events\":%zu,\"rows\":%llu,\"columns\":%zu,"
           "\"hash\":\"%016llx\",\"ns_per_event\":%.3f,\"us_per_close\":%.3f,\"heap\":%zu}\n",
        in->events, (unsigned long long)first.rows, set->count, (unsigned long long)first.hash,
        per_event, per_close, heap);
    free(m.book_mem);
    free(m.engine_mem);
    free(m.row);
    return bad;
}

int main(int argc, char **argv) {
    struct input *in = mem_alloc(sizeof *in);
    struct feature_set *set = mem_alloc(sizeof *set);
    const char *bad = NULL;
    int code = 0;
    if (!feature_set_parse(argc > 2 ? argv[2] : "all", set, &bad)) {
        fprintf(stderr, "feature_bench: \"%s\" is no set, family or feature\n", bad);
        code = 2;
    }
    if (!code && argc > 1) code = load(in, argv[1]);
    if (!code && argc <= 1) generate(in);
    if (!code) code = measure(in, set);
    free(in->ev);
    free(in);
    free(set);
    return code;
}
