/* world_rows.h: a recording prepared once for many replays under the anchor rules: depth messages
 * and market prints of one instrument, sorted for both sites.
 *
 *   tape order:  levels of all depth messages, one after the other   <- our side reads these on
 *   venue order: messages (time, tape order), each a run of levels   <- the exchange reads these
 *
 * Units      level keys as in anchor_book.h (ticks, negated for bids), quantity units; a print's
 *            px and qty in price and quantity units.
 * Time       our axis (world.h): the venue's stamp plus the offset; ours as recorded, never before
 *            that of an earlier event of the tape.
 * Ownership  caller gives mem (world_rows_size, aligned 64); nothing in it changes after
 *            world_rows_end, so that many worlds may read it at once. Memory grows with the
 *            recording: 16 bytes a level and 88 a message; the tape's two cursors stay flat.
 * Threads    one to make it, any number to read it.
 * Limits     anchor rules on one clock offset, without accounts at the venue and without per-order
 *            queues (CHECKed by world_init). 2^32 levels; a quantity below 0, a depth event without
 * a side, or with both, cannot be prepared. Why        what a replay does not decide is done
 * outside it, as the peer's files are: order, ticks, message bounds. No book is built here
 * (docs/decisions/sim-speed.md).
 */
#ifndef FATHOM_EXECUTE_SIM_WORLD_ROWS_H
#define FATHOM_EXECUTE_SIM_WORLD_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"
#include "base/instrument.h"

struct world_level {
    int64_t at; /* key x 2 + side */
    int64_t lots;
};

struct world_message { /* one depth message (or its part between two others), or one print */
    int64_t ts, ts_local;
    int64_t px, qty;       /* print */
    uint32_t first, count; /* depth: its levels */
    uint8_t kind, flags;   /* of the event; depth: EVF_SNAPSHOT, EVF_LAST */
    uint8_t pad[6];
};

struct world_batch { /* one depth message as our side sees it; in tape order */
    int64_t ts_local;
    uint32_t end; /* one past its last level */
    uint8_t flags;
    uint8_t pad[3];
};

struct world_rows_tail { /* of the event before */
    int64_t venue_ns, local_ns;
    uint8_t flags;
    bool open; /* its message may go on */
};

struct world_rows {
    struct world_message *message; /* venue order */
    struct world_message *scratch;
    struct world_batch *batch;
    struct world_level *level;
    size_t messages, batches, levels;
    size_t messages_max, levels_max;
    int64_t last_local_ns; /* last event at our side */
    int64_t tick;
    int64_t clock_offset_ns;
    uint64_t events;
    struct world_rows_tail tail;
    uint16_t inst;
    uint8_t print_kind;
    bool done;
};

struct world_rows_need {
    size_t messages, levels;
    struct world_rows_tail tail;
};

/* What the exchange of an anchor world takes: depth and market prints of `print_kind`. */
bool world_rows_wants(const struct instrument *inst, uint8_t print_kind, const struct event *ev);
/* Counts an event that world_rows_add will be given. */
void world_rows_count(struct world_rows_need *n, const struct event *ev);
size_t world_rows_size(const struct world_rows_need *n);
struct world_rows *world_rows_begin(void *mem, const struct world_rows_need *n,
    const struct instrument *inst, uint8_t print_kind, int64_t clock_offset_ns);
/* The next event of the tape that world_rows_wants. False: it cannot be prepared. */
bool world_rows_add(struct world_rows *r, const struct event *ev);
void world_rows_end(struct world_rows *r);

#endif
