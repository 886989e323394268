/* replay_bench: the whole replay of a tape: decode, book, clock, features, a model at each row, all
 * hashes on.
 *
 *   replay_bench [TAPE [SET]]     default: the shipped recording, every feature
 *
 * Time is the sum over slices (calls of the reader, some thousand events each) of the least that
 * any pass took. The model is 300 trees of 31 leaves on generated rows: what it says is noise, what
 * it costs is not. Counts heap calls between the first and the last event of a pass (goal 0), which
 * fail the run, and shows RssAnon in the first and in the last pass (goal: the same).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bench.h"
#include "capture/tape/tape.h"
#include "derive/feature/stream.h"
#include "derive/model/model.h"
#include "learn/train/train.h"

enum { PASSES = 41, TRAIN_ROWS = 4000, TREES = 300, LEAVES = 31, SEED = 20240808 };

struct setup {
    const char *tape;
    struct stream_spec spec;
    struct feature_set set;
    struct trained model;
    void *mem;
};

struct pass {
    struct stream_hashes hashes;
    uint64_t events, rows, scores; /* scores: hash of the raw scores */
    unsigned long heap;
    long rss_kib; /* before anything is given back */
    bool failed;
};

struct scorer {
    const struct model *model;
    uint64_t hash;
};

static void score(void *user, const struct stream *s, const struct bucket *b, const float *row) {
    struct scorer *m = user;
    double raw;
    (void)s;
    (void)b;
    model_score(m->model, row, &raw);
    m->hash = hash64(m->hash, &raw, sizeof raw);
}

static void train(struct setup *u) {
    size_t columns = u->set.count, rows = bench_small() ? TRAIN_ROWS / 8 : TRAIN_ROWS;
    float *x = mem_alloc(rows * columns * sizeof *x);
    double *y = mem_alloc(rows * sizeof *y);
    struct rng r;
    struct err_info e;
    rng_init(&r, SEED, 1);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) x[i * columns + j] = (float)rng_below(&r, 4096) - 2048;
        y[i] = x[i * columns] * x[i * columns + columns - 1] > 0;
    }
    struct train_params p = train_defaults();
    p.kind = MODEL_TREES;
    p.trees = bench_small() ? TREES / 10 : TREES;
    p.leaves = LEAVES;
    p.columns_share = p.rows_share = 1;
    struct train_data d = {rows, columns, x, y, NULL, NULL};
    CHECK(train_model(&p, &d, &u->model, &e) == ERR_OK);
    free(x);
    free(y);
}

/* Apart, so that callgrind --toggle-collect=one_pass counts its instructions only. */
__attribute__((noinline)) static struct pass one_pass(
    const struct setup *u, struct bench_slices *slices) {
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    struct err_info e;
    const struct event *slots;
    size_t n;
    struct pass out = {.failed = true};
    struct scorer scorer = {u->model.model, 0};
    if (tape_reader_open(&r, u->tape, &opt, &e) != ERR_OK) {
        fprintf(stderr, "replay_bench: %s\n", e.text);
        return out;
    }
    struct stream *s = stream_init(u->mem, &u->spec, &u->set);
    bench_slices_begin(slices);
    err_t code = ERR_OK;
    for (uint64_t seen = 0; !bench_small() || seen < BENCH_SMALL_SLOTS; seen += n) {
        double t = bench_cpu_ns();
        code = tape_reader_next(r, &slots, &n, &e);
        if (code) break;
        out.rows += stream_events(s, slots, n, score, &scorer);
        bench_slices_add(slices, bench_cpu_ns() - t);
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) out.events++;
        if (seen == 0)
            out.heap = bench_heap_calls(); /* the first call sizes the reader's buffers */
    }
    out.failed = code != ERR_OK && code != ERR_END;
    if (out.failed) fprintf(stderr, "replay_bench: %s\n", e.text);
    out.heap = bench_heap_calls() - out.heap;
    out.hashes = stream_hashes(s);
    out.scores = scorer.hash;
    out.rss_kib = bench_rss_anon_kib();
    tape_reader_close(r);
    return out;
}

static void print(const struct setup *u, const struct bench_slices *slices, int passes,
    const struct pass *first, const struct pass *last) {
    double ns = bench_slices_sum(slices) / (double)last->events;
    printf("input      %s, %llu events, hash %016llx; %zu features, %llu rows, %zu trees\n",
        u->tape, (unsigned long long)last->events, (unsigned long long)last->hashes.events,
        u->set.count, (unsigned long long)last->rows, model_trees(u->model.model));
    printf("result     books %016llx, features %016llx, scores %016llx\n",
        (unsigned long long)last->hashes.books, (unsigned long long)last->hashes.features,
        (unsigned long long)last->scores);
    printf("time       %.2f M events/s, %.1f ns an event (least of %d passes in %zu slices; A/A "
           "%.3f)\n",
        1e3 / ns, ns, passes, slices->n, bench_slices_noise(slices));
    printf(
        "heap       %lu calls between first and last event of a pass; RssAnon %ld KiB in pass 1, "
        "%ld KiB in pass %d\n",
        last->heap, first->rss_kib, last->rss_kib, passes);
    bench_footer();
    printf("{\"stage\":\"replay\",\"events\":%llu,\"units\":%llu,\"ns_per_event\":%.3f,"
           "\"heap\":%lu,\"input\":\"%016llx\",\"result\":\"%016llx\"}\n",
        (unsigned long long)last->events, (unsigned long long)last->events * (unsigned)passes, ns,
        last->heap, (unsigned long long)last->hashes.events,
        (unsigned long long)(last->hashes.features ^ last->scores));
}

static int measure(const struct setup *u) {
    struct bench_slices slices;
    struct pass first = {0}, p = {0};
    int passes = bench_passes(PASSES), rc = 0;
    bench_slices_init(&slices);
    for (int i = 0; i < passes && rc == 0; i++) {
        p = one_pass(u, &slices);
        if (i == 0) first = p;
        rc = p.failed ? 3 : p.heap != 0;
        if (memcmp(&first.hashes, &p.hashes, sizeof p.hashes) == 0 && first.scores == p.scores)
            continue;
        fprintf(stderr, "replay_bench: pass %d gave other hashes\n", i + 1);
        rc = 1;
    }
    if (!p.failed) print(u, &slices, passes, &first, &p);
    bench_slices_free(&slices);
    return rc;
}

int main(int argc, char **argv) {
    struct setup *u = mem_alloc(sizeof *u);
    const char *word = argc > 2 ? argv[2] : "all", *bad;
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    struct err_info e;
    size_t rows;
    u->tape = argc > 1 ? argv[1] : BENCH_TAPE;
    u->spec = (struct stream_spec){
        .hash_events = true, .bucket = {.mode = BUCKET_TIME, .size = NS_PER_S}};
    if (!feature_set_parse(word, &u->set, &bad)) {
        fprintf(stderr, "replay_bench: no such feature set: %s\n", bad);
        return 2;
    }
    if (tape_reader_open(&r, u->tape, &opt, &e) != ERR_OK) {
        fprintf(stderr, "replay_bench: %s\n", e.text);
        return 4;
    }
    u->spec.inst = tape_reader_instruments(r, &rows)[0];
    tape_reader_close(r);
    train(u);
    u->mem = aligned_alloc(64, (stream_mem_size(&u->spec, &u->set) + 63) & ~(size_t)63);
    CHECK(u->mem != NULL);
    int rc = measure(u);
    trained_free(&u->model);
    free(u->mem);
    free(u);
    return rc;
}
