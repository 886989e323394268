/* vclock_bench: what the clock costs an event, plain, adaptive, with online width and fallback.
 *
 *   vclock_bench [TAPE]     default: the shipped recording; "-" likewise
 *
 * Time is the sum over slices of the least that any pass took; the close is timed one by one (its
 * percentile holds the cost of reading the time, some 25 ns).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "bench.h"
#include "derive/vclock/vclock.h"

enum { PASSES = 21, SLICE = 2000, CLOSES_MAX = 1 << 20 };

static const char *const specs[][2] = {{"plain", "time=1"}, {"volume", "volume=5,limit=60"},
    {"adaptive", "adaptive=20,time=5,trades=20"},
    {"online", "volume=5,limit=60,time=1,least=1,most=50"},
    {"fallback", "volume=5,limit=60,fallback=5"}};

struct result {
    uint64_t hash;
    size_t closes;
    unsigned long heap;
    double close_ns[CLOSES_MAX];
};

static size_t slice(struct vclock *vc, const struct bench_input *in, size_t i, struct result *r) {
    struct bucket b;
    for (size_t k = 0; k < SLICE && i < in->n; k++) {
        const struct event *ev = &in->ev[i];
        while (vclock_before(vc, ev, &b)) r->hash = bucket_hash(&b, r->hash), r->closes++;
        if (vclock_after(vc, ev, &b)) r->hash = bucket_hash(&b, r->hash), r->closes++;
        i += event_slots(ev->kind);
    }
    return i;
}

static void pass(const struct bench_input *in, const struct bucket_spec *spec,
    struct bench_slices *slices, struct result *r) {
    static struct vclock vc;
    vclock_init(&vc, spec, in->inst.id);
    r->hash = r->closes = 0;
    bench_slices_begin(slices);
    unsigned long heap = 0;
    for (size_t i = 0, first = 1; i < in->n; first = 0) {
        double t = bench_cpu_ns();
        i = slice(&vc, in, i, r);
        bench_slices_add(slices, bench_cpu_ns() - t);
        if (first) heap = bench_heap_calls();
    }
    r->heap = bench_heap_calls() - heap;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The events that close a bucket, each on its own. */
static size_t closes(const struct bench_input *in, const struct bucket_spec *spec, double *ns) {
    static struct vclock vc;
    struct bucket b;
    size_t n = 0;
    vclock_init(&vc, spec, in->inst.id);
    for (size_t i = 0; i < in->n && n < CLOSES_MAX; i += event_slots(in->ev[i].kind)) {
        double t = bench_cpu_ns();
        bool closed = vclock_before(&vc, &in->ev[i], &b);
        closed = vclock_after(&vc, &in->ev[i], &b) || closed;
        if (closed) ns[n++] = bench_cpu_ns() - t;
    }
    qsort(ns, n, sizeof *ns, by_value);
    return n;
}

static void print(const struct bench_input *in, const char *name, const struct bench_slices *slices,
    const struct result *r, size_t timed) {
    double ns = bench_slices_sum(slices) / (double)in->events;
    double p99 = timed ? r->close_ns[(99 * timed + 99) / 100 - 1] : 0;
    printf(
        "%-10s %.2f ns an event; %zu buckets, an event that closes one %.0f ns p99, %.0f ns worst "
        "(A/A %.3f)\n",
        name, ns, r->closes, p99, timed ? r->close_ns[timed - 1] : 0, bench_slices_noise(slices));
    printf("{\"stage\":\"vclock_%s\",\"events\":%zu,\"ns_per_event\":%.3f,\"heap\":%lu,"
           "\"input\":\"%016llx\",\"result\":\"%016llx\"}\n",
        name, in->events, ns, r->heap, (unsigned long long)in->hash, (unsigned long long)r->hash);
}

static int measure(
    const struct bench_input *in, const char *name, const char *text, struct result *r) {
    struct bench_slices slices;
    struct bucket_spec spec;
    const char *why = "";
    int passes = bench_passes(PASSES), rc = 0;
    CHECK(bucket_spec_parse(text, in->inst.qty_mant, in->inst.qty_exp, &spec, &why));
    bench_slices_init(&slices);
    for (int i = 0; i < passes && rc == 0; i++) {
        uint64_t before = r->hash;
        pass(in, &spec, &slices, r);
        rc = r->heap != 0 || (i > 0 && r->hash != before);
    }
    if (rc)
        fprintf(stderr, "vclock_bench: %s: another result in another pass, or a heap call\n", name);
    print(in, name, &slices, r, closes(in, &spec, r->close_ns));
    bench_slices_free(&slices);
    return rc;
}

int main(int argc, char **argv) {
    struct bench_input in = {0};
    struct result *r = mem_alloc(sizeof *r);
    int rc = 0;
    const char *tape = argc > 1 && strcmp(argv[1], "-") != 0 ? argv[1] : BENCH_TAPE;
    if (!bench_load(&in, tape, 0)) return 4;
    printf(
        "input      %s, %zu events, hash %016llx\n", tape, in.events, (unsigned long long)in.hash);
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
        rc |= measure(&in, specs[i][0], specs[i][1], r);
    bench_footer();
    free(in.ev);
    free(r);
    return rc;
}
