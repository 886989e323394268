#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "learn/select/lasso.h"
#include "learn/select/select_internal.h"
#include "learn/study/ic.h"
#include "learn/study/multiple.h"
#include "learn/train/train.h"

static float cell(const struct vote_rows *v, size_t i, size_t medoid) {
    return v->m->x[(size_t)v->row[i] * v->m->columns + v->medoid[medoid]];
}

static const struct label *label_of(const struct vote_rows *v, size_t i) {
    return &v->m->label[v->row[i]];
}

/* --- link ------------------------------------------------------------------------------------ */

void vote_link(const struct vote_rows *v, double rate, struct vote *out) {
    double *x = mem_alloc((v->n + 1) * sizeof *x), *y = mem_alloc((v->n + 1) * sizeof *y);
    double *p = mem_alloc((v->medoids + 1) * sizeof *p),
           *q = mem_alloc((v->medoids + 1) * sizeof *q);
    for (size_t i = 0; i < v->n; i++) y[i] = label_of(v, i)->value;
    for (size_t j = 0; j < v->medoids; j++) {
        for (size_t i = 0; i < v->n; i++) x[i] = (double)cell(v, i, j);
        struct ic_figures f = ic_measure(x, y, v->n, (size_t)ceil(v->span), NULL);
        out[j].ic = f.ic;
        p[j] = f.p;
    }
    multiple_benjamini_hochberg(p, v->medoids, q);
    for (size_t j = 0; j < v->medoids; j++) out[j].link = q[j] <= rate; /* false for NaN */
    free(x);
    free(y);
    free(p);
    free(q);
}

/* --- lasso ----------------------------------------------------------------------------------- */

/* Columns by mean and deviation of the training rows, beyond five of them cut: a single outlier
 * would carry the whole fit. Missing = 0 = the mean. */
static void standardise(const struct vote_rows *v, size_t j, double *z) {
    enum { CUT = 5 };
    double mean = 0, square = 0, n = 0;
    for (size_t i = 0; i < v->train; i++) {
        double x = (double)cell(v, i, j);
        if (isnan(x)) continue;
        n++;
        double d = x - mean; /* Welford */
        mean += d / n;
        square += d * (x - mean);
    }
    double sd = n > 1 ? sqrt(square / n) : 0;
    for (size_t i = 0; i < v->n; i++) {
        double x = (double)cell(v, i, j), at = sd > 0 && !isnan(x) ? (x - mean) / sd : 0;
        z[i * v->medoids + j] = fmax(-CUT, fmin(CUT, at));
    }
}

void vote_lasso(const struct vote_rows *v, struct vote *out) {
    double *z = mem_alloc((v->n * v->medoids + 1) * sizeof *z);
    double *y = mem_alloc((v->n + 1) * sizeof *y), mean = 0;
    struct lasso_path path;
    for (size_t j = 0; j < v->medoids; j++) standardise(v, j, z);
    for (size_t i = 0; i < v->train; i++) mean += label_of(v, i)->value / (double)v->train;
    for (size_t i = 0; i < v->n; i++) y[i] = label_of(v, i)->value - mean;
    lasso_fit(z, y, v->train, v->medoids, &path);
    size_t step = lasso_choose(&path, z + v->train * v->medoids, y + v->train, v->n - v->train);
    for (size_t j = 0; j < v->medoids; j++)
        out[j].lasso = path.steps > 0 && path.beta[step * v->medoids + j] != 0;
    lasso_free(&path);
    free(z);
    free(y);
}

/* --- forest ---------------------------------------------------------------------------------- */

/* Rows that moved, with every medoid and its shadow: columns 2 x medoids. */
struct table {
    size_t rows, train, columns;
    float *x;
    double *y;
};

static void table_make(const struct vote_rows *v, struct dice *dice, struct table *t) {
    *t = (struct table){.columns = 2 * v->medoids};
    t->x = mem_alloc((v->n * t->columns + 1) * sizeof *t->x);
    t->y = mem_alloc((v->n + 1) * sizeof *t->y);
    size_t *turn = mem_alloc((v->medoids + 1) * sizeof *turn);
    for (size_t j = 0; j < v->medoids;
         j++) /* at least a tenth of the rows away, either way round */
        turn[j] = v->n / 10 + dice_below(dice, v->n - 2 * (v->n / 10));
    for (size_t i = 0; i < v->n; i++) {
        double move = label_of(v, i)->move;
        if (move == 0) continue;
        float *row = t->x + t->rows * t->columns;
        for (size_t j = 0; j < v->medoids; j++) {
            row[j] = cell(v, i, j);
            row[v->medoids + j] = cell(v, (i + turn[j]) % v->n, j);
        }
        t->y[t->rows++] = move > 0;
        if (i < v->train) t->train = t->rows;
    }
    free(turn);
}

static double loss_of(const struct trained *f, const float *x, const double *y, size_t rows) {
    double sum = 0;
    for (size_t i = 0; i < rows; i++) {
        struct prediction p;
        model_predict(f->model, NULL, x + i * f->columns, &p);
        sum -= log(fmax(y[i] > 0.5 ? p.p[0] : 1 - p.p[0], 1e-12));
    }
    return sum / (double)rows;
}

/* Rise of the loss on the later rows when one column is shuffled. A column without a split has no
 * say: 0. */
static void permute(
    const struct trained *f, const struct table *t, struct dice *dice, double *out) {
    size_t rows = t->rows - t->train;
    float *x = mem_alloc((rows * t->columns + 1) * sizeof *x);
    uint32_t *from = mem_alloc((rows + 1) * sizeof *from);
    const float *later = t->x + t->train * t->columns;
    memcpy(x, later, rows * t->columns * sizeof *x);
    double plain = loss_of(f, x, t->y + t->train, rows);
    for (size_t i = 0; i < rows; i++) from[i] = (uint32_t)i;
    for (size_t j = 0; j < t->columns; j++) {
        out[j] = 0;
        if (f->split[j] == 0) continue;
        dice_shuffle(dice, from, rows);
        for (size_t i = 0; i < rows; i++)
            x[i * t->columns + j] = later[(size_t)from[i] * t->columns + j];
        out[j] = loss_of(f, x, t->y + t->train, rows) - plain;
        for (size_t i = 0; i < rows; i++) x[i * t->columns + j] = later[i * t->columns + j];
    }
    free(x);
    free(from);
}

static double largest(const double *v, size_t n) {
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, v[i]);
    return most;
}

static err_t judge(const struct vote_rows *v, const struct table *t, const struct trained *f,
    struct dice *dice, struct vote *out, struct err_info *e) {
    size_t k = v->medoids;
    double *shap = mem_alloc((t->columns + 1) * sizeof *shap), shap_all = 0, gain_all = 0;
    double *rise = mem_alloc((t->columns + 1) * sizeof *rise);
    err_t err = train_contributions(f, t->x + t->train * t->columns, t->rows - t->train, shap, e);
    if (!err) {
        permute(f, t, dice, rise);
        double luck = largest(shap + k, k);
        for (size_t j = 0; j < t->columns; j++) shap_all += shap[j], gain_all += f->gain[j];
        for (size_t j = 0; j < k; j++) {
            out[j].forest = shap[j] > luck && rise[j] > 0;
            out[j].gain = gain_all > 0 ? f->gain[j] / gain_all : 0;
            out[j].shap = shap_all > 0 ? shap[j] / shap_all : 0;
            out[j].permutation = rise[j];
        }
    }
    free(shap);
    free(rise);
    return err;
}

err_t vote_forest(const struct vote_rows *v, int64_t trees, struct dice *dice, struct vote *out,
    struct err_info *e) {
    struct table t;
    struct trained f;
    table_make(v, dice, &t);
    struct train_params p = train_defaults();
    p.kind = MODEL_TREES;
    p.calibration = CALIBRATION_NONE;
    p.trees = trees;
    p.leaves = 8;
    p.min_leaf = t.train / 50 > 20 ? (int64_t)(t.train / 50) : 20;
    p.seed = dice_next(dice) & 0x7fffffff;
    struct train_data d = {t.train, t.columns, t.x, t.y, NULL, NULL};
    /* A part that did not move, or only one way, teaches a forest nothing: no votes. */
    struct err_info why;
    err_t err = ERR_OK;
    if (t.rows > t.train && train_model(&p, &d, &f, &why) == ERR_OK) {
        err = judge(v, &t, &f, dice, out, e);
        trained_free(&f);
    }
    free(t.x);
    free(t.y);
    return err;
}
