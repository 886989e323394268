#include "learn/train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "learn/train/train_internal.h"

enum { ROWS_LEAST = 10 };

struct train_params train_defaults(void) {
    return (struct train_params){.kind = MODEL_LOGISTIC,
        .output = OUTPUT_BINARY,
        .calibration = CALIBRATION_PLATT,
        .l2 = 1,
        .trees = 200,
        .leaves = 15,
        .min_leaf = 100,
        .rate = 0.05,
        .columns_share = 0.8,
        .rows_share = 0.8,
        .seed = 1};
}

const struct calibration *trained_calibration(const struct trained *t) {
    return t->calibrations ? t->cal : NULL;
}

void trained_free(struct trained *t) {
    free(t->mem);
    free(t->text);
    free(t->gain);
    free(t->split);
    memset(t, 0, sizeof *t);
}

static err_t check_targets(
    const struct train_params *p, const struct train_data *d, struct err_info *e) {
    if (d->columns == 0 || d->columns > MODEL_COLUMNS_MAX)
        return err_set(
            e, ERR_INPUT, "%zu columns: a model takes 1 to %d", d->columns, MODEL_COLUMNS_MAX);
    if (d->rows < ROWS_LEAST) {
        return err_set(e, ERR_INPUT,
            "%zu usable training rows: at least %d are needed; use more data or shorter labels",
            d->rows, ROWS_LEAST);
    }
    if (p->output == OUTPUT_VALUE) return ERR_OK;
    size_t classes = p->output == OUTPUT_BINARY ? 2 : 3, seen = 0, count[3] = {0};
    for (size_t i = 0; i < d->rows; i++) {
        double y = d->y[i];
        CHECK(y >= 0 && y < (double)classes && floor(y) == y);
        count[(size_t)y]++;
    }
    for (size_t k = 0; k < classes; k++) seen += count[k] > 0;
    if (seen >= 2) return ERR_OK;
    return err_set(e, ERR_INPUT,
        "all %zu training rows have the same class: there is nothing to learn; use more data or "
        "another label",
        d->rows);
}

static err_t build_logistic(struct trained *t, const struct logistic *l, struct err_info *e) {
    const char *why = "";
    size_t need = model_build_logistic(
        NULL, 0, l->columns, l->mean, l->scale, l->weights, l->bias, l->classes, &why);
    if (!need) return err_set(e, ERR_INPUT, "the logistic model is unusable: %s", why);
    t->mem = aligned_alloc(64, need);
    CHECK(t->mem != NULL);
    t->bytes = model_build_logistic(
        t->mem, need, l->columns, l->mean, l->scale, l->weights, l->bias, l->classes, &why);
    CHECK(t->bytes == need);
    return ERR_OK;
}

static err_t build_forest(struct trained *t, const char *file, struct err_info *e) {
    const char *why = "";
    size_t need = model_build_lightgbm(NULL, 0, t->text, t->text_len, &why);
    if (need) {
        t->mem = aligned_alloc(64, need);
        if (!t->mem)
            return err_set(e, ERR_RESOURCE, "%s: no memory for a model of %zu bytes", file, need);
        t->bytes = model_build_lightgbm(t->mem, need, t->text, t->text_len, &why);
    }
    if (need && t->bytes) return ERR_OK;
    return err_set(e, ERR_INPUT, "%s is no model that can be scored: %s", file, why);
}

err_t trained_build(struct trained *t, const char *file, struct err_info *e) {
    err_t err;
    if (t->kind == MODEL_TREES) {
        err = build_forest(t, file, e);
    } else {
        struct logistic l;
        err = logistic_parse(t->text, t->text_len, &l, e);
        if (err) return err;
        err = build_logistic(t, &l, e);
        logistic_free(&l);
    }
    if (err) return err;
    t->model = model_view(t->mem);
    t->columns = model_columns(t->model);
    t->output = model_output(t->model);
    return ERR_OK;
}

static err_t fit_logistic(const struct train_params *p, const struct train_data *d,
    struct trained *t, struct err_info *e) {
    struct logistic l;
    if (p->output == OUTPUT_VALUE)
        return err_set(e, ERR_USAGE, "a logistic model forecasts classes, not values");
    CHECK(d->wide == NULL);
    err_t err = logistic_fit(p, d, &l, e);
    if (err) return err;
    for (size_t j = 0; j < d->columns; j++) {
        for (size_t k = 0; k < l.classes; k++) t->gain[j] += fabs(l.weights[k * d->columns + j]);
    }
    t->text = logistic_text(&l, &t->text_len);
    logistic_free(&l);
    return ERR_OK;
}

err_t train_model(const struct train_params *p, const struct train_data *d, struct trained *out,
    struct err_info *e) {
    struct trained t = {.kind = p->kind, .output = p->output, .columns = d->columns, .params = *p};
    err_t err = check_targets(p, d, e);
    if (err) return err;
    t.gain = calloc(d->columns, sizeof *t.gain);
    t.split = calloc(d->columns, sizeof *t.split);
    CHECK(t.gain && t.split);
    err = p->kind == MODEL_TREES ? forest_fit(p, d, &t.text, &t.text_len, t.gain, t.split, e)
                                 : fit_logistic(p, d, &t, e);
    /* The model is built from its own text: what is scored now is what a loader will score. */
    if (!err) err = trained_build(&t, "the new model", e);
    if (err)
        trained_free(&t);
    else
        *out = t;
    return err;
}

static err_t calibrate_class(struct trained *t, const struct train_data *d, size_t k, double *score,
    double *y, struct err_info *e) {
    for (size_t i = 0; i < d->rows; i++) {
        double raw[MODEL_CLASSES_MAX], p[MODEL_CLASSES_MAX];
        model_score(t->model, d->x + i * d->columns, raw);
        model_probability(t->model, raw, p);
        score[i] = model_calibration_score(t->model, raw, p, k);
        y[i] = t->output == OUTPUT_BINARY ? d->y[i] : d->y[i] == (double)k;
    }
    if (t->params.calibration == CALIBRATION_PLATT)
        return calibrate_platt(score, y, d->rows, &t->cal[k], e);
    return calibrate_isotonic(score, y, NULL, d->rows, &t->cal[k], e);
}

err_t train_calibrate(struct trained *t, const struct train_data *d, struct err_info *e) {
    CHECK(t->model != NULL && d->columns == t->columns);
    t->calibrations = 0;
    if (t->params.calibration == CALIBRATION_NONE || t->output == OUTPUT_VALUE) return ERR_OK;
    double *score = malloc((d->rows + 1) * sizeof *score), *y = malloc((d->rows + 1) * sizeof *y);
    CHECK(score && y);
    err_t err = ERR_OK;
    size_t classes = model_classes(t->model);
    for (size_t k = 0; k < classes && !err; k++) err = calibrate_class(t, d, k, score, y, e);
    free(score);
    free(y);
    if (!err) t->calibrations = (uint32_t)classes;
    return err;
}
