/* ledger.h: exact position, cash, fees, funding and profit of one instrument in one account.
 *
 *   fill -> cash flow (exact ratio -> 1e-12, rounded once, against the account)
 *        -> position, cost of the open position, realised profit
 *        -> fee (maker or taker rate x value, rounded once, against the account)
 *   funding -> cash flow
 *
 * Units      money int128 x 1e-12 of the settlement asset; rates int64 x 1e-16; mark 1e-10.
 * Time       none: rows come in order.
 * Ownership  open struct of plain bytes without pointers; save = memcpy. Threads: one.
 * Invariant  after every row
 *              cash + cost + fees + funding + clearance + rounding = deposits + realised +
 * insurance where cost is the signed value paid for the open position (ledger_check, called after
 *            every row by its owners; recomputed there from separate sums of all rows). With the
 *            position at a mark value M, M - cost comes on both sides: cash + M is the equity.
 * Limits     a row whose money does not fit 127 bits is refused (ERR_FULL), the ledger unchanged.
 * Why        linear: value = price x quantity x contract. Inverse: value = contract x quantity /
 *            price in the base asset, with the sign of the flow reversed (a long position is a debt
 *            of quote currency). A division leaves a remainder: the fair row is the nearest unit
 *            (ties away from zero), the account gets the unit below; the difference, 0 or 1 unit,
 *            goes to `rounding`.
 */
#ifndef FATHOM_EXECUTE_LEDGER_LEDGER_H
#define FATHOM_EXECUTE_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/instrument.h"

struct ledger_fees {
    rate_t maker, taker; /* positive = cost, negative = rebate */
};

struct ledger {
    /* balances */
    money_t deposits, cash;
    money_t fees;     /* paid so far, fair value; negative = earned rebates */
    money_t funding;  /* paid so far, fair value; negative = received */
    money_t rounding; /* what rounding against the account has cost */
    money_t realised; /* before fees and funding */
    money_t cost;     /* signed: paid for the open position (inverse: minus what it brought) */
    /* separate sums over all rows, for the check */
    money_t bought, sold; /* fair flows of buys and of sells: cash went out, came in */
    money_t turnover;     /* sum of |value| */
    int64_t bought_lots, sold_lots;
    int64_t position; /* quantity units, long > 0 */
    uint64_t fills, maker_fills, funding_rows, rounded_rows;
    struct ledger_fees rates;
    int64_t pad; /* zero */
    /* ---- of liquidations; hashed once there was one */
    money_t clearance; /* the venue's fee for liquidating, paid so far */
    money_t insurance; /* losses beyond the account that the venue took over */
    uint64_t liquidations, insured;
};
_Static_assert(offsetof(struct ledger, clearance) == 240, "hashed without holes");
_Static_assert(sizeof(struct ledger) == 288, "hashed without holes");

void ledger_init(struct ledger *l, const struct ledger_fees *fees, money_t deposit);

/* Value of qty at px in the settlement asset: the exact ratio rounded to the nearest unit; *exact
 * says whether nothing was lost. ERR_FULL if it does not fit. */
MUST_USE err_t ledger_value(
    const struct instrument *in, price_t px, qty_t qty, money_t *value, bool *exact);

/* One fill. *fee (may be NULL) is the fair fee. `fee_given` other than NULL replaces our rates by
 * the venue's own row. Errors leave the ledger as it was. */
MUST_USE err_t ledger_fill(struct ledger *l, const struct instrument *in, int side, price_t px,
    qty_t qty, bool maker, const money_t *fee_given, money_t *fee);

/* Settled funding of the present position: longs pay rate x value at mark when rate > 0. */
MUST_USE err_t ledger_funding(
    struct ledger *l, const struct instrument *in, int64_t mark_e10, rate_t rate, money_t *paid);

/* The same of a given position: the venue's own at the instant of settlement. */
MUST_USE err_t ledger_funding_of(struct ledger *l, const struct instrument *in, int64_t position,
    int64_t mark_e10, rate_t rate, money_t *paid);

/* The clearance fee of a liquidation fill that ledger_fill has booked; *paid may be NULL. */
MUST_USE err_t ledger_clearance(struct ledger *l, const struct instrument *in, price_t px,
    qty_t qty, rate_t rate, money_t *paid);
/* The venue takes over a loss (amount > 0). */
MUST_USE err_t ledger_insure(struct ledger *l, money_t amount);

MUST_USE err_t ledger_deposit(struct ledger *l, money_t amount);

/* Position value at a price (signed like cost), nearest unit. */
MUST_USE err_t ledger_mark(
    const struct ledger *l, const struct instrument *in, price_t px, money_t *value);
/* The same at (bid + ask) / 2 given as bid + ask. */
MUST_USE err_t ledger_mark2(
    const struct ledger *l, const struct instrument *in, price_t px_twice, money_t *value);
/* The same at a price x 1e-10 (a mark). */
MUST_USE err_t ledger_mark_e10(
    const struct ledger *l, const struct instrument *in, int64_t px_e10, money_t *value);
/* cash + position value. */
static inline money_t ledger_equity(const struct ledger *l, money_t position_value) {
    return (money_t){l->cash.e12 + position_value.e12};
}

/* Trading fees and clearance fees together. */
static inline money_t ledger_fees_all(const struct ledger *l) {
    return (money_t){l->fees.e12 + l->clearance.e12};
}

/* True if every identity holds to the last unit. */
bool ledger_check(const struct ledger *l);
uint64_t ledger_hash(const struct ledger *l, uint64_t before);

#endif
