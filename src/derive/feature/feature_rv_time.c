/* feature_rv_time.c: realised variance on the clock of time. More rows of the family `rv`.
 *
 * Samples  the mid after the last book message before each whole second (window s60), each fifth
 *          second (s300) and each minute (h1): 60 returns in every window, whatever the bucket. A
 *          mid older than a minute, or of a book out of step at that message, is no sample.
 * HAR      hourly variances of Corsi's cascade, from the reference price at the last close of each
 *          five minutes: a span without a close repeats the price before it, so the move counts
 *          when it is seen. An hour without any close is missing and breaks the chain, so the hour
 *          after it is missing too; so is the hour in which the stream began.
 */
#include "derive/feature/estimators.h"
#include "derive/feature/feature_internal.h"

enum { GRIDS = 3, SAMPLES = 61, RETURNS = 60 };
enum part { P_VAR, P_BIPOWER, P_MEDRV, P_JUMP, P_JUMP_RATIO, PARTS };
enum { R_HAR_H1 = GRIDS * PARTS, R_HAR_D1, R_HAR_W1, R_ROWS };
enum { DAY_H = 24, WEEK_H = 168, HOUR_SPANS = 12 };
#define SPAN_NS (300 * NS_PER_S)
#define MID_AGE_MAX (60 * NS_PER_S)

static const int64_t grid_ns[GRIDS] = {NS_PER_S, 5 * NS_PER_S, 60 * NS_PER_S};

#define GONE_MID "a mid in the window is missing or older than a minute; before it is full"
#define GONE_HOUR "an hour without a close, or the one after it, in the window; before it is full"
#define ROW(N, UNIT, W, WARM, SOURCE, ABOUT, GONE)                                                 \
    FEATURE_ROW_APART(                                                                             \
        "rv_" N "_" W, UNIT, W, WARM, NEED_DEPTH, "FEA7", SOURCE, ABOUT, GONE, CLOCK_TIME)
#define GRID(AT, W, WARM, EACH)                                                                    \
    [(AT)*PARTS +                                                                                  \
        P_VAR] = ROW("var", "bps^2", W, WARM, "Andersen, Bollerslev, Diebold, Labys 2003",         \
        "sum of 60 squared returns of mids sampled each " EACH, GONE_MID),                         \
        [(AT)*PARTS + P_BIPOWER] =                                                                 \
            ROW("bipower", "bps^2", W, WARM, "Barndorff-Nielsen, Shephard 2004",                   \
                "pi/2 n/(n-1) sum |r_t||r_t-1|, 60 returns of mids sampled each " EACH, GONE_MID), \
        [(AT)*PARTS + P_MEDRV] =                                                                   \
            ROW("medrv", "bps^2", W, WARM, "Andersen, Dobrev, Schaumburg 2012",                    \
                "pi/(6 - 4 sqrt 3 + pi) n/(n-2) sum of squared medians of three, 60 returns "      \
                "of mids sampled each " EACH,                                                      \
                GONE_MID),                                                                         \
        [(AT)*PARTS + P_JUMP] = ROW("jump", "bps^2", W, WARM, "Barndorff-Nielsen, Shephard 2004",  \
            "max(realised variance - bipower variance, 0) of mids sampled each " EACH, GONE_MID),  \
        [(AT)*PARTS + P_JUMP_RATIO] =                                                              \
            ROW("jump_ratio", "1", W, WARM, "Barndorff-Nielsen, Shephard 2004",                    \
                "jump part / realised variance of mids sampled each " EACH, GONE_MID "; no move")
#define HAR(N, W, HOURS, ABOUT)                                                                    \
    {                                                                                              \
        .name = N, .unit = "bps^2", .window = W, .source = "Corsi 2009", .about = ABOUT,           \
        .missing = GONE_HOUR, .capability = "FEA7", .warmup = ((HOURS) + 2) * 3600 + 360,          \
        .needs = NEED_DEPTH, .version = 1, .clock = CLOCK_TIME, .bars_ok = true, .apart = true     \
    }

static const struct feature_def defs[R_ROWS] = {
    GRID(0, "s60", 132, "second"),
    GRID(1, "s300", 372, "fifth second"),
    GRID(2, "h1", 3900, "minute"),
    [R_HAR_H1] = HAR("rv_har_h1", "h1", 1, "sum of 12 squared five-minute returns, the last hour"),
    [R_HAR_D1] = HAR("rv_har_d1", "d1", DAY_H, "mean of rv_har_h1 over the last 24 whole hours"),
    [R_HAR_W1] = HAR("rv_har_w1", "w1", WEEK_H, "mean of rv_har_h1 over the last 168 whole hours"),
};

struct grid {
    int64_t tick; /* number of the last sample's instant, in steps since 1970 */
    uint64_t n;   /* samples taken */
    bool fresh;   /* sampled since the parts were computed */
    uint8_t pad[7];
    double mid[SAMPLES]; /* 1e4 ln mid */
    double part[PARTS];
};

struct cascade {
    bool begun, seen; /* seen: a close with a price in this hour */
    uint8_t pad[6];
    int64_t span;
    uint64_t hours;
    double px, before, sum; /* price now, at the end of the span before; squares of this hour */
    double hour[WEEK_H];
};

struct rv_time_state {
    int64_t mid2, mid_ns; /* best bid + best ask after the last message, 0 = no book */
    bool begun;
    uint8_t pad[7];
    struct grid grid[GRIDS];
    struct cascade har;
};

static size_t rv_time_state_size(void) { return sizeof(struct rv_time_state); }

static void cascade_begin(struct cascade *c, int64_t span) {
    memset(c, 0, sizeof *c);
    c->begun = true;
    c->span = span;
    c->px = c->before = MISSING;
    for (size_t i = 0; i < WEEK_H; i++) c->hour[i] = MISSING;
}

static double log_bps(double now, double before) {
    double ratio = ratio_of(now, before);
    return ratio > 0.0 ? BPS * dm_log(ratio) : MISSING;
}

static void cascade_span_end(struct cascade *c) {
    double r = log_bps(c->px, c->before);
    c->sum += r * r;
    c->before = c->px;
    if (++c->span % HOUR_SPANS != 0) return;
    c->hour[c->hours++ % WEEK_H] = c->seen ? c->sum : MISSING;
    if (!c->seen) c->px = c->before = MISSING;
    c->seen = false;
    c->sum = 0.0;
}

static void cascade_close(struct cascade *c, int64_t ns, double px) {
    int64_t span = ns / SPAN_NS;
    if (!c->begun || span - c->span > WEEK_H * HOUR_SPANS) cascade_begin(c, span);
    while (c->span < span) cascade_span_end(c);
    if (isnan(px)) return;
    c->px = px;
    c->seen = true;
}

/* Mean of the last n hours, oldest first; the ring holds "missing" before the start. */
static double cascade_mean(const struct cascade *c, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += c->hour[(c->hours + WEEK_H - n + i) % WEEK_H];
    return sum / (double)n;
}

/* Takes the samples due up to and with `ns`; all messages before `ns` are known. A silence longer
 * than the ring leaves nothing but missing samples, so only its end is written. */
static void grid_roll(
    struct grid *g, int64_t step, int64_t ns, const struct rv_time_state *s, double mid) {
    int64_t tick = ns / step;
    if (tick <= g->tick) return;
    if (tick - g->tick > SAMPLES) g->tick = tick - SAMPLES;
    while (g->tick < tick) {
        g->tick++;
        bool young_mid = g->tick * step - s->mid_ns <= MID_AGE_MAX;
        g->mid[g->n++ % SAMPLES] = young_mid ? mid : MISSING;
    }
    g->fresh = true;
}

static void sample(struct rv_time_state *s, const struct feature_ctx *ctx, int64_t ns) {
    if (!s->begun) return;
    if (ns / NS_PER_S <= s->grid[0].tick) return; /* the other steps are multiples */
    double mid = s->mid2 > 0 ? BPS * dm_log(0.5 * (double)s->mid2 * ctx->px_unit) : MISSING;
    for (size_t i = 0; i < GRIDS; i++) grid_roll(&s->grid[i], grid_ns[i], ns, s, mid);
}

static void grid_parts(struct grid *g) {
    double r[RETURNS], var = 0.0;
    g->fresh = false;
    for (size_t i = 0; i < PARTS; i++) g->part[i] = MISSING;
    if (g->n < SAMPLES) return;
    for (size_t i = 0; i < RETURNS; i++) {
        r[i] = g->mid[(g->n + i + 1) % SAMPLES] - g->mid[(g->n + i) % SAMPLES];
        var += r[i] * r[i];
    }
    if (isnan(var)) return;
    double bipower = bipower_variance(r, RETURNS), jump = var > bipower ? var - bipower : 0.0;
    g->part[P_VAR] = var;
    g->part[P_BIPOWER] = bipower;
    g->part[P_MEDRV] = med_rv(r, RETURNS);
    g->part[P_JUMP] = jump;
    g->part[P_JUMP_RATIO] = ratio_of(jump, var);
}

static void rv_time_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct rv_time_state *s = state;
    struct book_level bid, ask;
    int64_t now = ev->ts_local.ns;
    (void)change;
    sample(s, ctx, now);
    if (!s->begun)
        for (size_t i = 0; i < GRIDS; i++) s->grid[i].tick = now / grid_ns[i];
    s->begun = true;
    bool there = book_state(ctx->book) == BOOK_SYNCED && book_best(ctx->book, BOOK_BID, &bid) &&
                 book_best(ctx->book, BOOK_ASK, &ask);
    s->mid2 = there ? bid.px.ticks + ask.px.ticks : 0;
    s->mid_ns = now;
}

static void rv_time_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct rv_time_state *s = state;
    sample(s, ctx, b->close_ts.ns);
    for (size_t i = 0; i < GRIDS; i++) {
        if (s->grid[i].fresh || s->grid[i].n == 0) grid_parts(&s->grid[i]);
        memcpy(out + i * PARTS, s->grid[i].part, sizeof s->grid[i].part);
    }
    cascade_close(&s->har, bucket_last_ns(b), view->px);
    out[R_HAR_H1] = cascade_mean(&s->har, 1);
    out[R_HAR_D1] = cascade_mean(&s->har, DAY_H);
    out[R_HAR_W1] = cascade_mean(&s->har, WEEK_H);
}

const struct feature_family feature_family_rv_time = {
    .name = "rv",
    .defs = defs,
    .count = R_ROWS,
    .kinds = 1u << EV_DEPTH | 1u << EV_DEPTH_END,
    .state_size = rv_time_state_size,
    .on_event = rv_time_on_event,
    .on_bucket = rv_time_on_bucket,
};
