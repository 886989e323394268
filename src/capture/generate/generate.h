/* generate.h: a generated market written as a raw recording, with its truth beside it.
 *
 *   OUT.gz          lines `<local ns> <raw Binance message>`, as recorded ones
 *   OUT.truth.csv   one row a bucket: start, latent, next mid return
 *   OUT.truth.json  seed, parameters, counts, final book, faults with their lines
 *
 * Time       venue time starts at GENERATE_START_NS; local time is venue time plus a latency.
 * Invariant  the text depends on the options only, not on machine, compiler or run.
 * Limits     GENERATE_HOURS_MAX hours, GENERATE_FAULTS_MAX faults.
 */
#ifndef FATHOM_CAPTURE_GENERATE_GENERATE_H
#define FATHOM_CAPTURE_GENERATE_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define GENERATE_START_NS ((int64_t)1735689600000000000) /* 2025-01-01T00:00:00Z */
enum { GENERATE_HOURS_MAX = 720, GENERATE_FAULTS_MAX = 64, GENERATE_SYMBOL_MAX = 20 };

enum generate_fault_kind {
    FAULT_GAP,        /* a depth message is lost; a new snapshot follows a second later */
    FAULT_DUP,        /* a trade is sent twice */
    FAULT_REORDER,    /* two depth messages change places; a new snapshot follows */
    FAULT_TORN,       /* the compressed file ends early */
    FAULT_MALFORMED,  /* a line that is no JSON */
    FAULT_PRICE_JUMP, /* a trade at ten times the price */
    FAULT_ID_GAP,     /* trade ids are skipped */
    FAULT_CLOCK_STEP, /* the local clock is a minute ahead for half a second */
    FAULT_NONMARKET,  /* an INSURANCE_FUND print */
    FAULT_CROSSED,    /* a depth message that crosses the book; a new snapshot follows */
    FAULT_KINDS
};

/* What was done, filled in by generate_write. */
struct generate_fault {
    enum generate_fault_kind kind;
    bool done;
    uint64_t line;    /* 1-based line of the raw text that shows it; torn: 0 */
    uint64_t lines;   /* how many lines show it */
    int64_t local_ns; /* local stamp of that line */
    int64_t id;       /* update id or trade id it concerns; torn: bytes that remain */
};

struct generate_options {
    const char *out; /* OUT.gz */
    const char *symbol;
    uint64_t seed;
    double hours;
    double rate;     /* order flow events a second */
    double signal;   /* correlation of the latent with the next bucket's mid return */
    double bucket_s; /* length of the latent's bucket */
    bool force;
    size_t faults;
    struct generate_fault fault[GENERATE_FAULTS_MAX];
    bool (*stop)(void);                       /* true: ERR_INTERRUPTED; NULL = never */
    void (*tick)(void *user, double seconds); /* progress in market seconds; NULL = none */
    void *user;
};

/* What was written: so that an import can be compared with it. Lines that faults spoiled do not
 * count in the kinds. */
struct generate_result {
    uint64_t lines, depth_messages, depth_levels, snapshots, tickers, trades, non_market, marks;
    uint64_t jumps, buckets;
    int64_t volume_lots, taker_buy_lots;
    int64_t first_local_ns, last_local_ns;
    int64_t update_id;
    int64_t best_tick[2], best_lots[2];
    uint64_t raw_bytes, gz_bytes, hash; /* of the raw text */
    double ic;                          /* sample correlation of latent and next mid return */
    char csv_path[512], json_path[512];
};

struct generate_options generate_defaults(void);
const char *generate_fault_name(enum generate_fault_kind kind);
/* False if the word is unknown. */
bool generate_fault_find(const char *word, enum generate_fault_kind *kind);

/* Writes the three files whole or not at all (a torn one is torn on purpose). */
MUST_USE err_t generate_write(
    struct generate_options *opt, struct generate_result *out, struct err_info *e);

#endif
