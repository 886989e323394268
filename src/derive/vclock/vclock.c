#include "derive/vclock/vclock.h"

#include <string.h>

#include "base/check.h"
#include "base/decimal.h"
#include "base/hash.h"
#include "derive/vclock/health.h"
#include "derive/vclock/width.h"

#define LIMIT_LEAST_NS (30 * NS_PER_S) /* adaptive: bounds of the moving limit (S3 4404) */
#define LIMIT_MOST_NS (120 * NS_PER_S)

struct width_note {
    int64_t at_ns, size, number, reason;
};

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
    uint8_t ready;    /* adaptive: only time is missing */
    uint8_t plain;    /* neither adaptive nor online nor with fallback: the short way */
    uint8_t degraded; /* time buckets; `shadow` is the own clock's bucket */
    uint8_t returning;
    uint8_t reason;          /* enum fallback_reason */
    int64_t size, size_next; /* of the open bucket; of the one after it */
    int64_t width_ns;        /* next boundary of the online width; 0 = not started */
    int64_t gap_ns;          /* last gap; INT64_MIN = none */
    int64_t widths, widths_taken;
    struct width_note width[VCLOCK_WIDTHS_HELD];
    struct rate_ring ring;
    struct bucket shadow;
    int64_t shadow_end, complete, switches, returns, since_ns;
    struct vclock_health health;
};
_Static_assert(sizeof(struct state) <= VCLOCK_STATE_BYTES, "fits the public block");
_Static_assert(sizeof(struct bucket_spec) == 72, "no hidden padding");

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
    CHECK(spec->size > 0 && spec->mode <= BUCKET_REFERENCE);
    CHECK(spec->time_limit_ns >= 0 && spec->first_id >= 0);
    CHECK(!spec->adaptive || (spec->mode == BUCKET_VOLUME && spec->target_ns > 0));
    CHECK(spec->fallback_ns >= 0 && spec->fallback_ns <= VCLOCK_FALLBACK_MAX_NS);
    memset(vc, 0, sizeof *vc);
    struct state *s = state_of(vc);
    s->spec = *spec;
    memset(s->spec.pad, 0, sizeof s->spec.pad);
    s->open.id = spec->first_id > 0 ? spec->first_id : 1;
    s->open.inst = inst;
    s->open.taker_known = s->open.value_known = 1;
    s->end_ns = INT64_MAX;
    s->bar_id = s->gap_ns = INT64_MIN;
    s->size = s->size_next = spec->size;
    s->plain = !spec->adaptive && spec->size_most == 0 && spec->fallback_ns == 0;
    rate_init(&s->ring);
    health_init(&s->health);
}

void vclock_units(struct vclock *vc, const struct instrument *in) {
    struct state *s = state_of(vc);
    if (in->kind == INSTRUMENT_INVERSE) return;
    s->px_mant = in->px_mant;
    s->qty_mant = in->qty_mant;
    s->value_exp = (uint8_t)(in->px_exp + in->qty_exp);
}

/* ---- opening and closing ---- */

static bool online(const struct state *s) { return s->spec.size_most > 0; }

static int64_t quality_floor(const struct state *s) { return (4 * s->spec.target_ns + 4) / 5; }

/* Adaptive: clip(1.5 x size / rate of the last 5 min, 30, 120) s, but never below what a bucket
 * must last. Without history the target time stands for size / rate. */
static int64_t moving_limit(const struct state *s, int64_t open_ns) {
    int64_t whole = rate_whole(&s->ring, open_ns, RATE_SHORT), end = open_ns / RATE_SLOT_NS;
    int64_t sum = rate_sum(&s->ring, end - whole, end);
    int128 ns = (int128)s->spec.target_ns * 3 / 2;
    if (whole > 0 && sum == 0) ns = LIMIT_MOST_NS;
    if (sum > 0) ns = (int128)3 * s->size * whole * RATE_SLOT_NS / ((int128)2 * sum);
    if (ns < LIMIT_LEAST_NS) ns = LIMIT_LEAST_NS;
    if (ns > LIMIT_MOST_NS) ns = LIMIT_MOST_NS;
    return ns < quality_floor(s) ? quality_floor(s) : (int64_t)ns;
}

/* When a bucket of the own clock that opens now ends by time. */
static int64_t own_end(const struct state *s, int64_t open_ns) {
    if (s->spec.mode == BUCKET_TIME) return later(floor_to(open_ns, s->spec.size), s->spec.size);
    if (s->spec.adaptive) return later(open_ns, moving_limit(s, open_ns));
    return s->spec.time_limit_ns > 0 ? later(open_ns, s->spec.time_limit_ns) : INT64_MAX;
}

static int64_t end_after(const struct state *s, int64_t open_ns) {
    if (!s->degraded) return own_end(s, open_ns);
    return later(floor_to(open_ns, s->spec.fallback_ns), s->spec.fallback_ns);
}

/* One assignment, no memset: gcc 12 forgets what a partly overwritten memset in a called function
 * changes and then drops stores of the caller (seen with `gapped` in start). */
static struct bucket fresh(uint16_t inst, int64_t id, int64_t open_ns) {
    return (struct bucket){
        .id = id,
        .open_ts = {open_ns},
        .close_ts = {open_ns},
        .inst = inst,
        .taker_known = 1,
        .value_known = 1,
    };
}

static void open_next(struct state *s, int64_t id, int64_t open_ns) {
    s->open = fresh(s->open.inst, id, open_ns);
    s->size = s->size_next;
    s->ready = 0;
    s->end_ns = end_after(s, open_ns);
}

static void shadow_open(struct state *s, int64_t open_ns) {
    s->shadow = fresh(s->open.inst, 0, open_ns);
    s->shadow_end = own_end(s, open_ns);
}

static void degrade(struct state *s, enum fallback_reason why, int64_t now_ns) {
    s->degraded = 1;
    s->returning = 0;
    s->reason = (uint8_t)why;
    s->since_ns = now_ns;
    s->complete = 0;
    s->switches++;
    shadow_open(s, now_ns);
}

/* The fallback's word on a bucket just closed: who cuts the next one. */
static void judge(struct state *s, const struct bucket *b) {
    int64_t now = b->close_ts.ns;
    if (s->degraded) {
        if (!s->returning) return;
        s->degraded = s->returning = 0;
        s->returns++;
        s->since_ns = now;
        health_restart(&s->health, now);
        return;
    }
    health_bucket(&s->health, b);
    if (b->trigger == CUT_SWITCH) {
        degrade(s, FALLBACK_LAG, now);
    } else if (s->health.slow_level == HEALTH_DEGRADE) {
        degrade(s, FALLBACK_SLOW, now);
    }
}

static void close_at(struct state *s, int64_t close_ns, enum cut_trigger why, struct bucket *out) {
    CHECK(close_ns >= s->open.open_ts.ns);
    s->open.close_ts.ns = close_ns;
    s->open.trigger = (uint8_t)why;
    *out = s->open;
    if (s->spec.fallback_ns > 0) judge(s, out);
    open_next(s, s->open.id + 1, close_ns);
}

/* Long silence: the id and the open bucket go to where the clock is now. */
static void jump(struct state *s, int64_t now_ns) {
    int64_t period = s->end_ns - s->open.open_ts.ns;
    if (!s->degraded && s->spec.mode == BUCKET_TIME) period = s->spec.size;
    if (s->degraded) period = s->spec.fallback_ns;
    int64_t skipped = (now_ns - s->open.open_ts.ns) / period;
    open_next(s, s->open.id + skipped, s->open.open_ts.ns + skipped * period);
}

/* When the open bucket ends by time, and how. */
static int64_t due(const struct state *s, enum cut_trigger *why) {
    bool by_time = s->degraded || s->spec.mode == BUCKET_TIME;
    int64_t end = s->end_ns;
    *why = by_time ? CUT_TIME : s->ready ? CUT_READY : CUT_LIMIT;
    if (s->spec.fallback_ns == 0 || s->degraded) return end;
    int64_t size = s->spec.fallback_ns;
    int64_t dead =
        later(floor_to(later(s->health.last_full_ns, HEALTH_LAG_DEGRADE_NS), size), size);
    if (dead > end) return end;
    *why = CUT_SWITCH;
    return dead;
}

/* ---- online width ---- */

static void note_width(struct state *s, int64_t at_ns, int64_t size, int64_t reason) {
    s->size_next = size;
    s->widths++;
    s->width[s->widths % VCLOCK_WIDTHS_HELD] =
        (struct width_note){.at_ns = at_ns, .size = size, .number = s->widths, .reason = reason};
}

/* The boundaries up to `t`, each by what was known before it. In silence the size goes back to the
 * calibrated one and then nothing changes, so the boundaries of a long one are passed over. */
static void widths_until(struct state *s, int64_t t) {
    if (!online(s) || s->width_ns > t) return;
    for (int i = 0; i < 2 && s->width_ns <= t; i++, s->width_ns += WIDTH_PERIOD_NS) {
        struct width_ask ask = {.target_ns = s->spec.target_ns,
            .calibrated = s->spec.size,
            .least = s->spec.size_least,
            .most = s->spec.size_most,
            .gap_ns = s->gap_ns,
            .now = s->size_next};
        int64_t size = 0;
        uint8_t reason = width_at(&s->ring, &ask, s->width_ns, &size);
        bool still = rate_sum(&s->ring, s->width_ns / RATE_SLOT_NS - RATE_SHORT,
                         s->width_ns / RATE_SLOT_NS) == 0;
        if (reason == 0 || (still && size == s->size_next)) continue;
        note_width(s, s->width_ns, size, reason);
    }
    if (s->width_ns <= t) s->width_ns = floor_to(t, WIDTH_PERIOD_NS) + WIDTH_PERIOD_NS;
}

static int64_t width_hash(const struct state *s, const struct width_note *n) {
    int64_t words[5] = {s->open.inst, n->at_ns, n->size, n->number, n->reason};
    return (int64_t)hash64(0, words, sizeof words);
}

/* A decision found on the tape: it holds, whatever we know of the time before. */
static void obey(struct state *s, const struct event *ev) {
    struct width_note n = {.at_ns = ev->ts_local.ns,
        .size = ev->aux.a,
        .number = ev->aux.b >> 8,
        .reason = ev->aux.b & 255};
    const struct width_note *own = &s->width[s->widths % VCLOCK_WIDTHS_HELD];
    if (!online(s) || ev->id != width_hash(s, &n) || n.size <= 0) return;
    if (n.at_ns == own->at_ns && n.size == own->size && n.number == own->number) return;
    bool same = n.at_ns == own->at_ns && n.size == own->size;
    s->widths_taken += !same;
    s->widths = n.number;
    s->width[s->widths % VCLOCK_WIDTHS_HELD] = n;
    s->size_next = n.size;
    if (s->open.open_ts.ns >= n.at_ns && !s->degraded) s->size = n.size;
}

int64_t vclock_widths(const struct vclock *vc) { return state_of_const(vc)->widths; }

bool vclock_width_event(const struct vclock *vc, int64_t n, struct event *out) {
    const struct state *s = state_of_const(vc);
    if (n < 1 || n > s->widths) return false;
    const struct width_note *note = &s->width[n % VCLOCK_WIDTHS_HELD];
    if (note->number != n) return false;
    memset(out, 0, sizeof *out);
    out->ts_local.ns = note->at_ns;
    out->inst = s->open.inst;
    out->kind = EV_CONFIG;
    out->flags = EVF_FIRST | EVF_LAST;
    out->id = width_hash(s, note);
    out->aux.a = note->size;
    out->aux.b = note->number << 8 | note->reason;
    return true;
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
    enum cut_trigger why;
    int64_t t;
    if (!(ev->flags & EVF_FIRST) || !s->started) return false;
    if (is_live_kind(ev) && ev->inst == s->open.inst) s->live = 1;
    if (!clock_time(s, ev, &t) || (s->plain && t < s->end_ns)) return false;
    int64_t end = due(s, &why);
    widths_until(s, t < end ? t : end);
    if (t < end) return false;
    if (s->closed_in_a_row > VCLOCK_EMPTY_MAX) {
        jump(s, t);
        return false;
    }
    s->closed_in_a_row++;
    close_at(s, end, why, out);
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

/* Adaptive: volume and trades are enough; the time may be missing. */
static bool is_ready(const struct state *s, const struct bucket *b) {
    return (int128)5 * b->volume.lots >= (int128)4 * s->size &&
           (int128)5 * b->trades >= (int128)4 * s->spec.least_trades;
}

/* Whether the bucket is full by what it holds. */
static bool cut_now(const struct state *s, const struct bucket *b, enum cut_trigger *why) {
    switch ((enum bucket_mode)s->spec.mode) {
    case BUCKET_TIME: return false;
    case BUCKET_VOLUME:
        *why = s->spec.adaptive ? CUT_QUALITY : CUT_VOLUME;
        if (!s->spec.adaptive) return b->volume.lots >= s->size;
        return is_ready(s, b) && bucket_duration_ns(b) >= quality_floor(s);
    case BUCKET_COUNT: *why = CUT_COUNT; return b->trades >= s->size;
    case BUCKET_UPDATE: *why = CUT_UPDATE; return b->updates >= s->size;
    case BUCKET_REFERENCE: return false;
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
    bool full = s->spec.mode == BUCKET_TIME ? end >= s->end_ns : cut_now(s, &s->open, &why);
    if (full) close_at(s, s->open.close_ts.ns, why, out);
    return full;
}

static void start(struct state *s, int64_t t) {
    s->started = 1;
    rate_add(&s->ring, t, 0);
    s->width_ns = floor_to(t, WIDTH_PERIOD_NS) + WIDTH_PERIOD_NS;
    if (s->spec.fallback_ns > 0) health_time(&s->health, t);
    uint8_t gapped = s->open.gapped;
    open_next(s, s->open.id, t);
    s->open.gapped = gapped;
}

/* ---- the own clock behind the fallback ---- */

static bool shadow_complete(const struct state *s) {
    return s->shadow.trades > 0 && !s->shadow.gapped &&
           bucket_duration_ns(&s->shadow) <= HEALTH_WARN_NS;
}

static void shadow_close(struct state *s, int64_t close_ns) {
    s->shadow.close_ts.ns = close_ns;
    s->complete = shadow_complete(s) ? s->complete + 1 : 0;
    if (s->complete >= HEALTH_RETURN) s->returning = 1;
    shadow_open(s, close_ns);
}

/* Its end by time. A silence of more than one bucket leaves nothing complete behind it. */
static void shadow_until(struct state *s, int64_t t) {
    if (t < s->shadow_end) return;
    shadow_close(s, s->shadow_end);
    if (t < s->shadow_end) return;
    s->complete = 0;
    shadow_open(s, t);
}

static void shadow_add(struct state *s, const struct event *ev) {
    enum cut_trigger why;
    struct bucket *b = &s->shadow;
    if (s->returning) return;
    b->close_ts.ns = s->open.close_ts.ns;
    if (ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE) {
        b->volume.lots = add_sat(b->volume.lots, ev->qty.lots, b);
        b->trades++;
    } else {
        b->updates++;
    }
    if (cut_now(s, b, &why)) {
        shadow_close(s, b->close_ts.ns);
    } else if (s->spec.adaptive && is_ready(s, b)) {
        int64_t soon = b->open_ts.ns + quality_floor(s);
        if (soon < s->shadow_end) s->shadow_end = soon;
    }
}

/* ---- events ---- */

static int64_t amount(const struct state *s, const struct event *ev) {
    bool trade = ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE;
    if (s->spec.mode == BUCKET_VOLUME) return trade ? ev->qty.lots : 0;
    return (s->spec.mode == BUCKET_COUNT) == trade;
}

/* Counts a trade or a depth message in the open bucket; false if it is none of ours. */
static bool add_event(struct state *s, const struct event *ev) {
    if (ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE) {
        if (!add_trade(s, ev)) return false;
    } else if (ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END) {
        if (!(ev->flags & EVF_LAST) || (ev->flags & EVF_SNAPSHOT)) return false;
        s->open.updates++;
    } else {
        return false;
    }
    if (s->plain) return true;
    if (online(s) || s->spec.adaptive) rate_add(&s->ring, s->open.close_ts.ns, amount(s, ev));
    if (s->degraded) shadow_add(s, ev);
    return true;
}

static void mark_gap(struct state *s) {
    s->open.gapped = s->shadow.gapped = 1;
    s->gap_ns = s->started ? s->open.close_ts.ns : INT64_MIN;
}

bool vclock_after(struct vclock *vc, const struct event *ev, struct bucket *out) {
    struct state *s = state_of(vc);
    enum cut_trigger why;
    int64_t t = s->open.close_ts.ns;
    bool mine = ev->inst == s->open.inst, live = mine && is_live_kind(ev);
    if (live) s->live = 1;
    bool bar = mine && is_bar(s, ev);
    if (mine && ev->kind == EV_GAP) mark_gap(s);
    if (!s->started && !live && !bar) return false;
    bool moves = clock_time(s, ev, &t);
    if (!s->started) start(s, t);
    s->closed_in_a_row = 0;
    if (bar) return bar_after(s, ev, out);
    if (moves) reach(s, t);
    if (s->degraded && !s->returning) shadow_until(s, s->open.close_ts.ns);
    if (mine && ev->kind == EV_CONFIG) obey(s, ev);
    if (!mine || !add_event(s, ev) || s->degraded || s->spec.mode == BUCKET_TIME) return false;
    if (cut_now(s, &s->open, &why)) {
        close_at(s, s->open.close_ts.ns, why, out);
        return true;
    }
    if (s->spec.adaptive && !s->ready && is_ready(s, &s->open)) {
        int64_t soon = s->open.open_ts.ns + quality_floor(s);
        s->ready = soon <= s->end_ns;
        if (s->ready) s->end_ns = soon;
    }
    return false;
}

bool vclock_follow(struct vclock *vc, const struct bucket *ref, struct bucket *out) {
    struct state *s = state_of(vc);
    CHECK(s->spec.mode == BUCKET_REFERENCE && ref->inst != s->open.inst);
    CHECK(ref->id >= s->open.id || !s->started);
    s->open.id = ref->id;
    if (!s->started) {
        s->open.id++;
        return false;
    }
    int64_t close = ref->close_ts.ns > s->open.close_ts.ns ? ref->close_ts.ns : s->open.close_ts.ns;
    close_at(s, close, CUT_REFERENCE, out);
    return true;
}

void vclock_gap(struct vclock *vc) { mark_gap(state_of(vc)); }

void vclock_status(const struct vclock *vc, struct vclock_status *out) {
    const struct state *s = state_of_const(vc);
    *out = (struct vclock_status){.degraded = s->degraded != 0,
        .reason = s->reason,
        .since_ns = s->since_ns,
        .complete = s->complete,
        .switches = s->switches,
        .returns = s->returns,
        .size = s->size,
        .widths = s->widths,
        .widths_taken = s->widths_taken};
}

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

bool bucket_at_boundary(const struct bucket *b) {
    return b->trigger == CUT_TIME || b->trigger == CUT_LIMIT || b->trigger == CUT_KLINE ||
           b->trigger == CUT_READY || b->trigger == CUT_SWITCH;
}

uint64_t bucket_hash(const struct bucket *b, uint64_t before) {
    return hash64(before, b, sizeof *b);
}

const char *bucket_trigger_name(uint8_t trigger) {
    static const char *const names[CUT_TRIGGERS] = {"none", "time", "volume", "count", "update",
        "limit", "kline", "end", "quality", "ready", "switch", "reference"};
    return trigger < CUT_TRIGGERS ? names[trigger] : "?";
}
