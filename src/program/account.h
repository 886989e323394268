/* account.h: the money of one parameter set over all instruments of a run.
 *
 * One instrument: its ledger is the account, and everything here is a pass-through. Several: each
 * instrument keeps a ledger without deposit in its own settlement asset; the account holds the
 * deposits, one an asset, and is valued in one currency.
 *
 * Units      money 1e-12 of the currency (account.currency; empty = the first settlement asset).
 * Valuation  an asset that is not the currency counts at the last recorded mark of the first
 *            instrument whose base is that asset and whose quote is the currency, at the mid of our
 *            view while it has no mark; the conversion is rounded down.
 * Equity     deposits + profit of each asset, at the price of now. net = equity - the deposits at
 *            their first price; the part of net that is only a new price of a deposit is
 *            `revaluation`.
 * Ownership  the instruments' results are set->out->part, freed with it.
 */
#ifndef FATHOM_PROGRAM_ACCOUNT_H
#define FATHOM_PROGRAM_ACCOUNT_H

#include "program/pipeline_internal.h"

enum { ACCOUNT_ASSETS_MAX = 8 };

struct account_asset {
    char name[ASSET_MAX];
    money_t deposit;
    int pricer;            /* lane that prices it; -1 = it is the currency */
    int128 px_num, px_den; /* last known price; den 0 = none yet */
    int128 start_e12;      /* deposit in the currency at the first price */
    bool started;
};

struct account {
    const struct pipeline_set *set;
    struct pipeline *lane;
    size_t lanes;
    uint32_t k; /* which seat of the lanes */
    struct sink_files files;
    char currency[ASSET_MAX];
    struct account_asset asset[ACCOUNT_ASSETS_MAX];
    size_t assets;
    uint8_t *asset_of; /* by lane */
    struct sinks_curve curve;
    struct clearing *clearing; /* the account as the venue has it */
    bool joined;               /* several instruments */
};

/* After every lane knows its instrument. ERR_USAGE: an asset without deposit or without a price. */
MUST_USE err_t account_open(struct account *a, const struct pipeline_set *set,
    struct pipeline *lane, size_t lanes, uint32_t k, struct err_info *e);
/* What lane i's seat needs of the account, before pipeline_open. */
MUST_USE err_t account_lane(
    struct account *a, size_t i, struct pipeline_seat *s, struct err_info *e);
/* Totals into set->out, files closed. After pipeline_finish of every lane. */
MUST_USE err_t account_finish(struct account *a, struct err_info *e);
void account_close(struct account *a);

#endif
