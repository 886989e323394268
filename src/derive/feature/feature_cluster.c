/* feature_cluster.c: trades that belong together in time, price and size: sweeps, sliced orders.
 *
 * The last 128 market trades are clustered (DBSCAN, radius 1, 3 points) over seconds / 5, basis
 * points of price / 10 and ln size / 0.2. That is done at the first close of each ten seconds of
 * wall time and holds until the next: a slower clock, because it costs 128 x 128 distances.
 */
#include "derive/feature/dbscan.h"
#include "derive/feature/feature_internal.h"

enum cluster_row {
    C_COUNT,
    C_NOISE,
    C_SHARE,
    C_TRADES,
    C_IMBALANCE,
    C_DURATION,
    C_RANGE,
    C_RATE,
    C_ROWS
};

enum { RING = 128, LEAST = 3, DIM = 3 };
#define REFRESH_NS (10 * NS_PER_S)

#define SRC "S3, clusters of trades; Ester, Kriegel, Sander, Xu 1996 (DBSCAN)"
#define FEW "before 128 trades and a refresh"
#define ROW(NAME, UNIT, ABOUT, GONE)                                                               \
    FEATURE_ROW_APART(NAME, UNIT, "e128", 128, NEED_TRADE, "FEA9", SRC, ABOUT, GONE, CLOCK_EVENT)

static const struct feature_def defs[C_ROWS] = {
    [C_COUNT] = ROW("cluster_count_e128", "clusters", "number of clusters", FEW),
    [C_NOISE] = ROW("cluster_noise_share_e128", "1", "part of the trades in no cluster", FEW),
    [C_SHARE] = ROW("cluster_volume_share_e128", "1",
        "volume of the largest cluster (by volume, the earlier of equals) / that of all trades",
        FEW "; no cluster"),
    [C_TRADES] =
        ROW("cluster_trades_e128", "trades", "trades in the largest cluster", FEW "; no cluster"),
    [C_IMBALANCE] = ROW("cluster_imbalance_e128", "1",
        "(bought - sold) / traded in the largest cluster", FEW "; no cluster"),
    [C_DURATION] = ROW("cluster_duration_e128", "s",
        "time from the first to the last trade of the largest cluster", FEW "; no cluster"),
    [C_RANGE] = ROW("cluster_range_e128", "bps",
        "1e4 (highest / lowest price - 1) of the largest cluster", FEW "; no cluster"),
    [C_RATE] = ROW("cluster_rate_e128", "1/s", "trades / duration of the largest cluster",
        FEW "; no cluster; all its trades at one instant"),
};

struct cluster_trade {
    int64_t ns, px, qty, net;
};

struct cluster_state {
    struct cluster_trade ring[RING];
    uint64_t n; /* trades so far */
    int64_t period;
    uint64_t closed; /* a close was seen, so that `period` is one */
    double out[C_ROWS];
};

struct cluster_sum {
    double trades, volume, net;
    int64_t first, last, low, high;
};

static size_t cluster_state_size(void) { return sizeof(struct cluster_state); }

static void cluster_init(void *state, const struct feature_ctx *ctx) {
    struct cluster_state *s = state;
    (void)ctx;
    for (size_t i = 0; i < C_ROWS; i++) s->out[i] = MISSING;
}

static void cluster_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct cluster_state *s = state;
    (void)ctx;
    (void)change;
    if (!is_market_trade(ev)) return;
    int64_t q = ev->qty.lots;
    s->ring[s->n++ % RING] =
        (struct cluster_trade){ev->ts_local.ns, ev->px.ticks, q, ev->flags & EVF_BUY ? q : -q};
}

static void sum_add(struct cluster_sum *c, const struct cluster_trade *t) {
    bool first = c->trades == 0.0;
    if (first || t->ns < c->first) c->first = t->ns;
    if (first || t->ns > c->last) c->last = t->ns;
    if (first || t->px < c->low) c->low = t->px;
    if (first || t->px > c->high) c->high = t->px;
    c->trades += 1.0;
    c->volume += (double)t->qty;
    c->net += (double)t->net;
}

static void cluster_report(const struct cluster_sum *c, double all, double *out) {
    double seconds = (double)(c->last - c->first) / 1e9;
    out[C_SHARE] = c->volume / all;
    out[C_TRADES] = c->trades;
    out[C_IMBALANCE] = c->net / c->volume;
    out[C_DURATION] = seconds;
    out[C_RANGE] = bps_of((double)c->high, (double)c->low);
    out[C_RATE] = ratio_of(c->trades, seconds);
}

static void cluster_find(struct cluster_state *s) {
    double x[RING * DIM], all = 0.0, noise = 0.0;
    int32_t label[RING];
    uint32_t queue[RING];
    struct cluster_sum sum[RING / LEAST + 1];
    memset(sum, 0, sizeof sum);
    for (size_t i = 0; i < C_ROWS; i++) s->out[i] = MISSING;
    if (s->n < RING) return;
    int64_t newest = s->ring[(s->n - 1) % RING].ns;
    for (uint64_t i = 0; i < RING; i++) {
        const struct cluster_trade *t = &s->ring[(s->n + i) % RING]; /* oldest first */
        x[DIM * i] = (double)(t->ns - newest) / 1e9 / 5.0;
        x[DIM * i + 1] = dm_log((double)t->px) * BPS / 10.0;
        x[DIM * i + 2] = dm_log((double)t->qty) / 0.2;
        all += (double)t->qty;
    }
    size_t n = dbscan(x, RING, DIM, 1.0, LEAST, label, queue), best = 0;
    CHECK(n <= RING / LEAST); /* a border point of 3 reaches one core only: nothing is shared */
    for (uint64_t i = 0; i < RING; i++) {
        if (label[i] == DBSCAN_NOISE)
            noise += 1.0;
        else
            sum_add(&sum[label[i]], &s->ring[(s->n + i) % RING]);
    }
    for (size_t i = 1; i < n; i++)
        if (sum[i].volume > sum[best].volume) best = i;
    s->out[C_COUNT] = (double)n;
    s->out[C_NOISE] = noise / RING;
    if (n > 0) cluster_report(&sum[best], all, s->out);
}

static void cluster_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct cluster_state *s = state;
    (void)ctx;
    (void)view;
    int64_t period = bucket_last_ns(b) / REFRESH_NS;
    if (s->closed && period != s->period) cluster_find(s);
    s->period = period;
    s->closed = 1;
    memcpy(out, s->out, sizeof s->out);
}

const struct feature_family feature_family_cluster = {
    .name = "cluster",
    .defs = defs,
    .count = C_ROWS,
    .kinds = KINDS_TRADE,
    .state_size = cluster_state_size,
    .init = cluster_init,
    .on_event = cluster_on_event,
    .on_bucket = cluster_on_bucket,
};
