#include <stdio.h>
#include <stdlib.h>

#include "program/cli.h"
#include "program/run_args.h"
#include "program/stress.h"

static void row_line(const struct stress *s, const char *what, const struct sweep_row *r) {
    if (*r->failed) {
        printf("  %-18s %s\n", what, r->failed);
        return;
    }
    printf("  %-18s net %+.6f %s, %llu fills, %llu rejected\n", what, (double)r->net / 1e12,
        s->worlds.inst.settle, (unsigned long long)r->fills, (unsigned long long)r->rejects);
}

static void print_text(const struct stress *s) {
    char head[1024];
    stress_headline(s, head, sizeof head);
    printf("%s\n\n", head);
    row_line(s, "as configured", &s->worlds.row[0]);
    for (int k = 0; k < 2 && s->hole[k].what; k++) row_line(s, s->hole[k].what, &s->hole[k].row);
    for (size_t i = 0; i < s->extremes; i++) {
        char what[64];
        snprintf(what, sizeof what, "%s %.1f bps", s->extreme[i].what, s->extreme[i].move_bps);
        row_line(s, what, &s->extreme[i].row);
    }
    if (s->histories.repeats > 0)
        printf("  histories          %.0f %% of %zu with a profit (%s resampled)\n",
            s->histories.profitable * 100, s->histories.repeats,
            s->histories.days ? "days" : "spans");
    printf("  seed               %llu\n", (unsigned long long)s->worlds.spec.seed);
    printf("\nreport  %s/report.html\n", s->worlds.run.output);
}

static err_t print_json(const struct stress *s, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "stress", s->worlds.run.output);
    stress_result_json(s, &j);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = calloc(1, sizeof *a);
    struct stress *s = calloc(1, sizeof *s);
    struct run_args args;
    err_t code = a && s ? ERR_OK : err_set(e, ERR_RESOURCE, "out of memory");
    if (!code) code = cli_parse(verb, argc, argv, a, e);
    if (!code) {
        run_args_take(&args, a);
        code = sweep_load(&s->worlds, a, &args, e);
    }
    if (!code) {
        code = stress_run(s, a, e);
        if (!code) code = stress_write(s, e);
        if (!code && a->json) code = print_json(s, e);
        if (!code && !a->json) print_text(s);
        stress_fini(s);
    }
    if (s && s->worlds.cfg) config_free(s->worlds.cfg);
    free(s);
    free(a);
    return code;
}

const struct cli_verb cmd_stress = {
    .name = "stress",
    .usage = "[CONFIG] [--to DIR] [--jobs N] [--set KEY=VALUE]...",
    .about = "a strategy in worlds a little worse than the recorded one",
    .help =
        "  --to DIR          folder of the stress (key output)\n"
        "  --jobs N          threads; default: one a core. Changes no result\n"
        "  --set KEY=VALUE   override a key of the configuration\n"
        "\n"
        "Draws worlds (latency, fees, queue, rejects, outages), resamples history, replays the\n"
        "wildest spans and tapes with broken feeds; the section stress says how much.\n"
        "\n"
        "Example:\n"
        "  fathom stress examples/real-demo.yaml --to runs/stress --set stress.worlds=20\n",
    .options = "to= jobs=",
    .args_min = 0,
    .args_max = 1,
    .run = run,
};
