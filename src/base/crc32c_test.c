#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"

/* Vectors of RFC 3720, appendix B.4. */
static void the_vectors_of_the_standard_hold(void **state) {
    (void)state;
    unsigned char bytes[32];
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)i;
    assert_int_equal(crc32c(0, bytes, 32), 0x46dd794e);
    for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)(31 - i);
    assert_int_equal(crc32c(0, bytes, 32), 0x113fdb5c);
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(0, "", 0), 0);
}

/* Bit by bit, by the definition: the oracle. */
static uint32_t bitwise(const unsigned char *p, size_t n) {
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int bit = 0; bit < 8; bit++) c = (c >> 1) ^ (0x82f63b78u & (0u - (c & 1u)));
    }
    return ~c;
}

static void instruction_table_and_definition_agree_at_every_length_and_offset(void **state) {
    (void)state;
    const unsigned seed = 7;
    print_message("seed %u\n", seed);
    srand(seed);
    unsigned char bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)rand();
    for (size_t at = 0; at < 9; at++) {
        for (size_t n = 0; n < 280; n++) {
            uint32_t wanted = bitwise(bytes + at, n);
            assert_int_equal(crc32c(0, bytes + at, n), wanted);
            assert_int_equal(crc32c_table(0, bytes + at, n), wanted);
        }
    }
}

static void runs_computed_side_by_side_join_to_the_sum_of_the_definition(void **state) {
    (void)state;
    static unsigned char bytes[20000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * i >> 3);
    for (size_t n = 3 * 1024 - 9; n < sizeof bytes; n += 509) {
        assert_int_equal(crc32c(0, bytes + n % 7, n - 8), bitwise(bytes + n % 7, n - 8));
    }
}

static void a_sum_in_pieces_is_the_sum_of_the_whole(void **state) {
    (void)state;
    const char text[] = "the tape is the only truth, and it is cut anywhere";
    uint32_t whole = crc32c(0, text, sizeof text);
    for (size_t cut = 0; cut <= sizeof text; cut++) {
        assert_int_equal(crc32c(crc32c(0, text, cut), text + cut, sizeof text - cut), whole);
        assert_int_equal(crc32c_table(crc32c(0, text, cut), text + cut, sizeof text - cut), whole);
    }
}

static void every_single_bit_flip_changes_the_sum(void **state) {
    (void)state;
    unsigned char bytes[64] = {1, 2, 3};
    uint32_t whole = crc32c(0, bytes, sizeof bytes);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        assert_int_not_equal(crc32c(0, bytes, sizeof bytes), whole);
        bytes[bit / 8] ^= (unsigned char)(1u << (bit % 8));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_standard_hold),
        cmocka_unit_test(instruction_table_and_definition_agree_at_every_length_and_offset),
        cmocka_unit_test(runs_computed_side_by_side_join_to_the_sum_of_the_definition),
        cmocka_unit_test(a_sum_in_pieces_is_the_sum_of_the_whole),
        cmocka_unit_test(every_single_bit_flip_changes_the_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
