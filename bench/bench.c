#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "capture/tape/tape.h"

/* Every heap call of the process passes here. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);
static unsigned long heap_calls;

void *malloc(size_t n) {
    heap_calls++;
    return __libc_malloc(n);
}
void *calloc(size_t n, size_t size) {
    heap_calls++;
    return __libc_calloc(n, size);
}
void *realloc(void *p, size_t n) {
    heap_calls++;
    return __libc_realloc(p, n);
}

unsigned long bench_heap_calls(void) { return heap_calls; }

bool bench_small(void) {
    const char *word = getenv("FATHOM_BENCH_SMALL");
    return word && *word && strcmp(word, "0") != 0;
}

int bench_passes(int full) { return bench_small() ? BENCH_SMALL_PASSES : full; }

double bench_cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

long bench_rss_anon_kib(void) {
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "RssAnon: %ld", &kib) == 1) break;
    }
    if (f) fclose(f);
    return kib;
}

struct event *bench_push(struct bench_input *in, const struct event *ev) {
    size_t slots = event_slots(ev->kind);
    if (in->n + slots > in->cap) {
        in->cap = in->cap ? 2 * in->cap : 65536;
        struct event *more = aligned_alloc(64, in->cap * sizeof *more);
        CHECK(more != NULL);
        if (in->n > 0) memcpy(more, in->ev, in->n * sizeof *more);
        free(in->ev);
        in->ev = more;
    }
    memcpy(in->ev + in->n, ev, slots * sizeof *ev);
    in->hash = hash64(in->hash, ev, slots * sizeof *ev);
    in->events++;
    in->n += slots;
    return &in->ev[in->n - slots];
}

bool bench_load(struct bench_input *in, const char *tape, unsigned inst) {
    struct tape_reader *r = NULL;
    struct tape_reader_options opt = {0};
    struct err_info e;
    const struct event *slots;
    size_t n, rows;
    bool full = false;
    err_t code = tape_reader_open(&r, tape, &opt, &e);
    while (!code && !full && !(code = tape_reader_next(r, &slots, &n, &e))) {
        for (size_t i = 0; i < n && !full; i += event_slots(slots[i].kind)) {
            if (slots[i].inst != inst) continue;
            bench_push(in, &slots[i]);
            full = bench_small() && in->n >= BENCH_SMALL_SLOTS && (slots[i].flags & EVF_LAST);
        }
    }
    if (code && code != ERR_END) fprintf(stderr, "%s\n", e.text);
    if (!code || code == ERR_END) {
        const struct instrument *t = tape_reader_instruments(r, &rows);
        if (inst < rows) in->inst = t[inst];
        in->name = tape;
        code = in->n > 0 ? ERR_OK : ERR_INPUT;
        if (code) fprintf(stderr, "%s holds no event of instrument %u\n", tape, inst);
    }
    if (r) tape_reader_close(r);
    return code == ERR_OK;
}

void bench_slices_init(struct bench_slices *s) {
    memset(s, 0, sizeof *s);
    for (int k = 0; k < 2; k++) {
        s->least[k] = mem_alloc(BENCH_SLICES_MAX * sizeof(double));
        for (size_t i = 0; i < BENCH_SLICES_MAX; i++) s->least[k][i] = 1e18;
    }
    s->pass = -1;
}

void bench_slices_free(struct bench_slices *s) {
    free(s->least[0]);
    free(s->least[1]);
}

void bench_slices_begin(struct bench_slices *s) {
    s->pass++;
    s->n = 0;
}

void bench_slices_add(struct bench_slices *s, double ns) {
    CHECK(s->pass >= 0 && s->n < BENCH_SLICES_MAX);
    double *least = &s->least[s->pass & 1][s->n++];
    if (ns < *least) *least = ns;
}

double bench_slices_sum(const struct bench_slices *s) {
    double sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        double a = s->least[0][i], b = s->least[1][i];
        sum += a < b ? a : b;
    }
    return sum;
}

double bench_slices_noise(const struct bench_slices *s) {
    double a = 0, b = 0;
    for (size_t i = 0; i < s->n; i++) {
        a += s->least[0][i];
        b += s->least[1][i];
    }
    return s->pass > 0 && b > 0 ? a / b : 1;
}

void bench_footer(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("memory     peak RSS %ld KiB\n", usage.ru_maxrss);
    printf(
        "compiler   %s%s\n", BENCH_BUILD, bench_small() ? "; SMALL RUN: times mean nothing" : "");
}
