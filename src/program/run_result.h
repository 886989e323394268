/* run_result.h: what a run found, before it is written down (docs/formats/run.md names the same
 * keys).
 *
 * Units      money in 1e-12 of the settlement asset; series in the same asset as doubles (figures
 * for the eye); NaN = not measurable. Ownership  run_result_fini frees the series.
 */
#ifndef FATHOM_PROGRAM_RUN_RESULT_H
#define FATHOM_PROGRAM_RUN_RESULT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/instrument.h"
#include "base/json_out.h"
#include "base/unit.h"
#include "learn/study/scorecard.h"
#include "program/sampler.h"

enum run_stage {
    STAGE_EVENTS,
    STAGE_BOOKS,
    STAGE_BUCKETS,
    STAGE_FEATURES,
    STAGE_PREDICTIONS,
    STAGE_ORDERS,
    STAGE_FILLS,
    STAGE_LEDGER,
    STAGE_COUNT
};
extern const char *const run_stage_name[STAGE_COUNT];

enum { RUN_WAIT_BINS = 24, RUN_REASONS_MAX = 64, RUN_FIRST_FILLS = 15, RUN_COUNTS_MAX = 64 };

/* Columns of the equity sampler. */
enum run_column { RUN_TS_S, RUN_NET, RUN_GROSS, RUN_HOLD, RUN_DRAWDOWN, RUN_MID };
enum run_use_column { RUN_USE_TS_S, RUN_USE_BALANCE, RUN_USE_UPKEEP, RUN_USE_SHARE };

/* Horizons of mark-outs, bins of the queue ahead when an order came to rest: none, up to 1, 10,
 * 100, 1000 times the order's quantity, more; their mark-outs are those after RUN_AHEAD_MARK_NS. */
enum { RUN_MARKS = 3, RUN_AHEAD_BINS = 6 };
#define RUN_AHEAD_MARK_NS (10 * NS_PER_S)

struct run_mean { /* of figures in bps */
    uint64_t n;
    int64_t sum_e4;
    double square;
};

/* Sums over the fills of fills.csv; [maker] = 0 taker, 1 maker; mark[..][0] = at the report. */
struct run_fills {
    uint64_t count[2], unmarked[RUN_MARKS];
    int128 fee[2], value[2];
    struct run_mean mark[2][1 + RUN_MARKS];
    struct run_mean ahead[RUN_AHEAD_BINS];
};

struct run_fill_row { /* for the page */
    char time[32], side[8], px[48], qty[48], kind[8], fee[48], queue_start[48], queue_fill[48],
        wait_ms[32];
};

struct run_count {
    char name[64];
    uint64_t count;
};

/* What the account at the venue went through. */
struct run_margin {
    uint64_t refused, liquidations, fills, takeovers, canceled, insured, adl;
    uint64_t fundings, funding_told, funding_by_price, funding_unpriced;
    int128 clearance, insurance;
    double use_max; /* largest maintenance margin / balance; 0 = never any */
    int64_t use_max_ns;
};

enum { RUN_LIQUIDATIONS_MAX = 40 };
struct run_liquidation_row { /* for the page */
    char time[32], symbol[64], side[8], px[48], qty[48], how[16], fee[48];
};

/* sim.rules anchor: what its tables of known answers show (docs/simulator.md). */
struct run_anchor {
    bool on;
    uint64_t orders, fills, canceled, cancel_requests, expired, steps;
    uint64_t checksum, unhashed; /* anchor_sum.h; unhashed: fills it had no room for */
    int64_t position_lots;
    int128 balance, fee; /* balance in the anchor's sign: inverse instruments count it negated */
};

struct run_result {
    struct instrument inst;
    bool bars;
    int64_t first_ns, last_ns;
    uint64_t stage[STAGE_COUNT];
    uint64_t tape_hash;
    /* money */
    int128 equity_start, equity_end, fees, funding, rounding, turnover, max_drawdown;
    int128 spread, slippage;
    int128 insured;     /* losses beyond the account that the venue took over, in net */
    int128 revaluation; /* several instruments: what the deposits gained by a new price of theirs */
    int64_t position_end, position_max; /* largest absolute one */
    uint64_t positions_open;            /* several instruments: how many end with a position */
    uint64_t fills, maker_fills, orders, cancels, rejects, buckets, events, predictions;
    uint64_t ignored_reorder; /* events beyond the reorder window */
    int64_t clock_offset_ns;
    double clock_drift_ppm; /* with sim.clock_window_s: from first to last window, else 0 */
    int64_t clock_range_ns; /* largest less smallest offset of the windows */
    uint64_t wire_rejects, wire_lost; /* requests refused or lost on the way */
    /* series */
    struct sampler *equity;
    double *pnl;  /* net profit of each whole period of period_s */
    double *hold; /* buy and hold's, same periods */
    size_t periods, periods_cap;
    double period_s;
    double wait[RUN_WAIT_BINS]; /* passive fills by wait, RUN_WAIT_WIDTH_S a bin, last = longer */
    double wait_width_s;
    struct run_fills log;
    struct run_margin margin;    /* of the account: of a run, not of its parts */
    struct sampler *use;         /* margin over time: ts_s, balance, maintenance, their ratio */
    rate_t fee_maker, fee_taker; /* flat rates in force; of the first instrument */
    size_t liquidation_rows;
    struct run_liquidation_row liquidation[RUN_LIQUIDATIONS_MAX];
    struct run_anchor anchor;
    int64_t mid2_end; /* bid + ask at which equity_end is marked; 0 = no price */
    size_t fill_rows;
    struct run_fill_row fill_row[RUN_FIRST_FILLS];
    size_t reasons;
    struct run_count reason[RUN_REASONS_MAX];
    /* figures */
    double sharpe, sortino, calmar, hit_rate, payoff, psr, dsr, t_stat, hold_net;
    uint64_t trials;
    struct scorecard score;
    struct run_result *part; /* several instruments: one each, in the order of the configuration */
    size_t parts;
};

MUST_USE err_t run_result_init(struct run_result *r, struct err_info *e);
void run_result_fini(struct run_result *r);
/* Ends the present period with these profits. */
MUST_USE err_t run_result_period(struct run_result *r, double pnl, double hold, struct err_info *e);

static inline int128 run_net(const struct run_result *r) { return r->equity_end - r->equity_start; }
/* At the prices really traded, before fees and funding (funding received is positive). */
static inline int128 run_gross(const struct run_result *r) {
    return run_net(r) + r->fees + r->rounding - r->funding - r->revaluation - r->insured;
}
static inline int128 run_paper(const struct run_result *r) {
    return run_gross(r) - r->spread - r->slippage;
}

double run_mean_bps(const struct run_mean *m);       /* NaN without a fill */
double run_mean_error_bps(const struct run_mean *m); /* standard error; NaN below 2 */

/* The members of result.json, into an open object. */
void run_result_json(const struct run_result *r, struct json_out *j);
/* The object of stage hashes. */
void run_stages_json(const struct run_result *r, struct json_out *j);

#endif
