#include "learn/study/ic.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "learn/study/stats.h"

double ic_block_length(const double *y, size_t n, double span) {
    double *present = mem_alloc((n + 1) * sizeof *present);
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i])) present[k++] = y[i];
    double own = stats_block_length(present, k).stationary;
    free(present);
    return fmax(fmax(own, cbrt((double)n)), fmin(6 * span, (double)n / 10));
}

void ic_blocks_draw(
    struct ic_blocks *b, size_t n, double mean_length, size_t repeats, uint64_t seed) {
    struct dice dice = {seed};
    size_t used = 0, cap_from = 0, cap_length = 0;
    CHECK(n > 0 && n <= UINT32_MAX);
    *b = (struct ic_blocks){.n = n, .repeats = repeats, .mean_length = mean_length};
    b->first = mem_alloc((repeats + 1) * sizeof *b->first);
    double fresh = mean_length > 1 ? 1 / mean_length : 1;
    for (size_t r = 0; r < repeats; r++) {
        b->first[r] = used;
        for (size_t done = 0; done < n;) {
            double length = 1;
            if (fresh < 1) length += floor(log(1 - dice_uniform(&dice)) / log1p(-fresh));
            size_t take = length < (double)(n - done) ? (size_t)length : n - done;
            b->from = mem_array(b->from, used, &cap_from, sizeof *b->from);
            b->length = mem_array(b->length, used, &cap_length, sizeof *b->length);
            b->from[used] = (uint32_t)dice_below(&dice, n);
            b->length[used++] = (uint32_t)take;
            done += take;
        }
    }
    b->first[repeats] = used;
}

void ic_blocks_fini(struct ic_blocks *b) {
    free(b->from);
    free(b->length);
    free(b->first);
    *b = (struct ic_blocks){0};
}

/* Sums over rows before i of 1, x, y, xx, yy, xy, all of standardised values. */
struct sums {
    double v[6];
};

static void sums_add(struct sums *to, const struct sums *end, const struct sums *start) {
    for (int k = 0; k < 6; k++) to->v[k] += end->v[k] - start->v[k];
}

static double sums_ic(const struct sums *s) {
    double n = s->v[0], x = s->v[1], y = s->v[2];
    double xx = n * s->v[3] - x * x, yy = n * s->v[4] - y * y, xy = n * s->v[5] - x * y;
    double limit = 1e-9 * n * n; /* unit variances: less is rounding */
    return xx > limit && yy > limit ? xy / sqrt(xx * yy) : NAN;
}

/* Standardised values of rows with both; 0 elsewhere. */
struct pairs {
    size_t rows, n;
    double *x, *y;
    struct sums *before; /* rows + 1 */
};

static void standardise(double *v, const double *both, size_t rows, double n) {
    double mean = 0, square = 0;
    for (size_t i = 0; i < rows; i++) mean += both[i] > 0 ? v[i] : 0;
    mean /= n;
    for (size_t i = 0; i < rows; i++) {
        v[i] = both[i] > 0 ? v[i] - mean : 0;
        square += v[i] * v[i];
    }
    double scale = square > 0 ? sqrt(n / square) : 0;
    for (size_t i = 0; i < rows; i++) v[i] *= scale;
}

static bool pairs_make(struct pairs *p, const double *x, const double *y, size_t rows) {
    *p = (struct pairs){.rows = rows};
    p->x = mem_alloc((rows + 1) * sizeof *p->x);
    p->y = mem_alloc((rows + 1) * sizeof *p->y);
    double *both = mem_alloc((rows + 1) * sizeof *both), x0 = NAN, y0 = NAN;
    bool x_varies = false, y_varies = false;
    for (size_t i = 0; i < rows; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i])) continue;
        both[i] = 1;
        p->x[i] = x[i];
        p->y[i] = y[i];
        if (p->n++ == 0) x0 = x[i], y0 = y[i];
        x_varies |= x[i] != x0;
        y_varies |= y[i] != y0;
    }
    bool good = p->n >= IC_LEAST && x_varies && y_varies;
    if (good) {
        standardise(p->x, both, rows, (double)p->n);
        standardise(p->y, both, rows, (double)p->n);
        p->before = mem_alloc((rows + 1) * sizeof *p->before);
        for (size_t i = 0; i < rows; i++) {
            double a = p->x[i], b = p->y[i], one[6] = {both[i], a, b, a * a, b * b, a * b};
            for (int k = 0; k < 6; k++) p->before[i + 1].v[k] = p->before[i].v[k] + one[k];
        }
    }
    free(both);
    return good;
}

static void pairs_fini(struct pairs *p) {
    free(p->x);
    free(p->y);
    free(p->before);
}

static double lagged(const double *v, size_t n, size_t lag) {
    double sum = 0;
    for (size_t i = lag; i < n; i++) sum += v[i] * v[i - lag];
    return sum;
}

/* Variance of the correlation of unrelated columns with these memories, times n; at least 1. */
static double variance_factor(const struct pairs *p, double ic, size_t span) {
    size_t lags = span + (size_t)ceil(4 * pow((double)p->n / 100, 2.0 / 9));
    if (lags > p->rows / 4) lags = p->rows / 4;
    double *u = mem_alloc((p->rows + 1) * sizeof *u), n = (double)p->n;
    for (size_t i = 0; i < p->rows; i++) {
        bool both = p->before[i + 1].v[0] > p->before[i].v[0];
        u[i] = both ? p->x[i] * p->y[i] - ic : 0;
    }
    double robust = lagged(u, p->rows, 0) / n, memory = 1;
    for (size_t k = 1; k <= lags; k++) {
        double weight = 1 - (double)k / (double)(lags + 1);
        robust += 2 * weight * lagged(u, p->rows, k) / n;
        memory += 2 * weight * (lagged(p->x, p->rows, k) / n) * (lagged(p->y, p->rows, k) / n);
    }
    free(u);
    return fmax(1, fmax(robust, memory));
}

static void band(struct ic_figures *f, const struct pairs *p, const struct ic_blocks *b) {
    double *drawn = mem_alloc((b->repeats + 1) * sizeof *drawn);
    size_t k = 0, n = p->rows;
    CHECK(b->n == n);
    for (size_t r = 0; r < b->repeats; r++) {
        struct sums s = {{0}};
        for (size_t i = b->first[r]; i < b->first[r + 1]; i++) {
            size_t from = b->from[i], to = from + b->length[i];
            sums_add(&s, &p->before[to < n ? to : n], &p->before[from]);
            if (to > n) sums_add(&s, &p->before[to - n], &p->before[0]);
        }
        double ic = sums_ic(&s);
        if (isfinite(ic)) drawn[k++] = ic;
    }
    stats_sort(drawn, k);
    f->lo = stats_quantile(drawn, k, 0.025);
    f->hi = stats_quantile(drawn, k, 0.975);
    free(drawn);
}

struct ic_figures ic_measure(
    const double *x, const double *y, size_t n, size_t span, const struct ic_blocks *blocks) {
    struct ic_figures f = {NAN, NAN, NAN, NAN, 0, NAN};
    struct pairs p;
    if (pairs_make(&p, x, y, n)) {
        f.ic = p.before[n].v[5] / (double)p.n;
        f.n_effective = (double)p.n / variance_factor(&p, f.ic, span);
        f.p = 2 * normal_cdf(-fabs(f.ic) * sqrt(f.n_effective));
        if (blocks && blocks->repeats > 0) band(&f, &p, blocks);
    }
    f.n = (double)p.n;
    pairs_fini(&p);
    return f;
}
