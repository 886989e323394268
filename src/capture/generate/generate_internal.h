/* generate_internal.h: the state of one generated recording, shared by the files of generate/. */
#ifndef FATHOM_CAPTURE_GENERATE_GENERATE_INTERNAL_H
#define FATHOM_CAPTURE_GENERATE_GENERATE_INTERNAL_H

#include <zlib.h>

#include "base/file.h"
#include "base/rng.h"
#include "capture/generate/generate.h"
#include "capture/generate/market.h"
#include "capture/generate/wire.h"

enum { SINK_CHUNK = 1 << 18 };

/* gzip writer; counts and hashes the text. */
struct sink {
    FILE *file;
    z_stream z;
    bool open, failed;
    uint64_t lines, raw_bytes, gz_bytes, hash;
    size_t filled;
    unsigned char in[SINK_CHUNK], out[SINK_CHUNK];
};

bool sink_open(struct sink *s, FILE *file);
/* One line: "<local> <text>\n". */
void sink_line(struct sink *s, int64_t local_ns, const struct text *t);
/* Ends the stream; false if anything could not be written. */
bool sink_close(struct sink *s);

/* Bucket rows: mid at bucket ends in local time. */
struct truth {
    FILE *csv;
    uint64_t seed, rows;
    int64_t bucket_ns, bucket; /* the open bucket's number */
    int64_t mid2, mid2_before; /* 2 x mid in ticks: now, at the end of the bucket before; 0 none */
    double sum_s, sum_r, sum_ss, sum_rr, sum_sr;
};

void truth_open(struct truth *t, FILE *csv, uint64_t seed, int64_t bucket_ns, int64_t start_ns);
/* Time passes: closes the buckets that ended by local_ns. */
void truth_time(struct truth *t, int64_t local_ns);
/* Sample correlation of latent and next mid return; 0 with fewer than two rows. */
double truth_ic(const struct truth *t);
MUST_USE err_t truth_json(
    const struct generate_options *opt, const struct generate_result *r, struct err_info *e);

struct generator {
    struct generate_options *opt;
    struct generate_result *result;
    struct market *market;
    struct rng latency, ids, basis;
    struct wire_names names;
    struct truth truth;
    int64_t end_ns;
    int64_t last_local_ns;  /* of the true clock */
    int64_t ahead_until_ns; /* the local clock is a minute ahead until this local time */
    int64_t update_id, stream_id, trade_id;
    int64_t snapshot_at_ns, next_mark_ns;
    int64_t crossed_tick;   /* a fault's level that the next depth message removes; 0 = none */
    int64_t ticker_seen[4]; /* best prices and quantities of the last bookTicker */
    double basis_ou, premium_ou, rate_ou;
    bool holding;
    struct generate_fault *held_fault;
    struct text line, held, piece;
    struct sink sink;
};

/* Writes g->line with the next local stamp of a message that left the venue at venue_ns. */
int64_t generate_emit(struct generator *g, int64_t venue_ns);
/* The fault of this kind that is due at venue_ns and not done; NULL if there is none. */
struct generate_fault *fault_due(
    struct generator *g, enum generate_fault_kind kind, int64_t venue_ns);
/* The line just written shows the fault. */
void fault_done(struct generator *g, struct generate_fault *f, int64_t local_ns, int64_t id);
/* Faults of whole lines beside the step's own messages. */
void fault_lines(struct generator *g, const struct market_step *step, const struct wire_depth *d);
/* Depth message in g->line: lost, held, crossed or simply written. */
void fault_depth(struct generator *g, const struct market_step *step, const struct wire_depth *d);

#endif
