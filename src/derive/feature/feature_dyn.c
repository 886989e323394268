/* feature_dyn.c: how the book changes: what is added, cancelled and put back, what appears far from
 * the touch and leaves again, how the shape moves from close to close.
 *
 * Added and removed quantity is counted level by level over the whole book; what trades took is
 * known from the trades, so a side's cancels are removed minus traded. A bucket in which the book
 * was not followed all through has no value. "Far" is judged against the touch after the last whole
 * message, because levels must not be read inside one. Of prices a multiple of 4,096 ticks apart
 * the newest far addition is remembered: on BTCUSDT that misses 0.2 % of what an endless memory
 * finds.
 */
#include "derive/feature/feature_internal.h"

enum dyn_row {
    D_ADD = 0, /* bid s1 b1 b5, ask s1 b1 b5 */
    D_CANCEL = 6,
    D_NET = 12,
    D_REPLENISH = 18, /* bid, ask */
    D_CANCEL_TRADE_B5 = 20,
    D_CANCEL_TRADE_B20,
    D_FLEETING, /* bid, ask */
    D_SPREAD_BURST = D_FLEETING + 2,
    D_SHAPE, /* bid, ask */
    D_ROWS = D_SHAPE + 2
};

#define FAR_BPS 5                   /* from the touch: out of the way of the next trades */
#define FLEETING_NS (3 * NS_PER_S)  /* gone again within */
#define REPLENISH_NS (1 * NS_PER_S) /* put back within, after the trade */
#define BIN_NS (100 * NS_PER_MS)    /* the second of s1 is ten of these */
enum { BINS_A_SECOND = 10, FAR_SLOTS = 4096, FLEETING_WARM = 25 };

#define RATE_SRC "definition: level changes of the book; S3, dynamics of the book"
#define SPOOF_SRC "S3, risk of spoofing; Cartea, Jaimungal, Wang 2020 (what is shown and withdrawn)"
#define BURST_SRC "S3, risk of spoofing: bursts of the spread"
#define SHAPE_SRC                                                                                  \
    "Rubner, Tomasi, Guibas 2000 (earth mover's distance; one dimension: area between"             \
    " the cumulative shapes)"
#define GONE_DYN "the book was not followed all through the window; before it is full"
#define ROW(NAME, UNIT, W, WARM, NEEDS, SOURCE, ABOUT, GONE)                                       \
    FEATURE_ROW_APART(NAME, UNIT, W, WARM, NEEDS, "FEA8", SOURCE, ABOUT, GONE, CLOCK_BUCKET)
#define RATES(AT, NAME, NEEDS, ABOUT)                                                              \
    [AT] = FEATURE_ROW_APART(                                                                      \
        NAME "_s1", "base/s", "s1", 3, NEEDS, "FEA8", RATE_SRC, ABOUT, GONE_DYN, CLOCK_TIME),      \
    [AT + 1] = ROW(NAME "_b1", "base/s", "b1", 2, NEEDS, RATE_SRC, ABOUT, GONE_DYN),               \
    [AT + 2] = ROW(NAME "_b5", "base/s", "b5", 6, NEEDS, RATE_SRC, ABOUT, GONE_DYN)

static const struct feature_def defs[D_ROWS] = {
    RATES(D_ADD, "dyn_add_rate_bid", NEED_DEPTH, "quantity added to bid levels a second"),
    RATES(D_ADD + 3, "dyn_add_rate_ask", NEED_DEPTH, "quantity added to ask levels a second"),
    RATES(D_CANCEL, "dyn_cancel_rate_bid", NEED_DEPTH | NEED_TRADE,
        "max(removed from bid levels - sold by takers, 0) a second"),
    RATES(D_CANCEL + 3, "dyn_cancel_rate_ask", NEED_DEPTH | NEED_TRADE,
        "max(removed from ask levels - bought by takers, 0) a second"),
    RATES(D_NET, "dyn_net_rate_bid", NEED_DEPTH, "added minus removed bid quantity a second"),
    RATES(D_NET + 3, "dyn_net_rate_ask", NEED_DEPTH, "added minus removed ask quantity a second"),
    [D_REPLENISH] = ROW("dyn_replenish_bid_b5", "1", "b5", 10, NEED_DEPTH | NEED_TRADE, RATE_SRC,
        "added at the price of the last taker sale or better within 1 s of it / sold by takers",
        GONE_DYN "; no such trade; 3 s after the book came back"),
    [D_REPLENISH + 1] = ROW("dyn_replenish_ask_b5", "1", "b5", 10, NEED_DEPTH | NEED_TRADE,
        RATE_SRC,
        "added at the price of the last taker buy or better within 1 s of it / bought by takers",
        GONE_DYN "; no such trade; 3 s after the book came back"),
    [D_CANCEL_TRADE_B5] = ROW("dyn_cancel_trade_ratio_b5", "1", "b5", 6, NEED_DEPTH | NEED_TRADE,
        RATE_SRC, "cancelled quantity of both sides / traded quantity", GONE_DYN "; no trade"),
    [D_CANCEL_TRADE_B20] =
        ROW("dyn_cancel_trade_ratio_b20", "1", "b20", 21, NEED_DEPTH | NEED_TRADE, RATE_SRC,
            "cancelled quantity of both sides / traded quantity", GONE_DYN "; no trade"),
    [D_FLEETING] = ROW("dyn_fleeting_share_bid_b20", "1", "b20", FLEETING_WARM, NEED_DEPTH,
        SPOOF_SRC,
        "quantity added 5 bps or more behind the best bid that left within 3 s, still behind it / "
        "quantity added there",
        GONE_DYN "; nothing added there; 3 s after the book came back"),
    [D_FLEETING + 1] = ROW("dyn_fleeting_share_ask_b20", "1", "b20", FLEETING_WARM, NEED_DEPTH,
        SPOOF_SRC,
        "quantity added 5 bps or more behind the best ask that left within 3 s, still behind it / "
        "quantity added there",
        GONE_DYN "; nothing added there; 3 s after the book came back"),
    [D_SPREAD_BURST] = ROW("dyn_spread_burst_b20", "1", "b20", 22, NEED_DEPTH, BURST_SRC,
        "part of the depth messages with a spread of at least twice that of the last close",
        GONE_DYN "; no message"),
    [D_SHAPE] = ROW("dyn_shape_shift_bid_l20_b1", "bps", "b1", 2, NEED_DEPTH, SHAPE_SRC,
        "earth mover's distance between the shares of bid quantity by distance from mid (20 "
        "levels) at this close and the one before",
        "the book is not synchronised at one of the two closes"),
    [D_SHAPE + 1] = ROW("dyn_shape_shift_ask_l20_b1", "bps", "b1", 2, NEED_DEPTH, SHAPE_SRC,
        "earth mover's distance between the shares of ask quantity by distance from mid (20 "
        "levels) at this close and the one before",
        "the book is not synchronised at one of the two closes"),
};

/* A far level's last addition. */
struct far_slot {
    int64_t px, qty, ns;
};

/* Sums of the open bucket in quantity units, one side. */
struct dyn_open {
    int64_t added, removed, traded, back, far_added, fleeting;
};

struct dyn_side {
    struct dyn_open open;
    struct series added, removed, traded, back, far_added, fleeting;
    struct bins bins;
    int64_t best;                    /* after the last whole message */
    int64_t hit_px, hit_ns;          /* the last trade that took from this side; 0 = none */
    int64_t shape_x[FEATURE_LEVELS]; /* |2 px - mid2| and quantity at the last close */
    int64_t shape_q[FEATURE_LEVELS];
    uint64_t shape_n;
    struct far_slot far[FAR_SLOTS];
};

struct dyn_state {
    struct dyn_side side[2];
    struct series seconds, messages, bursts;
    int64_t open_messages, open_bursts;
    int64_t since_ns;    /* the book is followed since */
    int64_t spread_last; /* at the last close; 0 = not known */
    bool primed, broken; /* as in feature_ofi.c */
    uint8_t pad[6];
};

enum bin_field { BIN_ADDED, BIN_REMOVED, BIN_TRADED };

static size_t dyn_state_size(void) { return sizeof(struct dyn_state); }

static void dyn_init(void *state, const struct feature_ctx *ctx) {
    struct dyn_state *s = state;
    (void)ctx;
    s->broken = true; /* the bucket in which the stream begins is not whole */
}

static void dyn_trade(struct dyn_state *s, const struct event *ev) {
    if (!is_market_trade(ev)) return;
    struct dyn_side *d = &s->side[ev->flags & EVF_BUY ? BOOK_ASK : BOOK_BID];
    bins_roll(&d->bins, ev->ts_local.ns, BIN_NS);
    bins_add(&d->bins, BIN_TRADED, ev->qty.lots);
    d->open.traded += ev->qty.lots;
    d->hit_px = ev->px.ticks;
    d->hit_ns = ev->ts_local.ns;
}

static struct far_slot *far_slot(struct dyn_side *d, const struct feature_ctx *ctx, int64_t px) {
    int64_t tick = ctx->inst->tick_units > 0 ? ctx->inst->tick_units : 1;
    return &d->far[(uint64_t)(px / tick) % FAR_SLOTS];
}

/* Ticks behind the touch; negative inside the spread. */
static int64_t behind(const struct dyn_side *d, int side, int64_t px) {
    return side == BOOK_BID ? d->best - px : px - d->best;
}

static void dyn_added(struct dyn_side *d, const struct feature_ctx *ctx, int side, int64_t now,
    int64_t px, int64_t qty) {
    d->open.added += qty;
    bins_add(&d->bins, BIN_ADDED, qty);
    bool better = side == BOOK_BID ? px >= d->hit_px : px <= d->hit_px;
    if (d->hit_ns != 0 && better && now - d->hit_ns <= REPLENISH_NS) d->open.back += qty;
    if (behind(d, side, px) * 10000 < FAR_BPS * d->best) return;
    d->open.far_added += qty;
    *far_slot(d, ctx, px) = (struct far_slot){px, qty, now};
}

static void dyn_removed(struct dyn_side *d, const struct feature_ctx *ctx, int side, int64_t now,
    int64_t px, int64_t qty) {
    d->open.removed += qty;
    bins_add(&d->bins, BIN_REMOVED, qty);
    struct far_slot *f = far_slot(d, ctx, px);
    if (f->px != px || behind(d, side, px) <= 0) return;
    if (now - f->ns <= FLEETING_NS) d->open.fleeting += qty < f->qty ? qty : f->qty;
    *f = (struct far_slot){0};
}

static void dyn_level(struct dyn_state *s, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct dyn_side *d = &s->side[change->side];
    int64_t step = change->after.lots - change->before.lots, px = change->px.ticks;
    bins_roll(&d->bins, ev->ts_local.ns, BIN_NS);
    if (step > 0)
        dyn_added(d, ctx, change->side, ev->ts_local.ns, px, step);
    else if (step < 0)
        dyn_removed(d, ctx, change->side, ev->ts_local.ns, px, -step);
}

/* Begins to follow the book anew: nothing seen before says anything about it. */
static void dyn_restart(struct dyn_state *s, int64_t now) {
    s->since_ns = now;
    for (int side = 0; side < 2; side++) {
        memset(s->side[side].far, 0, sizeof s->side[side].far);
        s->side[side].hit_ns = 0;
        bins_roll(&s->side[side].bins, now, BIN_NS);
    }
}

/* The end of a depth message. */
static void dyn_message(struct dyn_state *s, const struct feature_ctx *ctx, int64_t now) {
    struct book_level best[2];
    bool synced = ctx->book && book_state(ctx->book) == BOOK_SYNCED;
    if (!synced) s->primed = false;
    if (!s->primed) s->broken = true;
    if (!s->primed) dyn_restart(s, now);
    if (!synced || !book_best(ctx->book, BOOK_BID, &best[BOOK_BID]) ||
        !book_best(ctx->book, BOOK_ASK, &best[BOOK_ASK]))
        return;
    int64_t spread = best[BOOK_ASK].px.ticks - best[BOOK_BID].px.ticks;
    for (int side = 0; side < 2; side++) s->side[side].best = best[side].px.ticks;
    s->open_messages += s->primed;
    s->open_bursts += s->primed && s->spread_last > 0 && spread >= 2 * s->spread_last;
    s->primed = true;
}

static void dyn_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct dyn_state *s = state;
    if (ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE) {
        dyn_trade(s, ev);
        return;
    }
    if (change->any && s->primed) dyn_level(s, ctx, ev, change);
    if (change->whole) s->primed = false;
    if (ev->flags & EVF_LAST) dyn_message(s, ctx, ev->ts_local.ns);
}

static void push_close(struct series *to, int64_t sum, bool known) {
    series_push(to, known ? (double)sum : MISSING);
}

static void dyn_push(struct dyn_state *s, const struct bucket *b) {
    bool whole = !s->broken, settled = whole && b->open_ts.ns >= s->since_ns + FLEETING_NS;
    for (int side = 0; side < 2; side++) {
        struct dyn_side *d = &s->side[side];
        push_close(&d->added, d->open.added, whole);
        push_close(&d->removed, d->open.removed, whole);
        push_close(&d->traded, d->open.traded, whole);
        push_close(&d->back, d->open.back, settled);
        push_close(&d->far_added, d->open.far_added, settled);
        push_close(&d->fleeting, d->open.fleeting, settled);
        d->open = (struct dyn_open){0};
        bins_roll(&d->bins, bucket_last_ns(b), BIN_NS);
    }
    series_push(&s->seconds, (double)bucket_duration_ns(b) / 1e9);
    push_close(&s->messages, s->open_messages, whole && s->spread_last > 0);
    push_close(&s->bursts, s->open_bursts, whole && s->spread_last > 0);
    s->open_messages = s->open_bursts = 0;
    s->broken = !s->primed;
}

/* What left without a trade; trades whose removal comes later may be more. */
static double cancelled(const struct dyn_side *d, size_t w) {
    double x = series_sum(&d->removed, w) - series_sum(&d->traded, w);
    return x < 0.0 ? 0.0 : x;
}

static void dyn_rates(const struct dyn_state *s, const struct feature_ctx *ctx, bool followed,
    int64_t now, double *out) {
    static const size_t windows[2] = {1, 5};
    /* the second that ends now must lie behind the first whole message of the present book */
    bool second = followed && now / BIN_NS - s->since_ns / BIN_NS >= BINS_A_SECOND;
    for (size_t side = 0; side < 2; side++) {
        const struct dyn_side *d = &s->side[side];
        double *o = out + 3 * side;
        double add = bins_sum(&d->bins, BIN_ADDED, BINS_A_SECOND);
        double gone = bins_sum(&d->bins, BIN_REMOVED, BINS_A_SECOND);
        double cancel = gone - bins_sum(&d->bins, BIN_TRADED, BINS_A_SECOND);
        o[D_ADD] = second ? add * ctx->qty_unit : MISSING;
        o[D_CANCEL] = second ? (cancel < 0.0 ? 0.0 : cancel) * ctx->qty_unit : MISSING;
        o[D_NET] = second ? (add - gone) * ctx->qty_unit : MISSING;
        for (size_t i = 0; i < 2; i++) {
            double seconds = series_sum(&s->seconds, windows[i]);
            double added = series_sum(&d->added, windows[i]);
            double removed = series_sum(&d->removed, windows[i]);
            o[D_ADD + 1 + i] = ratio_of(added * ctx->qty_unit, seconds);
            o[D_CANCEL + 1 + i] = ratio_of(cancelled(d, windows[i]) * ctx->qty_unit, seconds);
            o[D_NET + 1 + i] = ratio_of((added - removed) * ctx->qty_unit, seconds);
        }
    }
}

static double cancel_trade(const struct dyn_state *s, size_t w) {
    double gone = cancelled(&s->side[BOOK_BID], w) + cancelled(&s->side[BOOK_ASK], w);
    return ratio_of(
        gone, series_sum(&s->side[BOOK_BID].traded, w) + series_sum(&s->side[BOOK_ASK].traded, w));
}

/* Area between two cumulative shapes over x (both ascending), in units of x. */
static double earth_mover(const int64_t *xa, const int64_t *qa, size_t na, const int64_t *xb,
    const int64_t *qb, size_t nb) {
    double all_a = 0.0, all_b = 0.0, sum_a = 0.0, sum_b = 0.0, area = 0.0;
    for (size_t i = 0; i < na; i++) all_a += (double)qa[i];
    for (size_t i = 0; i < nb; i++) all_b += (double)qb[i];
    int64_t at = 0;
    for (size_t i = 0, j = 0; i < na || j < nb;) {
        bool first = j == nb || (i < na && xa[i] <= xb[j]);
        int64_t x = first ? xa[i] : xb[j];
        area += fabs(sum_a / all_a - sum_b / all_b) * (double)(x - at);
        at = x;
        if (first)
            sum_a += (double)qa[i++];
        else
            sum_b += (double)qb[j++];
    }
    return area;
}

/* Moves the shape on to this close and says how far it moved. */
static double dyn_shape(struct dyn_side *d, const struct feature_view *view, int side) {
    int64_t x[FEATURE_LEVELS] = {0}, q[FEATURE_LEVELS] = {0};
    size_t n = view->levels[side];
    for (size_t i = 0; i < n; i++) {
        int64_t off = 2 * view->top[side][i].px.ticks - view->mid2;
        x[i] = off < 0 ? -off : off;
        q[i] = view->top[side][i].qty.lots;
    }
    double moved = MISSING;
    if (n > 0 && d->shape_n > 0)
        moved = BPS * ratio_of(earth_mover(d->shape_x, d->shape_q, (size_t)d->shape_n, x, q, n),
                          (double)view->mid2);
    memcpy(d->shape_x, x, n * sizeof x[0]);
    memcpy(d->shape_q, q, n * sizeof q[0]);
    d->shape_n = n;
    return moved;
}

static void dyn_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct dyn_state *s = state;
    if (!view->book_ok) s->broken = true;
    dyn_push(s, b);
    dyn_rates(s, ctx, view->book_ok && s->primed, bucket_last_ns(b), out);
    for (int side = 0; side < 2; side++) {
        struct dyn_side *d = &s->side[side];
        out[D_REPLENISH + side] = ratio_of(series_sum(&d->back, 5), series_sum(&d->traded, 5));
        out[D_FLEETING + side] =
            ratio_of(series_sum(&d->fleeting, 20), series_sum(&d->far_added, 20));
        out[D_SHAPE + side] = dyn_shape(d, view, side);
    }
    out[D_CANCEL_TRADE_B5] = cancel_trade(s, 5);
    out[D_CANCEL_TRADE_B20] = cancel_trade(s, 20);
    out[D_SPREAD_BURST] = ratio_of(series_sum(&s->bursts, 20), series_sum(&s->messages, 20));
    s->spread_last =
        view->book_ok ? view->top[BOOK_ASK][0].px.ticks - view->top[BOOK_BID][0].px.ticks : 0;
}

const struct feature_family feature_family_dyn = {
    .name = "dyn",
    .defs = defs,
    .count = D_ROWS,
    .kinds = KINDS_TRADE | 1u << EV_DEPTH | 1u << EV_DEPTH_END,
    .levels = true,
    .state_size = dyn_state_size,
    .init = dyn_init,
    .on_event = dyn_on_event,
    .on_bucket = dyn_on_bucket,
};
