/* sweep_write.c: the files of a sweep's folder. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "observe/monitor/report.h"
#include "program/plan.h"
#include "program/sweep.h"

static void money_cell(FILE *f, int128 e12) {
    char text[DECIMAL_TEXT_MAX];
    decimal_text(e12, 12, true, text);
    fprintf(f, ",%s", text);
}

static void figure_cell(FILE *f, double v) {
    if (isfinite(v)) {
        fprintf(f, ",%.9g", v);
    } else {
        fputc(',', f);
    }
}

static void row_of(const struct sweep *s, size_t set, FILE *f) {
    const struct sweep_row *r = &s->row[set];
    char held[DECIMAL_TEXT_MAX];
    fprintf(f, "%zu", set);
    for (size_t k = 0; k < s->spec.axes; k++) fprintf(f, ",%s", sweep_text(&s->spec, set, k));
    const int128 money[] = {r->net, r->gross, r->fees, r->funding, r->spread, r->slippage,
        r->turnover, r->max_drawdown};
    for (size_t i = 0; i < sizeof money / sizeof *money; i++) money_cell(f, money[i]);
    instrument_qty_text(&s->inst, (qty_t){r->position_max}, held);
    fprintf(f, ",%s,%llu,%llu,%llu,%llu,%llu", held, (unsigned long long)r->fills,
        (unsigned long long)r->maker_fills, (unsigned long long)r->orders,
        (unsigned long long)r->cancels, (unsigned long long)r->rejects);
    const double figure[] = {r->sharpe, r->psr, r->t_stat, r->maker_mark_10s, r->taker_mark_10s};
    for (size_t i = 0; i < sizeof figure / sizeof *figure; i++) figure_cell(f, figure[i]);
    char why[SWEEP_WHY_MAX];
    snprintf(why, sizeof why, "%s", r->failed);
    for (char *p = why; *p; p++) {
        if (*p == ',' || *p == '"') *p = ';';
    }
    fprintf(f, ",%016llx,%016llx,%016llx,%s\n", (unsigned long long)r->orders_hash,
        (unsigned long long)r->fills_hash, (unsigned long long)r->ledger_hash, why);
}

err_t sweep_csv(const struct sweep *s, const char *name, struct err_info *e) {
    FILE *f;
    err_t code = run_folder_open(s->run.folder, name, &f, e);
    if (code) return code;
    fputs("set", f);
    for (size_t k = 0; k < s->spec.axes; k++) fprintf(f, ",%s", s->spec.axis[k].key);
    fputs(",net,gross,fees,funding,spread,slippage,turnover,max_drawdown,position_max,fills,"
          "maker_fills,orders,cancels,rejects,sharpe_period,psr,t_stat,maker_mark_10s_bps,"
          "taker_mark_10s_bps,orders_hash,fills_hash,ledger_hash,failed\n",
        f);
    for (size_t i = 0; i < s->spec.sets; i++) row_of(s, i, f);
    return run_folder_close(f, name, e);
}

static void set_json(const struct sweep *s, const char *key, size_t set, struct json_out *j) {
    const struct sweep_row *r = &s->row[set];
    json_key(j, key);
    json_object(j);
    json_kint(j, "set", (int64_t)set);
    json_key(j, "values");
    json_object(j);
    for (size_t k = 0; k < s->spec.axes; k++)
        json_kstr(j, s->spec.axis[k].key, sweep_text(&s->spec, set, k));
    json_object_end(j);
    json_key(j, "net");
    json_money(j, r->net);
    json_key(j, "fees");
    json_money(j, r->fees);
    json_kint(j, "fills", (int64_t)r->fills);
    json_kdouble(j, "sharpe_period", r->sharpe);
    json_kdouble(j, "psr", r->psr);
    json_key(j, "stages");
    json_object(j);
    json_key(j, "orders");
    json_hash(j, r->orders_hash);
    json_key(j, "fills");
    json_hash(j, r->fills_hash);
    json_key(j, "ledger");
    json_hash(j, r->ledger_hash);
    json_object_end(j);
    json_object_end(j);
}

static void luck_json(const struct sweep *s, struct json_out *j) {
    json_kint(j, "trials", (int64_t)s->trials.runs);
    json_kint(j, "trials_distinct", (int64_t)s->trials.distinct);
    json_kdouble(j, "trials_effective", s->effective);
    json_kdouble(j, "dsr", s->dsr);
    json_kdouble(j, "dsr_of_these_sets", s->dsr_sets);
    json_kdouble(j, "sharpe_hurdle", s->hurdle);
    json_kint(j, "dsr_set", (int64_t)s->best_sharpe);
    json_key(j, "overfitting");
    json_object(j);
    json_kdouble(j, "probability", s->pbo.probability);
    json_kdouble(j, "loss", s->pbo.loss);
    json_kdouble(j, "sharpe_inside", s->pbo.inside);
    json_kdouble(j, "sharpe_outside", s->pbo.outside);
    json_kint(j, "spans", (int64_t)s->pbo.spans);
    json_kint(j, "splits", (int64_t)s->pbo.splits);
    json_object_end(j);
    json_key(j, "noise");
    json_object(j);
    json_kdouble(j, "best_expected", s->noise.mean);
    json_kdouble(j, "best_95", s->noise.high);
    json_kdouble(j, "p_net", s->noise.p);
    json_kdouble(j, "sharpe_expected", s->noise.mean_sharpe);
    json_kdouble(j, "sharpe_95", s->noise.high_sharpe);
    json_kdouble(j, "p_sharpe", s->noise.p_sharpe);
    json_kint(j, "repeats", (int64_t)s->noise.repeats);
    json_object_end(j);
    json_key(j, "neighbours");
    json_object(j);
    json_kint(j, "n", (int64_t)s->near);
    json_kint(j, "profitable", (int64_t)s->near_profitable);
    json_kdouble(j, "median_net", s->near_median);
    json_object_end(j);
}

void sweep_result_json(const struct sweep *s, struct json_out *j) {
    const struct sweep_row *first = &s->row[s->order[0]];
    json_kstr(j, "symbol", s->inst.symbol);
    json_kstr(j, "venue", venue_name(s->inst.venue));
    json_kstr(j, "settle", s->inst.settle);
    json_kstr(j, "mode", s->bars ? "bars" : "tick");
    json_kint(j, "first_ns", first->first_ns);
    json_kint(j, "last_ns", first->last_ns);
    json_kint(j, "period_ns", first->period_ns);
    json_kint(j, "sets", (int64_t)s->spec.sets);
    json_kint(j, "finished", (int64_t)s->finished);
    json_kint(j, "failed", (int64_t)(s->spec.sets - s->finished));
    json_kint(j, "profitable", (int64_t)s->profitable);
    json_kint(j, "seed", (int64_t)s->spec.seed);
    set_json(s, "best", s->order[0], j);
    set_json(s, "median", s->order[s->finished / 2], j);
    set_json(s, "worst", s->order[s->finished - 1], j);
    luck_json(s, j);
}

static err_t put(const struct sweep *s, const char *name, struct json_out *j, struct err_info *e) {
    err_t code = run_folder_write(s->run.folder, name, j->text, j->len, e);
    json_fini(j);
    return code;
}

static err_t write_result(const struct sweep *s, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    sweep_result_json(s, &j);
    json_object_end(&j);
    return put(s, "result.json", &j, e);
}

static err_t write_manifest(const struct sweep *s, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "format", "fathom-sweep-1");
    json_kstr(&j, "version", FATHOM_VERSION);
    json_kstr(&j, "name", config_string(s->cfg, "name"));
    json_kint(&j, "seed", config_int(s->cfg, "seed"));
    json_key(&j, "config_hash");
    json_hash(&j, plan_hash(s->cfg));
    json_key(&j, "sets_hash");
    json_hash(&j, s->identity);
    json_kstr(&j, "tape", s->run.tape_named);
    json_key(&j, "tape_hash");
    json_hash(&j, s->run.result.tape_hash);
    json_object_end(&j);
    return put(s, "manifest.json", &j, e);
}

static err_t write_report(const struct sweep *s, struct err_info *e) {
    struct json_out j;
    struct html h;
    json_init(&j);
    html_init(&h);
    sweep_doc_json(s, &j);
    err_t code = run_folder_write(s->run.folder, "report.json", j.text, j.len, e);
    if (!code && config_bool(s->cfg, "report.html")) {
        code = report_render(j.text, &h, e);
        if (!code) code = run_folder_write(s->run.folder, "report.html", h.text, h.len, e);
    }
    html_fini(&h);
    json_fini(&j);
    return code;
}

static err_t write_config(const struct sweep *s, struct err_info *e) {
    char *yaml = config_yaml(s->cfg);
    if (!yaml) return err_set(e, ERR_RESOURCE, "out of memory for the configuration");
    err_t code = run_folder_write(s->run.folder, "config.yaml", yaml, strlen(yaml), e);
    free(yaml);
    return code;
}

err_t sweep_write(struct sweep *s, struct err_info *e) {
    char part[FILE_PATH_MAX + 8];
    err_t code = sweep_csv(s, "sweep.csv", e);
    if (!code) code = write_config(s, e);
    if (!code) code = write_result(s, e);
    if (!code) code = write_report(s, e);
    if (!code) code = write_manifest(s, e);
    if (code) return code;
    struct dir_out *dir = s->run.dir;
    s->run.dir = NULL;
    code = dir_out_commit(dir, e);
    snprintf(part, sizeof part, "%s.part", s->run.output);
    if (!code) (void)remove(part); /* all of it is in the folder now */
    return code;
}
