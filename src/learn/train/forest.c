#include <LightGBM/c_api.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "learn/train/train_internal.h"

enum { PARAMS_MAX = 512 };

static void to_stderr(const char *message) { fputs(message, stderr); }

/* One thread, row-wise histograms and `deterministic`: the same rows give the same bytes. */
static void parameters(const struct train_params *p, char out[PARAMS_MAX]) {
    static const char *const objective[] = {
        "objective=regression", "objective=binary", "objective=multiclass num_class=3"};
    int n = snprintf(out, PARAMS_MAX,
        "%s num_leaves=%lld learning_rate=%.17g min_data_in_leaf=%lld max_bin=%lld "
        "feature_fraction=%.17g bagging_fraction=%.17g bagging_freq=%d lambda_l2=%.17g seed=%d "
        "deterministic=true force_row_wise=true num_threads=1 verbosity=-1",
        objective[p->output], (long long)p->leaves, p->rate, (long long)p->min_leaf,
        (long long)(p->max_bin ? p->max_bin : 255), p->columns_share, p->rows_share,
        p->rows_share < 1, p->forest_l2, (int)(p->seed & 0x7fffffff));
    CHECK(n > 0 && n < PARAMS_MAX);
}

static err_t library_error(struct err_info *e, const char *doing) {
    return err_set(e, ERR_INPUT, "LightGBM refused while %s: %s", doing, LGBM_GetLastError());
}

static err_t make_data(
    const struct train_data *d, const char *params, DatasetHandle *out, struct err_info *e) {
    const void *x = d->wide ? (const void *)d->wide : (const void *)d->x;
    int type = d->wide ? C_API_DTYPE_FLOAT64 : C_API_DTYPE_FLOAT32;
    if (LGBM_DatasetCreateFromMat(
            x, type, (int32_t)d->rows, (int32_t)d->columns, 1, params, NULL, out) != 0) {
        *out = NULL;
        return library_error(e, "reading the rows");
    }
    float *y = malloc(d->rows * sizeof *y);
    CHECK(y != NULL);
    for (size_t i = 0; i < d->rows; i++) y[i] = (float)d->y[i];
    int bad = LGBM_DatasetSetField(*out, "label", y, (int)d->rows, C_API_DTYPE_FLOAT32);
    if (!bad && d->weight)
        bad = LGBM_DatasetSetField(*out, "weight", d->weight, (int)d->rows, C_API_DTYPE_FLOAT32);
    free(y);
    return bad ? library_error(e, "setting targets and weights") : ERR_OK;
}

static err_t boost(BoosterHandle booster, int64_t trees, struct err_info *e) {
    int done = 0;
    for (int64_t i = 0; i < trees && !done; i++) {
        if (LGBM_BoosterUpdateOneIter(booster, &done) != 0)
            return library_error(e, "growing trees");
    }
    return ERR_OK;
}

static err_t take_text(BoosterHandle booster, char **text, size_t *len, struct err_info *e) {
    int64_t need = 0;
    if (LGBM_BoosterSaveModelToString(booster, 0, -1, 0, 0, &need, NULL) != 0 || need <= 0)
        return library_error(e, "writing the model");
    char *out = malloc((size_t)need);
    CHECK(out != NULL);
    if (LGBM_BoosterSaveModelToString(booster, 0, -1, 0, need, &need, out) != 0) {
        free(out);
        return library_error(e, "writing the model");
    }
    *text = out;
    *len = (size_t)need - 1;
    return ERR_OK;
}

static err_t importance(BoosterHandle b, double *gain, double *split, struct err_info *e) {
    if (LGBM_BoosterFeatureImportance(b, 0, C_API_FEATURE_IMPORTANCE_GAIN, gain) != 0 ||
        LGBM_BoosterFeatureImportance(b, 0, C_API_FEATURE_IMPORTANCE_SPLIT, split) != 0)
        return library_error(e, "weighing the columns");
    return ERR_OK;
}

err_t train_contributions(
    const struct trained *t, const float *x, size_t rows, double *out, struct err_info *e) {
    BoosterHandle booster = NULL;
    int iterations = 0;
    size_t width = t->columns + 1; /* the last one is the expected score */
    if (t->kind != MODEL_TREES || t->output == OUTPUT_CLASSES)
        return err_set(e, ERR_INPUT, "contributions are of forests with one score");
    if (rows > INT32_MAX) return err_set(e, ERR_INPUT, "more rows than LightGBM can index");
    LGBM_RegisterLogCallback(to_stderr);
    if (LGBM_BoosterLoadModelFromString(t->text, &iterations, &booster) != 0)
        return library_error(e, "reading its own model");
    double *all = malloc((rows * width + 1) * sizeof *all);
    CHECK(all != NULL);
    int64_t n = 0;
    err_t err = ERR_OK;
    if (LGBM_BoosterPredictForMat(booster, x, C_API_DTYPE_FLOAT32, (int32_t)rows,
            (int32_t)t->columns, 1, C_API_PREDICT_CONTRIB, 0, 0, "num_threads=1", &n, all) != 0)
        err = library_error(e, "explaining the rows");
    if (!err) {
        CHECK((size_t)n == rows * width);
        memset(out, 0, t->columns * sizeof *out);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < t->columns; j++)
                out[j] += fabs(all[i * width + j]) / (double)rows;
    }
    free(all);
    LGBM_BoosterFree(booster);
    return err;
}

err_t forest_fit(const struct train_params *p, const struct train_data *d, char **text, size_t *len,
    double *gain, double *split, struct err_info *e) {
    char params[PARAMS_MAX];
    DatasetHandle data = NULL;
    BoosterHandle booster = NULL;
    if (d->rows > INT32_MAX) return err_set(e, ERR_INPUT, "more rows than LightGBM can index");
    LGBM_RegisterLogCallback(to_stderr); /* stdout carries results only */
    parameters(p, params);
    err_t err = make_data(d, params, &data, e);
    if (!err && LGBM_BoosterCreate(data, params, &booster) != 0) {
        booster = NULL;
        err = library_error(e, "starting");
    }
    if (!err) err = boost(booster, p->trees, e);
    if (!err) err = importance(booster, gain, split, e);
    if (!err) err = take_text(booster, text, len, e);
    if (booster) LGBM_BoosterFree(booster);
    if (data) LGBM_DatasetFree(data);
    return err;
}
