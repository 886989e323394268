#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"
#include "capture/tape/tape.h"
#include "derive/feature/stream.h"
#include "learn/dataset/dataset.h"
#include "learn/dataset/dataset_internal.h"

struct build {
    const struct dataset_options *opt;
    struct feature_set set;
    struct stream_spec spec;
    void *mem;
    struct stream *stream;
    struct npy_out features, meta, tensor;
    const char *names[FEATURE_MAX];
    double missing[FEATURE_MAX];
    double last_px;
    uint64_t gapped;
    uint64_t left; /* events of the instrument still to come */
};

static err_t choose_instrument(struct build *b, const struct tape_reader *r, struct err_info *e) {
    const struct dataset_options *o = b->opt;
    size_t n;
    uint16_t own;
    const struct instrument *table = tape_reader_instruments(r, &n);
    err_t code = others_pick(table, n, o->tape, "--symbol (data.symbol)", o->symbol, &own, e);
    return code ? code : others_spec(&o->others, table, n, o->tape, own, &b->spec, e);
}

static err_t choose_columns(struct build *b, struct err_info *e) {
    const char *why = "", *bad = "";
    if (!others_bucket(&b->spec, b->opt->bucket, &why))
        return err_set(e, ERR_USAGE, "bucket '%s': %s", b->opt->bucket, why);
    if (!feature_set_parse(b->opt->set, &b->set, &bad)) {
        return err_set(e, ERR_USAGE,
            "feature set '%s': '%s' is no set, family or feature; fathom features list shows them",
            b->opt->set, bad);
    }
    for (size_t i = 0; i < b->set.count; i++)
        b->names[i] = feature_get(b->set.index[i], NULL)->name;
    return ERR_OK;
}

/* Mid of a synchronised book; without any book the last trade price. A broken book is no price. */
static double price(struct build *b, const struct stream *s, const struct bucket *k) {
    const struct book *book = stream_book(s);
    struct book_level bid, ask;
    if (k->close.ticks > 0) b->last_px = instrument_px(&b->spec.inst, k->close);
    if (book_state(book) == BOOK_EMPTY) return b->last_px;
    if (book_state(book) != BOOK_SYNCED) return NAN;
    if (!book_best(book, BOOK_BID, &bid) || !book_best(book, BOOK_ASK, &ask)) return NAN;
    return 0.5 * (instrument_px(&b->spec.inst, bid.px) + instrument_px(&b->spec.inst, ask.px));
}

/* The book at the close as an image: see dataset.h. */
static void tensor_row(struct build *b, const struct stream *s) {
    const struct book *book = stream_book(s);
    const struct instrument *in = &b->spec.inst;
    struct book_level top[2][TENSOR_LEVELS];
    size_t n[2] = {0, 0};
    float image[TENSOR_LEVELS][TENSOR_CHANNELS];
    if (book_state(book) == BOOK_SYNCED)
        for (int side = 0; side < 2; side++)
            n[side] = book_top(book, side, TENSOR_LEVELS, top[side]);
    bool there = n[0] > 0 && n[1] > 0;
    double mid =
        there ? 0.5 * (instrument_px(in, top[0][0].px) + instrument_px(in, top[1][0].px)) : NAN;
    for (size_t i = 0; i < TENSOR_LEVELS; i++) {
        for (size_t side = 0; side < 2; side++) {
            bool level = there && i < n[side];
            double off = level ? 1e4 * (instrument_px(in, top[side][i].px) / mid - 1.0) : NAN;
            image[i][side] = (float)off;
            image[i][2 + side] = level ? (float)instrument_qty(in, top[side][i].qty) : NAN;
        }
    }
    npy_row(&b->tensor, image);
}

static void on_row(void *user, const struct stream *s, const struct bucket *k, const float *row) {
    struct build *b = user;
    struct label_bar bar = {.bucket_id = k->id,
        .open_ns = k->open_ts.ns,
        .close_ns = k->close_ts.ns,
        .px = price(b, s, k),
        .high = NAN,
        .low = NAN,
        .gapped = k->gapped};
    if (k->trades > 0 || k->from_kline) {
        bar.high = fmax(instrument_px(&b->spec.inst, k->high), bar.px);
        bar.low = fmin(instrument_px(&b->spec.inst, k->low), bar.px);
    }
    for (size_t i = 0; i < b->set.count; i++) b->missing[i] += isnan(row[i]) != 0;
    b->gapped += k->gapped != 0;
    npy_row(&b->features, row);
    npy_row(&b->meta, &bar);
    if (b->opt->tensor) tensor_row(b, s);
}

static err_t replay(struct build *b, struct tape_reader *r, struct err_info *e) {
    const struct event *slots;
    size_t n;
    for (;;) {
        if (b->opt->stop && b->opt->stop()) {
            return err_set(e, ERR_INTERRUPTED,
                "stopped while reading %s: nothing was kept; run the same command again",
                b->opt->tape);
        }
        err_t err = tape_reader_next(r, &slots, &n, e);
        if (err == ERR_END) return ERR_OK;
        if (err) return err;
        size_t rows;
        const struct instrument *table = tape_reader_instruments(r, &rows);
        stream_join_table(b->stream, table, rows);
        for (size_t i = 0; i < n && b->left > 0; i += event_slots(slots[i].kind)) {
            b->left -= slots[i].inst == b->spec.inst.id;
            stream_route(b->stream, &slots[i], on_row, b);
        }
        if (b->left == 0) return ERR_OK;
    }
}

static err_t open_files(struct build *b, const char *dir, struct err_info *e) {
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, dataset_file[DATASET_FEATURES]);
    err_t err = npy_create(&b->features, path, dataset_descr[DATASET_FEATURES], b->set.count,
        b->set.count * sizeof(float), e);
    if (err) return err;
    snprintf(path, sizeof path, "%s/book.npy", dir);
    if (b->opt->tensor)
        err = npy_create_cube(&b->tensor, path, "'<f4'", TENSOR_LEVELS, TENSOR_CHANNELS,
            TENSOR_LEVELS * TENSOR_CHANNELS * sizeof(float), e);
    if (err) return err;
    snprintf(path, sizeof path, "%s/%s", dir, dataset_file[DATASET_META]);
    return npy_create(&b->meta, path, dataset_descr[DATASET_META], 0, sizeof(struct label_bar), e);
}

static err_t rows_of_tape(struct build *b, const char *dir, struct err_info *e) {
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    err_t err = others_open(&b->opt->others, b->opt->tape, &opt, &r, e);
    if (err) return err;
    err = choose_instrument(b, r, e);
    b->left = UINT64_MAX;
    if (!err && b->spec.others > 0)
        err = others_count(&b->opt->others, b->opt->tape, &opt, b->spec.inst.id, &b->left, e);
    if (!err) err = choose_columns(b, e);
    if (!err) err = open_files(b, dir, e);
    if (!err) {
        size_t size = stream_mem_size(&b->spec, &b->set);
        b->mem = aligned_alloc(64, (size + 63) & ~(size_t)63);
        CHECK(b->mem != NULL);
        b->stream = stream_init(b->mem, &b->spec, &b->set);
        b->last_px = NAN;
        err = replay(b, r, e);
    }
    tape_reader_close(r);
    err_t first = npy_close(&b->features, err ? NULL : e);
    err_t second = npy_close(&b->meta, err || first ? NULL : e);
    err_t third = npy_close(&b->tensor, err || first || second ? NULL : e);
    return err ? err : first ? first : second ? second : third;
}

/* A file of `bytes` bytes, mapped for writing: its pages belong to the file, not to the heap. */
static err_t map_new(const char *path, size_t bytes, void **map, struct err_info *e) {
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return err_set_errno(e, errno, "cannot make %s", path);
    int bad = posix_fallocate(fd, 0, (off_t)bytes); /* a full disk shows here, not as a signal */
    void *p = bad ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (!bad && p == MAP_FAILED) bad = errno;
    close(fd);
    if (bad) return err_set_errno(e, bad, "%s could not be written", path);
    *map = p;
    return ERR_OK;
}

static err_t labels_of_rows(struct build *b, const char *dir, struct err_info *e) {
    char meta_path[FILE_PATH_MAX], path[FILE_PATH_MAX];
    snprintf(meta_path, sizeof meta_path, "%s/%s", dir, dataset_file[DATASET_META]);
    snprintf(path, sizeof path, "%s/%s", dir, dataset_file[DATASET_LABELS]);
    uint64_t rows = b->meta.rows;
    void *meta = NULL, *map = NULL;
    size_t meta_bytes, bytes = NPY_HEADER + rows * sizeof(struct label);
    err_t err = npy_map(meta_path, dataset_descr[DATASET_META], rows, 0, sizeof(struct label_bar),
        &meta, &meta_bytes, e);
    if (err) return err;
    err = map_new(path, bytes, &map, e);
    if (!err) {
        npy_header(map, dataset_descr[DATASET_LABELS], rows, 0);
        label_make(&b->opt->label, (const void *)((const char *)meta + NPY_HEADER), rows,
            (void *)((char *)map + NPY_HEADER));
        if (msync(map, bytes, MS_SYNC) != 0)
            err = err_set_errno(e, errno, "%s could not be written", path);
        munmap(map, bytes);
    }
    munmap(meta, meta_bytes);
    return err;
}

static err_t hash_files(
    const char *dir, const struct build *b, struct dataset_manifest *m, struct err_info *e) {
    for (int k = 0; k < DATASET_FILES; k++) {
        char path[FILE_PATH_MAX];
        void *map;
        size_t bytes, row = k == DATASET_FEATURES ? b->features.row_bytes
                            : k == DATASET_META   ? sizeof(struct label_bar)
                                                  : sizeof(struct label);
        snprintf(path, sizeof path, "%s/%s", dir, dataset_file[k]);
        err_t err = npy_map(path, dataset_descr[k], b->meta.rows,
            k == DATASET_FEATURES ? b->set.count : 0, row, &map, &bytes, e);
        if (err) return err;
        m->file_hash[k] = dataset_hash_file(map, bytes);
        const struct label *label = (const void *)((const char *)map + NPY_HEADER);
        for (uint64_t i = 0; k == DATASET_LABELS && i < m->rows; i++) {
            if (label[i].known_row < 0) continue;
            m->labelled++;
            m->classes[label[i].klass]++;
        }
        munmap(map, bytes);
    }
    m->hash = dataset_hash_all(m->file_hash);
    return ERR_OK;
}

/* Mapped, not read: its pages belong to the file. */
static err_t hash_tensor(const char *dir, struct dataset_manifest *m, struct err_info *e) {
    char path[FILE_PATH_MAX];
    size_t bytes = NPY_HEADER + m->rows * TENSOR_LEVELS * TENSOR_CHANNELS * sizeof(float);
    snprintf(path, sizeof path, "%s/book.npy", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return err_set_errno(e, errno, "cannot read %s", path);
    void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    int bad = map == MAP_FAILED ? errno : 0;
    close(fd);
    if (bad) return err_set_errno(e, bad, "cannot read %s", path);
    m->tensor_hash = dataset_hash_file(map, bytes);
    m->tensor = true;
    munmap(map, bytes);
    return ERR_OK;
}

static err_t write_manifest(struct build *b, const char *dir, struct err_info *e) {
    char others[OTHERS_TEXT_MAX];
    others_text(&b->spec, &b->set, others);
    struct dataset_manifest m = {.tape = b->opt->tape,
        .bucket = b->opt->bucket,
        .others = others,
        .set = b->opt->set,
        .symbol = b->spec.inst.symbol,
        .venue = venue_name(b->spec.inst.venue),
        .signature = feature_set_signature(&b->set),
        .rows = b->meta.rows,
        .columns = b->set.count,
        .gapped = b->gapped,
        .warmup = feature_set_warmup(&b->set),
        .label = b->opt->label,
        .names = b->names,
        .missing = b->missing};
    err_t err = others_hash(&b->opt->others, b->opt->tape, &m.tape_hash, e);
    if (err) return err;
    for (size_t i = 0; i < b->set.count; i++) b->missing[i] /= m.rows ? (double)m.rows : 1;
    err = hash_files(dir, b, &m, e);
    if (!err && b->opt->tensor) err = hash_tensor(dir, &m, e);
    if (err) return err;
    char path[FILE_PATH_MAX];
    size_t n;
    char *text = dataset_manifest_text(&m, &n);
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    err = file_write(path, text, n, false, e);
    free(text);
    return err;
}

static err_t check_lengths(const struct dataset_options *opt, struct err_info *e) {
    if (strlen(opt->bucket) < sizeof((struct dataset *)0)->bucket &&
        strlen(opt->set) < sizeof((struct dataset *)0)->set_name)
        return ERR_OK;
    return err_set(e, ERR_USAGE, "bucket or feature set: more than %zu and %zu characters",
        sizeof((struct dataset *)0)->bucket - 1, sizeof((struct dataset *)0)->set_name - 1);
}

err_t dataset_build(const struct dataset_options *opt, struct dataset **out, struct err_info *e) {
    struct dir_out *dir;
    err_t err = check_lengths(opt, e);
    if (!err) err = dir_out_open(&dir, opt->to, "manifest.json", opt->force, e);
    if (err) return err;
    struct build *b = mem_alloc(sizeof *b);
    b->opt = opt;
    err = rows_of_tape(b, dir_out_path(dir), e);
    if (!err && b->meta.rows == 0)
        err = err_set(e, ERR_INPUT,
            "%s: no bucket was closed; use a shorter bucket than %s or a longer recording",
            opt->tape, opt->bucket);
    if (!err) err = labels_of_rows(b, dir_out_path(dir), e);
    if (!err) err = write_manifest(b, dir_out_path(dir), e);
    free(b->mem);
    free(b);
    if (err) {
        dir_out_abort(dir);
        return err;
    }
    err = dir_out_commit(dir, e);
    return err ? err : dataset_open(out, opt->to, e);
}
