/* returns.h: what a series of returns is worth, and how sure that is.
 *
 * Units      returns are simple returns of one sampling period after all costs; `periods` is the
 *            number of periods in a year (crypto trades all year: 365.25 days).
 * Sources    probabilistic Sharpe ratio and least track record: Bailey and Lopez de Prado 2012;
 *            deflated Sharpe ratio: Bailey and Lopez de Prado 2014 (skewness, full kurtosis,
 *            normal = 3; Sharpe ratios per period, not annualised; population variance of trials).
 * NaN        not measurable: too few rows, no variance, no loss.
 */
#ifndef FATHOM_LEARN_STUDY_RETURNS_H
#define FATHOM_LEARN_STUDY_RETURNS_H

#include <stddef.h>
#include <stdint.h>

struct return_metrics {
    size_t n;
    double total;         /* compounded */
    double annual_return; /* compounded to a year */
    double annual_volatility;
    double sharpe;               /* annualised, no risk-free rate */
    double sharpe_lo, sharpe_hi; /* 95 % stationary block bootstrap */
    double sharpe_period;        /* per period: what PSR and DSR take */
    double sortino;              /* downside deviation against 0 */
    double calmar;               /* annual return / largest drawdown */
    double max_drawdown;         /* share of the maximum, >= 0 */
    double hit_rate;             /* of periods that are not 0 */
    double payoff;               /* mean gain / mean loss */
    double skew, kurtosis;
    double psr;       /* against 0 */
    double min_track; /* least number of periods for 95 % against 0 */
};

struct return_metrics returns_measure(
    const double *r, size_t n, double periods, size_t bootstrap, uint64_t seed);

/* By UTC day and month; the first and the last one count too, days and months without a result do
 * not. NaN below CALENDAR_DAYS days, CALENDAR_MONTHS months. */
enum { CALENDAR_DAYS = 5, CALENDAR_MONTHS = 2 };
struct calendar_metrics {
    size_t days, months;
    double daily_wins, monthly_wins; /* shares with a gain */
    double monthly_drawdown;         /* largest fall within one month */
};
/* Period i ends at first_ns + (i + 1) * period_ns. */
struct calendar_metrics returns_calendar(
    const double *r, size_t n, int64_t first_ns, int64_t period_ns);
/* Months since the year 0 of the proleptic Gregorian calendar. */
int64_t calendar_month(int64_t ns);

/* Largest fall below the running maximum of the compounded curve. */
double returns_drawdown(const double *r, size_t n);

double psr(double sharpe, double benchmark, double n, double skew, double kurtosis);
/* Expected largest Sharpe of `trials` independent ones without skill whose variance is given. */
double expected_max_sharpe(double trials, double variance);
double dsr(double sharpe, double n, double skew, double kurtosis, double trials, double variance);
double min_track_record(
    double sharpe, double benchmark, double skew, double kurtosis, double alpha);

#endif
