#include "learn/select/trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "learn/study/sample.h"
#include "learn/study/stats.h"

static bool known(const struct label *l) { return l->known_row >= 0 && isfinite(l->value); }

double trial_span(const struct matrix *m) {
    double sum = 0, n = 0;
    for (size_t i = m->warmup; i < m->rows; i++) {
        if (!known(&m->label[i])) continue;
        sum += (double)(m->label[i].known_row - (int64_t)i);
        n++;
    }
    return n > 0 ? sum / n : 1;
}

size_t trial_usable(const struct matrix *m, const struct split_fold *first, uint32_t *out) {
    size_t n = 0;
    for (uint32_t j = 0; j < m->columns; j++) {
        float seen = NAN;
        bool varies = false;
        for (size_t i = first->train_from; i < first->train_to && !varies; i++) {
            float x = m->x[i * m->columns + j];
            if (isnan(x)) continue;
            varies = !isnan(seen) && x != seen;
            seen = x;
        }
        if (varies) out[n++] = j;
    }
    return n;
}

static struct study_prediction *room(struct trial *t, size_t n) {
    if (t->n + n > t->cap) {
        t->cap = 2 * (t->n + n);
        t->prediction = mem_grow(t->prediction, t->cap * sizeof *t->prediction);
    }
    return t->prediction + t->n;
}

void trial_free(struct trial *t) {
    free(t->prediction);
    memset(t, 0, sizeof *t);
}

/* Without a column the base rate of the training part is all there is to say. */
static void no_columns(
    const struct matrix *m, const struct split_fold *f, int32_t number, struct trial *t) {
    double up = 1, all = 2; /* Laplace: never 0 or 1 */
    int64_t limit = m->bar[f->test_from].close_ns;
    for (size_t i = f->train_from; i < f->train_to; i++) {
        const struct label *l = &m->label[i];
        if (!known(l) || l->move == 0 || l->known_ns >= limit) continue;
        up += l->move > 0;
        all++;
    }
    struct study_prediction *out = room(t, f->test_to - f->test_from);
    for (size_t i = f->test_from; i < f->test_to; i++, out++, t->n++) {
        const struct label *l = &m->label[i];
        *out = (struct study_prediction){.row = i,
            .bucket_id = m->bar[i].bucket_id,
            .close_ns = m->bar[i].close_ns,
            .fold = number,
            .klass = LABEL_NONE,
            .classes = 1,
            .p = {up / all},
            .value = known(l) ? l->value : NAN,
            .move = known(l) ? l->move : NAN};
    }
}

/* The fold's rows and columns as a matrix of their own. */
struct part {
    struct matrix m;
    float *x;
    struct label *label;
    const char **name;
};

static void part_make(struct part *p, const struct matrix *m, const struct split_fold *f,
    const uint32_t *column, size_t columns, const uint8_t *leave_out) {
    size_t rows = f->test_to - f->train_from;
    p->x = mem_alloc((rows * columns + 1) * sizeof *p->x);
    p->label = mem_alloc((rows + 1) * sizeof *p->label);
    p->name = mem_alloc((columns + 1) * sizeof *p->name);
    for (size_t j = 0; j < columns; j++) p->name[j] = m->names[column[j]];
    for (size_t i = 0; i < rows; i++) {
        size_t row = f->train_from + i;
        for (size_t j = 0; j < columns; j++)
            p->x[i * columns + j] = m->x[row * m->columns + column[j]];
        p->label[i] = m->label[row];
        if (known(&p->label[i])) p->label[i].known_row -= (int64_t)f->train_from;
        if (leave_out && leave_out[row] && row < f->train_to) {
            p->label[i].known_row = -1;
            p->label[i].value = p->label[i].move = NAN;
        }
    }
    p->m = *m;
    p->m.rows = rows;
    p->m.columns = columns;
    p->m.x = p->x;
    p->m.bar = m->bar + f->train_from;
    p->m.label = p->label;
    p->m.names = p->name;
    p->m.warmup = 0;
}

static void part_free(struct part *p) {
    free(p->x);
    free(p->label);
    free(p->name);
}

err_t trial_fold(const struct matrix *m, const struct study_config *cfg, const struct split_fold *f,
    int32_t number, const uint32_t *column, size_t columns, const uint8_t *leave_out,
    struct trial *t, struct err_info *e) {
    CHECK(f->train_from < f->train_to && f->train_to <= f->test_from && f->test_from < f->test_to);
    if (columns == 0) {
        no_columns(m, f, number, t);
        return ERR_OK;
    }
    struct study_config one = *cfg;
    struct study_result r = {0};
    struct part p;
    one.train.output = OUTPUT_BINARY;
    one.scheme = STUDY_EXPANDING;
    one.train_ns = one.test_ns = 0;
    one.train_rows = (int64_t)(f->test_from - f->train_from);
    one.test_rows = (int64_t)(f->test_to - f->test_from);
    one.bootstrap = 0;
    one.shuffle_labels = false;
    part_make(&p, m, f, column, columns, leave_out);
    err_t err = study_walk_forward(&p.m, &one, &r, e);
    if (!err) {
        CHECK(r.folds == 1 && r.predictions == f->test_to - f->test_from);
        struct study_prediction *out = room(t, r.predictions);
        for (size_t i = 0; i < r.predictions; i++) {
            out[i] = r.prediction[i];
            out[i].row += f->train_from;
            out[i].fold = number;
        }
        t->n += r.predictions;
        study_free(&r);
    }
    part_free(&p);
    return err;
}

double trial_metrics(const struct trial *t, size_t repeats, double span, uint64_t seed,
    struct study_metric metric[METRIC_COUNT]) {
    struct sample s;
    sample_init(&s, t->prediction, t->n, 1);
    double block = sample_metrics(&s, repeats, span, seed, metric);
    sample_fini(&s);
    return block;
}

static double ic_or_none(const struct sample_figures *f) {
    double ic = f->v[METRIC_IC];
    return isfinite(ic) ? ic : 0;
}

static struct trial_gain gain_of(double here, double *drawn, size_t n) {
    struct trial_gain g = {here, NAN, NAN, NAN};
    if (n == 0) return g;
    double below = 1, above = 1;
    for (size_t i = 0; i < n; i++) {
        below += drawn[i] <= 0;
        above += drawn[i] >= 0;
    }
    stats_sort(drawn, n);
    g.lo = stats_quantile(drawn, n, 0.025);
    g.hi = stats_quantile(drawn, n, 0.975);
    g.p = fmin(1, 2 * fmin(below, above) / (double)(n + 1));
    return g;
}

struct trial_difference trial_compare(
    const struct trial *a, const struct trial *b, size_t repeats, double block, uint64_t seed) {
    struct sample x, y;
    struct sample_figures fx, fy;
    struct dice dice = {seed};
    CHECK(a->n == b->n);
    sample_init(&x, a->prediction, a->n, 1);
    sample_init(&y, b->prediction, b->n, 1);
    CHECK(x.n == y.n);
    uint32_t *index = mem_alloc((x.n + 1) * sizeof *index);
    double *ic = mem_alloc((repeats + 1) * sizeof *ic);
    double *loss = mem_alloc((repeats + 1) * sizeof *loss);
    for (size_t i = 0; i < x.n; i++) index[i] = (uint32_t)i;
    sample_measure(&x, index, index, &fx);
    sample_measure(&y, index, index, &fy);
    double ic_here = ic_or_none(&fx) - ic_or_none(&fy);
    double loss_here = fx.v[METRIC_LOG_LOSS] - fy.v[METRIC_LOG_LOSS];
    if (x.n < 8) repeats = 0;
    for (size_t r = 0; r < repeats; r++) {
        dice_blocks(&dice, block, x.n, index);
        sample_measure(&x, index, index, &fx);
        sample_measure(&y, index, index, &fy);
        ic[r] = ic_or_none(&fx) - ic_or_none(&fy);
        loss[r] = fx.v[METRIC_LOG_LOSS] - fy.v[METRIC_LOG_LOSS];
    }
    struct trial_difference d = {gain_of(ic_here, ic, repeats), gain_of(loss_here, loss, repeats)};
    free(index);
    free(ic);
    free(loss);
    sample_fini(&x);
    sample_fini(&y);
    return d;
}
