#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "learn/train/train.h"

enum { NEWTON_MAX = 100, POINTS_MAX = 256 };

/* Negative log likelihood of targets t under 1/(1+exp(a f + b)), in the form that cannot overflow.
 */
static double platt_loss(const double *f, const double *t, size_t n, double a, double b) {
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        double z = f[i] * a + b;
        loss += z >= 0 ? t[i] * z + log1p(exp(-z)) : (t[i] - 1) * z + log1p(exp(z));
    }
    return loss;
}

struct newton {
    double h11, h22, h21, g1, g2;
};

static struct newton platt_slopes(const double *f, const double *t, size_t n, double a, double b) {
    struct newton s = {1e-12, 1e-12, 0, 0, 0};
    for (size_t i = 0; i < n; i++) {
        double z = f[i] * a + b, q = exp(-fabs(z));
        double p = z >= 0 ? q / (1 + q) : 1 / (1 + q); /* P(up) */
        double d2 = p * (1 - p), d1 = t[i] - p;
        s.h11 += f[i] * f[i] * d2;
        s.h22 += d2;
        s.h21 += f[i] * d2;
        s.g1 += f[i] * d1;
        s.g2 += d1;
    }
    return s;
}

static void platt_newton(const double *f, const double *t, size_t n, double *a, double *b) {
    double loss = platt_loss(f, t, n, *a, *b);
    for (int i = 0; i < NEWTON_MAX; i++) {
        struct newton s = platt_slopes(f, t, n, *a, *b);
        if (fabs(s.g1) < 1e-11 * (double)n && fabs(s.g2) < 1e-11 * (double)n) return;
        double det = s.h11 * s.h22 - s.h21 * s.h21;
        double da = -(s.h22 * s.g1 - s.h21 * s.g2) / det;
        double db = -(-s.h21 * s.g1 + s.h11 * s.g2) / det;
        double slope = s.g1 * da + s.g2 * db, step = 1;
        for (; step >= 1e-10; step /= 2) {
            double next = platt_loss(f, t, n, *a + step * da, *b + step * db);
            if (!(next < loss + 1e-4 * step * slope)) continue;
            *a += step * da;
            *b += step * db;
            loss = next;
            break;
        }
        if (step < 1e-10) return;
    }
}

err_t calibrate_platt(
    const double *score, const double *y, size_t n, struct calibration *out, struct err_info *e) {
    double up = 0, down;
    for (size_t i = 0; i < n; i++) up += y[i] > 0.5;
    down = (double)n - up;
    if (up == 0 || down == 0) {
        return err_set(e, ERR_INPUT,
            "calibration needs both outcomes, and its %zu rows hold one; use more rows or "
            "calibration: none",
            n);
    }
    double *t = malloc(n * sizeof *t);
    CHECK(t != NULL);
    for (size_t i = 0; i < n; i++) t[i] = y[i] > 0.5 ? (up + 1) / (up + 2) : 1 / (down + 2);
    double a = 0, b = log((down + 1) / (up + 1));
    platt_newton(score, t, n, &a, &b);
    free(t);
    memset(out, 0, sizeof *out);
    out->kind = CALIBRATION_PLATT;
    out->a = a;
    out->b = b;
    return ERR_OK;
}

struct point {
    double x, y, w;
};

static int by_x(const void *a, const void *b) {
    double x = ((const struct point *)a)->x, y = ((const struct point *)b)->x;
    return (x > y) - (x < y);
}

/* Equal x become one point with the mean y. Returns the new count. */
static size_t merge_equal(struct point *p, size_t n) {
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (m && p[m - 1].x == p[i].x) {
            double w = p[m - 1].w + p[i].w;
            p[m - 1].y = (p[m - 1].y * p[m - 1].w + p[i].y * p[i].w) / w;
            p[m - 1].w = w;
        } else {
            p[m++] = p[i];
        }
    }
    return m;
}

struct pool {
    double y, w;
    size_t first, last;
};

/* Pools adjacent violators; returns the number of blocks, means rising strictly. */
static size_t pool_violators(const struct point *p, size_t n, struct pool *block) {
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        block[m++] = (struct pool){p[i].y, p[i].w, i, i};
        while (m > 1 && block[m - 2].y >= block[m - 1].y) {
            struct pool *a = &block[m - 2], *b = &block[m - 1];
            a->y = (a->y * a->w + b->y * b->w) / (a->w + b->w);
            a->w += b->w;
            a->last = b->last;
            m--;
        }
    }
    return m;
}

/* The corners of the step function: first and last x of each block. */
static size_t corners(
    const struct point *p, const struct pool *block, size_t m, double *x, double *y) {
    size_t k = 0;
    for (size_t i = 0; i < m; i++) {
        x[k] = p[block[i].first].x, y[k++] = block[i].y;
        if (block[i].last > block[i].first) x[k] = p[block[i].last].x, y[k++] = block[i].y;
    }
    return k;
}

err_t calibrate_isotonic(const double *score, const double *y, const double *weight, size_t n,
    struct calibration *out, struct err_info *e) {
    struct point *p = malloc((n + 1) * sizeof *p);
    struct pool *block = malloc((n + 1) * sizeof *block);
    double *x = malloc((n + 1) * sizeof *x), *v = malloc((n + 1) * sizeof *v);
    CHECK(p && block && x && v);
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        double w = weight ? weight[i] : 1;
        if (w > 0 && !isnan(score[i])) p[m++] = (struct point){score[i], y[i], w};
    }
    qsort(p, m, sizeof *p, by_x);
    m = merge_equal(p, m);
    size_t blocks = pool_violators(p, m, block), k = corners(p, block, blocks, x, v);
    size_t keep = k < POINTS_MAX ? k : POINTS_MAX;
    if (k) {
        memset(out, 0, sizeof *out);
        out->kind = CALIBRATION_ISOTONIC;
        out->points = (uint32_t)keep;
    }
    for (size_t i = 0; i < keep && k; i++) {
        size_t from = keep == k ? i : i * (k - 1) / (keep - 1);
        out->x[i] = x[from];
        out->y[i] = v[from];
    }
    free(p);
    free(block);
    free(x);
    free(v);
    if (k) return ERR_OK;
    return err_set(e, ERR_INPUT, "isotonic calibration got no rows with a score");
}
