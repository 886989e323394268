#include "capture/generate/wire.h"

#include <string.h>

#include "base/check.h"

void text_put(struct text *t, const char *s) {
    size_t n = strlen(s);
    CHECK(t->n + n < WIRE_LINE_MAX);
    memcpy(t->s + t->n, s, n);
    t->n += n;
}

static void text_char(struct text *t, char c) {
    CHECK(t->n + 1 < WIRE_LINE_MAX);
    t->s[t->n++] = c;
}

void text_fixed(struct text *t, int64_t v, int decimals) {
    char back[32];
    int n = 0;
    CHECK(decimals >= 0 && decimals <= 18);
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    for (int place = 0; u > 0 || place <= decimals; place++, u /= 10) {
        if (place == decimals && decimals > 0) back[n++] = '.';
        back[n++] = (char)('0' + (int)(u % 10));
    }
    if (v < 0) text_char(t, '-');
    while (n > 0) text_char(t, back[--n]);
}

void text_int(struct text *t, int64_t v) { text_fixed(t, v, 0); }

static void text_key_int(struct text *t, const char *key, int64_t v) {
    text_put(t, key);
    text_int(t, v);
}

static void text_key_fixed(struct text *t, const char *key, int64_t v, int decimals) {
    text_put(t, key);
    text_char(t, '"');
    text_fixed(t, v, decimals);
    text_char(t, '"');
}

static void open_stream(
    struct text *t, const struct wire_names *w, const char *stream, const char *event) {
    text_put(t, "{\"stream\":\"");
    text_put(t, w->lower);
    text_put(t, stream);
    text_put(t, "\",\"data\":{\"e\":\"");
    text_put(t, event);
    text_char(t, '"');
}

static void symbol(struct text *t, const struct wire_names *w) {
    text_put(t, ",\"s\":\"");
    text_put(t, w->upper);
    text_char(t, '"');
}

static void level(struct text *t, int64_t tick, int64_t lots, bool first) {
    text_put(t, first ? "[\"" : ",[\"");
    text_fixed(t, tick, WIRE_PX_DECIMALS);
    text_put(t, "\",\"");
    text_fixed(t, lots, WIRE_QTY_DECIMALS);
    text_put(t, "\"]");
}

/* The changed levels of one side by rising price. */
static void side_changes(struct text *t, const struct lob *book, const struct lob_change *change,
    size_t changes, enum lob_side side) {
    int64_t tick[LOB_CHANGES_MAX];
    size_t n = 0;
    CHECK(changes <= LOB_CHANGES_MAX);
    for (size_t i = 0; i < changes; i++) {
        if (change[i].side != side) continue;
        size_t at = n++;
        for (; at > 0 && tick[at - 1] > change[i].tick; at--) tick[at] = tick[at - 1];
        tick[at] = change[i].tick;
    }
    for (size_t i = 0; i < n; i++) level(t, tick[i], lob_qty(book, side, tick[i]), i == 0);
}

void wire_depth(struct text *t, const struct wire_names *w, const struct wire_depth *d,
    const struct lob *book, const struct lob_change *change, size_t changes) {
    open_stream(t, w, "@depth@0ms", "depthUpdate");
    text_key_int(t, ",\"E\":", d->msg_ms);
    text_key_int(t, ",\"T\":", d->venue_ms);
    symbol(t, w);
    text_key_int(t, ",\"U\":", d->first_id);
    text_key_int(t, ",\"u\":", d->last_id);
    text_key_int(t, ",\"pu\":", d->prev_id);
    text_put(t, ",\"b\":[");
    side_changes(t, book, change, changes, LOB_BID);
    text_put(t, "],\"a\":[");
    side_changes(t, book, change, changes, LOB_ASK);
    text_put(t, "]}}");
}

static void side_levels(struct text *t, const struct lob *book, enum lob_side side) {
    int64_t step = side == LOB_BID ? -1 : 1, tick = book->best[side];
    int n = 0;
    for (int i = 0; i < LOB_RING && n < WIRE_LEVELS_MAX; i++, tick += step) {
        int64_t lots = lob_qty(book, side, tick);
        if (lots > 0) level(t, tick, lots, n++ == 0);
    }
}

void wire_snapshot(struct text *t, const struct wire_depth *d, const struct lob *book) {
    text_key_int(t, "{\"lastUpdateId\":", d->last_id);
    text_key_int(t, ",\"E\":", d->msg_ms);
    text_key_int(t, ",\"T\":", d->venue_ms);
    text_put(t, ",\"bids\":[");
    side_levels(t, book, LOB_BID);
    text_put(t, "],\"asks\":[");
    side_levels(t, book, LOB_ASK);
    text_put(t, "]}");
}

void wire_ticker(struct text *t, const struct wire_names *w, const struct wire_depth *d,
    const struct lob *book) {
    int64_t bid = book->best[LOB_BID], ask = book->best[LOB_ASK];
    open_stream(t, w, "@bookTicker", "bookTicker");
    text_key_int(t, ",\"u\":", d->last_id);
    symbol(t, w);
    text_key_fixed(t, ",\"b\":", bid, WIRE_PX_DECIMALS);
    text_key_fixed(t, ",\"B\":", lob_qty(book, LOB_BID, bid), WIRE_QTY_DECIMALS);
    text_key_fixed(t, ",\"a\":", ask, WIRE_PX_DECIMALS);
    text_key_fixed(t, ",\"A\":", lob_qty(book, LOB_ASK, ask), WIRE_QTY_DECIMALS);
    text_key_int(t, ",\"T\":", d->venue_ms);
    text_key_int(t, ",\"E\":", d->msg_ms);
    text_put(t, "}}");
}

void wire_trade(struct text *t, const struct wire_names *w, const struct wire_depth *d, int64_t id,
    struct lob_fill fill, bool taker_buys, const char *x) {
    open_stream(t, w, "@trade", "trade");
    text_key_int(t, ",\"E\":", d->msg_ms);
    text_key_int(t, ",\"T\":", d->venue_ms);
    symbol(t, w);
    text_key_int(t, ",\"t\":", id);
    text_key_fixed(t, ",\"p\":", fill.tick, WIRE_PX_DECIMALS);
    text_key_fixed(t, ",\"q\":", fill.qty, WIRE_QTY_DECIMALS);
    text_put(t, ",\"X\":\"");
    text_put(t, x);
    text_put(t, taker_buys ? "\",\"m\":false}}" : "\",\"m\":true}}");
}

void wire_mark(struct text *t, const struct wire_names *w, const struct wire_mark *k) {
    open_stream(t, w, "@markPrice@1s", "markPriceUpdate");
    text_key_int(t, ",\"E\":", k->msg_ms);
    symbol(t, w);
    text_key_fixed(t, ",\"p\":", k->mark_e8, 8);
    text_key_fixed(t, ",\"P\":", k->mark_e8, 8);
    text_key_fixed(t, ",\"i\":", k->index_e8, 8);
    text_key_fixed(t, ",\"r\":", k->rate_e8, 8);
    text_key_int(t, ",\"T\":", k->next_funding_ms);
    text_put(t, "}}");
}
