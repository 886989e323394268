/* pin.h: the probability of informed trading, by maximum likelihood, offline.
 *
 *   counts of buys and sells a day -> mixture of three kinds of day -> PIN
 *
 * A day is quiet (1 - alpha), bad (alpha delta) or good (alpha (1 - delta)). Uninformed buys and
 * sells come at the rates eps_b and eps_s; on a bad day sells, on a good day buys come mu a day
 * more. PIN = alpha mu / (alpha mu + eps_b + eps_s).
 *
 * Units      counts and rates a day (or whatever period the counts are of).
 * Errors     false (out untouched): fewer than PIN_DAYS_LEAST days, a count that is negative or no
 *            number, no trade at all.
 * Method     expectation and maximisation from PIN_STARTS fixed starts; the likelihood never falls.
 *            log likelihood without the factorials of the counts, which no parameter changes.
 * Source     Easley, Kiefer, O'Hara, Paperman 1996, equations 1 to 6; the factored likelihood that
 *            does not overflow: Lin, Ke 2011; starts after Yan, Zhang 2012.
 */
#ifndef FATHOM_DERIVE_FEATURE_PIN_H
#define FATHOM_DERIVE_FEATURE_PIN_H

#include <stdbool.h>
#include <stddef.h>

enum { PIN_DAYS_LEAST = 10, PIN_STARTS = 27 };

struct pin {
    double alpha, delta, mu, eps_buy, eps_sell;
    double pin, log_likelihood;
};

/* Log likelihood of `days` days under p's five parameters, without the factorials. */
double pin_likelihood(const struct pin *p, const double *buys, const double *sells, size_t days);
bool pin_fit(const double *buys, const double *sells, size_t days, struct pin *out);

#endif
