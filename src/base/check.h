/* check.h: assertions that stay on, in production too.
 *
 * A failed CHECK is our own bug: it prints file, line and condition with write(2), then stops the
 * process with exit code 70 (EXIT_BUG in err.h). The world's faults are err_t, never a CHECK.
 */
#ifndef FATHOM_BASE_CHECK_H
#define FATHOM_BASE_CHECK_H

_Noreturn void check_failed(const char *file, int line, const char *what);

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0)) check_failed(__FILE__, __LINE__, #cond);                 \
    } while (0)

#endif
