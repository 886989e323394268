/* Margin against a model written apart: money as exact fractions recomputed from all rows, the
 * ladder as marginal rates. */
#include "execute/ledger/margin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed = 19;
static uint64_t rnd(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static const struct instrument linear = {.symbol = "BTCUSDT",
    .px_mant = 1,
    .px_exp = 1,
    .qty_mant = 1,
    .qty_exp = 3,
    .tick_units = 1,
    .lot_units = 1,
    .contract_e8 = 100000000,
    .venue = VENUE_BINANCE_USDM};
static const struct instrument other = {.symbol = "ETHUSDT",
    .px_mant = 1,
    .px_exp = 2,
    .qty_mant = 1,
    .qty_exp = 2,
    .tick_units = 5,
    .lot_units = 10,
    .contract_e8 = 100000000,
    .venue = VENUE_BINANCE_USDM};
static const struct instrument inverse = {.symbol = "BTCUSD_PERP",
    .kind = INSTRUMENT_INVERSE,
    .px_mant = 1,
    .px_exp = 1,
    .qty_mant = 1,
    .tick_units = 1,
    .lot_units = 1,
    .contract_e8 = (int64_t)100 * 100000000,
    .venue = VENUE_BINANCE_COINM};
static const struct instrument spot = {.symbol = "BTCUSDT",
    .kind = INSTRUMENT_SPOT,
    .px_mant = 1,
    .px_exp = 1,
    .qty_mant = 1,
    .qty_exp = 3,
    .tick_units = 1,
    .lot_units = 1,
    .contract_e8 = 100000000,
    .venue = VENUE_BINANCE_SPOT};

static const struct ledger_fees regular = {{RATE_ONE / 5000}, {RATE_ONE / 2000}};

static int128 units(int64_t v) { return (int128)v * MONEY_ONE; }

/* 1,000 at .4 % (125x), 10,000 at 1 % (50x), 100,000 at 2.5 % (20x), then 10 % (5x); in `one`s. */
static struct margin_rules rules_of(int64_t one_e12, bool isolated) {
    static const struct {
        int64_t to, bp, leverage;
    } row[] = {{1000, 40, 125}, {10000, 100, 50}, {100000, 250, 20}, {0, 1000, 5}};
    struct margin_rules r = {
        .on = true, .isolated = isolated, .initial = {RATE_ONE / 20}, .clearance = {RATE_ONE / 80}};
    for (size_t i = 0; i < 4; i++) {
        r.ladder.tier[r.ladder.tiers++] = (struct margin_tier){.to = {(int128)row[i].to * one_e12},
            .maintenance = {row[i].bp * (RATE_ONE / 10000)},
            .initial = {RATE_ONE / row[i].leverage}};
    }
    assert_true(margin_ladder_good(&r.ladder));
    return r;
}

static void the_ladder_is_continuous_and_its_amounts_are_the_venues(void **state) {
    (void)state;
    struct margin_ladder l = {.tiers = 3,
        .tier = {{.to = {units(50000)}, {RATE_ONE / 250}, {RATE_ONE / 125}, {0}},
            {.to = {units(600000)}, {RATE_ONE / 200}, {RATE_ONE / 100}, {0}},
            {.to = {units(3000000)}, {65 * (RATE_ONE / 10000)}, {RATE_ONE / 75}, {0}}}};
    assert_true(margin_ladder_good(&l));
    assert_true(l.tier[1].amount.e12 == units(50)); /* as its table says */
    assert_true(l.tier[2].amount.e12 == units(950));
    assert_int_equal(margin_tier_of(&l, units(50000)), 0);
    assert_int_equal(margin_tier_of(&l, units(50000) + 1), 1);
    assert_int_equal(margin_tier_of(&l, units(9000000)), 2);
    l.tier[1].to.e12 = l.tier[0].to.e12;
    assert_false(margin_ladder_good(&l)); /* not rising */
    l.tier[1].to.e12 = units(600000);
    l.tier[2].maintenance.e16 = 1;
    assert_false(margin_ladder_good(&l)); /* falls */
}

/* ---- the model: every row kept, everything recomputed ---- */

enum { ROWS = 400 };
struct row {
    int kind; /* 0 fill, 1 funding, 2 clearance, 3 insured */
    int side;
    int64_t px, qty, rate; /* funding: px = mark e10, qty = position */
    int128 amount;
};
struct naive {
    const struct instrument *in;
    struct row row[ROWS];
    size_t rows;
};

static int128 down(int128 a, int128 b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }
static int128 near(int128 a, int128 b) { return a >= 0 ? (2 * a + b) / (2 * b) : -near(-a, b); }

/* |value| e12 of qty at px10 / 10: linear px x qty / 10^4 or (other) / 10^4; inverse 1000 qty /
 * px10 */
static void value_of(
    const struct instrument *in, int128 px, int64_t qty, int128 scale, int128 *num, int128 *den) {
    if (in->kind == INSTRUMENT_INVERSE) {
        *num = (int128)100 * qty * scale * MONEY_ONE;
        *den = px;
    } else {
        int128 lots = 1;
        for (int i = 0; i < in->qty_exp; i++) lots *= 10;
        *num = px * qty * (MONEY_ONE / (int64_t)lots);
        *den = scale;
    }
}

static int128 tick_scale(const struct instrument *in) { return in->px_exp == 1 ? 10 : 100; }

/* Cash that the rows moved: each part rounded down once. */
static int128 naive_cash(const struct naive *n) {
    int128 cash = 0;
    for (size_t i = 0; i < n->rows; i++) {
        const struct row *r = &n->row[i];
        int128 num, den;
        if (r->kind == 3) {
            cash += r->amount;
            continue;
        }
        int64_t qty = r->qty < 0 ? -r->qty : r->qty;
        value_of(n->in, r->px, qty, r->kind == 1 ? AUX_ONE : tick_scale(n->in), &num, &den);
        bool out = (r->side == SIDE_BUY) != (n->in->kind == INSTRUMENT_INVERSE);
        if (r->kind == 0) cash += down(out ? -num : num, den);
        int64_t rate = r->rate / 100000000; /* x 1e-8: the product fits 127 bits */
        assert_int_equal(r->rate % 100000000, 0);
        if (r->kind == 1 && r->qty < 0) rate = -rate;
        cash += down(-num * rate, den * 100000000);
    }
    return cash;
}

static int64_t naive_position(const struct naive *n) {
    int64_t p = 0;
    for (size_t i = 0; i < n->rows; i++) {
        if (n->row[i].kind == 0) p += n->row[i].side == SIDE_BUY ? n->row[i].qty : -n->row[i].qty;
    }
    return p;
}

static int128 naive_value(const struct naive *n, int64_t mark) {
    int64_t p = naive_position(n);
    int128 num, den;
    if (p == 0) return 0;
    value_of(n->in, mark, p < 0 ? -p : p, AUX_ONE, &num, &den);
    int128 v = near(num, den);
    return (p > 0) != (n->in->kind == INSTRUMENT_INVERSE) ? v : -v;
}

/* Marginal form: each slice of the notional at its own tier's rate. */
static int128 naive_upkeep(const struct margin_rules *r, int128 notional) {
    int128 sum = 0, from = 0;
    for (uint32_t i = 0; i < r->ladder.tiers; i++) {
        int128 to = r->ladder.tier[i].to.e12;
        if (to == 0 || to > notional) to = notional;
        if (to > from) sum += (to - from) * (r->ladder.tier[i].maintenance.e16 / 1000000000000);
        from = to > from ? to : from;
    }
    return sum / 10000; /* rounded down; the account's is rounded up */
}

struct pair { /* two legs of one account beside their models */
    struct margin_account a;
    struct naive n[2];
    int64_t mark[2];
    int128 deposit;
};

static void compare(struct pair *p) {
    int128 balance = p->deposit, upkeep = 0;
    assert_true(margin_check(&p->a));
    for (uint32_t i = 0; i < 2; i++) {
        const struct margin_leg *l = &p->a.leg[i];
        assert_int_equal(l->ledger.position, naive_position(&p->n[i]));
        assert_true(l->ledger.cash.e12 == naive_cash(&p->n[i]));
        int128 value = naive_value(&p->n[i], p->mark[i]);
        assert_true(l->value.e12 == value);
        balance += l->ledger.cash.e12 + value;
        int128 mm = naive_upkeep(&l->rules, value < 0 ? -value : value);
        assert_true(l->upkeep.e12 >= mm && l->upkeep.e12 <= mm + 1);
        upkeep += l->upkeep.e12;
    }
    assert_true(margin_balance(&p->a, 0) == balance);
    assert_true(margin_upkeep(&p->a, 1) == upkeep);
    assert_int_equal(margin_broken(&p->a, 0), balance < upkeep);
}

static void add_fill(struct pair *p, uint32_t i, int side, int64_t px, int64_t qty, bool maker) {
    struct naive *n = &p->n[i];
    struct ledger_fees rates;
    assert_int_equal(margin_fill(&p->a, i, side, (price_t){px}, (qty_t){qty}, maker,
                         (ts_t){86400 * NS_PER_S * 30}, &rates),
        ERR_OK);
    n->row[n->rows++] = (struct row){
        .side = side, .px = px, .qty = qty, .rate = maker ? rates.maker.e16 : rates.taker.e16};
}

static void add_funding(struct pair *p, uint32_t i) {
    struct naive *n = &p->n[i];
    int64_t rate = ((int64_t)rnd(400) - 200) * (RATE_ONE / 100000);
    int64_t position = margin_position_at(&p->a.leg[i], (ts_t){INT64_MAX});
    assert_int_equal(margin_funding(&p->a, i, position, p->mark[i], (rate_t){rate}), ERR_OK);
    if (position == 0) return;
    n->row[n->rows++] = (struct row){.kind = 1, .px = p->mark[i], .qty = position, .rate = rate};
}

static void add_clearance(struct pair *p, uint32_t i, int64_t px, int64_t qty) {
    struct naive *n = &p->n[i];
    struct margin_leg *l = &p->a.leg[i];
    assert_int_equal(ledger_clearance(&l->ledger, l->inst, (price_t){px}, (qty_t){qty},
                         l->rules.clearance, NULL),
        ERR_OK);
    n->row[n->rows++] =
        (struct row){.kind = 2, .px = px, .qty = qty, .rate = l->rules.clearance.e16};
}

static void random_event(struct pair *p) {
    uint32_t i = (uint32_t)rnd(2);
    const struct instrument *in = p->n[i].in;
    int64_t tick = in->tick_units, base = i == 0 ? 600000 : 27000 * 10;
    if (in->kind == INSTRUMENT_INVERSE) base = 600000;
    int64_t px = (base / 2 + (int64_t)rnd((uint64_t)base)) / tick * tick;
    switch (rnd(8)) {
    case 0:
    case 1:
        p->mark[i] = px * (AUX_ONE / (int64_t)tick_scale(in));
        assert_int_equal(margin_mark(&p->a, i, p->mark[i]), ERR_OK);
        break;
    case 2: add_funding(p, i); break;
    case 3: {
        int64_t held = p->a.leg[i].ledger.position;
        if (held == 0) break;
        int64_t qty = 1 + (int64_t)rnd((uint64_t)(held < 0 ? -held : held));
        add_fill(p, i, held > 0 ? SIDE_SELL : SIDE_BUY, px, qty, false);
        add_clearance(p, i, px, qty);
        break;
    }
    case 4: {
        int128 amount = 1 + (int128)rnd(1000000007);
        assert_int_equal(ledger_insure(&p->a.leg[i].ledger, (money_t){amount}), ERR_OK);
        p->n[i].row[p->n[i].rows++] = (struct row){.kind = 3, .amount = amount};
        break;
    }
    default: add_fill(p, i, (int)rnd(2), px, in->lot_units * (1 + (int64_t)rnd(300)), rnd(2) == 0);
    }
}

static void an_account_of_any_sequence_equals_the_model_to_the_last_unit(void **state) {
    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    struct pair *p = malloc(sizeof *p);
    for (int run = 0; run < 200; run++) {
        bool coin = rnd(3) == 0;
        struct margin_rules r = rules_of(coin ? MONEY_ONE / 1000 : MONEY_ONE, false);
        memset(p, 0, sizeof *p);
        margin_init(&p->a);
        p->n[0].in = coin ? &inverse : &linear;
        p->n[1].in = coin ? &inverse : &other;
        for (uint32_t i = 0; i < 2; i++) {
            assert_int_equal(margin_leg_add(&p->a, p->n[i].in, &r, &regular, 0), i);
        }
        p->deposit = p->a.deposit[0].e12 = (int128)rnd(20000) * MONEY_ONE / (coin ? 10000 : 1);
        p->mark[0] = (int64_t)60000 * AUX_ONE;
        p->mark[1] = coin ? p->mark[0] : (int64_t)2700 * AUX_ONE;
        for (uint32_t i = 0; i < 2; i++) {
            assert_int_equal(margin_mark(&p->a, i, p->mark[i]), ERR_OK);
        }
        for (int k = 0; k < 120; k++) {
            random_event(p);
            compare(p);
        }
    }
    free(p);
}

static void a_step_reaches_the_next_lower_tier_and_no_further_than_a_lot(void **state) {
    (void)state;
    for (int run = 0; run < 20000; run++) {
        static struct margin_account a;
        struct ledger_fees rates;
        struct margin_rules r = rules_of(MONEY_ONE, false);
        const struct instrument *in = rnd(2) ? &linear : &other;
        int64_t lot = in->lot_units, qty = lot * (1 + (int64_t)rnd(5000));
        margin_init(&a);
        (void)margin_leg_add(&a, in, &r, &regular, 0);
        assert_int_equal(margin_mark(&a, 0, (int64_t)(1 + rnd(90000)) * AUX_ONE), ERR_OK);
        assert_int_equal(margin_fill(&a, 0, (int)rnd(2), (price_t){5000}, (qty_t){qty}, false,
                             (ts_t){86400 * NS_PER_S * 9}, &rates),
            ERR_OK);
        struct margin_leg *l = &a.leg[0];
        int128 worth = l->value.e12 < 0 ? -l->value.e12 : l->value.e12;
        uint32_t tier = margin_tier_of(&l->rules.ladder, worth);
        int64_t step = margin_step(l);
        assert_true(step > 0 && step <= qty && step % lot == 0);
        if (tier == 0) {
            assert_int_equal(step, qty);
            continue;
        }
        int128 one = worth / qty, left = worth - one * step;
        int128 to = l->rules.ladder.tier[tier - 1].to.e12;
        assert_true(left <= to + one);
        assert_true(left + 2 * one * lot >= to);
    }
}

/* Taken over at its bankruptcy price, a pool has what the tick's rounding leaves, and no less. */
static void at_the_bankruptcy_price_nothing_is_left_and_nothing_is_owed(void **state) {
    (void)state;
    unsigned met = 0;
    for (int run = 0; run < 20000; run++) {
        static struct margin_account a;
        struct ledger_fees rates;
        const struct instrument *in = rnd(2) ? &linear : &inverse;
        bool coin = in == &inverse, isolated = rnd(2);
        struct margin_rules r = rules_of(coin ? MONEY_ONE / 1000 : MONEY_ONE, isolated);
        int64_t px = 500000 + (int64_t)rnd(200000), qty = 1 + (int64_t)rnd(2000);
        margin_init(&a);
        (void)margin_leg_add(&a, in, &r, &(struct ledger_fees){{0}, {0}}, 0);
        a.deposit[0].e12 = (int128)(1 + rnd(5000)) * (coin ? MONEY_ONE / 50000 : MONEY_ONE);
        assert_int_equal(margin_mark(&a, 0, px * (AUX_ONE / 10)), ERR_OK);
        int side = (int)rnd(2);
        assert_int_equal(margin_fill(&a, 0, side, (price_t){px}, (qty_t){qty}, false,
                             (ts_t){86400 * NS_PER_S * 9}, &rates),
            ERR_OK);
        int64_t moved = px + (int64_t)rnd(100000) - 50000;
        assert_int_equal(margin_mark(&a, 0, moved * (AUX_ONE / 10)), ERR_OK);
        price_t bankrupt = margin_bankrupt(&a, 0);
        if (bankrupt.ticks <= 1 || bankrupt.ticks > 10000000) continue; /* no price can do it */
        int128 paid = isolated ? a.leg[0].isolated.e12 : a.deposit[0].e12;
        int128 before = a.leg[0].ledger.cash.e12 + a.leg[0].ledger.cost.e12;
        assert_int_equal(margin_takeover(&a, 0, bankrupt, (ts_t){86400 * NS_PER_S * 9}), ERR_OK);
        int128 left = paid + a.leg[0].ledger.cash.e12 + a.leg[0].ledger.cost.e12 - before;
        int128 tick = coin
                          ? (int128)qty * 100 * MONEY_ONE * 10 / bankrupt.ticks / bankrupt.ticks * 2
                          : (int128)qty * MONEY_ONE / 10000;
        assert_true(left >= -2 - tick / 1000);
        assert_true(left <= tick + 2 + tick / 1000);
        met++;
    }
    assert_true(met > 5000);
}

static void an_order_is_taken_if_the_balance_carries_its_margin(void **state) {
    (void)state;
    static struct margin_account a;
    struct ledger_fees rates;
    struct margin_rules r = rules_of(MONEY_ONE, false);
    struct margin_orders none = {0}, open = {.sells = units(400)};
    margin_init(&a);
    (void)margin_leg_add(&a, &linear, &r, &(struct ledger_fees){{0}, {0}}, 0);
    a.deposit[0].e12 = units(100);
    assert_int_equal(margin_mark(&a, 0, (int64_t)50000 * AUX_ONE), ERR_OK);
    /* 20x: 100 carries 2,000 = 0.04 */
    assert_true(margin_allows(&a, 0, &none, SIDE_BUY, (price_t){500000}, (qty_t){40}, 0));
    assert_false(margin_allows(&a, 0, &none, SIDE_BUY, (price_t){500000}, (qty_t){41}, 0));
    assert_false(margin_allows(&a, 0, &none, SIDE_BUY, (price_t){500000}, (qty_t){40}, 1));
    assert_true(margin_allows(&a, 0, &open, SIDE_BUY, (price_t){500000}, (qty_t){40}, 0));
    assert_false(margin_allows(&a, 0, &open, SIDE_SELL, (price_t){500000}, (qty_t){33}, 0));
    assert_int_equal(margin_fill(&a, 0, SIDE_BUY, (price_t){500000}, (qty_t){40}, true,
                         (ts_t){86400 * NS_PER_S * 9}, &rates),
        ERR_OK);
    /* the whole balance is used, and yet the position can be turned to the same size */
    assert_true(margin_allows(&a, 0, &none, SIDE_SELL, (price_t){500000}, (qty_t){80}, 0));
    assert_false(margin_allows(&a, 0, &none, SIDE_SELL, (price_t){500000}, (qty_t){82}, 0));
    assert_false(margin_allows(&a, 0, &none, SIDE_BUY, (price_t){500000}, (qty_t){1}, 0));
}

static void coins_must_be_paid_and_only_coins_held_are_sold(void **state) {
    (void)state;
    static struct margin_account a;
    struct ledger_fees rates;
    struct margin_rules r = rules_of(MONEY_ONE, false);
    struct margin_orders none = {0}, open = {.sell_lots = 8};
    margin_init(&a);
    (void)margin_leg_add(&a, &spot, &r, &(struct ledger_fees){{0}, {0}}, 0);
    a.deposit[0].e12 = units(1000);
    assert_false(margin_allows(&a, 0, &none, SIDE_SELL, (price_t){500000}, (qty_t){1}, 0));
    assert_true(margin_allows(&a, 0, &none, SIDE_BUY, (price_t){500000}, (qty_t){20}, 0));
    assert_false(margin_allows(&a, 0, &none, SIDE_BUY, (price_t){500000}, (qty_t){21}, 0));
    assert_int_equal(margin_mark(&a, 0, (int64_t)50000 * AUX_ONE), ERR_OK);
    assert_int_equal(margin_fill(&a, 0, SIDE_BUY, (price_t){500000}, (qty_t){10}, true,
                         (ts_t){86400 * NS_PER_S * 9}, &rates),
        ERR_OK);
    assert_true(margin_balance(&a, 0) == units(500)); /* the coins are no collateral */
    assert_true(margin_upkeep(&a, 0) == 0);
    assert_true(margin_allows(&a, 0, &open, SIDE_SELL, (price_t){500000}, (qty_t){2}, 0));
    assert_false(margin_allows(&a, 0, &open, SIDE_SELL, (price_t){500000}, (qty_t){3}, 0));
}

static void an_isolated_position_risks_its_own_margin_only(void **state) {
    (void)state;
    static struct margin_account a;
    struct ledger_fees rates;
    struct margin_rules alone = rules_of(MONEY_ONE, true), cross = rules_of(MONEY_ONE, false);
    margin_init(&a);
    (void)margin_leg_add(&a, &linear, &alone, &(struct ledger_fees){{0}, {0}}, 0);
    (void)margin_leg_add(&a, &other, &cross, &(struct ledger_fees){{0}, {0}}, 0);
    a.deposit[0].e12 = units(1000);
    assert_int_equal(margin_mark(&a, 0, (int64_t)50000 * AUX_ONE), ERR_OK);
    assert_int_equal(margin_fill(&a, 0, SIDE_BUY, (price_t){500000}, (qty_t){20}, true,
                         (ts_t){86400 * NS_PER_S * 9}, &rates),
        ERR_OK);
    assert_true(margin_balance(&a, 0) == units(50)); /* 1,000 at 20x */
    assert_true(margin_balance(&a, 1) == units(950));
    assert_false(margin_together(&a, 1, 0));
    assert_int_equal(margin_mark(&a, 0, (int64_t)48000 * AUX_ONE), ERR_OK);
    assert_true(margin_balance(&a, 0) == units(10));
    assert_true(margin_balance(&a, 1) == units(950)); /* untouched by its loss */
    assert_int_equal(margin_fill(&a, 0, SIDE_SELL, (price_t){480000}, (qty_t){10}, true,
                         (ts_t){86400 * NS_PER_S * 9}, &rates),
        ERR_OK);
    assert_true(a.leg[0].isolated.e12 == units(25));
    assert_true(margin_balance(&a, 1) == units(955)); /* half came back, less its loss of 20 */
    assert_true(margin_check(&a));
}

static void the_position_of_an_instant_is_what_stood_before_its_fills(void **state) {
    (void)state;
    static struct margin_account a;
    struct ledger_fees rates;
    struct margin_rules r = rules_of(MONEY_ONE, false);
    int64_t day = 86400 * NS_PER_S, stood = 0;
    margin_init(&a);
    (void)margin_leg_add(&a, &linear, &r, &regular, 0);
    for (int i = 1; i <= 200; i++) {
        assert_int_equal(margin_fill(&a, 0, i % 3 ? SIDE_BUY : SIDE_SELL, (price_t){500000},
                             (qty_t){i}, true, (ts_t){day + i * 10}, &rates),
            ERR_OK);
        stood = a.leg[0].ledger.position;
        assert_int_equal(margin_position_at(&a.leg[0], (ts_t){day + i * 10 + 1}), stood);
        assert_int_equal(margin_position_at(&a.leg[0], (ts_t){day + i * 10}),
            stood - (i % 3 ? i : -i)); /* a fill at the instant comes after it */
    }
}

/* ---- fees ---- */

static void a_tier_counts_the_thirty_whole_days_before(void **state) {
    (void)state;
    struct fee_table t = {.rows = 3,
        .tier = {{{0}, {{20}, {50}}}, {{units(100)}, {{16}, {40}}}, {{units(1000)}, {{-5}, {30}}}}};
    struct fee_volume v = {.before = {units(40)}};
    int64_t day = 86400 * NS_PER_S;
    assert_true(fee_table_good(&t));
    ts_t at = {20000 * day + 5};
    assert_true(fee_volume_30d(&v, at).e12 == units(40));
    assert_true(fee_volume_add(&v, at, (money_t){units(999)}));
    assert_int_equal(fee_rates(&t, fee_volume_30d(&v, at)).taker.e16, 50); /* today not yet */
    at.ns += day - 6;
    assert_int_equal(fee_rates(&t, fee_volume_30d(&v, at)).taker.e16, 50);
    at.ns += 1; /* midnight */
    assert_int_equal(fee_rates(&t, fee_volume_30d(&v, at)).maker.e16, -5);
    at.ns += 28 * day;
    assert_true(fee_volume_30d(&v, at).e12 == units(1039)); /* 29 days after the first */
    at.ns += day;
    assert_true(fee_volume_30d(&v, at).e12 == units(999)); /* what was before the run fell out */
    at.ns += day;
    assert_true(fee_volume_30d(&v, at).e12 == 0);
    assert_int_equal(fee_rates(&t, (money_t){units(100) - 1}).maker.e16, 20);
    t.tier[2].from = t.tier[1].from;
    assert_false(fee_table_good(&t));
}

static void volumes_of_any_days_equal_a_plain_sum(void **state) {
    (void)state;
    enum { N = 400 };
    for (int run = 0; run < 50; run++) {
        struct fee_volume v = {0};
        int64_t day[N], now = 20000;
        int128 value[N];
        for (int i = 0; i < N; i++) {
            now += rnd(3) == 0 ? (int64_t)rnd(rnd(10) == 0 ? 70 : 3) : 0;
            day[i] = now;
            value[i] = (int128)rnd(1000000);
            ts_t at = {(now * 86400 + (int64_t)rnd(86400)) * NS_PER_S};
            int128 want = 0;
            for (int k = 0; k < i; k++) {
                if (day[k] < now && day[k] >= now - FEE_DAYS) want += value[k];
            }
            assert_true(fee_volume_30d(&v, at).e12 == want);
            assert_true(fee_volume_add(&v, at, (money_t){value[i]}));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ladder_is_continuous_and_its_amounts_are_the_venues),
        cmocka_unit_test(an_account_of_any_sequence_equals_the_model_to_the_last_unit),
        cmocka_unit_test(a_step_reaches_the_next_lower_tier_and_no_further_than_a_lot),
        cmocka_unit_test(at_the_bankruptcy_price_nothing_is_left_and_nothing_is_owed),
        cmocka_unit_test(an_order_is_taken_if_the_balance_carries_its_margin),
        cmocka_unit_test(coins_must_be_paid_and_only_coins_held_are_sold),
        cmocka_unit_test(an_isolated_position_risks_its_own_margin_only),
        cmocka_unit_test(the_position_of_an_instant_is_what_stood_before_its_fills),
        cmocka_unit_test(a_tier_counts_the_thirty_whole_days_before),
        cmocka_unit_test(volumes_of_any_days_equal_a_plain_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
