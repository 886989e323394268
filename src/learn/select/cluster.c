#include "learn/select/cluster.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "learn/study/stats.h"

/* --- correlations ---------------------------------------------------------------------------- */

/* Ranks of one column over the rows that have a value, scaled to -1..1; 0 and no mask elsewhere. */
static void rank_column(const struct matrix *m, uint32_t column, size_t from, size_t step,
    size_t rows, size_t n, size_t at, double *rank, double *mask, double *work) {
    double *value = work, *r = work + rows;
    size_t k = 0;
    for (size_t i = 0; i < rows; i++) {
        float x = m->x[(from + i * step) * m->columns + column];
        if (!isnan(x)) value[k++] = (double)x;
    }
    stats_ranks(value, k, r);
    double middle = ((double)k + 1) / 2;
    for (size_t i = 0, j = 0; i < rows; i++) {
        bool there = !isnan(m->x[(from + i * step) * m->columns + column]);
        mask[i * n + at] = there;
        rank[i * n + at] = there ? (r[j++] - middle) / middle : 0;
    }
}

static void product(const double *a, const double *b, size_t rows, size_t n, double *out) {
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)n, (blasint)n, (blasint)rows, 1,
        a, (blasint)n, b, (blasint)n, 0, out, (blasint)n);
}

/* Pairwise sums over common rows: count, x, xx (of the row's column), xy. */
struct pair_sums {
    double *count, *x, *xx, *xy;
};

static float pair_correlation(const struct pair_sums *s, size_t n, size_t i, size_t j) {
    double k = s->count[i * n + j];
    if (k < CLUSTER_LEAST) return 0;
    double x = s->x[i * n + j], y = s->x[j * n + i];
    double xx = k * s->xx[i * n + j] - x * x, yy = k * s->xx[j * n + i] - y * y;
    double limit = 1e-9 * k * k;
    if (xx <= limit || yy <= limit) return 0;
    return (float)((k * s->xy[i * n + j] - x * y) / sqrt(xx * yy));
}

static void correlate(
    const double *rank, const double *mask, size_t rows, size_t n, double *square, float *out) {
    struct pair_sums s = {0};
    double **all[] = {&s.count, &s.x, &s.xx, &s.xy};
    for (size_t i = 0; i < 4; i++) *all[i] = mem_alloc((n * n + 1) * sizeof(double));
    for (size_t i = 0; i < rows * n; i++) square[i] = rank[i] * rank[i];
    product(mask, mask, rows, n, s.count);
    product(rank, mask, rows, n, s.x);
    product(square, mask, rows, n, s.xx);
    product(rank, rank, rows, n, s.xy);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            float r = i == j ? 1 : pair_correlation(&s, n, i, j);
            out[i * n + j] = out[j * n + i] = r;
        }
    }
    for (size_t i = 0; i < 4; i++) free(*all[i]);
}

float *cluster_correlations(
    const struct matrix *m, const uint32_t *column, size_t n, size_t from, size_t to) {
    CHECK(from < to && to <= m->rows);
    size_t step = (to - from + CLUSTER_ROWS_MAX - 1) / CLUSTER_ROWS_MAX;
    size_t rows = (to - from + step - 1) / step;
    float *out = mem_alloc((n * n + 1) * sizeof *out);
    double *rank = mem_alloc((rows * n + 1) * sizeof *rank);
    double *mask = mem_alloc((rows * n + 1) * sizeof *mask);
    double *work = mem_alloc((rows * (n > 2 ? n : 2) + 1) * sizeof *work);
    openblas_set_num_threads(1); /* one order of additions */
    for (size_t j = 0; j < n; j++)
        rank_column(m, column[j], from, step, rows, n, j, rank, mask, work);
    if (n > 0) correlate(rank, mask, rows, n, work, out);
    free(rank);
    free(mask);
    free(work);
    return out;
}

/* --- the tree -------------------------------------------------------------------------------- */

struct node {            /* a live cluster, named by its lowest leaf */
    uint32_t head, tail; /* of its list of leaves */
    uint32_t count;
    bool live;
};

struct tree_work {
    size_t n;
    double *d; /* n x n mean distances of live clusters */
    struct node *node;
    uint32_t *next;   /* leaf lists */
    uint32_t *parent; /* union of leaves that belong together at the cut */
    double cut;
};

static uint32_t root(uint32_t *parent, uint32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

/* Nearest live cluster; `before` wins ties, so that chains end. */
static uint32_t nearest(const struct tree_work *w, uint32_t i, uint32_t before) {
    uint32_t best = before;
    for (uint32_t j = 0; j < w->n; j++) {
        if (j == i || !w->node[j].live) continue;
        if (best == UINT32_MAX || w->d[i * w->n + j] < w->d[i * w->n + best]) best = j;
    }
    return best;
}

/* Joins b into a (a < b); distances by Lance and Williams. */
static void join(struct tree_work *w, uint32_t a, uint32_t b) {
    struct node *x = &w->node[a], *y = &w->node[b];
    double na = x->count, nb = y->count;
    if (w->d[a * w->n + b] <= w->cut) w->parent[root(w->parent, b)] = root(w->parent, a);
    for (size_t k = 0; k < w->n; k++) {
        if (k == a || k == b || !w->node[k].live) continue;
        double d = (na * w->d[a * w->n + k] + nb * w->d[b * w->n + k]) / (na + nb);
        w->d[a * w->n + k] = w->d[k * w->n + a] = d;
    }
    w->next[x->tail] = y->head;
    x->tail = y->tail;
    x->count += y->count;
    y->live = false;
}

static void grow(struct tree_work *w) {
    uint32_t *chain = mem_alloc((w->n + 1) * sizeof *chain);
    size_t length = 0;
    for (size_t joins = 0; joins + 1 < w->n;) {
        if (length == 0) {
            uint32_t first = 0;
            while (!w->node[first].live) first++;
            chain[length++] = first;
        }
        uint32_t at = chain[length - 1], before = length > 1 ? chain[length - 2] : UINT32_MAX;
        uint32_t to = nearest(w, at, before);
        if (to == before) {
            join(w, at < to ? at : to, at < to ? to : at);
            length -= 2;
            joins++;
        } else {
            chain[length++] = to;
        }
    }
    free(chain);
}

void cluster_tree_make(struct cluster_tree *t, const float *correlation, size_t n, double least) {
    struct tree_work w = {.n = n, .cut = 1 - least + 1e-12};
    *t = (struct cluster_tree){.n = n};
    t->order = mem_alloc((n + 1) * sizeof *t->order);
    t->cluster = mem_alloc((n + 1) * sizeof *t->cluster);
    if (n == 0) return;
    w.d = mem_alloc(n * n * sizeof *w.d);
    w.node = mem_alloc(n * sizeof *w.node);
    w.next = mem_alloc(n * sizeof *w.next);
    w.parent = mem_alloc(n * sizeof *w.parent);
    for (size_t i = 0; i < n * n; i++) w.d[i] = 1 - fabs((double)correlation[i]);
    for (uint32_t i = 0; i < n; i++) {
        w.node[i] = (struct node){i, i, 1, true};
        w.next[i] = UINT32_MAX;
        w.parent[i] = i;
    }
    grow(&w);
    uint32_t top = 0;
    while (!w.node[top].live) top++;
    size_t k = 0;
    for (uint32_t i = w.node[top].head; i != UINT32_MAX; i = w.next[i]) t->order[k++] = i;
    CHECK(k == n);
    for (uint32_t i = 0; i < n; i++) { /* clusters in the order of their lowest leaf */
        uint32_t r = root(w.parent, i), first = 0;
        while (root(w.parent, first) != r) first++;
        t->cluster[i] = first == i ? (uint32_t)t->clusters++ : t->cluster[first];
    }
    free(w.d);
    free(w.node);
    free(w.next);
    free(w.parent);
}

void cluster_tree_fini(struct cluster_tree *t) {
    free(t->order);
    free(t->cluster);
    memset(t, 0, sizeof *t);
}

void cluster_medoids(const struct cluster_tree *t, const float *correlation, uint32_t *medoid) {
    for (uint32_t c = 0; c < t->clusters; c++) {
        double most = -1;
        for (uint32_t i = 0; i < t->n; i++) {
            if (t->cluster[i] != c) continue;
            double sum = 0;
            for (uint32_t j = 0; j < t->n; j++)
                if (t->cluster[j] == c) sum += fabs((double)correlation[i * t->n + j]);
            if (sum > most + 1e-9) most = sum, medoid[c] = i;
        }
    }
}
