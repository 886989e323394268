/* dbscan.h: density clusters (Ester, Kriegel, Sander, Xu 1996), a pure function.
 *
 * Units      the caller's; `eps` in the same.
 * Ownership  the caller gives labels and scratch, n each.
 * Invariant  a core has at least `least` points within eps (itself included, the border too).
 *            Clusters are numbered in the order of their first core. A border point that several
 *            clusters reach belongs to the first of them. Noise is -1: no cluster, no level.
 * Limits     O(n^2) distances, no index: for some hundred points on a slow clock.
 */
#ifndef FATHOM_DERIVE_FEATURE_DBSCAN_H
#define FATHOM_DERIVE_FEATURE_DBSCAN_H

#include <stddef.h>
#include <stdint.h>

enum { DBSCAN_NOISE = -1, DBSCAN_DIM_MAX = 4 };

/* x: n points of `dim` coordinates, one after another. Returns the number of clusters. */
size_t dbscan(const double *x, size_t n, size_t dim, double eps, size_t least, int32_t *label,
    uint32_t *scratch);

#endif
