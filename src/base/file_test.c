#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dirent.h>
#include <signal.h>

#include <cmocka.h>

#include "base/file.h"

static char root[64];

static const char *in_root(const char *name) {
    static char path[4][256];
    static int at;
    at = (at + 1) % 4;
    snprintf(path[at], sizeof path[at], "%s/%s", root, name);
    return path[at];
}

static int make_root(void **state) {
    (void)state;
    strcpy(root, "/tmp/fathom-file-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state) {
    (void)state;
    struct err_info e;
    chmod(root, 0755);
    return (int)file_remove_tree(root, &e);
}

/* Names in the folder but "." and "..". */
static int names_in(const char *path) {
    DIR *dir = opendir(path);
    int n = -2;
    assert_non_null(dir);
    while (readdir(dir)) n++;
    closedir(dir);
    return n;
}

static void holds(const char *path, const char *wanted) {
    char *bytes = NULL;
    size_t n = 0;
    struct err_info e = {0};
    if (file_read(path, 1 << 20, &bytes, &n, &e)) fail_msg("%s", e.text);
    assert_int_equal(n, strlen(wanted));
    assert_string_equal(bytes, wanted);
    free(bytes);
}

static void a_file_appears_at_commit_and_not_before(void **state) {
    (void)state;
    struct file_out *f = NULL;
    struct err_info e = {0};
    const char *path = in_root("a.txt");
    assert_int_equal(file_out_open(&f, path, false, &e), ERR_OK);
    fputs("hello", file_out_stream(f));
    fflush(file_out_stream(f));
    assert_false(file_exists(path));
    assert_int_equal(file_out_commit(f, &e), ERR_OK);
    holds(path, "hello");
    assert_int_equal(names_in(root), 1);
}

static void abort_leaves_the_old_bytes_and_nothing_else(void **state) {
    (void)state;
    struct file_out *f = NULL;
    struct err_info e = {0};
    const char *path = in_root("a.txt");
    assert_int_equal(file_write(path, "old", 3, false, &e), ERR_OK);
    assert_int_equal(file_out_open(&f, path, true, &e), ERR_OK);
    fputs("new", file_out_stream(f));
    file_out_abort(f);
    holds(path, "old");
    assert_int_equal(names_in(root), 1);
    file_out_abort(NULL);
}

static void nothing_is_overwritten_without_force(void **state) {
    (void)state;
    struct file_out *f = NULL;
    struct err_info e = {0};
    const char *path = in_root("a.txt");
    assert_int_equal(file_write(path, "old", 3, false, &e), ERR_OK);
    assert_int_equal(file_write(path, "new", 3, false, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "--force"));
    assert_non_null(strstr(e.text, path));
    holds(path, "old");
    assert_int_equal(file_write(path, "new", 3, true, &e), ERR_OK);
    holds(path, "new");
    /* one that appears between open and commit is refused too */
    const char *late = in_root("late.txt");
    assert_int_equal(file_out_open(&f, late, false, &e), ERR_OK);
    fputs("ours", file_out_stream(f));
    assert_int_equal(file_write(late, "theirs", 6, false, &e), ERR_OK);
    assert_int_equal(file_out_commit(f, &e), ERR_USAGE);
    holds(late, "theirs");
    assert_int_equal(names_in(root), 2);
}

static void two_writers_of_one_name_do_not_mix(void **state) {
    (void)state;
    struct file_out *a = NULL, *b = NULL;
    struct err_info e = {0};
    const char *path = in_root("a.txt");
    assert_int_equal(file_out_open(&a, path, true, &e), ERR_OK);
    assert_int_equal(file_out_open(&b, path, true, &e), ERR_OK);
    fputs("aaaa", file_out_stream(a));
    fputs("bb", file_out_stream(b));
    assert_int_equal(file_out_commit(a, &e), ERR_OK);
    holds(path, "aaaa");
    assert_int_equal(file_out_commit(b, &e), ERR_OK);
    holds(path, "bb");
}

static void bad_targets_are_refused_at_open_with_their_name(void **state) {
    (void)state;
    struct file_out *f = NULL;
    struct dir_out *d = NULL;
    struct err_info e = {0};
    assert_int_equal(file_out_open(&f, root, true, &e), ERR_USAGE);
    assert_int_equal(file_out_open(&f, in_root("no/such/x"), false, &e), ERR_RESOURCE);
    assert_non_null(strstr(e.text, "no/such/x"));
    assert_int_equal(file_out_open(&f, "", false, &e), ERR_USAGE);
    assert_int_equal(dir_out_open(&d, in_root("no/such/d"), "m", false, &e), ERR_RESOURCE);
    assert_int_equal(dir_out_open(&d, "", "m", false, &e), ERR_USAGE);
    assert_int_equal(dir_out_open(&d, "/", "m", false, &e), ERR_USAGE);
    assert_int_equal(dir_out_open(&d, "/", "m", true, &e), ERR_USAGE);
    assert_null(f);
    assert_null(d);
}

static void a_device_is_written_directly(void **state) {
    (void)state;
    struct err_info e = {0};
    assert_int_equal(file_write("/dev/null", "x", 1, false, &e), ERR_OK);
    assert_int_equal(file_write("/dev/full", "x", 1, false, &e), ERR_RESOURCE);
    assert_non_null(strstr(e.text, "/dev/full"));
}

/* In a child, because the limit cannot be taken back. */
static void a_full_disk_leaves_the_old_bytes_and_no_partial_file(void **state) {
    (void)state;
    struct err_info e = {0};
    const char *path = in_root("a.txt");
    assert_int_equal(file_write(path, "old", 3, false, &e), ERR_OK);
    for (int early = 0; early < 2; early++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            struct rlimit limit = {10000, 10000};
            struct file_out *f = NULL;
            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &limit);
            if (file_out_open(&f, path, true, &e)) _exit(9);
            /* early: the failure happens in a write long before commit */
            for (int i = 0; i < (early ? 100000 : 1100); i++)
                fputs("ten bytes.", file_out_stream(f));
            _exit((int)file_out_commit(f, &e));
        }
        int status = 0;
        waitpid(child, &status, 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), ERR_RESOURCE);
        holds(path, "old");
        assert_int_equal(names_in(root), 1);
    }
}

static void a_reader_sees_old_or_new_bytes_at_every_moment_of_many_commits(void **state) {
    (void)state;
    struct err_info e = {0};
    const char *path = in_root("a.txt");
    char text[9000];
    memset(text, 'a', sizeof text);
    assert_int_equal(file_write(path, text, sizeof text, false, &e), ERR_OK);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 200; i++) {
            memset(text, 'a' + i % 26, sizeof text);
            if (file_write(path, text, sizeof text, true, &e)) _exit(1);
        }
        _exit(0);
    }
    int status = 0, reads = 0;
    do {
        char *bytes = NULL;
        size_t n = 0;
        assert_int_equal(file_read(path, 1 << 20, &bytes, &n, &e), ERR_OK);
        assert_int_equal(n, sizeof text);
        assert_int_equal(bytes[0], bytes[n - 1]);
        free(bytes);
        reads++;
    } while (waitpid(child, &status, WNOHANG) == 0);
    assert_true(reads > 0);
    assert_int_equal(status, 0);
}

static void put_in(const struct dir_out *d, const char *name, const char *text) {
    char path[FILE_PATH_MAX + 64];
    struct err_info e = {0};
    snprintf(path, sizeof path, "%s/%s", dir_out_path(d), name);
    assert_int_equal(file_write(path, text, strlen(text), false, &e), ERR_OK);
}

static void a_folder_appears_whole_at_commit(void **state) {
    (void)state;
    struct dir_out *d = NULL;
    struct err_info e = {0};
    assert_int_equal(dir_out_open(&d, in_root("run/"), "manifest.json", false, &e), ERR_OK);
    put_in(d, "manifest.json", "{}");
    put_in(d, "fills.csv", "a,b");
    assert_false(file_exists(in_root("run")));
    assert_int_equal(dir_out_commit(d, &e), ERR_OK);
    holds(in_root("run/fills.csv"), "a,b");
    assert_int_equal(names_in(root), 1);
    assert_int_equal(dir_out_open(&d, in_root("run2"), "manifest.json", false, &e), ERR_OK);
    put_in(d, "x", "y");
    dir_out_abort(d);
    assert_int_equal(names_in(root), 1);
    dir_out_abort(NULL);
}

static void a_folder_is_replaced_only_by_force_and_only_if_it_is_ours(void **state) {
    (void)state;
    struct dir_out *d = NULL;
    struct err_info e = {0};
    for (int round = 0; round < 2; round++) {
        assert_int_equal(dir_out_open(&d, in_root("run"), "manifest.json", round > 0, &e), ERR_OK);
        put_in(d, "manifest.json", round ? "{2}" : "{1}");
        if (round == 0) put_in(d, "old", "old");
        assert_int_equal(dir_out_commit(d, &e), ERR_OK);
    }
    holds(in_root("run/manifest.json"), "{2}");
    assert_false(file_exists(in_root("run/old")));
    assert_int_equal(names_in(root), 1);
    assert_int_equal(dir_out_open(&d, in_root("run"), "manifest.json", false, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "--force"));
    mkdir(in_root("home"), 0755);
    assert_int_equal(file_write(in_root("home/letter"), "dear", 4, false, &e), ERR_OK);
    assert_int_equal(dir_out_open(&d, in_root("home"), "manifest.json", true, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "holds other things"));
    holds(in_root("home/letter"), "dear");
    mkdir(in_root("empty"), 0755);
    assert_int_equal(dir_out_open(&d, in_root("empty"), "manifest.json", false, &e), ERR_OK);
    assert_int_equal(dir_out_commit(d, &e), ERR_OK);
    assert_int_equal(dir_out_open(&d, in_root("home/letter"), "m", true, &e), ERR_USAGE);
}

static void remove_tree_removes_links_and_not_what_they_name(void **state) {
    (void)state;
    struct err_info e = {0};
    assert_int_equal(file_write(in_root("kept"), "kept", 4, false, &e), ERR_OK);
    mkdir(in_root("tree"), 0755);
    mkdir(in_root("tree/sub"), 0755);
    assert_int_equal(symlink(in_root("kept"), in_root("tree/sub/link")), 0);
    assert_int_equal(symlink(root, in_root("tree/up")), 0);
    assert_int_equal(file_remove_tree(in_root("tree"), &e), ERR_OK);
    assert_false(file_exists(in_root("tree")));
    holds(in_root("kept"), "kept");
    assert_int_equal(file_remove_tree(in_root("tree"), &e), ERR_RESOURCE);
}

static void missing_folders_are_made_for_a_relative_path_only(void **state) {
    (void)state;
    struct err_info e = {0};
    char back[FILE_PATH_MAX];
    assert_non_null(getcwd(back, sizeof back));
    assert_int_equal(chdir(root), 0);
    assert_int_equal(file_make_parents("a/b/c", &e), ERR_OK);
    assert_int_equal(file_make_parents("a/b/c/", &e), ERR_OK);
    assert_int_equal(file_make_parents("plain", &e), ERR_OK);
    assert_int_equal(names_in("a/b"), 0);
    assert_false(file_exists("plain"));
    assert_int_equal(file_write("letter", "x", 1, false, &e), ERR_OK);
    assert_int_equal(file_make_parents("letter/b/c", &e), ERR_RESOURCE);
    assert_int_equal(file_make_parents(in_root("x/y"), &e), ERR_OK);
    assert_false(file_exists(in_root("x")));
    assert_int_equal(chdir(back), 0);
}

static void a_file_over_the_limit_is_refused_and_one_at_it_is_read(void **state) {
    (void)state;
    struct err_info e = {0};
    char *bytes = NULL;
    size_t n = 0;
    char *big = calloc(1, 200000);
    assert_int_equal(file_write(in_root("b"), big, 200000, false, &e), ERR_OK);
    free(big);
    assert_int_equal(file_read(in_root("b"), 199999, &bytes, &n, &e), ERR_INPUT);
    assert_null(bytes);
    assert_int_equal(file_read(in_root("b"), 200000, &bytes, &n, &e), ERR_OK);
    assert_int_equal(n, 200000);
    free(bytes);
    assert_int_equal(file_read(in_root("none"), 1, &bytes, &n, &e), ERR_RESOURCE);
    assert_int_equal(file_read(root, 100, &bytes, &n, &e), ERR_RESOURCE);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_appears_at_commit_and_not_before),
        IN_FOLDER(abort_leaves_the_old_bytes_and_nothing_else),
        IN_FOLDER(nothing_is_overwritten_without_force),
        IN_FOLDER(two_writers_of_one_name_do_not_mix),
        IN_FOLDER(bad_targets_are_refused_at_open_with_their_name),
        IN_FOLDER(a_device_is_written_directly),
        IN_FOLDER(a_full_disk_leaves_the_old_bytes_and_no_partial_file),
        IN_FOLDER(a_reader_sees_old_or_new_bytes_at_every_moment_of_many_commits),
        IN_FOLDER(a_folder_appears_whole_at_commit),
        IN_FOLDER(a_folder_is_replaced_only_by_force_and_only_if_it_is_ours),
        IN_FOLDER(remove_tree_removes_links_and_not_what_they_name),
        IN_FOLDER(missing_folders_are_made_for_a_relative_path_only),
        IN_FOLDER(a_file_over_the_limit_is_refused_and_one_at_it_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
