/* select_internal.h: one fold of a selection, and who votes in it. */
#ifndef FATHOM_LEARN_SELECT_SELECT_INTERNAL_H
#define FATHOM_LEARN_SELECT_SELECT_INTERNAL_H

#include "learn/select/select.h"
#include "learn/study/stats.h"

/* The rows of one fold whose label may be used: the first `train` of them train, the later ones
 * judge. */
struct vote_rows {
    const struct matrix *m;
    const uint32_t *medoid; /* columns of the matrix */
    size_t medoids;
    uint32_t *row;
    size_t n, train;
    double span; /* rows that a label reaches ahead */
};

struct vote { /* of one medoid in one fold */
    bool link, lasso, forest;
    double ic, gain, shap, permutation;
};

void vote_link(const struct vote_rows *v, double rate, struct vote *out);
void vote_lasso(const struct vote_rows *v, struct vote *out);
MUST_USE err_t vote_forest(const struct vote_rows *v, int64_t trees, struct dice *dice,
    struct vote *out, struct err_info *e);

#endif
