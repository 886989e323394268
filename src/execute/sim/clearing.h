/* clearing.h: one account at the simulated venue, over all worlds (instruments) of a run.
 *
 *   world: fill, mark, settled funding --> margin account --> margin call: cancel, liquidate
 *   world: order arrives               --> initial margin --> taken or WHY_MARGIN
 *
 * Mark       the last recorded mark. Before the first one (data may hold none) the value is the mid
 * of the exchange's book after each depth message, at a bar's open and, for liquidation, at the
 * bar's extreme against the position. Funding    settled at the venue's instant on the position
 * that the venue has then; fills at the very instant come after it. The rate is the recorded
 * settled one; where the data hold none, the last rate that was told before the instant (the
 * venue's final estimate). A rate for an instant that has not come is never booked. Intervals are
 * never assumed: the instants are those of the data. Without a mark the last market price is taken
 *            (counted); without that nothing is booked (counted).
 * Liquidation  when a pool's balance falls below its maintenance margin at a mark: all its open
 *            orders are cancelled, then positions are reduced, largest maintenance first, each down
 *            to the next lower tier, through the venue's book as taker with the clearance fee, at
 *            the bankruptcy price or better. What the book does not take there, the venue takes
 *            over at the bankruptcy price, without a fee; if that is worse than the mark, its
 *            insurance pays the difference: beyond insurance_e12 the ADL flag is set
 *            (counterparties would be deleveraged; none of them is ours). A balance below zero with
 *            no position left is brought to zero by the insurance. Isolated positions go whole.
 * Reports    REPORT_FUNDING, REPORT_LIQUIDATION, REPORT_INSURED travel as order reports do.
 * Ownership  plain struct of the caller, which outlives the worlds that joined. Threads: one.
 * Limits     MARGIN_LEGS_MAX instruments, MARGIN_ASSETS_MAX assets.
 */
#ifndef FATHOM_EXECUTE_SIM_CLEARING_H
#define FATHOM_EXECUTE_SIM_CLEARING_H

#include "base/instrument.h"
#include "execute/ledger/margin.h"
#include "execute/sim/meter.h"
#include "execute/sim/world.h"

struct clearing_rules {
    struct margin_rules margin;
    struct ledger_fees fees; /* flat rates, where margin.fees has no rows */
    bool funding;            /* book settlements at all */
    bool funding_told;       /* by the last rate before the instant: the data hold no settled one */
    uint8_t asset;
    uint8_t pad[4];
};

struct clearing_leg {
    struct world *world;
    uint32_t seat;
    bool funding, funding_told;
    bool marked; /* a mark was recorded */
    uint8_t pad;
    int64_t next_ns, settled_ns; /* venue time */
    rate_t told;
    int64_t low_e10, high_e10; /* bars: of the last bar; 0 = none */
};

struct clearing_counters {
    uint64_t margin_refused, liquidations, liquidation_fills, takeovers, orders_canceled, insured;
    uint64_t fundings, funding_told, funding_by_price, funding_unpriced;
    uint64_t adl;
    int128 insurance; /* paid by the venue, at the mark, in the assets' own units */
};

struct clearing_use {       /* of margin, for a report */
    int128 balance, upkeep; /* of the cross pool of an asset */
};

struct clearing {
    struct margin_account account;
    struct clearing_leg leg[MARGIN_LEGS_MAX];
    struct clearing_counters counters;
    struct meter meter[VENUE_COUNT]; /* requests: the venue counts them over all instruments */
    money_t insurance_e12;           /* the fund; what goes beyond sets the ADL flag */
    bool touched;                    /* another world than the one that steps has new reports */
};

void clearing_init(struct clearing *c);
void clearing_deposit(struct clearing *c, uint8_t asset, money_t amount);
/* The account of a world's seat; before the world's first step. Returns the leg. */
uint32_t clearing_join(
    struct clearing *c, struct world *w, uint32_t seat, const struct clearing_rules *rules);
/* Of the cross pool of an asset. */
struct clearing_use clearing_use(const struct clearing *c, uint8_t asset);

#endif
