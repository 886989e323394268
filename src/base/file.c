#include "base/file.h"

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

struct file_out {
    FILE *stream;
    char path[FILE_PATH_MAX], partial[FILE_PATH_MAX];
    bool direct, force;
};

bool file_exists(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

/* ".NAME.partial-PID-N" in the folder of `path`. */
err_t file_partial_name(
    char out[FILE_PATH_MAX], const char *path, int attempt, struct err_info *e) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    int n = snprintf(out, FILE_PATH_MAX, "%.*s.%s.partial-%ld-%d", (int)(name - path), path, name,
        (long)getpid(), attempt);
    if (*name == 0 || n >= FILE_PATH_MAX) {
        return err_set(e, ERR_USAGE, "`%.200s` is no name for an output", path);
    }
    return ERR_OK;
}

err_t file_refuse_existing(const char *path, bool force, struct err_info *e) {
    if (force || !file_exists(path)) return ERR_OK;
    return err_set(e, ERR_USAGE,
        "%s exists: nothing was written; --force replaces it, or choose another name", path);
}

/* The name itself must survive a power cut: sync the folder that holds it. */
err_t file_sync_parent(const char *path, struct err_info *e) {
    char folder[FILE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    int fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return err_set_errno(e, errno, "folder %s", folder);
    /* Some file systems cannot sync a folder (EINVAL): nothing more can be done there. */
    int bad = fsync(fd) != 0 && errno != EINVAL ? errno : 0;
    close(fd);
    return bad ? err_set_errno(e, bad, "folder %s could not be synced", folder) : ERR_OK;
}

err_t file_put_in_place(const char *partial, const char *path, bool force, struct err_info *e) {
    int rc = renameat2(AT_FDCWD, partial, AT_FDCWD, path, force ? 0 : RENAME_NOREPLACE);
    if (rc != 0 && !force && (errno == EINVAL || errno == ENOSYS)) {
        err_t err = file_refuse_existing(path, false, e);
        if (err) return err;
        rc = rename(partial, path);
    }
    if (rc != 0 && errno == EEXIST) return file_refuse_existing(path, false, e);
    if (rc != 0) return err_set_errno(e, errno, "%s could not be put in its place", path);
    return file_sync_parent(path, e);
}

static int open_partial(struct file_out *f, struct err_info *e) {
    for (int i = 0; i < PARTIAL_TRIES; i++) {
        if (file_partial_name(f->partial, f->path, i, e)) return -1;
        int fd = open(f->partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) return fd;
        if (errno != EEXIST) break;
    }
    err_set_errno(e, errno, "%s cannot be written", f->path);
    return -1;
}

err_t file_out_open(struct file_out **out, const char *path, bool force, struct err_info *e) {
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (strlen(path) >= FILE_PATH_MAX) return err_set(e, ERR_USAGE, "the path is too long");
    if (there && S_ISDIR(st.st_mode)) {
        return err_set(e, ERR_USAGE, "%s is a folder: give the name of a file", path);
    }
    bool direct = there && !S_ISREG(st.st_mode);
    err_t err = direct ? ERR_OK : file_refuse_existing(path, force, e);
    if (err) return err;
    struct file_out *f = mem_alloc(sizeof *f);
    f->direct = direct;
    f->force = force;
    strcpy(f->path, path);
    int fd = direct ? open(path, O_WRONLY | O_CLOEXEC) : open_partial(f, e);
    if (direct && fd < 0) err_set_errno(e, errno, "%s cannot be written", path);
    f->stream = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!f->stream) {
        free(f);
        return e ? e->code : ERR_RESOURCE;
    }
    *out = f;
    return ERR_OK;
}

FILE *file_out_stream(struct file_out *f) { return f->stream; }

void file_out_abort(struct file_out *f) {
    if (!f) return;
    if (f->stream) fclose(f->stream);
    if (!f->direct) unlink(f->partial);
    free(f);
}

err_t file_out_commit(struct file_out *f, struct err_info *e) {
    err_t err = ERR_OK;
    errno = 0;
    bool failed_before = ferror(f->stream);
    if (fflush(f->stream) != 0 || (!f->direct && fsync(fileno(f->stream)) != 0)) {
        err = err_set_errno(e, errno, "%s could not be written", f->path);
    } else if (failed_before) {
        err = err_set(e, ERR_RESOURCE,
            "%s could not be written completely (disk full?); nothing was left behind", f->path);
    }
    if (fclose(f->stream) != 0 && !err) {
        err = err_set_errno(e, errno, "%s could not be written", f->path);
    }
    f->stream = NULL;
    if (!err && !f->direct) err = file_put_in_place(f->partial, f->path, f->force, e);
    if (err) {
        file_out_abort(f);
        return err;
    }
    free(f);
    return ERR_OK;
}

err_t file_write(const char *path, const void *bytes, size_t n, bool force, struct err_info *e) {
    struct file_out *f = NULL;
    err_t err = file_out_open(&f, path, force, e);
    if (err) return err;
    if (n > 0) fwrite(bytes, 1, n, f->stream); /* a short write shows in commit */
    return file_out_commit(f, e);
}

err_t file_read(const char *path, size_t max, char **bytes, size_t *n, struct err_info *e) {
    FILE *f = fopen(path, "rbe");
    if (!f) return err_set_errno(e, errno, "%s", path);
    char *buf = NULL;
    size_t used = 0, cap = 0;
    errno = 0;
    for (;;) {
        if (used == cap) buf = mem_grow(buf, (cap = cap ? cap * 2 : 65536) + 1);
        size_t got = fread(buf + used, 1, cap - used, f);
        used += got;
        if (got == 0 || used > max) break;
    }
    int bad = ferror(f) ? (errno ? errno : EIO) : 0;
    fclose(f);
    if (bad || used > max) {
        free(buf);
        if (bad) return err_set_errno(e, bad, "%s could not be read", path);
        return err_set(e, ERR_INPUT, "%s is larger than the limit of %zu bytes", path, max);
    }
    buf[used] = 0;
    *bytes = buf;
    *n = used;
    return ERR_OK;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

err_t file_remove_tree(const char *path, struct err_info *e) {
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0) return ERR_OK;
    return err_set_errno(e, errno, "%s could not be removed", path);
}
