/* One side of the book against a plain sorted list, over random walks of the touch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "derive/book/book_internal.h"

enum { LIST_MAX = 6000, STEPS = 60000, SEED = 7, SEEDS = 6 };

static uint64_t next(uint64_t *rng) { /* splitmix64 */
    uint64_t z = (*rng += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static int64_t below(uint64_t *rng, int64_t n) { return (int64_t)(next(rng) % (uint64_t)n); }

struct list { /* ascending keys */
    int64_t key[LIST_MAX], lots[LIST_MAX];
    size_t n;
};

static size_t list_at(const struct list *l, int64_t key) {
    size_t i = 0;
    while (i < l->n && l->key[i] < key) i++;
    return i;
}

static int64_t list_set(struct list *l, int64_t key, int64_t lots) {
    size_t i = list_at(l, key);
    bool there = i < l->n && l->key[i] == key;
    int64_t before = there ? l->lots[i] : 0;
    if (there && lots == 0) {
        memmove(l->key + i, l->key + i + 1, (l->n - i - 1) * sizeof l->key[0]);
        memmove(l->lots + i, l->lots + i + 1, (l->n - i - 1) * sizeof l->lots[0]);
        l->n--;
    } else if (there) {
        l->lots[i] = lots;
    } else if (lots != 0) {
        assert_true(l->n < LIST_MAX);
        memmove(l->key + i + 1, l->key + i, (l->n - i) * sizeof l->key[0]);
        memmove(l->lots + i + 1, l->lots + i, (l->n - i) * sizeof l->lots[0]);
        l->key[i] = key;
        l->lots[i] = lots;
        l->n++;
    }
    return before;
}

/* A side with its directory and blocks behind it, as in a book. */
static struct book_side *side_new(size_t levels_max) {
    size_t blocks = far_blocks_max(levels_max);
    size_t dir = sizeof(struct book_side), pool = dir + blocks * sizeof(struct far_entry);
    struct book_side *s = calloc(1, pool + blocks * sizeof(struct far_block));
    assert_non_null(s);
    side_init(s, levels_max, dir, pool);
    return s;
}

static void check_equal(const struct book_side *s, const struct list *l) {
    assert_int_equal(s->count, l->n);
    assert_int_equal(s->best, l->n > 0 ? l->key[0] : BOOK_NO_KEY);
    if (l->n > 0) assert_true(s->best >= s->base && s->best < s->base + BOOK_WINDOW);
    int64_t key = INT64_MIN / 2, lots = 0;
    for (size_t i = 0; i < l->n; i++) {
        assert_true(side_next(s, key, &key, &lots));
        assert_int_equal(key, l->key[i]);
        assert_int_equal(lots, l->lots[i]);
    }
    if (l->n > 0) assert_false(side_next(s, key, &key, &lots));
}

/* Everything the header promises of the far store. */
static void check_far(const struct book_side *s) {
    const struct far_entry *dir = (const void *)((const unsigned char *)s + s->dir_at);
    const struct far_block *pool = (const void *)((const unsigned char *)s + s->pool_at);
    size_t sum = 0;
    int64_t last = INT64_MIN;
    for (size_t i = 0; i < s->dir_count; i++) {
        assert_true(dir[i].count > 0 && dir[i].count <= FAR_BLOCK);
        assert_int_equal(dir[i].rank, pool[dir[i].block].rank[0]);
        if (i > 0) assert_true(dir[i - 1].count + dir[i].count > FAR_MERGE);
        for (uint32_t k = 0; k < dir[i].count; k++) {
            int64_t rank = pool[dir[i].block].rank[k];
            assert_true(rank > last);
            assert_true(-rank >= s->base + BOOK_WINDOW);
            last = rank;
        }
        sum += dir[i].count;
    }
    assert_int_equal(sum, s->far_count);
}

static struct list list;

/* The touch walks; levels come near, at middle range, and up to two million ticks away. */
static void random_walk(uint64_t seed, int64_t step, int64_t spread_far, size_t levels) {
    struct book_side *s = side_new(LIST_MAX);
    uint64_t rng = seed;
    int64_t touch = 600000;
    memset(&list, 0, sizeof list);
    for (int i = 0; i < STEPS; i++) {
        touch += below(&rng, 2 * step + 1) - step;
        int64_t how = below(&rng, 10);
        int64_t away = how < 6   ? below(&rng, 600)
                       : how < 8 ? below(&rng, BOOK_WINDOW)
                                 : below(&rng, spread_far);
        int64_t key = touch + away;
        int64_t lots = below(&rng, 3) == 0 ? 0 : 1 + below(&rng, 100);
        if (list.n > 0 && (list.n >= levels || below(&rng, 5) == 0)) {
            key = list.key[(size_t)below(&rng, 2) * (size_t)below(&rng, (int64_t)list.n)];
            if (list.n >= levels) lots = 0; /* often the best, so that it really moves */
        }
        int64_t asked = touch + below(&rng, spread_far), there = list_set(&list, asked, 0);
        if (there != 0) list_set(&list, asked, there);
        assert_int_equal(side_lots(s, asked), there);
        assert_int_equal(side_set(s, key, lots), list_set(&list, key, lots));
        assert_int_equal(s->count, list.n);
        assert_int_equal(s->best, list.n > 0 ? list.key[0] : BOOK_NO_KEY);
        if (i % 997 == 0) {
            check_equal(s, &list);
            check_far(s);
        }
    }
    check_equal(s, &list);
    check_far(s);
    assert_true(s->recentres > 0);
    side_clear(s);
    memset(&list, 0, sizeof list);
    check_equal(s, &list);
    assert_int_equal(side_lots(s, touch), 0);
    free(s);
}

static void a_side_equals_a_sorted_list_near_the_touch(void **state) {
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++)
        random_walk(seed, 3, 3 * BOOK_WINDOW, 300);
}

static void a_side_equals_a_sorted_list_with_levels_far_away(void **state) {
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) random_walk(seed, 200, 2000000, 2500);
}

static void a_side_equals_a_sorted_list_when_the_touch_jumps(void **state) {
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++)
        random_walk(seed, BOOK_WINDOW, 500000, 150);
}

static void the_far_store_fits_at_its_limit_in_any_order(void **state) {
    (void)state;
    enum { N = 5000 };
    for (int order = 0; order < 3; order++) {
        struct book_side *s = side_new(N);
        uint64_t rng = SEED;
        memset(&list, 0, sizeof list);
        side_set(s, 10, 1); /* keeps the ladder where it is */
        list_set(&list, 10, 1);
        for (int64_t i = 0; i < N; i++) {
            int64_t at = order == 0 ? i : order == 1 ? N - 1 - i : (i * 3571) % N;
            int64_t key = 1000000 + at * 7;
            side_set(s, key, at + 1);
            list_set(&list, key, at + 1);
        }
        check_equal(s, &list);
        check_far(s);
        while (list.n > 1) { /* thin it out evenly, then to nothing */
            int64_t key = list.key[1 + below(&rng, (int64_t)list.n - 1)];
            assert_int_equal(side_set(s, key, 0), list_set(&list, key, 0));
            if (list.n % 500 == 0) check_far(s);
        }
        check_equal(s, &list);
        assert_int_equal(s->far_count, 0);
        free(s);
    }
}

static void the_extremes_of_price_and_quantity_fit(void **state) {
    (void)state;
    struct book_side *s = side_new(16);
    memset(&list, 0, sizeof list);
    static const int64_t keys[] = {BOOK_PX_MAX, 1, -1, -BOOK_PX_MAX, 0x7fffffff, BOOK_PX_MAX - 1};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_int_equal(side_set(s, keys[i], BOOK_LOTS_MAX), 0);
        list_set(&list, keys[i], BOOK_LOTS_MAX);
        check_equal(s, &list);
    }
    while (list.n > 0) {
        int64_t key = list.key[0];
        assert_int_equal(side_set(s, key, 0), BOOK_LOTS_MAX);
        list_set(&list, key, 0);
        check_equal(s, &list);
    }
    free(s);
}

int main(void) {
    printf("seeds %d..%d\n", SEED, SEED + SEEDS - 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_side_equals_a_sorted_list_near_the_touch),
        cmocka_unit_test(a_side_equals_a_sorted_list_with_levels_far_away),
        cmocka_unit_test(a_side_equals_a_sorted_list_when_the_touch_jumps),
        cmocka_unit_test(the_far_store_fits_at_its_limit_in_any_order),
        cmocka_unit_test(the_extremes_of_price_and_quantity_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
