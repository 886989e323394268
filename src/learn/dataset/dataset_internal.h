/* dataset_internal.h: the files of a dataset folder. */
#ifndef FATHOM_LEARN_DATASET_DATASET_INTERNAL_H
#define FATHOM_LEARN_DATASET_DATASET_INTERNAL_H

#include "learn/dataset/dataset.h"
#include "learn/dataset/npy.h"

enum { DATASET_FEATURES, DATASET_META, DATASET_LABELS, DATASET_FILES };

extern const char *const dataset_file[DATASET_FILES];
extern const char *const dataset_descr[DATASET_FILES];

/* What the manifest says. */
struct dataset_manifest {
    const char *tape, *bucket, *set, *symbol, *venue, *others;
    uint64_t tape_hash, signature, rows, columns, labelled, classes[3], gapped;
    uint64_t file_hash[DATASET_FILES], hash;
    uint64_t tensor_hash; /* of book.npy */
    uint32_t warmup;
    bool tensor;
    struct label_spec label;
    const char *const *names;
    const double *missing; /* a column */
};
char *dataset_manifest_text(const struct dataset_manifest *m, size_t *len);

/* One file's hash and the folder's (over the three, in order). */
uint64_t dataset_hash_file(const void *map, size_t bytes);
uint64_t dataset_hash_all(const uint64_t file_hash[DATASET_FILES]);

#endif
