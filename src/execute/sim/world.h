/* world.h: the simulated exchange and the one merged event source of a backtest.
 *
 *   tape, venue order --> reorder window --> exchange: book, own orders --,
 *                              request bus ----^                          response bus
 *   tape, local order --------------------------------> world_next <------'  + timers
 *                                                            |
 *                                                         engine(s) --> port --> request bus
 *
 * Units      as event.h and order.h. Time: one axis, our local clock. A venue stamp is placed on it
 *            by adding clock_offset_ns, the caller's estimate min(local - venue) over the data
 *            (or clock_map.h where that drifts); reports carry the venue's own stamps again.
 * Order      by time; at equal times local data, responses, exchange data, requests, timers. Both
 *            buses are first in, first out: a computed arrival before the last one is raised to it.
 *            The exchange takes events by (venue time, tape order), out of a reorder window of
 *            reorder_ns; what comes later than that is counted, and ends the run if stop_late.
 * Ownership  caller gives mem (world_mem_size, aligned 64). Sources return one event (with its
 *            continuation slots) a call, valid until the next; NULL at the end, and on an error
 *            that the source keeps for its owner. The event world_next returns is valid until the
 *            next call.
 * Threads    one. Memory is flat: reorder window, buses and books have fixed sizes.
 * Limits     WORLD_SEATS_MAX strategies; SIM_ORDERS_MAX resting orders a side, SIM_TRIGGERS_MAX
 *            orders that wait for a price, SIM_TIES_MAX expiries and pairs, and bus_slots messages
 *            in flight a seat: a full side rejects the order, a full request bus refuses
 *            the send, a full response bus ends the run (WORLD_FULL).
 */
#ifndef FATHOM_EXECUTE_SIM_WORLD_H
#define FATHOM_EXECUTE_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/instrument.h"
#include "derive/book/book.h"
#include "execute/order/order.h"
#include "execute/sim/clock_map.h"
#include "execute/sim/impact.h"
#include "execute/sim/latency.h"
#include "execute/sim/queue.h"
#include "execute/sim/sim_anchor_partial.h"

enum { WORLD_SEATS_MAX = 64, SIM_ORDERS_MAX = 256, SIM_TAKEN_MAX = 256 };
enum { SIM_TRIGGERS_MAX = 64, SIM_TIES_MAX = 128 };
enum { WORLD_ALL = UINT32_MAX >> 1 }; /* seat of events that are for every strategy */

enum sim_rules { SIM_STRICT = 0, SIM_ANCHOR = 1 };

/* Strict: when the venue takes nothing, or answers nothing. */
enum world_outage_kind {
    OUTAGE_NONE = 0,
    OUTAGE_REJECT, /* refuses every request */
    OUTAGE_LOST,   /* requests never arrive */
    OUTAGE_MUTE    /* requests act, their answers are lost; fills are told */
};
struct world_outage { /* [from, to) of the venue's clock */
    int64_t from_ns, to_ns;
    uint8_t kind;
    uint8_t pad[7];
};
/* The venue's own rules are in sim_venue.c, by the instrument's venue; 0 = as the venue. */
enum sim_amend {
    AMEND_VENUE = 0,
    AMEND_KEEP,
    AMEND_LOSE
}; /* place in the queue on less quantity */
enum sim_reduce { REDUCE_VENUE = 0, REDUCE_REJECT, REDUCE_CUT };

struct world_venue {
    uint8_t stp, amend, reduce; /* enum order_stp, sim_amend, sim_reduce */
    bool no_limits;             /* request limits are not counted */
    uint32_t orders_max;        /* open orders; 0 = the venue's */
    int64_t qty_max;            /* of one order, quantity units; 0 = none */
    int64_t band_e8;         /* limit prices: buy <= mark x (1 + band), sell >= mark x (1 - band) */
    int64_t market_bound_e8; /* the same for what a market order walks to; 0 = none */
    const struct world_outage *outage; /* by from_ns */
    size_t outages;
    uint64_t seed; /* of drawn outages: a pure hash of it and the slot of time */
    int64_t outage_every_ns, outage_ns; /* one in each such slot, at a drawn place; 0 = none */
    uint8_t outage_kind;
    uint8_t pad[7];
};

struct world_rows;

struct world_config {
    const struct instrument *inst; /* the instrument that trades; others only pass to the engine */
    uint8_t rules;                 /* enum sim_rules */
    uint8_t print_kind;            /* EV_TRADE or EV_AGG_TRADE: the one that moves queues */
    bool bars;                     /* EV_KLINE instead of books (sim_bars.c) */
    bool timers_from_start;        /* first timer at first event + period, not at a multiple;
                                      anchor: first depth or print at the exchange */
    bool stop_late;                /* an event beyond the reorder window ends the run */
    bool clears;    /* marks and settlements reach the seats' accounts (clearing.h) */
    uint16_t rank;  /* among worlds that share a merge */
    uint32_t seats; /* 0 = 1 */
    struct queue_spec queue;
    struct anchor_partial partial;                      /* anchor only */
    int64_t entry_new_ns, entry_cancel_ns, response_ns; /* where latency is NULL */
    const struct latency_config *latency;
    struct impact_spec impact; /* strict only */
    int64_t clock_offset_ns;
    const struct clock_map *clock; /* instead of clock_offset_ns; NULL: that constant */
    int64_t reorder_ns;
    size_t reorder_slots; /* 0 = 65536; a full window is cut short, counted */
    size_t bus_slots;     /* messages in flight a bus; 0 = 1024 */
    int64_t bar_slip_e4;  /* bars: bps x 1e4 worse than the open, then to the tick against us */
    int64_t bar_grace_ns; /* bars: orders up to so long after the open still get it; 0 = 1 s */
    struct book_limits book;
    struct world_venue venue;
    const uint8_t *account; /* of each seat, a seat's number; NULL: each seat has its own */
    /* Anchor: the exchange's data, and our side's book, come from here instead of the venue source;
     * the local source hands out what else the engines want, and its depth changes no book. */
    const struct world_rows *rows;
    bool crowded; /* rows: many worlds take turns, so that each finds the caches cold */
};

struct world_source {
    void *ctx;
    const struct event *(*next)(void *ctx);
};

/* LATE: an event beyond the reorder window (stop_late). FULL: bus_slots reports were in flight.
 * ORDER_STATUS: the anchor's exchange hit an order that it has already filled (its error 14).
 * LATENCY: its interpolation gave a negative latency of an answer (an assertion there).
 * WAIT: only of world_until. MONEY: a value of the account does not fit. ORDERS_FULL: more orders
 * of the market than sim_l3.h holds. BOOK_FULL: more levels than anchor_book.h holds. */
enum world_result {
    WORLD_EVENT = 0,
    WORLD_END = 1,
    WORLD_LATE = 2,
    WORLD_FULL = 3,
    WORLD_ORDER_STATUS = 4,
    WORLD_WAIT = 5,
    WORLD_LATENCY = 6,
    WORLD_MONEY = 7,
    WORLD_ORDERS_FULL = 8,
    WORLD_BOOK_FULL = 9
};

struct world_fault { /* what ended the run */
    enum world_result result;
    int64_t order_id;
    int64_t venue_ns; /* the venue's stamp of that instant */
};

/* The place of a world's next step among those of several worlds: by time, then by the kinds of
 * step in the order above, then by world_config.rank. */
struct world_key {
    int64_t ts;
    uint32_t rank;
};
static inline bool world_before(struct world_key a, struct world_key b) {
    return a.ts < b.ts || (a.ts == b.ts && a.rank < b.rank);
}

struct world_counters {
    uint64_t local_events, local_backward, venue_events, late, window_cut;
    uint64_t prints, requests, responses, refused, bus_full;
    uint64_t fills, maker_fills, cross_fills, taken_full;
    uint64_t triggered, self_trades, limited, outage_rejects, lost, muted;
};

struct world;
size_t world_mem_size(const struct world_config *cfg);
/* cfg and what it points to outlive the world. Reads ahead from both sources. */
struct world *world_init(void *mem, const struct world_config *cfg,
    const struct world_source *local, const struct world_source *venue);

/* The port of a seat. */
struct order_port world_port(struct world *w, uint32_t seat);
/* EV_TIMER events for a seat, id = period, while there is anything else to come. 0 = none. */
void world_timer(struct world *w, uint32_t seat, int64_t period_ns);

/* The next event for the engines: *seat = WORLD_ALL or the one it is for. */
enum world_result world_next(struct world *w, const struct event **ev, uint32_t *seat);
/* The same for one of several worlds: steps at or after `bound` are not taken, the exchange's own
 * neither. WORLD_WAIT: the next step is at *next, not before bound (WORLD_END: at the end of time).
 */
enum world_result world_until(struct world *w, struct world_key bound, struct world_key *next,
    const struct event **ev, uint32_t *seat);

const struct world_counters *world_counters(const struct world *w);
/* A seat's requests: sent, and those refused or lost on the way (counted with a latency model). */
const struct latency_cursor *world_wire(const struct world *w, uint32_t seat);
/* After a result other than EVENT and END. */
const struct world_fault *world_fault(const struct world *w);
/* Best level of the engine's side under the anchor rule set, whose defects both sites have; false
 * if the side is empty. CHECKs the rule set. */
bool world_local_best(const struct world *w, int side, struct book_level *out);
/* Best level of the exchange's book under either rule set; false if the side is empty. */
bool world_best(const struct world *w, int side, struct book_level *out);
const struct book *world_book(const struct world *w); /* the exchange's; NULL under anchor, bars */
uint32_t world_resting(const struct world *w, uint32_t seat);
uint32_t world_waiting(const struct world *w, uint32_t seat); /* orders that wait for a price */
/* Exact, at the exchange, of the seat's account: what reduce-only is judged by. */
int64_t world_position(const struct world *w, uint32_t seat);

#endif
