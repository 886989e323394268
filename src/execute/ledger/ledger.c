#include "execute/ledger/ledger.h"

#include <string.h>

#include "base/check.h"
#include "base/decimal.h"
#include "base/hash.h"
#include "execute/order/order.h"

/* A product num / den of money before it meets the 1e-12 grid; den > 0. */
struct ratio {
    int128 num, den;
};

static bool mul(int128 *v, int128 by) { return !__builtin_mul_overflow(*v, by, v); }

static bool pow10_mul(int128 *v, unsigned exp) {
    for (; exp > 18; exp -= 18) {
        if (!mul(v, decimal_pow10[18])) return false;
    }
    return mul(v, decimal_pow10[exp]);
}

/* Most values fit 64 bits, where a division costs a tenth. */
static bool narrow(int128 v) { return v == (int64_t)v; }

struct divided {
    int128 quotient, rest;
};

static struct divided divide(int128 num, int128 den) {
    if (narrow(num) && narrow(den) && num > INT64_MIN) {
        int64_t n = (int64_t)num, d = (int64_t)den;
        return (struct divided){n / d, n % d};
    }
    return (struct divided){num / den, num % den};
}

/* Cancels powers of ten, so that den stays small. */
static void pow10_reduce(struct ratio *r) {
    while (r->den > 1) {
        struct divided num = divide(r->num, 10), den = divide(r->den, 10);
        if (num.rest != 0 || den.rest != 0) return;
        r->num = num.quotient;
        r->den = den.quotient;
    }
}

static int128 floor_div(int128 num, int128 den) {
    struct divided v = divide(num, den);
    return v.quotient - (v.rest != 0 && num < 0);
}

/* Nearest, ties away from zero. */
static int128 round_div(int128 num, int128 den) {
    struct divided v = divide(num, den);
    int128 q = v.quotient, r = v.rest;
    int128 rest = r < 0 ? -r : r;
    if (rest >= den - rest) q += num < 0 ? -1 : 1;
    return q;
}

/* px_num / px_den quote per base x quantity as a ratio x 1e-12. */
static bool value_ratio(
    const struct instrument *in, int128 px_num, int128 px_den, int64_t lots, struct ratio *out) {
    struct ratio r = {lots, 1};
    if (!mul(&r.num, in->qty_mant) || !mul(&r.num, in->contract_e8)) return false;
    unsigned scale = in->qty_exp + 8u;
    if (scale < 12 && !pow10_mul(&r.num, 12 - scale)) return false;
    if (scale > 12 && !pow10_mul(&r.den, scale - 12)) return false;
    pow10_reduce(&r);
    bool inverse = in->kind == INSTRUMENT_INVERSE;
    if (!mul(&r.num, inverse ? px_den : px_num)) return false;
    if (!mul(&r.den, inverse ? px_num : px_den)) return false;
    pow10_reduce(&r);
    *out = r;
    return true;
}

static bool px_ratio(const struct instrument *in, int128 ticks, int64_t lots, struct ratio *out) {
    if (!mul(&ticks, in->px_mant) || ticks <= 0) return false;
    return value_ratio(in, ticks, decimal_pow10[in->px_exp], lots, out);
}

void ledger_init(struct ledger *l, const struct ledger_fees *fees, money_t deposit) {
    memset(l, 0, sizeof *l);
    l->rates = *fees;
    l->deposits = l->cash = deposit;
}

err_t ledger_value(
    const struct instrument *in, price_t px, qty_t qty, money_t *value, bool *exact) {
    struct ratio r;
    if (!px_ratio(in, px.ticks, qty.lots, &r)) return ERR_FULL;
    value->e12 = round_div(r.num, r.den);
    if (exact) *exact = r.num % r.den == 0;
    return ERR_OK;
}

/* A cash flow rounded once: `fair` = nearest, `charged` = the unit below (against the account). */
struct flow {
    int128 fair, charged;
};

static struct flow flow_of(struct ratio r) {
    CHECK(r.den > 0);
    return (struct flow){round_div(r.num, r.den), floor_div(r.num, r.den)};
}

static void book_flow(struct ledger *l, struct flow f) {
    l->cash.e12 += f.charged;
    l->rounding.e12 += f.fair - f.charged;
    l->rounded_rows += f.fair != f.charged;
}

/* a x b / den with the powers of ten of a and den cancelled first; false if it does not fit. */
static bool mul_div(int128 a, int128 b, int128 den, struct ratio *out) {
    struct ratio r = {a, den};
    pow10_reduce(&r);
    if (mul(&r.num, b)) {
        *out = r;
        return true;
    }
    return false;
}

/* rate x value as a cost. The exact value ratio is used where it fits, else its nearest unit. */
static bool rate_flow(struct ratio value, rate_t rate, struct flow *out) {
    struct ratio r;
    int128 den = value.den;
    if (!mul(&den, RATE_ONE) || !mul_div(value.num, rate.e16, den, &r)) {
        if (!mul_div(round_div(value.num, value.den), rate.e16, RATE_ONE, &r)) return false;
    }
    r.num = -r.num; /* a cost leaves the account */
    *out = flow_of(r);
    return true;
}

/* Moves the position by `lots` whose fair cost is `cost` (same sign convention as l->cost);
 * what closes is realised at the average cost, the rest of the division stays in the open cost. */
static bool move_position(struct ledger *l, int64_t lots, int128 cost) {
    int64_t now = l->position;
    bool closes = (now > 0 && lots < 0) || (now < 0 && lots > 0);
    if (!closes) {
        l->position += lots;
        l->cost.e12 += cost;
        return true;
    }
    int64_t held = now < 0 ? -now : now, moved = lots < 0 ? -lots : lots;
    int64_t closed = moved < held ? moved : held;
    int128 basis = l->cost.e12, brought = cost;
    if (!mul(&basis, closed) || !mul(&brought, closed)) return false;
    int128 released = closed == held ? l->cost.e12 : basis / held;
    int128 used = closed == moved ? cost : brought / moved;
    l->realised.e12 += -used - released;
    l->cost.e12 += (cost - used) - released;
    l->position += lots;
    return true;
}

static void count_fill(struct ledger *l, int side, int64_t lots, int128 fair, bool maker) {
    if (side == SIDE_BUY) {
        l->bought_lots += lots;
        l->bought.e12 -= fair;
    } else {
        l->sold_lots += lots;
        l->sold.e12 += fair;
    }
    l->turnover.e12 += fair < 0 ? -fair : fair;
    l->fills++;
    l->maker_fills += maker;
}

err_t ledger_fill(struct ledger *l, const struct instrument *in, int side, price_t px, qty_t qty,
    bool maker, const money_t *fee_given, money_t *fee) {
    CHECK(side == SIDE_BUY || side == SIDE_SELL);
    CHECK(qty.lots > 0);
    struct ratio value;
    if (!px_ratio(in, px.ticks, qty.lots, &value)) return ERR_FULL;
    struct flow cost;
    if (fee_given) {
        cost = (struct flow){-fee_given->e12, -fee_given->e12};
    } else if (!rate_flow(value, maker ? l->rates.maker : l->rates.taker, &cost)) {
        return ERR_FULL;
    }
    bool out = (side == SIDE_BUY) != (in->kind == INSTRUMENT_INVERSE);
    if (out) value.num = -value.num;
    struct flow f = flow_of(value);
    struct ledger next = *l;
    if (!move_position(&next, side == SIDE_BUY ? qty.lots : -qty.lots, -f.fair)) {
        return ERR_FULL;
    }
    book_flow(&next, f);
    book_flow(&next, cost);
    next.fees.e12 -= cost.fair;
    count_fill(&next, side, qty.lots, f.fair, maker);
    *l = next;
    if (fee) fee->e12 = -cost.fair;
    return ERR_OK;
}

err_t ledger_funding_of(struct ledger *l, const struct instrument *in, int64_t position,
    int64_t mark_e10, rate_t rate, money_t *paid) {
    if (paid) paid->e12 = 0;
    if (position == 0) return ERR_OK;
    int64_t held = position < 0 ? -position : position;
    struct ratio value;
    if (mark_e10 <= 0 || !value_ratio(in, mark_e10, AUX_ONE, held, &value)) return ERR_INPUT;
    if (position < 0) rate.e16 = -rate.e16;
    struct flow f;
    if (!rate_flow(value, rate, &f)) return ERR_FULL;
    book_flow(l, f);
    l->funding.e12 -= f.fair;
    l->funding_rows++;
    if (paid) paid->e12 = -f.fair;
    return ERR_OK;
}

err_t ledger_funding(
    struct ledger *l, const struct instrument *in, int64_t mark_e10, rate_t rate, money_t *paid) {
    return ledger_funding_of(l, in, l->position, mark_e10, rate, paid);
}

err_t ledger_clearance(struct ledger *l, const struct instrument *in, price_t px, qty_t qty,
    rate_t rate, money_t *paid) {
    CHECK(qty.lots > 0 && rate.e16 >= 0);
    struct ratio value;
    struct flow f;
    if (!px_ratio(in, px.ticks, qty.lots, &value) || !rate_flow(value, rate, &f)) return ERR_FULL;
    book_flow(l, f);
    l->clearance.e12 -= f.fair;
    l->liquidations++;
    if (paid) paid->e12 = -f.fair;
    return ERR_OK;
}

err_t ledger_insure(struct ledger *l, money_t amount) {
    CHECK(amount.e12 > 0);
    int128 cash;
    if (__builtin_add_overflow(l->cash.e12, amount.e12, &cash)) return ERR_FULL;
    l->cash.e12 = cash;
    l->insurance.e12 += amount.e12;
    l->insured++;
    return ERR_OK;
}

err_t ledger_deposit(struct ledger *l, money_t amount) {
    int128 sum;
    if (__builtin_add_overflow(l->deposits.e12, amount.e12, &sum)) return ERR_FULL;
    l->deposits.e12 = sum;
    l->cash.e12 += amount.e12;
    return ERR_OK;
}

static err_t mark_ratio(const struct ledger *l, const struct instrument *in, int128 px_num,
    int128 px_den, money_t *value) {
    if (l->position == 0) {
        value->e12 = 0;
        return ERR_OK;
    }
    struct ratio r;
    if (px_num <= 0 || !value_ratio(in, px_num, px_den, l->position, &r)) return ERR_FULL;
    if (in->kind == INSTRUMENT_INVERSE) r.num = -r.num;
    value->e12 = round_div(r.num, r.den);
    return ERR_OK;
}

err_t ledger_mark(const struct ledger *l, const struct instrument *in, price_t px, money_t *value) {
    int128 num = px.ticks;
    if (!mul(&num, in->px_mant)) return ERR_FULL;
    return mark_ratio(l, in, num, decimal_pow10[in->px_exp], value);
}

err_t ledger_mark_e10(
    const struct ledger *l, const struct instrument *in, int64_t px_e10, money_t *value) {
    return mark_ratio(l, in, px_e10, AUX_ONE, value);
}

err_t ledger_mark2(
    const struct ledger *l, const struct instrument *in, price_t px_twice, money_t *value) {
    int128 num = px_twice.ticks;
    if (!mul(&num, in->px_mant)) return ERR_FULL;
    return mark_ratio(l, in, num, (int128)2 * decimal_pow10[in->px_exp], value);
}

bool ledger_check(const struct ledger *l) {
    int128 paid = l->fees.e12 + l->funding.e12 + l->clearance.e12 + l->rounding.e12;
    int128 given = l->deposits.e12 + l->insurance.e12;
    int128 left = l->cash.e12 + l->cost.e12 + paid, right = given + l->realised.e12;
    int128 flows = given - l->bought.e12 + l->sold.e12 - paid;
    return left == right && l->cash.e12 == flows && l->position == l->bought_lots - l->sold_lots &&
           (l->position != 0 || l->cost.e12 == 0) && l->rounding.e12 >= 0 &&
           l->rounding.e12 <= (int128)l->rounded_rows;
}

uint64_t ledger_hash(const struct ledger *l, uint64_t before) {
    uint64_t h = hash64(before, l, offsetof(struct ledger, clearance));
    if (l->liquidations == 0 && l->insured == 0) return h;
    return hash64(h, &l->clearance, sizeof *l - offsetof(struct ledger, clearance));
}
