#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pthread.h>

#include <cmocka.h>

#include "base/counters.h"
#include "base/file.h"

enum { EVENTS, LAG, ROWS };

static const struct counter_row table[ROWS] = {
    [EVENTS] = {"tape_events_total", "events written to the tape", "events", COUNTER_TOTAL},
    [LAG] = {"feed_lag_ns", "receive time minus venue time", "ns", COUNTER_GAUGE},
};

static char path[64];

static int make_path(void **state) {
    (void)state;
    strcpy(path, "/tmp/fathom-counters-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

static void another_process_reads_what_we_count(void **state) {
    (void)state;
    struct counters c;
    struct err_info e = {0};
    assert_int_equal(counters_open(&c, table, ROWS, path, &e), ERR_OK);
    counters_add(&c, EVENTS, 40);
    counters_add(&c, EVENTS, 2);
    counters_set(&c, LAG, -5);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct counters seen;
        bool good = counters_attach(&seen, path, &e) == ERR_OK && seen.count == ROWS &&
                    counters_get(&seen, EVENTS) == 42 && counters_get(&seen, LAG) == -5 &&
                    strcmp(counters_name(&seen, LAG), "feed_lag_ns") == 0;
        _exit(good ? 0 : 1);
    }
    int status = 1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    counters_close(&c);
    assert_false(file_exists(path));
    counters_close(&c);
}

static void a_page_in_use_is_refused_and_a_dead_process_page_is_taken_over(void **state) {
    (void)state;
    struct counters a, b;
    struct err_info e = {0};
    assert_int_equal(counters_open(&a, table, ROWS, path, &e), ERR_OK);
    counters_add(&a, EVENTS, 7);
    assert_int_equal(counters_open(&b, table, ROWS, path, &e), ERR_RESOURCE);
    assert_non_null(strstr(e.text, "running process"));
    assert_int_equal(counters_get(&a, EVENTS), 7);
    counters_close(&a);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(counters_open(&a, table, ROWS, path, &e) ? 1 : 0); /* dies without closing */
    int status = 1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_true(file_exists(path));
    assert_int_equal(counters_open(&b, table, ROWS, path, &e), ERR_OK);
    assert_int_equal(counters_get(&b, EVENTS), 0);
    counters_close(&b);
}

/* Without syncing: it is done hundreds of times. */
static void put_page(const char *bytes, size_t n) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* Flips each byte of header and rows: never taken, never a crash. */
static void a_damaged_page_is_refused(void **state) {
    (void)state;
    struct counters c, seen;
    struct err_info e = {0};
    char *bytes = NULL;
    size_t n = 0;
    assert_int_equal(counters_open(&c, table, ROWS, path, &e), ERR_OK);
    assert_int_equal(file_read(path, 1 << 20, &bytes, &n, &e), ERR_OK);
    counters_close(&c);
    for (size_t i = 0; i < 64 + ROWS * 192; i++) {
        if (i >= 20 && i < 64) continue; /* process id and padding say nothing of the layout */
        bytes[i] ^= 0x15;
        put_page(bytes, n);
        if (counters_attach(&seen, path, &e) != ERR_INPUT) fail_msg("byte %zu", i);
        bytes[i] ^= 0x15;
    }
    for (size_t cut = 0; cut < n; cut += 7) {
        put_page(bytes, cut);
        assert_int_equal(counters_attach(&seen, path, &e), ERR_INPUT);
    }
    free(bytes);
    assert_int_equal(counters_attach(&seen, "/tmp/no-such-page", &e), ERR_RESOURCE);
}

static void *count_many(void *arg) {
    for (int i = 0; i < 100000; i++) counters_add(arg, EVENTS, 1);
    return NULL;
}

static void no_addition_of_any_thread_is_lost(void **state) {
    (void)state;
    struct counters c;
    struct err_info e = {0};
    pthread_t thread[3];
    assert_int_equal(counters_open(&c, table, ROWS, NULL, &e), ERR_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, count_many, &c), 0);
    for (int i = 0; i < 3; i++) pthread_join(thread[i], NULL);
    assert_int_equal(counters_get(&c, EVENTS), 300000);
    counters_close(&c);
}

static void the_export_is_prometheus_text_made_from_the_table(void **state) {
    (void)state;
    struct counters c;
    struct err_info e = {0};
    char *text = NULL;
    size_t n = 0;
    assert_int_equal(counters_open(&c, table, ROWS, NULL, &e), ERR_OK);
    counters_add(&c, EVENTS, 3);
    FILE *to = open_memstream(&text, &n);
    counters_export(&c, to);
    fclose(to);
    assert_string_equal(text,
        "# HELP fathom_tape_events_total events written to the tape (events)\n"
        "# TYPE fathom_tape_events_total counter\n"
        "fathom_tape_events_total 3\n"
        "# HELP fathom_feed_lag_ns receive time minus venue time (ns)\n"
        "# TYPE fathom_feed_lag_ns gauge\n"
        "fathom_feed_lag_ns 0\n");
    free(text);
    counters_close(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            another_process_reads_what_we_count, make_path, remove_path),
        cmocka_unit_test_setup_teardown(
            a_page_in_use_is_refused_and_a_dead_process_page_is_taken_over, make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_damaged_page_is_refused, make_path, remove_path),
        cmocka_unit_test(no_addition_of_any_thread_is_lost),
        cmocka_unit_test(the_export_is_prometheus_text_made_from_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
