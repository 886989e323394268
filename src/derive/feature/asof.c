#include "derive/feature/asof.h"

#include <string.h>

#include "base/check.h"

static void insert(struct asof *a, uint32_t at, const struct asof_point *p) {
    if (a->n == ASOF_POINTS) { /* the oldest goes: what is before its successor is not whole */
        a->known_ns = at == 0 ? p->event_ns + 1 : a->point[0].event_ns + 1;
        if (at == 0) return;
        memmove(a->point, a->point + 1, (at - 1) * sizeof *p);
        a->point[at - 1] = *p;
        return;
    }
    memmove(a->point + at + 1, a->point + at, (a->n - at) * sizeof *p);
    a->point[at] = *p;
    a->n++;
}

void asof_take(
    struct asof *a, int64_t event_ns, int64_t publish_ns, double value, int64_t newest_ns) {
    CHECK(newest_ns >= event_ns);
    if (!a->begun) {
        a->begun = true;
        a->start_ns = newest_ns;
        a->known_ns =
            newest_ns + (newest_ns > event_ns); /* the newest itself may not be this one */
    }
    if (event_ns < a->start_ns) return;
    struct asof_point p = {event_ns, publish_ns, value};
    uint32_t at = a->n;
    while (at > 0 && a->point[at - 1].event_ns > event_ns) at--;
    if (at > 0 && a->point[at - 1].event_ns == event_ns)
        a->point[at - 1] = p;
    else
        insert(a, at, &p);
}

const struct asof_point *asof_latest(const struct asof *a) {
    return a->n > 0 ? &a->point[a->n - 1] : NULL;
}

const struct asof_point *asof_after(const struct asof *a, int64_t ns) {
    uint32_t at = a->n;
    while (at > 0 && a->point[at - 1].event_ns > ns) at--;
    return at < a->n ? &a->point[at] : NULL;
}

bool asof_window(const struct asof *a, size_t w, double *out) {
    CHECK(w > 0 && w <= ASOF_POINTS);
    if (a->n < w) return false;
    for (size_t i = 0; i < w; i++) out[i] = a->point[a->n - w + i].value;
    return true;
}
