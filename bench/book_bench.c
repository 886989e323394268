/* book_bench.c: nanoseconds of one validated book update.
 *
 *   book_bench [TAPE [INSTRUMENT [PASSES]]]
 *
 * TAPE is made by `fathom import` or `fathom generate`; without one the input is a seeded stream
 * with the distances of real recordings.
 *
 * Prints input and its hash, the result hash (equal in every pass, else exit 1), thread-CPU time as
 * the sum over slices of about 1 ms of the least of all passes, heap bytes taken while running,
 * peak memory, compiler and flags. One line of JSON at the end.
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
#include "capture/tape/tape.h"
#include "derive/book/book.h"

enum {
    PASSES_DEFAULT = 60,
    PASSES_MAX = 10000,
    SLICE_EVENTS = 65536,
    MESSAGES = 6000,
    SEED = 20240808,
    RANGE = 4000000, /* ticks of the generated market */
    TEXT_MAX = 256
};

struct input {
    struct event *ev;
    size_t n, cap;
    uint64_t levels, messages, hash;
    uint8_t venue;
    char name[TEXT_MAX];
};

static double cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void push(struct input *in, const struct event *ev) {
    if (in->n == in->cap) {
        size_t cap = in->cap ? 2 * in->cap : 65536;
        struct event *more = aligned_alloc(64, cap * sizeof *more);
        CHECK(more != NULL);
        if (in->n > 0) memcpy(more, in->ev, in->n * sizeof *more);
        free(in->ev);
        in->ev = more;
        in->cap = cap;
    }
    in->ev[in->n++] = *ev;
    in->levels += ev->kind == EV_DEPTH;
    in->messages += (ev->flags & EVF_LAST) && ev->kind == EV_DEPTH;
    in->hash = hash64(in->hash, ev, sizeof *ev);
}

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
        push(in, &m->message[i]);
    }
}

static void generate(struct input *in) {
    struct market *m = mem_alloc(sizeof *m);
    m->there = mem_alloc(RANGE + 1);
    m->rng = SEED;
    m->mid = RANGE / 2;
    in->venue = VENUE_BINANCE_USDM;
    snprintf(in->name, sizeof in->name, "generated, seed %d, %d messages", SEED, MESSAGES);
    for (int i = 0; i < MESSAGES; i++) generate_message(m, in);
    free(m->there);
    free(m);
}

/* ---- a tape ---- */

static int load(struct input *in, const char *path, unsigned inst) {
    struct tape_reader *r = NULL;
    struct tape_reader_options opt = {0};
    struct err_info e;
    err_t code = tape_reader_open(&r, path, &opt, &e);
    const struct event *slots;
    size_t n, table;
    while (!code && !(code = tape_reader_next(r, &slots, &n, &e))) {
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind))
            if (slots[i].inst == inst && event_slots(slots[i].kind) == 1) push(in, &slots[i]);
    }
    if (code == ERR_END) {
        const struct instrument *t = tape_reader_instruments(r, &table);
        if (inst < table) in->venue = t[inst].venue;
        snprintf(in->name, sizeof in->name, "%s, instrument %u", path, inst);
    } else {
        fprintf(stderr, "book_bench: %s\n", e.text);
    }
    if (r) tape_reader_close(r);
    return code == ERR_END && in->n > 0 ? 0 : 1;
}

/* ---- measure ---- */

/* Apart from its caller, so that callgrind --toggle-collect=pass counts its instructions only. */
__attribute__((noinline)) static double pass(
    struct book *b, const struct input *in, double *least, size_t slices) {
    struct book_change c;
    double all = 0;
    for (size_t s = 0; s < slices; s++) {
        size_t end = (s + 1) * SLICE_EVENTS < in->n ? (s + 1) * SLICE_EVENTS : in->n;
        double t = cpu_ns();
        for (size_t i = s * SLICE_EVENTS; i < end; i++) book_apply(b, &in->ev[i], &c);
        t = cpu_ns() - t;
        if (t < least[s]) least[s] = t;
        all += t;
    }
    return all;
}

static int measure(const struct input *in, int passes) {
    size_t slices = (in->n + SLICE_EVENTS - 1) / SLICE_EVENTS;
    double *least = mem_alloc(slices * sizeof *least), total = 0, first = 0;
    void *mem = aligned_alloc(64, (book_mem_size(NULL) + 63) / 64 * 64);
    CHECK(mem != NULL);
    for (size_t s = 0; s < slices; s++) least[s] = 1e18;
    uint64_t hash = 0;
    size_t heap = 0;
    int bad = 0;
    for (int p = 0; p < passes; p++) {
        struct book *b = book_init(mem, NULL, in->venue);
        size_t before = mallinfo2().uordblks;
        double all = pass(b, in, least, slices);
        if (p == 0) first = all;
        heap += mallinfo2().uordblks - before;
        uint64_t h = book_hash(b, 0);
        bad |= (p > 0 && h != hash) || book_state(b) != BOOK_SYNCED;
        hash = h;
    }
    for (size_t s = 0; s < slices; s++) total += least[s];
    const struct book_counters *c = book_counters((const struct book *)mem);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double per_level = total / (double)in->levels;
    printf("input      %s: %zu events, %llu level updates, %llu messages, hash %016llx\n", in->name,
        in->n, (unsigned long long)in->levels, (unsigned long long)in->messages,
        (unsigned long long)in->hash);
    printf("result     %s, hash %016llx, gaps %llu, ladder moves %llu%s\n",
        book_state_name(book_state((const struct book *)mem)), (unsigned long long)hash,
        (unsigned long long)c->gaps, (unsigned long long)c->recentres, bad ? " WRONG" : "");
    printf("time       %.2f ns a level update, %.2f ns an event (least of %d passes in %zu slices; "
           "first pass %.2f)\n",
        per_level, total / (double)in->n, passes, slices, first / (double)in->n);
    printf("memory     heap bytes taken %zu, peak RSS %ld KiB, book block %zu KiB\n", heap,
        usage.ru_maxrss, book_mem_size(NULL) / 1024);
    printf("compiler   %s, -O2 -ffp-contract=off\n", __VERSION__);
    printf(
        "{\"stage\":\"book\",\"events\":%zu,\"levels\":%llu,\"ns_per_level\":%.3f,\"ns_per_event\":"
        "%.3f,\"heap\":%zu,\"hash\":\"%016llx\",\"ok\":%s}\n",
        in->n, (unsigned long long)in->levels, per_level, total / (double)in->n, heap,
        (unsigned long long)hash, bad || heap ? "false" : "true");
    free(least);
    free(mem);
    return bad || heap != 0;
}

int main(int argc, char **argv) {
    struct input in = {0};
    int rc = 0;
    if (argc > 1) {
        rc = load(&in, argv[1], argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0);
    } else {
        generate(&in);
    }
    long passes = argc > 3 ? strtol(argv[3], NULL, 10) : PASSES_DEFAULT;
    if (passes < 1 || passes > PASSES_MAX) {
        fprintf(stderr, "book_bench: PASSES must be from 1 to %d\n", PASSES_MAX);
        rc = 2;
    }
    if (rc == 0) rc = measure(&in, (int)passes);
    free(in.ev);
    return rc;
}
