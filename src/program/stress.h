/* stress.h: what a strategy does in worlds a little worse than the recorded one.
 *
 *   worlds    latency, fees, queue model, rejects and outages drawn (seed); set 0 = as configured
 *   surface   latency x fees on a grid
 *   extremes  the spans with the largest moves and the most messages, each replayed alone
 *   holes     the tape with lost messages, and with lost connections
 *   histories the recorded profit resampled in blocks: days where there are enough, else spans
 *
 * Units      money in the settlement asset as doubles where it is only shown; 1e-12 in rows.
 * Invariant  the same configuration, tape and seed give the same figures, whatever the threads.
 * Ownership  stress_fini frees all; cfg and args outlive the stress.
 */
#ifndef FATHOM_PROGRAM_STRESS_H
#define FATHOM_PROGRAM_STRESS_H

#include "execute/ledger/ledger.h"
#include "program/sweep.h"
#include "program/tape_edit.h"

enum { STRESS_EXTREMES_MAX = 40, STRESS_LATENCIES = 6, STRESS_FEES = 6, STRESS_DAYS_LEAST = 20 };

struct stress_extreme {
    char what[24]; /* "move", "messages" */
    int64_t from_ns, to_ns;
    double move_bps;
    uint64_t messages;
    struct sweep_row row;
};

struct stress_holes {
    const char *what; /* "lost messages", "lost connections" */
    size_t holes, restored;
    struct sweep_row row;
};

struct stress_histories {
    bool days; /* else blocks of block_s on average */
    double block_s;
    size_t blocks, repeats;
    double profitable, low, median, high; /* share; 5, 50, 95 % of the net profit */
    double bin[30], x0, width;
};

struct stress {
    struct sweep worlds;     /* owns run, cfg; row 0 is as configured */
    struct sweep surface;    /* borrows both */
    struct ledger_fees fees; /* as configured */
    double latency[STRESS_LATENCIES], fee_bps[STRESS_FEES];
    size_t extremes;
    struct stress_extreme extreme[STRESS_EXTREMES_MAX];
    struct stress_holes hole[2];
    struct stress_histories histories;
};

MUST_USE err_t stress_run(struct stress *s, const struct cli_args *args, struct err_info *e);
MUST_USE err_t stress_write(struct stress *s, struct err_info *e);
void stress_fini(struct stress *s);

/* stress_tape.c: parts that replay other tapes, and histories. */
MUST_USE err_t stress_extremes(struct stress *s, struct err_info *e);
MUST_USE err_t stress_holes(struct stress *s, struct err_info *e);
void stress_histories(struct stress *s);

void stress_headline(const struct stress *s, char *out, size_t cap);
void stress_result_json(const struct stress *s, struct json_out *j);
void stress_doc_json(const struct stress *s, struct json_out *j); /* stress_doc.c */

#endif
