/* study.h: the walk-forward study: train on the past, predict what follows, say how good it was.
 *
 *   rows:  [ train part .......... | purged + embargo ][ test ] -> predictions, fold after fold
 *          [ fit .......| calibrate ]
 *
 * Units      score: p(up) - p(down), or the forecast itself (value output); IC is its correlation
 *            with label.value. Binary targets: rows that did not move at all neither train nor
 *            count in AUC, losses and classes; they do count in IC.
 * Ownership  study_result owns everything in it; study_free releases it.
 * Invariant  a training row's label is known before the first test row closes; threshold,
 *            standardisation, ridge and calibration see training rows only; predictions are those
 *            that model_predict gives live for the same row.
 * Bands      lo, hi: 95 % percentile band of a stationary bootstrap with Politis-White block
 *            length, rows resampled with their labels. null_lo, null_hi, p: forecasts and labels of
 *            a fold resampled apart from each other, which keeps each one's own memory and level
 *            and breaks only the link.
 */
#ifndef FATHOM_LEARN_STUDY_STUDY_H
#define FATHOM_LEARN_STUDY_STUDY_H

#include "base/json_out.h"
#include "learn/dataset/dataset.h"
#include "learn/study/split.h"
#include "learn/train/train.h"

enum { STUDY_FOLDS_MAX = 1000, STUDY_BINS = 10, STUDY_NOTE_MAX = 160 };
enum study_scheme { STUDY_EXPANDING = 0, STUDY_ROLLING = 1 };

struct study_config {
    struct train_params train;
    enum study_scheme scheme;
    int64_t folds;                 /* used when train_rows is 0 */
    int64_t train_rows, test_rows; /* first (or rolling) training window; test window */
    int64_t train_ns, test_ns;     /* the same in time, instead of rows, when both are > 0 */
    int64_t embargo;               /* rows left out after the training part, besides purging */
    int64_t bootstrap;             /* repetitions */
    double calibrate_share;        /* end of each training part; 0 = 0.2 */
    bool shuffle_labels;           /* control: all labels in random order, of tested rows too */
    uint64_t seed;
    bool (*stop)(void); /* true: ERR_INTERRUPTED; NULL = never */
};
struct study_config study_defaults(void);

/* One figure. A field that does not apply is NaN. */
struct study_metric {
    const char *name; /* "ic", "rank_ic", "auc", "log_loss", "brier", "ece", "macro_f1", ... */
    double value, lo, hi;
    double p;     /* two-sided, against no link between predictions and labels */
    double floor; /* what no skill gives: 0 for IC, 0.5 for AUC, majority class for macro-F1 */
    double null_lo, null_hi;
    char note[STUDY_NOTE_MAX];
};

enum study_metric_id {
    METRIC_IC,
    METRIC_RANK_IC,
    METRIC_IC_IR,
    METRIC_AUC,
    METRIC_LOG_LOSS,
    METRIC_BRIER,
    METRIC_ECE,
    METRIC_ACCURACY,
    METRIC_MACRO_F1,
    METRIC_COUNT
};

struct study_prediction {
    size_t row; /* of the matrix */
    int64_t bucket_id, close_ns;
    int32_t fold;
    int32_t klass;    /* true class with the fold's threshold; LABEL_NONE if the label is missing */
    uint32_t classes; /* entries of p: 1 or 3 */
    uint32_t missing;
    double p[3];
    double score;
    double value, move; /* the label; NaN if missing */
};

struct study_fold {
    size_t train_from, train_to, test_from, test_to; /* row ranges, end exclusive, before purging */
    int64_t train_from_ns, train_to_ns, test_from_ns, test_to_ns;
    size_t fitted, calibrated, purged, embargoed; /* rows; calibrated 0: none asked or possible */
    double threshold;                             /* class threshold used */
    double move_bps; /* mean absolute move of the training rows: the pay-off of a right call */
    struct trained model;
    struct study_metric metric[METRIC_COUNT];
};

struct study_bin { /* one point of the calibration curve */
    double forecast, observed, lo, hi, count;
};

struct study_result {
    size_t folds;
    struct study_fold *fold;
    size_t predictions;
    struct study_prediction *prediction;      /* in row order */
    size_t scored;                            /* predictions whose label is known */
    struct study_metric metric[METRIC_COUNT]; /* all folds together */
    double block;                             /* block length used, rows */
    size_t bins;
    struct study_bin bin[STUDY_BINS];
    size_t columns;
    double *gain, *split;     /* mean over folds of each fold's share */
    const char *const *names; /* the matrix's */
    uint64_t hash;            /* of the predictions */
};

/* ERR_INPUT when the rows are too few for the scheme (the message says how many are needed). */
MUST_USE err_t study_walk_forward(const struct matrix *m, const struct study_config *cfg,
    struct study_result *out, struct err_info *e);
void study_free(struct study_result *r);

/* The folds that study_walk_forward would take, as rows of the matrix; the caller frees them. */
MUST_USE err_t study_plan(const struct matrix *m, const struct study_config *cfg,
    struct split_fold **out, size_t *folds, struct err_info *e);

/* One model on all rows after the warm-up, as a fold would train it (the end calibrates): what goes
 * into use. Fills everything of `out` but the test range and its metrics; trained_free its model.
 */
MUST_USE err_t study_train_all(const struct matrix *m, const struct study_config *cfg,
    struct study_fold *out, struct err_info *e);

/* The object `study` of report.json (docs/formats/run.md): note, metrics, fold_score, folds,
 * calibration, importance. */
void study_json(const struct study_result *r, struct json_out *j);
const char *study_metric_title(enum study_metric_id id); /* for people: "IC (Pearson)" */

#endif
