/* feature_perp_liq.c: forced orders: how many, how large, on which side, whether they breed more.
 * More rows of the family `perp`.
 *
 * Whether a tape carries liquidations shows only by one of them, so every row is missing where the
 * last ten minutes had none: a silent market and an absent stream look the same. A liquidation
 * order that buys closes a short.
 */
#include "derive/feature/feature_perp_internal.h"

enum liq_row {
    L_COUNT,
    L_VALUE,
    L_IMBALANCE,
    L_SHARE,
    L_RATE,
    L_PANIC,
    L_CASCADE,
    L_CONTAGION,
    L_MOVE,
    L_ROWS
};

enum { SHORT_W = 5, FLOW_W = 20, LONG_W = 60, MOVE_LAG = 5 };
#define CHAIN_NS (30 * NS_PER_S) /* the documents' neighbourhood of a cascade */

#define GONE_LIQ "no liquidation in the last ten minutes"
#define ROW20(NAME, UNIT, NEEDS, SOURCE, ABOUT, GONE)                                              \
    PERP_ROW(NAME, UNIT, "b20", 621, NEED_LIQUIDATION | (NEEDS), SOURCE, ABOUT, GONE)
#define ROW60(NAME, UNIT, SOURCE, ABOUT, GONE)                                                     \
    PERP_ROW(NAME, UNIT, "b60", 661, NEED_LIQUIDATION, SOURCE, ABOUT, GONE)
#define S3 "source document S3 (panic index)"

static const struct feature_def defs[L_ROWS] = {
    [L_COUNT] =
        ROW20("perp_liq_count_b20", "orders", 0, S3, "liquidations in 20 buckets", GONE_LIQ),
    [L_VALUE] = ROW20("perp_liq_value_b20", "quote", 0, S3,
        "sum of average price x quantity of the liquidations in 20 buckets", GONE_LIQ),
    [L_IMBALANCE] = ROW20("perp_liq_imbalance_b20", "1", 0, "definition",
        "(value of shorts liquidated - of longs) / value of both in 20 buckets",
        GONE_LIQ "; none in the window"),
    [L_SHARE] = ROW20("perp_liq_share_b20", "1", NEED_TRADE,
        "source document S3 (liquidated to normal volume)",
        "liquidated quantity / volume of 20 buckets", GONE_LIQ "; no volume"),
    [L_RATE] = ROW60("perp_liq_rate_b60", "1/s", "Poisson rate, maximum likelihood",
        "liquidations in 60 buckets / their time", GONE_LIQ),
    [L_PANIC] = ROW60("perp_liq_panic_b60", "1", S3 "; Poisson standard deviation",
        "(liquidations in 5 buckets - expected) / sqrt(expected), expected = perp_liq_rate_b60 x "
        "the"
        " time of the 5",
        GONE_LIQ "; none in 60 buckets"),
    [L_CASCADE] = ROW20("perp_liq_cascade_b20", "orders", 0,
        "source document S3 (cascade: neighbours within 30 s)",
        "liquidations in 20 buckets that came at most 30 s after one of the same side", GONE_LIQ),
    [L_CONTAGION] = ROW60("perp_liq_contagion_b60", "1",
        "self-excitation: Box, Jenkins r_1 of the counts",
        "lag-1 autocorrelation of liquidations a bucket over 60 buckets", GONE_LIQ "; all equal"),
    [L_MOVE] = ROW20("perp_liq_move_b20", "bps", NEED_DEPTH,
        "source document S3 (price impact after N s), known 5 buckets later",
        "mean move of the price in the order's direction from the close of its bucket to 5 closes"
        " later, by value, liquidations of 20 buckets",
        GONE_LIQ "; none in the window; a price missing"),
};

struct liq_state {
    int64_t last_ns, side_ns[2]; /* of the last liquidation; of the last longs', shorts' */
    double count, chained, lots, value, net; /* of the open bucket */
    struct series counts, chains, quantities, values, nets, px, seconds, volume;
};

static size_t liq_state_size(void) { return sizeof(struct liq_state); }

static void liq_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct liq_state *s = state;
    (void)change;
    CHECK(ev->kind == EV_LIQUIDATION);
    bool buys = ev->flags & EVF_BUY;
    int64_t now = ev->ts_local.ns;
    double px = ev->aux.a > 0 ? aux_px(ev->aux.a) : instrument_px(ctx->inst, ev->px);
    double value = quote_value(ctx->inst, px, (double)ev->qty.lots * ctx->qty_unit);
    s->count += 1.0;
    s->chained += young(s->side_ns[buys], now, CHAIN_NS) ? 1.0 : 0.0;
    s->lots += (double)ev->qty.lots;
    s->value += value;
    s->net += buys ? value : -value;
    s->last_ns = s->side_ns[buys] = now;
}

static void liq_close(struct liq_state *s, double px, const struct bucket *b) {
    series_push(&s->counts, s->count);
    series_push(&s->chains, s->chained);
    series_push(&s->quantities, s->lots);
    series_push(&s->values, s->value);
    series_push(&s->nets, s->net);
    series_push(&s->px, px);
    series_push(&s->seconds, (double)(b->close_ts.ns - b->open_ts.ns) / 1e9);
    series_push(&s->volume, (double)b->volume.lots);
    s->count = s->chained = s->lots = s->value = s->net = 0.0;
}

static double liq_move(const struct liq_state *s) {
    double moved = 0.0, all = 0.0;
    for (uint64_t lag = FLOW_W + MOVE_LAG; lag-- > MOVE_LAG;) {
        double value = series_lag(&s->values, lag);
        if (value == 0.0) continue;
        double change = ratio_of(series_lag(&s->px, lag - MOVE_LAG), series_lag(&s->px, lag));
        if (!(change > 0.0)) return MISSING;
        moved += series_lag(&s->nets, lag) * BPS * dm_log(change);
        all += value;
    }
    return ratio_of(moved, all);
}

static double liq_contagion(const struct liq_state *s) {
    double x[SERIES_MAX], cross = 0.0;
    if (!series_window(&s->counts, LONG_W, x)) return MISSING;
    struct moments m = moments_of(x, LONG_W);
    for (size_t i = 1; i < LONG_W; i++) cross += (x[i] - m.mean) * (x[i - 1] - m.mean);
    return moments_flat(&m) ? MISSING : ratio_of(cross, (double)LONG_W * m.m2);
}

static void liq_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct liq_state *s = state;
    (void)ctx;
    liq_close(s, view->px, b);
    for (size_t i = 0; i < L_ROWS; i++) out[i] = MISSING;
    if (!young(s->last_ns, b->close_ts.ns, LIQUIDATION_AGE_MAX)) return;
    double rate = ratio_of(series_sum(&s->counts, LONG_W), series_sum(&s->seconds, LONG_W));
    double expected = rate * series_sum(&s->seconds, SHORT_W);
    out[L_COUNT] = series_sum(&s->counts, FLOW_W);
    out[L_VALUE] = series_sum(&s->values, FLOW_W);
    out[L_IMBALANCE] = ratio_of(series_sum(&s->nets, FLOW_W), out[L_VALUE]);
    out[L_SHARE] = ratio_of(series_sum(&s->quantities, FLOW_W), series_sum(&s->volume, FLOW_W));
    out[L_RATE] = rate;
    out[L_PANIC] = ratio_of(series_sum(&s->counts, SHORT_W) - expected, sqrt(expected));
    out[L_CASCADE] = series_sum(&s->chains, FLOW_W);
    out[L_CONTAGION] = liq_contagion(s);
    out[L_MOVE] = liq_move(s);
}

const struct feature_family feature_family_perp_liq = {
    .name = "perp",
    .defs = defs,
    .count = L_ROWS,
    .kinds = 1u << EV_LIQUIDATION,
    .state_size = liq_state_size,
    .on_event = liq_on_event,
    .on_bucket = liq_on_bucket,
};
