/* bench.h: what all benchmarks share: clock, slices, heap counter, input, the closing lines.
 *
 * Time       thread-CPU nanoseconds. A figure is the sum over slices of the least time that any
 *            pass took for the slice; passes go to two sets by turns, whose ratio is the A/A noise.
 * Ownership  the caller frees bench_input.ev and ends its slices.
 * Threads    one. The heap counter counts every call of this process to malloc, calloc, realloc.
 * Limits     BENCH_SLICES_MAX slices a pass.
 * Why small  FATHOM_BENCH_SMALL=1: a few passes over the head of the input, so that a test can run
 *            every benchmark; its times mean nothing.
 */
#ifndef FATHOM_BENCH_BENCH_H
#define FATHOM_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"
#include "base/instrument.h"

enum { BENCH_SLICES_MAX = 1 << 16, BENCH_SMALL_SLOTS = 60000, BENCH_SMALL_PASSES = 4 };
/* Used when no input is named, read from the top of the repository; "-" means made-up input. */
#define BENCH_TAPE "examples/data/btcusdt-20240808.tape"

bool bench_small(void);
int bench_passes(int full); /* `full`, or few in a small run */
double bench_cpu_ns(void);
unsigned long bench_heap_calls(void);
long bench_rss_anon_kib(void);

struct bench_input {
    struct event *ev; /* slots */
    size_t n, cap;
    size_t events;
    struct instrument inst;
    uint64_t hash; /* of the slots */
    const char *name;
};
/* The place of the pushed event. */
struct event *bench_push(struct bench_input *in, const struct event *ev);
/* Events of one instrument of a tape; a small run stops at the end of a message. False: said why on
 * stderr. */
bool bench_load(struct bench_input *in, const char *tape, unsigned inst);

struct bench_slices {
    double *least[2];
    size_t n;
    int pass;
};
void bench_slices_init(struct bench_slices *s);
void bench_slices_free(struct bench_slices *s);
void bench_slices_begin(struct bench_slices *s); /* the next pass */
void bench_slices_add(struct bench_slices *s, double ns);
double bench_slices_sum(const struct bench_slices *s);   /* least of both sets, summed */
double bench_slices_noise(const struct bench_slices *s); /* set A / set B */

/* Peak memory, compiler and flags. */
void bench_footer(void);

#endif
