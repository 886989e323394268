/* import_hint.h: whose book a REST snapshot without a symbol is, in a recording of several symbols.
 *
 *   stream messages -> the latest price of every symbol of the file -> the one the snapshot is near
 *
 * Units      prices as doubles in quote units: only compared with each other, never kept.
 * Invariant  a guess is made only where it is clear: the nearest symbol within HINT_FAR, the next
 *            one several times as far. Else the snapshot is refused: a wrong one is a wrong book.
 *            A file of one symbol needs no price.
 * Limits     HINTS_MAX symbols a file; with more, nothing is guessed.
 */
#ifndef FATHOM_CAPTURE_TAPE_IMPORT_HINT_H
#define FATHOM_CAPTURE_TAPE_IMPORT_HINT_H

#include <stdbool.h>
#include <stddef.h>

#include "capture/venue/binance/binance.h"

enum { HINTS_MAX = 128 };

struct import_hint {
    char symbol[SYMBOL_MAX];
    double px; /* 0 = none seen yet */
};

struct import_hints {
    struct import_hint at[HINTS_MAX];
    size_t n, last; /* last: of the newest message, they come in runs */
    bool over;      /* more symbols than fit */
};

/* Takes note of a message that names its symbol. */
void import_hints_see(struct import_hints *h, const struct binance_message *m);

/* The symbol of a snapshot that names none: a name in `h`, "" if the file has shown no symbol yet,
 * NULL if it cannot be told. */
const char *import_hints_whose(const struct import_hints *h, const struct binance_message *m);

#endif
