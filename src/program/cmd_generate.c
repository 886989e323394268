/* cmd_generate.c: `fathom generate`: a market whose truth is known, as a raw recording. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json_out.h"
#include "base/progress.h"
#include "capture/generate/generate.h"
#include "program/cli.h"

/* "0.2@1": strength and bucket length in seconds. */
static err_t signal_parse(const char *text, struct generate_options *o, struct err_info *e) {
    char *end;
    double ic = strtod(text, &end), seconds = 1;
    bool ok = end != text;
    if (ok && *end == '@') {
        const char *at = end + 1;
        seconds = strtod(at, &end);
        ok = end != at;
    }
    if (!ok || *end || !(ic >= -0.5 && ic <= 0.5) || !(seconds >= 0.1 && seconds <= 3600))
        return err_set(e, ERR_USAGE,
            "--signal %s: expected IC@SECONDS with IC from -0.5 to 0.5 and 0.1 to 3600 seconds, "
            "for example 0.2@1",
            text);
    o->signal = ic;
    o->bucket_s = seconds;
    return ERR_OK;
}

static err_t fault_add(const char *word, struct generate_options *o, struct err_info *e) {
    enum generate_fault_kind kind;
    if (!generate_fault_find(word, &kind)) {
        const char *known[FAULT_KINDS];
        for (int i = 0; i < FAULT_KINDS; i++)
            known[i] = generate_fault_name((enum generate_fault_kind)i);
        const char *near = cli_nearest(word, known, FAULT_KINDS);
        return err_set(e, ERR_USAGE, "--fault %s is not known%s%s: see `fathom generate --help`",
            word, near ? "; nearest is " : "", near ? near : "");
    }
    if (o->faults == GENERATE_FAULTS_MAX)
        return err_set(e, ERR_USAGE, "at most %d faults", GENERATE_FAULTS_MAX);
    o->fault[o->faults++] = (struct generate_fault){.kind = kind};
    return ERR_OK;
}

static err_t options_read(
    const struct cli_args *a, struct generate_options *o, struct err_info *e) {
    err_t err = cli_double(a, "hours", 0.001, GENERATE_HOURS_MAX, o->hours, &o->hours, e);
    if (!err) err = cli_double(a, "rate", 0.1, 1000, o->rate, &o->rate, e);
    if (!err && cli_value(a, "signal")) err = signal_parse(cli_value(a, "signal"), o, e);
    if (!err && cli_flag(a, "zero-signal")) {
        if (o->signal != 0)
            return err_set(e, ERR_USAGE, "--signal and --zero-signal exclude each other");
        o->signal = 0;
    }
    for (int i = 0; i < a->options && !err; i++)
        if (strcmp(a->option[i].name, "fault") == 0) err = fault_add(a->option[i].value, o, e);
    if (cli_value(a, "symbol")) o->symbol = cli_value(a, "symbol");
    if (a->seed_given) o->seed = a->seed;
    o->out = a->argv[0];
    o->force = a->force;
    return err;
}

static void report_json(
    struct json_out *j, const struct generate_options *o, const struct generate_result *r) {
    json_object(j);
    json_kstr(j, "file", o->out);
    json_kstr(j, "truth_csv", r->csv_path);
    json_kstr(j, "truth_json", r->json_path);
    json_kint(j, "seed", (int64_t)o->seed);
    json_kint(j, "lines", (int64_t)r->lines);
    json_kint(j, "raw_bytes", (int64_t)r->raw_bytes);
    json_kint(j, "bytes", (int64_t)r->gz_bytes);
    json_kint(j, "depth_messages", (int64_t)r->depth_messages);
    json_kint(j, "book_tickers", (int64_t)r->tickers);
    json_kint(j, "trades", (int64_t)r->trades);
    json_kint(j, "mark_prices", (int64_t)r->marks);
    json_kint(j, "buckets", (int64_t)r->buckets);
    json_kdouble(j, "signal", o->signal);
    json_kdouble(j, "attainable_ic", r->ic);
    json_kint(j, "faults", (int64_t)o->faults);
    json_key(j, "hash");
    json_hash(j, r->hash);
    json_object_end(j);
}

static void report_text(const struct generate_options *o, const struct generate_result *r) {
    printf("%s: %llu lines, %.1f MB (%.1f MB of text), seed %llu\n", o->out,
        (unsigned long long)r->lines, (double)r->gz_bytes / 1e6, (double)r->raw_bytes / 1e6,
        (unsigned long long)o->seed);
    printf("depth %llu  bookTicker %llu  trade %llu  markPrice %llu\n",
        (unsigned long long)r->depth_messages, (unsigned long long)r->tickers,
        (unsigned long long)r->trades, (unsigned long long)r->marks);
    printf("planted: IC %.3f at %g s; attainable in this sample %.4f over %llu buckets\n",
        o->signal, o->bucket_s, r->ic, (unsigned long long)r->buckets);
    for (size_t i = 0; i < o->faults; i++)
        printf("fault %-11s %s line %llu\n", generate_fault_name(o->fault[i].kind),
            o->fault[i].done ? "at" : "NOT PLANTED (recording too short): before",
            (unsigned long long)o->fault[i].line);
    printf("truth: %s, %s\n", r->csv_path, r->json_path);
}

static void tick(void *user, double seconds) { progress_at(user, (uint64_t)seconds); }

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args a;
    struct generate_options o = generate_defaults();
    struct generate_result r;
    struct progress p;
    err_t err = cli_parse(verb, argc, argv, &a, e);
    if (!err) err = options_read(&a, &o, e);
    if (err) return err;
    progress_begin(&p, "generate", "s of market", 1, (uint64_t)(o.hours * 3600), a.quiet);
    o.stop = cli_interrupted;
    o.tick = tick;
    o.user = &p;
    err = generate_write(&o, &r, e);
    progress_end(&p, (uint64_t)(o.hours * 3600));
    if (err) return err;
    if (!a.json) {
        report_text(&o, &r);
        return ERR_OK;
    }
    struct json_out j;
    json_init(&j);
    report_json(&j, &o, &r);
    err = cli_print_json(&j, e);
    json_fini(&j);
    return err;
}

const struct cli_verb cmd_generate = {
    .name = "generate",
    .usage = "OUT.gz [--seed N] [--hours H] [--signal IC@SECONDS] [--fault F]...",
    .about = "a generated market as a raw recording in the real wire format, its truth beside it",
    .help =
        "  --seed N            same seed, same text (default 1)\n"
        "  --hours H           length of the recording (default 1)\n"
        "  --signal IC@SECONDS strength of the planted signal: correlation of its latent with the\n"
        "                      mid return of the next bucket of SECONDS (default none)\n"
        "  --zero-signal       say so: nothing predicts the mid (the default)\n"
        "  --rate R            order flow events a second (default 20)\n"
        "  --symbol S          name of the instrument (default SIMUSDT)\n"
        "  --fault F           plant a fault; repeats. gap, dup, reorder, torn, malformed,\n"
        "                      price_jump, id_gap, clock_step, nonmarket, crossed\n\n"
        "Writes OUT.gz, OUT.truth.csv (latent and next mid return of every bucket) and\n"
        "OUT.truth.json (seed, counts, final book, faults with their lines).\n\n"
        "Example:\n  fathom generate market.gz --seed 7 --hours 4 --signal 0.2@1\n",
    .options = "hours= rate= signal= zero-signal symbol= fault=",
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
