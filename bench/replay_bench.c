/* replay_bench: the whole replay of a tape: decode, book, clock, features, all hashes on.
 *
 *   replay_bench [TAPE [SET]]
 *
 * Prints events a second of thread CPU time: the sum over the events' slices of the least time that
 * any of the passes took for the slice, which shared cores cannot disturb. Counts heap calls made
 * between the first and the last event of a pass (goal 0) and shows RssAnon in the first and in the
 * last pass (goal: the same).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "capture/tape/tape.h"
#include "derive/feature/stream.h"

enum { PASSES = 11, SLICES_MAX = 1 << 16 };

extern void *__libc_malloc(size_t n);
static unsigned long heap_calls;
void *malloc(size_t n);
void *malloc(size_t n) {
    heap_calls++;
    return __libc_malloc(n);
}

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static long rss_anon_kib(void) {
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "RssAnon: %ld", &kib) == 1) break;
    }
    if (f) fclose(f);
    return kib;
}

struct pass {
    struct stream_hashes hashes;
    uint64_t events, rows;
    unsigned long heap;
    long rss_kib; /* before anything is given back */
};

static int one_pass(const char *tape, const struct stream_spec *spec, const struct feature_set *set,
    void *mem, double *least, struct pass *out) {
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    struct err_info e;
    const struct event *slots;
    size_t n, slice = 0;
    if (tape_reader_open(&r, tape, &opt, &e) != ERR_OK) {
        fprintf(stderr, "replay_bench: %s\n", e.text);
        return 4;
    }
    struct stream *s = stream_init(mem, spec, set);
    unsigned long heap = 0;
    memset(out, 0, sizeof *out);
    for (;;) {
        double t = cpu_s();
        err_t code = tape_reader_next(r, &slots, &n, &e);
        if (code == ERR_END) break;
        if (code) {
            fprintf(stderr, "replay_bench: %s\n", e.text);
            return 3;
        }
        out->rows += stream_events(s, slots, n, NULL, NULL);
        t = cpu_s() - t;
        if (slice < SLICES_MAX && (least[slice] == 0 || t < least[slice])) least[slice] = t;
        if (slice == 0) heap = heap_calls; /* the first call sizes the reader's buffers */
        slice++;
    }
    out->heap = heap_calls - heap;
    out->events = tape_reader_events(r);
    out->hashes = stream_hashes(s);
    out->rss_kib = rss_anon_kib();
    tape_reader_close(r);
    return 0;
}

int main(int argc, char **argv) {
    static double least[SLICES_MAX];
    const char *tape = argc > 1 ? argv[1] : "examples/data/btcusdt-20240808.tape";
    const char *word = argc > 2 ? argv[2] : "core", *bad;
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    struct err_info e;
    static struct feature_set set;
    struct stream_spec spec = {
        .hash_events = true, .bucket = {.mode = BUCKET_TIME, .size = NS_PER_S}};
    if (!feature_set_parse(word, &set, &bad)) {
        fprintf(stderr, "replay_bench: no such feature set: %s\n", bad);
        return 2;
    }
    if (tape_reader_open(&r, tape, &opt, &e) != ERR_OK) {
        fprintf(stderr, "replay_bench: %s\n", e.text);
        return 4;
    }
    size_t rows;
    spec.inst = tape_reader_instruments(r, &rows)[0];
    tape_reader_close(r);
    size_t size = stream_mem_size(&spec, &set);
    void *mem = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (!mem) return 4;
    struct pass first, p;
    for (int i = 0; i < PASSES; i++) {
        int rc = one_pass(tape, &spec, &set, mem, least, &p);
        if (rc) return rc;
        if (i == 0) first = p;
        if (memcmp(&first.hashes, &p.hashes, sizeof p.hashes) != 0) {
            fprintf(stderr, "replay_bench: pass %d gave other hashes\n", i + 1);
            return 1;
        }
    }
    double sum = 0;
    for (size_t i = 0; i < SLICES_MAX; i++) sum += least[i];
    char hash[17];
    hash64_text(p.hashes.features, hash);
    printf("input      %s, %llu events, set %s (%zu features), %llu rows\n", tape,
        (unsigned long long)p.events, word, set.count, (unsigned long long)p.rows);
    printf(
        "replay     %.2f M events/s, %.1f ns an event (thread CPU, least of %d passes a slice)\n",
        (double)p.events / sum / 1e6, sum / (double)p.events * 1e9, PASSES);
    printf("result     features %s\n", hash);
    printf("heap calls %lu between first and last event of a pass\n", p.heap);
    printf("RssAnon    %ld KiB in pass 1, %ld KiB in pass %d\n", first.rss_kib, p.rss_kib, PASSES);
    return 0;
}
