#include "program/run_args.h"

#include <stdio.h>

void run_args_take(struct run_args *r, const struct cli_args *a) {
    r->n = 0;
    for (int i = 0; i < a->sets; i++) r->sets[r->n++] = a->set[i];
    if (a->seed_given) {
        snprintf(r->seed, sizeof r->seed, "seed=%llu", (unsigned long long)a->seed);
        r->sets[r->n++] = r->seed;
    }
    if (cli_value(a, "to")) {
        snprintf(r->output, sizeof r->output, "output=%s", cli_value(a, "to"));
        r->sets[r->n++] = r->output;
    }
    r->file = a->argc > 0 ? a->argv[0] : a->config;
}
