/* vclock.h: cuts the event stream of one instrument into buckets (volume, time, count, updates).
 *
 *   for each event:  while (vclock_before(...)) bucket closed;   <- time cuts, before the event
 *                    apply event to book and features
 *                    if (vclock_after(...)) bucket closed;       <- volume, count and update cuts
 *
 * Units      volume in quantity units; time in ns of ts_local; value in px units x quantity units.
 * Time       time buckets end at multiples of their size since 1970 (local time); an event at the
 *            boundary belongs to the next bucket. Volume buckets also end after time_limit.
 * Invariant  ids strictly increasing; every market trade belongs to exactly one bucket; a trade is
 *            never split. State is plain bytes without pointers (save = memcpy).
 * Why        docs/decisions; constants in the specification of the volume clock (CLK1, CLK2, CLK5).
 */
#ifndef FATHOM_DERIVE_VCLOCK_VCLOCK_H
#define FATHOM_DERIVE_VCLOCK_VCLOCK_H

#include <stdbool.h>

#include "base/event.h"

enum bucket_mode { BUCKET_TIME = 0, BUCKET_VOLUME = 1, BUCKET_COUNT = 2, BUCKET_UPDATE = 3 };
enum cut_trigger {
    CUT_NONE = 0,
    CUT_TIME = 1,
    CUT_VOLUME = 2,
    CUT_COUNT = 3,
    CUT_UPDATE = 4,
    CUT_LIMIT = 5,
    CUT_KLINE = 6,
    CUT_END = 7
};

struct bucket_spec {
    uint8_t mode; /* enum bucket_mode */
    uint8_t pad[7];
    int64_t size;          /* ns, quantity units, trades, or depth messages */
    int64_t time_limit_ns; /* volume, count, update buckets: longest duration; 0 = none */
    int64_t first_id;      /* id of the first bucket (0 = 1) */
};

/* A closed bucket: the record that is hashed and stored. Prices 0 when there was no trade. */
struct bucket {
    int64_t id;
    ts_t open_ts, close_ts;         /* local; close of a time bucket = its boundary */
    price_t open, high, low, close; /* of market trades */
    qty_t volume, buy_volume;       /* market trades; taker buys */
    int64_t trades, buy_trades;
    int64_t updates;            /* depth messages */
    int64_t value_lo, value_hi; /* int128 sum of px x qty in units */
    uint16_t inst;
    uint8_t trigger;    /* enum cut_trigger */
    uint8_t gapped;     /* the book was not SYNCED, or the recording broke, inside it */
    uint8_t from_kline; /* built from bars; buy_volume may be unknown: taker_known */
    uint8_t taker_known;
    uint8_t pad[2];
};
_Static_assert(sizeof(struct bucket) == 120, "stored");

enum { VCLOCK_STATE_BYTES = 512, VCLOCK_EMPTY_MAX = 3600 }; /* most empty time buckets in a row */
struct vclock {
    _Alignas(16) unsigned char state[VCLOCK_STATE_BYTES];
};

void vclock_init(struct vclock *vc, const struct bucket_spec *spec, uint16_t inst);
/* Closes the next bucket that ends before `ev`; call until false. */
bool vclock_before(struct vclock *vc, const struct event *ev, struct bucket *out);
/* Accounts for `ev`; true if it completed a bucket (the event is part of it). */
bool vclock_after(struct vclock *vc, const struct event *ev, struct bucket *out);
/* Marks the open bucket as gapped. */
void vclock_gap(struct vclock *vc);
/* The unfinished bucket at the end of data (trigger CUT_END); false if it is empty. */
bool vclock_end(struct vclock *vc, struct bucket *out);
int128 bucket_value(const struct bucket *b);

/* "time=1", "time=0.5", "volume=10.5" (base units of `qty_unit`), "count=100", "update=50", each
 * with an optional ",limit=SECONDS". False (and *why) on anything else. */
bool bucket_spec_parse(
    const char *text, int64_t qty_mant, uint8_t qty_exp, struct bucket_spec *out, const char **why);

#endif
