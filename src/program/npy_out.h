/* npy_out.h: a float32 matrix written row by row as .npy into a stream that is already open; the
 * header is learn/dataset/npy.h's.
 *
 * The header has room for any row count and is rewritten at the end, so memory stays flat.
 * Ownership  the FILE belongs to the caller (file.h makes it whole or not at all).
 */
#ifndef FATHOM_PROGRAM_NPY_OUT_H
#define FATHOM_PROGRAM_NPY_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct npy_stream {
    FILE *to;
    const char *path; /* for messages; borrowed */
    size_t columns;
    uint64_t rows;
};

MUST_USE err_t npy_out_begin(
    struct npy_stream *n, FILE *to, const char *path, size_t columns, struct err_info *e);
MUST_USE err_t npy_out_row(struct npy_stream *n, const float *row, struct err_info *e);
MUST_USE err_t npy_out_end(struct npy_stream *n, struct err_info *e);

#endif
