/* row_args.h: the options that turn a tape into rows, the same for every verb that does.
 *
 *   TAPE --bucket B --bucket-config FILE --set NAME|FILE --scale S --symbol NAME and peer_args.h
 *
 * Ownership  row_args_fini frees the texts that `opt` points to; `a` must live as long.
 */
#ifndef FATHOM_PROGRAM_ROW_ARGS_H
#define FATHOM_PROGRAM_ROW_ARGS_H

#include "learn/dataset/dataset.h"
#include "program/bucket_config.h"
#include "program/cli.h"
#include "program/peer_args.h"

struct row_args {
    struct dataset_options opt; /* label: next=1 */
    struct bucket_choice choice;
    struct peer_args others;
    char *set;
};

/* The first argument is the tape; `to` is where the folder goes. */
MUST_USE err_t row_args_parse(const struct cli_args *a, const char *default_set, const char *to,
    struct row_args *out, struct err_info *e);
void row_args_fini(struct row_args *r);

#endif
