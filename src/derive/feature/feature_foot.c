/* feature_foot.c: the footprint: where in price the volume was traded, and the levels it left.
 *
 * Prices fall into bins of 2 bps of ln price, the same whatever the tick and wherever the stream
 * began. Each period of 5 minutes leaves its two largest bins as points; at the end of the period
 * the points of the last 1, 4 and 24 hours are clustered (DBSCAN, 5 bps; 3, 6 and 24 points). A
 * level is a cluster: its centre by volume, its volume, the period it was last fed. Noise is no
 * level. A level's weight halves every two hours.
 *
 * Absorption and exhaustion are judged minute by minute when the minute is over; exhaustion asks
 * for the return of the minute after, so it counts one minute later.
 *
 * Cost  a logarithm a trade at a new price, O(levels) a bucket, O(points^2) each five minutes.
 */
#include "derive/feature/dbscan.h"
#include "derive/feature/feature_internal.h"

enum foot_row {
    P_DELTA,
    P_CONCENTRATION,
    P_ABSORPTION,
    P_EXHAUSTION,
    P_SUPPORT, /* distance: h1 h4 h24 */
    P_RESISTANCE = P_SUPPORT + 3,
    P_LOG_RATIO = P_RESISTANCE + 3,
    P_STRENGTH = P_LOG_RATIO + 3, /* h24: support, resistance */
    P_AGE = P_STRENGTH + 2,
    P_ROWS = P_AGE + 2
};

#define BIN_LN 2e-4 /* 2 bps */
#define BIN_BPS 2.0
#define LEVEL_EPS_BPS 5.0
#define REACH_BPS 50.0 /* in the ratio a level fades to 1/e over this distance */
#define HALF_LIFE_S 7200.0
#define PERIOD_NS (300 * NS_PER_S)
#define MINUTE_NS (60 * NS_PER_S)
#define QUIET_BPS 5.0 /* range of a minute that absorbs */
#define BALANCED 0.2
#define ONE_SIDED 0.7
enum { BINS = 512, PERIODS = 288, PICKS = 2, LEVEL_LEAST = 3, HOUR = 60, MINUTES = 128 };
enum { POINTS_MAX = PERIODS * PICKS, LEVELS_MAX = POINTS_MAX / LEVEL_LEAST };
static const int64_t spans[3] = {12, 48, PERIODS}; /* periods: 1, 4, 24 hours */
/* Points that make a core: more where more points lie, or all of a day's would be one level. */
static const size_t leasts[3] = {LEVEL_LEAST, 6, 24};

#define BIN_SRC "S3 3.8: footprint, with the bins of this page"
#define ABS_SRC                                                                                    \
    "S3 3.8, with the range of the minute (figures.md of the project: range against volume)"
#define LEVEL_SRC                                                                                  \
    "S3 3.8; Ester, Kriegel, Sander, Xu 1996 (DBSCAN: 5 bps; 3, 6, 24 points; noise left out)"
#define GONE_LEVEL(W) "before " W " of whole periods; no level on that side; no price"
#define BUCKET_ROW(NAME, ABOUT)                                                                    \
    FEATURE_ROW_APART(NAME, "1", "b1", 1, NEED_TRADE, "FEA4", BIN_SRC, ABOUT,                      \
        "no trade in the bucket", CLOCK_BUCKET)
#define MINUTE_ROW(NAME, ABOUT)                                                                    \
    FEATURE_ROW_APART(NAME, "minutes", "h1", 7620, NEED_TRADE, "FEA4", ABS_SRC, ABOUT,             \
        "before 122 minutes", CLOCK_TIME)
#define LEVEL_ROW(NAME, UNIT, W, WARM, HOURS, ABOUT)                                               \
    FEATURE_ROW_APART(                                                                             \
        NAME, UNIT, W, WARM, NEED_TRADE, "FEA4", LEVEL_SRC, ABOUT, GONE_LEVEL(HOURS), CLOCK_TIME)
#define THREE(AT, NAME, UNIT, ABOUT)                                                               \
    [AT] = LEVEL_ROW(NAME "_h1", UNIT, "h1", 4260, "1 h", ABOUT),                                  \
    [AT + 1] = LEVEL_ROW(NAME "_h4", UNIT, "h4", 15060, "4 h", ABOUT),                             \
    [AT + 2] = LEVEL_ROW(NAME "_h24", UNIT, "h24", 87060, "24 h", ABOUT)

static const struct feature_def defs[P_ROWS] = {
    [P_DELTA] = BUCKET_ROW("foot_delta_b1", "(bought - sold) / traded by takers in the 2 bps bin "
                                            "with most volume, the lower of equals"),
    [P_CONCENTRATION] = BUCKET_ROW(
        "foot_concentration_b1", "sum over 2 bps bins of (volume of the bin / volume)^2"),
    [P_ABSORPTION] = MINUTE_ROW("foot_absorption_h1",
        "minutes of the last 60 with more than the mean volume of the 60 before, a range below 5 "
        "bps and abs(bought - sold) < 0.2 volume"),
    [P_EXHAUSTION] = MINUTE_ROW("foot_exhaustion_h1",
        "minutes with more than the mean volume of the 60 before and abs(bought - sold) > 0.7 "
        "volume after which the price went the other way; of those known in the last 60 minutes"),
    THREE(P_SUPPORT, "foot_support_distance", "bps", "1e4 ln(price / nearest level below)"),
    THREE(P_RESISTANCE, "foot_resistance_distance", "bps", "1e4 ln(nearest level above / price)"),
    THREE(P_LOG_RATIO, "foot_level_ratio", "1",
        "ln(weight above / weight below); weight = volume x 2^(-age / 2 h) x exp(-distance / 50 "
        "bps), summed over levels"),
    [P_STRENGTH] = LEVEL_ROW("foot_support_strength_h24", "1", "h24", 87060, "24 h",
        "volume of the nearest level below / that of all points x 2^(-age / 2 h)"),
    [P_STRENGTH + 1] = LEVEL_ROW("foot_resistance_strength_h24", "1", "h24", 87060, "24 h",
        "volume of the nearest level above / that of all points x 2^(-age / 2 h)"),
    [P_AGE] = LEVEL_ROW("foot_support_age_h24", "minutes", "h24", 87060, "24 h",
        "minutes since the end of the period that last fed the nearest level below"),
    [P_AGE + 1] = LEVEL_ROW("foot_resistance_age_h24", "minutes", "h24", 87060, "24 h",
        "minutes since the end of the period that last fed the nearest level above"),
};

/* Volume by price bin; slot = bin modulo BINS, so that 512 bins (10 %) fit; of two bins that share
 * a slot the newer stays. */
struct print {
    int64_t bin[BINS], volume[BINS], net[BINS]; /* volume 0 = empty */
    uint16_t used[BINS];
    uint64_t n;
};

struct minute {
    int64_t volume, net, high, low, close;
    int64_t absorbed, exhausted; /* exhausted: known at the end of this minute, of the one before */
};

struct level {
    double ln, volume, fade; /* centre; fade = 2^(-age / half-life) at the refresh */
    int64_t last;            /* period */
};

struct levels {
    uint64_t n;
    double volume; /* of all points, noise too */
    struct level level[LEVELS_MAX];
};

struct pick {
    int64_t bin, volume;
};

struct foot_state {
    struct print bucket, period;
    int64_t last_px, last_bin;
    int64_t period_now, period_first, minute_now, minute_first, price;
    uint64_t started;
    struct minute minute[MINUTES]; /* ring by minute number; the open one is zeroed at its start */
    struct pick pick[PERIODS][PICKS];
    struct levels levels[3];
};

static size_t foot_state_size(void) { return sizeof(struct foot_state); }

static void print_add(struct print *p, int64_t bin, int64_t qty, int64_t net) {
    size_t at = (size_t)((uint64_t)bin % BINS);
    if (p->volume[at] == 0) p->used[p->n++] = (uint16_t)at;
    if (p->bin[at] != bin) p->volume[at] = p->net[at] = 0;
    p->bin[at] = bin;
    p->volume[at] += qty;
    p->net[at] += net;
}

static void print_clear(struct print *p) {
    for (uint64_t i = 0; i < p->n; i++) {
        size_t at = p->used[i];
        p->bin[at] = p->volume[at] = p->net[at] = 0;
        p->used[i] = 0;
    }
    p->n = 0;
}

/* The slot with most volume other than `but`, the lower bin of equals; BINS if there is none. */
static size_t print_largest(const struct print *p, size_t but) {
    size_t best = BINS;
    for (uint64_t i = 0; i < p->n; i++) {
        size_t at = p->used[i];
        if (at == but) continue;
        bool more = best == BINS || p->volume[at] > p->volume[best];
        bool lower = !more && p->volume[at] == p->volume[best] && p->bin[at] < p->bin[best];
        if (more || lower) best = at;
    }
    return best;
}

static struct minute *minute_at(struct foot_state *s, int64_t number) {
    return &s->minute[(uint64_t)number % MINUTES];
}

/* Mean volume of the 60 minutes before; NaN where one of them is not whole. */
static double volume_before(struct foot_state *s, int64_t number) {
    if (number - HOUR <= s->minute_first) return MISSING;
    int64_t sum = 0;
    for (int64_t m = number - HOUR; m < number; m++) sum += minute_at(s, m)->volume;
    return (double)sum / HOUR;
}

/* The minute `number` is over: what it absorbed, and whether it ended the push of the one before.
 */
static void minute_close(struct foot_state *s, int64_t number) {
    struct minute *m = minute_at(s, number);
    m->close = s->price;
    if (number - HOUR - 1 <= s->minute_first) return;
    const struct minute *was = minute_at(s, number - 1);
    double volume = (double)m->volume, net = fabs((double)m->net);
    double range = (double)(m->high - m->low) * BPS;
    m->absorbed = volume > volume_before(s, number) && net < BALANCED * volume &&
                  range < QUIET_BPS * (double)m->low;
    int64_t step = m->close - was->close;
    bool back = (was->net > 0 && step < 0) || (was->net < 0 && step > 0);
    bool pushed = (double)was->volume > volume_before(s, number - 1) &&
                  fabs((double)was->net) > ONE_SIDED * (double)was->volume;
    m->exhausted = pushed && back;
}

/* Clusters the points of the last `span` periods up to `last`. */
static void levels_find(
    struct foot_state *s, struct levels *to, int64_t span, size_t least, int64_t last) {
    double x[POINTS_MAX] = {0};
    int32_t label[POINTS_MAX];
    uint32_t queue[POINTS_MAX];
    struct pick point[POINTS_MAX];
    int64_t when[POINTS_MAX];
    size_t n = 0;
    to->volume = 0.0;
    for (int64_t p = last - span + 1; p <= last; p++) {
        for (size_t i = 0; i < PICKS; i++) {
            struct pick k = s->pick[(uint64_t)p % PERIODS][i];
            if (k.volume == 0) continue;
            x[n] = (double)k.bin * BIN_BPS;
            point[n] = k;
            when[n++] = p;
            to->volume += (double)k.volume;
        }
    }
    to->n = dbscan(x, n, 1, LEVEL_EPS_BPS, least, label, queue);
    memset(to->level, 0, sizeof to->level);
    for (size_t i = 0; i < n; i++) {
        if (label[i] == DBSCAN_NOISE) continue;
        struct level *l = &to->level[label[i]];
        l->ln += (double)point[i].volume * (double)point[i].bin;
        l->volume += (double)point[i].volume;
        l->last = when[i]; /* oldest first */
    }
    for (size_t i = 0; i < to->n; i++) {
        struct level *l = &to->level[i];
        double age = (double)(last - l->last) * 300.0;
        l->ln = (l->ln / l->volume + 0.5) * BIN_LN;
        l->fade = dm_exp(-age / HALF_LIFE_S * 0.69314718055994530942);
    }
}

/* The open period is over, and `passed - 1` empty ones behind it. */
static void period_close(struct foot_state *s, int64_t passed) {
    size_t first = print_largest(&s->period, BINS), second = print_largest(&s->period, first);
    struct pick *pick = s->pick[(uint64_t)s->period_now % PERIODS];
    memset(pick, 0, sizeof s->pick[0]);
    if (first < BINS) pick[0] = (struct pick){s->period.bin[first], s->period.volume[first]};
    if (first < BINS && second < BINS)
        pick[1] = (struct pick){s->period.bin[second], s->period.volume[second]};
    print_clear(&s->period);
    for (int64_t i = 1; i < passed && i <= PERIODS; i++)
        memset(s->pick[(uint64_t)(s->period_now + i) % PERIODS], 0, sizeof s->pick[0]);
    s->period_now += passed;
    for (size_t i = 0; i < 3; i++)
        if (s->period_now - s->period_first > spans[i])
            levels_find(s, &s->levels[i], spans[i], leasts[i], s->period_now - 1);
}

static void foot_roll(struct foot_state *s, int64_t ns) {
    int64_t minute = ns / MINUTE_NS, period = ns / PERIOD_NS;
    if (!s->started) {
        s->minute_now = s->minute_first = minute;
        s->period_now = s->period_first = period;
        s->started = 1;
    }
    if (minute - s->minute_now > MINUTES) { /* nothing of the ring would be left */
        memset(s->minute, 0, sizeof s->minute);
        for (size_t i = 0; i < MINUTES; i++) s->minute[i].close = s->price;
        s->minute_now = minute;
    }
    for (; s->minute_now < minute; s->minute_now++) {
        minute_close(s, s->minute_now);
        *minute_at(s, s->minute_now + 1) = (struct minute){0};
    }
    if (period > s->period_now) period_close(s, period - s->period_now);
}

static void foot_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct foot_state *s = state;
    (void)change;
    if (!is_market_trade(ev)) return;
    int64_t px = ev->px.ticks, qty = ev->qty.lots, net = ev->flags & EVF_BUY ? qty : -qty;
    foot_roll(s, ev->ts_local.ns);
    if (px != s->last_px) {
        s->last_bin = (int64_t)floor(dm_log(instrument_px(ctx->inst, ev->px)) / BIN_LN);
        s->last_px = px;
    }
    print_add(&s->bucket, s->last_bin, qty, net);
    print_add(&s->period, s->last_bin, qty, net);
    struct minute *m = minute_at(s, s->minute_now);
    if (m->volume == 0 || px > m->high) m->high = px;
    if (m->volume == 0 || px < m->low) m->low = px;
    m->volume += qty;
    m->net += net;
    s->price = px;
}

static void foot_bucket(struct foot_state *s, double *out) {
    const struct print *p = &s->bucket;
    size_t top = print_largest(p, BINS);
    double all = 0.0, squares = 0.0;
    for (uint64_t i = 0; i < p->n; i++) {
        double v = (double)p->volume[p->used[i]];
        all += v;
        squares += v * v;
    }
    out[P_DELTA] = top < BINS ? (double)p->net[top] / (double)p->volume[top] : MISSING;
    out[P_CONCENTRATION] = ratio_of(squares, all * all);
    print_clear(&s->bucket);
}

static void foot_minutes(struct foot_state *s, double *out) {
    bool full = s->started && s->minute_now - s->minute_first >= 2 * HOUR + 2;
    int64_t absorbed = 0, exhausted = 0;
    for (int64_t m = s->minute_now - HOUR; full && m < s->minute_now; m++) {
        absorbed += minute_at(s, m)->absorbed;
        exhausted += minute_at(s, m)->exhausted;
    }
    out[P_ABSORPTION] = full ? (double)absorbed : MISSING;
    out[P_EXHAUSTION] = full ? (double)exhausted : MISSING;
}

/* Nearest level on each side (0 below, 1 above; NULL if none) and the ratio of the weights. */
static double levels_weigh(
    const struct levels *l, double ln_px, const struct level *near[2], double distance[2]) {
    double weight[2] = {0.0, 0.0};
    near[0] = near[1] = NULL;
    distance[0] = distance[1] = MISSING;
    for (uint64_t i = 0; i < l->n; i++) {
        double off = BPS * (l->level[i].ln - ln_px), away = fabs(off);
        size_t side = off >= 0.0;
        weight[side] += l->level[i].volume * l->level[i].fade * dm_exp(-away / REACH_BPS);
        if (near[side] && away >= distance[side]) continue;
        near[side] = &l->level[i];
        distance[side] = away;
    }
    return weight[0] > 0.0 && weight[1] > 0.0 ? dm_log(weight[1] / weight[0]) : MISSING;
}

static void foot_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct foot_state *s = state;
    const struct level *near[2] = {NULL, NULL};
    double distance[2], ln_px = view->px > 0.0 ? dm_log(view->px) : MISSING;
    int64_t now = bucket_last_ns(b);
    (void)ctx;
    if (s->started) foot_roll(s, now);
    foot_bucket(s, out);
    foot_minutes(s, out);
    for (size_t i = P_SUPPORT; i < P_ROWS; i++) out[i] = MISSING;
    for (size_t i = 0; i < 3; i++) {
        if (isnan(ln_px) || !s->started || s->period_now - s->period_first <= spans[i]) continue;
        out[P_LOG_RATIO + i] = levels_weigh(&s->levels[i], ln_px, near, distance);
        out[P_SUPPORT + i] = distance[0];
        out[P_RESISTANCE + i] = distance[1];
        for (size_t side = 0; side < 2 && i == 2; side++) {
            if (!near[side]) continue;
            double share = near[side]->volume / s->levels[i].volume;
            out[P_STRENGTH + side] = share * near[side]->fade;
            out[P_AGE + side] = (double)(now - (near[side]->last + 1) * PERIOD_NS) / 60e9;
        }
    }
}

const struct feature_family feature_family_foot = {
    .name = "foot",
    .defs = defs,
    .count = P_ROWS,
    .kinds = KINDS_TRADE,
    .state_size = foot_state_size,
    .on_event = foot_on_event,
    .on_bucket = foot_on_bucket,
};
