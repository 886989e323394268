#include "capture/tape/import_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/decimal.h"

enum { GAPS_KEPT = 8, NOT_HELD = -1 };

/* One stream of ids and prices: the trades, or the aggregate trades, of one instrument. */
struct track {
    int64_t last_id;
    int64_t owed; /* duplicates of last_id: each stands for a missing id */
    int64_t gap_from[GAPS_KEPT], gap_to[GAPS_KEPT]; /* newest gaps, for ids that come late */
    int64_t px;                                     /* last accepted price, 0 = none */
    bool seen;

    bool waiting; /* a price far from its predecessor, until its successor decides */
    int64_t waiting_px;
    int32_t waiting_at; /* its slot in the hold, or NOT_HELD (rejected for another reason) */
    const char *waiting_file;
    uint64_t waiting_line;
    struct event waiting_event;
};

struct import_rules {
    struct import_rules_options opt;
    struct import_tally *tally;
    struct track *track; /* two an instrument */
    struct event *hold;
    size_t held;
    struct track *waiting[IMPORT_WAITING_MAX];
    size_t n_waiting, n_waiting_held;
    int64_t last_local;

    /* A run of outliers whose stamps run ahead, in the hold: believed unless the first message
     * after it that is no outlier is stamped earlier. */
    bool stamp_waits;
    size_t stamp_from, stamp_to;
    int64_t stamp_before, stamp_raw; /* the last one before the run, the last one of the run */
    uint64_t stamp_rows;
};

static const char *const reason_names[IMPORT_REASON_COUNT] = {"bad_price", "price_jump",
    "duplicate_id", "id_gap", "latency_outlier", "receive_before_event", "malformed"};

const char *import_reason_name(enum import_reason reason) {
    CHECK(reason < IMPORT_REASON_COUNT);
    return reason_names[reason];
}

err_t import_rules_open(struct import_rules **out, const struct import_rules_options *opt,
    struct import_tally *tally, struct err_info *e) {
    struct import_rules *r = calloc(1, sizeof *r);
    if (r) {
        r->opt = *opt;
        r->tally = tally;
        r->last_local = INT64_MIN;
        r->track = calloc(2 * INST_MAX, sizeof *r->track); /* untouched pages cost nothing */
        r->hold = malloc(IMPORT_HOLD_MAX * sizeof *r->hold);
    }
    if (!r || !r->track || !r->hold) {
        import_rules_close(r);
        return err_set(e, ERR_RESOURCE, "no memory for the data quality rules");
    }
    *out = r;
    return ERR_OK;
}

void import_rules_close(struct import_rules *r) {
    if (!r) return;
    free(r->track);
    free(r->hold);
    free(r);
}

err_t import_rules_note(struct import_rules *r, enum import_reason reason, const char *file,
    uint64_t line, const char *text, struct err_info *e) {
    struct import_tally *t = r->tally;
    uint64_t n = t->rejected[reason]++;
    if (n < IMPORT_SAMPLES) {
        struct import_sample *s = &t->sample[reason][n];
        s->file = file;
        s->line = line;
        snprintf(s->text, sizeof s->text, "%s", text);
    }
    if (!r->opt.strict) return ERR_OK;
    return err_set(e, ERR_INPUT,
        "%s:%" PRIu64 ": %s: %s (--strict stops at the first; what was before is on the tape)",
        file, line, reason_names[reason], text);
}

/* "trade 39605683 of TRXUSD_PERP, 0.53089 x 6": what a person needs to find the row. */
static void describe(const struct import_rules *r, const struct event *ev, char *out, size_t cap) {
    const struct instrument *in = r->opt.instrument(r->opt.to, ev->inst);
    char px[DECIMAL_TEXT_MAX], qty[DECIMAL_TEXT_MAX];
    static const char *const names[EV_KIND_COUNT] = {[EV_DEPTH] = "depth message",
        [EV_DEPTH_END] = "depth message",
        [EV_TRADE] = "trade",
        [EV_AGG_TRADE] = "aggregate trade",
        [EV_TICKER] = "book ticker",
        [EV_MARK] = "mark price",
        [EV_KLINE] = "bar"};
    const char *name = ev->kind < EV_KIND_COUNT && names[ev->kind] ? names[ev->kind] : "message";
    instrument_px_text(in, ev->px, px);
    instrument_qty_text(in, ev->qty, qty);
    if (ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE) {
        snprintf(out, cap, "%s %" PRId64 " of %s, %s x %s", name, ev->id, in->symbol, px, qty);
    } else {
        snprintf(out, cap, "%s of %s", name, in->symbol);
    }
}

__attribute__((format(printf, 5, 6))) static err_t note(struct import_rules *r,
    enum import_reason reason, const struct import_message *m, struct err_info *e, const char *fmt,
    ...) {
    char text[IMPORT_SAMPLE_MAX], what[160];
    describe(r, m->slots, what, sizeof what);
    int n = snprintf(text, sizeof text, "%s: ", what);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
    va_end(ap);
    return import_rules_note(r, reason, m->file, m->line, text, e);
}

/* Calls for each head of the group of slots. */
#define EACH_HEAD(ev, slots, n)                                                                    \
    for (struct event *ev = (slots); ev < (slots) + (n); ev += event_slots(ev->kind))

static void set_local(struct event *slots, size_t n, int64_t ns) {
    EACH_HEAD(ev, slots, n) { ev->ts_local.ns = ns; }
}

static void set_flag(struct event *slots, size_t n, unsigned flag) {
    EACH_HEAD(ev, slots, n) { ev->flags = (uint8_t)(ev->flags | flag); }
}

/* ---- leaving in order ---- */

static err_t send(struct import_rules *r, const struct event *slots, size_t n, struct err_info *e) {
    err_t err = r->opt.sink(r->opt.to, slots, n, e);
    if (err) return err;
    for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
        bool print = slots[i].kind == EV_TRADE || slots[i].kind == EV_AGG_TRADE;
        if (print && (slots[i].flags & EVF_NON_MARKET)) r->tally->non_market_trades++;
        r->tally->events++;
    }
    return ERR_OK;
}

/* Sends what is held, without the slots that were struck out (kind EV_NONE). */
static err_t release(struct import_rules *r, struct err_info *e) {
    size_t from = 0;
    err_t err = ERR_OK;
    for (size_t i = 0; i <= r->held && !err; i++) {
        if (i < r->held && r->hold[i].kind != EV_NONE) {
            i += event_slots(r->hold[i].kind) - 1;
            continue;
        }
        if (i > from) err = send(r, r->hold + from, i - from, e);
        from = i + 1;
    }
    r->held = 0;
    return err;
}

static bool must_wait(const struct import_rules *r) {
    return r->n_waiting_held > 0 || r->stamp_waits;
}

static err_t emit(struct import_rules *r, const struct import_message *m, struct err_info *e) {
    if (!must_wait(r)) {
        err_t err = r->held > 0 ? release(r, e) : ERR_OK;
        return err ? err : send(r, m->slots, m->n, e);
    }
    CHECK(r->held + m->n <= IMPORT_HOLD_MAX);
    memcpy(r->hold + r->held, m->slots, m->n * sizeof *m->slots);
    r->held += m->n;
    return ERR_OK;
}

/* ---- a price that waits for its successor ---- */

static void stop_waiting(struct import_rules *r, struct track *t) {
    size_t i = 0;
    while (i < r->n_waiting && r->waiting[i] != t) i++;
    CHECK(i < r->n_waiting);
    r->waiting[i] = r->waiting[--r->n_waiting];
    if (t->waiting_at != NOT_HELD) r->n_waiting_held--;
    t->waiting = false;
}

/* No successor can be had any more: kept, as suspect. */
static void keep_unconfirmed(struct import_rules *r, struct track *t) {
    if (t->waiting_at != NOT_HELD) set_flag(r->hold + t->waiting_at, 1, EVF_SUSPECT);
    t->px = t->waiting_px;
    stop_waiting(r, t);
}

static void keep_all_unconfirmed(struct import_rules *r) {
    while (r->n_waiting > 0) keep_unconfirmed(r, r->waiting[0]);
}

static int64_t apart(int64_t a, int64_t b) { return a > b ? a - b : b - a; }

static bool is_jump(const struct import_rules *r, int64_t from, int64_t to) {
    return (int128)apart(to, from) * 1000000 > (int128)from * r->opt.jump_ppm;
}

/* The successor came: it returned to the old price (the one between was wrong), or it confirms. */
static err_t decide(struct import_rules *r, struct track *t, int64_t next_px, struct err_info *e) {
    bool returned =
        !is_jump(r, t->px, next_px) && apart(next_px, t->px) < apart(next_px, t->waiting_px);
    struct track was = *t;
    stop_waiting(r, t);
    if (!returned) {
        t->px = was.waiting_px;
        return ERR_OK;
    }
    if (was.waiting_at != NOT_HELD) r->hold[was.waiting_at].kind = EV_NONE;
    struct import_message m = {
        .slots = &was.waiting_event, .n = 1, .file = was.waiting_file, .line = was.waiting_line};
    const struct instrument *in = r->opt.instrument(r->opt.to, was.waiting_event.inst);
    char before[DECIMAL_TEXT_MAX], after[DECIMAL_TEXT_MAX];
    instrument_px_text(in, (price_t){was.px}, before);
    instrument_px_text(in, (price_t){next_px}, after);
    return note(r, IMPORT_PRICE_JUMP, &m, e, "%s before it and %s after it", before, after);
}

/* Sets the trade aside until its successor. `kept`: it goes to the hold next. */
static void wait_for_successor(
    struct import_rules *r, struct track *t, const struct import_message *m, bool kept) {
    if (r->n_waiting == IMPORT_WAITING_MAX) keep_unconfirmed(r, r->waiting[0]);
    t->waiting = true;
    t->waiting_px = m->slots->px.ticks;
    t->waiting_at = kept ? (int32_t)r->held : NOT_HELD;
    t->waiting_file = m->file;
    t->waiting_line = m->line;
    t->waiting_event = *m->slots;
    r->waiting[r->n_waiting++] = t;
    if (kept) r->n_waiting_held++;
}

/* ---- rules ---- */

static bool fills_gap(struct track *t, int64_t id) {
    for (size_t i = 0; i < GAPS_KEPT; i++) {
        if (id >= t->gap_from[i] && id <= t->gap_to[i] && t->gap_to[i] > 0) return true;
    }
    return false;
}

static err_t rule_ids(struct import_rules *r, struct track *t, const struct import_message *m,
    bool *drop, struct err_info *e) {
    int64_t id = m->slots->id, last = t->last_id;
    if (!t->seen || id == last + 1) {
        t->seen = true;
        t->last_id = id;
        t->owed = 0;
        return ERR_OK;
    }
    if (id <= last) {
        if (fills_gap(t, id)) {
            set_flag(m->slots, m->n, EVF_SUSPECT);
            r->tally->late_ids++;
            return ERR_OK;
        }
        *drop = true;
        t->owed = id == last ? t->owed + 1 : 0;
        return note(r, IMPORT_DUPLICATE_ID, m, e, "the newest id was %" PRId64, last);
    }
    int64_t missing = id - last - 1 - t->owed;
    t->last_id = id;
    t->owed = 0;
    if (missing <= 0) return ERR_OK;
    memmove(t->gap_from + 1, t->gap_from, (GAPS_KEPT - 1) * sizeof t->gap_from[0]);
    memmove(t->gap_to + 1, t->gap_to, (GAPS_KEPT - 1) * sizeof t->gap_to[0]);
    t->gap_from[0] = last + 1;
    t->gap_to[0] = id - 1;
    r->tally->missing_ids += (uint64_t)missing;
    set_flag(m->slots, m->n, EVF_SUSPECT);
    return note(
        r, IMPORT_ID_GAP, m, e, "%" PRId64 " ids after %" PRId64 " are missing", missing, last);
}

static err_t rule_price(struct import_rules *r, struct track *t, const struct import_message *m,
    bool *drop, struct err_info *e) {
    int64_t px = m->slots->px.ticks;
    bool was_dropped = *drop;
    if (px <= 0 || m->slots->qty.lots <= 0) {
        *drop = true;
        return note(r, IMPORT_BAD_PRICE, m, e, "price and quantity of a market trade are positive");
    }
    err_t err = ERR_OK;
    if (t->waiting && !was_dropped) err = decide(r, t, px, e);
    if (t->px != 0 && is_jump(r, t->px, px)) {
        if (!t->waiting) wait_for_successor(r, t, m, !was_dropped);
    } else if (!was_dropped) {
        t->px = px;
    }
    return err;
}

static struct track *track_of(struct import_rules *r, uint16_t inst, uint8_t kind) {
    CHECK(inst < INST_MAX);
    return &r->track[2 * inst + (kind == EV_AGG_TRADE)];
}

void import_rules_seen(struct import_rules *r, uint16_t inst, uint8_t kind, int64_t id) {
    struct track *t = track_of(r, inst, kind);
    if (t->seen && id <= t->last_id) return;
    t->seen = true;
    t->last_id = id;
    t->owed = 0;
}

static err_t rule_trade(
    struct import_rules *r, const struct import_message *m, bool *drop, struct err_info *e) {
    const struct event *ev = m->slots;
    struct track *t = track_of(r, ev->inst, ev->kind);
    err_t err = rule_ids(r, t, m, drop, e);
    if (!err && !(ev->flags & EVF_NON_MARKET)) err = rule_price(r, t, m, drop, e);
    return err;
}

/* Latency with the clock offset removed; false where a message has no event time or its stamp is
 * no receive time. A REST snapshot waits for an answer: its latency says nothing. */
static bool latency_of(const struct import_message *m, int64_t *ns) {
    const struct event *ev = m->slots;
    if (!m->received || ev->ts_venue.ns == TS_NONE_NS || (ev->flags & EVF_SNAPSHOT)) return false;
    int64_t at = ev->ts_venue.ns + (int64_t)ev->msg_us * NS_PER_US;
    int64_t lat = ev->ts_local.ns - at;
    if (lat < 0 && lat > -m->stamp_unit) lat = 0; /* the stamp was cut to its unit */
    *ns = lat - m->offset_ns;
    return true;
}

enum latency { LATENCY_UNKNOWN, LATENCY_FINE, LATENCY_OUTLIER };

static err_t rule_latency(struct import_rules *r, const struct import_message *m,
    enum latency *latency, struct err_info *e) {
    int64_t ns;
    *latency = LATENCY_UNKNOWN;
    if (!latency_of(m, &ns)) return ERR_OK;
    *latency = ns > r->opt.latency_ns ? LATENCY_OUTLIER : LATENCY_FINE;
    if (*latency == LATENCY_FINE && ns >= 0) return ERR_OK;
    set_flag(m->slots, m->n, EVF_SUSPECT);
    if (*latency == LATENCY_OUTLIER) {
        return note(
            r, IMPORT_LATENCY_OUTLIER, m, e, "received %.3f s after its event", (double)ns / 1e9);
    }
    return note(r, IMPORT_RECEIVE_BEFORE_EVENT, m, e, "received %.6f s before its event",
        -(double)ns / 1e9);
}

/* Ends a run of outliers where the message after it proves it right or wrong. */
static void settle_stamps(struct import_rules *r, int64_t raw, enum latency latency) {
    if (!r->stamp_waits) return;
    bool back = raw < r->stamp_raw;
    if (!back && latency != LATENCY_FINE) return;
    r->stamp_waits = false;
    if (!back) return;
    set_local(r->hold + r->stamp_from, r->stamp_to - r->stamp_from, r->stamp_before);
    r->last_local = r->stamp_before;
    r->tally->local_repaired += r->stamp_rows;
}

/* Local stamps never go back: arrival order is the truth. */
static void order_stamp(
    struct import_rules *r, const struct import_message *m, enum latency latency) {
    int64_t raw = m->slots->ts_local.ns, before = r->last_local;
    if (raw < before) {
        set_local(m->slots, m->n, before);
        r->tally->local_repaired++;
        return;
    }
    r->last_local = raw;
    if (!r->stamp_waits) {
        if (latency != LATENCY_OUTLIER || before == INT64_MIN || raw == before) return;
        r->stamp_waits = true;
        r->stamp_from = r->held;
        r->stamp_before = before;
        r->stamp_rows = 0;
    }
    r->stamp_to = r->held + m->n;
    r->stamp_raw = raw;
    r->stamp_rows++;
}

/* Makes the hold fit one more message: what waits is decided without its successor. */
static err_t make_room(struct import_rules *r, size_t n, struct err_info *e) {
    if (r->held + n <= IMPORT_HOLD_MAX) return ERR_OK;
    keep_all_unconfirmed(r);
    r->stamp_waits = false;
    return release(r, e);
}

err_t import_rules_push(
    struct import_rules *r, const struct import_message *m, struct err_info *e) {
    CHECK(m->n > 0 && m->n <= IMPORT_HOLD_MAX);
    err_t err = make_room(r, m->n, e);
    if (!err && r->held > 0 && !must_wait(r)) err = release(r, e);
    if (err) return err;
    enum latency latency;
    bool drop = false;
    err = rule_latency(r, m, &latency, e);
    settle_stamps(r, m->slots->ts_local.ns, latency);
    if (!err && (m->slots->kind == EV_TRADE || m->slots->kind == EV_AGG_TRADE))
        err = rule_trade(r, m, &drop, e);
    if (err || drop) return err;
    order_stamp(r, m, latency);
    return emit(r, m, e);
}

err_t import_rules_flush(struct import_rules *r, struct err_info *e) {
    keep_all_unconfirmed(r);
    r->stamp_waits = false;
    return release(r, e);
}
