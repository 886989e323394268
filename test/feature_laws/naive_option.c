/* Options again: all quotes so far are searched for what still counts; libm's functions. */
#include <stdlib.h>

#include "feature_laws/world.h"

enum { LIVE_MAX = 512 };
#define AGE (7200 * NS_PER_S)
#define DAY (86400 * NS_PER_S)

struct reading {
    double v[11]; /* in the order of the table below */
};

struct chain {
    const struct world_option *o[LIVE_MAX];
    size_t n;
    int64_t now;
};

static bool same(const struct world_option *a, const struct world_option *b) {
    return a->expiry_ns == b->expiry_ns && a->strike_e10 == b->strike_e10 && a->call == b->call;
}

/* Quotes 0..n-1: the newest of each option since the last snapshot. False: not whole. */
static bool gather(const struct world_option *q, size_t n, struct chain *c) {
    size_t from = 0, start = 0;
    bool snapshot = false;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && q[i].ns - q[i - 1].ns > AGE) {
            start = i;
            snapshot = false;
        }
        if (!q[i].first || q[i].last) continue;
        from = i;
        snapshot = true;
    }
    c->n = 0;
    c->now = q[n - 1].ns;
    for (size_t i = from; i < n; i++) {
        bool newest = true;
        for (size_t j = i + 1; j < n && newest; j++) newest = !same(&q[i], &q[j]);
        if (!newest || c->now - q[i].ns > AGE || q[i].expiry_ns <= c->now) continue;
        if (c->n == LIVE_MAX) abort();
        c->o[c->n++] = &q[i];
    }
    return snapshot || c->now - q[start].ns >= AGE;
}

static double phi(double x) { return 0.5 * erfc(-x / sqrt(2.0)); }

static int64_t nearest(const struct chain *c, double days) {
    int64_t best = 0;
    double off = INFINITY;
    for (size_t i = 0; i < c->n; i++) {
        double d = fabs((double)(c->o[i]->expiry_ns - c->now) - days * 86400e9);
        bool tie = d == off && c->o[i]->expiry_ns < best;
        if (d > off || (d == off && !tie)) continue;
        best = c->o[i]->expiry_ns;
        off = d;
    }
    return best;
}

/* The quote of an expiry, strike and kind; NULL if there is none. */
static const struct world_option *quote(
    const struct chain *c, int64_t expiry, int64_t strike, bool call) {
    for (size_t i = 0; i < c->n; i++)
        if (c->o[i]->expiry_ns == expiry && c->o[i]->strike_e10 == strike && c->o[i]->call == call)
            return c->o[i];
    return NULL;
}

static double forward_of(const struct chain *c, int64_t expiry, double *index) {
    double most = 0.0, parity = NAN, off = INFINITY;
    bool all = true;
    *index = 0.0;
    for (size_t i = 0; i < c->n; i++) {
        if (c->o[i]->expiry_ns != expiry) continue;
        all = all && !isnan(c->o[i]->forward);
        most = fmax(most, c->o[i]->forward);
        *index = fmax(*index, c->o[i]->index);
    }
    if (all) return most;
    for (size_t i = 0; i < c->n; i++) {
        const struct world_option *call = c->o[i], *put = NULL;
        double k = (double)call->strike_e10 / 1e10, d = fabs(k - *index);
        if (call->expiry_ns != expiry || !call->call) continue;
        put = quote(c, expiry, call->strike_e10, false);
        if (!put || 1.0 - (call->mark - put->mark) <= 0.0) continue;
        double f = k / (1.0 - (call->mark - put->mark));
        bool lower = d == off && k < parity * (1.0 - (call->mark - put->mark));
        if (d < off || lower) {
            parity = f;
            off = d;
        }
    }
    return parity;
}

static double vol_at(const struct chain *c, int64_t expiry, int64_t strike) {
    const struct world_option *a = quote(c, expiry, strike, true);
    const struct world_option *b = quote(c, expiry, strike, false);
    double x = a ? a->vol : NAN, y = b ? b->vol : NAN;
    return isnan(x) ? y : isnan(y) ? x : (x + y) / 2.0;
}

static double line(double x, double x0, double y0, double x1, double y1) {
    return y0 + (y1 - y0) * ((x - x0) / (x1 - x0));
}

static double atm(const struct chain *c, int64_t expiry) {
    double index, f = forward_of(c, expiry, &index), x0 = -1.0, x1 = 1e300, y0 = NAN, y1 = NAN;
    for (size_t i = 0; i < c->n; i++) {
        double k = (double)c->o[i]->strike_e10 / 1e10, v = vol_at(c, expiry, c->o[i]->strike_e10);
        if (c->o[i]->expiry_ns != expiry || isnan(v)) continue;
        if (k == f) return v;
        if (k < f && k > x0) x0 = k, y0 = v;
        if (k > f && k < x1) x1 = k, y1 = v;
    }
    return isnan(f) ? NAN : line(f, x0, y0, x1, y1);
}

/* The first strike, from the money outwards' other end, at which the delta has passed 0.25. */
static double quarter(const struct chain *c, int64_t expiry, bool call) {
    double index, f = forward_of(c, expiry, &index),
                  t = (double)(expiry - c->now) / (365.0 * 86400e9);
    double last_k = -1.0, d0 = NAN, y0 = NAN;
    for (;;) {
        const struct world_option *next = NULL;
        for (size_t i = 0; i < c->n; i++) {
            const struct world_option *o = c->o[i];
            if (o->expiry_ns != expiry || o->call != call || isnan(o->vol)) continue;
            if ((double)o->strike_e10 > last_k && (!next || o->strike_e10 < next->strike_e10))
                next = o;
        }
        if (!next) return NAN;
        last_k = (double)next->strike_e10;
        double k = last_k / 1e10, sd = next->vol * sqrt(t), d1 = log(f / k) / sd + sd / 2.0;
        double d = call ? phi(d1) : phi(-d1);
        if (isnan(d)) return NAN;
        if (call ? d <= 0.25 : d >= 0.25) return line(0.25, d0, y0, d, next->vol);
        d0 = d;
        y0 = next->vol;
    }
}

static void greeks(const struct chain *c, int64_t expiry, double f, double *v) {
    double best = NAN, t = (double)(expiry - c->now) / (365.0 * 86400e9);
    int64_t strike = 0;
    for (size_t i = 0; i < c->n; i++) {
        double k = (double)c->o[i]->strike_e10 / 1e10;
        if (c->o[i]->expiry_ns != expiry || isnan(vol_at(c, expiry, c->o[i]->strike_e10))) continue;
        bool tie = fabs(k - f) == fabs(best - f) && k < best;
        if (!(fabs(k - f) >= fabs(best - f)) || tie) best = k, strike = c->o[i]->strike_e10;
    }
    if (isnan(best) || isnan(f)) return;
    double vol = vol_at(c, expiry, strike), sd = vol * sqrt(t);
    double d1 = log(f / best) / sd + sd / 2.0,
           density = exp(-d1 * d1 / 2.0) / sqrt(2.0 * acos(-1.0));
    v[0] = 2.0 * phi(d1) - 1.0;
    v[1] = 2.0 * density / sd / 100.0;
    v[2] = 100.0 * 2.0 * density * sqrt(t);
    v[3] = -1e4 * density * vol / sqrt(t) / 365.0;
}

static struct reading read_chain(const struct chain *c) {
    struct reading r;
    double sum[2][2] = {{0.0}}, index;
    for (int i = 0; i < 11; i++) r.v[i] = NAN;
    int64_t e30 = nearest(c, 30), e7 = nearest(c, 7), e90 = nearest(c, 90);
    if (e30 == 0) return r;
    for (size_t i = 0; i < c->n; i++) {
        sum[0][c->o[i]->call] += c->o[i]->volume;
        sum[1][c->o[i]->call] += c->o[i]->interest;
    }
    double f = forward_of(c, e30, &index), put = quarter(c, e30, false),
           call = quarter(c, e30, true);
    r.v[0] = quotient(sum[0][0], sum[0][1]);
    r.v[1] = quotient(sum[1][0], sum[1][1]);
    r.v[2] = atm(c, e30);
    r.v[3] = put - call;
    r.v[4] = (put + call) / 2.0 - r.v[2];
    if (e7 != e90) r.v[5] = atm(c, e90) - atm(c, e7);
    r.v[6] = 1e4 * (f / index - 1.0);
    greeks(c, e30, f, &r.v[7]);
    return r;
}

static double option(const struct world *w, size_t k, int what) {
    static const struct world_option *of;
    static size_t upto;
    static bool whole;
    static struct reading r;
    size_t n = 0;
    while (n < w->options && w->option[n].bucket <= k) n++;
    if (n == 0) return NAN;
    if (of != w->option || upto != n) {
        struct chain c;
        whole = gather(w->option, n, &c);
        r = read_chain(&c);
        of = w->option;
        upto = n;
    }
    bool fresh = w->bucket[k].b.close_ts.ns - w->option[n - 1].ns <= AGE;
    return whole && fresh ? r.v[what] : NAN;
}

static double square(const struct world *w, size_t k) { return b_ret(w, k) * b_ret(w, k) / 1e8; }
static double lasts(const struct world *w, size_t k) {
    return (double)(w->bucket[k].b.close_ts.ns - w->bucket[k].b.open_ts.ns) / 1e9;
}
static double realised(const struct world *w, size_t k) {
    return sqrt(quotient(over(w, k, 60, square), over(w, k, 60, lasts)) * 365.0 * 86400.0);
}
static double premium(const struct world *w, size_t k) { return option(w, k, 2) - realised(w, k); }
static double implied(const struct world *w, size_t k, int what) {
    if (what == 0) return premium(w, k);
    if (what == 1) return quotient(option(w, k, 2), realised(w, k));
    /* the window once a bucket: each of its readings would be made anew */
    static double x[64];
    static const struct world *of;
    static size_t last;
    if (of == w && last + 1 == k) {
        for (int i = 0; i < 59; i++) x[i] = x[i + 1];
        x[59] = premium(w, k);
    } else {
        for (int i = 0; i < 60; i++) x[i] = NAN;
        x[59] = premium(w, k);
    }
    of = w;
    last = k;
    double m = mean_of(x, 60);
    return isnan(m) ? NAN : quotient(x[59] - m, sd_of(x, 60));
}

static double dvol(const struct world *w, size_t k, int what) {
    static const char *const names[] = {"chain_dvol", "chain_dvol_change_e2", "chain_dvol_z_e30"};
    double v = NAN;
    return naive_chain_value(w, names[what], k, &v) ? v : NAN;
}

const struct naive_row naive_option[] = {
    {"perp_option_put_call_volume", option, 0},
    {"perp_option_put_call_interest", option, 1},
    {"perp_option_atm_vol_d30", option, 2},
    {"perp_option_skew_25d_d30", option, 3},
    {"perp_option_fly_25d_d30", option, 4},
    {"perp_option_term_slope", option, 5},
    {"perp_option_basis_d30", option, 6},
    {"perp_option_straddle_delta_d30", option, 7},
    {"perp_option_straddle_gamma_d30", option, 8},
    {"perp_option_straddle_vega_d30", option, 9},
    {"perp_option_straddle_theta_d30", option, 10},
    {"perp_option_vol_premium_b60", implied, 0},
    {"perp_option_vol_ratio_b60", implied, 1},
    {"perp_option_vol_premium_z_b60", implied, 2},
    {"perp_dvol", dvol, 0},
    {"perp_dvol_change_e2", dvol, 1},
    {"perp_dvol_z_e30", dvol, 2},
    {0},
};
