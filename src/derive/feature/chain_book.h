/* chain_book.h: the live options of a chain and what they say together.
 *
 *   EV_OPTION (a snapshot, or one option) -> chain_take -> chain_read -> ratios, smile, greeks
 *
 * Units      prices in coin, volatility a year (1.0 = 100 %), time in years of 365 days.
 * Time       everything is as of the newest quote; an option counts while it has not expired and
 *            its own quote is at most CHAIN_AGE_MAX old.
 * Invariant  a snapshot (a message of several options) replaces all that was there; the result does
 *            not depend on the order within it. A chain is `whole` from the first snapshot on, or
 *            CHAIN_AGE_MAX after the first single quote (until then options may be missing).
 * Limits     CHAIN_MAX options, CHAIN_STRIKES strikes an expiry; beyond them the chain says
 * nothing.
 */
#ifndef FATHOM_DERIVE_FEATURE_CHAIN_BOOK_H
#define FATHOM_DERIVE_FEATURE_CHAIN_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"

enum { CHAIN_MAX = 1536, CHAIN_SLOTS = 4096, CHAIN_STRIKES = 192 };
#define CHAIN_AGE_MAX (7200 * NS_PER_S)

struct chain_option {
    int64_t expiry_ns, strike_e10, quote_ns;
    double mark, vol, forward, interest_e8, volume_e8, index; /* NaN = not said */
    bool call;
    uint8_t pad[7];
};

struct chain_book {
    int64_t newest_ns;  /* time of the newest quote; 0 = none */
    int64_t since_ns;   /* of the first quote */
    int64_t resting_ns; /* full: until then nothing is said, since options were left out */
    uint32_t n;
    bool whole, snapshot;
    uint8_t pad[2];
    struct chain_option option[CHAIN_MAX];
    uint16_t slot[CHAIN_SLOTS]; /* 1 + index, by hash of expiry, strike and kind */
};

/* What a chain says; NaN where it does not. */
struct chain_reading {
    double put_call_volume, put_call_interest;
    double atm, skew, fly; /* of the expiry nearest to 30 days */
    double term;           /* atm of the expiry nearest to 90 days - of that nearest to 7 */
    double basis;          /* forward / index - 1, of the expiry nearest to 30 days */
    double delta, gamma, vega, theta; /* straddle at the strike nearest to that forward */
};

void chain_take(struct chain_book *b, const struct event *ev);
void chain_read(const struct chain_book *b, struct chain_reading *out);

#endif
