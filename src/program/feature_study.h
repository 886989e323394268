/* feature_study.h: the rows and the study that `features select` and `features ablate` judge by.
 *
 * The argument is a configuration file or a dataset folder; a folder is judged by the
 * configuration's defaults and what --set changes.
 * Ownership  feature_study_fini closes and frees everything and removes the dataset made here.
 */
#ifndef FATHOM_PROGRAM_FEATURE_STUDY_H
#define FATHOM_PROGRAM_FEATURE_STUDY_H

#include "base/config.h"
#include "base/file.h"
#include "base/progress.h"
#include "learn/study/study.h"
#include "program/cli.h"

struct feature_study {
    struct cli_args a;
    struct config *cfg;
    struct dataset *data;
    struct study_config study; /* binary target; model.kind none becomes logistic */
    const char *to;
    const char *tape; /* "" if only a dataset is known */
    struct dir_out *dir;
    struct progress progress;
    bool progressing;
};

/* Parses the line, loads the configuration, opens --to (default `fallback`) and the rows. `marker`
 * is the file that tells such a folder from others. */
MUST_USE err_t feature_study_open(struct feature_study *f, const struct cli_verb *verb, int argc,
    char **argv, const char *fallback, const char *marker, struct err_info *e);
/* Writes NAME.json and NAME.html; the folder is committed by feature_study_commit. */
MUST_USE err_t feature_study_write(struct feature_study *f, const char *name, const char *json,
    size_t json_n, const char *html, size_t html_n, struct err_info *e);
MUST_USE err_t feature_study_commit(struct feature_study *f, struct err_info *e);
void feature_study_fini(struct feature_study *f);
/* A progress line, for evidence_config.step and ablate_config.step (user = struct feature_study).
 */
void feature_study_step(void *user, size_t done, size_t all);

#endif
