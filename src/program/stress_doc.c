/* stress_doc.c: result.json and report.json of a stress. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "program/stress.h"

enum { BINS = 30 };

__attribute__((format(printf, 2, 3))) static void say(struct json_out *j, const char *fmt, ...) {
    char t[640];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t, sizeof t, fmt, ap);
    va_end(ap);
    json_str(j, t);
}

static double net_of(const struct sweep_row *r) { return (double)r->net / 1e12; }

/* Worlds that are not the one as configured, by net profit, best first. */
struct drawn {
    size_t n, profitable;
    double median, low, best, worst;
};

static struct drawn drawn_of(const struct stress *s) {
    const struct sweep *w = &s->worlds;
    struct drawn d = {.median = NAN, .low = NAN, .best = NAN, .worst = NAN};
    size_t seen = 0;
    for (size_t i = 0; i < w->finished; i++) d.n += w->order[i] != 0;
    for (size_t i = 0; i < w->finished; i++) {
        double net = net_of(&w->row[w->order[i]]);
        if (w->order[i] == 0) continue;
        if (seen == 0) d.best = net;
        if (seen == d.n / 2) d.median = net;
        if (seen == d.n - 1 - d.n / 20) d.low = net;
        d.worst = net;
        d.profitable += net > 0;
        seen++;
    }
    return d;
}

void stress_headline(const struct stress *s, char *out, size_t cap) {
    struct drawn d = drawn_of(s);
    double base = net_of(&s->worlds.row[0]);
    snprintf(out, cap,
        "%zu of %zu perturbed worlds (%.0f %%) end with a profit. As configured the strategy %s "
        "%.4g "
        "%s; the median world ends at %+.4g, one in twenty at %+.4g or worse.",
        d.profitable, d.n, d.n > 0 ? 100.0 * (double)d.profitable / (double)d.n : 0,
        base < 0 ? "lost" : "made", fabs(base), s->worlds.inst.settle, d.median, d.low);
}

/* ---- result.json ---- */

static void row_json(const struct sweep_row *r, struct json_out *j) {
    json_key(j, "net");
    json_money(j, r->net);
    json_key(j, "fees");
    json_money(j, r->fees);
    json_kint(j, "fills", (int64_t)r->fills);
    json_kint(j, "orders", (int64_t)r->orders);
    json_kint(j, "rejects", (int64_t)r->rejects);
    json_kstr(j, "failed", r->failed);
}

static void histories_json(const struct stress_histories *h, struct json_out *j) {
    json_key(j, "histories");
    json_object(j);
    json_kstr(j, "blocks_of", h->days ? "days" : "spans");
    json_kdouble(j, "block_s", h->block_s);
    json_kint(j, "blocks", (int64_t)h->blocks);
    json_kint(j, "repeats", (int64_t)h->repeats);
    json_kdouble(j, "profitable", h->profitable);
    json_kdouble(j, "net_5", h->low);
    json_kdouble(j, "net_50", h->median);
    json_kdouble(j, "net_95", h->high);
    json_object_end(j);
}

static void extremes_json(const struct stress *s, struct json_out *j) {
    json_key(j, "extremes");
    json_array(j);
    for (size_t i = 0; i < s->extremes; i++) {
        const struct stress_extreme *x = &s->extreme[i];
        json_object(j);
        json_kstr(j, "by", x->what);
        json_kint(j, "from_ns", x->from_ns);
        json_kint(j, "to_ns", x->to_ns);
        json_kdouble(j, "move_bps", x->move_bps);
        json_kint(j, "messages", (int64_t)x->messages);
        row_json(&x->row, j);
        json_object_end(j);
    }
    json_array_end(j);
    json_key(j, "holes");
    json_array(j);
    for (int k = 0; k < 2 && s->hole[k].what; k++) {
        json_object(j);
        json_kstr(j, "what", s->hole[k].what);
        json_kint(j, "holes", (int64_t)s->hole[k].holes);
        json_kint(j, "restored", (int64_t)s->hole[k].restored);
        row_json(&s->hole[k].row, j);
        json_object_end(j);
    }
    json_array_end(j);
}

void stress_result_json(const struct stress *s, struct json_out *j) {
    const struct sweep *w = &s->worlds;
    struct drawn d = drawn_of(s);
    json_kstr(j, "symbol", w->inst.symbol);
    json_kstr(j, "settle", w->inst.settle);
    json_kstr(j, "mode", w->bars ? "bars" : "tick");
    json_kint(j, "seed", (int64_t)w->spec.seed);
    json_key(j, "base");
    json_object(j);
    row_json(&w->row[0], j);
    json_key(j, "ledger_hash");
    json_hash(j, w->row[0].ledger_hash);
    json_object_end(j);
    json_kint(j, "worlds", (int64_t)d.n);
    json_kint(j, "worlds_profitable", (int64_t)d.profitable);
    json_kint(j, "worlds_failed", (int64_t)(w->spec.sets - w->finished));
    json_kdouble(j, "worlds_net_median", d.median);
    json_kdouble(j, "worlds_net_5", d.low);
    json_kdouble(j, "worlds_net_best", d.best);
    json_kdouble(j, "worlds_net_worst", d.worst);
    histories_json(&s->histories, j);
    extremes_json(s, j);
    json_key(j, "surface");
    json_array(j);
    for (size_t i = 0; i < s->surface.spec.sets; i++) {
        json_object(j);
        json_kdouble(j, w->bars ? "slippage_bps" : "latency_factor", s->latency[i / STRESS_FEES]);
        json_kdouble(j, "fee_bps", s->fee_bps[i % STRESS_FEES]);
        row_json(&s->surface.row[i], j);
        json_object_end(j);
    }
    json_array_end(j);
}

/* ---- report.json ---- */

static void numbers(const char *key, const double *v, size_t n, struct json_out *j) {
    json_key(j, key);
    json_array(j);
    for (size_t i = 0; i < n; i++) json_double(j, v[i]);
    json_array_end(j);
}

static void worlds(const struct stress *s, const struct drawn *d, struct json_out *j) {
    const struct sweep *w = &s->worlds;
    double count[BINS] = {0}, lo = fmin(d->worst, 0), hi = fmax(d->best, 0);
    lo = fmin(lo, net_of(&w->row[0]));
    hi = fmax(hi, net_of(&w->row[0]));
    double width = hi > lo ? (hi - lo) / (BINS - 1) : 1;
    for (size_t i = 0; i < w->finished; i++) {
        if (w->order[i] == 0) continue;
        size_t at = (size_t)((net_of(&w->row[w->order[i]]) - lo) / width);
        count[at < BINS ? at : BINS - 1]++;
    }
    json_key(j, "worlds");
    json_object(j);
    json_kdouble(j, "x0", lo);
    json_kdouble(j, "width", width);
    numbers("count", count, BINS, j);
    json_kdouble(j, "base", net_of(&w->row[0]));
    json_kdouble(j, "median", d->median);
    json_object_end(j);
}

static void histories(const struct stress *s, struct json_out *j) {
    const struct stress_histories *h = &s->histories;
    if (h->repeats == 0) return;
    json_key(j, "histories");
    json_object(j);
    json_kdouble(j, "x0", h->x0);
    json_kdouble(j, "width", h->width);
    numbers("count", h->bin, sizeof h->bin / sizeof *h->bin, j);
    json_kdouble(j, "low", h->low);
    json_kdouble(j, "high", h->high);
    json_kdouble(j, "base", net_of(&s->worlds.row[0]));
    char note[400];
    if (h->days) {
        snprintf(note, sizeof note,
            "%zu days drawn with replacement, %zu times: %.0f %% of the histories end with a "
            "profit.",
            h->blocks, h->repeats, h->profitable * 100);
    } else {
        snprintf(note, sizeof note,
            "The data are shorter than %d days, so spans of %.1f s on average were drawn instead "
            "of "
            "days (%zu of them a history, %zu histories): %.0f %% end with a profit. Such "
            "histories "
            "only reshuffle these data; they know no others.",
            STRESS_DAYS_LEAST, h->block_s, h->blocks, h->repeats, h->profitable * 100);
    }
    json_kstr(j, "note", note);
    json_object_end(j);
}

static void surface(const struct stress *s, struct json_out *j) {
    bool bars = s->worlds.bars;
    json_key(j, "surface");
    json_object(j);
    json_kstr(j, "x_label", bars ? "slippage, bps" : "latency, times the configured");
    json_kstr(j, "y_label", "fees dearer by, bps");
    json_key(j, "x");
    json_array(j);
    for (int a = 0; a < STRESS_LATENCIES; a++) say(j, bars ? "%.2f" : "x %.2f", s->latency[a]);
    json_array_end(j);
    json_key(j, "y");
    json_array(j);
    for (int b = 0; b < STRESS_FEES; b++) say(j, "%.2f", s->fee_bps[b]);
    json_array_end(j);
    json_key(j, "value");
    json_array(j);
    for (int b = 0; b < STRESS_FEES; b++) {
        for (int a = 0; a < STRESS_LATENCIES; a++) {
            const struct sweep_row *r = &s->surface.row[a * STRESS_FEES + b];
            json_double(j, *r->failed ? NAN : net_of(r));
        }
    }
    json_array_end(j);
    json_object_end(j);
}

static void time_cell(int64_t ns, struct json_out *j) {
    time_t t = (time_t)(ns / NS_PER_S);
    struct tm tm;
    char text[40];
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime_r(&t, &tm));
    json_str(j, text);
}

static void row_cells(const struct sweep_row *r, struct json_out *j) {
    if (*r->failed) {
        json_str(j, "-");
    } else {
        say(j, "%+.4f", net_of(r));
    }
    say(j, "%llu", (unsigned long long)r->orders);
    say(j, "%llu", (unsigned long long)r->fills);
    say(j, "%llu", (unsigned long long)r->rejects);
    json_str(j, *r->failed ? r->failed : "");
}

static void head(const char *const *name, size_t n, struct json_out *j) {
    json_array(j);
    for (size_t i = 0; i < n; i++) json_str(j, name[i]);
    json_array_end(j);
}

static void extremes(const struct stress *s, struct json_out *j) {
    static const char *const name[] = {"chosen by", "from (UTC)", "seconds", "high - low, bps",
        "messages", "net", "orders", "fills", "rejected", ""};
    if (s->extremes == 0) return;
    json_key(j, "extremes");
    json_array(j);
    head(name, sizeof name / sizeof *name, j);
    for (size_t i = 0; i < s->extremes; i++) {
        const struct stress_extreme *x = &s->extreme[i];
        json_array(j);
        json_str(j, x->what);
        time_cell(x->from_ns, j);
        say(j, "%.0f", (double)(x->to_ns - x->from_ns) / 1e9);
        say(j, "%.1f", x->move_bps);
        say(j, "%llu", (unsigned long long)x->messages);
        row_cells(&x->row, j);
        json_array_end(j);
    }
    json_array_end(j);
}

static void holes(const struct stress *s, struct json_out *j) {
    static const char *const name[] = {
        "tape", "holes", "books restored", "net", "orders", "fills", "rejected", ""};
    if (!s->hole[0].what) return;
    json_key(j, "holes");
    json_array(j);
    head(name, sizeof name / sizeof *name, j);
    json_array(j);
    json_str(j, "as recorded");
    json_str(j, "0");
    json_str(j, "0");
    row_cells(&s->worlds.row[0], j);
    json_array_end(j);
    for (int k = 0; k < 2; k++) {
        json_array(j);
        json_str(j, s->hole[k].what);
        say(j, "%zu", s->hole[k].holes);
        say(j, "%zu", s->hole[k].restored);
        row_cells(&s->hole[k].row, j);
        json_array_end(j);
    }
    json_array_end(j);
}

static void warnings(const struct stress *s, const struct drawn *d, struct json_out *j) {
    double span = (double)(s->worlds.row[0].last_ns - s->worlds.row[0].first_ns) / 1e9;
    json_key(j, "warnings");
    json_array(j);
    if (span < 86400)
        say(j,
            "Only %.1f minutes of data: what is called extreme here is the wildest of these "
            "minutes, not of the market.",
            span / 60);
    if (s->worlds.finished < s->worlds.spec.sets)
        say(j, "%zu worlds could not be run to their end; worlds.csv says why.",
            s->worlds.spec.sets - s->worlds.finished);
    if (d->n > 0 && d->profitable * 2 <= d->n)
        say(j, "Most worlds a little worse than the recorded one lose money. A plan that needs its "
               "assumptions to hold exactly is not a plan.");
    json_array_end(j);
}

static void limits(const struct stress *s, struct json_out *j) {
    json_key(j, "limits");
    json_array(j);
    bool strict = strcmp(config_string(s->worlds.cfg, "sim.rules"), "strict") == 0;
    say(j,
        "Worlds differ in %s. The market in them is the recorded one: nobody in it reacts to a "
        "worse world.",
        s->worlds.bars ? "slippage and fees"
        : strict       ? "latency, fees, queue, rejects and outages"
                       : "latency, fees and queue");
    say(j,
        "Resampled histories mend the profit, not the market: a strategy that would have stopped "
        "after a loss goes on in them.");
    if (s->worlds.bars)
        say(j, "Bars hide the book: lost messages and lost connections have no place in them.");
    say(j,
        "Liquidations of others, a venue that stays away for hours, a rule that changes overnight: "
        "not in these data.");
    json_array_end(j);
}

__attribute__((format(printf, 4, 5))) static void card(
    struct json_out *j, const char *label, const char *note, const char *fmt, ...) {
    char t[96];
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

static void summary(const struct stress *s, const struct drawn *d, struct json_out *j) {
    const char *asset = s->worlds.inst.settle;
    json_key(j, "summary");
    json_array(j);
    card(j, "Worlds with a profit", "perturbed", "%zu of %zu", d->profitable, d->n);
    card(j, "As configured", "net profit", "%+.4g %s", net_of(&s->worlds.row[0]), asset);
    card(j, "Median world", "net profit", "%+.4g %s", d->median, asset);
    card(j, "One in twenty", "or worse", "%+.4g %s", d->low, asset);
    card(j, "Worst world", "net profit", "%+.4g %s", d->worst, asset);
    if (s->histories.repeats > 0)
        card(j, "Histories with a profit", s->histories.days ? "days resampled" : "spans resampled",
            "%.0f %%", s->histories.profitable * 100);
    json_array_end(j);
}

void stress_doc_json(const struct stress *s, struct json_out *j) {
    const struct sweep *w = &s->worlds;
    struct drawn d = drawn_of(s);
    char text[1024];
    json_object(j);
    json_kstr(j, "format", "fathom-report-1");
    json_kstr(j, "name", config_string(w->cfg, "name"));
    snprintf(text, sizeof text, "Stress of %s on %s, %s, seed %llu",
        config_string(w->cfg, "strategy.kind"), w->inst.symbol, venue_name(w->inst.venue),
        (unsigned long long)w->spec.seed);
    json_kstr(j, "subtitle", text);
    stress_headline(s, text, sizeof text);
    json_kstr(j, "headline", text);
    json_kstr(j, "settle", w->inst.settle);
    warnings(s, &d, j);
    limits(s, j);
    summary(s, &d, j);
    json_key(j, "stress");
    json_object(j);
    worlds(s, &d, j);
    sweep_marginals_json(w, j);
    surface(s, j);
    histories(s, j);
    extremes(s, j);
    holes(s, j);
    json_object_end(j);
    char *yaml = config_yaml(w->cfg);
    if (yaml) json_kstr(j, "config", yaml);
    free(yaml);
    json_kstr(j, "how",
        "worlds.csv has one row a world with its values and hashes: fathom backtest with the same "
        "values gives the same orders, fills and ledger.");
    json_object_end(j);
}
