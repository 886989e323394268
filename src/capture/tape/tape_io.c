/* The system calls of the writer behind one table, and the loops around them. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "capture/tape/tape_internal.h"

static int io_open(void *ctx, int dir, const char *name, int flags) {
    (void)ctx;
    return openat(dir, name, flags | O_CLOEXEC, 0644);
}
static ssize_t io_pwrite(void *ctx, int fd, const void *from, size_t n, off_t at) {
    (void)ctx;
    return pwrite(fd, from, n, at);
}
static int io_sync(void *ctx, int fd) {
    (void)ctx;
    return fdatasync(fd);
}
static int io_allocate(void *ctx, int fd, off_t from, off_t n) {
    (void)ctx;
    return fallocate(fd, 0, from, n);
}
static int io_truncate(void *ctx, int fd, off_t size) {
    (void)ctx;
    return ftruncate(fd, size);
}
static int io_unlink(void *ctx, int dir, const char *name) {
    (void)ctx;
    return unlinkat(dir, name, 0);
}

const struct tape_io tape_io_system = {
    .open = io_open,
    .pwrite = io_pwrite,
    .sync = io_sync,
    .allocate = io_allocate,
    .truncate = io_truncate,
    .unlink = io_unlink,
};

int tape_pwrite_all(const struct tape_io *io, int fd, const void *from, size_t n, uint64_t at) {
    const unsigned char *p = from;
    while (n > 0) {
        ssize_t w = io->pwrite(io->ctx, fd, p, n, (off_t)at);
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) return errno;
        if (w == 0) return ENOSPC; /* a regular file that takes nothing: POSIX leaves only this */
        p += w;
        n -= (size_t)w;
        at += (uint64_t)w;
    }
    return 0;
}

int tape_pread_all(int fd, void *to, size_t n, uint64_t at) {
    unsigned char *p = to;
    while (n > 0) {
        ssize_t r = pread(fd, p, n, (off_t)at);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) return errno;
        if (r == 0) return -1;
        p += r;
        n -= (size_t)r;
        at += (uint64_t)r;
    }
    return 0;
}
