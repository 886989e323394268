/* cli.h: what every verb of the program shares: options, errors, results.
 *
 * A verb is one function in cmd_<verb>.c, listed in verbs.c. Results go to stdout, all else to
 * stderr. Shared options (all verbs): --json, --quiet, --force, --help, --config FILE,
 * --set key=value (repeats), --seed N.
 *
 * Ownership  what struct cli_args points to lives as long as it and argv do.
 * Threads    main thread only; cli_interrupted from any.
 * Limits     CLI_ARGS_MAX arguments, CLI_OPTIONS_MAX options, CLI_SETS_MAX --set: more is
 *            ERR_USAGE.
 */
#ifndef FATHOM_PROGRAM_CLI_H
#define FATHOM_PROGRAM_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct cli_verb {
    const char *name;       /* "tape info": words after `fathom` */
    const char *usage;      /* "TAPE [--json]" */
    const char *about;      /* one line */
    const char *help;       /* options, one a line, then an example; printed by --help */
    const char *options;    /* own options: "to= at= depth= strict format=" ('=' takes a value) */
    int args_min, args_max; /* positional arguments; -1 = any number */
    /* argv holds what follows the verb's words; hand it to cli_parse first. */
    err_t (*run)(const struct cli_verb *verb, int argc, char **argv, struct err_info *e);
};

extern const struct cli_verb *const cli_verbs[]; /* NULL at the end */

enum { CLI_NAME_MAX = 32, CLI_OPTIONS_MAX = 64, CLI_ARGS_MAX = 4096, CLI_SETS_MAX = 64 };

/* Parsed command line: positional arguments and options. */
struct cli_args {
    int argc;
    char *argv[CLI_ARGS_MAX];
    int options;
    struct {
        const char *name, *value;
    } option[CLI_OPTIONS_MAX]; /* own options in the order given; value NULL for a plain flag */
    char name_text[CLI_OPTIONS_MAX][CLI_NAME_MAX];
    bool json, quiet, force;
    const char *config;
    int sets;
    const char *set[CLI_SETS_MAX];
    bool seed_given;
    uint64_t seed;
};

/* Splits argv by the shared options and verb->options. ERR_USAGE names the unknown option and the
 * nearest known one. "--name value" and "--name=value" both work; "--" ends the options. */
MUST_USE err_t cli_parse(
    const struct cli_verb *verb, int argc, char **argv, struct cli_args *out, struct err_info *e);
const char *cli_value(
    const struct cli_args *a, const char *name); /* last one given; NULL if absent */
bool cli_flag(const struct cli_args *a, const char *name);
/* Integer and double options with a range; default if absent. */
MUST_USE err_t cli_int(const struct cli_args *a, const char *name, int64_t lo, int64_t hi,
    int64_t fallback, int64_t *out, struct err_info *e);
MUST_USE err_t cli_double(const struct cli_args *a, const char *name, double lo, double hi,
    double fallback, double *out, struct err_info *e);

/* The known word nearest to `word` (edit distance <= 3 and less than its length), NULL if none. */
const char *cli_nearest(const char *word, const char *const *known, size_t n);

/* Installs the handlers of SIGINT and SIGTERM (the second one ends the process at once) and makes a
 * closed pipe an error instead of a death. */
void cli_signals_catch(void);

/* True after SIGINT or SIGTERM: long loops stop at the next whole unit, keep what is complete and
 * return ERR_INTERRUPTED with a message that says how to go on. */
bool cli_interrupted(void);

struct json_out;
/* Writes the document and a newline to stdout; ERR_RESOURCE if stdout cannot take it. */
MUST_USE err_t cli_print_json(struct json_out *j, struct err_info *e);

#endif
