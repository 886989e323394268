/* write_file.h: whole files or none: written beside, synced, renamed. */
#ifndef FATHOM_PROGRAM_WRITE_FILE_H
#define FATHOM_PROGRAM_WRITE_FILE_H

#include <stddef.h>

#include "base/err.h"

/* Replaces `path` by these bytes, or leaves it as it was. */
MUST_USE err_t write_file(const char *path, const char *bytes, size_t n, struct err_info *e);

#endif
