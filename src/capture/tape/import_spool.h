/* import_spool.h: decoded rows between the two halves of an import.
 *
 *   survey: rows -> spool -> (end of input: units and clock offsets are known) -> rules -> tape
 *
 * Units      decimals as written: units are not known yet.
 * Ownership  the spool owns its buffer and its file. Text of a row lies in the buffer until the
 *            next call.
 * Threads    one thread.
 * Invariant  memory is flat: what does not fit SPOOL_BUFFER goes to a nameless temporary file in
 *            the folder of the tape, which vanishes with the process. Rows come out in the order
 *            they went in.
 * Limits     one row takes at most SPOOL_ROW_MAX bytes.
 * Why        unpacking and scanning text a second time costs more than writing and reading the
 *            numbers: about 12 bytes an event, 0.4 of the time (docs/import.md).
 */
#ifndef FATHOM_CAPTURE_TAPE_IMPORT_SPOOL_H
#define FATHOM_CAPTURE_TAPE_IMPORT_SPOOL_H

#include "capture/tape/import_internal.h"

/* A depth message: levels of at most 22 bytes; a text: at most a line of a message. */
enum {
    SPOOL_ROW_MAX = 2 * BINANCE_LEVELS_MAX * 22 + BINANCE_MESSAGE_MAX,
    SPOOL_BUFFER = 256 << 10 /* written at once when full */
};

enum spool_what {
    SPOOL_BAD,     /* row.reason, row.why; a refused trade: also symbol, kind, id */
    SPOOL_TEXT,    /* row.body: a message of a rare kind, to be decoded again */
    SPOOL_MESSAGE, /* trade, depth, ticker: message */
    SPOOL_CSV      /* row.csv */
};

enum { SPOOL_NO_SYMBOL = 0xFFFF };

/* One row, on its way in and out. */
struct spool_row {
    enum spool_what what;
    uint32_t file;    /* index of the file */
    uint16_t symbol;  /* index of the instrument, SPOOL_NO_SYMBOL */
    uint8_t bad_kind; /* EV_TRADE, EV_AGG_TRADE or 0: of a refused trade */
    int64_t bad_id;
};

struct import_spool;

/* `beside`: path of the tape to come; the temporary file lies in its folder. */
MUST_USE err_t import_spool_open(struct import_spool **out, const char *beside, struct err_info *e);
void import_spool_close(struct import_spool *s);

/* True for the kinds that SPOOL_MESSAGE carries. */
bool import_spool_carries(const struct binance_message *m);

/* `m` for SPOOL_MESSAGE, else NULL. Line, time and payload come from `row`. */
MUST_USE err_t import_spool_put(struct import_spool *s, const struct spool_row *what,
    const struct import_row *row, const struct binance_message *m, struct err_info *e);

/* After the last put, before the first get. */
MUST_USE err_t import_spool_rewind(struct import_spool *s, struct err_info *e);

/* Fills what applies; everything else of `row` and `m` is left alone. ERR_END after the last. */
MUST_USE err_t import_spool_get(struct import_spool *s, struct spool_row *what,
    struct import_row *row, struct binance_message *m, struct err_info *e);

#endif
