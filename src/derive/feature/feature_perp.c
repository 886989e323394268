/* feature_perp.c: perpetual futures: funding, mark and index against the reference price, open
 * interest. Values of the mark stream count while they are younger than a minute, settled funding
 * for a day, open interest for ten minutes.
 */
#include "derive/feature/feature_perp_internal.h"

enum perp_row {
    P_FUNDING,
    P_FUNDING_CHANGE_B60,
    P_SETTLED,
    P_TO_FUNDING,
    P_MARK_BASIS,
    P_PREMIUM,
    P_INDEX_BASIS,
    P_INDEX_BASIS_Z_B60,
    P_FUNDING_FLOW,
    P_OI_CHANGE_B20,
    P_OI_CHANGE_B60,
    P_ROWS
};

#define FUNDING_AGE_MAX (86400 * NS_PER_S)

#define ROW(NAME, UNIT, W, WARM, NEEDS, SOURCE, ABOUT, GONE)                                       \
    FEATURE_ROW(NAME, UNIT, W, WARM, NEEDS, false, "FEA11", SOURCE, ABOUT, GONE)
#define VENUE "the venue's mark price stream"
#define GONE_MARK "no mark event in the last minute"

static const struct feature_def defs[P_ROWS] = {
    [P_FUNDING] =
        FEATURE_ROW_CLOCK("perp_funding_predicted", "bps", "s60", 61, NEED_MARK, false, "FEA11",
            VENUE, "1e4 x the rate of the next funding", GONE_MARK "; no rate in it", CLOCK_TIME),
    [P_FUNDING_CHANGE_B60] = ROW("perp_funding_change_b60", "bps", "b60", 122, NEED_MARK, VENUE,
        "predicted funding minus its value 60 closes before", "one of them missing"),
    [P_SETTLED] = FEATURE_ROW_CLOCK("perp_funding_settled", "bps", "s86400", 86401, NEED_FUNDING,
        false, "FEA11", "the venue's funding history", "1e4 x the last settled rate",
        "no settlement in the last day", CLOCK_TIME),
    [P_TO_FUNDING] = FEATURE_ROW_CLOCK("perp_to_funding_s", "s", "s60", 61, NEED_MARK, false,
        "FEA11", VENUE, "seconds until the next funding", GONE_MARK, CLOCK_TIME),
    [P_MARK_BASIS] =
        FEATURE_ROW_CLOCK("perp_mark_basis", "bps", "s60", 61, NEED_MARK | NEED_DEPTH, false,
            "FEA11", VENUE, "1e4 (reference price / mark - 1)", GONE_MARK "; no price", CLOCK_TIME),
    [P_PREMIUM] = FEATURE_ROW_CLOCK("perp_premium", "bps", "s60", 61, NEED_MARK, false, "FEA11",
        VENUE, "1e4 (mark / index - 1)", GONE_MARK "; no index", CLOCK_TIME),
    [P_INDEX_BASIS] = FEATURE_ROW_CLOCK("perp_index_basis", "bps", "s60", 61,
        NEED_MARK | NEED_DEPTH, false, "FEA11", VENUE, "1e4 (reference price / index - 1)",
        GONE_MARK "; no index; no price", CLOCK_TIME),
    [P_INDEX_BASIS_Z_B60] = ROW("perp_index_basis_z_b60", "1", "b60", 122, NEED_MARK | NEED_DEPTH,
        "definition: z-score", "(index basis - mean) / standard deviation of 60 closes",
        "one of them missing; all equal"),
    [P_FUNDING_FLOW] = ROW("perp_funding_x_imbalance_b20", "bps", "b20", 82,
        NEED_MARK | NEED_TRADE | NEED_TAKER, "source document S3 (funding shock x imbalance)",
        "predicted funding x signed volume / volume of 20 buckets", GONE_MARK "; no volume"),
    [P_OI_CHANGE_B20] = ROW("perp_open_interest_change_b20", "bps", "b20", 621, NEED_OPEN_INTEREST,
        "definition", "1e4 (open interest / its value 20 closes before - 1)",
        "no open interest in the last ten minutes, then or now"),
    [P_OI_CHANGE_B60] = ROW("perp_open_interest_change_b60", "bps", "b60", 661, NEED_OPEN_INTEREST,
        "definition", "1e4 (open interest / its value 60 closes before - 1)",
        "no open interest in the last ten minutes, then or now"),
};

struct perp_state {
    int64_t mark_ns, mark, index, rate, next_ns; /* of the last mark event; ns 0 = none */
    int64_t funding_ns, settled;
    int64_t interest_ns, interest;
    struct series rates, basis, signed_volume, volume, interests;
};

static size_t perp_state_size(void) { return sizeof(struct perp_state); }

static void perp_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct perp_state *s = state;
    (void)ctx;
    (void)change;
    if (ev->kind == EV_MARK) {
        const int64_t *w = event_words(ev);
        s->mark_ns = ev->ts_local.ns;
        s->mark = ev->aux.a;
        s->index = ev->aux.b;
        s->rate = w[MARK_RATE_E16];
        s->next_ns = w[MARK_NEXT_FUNDING_NS];
    } else if (ev->kind == EV_FUNDING) {
        s->funding_ns = ev->ts_local.ns;
        s->settled = ev->aux.a;
    } else {
        CHECK(ev->kind == EV_OPEN_INTEREST);
        s->interest_ns = ev->ts_local.ns;
        s->interest = ev->aux.a;
    }
}

static void perp_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct perp_state *s = state;
    int64_t now = b->close_ts.ns;
    double x[SERIES_MAX];
    (void)ctx;
    bool marked = young(s->mark_ns, now, MARK_AGE_MAX);
    double mark = marked ? aux_px(s->mark) : MISSING, index = marked ? aux_px(s->index) : MISSING;
    double rate = marked ? rate_bps(s->rate) : MISSING;
    double oi = young(s->interest_ns, now, INTEREST_AGE_MAX) ? (double)s->interest : MISSING;
    series_push(&s->signed_volume, bucket_signed(b));
    series_push(&s->volume, (double)b->volume.lots);
    series_push(&s->rates, rate);
    series_push(&s->interests, oi);
    out[P_FUNDING] = rate;
    out[P_FUNDING_CHANGE_B60] = rate - series_lag(&s->rates, 60);
    out[P_SETTLED] = young(s->funding_ns, now, FUNDING_AGE_MAX) ? rate_bps(s->settled) : MISSING;
    out[P_TO_FUNDING] = marked && s->next_ns > 0 ? (double)(s->next_ns - now) / 1e9 : MISSING;
    out[P_MARK_BASIS] = bps_of(view->px, mark);
    out[P_PREMIUM] = bps_of(mark, index);
    out[P_INDEX_BASIS] = bps_of(view->px, index);
    series_push(&s->basis, out[P_INDEX_BASIS]);
    out[P_INDEX_BASIS_Z_B60] = series_window(&s->basis, 60, x) ? zscore_of(x[59], x, 60) : MISSING;
    out[P_FUNDING_FLOW] =
        rate * ratio_of(series_sum(&s->signed_volume, 20), series_sum(&s->volume, 20));
    out[P_OI_CHANGE_B20] = bps_of(oi, series_lag(&s->interests, 20));
    out[P_OI_CHANGE_B60] = bps_of(oi, series_lag(&s->interests, 60));
}

const struct feature_family feature_family_perp = {
    .name = "perp",
    .defs = defs,
    .count = P_ROWS,
    .kinds = 1u << EV_MARK | 1u << EV_FUNDING | 1u << EV_OPEN_INTEREST,
    .state_size = perp_state_size,
    .on_event = perp_on_event,
    .on_bucket = perp_on_bucket,
};
