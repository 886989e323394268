/* split.h: which rows train and which test, so that no label looks into its own test.
 *
 * Units      rows are indices, ranges end exclusive; spans are [t0, t1] in any increasing unit
 * (ns), both ends inclusive: t0 when the features are known, t1 when the label is. Sources purging,
 * embargo and combinatorial splits: Lopez de Prado 2018, chapters 7 and 12.
 */
#ifndef FATHOM_LEARN_STUDY_SPLIT_H
#define FATHOM_LEARN_STUDY_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { CPCV_GROUPS_MAX = 32 };

struct split_fold {
    size_t train_from, train_to, test_from, test_to;
};

struct split_span {
    int64_t t0, t1;
};

/* Walk-forward over rows [0, n). train_rows 0: folds + 1 equal blocks, the first only trains.
 * Rolling keeps the length of the first training window. Writes at most `max` folds and returns
 * how many there are; 0 when n is too small. */
size_t split_walk_forward(size_t n, bool rolling, size_t folds, size_t train_rows, size_t test_rows,
    struct split_fold *out, size_t max);
/* The same with windows in time: t[n] rises (close times), windows start at t[0]. Empty tests are
 * left out. */
size_t split_walk_forward_time(const int64_t *t, size_t n, bool rolling, int64_t train,
    int64_t test, struct split_fold *out, size_t max);

/* keep[i] = span i shares no instant with any test span and does not start within `embargo` after
 * the end of one. */
void split_purge(const struct split_span *span, size_t n, const struct split_span *test,
    size_t tests, int64_t embargo, bool *keep);

/* Fold i of k contiguous, nearly equal blocks of n rows. */
struct split_fold split_kfold(size_t n, size_t k, size_t i);

/* Combinatorial purged cross-validation: N groups, k of them test. */
struct cpcv {
    uint64_t splits, paths, tests_per_sample;
};
/* ERR_USAGE unless 1 <= k < N <= CPCV_GROUPS_MAX. */
MUST_USE err_t cpcv_count(size_t groups, size_t tested, struct cpcv *out, struct err_info *e);
/* Next combination in increasing order as a bit mask of tested groups; start with 0; false after
 * the last. */
bool cpcv_next(size_t groups, size_t tested, uint32_t *mask);

#endif
