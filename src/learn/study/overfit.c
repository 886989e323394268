#include "learn/study/overfit.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "learn/study/stats.h"

/* ---- probability of backtest overfitting ---- */

struct span_sums { /* of one set in one span */
    double sum, square;
};

static double sharpe(double sum, double square, double n) {
    double mean = sum / n, var = (square - n * mean * mean) / (n - 1);
    return var > 1e-12 * square / n ? mean / sqrt(var) : 0;
}

static struct span_sums *sums_of(const struct profit_table *t, size_t spans, size_t length) {
    struct span_sums *s = mem_alloc(t->sets * spans * sizeof *s);
    for (size_t k = 0; k < t->sets; k++) {
        for (size_t i = 0; i < spans * length; i++) {
            struct span_sums *at = &s[k * spans + i / length];
            at->sum += t->set[k][i];
            at->square += t->set[k][i] * t->set[k][i];
        }
    }
    return s;
}

/* Sharpe ratio and sum of a set over the spans in `mask`. */
static double half(const struct span_sums *s, size_t spans, uint32_t mask, double n, double *sum) {
    double square = 0;
    *sum = 0;
    for (size_t i = 0; i < spans; i++) {
        if (!(mask >> i & 1)) continue;
        *sum += s[i].sum;
        square += s[i].square;
    }
    return sharpe(*sum, square, n);
}

/* One split: the best inside, and where it stands outside. */
static void split(struct overfit_pbo *p, const struct span_sums *s, size_t sets, uint32_t inside,
    double n, double *outside) {
    uint32_t all = (uint32_t)((1u << p->spans) - 1);
    size_t best = 0;
    double top = -INFINITY, sum, best_sum = 0;
    for (size_t k = 0; k < sets; k++) {
        double in = half(s + k * p->spans, p->spans, inside, n, &sum);
        outside[k] = half(s + k * p->spans, p->spans, all & ~inside, n, &sum);
        if (in <= top) continue;
        top = in;
        best = k;
        best_sum = sum;
    }
    double below = 1; /* the best itself */
    for (size_t k = 0; k < sets; k++) {
        if (k == best) continue;
        below += outside[k] < outside[best] ? 1 : outside[k] > outside[best] ? 0 : 0.5;
    }
    double rank = below / (double)(sets + 1);
    size_t bin = (size_t)(rank * OVERFIT_BINS);
    p->rank[bin < OVERFIT_BINS ? bin : OVERFIT_BINS - 1]++;
    p->splits++;
    p->probability += rank <= 0.5;
    p->loss += best_sum < 0;
    p->inside += top;
    p->outside += outside[best];
}

struct overfit_pbo overfit_pbo(const struct profit_table *t, size_t spans) {
    struct overfit_pbo p = {0};
    size_t most = t->periods / OVERFIT_SPAN_LEAST;
    if (spans > OVERFIT_SPANS_MAX) spans = OVERFIT_SPANS_MAX;
    if (spans > most) spans = most;
    spans -= spans % 2;
    p.probability = p.loss = p.inside = p.outside = 0;
    if (spans >= 4 && t->sets >= 2) {
        size_t length = t->periods / spans;
        struct span_sums *s = sums_of(t, spans, length);
        double *outside = mem_alloc(t->sets * sizeof *outside);
        p.spans = spans;
        for (uint32_t mask = 0; mask < 1u << spans; mask++) {
            if ((size_t)__builtin_popcount(mask) != spans / 2) continue;
            split(&p, s, t->sets, mask, (double)(length * spans / 2), outside);
        }
        free(outside);
        free(s);
    }
    double n = p.splits > 0 ? (double)p.splits : NAN;
    p.probability /= n;
    p.loss /= n;
    p.inside /= n;
    p.outside /= n;
    return p;
}

/* ---- at most OVERFIT_BLOCKS periods ---- */

struct folded {
    double *x; /* x[k * n + t], mean 0 */
    double *sum, *sd;
    size_t sets, n;
};

static struct folded fold(const struct profit_table *t) {
    size_t block = (t->periods + OVERFIT_BLOCKS - 1) / OVERFIT_BLOCKS;
    struct folded f = {.sets = t->sets, .n = block > 0 ? t->periods / block : 0};
    f.x = mem_alloc((f.sets * f.n + 1) * sizeof *f.x);
    f.sum = mem_alloc((f.sets + 1) * sizeof *f.sum);
    f.sd = mem_alloc((f.sets + 1) * sizeof *f.sd);
    for (size_t k = 0; k < f.sets; k++) {
        double *x = f.x + k * f.n;
        for (size_t i = 0; i < f.n * block; i++) x[i / block] += t->set[k][i];
        double mean = f.n > 0 ? stats_mean(x, f.n) : 0, sd = stats_sd(x, f.n);
        f.sum[k] = mean * (double)f.n;
        f.sd[k] = sd > 1e-12 * fabs(mean) && sd > 0 ? sd : 0;
        for (size_t i = 0; i < f.n; i++) x[i] -= mean;
    }
    return f;
}

static void unfold(struct folded *f) {
    free(f->x);
    free(f->sum);
    free(f->sd);
}

/* ---- the best of sets without skill ---- */

/* The best set's mean block length: the one whose luck is in question. */
static double block_of(const struct folded *f) {
    size_t best = 0;
    for (size_t k = 1; k < f->sets; k++) {
        if (f->sum[k] > f->sum[best]) best = k;
    }
    return stats_block_length(f->x + best * f->n, f->n).stationary;
}

static void draw(const struct folded *f, const uint32_t *index, double *weight, double *best,
    double *best_sharpe) {
    double n = (double)f->n;
    for (size_t i = 0; i < f->n; i++) weight[i] = 0;
    for (size_t i = 0; i < f->n; i++) weight[index[i]]++;
    *best = *best_sharpe = -INFINITY;
    for (size_t k = 0; k < f->sets; k++) {
        const double *x = f->x + k * f->n;
        double sum = 0;
        for (size_t i = 0; i < f->n; i++) sum += weight[i] * x[i];
        if (sum > *best) *best = sum;
        double s = f->sd[k] > 0 ? sum / n / f->sd[k] : 0;
        if (s > *best_sharpe) *best_sharpe = s;
    }
}

struct overfit_noise overfit_noise(const struct profit_table *t, size_t repeats, uint64_t seed) {
    struct overfit_noise o = {0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    struct folded f = fold(t);
    if (f.n >= 8 && f.sets >= 1 && repeats > 0) {
        uint32_t *index = mem_alloc(f.n * sizeof *index);
        double *weight = mem_alloc(f.n * sizeof *weight), block = block_of(&f);
        double *sum = mem_alloc(repeats * sizeof *sum), *s = mem_alloc(repeats * sizeof *s);
        struct dice dice = {seed};
        double worse = 1, worse_sharpe = 1; /* the data themselves are one draw */
        o.best = o.best_sharpe = -INFINITY;
        for (size_t k = 0; k < f.sets; k++) {
            o.best = fmax(o.best, f.sum[k]);
            o.best_sharpe = fmax(o.best_sharpe, f.sd[k] > 0 ? f.sum[k] / (double)f.n / f.sd[k] : 0);
        }
        for (size_t b = 0; b < repeats; b++) {
            dice_blocks(&dice, block, f.n, index);
            draw(&f, index, weight, &sum[b], &s[b]);
            worse += sum[b] >= o.best;
            worse_sharpe += s[b] >= o.best_sharpe;
        }
        o.repeats = repeats;
        o.mean = stats_mean(sum, repeats);
        o.mean_sharpe = stats_mean(s, repeats);
        stats_sort(sum, repeats);
        stats_sort(s, repeats);
        o.high = stats_quantile(sum, repeats, 0.95);
        o.high_sharpe = stats_quantile(s, repeats, 0.95);
        o.p = worse / (double)(repeats + 1);
        o.p_sharpe = worse_sharpe / (double)(repeats + 1);
        free(index);
        free(weight);
        free(sum);
        free(s);
    }
    unfold(&f);
    return o;
}

/* ---- how many of them were different ---- */

double overfit_effective(const struct profit_table *t) {
    struct folded f = fold(t);
    double sum = 0, n = 0;
    for (size_t a = 0; f.n > 1 && a < f.sets; a++) {
        if (!(f.sd[a] > 0)) continue;
        n++;
        sum += 1;
        for (size_t b = 0; b < a; b++) {
            if (!(f.sd[b] > 0)) continue;
            double dot = 0;
            for (size_t i = 0; i < f.n; i++) dot += f.x[a * f.n + i] * f.x[b * f.n + i];
            double r = dot / (double)(f.n - 1) / f.sd[a] / f.sd[b];
            sum += 2 * r * r;
        }
    }
    unfold(&f);
    return n > 0 ? n * n / sum : NAN;
}
