#include "capture/generate/generate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/unit.h"
#include "capture/generate/generate_internal.h"

enum stream { STREAM_LATENCY = 11, STREAM_IDS, STREAM_BASIS };

enum {
    FIRST_TICK = 100000, /* 1000.00 */
    JUMPS_PER_S = 3,     /* and 4 ticks each: about 0.9 bp a second */
    JUMP_TICKS = 4,
    LATENCY_US = 3000, /* least; plus an exponential part of mean 1 ms */
    FIRST_SNAPSHOT_MS = 300,
    FUNDING_HOURS = 8,
    IDS_SKIPPED = 5,
    TORN_PERCENT = 90 /* of the compressed bytes stay */
};

#define MARK_E8_PER_HALF_TICK ((int64_t)500000) /* 0.005 in 1e-8 */
#define CLOCK_STEP_NS (60 * NS_PER_S)

struct generate_options generate_defaults(void) {
    return (struct generate_options){
        .symbol = "SIMUSDT", .seed = 1, .hours = 1, .rate = 20, .signal = 0, .bucket_s = 1};
}

int64_t generate_emit(struct generator *g, int64_t venue_ns) {
    int64_t local = venue_ns + LATENCY_US * NS_PER_US + (int64_t)(rng_exp(&g->latency) * 1e6);
    if (rng_below(&g->latency, 1000) == 0) local += (int64_t)rng_below(&g->latency, 30000000);
    int64_t least = g->last_local_ns + 2000 + (int64_t)rng_below(&g->latency, 6000);
    if (local < least) local = least;
    g->last_local_ns = local;
    int64_t stamp = local < g->ahead_until_ns ? local + CLOCK_STEP_NS : local;
    sink_line(&g->sink, stamp, &g->line);
    if (g->sink.lines == 1) g->result->first_local_ns = stamp;
    g->result->last_local_ns = stamp;
    for (size_t i = 0; i < g->opt->faults; i++) {
        struct generate_fault *f = &g->opt->fault[i];
        if (f->kind == FAULT_CLOCK_STEP && f->done && stamp > local) f->lines++;
    }
    return stamp;
}

static void snapshot(struct generator *g, const struct market_step *step, struct wire_depth d) {
    if (step->venue_ns < g->snapshot_at_ns || g->holding || g->crossed_tick > 0) return;
    g->snapshot_at_ns = INT64_MAX;
    g->line.n = 0;
    wire_snapshot(&g->line, &d, step->book);
    (void)generate_emit(g, step->venue_ns);
    g->result->snapshots++;
}

static void depth(struct generator *g, const struct market_step *step, const struct wire_depth *d) {
    const struct lob *b = step->book;
    g->line.n = 0;
    wire_depth(&g->line, &g->names, d, b, b->change, b->changes);
    g->result->depth_messages++;
    g->result->depth_levels += b->changes;
    fault_depth(g, step, d);
    /* the receiver knows the new mid from this message on: buckets end by its stamp */
    truth_time(&g->truth, g->last_local_ns);
    g->truth.mid2 = b->best[LOB_BID] + b->best[LOB_ASK];
}

static void ticker(
    struct generator *g, const struct market_step *step, const struct wire_depth *d) {
    const struct lob *b = step->book;
    int64_t bid = b->best[LOB_BID], ask = b->best[LOB_ASK];
    int64_t now[4] = {bid, ask, lob_qty(b, LOB_BID, bid), lob_qty(b, LOB_ASK, ask)};
    if (memcmp(now, g->ticker_seen, sizeof now) == 0) return;
    memcpy(g->ticker_seen, now, sizeof now);
    g->line.n = 0;
    wire_ticker(&g->line, &g->names, d, b);
    (void)generate_emit(g, step->venue_ns);
    g->result->tickers++;
}

static void trades(
    struct generator *g, const struct market_step *step, const struct wire_depth *d) {
    for (size_t i = 0; i < step->fills; i++) {
        struct generate_fault *skip = fault_due(g, FAULT_ID_GAP, step->venue_ns);
        g->trade_id += skip ? IDS_SKIPPED + 1 : 1;
        g->line.n = 0;
        wire_trade(&g->line, &g->names, d, g->trade_id, step->fill[i], step->taker_buys, "MARKET");
        int64_t local = generate_emit(g, step->venue_ns);
        if (skip) fault_done(g, skip, local, g->trade_id);
        g->result->trades++;
        g->result->volume_lots += step->fill[i].qty;
        if (step->taker_buys) g->result->taker_buy_lots += step->fill[i].qty;
        struct generate_fault *again = fault_due(g, FAULT_DUP, step->venue_ns);
        if (again) fault_done(g, again, generate_emit(g, step->venue_ns), g->trade_id);
    }
}

/* Mark, index and funding follow the mid with slow noise of their own: they lead nothing. */
static void mark(struct generator *g, int64_t venue_ns) {
    int64_t mid_e8 = g->truth.mid2 * MARK_E8_PER_HALF_TICK;
    g->basis_ou += -0.01 * g->basis_ou + 0.02 * rng_normal(&g->basis);
    g->premium_ou += -0.001 * g->premium_ou + 0.01 * rng_normal(&g->basis);
    g->rate_ou += -0.001 * g->rate_ou + 0.02 * rng_normal(&g->basis);
    int64_t hours8 = FUNDING_HOURS * 3600 * NS_PER_S;
    struct wire_mark k = {.msg_ms = venue_ns / NS_PER_MS,
        .mark_e8 = mid_e8 + (int64_t)((double)mid_e8 * 1e-5 * g->basis_ou),
        .index_e8 = mid_e8 - (int64_t)((double)mid_e8 * 1e-4 * g->premium_ou),
        .rate_e8 = 10000 + (int64_t)(2000 * g->rate_ou),
        .next_funding_ms = (venue_ns / hours8 + 1) * (hours8 / NS_PER_MS)};
    g->line.n = 0;
    wire_mark(&g->line, &g->names, &k);
    (void)generate_emit(g, venue_ns);
    g->result->marks++;
}

static void step_write(struct generator *g, const struct market_step *step) {
    if (step->book->changes == 0) return;
    int64_t ms = step->venue_ns / NS_PER_MS;
    struct wire_depth d = {.msg_ms = ms + (int64_t)rng_below(&g->ids, 3), .venue_ms = ms};
    d.first_id = g->update_id + 2 + (int64_t)rng_below(&g->ids, 40);
    d.last_id = d.first_id + (int64_t)(step->book->changes + rng_below(&g->ids, 6));
    d.prev_id = g->stream_id;
    g->update_id = g->stream_id = d.last_id;
    g->result->jumps += step->jump;
    depth(g, step, &d);
    ticker(g, step, &d);
    trades(g, step, &d);
    fault_lines(g, step, &d);
    snapshot(g, step, d);
}

/* The whole market, step by step. */
static err_t run(struct generator *g, struct err_info *e) {
    struct market_step step;
    uint64_t steps = 0;
    for (;;) {
        market_next(g->market, &step);
        for (; g->next_mark_ns <= step.venue_ns && g->next_mark_ns < g->end_ns;
             g->next_mark_ns += NS_PER_S)
            if (g->truth.mid2 > 0) mark(g, g->next_mark_ns);
        if (step.venue_ns >= g->end_ns) break;
        step_write(g, &step);
        if ((++steps & 0xfff) == 0) {
            if (g->opt->stop && g->opt->stop())
                return err_set(e, ERR_INTERRUPTED,
                    "stopped before the end: nothing was written; the same command starts again");
            if (g->opt->tick)
                g->opt->tick(
                    g->opt->user, (double)(step.venue_ns - GENERATE_START_NS) / (double)NS_PER_S);
        }
    }
    truth_time(&g->truth, g->last_local_ns);
    for (int side = 0; side < 2; side++) {
        g->result->best_tick[side] = g->ticker_seen[side];
        g->result->best_lots[side] = g->ticker_seen[2 + side];
    }
    g->result->update_id = g->update_id;
    return ERR_OK;
}

static err_t torn(struct generator *g, FILE *file, struct err_info *e) {
    struct generate_fault *f = fault_due(g, FAULT_TORN, g->end_ns);
    if (!f) return ERR_OK;
    uint64_t left = g->sink.gz_bytes * TORN_PERCENT / 100;
    if (ftruncate(fileno(file), (off_t)left) != 0)
        return err_set_errno(e, errno, "the file cannot be cut");
    f->done = true;
    f->id = (int64_t)left;
    g->sink.gz_bytes = left;
    return ERR_OK;
}

static err_t names_set(struct generator *g, struct err_info *e) {
    const char *s = g->opt->symbol;
    size_t n = strlen(s);
    if (n == 0 || n > GENERATE_SYMBOL_MAX)
        return err_set(
            e, ERR_USAGE, "--symbol takes 1 to %d letters and digits", GENERATE_SYMBOL_MAX);
    for (size_t i = 0; i < n; i++) {
        bool upper = s[i] >= 'A' && s[i] <= 'Z';
        if (!upper && !(s[i] >= '0' && s[i] <= '9'))
            return err_set(e, ERR_USAGE, "--symbol %s: use capital letters and digits only", s);
        g->names.upper[i] = s[i];
        g->names.lower[i] = (char)(upper ? s[i] - 'A' + 'a' : s[i]);
    }
    return ERR_OK;
}

/* OUT.truth.csv for OUT.gz. */
static err_t paths_set(const char *out, struct generate_result *r, struct err_info *e) {
    size_t n = strlen(out);
    if (n > 3 && strcmp(out + n - 3, ".gz") == 0) n -= 3;
    if (n == 0 || n + 16 > sizeof r->csv_path)
        return err_set(e, ERR_USAGE, "the name of the output is empty or too long");
    snprintf(r->csv_path, sizeof r->csv_path, "%.*s.truth.csv", (int)n, out);
    snprintf(r->json_path, sizeof r->json_path, "%.*s.truth.json", (int)n, out);
    return ERR_OK;
}

static err_t generator_init(struct generator *g, struct generate_options *o,
    struct generate_result *r, struct err_info *e) {
    g->opt = o;
    g->result = r;
    err_t err = names_set(g, e);
    if (err) return err;
    int64_t start = GENERATE_START_NS, bucket = (int64_t)(o->bucket_s * 1e9 + 0.5);
    struct market_params p = {.seed = o->seed,
        .start_ns = start,
        .rate = o->rate,
        .jump_rate = JUMPS_PER_S,
        .jump_ticks = JUMP_TICKS,
        .strength = o->signal,
        .bucket_ns = bucket,
        .first_tick = FIRST_TICK};
    g->market = market_open(&p);
    if (!g->market) return err_set(e, ERR_RESOURCE, "no memory for the generated book");
    rng_init(&g->latency, o->seed, STREAM_LATENCY);
    rng_init(&g->ids, o->seed, STREAM_IDS);
    rng_init(&g->basis, o->seed, STREAM_BASIS);
    g->end_ns = start + (int64_t)(o->hours * 3600e9 + 0.5);
    g->update_id = g->stream_id = 4000000000;
    g->trade_id = 700000000;
    g->snapshot_at_ns = start + FIRST_SNAPSHOT_MS * NS_PER_MS;
    g->next_mark_ns = start + NS_PER_S;
    return ERR_OK;
}

static err_t write_all(struct generator *g, FILE *gz, FILE *csv, struct err_info *e) {
    truth_open(
        &g->truth, csv, g->opt->seed, (int64_t)(g->opt->bucket_s * 1e9 + 0.5), GENERATE_START_NS);
    if (!sink_open(&g->sink, gz)) return err_set(e, ERR_RESOURCE, "no memory for compression");
    err_t err = run(g, e);
    if (!sink_close(&g->sink) && !err)
        err = err_set_errno(e, errno, "%s cannot be written", g->opt->out);
    if (!err) err = torn(g, gz, e);
    struct generate_result *r = g->result;
    r->lines = g->sink.lines;
    r->raw_bytes = g->sink.raw_bytes;
    r->gz_bytes = g->sink.gz_bytes;
    r->hash = g->sink.hash;
    r->buckets = g->truth.rows;
    r->ic = truth_ic(&g->truth);
    return err;
}

err_t generate_write(
    struct generate_options *opt, struct generate_result *out, struct err_info *e) {
    struct file_out *gz = NULL, *csv = NULL;
    memset(out, 0, sizeof *out);
    err_t err = paths_set(opt->out, out, e);
    struct generator *g = err ? NULL : calloc(1, sizeof *g);
    if (!g) return err ? err : err_set(e, ERR_RESOURCE, "no memory for the generator");
    err = generator_init(g, opt, out, e);
    if (!err && !opt->force && file_exists(out->json_path))
        err = err_set(e, ERR_USAGE, "%s exists: use --force to replace it", out->json_path);
    if (!err) err = file_out_open(&gz, opt->out, opt->force, e);
    if (!err) err = file_out_open(&csv, out->csv_path, opt->force, e);
    if (!err) err = write_all(g, file_out_stream(gz), file_out_stream(csv), e);
    if (g->market) market_close(g->market);
    if (!err) {
        err = file_out_commit(csv, e);
        csv = NULL;
    }
    if (!err) err = truth_json(opt, out, e);
    if (!err) {
        err = file_out_commit(gz, e);
        gz = NULL;
    }
    file_out_abort(csv);
    file_out_abort(gz);
    free(g);
    return err;
}
