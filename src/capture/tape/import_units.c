#include "capture/tape/import_units.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"

enum { SLOTS = 4 * INST_MAX }; /* a quarter full at most: short probes */

static int64_t gcd64(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

static void divide(struct import_step *s, struct decimal d) {
    if (d.mant < 0) d.mant = -d.mant;
    if (s->g == 0) {
        s->g = d.mant;
        s->exp = d.exp;
        return;
    }
    int64_t g = s->g;
    if (d.exp > s->exp && !__builtin_mul_overflow(g, decimal_pow10[d.exp - s->exp], &g)) {
        s->g = g;
        s->exp = d.exp;
    }
    if (d.exp > s->exp) d = decimal_reduce(d);
    if (d.exp > s->exp) { /* gcd(g 10^k, m) = gcd(m, g 10^k mod m): never leaves 128 bits */
        int128 rest = (int128)s->g * decimal_pow10[d.exp - s->exp] % d.mant;
        s->g = gcd64(d.mant, (int64_t)rest);
        s->exp = d.exp;
    } else {
        int128 m = (int128)d.mant * decimal_pow10[s->exp - d.exp] % s->g;
        s->g = gcd64(s->g, (int64_t)m);
    }
}

/* The least number of decimals, from `from` on, that all but one in `rare` values get along with.
 */
static uint8_t decimals_but(const struct import_step *s, uint8_t from, uint64_t rare) {
    uint64_t more = 0;
    uint8_t k = DECIMAL_EXP_MAX;
    while (k > from && (more + s->decimals[k]) * rare <= s->n) more += s->decimals[k--];
    return k;
}

void import_step_add_slow(struct import_step *s, struct decimal d) {
    divide(s, d);
    uint8_t decimals = decimal_reduce(d).exp;
    if (s->n < STEP_FIRST || decimals > s->common) s->decimals[decimals]++;
    if (s->n < STEP_FIRST) return;
    uint8_t from = s->fast ? s->common : 0;
    s->common = decimals_but(s, from, 10); /* only ever finer: nothing below it is counted */
    if (s->common > s->exp) s->common = s->exp;
    int64_t coarse = decimal_pow10[s->exp - s->common];
    s->fast = s->g % coarse == 0 ? s->g : coarse % s->g == 0 ? coarse : INT64_MAX;
}

struct decimal import_step_unit(const struct import_step *s) {
    int64_t g = s->g;
    uint8_t exp = s->exp;
    while (exp > 0 && g % 10 == 0 && g != 0) {
        g /= 10;
        exp--;
    }
    if (exp == 0 || g == 0) return (struct decimal){1, 0};
    int64_t m = g % 25 == 0 ? 25 : g % 5 == 0 ? 5 : g % 2 == 0 ? 2 : 1;
    return (struct decimal){m, exp};
}

int64_t import_step_units(const struct import_step *s, struct decimal unit) {
    uint8_t k = decimals_but(s, s->n < STEP_FIRST ? 0 : s->common, STEP_RARE);
    if (k >= unit.exp) return 1;
    int64_t steps = decimal_pow10[unit.exp - k];
    return steps % unit.mant == 0 ? steps / unit.mant : 1;
}

err_t import_units_init(struct import_units *u, struct err_info *e) {
    *u = (struct import_units){0};
    u->symbol = calloc(INST_MAX, sizeof *u->symbol);
    u->slot = calloc(SLOTS, sizeof *u->slot);
    if (u->symbol && u->slot) return ERR_OK;
    import_units_fini(u);
    return err_set(e, ERR_RESOURCE, "no memory for the instrument table");
}

void import_units_fini(struct import_units *u) {
    free(u->symbol);
    free(u->declared);
    free(u->slot);
    *u = (struct import_units){0};
}

static bool is(const struct instrument *in, uint8_t venue, const char *symbol, size_t len) {
    return in->venue == venue && memcmp(in->symbol, symbol, len) == 0 && in->symbol[len] == 0;
}

struct import_symbol *import_units_symbol(
    struct import_units *u, uint8_t venue, const char *symbol, size_t len) {
    if (len == 0 || len >= SYMBOL_MAX) return NULL;
    if (u->n > 0 && is(&u->symbol[u->last].in, venue, symbol, len)) return &u->symbol[u->last];
    size_t at = (hash64(venue, symbol, len)) % SLOTS;
    for (; u->slot[at]; at = (at + 1) % SLOTS) {
        size_t i = u->slot[at] - 1u;
        if (!is(&u->symbol[i].in, venue, symbol, len)) continue;
        u->last = i;
        return &u->symbol[i];
    }
    if (u->n == INST_MAX) return NULL;
    struct import_symbol *s = &u->symbol[u->n];
    memcpy(s->in.symbol, symbol, len);
    s->in.venue = venue;
    s->in.id = (uint16_t)u->n;
    u->last = u->n++;
    u->slot[at] = (uint16_t)u->n;
    return s;
}

struct instrument *import_units_declare(struct import_units *u, size_t n) {
    if (u->cap_declared - u->n_declared < n) {
        size_t cap = u->n_declared + n;
        struct instrument *grown = realloc(u->declared, cap * sizeof *grown);
        if (!grown) return NULL;
        u->declared = grown;
        u->cap_declared = cap;
    }
    return u->declared + u->n_declared;
}

static const char *const quotes[] = {
    "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USD", "EUR", "TRY", "BTC", "ETH", "BNB"};

static void name_assets(struct instrument *in) {
    size_t len = strcspn(in->symbol, "_");
    for (size_t i = 0; i < sizeof quotes / sizeof quotes[0]; i++) {
        size_t q = strlen(quotes[i]);
        if (len <= q || len - q >= ASSET_MAX) continue;
        if (memcmp(in->symbol + len - q, quotes[i], q) != 0) continue;
        if (!in->base[0]) memcpy(in->base, in->symbol, len - q);
        if (!in->quote[0]) memcpy(in->quote, quotes[i], q);
        return;
    }
}

void import_units_guess(struct instrument *in) {
    name_assets(in);
    if (in->kind == IMPORT_KIND_UNKNOWN) {
        in->kind = in->venue == VENUE_BINANCE_COINM  ? INSTRUMENT_INVERSE
                   : in->venue == VENUE_BINANCE_SPOT ? INSTRUMENT_SPOT
                                                     : INSTRUMENT_LINEAR;
    }
    if (in->contract_e8 == 0) { /* 100 USD a BTC contract, 10 USD all others */
        bool inverse = in->kind == INSTRUMENT_INVERSE;
        in->contract_e8 = !inverse                       ? 100000000
                          : strcmp(in->base, "BTC") == 0 ? 10000000000
                                                         : 1000000000;
    }
    if (!in->settle[0]) {
        const char *from = in->kind == INSTRUMENT_INVERSE ? in->base : in->quote;
        memcpy(in->settle, from, ASSET_MAX);
    }
}

/* The newest declaration of the symbol; one without a venue fits every venue. */
static const struct instrument *declaration(
    const struct import_units *u, const struct instrument *in) {
    for (size_t i = u->n_declared; i-- > 0;) {
        const struct instrument *d = &u->declared[i];
        if (strcmp(d->symbol, in->symbol) != 0) continue;
        if (d->venue == in->venue || d->venue == VENUE_NONE) return d;
    }
    return NULL;
}

/* The unit that holds both the declared step and all data; *steps = declared step in units. */
static struct decimal refine(int64_t mant, uint8_t exp, int64_t declared_steps,
    const struct import_step *seen, int64_t *steps) {
    struct decimal unit = {mant, exp};
    struct import_step both = {.g = mant, .exp = exp};
    if (seen->g != 0) divide(&both, (struct decimal){seen->g, seen->exp});
    int64_t ratio = 1;
    if (both.exp < exp || !decimal_to_units(unit, both.g, both.exp, &ratio)) ratio = 1;
    if (ratio == 1 || __builtin_mul_overflow(ratio, declared_steps, steps)) {
        *steps = declared_steps;
        return unit;
    }
    return (struct decimal){both.g, both.exp};
}

static int64_t times(int64_t v, int64_t steps_new, int64_t steps_old) {
    int64_t out;
    if (__builtin_mul_overflow(v, steps_new / steps_old, &out)) return 0;
    return out;
}

static void settle_declared(struct import_symbol *s, const struct instrument *d) {
    struct instrument own = s->in;
    s->in = *d;
    s->in.id = own.id;
    s->in.venue = own.venue;
    s->in.revision = 0;
    import_units_guess(&s->in);
    struct decimal px = refine(d->px_mant, d->px_exp, d->tick_units, &s->px, &s->in.tick_units);
    struct decimal qty = refine(d->qty_mant, d->qty_exp, d->lot_units, &s->qty, &s->in.lot_units);
    s->in.min_qty_units = times(d->min_qty_units, s->in.lot_units, d->lot_units);
    s->in.px_mant = px.mant;
    s->in.px_exp = px.exp;
    s->in.qty_mant = qty.mant;
    s->in.qty_exp = qty.exp;
}

static void settle_inferred(struct import_symbol *s) {
    struct decimal px = import_step_unit(&s->px), qty = import_step_unit(&s->qty);
    s->in.kind = IMPORT_KIND_UNKNOWN;
    import_units_guess(&s->in);
    s->in.px_mant = px.mant;
    s->in.px_exp = px.exp;
    s->in.qty_mant = qty.mant;
    s->in.qty_exp = qty.exp;
    s->in.tick_units = import_step_units(&s->px, px);
    s->in.lot_units = import_step_units(&s->qty, qty);
    s->in.unit_source = UNIT_INFERRED;
}

void import_units_settle(struct import_units *u) {
    for (size_t i = 0; i < u->n; i++) {
        struct import_symbol *s = &u->symbol[i];
        const struct instrument *d = declaration(u, &s->in);
        if (d) {
            settle_declared(s, d);
        } else {
            settle_inferred(s);
        }
        CHECK(s->in.px_mant > 0 && s->in.qty_mant > 0);
    }
}
