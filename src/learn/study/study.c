#include "learn/study/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "learn/study/sample.h"
#include "learn/study/split.h"
#include "learn/study/stats.h"

enum { FOLD_LEAST_ROWS = 50, RIDGES = 7 /* 1 .. 1e6 */ };

struct study_config study_defaults(void) {
    return (struct study_config){.train = train_defaults(),
        .scheme = STUDY_EXPANDING,
        .folds = 5,
        .bootstrap = 500,
        .calibrate_share = 0.2,
        .seed = 1};
}

/* Rows of one training part, gathered. */
struct part {
    size_t rows;
    uint32_t *row; /* of the matrix */
    float *x;
    double *y;
};

struct work {
    const struct matrix *m;
    const struct study_config *cfg;
    size_t usable; /* rows after the warm-up */
    double span;   /* mean length of a label in rows */
    struct part fit, cal;
};

static void part_alloc(struct part *p, const struct matrix *m, size_t rows) {
    p->rows = 0;
    p->row = mem_alloc((rows + 1) * sizeof *p->row);
    p->x = NULL;
    p->y = mem_alloc((rows + 1) * sizeof *p->y);
    CHECK(m->rows <= UINT32_MAX);
}

static void part_free(struct part *p) {
    free(p->row);
    free(p->x);
    free(p->y);
    memset(p, 0, sizeof *p);
}

static bool label_known(const struct label *l) { return l->known_row >= 0 && isfinite(l->value); }

/* The target of a row; false: the row teaches nothing (no label, or a binary row without a move).
 */
static bool target(const struct work *w, size_t row, double threshold, double *y) {
    const struct label *l = &w->m->label[row];
    if (!label_known(l)) return false;
    switch (w->cfg->train.output) {
    case OUTPUT_VALUE: *y = l->value; return true;
    case OUTPUT_BINARY: *y = l->move > 0; return l->move != 0;
    case OUTPUT_CLASSES: break;
    }
    *y = w->m->spec.kind == LABEL_BARRIER ? l->klass : label_class(l->value, threshold);
    return true;
}

/* Rows of [from, to) that teach and whose label is known before `limit_ns`. */
static void select_rows(const struct work *w, size_t from, size_t to, int64_t limit_ns,
    double threshold, struct part *p, size_t *purged) {
    for (size_t i = from; i < to; i++) {
        double y;
        if (!target(w, i, threshold, &y)) continue;
        if (w->m->label[i].known_ns >= limit_ns) {
            ++*purged;
            continue;
        }
        p->row[p->rows] = (uint32_t)i;
        p->y[p->rows++] = y;
    }
}

static void gather(const struct matrix *m, struct part *p) {
    p->x = mem_alloc((p->rows + 1) * m->columns * sizeof(float));
    for (size_t i = 0; i < p->rows; i++) {
        memcpy(p->x + i * m->columns, m->x + (size_t)p->row[i] * m->columns,
            m->columns * sizeof(float));
    }
}

/* The class threshold and the mean absolute move of the rows that may train. */
static void fit_threshold(const struct work *w, struct study_fold *f, size_t to, int64_t limit) {
    double *value = mem_alloc((to - f->train_from + 1) * sizeof *value), moves = 0;
    size_t n = 0;
    for (size_t i = f->train_from; i < to; i++) {
        const struct label *l = &w->m->label[i];
        if (!label_known(l) || l->known_ns >= limit) continue;
        value[n++] = l->value;
        moves += fabs(l->move);
    }
    f->threshold = w->m->spec.adaptive ? label_threshold_fit(value, n) : w->m->spec.threshold;
    f->move_bps = n ? 1e4 * moves / (double)n : 0;
    free(value);
}

/* model.l2 = 0: the ridge is chosen inside the training part. */
static bool ridge_chosen(const struct work *w) {
    return w->cfg->train.kind == MODEL_LOGISTIC && w->cfg->train.l2 <= 0;
}

/* Splits the training rows of a fold into a part to fit and a later part to calibrate; neither
 * knows a label that reaches into what comes after it. */
static void make_parts(struct work *w, struct study_fold *f) {
    const struct matrix *m = w->m;
    int64_t test_ns = f->test_from < m->rows ? m->bar[f->test_from].close_ns : INT64_MAX;
    size_t embargo = (size_t)w->cfg->embargo, to = f->train_to;
    f->embargoed = embargo < to - f->train_from ? embargo : to - f->train_from;
    to -= f->embargoed;
    fit_threshold(w, f, to, test_ns);
    bool calibrate = ridge_chosen(w) || (w->cfg->train.calibration != CALIBRATION_NONE &&
                                            w->cfg->train.output != OUTPUT_VALUE);
    double share = w->cfg->calibrate_share > 0 ? w->cfg->calibrate_share : 0.2;
    size_t cut = calibrate ? to - (size_t)((double)(to - f->train_from) * share) : to;
    int64_t cut_ns = cut < to ? m->bar[cut].close_ns : test_ns;
    part_alloc(&w->fit, m, to - f->train_from);
    part_alloc(&w->cal, m, to - f->train_from);
    select_rows(w, f->train_from, cut, cut_ns, f->threshold, &w->fit, &f->purged);
    select_rows(w, cut, to, test_ns, f->threshold, &w->cal, &f->purged);
    gather(m, &w->fit);
    gather(m, &w->cal);
    f->fitted = w->fit.rows;
    f->calibrated = w->cal.rows;
}

/* Log loss of every row the model has not seen, after a Platt line through them: a strong ridge
 * shrinks all scores, which calibration undoes, so only their order and shape may count here. */
static void losses_binary(const struct trained *t, const struct part *p, double *loss) {
    struct calibration c = {.kind = CALIBRATION_NONE};
    for (size_t i = 0; i < p->rows; i++) model_score(t->model, p->x + i * t->columns, &loss[i]);
    if (calibrate_platt(loss, p->y, p->rows, &c, NULL) != ERR_OK) c.kind = CALIBRATION_NONE;
    for (size_t i = 0; i < p->rows; i++) {
        double up = calibration_apply(&c, loss[i]);
        loss[i] = -log(fmax(p->y[i] > 0.5 ? up : 1 - up, 1e-12));
    }
}

static void losses_of(const struct trained *t, const struct part *p, double *loss) {
    if (t->output == OUTPUT_BINARY) {
        losses_binary(t, p, loss);
        return;
    }
    for (size_t i = 0; i < p->rows; i++) {
        struct prediction q;
        model_predict(t->model, NULL, p->x + i * t->columns, &q);
        loss[i] = -log(fmax(q.p[(int)p->y[i]], 1e-12));
    }
}

/* The strongest ridge that is not worse than the best by more than one standard error of their
 * difference (the one-standard-error rule of Breiman et al. 1984): the least loss alone is mostly
 * luck where the signal is weak. loss[k] belongs to the k-th strength, weakest first. */
static size_t strongest_good(double *const *loss, size_t strengths, size_t rows) {
    size_t best = 0;
    for (size_t k = 1; k < strengths; k++) {
        if (stats_mean(loss[k], rows) < stats_mean(loss[best], rows)) best = k;
    }
    for (size_t k = strengths - 1; k > best; k--) {
        for (size_t i = 0; i < rows; i++) loss[k][i] -= loss[best][i];
        double worse = stats_mean(loss[k], rows), sd = stats_sd(loss[k], rows);
        if (worse <= sd / sqrt((double)rows)) return k;
    }
    return best;
}

/* Ridge by the later part of the training rows: many correlated columns against a weak signal need
 * far more of it than a default can know. The test rows have no say. */
static err_t train_ridge(
    struct work *w, const struct train_data *fit, struct trained *out, struct err_info *e) {
    struct train_params p = w->cfg->train;
    struct trained t[RIDGES];
    double *loss[RIDGES];
    size_t n = 0;
    err_t err = ERR_OK;
    p.l2 = 1;
    for (; n < RIDGES && !err; p.l2 *= 10) {
        err = train_model(&p, fit, &t[n], e);
        if (err) break;
        loss[n] = mem_alloc((w->cal.rows + 1) * sizeof *loss[n]);
        losses_of(&t[n], &w->cal, loss[n]);
        n++;
    }
    size_t keep = err ? n : strongest_good(loss, n, w->cal.rows);
    for (size_t k = 0; k < n; k++) {
        free(loss[k]);
        if (k == keep)
            *out = t[k];
        else
            trained_free(&t[k]);
    }
    return err;
}

static err_t train_parts(struct work *w, struct study_fold *f, struct err_info *e) {
    struct train_data fit = {w->fit.rows, w->m->columns, w->fit.x, w->fit.y, NULL, NULL};
    struct train_data cal = {w->cal.rows, w->m->columns, w->cal.x, w->cal.y, NULL, NULL};
    bool ridge = ridge_chosen(w) && w->cal.rows > 0;
    err_t err = ridge ? train_ridge(w, &fit, &f->model, e)
                      : train_model(&w->cfg->train, &fit, &f->model, e);
    /* A calibration part with one outcome only cannot calibrate: the fold goes on with the model's
     * own probabilities, and says so (calibrated = 0). */
    bool asked = w->cal.rows && w->cfg->train.calibration != CALIBRATION_NONE;
    if (!err && asked && train_calibrate(&f->model, &cal, NULL) != ERR_OK) f->calibrated = 0;
    if (err) trained_free(&f->model);
    part_free(&w->fit);
    part_free(&w->cal);
    return err;
}

static double score_of(enum model_output output, const struct prediction *p) {
    switch (output) {
    case OUTPUT_VALUE: return p->p[0];
    case OUTPUT_BINARY: return 2 * p->p[0] - 1;
    case OUTPUT_CLASSES: break;
    }
    return p->p[LABEL_UP] - p->p[LABEL_DOWN];
}

static void predict_row(const struct work *w, const struct study_fold *f, int32_t number,
    size_t row, struct study_prediction *out) {
    const struct matrix *m = w->m;
    const struct label *l = &m->label[row];
    struct prediction p;
    model_predict(f->model.model, trained_calibration(&f->model), m->x + row * m->columns, &p);
    *out = (struct study_prediction){.row = row,
        .bucket_id = m->bar[row].bucket_id,
        .close_ns = m->bar[row].close_ns,
        .fold = number,
        .klass = LABEL_NONE,
        .classes = p.classes,
        .missing = p.missing,
        .score = score_of(w->cfg->train.output, &p),
        .value = NAN,
        .move = NAN};
    for (uint32_t k = 0; k < p.classes && k < 3; k++) out->p[k] = p.p[k];
    if (!label_known(l)) return;
    out->value = l->value;
    out->move = l->move;
    out->klass = m->spec.kind == LABEL_BARRIER ? l->klass : label_class(l->value, f->threshold);
}

static uint32_t sample_classes(enum model_output output) {
    return output == OUTPUT_VALUE ? 0 : output == OUTPUT_BINARY ? 1 : 3;
}

static void measure_fold(const struct work *w, struct study_fold *f,
    const struct study_prediction *p, size_t n, uint64_t seed) {
    struct sample s;
    sample_init(&s, p, n, sample_classes(w->cfg->train.output));
    sample_metrics(&s, (size_t)w->cfg->bootstrap, w->span, seed, f->metric);
    sample_fini(&s);
}

static err_t run_fold(
    struct work *w, struct study_result *r, size_t number, struct dice *dice, struct err_info *e) {
    struct study_fold *f = &r->fold[number];
    const struct label_bar *bar = w->m->bar;
    f->train_from_ns = bar[f->train_from].close_ns;
    f->train_to_ns = bar[f->train_to - 1].close_ns;
    f->test_from_ns = bar[f->test_from].close_ns;
    f->test_to_ns = bar[f->test_to - 1].close_ns;
    make_parts(w, f);
    struct err_info why = {ERR_OK, ""};
    err_t err = train_parts(w, f, &why);
    if (err) return err_set(e, err, "walk-forward fold %zu: %s", number + 1, why.text);
    struct study_prediction *first = r->prediction + r->predictions;
    for (size_t i = f->test_from; i < f->test_to; i++) {
        predict_row(w, f, (int32_t)number, i, &r->prediction[r->predictions++]);
    }
    measure_fold(w, f, first, f->test_to - f->test_from, dice_next(dice));
    return ERR_OK;
}

static size_t make_folds(const struct work *w, struct split_fold *fold) {
    const struct study_config *c = w->cfg;
    bool rolling = c->scheme == STUDY_ROLLING;
    size_t w0 = w->m->warmup, folds;
    if (c->train_ns > 0 && c->test_ns > 0) {
        int64_t *t = mem_alloc((w->usable + 1) * sizeof *t);
        for (size_t i = 0; i < w->usable; i++) t[i] = w->m->bar[w0 + i].close_ns;
        folds = split_walk_forward_time(
            t, w->usable, rolling, c->train_ns, c->test_ns, fold, STUDY_FOLDS_MAX);
        free(t);
    } else {
        folds = split_walk_forward(w->usable, rolling, (size_t)c->folds, (size_t)c->train_rows,
            (size_t)c->test_rows, fold, STUDY_FOLDS_MAX);
    }
    return folds;
}

err_t study_plan(const struct matrix *m, const struct study_config *cfg, struct split_fold **out,
    size_t *folds, struct err_info *e) {
    struct work w = {.m = m, .cfg = cfg};
    w.usable = m->rows > m->warmup ? m->rows - m->warmup : 0;
    struct split_fold *fold = mem_alloc(STUDY_FOLDS_MAX * sizeof *fold);
    size_t n = w.usable < FOLD_LEAST_ROWS ? 0 : make_folds(&w, fold);
    err_t err = ERR_OK;
    if (n == 0) {
        err = err_set(e, ERR_INPUT,
            "%zu usable rows (%zu after a warm-up of %zu) are too few for this walk-forward; use "
            "a longer recording, shorter buckets or a smaller study.train_rows",
            m->rows, w.usable, m->warmup);
    } else if (n > STUDY_FOLDS_MAX) {
        err = err_set(e, ERR_USAGE, "%zu walk-forward folds: at most %d; raise study.test_rows", n,
            STUDY_FOLDS_MAX);
    }
    if (err) {
        free(fold);
        return err;
    }
    for (size_t i = 0; i < n; i++) {
        fold[i].train_from += m->warmup;
        fold[i].train_to += m->warmup;
        fold[i].test_from += m->warmup;
        fold[i].test_to += m->warmup;
    }
    *out = fold;
    *folds = n;
    return ERR_OK;
}

static err_t plan_folds(const struct work *w, struct study_result *r, struct err_info *e) {
    struct split_fold *fold = NULL;
    err_t err = study_plan(w->m, w->cfg, &fold, &r->folds, e);
    if (err) return err;
    r->fold = mem_alloc(r->folds * sizeof *r->fold);
    for (size_t i = 0; i < r->folds; i++) {
        r->fold[i].train_from = fold[i].train_from;
        r->fold[i].train_to = fold[i].train_to;
        r->fold[i].test_from = fold[i].test_from;
        r->fold[i].test_to = fold[i].test_to;
    }
    free(fold);
    return ERR_OK;
}

/* Mean over folds of each column's share of the fold's importance. */
static void importance(struct study_result *r) {
    for (size_t f = 0; f < r->folds; f++) {
        const struct trained *t = &r->fold[f].model;
        double gain = 0, split = 0;
        for (size_t j = 0; j < r->columns; j++) gain += t->gain[j], split += t->split[j];
        for (size_t j = 0; j < r->columns; j++) {
            if (gain > 0) r->gain[j] += t->gain[j] / gain / (double)r->folds;
            if (split > 0) r->split[j] += t->split[j] / split / (double)r->folds;
        }
    }
}

/* Mean over folds of IC by its standard deviation; p by Student's statistic as normal. */
static void ic_ir(struct study_result *r) {
    double *ic = mem_alloc((r->folds + 1) * sizeof *ic);
    size_t n = 0;
    for (size_t f = 0; f < r->folds; f++) {
        double v = r->fold[f].metric[METRIC_IC].value;
        if (isfinite(v)) ic[n++] = v;
    }
    double sd = stats_sd(ic, n), ir = n >= 3 && sd > 0 ? stats_mean(ic, n) / sd : NAN;
    struct study_metric *m = &r->metric[METRIC_IC_IR];
    m->value = ir;
    m->p = isfinite(ir) ? 2 * normal_cdf(-fabs(ir) * sqrt((double)n)) : NAN;
    if (isfinite(ir)) m->note[0] = 0;
    free(ic);
}

static uint64_t hash_predictions(const struct study_result *r) {
    uint64_t h = 0;
    for (size_t i = 0; i < r->predictions; i++) {
        const struct study_prediction *p = &r->prediction[i];
        double record[5] = {(double)p->fold, p->p[0], p->p[1], p->p[2], p->score};
        h = hash64(h, &p->bucket_id, sizeof p->bucket_id);
        h = hash64(h, record, sizeof record);
    }
    return h;
}

static void measure_all(const struct work *w, struct study_result *r, uint64_t seed) {
    struct sample s;
    sample_init(&s, r->prediction, r->predictions, sample_classes(w->cfg->train.output));
    r->scored = s.n;
    r->block = sample_metrics(&s, (size_t)w->cfg->bootstrap, w->span, seed, r->metric);
    r->bins = sample_calibration(&s, r->bin);
    sample_fini(&s);
    ic_ir(r);
    importance(r);
    r->hash = hash_predictions(r);
}

/* The control: outcomes change rows, in training and in test alike; times stay where they are. Only
 * training rows would not do: a model of random weights still leans on columns that do predict. */
static struct label *shuffled_labels(const struct matrix *m, struct dice *dice) {
    struct label *out = mem_alloc((m->rows + 1) * sizeof *out);
    uint32_t *from = mem_alloc((m->rows + 1) * sizeof *from), n = 0, k = 0;
    memcpy(out, m->label, m->rows * sizeof *out);
    for (size_t i = m->warmup; i < m->rows; i++) {
        if (label_known(&m->label[i])) from[n++] = (uint32_t)i;
    }
    dice_shuffle(dice, from, n);
    for (size_t i = m->warmup; i < m->rows; i++) {
        if (!label_known(&m->label[i])) continue;
        const struct label *l = &m->label[from[k++]];
        out[i].value = l->value;
        out[i].move = l->move;
        out[i].klass = l->klass;
    }
    free(from);
    return out;
}

static double label_span(const struct matrix *m) {
    double sum = 0, n = 0;
    for (size_t i = m->warmup; i < m->rows; i++) {
        if (!label_known(&m->label[i])) continue;
        sum += (double)(m->label[i].known_row - (int64_t)i);
        n++;
    }
    return n > 0 ? sum / n : 1;
}

static err_t walk(struct work *w, struct study_result *r, struct dice *dice, struct err_info *e) {
    err_t err = ERR_OK;
    for (size_t f = 0; f < r->folds && !err; f++) {
        if (w->cfg->stop && w->cfg->stop()) {
            err = err_set(e, ERR_INTERRUPTED,
                "stopped before fold %zu of %zu: nothing was kept; run the same command again",
                f + 1, r->folds);
        } else {
            err = run_fold(w, r, f, dice, e);
        }
    }
    if (!err) measure_all(w, r, dice_next(dice));
    return err;
}

err_t study_walk_forward(const struct matrix *m, const struct study_config *cfg,
    struct study_result *out, struct err_info *e) {
    CHECK(cfg->bootstrap >= 0 && cfg->embargo >= 0 && m->columns > 0);
    struct work w = {.m = m, .cfg = cfg};
    struct study_result r = {.columns = m->columns, .names = m->names};
    struct dice dice = {cfg->seed};
    w.usable = m->rows > m->warmup ? m->rows - m->warmup : 0;
    err_t err = plan_folds(&w, &r, e);
    if (err) return err;
    struct matrix own = *m;
    struct label *mixed = cfg->shuffle_labels ? shuffled_labels(m, &dice) : NULL;
    if (mixed) own.label = mixed;
    w.m = &own;
    w.span = label_span(m);
    size_t tested = 0;
    for (size_t f = 0; f < r.folds; f++) tested += r.fold[f].test_to - r.fold[f].test_from;
    r.prediction = mem_alloc((tested + 1) * sizeof *r.prediction);
    r.gain = mem_alloc(m->columns * sizeof *r.gain);
    r.split = mem_alloc(m->columns * sizeof *r.split);
    err = walk(&w, &r, &dice, e);
    free(mixed);
    if (err)
        study_free(&r);
    else
        *out = r;
    return err;
}

err_t study_train_all(const struct matrix *m, const struct study_config *cfg,
    struct study_fold *out, struct err_info *e) {
    struct study_config plain = *cfg;
    struct work w = {.m = m, .cfg = &plain};
    plain.embargo = 0; /* nothing is tested behind it */
    if (m->rows <= m->warmup + FOLD_LEAST_ROWS)
        return err_set(e, ERR_INPUT, "%zu rows with a warm-up of %zu are too few to train on",
            m->rows, m->warmup);
    struct study_fold f = {.train_from = m->warmup,
        .train_to = m->rows,
        .test_from = m->rows,
        .test_to = m->rows,
        .train_from_ns = m->bar[m->warmup].close_ns,
        .train_to_ns = m->bar[m->rows - 1].close_ns};
    make_parts(&w, &f);
    struct err_info why = {ERR_OK, ""};
    err_t err = train_parts(&w, &f, &why);
    if (err) return err_set(e, err, "training on all rows: %s", why.text);
    *out = f;
    return ERR_OK;
}

void study_free(struct study_result *r) {
    for (size_t f = 0; f < r->folds; f++) trained_free(&r->fold[f].model);
    free(r->fold);
    free(r->prediction);
    free(r->gain);
    free(r->split);
    memset(r, 0, sizeof *r);
}
