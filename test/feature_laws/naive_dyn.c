/* Book dynamics again, from the array of all level changes. */
#include <stdlib.h>

#include "feature_laws/world.h"

static double unit(const struct world *w) { return instrument_qty_unit(&w->inst); }

/* The message does not continue a book that was known before it. */
static bool breaks(const struct world *w, size_t i) {
    return i == 0 || !w->message[i].synced || w->message[i].whole || !w->message[i - 1].synced;
}

/* Stamp of the last break before the close of bucket k. */
static int64_t since(const struct world *w, size_t k) {
    size_t i = w->bucket[k].messages;
    while (i > 0 && !breaks(w, i - 1)) i--;
    return i ? w->message[i - 1].ns : INT64_MAX / 2;
}

static bool followed(const struct world *w, size_t k) {
    size_t i = k ? w->bucket[k - 1].messages : 0;
    bool whole = k > 0 && w->bucket[k].side[0].n > 0 && i > 0 && w->message[i - 1].synced;
    for (; i < w->bucket[k].messages; i++) whole = whole && !breaks(w, i);
    return whole;
}
static bool settled(const struct world *w, size_t k) {
    return followed(w, k) && w->bucket[k].b.open_ts.ns >= since(w, k) + 3 * NS_PER_S;
}

/* Best price of the change's side after the message before its own; ticks behind it. */
static int64_t behind(const struct world *w, const struct world_change *c, int64_t *best) {
    *best = w->message[c->message - 1].top[c->side][0].px.ticks;
    return c->side == BOOK_BID ? *best - c->px : c->px - *best;
}
static bool far_added(const struct world *w, const struct world_change *c) {
    int64_t best, off = behind(w, c, &best);
    return c->after > c->before && off * 10000 >= 5 * best;
}

struct moved {
    double added, removed, traded, back, far, fleeting, seconds;
};

/* The quantity of a far addition that this removal takes away within 3 s. Only the last far
 * addition of the 4096 prices' class is remembered, and not beyond a removal behind the touch. */
static double fled(const struct world *w, size_t i) {
    const struct world_change *c = &w->change[i];
    int64_t best, gone = c->before - c->after;
    if (gone <= 0 || behind(w, c, &best) <= 0) return 0.0;
    for (size_t j = i; j-- > 0 && c->ns - w->change[j].ns <= 3 * NS_PER_S;) {
        const struct world_change *a = &w->change[j];
        if (a->side != c->side || a->px % 4096 != c->px % 4096) continue;
        if (far_added(w, a)) {
            int64_t put = a->after - a->before;
            return a->px != c->px ? 0.0 : (double)(put < gone ? put : gone);
        }
        if (a->px == c->px && a->after < a->before && behind(w, a, &best) > 0) return 0.0;
    }
    return 0.0;
}

/* An addition within 1 s of the last trade against its side, at that price or better. */
static bool is_back(const struct world *w, const struct world_change *c) {
    for (size_t t = c->trades; t-- > 0;) {
        const struct world_trade *x = &w->trade[t];
        if (x->buy != (c->side == BOOK_ASK)) continue;
        return c->ns - x->ns <= NS_PER_S && (c->side == BOOK_BID ? c->px >= x->px : c->px <= x->px);
    }
    return false;
}

static void take_change(const struct world *w, size_t i, bool deep, struct moved *m) {
    const struct world_change *c = &w->change[i];
    double step = (double)(c->after - c->before);
    if (step > 0) m->added += step;
    if (step < 0) m->removed -= step;
    if (!deep) return;
    if (step > 0 && is_back(w, c)) m->back += step;
    if (far_added(w, c)) m->far += step;
    m->fleeting += fled(w, i);
}

/* Buckets k-n+1..k, one side; `deep`: with what needs 3 s of a followed book before the bucket. */
static bool moved_in(const struct world *w, size_t k, int n, int side, bool deep, struct moved *m) {
    *m = (struct moved){0};
    if (k + 1 < (size_t)n) return false;
    for (size_t b = k + 1 - (size_t)n; b <= k; b++) {
        if (deep ? !settled(w, b) : !followed(w, b)) return false;
        m->seconds += (double)(w->bucket[b].b.close_ts.ns - w->bucket[b].b.open_ts.ns) / 1e9;
    }
    size_t from = k + 1 > (size_t)n ? k - (size_t)n : 0;
    for (size_t i = w->bucket[from].changes; i < w->bucket[k].changes; i++)
        if (w->change[i].side == side) take_change(w, i, deep, m);
    for (size_t i = w->bucket[from].trades; i < w->bucket[k].trades; i++)
        if (w->trade[i].buy == (side == BOOK_ASK)) m->traded += (double)w->trade[i].lots;
    return true;
}

/* The ten tenths of a second that end with the close. */
static bool moved_second(const struct world *w, size_t k, int side, struct moved *m) {
    int64_t bin = NS_PER_S / 10, now = last_ns(&w->bucket[k].b) / bin;
    size_t messages = w->bucket[k].messages;
    *m = (struct moved){.seconds = 1.0};
    if (messages == 0 || !w->message[messages - 1].synced || w->bucket[k].side[0].n == 0)
        return false;
    if (now - since(w, k) / bin < 10) return false;
    for (size_t i = w->bucket[k].changes; i-- > 0 && w->change[i].ns / bin > now - 10;)
        if (w->change[i].side == side) take_change(w, i, false, m);
    for (size_t i = w->bucket[k].trades; i-- > 0 && w->trade[i].ns / bin > now - 10;)
        if (w->trade[i].buy == (side == BOOK_ASK)) m->traded += (double)w->trade[i].lots;
    return true;
}

enum rate { RATE_ADD, RATE_CANCEL, RATE_NET };
/* n = 0: the last second */
static double rate(const struct world *w, size_t k, int n, int side, enum rate what) {
    struct moved m;
    if (n ? !moved_in(w, k, n, side, false, &m) : !moved_second(w, k, side, &m)) return NAN;
    double x = what == RATE_ADD   ? m.added
               : what == RATE_NET ? m.added - m.removed
                                  : fmax(m.removed - m.traded, 0.0);
    return quotient(x * unit(w), m.seconds);
}
static double add_bid(const struct world *w, size_t k, int n) { return rate(w, k, n, 0, RATE_ADD); }
static double add_ask(const struct world *w, size_t k, int n) { return rate(w, k, n, 1, RATE_ADD); }
static double cancel_bid(const struct world *w, size_t k, int n) {
    return rate(w, k, n, 0, RATE_CANCEL);
}
static double cancel_ask(const struct world *w, size_t k, int n) {
    return rate(w, k, n, 1, RATE_CANCEL);
}
static double net_bid(const struct world *w, size_t k, int n) { return rate(w, k, n, 0, RATE_NET); }
static double net_ask(const struct world *w, size_t k, int n) { return rate(w, k, n, 1, RATE_NET); }

static double replenish(const struct world *w, size_t k, int side) {
    struct moved m, deep;
    if (!moved_in(w, k, 5, side, false, &m) || !moved_in(w, k, 5, side, true, &deep)) return NAN;
    return quotient(deep.back, m.traded);
}
static double cancel_trade(const struct world *w, size_t k, int n) {
    struct moved b, a;
    if (!moved_in(w, k, n, 0, false, &b) || !moved_in(w, k, n, 1, false, &a)) return NAN;
    return quotient(
        fmax(b.removed - b.traded, 0.0) + fmax(a.removed - a.traded, 0.0), b.traded + a.traded);
}
static double fleeting(const struct world *w, size_t k, int side) {
    struct moved m;
    return moved_in(w, k, 20, side, true, &m) ? quotient(m.fleeting, m.far) : NAN;
}

static int64_t spread_at(const struct book_level *bid, const struct book_level *ask) {
    return ask->px.ticks - bid->px.ticks;
}
static double spread_burst(const struct world *w, size_t k, int n) {
    double wide = 0.0, all = 0.0;
    if (k < (size_t)n) return NAN;
    for (size_t b = k + 1 - (size_t)n; b <= k; b++) {
        const struct world_bucket *before = &w->bucket[b - 1];
        if (!followed(w, b) || before->side[0].n == 0) return NAN;
        int64_t last = spread_at(before->side[0].l, before->side[1].l);
        for (size_t i = before->messages; i < w->bucket[b].messages; i++) {
            wide += spread_at(w->message[i].top[0], w->message[i].top[1]) >= 2 * last;
            all += 1.0;
        }
    }
    return quotient(wide, all);
}

/* Share of the first 20 levels' quantity within `x` half ticks of the mid. */
static double share_within(const struct world_bucket *b, int side, int64_t x) {
    double in = 0.0, all = 0.0;
    int64_t mid2 = b->side[0].l[0].px.ticks + b->side[1].l[0].px.ticks;
    for (size_t i = 0; i < b->side[side].n && i < 20; i++) {
        const struct book_level *l = &b->side[side].l[i];
        all += (double)l->qty.lots;
        if (llabs(2 * l->px.ticks - mid2) <= x) in += (double)l->qty.lots;
    }
    return in / all;
}
static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}
/* The difference of the shares within x, from each x where one of them steps to the next. */
static double shape_shift(const struct world *w, size_t k, int side) {
    int64_t x[40];
    int n = 0;
    double area = 0.0;
    if (k == 0 || w->bucket[k].side[0].n == 0 || w->bucket[k - 1].side[0].n == 0) return NAN;
    for (size_t b = k - 1; b <= k; b++) {
        const struct level_list *s = w->bucket[b].side;
        for (size_t i = 0; i < s[side].n && i < 20; i++)
            x[n++] = llabs(2 * s[side].l[i].px.ticks - s[0].l[0].px.ticks - s[1].l[0].px.ticks);
    }
    qsort(x, (size_t)n, sizeof x[0], by_size);
    for (int i = 0; i + 1 < n; i++)
        area += fabs(share_within(&w->bucket[k - 1], side, x[i]) -
                     share_within(&w->bucket[k], side, x[i])) *
                (double)(x[i + 1] - x[i]);
    const struct level_list *now = w->bucket[k].side;
    return 1e4 * area / (double)(now[0].l[0].px.ticks + now[1].l[0].px.ticks);
}

const struct naive_row naive_dyn[] = {
    {"dyn_add_rate_bid_s1", add_bid, 0},
    {"dyn_add_rate_bid_b1", add_bid, 1},
    {"dyn_add_rate_bid_b5", add_bid, 5},
    {"dyn_add_rate_ask_s1", add_ask, 0},
    {"dyn_add_rate_ask_b1", add_ask, 1},
    {"dyn_add_rate_ask_b5", add_ask, 5},
    {"dyn_cancel_rate_bid_s1", cancel_bid, 0},
    {"dyn_cancel_rate_bid_b1", cancel_bid, 1},
    {"dyn_cancel_rate_bid_b5", cancel_bid, 5},
    {"dyn_cancel_rate_ask_s1", cancel_ask, 0},
    {"dyn_cancel_rate_ask_b1", cancel_ask, 1},
    {"dyn_cancel_rate_ask_b5", cancel_ask, 5},
    {"dyn_net_rate_bid_s1", net_bid, 0},
    {"dyn_net_rate_bid_b1", net_bid, 1},
    {"dyn_net_rate_bid_b5", net_bid, 5},
    {"dyn_net_rate_ask_s1", net_ask, 0},
    {"dyn_net_rate_ask_b1", net_ask, 1},
    {"dyn_net_rate_ask_b5", net_ask, 5},
    {"dyn_replenish_bid_b5", replenish, 0},
    {"dyn_replenish_ask_b5", replenish, 1},
    {"dyn_cancel_trade_ratio_b5", cancel_trade, 5},
    {"dyn_cancel_trade_ratio_b20", cancel_trade, 20},
    {"dyn_fleeting_share_bid_b20", fleeting, 0},
    {"dyn_fleeting_share_ask_b20", fleeting, 1},
    {"dyn_spread_burst_b20", spread_burst, 20},
    {"dyn_shape_shift_bid_l20_b1", shape_shift, 0},
    {"dyn_shape_shift_ask_l20_b1", shape_shift, 1},
    {0},
};
