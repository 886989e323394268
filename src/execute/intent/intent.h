/* intent.h: probability -> expected edge after cost -> wanted position, through gates that say why.
 *
 *   prediction, bucket, book -> G1 data quality -> G2 confidence -> G3 cost / expected value
 *                            -> size, linear in edge, capped -> DECISION record
 *
 * Units      probabilities and basis points as double (statistics); the wanted position in quantity
 *            units. Positive = long.
 * Time       the local time of the decision.
 * Ownership  open structs. Threads: one.
 * Invariant  every call makes exactly one decision record; a refusal has one reason, counted. A
 *            NaN or infinite input refuses; it never trades (fault F1, F3).
 * Why        edge = (P(up) - P(down)) x move - cost, cost = 2 x taker fee + spread + slippage
 *            allowance, in bps of mid (a round trip); size = max x (edge - edge_min) /
 *            (edge_full - edge_min), clipped to [0, max]. Gates after S2's G1 (data), G2 (strength)
 *            and G4 (EV > 0).
 */
#ifndef FATHOM_EXECUTE_INTENT_INTENT_H
#define FATHOM_EXECUTE_INTENT_INTENT_H

#include <stdbool.h>

#include "base/instrument.h"
#include "derive/book/book.h"
#include "derive/model/model.h"
#include "derive/vclock/vclock.h"

enum intent_reason {
    INTENT_OK = 0,
    INTENT_NO_PREDICTION, /* no model yet, or it withheld */
    INTENT_NOT_FINITE,
    INTENT_BOOK_STATE, /* not SYNCED, or a side is empty */
    INTENT_STALE,
    INTENT_GAPPED,  /* the bucket holds a gap */
    INTENT_MISSING, /* too many missing features */
    INTENT_CONFIDENCE,
    INTENT_EDGE, /* expected value after cost too small */
    INTENT_REASON_COUNT
};
const char *intent_reason_name(uint8_t reason);

struct intent_config {
    double confidence_min; /* least probability of the wanted side */
    double edge_min_bps;   /* least edge after cost */
    double edge_full_bps;  /* edge that takes the whole size; <= edge_min: all or nothing */
    double move_bps;       /* expected move of a right forecast */
    double missing_max;    /* largest share of missing features */
    double taker_bps, slippage_bps;
    int64_t position_max; /* quantity units */
    int64_t stale_ns;     /* age of the book; 0 = not judged */
    bool bars;            /* no book: the book gates do not apply */
    bool hold_to_horizon; /* cost of one side only: the position is held anyway */
};

/* Hashed and stored; no holes. */
struct decision {
    ts_t ts;
    int64_t bucket_id;
    double p_up, p_down;
    double edge_bps, cost_bps; /* 0 where the gate refused before */
    int64_t wanted;            /* position after the gates */
    int64_t before;            /* position at the decision */
    uint16_t inst;
    uint8_t reason; /* enum intent_reason */
    uint8_t pad[5];
};
_Static_assert(sizeof(struct decision) == 72, "hashed");

struct intent_input {
    ts_t now;
    const struct prediction *p; /* NULL = none */
    const struct bucket *b;
    size_t features;         /* columns of the row */
    const struct book *book; /* NULL with config.bars */
    const struct instrument *inst;
    int64_t position;
};

struct intent_counters {
    uint64_t decisions, reason[INTENT_REASON_COUNT];
};

/* The decision; `wanted` is 0 unless reason is INTENT_OK. */
struct decision intent_decide(
    const struct intent_config *cfg, const struct intent_input *in, struct intent_counters *n);

#endif
