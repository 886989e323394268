/* feature_xv_lag.c: which of two venues moves first: correlation of returns at several lags, and on
 * a slower clock the shares in price discovery and Granger's test.
 */
#include "derive/feature/estimators_cross.h"
#include "derive/feature/feature_xv_internal.h"

double xv_consistency(const struct xv_state *s, size_t venue) {
    uint64_t good = 0;
    if (s->n < XV_GATE) return MISSING;
    for (uint64_t i = s->n - XV_GATE; i < s->n; i++)
        good += isnan(s->mid[venue][i % XV_RING]) ? 0 : 1;
    return (double)good / XV_GATE;
}

bool xv_window(const struct xv_state *s, size_t venue, size_t n, double *out) {
    double all = 0.0;
    CHECK(n <= XV_RING);
    if (s->n < n) return false;
    for (size_t i = 0; i < n; i++) {
        out[i] = s->mid[venue][(s->n - n + i) % XV_RING];
        all += out[i];
    }
    return !isnan(all);
}

/* n + 1 values become n differences about their mean; returns the sum of their squares. */
static double returns_of(double *x, size_t n) {
    double sum = 0.0, squares = 0.0, mean = (x[n] - x[0]) / (double)n;
    for (size_t i = 0; i < n; i++) {
        x[i] = x[i + 1] - x[i];
        sum += x[i] * x[i];
        x[i] -= mean;
        squares += x[i] * x[i];
    }
    return squares > 1e-18 * sum ? squares : 0.0;
}

/* Two lags at once: independent sums keep the adders busy. */
static void correlate(const double *r, const double *q, double scale, struct xv_lag *out) {
    for (size_t k = 0; k <= XV_LAGS; k++) {
        double peer = 0.0, own = 0.0;
        for (size_t t = k; t < XV_FAST; t++) {
            peer += r[t] * q[t - k];
            own += r[t - k] * q[t];
        }
        out->at[XV_LAGS - k] = own / scale;
        out->at[XV_LAGS + k] = peer / scale;
    }
}

void xv_lead_lag(const struct xv_state *s, size_t venue, struct xv_lag *out) {
    double r[XV_FAST + 1], q[XV_FAST + 1], first = 0.0, both = 0.0;
    for (size_t k = 0; k <= 2 * XV_LAGS; k++) out->at[k] = MISSING;
    out->peak_ms = out->lead_share = MISSING;
    if (!xv_window(s, 0, XV_FAST + 1, r) || !xv_window(s, venue, XV_FAST + 1, q)) return;
    double scale = sqrt(returns_of(r, XV_FAST) * returns_of(q, XV_FAST));
    if (!(scale > 0.0)) return;
    correlate(r, q, scale, out);
    size_t peak = XV_LAGS;
    for (size_t k = 1; k <= XV_LAGS; k++) { /* from the middle: ties go to the shorter lag */
        double peer = out->at[XV_LAGS + k], own = out->at[XV_LAGS - k];
        if (peer > out->at[peak]) peak = XV_LAGS + k;
        if (own > out->at[peak]) peak = XV_LAGS - k;
        first += peer * peer;
        both += peer * peer + own * own;
    }
    out->peak_ms = ((double)peak - XV_LAGS) * (double)(XV_STEP_NS / NS_PER_MS);
    out->lead_share = ratio_of(first, both);
}

void xv_estimate(const struct xv_state *s, size_t venue, struct xv_slow *out) {
    double own[XV_SLOW + 1], peer[XV_SLOW + 1];
    struct price_discovery d;
    struct granger in, back;
    *out = (struct xv_slow){MISSING, MISSING, MISSING, MISSING, MISSING, MISSING};
    if (!xv_window(s, 0, XV_SLOW + 1, own) || !xv_window(s, venue, XV_SLOW + 1, peer)) return;
    if (price_discovery_given(own, peer, XV_SLOW + 1, XV_ORDER, &d)) {
        bool rising = d.share_first < d.share_last;
        out->info_low = rising ? d.share_first : d.share_last;
        out->info_high = rising ? d.share_last : d.share_first;
        out->component = d.component;
    }
    for (size_t i = 0; i < XV_SLOW; i++) {
        own[i] = own[i + 1] - own[i];
        peer[i] = peer[i + 1] - peer[i];
    }
    if (!granger_test(peer, own, XV_SLOW, XV_ORDER, &in) ||
        !granger_test(own, peer, XV_SLOW, XV_ORDER, &back))
        return;
    out->granger_in = in.f;
    out->granger_out = back.f;
    out->granger_direction = (double)(in.p < XV_SIGNIFICANT) - (double)(back.p < XV_SIGNIFICANT);
}
