/* dispatch.h: from the words of the command line to the verb, its help or the nearest suggestion.
 *
 *   fathom WORD [WORD] ... -> longest verb of the table that matches -> run -> exit code
 */
#ifndef FATHOM_PROGRAM_DISPATCH_H
#define FATHOM_PROGRAM_DISPATCH_H

#include <stdio.h>

#include "program/cli.h"

/* Runs the program; returns the exit code. `out` takes help and version, `err` messages. */
int dispatch(const struct cli_verb *const *verbs, int argc, char **argv, FILE *out, FILE *err);

/* `man` (troff) page and bash completion of a verb table (`fathom help man|completion`). */
void help_man(const struct cli_verb *const *verbs, FILE *to);
void help_completion(const struct cli_verb *const *verbs, FILE *to);
void help_exit_codes(FILE *to);
void help_all(const struct cli_verb *const *verbs, FILE *to);
void help_verb(const struct cli_verb *verb, FILE *to);
/* Help of the verbs "word ..."; returns how many there are. */
int help_group(const struct cli_verb *const *verbs, const char *word, FILE *to);

#endif
