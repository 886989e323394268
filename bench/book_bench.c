/* book_bench.c: nanoseconds of one validated book update.
 *
 *   book_bench [TAPE [INSTRUMENT [PASSES]]]
 *
 * TAPE (default: the shipped recording) is made by `fathom import`; "-" is a seeded stream with the
 * distances of real recordings.
 *
 * Prints input and its hash, the result hash (equal in every pass, else exit 1), thread-CPU time as
 * the sum over slices of about 1 ms of the least of all passes, heap bytes taken while running,
 * peak memory, compiler and flags. One line of JSON at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "bench.h"
#include "derive/book/book.h"

enum {
    PASSES_DEFAULT = 60,
    PASSES_MAX = 10000,
    SLICE_EVENTS = 65536,
    MESSAGES = 6000,
    SEED = 20240808,
    RANGE = 4000000 /* ticks of the generated market */
};

struct input {
    struct bench_input b;
    uint64_t levels, messages;
};

/* ---- generated input ---- */

struct market {
    uint64_t rng;
    int64_t mid, u;
    unsigned char *there; /* per price: 1 = bid, 2 = ask */
    struct event message[4096];
    size_t n;
};

static int64_t below(struct market *m, int64_t n) { /* splitmix64 */
    uint64_t z = (m->rng += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (int64_t)((z ^ (z >> 31)) % (uint64_t)n);
}

static void change(struct market *m, int64_t px, unsigned char side, int64_t lots) {
    if (px < 1 || px >= RANGE || m->n == sizeof m->message / sizeof m->message[0]) return;
    m->there[px] = lots ? side : 0;
    m->message[m->n++] = (struct event){.id = m->u,
        .kind = EV_DEPTH,
        .flags = side,
        .px = {px},
        .qty = {lots},
        .depth = {m->u, m->u - 1}};
}

/* Half the levels within 500 ticks, a tenth up to a million away, as BTCUSDT had it. */
static void generate_message(struct market *m, struct input *in) {
    m->n = 0;
    m->u++;
    int64_t mid = m->mid + below(m, 61) - 30;
    for (int64_t px = m->mid; px <= mid; px++)
        if (m->there[px] == EVF_SELL) change(m, px, EVF_SELL, 0);
    for (int64_t px = m->mid; px >= mid; px--)
        if (m->there[px] == EVF_BUY) change(m, px, EVF_BUY, 0);
    m->mid = mid;
    for (int64_t i = 20 + below(m, 97); i > 0; i--) {
        int64_t how = below(m, 100), away = how < 50   ? 1 + below(m, 500)
                                            : how < 88 ? 1 + below(m, 4000)
                                            : how < 95 ? 1 + below(m, 60000)
                                                       : 1 + below(m, 1000000);
        unsigned char side = below(m, 2) ? EVF_BUY : EVF_SELL;
        int64_t px = side == EVF_BUY ? mid - away : mid + away;
        if (px < 1 || px >= RANGE) continue;
        change(m, px, side, m->there[px] && below(m, 2) ? 0 : 1 + below(m, 5000));
    }
    for (size_t i = 0; i < m->n; i++) {
        m->message[i].flags |= (uint8_t)((i == 0 ? EVF_FIRST : 0) | (i == m->n - 1 ? EVF_LAST : 0));
        if (m->u == 1) m->message[i].flags |= EVF_SNAPSHOT;
        bench_push(&in->b, &m->message[i]);
    }
}

static void generate(struct input *in) {
    struct market *m = mem_alloc(sizeof *m);
    m->there = mem_alloc(RANGE + 1);
    m->rng = SEED;
    m->mid = RANGE / 2;
    in->b.inst.venue = VENUE_BINANCE_USDM;
    in->b.name = "generated";
    for (int i = 0, n = bench_small() ? MESSAGES / 6 : MESSAGES; i < n; i++)
        generate_message(m, in);
    free(m->there);
    free(m);
}

/* ---- measure ---- */

static void count(struct input *in) {
    for (size_t i = 0; i < in->b.n; i += event_slots(in->b.ev[i].kind)) {
        in->levels += in->b.ev[i].kind == EV_DEPTH;
        in->messages += in->b.ev[i].kind == EV_DEPTH && (in->b.ev[i].flags & EVF_LAST);
    }
}

/* Apart from its caller, so that callgrind --toggle-collect=pass counts its instructions only. */
__attribute__((noinline)) static void pass(
    struct book *b, const struct bench_input *in, struct bench_slices *slices) {
    struct book_change c;
    bench_slices_begin(slices);
    for (size_t i = 0; i < in->n;) {
        size_t end = i + SLICE_EVENTS < in->n ? i + SLICE_EVENTS : in->n;
        double t = bench_cpu_ns();
        for (; i < end; i += event_slots(in->ev[i].kind)) book_apply(b, &in->ev[i], &c);
        bench_slices_add(slices, bench_cpu_ns() - t);
    }
}

static void print(const struct input *in, const struct book *b, const struct bench_slices *slices,
    int passes, unsigned long heap, uint64_t hash, int bad) {
    const struct book_counters *c = book_counters(b);
    double total = bench_slices_sum(slices), per_level = total / (double)in->levels;
    printf("input      %s: %zu events, %llu level updates, %llu messages, hash %016llx\n",
        in->b.name, in->b.events, (unsigned long long)in->levels, (unsigned long long)in->messages,
        (unsigned long long)in->b.hash);
    printf("result     %s, hash %016llx, gaps %llu, ladder moves %llu%s\n",
        book_state_name(book_state(b)), (unsigned long long)hash, (unsigned long long)c->gaps,
        (unsigned long long)c->recentres, bad ? " WRONG" : "");
    printf("time       %.2f ns a level update, %.2f ns an event (least of %d passes in %zu slices; "
           "A/A %.3f)\n",
        per_level, total / (double)in->b.events, passes, slices->n, bench_slices_noise(slices));
    printf("heap       %lu calls while running; book block %zu KiB\n", heap,
        book_mem_size(NULL) / 1024);
    bench_footer();
    printf(
        "{\"stage\":\"book\",\"events\":%zu,\"levels\":%llu,\"units\":%llu,\"ns_per_level\":%.3f,"
        "\"ns_per_event\":%.3f,\"heap\":%lu,\"input\":\"%016llx\",\"result\":\"%016llx\"}\n",
        in->b.events, (unsigned long long)in->levels,
        (unsigned long long)in->b.events * (unsigned long long)passes, per_level,
        total / (double)in->b.events, heap, (unsigned long long)in->b.hash,
        (unsigned long long)hash);
}

static int measure(const struct input *in, int passes) {
    struct bench_slices slices;
    void *mem = aligned_alloc(64, (book_mem_size(NULL) + 63) / 64 * 64);
    CHECK(mem != NULL);
    bench_slices_init(&slices);
    struct book *b = NULL;
    uint64_t hash = 0;
    unsigned long heap = 0;
    int bad = 0;
    for (int p = 0; p < passes; p++) {
        b = book_init(mem, NULL, in->b.inst.venue);
        unsigned long before = bench_heap_calls();
        pass(b, &in->b, &slices);
        heap += bench_heap_calls() - before;
        uint64_t h = book_hash(b, 0);
        bad |= (p > 0 && h != hash) || book_state(b) != BOOK_SYNCED;
        hash = h;
    }
    print(in, b, &slices, passes, heap, hash, bad);
    bench_slices_free(&slices);
    free(mem);
    return bad || heap != 0;
}

int main(int argc, char **argv) {
    struct input in = {0};
    const char *tape = argc > 1 ? argv[1] : BENCH_TAPE;
    long passes = argc > 3 ? strtol(argv[3], NULL, 10) : bench_passes(PASSES_DEFAULT);
    int rc = 0;
    if (passes < 1 || passes > PASSES_MAX) {
        fprintf(stderr, "book_bench: PASSES must be from 1 to %d\n", PASSES_MAX);
        return 2;
    }
    if (strcmp(tape, "-") == 0)
        generate(&in);
    else if (!bench_load(&in.b, tape, argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0))
        rc = 4;
    count(&in);
    if (rc == 0) rc = measure(&in, (int)passes);
    free(in.b.ev);
    return rc;
}
