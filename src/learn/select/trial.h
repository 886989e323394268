/* trial.h: out-of-sample forecasts of one model over chosen columns, and two of them compared.
 *
 *   fold: [ train part | test ] x columns -> study_walk_forward of that one fold -> predictions
 *
 * Units      binary forecasts (up or not), as the study makes them; IC against label.value, log
 *            loss in nats.
 * Invariant  what a fold's model sees is what study_walk_forward would show it: purged, embargoed.
 * Ownership  trial_free releases the predictions.
 */
#ifndef FATHOM_LEARN_SELECT_TRIAL_H
#define FATHOM_LEARN_SELECT_TRIAL_H

#include "learn/study/study.h"

struct trial {
    size_t n, cap;
    struct study_prediction *prediction; /* folds one after the other */
};

/* Adds the test rows of one fold. No column: the base rate of the training part, score 0. Rows with
 * leave_out (of the matrix; NULL = none) do not train; they are tested. */
MUST_USE err_t trial_fold(const struct matrix *m, const struct study_config *cfg,
    const struct split_fold *fold, int32_t number, const uint32_t *column, size_t columns,
    const uint8_t *leave_out, struct trial *t, struct err_info *e);
void trial_free(struct trial *t);

/* Figures of one trial, as the study has them. Returns the block length. */
double trial_metrics(const struct trial *t, size_t repeats, double span, uint64_t seed,
    struct study_metric metric[METRIC_COUNT]);

/* One figure of a minus that of b, with the 95 % band and two-sided p of a stationary bootstrap
 * that draws the same rows for both. */
struct trial_gain {
    double value, lo, hi, p;
};
struct trial_difference {
    struct trial_gain ic;   /* no forecast at all counts as IC 0 */
    struct trial_gain loss; /* less loss is better: negative = a is better */
};
/* Both trials are of the same rows. */
struct trial_difference trial_compare(
    const struct trial *a, const struct trial *b, size_t repeats, double block, uint64_t seed);

/* Columns that vary in the training part of a fold: what a model over everything could use.
 * out[m->columns]; returns how many. */
size_t trial_usable(const struct matrix *m, const struct split_fold *first, uint32_t *out);
/* Mean rows that a label reaches ahead, 1 if none is known. */
double trial_span(const struct matrix *m);

#endif
