/* External series again: for each row the whole list of published values is searched. */
#include <stdlib.h>
#include <string.h>

#include "feature_laws/world.h"

enum { POINTS = 30 };

struct known { /* a point with its newest revision */
    int64_t event, published;
    double value;
};

static int by_event(const void *a, const void *b) {
    int64_t x = ((const struct known *)a)->event, y = ((const struct known *)b)->event;
    return (x > y) - (x < y);
}

/* All points of a series that were published before the close of bucket k, by event time. What lay
 * before the newest one at the first publication is unknown. */
static size_t points(
    const struct world *w, size_t k, size_t series, struct known *out, size_t max) {
    size_t n = 0;
    int64_t from = INT64_MIN;
    for (size_t i = 0; i < w->values && w->value[i].bucket <= k; i++) {
        const struct world_value *v = &w->value[i];
        size_t at = 0;
        if (v->series != series) continue;
        if (from == INT64_MIN) from = v->newest_ns;
        if (v->event_ns < from) continue;
        while (at < n && out[at].event != v->event_ns) at++;
        if (at == max) abort();
        if (at == n) n++;
        out[at] = (struct known){v->event_ns, v->ns, v->value};
    }
    qsort(out, n, sizeof *out, by_event);
    return n;
}

enum what { LEVEL, CHANGE, Z, RANK, AGE };

static double of_points(const struct known *p, size_t n, enum what what) {
    double x[POINTS], below = 0.0;
    if (what == LEVEL) return p[n - 1].value;
    if (what == CHANGE) return n < 2 ? NAN : p[n - 1].value - p[n - 2].value;
    if (n < POINTS) return NAN;
    for (size_t i = 0; i < POINTS; i++) x[i] = p[n - POINTS + i].value;
    if (what == Z) return quotient(x[POINTS - 1] - mean_of(x, POINTS), sd_of(x, POINTS));
    for (size_t i = 0; i < POINTS; i++) below += x[i] < x[POINTS - 1] ? 2.0 : x[i] == x[POINTS - 1];
    return below / (2.0 * POINTS);
}

/* The list is searched once a series and bucket, not once a row. */
static const struct known *points_of(const struct world *w, size_t k, size_t series, size_t *n) {
    static struct known list[SYNTH_SERIES][2048];
    static size_t count[SYNTH_SERIES], bucket[SYNTH_SERIES];
    static const struct world_value *of[SYNTH_SERIES];
    if (of[series] != w->value || bucket[series] != k) {
        count[series] = points(w, k, series, list[series], 2048);
        of[series] = w->value;
        bucket[series] = k;
    }
    *n = count[series];
    return list[series];
}

static double series_value(const struct world *w, size_t k, size_t series, enum what what) {
    size_t n;
    const struct known *p = points_of(w, k, series, &n);
    int64_t now = w->bucket[k].b.close_ts.ns;
    if (n == 0 || now - p[n - 1].published > synth_series[series].age_s * NS_PER_S) return NAN;
    return what == AGE ? (double)(now - p[n - 1].published) / 1e9 : of_points(p, n, what);
}

bool naive_chain_value(const struct world *w, const char *name, size_t k, double *out) {
    static const struct {
        const char *tail;
        enum what what;
    } tails[] = {
        {"", LEVEL}, {"_change_e2", CHANGE}, {"_z_e30", Z}, {"_rank_e30", RANK}, {"_age_s", AGE}};
    if (strncmp(name, "chain_", 6) != 0) return false;
    for (size_t i = 0; i < SYNTH_SERIES; i++) {
        size_t n = strlen(synth_series[i].name);
        if (strncmp(name + 6, synth_series[i].name, n) != 0) continue;
        for (size_t t = 0; t < sizeof tails / sizeof tails[0]; t++) {
            if (strcmp(name + 6 + n, tails[t].tail) != 0) continue;
            *out = series_value(w, k, i, tails[t].what);
            return true;
        }
    }
    return false;
}

/* --- calendar -------------------------------------------------------------------------------- */

static double calendar(const struct world *w, size_t k, int what) {
    size_t n;
    const struct known *p = points_of(w, k, SYNTH_SERIES - 1, &n);
    int64_t now = w->bucket[k].b.close_ts.ns, from = INT64_MAX;
    const struct known *next = NULL, *last = NULL;
    for (size_t i = 0; i < w->values && w->value[i].bucket <= k && from == INT64_MAX; i++) {
        const struct world_value *v = &w->value[i];
        if (v->series == SYNTH_SERIES - 1) from = v->newest_ns + (v->newest_ns > v->event_ns);
    }
    if (now < from) return NAN;
    for (size_t i = 0; i < n; i++) {
        if (p[i].value == 0.0) continue;
        if (p[i].event > now && !next) next = &p[i];
        if (p[i].event <= now) last = &p[i];
    }
    if (what == 2) return last ? (double)(now - last->event) / 1e9 : NAN;
    if (!next) return NAN;
    return what == 0 ? (double)(next->event - now) / 1e9 : next->value;
}

const struct naive_row naive_chain[] = {
    {"chain_calendar_countdown_s", calendar, 0},
    {"chain_calendar_importance", calendar, 1},
    {"chain_calendar_since_s", calendar, 2},
    {0},
};
