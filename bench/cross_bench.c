/* cross_bench.c: what the family xv costs with two peers: nanoseconds an event of any venue and
 * microseconds a bucket close.
 *
 *   cross_bench [TAPE]     a tape made by `fathom import` (first instrument; default: the shipped
 *                          recording)
 *
 * The peers are the same recording again, 30 and 70 ms later: as many events as three venues of
 * that size send. Books and volume clock alone, then with the features; the difference, less the
 * time inside closes, is the features' cost an event. Every tenth close of one second makes the
 * slow estimates: the worst close shows them. Prints input and result hash (equal in every pass,
 * else exit 1) and heap calls while running. One line of JSON at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "bench.h"
#include "derive/feature/feature.h"

enum { PASSES = 20, SLICE_SLOTS = 16384, VENUES = 3 };

struct merged { /* by time, messages whole */
    struct event *ev;
    size_t n, events;
};

static size_t message(const struct bench_input *in, size_t at, size_t *events) {
    bool last = false;
    for (; !last && at < in->n; at += event_slots(in->ev[at].kind)) {
        last = in->ev[at].flags & EVF_LAST;
        ++*events;
    }
    return at;
}

static void merge(const struct bench_input *in, struct merged *m) {
    static const int64_t later[VENUES] = {0, 30 * NS_PER_MS, 70 * NS_PER_MS};
    size_t at[VENUES] = {0};
    m->ev = aligned_alloc(64, VENUES * in->n * sizeof *m->ev);
    CHECK(m->ev != NULL);
    for (;;) {
        size_t best = VENUES;
        for (size_t v = 0; v < VENUES; v++) {
            if (at[v] == in->n) continue;
            if (best == VENUES ||
                in->ev[at[v]].ts_local.ns + later[v] < in->ev[at[best]].ts_local.ns + later[best])
                best = v;
        }
        if (best == VENUES) return;
        size_t end = message(in, at[best], &m->events);
        memcpy(&m->ev[m->n], &in->ev[at[best]], (end - at[best]) * sizeof *m->ev);
        for (size_t i = 0; i < end - at[best]; i += event_slots(m->ev[m->n + i].kind)) {
            m->ev[m->n + i].inst = (uint16_t)best;
            m->ev[m->n + i].ts_local.ns += later[best];
        }
        m->n += end - at[best];
        at[best] = end;
    }
}

struct machine {
    void *book_mem[VENUES], *engine_mem;
    struct instrument inst[VENUES];
    struct book *book[VENUES];
    struct feature_engine *engine; /* NULL: books and clock only */
    struct vclock clock;
    float *row;
    size_t columns;
    struct bench_slices *close;
    double closes, worst; /* of the slice, of the pass */
    uint64_t hash, rows;
};

static void start(struct machine *m, const struct feature_set *set) {
    struct feature_ctx ctx;
    memset(&ctx, 0, sizeof ctx);
    ctx.spec = (struct bucket_spec){.mode = BUCKET_TIME, .size = NS_PER_S};
    for (size_t v = 0; v < VENUES; v++) {
        double px = instrument_px_unit(&m->inst[v]), qty = instrument_qty_unit(&m->inst[v]);
        m->book[v] = book_init(m->book_mem[v], NULL, m->inst[v].venue);
        if (v > 0) ctx.peer[ctx.peers++] = (struct feature_peer){&m->inst[v], m->book[v], px, qty};
    }
    vclock_init(&m->clock, &ctx.spec, 0);
    ctx.inst = &m->inst[0];
    ctx.book = m->book[0];
    ctx.px_unit = instrument_px_unit(&m->inst[0]);
    ctx.qty_unit = instrument_qty_unit(&m->inst[0]);
    m->engine = set ? feature_engine_init(m->engine_mem, set, &ctx) : NULL;
    m->hash = m->rows = 0;
    m->worst = 0.0;
}

static void close_bucket(struct machine *m, const struct bucket *b) {
    if (!m->engine) return;
    double t = bench_cpu_ns();
    feature_on_bucket(m->engine, b, m->row);
    t = bench_cpu_ns() - t;
    m->closes += t;
    bench_slices_add(m->close, t);
    m->worst = t > m->worst ? t : m->worst;
    m->hash = hash64(m->hash, m->row, m->columns * sizeof *m->row);
    m->rows++;
}

static void run(struct machine *m, const struct merged *in, struct bench_slices *slices) {
    struct book_change change;
    struct bucket b;
    bench_slices_begin(slices);
    for (size_t i = 0, end; i < in->n;) {
        end = i + SLICE_SLOTS < in->n ? i + SLICE_SLOTS : in->n;
        m->closes = 0.0;
        double t = bench_cpu_ns();
        for (; i < end; i += event_slots(in->ev[i].kind)) {
            const struct event *ev = &in->ev[i];
            while (vclock_before(&m->clock, ev, &b)) close_bucket(m, &b);
            book_apply(m->book[ev->inst], ev, &change);
            if (m->engine && ev->inst == 0) feature_on_event(m->engine, ev, &change);
            if (m->engine && ev->inst > 0)
                feature_on_peer(m->engine, (size_t)ev->inst - 1, ev, &change);
            if (ev->inst == 0 && vclock_after(&m->clock, ev, &b)) close_bucket(m, &b);
        }
        bench_slices_add(slices, bench_cpu_ns() - t - m->closes);
    }
}

static void *block(size_t n) {
    void *p = aligned_alloc(64, (n + 63) / 64 * 64);
    CHECK(p != NULL);
    return p;
}

static int measure(const struct bench_input *in, const struct merged *merged) {
    struct bench_slices bare, with, close;
    struct machine m = {.close = &close};
    struct feature_set set;
    double worst = 1e18;
    uint64_t hash = 0;
    unsigned long heap = 0;
    bool bad = false;
    int passes = bench_passes(PASSES);
    CHECK(feature_set_parse("xv", &set, NULL));
    for (size_t v = 0; v < VENUES; v++) {
        m.inst[v] = in->inst;
        m.book_mem[v] = block(book_mem_size(NULL));
    }
    m.engine_mem = block(feature_engine_mem_size(&set));
    m.columns = set.count;
    m.row = mem_alloc(set.count * sizeof *m.row);
    bench_slices_init(&bare);
    bench_slices_init(&with);
    bench_slices_init(&close);
    for (int i = 0; i < passes; i++) {
        start(&m, NULL);
        unsigned long before = bench_heap_calls();
        run(&m, merged, &bare);
        start(&m, &set);
        bench_slices_begin(&close);
        run(&m, merged, &with);
        heap += bench_heap_calls() - before;
        bad |= i > 0 && m.hash != hash;
        hash = m.hash;
        worst = m.worst < worst ? m.worst : worst;
    }
    double n = (double)merged->events, books = bench_slices_sum(&bare) / n;
    double per_event = bench_slices_sum(&with) / n - books;
    double per_close = bench_slices_sum(&close) / (double)m.rows / 1e3;
    printf("input      %s three times: %zu events, hash %016llx\n", in->name, merged->events,
        (unsigned long long)in->hash);
    printf("result     %llu rows of %zu features, hash %016llx%s\n", (unsigned long long)m.rows,
        set.count, (unsigned long long)hash, bad ? " WRONG: differs between passes" : "");
    printf("time       %.2f ns an event beside %.2f for books and clock; %.2f us a close (worst "
           "%.2f); least of %d passes, A/A %.3f, closes %.3f\n",
        per_event, books, per_close, worst / 1e3, passes, bench_slices_noise(&with),
        bench_slices_noise(&close));
    printf("heap       %lu calls while running; state %zu bytes\n", heap,
        feature_engine_mem_size(&set));
    bench_footer();
    printf("{\"stage\":\"cross\",\"events\":%zu,\"units\":%zu,\"rows\":%llu,\"columns\":%zu,"
           "\"input\":\"%016llx\",\"result\":\"%016llx\",\"ns_per_event\":%.3f,"
           "\"us_per_close\":%.3f,\"heap\":%lu}\n",
        merged->events, merged->events * (size_t)passes, (unsigned long long)m.rows, set.count,
        (unsigned long long)in->hash, (unsigned long long)hash, per_event, per_close, heap);
    bench_slices_free(&bare);
    bench_slices_free(&with);
    bench_slices_free(&close);
    for (size_t v = 0; v < VENUES; v++) free(m.book_mem[v]);
    free(m.engine_mem);
    free(m.row);
    return bad || heap != 0;
}

int main(int argc, char **argv) {
    struct bench_input *in = mem_alloc(sizeof *in);
    struct merged merged = {0};
    int code = bench_load(in, argc > 1 ? argv[1] : BENCH_TAPE, 0) ? 0 : 4;
    if (!code) {
        merge(in, &merged);
        code = measure(in, &merged);
    }
    free(merged.ev);
    free(in->ev);
    free(in);
    return code;
}
