/* ablate.h: what each family of columns adds, out of sample (VAL8).
 *
 *   per walk-forward fold: a model over all usable columns, over all but one family, over one
 *   family alone -> drop-one and alone figures with bands
 *
 * Units      IC and log loss as in trial.h; a drop-one figure is with minus without the family.
 * Verdict    keep: the incremental IC reaches `least_ic` and its band lies above 0; drop: the whole
 *            band lies below `least_ic`; else open: these rows cannot tell.
 * Ownership  ablate_free releases everything; names and masks are the caller's.
 */
#ifndef FATHOM_LEARN_SELECT_ABLATE_H
#define FATHOM_LEARN_SELECT_ABLATE_H

#include "base/json_out.h"
#include "learn/select/trial.h"
#include "learn/study/multiple.h"

enum { ABLATE_FAMILIES_MAX = 64 };

struct ablate_config {
    struct study_config study;
    double least_ic; /* S3 3500: .005 */
    bool (*stop)(void);
    void (*step)(void *user, size_t done, size_t all);
    void *user;
};

struct ablate_input {
    const struct matrix *m;
    size_t families;
    const char *const *family;
    const uint8_t *family_of; /* of each column */
    const uint8_t *extreme;   /* of each row: left out of the second training; NULL = none known */
};

enum ablate_verdict { ABLATE_KEEP, ABLATE_DROP, ABLATE_OPEN, ABLATE_NONE /* no usable column */ };

struct ablate_family {
    size_t columns, usable;
    struct study_metric alone[METRIC_COUNT];
    struct trial_difference drop; /* all - all without it */
    struct trial_difference lift; /* alone - base rate */
    enum ablate_verdict verdict;
};

struct ablate_result {
    struct ablate_input in;
    double least_ic;
    size_t usable, folds, scored, extreme_rows;
    struct study_metric full[METRIC_COUNT];
    struct ablate_family *family;
    bool has_extreme;
    struct study_metric calm[METRIC_COUNT]; /* trained without the extreme rows */
    struct trial_difference calm_gain;      /* calm - full */
    double block;
    bool checked;
    size_t best;                /* family that saves most log loss alone */
    struct reality_check check; /* of it, all families counted */
};

MUST_USE err_t ablate_make(const struct ablate_input *in, const struct ablate_config *cfg,
    struct ablate_result *out, struct err_info *e);
void ablate_free(struct ablate_result *r);
/* Members of an open object (docs/formats/features-report.md): full, families without costs. The
 * caller may add members to each family by `extra`. */
void ablate_json(const struct ablate_result *r, struct json_out *j,
    void (*extra)(void *user, size_t family, struct json_out *j), void *user);
const char *ablate_verdict_name(enum ablate_verdict v);

#endif
