/* run_folder.h: the files of a run inside a dir_out: opened, closed, checked.
 *
 * Every short write shows at run_folder_close; the folder itself appears with dir_out_commit.
 */
#ifndef FATHOM_PROGRAM_RUN_FOLDER_H
#define FATHOM_PROGRAM_RUN_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/file.h"

enum { RUN_PATH_MAX = FILE_PATH_MAX };

/* DIR/name; ERR_USAGE when it does not fit. */
MUST_USE err_t run_folder_path(
    const char *dir, const char *name, char out[RUN_PATH_MAX], struct err_info *e);
MUST_USE err_t run_folder_open(const char *dir, const char *name, FILE **out, struct err_info *e);
MUST_USE err_t run_folder_close(FILE *file, const char *name, struct err_info *e);
MUST_USE err_t run_folder_write(
    const char *dir, const char *name, const char *text, size_t n, struct err_info *e);

#endif
