/* feature_book.c: the shape of the book at the bucket's close.
 *
 * All of it is read at the close, so the event path pays nothing. Distances are from mid in bps;
 * the limits of a band are exact integer prices (band_limit), so no rounding decides whether a
 * level belongs to it. Where the known book ends before a band or a walk does, the value is
 * missing, because what lies behind is not known.
 */
#include "derive/feature/feature_internal.h"

enum { BANDS = 5, WALKS = 4 };

enum book_row {
    B_MID,
    B_SPREAD_TICKS,
    B_SPREAD_BPS,
    B_MICRO,
    B_MICRO_L5,
    B_IMBALANCE = 5, /* l1 l3 l5 l10 l20 */
    B_IMBALANCE_DISTANCE = 10,
    B_IMBALANCE_VALUE,
    B_DEPTH_BID = 12, /* 1 5 10 25 50 bps */
    B_DEPTH_ASK = 17,
    B_DEPTH_RATIO = 22,
    B_DEPTH_L20 = 27, /* bid, ask; so are the pairs that follow */
    B_SLOPE = 29,
    B_CONVEXITY = 31,
    B_TAIL = 33,
    B_GAP = 35,
    B_DENSITY = 37,
    B_WALK_SELL = 39, /* 1 5 10 50 units, into the bids */
    B_WALK_BUY = 43,
    B_LINEAR = 47,
    B_ROOT = 49,
    B_WALL = 51,
    B_WALL_DISTANCE = 53,
    B_PRESSURE_B5 = 55,
    B_PRESSURE_B20,
    B_PRESSURE_B60,
    B_SPREAD_MEAN_B20,
    B_IMBALANCE_CHANGE,
    B_MICRO_MEAN_B5,
    B_ROWS
};

static const int64_t band_bps[BANDS] = {1, 5, 10, 25, 50};
static const double walk_units[WALKS] = {1.0, 5.0, 10.0, 50.0};

#define ROW(NAME, UNIT, W, WARM, SOURCE, ABOUT, GONE)                                              \
    FEATURE_ROW(NAME, UNIT, W, WARM, NEED_DEPTH, false, "FEA1", SOURCE, ABOUT, GONE)
#define NOW(NAME, UNIT, SOURCE, ABOUT, GONE) ROW(NAME, UNIT, "last", 0, SOURCE, ABOUT, GONE)
#define DEF "definition"
#define GONE_BOOK "book not synchronised or a side empty"
#define GONE_LEVELS "book not synchronised; fewer levels than named"
#define GONE_END "book not synchronised; the known book ends before"
#define BOTH(AT, NAME, SUFFIX, UNIT, SOURCE, ABOUT, GONE)                                          \
    [AT] = NOW(NAME "_bid" SUFFIX, UNIT, SOURCE, ABOUT ", bids", GONE),                            \
    [AT + 1] = NOW(NAME "_ask" SUFFIX, UNIT, SOURCE, ABOUT ", asks", GONE)
#define FIVE(AT, NAME, UNIT, SOURCE, ABOUT, GONE)                                                  \
    [AT] = NOW(NAME "_1bps", UNIT, SOURCE, ABOUT " within 1 bps of mid", GONE),                    \
    [AT + 1] = NOW(NAME "_5bps", UNIT, SOURCE, ABOUT " within 5 bps of mid", GONE),                \
    [AT + 2] = NOW(NAME "_10bps", UNIT, SOURCE, ABOUT " within 10 bps of mid", GONE),              \
    [AT + 3] = NOW(NAME "_25bps", UNIT, SOURCE, ABOUT " within 25 bps of mid", GONE),              \
    [AT + 4] = NOW(NAME "_50bps", UNIT, SOURCE, ABOUT " within 50 bps of mid", GONE)
#define WALK(AT, NAME, ABOUT)                                                                      \
    [AT] = NOW(NAME "_q1", "bps", DEF, ABOUT " 1 unit", GONE_END),                                 \
    [AT + 1] = NOW(NAME "_q5", "bps", DEF, ABOUT " 5 units", GONE_END),                            \
    [AT + 2] = NOW(NAME "_q10", "bps", DEF, ABOUT " 10 units", GONE_END),                          \
    [AT + 3] = NOW(NAME "_q50", "bps", DEF, ABOUT " 50 units", GONE_END)

static const struct feature_def defs[B_ROWS] = {
    [B_MID] = NOW("book_mid", "quote", DEF, "(best bid + best ask) / 2", GONE_BOOK),
    [B_SPREAD_TICKS] =
        NOW("book_spread_ticks", "ticks", DEF, "best ask - best bid in venue ticks", GONE_BOOK),
    [B_SPREAD_BPS] =
        NOW("book_spread_bps", "bps", DEF, "1e4 (best ask - best bid) / mid", GONE_BOOK),
    [B_MICRO] = NOW("book_microprice_dev_l1", "bps", "Gatheral, Oomen 2010",
        "1e4 (microprice / mid - 1), microprice = (bid x ask size + ask x bid size) / sizes",
        GONE_BOOK),
    [B_MICRO_L5] = NOW("book_microprice_dev_l5", "bps", "Gatheral, Oomen 2010, sizes of 5 levels",
        "the same with the sizes of 5 levels", GONE_LEVELS),
    [B_IMBALANCE] = NOW("book_imbalance_l1", "1", "Cartea, Jaimungal, Penalva 2015, ch. 9",
        "(bid size - ask size) / (bid size + ask size), 1 level", GONE_LEVELS),
    [B_IMBALANCE + 1] = NOW("book_imbalance_l3", "1", "Cartea, Jaimungal, Penalva 2015, ch. 9",
        "(bid size - ask size) / (bid size + ask size), 3 levels", GONE_LEVELS),
    [B_IMBALANCE + 2] = NOW("book_imbalance_l5", "1", "Cartea, Jaimungal, Penalva 2015, ch. 9",
        "(bid size - ask size) / (bid size + ask size), 5 levels", GONE_LEVELS),
    [B_IMBALANCE + 3] = NOW("book_imbalance_l10", "1", "Cartea, Jaimungal, Penalva 2015, ch. 9",
        "(bid size - ask size) / (bid size + ask size), 10 levels", GONE_LEVELS),
    [B_IMBALANCE + 4] = NOW("book_imbalance_l20", "1", "Cartea, Jaimungal, Penalva 2015, ch. 9",
        "(bid size - ask size) / (bid size + ask size), 20 levels", GONE_LEVELS),
    [B_IMBALANCE_DISTANCE] = NOW("book_imbalance_distance_l10", "1", DEF,
        "imbalance of 10 levels, sizes weighted by 1 / (1 + distance from mid in bps)",
        GONE_LEVELS),
    [B_IMBALANCE_VALUE] = NOW("book_imbalance_value_l10", "1", "source document S3",
        "imbalance of 10 levels of price x size", GONE_LEVELS),
    FIVE(B_DEPTH_BID, "book_depth_bid", "base", DEF, "bid quantity", GONE_END),
    FIVE(B_DEPTH_ASK, "book_depth_ask", "base", DEF, "ask quantity", GONE_END),
    FIVE(B_DEPTH_RATIO, "book_depth_imbalance", "1", DEF, "(bid - ask) / (bid + ask) quantity",
        GONE_END "; both empty"),
    BOTH(B_DEPTH_L20, "book_depth", "_l20", "base", DEF, "quantity of 20 levels", GONE_LEVELS),
    BOTH(B_SLOPE, "book_slope", "_l10", "base/bps", "Naes, Skjeltorp 2006, by least squares",
        "slope of cumulated quantity over distance from mid, 10 levels", GONE_LEVELS),
    BOTH(B_CONVEXITY, "book_convexity", "_l10", "base", DEF,
        "mean second difference of cumulated quantity, 10 levels", GONE_LEVELS),
    BOTH(B_TAIL, "book_tail_width", "_l20", "bps", DEF,
        "distance between the levels that reach 50 % and 90 % of the quantity of 20 levels",
        GONE_LEVELS),
    BOTH(B_GAP, "book_gap_max", "_l20", "ticks", DEF,
        "largest price step between neighbours of 20 levels", GONE_LEVELS),
    BOTH(B_DENSITY, "book_density", "_l20", "1", DEF,
        "levels / ticks from the best to the 20th level", GONE_LEVELS),
    WALK(B_WALK_SELL, "book_impact_sell", "1e4 (1 - mean price / mid) of selling at once"),
    WALK(B_WALK_BUY, "book_impact_buy", "1e4 (mean price / mid - 1) of buying at once"),
    [B_LINEAR] = NOW("book_impact_linear_sell", "bps/base", "least squares through the origin",
        "slope of walked impact over 1, 5, 10, 50 units sold", GONE_END),
    [B_LINEAR + 1] = NOW("book_impact_linear_buy", "bps/base", "least squares through the origin",
        "slope of walked impact over 1, 5, 10, 50 units bought", GONE_END),
    [B_ROOT] = NOW("book_impact_sqrt_sell", "bps/sqrt(base)",
        "least squares through the origin; Almgren et al. 2005",
        "slope of walked impact over the root of 1, 5, 10, 50 units sold", GONE_END),
    [B_ROOT + 1] = NOW("book_impact_sqrt_buy", "bps/sqrt(base)",
        "least squares through the origin; Almgren et al. 2005",
        "slope of walked impact over the root of 1, 5, 10, 50 units bought", GONE_END),
    BOTH(B_WALL, "book_wall", "_l20", "base", DEF, "largest resting level of 20", GONE_LEVELS),
    BOTH(B_WALL_DISTANCE, "book_wall_distance", "_l20", "bps", DEF,
        "distance from mid of the largest resting level of 20 (the nearest of equals)",
        GONE_LEVELS),
    [B_PRESSURE_B5] = ROW("book_pressure_l5_b5", "1", "b5", 5, DEF,
        "mean of book_imbalance_l5 at 5 closes", "one of them missing"),
    [B_PRESSURE_B20] = ROW("book_pressure_l5_b20", "1", "b20", 20, DEF,
        "mean of book_imbalance_l5 at 20 closes", "one of them missing"),
    [B_PRESSURE_B60] = ROW("book_pressure_l5_b60", "1", "b60", 60, DEF,
        "mean of book_imbalance_l5 at 60 closes", "one of them missing"),
    [B_SPREAD_MEAN_B20] = ROW("book_spread_ratio_b20", "1", "b20", 20, DEF,
        "spread / its mean at 20 closes", "one of them missing"),
    [B_IMBALANCE_CHANGE] = ROW("book_imbalance_change_l5_b1", "1", "b1", 1, DEF,
        "book_imbalance_l5 minus its value one close before", "one of them missing"),
    [B_MICRO_MEAN_B5] = ROW("book_microprice_dev_l1_b5", "bps", "b5", 5, DEF,
        "mean of book_microprice_dev_l1 at 5 closes", "one of them missing"),
};

struct book_family_state {
    struct series imbalance, spread, micro;
};

static size_t book_state_size(void) { return sizeof(struct book_family_state); }

/* The last price of a side that lies within `bps` of mid. */
static price_t band_limit(int side, int64_t mid2, int64_t bps) {
    int128 part = (int128)mid2 * (side == BOOK_ASK ? 10000 + bps : 10000 - bps);
    int64_t down = (int64_t)(part / 20000);
    return (price_t){side == BOOK_BID && part % 20000 != 0 ? down + 1 : down};
}

static double distance_bps(const struct feature_view *v, int side, price_t px) {
    int64_t twice = 2 * px.ticks - v->mid2;
    return BPS * (double)(side == BOOK_ASK ? twice : -twice) / (double)v->mid2;
}

static double imbalance_of(double bid, double ask) { return ratio_of(bid - ask, bid + ask); }

/* Quantity of the best n levels in units; NaN if there are fewer. */
static double level_sum(const struct feature_view *v, int side, size_t n) {
    if (v->levels[side] < n) return MISSING;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += (double)v->top[side][i].qty.lots;
    return sum;
}

static void book_touch(const struct feature_view *v, const struct feature_ctx *ctx, double *out) {
    static const size_t levels[5] = {1, 3, 5, 10, 20};
    int64_t bid = v->top[BOOK_BID][0].px.ticks, ask = v->top[BOOK_ASK][0].px.ticks;
    double half = 0.5 * (double)(ask - bid) / (0.5 * (double)v->mid2) * BPS;
    out[B_MID] = v->mid;
    out[B_SPREAD_TICKS] = (double)(ask - bid) / (double)ctx->inst->tick_units;
    out[B_SPREAD_BPS] = 2.0 * half;
    for (size_t i = 0; i < 5; i++)
        out[B_IMBALANCE + i] =
            imbalance_of(level_sum(v, BOOK_BID, levels[i]), level_sum(v, BOOK_ASK, levels[i]));
    /* microprice - mid = half the spread x imbalance */
    out[B_MICRO] = half * out[B_IMBALANCE];
    out[B_MICRO_L5] = half * out[B_IMBALANCE + 2];
}

struct weighted {
    double distance, value; /* imbalances; missing with fewer levels */
};

static struct weighted book_weighted(const struct feature_view *v, size_t n) {
    double near[2] = {0.0, 0.0}, value[2] = {0.0, 0.0};
    if (v->levels[BOOK_BID] < n || v->levels[BOOK_ASK] < n)
        return (struct weighted){MISSING, MISSING};
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < n; i++) {
            double q = (double)v->top[side][i].qty.lots;
            near[side] += q / (1.0 + distance_bps(v, side, v->top[side][i].px));
            value[side] += q * (double)v->top[side][i].px.ticks;
        }
    }
    return (struct weighted){imbalance_of(near[BOOK_BID], near[BOOK_ASK]),
        imbalance_of(value[BOOK_BID], value[BOOK_ASK])};
}

static void book_bands(const struct feature_view *v, const struct feature_ctx *ctx, double *out) {
    for (int side = 0; side < 2; side++) {
        int64_t away = side == BOOK_ASK ? 1 : -1, sum = 0;
        price_t from = v->top[side][0].px;
        struct book_level beyond;
        for (size_t i = 0; i < BANDS; i++) {
            price_t to = band_limit(side, v->mid2, band_bps[i]);
            sum += book_qty_between(ctx->book, side, from, to).lots;
            bool known = book_next(ctx->book, side, to, &beyond);
            size_t row = (side == BOOK_BID ? B_DEPTH_BID : B_DEPTH_ASK) + i;
            out[row] = known ? (double)sum * ctx->qty_unit : MISSING;
            if ((to.ticks - from.ticks) * away >= 0) from.ticks = to.ticks + away;
        }
    }
    for (size_t i = 0; i < BANDS; i++)
        out[B_DEPTH_RATIO + i] = imbalance_of(out[B_DEPTH_BID + i], out[B_DEPTH_ASK + i]);
}

static void book_slopes(const struct feature_view *v, int side, double unit, double *out) {
    double x[10], y[10], sum = 0.0;
    if (v->levels[side] < 10) return;
    for (size_t i = 0; i < 10; i++) {
        sum += (double)v->top[side][i].qty.lots * unit;
        x[i] = distance_bps(v, side, v->top[side][i].px);
        y[i] = sum;
    }
    out[B_SLOPE + side] = line_fit(x, y, 10).slope;
    int64_t step = v->top[side][9].qty.lots - v->top[side][0].qty.lots;
    out[B_CONVEXITY + side] = (double)step / 9.0 * unit;
}

static void book_shape(
    const struct feature_view *v, const struct feature_ctx *ctx, int side, double *out) {
    const struct book_level *l = v->top[side];
    if (v->levels[side] < FEATURE_LEVELS) return;
    double total = level_sum(v, side, FEATURE_LEVELS), sum = 0.0;
    double tick = (double)ctx->inst->tick_units;
    size_t half = FEATURE_LEVELS, most = FEATURE_LEVELS, wall = 0;
    int64_t gap = 0;
    for (size_t i = 0; i < FEATURE_LEVELS; i++) {
        sum += (double)l[i].qty.lots;
        if (half == FEATURE_LEVELS && sum >= 0.5 * total) half = i;
        if (most == FEATURE_LEVELS && sum >= 0.9 * total) most = i;
        if (l[i].qty.lots > l[wall].qty.lots) wall = i;
        int64_t step = i == 0 ? 0 : l[i].px.ticks - l[i - 1].px.ticks;
        if (step < 0) step = -step;
        if (step > gap) gap = step;
    }
    CHECK(half < FEATURE_LEVELS && most < FEATURE_LEVELS);
    int64_t span = l[FEATURE_LEVELS - 1].px.ticks - l[0].px.ticks;
    out[B_DEPTH_L20 + side] = total * ctx->qty_unit;
    out[B_TAIL + side] = distance_bps(v, side, l[most].px) - distance_bps(v, side, l[half].px);
    out[B_GAP + side] = (double)gap / tick;
    out[B_DENSITY + side] = FEATURE_LEVELS / ((double)(span < 0 ? -span : span) / tick + 1.0);
    out[B_WALL + side] = (double)l[wall].qty.lots * ctx->qty_unit;
    out[B_WALL_DISTANCE + side] = distance_bps(v, side, l[wall].px);
}

/* What taking 1, 5, 10, 50 units at once costs against mid. */
static void book_walk(
    const struct feature_view *v, const struct feature_ctx *ctx, int side, double *impact) {
    struct book_level level = v->top[side][0];
    int64_t taken = 0;
    int128 cost = 0; /* price units x quantity units */
    bool more = true;
    for (size_t i = 0; i < WALKS; i++) {
        double wanted = floor(walk_units[i] / ctx->qty_unit + 0.5);
        impact[i] = MISSING;
        if (wanted < 1.0 || wanted > 1e15) continue;
        int64_t target = (int64_t)wanted;
        while (more && taken + level.qty.lots <= target) {
            taken += level.qty.lots;
            cost += (int128)level.px.ticks * level.qty.lots;
            more = book_next(ctx->book, side, level.px, &level);
        }
        if (!more && taken < target) continue;
        int64_t rest = target - taken;
        double all = (double)(cost + (int128)level.px.ticks * rest);
        double mean = all / wanted, mid = 0.5 * (double)v->mid2;
        impact[i] = BPS * (side == BOOK_ASK ? mean - mid : mid - mean) / mid;
    }
}

/* Least squares through the origin of impact on units and on their root. */
static void book_impact_fit(const double *impact, double *linear, double *root) {
    double xy = 0.0, xx = 0.0, ry = 0.0, rr = 0.0;
    for (size_t i = 0; i < WALKS; i++) {
        xy += impact[i] * walk_units[i];
        xx += walk_units[i] * walk_units[i];
        ry += impact[i] * sqrt(walk_units[i]);
        rr += walk_units[i];
    }
    *linear = xy / xx;
    *root = ry / rr;
}

static void book_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct book_family_state *s = state;
    (void)b;
    for (size_t i = 0; i < B_ROWS; i++) out[i] = MISSING;
    if (view->book_ok) {
        book_touch(view, ctx, out);
        struct weighted ten = book_weighted(view, 10);
        out[B_IMBALANCE_DISTANCE] = ten.distance;
        out[B_IMBALANCE_VALUE] = ten.value;
        book_bands(view, ctx, out);
        for (int side = 0; side < 2; side++) {
            book_slopes(view, side, ctx->qty_unit, out);
            book_shape(view, ctx, side, out);
            double *impact = out + (side == BOOK_BID ? B_WALK_SELL : B_WALK_BUY);
            book_walk(view, ctx, side, impact);
            book_impact_fit(impact, &out[B_LINEAR + side], &out[B_ROOT + side]);
        }
    }
    double imbalance = out[B_IMBALANCE + 2], spread = out[B_SPREAD_BPS];
    out[B_IMBALANCE_CHANGE] = imbalance - series_lag(&s->imbalance, 0);
    series_push(&s->imbalance, imbalance);
    series_push(&s->spread, spread);
    series_push(&s->micro, out[B_MICRO]);
    out[B_PRESSURE_B5] = series_mean(&s->imbalance, 5);
    out[B_PRESSURE_B20] = series_mean(&s->imbalance, 20);
    out[B_PRESSURE_B60] = series_mean(&s->imbalance, 60);
    out[B_SPREAD_MEAN_B20] = ratio_of(spread, series_mean(&s->spread, 20));
    out[B_MICRO_MEAN_B5] = series_mean(&s->micro, 5);
}

const struct feature_family feature_family_book = {
    .name = "book",
    .defs = defs,
    .count = B_ROWS,
    .state_size = book_state_size,
    .on_bucket = book_on_bucket,
};

/* ---- the family book_weighted: a family of its own, so that the set "book" stays as it was ----
 */

enum more_row {
    M_MICRO,
    M_MICRO_L5,
    M_DISTANCE, /* l5 l20; at one level both sides are equally far: that is book_imbalance_l1 */
    M_VALUE = M_DISTANCE + 2, /* l1 l5 l20 */
    M_ROWS = M_VALUE + 3
};

#define MORE(NAME, UNIT, SOURCE, ABOUT, GONE)                                                      \
    FEATURE_ROW_APART(NAME, UNIT, "last", 0, NEED_DEPTH, "FEA1", SOURCE, ABOUT, GONE, CLOCK_BUCKET)
#define MORE_DISTANCE(N)                                                                           \
    MORE("book_weighted_imbalance_distance_l" N, "1", DEF,                                         \
        "imbalance of " N " levels, sizes weighted by 1 / (1 + distance from mid in bps)",         \
        GONE_LEVELS)
#define MORE_VALUE(N, LEVELS)                                                                      \
    MORE("book_weighted_imbalance_value_l" N, "1", "source document S3",                           \
        "imbalance of " N " " LEVELS " of price x size", GONE_LEVELS)

static const struct feature_def more_defs[M_ROWS] = {
    [M_MICRO] = MORE("book_weighted_microprice_l1", "quote", "Gatheral, Oomen 2010",
        "(best bid x ask size + best ask x bid size) / (bid size + ask size)", GONE_BOOK),
    [M_MICRO_L5] =
        MORE("book_weighted_microprice_l5", "quote", "Gatheral, Oomen 2010, sizes of 5 levels",
            "the same best prices with the sizes of 5 levels", GONE_LEVELS),
    [M_DISTANCE] = MORE_DISTANCE("5"),
    [M_DISTANCE + 1] = MORE_DISTANCE("20"),
    [M_VALUE] = MORE_VALUE("1", "level"),
    [M_VALUE + 1] = MORE_VALUE("5", "levels"),
    [M_VALUE + 2] = MORE_VALUE("20", "levels"),
};

static size_t more_state_size(void) { return 0; }

static double microprice(const struct feature_view *v, const struct feature_ctx *ctx, size_t n) {
    int64_t spread = v->top[BOOK_ASK][0].px.ticks - v->top[BOOK_BID][0].px.ticks;
    double imbalance = imbalance_of(level_sum(v, BOOK_BID, n), level_sum(v, BOOK_ASK, n));
    return v->mid + 0.5 * (double)spread * ctx->px_unit * imbalance;
}

static void more_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    (void)state;
    (void)b;
    for (size_t i = 0; i < M_ROWS; i++) out[i] = MISSING;
    if (!view->book_ok) return;
    struct weighted five = book_weighted(view, 5), all = book_weighted(view, FEATURE_LEVELS);
    out[M_MICRO] = microprice(view, ctx, 1);
    out[M_MICRO_L5] = microprice(view, ctx, 5);
    out[M_DISTANCE] = five.distance;
    out[M_DISTANCE + 1] = all.distance;
    out[M_VALUE] = book_weighted(view, 1).value;
    out[M_VALUE + 1] = five.value;
    out[M_VALUE + 2] = all.value;
}

const struct feature_family feature_family_book_weighted = {
    .name = "book_weighted",
    .defs = more_defs,
    .count = M_ROWS,
    .state_size = more_state_size,
    .on_bucket = more_on_bucket,
};
