#include "execute/sim/impact.h"

#include <math.h>

#include "base/check.h"
#include "base/dmath.h"
#include "execute/order/order.h"

int64_t impact_left(int64_t lots, int64_t age_ns, int64_t half_life_ns) {
    CHECK(half_life_ns > 0 && lots >= 0);
    if (age_ns <= 0) return lots;
    double left = (double)lots * dm_pow(2.0, -(double)age_ns / (double)half_life_ns);
    return (int64_t)floor(left + 0.5);
}

int64_t impact_shift(const struct impact_spec *s, int64_t net, int side, int64_t px, int64_t tick) {
    CHECK(tick > 0);
    if (s->shape == IMPACT_NONE || net == 0 || (net > 0) != (side == SIDE_BUY)) return 0;
    double share = fabs((double)net) / s->volume;
    double bps = s->bps * (s->shape == IMPACT_SQRT ? sqrt(share) : share);
    double ticks = ceil((double)px * bps / 1e4 / (double)tick - 1e-9);
    double most = (double)(px / tick - 1); /* a price stays a price */
    if (!(ticks < most)) ticks = most;
    return ticks > 0 ? (int64_t)ticks * tick : 0;
}
