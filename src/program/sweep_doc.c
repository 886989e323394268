/* sweep_doc.c: report.json of a sweep: the figures with every reason not to believe the best one.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "program/sweep.h"

enum { HEAT_MOST = 14, LEVELS_MOST = 24, BINS = 30, TABLE_BEST = 10, TABLE_WORST = 3 };

__attribute__((format(printf, 2, 3))) static void say(struct json_out *j, const char *fmt, ...) {
    char t[640];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t, sizeof t, fmt, ap);
    va_end(ap);
    json_str(j, t);
}

static double net(const struct sweep *s, size_t rank) {
    return (double)s->row[s->order[rank]].net / 1e12;
}

static double span_s(const struct sweep *s) {
    const struct sweep_row *r = &s->row[s->order[0]];
    return (double)(r->last_ns - r->first_ns) / 1e9;
}

static void span_text(double v, char *out, size_t n) {
    if (v < 7200) {
        snprintf(out, n, "%.1f minutes", v / 60);
    } else if (v < 172800) {
        snprintf(out, n, "%.1f hours", v / 3600);
    } else {
        snprintf(out, n, "%.1f days", v / 86400);
    }
}

void sweep_headline(const struct sweep *s, char *out, size_t cap) {
    double best = net(s, 0);
    size_t sets = s->finished;
    const char *asset = s->inst.settle;
    if (best <= 0) {
        snprintf(out, cap,
            "None of %zu sets made money: the best lost %.4g %s after costs. There is nothing to "
            "choose here.",
            sets, -best, asset);
    } else if (!isfinite(s->noise.p)) {
        snprintf(out, cap,
            "The best of %zu sets made %.4g %s, on data too short to say whether that is luck. "
            "Believe nothing of it.",
            sets, best, asset);
    } else if (s->noise.p > 0.05) {
        snprintf(out, cap,
            "The best of %zu sets made %.4g %s. The best of as many sets without any skill is "
            "expected to make %.4g (1 in 20: %.4g or more): this is luck until shown otherwise.",
            sets, best, asset, s->noise.mean, s->noise.high);
    } else {
        snprintf(out, cap,
            "The best of %zu sets made %.4g %s, more than the best of sets without skill makes 19 "
            "times in 20 (%.4g). On these data only: judge it on data that no set has seen.",
            sets, best, asset, s->noise.high);
    }
}

/* ---- verdicts: each row tries to end the belief ---- */

static void verdict(struct json_out *j, const char *question, const char *verdict_word,
    const char *found, const char *needed) {
    json_object(j);
    json_kstr(j, "question", question);
    json_kstr(j, "found", found);
    json_kstr(j, "needed", needed);
    json_kstr(j, "verdict", verdict_word);
    json_object_end(j);
}

static const char *word(double v, bool passes) {
    return !isfinite(v) ? "not measurable" : passes ? "passes" : "fails";
}

static void put(char *out, size_t cap, double v, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void put(char *out, size_t cap, double v, const char *fmt, ...) {
    va_list ap;
    if (!isfinite(v)) {
        snprintf(out, cap, "-");
        return;
    }
    va_start(ap, fmt);
    vsnprintf(out, cap, fmt, ap);
    va_end(ap);
}

static void luck_verdicts(const struct sweep *s, struct json_out *j) {
    const struct overfit_noise *o = &s->noise;
    const struct sweep_row *top = &s->row[s->best_sharpe];
    char found[160], needed[160];
    put(found, sizeof found, o->p, "%.4g %s; p = %.3f", o->best, s->inst.settle, o->p);
    put(needed, sizeof needed, o->p, "more than %.4g; %.4g is what noise gives", o->high, o->mean);
    verdict(j, "Is the best profit more than the best of as many sets without skill?",
        word(o->p, o->p <= 0.05), found, needed);
    put(found, sizeof found, o->p_sharpe, "%.4f per period; p = %.3f", o->best_sharpe, o->p_sharpe);
    put(needed, sizeof needed, o->p_sharpe, "more than %.4f; noise gives %.4f", o->high_sharpe,
        o->mean_sharpe);
    verdict(j, "The same of the best Sharpe ratio?", word(o->p_sharpe, o->p_sharpe <= 0.05), found,
        needed);
    put(found, sizeof found, s->dsr, "%.3f with %llu trials", s->dsr,
        (unsigned long long)s->trials.runs);
    put(needed, sizeof needed, s->hurdle,
        "0.95 or more; Sharpe ratio %.4f against %.4f expected of "
        "luck",
        top->sharpe, s->hurdle);
    verdict(j, "Deflated Sharpe ratio: all runs in the trial ledger counted",
        word(s->dsr, s->dsr >= 0.95), found, needed);
    put(found, sizeof found, s->effective, "%.1f of %zu", s->effective, s->finished);
    verdict(j, "How many of the sets are different bets (effective number of independent trials)?",
        "for information", found,
        "the deflation above takes all of them, which is the stricter way");
}

static void split_verdicts(const struct sweep *s, struct json_out *j) {
    const struct overfit_pbo *p = &s->pbo;
    char found[160], needed[160];
    put(found, sizeof found, p->probability, "%.0f %% of %zu splits of %zu spans",
        p->probability * 100, p->splits, p->spans);
    verdict(j,
        "Probability of backtest overfitting: does the best of one half rank low in the other?",
        word(p->probability, p->probability < 0.1), found,
        "below 10 %; 50 % is no selection at all");
    put(found, sizeof found, p->loss, "%.0f %% of splits", p->loss * 100);
    verdict(j, "How often does the best of one half lose money in the other?",
        word(p->loss, p->loss < 0.25), found, "below 25 %");
    put(found, sizeof found, p->outside, "Sharpe ratio %.4f falls to %.4f", p->inside, p->outside);
    snprintf(needed, sizeof needed, "stays above 0 and keeps half");
    verdict(j, "What is left of the chosen set's Sharpe ratio outside the half it was chosen on?",
        word(p->outside, p->outside > 0 && p->outside > p->inside / 2), found, needed);
}

static void shape_verdicts(const struct sweep *s, struct json_out *j) {
    const struct sweep_row *best = &s->row[s->order[0]];
    char found[160], text[64];
    double first = 0, second = 0;
    for (size_t i = 0; i < best->points; i++) {
        if (i < best->points / 2) {
            first += best->pnl[i];
        } else {
            second += best->pnl[i];
        }
    }
    snprintf(found, sizeof found, "%zu of %zu; median %.4g %s", s->near_profitable, s->near,
        s->near_median, s->inst.settle);
    verdict(j, "Do the best set's nearest neighbours make money too?",
        s->near == 0                            ? "not measurable"
        : s->near_profitable * 4 >= s->near * 3 ? "passes"
                                                : "fails",
        found, "three of four; a lone peak is noise");
    snprintf(found, sizeof found, "%.4g, then %.4g %s", first, second, s->inst.settle);
    verdict(j, "Did the best set earn in both halves of the data?",
        best->points < 2          ? "not measurable"
        : first > 0 && second > 0 ? "passes"
                                  : "fails",
        found, "a profit in each");
    span_text(span_s(s), text, sizeof text);
    verdict(j, "Are there enough data?", span_s(s) >= 60 * 86400.0 ? "passes" : "fails", text,
        "60 days, the least of the walk-forward");
}

static void verdicts(const struct sweep *s, struct json_out *j) {
    char found[96];
    json_key(j, "verdicts");
    json_array(j);
    snprintf(found, sizeof found, "%zu of %zu", s->profitable, s->finished);
    verdict(j, "Do the sets make money at all?",
        s->profitable * 2 > s->finished ? "passes" : "fails", found, "more than half");
    luck_verdicts(s, j);
    split_verdicts(s, j);
    shape_verdicts(s, j);
    json_array_end(j);
}

/* ---- pictures ---- */

static void distribution(const struct sweep *s, struct json_out *j) {
    double hi = net(s, 0), lo = net(s, s->finished - 1), count[BINS] = {0};
    if (isfinite(s->noise.high) && s->noise.high > hi) hi = s->noise.high;
    if (lo > 0) lo = 0;
    double width = hi > lo ? (hi - lo) / (BINS - 1) : 1;
    for (size_t i = 0; i < s->finished; i++) {
        size_t at = (size_t)((net(s, i) - lo) / width);
        count[at < BINS ? at : BINS - 1]++;
    }
    json_key(j, "distribution");
    json_object(j);
    json_kdouble(j, "x0", lo);
    json_kdouble(j, "width", width);
    json_key(j, "count");
    json_array(j);
    for (int i = 0; i < BINS; i++) json_double(j, count[i]);
    json_array_end(j);
    json_kdouble(j, "best", net(s, 0));
    json_kdouble(j, "median", net(s, s->finished / 2));
    json_kdouble(j, "noise", s->noise.mean);
    json_kdouble(j, "noise_high", s->noise.high);
    json_object_end(j);
}

static void labels(const char *key, const struct sweep_levels *l, struct json_out *j) {
    json_key(j, key);
    json_array(j);
    for (size_t i = 0; i < l->n; i++) json_str(j, l->label[i]);
    json_array_end(j);
}

/* The two axes with most levels, mean net profit over all others. */
static void heat(const struct sweep *s, struct json_out *j) {
    size_t pick[2] = {0, 0}, have[2] = {0, 0};
    for (size_t k = 0; k < s->spec.axes; k++) {
        struct sweep_levels l;
        sweep_levels(s, k, SIZE_MAX, &l);
        int at = l.n > have[0] ? 0 : l.n > have[1] ? 1 : -1;
        if (at == 0) {
            pick[1] = pick[0];
            have[1] = have[0];
        }
        if (at >= 0) {
            pick[at] = k;
            have[at] = l.n;
        }
        sweep_levels_free(&l);
    }
    if (have[0] < 2 || have[1] < 2) return;
    struct sweep_levels x, y;
    sweep_levels(s, pick[0], HEAT_MOST, &x);
    sweep_levels(s, pick[1], HEAT_MOST, &y);
    double sum[HEAT_MOST][HEAT_MOST] = {{0}}, n[HEAT_MOST][HEAT_MOST] = {{0}};
    for (size_t i = 0; i < s->finished; i++) {
        size_t set = s->order[i];
        sum[y.of[set]][x.of[set]] += net(s, i);
        n[y.of[set]][x.of[set]]++;
    }
    json_key(j, "heat");
    json_object(j);
    json_kstr(j, "x_label", s->spec.axis[pick[0]].key);
    json_kstr(j, "y_label", s->spec.axis[pick[1]].key);
    labels("x", &x, j);
    labels("y", &y, j);
    json_key(j, "value");
    json_array(j);
    for (size_t a = 0; a < y.n; a++) {
        for (size_t b = 0; b < x.n; b++) json_double(j, n[a][b] > 0 ? sum[a][b] / n[a][b] : NAN);
    }
    json_array_end(j);
    json_object_end(j);
    sweep_levels_free(&x);
    sweep_levels_free(&y);
}

void sweep_marginals_json(const struct sweep *s, struct json_out *j) {
    json_key(j, "marginals");
    json_array(j);
    for (size_t k = 0; k < s->spec.axes; k++) {
        struct sweep_levels l;
        if (s->spec.axis[k].hidden) continue;
        sweep_levels(s, k, LEVELS_MOST, &l);
        json_object(j);
        json_kstr(j, "key", s->spec.axis[k].key);
        labels("labels", &l, j);
        json_key(j, "at");
        json_array(j);
        for (size_t i = 0; i < s->finished; i++) json_int(j, (int64_t)l.of[s->order[i]]);
        json_array_end(j);
        json_object_end(j);
        sweep_levels_free(&l);
    }
    json_array_end(j);
    json_key(j, "net");
    json_array(j);
    for (size_t i = 0; i < s->finished; i++) json_double(j, net(s, i));
    json_array_end(j);
}

static void curve(const struct sweep *s, const char *key, size_t rank, struct json_out *j) {
    const struct sweep_row *r = &s->row[s->order[rank]];
    double sum = 0;
    json_key(j, key);
    json_array(j);
    for (size_t i = 0; i < r->points; i++) json_double(j, sum += r->pnl[i]);
    json_array_end(j);
}

static void curves(const struct sweep *s, struct json_out *j) {
    const struct sweep_row *r = &s->row[s->order[0]];
    double step = (double)r->period_ns / 1e9 * (double)r->block, from = (double)r->first_ns / 1e9;
    json_key(j, "curves");
    json_object(j);
    json_key(j, "ts_s");
    json_array(j);
    for (size_t i = 0; i < r->points; i++) json_double(j, from + step * (double)(i + 1));
    json_array_end(j);
    curve(s, "best", 0, j);
    curve(s, "median", s->finished / 2, j);
    curve(s, "worst", s->finished - 1, j);
    json_object_end(j);
}

static void ranks(const struct sweep *s, struct json_out *j) {
    if (s->pbo.splits == 0) return;
    json_key(j, "ranks");
    json_array(j);
    for (int i = 0; i < OVERFIT_BINS; i++) json_double(j, (double)s->pbo.rank[i]);
    json_array_end(j);
}

static void cell(struct json_out *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void cell(struct json_out *j, const char *fmt, ...) {
    char t[64];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t, sizeof t, fmt, ap);
    va_end(ap);
    json_str(j, t);
}

static void table_row(const struct sweep *s, size_t rank, struct json_out *j) {
    size_t set = s->order[rank];
    const struct sweep_row *r = &s->row[set];
    json_array(j);
    cell(j, "%zu", rank + 1);
    for (size_t k = 0; k < s->spec.axes; k++) json_str(j, sweep_text(&s->spec, set, k));
    cell(j, "%.4f", (double)r->net / 1e12);
    cell(j, "%.4f", (double)r->gross / 1e12);
    cell(j, "%.4f", (double)r->fees / 1e12);
    cell(j, "%llu", (unsigned long long)r->fills);
    cell(j, "%.4f", (double)r->max_drawdown / 1e12);
    cell(j, isfinite(r->sharpe) ? "%.4f" : "-", r->sharpe);
    cell(j, isfinite(r->maker_mark_10s) ? "%.3f" : "-", r->maker_mark_10s);
    json_array_end(j);
}

static void table(const struct sweep *s, struct json_out *j) {
    static const char *const tail[] = {
        "net", "gross", "fees", "fills", "drawdown", "Sharpe a period", "maker mark-out 10 s, bps"};
    json_key(j, "table");
    json_array(j);
    json_array(j);
    json_str(j, "rank");
    for (size_t k = 0; k < s->spec.axes; k++) json_str(j, s->spec.axis[k].key);
    for (size_t i = 0; i < sizeof tail / sizeof *tail; i++) json_str(j, tail[i]);
    json_array_end(j);
    for (size_t i = 0; i < s->finished; i++) {
        bool middle = i == s->finished / 2;
        if (i < TABLE_BEST || middle || i + TABLE_WORST >= s->finished) table_row(s, i, j);
    }
    json_array_end(j);
}

/* ---- words ---- */

static void warnings(const struct sweep *s, struct json_out *j) {
    char span[64];
    json_key(j, "warnings");
    json_array(j);
    say(j,
        "The best of %zu tries looks good by construction. Before you read on: you are about to be "
        "shown the luckiest one.",
        s->finished);
    span_text(span_s(s), span, sizeof span);
    if (span_s(s) < 60 * 86400.0) {
        say(j,
            "All sets saw the same %s. Sets that agree here agree about one stretch of market, "
            "not about the next.",
            span);
    }
    if (s->finished < s->spec.sets) {
        say(j,
            "%zu of %zu sets could not be run to their end; sweep.csv says why. They are left out "
            "of every figure here and counted as trials.",
            s->spec.sets - s->finished, s->spec.sets);
    }
    if (strcmp(config_string(s->cfg, "sim.rules"), "anchor") == 0)
        say(j, "Rule set anchor: fills are kinder than a venue's on purpose, for comparison only.");
    if (s->trials.runs > s->spec.sets) {
        say(j,
            "The trial ledger knows %llu earlier runs. They count: whoever tries a second sweep "
            "after a bad first one has tried both.",
            (unsigned long long)(s->trials.runs - s->spec.sets));
    }
    json_array_end(j);
}

static void limits(const struct sweep *s, struct json_out *j) {
    json_key(j, "limits");
    json_array(j);
    say(j,
        "It cannot show how a set does on data that no set has seen. Keep such data, and look at "
        "them once.");
    say(j, "Every set trades alone: own orders move nothing, and no two sets meet in the book.");
    say(j,
        "The tests for luck know these %zu sets and the trial ledger. They do not know the ideas "
        "that were dropped before.",
        s->spec.sets);
    if (s->bars) say(j, "Bars hide the book: spread, queue and the path inside a bar are unknown.");
    json_array_end(j);
}

static void card(struct json_out *j, const char *label, const char *note, const char *value) {
    json_object(j);
    json_kstr(j, "label", label);
    json_kstr(j, "value", value);
    json_kstr(j, "note", note);
    json_object_end(j);
}

static void summary(const struct sweep *s, struct json_out *j) {
    char t[96];
    json_key(j, "summary");
    json_array(j);
    snprintf(t, sizeof t, "%zu", s->finished);
    card(j, "Sets", config_string(s->cfg, "sweep.method"), t);
    snprintf(t, sizeof t, "%zu", s->profitable);
    card(j, "Sets with a profit", "after all costs", t);
    snprintf(t, sizeof t, "%+.4g %s", net(s, 0), s->inst.settle);
    card(j, "Best", "net profit", t);
    put(t, sizeof t, s->noise.mean, "%+.4g %s", s->noise.mean, s->inst.settle);
    card(j, "Best of pure noise", "expected, as many sets", t);
    snprintf(t, sizeof t, "%+.4g %s", net(s, s->finished / 2), s->inst.settle);
    card(j, "Median", "net profit", t);
    snprintf(t, sizeof t, "%+.4g %s", net(s, s->finished - 1), s->inst.settle);
    card(j, "Worst", "net profit", t);
    put(t, sizeof t, s->pbo.probability, "%.0f %%", s->pbo.probability * 100);
    card(j, "Overfitting", "probability", t);
    put(t, sizeof t, s->dsr, "%.3f", s->dsr);
    card(j, "Deflated Sharpe", "probability of skill", t);
    json_array_end(j);
}

static void subtitle(const struct sweep *s, struct json_out *j) {
    const struct sweep_row *r = &s->row[s->order[0]];
    char from[40], to[40], t[320];
    time_t a = (time_t)(r->first_ns / NS_PER_S), b = (time_t)(r->last_ns / NS_PER_S);
    struct tm tm;
    strftime(from, sizeof from, "%Y-%m-%d %H:%M:%S", gmtime_r(&a, &tm));
    strftime(to, sizeof to, "%Y-%m-%d %H:%M:%S", gmtime_r(&b, &tm));
    snprintf(t, sizeof t, "Sweep of %s on %s, %s, %s to %s UTC, seed %llu",
        config_string(s->cfg, "strategy.kind"), s->inst.symbol, venue_name(s->inst.venue), from, to,
        (unsigned long long)s->spec.seed);
    json_kstr(j, "subtitle", t);
}

void sweep_doc_json(const struct sweep *s, struct json_out *j) {
    char head[1024];
    json_object(j);
    json_kstr(j, "format", "fathom-report-1");
    json_kstr(j, "name", config_string(s->cfg, "name"));
    subtitle(s, j);
    sweep_headline(s, head, sizeof head);
    json_kstr(j, "headline", head);
    json_kstr(j, "settle", s->inst.settle);
    warnings(s, j);
    limits(s, j);
    summary(s, j);
    json_key(j, "sweep");
    json_object(j);
    verdicts(s, j);
    distribution(s, j);
    curves(s, j);
    heat(s, j);
    sweep_marginals_json(s, j);
    ranks(s, j);
    table(s, j);
    json_object_end(j);
    char *yaml = config_yaml(s->cfg);
    if (yaml) json_kstr(j, "config", yaml);
    free(yaml);
    json_kstr(j, "how",
        "Each row of sweep.csv carries the hashes of its orders, fills and ledger: fathom backtest "
        "with the same values (--set KEY=VALUE) gives the same three.");
    json_object_end(j);
}
