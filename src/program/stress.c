#include "program/stress.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dmath.h"
#include "base/mem.h"
#include "base/rng.h"
#include "observe/monitor/report.h"
#include "program/plan.h"
#include "program/plan_account.h"

/* ---- sets that are made here, not written by the user ---- */

static size_t axis(struct sweep_spec *s, const char *key, bool shared) {
    struct sweep_axis *a = &s->axis[s->axes];
    snprintf(a->key, sizeof a->key, "%s", key);
    a->shared = shared;
    return s->axes++;
}

static void room(struct sweep_spec *s, size_t sets, struct sweep_row **row) {
    s->sets = sets;
    s->text = mem_alloc(sets * s->axes * sizeof *s->text);
    *row = mem_alloc(sets * sizeof **row);
}

__attribute__((format(printf, 4, 5))) static void value(
    struct sweep_spec *s, size_t set, size_t k, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->text[set * s->axes + k], SWEEP_TEXT_MAX, fmt, ap);
    va_end(ap);
}

struct ranges { /* of a world */
    double entry, response, maker, taker, slippage, latency, fee, more_slippage, reject, outage,
        every;
    bool bars, strict, constant;
};

static struct ranges ranges_of(const struct config *c, bool bars, const struct ledger_fees *fees) {
    return (struct ranges){.entry = config_double(c, "sim.entry_ms"),
        .response = config_double(c, "sim.response_ms"),
        .maker = (double)fees->maker.e16 / 1e16,
        .taker = (double)fees->taker.e16 / 1e16,
        .slippage = config_double(c, "sim.bar_slippage_bps"),
        .latency = config_double(c, "stress.latency_factor"),
        .fee = config_double(c, "stress.fee_bps"),
        .more_slippage = config_double(c, "stress.slippage_bps"),
        .reject = config_double(c, "stress.reject_rate"),
        .outage = config_double(c, "stress.outage_s"),
        .every = config_double(c, "stress.outage_every_s"),
        .bars = bars,
        .strict = !bars && strcmp(config_string(c, "sim.rules"), "strict") == 0,
        .constant = strcmp(config_string(c, "sim.latency.model"), "constant") == 0};
}

/* One source of chance a world and one draw a question, in a fixed order: a world does not depend
 * on how many there are. World 0 is the configuration as it is. */
static void world(struct sweep_spec *s, size_t set, const struct ranges *r, const struct config *c,
    uint64_t seed) {
    static const char *const queue[] = {"risk", "log", "log2", "power", "power2", "power3"};
    static const char *const kind[] = {"reject", "lost", "mute"};
    struct rng g;
    double u[8];
    size_t k = 0;
    bool base = set == 0;
    rng_init(&g, seed, set);
    for (int i = 0; i < 8; i++) u[i] = base ? 0 : rng_unit(&g);
    size_t q = (size_t)rng_below(&g, 6), o = (size_t)rng_below(&g, 3);
    value(s, set, k++, "%.10f", r->maker + u[0] * r->fee * 1e-4);
    value(s, set, k++, "%.10f", r->taker + u[0] * r->fee * 1e-4);
    if (r->bars) {
        value(s, set, k++, "%.4f", r->slippage + u[1] * r->more_slippage);
        return;
    }
    double log_most = dm_log(r->latency);
    value(s, set, k++, "%.6f", fmin(r->entry * dm_exp(u[2] * log_most), 60000));
    value(s, set, k++, "%.6f", fmin(r->response * dm_exp(u[3] * log_most), 60000));
    value(s, set, k++, "%s", base ? config_string(c, "sim.queue") : queue[q]);
    if (!r->strict) return;
    double reject = config_double(c, "sim.latency.reject_rate");
    value(s, set, k++, "%.5f", fmin(reject + u[4] * r->reject, 1));
    bool own = base || r->every <= 0; /* no outages but those that are configured */
    value(s, set, k++, "%.3f", own ? config_double(c, "sim.outage_every_s") : r->every);
    value(s, set, k++, "%.3f",
        own ? config_double(c, "sim.outage_s") : fmax(u[5] * r->outage, 0.001));
    value(s, set, k++, "%s", own ? config_string(c, "sim.outage_kind") : kind[o]);
    value(s, set, k++, "%llu", (unsigned long long)(base ? seed : seed + set));
}

static void worlds(struct stress *s) {
    struct sweep *w = &s->worlds;
    const struct config *c = w->cfg;
    struct ranges r = ranges_of(c, w->bars, &s->fees);
    axis(&w->spec, "fees.maker", true);
    axis(&w->spec, "fees.taker", true);
    if (r.bars) axis(&w->spec, "sim.bar_slippage_bps", false);
    static const char *const tick[] = {"sim.entry_ms", "sim.response_ms", "sim.queue"};
    static const char *const strict[] = {
        "sim.latency.reject_rate", "sim.outage_every_s", "sim.outage_s", "sim.outage_kind", "seed"};
    for (size_t i = 0; !r.bars && i < 3; i++) axis(&w->spec, tick[i], false);
    for (size_t i = 0; r.strict && i < 5; i++) {
        size_t k = axis(&w->spec, strict[i], false);
        w->spec.axis[k].hidden = i == 1 || i == 4; /* one value; a name for chance */
    }
    w->spec.axis[1].hidden = true; /* the taker's fee moves with the maker's */
    w->spec.seed = (uint64_t)config_int(c, "seed");
    room(&w->spec, 1 + (size_t)config_int(c, "stress.worlds"), &w->row);
    for (size_t i = 0; i < w->spec.sets; i++) world(&w->spec, i, &r, c, w->spec.seed);
}

/* Latency times 1, 2, 4 ... the factor; fees dearer by 0 ... the limit. Bars: slippage instead. */
static void surface(struct stress *s) {
    struct sweep *w = &s->surface;
    struct ranges r = ranges_of(s->worlds.cfg, s->worlds.bars, &s->fees);
    axis(&w->spec, "fees.maker", true);
    axis(&w->spec, "fees.taker", true);
    axis(&w->spec, r.bars ? "sim.bar_slippage_bps" : "sim.entry_ms", false);
    if (!r.bars) axis(&w->spec, "sim.response_ms", false);
    room(&w->spec, STRESS_LATENCIES * STRESS_FEES, &w->row);
    for (size_t a = 0; a < STRESS_LATENCIES; a++) {
        double u = (double)a / (STRESS_LATENCIES - 1);
        s->latency[a] = r.bars ? r.slippage + u * r.more_slippage : dm_exp(u * dm_log(r.latency));
        for (size_t b = 0; b < STRESS_FEES; b++) {
            size_t set = a * STRESS_FEES + b;
            s->fee_bps[b] = r.fee * (double)b / (STRESS_FEES - 1);
            value(&w->spec, set, 0, "%.10f", r.maker + s->fee_bps[b] * 1e-4);
            value(&w->spec, set, 1, "%.10f", r.taker + s->fee_bps[b] * 1e-4);
            if (r.bars) {
                value(&w->spec, set, 2, "%.4f", s->latency[a]);
                continue;
            }
            value(&w->spec, set, 2, "%.4f", fmin(r.entry * s->latency[a], 60000));
            value(&w->spec, set, 3, "%.4f", fmin(r.response * s->latency[a], 60000));
        }
    }
}

static err_t check(const struct stress *s, struct err_info *e) {
    const struct config *c = s->worlds.cfg;
    if (strcmp(config_string(c, "strategy.kind"), "none") == 0) {
        return err_set(e, ERR_USAGE, "%s: strategy.kind = none: there is nothing to stress",
            config_where(c, "strategy.kind"));
    }
    if (config_list(c, "instruments") > 0 || config_list(c, "data.tapes") > 0) {
        return err_set(e, ERR_USAGE,
            "a stress takes one instrument of one tape: give data.tape and data.symbol instead of "
            "%s",
            config_list(c, "instruments") > 0 ? "instruments" : "data.tapes");
    }
    if (config_list(c, "fees.tiers") > 0) {
        return err_set(e, ERR_USAGE,
            "%s: fees.tiers: worlds make fees.maker and fees.taker dearer, which tiers override; "
            "give the two rates instead",
            config_where(c, "fees.tiers"));
    }
    if (strcmp(config_string(c, "sim.latency.model"), "constant") == 0) return ERR_OK;
    return err_set(e, ERR_USAGE,
        "%s: sim.latency.model = %s: worlds scale sim.entry_ms and sim.response_ms, which only "
        "the constant model reads",
        config_where(c, "sim.latency.model"), config_string(c, "sim.latency.model"));
}

err_t stress_run(struct stress *s, const struct cli_args *args, struct err_info *e) {
    struct sweep *w = &s->worlds;
    err_t code = check(s, e);
    if (!code) code = run_open(&w->run, w->cfg, args, false, e);
    if (!code)
        code = pipeline_instrument(
            w->run.tape, config_string(w->cfg, "data.symbol"), &w->inst, &w->bars, e);
    if (!code) code = plan_fees(w->cfg, &w->inst, &s->fees, e);
    if (!code) code = plan_tape_hash(w->cfg, w->run.tape, &w->run.result.tape_hash, e);
    if (code) return code;
    worlds(s);
    code = sweep_rows(w, "worlds", e);
    if (!code && *w->row[0].failed)
        code = err_set(e, ERR_INPUT, "as configured, the run does not end: %s", w->row[0].failed);
    if (code) return code;
    sweep_rank(w);
    struct sweep *f = &s->surface;
    f->run = w->run; /* borrowed: sweep_fini is not called on it */
    f->cfg = w->cfg;
    f->file = w->file;
    f->sets = w->sets;
    f->n_sets = w->n_sets;
    f->jobs = w->jobs;
    surface(s);
    code = sweep_rows(f, "latency x fees", e);
    if (!code) code = stress_extremes(s, e);
    if (!code) code = stress_holes(s, e);
    if (!code) stress_histories(s);
    return code;
}

/* ---- files ---- */

static err_t put(const struct stress *s, const char *name, struct json_out *j, struct err_info *e) {
    err_t code = run_folder_write(s->worlds.run.folder, name, j->text, j->len, e);
    json_fini(j);
    return code;
}

static err_t write_manifest(const struct stress *s, struct err_info *e) {
    const struct sweep *w = &s->worlds;
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "format", "fathom-stress-1");
    json_kstr(&j, "version", FATHOM_VERSION);
    json_kstr(&j, "name", config_string(w->cfg, "name"));
    json_kint(&j, "seed", config_int(w->cfg, "seed"));
    json_key(&j, "config_hash");
    json_hash(&j, plan_hash(w->cfg));
    json_kstr(&j, "tape", w->run.tape_named);
    json_key(&j, "tape_hash");
    json_hash(&j, w->run.result.tape_hash);
    json_object_end(&j);
    return put(s, "manifest.json", &j, e);
}

static err_t write_result(const struct stress *s, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    stress_result_json(s, &j);
    json_object_end(&j);
    return put(s, "result.json", &j, e);
}

static err_t write_report(const struct stress *s, struct err_info *e) {
    struct json_out j;
    struct html h;
    json_init(&j);
    html_init(&h);
    stress_doc_json(s, &j);
    err_t code = run_folder_write(s->worlds.run.folder, "report.json", j.text, j.len, e);
    if (!code && config_bool(s->worlds.cfg, "report.html")) {
        code = report_render(j.text, &h, e);
        if (!code) code = run_folder_write(s->worlds.run.folder, "report.html", h.text, h.len, e);
    }
    html_fini(&h);
    json_fini(&j);
    return code;
}

err_t stress_write(struct stress *s, struct err_info *e) {
    struct sweep *w = &s->worlds;
    char *yaml = config_yaml(w->cfg);
    if (!yaml) return err_set(e, ERR_RESOURCE, "out of memory for the configuration");
    err_t code = run_folder_write(w->run.folder, "config.yaml", yaml, strlen(yaml), e);
    free(yaml);
    if (!code) code = sweep_csv(w, "worlds.csv", e);
    if (!code) code = write_result(s, e);
    if (!code) code = write_report(s, e);
    if (!code) code = write_manifest(s, e);
    if (code) return code;
    struct dir_out *dir = w->run.dir;
    w->run.dir = NULL;
    return dir_out_commit(dir, e);
}

void stress_fini(struct stress *s) {
    for (size_t i = 0; s->surface.row && i < s->surface.spec.sets; i++)
        sweep_row_free(&s->surface.row[i]);
    free(s->surface.row);
    sweep_spec_free(&s->surface.spec);
    for (size_t i = 0; i < s->extremes; i++) sweep_row_free(&s->extreme[i].row);
    for (int i = 0; i < 2; i++) sweep_row_free(&s->hole[i].row);
    sweep_fini(&s->worlds);
}
