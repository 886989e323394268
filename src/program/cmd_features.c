/* cmd_features.c: `fathom features list|explain|run`: the registry, and a tape as a matrix. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/progress.h"
#include "capture/tape/tape.h"
#include "derive/feature/stream.h"
#include "program/bucket_config.h"
#include "program/cli.h"
#include "program/feature_doc.h"
#include "program/npy_out.h"
#include "program/peer_args.h"
#include "program/set_file.h"

/* --- list and explain ------------------------------------------------------------------------ */

static err_t print_registry(struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_array(&j);
    for (size_t i = 0; i < feature_count(); i++) feature_doc_json(&j, i);
    json_array_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static err_t run_list(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args a;
    err_t code = cli_parse(verb, argc, argv, &a, e);
    if (code) return code;
    if (a.json) return print_registry(e);
    if (cli_flag(&a, "markdown")) {
        feature_doc_markdown(stdout);
    } else {
        for (size_t i = 0; i < feature_count(); i++) feature_doc_line(stdout, i);
    }
    return ERR_OK;
}

static err_t run_explain(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args a;
    err_t code = cli_parse(verb, argc, argv, &a, e);
    if (code) return code;
    long index = feature_find(a.argv[0]);
    if (index < 0) return set_unknown(a.argv[0], e);
    if (!a.json) {
        feature_doc_explain(stdout, (size_t)index);
        return ERR_OK;
    }
    struct json_out j;
    json_init(&j);
    feature_doc_json(&j, (size_t)index);
    code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

/* --- run ------------------------------------------------------------------------------------- */

struct job {
    struct cli_args args;
    struct feature_set set;
    const char *tape, *bucket, *to;
    struct bucket_choice choice;
    struct peer_args others;
    struct tape_reader *reader;
    struct stream_spec spec;
    void *mem;
    struct stream *stream;
    struct file_out *file;
    struct npy_stream npy;
    err_t failed; /* of the row callback */
    struct err_info *e;
    uint64_t events;
    uint64_t left; /* events of the own instrument still to come */
};

static err_t job_parse(
    struct job *k, const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    err_t code = cli_parse(verb, argc, argv, &k->args, e);
    if (code) return code;
    const char *set = cli_value(&k->args, "set");
    k->tape = k->args.argv[0];
    k->bucket = cli_value(&k->args, "bucket");
    k->to = cli_value(&k->args, "to");
    k->e = e;
    if (!k->bucket) k->bucket = cli_value(&k->args, "bucket-config") ? "volume=config" : "time=1";
    if (!set) set = "all";
    return set_of(set, cli_value(&k->args, "scale"), &k->set, NULL, e);
}

static err_t job_instruments(struct job *k, struct err_info *e) {
    const struct peer_args *p = &k->others;
    size_t n = 0;
    uint16_t own;
    const struct instrument *table = tape_reader_instruments(k->reader, &n);
    err_t code = others_pick(table, n, k->tape, "--symbol", p->own, &own, e);
    return code ? code : others_spec(&p->others, table, n, k->tape, own, &k->spec, e);
}

/* bucket-config knows an instrument by its place in its own tape. */
static err_t job_bucket(struct job *k, struct err_info *e) {
    const char *file = cli_value(&k->args, "bucket-config"), *why = "";
    const struct others *o = &k->others.others;
    const struct instrument *in = others_clock(&k->spec);
    if (o->tapes > 0 && (file || bucket_config_named(k->bucket)))
        return err_set(e, ERR_USAGE,
            "--bucket-config takes all instruments from one tape: merge them (fathom tape merge) "
            "or "
            "give the bucket's size");
    err_t code = bucket_config_tape(k->bucket, file, k->tape, in, &k->choice, e);
    if (code) return code;
    k->bucket = k->choice.text;
    if (others_bucket(&k->spec, k->bucket, &why)) return ERR_OK;
    return err_set(e, ERR_USAGE, "--bucket %s: %s", k->bucket, why);
}

static err_t job_open(struct job *k, struct err_info *e) {
    struct tape_reader_options opt = {
        .torn_ok = true, .quarantine = cli_flag(&k->args, "quarantine")};
    err_t code = peer_args_parse(&k->args, k->tape, &k->others, e);
    if (!code) code = others_open(&k->others.others, k->tape, &opt, &k->reader, e);
    if (!code) code = job_instruments(k, e);
    k->left = UINT64_MAX;
    if (!code && k->spec.others > 0)
        code = others_count(&k->others.others, k->tape, &opt, k->spec.inst.id, &k->left, e);
    if (!code) code = job_bucket(k, e);
    if (code) return code;
    size_t size = stream_mem_size(&k->spec, &k->set);
    k->mem = mem_alloc(size + 64);
    void *mem = (unsigned char *)k->mem + (64 - (uintptr_t)k->mem % 64);
    k->stream = stream_init(mem, &k->spec, &k->set);
    if (!k->to) return ERR_OK;
    code = file_out_open(&k->file, k->to, k->args.force, e);
    if (!code) code = npy_out_begin(&k->npy, file_out_stream(k->file), k->to, k->set.count, e);
    return code;
}

static void on_row(void *user, const struct stream *s, const struct bucket *b, const float *row) {
    struct job *k = user;
    (void)s;
    (void)b;
    if (k->file && !k->failed) k->failed = npy_out_row(&k->npy, row, k->e);
}

/* Bars longer than the bucket would say nothing of the time in between. */
static err_t check_bar(const struct job *k, const struct event *ev, struct err_info *e) {
    const char *why = "";
    if (ev->kind != EV_KLINE || !(ev->flags & EVF_CLOSED)) return ERR_OK;
    if (!stream_counts(k->stream, EV_KLINE)) return ERR_OK;
    int64_t bar_ns = kline_end_ns(ev) - ev->id;
    if (bucket_spec_fits_bar(&k->spec.bucket, bar_ns, &why)) return ERR_OK;
    return err_set(e, ERR_USAGE, "--bucket %s for %s, which has bars of %lld s: %s", k->bucket,
        k->spec.inst.symbol, (long long)(bar_ns / NS_PER_S), why);
}

static err_t job_slots(struct job *k, const struct event *slots, size_t n, struct err_info *e) {
    size_t rows;
    const struct instrument *table = tape_reader_instruments(k->reader, &rows);
    stream_join_table(k->stream, table, rows);
    for (size_t i = 0; i < n && k->left > 0; i += event_slots(slots[i].kind)) {
        k->events++;
        k->left -= slots[i].inst == k->spec.inst.id;
        bool own = slots[i].inst == k->spec.inst.id;
        err_t code = own ? check_bar(k, &slots[i], e) : ERR_OK;
        if (code) return code;
        stream_route(k->stream, &slots[i], on_row, k);
        if (k->failed) return k->failed;
    }
    return k->left == 0 ? ERR_END : ERR_OK;
}

static err_t job_walk(struct job *k, struct err_info *e) {
    struct progress p;
    err_t code = ERR_OK;
    progress_begin(&p, "features", "events", 1.0, tape_reader_events(k->reader), k->args.quiet);
    while (!code) {
        const struct event *slots;
        size_t n;
        code = tape_reader_next(k->reader, &slots, &n, e);
        if (!code) code = job_slots(k, slots, n, e);
        progress_at(&p, k->events);
        if (!code && cli_interrupted())
            code = err_set(e, ERR_INTERRUPTED, "stopped after %llu events; run it again",
                (unsigned long long)k->events);
    }
    progress_end(&p, k->events);
    if (code != ERR_END) return code;
    size_t torn = tape_reader_torn_bytes(k->reader);
    if (torn > 0)
        fprintf(stderr, "fathom features: the tape has a torn tail of %zu bytes; rows before it\n",
            torn);
    return ERR_OK;
}

/* "volume=320 of binance-spot:BTCUSDT" where that one's clock cuts. */
static void bucket_text(const struct job *k, char out[OTHERS_TEXT_MAX]) {
    const struct instrument *in = others_clock(&k->spec);
    bool own = in == &k->spec.inst;
    snprintf(out, OTHERS_TEXT_MAX, own ? "%s" : "%s of %s:%s", k->bucket, venue_name(in->venue),
        in->symbol);
}

/* As of `fathom dataset` and `features report`: a matrix of nothing is no answer. */
static err_t check_rows(const struct job *k, struct err_info *e) {
    if (feature_rows(stream_features(k->stream)) > 0) return ERR_OK;
    char bucket[OTHERS_TEXT_MAX];
    bucket_text(k, bucket);
    return err_set(e, ERR_INPUT,
        "%s: no bucket was closed; use a shorter bucket than %s or a longer recording", k->tape,
        bucket);
}

static err_t job_commit(struct job *k, struct err_info *e) {
    if (!k->file) return ERR_OK;
    err_t code = npy_out_end(&k->npy, e);
    if (code) return code;
    struct file_out *file = k->file;
    k->file = NULL;
    return file_out_commit(file, e);
}

static double missing_rate(const struct feature_engine *fe, size_t column) {
    uint64_t rows = feature_rows(fe);
    return (double)feature_missing(fe)[column] / (double)rows; /* check_rows: not 0 */
}

static void json_others(struct json_out *j, const struct stream_spec *spec) {
    static const struct {
        uint8_t role;
        const char *key;
    } roles[] = {{OTHER_PEER, "peer"}, {OTHER_REFERENCE, "reference"}, {OTHER_CLOCK, "clock"}};
    json_key(j, "others");
    json_array(j);
    for (size_t i = 0; i < spec->others; i++) {
        const struct stream_other *o = &spec->other[i];
        json_object(j);
        json_kstr(j, "venue", venue_name(o->inst.venue));
        json_kstr(j, "symbol", o->inst.symbol);
        for (size_t k = 0; k < sizeof roles / sizeof roles[0]; k++)
            json_kbool(j, roles[k].key, (o->roles & roles[k].role) != 0);
        json_object_end(j);
    }
    json_array_end(j);
}

static err_t job_json(const struct job *k, struct err_info *e) {
    const struct feature_engine *fe = stream_features(k->stream);
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kint(&j, "rows", (int64_t)feature_rows(fe));
    json_kint(&j, "columns", (int64_t)k->set.count);
    json_key(&j, "signature");
    json_hash(&j, feature_set_signature(&k->set));
    json_key(&j, "hash");
    json_hash(&j, stream_hashes(k->stream).features);
    json_kstr(&j, "set", k->set.name);
    char scale[32];
    set_scale_text(&k->set.scale, scale);
    json_kstr(&j, "scale", scale);
    char bucket[OTHERS_TEXT_MAX];
    bucket_text(k, bucket);
    json_kstr(&j, "bucket", bucket);
    json_kstr(&j, "symbol", k->spec.inst.symbol);
    json_others(&j, &k->spec);
    json_kint(&j, "warmup", (int64_t)feature_set_warmup(&k->set));
    json_key(&j, "missing");
    json_object(&j);
    for (size_t i = 0; i < k->set.count; i++)
        json_kdouble(&j, feature_get(k->set.index[i], NULL)->name, missing_rate(fe, i));
    json_object_end(&j);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

/* Rows that no tape could fill without another instrument say which option brings it. */
static void hint(const struct job *k) {
    uint32_t needs = 0;
    for (size_t i = 0; i < k->set.count; i++) needs |= feature_get(k->set.index[i], NULL)->needs;
    if ((needs & NEED_PEER) && k->others.others.peers == 0)
        printf("  rows of the family xv need another venue: --peer\n");
    if ((needs & NEED_REFERENCE) && !k->others.others.reference)
        printf("  v72_i and v72_regime need a reference instrument: --reference\n");
}

static void job_text(const struct job *k) {
    const struct feature_engine *fe = stream_features(k->stream);
    size_t never = 0;
    for (size_t i = 0; i < k->set.count; i++) never += missing_rate(fe, i) >= 1.0;
    char bucket[OTHERS_TEXT_MAX];
    bucket_text(k, bucket);
    printf("%s: %llu rows of %zu features (set %s, bucket %s)\n", k->spec.inst.symbol,
        (unsigned long long)feature_rows(fe), k->set.count, k->set.name, bucket);
    printf("  signature %016llx, hash %016llx\n",
        (unsigned long long)feature_set_signature(&k->set),
        (unsigned long long)stream_hashes(k->stream).features);
    if (never) printf("  %zu features have no value here:", never);
    for (size_t i = 0; i < k->set.count; i++)
        if (missing_rate(fe, i) >= 1.0) printf(" %s", feature_get(k->set.index[i], NULL)->name);
    if (never) printf("\n");
    hint(k);
    if (k->to) printf("  written to %s\n", k->to);
}

static err_t run_run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct job *k = mem_alloc(sizeof *k);
    err_t code = job_parse(k, verb, argc, argv, e);
    if (!code) code = job_open(k, e);
    if (!code) code = job_walk(k, e);
    if (!code) code = check_rows(k, e);
    if (!code) code = job_commit(k, e);
    if (!code && k->args.json) code = job_json(k, e);
    if (!code && !k->args.json) job_text(k);
    file_out_abort(k->file);
    if (k->reader) tape_reader_close(k->reader);
    free(k->mem);
    free(k);
    return code;
}

const struct cli_verb cmd_features_list = {
    .name = "features list",
    .usage = "[--markdown]",
    .about = "the features: name, unit, window, formula",
    .help = "  --markdown     the catalogue page (docs/features.md)\n"
            "\n"
            "Example:\n"
            "  fathom features list --json\n",
    .options = "markdown",
    .args_min = 0,
    .args_max = 0,
    .run = run_list,
};

const struct cli_verb cmd_features_explain = {
    .name = "features explain",
    .usage = "NAME",
    .about = "one feature in full: formula, source, warm-up, when it is missing",
    .help = "\n"
            "Example:\n"
            "  fathom features explain book_imbalance_l5\n",
    .options = "",
    .args_min = 1,
    .args_max = 1,
    .run = run_explain,
};

const struct cli_verb cmd_features_run = {
    .name = "features run",
    .usage = "TAPE [--to FILE.npy] [--set NAME|FILE] [--scale S] [--bucket SPEC]",
    .about = "a tape as a matrix of features, one row a closed bucket",
    .help =
        "  --to FILE.npy  write the matrix there: little-endian float32, C order\n"
        "  --set NAME     all (default), core, bars, ohlcv, a family, names joined by '+', or a\n"
        "                 file of fathom features select\n"
        "  --scale S      z[:ROWS][:session] or quantile[:ROWS][:session]: each row by the rows\n"
        "                 before it (default none; ROWS 500)\n"
        "  --bucket SPEC  time=SECONDS, volume=QUANTITY, count=TRADES, update=MESSAGES or\n"
        "                 adaptive=QUANTITY, with options (default time=1); volume=config takes\n"
        "                 the size from --bucket-config\n"
        "  --bucket-config FILE  bucket configuration of fathom vclock calibrate\n"
        "  --symbol NAME  the instrument, where the tape holds several\n" PEER_HELP
        "  --quarantine   go past damaged blocks of the tape\n"
        "\n"
        "A tape of which no bucket closes is exit 3; nothing is written then.\n"
        "\n"
        "Example:\n"
        "  fathom features run my.tape --to features.npy --set core --bucket time=1\n",
    .options = "to= set= scale= bucket= bucket-config= symbol= quarantine" PEER_OPTIONS,
    .args_min = 1,
    .args_max = 1,
    .run = run_run,
};
