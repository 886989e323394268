#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fcntl.h>

#include <cmocka.h>

#include "base/json_out.h"
#include "program/cli.h"
#include "program/dispatch.h"

/* What the verb of the table below was given last. */
static struct cli_args last;
static int runs;

static err_t remember(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    runs++;
    return cli_parse(verb, argc, argv, &last, e);
}

static err_t refuse(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    (void)argc;
    (void)argv;
    return err_set(e, ERR_INPUT, "%s: byte 12 is wrong; import it again", verb->name);
}

static const struct cli_verb tape_info = {.name = "tape info",
    .usage = "TAPE",
    .about = "look",
    .help = "  --at NS\n\nExample:\n  fathom tape info x\n",
    .options = "to= at= strict fault= rate=",
    .args_min = 1,
    .args_max = 2,
    .run = remember};
static const struct cli_verb tape_cut = {.name = "tape cut",
    .usage = "TAPE",
    .about = "shorten",
    .help = "",
    .args_min = 0,
    .args_max = -1,
    .run = refuse};
static const struct cli_verb run_verb = {.name = "run",
    .usage = "CONFIG",
    .about = "all of it",
    .help = "",
    .options = "set=",
    .args_min = 0,
    .args_max = -1,
    .run = remember};
static const struct cli_verb *const verbs[] = {&run_verb, &tape_cut, &tape_info, NULL};

enum { WORDS_MAX = 32 };
static char out_text[20000], err_text[20000];

/* Runs "fathom " + words split at blanks; '_' stands for a blank inside a word. */
static int fathom(const char *words) {
    static char text[400]; /* last points into it */
    char *argv[WORDS_MAX + 1] = {"fathom"};
    int argc = 1;
    snprintf(text, sizeof text, "%s", words);
    for (char *w = strtok(text, " "); w && argc < WORDS_MAX; w = strtok(NULL, " ")) {
        for (char *c = w; *c; c++) *c = *c == '_' ? ' ' : *c;
        argv[argc++] = w;
    }
    memset(out_text, 0, sizeof out_text);
    memset(err_text, 0, sizeof err_text);
    FILE *out = fmemopen(out_text, sizeof out_text, "w");
    FILE *err = fmemopen(err_text, sizeof err_text, "w");
    int code = dispatch(verbs, argc, argv, out, err);
    fclose(out);
    fclose(err);
    return code;
}

static void says(const char *words, int code, const char *on_out, const char *on_err) {
    int got = fathom(words);
    if (got != code) fail_msg("`%s`: exit %d, not %d: %s", words, got, code, err_text);
    if (on_out && !strstr(out_text, on_out)) fail_msg("`%s`: stdout: %s", words, out_text);
    if (on_err && !strstr(err_text, on_err)) fail_msg("`%s`: stderr: %s", words, err_text);
    if (!on_out && out_text[0]) fail_msg("`%s`: unexpected stdout: %s", words, out_text);
    if (!on_err && err_text[0]) fail_msg("`%s`: unexpected stderr: %s", words, err_text);
}

static void help_is_there_on_every_level_with_an_example(void **state) {
    (void)state;
    says("--help", 0, "Example:", NULL);
    says("help", 0, "tape info", NULL);
    says("-h", 0, "tape cut", NULL);
    says("tape --help", 0, "Example:", NULL);
    assert_non_null(strstr(out_text, "tape info"));
    assert_null(strstr(out_text, "all of it"));
    says("help tape", 0, "tape cut", NULL);
    says("tape info --help", 0, "--at NS", NULL);
    says("help tape info", 0, "--at NS", NULL);
    says("tape cut x --help", 0, "Example:", NULL);
    says("run --help", 0, "fathom run CONFIG", NULL);
    says("help exit-codes", 0, "70", NULL);
    says("--version", 0, "fathom ", NULL);
    says("", 2, NULL, "Verbs:");
    says("tape", 2, NULL, "tape info");
    assert_int_equal(runs, 0);
}

static void an_unknown_word_suggests_the_nearest_and_exits_2(void **state) {
    (void)state;
    says("bakctest", 2, NULL, "did you mean `fathom backtest`");
    says("tpae info", 2, NULL, "did you mean `fathom tape`");
    says("tape inof x", 2, NULL, "did you mean `fathom tape info`");
    says("tape zzzzzz", 2, NULL, "see `fathom tape --help`");
    says("qqqqqqqq", 2, NULL, "see `fathom --help`");
    says("backtest", 2, NULL, "no verb of this version");
    says("help bakctest", 2, NULL, "did you mean `fathom backtest`");
    says("help run more", 2, NULL, "`more`");
}

static void options_are_taken_in_every_spelling_and_order(void **state) {
    (void)state;
    says("tape info a --to=x b --strict --at 5 --json --seed 18446744073709551615 --set k=v=w "
         "--config c.yaml --quiet --force --fault one --fault two",
        0, NULL, NULL);
    assert_int_equal(last.argc, 2);
    assert_string_equal(last.argv[1], "b");
    assert_string_equal(cli_value(&last, "to"), "x");
    assert_string_equal(cli_value(&last, "fault"), "two");
    assert_true(cli_flag(&last, "strict") && last.json && last.quiet && last.force);
    assert_true(last.seed_given && last.seed == UINT64_MAX);
    assert_string_equal(last.set[0], "k=v=w");
    assert_string_equal(last.config, "c.yaml");
    int faults = 0;
    for (int i = 0; i < last.options; i++) faults += strcmp(last.option[i].name, "fault") == 0;
    assert_int_equal(faults, 2);
    says("tape info -- --strict", 0, NULL, NULL);
    assert_string_equal(last.argv[0], "--strict");
    assert_false(cli_flag(&last, "strict"));
    says("tape info -5 -", 0, NULL, NULL);
    assert_string_equal(last.argv[0], "-5");
    says("tape info --to= x", 0, NULL, NULL);
    assert_string_equal(cli_value(&last, "to"), "");
    says("tape info x --at --strict", 0, NULL, NULL); /* a value may look like an option */
    assert_string_equal(cli_value(&last, "at"), "--strict");
}

static void a_verb_may_give_a_shared_option_its_own_meaning(void **state) {
    (void)state;
    says("run x --set small", 0, NULL, NULL);
    assert_string_equal(cli_value(&last, "set"), "small");
    assert_int_equal(last.sets, 0);
}

static void wrong_usage_names_the_word_and_exits_2(void **state) {
    (void)state;
    says("tape info x --stirct", 2, NULL, "did you mean --strict");
    says("tape info x --qiuet", 2, NULL, "did you mean --quiet");
    says("tape info x --zzzzzzzz", 2, NULL, "fathom tape info --help");
    says("tape info x --to", 2, NULL, "--to needs a value");
    says("tape info x --strict=1", 2, NULL, "--strict takes no value");
    says("tape info", 2, NULL, "needs an argument");
    says("tape info a b c", 2, NULL, "`c` is one argument too many");
    says("tape info x -q", 2, NULL, "-q");
    says("tape info x --seed -1", 2, NULL, "--seed -1");
    says("tape info x --seed 18446744073709551616", 2, NULL, "whole number");
    says("tape info x --seed 1x", 2, NULL, "whole number");
    says("tape info x --set novalue", 2, NULL, "--set key.path=value");
    says("tape info x --a-name-that-is-much-longer-than-any-option=1", 2, NULL, "unknown option");
}

static void an_error_of_a_verb_is_one_line_with_its_exit_code(void **state) {
    (void)state;
    says("tape cut", 3, NULL, "fathom: tape cut: byte 12 is wrong; import it again\n");
}

static void number_options_obey_their_range(void **state) {
    (void)state;
    const struct {
        const char *words;
        err_t err;
        int64_t value;
    } table[] = {{"tape info x", ERR_OK, 7}, {"tape info x --at 5", ERR_OK, 5},
        {"tape info x --at -10", ERR_OK, -10}, {"tape info x --at 101", ERR_USAGE, 0},
        {"tape info x --at -11", ERR_USAGE, 0}, {"tape info x --at 5x", ERR_USAGE, 0},
        {"tape info x --at=", ERR_USAGE, 0}, {"tape info x --at 0x5", ERR_USAGE, 0},
        {"tape info x --at _5", ERR_USAGE, 0}, {"tape info x --at 1.0", ERR_USAGE, 0},
        {"tape info x --at 99999999999999999999", ERR_USAGE, 0}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct err_info e = {0};
        int64_t v = 0;
        says(table[i].words, 0, NULL, NULL);
        if (cli_int(&last, "at", -10, 100, 7, &v, &e) != table[i].err)
            fail_msg("%s", table[i].words);
        assert_int_equal(v, table[i].value);
        if (table[i].err) assert_non_null(strstr(e.text, "from -10 to 100"));
    }
    const char *const bad[] = {"nan", "inf", "1e999", "x", "", "1.5.", "_1", "2.01", "-0.1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char words[80];
        struct err_info e = {0};
        double v = 9;
        snprintf(words, sizeof words, "tape info x --rate=%s", bad[i]);
        says(words, 0, NULL, NULL);
        if (cli_double(&last, "rate", 0, 2, 1, &v, &e) != ERR_USAGE) fail_msg("%s", words);
        assert_true(v == 9);
    }
    double v = 9;
    struct err_info e = {0};
    says("tape info x --rate 1.25", 0, NULL, NULL);
    assert_int_equal(cli_double(&last, "rate", 0, 2, 1, &v, &e), ERR_OK);
    assert_true(v == 1.25);
}

static void too_many_options_or_arguments_are_refused_not_overrun(void **state) {
    (void)state;
    static char *many[CLI_ARGS_MAX + 8];
    struct err_info e = {0};
    for (int i = 0; i < CLI_ARGS_MAX + 8; i++) many[i] = "--strict";
    assert_int_equal(cli_parse(&tape_info, CLI_OPTIONS_MAX + 1, many, &last, &e), ERR_USAGE);
    for (int i = 0; i < CLI_ARGS_MAX + 8; i++) many[i] = "x";
    assert_int_equal(cli_parse(&tape_cut, CLI_ARGS_MAX, many, &last, &e), ERR_OK);
    assert_int_equal(cli_parse(&tape_cut, CLI_ARGS_MAX + 1, many, &last, &e), ERR_USAGE);
    for (int i = 0; i < CLI_ARGS_MAX + 8; i++) many[i] = "--set=a=b";
    assert_int_equal(cli_parse(&tape_cut, CLI_SETS_MAX + 1, many, &last, &e), ERR_USAGE);
}

static void man_page_and_completion_name_every_verb(void **state) {
    (void)state;
    says("help man", 0, ".B fathom tape info", NULL);
    assert_non_null(strstr(out_text, ".SH EXIT STATUS"));
    says("help completion", 0, "complete -o filenames -F _fathom fathom", NULL);
    assert_non_null(strstr(out_text, "--strict"));
}

static void a_full_stdout_is_a_resource_error(void **state) {
    (void)state;
    char *argv[] = {"fathom", "--help"};
    FILE *full = fopen("/dev/full", "w"), *err = fmemopen(err_text, sizeof err_text, "w");
    assert_non_null(full);
    assert_int_equal(dispatch(verbs, 2, argv, full, err), 4);
    fclose(full);
    fclose(err);
    assert_non_null(strstr(err_text, "stdout"));
}

static void the_real_table_is_sorted_and_every_help_has_an_example(void **state) {
    (void)state;
    for (const struct cli_verb *const *v = cli_verbs; *v; v++) {
        memset(out_text, 0, sizeof out_text);
        FILE *out = fmemopen(out_text, sizeof out_text, "w");
        help_verb(*v, out);
        fclose(out);
        if (!strstr(out_text, "xample")) fail_msg("fathom %s --help has no example", (*v)->name);
        assert_true(strlen((*v)->about) > 5);
        assert_non_null((*v)->run);
        if (v[1] && strcmp((*v)->name, v[1]->name) >= 0) fail_msg("%s stands too late", v[1]->name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_is_there_on_every_level_with_an_example),
        cmocka_unit_test(an_unknown_word_suggests_the_nearest_and_exits_2),
        cmocka_unit_test(options_are_taken_in_every_spelling_and_order),
        cmocka_unit_test(a_verb_may_give_a_shared_option_its_own_meaning),
        cmocka_unit_test(wrong_usage_names_the_word_and_exits_2),
        cmocka_unit_test(an_error_of_a_verb_is_one_line_with_its_exit_code),
        cmocka_unit_test(number_options_obey_their_range),
        cmocka_unit_test(too_many_options_or_arguments_are_refused_not_overrun),
        cmocka_unit_test(man_page_and_completion_name_every_verb),
        cmocka_unit_test(a_full_stdout_is_a_resource_error),
        cmocka_unit_test(the_real_table_is_sorted_and_every_help_has_an_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
