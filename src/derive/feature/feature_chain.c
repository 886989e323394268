/* feature_chain.c: external series as they were known at the close: level, change, place among the
 * last 30 points, age; and the economic calendar.
 *
 * A series counts from the publication of its newest point until it is older than its own greatest
 * age; a revision takes effect when it is published. Points that were published before the stream
 * began are unknown to it and stay out (asof.h). Families see values in order of publication only,
 * so nothing here can look ahead.
 */
#include "base/external.h"
#include "derive/feature/asof.h"
#include "derive/feature/feature_internal.h"

enum { WINDOW = 30 };

#define GLASS "on-chain metric of that name, as its provider publishes it"
#define NODE "mempool of a node"
#define CROWD "sentiment or search index, as its provider publishes it"

/* name, unit, greatest age in hours, what it is, source of the definition. Add at the end. */
/* clang-format off */
#define SERIES(X) \
    X(exchange_inflow, "base", 72, "coins sent to exchanges in the period", GLASS) \
    X(exchange_outflow, "base", 72, "coins taken from exchanges in the period", GLASS) \
    X(exchange_netflow, "base", 72, "inflow minus outflow of exchanges", GLASS) \
    X(exchange_balance, "base", 72, "coins that exchanges hold", GLASS) \
    X(whale_transfers, "transfers", 72, "transfers above the provider's size", GLASS) \
    X(whale_balance, "base", 72, "coins of addresses above the provider's size", GLASS) \
    X(miner_outflow, "base", 72, "coins that miners send away", GLASS) \
    X(active_addresses, "addresses", 72, "addresses that took part in transfers", GLASS) \
    X(fees, "base", 72, "fees paid in the period", GLASS) \
    X(hash_rate, "1/s", 72, "estimated hashes a second", GLASS) \
    X(mempool_size, "bytes", 1, "bytes that wait", NODE) \
    X(mempool_fee, "sat/vB", 1, "median fee rate of what waits", NODE) \
    X(hodl_1y, "1", 72, "share of the supply that has not moved for a year (HODL waves)", GLASS) \
    X(realised_profit, "quote", 72, "profit of coins moved, against their last move", GLASS) \
    X(realised_loss, "quote", 72, "loss of coins moved, against their last move", GLASS) \
    X(sopr, "1", 72, "value of coins moved / their value at the last move", GLASS) \
    X(mvrv, "1", 72, "market value / realised value", GLASS) \
    X(coin_days, "base days", 72, "coin days destroyed in the period", GLASS) \
    X(stablecoins, "quote", 72, "supply of stable coins", GLASS) \
    X(sentiment, "1", 24, "sentiment score of texts", CROWD) \
    X(social_volume, "texts", 24, "texts that name the asset", CROWD) \
    X(search_trend, "1", 336, "search interest", CROWD) \
    X(fear_greed, "1", 72, "fear and greed index, 0 to 100", CROWD) \
    X(surprise, "1", 1080, "released figure minus forecast, in units of its past errors", "economic calendar")
/* clang-format on */

#define SERIES_INDEX(NAME, UNIT, AGE, WHAT, SOURCE) S_##NAME,
enum series_id { SERIES(SERIES_INDEX) S_COUNT };

enum series_row { ROW_LEVEL, ROW_CHANGE, ROW_Z, ROW_RANK, ROW_AGE, ROWS_EACH };
enum calendar_row { C_COUNTDOWN = S_COUNT * ROWS_EACH, C_IMPORTANCE, C_SINCE, CHAIN_ROWS };

#define GONE(AGE) "before a value is published; the newest is older than " #AGE " h"
#define ROW(N, U, W, WARM, SRC, ABOUT, MISS)                                                       \
    FEATURE_ROW_APART(N, U, W, WARM, NEED_SERIES, "FEA13", SRC, ABOUT, MISS, CLOCK_EVENT)
#define SERIES_ROWS(NAME, UNIT, AGE, WHAT, SOURCE)                                                 \
    [S_##NAME * ROWS_EACH +                                                                        \
        ROW_LEVEL] =                                                                               \
        ROW("chain_" #NAME, UNIT, "e1", 1, SOURCE, WHAT ": newest published point", GONE(AGE)),    \
        [S_##NAME * ROWS_EACH + ROW_CHANGE] = ROW("chain_" #NAME "_change_e2", UNIT, "e2", 2,      \
            SOURCE, WHAT ": newest point minus the one before, both as published by now",          \
            GONE(AGE) "; before 2 points"),                                                        \
        [S_##NAME * ROWS_EACH + ROW_Z] =                                                           \
            ROW("chain_" #NAME "_z_e30", "1", "e30", WINDOW, "definition: z-score",                \
                WHAT ": (newest - mean) / standard deviation of the last 30 points",               \
                GONE(AGE) "; before 30 points; all equal"),                                        \
        [S_##NAME * ROWS_EACH + ROW_RANK] = ROW("chain_" #NAME "_rank_e30", "1", "e30", WINDOW,    \
            "definition: mid-rank percentile",                                                     \
            WHAT                                                                                   \
            ": (points below + half of those equal, itself included) / 30 of the last 30 points",  \
            GONE(AGE) "; before 30 points"),                                                       \
        [S_##NAME * ROWS_EACH + ROW_AGE] =                                                         \
            ROW("chain_" #NAME "_age_s", "s", "e1", 1, "definition",                               \
                WHAT ": seconds since the newest point was published or last revised", GONE(AGE)),

#define CALENDAR                                                                                   \
    "economic calendar: event time = time of release, value = importance, 0 = withdrawn"
#define GONE_AHEAD                                                                                 \
    "no release is scheduled; before the first release that was scheduled when the stream began"

static const struct feature_def defs[CHAIN_ROWS] = {
    SERIES(SERIES_ROWS)[C_COUNTDOWN] = ROW("chain_calendar_countdown_s", "s", "e1", 1, CALENDAR,
        "seconds until the next scheduled release", GONE_AHEAD),
    [C_IMPORTANCE] = ROW("chain_calendar_importance", "class", "e1", 1, CALENDAR,
        "importance of the next scheduled release", GONE_AHEAD),
    [C_SINCE] = ROW("chain_calendar_since_s", "s", "e1", 1, CALENDAR,
        "seconds since the last scheduled release",
        "none is known to have passed, of those since the first that the stream saw"),
};

#define SERIES_AGE(NAME, UNIT, AGE, WHAT, SOURCE) (AGE) * (3600 * NS_PER_S),
static const int64_t age_max[S_COUNT] = {SERIES(SERIES_AGE)};
#define SERIES_NAME(NAME, UNIT, AGE, WHAT, SOURCE) #NAME,
static const char *const series_name[S_COUNT] = {SERIES(SERIES_NAME)};

struct chain_series {
    int64_t key, publish_ns; /* publish: of the newest point */
    double value[ROW_AGE];   /* level, change, z, rank, when the last value came */
    struct asof points;
};

struct chain_state {
    int64_t calendar_key;
    struct chain_series series[S_COUNT];
    struct asof calendar;
};

static size_t chain_state_size(void) { return sizeof(struct chain_state); }

static void chain_init(void *state, const struct feature_ctx *ctx) {
    struct chain_state *s = state;
    (void)ctx;
    for (size_t i = 0; i < S_COUNT; i++) s->series[i].key = external_key(series_name[i]);
    s->calendar_key = external_key("calendar");
}

static double rank_of(const double *x, size_t n) {
    double below = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i])) return MISSING;
        below += x[i] < x[n - 1] ? 1.0 : x[i] == x[n - 1] ? 0.5 : 0.0;
    }
    return below / (double)n;
}

static void series_update(struct chain_series *c) {
    const struct asof_point *p = asof_latest(&c->points);
    double x[WINDOW];
    if (!p) return;
    c->publish_ns = p->publish_ns;
    c->value[ROW_LEVEL] = p->value;
    c->value[ROW_CHANGE] = asof_window(&c->points, 2, x) ? x[1] - x[0] : MISSING;
    bool full = asof_window(&c->points, WINDOW, x);
    c->value[ROW_Z] = full ? zscore_of(x[WINDOW - 1], x, WINDOW) : MISSING;
    c->value[ROW_RANK] = full ? rank_of(x, WINDOW) : MISSING;
}

/* A tape of unknown make may say a newest time that is before the value's own. */
static int64_t newest_of(const struct event *ev) {
    return ev->aux.b > ev->ts_venue.ns ? ev->aux.b : ev->ts_venue.ns;
}

static void chain_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct chain_state *s = state;
    (void)ctx;
    (void)change;
    struct asof *to = ev->id == s->calendar_key ? &s->calendar : NULL;
    struct chain_series *c = NULL;
    for (size_t i = 0; i < S_COUNT && !to; i++) {
        if (s->series[i].key != ev->id) continue;
        c = &s->series[i];
        to = &c->points;
    }
    if (!to) return; /* a series of another name: other families may know it */
    asof_take(to, ev->ts_venue.ns, ev->ts_local.ns, external_value(ev), newest_of(ev));
    if (c) series_update(c);
}

static void calendar_on_bucket(const struct asof *a, int64_t now, double *out) {
    out[C_COUNTDOWN] = out[C_IMPORTANCE] = out[C_SINCE] = MISSING;
    if (!a->begun || now < a->known_ns) return;
    const struct asof_point *p = asof_after(a, now);
    while (p && !(p->value > 0.0)) p = asof_after(a, p->event_ns); /* withdrawn */
    if (p) {
        out[C_COUNTDOWN] = (double)(p->event_ns - now) / 1e9;
        out[C_IMPORTANCE] = p->value;
    }
    for (uint32_t i = a->n; i > 0; i--) {
        const struct asof_point *q = &a->point[i - 1];
        if (q->event_ns > now || !(q->value > 0.0)) continue;
        out[C_SINCE] = (double)(now - q->event_ns) / 1e9;
        return;
    }
}

static void chain_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct chain_state *s = state;
    int64_t now = b->close_ts.ns;
    (void)ctx;
    (void)view;
    for (size_t i = 0; i < S_COUNT; i++) {
        const struct chain_series *c = &s->series[i];
        double *o = out + i * ROWS_EACH;
        bool fresh = c->points.n > 0 && now - c->publish_ns <= age_max[i];
        for (size_t k = 0; k < ROW_AGE; k++) o[k] = fresh ? c->value[k] : MISSING;
        o[ROW_AGE] = fresh ? (double)(now - c->publish_ns) / 1e9 : MISSING;
    }
    calendar_on_bucket(&s->calendar, now, out);
}

const struct feature_family feature_family_chain = {
    .name = "chain",
    .defs = defs,
    .count = CHAIN_ROWS,
    .kinds = 1u << EV_EXTERNAL,
    .state_size = chain_state_size,
    .init = chain_init,
    .on_event = chain_on_event,
    .on_bucket = chain_on_bucket,
};
