/* pipeline_sinks.h: where the records of a run go: CSV files and the running sums of the report.
 *
 * Units      sums in 1e-12 of the settlement asset.
 * Ownership  plain struct of the pipeline; files are closed by sinks_close.
 */
#ifndef FATHOM_PROGRAM_PIPELINE_SINKS_H
#define FATHOM_PROGRAM_PIPELINE_SINKS_H

#include <stdio.h>

#include "execute/engine/engine.h"
#include "program/fill_log.h"
#include "program/run_result.h"

struct sinks {
    struct run_result *r;
    struct engine *engine;
    FILE *fills, *orders, *equity, *decisions;
    struct fill_log log;
    err_t failed; /* a value did not fit, memory ran out */
    int64_t hold_lots;
    /* equity */
    bool priced; /* a first equity was seen */
    int128 peak;
    double first_mid, period_start, period_hold;
    int64_t period;
    int64_t period_ns;
};

MUST_USE err_t sinks_open(struct sinks *s, struct run_result *r, const char *folder,
    int64_t hold_lots, int64_t period_ns, struct err_info *e);
/* engine_io.sink with ctx = struct sinks. */
void sinks_record(void *ctx, const struct engine_record *rec);
/* After each bucket; mid2 = bid + ask in price units, 0 = unknown. */
void sinks_bucket(struct sinks *s, const struct bucket *b, int64_t mid2);
/* After fill_log_end: orders still open go out, files are closed, sums and counters go into the
 * result. */
MUST_USE err_t sinks_close(struct sinks *s, struct err_info *e);
void sinks_abort(struct sinks *s);

#endif
