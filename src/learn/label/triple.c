#include "learn/label/triple.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/unit.h"

/* Sums of w, w^2, w x, w x^2 with w = decay^age. */
struct weighted {
    double w, ww, x, xx;
};

static double spread(struct weighted *s, double x, double decay) {
    s->w = s->w * decay + 1;
    s->ww = s->ww * decay * decay + 1;
    s->x = s->x * decay + x;
    s->xx = s->xx * decay + x * x;
    double mean = s->x / s->w, variance = s->xx / s->w - mean * mean;
    double unbias = s->w * s->w / (s->w * s->w - s->ww);
    return s->w > 1 && variance > 0 ? sqrt(variance * unbias) : NAN;
}

void triple_volatility(
    const struct label_bar *bar, size_t n, int64_t span_ns, double lookback, double *out) {
    CHECK(span_ns > 0 && lookback >= 1);
    struct weighted s = {0};
    double decay = 1 - 2 / (lookback + 1);
    size_t first = 0; /* first row not older than the span */
    for (size_t i = 0; i < n; i++) {
        while (bar[first].close_ns < bar[i].close_ns - span_ns) first++;
        out[i] = first > 0 ? spread(&s, bar[i].px / bar[first - 1].px - 1, decay) : NAN;
    }
}

size_t triple_cusum(const struct label_bar *bar, size_t n, double threshold, size_t *rows) {
    double up = 0, down = 0;
    size_t events = 0;
    for (size_t i = 1; i < n; i++) {
        double r = log(bar[i].px / bar[i - 1].px);
        up = fmax(0, up + r);
        down = fmin(0, down + r);
        if (down < -threshold)
            down = 0;
        else if (up > threshold)
            up = 0;
        else
            continue;
        rows[events++] = i;
    }
    return events;
}

/* Closes only: what a strategy that looks once a bar would have got. */
static void walk(
    const struct triple_spec *spec, const struct label_bar *bar, size_t n, struct triple_event *e) {
    const struct label_bar *from = &bar[e->row];
    e->label = (struct label){.value = NAN, .move = NAN, .known_row = -1, .klass = LABEL_NONE};
    for (size_t i = e->row + 1; i < n; i++) {
        double r = bar[i].px / from->px - 1;
        bool late = bar[i].close_ns - from->close_ns >= spec->timeout_ns;
        bool loss = spec->stop > 0 && r < -spec->stop * e->target;
        bool gain = spec->profit > 0 && r > spec->profit * e->target;
        if (bar[i].gapped || !isfinite(r)) return;
        if (!late && !loss && !gain) continue;
        double seconds = (double)(bar[i].close_ns - from->close_ns) / (double)NS_PER_S;
        e->label.move = log1p(r);
        e->label.value = e->label.move / seconds;
        e->label.known_row = (int64_t)i;
        e->label.known_ns = bar[i].close_ns;
        e->label.klass = loss ? LABEL_DOWN : gain ? LABEL_UP : LABEL_FLAT;
        return;
    }
}

size_t triple_make(const struct triple_spec *spec, const struct label_bar *bar, size_t n,
    struct triple_event *out) {
    double *volatility = mem_alloc((n + 1) * sizeof *volatility);
    size_t *rows = mem_alloc((n + 1) * sizeof *rows), kept = 0;
    triple_volatility(bar, n, spec->span_ns, spec->lookback, volatility);
    size_t events = triple_cusum(bar, n, spec->cusum, rows);
    for (size_t i = 0; i < events; i++) {
        double target = volatility[rows[i]];
        if (!(target > spec->target_least)) continue;
        out[kept] = (struct triple_event){.row = rows[i], .target = target};
        walk(spec, bar, n, &out[kept++]);
    }
    free(volatility);
    free(rows);
    return kept;
}
