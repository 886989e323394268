/* pipeline.h: the one page where the path is wired: tape -> book, clock, features -> model ->
 * strategy -> gates, risk -> orders -> simulated exchange -> ledger -> sinks.
 *
 * The same loop serves replay, backtest and verification; what differs is the event source (two
 * cursors on a tape, or bars), the order port and the sinks.
 *
 * Several parameter sets may sit on one replay: they share the tape, books, buckets, features and
 * predictions, and each has its own strategy, limits, fees, orders and money.
 *
 * Memory     one block each for stream, engine and exchange, sized at the start; fanout.h has the
 *            events that wait.
 * Invariant  a result depends on tape, configuration and models only: a set in company gives the
 *            bits of a run of its own.
 */
#ifndef FATHOM_PROGRAM_PIPELINE_H
#define FATHOM_PROGRAM_PIPELINE_H

#include "base/config.h"
#include "derive/feature/stream.h"
#include "program/run_result.h"
#include "program/run_study.h"

struct pipeline_options {
    const struct config *cfg;
    const char *tape;                /* data.tapes of cfg, if given, is used instead */
    const char *const *tapes;        /* several as one, by receive time, instead of `tape` */
    size_t n_tapes;                  /* 0 = `tape` */
    const struct run_models *models; /* NULL: no predictions */
    const char *folder;              /* fills.csv, orders.csv, equity.csv go here; NULL: none */
    bool quiet;
    size_t periods; /* at least so many sampling periods of profit, shorter than a minute (or the
                     * bucket's time) where the data are short; 0 = whatever a minute gives */
};

enum { PIPELINE_SPANS_MAX = 20, PIPELINE_SETS_MAX = 63 }; /* one seat of the world is the clock's */

/* One set. Its configuration may differ from pipeline_options.cfg, which says what all share, in
 * strategy., intent., risk., account. and fees. keys and funding.on; the others are not read. */
struct pipeline_set {
    const struct config *cfg;
    struct run_result *out;
    const char *folder; /* as pipeline_options.folder */
};

/* Neighbouring buckets that hold a gap: nothing is traded on them, labels inside are missing. */
struct pipeline_span {
    int64_t from_ns, to_ns;
    int64_t buckets;
};

struct pipeline_facts { /* what the data section of a report tells besides the result */
    struct book_counters book;
    enum book_state book_state;
    size_t features;
    uint64_t rows;
    double missing[FEATURE_MAX]; /* share of rows, in set order */
    struct feature_set set;
    uint64_t trigger[16]; /* buckets by enum cut_trigger */
    uint64_t gapped;      /* buckets that hold a gap */
    uint64_t spans;       /* runs of such buckets; the first ones: */
    struct pipeline_span span[PIPELINE_SPANS_MAX];
    int64_t last_gapped; /* id of the last such bucket */
};

/* ERR_INPUT: a damaged tape (its place is named), no such symbol; ERR_USAGE: configuration that
 * does not fit the instrument. */
MUST_USE err_t pipeline_run(const struct pipeline_options *opt, struct run_result *out,
    struct pipeline_facts *facts, struct err_info *e);

MUST_USE err_t pipeline_run_sets(const struct pipeline_options *opt, const struct pipeline_set *set,
    size_t n, struct pipeline_facts *facts, struct err_info *e);

/* The instrument of data.symbol (or the only, or first one), and whether the tape holds only its
 * bars. */
MUST_USE err_t pipeline_instrument(
    const char *tape, const char *symbol, struct instrument *out, bool *bars, struct err_info *e);

#endif
