/* import_internal.h: one input file as rows with a time, between import_source.h and import.c. */
#ifndef FATHOM_CAPTURE_TAPE_IMPORT_INTERNAL_H
#define FATHOM_CAPTURE_TAPE_IMPORT_INTERNAL_H

#include "capture/tape/import.h"
#include "capture/tape/import_csv.h"
#include "capture/tape/import_hint.h"
#include "capture/tape/import_source.h"
#include "capture/venue/binance/binance.h"

enum import_shape {
    SHAPE_NONE,
    SHAPE_STAMP, /* <stamp> <json> */
    SHAPE_FEED,  /* <seconds>: <json>, URL -> <seconds>: <answer>, control lines */
    SHAPE_CSV
};

enum import_row_kind {
    ROW_MESSAGE, /* body is JSON */
    ROW_INFO,    /* body is an exchangeInfo */
    ROW_CSV,
    ROW_BAD, /* reason and why */
    ROW_NONE /* blank, header or control line */
};

struct import_row {
    enum import_row_kind kind;
    int64_t at_ns; /* when it was received, or known */
    uint64_t line;
    const char *body;
    size_t len;
    char symbol[SYMBOL_MAX]; /* of the URL that was asked, or empty */
    enum import_reason reason;
    char why[IMPORT_SAMPLE_MAX];
    struct import_csv_row csv;
};

enum { LATENCY_SAMPLE = 1 << 16 };

/* Latencies of one file in the survey: the median of the first LATENCY_SAMPLE, then the least one
 * that is not absurdly far below it. */
struct import_latency {
    int64_t *sample;
    size_t n;
    int64_t median, least;
    bool settled;
};

struct import_file {
    const char *path;
    enum import_shape shape;
    uint8_t venue;
    char symbol[SYMBOL_MAX];
    struct import_hints hints; /* raw recordings: the symbols of its messages */
    struct import_csv_layout csv;
    int64_t interval_ns; /* bars */
    int64_t unit_ns;     /* of the stamps */
    bool received;
    int rank;         /* at equal times: lower first */
    int64_t first_ns; /* time of the first row */
    int64_t offset_ns;
    struct import_latency latency;

    struct import_source *source; /* while open */
    struct import_row row;
    bool done;
    int64_t last_ns;
    uint64_t lines, control_lines;
    uint64_t open_line;   /* CSV: the last row, where it has no line end; 0 = it has one */
    uint64_t size, bytes; /* of the file; consumed when it was closed */
};

/* Finds out what the file is. `m` is scratch space. */
MUST_USE err_t import_file_probe(struct import_file *f, const struct import_options *opt,
    struct binance_message *m, struct err_info *e);
MUST_USE err_t import_file_open(struct import_file *f, struct err_info *e);
void import_file_close(struct import_file *f);
/* Fills f->row with the next row that is not ROW_NONE; ERR_END; ERR_INPUT where packed data are
 * torn. */
MUST_USE err_t import_file_next(struct import_file *f, struct err_info *e);

/* One line of a raw recording (shape STAMP or FEED) split into stamp and body. *unit_ns is the
 * stamp's unit. */
void import_raw_split(enum import_shape shape, const char *text, size_t len, struct import_row *row,
    int64_t *unit_ns);
/* What a line looks like: SHAPE_NONE if nothing known. */
enum import_shape import_raw_shape(const char *text, size_t len);

/* Names of folders and files -> venue; the word nearest to the end decides. */
uint8_t import_venue_of_path(const char *path);
/* "BTCUSDT-trades-2024-08-08.zip" -> BTCUSDT, "BTC_USDT_USDT-5m-futures.csv.gz" -> BTCUSDT (and
 * *futures); false: none. */
bool import_symbol_of_path(const char *path, char out[SYMBOL_MAX], bool *futures);

/* A CSV row as one event group (1 or 2 slots, or 5 of metrics). NULL: fine; else why not, with
 * *reason. */
enum { IMPORT_CSV_SLOTS_MAX = 5 };
const char *import_csv_event(const struct import_file *f, const struct import_csv_row *row,
    int64_t at_ns, const struct instrument *in, struct event *out, size_t *n,
    enum import_reason *reason);

#endif
