/* asof.h: an external series as it was known: the newest points, each with its newest revision.
 *
 *   EV_EXTERNAL in order of publication -> asof_take -> latest, window
 *
 * Time       a point's event time is what it is about; only published values are ever taken, so
 *            nothing later and no later revision can be seen.
 * Invariant  points lie in order of event time, each once. What lies before the newest event time
 *            at the first value taken is unknown (a stream that begins in the middle has not seen
 *            it) and stays out; from `known_ns` on the points are complete.
 * Limits     ASOF_POINTS points; the oldest go first.
 */
#ifndef FATHOM_DERIVE_FEATURE_ASOF_H
#define FATHOM_DERIVE_FEATURE_ASOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ASOF_POINTS = 64 };

struct asof_point {
    int64_t event_ns, publish_ns; /* publish: of the revision that `value` is */
    double value;
};

struct asof {
    int64_t start_ns; /* older points stay out; valid once `begun` */
    int64_t known_ns; /* every published point from here on is there */
    uint32_t n;
    bool begun;
    uint8_t pad[3];
    struct asof_point point[ASOF_POINTS]; /* oldest event first */
};

/* A published value: a new point, or a revision of one. `newest_ns`: the newest event time of the
 * series that was published by then. */
void asof_take(
    struct asof *a, int64_t event_ns, int64_t publish_ns, double value, int64_t newest_ns);

/* The point of the newest event time; NULL if none is known. */
const struct asof_point *asof_latest(const struct asof *a);
/* The first point after `ns`; NULL if there is none. */
const struct asof_point *asof_after(const struct asof *a, int64_t ns);
/* Values of the newest w points, oldest first; false (untouched) if fewer are known. */
bool asof_window(const struct asof *a, size_t w, double *out);

#endif
