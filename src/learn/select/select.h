/* select.h: which columns to keep, decided on a range of training rows only (FEA17).
 *
 *   rows [from, to) -> missing, constant -> drift -> clusters: one medoid each
 *        -> walk-forward over the later half of the range, per fold three votes a medoid:
 *             link    its IC is a finding with all medoids counted (Benjamini-Hochberg)
 *             lasso   in the L1 model chosen on the fold's later rows (one-standard-error rule)
 *             forest  more SHAP on the later rows than any shadow column, and more loss there
 *                     when it is permuted
 *        -> kept: two votes of three in at least `stability` of the folds
 *
 * Shadows    the medoids turned in time by a random number of rows: the same values and memory, no
 *            link. What no shadow reaches is not luck of the search (after Kursa and Rudnicki
 * 2010). Invariant  no row outside the range and no label that is known at or after limit_ns is
 * used; of a later row inside a fold, no label that was not known when it closed. Ownership
 * select_free releases everything.
 */
#ifndef FATHOM_LEARN_SELECT_SELECT_H
#define FATHOM_LEARN_SELECT_SELECT_H

#include <stdbool.h>

#include "learn/dataset/dataset.h"

struct select_config {
    double missing;      /* largest share of missing values */
    double psi, drift_p; /* drift: PSI above and p of KS (memory counted) below */
    double same;         /* |rank correlation| of one cluster */
    double rate;         /* false discovery rate of the links */
    double stability;    /* least share of folds */
    int64_t folds, trees;
    size_t most; /* columns kept at most, the best supported; 0 = no limit */
    uint64_t seed;
};
struct select_config select_defaults(void);

enum select_fate {
    SELECT_KEPT,
    SELECT_MISSING,  /* too few values */
    SELECT_CONSTANT, /* does not vary */
    SELECT_DRIFT,    /* its distribution changed */
    SELECT_SAME,     /* says what its cluster's medoid says */
    SELECT_WEAK,     /* too few votes */
    SELECT_SURPLUS,  /* supported, but beyond `most` */
    SELECT_FATES
};
extern const char *const select_fate_name[SELECT_FATES];

struct select_column {
    enum select_fate fate;
    uint32_t medoid; /* of its cluster; itself where it is one; UINT32_MAX: never came so far */
    double missing, psi, ks_p;
    double link, lasso, forest; /* shares of folds with that vote (medoids) */
    double support;             /* share of folds with two votes */
    double ic;                  /* mean over folds, on training and later rows */
    double gain, shap;          /* mean share of the forests' totals */
    double permutation;         /* mean rise of log loss on later rows, nats */
};

struct select_result {
    size_t columns;
    struct select_column *column;
    size_t kept;
    uint32_t *keep; /* in matrix order */
    size_t folds, medoids;
    size_t rows; /* usable, with a label known in time */
};

MUST_USE err_t select_rows(const struct matrix *m, size_t from, size_t to, int64_t limit_ns,
    const struct select_config *cfg, struct select_result *out, struct err_info *e);
void select_free(struct select_result *r);

#endif
