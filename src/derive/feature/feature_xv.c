/* feature_xv.c: the instrument beside other venues: differences and basis, who leads, who has the
 * best price, and the flow of all venues together.
 *
 * Signs  a difference is own minus peer; a positive lag says that the peer moved first; shares in
 *        price discovery and of best prices are the instrument's own.
 */
#include "derive/feature/feature_xv_internal.h"

enum xv_pair_row {
    P_MID_DIFF,
    P_BASIS,
    P_BASIS_Z,
    P_SPREAD_DIFF,
    P_SELL_EDGE,
    P_BUY_EDGE,
    P_CORR,
    P_CORR_PEER_100,
    P_CORR_PEER_500,
    P_CORR_OWN_100,
    P_CORR_OWN_500,
    P_PEAK_LAG,
    P_LEAD_SHARE,
    P_INFO_LOW,
    P_INFO_HIGH,
    P_COMPONENT,
    P_GRANGER_IN,
    P_GRANGER_OUT,
    P_GRANGER_DIRECTION,
    P_CONSISTENCY,
    P_ROWS
};
enum xv_row {
    X_PEERS_ON = XV_PAIRS * P_ROWS,
    X_GATED,
    X_ESTIMATE_AGE,
    X_BEST_BID_B1,
    X_BEST_BID_B20,
    X_BEST_ASK_B1,
    X_BEST_ASK_B20,
    X_BID_GAP,
    X_ASK_GAP,
    X_JOINT_SPREAD,
    X_DISPERSION,
    X_RETURN_GAP_B1,
    X_RETURN_GAP_B5,
    X_VOLUME_SHARE_B1,
    X_VOLUME_SHARE_B20,
    X_FLOW_B1,
    X_FLOW_B20,
    X_FLOW_DIFF_B20,
    X_OFI_B1,
    X_OFI_B20,
    X_OFI_PEERS_B1,
    X_ROWS
};

enum { GATE_S = 12, FAST_S = 64, SLOW_S = 135, Z_W = 60 };

#define QUOTES (NEED_DEPTH | NEED_PEER)
#define ROW(NAME, UNIT, W, WARM, SOURCE, ABOUT, GONE, CLOCK)                                       \
    FEATURE_ROW_APART(NAME, UNIT, W, WARM, QUOTES, "FEA10", SOURCE, ABOUT, GONE, CLOCK)
#define TRADES_ROW(NAME, UNIT, W, WARM, CLOCK, ABOUT, GONE)                                        \
    FEATURE_ROW_APART(NAME, UNIT, W, WARM, QUOTES | NEED_TRADE, "FEA10", "own", ABOUT, GONE, CLOCK)

#define NONE "no peer configured"
#define OFF NONE "; peer off: a quote older than 2 s, fewer than 80 % of 10 s in agreement"
#define OFF_W OFF ", at one close of the window"
#define STILL OFF "; a quote missing in the window; one of both never moved"
#define HUTH "Huth, Abergel 2014, on a grid of 100 ms"
#define SLOW_TEXT ", 5 lags, of 100 ms, made anew each 10 s"

#define PAIR(K)                                                                                    \
    [(K - 1) * P_ROWS +                                                                            \
        P_MID_DIFF] = ROW("xv_mid_diff_p" #K, "ticks", "last", GATE_S, "own",                      \
        "own mid - mid of peer " #K ", in own ticks", OFF, CLOCK_TIME),                            \
        [(K - 1) * P_ROWS + P_BASIS] = ROW("xv_basis_p" #K, "bps", "last", GATE_S, "own",          \
            "1e4 (own mid / mid of peer " #K " - 1)", OFF, CLOCK_TIME),                            \
        [(K - 1) * P_ROWS + P_BASIS_Z] = ROW("xv_basis_z_p" #K "_b60", "1", "b60", Z_W + GATE_S,   \
            "own", "z-score of the basis to peer " #K " among 60 closes", OFF_W "; all equal",     \
            CLOCK_BUCKET),                                                                         \
        [(K - 1) * P_ROWS + P_SPREAD_DIFF] = ROW("xv_spread_diff_p" #K, "bps", "last", GATE_S,     \
            "own", "own spread / own mid - spread / mid of peer " #K, OFF, CLOCK_TIME),            \
        [(K - 1) * P_ROWS + P_SELL_EDGE] = ROW("xv_sell_edge_p" #K, "bps", "last", GATE_S, "own",  \
            "1e4 (own bid / ask of peer " #K " - 1): sold here, bought there", OFF, CLOCK_TIME),   \
        [(K - 1) * P_ROWS + P_BUY_EDGE] = ROW("xv_buy_edge_p" #K, "bps", "last", GATE_S, "own",    \
            "1e4 (bid of peer " #K " / own ask - 1): bought here, sold there", OFF, CLOCK_TIME),   \
        [(K - 1) * P_ROWS + P_CORR] = ROW("xv_corr_p" #K "_s60", "1", "s60", FAST_S, HUTH,         \
            "correlation of mid returns of 100 ms with those of peer " #K, STILL, CLOCK_TIME),     \
        [(K - 1) * P_ROWS + P_CORR_PEER_100] =                                                     \
            ROW("xv_corr_peer100_p" #K "_s60", "1", "s60", FAST_S, HUTH,                           \
                "the same with the returns of peer " #K " 100 ms before", STILL, CLOCK_TIME),      \
        [(K - 1) * P_ROWS + P_CORR_PEER_500] =                                                     \
            ROW("xv_corr_peer500_p" #K "_s60", "1", "s60", FAST_S, HUTH,                           \
                "the same with the returns of peer " #K " 500 ms before", STILL, CLOCK_TIME),      \
        [(K - 1) * P_ROWS + P_CORR_OWN_100] = ROW("xv_corr_own100_p" #K "_s60", "1", "s60",        \
            FAST_S, HUTH, "the same with the own returns 100 ms before those of peer " #K, STILL,  \
            CLOCK_TIME),                                                                           \
        [(K - 1) * P_ROWS + P_CORR_OWN_500] = ROW("xv_corr_own500_p" #K "_s60", "1", "s60",        \
            FAST_S, HUTH, "the same with the own returns 500 ms before those of peer " #K, STILL,  \
            CLOCK_TIME),                                                                           \
        [(K - 1) * P_ROWS + P_PEAK_LAG] = ROW("xv_peak_lag_p" #K "_s60", "ms", "s60", FAST_S,      \
            HUTH, "lag of the largest correlation within 1 s; positive: peer " #K " leads", STILL, \
            CLOCK_TIME),                                                                           \
        [(K - 1) * P_ROWS + P_LEAD_SHARE] = ROW("xv_lead_share_p" #K "_s60", "1", "s60", FAST_S,   \
            HUTH,                                                                                  \
            "squared correlations with peer " #K " ahead by 100 ms to 1 s over those and the own " \
            "ahead",                                                                               \
            STILL, CLOCK_TIME),                                                                    \
        [(K - 1) * P_ROWS + P_INFO_LOW] =                                                          \
            ROW("xv_info_low_p" #K "_s120", "1", "s120", SLOW_S, "Hasbrouck 1995",                 \
                "lower bound of the own information share beside peer " #K SLOW_TEXT, STILL,       \
                CLOCK_TIME),                                                                       \
        [(K - 1) * P_ROWS + P_INFO_HIGH] =                                                         \
            ROW("xv_info_high_p" #K "_s120", "1", "s120", SLOW_S, "Hasbrouck 1995",                \
                "upper bound of the own information share beside peer " #K SLOW_TEXT, STILL,       \
                CLOCK_TIME),                                                                       \
        [(K - 1) * P_ROWS + P_COMPONENT] =                                                         \
            ROW("xv_component_p" #K "_s120", "1", "s120", SLOW_S, "Gonzalo, Granger 1995",         \
                "own component share beside peer " #K SLOW_TEXT, STILL, CLOCK_TIME),               \
        [(K - 1) * P_ROWS + P_GRANGER_IN] =                                                        \
            ROW("xv_granger_in_p" #K "_s120", "1", "s120", SLOW_S, "Granger 1969",                 \
                "F of returns of peer " #K " for the own ones" SLOW_TEXT, STILL, CLOCK_TIME),      \
        [(K - 1) * P_ROWS + P_GRANGER_OUT] =                                                       \
            ROW("xv_granger_out_p" #K "_s120", "1", "s120", SLOW_S, "Granger 1969",                \
                "F of the own returns for those of peer " #K SLOW_TEXT, STILL, CLOCK_TIME),        \
        [(K - 1) * P_ROWS + P_GRANGER_DIRECTION] =                                                 \
            ROW("xv_granger_direction_p" #K "_s120", "1", "s120", SLOW_S, "Granger 1969",          \
                "at 1 %: 1 only peer " #K " causes, -1 only we do, 0 both or neither" SLOW_TEXT,   \
                STILL, CLOCK_TIME),                                                                \
        [(K - 1) * P_ROWS + P_CONSISTENCY] = ROW("xv_consistency_p" #K "_s10", "1", "s10", GATE_S, \
            "own", "share of 100 samples with both quotes known and peer " #K " within 200 bps",   \
            NONE "; before 10 s", CLOCK_TIME)

static const struct feature_def defs[X_ROWS] = {
    PAIR(1),
    PAIR(2),
    [X_PEERS_ON] = ROW("xv_peers_on", "1", "s10", GATE_S, "own", "peers that are on",
        NONE "; before 10 s", CLOCK_TIME),
    [X_GATED] = ROW("xv_gated_b60", "buckets", "b60", Z_W + GATE_S, "own",
        "of 60 closes, those at which a peer was off", NONE, CLOCK_BUCKET),
    [X_ESTIMATE_AGE] = ROW("xv_estimate_age", "s", "last", SLOW_S, "own",
        "time since the slow estimates became known", NONE "; before there are any", CLOCK_TIME),
    [X_BEST_BID_B1] = ROW("xv_best_bid_b1", "1", "b1", GATE_S + 2, "own",
        "share of 100 ms samples with the own bid at least as high as every peer's",
        NONE "; no sample with a peer's quote", CLOCK_BUCKET),
    [X_BEST_BID_B20] = ROW("xv_best_bid_b20", "1", "b20", 21 + GATE_S, "own",
        "the same over 20 buckets", NONE "; no sample with a peer's quote", CLOCK_BUCKET),
    [X_BEST_ASK_B1] = ROW("xv_best_ask_b1", "1", "b1", GATE_S + 2, "own",
        "share of 100 ms samples with the own ask at least as low as every peer's",
        NONE "; no sample with a peer's quote", CLOCK_BUCKET),
    [X_BEST_ASK_B20] = ROW("xv_best_ask_b20", "1", "b20", 21 + GATE_S, "own",
        "the same over 20 buckets", NONE "; no sample with a peer's quote", CLOCK_BUCKET),
    [X_BID_GAP] = ROW("xv_bid_gap", "bps", "last", GATE_S, "own",
        "1e4 (best bid of all venues / own bid - 1)", OFF " (no peer on)", CLOCK_TIME),
    [X_ASK_GAP] = ROW("xv_ask_gap", "bps", "last", GATE_S, "own",
        "1e4 (1 - best ask of all venues / own ask)", OFF " (no peer on)", CLOCK_TIME),
    [X_JOINT_SPREAD] = ROW("xv_joint_spread", "bps", "last", GATE_S, "own",
        "1e4 (best ask - best bid of all venues) / own mid; negative: crossed", OFF " (no peer on)",
        CLOCK_TIME),
    [X_DISPERSION] = ROW("xv_dispersion", "bps", "last", GATE_S, "own",
        "population standard deviation of 1e4 ln mid over the venues that are on",
        OFF " (no peer on)", CLOCK_TIME),
    [X_RETURN_GAP_B1] = ROW("xv_return_gap_b1", "bps", "b1", 2 + GATE_S, "own",
        "mean mid return of the peers over the bucket - own", OFF_W, CLOCK_BUCKET),
    [X_RETURN_GAP_B5] = ROW("xv_return_gap_b5", "bps", "b5", 6 + GATE_S, "own",
        "the same over 5 buckets", OFF_W, CLOCK_BUCKET),
    [X_VOLUME_SHARE_B1] = TRADES_ROW("xv_volume_share_b1", "1", "b1", 2 + GATE_S, CLOCK_BUCKET,
        "own volume / volume of all venues, in base units", OFF_W "; no volume"),
    [X_VOLUME_SHARE_B20] = TRADES_ROW("xv_volume_share_b20", "1", "b20", 21 + GATE_S, CLOCK_BUCKET,
        "the same over 20 buckets", OFF_W "; no volume"),
    [X_FLOW_B1] = TRADES_ROW("xv_flow_imbalance_b1", "1", "b1", 2 + GATE_S, CLOCK_BUCKET,
        "signed volume / volume of all venues together, in base units", OFF_W "; no volume"),
    [X_FLOW_B20] = TRADES_ROW("xv_flow_imbalance_b20", "1", "b20", 21 + GATE_S, CLOCK_BUCKET,
        "the same over 20 buckets", OFF_W "; no volume"),
    [X_FLOW_DIFF_B20] = TRADES_ROW("xv_flow_diff_b20", "1", "b20", 21 + GATE_S, CLOCK_BUCKET,
        "own signed volume / own volume - the same of the peers, 20 buckets",
        OFF_W "; no volume on one side"),
    [X_OFI_B1] = ROW("xv_ofi_b1", "base", "b1", 2 + GATE_S, "Cont, Kukanov, Stoikov 2014",
        "order-flow imbalance at the best level, summed over all venues",
        OFF_W "; a book broken or started in the bucket", CLOCK_BUCKET),
    [X_OFI_B20] = ROW("xv_ofi_b20", "base", "b20", 21 + GATE_S, "Cont, Kukanov, Stoikov 2014",
        "the same over 20 buckets", OFF_W "; a book broken or started in the window", CLOCK_BUCKET),
    [X_OFI_PEERS_B1] = ROW("xv_ofi_peers_b1", "base", "b1", 2 + GATE_S,
        "Cont, Kukanov, Stoikov 2014", "the same of the peers only",
        OFF_W "; a book broken or started in the bucket", CLOCK_BUCKET),
};

static size_t xv_state_size(void) { return sizeof(struct xv_state); }

static void xv_init(void *state, const struct feature_ctx *ctx) {
    struct xv_state *s = state;
    for (size_t v = 0; v <= ctx->peers; v++) {
        s->venue[v].torn = true; /* the bucket in which the stream begins is not whole */
        s->close[v] = MISSING;
    }
    s->slot = INT64_MIN;
}

static void xv_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    xv_event(state, ctx, 0, ev, change);
}

static void xv_on_peer(void *state, const struct feature_ctx *ctx, size_t peer,
    const struct event *ev, const struct book_change *change) {
    xv_event(state, ctx, 1 + peer, ev, change);
}

/* ---- at a bucket's close ---- */

/* 1e4 ln mid of the venues that are on, NaN of the others. */
static size_t venues_on(
    const struct xv_state *s, const struct feature_ctx *ctx, int64_t now, double *mid) {
    size_t on = 0;
    mid[0] = xv_log_mid(&s->venue[0], now);
    for (size_t v = 1; v <= ctx->peers; v++) {
        mid[v] = xv_log_mid(&s->venue[v], now);
        bool good = xv_consistency(s, v) >= XV_AGREE && fabs(mid[v] - mid[0]) <= XV_APART_BPS;
        if (!good) mid[v] = MISSING;
        on += good;
    }
    return on;
}

static double relative_spread(const struct xv_venue *v) {
    return BPS *
           ratio_of(v->px[BOOK_ASK] - v->px[BOOK_BID], 0.5 * (v->px[BOOK_ASK] + v->px[BOOK_BID]));
}

static void pair_quotes(const struct xv_venue *own, const struct xv_venue *peer,
    const struct feature_ctx *ctx, double *out) {
    double mid = 0.5 * (own->px[BOOK_BID] + own->px[BOOK_ASK]);
    double other = 0.5 * (peer->px[BOOK_BID] + peer->px[BOOK_ASK]);
    out[P_MID_DIFF] = (mid - other) / (ctx->px_unit * (double)ctx->inst->tick_units);
    out[P_BASIS] = bps_of(mid, other);
    out[P_SPREAD_DIFF] = relative_spread(own) - relative_spread(peer);
    out[P_SELL_EDGE] = bps_of(own->px[BOOK_BID], peer->px[BOOK_ASK]);
    out[P_BUY_EDGE] = bps_of(peer->px[BOOK_BID], own->px[BOOK_ASK]);
}

static void pair_rows(
    struct xv_state *s, const struct feature_ctx *ctx, size_t v, bool on, double *out) {
    struct series *basis = &s->basis[v - 1];
    const struct xv_slow *slow = &s->slow[v - 1];
    struct xv_lag lag;
    double x[SERIES_MAX];
    out[P_CONSISTENCY] = xv_consistency(s, v);
    if (on) pair_quotes(&s->venue[0], &s->venue[v], ctx, out);
    series_push(basis, out[P_BASIS]);
    if (series_window(basis, Z_W, x)) out[P_BASIS_Z] = zscore_of(x[Z_W - 1], x, Z_W);
    if (!on) return;
    xv_lead_lag(s, v, &lag);
    out[P_CORR] = lag.at[XV_LAGS];
    out[P_CORR_PEER_100] = lag.at[XV_LAGS + 1];
    out[P_CORR_PEER_500] = lag.at[XV_LAGS + 5];
    out[P_CORR_OWN_100] = lag.at[XV_LAGS - 1];
    out[P_CORR_OWN_500] = lag.at[XV_LAGS - 5];
    out[P_PEAK_LAG] = lag.peak_ms;
    out[P_LEAD_SHARE] = lag.lead_share;
    if (s->slow_ns == 0) return;
    out[P_INFO_LOW] = slow->info_low;
    out[P_INFO_HIGH] = slow->info_high;
    out[P_COMPONENT] = slow->component;
    out[P_GRANGER_IN] = slow->granger_in;
    out[P_GRANGER_OUT] = slow->granger_out;
    out[P_GRANGER_DIRECTION] = slow->granger_direction;
}

/* Known from this close on, until the first close of the next slot. */
static void slow_clock(struct xv_state *s, const struct feature_ctx *ctx, int64_t now) {
    if (now / XV_SLOW_NS <= s->slot) return;
    s->slot = now / XV_SLOW_NS;
    if (s->n <= XV_SLOW) return;
    s->slow_ns = now;
    for (size_t v = 1; v <= ctx->peers && v <= XV_PAIRS; v++) xv_estimate(s, v, &s->slow[v - 1]);
}

static void best_of_all(
    const struct xv_state *s, const struct feature_ctx *ctx, const double *mid, double *out) {
    const struct xv_venue *own = &s->venue[0];
    double bid = own->px[BOOK_BID], ask = own->px[BOOK_ASK], n = 0.0, sum = 0.0, squares = 0.0;
    for (size_t v = 0; v <= ctx->peers; v++) {
        if (isnan(mid[v])) continue;
        bid = s->venue[v].px[BOOK_BID] > bid ? s->venue[v].px[BOOK_BID] : bid;
        ask = s->venue[v].px[BOOK_ASK] < ask ? s->venue[v].px[BOOK_ASK] : ask;
        sum += mid[v] - mid[0]; /* about the own mid: no digits are lost */
        squares += (mid[v] - mid[0]) * (mid[v] - mid[0]);
        n += 1.0;
    }
    double variance = squares / n - sum / n * (sum / n);
    out[X_BID_GAP] = bps_of(bid, own->px[BOOK_BID]);
    out[X_ASK_GAP] = -bps_of(ask, own->px[BOOK_ASK]);
    out[X_JOINT_SPREAD] = BPS * ratio_of(ask - bid, 0.5 * (own->px[BOOK_BID] + own->px[BOOK_ASK]));
    out[X_DISPERSION] = sqrt(variance > 0.0 ? variance : 0.0);
}

/* What the bucket adds to each window; NaN where a peer was off or the bucket not whole. */
static void sums_of(const struct xv_state *s, const struct feature_ctx *ctx, const double *mid,
    bool all_on, double *sum) {
    const struct xv_venue *own = &s->venue[0];
    bool whole = s->opened >= XV_GATE, torn = false;
    double peers = 0.0;
    memset(sum, 0, XV_SUMS * sizeof *sum);
    for (size_t v = 0; v <= ctx->peers; v++) {
        const struct xv_venue *p = &s->venue[v];
        sum[XV_ALL_VOLUME] += p->volume;
        sum[XV_ALL_SIGNED] += p->signed_volume;
        sum[XV_ALL_OFI] += p->ofi;
        torn |= p->torn;
        if (v > 0) peers += mid[v] - s->close[v];
    }
    sum[XV_OWN_VOLUME] = own->volume;
    sum[XV_OWN_SIGNED] = own->signed_volume;
    sum[XV_OWN_OFI] = own->ofi;
    sum[XV_SAMPLES] = (double)s->samples;
    sum[XV_BEST_BID] = (double)s->best[BOOK_BID];
    sum[XV_BEST_ASK] = (double)s->best[BOOK_ASK];
    sum[XV_RETURN_GAP] = peers / (double)ctx->peers - (mid[0] - s->close[0]);
    for (size_t i = 0; i < XV_RETURN_GAP; i++) {
        bool flow = i < XV_SAMPLES, broken = i == XV_OWN_OFI || i == XV_ALL_OFI;
        if (!whole || (flow && !all_on) || (broken && torn)) sum[i] = MISSING;
    }
    sum[XV_OFF] = all_on ? 0.0 : 1.0;
}

static void bucket_next(struct xv_state *s, const struct feature_ctx *ctx, const double *mid) {
    for (size_t v = 0; v <= ctx->peers; v++) {
        struct xv_venue *p = &s->venue[v];
        p->volume = p->signed_volume = p->ofi = 0.0;
        p->torn = !p->primed;
        s->close[v] = mid[v];
    }
    s->samples = s->best[BOOK_BID] = s->best[BOOK_ASK] = 0;
    s->opened = s->n;
}

static double share_over(const struct xv_state *s, enum xv_sum part, enum xv_sum all, size_t w) {
    return ratio_of(series_sum(&s->sum[part], w), series_sum(&s->sum[all], w));
}

static void window_rows(const struct xv_state *s, double *out) {
    double signed_own = series_sum(&s->sum[XV_OWN_SIGNED], 20);
    double volume_own = series_sum(&s->sum[XV_OWN_VOLUME], 20);
    double signed_all = series_sum(&s->sum[XV_ALL_SIGNED], 20);
    double volume_all = series_sum(&s->sum[XV_ALL_VOLUME], 20);
    out[X_GATED] = series_sum(&s->sum[XV_OFF], Z_W);
    out[X_BEST_BID_B1] = share_over(s, XV_BEST_BID, XV_SAMPLES, 1);
    out[X_BEST_BID_B20] = share_over(s, XV_BEST_BID, XV_SAMPLES, 20);
    out[X_BEST_ASK_B1] = share_over(s, XV_BEST_ASK, XV_SAMPLES, 1);
    out[X_BEST_ASK_B20] = share_over(s, XV_BEST_ASK, XV_SAMPLES, 20);
    out[X_RETURN_GAP_B1] = series_sum(&s->sum[XV_RETURN_GAP], 1);
    out[X_RETURN_GAP_B5] = series_sum(&s->sum[XV_RETURN_GAP], 5);
    out[X_VOLUME_SHARE_B1] = share_over(s, XV_OWN_VOLUME, XV_ALL_VOLUME, 1);
    out[X_VOLUME_SHARE_B20] = ratio_of(volume_own, volume_all);
    out[X_FLOW_B1] = share_over(s, XV_ALL_SIGNED, XV_ALL_VOLUME, 1);
    out[X_FLOW_B20] = ratio_of(signed_all, volume_all);
    out[X_FLOW_DIFF_B20] = ratio_of(signed_own, volume_own) -
                           ratio_of(signed_all - signed_own, volume_all - volume_own);
    out[X_OFI_B1] = series_sum(&s->sum[XV_ALL_OFI], 1);
    out[X_OFI_B20] = series_sum(&s->sum[XV_ALL_OFI], 20);
    out[X_OFI_PEERS_B1] = out[X_OFI_B1] - series_sum(&s->sum[XV_OWN_OFI], 1);
}

static void xv_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct xv_state *s = state;
    int64_t now = bucket_last_ns(b);
    double mid[XV_VENUES], sum[XV_SUMS];
    (void)view;
    for (size_t i = 0; i < X_ROWS; i++) out[i] = MISSING;
    if (ctx->peers == 0) return;
    xv_roll(s, ctx, now);
    slow_clock(s, ctx, now);
    size_t on = venues_on(s, ctx, now, mid);
    for (size_t v = 1; v <= ctx->peers && v <= XV_PAIRS; v++)
        pair_rows(s, ctx, v, !isnan(mid[v]), out + (v - 1) * P_ROWS);
    if (s->n >= XV_GATE) out[X_PEERS_ON] = (double)on;
    if (s->slow_ns != 0) out[X_ESTIMATE_AGE] = (double)(now - s->slow_ns) / (double)NS_PER_S;
    if (on > 0) best_of_all(s, ctx, mid, out);
    sums_of(s, ctx, mid, on == ctx->peers, sum);
    for (size_t i = 0; i < XV_SUMS; i++) series_push(&s->sum[i], sum[i]);
    window_rows(s, out);
    bucket_next(s, ctx, mid);
}

const struct feature_family feature_family_xv = {
    .name = "xv",
    .defs = defs,
    .count = X_ROWS,
    .kinds = KINDS_TRADE | 1u << EV_DEPTH | 1u << EV_DEPTH_END | 1u << EV_TICKER | 1u << EV_GAP,
    .state_size = xv_state_size,
    .init = xv_init,
    .on_event = xv_on_event,
    .on_peer = xv_on_peer,
    .on_bucket = xv_on_bucket,
};
