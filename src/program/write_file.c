#include "program/write_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int write_all(int fd, const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t w = write(fd, bytes, n);
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) return errno;
        bytes += w;
        n -= (size_t)w;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

err_t write_file(const char *path, const char *bytes, size_t n, struct err_info *e) {
    char part[4200];
    snprintf(part, sizeof part, "%s.part", path);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return err_set_errno(e, errno, "cannot write %s", path);
    int bad = write_all(fd, bytes, n);
    if (close(fd) != 0 && !bad) bad = errno;
    if (!bad && rename(part, path) != 0) bad = errno;
    if (!bad) return ERR_OK;
    unlink(part);
    return err_set_errno(e, bad, "cannot write %s", path);
}
