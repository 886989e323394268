/* model_store.h: a model folder: model, calibration, manifest; verified before use.
 *
 * Folder     docs/formats/model.md: model.txt or logistic.json, and manifest.json with kind,
 *            output, feature set, signature, names, label, bucket, data hash, parameters, seed,
 *            metrics, calibration, version, parent, size and XXH3 of the model file. Made whole or
 *            not at all.
 * Refused    (ERR_INPUT, exit 3) a file that is missing, cut or flipped; a manifest of another
 *            format; another feature signature than the caller's; a text the builder refuses.
 */
#ifndef FATHOM_LEARN_TRAIN_MODEL_STORE_H
#define FATHOM_LEARN_TRAIN_MODEL_STORE_H

#include "derive/feature/feature.h"
#include "learn/train/train.h"

enum { STORE_METRICS_MAX = 32, STORE_NAME_MAX = 64 };

struct store_metric {
    char name[STORE_NAME_MAX];
    double value;
};

/* What a manifest says besides the model itself. */
struct store_info {
    char set[FEATURE_SET_TEXT_MAX];
    uint64_t signature;
    size_t columns;
    const char *const *names; /* columns; after a load owned by the stored_model */
    char label[128], bucket[160];
    char others[512]; /* instruments besides the own that the rows were made with; "" = none */
    uint64_t data_hash;
    double threshold; /* class threshold fitted on the training rows */
    double move_bps;  /* mean absolute move of the training rows */
    int64_t train_from_ns, train_to_ns;
    uint64_t train_rows;
    size_t metrics;
    struct store_metric metric[STORE_METRICS_MAX];
    char parent[256]; /* folder or hash of the model this one replaces; "" = none */
    char version[32]; /* filled by the loader: program version that made it */
    uint64_t hash;    /* filled by the loader: of all files */
};

struct stored_model {
    struct trained t;
    struct store_info info;
    char **name_list;
};

/* Refuses an existing folder unless `force`. */
MUST_USE err_t model_store_save(const char *dir, const struct trained *t,
    const struct store_info *info, bool force, struct err_info *e);
/* signature 0: any (for `models show`). */
MUST_USE err_t model_store_load(
    const char *dir, uint64_t signature, struct stored_model *out, struct err_info *e);
void stored_model_free(struct stored_model *s);

#endif
