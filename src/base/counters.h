/* counters.h: counters in one page of memory that other processes can read while we run.
 *
 *   table (name, help, unit) -> counters_open -> page -> counters_add ... <- counters_attach
 * (reader)
 *
 * Units      named in the table and by the name's suffix: events_total, feed_lag_ns_max.
 * Ownership  the page lives until counters_close; its file, if it has one, is removed there.
 * Threads    any thread may add; readers see each value whole, not all values of one moment.
 * Invariant  page = header, `count` rows, `count` values; a reader takes a page only if magic,
 * version, size and checksum of the rows fit. Limits     COUNTERS_MAX rows, names <
 * COUNTER_NAME_MAX bytes of [a-z0-9_]. Why        one table gives the counter's name, its help with
 * unit and the exported metric (Prometheus text format), so the three cannot disagree. After
 * Aeron's counter file.
 */
#ifndef FATHOM_BASE_COUNTERS_H
#define FATHOM_BASE_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum { COUNTERS_MAX = 1024, COUNTER_NAME_MAX = 48, COUNTER_HELP_MAX = 112, COUNTER_UNIT_MAX = 16 };

enum counter_kind { COUNTER_TOTAL = 0, COUNTER_GAUGE = 1 };

struct counter_row {
    const char *name; /* "tape_events_total" */
    const char *help; /* "events written to the tape" */
    const char *unit; /* "events", "ns", "bytes" */
    enum counter_kind kind;
};

struct counters {
    void *page;
    size_t bytes, count;
    _Atomic int64_t *value; /* value[0..count) */
    bool owner;
    int lock_fd;    /* stays open: it carries the lock of the file */
    char path[256]; /* "" = not shared */
};

/* `path` NULL: this process only. An existing file of a dead process is replaced, one in use is
 * ERR_RESOURCE (two processes must not count into one page). */
MUST_USE err_t counters_open(struct counters *c, const struct counter_row *table, size_t rows,
    const char *path, struct err_info *e);
/* Reads another process's page; its values are read only. */
MUST_USE err_t counters_attach(struct counters *c, const char *path, struct err_info *e);
void counters_close(struct counters *c);

static inline void counters_add(struct counters *c, size_t id, int64_t n) {
    atomic_fetch_add_explicit(&c->value[id], n, memory_order_relaxed);
}
static inline void counters_set(struct counters *c, size_t id, int64_t v) {
    atomic_store_explicit(&c->value[id], v, memory_order_relaxed);
}
static inline int64_t counters_get(const struct counters *c, size_t id) {
    return atomic_load_explicit(&c->value[id], memory_order_relaxed);
}

const char *counters_name(const struct counters *c, size_t id);
/* Prometheus text format, every name with the prefix "fathom_". */
void counters_export(const struct counters *c, FILE *to);

#endif
