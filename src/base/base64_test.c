/* base64_test.c: the vectors of RFC 4648, there and back. */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_vectors_of_the_standard(void **state) {
    (void)state;
    static const char *const text[] = {"", "", "f", "Zg==", "fo", "Zm8=", "foo", "Zm9v", "foob",
        "Zm9vYg==", "fooba", "Zm9vYmE=", "foobar", "Zm9vYmFy"};
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i += 2) {
        char out[16], back[16] = {0};
        size_t n = strlen(text[i]);
        base64_encode(text[i], n, out);
        assert_string_equal(out, text[i + 1]);
        assert_int_equal(base64_size(n), strlen(out));
        assert_true(base64_decode(out, back, n));
        assert_memory_equal(back, text[i], n);
    }
}

static void other_text_is_refused(void **state) {
    (void)state;
    char out[16];
    assert_false(base64_decode("Zg=", out, 1));
    assert_false(base64_decode("Zg==", out, 4));
    assert_false(base64_decode("Z*==", out, 1));
    assert_false(base64_decode("Zg=A", out, 1));
    assert_false(base64_decode("Zm9v====", out, 3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_standard),
        cmocka_unit_test(other_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
