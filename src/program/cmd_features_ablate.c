/* cmd_features_ablate.c: `fathom features ablate CONFIG|DATASET`: what each family adds and costs,
 * beside what the documents claim. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "learn/select/ablate.h"
#include "learn/study/stats.h"
#include "observe/monitor/report_features.h"
#include "program/feature_cost.h"
#include "program/feature_study.h"
#include "program/page_doc.h"
#include "program/pipeline.h"

#define EXTREME_COLUMN "perp_liq_value_b20"
#define EXTREME_QUANTILE 0.95 /* of the values above 0 in the first training part */

struct job {
    struct feature_study s;
    struct ablate_config cfg;
    struct ablate_input in;
    struct ablate_result r;
    const char *family[ABLATE_FAMILIES_MAX];
    uint8_t *family_of, *extreme;
    struct feature_costs costs;
    char cost_note[512], extreme_note[256];
};

/* --- input ----------------------------------------------------------------------------------- */

static err_t find_families(struct job *k, struct err_info *e) {
    const struct matrix *m = &k->s.data->m;
    k->family_of = mem_alloc(m->columns + 1);
    k->in = (struct ablate_input){.m = m, .family = k->family, .family_of = k->family_of};
    for (size_t j = 0; j < m->columns; j++) {
        const struct feature_family *of = NULL;
        long at = feature_find(m->names[j]);
        if (at < 0)
            return err_set(e, ERR_INPUT,
                "the rows have a column \"%s\" that this program does not know: build the dataset "
                "again",
                m->names[j]);
        (void)feature_get((size_t)at, &of);
        size_t f = 0;
        while (f < k->in.families && strcmp(k->family[f], of->name) != 0) f++;
        if (f == k->in.families) k->family[k->in.families++] = of->name;
        k->family_of[j] = (uint8_t)f;
    }
    return ERR_OK;
}

/* Rows under heavy liquidation: from a quantile on that the first training part sets, where that
 * lies above its median. */
static err_t find_extreme(struct job *k, struct err_info *e) {
    const struct matrix *m = &k->s.data->m;
    struct split_fold *fold = NULL;
    size_t folds, at = 0, n = 0;
    while (at < m->columns && strcmp(m->names[at], EXTREME_COLUMN) != 0) at++;
    snprintf(k->extreme_note, sizeof k->extreme_note,
        "not measurable: the set has no " EXTREME_COLUMN " (add family perp)");
    if (at == m->columns) return ERR_OK;
    err_t code = study_plan(m, &k->cfg.study, &fold, &folds, e);
    if (code) return code;
    double *value = mem_alloc((fold[0].train_to + 1) * sizeof *value);
    for (size_t i = fold[0].train_from; i < fold[0].train_to; i++) {
        double x = (double)m->x[i * m->columns + at];
        if (x > 0) value[n++] = x;
    }
    stats_sort(value, n);
    double limit = stats_quantile(value, n, EXTREME_QUANTILE);
    snprintf(k->extreme_note, sizeof k->extreme_note,
        "not measurable: no liquidation that stands out in the first training part");
    if (n > 0 && limit > stats_quantile(value, n, 0.5)) {
        k->extreme = mem_alloc(m->rows + 1);
        for (size_t i = 0; i < m->rows; i++)
            k->extreme[i] = (double)m->x[i * m->columns + at] >= limit;
        k->in.extreme = k->extreme;
        snprintf(k->extreme_note, sizeof k->extreme_note,
            "rows with " EXTREME_COLUMN
            " from %.4g on, the %.0f %% quantile of its values above 0 in "
            "the first training part, do not train; they are tested",
            limit, 100 * EXTREME_QUANTILE);
    }
    free(value);
    free(fold);
    return ERR_OK;
}

static err_t find_costs(struct job *k, struct err_info *e) {
    const struct config *c = k->s.cfg;
    const char *why = "", *bad = "";
    struct instrument inst;
    struct bucket_spec bucket;
    bool bars;
    snprintf(k->cost_note, sizeof k->cost_note,
        "Costs were not measured: that needs data.tape, not a dataset.");
    if (!*k->s.tape || cli_flag(&k->s.a, "no-cost")) return ERR_OK;
    struct feature_set *set = mem_alloc(sizeof *set);
    err_t code = pipeline_instrument(k->s.tape, config_string(c, "data.symbol"), &inst, &bars, e);
    if (!code &&
        (!feature_set_parse(k->s.data->m.set, set, &bad) ||
            !bucket_spec_parse(k->s.data->bucket, inst.qty_mant, inst.qty_exp, &bucket, &why)))
        code = err_set(e, ERR_INPUT, "bucket %s or feature set of the rows: %s%.60s",
            k->s.data->bucket, why, bad);
    if (!code) code = feature_costs_measure(k->s.tape, &inst, &bucket, set, &k->costs, e);
    if (!code) feature_costs_note(&k->costs, k->cost_note, sizeof k->cost_note);
    free(set);
    return code;
}

/* --- claims of the documents ----------------------------------------------------------------- */

struct claim {
    const char *source, *text, *family; /* NULL: all columns; "": nothing here measures it */
    double least_ic;
    const char *why;
};

static const struct claim claims[] = {
    {"S3 322-344", "stage A: IC .03 to .05", NULL, 0.03, ""},
    {"S3 3735-3763", "stage D: IC .08 to .10", NULL, 0.08, ""},
    {"S3 3500, 3538", "book graph: dropped under .005 IC", "graph", 0.005,
        "no graph column in these rows"},
    {"S3 4915", "causal graph: dropped under 5 % of regime accuracy", "", 0,
        "needs regime labels, which no dataset holds"},
    {"S3 4915", "adaptive buckets: dropped under 5 %", "", 0,
        "compares two bucket clocks: run this with bucket.spec time=... and adaptive=..."},
};

static void put_claim(const struct job *k, const struct claim *c, struct json_out *j) {
    double value = NAN, lo = NAN, hi = NAN;
    if (!c->family) {
        value = k->r.full[METRIC_IC].value;
        lo = k->r.full[METRIC_IC].lo;
        hi = k->r.full[METRIC_IC].hi;
    }
    for (size_t f = 0; c->family && f < k->in.families; f++) {
        if (strcmp(k->family[f], c->family) != 0 || k->r.family[f].verdict == ABLATE_NONE) continue;
        value = k->r.family[f].drop.ic.value;
        lo = k->r.family[f].drop.ic.lo;
        hi = k->r.family[f].drop.ic.hi;
    }
    json_object(j);
    json_kstr(j, "source", c->source);
    json_kstr(j, "claim", c->text);
    json_kfigure(j, "value", value);
    json_kfigure(j, "lo", lo);
    json_kfigure(j, "hi", hi);
    json_kstr(j, "verdict",
        !isfinite(value)       ? "not measurable"
        : value >= c->least_ic ? "met"
                               : "not met");
    json_kstr(j, "why", isfinite(value) ? "" : c->why);
    json_object_end(j);
}

/* --- the document ---------------------------------------------------------------------------- */

static void put_costs(void *user, size_t family, struct json_out *j) {
    const struct job *k = user;
    double ns = NAN, us = NAN;
    for (size_t i = 0; i < k->costs.n; i++) {
        if (strcmp(k->costs.cost[i].family, k->family[family]) != 0) continue;
        ns = k->costs.cost[i].ns_per_event;
        us = k->costs.cost[i].us_per_close;
    }
    json_kfigure(j, "ns_per_event", ns);
    json_kfigure(j, "us_per_close", us);
}

static size_t verdicts(const struct job *k, enum ablate_verdict v) {
    size_t n = 0;
    for (size_t f = 0; f < k->in.families; f++) n += k->r.family[f].verdict == v;
    return n;
}

static void put_warnings(const struct job *k, struct json_out *j) {
    const struct matrix *m = &k->s.data->m;
    json_key(j, "warnings");
    json_array(j);
    if (page_hours(m) < 24)
        page_say(j,
            "Only %.1f hours of data: what a family adds here it may not add on another "
            "day.",
            page_hours(m));
    if (verdicts(k, ABLATE_OPEN))
        page_say(j,
            "%zu families are open: their band holds both 0 and %.3g, so that these rows cannot "
            "tell whether they earn their place.",
            verdicts(k, ABLATE_OPEN), k->cfg.least_ic);
    if (verdicts(k, ABLATE_NONE))
        page_say(j,
            "%zu families have no usable column here: an input is missing or the warm-up "
            "is too long.",
            verdicts(k, ABLATE_NONE));
    json_array_end(j);
    json_key(j, "limits");
    json_array(j);
    page_say(j, "Families share what they know: two that say the same each add nothing while the "
                "other is there. Drop one at a time and measure again.");
    page_say(j, "The verdict is of this model kind; another model may use what this one cannot.");
    if (k->r.checked)
        page_say(j,
            "%zu families were tried alone; the best of many looks good by chance. Counting that, "
            "%s saves log loss against the base rate with p = %.3g (White's reality check; %.3g "
            "if it had been the only one).",
            k->in.families, k->family[k->r.best], k->r.check.p, k->r.check.p_naive);
    json_array_end(j);
}

static void put_document(struct job *k, struct json_out *j) {
    const struct matrix *m = &k->s.data->m;
    const struct study_metric *ic = &k->r.full[METRIC_IC];
    bool trees = k->cfg.study.train.kind == MODEL_TREES;
    json_object(j);
    json_kstr(j, "format", "fathom-ablation-1");
    json_kstr(j, "version", FATHOM_VERSION);
    json_kstr(j, "name", "Ablation by feature family");
    page_key(j, "subtitle",
        "%zu features of set %.80s in %zu families, %zu rows over %.2f hours, bucket %s, %zu "
        "folds, model %s, seed %llu, signature %016llx",
        m->columns, m->set, k->in.families, m->rows, page_hours(m), k->s.data->bucket, k->r.folds,
        trees ? "lightgbm" : "logistic", (unsigned long long)k->cfg.study.seed,
        (unsigned long long)m->signature);
    page_key(j, "headline",
        "All %zu usable columns together reach an IC of %+.4f out of sample (95 %% band %+.4f to "
        "%+.4f). %zu families earn their place, %zu do not, %zu are open, %zu cannot be measured.",
        k->r.usable, ic->value, ic->lo, ic->hi, verdicts(k, ABLATE_KEEP), verdicts(k, ABLATE_DROP),
        verdicts(k, ABLATE_OPEN), verdicts(k, ABLATE_NONE));
    put_warnings(k, j);
    json_key(j, "summary");
    json_array(j);
    page_card(j, "IC", "all columns, out of sample", "%+.4f", ic->value);
    page_card(j, "Log loss", "all columns", "%.5f", k->r.full[METRIC_LOG_LOSS].value);
    page_card(j, "Keep", "families", "%zu", verdicts(k, ABLATE_KEEP));
    page_card(j, "Drop", "families", "%zu", verdicts(k, ABLATE_DROP));
    page_card(j, "Open", "families", "%zu", verdicts(k, ABLATE_OPEN));
    json_array_end(j);
    json_key(j, "signature");
    json_hash(j, m->signature);
    json_key(j, "data_hash");
    json_hash(j, k->s.data->hash);
    json_kstr(j, "cost_note", k->cost_note);
    json_kstr(j, "extreme_note", k->extreme_note);
    ablate_json(&k->r, j, put_costs, k);
    json_key(j, "claims");
    json_array(j);
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) put_claim(k, &claims[i], j);
    json_array_end(j);
    json_object_end(j);
}

static err_t print(const struct job *k, const char *document, struct err_info *e) {
    if (k->s.a.json) {
        printf("%s\n", document);
        return fflush(stdout) == 0 ? ERR_OK : err_set(e, ERR_RESOURCE, "stdout: write failed");
    }
    printf("all %zu usable columns: IC %+.4f [%+.4f, %+.4f]\n", k->r.usable,
        k->r.full[METRIC_IC].value, k->r.full[METRIC_IC].lo, k->r.full[METRIC_IC].hi);
    for (size_t f = 0; f < k->in.families; f++) {
        const struct ablate_family *a = &k->r.family[f];
        if (a->verdict == ABLATE_NONE)
            printf("  %-10s %3zu columns  not measurable: none has values\n", k->family[f],
                a->columns);
        else
            printf("  %-10s %3zu columns  adds IC %+.4f [%+.4f, %+.4f]  alone %+.4f  %s\n",
                k->family[f], a->usable, a->drop.ic.value, a->drop.ic.lo, a->drop.ic.hi,
                a->lift.ic.value, ablate_verdict_name(a->verdict));
    }
    printf("extreme liquidation: %s\npage %s/ablation.html\n", k->extreme_note, k->s.to);
    return ERR_OK;
}

static err_t work(struct job *k, struct err_info *e) {
    struct json_out j;
    struct html h;
    k->cfg = (struct ablate_config){
        .study = k->s.study, .stop = cli_interrupted, .step = feature_study_step, .user = &k->s};
    err_t code = cli_double(&k->s.a, "least-ic", 0, 1, 0.005, &k->cfg.least_ic, e);
    if (!code) code = find_families(k, e);
    if (!code) code = find_extreme(k, e);
    if (!code) code = ablate_make(&k->in, &k->cfg, &k->r, e);
    if (!code) code = find_costs(k, e);
    if (code) return code;
    json_init(&j);
    html_init(&h);
    put_document(k, &j);
    code = report_ablation_render(j.text, &h, e);
    if (!code) code = feature_study_write(&k->s, "ablation", j.text, j.len, h.text, h.len, e);
    if (!code) code = feature_study_commit(&k->s, e);
    if (!code) code = print(k, j.text, e);
    json_fini(&j);
    html_fini(&h);
    return code;
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct job *k = mem_alloc(sizeof *k);
    err_t code = feature_study_open(&k->s, verb, argc, argv, "ablation", "ablation.json", e);
    if (!code) code = work(k, e);
    ablate_free(&k->r);
    free(k->family_of);
    free(k->extreme);
    feature_study_fini(&k->s);
    free(k);
    return code;
}

const struct cli_verb cmd_features_ablate = {
    .name = "features ablate",
    .usage = "CONFIG|DATASET [--to DIR] [--set key=value]...",
    .about = "what each feature family adds out of sample and what it costs; keep or drop",
    .help =
        "  --dataset DIR  rows made by fathom dataset (else data.tape of the configuration)\n"
        "  --to DIR       folder to make: ablation.json, ablation.html (default ablation)\n"
        "  --least-ic X   incremental IC under which a family is dropped (default .005)\n"
        "  --no-cost      do not measure what the families cost\n"
        "\n"
        "Example:\n"
        "  fathom features ablate examples/select.yaml --set data.tape=my.tape --to my.ablation\n",
    .options = "dataset= to= least-ic= no-cost",
    .args_min = 0,
    .args_max = 1,
    .run = run,
};
