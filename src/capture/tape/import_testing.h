/* import_testing.h: what the tests of the importers share: a folder of their own, input files in
 * every packing, one import and the events it left on the tape.
 */
#ifndef FATHOM_CAPTURE_TAPE_IMPORT_TESTING_H
#define FATHOM_CAPTURE_TAPE_IMPORT_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zip.h>
#include <zlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "capture/tape/import.h"
#include "capture/tape/tape.h"

struct fixture {
    char dir[64];
    int files;
};

static inline int fixture_open(void **state) {
    struct fixture *x = calloc(1, sizeof *x);
    snprintf(x->dir, sizeof x->dir, "/tmp/fathom-import-XXXXXX");
    *state = x;
    return mkdtemp(x->dir) ? 0 : -1;
}

static inline int fixture_close(void **state) {
    struct fixture *x = *state;
    struct err_info e;
    int rc = file_remove_tree(x->dir, &e) ? -1 : 0;
    free(x);
    return rc;
}

/* DIR/<n>-<name>; static buffers, eight at a time. */
static inline char *fixture_path(struct fixture *x, const char *name) {
    static char buffer[8][160];
    char *path = buffer[x->files % 8];
    snprintf(path, sizeof buffer[0], "%s/%d-%s", x->dir, x->files++, name);
    return path;
}

static inline void put_bytes(const char *path, const void *bytes, size_t n) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static inline char *put_text(struct fixture *x, const char *name, const char *text) {
    char *path = fixture_path(x, name);
    put_bytes(path, text, strlen(text));
    return path;
}

/* gzip of the text in one member; the caller frees. */
static inline unsigned char *gzip_of(const char *text, size_t n, size_t *out_n) {
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t cap = deflateBound(&z, n) + 64;
    unsigned char *out = malloc(cap);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = (uInt)cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    *out_n = cap - z.avail_out;
    deflateEnd(&z);
    return out;
}

static inline char *put_gzip(struct fixture *x, const char *name, const char *text) {
    size_t n;
    unsigned char *bytes = gzip_of(text, strlen(text), &n);
    char *path = fixture_path(x, name);
    put_bytes(path, bytes, n);
    free(bytes);
    return path;
}

/* A zip archive with `count` files of that text. */
static inline char *put_zip(struct fixture *x, const char *name, const char *text, int count) {
    char *path = fixture_path(x, name);
    int code;
    zip_t *z = zip_open(path, ZIP_CREATE, &code);
    assert_non_null(z);
    for (int i = 0; i < count; i++) {
        char entry[32];
        snprintf(entry, sizeof entry, "entry-%d.csv", i);
        zip_source_t *s = zip_source_buffer(z, text, strlen(text), 0);
        assert_non_null(s);
        assert_true(zip_file_add(z, entry, s, 0) >= 0);
    }
    assert_int_equal(zip_close(z), 0);
    return path;
}

/* The slots of a tape; the caller frees. */
static inline struct event *tape_slots(const char *path, size_t *n) {
    struct tape_reader_options opt = {.torn_ok = false};
    struct tape_reader *r;
    struct err_info e;
    if (tape_reader_open(&r, path, &opt, &e)) fail_msg("%s", e.text);
    struct event *all = NULL;
    const struct event *run;
    size_t more;
    *n = 0;
    err_t err;
    while (!(err = tape_reader_next(r, &run, &more, &e))) {
        all = mem_grow(all, (*n + more) * sizeof *all);
        memcpy(all + *n, run, more * sizeof *all);
        *n += more;
    }
    assert_int_equal(err, ERR_END);
    tape_reader_close(r);
    return all;
}

/* One import into a tape of its own. */
struct imported {
    err_t err;
    struct err_info e;
    struct import_report report;
    char tape[160];
    struct event *slots; /* NULL when no tape was written */
    size_t n;
};

static inline struct import_options default_options(void) {
    return (struct import_options){.jump_ppm = IMPORT_JUMP_PPM, .latency_ns = IMPORT_LATENCY_NS};
}

static inline struct imported import_with(
    struct fixture *x, struct import_options opt, const char *const *files, size_t n) {
    struct imported out = {.slots = NULL};
    snprintf(out.tape, sizeof out.tape, "%s", fixture_path(x, "tape"));
    opt.files = files;
    opt.n_files = n;
    opt.to = out.tape;
    out.err = import_run(&opt, &out.report, &out.e);
    if (out.report.tape_written) out.slots = tape_slots(out.tape, &out.n);
    return out;
}

static inline struct imported import_one(struct fixture *x, const char *file) {
    return import_with(x, default_options(), &file, 1);
}

static inline void imported_free(struct imported *i) {
    free(i->slots);
    import_report_fini(&i->report);
}

/* All seven counts, in the order of enum import_reason. */
static inline void assert_rejected(const struct imported *i, uint64_t bad_price,
    uint64_t price_jump, uint64_t duplicate_id, uint64_t id_gap, uint64_t latency, uint64_t before,
    uint64_t malformed) {
    const uint64_t want[IMPORT_REASON_COUNT] = {
        bad_price, price_jump, duplicate_id, id_gap, latency, before, malformed};
    for (int r = 0; r < IMPORT_REASON_COUNT; r++) {
        uint64_t got = i->report.tally.rejected[r];
        if (got != want[r]) {
            fail_msg("%s: %d, expected %d", import_reason_name((enum import_reason)r), (int)got,
                (int)want[r]);
        }
    }
}

#endif
