#include "execute/sim/clock_map.h"

#include <string.h>

#include "base/check.h"
#include "base/unit.h"

void clock_map_init(struct clock_map *m, int64_t window_ns) {
    CHECK(window_ns > 0);
    memset(m, 0, sizeof *m);
    m->window_ns = window_ns;
}

static int64_t window_of(const struct clock_map *m, int64_t venue_ns) {
    int64_t d = venue_ns - m->first_ns;
    return d >= 0 ? d / m->window_ns : -1 - (-1 - d) / m->window_ns;
}

/* Twice the window: of two neighbours that fall together the lower one stays. */
static void widen(struct clock_map *m) {
    m->window_ns *= 2;
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        bool same =
            n > 0 && window_of(m, m->knot[n - 1].venue_ns) == window_of(m, m->knot[i].venue_ns);
        if (!same) {
            m->knot[n++] = m->knot[i];
        } else if (m->knot[i].offset_ns < m->knot[n - 1].offset_ns) {
            m->knot[n - 1] = m->knot[i];
        }
    }
    m->n = n;
}

void clock_map_see(struct clock_map *m, int64_t venue_ns, int64_t local_ns) {
    struct clock_knot k = {venue_ns, local_ns - venue_ns};
    if (m->n == 0) m->first_ns = venue_ns;
    int64_t window = window_of(m, venue_ns);
    size_t i = m->n;
    while (i > 0 && window_of(m, m->knot[i - 1].venue_ns) > window) i--;
    if (i > 0 && window_of(m, m->knot[i - 1].venue_ns) == window) {
        if (k.offset_ns < m->knot[i - 1].offset_ns) m->knot[i - 1] = k;
        return;
    }
    if (m->n == CLOCK_KNOTS_MAX) {
        widen(m);
        clock_map_see(m, venue_ns, local_ns);
        return;
    }
    memmove(&m->knot[i + 1], &m->knot[i], (m->n - i) * sizeof m->knot[0]);
    m->knot[i] = k;
    m->n++;
}

int64_t clock_map_offset(const struct clock_map *m, int64_t venue_ns) {
    if (m->n == 0) return 0;
    size_t lo = 0, hi = m->n; /* the first knot after venue_ns */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (m->knot[mid].venue_ns <= venue_ns) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    if (lo == 0) return m->knot[0].offset_ns;
    if (lo == m->n) return m->knot[lo - 1].offset_ns;
    const struct clock_knot *a = &m->knot[lo - 1], *b = &m->knot[lo];
    int128 rise = (int128)(b->offset_ns - a->offset_ns) * (venue_ns - a->venue_ns);
    return a->offset_ns + (int64_t)(rise / (b->venue_ns - a->venue_ns));
}

int64_t clock_map_venue(const struct clock_map *m, int64_t axis_ns) {
    int64_t venue = axis_ns - clock_map_offset(m, axis_ns);
    for (int i = 0; i < 3; i++) venue = axis_ns - clock_map_offset(m, venue);
    return venue;
}

double clock_map_drift_ppm(const struct clock_map *m) {
    if (m->n < 2) return 0;
    const struct clock_knot *a = &m->knot[0], *b = &m->knot[m->n - 1];
    return (double)(b->offset_ns - a->offset_ns) / (double)(b->venue_ns - a->venue_ns) * 1e6;
}

int64_t clock_map_range(const struct clock_map *m) {
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    for (size_t i = 0; i < m->n; i++) {
        if (m->knot[i].offset_ns < lo) lo = m->knot[i].offset_ns;
        if (m->knot[i].offset_ns > hi) hi = m->knot[i].offset_ns;
    }
    return m->n ? hi - lo : 0;
}
