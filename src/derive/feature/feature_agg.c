/* feature_agg.c: the same aggregates of trades at seven widths from a second to a day, and their
 * returns before.
 *
 * A width is the last whole steps of wall time that are over at the close: 1 s, 10 s and 1 m in
 * steps of a second, 5 m, 15 m and 1 h in steps of a minute, a day in steps of fifteen minutes. A
 * step without a trade repeats the last price with no volume. The step in which trading began is
 * not used: part of it was not seen. All sums are taken afresh, oldest first.
 */
#include "derive/feature/feature_internal.h"

enum agg_kind { G_RETURN, G_LAG1, G_RANGE, G_VOLUME, G_IMBALANCE, G_KINDS };
enum agg_width { W_S1, W_S10, W_M1, W_M5, W_M15, W_H1, W_D1, WIDTHS };
enum {
    VOL_AT = WIDTHS * G_KINDS, /* of the second width on: one step has no spread */
    LAG2_AT = VOL_AT + W_D1,   /* of all but the day */
    ROWS = LAG2_AT + W_D1,
    FRAMES = 3,
    RING = 256 /* steps kept: three times 60 and twice 96 and one before fit */
};

static const int64_t step_ns[FRAMES] = {NS_PER_S, 60 * NS_PER_S, 900 * NS_PER_S};
static const struct {
    size_t frame, steps;
} widths[WIDTHS] = {{0, 1}, {0, 10}, {0, 60}, {1, 5}, {1, 15}, {1, 60}, {2, 96}};

/* Warm-up: the steps needed, the cut one, one in which trading begins, half a minute for that. */
#define WARM(STEPS, SECONDS) (((STEPS) + 3) * (SECONDS) + 30)
#define SRC "definition; source documents S3, S4 (multi-resolution)"
#define GONE "before as many steps were seen"
#define ROW(WHAT, TAG, UNIT, STEPS, SECONDS, ABOUT, MISSED)                                        \
    FEATURE_ROW_APART("agg_" WHAT "_" TAG, UNIT, TAG, WARM(STEPS, SECONDS), NEED_TRADE, "FEA15",   \
        SRC, ABOUT, MISSED, CLOCK_TIME)
#define BASE(W, TAG, STEPS, SECONDS)                                                               \
    [W * G_KINDS + G_RETURN] = ROW("return", TAG, "bps", STEPS, SECONDS,                           \
        "1e4 ln(last price / that " TAG " before) at the end of the last whole step", GONE),       \
                   [W * G_KINDS + G_LAG1] = ROW("return_lag1", TAG, "bps", 2 * STEPS, SECONDS,     \
                       "the same return, one " TAG " earlier", GONE),                              \
                   [W * G_KINDS + G_RANGE] = ROW("range", TAG, "bps", STEPS, SECONDS,              \
                       "1e4 ln(highest / lowest price) of " TAG, GONE),                            \
                   [W * G_KINDS + G_VOLUME] = ROW(                                                 \
                       "volume", TAG, "base", STEPS, SECONDS, "traded quantity of " TAG, GONE),    \
                   [W * G_KINDS + G_IMBALANCE] = ROW("imbalance", TAG, "1", STEPS, SECONDS,        \
                       "(taker bought - taker sold) / volume of " TAG, GONE "; no volume")
#define VOL(W, TAG, STEPS, SECONDS)                                                                \
    [VOL_AT + W - 1] = ROW("vol", TAG, "bps", STEPS, SECONDS,                                      \
        "square root of the sum of squared returns of the steps of " TAG, GONE)
#define LAG2(W, TAG, STEPS, SECONDS)                                                               \
    [LAG2_AT + W] = ROW("return_lag2", TAG, "bps", 3 * STEPS, SECONDS,                             \
        "the same return, two " TAG " earlier", GONE)

static const struct feature_def defs[ROWS] = {
    BASE(W_S1, "s1", 1, 1),
    BASE(W_S10, "s10", 10, 1),
    BASE(W_M1, "m1", 60, 1),
    BASE(W_M5, "m5", 5, 60),
    BASE(W_M15, "m15", 15, 60),
    BASE(W_H1, "h1", 60, 60),
    BASE(W_D1, "d1", 96, 900),
    VOL(W_S10, "s10", 10, 1),
    VOL(W_M1, "m1", 60, 1),
    VOL(W_M5, "m5", 5, 60),
    VOL(W_M15, "m15", 15, 60),
    VOL(W_H1, "h1", 60, 60),
    VOL(W_D1, "d1", 96, 900),
    LAG2(W_S1, "s1", 1, 1),
    LAG2(W_S10, "s10", 10, 1),
    LAG2(W_M1, "m1", 60, 1),
    LAG2(W_M5, "m5", 5, 60),
    LAG2(W_M15, "m15", 15, 60),
    LAG2(W_H1, "h1", 60, 60),
};

struct step { /* prices and quantities in units, whole numbers */
    double high, low, last, volume, net;
    double ret; /* 1e4 ln(last / last of the step before) */
};

struct frame {
    int64_t bin, end_ns; /* the open step's number since 1970, its end */
    uint64_t steps;      /* closed in `ring` so far */
    bool cut, fresh;     /* cut: the open step was not seen from its start */
    uint8_t pad[6];
    struct step open; /* last: also of steps before */
    double before;    /* last price of the step before */
    struct step ring[RING];
};

struct agg_state {
    bool started;
    uint8_t pad[7];
    struct frame frame[FRAMES];
    double value[ROWS];
};

static size_t agg_state_size(void) { return sizeof(struct agg_state); }

static void agg_init(void *state, const struct feature_ctx *ctx) {
    struct agg_state *s = state;
    (void)ctx;
    for (size_t i = 0; i < ROWS; i++) s->value[i] = MISSING;
}

/* Ends the open step and opens the next one. */
static void frame_close(struct frame *f, int64_t width) {
    struct step *o = &f->open;
    double ratio = f->before > 0.0 ? o->last / f->before : 1.0;
    o->ret = ratio == 1.0 ? 0.0 : BPS * dm_log(ratio);
    if (!f->cut) {
        f->ring[f->steps++ % RING] = *o;
        f->fresh = true;
    }
    f->cut = false;
    f->before = o->last;
    *o = (struct step){.high = o->last, .low = o->last, .last = o->last};
    f->bin++;
    f->end_ns = (f->bin + 1) * width;
}

/* Ends all steps before `ns`. After a silence longer than the ring only its end is written. */
static void frame_roll(struct frame *f, int64_t width, int64_t ns) {
    if (ns < f->end_ns) return;
    int64_t bin = ns / width;
    frame_close(f, width);
    if (bin - f->bin > RING) {
        f->steps += (uint64_t)(bin - f->bin - RING);
        f->bin = bin - RING;
    }
    while (f->bin < bin) frame_close(f, width);
}

static void agg_start(struct agg_state *s, int64_t ns, double px) {
    s->started = true;
    for (size_t i = 0; i < FRAMES; i++) {
        struct frame *f = &s->frame[i];
        f->bin = ns / step_ns[i];
        f->end_ns = (f->bin + 1) * step_ns[i];
        f->cut = true;
        f->open.high = f->open.low = f->open.last = px;
    }
}

static void agg_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct agg_state *s = state;
    double px = (double)ev->px.ticks, qty = (double)ev->qty.lots;
    (void)ctx;
    (void)change;
    if (!is_market_trade(ev)) return;
    if (!s->started) agg_start(s, ev->ts_local.ns, px);
    for (size_t i = 0; i < FRAMES; i++) {
        struct frame *f = &s->frame[i];
        frame_roll(f, step_ns[i], ev->ts_local.ns);
        struct step *o = &f->open;
        bool first = o->volume == 0.0;
        o->high = first || px > o->high ? px : o->high;
        o->low = first || px < o->low ? px : o->low;
        o->last = px;
        o->volume += qty;
        o->net += ev->flags & EVF_BUY ? qty : -qty;
    }
}

static const struct step *step_back(const struct frame *f, size_t back) {
    return &f->ring[(f->steps - 1 - back) % RING];
}

/* Return over n steps that ended `back` steps before the newest. */
static double return_back(const struct frame *f, size_t back, size_t n) {
    if (f->steps < back + n + 1) return MISSING;
    double ratio = step_back(f, back)->last / step_back(f, back + n)->last;
    return ratio == 1.0 ? 0.0 : BPS * dm_log(ratio);
}

static void width_rows(struct agg_state *s, size_t w, double qty_unit) {
    size_t n = widths[w].steps;
    const struct frame *f = &s->frame[widths[w].frame];
    double high = 0.0, low = INFINITY, volume = 0.0, net = 0.0, squares = 0.0;
    double *out = s->value + w * G_KINDS;
    out[G_RETURN] = return_back(f, 0, n);
    out[G_LAG1] = return_back(f, n, n);
    if (w < W_D1) s->value[LAG2_AT + w] = return_back(f, 2 * n, n);
    if (f->steps < n + 1) return;
    for (size_t i = n; i-- > 0;) {
        const struct step *x = step_back(f, i);
        high = x->high > high ? x->high : high;
        low = x->low < low ? x->low : low;
        volume += x->volume;
        net += x->net;
        squares += x->ret * x->ret;
    }
    out[G_RANGE] = high == low ? 0.0 : BPS * dm_log(high / low);
    out[G_VOLUME] = volume * qty_unit;
    out[G_IMBALANCE] = ratio_of(net, volume);
    if (w > W_S1) s->value[VOL_AT + w - 1] = sqrt(squares);
}

static void agg_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct agg_state *s = state;
    (void)view;
    for (size_t i = 0; i < FRAMES && s->started; i++)
        frame_roll(&s->frame[i], step_ns[i], b->close_ts.ns);
    for (size_t w = 0; w < WIDTHS; w++)
        if (s->frame[widths[w].frame].fresh) width_rows(s, w, ctx->qty_unit);
    for (size_t i = 0; i < FRAMES; i++) s->frame[i].fresh = false;
    memcpy(out, s->value, sizeof s->value);
}

const struct feature_family feature_family_agg = {
    .name = "agg",
    .defs = defs,
    .count = ROWS,
    .kinds = KINDS_TRADE,
    .state_size = agg_state_size,
    .init = agg_init,
    .on_event = agg_on_event,
    .on_bucket = agg_on_bucket,
};
