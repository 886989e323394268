#include "program/run_result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"

const char *const run_stage_name[STAGE_COUNT] = {
    "events", "books", "buckets", "features", "predictions", "orders", "fills", "ledger"};

err_t run_result_init(struct run_result *r, struct err_info *e) {
    memset(r, 0, sizeof *r);
    r->sharpe = r->sortino = r->calmar = r->hit_rate = r->payoff = NAN;
    r->psr = r->dsr = r->t_stat = r->hold_net = NAN;
    r->wait_width_s = 1;
    scorecard_init(&r->score);
    r->equity = malloc(sizeof *r->equity);
    if (!r->equity) return err_set(e, ERR_RESOURCE, "out of memory for the equity series");
    sampler_init(r->equity);
    r->use = malloc(sizeof *r->use);
    if (!r->use) return err_set(e, ERR_RESOURCE, "out of memory for the margin series");
    sampler_init(r->use);
    return ERR_OK;
}

void run_result_fini(struct run_result *r) {
    free(r->equity);
    free(r->use);
    r->use = NULL;
    free(r->pnl);
    free(r->hold);
    for (size_t i = 0; i < r->parts; i++) run_result_fini(&r->part[i]);
    free(r->part);
    r->part = NULL;
    r->parts = 0;
    r->equity = NULL;
    r->pnl = r->hold = NULL;
}

err_t run_result_period(struct run_result *r, double pnl, double hold, struct err_info *e) {
    if (r->periods == r->periods_cap) {
        size_t cap = r->periods_cap ? r->periods_cap * 2 : 1024;
        double *more = realloc(r->pnl, cap * sizeof *more);
        if (more) r->pnl = more;
        double *hold_more = more ? realloc(r->hold, cap * sizeof *hold_more) : NULL;
        if (!hold_more) return err_set(e, ERR_RESOURCE, "out of memory for %zu periods", cap);
        r->hold = hold_more;
        r->periods_cap = cap;
    }
    r->pnl[r->periods] = pnl;
    r->hold[r->periods++] = hold;
    return ERR_OK;
}

static void money(struct json_out *j, const char *key, int128 e12) {
    json_key(j, key);
    json_money(j, e12);
}

static void count(struct json_out *j, const char *key, uint64_t v) {
    json_key(j, key);
    json_uint(j, v);
}

double run_mean_bps(const struct run_mean *m) {
    return m->n > 0 ? (double)m->sum_e4 / 1e4 / (double)m->n : NAN;
}

double run_mean_error_bps(const struct run_mean *m) {
    if (m->n < 2) return NAN;
    double mean = run_mean_bps(m), n = (double)m->n;
    double var = (m->square - n * mean * mean) / (n - 1);
    return var > 0 ? sqrt(var / n) : 0;
}

static void mean_json(struct json_out *j, const char *key, const struct run_mean *m) {
    json_key(j, key);
    json_object(j);
    count(j, "n", m->n);
    json_kdouble(j, "mean_bps", run_mean_bps(m));
    json_kdouble(j, "error_bps", run_mean_error_bps(m));
    json_object_end(j);
}

/* Split of fees and value, mark-outs: each figure is a sum over fills.csv. */
static void anchor_json(const struct run_anchor *a, struct json_out *j) {
    json_key(j, "anchor");
    json_object(j);
    count(j, "orders", a->orders);
    count(j, "fills", a->fills);
    count(j, "cancels", a->canceled);
    count(j, "cancel_requests", a->cancel_requests);
    count(j, "expired", a->expired);
    json_kint(j, "position_lots", a->position_lots);
    money(j, "balance", a->balance);
    money(j, "fee", a->fee);
    json_key(j, "checksum");
    json_hash(j, a->checksum);
    count(j, "steps", a->steps);
    count(j, "unhashed", a->unhashed);
    json_object_end(j);
}

static void fills_json(const struct run_result *r, struct json_out *j) {
    static const char *const kind[2] = {"taker", "maker"};
    static const char *const mark[1 + RUN_MARKS] = {"at_fill", "1s", "10s", "60s"};
    const struct run_fills *f = &r->log;
    for (int maker = 1; maker >= 0; maker--) {
        char key[32];
        snprintf(key, sizeof key, "%s_fees", kind[maker]);
        money(j, key, f->fee[maker]);
        snprintf(key, sizeof key, "%s_value", kind[maker]);
        money(j, key, f->value[maker]);
        snprintf(key, sizeof key, "%s_marks", kind[maker]);
        json_key(j, key);
        json_object(j);
        for (int h = 0; h <= RUN_MARKS; h++) mean_json(j, mark[h], &f->mark[maker][h]);
        json_object_end(j);
    }
    json_key(j, "unmarked");
    json_object(j);
    for (int h = 0; h < RUN_MARKS; h++) count(j, mark[h + 1], f->unmarked[h]);
    json_object_end(j);
    if (r->anchor.on) anchor_json(&r->anchor, j);
}

static void margin_json(const struct run_result *r, struct json_out *j) {
    const struct run_margin *m = &r->margin;
    json_key(j, "margin");
    json_object(j);
    count(j, "refused", m->refused);
    count(j, "liquidations", m->liquidations);
    count(j, "liquidation_fills", m->fills);
    count(j, "takeovers", m->takeovers);
    count(j, "orders_canceled", m->canceled);
    count(j, "insured", m->insured);
    count(j, "adl", m->adl);
    money(j, "clearance", m->clearance);
    money(j, "insurance", m->insurance);
    json_kdouble(j, "use_max", m->use_max);
    json_kint(j, "use_max_ns", m->use_max_ns);
    count(j, "fundings", m->fundings);
    count(j, "funding_told", m->funding_told);
    count(j, "funding_by_price", m->funding_by_price);
    count(j, "funding_unpriced", m->funding_unpriced);
    json_object_end(j);
}

void run_result_json(const struct run_result *r, struct json_out *j) {
    json_kstr(j, "symbol", r->inst.symbol);
    json_kstr(j, "venue", venue_name(r->inst.venue));
    json_kstr(j, "settle", r->inst.settle);
    json_kstr(j, "mode", r->bars ? "bars" : "tick");
    json_kint(j, "first_ns", r->first_ns);
    json_kint(j, "last_ns", r->last_ns);
    money(j, "equity_start", r->equity_start);
    money(j, "equity_end", r->equity_end);
    money(j, "net", run_net(r));
    money(j, "gross", run_gross(r));
    money(j, "fees", r->fees);
    money(j, "funding", r->funding);
    money(j, "rounding", r->rounding);
    money(j, "paper", run_paper(r));
    money(j, "spread", r->spread);
    money(j, "slippage", r->slippage);
    money(j, "turnover", r->turnover);
    money(j, "max_drawdown", r->max_drawdown);
    char text[DECIMAL_TEXT_MAX];
    instrument_qty_text(&r->inst, (qty_t){r->position_end}, text);
    json_kstr(j, "position_end", text);
    instrument_qty_text(&r->inst, (qty_t){r->position_max}, text);
    json_kstr(j, "position_max", text);
    *text = 0;
    if (r->mid2_end > 0)
        decimal_text(
            (int128)r->mid2_end * r->inst.px_mant * 5, (uint8_t)(r->inst.px_exp + 1), true, text);
    json_kstr(j, "mid_end", text);
    count(j, "events", r->events);
    count(j, "buckets", r->buckets);
    count(j, "predictions", r->predictions);
    json_kint(j, "clock_offset_ns", r->clock_offset_ns);
    json_kdouble(j, "clock_drift_ppm", r->clock_drift_ppm);
    json_kint(j, "clock_range_ns", r->clock_range_ns);
    count(j, "wire_rejects", r->wire_rejects);
    count(j, "wire_lost", r->wire_lost);
    count(j, "orders", r->orders);
    count(j, "cancels", r->cancels);
    count(j, "rejects", r->rejects);
    count(j, "fills", r->fills);
    count(j, "maker_fills", r->maker_fills);
    count(j, "taker_fills", r->fills - r->maker_fills);
    fills_json(r, j);
    margin_json(r, j);
    if (r->parts > 0) {
        money(j, "revaluation", r->revaluation);
        count(j, "positions_open", r->positions_open);
    }
    json_kdouble(j, "sharpe", r->sharpe);
    json_kdouble(j, "sortino", r->sortino);
    json_kdouble(j, "calmar", r->calmar);
    json_kdouble(j, "hit_rate", r->hit_rate);
    json_kdouble(j, "payoff", r->payoff);
    json_kdouble(j, "t_stat", r->t_stat);
    json_kdouble(j, "psr", r->psr);
    json_kdouble(j, "dsr", r->dsr);
    count(j, "trials", r->trials);
    if (r->parts == 0) return;
    json_key(j, "instruments");
    json_array(j);
    for (size_t i = 0; i < r->parts; i++) {
        json_object(j);
        run_result_json(&r->part[i], j);
        json_key(j, "stages");
        run_stages_json(&r->part[i], j);
        json_object_end(j);
    }
    json_array_end(j);
}

void run_stages_json(const struct run_result *r, struct json_out *j) {
    json_object(j);
    for (int s = 0; s < STAGE_COUNT; s++) {
        json_key(j, run_stage_name[s]);
        json_hash(j, r->stage[s]);
    }
    json_object_end(j);
}
