#include "program/npy_out.h"

#include <errno.h>

#include "learn/dataset/npy.h"

static err_t npy_head(struct npy_stream *n, struct err_info *e) {
    char head[NPY_HEADER];
    npy_header(head, "'<f4'", n->rows, n->columns);
    if (fwrite(head, 1, sizeof head, n->to) == sizeof head) return ERR_OK;
    return err_set_errno(e, errno, "%s cannot be written", n->path);
}

err_t npy_out_begin(
    struct npy_stream *n, FILE *to, const char *path, size_t columns, struct err_info *e) {
    *n = (struct npy_stream){.to = to, .path = path, .columns = columns};
    return npy_head(n, e);
}

err_t npy_out_row(struct npy_stream *n, const float *row, struct err_info *e) {
    if (fwrite(row, sizeof *row, n->columns, n->to) != n->columns)
        return err_set_errno(
            e, errno, "%s: row %llu cannot be written", n->path, (unsigned long long)n->rows + 1);
    n->rows++;
    return ERR_OK;
}

err_t npy_out_end(struct npy_stream *n, struct err_info *e) {
    if (fseek(n->to, 0, SEEK_SET) != 0)
        return err_set_errno(
            e, errno, "%s must be a file that can be rewound, not a pipe", n->path);
    return npy_head(n, e);
}
