#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"

static void takes_are_aligned_zeroed_and_apart(void **state) {
    (void)state;
    const unsigned seed = 11;
    print_message("seed %u\n", seed);
    srand(seed);
    struct arena a;
    struct err_info e = {0};
    assert_int_equal(arena_open(&a, 1 << 20, &e), ERR_OK);
    unsigned char *end = NULL;
    for (int i = 0;; i++) {
        size_t align = (size_t)1 << (rand() % 13), n = (size_t)rand() % 3000;
        void *p = NULL;
        if (arena_take(&a, &p, n, 1, align, "test", &e)) {
            assert_true(i > 100);
            break;
        }
        assert_int_equal((uintptr_t)p % align, 0);
        assert_true((unsigned char *)p >= end);
        for (size_t k = 0; k < n; k++) assert_int_equal(((unsigned char *)p)[k], 0);
        memset(p, 0xff, n);
        end = (unsigned char *)p + n;
    }
    assert_true(a.used <= a.bytes);
    arena_close(&a);
}

static void a_full_arena_says_who_wanted_how_much_and_stays_as_it_was(void **state) {
    (void)state;
    struct arena a;
    struct err_info e = {0};
    void *p = NULL;
    assert_int_equal(arena_open(&a, 4096, &e), ERR_OK);
    assert_int_equal(arena_take(&a, &p, 4000, 1, 1, "first", &e), ERR_OK);
    void *before = p;
    assert_int_equal(arena_take(&a, &p, 25, 8, 8, "books", &e), ERR_FULL);
    assert_ptr_equal(p, before);
    assert_int_equal(a.used, 4000);
    assert_non_null(strstr(e.text, "books needs 25 x 8"));
    assert_int_equal(arena_take(&a, &p, SIZE_MAX, 16, 1, "overflow", &e), ERR_FULL);
    assert_int_equal(arena_take(&a, &p, 96, 1, 1, "rest", &e), ERR_OK);
    arena_close(&a);
    assert_int_equal(arena_open(&a, 0, &e), ERR_USAGE);
    assert_int_equal(arena_open(&a, ARENA_BYTES_MAX + 1, &e), ERR_USAGE);
}

static void a_take_after_the_seal_stops_the_process_as_our_own_bug(void **state) {
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct arena a;
        struct err_info e;
        void *p;
        close(STDERR_FILENO);
        if (arena_open(&a, 4096, &e)) _exit(1);
        arena_seal(&a);
        _exit(arena_take(&a, &p, 1, 1, 1, "late", &e) ? 2 : 3);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 70);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_are_aligned_zeroed_and_apart),
        cmocka_unit_test(a_full_arena_says_who_wanted_how_much_and_stays_as_it_was),
        cmocka_unit_test(a_take_after_the_seal_stops_the_process_as_our_own_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
