/* The instrument beside two other venues again: quotes looked up by time, samples laid out whole,
 * regressions by Gram and Schmidt.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "feature_laws/world.h"

enum { PAIR = 1000, STEPS = 10, FAST = 600, SLOW = 1200, ORDER = 5, GATE = 100, COLUMNS = 12 };
#define STEP (100 * NS_PER_MS)

/* ---- quotes and samples ---- */

static const struct world *venue(const struct world *w, int v) { return v ? w->peer[v - 1] : w; }

/* Quotes with a receive time of at most `t`. */
static size_t quotes_by(const struct world *v, int64_t t) {
    size_t low = 0, high = v->quotes;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (v->quote[mid].ns <= t)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool quote_at(const struct world *v, int64_t t, int64_t now, double *bid, double *ask) {
    size_t n = quotes_by(v, t);
    if (n == 0 || !v->quote[n - 1].good || now - v->quote[n - 1].ns > 2 * NS_PER_S) return false;
    *bid = (double)v->quote[n - 1].px[0] * instrument_px_unit(&v->inst);
    *ask = (double)v->quote[n - 1].px[1] * instrument_px_unit(&v->inst);
    return true;
}
static double mid_at(const struct world *v, int64_t t, int64_t now) {
    double bid, ask;
    return quote_at(v, t, now, &bid, &ask) ? (bid + ask) / 2.0 : NAN;
}

void world_peers_free(struct world *w) {
    for (size_t p = 0; p < w->peers; p++) {
        world_free(w->peer[p]);
        free(w->peer[p]);
        free(w->live[p]);
    }
    for (size_t v = 0; v <= SYNTH_PEERS; v++) free(w->grid[v]);
}

/* Samples taken by the close of bucket k; 0 for none before the first bucket. */
static int64_t samples(const struct world *w, size_t k) {
    int64_t t = last_ns(&w->bucket[k].b);
    return t < w->grid_ns ? 0 : (t - w->grid_ns) / STEP + 1;
}
static int64_t samples_before(const struct world *w, size_t k) {
    return k == 0 ? 0 : samples(w, k - 1);
}
/* The last n samples of a venue at the close of k; false if one is missing. */
static bool grid_window(const struct world *w, size_t k, int v, int n, double *out) {
    int64_t have = samples(w, k);
    if (have < n) return false;
    memcpy(out, w->grid[v] + have - n, (size_t)n * sizeof *out);
    for (int i = 0; i < n; i++)
        if (isnan(out[i])) return false;
    return true;
}

static double agreement(const struct world *w, size_t k, int v) {
    int64_t have = samples(w, k);
    double good = 0.0;
    if (have < GATE) return NAN;
    for (int64_t i = have - GATE; i < have; i++) good += !isnan(w->grid[v][i]);
    return good / GATE;
}
static double close_mid(const struct world *w, size_t k, int v) {
    int64_t now = last_ns(&w->bucket[k].b);
    return mid_at(venue(w, v), now, now);
}
static bool is_on(const struct world *w, size_t k, int v) {
    double apart = 1e4 * log(close_mid(w, k, v) / close_mid(w, k, 0));
    return agreement(w, k, v) >= 0.8 && fabs(apart) <= 200.0;
}
void world_peers_make(struct world *w, const struct synth *s) {
    const struct bucket_spec second = {.mode = BUCKET_TIME, .size = NS_PER_S};
    int64_t first = w->messages ? w->message[0].ns : 0;
    w->peers = s->peers;
    if (s->peers == 0) return;
    for (size_t p = 0; p < s->peers; p++) {
        struct synth alone;
        w->peer[p] = calloc(1, sizeof *w->peer[p]);
        CHECK(w->peer[p]);
        synth_of_peer(s, p, &alone);
        world_make(w->peer[p], &alone, &second);
        if (w->peer[p]->message[0].ns < first) first = w->peer[p]->message[0].ns;
        synth_free(&alone);
    }
    w->grid_ns = (first / STEP + 1) * STEP;
    w->grids = (size_t)((last_ns(&w->bucket[w->buckets - 1].b) - w->grid_ns) / STEP + 1);
    for (int v = 0; v <= (int)w->peers; v++) {
        w->grid[v] = malloc(w->grids * sizeof *w->grid[v]);
        CHECK(w->grid[v]);
        for (size_t i = 0; i < w->grids; i++) {
            int64_t at = w->grid_ns + (int64_t)i * STEP;
            w->grid[v][i] = 1e4 * log(mid_at(venue(w, v), at - 1, at));
            if (v && !(fabs(w->grid[v][i] - w->grid[0][i]) <= 200.0)) w->grid[v][i] = NAN;
        }
    }
    for (int v = 1; v <= (int)w->peers; v++) {
        w->live[v - 1] = malloc(w->buckets * sizeof *w->live[v - 1]);
        CHECK(w->live[v - 1]);
        for (size_t k = 0; k < w->buckets; k++) w->live[v - 1][k] = is_on(w, k, v);
    }
}

static bool on(const struct world *w, size_t k, int v) { return w->live[v - 1][k]; }
static bool all_on(const struct world *w, size_t k) { return on(w, k, 1) && on(w, k, 2); }
static bool quotes(const struct world *w, size_t k, int v, double *bid, double *ask) {
    int64_t now = last_ns(&w->bucket[k].b);
    return quote_at(venue(w, v), now, now, bid, ask);
}

/* ---- one peer ---- */

enum pair_what { MID_DIFF, BASIS, SPREAD_DIFF, SELL, BUY, AGREE };

static double pair_now(const struct world *w, size_t k, int n) {
    int v = n / PAIR;
    double bid, ask, peer_bid, peer_ask;
    if (w->peers == 0) return NAN;
    if (n % PAIR == AGREE) return agreement(w, k, v);
    if (!on(w, k, v) || !quotes(w, k, 0, &bid, &ask) || !quotes(w, k, v, &peer_bid, &peer_ask))
        return NAN;
    double mid = (bid + ask) / 2.0, peer = (peer_bid + peer_ask) / 2.0;
    switch (n % PAIR) {
    case MID_DIFF: return (mid - peer) / instrument_px_unit(&w->inst);
    case BASIS: return 1e4 * (mid / peer - 1.0);
    case SPREAD_DIFF: return 1e4 * ((ask - bid) / mid - (peer_ask - peer_bid) / peer);
    case SELL: return 1e4 * (bid / peer_ask - 1.0);
    case BUY: return 1e4 * (peer_bid / ask - 1.0);
    default: return NAN;
    }
}
static double basis_1(const struct world *w, size_t k) { return pair_now(w, k, PAIR + BASIS); }
static double basis_2(const struct world *w, size_t k) { return pair_now(w, k, 2 * PAIR + BASIS); }
static double basis_z(const struct world *w, size_t k, int n) {
    double x[64];
    if (w->peers == 0 || !window(w, k, 60, n == 1 ? basis_1 : basis_2, x)) return NAN;
    return quotient(x[59] - mean_of(x, 60), sd_of(x, 60));
}

/* Correlation at `lag` steps; positive: the peer's return came before ours. */
static double lag_correlation(const double *own, const double *peer, int lag) {
    double r[FAST], q[FAST], sum = 0.0, rr = 0.0, qq = 0.0;
    for (int i = 0; i < FAST; i++) {
        r[i] = own[i + 1] - own[i];
        q[i] = peer[i + 1] - peer[i];
    }
    double mr = mean_of(r, FAST), mq = mean_of(q, FAST);
    if (sd_of(r, FAST) == 0.0 || sd_of(q, FAST) == 0.0) return NAN;
    for (int i = 0; i < FAST; i++) {
        rr += (r[i] - mr) * (r[i] - mr);
        qq += (q[i] - mq) * (q[i] - mq);
        if (i - lag >= 0 && i - lag < FAST) sum += (r[i] - mr) * (q[i - lag] - mq);
    }
    return sum / sqrt(rr) / sqrt(qq);
}
enum { PEAK = 100, LEAD = 101 };
static double lead_lag(const struct world *w, size_t k, int n) {
    double own[FAST + 1], peer[FAST + 1], peak = 0.0, best = -2.0, ahead = 0.0, both = 0.0;
    int v = n / PAIR, what = n % PAIR;
    if (w->peers == 0 || !on(w, k, v) || !grid_window(w, k, 0, FAST + 1, own) ||
        !grid_window(w, k, v, FAST + 1, peer))
        return NAN;
    if (what < PEAK) return lag_correlation(own, peer, what - 50);
    for (int lag = -STEPS; lag <= STEPS; lag++) {
        double c = lag_correlation(own, peer, lag);
        if (isnan(c)) return NAN;
        if (c > best) {
            best = c;
            peak = 100.0 * lag;
        }
        if (lag > 0) ahead += c * c;
        if (lag != 0) both += c * c;
    }
    return what == PEAK ? peak : quotient(ahead, both);
}

/* ---- the slower clock ---- */

static int64_t slot_of(const struct world *w, size_t k) {
    return last_ns(&w->bucket[k].b) / (10 * NS_PER_S);
}
/* The bucket at whose close the estimates of bucket k became known. */
static bool known_at(const struct world *w, size_t k, size_t *at) {
    for (*at = k; *at > 0 && slot_of(w, *at - 1) == slot_of(w, *at); (*at)--) {}
    return samples(w, *at) > SLOW;
}

/* Columns of a regression; least squares by Gram and Schmidt, twice for the last digits. */
struct fit {
    double x[COLUMNS][SLOW], y[SLOW], rest[SLOW];
    int columns, rows;
};
static double inner(const double *a, const double *b, int n) {
    long double sum = 0.0L;
    for (int i = 0; i < n; i++) sum += (long double)a[i] * b[i];
    return (double)sum;
}
static void away(double *a, const double *from, int n) {
    double part = inner(a, from, n) / inner(from, from, n);
    for (int i = 0; i < n; i++) a[i] -= part * from[i];
}
/* Squared residuals; the coefficient of the LAST column in *slope. */
static double solve(struct fit *f, double *slope) {
    for (int j = 0; j < f->columns; j++)
        for (int twice = 0; twice < 2; twice++)
            for (int i = 0; i < j; i++) away(f->x[j], f->x[i], f->rows);
    memcpy(f->rest, f->y, sizeof f->y);
    *slope = inner(f->y, f->x[f->columns - 1], f->rows) /
             inner(f->x[f->columns - 1], f->x[f->columns - 1], f->rows);
    for (int twice = 0; twice < 2; twice++)
        for (int j = 0; j < f->columns; j++) away(f->rest, f->x[j], f->rows);
    return inner(f->rest, f->rest, f->rows);
}
static void column(struct fit *f, const double *from, int by) {
    memcpy(f->x[f->columns++], from - by, (size_t)f->rows * sizeof *from);
}

struct estimate {
    double low, high, component, in, out, direction;
    bool known;
};

/* P(F > f), d1 = 5: Simpson's rule over the density of the beta distribution. */
static double tail(double f, double d2) {
    double a = d2 / 2.0, b = ORDER / 2.0, top = d2 / (d2 + ORDER * f), sum = 0.0;
    double front = lgamma(a + b) - lgamma(a) - lgamma(b);
    enum { POINTS = 20000 };
    for (int i = 0; i <= POINTS; i++) {
        double x = top * (0.5 + 0.5 * i / POINTS);
        double y = exp(front + (a - 1.0) * log(x) + (b - 1.0) * log1p(-x));
        sum += y * (i == 0 || i == POINTS ? 1.0 : i % 2 ? 4.0 : 2.0);
    }
    return sum * top * 0.5 / POINTS / 3.0;
}

static double granger_f(struct fit *f, const double *cause, const double *effect) {
    static const double ones[SLOW] = {0};
    double rss[2], slope;
    for (int with = 0; with < 2; with++) {
        f->columns = 0;
        f->rows = SLOW - ORDER;
        memcpy(f->y, effect + ORDER, (size_t)f->rows * sizeof *f->y);
        column(f, ones, 0);
        for (int i = 0; i < f->rows; i++) f->x[0][i] = 1.0;
        for (int i = 1; i <= ORDER; i++) column(f, effect + ORDER, i);
        for (int i = 1; i <= ORDER && with; i++) column(f, cause + ORDER, i);
        rss[with] = solve(f, &slope);
    }
    double left = SLOW - 3 * ORDER - 1;
    return (rss[0] - rss[1]) / ORDER / (rss[1] / left);
}

static void shares(const double alpha[2], const double s[3], struct estimate *e) {
    /* Cholesky factors with the one and the other market first; w moves the common trend */
    double w1 = alpha[1], w2 = -alpha[0], share[2];
    double all = w1 * w1 * s[0] + 2.0 * w1 * w2 * s[1] + w2 * w2 * s[2];
    double l11 = sqrt(s[0]), l21 = s[1] / l11, m22 = sqrt(s[2]), m12 = s[1] / m22;
    share[0] = pow(w1 * l11 + w2 * l21, 2.0) / all;
    share[1] = pow(w1, 2.0) * (s[0] - m12 * m12) / all;
    e->low = fmin(share[0], share[1]);
    e->high = fmax(share[0], share[1]);
    e->component = w1 / (w1 + w2);
}

static void discovery(struct fit *f, const double *own, const double *peer, const double *r,
    const double *q, struct estimate *e) {
    double gap[SLOW + 1], alpha[2], s[3] = {0}, left[SLOW] = {0}, mean = 0.0;
    for (int i = 0; i <= SLOW; i++) mean += (own[i] - peer[i]) / (SLOW + 1);
    for (int i = 0; i <= SLOW; i++) gap[i] = own[i] - peer[i] - mean;
    for (int side = 0; side < 2; side++) { /* r[i] is own[i + 1] - own[i] */
        f->columns = 0;
        f->rows = SLOW - ORDER;
        memcpy(f->y, (side ? q : r) + ORDER, (size_t)f->rows * sizeof *f->y);
        for (int i = 1; i <= ORDER; i++) {
            column(f, r + ORDER, i);
            column(f, q + ORDER, i);
        }
        column(f, gap + ORDER, 0);
        double rss = solve(f, &alpha[side]);
        s[side ? 2 : 0] = rss / f->rows;
        if (side) s[1] = inner(left, f->rest, f->rows) / f->rows;
        memcpy(left, f->rest, sizeof left);
    }
    shares(alpha, s, e);
}

static const struct estimate *estimate_of(const struct world *w, size_t at, int v) {
    static const struct world *of[2];
    static size_t when[2];
    static struct estimate kept[2];
    static struct fit f;
    struct estimate *e = &kept[v - 1];
    double own[SLOW + 1], peer[SLOW + 1], r[SLOW], q[SLOW];
    if (of[v - 1] == w && when[v - 1] == at) return e;
    of[v - 1] = w;
    when[v - 1] = at;
    memset(e, 0, sizeof *e);
    if (!grid_window(w, at, 0, SLOW + 1, own) || !grid_window(w, at, v, SLOW + 1, peer)) return e;
    for (int i = 0; i < SLOW; i++) {
        r[i] = own[i + 1] - own[i];
        q[i] = peer[i + 1] - peer[i];
    }
    e->known = true;
    discovery(&f, own, peer, r, q, e);
    e->in = granger_f(&f, q, r);
    e->out = granger_f(&f, r, q);
    double d2 = SLOW - 3 * ORDER - 1;
    e->direction = (tail(e->in, d2) < 0.01) - (tail(e->out, d2) < 0.01);
    return e;
}

enum slow_what { LOW, HIGH, COMPONENT, IN, OUT, DIRECTION };
static double slow(const struct world *w, size_t k, int n) {
    size_t at;
    if (w->peers == 0 || !on(w, k, n / PAIR) || !known_at(w, k, &at)) return NAN;
    const struct estimate *e = estimate_of(w, at, n / PAIR);
    const double value[] = {e->low, e->high, e->component, e->in, e->out, e->direction};
    return e->known ? value[n % PAIR] : NAN;
}
static double age(const struct world *w, size_t k, int n) {
    size_t at;
    (void)n;
    if (w->peers == 0 || !known_at(w, k, &at)) return NAN;
    return (double)(last_ns(&w->bucket[k].b) - last_ns(&w->bucket[at].b)) / 1e9;
}

/* ---- all venues ---- */

static double peers_on(const struct world *w, size_t k, int n) {
    (void)n;
    if (w->peers == 0 || samples(w, k) < GATE) return NAN;
    return (double)on(w, k, 1) + (double)on(w, k, 2);
}
static double off(const struct world *w, size_t k) { return all_on(w, k) ? 0.0 : 1.0; }
static double gated(const struct world *w, size_t k, int n) {
    return w->peers ? over(w, k, n, off) : NAN;
}

/* Samples of the bucket with any peer, and of these with the own bid (ask) the best. */
static double count_best(const struct world *w, size_t k, int side) {
    int64_t from = samples_before(w, k);
    double n = 0.0;
    if (from < GATE) return NAN;
    for (int64_t i = from; i < samples(w, k); i++) {
        int64_t at = w->grid_ns + i * STEP;
        double px[3][2];
        bool any = false, best = true;
        for (int v = 0; v <= 2; v++) {
            if (!quote_at(venue(w, v), at - 1, at, &px[v][0], &px[v][1])) continue;
            if (v == 0 || isnan(w->grid[v][i])) continue;
            any = true;
            if (side == 0) best &= px[0][0] >= px[v][0];
            if (side == 1) best &= px[0][1] <= px[v][1];
        }
        n += any && best;
    }
    return n;
}
static double best_bid(const struct world *w, size_t k) { return count_best(w, k, 0); }
static double best_ask(const struct world *w, size_t k) { return count_best(w, k, 1); }
static double best_of(const struct world *w, size_t k) { return count_best(w, k, 2); }
static double bid_share(const struct world *w, size_t k, int n) {
    return w->peers ? quotient(over(w, k, n, best_bid), over(w, k, n, best_of)) : NAN;
}
static double ask_share(const struct world *w, size_t k, int n) {
    return w->peers ? quotient(over(w, k, n, best_ask), over(w, k, n, best_of)) : NAN;
}

enum joint_what { BID_GAP, ASK_GAP, JOINT, DISPERSION };
static double joint(const struct world *w, size_t k, int n) {
    double bid, ask, own_bid, own_ask, mids[3];
    int count = 1;
    if (w->peers == 0 || !(on(w, k, 1) || on(w, k, 2))) return NAN;
    quotes(w, k, 0, &own_bid, &own_ask);
    bid = own_bid;
    ask = own_ask;
    mids[0] = 1e4 * log(close_mid(w, k, 0));
    for (int v = 1; v <= 2; v++) {
        double b, a;
        if (!on(w, k, v) || !quotes(w, k, v, &b, &a)) continue;
        bid = fmax(bid, b);
        ask = fmin(ask, a);
        mids[count++] = 1e4 * log(close_mid(w, k, v));
    }
    switch (n) {
    case BID_GAP: return 1e4 * (bid / own_bid - 1.0);
    case ASK_GAP: return 1e4 * (1.0 - ask / own_ask);
    case JOINT: return 1e4 * (ask - bid) / ((own_bid + own_ask) / 2.0);
    case DISPERSION: return sd_of(mids, count);
    default: return NAN;
    }
}

static double moved(const struct world *w, size_t k, int v) {
    if (k == 0 || (v && !(on(w, k, v) && on(w, k - 1, v)))) return NAN;
    return 1e4 * log(close_mid(w, k, v) / close_mid(w, k - 1, v));
}
static double return_gap_of(const struct world *w, size_t k) {
    return (moved(w, k, 1) + moved(w, k, 2)) / 2.0 - moved(w, k, 0);
}
static double return_gap(const struct world *w, size_t k, int n) {
    return w->peers ? over(w, k, n, return_gap_of) : NAN;
}

/* Base units of a trade. */
static double base(const struct world *v, const struct world_trade *t) {
    double qty = (double)t->lots * instrument_qty_unit(&v->inst);
    double px = (double)t->px * instrument_px_unit(&v->inst);
    return v->inst.kind == INSTRUMENT_INVERSE ? qty * ((double)v->inst.contract_e8 / 1e8) / px
                                              : qty;
}
/* Volume (or signed volume) of one venue in bucket k. */
static double volume_of(const struct world *w, size_t k, int v, bool with_sign) {
    int64_t from = k ? last_ns(&w->bucket[k - 1].b) : INT64_MIN, to = last_ns(&w->bucket[k].b);
    const struct world *o = venue(w, v);
    size_t low = 0, high = o->trades;
    double sum = 0.0;
    if (samples_before(w, k) < GATE || !all_on(w, k)) return NAN;
    while (low < high) { /* the first that is not before the bucket */
        size_t mid = (low + high) / 2;
        bool before = v ? o->trade[mid].ns <= from : o->trade[mid].bucket < k;
        if (before)
            low = mid + 1;
        else
            high = mid;
    }
    for (size_t i = low; i < o->trades; i++) {
        const struct world_trade *t = &o->trade[i];
        if (v ? t->ns > to : t->bucket > k) break;
        sum += with_sign && !t->buy ? -base(o, t) : base(o, t);
    }
    return sum;
}
static double own_volume(const struct world *w, size_t k) { return volume_of(w, k, 0, false); }
static double own_signed(const struct world *w, size_t k) { return volume_of(w, k, 0, true); }
static double peer_volume(const struct world *w, size_t k) {
    return volume_of(w, k, 1, false) + volume_of(w, k, 2, false);
}
static double peer_signed(const struct world *w, size_t k) {
    return volume_of(w, k, 1, true) + volume_of(w, k, 2, true);
}
static double volume_share(const struct world *w, size_t k, int n) {
    if (w->peers == 0) return NAN;
    double own = over(w, k, n, own_volume);
    return quotient(own, own + over(w, k, n, peer_volume));
}
static double flow(const struct world *w, size_t k, int n) {
    if (w->peers == 0) return NAN;
    return quotient(over(w, k, n, own_signed) + over(w, k, n, peer_signed),
        over(w, k, n, own_volume) + over(w, k, n, peer_volume));
}
static double flow_diff(const struct world *w, size_t k, int n) {
    if (w->peers == 0) return NAN;
    return quotient(over(w, k, n, own_signed), over(w, k, n, own_volume)) -
           quotient(over(w, k, n, peer_signed), over(w, k, n, peer_volume));
}

/* Order flow at the best level of one venue in bucket k; NaN where its book was not whole. */
static double order_flow(const struct world *w, size_t k, int v) {
    const struct world *o = venue(w, v);
    size_t from = k ? quotes_by(o, last_ns(&w->bucket[k - 1].b)) : 0;
    size_t to = quotes_by(o, last_ns(&w->bucket[k].b));
    double unit = instrument_qty_unit(&o->inst), sum = 0.0;
    if (samples_before(w, k) < GATE || !all_on(w, k)) return NAN;
    if (from == 0 || !o->quote[from - 1].good) return NAN;
    for (size_t i = from; i < to; i++) {
        const struct world_quote *was = &o->quote[i - 1], *is = &o->quote[i];
        double e = 0.0;
        if (!is->good || is->whole) return NAN;
        if (is->px[0] >= was->px[0]) e += (double)is->lots[0];
        if (is->px[0] <= was->px[0]) e -= (double)was->lots[0];
        if (is->px[1] <= was->px[1]) e -= (double)is->lots[1];
        if (is->px[1] >= was->px[1]) e += (double)was->lots[1];
        double mid = 0.5 * (double)(is->px[0] + is->px[1]) * instrument_px_unit(&o->inst);
        bool inverse = o->inst.kind == INSTRUMENT_INVERSE;
        sum += e * unit * (inverse ? (double)o->inst.contract_e8 / 1e8 / mid : 1.0);
    }
    return sum;
}
static double peer_ofi_of(const struct world *w, size_t k) {
    return order_flow(w, k, 0) * 0.0 + order_flow(w, k, 1) + order_flow(w, k, 2);
}
static double all_ofi_of(const struct world *w, size_t k) {
    return order_flow(w, k, 0) + order_flow(w, k, 1) + order_flow(w, k, 2);
}
static double ofi(const struct world *w, size_t k, int n) {
    return w->peers ? over(w, k, n, all_ofi_of) : NAN;
}
static double peer_ofi(const struct world *w, size_t k, int n) {
    return w->peers ? over(w, k, n, peer_ofi_of) : NAN;
}

#define PEER(P, N)                                                                                 \
    {"xv_mid_diff_" P, pair_now, (N)*PAIR + MID_DIFF},                                             \
        {"xv_basis_" P, pair_now, (N)*PAIR + BASIS}, {"xv_basis_z_" P "_b60", basis_z, (N)},       \
        {"xv_spread_diff_" P, pair_now, (N)*PAIR + SPREAD_DIFF},                                   \
        {"xv_sell_edge_" P, pair_now, (N)*PAIR + SELL},                                            \
        {"xv_buy_edge_" P, pair_now, (N)*PAIR + BUY},                                              \
        {"xv_corr_" P "_s60", lead_lag, (N)*PAIR + 50},                                            \
        {"xv_corr_peer100_" P "_s60", lead_lag, (N)*PAIR + 51},                                    \
        {"xv_corr_peer500_" P "_s60", lead_lag, (N)*PAIR + 55},                                    \
        {"xv_corr_own100_" P "_s60", lead_lag, (N)*PAIR + 49},                                     \
        {"xv_corr_own500_" P "_s60", lead_lag, (N)*PAIR + 45},                                     \
        {"xv_peak_lag_" P "_s60", lead_lag, (N)*PAIR + PEAK},                                      \
        {"xv_lead_share_" P "_s60", lead_lag, (N)*PAIR + LEAD},                                    \
        {"xv_info_low_" P "_s120", slow, (N)*PAIR + LOW},                                          \
        {"xv_info_high_" P "_s120", slow, (N)*PAIR + HIGH},                                        \
        {"xv_component_" P "_s120", slow, (N)*PAIR + COMPONENT},                                   \
        {"xv_granger_in_" P "_s120", slow, (N)*PAIR + IN},                                         \
        {"xv_granger_out_" P "_s120", slow, (N)*PAIR + OUT},                                       \
        {"xv_granger_direction_" P "_s120", slow, (N)*PAIR + DIRECTION}, {                         \
        "xv_consistency_" P "_s10", pair_now, (N)*PAIR + AGREE                                     \
    }

const struct naive_row naive_xv[] = {
    PEER("p1", 1),
    PEER("p2", 2),
    {"xv_peers_on", peers_on, 0},
    {"xv_gated_b60", gated, 60},
    {"xv_estimate_age", age, 0},
    {"xv_best_bid_b1", bid_share, 1},
    {"xv_best_bid_b20", bid_share, 20},
    {"xv_best_ask_b1", ask_share, 1},
    {"xv_best_ask_b20", ask_share, 20},
    {"xv_bid_gap", joint, BID_GAP},
    {"xv_ask_gap", joint, ASK_GAP},
    {"xv_joint_spread", joint, JOINT},
    {"xv_dispersion", joint, DISPERSION},
    {"xv_return_gap_b1", return_gap, 1},
    {"xv_return_gap_b5", return_gap, 5},
    {"xv_volume_share_b1", volume_share, 1},
    {"xv_volume_share_b20", volume_share, 20},
    {"xv_flow_imbalance_b1", flow, 1},
    {"xv_flow_imbalance_b20", flow, 20},
    {"xv_flow_diff_b20", flow_diff, 20},
    {"xv_ofi_b1", ofi, 1},
    {"xv_ofi_b20", ofi, 20},
    {"xv_ofi_peers_b1", peer_ofi, 1},
    {0},
};
