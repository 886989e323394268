/* feature_option.c: what the options on the underlying say: put/call ratios, smile, term structure,
 * implied against realised volatility, greeks at the money, and the venue's volatility index. More
 * rows of the family `perp`.
 *
 * The chain is read at the first close after it changed, as of its newest quote (chain_book.h), and
 * counts for two hours. Realised volatility is that of the reference price over 60 buckets.
 */
#include "base/external.h"
#include "derive/feature/asof.h"
#include "derive/feature/chain_book.h"
#include "derive/feature/feature_internal.h"

enum option_row {
    O_PUT_CALL_VOLUME,
    O_PUT_CALL_INTEREST,
    O_ATM,
    O_SKEW,
    O_FLY,
    O_TERM,
    O_BASIS,
    O_DELTA,
    O_GAMMA,
    O_VEGA,
    O_THETA,
    O_PREMIUM,
    O_RATIO,
    O_PREMIUM_Z,
    O_INDEX,
    O_INDEX_CHANGE,
    O_INDEX_Z,
    O_ROWS
};

enum { RV_W = 60, INDEX_W = 30 };
#define INDEX_AGE_MAX (3 * 86400 * NS_PER_S)
#define YEAR_S (365.0 * 86400.0)

#define GONE "no whole chain in the last two hours"
#define BLACK "Black 1976"
#define ROW(N, U, W, WARM, SRC, ABOUT, MISS)                                                       \
    FEATURE_ROW_APART(N, U, W, WARM, NEED_OPTION, "FEA11", SRC, ABOUT, MISS, CLOCK_EVENT)
#define INDEX_ROW(N, U, W, WARM, SRC, ABOUT, MISS)                                                 \
    FEATURE_ROW_APART(N, U, W, WARM, NEED_SERIES, "FEA11", SRC, ABOUT, MISS, CLOCK_EVENT)

static const struct feature_def defs[O_ROWS] = {
    [O_PUT_CALL_VOLUME] = ROW("perp_option_put_call_volume", "1", "last", 1, "source document S1",
        "traded puts / traded calls of 24 h, all live options", GONE "; an option without it"),
    [O_PUT_CALL_INTEREST] =
        ROW("perp_option_put_call_interest", "1", "last", 1, "source document S1",
            "open interest of puts / of calls, all live options", GONE "; an option without it"),
    [O_ATM] = ROW("perp_option_atm_vol_d30", "1", "last", 1, "definition",
        "mark volatility a year at the forward, between the strikes around it, of the expiry"
        " nearest to 30 days",
        GONE "; no strike on one side"),
    [O_SKEW] = ROW("perp_option_skew_25d_d30", "1", "last", 1,
        "definition: 25-delta risk reversal,"
        " puts minus calls",
        "volatility of the put of delta -0.25 minus that of the call of delta 0.25, linear in delta"
        " between strikes, expiry nearest to 30 days",
        GONE "; no options on both sides of that delta"),
    [O_FLY] = ROW("perp_option_fly_25d_d30", "1", "last", 1, "definition: 25-delta butterfly",
        "mean of the two volatilities of the skew minus that at the money",
        GONE "; one of the three missing"),
    [O_TERM] = ROW("perp_option_term_slope", "1", "last", 1, "definition",
        "volatility at the money of the expiry nearest to 90 days minus that of the nearest to 7",
        GONE "; they are the same expiry; one missing"),
    [O_BASIS] = ROW("perp_option_basis_d30", "bps", "last", 1, "put-call parity",
        "1e4 (forward of the expiry nearest to 30 days / index - 1); forward of the venue, else by"
        " parity at the strike nearest to the index",
        GONE "; no forward; no index"),
    [O_DELTA] = ROW("perp_option_straddle_delta_d30", "1", "last", 1, BLACK,
        "delta of call plus put at the strike nearest to the forward", GONE "; no forward"),
    [O_GAMMA] = ROW("perp_option_straddle_gamma_d30", "1", "last", 1, BLACK,
        "change of that delta for a forward 1 % higher", GONE "; no forward"),
    [O_VEGA] = ROW("perp_option_straddle_vega_d30", "bps", "last", 1, BLACK,
        "change of its price for one point of volatility, of the forward", GONE "; no forward"),
    [O_THETA] = ROW("perp_option_straddle_theta_d30", "bps", "last", 1, BLACK,
        "change of its price in a day, of the forward", GONE "; no forward"),
    [O_PREMIUM] = ROW("perp_option_vol_premium_b60", "1", "last, b60", 1, "source document S1",
        "volatility at the money minus realised volatility a year of 60 buckets",
        GONE "; a return missing"),
    [O_RATIO] = ROW("perp_option_vol_ratio_b60", "1", "last, b60", 1, "source document S1",
        "volatility at the money / realised volatility a year of 60 buckets",
        GONE "; a return missing; no move"),
    [O_PREMIUM_Z] = ROW("perp_option_vol_premium_z_b60", "1", "last, b60", 1, "definition: z-score",
        "(volatility premium - mean) / standard deviation of 60 closes",
        "one of them missing; all equal"),
    [O_INDEX] = INDEX_ROW("perp_dvol", "percent", "e1", 1, "the venue's volatility index",
        "series `dvol`: newest published point", "before a value is published; older than 3 days"),
    [O_INDEX_CHANGE] = INDEX_ROW("perp_dvol_change_e2", "percent", "e2", 2, "definition",
        "newest point minus the one before", "before two points; older than 3 days"),
    [O_INDEX_Z] = INDEX_ROW("perp_dvol_z_e30", "1", "e30", INDEX_W, "definition: z-score",
        "(newest - mean) / standard deviation of the last 30 points",
        "before 30 points; older than 3 days; all equal"),
};

struct option_state {
    int64_t index_key;
    struct asof index;
    struct series squares, seconds, premium;
    bool changed;
    uint8_t pad[7];
    struct chain_reading reading;
    struct chain_book chain;
};

static size_t option_state_size(void) { return sizeof(struct option_state); }

static void option_init(void *state, const struct feature_ctx *ctx) {
    struct option_state *s = state;
    (void)ctx;
    s->index_key = external_key("dvol");
}

static void option_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct option_state *s = state;
    (void)ctx;
    (void)change;
    if (ev->kind == EV_OPTION) {
        chain_take(&s->chain, ev);
        s->changed = true;
    } else if (ev->id == s->index_key) {
        int64_t newest = ev->aux.b > ev->ts_venue.ns ? ev->aux.b : ev->ts_venue.ns;
        asof_take(&s->index, ev->ts_venue.ns, ev->ts_local.ns, external_value(ev), newest);
    }
}

/* Realised volatility a year of the last 60 buckets; NaN while a return is missing. */
static double realised(const struct option_state *s) {
    double variance = ratio_of(series_sum(&s->squares, RV_W), series_sum(&s->seconds, RV_W));
    return sqrt(variance * YEAR_S);
}

static void index_on_bucket(const struct asof *a, int64_t now, double *out) {
    const struct asof_point *p = asof_latest(a);
    double x[INDEX_W];
    out[O_INDEX] = out[O_INDEX_CHANGE] = out[O_INDEX_Z] = MISSING;
    if (!p || now - p->publish_ns > INDEX_AGE_MAX) return;
    out[O_INDEX] = p->value;
    if (asof_window(a, 2, x)) out[O_INDEX_CHANGE] = x[1] - x[0];
    if (asof_window(a, INDEX_W, x)) out[O_INDEX_Z] = zscore_of(x[INDEX_W - 1], x, INDEX_W);
}

static void option_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct option_state *s = state;
    double r = view->ret / BPS, x[SERIES_MAX];
    (void)ctx;
    series_push(&s->squares, r * r);
    series_push(&s->seconds, (double)(b->close_ts.ns - b->open_ts.ns) / 1e9);
    if (s->changed) chain_read(&s->chain, &s->reading);
    s->changed = false;
    bool fresh = s->chain.newest_ns > 0 && b->close_ts.ns - s->chain.newest_ns <= CHAIN_AGE_MAX;
    const struct chain_reading *c = &s->reading;
    const double v[O_PREMIUM] = {c->put_call_volume, c->put_call_interest, c->atm, c->skew, c->fly,
        c->term, BPS * c->basis, c->delta, c->gamma, c->vega, c->theta};
    for (size_t i = 0; i < O_PREMIUM; i++) out[i] = fresh ? v[i] : MISSING;
    out[O_PREMIUM] = out[O_ATM] - realised(s);
    out[O_RATIO] = ratio_of(out[O_ATM], realised(s));
    series_push(&s->premium, out[O_PREMIUM]);
    out[O_PREMIUM_Z] =
        series_window(&s->premium, RV_W, x) ? zscore_of(x[RV_W - 1], x, RV_W) : MISSING;
    index_on_bucket(&s->index, b->close_ts.ns, out);
}

const struct feature_family feature_family_option = {
    .name = "perp",
    .defs = defs,
    .count = O_ROWS,
    .kinds = 1u << EV_OPTION | 1u << EV_EXTERNAL,
    .state_size = option_state_size,
    .init = option_init,
    .on_event = option_on_event,
    .on_bucket = option_on_bucket,
};
