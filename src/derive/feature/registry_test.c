/* registry_test.c: the rows are complete and well named; sets and signatures do what they promise.
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

#include "derive/feature/feature_internal.h"

static struct feature_set set_of(const char *text) {
    struct feature_set set;
    const char *bad = NULL;
    assert_true(feature_set_parse(text, &set, &bad));
    return set;
}

static size_t family_size(const char *name) { return set_of(name).count; }

static void the_families_hold_at_least_what_is_asked(void **state) {
    (void)state;
    assert_true(feature_count() >= 120);
    assert_true(family_size("book") >= 40 && family_size("ofi") >= 6);
    assert_true(family_size("flow") >= 30 && family_size("ret") >= 12);
    assert_true(family_size("rv") >= 12 && family_size("impact") >= 8);
    assert_true(family_size("toxic") >= 4 && family_size("time") >= 8);
    assert_true(family_size("ta") >= 100 && family_size("wave") >= 14 && family_size("perp") >= 47);
    assert_true(family_size("chain") >= 50 && family_size("graph") >= 6);
    assert_true(family_size("cluster") + family_size("heat") >= 16);
    assert_true(family_size("dyn") >= 18 && family_size("foot") >= 12);
    assert_true(family_size("v72") == 13);
    assert_true(family_size("cluster") >= 8);
    assert_true(family_size("xv") >= 60);
}

static void every_row_says_everything_and_is_named_after_its_family(void **state) {
    (void)state;
    for (size_t i = 0; i < feature_count(); i++) {
        const struct feature_family *family = NULL;
        const struct feature_def *d = feature_get(i, &family);
        size_t n = strlen(family->name);
        assert_true(d->name && strlen(d->name) < FEATURE_NAME_MAX);
        assert_true(strncmp(d->name, family->name, n) == 0 && d->name[n] == '_');
        assert_true(strspn(d->name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(d->name));
        assert_true(d->unit && d->unit[0] && d->window && d->window[0]);
        assert_true(d->source && d->source[0] && d->about && d->about[0]);
        assert_true(d->missing && d->missing[0] && strncmp(d->capability, "FEA", 3) == 0);
        assert_true(d->version >= 1 && d->clock <= CLOCK_EVENT);
        assert_int_equal(feature_find(d->name), (long)i); /* also: names are unique */
    }
    assert_int_equal(feature_find("book_imbalance_l6"), -1);
}

/* "b20" in a name and in the column `window` are the same window, and the warm-up covers it. */
static void a_window_in_the_name_is_the_window_of_the_row(void **state) {
    (void)state;
    for (size_t i = 0; i < feature_count(); i++) {
        const struct feature_def *d = feature_get(i, NULL);
        if (d->window[0] != 'b') continue;
        assert_int_equal(d->clock, CLOCK_BUCKET);
        assert_true(d->warmup >= (uint32_t)atoi(d->window + 1));
        const char *tail = strrchr(d->name, '_');
        if (tail[1] == 'b' && tail[2] >= '0' && tail[2] <= '9')
            assert_string_equal(tail + 1, d->window);
    }
}

static void sets_are_families_and_names_joined_in_order_without_repeats(void **state) {
    (void)state;
    struct feature_set all = set_of("all"), two = set_of("ofi+book"),
                       twice = set_of("ofi+ofi_l1_b1");
    assert_int_equal(all.count, feature_count());
    assert_int_equal(two.count, family_size("ofi") + family_size("book"));
    assert_string_equal(feature_get(two.index[0], NULL)->name, "ofi_l1_b1");
    assert_int_equal(twice.count, family_size("ofi"));
    assert_string_equal(two.name, "ofi+book");
    struct feature_set mixed = set_of("ret_b1+time");
    assert_string_equal(feature_get(mixed.index[0], NULL)->name, "ret_b1");
}

static void an_unknown_word_is_pointed_at(void **state) {
    struct feature_set set;
    (void)state;
    static const char *const texts[] = {
        "ofi+nosuch+book", "nosuch", "", "ofi+", "+ofi", "ofi++ret"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *bad = NULL;
        memset(&set, 7, sizeof set);
        struct feature_set before = set;
        assert_false(feature_set_parse(texts[i], &set, &bad));
        assert_true(bad >= texts[i] && bad <= texts[i] + strlen(texts[i]));
        assert_memory_equal(&set, &before, sizeof set); /* untouched */
    }
    const char *bad = NULL;
    assert_false(feature_set_parse(texts[0], &set, &bad));
    assert_ptr_equal(bad, texts[0] + 4);
}

static void the_sets_core_and_bars_take_what_their_inputs_carry(void **state) {
    (void)state;
    struct feature_set core = set_of("core"), bars = set_of("bars");
    assert_true(core.count >= 80 && bars.count >= 60);
    for (size_t i = 0; i < core.count; i++) {
        const struct feature_def *d = feature_get(core.index[i], NULL);
        assert_int_equal(
            d->needs & ~(uint32_t)(NEED_TRADE | NEED_DEPTH | NEED_TAKER | NEED_VALUE), 0);
        assert_true(d->warmup <= 130);
    }
    for (size_t i = 0; i < bars.count; i++) assert_true(feature_get(bars.index[i], NULL)->bars_ok);
    assert_true(feature_set_warmup(&core) <= 130);
    static const char *const named[] = {"core", "bars", "ohlcv"};
    for (size_t i = 0; i < 3; i++) {
        struct feature_set set = set_of(named[i]);
        for (size_t j = 0; j < set.count; j++) assert_false(feature_get(set.index[j], NULL)->apart);
    }
    struct feature_set plain = set_of("ohlcv");
    assert_true(plain.count >= 40 && plain.count < bars.count);
    for (size_t i = 0; i < plain.count; i++)
        assert_int_equal(feature_get(plain.index[i], NULL)->needs & (NEED_TAKER | NEED_VALUE), 0);
}

/* Committed models were trained on these sets: their signatures must not move. */
static void rows_that_are_apart_enter_no_fixed_set(void **state) {
    static const char *const fixed[] = {"core", "bars", "ohlcv"};
    size_t apart = 0;
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        struct feature_set set = set_of(fixed[f]);
        for (size_t i = 0; i < set.count; i++) assert_false(feature_get(set.index[i], NULL)->apart);
    }
    for (size_t i = 0; i < feature_count(); i++) {
        const struct feature_family *family = NULL;
        const struct feature_def *d = feature_get(i, &family);
        if (!d->apart) continue;
        struct feature_set one = set_of(d->name);
        assert_int_equal(one.count, 1);
        assert_int_equal(one.index[0], i);
        apart++;
    }
    assert_true(apart >= 100);
}

static void the_signature_is_of_names_and_their_order(void **state) {
    (void)state;
    struct feature_set a = set_of("ret+rv"), b = set_of("rv+ret"), c = set_of("ret+rv");
    struct feature_set part = set_of("ret");
    assert_true(feature_set_signature(&a) == feature_set_signature(&c));
    assert_true(feature_set_signature(&a) != feature_set_signature(&b));
    assert_true(feature_set_signature(&a) != feature_set_signature(&part));
}

/* A registry with more rows in front: indices move, signatures of old sets stay. */
static void a_new_row_changes_no_existing_signature(void **state) {
    const struct feature_family *families[FEATURE_FAMILIES_MAX];
    size_t n = feature_family_count();
    (void)state;
    struct feature_def defs[1] = {
        FEATURE_ROW("zz_new_b1", "1", "b1", 1, 0, false, "FEA1", "none", "planted", "never")};
    struct feature_family extra = {.name = "zz", .defs = defs, .count = 1};
    families[0] = &extra;
    for (size_t i = 0; i < n; i++) families[i + 1] = feature_family(i);
    struct feature_registry wider = {families, n + 1};
    struct feature_set before = set_of("book+ta"), after;
    assert_true(registry_parse(&wider, "book+ta", &after, NULL));
    assert_int_equal(after.index[0], before.index[0] + 1);
    assert_true(registry_signature(&wider, &after) == feature_set_signature(&before));
    defs[0].version = 2;
    assert_true(registry_parse(&wider, "zz", &after, NULL));
    uint64_t second = registry_signature(&wider, &after);
    defs[0].version = 1;
    assert_true(registry_signature(&wider, &after) != second);
    defs[0].window = "b2";
    assert_true(registry_signature(&wider, &after) != second);
}

static void a_long_text_still_names_its_set(void **state) {
    (void)state;
    struct feature_set set = set_of("book_imbalance_l5+flow_volume_b1+ret_b1");
    assert_int_equal(set.count, 3);
    assert_true(strlen(set.name) < sizeof set.name && strncmp(set.name, "set-", 4) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_families_hold_at_least_what_is_asked),
        cmocka_unit_test(every_row_says_everything_and_is_named_after_its_family),
        cmocka_unit_test(a_window_in_the_name_is_the_window_of_the_row),
        cmocka_unit_test(sets_are_families_and_names_joined_in_order_without_repeats),
        cmocka_unit_test(an_unknown_word_is_pointed_at),
        cmocka_unit_test(the_sets_core_and_bars_take_what_their_inputs_carry),
        cmocka_unit_test(rows_that_are_apart_enter_no_fixed_set),
        cmocka_unit_test(the_signature_is_of_names_and_their_order),
        cmocka_unit_test(a_new_row_changes_no_existing_signature),
        cmocka_unit_test(a_long_text_still_names_its_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
