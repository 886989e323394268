/* impact.h: what our own taking does to a replayed market; strict rules, off by default.
 *
 * Recorded quantities do not know us. Without a model what we took of a level is gone until the
 * data name the level again. Two models go further:
 *
 * TRANSIENT  the hole stays and fills with a half-life, whatever the data say of the level:
 *              gone(t) = taken x 2^(-t / half_life)
 *            (exponential resilience: Obizhaeva and Wang 2013, J. Financial Markets 16).
 * PERMANENT  prices move by what we took before, net of what we gave, Q, against a volume V:
 *              linear  bps x |Q| / V          (Kyle 1985, Econometrica 53)
 *              sqrt    bps x sqrt(|Q| / V)    (Toth et al. 2011, Physical Review X 1, 021006)
 *            Each further order on the same side takes displayed levels that much worse, rounded to
 *            the tick against us, and not beyond its limit. Orders on the other side gain nothing:
 *            a move in our favour is not paid.
 *
 * Units      quantity and price units; bps 1e-4 of the price. Time: ns. Threads: pure functions.
 * Limits     resting orders fill as without it: they wait, they do not push.
 */
#ifndef FATHOM_EXECUTE_SIM_IMPACT_H
#define FATHOM_EXECUTE_SIM_IMPACT_H

#include <stdint.h>

enum impact_shape { IMPACT_NONE = 0, IMPACT_LINEAR = 1, IMPACT_SQRT = 2 };

struct impact_spec {
    int64_t half_life_ns; /* 0 = no transient model */
    double bps;           /* of the permanent one: at Q = V */
    double volume;        /* V in quantity units, > 0 */
    uint8_t shape;        /* enum impact_shape */
    uint8_t pad[7];
};

/* What is still gone of `lots` after age_ns, to the nearest unit. half_life_ns > 0. */
int64_t impact_left(int64_t lots, int64_t age_ns, int64_t half_life_ns);
/* How much worse than displayed an order of `side` trades at px, >= 0, a multiple of tick. `net`:
 * bought less sold by taking, before this order. */
int64_t impact_shift(const struct impact_spec *s, int64_t net, int side, int64_t px, int64_t tick);

#endif
