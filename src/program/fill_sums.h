/* fill_sums.h: sums over rows of our own CSV, by column and group: what a figure of a report is
 * made of (`fathom fills RUN --sum`).
 *
 * Units      those of the columns; sums are exact (1e-12), means are doubles.
 * Missing    an empty cell, and -1 in a queue column (unknown), count as missing, never as zero.
 * Limits     FILL_GROUPS_MAX groups: more is ERR_USAGE. Times and ids are not summed.
 */
#ifndef FATHOM_PROGRAM_FILL_SUMS_H
#define FATHOM_PROGRAM_FILL_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json_out.h"
#include "base/unit.h"
#include "program/where.h"

enum { FILL_GROUPS_MAX = 64, FILL_GROUP_TEXT = 64 };

struct fill_sum {
    uint64_t n, missing;
    int128 sum, least, most; /* 1e-12 */
};

struct fill_group {
    char name[FILL_GROUP_TEXT];
    uint64_t rows;
    struct fill_sum column[WHERE_COLUMNS_MAX];
};

struct fill_sums {
    const char *const *name; /* of the columns, n of them; the caller's */
    size_t n;
    size_t by; /* column that splits the rows; n = none */
    size_t groups;
    struct fill_group group[FILL_GROUPS_MAX];
};

/* `by` may be NULL. ERR_USAGE names the nearest column. */
MUST_USE err_t fill_sums_init(
    struct fill_sums *s, const char *const *name, size_t n, const char *by, struct err_info *e);
MUST_USE err_t fill_sums_add(struct fill_sums *s, const char *const *cell, struct err_info *e);
void fill_sums_print(const struct fill_sums *s);                    /* CSV on stdout */
void fill_sums_json(const struct fill_sums *s, struct json_out *j); /* one array */

#endif
