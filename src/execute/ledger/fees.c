#include "execute/ledger/fees.h"

#include "base/check.h"

#define DAY_NS ((int64_t)86400 * NS_PER_S)

bool fee_table_good(const struct fee_table *t) {
    if (t->rows > FEE_TIERS_MAX || (t->rows > 0 && t->tier[0].from.e12 != 0)) return false;
    for (uint32_t i = 1; i < t->rows; i++) {
        if (t->tier[i].from.e12 <= t->tier[i - 1].from.e12) return false;
    }
    return true;
}

/* Days that have passed since are emptied. A time that runs back stays on the newest day. */
static void move_to(struct fee_volume *v, ts_t ts) {
    int64_t day = ts.ns / DAY_NS;
    if (v->today == 0) {
        v->today = day;
        v->day[(day - 1) % (FEE_DAYS + 1)] = v->before;
    }
    for (int i = 0; v->today < day && i <= FEE_DAYS; i++) {
        v->today++;
        v->day[v->today % (FEE_DAYS + 1)].e12 = 0;
    }
    if (v->today < day) v->today = day;
}

money_t fee_volume_30d(struct fee_volume *v, ts_t ts) {
    money_t sum = {0};
    CHECK(ts.ns >= DAY_NS);
    move_to(v, ts);
    for (int i = 1; i <= FEE_DAYS; i++) sum.e12 += v->day[(v->today - i) % (FEE_DAYS + 1)].e12;
    return sum;
}

bool fee_volume_add(struct fee_volume *v, ts_t ts, money_t value) {
    CHECK(value.e12 >= 0);
    move_to(v, ts);
    int128 *day = &v->day[v->today % (FEE_DAYS + 1)].e12, sum;
    if (__builtin_add_overflow(*day, value.e12, &sum) || sum > ((int128)1 << 120)) return false;
    *day = sum;
    return true;
}

struct ledger_fees fee_rates(const struct fee_table *t, money_t value_30d) {
    CHECK(t->rows > 0);
    uint32_t i = t->rows - 1;
    while (i > 0 && value_30d.e12 < t->tier[i].from.e12) i--;
    return t->tier[i].rates;
}
