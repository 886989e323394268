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
 * Threads    one thread a handle. A reader sees the tape as it was when it was opened.
 * Invariant  after any crash the tape is a prefix that holds every event acknowledged by
 *            tape_writer_sync, bit-exact; damage in the middle is never skipped silently.
 * Limits     INST_MAX instruments; TAPE_NEXT_SLOTS slots a call of tape_reader_next; memory of a
 *            reader does not depend on the length of the tape.
 */
#ifndef FATHOM_CAPTURE_TAPE_TAPE_H
#define FATHOM_CAPTURE_TAPE_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/event.h"
#include "base/instrument.h"

struct tape_writer;
struct tape_reader;

enum { TAPE_NEXT_SLOTS = 4096 }; /* 256 KiB: stays in a core's second-level cache */

struct tape_writer_options {
    bool raw;             /* blocks uncompressed (64 bytes a slot) instead of compressed columns */
    bool force;           /* replace an existing tape; else an existing one is appended to */
    size_t segment_bytes; /* 0 = default */
    int64_t
        group_ns; /* longest time between two syncs while appending; 0 = only on sync and close */
};

/* Opens for append, making the folder; takes a lock (a second writer is refused); repairs a torn
 * tail (its size goes to *torn_bytes if not NULL). Damage before the tail is refused: nothing that
 * may have been acknowledged is cut off. */
MUST_USE err_t tape_writer_open(struct tape_writer **out, const char *path,
    const struct tape_writer_options *opt, size_t *torn_bytes, struct err_info *e);

/* Adds an instrument or a new revision of one (same venue and symbol); fills in->id and revision.
 * Events carry no unit, so a row's units, kind and contract size never change: a revision that
 * changes one of them gets a row (id) of its own, one that changes only order rules replaces its
 * row. An instrument that is already there, unchanged, returns its id and adds nothing. */
MUST_USE err_t tape_writer_instrument(
    struct tape_writer *w, struct instrument *in, struct err_info *e);

/* Appends whole events (heads with their continuation slots), in arrival order. After a failure
 * tape_writer_events tells how many were taken. A full disk can be retried once there is space;
 * after an error of the disk itself the writer is dead (open the tape again: it is repaired). */
MUST_USE err_t tape_writer_append(
    struct tape_writer *w, const struct event *slots, size_t n_slots, struct err_info *e);
MUST_USE err_t tape_writer_sync(
    struct tape_writer *w, struct err_info *e); /* durable when it returns */
MUST_USE err_t tape_writer_close(
    struct tape_writer *w, struct err_info *e); /* seals; frees always */
/* Events taken so far, those of an existing tape included: the next sequence number. */
uint64_t tape_writer_events(const struct tape_writer *w);
/* The instrument table of the tape being written (index = event.inst). */
const struct instrument *tape_writer_instruments(const struct tape_writer *w, size_t *n);

struct tape_reader_options {
    bool quarantine; /* go past damaged blocks, counting them */
    bool torn_ok;    /* a torn tail ends the data with ERR_END; tape_reader_torn_bytes tells.
                        Without it a torn tape does not open. */
};

MUST_USE err_t tape_reader_open(struct tape_reader **out, const char *path,
    const struct tape_reader_options *opt, struct err_info *e);
void tape_reader_close(struct tape_reader *r);

/* The next run of whole events in tape order; ERR_END after the last. *n_slots > 0. */
MUST_USE err_t tape_reader_next(
    struct tape_reader *r, const struct event **slots, size_t *n_slots, struct err_info *e);

/* The next tape_reader_next starts at the first block that may hold an event with ts_local >= t. */
MUST_USE err_t tape_reader_seek(struct tape_reader *r, ts_t t, struct err_info *e);
/* The next tape_reader_next starts with event number `sequence` exactly (one tape only). */
MUST_USE err_t tape_reader_seek_event(struct tape_reader *r, uint64_t sequence, struct err_info *e);

/* The instrument table as of the newest revision (index = event.inst). */
const struct instrument *tape_reader_instruments(const struct tape_reader *r, size_t *n);
/* 0 = the tape is whole. A tape that ends exactly behind a block but has no seal counts the bytes
 * that the least seal would take, so that torn is always > 0. */
size_t tape_reader_torn_bytes(const struct tape_reader *r);
uint64_t tape_reader_events(
    const struct tape_reader *r); /* events on the whole tape, from the index */
uint64_t tape_reader_bytes(const struct tape_reader *r); /* of all files of the tape */
/* What quarantine went past so far: damaged places and the events that are missing there. */
void tape_reader_quarantined(const struct tape_reader *r, uint64_t *places, uint64_t *events);

/* Several tapes as one, by ts_local; ties in order of `paths`, then tape order (stable); a depth
 * message is never interleaved. Instrument ids are renumbered by venue, symbol and units. Used
 * exactly like a reader of one tape. */
MUST_USE err_t tape_reader_open_merged(struct tape_reader **out, const char *const *paths, size_t n,
    const struct tape_reader_options *opt, struct err_info *e);

/* The running hash of events, independent of how the tape is cut into blocks, segments and calls,
 * of compression and of the numbering of instruments. Start from 0. */
uint64_t tape_hash_events(uint64_t before, const struct event *slots, size_t n_slots,
    const struct instrument *table, size_t rows);
/* The same over a whole tape. */
MUST_USE err_t tape_hash(const char *path, uint64_t *hash, struct err_info *e);

/* Full check: every byte of every file, every event decoded. */
enum { TAPE_DAMAGE_MAX = 1000 };
struct tape_damage {
    char file[24];
    uint64_t offset;
    char reason[104];
};
struct tape_verdict {
    bool valid; /* whole, sealed and undamaged */
    uint64_t events;
    uint64_t torn_bytes;
    size_t damages;             /* may be more than were kept */
    struct tape_damage *damage; /* min(damages, TAPE_DAMAGE_MAX), freed by tape_verdict_fini */
};
/* OK also for a damaged tape; an error only where no verdict is possible (no tape, no memory). */
MUST_USE err_t tape_verify(const char *path, struct tape_verdict *out, struct err_info *e);
void tape_verdict_fini(struct tape_verdict *v);

#endif
