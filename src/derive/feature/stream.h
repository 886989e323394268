/* stream.h: one instrument's path from events to feature rows, in one block of memory.
 *
 *   event -> vclock_before -> [row] -> book -> features -> vclock_after -> [row]
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
 * Limits     book_limits, VCLOCK_EMPTY_MAX, FEATURE_MAX.
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

struct stream_spec {
    struct instrument inst;
    struct bucket_spec bucket;
    struct book_limits limits; /* zeros = defaults */
    bool hash_events;
    uint8_t pad[7];
};

struct stream; /* head of mem */

/* A closed bucket with its row (set->count values), valid during the call. */
typedef void stream_row_fn(
    void *user, const struct stream *s, const struct bucket *b, const float *row);

size_t stream_mem_size(const struct stream_spec *spec, const struct feature_set *set);
struct stream *stream_init(
    void *mem, const struct stream_spec *spec, const struct feature_set *set);

/* One whole event (its continuation slots follow it in memory). Events of other instruments are
 * the caller's to keep away. Returns the rows it produced. */
size_t stream_event(struct stream *s, const struct event *ev, stream_row_fn *fn, void *user);
/* A run of slots; other instruments' events are passed over. Stops after whole events only. */
size_t stream_events(
    struct stream *s, const struct event *slots, size_t n_slots, stream_row_fn *fn, void *user);
/* Only the clock moves: closes the buckets that end at or before `now` (a live loop has timers, and
 * decisions must not wait for the next event). Rows and hashes are those that the next event would
 * have given. Not for tapes of bars, whose clock is the bars' own. */
size_t stream_time(struct stream *s, ts_t now, stream_row_fn *fn, void *user);
/* The reference instrument traded at `px` (quote) at `ts`, never before the last such call; buckets
 * that end by then are closed first, so that no row sees a later price. */
size_t stream_reference(struct stream *s, ts_t ts, double px, stream_row_fn *fn, void *user);
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
struct stream_hashes stream_hashes(const struct stream *s);
/* Whether events of this kind (trade, aggregate trade, bar) fill the buckets (vclock_counts). */
bool stream_counts(const struct stream *s, uint8_t kind);
uint64_t stream_buckets(const struct stream *s); /* closed so far */

#endif
