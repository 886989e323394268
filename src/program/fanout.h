/* fanout.h: all instruments of one or several tapes through one reader, each to its own lane.
 *
 *   tape(s) -> one reader, by receive time -> lane 0: queue --> local cursor (our side)
 *                                          |              `-> venue cursor (runs ahead)
 *                                          `> lane 1: ...
 *
 * Every event is decoded once, whatever the number of lanes; a lane's two cursors read the same
 * queue. A lane pulls: the reader advances until the lane has an event, and what belongs to others
 * waits in their queues. So what a lane sees does not depend on its company.
 *
 * Order      of one lane: that of the tape; of several tapes: receive time, ties in the order of
 *            the tapes (tape_reader_open_merged).
 * Time       none of its own. Ownership: fanout_close frees lanes too. Threads: one.
 * Memory     a queue holds what lies between its two cursors and what the others' pulls brought. A
 *            lane is known to have ended when its last event is read (the survey counts). When more
 *            than `limit` bytes wait, the lane that pulls is too sparse to share a reader: it gets
 *            one of its own from there on, so that memory stays below about the limit.
 * Errors     of the tape end every lane and are kept: fanout_failed.
 */
#ifndef FATHOM_PROGRAM_FANOUT_H
#define FATHOM_PROGRAM_FANOUT_H

#include "base/err.h"
#include "base/event.h"
#include "base/instrument.h"

#define FANOUT_LIMIT_BYTES ((size_t)256 << 20)

struct fanout;
struct fanout_lane;
struct tape_reader;

/* What the first pass over the tapes found of one instrument. */
struct fanout_facts {
    int64_t offset_ns; /* min(local - venue) over what an exchange acts on; 0 = no such stamps */
    int64_t first_ns, last_ns;
    uint64_t events, trades, agg_trades, marks, fundings, klines;
    uint64_t orders; /* of per-order data */
    uint64_t books;  /* events that show a market: depth, trades */
};

/* Reads the tapes once. limit 0 = FANOUT_LIMIT_BYTES. ERR_INPUT: no tape, or a damaged one. */
MUST_USE err_t fanout_open(
    struct fanout **out, const char *const *tapes, size_t n, size_t limit, struct err_info *e);
void fanout_close(struct fanout *f);
/* The instruments (id = index); of several tapes renumbered by venue, symbol and units. */
const struct instrument *fanout_instruments(const struct fanout *f, size_t *n);
const struct fanout_facts *fanout_facts(const struct fanout *f, uint16_t inst);

/* A lane for events of instrument `inst`, which carry the id `as` from then on. NULL: no memory.
 * Before the first event is taken. */
struct fanout_lane *fanout_lane(struct fanout *f, uint16_t inst, uint16_t as);
/* The lane's local cursor also gets events of `inst` (a reference, another venue) under the id
 * `as`, in tape order; its venue cursor does not. False: no memory. */
MUST_USE bool fanout_also(struct fanout_lane *l, uint16_t inst, uint16_t as);

/* The next event, NULL at the end; valid until the next call on the same cursor. ctx = the lane:
 * the shape of world_source.next. */
const struct event *fanout_local(void *ctx);
const struct event *fanout_venue(void *ctx);
/* What the local cursor will give some slots later, if it is near at hand; NULL. A hint only. */
const struct event *fanout_ahead(const struct fanout_lane *l, size_t slots);

/* A reader of its own over all tapes, for a pass before the run; *inst = the lane's instrument in
 * it. The caller closes it. */
MUST_USE err_t fanout_reader(
    const struct fanout_lane *l, struct tape_reader **out, uint16_t *inst, struct err_info *e);

/* ERR_OK, or why lanes ended early. */
MUST_USE err_t fanout_failed(const struct fanout *f, struct err_info *e);
/* Most bytes that waited at once; lanes with a reader of their own: tests, reports. */
size_t fanout_peak(const struct fanout *f);
size_t fanout_apart(const struct fanout *f);

#endif
