#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hist.h"

static uint64_t state_of;

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(void) {
    uint64_t z = (state_of += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void every_value_has_a_cell_whose_middle_is_within_one_percent(void **state) {
    (void)state;
    state_of = 5;
    for (int i = 0; i < 300000; i++) {
        uint64_t v = next_random() >> (next_random() % 64);
        size_t cell = hist_cell(v);
        assert_true(cell < HIST_CELLS);
        double off = (double)hist_middle(cell) - (double)v;
        assert_true(off <= 0.01 * (double)v && -off <= 0.01 * (double)v);
        assert_int_equal(hist_cell(hist_middle(cell)), cell);
    }
    assert_true(hist_cell(UINT64_MAX) < HIST_CELLS);
}

static void cells_grow_with_their_values_without_a_hole(void **state) {
    (void)state;
    assert_int_equal(hist_cell(0), 0);
    for (uint64_t v = 0; v < 100000; v++) {
        size_t step = hist_cell(v + 1) - hist_cell(v);
        assert_true(step <= 1);
    }
    for (unsigned bit = 8; bit < 64; bit++) {
        uint64_t v = 1ull << bit;
        assert_int_equal(hist_cell(v), hist_cell(v - 1) + 1);
    }
    assert_int_equal(hist_cell(UINT64_MAX), HIST_CELLS - 1);
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Against the sorted list itself. */
static void quantiles_are_within_one_percent_of_the_exact_ones(void **state) {
    (void)state;
    static uint64_t all[20000];
    static struct hist h;
    const double q[] = {0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1};
    print_message("seed 77\n");
    state_of = 77;
    for (size_t n = 1; n <= 20000; n = n * 3 + 1) {
        hist_init(&h);
        for (size_t i = 0; i < n; i++) {
            all[i] = next_random() >> (20 + next_random() % 40);
            hist_add(&h, all[i]);
        }
        qsort(all, n, sizeof all[0], by_size);
        for (size_t k = 0; k < sizeof q / sizeof q[0]; k++) {
            size_t rank = (size_t)(q[k] * (double)n);
            if ((double)rank < q[k] * (double)n || rank == 0) rank++;
            double exact = (double)all[rank - 1], got = (double)hist_quantile(&h, q[k]);
            if (got > exact * 1.01 || got < exact * 0.99)
                fail_msg("n %zu q %g: %g %g", n, q[k], got, exact);
        }
        assert_int_equal(hist_quantile(&h, 1), all[n - 1]);
        assert_int_equal(h.min, all[0]);
    }
}

static void merging_equals_adding_to_one(void **state) {
    (void)state;
    static struct hist a, b, both;
    hist_init(&a);
    hist_init(&b);
    hist_init(&both);
    state_of = 9;
    for (int i = 0; i < 5000; i++) {
        uint64_t v = next_random() >> (next_random() % 64);
        hist_add(i % 3 ? &a : &b, v);
        hist_add(&both, v);
    }
    hist_merge(&a, &b);
    assert_memory_equal(&a, &both, sizeof a);
}

static void an_empty_histogram_has_zeros_and_a_text(void **state) {
    (void)state;
    static struct hist h;
    char text[120], tiny[5];
    hist_init(&h);
    assert_int_equal(hist_quantile(&h, 0.5), 0);
    assert_true(hist_mean(&h) == 0);
    hist_text(&h, text, sizeof text);
    assert_string_equal(text, "n=0 p50=0 p90=0 p99=0 p99.9=0 max=0");
    hist_add(&h, 7);
    hist_add(&h, 9);
    hist_text(&h, text, sizeof text);
    assert_string_equal(text, "n=2 p50=7 p90=9 p99=9 p99.9=9 max=9");
    assert_true(hist_mean(&h) == 8);
    assert_int_equal(hist_text(&h, tiny, sizeof tiny), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_a_cell_whose_middle_is_within_one_percent),
        cmocka_unit_test(cells_grow_with_their_values_without_a_hole),
        cmocka_unit_test(quantiles_are_within_one_percent_of_the_exact_ones),
        cmocka_unit_test(merging_equals_adding_to_one),
        cmocka_unit_test(an_empty_histogram_has_zeros_and_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
