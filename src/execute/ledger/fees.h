/* fees.h: fee tiers by the traded value of the last 30 days.
 *
 *   fill -> day's value;   value of the 30 whole UTC days before -> tier -> maker and taker rate
 *
 * Units      value in quote currency x 1e-12, rates 1e-16 (positive = cost, negative = rebate).
 * Time       the venue's; days are UTC. The day of the fill itself does not count: venues set the
 *            tier once a day from the days before.
 * Ownership  plain structs. Threads: one.
 * Limits     FEE_TIERS_MAX rows.
 */
#ifndef FATHOM_EXECUTE_LEDGER_FEES_H
#define FATHOM_EXECUTE_LEDGER_FEES_H

#include <stdbool.h>
#include <stdint.h>

#include "execute/ledger/ledger.h"

enum { FEE_TIERS_MAX = 16, FEE_DAYS = 30 };

struct fee_tier {
    money_t from; /* value of 30 days at or above this */
    struct ledger_fees rates;
};

/* tier[0].from is 0, then rising; rows = 0: one flat rate that others know. */
struct fee_table {
    struct fee_tier tier[FEE_TIERS_MAX];
    uint32_t rows;
    uint32_t pad;
};

/* Values of the last days; day[] is a ring by UTC day number. */
struct fee_volume {
    int64_t today; /* day number of the newest value; 0 = none yet */
    int64_t pad;
    money_t before; /* done before the run, taken as of the day before its first fill */
    money_t day[FEE_DAYS + 1];
};

/* True if the rows are in order. */
bool fee_table_good(const struct fee_table *t);
/* Days move on to that of ts; then the value of the 30 days before it. */
money_t fee_volume_30d(struct fee_volume *v, ts_t ts);
/* Adds a fill's value (>= 0) to the day of ts. False: the sum does not fit. */
bool fee_volume_add(struct fee_volume *v, ts_t ts, money_t value);
/* The row in force at such a value. */
struct ledger_fees fee_rates(const struct fee_table *t, money_t value_30d);

#endif
