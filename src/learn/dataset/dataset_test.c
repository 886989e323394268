#include "learn/dataset/dataset.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "capture/tape/tape.h"
#include "derive/feature/stream.h"
#include "learn/dataset/npy.h"

enum { SEED = 5, PATH = 512 };
static char base[64];

static uint64_t rng_state;
static double uniform(void) {
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return (double)(rng_state >> 11) * 0x1p-53;
}

static struct instrument instrument(void) {
    struct instrument in = {.symbol = "TESTUSDT",
        .base = "TEST",
        .quote = "USDT",
        .settle = "USDT",
        .px_mant = 1,
        .qty_mant = 1,
        .tick_units = 1,
        .lot_units = 1,
        .contract_e8 = 100000000,
        .venue = VENUE_BINANCE_USDM,
        .px_exp = 1,
        .qty_exp = 3};
    return in;
}

static const char *in_base(char *out, const char *name) {
    snprintf(out, PATH, "%s/%s", base, name);
    return out;
}

/* A tape of trades: about three a second. */
static void make_tape(const char *path, size_t trades) {
    struct tape_writer_options opt = {.force = true};
    struct tape_writer *w;
    struct err_info e;
    struct instrument in = instrument();
    int64_t t = 1723075200000000000, px = 600000;
    rng_state = SEED;
    if (tape_writer_open(&w, path, &opt, NULL, &e)) fail_msg("%s", e.text);
    if (tape_writer_instrument(w, &in, &e)) fail_msg("%s", e.text);
    for (size_t i = 0; i < trades; i++) {
        bool buy = uniform() < 0.5;
        t += (int64_t)(uniform() * 6e8);
        px += (int64_t)(uniform() * 11) - 5;
        struct event ev = {.ts_venue = {t - 1000000},
            .ts_local = {t},
            .px = {px},
            .qty = {1 + (int64_t)(uniform() * 900)},
            .id = (int64_t)i + 1,
            .inst = in.id,
            .kind = EV_TRADE,
            .flags = (uint8_t)(EVF_FIRST | EVF_LAST | (buy ? EVF_BUY : EVF_SELL))};
        if (tape_writer_append(w, &ev, 1, &e)) fail_msg("%s", e.text);
    }
    if (tape_writer_close(w, &e)) fail_msg("%s", e.text);
}

static struct dataset_options options(const char *tape, const char *to) {
    struct dataset_options o = {
        .tape = tape, .to = to, .bucket = "time=1", .set = "flow+ret", .symbol = "", .force = true};
    struct err_info e;
    assert_int_equal(label_spec_parse("next=3,threshold=1e-5", &o.label, &e), ERR_OK);
    return o;
}

struct replayed {
    size_t rows;
    const struct dataset *d;
    double px;
};

static void compare_row(
    void *user, const struct stream *s, const struct bucket *b, const float *row) {
    struct replayed *r = user;
    const struct matrix *m = &r->d->m;
    (void)s;
    assert_true(r->rows < m->rows);
    assert_memory_equal(m->x + r->rows * m->columns, row, m->columns * sizeof *row);
    if (b->trades) r->px = (double)b->close.ticks / 10;
    assert_true(m->bar[r->rows].bucket_id == b->id);
    assert_true(m->bar[r->rows].close_ns == b->close_ts.ns);
    assert_true(fabs(m->bar[r->rows].px - r->px) < 1e-9);
    r->rows++;
}

static void rows_are_those_of_the_stream_and_labels_those_of_the_bars(void **state) {
    (void)state;
    char tape[PATH], to[PATH];
    make_tape(in_base(tape, "a.tape"), 6000);
    struct dataset_options o = options(tape, in_base(to, "a.data"));
    struct dataset *d;
    struct err_info e;
    if (dataset_build(&o, &d, &e)) fail_msg("%s", e.text);
    struct stream_spec spec = {.inst = instrument()};
    struct feature_set set;
    const char *why;
    assert_true(bucket_spec_parse("time=1", 1, 3, &spec.bucket, &why));
    assert_true(feature_set_parse("flow+ret", &set, &why));
    assert_true(d->m.signature == feature_set_signature(&set));
    assert_int_equal(d->m.columns, set.count);
    assert_string_equal(d->m.names[0], feature_get(set.index[0], NULL)->name);
    void *mem = aligned_alloc(64, (stream_mem_size(&spec, &set) + 63) & ~(size_t)63);
    struct stream *s = stream_init(mem, &spec, &set);
    struct tape_reader_options ro = {0};
    struct tape_reader *r;
    const struct event *slots;
    size_t n;
    struct replayed replayed = {0, d, NAN};
    assert_int_equal(tape_reader_open(&r, tape, &ro, &e), ERR_OK);
    while (tape_reader_next(r, &slots, &n, &e) == ERR_OK)
        stream_events(s, slots, n, compare_row, &replayed);
    tape_reader_close(r);
    assert_int_equal(replayed.rows, d->m.rows);
    assert_true(d->m.rows > 1500);
    struct label *label = calloc(d->m.rows, sizeof *label);
    label_make(&o.label, d->m.bar, d->m.rows, label);
    for (size_t i = 0; i < d->m.rows; i++) {
        assert_true(label[i].known_row == d->m.label[i].known_row);
        if (label[i].known_row >= 0) assert_true(label[i].value == d->m.label[i].value);
    }
    free(label);
    free(mem);
    dataset_close(d);
}

static void the_same_tape_gives_the_same_hash_and_another_label_another(void **state) {
    (void)state;
    char tape[PATH], a_dir[PATH], b_dir[PATH];
    make_tape(in_base(tape, "h.tape"), 3000);
    struct dataset_options o = options(tape, in_base(a_dir, "h1.data"));
    struct dataset *a, *b, *c;
    struct err_info e;
    assert_int_equal(dataset_build(&o, &a, &e), ERR_OK);
    o.to = in_base(b_dir, "h2.data");
    assert_int_equal(dataset_build(&o, &b, &e), ERR_OK);
    o.label.buckets = 4;
    assert_int_equal(dataset_build(&o, &c, &e), ERR_OK);
    assert_true(a->hash == b->hash && a->hash != c->hash);
    assert_true(a->tape_hash == c->tape_hash);
    dataset_close(a);
    dataset_close(b);
    dataset_close(c);
}

static void damage(const char *path, long at) {
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    fseek(f, at, SEEK_SET);
    int c = fgetc(f);
    fseek(f, at, SEEK_SET);
    fputc(c ^ 4, f);
    fclose(f);
}

static void a_changed_cut_or_missing_file_is_refused_with_its_name(void **state) {
    (void)state;
    static const char *const files[] = {"features.npy", "meta.npy", "labels.npy", "manifest.json"};
    char tape[PATH], to[PATH], path[PATH + 16];
    make_tape(in_base(tape, "d.tape"), 1500);
    struct dataset_options o = options(tape, in_base(to, "d.data"));
    for (int k = 0; k < 4; k++) {
        for (int how = 0; how < 3; how++) {
            struct dataset *d;
            struct err_info e;
            if (dataset_build(&o, &d, &e)) fail_msg("%s", e.text);
            dataset_close(d);
            snprintf(path, sizeof path, "%s/%s", to, files[k]);
            if (how == 0)
                damage(path, k == 3 ? 3 : 1000);
            else if (how == 1)
                assert_int_equal(truncate(path, 700), 0);
            else
                assert_int_equal(unlink(path), 0);
            assert_int_equal(dataset_open(&d, to, &e), ERR_INPUT);
            assert_non_null(strstr(e.text, files[k]));
        }
    }
}

static bool always(void) { return true; }

static void wrong_requests_name_what_is_wrong_and_leave_nothing(void **state) {
    (void)state;
    char tape[PATH], to[PATH];
    struct dataset *d;
    struct err_info e;
    make_tape(in_base(tape, "w.tape"), 300);
    struct dataset_options good = options(tape, in_base(to, "w.data")), o = good;
    o.set = "flow+nothing";
    assert_int_equal(dataset_build(&o, &d, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "nothing"));
    o = good, o.bucket = "time=-1";
    assert_int_equal(dataset_build(&o, &d, &e), ERR_USAGE);
    o = good, o.symbol = "OTHER";
    assert_int_equal(dataset_build(&o, &d, &e), ERR_INPUT);
    assert_non_null(strstr(e.text, "OTHER"));
    o = good, o.bucket = "time=100000";
    assert_int_equal(dataset_build(&o, &d, &e), ERR_INPUT);
    assert_non_null(strstr(e.text, "no bucket was closed"));
    o = good, o.stop = always;
    assert_int_equal(dataset_build(&o, &d, &e), ERR_INTERRUPTED);
    assert_false(file_exists(to));
    assert_int_equal(dataset_build(&good, &d, &e), ERR_OK);
    dataset_close(d);
    good.force = false;
    assert_int_equal(dataset_build(&good, &d, &e), ERR_USAGE);
}

static long rss_anon_kib(void) {
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "RssAnon: %ld", &kib) == 1) break;
    }
    if (f) fclose(f);
    return kib;
}

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static void memory_does_not_grow_with_the_tape(void **state) {
    (void)state;
    if (SANITIZED) {
        printf("skipped: a sanitizer keeps freed memory\n");
        skip();
    }
    static const size_t trades[3] = {2000, 2000, 60000};
    char tape[PATH], to[PATH];
    long kib[3];
    for (int i = 0; i < 3; i++) { /* the first round warms the allocator */
        make_tape(in_base(tape, "m.tape"), trades[i]);
        struct dataset_options o = options(tape, in_base(to, "m.data"));
        struct dataset *d;
        struct err_info e;
        if (dataset_build(&o, &d, &e)) fail_msg("%s", e.text);
        kib[i] = rss_anon_kib();
        dataset_close(d);
    }
    printf(
        "RssAnon %ld KiB for %zu trades, %ld KiB for %zu\n", kib[1], trades[1], kib[2], trades[2]);
    assert_true(kib[2] - kib[1] < 2048);
}

static void an_array_header_is_the_one_numpy_writes(void **state) {
    (void)state;
    char head[NPY_HEADER];
    npy_header(head, "'<f4'", 7, 3);
    assert_memory_equal(head, "\x93NUMPY\x01\x00", 8);
    assert_int_equal((unsigned char)head[8] + 256 * (unsigned char)head[9], NPY_HEADER - 10);
    const char *dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (7, 3), }";
    assert_memory_equal(head + 10, dict, strlen(dict));
    assert_int_equal(head[NPY_HEADER - 1], '\n');
    for (size_t i = 10 + strlen(dict); i < NPY_HEADER - 1; i++) assert_int_equal(head[i], ' ');
}

static int make_base(void **state) {
    (void)state;
    snprintf(base, sizeof base, "/tmp/fathom-dataset-XXXXXX");
    return mkdtemp(base) ? 0 : -1;
}
static int remove_base(void **state) {
    (void)state;
    struct err_info e;
    return file_remove_tree(base, &e) != ERR_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_those_of_the_stream_and_labels_those_of_the_bars),
        cmocka_unit_test(the_same_tape_gives_the_same_hash_and_another_label_another),
        cmocka_unit_test(a_changed_cut_or_missing_file_is_refused_with_its_name),
        cmocka_unit_test(wrong_requests_name_what_is_wrong_and_leave_nothing),
        cmocka_unit_test(memory_does_not_grow_with_the_tape),
        cmocka_unit_test(an_array_header_is_the_one_numpy_writes),
    };
    printf("seed %d\n", SEED);
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
