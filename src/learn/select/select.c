#include "learn/select/select.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "learn/select/cluster.h"
#include "learn/select/select_internal.h"
#include "learn/study/drift.h"
#include "learn/study/split.h"
#include "learn/train/train.h"

enum { ROWS_LEAST = 200, FOLDS_MAX = 64, MODEL_COLUMNS = MODEL_COLUMNS_MAX / 2 };

const char *const select_fate_name[SELECT_FATES] = {
    "kept", "missing", "constant", "drift", "same", "weak", "surplus"};

struct select_config select_defaults(void) {
    return (struct select_config){.missing = 0.5,
        .psi = 0.25,
        .drift_p = 0.01,
        .same = 0.9,
        .rate = 0.1,
        .stability = 0.6,
        .folds = 4,
        .trees = 60,
        .seed = 1};
}

void select_free(struct select_result *r) {
    free(r->column);
    free(r->keep);
    memset(r, 0, sizeof *r);
}

struct work {
    const struct matrix *m;
    const struct select_config *cfg;
    struct select_result *r;
    size_t from, to;
    int64_t limit_ns;
    uint32_t *row; /* with a label known in time, rising */
    size_t rows;
    uint32_t *medoid;
    size_t medoids;
    double *half[2];
};

/* --- filters --------------------------------------------------------------------------------- */

/* Values of one column in rows [from, to), in time order. */
static size_t values_of(
    const struct matrix *m, size_t column, size_t from, size_t to, double *out) {
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        float x = m->x[i * m->columns + column];
        if (!isnan(x)) out[n++] = (double)x;
    }
    return n;
}

static enum select_fate filter(struct work *w, size_t at) {
    struct select_column *c = &w->r->column[at];
    size_t middle = w->from + (w->to - w->from) / 2;
    size_t a = values_of(w->m, at, w->from, middle, w->half[0]);
    size_t b = values_of(w->m, at, middle, w->to, w->half[1]);
    c->missing = 1 - (double)(a + b) / (double)(w->to - w->from);
    c->psi = c->ks_p = NAN;
    if (c->missing > w->cfg->missing) return SELECT_MISSING;
    double na = drift_effective(w->half[0], a), nb = drift_effective(w->half[1], b);
    stats_sort(w->half[0], a);
    stats_sort(w->half[1], b);
    bool varies_a = a > 0 && w->half[0][0] < w->half[0][a - 1];
    bool varies_b = b > 0 && w->half[1][0] < w->half[1][b - 1];
    bool varies = varies_a || varies_b || (a > 0 && b > 0 && w->half[0][0] != w->half[1][0]);
    if (!varies) return SELECT_CONSTANT;
    c->psi = drift_psi(w->half[0], a, w->half[1], b);
    c->ks_p = drift_ks(w->half[0], a, w->half[1], b, na, nb).p;
    return c->psi > w->cfg->psi && c->ks_p < w->cfg->drift_p ? SELECT_DRIFT : SELECT_WEAK;
}

static void filters(struct work *w) {
    for (int k = 0; k < 2; k++) w->half[k] = mem_alloc((w->to - w->from + 1) * sizeof(double));
    for (size_t j = 0; j < w->m->columns; j++) {
        w->r->column[j].medoid = UINT32_MAX;
        w->r->column[j].fate = filter(w, j);
    }
    free(w->half[0]);
    free(w->half[1]);
}

static void clusters(struct work *w) {
    uint32_t *live = mem_alloc((w->m->columns + 1) * sizeof *live);
    size_t n = 0;
    for (uint32_t j = 0; j < w->m->columns; j++)
        if (w->r->column[j].fate == SELECT_WEAK) live[n++] = j;
    float *correlation = cluster_correlations(w->m, live, n, w->from, w->to);
    struct cluster_tree tree;
    cluster_tree_make(&tree, correlation, n, w->cfg->same);
    uint32_t *medoid = mem_alloc((tree.clusters + 1) * sizeof *medoid);
    cluster_medoids(&tree, correlation, medoid);
    w->medoid = mem_alloc((tree.clusters + 1) * sizeof *w->medoid);
    for (uint32_t i = 0; i < n; i++) {
        struct select_column *c = &w->r->column[live[i]];
        c->medoid = live[medoid[tree.cluster[i]]];
        if (c->medoid == live[i])
            w->medoid[w->medoids++] = live[i];
        else
            c->fate = SELECT_SAME;
    }
    free(live);
    free(correlation);
    free(medoid);
    cluster_tree_fini(&tree);
}

/* --- votes ----------------------------------------------------------------------------------- */

static void label_rows(struct work *w) {
    w->row = mem_alloc((w->to - w->from + 1) * sizeof *w->row);
    for (size_t i = w->from; i < w->to; i++) {
        const struct label *l = &w->m->label[i];
        bool known = l->known_row >= 0 && isfinite(l->value) && l->known_ns < w->limit_ns;
        if (known) w->row[w->rows++] = (uint32_t)i;
    }
}

/* The rows of one fold: those that train are known before the first later row closes. */
static void fold_rows(const struct work *w, const struct split_fold *f, struct vote_rows *v) {
    double ahead = 0;
    int64_t cut = w->m->bar[w->row[f->test_from]].close_ns;
    *v = (struct vote_rows){.m = w->m, .medoid = w->medoid, .medoids = w->medoids};
    v->row = mem_alloc((f->test_to + 1) * sizeof *v->row);
    for (size_t i = f->train_from; i < f->test_to; i++) {
        const struct label *l = &w->m->label[w->row[i]];
        if (i < f->train_to && l->known_ns >= cut) continue;
        ahead += (double)(l->known_row - (int64_t)w->row[i]);
        v->row[v->n++] = w->row[i];
        if (i < f->train_to) v->train = v->n;
    }
    v->span = v->n ? ahead / (double)v->n : 1;
}

static void count_votes(struct work *w, const struct vote *vote, double folds) {
    for (size_t j = 0; j < w->medoids; j++) {
        struct select_column *c = &w->r->column[w->medoid[j]];
        int votes = vote[j].link + vote[j].lasso + vote[j].forest;
        c->link += vote[j].link / folds;
        c->lasso += vote[j].lasso / folds;
        c->forest += vote[j].forest / folds;
        c->support += (votes >= 2) / folds;
        c->ic += (isfinite(vote[j].ic) ? vote[j].ic : 0) / folds;
        c->gain += vote[j].gain / folds;
        c->shap += vote[j].shap / folds;
        c->permutation += vote[j].permutation / folds;
    }
}

static err_t votes(struct work *w, struct err_info *e) {
    struct split_fold fold[FOLDS_MAX];
    struct dice dice = {w->cfg->seed};
    size_t step = w->rows / 2 / (size_t)w->cfg->folds; /* the later half judges, in equal parts */
    size_t first = w->rows - step * (size_t)w->cfg->folds;
    size_t n = split_walk_forward(w->rows, false, 0, first, step, fold, FOLDS_MAX);
    struct vote *vote = mem_alloc((w->medoids + 1) * sizeof *vote);
    err_t err = ERR_OK;
    for (size_t f = 0; f < n && !err; f++) {
        struct vote_rows v;
        fold_rows(w, &fold[f], &v);
        memset(vote, 0, w->medoids * sizeof *vote);
        vote_link(&v, w->cfg->rate, vote);
        vote_lasso(&v, vote);
        err = vote_forest(&v, w->cfg->trees, &dice, vote, e);
        if (!err) count_votes(w, vote, (double)n);
        free(v.row);
    }
    w->r->folds = n;
    free(vote);
    return err;
}

/* --- the choice ------------------------------------------------------------------------------ */

struct ranked {
    const struct select_column *c;
    uint32_t at;
};

/* Support, then all votes, then the link's size; the lower column wins a tie. */
static int best_first(const void *a, const void *b) {
    const struct ranked *p = a, *q = b;
    const struct select_column *x = p->c, *y = q->c;
    double vx = x->link + x->lasso + x->forest, vy = y->link + y->lasso + y->forest;
    if (x->support != y->support) return x->support > y->support ? -1 : 1;
    if (vx != vy) return vx > vy ? -1 : 1;
    if (fabs(x->ic) != fabs(y->ic)) return fabs(x->ic) > fabs(y->ic) ? -1 : 1;
    return (p->at > q->at) - (p->at < q->at);
}

static int by_number(const void *a, const void *b) {
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    return (i > j) - (i < j);
}

static void choose(struct work *w) {
    struct select_result *r = w->r;
    struct ranked *ranked = mem_alloc((w->medoids + 1) * sizeof *ranked);
    size_t n = 0;
    for (size_t j = 0; j < w->medoids; j++) {
        struct select_column *c = &r->column[w->medoid[j]];
        if (c->support >= w->cfg->stability - 1e-9) ranked[n++] = (struct ranked){c, w->medoid[j]};
    }
    if (n) qsort(ranked, n, sizeof *ranked, best_first);
    r->keep = mem_alloc((n + 1) * sizeof *r->keep);
    for (size_t i = 0; i < n; i++) {
        bool surplus = w->cfg->most > 0 && i >= w->cfg->most;
        r->column[ranked[i].at].fate = surplus ? SELECT_SURPLUS : SELECT_KEPT;
        if (!surplus) r->keep[r->kept++] = ranked[i].at;
    }
    if (r->kept) qsort(r->keep, r->kept, sizeof *r->keep, by_number);
    free(ranked);
}

err_t select_rows(const struct matrix *m, size_t from, size_t to, int64_t limit_ns,
    const struct select_config *cfg, struct select_result *out, struct err_info *e) {
    CHECK(from <= to && to <= m->rows && cfg->folds >= 2 && cfg->folds <= FOLDS_MAX);
    struct select_result r = {.columns = m->columns};
    struct work w = {m, cfg, &r, from, to, limit_ns, NULL, 0, NULL, 0, {NULL, NULL}};
    err_t err = ERR_OK;
    label_rows(&w);
    if (w.rows < ROWS_LEAST)
        err = err_set(e, ERR_INPUT,
            "%zu training rows with a known label: a selection needs %d; use a longer recording, "
            "shorter buckets or a set with a shorter warm-up",
            w.rows, ROWS_LEAST);
    if (!err) {
        r.column = mem_alloc((m->columns + 1) * sizeof *r.column);
        filters(&w);
        clusters(&w);
        if (w.medoids > MODEL_COLUMNS)
            err = err_set(
                e, ERR_INPUT, "%zu groups of columns: at most %d", w.medoids, MODEL_COLUMNS);
    }
    r.medoids = w.medoids;
    r.rows = w.rows;
    if (!err && w.medoids > 0) err = votes(&w, e);
    if (!err) choose(&w);
    free(w.row);
    free(w.medoid);
    if (err)
        select_free(&r);
    else
        *out = r;
    return err;
}
