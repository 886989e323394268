/* stream.h: one instrument's path from events to feature rows, in one block of memory.
 *
 *   event -> vclock_before -> [row] -> book -> features -> vclock_after -> [row]
 *   other instrument's event -> [rows that end before it] -> its book, its clock -> [row] ->
 * features
 *
 * Every program part that turns a tape into rows (features, dataset, pipeline, tests) steps this
 * driver, so that all of them give the same rows and the same hashes.
 *
 * Units      as in event.h and feature.h.
 * Time       ts_local of the events. Time cuts happen only before the first event of a message.
 * Ownership  the caller gives `mem` (stream_mem_size bytes, aligned 64). The block holds book,
 *            clock, engine and hashes; stream_save writes it as plain bytes.
 * Threads    one.
 * Invariant  rows and hashes do not depend on how the events were cut into calls, nor on a save
 *            and load between any two events.
 * Others     peers (other venues, for rows that compare), the reference instrument of the factors
 *            v7.2, and the instrument whose volume clock cuts the buckets (BUCKET_REFERENCE). All
 *            events come in one order of receive time, messages whole; what the order says at equal
 *            times is the caller's (tape_reader_open_merged: order of the tapes).
 * Limits     book_limits, VCLOCK_EMPTY_MAX, FEATURE_MAX, STREAM_OTHERS_MAX, FEATURE_PEERS_MAX.
 */
#ifndef FATHOM_DERIVE_FEATURE_STREAM_H
#define FATHOM_DERIVE_FEATURE_STREAM_H

#include "derive/feature/feature.h"

/* Running hashes of what passed; 0 at the start. */
struct stream_hashes {
    uint64_t events;   /* every slot of every event (only with hash_events) */
    uint64_t books;    /* at each close: state, update id and the best FEATURE_LEVELS a side */
    uint64_t buckets;  /* the bucket records */
    uint64_t features; /* the float32 rows */
};

enum {
    STREAM_OTHERS_MAX = 6,
    STREAM_OUTSIDE_SLOTS = 2048 /* series and options between two events of the market; more are
                                   taken at once, closing buckets up to them */
};
enum other_role { OTHER_PEER = 1, OTHER_REFERENCE = 2, OTHER_CLOCK = 4 };

/* Another instrument that the stream listens to; its id differs from the instrument's. */
struct stream_other {
    struct instrument inst;
    uint8_t roles; /* enum other_role bits */
    uint8_t pad[7];
};

struct stream_spec {
    struct instrument inst;
    struct bucket_spec bucket;
    struct book_limits limits; /* zeros = defaults; of every book */
    bool hash_events;          /* those of the other instruments too */
    bool own_reference;        /* the instrument is its own reference */
    uint8_t pad[6];
    size_t others;
    struct stream_other other[STREAM_OTHERS_MAX]; /* peers: feature_ctx.peer in this order */
    struct bucket_spec clock; /* of the one with OTHER_CLOCK, where bucket.mode is reference */
};

struct stream; /* head of mem */

/* A closed bucket with its row (set->count values), valid during the call. */
typedef void stream_row_fn(
    void *user, const struct stream *s, const struct bucket *b, const float *row);

size_t stream_mem_size(const struct stream_spec *spec, const struct feature_set *set);
struct stream *stream_init(
    void *mem, const struct stream_spec *spec, const struct feature_set *set);

/* One whole event (its continuation slots follow it in memory) of the instrument; events of any
 * other are the caller's to keep away (stream_route sorts). Returns the rows it produced. */
size_t stream_event(struct stream *s, const struct event *ev, stream_row_fn *fn, void *user);
/* The same for an event of any instrument: the own, an other of the spec, a row that was
 * joined, or none (nothing). */
size_t stream_route(struct stream *s, const struct event *ev, stream_row_fn *fn, void *user);
/* A run of slots, by instrument: the own, the others of the spec; any more are passed over. */
size_t stream_events(
    struct stream *s, const struct event *slots, size_t n_slots, stream_row_fn *fn, void *user);
/* Only the clock moves: closes the buckets that end at or before `now` (a live loop has timers, and
 * decisions must not wait for the next event). Rows and hashes are those that the next event would
 * have given. Not for tapes of bars, whose clock is the bars' own. */
size_t stream_time(struct stream *s, ts_t now, stream_row_fn *fn, void *user);
/* One whole event of spec.other[other]. Buckets that end by then are closed first, so that no row
 * sees what came later; of a reference, trades and closed bars set the price. */
size_t stream_other(
    struct stream *s, size_t other, const struct event *ev, stream_row_fn *fn, void *user);
/* The reference instrument traded at `px` (quote) at `ts`; buckets that end by then are closed
 * first. A time before that of the last price counts as that. */
size_t stream_reference(struct stream *s, ts_t ts, double px, stream_row_fn *fn, void *user);
/* Takes in the events of this row of the tape's table from now on, if it is a series or a chain of
 * options that concerns the stream's instrument (instrument_concerns); else nothing changes. */
void stream_join(struct stream *s, const struct instrument *row);
/* The same for a whole table; call it again when the table has grown. */
void stream_join_table(struct stream *s, const struct instrument *table, size_t rows);
/* No more events: comparisons of the book that waited for one are settled (book_end). */
void stream_finish(struct stream *s);
/* The unfinished bucket at the end of data (trigger CUT_END): its row depends on where the data
 * ends, so datasets leave it out. */
size_t stream_end(struct stream *s, stream_row_fn *fn, void *user);

/* Saved bytes: equal states give equal bytes. `out` holds stream_size bytes. */
size_t stream_size(const struct stream *s);
void stream_save(const struct stream *s, void *out);
/* `mem` (aligned 64) holds saved bytes; NULL if they are none of this program's. */
struct stream *stream_load(void *mem, size_t n);

const struct book *stream_book(const struct stream *s);
const struct feature_engine *stream_features(const struct stream *s);
const struct instrument *stream_instrument(const struct stream *s);
/* The book of spec.other[other], NULL where its roles need none. */
const struct book *stream_other_book(const struct stream *s, size_t other);
struct stream_hashes stream_hashes(const struct stream *s);
/* Whether events of this kind (trade, aggregate trade, bar) fill the buckets (vclock_counts). */
bool stream_counts(const struct stream *s, uint8_t kind);
uint64_t stream_buckets(const struct stream *s); /* closed so far */

#endif
