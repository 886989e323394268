/* where.h: the small filter language of `fathom fills --where`.
 *
 *   COLUMN OP VALUE [and COLUMN OP VALUE]...      OP: = != < <= > >=
 *
 * Both sides as numbers when both are numbers (64-bit integers exactly), else as text. No quotes.
 * < <= > >= take a number only.
 * An empty cell (missing) meets only `= missing` and, of a value, `!= VALUE`.
 */
#ifndef FATHOM_PROGRAM_WHERE_H
#define FATHOM_PROGRAM_WHERE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { WHERE_TERMS_MAX = 16, WHERE_VALUE_MAX = 64, WHERE_COLUMNS_MAX = 32 };
enum where_op { WHERE_EQ, WHERE_NE, WHERE_LT, WHERE_LE, WHERE_GT, WHERE_GE };

struct where {
    size_t terms;
    struct {
        size_t column;
        enum where_op op;
        char value[WHERE_VALUE_MAX];
    } term[WHERE_TERMS_MAX];
};

/* Empty text matches everything. ERR_USAGE names the word that is wrong and the columns there are.
 */
MUST_USE err_t where_parse(
    struct where *w, const char *text, const char *const *columns, size_t n, struct err_info *e);
bool where_match(const struct where *w, const char *const *cell);

#endif
