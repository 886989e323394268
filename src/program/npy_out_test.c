/* npy_out_test.c: the bytes of a .npy are those that the format's page describes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "program/npy_out.h"

static void the_head_says_type_order_and_shape_and_the_rows_follow(void **state) {
    enum { ROWS = 1000, ROOM = 16384 };
    static char bytes[ROOM];
    struct npy_stream npy;
    struct err_info e;
    const float row[3] = {1.5f, -2.0f, 0.25f};
    (void)state;
    FILE *f = tmpfile();
    assert_non_null(f);
    assert_int_equal(npy_out_begin(&npy, f, "x.npy", 3, &e), ERR_OK);
    for (int i = 0; i < ROWS; i++) assert_int_equal(npy_out_row(&npy, row, &e), ERR_OK);
    assert_int_equal(npy_out_end(&npy, &e), ERR_OK);
    rewind(f);
    size_t whole = fread(bytes, 1, ROOM, f);
    fclose(f);
    assert_memory_equal(bytes, "\x93NUMPY\x01\x00", 8);
    size_t head = (size_t)(unsigned char)bytes[8] + 256 * (size_t)(unsigned char)bytes[9];
    assert_int_equal((10 + head) % 64, 0);
    assert_int_equal(bytes[10 + head - 1], '\n');
    bytes[10 + head - 1] = '\0';
    static const char dict[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000, 3), }";
    assert_memory_equal(bytes + 10, dict, sizeof dict - 1);
    assert_int_equal(strspn(bytes + 10 + sizeof dict - 1, " "), head - sizeof dict);
    assert_int_equal(whole, 10 + head + sizeof row * ROWS);
    assert_memory_equal(bytes + 10 + head + sizeof row * 999, row, sizeof row);
}

static void a_stream_that_cannot_be_written_or_rewound_is_an_error(void **state) {
    struct npy_stream npy;
    struct err_info e;
    const float row[1] = {1.0f};
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    assert_int_equal(npy_out_begin(&npy, full, "x.npy", 1, &e), ERR_RESOURCE);
    assert_int_equal(npy_out_row(&npy, row, &e), ERR_RESOURCE);
    assert_int_equal(npy.rows, 0);
    fclose(full);
    FILE *pipe = popen("cat >/dev/null", "w");
    assert_non_null(pipe);
    assert_int_equal(npy_out_begin(&npy, pipe, "x.npy", 1, &e), ERR_OK);
    assert_int_equal(npy_out_end(&npy, &e), ERR_RESOURCE);
    assert_non_null(strstr(e.text, "pipe"));
    pclose(pipe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_says_type_order_and_shape_and_the_rows_follow),
        cmocka_unit_test(a_stream_that_cannot_be_written_or_rewound_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
