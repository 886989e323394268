/* wire.h: the generated market as Binance USD-M messages, byte for byte in the form of the
 * recorded ones (key order, decimals, combined-stream wrapper).
 *
 * Units      prices and quantities as integers with a fixed number of decimals.
 * Ownership  a struct text grows never: WIRE_LINE_MAX is enough for the largest snapshot.
 */
#ifndef FATHOM_CAPTURE_GENERATE_WIRE_H
#define FATHOM_CAPTURE_GENERATE_WIRE_H

#include "capture/generate/lob.h"

enum {
    WIRE_LINE_MAX = 1 << 18,
    WIRE_PX_DECIMALS = 2,
    WIRE_QTY_DECIMALS = 3,
    WIRE_LEVELS_MAX = 1000
};

struct text {
    size_t n;
    char s[WIRE_LINE_MAX];
};

struct wire_names {
    char upper[32], lower[32]; /* symbol, and as stream names write it */
};

/* A depth message's numbers. */
struct wire_depth {
    int64_t msg_ms, venue_ms, first_id, last_id, prev_id;
};

void text_put(struct text *t, const char *s);
void text_int(struct text *t, int64_t v);
/* v / 10^decimals with all decimals. */
void text_fixed(struct text *t, int64_t v, int decimals);

void wire_depth(struct text *t, const struct wire_names *w, const struct wire_depth *d,
    const struct lob *book, const struct lob_change *change, size_t changes);
void wire_snapshot(struct text *t, const struct wire_depth *d, const struct lob *book);
void wire_ticker(
    struct text *t, const struct wire_names *w, const struct wire_depth *d, const struct lob *book);
void wire_trade(struct text *t, const struct wire_names *w, const struct wire_depth *d, int64_t id,
    struct lob_fill fill, bool taker_buys, const char *x);
/* Prices in 1e-8. */
struct wire_mark {
    int64_t msg_ms, mark_e8, index_e8, rate_e8, next_funding_ms;
};
void wire_mark(struct text *t, const struct wire_names *w, const struct wire_mark *k);

#endif
