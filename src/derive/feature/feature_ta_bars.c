/* feature_ta_bars.c: closed bars of one, five and sixty minutes, and the indicators' rows.
 *
 * Bars come from market trades; where there were none yet, from the venue's own closed bars (those
 * no longer than the frame that divide it). A bar in which nothing traded repeats the last price
 * with no volume. The bar in which the input began is not used: part of it was not seen. When
 * trades come after venue bars, the open bar counts as begun anew.
 */
#include "derive/feature/feature_ta_internal.h"

enum { FRAMES = 3, ROWS = FRAMES * T_COUNT };

static const int64_t frame_ns[FRAMES] = {60 * NS_PER_S, 300 * NS_PER_S, 3600 * NS_PER_S};

/* Warm-up: the bars needed, the cut one at the start, and one in which trading may begin. */
#define ROW(FRAME, TAG, SECONDS, ID, WHAT, N, UNIT, BARS, SOURCE, ABOUT, GONE)                     \
    [FRAME * T_COUNT + T_##ID] = {.name = "ta_" WHAT "_" TAG "_n" #N,                              \
        .unit = UNIT,                                                                              \
        .window = #N "x" TAG,                                                                      \
        .source = SOURCE,                                                                          \
        .about = ABOUT,                                                                            \
        .missing = GONE,                                                                           \
        .capability = "FEA12",                                                                     \
        .warmup = (BARS + 2) * SECONDS,                                                            \
        .needs = NEED_TRADE,                                                                       \
        .version = 1,                                                                              \
        .clock = CLOCK_TIME,                                                                       \
        .bars_ok = true,                                                                           \
        .apart = true},
#define ROW_M1(...) ROW(0, "m1", 60, __VA_ARGS__)
#define ROW_M5(...) ROW(1, "m5", 300, __VA_ARGS__)
#define ROW_H1(...) ROW(2, "h1", 3600, __VA_ARGS__)

static const struct feature_def defs[ROWS] = {
    TA_INDICATORS(ROW_M1) TA_INDICATORS(ROW_M5) TA_INDICATORS(ROW_H1)};

struct frame {
    int64_t bin;                       /* the open bar's number since 1970 */
    double open, high, low, last, qty; /* of it; last: also of bars before */
    uint64_t bars;                     /* closed in `window` so far */
    bool started, cut;                 /* cut: the open bar was not seen from its start */
    bool traded;                       /* the open bar has a price of its own */
    bool fresh;                        /* bars were closed since `value` was computed */
    uint8_t pad[4];
    struct ta_window window;
    double value[T_COUNT];
};

struct bars_state {
    int64_t kline_ns,
        kline_open; /* length of the venue's bars, open time of the latest; 0 = none */
    bool trades;    /* trades came: they make the bars from now on */
    uint8_t pad[7];
    struct frame frame[FRAMES];
};

static size_t bars_state_size(void) { return sizeof(struct bars_state); }

static void fill_missing(double *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = MISSING;
}

static void bars_init(void *state, const struct feature_ctx *ctx) {
    struct bars_state *s = state;
    (void)ctx;
    for (size_t i = 0; i < FRAMES; i++) {
        struct ta_window *w = &s->frame[i].window;
        double *const columns[] = {w->open, w->high, w->low, w->close, w->volume, w->ret};
        for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
            fill_missing(columns[c], TA_BARS);
        fill_missing(s->frame[i].value, T_COUNT);
    }
}

static void shift_in(double *x, double newest) {
    memmove(x, x + 1, (TA_BARS - 1) * sizeof *x);
    x[TA_BARS - 1] = newest;
}

/* Ends the open bar and opens the next one. */
static void frame_close(struct frame *f) {
    struct ta_window *w = &f->window;
    double before = w->close[TA_BARS - 1], change = ratio_of(f->last, before);
    if (!f->cut) {
        shift_in(w->open, f->traded ? f->open : f->last);
        shift_in(w->high, f->traded ? f->high : f->last);
        shift_in(w->low, f->traded ? f->low : f->last);
        shift_in(w->close, f->last);
        shift_in(w->volume, f->qty);
        shift_in(w->ret, change > 0.0 ? BPS * dm_log(change) : MISSING);
        f->bars++;
        f->fresh = true;
    }
    f->cut = f->traded = false;
    f->qty = 0.0;
    f->bin++;
}

/* Ends all bars before `bin`. After a silence longer than the window only its end counts. */
static void frame_roll(struct frame *f, int64_t bin) {
    if (f->bin < bin) frame_close(f);
    if (bin - f->bin > TA_BARS) f->bin = bin - TA_BARS;
    while (f->bin < bin) frame_close(f);
}

static void frame_add(struct frame *f, double o, double h, double l, double c, double qty) {
    if (!f->traded) {
        f->open = o;
        f->high = h;
        f->low = l;
    }
    f->high = h > f->high ? h : f->high;
    f->low = l < f->low ? l : f->low;
    f->last = c;
    f->qty += qty;
    f->traded = true;
}

static void frame_start(struct frame *f, int64_t bin, bool cut) {
    f->started = true;
    f->bin = bin;
    f->cut = cut;
}

static void on_trade(struct bars_state *s, const struct event *ev) {
    double px = (double)ev->px.ticks;
    bool first = !s->trades;
    s->trades = true;
    for (size_t i = 0; i < FRAMES; i++) {
        struct frame *f = &s->frame[i];
        int64_t bin = ev->ts_local.ns / frame_ns[i];
        if (!f->started) frame_start(f, bin, true);
        frame_roll(f, bin);
        if (first) f->cut = true;
        frame_add(f, px, px, px, px, (double)ev->qty.lots);
    }
}

/* A closed bar of the venue, newer than those before and of their length. */
static bool takes_kline(const struct bars_state *s, const struct event *ev) {
    if (s->trades || !(ev->flags & EVF_CLOSED) || ev->id <= 0) return false;
    if (ev->px.ticks <= 0 || ev->qty.lots < 0) return false;
    return s->kline_ns == 0 || (kline_end_ns(ev) - ev->id == s->kline_ns && ev->id > s->kline_open);
}

static void on_kline(struct bars_state *s, const struct event *ev) {
    const int64_t *k = event_words(ev);
    if (!takes_kline(s, ev)) return;
    int64_t end = kline_end_ns(ev);
    s->kline_ns = end - ev->id;
    s->kline_open = ev->id;
    for (size_t i = 0; i < FRAMES; i++) {
        struct frame *f = &s->frame[i];
        int64_t width = frame_ns[i], bin = ev->id / width;
        if (width % s->kline_ns != 0 || end > (bin + 1) * width) continue;
        if (!f->started) frame_start(f, bin, ev->id != bin * width);
        frame_roll(f, bin);
        if (ev->qty.lots > 0) /* a bar without volume has no price of its own */
            frame_add(f, (double)k[KLINE_OPEN_PX], (double)k[KLINE_HIGH_PX],
                (double)k[KLINE_LOW_PX], (double)ev->px.ticks, (double)ev->qty.lots);
        else if (f->last == 0.0)
            f->last = (double)ev->px.ticks;
        if (end == (bin + 1) * width) frame_roll(f, bin + 1);
    }
}

static void bars_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    (void)ctx;
    (void)change;
    if (ev->kind == EV_KLINE)
        on_kline(state, ev);
    else if (is_market_trade(ev))
        on_trade(state, ev);
}

/* Time passes without trades too; with venue bars only they themselves end a bar. */
static void bars_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct bars_state *s = state;
    (void)ctx;
    (void)view;
    for (size_t i = 0; i < FRAMES; i++) {
        struct frame *f = &s->frame[i];
        if (s->trades) frame_roll(f, b->close_ts.ns / frame_ns[i]);
        if (f->fresh) ta_compute(&f->window, f->bars, f->value);
        f->fresh = false;
        memcpy(out + i * T_COUNT, f->value, sizeof f->value);
    }
}

const struct feature_family feature_family_ta_bars = {
    .name = "ta",
    .defs = defs,
    .count = ROWS,
    .kinds = KINDS_TRADE | 1u << EV_KLINE,
    .state_size = bars_state_size,
    .init = bars_init,
    .on_event = bars_on_event,
    .on_bucket = bars_on_bucket,
};
