#include <math.h>
#include <stdlib.h>

#include "learn/study/returns.h"
#include "learn/study/stats.h"
#include "program/run.h"

enum { LEAST_PERIODS = 30 };
#define YEAR_S (365.25 * 86400.0)
#define SHARPE_SPAN_S (5 * 86400.0) /* an annual figure from less is a joke */

/* Profit of each period as a share of the deposit. */
static void measure(struct run_result *r, double deposit, uint64_t seed) {
    if (r->periods < LEAST_PERIODS || deposit <= 0) return;
    double sd = stats_sd(r->pnl, r->periods);
    if (sd > 0) r->t_stat = stats_mean(r->pnl, r->periods) / sd * sqrt((double)r->periods);
    double *share = malloc(r->periods * sizeof *share);
    if (!share) return; /* the figures stay "not measurable" */
    for (size_t i = 0; i < r->periods; i++) share[i] = r->pnl[i] / deposit;
    struct return_metrics m = returns_measure(share, r->periods, YEAR_S / r->period_s, 0, seed);
    r->psr = m.psr;
    r->hit_rate = m.hit_rate;
    r->payoff = m.payoff;
    if ((double)r->periods * r->period_s >= SHARPE_SPAN_S) {
        r->sharpe = m.sharpe;
        r->sortino = m.sortino;
        r->calmar = m.calmar;
    }
    r->dsr = m.psr; /* one trial */
    free(share);
}

err_t run_figures(struct run *run, struct err_info *e) {
    (void)e;
    run->result.trials = 1;
    measure(&run->result, (double)run->result.equity_start / 1e12,
        (uint64_t)config_int(run->cfg, "seed"));
    return ERR_OK;
}
