/* npy.h: NumPy array files (format 1.0), written as a stream and read by mapping.
 *
 * The header has a fixed size, so that the number of rows can be filled in at the end.
 */
#ifndef FATHOM_LEARN_DATASET_NPY_H
#define FATHOM_LEARN_DATASET_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum { NPY_HEADER = 384 }; /* bytes; a multiple of 64 */

struct npy_out {
    FILE *f;
    const char *descr; /* "'<f4'" or a list of fields */
    size_t columns;    /* 0: one-dimensional records */
    size_t inner;      /* 0, or the third dimension: rows x columns x inner */
    size_t row_bytes;
    uint64_t rows;
    char path[4096];
};

MUST_USE err_t npy_create(struct npy_out *o, const char *path, const char *descr, size_t columns,
    size_t row_bytes, struct err_info *e);
/* The same with three dimensions. */
MUST_USE err_t npy_create_cube(struct npy_out *o, const char *path, const char *descr,
    size_t columns, size_t inner, size_t row_bytes, struct err_info *e);
void npy_row(struct npy_out *o, const void *row); /* a short write shows in npy_close */
MUST_USE err_t npy_close(struct npy_out *o, struct err_info *e);

/* Maps the whole file read-only; data begins NPY_HEADER bytes in. ERR_INPUT unless the file is
 * exactly a header made by npy_create for these rows, plus the rows. */
MUST_USE err_t npy_map(const char *path, const char *descr, uint64_t rows, size_t columns,
    size_t row_bytes, void **map, size_t *bytes, struct err_info *e);

/* The header's text for tests and for npy_map. */
void npy_header(char out[NPY_HEADER], const char *descr, uint64_t rows, size_t columns);

#endif
