/* sweep_judge.c: what the rows of a sweep say together, and how little the best one may mean. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "learn/study/stats.h"
#include "program/sweep.h"

/* ---- levels of an axis ---- */

enum { BINS_MOST = 8 }; /* of an axis with more values than can be shown one by one */

struct value {
    double number;
    const char *text;
    size_t set, level;
};

static int by_number(const void *a, const void *b) {
    const struct value *x = a, *y = b;
    if (x->number < y->number || x->number > y->number) return x->number < y->number ? -1 : 1;
    int c = strcmp(x->text, y->text);
    return c != 0 ? c : (x->set > y->set) - (x->set < y->set);
}

/* Words have no order but that of the list they were given in. */
static double number_of(const struct sweep_axis *a, const char *text) {
    char *end;
    double v = strtod(text, &end);
    if (end != text && !*end) return v;
    for (size_t i = 0; i < a->values; i++) {
        if (strcmp(a->value[i], text) == 0) return (double)i;
    }
    return 0;
}

void sweep_levels(const struct sweep *s, size_t axis, size_t most, struct sweep_levels *out) {
    size_t n = s->spec.sets, distinct = 0;
    struct value *v = mem_alloc((n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++) {
        const char *text = sweep_text(&s->spec, i, axis);
        v[i] = (struct value){number_of(&s->spec.axis[axis], text), text, i, 0};
    }
    qsort(v, n, sizeof *v, by_number);
    for (size_t i = 0; i < n; i++) {
        distinct += i > 0 && strcmp(v[i].text, v[i - 1].text) != 0;
        v[i].level = distinct;
    }
    distinct++;
    out->n = distinct <= most ? distinct : most < BINS_MOST ? most : BINS_MOST;
    out->of = mem_alloc((n + 1) * sizeof *out->of);
    out->label = mem_alloc((out->n + 1) * sizeof *out->label);
    for (size_t i = 0; i < n;) {
        size_t at = v[i].level * out->n / distinct, last = i;
        while (last + 1 < n && v[last + 1].level * out->n / distinct == at) last++;
        if (strcmp(v[i].text, v[last].text) == 0) {
            snprintf(out->label[at], sizeof *out->label, "%s", v[i].text);
        } else {
            snprintf(
                out->label[at], sizeof *out->label, "%.3g to %.3g", v[i].number, v[last].number);
        }
        for (; i <= last; i++) out->of[v[i].set] = at;
    }
    free(v);
}

void sweep_levels_free(struct sweep_levels *l) {
    free(l->of);
    free(l->label);
}

/* ---- the best's neighbours ---- */

struct neighbour {
    double distance;
    size_t set;
};

static int by_distance(const void *a, const void *b) {
    const struct neighbour *x = a, *y = b;
    if (x->distance < y->distance || x->distance > y->distance)
        return x->distance < y->distance ? -1 : 1;
    return (x->set > y->set) - (x->set < y->set);
}

static double net_of(const struct sweep *s, size_t set) { return (double)s->row[set].net / 1e12; }

static void neighbours(struct sweep *s) {
    size_t best = s->order[0], n = 0;
    struct neighbour *near = mem_alloc(s->finished * sizeof *near);
    for (size_t i = 1; i < s->finished; i++) near[n++] = (struct neighbour){0, s->order[i]};
    for (size_t k = 0; k < s->spec.axes; k++) {
        struct sweep_levels l;
        sweep_levels(s, k, SIZE_MAX, &l);
        for (size_t i = 0; i < n; i++) {
            double d = (double)l.of[near[i].set] - (double)l.of[best];
            near[i].distance += fabs(d) / fmax(1, (double)l.n - 1);
        }
        sweep_levels_free(&l);
    }
    if (n > 0) qsort(near, n, sizeof *near, by_distance);
    s->near = n < SWEEP_NEAR_MAX ? n : SWEEP_NEAR_MAX;
    double net[SWEEP_NEAR_MAX];
    for (size_t i = 0; i < s->near; i++) {
        net[i] = net_of(s, near[i].set);
        s->near_profitable += net[i] > 0;
    }
    stats_sort(net, s->near);
    s->near_median = s->near > 0 ? stats_quantile(net, s->near, 0.5) : NAN;
    free(near);
}

/* ---- verdicts ---- */

static int by_net(const void *a, const void *b, void *ctx) {
    const struct sweep *s = ctx;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    int128 p = s->row[x].net, q = s->row[y].net;
    if (p != q) return p > q ? -1 : 1;
    return (x > y) - (x < y);
}

void sweep_rank(struct sweep *s) {
    s->order = mem_alloc((s->spec.sets + 1) * sizeof *s->order);
    s->finished = s->profitable = 0;
    for (size_t i = 0; i < s->spec.sets; i++) {
        if (!s->row[i].done || *s->row[i].failed) continue;
        s->order[s->finished++] = i;
        s->profitable += s->row[i].net > 0;
    }
    qsort_r(s->order, s->finished, sizeof *s->order, by_net, s);
    s->best_sharpe = s->finished > 0 ? s->order[0] : 0;
    for (size_t i = 0; i < s->finished; i++) {
        double v = s->row[s->order[i]].sharpe, top = s->row[s->best_sharpe].sharpe;
        if (isfinite(v) && (!isfinite(top) || v > top)) s->best_sharpe = s->order[i];
    }
}

/* The series side by side; sets whose periods differ in length cannot be compared. */
static void overfit(struct sweep *s) {
    const double **series = mem_alloc(s->finished * sizeof *series);
    struct profit_table t = {series, s->finished, SIZE_MAX};
    for (size_t i = 0; i < s->finished; i++) {
        const struct sweep_row *row = &s->row[s->order[i]], *first = &s->row[s->order[0]];
        series[i] = row->pnl;
        if (row->points < t.periods) t.periods = row->points;
        if (row->block != first->block || row->period_ns != first->period_ns) t.periods = 0;
        if (t.periods == 0) break;
    }
    s->pbo = overfit_pbo(&t, (size_t)config_int(s->cfg, "sweep.spans"));
    s->noise = overfit_noise(
        &t, (size_t)config_int(s->cfg, "study.bootstrap"), (uint64_t)config_int(s->cfg, "seed"));
    s->effective = overfit_effective(&t);
    free(series);
}

/* The ledger counts Sharpe ratios per period of a run of its own: a minute, or a longer bucket. */
static double to_ledger(const struct sweep_row *row) {
    double period = (double)row->period_ns / 1e9;
    return sqrt(fmax(60, period) / period);
}

static err_t count_trials(struct sweep *s, struct err_info *e) {
    struct trial *t = mem_alloc((s->spec.sets + 1) * sizeof *t);
    char path[FILE_PATH_MAX + 16];
    for (size_t i = 0; i < s->spec.sets; i++) {
        const struct sweep_row *row = &s->row[i];
        bool measured = !*row->failed && row->period_ns > 0;
        t[i] = (struct trial){.name = config_string(s->cfg, "name"),
            .config_hash = row->config_hash,
            .data_hash = s->run.result.tape_hash,
            .sharpe_period = measured ? row->sharpe * to_ledger(row) : NAN,
            .periods = row->periods};
    }
    run_trials_path(&s->run, path, sizeof path);
    err_t code = trials_append_all(path, t, s->spec.sets, &s->trials, e);
    free(t);
    return code;
}

static double variance_of_sets(const struct sweep *s, double *n) {
    double *v = mem_alloc((s->finished + 1) * sizeof *v);
    size_t k = 0;
    for (size_t i = 0; i < s->finished; i++) {
        double sharpe = s->row[s->order[i]].sharpe;
        if (isfinite(sharpe)) v[k++] = sharpe;
    }
    double sd = k > 1 ? stats_sd(v, k) : NAN, var = sd * sd * ((double)k - 1) / (double)k;
    free(v);
    *n = (double)k;
    return var;
}

static void deflate(struct sweep *s) {
    const struct sweep_row *best = &s->row[s->best_sharpe];
    double n = 0, var = variance_of_sets(s, &n), scale = to_ledger(best);
    double all = s->trials.variance / (scale * scale);
    s->dsr = s->dsr_sets = s->hurdle = NAN;
    if (best->periods < 30 || !isfinite(best->sharpe)) return;
    double periods = (double)best->periods;
    if (var > 0) s->dsr_sets = dsr(best->sharpe, periods, best->skew, best->kurtosis, n, var);
    if (!(all > 0)) return;
    s->hurdle = expected_max_sharpe((double)s->trials.runs, all);
    s->dsr = dsr(best->sharpe, periods, best->skew, best->kurtosis, (double)s->trials.runs, all);
}

err_t sweep_judge(struct sweep *s, struct err_info *e) {
    sweep_rank(s);
    if (s->finished == 0) {
        return err_set(
            e, ERR_INPUT, "no set could be run to its end; the first one: %s", s->row[0].failed);
    }
    overfit(s);
    neighbours(s);
    err_t code = count_trials(s, e);
    if (!code) deflate(s);
    return code;
}
