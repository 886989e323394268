/* trials.h: the trial ledger: one line a run, so that a good result is judged by how many were
 * tried.
 *
 * File       trials.jsonl: one JSON object a line, only ever appended, under an exclusive lock.
 * Invariant  no run is forgotten: a line that cannot be read (torn by a crash) still counts as a
 *            trial, without a Sharpe ratio; it is reported in `unreadable`.
 * Why        the deflated Sharpe ratio needs the number of trials and the variance of their Sharpe
 *            ratios (Bailey and Lopez de Prado 2014); memory of tries is otherwise always
 * flattering.
 */
#ifndef FATHOM_LEARN_STUDY_TRIALS_H
#define FATHOM_LEARN_STUDY_TRIALS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct trial {
    const char *name;                /* of the run */
    uint64_t config_hash, data_hash; /* what was tried, on what */
    double sharpe_period;            /* per period; NaN if it did not trade */
    uint64_t periods;
};

struct trial_counts {
    uint64_t runs;       /* lines, the new one included */
    uint64_t distinct;   /* different (config_hash, data_hash) */
    uint64_t unreadable; /* lines that are no trial */
    double variance; /* population variance of the distinct trials' Sharpe ratios; NaN below 2 */
};

/* Appends n lines (0: none) and counts. The file is made if it is missing. */
MUST_USE err_t trials_append_all(const char *path, const struct trial *t, size_t n,
    struct trial_counts *out, struct err_info *e);
/* One line, or none if `t` is NULL. */
MUST_USE err_t trials_append(
    const char *path, const struct trial *t, struct trial_counts *out, struct err_info *e);

#endif
