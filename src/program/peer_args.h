/* peer_args.h: --peer, --reference and --bucket-reference of the verbs that read one tape.
 *
 * Each names an instrument: SYMBOL or VENUE:SYMBOL of the verb's own tape, or another tape, TAPE or
 * TAPE:SYMBOL. A text whose part before the first ':' behind its last '/' is a file or folder is a
 * tape. Other tapes go before the own one, in the order given: at equal receive times their events
 * come first, so that a bar of the reference is known at the close of the own bar.
 *
 * Ownership  texts of the command line are pointed to; struct peer_args holds the rest.
 */
#ifndef FATHOM_PROGRAM_PEER_ARGS_H
#define FATHOM_PROGRAM_PEER_ARGS_H

#include "learn/dataset/others.h"
#include "program/cli.h"

#define PEER_OPTIONS " peer= reference= bucket-reference="
#define PEER_HELP                                                                                  \
    "  --peer P       another venue or contract beside it, for the rows of the family xv "         \
    "(repeats,\n"                                                                                  \
    "                 at most 4): SYMBOL or VENUE:SYMBOL of the tape, or another TAPE[:SYMBOL]\n"  \
    "  --reference R  the same: the reference instrument of v72_i and v72_regime\n"                \
    "  --bucket-reference R  the same: the instrument whose clock cuts the buckets; --bucket is\n" \
    "                 that clock's\n"

enum { PEER_ARGS_MAX = FEATURE_PEERS_MAX + 2, PEER_TEXT_MAX = 96, PEER_PATH_MAX = 4096 };

struct peer_args {
    struct others others; /* tapes: 0 where all is in the verb's own */
    const char *own; /* the verb's own instrument: --symbol, or that of its tape; may be NULL */
    char own_text[PEER_TEXT_MAX];
    char symbol[PEER_ARGS_MAX][PEER_TEXT_MAX];
    char path[PEER_ARGS_MAX][PEER_PATH_MAX];
    size_t used;
};

MUST_USE err_t peer_args_parse(
    const struct cli_args *a, const char *tape, struct peer_args *out, struct err_info *e);

#endif
