/* import_lobster.h: LOBSTER's pairs of files (NASDAQ, order by order) -> tape.
 *
 *   SYMBOL_DATE_FROM_TO_message_L.csv    time,type,id,size,price,direction
 *   SYMBOL_DATE_FROM_TO_orderbook_L.csv  row k: ask,size,bid,size x L after message k
 *
 * Each message becomes EV_ORDER, for an execution an EV_TRADE, then the depth message of the levels
 * that changed. The first depth message is a snapshot: row 1 with message 1 taken back.
 *
 * Units      price 1e-4 dollars (tick one cent), quantity one share. Time: ns; seconds after
 *            midnight in New York, moved to UTC by the daylight-saving rule of 2007.
 * Invariant  after every message the best L levels equal the order book file's row. Levels that
 *            come into its range from beyond the L recorded ones are taken from the row
 *            (`revealed`: unknown orders), those that changed out of sight likewise (`stale`);
 *            a level in range that the messages do not explain is `wrong` and ends a strict import.
 * Hidden executions (type 5) and auctions (6) trade without the book: their prints carry
 * EVF_NON_MARKET, so that they move no queue. Halts (7) are kept as EV_ORDER.
 * Limits     LOBSTER_LEVELS_MAX levels a row; LOBSTER_BOOK_MAX levels a side.
 * Source     R. Huang, T. Polak 2011, "LOBSTER: Limit Order Book Reconstruction System".
 */
#ifndef FATHOM_CAPTURE_TAPE_IMPORT_LOBSTER_H
#define FATHOM_CAPTURE_TAPE_IMPORT_LOBSTER_H

#include "capture/tape/import.h"

enum { LOBSTER_LEVELS_MAX = 200, LOBSTER_BOOK_MAX = 1 << 16 };

/* Do the files look like such pairs (by name)? */
bool import_lobster_is(const struct import_options *opt);
/* As import_run. Files come in pairs, messages and books in any order; several days as given. */
MUST_USE err_t import_lobster_run(
    const struct import_options *opt, struct import_report *report, struct err_info *e);

#endif
