#include "program/sweep_spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "program/run_config.h"

static struct config *config(
    const char *method, const char *sets, const char *const *line, size_t n) {
    char path[] = "/tmp/sweep-spec-XXXXXX";
    struct config *c = NULL;
    struct err_info e;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    fprintf(f, "sweep:\n  method: %s\n  sets: %s\n  vary:\n", method, sets);
    for (size_t i = 0; i < n; i++) fprintf(f, "    - \"%s\"\n", line[i]);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(config_load(&c, run_schema, run_schema_keys, path, NULL, 0, &e), ERR_OK);
    assert_int_equal(remove(path), 0);
    return c;
}

static err_t make(struct sweep_spec *s, const char *method, const char *sets,
    const char *const *line, size_t n, struct err_info *e) {
    struct config *c = config(method, sets, line, n);
    err_t code = sweep_spec_make(s, c, run_schema, run_schema_keys, e);
    config_free(c);
    return code;
}

static void a_grid_is_every_combination_with_the_last_axis_fastest(void **state) {
    (void)state;
    static const char *const line[] = {
        "sim.queue = risk | log", "strategy.quantity = 0.01..0.03 step 0.005"};
    static const char *const quantity[] = {"0.010", "0.015", "0.020", "0.025", "0.030"};
    struct sweep_spec s;
    struct err_info e;
    assert_int_equal(make(&s, "grid", "0", line, 2, &e), ERR_OK);
    assert_int_equal(s.sets, 10);
    assert_false(s.axis[0].shared);
    assert_true(s.axis[1].shared);
    for (size_t i = 0; i < s.sets; i++) {
        assert_string_equal(sweep_text(&s, i, 0), i < 5 ? "risk" : "log");
        assert_string_equal(sweep_text(&s, i, 1), quantity[i % 5]);
    }
    sweep_spec_free(&s);
}

static void a_latin_hypercube_uses_each_part_of_each_axis_once(void **state) {
    (void)state;
    static const char *const line[] = {
        "risk.collar_bps = 0..100", "strategy.levels = 1, 2, 4, 8", "sim.entry_ms = 1..100 log"};
    struct sweep_spec s, again;
    struct err_info e;
    assert_int_equal(make(&s, "latin", "40", line, 3, &e), ERR_OK);
    assert_int_equal(make(&again, "latin", "40", line, 2, &e), ERR_OK);
    bool part[40] = {false}, decade[2] = {false};
    int listed[9] = {0}, low = 0;
    for (size_t i = 0; i < 40; i++) {
        double v = strtod(sweep_text(&s, i, 0), NULL), ms = strtod(sweep_text(&s, i, 2), NULL);
        size_t at = (size_t)(v / 2.5);
        assert_true(at < 40 && !part[at]);
        part[at] = true;
        listed[strtol(sweep_text(&s, i, 1), NULL, 10)]++;
        assert_true(ms >= 1 && ms <= 100);
        low += ms < 10;
        decade[ms < 10] = true;
        assert_string_equal(sweep_text(&s, i, 0), sweep_text(&again, i, 0));
    }
    assert_true(decade[0] && decade[1]);
    assert_int_equal(low, 20); /* half of the parts lie in each decade */
    assert_true(listed[1] == 10 && listed[2] == 10 && listed[4] == 10 && listed[8] == 10);
    sweep_spec_free(&s);
    sweep_spec_free(&again);
}

static void random_sets_stay_in_range_and_come_back_with_the_seed(void **state) {
    (void)state;
    static const char *const line[] = {"strategy.levels = 3..9", "fees.maker = -0.0001..0.0002"};
    struct sweep_spec a, b;
    struct err_info e;
    assert_int_equal(make(&a, "random", "500", line, 2, &e), ERR_OK);
    assert_int_equal(make(&b, "random", "500", line, 2, &e), ERR_OK);
    bool seen[10] = {false};
    for (size_t i = 0; i < 500; i++) {
        long v = strtol(sweep_text(&a, i, 0), NULL, 10);
        double fee = strtod(sweep_text(&a, i, 1), NULL);
        assert_true(v >= 3 && v <= 9);
        assert_null(strchr(sweep_text(&a, i, 0), '.')); /* a whole number stays one */
        seen[v] = true;
        assert_true(fee >= -0.0001 && fee <= 0.0002);
        assert_string_equal(sweep_text(&a, i, 1), sweep_text(&b, i, 1));
    }
    for (int v = 3; v <= 9; v++) assert_true(seen[v]);
    sweep_spec_free(&a);
    sweep_spec_free(&b);
}

static void what_cannot_vary_is_refused_with_the_reason(void **state) {
    (void)state;
    static const struct {
        const char *method, *sets, *line, *told;
    } bad[] = {
        {"grid", "0", "data.tape = a, b", "same for all sets"},
        {"grid", "0", "model.path = a, b", "same for all sets"},
        {"grid", "0", "seed = 1, 2", "same for all sets"},
        {"grid", "0", "sweep.batch = 1, 2", "same for all sets"},
        {"grid", "0", "strategy.level = 1, 2", "did you mean strategy.levels"},
        {"grid", "0", "strategy.levels = 1..5", "its step"},
        {"grid", "0", "strategy.levels = 5..1 step 1", "LO <= HI"},
        {"grid", "0", "strategy.levels = 1..5 step 0", "S > 0"},
        {"grid", "0", "strategy.levels = 1..5 stop 1", "write A, B, C"},
        {"grid", "0", "strategy.levels = 1,,2", "values of 1"},
        {"grid", "0", "strategy.levels", "KEY = VALUES"},
        {"random", "0", "strategy.levels = 1..5", "sweep.sets"},
        {"latin", "5", "sim.entry_ms = 0..5 log", "LO > 0"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sweep_spec s;
        struct err_info e = {0};
        err_t code = make(&s, bad[i].method, bad[i].sets, &bad[i].line, 1, &e);
        if (code != ERR_USAGE || !strstr(e.text, bad[i].told))
            printf("%s: %s\n", bad[i].line, e.text);
        assert_int_equal(code, ERR_USAGE);
        assert_non_null(strstr(e.text, bad[i].told));
    }
    static const char *const twice[] = {"strategy.levels = 1, 2", "strategy.levels = 3, 4"};
    static const char *const many[] = {
        "strategy.levels = 1..300 step 1", "strategy.interval_ticks = 1..300 step 1"};
    struct sweep_spec s;
    struct err_info e;
    assert_int_equal(make(&s, "grid", "0", twice, 2, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "twice"));
    assert_int_equal(make(&s, "grid", "0", many, 2, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "65536"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_is_every_combination_with_the_last_axis_fastest),
        cmocka_unit_test(a_latin_hypercube_uses_each_part_of_each_axis_once),
        cmocka_unit_test(random_sets_stay_in_range_and_come_back_with_the_seed),
        cmocka_unit_test(what_cannot_vary_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
