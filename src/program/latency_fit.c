#include "program/latency_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "capture/tape/tape.h"

/* ---- the tape ---- */

/* One message that an exchange acts on, stamped by both clocks. */
static bool counts(const struct event *ev, uint16_t inst) {
    bool kind = ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END || ev->kind == EV_TRADE ||
                ev->kind == EV_AGG_TRADE;
    return kind && ev->inst == inst && (ev->flags & EVF_LAST) && !(ev->flags & EVF_SUSPECT) &&
           !(ev->flags & EVF_SNAPSHOT) && ev->ts_venue.ns != TS_NONE_NS;
}

static err_t walk(struct tape_reader *r, uint16_t inst,
    void (*fn)(void *ctx, const struct event *ev), void *ctx, struct err_info *e) {
    const struct event *slots;
    size_t n;
    err_t code;
    while ((code = tape_reader_next(r, &slots, &n, e)) == ERR_OK) {
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
            if (counts(&slots[i], inst)) fn(ctx, &slots[i]);
        }
    }
    return code == ERR_END ? ERR_OK : code;
}

static void see_clock(void *ctx, const struct event *ev) {
    clock_map_see(ctx, ev->ts_venue.ns, ev->ts_local.ns);
}

err_t latency_survey_clock(struct tape_reader *r, uint16_t inst, int64_t window_ns,
    struct clock_map *out, struct err_info *e) {
    clock_map_init(out, window_ns);
    err_t code = walk(r, inst, see_clock, out, e);
    if (code || out->n > 0) return code;
    size_t n;
    return err_set(e, ERR_INPUT,
        "no depth message or print of %s carries both a venue and a local stamp",
        tape_reader_instruments(r, &n)[inst].symbol);
}

struct gather {
    struct latency_survey *s;
    struct latency_rate rate;
    size_t cap;
};

static void thin(struct latency_survey *s) {
    size_t n = 0;
    for (size_t i = 0; i < s->n; i += 2) s->sample[n++] = s->sample[i];
    s->n = n;
    s->stride *= 2;
}

static void see_sample(void *ctx, const struct event *ev) {
    struct gather *g = ctx;
    struct latency_survey *s = g->s;
    latency_rate_see(&g->rate, ev->ts_local.ns);
    if (s->messages++ % s->stride != 0) return;
    int64_t ns = ev->ts_local.ns - ev->ts_venue.ns - clock_map_offset(&s->clock, ev->ts_venue.ns);
    s->clipped += ns < 0;
    if (s->n == LATENCY_SAMPLES_MAX) thin(s);
    s->sample = mem_array(s->sample, s->n, &g->cap, sizeof *s->sample);
    s->sample[s->n++] = (struct latency_sample){
        .ns = ns > 0 ? ns : 0, .rate = latency_rate_at(&g->rate, ev->ts_local.ns)};
}

err_t latency_survey_tape(const char *tape, uint16_t inst, int64_t window_ns,
    struct latency_survey *out, struct err_info *e) {
    struct tape_reader_options opt = {0};
    struct tape_reader *r = NULL;
    struct gather g = {.s = out};
    memset(out, 0, sizeof *out);
    out->stride = 1;
    err_t code = tape_reader_open(&r, tape, &opt, e);
    if (code) return code;
    code = latency_survey_clock(r, inst, window_ns, &out->clock, e);
    tape_reader_close(r);
    if (code) return code;
    code = tape_reader_open(&r, tape, &opt, e);
    if (code) return code;
    code = walk(r, inst, see_sample, &g, e);
    tape_reader_close(r);
    if (code) latency_survey_free(out);
    return code;
}

void latency_survey_free(struct latency_survey *s) {
    free(s->sample);
    s->sample = NULL;
    s->n = 0;
}

/* ---- bands and quantiles ---- */

static int by_rate(const void *a, const void *b) {
    const struct latency_sample *x = a, *y = b;
    if (x->rate != y->rate) return x->rate < y->rate ? -1 : 1;
    return (x->ns > y->ns) - (x->ns < y->ns);
}

static int by_ns(const void *a, const void *b) {
    const struct latency_sample *x = a, *y = b;
    return (x->ns > y->ns) - (x->ns < y->ns);
}

static void quantiles(struct latency_sample *s, size_t n, struct latency_band *out) {
    qsort(s, n, sizeof *s, by_ns);
    out->samples = n;
    for (int i = 0; i < LATENCY_POINTS; i++) {
        double at = latency_p[i] * (double)(n - 1);
        size_t lo = (size_t)at, hi = lo + 1 < n ? lo + 1 : lo;
        out->q_ns[i] = s[lo].ns + (int64_t)((at - (double)lo) * (double)(s[hi].ns - s[lo].ns));
    }
}

uint32_t latency_bands(struct latency_sample *sample, size_t n, uint32_t want,
    struct latency_band out[LATENCY_BANDS_MAX]) {
    CHECK(n > 0 && want > 0 && want <= LATENCY_BANDS_MAX);
    qsort(sample, n, sizeof *sample, by_rate);
    size_t each = (n + want - 1) / want, from = 0;
    if (each < LATENCY_BAND_LEAST) each = LATENCY_BAND_LEAST;
    uint32_t bands = 0;
    while (from < n) {
        size_t to = from + each < n ? from + each : n;
        while (to < n && sample[to].rate == sample[to - 1].rate) to++;
        if (n - to < LATENCY_BAND_LEAST || bands + 1 == want) to = n;
        struct latency_band *b = &out[bands++];
        b->rate_to = sample[to - 1].rate;
        quantiles(sample + from, to - from, b);
        from = to;
    }
    return bands;
}

/* Distribution function of a band: the inverse of latency_quantile. */
static double band_cdf(const struct latency_band *b, int64_t ns) {
    if (ns < b->q_ns[0]) return 0;
    int i = LATENCY_POINTS - 1;
    while (i > 0 && b->q_ns[i] > ns) i--;
    if (i == LATENCY_POINTS - 1) return 1;
    double span = (double)(b->q_ns[i + 1] - b->q_ns[i]);
    double share = span > 0 ? (double)(ns - b->q_ns[i]) / span : 0;
    return latency_p[i] + share * (latency_p[i + 1] - latency_p[i]);
}

struct latency_distance latency_distance(struct latency_sample *sample, size_t n,
    const struct latency_band *band, uint32_t bands, uint32_t which) {
    struct latency_distance d = {0, 0};
    size_t m = 0;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) { /* this band's samples to the front */
        uint32_t k = 0;
        while (k + 1 < bands && sample[i].rate > band[k].rate_to) k++;
        if (k != which) continue;
        struct latency_sample s = sample[i];
        sample[i] = sample[m];
        sample[m++] = s;
        double x = log1p((double)s.ns);
        sum += x;
        squares += x * x;
    }
    if (m == 0) return (struct latency_distance){NAN, NAN};
    double mean = sum / (double)m, var = squares / (double)m - mean * mean;
    double width = sqrt(var > 0 ? 2 * var : 1e-300);
    qsort(sample, m, sizeof *sample, by_ns);
    for (size_t i = 0; i < m;) {
        size_t end = i + 1;
        while (end < m && sample[end].ns == sample[i].ns) end++;
        double below = (double)i / (double)m, upto = (double)end / (double)m;
        double table = band_cdf(&band[which], sample[i].ns);
        double normal = 0.5 * erfc((mean - log1p((double)sample[i].ns)) / width);
        /* a table has jumps where quantiles are equal: compare at and just below the value */
        double before = sample[i].ns > 0 ? band_cdf(&band[which], sample[i].ns - 1) : 0;
        d.table = fmax(d.table, fmax(fabs(table - upto), fabs(before - below)));
        d.lognormal = fmax(d.lognormal, fmax(fabs(normal - upto), fabs(normal - below)));
        i = end;
    }
    return d;
}

void latency_affine(const struct latency_band *from, uint32_t bands, double a, double b_ns,
    struct latency_band *to) {
    for (uint32_t k = 0; k < bands; k++) {
        to[k] = from[k];
        for (int i = 0; i < LATENCY_POINTS; i++) {
            to[k].q_ns[i] = (int64_t)floor(a * (double)from[k].q_ns[i] + b_ns + 0.5);
        }
    }
}
