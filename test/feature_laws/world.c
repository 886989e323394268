#include "feature_laws/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static void *grow(void *array, size_t n, size_t width) {
    if (n & (n - 1)) return array; /* doubles at powers of two */
    void *p = realloc(array, (n ? 2 * n : 1) * width);
    CHECK(p);
    return p;
}
#define PUSH(array, n) ((array) = grow((array), (n), sizeof *(array)), &(array)[(n)++])

static void list_set(struct level_list *list, int side, price_t px, qty_t qty) {
    size_t i = 0;
    while (i < list->n &&
           (side == BOOK_BID ? list->l[i].px.ticks > px.ticks : list->l[i].px.ticks < px.ticks))
        i++;
    bool there = i < list->n && list->l[i].px.ticks == px.ticks;
    if (there && qty.lots == 0) {
        memmove(&list->l[i], &list->l[i + 1], (list->n - i - 1) * sizeof list->l[0]);
        list->n--;
    } else if (there) {
        list->l[i].qty = qty;
    } else if (qty.lots != 0) {
        if (list->n == list->cap) {
            list->cap = list->cap ? 2 * list->cap : 64;
            list->l = realloc(list->l, list->cap * sizeof list->l[0]);
            CHECK(list->l);
        }
        memmove(&list->l[i + 1], &list->l[i], (list->n - i) * sizeof list->l[0]);
        list->l[i] = (struct book_level){px, qty};
        list->n++;
    }
}

struct maker {
    struct world *w;
    const struct synth *s;
    int64_t snapshot_id;
    struct book *book;
    struct vclock clock;
    struct level_list side[2];
    int64_t ticker_id; /* that is ahead of the book */
    double last_trade;
    bool depth_seen;
    double px_before;
};

static void take_bucket(struct maker *k, const struct bucket *b) {
    struct world *w = k->w;
    struct world_bucket *o = PUSH(w->bucket, w->buckets);
    memset(o, 0, sizeof *o);
    o->b = *b;
    o->trades = w->trades;
    o->messages = w->messages;
    o->changes = w->changes;
    double mid = NAN;
    if (book_state(k->book) == BOOK_SYNCED && k->side[0].n && k->side[1].n) {
        for (int side = 0; side < 2; side++) {
            o->side[side].n = k->side[side].n;
            o->side[side].l = malloc(k->side[side].n * sizeof *o->side[side].l);
            CHECK(o->side[side].l);
            memcpy(o->side[side].l, k->side[side].l, k->side[side].n * sizeof *o->side[side].l);
        }
        mid = (double)(k->side[0].l[0].px.ticks + k->side[1].l[0].px.ticks) / 2.0 *
              instrument_px_unit(&w->inst);
    }
    if (b->close.ticks) k->last_trade = instrument_px(&w->inst, b->close);
    o->px = k->depth_seen ? mid : k->last_trade;
    o->ret = 1e4 * log(o->px / k->px_before);
    k->px_before = o->px;
}

static void set_level(struct maker *k, const struct event *ev) {
    int side = ev->flags & EVF_BUY ? BOOK_BID : BOOK_ASK;
    if (ev->kind == EV_DEPTH) list_set(&k->side[side], side, ev->px, ev->qty);
}

static int64_t list_qty(const struct level_list *list, price_t px) {
    for (size_t i = 0; i < list->n; i++)
        if (list->l[i].px.ticks == px.ticks) return list->l[i].qty.lots;
    return 0;
}

static void note_change(struct maker *k, const struct event *ev) {
    struct world *w = k->w;
    int side = ev->flags & EVF_BUY ? BOOK_BID : BOOK_ASK;
    if (ev->kind != EV_DEPTH || (ev->flags & EVF_SNAPSHOT)) return;
    struct world_change *c = PUSH(w->change, w->changes);
    *c = (struct world_change){.ns = ev->ts_local.ns,
        .px = ev->px.ticks,
        .before = list_qty(&k->side[side], ev->px),
        .after = ev->qty.lots,
        .side = side,
        .message = w->messages,
        .trades = w->trades};
}

/* Messages that came before the snapshot but are younger than it. */
static void replay_younger(struct maker *k, const struct event *until) {
    k->snapshot_id = until->id;
    for (const struct event *ev = k->s->slots; ev < until; ev += event_slots(ev->kind))
        if (ev->inst == until->inst && !(ev->flags & EVF_SNAPSHOT) && ev->kind == EV_DEPTH &&
            ev->id > until->id)
            set_level(k, ev);
}

/* After a message: the book's touch, unless a ticker said something newer before. */
static void quote_of_book(struct maker *k, const struct world_message *m) {
    struct world *w = k->w;
    const struct world_quote *last = w->quotes ? &w->quote[w->quotes - 1] : NULL;
    struct world_quote q = {
        .ns = m->ns, .good = m->synced && m->n[0] && m->n[1], .whole = m->whole};
    bool ahead = last && last->good && k->ticker_id > book_update_id(k->book) && !m->whole;
    for (int s = 0; s < 2 && q.good; s++) {
        q.px[s] = ahead ? last->px[s] : m->top[s][0].px.ticks;
        q.lots[s] = ahead ? last->lots[s] : m->top[s][0].qty.lots;
    }
    if (!ahead || !q.good) k->ticker_id = 0;
    *PUSH(w->quote, w->quotes) = q;
}

static void quote_of_ticker(struct maker *k, const struct event *ev) {
    struct world *w = k->w;
    bool good = w->quotes && w->quote[w->quotes - 1].good;
    if (!good || ev->id <= book_update_id(k->book) || ev->id <= k->ticker_id) return;
    k->ticker_id = ev->id;
    *PUSH(w->quote, w->quotes) = (struct world_quote){ev->ts_local.ns,
        {ev->px.ticks, ev->ask.px.ticks}, {ev->qty.lots, ev->ask.qty.lots}, true, false};
}

static void take_depth(struct maker *k, const struct event *ev, const struct book_change *change) {
    struct world *w = k->w;
    k->depth_seen |= ev->kind == EV_DEPTH;
    if ((ev->flags & EVF_SNAPSHOT) && (ev->flags & EVF_FIRST)) k->side[0].n = k->side[1].n = 0;
    note_change(k, ev);
    if ((ev->flags & EVF_SNAPSHOT) || ev->id > k->snapshot_id) set_level(k, ev);
    if (!(ev->flags & EVF_LAST)) return;
    if (ev->flags & EVF_SNAPSHOT) replay_younger(k, ev);
    struct world_message *m = PUSH(w->message, w->messages);
    memset(m, 0, sizeof *m);
    m->ns = ev->ts_local.ns;
    m->synced = book_state(k->book) == BOOK_SYNCED;
    m->whole = change->whole;
    m->bucket = w->buckets;
    for (int s = 0; s < 2; s++) {
        m->n[s] = k->side[s].n < OFI_TOP ? k->side[s].n : OFI_TOP;
        memcpy(m->top[s], k->side[s].l, m->n[s] * sizeof m->top[s][0]);
    }
    quote_of_book(k, m);
}

static void take_trade(struct maker *k, const struct event *ev) {
    struct world *w = k->w;
    if (w->print_ns == 0) w->print_ns = ev->ts_local.ns;
    if ((ev->flags & EVF_NON_MARKET) || ev->px.ticks <= 0 || ev->qty.lots <= 0) return;
    struct world_trade *t = PUSH(w->trade, w->trades);
    bool synced = book_state(k->book) == BOOK_SYNCED;
    *t = (struct world_trade){.ns = ev->ts_local.ns,
        .px = ev->px.ticks,
        .lots = ev->qty.lots,
        .buy = ev->flags & EVF_BUY,
        .bucket = w->buckets,
        .bid = synced ? k->side[0].l[0].px.ticks : 0,
        .ask = synced ? k->side[1].l[0].px.ticks : 0};
}

static void take_other(struct maker *k, const struct event *ev) {
    struct world *w = k->w;
    if (ev->kind == EV_MARK) {
        const int64_t *words = event_words(ev);
        *PUSH(w->mark, w->marks) = (struct world_mark){ev->ts_local.ns, (double)ev->aux.a / 1e10,
            (double)ev->aux.b / 1e10,
            words[MARK_RATE_E16] == KLINE_UNKNOWN ? NAN : (double)words[MARK_RATE_E16] / 1e16 * 1e4,
            words[MARK_NEXT_FUNDING_NS]};
    } else if (ev->kind == EV_TICKER) {
        quote_of_ticker(k, ev);
    } else if (ev->kind == EV_OPEN_INTEREST) {
        *PUSH(w->interest, w->interests) =
            (struct world_point){ev->ts_local.ns, (double)ev->aux.a / 1e8};
    } else if (ev->kind == EV_RATIO) {
        size_t kind = (size_t)ev->id - 1;
        *PUSH(w->ratio[kind], w->ratios[kind]) =
            (struct world_point){ev->ts_local.ns, (double)ev->aux.a / 1e10};
    } else if (ev->kind == EV_LIQUIDATION) {
        double px = ev->aux.a ? (double)ev->aux.a / 1e10 : instrument_px(&w->inst, ev->px);
        *PUSH(w->liq, w->liqs) = (struct world_liq){
            ev->ts_local.ns, px, (double)ev->qty.lots, ev->flags & EVF_BUY, w->buckets};
    } else if (ev->kind == EV_KLINE) {
        const int64_t *word = event_words(ev);
        *PUSH(w->kline, w->klines) = (struct world_kline){ev->id, kline_end_ns(ev),
            (double)word[KLINE_OPEN_PX], (double)word[KLINE_HIGH_PX], (double)word[KLINE_LOW_PX],
            (double)ev->px.ticks, (double)ev->qty.lots, w->buckets};
    } else if (ev->kind == EV_FUNDING) {
        *PUSH(w->funding, w->fundings) =
            (struct world_point){ev->ts_local.ns, (double)ev->aux.a / 1e16 * 1e4};
    }
}

static void take_value(struct maker *k, const struct event *ev) {
    struct world *w = k->w;
    *PUSH(w->value, w->values) = (struct world_value){ev->ts_local.ns, ev->ts_venue.ns, ev->aux.b,
        (double)ev->aux.a / (ev->qty.lots == 2 ? 100.0 : 1.0), (size_t)ev->inst - SYNTH_ROW_FIRST,
        w->buckets};
}

static double said(int64_t v, double one) { return v == KLINE_UNKNOWN ? NAN : (double)v / one; }

static void take_option(struct maker *k, const struct event *ev) {
    struct world *w = k->w;
    const int64_t *word = event_words(ev);
    *PUSH(w->option, w->options) = (struct world_option){.ns = ev->ts_local.ns,
        .expiry_ns = ev->id,
        .strike_e10 = ev->aux.a,
        .mark = said(word[OPTION_MARK_E10], 1e10),
        .vol = said(word[OPTION_IV_E10], 1e10),
        .forward = said(word[OPTION_FORWARD_E10], 1e10),
        .interest = said(word[OPTION_INTEREST_E8], 1e8),
        .volume = said(word[OPTION_VOLUME_E8], 1e8),
        .index = (double)ev->aux.b / 1e10,
        .call = ev->flags & EVF_BUY,
        .first = ev->flags & EVF_FIRST,
        .last = ev->flags & EVF_LAST,
        .bucket = w->buckets};
}

void world_make(struct world *w, const struct synth *s, const struct bucket_spec *spec) {
    struct maker *k = calloc(1, sizeof *k);
    void *mem = aligned_alloc(64, (book_mem_size(NULL) + 63) & ~(size_t)63);
    struct bucket b;
    CHECK(k && mem);
    memset(w, 0, sizeof *w);
    w->inst = s->inst;
    k->w = w;
    k->s = s;
    k->book = book_init(mem, NULL, s->inst.venue);
    k->last_trade = k->px_before = NAN;
    vclock_init(&k->clock, spec, s->inst.id);
    vclock_units(&k->clock, &s->inst);
    for (size_t i = 0; i < s->n; i += event_slots(s->slots[i].kind)) {
        const struct event *ev = &s->slots[i];
        struct book_change change = {0};
        while (vclock_before(&k->clock, ev, &b)) take_bucket(k, &b);
        if (ev->kind == EV_OPTION) {
            take_option(k, ev);
            continue;
        }
        if (ev->kind == EV_EXTERNAL) { /* the instrument's clock and book do not see it */
            take_value(k, ev);
            continue;
        }
        if (ev->inst != s->inst.id) continue; /* another venue's: only the time passes */
        book_apply(k->book, ev, &change);
        if (book_state(k->book) == BOOK_GAP) vclock_gap(&k->clock);
        if (ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END)
            take_depth(k, ev, &change);
        else if (ev->kind == EV_TRADE)
            take_trade(k, ev);
        else
            take_other(k, ev);
        if (vclock_after(&k->clock, ev, &b)) take_bucket(k, &b);
    }
    world_bars_make(w);
    world_peers_make(w, s);
    free(k->side[0].l);
    free(k->side[1].l);
    free(mem);
    free(k);
}

void world_free(struct world *w) {
    for (size_t i = 0; i < w->buckets; i++) {
        free(w->bucket[i].side[0].l);
        free(w->bucket[i].side[1].l);
    }
    free(w->bucket);
    free(w->trade);
    free(w->message);
    free(w->quote);
    free(w->change);
    free(w->mark);
    free(w->interest);
    free(w->funding);
    for (int i = 0; i < 4; i++) free(w->ratio[i]);
    free(w->liq);
    free(w->value);
    free(w->option);
    free(w->kline);
    world_bars_free(w);
    world_peers_free(w);
    memset(w, 0, sizeof *w);
}

/* --- helpers --------------------------------------------------------------------------------- */

double quotient(double a, double b) { return b == 0.0 ? NAN : a / b; }

int64_t last_ns(const struct bucket *b) {
    switch ((enum cut_trigger)b->trigger) {
    case CUT_TIME:
    case CUT_LIMIT:
    case CUT_READY:
    case CUT_SWITCH:
    case CUT_KLINE: return b->close_ts.ns - 1;
    case CUT_NONE:
    case CUT_VOLUME:
    case CUT_COUNT:
    case CUT_UPDATE:
    case CUT_END:
    case CUT_QUALITY:
    case CUT_REFERENCE:
    case CUT_TRIGGERS: break;
    }
    return b->close_ts.ns;
}

double over(const struct world *w, size_t k, int n, double (*f)(const struct world *, size_t)) {
    double sum = 0.0;
    if (k + 1 < (size_t)n) return NAN;
    for (size_t i = k + 1 - (size_t)n; i <= k; i++) sum += f(w, i);
    return sum;
}

bool window(const struct world *w, size_t k, int n, double (*f)(const struct world *, size_t),
    double *out) {
    bool whole = k + 1 >= (size_t)n;
    for (int i = 0; i < n && whole; i++) {
        out[i] = f(w, k + 1 - (size_t)n + (size_t)i);
        whole = !isnan(out[i]);
    }
    return whole;
}

double b_volume(const struct world *w, size_t k) { return (double)w->bucket[k].b.volume.lots; }
double b_signed(const struct world *w, size_t k) {
    const struct bucket *b = &w->bucket[k].b;
    return 2.0 * (double)b->buy_volume.lots - (double)b->volume.lots;
}
double b_px(const struct world *w, size_t k) { return w->bucket[k].px; }
double b_ret(const struct world *w, size_t k) { return w->bucket[k].ret; }
double b_mid(const struct world *w, size_t k) {
    const struct world_bucket *b = &w->bucket[k];
    if (b->side[0].n == 0) return NAN;
    return (instrument_px(&w->inst, b->side[0].l[0].px) +
               instrument_px(&w->inst, b->side[1].l[0].px)) /
           2.0;
}
double b_quote(const struct world *w, size_t k) {
    const struct bucket *b = &w->bucket[k].b;
    return (double)bucket_value(b) * instrument_px_unit(&w->inst) * instrument_qty_unit(&w->inst);
}

double mean_of(const double *x, int n) {
    double sum = 0.0;
    for (int i = 0; i < n; i++) sum += x[i];
    return sum / n;
}

double sd_of(const double *x, int n) {
    bool equal = true;
    double m = mean_of(x, n), sum = 0.0;
    for (int i = 0; i < n; i++) {
        equal &= x[i] == x[0];
        sum += (x[i] - m) * (x[i] - m);
    }
    return equal ? 0.0 : sqrt(sum / n);
}

static double cross(const double *x, const double *y, int n) {
    double mx = mean_of(x, n), my = mean_of(y, n), sum = 0.0;
    for (int i = 0; i < n; i++) sum += (x[i] - mx) * (y[i] - my);
    return sum;
}

double slope_of(const double *x, const double *y, int n) {
    return sd_of(x, n) == 0.0 ? NAN : cross(x, y, n) / cross(x, x, n);
}

double r2_of(const double *x, const double *y, int n) {
    if (sd_of(x, n) == 0.0 || sd_of(y, n) == 0.0) return NAN;
    return cross(x, y, n) * cross(x, y, n) / (cross(x, x, n) * cross(y, y, n));
}

static bool find(const struct naive_row *table, const char *name, const struct naive_row **out) {
    for (const struct naive_row *r = table; r->name; r++) {
        if (strcmp(r->name, name) != 0) continue;
        *out = r;
        return true;
    }
    return false;
}

bool naive_value(const struct world *w, const char *name, size_t k, double *out) {
    const struct naive_row *tables[] = {naive_book, naive_flow, naive_ret, naive_rest, naive_ta,
        naive_wave, naive_dyn, naive_perp, naive_foot, naive_v72, naive_cluster, naive_xv,
        naive_chain, naive_option, naive_heat, naive_more, naive_contagion, naive_rv_time};
    const struct naive_row *row = NULL;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (!find(tables[i], name, &row)) continue;
        *out = row->fn(w, k, row->n);
        return true;
    }
    return naive_chain_value(w, name, k, out) || naive_agg_value(w, name, k, out) ||
           naive_bar_value(w, name, k, out);
}
