/* progress.h: how far long work is, on stderr: done, total, rate, time left.
 *
 * A live line on a terminal (five times a second), else one line each 10 s, nothing with quiet.
 * Threads    one a progress.
 */
#ifndef FATHOM_BASE_PROGRESS_H
#define FATHOM_BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { PROGRESS_LINE_MAX = 160 };

struct progress {
    const char *what, *unit; /* "import", "MB": borrowed */
    double scale;            /* shown = counted x scale */
    uint64_t total;          /* 0 = not known */
    FILE *to;                /* NULL = quiet */
    bool live, shown;
    int64_t start_ns, last_ns;
};

/* "import", "lines", 1.0, total lines. Bytes as MB: unit "MB", scale 1e-6. */
void progress_begin(struct progress *p, const char *what, const char *unit, double scale,
    uint64_t total, bool quiet);
void progress_at(struct progress *p, uint64_t done); /* cheap; call it once a block of work */
void progress_end(struct progress *p, uint64_t done);

/* The parts without clock and terminal, for tests. */
void progress_begin_at(struct progress *p, FILE *to, bool live, int64_t now_ns);
void progress_step(struct progress *p, uint64_t done, int64_t now_ns);
void progress_finish(struct progress *p, uint64_t done, int64_t now_ns);
size_t progress_line(
    const struct progress *p, uint64_t done, int64_t elapsed_ns, char out[PROGRESS_LINE_MAX]);

#endif
