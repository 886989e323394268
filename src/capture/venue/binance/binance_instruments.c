#include "capture/venue/binance/binance_internal.h"

#include "base/check.h"

/* Walks an object member by member: true while there is a next one, its value not yet read. */
static bool member(struct binance_reader *r, bool *first, struct json_ref *key) {
    struct json_scan *s = &r->s;
    json_ws(s);
    if (*first) {
        if (!json_expect(s, '{', "'{'")) return false;
        json_ws(s);
    }
    if (s->p < s->end && *s->p == '}') {
        s->p++;
        return false;
    }
    if (!*first && !json_expect(s, ',', "',' or '}'")) return false;
    *first = false;
    json_ws(s);
    if (s->p >= s->end || *s->p != '"') return json_fail(s, JSON_EXPECTED, s->p, "a key");
    return json_string(s, key) && json_expect(s, ':', "':'");
}

/* The same for the elements of an array. */
static bool element(struct binance_reader *r, bool *first) {
    struct json_scan *s = &r->s;
    json_ws(s);
    if (*first) {
        if (!json_expect(s, '[', "'['")) return false;
        json_ws(s);
    }
    if (s->p < s->end && *s->p == ']') {
        s->p++;
        return false;
    }
    if (!*first && !json_expect(s, ',', "',' or ']'")) return false;
    *first = false;
    json_ws(s);
    return true;
}

static bool fine(const struct binance_reader *r) {
    return r->s.fault == JSON_OK && r->fault.status == BINANCE_OK;
}

static bool named(const struct json_ref *k, const char *name) {
    return !k->escaped && k->n == strlen(name) && memcmp(k->p, name, k->n) == 0;
}

/* What one symbol of the list declares. */
struct declared {
    struct json_ref symbol, base, quote, margin, contract_type, status;
    struct decimal tick, lot, min_qty, notional;
    int64_t contract_size;
    bool has_tick, has_lot, has_notional, has_contract_size;
};

static bool text_value(struct binance_reader *r, struct json_ref *out, const char *name) {
    const char *at = r->s.p;
    if (!json_value(&r->s, 4, out)) return false;
    return out->type == JSON_STRING || binance_fail(r, BINANCE_TYPE, at, name);
}

/* filters[]: the type may follow the values, so all are read first. */
static bool filter_read(struct binance_reader *r, struct declared *d) {
    struct json_ref key, type = {0};
    struct decimal tick = {0, 0}, step = {0, 0}, least = {0, 0}, notional = {0, 0};
    bool first = true, has_tick = false, has_step = false, has_least = false, has_notional = false;
    while (member(r, &first, &key)) {
        bool ok;
        if (named(&key, "filterType")) {
            ok = text_value(r, &type, "filterType");
        } else if (named(&key, "tickSize")) {
            ok = has_tick = json_decimal(&r->s, &tick);
        } else if (named(&key, "stepSize")) {
            ok = has_step = json_decimal(&r->s, &step);
        } else if (named(&key, "minQty")) {
            ok = has_least = json_decimal(&r->s, &least);
        } else if (named(&key, "notional") || named(&key, "minNotional")) {
            ok = has_notional = json_decimal(&r->s, &notional);
        } else {
            struct json_ref ignored;
            ok = json_value(&r->s, 6, &ignored);
        }
        if (!ok) return false;
    }
    if (!fine(r)) return false;
    if (named(&type, "PRICE_FILTER") && has_tick) {
        d->tick = tick;
        d->has_tick = true;
    } else if (named(&type, "LOT_SIZE") && has_step && has_least) {
        d->lot = step;
        d->min_qty = least;
        d->has_lot = true;
    } else if ((named(&type, "MIN_NOTIONAL") || named(&type, "NOTIONAL")) && has_notional) {
        d->notional = notional;
        d->has_notional = true;
    }
    return true;
}

static bool filters_read(struct binance_reader *r, struct declared *d) {
    bool first = true;
    while (element(r, &first))
        if (!filter_read(r, d)) return false;
    return fine(r);
}

static bool contract_size_read(struct binance_reader *r, struct declared *d) {
    struct json_ref ref;
    const char *at = r->s.p;
    if (!json_value(&r->s, 4, &ref)) return false;
    d->has_contract_size = json_int64(&ref, &d->contract_size) && d->contract_size > 0;
    return d->has_contract_size || binance_fail(r, BINANCE_INTEGER, at, "contractSize");
}

static bool declared_read(struct binance_reader *r, struct declared *d) {
    struct json_ref key;
    bool first = true, ok = true;
    memset(d, 0, sizeof *d);
    while (ok && member(r, &first, &key)) {
        json_ws(&r->s);
        if (named(&key, "symbol")) {
            ok = text_value(r, &d->symbol, "symbol");
        } else if (named(&key, "baseAsset")) {
            ok = text_value(r, &d->base, "baseAsset");
        } else if (named(&key, "quoteAsset")) {
            ok = text_value(r, &d->quote, "quoteAsset");
        } else if (named(&key, "marginAsset")) {
            ok = text_value(r, &d->margin, "marginAsset");
        } else if (named(&key, "contractType")) {
            ok = text_value(r, &d->contract_type, "contractType");
        } else if (named(&key, "contractSize")) {
            ok = contract_size_read(r, d);
        } else if (named(&key, "filters")) {
            ok = filters_read(r, d);
        } else {
            struct json_ref ignored;
            ok = json_value(&r->s, 3, &ignored);
        }
    }
    return ok && fine(r);
}

static bool name_copy(
    struct binance_reader *r, const struct json_ref *ref, const char *name, char *out, size_t cap) {
    size_t n;
    if (ref->type != JSON_STRING) return binance_fail(r, BINANCE_MISSING, r->s.p, name);
    if (ref->n == 0 || !json_text(ref, out, cap, &n))
        return binance_fail(r, BINANCE_SYMBOL, ref->p, name);
    return true;
}

static bool unit_set(
    struct binance_reader *r, struct decimal step, const char *name, int64_t *mant, uint8_t *exp) {
    struct decimal unit = decimal_reduce(step);
    if (unit.mant <= 0) return binance_fail(r, BINANCE_BAD_PRICE, r->s.p, name);
    *mant = unit.mant;
    *exp = unit.exp;
    return true;
}

static void market_set(const struct declared *d, struct instrument *in) {
    in->contract_e8 = 100000000;
    if (d->has_contract_size) {
        in->venue = VENUE_BINANCE_COINM;
        in->kind = INSTRUMENT_INVERSE;
        in->contract_e8 *= d->contract_size;
    } else if (d->contract_type.type == JSON_STRING) {
        in->venue = VENUE_BINANCE_USDM;
        in->kind = INSTRUMENT_LINEAR;
    } else {
        in->venue = VENUE_BINANCE_SPOT;
        in->kind = INSTRUMENT_SPOT;
    }
}

static bool instrument_set(
    struct binance_reader *r, const struct declared *d, struct instrument *in) {
    memset(in, 0, sizeof *in);
    if (!name_copy(r, &d->symbol, "symbol", in->symbol, sizeof in->symbol) ||
        !name_copy(r, &d->base, "baseAsset", in->base, sizeof in->base) ||
        !name_copy(r, &d->quote, "quoteAsset", in->quote, sizeof in->quote))
        return false;
    const struct json_ref *settle = d->margin.type == JSON_STRING ? &d->margin : &d->quote;
    if (!name_copy(r, settle, "marginAsset", in->settle, sizeof in->settle)) return false;
    if (!d->has_tick || !d->has_lot)
        return binance_fail(r, BINANCE_MISSING, r->s.p, "PRICE_FILTER and LOT_SIZE");
    if (d->has_contract_size && d->contract_size > INT64_MAX / 100000000)
        return binance_fail(r, BINANCE_RANGE, r->s.p, "contractSize");
    market_set(d, in);
    in->tick_units = in->lot_units = 1;
    in->unit_source = UNIT_DECLARED;
    if (!unit_set(r, d->tick, "tickSize above 0", &in->px_mant, &in->px_exp) ||
        !unit_set(r, d->lot, "stepSize above 0", &in->qty_mant, &in->qty_exp))
        return false;
    if (!decimal_to_units(d->min_qty, in->qty_mant, in->qty_exp, &in->min_qty_units))
        return binance_fail(r, BINANCE_FINER, r->s.p, "minQty");
    if (d->has_notional && !decimal_to_scale(d->notional, 8, &in->min_notional_e8))
        return binance_fail(r, BINANCE_FINER, r->s.p, "notional");
    return true;
}

static bool symbols_read(struct binance_reader *r, struct instrument *out, size_t cap, size_t *n) {
    bool first = true;
    size_t rows = 0;
    while (element(r, &first)) {
        struct declared d;
        struct instrument in;
        if (rows == cap) return binance_fail(r, BINANCE_ITEMS, r->s.p, "room for every symbol");
        if (!declared_read(r, &d) || !instrument_set(r, &d, &in)) return false;
        out[rows++] = in;
    }
    *n = rows;
    return fine(r);
}

enum binance_status binance_instruments(const char *body, size_t n, struct instrument *out,
    size_t cap, size_t *count, struct binance_fault *fault) {
    struct binance_reader r = {.out = NULL};
    struct json_ref key, ignored;
    bool first = true, ok = true, found = false;
    size_t rows = 0;
    json_scan_init(&r.s, body, n);
    if (n > BINANCE_INFO_MAX) ok = binance_fail(&r, BINANCE_TOO_LONG, body, "at most 64 MiB");
    while (ok && member(&r, &first, &key)) {
        if (named(&key, "symbols")) {
            if (found) ok = binance_fail(&r, BINANCE_DUPLICATE, key.p, "each key once");
            found = true;
            ok = ok && symbols_read(&r, out, cap, &rows);
        } else {
            ok = json_value(&r.s, 1, &ignored);
        }
    }
    if (ok && fine(&r) && json_end(&r.s) && !found)
        (void)binance_fail(&r, BINANCE_MISSING, r.s.end, "symbols");
    enum binance_status status = binance_result(&r, fault);
    if (status == BINANCE_OK) *count = rows;
    return status;
}
