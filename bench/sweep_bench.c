/* sweep_bench.c: what a further parameter set costs, and what further cores bring.
 *
 *   sweep_bench [TAPE [PASSES]]
 *
 * The quoter with K different periods on one replay of a tape, through the program's own path
 * (tape, books, clock, the smallest feature set, engines, ledgers, figures), for K = 1, 2, 16, 63.
 * Prints the least thread-CPU time of the passes, rows a second, and the cost of a further set as a
 * share of a single run; the passes of all K go by turns. Set 0 must give the same orders, fills
 * and ledger in every company (else exit 1). Then the same batch in one and in two threads at once:
 * the CPU time both together take for twice the work, as a share of twice one's (1 = linear in
 * cores; waiting for a core is not in it). One line of JSON a case.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "bench.h"
#include "program/pipeline.h"
#include "program/run_config.h"

enum { PASSES_DEFAULT = 11, SETS_MAX = 63 };

struct batch {
    const char *tape;
    size_t sets;
    struct config *cfg[SETS_MAX];
    double cpu_ns;
    uint64_t rows, first, all; /* events; hash of set 0, of all sets */
    err_t code;
    struct err_info e;
};

static bool configure(struct batch *b, const char *tape, size_t sets) {
    char text[2][64], path[4200];
    b->tape = tape;
    b->sets = sets;
    snprintf(path, sizeof path, "data.tape=%s", tape);
    for (size_t k = 0; k < sets; k++) {
        snprintf(text[0], sizeof text[0], "strategy.period_ms=%zu", 100 + k);
        snprintf(text[1], sizeof text[1], "strategy.position_max=0.%zu", 1 + k % 9);
        const char *set[] = {path, text[0], text[1], "strategy.kind=quoter",
            "features.set=book_spread_bps", "fees.maker=-0.00005"};
        struct err_info e;
        if (config_load(
                &b->cfg[k], run_schema, run_schema_keys, NULL, set, sizeof set / sizeof *set, &e)) {
            fprintf(stderr, "sweep_bench: %s\n", e.text);
            return false;
        }
    }
    return true;
}

static void *replay(void *ctx) {
    struct batch *b = ctx;
    struct run_result *r = calloc(b->sets, sizeof *r);
    struct pipeline_set set[SETS_MAX];
    struct pipeline_facts *facts = calloc(1, sizeof *facts);
    struct pipeline_options opt = {.cfg = b->cfg[0], .tape = b->tape, .quiet = true};
    b->code = r && facts ? ERR_OK : ERR_RESOURCE;
    for (size_t k = 0; k < b->sets && !b->code; k++) {
        b->code = run_result_init(&r[k], &b->e);
        set[k] = (struct pipeline_set){b->cfg[k], &r[k], NULL};
    }
    double from = bench_cpu_ns();
    if (!b->code) b->code = pipeline_run_sets(&opt, set, b->sets, facts, &b->e);
    b->cpu_ns = bench_cpu_ns() - from;
    b->all = 0;
    for (size_t k = 0; r && k < b->sets; k++) {
        uint64_t h = hash64(0, &r[k].stage[STAGE_ORDERS], 3 * sizeof r[k].stage[0]);
        if (k == 0) b->first = h;
        b->all = hash64(b->all, &h, sizeof h);
        b->rows = r[k].events;
        run_result_fini(&r[k]);
    }
    free(r);
    free(facts);
    return NULL;
}

static int tell(struct batch *b) {
    if (!b->code) return 0;
    fprintf(stderr, "sweep_bench: %s\n", b->e.text);
    return err_exit_code(b->code);
}

static int sets_cost(const char *tape, int passes) {
    static const size_t sets[] = {1, 2, 16, 63};
    enum { CASES = sizeof sets / sizeof *sets };
    static struct batch batch[CASES];
    double least[CASES];
    for (int c = 0; c < CASES; c++) {
        least[c] = INFINITY;
        if (!configure(&batch[c], tape, sets[c])) return 2;
    }
    for (int pass = 0; pass < passes; pass++) {
        for (int c = 0; c < CASES; c++) {
            uint64_t before = batch[c].all;
            replay(&batch[c]);
            if (tell(&batch[c])) return tell(&batch[c]);
            least[c] = fmin(least[c], batch[c].cpu_ns);
            if (batch[c].first == batch[0].first && (pass == 0 || batch[c].all == before)) continue;
            fprintf(stderr, "sweep_bench: set 0 among %zu differs from the set alone\n", sets[c]);
            return 1;
        }
    }
    for (int c = 0; c < CASES; c++) {
        double rows = (double)batch[c].rows, one = least[0];
        double further = c > 0 ? (least[c] - one) / (double)(sets[c] - 1) / one : 0;
        printf("sets %3zu: %7.2f ms, %6.2f M rows/s, %7.2f M set-rows/s a core; a further set "
               "%.2f %% of a single run\n",
            sets[c], least[c] / 1e6, rows / least[c] * 1e3, rows * (double)sets[c] / least[c] * 1e3,
            further * 100);
        printf(
            "{\"stage\":\"sweep\",\"case\":\"sets-%zu\",\"sets\":%zu,\"rows\":%.0f,\"ns_per_row\":"
            "%.3f,\"further_set\":%.5f,\"result\":\"%016llx\",\"input\":\"%s\"}\n",
            sets[c], sets[c], rows, least[c] / rows, further, (unsigned long long)batch[c].all,
            tape);
        for (size_t k = 0; k < sets[c]; k++) config_free(batch[c].cfg[k]);
    }
    return 0;
}

/* Two threads beside each other: do they take more CPU time than one alone? */
static int cores_cost(const char *tape, int passes) {
    static struct batch a, b;
    double one = INFINITY, two = INFINITY;
    if (!configure(&a, tape, 16) || !configure(&b, tape, 16)) return 2;
    for (int pass = 0; pass < passes; pass++) {
        pthread_t thread;
        replay(&a);
        one = fmin(one, a.cpu_ns);
        uint64_t alone = a.all;
        if (pthread_create(&thread, NULL, replay, &b)) return 4;
        replay(&a);
        pthread_join(thread, NULL);
        if (tell(&a) || tell(&b)) return 3;
        two = fmin(two, a.cpu_ns + b.cpu_ns);
        if (a.all == alone && b.all == alone) continue;
        fprintf(stderr, "sweep_bench: two threads give other results than one\n");
        return 1;
    }
    printf("two threads: %.2f ms of CPU for twice the work of %.2f ms: %.3f of linear\n", two / 1e6,
        one / 1e6, 2 * one / two);
    printf("{\"stage\":\"sweep\",\"case\":\"cores\",\"linear\":%.4f,\"result\":\"%016llx\","
           "\"input\":\"%s\"}\n",
        2 * one / two, (unsigned long long)a.all, tape);
    for (size_t k = 0; k < 16; k++) {
        config_free(a.cfg[k]);
        config_free(b.cfg[k]);
    }
    return 0;
}

int main(int argc, char **argv) {
    const char *tape = argc > 1 && strcmp(argv[1], "-") != 0 ? argv[1] : BENCH_TAPE;
    int passes = argc > 2 ? atoi(argv[2]) : bench_passes(PASSES_DEFAULT);
    int rc = sets_cost(tape, passes);
    if (!rc) rc = cores_cost(tape, passes);
    if (!rc) bench_footer();
    return rc;
}
