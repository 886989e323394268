/* bucket_walk.h: cuts a tape into buckets, instrument by instrument, and checks that nothing of its
 * volume is lost.
 *
 * Units      as vclock.h; the expected sums are counted here once more, apart from the clock.
 * Ownership  bucket_walk_free frees everything; `track` lives as long as the walk.
 * Record     each decision of an online width stands before the event that brought it about; one
 * that the tape holds already is not doubled. Why        a bucket is marked gapped by the book's
 * state exactly as in a run (derive/feature), so that the hash of the buckets is that of the run.
 */
#ifndef FATHOM_PROGRAM_BUCKET_WALK_H
#define FATHOM_PROGRAM_BUCKET_WALK_H

#include "capture/tape/tape.h"
#include "derive/book/book.h"
#include "derive/vclock/health.h"
#include "derive/vclock/vclock.h"

struct bucket_sums {
    int128 volume, buys, value;
    int64_t trades;
};

struct bucket_track {
    struct vclock clock;
    struct bucket_spec spec;
    struct book *book; /* inside book_mem; NULL until a depth event */
    void *book_mem;
    bool started;
    struct bucket_sums got, expected;
    bool trades_seen, live_seen; /* for `expected` */
    int64_t last_bar, bar_ns;
    int64_t *duration_ns; /* of every bucket */
    size_t count, cap;
    int64_t first_id, last_id;
    bool rising, value_known, taker_known;
    uint64_t triggers[CUT_TRIGGERS];
    uint64_t gapped, empty;
    uint64_t hash;
    struct vclock_health *health;
    char text[160];   /* its bucket, resolved */
    int64_t recorded; /* decisions on the size that are on the recorded tape */
};

typedef err_t bucket_fn(
    void *user, const struct instrument *in, const struct bucket *b, struct err_info *e);

struct bucket_walk {
    const char *spec_text;
    const struct instrument *table;
    size_t instruments;
    struct bucket_track track[INST_MAX];
    uint64_t events;
    bucket_fn *fn; /* NULL = only count */
    void *user;
    const char *config;         /* bucket configuration file, NULL = none */
    const char *reference;      /* SYMBOL or VENUE:SYMBOL whose clock cuts all; NULL = own */
    struct tape_writer *record; /* every event and decision goes there, NULL = nowhere */
    const char *tape;           /* path, for `config` */
};

struct bucket_walk *bucket_walk_new(const char *spec_text, bucket_fn *fn, void *user);
void bucket_walk_free(struct bucket_walk *w);
/* Every event of the tape, then the unfinished buckets. */
MUST_USE err_t bucket_walk_tape(
    struct bucket_walk *w, struct tape_reader *tape, bool quiet, struct err_info *e);
/* The q-quantile (0..1) of the durations by nearest rank; sorts them. 0 if there are none. */
int64_t bucket_track_duration(struct bucket_track *t, double q);
/* Volume, taker buys and count of the buckets equal those of the tape. */
bool bucket_track_conserved(const struct bucket_track *t);

#endif
