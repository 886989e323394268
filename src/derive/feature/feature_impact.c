/* feature_impact.c: what trading costs and moves: regressions, spreads paid, illiquidity. */
#include "derive/feature/estimators.h"
#include "derive/feature/feature_internal.h"

enum impact_row {
    I_KYLE_B20,
    I_KYLE_B60,
    I_KYLE_R2_B60,
    I_RANGE_PER_SIGNED,
    I_AMIHUD_B20,
    I_AMIHUD_B60,
    I_QUOTED_B20,
    I_EFFECTIVE_B1,
    I_EFFECTIVE_B20,
    I_REALISED_B20,
    I_ADVERSE_B20,
    I_IMPROVED_SHARE_B20,
    I_THROUGH_SHARE_B20,
    I_HASBROUCK_B60,
    I_ROLL_B60,
    I_CORWIN_SCHULTZ_B20,
    I_ROWS
};

enum { REALISED_LAG = 5 };

#define ROW(NAME, UNIT, W, WARM, NEEDS, BARS, SOURCE, ABOUT, GONE)                                 \
    FEATURE_ROW(NAME, UNIT, W, WARM, NEEDS, BARS, "FEA5", SOURCE, ABOUT, GONE)
#define GONE_FIT "a return or volume in the window is missing; signed volume never varies"
#define GONE_TOUCH "no trade against a synchronised book in the window; before it is full"

static const struct feature_def defs[I_ROWS] = {
    [I_KYLE_B20] = ROW("impact_kyle_lambda_b20", "bps/base", "b20", 22,
        NEED_TRADE | NEED_DEPTH | NEED_TAKER, true, "Kyle 1985; Hasbrouck 2007, ch. 5",
        "least-squares slope of the return on signed volume, 20 buckets", GONE_FIT),
    [I_KYLE_B60] = ROW("impact_kyle_lambda_b60", "bps/base", "b60", 62,
        NEED_TRADE | NEED_DEPTH | NEED_TAKER, true, "Kyle 1985; Hasbrouck 2007, ch. 5",
        "least-squares slope of the return on signed volume, 60 buckets", GONE_FIT),
    [I_KYLE_R2_B60] = ROW("impact_kyle_r2_b60", "1", "b60", 62,
        NEED_TRADE | NEED_DEPTH | NEED_TAKER, true, "Kyle 1985; Hasbrouck 2007, ch. 5",
        "R^2 of the return on signed volume, 60 buckets", GONE_FIT "; price never moves"),
    [I_RANGE_PER_SIGNED] = ROW("impact_range_per_signed_volume_b1", "quote/base", "b1", 1,
        NEED_TRADE | NEED_TAKER, true, "source document S3 (there called Kyle's lambda)",
        "(high - low) / signed volume of the bucket", "no trade; signed volume 0 or unknown"),
    [I_AMIHUD_B20] = ROW("impact_amihud_b20", "bps/Mquote", "b20", 22,
        NEED_TRADE | NEED_DEPTH | NEED_VALUE, true, "Amihud 2002",
        "mean over buckets with trades of |return| / million quote units traded",
        "a return in the window is missing; no trade in it"),
    [I_AMIHUD_B60] = ROW("impact_amihud_b60", "bps/Mquote", "b60", 62,
        NEED_TRADE | NEED_DEPTH | NEED_VALUE, true, "Amihud 2002",
        "mean over buckets with trades of |return| / million quote units traded",
        "a return in the window is missing; no trade in it"),
    [I_QUOTED_B20] = ROW("impact_quoted_spread_b20", "bps", "b20", 21, NEED_DEPTH, false,
        "Huang, Stoll 1996", "mean of (ask - bid) / mid at 20 closes",
        "book not synchronised at a close in the window"),
    [I_EFFECTIVE_B1] = ROW("impact_effective_spread_b1", "bps", "b1", 1, NEED_TRADE | NEED_DEPTH,
        false, "Huang, Stoll 1996",
        "mean by quantity of 2 side (price - mid before the trade) / mid", GONE_TOUCH),
    [I_EFFECTIVE_B20] = ROW("impact_effective_spread_b20", "bps", "b20", 21,
        NEED_TRADE | NEED_DEPTH, false, "Huang, Stoll 1996",
        "mean by quantity of 2 side (price - mid before the trade) / mid", GONE_TOUCH),
    [I_REALISED_B20] = ROW("impact_realised_spread_b20", "bps", "b20", 26, NEED_TRADE | NEED_DEPTH,
        false, "Huang, Stoll 1996",
        "mean by quantity of 2 side (price - mid 5 closes later) / that mid, known 5 buckets late",
        GONE_TOUCH "; mid missing 5 buckets after"),
    [I_ADVERSE_B20] = ROW("impact_adverse_b20", "bps", "b20", 26, NEED_TRADE | NEED_DEPTH, false,
        "Huang, Stoll 1996", "effective minus realised spread of the same 20 buckets",
        GONE_TOUCH "; mid missing 5 buckets after"),
    [I_IMPROVED_SHARE_B20] = ROW("impact_improved_share_b20", "1", "b20", 21,
        NEED_TRADE | NEED_DEPTH, false, "price improvement, SEC rule 605",
        "part of the quantity traded better than the opposite touch", GONE_TOUCH),
    [I_THROUGH_SHARE_B20] =
        ROW("impact_through_share_b20", "1", "b20", 21, NEED_TRADE | NEED_DEPTH, false,
            "definition", "part of the quantity traded worse than the opposite touch", GONE_TOUCH),
    [I_HASBROUCK_B60] = ROW("impact_hasbrouck_lambda_b60", "bps/sqrt(quote)", "b60", 62,
        NEED_TRADE | NEED_DEPTH, false, "Hasbrouck 2009",
        "least-squares slope of the return on the sum of side x sqrt(value) of trades", GONE_FIT),
    [I_ROLL_B60] = ROW("impact_roll_b60", "bps", "b60", 122, NEED_TRADE, true, "Roll 1984",
        "2 sqrt(-covariance of successive changes of the log trade price), 60 closes",
        "covariance not negative; no price yet"),
    [I_CORWIN_SCHULTZ_B20] = ROW("impact_corwin_schultz_b20", "bps", "b20", 22, NEED_TRADE, true,
        "Corwin, Schultz 2012", "mean over pairs of buckets with trades of their estimate",
        "no pair of neighbouring buckets with trades"),
};

/* Sums over the trades of the open bucket that met a synchronised book. Quantities in units. */
struct impact_open {
    double size, improved, through;
    double paid;        /* sum of q 2 side (p - mid) / mid */
    double side_value;  /* sum of side q p, p in quote */
    double side_size;   /* sum of side q */
    double root_signed; /* sum of side sqrt(value in quote), all trades */
};

struct impact_state {
    struct impact_open open;
    double price_before; /* last trade price at the close before, NaN before the first */
    double high_before, low_before;
    struct series ret, signed_volume, amihud, traded, spread, root_signed;
    struct series size, improved, through, paid, side_value, side_size;
    struct series realised, realised_paid, realised_size; /* of the bucket 5 closes ago */
    struct series change, pairs, corwin;
};

static size_t impact_state_size(void) { return sizeof(struct impact_state); }

static void impact_init(void *state, const struct feature_ctx *ctx) {
    struct impact_state *s = state;
    (void)ctx;
    s->price_before = s->high_before = s->low_before = MISSING;
}

static void impact_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct impact_state *s = state;
    struct impact_open *o = &s->open;
    struct book_level bid, ask;
    (void)change;
    if (!is_market_trade(ev)) return;
    bool buy = ev->flags & EVF_BUY;
    double side = buy ? 1.0 : -1.0, q = (double)ev->qty.lots, px = instrument_px(ctx->inst, ev->px);
    o->root_signed += side * sqrt(quote_value(ctx->inst, px, q * ctx->qty_unit));
    if (!ctx->book || book_state(ctx->book) != BOOK_SYNCED) return;
    if (!book_best(ctx->book, BOOK_BID, &bid) || !book_best(ctx->book, BOOK_ASK, &ask)) return;
    double mid = 0.5 * (double)(bid.px.ticks + ask.px.ticks) * ctx->px_unit;
    int64_t worse = buy ? ev->px.ticks - ask.px.ticks : bid.px.ticks - ev->px.ticks;
    o->size += q;
    o->paid += q * 2.0 * side * (px - mid) / mid;
    o->side_value += side * q * px;
    o->side_size += side * q;
    if (worse < 0) o->improved += q;
    if (worse > 0) o->through += q;
}

/* The spread earned by the makers of bucket k-5, judged by the mid of now. */
static void impact_realised(struct impact_state *s, double mid, double *out) {
    double size = series_lag(&s->size, REALISED_LAG);
    double value = series_lag(&s->side_value, REALISED_LAG);
    double net = series_lag(&s->side_size, REALISED_LAG);
    double earned = size == 0.0 ? 0.0 : 2.0 * (value - mid * net) / mid;
    series_push(&s->realised, earned);
    series_push(&s->realised_size, size);
    series_push(&s->realised_paid, series_lag(&s->paid, REALISED_LAG));
    double sum = series_sum(&s->realised_size, 20);
    out[I_REALISED_B20] = BPS * ratio_of(series_sum(&s->realised, 20), sum);
    out[I_ADVERSE_B20] =
        BPS * ratio_of(series_sum(&s->realised_paid, 20), sum) - out[I_REALISED_B20];
}

static void impact_touch(struct impact_state *s, double *out) {
    series_push(&s->size, s->open.size);
    series_push(&s->improved, s->open.improved);
    series_push(&s->through, s->open.through);
    series_push(&s->paid, s->open.paid);
    series_push(&s->side_value, s->open.side_value);
    series_push(&s->side_size, s->open.side_size);
    double n1 = series_sum(&s->size, 1), n20 = series_sum(&s->size, 20);
    out[I_EFFECTIVE_B1] = BPS * ratio_of(series_sum(&s->paid, 1), n1);
    out[I_EFFECTIVE_B20] = BPS * ratio_of(series_sum(&s->paid, 20), n20);
    out[I_IMPROVED_SHARE_B20] = ratio_of(series_sum(&s->improved, 20), n20);
    out[I_THROUGH_SHARE_B20] = ratio_of(series_sum(&s->through, 20), n20);
}

static struct line_fit fit_of(const struct series *x, const struct series *y, size_t w) {
    double a[SERIES_MAX], b[SERIES_MAX];
    if (!series_window(x, w, a) || !series_window(y, w, b))
        return (struct line_fit){MISSING, MISSING, MISSING};
    return line_fit(a, b, w);
}

static void impact_fits(struct impact_state *s, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    double quote = bucket_quote(ctx, b);
    series_push(&s->ret, view->ret);
    series_push(&s->signed_volume, bucket_signed(b) * ctx->qty_unit);
    series_push(&s->root_signed, b->from_kline ? MISSING : s->open.root_signed);
    series_push(&s->traded, quote == 0.0 ? 0.0 : 1.0);
    series_push(&s->amihud, quote == 0.0 ? 0.0 * view->ret : fabs(view->ret) / (quote / 1e6));
    struct line_fit kyle = fit_of(&s->signed_volume, &s->ret, 60);
    out[I_KYLE_B20] = fit_of(&s->signed_volume, &s->ret, 20).slope;
    out[I_KYLE_B60] = kyle.slope;
    out[I_KYLE_R2_B60] = kyle.r2;
    out[I_HASBROUCK_B60] = fit_of(&s->root_signed, &s->ret, 60).slope;
    out[I_AMIHUD_B20] = ratio_of(series_sum(&s->amihud, 20), series_sum(&s->traded, 20));
    out[I_AMIHUD_B60] = ratio_of(series_sum(&s->amihud, 60), series_sum(&s->traded, 60));
}

/* Trade prices of bars: Roll's covariance and Corwin-Schultz. */
static void impact_bars(
    struct impact_state *s, const struct feature_ctx *ctx, const struct bucket *b, double *out) {
    double x[SERIES_MAX], high = MISSING, low = MISSING, price = s->price_before;
    if (b->close.ticks > 0 && b->low.ticks > 0) {
        high = instrument_px(ctx->inst, b->high);
        low = instrument_px(ctx->inst, b->low);
        price = instrument_px(ctx->inst, b->close);
    }
    double ratio = ratio_of(price, s->price_before);
    series_push(&s->change, ratio > 0.0 ? BPS * dm_log(ratio) : MISSING);
    double cov = series_window(&s->change, 60, x) ? lag_covariance(x, 60) : MISSING;
    out[I_ROLL_B60] = cov < 0.0 ? 2.0 * sqrt(-cov) : MISSING;
    double pair = corwin_schultz(s->high_before, s->low_before, high, low);
    series_push(&s->pairs, isnan(pair) ? 0.0 : 1.0);
    series_push(&s->corwin, isnan(pair) ? 0.0 : pair);
    out[I_CORWIN_SCHULTZ_B20] =
        BPS * ratio_of(series_sum(&s->corwin, 20), series_sum(&s->pairs, 20));
    s->price_before = price;
    s->high_before = high;
    s->low_before = low;
}

static void impact_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct impact_state *s = state;
    double spread = MISSING;
    if (view->book_ok) {
        int64_t ticks = view->top[BOOK_ASK][0].px.ticks - view->top[BOOK_BID][0].px.ticks;
        spread = BPS * 2.0 * (double)ticks / (double)view->mid2;
    }
    series_push(&s->spread, spread);
    out[I_QUOTED_B20] = series_mean(&s->spread, 20);
    double range = (double)(b->high.ticks - b->low.ticks) * ctx->px_unit;
    out[I_RANGE_PER_SIGNED] =
        b->low.ticks == 0 ? MISSING : ratio_of(range, bucket_signed(b) * ctx->qty_unit);
    impact_touch(s, out);
    impact_realised(s, view->mid, out);
    impact_fits(s, ctx, view, b, out);
    impact_bars(s, ctx, b, out);
    memset(&s->open, 0, sizeof s->open);
}

const struct feature_family feature_family_impact = {
    .name = "impact",
    .defs = defs,
    .count = I_ROWS,
    .kinds = KINDS_TRADE,
    .state_size = impact_state_size,
    .init = impact_init,
    .on_event = impact_on_event,
    .on_bucket = impact_on_bucket,
};
