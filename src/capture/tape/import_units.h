/* import_units.h: which unit an instrument's prices and quantities are counted in.
 *
 *   first pass: every decimal seen -> greatest common divisor      second pass: unit known
 *   exchangeInfo in the input, --instruments FILE -> declared steps
 *
 * Units      a step is mant / 10^exp. A declared step is used unless the data are finer; then the
 *            unit is the greatest common divisor of both and the declared step stays the tick
 *            (tick_units > 1). An inferred unit is the largest of 1, 2, 25, 5 x 10^k that divides
 *            everything seen, never coarser than 1: few rows must not invent a coarse grid. Its
 *            tick and lot are the unit, or a power of ten above it (struct import_step).
 * Ownership  struct import_units owns its tables.
 * Limits     INST_MAX instruments an import.
 */
#ifndef FATHOM_CAPTURE_TAPE_IMPORT_UNITS_H
#define FATHOM_CAPTURE_TAPE_IMPORT_UNITS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/decimal.h"
#include "base/err.h"
#include "base/event.h"
#include "base/instrument.h"

enum { STEP_FIRST = 256, STEP_RARE = 1000 };

/* What all decimals of one column have in common. g / 10^exp divides every one of them (g = 0:
 * nothing but zeros seen). Beside it the number of decimals that all but one in STEP_RARE get
 * along with: resting orders may be older than today's lot (Binance spot shows quantities of six
 * decimals among thousands with five), and such a straggler must not move the lot. */
struct import_step {
    int64_t g;
    uint8_t exp;
    uint8_t common; /* decimals; values with more are counted one by one */
    int64_t fast;   /* a multiple of `fast` / 10^exp tells nothing new; 0 = not known yet */
    uint64_t n;     /* values but zero */
    uint64_t decimals[DECIMAL_EXP_MAX + 1]; /* values with so many decimals, beyond `common` */
};

void import_step_add_slow(struct import_step *s, struct decimal d);

static inline void import_step_add(struct import_step *s, struct decimal d) {
    if (d.mant == 0) return;
    s->n++;
    if (s->fast == 0 || d.exp != s->exp || d.mant % s->fast != 0) import_step_add_slow(s, d);
}

/* The unit for a divisor: see the header. */
struct decimal import_step_unit(const struct import_step *s);

/* The venue's step in such units: more than 1 where only stragglers are finer. */
int64_t import_step_units(const struct import_step *s, struct decimal unit);

struct import_symbol {
    struct instrument in; /* settled by import_units_settle; id = index here */
    struct import_step px, qty;
};

struct import_units {
    struct import_symbol *symbol; /* in order of first appearance */
    size_t n;
    struct instrument *declared; /* by exchangeInfo or file; not all are used */
    size_t n_declared, cap_declared;
    uint16_t *slot; /* open addressing: index + 1, 0 = free */
    size_t last;    /* of the newest look-up: messages come in runs of a symbol */
};

MUST_USE err_t import_units_init(struct import_units *u, struct err_info *e);
void import_units_fini(struct import_units *u);

/* The entry of (venue, symbol), added when new. NULL: INST_MAX are there, or the name is empty or
 * longer than SYMBOL_MAX - 1. */
struct import_symbol *import_units_symbol(
    struct import_units *u, uint8_t venue, const char *symbol, size_t len);

/* Room for `n` more declared instruments, to be counted by the caller in n_declared. NULL: memory.
 */
struct instrument *import_units_declare(struct import_units *u, size_t n);

/* --instruments FILE: YAML or JSON, a list of maps (or one under the key `instruments`): symbol,
 * tick_size, lot_size and, optional, venue, kind, base, quote, settle, contract_size, min_qty,
 * min_notional. ERR_USAGE with file and line for anything else. */
MUST_USE err_t import_units_load(struct import_units *u, const char *file, struct err_info *e);

/* Fixes the units of all symbols after the first pass. */
void import_units_settle(struct import_units *u);

enum { IMPORT_KIND_UNKNOWN = 255 }; /* instrument.kind that import_units_guess fills in */

/* Fills in what is empty, 0 or unknown of base, quote, settlement, kind and contract size, as far
 * as venue and symbol tell. */
void import_units_guess(struct instrument *in);

#endif
