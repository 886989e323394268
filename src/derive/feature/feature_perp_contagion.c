/* feature_perp_contagion.c: do forced orders on other venues spread to this one? More rows of the
 * family `perp`.
 *
 * Time      wall seconds of receive time; orders of one second are not put in an order, so "after"
 *           means in a later second. A window ends with the second of the close (s60) or with the
 *           last second, or cell, that is over. None is told before it was seen whole.
 * Units     quote currency as written, USD and USDT not told apart, all peers added up.
 * Known     whether a venue's recording carries liquidations shows only by one of them: rows are
 *           missing where no peer had one in the last ten minutes, and rows about both where the
 *           instrument had none.
 */
#include "derive/feature/feature_perp_internal.h"

enum contagion_row { K_VALUE, K_IMBALANCE, K_SHARE, K_FOLLOW, K_IN, K_OUT, K_ROWS };
enum { OWN, PEERS, SOURCES };

enum {
    RING = 512, /* seconds kept */
    VALUE_S = 60,
    FOLLOW_S = 300,
    AFTER_S = 10, /* in which an order counts as a consequence */
    CELL_S = 5,
    CELLS = 60
};
#define NONE "no peer; no liquidation of a peer in the last ten minutes; before the window is whole"
#define BOTH NONE "; none of the instrument in ten minutes"
#define ROW(NAME, UNIT, W, WARM, SOURCE, ABOUT, GONE)                                              \
    PERP_ROW_CLOCK(                                                                                \
        NAME, UNIT, W, WARM, NEED_LIQUIDATION | NEED_PEER, SOURCE, ABOUT, GONE, CLOCK_TIME)

static const struct feature_def defs[K_ROWS] = {
    [K_VALUE] = ROW("perp_liq_peer_value_s60", "quote", "s60", 661, "definition",
        "value of the peers' liquidations in the second of the close and the 59 before", NONE),
    [K_IMBALANCE] = ROW("perp_liq_peer_imbalance_s60", "1", "s60", 661, "definition",
        "(value of the peers' shorts liquidated - of longs) / value of both in 60 s",
        NONE "; none in the window"),
    [K_SHARE] = ROW("perp_liq_peer_share_s60", "1", "s60", 661, "definition",
        "value of the peers' liquidations / value of theirs and the own in 60 s",
        BOTH "; none in the window"),
    [K_FOLLOW] = ROW("perp_liq_peer_follow_s300", "1", "s300", 661,
        "source document S3 (contagion), known 10 s later",
        "of the peers' liquidations in 300 s that ended 10 s ago, the share that an own one of the "
        "same side followed in the 10 seconds after",
        BOTH "; none in the window"),
    [K_IN] = ROW("perp_liq_peer_excite_in_s300", "1", "s300", 661,
        "cross-correlation at lag 1: Box, Jenkins",
        "correlation of the peers' liquidations in a cell of 5 s with the own in the next, 60 "
        "cells",
        BOTH "; all equal"),
    [K_OUT] = ROW("perp_liq_peer_excite_out_s300", "1", "s300", 661,
        "cross-correlation at lag 1: Box, Jenkins",
        "correlation of the own liquidations in a cell of 5 s with the peers' in the next, 60 "
        "cells",
        BOTH "; all equal"),
};

struct second {
    double value[SOURCES], net; /* net: of the peers, shorts less longs */
    uint32_t count[SOURCES][2]; /* by side of the order */
};

struct contagion_state {
    int64_t now, since;       /* seconds: the open one; the last that was not seen whole */
    int64_t last_ns[SOURCES]; /* latest liquidation */
    bool started;             /* a close was seen, `since` is one */
    uint8_t pad[7];
    struct second second[RING];
};

static size_t contagion_state_size(void) { return sizeof(struct contagion_state); }

static struct second *second_at(struct contagion_state *s, int64_t t) {
    return &s->second[(uint64_t)t % RING];
}

/* Receive stamps may go back: the open second stays open. */
static void contagion_roll(struct contagion_state *s, int64_t ns) {
    int64_t t = ns / NS_PER_S;
    if (t - s->now > RING) s->now = t - RING;
    while (s->now < t) memset(second_at(s, ++s->now), 0, sizeof(struct second));
}

static void contagion_add(struct contagion_state *s, const struct instrument *inst, double qty_unit,
    size_t source, const struct event *ev) {
    bool buys = ev->flags & EVF_BUY;
    double px = ev->aux.a > 0 ? aux_px(ev->aux.a) : instrument_px(inst, ev->px);
    double value = quote_value(inst, px, (double)ev->qty.lots * qty_unit);
    contagion_roll(s, ev->ts_local.ns);
    struct second *t = second_at(s, s->now);
    t->value[source] += value;
    t->count[source][buys]++;
    if (source == PEERS) t->net += buys ? value : -value;
    s->last_ns[source] = ev->ts_local.ns;
}

static void contagion_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    (void)change;
    contagion_add(state, ctx->inst, ctx->qty_unit, OWN, ev);
}

static void contagion_on_peer(void *state, const struct feature_ctx *ctx, size_t peer,
    const struct event *ev, const struct book_change *change) {
    const struct feature_peer *p = &ctx->peer[peer];
    (void)change;
    if (ev->kind == EV_LIQUIDATION) contagion_add(state, p->inst, p->qty_unit, PEERS, ev);
}

static void value_rows(struct contagion_state *s, bool both, double *out) {
    double own = 0.0, peers = 0.0, net = 0.0;
    if (s->now - VALUE_S < s->since) return;
    for (int64_t t = s->now - VALUE_S + 1; t <= s->now; t++) {
        const struct second *x = second_at(s, t);
        own += x->value[OWN];
        peers += x->value[PEERS];
        net += x->net;
    }
    out[K_VALUE] = peers;
    out[K_IMBALANCE] = ratio_of(net, peers);
    if (both) out[K_SHARE] = ratio_of(peers, peers + own);
}

/* Backwards in time: the next own order of a side is known when its cause is met. */
static double follow_share(struct contagion_state *s) {
    int64_t end = s->now - AFTER_S - 1, next[2] = {INT64_MAX, INT64_MAX};
    uint64_t followed = 0, all = 0;
    if (end - FOLLOW_S < s->since) return MISSING;
    for (int64_t t = s->now - 1; t > end - FOLLOW_S; t--) {
        const struct second *x = second_at(s, t);
        for (size_t side = 0; side < 2; side++) {
            uint32_t causes = t <= end ? x->count[PEERS][side] : 0;
            all += causes;
            if (next[side] != INT64_MAX && next[side] - t <= AFTER_S) followed += causes;
            if (x->count[OWN][side] > 0) next[side] = t;
        }
    }
    return ratio_of((double)followed, (double)all);
}

static double lagged_correlation(const double *cause, const double *effect) {
    enum { PAIRS = CELLS - 1 };
    struct moments a = moments_of(cause, PAIRS), b = moments_of(effect + 1, PAIRS);
    double cross = 0.0;
    if (moments_flat(&a) || moments_flat(&b)) return MISSING;
    for (size_t i = 0; i < PAIRS; i++) cross += (cause[i] - a.mean) * (effect[i + 1] - b.mean);
    return ratio_of(cross / PAIRS, sqrt(a.m2 * b.m2));
}

static void excite_rows(struct contagion_state *s, double *out) {
    double cell[SOURCES][CELLS] = {{0.0}};
    int64_t end = s->now / CELL_S * CELL_S, from = end - (int64_t)CELLS * CELL_S;
    if (from <= s->since) return;
    for (int64_t t = from; t < end; t++)
        for (size_t k = 0; k < SOURCES; k++) {
            const uint32_t *count = second_at(s, t)->count[k];
            cell[k][(t - from) / CELL_S] += (double)(count[0] + count[1]);
        }
    out[K_IN] = lagged_correlation(cell[PEERS], cell[OWN]);
    out[K_OUT] = lagged_correlation(cell[OWN], cell[PEERS]);
}

static void contagion_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct contagion_state *s = state;
    int64_t now = bucket_last_ns(b);
    (void)view;
    for (size_t i = 0; i < K_ROWS; i++) out[i] = MISSING;
    if (ctx->peers == 0) return;
    contagion_roll(s, now);
    if (!s->started) s->since = s->now;
    s->started = true;
    if (!young(s->last_ns[PEERS], now, LIQUIDATION_AGE_MAX)) return;
    bool both = young(s->last_ns[OWN], now, LIQUIDATION_AGE_MAX);
    value_rows(s, both, out);
    if (!both) return;
    out[K_FOLLOW] = follow_share(s);
    excite_rows(s, out);
}

const struct feature_family feature_family_perp_contagion = {
    .name = "perp",
    .defs = defs,
    .count = K_ROWS,
    .kinds = 1u << EV_LIQUIDATION,
    .state_size = contagion_state_size,
    .on_event = contagion_on_event,
    .on_peer = contagion_on_peer,
    .on_bucket = contagion_on_bucket,
};
