/* feature_graph.c: research grade: how information flows between four series of the buckets, the
 * book as a tree, how long the next bucket may last, and the instrument's tier.
 *
 * Graph   nodes: signed volume (flow), return (price), imbalance of 5 levels (book), volume. The
 * edge from x to y is the correlation of x a bucket before with y, y's own past taken out (partial
 *         correlation, lag 1), over 60 buckets; it stands where its size exceeds 2 / sqrt(59).
 * Tree    the best 16 levels a side are the leaves of a binary tree, the nearest first; a node
 * weighs what its leaves do.
 */
#include "derive/feature/feature_internal.h"

enum graph_row {
    G_NEXT,
    G_TIER,
    G_SKEW_BID,
    G_SKEW_ASK,
    G_ENTROPY,
    G_CHANGE,
    G_EDGES,
    G_FLOW_NET,
    G_BOOK_NET,
    G_PRICE_IN,
    G_FLOW_PRICE,
    G_BOOK_PRICE,
    G_PRICE_FLOW,
    G_PATH,
    G_ROWS
};

enum node { N_FLOW, N_PRICE, N_BOOK, N_VOLUME, NODES };
enum {
    WINDOW = 60,
    PAIRS = WINDOW - 1,
    LEAVES = 16,
    DEPTH = 4,
    NEXT_W = 10,
    TIER_W = 100,
    TIERS = 3
};
#define EDGE_LEAST 0.26037782196164777 /* 2 / sqrt(59) */
#define ALONE_LEAST 1e-9               /* y is not explained by its own past or by x alone */

#define S3_TREE "source document S3 (book tree)"
#define S3_GRAPH "source document S3 (information flow); partial correlation of lag 1"
#define GONE_TREE "book not synchronised; fewer than 16 levels on a side"
#define GONE_EDGE "a return or a synchronised book missing in the window; a series without change"
#define TREE(N, U, W, WARM, ABOUT)                                                                 \
    FEATURE_ROW_APART(N, U, W, WARM, NEED_DEPTH, "FEA18", S3_TREE, ABOUT, GONE_TREE, CLOCK_BUCKET)
#define EDGE(N, U, ABOUT)                                                                          \
    FEATURE_ROW_APART(N, U, "b60", 62, NEED_DEPTH | NEED_TRADE | NEED_TAKER, "FEA18", S3_GRAPH,    \
        ABOUT, GONE_EDGE, CLOCK_BUCKET)

static const struct feature_def defs[G_ROWS] = {
    [G_NEXT] = FEATURE_ROW_APART("graph_next_duration_b10", "s", "b10", 11, 0, "FEA18",
        "source document S3 (labels, variant B)",
        "expected duration of the next bucket: mean of the last 10", "before 10 buckets",
        CLOCK_BUCKET),
    [G_TIER] = FEATURE_ROW_APART("graph_tier_b100", "class", "b100", 101, NEED_TRADE, "FEA18",
        "source document S3 (liquidity tier)",
        "thresholds of 0.1, 1 and 10 quantity units a second that the lower median of volume / "
        "duration of 100 buckets reaches",
        "before 100 buckets; one of them of no duration", CLOCK_BUCKET),
    [G_SKEW_BID] = TREE("graph_tree_skew_bid", "1", "last", 0,
        "bids: mean over the tree's four forks of (near - far) / both, by weight"),
    [G_SKEW_ASK] = TREE("graph_tree_skew_ask", "1", "last", 0,
        "asks: mean over the tree's four forks of (near - far) / both, by weight"),
    [G_ENTROPY] = TREE("graph_tree_entropy", "nats", "last", 0,
        "- sum of p ln p over the 32 leaves of both trees, p = share of their size"),
    [G_CHANGE] = TREE("graph_tree_change_b1", "1", "b1", 2,
        "mean over both trees and their levels of the sum of |share of a node - its share at the"
        " close before|"),
    [G_EDGES] = EDGE("graph_edges_b60", "edges", "edges among the 12 pairs"),
    [G_FLOW_NET] = EDGE("graph_flow_net_b60", "edges", "edges out of flow minus edges into it"),
    [G_BOOK_NET] = EDGE("graph_book_net_b60", "edges", "edges out of book minus edges into it"),
    [G_PRICE_IN] = EDGE("graph_price_in_b60", "edges", "edges into price"),
    [G_FLOW_PRICE] = EDGE("graph_flow_to_price_b60", "1", "strength of flow to price"),
    [G_BOOK_PRICE] = EDGE("graph_book_to_price_b60", "1", "strength of book to price"),
    [G_PRICE_FLOW] = EDGE("graph_price_to_flow_b60", "1", "strength of price to flow"),
    [G_PATH] = EDGE(
        "graph_book_flow_price_b60", "1", "strength of the path: book to flow times flow to price"),
};

struct graph_state {
    struct series node[NODES], duration;
    uint64_t n;              /* buckets so far */
    uint8_t tier[TIER_W];    /* 1 + thresholds reached, 0 = no duration */
    uint32_t reached[TIERS]; /* of the buckets in `tier` */
    uint32_t without;        /* of no duration */
    bool shaped;             /* share holds the tree of the close before */
    uint8_t pad[7];
    double share[2][LEAVES];
};

static size_t graph_state_size(void) { return sizeof(struct graph_state); }

/* ---- tier ---- */

static void tier_count(struct graph_state *s, uint8_t tier, uint32_t by) {
    if (tier == 0) s->without += by;
    for (uint8_t i = 0; i < TIERS && tier > 0; i++)
        if (tier - 1 > i) s->reached[i] += by;
}

static double tier_of(struct graph_state *s, double volume, double seconds) {
    static const double least[TIERS] = {0.1, 1.0, 10.0};
    uint8_t tier = seconds > 0.0, *at = &s->tier[s->n % TIER_W];
    for (size_t i = 0; i < TIERS && seconds > 0.0; i++)
        tier = (uint8_t)(tier + (volume / seconds >= least[i]));
    if (s->n >= TIER_W) tier_count(s, *at, (uint32_t)-1);
    *at = tier;
    tier_count(s, tier, 1);
    if (s->n + 1 < TIER_W || s->without > 0) return MISSING;
    double out = 0.0;
    for (size_t i = 0; i < TIERS; i++) out += s->reached[i] > TIER_W / 2;
    return out;
}

/* ---- tree ---- */

/* Weight of near minus far halves, over the four levels of forks, of the whole. */
static double tree_skew(const double *share) {
    double skew = 0.0;
    for (size_t width = 1; width < LEAVES; width *= 2)
        for (size_t i = 0; i < LEAVES; i++) skew += (i / width) % 2 == 0 ? share[i] : -share[i];
    return skew / DEPTH;
}

static double tree_change(const double *a, const double *b) {
    double sum = 0.0;
    for (size_t width = 1; width < LEAVES; width *= 2) {
        for (size_t i = 0; i < LEAVES; i += width) {
            double off = 0.0;
            for (size_t k = i; k < i + width; k++) off += a[k] - b[k];
            sum += fabs(off);
        }
    }
    return sum / DEPTH;
}

static void graph_tree(struct graph_state *s, const struct feature_view *view, double *out) {
    double share[2][LEAVES], all[2] = {0.0, 0.0}, logs = 0.0;
    out[G_SKEW_BID] = out[G_SKEW_ASK] = out[G_ENTROPY] = out[G_CHANGE] = MISSING;
    bool before = s->shaped;
    s->shaped = view->levels[BOOK_BID] >= LEAVES && view->levels[BOOK_ASK] >= LEAVES;
    if (!s->shaped) return;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < LEAVES; i++) all[side] += (double)view->top[side][i].qty.lots;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < LEAVES; i++) {
            double q = (double)view->top[side][i].qty.lots, p = q / (all[0] + all[1]);
            share[side][i] = q / all[side];
            logs += p * dm_log(p);
        }
    }
    out[G_SKEW_BID] = tree_skew(share[BOOK_BID]);
    out[G_SKEW_ASK] = tree_skew(share[BOOK_ASK]);
    out[G_ENTROPY] = -logs;
    if (before)
        out[G_CHANGE] =
            0.5 * (tree_change(share[0], s->share[0]) + tree_change(share[1], s->share[1]));
    memcpy(s->share, share, sizeof share);
}

/* ---- graph ---- */

/* Values about their mean: [0] the first 59 of the window, [1] the last 59; false if flat. */
static bool centred(const double *x, double out[2][PAIRS], double spread[2]) {
    for (size_t k = 0; k < 2; k++) {
        struct moments m = moments_of(x + k, PAIRS);
        if (!(m.m2 > 0.0) || moments_flat(&m)) return false;
        spread[k] = sqrt(m.m2 * PAIRS);
        for (size_t i = 0; i < PAIRS; i++) out[k][i] = x[i + k] - m.mean;
    }
    return true;
}

static double product(const double *a, const double *b) {
    double sum = 0.0;
    for (size_t i = 0; i < PAIRS; i++) sum += a[i] * b[i];
    return sum;
}

/* edge[from][to]; NaN on the diagonal. False: one of them is missing. */
static bool graph_edges(const struct graph_state *s, double edge[NODES][NODES]) {
    double x[WINDOW], v[NODES][2][PAIRS], spread[NODES][2];
    for (size_t i = 0; i < NODES; i++) {
        if (!series_window(&s->node[i], WINDOW, x)) return false;
        for (size_t k = 0; k < WINDOW; k++)
            if (isnan(x[k])) return false;
        if (!centred(x, v[i], spread[i])) return false;
    }
    for (size_t j = 0; j < NODES; j++) {
        double own = product(v[j][0], v[j][1]) / (spread[j][0] * spread[j][1]);
        for (size_t i = 0; i < NODES; i++) {
            edge[i][j] = MISSING;
            if (i == j) continue;
            double lead = product(v[i][0], v[j][1]) / (spread[i][0] * spread[j][1]);
            double both = product(v[i][0], v[j][0]) / (spread[i][0] * spread[j][0]);
            double alone = (1.0 - own * own) * (1.0 - both * both);
            if (!(alone > ALONE_LEAST)) return false;
            edge[i][j] = (lead - both * own) / sqrt(alone);
        }
    }
    return true;
}

static void graph_report(const double edge[NODES][NODES], double *out) {
    double outs[NODES] = {0.0}, ins[NODES] = {0.0}, all = 0.0;
    for (size_t i = 0; i < NODES; i++) {
        for (size_t j = 0; j < NODES; j++) {
            if (i == j || !(fabs(edge[i][j]) > EDGE_LEAST)) continue;
            outs[i] += 1.0;
            ins[j] += 1.0;
            all += 1.0;
        }
    }
    out[G_EDGES] = all;
    out[G_FLOW_NET] = outs[N_FLOW] - ins[N_FLOW];
    out[G_BOOK_NET] = outs[N_BOOK] - ins[N_BOOK];
    out[G_PRICE_IN] = ins[N_PRICE];
    out[G_FLOW_PRICE] = edge[N_FLOW][N_PRICE];
    out[G_BOOK_PRICE] = edge[N_BOOK][N_PRICE];
    out[G_PRICE_FLOW] = edge[N_PRICE][N_FLOW];
    out[G_PATH] = edge[N_BOOK][N_FLOW] * edge[N_FLOW][N_PRICE];
}

static double imbalance(const struct feature_view *view) {
    double q[2] = {0.0, 0.0};
    if (!view->book_ok) return MISSING;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < 5 && i < view->levels[side]; i++)
            q[side] += (double)view->top[side][i].qty.lots;
    return ratio_of(q[BOOK_BID] - q[BOOK_ASK], q[BOOK_BID] + q[BOOK_ASK]);
}

static void graph_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct graph_state *s = state;
    double edge[NODES][NODES], seconds = (double)(b->close_ts.ns - b->open_ts.ns) / 1e9;
    series_push(&s->node[N_FLOW], bucket_signed(b));
    series_push(&s->node[N_PRICE], view->ret);
    series_push(&s->node[N_BOOK], imbalance(view));
    series_push(&s->node[N_VOLUME], (double)b->volume.lots);
    series_push(&s->duration, seconds);
    for (size_t i = G_EDGES; i < G_ROWS; i++) out[i] = MISSING;
    if (graph_edges(s, edge)) graph_report((const double(*)[NODES])edge, out);
    out[G_NEXT] = series_mean(&s->duration, NEXT_W);
    out[G_TIER] = tier_of(s, (double)b->volume.lots * ctx->qty_unit, seconds);
    graph_tree(s, view, out);
    s->n++;
}

const struct feature_family feature_family_graph = {
    .name = "graph",
    .defs = defs,
    .count = G_ROWS,
    .state_size = graph_state_size,
    .on_bucket = graph_on_bucket,
};
