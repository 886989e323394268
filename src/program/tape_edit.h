/* tape_edit.h: a tape made from a tape: a span of it, or with holes, so that a replay meets what
 * the recording happened not to meet.
 *
 *   span   [from, to): whole messages; a snapshot of the book as it stood opens it
 *   hole   loss: one depth message at `from` is missing; what follows does not connect, so the
 *          book is a GAP, until a snapshot of the true book at `to` restores it
 *          silence: besides, all that follows that first message without a connection is missing
 *          until `to`, as of a lost line
 *
 * Time       ns, local. Only the events of one instrument are written.
 * Invariant  outside holes and before the snapshots every event is the recorded one; after each
 *            snapshot the book is the recorded book (tape_edit_test).
 */
#ifndef FATHOM_PROGRAM_TAPE_EDIT_H
#define FATHOM_PROGRAM_TAPE_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct tape_hole {
    int64_t from_ns, to_ns;
    bool loss; /* else silence */
};

struct tape_edit {
    const char *from; /* tape */
    const char *to;   /* a tape that is made; must not exist */
    uint16_t inst;    /* instrument of `from` */
    int64_t from_ns, to_ns;
    const struct tape_hole *hole; /* by rising time, not overlapping */
    size_t holes;
};

/* *snapshots counts those that were inserted; a hole whose end found no trustworthy book (the
 * recording itself has a gap there) gets none, like the recording. May be NULL. */
MUST_USE err_t tape_edit(const struct tape_edit *t, size_t *snapshots, struct err_info *e);

#endif
