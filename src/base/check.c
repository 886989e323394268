#include "base/check.h"

#include <string.h>
#include <unistd.h>

static void put(const char *s) {
    size_t n = strlen(s);
    while (n > 0) {
        ssize_t w = write(STDERR_FILENO, s, n);
        if (w <= 0) return;
        s += w;
        n -= (size_t)w;
    }
}

_Noreturn void check_failed(const char *file, int line, const char *what) {
    char digits[12];
    int at = (int)sizeof digits - 1;
    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + line % 10);
        line /= 10;
    } while (line > 0 && at > 0);
    put("fathom: own bug at ");
    put(file);
    put(":");
    put(digits + at);
    put(": this does not hold: ");
    put(what);
    put("\nPlease report this line with the command that led to it.\n");
    _exit(70);
}
