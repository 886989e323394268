#include "learn/select/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/unit.h"
#include "learn/study/drift.h"
#include "learn/study/multiple.h"
#include "learn/study/stats.h"

#define NS_DAY (86400 * NS_PER_S)

struct profile_config profile_defaults(void) {
    return (struct profile_config){.horizon = {1, 5, 20, 60},
        .horizons = 4,
        .repeats = 200,
        .rate = 0.1,
        .same = 0.9,
        .seed = 1};
}

/* One column with its values in time order and sorted. */
struct work {
    const struct matrix *m;
    struct profile *p;
    double *x;              /* rows, NaN = missing */
    double *value, *sorted; /* without the missing */
    double *half[2];        /* sorted halves */
    double *y[PROFILE_HORIZONS_MAX];
    struct ic_blocks blocks[PROFILE_HORIZONS_MAX];
};

/* --- one column ------------------------------------------------------------------------------ */

static void take_moments(struct profile_column *c, const double *v, size_t n) {
    double m2 = 0, m3 = 0, m4 = 0;
    c->mean = stats_mean(v, n);
    for (size_t i = 0; i < n; i++) {
        double d = v[i] - c->mean;
        m2 += d * d;
        m3 += d * d * d;
        m4 += d * d * d * d;
    }
    m2 /= (double)n, m3 /= (double)n, m4 /= (double)n;
    c->sd = sqrt(m2);
    c->skew = m2 > 0 ? m3 / (m2 * c->sd) : NAN;
    c->kurtosis = m2 > 0 ? m4 / (m2 * m2) : NAN;
}

static void take_distribution(struct profile_column *c, const double *sorted, size_t n) {
    static const double at[PROFILE_QUANTILES] = {0, 0.01, 0.25, 0.5, 0.75, 0.99, 1};
    for (size_t k = 0; k < PROFILE_QUANTILES; k++)
        c->quantile[k] = stats_quantile(sorted, n, at[k]);
    double lo = c->quantile[1], hi = c->quantile[5];
    if (!(hi > lo)) lo = c->quantile[0], hi = c->quantile[6];
    c->bin_from = lo;
    c->bin_width = (hi - lo) / PROFILE_BINS;
    for (size_t i = 0; i < n; i++) {
        double k = c->bin_width > 0 ? floor((sorted[i] - lo) / c->bin_width) : 0;
        c->bin[(size_t)fmin(fmax(k, 0), PROFILE_BINS - 1)]++;
    }
}

static void take_memory(struct profile_column *c, const double *v, size_t n) {
    double own = 0;
    for (size_t i = 0; i < n; i++) own += (v[i] - c->mean) * (v[i] - c->mean);
    for (size_t lag = 1; lag <= PROFILE_LAGS; lag++) {
        double sum = 0;
        for (size_t i = lag; i < n; i++) sum += (v[i] - c->mean) * (v[i - lag] - c->mean);
        c->autocorrelation[lag - 1] = own > 0 && n > lag ? sum / own : NAN;
    }
    c->effective = drift_effective(v, n);
}

/* Sorted values of rows [from, to); what their own memory leaves of them (NULL = not wanted). */
static size_t sorted_part(
    const struct work *w, size_t from, size_t to, double *out, double *effective) {
    size_t n = 0;
    for (size_t i = from; i < to; i++)
        if (!isnan(w->x[i])) out[n++] = w->x[i];
    if (effective) *effective = drift_effective(out, n);
    stats_sort(out, n);
    return n;
}

static void take_days(struct work *w, struct profile_column *c) {
    size_t n0 = 0, rows = w->m->rows;
    c->psi_day = NAN;
    for (size_t i = 0, to; i < rows; i = to) {
        int64_t day = w->m->bar[i].close_ns / NS_DAY;
        for (to = i; to < rows && w->m->bar[to].close_ns / NS_DAY == day;) to++;
        size_t n = sorted_part(w, i, to, w->half[c->days > 0], NULL);
        if (c->days++ == 0) {
            n0 = n;
            continue;
        }
        double psi = drift_psi(w->half[0], n0, w->half[1], n);
        if (isfinite(psi)) c->psi_day = fmax(isnan(c->psi_day) ? 0 : c->psi_day, psi);
    }
}

/* Each half counts by its own memory: over both, the change itself would pass for memory. */
static void take_drift(struct work *w, struct profile_column *c) {
    size_t middle = w->m->rows / 2, rows = w->m->rows;
    double before, after;
    size_t a = sorted_part(w, 0, middle, w->half[0], &before);
    size_t b = sorted_part(w, middle, rows, w->half[1], &after);
    struct drift_ks ks = drift_ks(w->half[0], a, w->half[1], b, fmax(1, before), fmax(1, after));
    c->psi = drift_psi(w->half[0], a, w->half[1], b);
    c->ks = ks.d;
    c->ks_p = ks.p;
    take_days(w, c);
}

static void take_segments(const struct work *w, struct profile_column *c) {
    size_t rows = w->m->rows, n = w->p->segments;
    for (size_t k = 0; k < n; k++) {
        double lo = INFINITY, hi = -INFINITY, sum = 0, count = 0;
        for (size_t i = rows * k / n; i < rows * (k + 1) / n; i++) {
            if (isnan(w->x[i])) continue;
            lo = fmin(lo, w->x[i]);
            hi = fmax(hi, w->x[i]);
            sum += w->x[i];
            count++;
        }
        c->segment[0][k] = count > 0 ? lo : NAN;
        c->segment[1][k] = count > 0 ? sum / count : NAN;
        c->segment[2][k] = count > 0 ? hi : NAN;
    }
}

static double rank_ic(const struct work *w, const double *y) {
    double *a = mem_alloc((w->m->rows + 1) * sizeof *a),
           *b = mem_alloc((w->m->rows + 1) * sizeof *b);
    size_t n = 0;
    for (size_t i = 0; i < w->m->rows; i++)
        if (!isnan(w->x[i]) && isfinite(y[i])) a[n] = w->x[i], b[n++] = y[i];
    double r = n >= IC_LEAST ? stats_spearman(a, b, n) : NAN;
    free(a);
    free(b);
    return r;
}

/* Does the link hold all along? The IC of each of PROFILE_PARTS equal parts of the rows. */
static void take_parts(const struct work *w, struct profile_column *c) {
    double known[PROFILE_PARTS], agree = 0;
    size_t rows = w->m->rows, n = 0;
    for (size_t k = 0; k < PROFILE_PARTS; k++) {
        size_t from = rows * k / PROFILE_PARTS, to = rows * (k + 1) / PROFILE_PARTS;
        struct ic_figures f =
            ic_measure(w->x + from, w->y[0] + from, to - from, w->p->cfg.horizon[0], NULL);
        c->part_ic[k] = f.ic;
        if (isnan(f.ic)) continue;
        known[n++] = f.ic;
        agree += f.ic * c->ic[0].ic > 0;
    }
    double sd = stats_sd(known, n);
    c->ic_ir = n >= 3 && sd > 0 ? stats_mean(known, n) / sd : NAN;
    c->same_sign = n > 0 ? agree / (double)n : NAN;
}

static void column_make(struct work *w, size_t at, struct profile_column *c) {
    const struct matrix *m = w->m;
    for (size_t i = 0; i < m->rows; i++) {
        w->x[i] = (double)m->x[i * m->columns + at];
        if (!isnan(w->x[i])) w->value[c->values++] = w->x[i];
    }
    size_t n = c->values;
    c->missing = 1 - (double)n / (double)m->rows;
    c->cluster = UINT32_MAX;
    c->ic_ir = c->same_sign = NAN;
    c->rank_ic = c->psi = c->ks = c->ks_p = c->psi_day = c->effective = NAN;
    c->mean = c->sd = c->skew = c->kurtosis = NAN;
    for (size_t h = 0; h < w->p->cfg.horizons; h++)
        c->ic[h] = (struct ic_figures){NAN, NAN, NAN, NAN, 0, NAN};
    if (n == 0) return;
    memcpy(w->sorted, w->value, n * sizeof *w->value);
    stats_sort(w->sorted, n);
    take_moments(c, w->value, n);
    take_distribution(c, w->sorted, n);
    take_segments(w, c);
    if (w->sorted[0] == w->sorted[n - 1]) return; /* a constant says no more */
    take_memory(c, w->value, n);
    take_drift(w, c);
    for (size_t h = 0; h < w->p->cfg.horizons; h++)
        c->ic[h] = ic_measure(w->x, w->y[h], m->rows, w->p->cfg.horizon[h], &w->blocks[h]);
    c->rank_ic = rank_ic(w, w->y[0]);
    take_parts(w, c);
    w->p->live_column[w->p->live++] = (uint32_t)at;
}

/* --- all columns ----------------------------------------------------------------------------- */

static void work_init(struct work *w, const struct matrix *m, struct profile *p) {
    *w = (struct work){.m = m, .p = p};
    double **all[] = {&w->x, &w->value, &w->sorted, &w->half[0], &w->half[1]};
    for (size_t i = 0; i < 5; i++) *all[i] = mem_alloc((m->rows + 1) * sizeof(double));
    struct label *label = mem_alloc((m->rows + 1) * sizeof *label);
    for (size_t h = 0; h < p->cfg.horizons; h++) {
        struct label_spec spec = {.kind = LABEL_NEXT, .buckets = (int64_t)p->cfg.horizon[h]};
        label_make(&spec, m->bar, m->rows, label);
        w->y[h] = mem_alloc((m->rows + 1) * sizeof *w->y[h]);
        for (size_t i = 0; i < m->rows; i++) w->y[h][i] = label[i].value;
        p->block[h] = ic_block_length(w->y[h], m->rows, (double)p->cfg.horizon[h]);
        ic_blocks_draw(&w->blocks[h], m->rows, p->block[h], p->cfg.repeats, p->cfg.seed + h);
    }
    free(label);
}

static void work_fini(struct work *w) {
    double *all[] = {w->x, w->value, w->sorted, w->half[0], w->half[1]};
    for (size_t i = 0; i < 5; i++) free(all[i]);
    for (size_t h = 0; h < w->p->cfg.horizons; h++) {
        free(w->y[h]);
        ic_blocks_fini(&w->blocks[h]);
    }
}

static void take_tests(struct profile *p) {
    size_t n = p->columns, k = 0;
    double *pv = mem_alloc((n + 1) * sizeof *pv), *out = mem_alloc((n + 1) * sizeof *out);
    double *effective = mem_alloc((n + 1) * sizeof *effective);
    for (size_t i = 0; i < n; i++) {
        pv[i] = p->column[i].ic[0].p;
        if (!isnan(pv[i])) effective[k++] = p->column[i].ic[0].n_effective;
    }
    p->tested = k;
    p->outside = multiple_count(pv, n, 0.05);
    p->by_chance = (size_t)floor(0.05 * (double)k + 0.5);
    multiple_benjamini_hochberg(pv, n, out);
    p->discoveries = multiple_count(out, n, p->cfg.rate);
    for (size_t i = 0; i < n; i++) p->column[i].fdr = out[i];
    multiple_bonferroni(pv, n, out);
    p->strict = multiple_count(out, n, 0.05);
    for (size_t i = 0; i < n; i++) p->column[i].bonferroni = out[i];
    stats_sort(effective, k);
    p->effective_median = stats_quantile(effective, k, 0.5);
    free(pv);
    free(out);
    free(effective);
}

static void take_clusters(struct profile *p) {
    p->correlation = cluster_correlations(p->m, p->live_column, p->live, 0, p->m->rows);
    cluster_tree_make(&p->tree, p->correlation, p->live, p->cfg.same);
    for (size_t i = 0; i < p->live; i++) p->column[p->live_column[i]].cluster = p->tree.cluster[i];
}

err_t profile_make(const struct matrix *m, const struct profile_config *cfg, struct profile *out,
    struct err_info *e) {
    struct profile p = {.m = m, .cfg = *cfg, .columns = m->columns};
    struct work w;
    err_t err = ERR_OK;
    CHECK(cfg->horizons > 0 && cfg->horizons <= PROFILE_HORIZONS_MAX);
    if (m->rows < IC_LEAST)
        return err_set(e, ERR_INPUT,
            "%zu rows: at least %d are needed; use a longer recording or shorter buckets", m->rows,
            IC_LEAST);
    p.column = mem_alloc((m->columns + 1) * sizeof *p.column);
    p.live_column = mem_alloc((m->columns + 1) * sizeof *p.live_column);
    p.segments = m->rows < PROFILE_SEGMENTS ? m->rows : PROFILE_SEGMENTS;
    for (size_t k = 0; k < p.segments; k++) {
        size_t last = m->rows * (k + 1) / p.segments - 1;
        p.segment_s[k] = (double)m->bar[last].close_ns / (double)NS_PER_S;
    }
    work_init(&w, m, &p);
    for (size_t i = 0; i < m->columns && !err; i++) {
        column_make(&w, i, &p.column[i]);
        if (cfg->step) cfg->step(cfg->user, i + 1, m->columns);
        if (cfg->stop && cfg->stop())
            err = err_set(e, ERR_INTERRUPTED, "stopped after %zu of %zu features; run it again",
                i + 1, m->columns);
    }
    work_fini(&w);
    if (!err) take_tests(&p);
    if (!err) take_clusters(&p);
    if (err)
        profile_free(&p);
    else
        *out = p;
    return err;
}

void profile_free(struct profile *p) {
    free(p->column);
    free(p->live_column);
    free(p->correlation);
    cluster_tree_fini(&p->tree);
    memset(p, 0, sizeof *p);
}
