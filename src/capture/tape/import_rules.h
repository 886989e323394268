/* import_rules.h: the data quality rules between decoded messages and the tape.
 *
 *   messages in arrival order -> [ids, prices, stamps] -> kept ones in the same order -> sink
 *
 *   hard (not written)             soft (written with EVF_SUSPECT)
 *     bad_price  duplicate_id        id_gap  latency_outlier
 *     price_jump malformed           receive_before_event
 *
 * Units      latency = receive stamp - event time (message time; else venue time), in ns, with the
 *            clock offset of its file removed.
 * Time       nothing here looks further ahead than the next trade of the same stream (price_jump)
 *            or the
 *            first timely message after outliers (stamps that run ahead).
 * Invariant  a message leaves at most once and in order of arrival; local stamps leave in order.
 * Limits     IMPORT_HOLD_MAX slots wait for a decision; then what waits is kept as suspect.
 * Why        docs/import.md states every rule with its reason.
 */
#ifndef FATHOM_CAPTURE_TAPE_IMPORT_RULES_H
#define FATHOM_CAPTURE_TAPE_IMPORT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/event.h"
#include "base/instrument.h"

enum import_reason {
    IMPORT_BAD_PRICE,
    IMPORT_PRICE_JUMP,
    IMPORT_DUPLICATE_ID,
    IMPORT_ID_GAP,
    IMPORT_LATENCY_OUTLIER,
    IMPORT_RECEIVE_BEFORE_EVENT,
    IMPORT_MALFORMED,
    IMPORT_REASON_COUNT
};

/* "bad_price", "price_jump", ... */
const char *import_reason_name(enum import_reason reason);

enum {
    IMPORT_HOLD_MAX = 1 << 16, /* slots: 4 MiB */
    IMPORT_SAMPLES = 3,        /* a reason */
    IMPORT_SAMPLE_MAX = 320,   /* bytes of text */
    IMPORT_WAITING_MAX = 64    /* streams whose newest price waits for its successor */
};

struct import_sample {
    const char *file;
    uint64_t line;
    char text[IMPORT_SAMPLE_MAX];
};

struct import_tally {
    uint64_t rejected[IMPORT_REASON_COUNT];
    struct import_sample sample[IMPORT_REASON_COUNT][IMPORT_SAMPLES];
    uint64_t events, non_market_trades, local_repaired;
    uint64_t missing_ids; /* trades that the gaps of id_gap leave out */
    uint64_t late_ids;    /* trades that came after a later id */
};

/* One message, decoded: `slots` may be changed by the rules. */
struct import_message {
    struct event *slots;
    size_t n;
    const char *file;
    uint64_t line;
    int64_t offset_ns;  /* the file's clock offset: <= 0, subtracted from latencies */
    int64_t stamp_unit; /* resolution of the receive stamp in ns */
    bool received;      /* ts_local is a receive stamp (else taken from the venue) */
};

typedef err_t import_sink(void *to, const struct event *slots, size_t n, struct err_info *e);

struct import_rules_options {
    int64_t jump_ppm;   /* least price step that is a jump: 200000 = 20 % */
    int64_t latency_ns; /* longest latency that is no outlier */
    bool strict;        /* the first reason stops with ERR_INPUT */
    import_sink *sink;
    void *to;
    const struct instrument *(*instrument)(void *to, uint16_t inst);
};

struct import_rules;

MUST_USE err_t import_rules_open(struct import_rules **out, const struct import_rules_options *opt,
    struct import_tally *tally, struct err_info *e);
void import_rules_close(struct import_rules *r);

MUST_USE err_t import_rules_push(
    struct import_rules *r, const struct import_message *m, struct err_info *e);

/* A trade that never became an event had this id: its successor misses nothing. */
void import_rules_seen(struct import_rules *r, uint16_t inst, uint8_t kind, int64_t id);

/* End of the input: what waits is kept. Also after an error, so that nothing accepted is lost. */
MUST_USE err_t import_rules_flush(struct import_rules *r, struct err_info *e);

/* A row that never became a message (`text`: why). Same answer as a reason found by a rule. */
MUST_USE err_t import_rules_note(struct import_rules *r, enum import_reason reason,
    const char *file, uint64_t line, const char *text, struct err_info *e);

#endif
