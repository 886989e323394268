/* err.h: error codes, messages for a person, and the program's exit codes.
 *
 * A function that can fail returns err_t (0 = OK, result must be used); its outputs are untouched
 * on failure. Where the error will reach a person the function also takes `struct err_info *`, in
 * which it says what happened, where (file, line, byte or message) and what to do. Pure modules
 * (derive/, execute/) return the code only.
 */
#ifndef FATHOM_BASE_ERR_H
#define FATHOM_BASE_ERR_H

#include <stdarg.h>

#define MUST_USE __attribute__((warn_unused_result))

typedef enum err {
    ERR_OK = 0,
    ERR_NO,         /* the answer is no: a check failed, files differ            exit 1  */
    ERR_USAGE,      /* wrong command line or configuration                       exit 2  */
    ERR_INPUT,      /* bad input data: malformed, damaged, torn, unknown version exit 3  */
    ERR_RESOURCE,   /* disk, memory, permission, a missing file                  exit 4  */
    ERR_SERVICE,    /* an outside service                                        exit 5  */
    ERR_BUG,        /* our own bug                                               exit 70 */
    ERR_END,        /* no more data (not a failure; never leaves the caller)             */
    ERR_FULL,       /* a named limit is reached                                          */
    ERR_INTERRUPTED /* Ctrl-C: what is complete is kept                                */
} err_t;

enum { ERR_TEXT_MAX = 1024 };

struct err_info {
    err_t code;
    char text[ERR_TEXT_MAX]; /* complete sentence(s): what, where, remedy; UTF-8, one line */
};

/* Sets code and text (cut with "..." when too long) and returns the code. `e` may be NULL. */
__attribute__((format(printf, 3, 4))) err_t err_set(
    struct err_info *e, err_t code, const char *fmt, ...);

/* The same with strerror(errnum) and a remedy by errno (ENOSPC, EACCES, ...) appended; picks
 * ERR_RESOURCE. */
__attribute__((format(printf, 3, 4))) err_t err_set_errno(
    struct err_info *e, int errnum, const char *fmt, ...);

/* The process exit code of the table above (ERR_END and ERR_FULL count as ERR_INPUT and
 * ERR_RESOURCE). */
int err_exit_code(err_t code);

#endif
