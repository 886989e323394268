/* wavelet_test.c: the streamed db4 details are the published transform's; Haar is its definition.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "../test/shared.h"
#include "base/rng.h"
#include "derive/feature/wavelet.h"

enum { N = 20, TAIL = 64, LONG = 256 };

/* The short series of the published zero-padded transform. */
static const double short_input[N] = {3, 7, 1, 1, -2, 5, 4, 6, 6, 2, 8, 1, 0, -3, 2, 9, 4, 4, 1, 7};

static void the_filters_are_orthonormal_and_the_high_pass_has_four_vanishing_moments(void **state) {
    (void)state;
    for (size_t lag = 0; lag < DB4_TAPS; lag += 2) {
        double low = 0.0, high = 0.0, both = 0.0;
        for (size_t k = 0; k + lag < DB4_TAPS; k++) {
            low += db4_low[k] * db4_low[k + lag];
            high += db4_high(k) * db4_high(k + lag);
            both += db4_low[k] * db4_high(k + lag);
        }
        assert_true(fabs(low - (lag == 0 ? 1.0 : 0.0)) < 1e-11);
        assert_true(fabs(high - (lag == 0 ? 1.0 : 0.0)) < 1e-11);
        assert_true(fabs(both) < 1e-11);
    }
    for (int moment = 0; moment < 4; moment++) {
        double sum = 0.0;
        for (size_t k = 0; k < DB4_TAPS; k++) sum += db4_high(k) * pow((double)k, moment);
        assert_true(fabs(sum) < 1e-8);
    }
}

static cJSON *answers(const char *path) {
    static char text[1 << 20];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    cJSON *doc = cJSON_Parse(text);
    assert_non_null(doc);
    return doc;
}

static void read_input(const char *path, double *x, size_t n) {
    char line[128];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f)); /* header */
    for (size_t i = 0; i < n; i++) {
        assert_non_null(fgets(line, sizeof line, f));
        x[i] = strtod(line, NULL);
    }
    fclose(f);
}

static void same(const cJSON *want, const double *all, size_t step) {
    size_t n = (size_t)cJSON_GetArraySize(want);
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        double w = cJSON_GetArrayItem(want, (int)i)->valuedouble;
        assert_true(fabs(all[step * (i + 1) - 1] - w) < 1e-10);
    }
}

/* cA_2, cD_2 and cD_1 of a zero-padded transform are every 4th, 4th and 2nd streamed coefficient.
 */
static void streamed_db4_gives_the_zero_padded_transform(void **state) {
    (void)state;
    SHARED_OR_SKIP("oracles/stats/oracles.json", table);
    double d1[N + TAIL], d2[N + TAIL], a2[N + TAIL], d[2];
    struct wavelet w;
    memset(&w, 0, sizeof w);
    for (size_t t = 0; t < N + TAIL; t++) {
        a2[t] = db4_push(&w, t < N ? short_input[t] : 0.0, 2, d);
        d1[t] = d[0];
        d2[t] = d[1];
    }
    cJSON *doc = answers(table);
    const cJSON *low = cJSON_GetObjectItem(doc, "db4_dec_lo");
    for (int k = 0; k < DB4_TAPS; k++)
        assert_true(fabs(cJSON_GetArrayItem(low, k)->valuedouble - db4_low[k]) < 1e-15);
    const cJSON *rows = cJSON_GetObjectItem(doc, "db4_wavedec_L2_zero");
    same(cJSON_GetArrayItem(rows, 0), a2, 4);
    same(cJSON_GetArrayItem(rows, 1), d2, 4);
    same(cJSON_GetArrayItem(rows, 2), d1, 2);
    cJSON_Delete(doc);
}

/* A periodic series repeated long enough: the circular transform takes every 2^j-th coefficient, at
 * t = 2^j i - 4, so its energies of levels 1 to 3 are sums over one period. */
static void streamed_db4_gives_the_energies_of_the_periodic_transform(void **state) {
    (void)state;
    SHARED_OR_SKIP("oracles/stats/wave_in.csv", input);
    SHARED_OR_SKIP("oracles/stats/oracles.json", table);
    double x[LONG], d[DB4_LEVELS], energy[DB4_LEVELS] = {0.0};
    struct wavelet w;
    memset(&w, 0, sizeof w);
    read_input(input, x, LONG);
    for (size_t t = 0; t < 2 * LONG; t++) {
        db4_push(&w, x[t % LONG], DB4_LEVELS, d);
        for (size_t j = 0; j < DB4_LEVELS && t >= LONG; j++)
            if ((t + 4) % ((size_t)2 << j) == 0) energy[j] += d[j] * d[j];
    }
    cJSON *doc = answers(table);
    const cJSON *want = cJSON_GetObjectItem(doc, "wave256_energy"); /* A5 D5 D4 D3 D2 D1 */
    for (int j = 0; j < DB4_LEVELS; j++) {
        double e = cJSON_GetArrayItem(want, 5 - j)->valuedouble;
        assert_true(fabs(energy[j] - e) < 1e-9 * e);
    }
    cJSON_Delete(doc);
}

static void a_haar_detail_is_half_the_difference_of_two_neighbouring_means(void **state) {
    double x[200], d[WAVELET_LEVELS];
    struct wavelet w;
    struct rng r;
    (void)state;
    memset(&w, 0, sizeof w);
    rng_init(&r, 41, 0);
    for (size_t t = 0; t < 200; t++) {
        x[t] = rng_normal(&r);
        double approx = haar_push(&w, x[t], WAVELET_LEVELS, d);
        if (t < 31) continue;
        for (size_t j = 0; j < WAVELET_LEVELS; j++) {
            size_t half = (size_t)1 << j;
            double newer = 0.0, older = 0.0;
            for (size_t i = 0; i < half; i++) {
                newer += x[t - i];
                older += x[t - half - i];
            }
            assert_true(fabs(d[j] - (newer - older) / (2.0 * (double)half)) < 1e-12);
            if (j == WAVELET_LEVELS - 1)
                assert_true(fabs(approx - (newer + older) / (2.0 * (double)half)) < 1e-12);
        }
    }
}

static void a_missing_value_leaves_when_its_support_has_passed(void **state) {
    double d[DB4_LEVELS];
    struct wavelet w;
    (void)state;
    memset(&w, 0, sizeof w);
    static const size_t support[DB4_LEVELS] = {8, 22, 50};
    for (size_t t = 0; t < 120; t++) {
        db4_push(&w, t == 40 ? (double)NAN : 1.0, DB4_LEVELS, d);
        for (size_t j = 0; j < DB4_LEVELS; j++)
            assert_int_equal(isnan(d[j]) != 0, t >= 40 && t < 40 + support[j]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_filters_are_orthonormal_and_the_high_pass_has_four_vanishing_moments),
        cmocka_unit_test(streamed_db4_gives_the_zero_padded_transform),
        cmocka_unit_test(streamed_db4_gives_the_energies_of_the_periodic_transform),
        cmocka_unit_test(a_haar_detail_is_half_the_difference_of_two_neighbouring_means),
        cmocka_unit_test(a_missing_value_leaves_when_its_support_has_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
