/* import_fuzz.c: the readers of foreign rows. The first byte picks one: a CSV file (its first line
 * the header, or one of the kinds without), or lines of the raw shapes. Whatever comes, a row is
 * read whole or refused with a reason, and a body lies within its line.
 */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "capture/tape/import_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct instrument coin = {
    .symbol = "X", .px_mant = 1, .px_exp = 8, .qty_mant = 1, .qty_exp = 8, .id = 1};

static void csv_line(struct import_file *f, const char *line, size_t len) {
    struct import_csv_row row;
    const char *why = NULL;
    enum import_csv_fault fault = import_csv_row(&f->csv, line, len, &row, &why);
    CHECK((fault == IMPORT_CSV_OK) == (why == NULL));
    if (row.symbol_len) CHECK(row.symbol >= line && row.symbol + row.symbol_len <= line + len);
    if (fault != IMPORT_CSV_OK) return;
    struct event slots[IMPORT_CSV_SLOTS_MAX];
    size_t slots_n = 0;
    enum import_reason reason = IMPORT_REASON_COUNT;
    why = import_csv_event(f, &row, row.venue_ns, &coin, slots, &slots_n, &reason);
    CHECK(why ? reason < IMPORT_REASON_COUNT : slots_n >= 1 && slots_n <= IMPORT_CSV_SLOTS_MAX);
}

static void raw_line(enum import_shape shape, const char *line, size_t len) {
    struct import_row row = {.kind = ROW_NONE};
    int64_t unit = 0;
    import_raw_split(shape, line, len, &row, &unit);
    CHECK(memchr(row.symbol, 0, SYMBOL_MAX));
    if (row.kind == ROW_BAD) {
        CHECK(row.why[0] != 0);
    } else if (row.kind != ROW_NONE) {
        CHECK(row.at_ns > 0 && row.body >= line && row.body + row.len <= line + len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    if (n < 1) return 0;
    unsigned pick = bytes[0] % (IMPORT_CSV_KIND_COUNT + 2);
    const char *s = (const char *)bytes + 1;
    n--;
    struct import_file f = {.shape = SHAPE_CSV, .interval_ns = 60 * NS_PER_S};
    bool csv = pick < IMPORT_CSV_KIND_COUNT, first = true;
    while (n > 0) {
        const char *end = memchr(s, '\n', n);
        size_t len = end ? (size_t)(end - s) : n;
        if (csv && first) {
            const char *why;
            enum import_csv_kind kind = (enum import_csv_kind)pick;
            bool ok = kind == IMPORT_CSV_NONE
                          ? import_csv_header(s, len, &f.csv, &why)
                          : import_csv_headless(kind, import_csv_fields(s, len), &f.csv);
            if (!ok) return 0;
        }
        if (csv && !(first && pick == IMPORT_CSV_NONE)) csv_line(&f, s, len);
        if (!csv) raw_line(pick == IMPORT_CSV_KIND_COUNT ? SHAPE_STAMP : SHAPE_FEED, s, len);
        first = false;
        s += len + (end != NULL);
        n -= len + (end != NULL);
    }
    return 0;
}
