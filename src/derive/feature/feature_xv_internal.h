/* feature_xv_internal.h: what the files of the family `xv` share: the venues as last seen, and
 * samples of their mids on one clock.
 *
 * Venue 0 is the instrument itself, 1.. are the peers in the order they were named. Rows of one
 * peer exist for the first XV_PAIRS; all peers enter the rows over venues.
 *
 * Time       local receive time: what we could have known. A sample at a multiple of XV_STEP_NS
 *            since 1970 holds what was known just before it; a quote older than XV_AGE_MAX_NS, of a
 *            book that is not synchronised, or locked, is none.
 * Quote      of book and ticker the one with the newer update id: depth comes in batches on some
 *            venues and each change at once on others, and who leads would be who batches less. A
 *            venue without depth has its tickers only.
 * Units      prices in the instrument's quote currency as written (USD and USDT are not told
 *            apart); quantities in base units: contracts of an inverse venue are worth their size
 *            over the price.
 * Gate       a peer's sample counts when both quotes are good and within XV_APART_BPS of each
 *            other. A peer is on when that holds now and held for XV_AGREE of the last XV_GATE
 *            samples; while it is off its values are missing. Nothing is on before XV_GATE samples.
 */
#ifndef FATHOM_DERIVE_FEATURE_FEATURE_XV_INTERNAL_H
#define FATHOM_DERIVE_FEATURE_FEATURE_XV_INTERNAL_H

#include "derive/feature/feature_internal.h"

enum { XV_VENUES = 1 + FEATURE_PEERS_MAX, XV_PAIRS = 2 };
enum {
    XV_RING = 1280, /* samples kept */
    XV_FAST = 600,  /* of them for lead and lag: 60 s */
    XV_SLOW = 1200, /* for the estimates: 120 s */
    XV_LAGS = 10,   /* steps either way */
    XV_ORDER = 5,   /* lags of the models */
    XV_GATE = 100
};
#define XV_STEP_NS (100 * NS_PER_MS)
#define XV_AGE_MAX_NS (2 * NS_PER_S)
#define XV_SLOW_NS (10 * NS_PER_S)
#define XV_APART_BPS 200.0
#define XV_AGREE 0.8
#define XV_SIGNIFICANT 0.01

struct xv_venue {
    bool good;          /* its book can be trusted */
    bool primed;        /* the last quote may be compared with the next (order flow) */
    bool torn;          /* order flow of this bucket is not whole */
    bool depth, trades; /* such events were seen: tickers, aggregate trades are not needed */
    uint8_t pad[3];
    int64_t ns;        /* receive time of the quote, or of what confirmed it */
    int64_t ticker_id; /* update id of the ticker that is ahead of the book; 0 = the book is */
    struct book_level level[2];
    double px[2];                      /* bid, ask */
    double volume, signed_volume, ofi; /* of the open bucket */
};

enum xv_sum { /* per bucket, over which windows are added up */
    XV_OWN_VOLUME,
    XV_OWN_SIGNED,
    XV_ALL_VOLUME,
    XV_ALL_SIGNED,
    XV_OWN_OFI,
    XV_ALL_OFI,
    XV_SAMPLES,
    XV_BEST_BID,
    XV_BEST_ASK,
    XV_RETURN_GAP,
    XV_OFF,
    XV_SUMS
};

/* Of one pair, from the slower clock. */
struct xv_slow {
    double info_low, info_high, component;
    double granger_in, granger_out, granger_direction;
};

struct xv_state {
    struct xv_venue venue[XV_VENUES];
    int64_t next_ns;                /* of the next sample; 0 before the first event */
    uint64_t n;                     /* samples taken */
    uint64_t opened;                /* n when the bucket opened */
    int64_t best[2], samples;       /* of this bucket: own bid, ask was the best; both were known */
    double mid[XV_VENUES][XV_RING]; /* 1e4 ln mid, NaN = none */
    double close[XV_VENUES];        /* the same at the last close */
    struct series basis[XV_PAIRS], sum[XV_SUMS];
    int64_t slot, slow_ns; /* of the last estimates */
    struct xv_slow slow[XV_PAIRS];
};

struct xv_lag {
    double at[2 * XV_LAGS + 1]; /* correlation at lag -XV_LAGS.. steps; positive: the peer leads */
    double peak_ms, lead_share;
};

/* The quote of a venue at `now`: 1e4 ln mid, NaN where it has none. */
double xv_log_mid(const struct xv_venue *v, int64_t now);
/* Takes the samples up to and including `now`. */
void xv_roll(struct xv_state *s, const struct feature_ctx *ctx, int64_t now);
/* An event of a venue, its book applied. */
void xv_event(struct xv_state *s, const struct feature_ctx *ctx, size_t venue,
    const struct event *ev, const struct book_change *change);
/* Share of the last XV_GATE samples in which the peer agreed; NaN before there are as many. */
double xv_consistency(const struct xv_state *s, size_t venue);
/* The last n samples of a venue, oldest first; false if one is missing. */
bool xv_window(const struct xv_state *s, size_t venue, size_t n, double *out);
/* All NaN where a sample is missing or one of both never moved. */
void xv_lead_lag(const struct xv_state *s, size_t venue, struct xv_lag *out);
void xv_estimate(const struct xv_state *s, size_t venue, struct xv_slow *out);

#endif
