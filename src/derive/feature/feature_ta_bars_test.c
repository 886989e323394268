/* feature_ta_bars_test.c: bars at their edges, and indicators whose answer can be told by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "derive/feature/feature_ta_internal.h"

#define T0 (INT64_C(1723161600) * NS_PER_S) /* a whole hour */
#define MINUTE (60 * NS_PER_S)

extern const struct feature_family feature_family_ta_bars;

struct bench {
    void *state;
    double *out;
};

static struct bench bench_new(void) {
    const struct feature_family *f = &feature_family_ta_bars;
    struct bench b = {calloc(1, f->state_size()), calloc(f->count, sizeof(double))};
    assert_true(b.state && b.out);
    f->init(b.state, NULL);
    return b;
}

static void bench_free(struct bench *b) {
    free(b->state);
    free(b->out);
}

static void trade(struct bench *b, int64_t ns, int64_t px, int64_t lots) {
    struct event ev = {.kind = EV_TRADE,
        .flags = EVF_FIRST | EVF_LAST | EVF_BUY,
        .ts_local = {T0 + ns},
        .px = {px},
        .qty = {lots}};
    feature_family_ta_bars.on_event(b->state, NULL, &ev, NULL);
}

static void kline_of(struct bench *b, int64_t open, int64_t length, int64_t px, uint8_t flags) {
    struct event slots[2] = {{.kind = EV_KLINE,
        .flags = (uint8_t)(EVF_FIRST | EVF_LAST | flags),
        .ts_local = {T0 + open + length},
        .px = {px},
        .qty = {5},
        .id = T0 + open}};
    int64_t *w = ((struct event_cont *)(void *)&slots[1])->w;
    w[KLINE_OPEN_PX] = px - 1;
    w[KLINE_HIGH_PX] = px + 1;
    w[KLINE_LOW_PX] = px - 3;
    w[KLINE_CLOSE_NS] = T0 + open + length - NS_PER_MS;
    feature_family_ta_bars.on_event(b->state, NULL, slots, NULL);
}

/* A bucket that closes then; the value of one row. */
static double value_at(struct bench *b, int64_t ns, const char *name) {
    struct bucket bucket = {.close_ts = {T0 + ns}, .trigger = CUT_TIME};
    feature_family_ta_bars.on_bucket(b->state, NULL, NULL, &bucket, b->out);
    for (size_t i = 0; i < feature_family_ta_bars.count; i++)
        if (strcmp(feature_family_ta_bars.defs[i].name, name) == 0) return b->out[i];
    fail_msg("no row %s", name);
    return 0.0;
}

static void a_bar_is_known_when_it_is_over_and_not_before(void **state) {
    struct bench b = bench_new();
    (void)state;
    trade(&b, -NS_PER_S, 100, 1);
    trade(&b, 0, 100, 1); /* a trade on the boundary belongs to the bar that begins */
    trade(&b, 20 * NS_PER_S, 110, 1);
    trade(&b, 40 * NS_PER_S, 104, 1);
    assert_true(isnan(value_at(&b, MINUTE - 1, "ta_candle_body_m1_n1")));
    assert_true(value_at(&b, MINUTE, "ta_candle_body_m1_n1") == 0.4);
    assert_true(value_at(&b, MINUTE, "ta_candle_upper_m1_n1") == 0.6);
    trade(&b, MINUTE, 90, 1);
    assert_true(value_at(&b, MINUTE + 1, "ta_candle_body_m1_n1") == 0.4);
    bench_free(&b);
}

static void the_bar_in_which_the_input_began_is_not_used(void **state) {
    struct bench b = bench_new();
    (void)state;
    trade(&b, 5 * NS_PER_S, 100, 1);
    trade(&b, 50 * NS_PER_S, 120, 1);
    assert_true(isnan(value_at(&b, MINUTE, "ta_candle_body_m1_n1")));
    trade(&b, MINUTE + NS_PER_S, 120, 1);
    trade(&b, MINUTE + 2 * NS_PER_S, 121, 1);
    assert_true(value_at(&b, 2 * MINUTE, "ta_candle_body_m1_n1") == 1.0);
    bench_free(&b);
}

static void silence_repeats_the_last_price_without_volume(void **state) {
    struct bench b = bench_new();
    (void)state;
    for (int i = -1; i < 10; i++) trade(&b, i * MINUTE, 100 + i, 2);
    assert_true(value_at(&b, 20 * MINUTE, "ta_volume_ratio_m1_n20") == 0.0);
    assert_true(isnan(value_at(&b, 20 * MINUTE, "ta_candle_streak_m1_n20"))); /* needs 21 */
    assert_true(value_at(&b, 21 * MINUTE, "ta_candle_streak_m1_n20") == 0.0);
    assert_true(isnan(value_at(&b, 20 * MINUTE, "ta_candle_body_m1_n1")));
    /* minutes 2 to 9 have 2 lots each; one more trade in minute 21 makes 2 / ((8 x 2 + 2) / 20) */
    trade(&b, 21 * MINUTE, 100, 2);
    assert_true(fabs(value_at(&b, 22 * MINUTE, "ta_volume_ratio_m1_n20") - 40.0 / 18.0) < 1e-12);
    bench_free(&b);
}

/* Bars of one price, three of them with a high at 1050; the third touch is bar 118. */
static void a_turn_makes_a_level_when_the_second_bar_after_it_has_closed(void **state) {
    struct bench b = bench_new();
    (void)state;
    for (int i = -1; i < 121; i++) {
        trade(&b, i * MINUTE, 1000, 1);
        if (i != 30 && i != 60 && i != 118) continue;
        trade(&b, i * MINUTE + NS_PER_S, 1050, 1);
        trade(&b, i * MINUTE + 2 * NS_PER_S, 1000, 1);
    }
    assert_true(value_at(&b, 120 * MINUTE, "ta_levels_m1_n120") == 0.0); /* two turns: noise */
    assert_true(isnan(value_at(&b, 120 * MINUTE, "ta_resistance_dist_m1_n120")));
    assert_true(value_at(&b, 121 * MINUTE, "ta_levels_m1_n120") == 1.0);
    assert_true(fabs(value_at(&b, 121 * MINUTE, "ta_resistance_dist_m1_n120") - 500.0) < 1e-9);
    assert_true(value_at(&b, 121 * MINUTE, "ta_resistance_touches_m1_n120") == 3.0);
    assert_true(value_at(&b, 121 * MINUTE, "ta_resistance_age_m1_n120") == 2.0);
    assert_true(isnan(value_at(&b, 121 * MINUTE, "ta_support_dist_m1_n120")));
    bench_free(&b);
}

/* Closing a silence bar by bar, or at once at its end, is the same to the byte. */
static void a_silence_of_days_is_the_same_in_one_step_and_in_many(void **state) {
    struct bench a = bench_new(), b = bench_new();
    (void)state;
    for (int i = 0; i < 400; i++) {
        int64_t px = 1000 + (i * 7919) % 31;
        trade(&a, i * MINUTE / 2, px, 1 + i % 5);
        trade(&b, i * MINUTE / 2, px, 1 + i % 5);
    }
    for (int i = 200; i < 5000; i++) (void)value_at(&a, i * MINUTE, "ta_natr_m1_n14");
    double once = value_at(&b, 4999 * MINUTE, "ta_natr_m1_n14");
    assert_true(once == 0.0);
    assert_memory_equal(a.out, b.out, feature_family_ta_bars.count * sizeof(double));
    bench_free(&a);
    bench_free(&b);
}

static void prints_that_are_no_market_trades_make_no_bars(void **state) {
    struct bench b = bench_new();
    (void)state;
    trade(&b, -1, 100, 1);
    trade(&b, 1, 100, 1);
    struct event ev = {.kind = EV_TRADE,
        .flags = EVF_FIRST | EVF_LAST | EVF_BUY | EVF_NON_MARKET,
        .ts_local = {T0 + 2},
        .px = {500},
        .qty = {9}};
    feature_family_ta_bars.on_event(b.state, NULL, &ev, NULL);
    assert_true(isnan(value_at(&b, MINUTE, "ta_candle_body_m1_n1"))); /* flat: no range */
    bench_free(&b);
}

static void venue_bars_make_the_frames_that_they_divide(void **state) {
    struct bench b = bench_new();
    (void)state;
    for (int i = 0; i < 12; i++) kline_of(&b, i * 5 * MINUTE, 5 * MINUTE, 200 + i, EVF_CLOSED);
    /* one hour: open 199, high 212, low 197, close 211 */
    assert_true(fabs(value_at(&b, 60 * MINUTE, "ta_candle_body_h1_n1") - 12.0 / 15.0) < 1e-12);
    assert_true(value_at(&b, 60 * MINUTE, "ta_candle_body_m5_n1") == 0.25);
    assert_true(isnan(value_at(&b, 60 * MINUTE, "ta_candle_body_m1_n1")));
    bench_free(&b);
}

static void open_repeated_or_other_bars_of_the_venue_count_nowhere(void **state) {
    struct bench a = bench_new(), b = bench_new();
    (void)state;
    for (int i = 0; i < 30; i++) {
        kline_of(&a, i * MINUTE, MINUTE, 200 + i, EVF_CLOSED);
        kline_of(&b, i * MINUTE, MINUTE, 200 + i, EVF_CLOSED);
        kline_of(&b, i * MINUTE, MINUTE, 999, EVF_CLOSED); /* again */
        kline_of(&b, (i + 1) * MINUTE, MINUTE, 999, 0);    /* still open */
        kline_of(&b, (i + 1) * MINUTE, 5 * MINUTE, 999, EVF_CLOSED);
    }
    (void)value_at(&a, 30 * MINUTE, "ta_sma_dist_m1_n20");
    double x = value_at(&b, 30 * MINUTE, "ta_sma_dist_m1_n20");
    assert_true(x > 0.0);
    assert_memory_equal(a.out, b.out, feature_family_ta_bars.count * sizeof(double));
    bench_free(&a);
    bench_free(&b);
}

static void trades_take_over_from_the_venues_bars(void **state) {
    struct bench b = bench_new();
    (void)state;
    for (int i = 0; i < 3; i++) kline_of(&b, i * MINUTE, MINUTE, 200, EVF_CLOSED);
    trade(&b, 3 * MINUTE + NS_PER_S, 300, 1); /* its minute was not seen whole */
    assert_true(value_at(&b, 4 * MINUTE, "ta_candle_body_m1_n1") == 0.25);
    kline_of(&b, 4 * MINUTE, MINUTE, 200, EVF_CLOSED);
    trade(&b, 4 * MINUTE, 300, 1);
    trade(&b, 4 * MINUTE + 1, 310, 1);
    assert_true(value_at(&b, 5 * MINUTE, "ta_candle_body_m1_n1") == 1.0);
    bench_free(&b);
}

/* --- indicators by hand ---------------------------------------------------------------------- */

static void ramp(struct ta_window *w, double from, double step) {
    for (int i = 0; i < TA_BARS; i++) {
        w->open[i] = from + step * i;
        w->close[i] = w->open[i] + step;
        w->high[i] = fmax(w->open[i], w->close[i]);
        w->low[i] = fmin(w->open[i], w->close[i]);
        w->volume[i] = 10.0;
        w->ret[i] = BPS * log(w->close[i] / w->open[i]);
    }
}

static void a_steady_rise_says_so_in_every_indicator(void **state) {
    static struct ta_window w;
    double v[T_COUNT];
    (void)state;
    ramp(&w, 10000.0, 4.0);
    ta_compute(&w, TA_BARS, v);
    double px = w.close[TA_BARS - 1];
    assert_true(fabs(v[T_SMA_DIST] - 1e4 * (px / (px - 38.0) - 1.0)) < 1e-9); /* lag (n-1)/2 */
    assert_true(fabs(v[T_HMA_DIST]) < 1e-9 || v[T_HMA_DIST] < v[T_WMA_DIST]);
    assert_true(fabs(v[T_TEMA_DIST]) < 1e-6 && fabs(v[T_DEMA_DIST]) < 0.5);
    assert_true(v[T_RSI] == 100.0 && v[T_CMO] == 100.0 && v[T_ADX] == 100.0);
    assert_true(v[T_DI_MINUS] == 0.0 && v[T_AROON_UP] == 100.0 && v[T_AROON_DOWN] == 0.0);
    assert_true(v[T_STOCH_K] == 100.0 && v[T_WILLIAMS] == 0.0 && v[T_DONCH_POS] == 1.0);
    assert_true(fabs(v[T_LINE_R2] - 1.0) < 1e-12 && fabs(v[T_HURST] - 1.0) < 1e-9);
    assert_true(v[T_SUPERTREND] > 0.0 && v[T_PSAR] > 0.0 && v[T_CLOUD] > 0.0);
    assert_true(fabs(v[T_NATR] - 1e4 * 4.0 / px) < 1e-9);
    assert_true(v[T_STREAK] == 20.0 && v[T_BODY] == 1.0 && v[T_CMF] == 1.0 && v[T_MFI] == 100.0);
    assert_true(fabs(v[T_OBV_SLOPE] - 1.0) < 1e-12 && v[T_OBV_DIV] == 0.0 && v[T_VOL_RATIO] == 1.0);
    assert_true(isnan(v[T_RSI_STOCH])); /* RSI has no range */
}

static void a_steady_fall_mirrors_the_signs(void **state) {
    static struct ta_window w;
    double v[T_COUNT];
    (void)state;
    ramp(&w, 10000.0, -4.0);
    ta_compute(&w, TA_BARS, v);
    assert_true(v[T_RSI] == 0.0 && v[T_CMO] == -100.0 && v[T_DI_PLUS] == 0.0);
    assert_true(v[T_SUPERTREND] < 0.0 && v[T_PSAR] < 0.0 && v[T_CLOUD] < 0.0);
    assert_true(v[T_MACD] < 0.0 && v[T_TRIX] < 0.0 && v[T_FORCE] < 0.0 && v[T_EMV] < 0.0);
    assert_true(v[T_STREAK] == -20.0 && v[T_CMF] == -1.0 && v[T_MFI] == 0.0);
}

static void a_still_market_is_missing_where_a_denominator_is_nil_and_nought_elsewhere(
    void **state) {
    static struct ta_window w;
    double v[T_COUNT];
    (void)state;
    ramp(&w, 10000.0, 0.0);
    ta_compute(&w, TA_BARS, v);
    static const int gone[] = {T_RSI, T_STOCH_K, T_CCI, T_ADX, T_DI_PLUS, T_BOLL_POS, T_KELT_POS,
        T_DONCH_POS, T_HURST, T_LINE_R2, T_BODY, T_MFI, T_VWAP_POS, T_OBV_DIV, T_EMV, T_ULTIMATE};
    static const int nought[] = {T_SMA_DIST, T_EMA_DIST, T_TEMA_DIST, T_KAMA_DIST, T_HMA_DIST,
        T_MACD, T_MACD_HIST, T_TRIX, T_PSAR, T_CLOUD, T_NATR, T_BOLL_WIDTH, T_GARCH, T_STREAK,
        T_OBV_SLOPE, T_CMF, T_FORCE, T_VWAP_WIDTH};
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) assert_true(isnan(v[gone[i]]));
    for (size_t i = 0; i < sizeof nought / sizeof nought[0]; i++)
        assert_true(fabs(v[nought[i]]) < 1e-9);
}

static void equal_squares_make_the_forecast_their_root(void **state) {
    static struct ta_window w;
    double v[T_COUNT];
    (void)state;
    ramp(&w, 10000.0, 4.0);
    for (int i = 0; i < TA_BARS; i++) w.ret[i] = i % 2 ? 7.0 : -7.0;
    ta_compute(&w, TA_BARS, v);
    assert_true(fabs(v[T_GARCH] - 7.0) < 1e-12);
    w.ret[TA_BARS - 1] = 70.0;
    ta_compute(&w, TA_BARS, v);
    assert_true(v[T_GARCH] > sqrt(0.1) * 70.0);
}

static void too_few_bars_give_only_what_they_suffice_for(void **state) {
    static struct ta_window w;
    double v[T_COUNT];
    (void)state;
    ramp(&w, 10000.0, 4.0);
    ta_compute(&w, 20, v);
    assert_true(!isnan(v[T_SMA_DIST]) && isnan(v[T_SMA_SLOPE]) && isnan(v[T_EMA_DIST]));
    ta_compute(&w, TA_BARS - 1, v);
    assert_true(isnan(v[T_EMA_DIST]) && isnan(v[T_GARCH]) && !isnan(v[T_CLOUD]));
    ta_compute(&w, 0, v);
    for (size_t i = 0; i < T_COUNT; i++) assert_true(isnan(v[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_is_known_when_it_is_over_and_not_before),
        cmocka_unit_test(the_bar_in_which_the_input_began_is_not_used),
        cmocka_unit_test(silence_repeats_the_last_price_without_volume),
        cmocka_unit_test(a_turn_makes_a_level_when_the_second_bar_after_it_has_closed),
        cmocka_unit_test(a_silence_of_days_is_the_same_in_one_step_and_in_many),
        cmocka_unit_test(prints_that_are_no_market_trades_make_no_bars),
        cmocka_unit_test(venue_bars_make_the_frames_that_they_divide),
        cmocka_unit_test(open_repeated_or_other_bars_of_the_venue_count_nowhere),
        cmocka_unit_test(trades_take_over_from_the_venues_bars),
        cmocka_unit_test(a_steady_rise_says_so_in_every_indicator),
        cmocka_unit_test(a_steady_fall_mirrors_the_signs),
        cmocka_unit_test(a_still_market_is_missing_where_a_denominator_is_nil_and_nought_elsewhere),
        cmocka_unit_test(equal_squares_make_the_forecast_their_root),
        cmocka_unit_test(too_few_bars_give_only_what_they_suffice_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
