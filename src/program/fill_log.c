#include "program/fill_log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"

#define MISSING INT64_MIN

const int64_t fill_mark_ns[RUN_MARKS] = {NS_PER_S, 10 * NS_PER_S, 60 * NS_PER_S};

void fill_log_head(FILE *csv) {
    fprintf(csv,
        "ts_venue_ns,ts_local_ns,order_id,side,px,qty,maker,fee,spread,slippage,queue_placed,"
        "queue_before,wait_ns,position,type,tif,value,mid_sent,mid,book_spread,mark_1s_bps,"
        "mark_10s_bps,mark_60s_bps,symbol\n");
}

void fill_log_open(struct fill_log *l, struct run_result *r, FILE *csv, const char *symbol) {
    memset(l, 0, sizeof *l);
    l->csv = csv;
    l->symbol = symbol;
    l->r = r;
    l->due = INT64_MAX;
}

static void add_mean(struct run_mean *m, int64_t mark) {
    double bps = (double)mark / 1e4;
    m->n++;
    m->sum_e4 += mark;
    m->square += bps * bps;
}

/* How far `mid2` lies from the fill price in the fill's favour, rounded to 1e-4 bps. */
static int64_t mark_of(const struct fill_record *f, int64_t mid2) {
    if (mid2 <= 0) return MISSING;
    int128 num = ((int128)mid2 - 2 * (int128)f->px.ticks) * 100000000, den = 2 * f->px.ticks;
    if (f->side == SIDE_SELL) num = -num;
    int128 twice = 2 * num + (num < 0 ? -den : den);
    return (int64_t)(twice / (2 * den));
}

static void sums_of_fill(struct run_fills *s, const struct fill_row *row) {
    const struct fill_record *f = &row->f;
    s->count[f->maker]++;
    s->fee[f->maker] += f->fee.e12;
    s->value[f->maker] += row->value < 0 ? -row->value : row->value;
    int64_t now = mark_of(f, f->fill_mid2.ticks);
    if (now != MISSING) add_mean(&s->mark[f->maker][0], now);
}

/* Bin of the queue ahead at placement in multiples of the order's quantity. */
static int ahead_bin(const struct fill_row *row) {
    int64_t limit = row->order_lots;
    if (row->f.queue_placed == 0) return 0;
    for (int i = 1; i + 1 < RUN_AHEAD_BINS; i++) {
        if (row->f.queue_placed <= limit) return i;
        if (__builtin_mul_overflow(limit, 10, &limit)) return i;
    }
    return RUN_AHEAD_BINS - 1;
}

static void set_mark(struct fill_log *l, struct fill_row *row, int h, int64_t mark) {
    struct run_fills *s = &l->r->log;
    row->mark[h] = mark;
    if (mark == MISSING) {
        s->unmarked[h]++;
        return;
    }
    add_mean(&s->mark[row->f.maker][h + 1], mark);
    if (fill_mark_ns[h] == RUN_AHEAD_MARK_NS && row->f.maker && row->f.queue_placed >= 0) {
        add_mean(&s->ahead[ahead_bin(row)], mark);
    }
}

static void half_text(const struct instrument *in, int64_t mid2, char *out) {
    *out = 0;
    if (mid2 > 0)
        decimal_text((int128)mid2 * in->px_mant * 5, (uint8_t)(in->px_exp + 1), true, out);
}

static void mark_text(int64_t mark, char *out) {
    *out = 0;
    if (mark != MISSING) decimal_text(mark, 4, true, out);
}

static void write_row(const struct fill_log *l, const struct fill_row *row) {
    const struct fill_record *f = &row->f;
    const struct instrument *in = &l->r->inst;
    char px[DECIMAL_TEXT_MAX], qty[DECIMAL_TEXT_MAX], pos[DECIMAL_TEXT_MAX], fee[DECIMAL_TEXT_MAX],
        spread[DECIMAL_TEXT_MAX], slip[DECIMAL_TEXT_MAX], value[DECIMAL_TEXT_MAX],
        sent[DECIMAL_TEXT_MAX], mid[DECIMAL_TEXT_MAX], wide[DECIMAL_TEXT_MAX] = "",
                                                       mark[RUN_MARKS][DECIMAL_TEXT_MAX];
    instrument_px_text(in, f->px, px);
    instrument_qty_text(in, f->qty, qty);
    instrument_qty_text(in, (qty_t){f->position}, pos);
    decimal_text(f->fee.e12, 12, true, fee);
    decimal_text(row->spread, 12, true, spread);
    decimal_text(row->slippage, 12, true, slip);
    decimal_text(row->value < 0 ? -row->value : row->value, 12, true, value);
    half_text(in, f->mid2.ticks, sent);
    half_text(in, f->fill_mid2.ticks, mid);
    if (row->book_spread > 0) instrument_px_text(in, (price_t){row->book_spread}, wide);
    for (int h = 0; h < RUN_MARKS; h++) mark_text(row->mark[h], mark[h]);
    fprintf(l->csv,
        "%" PRId64 ",%" PRId64 ",%" PRId64 ",%s,%s,%s,%d,%s,%s,%s,%" PRId64 ",%" PRId64 ",%" PRId64
        ",%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s\n",
        f->ts_venue.ns, f->ts_local.ns, f->order_id, f->side == SIDE_BUY ? "buy" : "sell", px, qty,
        f->maker, fee, spread, slip, f->queue_placed, f->queue_before, f->wait_ns, pos, row->type,
        row->tif, value, sent, mid, wide, mark[0], mark[1], mark[2], l->symbol);
}

/* Rows whose longest horizon is known leave; the next mark that is due is found. */
static void settle(struct fill_log *l) {
    size_t known = l->marked[RUN_MARKS - 1];
    for (size_t i = 0; i < known; i++) {
        if (l->csv) write_row(l, &l->row[l->head + i]);
    }
    l->head += known;
    l->count -= known;
    for (int h = 0; h < RUN_MARKS; h++) l->marked[h] -= known;
    l->due = INT64_MAX;
    for (int h = 0; h < RUN_MARKS; h++) {
        if (l->marked[h] == l->count) continue;
        int64_t due = l->row[l->head + l->marked[h]].f.ts_local.ns + fill_mark_ns[h];
        if (due < l->due) l->due = due;
    }
}

void fill_log_add(struct fill_log *l, const struct fill_row *row) {
    if (l->head > 0 && l->head >= l->cap / 2 && l->head + l->count == l->cap) {
        memmove(l->row, l->row + l->head, l->count * sizeof *l->row);
        l->head = 0;
    }
    l->row = mem_array(l->row, l->head + l->count, &l->cap, sizeof *l->row);
    struct fill_row *to = &l->row[l->head + l->count++];
    *to = *row;
    sums_of_fill(&l->r->log, to);
    if (l->r->bars) { /* no mid inside a bar */
        for (int h = 0; h < RUN_MARKS; h++) {
            set_mark(l, to, h, MISSING);
            l->marked[h]++;
        }
    }
    settle(l);
}

static void mark_until(struct fill_log *l, int64_t last_ns, int64_t mid2, int64_t fresh_ns) {
    for (int h = 0; h < RUN_MARKS; h++) {
        for (; l->marked[h] < l->count; l->marked[h]++) {
            struct fill_row *row = &l->row[l->head + l->marked[h]];
            int64_t due = row->f.ts_local.ns + fill_mark_ns[h];
            if (due > last_ns) break;
            set_mark(l, row, h, due <= fresh_ns ? mark_of(&row->f, mid2) : MISSING);
        }
    }
}

void fill_log_time(struct fill_log *l, int64_t now_ns, int64_t mid2, int64_t fresh_ns) {
    if (l->due >= now_ns) return;
    mark_until(l, now_ns - 1, mid2, fresh_ns);
    settle(l);
}

void fill_log_end(struct fill_log *l, int64_t last_ns, int64_t mid2, int64_t fresh_ns) {
    mark_until(l, last_ns, mid2, fresh_ns);
    for (int h = 0; h < RUN_MARKS; h++) {
        while (l->marked[h] < l->count) set_mark(l, &l->row[l->head + l->marked[h]++], h, MISSING);
    }
    settle(l);
    fill_log_abort(l);
}

void fill_log_abort(struct fill_log *l) {
    free(l->row);
    l->row = NULL;
    l->head = l->count = l->cap = 0;
    l->due = INT64_MAX;
}
