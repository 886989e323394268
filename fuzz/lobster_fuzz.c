/* lobster_fuzz.c: pairs of LOBSTER files. The bytes up to the first 0 are the message file, the
 * rest the order book file. Whatever they hold, the import writes a tape or names what is wrong; no
 * level of a written tape is negative, every depth message has its ends.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "capture/tape/import.h"
#include "capture/tape/tape.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static char dir[32];

static void remove_dir(void) {
    struct err_info e;
    (void)!file_remove_tree(dir, &e);
}

static void check_tape(const char *path) {
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    struct err_info e;
    const struct event *ev;
    size_t n;
    bool open = false;
    if (tape_reader_open(&r, path, &opt, &e)) return;
    while (tape_reader_next(r, &ev, &n, &e) == ERR_OK) {
        for (size_t i = 0; i < n; i++) {
            CHECK(ev[i].kind == EV_ORDER || ev[i].kind == EV_TRADE || ev[i].kind == EV_DEPTH);
            if (ev[i].kind != EV_DEPTH) continue;
            CHECK(ev[i].qty.lots >= 0);
            CHECK(open == !(ev[i].flags & EVF_FIRST));
            open = !(ev[i].flags & EVF_LAST);
        }
    }
    tape_reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static char path[2][96], tape[64];
    struct err_info e;
    if (!dir[0]) {
        strcpy(dir, "/tmp/lobster-fuzz-XXXXXX");
        CHECK(mkdtemp(dir) != NULL);
        CHECK(atexit(remove_dir) == 0);
        snprintf(path[0], sizeof path[0], "%s/X_2012-06-21_0_1_message_1.csv", dir);
        snprintf(path[1], sizeof path[1], "%s/X_2012-06-21_0_1_orderbook_1.csv", dir);
        snprintf(tape, sizeof tape, "%s/tape", dir);
    }
    const uint8_t *cut = memchr(bytes, 0, n);
    size_t first = cut ? (size_t)(cut - bytes) : n, second = cut ? n - first - 1 : 0;
    CHECK(file_write(path[0], bytes, first, true, &e) == ERR_OK);
    CHECK(file_write(path[1], cut ? cut + 1 : bytes, second, true, &e) == ERR_OK);
    const char *files[2] = {path[0], path[1]};
    struct import_options opt = {.files = files, .n_files = 2, .to = tape, .force = true};
    struct import_report report;
    err_t code = import_run(&opt, &report, &e);
    CHECK(code == ERR_OK || (code == ERR_INPUT && e.text[0] != 0) || code == ERR_RESOURCE);
    if (report.tape_written) check_tape(tape);
    import_report_fini(&report);
    return 0;
}
