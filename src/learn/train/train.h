/* train.h: fits logistic models and LightGBM forests, and their calibration.
 *
 *   rows (float32) + targets -> train_model -> struct trained: model block + calibration + text
 *
 * Units      targets: binary 0/1; classes 0 down, 1 flat, 2 up; value: any double.
 * Ownership  a struct trained owns its memory; trained_free releases it.
 * Threads    one: OpenBLAS and LightGBM are held to one thread, so that sums have one order.
 * Invariant  same rows, same parameters, same seed: the same bytes.
 * Missing    logistic: NaN counts as the column's mean; LightGBM: its own rule for NaN.
 */
#ifndef FATHOM_LEARN_TRAIN_TRAIN_H
#define FATHOM_LEARN_TRAIN_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "derive/model/model.h"

struct train_params {
    enum model_kind kind;
    enum model_output output; /* OUTPUT_VALUE needs MODEL_TREES */
    enum calibration_kind calibration;
    double l2; /* logistic: ridge on standardised weights, the bias is free; 0: the study chooses */
    int64_t trees, leaves, min_leaf;
    double rate, columns_share, rows_share;
    int64_t max_bin;  /* 0 = 255 */
    double forest_l2; /* L2 of LightGBM leaves */
    uint64_t seed;
};
struct train_params train_defaults(void);

/* Training rows, all usable (no missing target). */
struct train_data {
    size_t rows, columns;
    const float *x;
    const double *y;
    const float *weight; /* NULL = 1 each */
    const double *wide;  /* forests only: the rows as doubles instead of x; NULL = x */
};

struct trained {
    enum model_kind kind;
    enum model_output output;
    void *mem; /* 64-byte aligned block for model_view */
    size_t bytes;
    const struct model *model;
    uint32_t calibrations; /* 0, 1 (binary) or the number of classes */
    struct calibration cal[MODEL_CLASSES_MAX];
    char *text; /* model.txt or logistic.json */
    size_t text_len;
    size_t columns;
    double *gain;  /* a column: LightGBM total gain, |standardised coefficient| */
    double *split; /* a column: LightGBM splits; 0 for logistic */
    struct train_params params;
};

/* Fits the model and no calibration. ERR_INPUT when the rows cannot carry it (one class only, fewer
 * rows than 10, no column that varies). */
MUST_USE err_t train_model(const struct train_params *p, const struct train_data *d,
    struct trained *out, struct err_info *e);
/* Mean |contribution| of every column to the forest's score over these rows (Lundberg and Lee 2017,
 * TreeSHAP as LightGBM computes it): out[columns]. ERR_INPUT for a model that is no forest. */
MUST_USE err_t train_contributions(
    const struct trained *t, const float *x, size_t rows, double *out, struct err_info *e);
/* Fits t->cal by p.calibration on rows that the model has not seen. */
MUST_USE err_t train_calibrate(struct trained *t, const struct train_data *d, struct err_info *e);
/* As `model_predict` wants it: NULL when not calibrated. */
const struct calibration *trained_calibration(const struct trained *t);
void trained_free(struct trained *t);

/* Platt 1999 with the target correction (n+ + 1)/(n+ + 2), 1/(n- + 2), Newton with backtracking
 * (Lin, Lin, Weng 2007): P(up) = 1/(1+exp(a f + b)). ERR_INPUT when only one class is there. */
MUST_USE err_t calibrate_platt(
    const double *score, const double *y, size_t n, struct calibration *out, struct err_info *e);
/* Pool adjacent violators; equal scores are averaged by weight first (weight NULL = 1). More than
 * 256 thresholds are thinned to evenly spaced ones. */
MUST_USE err_t calibrate_isotonic(const double *score, const double *y, const double *weight,
    size_t n, struct calibration *out, struct err_info *e);

#endif
