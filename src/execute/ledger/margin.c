#include "execute/ledger/margin.h"

#include <string.h>

#include "base/check.h"
#include "base/decimal.h"

/* ---- arithmetic ---- */

static int128 absolute(int128 v) { return v < 0 ? -v : v; }

/* ceil(value x rate); value >= 0. A product beyond 127 bits is taken per unit of 1e-12 more. */
static int128 share_up(int128 e12, rate_t rate) {
    int128 product;
    CHECK(e12 >= 0);
    CHECK(rate.e16 >= 0);
    if (__builtin_mul_overflow(e12, (int128)rate.e16, &product)) {
        return (e12 / RATE_ONE + 1) * rate.e16;
    }
    return product / RATE_ONE + (product % RATE_ONE != 0);
}

/* ---- ladders ---- */

bool margin_ladder_good(struct margin_ladder *l) {
    if (l->tiers == 0 || l->tiers > MARGIN_TIERS_MAX) return false;
    l->tier[0].amount.e12 = 0;
    for (uint32_t i = 0; i < l->tiers; i++) {
        struct margin_tier *t = &l->tier[i], *under = i > 0 ? t - 1 : NULL;
        bool last = i + 1 == l->tiers;
        if (t->maintenance.e16 <= 0 || t->initial.e16 < t->maintenance.e16) return false;
        if (t->to.e12 <= 0 && !(last && t->to.e12 == 0)) return false;
        if (!under) continue;
        if (t->to.e12 != 0 && t->to.e12 <= under->to.e12) return false;
        int64_t more = t->maintenance.e16 - under->maintenance.e16;
        if (more < 0 || t->initial.e16 < under->initial.e16) return false;
        /* What makes the maintenance margin continuous at the border. */
        int128 product;
        if (__builtin_mul_overflow(under->to.e12, (int128)more, &product)) return false;
        t->amount.e12 = under->amount.e12 + product / RATE_ONE;
    }
    return true;
}

uint32_t margin_tier_of(const struct margin_ladder *l, int128 notional_e12) {
    uint32_t i = 0;
    while (i + 1 < l->tiers && notional_e12 > l->tier[i].to.e12) i++;
    return i;
}

static int128 upkeep_of(const struct margin_leg *l, int128 notional) {
    if (l->inst->kind == INSTRUMENT_SPOT || notional == 0) return 0;
    const struct margin_tier *t = &l->rules.ladder.tier[margin_tier_of(&l->rules.ladder, notional)];
    int128 v = share_up(notional, t->maintenance) - t->amount.e12;
    return v > 0 ? v : 0;
}

/* ---- legs ---- */

void margin_init(struct margin_account *a) { memset(a, 0, sizeof *a); }

uint32_t margin_leg_add(struct margin_account *a, const struct instrument *inst,
    const struct margin_rules *rules, const struct ledger_fees *fees, uint8_t asset) {
    CHECK(a->legs < MARGIN_LEGS_MAX);
    CHECK(asset < MARGIN_ASSETS_MAX);
    CHECK(!rules->on || rules->ladder.tiers > 0);
    struct margin_leg *l = &a->leg[a->legs];
    l->inst = inst;
    l->rules = *rules;
    l->asset = asset;
    ledger_init(&l->ledger, fees, (money_t){0});
    if (asset >= a->assets) a->assets = asset + 1u;
    return a->legs++;
}

static err_t revalue(struct margin_leg *l) {
    money_t value = {0};
    err_t code =
        l->mark_e10 > 0 ? ledger_mark_e10(&l->ledger, l->inst, l->mark_e10, &value) : ERR_OK;
    if (code) return code;
    l->value = value;
    l->upkeep.e12 = l->rules.on ? upkeep_of(l, absolute(value.e12)) : 0;
    return ERR_OK;
}

err_t margin_mark(struct margin_account *a, uint32_t leg, int64_t mark_e10) {
    struct margin_leg *l = &a->leg[leg];
    CHECK(mark_e10 > 0);
    l->mark_e10 = mark_e10;
    return l->ledger.position == 0 ? ERR_OK : revalue(l);
}

int64_t margin_position_at(const struct margin_leg *l, ts_t ts) {
    int64_t position = l->ledger.position;
    uint32_t known = l->changes < MARGIN_PAST ? l->changes : MARGIN_PAST;
    for (uint32_t i = 1; i <= known; i++) {
        const struct margin_past *p = &l->past[(l->changes - i) % MARGIN_PAST];
        if (p->ts.ns < ts.ns) break;
        position = p->before;
    }
    return position;
}

/* Before any mark, a position is worth what was paid for it. */
static void first_mark(struct margin_leg *l, price_t px) {
    if (l->mark_e10 > 0) return;
    int128 e10 = (int128)px.ticks * l->inst->px_mant * AUX_ONE / decimal_pow10[l->inst->px_exp];
    l->mark_e10 = e10 < 1 ? 1 : e10 > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)e10;
}

/* Margin of an isolated position follows its size: more is set aside when it grows, its share comes
 * back when it shrinks. */
static void set_aside(struct margin_leg *l, int64_t before, int128 value) {
    int64_t now = l->ledger.position;
    int64_t held = before < 0 ? -before : before, left = now < 0 ? -now : now;
    bool same = before == 0 || now == 0 || (before < 0) == (now < 0);
    if (!same) { /* turned round: only the new part counts */
        l->isolated.e12 = share_up(absolute(l->ledger.cost.e12), l->rules.initial);
    } else if (left > held) {
        l->isolated.e12 += share_up(value, l->rules.initial);
    } else {
        l->isolated.e12 = left == 0 ? 0 : l->isolated.e12 / held * left;
    }
}

err_t margin_fill(struct margin_account *a, uint32_t leg, int side, price_t px, qty_t qty,
    bool maker, ts_t ts, struct ledger_fees *rates) {
    struct margin_leg *l = &a->leg[leg];
    struct fee_volume *v = &a->volume[l->inst->venue];
    int64_t before = l->ledger.position;
    int128 value, quote;
    if (!margin_value(l, px, qty, &value)) return ERR_FULL;
    if (l->rules.fees.rows > 0) {
        if (!instrument_value_e12(l->inst, px, qty, &quote)) return ERR_FULL;
        l->ledger.rates = fee_rates(&l->rules.fees, fee_volume_30d(v, ts));
        if (!fee_volume_add(v, ts, (money_t){quote})) return ERR_FULL;
    }
    *rates = l->ledger.rates;
    err_t code = ledger_fill(&l->ledger, l->inst, side, px, qty, maker, NULL, NULL);
    if (code) return code;
    l->past[l->changes++ % MARGIN_PAST] = (struct margin_past){ts, before};
    if (l->rules.isolated) set_aside(l, before, value);
    first_mark(l, px);
    return revalue(l);
}

err_t margin_takeover(struct margin_account *a, uint32_t leg, price_t px, ts_t ts) {
    struct margin_leg *l = &a->leg[leg];
    int64_t before = l->ledger.position;
    const money_t none = {0};
    CHECK(before != 0);
    int side = before > 0 ? SIDE_SELL : SIDE_BUY;
    qty_t qty = {before < 0 ? -before : before};
    err_t code = ledger_fill(&l->ledger, l->inst, side, px, qty, false, &none, NULL);
    if (code) return code;
    l->past[l->changes++ % MARGIN_PAST] = (struct margin_past){ts, before};
    l->ledger.liquidations++;
    if (l->rules.isolated) l->isolated.e12 = 0;
    return revalue(l);
}

err_t margin_funding(
    struct margin_account *a, uint32_t leg, int64_t position, int64_t mark_e10, rate_t rate) {
    struct margin_leg *l = &a->leg[leg];
    money_t paid;
    err_t code = ledger_funding_of(&l->ledger, l->inst, position, mark_e10, rate, &paid);
    if (!code && l->rules.isolated && l->ledger.position != 0) l->isolated.e12 -= paid.e12;
    return code;
}

/* ---- orders ---- */

bool margin_value(const struct margin_leg *l, price_t px, qty_t qty, int128 *e12) {
    money_t v;
    if (px.ticks <= 0 || ledger_value(l->inst, px, qty, &v, NULL) != ERR_OK) return false;
    *e12 = v.e12;
    return true;
}

static int128 exposure_of(const struct margin_leg *l, int128 buys, int128 sells) {
    int128 held = absolute(l->value.e12);
    if (l->ledger.position < 0) held = -held;
    int128 up = absolute(held + buys), down = absolute(held - sells);
    return up > down ? up : down;
}

static int128 initial_of(const struct margin_leg *l, int128 exposure) {
    const struct margin_ladder *ladder = &l->rules.ladder;
    rate_t rate = ladder->tier[margin_tier_of(ladder, exposure)].initial;
    if (rate.e16 < l->rules.initial.e16) rate = l->rules.initial;
    return share_up(exposure, rate);
}

int128 margin_required(const struct margin_leg *l, const struct margin_orders *open) {
    if (!l->rules.on) return 0;
    if (l->inst->kind == INSTRUMENT_SPOT) return open->buys;
    return initial_of(l, exposure_of(l, open->buys, open->sells));
}

static bool beyond_ladder(const struct margin_leg *l, int128 exposure) {
    int128 most = l->rules.ladder.tier[l->rules.ladder.tiers - 1].to.e12;
    return most > 0 && exposure > most;
}

/* Cross: the asset without what isolated legs hold aside. */
static int128 free_balance(const struct margin_account *a, uint8_t asset) {
    int128 sum = a->deposit[asset].e12;
    for (uint32_t i = 0; i < a->legs; i++) {
        const struct margin_leg *l = &a->leg[i];
        if (l->asset != asset) continue;
        bool spot = l->inst->kind == INSTRUMENT_SPOT;
        if (l->rules.isolated && !spot) {
            sum += l->ledger.cash.e12 + l->ledger.cost.e12 - l->isolated.e12;
        } else {
            sum += l->ledger.cash.e12 + (spot ? 0 : l->value.e12);
        }
    }
    return sum;
}

bool margin_allows(const struct margin_account *a, uint32_t leg, const struct margin_orders *open,
    int side, price_t px, qty_t qty, int128 others) {
    const struct margin_leg *l = &a->leg[leg];
    int128 value;
    if (!l->rules.on) return true;
    if (!margin_value(l, px, qty, &value)) return false;
    if (l->inst->kind == INSTRUMENT_SPOT && side == SIDE_SELL) {
        return open->sell_lots + qty.lots <= l->ledger.position;
    }
    struct margin_orders then = *open;
    if (side == SIDE_BUY) {
        then.buys += value;
    } else {
        then.sells += value;
    }
    int128 balance = free_balance(a, l->asset);
    if (l->inst->kind == INSTRUMENT_SPOT) return then.buys + others <= balance;
    int128 before = exposure_of(l, open->buys, open->sells);
    int128 after = exposure_of(l, then.buys, then.sells);
    if (after <= before) return true;
    if (beyond_ladder(l, after)) return false;
    int128 required = initial_of(l, after);
    if (l->rules.isolated) required -= required < l->isolated.e12 ? required : l->isolated.e12;
    return required + others <= balance;
}

/* ---- pools ---- */

int128 margin_balance(const struct margin_account *a, uint32_t leg) {
    const struct margin_leg *l = &a->leg[leg];
    if (l->rules.isolated) return l->isolated.e12 + l->value.e12 - l->ledger.cost.e12;
    return free_balance(a, l->asset);
}

bool margin_together(const struct margin_account *a, uint32_t leg, uint32_t other) {
    const struct margin_leg *l = &a->leg[other];
    if (other == leg) return true;
    if (l->inst->kind == INSTRUMENT_SPOT) return false; /* coins are nobody's margin position */
    return !a->leg[leg].rules.isolated && !l->rules.isolated && l->asset == a->leg[leg].asset;
}

int128 margin_upkeep(const struct margin_account *a, uint32_t leg) {
    int128 sum = 0;
    for (uint32_t i = 0; i < a->legs; i++) {
        if (margin_together(a, leg, i)) sum += a->leg[i].upkeep.e12;
    }
    return sum;
}

uint32_t margin_worst(const struct margin_account *a, uint32_t leg) {
    uint32_t worst = leg;
    int128 most = -1;
    for (uint32_t i = 0; i < a->legs; i++) {
        if (!margin_together(a, leg, i) || a->leg[i].ledger.position == 0) continue;
        if (a->leg[i].upkeep.e12 <= most) continue;
        worst = i;
        most = a->leg[i].upkeep.e12;
    }
    return worst;
}

int64_t margin_step(const struct margin_leg *l) {
    int64_t held = l->ledger.position < 0 ? -l->ledger.position : l->ledger.position;
    int64_t lot = l->inst->lot_units;
    int128 notional = absolute(l->value.e12);
    uint32_t tier = margin_tier_of(&l->rules.ladder, notional);
    if (tier == 0 || notional == 0) return held;
    int128 over = notional - l->rules.ladder.tier[tier - 1].to.e12, product;
    if (__builtin_mul_overflow(over, (int128)held, &product)) return held;
    int128 lots = product / notional + 1;
    lots += (lot - lots % lot) % lot; /* up: the tier below must be reached */
    return lots < held ? (int64_t)lots : held;
}

price_t margin_bankrupt(const struct margin_account *a, uint32_t leg) {
    const struct margin_leg *l = &a->leg[leg];
    const struct instrument *in = l->inst;
    int64_t held = l->ledger.position, tick = in->tick_units;
    int128 balance = margin_balance(a, leg), scale = decimal_pow10[in->px_exp];
    CHECK(held != 0 && l->mark_e10 > 0);
    /* value at the bankruptcy price = value at mark - balance */
    int128 value = absolute(l->value.e12), want = held > 0 ? value - balance : value + balance;
    if (in->kind == INSTRUMENT_INVERSE) want = held > 0 ? value + balance : value - balance;
    if (want <= 0) { /* no price can do that */
        return (price_t){held > 0 ? tick : ORDER_UNITS_MAX - ORDER_UNITS_MAX % tick};
    }
    /* linear: px = mark x want / value; inverse: px = mark x value / want */
    bool inverse = in->kind == INSTRUMENT_INVERSE;
    int128 num = inverse ? value : want, den = inverse ? want : value;
    for (; num > ((int128)1 << 40) || den > ((int128)1 << 40); num >>= 1) den >>= 1;
    if (den == 0) return (price_t){held > 0 ? tick : ORDER_UNITS_MAX - ORDER_UNITS_MAX % tick};
    num *= l->mark_e10 * scale;
    den *= (int128)in->px_mant * AUX_ONE;
    int128 ticks = num / den;
    if (ticks > ORDER_UNITS_MAX) ticks = ORDER_UNITS_MAX;
    int64_t px = (int64_t)ticks, off = px % tick;
    bool exact = num % den == 0 && off == 0;
    px -= off;
    if (held > 0 && !exact) px += tick; /* sells not below, buys not above */
    return (price_t){px > tick ? px : tick};
}

bool margin_check(const struct margin_account *a) {
    for (uint32_t asset = 0; asset < a->assets; asset++) {
        int128 held = a->deposit[asset].e12, owed = a->deposit[asset].e12;
        for (uint32_t i = 0; i < a->legs; i++) {
            const struct ledger *l = &a->leg[i].ledger;
            if (a->leg[i].asset != asset) continue;
            if (!ledger_check(l)) return false;
            held += l->cash.e12 + l->cost.e12;
            owed += l->realised.e12 + l->insurance.e12 - l->fees.e12 - l->funding.e12 -
                    l->clearance.e12 - l->rounding.e12;
        }
        if (held != owed) return false;
    }
    return true;
}
