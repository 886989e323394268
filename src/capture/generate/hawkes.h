/* hawkes.h: order flow whose events excite further events.
 *
 * Six kinds of event; the intensity of kind j is base_j + decay * sum_i children[i][j] * e_i(t),
 * where e_i counts past events of kind i, each fading as exp(-decay * age) (Hawkes 1971; Bacry,
 * Mastromatteo and Muzy 2015 for markets). children[i][j] is the mean number of j events that one i
 * event causes. Simulated exactly by thinning (Ogata 1981).
 *
 * Units      seconds. Ownership: plain state of the caller.
 * Invariant  the base intensities are such that the long-run rates are those asked for.
 */
#ifndef FATHOM_CAPTURE_GENERATE_HAWKES_H
#define FATHOM_CAPTURE_GENERATE_HAWKES_H

#include "base/rng.h"

enum flow_kind {
    FLOW_MARKET_BUY,
    FLOW_MARKET_SELL,
    FLOW_LIMIT_BID,
    FLOW_LIMIT_ASK,
    FLOW_CANCEL_BID,
    FLOW_CANCEL_ASK,
    FLOW_KINDS
};

struct hawkes {
    double base[FLOW_KINDS];    /* events a second */
    double excited[FLOW_KINDS]; /* e_i */
    double decay;               /* 1/s */
};

/* `rate`: events of all kinds a second in the long run. */
void hawkes_init(struct hawkes *h, double rate);
/* Time to the next event and its kind. */
double hawkes_next(struct hawkes *h, struct rng *r, enum flow_kind *kind);
/* Long-run rate of a kind at unit total rate; children[i][j] (for documentation and tests). */
double hawkes_share(enum flow_kind kind);
double hawkes_children(enum flow_kind cause, enum flow_kind effect);

#endif
