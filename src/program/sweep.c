#include "program/sweep.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/progress.h"
#include "program/plan.h"
#include "program/run_config.h"

/* Sets [first, first + n) of `order` share one replay. */
struct batch {
    size_t first, n;
};

struct work {
    struct sweep *s;
    const size_t *order;
    struct batch *batch;
    size_t batches, next;
    FILE *part;
    uint64_t done;
    struct progress progress;
    pthread_mutex_t lock; /* of next, done, part, progress, code, e, the sweep's own fields */
    err_t code;           /* the first failure that ends the sweep */
    struct err_info e;
};

/* ---- a set's configuration ---- */

static err_t config_of(const struct sweep *s, size_t set, struct config **out, struct err_info *e) {
    const char **sets = mem_alloc((s->n_sets + s->spec.axes) * sizeof *sets);
    char text[SWEEP_AXES_MAX][SWEEP_KEY_MAX + SWEEP_TEXT_MAX + 2];
    struct err_info why = {0};
    size_t n = 0;
    for (; n < s->n_sets; n++) sets[n] = s->sets[n];
    for (size_t k = 0; k < s->spec.axes; k++) {
        snprintf(
            text[k], sizeof text[k], "%s=%s", s->spec.axis[k].key, sweep_text(&s->spec, set, k));
        sets[n++] = text[k];
    }
    err_t code = config_load(out, run_schema, run_schema_keys, s->file, sets, n, &why);
    free(sets);
    if (!code) {
        code = plan_features(*out, &why);
        if (!code) code = plan_buckets(*out, s->run.tape, &why);
        if (code) config_free(*out);
    }
    return code ? err_set(e, code, "set %zu: %s", set, why.text) : ERR_OK;
}

/* ---- batches ---- */

static int compare_sets(const struct sweep_spec *s, size_t a, size_t b) {
    for (size_t k = 0; k < s->axes; k++) {
        int c = s->axis[k].shared ? 0 : strcmp(sweep_text(s, a, k), sweep_text(s, b, k));
        if (c != 0) return c;
    }
    return 0;
}

static int by_replay(const void *a, const void *b, void *spec) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    int c = compare_sets(spec, x, y);
    return c != 0 ? c : (x > y) - (x < y);
}

/* Sets still to do, those that share a replay side by side; in batches of at most sweep.batch, and
 * small enough that every thread has one. */
static void make_batches(struct work *w, size_t *order) {
    struct sweep *s = w->s;
    size_t n = 0, most = (size_t)config_int(s->cfg, "sweep.batch"), cap = 0;
    for (size_t i = 0; i < s->spec.sets; i++) {
        if (!s->row[i].done) order[n++] = i;
    }
    if (n > 0) qsort_r(order, n, sizeof *order, by_replay, &s->spec);
    size_t even = (n + s->jobs - 1) / s->jobs;
    if (even < most) most = even;
    for (size_t i = 0; i < n; i++) {
        struct batch *last = w->batches > 0 ? &w->batch[w->batches - 1] : NULL;
        bool same =
            last && last->n < most && compare_sets(&s->spec, order[last->first], order[i]) == 0;
        if (same) {
            last->n++;
            continue;
        }
        w->batch = mem_array(w->batch, w->batches, &cap, sizeof *w->batch);
        w->batch[w->batches++] = (struct batch){i, 1};
    }
}

/* ---- one batch ---- */

struct company { /* of the sets of a batch */
    struct config *cfg[PIPELINE_SETS_MAX];
    struct run_result result[PIPELINE_SETS_MAX];
    struct pipeline_set set[PIPELINE_SETS_MAX];
    struct pipeline_facts facts;
};

static void keep(struct work *w, size_t set, const struct sweep_row *row) {
    struct json_out j;
    json_init(&j);
    sweep_row_json(row, set, &j);
    pthread_mutex_lock(&w->lock);
    w->s->row[set] = *row;
    bool written =
        !w->part || (fwrite(j.text, 1, j.len, w->part) == j.len && putc('\n', w->part) != EOF);
    if (!written && !w->code) w->code = err_set_errno(&w->e, errno, "the part file of the sweep");
    progress_at(&w->progress, ++w->done);
    pthread_mutex_unlock(&w->lock);
    json_fini(&j);
}

static void keep_all(struct work *w, const size_t *set, size_t n, const struct company *c) {
    for (size_t i = 0; i < n; i++) {
        struct sweep_row row;
        sweep_row_take(&row, &c->result[i], (double)c->result[i].equity_start / 1e12);
        row.config_hash = plan_hash(c->cfg[i]);
        keep(w, set[i], &row);
    }
    pthread_mutex_lock(&w->lock);
    w->s->replays++;
    if (w->part) {
        (void)fflush(w->part);
        (void)fdatasync(fileno(w->part));
    }
    pthread_mutex_unlock(&w->lock);
}

/* The sets of one replay; ERR_OK: their rows are kept. */
static err_t replay(struct work *w, const size_t *set, size_t n, struct err_info *e) {
    struct company *c = mem_alloc(sizeof *c);
    struct sweep *s = w->s;
    err_t code = ERR_OK;
    size_t made = 0;
    for (; !code && made < n; made++) {
        code = run_result_init(&c->result[made], e);
        if (!code) code = config_of(s, set[made], &c->cfg[made], e);
        c->set[made] = (struct pipeline_set){c->cfg[made], &c->result[made], NULL};
    }
    struct pipeline_options opt = {.cfg = c->cfg[0],
        .tape = s->run.tape,
        .models = s->run.models_loaded ? &s->run.models : NULL,
        .quiet = true,
        .periods = SWEEP_PERIODS};
    if (!code) code = pipeline_run_sets(&opt, c->set, n, &c->facts, e);
    if (!code) keep_all(w, set, n, c);
    for (size_t i = 0; i < made; i++) {
        run_result_fini(&c->result[i]);
        if (c->cfg[i]) config_free(c->cfg[i]);
    }
    free(c);
    return code;
}

/* A configuration that cannot run is the user's mistake and ends the sweep; what a replay meets
 * (money that does not fit, a bus that overflows) is a fact about that set. */
static bool ends_sweep(err_t code) {
    return code == ERR_USAGE || code == ERR_INTERRUPTED || code == ERR_BUG;
}

static err_t batch_alone(struct work *w, const size_t *set, size_t n, struct err_info *e) {
    for (size_t i = 0; i < n; i++) {
        err_t code = replay(w, &set[i], 1, e);
        if (!code) continue;
        if (ends_sweep(code)) return code;
        struct sweep_row row = {.done = true, .sharpe = NAN, .psr = NAN, .t_stat = NAN};
        struct config *c = NULL;
        struct err_info ignored;
        if (config_of(w->s, set[i], &c, &ignored) == ERR_OK) {
            row.config_hash = plan_hash(c);
            config_free(c);
        }
        row.maker_mark_10s = row.taker_mark_10s = row.skew = row.kurtosis = NAN;
        snprintf(row.failed, sizeof row.failed, "%.*s", (int)sizeof row.failed - 1, e->text);
        keep(w, set[i], &row);
    }
    return ERR_OK;
}

static void *worker(void *ctx) {
    struct work *w = ctx;
    for (;;) {
        struct err_info e = {0};
        pthread_mutex_lock(&w->lock);
        bool more = !w->code && w->next < w->batches;
        struct batch b = more ? w->batch[w->next++] : (struct batch){0, 0};
        pthread_mutex_unlock(&w->lock);
        if (!more) return NULL;
        err_t code = replay(w, w->order + b.first, b.n, &e);
        if (code && !ends_sweep(code)) code = batch_alone(w, w->order + b.first, b.n, &e);
        if (!code) continue;
        pthread_mutex_lock(&w->lock);
        if (!w->code) {
            w->code = code;
            w->e = e;
        }
        pthread_mutex_unlock(&w->lock);
    }
}

static err_t run_threads(struct work *w, struct err_info *e) {
    size_t n = w->s->jobs < w->batches ? w->s->jobs : w->batches, started = 0;
    pthread_t *thread = mem_alloc((n + 1) * sizeof *thread);
    for (; started < n; started++) {
        int bad = pthread_create(&thread[started], NULL, worker, w);
        if (bad == 0) continue;
        if (started == 0) w->code = err_set_errno(&w->e, bad, "a thread for the sweep");
        break;
    }
    for (size_t i = 0; i < started; i++) pthread_join(thread[i], NULL);
    free(thread);
    if (w->code) *e = w->e;
    return w->code;
}

/* ---- part file ---- */

static err_t part_path(const struct sweep *s, char *out, struct err_info *e) {
    int n = snprintf(out, FILE_PATH_MAX, "%s.part", s->run.output);
    if (n > 0 && n < FILE_PATH_MAX) return ERR_OK;
    return err_set(e, ERR_USAGE, "a path is longer than %d bytes", FILE_PATH_MAX);
}

static void identify(struct sweep *s) {
    uint64_t h =
        hash64(plan_hash(s->cfg), &s->run.result.tape_hash, sizeof s->run.result.tape_hash);
    h = hash64(h, FATHOM_VERSION, sizeof FATHOM_VERSION);
    for (size_t k = 0; k < s->spec.axes; k++)
        h = hash64(h, s->spec.axis[k].key, strlen(s->spec.axis[k].key) + 1);
    for (size_t i = 0; i < s->spec.sets * s->spec.axes; i++)
        h = hash64(h, s->spec.text[i], strlen(s->spec.text[i]) + 1);
    s->identity = h;
}

static void take_lines(struct sweep *s, const char *text) {
    for (const char *at = strchr(text, '\n'); at && at[1]; at = strchr(at + 1, '\n')) {
        size_t set = 0;
        struct sweep_row row;
        if (!sweep_row_parse(at + 1, strcspn(at + 1, "\n"), &set, &row)) continue; /* torn */
        if (set < s->spec.sets && !s->row[set].done) {
            s->row[set] = row;
            s->resumed++;
        } else {
            sweep_row_free(&row);
        }
    }
}

/* Rows of an interrupted call of the same sweep; of another one, an error. */
static err_t resume(struct sweep *s, const char *path, bool force, struct err_info *e) {
    char *text, head[64];
    size_t n;
    if (!file_exists(path)) return ERR_OK;
    err_t code = file_read(path, (size_t)1 << 31, &text, &n, e);
    if (code) return code;
    snprintf(head, sizeof head, "fathom-sweep-part-1 %016llx\n", (unsigned long long)s->identity);
    if (strncmp(text, head, strlen(head)) == 0) {
        take_lines(s, text);
    } else if (!force) {
        code = err_set(e, ERR_USAGE,
            "%s is of another sweep (its configuration, tape or version differ): finish that one, "
            "remove the file, or give --force",
            path);
    }
    free(text);
    return code;
}

/* Written anew, so that a torn line of a crash is gone. */
static err_t open_part(struct sweep *s, const char *path, FILE **out, struct err_info *e) {
    FILE *f = fopen(path, "we");
    if (!f) return err_set_errno(e, errno, "%s", path);
    fprintf(f, "fathom-sweep-part-1 %016llx\n", (unsigned long long)s->identity);
    for (size_t i = 0; i < s->spec.sets; i++) {
        struct json_out j;
        if (!s->row[i].done) continue;
        json_init(&j);
        sweep_row_json(&s->row[i], i, &j);
        fprintf(f, "%s\n", j.text);
        json_fini(&j);
    }
    if (fflush(f) != 0) {
        int bad = errno;
        fclose(f);
        return err_set_errno(e, bad, "%s", path);
    }
    *out = f;
    return ERR_OK;
}

/* ---- the whole ---- */

/* Models know one feature set and one clock. */
static err_t check_axes(const struct sweep *s, struct err_info *e) {
    for (size_t k = 0; s->run.models_loaded && k < s->spec.axes; k++) {
        const char *key = s->spec.axis[k].key;
        if (strncmp(key, "features.", 9) != 0 && strncmp(key, "bucket.", 7) != 0) continue;
        return err_set(e, ERR_USAGE,
            "%s: sweep.vary: %s: a model was trained on one feature set and one bucket; it cannot "
            "score another",
            config_where(s->cfg, "sweep.vary"), key);
    }
    return ERR_OK;
}

/* Every configuration is loaded once before anything is replayed: a value that the schema or the
 * instrument refuses is told at once. */
static err_t check_sets(const struct sweep *s, struct err_info *e) {
    err_t code = ERR_OK;
    for (size_t i = 0; !code && i < s->spec.sets; i++) {
        struct config *c = NULL;
        code = config_of(s, i, &c, e);
        if (!code) config_free(c);
    }
    return code;
}

/* Rows that are not done yet; part may be NULL. *done = rows that are. */
static err_t run_rest(
    struct sweep *s, FILE *part, const char *what, uint64_t *done, struct err_info *e) {
    struct work *w = mem_alloc(sizeof *w);
    size_t *order = mem_alloc(s->spec.sets * sizeof *order);
    w->s = s;
    w->order = order;
    w->part = part;
    w->done = s->resumed;
    pthread_mutex_init(&w->lock, NULL);
    make_batches(w, order);
    progress_begin(&w->progress, what, "sets", 1, s->spec.sets, s->run.quiet);
    if (s->resumed > 0) progress_at(&w->progress, w->done);
    err_t code = run_threads(w, e);
    progress_end(&w->progress, w->done);
    *done = w->done;
    pthread_mutex_destroy(&w->lock);
    free(w->batch);
    free(w);
    free(order);
    return code;
}

err_t sweep_rows(struct sweep *s, const char *what, struct err_info *e) {
    uint64_t done;
    return run_rest(s, NULL, what, &done, e);
}

static err_t run_kept(struct sweep *s, const char *path, struct err_info *e) {
    FILE *part = NULL;
    uint64_t done = 0;
    err_t code = open_part(s, path, &part, e);
    if (code) return code;
    code = run_rest(s, part, "sweep", &done, e);
    if (fclose(part) != 0 && !code) code = err_set_errno(e, errno, "%s", path);
    if (code != ERR_INTERRUPTED) return code;
    return err_set(e, ERR_INTERRUPTED,
        "interrupted: %llu of %zu sets are complete and kept in %s; the same command goes on from "
        "there",
        (unsigned long long)done, s->spec.sets, path);
}

err_t sweep_load(
    struct sweep *s, const struct cli_args *a, const struct run_args *args, struct err_info *e) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t jobs = 0;
    s->file = args->file;
    s->sets = args->sets;
    s->n_sets = args->n;
    err_t code = cli_int(a, "jobs", 1, SWEEP_JOBS_MAX, cores > 0 ? cores : 1, &jobs, e);
    s->jobs = (size_t)jobs;
    if (code) return code;
    return config_load(&s->cfg, run_schema, run_schema_keys, s->file, s->sets, s->n_sets, e);
}

/* What a sweep is called after: its instrument; of several the first, as many of them. */
static err_t instrument_of(struct sweep *s, struct err_info *e) {
    size_t n = config_list(s->cfg, "instruments");
    const char *symbol = config_string(s->cfg, "data.symbol");
    char name[64];
    if (n > 0) {
        symbol = config_item(s->cfg, "instruments", 0);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(symbol, " "), symbol);
        symbol = name;
    }
    if (strcmp(symbol, "all") == 0) {
        return err_set(e, ERR_USAGE, "%s: instruments: a sweep wants each by name, not all",
            config_where(s->cfg, "instruments"));
    }
    err_t code = pipeline_instrument(s->run.tape, symbol, &s->inst, &s->bars, e);
    if (code || n < 2) return code;
    const char *currency = config_string(s->cfg, "account.currency");
    snprintf(s->inst.symbol, sizeof s->inst.symbol, "%u instruments", (unsigned)n);
    if (*currency) snprintf(s->inst.settle, sizeof s->inst.settle, "%s", currency);
    return ERR_OK;
}

err_t sweep_run(struct sweep *s, const struct cli_args *args, struct err_info *e) {
    char path[FILE_PATH_MAX] = "";
    err_t code = sweep_spec_make(&s->spec, s->cfg, run_schema, run_schema_keys, e);
    if (!code) code = run_open(&s->run, s->cfg, args, false, e);
    if (!code) code = instrument_of(s, e);
    if (!code) code = check_axes(s, e);
    if (!code) code = check_sets(s, e);
    if (!code) code = plan_tape_hash(s->cfg, s->run.tape, &s->run.result.tape_hash, e);
    if (!code) code = part_path(s, path, e);
    if (code) return code;
    s->row = mem_alloc(s->spec.sets * sizeof *s->row);
    identify(s);
    code = resume(s, path, args->force, e);
    return code ? code : run_kept(s, path, e);
}

void sweep_set_text(const struct sweep *s, size_t set, char *out, size_t cap) {
    size_t n = 0;
    *out = 0;
    for (size_t k = 0; k < s->spec.axes && n < cap; k++) {
        int more = snprintf(out + n, cap - n, "%s%s = %s", k > 0 ? ", " : "", s->spec.axis[k].key,
            sweep_text(&s->spec, set, k));
        n += more > 0 ? (size_t)more : 0;
    }
}

void sweep_fini(struct sweep *s) {
    for (size_t i = 0; s->row && i < s->spec.sets; i++) sweep_row_free(&s->row[i]);
    free(s->row);
    free(s->order);
    sweep_spec_free(&s->spec);
    run_fini(&s->run);
}
