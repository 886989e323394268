#include "program/run_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program/write_file.h"

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at) {
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

err_t remove_tree(const char *path, struct err_info *e) {
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT) {
        return err_set_errno(e, errno, "cannot remove %s", path);
    }
    return ERR_OK;
}

/* mkdir -p of everything before the last '/'. */
static err_t make_parents(const char *path, struct err_info *e) {
    char at[RUN_PATH_MAX];
    snprintf(at, sizeof at, "%s", path);
    for (char *p = at + 1; *p; p++) {
        if (*p != '/') continue;
        *p = 0;
        if (mkdir(at, 0777) != 0 && errno != EEXIST) {
            return err_set_errno(e, errno, "cannot make the folder %s", at);
        }
        *p = '/';
    }
    return ERR_OK;
}

err_t run_folder_begin(struct run_folder *f, const char *path, bool force, struct err_info *e) {
    memset(f, 0, sizeof *f);
    f->force = force;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    if (n == 0 || n + 8 > sizeof f->part) {
        return err_set(e, ERR_USAGE, "the output folder's name is empty or too long");
    }
    snprintf(f->final, sizeof f->final, "%.*s", (int)n, path);
    memcpy(f->part, f->final, n);
    memcpy(f->part + n, ".part", sizeof ".part");
    if (access(f->final, F_OK) == 0 && !force) {
        return err_set(
            e, ERR_USAGE, "%s exists already; choose another output or add --force", f->final);
    }
    err_t code = make_parents(f->part, e);
    if (!code) code = remove_tree(f->part, e);
    if (code) return code;
    if (mkdir(f->part, 0777) != 0) {
        return err_set_errno(e, errno, "cannot make the folder %s", f->part);
    }
    f->open = true;
    return ERR_OK;
}

bool run_folder_path(const struct run_folder *f, const char *name, char *out, size_t cap) {
    int n = snprintf(out, cap, "%s/%s", f->part, name);
    return n > 0 && (size_t)n < cap;
}

err_t run_folder_open(
    const struct run_folder *f, const char *name, FILE **out, struct err_info *e) {
    char path[RUN_PATH_MAX];
    if (!run_folder_path(f, name, path, sizeof path)) {
        return err_set(e, ERR_USAGE, "the path of %s is too long", name);
    }
    *out = fopen(path, "wbe");
    return *out ? ERR_OK : err_set_errno(e, errno, "cannot write %s", path);
}

err_t run_folder_close(FILE *file, const char *name, struct err_info *e) {
    bool bad = ferror(file) != 0;
    int errnum = bad ? EIO : 0;
    if (fflush(file) != 0 && !errnum) errnum = errno;
    if (!errnum && fsync(fileno(file)) != 0) errnum = errno;
    if (fclose(file) != 0 && !errnum) errnum = errno;
    return errnum ? err_set_errno(e, errnum, "cannot write %s", name) : ERR_OK;
}

err_t run_folder_write(
    const struct run_folder *f, const char *name, const char *text, size_t n, struct err_info *e) {
    char path[RUN_PATH_MAX];
    if (!run_folder_path(f, name, path, sizeof path)) {
        return err_set(e, ERR_USAGE, "the path of %s is too long", name);
    }
    return write_file(path, text, n, e);
}

err_t run_folder_commit(struct run_folder *f, struct err_info *e) {
    char old[RUN_PATH_MAX + 8];
    snprintf(old, sizeof old, "%s.old", f->final);
    bool replaced = false;
    if (access(f->final, F_OK) == 0) {
        err_t code = remove_tree(old, e);
        if (code) return code;
        if (rename(f->final, old) != 0) {
            return err_set_errno(e, errno, "cannot replace %s", f->final);
        }
        replaced = true;
    }
    if (rename(f->part, f->final) != 0) {
        int errnum = errno;
        if (replaced && rename(old, f->final) != 0) {
            return err_set_errno(
                e, errnum, "cannot make %s (the earlier one is in %s)", f->final, old);
        }
        return err_set_errno(e, errnum, "cannot make %s", f->final);
    }
    f->open = false;
    return replaced ? remove_tree(old, e) : ERR_OK;
}

void run_folder_abort(struct run_folder *f) {
    if (!f->open) return;
    struct err_info ignored;
    if (remove_tree(f->part, &ignored) != ERR_OK) { fprintf(stderr, "fathom: %s\n", ignored.text); }
    f->open = false;
}
