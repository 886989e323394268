/* import_series.h: `fathom import --format series|deribit-options`. */
#ifndef FATHOM_PROGRAM_IMPORT_SERIES_H
#define FATHOM_PROGRAM_IMPORT_SERIES_H

#include <stdbool.h>

#include "program/cli.h"

bool import_series_format(const char *format);
MUST_USE err_t import_series(const struct cli_args *a, struct err_info *e);

#endif
