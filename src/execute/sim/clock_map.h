/* clock_map.h: the recorder's clock against the venue's, as it drifts.
 *
 * Units      ns. offset = local - venue of the fastest message: what is added to a venue stamp to
 *            place it on our axis.
 * Model      the data are cut into windows of venue time; the least local - venue of each is a knot
 *            (its venue time, that offset); linear between knots, constant outside. One window is
 *            one constant: the robust choice for short recordings.
 * Ownership  open struct. Threads: one.
 * Limits     CLOCK_KNOTS_MAX windows; when they are used up the window doubles.
 * Why        a least value over days hides drift of the recorder's clock in the latencies; a fit of
 *            the mean would move with load, the lower envelope does not (Paxson 1998, "On
 *            Calibrating Measurements of Packet Transit Times").
 */
#ifndef FATHOM_EXECUTE_SIM_CLOCK_MAP_H
#define FATHOM_EXECUTE_SIM_CLOCK_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLOCK_KNOTS_MAX = 1024 };

struct clock_knot {
    int64_t venue_ns, offset_ns;
};
struct clock_map {
    int64_t window_ns, first_ns; /* window k covers [first + k window, + window) */
    size_t n;
    struct clock_knot knot[CLOCK_KNOTS_MAX]; /* rising venue_ns */
};

void clock_map_init(struct clock_map *m, int64_t window_ns); /* > 0 */
/* One message. Venue stamps may run backwards within the data. */
void clock_map_see(struct clock_map *m, int64_t venue_ns, int64_t local_ns);
int64_t clock_map_offset(const struct clock_map *m, int64_t venue_ns); /* 0 without a knot */
/* The venue stamp whose place on our axis is axis_ns (to 1 ns while offsets change by less than
 * 1e-4 of time). */
int64_t clock_map_venue(const struct clock_map *m, int64_t axis_ns);
/* Drift of our clock against the venue's from first to last knot, parts per million. */
double clock_map_drift_ppm(const struct clock_map *m);
/* Largest less smallest offset. */
int64_t clock_map_range(const struct clock_map *m);

#endif
