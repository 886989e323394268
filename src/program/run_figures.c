#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/study/returns.h"
#include "learn/study/stats.h"
#include "learn/study/trials.h"
#include "program/plan.h"
#include "program/run.h"

enum { LEAST_PERIODS = 30 };
#define YEAR_S (365.25 * 86400.0)
#define SHARPE_SPAN_S (5 * 86400.0) /* an annual figure from less is a joke */

/* Profit of each period as a share of the deposit. */
static double *shares(const double *pnl, size_t n, double deposit) {
    double *share = malloc((n + 1) * sizeof *share);
    for (size_t i = 0; share && i < n; i++) share[i] = pnl[i] / deposit;
    return share;
}

static err_t measure(struct run_result *r, double deposit, const struct config *cfg,
    struct return_metrics *m, struct err_info *e) {
    if (r->periods < LEAST_PERIODS || deposit <= 0) return ERR_OK;
    double sd = stats_sd(r->pnl, r->periods);
    if (!(sd > 0)) return ERR_OK;
    r->t_stat = stats_mean(r->pnl, r->periods) / sd * sqrt((double)r->periods);
    double *share = shares(r->pnl, r->periods, deposit),
           *hold = shares(r->hold, r->periods, deposit);
    if (!share || !hold) {
        free(share);
        free(hold);
        return err_set(e, ERR_RESOURCE, "out of memory for %zu periods", r->periods);
    }
    size_t repeats = (size_t)config_int(cfg, "study.bootstrap");
    uint64_t seed = (uint64_t)config_int(cfg, "seed");
    *m = returns_measure(share, r->periods, YEAR_S / r->period_s, repeats, seed);
    r->psr = m->psr;
    r->hit_rate = m->hit_rate;
    r->payoff = m->payoff;
    if ((double)r->periods * r->period_s >= SHARPE_SPAN_S) {
        struct return_metrics h = returns_measure(hold, r->periods, YEAR_S / r->period_s, 0, seed);
        r->sharpe = m->sharpe;
        r->sortino = m->sortino;
        r->calmar = m->calmar;
        struct calendar_metrics c =
            returns_calendar(share, r->periods, r->first_ns, (int64_t)(r->period_s * 1e9));
        scorecard_returns(&r->score, m, &h);
        scorecard_calendar(&r->score, &c);
    }
    free(share);
    free(hold);
    return ERR_OK;
}

void run_trials_path(const struct run *run, char *out, size_t cap) {
    const char *set = config_string(run->cfg, "study.trials");
    const char *slash = strrchr(run->output, '/');
    if (*set) {
        snprintf(out, cap, "%s", set);
    } else {
        snprintf(
            out, cap, "%.*strials.jsonl", slash ? (int)(slash - run->output + 1) : 0, run->output);
    }
}

err_t run_figures(struct run *run, struct err_info *e) {
    struct run_result *r = &run->result;
    struct return_metrics m = {.sharpe_period = NAN};
    char path[FILE_PATH_MAX + 16];
    err_t code = measure(r, (double)r->equity_start / 1e12, run->cfg, &m, e);
    if (run->study.done) scorecard_study(&r->score, &run->study.result);
    run_trials_path(run, path, sizeof path);
    struct trial t = {.name = config_string(run->cfg, "name"),
        .config_hash = plan_hash(run->cfg),
        .data_hash = r->tape_hash,
        .sharpe_period = m.sharpe_period,
        .periods = r->periods};
    struct trial_counts counts;
    if (!code) code = trials_append(path, &t, &counts, e);
    if (code) return code;
    r->trials = counts.runs;
    r->dsr = counts.runs > 1 && counts.variance > 0
                 ? dsr(m.sharpe_period, (double)m.n, m.skew, m.kurtosis, (double)counts.runs,
                       counts.variance)
                 : m.psr;
    if (r->periods < LEAST_PERIODS) r->dsr = NAN;
    return ERR_OK;
}
