#include "execute/ledger/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "execute/order/order.h"

static uint64_t seed = 7;
static uint64_t rnd(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static const struct instrument btcusdt = {.symbol = "BTCUSDT",
    .px_mant = 1,
    .px_exp = 1,
    .qty_mant = 1,
    .qty_exp = 3,
    .tick_units = 1,
    .lot_units = 1,
    .contract_e8 = 100000000};
static const struct instrument btcusd_perp = {.symbol = "BTCUSD_PERP",
    .kind = INSTRUMENT_INVERSE,
    .px_mant = 1,
    .px_exp = 1,
    .qty_mant = 1,
    .qty_exp = 0,
    .tick_units = 1,
    .lot_units = 1,
    .contract_e8 = (int64_t)100 * 100000000};
/* price 1e-8, quantity 1e-8: values have 16 decimals and need rounding */
static const struct instrument fine = {.px_mant = 1,
    .px_exp = 8,
    .qty_mant = 1,
    .qty_exp = 8,
    .tick_units = 1,
    .lot_units = 1,
    .contract_e8 = 100000000};

static const struct ledger_fees regular = {{RATE_ONE / 5000}, {RATE_ONE / 2000}};

static void fill(
    struct ledger *l, const struct instrument *in, int side, int64_t px, int64_t qty, bool maker) {
    assert_int_equal(
        ledger_fill(l, in, side, (price_t){px}, (qty_t){qty}, maker, NULL, NULL), ERR_OK);
    assert_true(ledger_check(l));
}

static void a_round_trip_earns_the_price_difference_less_fees(void **state) {
    (void)state;
    struct ledger l;
    ledger_init(&l, &regular, (money_t){(int128)10000 * MONEY_ONE});
    fill(&l, &btcusdt, SIDE_BUY, 600000, 10, true);   /* 0.01 BTC at 60000: 600 USDT, fee .12 */
    fill(&l, &btcusdt, SIDE_SELL, 601000, 10, false); /* at 60100: 601, fee .3005 */
    assert_true(l.realised.e12 == MONEY_ONE);
    assert_true(l.fees.e12 == MONEY_ONE / 10000 * 4205);
    assert_true(l.cash.e12 == (int128)10000 * MONEY_ONE + MONEY_ONE - l.fees.e12);
    assert_int_equal(l.position, 0);
    assert_true(l.rounding.e12 == 0);
}

static void a_fill_through_zero_realises_the_closed_part_only(void **state) {
    (void)state;
    struct ledger l;
    ledger_init(&l, &(struct ledger_fees){{0}, {0}}, (money_t){0});
    fill(&l, &btcusdt, SIDE_BUY, 600000, 10, true);
    fill(&l, &btcusdt, SIDE_SELL, 600100, 30, true); /* closes 10 at +10 each, opens -20 */
    assert_int_equal(l.position, -20);
    assert_true(l.realised.e12 == MONEY_ONE / 10);                  /* 0.01 x 10 */
    assert_true(l.cost.e12 == -(int128)120020 * (MONEY_ONE / 100)); /* 0.02 x 60010 */
}

static void an_inverse_contract_pays_in_the_base_asset(void **state) {
    (void)state;
    struct ledger l;
    ledger_init(&l, &(struct ledger_fees){{0}, {0}}, (money_t){MONEY_ONE});
    fill(&l, &btcusd_perp, SIDE_BUY, 500000, 1000, true);  /* 100,000 USD at 50,000: 2 BTC */
    fill(&l, &btcusd_perp, SIDE_SELL, 625000, 1000, true); /* at 62,500: 1.6 BTC */
    assert_true(l.realised.e12 == MONEY_ONE / 10 * 4);
    assert_true(l.cash.e12 == MONEY_ONE / 10 * 14);
}

static void a_third_is_rounded_against_the_account_and_the_unit_is_kept(void **state) {
    (void)state;
    struct ledger l;
    ledger_init(&l, &(struct ledger_fees){{0}, {0}}, (money_t){0});
    fill(&l, &btcusd_perp, SIDE_BUY, 300000, 1, true); /* 100 / 30000 = 0.00333.. BTC comes in */
    assert_true(l.cash.e12 == 3333333333);
    assert_true(l.rounding.e12 == 0); /* the nearest unit is below anyway */
    fill(&l, &btcusd_perp, SIDE_SELL, 300000, 1, true);
    assert_true(l.cash.e12 == -1); /* out: 3333333333.3 -> 3333333334 */
    assert_true(l.rounding.e12 == 1);
    assert_true(l.realised.e12 == 0);
}

static void funding_moves_from_longs_to_shorts_when_the_rate_is_positive(void **state) {
    (void)state;
    struct ledger l;
    money_t paid;
    rate_t rate = {RATE_ONE / 10000};
    ledger_init(&l, &(struct ledger_fees){{0}, {0}}, (money_t){0});
    fill(&l, &btcusdt, SIDE_BUY, 600000, 1000, true);
    assert_int_equal(ledger_funding(&l, &btcusdt, (int64_t)60000 * AUX_ONE, rate, &paid), ERR_OK);
    assert_true(paid.e12 == (int128)6 * MONEY_ONE);
    fill(&l, &btcusdt, SIDE_SELL, 600000, 2000, true);
    assert_int_equal(ledger_funding(&l, &btcusdt, (int64_t)60000 * AUX_ONE, rate, &paid), ERR_OK);
    assert_true(paid.e12 == -(int128)6 * MONEY_ONE);
    assert_true(l.funding.e12 == 0);
    assert_true(ledger_check(&l));
    assert_int_equal(ledger_funding(&l, &btcusdt, 0, rate, &paid), ERR_INPUT);
}

static void what_does_not_fit_is_refused_and_changes_nothing(void **state) {
    (void)state;
    struct ledger l;
    ledger_init(&l, &regular, (money_t){5});
    struct ledger before = l;
    price_t px = {INT64_MAX};
    assert_int_equal(
        ledger_fill(&l, &btcusdt, SIDE_BUY, px, (qty_t){INT64_MAX}, true, NULL, NULL), ERR_FULL);
    assert_int_equal(
        ledger_fill(&l, &btcusdt, SIDE_BUY, (price_t){0}, (qty_t){1}, true, NULL, NULL), ERR_FULL);
    assert_memory_equal(&l, &before, sizeof l);
}

/* Separate model: money as long double only for size, and as exact e24 integers for the linear
 * instrument whose value has 16 decimals. */
struct naive {
    int128 flows_e24; /* exact cash flows before rounding, all rows */
    int64_t position;
    int rows;
};

static void naive_fill(struct naive *n, int side, int64_t px, int64_t qty, int64_t rate_e16) {
    int128 value_e16 = (int128)px * qty;
    n->flows_e24 += (side == SIDE_BUY ? -1 : 1) * value_e16 * 100000000;
    /* fee: value e16 x rate e16 = e32; this test's rates are multiples of 1e-8: exact in e24 */
    n->flows_e24 -= value_e16 * (rate_e16 / 100000000);
    n->position += side == SIDE_BUY ? qty : -qty;
    n->rows += 2;
}

static void cash_is_the_exact_flow_less_at_most_one_unit_a_row(void **state) {
    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int run = 0; run < 200; run++) {
        struct ledger l;
        struct naive n = {0};
        struct ledger_fees fees = {
            {-(int64_t)rnd(100000) * 100000000}, {(int64_t)rnd(1000000) * 100000000}};
        ledger_init(&l, &fees, (money_t){0});
        for (int i = 0; i < 200; i++) {
            int side = (int)rnd(2);
            bool maker = rnd(2) == 0;
            int64_t px = 1 + (int64_t)rnd(1000000), qty = 1 + (int64_t)rnd(100000000);
            fill(&l, &fine, side, px, qty, maker);
            naive_fill(&n, side, px, qty, maker ? fees.maker.e16 : fees.taker.e16);
            int128 gap = n.flows_e24 - l.cash.e12 * MONEY_ONE;
            assert_true(gap >= 0); /* never in our favour */
            assert_true(gap <= (int128)n.rows * MONEY_ONE);
            assert_true(l.rounding.e12 <= (int128)n.rows);
            assert_int_equal(l.position, n.position);
        }
    }
}

static void conservation_holds_after_every_row_of_any_sequence(void **state) {
    (void)state;
    const struct instrument *all[] = {&btcusdt, &btcusd_perp, &fine};
    printf("seed %llu\n", (unsigned long long)seed);
    for (int run = 0; run < 300; run++) {
        const struct instrument *in = all[rnd(3)];
        struct ledger l;
        ledger_init(&l, &regular, (money_t){(int128)rnd(1000000) * MONEY_ONE});
        for (int i = 0; i < 100; i++) {
            money_t mark, paid;
            if (rnd(10) == 0) {
                rate_t rate = {(int64_t)rnd(20000000000000) - 10000000000000};
                assert_int_equal(
                    ledger_funding(&l, in, 1 + (int64_t)rnd(1000000) * AUX_ONE, rate, &paid),
                    ERR_OK);
            } else if (rnd(20) == 0) {
                assert_int_equal(ledger_deposit(&l, (money_t){(int128)rnd(1000) * 7}), ERR_OK);
            } else {
                fill(&l, in, (int)rnd(2), 1 + (int64_t)rnd(700000), 1 + (int64_t)rnd(5000),
                    rnd(2) == 0);
            }
            assert_true(ledger_check(&l));
            assert_int_equal(ledger_mark(&l, in, (price_t){600000}, &mark), ERR_OK);
            int128 profit = l.realised.e12 + mark.e12 - l.cost.e12;
            assert_true(l.cash.e12 + mark.e12 + l.fees.e12 + l.funding.e12 + l.rounding.e12 ==
                        l.deposits.e12 + profit);
        }
    }
}

static void the_check_finds_a_single_lost_unit(void **state) {
    (void)state;
    struct ledger l;
    ledger_init(&l, &regular, (money_t){1000});
    fill(&l, &btcusdt, SIDE_BUY, 600000, 10, true);
    l.cash.e12--;
    assert_false(ledger_check(&l));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_trip_earns_the_price_difference_less_fees),
        cmocka_unit_test(a_fill_through_zero_realises_the_closed_part_only),
        cmocka_unit_test(an_inverse_contract_pays_in_the_base_asset),
        cmocka_unit_test(a_third_is_rounded_against_the_account_and_the_unit_is_kept),
        cmocka_unit_test(funding_moves_from_longs_to_shorts_when_the_rate_is_positive),
        cmocka_unit_test(what_does_not_fit_is_refused_and_changes_nothing),
        cmocka_unit_test(cash_is_the_exact_flow_less_at_most_one_unit_a_row),
        cmocka_unit_test(conservation_holds_after_every_row_of_any_sequence),
        cmocka_unit_test(the_check_finds_a_single_lost_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
