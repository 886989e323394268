/* train_internal.h: what the fitting methods give train.c. */
#ifndef FATHOM_LEARN_TRAIN_TRAIN_INTERNAL_H
#define FATHOM_LEARN_TRAIN_TRAIN_INTERNAL_H

#include "learn/train/train.h"

/* Coefficients of a logistic model on standardised columns. */
struct logistic {
    size_t columns, classes; /* classes: 1 = binary */
    double *mean, *scale;    /* columns */
    double *weights;         /* classes x columns, per standard deviation */
    double *bias;            /* classes */
};
void logistic_free(struct logistic *l);
MUST_USE err_t logistic_fit(const struct train_params *p, const struct train_data *d,
    struct logistic *out, struct err_info *e);
/* logistic.json as text the caller frees; the numbers read back to the same bits. */
char *logistic_text(const struct logistic *l, size_t *len);
MUST_USE err_t logistic_parse(const char *text, size_t n, struct logistic *out, struct err_info *e);

/* LightGBM's text model (the caller frees) and importances (columns). */
MUST_USE err_t forest_fit(const struct train_params *p, const struct train_data *d, char **text,
    size_t *len, double *gain, double *split, struct err_info *e);

/* Builds t->mem and t->model from t->kind and t->text; `file` names the text in messages. */
MUST_USE err_t trained_build(struct trained *t, const char *file, struct err_info *e);

#endif
