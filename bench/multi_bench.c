/* multi_bench.c: what many instruments in one run cost a row, against one.
 *
 *   multi_bench [TAPE [PASSES]]
 *
 * The head of a recording is copied N times onto one tape, message by message, each copy an
 * instrument of its own: a quoter on every one, through the program's own path (tape, fan-out,
 * merge, both sites' books, clock, the smallest feature set, engine, the account at the venue).
 * Prints the least thread-CPU time of the passes for N = 1, 2, 8, 32 and its ratio to N = 1 a row;
 * the passes of all N go by turns. Every copy must give the orders of the first one (else exit 1).
 * One line of JSON a case.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "bench.h"
#include "capture/tape/tape.h"
#include "program/pipeline.h"
#include "program/run_config.h"

enum { PASSES_DEFAULT = 7, LANES_MAX = 32, HEAD_SLOTS = 240000 };

static char dir[] = "/tmp/multi-bench-XXXXXX";

struct test_case {
    size_t lanes;
    char tape[64];
    struct config *cfg;
    double least;
    uint64_t rows, result;
    err_t code;
    struct err_info e;
};

/* One message of every copy, then the next. */
static err_t write_events(struct tape_writer *w, const struct bench_input *in, size_t lanes,
    const uint16_t *id, size_t slots, struct err_info *e) {
    err_t code = ERR_OK;
    for (size_t at = 0; at < slots && !code;) {
        size_t end = at;
        do {
            end += event_slots(in->ev[end].kind);
        } while (end < slots && !(in->ev[end].flags & EVF_FIRST));
        for (size_t k = 0; k < lanes && !code; k++) {
            for (size_t i = at; i < end && !code; i += event_slots(in->ev[i].kind)) {
                struct event copy[2] = {in->ev[i]};
                if (event_slots(copy[0].kind) > 1) copy[1] = in->ev[i + 1];
                copy[0].inst = id[k];
                code = tape_writer_append(w, copy, event_slots(copy[0].kind), e);
            }
        }
        at = end;
    }
    return code;
}

static err_t write_tape(
    const struct test_case *c, const struct bench_input *in, struct err_info *e) {
    struct tape_writer *w;
    struct tape_writer_options opt = {0};
    uint16_t id[LANES_MAX];
    size_t slots = in->n < HEAD_SLOTS ? in->n : HEAD_SLOTS;
    err_t code = tape_writer_open(&w, c->tape, &opt, NULL, e);
    if (code) return code;
    for (size_t k = 0; k < c->lanes && !code; k++) {
        struct instrument copy = in->inst;
        snprintf(copy.symbol, sizeof copy.symbol, "C%zuUSDT", k);
        code = tape_writer_instrument(w, &copy, e);
        id[k] = copy.id;
    }
    if (!code) code = write_events(w, in, c->lanes, id, slots, e);
    struct err_info ignored;
    err_t closed = tape_writer_close(w, code ? &ignored : e);
    return code ? code : closed;
}

static err_t prepare(struct test_case *c, size_t lanes, const struct bench_input *in) {
    char tape[80];
    const char *set[] = {tape, "instruments=all", "strategy.kind=quoter",
        "features.set=book_spread_bps", "account.deposit=1000000", "risk.daily_loss=1000000",
        "sim.request_limits=false"}; /* the account's: 32 quoters would meet it, one would not */
    *c = (struct test_case){.lanes = lanes, .least = INFINITY};
    snprintf(c->tape, sizeof c->tape, "%s/%zu", dir, lanes);
    snprintf(tape, sizeof tape, "data.tape=%s", c->tape);
    err_t code = write_tape(c, in, &c->e);
    if (!code) {
        code = config_load(
            &c->cfg, run_schema, run_schema_keys, NULL, set, sizeof set / sizeof *set, &c->e);
    }
    return code;
}

/* Orders and fills of a part without what names it: their counts and money. */
static uint64_t outcome(const struct run_result *r) {
    uint64_t h = hash64(0, &r->orders, sizeof r->orders);
    h = hash64(h, &r->fills, sizeof r->fills);
    h = hash64(h, &r->fees, sizeof r->fees);
    return hash64(h, &r->turnover, sizeof r->turnover);
}

static void pass(struct test_case *c) {
    struct run_result *r = calloc(1, sizeof *r);
    struct pipeline_facts *facts = calloc(1, sizeof *facts);
    struct pipeline_options opt = {.cfg = c->cfg, .tape = c->tape, .quiet = true};
    c->code = r && facts ? run_result_init(r, &c->e) : ERR_RESOURCE;
    double from = bench_cpu_ns();
    if (!c->code) c->code = pipeline_run(&opt, r, facts, &c->e);
    double ns = bench_cpu_ns() - from;
    if (!c->code) {
        c->least = fmin(c->least, ns);
        c->rows = r->events;
        c->result = r->parts > 0 ? outcome(&r->part[0]) : outcome(r);
        for (size_t i = 1; i < r->parts; i++) {
            if (outcome(&r->part[i]) != c->result) c->code = ERR_NO;
        }
        run_result_fini(r);
    }
    free(facts);
    free(r);
}

static int tell(const struct test_case *c, const struct test_case *one) {
    if (c->code == ERR_NO || (!c->code && c->result != one->result)) {
        fprintf(
            stderr, "multi_bench: a copy among %zu gives other orders than one alone\n", c->lanes);
        return 1;
    }
    if (c->code) fprintf(stderr, "multi_bench: %s\n", c->e.text);
    return c->code ? 2 : 0;
}

static void print(const struct test_case *c, const struct test_case *one, uint64_t input) {
    double ns = c->least / (double)c->rows, ratio = ns / (one->least / (double)one->rows);
    printf("%2zu instruments %7.2f ns a row  %6.2f M rows/s  x %.3f of one\n", c->lanes, ns,
        1e3 / ns, ratio);
    printf("{\"stage\":\"multi_%zu\",\"rows\":%" PRIu64 ",\"ns_per_row\":%.3f,\"ratio\":%.4f,"
           "\"input\":\"%016" PRIx64 "\",\"result\":\"%016" PRIx64 "\"}\n",
        c->lanes, c->rows, ns, ratio, input, c->result);
}

static int measure(const struct bench_input *in, int passes) {
    static const size_t lanes[] = {1, 2, 8, LANES_MAX};
    enum { CASES = sizeof lanes / sizeof *lanes };
    static struct test_case c[CASES];
    int rc = 0;
    for (int i = 0; i < CASES && !rc; i++) {
        c[i].code = prepare(&c[i], lanes[i], in);
        if (c[i].code) rc = tell(&c[i], &c[0]);
    }
    for (int k = 0; k < passes && !rc; k++) {
        for (int i = 0; i < CASES && !rc; i++) {
            pass(&c[i]);
            rc = tell(&c[i], &c[0]);
        }
    }
    for (int i = 0; i < CASES; i++) {
        if (!rc) print(&c[i], &c[0], in->hash);
        config_free(c[i].cfg);
    }
    return rc;
}

int main(int argc, char **argv) {
    struct bench_input in = {0};
    if (!bench_load(&in, argc > 1 ? argv[1] : BENCH_TAPE, 0)) return 4;
    if (!mkdtemp(dir)) return 4;
    int rc = measure(&in, bench_passes(argc > 2 ? atoi(argv[2]) : PASSES_DEFAULT));
    char cmd[64];
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    if (system(cmd) != 0) rc = rc ? rc : 4;
    free(in.ev);
    bench_footer();
    return rc;
}
