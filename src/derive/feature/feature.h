/* feature.h: the registry of streaming features and the engine that computes a set of them.
 *
 *   event -> book, vclock -> feature_on_event -> (bucket closed) -> feature_on_bucket -> float row
 *
 * A feature is one row of its family's table: name, unit, window, warm-up, source. A family is a
 * state machine in one file (feature_<family>.c). The four laws (truncation, warm-up, batch,
 * granularity) hold for every row and are tested for every row.
 *
 * To add a family: one file with its table and state machine, one line in registry.c. To add a
 * feature: one row at the end of a family's table (sets are signed by names, so old signatures
 * stay).
 *
 * Units      basis points = 1e4 x ratio; volumes in base units; money in quote units; rates per
 *            second.
 * Time       ts_local of events and buckets only.
 * Missing    NaN, counted; never infinite, never 0 in place of "unknown"; also before a feature's
 *            warm-up is over, so that no value depends on where the stream began.
 * Ownership  the caller gives `mem` (aligned 64); families' states hold no pointers; const tables
 *            (registry, instrument) stay outside the block.
 * Threads    one.
 * Invariant  a value depends on the events so far only, and not on how they were cut into calls.
 * Limits     FEATURE_MAX rows, FEATURE_FAMILIES_MAX families.
 */
#ifndef FATHOM_DERIVE_FEATURE_FEATURE_H
#define FATHOM_DERIVE_FEATURE_FEATURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"
#include "base/instrument.h"
#include "derive/book/book.h"
#include "derive/vclock/vclock.h"

enum { FEATURE_MAX = 1024, FEATURE_NAME_MAX = 64 };

enum feature_need { /* inputs a feature cannot do without */
    NEED_TRADE = 1,
    NEED_DEPTH = 2,
    NEED_TICKER = 4,
    NEED_MARK = 8,
    NEED_FUNDING = 16,
    NEED_LIQUIDATION = 32,
    NEED_OPEN_INTEREST = 64,
    NEED_KLINE = 128,
    NEED_SERIES = 256,
    NEED_TAKER = 512,      /* of bars: taker-buy volume */
    NEED_VALUE = 1024,     /* of bars: quote volume */
    NEED_RATIO = 2048,     /* long/short ratios */
    NEED_REFERENCE = 4096, /* prices of a reference instrument (feature_reference) */
    NEED_PEER = 8192,      /* books and trades of other venues (feature_on_peer) */
    NEED_OPTION = 16384    /* a chain of options on the underlying */
};

enum feature_clock { CLOCK_BUCKET = 0, CLOCK_TIME = 1, CLOCK_EVENT = 2 };

struct feature_def {
    const char *name; /* family_what_side_window_unit */
    const char *unit;
    const char *window;     /* "b20", "s60", "e50", "last" */
    const char *source;     /* paper, page, or document of the formula */
    const char *about;      /* one sentence with the formula */
    const char *missing;    /* when it is NaN */
    const char *capability; /* FEA1.. */
    uint32_t warmup;        /* buckets until the value no longer depends on the start of the stream;
                               seconds where clock is CLOCK_TIME */
    uint32_t needs; /* enum feature_need bits; any of NEED_TRADE|NEED_KLINE is met by bars where
                       bars_ok */
    uint16_t version;
    uint8_t clock;  /* enum feature_clock */
    bool bars_ok;   /* bars alone can carry it */
    bool recursive; /* warm-up is a decay: within 1e-9 relative after `warmup` */
    bool apart;     /* not in the fixed sets core, bars and ohlcv, whose signatures must stay */
};

enum { FEATURE_PEERS_MAX = 4 };

/* Another venue, or another contract on the same underlying, beside the instrument. */
struct feature_peer {
    const struct instrument *inst;
    const struct book *book;
    double px_unit, qty_unit;
};

/* What families see besides the event. */
struct feature_ctx {
    const struct instrument *inst;
    const struct book *book;
    double px_unit, qty_unit; /* instrument_px_unit, instrument_qty_unit */
    struct bucket_spec spec;
    size_t peers;
    struct feature_peer peer[FEATURE_PEERS_MAX];
};

enum { FEATURE_LEVELS = 20, FEATURE_FAMILIES_MAX = 32 };

/* What every family needs at a bucket's close, computed once by the engine. */
struct feature_view {
    struct book_level top[2][FEATURE_LEVELS]; /* best first; empty when !book_ok */
    size_t levels[2];
    int64_t mid2; /* best bid + best ask in price units; 0 when !book_ok */
    double mid;   /* quote; NaN when !book_ok */
    double px;    /* reference price: mid; last trade or bar close where no depth was ever seen */
    int64_t px2;  /* twice the reference price in price units, exact; 0 when it is missing */
    double ret;   /* 1e4 ln(px / px at the bucket before), NaN if either is missing */
    double reference; /* price of the reference instrument, at most a minute old; else NaN */
    bool book_ok;     /* SYNCED, both sides there */
    uint8_t pad[7];
};

struct feature_family {
    const char *name;
    const struct feature_def *defs;
    size_t count;
    uint32_t kinds; /* bit 1 << event_kind for each kind on_event wants */
    bool levels;    /* wants every EV_DEPTH; else only those with EVF_LAST */
    size_t (*state_size)(void);
    void (*init)(void *state, const struct feature_ctx *ctx);
    /* Any may be NULL. `change` is what book_apply said about this event. */
    void (*on_event)(void *state, const struct feature_ctx *ctx, const struct event *ev,
        const struct book_change *change);
    /* The same of a peer's event, already applied to its book; of depth only EVF_LAST. A family
     * that has this gets no events at all where there is no peer. */
    void (*on_peer)(void *state, const struct feature_ctx *ctx, size_t peer, const struct event *ev,
        const struct book_change *change);
    /* Writes count values (double; NaN = missing). */
    void (*on_bucket)(void *state, const struct feature_ctx *ctx, const struct feature_view *view,
        const struct bucket *b, double *out);
};

/* The registry: families in fixed order; index of a feature = position in the flat list. */
size_t feature_family_count(void);
const struct feature_family *feature_family(size_t i);
size_t feature_count(void);
const struct feature_def *feature_get(size_t index, const struct feature_family **family);
long feature_find(const char *name); /* index, -1 if unknown */

/* How the columns of a set are scaled before the cast (scale.h). */
enum feature_scaling { SCALE_NONE = 0, SCALE_Z = 1, SCALE_QUANTILE = 2 };
enum { SCALE_WINDOW_MIN = 10, SCALE_WINDOW_MAX = 10000, SCALE_WINDOW = 500 /* default */ };
struct feature_scale {
    uint32_t window; /* rows */
    uint8_t kind;    /* enum feature_scaling */
    bool session;    /* each session of the UTC day keeps its own window */
    uint8_t pad[2];
};
/* "none", or "z" or "quantile" with ":WINDOW" and ":session" behind it; false with the reason. */
bool feature_scale_parse(const char *text, struct feature_scale *out, const char **why);

/* Sessions of the UTC day: 0 Asia (00-08), 1 Europe (08-13), 2 America (13-21), 3 late (21-24). */
enum { FEATURE_SESSIONS = 4 };
int feature_session(ts_t ts);

/* A named, ordered set of features; its signature covers names, versions, windows, order and the
 * scaling, if there is one. */
struct feature_set {
    char name[32];
    size_t count;
    uint16_t index[FEATURE_MAX];
    struct feature_scale scale;
};
/* Longest text of a set: names joined by '+'. */
enum { FEATURE_SET_TEXT_MAX = 32768 };
/* "all", "core" (what trades and depth carry within minutes), "bars" (what bars alone carry),
 * "ohlcv" (the same without taker-buy and quote volume), the last three without rows that are
 * apart; a family name; or names and families joined by '+'. Behind it '@' and a scaling, as
 * "core@z:500:session". False if a word is unknown (*bad points into text). */
bool feature_set_parse(const char *text, struct feature_set *out, const char **bad);
uint64_t feature_set_signature(const struct feature_set *set);

struct feature_engine; /* head of mem; the families' states behind it */
size_t feature_engine_mem_size(const struct feature_set *set);
struct feature_engine *feature_engine_init(
    void *mem, const struct feature_set *set, const struct feature_ctx *ctx);
/* Copies the block to `out` with the addresses of this process cleared: equal states, equal bytes.
 */
void feature_engine_save(const struct feature_engine *fe, void *out);
/* `mem` holds saved bytes; NULL if they are no engine of this program's registry. */
struct feature_engine *feature_engine_load(void *mem, const struct feature_ctx *ctx);
void feature_on_event(
    struct feature_engine *fe, const struct event *ev, const struct book_change *change);
/* An event of ctx->peer[peer], already applied to its book; call stream_other where there is a
 * stream, so that buckets that end before are closed first. */
void feature_on_peer(struct feature_engine *fe, size_t peer, const struct event *ev,
    const struct book_change *change);
/* The reference instrument's price became `px` (quote) at `ts`; call stream_reference where there
 * is a stream, so that buckets that end before are closed first. */
void feature_reference(struct feature_engine *fe, ts_t ts, double px);
/* Fills row[set->count]; each value cast to float32 once. */
void feature_on_bucket(struct feature_engine *fe, const struct bucket *b, float *row);
/* The same values before the cast, scaled where the set is (tests, studies); row may be NULL in
 * feature_on_bucket. */
const double *feature_values(const struct feature_engine *fe);
const struct feature_set *feature_engine_set(const struct feature_engine *fe);
/* Columns' missing counters and rows so far. */
const uint64_t *feature_missing(const struct feature_engine *fe);
uint64_t feature_rows(const struct feature_engine *fe);
/* Rows until every bucket window of the set is full, that of the scaling included. Time and event
 * windows and recursive rows may take longer; no row holds a value that is not warm, whatever its
 * window: it is missing. */
uint32_t feature_set_warmup(const struct feature_set *set);

#endif
