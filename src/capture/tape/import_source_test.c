#include "capture/tape/import_source.h"

#include "capture/tape/import_testing.h"

/* Reads all lines; returns how it ended. */
static err_t read_all(const char *path, size_t *lines, size_t *bytes, struct err_info *e) {
    struct import_source *s;
    *lines = *bytes = 0;
    err_t err = import_source_open(&s, path, e);
    if (err) return err;
    struct import_line line;
    while (!(err = import_source_line(s, &line, e))) {
        *lines += 1;
        *bytes += line.len;
        assert_int_equal(line.number, *lines);
    }
    import_source_close(s);
    return err;
}

static void expect_lines(const char *path, const char *const *want, size_t n) {
    struct import_source *s;
    struct err_info e;
    if (import_source_open(&s, path, &e)) fail_msg("%s", e.text);
    struct import_line line;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(import_source_line(s, &line, &e), ERR_OK);
        assert_int_equal(line.len, strlen(want[i]));
        assert_memory_equal(line.text, want[i], line.len);
    }
    assert_int_equal(import_source_line(s, &line, &e), ERR_END);
    import_source_close(s);
}

static const char text[] = "first\r\n\nthird line\nlast without newline";
static const char *const lines_of_text[] = {"first", "", "third line", "last without newline"};

static void the_same_lines_come_out_of_plain_gzip_and_zip(void **state) {
    expect_lines(put_text(*state, "a.txt", text), lines_of_text, 4);
    expect_lines(put_gzip(*state, "a.gz", text), lines_of_text, 4);
    expect_lines(put_gzip(*state, "packed-without-suffix", text), lines_of_text, 4);
    expect_lines(put_zip(*state, "a.zip", text, 1), lines_of_text, 4);
}

static void an_empty_plain_file_has_no_line_and_an_empty_packed_one_is_refused(void **state) {
    size_t lines, bytes;
    struct err_info e;
    assert_int_equal(read_all(put_text(*state, "e.txt", ""), &lines, &bytes, &e), ERR_END);
    assert_int_equal(lines, 0);
    assert_int_equal(read_all(put_text(*state, "e.gz", ""), &lines, &bytes, &e), ERR_INPUT);
    assert_non_null(strstr(e.text, "e.gz"));
}

static void gzip_members_in_a_row_are_one_text_even_within_a_line(void **state) {
    size_t a, b;
    unsigned char *x = gzip_of("one\ntw", 6, &a), *y = gzip_of("o\nthree\n", 8, &b);
    unsigned char both[512];
    memcpy(both, x, a);
    memcpy(both + a, y, b);
    memset(both + a + b, 0, 100); /* padding of a tape block */
    char *path = fixture_path(*state, "two.gz");
    put_bytes(path, both, a + b + 100);
    const char *const want[] = {"one", "two", "three"};
    expect_lines(path, want, 3);
    both[a + b] = 'x'; /* no padding: something else follows */
    put_bytes(path, both, a + b + 100);
    size_t lines, bytes;
    struct err_info e;
    assert_int_equal(read_all(path, &lines, &bytes, &e), ERR_INPUT);
    assert_int_equal(lines, 3);
    assert_non_null(strstr(e.text, "at byte"));
    free(x);
    free(y);
}

static void a_gzip_torn_at_any_byte_gives_whole_lines_before_it_and_names_the_place(void **state) {
    char all[20000];
    size_t n = 0, total = 0;
    uint32_t seed = 7;
    while (n < sizeof all - 100) {
        seed = seed * 1664525u + 1013904223u;
        n += (size_t)snprintf(all + n, sizeof all - n, "%u row %zu\n", seed, total++);
    }
    size_t packed_n;
    unsigned char *packed = gzip_of(all, n, &packed_n);
    char *path = fixture_path(*state, "torn.gz");
    size_t before = 0;
    for (size_t cut = 3; cut < packed_n; cut += 97) {
        put_bytes(path, packed, cut);
        size_t lines, bytes;
        struct err_info e;
        assert_int_equal(read_all(path, &lines, &bytes, &e), ERR_INPUT);
        assert_true(lines >= before && lines <= total);
        assert_non_null(strstr(e.text, "torn.gz"));
        assert_non_null(strstr(e.text, "at byte"));
        before = lines;
    }
    assert_true(before > total / 2);
    free(packed);
}

static void a_flipped_byte_in_a_gzip_is_found(void **state) {
    size_t n;
    unsigned char *packed = gzip_of(text, sizeof text - 1, &n);
    char *path = fixture_path(*state, "flip.gz");
    for (size_t at = 10; at < n; at++) {
        packed[at] ^= 0x55;
        put_bytes(path, packed, n);
        size_t lines, bytes;
        struct err_info e;
        assert_int_equal(read_all(path, &lines, &bytes, &e), ERR_INPUT);
        packed[at] ^= 0x55;
    }
    free(packed);
}

static void what_is_no_gzip_no_zip_or_no_file_is_refused_by_name(void **state) {
    size_t lines, bytes;
    struct err_info e;
    struct fixture *x = *state;
    const char *junk = put_text(x, "junk.gz", "\x1f\x8b\x08not really gzip");
    assert_int_equal(read_all(junk, &lines, &bytes, &e), ERR_INPUT);
    assert_non_null(strstr(e.text, "junk.gz"));
    assert_int_equal(read_all(put_text(x, "text.gz", "a,b\n"), &lines, &bytes, &e), ERR_INPUT);
    assert_int_equal(read_all(put_text(x, "t.zip", "PK\3\4 torn"), &lines, &bytes, &e), ERR_INPUT);
    assert_int_equal(read_all(put_zip(x, "two.zip", text, 2), &lines, &bytes, &e), ERR_INPUT);
    assert_non_null(strstr(e.text, "2 files"));
    assert_int_equal(read_all(x->dir, &lines, &bytes, &e), ERR_INPUT);
    assert_int_equal(read_all("/no/such/file", &lines, &bytes, &e), ERR_RESOURCE);
}

static void a_line_beyond_the_limit_comes_out_cut_and_the_next_one_whole(void **state) {
    size_t n = (size_t)IMPORT_LINE_MAX * 3;
    char *big = malloc(n + 16);
    memset(big, 'x', n);
    memcpy(big, "short\n", 6);
    memcpy(big + n, "\nafter\n", 8);
    struct import_source *s;
    struct import_line line;
    struct err_info e;
    assert_int_equal(import_source_open(&s, put_gzip(*state, "big.gz", big), &e), ERR_OK);
    assert_int_equal(import_source_line(s, &line, &e), ERR_OK);
    assert_false(line.cut);
    assert_int_equal(import_source_line(s, &line, &e), ERR_OK);
    assert_true(line.cut);
    assert_int_equal(line.number, 2);
    assert_int_equal(import_source_line(s, &line, &e), ERR_OK);
    assert_false(line.cut);
    assert_int_equal(line.number, 3);
    assert_memory_equal(line.text, "after", 5);
    assert_int_equal(import_source_line(s, &line, &e), ERR_END);
    import_source_close(s);
    free(big);
}

static void a_line_of_exactly_the_limit_is_whole(void **state) {
    char *big = malloc((size_t)IMPORT_LINE_MAX + 2);
    memset(big, 'y', IMPORT_LINE_MAX);
    memcpy(big + IMPORT_LINE_MAX, "\n", 2);
    struct import_source *s;
    struct import_line line;
    struct err_info e;
    assert_int_equal(import_source_open(&s, put_text(*state, "limit", big), &e), ERR_OK);
    assert_int_equal(import_source_line(s, &line, &e), ERR_OK);
    assert_false(line.cut);
    assert_int_equal(line.len, IMPORT_LINE_MAX);
    import_source_close(s);
    free(big);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_lines_come_out_of_plain_gzip_and_zip),
        cmocka_unit_test(an_empty_plain_file_has_no_line_and_an_empty_packed_one_is_refused),
        cmocka_unit_test(gzip_members_in_a_row_are_one_text_even_within_a_line),
        cmocka_unit_test(a_gzip_torn_at_any_byte_gives_whole_lines_before_it_and_names_the_place),
        cmocka_unit_test(a_flipped_byte_in_a_gzip_is_found),
        cmocka_unit_test(what_is_no_gzip_no_zip_or_no_file_is_refused_by_name),
        cmocka_unit_test(a_line_beyond_the_limit_comes_out_cut_and_the_next_one_whole),
        cmocka_unit_test(a_line_of_exactly_the_limit_is_whole),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
