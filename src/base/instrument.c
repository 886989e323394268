#include "base/instrument.h"

#include <string.h>

#include "base/decimal.h"

static const char *const venue_names[VENUE_COUNT] = {
    "none", "binance-usdm", "binance-coinm", "binance-spot", "okx", "bybit", "deribit", "other"};

const char *venue_name(uint8_t venue) {
    return venue < VENUE_COUNT ? venue_names[venue] : "unknown";
}

uint8_t venue_from_name(const char *name) {
    for (uint8_t v = 1; v < VENUE_COUNT; v++) {
        if (strcmp(name, venue_names[v]) == 0) return v;
    }
    return VENUE_NONE;
}

bool instrument_concerns(const struct instrument *row, const struct instrument *in) {
    if (instrument_trades(row) || !instrument_trades(in)) return false;
    if (!row->base[0]) return true;
    if (in->base[0]) return strcmp(row->base, in->base) == 0;
    return strncmp(in->symbol, row->base, strlen(row->base)) == 0;
}

bool instrument_is(const struct instrument *in, const char *text) {
    const char *venue = venue_name(in->venue), *colon = strchr(text, ':');
    if (!colon) return strcmp(in->symbol, text) == 0;
    size_t n = (size_t)(colon - text);
    return strlen(venue) == n && memcmp(venue, text, n) == 0 && strcmp(in->symbol, colon + 1) == 0;
}

static double pow10_double(uint8_t exp) { return (double)decimal_pow10[exp]; }

double instrument_px(const struct instrument *in, price_t px) {
    return (double)(px.ticks * in->px_mant) / pow10_double(in->px_exp);
}

double instrument_qty(const struct instrument *in, qty_t qty) {
    return (double)(qty.lots * in->qty_mant) / pow10_double(in->qty_exp);
}

double instrument_px_unit(const struct instrument *in) { return instrument_px(in, (price_t){1}); }
double instrument_qty_unit(const struct instrument *in) { return instrument_qty(in, (qty_t){1}); }

size_t instrument_px_text(const struct instrument *in, price_t px, char *out) {
    return decimal_text((int128)px.ticks * in->px_mant, in->px_exp, false, out);
}

size_t instrument_qty_text(const struct instrument *in, qty_t qty, char *out) {
    return decimal_text((int128)qty.lots * in->qty_mant, in->qty_exp, false, out);
}

/* v x 10^(12 - exp), exactly. */
static bool to_e12(int128 v, unsigned exp, int128 *out) {
    for (; exp > 12; exp--) {
        if (v % 10 != 0) return false;
        v /= 10;
    }
    for (; exp < 12; exp++) {
        if (__builtin_mul_overflow(v, (int128)10, &v)) return false;
    }
    *out = v;
    return true;
}

bool instrument_value_e12(const struct instrument *in, price_t px, qty_t qty, int128 *value_e12) {
    int128 v = qty.lots;
    unsigned exp = in->qty_exp;
    if (__builtin_mul_overflow(v, (int128)in->qty_mant, &v)) return false;
    if (__builtin_mul_overflow(v, (int128)in->contract_e8, &v)) return false;
    exp += 8;
    if (in->kind != INSTRUMENT_INVERSE) {
        if (__builtin_mul_overflow(v, (int128)px.ticks, &v)) return false;
        if (__builtin_mul_overflow(v, (int128)in->px_mant, &v)) return false;
        exp += in->px_exp;
    }
    return to_e12(v, exp, value_e12);
}
