/* market.h: the generated market: a fair price, makers who quote it, and order flow that does not
 * know it. Model and reasons: docs/generator.md.
 *
 *   fair price jumps (Poisson, sign from the latent of the signal) -> makers move -> book
 *   Hawkes flow (limit, cancel, market)                            -> book
 *   every change = one step: levels changed, fills, best prices
 *
 * Units      ticks, lots, ns of venue time. Ownership: market_open allocates, market_close frees.
 * Invariant  mid moves only when the fair price jumps. With strength 0 the sign of a jump is a fair
 *            coin and its time is a constant-rate Poisson process, both independent of everything
 *            else: no function of the past predicts the next mid return or its size.
 */
#ifndef FATHOM_CAPTURE_GENERATE_MARKET_H
#define FATHOM_CAPTURE_GENERATE_MARKET_H

#include "capture/generate/lob.h"

enum { MARKET_FILLS_MAX = 4096 };

struct market_params {
    uint64_t seed;
    int64_t start_ns;
    double rate;        /* order flow events a second */
    double jump_rate;   /* fair price jumps a second */
    double jump_ticks;  /* mean size of a jump, >= 1 */
    double strength;    /* correlation of the latent with the next bucket's mid return */
    int64_t bucket_ns;  /* length of the latent's bucket */
    int64_t first_tick; /* fair price at the start */
};

struct market;

/* A step's result: read the book through `book`. */
struct market_step {
    int64_t venue_ns;
    const struct lob *book; /* changes since the last step are in book->change */
    const struct lob_fill *fill;
    size_t fills;
    bool taker_buys; /* of the fills */
    bool jump;
};

enum { MARKET_STRENGTH_MAX_PERCENT = 50 };

/* NULL: no memory. */
struct market *market_open(const struct market_params *p);
void market_close(struct market *m);
/* The next change of the book. */
void market_next(struct market *m, struct market_step *out);

/* The latent of bucket k = [k, k + 1) x bucket_ns since 1970: it can be seen in the book at the end
 * of bucket k and tilts the jumps inside bucket k + 1. Standard normal. */
double market_latent(uint64_t seed, int64_t k);
/* Probability of an upward jump is (1 + market_tilt x latent) / 2, cut to [0, 1]. */
double market_tilt(const struct market_params *p);

#endif
