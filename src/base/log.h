/* log.h: one structured line a happening: key=value pairs that grep and machines read alike.
 *
 *   2026-01-02T03:04:05.123456789Z warn feed_gap venue=okx missing=12 text="two words"
 *
 * Time       the caller gives it; log_now is the wall clock for edge modules.
 * Threads    a line is built on the caller's stack and written with one write(2): lines of several
 *            threads never mix.
 * Limits     LOG_LINE_MAX bytes; what does not fit is cut and the line ends with " cut=1".
 * Invariant  values with anything but plain characters are quoted and escaped: a hostile text makes
 *            no second line and no second key.
 */
#ifndef FATHOM_BASE_LOG_H
#define FATHOM_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_LINE_MAX = 1024 };

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_line {
    char text[LOG_LINE_MAX + 16];
    size_t len;
    bool cut;
};

void log_start(struct log_line *l, int64_t now_ns, enum log_level level, const char *what);
void log_str(struct log_line *l, const char *key, const char *value);
void log_strn(struct log_line *l, const char *key, const char *value, size_t n);
void log_int(struct log_line *l, const char *key, int64_t value);
void log_double(struct log_line *l, const char *key, double value);
/* Ends the line and writes it to the descriptor (2 = stderr); what cannot be written is dropped. */
void log_end(struct log_line *l, int fd);

int64_t log_now(void); /* wall clock, ns since 1970 UTC */

#endif
