#include "derive/feature/black76.h"

#include <math.h>

#include "base/dmath.h"

#define INV_SQRT_2PI 0.3989422804014327
#define SQRT_HALF 0.7071067811865476

enum { STEPS_MAX = 200 };

double gauss_pdf(double x) { return INV_SQRT_2PI * dm_exp(-0.5 * x * x); }
double gauss_cdf(double x) { return 0.5 * dm_erfc(-x * SQRT_HALF); }

static bool sound(double x) { return x > 0.0 && isfinite(x); }

struct black76 black76(bool call, double forward, double strike, double vol, double years) {
    struct black76 o = {NAN, NAN, NAN, NAN, NAN};
    if (!sound(forward) || !sound(strike) || !sound(vol) || !sound(years)) return o;
    double root = sqrt(years), sd = vol * root;
    double d1 = dm_log(forward / strike) / sd + 0.5 * sd, d2 = d1 - sd, density = gauss_pdf(d1);
    double sign = call ? 1.0 : -1.0;
    o.delta = sign * gauss_cdf(sign * d1);
    o.price = forward * o.delta - sign * strike * gauss_cdf(sign * d2);
    if (o.price < 0.0) o.price = 0.0; /* rounding far out of the money */
    o.gamma = density / (forward * sd);
    o.vega = forward * density * root;
    o.theta = -0.5 * forward * density * vol / root;
    return o;
}

/* Bisection on a bracket that always holds the root, with Newton's step where it stays inside. */
double black76_implied(bool call, double forward, double strike, double price, double years) {
    if (!sound(forward) || !sound(strike) || !sound(years)) return NAN;
    double least = call ? forward - strike : strike - forward;
    double most = call ? forward : strike, low = 0.0, high = 1.0;
    if (least < 0.0) least = 0.0;
    if (!(price > least && price < most)) return NAN;
    while (black76(call, forward, strike, high, years).price < price) {
        low = high;
        high *= 2.0;
        if (high > 1e6) return NAN;
    }
    double vol = 0.5 * (low + high), slack = 1e-12 * (most - least);
    for (int i = 0; i < STEPS_MAX; i++) {
        struct black76 o = black76(call, forward, strike, vol, years);
        double off = o.price - price;
        if (off > 0.0)
            high = vol;
        else
            low = vol;
        if (fabs(off) <= slack * 1e-3 || high - low <= 1e-15 * high) break;
        double next = vol - off / o.vega;
        vol = next > low && next < high ? next : 0.5 * (low + high);
    }
    return vol;
}

double black76_parity_coin(double strike, double call, double put) {
    double left = 1.0 - (call - put);
    return sound(strike) && left > 0.0 ? strike / left : NAN;
}
