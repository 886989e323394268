#include "program/queue_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "execute/order/order.h"

/* ---- levels ---- */

struct piece {
    int64_t id, qty; /* id of per-order data, else 0 */
};

struct queue_level {
    int64_t px;
    int side;
    int64_t unknown;          /* quantity before all pieces */
    int64_t printed;          /* since the level last changed */
    int64_t total;            /* unknown + pieces */
    size_t n, cap, last_seen; /* last_seen: 1 + number of the newest cancel seen here */
    struct piece *piece;
};

void queue_watch_init(struct queue_watch *w, double unit, bool per_order) {
    *w = (struct queue_watch){.unit = unit, .per_order = per_order};
}

void queue_watch_reset(struct queue_watch *w) {
    for (size_t i = 0; i < w->levels; i++) free(w->level[i].piece);
    w->levels = 0;
}

void queue_watch_free(struct queue_watch *w) {
    queue_watch_reset(w);
    free(w->level);
    free(w->seen);
    *w = (struct queue_watch){0};
}

/* Levels are sorted by price, then side. */
static struct queue_level *level_at(struct queue_watch *w, int64_t px, int side) {
    size_t lo = 0, hi = w->levels;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct queue_level *l = &w->level[mid];
        if (l->px < px || (l->px == px && l->side < side)) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    if (lo < w->levels && w->level[lo].px == px && w->level[lo].side == side) return &w->level[lo];
    w->level = mem_array(w->level, w->levels, &w->levels_cap, sizeof *w->level);
    memmove(&w->level[lo + 1], &w->level[lo], (w->levels - lo) * sizeof *w->level);
    w->levels++;
    w->level[lo] = (struct queue_level){.px = px, .side = side};
    return &w->level[lo];
}

static void drop_piece(struct queue_level *l, size_t i) {
    memmove(&l->piece[i], &l->piece[i + 1], (l->n - i - 1) * sizeof *l->piece);
    l->n--;
}

static void join(struct queue_level *l, int64_t id, int64_t qty) {
    if (l->n == QUEUE_PIECES_MAX) {
        l->unknown += l->piece[0].qty;
        drop_piece(l, 0);
    }
    l->piece = mem_array(l->piece, l->n, &l->cap, sizeof *l->piece);
    l->piece[l->n++] = (struct piece){id, qty};
    l->total += qty;
}

/* Leaves from the front: traded. */
static void trade(struct queue_level *l, int64_t qty) {
    if (qty > l->total) qty = l->total;
    l->total -= qty;
    int64_t from = qty < l->unknown ? qty : l->unknown;
    l->unknown -= from;
    for (qty -= from; qty > 0;) {
        CHECK(l->n > 0);
        int64_t take = qty < l->piece[0].qty ? qty : l->piece[0].qty;
        l->piece[0].qty -= take;
        qty -= take;
        if (l->piece[0].qty == 0) drop_piece(l, 0);
    }
}

static void note(struct queue_watch *w, struct queue_level *l, int64_t before, int64_t qty,
    bool known, int64_t ts) {
    double total = (double)l->total, unknown = (double)l->unknown / total;
    w->seen = mem_array(w->seen, w->n, &w->cap, sizeof *w->seen);
    w->seen[w->n++] = (struct queue_seen){.x0 = known ? (double)before / total : 0,
        .x1 = known ? (double)(before + qty) / total : unknown,
        .unknown = known ? unknown : 0,
        .total = total * w->unit,
        .ts = ts};
    l->last_seen = w->n;
}

static int64_t before_piece(const struct queue_level *l, size_t i) {
    int64_t sum = l->unknown;
    for (size_t k = 0; k < i; k++) sum += l->piece[k].qty;
    return sum;
}

static int side_of(const struct event *ev) { return (ev->flags & EVF_SELL) ? SIDE_SELL : SIDE_BUY; }

/* ---- per-order data ---- */

static void piece_leaves(
    struct queue_watch *w, struct queue_level *l, const struct event *ev, bool cancelled) {
    size_t i = 0;
    int64_t qty = ev->qty.lots;
    while (i < l->n && l->piece[i].id != ev->id) i++;
    if (i == l->n) { /* from before the data */
        if (qty > l->unknown) qty = l->unknown;
        if (qty > 0 && cancelled && l->n > 0) note(w, l, 0, 0, false, ev->ts_venue.ns);
        l->unknown -= qty;
        l->total -= qty;
        return;
    }
    if (cancelled) note(w, l, before_piece(l, i), l->piece[i].qty, true, ev->ts_venue.ns);
    if (qty > l->piece[i].qty) qty = l->piece[i].qty;
    l->piece[i].qty -= qty;
    l->total -= qty;
    if (l->piece[i].qty == 0) drop_piece(l, i);
}

void queue_watch_order(struct queue_watch *w, const struct event *ev, bool count) {
    if (!w->per_order) return;
    bool leaves = ev->aux.a == ACTION_REDUCE || ev->aux.a == ACTION_DELETE;
    if (ev->aux.a != ACTION_ADD && ev->aux.a != ACTION_EXECUTE && !leaves) return;
    struct queue_level *l = level_at(w, ev->px.ticks, side_of(ev));
    w->cancels += leaves && count;
    if (ev->aux.a != ACTION_ADD) {
        piece_leaves(w, l, ev, leaves && count && ev->id != 0);
    } else if (ev->id != 0) {
        join(l, ev->id, ev->qty.lots);
    } else {
        l->unknown += ev->qty.lots;
        l->total += ev->qty.lots;
    }
}

/* ---- level data ---- */

void queue_watch_print(struct queue_watch *w, const struct event *ev) {
    if (w->per_order) return;
    struct queue_level *l = level_at(w, ev->px.ticks, side_of(ev) ^ 1);
    l->printed += ev->qty.lots;
    if (l->last_seen == 0) return;
    struct queue_seen *s = &w->seen[l->last_seen - 1];
    if (ev->ts_venue.ns - s->ts < QUEUE_LATE_NS) s->taken_back = true;
    l->last_seen = 0;
}

/* The level is one lump of unknown orders. */
static void forget(struct queue_level *l, int64_t qty) {
    l->n = 0;
    l->unknown = l->total = qty;
}

/* A fall that no print explains: whose was it? */
static void cancelled(
    struct queue_watch *w, struct queue_level *l, int64_t qty, int64_t ts, bool count) {
    size_t at = l->n;
    int found = l->unknown == qty; /* the unknown part may be one order of that size */
    for (size_t i = 0; i < l->n; i++) {
        if (l->piece[i].qty != qty) continue;
        at = i;
        found++;
    }
    w->cancels += count;
    if (found == 0 && qty < l->unknown) { /* of those that are not told apart */
        w->unmatched += count;
        l->unknown -= qty;
        l->total -= qty;
        return;
    }
    if (found != 1 || at == l->n) {
        w->unmatched += count;
        forget(l, l->total - qty);
        return;
    }
    bool choice = l->n > 1;
    if (count && choice) note(w, l, before_piece(l, at), qty, true, ts);
    l->total -= qty;
    drop_piece(l, at);
}

void queue_watch_level(
    struct queue_watch *w, const struct event *ev, int64_t before, int64_t after, bool count) {
    struct queue_level *l = level_at(w, ev->px.ticks, side_of(ev));
    if (w->per_order) { /* what no order explains stood there when the data began */
        l->unknown += after - l->total;
        l->total = after;
        if (l->unknown < 0) forget(l, after);
        return;
    }
    if (l->total != before) forget(l, before);
    int64_t printed = l->printed < before ? l->printed : before;
    l->printed = 0;
    if (printed > 0) trade(l, printed);
    int64_t change = after - l->total;
    if (change > 0) join(l, 0, change);
    if (change < 0) cancelled(w, l, -change, ev->ts_venue.ns, count);
    if (after == 0) forget(l, 0);
}

void queue_watch_end(struct queue_watch *w) {
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++) {
        if (!w->seen[i].taken_back) w->seen[n++] = w->seen[i];
    }
    w->n = n;
}

/* ---- likelihood ---- */

double queue_place_share(const struct queue_spec *s, double total, double q) {
    if (q <= 0) return 0;
    if (q >= 1) return 1;
    return 1 - queue_behind_share(s, q * total, (1 - q) * total);
}

double queue_likelihood(const struct queue_spec *s, const struct queue_seen *seen, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const struct queue_seen *o = &seen[i];
        double mass = queue_place_share(s, o->total, o->x1) - queue_place_share(s, o->total, o->x0);
        double rest = 1 - queue_place_share(s, o->total, o->unknown);
        if (!(mass > 0) || !(rest > 0)) return -INFINITY;
        sum += log(mass / rest);
    }
    return n > 0 ? sum / (double)n : NAN;
}

bool queue_has_power(uint8_t model) {
    return model == QUEUE_POWER || model == QUEUE_POWER2 || model == QUEUE_POWER3;
}

double queue_best_power_in(struct queue_spec *s, const struct queue_seen *seen, size_t n,
    double least, double most, double tolerance) {
    const double golden = 0.6180339887498949;
    double lo = log(least), hi = log(most), value[2];
    double at[2] = {hi - golden * (hi - lo), lo + golden * (hi - lo)};
    if (!queue_has_power(s->model)) return queue_likelihood(s, seen, n);
    for (int i = 0; i < 2; i++) {
        s->power = exp(at[i]);
        value[i] = queue_likelihood(s, seen, n);
    }
    while (hi - lo > tolerance) {
        bool right = value[0] < value[1];
        if (right) {
            lo = at[0];
            at[0] = at[1], value[0] = value[1];
            at[1] = lo + golden * (hi - lo);
        } else {
            hi = at[1];
            at[1] = at[0], value[1] = value[0];
            at[0] = hi - golden * (hi - lo);
        }
        s->power = exp(at[right]);
        value[right] = queue_likelihood(s, seen, n);
    }
    s->power = exp((lo + hi) / 2);
    return queue_likelihood(s, seen, n);
}

double queue_best_power(struct queue_spec *s, const struct queue_seen *seen, size_t n) {
    return queue_best_power_in(s, seen, n, 0.05, 50, 1e-5);
}
