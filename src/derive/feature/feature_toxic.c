/* feature_toxic.c: how one-sided trading is: VPIN exact, per bucket, and from bars.
 *
 * Exact VPIN wants equal-volume buckets of the instrument's own size, and a value that does not
 * depend on where the stream began. So the size is a tenth of the volume of the last whole
 * minute, and a minute's boundary starts a new bucket (the unfinished one is left out). A trade is
 * split over as many buckets as it fills.
 */
#include "derive/feature/estimators.h"
#include "derive/feature/feature_internal.h"

enum toxic_row {
    X_VPIN_V20,
    X_VPIN_V50,
    X_FAST_B20,
    X_FAST_B60,
    X_QUANTILE_B60,
    X_BULK_B20,
    X_ROWS
};

enum { VPIN_PART = 10, VPIN_MAX = 50 };

#define VPIN_SRC "Easley, Lopez de Prado, O'Hara 2012"

static const struct feature_def defs[X_ROWS] = {
    [X_VPIN_V20] = FEATURE_ROW_CLOCK("toxic_vpin_v20", "1", "v20", 0, NEED_TRADE, false, "FEA6",
        VPIN_SRC,
        "mean of |buy - sell| / volume over 20 equal-volume buckets, each a tenth of the minute "
        "before; trades are split",
        "before 20 volume buckets are full (two minutes and more)", CLOCK_EVENT),
    [X_VPIN_V50] = FEATURE_ROW_CLOCK("toxic_vpin_v50", "1", "v50", 0, NEED_TRADE, false, "FEA6",
        VPIN_SRC,
        "mean of |buy - sell| / volume over 50 equal-volume buckets, each a tenth of the minute "
        "before; trades are split",
        "before 50 volume buckets are full (five minutes and more)", CLOCK_EVENT),
    [X_FAST_B20] = FEATURE_ROW("toxic_vpin_fast_b20", "1", "b20", 21, NEED_TRADE | NEED_TAKER, true,
        "FEA6", VPIN_SRC " without equal volumes",
        "sum of |buy - sell| / sum of volume over 20 buckets",
        "no volume in the window; before it is full; taker side unknown"),
    [X_FAST_B60] = FEATURE_ROW("toxic_vpin_fast_b60", "1", "b60", 61, NEED_TRADE | NEED_TAKER, true,
        "FEA6", VPIN_SRC " without equal volumes",
        "sum of |buy - sell| / sum of volume over 60 buckets",
        "no volume in the window; before it is full; taker side unknown"),
    [X_QUANTILE_B60] = FEATURE_ROW("toxic_vpin_fast_rank_b60", "1", "b60", 81,
        NEED_TRADE | NEED_TAKER, true, "FEA6", "definition: empirical distribution function",
        "part of the last 60 values of toxic_vpin_fast_b20 that are not above this one",
        "one of the 60 values is missing"),
    [X_BULK_B20] = FEATURE_ROW("toxic_vpin_bulk_b20", "1", "b20", 41, NEED_TRADE, true, "FEA6",
        VPIN_SRC ", bulk volume classification",
        "sum of V |2 Phi(price change / its deviation over 20 buckets) - 1| / sum of V, 20 buckets",
        "no volume in the window; price missing or flat; before both windows are full"),
};

struct vpin {
    int64_t minute; /* of the last trade, +1; 0 = none yet */
    int64_t whole;  /* the minute in which the stream began is not whole: first whole one, +1 */
    int64_t volume; /* of this minute */
    int64_t size;   /* of a volume bucket now; 0 = not known */
    int64_t filled, buys;
    uint64_t buckets;
    double share[VPIN_MAX]; /* |buy - sell| / size of the last ones */
};

struct toxic_state {
    struct vpin vpin;
    struct series volume, unsided, bulk, bulk_volume, change, fast;
    double px_before;
};

static size_t toxic_state_size(void) { return sizeof(struct toxic_state); }

static void toxic_init(void *state, const struct feature_ctx *ctx) {
    struct toxic_state *s = state;
    (void)ctx;
    s->px_before = MISSING;
}

/* A new minute: the size of volume buckets follows the minute before, if that was a whole one. */
static void vpin_roll(struct vpin *v, int64_t ns) {
    int64_t minute = ns / (60 * NS_PER_S) + 1;
    if (v->minute == 0) {
        v->minute = minute;
        v->whole = minute + 1;
    }
    if (minute <= v->minute) return;
    bool last_whole = v->minute >= v->whole && minute == v->minute + 1;
    v->size = last_whole ? (v->volume + VPIN_PART - 1) / VPIN_PART : 0;
    v->minute = minute;
    v->volume = v->filled = v->buys = 0;
}

static void vpin_push(struct vpin *v, double share) { v->share[v->buckets++ % VPIN_MAX] = share; }

static void vpin_trade(struct vpin *v, int64_t lots, bool buy) {
    v->volume += lots;
    if (v->size == 0) return;
    int64_t room = v->size - v->filled;
    if (lots >= room) {
        v->buys += buy ? room : 0;
        int64_t net = 2 * v->buys - v->size;
        vpin_push(v, (double)(net < 0 ? -net : net) / (double)v->size);
        lots -= room;
        v->filled = v->buys = 0;
        int64_t whole = lots / v->size; /* buckets that this trade fills alone */
        v->buckets += whole > VPIN_MAX ? (uint64_t)(whole - VPIN_MAX) : 0;
        for (int64_t i = 0; i < whole && i < VPIN_MAX; i++) vpin_push(v, 1.0);
        lots %= v->size;
    }
    v->filled += lots;
    v->buys += buy ? lots : 0;
}

static double vpin_mean(const struct vpin *v, uint64_t n) {
    if (v->buckets < n) return MISSING;
    double sum = 0.0;
    for (uint64_t i = 0; i < n; i++) sum += v->share[(v->buckets - n + i) % VPIN_MAX];
    return sum / (double)n;
}

static void toxic_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct toxic_state *s = state;
    (void)ctx;
    (void)change;
    if (!is_market_trade(ev) || ev->qty.lots <= 0) return;
    vpin_roll(&s->vpin, ev->ts_local.ns);
    vpin_trade(&s->vpin, ev->qty.lots, ev->flags & EVF_BUY);
}

static double rank_b60(const struct series *s) {
    double x[SERIES_MAX], below = 0.0, sum = 0.0;
    if (!series_window(s, 60, x)) return MISSING;
    for (size_t i = 0; i < 60; i++) {
        below += x[i] <= x[59] ? 1.0 : 0.0;
        sum += x[i];
    }
    return isnan(sum) ? MISSING : below / 60.0;
}

/* The price change of the bucket, and the volume that bulk classification calls one-sided. */
static void toxic_bulk(struct toxic_state *s, const struct feature_view *view, double volume) {
    double x[SERIES_MAX], share = MISSING, change = view->px - s->px_before;
    s->px_before = view->px;
    series_push(&s->change, change);
    if (series_window(&s->change, 20, x)) {
        struct moments m = moments_of(x, 20);
        if (!moments_flat(&m)) share = bulk_buy_share(change, sqrt(m.m2 * 20.0 / 19.0));
    }
    series_push(&s->bulk, fabs(2.0 * share - 1.0) * volume);
}

static void toxic_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct toxic_state *s = state;
    (void)ctx;
    double volume = (double)b->volume.lots;
    if (!b->from_kline) vpin_roll(&s->vpin, bucket_last_ns(b));
    toxic_bulk(s, view, volume);
    series_push(&s->volume, volume);
    series_push(&s->unsided, fabs(bucket_signed(b)));
    out[X_VPIN_V20] = vpin_mean(&s->vpin, 20);
    out[X_VPIN_V50] = vpin_mean(&s->vpin, 50);
    out[X_FAST_B20] = ratio_of(series_sum(&s->unsided, 20), series_sum(&s->volume, 20));
    out[X_FAST_B60] = ratio_of(series_sum(&s->unsided, 60), series_sum(&s->volume, 60));
    series_push(&s->fast, out[X_FAST_B20]);
    out[X_QUANTILE_B60] = rank_b60(&s->fast);
    out[X_BULK_B20] = ratio_of(series_sum(&s->bulk, 20), series_sum(&s->volume, 20));
}

const struct feature_family feature_family_toxic = {
    .name = "toxic",
    .defs = defs,
    .count = X_ROWS,
    .kinds = KINDS_TRADE,
    .state_size = toxic_state_size,
    .init = toxic_init,
    .on_event = toxic_on_event,
    .on_bucket = toxic_on_bucket,
};
