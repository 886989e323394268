/* model.h: scoring of a loaded model in memory; one table for every kind.
 *
 *   float32 row (feature set order) -> model_score -> raw score(s) -> calibration -> probabilities
 *
 * Units      logistic and binary trees: P(up); multiclass: P(down), P(flat), P(up); regression:
 *            value.
 * Ownership  the model is one block of plain bytes (no pointers) made by learn/train's loader (heap
 *            there, not here); scoring touches no heap, no libm (dmath.h).
 * Threads    a built model is never written: any number may score it.
 * Invariant  raw scores equal LightGBM's own to the last bit: double sums in tree order, its
 *            thresholds, its missing and zero rules. A float32 row needs only float thresholds:
 *            x <= t holds for a float x exactly if x <= (largest float <= t).
 * Limits     the enum below; a text that passes one is refused before anything is allocated.
 * Why        own evaluator: the library's single-row call spends most of its time on mispredicted
 *            branches; ours walks eight trees at once without a branch (bench/model_bench.c).
 */
#ifndef FATHOM_DERIVE_MODEL_MODEL_H
#define FATHOM_DERIVE_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum model_kind { MODEL_LOGISTIC = 1, MODEL_TREES = 2 };
enum model_output { OUTPUT_VALUE = 0, OUTPUT_BINARY = 1, OUTPUT_CLASSES = 2 };
enum calibration_kind { CALIBRATION_NONE = 0, CALIBRATION_PLATT = 1, CALIBRATION_ISOTONIC = 2 };
enum {
    MODEL_CLASSES_MAX = 8,
    MODEL_COLUMNS_MAX = 4096,
    MODEL_SLOTS_MAX = 8192, /* (column, missing rule) pairs a forest uses: 32 KiB of stack */
    MODEL_TREES_MAX = 100000,
    MODEL_LEAVES_MAX = 16384 /* a tree; child distances fit 16 bits */
};

struct model; /* opaque block; made by model_build_* below from memory the caller owns */

struct prediction {
    int64_t bucket_id;
    double raw[MODEL_CLASSES_MAX]; /* raw scores in class order */
    double p[MODEL_CLASSES_MAX];   /* calibrated probabilities (or value in p[0]) */
    uint32_t classes;
    uint32_t missing; /* features of the row that were NaN */
};

/* Parses LightGBM's text model (v4) from memory into `mem`, 64-byte aligned. Returns the bytes
 * needed; if mem is NULL or too small nothing is written. 0 with *why set (a constant sentence)
 * when the text is bad: hostile sizes, cycles, truncation, categorical or linear trees, averaged
 * forests, objectives other than binary, cross_entropy, multiclass and plain regression. */
size_t model_build_lightgbm(
    void *mem, size_t mem_size, const char *text, size_t n, const char **why);
/* Logistic: z = bias + sum w[i] * (x[i] - mean[i]) / scale[i], missing x -> mean (contribution 0).
 * classes 1: P(up) = 1/(1+exp(-z)); more: softmax, weights[k * columns + i], bias[k]. Same return.
 */
size_t model_build_logistic(void *mem, size_t mem_size, size_t columns, const double *mean,
    const double *scale, const double *weights, const double *bias, size_t classes,
    const char **why);

const struct model *model_view(const void *mem);
enum model_kind model_kind(const struct model *m);
enum model_output model_output(const struct model *m);
size_t model_columns(const struct model *m);
size_t model_classes(const struct model *m); /* scores a row gives */
size_t model_trees(const struct model *m);
size_t model_bytes(const struct model *m);

void model_score(const struct model *m, const float *row, double *raw); /* float row, as live */
void model_score_double(
    const struct model *m, const double *row, double *raw); /* as the oracle files need */
void model_leaves(
    const struct model *m, const double *row, int32_t *leaf); /* leaf index per tree */
/* Raw scores -> probabilities without calibration (value: unchanged). */
void model_probability(const struct model *m, const double *raw, double *p);

/* Calibration tables are plain structs too. The score is the log odds of the uncalibrated
 * probability (binary: sigmoid x raw). */
struct calibration {
    uint32_t kind;
    uint32_t points;       /* isotonic thresholds */
    double a, b;           /* Platt: p = 1/(1+exp(a f + b)) */
    double x[256], y[256]; /* isotonic: linear between, clipped outside */
};
/* Kind none: 1/(1+exp(-score)). */
double calibration_apply(const struct calibration *c, double score);

/* The score that class k's table takes: sigmoid x raw (binary), log odds of p[k] (classes). */
double model_calibration_score(const struct model *m, const double *raw, const double *p, size_t k);

/* Row -> scores and calibrated probabilities. `cal` is one table a class (binary: one; several are
 * renormalised to sum 1), NULL for none; bucket_id is the caller's to set. */
void model_predict(
    const struct model *m, const struct calibration *cal, const float *row, struct prediction *out);

#endif
