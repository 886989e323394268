/* chain_book.c: the options of a chain by expiry and strike; forward, smile and greeks from them.
 */
#include "derive/feature/chain_book.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "derive/feature/black76.h"

#define DAY_NS (86400 * NS_PER_S)
#define YEAR_NS (365.0 * 86400e9)
#define QUARTER 0.25 /* delta */

/* ---- table ---- */

static uint32_t slot_of(int64_t expiry, int64_t strike, bool call) {
    uint64_t h = (uint64_t)expiry * 0x9E3779B97F4A7C15u ^ (uint64_t)strike * 0xC2B2AE3D27D4EB4Fu;
    h ^= h >> 29;
    return (uint32_t)((h * 0x165667B19E3779F9u + call) >> 40) % CHAIN_SLOTS;
}

/* The slot that holds the option, or the free one where it belongs. */
static uint16_t *find(struct chain_book *b, int64_t expiry, int64_t strike, bool call) {
    for (uint32_t i = slot_of(expiry, strike, call);; i = (i + 1) % CHAIN_SLOTS) {
        uint16_t at = b->slot[i];
        if (at == 0) return &b->slot[i];
        const struct chain_option *o = &b->option[at - 1];
        if (o->expiry_ns == expiry && o->strike_e10 == strike && o->call == call)
            return &b->slot[i];
    }
}

static void clear(struct chain_book *b) {
    b->n = 0;
    memset(b->slot, 0, sizeof b->slot);
}

static bool live(const struct chain_book *b, const struct chain_option *o) {
    return o->expiry_ns > b->newest_ns && b->newest_ns - o->quote_ns <= CHAIN_AGE_MAX;
}

/* Takes out what no longer counts. */
static void sweep(struct chain_book *b) {
    uint32_t kept = 0;
    memset(b->slot, 0, sizeof b->slot);
    for (uint32_t i = 0; i < b->n; i++) {
        if (!live(b, &b->option[i])) continue;
        b->option[kept] = b->option[i];
        const struct chain_option *o = &b->option[kept++];
        *find(b, o->expiry_ns, o->strike_e10, o->call) = (uint16_t)kept;
    }
    b->n = kept;
}

static double word_of(const int64_t *w, int i, double one) {
    return w[i] == KLINE_UNKNOWN ? (double)NAN : (double)w[i] / one;
}

void chain_take(struct chain_book *b, const struct event *ev) {
    const int64_t *w = event_words(ev);
    bool first = ev->flags & EVF_FIRST, last = ev->flags & EVF_LAST, call = ev->flags & EVF_BUY;
    int64_t now = ev->ts_local.ns;
    if (b->newest_ns == 0 || now - b->newest_ns > CHAIN_AGE_MAX) { /* nothing before counts */
        b->since_ns = now;
        b->whole = false;
    }
    if (now > b->newest_ns) b->newest_ns = now;
    if (first) b->snapshot = !last;
    if (first && !last) {
        clear(b);
        b->resting_ns = 0;
    }
    uint16_t *slot = find(b, ev->id, ev->aux.a, call);
    if (*slot == 0 && b->n == CHAIN_MAX) {
        sweep(b);
        slot = find(b, ev->id, ev->aux.a, call);
    }
    if (*slot == 0 && b->n == CHAIN_MAX) {
        b->resting_ns = now + CHAIN_AGE_MAX;
    } else {
        if (*slot == 0) *slot = (uint16_t)++b->n;
        b->option[*slot - 1] = (struct chain_option){.expiry_ns = ev->id,
            .strike_e10 = ev->aux.a,
            .quote_ns = now,
            .mark = word_of(w, OPTION_MARK_E10, 1e10),
            .vol = word_of(w, OPTION_IV_E10, 1e10),
            .forward = word_of(w, OPTION_FORWARD_E10, 1e10),
            .interest_e8 = word_of(w, OPTION_INTEREST_E8, 1.0),
            .volume_e8 = word_of(w, OPTION_VOLUME_E8, 1.0),
            .index = ev->aux.b > 0 ? (double)ev->aux.b / 1e10 : (double)NAN,
            .call = call};
    }
    b->whole |= (b->snapshot && last) || now - b->since_ns >= CHAIN_AGE_MAX;
}

/* ---- one expiry ---- */

struct strike {
    double k;
    double mark[2], vol[2]; /* put, call */
};

struct smile {
    struct strike at[CHAIN_STRIKES];
    size_t n;
    bool full;
    double forward, index, years;
};

/* Places the option's strike among those of the smile, in rising order. */
static struct strike *strike_of(struct smile *s, double k) {
    size_t i = s->n;
    while (i > 0 && s->at[i - 1].k > k) i--;
    if (i > 0 && s->at[i - 1].k == k) return &s->at[i - 1];
    if (s->n == CHAIN_STRIKES) {
        s->full = true;
        return NULL;
    }
    memmove(&s->at[i + 1], &s->at[i], (s->n - i) * sizeof s->at[0]);
    s->n++;
    s->at[i] = (struct strike){k, {(double)NAN, (double)NAN}, {(double)NAN, (double)NAN}};
    return &s->at[i];
}

/* Forward of the pair nearest to the index (the lower strike of equals): parity in coin. */
static double parity(const struct smile *s) {
    double best = INFINITY, forward = (double)NAN;
    for (size_t i = 0; i < s->n; i++) {
        const struct strike *x = &s->at[i];
        double f = black76_parity_coin(x->k, x->mark[1], x->mark[0]), off = fabs(x->k - s->index);
        if (isnan(f) || !(off < best)) continue;
        best = off;
        forward = f;
    }
    return forward;
}

/* The venue's forward where every option says one (the highest of them), else parity. */
static void smile_of(const struct chain_book *b, int64_t expiry, struct smile *s) {
    double said = 0.0;
    bool all = true;
    s->n = 0;
    s->full = false;
    s->index = 0.0;
    for (uint32_t i = 0; i < b->n; i++) {
        const struct chain_option *o = &b->option[i];
        if (o->expiry_ns != expiry || !live(b, o)) continue;
        struct strike *x = strike_of(s, (double)o->strike_e10 / 1e10);
        if (!x) break;
        x->mark[o->call] = o->mark;
        x->vol[o->call] = o->vol > 0.0 ? o->vol : (double)NAN;
        all &= o->forward > 0.0;
        if (o->forward > said) said = o->forward;
        if (o->index > s->index) s->index = o->index;
    }
    s->forward = all && said > 0.0 ? said : parity(s);
    s->years = (double)(expiry - b->newest_ns) / YEAR_NS;
    if (s->full) s->forward = (double)NAN;
}

/* Mean of those of the two that are known. */
static double either(const double v[2]) {
    if (isnan(v[0])) return v[1];
    return isnan(v[1]) ? v[0] : 0.5 * (v[0] + v[1]);
}

static double between(double x, double x0, double y0, double x1, double y1) {
    return y0 + (x - x0) * (y1 - y0) / (x1 - x0);
}

/* Volatility at the forward, between the two strikes around it that have one. */
static double atm_of(const struct smile *s) {
    double x0 = (double)NAN, y0 = (double)NAN;
    for (size_t i = 0; i < s->n && !isnan(s->forward); i++) {
        double vol = either(s->at[i].vol), k = s->at[i].k;
        if (isnan(vol)) continue;
        if (k == s->forward) return vol;
        if (k > s->forward)
            return between(s->forward, x0, y0, k, vol); /* NaN without a lower one */
        x0 = k;
        y0 = vol;
    }
    return (double)NAN;
}

/* Volatility of the side's options where their delta is a quarter in size. */
static double quarter(const struct smile *s, bool call) {
    double x0 = (double)NAN, y0 = (double)NAN;
    for (size_t i = 0; i < s->n; i++) { /* calls: delta falls with the strike; puts: it grows */
        double vol = s->at[i].vol[call];
        double d = fabs(black76(call, s->forward, s->at[i].k, vol, s->years).delta);
        if (isnan(d)) continue;
        bool past = call ? d <= QUARTER : d >= QUARTER;
        if (past && d == QUARTER) return vol;
        if (past) return between(QUARTER, x0, y0, d, vol);
        x0 = d;
        y0 = vol;
    }
    return (double)NAN;
}

static void straddle(const struct smile *s, struct chain_reading *out) {
    const struct strike *best = NULL;
    for (size_t i = 0; i < s->n; i++) {
        if (isnan(either(s->at[i].vol))) continue;
        if (!best || fabs(s->at[i].k - s->forward) < fabs(best->k - s->forward)) best = &s->at[i];
    }
    if (!best) return;
    double vol = either(best->vol);
    struct black76 c = black76(true, s->forward, best->k, vol, s->years);
    struct black76 p = black76(false, s->forward, best->k, vol, s->years);
    out->delta = c.delta + p.delta;
    out->gamma = 2.0 * c.gamma * s->forward * 0.01;
    out->vega = 1e4 * 2.0 * c.vega * 0.01 / s->forward;
    out->theta = 1e4 * 2.0 * c.theta / 365.0 / s->forward;
}

/* ---- the chain ---- */

/* The expiry nearest to so many days ahead, the earlier of equals; 0 without any. */
static int64_t expiry_near(const struct chain_book *b, int64_t days) {
    int64_t best = 0, best_off = INT64_MAX;
    for (uint32_t i = 0; i < b->n; i++) {
        const struct chain_option *o = &b->option[i];
        if (!live(b, o)) continue;
        int64_t off = o->expiry_ns - b->newest_ns - days * DAY_NS;
        if (off < 0) off = -off;
        if (off > best_off || (off == best_off && o->expiry_ns >= best)) continue;
        best = o->expiry_ns;
        best_off = off;
    }
    return best;
}

/* Puts over calls; NaN as soon as one option does not say it. Counts of 1e-8: the sums are exact
 * below 2^53, whatever the order. */
static double ratio(const struct chain_book *b, bool interest) {
    double sum[2] = {0.0, 0.0};
    for (uint32_t i = 0; i < b->n; i++) {
        const struct chain_option *o = &b->option[i];
        if (live(b, o)) sum[o->call] += interest ? o->interest_e8 : o->volume_e8;
    }
    return sum[1] > 0.0 ? sum[0] / sum[1] : (double)NAN;
}

static double atm_at(const struct chain_book *b, int64_t expiry) {
    struct smile s;
    smile_of(b, expiry, &s);
    return atm_of(&s);
}

void chain_read(const struct chain_book *b, struct chain_reading *out) {
    const double none = (double)NAN;
    struct smile s;
    *out = (struct chain_reading){none, none, none, none, none, none, none, none, none, none, none};
    if (!b->whole || b->newest_ns < b->resting_ns) return;
    int64_t main_one = expiry_near(b, 30), near = expiry_near(b, 7), far = expiry_near(b, 90);
    if (main_one == 0) return;
    out->put_call_volume = ratio(b, false);
    out->put_call_interest = ratio(b, true);
    if (near != far) out->term = atm_at(b, far) - atm_at(b, near);
    smile_of(b, main_one, &s);
    if (isnan(s.forward)) return;
    double put = quarter(&s, false), call = quarter(&s, true);
    out->atm = atm_of(&s);
    out->skew = put - call;
    out->fly = 0.5 * (put + call) - out->atm;
    if (s.index > 0.0) out->basis = s.forward / s.index - 1.0;
    straddle(&s, out);
}
