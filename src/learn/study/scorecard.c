#include "learn/study/scorecard.h"

#include <math.h>

#include "base/check.h"
#include "learn/study/stats.h"

static const struct score_row score_rows[] = {
    {"project", "annual return more than 2 x buy-and-hold", SCORE_RETURN_RATIO, 2, INFINITY},
    {"project", "Sharpe ratio above 2", SCORE_SHARPE, 2, INFINITY},
    {"project", "drawdown below 30 % of buy-and-hold's", SCORE_DRAWDOWN_RATIO, 0, 0.3},
    {"project", "drawdown below 15 %", SCORE_DRAWDOWN, 0, 0.15},
    {"project", "daily win rate above 55 %", SCORE_DAILY_WINS, 0.55, 1},
    {"project", "monthly win rate above 70 %", SCORE_MONTHLY_WINS, 0.7, 1},
    {"project", "payoff above 1.5", SCORE_PAYOFF, 1.5, INFINITY},
    {"project", "system latency below 50 ms", SCORE_LATENCY_MS, 0, 50},
    {"phase 2", "Brier score below 0.15", SCORE_BRIER, 0, 0.15},
    {"phase 2", "win probability within 5 points", SCORE_PROBABILITY_ERROR, 0, 0.05},
    {"phase 2", "cost forecast within 2 bps", SCORE_COST_ERROR_BPS, 0, 2},
    {"phase 2", "at least 500 recorded signals", SCORE_SIGNALS, 500, INFINITY},
    {"phase 2", "gate precision above 70 %", SCORE_GATE_PRECISION, 0.7, 1},
    {"phase 2", "uptime above 99 %", SCORE_UPTIME, 0.99, 1},
    {"phase 3", "4 h direction right above 60 %", SCORE_DIRECTION_4H, 0.6, 1},
    {"phase 3", "learned weights add 3 points of win rate", SCORE_WEIGHTS_GAIN, 0.03, 1},
    {"phase 3", "regime accuracy above 70 %", SCORE_REGIME_ACCURACY, 0.7, 1},
    {"phase 3", "Sharpe ratio above 2", SCORE_SHARPE, 2, INFINITY},
    {"phase 3", "above 50 % a year", SCORE_ANNUAL_RETURN, 0.5, INFINITY},
    {"phase 3", "drawdown below 15 %", SCORE_DRAWDOWN, 0, 0.15},
    {"stage A", "IC at least 0.03", SCORE_IC, 0.03, INFINITY},
    {"stage A", "IC_IR at least 0.8", SCORE_IC_IR, 0.8, INFINITY},
    {"stage A", "Sharpe after cost at least 0.5", SCORE_SHARPE, 0.5, INFINITY},
    {"stage B", "IC at least 0.05", SCORE_IC, 0.05, INFINITY},
    {"stage B", "IC_IR at least 0.8", SCORE_IC_IR, 0.8, INFINITY},
    {"stage B", "Sharpe after cost at least 0.8", SCORE_SHARPE, 0.8, INFINITY},
    {"stage C", "IC at least 0.07", SCORE_IC, 0.07, INFINITY},
    {"stage C", "IC_IR at least 1.0", SCORE_IC_IR, 1, INFINITY},
    {"stage C", "Sharpe after cost at least 1.0", SCORE_SHARPE, 1, INFINITY},
    {"stage D", "IC at least 0.08", SCORE_IC, 0.08, INFINITY},
    {"stage D", "IC_IR at least 1.0", SCORE_IC_IR, 1, INFINITY},
    {"stage D", "Sharpe after cost at least 1.2", SCORE_SHARPE, 1.2, INFINITY},
    {"stages", "p of IC below 0.01", SCORE_IC_P, 0, 0.01},
    {"stages", "cross-week IC correlation above 0.5", SCORE_IC_WEEKS, 0.5, 1},
    {"stages", "PSI below 0.15", SCORE_PSI, 0, 0.15},
    {"stages", "monthly drawdown below 15 %", SCORE_MONTHLY_DRAWDOWN, 0, 0.15},
    {"stages", "Brier score below 0.20", SCORE_BRIER, 0, 0.2},
    {"stages", "ECE below 0.10", SCORE_ECE, 0, 0.1},
    {"stages", "explained coverage above 60 %", SCORE_COVERAGE, 0.6, 1},
    {"stages", "end to end at most 50 ms", SCORE_LATENCY_MS, 0, 50},
    {"stages", "missing features below 5 %", SCORE_MISSING, 0, 0.05},
    {"go-live", "adoption score above 0.15", SCORE_GO_LIVE, 0.15, INFINITY},
    {"volume clock", "median bucket 25 to 35 s", SCORE_BUCKET_P50_S, 25, 35},
    {"volume clock", "90 % of buckets below 60 s", SCORE_BUCKET_P90_S, 0, 60},
    {"trend labels", "fewer than 5 flips in 100 buckets", SCORE_TREND_FLIPS, 0, 5},
    {"trend labels", "mean dwell at least 10 buckets", SCORE_TREND_DWELL, 10, INFINITY},
};

size_t scorecard_rows(const struct score_row **rows) {
    *rows = score_rows;
    return sizeof score_rows / sizeof score_rows[0];
}

void scorecard_init(struct scorecard *s) {
    for (int m = 0; m < SCORE_MEASURES; m++) s->value[m] = s->lo[m] = s->hi[m] = NAN;
}

void scorecard_set(struct scorecard *s, enum score_measure m, double value, double lo, double hi) {
    CHECK(m < SCORE_MEASURES);
    s->value[m] = value;
    s->lo[m] = lo;
    s->hi[m] = hi;
}

static void from_metric(
    struct scorecard *s, enum score_measure to, const struct study_metric *from) {
    scorecard_set(s, to, from->value, from->lo, from->hi);
}

void scorecard_study(struct scorecard *s, const struct study_result *r) {
    double worst = NAN;
    from_metric(s, SCORE_IC, &r->metric[METRIC_IC]);
    from_metric(s, SCORE_IC_IR, &r->metric[METRIC_IC_IR]);
    from_metric(s, SCORE_BRIER, &r->metric[METRIC_BRIER]);
    from_metric(s, SCORE_ECE, &r->metric[METRIC_ECE]);
    scorecard_set(s, SCORE_IC_P, r->metric[METRIC_IC].p, NAN, NAN);
    for (size_t b = 0; b < r->bins; b++) {
        double miss = fabs(r->bin[b].forecast - r->bin[b].observed);
        worst = isnan(worst) || miss > worst ? miss : worst;
    }
    scorecard_set(s, SCORE_PROBABILITY_ERROR, worst, NAN, NAN);
    scorecard_set(s, SCORE_SIGNALS, (double)r->predictions, NAN, NAN);
    double missing = 0, values = (double)r->predictions * (double)r->columns;
    for (size_t i = 0; i < r->predictions; i++) missing += r->prediction[i].missing;
    scorecard_set(s, SCORE_MISSING, values > 0 ? missing / values : NAN, NAN, NAN);
}

void scorecard_returns(
    struct scorecard *s, const struct return_metrics *r, const struct return_metrics *hold) {
    scorecard_set(s, SCORE_SHARPE, r->sharpe, r->sharpe_lo, r->sharpe_hi);
    scorecard_set(s, SCORE_ANNUAL_RETURN, r->annual_return, NAN, NAN);
    scorecard_set(s, SCORE_DRAWDOWN, r->max_drawdown, NAN, NAN);
    scorecard_set(s, SCORE_PAYOFF, r->payoff, NAN, NAN);
    if (!hold) return;
    /* A ratio to a loss says nothing: buy-and-hold must have gained. */
    if (hold->annual_return > 0) {
        scorecard_set(s, SCORE_RETURN_RATIO, r->annual_return / hold->annual_return, NAN, NAN);
    }
    if (hold->max_drawdown > 0) {
        scorecard_set(s, SCORE_DRAWDOWN_RATIO, r->max_drawdown / hold->max_drawdown, NAN, NAN);
    }
}

void scorecard_calendar(struct scorecard *s, const struct calendar_metrics *c) {
    double lo, hi;
    stats_wilson(c->daily_wins * (double)c->days, (double)c->days, &lo, &hi);
    scorecard_set(s, SCORE_DAILY_WINS, c->daily_wins, lo, hi);
    stats_wilson(c->monthly_wins * (double)c->months, (double)c->months, &lo, &hi);
    scorecard_set(s, SCORE_MONTHLY_WINS, c->monthly_wins, lo, hi);
    scorecard_set(s, SCORE_MONTHLY_DRAWDOWN, c->monthly_drawdown, NAN, NAN);
}

const char *scorecard_verdict(const struct scorecard *s, const struct score_row *row) {
    double v = s->value[row->measure];
    if (!isfinite(v)) return "not measurable";
    return v >= row->least && v <= row->most ? "met" : "not met";
}

void scorecard_json(const struct scorecard *s, struct json_out *j) {
    const struct score_row *rows;
    size_t n = scorecard_rows(&rows);
    json_array(j);
    for (size_t i = 0; i < n; i++) {
        json_object(j);
        json_kstr(j, "source", rows[i].source);
        json_kstr(j, "target", rows[i].target);
        json_kdouble(j, "value", s->value[rows[i].measure]);
        json_kdouble(j, "lo", s->lo[rows[i].measure]);
        json_kdouble(j, "hi", s->hi[rows[i].measure]);
        json_kstr(j, "verdict", scorecard_verdict(s, &rows[i]));
        json_object_end(j);
    }
    json_array_end(j);
}
