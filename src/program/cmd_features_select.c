/* cmd_features_select.c: `fathom features select CONFIG|DATASET`: which features to keep, and what
 * the choice is worth on rows that had no say in it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "learn/select/evidence.h"
#include "observe/monitor/report_features.h"
#include "program/feature_study.h"
#include "program/page_doc.h"
#include "program/set_file.h"

struct job {
    struct feature_study s;
    struct evidence_config cfg;
    struct evidence v;
    struct feature_set set; /* the kept columns; count 0 = none */
    const char *name;
};

static err_t options(struct job *k, struct err_info *e) {
    const struct cli_args *a = &k->s.a;
    struct select_config *c = &k->cfg.select;
    int64_t random, most;
    *c = select_defaults();
    c->seed = k->s.study.seed;
    k->cfg.study = k->s.study;
    k->cfg.seed = k->s.study.seed;
    k->cfg.stop = cli_interrupted;
    k->cfg.step = feature_study_step;
    k->cfg.user = &k->s;
    k->name = cli_value(a, "name") ? cli_value(a, "name") : "selected";
    err_t code = cli_double(a, "correlation", 0.1, 1, c->same, &c->same, e);
    if (!code) code = cli_double(a, "stability", 0, 1, c->stability, &c->stability, e);
    if (!code) code = cli_double(a, "missing", 0, 1, c->missing, &c->missing, e);
    if (!code) code = cli_double(a, "psi", 0, 100, c->psi, &c->psi, e);
    if (!code) code = cli_double(a, "rate", 0.0001, 0.5, c->rate, &c->rate, e);
    if (!code) code = cli_int(a, "inner-folds", 2, 20, c->folds, &c->folds, e);
    if (!code) code = cli_int(a, "most", 0, FEATURE_MAX, 0, &most, e);
    if (!code) code = cli_int(a, "random", 0, EVIDENCE_RANDOM_MAX, 10, &random, e);
    if (code) return code;
    c->most = (size_t)most;
    k->cfg.random = (size_t)random;
    return ERR_OK;
}

/* The kept names with the scaling of the rows, as a set of this program. */
static err_t make_set(struct job *k, struct err_info *e) {
    const struct matrix *m = &k->s.data->m;
    const char *scale = strchr(m->set, '@'), *bad = "";
    if (k->v.final.kept == 0) return ERR_OK;
    char *text = mem_alloc(FEATURE_SET_TEXT_MAX);
    size_t n = 0;
    for (size_t i = 0; i < k->v.final.kept && n + FEATURE_NAME_MAX + 40 < FEATURE_SET_TEXT_MAX; i++)
        n += (size_t)snprintf(
            text + n, FEATURE_SET_TEXT_MAX - n, "%s%s", i ? "+" : "", m->names[k->v.final.keep[i]]);
    if (scale) snprintf(text + n, FEATURE_SET_TEXT_MAX - n, "%s", scale);
    err_t code = ERR_OK;
    if (!feature_set_parse(text, &k->set, &bad) || k->set.count != k->v.final.kept)
        code = err_set(e, ERR_INPUT,
            "the rows have columns that this program does not know (near \"%.60s\"): build the "
            "dataset again",
            bad);
    free(text);
    return code;
}

/* --- documents ------------------------------------------------------------------------------- */

static void put_origin(const struct job *k, struct json_out *j) {
    const struct matrix *m = &k->s.data->m;
    char label[128];
    label_spec_text(&m->spec, label, sizeof label);
    json_kstr(j, "bucket", k->s.data->bucket);
    json_kstr(j, "label", label);
    json_kstr(j, "from_set", m->set);
    json_key(j, "from_signature");
    json_hash(j, m->signature);
    json_key(j, "data_hash");
    json_hash(j, k->s.data->hash);
    json_key(j, "tape_hash");
    json_hash(j, k->s.data->tape_hash);
    json_kint(j, "rows", (int64_t)m->rows);
    json_kint(j, "from_ns", m->bar[0].open_ns);
    json_kint(j, "to_ns", m->bar[m->rows - 1].close_ns);
    json_key(j, "seed");
    json_uint(j, k->cfg.seed);
}

static void put_rules(const struct job *k, struct json_out *j) {
    const struct select_config *c = &k->cfg.select;
    json_key(j, "rules");
    json_object(j);
    json_kfigure(j, "missing", c->missing);
    json_kfigure(j, "psi", c->psi);
    json_kfigure(j, "drift_p", c->drift_p);
    json_kfigure(j, "correlation", c->same);
    json_kfigure(j, "rate", c->rate);
    json_kfigure(j, "stability", c->stability);
    json_kint(j, "inner_folds", c->folds);
    json_kint(j, "trees", c->trees);
    json_kint(j, "most", (int64_t)c->most);
    json_object_end(j);
}

/* "+0.1957 (95 % band +0.1639 to +0.2342)", or that there was no forecast. */
static const char *ic_text(const struct study_metric *ic, char out[96]) {
    if (isfinite(ic->value))
        snprintf(out, 96, "%+.4f (95 %% band %+.4f to %+.4f)", ic->value, ic->lo, ic->hi);
    else
        snprintf(out, 96, "nothing: there is no forecast");
    return out;
}

static const char *verdict(const struct evidence *v) {
    const struct study_metric *ic = &v->selected[METRIC_IC];
    if (v->final.kept == 0) return "Nothing passes: no feature is kept.";
    if (!isfinite(ic->value)) return "In no fold was anything selected: the set is untested.";
    if (!(ic->lo > 0)) return "Out of sample the choice is not distinguishable from luck.";
    if (v->gain.ic.lo > 0) return "The choice is better than all columns together.";
    if (v->gain.ic.hi < 0) return "The choice loses against all columns together.";
    return "The choice does what all columns do, with fewer.";
}

static void put_warnings(const struct job *k, struct json_out *j) {
    const struct matrix *m = &k->s.data->m;
    const struct evidence *v = &k->v;
    size_t empty = 0;
    for (size_t f = 0; f < v->folds; f++) empty += v->fold[f].kept == 0;
    json_key(j, "warnings");
    json_array(j);
    if (page_hours(m) < 24)
        page_say(j, "Only %.1f hours of data: the set is chosen for this mood of the market.",
            page_hours(m));
    if (empty)
        page_say(j,
            "In %zu of %zu folds nothing was selected; there the forecast is the base rate.", empty,
            v->folds);
    if (isfinite(v->jaccard) && v->jaccard < 0.5)
        page_say(j,
            "The sets of neighbouring folds overlap by %.0f %% only: the choice depends on the "
            "rows it is made on.",
            100 * v->jaccard);
    if (isfinite(v->random_beaten) && v->random_beaten < 0.9)
        page_say(j, "Random sets of the same size reach the same IC in %.0f %% of the tries.",
            100 * (1 - v->random_beaten));
    json_array_end(j);
    json_key(j, "limits");
    json_array(j);
    page_say(j, "The figures are those of the folds' own choices; the set for use is chosen on all "
                "rows and has no rows left to be judged on.");
    page_say(j, "A feature that speaks only together with another one gets few votes of link and "
                "lasso; the forest alone does not carry it.");
    page_say(j, "Of columns that say the same, one stays: which one is a matter of taste, not of "
                "truth.");
    json_array_end(j);
}

static void put_cards(const struct job *k, struct json_out *j) {
    const struct evidence *v = &k->v;
    json_key(j, "summary");
    json_array(j);
    page_card(j, "Kept", "features", "%zu of %zu", v->final.kept, v->final.columns);
    page_card(j, "Groups", "judged, one medoid each", "%zu", v->final.medoids);
    if (isfinite(v->selected[METRIC_IC].value))
        page_card(j, "IC of the choice", "out of sample", "%+.4f", v->selected[METRIC_IC].value);
    else
        page_card(j, "IC of the choice", "nothing was chosen", "none");
    page_card(j, "IC of all columns", "out of sample", "%+.4f", v->full[METRIC_IC].value);
    page_card(j, "Gain in log loss", "less is better", "%+.5f", v->gain.loss.value);
    if (isfinite(v->random_beaten))
        page_card(j, "Random sets beaten", "same size", "%.0f %%", 100 * v->random_beaten);
    if (isfinite(v->jaccard))
        page_card(j, "Overlap", "of neighbouring folds", "%.0f %%", 100 * v->jaccard);
    json_array_end(j);
}

static void put_document(const struct job *k, struct json_out *j) {
    const struct matrix *m = &k->s.data->m;
    const struct evidence *v = &k->v;
    json_object(j);
    json_kstr(j, "format", "fathom-selection-1");
    json_kstr(j, "version", FATHOM_VERSION);
    page_key(j, "name", "Feature selection: %s", k->name);
    page_key(j, "subtitle",
        "%zu features of set %.80s, %zu rows over %.2f hours, bucket %s, %zu folds, seed %llu; "
        "signature of the chosen set %016llx",
        m->columns, m->set, m->rows, page_hours(m), k->s.data->bucket, v->folds,
        (unsigned long long)k->cfg.seed,
        v->final.kept ? (unsigned long long)feature_set_signature(&k->set) : 0ull);
    char own[96], all[96];
    page_key(j, "headline",
        "%zu of %zu features are kept. On rows that had no say in it the choice reaches an IC of "
        "%s, all %zu usable columns %s; the difference is %+.4f (%+.4f to %+.4f). %s",
        v->final.kept, m->columns, ic_text(&v->selected[METRIC_IC], own), v->usable,
        ic_text(&v->full[METRIC_IC], all), v->gain.ic.value, v->gain.ic.lo, v->gain.ic.hi,
        verdict(v));
    put_warnings(k, j);
    put_cards(k, j);
    put_origin(k, j);
    put_rules(k, j);
    evidence_json(v, j);
    json_object_end(j);
}

/* The set for use, with where it comes from and what it was worth. */
static err_t write_set(struct job *k, struct err_info *e) {
    const struct evidence *v = &k->v;
    char path[FILE_PATH_MAX];
    struct json_out j;
    json_init(&j);
    json_object(&j);
    set_file_members(&j, k->name, &k->set);
    put_origin(k, &j);
    put_rules(k, &j);
    json_key(&j, "evidence");
    json_object(&j);
    json_kfigure(&j, "ic", v->selected[METRIC_IC].value);
    json_kfigure(&j, "ic_lo", v->selected[METRIC_IC].lo);
    json_kfigure(&j, "ic_hi", v->selected[METRIC_IC].hi);
    json_kfigure(&j, "ic_full", v->full[METRIC_IC].value);
    json_kfigure(&j, "log_loss", v->selected[METRIC_LOG_LOSS].value);
    json_kfigure(&j, "log_loss_full", v->full[METRIC_LOG_LOSS].value);
    json_kfigure(&j, "random_beaten", v->random_beaten);
    json_kfigure(&j, "overlap", v->jaccard);
    json_object_end(&j);
    json_object_end(&j);
    snprintf(path, sizeof path, "%s/set.json", dir_out_path(k->s.dir));
    err_t code = file_write(path, j.text, j.len, false, e);
    json_fini(&j);
    return code;
}

static err_t print(const struct job *k, const char *document, struct err_info *e) {
    const struct evidence *v = &k->v;
    if (k->s.a.json) {
        printf("%s\n", document);
        return fflush(stdout) == 0 ? ERR_OK : err_set(e, ERR_RESOURCE, "stdout: write failed");
    }
    printf("%zu of %zu features kept (seed %llu)\n", v->final.kept, v->final.columns,
        (unsigned long long)k->cfg.seed);
    for (size_t i = 0; i < v->final.kept; i++) {
        const struct select_column *c = &v->final.column[v->final.keep[i]];
        printf("  %-36s support %3.0f %%  IC %+.4f  link %3.0f %% lasso %3.0f %% forest %3.0f %%\n",
            v->m->names[v->final.keep[i]], 100 * c->support, c->ic, 100 * c->link, 100 * c->lasso,
            100 * c->forest);
    }
    char own[96], all[96];
    printf("out of sample: IC %s, all %zu columns %s, difference %+.4f [%+.4f, %+.4f]\n  %s\n",
        ic_text(&v->selected[METRIC_IC], own), v->usable, ic_text(&v->full[METRIC_IC], all),
        v->gain.ic.value, v->gain.ic.lo, v->gain.ic.hi, verdict(v));
    printf("page %s/selection.html%s%s%s\n", k->s.to, v->final.kept ? ", set " : "",
        v->final.kept ? k->s.to : "", v->final.kept ? "/set.json" : "");
    return ERR_OK;
}

static err_t work(struct job *k, struct err_info *e) {
    struct json_out j;
    struct html h;
    err_t code = options(k, e);
    if (!code) code = evidence_make(&k->s.data->m, &k->cfg, &k->v, e);
    if (!code) code = make_set(k, e);
    if (code) return code;
    json_init(&j);
    html_init(&h);
    put_document(k, &j);
    code = report_selection_render(j.text, &h, e);
    if (!code) code = feature_study_write(&k->s, "selection", j.text, j.len, h.text, h.len, e);
    if (!code && k->v.final.kept) code = write_set(k, e);
    if (!code) code = feature_study_commit(&k->s, e);
    if (!code) code = print(k, j.text, e);
    json_fini(&j);
    html_fini(&h);
    if (code || k->v.final.kept) return code;
    return err_set(e, ERR_NO,
        "no feature has support in %.0f %% of the folds: there is no set; the reasons are in "
        "%s/selection.html",
        100 * k->cfg.select.stability, k->s.to);
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct job *k = mem_alloc(sizeof *k);
    err_t code = feature_study_open(&k->s, verb, argc, argv, "selection", "selection.json", e);
    if (!code) code = work(k, e);
    evidence_free(&k->v);
    feature_study_fini(&k->s);
    free(k);
    return code;
}

const struct cli_verb cmd_features_select = {
    .name = "features select",
    .usage = "CONFIG|DATASET [--to DIR] [--set key=value]...",
    .about = "keep what carries a signal on training rows, judged on rows that had no say",
    .help =
        "  --dataset DIR    rows made by fathom dataset (else data.tape of the configuration)\n"
        "  --to DIR         folder to make: set.json, selection.json, selection.html (default\n"
        "                   selection); set.json goes into --set and features.set\n"
        "  --name TEXT      name of the set (default selected)\n"
        "  --correlation R  columns at or above it say the same (default .9)\n"
        "  --stability S    least share of inner folds with two votes of three (default .6)\n"
        "  --inner-folds N  of each selection (default 4)\n"
        "  --rate Q         false discovery rate of the links (default .1)\n"
        "  --missing S      largest share of missing values (default .5)\n"
        "  --psi X          drift: PSI above it and p of KS below .01 (default .25)\n"
        "  --most N         features at most, the best supported (default no limit)\n"
        "  --random N       random sets of the same size for comparison (default 10)\n"
        "\n"
        "Exit code 1: no feature was kept.\n"
        "\n"
        "Example:\n"
        "  fathom features select examples/select.yaml --set data.tape=my.tape --to my.selection\n",
    .options = "dataset= to= name= correlation= stability= inner-folds= rate= missing= psi= most= "
               "random=",
    .args_min = 0,
    .args_max = 1,
    .run = run,
};
