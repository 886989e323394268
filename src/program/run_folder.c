#include "program/run_folder.h"

#include <errno.h>
#include <unistd.h>

err_t run_folder_path(
    const char *dir, const char *name, char out[RUN_PATH_MAX], struct err_info *e) {
    int n = snprintf(out, RUN_PATH_MAX, "%s/%s", dir, name);
    if (n > 0 && n < RUN_PATH_MAX) return ERR_OK;
    return err_set(
        e, ERR_USAGE, "the path of %s is too long: choose a shorter output folder", name);
}

err_t run_folder_open(const char *dir, const char *name, FILE **out, struct err_info *e) {
    char path[RUN_PATH_MAX];
    err_t code = run_folder_path(dir, name, path, e);
    if (code) return code;
    *out = fopen(path, "wbe");
    return *out ? ERR_OK : err_set_errno(e, errno, "cannot write %s", path);
}

err_t run_folder_close(FILE *file, const char *name, struct err_info *e) {
    int errnum = ferror(file) ? EIO : 0;
    if (fflush(file) != 0 && !errnum) errnum = errno;
    if (!errnum && fsync(fileno(file)) != 0) errnum = errno;
    if (fclose(file) != 0 && !errnum) errnum = errno;
    return errnum ? err_set_errno(e, errnum, "cannot write %s", name) : ERR_OK;
}

err_t run_folder_write(
    const char *dir, const char *name, const char *text, size_t n, struct err_info *e) {
    char path[RUN_PATH_MAX];
    err_t code = run_folder_path(dir, name, path, e);
    return code ? code : file_write(path, text, n, true, e);
}
