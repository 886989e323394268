#include "capture/tape/import_hint.h"

#include <math.h>
#include <string.h>

#include "base/check.h"

/* Share by which the nearest price may be off (a book after a pause), and how much farther the next
 * symbol must be. */
static const double HINT_FAR = 0.2, HINT_TIMES = 4, HINT_MARGIN = 0.01, HINT_WIDE = 0.02;

static double value(struct decimal d) { return (double)d.mant / (double)decimal_pow10[d.exp]; }

/* The middle of what a depth message shows of both sides; 0 if they are not close together. Changed
 * levels bracket the mid, whatever else changed. */
static double middle(const struct binance_depth *d) {
    double bid = 0, ask = 0;
    for (uint32_t i = 0; i < d->bids; i++) {
        double px = value(d->bid[i].px);
        if (d->bid[i].qty.mant > 0 && px > bid) bid = px;
    }
    for (uint32_t i = 0; i < d->asks; i++) {
        double px = value(d->ask[i].px);
        if (d->ask[i].qty.mant > 0 && (ask == 0 || px < ask)) ask = px;
    }
    return bid > 0 && ask > bid && ask < bid * (1 + HINT_WIDE) ? (bid + ask) / 2 : 0;
}

static double price_of(const struct binance_message *m) {
    switch (m->kind) {
    case BINANCE_TRADE:
    case BINANCE_AGG_TRADE: return m->trade.market ? value(m->trade.px) : 0;
    case BINANCE_TICKER: return value(m->ticker.bid_px);
    case BINANCE_DEPTH:
    case BINANCE_PARTIAL_DEPTH:
    case BINANCE_SNAPSHOT: return middle(&m->depth);
    default: return 0;
    }
}

static struct import_hint *hint_of(struct import_hints *h, const char *symbol) {
    size_t i = h->last;
    if (i < h->n && strncmp(h->at[i].symbol, symbol, SYMBOL_MAX) == 0) return &h->at[i];
    for (i = 0; i < h->n; i++) {
        if (strncmp(h->at[i].symbol, symbol, SYMBOL_MAX) == 0) break;
    }
    if (i == HINTS_MAX) {
        h->over = true;
        return NULL;
    }
    if (i == h->n) memcpy(h->at[h->n++].symbol, symbol, strnlen(symbol, SYMBOL_MAX - 1));
    h->last = i;
    return &h->at[i];
}

void import_hints_see(struct import_hints *h, const struct binance_message *m) {
    if (m->items != 1 || !m->symbol[0]) return;
    struct import_hint *hint = hint_of(h, m->symbol);
    /* Diffs are many and long: their levels are looked at only until a price is known. */
    bool diff = m->kind == BINANCE_DEPTH || m->kind == BINANCE_PARTIAL_DEPTH;
    if (!hint || (diff && hint->px > 0)) return;
    double px = price_of(m);
    if (px > 0) hint->px = px;
}

/* How far two prices are apart, as a share of the lower one. */
static double apart(double a, double b) { return a > b ? a / b - 1 : b / a - 1; }

const char *import_hints_whose(const struct import_hints *h, const struct binance_message *m) {
    CHECK(m->kind == BINANCE_SNAPSHOT && h->n <= HINTS_MAX);
    if (h->n == 0) return "";
    if (h->n == 1 && !h->over) return h->at[0].symbol;
    double px = price_of(m), best = HINT_FAR, second = HUGE_VAL;
    const char *name = NULL;
    if (h->over || px == 0) return NULL;
    for (size_t i = 0; i < h->n; i++) {
        if (h->at[i].px == 0) continue;
        double d = apart(px, h->at[i].px);
        if (d < best) {
            if (name) second = best;
            best = d;
            name = h->at[i].symbol;
        } else if (d < second) {
            second = d;
        }
    }
    return name && second >= HINT_TIMES * best + HINT_MARGIN ? name : NULL;
}
