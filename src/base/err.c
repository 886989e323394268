#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void finish(struct err_info *e, int n) {
    if (n >= ERR_TEXT_MAX) memcpy(e->text + ERR_TEXT_MAX - 4, "...", 4);
    for (char *p = e->text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
    }
}

err_t err_set(struct err_info *e, err_t code, const char *fmt, ...) {
    if (!e) return code;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    e->code = code;
    finish(e, n);
    return code;
}

static const char *remedy(int errnum) {
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        return "; free disk space or choose another folder, then run the same command again";
    case EACCES:
    case EPERM: return "; check the permissions of this path";
    case EROFS: return "; the file system is mounted read-only: choose another folder";
    case ENOENT: return "; check the path";
    case EFBIG: return "; the file size limit of this user or file system is reached (ulimit -f)";
    case EMFILE:
    case ENFILE: return "; raise the limit of open files (ulimit -n)";
    case ENOMEM: return "; free memory or use a smaller input";
    case EIO: return "; the disk reports an error: do not trust it, look at dmesg";
    default: return "";
    }
}

err_t err_set_errno(struct err_info *e, int errnum, const char *fmt, ...) {
    if (!e) return ERR_RESOURCE;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    e->code = ERR_RESOURCE;
    if (n >= 0 && n < ERR_TEXT_MAX) {
        n += snprintf(
            e->text + n, sizeof e->text - (size_t)n, ": %s%s", strerror(errnum), remedy(errnum));
    }
    finish(e, n);
    return ERR_RESOURCE;
}

int err_exit_code(err_t code) {
    switch (code) {
    case ERR_OK: return 0;
    case ERR_NO: return 1;
    case ERR_USAGE: return 2;
    case ERR_INPUT:
    case ERR_END: return 3;
    case ERR_RESOURCE:
    case ERR_FULL:
    case ERR_INTERRUPTED: return 4;
    case ERR_SERVICE: return 5;
    case ERR_BUG: return 70;
    }
    return 70;
}
