/* tape_fuzz.c: any bytes as a segment file: reader, merge, seeks, verify and repair.
 *
 * With checksums as they are nearly every input stops at the first header, so an input whose last
 * byte is odd gets places and checksums that hold: then what blocks say meets the code behind them.
 * What is read must be whole events of known kinds and instruments, and never more than the blocks
 * claim.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crc32c.h"
#include "capture/tape/tape_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { INPUT_MAX = 1 << 16, PATH_TEXT = 128 };

static void paths(char folder[PATH_TEXT], char file[PATH_TEXT]) {
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder, PATH_TEXT, "%s/fathom-tape-fuzz-%d", base, (int)getpid());
    snprintf(file, PATH_TEXT, "%.100s/00000000.tape", folder);
}

/* Block after block: magic, place, length within the file, checksums. */
static void make_consistent(unsigned char *p, size_t n) {
    for (size_t at = 0; at + TAPE_HEADER_BYTES <= n;) {
        struct tape_header h;
        memcpy(&h, p + at, sizeof h);
        size_t room = (n - at - TAPE_HEADER_BYTES) / TAPE_ALIGN * TAPE_ALIGN;
        h.segment = 0;
        h.tape_id = 1;
        h.offset = at;
        if (h.payload_bytes > room) h.payload_bytes = (uint32_t)room;
        size_t padded = tape_padded(h.payload_bytes);
        memset(p + at + TAPE_HEADER_BYTES + h.payload_bytes, 0, padded - h.payload_bytes);
        tape_header_seal(&h, p + at + TAPE_HEADER_BYTES);
        memcpy(p + at, &h, sizeof h);
        at += TAPE_HEADER_BYTES + padded;
    }
}

static void read_all(struct tape_reader *r) {
    struct err_info e;
    const struct event *slots;
    size_t n, rows, events, bad;
    while (tape_reader_next(r, &slots, &n, &e) == ERR_OK) {
        (void)tape_reader_instruments(r, &rows);
        CHECK(n > 0 && n <= TAPE_NEXT_SLOTS);
        CHECK(tape_slots_check(slots, n, rows, &events, &bad) == NULL);
    }
}

static void use_reader(const char *folder, bool merged, bool quarantine) {
    struct tape_reader *r;
    struct err_info e;
    struct tape_reader_options opt = {.quarantine = quarantine, .torn_ok = true};
    const char *twice[2] = {folder, folder};
    err_t code = merged ? tape_reader_open_merged(&r, twice, 2, &opt, &e)
                        : tape_reader_open(&r, folder, &opt, &e);
    if (code != ERR_OK) return;
    read_all(r);
    if (tape_reader_seek(r, (ts_t){INT64_C(1723161255001000000)}, &e) == ERR_OK) read_all(r);
    if (!merged && tape_reader_seek_event(r, 30, &e) == ERR_OK) read_all(r);
    tape_reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    char folder[PATH_TEXT], file[PATH_TEXT];
    struct tape_verdict v;
    struct tape_writer *w;
    struct tape_writer_options opt = {.segment_bytes = 64 << 10};
    struct err_info e;
    if (n > INPUT_MAX) return 0;
    paths(folder, file);
    (void)mkdir(folder, 0700);
    unsigned char *copy = calloc(1, n + TAPE_ALIGN);
    CHECK(copy != NULL);
    if (n > 0) memcpy(copy, bytes, n);
    if (n > 0 && (bytes[n - 1] & 1)) make_consistent(copy, n);
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, copy, n) == (ssize_t)n && close(fd) == 0);
    free(copy);
    unsigned mode =
        n > 0 ? bytes[n - 1] >> 1 & 7 : 0; /* one way to use it: setting up costs most */
    if (mode < 4) {
        use_reader(folder, mode & 1, mode & 2);
    } else if (mode < 6 && tape_verify(folder, &v, &e) == ERR_OK) {
        CHECK(v.valid == (v.torn_bytes == 0 && v.damages == 0));
        tape_verdict_fini(&v);
    } else if (mode >= 6 && tape_writer_open(&w, folder, &opt, NULL, &e) == ERR_OK) {
        CHECK(tape_writer_close(w, &e) == ERR_OK);
    }
    (void)unlink(file);
    (void)rmdir(folder);
    return 0;
}
