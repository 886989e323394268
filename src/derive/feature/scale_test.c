/* scale_test.c: scaled rows against a naive recomputation; windows forget, sets are told apart. */
#include "derive/feature/scale.h"

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
#include "derive/feature/stream.h"

enum { SEED = 20250711, COLUMNS = 6, ROWS = 3000 };

#define T0 (INT64_C(1723161600) * NS_PER_S)

/* --- one table of values, scaled naively ------------------------------------------------------ */

struct table {
    size_t rows, columns;
    double *x; /* raw */
    int *session;
};

static struct table table_new(size_t rows, uint64_t seed) {
    struct table t = {
        rows, COLUMNS, calloc(rows * COLUMNS, sizeof(double)), calloc(rows, sizeof(int))};
    struct rng r;
    assert_true(t.x && t.session);
    rng_init(&r, seed, 1);
    for (size_t i = 0; i < rows; i++) {
        double *x = t.x + i * COLUMNS;
        x[0] = rng_normal(&r);
        x[1] = 50000 + 0.01 * rng_normal(&r);                     /* level far above the spread */
        x[2] = rng_below(&r, 400) == 0 ? 1e30 : rng_normal(&r);   /* outliers come and go */
        x[3] = rng_below(&r, 3) == 0 ? (double)NAN : rng_exp(&r); /* a third missing */
        x[4] = (double)rng_below(&r, 4);                          /* ties */
        x[5] = i < 40 ? (double)NAN : -1e-40 * rng_exp(&r);       /* below normal float32 */
        t.session[i] = (int)(i / 37 % (size_t)FEATURE_SESSIONS);
    }
    return t;
}

static void table_free(struct table *t) {
    free(t->x);
    free(t->session);
}

/* The last `window` rows of the row's session before it, as values; false if not ready. */
static bool naive_window(const struct table *t, const struct feature_scale *s, size_t row,
    size_t column, float *out, size_t *n) {
    size_t rows = 0, first = t->rows;
    *n = 0;
    for (size_t i = 0; i < row; i++) { /* the column's first value of the session */
        bool here = !s->session || t->session[i] == t->session[row];
        if (here && first == t->rows && !isnan((float)t->x[i * t->columns + column])) first = i;
    }
    for (size_t i = row; i-- > first && rows < s->window;) {
        if (s->session && t->session[i] != t->session[row]) continue;
        float x = (float)t->x[i * t->columns + column];
        rows++;
        if (!isnan(x)) out[(*n)++] = x;
    }
    return rows == s->window && 2 * *n >= s->window;
}

static double naive_scaled(const struct table *t, const struct feature_scale *s, size_t row,
    size_t column, float *window) {
    size_t n;
    float x = (float)t->x[row * t->columns + column];
    if (isnan(x) || !naive_window(t, s, row, column, window, &n)) return (double)NAN;
    long double mean = 0, spread = 0, below = 0, equal = 0;
    for (size_t i = 0; i < n; i++) {
        mean += (long double)window[i];
        below += window[i] < x;
        equal += window[i] == x;
    }
    if (s->kind == SCALE_QUANTILE) return (double)((below + equal / 2) / (long double)n);
    mean /= (long double)n;
    for (size_t i = 0; i < n; i++)
        spread += ((long double)window[i] - mean) * ((long double)window[i] - mean);
    if (equal == (long double)n) return 0.0;
    if (spread == 0.0L) return (double)NAN;
    return (double)(((long double)x - mean) / sqrtl(spread / (long double)(n - 1)));
}

static struct scaler *scaler_new(const struct feature_scale *s, size_t columns) {
    void *mem = malloc(scaler_mem_size(s, columns));
    assert_non_null(mem);
    memset(mem, 0xA5, scaler_mem_size(s, columns));
    return scaler_init(mem, s, columns);
}

static bool same(double a, double b) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    return fabs(a - b) <= 1e-9 * fmax(1.0, fabs(b));
}

static void check_table(const struct table *t, const struct feature_scale *s) {
    float *window = malloc(s->window * sizeof *window);
    struct scaler *sc = scaler_new(s, t->columns);
    size_t compared = 0;
    assert_non_null(window);
    for (size_t i = 0; i < t->rows; i++) {
        double row[COLUMNS];
        memcpy(row, t->x + i * t->columns, sizeof row);
        scaler_row(sc, (size_t)t->session[i], row);
        for (size_t j = 0; j < t->columns; j++) {
            double want = naive_scaled(t, s, i, j, window);
            compared += isnan(want) ? 0u : 1u;
            if (!same(row[j], want))
                fail_msg("row %zu column %zu: %.17g, naive %.17g", i, j, row[j], want);
        }
    }
    assert_true(compared > t->rows); /* most rows of most columns */
    free(window);
    free(sc);
}

static void every_row_equals_the_naive_scaling_by_the_rows_before_it(void **state) {
    (void)state;
    struct table t = table_new(ROWS, SEED);
    print_message("seed %d\n", SEED);
    for (int kind = SCALE_Z; kind <= SCALE_QUANTILE; kind++) {
        for (int session = 0; session < 2; session++) {
            struct feature_scale s = {
                .window = session ? 50 : 120, .kind = (uint8_t)kind, .session = session != 0};
            check_table(&t, &s);
        }
    }
    table_free(&t);
}

/* 200,000 rows with outliers later, the value is still that of a scaler that saw the window only.
 */
static void a_long_run_leaves_no_trace_in_the_window(void **state) {
    (void)state;
    struct table t = table_new(200000, SEED + 1);
    for (int kind = SCALE_Z; kind <= SCALE_QUANTILE; kind++) {
        struct feature_scale s = {.window = 300, .kind = (uint8_t)kind};
        struct scaler *whole = scaler_new(&s, COLUMNS), *late = scaler_new(&s, COLUMNS);
        double a[COLUMNS] = {0}, b[COLUMNS];
        for (size_t i = 0; i < t.rows; i++) {
            memcpy(a, t.x + i * COLUMNS, sizeof a);
            scaler_row(whole, 0, a);
            if (i + 3 * s.window < t.rows) continue;
            memcpy(b, t.x + i * COLUMNS, sizeof b);
            scaler_row(late, 0, b);
        }
        for (size_t j = 0; j < COLUMNS; j++) assert_memory_equal(&a[j], &b[j], sizeof a[j]);
        assert_false(isnan(a[0]) || isnan(a[1]) || isnan(a[4]));
        free(whole);
        free(late);
    }
    table_free(&t);
}

static void a_column_without_spread_scales_to_zero_and_to_nothing_else(void **state) {
    (void)state;
    struct feature_scale s = {.window = 20, .kind = SCALE_Z};
    struct scaler *sc = scaler_new(&s, 1);
    double v = 0;
    for (int i = 0; i < 30; i++) {
        v = 0.1;
        scaler_row(sc, 0, &v);
        assert_true(i < 20 ? isnan(v) : v == 0.0);
    }
    v = 0.2;
    scaler_row(sc, 0, &v);
    assert_true(isnan(v));
    free(sc);
}

/* --- scaled sets ----------------------------------------------------------------------------- */

static void words_of_a_scaling_are_read_whole_or_refused(void **state) {
    (void)state;
    struct feature_scale s;
    const char *why = NULL;
    assert_true(feature_scale_parse("z", &s, &why));
    assert_true(s.kind == SCALE_Z && s.window == SCALE_WINDOW && !s.session);
    assert_true(feature_scale_parse("quantile:250:session", &s, &why));
    assert_true(s.kind == SCALE_QUANTILE && s.window == 250 && s.session);
    assert_true(feature_scale_parse("z:session", &s, &why));
    assert_true(s.session && s.window == SCALE_WINDOW);
    assert_true(feature_scale_parse("none", &s, &why) && s.kind == SCALE_NONE);
    static const char *const bad[] = {"", "zz", "z:", "z:9", "z:10001", "z:99999999999",
        "z:50:", "z:50:sessions", "z:session:50", "quantil", "quantile:-5", "none:50"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        why = NULL;
        assert_false(feature_scale_parse(bad[i], &s, &why));
        assert_non_null(why);
    }
}

static void a_scaled_set_has_its_own_signature(void **state) {
    (void)state;
    static const char *const text[] = {"book+ofi", "book+ofi@z:500", "book+ofi@z:501",
        "book+ofi@z:500:session", "book+ofi@quantile:500"};
    enum { N = sizeof text / sizeof text[0] };
    uint64_t seen[N];
    struct feature_set set;
    const char *bad = NULL;
    for (size_t i = 0; i < N; i++) {
        assert_true(feature_set_parse(text[i], &set, &bad));
        seen[i] = feature_set_signature(&set);
        for (size_t k = 0; k < i; k++) assert_true(seen[k] != seen[i]);
    }
    assert_true(feature_set_parse("book+ofi@none", &set, &bad));
    assert_true(feature_set_signature(&set) == seen[0]);
    assert_false(feature_set_parse("book@zz", &set, &bad));
    assert_string_equal(bad, "@zz");
    assert_false(feature_set_parse("book@z+ofi", &set, &bad));
}

static struct stream_spec spec_new(void) {
    struct stream_spec spec;
    memset(&spec, 0, sizeof spec);
    memcpy(spec.inst.symbol, "TESTUSDT", 8);
    spec.inst.px_mant = spec.inst.qty_mant = spec.inst.tick_units = spec.inst.lot_units = 1;
    spec.inst.px_exp = 1;
    spec.inst.qty_exp = 3;
    spec.inst.contract_e8 = 100000000;
    spec.inst.venue = VENUE_BINANCE_USDM;
    spec.bucket = (struct bucket_spec){.mode = BUCKET_TIME, .size = 60 * NS_PER_S};
    spec.limits = (struct book_limits){.levels_max = 256, .pending_max = 256};
    return spec;
}

struct taken {
    size_t rows, columns;
    double *values; /* before the cast */
    float *cast;
    int64_t *close;
};

static void take(void *user, const struct stream *s, const struct bucket *b, const float *row) {
    struct taken *t = user;
    assert_true(t->rows < ROWS);
    memcpy(t->values + t->rows * t->columns, feature_values(stream_features(s)),
        t->columns * sizeof(double));
    memcpy(t->cast + t->rows * t->columns, row, t->columns * sizeof *row);
    t->close[t->rows++] = b->close_ts.ns;
}

static struct taken taken_new(size_t columns) {
    struct taken t = {0, columns, calloc(ROWS * columns, sizeof(double)),
        calloc(ROWS * columns, sizeof(float)), calloc(ROWS, sizeof(int64_t))};
    assert_true(t.values && t.cast && t.close);
    return t;
}

static void taken_free(struct taken *t) {
    free(t->values);
    free(t->cast);
    free(t->close);
}

/* A day and a half of trades, several a minute; saved and loaded again after `cut` of them. */
static struct taken run_set(const char *text, size_t cut) {
    struct feature_set set;
    struct stream_spec spec = spec_new();
    struct rng r;
    rng_init(&r, SEED, 5);
    assert_true(feature_set_parse(text, &set, NULL));
    size_t size = (stream_mem_size(&spec, &set) + 63) & ~(size_t)63;
    void *mem = aligned_alloc(64, size);
    assert_non_null(mem);
    struct stream *s = stream_init(mem, &spec, &set);
    struct taken t = taken_new(set.count);
    int64_t at = T0, px = 10000;
    for (size_t i = 0; at < T0 + 36 * 3600 * NS_PER_S; i++) {
        at += (int64_t)(rng_exp(&r) * 2e10) + 1;
        px += (int64_t)rng_below(&r, 3) - 1;
        struct event ev = {.kind = EV_TRADE,
            .flags = (uint8_t)(EVF_FIRST | EVF_LAST | (rng_below(&r, 2) ? EVF_BUY : EVF_SELL)),
            .ts_local = {at},
            .px = {px},
            .qty = {(int64_t)rng_below(&r, 50) + 1},
            .id = (int64_t)i};
        stream_event(s, &ev, take, &t);
        if (i != cut) continue;
        void *bytes = aligned_alloc(64, size);
        assert_non_null(bytes);
        size_t n = stream_size(s);
        stream_save(s, bytes);
        free(mem);
        mem = bytes;
        s = stream_load(mem, n);
        assert_non_null(s);
    }
    free(mem);
    return t;
}

static void scaled_rows_are_the_plain_rows_scaled_and_survive_a_save(void **state) {
    (void)state;
    static const char *const scale[] = {"@z:60", "@z:60:session", "@quantile:60:session"};
    struct taken plain = run_set("ret+flow", SIZE_MAX);
    struct table t = {plain.rows, plain.columns, calloc(plain.rows * plain.columns, sizeof(double)),
        calloc(plain.rows, sizeof(int))};
    float window[60];
    assert_true(t.x && t.session && plain.rows > 2000);
    for (size_t i = 0; i < plain.rows * plain.columns; i++) t.x[i] = (double)plain.cast[i];
    for (size_t i = 0; i < plain.rows; i++) t.session[i] = feature_session((ts_t){plain.close[i]});
    for (size_t k = 0; k < sizeof scale / sizeof scale[0]; k++) {
        char text[64];
        struct feature_scale s;
        assert_true(feature_scale_parse(scale[k] + 1, &s, NULL));
        snprintf(text, sizeof text, "ret+flow%s", scale[k]);
        struct taken whole = run_set(text, SIZE_MAX), cut = run_set(text, 3001);
        size_t cells = whole.rows * whole.columns, compared = 0;
        assert_int_equal(whole.rows, plain.rows);
        assert_memory_equal(whole.values, cut.values, cells * sizeof *whole.values);
        assert_memory_equal(whole.cast, cut.cast, cells * sizeof *whole.cast);
        for (size_t i = 0; i < whole.rows; i++) {
            for (size_t j = 0; j < whole.columns; j++) {
                double want = naive_scaled(&t, &s, i, j, window);
                double got = whole.values[i * whole.columns + j];
                compared += isnan(got) ? 0u : 1u;
                if (!same(got, want))
                    fail_msg("%s row %zu column %zu: %.17g, naive %.17g", text, i, j, got, want);
            }
        }
        assert_true(compared > cells / 4);
        taken_free(&whole);
        taken_free(&cut);
    }
    table_free(&t);
    taken_free(&plain);
}

static void sessions_are_those_of_the_session_row(void **state) {
    (void)state;
    static const int64_t hour[] = {0, 7, 8, 12, 13, 20, 21, 23};
    static const int want[] = {0, 0, 1, 1, 2, 2, 3, 3};
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(feature_session((ts_t){T0 + hour[i] * 3600 * NS_PER_S}), want[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_equals_the_naive_scaling_by_the_rows_before_it),
        cmocka_unit_test(a_long_run_leaves_no_trace_in_the_window),
        cmocka_unit_test(a_column_without_spread_scales_to_zero_and_to_nothing_else),
        cmocka_unit_test(words_of_a_scaling_are_read_whole_or_refused),
        cmocka_unit_test(a_scaled_set_has_its_own_signature),
        cmocka_unit_test(scaled_rows_are_the_plain_rows_scaled_and_survive_a_save),
        cmocka_unit_test(sessions_are_those_of_the_session_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
