#include "program/plan_account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/decimal.h"
#include "program/plan.h"

/* Tables by name: notional (settlement asset) : maintenance rate : largest leverage.
 *
 * binance-btc         USD-M BTCUSDT (ETHUSDT has the same shape), leverageBracket as of 2024-06
 * binance-small       a cautious envelope of USD-M contracts of smaller coins, same endpoint
 * binance-coinm-btc   COIN-M BTCUSD_PERP, notional in BTC, leverageBracket as of 2024-06
 * coinm-small         other inverse contracts: one strict tier, since coins differ in worth
 *
 * A venue revises them often: give margin.ladder what its leverageBracket says for your account. */
static const struct {
    const char *name, *tiers;
} ladders[] = {
    {"binance-btc", "50000:0.004:125,600000:0.005:100,3000000:0.0065:75,12000000:0.01:50,"
                    "70000000:0.02:25,100000000:0.025:20,230000000:0.05:10,480000000:0.1:5,"
                    "600000000:0.125:4,800000000:0.15:3,1200000000:0.25:2,1800000000:0.5:1"},
    {"binance-small", "5000:0.01:50,25000:0.025:20,100000:0.05:10,250000:0.1:5,1000000:0.125:4,"
                      "3000000:0.25:2,0:0.5:1"},
    {"binance-coinm-btc", "5:0.004:125,10:0.005:100,20:0.01:50,50:0.025:20,100:0.05:10,200:0.1:5,"
                          "400:0.125:4,1000:0.15:3,1500:0.25:2,0:0.5:1"},
    {"coinm-small", "0:0.05:10"},
};

/* Regular tier of each venue's derivatives (spot where the row says so), as published 2024-06:
 * binance.com/en/fee, okx.com/fees, bybit.com help "trading fee structure", deribit.com/kb/fees. */
static const struct {
    uint8_t venue, spot;
    const char *maker, *taker;
} regular[] = {
    {VENUE_BINANCE_USDM, 0, "0.0002", "0.0005"},
    {VENUE_BINANCE_COINM, 0, "0.0001", "0.0005"},
    {VENUE_BINANCE_SPOT, 1, "0.001", "0.001"},
    {VENUE_OKX, 0, "0.0002", "0.0005"},
    {VENUE_OKX, 1, "0.0008", "0.001"},
    {VENUE_BYBIT, 0, "0.0002", "0.00055"},
    {VENUE_BYBIT, 1, "0.001", "0.001"},
    {VENUE_DERIBIT, 0, "0", "0.0005"},
};

static rate_t rate_text(const char *text) {
    struct decimal d;
    int64_t v = 0;
    CHECK(decimal_parse(text, strlen(text), false, &d));
    CHECK(decimal_to_scale(d, 16, &v));
    return (rate_t){v};
}

/* A rate between -1 and 1, or the venue's own. Venues without a row: Binance USD-M's. */
static err_t fee_of(const struct config *c, const char *key, const struct instrument *in,
    bool maker, rate_t *out, struct err_info *e) {
    const char *text = config_string(c, key);
    struct decimal d;
    int64_t v = 0;
    if (strcmp(text, "venue") == 0) {
        size_t row = 0;
        for (size_t i = 0; i < sizeof regular / sizeof *regular; i++) {
            bool spot = in->kind == INSTRUMENT_SPOT;
            if (regular[i].venue == in->venue && (regular[i].spot != 0) == spot) row = i;
        }
        *out = rate_text(maker ? regular[row].maker : regular[row].taker);
        return ERR_OK;
    }
    bool good = decimal_parse(text, strlen(text), false, &d) && decimal_to_scale(d, 16, &v);
    if (!good || v <= -RATE_ONE || v >= RATE_ONE) {
        return err_set(e, ERR_USAGE,
            "%s: `%s: %.60s`: a rate between -1 and 1, or venue, is wanted", config_where(c, key),
            key, text);
    }
    *out = (rate_t){v};
    return ERR_OK;
}

err_t plan_fees(const struct config *c, const struct instrument *in, struct ledger_fees *out,
    struct err_info *e) {
    err_t code = fee_of(c, "fees.maker", in, true, &out->maker, e);
    return code ? code : fee_of(c, "fees.taker", in, false, &out->taker, e);
}

/* ---- rows of three numbers ---- */

static bool number(const char *text, size_t n, unsigned scale, int128 *out) {
    struct decimal d;
    if (!decimal_parse(text, n, false, &d) || d.exp > scale) return false;
    return !__builtin_mul_overflow((int128)d.mant, (int128)decimal_pow10[scale - d.exp], out);
}

/* A:B:C at the scales given. */
static bool row_of(const char *text, const unsigned scale[3], int128 out[3]) {
    for (int i = 0; i < 3; i++) {
        size_t n = strcspn(text, ":");
        if (n == 0 || !number(text, n, scale[i], &out[i])) return false;
        text += n;
        if (i < 2 && *text++ != ':') return false;
    }
    return *text == 0;
}

static err_t bad_row(const struct config *c, const char *key, const char *item, const char *form,
    struct err_info *e) {
    return err_set(
        e, ERR_USAGE, "%s: %s: \"%s\": %s is wanted", config_where(c, key), key, item, form);
}

static err_t tiers_of(const struct config *c, struct fee_table *t, struct err_info *e) {
    static const unsigned scale[3] = {12, 16, 16};
    size_t n = config_list(c, "fees.tiers");
    t->rows = 0;
    for (size_t i = 0; i < n; i++) {
        const char *item = config_item(c, "fees.tiers", i);
        int128 v[3];
        if (i == FEE_TIERS_MAX || !row_of(item, scale, v)) {
            return bad_row(c, "fees.tiers", item, "VOLUME:MAKER:TAKER, at most 16 rows", e);
        }
        t->tier[t->rows++] = (struct fee_tier){{v[0]}, {{(int64_t)v[1]}, {(int64_t)v[2]}}};
        bool good = fee_table_good(t) && v[1] > -RATE_ONE && v[1] < RATE_ONE && v[2] > -RATE_ONE &&
                    v[2] < RATE_ONE;
        if (!good) {
            return bad_row(c, "fees.tiers", item,
                "a volume above the row before it (the first is 0), rates between -1 and 1", e);
        }
    }
    return ERR_OK;
}

/* ---- ladders ---- */

static const char *ladder_named(const char *name, const struct instrument *in) {
    if (strcmp(name, "auto") == 0) {
        bool btc = strcmp(in->base, "BTC") == 0, eth = strcmp(in->base, "ETH") == 0;
        if (in->kind == INSTRUMENT_INVERSE) {
            name = btc ? "binance-coinm-btc" : "coinm-small";
        } else {
            name = btc || eth ? "binance-btc" : "binance-small";
        }
    }
    for (size_t i = 0; i < sizeof ladders / sizeof *ladders; i++) {
        if (strcmp(ladders[i].name, name) == 0) return ladders[i].tiers;
    }
    return NULL;
}

/* NOTIONAL:MAINTENANCE:LEVERAGE; initial rate = 1 / leverage, rounded up. */
static bool ladder_row(struct margin_ladder *l, const char *text) {
    static const unsigned scale[3] = {12, 16, 0};
    int128 v[3];
    if (l->tiers == MARGIN_TIERS_MAX || !row_of(text, scale, v)) return false;
    if (v[0] < 0 || v[1] <= 0 || v[1] > RATE_ONE || v[2] < 1 || v[2] > 1000) return false;
    int64_t initial = (RATE_ONE + (int64_t)v[2] - 1) / (int64_t)v[2];
    l->tier[l->tiers++] =
        (struct margin_tier){.to = {v[0]}, .maintenance = {(int64_t)v[1]}, .initial = {initial}};
    return true;
}

static err_t ladder_of(const struct config *c, const struct instrument *in,
    struct margin_ladder *out, struct err_info *e) {
    static const char form[] =
        "NOTIONAL:MAINTENANCE:LEVERAGE, rising, at most 16 rows, or one table by name";
    size_t n = config_list(c, "margin.ladder");
    if (n == 0) return bad_row(c, "margin.ladder", "", form, e);
    const char *first = config_item(c, "margin.ladder", 0), *table = ladder_named(first, in);
    out->tiers = 0;
    if (table && n == 1) {
        char text[512], *save = NULL;
        snprintf(text, sizeof text, "%s", table);
        for (char *w = strtok_r(text, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
            CHECK(ladder_row(out, w));
        }
        CHECK(margin_ladder_good(out));
        return ERR_OK;
    }
    for (size_t i = 0; i < n; i++) {
        const char *item = config_item(c, "margin.ladder", i);
        if (!ladder_row(out, item)) return bad_row(c, "margin.ladder", item, form, e);
    }
    return margin_ladder_good(out) ? ERR_OK : bad_row(c, "margin.ladder", first, form, e);
}

err_t plan_clearing(const struct config *c, const struct instrument *in,
    const struct fanout_facts *found, bool strict, struct clearing_rules *out, struct err_info *e) {
    memset(out, 0, sizeof *out);
    int64_t leverage = config_int(c, "margin.leverage");
    err_t code = plan_fees(c, in, &out->fees, e);
    if (!code) code = tiers_of(c, &out->margin.fees, e);
    if (!code) code = ladder_of(c, in, &out->margin.ladder, e);
    if (!code) code = plan_rate(c, "margin.clearance", &out->margin.clearance, e);
    if (code) return code;
    if (out->margin.clearance.e16 < 0) {
        return bad_row(c, "margin.clearance", config_string(c, "margin.clearance"), "0 or more", e);
    }
    out->margin.initial.e16 = (RATE_ONE + leverage - 1) / leverage;
    out->margin.on = strict && config_bool(c, "margin.on");
    out->margin.isolated =
        strcmp(config_string(c, "margin.mode"), "isolated") == 0 && in->kind != INSTRUMENT_SPOT;
    out->funding = config_bool(c, "funding.on") && in->kind != INSTRUMENT_SPOT;
    out->funding_told = found->fundings == 0;
    return ERR_OK;
}
