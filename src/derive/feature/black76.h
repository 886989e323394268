/* black76.h: options on a forward without discounting (Black 1976), and what follows from it.
 *
 * Units      forward, strike, price in one currency; volatility a year (1.0 = 100 %), time in
 * years. A price in coin is this one divided by the forward (options settled in the coin). Errors
 * NaN for what is no option (forward, strike, volatility or time not positive and finite) and for a
 * price that no volatility gives. Source     Black, "The pricing of commodity contracts", 1976;
 * Hull, Options, Futures and Other Derivatives, chapters on futures options and on the Greek
 * letters.
 */
#ifndef FATHOM_DERIVE_FEATURE_BLACK76_H
#define FATHOM_DERIVE_FEATURE_BLACK76_H

#include <stdbool.h>

double gauss_pdf(double x);
double gauss_cdf(double x); /* relative accuracy in the lower tail too */

struct black76 {
    double price;
    double delta; /* by the forward */
    double gamma; /* second derivative by the forward */
    double vega;  /* by volatility, of 1.0 */
    double theta; /* by time, a year; negative */
};

struct black76 black76(bool call, double forward, double strike, double vol, double years);

/* The volatility whose price it is, to a relative 1e-12 of the price's range. */
double black76_implied(bool call, double forward, double strike, double price, double years);

/* The forward of put-call parity from prices in coin at one strike: call - put = 1 - strike / F. */
double black76_parity_coin(double strike, double call, double put);

#endif
