/* tape_bench.c: bytes on disk, decode rate and append rate of the tape.
 *
 *   tape_bench [TAPE [FOLDER]]     events of an existing tape (default: the shipped recording; "-":
 *                                  made-up ones); tapes are written to FOLDER (default: the current
 *                                  one) and removed again
 *
 * Prints the input and its hash, the hash read back from each form (equal, else exit 1), decode
 * rates as the sum over slices of about 1 ms of the least of all passes on thread-CPU time, the
 * rate beside it of reading the same memory once, append rates beside raw write + fdatasync of the
 * same bytes on a preallocated file, alternating in the same run, heap bytes taken while reading,
 * peak memory, compiler and flags. One line of JSON at the end.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"
#include "bench.h"
#include "capture/tape/tape.h"

enum {
    PASSES = 60,
    ROUNDS = 7,       /* of append against raw write */
    SLICE_CALLS = 16, /* tape_reader_next calls: about 1 ms */
    SLICES_MAX = 100000,
    MADE_EVENTS = 1000000,
    APPEND_SLOTS = 1000,
    GROUP_MS = 10,
    PATH_TEXT = 1100
};

struct input {
    struct event *slot;
    size_t slots, cap;
    uint64_t events, hash;
    struct instrument table[INST_MAX];
    size_t rows;
};

static void die(const struct err_info *e) {
    fprintf(stderr, "tape_bench: %s\n", e->text);
    exit(1);
}

static double clock_ns(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void push(struct input *in, const struct event *slots, size_t n) {
    if (in->slots + n > in->cap) {
        in->cap = 2 * (in->slots + n);
        struct event *more = aligned_alloc(64, in->cap * sizeof *more);
        CHECK(more != NULL);
        if (in->slots) memcpy(more, in->slot, in->slots * sizeof *more);
        free(in->slot);
        in->slot = more;
    }
    memcpy(in->slot + in->slots, slots, n * sizeof *slots);
    in->slots += n;
}

static uint64_t next_random(uint64_t *state) { /* splitmix64 */
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Messages of up to 100 levels near a wandering price, a trade now and then. */
static void make(struct input *in) {
    uint64_t r = 20240808;
    int64_t ts = INT64_C(1723161255000000000), id = 1, mid = 600000;
    struct instrument row = {.px_mant = 1, .qty_mant = 1, .px_exp = 1, .qty_exp = 3};
    snprintf(row.symbol, sizeof row.symbol, "BTCUSDT");
    row.venue = VENUE_BINANCE_USDM;
    row.tick_units = row.lot_units = 1;
    row.contract_e8 = 100000000;
    in->table[in->rows++] = row;
    while (in->slots < (bench_small() ? MADE_EVENTS / 20 : MADE_EVENTS)) {
        size_t n = 1 + next_random(&r) % 100;
        ts += (int64_t)(next_random(&r) % 50000) * 1000;
        mid += (int64_t)(next_random(&r) % 7) - 3;
        id += (int64_t)n;
        struct event e = {.ts_venue = {ts - 2000000}, .ts_local = {ts}, .id = id};
        int64_t px = mid - 3000;
        for (size_t i = 0; i < n; i++) {
            px += (int64_t)(next_random(&r) % 120);
            e.kind = n == 1 ? EV_TRADE : EV_DEPTH;
            e.px.ticks = px;
            e.qty.lots = next_random(&r) % 5 ? (int64_t)(next_random(&r) % 4000) : 0;
            e.flags = (uint8_t)(px < mid ? EVF_BUY : EVF_SELL);
            e.flags |= (uint8_t)((i == 0 ? EVF_FIRST : 0) | (i + 1 == n ? EVF_LAST : 0));
            push(in, &e, 1);
        }
    }
    in->events = in->slots;
}

static void load(struct input *in, const char *path) {
    struct tape_reader *r;
    struct tape_reader_options opt = {0};
    struct err_info e;
    const struct event *slots;
    size_t n;
    err_t code = tape_reader_open(&r, path, &opt, &e);
    if (code) die(&e);
    const struct instrument *table = tape_reader_instruments(r, &in->rows);
    memcpy(in->table, table, in->rows * sizeof *table);
    while ((!bench_small() || in->slots < BENCH_SMALL_SLOTS) &&
           (code = tape_reader_next(r, &slots, &n, &e)) == ERR_OK) {
        push(in, slots, n);
    }
    if (code && code != ERR_END) die(&e);
    for (size_t i = 0; i < in->slots; i += event_slots(in->slot[i].kind)) in->events++;
    tape_reader_close(r);
}

/* Seconds that writing all of it took, the last sync included. */
static double write_tape(
    const struct input *in, const char *path, bool raw, int64_t group_ns, double *cpu) {
    struct tape_writer *w;
    struct err_info e;
    struct tape_writer_options opt = {.raw = raw, .force = true, .group_ns = group_ns};
    if (tape_writer_open(&w, path, &opt, NULL, &e)) die(&e);
    for (size_t i = 0; i < in->rows; i++) {
        struct instrument row = in->table[i];
        if (tape_writer_instrument(w, &row, &e)) die(&e);
    }
    double t = clock_ns(CLOCK_MONOTONIC), used = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (size_t at = 0; at < in->slots;) {
        size_t end = at;
        while (end < in->slots && end - at < APPEND_SLOTS) end += event_slots(in->slot[end].kind);
        if (tape_writer_append(w, in->slot + at, end - at, &e)) die(&e);
        at = end;
    }
    if (tape_writer_sync(w, &e)) die(&e);
    t = clock_ns(CLOCK_MONOTONIC) - t;
    used = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - used) * 1e-9;
    if (cpu && used < *cpu) *cpu = used;
    if (tape_writer_close(w, &e)) die(&e);
    return t * 1e-9;
}

/* The yardstick: the same bytes from memory, in pieces, synced each GROUP_MS, nothing else. */
static double write_raw(const void *bytes, size_t n, const char *path) {
    enum { PIECE = 256 << 10 };
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CHECK(fd >= 0);
    CHECK(posix_fallocate(fd, 0, (off_t)n) == 0);
    double start = clock_ns(CLOCK_MONOTONIC), synced = start;
    for (size_t at = 0; at < n; at += PIECE) {
        size_t k = n - at < PIECE ? n - at : PIECE;
        CHECK(pwrite(fd, (const char *)bytes + at, k, (off_t)at) == (ssize_t)k);
        if (clock_ns(CLOCK_MONOTONIC) - synced < GROUP_MS * 1e6) continue;
        CHECK(fdatasync(fd) == 0);
        synced = clock_ns(CLOCK_MONOTONIC);
    }
    CHECK(fdatasync(fd) == 0);
    double t = clock_ns(CLOCK_MONOTONIC) - start;
    CHECK(close(fd) == 0 && unlink(path) == 0);
    return t * 1e-9;
}

struct decoded {
    double seconds, bytes_per_event;
    uint64_t sum, hash;
    unsigned long heap;
};

/* One pass; each slice keeps its least time. */
static size_t decode_pass(struct tape_reader *r, double least[], uint64_t *sum) {
    struct err_info e;
    const struct event *slots;
    size_t n, slice = 0;
    err_t code = tape_reader_seek(r, (ts_t){INT64_MIN}, &e);
    while (!code) {
        double t = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < SLICE_CALLS && !code; i++) {
            code = tape_reader_next(r, &slots, &n, &e);
            if (!code) *sum = *sum * 31 + (uint64_t)(slots[n - 1].id + slots[0].px.ticks);
        }
        t = clock_ns(CLOCK_THREAD_CPUTIME_ID) - t;
        CHECK(slice < SLICES_MAX);
        if (t < least[slice]) least[slice] = t;
        slice++;
    }
    if (code != ERR_END) die(&e);
    return slice;
}

static struct decoded decode(const char *path, const struct input *in) {
    struct tape_reader *r;
    struct tape_reader_options opt = {0};
    struct decoded d = {0};
    struct err_info e;
    double *least = mem_alloc(SLICES_MAX * sizeof *least);
    for (size_t i = 0; i < SLICES_MAX; i++) least[i] = 1e18;
    if (tape_reader_open(&r, path, &opt, &e)) die(&e);
    (void)decode_pass(r, least, &d.sum); /* first touches: page cache, decoder's buffers */
    uint64_t first = d.sum;
    unsigned long before = bench_heap_calls();
    size_t slices = 0;
    for (int i = 0; i < bench_passes(PASSES); i++) {
        d.sum = 0;
        slices = decode_pass(r, least, &d.sum);
        CHECK(d.sum == first);
    }
    d.heap = bench_heap_calls() - before;
    for (size_t i = 0; i < slices; i++) d.seconds += least[i] * 1e-9;
    d.bytes_per_event = (double)tape_reader_bytes(r) / (double)tape_reader_events(r);
    tape_reader_close(r);
    if (tape_hash(path, &d.hash, &e)) die(&e);
    CHECK(d.hash == in->hash);
    free(least);
    return d;
}

/* Reading one word of each cache line of the same slots: what memory alone allows. */
static double touch(const struct input *in) {
    double least = 1e18;
    volatile int64_t keep = 0;
    for (int k = 0; k < bench_passes(PASSES); k++) {
        int64_t sum = 0;
        double t = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        for (size_t i = 0; i < in->slots; i++) sum += in->slot[i].id;
        t = clock_ns(CLOCK_THREAD_CPUTIME_ID) - t;
        keep = keep + sum;
        if (t < least) least = t;
    }
    return least * 1e-9;
}

struct appended {
    double columns, raw, yardstick; /* least seconds of wall clock */
    double columns_cpu, raw_cpu;    /* least seconds of this thread */
};

static struct appended append(const struct input *in, const char *path, const char *file) {
    struct appended a = {1e9, 1e9, 1e9, 1e9, 1e9};
    for (int k = 0; k < (bench_small() ? 1 : ROUNDS); k++) {
        double t = write_raw(in->slot, in->slots * sizeof *in->slot, file);
        if (t < a.yardstick) a.yardstick = t;
        t = write_tape(in, path, true, GROUP_MS * NS_PER_MS, &a.raw_cpu);
        if (t < a.raw) a.raw = t;
        t = write_tape(in, path, false, GROUP_MS * NS_PER_MS, &a.columns_cpu);
        if (t < a.columns) a.columns = t;
    }
    return a;
}

static void print(const struct input *in, const struct decoded *c, const struct decoded *r,
    double touched, const struct appended *a) {
    double m = (double)in->events * 1e-6;
    printf("events %llu, hash %016llx (input, columns and raw equal), sums %016llx %016llx\n",
        (unsigned long long)in->events, (unsigned long long)in->hash, (unsigned long long)c->sum,
        (unsigned long long)r->sum);
    printf("on disk     columns %.3f, raw %.3f bytes an event\n", c->bytes_per_event,
        r->bytes_per_event);
    printf(
        "decode      columns %.1f, raw %.1f M events/s (least of %d passes by slice); touching the "
        "same memory %.1f\n",
        m / c->seconds, m / r->seconds, bench_passes(PASSES), m / touched);
    printf(
        "append      columns %.2f, raw %.2f M events/s, groups of %d ms; write + fdatasync of the "
        "raw bytes %.2f; raw tape at %.0f %% of it (least of %d); by CPU time %.2f and %.2f\n",
        m / a->columns, m / a->raw, GROUP_MS, m / a->yardstick, 100 * a->yardstick / a->raw,
        bench_small() ? 1 : ROUNDS, m / a->columns_cpu, m / a->raw_cpu);
    printf("heap        %lu + %lu calls in %d passes\n", c->heap, r->heap, bench_passes(PASSES));
    bench_footer();
    printf("{\"stage\":\"tape\",\"events\":%llu,\"result\":\"%016llx\",\"bytes_per_event\":%.4f,"
           "\"decode_columns_per_s\":%.0f,\"decode_raw_per_s\":%.0f,\"append_columns_per_s\":%.0f,"
           "\"append_raw_per_s\":%.0f,\"append_raw_of_disk\":%.3f,\"heap\":%lu}\n",
        (unsigned long long)in->events, (unsigned long long)in->hash, c->bytes_per_event,
        1e6 * m / c->seconds, 1e6 * m / r->seconds, 1e6 * m / a->columns, 1e6 * m / a->raw,
        a->yardstick / a->raw, c->heap + r->heap);
}

int main(int argc, char **argv) {
    struct input *in = mem_alloc(sizeof *in);
    const char *folder = argc > 2 ? argv[2] : ".";
    char path[PATH_TEXT], file[PATH_TEXT];
    struct err_info e;
    snprintf(path, sizeof path, "%.1000s/tape_bench.%d", folder, (int)getpid());
    snprintf(file, sizeof file, "%.1000s/tape_bench.%d.bytes", folder, (int)getpid());
    const char *tape = argc > 1 ? argv[1] : BENCH_TAPE;
    if (strcmp(tape, "-") == 0)
        make(in);
    else
        load(in, tape);
    in->hash = tape_hash_events(0, in->slot, in->slots, in->table, in->rows);
    printf("input       %s\n", *tape == '-' && !tape[1] ? "made up, seed 20240808" : tape);
    (void)write_tape(in, path, false, 0, NULL);
    struct decoded columns = decode(path, in);
    (void)write_tape(in, path, true, 0, NULL);
    struct decoded raw = decode(path, in);
    struct appended a = append(in, path, file);
    double touched = touch(in);
    if (file_remove_tree(path, &e)) die(&e);
    print(in, &columns, &raw, touched, &a);
    bool steady = columns.heap == 0 && raw.heap == 0;
    free(in->slot);
    free(in);
    return steady ? 0 : 1;
}
