#include "learn/study/sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "learn/study/stats.h"

enum { CENTRE_ROWS = 30 }; /* a fold with fewer rows keeps its level: its mean is mostly noise */
static const double p_least = 1e-12; /* log losses stay finite */

/* The level of a fold's forecasts follows the mean of its past labels, so that forecasts compared
 * over folds at their own levels lean against the whole period's mean: without any skill IC would
 * be negative. Correlations and AUC therefore take scores less their fold's mean. */
static void centre_folds(const struct study_prediction *p, size_t n, double *score) {
    for (size_t i = 0, j; i < n; i = j) {
        double sum = 0;
        for (j = i; j < n && p[j].fold == p[i].fold; j++) sum += p[j].score;
        bool enough = j - i >= CENTRE_ROWS;
        for (size_t t = i; t < j; t++) {
            score[t] = p[t].score - (enough ? sum / (double)(j - i) : 0);
        }
    }
}

void sample_init(struct sample *s, const struct study_prediction *p, size_t n, uint32_t classes) {
    memset(s, 0, sizeof *s);
    s->classes = classes;
    s->score = mem_alloc((n + 1) * sizeof *s->score);
    s->value = mem_alloc((n + 1) * sizeof *s->value);
    s->p = mem_alloc((n + 1) * 3 * sizeof *s->p);
    s->klass = mem_alloc(n + 1);
    s->score_rank = mem_alloc((n + 1) * sizeof *s->score_rank);
    s->value_rank = mem_alloc((n + 1) * sizeof *s->value_rank);
    double *centred = mem_alloc((n + 1) * sizeof *centred);
    size_t cap = 0;
    int32_t fold = 0;
    centre_folds(p, n, centred);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(p[i].value) || !isfinite(p[i].score)) continue;
        size_t k = s->n++;
        if (k == 0 || p[i].fold != fold) {
            s->fold_from = mem_array(s->fold_from, s->folds, &cap, sizeof *s->fold_from);
            s->fold_from[s->folds++] = k;
            fold = p[i].fold;
        }
        s->score[k] = centred[i];
        s->value[k] = p[i].value;
        s->klass[k] = (uint8_t)p[i].klass;
        if (classes < 3) {
            s->klass[k] = p[i].move > 0 ? LABEL_UP : p[i].move < 0 ? LABEL_DOWN : LABEL_NONE;
        }
        for (uint32_t c = 0; c < classes; c++) s->p[k * classes + c] = p[i].p[c];
    }
    s->fold_from = mem_array(s->fold_from, s->folds, &cap, sizeof *s->fold_from);
    s->fold_from[s->folds] = s->n;
    free(centred);
    s->score_ranks = stats_dense_ranks(s->score, s->n, s->score_rank);
    s->value_ranks = stats_dense_ranks(s->value, s->n, s->value_rank);
    size_t ranks = s->score_ranks > s->value_ranks ? s->score_ranks : s->value_ranks;
    s->up = mem_alloc((ranks + 1) * sizeof *s->up);
    s->down = mem_alloc((ranks + 1) * sizeof *s->down);
}

void sample_fini(struct sample *s) {
    free(s->score);
    free(s->value);
    free(s->p);
    free(s->klass);
    free(s->score_rank);
    free(s->value_rank);
    free(s->up);
    free(s->down);
    free(s->fold_from);
    memset(s, 0, sizeof *s);
}

static double pearson(
    const double *x, const double *y, const uint32_t *a, const uint32_t *b, size_t n) {
    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        mx += x[a[i]];
        my += y[b[i]];
    }
    mx /= (double)n;
    my /= (double)n;
    for (size_t i = 0; i < n; i++) {
        double u = x[a[i]] - mx, v = y[b[i]] - my;
        xx += u * u;
        yy += v * v;
        xy += u * v;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

/* Mean rank of every dense rank in this resampling, by counting instead of sorting. */
static void mean_ranks(
    const uint32_t *rank, const uint32_t *index, size_t n, size_t ranks, double *out) {
    memset(out, 0, ranks * sizeof *out);
    for (size_t i = 0; i < n; i++) out[rank[index[i]]]++;
    double below = 0;
    for (size_t r = 0; r < ranks; r++) {
        double here = out[r];
        out[r] = below + (here + 1) / 2;
        below += here;
    }
}

static double rank_correlation(struct sample *s, const uint32_t *a, const uint32_t *b) {
    mean_ranks(s->score_rank, a, s->n, s->score_ranks, s->up);
    mean_ranks(s->value_rank, b, s->n, s->value_ranks, s->down);
    double m = ((double)s->n + 1) / 2, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < s->n; i++) {
        double u = s->up[s->score_rank[a[i]]] - m, v = s->down[s->value_rank[b[i]]] - m;
        xx += u * u;
        yy += v * v;
        xy += u * v;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

static double area(struct sample *s, const uint32_t *a, const uint32_t *b) {
    memset(s->up, 0, s->score_ranks * sizeof *s->up);
    memset(s->down, 0, s->score_ranks * sizeof *s->down);
    for (size_t i = 0; i < s->n; i++) {
        uint8_t k = s->klass[b[i]];
        if (k == LABEL_UP)
            s->up[s->score_rank[a[i]]]++;
        else if (k == LABEL_DOWN)
            s->down[s->score_rank[a[i]]]++;
    }
    double below = 0, won = 0, ups = 0;
    for (size_t r = 0; r < s->score_ranks; r++) {
        won += s->up[r] * (below + s->down[r] / 2);
        below += s->down[r];
        ups += s->up[r];
    }
    return ups > 0 && below > 0 ? won / (ups * below) : NAN;
}

struct tally {
    double hit[3], said[3], was[3]; /* per class */
    double n, log_loss, brier;
    double bin_p[STUDY_BINS], bin_hit[STUDY_BINS], bin_n[STUDY_BINS];
};

static void tally_bin(struct tally *t, double p, bool hit) {
    int bin = (int)(p * STUDY_BINS);
    if (bin >= STUDY_BINS) bin = STUDY_BINS - 1;
    t->bin_p[bin] += p;
    t->bin_hit[bin] += hit;
    t->bin_n[bin]++;
}

static void tally_binary(struct tally *t, double p, int klass) {
    bool up = klass == LABEL_UP;
    int said = p >= 0.5 ? LABEL_UP : LABEL_DOWN;
    t->said[said]++;
    t->hit[said] += said == klass;
    t->log_loss -= log(fmax(up ? p : 1 - p, p_least));
    t->brier += (p - up) * (p - up);
    tally_bin(t, p, up);
}

static void tally_classes(struct tally *t, const double *p, int klass) {
    int said = 0;
    for (int k = 1; k < 3; k++) said = p[k] > p[said] ? k : said;
    t->said[said]++;
    t->hit[said] += said == klass;
    t->log_loss -= log(fmax(p[klass], p_least));
    for (int k = 0; k < 3; k++) t->brier += (p[k] - (k == klass)) * (p[k] - (k == klass));
    tally_bin(t, p[said], said == klass);
}

/* Mean over the classes that occur or are said of 2 hits / (said + was). */
static double macro_f1(const struct tally *t) {
    double sum = 0, classes = 0;
    for (int k = 0; k < 3; k++) {
        if (t->said[k] + t->was[k] == 0) continue;
        sum += 2 * t->hit[k] / (t->said[k] + t->was[k]);
        classes++;
    }
    return classes > 0 ? sum / classes : NAN;
}

static double calibration_error(const struct tally *t) {
    double sum = 0;
    for (int b = 0; b < STUDY_BINS; b++) sum += fabs(t->bin_p[b] - t->bin_hit[b]);
    return sum / t->n;
}

static void class_figures(
    const struct sample *s, const uint32_t *a, const uint32_t *b, struct sample_figures *out) {
    struct tally t = {0};
    for (size_t i = 0; i < s->n; i++) {
        int klass = s->klass[b[i]];
        if (klass == LABEL_NONE) continue;
        const double *p = s->p + (size_t)a[i] * s->classes;
        t.was[klass]++;
        t.n++;
        if (s->classes == 1)
            tally_binary(&t, p[0], klass);
        else
            tally_classes(&t, p, klass);
    }
    if (t.n == 0) return;
    out->v[METRIC_LOG_LOSS] = t.log_loss / t.n;
    out->v[METRIC_BRIER] = t.brier / t.n;
    out->v[METRIC_ECE] = calibration_error(&t);
    out->v[METRIC_ACCURACY] = (t.hit[0] + t.hit[1] + t.hit[2]) / t.n;
    out->v[METRIC_MACRO_F1] = macro_f1(&t);
}

void sample_measure(struct sample *s, const uint32_t *forecast, const uint32_t *outcome,
    struct sample_figures *out) {
    for (int m = 0; m < METRIC_COUNT; m++) out->v[m] = NAN;
    if (s->n < 2) return;
    out->v[METRIC_IC] = pearson(s->score, s->value, forecast, outcome, s->n);
    out->v[METRIC_RANK_IC] = rank_correlation(s, forecast, outcome);
    out->v[METRIC_AUC] = area(s, forecast, outcome);
    if (s->classes) class_figures(s, forecast, outcome, out);
}

/* What a forecast without skill reaches: the base rates, always the majority class. */
static void floors(const struct sample *s, double floor[METRIC_COUNT]) {
    double was[3] = {0}, n = 0, entropy = 0, spread = 0, most = 0;
    for (int m = 0; m < METRIC_COUNT; m++) floor[m] = NAN;
    floor[METRIC_IC] = floor[METRIC_RANK_IC] = floor[METRIC_IC_IR] = 0;
    floor[METRIC_AUC] = 0.5;
    for (size_t i = 0; i < s->n; i++) {
        if (s->klass[i] != LABEL_NONE) was[s->klass[i]]++, n++;
    }
    if (n == 0 || s->classes == 0) return;
    double classes = 0;
    for (int k = 0; k < 3; k++) {
        double share = was[k] / n;
        classes += was[k] > 0;
        most = fmax(most, share);
        spread += share * (1 - share);
        if (share > 0) entropy -= share * log(share);
    }
    floor[METRIC_LOG_LOSS] = entropy;
    floor[METRIC_BRIER] = s->classes == 1 ? spread / 2 : spread;
    floor[METRIC_ACCURACY] = most;
    floor[METRIC_MACRO_F1] = 2 * most / (1 + most) / classes;
}

/* Sorted finite values of one metric over the repetitions. */
static size_t column(const struct sample_figures *f, size_t repeats, int metric, double *out) {
    size_t k = 0;
    for (size_t b = 0; b < repeats; b++) {
        if (isfinite(f[b].v[metric])) out[k++] = f[b].v[metric];
    }
    stats_sort(out, k);
    return k;
}

static void band(struct study_metric *m, const struct sample_figures *paired,
    const struct sample_figures *apart, size_t repeats, int id, double *work) {
    size_t k = column(paired, repeats, id, work);
    m->lo = stats_quantile(work, k, 0.025);
    m->hi = stats_quantile(work, k, 0.975);
    k = column(apart, repeats, id, work);
    m->null_lo = stats_quantile(work, k, 0.025);
    m->null_hi = stats_quantile(work, k, 0.975);
    if (k == 0 || !isfinite(m->value)) return;
    double centre = stats_mean(work, k), beyond = 1;
    for (size_t b = 0; b < k; b++) beyond += fabs(work[b] - centre) >= fabs(m->value - centre);
    m->p = beyond / (double)(k + 1);
}

static void note(struct study_metric *m) {
    const char *text = "not measurable on these rows";
    if (isfinite(m->value) && isfinite(m->null_lo)) {
        text = m->value < m->null_lo || m->value > m->null_hi
                   ? "outside what unrelated forecasts give"
                   : "within what unrelated forecasts give";
    } else if (isfinite(m->value)) {
        text = "";
    }
    snprintf(m->note, sizeof m->note, "%s", text);
}

/* Blocks must outlast the memory of the product that IC averages. That is what its own block length
 * says, but from noisy rows; the shorter of the two factors' memories bounds it from elsewhere. */
static double block_of(const struct sample *s) {
    double *product = mem_alloc((s->n + 1) * sizeof *product);
    double ms = stats_mean(s->score, s->n), mv = stats_mean(s->value, s->n);
    for (size_t i = 0; i < s->n; i++) product[i] = (s->score[i] - ms) * (s->value[i] - mv);
    double own = stats_block_length(product, s->n).stationary;
    double score = stats_block_length(s->score, s->n).stationary;
    double value = stats_block_length(s->value, s->n).stationary;
    free(product);
    return fmax(own, fmin(score, value));
}

/* Rows drawn inside their fold: that a model's level and the base rate of what followed happen to
 * agree or not is one event a fold, and no skill in telling rows apart. */
static void draw_in_folds(
    const struct sample *s, struct dice *dice, double block, uint32_t *index) {
    for (size_t f = 0; f < s->folds; f++) {
        size_t from = s->fold_from[f], n = s->fold_from[f + 1] - from;
        dice_blocks(dice, block, n, index + from);
        for (size_t i = 0; i < n; i++) index[from + i] += (uint32_t)from;
    }
}

static void resample(struct sample *s, size_t repeats, uint64_t seed, double block,
    struct sample_figures *paired, struct sample_figures *apart) {
    uint32_t *a = mem_alloc((s->n + 1) * sizeof *a), *b = mem_alloc((s->n + 1) * sizeof *b);
    struct dice dice = {seed};
    for (size_t r = 0; r < repeats; r++) {
        dice_blocks(&dice, block, s->n, a);
        sample_measure(s, a, a, &paired[r]);
        draw_in_folds(s, &dice, block, a);
        draw_in_folds(s, &dice, block, b);
        sample_measure(s, a, b, &apart[r]);
    }
    free(a);
    free(b);
}

double sample_metrics(struct sample *s, size_t repeats, double span, uint64_t seed,
    struct study_metric metric[METRIC_COUNT]) {
    double floor[METRIC_COUNT], block = 1;
    struct sample_figures here;
    uint32_t *index = mem_alloc((s->n + 1) * sizeof *index);
    for (size_t i = 0; i < s->n; i++) index[i] = (uint32_t)i;
    sample_measure(s, index, index, &here);
    floors(s, floor);
    free(index);
    struct sample_figures *paired = mem_alloc((repeats + 1) * sizeof *paired);
    struct sample_figures *apart = mem_alloc((repeats + 1) * sizeof *apart);
    double *work = mem_alloc((repeats + 1) * sizeof *work);
    if (s->n < 8) repeats = 0;
    if (repeats) {
        /* Geometric blocks of mean L keep exp(-k / L) of what rows k apart share: with six spans
         * the overlap of labels is kept to 95 %, with two only to 85 %. */
        block = fmax(block_of(s), fmin(6 * span, (double)s->n / 10));
        resample(s, repeats, seed, block, paired, apart);
    }
    static const char *const name[METRIC_COUNT] = {
        "ic", "rank_ic", "ic_ir", "auc", "log_loss", "brier", "ece", "accuracy", "macro_f1"};
    for (int m = 0; m < METRIC_COUNT; m++) {
        metric[m] = (struct study_metric){.name = name[m],
            .value = here.v[m],
            .lo = NAN,
            .hi = NAN,
            .p = NAN,
            .floor = floor[m],
            .null_lo = NAN,
            .null_hi = NAN};
        band(&metric[m], paired, apart, repeats, m, work);
        note(&metric[m]);
    }
    free(paired);
    free(apart);
    free(work);
    return block;
}

struct forecast {
    double p;
    bool up;
};

static int by_forecast(const void *a, const void *b) {
    double x = ((const struct forecast *)a)->p, y = ((const struct forecast *)b)->p;
    return (x > y) - (x < y);
}

size_t sample_calibration(const struct sample *s, struct study_bin *bin) {
    if (s->classes == 0) return 0;
    struct forecast *f = mem_alloc((s->n + 1) * sizeof *f);
    size_t n = 0, bins = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->klass[i] == LABEL_NONE) continue;
        f[n++] = (struct forecast){s->p[i * s->classes + s->classes - 1], s->klass[i] == LABEL_UP};
    }
    qsort(f, n, sizeof *f, by_forecast);
    for (size_t b = 0; b < STUDY_BINS; b++) {
        size_t from = n * b / STUDY_BINS, to = n * (b + 1) / STUDY_BINS;
        double p = 0, up = 0, count = (double)(to - from);
        for (size_t i = from; i < to; i++) p += f[i].p, up += f[i].up;
        if (from == to) continue;
        bin[bins] = (struct study_bin){p / count, up / count, 0, 0, count};
        stats_wilson(up, count, &bin[bins].lo, &bin[bins].hi);
        bins++;
    }
    free(f);
    return bins;
}
