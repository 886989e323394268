/* sim_internal.h: what the world and the two rule sets share. */
#ifndef FATHOM_EXECUTE_SIM_SIM_INTERNAL_H
#define FATHOM_EXECUTE_SIM_SIM_INTERNAL_H

#include "execute/sim/anchor_book.h"
#include "execute/sim/world.h"

struct sim_order {
    int64_t id, px, qty, leaves;
    struct queue_pos pos;
    int64_t placed; /* market quantity ahead when it came to rest */
    uint8_t side, type, tif;
    uint8_t pad[5];
};

struct sim_taken { /* displayed quantity of a level that this seat has already traded */
    int64_t px, lots;
};

struct sim_bus {
    size_t head, count;
    int64_t last; /* arrival of the newest */
};

struct sim_request {
    int64_t arrival;
    struct order_request req;
};

struct sim_response {
    int64_t arrival;
    struct event ev[2];
};

/* Everything of one strategy at the exchange: orders, its overlay of taken liquidity, both buses.
 * orders[side] by priority: better price, then earlier. taken[side]: side of the displayed level.
 */
struct sim_seat {
    uint32_t count[2], taken_count[2];
    struct sim_bus out, back;
    struct sim_request *requests; /* bus_slots each */
    struct sim_response *responses;
    int64_t timer_ns, timer_next;
    struct world *world;
    struct sim_order orders[2][SIM_ORDERS_MAX];
    struct sim_taken taken[2][SIM_TAKEN_MAX];
};

struct sim_reorder { /* sorted ring of exchange events; key in ts_local (our axis) */
    struct event *ring;
    size_t slots, head, count;
    int64_t newest, released; /* largest key read; last key handed out */
    bool ended;
};

/* What a rule set does at the exchange at time `ts` (axis). */
struct sim_ops {
    void (*depth)(struct world *w, const struct event *ev);
    void (*print)(struct world *w, const struct event *ev);
    void (*request)(
        struct world *w, struct sim_seat *s, const struct order_request *req, int64_t ts);
};
extern const struct sim_ops sim_strict, sim_anchor, sim_bars;

struct world {
    const struct world_config *cfg;
    const struct sim_ops *ops;
    struct world_source local, venue;
    const struct event *local_head; /* NULL at the end */
    int64_t local_ts;
    bool started, local_used;
    struct world_fault fault; /* result WORLD_EVENT: none */
    uint32_t seats;
    size_t bus_slots;
    struct book *book;          /* strict */
    struct anchor_book *anchor; /* anchor: exchange side, and ours */
    struct anchor_book *anchor_local;
    struct sim_reorder in;
    struct world_counters counters;
    struct event timer;
    struct event report[2];
    struct sim_seat *seat;
};

static inline bool sim_better(int side, int64_t a, int64_t b) {
    return side == SIDE_BUY ? a > b : a < b;
}

/* Resting orders: insert behind all of equal or better price; false if the side is full. */
bool sim_insert(struct sim_seat *s, const struct sim_order *o);
void sim_remove(struct sim_seat *s, int side, uint32_t i);
struct sim_order *sim_find(struct sim_seat *s, int64_t id, uint32_t *index);
struct sim_order sim_order_of(const struct order_request *req);

struct sim_said { /* the changing part of a report */
    uint8_t status, why;
    int64_t last_px, last_qty;
    bool maker;
    int64_t queue_before; /* -1 = unknown */
};
/* Queues a report about o (its leaves already reduced) that the exchange gives at ts. */
void sim_report(
    struct sim_seat *s, const struct sim_order *o, const struct sim_said *said, int64_t ts);
void sim_fill(struct sim_seat *s, const struct sim_order *o, int64_t px, int64_t qty, bool maker,
    int64_t queue_before, int64_t ts);
/* The run ends at the exchange's time ts; the first fault is kept. */
void sim_fault(struct world *w, enum world_result result, int64_t order_id, int64_t ts);
/* A query's answer: the order stands, or there is none (what ended was reported before). */
void sim_query(struct sim_seat *s, const struct order_request *req, int64_t ts);
static inline void sim_say(
    struct sim_seat *s, const struct sim_order *o, uint8_t status, uint8_t why, int64_t ts) {
    struct sim_said said = {.status = status, .why = why, .queue_before = -1};
    sim_report(s, o, &said, ts);
}

#endif
