#include "program/pipeline_sinks.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/decimal.h"
#include "program/run_folder.h"

static double asset(int128 e12) { return (double)e12 / 1e12; }

err_t sink_files_open(struct sink_files *f, const char *folder, struct err_info *e) {
    memset(f, 0, sizeof *f);
    err_t code = run_folder_open(folder, "fills.csv", &f->fills, e);
    if (!code) code = run_folder_open(folder, "orders.csv", &f->orders, e);
    if (!code) code = run_folder_open(folder, "equity.csv", &f->equity, e);
    if (!code) code = run_folder_open(folder, "decisions.csv", &f->decisions, e);
    if (code) {
        sink_files_abort(f);
        return code;
    }
    fill_log_head(f->fills);
    fprintf(f->orders, "id,ts_sent_ns,ts_ack_ns,side,type,tif,px,qty,filled,status,why,queue_"
                       "placed,trigger_px,trigger_by,"
                       "reduce_only,symbol\n");
    fprintf(f->decisions,
        "ts_ns,bucket_id,p_up,p_down,edge_bps,cost_bps,before,wanted,gate,refused,symbol\n");
    fprintf(f->equity, "ts_ns,bucket_id,position,mid,net,gross,fees,funding,margin_balance,"
                       "maintenance,symbol\n");
    return ERR_OK;
}

static err_t close_one(FILE **file, const char *name, struct err_info *e) {
    if (!*file) return ERR_OK;
    FILE *f = *file;
    *file = NULL;
    return run_folder_close(f, name, e);
}

err_t sink_files_close(struct sink_files *f, struct err_info *e) {
    err_t code = close_one(&f->fills, "fills.csv", e);
    if (!code) code = close_one(&f->orders, "orders.csv", e);
    if (!code) code = close_one(&f->equity, "equity.csv", e);
    if (!code) code = close_one(&f->decisions, "decisions.csv", e);
    return code;
}

void sink_files_abort(struct sink_files *f) {
    FILE **file[4] = {&f->fills, &f->orders, &f->equity, &f->decisions};
    for (int i = 0; i < 4; i++) {
        if (*file[i]) fclose(*file[i]);
        *file[i] = NULL;
    }
}

void sinks_curve_init(struct sinks_curve *c, struct run_result *r, int64_t period_ns) {
    *c = (struct sinks_curve){.r = r, .period_ns = period_ns};
    r->period_s = (double)period_ns / 1e9;
}

void sinks_init(struct sinks *s, struct run_result *r, const struct sink_files *files,
    int64_t hold_lots, int64_t period_ns) {
    memset(s, 0, sizeof *s);
    anchor_sum_init(&s->anchor, &r->inst);
    s->r = r;
    s->files = *files;
    s->hold_lots = hold_lots;
    s->first_mid = NAN;
    snprintf(s->symbol, sizeof s->symbol, "%s:%s", venue_name(r->inst.venue), r->inst.symbol);
    sinks_curve_init(&s->curve, r, period_ns);
    fill_log_open(&s->log, r, files->fills, s->symbol);
}

void sinks_abort(struct sinks *s) { fill_log_abort(&s->log); }

/* Value of qty at a doubled price: exact halves are kept by doubling, then halving, the value. */
static err_t value_at_mid(const struct instrument *in, price_t mid2, qty_t qty, int128 *out) {
    money_t v;
    bool exact;
    err_t code = ledger_value(in, mid2, qty, &v, &exact);
    *out = in->kind == INSTRUMENT_INVERSE ? v.e12 * 2 : v.e12 / 2;
    return code;
}

/* What the account gains by trading at `at` instead of at `px`, signed by side. */
static int128 gain(const struct instrument *in, int side, int128 at, int128 px) {
    int128 dearer = in->kind == INSTRUMENT_INVERSE ? px - at : at - px;
    return side == SIDE_BUY ? dearer : -dearer;
}

static void costs_of(struct sinks *s, struct fill_row *row) {
    const struct instrument *in = &s->r->inst;
    const struct fill_record *f = &row->f;
    money_t px;
    bool exact;
    int128 sent = 0, now = 0;
    if (ledger_value(in, f->px, f->qty, &px, &exact) != ERR_OK) {
        s->curve.failed = ERR_FULL;
        return;
    }
    row->value = px.e12;
    if (f->fill_mid2.ticks <= 0 || value_at_mid(in, f->fill_mid2, f->qty, &now) != ERR_OK) return;
    row->spread = gain(in, f->side, now, px.e12);
    if (f->mid2.ticks <= 0 || value_at_mid(in, f->mid2, f->qty, &sent) != ERR_OK) return;
    row->slippage = gain(in, f->side, sent, now);
}

static void time_text(int64_t ns, char *out, size_t n) {
    time_t t = (time_t)(ns / NS_PER_S);
    struct tm tm;
    char head[24];
    strftime(head, sizeof head, "%m-%d %H:%M:%S", gmtime_r(&t, &tm));
    snprintf(out, n, "%s.%03d", head, (int)(ns % NS_PER_S / NS_PER_MS));
}

static void first_fill(struct run_result *r, const struct fill_record *f) {
    if (r->fill_rows == RUN_FIRST_FILLS) return;
    struct run_fill_row *row = &r->fill_row[r->fill_rows++];
    time_text(f->ts_venue.ns, row->time, sizeof row->time);
    snprintf(row->side, sizeof row->side, "%s", f->side == SIDE_BUY ? "buy" : "sell");
    snprintf(row->kind, sizeof row->kind, "%s", f->maker ? "maker" : "taker");
    instrument_px_text(&r->inst, f->px, row->px);
    instrument_qty_text(&r->inst, f->qty, row->qty);
    snprintf(row->fee, sizeof row->fee, "%.6g", asset(f->fee.e12));
    snprintf(row->queue_start, sizeof row->queue_start, "-");
    snprintf(row->queue_fill, sizeof row->queue_fill, "-");
    if (f->queue_placed >= 0)
        instrument_qty_text(&r->inst, (qty_t){f->queue_placed}, row->queue_start);
    if (f->queue_before >= 0)
        instrument_qty_text(&r->inst, (qty_t){f->queue_before}, row->queue_fill);
    snprintf(row->wait_ms, sizeof row->wait_ms, "%.1f", (double)f->wait_ns / 1e6);
}

static void liquidation(struct sinks *s, const struct fill_record *f, const char *how) {
    struct run_result *r = s->r;
    if (r->liquidation_rows == RUN_LIQUIDATIONS_MAX) return;
    struct run_liquidation_row *row = &r->liquidation[r->liquidation_rows++];
    time_text(f->ts_venue.ns, row->time, sizeof row->time);
    snprintf(row->symbol, sizeof row->symbol, "%s", s->symbol);
    snprintf(row->side, sizeof row->side, "%s", f->side == SIDE_BUY ? "buy" : "sell");
    snprintf(row->how, sizeof row->how, "%s", strcmp(how, "IOC") == 0 ? "book" : how);
    instrument_px_text(&r->inst, f->px, row->px);
    instrument_qty_text(&r->inst, f->qty, row->qty);
    snprintf(row->fee, sizeof row->fee, "%.6g", asset(f->fee.e12));
}

static void on_fill(struct sinks *s, const struct fill_record *f) {
    struct run_result *r = s->r;
    struct fill_row row = {.f = *f, .order_lots = f->qty.lots, .type = "?", .tif = "?"};
    const struct order *o = blotter_find(engine_blotter(s->engine), f->order_id);
    price_t bid, ask;
    costs_of(s, &row);
    if (o) {
        row.order_lots = o->qty.lots;
        row.type = order_type_name(o->type, o->trigger);
        row.tif = order_tif_name(o->tif);
    }
    if (engine_quote(s->engine, &bid, &ask)) row.book_spread = ask.ticks - bid.ticks;
    int64_t held = f->position < 0 ? -f->position : f->position;
    if (held > r->position_max) r->position_max = held;
    r->spread += row.spread;
    r->slippage += row.slippage;
    if (f->maker) {
        double bin = floor((double)f->wait_ns / 1e9 / r->wait_width_s);
        r->wait[bin < RUN_WAIT_BINS - 1 ? (int)bin : RUN_WAIT_BINS - 1] += 1;
    }
    if (f->tag == TAG_LIQUIDATION) {
        row.type = "liquidation";
        row.tif = f->fee.e12 != 0 ? "IOC" : "takeover";
        liquidation(s, f, row.tif);
    }
    first_fill(r, f);
    struct anchor_fill fill = {f->order_id, f->ts_venue.ns, f->px, f->qty, f->side};
    if (r->anchor.on) anchor_sum_fill(&s->anchor, &fill);
    fill_log_add(&s->log, &row);
}

static void order_row(struct sinks *s, const struct order *o) {
    if (!s->files.orders) return;
    char px[DECIMAL_TEXT_MAX], qty[DECIMAL_TEXT_MAX], filled[DECIMAL_TEXT_MAX];
    char trigger[DECIMAL_TEXT_MAX] = "";
    instrument_px_text(&s->r->inst, o->px, px);
    instrument_qty_text(&s->r->inst, o->qty, qty);
    instrument_qty_text(&s->r->inst, o->filled, filled);
    if (o->trigger_px.ticks > 0) instrument_px_text(&s->r->inst, o->trigger_px, trigger);
    const char *by = o->trigger_by == TRIGGER_BY_MARK ? "mark" : "last";
    fprintf(s->files.orders,
        "%" PRId64 ",%" PRId64 ",%" PRId64 ",%s,%s,%s,%s,%s,%s,%s,%s,%" PRId64 ",%s,%s,%d,%s\n",
        o->id, o->ts_sent.ns, o->ts_ack.ns, o->side == SIDE_BUY ? "buy" : "sell",
        order_type_name(o->type, o->trigger), order_tif_name(o->tif),
        o->type == ORDER_MARKET ? "" : px, qty, filled, order_status_name(o->status),
        report_why_name(o->why), o->queue_at_placement.lots, trigger,
        o->trigger == TRIGGER_NONE ? "" : by, o->reduce_only, s->symbol);
}

static void decision_row(struct sinks *s, const struct decision *d) {
    if (!s->files.decisions) return;
    char before[DECIMAL_TEXT_MAX], wanted[DECIMAL_TEXT_MAX];
    instrument_qty_text(&s->r->inst, (qty_t){d->before}, before);
    instrument_qty_text(&s->r->inst, (qty_t){d->wanted}, wanted);
    fprintf(s->files.decisions, "%" PRId64 ",%" PRId64 ",%.9g,%.9g,%.6g,%.6g,%s,%s,%s,,%s\n",
        d->ts.ns, d->bucket_id, d->p_up, d->p_down, d->edge_bps, d->cost_bps, before, wanted,
        intent_reason_name(d->reason), s->symbol);
}

/* A request that a limit stopped: the reason is risk's. */
static void refused_row(struct sinks *s, const struct engine_record *rec) {
    if (!s->files.decisions) return;
    char qty[DECIMAL_TEXT_MAX];
    instrument_qty_text(&s->r->inst, rec->request->qty, qty);
    fprintf(s->files.decisions, "%" PRId64 ",,,,,,,%s%s,,%s,%s\n", rec->now.ns,
        rec->request->side == SIDE_BUY ? "" : "-", qty, risk_reason_name(rec->why), s->symbol);
}

void sinks_record(void *ctx, const struct engine_record *rec) {
    struct sinks *s = ctx;
    switch (rec->kind) {
    case RECORD_FILL: on_fill(s, rec->fill); break;
    case RECORD_REPORT:
        if (rec->ended) order_row(s, rec->order);
        break;
    case RECORD_DECISION: decision_row(s, rec->decision); break;
    case RECORD_REFUSED: refused_row(s, rec); break;
    default: break; /* requests and funding: in orders.csv and equity.csv */
    }
}

static void equity_row(struct sinks *s, const struct bucket *b, int64_t mid2, int64_t position,
    const struct sinks_money *m) {
    char pos[DECIMAL_TEXT_MAX], a[DECIMAL_TEXT_MAX], g[DECIMAL_TEXT_MAX], f[DECIMAL_TEXT_MAX],
        u[DECIMAL_TEXT_MAX], balance[DECIMAL_TEXT_MAX] = "", upkeep[DECIMAL_TEXT_MAX] = "";
    int128 have, need;
    if (s->use && s->use(s->account_ctx, s, b->close_ts.ns, &have, &need)) {
        decimal_text(have, 12, true, balance);
        decimal_text(need, 12, true, upkeep);
    }
    if (!s->files.equity) return;
    instrument_qty_text(&s->r->inst, (qty_t){position}, pos);
    decimal_text(m->net, 12, true, a);
    decimal_text(m->gross, 12, true, g);
    decimal_text(m->fees, 12, true, f);
    decimal_text(-m->funding, 12, true, u);
    fprintf(s->files.equity, "%" PRId64 ",%" PRId64 ",%s,%.10g,%s,%s,%s,%s,%s,%s,%s\n",
        b->close_ts.ns, b->id, pos, instrument_px(&s->r->inst, (price_t){mid2}) / 2, a, g, f, u,
        balance, upkeep, s->symbol);
}

static void period(struct sinks_curve *c, int64_t now_ns, double net, double hold) {
    int64_t at = now_ns / c->period_ns;
    if (c->period == 0) {
        c->period = at;
        c->period_start = net;
        c->period_hold = hold;
        return;
    }
    struct err_info ignored;
    for (; c->period < at && !c->failed; c->period++) {
        c->failed = run_result_period(c->r, net - c->period_start, hold - c->period_hold, &ignored);
        c->period_start = net;
        c->period_hold = hold;
    }
}

void sinks_curve_add(
    struct sinks_curve *c, int64_t ts_ns, int128 net, int128 gross, double hold, double mid) {
    struct run_result *r = c->r;
    if (!c->priced) {
        c->priced = true;
        c->peak = net;
    }
    if (net > c->peak) c->peak = net;
    if (c->peak - net > r->max_drawdown) r->max_drawdown = c->peak - net;
    if (isfinite(hold)) r->hold_net = hold;
    if (!isfinite(r->hold_net)) r->hold_net = 0;
    double row[SAMPLER_COLUMNS] = {
        (double)ts_ns / 1e9, asset(net), asset(gross), hold, asset(net - c->peak), mid};
    sampler_add(r->equity, row);
    period(c, ts_ns, asset(net), isfinite(hold) ? hold : r->hold_net);
}

/* Profit of holding hold_lots since the first price. */
static double hold_now(struct sinks *s, double mid) {
    const struct instrument *in = &s->r->inst;
    if (isnan(s->first_mid)) s->first_mid = mid;
    double size = instrument_qty(in, (qty_t){s->hold_lots}) * ((double)in->contract_e8 / 1e8);
    return in->kind == INSTRUMENT_INVERSE ? size * (1 / s->first_mid - 1 / mid)
                                          : size * (mid - s->first_mid);
}

void sinks_bucket(struct sinks *s, const struct bucket *b, int64_t mid2) {
    struct run_result *r = s->r;
    r->buckets++;
    money_t equity;
    if (!engine_equity(s->engine, &equity)) return;
    const struct ledger *l = engine_ledger(s->engine);
    struct sinks_money m = {.net = equity.e12 - l->deposits.e12,
        .fees = ledger_fees_all(l).e12,
        .funding = l->funding.e12};
    m.gross = m.net + m.fees + l->rounding.e12 + l->funding.e12 - l->insurance.e12;
    double mid = mid2 > 0 ? instrument_px(&r->inst, (price_t){mid2}) / 2 : NAN;
    sinks_curve_add(&s->curve, b->close_ts.ns, m.net, m.gross, hold_now(s, mid), mid);
    if (!s->account || s->account(s->account_ctx, b->close_ts.ns, &m))
        equity_row(s, b, mid2, l->position, &m);
}

err_t sinks_finish(struct sinks *s, struct err_info *e) {
    struct run_result *r = s->r;
    struct engine *engine = s->engine;
    price_t bid, ask;
    const struct ledger *l = engine_ledger(engine);
    const struct blotter *b = engine_blotter(engine);
    for (uint32_t i = 0; i < b->live_count; i++) order_row(s, &b->live[i]);
    money_t equity = l->cash;
    bool priced = engine_equity(engine, &equity);
    r->equity_start = l->deposits.e12;
    r->equity_end = equity.e12;
    r->fees = ledger_fees_all(l).e12;
    r->insured = l->insurance.e12;
    r->margin.clearance = l->clearance.e12;
    r->funding = -l->funding.e12;
    r->rounding = l->rounding.e12;
    r->turnover = l->turnover.e12;
    r->position_end = l->position;
    if (engine_quote(engine, &bid, &ask)) r->mid2_end = bid.ticks + ask.ticks;
    r->fills = l->fills;
    r->maker_fills = l->maker_fills;
    r->orders = b->counters.sent;
    r->cancels = b->counters.canceled;
    r->rejects = b->counters.rejected + b->counters.expired;
    sampler_end(r->equity);
    if (l->position != 0 && !priced)
        return err_set(
            e, ERR_INPUT, "the data end without a price for the open position of %s", s->symbol);
    if (s->curve.failed)
        return err_set(e, s->curve.failed, "a figure of the run does not fit its type");
    if (!ledger_check(l)) return err_set(e, ERR_BUG, "the ledger does not balance");
    return ERR_OK;
}
