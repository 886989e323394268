/* feature_ofi.c: order-flow imbalance of the best levels, message by message.
 *
 * At each depth message, for level m of each side: a better or equal bid price adds its quantity,
 * a worse or equal one takes the quantity before away; asks the other way round (Cont, Kukanov,
 * Stoikov 2014, eq. 3; levels as in Xu, Gould, Howison 2018). Whole messages only, so it does not
 * matter how they are cut.
 */
#include "derive/feature/feature_internal.h"

enum { OFI_LEVELS = 10 };

enum ofi_row {
    O_L1 = 0, /* b1 b5 b20 */
    O_L5 = 3,
    O_L10 = 6,
    O_NORM_L1 = 9,
    O_NORM_L5 = 12,
    O_INTEGRATED = 15,
    O_ROWS = 18
};

#define CONT "Cont, Kukanov, Stoikov 2014"
#define XU "Xu, Gould, Howison 2018"
#define INTEGRATED "Cont, Cucuringu, Zhang 2023, with equal weights"
#define GONE_OFI "the book was not synchronised all through the window; before it is full"
#define ROW(NAME, UNIT, W, WARM, SOURCE, ABOUT, GONE)                                              \
    FEATURE_ROW(NAME, UNIT, W, WARM, NEED_DEPTH, false, "FEA2", SOURCE, ABOUT, GONE)
#define THREE(AT, NAME, UNIT, SOURCE, ABOUT, GONE)                                                 \
    [AT] = ROW(NAME "_b1", UNIT, "b1", 2, SOURCE, ABOUT, GONE),                                    \
    [AT + 1] = ROW(NAME "_b5", UNIT, "b5", 6, SOURCE, ABOUT, GONE),                                \
    [AT + 2] = ROW(NAME "_b20", UNIT, "b20", 21, SOURCE, ABOUT, GONE)

static const struct feature_def defs[O_ROWS] = {
    THREE(O_L1, "ofi_l1", "base", CONT, "order-flow imbalance of the best level", GONE_OFI),
    THREE(O_L5, "ofi_l5", "base", XU, "sum of the order-flow imbalance of levels 1..5", GONE_OFI),
    THREE(
        O_L10, "ofi_l10", "base", XU, "sum of the order-flow imbalance of levels 1..10", GONE_OFI),
    THREE(O_NORM_L1, "ofi_normalised_l1", "1", CONT " (price impact: divided by mean depth)",
        "imbalance of level 1 / mean quantity there over the window's messages, both sides",
        GONE_OFI "; no message"),
    THREE(O_NORM_L5, "ofi_normalised_l5", "1", CONT " (price impact: divided by mean depth)",
        "imbalance of levels 1..5 / mean quantity of a level there, both sides",
        GONE_OFI "; no message"),
    THREE(O_INTEGRATED, "ofi_integrated_l10", "1", INTEGRATED,
        "mean over levels 1..10 of imbalance / mean quantity of the level over ten levels",
        GONE_OFI "; no message"),
};

/* Sums of the open bucket in quantity units; levels 1..10 apart. */
struct ofi_state {
    struct book_level before[2][OFI_LEVELS];
    uint64_t levels[2];
    bool primed; /* `before` is the book at the last message */
    bool broken; /* in this bucket the book was not followed all through */
    uint8_t pad[6];
    int64_t ofi[OFI_LEVELS];
    int64_t depth[OFI_LEVELS]; /* sum over messages of both sides' quantity */
    int64_t messages;
    struct series ofi_sum[3];   /* levels 1, 1..5, 1..10; NaN where broken */
    struct series depth_sum[3]; /* of the same levels */
    struct series message_count;
};

static size_t ofi_state_size(void) { return sizeof(struct ofi_state); }

static void ofi_init(void *state, const struct feature_ctx *ctx) {
    struct ofi_state *s = state;
    (void)ctx;
    s->broken = true; /* the bucket in which the stream begins is not whole */
}

/* What one level of one side contributes; `better` = +1 where a higher price is better (bids). */
static int64_t level_flow(
    const struct book_level *was, const struct book_level *is, int64_t better) {
    int64_t step = (is->px.ticks - was->px.ticks) * better, flow = 0;
    if (step >= 0) flow += is->qty.lots;
    if (step <= 0) flow -= was->qty.lots;
    return flow;
}

static void ofi_side(struct ofi_state *s, int side, const struct book_level *now, size_t levels) {
    int64_t better = side == BOOK_BID ? 1 : -1;
    size_t both = levels < s->levels[side] ? levels : (size_t)s->levels[side];
    for (size_t m = 0; m < both; m++)
        s->ofi[m] += better * level_flow(&s->before[side][m], &now[m], better);
    for (size_t m = 0; m < levels; m++) s->depth[m] += now[m].qty.lots;
}

static void ofi_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct ofi_state *s = state;
    struct book_level now[OFI_LEVELS];
    (void)ev;
    if (!ctx->book || book_state(ctx->book) != BOOK_SYNCED || change->whole) s->primed = false;
    if (!s->primed) s->broken = true;
    if (!ctx->book || book_state(ctx->book) != BOOK_SYNCED) return;
    for (int side = 0; side < 2; side++) {
        size_t n = book_top(ctx->book, side, OFI_LEVELS, now);
        if (s->primed) ofi_side(s, side, now, n);
        memcpy(s->before[side], now, n * sizeof now[0]);
        s->levels[side] = n;
    }
    s->messages += s->primed;
    s->primed = true;
}

static void ofi_push(struct ofi_state *s) {
    static const size_t last[3] = {1, 5, OFI_LEVELS};
    for (size_t i = 0; i < 3; i++) {
        double ofi = 0.0, depth = 0.0;
        for (size_t m = 0; m < last[i]; m++) {
            ofi += (double)s->ofi[m];
            depth += (double)s->depth[m];
        }
        series_push(&s->ofi_sum[i], s->broken ? MISSING : ofi);
        series_push(&s->depth_sum[i], depth);
    }
    series_push(&s->message_count, (double)s->messages);
    memset(s->ofi, 0, sizeof s->ofi);
    memset(s->depth, 0, sizeof s->depth);
    s->messages = 0;
    s->broken = !s->primed;
}

static void ofi_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    static const size_t windows[3] = {1, 5, 20};
    struct ofi_state *s = state;
    (void)b;
    if (!view->book_ok) s->broken = true;
    ofi_push(s);
    for (size_t i = 0; i < 3; i++) {
        double l1 = series_sum(&s->ofi_sum[0], windows[i]);
        double l5 = series_sum(&s->ofi_sum[1], windows[i]);
        double l10 = series_sum(&s->ofi_sum[2], windows[i]);
        double n = series_sum(&s->message_count, windows[i]);
        /* mean quantity of one level of one side over the window's messages */
        double d1 = ratio_of(series_sum(&s->depth_sum[0], windows[i]), 2.0 * n);
        double d5 = ratio_of(series_sum(&s->depth_sum[1], windows[i]), 10.0 * n);
        double d10 = ratio_of(series_sum(&s->depth_sum[2], windows[i]), 20.0 * n);
        out[O_L1 + i] = l1 * ctx->qty_unit;
        out[O_L5 + i] = l5 * ctx->qty_unit;
        out[O_L10 + i] = l10 * ctx->qty_unit;
        out[O_NORM_L1 + i] = ratio_of(l1, d1);
        out[O_NORM_L5 + i] = ratio_of(l5, d5);
        out[O_INTEGRATED + i] = ratio_of(l10 / OFI_LEVELS, d10);
    }
}

const struct feature_family feature_family_ofi = {
    .name = "ofi",
    .defs = defs,
    .count = O_ROWS,
    .kinds = 1u << EV_DEPTH | 1u << EV_DEPTH_END,
    .state_size = ofi_state_size,
    .init = ofi_init,
    .on_event = ofi_on_event,
    .on_bucket = ofi_on_bucket,
};
