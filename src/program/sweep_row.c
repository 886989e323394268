#include "program/sweep_row.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "learn/study/returns.h"
#include "learn/study/stats.h"

static void take_series(struct sweep_row *row, const struct run_result *r) {
    row->block = r->periods / SWEEP_POINTS_MAX + (r->periods % SWEEP_POINTS_MAX != 0);
    if (row->block == 0) row->block = 1;
    row->points = r->periods / row->block;
    row->pnl = mem_alloc((row->points + 1) * sizeof *row->pnl);
    for (size_t i = 0; i < row->points * row->block; i++) row->pnl[i / row->block] += r->pnl[i];
}

static void take_figures(struct sweep_row *row, const struct run_result *r, double deposit) {
    row->periods = r->periods;
    row->sharpe = row->skew = row->kurtosis = row->psr = row->t_stat = NAN;
    if (r->periods < 2 || !(deposit > 0)) return;
    double *share = mem_alloc(r->periods * sizeof *share);
    for (size_t i = 0; i < r->periods; i++) share[i] = r->pnl[i] / deposit;
    struct return_metrics m = returns_measure(share, r->periods, 1, 0, 0);
    free(share);
    row->sharpe = m.sharpe_period;
    row->skew = m.skew;
    row->kurtosis = m.kurtosis;
    row->psr = m.psr;
    row->t_stat = m.sharpe_period * sqrt((double)r->periods);
}

void sweep_row_take(struct sweep_row *row, const struct run_result *r, double deposit) {
    memset(row, 0, sizeof *row);
    row->done = true;
    row->net = run_net(r);
    row->gross = run_gross(r);
    row->fees = r->fees;
    row->funding = r->funding;
    row->spread = r->spread;
    row->slippage = r->slippage;
    row->turnover = r->turnover;
    row->max_drawdown = r->max_drawdown;
    row->position_end = r->position_end;
    row->position_max = r->position_max;
    row->fills = r->fills;
    row->maker_fills = r->maker_fills;
    row->orders = r->orders;
    row->cancels = r->cancels;
    row->rejects = r->rejects;
    row->first_ns = r->first_ns;
    row->last_ns = r->last_ns;
    row->period_ns = (int64_t)(r->period_s * 1e9);
    row->orders_hash = r->stage[STAGE_ORDERS];
    row->fills_hash = r->stage[STAGE_FILLS];
    row->ledger_hash = r->stage[STAGE_LEDGER];
    row->taker_mark_10s = run_mean_bps(&r->log.mark[0][2]);
    row->maker_mark_10s = run_mean_bps(&r->log.mark[1][2]);
    take_series(row, r);
    take_figures(row, r, deposit);
}

/* ---- as a line ---- */

struct row_key {
    const char *key;
    size_t at;
};
#define KEY(name)                                                                                  \
    { #name, offsetof(struct sweep_row, name) }
static const struct row_key money_key[] = {KEY(net), KEY(gross), KEY(fees), KEY(funding),
    KEY(spread), KEY(slippage), KEY(turnover), KEY(max_drawdown)};
static const struct row_key count_key[] = {KEY(position_end), KEY(position_max), KEY(fills),
    KEY(maker_fills), KEY(orders), KEY(cancels), KEY(rejects), KEY(periods), KEY(block)};
static const struct row_key hash_key[] = {
    KEY(orders_hash), KEY(fills_hash), KEY(ledger_hash), KEY(config_hash)};
static const struct row_key figure_key[] = {KEY(sharpe), KEY(skew), KEY(kurtosis), KEY(psr),
    KEY(t_stat), KEY(maker_mark_10s), KEY(taker_mark_10s)};
static const struct row_key time_key[] = {KEY(first_ns), KEY(last_ns), KEY(period_ns)};
#undef KEY
#define COUNT(a) (sizeof(a) / sizeof *(a))

static const void *field(const struct sweep_row *row, size_t at) {
    return (const unsigned char *)row + at;
}

void sweep_row_json(const struct sweep_row *row, size_t set, struct json_out *j) {
    int128 money;
    int64_t count;
    uint64_t hash;
    double v;
    json_object(j);
    json_kint(j, "set", (int64_t)set);
    json_kstr(j, "failed", row->failed);
    for (size_t i = 0; i < COUNT(money_key); i++) {
        memcpy(&money, field(row, money_key[i].at), sizeof money);
        json_key(j, money_key[i].key);
        json_money(j, money);
    }
    for (size_t i = 0; i < COUNT(count_key); i++) {
        memcpy(&count, field(row, count_key[i].at), sizeof count);
        json_kint(j, count_key[i].key, count);
    }
    for (size_t i = 0; i < COUNT(time_key); i++) { /* as text: a double would lose the end */
        memcpy(&count, field(row, time_key[i].at), sizeof count);
        char text[32];
        snprintf(text, sizeof text, "%lld", (long long)count);
        json_kstr(j, time_key[i].key, text);
    }
    for (size_t i = 0; i < COUNT(hash_key); i++) {
        memcpy(&hash, field(row, hash_key[i].at), sizeof hash);
        json_key(j, hash_key[i].key);
        json_hash(j, hash);
    }
    for (size_t i = 0; i < COUNT(figure_key); i++) {
        memcpy(&v, field(row, figure_key[i].at), sizeof v);
        json_kdouble(j, figure_key[i].key, v);
    }
    json_key(j, "pnl");
    json_array(j);
    for (size_t i = 0; i < row->points; i++) json_double(j, row->pnl[i]);
    json_array_end(j);
    json_object_end(j);
}

static bool fields_parse(const cJSON *o, struct sweep_row *row) {
    unsigned char *to = (unsigned char *)row;
    for (size_t i = 0; i < COUNT(money_key); i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, money_key[i].key);
        int128 money;
        if (!cJSON_IsString(v) || !decimal_parse_e12(v->valuestring, &money)) return false;
        memcpy(to + money_key[i].at, &money, sizeof money);
    }
    for (size_t i = 0; i < COUNT(count_key); i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, count_key[i].key);
        if (!cJSON_IsNumber(v) || fabs(v->valuedouble) > 9e15) return false;
        int64_t count = (int64_t)v->valuedouble;
        memcpy(to + count_key[i].at, &count, sizeof count);
    }
    for (size_t i = 0; i < COUNT(time_key); i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, time_key[i].key);
        if (!cJSON_IsString(v)) return false;
        int64_t ns = strtoll(v->valuestring, NULL, 10);
        memcpy(to + time_key[i].at, &ns, sizeof ns);
    }
    for (size_t i = 0; i < COUNT(hash_key); i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, hash_key[i].key);
        if (!cJSON_IsString(v)) return false;
        uint64_t hash = strtoull(v->valuestring, NULL, 16);
        memcpy(to + hash_key[i].at, &hash, sizeof hash);
    }
    for (size_t i = 0; i < COUNT(figure_key); i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, figure_key[i].key);
        double d = cJSON_IsNumber(v) ? v->valuedouble : NAN;
        if (!v) return false;
        memcpy(to + figure_key[i].at, &d, sizeof d);
    }
    return true;
}

bool sweep_row_parse(const char *line, size_t n, size_t *set, struct sweep_row *row) {
    cJSON *o = cJSON_ParseWithLength(line, n);
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(o, "set");
    const cJSON *failed = cJSON_GetObjectItemCaseSensitive(o, "failed");
    const cJSON *pnl = cJSON_GetObjectItemCaseSensitive(o, "pnl"), *v;
    memset(row, 0, sizeof *row);
    bool good = cJSON_IsNumber(at) && at->valuedouble >= 0 && cJSON_IsString(failed) &&
                strlen(failed->valuestring) < SWEEP_WHY_MAX && cJSON_IsArray(pnl) &&
                fields_parse(o, row);
    if (good) {
        *set = (size_t)at->valuedouble;
        row->done = true;
        snprintf(row->failed, sizeof row->failed, "%s", failed->valuestring);
        row->pnl = mem_alloc(((size_t)cJSON_GetArraySize(pnl) + 1) * sizeof *row->pnl);
        cJSON_ArrayForEach(v, pnl) {
            row->pnl[row->points++] = cJSON_IsNumber(v) ? v->valuedouble : NAN;
        }
    }
    cJSON_Delete(o);
    return good;
}

void sweep_row_free(struct sweep_row *row) {
    free(row->pnl);
    memset(row, 0, sizeof *row);
}
