#include "derive/vclock/vclock.h"

#include <string.h>

#include "base/check.h"
#include "base/decimal.h"
#include "base/hash.h"

enum vclock_source { SOURCE_NONE, SOURCE_BARS, SOURCE_AGG_TRADES, SOURCE_TRADES };

struct state {
    struct bucket_spec spec;
    struct bucket open;
    int64_t end_ns; /* the open bucket's end by time; INT64_MAX = none */
    int64_t bar_id; /* open time of the last bar counted */
    int64_t bar_ns; /* length of the bars; 0 = none seen */
    int64_t closed_in_a_row;
    int64_t px_mant, qty_mant; /* 0 = not told */
    uint8_t value_exp;         /* decimals of px unit x quantity unit */
    uint8_t source;            /* enum vclock_source */
    uint8_t live;              /* trades, depth or tickers were seen: bars do not count */
    uint8_t started;
    uint8_t pad[4];
};
_Static_assert(sizeof(struct state) <= VCLOCK_STATE_BYTES, "fits the public block");
_Static_assert(sizeof(struct bucket_spec) == 32, "no hidden padding");

static struct state *state_of(struct vclock *vc) { return (struct state *)(void *)vc->state; }
static const struct state *state_of_const(const struct vclock *vc) {
    return (const struct state *)(const void *)vc->state;
}

static int64_t floor_to(int64_t t, int64_t size) {
    int64_t rest = t % size;
    return t - (rest < 0 ? rest + size : rest);
}

static int64_t add_sat(int64_t a, int64_t b, struct bucket *o) {
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    o->gapped = 1;
    return b < 0 ? INT64_MIN : INT64_MAX;
}

static int64_t later(int64_t t, int64_t by) {
    int64_t sum;
    return __builtin_add_overflow(t, by, &sum) ? INT64_MAX : sum;
}

void vclock_init(struct vclock *vc, const struct bucket_spec *spec, uint16_t inst) {
    CHECK(spec->size > 0 && spec->mode <= BUCKET_UPDATE);
    CHECK(spec->time_limit_ns >= 0 && spec->first_id >= 0);
    memset(vc, 0, sizeof *vc);
    struct state *s = state_of(vc);
    s->spec = *spec;
    memset(s->spec.pad, 0, sizeof s->spec.pad);
    s->open.id = spec->first_id > 0 ? spec->first_id : 1;
    s->open.inst = inst;
    s->open.taker_known = s->open.value_known = 1;
    s->end_ns = INT64_MAX;
    s->bar_id = INT64_MIN;
}

void vclock_units(struct vclock *vc, const struct instrument *in) {
    struct state *s = state_of(vc);
    if (in->kind == INSTRUMENT_INVERSE) return;
    s->px_mant = in->px_mant;
    s->qty_mant = in->qty_mant;
    s->value_exp = (uint8_t)(in->px_exp + in->qty_exp);
}

/* ---- opening and closing ---- */

static int64_t end_after(const struct state *s, int64_t open_ns) {
    if (s->spec.mode == BUCKET_TIME) return later(floor_to(open_ns, s->spec.size), s->spec.size);
    return s->spec.time_limit_ns > 0 ? later(open_ns, s->spec.time_limit_ns) : INT64_MAX;
}

/* One assignment, no memset: gcc 12 forgets what a partly overwritten memset in a called function
 * changes and then drops stores of the caller (seen with `gapped` in start). */
static void open_next(struct state *s, int64_t id, int64_t open_ns) {
    s->open = (struct bucket){
        .id = id,
        .open_ts = {open_ns},
        .close_ts = {open_ns},
        .inst = s->open.inst,
        .taker_known = 1,
        .value_known = 1,
    };
    s->end_ns = end_after(s, open_ns);
}

static void close_at(struct state *s, int64_t close_ns, enum cut_trigger why, struct bucket *out) {
    CHECK(close_ns >= s->open.open_ts.ns);
    s->open.close_ts.ns = close_ns;
    s->open.trigger = (uint8_t)why;
    *out = s->open;
    open_next(s, s->open.id + 1, close_ns);
}

/* Long silence: the id and the open bucket go to where the clock is now. */
static void jump(struct state *s, int64_t now_ns) {
    int64_t period = s->spec.mode == BUCKET_TIME ? s->spec.size : s->spec.time_limit_ns;
    int64_t skipped = (now_ns - s->open.open_ts.ns) / period;
    open_next(s, s->open.id + skipped, s->open.open_ts.ns + skipped * period);
}

/* ---- what an event means for the clock ---- */

static bool is_market_trade(const struct event *ev) {
    return !(ev->flags & EVF_NON_MARKET) && ev->px.ticks > 0 && ev->qty.lots > 0;
}

int64_t kline_end_ns(const struct event *ev) {
    CHECK(ev->kind == EV_KLINE);
    int64_t close = event_words(ev)[KLINE_CLOSE_NS];
    if (close <= ev->id) return later(ev->id, 1);
    int64_t rest = close % NS_PER_S;
    return rest >= NS_PER_S - NS_PER_MS ? later(close, NS_PER_S - rest) : close;
}

static bool is_bar(const struct state *s, const struct event *ev) {
    return ev->kind == EV_KLINE && (ev->flags & EVF_CLOSED) && !s->live && ev->id > s->bar_id &&
           ev->qty.lots >= 0 && (s->bar_ns == 0 || kline_end_ns(ev) - ev->id == s->bar_ns);
}

/* Where the event stands on the clock's axis; false if it does not move it. */
static bool clock_time(const struct state *s, const struct event *ev, int64_t *t) {
    if (is_bar(s, ev)) {
        *t = ev->id;
        return true;
    }
    if (ev->kind == EV_KLINE && !s->live) return false;
    if (s->source == SOURCE_BARS && !s->live) return false;
    *t = ev->ts_local.ns;
    return true;
}

static bool is_live_kind(const struct event *ev) {
    return ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE || ev->kind == EV_DEPTH ||
           ev->kind == EV_DEPTH_END || ev->kind == EV_TICKER;
}

bool vclock_before(struct vclock *vc, const struct event *ev, struct bucket *out) {
    struct state *s = state_of(vc);
    int64_t t;
    if (!(ev->flags & EVF_FIRST) || !s->started) return false;
    if (is_live_kind(ev) && ev->inst == s->open.inst) s->live = 1;
    if (!clock_time(s, ev, &t) || t < s->end_ns) return false;
    if (s->closed_in_a_row > VCLOCK_EMPTY_MAX) {
        jump(s, t);
        return false;
    }
    s->closed_in_a_row++;
    close_at(s, s->end_ns, s->spec.mode == BUCKET_TIME ? CUT_TIME : CUT_LIMIT, out);
    return true;
}

/* ---- contents ---- */

static void add_value(struct bucket *o, int128 add) {
    int128 sum = bucket_value(o);
    if (__builtin_add_overflow(sum, add, &sum)) {
        o->gapped = 1;
        o->value_known = 0;
        return;
    }
    o->value_lo = (int64_t)(uint64_t)sum;
    o->value_hi = (int64_t)(sum >> 64);
}

static void add_prices(struct bucket *o, int64_t open, int64_t high, int64_t low, int64_t close) {
    if (o->open.ticks == 0) {
        o->open.ticks = open;
        o->high.ticks = high;
        o->low.ticks = low;
    }
    if (high > o->high.ticks) o->high.ticks = high;
    if (low < o->low.ticks) o->low.ticks = low;
    o->close.ticks = close;
}

static bool add_trade(struct state *s, const struct event *ev) {
    uint8_t source = ev->kind == EV_TRADE ? SOURCE_TRADES : SOURCE_AGG_TRADES;
    if (!is_market_trade(ev) || source < s->source) return false;
    s->source = source;
    struct bucket *o = &s->open;
    add_prices(o, ev->px.ticks, ev->px.ticks, ev->px.ticks, ev->px.ticks);
    o->volume.lots = add_sat(o->volume.lots, ev->qty.lots, o);
    o->trades++;
    if (ev->flags & EVF_BUY) {
        o->buy_volume.lots = add_sat(o->buy_volume.lots, ev->qty.lots, o);
        o->buy_trades++;
    }
    add_value(o, (int128)ev->px.ticks * ev->qty.lots);
    return true;
}

/* quote volume x 1e-8 / (px unit x quantity unit), rounded down; false when that is not known */
static bool bar_value(const struct state *s, const int64_t *w, int128 *value) {
    int64_t quote = w[KLINE_QUOTE_VOLUME_E8];
    if (s->px_mant == 0 || quote == KLINE_UNKNOWN || quote < 0) return false;
    int128 v = quote, unit = (int128)s->px_mant * s->qty_mant;
    int exp = (int)s->value_exp - 8;
    for (; exp > 0; exp--) {
        if (__builtin_mul_overflow(v, (int128)10, &v)) return false;
    }
    for (; exp < 0; exp++) {
        if (__builtin_mul_overflow(unit, (int128)10, &unit)) return false;
    }
    *value = v / unit;
    return true;
}

static void add_bar(struct state *s, const struct event *ev) {
    const int64_t *w = event_words(ev);
    struct bucket *o = &s->open;
    int128 value;
    s->source = SOURCE_BARS;
    s->bar_id = ev->id;
    s->bar_ns = kline_end_ns(ev) - ev->id;
    o->from_kline = 1;
    if (ev->qty.lots > 0 && ev->px.ticks > 0) /* a bar without volume has no price of its own */
        add_prices(o, w[KLINE_OPEN_PX], w[KLINE_HIGH_PX], w[KLINE_LOW_PX], ev->px.ticks);
    o->volume.lots = add_sat(o->volume.lots, ev->qty.lots, o);
    if (w[KLINE_COUNT] > 0) o->trades = add_sat(o->trades, w[KLINE_COUNT], o);
    if (w[KLINE_TAKER_BUY_QTY] >= 0) {
        o->buy_volume.lots = add_sat(o->buy_volume.lots, w[KLINE_TAKER_BUY_QTY], o);
    } else {
        o->taker_known = 0;
    }
    if (bar_value(s, w, &value)) {
        add_value(o, value);
    } else if (ev->qty.lots > 0) {
        o->value_known = 0;
    }
}

static bool cut_now(const struct state *s, enum cut_trigger *why) {
    switch ((enum bucket_mode)s->spec.mode) {
    case BUCKET_TIME: return false;
    case BUCKET_VOLUME: *why = CUT_VOLUME; return s->open.volume.lots >= s->spec.size;
    case BUCKET_COUNT: *why = CUT_COUNT; return s->open.trades >= s->spec.size;
    case BUCKET_UPDATE: *why = CUT_UPDATE; return s->open.updates >= s->spec.size;
    }
    return false;
}

/* The open bucket lasts at least until `t`, at most until its end. */
static void reach(struct state *s, int64_t t) {
    if (t > s->open.close_ts.ns) s->open.close_ts.ns = t < s->end_ns ? t : s->end_ns;
}

static bool bar_after(struct state *s, const struct event *ev, struct bucket *out) {
    enum cut_trigger why = CUT_KLINE;
    int64_t end = kline_end_ns(ev);
    add_bar(s, ev);
    reach(s, end);
    bool full = s->spec.mode == BUCKET_TIME ? end >= s->end_ns : cut_now(s, &why);
    if (full) close_at(s, s->open.close_ts.ns, why, out);
    return full;
}

static void start(struct state *s, int64_t t) {
    s->started = 1;
    uint8_t gapped = s->open.gapped;
    open_next(s, s->open.id, t);
    s->open.gapped = gapped;
}

bool vclock_after(struct vclock *vc, const struct event *ev, struct bucket *out) {
    struct state *s = state_of(vc);
    enum cut_trigger why;
    int64_t t = s->open.close_ts.ns;
    bool mine = ev->inst == s->open.inst, live = mine && is_live_kind(ev);
    if (live) s->live = 1;
    bool bar = mine && is_bar(s, ev);
    if (mine && ev->kind == EV_GAP) s->open.gapped = 1;
    if (!s->started && !live && !bar) return false;
    bool moves = clock_time(s, ev, &t);
    if (!s->started) start(s, t);
    s->closed_in_a_row = 0;
    if (bar) return bar_after(s, ev, out);
    if (moves) reach(s, t);
    if (!mine) return false;
    if (ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE) {
        if (!add_trade(s, ev)) return false;
    } else if (ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END) {
        if (!(ev->flags & EVF_LAST) || (ev->flags & EVF_SNAPSHOT)) return false;
        s->open.updates++;
    } else {
        return false;
    }
    if (!cut_now(s, &why)) return false;
    close_at(s, s->open.close_ts.ns, why, out);
    return true;
}

void vclock_gap(struct vclock *vc) { state_of(vc)->open.gapped = 1; }

bool bucket_empty(const struct bucket *b) {
    return b->trades == 0 && b->updates == 0 && b->volume.lots == 0;
}

bool vclock_end(struct vclock *vc, struct bucket *out) {
    struct state *s = state_of(vc);
    if (!s->started || bucket_empty(&s->open)) return false;
    close_at(s, s->open.close_ts.ns, CUT_END, out);
    return true;
}

const struct bucket *vclock_open(const struct vclock *vc) {
    const struct state *s = state_of_const(vc);
    return s->started ? &s->open : NULL;
}

bool vclock_counts(const struct vclock *vc, uint8_t kind) {
    const struct state *s = state_of_const(vc);
    if (kind == EV_TRADE) return true;
    if (kind == EV_AGG_TRADE) return s->source <= SOURCE_AGG_TRADES;
    return kind == EV_KLINE && !s->live;
}

bool vclock_takes(const struct vclock *vc, const struct event *ev) {
    const struct state *s = state_of_const(vc);
    if (ev->inst != s->open.inst || !vclock_counts(vc, ev->kind)) return false;
    return ev->kind == EV_KLINE ? is_bar(s, ev) : is_market_trade(ev);
}

/* ---- buckets ---- */

int128 bucket_value(const struct bucket *b) {
    return (int128)(((uint128)(uint64_t)b->value_hi << 64) | (uint64_t)b->value_lo);
}

int64_t bucket_duration_ns(const struct bucket *b) { return b->close_ts.ns - b->open_ts.ns; }

uint64_t bucket_hash(const struct bucket *b, uint64_t before) {
    return hash64(before, b, sizeof *b);
}

const char *bucket_trigger_name(uint8_t trigger) {
    static const char *const names[CUT_TRIGGERS] = {
        "none", "time", "volume", "count", "update", "limit", "kline", "end"};
    return trigger < CUT_TRIGGERS ? names[trigger] : "?";
}
