/* cmd_vclock_calibrate.c: `fathom vclock calibrate TAPE...`: bucket sizes from how an instrument
 * trades.
 *
 * One sample a minute (or --sample S): a time bucket of the same clock that runs later, so what
 * counts as volume, trade and update is the same by construction. The first and the last bucket and
 * gapped ones are no samples. Quantiles by nearest rank.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "program/bucket_config.h"
#include "program/bucket_walk.h"
#include "program/cli.h"

enum { SAMPLES_MIN = 100, MEASURES = 3, SPREAD = 10 };

static const char *const measure_name[MEASURES] = {"volume", "count", "update"};

struct sample {
    int64_t amount[MEASURES];
    uint8_t session;
};

struct series { /* of one instrument */
    struct sample *s;
    size_t n, cap;
    int64_t last_ns;
    bool begun, bars;
};

struct job {
    struct cli_args args;
    struct bucket_walk *walk;
    struct tape_reader *tape;
    struct series series[INST_MAX];
    double target_s, limit_s, sample_s, days;
    int64_t valid_from;
    struct bucket_table table; /* what the file holds after */
    struct bucket_row *made;
    size_t n_made, cap_made;
    struct left {
        const struct instrument *in;
        enum bucket_session session;
        size_t samples;
    } * left;
    size_t n_left, cap_left;
};

static err_t collect(
    void *user, const struct instrument *in, const struct bucket *b, struct err_info *e) {
    struct job *k = user;
    struct series *s = &k->series[in->id];
    (void)e;
    s->last_ns = b->close_ts.ns;
    s->bars |= b->from_kline != 0;
    bool first = !s->begun && !b->from_kline;
    s->begun = true;
    if (first || b->gapped || b->trigger == CUT_END) return ERR_OK;
    s->s = mem_array(s->s, s->n, &s->cap, sizeof *s->s);
    s->s[s->n++] = (struct sample){.amount = {b->volume.lots, b->trades, b->updates},
        .session = (uint8_t)bucket_session_of(b->open_ts.ns)};
    return ERR_OK;
}

/* ---- sizes ---- */

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t rank(const int64_t *sorted, size_t n, size_t percent) {
    size_t at = (n * percent + 99) / 100;
    return sorted[at > 0 ? at - 1 : 0];
}

static int64_t clip(double v, int64_t lo, int64_t hi) {
    return v <= (double)lo ? lo : v >= (double)hi ? hi : (int64_t)(v + 0.5);
}

static const char *tier(double volume_per_s) {
    return volume_per_s < 0.1  ? "very_low"
           : volume_per_s < 1  ? "low"
           : volume_per_s < 10 ? "medium"
                               : "high";
}

static void amount_text(const struct instrument *in, int measure, int64_t v, char *out) {
    if (measure == 0) {
        instrument_qty_text(in, (qty_t){v}, out);
    } else {
        decimal_text(v, 0, false, out);
    }
}

static void rate_text(
    const struct job *k, const struct instrument *in, int measure, int64_t v, char *out) {
    double unit = measure == 0 ? instrument_qty_unit(in) : 1;
    snprintf(out, DECIMAL_TEXT_MAX, "%.9f", (double)v * unit / k->sample_s);
}

/* Sizes for one measure from its sorted samples. The floor is the instrument's own slow rate; where
 * more than half of the samples are empty the mean stands for the median. False: nothing traded at
 * all. */
static bool row_of(const struct job *k, const struct instrument *in, int measure,
    const int64_t *sorted, size_t n, struct bucket_row *r) {
    static const size_t percents[4] = {5, 50, 80, 95};
    double scale = k->target_s / k->sample_s, sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)sorted[i];
    double mid = (double)rank(sorted, n, 50);
    if (sum <= 0) return false;
    if (mid <= 0) mid = sum / (double)n;
    int64_t size = clip(mid * scale, 1, INT64_MAX / 16), floor = (size + SPREAD - 1) / SPREAD;
    int64_t least = clip((double)rank(sorted, n, 5) * scale, floor, size);
    int64_t most = clip((double)rank(sorted, n, 95) * scale, size, SPREAD * size);
    amount_text(in, measure, size, r->size);
    amount_text(in, measure, least, r->least);
    amount_text(in, measure, most, r->most);
    for (int i = 0; i < 4; i++) rate_text(k, in, measure, rank(sorted, n, percents[i]), r->rate[i]);
    return true;
}

static void head_of(const struct job *k, const struct instrument *in, enum bucket_session session,
    const struct series *s, struct bucket_row *r) {
    memset(r, 0, sizeof *r);
    snprintf(r->venue, sizeof r->venue, "%s", venue_name(in->venue));
    memcpy(r->symbol, in->symbol, sizeof r->symbol);
    snprintf(r->session, sizeof r->session, "%s", bucket_session_name(session));
    snprintf(r->target, sizeof r->target, "%.10g", k->target_s);
    snprintf(r->limit, sizeof r->limit, "%.10g", k->limit_s);
    r->valid_from = k->valid_from ? k->valid_from : s->last_ns;
    r->valid_to = r->valid_from + (int64_t)(k->days * 86400e9);
}

static void calibrate(
    struct job *k, const struct instrument *in, enum bucket_session session, struct series *s) {
    int64_t *v = mem_alloc((s->n + 1) * sizeof *v);
    struct bucket_row r;
    double volume_per_s = 0;
    for (int m = 0; m < MEASURES; m++) {
        size_t n = 0;
        if (m > 0 && s->bars) break; /* bars cannot be cut by trades or messages */
        for (size_t i = 0; i < s->n; i++)
            if (session == SESSION_ALL || s->s[i].session == session) v[n++] = s->s[i].amount[m];
        if (m == 0 && n < SAMPLES_MIN) {
            if (n == 0) break;
            k->left = mem_array(k->left, k->n_left, &k->cap_left, sizeof *k->left);
            k->left[k->n_left++] = (struct left){in, session, n};
            break;
        }
        qsort(v, n, sizeof *v, by_value);
        head_of(k, in, session, s, &r);
        if (!row_of(k, in, m, v, n, &r)) continue;
        if (m == 0) volume_per_s = (double)rank(v, n, 50) * instrument_qty_unit(in) / k->sample_s;
        snprintf(r.mode, sizeof r.mode, "%s", measure_name[m]);
        snprintf(r.tier, sizeof r.tier, "%s", tier(volume_per_s));
        r.samples = (int64_t)n;
        k->made = mem_array(k->made, k->n_made, &k->cap_made, sizeof *k->made);
        k->made[k->n_made++] = r;
        bucket_table_put(&k->table, &r);
    }
    free(v);
}

static err_t calibrate_all(struct job *k, struct err_info *e) {
    for (size_t i = 0; i < k->walk->instruments; i++)
        for (int s = 0; s < SESSION_COUNT; s++)
            calibrate(k, &k->walk->table[i], (enum bucket_session)s, &k->series[i]);
    if (k->n_made > 0) return ERR_OK;
    return err_set(e, ERR_INPUT,
        "no instrument has %d whole samples of %g s with trades: give more data, or --sample with "
        "fewer "
        "seconds",
        SAMPLES_MIN, k->sample_s);
}

/* ---- output ---- */

static void json_row(struct json_out *j, const struct bucket_row *r) {
    static const char *const rates[4] = {"rate_p05", "rate_p50", "rate_p80", "rate_p95"};
    json_object(j);
    json_kstr(j, "venue", r->venue);
    json_kstr(j, "symbol", r->symbol);
    json_kstr(j, "session", r->session);
    json_kstr(j, "mode", r->mode);
    json_kstr(j, "target_s", r->target);
    json_kstr(j, "limit_s", r->limit);
    json_kstr(j, "size", r->size);
    json_kstr(j, "least", r->least);
    json_kstr(j, "most", r->most);
    for (int i = 0; i < 4; i++) json_kstr(j, rates[i], r->rate[i]);
    json_kint(j, "samples", r->samples);
    json_kstr(j, "tier", r->tier);
    json_kint(j, "valid_from_ns", r->valid_from);
    json_kint(j, "valid_to_ns", r->valid_to);
    json_object_end(j);
}

static err_t print_json(const struct job *k, const char *to, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    if (to) json_kstr(&j, "to", to);
    json_kdouble(&j, "sample_s", k->sample_s);
    json_key(&j, "rows");
    json_array(&j);
    for (size_t i = 0; i < k->n_made; i++) json_row(&j, &k->made[i]);
    json_array_end(&j);
    json_key(&j, "left_out");
    json_array(&j);
    for (size_t i = 0; i < k->n_left; i++) {
        json_object(&j);
        json_kstr(&j, "symbol", k->left[i].in->symbol);
        json_kstr(&j, "session", bucket_session_name(k->left[i].session));
        json_kint(&j, "samples", (int64_t)k->left[i].samples);
        json_kstr(&j, "reason", "insufficient_data");
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static void print_text(const struct job *k, const char *to) {
    for (size_t i = 0; i < k->n_made; i++) {
        const struct bucket_row *r = &k->made[i];
        printf("%s %s %-4s %-6s %s (%s to %s), median %s a second, %s, %lld samples\n", r->venue,
            r->symbol, r->session, r->mode, r->size, r->least, r->most, r->rate[1], r->tier,
            (long long)r->samples);
    }
    for (size_t i = 0; i < k->n_left; i++)
        printf("%s %s %-4s left out: %zu samples, %d are needed\n",
            venue_name(k->left[i].in->venue), k->left[i].in->symbol,
            bucket_session_name(k->left[i].session), k->left[i].samples, SAMPLES_MIN);
    if (to) printf("%zu rows in %s\n", k->table.n, to);
}

static err_t save(struct job *k, const char *to, struct err_info *e) {
    struct file_out *f;
    err_t code = file_out_open(&f, to, true, e); /* the old rows are in the table */
    if (code) return code;
    bucket_table_write(&k->table, file_out_stream(f));
    return file_out_commit(f, e);
}

/* ---- the verb ---- */

static err_t options_of(struct job *k, struct err_info *e) {
    const struct cli_args *a = &k->args;
    int64_t from = 0;
    err_t code = cli_double(a, "target", 0.1, 3600, 30, &k->target_s, e);
    if (!code) code = cli_double(a, "limit", 0.1, 86400, 2 * k->target_s, &k->limit_s, e);
    if (!code) code = cli_double(a, "sample", 0.1, 86400, 60, &k->sample_s, e);
    if (!code) code = cli_double(a, "valid-days", 0.001, 3660, 2, &k->days, e);
    if (!code) code = cli_int(a, "valid-from", 0, INT64_MAX / 2, 0, &from, e);
    k->valid_from = from;
    return code;
}

static err_t open_tapes(struct job *k, struct err_info *e) {
    struct tape_reader_options opt = {
        .torn_ok = true, .quarantine = cli_flag(&k->args, "quarantine")};
    const char *const *paths = (const char *const *)k->args.argv;
    if (k->args.argc == 1) return tape_reader_open(&k->tape, paths[0], &opt, e);
    return tape_reader_open_merged(&k->tape, paths, (size_t)k->args.argc, &opt, e);
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct job *k = mem_alloc(sizeof *k);
    char spec[64];
    err_t code = cli_parse(verb, argc, argv, &k->args, e);
    const char *to = code ? NULL : cli_value(&k->args, "to");
    if (!code) code = options_of(k, e);
    if (!code && to && file_exists(to) && !k->args.force)
        code = bucket_table_read(&k->table, to, e);
    if (!code) code = open_tapes(k, e);
    snprintf(spec, sizeof spec, "time=%.9f", k->sample_s);
    k->walk = bucket_walk_new(spec, collect, k);
    if (!code) code = bucket_walk_tape(k->walk, k->tape, k->args.quiet, e);
    if (!code) code = calibrate_all(k, e);
    if (!code && to) code = save(k, to, e);
    if (!code && k->args.json) code = print_json(k, to, e);
    if (!code && !k->args.json) print_text(k, to);
    for (size_t i = 0; i < INST_MAX; i++) free(k->series[i].s);
    bucket_walk_free(k->walk);
    if (k->tape) tape_reader_close(k->tape);
    bucket_table_free(&k->table);
    free(k->made);
    free(k->left);
    free(k);
    return code;
}

const struct cli_verb cmd_vclock_calibrate = {
    .name = "vclock calibrate",
    .usage = "TAPE... [--to FILE.csv] [--target S] [--sample S]",
    .about = "bucket sizes by instrument and session from volume, trades and updates per second",
    .help = "  --to FILE.csv   bucket configuration; rows are added to those it holds (--force: "
            "replaced)\n"
            "  --target S      wanted duration of a bucket (default 30)\n"
            "  --limit S       longest duration (default twice the target)\n"
            "  --sample S      seconds of one sample (default 60); 100 samples are needed\n"
            "  --valid-days D  how long the rows hold (default 2)\n"
            "  --valid-from NS when they begin (default: where the data end)\n"
            "  --quarantine    go past damaged blocks of the tape\n"
            "\n"
            "Example:\n"
            "  fathom vclock calibrate monday.tape tuesday.tape --to buckets.csv\n",
    .options = "to= target= limit= sample= valid-days= valid-from= quarantine",
    .args_min = 1,
    .args_max = -1,
    .run = run,
};
