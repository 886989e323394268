/* model_bench.c: one row through 300 trees of 31 leaves, ours beside LightGBM's single-row call.
 *
 *   model_bench [ROWS [COLUMNS [TREES [LEAVES]]]]     training rows 20000, 330 columns, 300 x 31
 *
 * Both score the same 4,096 fresh rows in the same run, slices of about 1 ms alternating A B A B;
 * minima and the median of single calls. Every score is compared to the last bit first: a fast
 * wrong answer fails (exit 1). `cold` sweeps 8 MiB before each call. One line of JSON at the end.
 */
#include <LightGBM/c_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "bench.h"
#include "derive/model/model.h"
#include "learn/train/train.h"

enum { FRESH = 4096, SLICES = 60, CALLS = 20000, COLD_CALLS = 1000, SWEEP = 8 << 20 };

struct bench {
    size_t rows, columns;
    struct train_params p;
    float *x, *fresh;
    double *y;
    struct trained ours;
    BoosterHandle theirs;
    FastConfigHandle fast;
    size_t next; /* fresh row */
    double sum;
    int64_t *ns;
    volatile unsigned char *junk;
};

static uint64_t rng = 0x9e3779b97f4a7c15u;
static float uniform(void) {
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (float)(rng >> 40) * (1.0f / 16777216.0f);
}

static int64_t now_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static size_t argument(int argc, char **argv, int i, size_t fallback) {
    return i < argc ? strtoul(argv[i], NULL, 10) : fallback;
}

static void make_rows(struct bench *b) {
    size_t n = b->columns;
    b->x = mem_alloc(b->rows * n * sizeof *b->x);
    b->y = mem_alloc(b->rows * sizeof *b->y);
    b->fresh = mem_alloc(FRESH * n * sizeof *b->fresh);
    for (size_t i = 0; i < b->rows; i++) {
        float *r = b->x + i * n, s = 0;
        for (size_t j = 0; j < n; j++) r[j] = uniform();
        for (size_t j = 0; j < 40 && j < n; j++)
            s += (j % 2 ? 1.f : -1.f) * r[j] * r[(j * 7 + 3) % n];
        b->y[i] = s + 0.3f * (uniform() - 0.5f) > 0;
    }
    for (size_t i = 0; i < FRESH * n; i++) b->fresh[i] = uniform();
}

static const float *fresh_row(struct bench *b) {
    const float *row = b->fresh + b->next * b->columns;
    b->next = b->next + 1 == FRESH ? 0 : b->next + 1;
    return row;
}

static double score_ours(struct bench *b, const float *row) {
    double raw;
    model_score(b->ours.model, row, &raw);
    return raw;
}

static double score_theirs(struct bench *b, const float *row) {
    double raw;
    int64_t len;
    CHECK(LGBM_BoosterPredictForMatSingleRowFast(b->fast, row, &len, &raw) == 0);
    return raw;
}

typedef double score_fn(struct bench *b, const float *row);

/* The same model on both sides: theirs is read back from our text. */
static uint64_t make_models(struct bench *b) {
    struct train_data d = {b->rows, b->columns, b->x, b->y, NULL, NULL};
    struct err_info e;
    int iterations;
    if (train_model(&b->p, &d, &b->ours, &e) != ERR_OK) {
        fprintf(stderr, "%s\n", e.text);
        exit(1);
    }
    CHECK(LGBM_BoosterLoadModelFromString(b->ours.text, &iterations, &b->theirs) == 0);
    CHECK(LGBM_BoosterPredictForMatSingleRowFastInit(b->theirs, C_API_PREDICT_RAW_SCORE, 0, -1,
              C_API_DTYPE_FLOAT32, (int32_t)b->columns, "num_threads=1", &b->fast) == 0);
    uint64_t hash = 0;
    for (size_t i = 0; i < FRESH; i++) {
        const float *row = b->fresh + i * b->columns;
        double a = score_ours(b, row), t = score_theirs(b, row);
        if (memcmp(&a, &t, sizeof a) != 0) {
            fprintf(stderr, "row %zu: ours %.17g, LightGBM %.17g\n", i, a, t);
            exit(1);
        }
        hash = hash64(hash, &a, sizeof a);
    }
    return hash;
}

static double slice_ns(struct bench *b, score_fn *score, size_t calls) {
    int64_t from = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < calls; i++) b->sum += score(b, fresh_row(b));
    return (double)(now_ns(CLOCK_THREAD_CPUTIME_ID) - from) / (double)calls;
}

/* Least of slices of about 1 ms, A and B by turns. */
static void alternate(struct bench *b, score_fn *a, score_fn *c, double *least_a, double *least_c) {
    size_t calls_a = (size_t)(1e6 / slice_ns(b, a, 64)) + 1;
    size_t calls_c = (size_t)(1e6 / slice_ns(b, c, 64)) + 1;
    *least_a = *least_c = 1e18;
    for (int i = 0; i < (bench_small() ? 4 : SLICES); i++) {
        double ta = slice_ns(b, a, calls_a), tc = slice_ns(b, c, calls_c);
        if (ta < *least_a) *least_a = ta;
        if (tc < *least_c) *least_c = tc;
    }
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Median of single calls less the clock's own; with `cold` the caches are swept before each. */
static double median_ns(struct bench *b, score_fn *score, int calls, bool cold) {
    int64_t clock[999];
    for (int i = 0; i < 999; i++) {
        int64_t from = now_ns(CLOCK_MONOTONIC);
        clock[i] = now_ns(CLOCK_MONOTONIC) - from;
    }
    qsort(clock, 999, sizeof clock[0], by_value);
    for (int i = 0; i < calls; i++) {
        const float *row = fresh_row(b);
        for (size_t k = 0; cold && k < SWEEP; k += 64) b->junk[k]++;
        int64_t from = now_ns(CLOCK_MONOTONIC);
        b->sum += score(b, row);
        b->ns[i] = now_ns(CLOCK_MONOTONIC) - from;
    }
    qsort(b->ns, (size_t)calls, sizeof *b->ns, by_value);
    return (double)(b->ns[calls / 2] - clock[499]);
}

int main(int argc, char **argv) {
    struct bench *b = mem_alloc(sizeof *b);
    b->rows = argument(argc, argv, 1, bench_small() ? 2000 : 20000);
    b->columns = argument(argc, argv, 2, 330);
    b->p = train_defaults();
    b->p.kind = MODEL_TREES;
    b->p.trees = (int64_t)argument(argc, argv, 3, bench_small() ? 30 : 300);
    b->p.leaves = (int64_t)argument(argc, argv, 4, 31);
    b->p.columns_share = b->p.rows_share = 1;
    b->ns = mem_alloc(CALLS * sizeof *b->ns);
    b->junk = mem_alloc(SWEEP);
    make_rows(b);
    uint64_t hash = make_models(b);
    printf("%zu trees, %zu columns, model %zu bytes, %d fresh rows: scores equal to the last bit\n",
        model_trees(b->ours.model), b->columns, b->ours.bytes, FRESH);
    double ours, theirs, again, same;
    int calls = bench_small() ? 500 : CALLS, cold_calls = bench_small() ? 5 : COLD_CALLS;
    unsigned long heap = bench_heap_calls();
    (void)slice_ns(b, score_ours, FRESH);
    heap = bench_heap_calls() - heap;
    alternate(b, score_ours, score_theirs, &ours, &theirs);
    alternate(b, score_ours, score_ours, &again, &same);
    double p50 = median_ns(b, score_ours, calls, false);
    double their_p50 = median_ns(b, score_theirs, calls, false);
    double cold = median_ns(b, score_ours, cold_calls, true);
    double their_cold = median_ns(b, score_theirs, cold_calls, true);
    printf("fresh rows, least slice: ours %.0f ns, LightGBM %.0f ns: %.2f x\n", ours, theirs,
        theirs / ours);
    printf("fresh rows, median call: ours %.0f ns, LightGBM %.0f ns: %.2f x\n", p50, their_p50,
        their_p50 / p50);
    printf("swept caches, median:    ours %.0f ns, LightGBM %.0f ns: %.2f x\n", cold, their_cold,
        their_cold / cold);
    printf("ours against ours %.3f x; heap in steady state %lu calls\n", again / same, heap);
    bench_footer();
    printf("{\"stage\":\"model_trees\",\"trees\":%zu,\"leaves\":%lld,\"columns\":%zu,"
           "\"result\":\"%016llx\",\"ours_ns\":%.1f,\"lightgbm_ns\":%.1f,\"ratio\":%.3f,"
           "\"ours_p50_ns\":%.0f,\"lightgbm_p50_ns\":%.0f,\"ours_cold_ns\":%.0f,"
           "\"lightgbm_cold_ns\":%.0f,\"aa_ratio\":%.3f,\"heap\":%lu}\n",
        model_trees(b->ours.model), (long long)b->p.leaves, b->columns, (unsigned long long)hash,
        ours, theirs, theirs / ours, p50, their_p50, cold, their_cold, again / same, heap);
    return b->sum == b->sum && heap == 0 ? 0 : 1;
}
