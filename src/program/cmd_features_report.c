/* cmd_features_report.c: `fathom features report TAPE`: every feature of a tape on one page. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/progress.h"
#include "learn/select/profile.h"
#include "learn/study/stats.h"
#include "observe/monitor/report_features.h"
#include "program/cli.h"
#include "program/feature_cost.h"
#include "program/page_doc.h"
#include "program/pipeline.h"
#include "program/row_args.h"

enum { DETAIL = 24, TOP = 10 };

struct job {
    struct cli_args a;
    struct row_args rows;
    struct profile_config cfg;
    int64_t detail;
    struct dataset *data;
    struct profile profile;
    struct feature_set set;
    struct instrument inst;
    struct feature_costs costs;
    struct dir_out *dir;
    const char *to;
    bool bars; /* the tape holds bars and no book */
    struct progress progress;
};

/* "1,5,20": rising numbers of buckets. */
static err_t parse_horizons(const char *text, struct profile_config *c, struct err_info *e) {
    c->horizons = 0;
    for (const char *at = text; *at;) {
        char *end;
        unsigned long v = strtoul(at, &end, 10);
        bool more = *end == ',';
        if (end == at || v < 1 || v > 100000 || (*end && !more) ||
            c->horizons == PROFILE_HORIZONS_MAX)
            return err_set(e, ERR_USAGE,
                "--horizon %s: numbers of buckets from 1 to 100000, at most %d, split by commas",
                text, PROFILE_HORIZONS_MAX);
        c->horizon[c->horizons++] = v;
        at = end + more;
    }
    if (c->horizons == 0) return err_set(e, ERR_USAGE, "--horizon: a number of buckets is missing");
    return ERR_OK;
}

static void on_step(void *user, size_t done, size_t all) {
    struct job *k = user;
    (void)all;
    progress_at(&k->progress, done);
}

static err_t job_parse(
    struct job *k, const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    int64_t repeats;
    k->cfg = profile_defaults();
    k->cfg.stop = cli_interrupted;
    k->cfg.step = on_step;
    k->cfg.user = k;
    err_t code = cli_parse(verb, argc, argv, &k->a, e);
    if (code) return code;
    k->to = cli_value(&k->a, "to") ? cli_value(&k->a, "to") : "features-report";
    if (k->a.seed_given) k->cfg.seed = k->a.seed;
    const char *horizon = cli_value(&k->a, "horizon");
    if (horizon) code = parse_horizons(horizon, &k->cfg, e);
    if (!code) code = cli_int(&k->a, "detail", 0, FEATURE_MAX, DETAIL, &k->detail, e);
    if (!code) code = cli_int(&k->a, "bootstrap", 0, 10000, 200, &repeats, e);
    if (!code) k->cfg.repeats = (size_t)repeats;
    return code;
}

static err_t job_rows(struct job *k, struct err_info *e) {
    char path[FILE_PATH_MAX];
    const char *symbol, *why = "", *bad = "";
    struct bucket_spec bucket;
    err_t code = file_make_parents(k->to, e);
    if (!code) code = dir_out_open(&k->dir, k->to, "features-report.json", k->a.force, e);
    if (code) return code;
    snprintf(path, sizeof path, "%s/dataset", dir_out_path(k->dir));
    code = row_args_parse(&k->a, "all", path, &k->rows, e);
    if (!code) code = dataset_build(&k->rows.opt, &k->data, e);
    if (code) return code;
    symbol = k->rows.opt.symbol ? k->rows.opt.symbol : "";
    code = pipeline_instrument(k->rows.opt.tape, symbol, &k->inst, &k->bars, e);
    if (!code && (!feature_set_parse(k->rows.set, &k->set, &bad) ||
                     !bucket_spec_parse(
                         k->rows.opt.bucket, k->inst.qty_mant, k->inst.qty_exp, &bucket, &why)))
        code = err_set(e, ERR_USAGE, "%s: %s", k->rows.opt.bucket, why);
    if (!code) {
        bool quiet = k->a.quiet || k->a.json;
        progress_begin(&k->progress, "features", "features", 1.0, k->data->m.columns, quiet);
        code = profile_make(&k->data->m, &k->cfg, &k->profile, e);
        progress_end(&k->progress, code ? 0 : k->data->m.columns);
    }
    if (!code && !cli_flag(&k->a, "no-cost"))
        code = feature_costs_measure(k->rows.opt.tape, &k->inst, &bucket, &k->set, &k->costs, e);
    return code ? code : file_remove_tree(path, e);
}

/* --- the document ---------------------------------------------------------------------------- */

static void put_head(const struct job *k, struct json_out *j) {
    const struct matrix *m = &k->data->m;
    const struct profile *p = &k->profile;
    char text[640], scale[64];
    snprintf(scale, sizeof scale, "%s", strchr(k->rows.set, '@') ? strchr(k->rows.set, '@') : "");
    json_kstr(j, "format", "fathom-features-report-1");
    json_kstr(j, "version", FATHOM_VERSION);
    snprintf(text, sizeof text, "Features of %s", k->inst.symbol);
    json_kstr(j, "name", text);
    snprintf(text, sizeof text,
        "%s %s, bucket %s, set %.60s%s (%zu features), %zu rows over %.2f hours, signature "
        "%016llx, data %016llx",
        venue_name(k->inst.venue), k->inst.symbol, k->rows.opt.bucket, k->set.name,
        strchr(k->set.name, '@') ? "" : scale, m->columns, m->rows, page_hours(&k->data->m),
        (unsigned long long)m->signature, (unsigned long long)k->data->hash);
    json_kstr(j, "subtitle", text);
    snprintf(text, sizeof text,
        "Of %zu features that can be tested, %zu have an IC over %zu bucket%s outside the 95 %% "
        "band of no skill; chance alone puts about %zu there. Counting all tests, %zu remain at a "
        "false discovery rate of %.0f %% (Benjamini-Hochberg) and %zu at 5 %% by Bonferroni.",
        p->tested, p->outside, p->cfg.horizon[0], p->cfg.horizon[0] == 1 ? "" : "s", p->by_chance,
        p->discoveries, 100 * p->cfg.rate, p->strict);
    json_kstr(j, "headline", text);
    json_kstr(j, "tape", k->rows.opt.tape);
    json_kstr(j, "venue", venue_name(k->inst.venue));
    json_kstr(j, "symbol", k->inst.symbol);
    json_kstr(j, "bucket", k->rows.opt.bucket);
    json_kstr(j, "set", k->rows.set);
    json_key(j, "signature");
    json_hash(j, m->signature);
    json_key(j, "hash");
    json_hash(j, k->data->hash);
    json_key(j, "tape_hash");
    json_hash(j, k->data->tape_hash);
    json_kint(j, "rows", (int64_t)m->rows);
}

static void put_warnings(const struct job *k, struct json_out *j) {
    const struct profile *p = &k->profile;
    size_t drifted = 0;
    for (size_t i = 0; i < p->columns; i++)
        drifted += p->column[i].psi > 0.25 && p->column[i].ks_p < 0.05;
    json_key(j, "warnings");
    json_array(j);
    if (page_hours(&k->data->m) < 24)
        page_say(j,
            "Only %.1f hours of data: one mood of the market. Nothing here holds for another "
            "day.",
            page_hours(&k->data->m));
    if (p->tested > 0 && p->effective_median < 0.9 * (double)k->data->m.rows)
        page_say(j,
            "Neighbouring rows are alike: the median IC rests on %.0f effective rows, not on %zu.",
            p->effective_median, k->data->m.rows);
    if (p->tested > 0)
        page_say(j,
            "%zu tests at once: an IC is a finding only if it is one with all of them counted. The "
            "links are measured on the rows that show them; judge a choice on other rows.",
            p->tested);
    if (k->bars)
        page_say(j, "The tape holds bars: returns are those of last traded prices, which bounce "
                    "between bid and ask. A link with the bar just closed is in part that bounce, "
                    "which no order earns.");
    if (drifted > 0)
        page_say(j,
            "%zu features changed between the first and the second half (PSI above .25 and p of KS "
            "below .05 with their memory counted).",
            drifted);
    json_array_end(j);
    json_key(j, "limits");
    json_array(j);
    page_say(j, "IC sees straight lines between one feature and the return; what two features say "
                "together, and bends, it does not see.");
    page_say(j, "A link is not a profit: costs, latency and fills are not in it.");
    page_say(j,
        "Features that need inputs which are not on the tape have no value here and are not "
        "judged.");
    json_array_end(j);
}

static void put_cards(const struct job *k, struct json_out *j) {
    const struct profile *p = &k->profile;
    double us = 0;
    for (size_t i = 0; i < k->costs.n; i++) us += k->costs.cost[i].us_per_close;
    json_key(j, "summary");
    json_array(j);
    page_card(j, "Rows", k->rows.opt.bucket, "%zu", k->data->m.rows);
    page_card(j, "Features", "with values that vary", "%zu of %zu", p->live, p->columns);
    page_card(j, "Effective rows", "median over the ICs", "%.0f", p->effective_median);
    page_card(j, "Outside by chance", "of all tests, 95 % band", "%zu", p->by_chance);
    page_card(j, "Outside found", "before counting tests", "%zu", p->outside);
    page_card(j, "Findings", "Benjamini-Hochberg", "%zu", p->discoveries);
    page_card(j, "Strict findings", "Bonferroni", "%zu", p->strict);
    page_card(j, "Groups", "that say the same", "%zu", p->tree.clusters);
    if (k->costs.n) page_card(j, "Cost of a close", "sum of families, this machine", "%.1f us", us);
    json_array_end(j);
}

/* --- families -------------------------------------------------------------------------------- */

struct family_row {
    const char *name, *best;
    size_t features, live, discoveries, drifted;
    double missing, median_ic, best_ic;
};

static void family_measure(const struct job *k, struct family_row *f) {
    const struct profile *p = &k->profile;
    double *ic = mem_alloc((p->columns + 1) * sizeof *ic), strongest = -1;
    size_t n = 0;
    f->best = "-";
    f->best_ic = NAN;
    for (size_t i = 0; i < p->columns; i++) {
        const struct feature_family *of = NULL;
        const struct profile_column *c = &p->column[i];
        (void)feature_get(k->set.index[i], &of);
        if (strcmp(of->name, f->name) != 0) continue;
        f->features++;
        f->live += c->cluster != UINT32_MAX;
        f->missing += c->missing;
        f->discoveries += c->fdr <= p->cfg.rate;
        f->drifted += c->psi > 0.25;
        double strength = fabs(c->ic[0].ic) * sqrt(c->ic[0].n_effective);
        if (!isfinite(strength)) continue;
        ic[n++] = fabs(c->ic[0].ic);
        if (strength <= strongest) continue;
        strongest = strength;
        f->best = p->m->names[i];
        f->best_ic = c->ic[0].ic;
    }
    stats_sort(ic, n);
    f->median_ic = stats_quantile(ic, n, 0.5);
    f->missing /= f->features ? (double)f->features : 1;
    free(ic);
}

static void put_family(const struct job *k, const struct family_row *f, struct json_out *j) {
    double ns = NAN, us = NAN;
    for (size_t i = 0; i < k->costs.n; i++) {
        if (strcmp(k->costs.cost[i].family, f->name) != 0) continue;
        ns = k->costs.cost[i].ns_per_event;
        us = k->costs.cost[i].us_per_close;
    }
    json_object(j);
    json_kstr(j, "name", f->name);
    json_kint(j, "features", (int64_t)f->features);
    json_kint(j, "live", (int64_t)f->live);
    json_kfigure(j, "missing", f->missing);
    json_kfigure(j, "median_ic", f->median_ic);
    json_kstr(j, "best", f->best);
    json_kfigure(j, "best_ic", f->best_ic);
    json_kint(j, "discoveries", (int64_t)f->discoveries);
    json_kint(j, "drifted", (int64_t)f->drifted);
    json_kfigure(j, "ns_per_event", ns);
    json_kfigure(j, "us_per_close", us);
    json_object_end(j);
}

static void put_families(const struct job *k, struct json_out *j) {
    char note[400] = "Costs were not measured (--no-cost).";
    if (k->costs.n) feature_costs_note(&k->costs, note, sizeof note);
    json_kstr(j, "cost_note", note);
    json_key(j, "families");
    json_array(j);
    for (size_t i = 0; i < feature_family_count(); i++) {
        struct family_row f = {.name = feature_family(i)->name};
        bool again = false;
        for (size_t b = 0; b < i; b++) again |= strcmp(feature_family(b)->name, f.name) == 0;
        if (again) continue;
        family_measure(k, &f);
        if (f.features) put_family(k, &f, j);
    }
    json_array_end(j);
}

static err_t job_write(struct job *k, struct err_info *e) {
    char path[FILE_PATH_MAX];
    struct json_out j;
    struct html h;
    json_init(&j);
    html_init(&h);
    json_object(&j);
    put_head(k, &j);
    put_warnings(k, &j);
    put_cards(k, &j);
    put_families(k, &j);
    profile_json(&k->profile, &j);
    json_object_end(&j);
    snprintf(path, sizeof path, "%s/features-report.json", dir_out_path(k->dir));
    err_t code = file_write(path, j.text, j.len, false, e);
    if (!code) code = report_features_render(j.text, (size_t)k->detail, &h, e);
    snprintf(path, sizeof path, "%s/features-report.html", dir_out_path(k->dir));
    if (!code) code = file_write(path, h.text, h.len, false, e);
    json_fini(&j);
    html_fini(&h);
    if (code) return code;
    struct dir_out *dir = k->dir;
    k->dir = NULL;
    return dir_out_commit(dir, e);
}

/* --- what is printed ------------------------------------------------------------------------- */

static size_t strongest(const struct profile *p, size_t out[TOP]) {
    size_t n = 0;
    for (; n < TOP; n++) {
        double most = -1;
        for (size_t i = 0; i < p->columns; i++) {
            double s = fabs(p->column[i].ic[0].ic) * sqrt(p->column[i].ic[0].n_effective);
            bool taken = false;
            for (size_t b = 0; b < n; b++) taken |= out[b] == i;
            if (!taken && s > most) most = s, out[n] = i;
        }
        if (most < 0) break;
    }
    return n;
}

static err_t print_json(const struct job *k, struct err_info *e) {
    const struct profile *p = &k->profile;
    size_t top[TOP], n = strongest(p, top);
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "report", k->to);
    json_kint(&j, "rows", (int64_t)k->data->m.rows);
    json_kint(&j, "columns", (int64_t)p->columns);
    json_kint(&j, "live", (int64_t)p->live);
    json_key(&j, "signature");
    json_hash(&j, k->data->m.signature);
    json_key(&j, "hash");
    json_hash(&j, k->data->hash);
    json_kint(&j, "tested", (int64_t)p->tested);
    json_kint(&j, "outside", (int64_t)p->outside);
    json_kint(&j, "by_chance", (int64_t)p->by_chance);
    json_kint(&j, "discoveries", (int64_t)p->discoveries);
    json_kint(&j, "bonferroni", (int64_t)p->strict);
    json_kfigure(&j, "effective_median", p->effective_median);
    json_kint(&j, "clusters", (int64_t)p->tree.clusters);
    json_key(&j, "top");
    json_array(&j);
    for (size_t i = 0; i < n; i++) {
        json_object(&j);
        json_kstr(&j, "name", p->m->names[top[i]]);
        json_kfigure(&j, "ic", p->column[top[i]].ic[0].ic);
        json_kfigure(&j, "p", p->column[top[i]].ic[0].p);
        json_kfigure(&j, "fdr", p->column[top[i]].fdr);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static void print_text(const struct job *k) {
    const struct profile *p = &k->profile;
    size_t top[TOP], n = strongest(p, top);
    printf("%s: %zu rows, %zu features, %zu of them with values that vary\n", k->inst.symbol,
        k->data->m.rows, p->columns, p->live);
    printf("  outside the 95 %% band of no skill: %zu of %zu, by chance about %zu; with all tests "
           "counted: %zu (Benjamini-Hochberg, %.0f %%), %zu (Bonferroni, 5 %%)\n",
        p->outside, p->tested, p->by_chance, p->discoveries, 100 * p->cfg.rate, p->strict);
    for (size_t i = 0; i < n; i++) {
        const struct ic_figures *f = &p->column[top[i]].ic[0];
        printf("  %-36s IC %+.4f [%+.4f, %+.4f]  p %.2g  q %.2g\n", p->m->names[top[i]], f->ic,
            f->lo, f->hi, f->p, p->column[top[i]].fdr);
    }
    printf("  page: %s/features-report.html\n", k->to);
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct job *k = mem_alloc(sizeof *k);
    err_t code = job_parse(k, verb, argc, argv, e);
    if (!code) code = job_rows(k, e);
    if (!code) code = job_write(k, e);
    if (!code && k->a.json) code = print_json(k, e);
    if (!code && !k->a.json) print_text(k);
    if (k->dir) dir_out_abort(k->dir);
    profile_free(&k->profile);
    dataset_close(k->data);
    row_args_fini(&k->rows);
    free(k);
    return code;
}

const struct cli_verb cmd_features_report = {
    .name = "features report",
    .usage = "TAPE [--to DIR] [--set NAME|FILE] [--bucket SPEC] [--horizon N,N...]",
    .about = "every feature of a tape on one page: shape, drift, memory, IC, cost",
    .help = "  --to DIR         folder to make: features-report.html and .json (default\n"
            "                   features-report)\n"
            "  --set NAME       feature set (default all), or a file of fathom features select\n"
            "  --scale S        z[:ROWS][:session] or quantile[:ROWS][:session] (default none)\n"
            "  --bucket SPEC    as in features run (default time=1)\n"
            "  --bucket-config FILE  bucket configuration of fathom vclock calibrate\n"
            "  --symbol NAME    the instrument, where the tape holds several\n" PEER_HELP
            "  --horizon N,N    buckets ahead; the first one is tested (default 1,5,20,60)\n"
            "  --detail N       features with charts of their own (default 24)\n"
            "  --bootstrap N    repetitions behind the bands (default 200)\n"
            "  --no-cost        do not measure what the families cost\n"
            "\n"
            "Example:\n"
            "  fathom features report my.tape --to my.features --horizon 1,10\n",
    .options = "to= set= scale= bucket= bucket-config= symbol= horizon= detail= bootstrap= "
               "no-cost" PEER_OPTIONS,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
