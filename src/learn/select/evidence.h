/* evidence.h: what a selection is worth on rows that it has not seen.
 *
 *   outer fold: select on the training part -> model over the chosen columns -> test part
 *               the same model over all usable columns, and over random sets of the same size
 *
 * The selection is made anew in every outer fold, so that no test row has had a say in it. The set
 * for use is selected last, on all rows; its own figures are those of the folds before it.
 * Ownership  evidence_free releases everything.
 */
#ifndef FATHOM_LEARN_SELECT_EVIDENCE_H
#define FATHOM_LEARN_SELECT_EVIDENCE_H

#include "base/json_out.h"
#include "learn/select/select.h"
#include "learn/select/trial.h"

enum { EVIDENCE_RANDOM_MAX = 100 };

struct evidence_config {
    struct study_config study; /* outer folds, model and bootstrap */
    struct select_config select;
    size_t random; /* sets of the same size */
    uint64_t seed;
    bool (*stop)(void);
    void (*step)(void *user, size_t done, size_t all); /* progress; NULL = none */
    void *user;
};

struct evidence_fold {
    struct split_fold rows;
    int64_t test_from_ns, test_to_ns;
    size_t kept;
    uint32_t *keep;
    double ic, full_ic; /* in the fold's test rows */
};

struct evidence {
    const struct matrix *m;
    struct select_result final; /* on all rows */
    size_t folds;
    struct evidence_fold *fold;
    size_t usable; /* columns of the full set: those that vary in the first training part */
    struct study_metric selected[METRIC_COUNT], full[METRIC_COUNT];
    struct trial_difference gain; /* selected - full */
    size_t random;
    double random_ic[EVIDENCE_RANDOM_MAX], random_loss[EVIDENCE_RANDOM_MAX];
    double random_beaten; /* share of the random sets with a smaller IC; NaN without any */
    double jaccard;       /* mean overlap of the sets of neighbouring folds; NaN if one is empty */
    double block;
    size_t scored;
};

MUST_USE err_t evidence_make(const struct matrix *m, const struct evidence_config *cfg,
    struct evidence *out, struct err_info *e);
void evidence_free(struct evidence *v);
/* Members of an open object (docs/formats/feature-set.md): evidence, folds, columns. */
void evidence_json(const struct evidence *v, struct json_out *j);

#endif
