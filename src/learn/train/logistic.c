/* Ridge logistic regression, binary or softmax, on standardised columns.
 *
 * Loss = sum of weighted log losses + l2/2 |w|^2 (the bias is free). The Hessian never exceeds
 * B = c X'X + l2 I, c = 1/4 (binary) or 1/2 (softmax; Boehning 1992), so one Cholesky factor of B
 * whitens the problem and L-BFGS (Nocedal 1980) then needs some ten passes over the rows, however
 * strongly the columns are correlated. Rows are read in blocks: memory does not grow with them. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json_out.h"
#include "learn/train/train_internal.h"

enum { BLOCK_ROWS = 512, HISTORY = 10, PASSES_MAX = 200, LINE_MAX = 40 };

struct fit {
    const struct train_params *p;
    const struct train_data *d;
    const struct logistic *l;
    size_t width;  /* columns + 1: the last is the bias */
    size_t k;      /* parameter vectors: classes */
    double *block; /* BLOCK_ROWS x width: standardised rows */
    double *z;     /* BLOCK_ROWS x k */
    double *chol;  /* width x width, lower: B = L L' */
    double weight; /* sum over rows */
};

static double weight_of(const struct train_data *d, size_t row) {
    return d->weight ? (double)d->weight[row] : 1;
}

static void *allocate(size_t n, size_t size) {
    void *p = calloc(n + 1, size);
    CHECK(p != NULL);
    return p;
}

void logistic_free(struct logistic *l) {
    free(l->mean);
    free(l->scale);
    free(l->weights);
    free(l->bias);
    memset(l, 0, sizeof *l);
}

static void logistic_alloc(struct logistic *l, size_t columns, size_t classes) {
    l->columns = columns;
    l->classes = classes;
    l->mean = allocate(columns, sizeof(double));
    l->scale = allocate(columns, sizeof(double));
    l->weights = allocate(columns * classes, sizeof(double));
    l->bias = allocate(classes, sizeof(double));
}

/* Weighted mean and standard deviation of a column, missing values skipped; two passes. */
static void standardise(const struct train_data *d, size_t column, double *mean, double *scale) {
    double sum = 0, weight = 0, square = 0;
    for (size_t i = 0; i < d->rows; i++) {
        double x = d->x[i * d->columns + column];
        if (!isfinite(x)) continue;
        sum += weight_of(d, i) * x;
        weight += weight_of(d, i);
    }
    *mean = weight > 0 ? sum / weight : 0;
    for (size_t i = 0; i < d->rows; i++) {
        double x = d->x[i * d->columns + column];
        if (isfinite(x)) square += weight_of(d, i) * (x - *mean) * (x - *mean);
    }
    double sd = weight > 0 ? sqrt(square / weight) : 0;
    *scale = sd > 1e-12 * fabs(*mean) && sd > 1e-300 ? sd : 1;
}

/* Rows [first, first + n) as standardised doubles with a 1 behind; NaN -> 0 (the mean). */
static void load_block(const struct fit *f, size_t first, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const float *x = f->d->x + (first + i) * f->d->columns;
        double *out = f->block + i * f->width;
        for (size_t j = 0; j < f->d->columns; j++) {
            double v = (double)x[j];
            out[j] = isfinite(v) ? (v - f->l->mean[j]) / f->l->scale[j] : 0;
        }
        out[f->d->columns] = 1;
    }
}

static size_t block_size(const struct fit *f, size_t first) {
    size_t left = f->d->rows - first;
    return left < BLOCK_ROWS ? left : BLOCK_ROWS;
}

/* B and its Cholesky factor. A column that never varies gets a pivot from the small ridge. */
static bool factor(struct fit *f) {
    double c = f->k == 1 ? 0.25 : 0.5;
    blasint w = (blasint)f->width;
    for (size_t first = 0; first < f->d->rows; first += BLOCK_ROWS) {
        size_t n = block_size(f, first);
        load_block(f, first, n);
        for (size_t i = 0; i < n; i++) {
            double s = sqrt(weight_of(f->d, first + i));
            for (size_t j = 0; j < f->width; j++) f->block[i * f->width + j] *= s;
            f->weight += s * s;
        }
        cblas_dsyrk(
            CblasRowMajor, CblasLower, CblasTrans, w, (blasint)n, c, f->block, w, 1, f->chol, w);
    }
    for (size_t j = 0; j < f->width; j++) {
        f->chol[j * f->width + j] += (j + 1 < f->width ? f->p->l2 : 0) + 1e-9 * f->weight;
    }
    return LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', w, f->chol, w) == 0;
}

/* Softmax or sigmoid of z[k]; returns the row's log loss and leaves p - y in z. */
static double residual(double *z, size_t k, double y) {
    if (k == 1) {
        double m = z[0];
        double loss = (m > 0 ? m : 0) + log1p(exp(-fabs(m))) - y * m;
        z[0] = 1 / (1 + exp(-m)) - y;
        return loss;
    }
    CHECK(k > 1);
    double top = z[0], sum = 0, own = z[(size_t)y];
    for (size_t j = 1; j < k; j++) top = z[j] > top ? z[j] : top;
    for (size_t j = 0; j < k; j++) sum += exp(z[j] - top); /* >= 1: one of them is exp(0) */
    for (size_t j = 0; j < k; j++) z[j] = exp(z[j] - top) / sum - ((size_t)y == j);
    return log(sum) + top - own; // cppcheck-suppress invalidFunctionArg ; sum >= 1
}

/* Loss and gradient at theta (k x width). */
static double loss_at(struct fit *f, const double *theta, double *grad) {
    double loss = 0;
    blasint w = (blasint)f->width, k = (blasint)f->k;
    memset(grad, 0, f->k * f->width * sizeof *grad);
    for (size_t first = 0; first < f->d->rows; first += BLOCK_ROWS) {
        size_t n = block_size(f, first);
        load_block(f, first, n);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)n, k, w, 1, f->block, w,
            theta, w, 0, f->z, k);
        for (size_t i = 0; i < n; i++) {
            double weight = weight_of(f->d, first + i), *z = f->z + i * f->k;
            loss += weight * residual(z, f->k, f->d->y[first + i]);
            for (size_t j = 0; j < f->k; j++) z[j] *= weight;
        }
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, w, (blasint)n, 1, f->z, k, f->block,
            w, 1, grad, w);
    }
    for (size_t c = 0; c < f->k; c++) {
        for (size_t j = 0; j + 1 < f->width; j++) {
            double v = theta[c * f->width + j];
            loss += 0.5 * f->p->l2 * v * v;
            grad[c * f->width + j] += f->p->l2 * v;
        }
    }
    return loss;
}

/* theta = L'^-1 phi per parameter vector, gradient in phi = L^-1 g. */
static void unwhiten(const struct fit *f, const double *phi, double *theta) {
    memcpy(theta, phi, f->k * f->width * sizeof *theta);
    for (size_t c = 0; c < f->k; c++)
        cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, (blasint)f->width, f->chol,
            (blasint)f->width, theta + c * f->width, 1);
}

static void whiten_gradient(const struct fit *f, double *grad) {
    for (size_t c = 0; c < f->k; c++)
        cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, (blasint)f->width,
            f->chol, (blasint)f->width, grad + c * f->width, 1);
}

struct lbfgs {
    size_t n, used, next;
    double *phi, *grad, *trial, *trial_grad, *theta, *dir;
    double *s[HISTORY], *y[HISTORY], rho[HISTORY];
};

static double dot(size_t n, const double *a, const double *b) {
    return cblas_ddot((blasint)n, a, 1, b, 1);
}

/* Two-loop recursion: dir = -H grad. */
static void direction(struct lbfgs *q) {
    double alpha[HISTORY] = {0};
    blasint n = (blasint)q->n;
    for (size_t i = 0; i < q->n; i++) q->dir[i] = -q->grad[i];
    for (size_t m = 0; m < q->used; m++) {
        size_t i = (q->next + HISTORY - 1 - m) % HISTORY;
        alpha[i] = q->rho[i] * dot(q->n, q->s[i], q->dir);
        cblas_daxpy(n, -alpha[i], q->y[i], 1, q->dir, 1);
    }
    for (size_t m = q->used; m-- > 0;) {
        size_t i = (q->next + HISTORY - 1 - m) % HISTORY;
        double beta = q->rho[i] * dot(q->n, q->y[i], q->dir);
        cblas_daxpy(n, alpha[i] - beta, q->s[i], 1, q->dir, 1);
    }
}

static void remember(struct lbfgs *q) {
    double *s = q->s[q->next], *y = q->y[q->next];
    for (size_t i = 0; i < q->n; i++) {
        s[i] = q->trial[i] - q->phi[i];
        y[i] = q->trial_grad[i] - q->grad[i];
    }
    double sy = dot(q->n, s, y);
    if (!(sy > 0)) return;
    q->rho[q->next] = 1 / sy;
    q->next = (q->next + 1) % HISTORY;
    if (q->used < HISTORY) q->used++;
}

/* Backtracking to the Armijo condition; false when no step along dir lowers the loss. */
static bool line_search(struct fit *f, struct lbfgs *q, double *loss) {
    double slope = dot(q->n, q->grad, q->dir), step = 1;
    if (!(slope < 0)) return false;
    for (int i = 0; i < LINE_MAX; i++, step *= 0.5) {
        for (size_t j = 0; j < q->n; j++) q->trial[j] = q->phi[j] + step * q->dir[j];
        unwhiten(f, q->trial, q->theta);
        double l = loss_at(f, q->theta, q->trial_grad);
        if (!(l <= *loss + 1e-4 * step * slope)) continue;
        whiten_gradient(f, q->trial_grad);
        remember(q);
        memcpy(q->phi, q->trial, q->n * sizeof(double));
        memcpy(q->grad, q->trial_grad, q->n * sizeof(double));
        *loss = l;
        return true;
    }
    return false;
}

/* |grad|^2 in whitened space bounds twice the loss still to gain from above for a well scaled B. */
static void minimise(struct fit *f, struct lbfgs *q) {
    unwhiten(f, q->phi, q->theta);
    double loss = loss_at(f, q->theta, q->grad);
    whiten_gradient(f, q->grad);
    for (int pass = 0; pass < PASSES_MAX; pass++) {
        if (dot(q->n, q->grad, q->grad) <= 1e-14 * f->weight) break;
        direction(q);
        if (!line_search(f, q, &loss)) break;
    }
    unwhiten(f, q->phi, q->theta);
}

static void lbfgs_init(struct lbfgs *q, size_t n) {
    memset(q, 0, sizeof *q);
    q->n = n;
    double **all[] = {&q->phi, &q->grad, &q->trial, &q->trial_grad, &q->theta, &q->dir};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) *all[i] = allocate(n, sizeof(double));
    for (size_t i = 0; i < HISTORY; i++) {
        q->s[i] = allocate(n, sizeof(double));
        q->y[i] = allocate(n, sizeof(double));
    }
}

static void lbfgs_fini(struct lbfgs *q) {
    double *all[] = {q->phi, q->grad, q->trial, q->trial_grad, q->theta, q->dir};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
    for (size_t i = 0; i < HISTORY; i++) {
        free(q->s[i]);
        free(q->y[i]);
    }
}

err_t logistic_fit(const struct train_params *p, const struct train_data *d, struct logistic *out,
    struct err_info *e) {
    openblas_set_num_threads(1); /* one order of additions */
    struct logistic l;
    logistic_alloc(&l, d->columns, p->output == OUTPUT_BINARY ? 1 : 3);
    for (size_t j = 0; j < d->columns; j++) standardise(d, j, &l.mean[j], &l.scale[j]);
    struct fit f = {.p = p, .d = d, .l = &l, .width = d->columns + 1, .k = l.classes};
    f.block = allocate(BLOCK_ROWS * f.width, sizeof(double));
    f.z = allocate(BLOCK_ROWS * f.k, sizeof(double));
    f.chol = allocate(f.width * f.width, sizeof(double));
    bool ok = factor(&f);
    if (ok) {
        struct lbfgs q;
        lbfgs_init(&q, f.k * f.width);
        minimise(&f, &q);
        for (size_t c = 0; c < f.k; c++) {
            memcpy(l.weights + c * d->columns, q.theta + c * f.width, d->columns * sizeof(double));
            l.bias[c] = q.theta[c * f.width + d->columns];
        }
        lbfgs_fini(&q);
    }
    free(f.block);
    free(f.z);
    free(f.chol);
    if (ok) {
        *out = l;
        return ERR_OK;
    }
    logistic_free(&l);
    return err_set(e, ERR_INPUT,
        "the logistic model cannot be fitted: the columns are not numerically independent; "
        "raise model.l2");
}

static void put_array(struct json_out *j, const char *key, const double *v, size_t n) {
    json_key(j, key);
    json_array(j);
    for (size_t i = 0; i < n; i++) json_double(j, v[i]);
    json_array_end(j);
}

char *logistic_text(const struct logistic *l, size_t *len) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "format", "fathom-logistic-1");
    json_kint(&j, "columns", (int64_t)l->columns);
    json_kint(&j, "classes", (int64_t)l->classes);
    put_array(&j, "mean", l->mean, l->columns);
    put_array(&j, "scale", l->scale, l->columns);
    put_array(&j, "weights", l->weights, l->columns * l->classes);
    put_array(&j, "bias", l->bias, l->classes);
    json_object_end(&j);
    *len = j.len;
    return j.text; /* ownership passes on */
}
