/* tape.h: the append-only, checksummed log of events: writer and reader.
 *
 *   import / feed -> tape_writer -> folder of segments -> tape_reader -> engine, tools
 *
 * A tape is a folder (docs/formats/tape.md says when it is valid). Every segment carries the
 * instrument table; blocks carry CRC32C and their place; a closed tape ends in a seal.
 *
 * Units      events as in base/event.h; sequence numbers count events (not slots) from 0.
 * Ownership  handles are opaque, closed by their owner; the events of tape_reader_next stay valid
 *            until the next call on the same reader.
 * Threads    one thread a handle.
 * Invariant  after any crash the tape is a prefix that holds every event acknowledged by
 *            tape_writer_sync, bit-exact; damage in the middle is never skipped silently.
 */
#ifndef FATHOM_CAPTURE_TAPE_TAPE_H
#define FATHOM_CAPTURE_TAPE_TAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/event.h"
#include "base/instrument.h"

struct tape_writer;
struct tape_reader;

struct tape_writer_options {
    bool raw;             /* blocks uncompressed (64 bytes a slot) instead of compressed columns */
    bool force;           /* replace an existing tape; else an existing one is appended to */
    size_t segment_bytes; /* 0 = default */
    int64_t
        group_ns; /* longest time between two syncs while appending; 0 = only on sync and close */
};

/* Opens for append, making the folder; takes a lock (a second writer is refused); repairs a torn
 * tail (its size goes to *torn_bytes if not NULL). */
MUST_USE err_t tape_writer_open(struct tape_writer **out, const char *path,
    const struct tape_writer_options *opt, size_t *torn_bytes, struct err_info *e);

/* Adds an instrument or a new revision of one (same venue and symbol); fills in->id and revision.
 */
MUST_USE err_t tape_writer_instrument(
    struct tape_writer *w, struct instrument *in, struct err_info *e);

/* Appends whole events (heads with their continuation slots), in arrival order. */
MUST_USE err_t tape_writer_append(
    struct tape_writer *w, const struct event *slots, size_t n_slots, struct err_info *e);
MUST_USE err_t tape_writer_sync(
    struct tape_writer *w, struct err_info *e); /* durable when it returns */
MUST_USE err_t tape_writer_close(
    struct tape_writer *w, struct err_info *e); /* seals; frees always */

struct tape_reader_options {
    bool quarantine; /* go past damaged blocks, counting them */
    bool torn_ok;    /* a torn tail ends the data with ERR_END; tape_reader_torn_bytes tells */
};

MUST_USE err_t tape_reader_open(struct tape_reader **out, const char *path,
    const struct tape_reader_options *opt, struct err_info *e);
void tape_reader_close(struct tape_reader *r);

/* The next run of whole events in tape order; ERR_END after the last. *n_slots > 0. */
MUST_USE err_t tape_reader_next(
    struct tape_reader *r, const struct event **slots, size_t *n_slots, struct err_info *e);

/* The next tape_reader_next starts at the first block that may hold an event with ts_local >= t. */
MUST_USE err_t tape_reader_seek(struct tape_reader *r, ts_t t, struct err_info *e);

/* The instrument table as of the newest revision (index = event.inst). */
const struct instrument *tape_reader_instruments(const struct tape_reader *r, size_t *n);
size_t tape_reader_torn_bytes(const struct tape_reader *r);
uint64_t tape_reader_events(
    const struct tape_reader *r); /* events on the whole tape, from the index */

/* Several tapes as one, by ts_local; ties in order of `paths`, then tape order (stable). Instrument
 * ids are renumbered by venue and symbol. Used exactly like a reader of one tape. */
MUST_USE err_t tape_reader_open_merged(struct tape_reader **out, const char *const *paths, size_t n,
    const struct tape_reader_options *opt, struct err_info *e);

#endif
