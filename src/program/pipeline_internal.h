/* pipeline_internal.h: one instrument's path, which portfolio.c opens, steps and closes.
 *
 * Ownership  the portfolio fills the fields above the line and owns what they point to; the rest
 *            belongs to pipeline.c, from pipeline_open to pipeline_close.
 */
#ifndef FATHOM_PROGRAM_PIPELINE_INTERNAL_H
#define FATHOM_PROGRAM_PIPELINE_INTERNAL_H

#include "execute/engine/engine.h"
#include "execute/sim/world.h"
#include "program/fanout.h"
#include "program/pipeline.h"
#include "program/pipeline_sinks.h"
#include "program/plan_account.h"
#include "program/plan_sim.h"

/* One parameter set: its own strategy, limits, fees and money on the shared replay. */
struct pipeline_seat {
    const struct config *c;
    struct run_result *r;
    struct sink_files files;
    money_t deposit; /* of this instrument's ledger: 0 where an account stands behind several */
    bool (*account)(
        void *ctx, int64_t ts_ns, struct sinks_money *out); /* NULL: the ledger is the account */
    bool (*equity)(void *ctx, money_t *out);
    bool (*use)(void *ctx, const struct sinks *s, int64_t ts_ns, int128 *balance, int128 *upkeep);
    void *account_ctx;
    struct clearing *clearing; /* the account at the venue */
    struct clearing_rules rules;
    /* ---- */
    struct engine_config cfg;
    void *mem;
    struct engine *engine;
    struct sinks sinks;
    double move_bps;               /* of the configuration; 0 = the model's */
    int64_t stale_ns;              /* a book older than this marks no fill */
    uint64_t passed, passed_depth; /* of pipeline.quiet, how many its engine was told of */
};

struct pipeline {
    const struct config *cfg; /* what all sets share */
    const struct run_models *models;
    struct pipeline_facts *facts;
    struct instrument inst; /* with the id its events carry */
    bool bars;
    size_t periods; /* as pipeline_options.periods */
    bool company;   /* other instruments run beside it */
    uint16_t rank;  /* among the instruments of the run */
    const struct fanout_facts *found;
    struct fanout_lane *lane;
    struct stream_spec spec; /* instrument and others; the rest is pipeline.c's */
    uint32_t seats; /* engines are seats 0..seats-1; seat `seats` rings at bucket boundaries */
    struct pipeline_seat *seat; /* calloc; freed by pipeline_close */
    /* ---- */
    uint64_t events, predictions;
    void *stream_mem, *world_mem;
    struct stream *stream;
    struct world *world;
    uint64_t local_left; /* events of the own instrument still to come on our side */
    struct plan_sim sim;
    struct world_config world_cfg;
    const struct run_model *model; /* that scores now */
    int64_t close_mid2;            /* bars: twice the last close */
    int64_t book_ns;               /* last depth message */
    int64_t mark_due;              /* earliest mark-out of any set */
    /* Market events that no engine looks at are counted here once for all sets. */
    bool listening; /* a strategy looks at every event */
    uint64_t quiet, quiet_depth;
    int64_t quiet_ns, quiet_book_ns; /* latest local time, of any and up to the last depth one */
    err_t failed;
};

/* Of one sampling period of profit: a minute, shorter where `periods` of them would not fit into
 * the span, never below least_ns. */
int64_t pipeline_period(size_t periods, int64_t span_ns, int64_t least_ns);
MUST_USE err_t pipeline_open(struct pipeline *p, struct err_info *e);
/* Has memory bring what the next step of this instrument will touch first: called while another
 * one is stepping. */
void pipeline_fetch(const struct pipeline *p);
/* What the world gave; p->failed tells of an error. */
void pipeline_step(struct pipeline *p, const struct event *ev, uint32_t seat);
/* After the last event: hashes, reasons and facts; then rows that waited, and the sums. */
void pipeline_gather(struct pipeline *p);
MUST_USE err_t pipeline_finish(struct pipeline *p, struct err_info *e);
void pipeline_close(struct pipeline *p);

#endif
