/* cmd_tape_export.c: `fathom tape export`: events as CSV, as numpy arrays, or as the record array
 * that hftbacktest reads. Streamed: memory does not grow with the tape. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zip.h>

#include "base/decimal.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/progress.h"
#include "capture/tape/tape.h"
#include "program/cli.h"

static const char *const kind_name[EV_KIND_COUNT] = {"none", "depth", "depth_end", "trade",
    "agg_trade", "ticker", "mark", "funding", "liquidation", "kline", "stat24", "instrument",
    "open_interest", "ratio", "gap", "timer", "order_report", "config", "external", "option",
    "order"};

/* ---- CSV ---- */

static void flags_text(uint8_t flags, char out[9]) {
    static const char letter[8] = "BSFLNXQC";
    size_t n = 0;
    for (int i = 0; i < 8; i++) {
        if (flags >> i & 1) out[n++] = letter[i];
    }
    out[n] = 0;
}

/* The value as it was published; decimals beyond what text holds (external.h) stay mantissa and
 * exponent. */
static void external_columns(
    const struct event *ev, char *px, size_t px_n, char *qty, size_t qty_n, char *a, size_t a_n) {
    if (ev->qty.lots >= 0 && ev->qty.lots <= 40)
        decimal_text(ev->aux.a, (uint8_t)ev->qty.lots, false, px);
    else
        snprintf(px, px_n, "%" PRId64 "e%" PRId64, ev->aux.a, -ev->qty.lots);
    snprintf(qty, qty_n, "%" PRId64, ev->px.ticks);
    snprintf(a, a_n, "%" PRId64, ev->qty.lots);
}

static void csv_row(FILE *f, uint64_t seq, const struct event *ev, const struct instrument *in) {
    char flags[9], px[DECIMAL_TEXT_MAX], qty[DECIMAL_TEXT_MAX], a[DECIMAL_TEXT_MAX],
        b[DECIMAL_TEXT_MAX];
    flags_text(ev->flags, flags);
    snprintf(px, sizeof px, "%" PRId64, ev->px.ticks);
    snprintf(qty, sizeof qty, "%" PRId64, ev->qty.lots);
    snprintf(a, sizeof a, "%" PRId64, ev->aux.a);
    snprintf(b, sizeof b, "%" PRId64, ev->aux.b);
    if (in) {
        instrument_px_text(in, ev->px, px);
        instrument_qty_text(in, ev->qty, qty);
    }
    if (ev->kind == EV_EXTERNAL) /* px is its value, qty its revision, a its decimals */
        external_columns(ev, px, sizeof px, qty, sizeof qty, a, sizeof a);
    if (in && ev->kind == EV_TICKER) {
        instrument_px_text(in, ev->ask.px, a);
        instrument_qty_text(in, ev->ask.qty, b);
    }
    fprintf(f,
        "%" PRIu64 ",%" PRId64 ",%" PRId64 ",%" PRId32 ",%s,%s,%s,%s,%s,%s,%" PRId64 ",%s,%s", seq,
        ev->ts_local.ns, ev->ts_venue.ns, ev->msg_us, in ? venue_name(in->venue) : "",
        in ? in->symbol : "", kind_name[ev->kind], flags, px, qty, ev->id, a, b);
    for (unsigned i = 0; i < 8; i++) {
        if (event_slots(ev->kind) == 2)
            fprintf(f, ",%" PRId64, event_words(ev)[i]);
        else
            fputc(',', f);
    }
    fputc('\n', f);
}

static err_t csv_write(
    struct tape_reader *r, const struct cli_args *a, const char *path, struct err_info *e) {
    struct file_out *out = NULL;
    struct progress p;
    const struct event *slots;
    size_t n;
    uint64_t seq = 0;
    err_t code = file_out_open(&out, path, a->force, e);
    if (code) return code;
    FILE *f = file_out_stream(out);
    fputs("sequence,local_ns,venue_ns,message_us,venue,symbol,kind,flags,px,qty,id,a,b,w0,w1,w2,w3,"
          "w4,w5,w6,w7\n",
        f);
    progress_begin(&p, "tape export", "events", 1.0, tape_reader_events(r), a->quiet);
    while ((code = tape_reader_next(r, &slots, &n, e)) == ERR_OK && !ferror(f)) {
        size_t rows;
        const struct instrument *table = tape_reader_instruments(r, &rows);
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
            const struct event *ev = &slots[i];
            csv_row(f, seq++, ev, ev->inst < rows ? &table[ev->inst] : NULL);
        }
        progress_at(&p, seq);
        if (cli_interrupted()) {
            code = err_set(e, ERR_INTERRUPTED, "stopped; %s was not written; run it again", path);
            break;
        }
    }
    progress_end(&p, seq);
    if (code == ERR_END || code == ERR_OK) return file_out_commit(out, e); /* tells a full disk */
    file_out_abort(out);
    return code;
}

/* ---- arrays ---- */

/* One member of an npz file: rows of `width` bytes made of events. `make` writes the rows of one
 * event and returns how many (at most ROWS_PER_EVENT). */
enum { ROWS_PER_EVENT = 4, CHUNK_EVENTS = TAPE_NEXT_SLOTS, NPY_HEADER = 512 };

struct member {
    const char *name, *descr;
    size_t width;
    size_t (*make)(const struct event *ev, const struct instrument *in, unsigned char *to);
};

static size_t make_head(const struct event *ev, const struct instrument *in, unsigned char *to) {
    (void)in;
    memcpy(to, ev, sizeof *ev);
    return 1;
}

static size_t make_words(const struct event *ev, const struct instrument *in, unsigned char *to) {
    (void)in;
    if (event_slots(ev->kind) != 2) return 0;
    memcpy(to, event_words(ev), sizeof(struct event_cont));
    return 1;
}

/* hftbacktest's record and constants, as its documentation gives them. */
struct hft_row {
    uint64_t ev;
    int64_t exch_ts, local_ts;
    double px, qty;
    uint64_t order_id;
    int64_t ival;
    double fval;
};
_Static_assert(sizeof(struct hft_row) == 64, "one record of hftbacktest");
#define HFT_BOTH ((UINT64_C(1) << 31) | (UINT64_C(1) << 30))
#define HFT_BUY (UINT64_C(1) << 29)
#define HFT_SELL (UINT64_C(1) << 28)
enum { HFT_DEPTH = 1, HFT_TRADE = 2, HFT_CLEAR = 3, HFT_SNAPSHOT = 4 };

static size_t make_hft(const struct event *ev, const struct instrument *in, unsigned char *to) {
    bool depth = ev->kind == EV_DEPTH, snapshot = ev->flags & EVF_SNAPSHOT;
    bool trade = ev->kind == EV_TRADE && !(ev->flags & EVF_NON_MARKET);
    size_t n = 0;
    struct hft_row row = {.exch_ts = ev->ts_venue.ns, .local_ts = ev->ts_local.ns};
    if ((!depth && !trade) || !in) return 0;
    if (depth && snapshot && (ev->flags & EVF_FIRST)) { /* price 0: the whole side */
        row.ev = HFT_BOTH | HFT_CLEAR | HFT_BUY;
        memcpy(to + 64 * n++, &row, sizeof row);
        row.ev = HFT_BOTH | HFT_CLEAR | HFT_SELL;
        memcpy(to + 64 * n++, &row, sizeof row);
    }
    row.ev = HFT_BOTH | (ev->flags & EVF_BUY ? HFT_BUY : HFT_SELL) |
             (trade         ? HFT_TRADE
                 : snapshot ? HFT_SNAPSHOT
                            : HFT_DEPTH);
    row.px = instrument_px(in, ev->px);
    row.qty = instrument_qty(in, ev->qty);
    memcpy(to + 64 * n++, &row, sizeof row);
    return n;
}

static const struct member npz_members[] = {
    {"events.npy",
        "[('venue_ns','<i8'),('local_ns','<i8'),('px','<i8'),('qty','<i8'),('id','<i8'),"
        "('inst','<u2'),('kind','u1'),('flags','u1'),('message_us','<i4'),('a','<i8'),('b','<i8')]",
        sizeof(struct event), make_head},
    {"words.npy",
        "[('w0','<i8'),('w1','<i8'),('w2','<i8'),('w3','<i8'),('w4','<i8'),('w5','<i8'),"
        "('w6','<i8'),('w7','<i8')]",
        sizeof(struct event_cont), make_words},
};
static const struct member hft_member = {"data.npy",
    "[('ev','<u8'),('exch_ts','<i8'),('local_ts','<i8'),('px','<f8'),('qty','<f8'),"
    "('order_id','<u8'),('ival','<i8'),('fval','<f8')]",
    sizeof(struct hft_row), make_hft};

/* A member while libzip pulls it. */
struct pull {
    const struct member *m;
    struct tape_reader *r;
    uint64_t rows;
    bool end;
    size_t at, held;
    unsigned char *bytes; /* CHUNK_EVENTS x ROWS_PER_EVENT rows */
    struct err_info *e;
    zip_error_t error;
};

static size_t pull_rows(struct pull *p, const struct event *slots, size_t n) {
    size_t made = 0, rows;
    const struct instrument *table = tape_reader_instruments(p->r, &rows);
    for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
        const struct instrument *in = slots[i].inst < rows ? &table[slots[i].inst] : NULL;
        made += p->m->make(&slots[i], in, p->bytes + made * p->m->width);
    }
    return made;
}

static err_t pull_more(struct pull *p) {
    const struct event *slots;
    size_t n;
    err_t code = tape_reader_next(p->r, &slots, &n, p->e);
    p->at = p->held = 0;
    if (code == ERR_END) {
        p->end = true;
        return ERR_OK;
    }
    if (!code && cli_interrupted()) {
        code = err_set(p->e, ERR_INTERRUPTED, "stopped; nothing was written; run it again");
    }
    if (code) return code;
    p->held = pull_rows(p, slots, n) * p->m->width;
    return ERR_OK;
}

static err_t rows_count(struct pull *p) {
    err_t code = tape_reader_seek(p->r, (ts_t){INT64_MIN}, p->e);
    p->rows = 0;
    p->end = false;
    while (!code && !p->end) {
        code = pull_more(p);
        p->rows += p->held / p->m->width;
    }
    return code;
}

/* Version 1.0 of numpy's format: magic, length, dictionary padded to 64 bytes with a newline. */
static void npy_header(struct pull *p) {
    char dict[NPY_HEADER];
    int n = snprintf(dict, sizeof dict,
        "{'descr': %s, 'fortran_order': False, 'shape': (%" PRIu64 ",), }", p->m->descr, p->rows);
    size_t all = ((size_t)n + 10 + 1 + 63) / 64 * 64;
    memset(p->bytes, ' ', all);
    memcpy(p->bytes, "\x93NUMPY\x01\x00", 8);
    p->bytes[8] = (unsigned char)(all - 10);
    p->bytes[9] = (unsigned char)((all - 10) >> 8);
    memcpy(p->bytes + 10, dict, (size_t)n);
    p->bytes[all - 1] = '\n';
    p->at = 0;
    p->held = all;
}

static zip_int64_t pull_read(struct pull *p, unsigned char *to, zip_uint64_t room) {
    zip_uint64_t done = 0;
    while (done < room) {
        if (p->at == p->held) {
            if (p->end) break;
            if (pull_more(p) != ERR_OK) {
                zip_error_set(&p->error, ZIP_ER_READ, EIO);
                return -1;
            }
            continue;
        }
        size_t n = p->held - p->at;
        if (n > room - done) n = (size_t)(room - done);
        memcpy(to + done, p->bytes + p->at, n);
        p->at += n;
        done += n;
    }
    return (zip_int64_t)done;
}

static zip_int64_t pull_call(void *state, void *data, zip_uint64_t n, zip_source_cmd_t cmd) {
    struct pull *p = state;
    switch (cmd) {
    case ZIP_SOURCE_OPEN:
        if (rows_count(p) || tape_reader_seek(p->r, (ts_t){INT64_MIN}, p->e)) {
            zip_error_set(&p->error, ZIP_ER_READ, EIO);
            return -1;
        }
        p->end = false;
        npy_header(p);
        return 0;
    case ZIP_SOURCE_READ: return pull_read(p, data, n);
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE: return 0;
    case ZIP_SOURCE_STAT: zip_stat_init(data); return (zip_int64_t)sizeof(zip_stat_t);
    case ZIP_SOURCE_ERROR: return zip_error_to_data(&p->error, data, n);
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
            ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
    default: zip_error_set(&p->error, ZIP_ER_OPNOTSUPP, 0); return -1;
    }
}

static err_t zip_failed(struct err_info *e, const char *path, const char *what) {
    return err_set(e, ERR_RESOURCE, "%s: %s; check the folder and the free space", path, what);
}

/* libzip writes beside the target and renames on close. */
static err_t npz_write(struct tape_reader *r, const struct cli_args *a, const char *path,
    const struct member *members, size_t n, struct err_info *e) {
    struct pull pull[2];
    int errnum = 0;
    err_t code = ERR_OK;
    if (file_exists(path) && !a->force) {
        return err_set(e, ERR_USAGE,
            "%s exists: nothing was written; --force replaces it, or choose another name", path);
    }
    zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &errnum);
    if (!z) return zip_failed(e, path, "cannot be made");
    err_set(e, ERR_OK, " ");
    for (size_t i = 0; i < n; i++) {
        pull[i] = (struct pull){.m = &members[i], .r = r, .e = e};
        pull[i].bytes = mem_alloc((size_t)CHUNK_EVENTS * ROWS_PER_EVENT * members[i].width);
        zip_error_init(&pull[i].error);
        zip_source_t *s = zip_source_function(z, pull_call, &pull[i]);
        if (!s || zip_file_add(z, members[i].name, s, ZIP_FL_ENC_UTF_8) < 0) {
            zip_source_free(s);
            code = zip_failed(e, path, zip_strerror(z));
        }
    }
    if (code) zip_discard(z);
    if (!code && zip_close(z) != 0) {
        code = e->code != ERR_OK ? e->code : zip_failed(e, path, zip_strerror(z));
        zip_discard(z);
    }
    for (size_t i = 0; i < n; i++) free(pull[i].bytes);
    return code;
}

static err_t export_to(struct tape_reader *r, const struct cli_args *a, struct err_info *e) {
    static const char *const formats[] = {"csv", "npz", "hftbacktest"};
    const char *to = cli_value(a, "to"), *format = cli_value(a, "format");
    if (!to) return err_set(e, ERR_USAGE, "tape export needs --to FILE");
    if (!format || strcmp(format, "csv") == 0) return csv_write(r, a, to, e);
    if (strcmp(format, "npz") == 0) return npz_write(r, a, to, npz_members, 2, e);
    if (strcmp(format, "hftbacktest") == 0) return npz_write(r, a, to, &hft_member, 1, e);
    const char *near = cli_nearest(format, formats, 3);
    return err_set(e, ERR_USAGE, "--format %s is not known%s%s; there are csv, npz, hftbacktest",
        format, near ? ", did you mean " : "", near ? near : "");
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = mem_alloc(sizeof *a);
    struct tape_reader *r = NULL;
    struct tape_reader_options opt = {.torn_ok = true};
    err_t code = cli_parse(verb, argc, argv, a, e);
    opt.quarantine = cli_flag(a, "quarantine");
    if (!code) code = tape_reader_open(&r, a->argv[0], &opt, e);
    if (!code && tape_reader_torn_bytes(r) > 0) {
        fprintf(stderr,
            "fathom tape export: the tape has a torn tail of %zu bytes; this is what is "
            "before it\n",
            tape_reader_torn_bytes(r));
    }
    if (!code) code = export_to(r, a, e);
    tape_reader_close(r);
    free(a);
    return code;
}

const struct cli_verb cmd_tape_export = {
    .name = "tape export",
    .usage = "TAPE --to FILE [--format csv|npz|hftbacktest]",
    .about = "write the events of a tape as CSV or numpy arrays",
    .help = "  --to FILE       the file to make; it appears whole or not at all\n"
            "  --format csv          one line an event, prices in decimal (default)\n"
            "  --format npz          numpy arrays `events` and `words`, prices in units\n"
            "  --format hftbacktest  numpy record array `data`: depth and market trades; rows are\n"
            "                        in the tape's order: pass them through that project's own\n"
            "                        correction of local time and event order\n"
            "  --quarantine    go past damaged blocks\n"
            "\n"
            "Example:\n"
            "  fathom tape export my.tape --to my.csv --format csv\n",
    .options = "to= format= quarantine",
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
