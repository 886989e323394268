#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "program/cli.h"
#include "program/run_args.h"
#include "program/sweep.h"

static void set_line(const struct sweep *s, const char *what, size_t rank) {
    const struct sweep_row *r = &s->row[s->order[rank]];
    char text[1024];
    sweep_set_text(s, s->order[rank], text, sizeof text);
    printf("  %-8s net %+.6f %s  fills %llu  set %zu: %s\n", what, (double)r->net / 1e12,
        s->inst.settle, (unsigned long long)r->fills, s->order[rank], text);
}

static void luck_line(const char *what, double v, const char *more, double w) {
    if (isfinite(v)) {
        printf("  %-29s %.4f (%s: %.4f)\n", what, v, more, w);
    } else {
        printf("  %-29s not measurable\n", what);
    }
}

static void print_text(const struct sweep *s) {
    char head[1024];
    sweep_headline(s, head, sizeof head);
    printf("%s\n\n", head);
    set_line(s, "best", 0);
    set_line(s, "median", s->finished / 2);
    set_line(s, "worst", s->finished - 1);
    printf("\n  sets with a profit            %zu of %zu\n", s->profitable, s->finished);
    if (s->finished < s->spec.sets)
        printf("  sets that could not be run    %zu\n", s->spec.sets - s->finished);
    luck_line("best of pure noise, expected", s->noise.mean, "1 in 20 more than", s->noise.high);
    luck_line("p of the best profit", s->noise.p, "of the Sharpe ratio", s->noise.p_sharpe);
    luck_line("probability of overfitting", s->pbo.probability, "losing outside", s->pbo.loss);
    luck_line("deflated Sharpe of the best", s->dsr, "by these sets only", s->dsr_sets);
    printf("  trials in the ledger          %llu; independent among these sets %.1f\n",
        (unsigned long long)s->trials.runs, s->effective);
    printf(
        "  neighbours of the best        %zu of %zu with a profit\n", s->near_profitable, s->near);
    printf("  seed                          %llu\n", (unsigned long long)s->spec.seed);
    printf("\nreport  %s/report.html\n", s->run.output);
}

static err_t print_json(const struct sweep *s, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "sweep", s->run.output);
    sweep_result_json(s, &j);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = calloc(1, sizeof *a);
    struct sweep *s = calloc(1, sizeof *s);
    struct run_args args;
    err_t code = a && s ? ERR_OK : err_set(e, ERR_RESOURCE, "out of memory");
    if (!code) code = cli_parse(verb, argc, argv, a, e);
    if (!code) {
        run_args_take(&args, a);
        code = sweep_load(s, a, &args, e);
    }
    if (!code) {
        code = sweep_run(s, a, e);
        if (!code) code = sweep_judge(s, e);
        if (!code) code = sweep_write(s, e);
        if (!code && a->json) code = print_json(s, e);
        if (!code && !a->json) print_text(s);
        sweep_fini(s);
    }
    if (s && s->cfg) config_free(s->cfg);
    free(s);
    free(a);
    return code;
}

const struct cli_verb cmd_sweep = {
    .name = "sweep",
    .usage = "[CONFIG] [--to DIR] [--jobs N] [--set KEY=VALUE]...",
    .about = "many parameter sets over one tape, and how much of the best is luck",
    .help =
        "  --to DIR          folder of the sweep (key output)\n"
        "  --jobs N          threads; default: one a core. Changes no result\n"
        "  --set KEY=VALUE   override a key of the configuration\n"
        "\n"
        "The section sweep of the configuration says what varies. An interrupted sweep goes on\n"
        "with the same command.\n"
        "\n"
        "Example:\n"
        "  fathom sweep examples/sweep-grid.yaml --to runs/sweep\n",
    .options = "to= jobs=",
    .args_min = 0,
    .args_max = 1,
    .run = run,
};
