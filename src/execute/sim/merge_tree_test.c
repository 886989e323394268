/* The tournament against a look at all of them. */
#include "execute/sim/merge_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static uint64_t seed = 77;
static uint64_t rnd(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

/* The least key but `without`; n if there is none before the end of time. */
static size_t least(const struct world_key *key, size_t n, size_t without) {
    size_t best = n;
    for (size_t i = 0; i < n; i++) {
        if (i == without || key[i].ts == INT64_MAX) continue;
        if (best == n || world_before(key[i], key[best])) best = i;
    }
    return best;
}

static void first_second_and_bound_are_those_of_a_plain_search(void **state) {
    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    for (size_t n = 1; n <= MERGE_MAX; n++) {
        struct merge_tree t;
        struct world_key key[MERGE_MAX];
        merge_tree_init(&t, n);
        assert_true(merge_tree_over(&t));
        for (size_t i = 0; i < n; i++) key[i] = merge_tree_end;
        for (int k = 0; k < 2000; k++) {
            size_t i = rnd(n);
            /* the rank holds the place, so that no two keys are equal */
            key[i] = (struct world_key){(int64_t)rnd(20), (uint32_t)(rnd(3) << 16 | i)};
            if (rnd(4) == 0) key[i] = merge_tree_end;
            merge_tree_set(&t, i, key[i]);
            size_t first = least(key, n, n);
            assert_int_equal(merge_tree_over(&t), first == n);
            if (first == n) continue;
            assert_int_equal(merge_tree_first(&t), first);
            size_t second = least(key, n, first);
            assert_int_equal(merge_tree_second(&t), second == n ? first : second);
            struct world_key bound = merge_tree_bound(&t);
            assert_int_equal(bound.ts, second == n ? INT64_MAX : key[second].ts);
            if (second < n) assert_int_equal(bound.rank, key[second].rank);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_second_and_bound_are_those_of_a_plain_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
