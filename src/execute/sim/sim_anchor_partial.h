/* sim_anchor_partial.h: the anchor's exchange with partial fills, each of its defects a switch.
 *
 * Units      quantity and price units. Time: axis. Threads: one.
 * Why        hftbacktest's PartialFillExchange is the field's reference; to compare with it, and to
 *            show what each defect costs, every one can be turned off alone. All on equals it.
 *
 * | switch         | on (the anchor)                            | off                          |
 * |----------------|--------------------------------------------|------------------------------|
 * | filled_only    | our side books a fill only when it         | every fill is reported       |
 * |                | completes the order, by that fill's size   |                              |
 * | one_response   | a sweep reports its last level only        | one fill a level             |
 * | ghosts         | an order filled exactly by a print stays;  | it is gone                   |
 * |                | the next hit ends the run (code 14)        |                              |
 * | gtc_at_limit   | a GTC order beyond the levels before its   | takes what is displayed, the |
 * |                | limit fills whole at the limit             | remainder rests              |
 * | market_ticks   | a market order looks so many ticks from    | 0: the whole side            |
 * |                | the best (100), the rest expires           |                              |
 *
 * What stays in all cases: taken liquidity is not removed, a print through the price fills whole,
 * every own order sees the full print.
 */
#ifndef FATHOM_EXECUTE_SIM_SIM_ANCHOR_PARTIAL_H
#define FATHOM_EXECUTE_SIM_SIM_ANCHOR_PARTIAL_H

#include <stdbool.h>
#include <stdint.h>

struct anchor_partial {
    bool on; /* false: the anchor's exchange without partial fills; the rest is not read */
    bool filled_only, one_response, ghosts, gtc_at_limit;
    uint8_t pad[3];
    int64_t market_ticks;
};
static const struct anchor_partial ANCHOR_PARTIAL = {.on = true,
    .filled_only = true,
    .one_response = true,
    .ghosts = true,
    .gtc_at_limit = true,
    .market_ticks = 100};

struct sim_order;
struct sim_seat;

/* A print can execute `lots` of a resting order (more than its leaves may be offered). True: it is
 * gone from the book of own orders. A filled order that is hit again is a fault of the world
 * (WORLD_ORDER_STATUS). */
bool anchor_partial_hit(struct sim_seat *s, int side, uint32_t i, int64_t lots, int64_t ts);
/* The whole remainder of a resting order, which leaves the book. */
void anchor_partial_whole(struct sim_seat *s, int side, uint32_t i, int64_t ts);
/* A marketable order (market, or limit at or through the best) meets the book. True: a remainder is
 * left that has to rest. */
bool anchor_partial_take(struct sim_seat *s, struct sim_order *o, int64_t ts);

#endif
