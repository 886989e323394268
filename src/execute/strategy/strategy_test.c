#include "execute/strategy/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct instrument inst = {.px_mant = 1,
    .px_exp = 1,
    .qty_mant = 1,
    .qty_exp = 3,
    .tick_units = 5,
    .lot_units = 1,
    .contract_e8 = 100000000};

static const struct strategy_param table[] = {
    {"count", "3", "", PARAM_COUNT},
    {"size", "0.01", "", PARAM_LOTS},
    {"distance", "2", "", PARAM_TICKS},
    {"period", "0.5", "", PARAM_MS},
    {"bps", "-1.25", "", PARAM_NUMBER},
    {"rate", "0.0005", "", PARAM_RATE},
};
static const struct strategy mine = {.name = "mine", .params = table, .param_count = 6};

static void parameters_become_units_of_the_instrument(void **state) {
    (void)state;
    static const int64_t want[] = {3, 10, 10, 500000, -125000000, RATE_ONE / 2000};
    struct strategy_params p;
    const char *bad, *why;
    assert_true(strategy_params_init(&mine, &inst, &p, &bad, &why));
    for (size_t i = 0; i < 6; i++) assert_int_equal(p.value[i], want[i]);
}

static void a_value_that_does_not_fit_is_refused_with_its_reason(void **state) {
    (void)state;
    static const struct {
        const char *name, *text;
    } bad[] = {{"count", "1.5"}, {"size", "0.0001"}, {"distance", "0.5"}, {"period", "x"},
        {"bps", "1.123456789"}, {"rate", ""}, {"nobody", "1"}, {"count", "99999999999999999999"}};
    struct strategy_params p = {.value = {7, 7, 7, 7, 7, 7}}, before = p;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *why = NULL;
        assert_false(strategy_param_set(&mine, &inst, bad[i].name, bad[i].text, &p, &why));
        assert_non_null(why);
        assert_memory_equal(&p, &before, sizeof p);
    }
}

static void every_listed_strategy_is_found_and_its_defaults_fit(void **state) {
    (void)state;
    size_t n = 0;
    for (; strategy_table[n]; n++) {
        struct strategy_params p;
        const char *bad, *why;
        assert_ptr_equal(strategy_find(strategy_table[n]->name), strategy_table[n]);
        assert_true(strategy_params_init(strategy_table[n], &inst, &p, &bad, &why));
        assert_true(!strategy_table[n]->timer_ns || strategy_table[n]->timer_ns(&p) > 0);
    }
    assert_true(n >= 6); /* a name found as another entry would have failed above */
    assert_null(strategy_find("nobody"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_become_units_of_the_instrument),
        cmocka_unit_test(a_value_that_does_not_fit_is_refused_with_its_reason),
        cmocka_unit_test(every_listed_strategy_is_found_and_its_defaults_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
