#include "program/bucket_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/progress.h"
#include "program/bucket_config.h"
#include "program/cli.h"

enum { BOOK_ALIGN = 64 };

struct bucket_walk *bucket_walk_new(const char *spec_text, bucket_fn *fn, void *user) {
    struct bucket_walk *w = mem_alloc(sizeof *w);
    w->spec_text = spec_text;
    w->fn = fn;
    w->user = user;
    return w;
}

void bucket_walk_free(struct bucket_walk *w) {
    if (w == NULL) return;
    for (size_t i = 0; i < INST_MAX; i++) {
        free(w->track[i].book_mem);
        free(w->track[i].duration_ns);
        free(w->track[i].health);
    }
    free(w);
}

/* ---- what the tape holds, counted apart from the clock ---- */

static void expect(struct bucket_track *t, const struct event *ev) {
    bool trade = ev->kind == EV_TRADE, agg = ev->kind == EV_AGG_TRADE;
    if (trade || agg) {
        t->live_seen = true;
        if ((ev->flags & EVF_NON_MARKET) || ev->px.ticks <= 0 || ev->qty.lots <= 0) return;
        t->trades_seen |= trade;
        if (agg && t->trades_seen) return;
        t->expected.volume += ev->qty.lots;
        t->expected.buys += (ev->flags & EVF_BUY) ? ev->qty.lots : 0;
        t->expected.value += (int128)ev->px.ticks * ev->qty.lots;
        t->expected.trades++;
    } else if (ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END || ev->kind == EV_TICKER) {
        t->live_seen = true;
    } else if (ev->kind == EV_KLINE && (ev->flags & EVF_CLOSED) && !t->live_seen) {
        const int64_t *w = event_words(ev);
        int64_t bar_ns = kline_end_ns(ev) - ev->id;
        if (ev->id <= t->last_bar || ev->qty.lots < 0) return;
        if (t->bar_ns != 0 && bar_ns != t->bar_ns) return;
        t->bar_ns = bar_ns;
        t->last_bar = ev->id;
        t->expected.volume += ev->qty.lots;
        t->expected.buys += w[KLINE_TAKER_BUY_QTY] > 0 ? w[KLINE_TAKER_BUY_QTY] : 0;
        t->expected.trades += w[KLINE_COUNT] > 0 ? w[KLINE_COUNT] : 0;
    }
}

/* ---- buckets ---- */

static err_t follow(struct bucket_walk *w, const struct bucket_track *t, const struct bucket *b,
    struct err_info *e);

static err_t take(struct bucket_walk *w, struct bucket_track *t, const struct instrument *in,
    const struct bucket *b, struct err_info *e) {
    t->duration_ns = mem_array(t->duration_ns, t->count, &t->cap, sizeof *t->duration_ns);
    t->duration_ns[t->count++] = bucket_duration_ns(b);
    if (t->count == 1) {
        t->first_id = b->id;
        t->rising = t->value_known = t->taker_known = true;
    } else if (b->id <= t->last_id) {
        t->rising = false;
    }
    t->last_id = b->id;
    t->value_known &= b->value_known != 0;
    t->taker_known &= b->taker_known != 0;
    t->got.volume += b->volume.lots;
    t->got.buys += b->buy_volume.lots;
    t->got.value += bucket_value(b);
    t->got.trades += b->trades;
    t->triggers[b->trigger]++;
    t->gapped += b->gapped != 0;
    t->empty += bucket_empty(b);
    t->hash = bucket_hash(b, t->hash);
    health_bucket(t->health, b);
    err_t code = w->fn ? w->fn(w->user, in, b, e) : ERR_OK;
    return code || !w->reference || b->trigger == CUT_END ? code : follow(w, t, b, e);
}

/* A bucket of the reference closes the open one of every other instrument. */
static err_t follow(struct bucket_walk *w, const struct bucket_track *t, const struct bucket *b,
    struct err_info *e) {
    err_t code = ERR_OK;
    if (t->spec.mode == BUCKET_REFERENCE) return ERR_OK;
    for (size_t i = 0; i < w->instruments && !code; i++) {
        struct bucket_track *other = &w->track[i];
        struct bucket out;
        if (!other->started || other->spec.mode != BUCKET_REFERENCE) continue;
        if (vclock_follow(&other->clock, b, &out)) code = take(w, other, &w->table[i], &out, e);
    }
    return code;
}

static err_t track_start(struct bucket_walk *w, struct bucket_track *t, const struct instrument *in,
    struct err_info *e) {
    const char *why = "", *text = w->spec_text;
    struct bucket_choice choice;
    bool own = w->reference == NULL || instrument_is(in, w->reference);
    if (!own) text = "reference";
    if (own && (w->config || bucket_config_named(text))) {
        err_t code = bucket_config_tape(text, w->config, w->tape, in, &choice, e);
        if (code) return code;
        text = choice.text;
    }
    if (!bucket_spec_parse(text, in->qty_mant, in->qty_exp, &t->spec, &why))
        return err_set(e, ERR_USAGE, "--bucket %s for %s: %s", text, in->symbol, why);
    if (own && t->spec.mode == BUCKET_REFERENCE)
        return err_set(
            e, ERR_USAGE, "--bucket reference: name the instrument with --reference SYMBOL");
    snprintf(t->text, sizeof t->text, "%s", text);
    t->health = mem_alloc(sizeof *t->health);
    health_init(t->health);
    vclock_init(&t->clock, &t->spec, in->id);
    vclock_units(&t->clock, in);
    t->last_bar = INT64_MIN;
    t->started = true;
    return ERR_OK;
}

static err_t check_bar(const struct bucket_walk *w, const struct bucket_track *t,
    const struct instrument *in, const struct event *ev, struct err_info *e) {
    const char *why = "";
    if (!vclock_takes(&t->clock, ev)) return ERR_OK;
    int64_t bar_ns = kline_end_ns(ev) - ev->id;
    if (bucket_spec_fits_bar(&t->spec, bar_ns, &why)) return ERR_OK;
    return err_set(e, ERR_USAGE, "--bucket %s for %s, which has bars of %lld s: %s", w->spec_text,
        in->symbol, (long long)(bar_ns / NS_PER_S), why);
}

static void track_book(
    struct bucket_track *t, const struct instrument *in, const struct event *ev) {
    struct book_change change;
    if (ev->kind != EV_DEPTH && ev->kind != EV_DEPTH_END) return;
    if (t->book == NULL) {
        t->book_mem = mem_alloc(book_mem_size(NULL) + BOOK_ALIGN);
        void *mem =
            (unsigned char *)t->book_mem + (BOOK_ALIGN - (uintptr_t)t->book_mem % BOOK_ALIGN);
        t->book = book_init(mem, NULL, in->venue);
    }
    book_apply(t->book, ev, &change);
}

/* The event on the recorded tape, behind the decisions it brought about. */
static err_t write_event(
    struct bucket_walk *w, struct bucket_track *t, const struct event *ev, struct err_info *e) {
    struct event config;
    err_t code = ERR_OK;
    int64_t n = vclock_widths(&t->clock);
    while (!code && t->recorded < n && ev->kind != EV_CONFIG)
        if (vclock_width_event(&t->clock, ++t->recorded, &config))
            code = tape_writer_append(w->record, &config, 1, e);
    return code ? code : tape_writer_append(w->record, ev, event_slots(ev->kind), e);
}

/* Time passes for the reference too, so that what its clock cuts by time ends at that time for all
 * (derive/feature/stream.c does the same). */
static err_t reference_time(struct bucket_walk *w, const struct event *ev, struct err_info *e) {
    struct event tick = {.ts_local = ev->ts_local, .kind = EV_TIMER, .flags = EVF_FIRST | EVF_LAST};
    struct bucket b;
    err_t code = ERR_OK;
    for (size_t i = 0; i < w->instruments && !code; i++) {
        struct bucket_track *t = &w->track[i];
        if (!t->started || i == ev->inst || t->spec.mode == BUCKET_REFERENCE) continue;
        tick.inst = (uint16_t)i;
        while (!code && vclock_before(&t->clock, &tick, &b)) code = take(w, t, &w->table[i], &b, e);
    }
    return code;
}

static err_t track_event(struct bucket_walk *w, struct bucket_track *t, const struct instrument *in,
    const struct event *ev, struct err_info *e) {
    struct bucket b;
    err_t code = t->started ? ERR_OK : track_start(w, t, in, e);
    if (!code && ev->kind == EV_KLINE) code = check_bar(w, t, in, ev, e);
    while (!code && vclock_before(&t->clock, ev, &b)) code = take(w, t, in, &b, e);
    if (!code && w->record) code = write_event(w, t, ev, e);
    if (code) return code;
    if (t->live_seen) health_time(t->health, ev->ts_local.ns);
    expect(t, ev);
    track_book(t, in, ev);
    if (t->book && book_state(t->book) == BOOK_GAP) vclock_gap(&t->clock);
    bool closed = vclock_after(&t->clock, ev, &b);
    if (ev->kind == EV_CONFIG) t->recorded = vclock_widths(&t->clock);
    return closed ? take(w, t, in, &b, e) : ERR_OK;
}

static err_t walk_run(
    struct bucket_walk *w, const struct event *slots, size_t n, struct err_info *e) {
    err_t code = ERR_OK;
    for (size_t i = 0; i < n && !code; i += event_slots(slots[i].kind)) {
        const struct event *ev = &slots[i];
        if (ev->inst >= w->instruments)
            return err_set(e, ERR_INPUT, "event %llu is of instrument %u, the table has %zu",
                (unsigned long long)w->events, ev->inst, w->instruments);
        if (w->reference && (ev->flags & EVF_FIRST)) code = reference_time(w, ev, e);
        if (!code && instrument_trades(&w->table[ev->inst]))
            code = track_event(w, &w->track[ev->inst], &w->table[ev->inst], ev, e);
        else if (!code && w->record)
            code = tape_writer_append(w->record, ev, event_slots(ev->kind), e);
        w->events++;
    }
    return code;
}

err_t bucket_walk_tape(
    struct bucket_walk *w, struct tape_reader *tape, bool quiet, struct err_info *e) {
    struct progress p;
    err_t code = ERR_OK;
    progress_begin(&p, "buckets", "events", 1.0, tape_reader_events(tape), quiet);
    w->table = tape_reader_instruments(tape, &w->instruments);
    while (!code) {
        const struct event *slots;
        size_t n;
        code = tape_reader_next(tape, &slots, &n, e);
        if (code) break;
        w->table = tape_reader_instruments(tape, &w->instruments);
        code = walk_run(w, slots, n, e);
        progress_at(&p, w->events);
        if (!code && cli_interrupted())
            code = err_set(e, ERR_INTERRUPTED, "stopped after %llu events; run it again",
                (unsigned long long)w->events);
    }
    progress_end(&p, w->events);
    if (code != ERR_END) return code;
    code = ERR_OK;
    for (size_t i = 0; i < w->instruments && !code; i++) {
        struct bucket b;
        if (w->track[i].started && vclock_end(&w->track[i].clock, &b))
            code = take(w, &w->track[i], &w->table[i], &b, e);
    }
    return code;
}

/* ---- figures ---- */

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t bucket_track_duration(struct bucket_track *t, double q) {
    if (t->count == 0) return 0;
    qsort(t->duration_ns, t->count, sizeof *t->duration_ns, by_value);
    size_t rank = (size_t)(q * (double)t->count + 0.999999);
    if (rank < 1) rank = 1;
    if (rank > t->count) rank = t->count;
    return t->duration_ns[rank - 1];
}

bool bucket_track_conserved(const struct bucket_track *t) {
    return t->got.volume == t->expected.volume && t->got.buys == t->expected.buys &&
           t->got.trades == t->expected.trades;
}
