/* run_folder.h: a result folder that appears whole or not at all.
 *
 *   begin -> files in FINAL.part -> commit (sync, rename) | abort (removed)
 *
 * Ownership  the handle is plain; abort is safe after a failed begin.
 */
#ifndef FATHOM_PROGRAM_RUN_FOLDER_H
#define FATHOM_PROGRAM_RUN_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

enum { RUN_PATH_MAX = 4096 };

struct run_folder {
    char final[RUN_PATH_MAX]; /* where it will be */
    char part[RUN_PATH_MAX];  /* where it is made */
    bool open, force;
};

/* Makes FINAL.part (and parents). An existing FINAL is refused without `force`. A left-over .part
 * of an earlier crash is removed. */
MUST_USE err_t run_folder_begin(
    struct run_folder *f, const char *path, bool force, struct err_info *e);
/* out = part/name; false when it does not fit. */
bool run_folder_path(const struct run_folder *f, const char *name, char *out, size_t cap);
/* Opens part/name for writing. */
MUST_USE err_t run_folder_open(
    const struct run_folder *f, const char *name, FILE **out, struct err_info *e);
/* Flushes, syncs and closes; every earlier short write shows here. */
MUST_USE err_t run_folder_close(FILE *file, const char *name, struct err_info *e);
MUST_USE err_t run_folder_write(
    const struct run_folder *f, const char *name, const char *text, size_t n, struct err_info *e);
MUST_USE err_t run_folder_commit(struct run_folder *f, struct err_info *e);
void run_folder_abort(struct run_folder *f);

/* Removes a folder tree that this program made (no links are followed). */
MUST_USE err_t remove_tree(const char *path, struct err_info *e);

#endif
