/* file.h: outputs that are made whole or not at all.
 *
 *   open  -> a hidden file or folder beside the target: ".NAME.partial-PID-N"
 *   write -> by the caller
 *   commit-> flush, fsync, rename over the target, fsync of the folder
 *   abort -> the partial one is removed; the target is as it was
 *
 * Ownership  commit and abort free the handle, also when commit fails (then it has aborted).
 * Threads    one a handle.
 * Invariant  the target holds the old bytes or all of the new ones, at every moment, over a kill.
 *            A kill leaves a partial file behind, which nothing reads.
 * Limits     FILE_PATH_MAX bytes a path. A folder is replaced (force) only if it is empty or holds
 *            the `marker` file: a mistyped --to must not delete somebody's folder.
 */
#ifndef FATHOM_BASE_FILE_H
#define FATHOM_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum { FILE_PATH_MAX = 4096 };

struct file_out;

/* ERR_USAGE if the target exists and not `force`; ERR_RESOURCE if it cannot be made. A device or
 * pipe (/dev/stdout) is written directly. */
MUST_USE err_t file_out_open(
    struct file_out **out, const char *path, bool force, struct err_info *e);
FILE *file_out_stream(struct file_out *f);
MUST_USE err_t file_out_commit(struct file_out *f, struct err_info *e);
void file_out_abort(struct file_out *f); /* NULL is fine */

struct dir_out;

/* `marker`: name of a file that every such folder holds ("manifest.json"). */
MUST_USE err_t dir_out_open(
    struct dir_out **out, const char *path, const char *marker, bool force, struct err_info *e);
/* The folder to write into until commit; no trailing slash. */
const char *dir_out_path(const struct dir_out *d);
MUST_USE err_t dir_out_commit(struct dir_out *d, struct err_info *e);
void dir_out_abort(struct dir_out *d); /* NULL is fine */

/* Whole small files. file_read: at most `max` bytes (more is ERR_INPUT); a NUL follows the bytes,
 * which the caller frees. */
MUST_USE err_t file_write(
    const char *path, const void *bytes, size_t n, bool force, struct err_info *e);
MUST_USE err_t file_read(const char *path, size_t max, char **bytes, size_t *n, struct err_info *e);

bool file_exists(const char *path);
/* Makes the folders that a relative path lacks before its last name ("runs" of "runs/a"). An
 * absolute path is left alone: there a missing folder is more likely a mistake, or a disk not
 * mounted. */
MUST_USE err_t file_make_parents(const char *path, struct err_info *e);
/* Removes a folder and all below it; links are removed, not followed. */
MUST_USE err_t file_remove_tree(const char *path, struct err_info *e);

#endif
