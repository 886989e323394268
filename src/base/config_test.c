#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/config.h"

static const struct config_key schema[] = {
    {.path = "input", .type = CONFIG_LIST, .fallback = "", .help = "files to read"},
    {.path = "sim.latency.entry_ms",
        .type = CONFIG_DOUBLE,
        .fallback = "2.5",
        .lo = 0,
        .hi = 1000,
        .unit = "ms",
        .help = "delay of an order",
        .source = "measured"},
    {.path = "model.kind",
        .type = CONFIG_ENUM,
        .fallback = "logistic",
        .choices = "logistic|trees"},
    {.path = "sim.latency.back_ms", .type = CONFIG_DOUBLE, .fallback = "2", .lo = 0, .hi = 1000},
    {.path = "count", .type = CONFIG_INT, .fallback = "7", .lo = -10, .hi = 1000},
    {.path = "fee", .type = CONFIG_DECIMAL, .fallback = "0.0004", .unit = "of value"},
    {.path = "strict", .type = CONFIG_BOOL, .fallback = "false"},
    {.path = "note", .type = CONFIG_STRING, .fallback = "", .alias = "remark.text"},
    {.path = "venue.key", .type = CONFIG_STRING, .fallback = "", .secret = true},
};

enum { KEYS = sizeof schema / sizeof schema[0] };

static char file_name[64];

static void write_bytes(const char *bytes, size_t n) {
    strcpy(file_name, "/tmp/fathom-config-XXXXXX");
    int fd = mkstemp(file_name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

static err_t load(const char *yaml, struct config **c, struct err_info *e) {
    write_bytes(yaml, strlen(yaml));
    err_t err = config_load(c, schema, KEYS, file_name, NULL, 0, e);
    unlink(file_name);
    return err;
}

static void refused(const char *yaml, int line, const char *what) {
    struct config *c = NULL;
    struct err_info e = {0};
    char place[96];
    assert_int_equal(load(yaml, &c, &e), ERR_USAGE);
    assert_null(c);
    snprintf(place, sizeof place, "%s:%d:", file_name, line);
    if (!strstr(e.text, place)) fail_msg("no `%s` in: %s", place, e.text);
    if (!strstr(e.text, what)) fail_msg("no `%s` in: %s", what, e.text);
}

static void defaults_fill_what_the_file_leaves_out(void **state) {
    (void)state;
    struct config *c = NULL;
    struct err_info e = {0};
    assert_int_equal(load("count: 9\nsim:\n  latency: {entry_ms: 3}\n", &c, &e), ERR_OK);
    assert_int_equal(config_int(c, "count"), 9);
    assert_true(config_double(c, "sim.latency.entry_ms") == 3.0);
    assert_true(config_double(c, "sim.latency.back_ms") == 2.0);
    assert_string_equal(config_string(c, "model.kind"), "logistic");
    assert_false(config_bool(c, "strict"));
    assert_string_equal(config_where(c, "fee"), "default");
    assert_non_null(strstr(config_where(c, "sim.latency.entry_ms"), ":3"));
    assert_int_equal(config_list(c, "input"), 0);
    config_free(c);
}

static void an_empty_file_is_all_defaults(void **state) {
    (void)state;
    const char *const empty[] = {"", "\n", "# only a comment\n", "---\n", "--- {}\n"};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        struct config *c = NULL, *none = NULL;
        struct err_info e = {0};
        if (load(empty[i], &c, &e)) fail_msg("%zu: %s", i, e.text);
        assert_int_equal(config_load(&none, schema, KEYS, NULL, NULL, 0, &e), ERR_OK);
        assert_int_equal(config_hash(c), config_hash(none));
        config_free(c);
        config_free(none);
    }
}

static void lists_are_sequences_or_one_scalar(void **state) {
    (void)state;
    struct config *c = NULL;
    struct err_info e = {0};
    assert_int_equal(load("input:\n  - a.gz\n  - \"b c.gz\"\n", &c, &e), ERR_OK);
    assert_int_equal(config_list(c, "input"), 2);
    assert_string_equal(config_item(c, "input", 1), "b c.gz");
    config_free(c);
    assert_int_equal(load("input: a,b.gz\n", &c, &e), ERR_OK);
    assert_int_equal(config_list(c, "input"), 1);
    assert_string_equal(config_item(c, "input", 0), "a,b.gz");
    config_free(c);
    assert_int_equal(load("input: []\n", &c, &e), ERR_OK);
    assert_int_equal(config_list(c, "input"), 0);
    config_free(c);
}

static void an_unknown_key_is_named_with_file_line_and_nearest(void **state) {
    (void)state;
    refused("no_such_key: 1\n", 1, "unknown key `no_such_key`");
    refused(
        "count: 1\nsim:\n  latency:\n    entry_mss: 1\n", 4, "did you mean `sim.latency.entry_ms`");
    refused("\n\nentry_ms: 1\n", 3, "did you mean `sim.latency.entry_ms`");
    refused("sim: 3\n", 1, "unknown key `sim`");
}

static void a_repeated_key_is_refused_however_it_is_written(void **state) {
    (void)state;
    refused("count: 1\ncount: 1\n", 2, "");
    refused("sim.latency.entry_ms: 1\nsim:\n  latency:\n    entry_ms: 1\n", 4, "given twice");
    refused("sim.latency: 1\nsim.latency.entry_ms: 1\n", 2, "given twice");
}

static void an_alias_is_another_spelling_of_the_same_key(void **state) {
    (void)state;
    struct config *c = NULL;
    struct err_info e = {0};
    const char *set = "remark.text=b";
    assert_int_equal(load("remark: {text: a}\n", &c, &e), ERR_OK);
    assert_string_equal(config_string(c, "note"), "a");
    config_free(c);
    assert_int_equal(config_load(&c, schema, KEYS, NULL, &set, 1, &e), ERR_OK);
    assert_string_equal(config_string(c, "note"), "b");
    config_free(c);
    refused("note: a\nremark.text: b\n", 2, "`note` is given twice");
}

static void a_value_of_another_type_or_range_is_refused(void **state) {
    (void)state;
    refused("count: 1.5\n", 1, "whole number from -10 to 1000");
    refused("count: 1001\n", 1, "`count: 1001`");
    refused("count: 99999999999999999999\n", 1, "whole number");
    refused("count: 0x10\n", 1, "whole number");
    refused("count:\n", 1, "whole number");
    refused("count: [1]\n", 1, "no list");
    refused("strict: yes\n", 1, "true or false");
    refused("fee: 1e-4\n", 1, "decimal");
    refused("fee: .5\n", 1, "decimal");
    refused("model.kind: tree\n", 1, "logistic|trees");
    refused("model.kind: logistic|trees\n", 1, "logistic|trees");
    refused("sim.latency.entry_ms: nan\n", 1, "a number");
    refused("sim.latency.entry_ms: 1e999\n", 1, "a number");
    refused("sim.latency.entry_ms: -0.1\n", 1, "from 0 to 1000");
}

static void hostile_yaml_is_refused_with_its_line(void **state) {
    (void)state;
    refused("note: &a x\n", 1, "anchors");
    refused("note: &a x\ninput: [*a, *a]\n", 1, "anchors");
    refused("note: !!str x\n", 1, "tags");
    refused("note: a\n---\nnote: b\n", 2, "one document");
    refused("- a\n", 1, "not a list");
    refused("just text\n", 1, "`key: value` lines");
    refused("? [a, b]\n: c\n", 1, "");
    refused("input: [[a]]\n", 1, "a list holds plain values");
    refused("input: [{a: b}]\n", 1, "a list holds plain values");
    refused("\"a b\": 1\n", 1, "a key is a word");
    refused("note: \"x\n", 1, "no YAML");
    refused(
        "a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: {n: {o: {p: {q: 1}}}}}}}}}}}}}}}}\n", 1,
        "deeper");
}

static void binary_long_and_absent_files_are_told_apart(void **state) {
    (void)state;
    struct config *c = NULL;
    struct err_info e = {0};
    write_bytes("count: 1\0\n", 10);
    assert_int_equal(config_load(&c, schema, KEYS, file_name, NULL, 0, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "NUL"));
    unlink(file_name);
    size_t n = (1u << 20) + 1;
    char *big = malloc(n);
    memset(big, '#', n);
    write_bytes(big, n);
    free(big);
    assert_int_equal(config_load(&c, schema, KEYS, file_name, NULL, 0, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "1 MiB"));
    unlink(file_name);
    assert_int_equal(config_load(&c, schema, KEYS, file_name, NULL, 0, &e), ERR_RESOURCE);
    assert_non_null(strstr(e.text, file_name));
    assert_int_equal(config_load(&c, schema, KEYS, "/tmp", NULL, 0, &e), ERR_RESOURCE);
    assert_null(c);
}

static void sets_win_over_the_file_and_obey_the_schema(void **state) {
    (void)state;
    struct config *c = NULL;
    struct err_info e = {0};
    const char *good[] = {"count=11", "input=a,b", "note=x=y", "count=12"};
    write_bytes("count: 9\n", 9);
    assert_int_equal(config_load(&c, schema, KEYS, file_name, good, 4, &e), ERR_OK);
    unlink(file_name);
    assert_int_equal(config_int(c, "count"), 12);
    assert_int_equal(config_list(c, "input"), 2);
    assert_string_equal(config_string(c, "note"), "x=y");
    assert_string_equal(config_where(c, "count"), "--set");
    config_free(c);
    const char *const bad[] = {"cuont=1", "count=x", "=1", "count"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(config_load(&c, schema, KEYS, NULL, &bad[i], 1, &e), ERR_USAGE);
        assert_non_null(strstr(e.text, "--set"));
    }
}

static void a_value_is_changed_only_if_it_differs_from_the_default(void **state) {
    (void)state;
    struct config *c = NULL;
    struct err_info e = {0};
    assert_int_equal(load("count: 7\nfee: 0.00040\nsim: {latency: {entry_ms: 2.50, back_ms: 3}}\n"
                          "input: []\nmodel: {kind: trees}\n",
                         &c, &e),
        ERR_OK);
    const char *const same[] = {"count", "fee", "sim.latency.entry_ms", "input", "strict", "note"};
    for (size_t i = 0; i < 6; i++) assert_false(config_changed(c, same[i]));
    assert_true(config_changed(c, "sim.latency.back_ms"));
    assert_true(config_changed(c, "model.kind"));
    config_free(c);
    assert_int_equal(load("input: [a]\nstrict: true\n", &c, &e), ERR_OK);
    assert_true(config_changed(c, "input"));
    assert_true(config_changed(c, "strict"));
    config_free(c);
}

static void a_required_key_that_is_missing_is_named(void **state) {
    (void)state;
    static const struct config_key one[] = {
        {.path = "tape", .type = CONFIG_STRING, .fallback = NULL, .help = "the tape to read"}};
    struct config *c = NULL;
    struct err_info e = {0};
    assert_int_equal(config_load(&c, one, 1, NULL, NULL, 0, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "`tape` is required"));
}

static void a_secret_is_neither_printed_nor_hashed_nor_quoted_in_an_error(void **state) {
    (void)state;
    struct config *a = NULL, *b = NULL;
    struct err_info e = {0};
    assert_int_equal(load("venue: {key: hunter2}\n", &a, &e), ERR_OK);
    assert_int_equal(load("venue: {key: other}\n", &b, &e), ERR_OK);
    char *text = config_yaml(a);
    assert_null(strstr(text, "hunter2"));
    assert_non_null(strstr(text, "(hidden)"));
    assert_string_equal(config_string(a, "venue.key"), "hunter2");
    assert_int_equal(config_hash(a), config_hash(b));
    free(text);
    config_free(a);
    config_free(b);
}

/* Law: what config_print writes loads again to the same values. */
static void the_printed_configuration_loads_back_equal(void **state) {
    (void)state;
    static const char bits[] = "aZ9 _-:#'\"\\\t{}[],&*!|>%@`~.=\xc3\xa9";
    const unsigned seed = 20240808;
    print_message("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 300; round++) {
        char note[40] = "note=", list[60] = "input=";
        size_t n = 5, m = 6;
        for (int i = rand() % 12; i > 0; i--) {
            char c = bits[(size_t)rand() % (sizeof bits - 3)];
            note[n++] = c;
            list[m++] = rand() % 3 ? c : ',';
        }
        const char *sets[] = {note, list, "count=-4", "model.kind=trees"};
        struct config *a = NULL, *b = NULL;
        struct err_info e = {0};
        assert_int_equal(config_load(&a, schema, KEYS, NULL, sets, 4, &e), ERR_OK);
        char *text = config_yaml(a);
        if (load(text, &b, &e)) fail_msg("%s\n%s", e.text, text);
        if (config_hash(a) != config_hash(b)) fail_msg("another hash after:\n%s", text);
        free(text);
        config_free(a);
        config_free(b);
    }
}

static void a_change_of_any_value_changes_the_hash(void **state) {
    (void)state;
    const char *const sets[] = {"count=8", "input=a", "input=", "note=x", "fee=0.0005",
        "strict=true", "model.kind=trees", "sim.latency.entry_ms=4"};
    struct config *base = NULL;
    struct err_info e = {0};
    assert_int_equal(config_load(&base, schema, KEYS, NULL, NULL, 0, &e), ERR_OK);
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct config *c = NULL;
        assert_int_equal(config_load(&c, schema, KEYS, NULL, &sets[i], 1, &e), ERR_OK);
        bool same = config_hash(c) == config_hash(base);
        assert_int_equal(same, strcmp(sets[i], "input=") == 0);
        config_free(c);
    }
    config_free(base);
}

static void groups_are_printed_once_though_the_schema_splits_them(void **state) {
    (void)state;
    struct config *c = NULL;
    struct err_info e = {0};
    assert_int_equal(config_load(&c, schema, KEYS, NULL, NULL, 0, &e), ERR_OK);
    char *text = config_yaml(c);
    assert_string_equal(text, "input: []\nsim:\n  latency:\n    entry_ms: 2.5\n    back_ms: 2\n"
                              "model:\n  kind: logistic\ncount: 7\nfee: 0.0004\nstrict: false\n"
                              "note: \"\"\nvenue:\n  key: \"\"\n");
    free(text);
    config_free(c);
}

static void the_reference_page_has_one_row_a_key(void **state) {
    (void)state;
    char *text = NULL;
    size_t n = 0, rows = 0;
    FILE *to = open_memstream(&text, &n);
    config_markdown(schema, KEYS, to);
    fclose(to);
    for (const char *s = text; *s; s++) rows += *s == '\n';
    assert_int_equal(rows, KEYS + 2);
    for (size_t i = 0; i < KEYS; i++) assert_non_null(strstr(text, schema[i].path));
    assert_non_null(strstr(text, "logistic\\|trees"));
    assert_non_null(strstr(text, "from 0 to 1000"));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_what_the_file_leaves_out),
        cmocka_unit_test(an_empty_file_is_all_defaults),
        cmocka_unit_test(lists_are_sequences_or_one_scalar),
        cmocka_unit_test(an_unknown_key_is_named_with_file_line_and_nearest),
        cmocka_unit_test(a_repeated_key_is_refused_however_it_is_written),
        cmocka_unit_test(an_alias_is_another_spelling_of_the_same_key),
        cmocka_unit_test(a_value_of_another_type_or_range_is_refused),
        cmocka_unit_test(hostile_yaml_is_refused_with_its_line),
        cmocka_unit_test(binary_long_and_absent_files_are_told_apart),
        cmocka_unit_test(sets_win_over_the_file_and_obey_the_schema),
        cmocka_unit_test(a_value_is_changed_only_if_it_differs_from_the_default),
        cmocka_unit_test(a_required_key_that_is_missing_is_named),
        cmocka_unit_test(a_secret_is_neither_printed_nor_hashed_nor_quoted_in_an_error),
        cmocka_unit_test(the_printed_configuration_loads_back_equal),
        cmocka_unit_test(a_change_of_any_value_changes_the_hash),
        cmocka_unit_test(groups_are_printed_once_though_the_schema_splits_them),
        cmocka_unit_test(the_reference_page_has_one_row_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
