/* dbscan.c: from each core not yet taken, all that its density reaches. */
#include "derive/feature/dbscan.h"

#include "base/check.h"

enum { UNSEEN = -2 };

struct cloud {
    const double *x;
    size_t n, dim;
    double eps2;
};

static int near(const struct cloud *c, size_t i, size_t j) {
    double sum = 0.0;
    for (size_t d = 0; d < c->dim; d++) {
        double step = c->x[i * c->dim + d] - c->x[j * c->dim + d];
        sum += step * step;
    }
    return sum <= c->eps2;
}

static int is_core(const struct cloud *c, size_t i, size_t least) {
    size_t met = 0;
    for (size_t j = 0; j < c->n && met < least; j++) met += (size_t)near(c, i, j);
    return met >= least;
}

/* Takes the neighbours of core i that belong to nobody; those never seen join the queue. */
static size_t take_near(
    const struct cloud *c, size_t i, int32_t cluster, int32_t *label, uint32_t *queue, size_t end) {
    for (size_t j = 0; j < c->n; j++) {
        if (label[j] >= 0 || !near(c, i, j)) continue;
        if (label[j] == UNSEEN) queue[end++] = (uint32_t)j;
        label[j] = cluster; /* what was noise is a border point */
    }
    return end;
}

size_t dbscan(const double *x, size_t n, size_t dim, double eps, size_t least, int32_t *label,
    uint32_t *scratch) {
    CHECK(dim > 0 && dim <= DBSCAN_DIM_MAX);
    CHECK(n <= INT32_MAX && least > 0);
    const struct cloud c = {x, n, dim, eps * eps};
    size_t clusters = 0;
    for (size_t i = 0; i < n; i++) label[i] = UNSEEN;
    for (size_t i = 0; i < n; i++) {
        if (label[i] != UNSEEN) continue;
        label[i] = DBSCAN_NOISE;
        if (!is_core(&c, i, least)) continue;
        int32_t cluster = (int32_t)clusters++;
        label[i] = cluster;
        size_t end = take_near(&c, i, cluster, label, scratch, 0);
        for (size_t at = 0; at < end; at++)
            if (is_core(&c, scratch[at], least))
                end = take_near(&c, scratch[at], cluster, label, scratch, end);
    }
    return clusters;
}
