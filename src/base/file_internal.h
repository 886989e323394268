/* file_internal.h: steps that whole files (file.c) and whole folders (dir.c) share. */
#ifndef FATHOM_BASE_FILE_INTERNAL_H
#define FATHOM_BASE_FILE_INTERNAL_H

#include "base/file.h"

MUST_USE err_t file_partial_name(
    char out[FILE_PATH_MAX], const char *path, int attempt, struct err_info *e);
MUST_USE err_t file_refuse_existing(const char *path, bool force, struct err_info *e);
MUST_USE err_t file_sync_parent(const char *path, struct err_info *e);
/* Renames; without force an existing target is refused, also one made meanwhile. */
MUST_USE err_t file_put_in_place(
    const char *partial, const char *path, bool force, struct err_info *e);

#endif
