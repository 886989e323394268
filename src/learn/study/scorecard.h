/* scorecard.h: every target of the design documents beside what was measured.
 *
 * The targets are claims about a market; nothing is tuned to them. A row whose measure was not
 * filled in is "not measurable".
 *
 * Units      shares as fractions (0.15 = 15 %), times in ms, IC and Sharpe as numbers.
 */
#ifndef FATHOM_LEARN_STUDY_SCORECARD_H
#define FATHOM_LEARN_STUDY_SCORECARD_H

#include "base/json_out.h"
#include "learn/study/returns.h"
#include "learn/study/study.h"

enum score_measure {
    SCORE_RETURN_RATIO,   /* annual return / buy-and-hold's */
    SCORE_SHARPE,         /* annualised, after cost */
    SCORE_DRAWDOWN_RATIO, /* largest drawdown / buy-and-hold's */
    SCORE_DRAWDOWN,
    SCORE_DAILY_WINS,
    SCORE_MONTHLY_WINS,
    SCORE_PAYOFF,
    SCORE_LATENCY_MS, /* event in -> order out, p99 */
    SCORE_BRIER,
    SCORE_PROBABILITY_ERROR, /* |forecast - observed| of the worst calibration bin */
    SCORE_COST_ERROR_BPS,
    SCORE_SIGNALS, /* recorded signals */
    SCORE_GATE_PRECISION,
    SCORE_UPTIME,
    SCORE_DIRECTION_4H,
    SCORE_WEIGHTS_GAIN, /* win rate gained by learned weights */
    SCORE_REGIME_ACCURACY,
    SCORE_ANNUAL_RETURN,
    SCORE_IC,
    SCORE_IC_P,
    SCORE_IC_IR,
    SCORE_IC_WEEKS, /* cross-week correlation of IC */
    SCORE_PSI,
    SCORE_MONTHLY_DRAWDOWN,
    SCORE_ECE,
    SCORE_COVERAGE,
    SCORE_MISSING,
    SCORE_GO_LIVE,      /* adoption score */
    SCORE_BUCKET_P50_S, /* volume clock: median duration */
    SCORE_BUCKET_P90_S,
    SCORE_TREND_FLIPS, /* per 100 buckets */
    SCORE_TREND_DWELL, /* mean buckets */
    SCORE_MEASURES
};

struct scorecard {
    double value[SCORE_MEASURES], lo[SCORE_MEASURES], hi[SCORE_MEASURES];
};

struct score_row {
    const char *source, *target;
    enum score_measure measure;
    double least, most; /* met: least <= value <= most */
};

void scorecard_init(struct scorecard *s); /* nothing measured */
void scorecard_set(struct scorecard *s, enum score_measure m, double value, double lo, double hi);
void scorecard_study(struct scorecard *s, const struct study_result *r);
/* `hold` is buy-and-hold over the same periods; NULL if unknown. */
void scorecard_returns(
    struct scorecard *s, const struct return_metrics *r, const struct return_metrics *hold);
void scorecard_calendar(struct scorecard *s, const struct calendar_metrics *c);
size_t scorecard_rows(const struct score_row **rows);
/* "met", "not met", "not measurable". */
const char *scorecard_verdict(const struct scorecard *s, const struct score_row *row);
/* The array `scorecard` of report.json. */
void scorecard_json(const struct scorecard *s, struct json_out *j);

#endif
