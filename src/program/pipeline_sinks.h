/* pipeline_sinks.h: where the records of a run go: CSV files and the running sums of the report.
 *
 * Units      sums in 1e-12 of the settlement asset.
 * Ownership  plain struct of the pipeline; files are closed by sinks_close.
 */
#ifndef FATHOM_PROGRAM_PIPELINE_SINKS_H
#define FATHOM_PROGRAM_PIPELINE_SINKS_H

#include <stdio.h>

#include "execute/engine/engine.h"
#include "execute/sim/anchor_sum.h"
#include "program/fill_log.h"
#include "program/run_result.h"

/* The tables of a run folder, shared by its instruments; all NULL = none are written. */
struct sink_files {
    FILE *fills, *orders, *equity, *decisions;
};

/* The series of an equity: drawdown, sampled curve, profit of each period. */
struct sinks_curve {
    struct run_result *r;
    bool priced; /* a first equity was seen */
    int128 peak;
    double period_start, period_hold;
    int64_t period;
    int64_t period_ns;
    err_t failed; /* a value did not fit, memory ran out */
};

/* What the account of all instruments is worth now. */
struct sinks_money {
    int128 net, gross, fees, funding; /* funding: paid */
};

struct sinks {
    struct run_result *r;
    struct engine *engine;
    struct sink_files files;
    struct fill_log log;
    struct sinks_curve curve;
    struct anchor_sum anchor; /* with r->anchor.on */
    int64_t hold_lots;
    double first_mid;
    char symbol[64]; /* VENUE:SYMBOL, the last column of every table */
    /* Rows of equity.csv tell the account; NULL: the instrument's own money is all of it. False:
     * nothing prices it now. */
    bool (*account)(void *ctx, int64_t ts_ns, struct sinks_money *out);
    void *account_ctx;
    /* Margin at the venue, at each bucket; false: none is kept. */
    bool (*use)(void *ctx, const struct sinks *s, int64_t ts_ns, int128 *balance, int128 *upkeep);
};

MUST_USE err_t sink_files_open(struct sink_files *f, const char *folder, struct err_info *e);
MUST_USE err_t sink_files_close(struct sink_files *f, struct err_info *e);
void sink_files_abort(struct sink_files *f);

void sinks_curve_init(struct sinks_curve *c, struct run_result *r, int64_t period_ns);
/* ts_ns may run back a little between instruments; money in 1e-12. */
void sinks_curve_add(
    struct sinks_curve *c, int64_t ts_ns, int128 net, int128 gross, double hold, double mid);

/* r->inst is known; files belong to the caller. */
void sinks_init(struct sinks *s, struct run_result *r, const struct sink_files *files,
    int64_t hold_lots, int64_t period_ns);
/* engine_io.sink with ctx = struct sinks. */
void sinks_record(void *ctx, const struct engine_record *rec);
/* After each bucket; mid2 = bid + ask in price units, 0 = unknown. */
void sinks_bucket(struct sinks *s, const struct bucket *b, int64_t mid2);
/* After fill_log_end: orders still open go out, sums and counters go into the result. */
MUST_USE err_t sinks_finish(struct sinks *s, struct err_info *e);
void sinks_abort(struct sinks *s);

#endif
