/* model.h: scoring of a loaded model in memory; one table for every kind.
 *
 *   float32 row (feature set order) -> model_score -> raw score(s) -> calibration -> probabilities
 *
 * Units      logistic and binary trees: P(up); multiclass: P(down), P(flat), P(up); regression:
 * value. Ownership  the model is one block of plain bytes made by learn/train's loader (heap there,
 * not here); scoring touches no heap, no libm (dmath.h). Invariant  equal to LightGBM's own
 * prediction to the last bit in tree order (double sums in tree order, its float thresholds as
 * doubles, its missing and zero rules).
 */
#ifndef FATHOM_DERIVE_MODEL_MODEL_H
#define FATHOM_DERIVE_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum model_kind { MODEL_LOGISTIC = 1, MODEL_TREES = 2 };
enum model_output { OUTPUT_VALUE = 0, OUTPUT_BINARY = 1, OUTPUT_CLASSES = 2 };
enum calibration_kind { CALIBRATION_NONE = 0, CALIBRATION_PLATT = 1, CALIBRATION_ISOTONIC = 2 };
enum { MODEL_CLASSES_MAX = 8 };

struct model; /* opaque block; made by model_build_* below from memory the caller owns */

struct prediction {
    int64_t bucket_id;
    double raw[MODEL_CLASSES_MAX]; /* raw scores in class order */
    double p[MODEL_CLASSES_MAX];   /* calibrated probabilities (or value in p[0]) */
    uint32_t classes;
    uint32_t missing; /* features of the row that were NaN */
};

/* Parses LightGBM's text model (v4) from memory into `mem`. Returns the bytes needed if mem is NULL
 * or too small (0 with *why set when the text is bad: hostile sizes, cycles and truncation are
 * refused). */
size_t model_build_lightgbm(
    void *mem, size_t mem_size, const char *text, size_t n, const char **why);
/* Logistic: z = bias + sum w[i] * (x[i] - mean[i]) / scale[i], missing x -> mean (contribution 0).
 */
size_t model_build_logistic(void *mem, size_t mem_size, size_t columns, const double *mean,
    const double *scale, const double *weights, const double *bias, size_t classes,
    const char **why);

const struct model *model_view(const void *mem);
size_t model_columns(const struct model *m);
size_t model_classes(const struct model *m); /* scores a row gives */
size_t model_trees(const struct model *m);

void model_score(const struct model *m, const float *row, double *raw); /* float row, as live */
void model_score_double(
    const struct model *m, const double *row, double *raw); /* as the oracle files need */
void model_leaves(
    const struct model *m, const double *row, int32_t *leaf); /* leaf index per tree */

/* Calibration tables are plain structs too. */
struct calibration {
    uint32_t kind;
    uint32_t points;       /* isotonic thresholds */
    double a, b;           /* Platt: p = 1/(1+exp(a f + b)) */
    double x[256], y[256]; /* isotonic: linear between, clipped outside */
};
double calibration_apply(const struct calibration *c, double score);

#endif
