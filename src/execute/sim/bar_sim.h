/* bar_sim.h: the exchange behind the port when the tape holds bars only.
 *
 *   order sent at a bar's close -> fills at the NEXT bar's open, worse by the slippage rate
 *
 * A bar shows neither book nor queue, so only market orders are taken; limit orders are rejected,
 * and a bar without volume (a halt) fills nothing: the order waits for the next one.
 *
 * Units      price and quantity units; slippage in 1e-6 of the price, rounded against us to a tick.
 * Time       the report's stamps are the bar's open time.
 * Ownership  one open struct of plain bytes. Threads: one.
 * Limits     BAR_SIM_PENDING orders wait at once; a further send is refused.
 * Why        pessimistic by default: never the close that triggered the decision, never inside the
 * bar.
 */
#ifndef FATHOM_EXECUTE_SIM_BAR_SIM_H
#define FATHOM_EXECUTE_SIM_BAR_SIM_H

#include "base/instrument.h"
#include "execute/order/order.h"

enum { BAR_SIM_PENDING = 64 };

struct bar_sim {
    int64_t slippage_e6;
    int64_t tick_units;
    uint32_t pending_count;
    uint32_t pad;
    struct order_request pending[BAR_SIM_PENDING];
    uint64_t fills, rejects, waited;
};

void bar_sim_init(struct bar_sim *b, const struct instrument *in, int64_t slippage_e6);
/* Port of this exchange; `b` must stay in place. */
struct order_port bar_sim_port(struct bar_sim *b);
/* Reports of one bar, at most BAR_SIM_PENDING events of two slots each; to be given to the engine
 * before the bar itself. Returns the number of events. */
unsigned bar_sim_on_kline(
    struct bar_sim *b, const struct event *kline, struct event out[2 * BAR_SIM_PENDING]);

#endif
