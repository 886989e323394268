/* fill_log.h: fills.csv and the sums over fills, with mark-outs that are written when they are
 * known.
 *
 *   fill --> waits in order --> +1 s, +10 s, +60 s: the mid of our view --> row of fills.csv, sums
 *
 * Units      mark-outs in 1e-4 bps of the fill price, signed by side: positive = the price went our
 *            way. Money 1e-12 settlement asset.
 * Time       horizons run from the local time of the fill's report; the mid is the one that stood
 *            at that instant, after every event up to it. Rows leave in the order of the fills, so
 *            a row waits for its longest horizon. No decision ever reads this log.
 * Missing    data that end before, a book that is not SYNCED or older than the limit, bars: the
 *            cell is empty and counted.
 * Ownership  fill_log_end (or _abort) frees the waiting rows; the file belongs to the caller.
 */
#ifndef FATHOM_PROGRAM_FILL_LOG_H
#define FATHOM_PROGRAM_FILL_LOG_H

#include <stdio.h>

#include "execute/engine/engine.h"
#include "program/run_result.h"

extern const int64_t fill_mark_ns[RUN_MARKS];

struct fill_row {
    struct fill_record f;
    int128 value, spread, slippage; /* as in docs/formats/run.md */
    int64_t book_spread;            /* ask - bid when the report arrived; 0 = unknown */
    int64_t order_lots;             /* whole quantity of the order */
    const char *type, *tif;
    int64_t mark[RUN_MARKS]; /* 1e-4 bps; INT64_MIN = missing */
};

struct fill_log {
    FILE *csv; /* NULL: only the sums */
    const char *symbol;
    struct run_result *r;
    struct fill_row *row; /* waiting: [head, head + count) */
    size_t head, count, cap;
    size_t marked[RUN_MARKS]; /* of the waiting rows, how many have horizon h already */
    int64_t due;              /* earliest mark that is still to come; INT64_MAX = none */
};

/* The first line of a fills.csv; several logs may write one file. */
void fill_log_head(FILE *csv);
/* `symbol` (the last column) outlives the log. */
void fill_log_open(struct fill_log *l, struct run_result *r, FILE *csv, const char *symbol);
void fill_log_add(struct fill_log *l, const struct fill_row *row);
/* Before the first event later than l->due changes the book. mid2 = bid + ask of the book as it
 * stands, 0 = not trusted; a mark that was due after fresh_ns found the book too old. */
void fill_log_time(struct fill_log *l, int64_t now_ns, int64_t mid2, int64_t fresh_ns);
/* The data ended at last_ns: what was due by then is marked, the rest is missing. */
void fill_log_end(struct fill_log *l, int64_t last_ns, int64_t mid2, int64_t fresh_ns);
void fill_log_abort(struct fill_log *l);

#endif
