/* instrument.h: what a tape's instrument table says of one instrument.
 *
 * Units      price unit = px_mant / 10^px_exp quote units; quantity unit = qty_mant / 10^qty_exp
 *            (base units; contracts where the venue counts contracts). An event's px and qty count
 *            these. Order rules (tick, lot, least quantity) are multiples of the units.
 * Contract   contract_e8: quote (inverse: quote currency, e.g. 100 USD) or base per contract x
 * 1e-8; 1e8 for linear and spot. Invariant  px_mant, qty_mant > 0; exponents 0..18; the unit is the
 * finest step ever seen or declared; a finer one is a new table revision (docs/formats/tape.md).
 */
#ifndef FATHOM_BASE_INSTRUMENT_H
#define FATHOM_BASE_INSTRUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/unit.h"

enum venue {
    VENUE_NONE = 0,
    VENUE_BINANCE_USDM = 1,
    VENUE_BINANCE_COINM = 2,
    VENUE_BINANCE_SPOT = 3,
    VENUE_OKX = 4,
    VENUE_BYBIT = 5,
    VENUE_DERIBIT = 6,
    VENUE_OTHER = 7, /* bars and tables of unnamed origin */
    VENUE_COUNT = 8
};

/* A row of a tape's table may also name what is not traded itself: an external series (symbol
 * ASSET.NAME or NAME, base = the asset it is about or empty, quote = its unit) or a chain of
 * options (symbol and base = the underlying). */
enum instrument_kind {
    INSTRUMENT_LINEAR = 0,
    INSTRUMENT_INVERSE = 1,
    INSTRUMENT_SPOT = 2,
    INSTRUMENT_SERIES = 3,
    INSTRUMENT_OPTIONS = 4
};
enum unit_source { UNIT_DECLARED = 0, UNIT_FILE = 1, UNIT_INFERRED = 2 };

enum { SYMBOL_MAX = 32, ASSET_MAX = 16 };

struct instrument {
    char symbol[SYMBOL_MAX]; /* as the venue writes it, NUL-padded, e.g. BTCUSDT, BTCUSD_PERP */
    char base[ASSET_MAX];    /* BTC; empty when unknown */
    char quote[ASSET_MAX];   /* USDT */
    char settle[ASSET_MAX];  /* what profit is paid in: USDT (linear), BTC (inverse) */
    int64_t px_mant;
    int64_t qty_mant;
    int64_t tick_units;      /* venue tick in price units (>= 1) */
    int64_t lot_units;       /* venue lot in quantity units (>= 1) */
    int64_t min_qty_units;   /* least order quantity in quantity units (0 = none known) */
    int64_t min_notional_e8; /* least order value in quote x 1e-8 (0 = none known) */
    int64_t contract_e8;
    uint16_t id; /* index in the tape's table = event.inst */
    uint16_t revision;
    uint8_t venue; /* enum venue */
    uint8_t kind;  /* enum instrument_kind */
    uint8_t px_exp;
    uint8_t qty_exp;
    uint8_t unit_source; /* enum unit_source */
    uint8_t pad[7];      /* zero */
};
_Static_assert(sizeof(struct instrument) == 152, "stored");

/* "binance-usdm", "binance-coinm", "binance-spot", "okx", "bybit", "deribit", "other". */
const char *venue_name(uint8_t venue);
uint8_t venue_from_name(const char *name); /* VENUE_NONE if unknown */

/* Does "SYMBOL" or "venue:SYMBOL" name this instrument? */
bool instrument_is(const struct instrument *in, const char *text);

/* Has a book and trades of its own. */
static inline bool instrument_trades(const struct instrument *in) {
    return in->kind <= INSTRUMENT_SPOT;
}

/* Is `row` a series or a chain of options that is about instrument `in`: about no asset in
 * particular, about its base asset or, where that is unknown, about what its symbol begins with? */
bool instrument_concerns(const struct instrument *row, const struct instrument *in);

/* The nearest double of the exact decimal: one multiplication, one division by a power of ten. */
double instrument_px(const struct instrument *in, price_t px);
double instrument_qty(const struct instrument *in, qty_t qty);
double instrument_px_unit(const struct instrument *in);
double instrument_qty_unit(const struct instrument *in);

/* Decimal text with the unit's own number of decimals, e.g. "61659.70" is "61659.7" at unit 0.1.
 * Returns the length; out must hold DECIMAL_TEXT_MAX bytes (decimal.h). */
size_t instrument_px_text(const struct instrument *in, price_t px, char *out);
size_t instrument_qty_text(const struct instrument *in, qty_t qty, char *out);

/* Value of qty at px in quote units (linear, spot) or contracts x contract size (inverse: quote),
 * exact, x 1e-12; false when it does not fit the scale without a remainder or overflows. */
bool instrument_value_e12(const struct instrument *in, price_t px, qty_t qty, int128 *value_e12);

#endif
