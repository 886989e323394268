/* cmd_vclock.c: `fathom vclock run|info TAPE`: the buckets of a tape as a table, and their health.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/file.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "program/bucket_config.h"
#include "program/bucket_walk.h"
#include "program/cli.h"

static const char csv_head[] =
    "venue,symbol,id,open_ns,close_ns,trigger,open,high,low,close,volume,buy_volume,"
    "trades,buy_trades,updates,value,gapped,from_kline\n";

enum { FINE_UNIT_EXP = 8 };

struct output {
    FILE *csv;            /* NULL = none */
    bool headed;          /* stdout: with the first row, so that an error leaves it empty */
    struct json_out *doc; /* NULL = none */
};

/* Value in quote units, exact; empty where it is not known. */
static void value_text(const struct instrument *in, const struct bucket *b, char *out) {
    int128 v = bucket_value(b);
    out[0] = 0;
    if (!b->value_known || in->kind == INSTRUMENT_INVERSE) return;
    if (__builtin_mul_overflow(v, (int128)in->px_mant, &v) ||
        __builtin_mul_overflow(v, (int128)in->qty_mant, &v))
        return;
    decimal_text(v, (uint8_t)(in->px_exp + in->qty_exp), true, out);
}

struct bucket_text {
    char px[4][DECIMAL_TEXT_MAX], volume[DECIMAL_TEXT_MAX], buys[DECIMAL_TEXT_MAX],
        value[DECIMAL_TEXT_MAX];
};

static void bucket_texts(
    const struct instrument *in, const struct bucket *b, struct bucket_text *t) {
    const price_t px[4] = {b->open, b->high, b->low, b->close};
    for (int i = 0; i < 4; i++) {
        t->px[i][0] = 0;
        if (px[i].ticks != 0) instrument_px_text(in, px[i], t->px[i]);
    }
    instrument_qty_text(in, b->volume, t->volume);
    t->buys[0] = 0;
    if (b->taker_known) instrument_qty_text(in, b->buy_volume, t->buys);
    value_text(in, b, t->value);
}

static void csv_row(
    FILE *f, const struct instrument *in, const struct bucket *b, const struct bucket_text *t) {
    fprintf(f, "%s,%s,%lld,%lld,%lld,%s,%s,%s,%s,%s,%s,%s,%lld,%lld,%lld,%s,%d,%d\n",
        venue_name(in->venue), in->symbol, (long long)b->id, (long long)b->open_ts.ns,
        (long long)b->close_ts.ns, bucket_trigger_name(b->trigger), t->px[0], t->px[1], t->px[2],
        t->px[3], t->volume, t->buys, (long long)b->trades, (long long)b->buy_trades,
        (long long)b->updates, t->value, b->gapped != 0, b->from_kline != 0);
}

static void json_text(struct json_out *j, const char *key, const char *text) {
    json_key(j, key);
    if (text[0]) json_str(j, text);
    if (!text[0]) json_null(j);
}

static void json_bucket(struct json_out *j, const struct instrument *in, const struct bucket *b,
    const struct bucket_text *t) {
    static const char *const px_keys[4] = {"open", "high", "low", "close"};
    json_object(j);
    json_kstr(j, "symbol", in->symbol);
    json_kint(j, "id", b->id);
    json_kint(j, "open_ns", b->open_ts.ns);
    json_kint(j, "close_ns", b->close_ts.ns);
    json_kstr(j, "trigger", bucket_trigger_name(b->trigger));
    for (int i = 0; i < 4; i++) json_text(j, px_keys[i], t->px[i]);
    json_text(j, "volume", t->volume);
    json_text(j, "buy_volume", t->buys);
    json_kint(j, "trades", b->trades);
    json_kint(j, "buy_trades", b->buy_trades);
    json_kint(j, "updates", b->updates);
    json_text(j, "value", t->value);
    json_kbool(j, "gapped", b->gapped != 0);
    json_kbool(j, "from_kline", b->from_kline != 0);
    json_object_end(j);
}

static err_t write_bucket(
    void *user, const struct instrument *in, const struct bucket *b, struct err_info *e) {
    struct output *o = user;
    struct bucket_text t;
    bucket_texts(in, b, &t);
    if (o->doc) json_bucket(o->doc, in, b, &t);
    if (!o->csv) return ERR_OK;
    if (!o->headed) fputs(csv_head, o->csv);
    o->headed = true;
    csv_row(o->csv, in, b, &t);
    if (ferror(o->csv)) return err_set_errno(e, errno, "cannot write the buckets");
    return ERR_OK;
}

/* ---- summary ---- */

static void json_seconds(struct json_out *j, const char *key, int64_t ns) {
    json_kdouble(j, key, (double)ns / (double)NS_PER_S);
}

static void json_qty(
    struct json_out *j, const char *key, const struct instrument *in, int128 units) {
    char text[DECIMAL_TEXT_MAX];
    int128 v;
    text[0] = 0;
    if (!__builtin_mul_overflow(units, (int128)in->qty_mant, &v))
        decimal_text(v, in->qty_exp, true, text);
    json_text(j, key, text);
}

static void json_health(struct json_out *j, const struct bucket_track *t) {
    const struct vclock_health *h = t->health;
    struct health_view v;
    struct vclock_status s;
    health_see(h, h->close_ns[(size_t)(h->buckets > 0 ? h->buckets - 1 : 0) % HEALTH_BUCKETS], &v);
    vclock_status(&t->clock, &s);
    json_key(j, "health");
    json_object(j);
    json_kstr(j, "level", health_level_name(health_level(h)));
    json_key(j, "last_hour_s");
    json_object(j);
    json_kint(j, "buckets", v.count);
    json_seconds(j, "p50", v.p50_ns);
    json_seconds(j, "p90", v.p90_ns);
    json_seconds(j, "p99", v.p99_ns);
    json_kint(j, "over_90", v.slow);
    json_object_end(j);
    json_seconds(j, "lag_max_s", h->lag_max_ns);
    json_kint(j, "slow_alarms", h->slow_alarms);
    json_kint(j, "slow_degrades", h->slow_degrades);
    json_kint(j, "lag_alarms", h->lag_alarms);
    json_kint(j, "lag_degrades", h->lag_degrades);
    json_kint(j, "ids_out_of_order", h->disorder);
    json_kbool(j, "degraded", s.degraded);
    json_kint(j, "switches", s.switches);
    json_kint(j, "returns", s.returns);
    json_kint(j, "widths", s.widths);
    json_kint(j, "widths_taken", s.widths_taken);
    json_object_end(j);
}

static void json_track(struct json_out *j, const struct instrument *in, struct bucket_track *t) {
    json_object(j);
    json_kstr(j, "venue", venue_name(in->venue));
    json_kstr(j, "symbol", in->symbol);
    json_kstr(j, "bucket", t->text);
    json_kint(j, "buckets", (int64_t)t->count);
    json_kint(j, "first_id", t->first_id);
    json_kint(j, "last_id", t->last_id);
    json_kbool(j, "ids_rising", t->count == 0 || t->rising);
    json_key(j, "duration_s");
    json_object(j);
    json_seconds(j, "min", bucket_track_duration(t, 0.0));
    json_seconds(j, "p50", bucket_track_duration(t, 0.5));
    json_seconds(j, "p90", bucket_track_duration(t, 0.9));
    json_seconds(j, "max", bucket_track_duration(t, 1.0));
    json_object_end(j);
    json_key(j, "triggers");
    json_object(j);
    for (uint8_t k = CUT_TIME; k < CUT_TRIGGERS; k++)
        if (t->triggers[k]) json_kint(j, bucket_trigger_name(k), (int64_t)t->triggers[k]);
    json_object_end(j);
    json_kint(j, "empty", (int64_t)t->empty);
    json_kint(j, "gapped", (int64_t)t->gapped);
    json_qty(j, "volume", in, t->got.volume);
    json_qty(j, "tape_volume", in, t->expected.volume);
    json_qty(j, "buy_volume", in, t->got.buys);
    json_kint(j, "trades", t->got.trades);
    json_kint(j, "tape_trades", t->expected.trades);
    json_kbool(j, "conserved", bucket_track_conserved(t));
    json_health(j, t);
    json_key(j, "hash");
    json_hash(j, t->hash);
    json_object_end(j);
}

static void json_summary(struct json_out *j, struct bucket_walk *w) {
    json_kstr(j, "bucket", w->spec_text);
    json_kint(j, "events", (int64_t)w->events);
    json_key(j, "instruments");
    json_array(j);
    for (size_t i = 0; i < w->instruments; i++)
        if (w->track[i].started) json_track(j, &w->table[i], &w->track[i]);
    json_array_end(j);
}

static void print_health(FILE *to, const struct bucket_track *t) {
    const struct vclock_health *h = t->health;
    struct vclock_status s;
    vclock_status(&t->clock, &s);
    fprintf(to,
        "  health %s: longest lag %.3f s; alarms: %lld slow, %lld lag; ids out of order: %lld%s\n",
        health_level_name(health_level(h)), (double)h->lag_max_ns / 1e9, (long long)h->slow_alarms,
        (long long)h->lag_alarms, (long long)h->disorder,
        h->disorder ? " (CRITICAL: nothing repairs them, see docs/volume-clock.md)" : "");
    if (t->spec.fallback_ns > 0)
        fprintf(to, "  fallback: %lld switches to time buckets, %lld returns%s\n",
            (long long)s.switches, (long long)s.returns, s.degraded ? "; time buckets now" : "");
    if (t->spec.size_most > 0)
        fprintf(to, "  width: %lld decisions, %lld of them the tape's against our own\n",
            (long long)s.widths, (long long)s.widths_taken);
}

static void print_track(FILE *to, const struct instrument *in, struct bucket_track *t) {
    fprintf(to, "%s %s, %s: %zu buckets, ids %lld to %lld%s\n", venue_name(in->venue), in->symbol,
        t->text, t->count, (long long)t->first_id, (long long)t->last_id,
        t->count == 0 || t->rising ? "" : " NOT RISING");
    fprintf(to, "  duration %.3f s median, %.3f s p90, %.3f s longest\n",
        (double)bucket_track_duration(t, 0.5) / 1e9, (double)bucket_track_duration(t, 0.9) / 1e9,
        (double)bucket_track_duration(t, 1.0) / 1e9);
    fprintf(to, "  cut by");
    for (uint8_t k = CUT_TIME; k < CUT_TRIGGERS; k++)
        if (t->triggers[k])
            fprintf(to, " %s %llu", bucket_trigger_name(k), (unsigned long long)t->triggers[k]);
    fprintf(to, "; %llu empty, %llu with a gap\n", (unsigned long long)t->empty,
        (unsigned long long)t->gapped);
    fprintf(to, "  trades %lld, volume and count %s the tape's\n", (long long)t->got.trades,
        bucket_track_conserved(t) ? "equal" : "DIFFER from");
    print_health(to, t);
}

static err_t check_conserved(const struct bucket_walk *w, struct err_info *e) {
    for (size_t i = 0; i < w->instruments; i++) {
        const struct bucket_track *t = &w->track[i];
        if (t->started && (!bucket_track_conserved(t) || (t->count > 0 && !t->rising)))
            return err_set(
                e, ERR_NO, "%s: the buckets do not hold what the tape holds", w->table[i].symbol);
    }
    return ERR_OK;
}

/* One run of a verb: everything that must be freed. */
struct job {
    struct cli_args args;
    struct bucket_walk *walk;
    struct tape_reader *tape;
    struct output output;
    struct json_out doc;
    struct file_out *file;
    struct dir_out *dir; /* of --record */
};

static err_t check_reference(const struct job *k, const char *symbol, struct err_info *e) {
    size_t n, found = 0;
    const struct instrument *table = tape_reader_instruments(k->tape, &n);
    for (size_t i = 0; i < n; i++) found += instrument_is(&table[i], symbol);
    if (found == 1) return ERR_OK;
    return err_set(e, ERR_USAGE,
        "--reference %s: %s holds %zu instruments of this name, one is needed (VENUE:SYMBOL tells "
        "venues apart)",
        symbol, k->args.argv[0], found);
}

static err_t job_open(
    struct job *k, const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct tape_reader_options opt = {.torn_ok = true};
    struct bucket_spec spec;
    const char *why = "";
    err_t code = cli_parse(verb, argc, argv, &k->args, e);
    if (code) return code;
    const char *text = cli_value(&k->args, "bucket");
    const char *config = cli_value(&k->args, "bucket-config"),
               *reference = cli_value(&k->args, "reference");
    if (text == NULL) text = config ? "volume=config" : "time=1";
    /* a fine unit here: only what is wrong for every instrument is refused before the tape opens */
    if (!bucket_config_named(text) && !bucket_spec_parse(text, 1, FINE_UNIT_EXP, &spec, &why))
        return err_set(e, ERR_USAGE, "--bucket %s: %s", text, why);
    k->walk = bucket_walk_new(text, NULL, &k->output);
    k->walk->config = config;
    k->walk->reference = reference;
    k->walk->tape = k->args.argv[0];
    opt.quarantine = cli_flag(&k->args, "quarantine");
    code = tape_reader_open(&k->tape, k->args.argv[0], &opt, e);
    return code || !reference ? code : check_reference(k, reference, e);
}

/* --record: the tape again with the decisions of the online width on it. */
static err_t record_open(struct job *k, const char *to, struct err_info *e) {
    struct tape_writer_options opt = {0};
    size_t n;
    const struct instrument *table = tape_reader_instruments(k->tape, &n);
    err_t code = dir_out_open(&k->dir, to, "00000000.tape", k->args.force, e);
    if (!code) code = tape_writer_open(&k->walk->record, dir_out_path(k->dir), &opt, NULL, e);
    for (size_t i = 0; i < n && !code; i++) {
        struct instrument in = table[i];
        code = tape_writer_instrument(k->walk->record, &in, e);
    }
    return code;
}

static err_t record_close(struct job *k, struct err_info *e) {
    struct tape_writer *w = k->walk->record;
    k->walk->record = NULL;
    err_t code = w ? tape_writer_close(w, e) : ERR_OK;
    struct dir_out *dir = k->dir;
    if (code || !dir) return code;
    k->dir = NULL;
    return dir_out_commit(dir, e);
}

static void job_close(struct job *k) {
    struct err_info unused;
    if (k->walk && k->walk->record && tape_writer_close(k->walk->record, &unused))
        k->walk->record = NULL;
    if (k->dir) dir_out_abort(k->dir);
    bucket_walk_free(k->walk);
    if (k->tape) tape_reader_close(k->tape);
    file_out_abort(k->file);
    json_fini(&k->doc);
    free(k);
}

static err_t job_walk(struct job *k, struct err_info *e) {
    err_t code = bucket_walk_tape(k->walk, k->tape, k->args.quiet, e);
    size_t torn = tape_reader_torn_bytes(k->tape);
    if (!code && torn > 0)
        fprintf(stderr, "fathom vclock: the tape has a torn tail of %zu bytes; buckets before it\n",
            torn);
    return code;
}

static void print_tracks(FILE *to, struct bucket_walk *w) {
    size_t tracks = 0;
    for (size_t i = 0; i < w->instruments; i++)
        if (w->track[i].started) {
            print_track(to, &w->table[i], &w->track[i]);
            tracks++;
        }
    if (tracks == 0)
        fprintf(to,
            "%s: no buckets: %llu events, none of an instrument that trades (%zu instruments; "
            "fathom tape info lists them)\n",
            w->tape, (unsigned long long)w->events, w->instruments);
}

static err_t run_info(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct job *k = mem_alloc(sizeof *k);
    json_init(&k->doc);
    err_t code = job_open(k, verb, argc, argv, e);
    if (!code) code = job_walk(k, e);
    if (!code && k->args.json) {
        json_object(&k->doc);
        json_summary(&k->doc, k->walk);
        json_object_end(&k->doc);
        code = cli_print_json(&k->doc, e);
    } else if (!code) {
        print_tracks(stdout, k->walk);
    }
    if (!code) code = check_conserved(k->walk, e);
    job_close(k);
    return code;
}

/* Where the buckets go: the file of --to; else the JSON document; else stdout as CSV. */
static err_t open_output(struct job *k, const char *to, struct err_info *e) {
    k->walk->fn = write_bucket;
    json_object(&k->doc);
    if (to) {
        err_t code = file_out_open(&k->file, to, k->args.force, e);
        if (code) return code;
        k->output.csv = file_out_stream(k->file);
        k->output.headed = true;
    } else if (k->args.json) {
        k->output.doc = &k->doc;
        json_key(&k->doc, "rows");
        json_array(&k->doc);
    } else {
        k->output.csv = stdout;
    }
    if (to) fputs(csv_head, k->output.csv);
    return ERR_OK;
}

static err_t close_output(struct job *k, const char *to, struct err_info *e) {
    if (k->output.doc) json_array_end(&k->doc);
    if (k->file) {
        struct file_out *file = k->file;
        k->file = NULL;
        err_t code = file_out_commit(file, e);
        if (code) return code;
        json_kstr(&k->doc, "to", to);
    }
    if (k->args.json) {
        json_summary(&k->doc, k->walk);
        json_object_end(&k->doc);
        return cli_print_json(&k->doc, e);
    }
    if (!k->args.quiet) print_tracks(to ? stdout : stderr, k->walk);
    return ERR_OK;
}

static err_t run_run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct job *k = mem_alloc(sizeof *k);
    json_init(&k->doc);
    err_t code = job_open(k, verb, argc, argv, e);
    const char *to = code ? NULL : cli_value(&k->args, "to");
    const char *record = code ? NULL : cli_value(&k->args, "record");
    if (!code) code = open_output(k, to, e);
    if (!code && record) code = record_open(k, record, e);
    if (!code) code = job_walk(k, e);
    if (!code) code = record_close(k, e);
    if (!code) code = close_output(k, to, e);
    if (!code) code = check_conserved(k->walk, e);
    job_close(k);
    return code;
}

#define BUCKET_HELP                                                                                \
    "  --bucket SPEC  time=SECONDS, volume=QUANTITY, count=TRADES, update=MESSAGES or\n"           \
    "                 adaptive=QUANTITY, with options (docs/volume-clock.md; default time=1);\n"   \
    "                 volume=config takes the size from --bucket-config\n"                         \
    "  --bucket-config FILE  bucket configuration of fathom vclock calibrate\n"                    \
    "  --reference SYMBOL    its clock cuts the buckets of every instrument, with the same ids\n"  \
    "  --quarantine   go past damaged blocks of the tape\n"

const struct cli_verb cmd_vclock_run = {
    .name = "vclock run",
    .usage = "TAPE [--bucket SPEC] [--to FILE.csv] [--record TAPE]",
    .about = "cut a tape into buckets and write them as a table",
    .help = BUCKET_HELP
    "  --to FILE.csv  write the table there (default: stdout)\n"
    "  --record TAPE  write the tape again, with the decisions of an online width on it\n"
    "\n"
    "Example:\n"
    "  fathom vclock run my.tape --bucket volume=10,limit=60 --to buckets.csv\n",
    .options = "bucket= bucket-config= reference= to= record= quarantine",
    .args_min = 1,
    .args_max = 1,
    .run = run_run,
};

const struct cli_verb cmd_vclock_info = {
    .name = "vclock info",
    .usage = "TAPE [--bucket SPEC]",
    .about = "durations, cuts and conservation of the buckets of a tape",
    .help = BUCKET_HELP "\n"
                        "Exit 1 if the buckets do not hold exactly the tape's trades.\n"
                        "\n"
                        "Example:\n"
                        "  fathom vclock info my.tape --bucket time=1\n",
    .options = "bucket= bucket-config= reference= quarantine",
    .args_min = 1,
    .args_max = 1,
    .run = run_info,
};
