#include "learn/select/lasso.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "learn/study/stats.h"

enum { PASSES_MAX = 2000 };

struct fit {
    size_t k;
    double *gram;  /* Z'Z / n */
    double *slope; /* Z'(y - Z b) / n, kept up to date */
};

static double shrink(double v, double by) { return v > by ? v - by : v < -by ? v + by : 0; }

/* One pass over the columns; returns the largest change of the fit, in variance units. */
static double descend(struct fit *f, double lambda, double *beta) {
    double most = 0;
    for (size_t j = 0; j < f->k; j++) {
        double own = f->gram[j * f->k + j];
        if (!(own > 0)) continue;
        double next = shrink(f->slope[j] + own * beta[j], lambda) / own, step = next - beta[j];
        if (step == 0) continue;
        cblas_daxpy((blasint)f->k, -step, f->gram + j * f->k, 1, f->slope, 1);
        beta[j] = next;
        most = fmax(most, own * step * step);
    }
    return most;
}

void lasso_fit(
    const double *z, const double *y, size_t rows, size_t columns, struct lasso_path *out) {
    struct fit f = {.k = columns};
    double n = (double)rows, first = 0, spread = 0;
    *out = (struct lasso_path){.columns = columns};
    out->beta = mem_alloc((LASSO_STEPS * columns + 1) * sizeof *out->beta);
    f.gram = mem_alloc((columns * columns + 1) * sizeof *f.gram);
    f.slope = mem_alloc((columns + 1) * sizeof *f.slope);
    openblas_set_num_threads(1); /* one order of additions */
    if (rows > 0 && columns > 0) {
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)columns, (blasint)columns,
            (blasint)rows, 1 / n, z, (blasint)columns, z, (blasint)columns, 0, f.gram,
            (blasint)columns);
        cblas_dgemv(CblasRowMajor, CblasTrans, (blasint)rows, (blasint)columns, 1 / n, z,
            (blasint)columns, y, 1, 0, f.slope, 1);
    }
    for (size_t j = 0; j < columns; j++) first = fmax(first, fabs(f.slope[j]));
    for (size_t i = 0; i < rows; i++) spread += y[i] * y[i] / n;
    double *beta = mem_alloc((columns + 1) * sizeof *beta);
    for (size_t s = 0; s < LASSO_STEPS && first > 0; s++) {
        out->lambda[s] = first * pow(0.01, (double)s / (LASSO_STEPS - 1));
        for (int pass = 0; pass < PASSES_MAX && s > 0; pass++)
            if (descend(&f, out->lambda[s], beta) <= 1e-14 * spread) break;
        memcpy(out->beta + s * columns, beta, columns * sizeof *beta);
        out->steps = s + 1;
    }
    free(beta);
    free(f.gram);
    free(f.slope);
}

void lasso_free(struct lasso_path *p) {
    free(p->beta);
    memset(p, 0, sizeof *p);
}

/* Squared errors of one step, row by row. */
static void losses(const struct lasso_path *p, size_t step, const double *z, const double *y,
    size_t rows, double *out) {
    memcpy(out, y, rows * sizeof *y);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (blasint)rows, (blasint)p->columns, -1, z,
        (blasint)p->columns, p->beta + step * p->columns, 1, 1, out, 1);
    for (size_t i = 0; i < rows; i++) out[i] *= out[i];
}

size_t lasso_choose(const struct lasso_path *p, const double *z, const double *y, size_t rows) {
    size_t best = 0, chosen = 0;
    double least = INFINITY;
    if (p->steps == 0 || rows < 2) return 0;
    double *best_loss = mem_alloc(rows * sizeof *best_loss), *loss = mem_alloc(rows * sizeof *loss);
    for (size_t s = 0; s < p->steps; s++) {
        losses(p, s, z, y, rows, loss);
        double mean = stats_mean(loss, rows);
        if (mean >= least) continue;
        least = mean;
        best = s;
        memcpy(best_loss, loss, rows * sizeof *loss);
    }
    for (chosen = 0; chosen < best; chosen++) {
        losses(p, chosen, z, y, rows, loss);
        for (size_t i = 0; i < rows; i++) loss[i] -= best_loss[i];
        double worse = stats_mean(loss, rows), sd = stats_sd(loss, rows);
        if (worse <= sd / sqrt((double)rows)) break;
    }
    free(best_loss);
    free(loss);
    return chosen;
}
