#include "program/npy_out.h"

#include <errno.h>
#include <string.h>

enum { NPY_HEAD = 128 }; /* a multiple of 64, as the format asks; 20 digits a dimension fit */

static err_t npy_head(struct npy_out *n, struct err_info *e) {
    char head[NPY_HEAD + 1];
    memset(head, ' ', sizeof head);
    memcpy(head, "\x93NUMPY\x01\x00", 8);
    head[8] = (char)(NPY_HEAD - 10);
    head[9] = 0;
    int len = snprintf(head + 10, NPY_HEAD - 10,
        "{'descr': '<f4', 'fortran_order': False, 'shape': (%llu, %zu), }",
        (unsigned long long)n->rows, n->columns);
    head[10 + len] = ' ';
    head[NPY_HEAD - 1] = '\n';
    if (fwrite(head, 1, NPY_HEAD, n->to) == NPY_HEAD) return ERR_OK;
    return err_set_errno(e, errno, "%s cannot be written", n->path);
}

err_t npy_out_begin(
    struct npy_out *n, FILE *to, const char *path, size_t columns, struct err_info *e) {
    *n = (struct npy_out){.to = to, .path = path, .columns = columns};
    return npy_head(n, e);
}

err_t npy_out_row(struct npy_out *n, const float *row, struct err_info *e) {
    if (fwrite(row, sizeof *row, n->columns, n->to) != n->columns)
        return err_set_errno(
            e, errno, "%s: row %llu cannot be written", n->path, (unsigned long long)n->rows + 1);
    n->rows++;
    return ERR_OK;
}

err_t npy_out_end(struct npy_out *n, struct err_info *e) {
    if (fseek(n->to, 0, SEEK_SET) != 0)
        return err_set_errno(
            e, errno, "%s must be a file that can be rewound, not a pipe", n->path);
    return npy_head(n, e);
}
