/* others.h: the instruments besides the own one that a stream listens to, as a user names them:
 * peers (rows that compare venues), the reference of the factors v7.2, and the instrument whose
 * volume clock cuts the buckets.
 *
 * Everything that turns tapes into rows (features, datasets, runs) finds them here, so that the
 * same names give the same rows.
 *
 * Order      several tapes are read as one, by receive time; at equal times in the order of `tape`
 *            (tape_reader_open_merged).
 * Ownership  texts and tables belong to the caller.
 * Limits     OTHERS_TAPES_MAX tapes; names of OTHERS_PEERS_MAX peers, of which FEATURE_PEERS_MAX
 *            may be another instrument than the own.
 */
#ifndef FATHOM_LEARN_DATASET_OTHERS_H
#define FATHOM_LEARN_DATASET_OTHERS_H

#include "base/err.h"
#include "capture/tape/tape.h"
#include "derive/feature/stream.h"

enum { OTHERS_TAPES_MAX = 64, OTHERS_PEERS_MAX = 64, OTHERS_TEXT_MAX = 512 };

struct others {
    const char *tape[OTHERS_TAPES_MAX];
    size_t tapes;                       /* 0: only the tape that the caller names */
    const char *peer[OTHERS_PEERS_MAX]; /* SYMBOL or VENUE:SYMBOL */
    size_t peers;
    const char *reference, *clock; /* the same; NULL or "": none */
    bool skip_self; /* several own instruments share the names: a peer that is the own one is left
                       out instead of refused */
};

MUST_USE err_t others_open(const struct others *o, const char *tape,
    const struct tape_reader_options *opt, struct tape_reader **out, struct err_info *e);
/* tape_hash of the one tape; of several the hashes hashed in their order. */
MUST_USE err_t others_hash(
    const struct others *o, const char *tape, uint64_t *out, struct err_info *e);

/* Events of one instrument (by its id in others_open's table). Rows end with the own instrument's
 * last event: where its recording is over, what others go on to do would only close empty buckets.
 */
MUST_USE err_t others_count(const struct others *o, const char *tape,
    const struct tape_reader_options *opt, uint16_t inst, uint64_t *out, struct err_info *e);

/* The instrument that `symbol` names; NULL or "": the only one. ERR_INPUT: there is none of this
 * name, ERR_USAGE: several; both say which there are. `where` is the tape and `key` the option. */
MUST_USE err_t others_pick(const struct instrument *table, size_t n, const char *where,
    const char *key, const char *symbol, uint16_t *out, struct err_info *e);
/* Fills spec->inst, others and other[] of a spec that is zero in these. */
MUST_USE err_t others_spec(const struct others *o, const struct instrument *table, size_t n,
    const char *where, uint16_t own, struct stream_spec *spec, struct err_info *e);
/* The instrument whose units the bucket's size counts. */
const struct instrument *others_clock(const struct stream_spec *spec);
/* Fills spec->bucket, and spec->clock where another instrument's clock cuts. False: *why. */
bool others_bucket(struct stream_spec *spec, const char *text, const char **why);
/* What of the others has a say in rows of this set, as text that a model is kept with: "peer
 * binance-spot:BTCUSDT, reference .., clock ..", in this order; "" for none. */
void others_text(
    const struct stream_spec *spec, const struct feature_set *set, char out[OTHERS_TEXT_MAX]);

#endif
