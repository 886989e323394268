/* sweep.h: many parameter sets over one tape: batches of sets that share a replay, on all cores.
 *
 *   sets --> groups that can share a replay --> batches --> threads, each its own pipeline --> rows
 *                                                     '--> part file: what is complete survives
 *
 * Threads    `jobs` of them; they share nothing but the mapped tape, the models (read only) and,
 *            under a lock, the list of batches and the rows.
 * Invariant  a row depends on its set and the tape only: not on jobs, on the size of batches, on
 *            who else is in its batch, or on an interruption.
 * Ownership  sweep_fini frees all; cfg and args outlive the sweep.
 */
#ifndef FATHOM_PROGRAM_SWEEP_H
#define FATHOM_PROGRAM_SWEEP_H

#include "learn/study/overfit.h"
#include "learn/study/returns.h"
#include "learn/study/trials.h"
#include "program/run.h"
#include "program/run_args.h"
#include "program/sweep_row.h"
#include "program/sweep_spec.h"

enum { SWEEP_JOBS_MAX = 256, SWEEP_PERIODS = 256, SWEEP_NEAR_MAX = 8 };

struct sweep {
    struct run run; /* output folder, tape, models */
    struct config *cfg;
    const char *file;        /* configuration file, NULL = none */
    const char *const *sets; /* "key=value" of the command line */
    size_t n_sets;
    size_t jobs;
    struct sweep_spec spec;
    struct sweep_row *row; /* spec.sets of them */
    uint64_t identity;     /* of configuration, sets, tape, version: whose part file it is */
    size_t resumed;        /* rows that an earlier, interrupted call had done */
    size_t replays;
    struct instrument inst;
    bool bars;
    /* judged: sweep_judge.c */
    size_t finished; /* rows that ran to their end */
    size_t *order;   /* those by net profit, best first */
    size_t profitable;
    struct overfit_pbo pbo;
    struct overfit_noise noise;
    double effective;           /* independent trials among the sets */
    struct trial_counts trials; /* of the whole ledger */
    double dsr, dsr_sets,
        hurdle;         /* of the best by Sharpe ratio: all trials, these sets; per period */
    size_t best_sharpe; /* set */
    size_t near, near_profitable; /* the best's nearest other sets */
    double near_median;
};

/* Configuration and --jobs of the command line; both arguments outlive the sweep. */
MUST_USE err_t sweep_load(
    struct sweep *s, const struct cli_args *a, const struct run_args *args, struct err_info *e);
/* Runs what is not done yet. ERR_INTERRUPTED keeps the part file and says how to go on. */
MUST_USE err_t sweep_run(struct sweep *s, const struct cli_args *args, struct err_info *e);
/* For verbs that bring their own sets: rows of all sets of s->spec on s->run.tape (run, cfg, file,
 * sets, jobs, spec, row given), without a part file. */
MUST_USE err_t sweep_rows(struct sweep *s, const char *what, struct err_info *e);
MUST_USE err_t sweep_csv(const struct sweep *s, const char *name, struct err_info *e);
/* s->order by net profit, finished, profitable. */
void sweep_rank(struct sweep *s);
/* Members marginals and net of report.json. */
void sweep_marginals_json(const struct sweep *s, struct json_out *j);
/* Adds the sets to the trial ledger and judges them; needs at least one finished row. */
MUST_USE err_t sweep_judge(struct sweep *s, struct err_info *e);
/* sweep.csv, result.json, report.json, report.html, config.yaml, manifest.json, the folder. */
MUST_USE err_t sweep_write(struct sweep *s, struct err_info *e);
void sweep_fini(struct sweep *s);

void sweep_result_json(const struct sweep *s, struct json_out *j); /* members of result.json */
void sweep_headline(const struct sweep *s, char *out, size_t cap);
/* The values of an axis as few levels: the different ones in order, or quantile bins of them. */
struct sweep_levels {
    size_t n;
    size_t *of; /* level of each set; the caller frees both */
    char (*label)[2 * SWEEP_TEXT_MAX + 4];
};
void sweep_levels(const struct sweep *s, size_t axis, size_t most, struct sweep_levels *out);
void sweep_levels_free(struct sweep_levels *l);
/* "key = value, key = value" of a set. */
void sweep_set_text(const struct sweep *s, size_t set, char *out, size_t cap);
/* sweep_doc.c: report.json */
void sweep_doc_json(const struct sweep *s, struct json_out *j);

#endif
