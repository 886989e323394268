/* import.h: foreign history -> one tape.
 *
 *   files -> rows in order of time -> [survey: units, clock offsets] -> [quality rules] -> tape
 *
 * Units      of an instrument: exchangeInfo in the input, else --instruments FILE, else inferred
 *            from everything in the input (import_units.h).
 * Time       rows of several files are merged by receive time (bars: when they close; funding: at
 *            settlement); ties keep mark, funding, then the order of the files.
 * Ownership  the report belongs to the caller: import_report_fini.
 * Invariant  the input is read once and never held: its rows wait as numbers in a nameless
 * temporary file beside the tape until units are known (import_spool.h); memory is flat. What was
 *            written before a tear, an interruption or a strict stop is a valid, closed tape.
 * Limits     IMPORT_FILES_MAX files; INST_MAX instruments; import_source.h, import_rules.h.
 * Why        docs/import.md
 */
#ifndef FATHOM_CAPTURE_TAPE_IMPORT_H
#define FATHOM_CAPTURE_TAPE_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/instrument.h"
#include "capture/tape/import_rules.h"

enum { IMPORT_FILES_MAX = 4096 };
#define IMPORT_JUMP_PPM ((int64_t)200000)       /* 20 % */
#define IMPORT_LATENCY_NS ((int64_t)1000000000) /* 1 s */

struct import_options {
    const char *const *files;
    size_t n_files;
    const char *to;          /* the tape; must not exist unless force */
    const char *format;      /* "auto", "raw" or a name of import_csv.h; NULL = auto */
    uint8_t venue;           /* enum venue; VENUE_NONE = tell from the files */
    const char *symbol;      /* NULL = tell from the files */
    int64_t interval_ns;     /* of bars; 0 = tell from name or spacing */
    const char *instruments; /* file of declared steps or NULL */
    int64_t jump_ppm, latency_ns;
    bool strict, force;
    void (*progress)(void *ctx, uint64_t done, uint64_t total); /* bytes read */
    void *ctx;
    bool (*interrupted)(void);
};

/* What one file turned out to be. */
struct import_file_report {
    const char *path;
    const char *format; /* "raw", "trades", ... */
    uint8_t venue;
    int64_t unit_ns; /* of its stamps */
    bool received;   /* the stamps are receive times */
    uint64_t lines, control_lines;
    uint64_t open_line; /* CSV: a last row without a line end, perhaps torn; 0 = none */
    int64_t latency_median_ns, clock_offset_ns; /* where stamps are receive times */
};

struct import_report {
    uint64_t lines, control_lines;
    uint64_t other_messages; /* well-formed messages of kinds that carry no event here */
    struct import_tally tally;
    uint64_t hash;           /* of the tape, as `tape info` prints it */
    const char *local_unit;  /* "s", "ms", "us", "ns", "mixed" */
    int64_t clock_offset_ns; /* of the first file that has one */
    struct import_file_report *file;
    size_t n_files;
    struct instrument *instrument;
    size_t n_instruments;
    bool tape_written;
    /* LOBSTER (import_lobster.h): levels taken from the order book file */
    uint64_t levels_revealed, levels_stale, levels_wrong;
};

/* ERR_OK: some event is on the tape. ERR_INPUT: none is, or the input is torn or damaged in
 * mid-stream, or strict stopped; ERR_INTERRUPTED. The report is filled in all cases. */
MUST_USE err_t import_run(
    const struct import_options *opt, struct import_report *report, struct err_info *e);
void import_report_fini(struct import_report *report);

#endif
