#include "derive/feature/pin.h"

#include <math.h>

#include "base/dmath.h"

#define RATE_LEAST 1e-9 /* of a rate, a share: keeps logarithms finite */
#define GAIN_LEAST 1e-10

enum { STEPS_MAX = 20000, QUIET = 0, BAD = 1, GOOD = 2, KINDS = 3 };

/* Logarithms of the three kinds' weight times likelihood, without what they share: the uninformed
 * part of the counts. */
static void day_terms(const struct pin *p, double b, double s, double term[KINDS]) {
    term[QUIET] = dm_log(1.0 - p->alpha);
    term[BAD] = dm_log(p->alpha) + dm_log(p->delta) - p->mu + s * dm_log1p(p->mu / p->eps_sell);
    term[GOOD] =
        dm_log(p->alpha) + dm_log(1.0 - p->delta) - p->mu + b * dm_log1p(p->mu / p->eps_buy);
}

/* ln of the sum of exponentials; term becomes each one's share. */
static double shares(double term[KINDS]) {
    double most = term[0], sum = 0.0;
    for (int i = 1; i < KINDS; i++)
        if (term[i] > most) most = term[i];
    for (int i = 0; i < KINDS; i++) sum += term[i] = dm_exp(term[i] - most);
    for (int i = 0; i < KINDS; i++) term[i] /= sum;
    return most + dm_log(sum);
}

double pin_likelihood(const struct pin *p, const double *buys, const double *sells, size_t days) {
    double sum = 0.0;
    for (size_t i = 0; i < days; i++) {
        double term[KINDS];
        day_terms(p, buys[i], sells[i], term);
        sum += shares(term) - p->eps_buy - p->eps_sell + buys[i] * dm_log(p->eps_buy) +
               sells[i] * dm_log(p->eps_sell);
    }
    return sum;
}

static double within(double x, double least, double most) {
    return x < least ? least : x > most ? most : x;
}

/* One step: what each day probably was, then the parameters that fit that best. */
static void step(struct pin *p, const double *buys, const double *sells, size_t days) {
    double kind[KINDS] = {0.0}, informed = 0.0, usual_b = 0.0, usual_s = 0.0, n = (double)days;
    double more_b = p->mu / (p->eps_buy + p->mu), more_s = p->mu / (p->eps_sell + p->mu);
    for (size_t i = 0; i < days; i++) {
        double t[KINDS];
        day_terms(p, buys[i], sells[i], t);
        (void)shares(t);
        for (int k = 0; k < KINDS; k++) kind[k] += t[k];
        informed += t[BAD] * sells[i] * more_s + t[GOOD] * buys[i] * more_b;
        usual_b += buys[i] * (1.0 - t[GOOD] * more_b);
        usual_s += sells[i] * (1.0 - t[BAD] * more_s);
    }
    double event = kind[BAD] + kind[GOOD];
    p->alpha = within(event / n, RATE_LEAST, 1.0 - RATE_LEAST);
    if (event > RATE_LEAST) {
        p->delta = within(kind[BAD] / event, RATE_LEAST, 1.0 - RATE_LEAST);
        p->mu = within(informed / event, RATE_LEAST, INFINITY);
    }
    p->eps_buy = within(usual_b / n, RATE_LEAST, INFINITY);
    p->eps_sell = within(usual_s / n, RATE_LEAST, INFINITY);
}

static void climb(struct pin *p, const double *buys, const double *sells, size_t days) {
    double before = -INFINITY;
    for (int i = 0; i < STEPS_MAX; i++) {
        p->log_likelihood = pin_likelihood(p, buys, sells, days);
        if (!(p->log_likelihood - before > GAIN_LEAST * (1.0 + fabs(p->log_likelihood)))) return;
        before = p->log_likelihood;
        step(p, buys, sells, days);
    }
}

static bool mean_of(const double *x, size_t n, double *mean) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (!(x[i] >= 0.0) || !isfinite(x[i])) return false;
        sum += x[i];
    }
    *mean = sum / (double)n;
    return true;
}

bool pin_fit(const double *buys, const double *sells, size_t days, struct pin *out) {
    static const double grid[3] = {0.1, 0.5, 0.9};
    double b, s;
    struct pin best = {.log_likelihood = -INFINITY};
    if (days < PIN_DAYS_LEAST || !mean_of(buys, days, &b) || !mean_of(sells, days, &s))
        return false;
    if (b + s <= 0.0) return false;
    for (int i = 0; i < PIN_STARTS;
         i++) { /* share of events, of bad ones, of buys that are usual */
        struct pin p = {.alpha = grid[i % 3], .delta = grid[i / 3 % 3]};
        double usual = grid[i / 9];
        p.eps_buy = within(usual * b, RATE_LEAST, INFINITY);
        p.mu = within((b - p.eps_buy) / (p.alpha * (1.0 - p.delta)), RATE_LEAST, INFINITY);
        p.eps_sell = within(s - p.alpha * p.delta * p.mu, RATE_LEAST + 0.1 * s, INFINITY);
        climb(&p, buys, sells, days);
        if (p.log_likelihood > best.log_likelihood) best = p;
    }
    best.pin = best.alpha * best.mu / (best.alpha * best.mu + best.eps_buy + best.eps_sell);
    *out = best;
    return true;
}
