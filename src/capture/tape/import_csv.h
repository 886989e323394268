/* import_csv.h: rows of CSV histories -> checked fields. One table says which columns a kind has.
 *
 *   header line or kind + column count -> import_csv_layout     data line -> import_csv_row
 *
 * Units      prices, quantities and rates stay decimals as written (exponents are exact).
 * Time       a stamp's unit is told by its digits: 10 s, 13 ms, 16 us, 19 ns; metrics write
 *            "YYYY-MM-DD HH:MM:SS" (UTC). A bar is known when it closes.
 * Ownership  text fields of a row point into the line.
 * Threads    pure functions, no state.
 * Limits     IMPORT_FIELDS_MAX columns.
 */
#ifndef FATHOM_CAPTURE_TAPE_IMPORT_CSV_H
#define FATHOM_CAPTURE_TAPE_IMPORT_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/decimal.h"

enum { IMPORT_FIELDS_MAX = 32 };

enum import_csv_kind {
    IMPORT_CSV_NONE = 0,
    IMPORT_CSV_TRADES, /* bulk trades, and recordings with a receive stamp */
    IMPORT_CSV_AGG_TRADES,
    IMPORT_CSV_KLINES, /* 12 columns, or time, open, high, low, close, volume */
    IMPORT_CSV_MARK,   /* bars of the mark price: time, open, high, low, close */
    IMPORT_CSV_BOOK_TICKER,
    IMPORT_CSV_FUNDING,
    IMPORT_CSV_METRICS,
    IMPORT_CSV_KIND_COUNT
};

/* What a column means. The decimals come first: they index import_csv_row.d. */
enum import_role {
    ROLE_PX,
    ROLE_QTY,
    ROLE_OPEN,
    ROLE_HIGH,
    ROLE_LOW,
    ROLE_CLOSE,
    ROLE_VOLUME,
    ROLE_QUOTE_VOLUME,
    ROLE_TAKER_QTY,
    ROLE_TAKER_QUOTE,
    ROLE_BID_PX,
    ROLE_BID_QTY,
    ROLE_ASK_PX,
    ROLE_ASK_QTY,
    ROLE_RATE,
    ROLE_INTEREST,
    ROLE_INTEREST_VALUE,
    ROLE_RATIO_TOP_ACCOUNTS,
    ROLE_RATIO_TOP_POSITIONS,
    ROLE_RATIO_ACCOUNTS,
    ROLE_RATIO_TAKER,
    ROLE_DECIMALS, /* end of the decimals */
    ROLE_LOCAL = ROLE_DECIMALS,
    ROLE_EVENT_TIME,
    ROLE_TIME,
    ROLE_ID,
    ROLE_FIRST_ID,
    ROLE_LAST_ID,
    ROLE_COUNT,
    ROLE_MAKER,
    ROLE_EXECUTION, /* X: MARKET, or what else made this print */
    ROLE_SYMBOL,
    ROLE_IGNORED,
    ROLE_END
};

struct import_csv_layout {
    uint8_t kind;   /* enum import_csv_kind */
    uint8_t fields; /* columns a row has */
    bool header;
    uint8_t role[IMPORT_FIELDS_MAX]; /* of each column */
    uint32_t has;                    /* bit a role */
};

enum import_csv_fault { IMPORT_CSV_OK = 0, IMPORT_CSV_MALFORMED, IMPORT_CSV_BAD_DECIMAL };

struct import_csv_row {
    struct decimal d[ROLE_DECIMALS];
    uint32_t has;                         /* bit a role: column there and not empty */
    int64_t local_ns, event_ns, venue_ns; /* 0 = none */
    int64_t unit_ns;                      /* resolution of local (or venue) stamp */
    int64_t id, first_id, last_id, count;
    bool seller_aggressor, market;
    const char *symbol;
    size_t symbol_len;
};

/* Reads a header line. False: it is none (a data line), or its columns make no known kind (*why
 * then says so, else NULL). */
bool import_csv_header(
    const char *line, size_t len, struct import_csv_layout *out, const char **why);

/* Layout of a file without header. False: that kind has no such number of columns. */
bool import_csv_headless(enum import_csv_kind kind, size_t fields, struct import_csv_layout *out);

size_t import_csv_fields(const char *line, size_t len); /* commas + 1 */

/* "trades", "aggTrades", "klines", "mark", "bookTicker", "fundingRate", "metrics". */
const char *import_csv_kind_name(enum import_csv_kind kind);
enum import_csv_kind import_csv_kind_from(const char *name, size_t len);

/* On a fault *why is a static text; stamps and id are filled as far as they could be read. */
enum import_csv_fault import_csv_row(const struct import_csv_layout *layout, const char *line,
    size_t len, struct import_csv_row *out, const char **why);

/* A stamp of 10, 13, 16 or 19 digits in ns; *unit_ns = 1 s .. 1 ns. False: anything else. */
bool import_stamp(const char *text, size_t len, int64_t *ns, int64_t *unit_ns);

/* "YYYY-MM-DD HH:MM:SS" (or with T between), UTC. */
bool import_date_time(const char *s, size_t n, int64_t *ns);

/* "5m", "1h", "8h", "1d", "1w" in ns; 0 if it is none. */
int64_t import_interval(const char *text, size_t len);

static inline bool import_has(uint32_t set, enum import_role role) { return set >> role & 1u; }

#endif
