#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <errno.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/nearest.h"

static void exit_codes_are_those_of_the_table(void **state) {
    (void)state;
    const struct {
        err_t code;
        int exit;
    } table[] = {{ERR_OK, 0}, {ERR_NO, 1}, {ERR_USAGE, 2}, {ERR_INPUT, 3}, {ERR_END, 3},
        {ERR_RESOURCE, 4}, {ERR_FULL, 4}, {ERR_INTERRUPTED, 4}, {ERR_SERVICE, 5}, {ERR_BUG, 70}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(err_exit_code(table[i].code), table[i].exit);
    }
}

static void a_message_is_one_line_and_cut_visibly(void **state) {
    (void)state;
    struct err_info e;
    char big[2 * ERR_TEXT_MAX];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    assert_int_equal(err_set(&e, ERR_INPUT, "bad \n text \x1b[31m %d", 7), ERR_INPUT);
    assert_string_equal(e.text, "bad ? text ?[31m 7");
    assert_int_equal(e.code, ERR_INPUT);
    err_set(&e, ERR_INPUT, "%s", big);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
    assert_string_equal(e.text + ERR_TEXT_MAX - 4, "...");
    err_set_errno(&e, ENOSPC, "%s", big);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
    assert_int_equal(err_set(NULL, ERR_NO, "nobody reads it"), ERR_NO);
    assert_int_equal(err_set_errno(NULL, EIO, "nobody reads it"), ERR_RESOURCE);
}

static void a_system_error_comes_with_its_remedy(void **state) {
    (void)state;
    struct err_info e;
    assert_int_equal(err_set_errno(&e, ENOSPC, "tape x"), ERR_RESOURCE);
    assert_non_null(strstr(e.text, "tape x: No space left on device; free disk space"));
    err_set_errno(&e, EACCES, "tape x");
    assert_non_null(strstr(e.text, "permissions"));
    err_set_errno(&e, EFBIG, "tape x");
    assert_non_null(strstr(e.text, "ulimit -f"));
}

static void a_failed_check_names_its_place_and_ends_with_70(void **state) {
    (void)state;
    int ends[2];
    char text[300] = "";
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        int two = 2;
        CHECK(two == 3);
        _exit(0);
    }
    close(ends[1]);
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    close(ends[0]);
    assert_int_equal(WEXITSTATUS(status), 70);
    assert_non_null(strstr(text, "err_test.c:"));
    assert_non_null(strstr(text, "two == 3"));
}

static void a_running_hash_depends_on_every_byte_and_its_cut(void **state) {
    (void)state;
    unsigned char bytes[40] = {0};
    char text[17];
    uint64_t whole = hash64(0, bytes, sizeof bytes);
    assert_int_equal(hash64(0, bytes, sizeof bytes), whole);
    for (size_t i = 0; i < sizeof bytes * 8; i++) {
        bytes[i / 8] ^= (unsigned char)(1u << (i % 8));
        assert_true(hash64(0, bytes, sizeof bytes) != whole);
        bytes[i / 8] ^= (unsigned char)(1u << (i % 8));
    }
    assert_true(hash64(hash64(0, "a", 1), "b", 1) != hash64(hash64(0, "b", 1), "a", 1));
    assert_true(hash64(1, bytes, 4) != hash64(0, bytes, 4));
    hash64_text(0x0123456789abcdefull, text);
    assert_string_equal(text, "0123456789abcdef");
    /* XXH3_64bits of no bytes, seed 0: the value of the xxHash specification */
    hash64_text(hash64(0, "", 0), text);
    assert_string_equal(text, "2d06800538d394c2");
}

/* Edit distance by the recursive definition: slow, short words. */
static size_t distance_by_definition(const char *a, size_t n, const char *b, size_t m) {
    if (n == 0 || m == 0) return n + m;
    size_t best = distance_by_definition(a, n - 1, b, m - 1) + (a[n - 1] != b[m - 1]);
    size_t other = distance_by_definition(a, n - 1, b, m) + 1;
    if (other < best) best = other;
    other = distance_by_definition(a, n, b, m - 1) + 1;
    if (other < best) best = other;
    if (n > 1 && m > 1 && a[n - 1] == b[m - 2] && a[n - 2] == b[m - 1]) {
        other = distance_by_definition(a, n - 2, b, m - 2) + 1;
        if (other < best) best = other;
    }
    return best;
}

static void edit_distance_is_its_recursive_definition(void **state) {
    (void)state;
    print_message("seed 21\n");
    srand(21);
    for (int i = 0; i < 300; i++) {
        char a[7] = "", b[7] = "";
        for (int k = rand() % 7; k > 0; k--) a[k - 1] = (char)('a' + rand() % 3);
        for (int k = rand() % 7; k > 0; k--) b[k - 1] = (char)('a' + rand() % 3);
        assert_int_equal(edit_distance(a, b), distance_by_definition(a, strlen(a), b, strlen(b)));
    }
}

static void the_nearest_word_is_near_or_none(void **state) {
    (void)state;
    const char *const known[] = {"backtest", "book", "bench", "tape"};
    char big[300];
    memset(big, 'b', sizeof big - 1);
    big[sizeof big - 1] = 0;
    assert_string_equal(nearest("bakctest", known, 4), "backtest");
    assert_string_equal(nearest("boook", known, 4), "book");
    assert_null(nearest("xyz", known, 4));
    assert_null(nearest("", known, 4));
    assert_null(nearest(big, known, 4));
    assert_null(nearest("book", known, 0));
}

static void arrays_grow_and_keep_what_they_hold(void **state) {
    (void)state;
    size_t cap = 0;
    int *v = NULL;
    for (size_t i = 0; i < 1000; i++) {
        v = mem_array(v, i, &cap, sizeof *v);
        v[i] = (int)i;
    }
    for (size_t i = 0; i < 1000; i++) assert_int_equal(v[i], (int)i);
    free(v);
    char *text = mem_text("abcdef", 3);
    assert_string_equal(text, "abc");
    free(text);
}

static void out_of_memory_ends_with_a_message_and_exit_4(void **state) {
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        volatile size_t too_much = SIZE_MAX / 4;
        free(mem_alloc(too_much));
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(WEXITSTATUS(status), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_are_those_of_the_table),
        cmocka_unit_test(a_message_is_one_line_and_cut_visibly),
        cmocka_unit_test(a_system_error_comes_with_its_remedy),
        cmocka_unit_test(a_failed_check_names_its_place_and_ends_with_70),
        cmocka_unit_test(a_running_hash_depends_on_every_byte_and_its_cut),
        cmocka_unit_test(edit_distance_is_its_recursive_definition),
        cmocka_unit_test(the_nearest_word_is_near_or_none),
        cmocka_unit_test(arrays_grow_and_keep_what_they_hold),
        cmocka_unit_test(out_of_memory_ends_with_a_message_and_exit_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
