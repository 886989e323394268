/* columns.h: named columns of numbers out of a CSV table, plain or gzip.
 *
 * Columns are named by the header line, or by their number from 1. A header is a first line that
 * holds a wanted name, or no number at a wanted place. Quotes around fields are taken off; a quoted
 * comma is not supported and shows as a wrong field count.
 *
 * Ownership  the caller frees `value[k]` (columns_free).
 * Errors     ERR_RESOURCE: no such file; ERR_USAGE: no such column (the known ones are named);
 *            ERR_INPUT: a field that is no number, with line and column.
 * Limits     COLUMNS_MAX columns, COLUMNS_ROWS_MAX rows, lines of COLUMNS_LINE_MAX bytes.
 */
#ifndef FATHOM_PROGRAM_COLUMNS_H
#define FATHOM_PROGRAM_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { COLUMNS_MAX = 8, COLUMNS_ROWS_MAX = 50000000, COLUMNS_LINE_MAX = 16384 };

struct columns {
    size_t count, rows;
    double *value[COLUMNS_MAX];
};

struct columns_spec {
    const char *names; /* "close,volume" or "2,5"; NULL: the first column */
    bool header;       /* the first line is a header even if it reads like numbers */
};
MUST_USE err_t columns_read(
    const char *path, const struct columns_spec *spec, struct columns *out, struct err_info *e);
void columns_free(struct columns *c);

#endif
