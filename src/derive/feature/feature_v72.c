/* feature_v72.c: the factors of strategy generation 7.2: T M C V O B F(v2) I, regime, ATR and
 * volatility. The document names them without a range; ours are written here.
 *
 * Scales  T..F lie in [-100, 100]: shares and R^2 are so by nature and times 100; what has no bound
 *         is put in standard deviations and through 100 tanh(z / 2), nearly linear to one deviation
 *         (46) and full at about five, so that a single wild value cannot outweigh the rest. I is
 *         0..100, 100 = nothing in common with the reference instrument; regime is the reference's
 *         own T over the same 168 closes. ATR is in quote, volatility in bps a bucket.
 * Hours   the rows over h168 take the newest price of each clock hour instead of each bucket's: 167
 *         hours and the one of the close, which stands at that close. An hour without a price is
 *         missing. Where buckets are hours they equal the rows over b168.
 * F(v2)   six hours of flow count as far as they open positions: 100 tanh(c / 0.1) x
 *         (1 + tanh(o / 0.02)) / 2, c = signed volume / volume, o = change of open interest as a
 *         ratio: bought with interest rising 2 % counts .88, with interest unchanged half, as
 *         closing of shorts next to nothing. A tenth of one-sided volume is strong over six hours.
 */
#include "derive/feature/feature_perp_internal.h"

enum v72_row {
    X_T,
    X_M,
    X_C,
    X_V,
    X_O,
    X_B,
    X_F,
    X_I,
    X_REGIME,
    X_ATR,
    X_VOLATILITY,
    X_I_H,
    X_REGIME_H,
    X_ROWS
};

enum { LONG_W = 168, Z_W = 60, FLOW_W = 20, ATR_W = 14, HOURS6_MIN = 360, OI_BINS = 384 };
enum { BIN_VOLUME, BIN_SIGNED };
#define MINUTE (60 * NS_PER_S)
#define HOUR (60 * MINUTE)
#define FULL_FLOW 0.1
#define FULL_INTEREST 0.02

#define ROW(NAME, UNIT, W, WARM, NEEDS, BARS, ABOUT, GONE, CLOCK)                                  \
    {                                                                                              \
        .name = NAME, .unit = UNIT, .window = W, .source = "source document S2, factors v7.2",     \
        .about = ABOUT, .missing = GONE, .capability = "FEA14", .warmup = WARM, .needs = NEEDS,    \
        .version = 1, .clock = CLOCK, .bars_ok = BARS, .apart = true                               \
    }
#define BUCKETS(NAME, UNIT, W, WARM, NEEDS, BARS, ABOUT, GONE)                                     \
    ROW(NAME, UNIT, W, WARM, NEEDS, BARS, ABOUT, GONE, CLOCK_BUCKET)
#define GONE_PX "a price in the window is missing; before it is full"
#define GONE_HOUR                                                                                  \
    "without a reference instrument; its price older than a minute now, or all through an hour"
#define HOURS(NAME, NEEDS, ABOUT, GONE)                                                            \
    ROW(NAME, "1", "h168", 169 * 3600, NEEDS, false, ABOUT, GONE, CLOCK_TIME)
#define GONE_REF "without a reference instrument; its price older than a minute in the window"

static const struct feature_def defs[X_ROWS] = {
    [X_T] = BUCKETS("v72_t_b60", "1", "b60", 61, NEED_DEPTH, true,
        "trend: 100 x sign of the slope x R^2 of ln price on time, 60 closes",
        GONE_PX "; all prices equal"),
    [X_M] = BUCKETS("v72_m_b20", "1", "b20", 22, NEED_DEPTH, true,
        "momentum: 100 tanh(m / 2), m = sum of 20 returns / (their standard deviation x sqrt 20)",
        GONE_PX "; all returns equal"),
    [X_C] = BUCKETS("v72_c_b20", "1", "b20", 21, NEED_TRADE | NEED_TAKER, true,
        "capital flow: 100 x signed volume / volume of 20 buckets", "no volume; side not known"),
    [X_V] = BUCKETS("v72_v_b60", "1", "b60", 61, NEED_TRADE, true,
        "volume: 100 tanh(z / 2), z-score of the bucket's volume among 60", "all volumes equal"),
    [X_O] = BUCKETS("v72_o_b60", "1", "b60", 681, NEED_OPEN_INTEREST, false,
        "open interest: 100 tanh(z / 2), z-score of its 20-close change among 60 such changes",
        "no open interest in ten minutes, now or in the window; all equal"),
    [X_B] = BUCKETS("v72_b_b60", "1", "b60", 122, NEED_MARK | NEED_DEPTH, false,
        "basis: 100 tanh(z / 2), z-score of price / index among 60 closes",
        "a price or a mark event of the last minute missing in the window; all equal"),
    [X_F] = ROW("v72_f_s21600", "1", "s21600", 22320, NEED_TRADE | NEED_OPEN_INTEREST, false,
        "fund flow: 100 tanh(c / 0.1) (1 + tanh(o / 0.02)) / 2, c = signed volume / volume, o = "
        "open"
        " interest / its value then - 1, 360 minutes",
        "before six hours; no volume; no open interest in ten minutes, now or six hours ago",
        CLOCK_TIME),
    [X_I] = BUCKETS("v72_i_b168", "1", "b168", 170, NEED_DEPTH | NEED_REFERENCE, false,
        "independence: 100 (1 - R^2) of returns on the reference instrument's, 168 buckets",
        GONE_REF "; returns all equal"),
    [X_REGIME] = BUCKETS("v72_regime_b168", "1", "b168", 170, NEED_REFERENCE, false,
        "market regime: 100 x sign of the slope x R^2 of the reference's ln price, 168 closes",
        GONE_REF "; prices all equal"),
    [X_ATR] = BUCKETS("v72_atr_b14", "quote", "b14", 16, NEED_DEPTH, true,
        "mean of 14 true ranges; high and low are the trades', widened to hold the closes",
        GONE_PX),
    [X_VOLATILITY] = BUCKETS("v72_volatility_b60", "bps", "b60", 62, NEED_DEPTH, true,
        "sqrt(mean squared return) over 60 buckets", GONE_PX),
    [X_I_H] = HOURS("v72_i_h168", NEED_DEPTH | NEED_REFERENCE,
        "independence: 100 (1 - R^2) of hourly returns on the reference instrument's, 168 hours",
        GONE_HOUR "; returns all equal"),
    [X_REGIME_H] = HOURS("v72_regime_h168", NEED_REFERENCE,
        "market regime: 100 x sign of the slope x R^2 of the reference's ln price, 168 hours",
        GONE_HOUR "; prices all equal"),
};

/* ln price of this and of the reference instrument, the newest at n - 1. */
struct pair {
    uint64_t n;
    double own[LONG_W], other[LONG_W];
};

struct v72_state {
    int64_t mark_ns, index, interest_ns, interest;
    double px_before;
    int64_t hour; /* number of the newest in `hours` */
    struct pair closes, hours;
    struct series px, ret, signed_volume, volume, interests, changes, basis, ranges;
    struct bins minutes;
    int64_t interest_bin[OI_BINS], interest_of[OI_BINS]; /* minute + 1, the last value in it */
};

static size_t v72_state_size(void) { return sizeof(struct v72_state); }

static void v72_init(void *state, const struct feature_ctx *ctx) {
    struct v72_state *s = state;
    (void)ctx;
    s->px_before = MISSING;
}

static void v72_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct v72_state *s = state;
    int64_t now = ev->ts_local.ns;
    (void)ctx;
    (void)change;
    if (ev->kind == EV_MARK) {
        s->mark_ns = now;
        s->index = ev->aux.b;
    } else if (ev->kind == EV_OPEN_INTEREST) {
        size_t at = (size_t)(now / MINUTE) % OI_BINS;
        s->interest_ns = now;
        s->interest = s->interest_of[at] = ev->aux.a;
        s->interest_bin[at] = now / MINUTE + 1;
    } else if (is_market_trade(ev)) {
        bins_roll(&s->minutes, now, MINUTE);
        bins_add(&s->minutes, BIN_VOLUME, ev->qty.lots);
        bins_add(&s->minutes, BIN_SIGNED, ev->flags & EVF_BUY ? ev->qty.lots : -ev->qty.lots);
    }
}

static double squash(double z) { return isnan(z) ? MISSING : 100.0 * dm_tanh(z / 2.0); }

static double last_z(const struct series *s) {
    double x[SERIES_MAX];
    return series_window(s, Z_W, x) ? zscore_of(x[Z_W - 1], x, Z_W) : MISSING;
}

static double trend_of(const double *y, size_t n) {
    double t[LONG_W];
    for (size_t i = 0; i < n; i++) t[i] = (double)i;
    struct line_fit fit = line_fit(t, y, n);
    return fit.slope < 0.0 ? -100.0 * fit.r2 : 100.0 * fit.r2;
}

static double log_of(double px) { return px > 0.0 ? BPS * dm_log(px) : MISSING; }

/* The last open interest of that minute or of the ten before it. */
static double interest_in(const struct v72_state *s, int64_t minute) {
    for (int64_t m = minute; m >= 0 && m >= minute - 10; m--)
        if (s->interest_bin[(size_t)m % OI_BINS] == m + 1)
            return (double)s->interest_of[(size_t)m % OI_BINS];
    return MISSING;
}

static double fund_flow(struct v72_state *s, const struct bucket *b, double oi) {
    bins_roll(&s->minutes, bucket_last_ns(b), MINUTE);
    double volume = bins_sum(&s->minutes, BIN_VOLUME, HOURS6_MIN);
    double c = ratio_of(bins_sum(&s->minutes, BIN_SIGNED, HOURS6_MIN), volume);
    double o = ratio_of(oi, interest_in(s, bucket_last_ns(b) / MINUTE - HOURS6_MIN)) - 1.0;
    if (isnan(c) || isnan(o)) return MISSING;
    return 100.0 * dm_tanh(c / FULL_FLOW) * 0.5 * (1.0 + dm_tanh(o / FULL_INTEREST));
}

static void v72_prices(struct v72_state *s, double *out) {
    double x[SERIES_MAX];
    if (series_window(&s->px, Z_W, x)) out[X_T] = trend_of(x, Z_W);
    if (series_window(&s->ret, FLOW_W, x)) {
        struct moments m = moments_of(x, FLOW_W);
        double sum = (double)FLOW_W * m.mean;
        out[X_M] = moments_flat(&m) ? MISSING : squash(ratio_of(sum, sqrt(FLOW_W * m.m2)));
    }
    if (series_window(&s->ret, Z_W, x)) {
        double sum = 0.0;
        for (size_t i = 0; i < Z_W; i++) sum += x[i] * x[i];
        out[X_VOLATILITY] = sqrt(sum / Z_W);
    }
    out[X_ATR] = series_mean(&s->ranges, ATR_W);
}

static void pair_push(struct pair *p, double own, double other) {
    p->own[p->n % LONG_W] = own;
    p->other[p->n % LONG_W] = other;
    p->n++;
}

/* Against the reference, oldest first; a missing price makes what uses it missing. */
static void pair_rows(const struct pair *p, double *independence, double *regime) {
    double x[LONG_W], y[LONG_W], rx[LONG_W], ry[LONG_W];
    if (p->n < LONG_W) return;
    for (size_t i = 0; i < LONG_W; i++) {
        x[i] = p->other[(p->n + i) % LONG_W];
        y[i] = p->own[(p->n + i) % LONG_W];
    }
    for (size_t i = 1; i < LONG_W; i++) {
        rx[i - 1] = x[i] - x[i - 1];
        ry[i - 1] = y[i] - y[i - 1];
    }
    *independence = 100.0 * (1.0 - line_fit(rx, ry, LONG_W - 1).r2);
    *regime = trend_of(x, LONG_W);
}

/* A price missing at a close keeps the one before it in the hour, but no row stands on it now. */
static void v72_hours(struct v72_state *s, int64_t hour, double own, double other, double *out) {
    struct pair *p = &s->hours;
    if (p->n == 0) s->hour = hour - 1;
    if (hour - s->hour > LONG_W) s->hour = hour - LONG_W;
    for (; s->hour < hour; s->hour++) pair_push(p, MISSING, MISSING);
    size_t at = (p->n - 1) % LONG_W;
    if (!isnan(own)) p->own[at] = own;
    if (!isnan(other)) p->other[at] = other;
    if (isnan(other)) return;
    pair_rows(p, &out[X_I_H], &out[X_REGIME_H]);
    if (isnan(own)) out[X_I_H] = MISSING;
}

static void v72_push(struct v72_state *s, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b) {
    double px = view->px, high = px, low = px;
    if (b->low.ticks > 0) {
        double h = (double)b->high.ticks * ctx->px_unit, l = (double)b->low.ticks * ctx->px_unit;
        high = h > px ? h : px;
        low = l < px ? l : px;
    }
    if (s->px_before > high) high = s->px_before;
    if (s->px_before < low) low = s->px_before;
    series_push(&s->ranges, isnan(s->px_before) || isnan(px) ? MISSING : high - low);
    s->px_before = px;
    series_push(&s->px, log_of(px));
    series_push(&s->ret, view->ret);
    series_push(&s->signed_volume, bucket_signed(b));
    series_push(&s->volume, (double)b->volume.lots);
}

static void v72_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct v72_state *s = state;
    int64_t now = b->close_ts.ns;
    for (size_t i = 0; i < X_ROWS; i++) out[i] = MISSING;
    double oi = young(s->interest_ns, now, INTEREST_AGE_MAX) ? (double)s->interest : MISSING;
    double index = young(s->mark_ns, now, MARK_AGE_MAX) ? aux_px(s->index) : MISSING;
    v72_push(s, ctx, view, b);
    v72_prices(s, out);
    series_push(&s->basis, bps_of(view->px, index));
    series_push(&s->changes, bps_of(oi, series_lag(&s->interests, FLOW_W - 1)));
    series_push(&s->interests, oi);
    out[X_C] =
        100.0 * ratio_of(series_sum(&s->signed_volume, FLOW_W), series_sum(&s->volume, FLOW_W));
    out[X_V] = squash(last_z(&s->volume));
    out[X_O] = squash(last_z(&s->changes));
    out[X_B] = squash(last_z(&s->basis));
    out[X_F] = fund_flow(s, b, oi);
    double own = log_of(view->px), other = log_of(view->reference);
    pair_push(&s->closes, own, other);
    pair_rows(&s->closes, &out[X_I], &out[X_REGIME]);
    v72_hours(s, bucket_last_ns(b) / HOUR, own, other, out);
}

const struct feature_family feature_family_v72 = {
    .name = "v72",
    .defs = defs,
    .count = X_ROWS,
    .kinds = KINDS_TRADE | 1u << EV_MARK | 1u << EV_OPEN_INTEREST,
    .state_size = v72_state_size,
    .init = v72_init,
    .on_event = v72_on_event,
    .on_bucket = v72_on_bucket,
};
