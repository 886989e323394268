#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/run.h"
#include "program/run_args.h"
#include "program/run_config.h"

static void print_text(const struct run *run) {
    char head[1024];
    run_doc_headline(&run->doc, head, sizeof head);
    printf("%s\n\n", head);
    const struct run_result *r = &run->result;
    printf("  events      %llu\n  buckets     %llu\n", (unsigned long long)r->events,
        (unsigned long long)r->buckets);
    if (run->doc.study) {
        for (int k = 0; k < METRIC_COUNT; k++) {
            const struct study_metric *m = &run->doc.study->metric[k];
            printf("  %-28s %9.5f", study_metric_title((enum study_metric_id)k), m->value);
            if (isfinite(m->lo)) printf("   [%.5f, %.5f]", m->lo, m->hi);
            puts("");
        }
    }
    if (run->doc.has_strategy) {
        printf("  orders      %llu\n  fills       %llu (%llu maker)\n",
            (unsigned long long)r->orders, (unsigned long long)r->fills,
            (unsigned long long)r->maker_fills);
        printf("  net         %.6f %s after fees %.6f and funding %.6f\n",
            (double)run_net(r) / 1e12, r->inst.settle, (double)r->fees / 1e12,
            (double)r->funding / 1e12);
    }
    for (size_t i = 0; i < run->doc.truths; i++) {
        const struct run_truth_row *t = &run->doc.truth[i];
        printf("  %s: planted %s, found %s. %s\n", t->what, t->planted, t->found, t->note);
    }
    printf("\nreport  %s/report.html\n", run->output);
}

static err_t print_json(const struct run *run, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "run", run->output);
    run_result_json(&run->result, &j);
    json_key(&j, "stages");
    run_stages_json(&run->result, &j);
    if (run->study.done) {
        json_key(&j, "study");
        study_json(&run->study.result, &j);
    }
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static err_t run_both(
    const struct cli_verb *verb, int argc, char **argv, bool with_study, struct err_info *e) {
    struct cli_args *a = calloc(1, sizeof *a);
    struct run *run = calloc(1, sizeof *run);
    struct run_args args;
    struct config *cfg = NULL;
    err_t code = a && run ? ERR_OK : err_set(e, ERR_RESOURCE, "out of memory");
    if (!code) code = cli_parse(verb, argc, argv, a, e);
    if (!code) {
        run_args_take(&args, a);
        code = config_load(&cfg, run_schema, run_schema_keys, args.file, args.sets, args.n, e);
    }
    if (!code) {
        code = run_make(run, cfg, a, with_study, e);
        if (!code && a->json) code = print_json(run, e);
        if (!code && !a->json) print_text(run);
        run_fini(run);
    }
    if (cfg) config_free(cfg);
    free(run);
    free(a);
    return code;
}

static err_t run_all(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    return run_both(verb, argc, argv, true, e);
}

static err_t run_backtest(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    return run_both(verb, argc, argv, false, e);
}

const struct cli_verb cmd_run = {
    .name = "run",
    .usage = "[CONFIG] [--to DIR] [--set KEY=VALUE]...",
    .about = "the whole path: input, tape, study, backtest, report",
    .help = "  --to DIR          folder of the run (key output)\n"
            "  --set KEY=VALUE   override a key of the configuration\n"
            "\n"
            "Example:\n"
            "  fathom run examples/btcusdt-tick.yaml --set data.input=RECORDING.gz\n",
    .options = "to=",
    .args_min = 0,
    .args_max = 1,
    .run = run_all,
};

const struct cli_verb cmd_backtest = {
    .name = "backtest",
    .usage = "[CONFIG] [--to DIR] [--set KEY=VALUE]...",
    .about = "replay a tape through a strategy; trains nothing",
    .help = "  --to DIR          folder of the run (key output)\n"
            "  --set KEY=VALUE   override a key of the configuration\n"
            "\n"
            "Example:\n"
            "  fathom backtest examples/real-demo.yaml --to runs/real\n",
    .options = "to=",
    .args_min = 0,
    .args_max = 1,
    .run = run_backtest,
};
