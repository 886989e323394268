/* vclock.h: cuts the event stream of one instrument into buckets (volume, time, count, updates).
 *
 *   for each event:  while (vclock_before(...)) bucket closed;   <- time cuts, before the event
 *                    apply event to book and features
 *                    if (vclock_after(...)) bucket closed;       <- volume, count and update cuts
 *
 * Units      volume in quantity units; time in ns of ts_local; value in px units x quantity units.
 * Time       time buckets end at multiples of their size since 1970 (local time); an event at the
 *            boundary belongs to the next bucket. Other buckets also end after time_limit. Local
 *            time that goes back stands still: no duration is negative. Buckets touch: one opens
 *            where the one before it closed; the first opens at its first event.
 * Trades     EV_TRADE; EV_AGG_TRADE only as long as no EV_TRADE was seen (both carry the same
 *            volume). Prints that are no market trades, and px or qty <= 0, count nowhere.
 * Bars       closed EV_KLINE fill buckets as long as neither trades, depth nor tickers were seen.
 *            A bar belongs to the bucket of its OPEN time and arrives when that is over, so bars
 *            move the clock by their open time, and the bar that fills a time bucket closes it.
 *            The first bar's length decides: bars of another length, or not newer, count nowhere.
 * Adaptive   a volume clock with `adaptive` cuts when min(volume / size, elapsed / target time,
 * trades / least trades) >= 0.8 (CUT_QUALITY behind an event, CUT_READY when the time came), else
 * at its limit = clip(1.5 x size / rate of the last 5 min, 30, 120) s, fixed at its opening. Online
 * with size_least and size_most the size follows the rate each 5 min (width.h), from the next
 *            opening on; each decision is an EV_CONFIG for the tape, and one on the tape is obeyed.
 * Fallback   with fallback_ns: when the 90th percentile of the durations passes 120 s, or nothing
 * came for 300 s (health.h), time buckets of that size take over; the own clock runs on unseen and
 *            comes back after 10 complete buckets in a row. Ids go on rising through both.
 * Reference  mode BUCKET_REFERENCE cuts where vclock_follow says: another instrument's clock.
 * Messages   nothing is cut inside a message: only events with EVF_FIRST cut before themselves.
 * Ownership  the caller's struct; plain bytes without pointers (save = memcpy).
 * Invariant  ids strictly increasing; every market trade belongs to exactly one bucket; a trade is
 *            never split.
 * Limits     VCLOCK_EMPTY_MAX empty time-cut buckets in a row are closed one by one, then the id
 *            jumps with the clock. Sums stop at the limit of 64 bits and mark the bucket gapped.
 * Why        docs/decisions/volume-clock.md, docs/volume-clock.md.
 */
#ifndef FATHOM_DERIVE_VCLOCK_VCLOCK_H
#define FATHOM_DERIVE_VCLOCK_VCLOCK_H

#include <stdbool.h>

#include "base/event.h"
#include "base/instrument.h"

enum bucket_mode {
    BUCKET_TIME = 0,
    BUCKET_VOLUME = 1,
    BUCKET_COUNT = 2,
    BUCKET_UPDATE = 3,
    BUCKET_REFERENCE = 4
};
enum cut_trigger {
    CUT_NONE = 0,
    CUT_TIME = 1,
    CUT_VOLUME = 2,
    CUT_COUNT = 3,
    CUT_UPDATE = 4,
    CUT_LIMIT = 5,
    CUT_KLINE = 6,
    CUT_END = 7,
    CUT_QUALITY = 8,    /* adaptive: good enough, behind an event */
    CUT_READY = 9,      /* adaptive: only the time was missing, and it came */
    CUT_SWITCH = 10,    /* the last one before the fallback */
    CUT_REFERENCE = 11, /* another instrument's clock cut */
    CUT_TRIGGERS = 12
};

struct bucket_spec {
    uint8_t mode;     /* enum bucket_mode */
    uint8_t adaptive; /* volume only: cut by quality */
    uint8_t pad[6];
    int64_t size;                  /* ns, quantity units, trades, or depth messages */
    int64_t time_limit_ns;         /* volume, count, update buckets: longest duration; 0 = none */
    int64_t first_id;              /* id of the first bucket (0 = 1) */
    int64_t target_ns;             /* adaptive, online: wanted duration */
    int64_t least_trades;          /* adaptive */
    int64_t size_least, size_most; /* online width: its bounds; 0 = the size stays */
    int64_t fallback_ns;           /* time buckets when the clock fails; 0 = never */
};

/* A closed bucket: the record that is hashed and stored. Prices 0 when there was no trade. */
struct bucket {
    int64_t id;
    ts_t open_ts, close_ts;         /* local; close of a time bucket = its boundary */
    price_t open, high, low, close; /* of market trades */
    qty_t volume, buy_volume;       /* market trades; taker buys */
    int64_t trades, buy_trades;
    int64_t updates;            /* depth diff messages */
    int64_t value_lo, value_hi; /* int128 sum of px x qty in units */
    uint16_t inst;
    uint8_t trigger;    /* enum cut_trigger */
    uint8_t gapped;     /* the book was not SYNCED, or the recording broke, inside it */
    uint8_t from_kline; /* built from bars; buy_volume may be unknown: taker_known */
    uint8_t taker_known;
    uint8_t value_known; /* value covers the whole volume */
    uint8_t pad;
};
_Static_assert(sizeof(struct bucket) == 120, "stored");

enum {
    VCLOCK_STATE_BYTES = 6144,
    VCLOCK_EMPTY_MAX = 3600, /* most empty time buckets in a row */
    VCLOCK_WINDOW = 256,     /* buckets that the health is judged by */
    VCLOCK_WIDTHS_HELD = 4
};
#define VCLOCK_FALLBACK_MAX_NS (10 * NS_PER_S) /* so that the switch takes less than 10 s */
struct vclock {
    _Alignas(16) unsigned char state[VCLOCK_STATE_BYTES];
};

void vclock_init(struct vclock *vc, const struct bucket_spec *spec, uint16_t inst);
/* Tells the units, by which the quote volume of bars becomes the buckets' value (else it stays
 * unknown; so it does for inverse contracts, whose bars count the base currency there). */
void vclock_units(struct vclock *vc, const struct instrument *in);
/* Closes the next bucket that ends before `ev`; call until false. */
bool vclock_before(struct vclock *vc, const struct event *ev, struct bucket *out);
/* Accounts for `ev`; true if it completed a bucket (the event is part of it). */
bool vclock_after(struct vclock *vc, const struct event *ev, struct bucket *out);
/* Marks the open bucket as gapped. */
void vclock_gap(struct vclock *vc);
/* The unfinished bucket at the end of data (trigger CUT_END); false if it is empty. */
bool vclock_end(struct vclock *vc, struct bucket *out);
/* The open bucket so far (close_ts = the latest local time); NULL before the first event. */
const struct bucket *vclock_open(const struct vclock *vc);
/* Whether events of this kind (trade, aggregate trade, bar) fill the buckets in the present state,
 * and whether this very one would. */
bool vclock_counts(const struct vclock *vc, uint8_t kind);
bool vclock_takes(const struct vclock *vc, const struct event *ev);
/* End of a bar: its close time, where venues end it one millisecond before the next opens: that. */
int64_t kline_end_ns(const struct event *bar);

/* BUCKET_REFERENCE: the reference's bucket `ref` closed: the open bucket closes with its id and
 * time. False as long as there is none. Ids of the reference must rise. */
bool vclock_follow(struct vclock *vc, const struct bucket *ref, struct bucket *out);
/* Decisions on the size so far, and the event that puts number n (from 1) on a tape, before the
 * event that brought it about; false if it is not among the last VCLOCK_WIDTHS_HELD. */
int64_t vclock_widths(const struct vclock *vc);
bool vclock_width_event(const struct vclock *vc, int64_t n, struct event *out);

enum fallback_reason { FALLBACK_NONE = 0, FALLBACK_LAG = 1, FALLBACK_SLOW = 2 };
struct vclock_status {
    bool degraded;    /* time buckets, now */
    uint8_t reason;   /* enum fallback_reason of the last switch */
    int64_t since_ns; /* of the last switch or return */
    int64_t complete; /* own buckets complete in a row while degraded */
    int64_t switches, returns;
    int64_t size;         /* in force */
    int64_t widths;       /* decisions on the size */
    int64_t widths_taken; /* of these, found on the tape and different from our own */
};
void vclock_status(const struct vclock *vc, struct vclock_status *out);

/* Whether its close belongs to the next bucket already (cut by time, not behind an event). */
bool bucket_at_boundary(const struct bucket *b);
int128 bucket_value(const struct bucket *b);
int64_t bucket_duration_ns(const struct bucket *b);
bool bucket_empty(const struct bucket *b); /* no trade, bar or depth message in it */
uint64_t bucket_hash(const struct bucket *b, uint64_t before);
const char *bucket_trigger_name(uint8_t trigger); /* "time", "volume", ... */

/* "time=1", "time=0.5", "volume=10.5" (base units of `qty_unit`), "count=100", "update=50",
 * "adaptive=10.5", "reference"; then, separated by commas and in any order:
 *   limit=SECONDS                        volume, count, update: longest duration
 *   time=SECONDS, trades=N               adaptive: target time (30), least trades (20)
 *   time=SECONDS, least=SIZE, most=SIZE  online width (all but time and reference)
 *   fallback=SECONDS                     time buckets when the clock fails (at most 10 s)
 * False (and *why) on anything else. */
bool bucket_spec_parse(
    const char *text, int64_t qty_mant, uint8_t qty_exp, struct bucket_spec *out, const char **why);
/* Whether bars of this length can fill such buckets; *why says what would do. */
bool bucket_spec_fits_bar(const struct bucket_spec *spec, int64_t bar_ns, const char **why);

#endif
