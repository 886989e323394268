#include "program/sampler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_series_keeps_first_last_and_even_spacing(void **state) {
    (void)state;
    struct sampler *s = calloc(1, sizeof *s);
    assert_non_null(s);
    for (uint64_t n = 1; n <= 20000; n = n * 3 / 2 + 1) {
        sampler_init(s);
        for (uint64_t i = 0; i < n; i++) {
            double row[SAMPLER_COLUMNS] = {(double)i, (double)i * 2};
            sampler_add(s, row);
        }
        sampler_end(s);
        assert_true(s->points >= 1 && s->points <= SAMPLER_MAX + 1);
        assert_true(n > SAMPLER_MAX || s->points == n);
        assert_true(s->row[0][0] == 0);
        assert_true(s->row[s->points - 1][0] == (double)(n - 1));
        for (size_t i = 1; i + 1 < s->points; i++) {
            assert_true(s->row[i][0] - s->row[i - 1][0] == (double)s->stride);
            assert_true(s->row[i][1] == 2 * s->row[i][0]);
        }
    }
    free(s);
}

static void an_empty_series_has_no_points(void **state) {
    (void)state;
    struct sampler *s = calloc(1, sizeof *s);
    assert_non_null(s);
    sampler_init(s);
    sampler_end(s);
    assert_int_equal(s->points, 0);
    free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_keeps_first_last_and_even_spacing),
        cmocka_unit_test(an_empty_series_has_no_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
