#include "program/feature_cost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/mem.h"
#include "capture/tape/tape.h"
#include "derive/vclock/vclock.h"

enum {
    EVENTS_LEAST = 10, /* an event costs less than reading the clock: closes must be few */
    SLOTS_MAX = 300000,
    SLICE_SLOTS = 8192,
    PASSES = 3,
    SLICES_MAX = SLOTS_MAX / SLICE_SLOTS + 2
};

struct input {
    struct event *slot;
    size_t n, cap;
    const struct instrument *inst;
    struct bucket_spec bucket;
};

static double cpu_ns(void) {
    struct timespec t;
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static err_t load(struct input *in, const char *tape, struct err_info *e) {
    struct tape_reader_options opt = {.torn_ok = true};
    struct tape_reader *r;
    const struct event *slots;
    size_t n;
    err_t code = tape_reader_open(&r, tape, &opt, e);
    if (code) return code;
    in->slot = mem_alloc(SLOTS_MAX * sizeof *in->slot);
    while (!code && in->n < SLOTS_MAX) {
        code = tape_reader_next(r, &slots, &n, e);
        for (size_t i = 0, k; !code && i < n; i += k) {
            k = event_slots(slots[i].kind);
            if (slots[i].inst != in->inst->id || in->n + k > SLOTS_MAX) continue;
            memcpy(in->slot + in->n, slots + i, k * sizeof *slots);
            in->n += k;
        }
    }
    tape_reader_close(r);
    return code == ERR_END ? ERR_OK : code;
}

struct machine {
    struct feature_engine *engine; /* NULL: book and clock only */
    struct book *book;
    struct vclock clock;
    double *row_close; /* least time of each close over the passes */
    size_t closes, cap, events;
    double slice[SLICES_MAX]; /* least time of each slice, closes taken out */
};

static double close_bucket(struct machine *m, const struct bucket *b, int pass) {
    if (!m->engine) return 0;
    double t = cpu_ns();
    feature_on_bucket(m->engine, b, NULL);
    t = cpu_ns() - t;
    m->row_close = mem_array(m->row_close, m->closes, &m->cap, sizeof *m->row_close);
    double *least = &m->row_close[m->closes++];
    *least = pass == 0 ? t : fmin(*least, t);
    return t;
}

static void replay(struct machine *m, const struct input *in, int pass) {
    struct book_change change;
    struct bucket b;
    m->closes = m->events = 0;
    for (size_t i = 0, s = 0; i < in->n; s++) {
        double closes = 0, t = cpu_ns();
        size_t end = i + SLICE_SLOTS < in->n ? i + SLICE_SLOTS : in->n;
        for (; i < end; i += event_slots(in->slot[i].kind)) {
            const struct event *ev = &in->slot[i];
            while ((ev->flags & EVF_FIRST) && vclock_before(&m->clock, ev, &b))
                closes += close_bucket(m, &b, pass);
            book_apply(m->book, ev, &change);
            if (m->engine) feature_on_event(m->engine, ev, &change);
            if (vclock_after(&m->clock, ev, &b)) closes += close_bucket(m, &b, pass);
            m->events++;
        }
        t = cpu_ns() - t - closes;
        m->slice[s] = pass == 0 ? t : fmin(m->slice[s], t);
    }
}

static void *block64(size_t n) {
    void *p = aligned_alloc(64, (n + 63) & ~(size_t)63);
    CHECK(p != NULL);
    return p;
}

/* Least times of one family (set NULL: of none). */
static void measure(struct machine *m, const struct input *in, const struct feature_set *set) {
    void *book = block64(book_mem_size(NULL));
    void *engine = set ? block64(feature_engine_mem_size(set)) : NULL;
    struct feature_ctx ctx;
    for (int pass = 0; pass < PASSES; pass++) {
        memset(&ctx, 0, sizeof ctx);
        m->book = book_init(book, NULL, in->inst->venue);
        vclock_init(&m->clock, &in->bucket, in->inst->id);
        vclock_units(&m->clock, in->inst);
        ctx.inst = in->inst;
        ctx.book = m->book;
        ctx.px_unit = instrument_px_unit(in->inst);
        ctx.qty_unit = instrument_qty_unit(in->inst);
        ctx.spec = in->bucket;
        m->engine = set ? feature_engine_init(engine, set, &ctx) : NULL;
        replay(m, in, pass);
    }
    free(book);
    free(engine);
}

static double sum(const double *v, size_t n) {
    double s = 0;
    for (size_t i = 0; i < n; i++) s += v[i];
    return s;
}

/* What reading the clock twice costs: the least of many. */
static double clock_ns(void) {
    double least = INFINITY;
    for (int i = 0; i < 200; i++) {
        double t = cpu_ns();
        least = fmin(least, cpu_ns() - t);
    }
    return least;
}

static void measure_families(
    const struct input *in, const struct feature_set *set, struct feature_costs *out) {
    size_t slices = in->n / SLICE_SLOTS + 1;
    struct machine *bare = mem_alloc(sizeof *bare), *m = mem_alloc(sizeof *m);
    struct feature_set *family = mem_alloc(sizeof *family);
    double clock = clock_ns();
    measure(bare, in, NULL);
    out->events = bare->events;
    for (size_t f = 0; f < feature_family_count(); f++) {
        const char *name = feature_family(f)->name;
        bool wanted = false, again = false;
        for (size_t i = 0; i < set->count; i++) {
            const struct feature_family *of = NULL;
            (void)feature_get(set->index[i], &of);
            wanted |= of == feature_family(f);
        }
        for (size_t i = 0; i < out->n; i++) again |= strcmp(out->cost[i].family, name) == 0;
        if (!wanted || again) continue;
        CHECK(feature_set_parse(name, family, NULL));
        measure(m, in, family);
        /* each close reads the clock twice: one reading lies inside its time, one outside */
        double extra = sum(m->slice, slices) - sum(bare->slice, slices) - clock * (double)m->closes;
        bool events = m->events >= EVENTS_LEAST * m->closes;
        double close = sum(m->row_close, m->closes) - clock * (double)m->closes;
        out->closes = m->closes;
        out->cost[out->n++] = (struct feature_cost){.family = name,
            .ns_per_event = events ? fmax(0, extra) / (double)m->events : NAN,
            .us_per_close = m->closes ? fmax(0, close) / (double)m->closes / 1e3 : NAN};
    }
    free(m->row_close);
    free(m);
    free(bare);
    free(family);
}

err_t feature_costs_measure(const char *tape, const struct instrument *inst,
    const struct bucket_spec *bucket, const struct feature_set *set, struct feature_costs *out,
    struct err_info *e) {
    struct input in = {.inst = inst, .bucket = *bucket};
    memset(out, 0, sizeof *out);
    err_t code = load(&in, tape, e);
    if (!code) measure_families(&in, set, out);
    free(in.slot);
    return code;
}

void feature_costs_note(const struct feature_costs *c, char *out, size_t size) {
    snprintf(out, size,
        "Cost of each family alone on this machine, in thread-CPU time, least of %d passes over "
        "the first %zu events and %zu closes; book and volume clock not counted. Families share "
        "work, so that costs do not add up to that of a set.",
        PASSES, c->events, c->closes);
}
