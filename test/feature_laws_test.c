/* feature_laws_test.c: truncation, warm-up, batch and granularity, for every feature of the
 * registry.
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

#include "base/rng.h"
#include "capture/tape/tape.h"
#include "derive/feature/feature_internal.h"
#include "derive/feature/stream.h"
#include "feature_laws/synth.h"
#include "feature_laws/world.h"

enum { SEED = 20240304, CUTS = 12 };

/* --- rows of a run --------------------------------------------------------------------------- */

struct rows {
    const struct feature_registry *registry;
    struct feature_set set;
    double *value; /* before the cast */
    float *cast;
    struct bucket *bucket;
    size_t n, cap;
};

static void rows_init(struct rows *r, const struct feature_registry *registry) {
    memset(r, 0, sizeof *r);
    r->registry = registry;
    assert_true(registry_parse(registry, "all", &r->set, NULL));
}

static void rows_free(struct rows *r) {
    free(r->value);
    free(r->cast);
    free(r->bucket);
    r->value = NULL;
    r->cast = NULL;
    r->bucket = NULL;
    r->n = r->cap = 0;
}

static void on_row(void *user, const struct stream *s, const struct bucket *b, const float *row) {
    struct rows *r = user;
    size_t c = r->set.count;
    if (r->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 256;
        r->value = realloc(r->value, r->cap * c * sizeof *r->value);
        r->cast = realloc(r->cast, r->cap * c * sizeof *r->cast);
        r->bucket = realloc(r->bucket, r->cap * sizeof *r->bucket);
        assert_true(r->value && r->cast && r->bucket);
    }
    memcpy(r->value + r->n * c, feature_values(stream_features(s)), c * sizeof *r->value);
    memcpy(r->cast + r->n * c, row, c * sizeof *r->cast);
    r->bucket[r->n++] = *b;
}

static const struct feature_def *def_of(const struct rows *r, size_t column) {
    return registry_get(r->registry, r->set.index[column], NULL, NULL);
}

/* --- scenarios ------------------------------------------------------------------------------- */

struct scenario {
    const char *name;
    struct synth_options synth;
    struct bucket_spec bucket;
    bool recorded;
};

static const struct scenario scenarios[] = {
    {"one second buckets", {SEED, 1500.0, 10.0, 2.5, false, false, true, false},
        {.mode = BUCKET_TIME, .size = NS_PER_S}, false},
    {"one second buckets with faults", {SEED + 1, 900.0, 8.0, 2.0, true, false, true, false},
        {.mode = BUCKET_TIME, .size = NS_PER_S}, false},
    {"one minute buckets over eleven hours",
        {SEED + 2, 39600.0, 0.3, 0.12, false, false, false, false},
        {.mode = BUCKET_TIME, .size = 60 * NS_PER_S}, false},
    {"volume buckets", {SEED + 3, 700.0, 6.0, 3.0, true, false, true, false},
        {.mode = BUCKET_VOLUME, .size = 9000, .time_limit_ns = 8 * NS_PER_S}, false},
    {"count buckets", {SEED + 4, 500.0, 6.0, 3.0, false, false, true, false},
        {.mode = BUCKET_COUNT, .size = 20}, false},
    {"update buckets", {SEED + 5, 300.0, 9.0, 3.0, true, false, true, false},
        {.mode = BUCKET_UPDATE, .size = 15}, false},
    {"buckets of a peer's clock", {SEED + 8, 500.0, 7.0, 3.0, true, false, true, false},
        {.mode = BUCKET_REFERENCE, .size = 1}, false},
    {"one minute bars", {SEED + 6, 60.0 * 1300, 0, 0, false, true, false, false},
        {.mode = BUCKET_TIME, .size = 60 * NS_PER_S}, false},
    {"ten minute buckets of nine days of bars",
        {SEED + 7, 60.0 * 13200, 0, 0, false, true, false, false},
        {.mode = BUCKET_TIME, .size = 600 * NS_PER_S}, false},
    {"five minute buckets over two days and a half",
        {SEED + 7, 216000.0, 0.2, 0.06, false, false, false, false},
        {.mode = BUCKET_TIME, .size = 300 * NS_PER_S}, false},
    {"the shipped recording", {0}, {.mode = BUCKET_TIME, .size = NS_PER_S}, true},
};
enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

static void *block_new(size_t n) {
    void *p = aligned_alloc(64, (n + 63) & ~(size_t)63);
    assert_non_null(p);
    memset(p, 0xA5, n); /* init must not lean on zeroed memory */
    return p;
}

static struct stream_spec spec_of(const struct synth *s, const struct bucket_spec *bucket) {
    struct stream_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.inst = s->inst;
    for (size_t i = 0; i < s->peers; i++) {
        spec.other[i].inst = s->peer[i];
        spec.other[i].roles = OTHER_PEER;
    }
    spec.others = s->peers;
    if (bucket->mode == BUCKET_REFERENCE) { /* the first peer gives clock and reference price */
        spec.other[0].roles = OTHER_PEER | OTHER_REFERENCE | OTHER_CLOCK;
        spec.clock = (struct bucket_spec){
            .mode = BUCKET_VOLUME, .size = 9000, .time_limit_ns = 8 * NS_PER_S};
    }
    spec.bucket = *bucket;
    spec.limits.levels_max = 16384;
    spec.limits.pending_max = 4096;
    spec.hash_events = true;
    return spec;
}

static struct stream *stream_new(
    const struct rows *r, const struct synth *s, const struct bucket_spec *bucket) {
    struct stream_spec spec = spec_of(s, bucket);
    void *mem = block_new(registry_stream_mem_size(r->registry, &spec, &r->set));
    struct stream *st = registry_stream_init(r->registry, mem, &spec, &r->set);
    stream_join_table(st, s->row, SYNTH_ROWS);
    return st;
}

/* A run of whole events that ends at the first event boundary at or after `want`. */
static size_t run_end(const struct synth *s, size_t from, size_t want) {
    size_t at = from;
    while (at < s->n && at < want) at += event_slots(s->slots[at].kind);
    return at;
}

static void feed(struct stream *st, const struct synth *s, size_t from, size_t to, struct rows *r) {
    stream_events(st, s->slots + from, to - from, on_row, r);
}

/* The shipped recording. */
static void recording_make(struct synth *s) {
    struct tape_reader *r = NULL;
    struct tape_reader_options opt = {0};
    struct err_info e;
    const struct event *slots;
    size_t n, table;
    memset(s, 0, sizeof *s);
    err_t code = tape_reader_open(&r, FATHOM_ROOT "/examples/data/btcusdt-20240808.tape", &opt, &e);
    if (code) fail_msg("%s", e.text);
    s->inst = *tape_reader_instruments(r, &table);
    while (tape_reader_next(r, &slots, &n, &e) == ERR_OK) {
        s->slots = realloc(s->slots, (s->n + n) * sizeof *slots);
        assert_non_null(s->slots);
        memcpy(s->slots + s->n, slots, n * sizeof *slots);
        s->n += n;
    }
    tape_reader_close(r);
    assert_true(s->n > 500000);
}

static void scenario_make(const struct scenario *sc, struct synth *s) {
    if (sc->recorded)
        recording_make(s);
    else
        synth_make(s, &sc->synth);
    if (sc->synth.peers) synth_add_peers(s, &sc->synth);
}

/* --- truncation ------------------------------------------------------------------------------ */

/* The first column in which two row tables differ by a bit before row n; -1 if none. */
static long differing(
    const struct rows *a, size_t a_from, const struct rows *b, size_t b_from, size_t n) {
    size_t c = a->set.count;
    for (size_t i = 0; i < n; i++) {
        const double *x = a->value + (a_from + i) * c, *y = b->value + (b_from + i) * c;
        if (memcmp(x, y, c * sizeof *x) == 0) continue;
        for (size_t j = 0; j < c; j++)
            if (memcmp(&x[j], &y[j], sizeof *x) != 0) return (long)j;
    }
    return -1;
}

struct saved {
    unsigned char *bytes;
    size_t n;
};

static struct saved save_of(const struct stream *st) {
    struct saved v = {malloc(stream_size(st)), stream_size(st)};
    assert_non_null(v.bytes);
    stream_save(st, v.bytes);
    return v;
}

/* A test's family may look at the stream that will come: the hook that the planted feature uses. */
static const struct event *future_slots;
static size_t future_n;

/* Prefix against whole at one cut, then on from the saved state. Column that differs, or -1. */
static long truncation_at(const struct synth *s, const struct bucket_spec *bucket,
    const struct rows *whole, const struct saved *end, size_t cut) {
    struct rows part, rest;
    rows_init(&part, whole->registry);
    rows_init(&rest, whole->registry);
    future_slots = s->slots;
    future_n = cut;
    struct stream *st = stream_new(&part, s, bucket);
    feed(st, s, 0, cut, &part);
    long bad = part.n <= whole->n ? differing(whole, 0, &part, 0, part.n) : 0;
    struct saved save = save_of(st);
    free(st);
    void *mem = block_new(save.n);
    memcpy(mem, save.bytes, save.n);
    st = registry_stream_load(whole->registry, mem, save.n);
    assert_non_null(st);
    future_n = s->n;
    feed(st, s, cut, s->n, &rest);
    if (bad < 0) {
        assert_int_equal(part.n + rest.n, whole->n);
        bad = differing(whole, part.n, &rest, 0, rest.n);
    }
    struct saved last = save_of(st);
    if (bad < 0) {
        assert_int_equal(last.n, end->n);
        assert_memory_equal(last.bytes, end->bytes, end->n);
    }
    free(last.bytes);
    free(save.bytes);
    free(mem);
    rows_free(&part);
    rows_free(&rest);
    return bad;
}

/* Name of the feature that breaks the law, NULL if none does. */
static const char *truncation_law(const struct feature_registry *registry, const struct synth *s,
    const struct bucket_spec *bucket) {
    struct rows whole;
    struct rng rng;
    rows_init(&whole, registry);
    rng_init(&rng, SEED, 7);
    future_slots = s->slots;
    future_n = s->n;
    struct stream *st = stream_new(&whole, s, bucket);
    feed(st, s, 0, s->n, &whole);
    struct saved end = save_of(st);
    free(st);
    long bad = -1;
    for (int i = 0; i < CUTS && bad < 0; i++) {
        size_t cut = run_end(s, 0, (size_t)rng_below(&rng, s->n));
        bad = truncation_at(s, bucket, &whole, &end, cut);
    }
    const char *name = bad < 0 ? NULL : def_of(&whole, (size_t)bad)->name;
    assert_true(whole.n > 100);
    free(end.bytes);
    rows_free(&whole);
    return name;
}

static void no_value_changes_when_the_future_is_cut_off(void **state) {
    (void)state;
    for (size_t i = 0; i < SCENARIOS; i++) {
        struct synth s;
        scenario_make(&scenarios[i], &s);
        const char *bad = truncation_law(NULL, &s, &scenarios[i].bucket);
        if (bad) print_message("%s: %s\n", scenarios[i].name, bad);
        assert_null(bad);
        synth_free(&s);
    }
}

/* Reads the last trade price of the second after the close, from the hook: a look-ahead. */
static size_t leak_size(void) { return sizeof(double); }
static void leak_bucket(void *state, const struct feature_ctx *ctx, const struct feature_view *view,
    const struct bucket *b, double *out) {
    (void)state;
    (void)ctx;
    (void)view;
    double sum = 0.0;
    for (size_t i = 0; i < future_n; i += event_slots(future_slots[i].kind)) {
        const struct event *ev = &future_slots[i];
        int64_t after = ev->ts_local.ns - b->close_ts.ns;
        if (ev->kind == EV_TRADE && after >= 0 && after < NS_PER_S) sum += (double)ev->qty.lots;
    }
    out[0] = sum;
}
static const struct feature_def leak_defs[1] = {FEATURE_ROW("leak_next_volume_s1", "base", "s1", 0,
    NEED_TRADE, false, "none", "planted", "volume of the second after the close", "never")};
static const struct feature_family leak_family = {.name = "leak",
    .defs = leak_defs,
    .count = 1,
    .state_size = leak_size,
    .on_bucket = leak_bucket};

static void a_planted_look_ahead_is_caught_by_name(void **state) {
    const struct feature_family *families[FEATURE_FAMILIES_MAX];
    struct feature_registry registry = {families, feature_family_count() + 1};
    struct synth s;
    (void)state;
    for (size_t i = 0; i < feature_family_count(); i++) families[i] = feature_family(i);
    families[feature_family_count()] = &leak_family;
    struct synth_options o = scenarios[0].synth;
    o.seconds = 150.0;
    synth_make(&s, &o);
    const char *bad = truncation_law(&registry, &s, &scenarios[0].bucket);
    assert_non_null(bad);
    assert_string_equal(bad, "leak_next_volume_s1");
    assert_null(truncation_law(NULL, &s, &scenarios[0].bucket));
    synth_free(&s);
}

/* --- granularity ----------------------------------------------------------------------------- */

/* Feeds in random pieces that also end between the levels of a message. */
static void feed_pieces(struct stream *st, const struct synth *s, struct rng *rng, struct rows *r) {
    for (size_t at = 0; at < s->n;) {
        size_t end = run_end(s, at, at + 1 + (size_t)rng_below(rng, 40));
        if (rng_below(rng, 2)) {
            feed(st, s, at, end, r);
        } else {
            for (; at < end; at += event_slots(s->slots[at].kind))
                stream_route(st, &s->slots[at], on_row, r);
        }
        at = end;
    }
}

static void no_value_depends_on_how_the_events_are_cut_into_calls(void **state) {
    struct rng rng;
    (void)state;
    rng_init(&rng, SEED, 8);
    for (size_t i = 0; i < SCENARIOS; i++) {
        struct synth s;
        struct rows a, b;
        scenario_make(&scenarios[i], &s);
        rows_init(&a, NULL);
        rows_init(&b, NULL);
        struct stream *x = stream_new(&a, &s, &scenarios[i].bucket);
        struct stream *y = stream_new(&b, &s, &scenarios[i].bucket);
        feed(x, &s, 0, s.n, &a);
        feed_pieces(y, &s, &rng, &b);
        assert_int_equal(a.n, b.n);
        assert_memory_equal(a.value, b.value, a.n * a.set.count * sizeof *a.value);
        assert_memory_equal(a.cast, b.cast, a.n * a.set.count * sizeof *a.cast);
        struct stream_hashes hx = stream_hashes(x), hy = stream_hashes(y);
        assert_memory_equal(&hx, &hy, sizeof hx);
        assert_true(hx.events && hx.books && hx.buckets && hx.features);
        struct saved p = save_of(x), q = save_of(y);
        assert_memory_equal(p.bytes, q.bytes, p.n);
        free(p.bytes);
        free(q.bytes);
        free(x);
        free(y);
        rows_free(&a);
        rows_free(&b);
        synth_free(&s);
    }
}

/* --- warm-up --------------------------------------------------------------------------------- */

static bool is_count(const struct feature_def *d) {
    return strcmp(d->unit, "trades") == 0 || strcmp(d->unit, "buckets") == 0;
}

static bool close_enough(double a, double b, bool exact) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    if (exact) return a == b;
    return fabs(a - b) <= 1e-9 * fmax(1.0, fabs(a));
}

/* The book as a snapshot message: what a stream that starts here is given. */
static void feed_snapshot(
    struct stream *to, const struct book *from, uint16_t inst, const struct event *next) {
    struct event ev = {.kind = EV_DEPTH, .inst = inst, .ts_local = next->ts_local};
    struct book_level level;
    size_t left = book_count(from, BOOK_BID) + book_count(from, BOOK_ASK), done = 0;
    ev.id = book_update_id(from);
    for (int side = 0; side < 2; side++) {
        for (bool more = book_best(from, side, &level); more;
             more = book_next(from, side, level.px, &level)) {
            ev.flags = (uint8_t)((side == BOOK_BID ? EVF_BUY : EVF_SELL) | EVF_SNAPSHOT |
                                 (done == 0 ? EVF_FIRST : 0) | (done + 1 == left ? EVF_LAST : 0));
            ev.px = level.px;
            ev.qty = level.qty;
            stream_route(to, &ev, NULL, NULL);
            done++;
        }
    }
}

/* One instrument alone: rows that need a second one must be missing (feature_v72_test gives one).
 */
static bool without_reference(size_t index, uint64_t numbers) {
    if (!(feature_get(index, NULL)->needs & NEED_REFERENCE)) return false;
    assert_int_equal(numbers, 0);
    return true;
}

/* Rows of a stream begun at `start` against those of the whole; counts compared values a column. */
static void compare_warm(const struct rows *whole, const struct rows *late, int64_t bucket_ns,
    uint64_t *compared, const char *where) {
    size_t c = whole->set.count, k = 0;
    for (size_t i = 0; i < late->n; i++) {
        while (k < whole->n && whole->bucket[k].close_ts.ns < late->bucket[i].close_ts.ns) k++;
        assert_true(k < whole->n);
        assert_int_equal(whole->bucket[k].close_ts.ns, late->bucket[i].close_ts.ns);
        for (size_t j = 0; j < c; j++) {
            const struct feature_def *d = def_of(whole, j);
            double a = whole->value[k * c + j], b = late->value[i * c + j];
            int64_t waited = (int64_t)i * (d->clock == CLOCK_TIME ? bucket_ns / NS_PER_S : 1);
            bool warm = d->clock != CLOCK_EVENT && waited > (int64_t)d->warmup;
            if (isnan(b) && !warm) continue; /* not warm: missing, never wrong */
            compared[j] += isnan(b) ? 0u : 1u;
            if (close_enough(a, b, is_count(d))) continue;
            print_message("%s: %s row %zu: %.17g, from the start %.17g\n", where, d->name, i, b, a);
            fail();
        }
    }
}

static void warm_from(const struct scenario *sc, const struct synth *s, size_t start,
    const struct rows *whole, uint64_t *compared) {
    struct rows head, late;
    rows_init(&head, NULL);
    rows_init(&late, NULL);
    struct stream *first = stream_new(&head, s, &sc->bucket);
    feed(first, s, 0, start, &head);
    struct stream *second = stream_new(&late, s, &sc->bucket);
    if (!sc->synth.bars) {
        assert_int_equal(book_state(stream_book(first)), BOOK_SYNCED);
        const struct event *next = &s->slots[start];
        feed_snapshot(second, stream_book(first), s->inst.id, next);
        for (size_t i = 0; i < s->peers; i++)
            feed_snapshot(second, stream_other_book(first, i), s->peer[i].id, next);
    }
    feed(second, s, start, s->n, &late);
    compare_warm(whole, &late, sc->bucket.size, compared, sc->name);
    free(first);
    free(second);
    rows_free(&head);
    rows_free(&late);
}

/* The first event at or after `want` that begins a message. */
static size_t message_start(const struct synth *s, size_t want) {
    size_t at = run_end(s, 0, want);
    while (at < s->n && !(s->slots[at].flags & EVF_FIRST)) at += event_slots(s->slots[at].kind);
    return at;
}

static void no_warm_value_depends_on_where_the_stream_began(void **state) {
    static const double starts[] = {0.02, 0.1, 0.23, 0.41};
    uint64_t compared[FEATURE_MAX] = {0};
    (void)state;
    for (size_t i = 0; i < SCENARIOS; i++) {
        if (scenarios[i].bucket.mode != BUCKET_TIME) continue; /* others begin new buckets */
        struct synth s;
        struct rows whole;
        scenario_make(&scenarios[i], &s);
        rows_init(&whole, NULL);
        struct stream *st = stream_new(&whole, &s, &scenarios[i].bucket);
        feed(st, &s, 0, s.n, &whole);
        free(st);
        for (size_t k = 0; k < sizeof starts / sizeof starts[0]; k++) {
            size_t start = message_start(&s, (size_t)(starts[k] * (double)s.n));
            warm_from(&scenarios[i], &s, start, &whole, compared);
        }
        rows_free(&whole);
        synth_free(&s);
    }
    for (size_t j = 0; j < feature_count(); j++) {
        if (without_reference(j, compared[j])) continue;
        if (compared[j] < 20) print_message("%s: never warm\n", feature_get(j, NULL)->name);
        assert_true(compared[j] >= 20);
    }
}

/* --- batch ----------------------------------------------------------------------------------- */

/* Compares one bucket; counts compared numbers a column. */
static size_t compare_batch(const struct world *w, const struct rows *r, size_t k, bool bars,
    uint64_t *compared, const char *where) {
    size_t bad = 0;
    for (size_t j = 0; j < r->set.count; j++) {
        const struct feature_def *d = def_of(r, j);
        double naive = NAN, value = r->value[k * r->set.count + j];
        if (bars && !d->bars_ok) continue;
        if (!naive_value(w, d->name, k, &naive)) {
            print_message("%s has no naive form\n", d->name);
            fail();
        }
        if (d->clock == CLOCK_BUCKET && k < d->warmup) naive = NAN;
        if (isinf(naive)) naive = NAN;
        compared[j] += isnan(value) ? 0u : 1u;
        if (close_enough(naive, value, is_count(d))) continue;
        print_message("%s: %s bucket %zu: %.17g, naive %.17g\n", where, d->name, k, value, naive);
        bad++;
    }
    return bad;
}

static void every_value_equals_its_naive_recomputation(void **state) {
    uint64_t compared[FEATURE_MAX] = {0};
    (void)state;
    for (size_t i = 0; i < SCENARIOS; i++) {
        struct synth s;
        struct world w;
        struct rows r;
        if (scenarios[i].bucket.mode == BUCKET_REFERENCE) continue; /* stream_test has its cuts */
        scenario_make(&scenarios[i], &s);
        world_make(&w, &s, &scenarios[i].bucket);
        rows_init(&r, NULL);
        struct stream *st = stream_new(&r, &s, &scenarios[i].bucket);
        feed(st, &s, 0, s.n, &r);
        assert_int_equal(r.n, w.buckets);
        size_t bad = 0;
        for (size_t k = 0; k < r.n && bad < 10; k++) {
            assert_memory_equal(&r.bucket[k], &w.bucket[k].b, sizeof r.bucket[k]);
            bad += compare_batch(&w, &r, k, scenarios[i].synth.bars, compared, scenarios[i].name);
        }
        assert_int_equal(bad, 0);
        free(st);
        rows_free(&r);
        world_free(&w);
        synth_free(&s);
    }
    for (size_t j = 0; j < feature_count(); j++) {
        if (without_reference(j, compared[j])) continue;
        if (compared[j] < 20) print_message("%s: no number\n", feature_get(j, NULL)->name);
        assert_true(compared[j] >= 20);
    }
}

/* --- values ---------------------------------------------------------------------------------- */

static void values_are_finite_or_counted_as_missing_and_cast_once(void **state) {
    (void)state;
    for (size_t i = 0; i < SCENARIOS; i++) {
        struct synth s;
        struct rows r;
        scenario_make(&scenarios[i], &s);
        rows_init(&r, NULL);
        struct stream *st = stream_new(&r, &s, &scenarios[i].bucket);
        feed(st, &s, 0, s.n, &r);
        const struct feature_engine *fe = stream_features(st);
        assert_int_equal(feature_rows(fe), r.n);
        for (size_t j = 0; j < r.set.count; j++) {
            uint64_t missing = 0;
            for (size_t k = 0; k < r.n; k++) {
                double v = r.value[k * r.set.count + j];
                float f = r.cast[k * r.set.count + j];
                assert_false(isinf(v) || isinf(f));
                assert_int_equal(isnan(v) != 0, isnan(f) != 0);
                if (!isnan(v)) assert_true(f == (float)v);
                missing += isnan(v) != 0;
            }
            assert_int_equal(feature_missing(fe)[j], missing);
        }
        free(st);
        rows_free(&r);
        synth_free(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_value_changes_when_the_future_is_cut_off),
        cmocka_unit_test(a_planted_look_ahead_is_caught_by_name),
        cmocka_unit_test(no_value_depends_on_how_the_events_are_cut_into_calls),
        cmocka_unit_test(no_warm_value_depends_on_where_the_stream_began),
        cmocka_unit_test(every_value_equals_its_naive_recomputation),
        cmocka_unit_test(values_are_finite_or_counted_as_missing_and_cast_once),
    };
    print_message("seed %d\n", SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
