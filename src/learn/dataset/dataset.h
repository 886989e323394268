/* dataset.h: tape -> matrix folder, and the matrix that training and studies read.
 *
 *   tape -> replay -> (bucket closed) features.npy, meta.npy -> labels.npy -> manifest.json
 *
 * Folder     features.npy `<f4` [rows, columns], C order; meta.npy: struct label_bar records;
 *            labels.npy: struct label records; manifest.json: tape hash, feature set, signature and
 *            names, bucket, label, counts, missing rates, hash of every file. Made whole or not at
 *            all.
 *            With `tensor` also book.npy `<f4` [rows, TENSOR_LEVELS, TENSOR_CHANNELS]: the book at
 * each close, level 0 the best; channels: bid distance and ask distance from mid in bps, bid and
 * ask quantity in quantity units x unit; NaN where the book is not synchronised or ends before.
 * Ownership  dataset_open maps the files; dataset_close unmaps them. A struct matrix only points.
 * Memory     building and reading keep one row and the label window on the heap; the rest is
 *            file-backed, so RssAnon does not grow with the tape.
 * Limits     FEATURE_MAX columns.
 */
#ifndef FATHOM_LEARN_DATASET_DATASET_H
#define FATHOM_LEARN_DATASET_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "derive/feature/feature.h"
#include "learn/dataset/others.h"
#include "learn/label/label.h"

enum { TENSOR_LEVELS = 20, TENSOR_CHANNELS = 4 };

/* What training and studies see: rows in time order. */
struct matrix {
    size_t rows, columns;
    const float *x; /* rows x columns, row by row; NaN = missing */
    const struct label_bar *bar;
    const struct label *label;
    const char *const *names; /* columns */
    const char *set;          /* feature set name */
    uint64_t signature;       /* feature_set_signature */
    size_t warmup;            /* rows at the start whose features are not warm: never used */
    struct label_spec spec;
};

struct dataset {
    struct matrix m;
    uint64_t tape_hash, hash;     /* hash: of features, meta and labels in this order */
    char bucket[160];             /* "time=1" */
    char others[OTHERS_TEXT_MAX]; /* others_text; "" = the instrument alone */
    char set_name[FEATURE_SET_TEXT_MAX];
    void *maps[3];
    size_t map_bytes[3];
    char *names_text;
    const char *names[FEATURE_MAX];
};

struct dataset_options {
    const char *tape, *to;
    const char *bucket, *set; /* text as in cli.md: "time=1", "core" */
    const char *symbol;       /* NULL or "": the only instrument */
    struct others others;     /* peers and references; their tapes, if they are not all in `tape` */
    struct label_spec label;
    bool tensor; /* the book's image too */
    bool force;
    bool (*stop)(void); /* true: stop with ERR_INTERRUPTED; NULL = never */
};

/* Builds the folder and opens it. */
MUST_USE err_t dataset_build(
    const struct dataset_options *opt, struct dataset **out, struct err_info *e);
/* ERR_INPUT when a file is missing, cut, or differs from its hash in the manifest. */
MUST_USE err_t dataset_open(struct dataset **out, const char *dir, struct err_info *e);
void dataset_close(struct dataset *d);

/* Share of missing values of a column. */
double matrix_missing(const struct matrix *m, size_t column);

#endif
