#include "capture/generate/market.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/dmath.h"
#include "base/unit.h"
#include "capture/generate/hawkes.h"

enum stream { STREAM_FLOW = 1, STREAM_SIZE, STREAM_JUMP, STREAM_MAKER, STREAM_LATENT = 1000 };

enum {
    TOP_LOTS = 10000,     /* what makers and others show together at an untilted best price */
    MAKER_LEAST = 1000,   /* a maker shows at least this much */
    ORDERS_LEAST = 200,   /* below it others quote anew after a jump */
    ORDERS_A_SIDE = 300,  /* cancels keep the number of chance orders near this */
    START_ORDERS = 250,   /* a side */
    FAR_TICKS = 100,      /* limit orders arrive at most this far behind the best */
    PRUNE_TICKS = 250,    /* orders further behind are taken back by their owners */
    JUMP_TICKS_MAX = 100, /* P < 1e-12 at the default mean */
    NARROW_MS = 100,      /* mean time until a widened spread closes again */
    REFRESH_MS = 20       /* the latent is shown this long before its bucket ends */
};

enum market_event { NEXT_FLOW, NEXT_JUMP, NEXT_NARROW, NEXT_REFRESH, NEXT_KINDS };

struct market {
    struct market_params p;
    struct lob book;
    struct hawkes flow;
    struct rng rng_flow, rng_size, rng_jump, rng_maker;
    int64_t next_ns[NEXT_KINDS];
    enum flow_kind next_flow;
    int64_t fair; /* best bid is fair - wide, best ask fair + 1 + wide */
    int64_t wide; /* 0 or 1 */
    int32_t maker[2];
    double shown; /* imbalance that makers show */
    double tilt;
    size_t fills;
    struct lob_fill fill[MARKET_FILLS_MAX];
};

double market_latent(uint64_t seed, int64_t k) {
    struct rng r;
    rng_init(&r, seed ^ (STREAM_LATENT * 0x9e3779b97f4a7c15u), (uint64_t)k);
    return rng_normal(&r);
}

/* A bucket holds a Poisson number (mean n) of jumps of geometric size (mean m): variance n E[J^2]
 * by Wald, with E[J^2] = m (2m - 1); the tilt adds n^2 m^2 tilt^2. Solved for the correlation. */
double market_tilt(const struct market_params *p) {
    double n = p->jump_rate * (double)p->bucket_ns / (double)NS_PER_S, m = p->jump_ticks;
    double variance = n * m * (2 * m - 1), ic = p->strength;
    return ic * sqrt(variance / (1 - ic * ic)) / (n * m);
}

static int64_t delay_ns(struct rng *r, double per_second) {
    return (int64_t)(rng_exp(r) / per_second * (double)NS_PER_S) + 1;
}

/* Order sizes: log-normal, mean about 0.45 and median 0.3 units. */
static int64_t order_lots(struct rng *r) {
    double lots = 300 * dm_exp(0.9 * rng_normal(r));
    return lots > 5000 ? 5000 : lots < 1 ? 1 : (int64_t)lots;
}

static int64_t best_price(const struct market *m, int side) {
    return side == LOB_BID ? m->fair - m->wide : m->fair + 1 + m->wide;
}

static int64_t outward(int side) { return side == LOB_BID ? -1 : 1; }

static enum lob_side other_side(int side) { return side == LOB_BID ? LOB_ASK : LOB_BID; }

static void maker_leave(struct market *m, int side) {
    if (m->maker[side] == LOB_NONE) return;
    lob_cancel(&m->book, m->maker[side]);
    m->maker[side] = LOB_NONE;
}

/* Others at the best price give way, youngest first, until the maker can show `target` in all. */
static void others_trim(struct market *m, int side, int64_t tick, int64_t most) {
    enum lob_side s = (enum lob_side)side;
    for (;;) {
        int64_t own = m->maker[side] == LOB_NONE ? 0 : m->book.order[m->maker[side]].qty;
        int64_t others = lob_qty(&m->book, s, tick) - own;
        if (others <= most) return;
        int32_t id = lob_last(&m->book, s, tick);
        if (id == m->maker[side]) id = m->book.order[id].prev;
        CHECK(id != LOB_NONE);
        int64_t excess = others - most, has = m->book.order[id].qty;
        if (has > excess) {
            lob_reduce(&m->book, id, has - excess);
        } else {
            lob_cancel(&m->book, id);
        }
    }
}

/* The maker quotes at the best price so that the level shows `target` lots. */
static void maker_quote(struct market *m, int side, int64_t target) {
    enum lob_side s = (enum lob_side)side;
    int64_t tick = best_price(m, side);
    if (m->maker[side] != LOB_NONE && m->book.order[m->maker[side]].tick != tick)
        maker_leave(m, side);
    others_trim(m, side, tick, target - MAKER_LEAST);
    int64_t own = m->maker[side] == LOB_NONE ? 0 : m->book.order[m->maker[side]].qty;
    int64_t want = target - (lob_qty(&m->book, s, tick) - own);
    if (want == own) return;
    if (own > want) {
        lob_reduce(&m->book, m->maker[side], want);
    } else {
        maker_leave(m, side);
        m->maker[side] = lob_add(&m->book, s, tick, want, true);
    }
}

static int64_t target_lots(const struct market *m, int side) {
    double tilted = side == LOB_BID ? 1 + m->shown : 1 - m->shown;
    int64_t lots = (int64_t)(TOP_LOTS * tilted);
    return lots < 2 * MAKER_LEAST ? 2 * MAKER_LEAST : lots;
}

static void makers_quote(struct market *m) {
    for (int side = 0; side < 2; side++) maker_quote(m, side, target_lots(m, side));
}

/* What a taker or a cancel left too thin is topped up at the back of the queue. */
static void maker_guard(struct market *m, int side) {
    if (m->maker[side] != LOB_NONE && m->book.order[m->maker[side]].qty >= MAKER_LEAST / 2) return;
    maker_leave(m, side);
    m->maker[side] = lob_add(&m->book, (enum lob_side)side, best_price(m, side), MAKER_LEAST, true);
}

/* A price where nothing rests yet gets an order of somebody's. */
static void level_fill(struct market *m, int side, int64_t tick) {
    if (lob_qty(&m->book, (enum lob_side)side, tick) > 0) return;
    (void)lob_add(&m->book, (enum lob_side)side, tick, order_lots(&m->rng_size) * 3, false);
}

/* The old best price, left by its maker, keeps at least one order. */
static void best_leave(struct market *m, int side) {
    int64_t old = m->maker[side] == LOB_NONE ? 0 : m->book.order[m->maker[side]].tick;
    maker_leave(m, side);
    if (old > 0) level_fill(m, side, old);
}

/* Everything on `side` that is better than its new best price goes: makers step back first, then
 * takers who saw the jump or the owners themselves clear the rest. */
static void side_clear(struct market *m, int side, bool taken) {
    enum lob_side s = (enum lob_side)side;
    int64_t last = best_price(m, side) - outward(side);
    maker_leave(m, side);
    if (taken)
        m->fills =
            lob_take(&m->book, s, INT64_MAX, last, m->fill, MARKET_FILLS_MAX, &m->maker[side]);
    while (m->book.count[side] > 0) {
        int64_t best = m->book.best[side];
        bool stays = side == LOB_BID ? best <= best_price(m, side) : best >= best_price(m, side);
        if (stays) return;
        lob_cancel(&m->book, lob_first(&m->book, s, best));
    }
}

static void prune(struct market *m, int side) {
    for (int32_t i = m->book.loose_count[side] - 1; i >= 0; i--) {
        int32_t id = m->book.loose[side][i];
        int64_t behind = (m->book.order[id].tick - best_price(m, side)) * outward(side);
        if (behind > PRUNE_TICKS) lob_cancel(&m->book, id);
    }
}

static void limit_order(struct market *m, int side) {
    struct rng *r = &m->rng_size;
    int64_t behind = 0;
    if (rng_unit(r) > 0.35) behind = (int64_t)dm_exp(rng_unit(r) * dm_log(FAR_TICKS));
    if (m->book.loose_count[side] >= 4 * ORDERS_A_SIDE) return;
    (void)lob_add(&m->book, (enum lob_side)side, best_price(m, side) + behind * outward(side),
        order_lots(r), false);
}

static int64_t jump_size(struct market *m) {
    /* geometric on 1, 2, ...: P(J > j) = (1 - 1/mean)^j */
    double q = 1 - 1 / m->p.jump_ticks;
    int64_t size = q <= 0 ? 1 : 1 + (int64_t)floor(dm_log(rng_unit(&m->rng_jump)) / dm_log(q));
    return size > JUMP_TICKS_MAX ? JUMP_TICKS_MAX : size;
}

static void jump(struct market *m, struct market_step *out) {
    int64_t bucket = out->venue_ns / m->p.bucket_ns;
    double latent = market_latent(m->p.seed, bucket - 1);
    bool up = rng_unit(&m->rng_jump) < (1 + m->tilt * latent) / 2;
    int64_t size = jump_size(m);
    int towards = up ? LOB_ASK : LOB_BID, behind = (int)other_side(towards);
    int64_t from = best_price(m, behind);
    m->fair += up ? size : -size;
    m->wide = rng_unit(&m->rng_maker) < 0.3;
    CHECK(m->fair > LOB_RING);
    side_clear(m, towards, rng_unit(&m->rng_maker) < 0.5);
    out->taker_buys = up;
    out->jump = true;
    best_leave(m, behind);
    for (int64_t tick = from - outward(behind);
         (tick - best_price(m, behind)) * outward(behind) > 0; tick -= outward(behind))
        level_fill(m, behind, tick);
    makers_quote(m);
    prune(m, behind);
    for (int64_t i = 2 * size + 2; i > 0 && m->book.loose_count[towards] < ORDERS_LEAST; i--)
        limit_order(m, towards);
    if (m->wide)
        m->next_ns[NEXT_NARROW] = out->venue_ns + delay_ns(&m->rng_maker, 1000.0 / NARROW_MS);
    else
        m->next_ns[NEXT_NARROW] = INT64_MAX;
    m->next_ns[NEXT_JUMP] = out->venue_ns + delay_ns(&m->rng_jump, m->p.jump_rate);
}

static void narrow(struct market *m) {
    m->next_ns[NEXT_NARROW] = INT64_MAX;
    if (!m->wide) return;
    m->wide = 0;
    for (int side = 0; side < 2; side++) best_leave(m, side);
    makers_quote(m);
}

/* The latent of the bucket that ends now is shown as the imbalance at the best prices: linear, cut
 * at three standard deviations. */
static void refresh(struct market *m, struct market_step *out) {
    int64_t bucket = out->venue_ns / m->p.bucket_ns;
    double shown = 0.3 * market_latent(m->p.seed, bucket);
    m->shown = shown > 0.9 ? 0.9 : shown < -0.9 ? -0.9 : shown;
    if (m->wide) narrow(m);
    makers_quote(m);
    m->next_ns[NEXT_REFRESH] = out->venue_ns + m->p.bucket_ns;
}

/* Takes at most 40 % of the best level, so that only the fair price moves the mid. */
static void taker(struct market *m, int side, struct market_step *out) {
    enum lob_side s = (enum lob_side)side;
    int64_t tick = best_price(m, side), qty = order_lots(&m->rng_size);
    int64_t most = lob_qty(&m->book, s, tick) * 2 / 5;
    if (qty > most) qty = most;
    if (qty <= 0) return;
    m->fills = lob_take(&m->book, s, qty, tick, m->fill, MARKET_FILLS_MAX, &m->maker[side]);
    out->taker_buys = side == LOB_ASK;
    maker_guard(m, side);
}

static void cancel_order(struct market *m, int side) {
    int32_t loose = m->book.loose_count[side];
    int times = loose > ORDERS_A_SIDE ? 2 : loose < ORDERS_A_SIDE / 2 ? 0 : 1;
    for (int i = 0; i < times; i++) {
        int32_t id = lob_random(&m->book, (enum lob_side)side, &m->rng_size);
        if (id != LOB_NONE) lob_cancel(&m->book, id);
    }
    maker_guard(m, side);
}

static void flow_next(struct market *m, int64_t now_ns) {
    double wait = hawkes_next(&m->flow, &m->rng_flow, &m->next_flow);
    m->next_ns[NEXT_FLOW] = now_ns + (int64_t)(wait * (double)NS_PER_S) + 1;
}

static void flow(struct market *m, struct market_step *out) {
    switch (m->next_flow) {
    case FLOW_MARKET_BUY: taker(m, LOB_ASK, out); break;
    case FLOW_MARKET_SELL: taker(m, LOB_BID, out); break;
    case FLOW_LIMIT_BID: limit_order(m, LOB_BID); break;
    case FLOW_LIMIT_ASK: limit_order(m, LOB_ASK); break;
    case FLOW_CANCEL_BID: cancel_order(m, LOB_BID); break;
    case FLOW_CANCEL_ASK: cancel_order(m, LOB_ASK); break;
    case FLOW_KINDS: CHECK(false);
    }
    flow_next(m, out->venue_ns);
}

void market_next(struct market *m, struct market_step *out) {
    int next = 0;
    for (int i = 1; i < NEXT_KINDS; i++)
        if (m->next_ns[i] < m->next_ns[next]) next = i;
    lob_step(&m->book);
    m->fills = 0;
    *out = (struct market_step){.venue_ns = m->next_ns[next], .book = &m->book, .fill = m->fill};
    switch ((enum market_event)next) {
    case NEXT_FLOW: flow(m, out); break;
    case NEXT_JUMP: jump(m, out); break;
    case NEXT_NARROW: narrow(m); break;
    case NEXT_REFRESH: refresh(m, out); break;
    case NEXT_KINDS: CHECK(false);
    }
    out->fills = m->fills;
    CHECK(m->book.best[LOB_BID] == best_price(m, LOB_BID));
    CHECK(m->book.best[LOB_ASK] == best_price(m, LOB_ASK));
}

struct market *market_open(const struct market_params *p) {
    CHECK(p->rate > 0 && p->jump_rate > 0 && p->jump_ticks >= 1 && p->bucket_ns > 0);
    CHECK(p->first_tick > 2 * LOB_RING && fabs(p->strength) <= MARKET_STRENGTH_MAX_PERCENT / 100.0);
    struct market *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->p = *p;
    m->fair = p->first_tick;
    m->maker[LOB_BID] = m->maker[LOB_ASK] = LOB_NONE;
    m->tilt = market_tilt(p);
    lob_init(&m->book);
    hawkes_init(&m->flow, p->rate);
    rng_init(&m->rng_flow, p->seed, STREAM_FLOW);
    rng_init(&m->rng_size, p->seed, STREAM_SIZE);
    rng_init(&m->rng_jump, p->seed, STREAM_JUMP);
    rng_init(&m->rng_maker, p->seed, STREAM_MAKER);
    makers_quote(m);
    for (int i = 0; i < START_ORDERS; i++) {
        limit_order(m, LOB_BID);
        limit_order(m, LOB_ASK);
    }
    flow_next(m, p->start_ns);
    m->next_ns[NEXT_JUMP] = p->start_ns + delay_ns(&m->rng_jump, p->jump_rate);
    m->next_ns[NEXT_NARROW] = INT64_MAX;
    m->next_ns[NEXT_REFRESH] =
        (p->start_ns / p->bucket_ns + 1) * p->bucket_ns - REFRESH_MS * NS_PER_MS;
    return m;
}

void market_close(struct market *m) { free(m); }
