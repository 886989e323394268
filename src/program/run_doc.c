#include "program/run_doc.h"
#include "program/venue_config.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/decimal.h"

void run_table_row(struct run_table *t, const char *const *cell) {
    if (t->rows == RUN_TABLE_ROWS_MAX) {
        snprintf(
            t->note, sizeof t->note, "Only the first %d rows are shown.", RUN_TABLE_ROWS_MAX - 1);
        return;
    }
    for (size_t i = 0; i < t->cells && i < RUN_CELLS_MAX; i++) {
        snprintf(t->cell[t->rows][i], RUN_CELL_MAX, "%s", cell[i]);
    }
    t->rows++;
}

static double asset(int128 e12) { return (double)e12 / 1e12; }

static double span_s(const struct run_result *r) {
    return (double)(r->last_ns - r->first_ns) / 1e9;
}

static void span_text(double s, char *out, size_t n) {
    if (s < 7200) {
        snprintf(out, n, "%.1f minutes", s / 60);
    } else if (s < 172800) {
        snprintf(out, n, "%.1f hours", s / 3600);
    } else {
        snprintf(out, n, "%.1f days", s / 86400);
    }
}

__attribute__((format(printf, 2, 3))) static void say(struct json_out *j, const char *fmt, ...) {
    char t[640];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t, sizeof t, fmt, ap);
    va_end(ap);
    json_str(j, t);
}

static void headline_study(const struct run_doc *d, char *out, size_t cap) {
    const struct study_metric *ic = &d->study->metric[METRIC_IC];
    bool clear = ic->lo > 0 || ic->hi < 0;
    snprintf(out, cap,
        "Out of sample the forecast's IC is %+.4f (95 %% band %+.4f to %+.4f, %zu rows): %s. ",
        ic->value, ic->lo, ic->hi, d->study->scored,
        clear ? "clear of zero" : "not distinguishable from zero");
}

/* Nothing was filled: because nothing was sent, or because nothing met the orders. */
static void headline_idle(const struct run_doc *d, char *out, size_t cap) {
    const struct run_result *r = d->result;
    const struct run_count *most = NULL;
    for (size_t i = 0; i < r->reasons; i++) {
        if (!most || r->reason[i].count > most->count) most = &r->reason[i];
    }
    if (r->orders > 0) {
        snprintf(out, cap, "The strategy traded nothing: none of its %llu orders was filled.",
            (unsigned long long)r->orders);
    } else if (most) {
        snprintf(out, cap,
            "The strategy traded nothing: no order was sent; most often stopped by %s (%llu "
            "times).",
            most->name, (unsigned long long)most->count);
    } else if (!r->bars && d->book.snapshots == 0) {
        snprintf(out, cap,
            "The strategy traded nothing: the data hold no depth snapshot, so there never was a "
            "book.");
    } else {
        snprintf(out, cap, "The strategy traded nothing: it wished for no position.");
    }
}

static bool free_of_fees(const struct run_doc *d) {
    return config_list(d->cfg, "fees.tiers") == 0 && d->result->fee_maker.e16 == 0 &&
           d->result->fee_taker.e16 == 0;
}

static void rate_text(rate_t rate, char out[DECIMAL_TEXT_MAX]) {
    decimal_text(rate.e16, 16, true, out);
}

static void headline_money(const struct run_doc *d, char *out, size_t cap) {
    const struct run_result *r = d->result;
    double net = asset(run_net(r)), gross = asset(run_gross(r));
    if (r->fills == 0) {
        headline_idle(d, out, cap);
        return;
    }
    const char *verdict = net <= 0           ? "Nothing is left after costs."
                          : !(r->psr > 0.95) ? "That is not distinguishable from luck."
                                             : "That passes this test; it says nothing about costs "
                                               "and fills that were not modelled.";
    snprintf(out, cap,
        "%s the %s strategy %s %.4g %s with %llu fills; at the prices it traded, "
        "before fees and "
        "funding, it %s %.4g. %s",
        free_of_fees(d) ? "With fees turned off" : "After all costs",
        config_string(d->cfg, "strategy.kind"), net < 0 ? "lost" : "made", fabs(net),
        r->inst.settle, (unsigned long long)r->fills, gross < 0 ? "lost" : "made", fabs(gross),
        verdict);
}

void run_doc_headline(const struct run_doc *d, char *out, size_t cap) {
    char a[256] = "", b[640] = "";
    if (d->study) headline_study(d, a, sizeof a);
    if (d->has_strategy) headline_money(d, b, sizeof b);
    if (!d->study && !d->has_strategy) {
        snprintf(b, sizeof b, "Replay only: no model was trained and nothing was traded.");
    }
    snprintf(out, cap, "%s%s", a, b);
}

static void warn_data(const struct run_doc *d, struct json_out *j) {
    const struct run_result *r = d->result;
    char span[64];
    span_text(span_s(r), span, sizeof span);
    if (span_s(r) < 86400) {
        say(j,
            "Only %s of data: a sample of one market mood. No figure here says anything about "
            "another day.",
            span);
    } else if (span_s(r) < 60 * 86400.0) {
        say(j, "%s of data is short: one regime, few independent observations.", span);
    }
    if (d->book.gaps > 0) {
        say(j, "The book broke %llu times; spans without a trustworthy book were not traded.",
            (unsigned long long)d->book.gaps);
    }
    if (d->book.ticker_checked > d->book.ticker_equal) {
        say(j,
            "The rebuilt book differs from the venue's own best quote in %llu of %llu comparisons.",
            (unsigned long long)(d->book.ticker_checked - d->book.ticker_equal),
            (unsigned long long)d->book.ticker_checked);
    }
    if (d->rejected_rows > 0) {
        say(j,
            "%llu input rows were set aside or marked by the quality rules (see the data section).",
            (unsigned long long)d->rejected_rows);
    }
    if (r->clock_offset_ns < 0) {
        say(j,
            "The recorder's clock was at least %.3f s behind the venue's: local stamps were "
            "shifted by this before latencies "
            "were applied.",
            (double)-r->clock_offset_ns / 1e9);
    }
    if (r->clock_range_ns > 0) {
        say(j,
            "The recorder's clock drifted by %.3f ppm against the venue's; the offset was followed "
            "window by window (sim.clock_window_s), %.3f ms from least to largest.",
            r->clock_drift_ppm, (double)r->clock_range_ns / 1e6);
    }
    if (r->wire_rejects + r->wire_lost > 0) {
        say(j, "On the way to the venue %llu requests were refused and %llu lost, as configured.",
            (unsigned long long)r->wire_rejects, (unsigned long long)r->wire_lost);
    }
}

static void warn_money(const struct run_doc *d, struct json_out *j) {
    const struct run_result *r = d->result;
    const struct config *c = d->cfg;
    if (!d->has_strategy) return;
    if (r->fills > 0 && r->fills < 100)
        say(j, "%llu fills are too few to judge a strategy.", (unsigned long long)r->fills);
    if (r->position_end != 0 || r->positions_open > 0)
        say(j, "The run ends with an open position, marked at mid: closing it would cost more.");
    if (d->model_to_ns > 0 && d->model_from_ns <= r->last_ns && d->model_to_ns >= r->first_ns) {
        say(j,
            "The saved model was trained on rows of the span that this run replays: what it shows "
            "there is in-sample and proves nothing. Use fathom run (walk-forward), or later data.");
    }
    if (!config_bool(c, "funding.on")) say(j, "Funding was turned off by funding.on.");
    if (strcmp(config_string(c, "sim.rules"), "anchor") == 0) {
        say(j, "Rule set anchor: fills are kinder than a venue's on purpose, for comparison only.");
    }
    if (r->fee_maker.e16 < 0 || r->fee_taker.e16 == 0) {
        char maker[DECIMAL_TEXT_MAX], taker[DECIMAL_TEXT_MAX];
        rate_text(r->fee_maker, maker);
        rate_text(r->fee_taker, taker);
        say(j, "Fee rates below the regular tier were asked for (maker %s, taker %s).", maker,
            taker);
    }
    if (!config_bool(c, "margin.on")) {
        say(j, "Margin was turned off by margin.on: no position was ever liquidated.");
    }
    if (r->margin.liquidations > 0) {
        say(j, "The venue liquidated the account %llu times.",
            (unsigned long long)r->margin.liquidations);
    }
    if (r->margin.funding_told > 0) {
        say(j,
            "The data hold no settled funding: %llu settlements took the last rate told before "
            "their instant.",
            (unsigned long long)r->margin.funding_told);
    }
    if (r->trials > 1) {
        say(j,
            "This is run number %llu in the trial ledger; the best of many tries looks good by "
            "chance. The deflated Sharpe "
            "ratio counts them.",
            (unsigned long long)r->trials);
    }
    if (r->ignored_reorder > 0) {
        say(j,
            "%llu events were older than the reorder window and reached the simulated exchange "
            "late.",
            (unsigned long long)r->ignored_reorder);
    }
}

static bool word_is(const struct config *c, const char *key, const char *word) {
    return strcmp(config_string(c, key), word) == 0;
}

/* What the latency of orders was, as part of a sentence. */
static void latency_text(const struct config *c, char *out, size_t n) {
    if (word_is(c, "sim.latency.model", "constant")) {
        snprintf(out, n, "a constant %g ms out and %g ms back", config_double(c, "sim.entry_ms"),
            config_double(c, "sim.response_ms"));
    } else {
        snprintf(out, n, "%s by %s",
            word_is(c, "sim.latency.model", "recorded") ? "interpolated" : "drawn",
            config_string(c, "sim.latency.file"));
    }
}

/* What the simulated exchange believed; only what holds for the settings of this run. */
static void limits_of_sim(const struct config *c, struct json_out *j) {
    char latency[160];
    bool impact =
        !word_is(c, "sim.impact.shape", "none") || config_double(c, "sim.impact.half_life_s") > 0;
    say(j, impact ? "Own orders move prices by a formula (sim.impact.*): no other trader reacts to "
                    "them."
                  : "Own orders move nothing here: no other trader reacts to them. Small "
                    "quantities only.");
    latency_text(c, latency, sizeof latency);
    say(j, "Latency is %s; a real one has a tail exactly when it hurts.", latency);
    if (word_is(c, "sim.queue", "fifo")) {
        say(j,
            "Own orders queue among the recorded ones; what these would have done beside ours is "
            "not known.");
    } else {
        say(j, "The queue position is an estimate from level totals: the recording does not show "
               "single orders.");
    }
}

static void limits_of_venue(const struct run_doc *d, struct json_out *j) {
    const struct config *c = d->cfg;
    bool outages = config_list(c, "sim.outages") > 0 || config_double(c, "sim.outage_every_s") > 0;
    bool bans = !d->result->bars && word_is(c, "sim.rules", "strict") &&
                config_bool(c, "sim.request_limits");
    say(j, "No %s%sliquidation of others or change of rules is part of this replay%s.",
        outages ? "" : "outage, ", bans ? "" : "rate-limit ban, ",
        outages ? "; outages are those that were configured" : "");
    size_t behind = venue_outages_behind(c, d->result->last_ns - d->result->first_ns);
    if (behind > 0)
        say(j,
            "Of the %zu spans of sim.outages %zu begin behind the end of the data: without effect.",
            config_list(c, "sim.outages"), behind);
}

static void limits(const struct run_doc *d, struct json_out *j) {
    json_key(j, "limits");
    json_array(j);
    if (d->result->bars) {
        say(j,
            "Bars hide the book: spread, queue and the path inside a bar are unknown. Orders fill "
            "at the next bar's open, worse by "
            "%.3g bps and then rounded against us to a whole tick, which weighs more where the "
            "tick "
            "is coarse; what a real order would have met is not in these data.",
            config_double(d->cfg, "sim.bar_slippage_bps"));
    } else if (d->has_strategy) {
        limits_of_sim(d->cfg, j);
    }
    if (d->study) {
        say(j, "An out-of-sample figure is honest once. Each further look at the same test rows, "
               "each changed parameter, makes it a little "
               "less so.");
    }
    if (d->truths > 0) {
        say(j, "The market is generated: it has the effect that was planted and few of the ways in "
               "which real markets are "
               "unkind. It shows that the machinery finds what is there, not that something is "
               "there.");
    }
    limits_of_venue(d, j);
    json_array_end(j);
}

static void card(struct json_out *j, const char *label, const char *note, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void card(struct json_out *j, const char *label, const char *note, const char *fmt, ...) {
    char t[128];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t, sizeof t, fmt, ap);
    va_end(ap);
    json_object(j);
    json_kstr(j, "label", label);
    json_kstr(j, "value", t);
    json_kstr(j, "note", note);
    json_object_end(j);
}

static void figure(
    struct json_out *j, const char *label, const char *note, double v, const char *unit) {
    if (isfinite(v)) {
        card(j, label, note, "%.4g%s", v, unit);
    } else {
        card(j, label, note, "not measurable");
    }
}

static void bucket_card(const struct run_doc *d, struct json_out *j) {
    const char *clock = config_string(d->cfg, "bucket.reference");
    char note[256];
    snprintf(note, sizeof note, "%s%s%s", config_string(d->cfg, "bucket.spec"),
        *clock ? " of " : "", clock);
    card(j, "Buckets", note, "%llu", (unsigned long long)d->result->buckets);
}

static void peer_card(const struct run_doc *d, struct json_out *j) {
    size_t n = config_list(d->cfg, "data.peers"), len = 0;
    char note[256] = "";
    for (size_t i = 0; i < n && len < sizeof note; i++) {
        int k = snprintf(note + len, sizeof note - len, "%s%s", i ? ", " : "",
            config_item(d->cfg, "data.peers", i));
        len += k > 0 ? (size_t)k : 0;
    }
    if (n > 0) card(j, "Peers", note, "%zu", n);
}

static void summary(const struct run_doc *d, struct json_out *j) {
    const struct run_result *r = d->result;
    char span[64];
    span_text(span_s(r), span, sizeof span);
    json_key(j, "summary");
    json_array(j);
    card(j, "Data", r->inst.symbol, "%s", span);
    card(j, "Events", "each hashed", "%llu", (unsigned long long)r->events);
    bucket_card(d, j);
    peer_card(d, j);
    if (d->study) {
        figure(j, "IC", "out of sample", d->study->metric[METRIC_IC].value, "");
        figure(j, "AUC", "0.5 = no skill", d->study->metric[METRIC_AUC].value, "");
    }
    if (d->has_strategy) {
        card(j, "Net profit", "after fees and funding", "%+.4g %s", asset(run_net(r)),
            r->inst.settle);
        card(j, "Before fees, funding", "at real prices", "%+.4g %s", asset(run_gross(r)),
            r->inst.settle);
        card(j, "Fees", "paid", "%.4g %s", asset(r->fees), r->inst.settle);
        card(j, "Fills", "maker / all", "%llu / %llu", (unsigned long long)r->maker_fills,
            (unsigned long long)r->fills);
        card(j, "Largest drawdown", "after costs", "%.4g %s", asset(r->max_drawdown),
            r->inst.settle);
        figure(j, "t of profit", "mean / error of it per period", r->t_stat, "");
        figure(j, "Sharpe", "annual; from 5 days on", r->sharpe, "");
        figure(j, "Deflated Sharpe", "probability of skill, trials counted", r->dsr, "");
        figure(j, "Buy and hold", "same largest position", r->hold_net, "");
    }
    json_array_end(j);
}

static void series(
    struct json_out *j, const char *key, const struct sampler *s, enum run_column column) {
    json_key(j, key);
    json_array(j);
    for (size_t i = 0; i < s->points; i++) json_double(j, s->row[i][column]);
    json_array_end(j);
}

static void money(const struct run_doc *d, struct json_out *j) {
    const struct run_result *r = d->result;
    json_kstr(j, "settle", r->inst.settle);
    json_key(j, "equity");
    json_object(j);
    series(j, "ts_s", r->equity, RUN_TS_S);
    series(j, "net", r->equity, RUN_NET);
    series(j, "gross", r->equity, RUN_GROSS);
    series(j, "hold", r->equity, RUN_HOLD);
    series(j, "drawdown", r->equity, RUN_DRAWDOWN);
    json_object_end(j);
    json_key(j, "cost");
    json_object(j);
    json_kdouble(j, "paper", asset(run_paper(r)));
    json_kdouble(j, "spread", asset(r->spread));
    json_kdouble(j, "slippage", asset(r->slippage));
    json_kdouble(j, "gross", asset(run_gross(r)));
    json_kdouble(j, "fee", asset(r->fees + r->rounding));
    json_kdouble(j, "funding", asset(r->funding));
    json_kdouble(j, "net", asset(run_net(r)));
    json_kstr(j, "note",
        r->bars ? "Paper: fills at the close that led to the decision. Spread and slippage: what "
                  "the next bar's open, one rounding to a "
                  "tick and the slippage rate took. Fees and funding as configured."
                : "Paper: fills at the mid of the decision. Slippage: move of mid from the "
                  "decision to the fill's report. Spread: distance of "
                  "the fill from mid when its report arrives, so a passive fill that the market "
                  "runs over shows a loss here.");
    json_object_end(j);
}

static void fill_row(const struct run_fill_row *f, struct json_out *j) {
    json_object(j);
    json_kstr(j, "time", f->time);
    json_kstr(j, "side", f->side);
    json_kstr(j, "px", f->px);
    json_kstr(j, "qty", f->qty);
    json_kstr(j, "kind", f->kind);
    json_kstr(j, "fee", f->fee);
    json_kstr(j, "queue_start", f->queue_start);
    json_kstr(j, "queue_fill", f->queue_fill);
    json_kstr(j, "wait_ms", f->wait_ms);
    json_object_end(j);
}

static void fills(const struct run_doc *d, struct json_out *j) {
    const struct run_result *r = d->result;
    char note[600], latency[160], fees[2 * DECIMAL_TEXT_MAX + 32];
    char maker[DECIMAL_TEXT_MAX], taker[DECIMAL_TEXT_MAX];
    rate_text(r->fee_maker, maker);
    rate_text(r->fee_taker, taker);
    snprintf(fees, sizeof fees, "maker fee %s, taker fee %s", maker, taker);
    if (config_list(d->cfg, "fees.tiers") > 0) snprintf(fees, sizeof fees, "fees by fees.tiers");
    if (r->bars) {
        snprintf(note, sizeof note,
            "Bars: orders take at the next open; resting ones fill only where a bar traded through "
            "them, %s. Every fill is in fills.csv, every order in orders.csv.",
            fees);
    } else {
        latency_text(d->cfg, latency, sizeof latency);
        snprintf(note, sizeof note,
            "Rules %s, queue model %s, latency %s, %s. Every fill is in fills.csv, every order in "
            "orders.csv.",
            config_string(d->cfg, "sim.rules"), config_string(d->cfg, "sim.queue"), latency, fees);
    }
    json_key(j, "fills");
    json_object(j);
    json_kstr(j, "note", note);
    json_key(j, "cards");
    json_array(j);
    card(j, "Orders", "sent", "%llu", (unsigned long long)r->orders);
    card(j, "Cancels", "confirmed", "%llu", (unsigned long long)r->cancels);
    card(j, "Rejected or expired", "by the venue", "%llu", (unsigned long long)r->rejects);
    card(j, "Maker fills", "", "%llu", (unsigned long long)r->maker_fills);
    card(j, "Taker fills", "", "%llu", (unsigned long long)(r->fills - r->maker_fills));
    card(j, "Turnover", "traded value, settlement asset", "%.2f", asset(r->turnover));
    json_array_end(j);
    if (r->maker_fills > 0) {
        json_key(j, "wait_histogram");
        json_object(j);
        json_kstr(j, "x_label", "s");
        json_kdouble(j, "x0", 0);
        json_kdouble(j, "width", r->wait_width_s);
        json_key(j, "count");
        json_array(j);
        for (int i = 0; i < RUN_WAIT_BINS; i++) json_double(j, r->wait[i]);
        json_array_end(j);
        json_object_end(j);
    }
    run_marks_json(r, j);
    json_key(j, "rows");
    json_array(j);
    for (size_t i = 0; i < r->fill_rows; i++) fill_row(&r->fill_row[i], j);
    json_array_end(j);
    json_object_end(j);
}

static void decisions(const struct run_doc *d, struct json_out *j) {
    json_key(j, "decisions");
    json_array(j);
    for (size_t i = 0; i < d->result->reasons; i++) {
        json_object(j);
        json_kstr(j, "reason", d->result->reason[i].name);
        json_key(j, "count");
        json_uint(j, d->result->reason[i].count);
        json_object_end(j);
    }
    json_array_end(j);
}

static void truth(const struct run_doc *d, struct json_out *j) {
    json_key(j, "truth");
    json_object(j);
    json_kstr(j, "note", d->truth_note);
    json_key(j, "rows");
    json_array(j);
    for (size_t i = 0; i < d->truths; i++) {
        json_object(j);
        json_kstr(j, "what", d->truth[i].what);
        json_kstr(j, "planted", d->truth[i].planted);
        json_kstr(j, "found", d->truth[i].found);
        json_kstr(j, "note", d->truth[i].note);
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
}

static void data(const struct run_doc *d, struct json_out *j) {
    json_key(j, "data");
    json_object(j);
    json_kstr(j, "note",
        "What came in, what was set aside and why. A backtest is as honest as this section.");
    json_key(j, "series");
    json_array(j);
    json_object(j);
    json_kstr(j, "name", "Mid price at the bucket's close");
    json_kstr(j, "unit", d->result->inst.quote);
    json_kstr(j, "note",
        d->result->bars ? "Close of the bars."
                        : "From the rebuilt book; holes are spans without a trustworthy book.");
    series(j, "ts_s", d->result->equity, RUN_TS_S);
    series(j, "value", d->result->equity, RUN_MID);
    json_object_end(j);
    json_array_end(j);
    json_key(j, "tables");
    json_array(j);
    for (size_t t = 0; t < d->tables; t++) {
        const struct run_table *table = d->table[t];
        json_object(j);
        json_kstr(j, "title", table->title);
        json_kstr(j, "note", table->note);
        json_key(j, "rows");
        json_array(j);
        for (size_t i = 0; i < table->rows; i++) {
            json_array(j);
            for (size_t k = 0; k < table->cells; k++) json_str(j, table->cell[i][k]);
            json_array_end(j);
        }
        json_array_end(j);
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
}

static void subtitle(const struct run_doc *d, struct json_out *j) {
    const struct run_result *r = d->result;
    char from[40], to[40], t[320];
    time_t a = (time_t)(r->first_ns / NS_PER_S), b = (time_t)(r->last_ns / NS_PER_S);
    struct tm tm;
    strftime(from, sizeof from, "%Y-%m-%d %H:%M:%S", gmtime_r(&a, &tm));
    strftime(to, sizeof to, "%Y-%m-%d %H:%M:%S", gmtime_r(&b, &tm));
    snprintf(t, sizeof t, "%s, %s, %s to %s UTC, seed %lld", r->inst.symbol,
        venue_name(r->inst.venue), from, to, (long long)config_int(d->cfg, "seed"));
    json_kstr(j, "subtitle", t);
}

void run_doc_json(const struct run_doc *d, struct json_out *j) {
    char head[1024];
    json_object(j);
    json_kstr(j, "format", "fathom-report-1");
    json_kstr(j, "name", config_string(d->cfg, "name"));
    subtitle(d, j);
    run_doc_headline(d, head, sizeof head);
    json_kstr(j, "headline", head);
    json_key(j, "warnings");
    json_array(j);
    warn_data(d, j);
    warn_money(d, j);
    json_array_end(j);
    limits(d, j);
    summary(d, j);
    if (d->truths > 0) truth(d, j);
    if (d->has_strategy) {
        money(d, j);
        fills(d, j);
        decisions(d, j);
    }
    if (d->study) {
        json_key(j, "study");
        study_json(d->study, j);
    }
    json_key(j, "scorecard");
    scorecard_json(&d->result->score, j);
    data(d, j);
    json_key(j, "stages");
    run_stages_json(d->result, j);
    char *yaml = config_yaml(d->cfg);
    if (yaml) json_kstr(j, "config", yaml);
    free(yaml);
    json_kstr(j, "how",
        "fathom verify RUN --twice replays the tape in two processes with the stored configuration "
        "and models and compares "
        "every hash below.");
    json_object_end(j);
}
