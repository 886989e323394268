/* cluster.h: which columns say the same: rank correlations and their average-linkage tree.
 *
 * Units      correlations -1..1 of ranks (Spearman over the rows where both columns have a value);
 *            distance = 1 - |correlation|.
 * Source     average linkage by nearest-neighbour chains (Murtagh 1983); a tie takes the lower
 *            column, so the tree depends on the data only.
 * Missing    fewer than CLUSTER_LEAST common rows, or no variance there: correlation 0 (unknown
 *            counts as unrelated, so no column is dropped for it).
 */
#ifndef FATHOM_LEARN_SELECT_CLUSTER_H
#define FATHOM_LEARN_SELECT_CLUSTER_H

#include <stddef.h>
#include <stdint.h>

#include "learn/dataset/dataset.h"

enum { CLUSTER_LEAST = 30, CLUSTER_ROWS_MAX = 3000 };

/* Correlations of `n` columns over rows [from, to), n x n, the caller frees. Of more than
 * CLUSTER_ROWS_MAX rows every k-th is taken. */
float *cluster_correlations(
    const struct matrix *m, const uint32_t *column, size_t n, size_t from, size_t to);

struct cluster_tree {
    size_t n;
    uint32_t *order;   /* leaves, like beside like */
    uint32_t *cluster; /* of each leaf at the cut, 0.. */
    size_t clusters;
};
/* Cuts where the mean distance inside would exceed 1 - least. */
void cluster_tree_make(struct cluster_tree *t, const float *correlation, size_t n, double least);
void cluster_tree_fini(struct cluster_tree *t);
/* Of each cluster the member with the largest mean |correlation| to the others: medoid[clusters].
 */
void cluster_medoids(const struct cluster_tree *t, const float *correlation, uint32_t *medoid);

#endif
