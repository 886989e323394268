#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <math.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/json_out.h"

static void commas_and_nesting_are_right(void **state) {
    (void)state;
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kint(&j, "a", -1);
    json_key(&j, "list");
    json_array(&j);
    json_array(&j);
    json_array_end(&j);
    json_uint(&j, UINT64_MAX);
    json_null(&j);
    json_bool(&j, false);
    json_object(&j);
    json_object_end(&j);
    json_array_end(&j);
    json_kstr(&j, "s", "x");
    json_kbool(&j, "b", true);
    json_key(&j, "h");
    json_hash(&j, 0x1f);
    json_key(&j, "m");
    json_money(&j, -1500000000000);
    json_object_end(&j);
    assert_string_equal(j.text,
        "{\"a\":-1,\"list\":[[],18446744073709551615,null,false,{}],"
        "\"s\":\"x\",\"b\":true,\"h\":\"000000000000001f\",\"m\":\"-1.5\"}");
    assert_int_equal(j.len, strlen(j.text));
    json_fini(&j);
}

static void doubles_read_back_to_the_same_bits_and_have_no_infinity(void **state) {
    (void)state;
    print_message("seed 8\n");
    srand(8);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = ((uint64_t)rand() << 42) ^ ((uint64_t)rand() << 21) ^ (uint64_t)rand();
        double v, back;
        struct json_out j;
        memcpy(&v, &bits, 8);
        json_init(&j);
        json_double(&j, v);
        if (isfinite(v)) {
            back = strtod(j.text, NULL);
            assert_memory_equal(&back, &v, 8);
        } else {
            assert_string_equal(j.text, "null");
        }
        json_fini(&j);
    }
}

/* True if all of s[0..n) is well-formed UTF-8 (RFC 3629, table of section 4), by code points. */
static bool utf8_valid(const unsigned char *s, size_t n) {
    for (size_t i = 0; i < n;) {
        unsigned c = s[i], more = c < 0x80 ? 0 : c < 0xc0 ? 9 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
        uint32_t point = more == 0 ? c : c & (0x3fu >> more);
        if (more == 9 || c > 0xf7 || i + more >= n + (more == 0)) return false;
        for (unsigned k = 1; k <= more; k++) {
            if (i + k >= n || (s[i + k] & 0xc0) != 0x80) return false;
            point = point << 6 | (s[i + k] & 0x3fu);
        }
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (point < least[more] || point > 0x10ffff) return false;
        if (point >= 0xd800 && point <= 0xdfff) return false;
        i += more + 1;
    }
    return true;
}

/* A foreign reader (cJSON) gets the text back; bad bytes became U+FFFD and the document stays
 * UTF-8. */
static void any_bytes_make_a_document_that_a_foreign_reader_takes(void **state) {
    (void)state;
    int valid = 0;
    print_message("seed 9\n");
    srand(9);
    for (int i = 0; i < 30000; i++) {
        static const char *const piece[] = {"a", "\"", "\\", "\n", "\x1f", "\xc3\xa9",
            "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xe2\x82",
            "\x7f", "/", "\xf4\x90\x80\x80"};
        char text[64] = "";
        size_t n = 0;
        for (int k = rand() % 9; k > 0; k--) {
            const char *p = piece[(size_t)rand() % (sizeof piece / sizeof piece[0])];
            memcpy(text + n, p, strlen(p));
            n += strlen(p);
        }
        struct json_out j;
        json_init(&j);
        json_strn(&j, text, n);
        assert_true(utf8_valid((const unsigned char *)j.text, j.len));
        cJSON *read = cJSON_ParseWithLength(j.text, j.len);
        assert_non_null(read);
        if (utf8_valid((const unsigned char *)text, n)) {
            text[n] = 0;
            assert_string_equal(cJSON_GetStringValue(read), text);
            valid++;
        } else {
            assert_non_null(strstr(cJSON_GetStringValue(read), "\xef\xbf\xbd"));
        }
        cJSON_Delete(read);
        json_fini(&j);
    }
    assert_true(valid > 3000 && valid < 27000);
}

static void a_nul_byte_inside_a_text_is_escaped(void **state) {
    (void)state;
    struct json_out j;
    json_init(&j);
    json_strn(&j, "a\0b", 3);
    assert_string_equal(j.text, "\"a\\u0000b\"");
    json_fini(&j);
}

static void a_large_document_grows_whole(void **state) {
    (void)state;
    struct json_out j;
    json_init(&j);
    json_array(&j);
    for (int i = 0; i < 100000; i++) json_int(&j, i);
    json_array_end(&j);
    cJSON *read = cJSON_Parse(j.text);
    assert_int_equal(cJSON_GetArraySize(read), 100000);
    cJSON_Delete(read);
    json_fini(&j);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_nesting_are_right),
        cmocka_unit_test(doubles_read_back_to_the_same_bits_and_have_no_infinity),
        cmocka_unit_test(any_bytes_make_a_document_that_a_foreign_reader_takes),
        cmocka_unit_test(a_nul_byte_inside_a_text_is_escaped),
        cmocka_unit_test(a_large_document_grows_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
