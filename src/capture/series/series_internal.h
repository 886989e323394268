/* series_internal.h: rows between the readers of files and the writer of the tape. */
#ifndef FATHOM_CAPTURE_SERIES_SERIES_INTERNAL_H
#define FATHOM_CAPTURE_SERIES_SERIES_INTERNAL_H

#include "base/external.h"
#include "capture/series/series.h"

struct series_row {
    int64_t event_ns, publish_ns;
    int64_t mant, revision; /* revision: of the source (INT64_MIN = none), then of the tape */
    uint64_t line;
    uint32_t order; /* of arrival, over all files */
    uint16_t series, file;
    int8_t decimals;
    bool refused;
    uint8_t pad[2];
};

struct series_session {
    const struct series_options *opt;
    struct series_report *report;
    const struct series_desc *desc;
    struct series_row *row;
    size_t n, cap;
    uint16_t file;
    err_t failed; /* strict stop, out of room */
    struct err_info *e;
};

/* A field as the readers hand it on: p NULL = the column is not there. */
struct series_field {
    const char *p;
    size_t n;
};

/* Counts a row out; with `strict` that ends the import. */
void series_refuse(struct series_session *s, enum series_reason why, uint64_t line,
    const char *what, struct series_field f);

/* A last row of a table that has no line end: whole files end so, and torn ones. It is kept and
 * told. */
void series_open_row(struct series_session *s, uint64_t line);

/* One row of the input for one series of the description. */
void series_take(struct series_session *s, size_t entry, uint64_t line, struct series_field value,
    struct series_field event, struct series_field publish, struct series_field revision);

/* Digits of 10 (s), 13 (ms), 16 (us), 19 (ns), or "YYYY-MM-DD[ T]HH:MM:SS[.fraction][Z|+00:00]", or
 * a date alone (its midnight, UTC). */
bool series_time(const char *s, size_t n, int64_t *ns);

/* One line of CSV: fields with the quotes off (a doubled quote inside is not taken). Returns their
 * number, 0 if a quote is broken or there are more than `max`. */
size_t series_csv_split(const char *line, size_t len, struct series_field *out, size_t max);

/* Reads one file into rows. */
MUST_USE err_t series_read_file(struct series_session *s, const char *path, struct err_info *e);
/* A JSON text of `n` bytes (fuzzed): document or one object a line. */
void series_read_json(struct series_session *s, const char *text, size_t n);

/* Numbers revisions, counts out what contradicts itself, orders by publication. */
void series_settle(struct series_session *s);

/* Deribit option tables -> tape. */
MUST_USE err_t option_import(
    const struct series_options *opt, struct series_report *report, struct err_info *e);

#endif
