#include "program/account.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/decimal.h"
#include "base/hash.h"
#include "program/plan.h"

/* ---- prices of assets ---- */

static const struct engine *engine_of(const struct account *a, size_t i) {
    return a->lane[i].seat[a->k].engine;
}

/* The last price of an asset in the currency; the mark, else the mid of our view. */
static void price(struct account *a, struct account_asset *s) {
    if (s->pricer < 0) {
        s->px_num = s->px_den = 1;
        return;
    }
    const struct instrument *in = &a->lane[s->pricer].inst;
    int64_t mark = engine_mark_e10(engine_of(a, (size_t)s->pricer));
    price_t bid, ask;
    if (mark > 0) {
        s->px_num = mark;
        s->px_den = AUX_ONE;
    } else if (engine_quote(engine_of(a, (size_t)s->pricer), &bid, &ask)) {
        s->px_num = (int128)(bid.ticks + ask.ticks) * in->px_mant;
        s->px_den = (int128)2 * decimal_pow10[in->px_exp];
    }
}

/* In the currency, rounded down. */
static int128 convert(const struct account_asset *s, int128 e12) {
    int128 num, q;
    CHECK(s->px_den > 0);
    CHECK(!__builtin_mul_overflow(e12, s->px_num, &num));
    q = num / s->px_den;
    return q - (num % s->px_den != 0 && num < 0);
}

/* ---- what it is worth ---- */

struct worth {
    int128 equity, start, fees, funding, rounding, insured;
};

static bool worth_now(struct account *a, struct worth *w) {
    int128 profit[ACCOUNT_ASSETS_MAX] = {0}, fees[ACCOUNT_ASSETS_MAX] = {0},
           funding[ACCOUNT_ASSETS_MAX] = {0}, rounding[ACCOUNT_ASSETS_MAX] = {0},
           insured[ACCOUNT_ASSETS_MAX] = {0};
    for (size_t i = 0; i < a->lanes; i++) {
        const struct engine *e = engine_of(a, i);
        const struct ledger *l = engine_ledger(e);
        money_t equity;
        if (!engine_equity(e, &equity)) return false;
        size_t k = a->asset_of[i];
        profit[k] += equity.e12;
        fees[k] += ledger_fees_all(l).e12;
        insured[k] += l->insurance.e12;
        funding[k] += l->funding.e12;
        rounding[k] += l->rounding.e12;
    }
    *w = (struct worth){0};
    for (size_t k = 0; k < a->assets; k++) {
        struct account_asset *s = &a->asset[k];
        price(a, s);
        if (s->px_den == 0) return false;
        if (!s->started) s->start_e12 = convert(s, s->deposit.e12);
        s->started = true;
        w->equity += convert(s, s->deposit.e12 + profit[k]);
        w->start += s->start_e12;
        w->fees += convert(s, fees[k]);
        w->funding += convert(s, funding[k]);
        w->rounding += convert(s, rounding[k]);
        w->insured += convert(s, insured[k]);
    }
    return true;
}

/* Profit that is only a new price of the deposits. */
static int128 revaluation(const struct account *a) {
    int128 sum = 0;
    for (size_t k = 0; k < a->assets; k++) {
        const struct account_asset *s = &a->asset[k];
        if (s->started) sum += convert(s, s->deposit.e12) - s->start_e12;
    }
    return sum;
}

static bool account_equity(void *ctx, money_t *out) {
    struct worth w;
    if (!worth_now(ctx, &w)) return false;
    out->e12 = w.equity;
    return true;
}

static double hold_now(const struct account *a) {
    double sum = 0;
    for (size_t i = 0; i < a->lanes; i++) {
        const struct run_result *r = a->lane[i].seat[a->k].r;
        const struct account_asset *s = &a->asset[a->asset_of[i]];
        if (isfinite(r->hold_net)) sum += r->hold_net * ((double)s->px_num / (double)s->px_den);
    }
    return sum;
}

/* A row of equity.csv: the account at this bucket's end. */
static bool account_money(void *ctx, struct sinks_money *out) {
    struct account *a = ctx;
    struct worth w;
    if (!worth_now(a, &w)) return false;
    *out = (struct sinks_money){.net = w.equity - w.start, .fees = w.fees, .funding = w.funding};
    out->gross = out->net - revaluation(a) + w.fees + w.funding + w.rounding - w.insured;
    return true;
}

static bool account_bucket(void *ctx, int64_t ts_ns, struct sinks_money *out) {
    struct account *a = ctx;
    if (!account_money(a, out)) return false;
    sinks_curve_add(&a->curve, ts_ns, out->net, out->gross, hold_now(a), NAN);
    return true;
}

/* Margin at the venue as it is now: the cross pool of the instrument's asset. */
static bool account_use(
    void *ctx, const struct sinks *s, int64_t ts_ns, int128 *balance, int128 *upkeep) {
    struct account *a = ctx;
    size_t i = 0;
    while (i + 1 < a->lanes && &a->lane[i].seat[a->k].sinks != s) i++;
    if (!a->lane[i].seat[a->k].rules.margin.on) return false;
    struct clearing_use u = clearing_use(a->clearing, a->asset_of[i]);
    struct run_result *r = a->set->out;
    double share = u.upkeep == 0 ? 0 : u.balance > 0 ? (double)u.upkeep / (double)u.balance : NAN;
    double row[SAMPLER_COLUMNS] = {
        (double)ts_ns / 1e9, (double)u.balance / 1e12, (double)u.upkeep / 1e12, share};
    if (a->asset_of[i] == a->asset_of[0]) sampler_add(r->use, row); /* one pool, one unit */
    if (share > r->margin.use_max) {
        r->margin.use_max = share;
        r->margin.use_max_ns = ts_ns;
    }
    *balance = u.balance;
    *upkeep = u.upkeep;
    return true;
}

/* ---- opening ---- */

static err_t text_money(const char *text, money_t *out) {
    struct decimal d;
    if (!decimal_parse(text, strlen(text), false, &d) || d.exp > 12) return ERR_USAGE;
    return __builtin_mul_overflow((int128)d.mant, (int128)decimal_pow10[12 - d.exp], &out->e12)
               ? ERR_USAGE
               : ERR_OK;
}

/* ASSET=AMOUNT of account.deposits; else account.deposit if it is the currency. */
static err_t deposit_of(const struct account *a, struct account_asset *s, struct err_info *e) {
    const struct config *c = a->set->cfg;
    for (size_t i = 0; i < config_list(c, "account.deposits"); i++) {
        const char *item = config_item(c, "account.deposits", i), *eq = strchr(item, '=');
        if (!eq || text_money(eq + 1, &s->deposit) || s->deposit.e12 <= 0) {
            return err_set(e, ERR_USAGE,
                "%s: account.deposits: \"%s\": ASSET=AMOUNT is wanted, with an amount above 0",
                config_where(c, "account.deposits"), item);
        }
        if (strlen(s->name) == (size_t)(eq - item) && !strncmp(s->name, item, (size_t)(eq - item)))
            return ERR_OK;
    }
    if (strcmp(s->name, a->currency) == 0) return plan_deposit(c, &s->deposit, e);
    return err_set(e, ERR_USAGE,
        "an instrument settles in %s, of which the account holds nothing: give account.deposits, "
        "such as %s=1",
        s->name, s->name);
}

static err_t pricer_of(const struct account *a, struct account_asset *s, struct err_info *e) {
    s->pricer = -1;
    if (strcmp(s->name, a->currency) == 0) return ERR_OK;
    for (size_t i = 0; i < a->lanes; i++) {
        const struct instrument *in = &a->lane[i].inst;
        if (strcmp(in->base, s->name) != 0 || strcmp(in->quote, a->currency) != 0) continue;
        s->pricer = (int)i;
        return ERR_OK;
    }
    return err_set(e, ERR_USAGE,
        "no instrument of the run prices %s in %s: add one, or set account.currency", s->name,
        a->currency);
}

/* A deposit in an asset that no instrument settles in would sit there unread: a slip of the pen. */
static err_t deposits_used(const struct account *a, struct err_info *e) {
    const struct config *c = a->set->cfg;
    for (size_t i = 0; i < config_list(c, "account.deposits"); i++) {
        const char *item = config_item(c, "account.deposits", i);
        size_t n = strcspn(item, "="), k = 0;
        while (k < a->assets &&
               (strlen(a->asset[k].name) != n || strncmp(a->asset[k].name, item, n) != 0))
            k++;
        if (k < a->assets) continue;
        return err_set(e, ERR_USAGE,
            "%s: account.deposits: \"%s\": no instrument of the run settles in it (the first "
            "settles in %s)",
            config_where(c, "account.deposits"), item, a->asset[0].name);
    }
    return ERR_OK;
}

static err_t assets_of(struct account *a, struct err_info *e) {
    for (size_t i = 0; i < a->lanes; i++) {
        const char *name = a->lane[i].inst.settle;
        size_t k = 0;
        while (k < a->assets && strcmp(a->asset[k].name, name) != 0) k++;
        a->asset_of[i] = (uint8_t)k;
        if (k < a->assets) continue;
        if (k == ACCOUNT_ASSETS_MAX) {
            return err_set(
                e, ERR_USAGE, "the instruments settle in more than %d assets", ACCOUNT_ASSETS_MAX);
        }
        struct account_asset *s = &a->asset[a->assets++];
        snprintf(s->name, sizeof s->name, "%s", name);
        err_t code = deposit_of(a, s, e);
        if (!code) code = pricer_of(a, s, e);
        if (code) return code;
        clearing_deposit(a->clearing, (uint8_t)k, s->deposit);
    }
    return deposits_used(a, e);
}

/* What the venue's account starts from. */
static err_t venue_of(struct account *a, struct err_info *e) {
    const struct config *c = a->set->cfg;
    money_t before;
    a->clearing = malloc(sizeof *a->clearing);
    if (!a->clearing) return err_set(e, ERR_RESOURCE, "out of memory for the account");
    clearing_init(a->clearing);
    err_t code = plan_money(c, "margin.insurance", &a->clearing->insurance_e12, e);
    if (!code) code = plan_money(c, "fees.volume_30d", &before, e);
    for (int v = 0; !code && v < VENUE_COUNT; v++) a->clearing->account.volume[v].before = before;
    return code;
}

/* The account's curve has a point whenever any of its instruments closes a bucket. */
static int64_t period_of(const struct pipeline *lane, size_t lanes) {
    int64_t first = lane[0].found->first_ns, last = lane[0].found->last_ns;
    for (size_t i = 1; i < lanes; i++) {
        if (lane[i].found->first_ns < first) first = lane[i].found->first_ns;
        if (lane[i].found->last_ns > last) last = lane[i].found->last_ns;
    }
    return pipeline_period(lane[0].periods, last - first, NS_PER_S);
}

err_t account_open(struct account *a, const struct pipeline_set *set, struct pipeline *lane,
    size_t lanes, uint32_t k, struct err_info *e) {
    *a = (struct account){.set = set, .lane = lane, .lanes = lanes, .k = k, .joined = lanes > 1};
    const char *currency = config_string(set->cfg, "account.currency");
    snprintf(a->currency, sizeof a->currency, "%s", *currency ? currency : lane[0].inst.settle);
    a->asset_of = calloc(lanes, 1);
    if (!a->asset_of) return err_set(e, ERR_RESOURCE, "out of memory");
    err_t code = set->folder ? sink_files_open(&a->files, set->folder, e) : ERR_OK;
    if (!code) code = venue_of(a, e);
    if (!code) code = assets_of(a, e);
    if (code || !a->joined) return code;
    sinks_curve_init(&a->curve, set->out, period_of(lane, lanes));
    set->out->part = calloc(lanes, sizeof *set->out->part);
    if (!set->out->part) return err_set(e, ERR_RESOURCE, "out of memory");
    for (size_t i = 0; !code && i < lanes; i++) {
        code = run_result_init(&set->out->part[i], e);
        set->out->parts += !code;
    }
    return code;
}

err_t account_lane(struct account *a, size_t i, struct pipeline_seat *s, struct err_info *e) {
    const struct pipeline *p = &a->lane[i];
    bool strict = p->bars || strcmp(config_string(p->cfg, "sim.rules"), "strict") == 0;
    s->files = a->files;
    s->r = a->joined ? &a->set->out->part[i] : a->set->out;
    s->clearing = a->clearing;
    s->use = account_use;
    s->account_ctx = a;
    err_t code = plan_clearing(s->c, &p->inst, p->found, strict, &s->rules, e);
    s->rules.asset = a->asset_of[i];
    if (code || !a->joined) {
        s->deposit = a->asset[0].deposit;
        return code;
    }
    s->account = account_bucket;
    s->equity = account_equity;
    return ERR_OK;
}

/* ---- ends ---- */

static void add_reasons(struct run_result *to, const struct run_result *from) {
    for (size_t i = 0; i < from->reasons; i++) {
        size_t k = 0;
        while (k < to->reasons && strcmp(to->reason[k].name, from->reason[i].name) != 0) k++;
        if (k == RUN_REASONS_MAX) continue;
        if (k == to->reasons) to->reason[to->reasons++] = (struct run_count){0};
        memcpy(to->reason[k].name, from->reason[i].name, sizeof to->reason[k].name);
        to->reason[k].count += from->reason[i].count;
    }
}

static void add_mean(struct run_mean *to, const struct run_mean *from) {
    to->n += from->n;
    to->sum_e4 += from->sum_e4;
    to->square += from->square;
}

static void add_log(
    const struct account_asset *s, struct run_fills *to, const struct run_fills *from) {
    for (int m = 0; m < 2; m++) {
        to->count[m] += from->count[m];
        to->fee[m] += convert(s, from->fee[m]);
        to->value[m] += convert(s, from->value[m]);
        for (int h = 0; h <= RUN_MARKS; h++) add_mean(&to->mark[m][h], &from->mark[m][h]);
    }
    for (int h = 0; h < RUN_MARKS; h++) to->unmarked[h] += from->unmarked[h];
    for (int b = 0; b < RUN_AHEAD_BINS; b++) add_mean(&to->ahead[b], &from->ahead[b]);
}

/* One instrument's counts and money into the total. */
static void add_part(struct account *a, size_t i, struct run_result *r) {
    const struct run_result *p = &a->set->out->part[i];
    const struct account_asset *s = &a->asset[a->asset_of[i]];
    r->turnover += convert(s, p->turnover);
    r->spread += convert(s, p->spread);
    r->slippage += convert(s, p->slippage);
    r->fills += p->fills;
    r->maker_fills += p->maker_fills;
    r->orders += p->orders;
    r->cancels += p->cancels;
    r->rejects += p->rejects;
    r->buckets += p->buckets;
    r->events += p->events;
    r->predictions += p->predictions;
    r->ignored_reorder += p->ignored_reorder;
    r->positions_open += p->position_end != 0;
    for (int b = 0; b < RUN_WAIT_BINS; b++) r->wait[b] += p->wait[b];
    if (i == 0 || p->first_ns < r->first_ns) r->first_ns = p->first_ns;
    if (i == 0 || p->last_ns > r->last_ns) r->last_ns = p->last_ns;
    if (i == 0 || p->clock_offset_ns < r->clock_offset_ns) r->clock_offset_ns = p->clock_offset_ns;
    for (int k = 0; k < STAGE_COUNT; k++) {
        if (r->stage[k] == 0 && p->stage[k] == 0) continue; /* it did not run */
        r->stage[k] = hash64(r->stage[k], &p->stage[k], sizeof p->stage[k]);
    }
    r->margin.clearance += convert(s, p->margin.clearance);
    for (size_t k = 0; k < p->liquidation_rows && r->liquidation_rows < RUN_LIQUIDATIONS_MAX; k++) {
        r->liquidation[r->liquidation_rows++] = p->liquidation[k];
    }
    add_reasons(r, p);
    add_log(s, &r->log, &p->log);
}

/* The name that stands for all instruments. */
static void name_total(const struct account *a, struct run_result *r) {
    r->inst = a->lane[0].inst;
    r->fee_maker = a->set->out->part[0].fee_maker;
    r->fee_taker = a->set->out->part[0].fee_taker;
    r->bars = a->lane[0].bars;
    snprintf(r->inst.symbol, sizeof r->inst.symbol, "%zu instruments", a->lanes);
    snprintf(r->inst.settle, sizeof r->inst.settle, "%s", a->currency);
    for (size_t i = 1; i < a->lanes; i++) {
        if (a->lane[i].inst.venue != r->inst.venue) r->inst.venue = VENUE_OTHER;
        r->bars = r->bars && a->lane[i].bars;
    }
}

static err_t total(struct account *a, struct err_info *e) {
    struct run_result *r = a->set->out;
    struct worth w;
    name_total(a, r);
    if (!worth_now(a, &w)) {
        return err_set(
            e, ERR_INPUT, "the data end without a price for a position or an asset of the account");
    }
    for (size_t i = 0; i < a->lanes; i++) add_part(a, i, r);
    r->equity_start = w.start;
    r->equity_end = w.equity;
    r->revaluation = revaluation(a);
    r->fees = w.fees;
    r->funding = -w.funding;
    r->rounding = w.rounding;
    r->insured = w.insured;
    sampler_end(r->equity);
    if (a->curve.failed)
        return err_set(e, a->curve.failed, "a figure of the account does not fit its type");
    return ERR_OK;
}

static void count_reason(struct run_result *r, const char *name, uint64_t n) {
    if (n == 0 || r->reasons == RUN_REASONS_MAX) return;
    struct run_count *c = &r->reason[r->reasons++];
    snprintf(c->name, sizeof c->name, "%s", name);
    c->count = n;
}

/* What the venue did with the account. */
static void venue_counts(struct account *a, struct run_result *r) {
    const struct clearing_counters *c = &a->clearing->counters;
    struct run_margin *m = &r->margin;
    m->refused = c->margin_refused;
    m->liquidations = c->liquidations;
    m->fills = c->liquidation_fills;
    m->takeovers = c->takeovers;
    m->canceled = c->orders_canceled;
    m->insured = c->insured;
    m->adl = c->adl;
    m->fundings = c->fundings;
    m->funding_told = c->funding_told;
    m->funding_by_price = c->funding_by_price;
    m->funding_unpriced = c->funding_unpriced;
    m->insurance = c->insurance;
    sampler_end(r->use);
    count_reason(r, "margin: order refused by the venue", c->margin_refused);
    count_reason(r, "margin: liquidations", c->liquidations);
    count_reason(r, "funding: without a mark, at the last price", c->funding_by_price);
    count_reason(r, "funding: without any price, not charged", c->funding_unpriced);
}

err_t account_finish(struct account *a, struct err_info *e) {
    err_t code = a->joined ? total(a, e) : ERR_OK;
    if (!code) venue_counts(a, a->set->out);
    return code ? code : sink_files_close(&a->files, e);
}

void account_close(struct account *a) {
    sink_files_abort(&a->files);
    free(a->asset_of);
    free(a->clearing);
}
