#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_internal.h"
#include "base/mem.h"

enum { PARTIAL_TRIES = 1000 };

struct dir_out {
    char path[FILE_PATH_MAX], partial[FILE_PATH_MAX];
    bool force;
};

static bool is_empty_dir(const char *path) {
    DIR *dir = opendir(path);
    if (!dir) return false;
    bool empty = true;
    for (struct dirent *at = readdir(dir); at && empty; at = readdir(dir)) {
        empty = strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0;
    }
    closedir(dir);
    return empty;
}

/* What may stand at the target: nothing, an empty folder, or (force) a folder of our own making. */
static err_t check_target(const char *path, const char *marker, bool force, struct err_info *e) {
    struct stat st;
    char inside[FILE_PATH_MAX + 256];
    if (lstat(path, &st) != 0) return ERR_OK;
    if (!S_ISDIR(st.st_mode)) {
        return err_set(e, ERR_USAGE, "%s exists and is no folder: choose another name", path);
    }
    if (is_empty_dir(path)) return ERR_OK;
    snprintf(inside, sizeof inside, "%s/%.200s", path, marker);
    if (force && !file_exists(inside)) {
        return err_set(e, ERR_USAGE,
            "%s holds other things (no %s in it): it is not replaced; remove it yourself or choose "
            "another name",
            path, marker);
    }
    return file_refuse_existing(path, force, e);
}

err_t dir_out_open(
    struct dir_out **out, const char *path, const char *marker, bool force, struct err_info *e) {
    char clean[FILE_PATH_MAX];
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    if (n == 0 || n >= FILE_PATH_MAX - 256) {
        return err_set(e, ERR_USAGE, "`%.200s` is no name for an output folder", path);
    }
    memcpy(clean, path, n);
    clean[n] = 0;
    err_t err = check_target(clean, marker, force, e);
    if (err) return err;
    struct dir_out *d = mem_alloc(sizeof *d);
    strcpy(d->path, clean);
    d->force = force;
    int made = -1;
    for (int i = 0; i < PARTIAL_TRIES && made != 0 && !err; i++) {
        err = file_partial_name(d->partial, clean, i, e);
        if (err) break;
        made = mkdir(d->partial, 0777);
        if (made != 0 && errno != EEXIST) {
            err = err_set_errno(e, errno, "folder %s cannot be made", clean);
        }
    }
    if (err) {
        free(d);
        return err;
    }
    *out = d;
    return ERR_OK;
}

err_t file_make_parents(const char *path, struct err_info *e) {
    char part[FILE_PATH_MAX];
    if (path[0] == '/') return ERR_OK;
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t n = (size_t)(slash - path);
        if (n >= sizeof part) return err_set(e, ERR_USAGE, "the path is too long");
        if (slash[1] == 0) break; /* a slash at the end names the folder itself */
        memcpy(part, path, n);
        part[n] = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST) {
            return err_set_errno(e, errno, "folder %s cannot be made", part);
        }
    }
    return ERR_OK;
}

const char *dir_out_path(const struct dir_out *d) { return d->partial; }

void dir_out_abort(struct dir_out *d) {
    if (!d) return;
    struct err_info ignored;
    if (file_remove_tree(d->partial, &ignored)) {
        /* A partial folder that stays is named so and read by nobody. */
    }
    free(d);
}

static int sync_one(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)st;
    (void)ftw;
    if (kind != FTW_F && kind != FTW_DP) return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    int bad = fsync(fd) != 0 && errno != EINVAL ? errno : 0;
    close(fd);
    return bad;
}

/* Swaps the new folder with the old one in one step, then removes the old one. */
static err_t replace(struct dir_out *d, struct err_info *e) {
    if (rename(d->partial, d->path) == 0) return ERR_OK; /* nothing there, or an empty folder */
    if (errno != ENOTEMPTY && errno != EEXIST) {
        return err_set_errno(e, errno, "folder %s could not be put in its place", d->path);
    }
    if (!d->force) return file_refuse_existing(d->path, false, e);
    if (renameat2(AT_FDCWD, d->partial, AT_FDCWD, d->path, RENAME_EXCHANGE) != 0) {
        return err_set_errno(e, errno, "folder %s could not be replaced", d->path);
    }
    return file_remove_tree(d->partial, e);
}

err_t dir_out_commit(struct dir_out *d, struct err_info *e) {
    err_t err = ERR_OK;
    int bad = nftw(d->partial, sync_one, 16, FTW_DEPTH | FTW_PHYS);
    if (bad != 0) {
        err = err_set_errno(e, bad > 0 ? bad : errno, "folder %s could not be synced", d->path);
    }
    if (!err) err = replace(d, e);
    if (!err) err = file_sync_parent(d->path, e);
    if (err) {
        dir_out_abort(d);
        return err;
    }
    free(d);
    return ERR_OK;
}
