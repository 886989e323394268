/* The LOBSTER sample of AAPL, 2012-06-21: the book rebuilt from the tape alone against every
 * recorded row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "capture/tape/import.h"
#include "capture/tape/tape.h"
#include "shared.h"

#define STEM "AAPL_2012-06-21_34200000_57600000"

static char dir[64];

static int make_dir(void **state) {
    (void)state;
    strcpy(dir, "/tmp/lobster-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state) {
    (void)state;
    struct err_info e;
    return file_remove_tree(dir, &e) == ERR_OK ? 0 : -1;
}

static size_t read_all(const char *tape, struct event *out, size_t cap) {
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    struct err_info e;
    const struct event *slots;
    size_t n, all = 0;
    assert_int_equal(tape_reader_open(&r, tape, &opt, &e), ERR_OK);
    while (tape_reader_next(r, &slots, &n, &e) == ERR_OK) {
        assert_true(all + n <= cap);
        memcpy(out + all, slots, n * sizeof *slots);
        all += n;
    }
    tape_reader_close(r);
    return all;
}

enum { DEEP = 10, LEVELS_MAX = 64 };

struct plain { /* levels of a side, unsorted: slow and plain */
    int64_t px[LEVELS_MAX], qty[LEVELS_MAX];
    size_t n;
};

static void plain_set(struct plain *b, int64_t px, int64_t qty) {
    size_t i = 0;
    while (i < b->n && b->px[i] != px) i++;
    assert_true(i < LEVELS_MAX);
    if (i == b->n) b->n++;
    b->px[i] = px;
    b->qty[i] = qty;
    if (qty > 0) return;
    b->n--;
    b->px[i] = b->px[b->n];
    b->qty[i] = b->qty[b->n];
}

/* Compares the best ten with a row; returns the levels compared. */
static size_t check_row(const struct plain book[2], const char *row) {
    size_t checked = 0;
    struct plain left[2] = {book[0], book[1]};
    for (int k = 0; k < DEEP; k++) {
        for (int side = 1; side >= 0; side--) {
            char *end;
            int64_t px = strtoll(row, &end, 10), qty = strtoll(end + 1, &end, 10);
            row = end + 1;
            struct plain *b = &left[side];
            size_t best = 0;
            for (size_t i = 1; i < b->n; i++) {
                if (side == 0 ? b->px[i] > b->px[best] : b->px[i] < b->px[best]) best = i;
            }
            assert_true(b->n > 0);
            assert_int_equal(b->px[best], px);
            assert_int_equal(b->qty[best], qty);
            plain_set(b, px, 0);
            checked++;
        }
    }
    return checked;
}

static void the_rebuilt_book_of_aapl_equals_every_recorded_row(void **state) {
    (void)state;
    SHARED_OR_SKIP("data/known/lobster/" STEM "_message_10.csv", message);
    SHARED_OR_SKIP("data/known/lobster/" STEM "_orderbook_10.csv", rows);
    const char *files[2] = {rows, message};
    char tape[96];
    struct err_info e;
    struct import_report r;
    snprintf(tape, sizeof tape, "%s/aapl", dir);
    struct import_options opt = {.files = files, .n_files = 2, .to = tape, .strict = true};
    assert_int_equal(import_run(&opt, &r, &e), ERR_OK);
    printf("AAPL: %llu levels came into the range of ten, %llu changed out of it, %llu wrong\n",
        (unsigned long long)r.levels_revealed, (unsigned long long)r.levels_stale,
        (unsigned long long)r.levels_wrong);
    assert_int_equal(r.levels_wrong, 0);
    assert_true(r.levels_revealed + r.levels_stale < 20); /* of 19,980: the rest is rebuilt */
    import_report_fini(&r);
    static struct event ev[8192];
    size_t n = read_all(tape, ev, 8192), checked = 0, lines = 0;
    FILE *f = fopen(rows, "r");
    assert_non_null(f);
    static struct plain book[2];
    char row[4096];
    book[0].n = book[1].n = 0;
    size_t i = 0;
    while (i < n && (ev[i].flags & EVF_SNAPSHOT)) {
        plain_set(&book[(ev[i].flags & EVF_SELL) != 0], ev[i].px.ticks, ev[i].qty.lots);
        i++;
    }
    /* Each row of the file: the events up to the next message's first order event. */
    while (fgets(row, sizeof row, f)) {
        assert_true(i < n && ev[i].kind == EV_ORDER && ev[i].id >= 0);
        bool first = true;
        for (; i < n &&
               (first || ev[i].kind != EV_ORDER || ev[i].id == 0 || ev[i - 1].kind == EV_ORDER);
             i++) {
            bool hidden = ev[i].kind == EV_ORDER && ev[i].aux.a == ACTION_HIDDEN;
            if (!first && hidden) break;
            first = false;
            if (ev[i].kind == EV_DEPTH) {
                plain_set(&book[(ev[i].flags & EVF_SELL) != 0], ev[i].px.ticks, ev[i].qty.lots);
            }
        }
        checked += check_row(book, row);
        lines++;
    }
    fclose(f);
    assert_int_equal(i, n);
    assert_int_equal(lines, 999);
    assert_int_equal(checked, 999 * 2 * DEEP);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_rebuilt_book_of_aapl_equals_every_recorded_row, make_dir, drop_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
