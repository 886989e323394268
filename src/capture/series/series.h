/* series.h: external series and option chains from files onto a tape.
 *
 *   CSV, JSON + description -> rows (event time, publish time, value) -> revisions -> EV_EXTERNAL
 *   option chain (CSV)      -> snapshots by their time                          -> EV_OPTION
 *
 * Units      of the series, as the description names them; values as published (external.h).
 * Time       event time: the instant that a value is about. Publish time: when anyone could have
 *            known it; the tape's order and ts_local. A row without a publish time is refused
 * unless the description names a delay: it is never assumed. Ownership  the report belongs to the
 * caller: series_report_fini. Invariant  revisions of an event time are kept, numbered from 0 in
 * order of publication; the tape appears whole or not at all; every row is an event or is counted
 * under a reason. Limits     SERIES_MAX series a description, SERIES_ROWS_MAX rows an import (they
 * are held in memory to be put in order of publication), SERIES_JSON_MAX bytes a JSON document. Why
 * docs/import.md
 */
#ifndef FATHOM_CAPTURE_SERIES_SERIES_H
#define FATHOM_CAPTURE_SERIES_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/instrument.h"

enum {
    SERIES_MAX = 256,
    SERIES_NAME_MAX = 24, /* with the NUL; asset, point and name make the row's symbol */
    SERIES_UNIT_MAX = 16,
    SERIES_COLUMN_MAX = 64,
    SERIES_ROWS_MAX = 1 << 23,
    SERIES_JSON_MAX = 1 << 28
};

/* One series of a description file. */
struct series_entry {
    char name[SERIES_NAME_MAX];
    char asset[8];
    char unit[SERIES_UNIT_MAX];
    char value[SERIES_COLUMN_MAX]; /* column of a CSV header, key of a JSON object, or index */
    char event[SERIES_COLUMN_MAX];
    char publish[SERIES_COLUMN_MAX];  /* empty: delay_ns counts from the event time */
    char revision[SERIES_COLUMN_MAX]; /* optional: must rise with publication */
    int64_t delay_ns;                 /* -1 = none named */
    bool ahead;                       /* may be published before its event time (a calendar) */
};

struct series_desc {
    struct series_entry entry[SERIES_MAX];
    size_t n;
    char rows[SERIES_COLUMN_MAX]; /* JSON: path of the array of rows, "data.values"; may be empty */
};

/* Reads a description (YAML or JSON). ERR_USAGE: what is wrong with it, at file:line. */
MUST_USE err_t series_desc_load(struct series_desc *out, const char *file, struct err_info *e);

enum series_reason {
    SERIES_MALFORMED, /* no row: wrong number of columns, broken JSON line, column missing */
    SERIES_BAD_TIME,
    SERIES_BAD_VALUE,
    SERIES_NO_VALUE,         /* empty or null */
    SERIES_NO_PUBLISH_TIME,  /* empty or null */
    SERIES_PUBLISHED_BEFORE, /* before its event time, and the series is not `ahead` */
    SERIES_DUPLICATE,        /* the same value of the same two times again */
    SERIES_CONFLICT,         /* another value of the same two times */
    SERIES_REVISION_ORDER,   /* its revision number does not rise with its publication */
    SERIES_REASON_COUNT
};
const char *series_reason_name(enum series_reason r);

enum { SERIES_SAMPLES = 3, SERIES_SAMPLE_MAX = 160 };
struct series_sample {
    const char *file; /* of the options */
    uint64_t line;
    char text[SERIES_SAMPLE_MAX];
};

struct series_tally { /* of one series, or of one chain of options */
    char symbol[SYMBOL_MAX];
    char unit[SERIES_UNIT_MAX];
    uint64_t points;    /* event times (chain: snapshots) */
    uint64_t revisions; /* further values of the same event time (chain: options) */
    int64_t first_event_ns, last_event_ns, first_publish_ns, last_publish_ns;
};

struct series_report {
    uint64_t lines, rows, events, rounded; /* rounded: values with more than 18 digits */
    uint64_t rejected[SERIES_REASON_COUNT];
    struct series_sample sample[SERIES_REASON_COUNT][SERIES_SAMPLES];
    struct series_tally *series;
    size_t n_series;
    uint64_t hash; /* of the tape */
    bool written;
    /* the first file whose last row has no line end (0: none has): a torn file loses digits there
     */
    const char *open_file;
    uint64_t open_line;
};

struct series_options {
    const char *const *files;
    size_t n_files;
    const char *to;     /* the tape */
    const char *desc;   /* external series: the description file */
    const char *symbol; /* options: the underlying */
    int64_t at_ns;      /* options: when a table without a column `time` was taken; 0 = not named */
    bool options;       /* the files are Deribit option tables, not series */
    bool strict, force;
    bool (*interrupted)(void);
};

/* ERR_OK: some event is on the tape. ERR_INPUT: none is, input is torn, or strict stopped (nothing
 * is written then). The report is filled as far as it went. */
MUST_USE err_t series_import(
    const struct series_options *opt, struct series_report *report, struct err_info *e);
/* The times that a table may hold, as text: see docs/import.md. */
bool series_time_text(const char *text, int64_t *ns);
void series_report_fini(struct series_report *report);

#endif
