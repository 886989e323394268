/* feature_perp_crowd.c: how crowded a perpetual is: funding and premium against their own past,
 * open interest, long/short ratios, squeeze, macro state. More rows of the family `perp`.
 */
#include "derive/feature/feature_perp_internal.h"

enum crowd_row {
    C_FUNDING_Z,
    C_SHOCK_FLOW,
    C_PREMIUM_Z,
    C_INTEREST_Z,
    C_INTEREST_CHANGE_Z,
    C_INTEREST_PRICE,
    C_RATIO, /* accounts, top accounts, top positions, taker */
    C_DIVERGENCE = C_RATIO + 4,
    C_RATIO_CHANGE,
    C_SQUEEZE,
    C_MACRO,
    C_ROWS
};

enum { MACRO_W = 500, MACRO_RANK = 350, CHANGE_W = 20, Z_W = 60, RATIOS = 4 };
#define MACRO_FUNDING_BPS 1.0 /* 1e-4 */

#define VENUE "the venue's long/short ratios"
#define GONE_OI "no open interest in the last ten minutes, now or in the window"
#define GONE_RATIO "no such ratio in the last 15 minutes"
#define RATIO(NAME, ABOUT)                                                                         \
    PERP_ROW_CLOCK(NAME, "1", "s900", 901, NEED_RATIO, VENUE, ABOUT, GONE_RATIO, CLOCK_TIME)

static const struct feature_def defs[C_ROWS] = {
    [C_FUNDING_Z] = PERP_ROW("perp_funding_z_b60", "1", "b60", 122, NEED_MARK,
        "definition: z-score", "(predicted funding - mean) / standard deviation of 60 closes",
        "one of them missing; all equal"),
    [C_SHOCK_FLOW] = PERP_ROW("perp_funding_shock_x_imbalance_b20", "bps", "b20", 82,
        NEED_MARK | NEED_TRADE | NEED_TAKER, "source document S3 (funding shock x imbalance)",
        "change of predicted funding over 20 closes x signed volume / volume of 20 buckets",
        "a rate missing; no volume"),
    [C_PREMIUM_Z] = PERP_ROW("perp_premium_z_b60", "1", "b60", 122, NEED_MARK,
        "definition: z-score", "(mark / index - mean) / standard deviation of 60 closes",
        "one of them missing; all equal"),
    [C_INTEREST_Z] = PERP_ROW("perp_open_interest_z_b60", "1", "b60", 661, NEED_OPEN_INTEREST,
        "definition: z-score", "(open interest - mean) / standard deviation of 60 closes",
        GONE_OI "; all equal"),
    [C_INTEREST_CHANGE_Z] = PERP_ROW("perp_open_interest_change_z_b60", "1", "b60", 681,
        NEED_OPEN_INTEREST, "source document S3 (squeeze)",
        "z-score of the 20-close change of open interest among 60 such changes",
        GONE_OI "; all equal"),
    [C_INTEREST_PRICE] = PERP_ROW("perp_open_interest_x_price_b20", "bps", "b20", 621,
        NEED_OPEN_INTEREST | NEED_DEPTH, "open interest and price quadrants",
        "20-close change of open interest x sign of the price change", GONE_OI "; a price missing"),
    [C_RATIO] = RATIO("perp_ratio_accounts", "long over short accounts, all traders"),
    [C_RATIO + 1] = RATIO("perp_ratio_top_accounts", "long over short accounts, top traders"),
    [C_RATIO + 2] = RATIO("perp_ratio_top_positions", "long over short positions, top traders"),
    [C_RATIO + 3] = RATIO("perp_ratio_taker", "taker buy over taker sell volume"),
    [C_DIVERGENCE] = PERP_ROW_CLOCK("perp_ratio_divergence", "1", "s900", 901, NEED_RATIO,
        "source document S3 (top traders against all)",
        "ln(ratio of top positions / ratio of all accounts)", GONE_RATIO, CLOCK_TIME),
    [C_RATIO_CHANGE] =
        PERP_ROW("perp_ratio_accounts_change_b60", "1", "b60", 961, NEED_RATIO, "definition",
            "ln(ratio of all accounts / its value 60 closes before)", GONE_RATIO ", now or then"),
    [C_SQUEEZE] = PERP_ROW("perp_squeeze_b60", "1", "b60", 681, NEED_OPEN_INTEREST | NEED_DEPTH,
        "source document S3 (open interest x book squeeze), with the sign kept",
        "sign of a x |a b c|: z-scores over 60 closes of a imbalance of 5 levels, b 20-close change"
        " of open interest, c 1 / spread",
        GONE_OI "; no synchronised book in the window; one of a, b, c without change"),
    [C_MACRO] = PERP_ROW("perp_macro_state_b500", "class", "b500", 1101,
        NEED_MARK | NEED_OPEN_INTEREST, "source document S3 (macro gate)",
        "2 if predicted funding > 1 bps, -2 if < -1 bps, both only where open interest is above"
        " more than 70 % of its last 500 closes; else 0",
        GONE_OI "; no rate"),
};

struct crowd_state {
    int64_t mark_ns, mark, index, rate, interest_ns, interest;
    int64_t ratio_ns[RATIOS], ratio[RATIOS];
    struct series rates, premiums, interests, changes, px, signed_volume, volume;
    struct series accounts, imbalance, tightness;
    uint64_t closes;
    double interest_of[MACRO_W];
};

static size_t crowd_state_size(void) { return sizeof(struct crowd_state); }

static void crowd_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct crowd_state *s = state;
    (void)ctx;
    (void)change;
    if (ev->kind == EV_MARK) {
        s->mark_ns = ev->ts_local.ns;
        s->mark = ev->aux.a;
        s->index = ev->aux.b;
        s->rate = event_words(ev)[MARK_RATE_E16];
    } else if (ev->kind == EV_OPEN_INTEREST) {
        s->interest_ns = ev->ts_local.ns;
        s->interest = ev->aux.a;
    } else if (ev->id >= RATIO_ACCOUNTS && ev->id <= RATIO_TAKER) {
        s->ratio_ns[ev->id - RATIO_ACCOUNTS] = ev->ts_local.ns;
        s->ratio[ev->id - RATIO_ACCOUNTS] = ev->aux.a;
    }
}

static double last_z(const struct series *s) {
    double x[SERIES_MAX];
    return series_window(s, Z_W, x) ? zscore_of(x[Z_W - 1], x, Z_W) : MISSING;
}

static double log_ratio(double a, double b) {
    double r = ratio_of(a, b);
    return r > 0.0 ? dm_log(r) : MISSING;
}

static void crowd_book(struct crowd_state *s, const struct feature_view *view) {
    double sum[2] = {0.0, 0.0}, spread = MISSING;
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < view->levels[side] && i < 5; i++)
            sum[side] += (double)view->top[side][i].qty.lots;
    if (view->book_ok)
        spread = (double)(view->top[BOOK_ASK][0].px.ticks - view->top[BOOK_BID][0].px.ticks);
    series_push(&s->imbalance, ratio_of(sum[BOOK_BID] - sum[BOOK_ASK], sum[0] + sum[1]));
    series_push(&s->tightness, ratio_of(1.0, spread));
}

/* The last 500 closes, the newest among them. */
static double crowd_macro(struct crowd_state *s, double rate, double oi) {
    size_t below = 0, known = 0;
    s->interest_of[s->closes++ % MACRO_W] = oi;
    if (s->closes < MACRO_W || isnan(rate)) return MISSING;
    for (size_t i = 0; i < MACRO_W; i++) {
        below += s->interest_of[i] < oi;
        known += isnan(s->interest_of[i]) ? 0u : 1u;
    }
    if (known < MACRO_W) return MISSING;
    if (below <= MACRO_RANK) return 0.0;
    return rate > MACRO_FUNDING_BPS ? 2.0 : rate < -MACRO_FUNDING_BPS ? -2.0 : 0.0;
}

static void crowd_ratios(struct crowd_state *s, int64_t now, double *out) {
    for (size_t i = 0; i < RATIOS; i++)
        out[C_RATIO + i] =
            young(s->ratio_ns[i], now, RATIO_AGE_MAX) ? aux_px(s->ratio[i]) : MISSING;
    series_push(&s->accounts, out[C_RATIO]);
    out[C_DIVERGENCE] = log_ratio(out[C_RATIO + 2], out[C_RATIO]);
    out[C_RATIO_CHANGE] = log_ratio(out[C_RATIO], series_lag(&s->accounts, 60));
}

static void crowd_interest(
    struct crowd_state *s, const struct feature_view *view, double oi, double *out) {
    double change = bps_of(oi, series_lag(&s->interests, CHANGE_W));
    double moved = view->px - series_lag(&s->px, CHANGE_W);
    series_push(&s->changes, change);
    out[C_INTEREST_Z] = last_z(&s->interests);
    out[C_INTEREST_CHANGE_Z] = last_z(&s->changes);
    out[C_INTEREST_PRICE] =
        isnan(moved) ? MISSING : change * (double)((moved > 0.0) - (moved < 0.0));
    double a = last_z(&s->imbalance), b = out[C_INTEREST_CHANGE_Z], c = last_z(&s->tightness);
    out[C_SQUEEZE] = a * fabs(b * c);
}

static void crowd_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct crowd_state *s = state;
    int64_t now = b->close_ts.ns;
    (void)ctx;
    bool marked = young(s->mark_ns, now, MARK_AGE_MAX);
    double rate = marked ? rate_bps(s->rate) : MISSING;
    double oi = young(s->interest_ns, now, INTEREST_AGE_MAX) ? (double)s->interest : MISSING;
    series_push(&s->rates, rate);
    series_push(&s->premiums, marked ? bps_of(aux_px(s->mark), aux_px(s->index)) : MISSING);
    series_push(&s->interests, oi);
    series_push(&s->px, view->px);
    series_push(&s->signed_volume, bucket_signed(b));
    series_push(&s->volume, (double)b->volume.lots);
    crowd_book(s, view);
    out[C_FUNDING_Z] = last_z(&s->rates);
    out[C_PREMIUM_Z] = last_z(&s->premiums);
    out[C_SHOCK_FLOW] =
        (rate - series_lag(&s->rates, CHANGE_W)) *
        ratio_of(series_sum(&s->signed_volume, CHANGE_W), series_sum(&s->volume, CHANGE_W));
    crowd_interest(s, view, oi, out);
    crowd_ratios(s, now, out);
    out[C_MACRO] = crowd_macro(s, rate, oi);
}

const struct feature_family feature_family_perp_crowd = {
    .name = "perp",
    .defs = defs,
    .count = C_ROWS,
    .kinds = 1u << EV_MARK | 1u << EV_OPEN_INTEREST | 1u << EV_RATIO,
    .state_size = crowd_state_size,
    .on_event = crowd_on_event,
    .on_bucket = crowd_on_bucket,
};
