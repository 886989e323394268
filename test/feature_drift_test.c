/* feature_drift_test.c: after 1e8 events every feature equals the one of a stream that began late.
 *
 * A window that is kept as a running sum collects rounding with every event it sees; one that began
 * a day ago has seen few. Both must agree to 1e-9, counts exactly. The events are a synthetic
 * market of twenty minutes, repeated end to end with times and ids moved on.
 *
 * FATHOM_DRIFT_EVENTS sets the length (default 1e7; `make soak-features` asks for 1e8). The late
 * stream begins 26 hours before the end, or after a quarter of a shorter run; features whose
 * warm-up is longer are counted as not judged.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "derive/feature/stream.h"
#include "feature_laws/synth.h"

enum { SEED = 20240611, CYCLE_S = 1200, LATE_H = 26, ROWS_KEPT = 120 };

struct tail { /* the last rows of a stream */
    double *value;
    int64_t close_ns[ROWS_KEPT];
    uint64_t rows;
    size_t columns;
};

static void keep_row(void *user, const struct stream *s, const struct bucket *b, const float *row) {
    struct tail *t = user;
    (void)row;
    size_t at = t->rows++ % ROWS_KEPT;
    memcpy(t->value + at * t->columns, feature_values(stream_features(s)),
        t->columns * sizeof *t->value);
    t->close_ns[at] = b->close_ts.ns;
}

static struct stream *stream_new(
    const struct synth *s, const struct feature_set *set, struct tail *t) {
    struct stream_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.inst = s->inst;
    spec.bucket = (struct bucket_spec){.mode = BUCKET_TIME, .size = NS_PER_S};
    spec.limits.levels_max = 16384;
    spec.limits.pending_max = 4096;
    void *mem = aligned_alloc(64, (stream_mem_size(&spec, set) + 63) & ~(size_t)63);
    assert_non_null(mem);
    memset(t, 0, sizeof *t);
    t->columns = set->count;
    t->value = calloc(ROWS_KEPT * set->count, sizeof *t->value);
    assert_non_null(t->value);
    return stream_init(mem, &spec, set);
}

static int64_t ids_of(const struct synth *s) {
    int64_t most = 0;
    for (size_t i = 0; i < s->n; i += event_slots(s->slots[i].kind)) {
        const struct event *ev = &s->slots[i];
        bool numbered = ev->kind == EV_DEPTH || ev->kind == EV_TRADE || ev->kind == EV_TICKER;
        if (numbered && ev->id > most) most = ev->id;
    }
    return most + 1;
}

/* Moves the whole cycle on by its length: as if the market went on in the same way. */
static void move_on(struct synth *s, int64_t ids) {
    int64_t step = CYCLE_S * NS_PER_S;
    for (size_t i = 0; i < s->n; i += event_slots(s->slots[i].kind)) {
        struct event *ev = &s->slots[i];
        ev->ts_local.ns += step;
        if (ev->ts_venue.ns != 0) ev->ts_venue.ns += step;
        if (ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END || ev->kind == EV_TRADE ||
            ev->kind == EV_TICKER || ev->kind == EV_AGG_TRADE)
            ev->id += ids;
        if (ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END) {
            ev->depth.first_id += ids;
            if (ev->depth.prev_id != 0) ev->depth.prev_id += ids;
        }
        if (ev->kind == EV_AGG_TRADE) {
            ev->agg.first_id += ids;
            ev->agg.last_id += ids;
        }
        if (ev->kind == EV_MARK) {
            struct event_cont *cont = (struct event_cont *)(void *)(ev + 1);
            if (cont->w[MARK_NEXT_FUNDING_NS] > 0) cont->w[MARK_NEXT_FUNDING_NS] += step;
        }
    }
}

static bool is_count(const struct feature_def *d) {
    return strcmp(d->unit, "trades") == 0 || strcmp(d->unit, "buckets") == 0;
}

static bool equal(double a, double b, bool exact) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    return exact ? a == b : fabs(a - b) <= 1e-9 * fmax(1.0, fabs(a));
}

/* Compares one column over the rows both have; the number of values that were numbers. */
static uint64_t compare_column(
    const struct tail *a, const struct tail *b, size_t j, const struct feature_def *d) {
    uint64_t numbers = 0;
    for (size_t k = 0; k < ROWS_KEPT; k++) {
        size_t ka = (a->rows - 1 - k) % ROWS_KEPT, kb = (b->rows - 1 - k) % ROWS_KEPT;
        assert_int_equal(a->close_ns[ka], b->close_ns[kb]);
        double x = a->value[ka * a->columns + j], y = b->value[kb * b->columns + j];
        numbers += isnan(x) ? 0u : 1u;
        if (equal(x, y, is_count(d))) continue;
        print_message("%s: %.17g after the long run, %.17g afresh\n", d->name, x, y);
        fail();
    }
    return numbers;
}

static void long_runs_do_not_drift(void **state) {
    const char *asked = getenv("FATHOM_DRIFT_EVENTS");
    double want = asked ? strtod(asked, NULL) : 1e7;
    struct synth_options opt = {
        .seed = SEED, .seconds = CYCLE_S - 1, .depth_rate = 20.0, .trade_rate = 6.0};
    struct synth s;
    struct feature_set set;
    struct tail old, late;
    (void)state;
    assert_true(want >= 1e6);
    synth_make(&s, &opt);
    assert_true(feature_set_parse("all", &set, NULL));
    struct stream *a = stream_new(&s, &set, &old), *b = stream_new(&s, &set, &late);
    int64_t ids = ids_of(&s), cycles = (int64_t)(want / (double)s.n) + 1;
    int64_t young = (int64_t)LATE_H * 3600 / CYCLE_S;
    if (young > cycles * 3 / 4) young = cycles * 3 / 4;
    for (int64_t c = 0; c < cycles; c++) {
        stream_events(a, s.slots, s.n, keep_row, &old);
        if (c >= cycles - young) stream_events(b, s.slots, s.n, keep_row, &late);
        move_on(&s, ids);
    }
    size_t judged = 0, unjudged = 0;
    assert_true(late.rows > ROWS_KEPT && old.rows > late.rows);
    for (size_t j = 0; j < set.count; j++) {
        const struct feature_def *d = feature_get(set.index[j], NULL);
        bool warm = d->clock != CLOCK_EVENT && late.rows - ROWS_KEPT > d->warmup;
        if (!warm || compare_column(&old, &late, j, d) == 0)
            unjudged++;
        else
            judged++;
    }
    print_message(
        "%.3g events, %llu rows; late stream %llu rows; %zu features equal, %zu not judged "
        "(warm-up longer than the late stream, or no input here)\n",
        (double)cycles * (double)s.n, (unsigned long long)old.rows, (unsigned long long)late.rows,
        judged, unjudged);
    assert_true(judged >= (young * CYCLE_S >= LATE_H * 3600 ? 400u : 300u));
    free(old.value);
    free(late.value);
    free(a);
    free(b);
    synth_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(long_runs_do_not_drift)};
    print_message("seed %d\n", SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
