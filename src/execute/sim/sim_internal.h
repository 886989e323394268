/* sim_internal.h: what the world and the two rule sets share. */
#ifndef FATHOM_EXECUTE_SIM_SIM_INTERNAL_H
#define FATHOM_EXECUTE_SIM_SIM_INTERNAL_H

#include "execute/sim/anchor_book.h"
#include "execute/sim/clearing.h"
#include "execute/sim/merge_tree.h"
#include "execute/sim/meter.h"
#include "execute/sim/sim_l3.h"
#include "execute/sim/world.h"
#include "execute/sim/world_rows.h"

struct sim_order {
    int64_t id, px, qty, leaves;
    struct queue_pos pos;
    int64_t placed; /* market quantity ahead when it came to rest */
    uint8_t side, type, tif;
    uint8_t flags; /* SIM_* */
    uint8_t stp;   /* enum order_stp, never STP_VENUE */
    uint8_t pad[3];
};
_Static_assert(sizeof(struct sim_order) == 64, "one cache line");
/* DEAD: ended while the lists are being walked; sim_settle takes it out. OPENED: rested already
 * when the present bar opened. */
enum { SIM_REDUCE = 1, SIM_TIED = 2, SIM_DEAD = 4, SIM_LIQUIDATION = 8, SIM_OPENED = 16 };

struct sim_tie {                 /* of an order with SIM_TIED */
    int64_t id, expire, partner; /* axis, 0 = never; 0 = none */
};

/* Waits for a price of its reference: units of the mark (1e-10) or of the instrument. */
struct sim_trigger {
    struct sim_order order;
    int64_t up, down; /* looked at again from such a price on */
    int64_t extreme;  /* TRAIL: best price since it was activated */
    int32_t callback_e4;
    uint8_t kind, by;
    bool rises;  /* fires upwards */
    bool active; /* TRAIL: the activation price was reached */
    bool due;    /* fired while the book was not known */
    uint8_t pad[7];
};

struct sim_taken { /* displayed quantity of a level that this seat has already traded */
    int64_t px, lots;
    int64_t first, at; /* impact: lots when it last took there, and when */
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
    uint32_t triggers, ties, reducing; /* reducing: resting reduce-only orders */
    bool unsettled, mute;
    uint8_t account;
    int64_t position;          /* of the account; kept in the seat that it is named after */
    struct meter *shared;      /* of the account over several worlds; NULL: `meter` counts */
    struct clearing *clearing; /* NULL: no money stands behind the orders */
    uint32_t leg;
    bool open_stale; /* an order came, went or filled since `open` was summed */
    struct margin_orders open;
    struct sim_bus out, back;
    struct sim_request *requests; /* bus_slots each */
    struct sim_response *responses;
    int64_t timer_ns, timer_next;
    struct latency_cursor wire;
    int64_t taken_net; /* bought less sold by taking */
    struct world *world;
    struct sim_order orders[2][SIM_ORDERS_MAX];
    struct sim_taken taken[2][SIM_TAKEN_MAX];
    struct sim_trigger trigger[SIM_TRIGGERS_MAX];
    struct sim_tie tie[SIM_TIES_MAX];
    struct meter meter;
};

struct sim_reorder { /* sorted ring of exchange events; key in ts_local (our axis) */
    struct event *ring;
    size_t slots, span, head, count; /* span <= slots: where the ring turns */
    int64_t newest, released;        /* largest key read; last key handed out */
    bool ended;
};

/* What a rule set does at the exchange at time `ts` (axis). */
struct sim_ops {
    void (*depth)(struct world *w, const struct event *ev);
    void (*print)(struct world *w, const struct event *ev);
    void (*request)(
        struct world *w, struct sim_seat *s, const struct order_request *req, int64_t ts);
    void (*mark)(struct world *w, const struct event *ev); /* NULL: marks change nothing */
    /* Takes what the market gives a liquidation, at o->px or better; NULL: nothing. */
    void (*liquidate)(struct sim_seat *s, struct sim_order *o, int64_t ts);
    void (*order)(struct world *w, const struct event *ev); /* with w->l3 only */
};
/* Strict, at a time of its own: expiries. */
void sim_due(struct world *w, int64_t ts);
extern const struct sim_ops sim_strict, sim_anchor, sim_bars;

struct sim_fence { /* no waiting order looks at a price between them */
    int64_t up, down;
};

enum { SIM_MARK_WORDS = 32, SIM_MARK_KEYS = 64 * SIM_MARK_WORDS };

/* Replay of prepared rows: both sites' places in them, and where own orders are. */
struct sim_replay {
    const struct world_rows *rows;        /* NULL: the exchange's data come from the venue source */
    size_t at;                            /* exchange: next message */
    size_t batch_at, level_at;            /* our side: next batch and level */
    bool local_over;                      /* our side has nothing more to come */
    uint32_t own_age;                     /* requests since own_* was computed */
    int64_t own_first[2];                 /* best key of an own order, by side */
    uint64_t own_mark[2][SIM_MARK_WORDS]; /* keys of own orders, modulo their number */
};

struct world {
    struct sim_fence fence[2]; /* by enum order_trigger_by */
    int64_t reference[2];      /* last mark (1e-10) and last print; 0 = none yet */
    int64_t due;               /* next expiry; INT64_MAX = none */
    const struct sim_rules_row *venue_rules;
    bool unsettled; /* some seat is */
    bool cleared;   /* some seat has an account */
    bool yield;     /* another world's next step may have changed: the merge looks again */
    bool shared;    /* some account has several seats */
    bool gated;     /* requests pass limits or outages */
    uint32_t held;  /* waiting orders that are due once the book is back */
    const struct world_config *cfg;
    const struct sim_ops *ops;
    struct world_source local, venue;
    const struct event *local_head; /* NULL at the end */
    int64_t local_ts;
    int64_t traded_ts; /* our receipt of the newest event that the exchange acts on */
    bool started, local_used;
    struct world_fault fault; /* result WORLD_EVENT: none */
    uint32_t seats;
    size_t bus_slots;
    struct book *book;          /* strict */
    struct l3_book *l3;         /* QUEUE_FIFO */
    struct anchor_book *anchor; /* anchor: exchange side, and ours */
    struct anchor_book *anchor_local;
    struct sim_reorder in;
    struct sim_replay replay;
    struct merge_tree tree; /* of the seats' next places: buses and timers */
    size_t in_flight;       /* messages on all buses */
    struct world_counters counters;
    struct latency_rate rate;
    struct event timer;
    struct event report[2];
    struct sim_seat *seat;
};

/* The slot of the next message on a bus of `slots`. An empty bus begins anew, so that a quiet one
 * stays in a few lines of the cache. */
static inline size_t sim_bus_push(struct sim_bus *b, size_t slots) {
    if (b->count == 0) b->head = 0;
    size_t at = b->head + b->count++;
    return at >= slots ? at - slots : at;
}

/* A seat's buses or timer changed: its next place with them. */
void sim_seat_moved(struct sim_seat *s);

static inline bool sim_better(int side, int64_t a, int64_t b) {
    return side == SIDE_BUY ? a > b : a < b;
}

/* ---- the venue's rules (sim_venue.c) ---- */

enum sim_limit_shape {
    LIMIT_WINDOW,  /* at most `most` in each span since 1970 */
    LIMIT_ROLLING, /* at most `most` in the last span */
    LIMIT_CREDIT   /* `most` in a burst; one comes back each span */
};
struct sim_limit {
    uint32_t kinds; /* bits 1 << enum request_kind */
    uint8_t shape;
    bool each; /* counted for each instrument, not over all of the account */
    uint8_t pad[2];
    uint32_t most;
    uint32_t strikes; /* refused this often, the sender is banned; 0 = never */
    int64_t span_ns, ban_ns;
};
struct sim_rules_row {
    uint8_t venue;
    uint8_t amend, reduce, stp; /* never 0 */
    bool same_refused;          /* an amend to the same values is an error */
    bool post_only_rejects;     /* else: accepted, then expired */
    bool post_only_amend_ends;  /* an amend that would take ends the order; else it is refused */
    uint32_t orders_max, waiting_max; /* 0 = no limit known */
    int64_t gtd_least_ns;
    struct sim_limit limit[METER_LIMITS_MAX];
};
const struct sim_rules_row *sim_rules_of(uint8_t venue);
/* Limits and outages before anything else looks at the request; WHY_NONE: goes on. *lost: it never
 * arrived. Sets s->mute where the answer will be lost. */
enum report_why sim_gate(
    struct sim_seat *s, const struct order_request *req, int64_t ts, bool *lost);

/* ---- waiting orders, expiries, pairs, reduce-only (sim_trigger.c) ---- */

/* Lets o wait for the request's trigger. */
enum report_why sim_wait(
    struct sim_seat *s, const struct order_request *req, const struct sim_order *o);
struct sim_trigger *sim_waiting(struct sim_seat *s, int64_t id, uint32_t *index);
void sim_unwait(struct sim_seat *s, uint32_t i);
/* A new reference price; fires what it reaches. Called from the fences on only. */
void sim_watch(struct world *w, int by, int64_t px, int64_t ts);
void sim_watch_held(struct world *w, int64_t ts); /* the book is back */
static inline bool sim_beyond(const struct world *w, int by, int64_t px) {
    return px >= w->fence[by].up || px <= w->fence[by].down;
}
/* Ties o by the request's expiry and partner. */
enum report_why sim_tie(
    struct sim_seat *s, const struct order_request *req, struct sim_order *o, int64_t ts);
void sim_untie(struct sim_seat *s, int64_t id);
/* One of a pair filled or fired: the other ends. */
void sim_pair_end(struct sim_seat *s, int64_t id, int64_t ts);
/* What may still be reduced by an order of this side; resting: beside those that rest. */
int64_t sim_room(const struct sim_seat *s, int side, bool resting);
void sim_settle_now(struct world *w, int64_t ts);
void sim_moved(struct sim_seat *s); /* its account's position changed */

/* ---- the account (clearing.c) ---- */

/* Books a fill; the fee rate in force. */
rate_t sim_clear_fill(
    struct sim_seat *s, const struct sim_order *o, int64_t px, int64_t qty, bool maker, int64_t ts);
/* WHY_MARGIN if the account does not carry o (in place of `instead`, an order it replaces). */
enum report_why sim_clear_admit(
    struct sim_seat *s, const struct sim_order *o, const struct sim_order *instead);
/* A mark, a settlement, a bar, or a message of the book. */
void sim_clear_data(struct world *w, const struct event *ev);

/* ---- strict (sim_strict.c) ---- */

/* An EV_ORDER moves own orders up their queues. */
void sim_l3_strict(struct world *w, const struct event *ev);

/* A waiting order has fired: it meets the book. */
void sim_fire(struct sim_seat *s, struct sim_order *o, int64_t ts);

/* After each event: what ended or shrank while lists were being walked. */
static inline void sim_settle(struct world *w, int64_t ts) {
    if (__builtin_expect(w->unsettled, 0)) sim_settle_now(w, ts);
}

static inline struct sim_seat *sim_account(const struct sim_seat *s) {
    return &s->world->seat[s->account];
}

/* Resting orders: insert behind all of equal or better price; false if the side is full. */
bool sim_insert(struct sim_seat *s, const struct sim_order *o);
void sim_remove(struct sim_seat *s, int side, uint32_t i);
struct sim_order *sim_find(struct sim_seat *s, int64_t id, uint32_t *index);
struct sim_order sim_order_of(const struct order_request *req);

/* ---- prepared rows (sim_rows.c) ---- */

void sim_rows_init(struct world *w);
/* The exchange takes its messages up to and with `limit`; stops behind one that was answered: the
 * answer may be due before the next. True: it stopped so. */
bool sim_rows_run(struct world *w, int64_t limit);
/* A request of the seat was handled: its orders are somewhere else. */
void sim_rows_own(struct sim_seat *s, const struct order_request *req);
/* Our side's view becomes that of time ts. */
void sim_rows_look(struct world *w, int64_t ts);
/* The anchor's exchange takes one message. */
void sim_anchor_message(struct world *w, const struct world_message *m);

struct sim_said { /* the changing part of a report */
    uint8_t status, why;
    int64_t last_px, last_qty;
    bool maker;
    int64_t queue_before; /* -1 = unknown */
    bool rated;           /* fee_rate is told */
    rate_t fee_rate;
};
/* Queues a report that reaches us at `arrival` (later, if one before it does). */
void sim_respond(struct sim_seat *s, const struct sim_order *o, const struct sim_said *said,
    int64_t venue_ns, int64_t arrival);
/* Queues a report about o (its leaves already reduced) that the exchange gives at ts. */
void sim_report(
    struct sim_seat *s, const struct sim_order *o, const struct sim_said *said, int64_t ts);
void sim_fill(struct sim_seat *s, const struct sim_order *o, int64_t px, int64_t qty, bool maker,
    int64_t queue_before, int64_t ts);
/* The run ends at the exchange's time ts; the first fault is kept. */
void sim_fault(struct world *w, enum world_result result, int64_t order_id, int64_t ts);
/* When a request is at the exchange. False: it never gets there (refused, or lost on the way). */
bool sim_entry(struct sim_seat *s, const struct order_request *req, int64_t *arrival);
int64_t sim_response_ns(struct sim_seat *s, const struct sim_order *o, uint8_t status, int64_t ts);
static inline void sim_rate_see(struct world *w, int64_t ts, uint8_t flags) {
    const struct latency_config *c = w->cfg->latency;
    if (!c || c->kind != LATENCY_FITTED || !(flags & EVF_LAST)) return;
    latency_rate_see(&w->rate, ts);
}
/* A venue stamp's place on our axis, and back. */
static inline int64_t sim_axis_ns(const struct world *w, const struct event *ev) {
    if (!w->cfg->clock) return ev->ts_venue.ns + w->cfg->clock_offset_ns;
    int64_t axis = ev->ts_venue.ns + clock_map_offset(w->cfg->clock, ev->ts_venue.ns);
    return axis < ev->ts_local.ns ? axis : ev->ts_local.ns; /* it was sent before it came */
}
static inline int64_t sim_venue_ns(const struct world *w, int64_t axis_ns) {
    if (!w->cfg->clock) return axis_ns - w->cfg->clock_offset_ns;
    return clock_map_venue(w->cfg->clock, axis_ns);
}
/* Where an instant of the venue's clock lies on the axis. */
static inline int64_t sim_axis_of(const struct world *w, int64_t venue_ns) {
    if (!w->cfg->clock) return venue_ns + w->cfg->clock_offset_ns;
    return venue_ns + clock_map_offset(w->cfg->clock, venue_ns);
}
/* A query's answer: the order stands, or there is none (what ended was reported before). */
void sim_query(struct sim_seat *s, const struct order_request *req, int64_t ts);
static inline void sim_say(
    struct sim_seat *s, const struct sim_order *o, uint8_t status, uint8_t why, int64_t ts) {
    struct sim_said said = {.status = status, .why = why, .queue_before = -1};
    sim_report(s, o, &said, ts);
}

#endif
