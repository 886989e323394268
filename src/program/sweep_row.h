/* sweep_row.h: what is kept of one parameter set, in memory and as a line of the part file.
 *
 * Units      money 1e-12 of the settlement asset, quantities in units of the instrument, profit
 *            series in the settlement asset.
 * Ownership  sweep_row_free frees the series.
 * Invariant  a row that went through its line is the same to the last bit.
 */
#ifndef FATHOM_PROGRAM_SWEEP_ROW_H
#define FATHOM_PROGRAM_SWEEP_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json_out.h"
#include "program/run_result.h"

enum { SWEEP_POINTS_MAX = 1024, SWEEP_WHY_MAX = 200 };

struct sweep_row {
    bool done;                  /* else it was not reached */
    char failed[SWEEP_WHY_MAX]; /* why the set could not be run to its end; "" = it was */
    int128 net, gross, fees, funding, spread, slippage, turnover, max_drawdown;
    int64_t position_end, position_max;
    uint64_t fills, maker_fills, orders, cancels, rejects;
    uint64_t orders_hash, fills_hash, ledger_hash, config_hash;
    int64_t first_ns, last_ns, period_ns; /* of the data, and of one sampling period */
    /* Per sampling period, after costs; NaN = not measurable. */
    uint64_t periods;
    double sharpe, skew, kurtosis, psr, t_stat;
    double maker_mark_10s, taker_mark_10s;
    size_t points;  /* of pnl: periods summed in equal blocks, at most SWEEP_POINTS_MAX */
    uint64_t block; /* periods a point */
    double *pnl;
};

/* From a finished run; deposit in the settlement asset. */
void sweep_row_take(struct sweep_row *row, const struct run_result *r, double deposit);
void sweep_row_json(const struct sweep_row *row, size_t set, struct json_out *j);
/* False if the line is no row (torn by a crash). */
bool sweep_row_parse(const char *line, size_t n, size_t *set, struct sweep_row *row);
void sweep_row_free(struct sweep_row *row);

#endif
