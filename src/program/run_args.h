/* run_args.h: the command line of the verbs that take a run configuration: [CONFIG] [--to DIR]
 * [--seed N] [--set KEY=VALUE]... as the file and the settings of config_load.
 *
 * Ownership  what it points to lives as long as it and the cli_args do; do not copy it.
 */
#ifndef FATHOM_PROGRAM_RUN_ARGS_H
#define FATHOM_PROGRAM_RUN_ARGS_H

#include "base/file.h"
#include "program/cli.h"

struct run_args {
    const char *file; /* NULL = none */
    const char *sets[CLI_SETS_MAX + 2];
    size_t n;
    char seed[40], output[FILE_PATH_MAX + 8];
};

void run_args_take(struct run_args *r, const struct cli_args *a);

#endif
