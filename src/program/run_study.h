/* run_study.h: the study stage of a run: dataset, walk-forward, the models of the folds on disk.
 *
 * Ownership  run_study_fini frees everything; the models stay valid until then.
 */
#ifndef FATHOM_PROGRAM_RUN_STUDY_H
#define FATHOM_PROGRAM_RUN_STUDY_H

#include "base/config.h"
#include "learn/study/study.h"
#include "learn/train/model_store.h"
#include "program/run_folder.h"

/* The model that scores the buckets first_bucket .. last_bucket; out of sample there. */
struct run_model {
    int64_t first_bucket, last_bucket;
    const struct trained *t;
    double move_bps; /* mean absolute move of its training rows */
};

struct run_models {
    size_t n;
    struct run_model *m;
    struct stored_model *stored; /* models that were loaded from disk, n of them; else NULL */
};

struct run_study {
    bool done;
    struct dataset *data;
    struct study_result result;
    struct run_models models;
};

/* Dataset in FOLDER/dataset (the caller removes it), walk-forward, models/fold-K, predictions.csv,
 * models/schedule.json. */
MUST_USE err_t run_study_make(struct run_study *s, const struct config *cfg, const char *tape,
    const char *folder, struct err_info *e);
void run_study_fini(struct run_study *s);

/* The models of an earlier run (models/schedule.json), or of model.path for every bucket. */
MUST_USE err_t run_models_load(
    struct run_models *m, const char *run_dir, uint64_t signature, struct err_info *e);
MUST_USE err_t run_models_load_one(
    struct run_models *m, const char *dir, uint64_t signature, struct err_info *e);
void run_models_fini(struct run_models *m);
/* NULL where no model scores this bucket. */
const struct run_model *run_models_at(const struct run_models *m, int64_t bucket_id);

#endif
