/* sample.h: the metrics of forecasts against outcomes, and their bootstrap bands.
 *
 * A sample holds one row a forecast, prepared once (ranks, classes); then every resampling costs
 * one pass over the rows, whatever the metric. Internal to studies.
 */
#ifndef FATHOM_LEARN_STUDY_SAMPLE_H
#define FATHOM_LEARN_STUDY_SAMPLE_H

#include "learn/study/study.h"

/* Figures of one resampling, in the order of enum study_metric_id (METRIC_IC_IR unused). */
struct sample_figures {
    double v[METRIC_COUNT];
};

struct sample {
    size_t n;
    uint32_t classes; /* 0: value forecasts, 1: binary, 3 */
    double *score, *value;
    double *p;      /* n x classes */
    uint8_t *klass; /* enum label_class, LABEL_NONE: not in class metrics */
    uint32_t *score_rank, *value_rank;
    size_t score_ranks, value_ranks;
    double *up, *down; /* work, one a rank */
    size_t *fold_from; /* first row of each fold; n at the end */
    size_t folds;
};

/* Of predictions whose label is known. */
void sample_init(struct sample *s, const struct study_prediction *p, size_t n, uint32_t classes);
void sample_fini(struct sample *s);
/* forecast[i] is paired with outcome[i]: row numbers, equal for the sample itself. */
void sample_measure(struct sample *s, const uint32_t *forecast, const uint32_t *outcome,
    struct sample_figures *out);
/* Values, floors, bands, p-values and notes of all metrics but IC_IR. Returns the block length,
 * which is at least six times `span`, the rows that a label reaches ahead
 * (but no more than a tenth of the rows). */
double sample_metrics(struct sample *s, size_t repeats, double span, uint64_t seed,
    struct study_metric metric[METRIC_COUNT]);
/* Ten bins of equal count by forecast of up, with Wilson bands; returns how many. */
size_t sample_calibration(const struct sample *s, struct study_bin *bin);

#endif
