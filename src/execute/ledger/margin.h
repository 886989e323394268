/* margin.h: the account at the venue: exact ledgers of several instruments, margin, liquidation.
 *
 *   fill, funding, mark -> leg (ledger, mark) -> balance of an asset  >= maintenance of its legs?
 *   order               -> exposure -> initial margin                 <= balance of its asset?
 *
 * Units      money 1e-12 of a leg's settlement asset; notional is |position value| in that asset
 *            (linear: quote; inverse: base). Marks 1e-10, rates 1e-16.
 * Time       venue time, passed in; events of one account in its order.
 * Ownership  plain structs of the caller. Threads: one.
 * Balance    of an asset, cross: deposit + sum over its cross legs of (cash + value at mark), less
 *            the margin of isolated legs. Of an isolated leg: its margin + value at mark - cost.
 *            Legs of different assets never share (single-asset mode). Spot: coins bought are no
 *            collateral, their cost is spent; only coins held can be sold.
 * Maintenance  sum of notional x tier rate - tier amount, the tier being that of the notional: the
 *            ladder is continuous. Rounded up, never below 0.
 * Initial    exposure x max(1 / leverage, the exposure's tier), exposure = the larger of
 *            |position + open buys| and |position - open sells| in value; rounded up.
 * Invariant  margin_check after every event: each ledger balances, and what all legs of an asset
 *            hold is deposits + profit - costs to the last unit.
 * Sources    Binance USD-M "Leverage & Margin" (maintenance amount), "How to calculate liquidation
 *            price"; the other venues' ladders have the same shape.
 */
#ifndef FATHOM_EXECUTE_LEDGER_MARGIN_H
#define FATHOM_EXECUTE_LEDGER_MARGIN_H

#include "execute/ledger/fees.h"
#include "execute/order/order.h"

enum { MARGIN_LEGS_MAX = 64, MARGIN_ASSETS_MAX = 8, MARGIN_TIERS_MAX = 16, MARGIN_PAST = 64 };

struct margin_tier {
    money_t to; /* notional up to here; the last tier's is the largest position allowed, 0 = any */
    rate_t maintenance;
    rate_t initial; /* 1 / largest leverage */
    money_t amount; /* maintenance amount, from margin_ladder_good */
};

struct margin_ladder {
    struct margin_tier tier[MARGIN_TIERS_MAX];
    uint32_t tiers;
    uint32_t pad;
};

struct margin_rules {
    struct margin_ladder ladder;
    struct fee_table fees; /* rows 0: the ledger's own rates */
    rate_t initial;        /* 1 / leverage chosen */
    rate_t clearance;      /* fee of liquidation fills */
    bool on;               /* false: no margin is asked, nothing is liquidated */
    bool isolated;
    uint8_t pad[6];
};

struct margin_past { /* a change of position at the venue */
    ts_t ts;
    int64_t before;
};

struct margin_leg {
    const struct instrument *inst;
    struct margin_rules rules;
    struct ledger ledger; /* no deposit: that is the asset's */
    money_t isolated;     /* margin set aside for the position */
    int64_t mark_e10;     /* what positions are valued at; the first fill's price before any mark */
    money_t value, upkeep; /* at the mark: signed position value, maintenance margin */
    struct margin_past past[MARGIN_PAST];
    uint32_t changes;
    uint8_t asset;
    uint8_t pad[3];
};

struct margin_account {
    uint32_t legs, assets;
    money_t deposit[MARGIN_ASSETS_MAX];
    struct fee_volume volume[VENUE_COUNT];
    struct margin_leg leg[MARGIN_LEGS_MAX];
};

/* Fills in the tiers' amounts; false: not rising, or a rate that falls. */
bool margin_ladder_good(struct margin_ladder *l);
/* The tier of a notional. */
uint32_t margin_tier_of(const struct margin_ladder *l, int128 notional_e12);

void margin_init(struct margin_account *a);
/* The next leg, its number returned. fees: its flat rates. */
uint32_t margin_leg_add(struct margin_account *a, const struct instrument *inst,
    const struct margin_rules *rules, const struct ledger_fees *fees, uint8_t asset);

/* One fill at venue time ts; *rates = what was in force. */
MUST_USE err_t margin_fill(struct margin_account *a, uint32_t leg, int side, price_t px, qty_t qty,
    bool maker, ts_t ts, struct ledger_fees *rates);
/* A new mark of the leg. */
MUST_USE err_t margin_mark(struct margin_account *a, uint32_t leg, int64_t mark_e10);
/* Position just before ts: fills at ts itself come after a settlement at ts. Older than the last
 * MARGIN_PAST changes: the oldest known. */
int64_t margin_position_at(const struct margin_leg *l, ts_t ts);
MUST_USE err_t margin_funding(
    struct margin_account *a, uint32_t leg, int64_t position, int64_t mark_e10, rate_t rate);

/* Open orders of a leg besides the one that is judged, as values in its asset. */
struct margin_orders {
    int128 buys, sells;
    int64_t sell_lots; /* spot: coins that open sells hold */
};
/* May an order be taken? `others` is what the other legs of the asset require for theirs (each by
 * margin_required). An order that makes no exposure larger always may. */
bool margin_allows(const struct margin_account *a, uint32_t leg, const struct margin_orders *open,
    int side, price_t px, qty_t qty, int128 others);
/* Initial margin of a leg with these open orders. */
int128 margin_required(const struct margin_leg *l, const struct margin_orders *open);
/* Value of qty at px in the leg's asset; false: it does not fit. */
bool margin_value(const struct margin_leg *l, price_t px, qty_t qty, int128 *e12);

int128 margin_balance(const struct margin_account *a, uint32_t leg); /* of the leg's margin pool */
int128 margin_upkeep(const struct margin_account *a, uint32_t leg);  /* maintenance of that pool */
/* The leg's pool can no longer keep its positions. */
static inline bool margin_broken(const struct margin_account *a, uint32_t leg) {
    return margin_balance(a, leg) < margin_upkeep(a, leg);
}
/* Of the leg's pool: the leg with the largest maintenance margin, ties by number. */
uint32_t margin_worst(const struct margin_account *a, uint32_t leg);
/* Lots that bring the leg to the top of the next lower tier; all at the lowest. Whole lots. */
int64_t margin_step(const struct margin_leg *l);
/* The price at which the pool's balance is used up by the leg alone, rounded to the tick in the
 * account's favour, at least one tick: the venue's limit for liquidation orders. */
price_t margin_bankrupt(const struct margin_account *a, uint32_t leg);

/* The venue takes the whole position over at px, without a fee. */
MUST_USE err_t margin_takeover(struct margin_account *a, uint32_t leg, price_t px, ts_t ts);
/* Do the two legs share a pool? */
bool margin_together(const struct margin_account *a, uint32_t leg, uint32_t other);

bool margin_check(const struct margin_account *a);

#endif
