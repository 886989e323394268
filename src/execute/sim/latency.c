#include "execute/sim/latency.h"

#include <math.h>

#include "base/check.h"
#include "base/unit.h"

const double latency_p[LATENCY_POINTS] = {0, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6,
    0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 1};

/* ---- draws ---- */

static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double latency_unit(uint64_t seed, uint64_t stream, uint64_t n) {
    uint64_t key = mix(seed + 0x9e3779b97f4a7c15u * (stream + 1));
    uint64_t bits = mix(key + 0x9e3779b97f4a7c15u * (n + 1));
    return ((double)(bits >> 11) + 0.5) / 9007199254740992.0; /* 2^53 */
}

const struct latency_band *latency_band_of(
    const struct latency_fit *f, enum latency_way way, double rate) {
    CHECK(f->bands[way] > 0);
    uint32_t i = 0;
    while (i + 1 < f->bands[way] && rate > f->band[way][i].rate_to) i++;
    return &f->band[way][i];
}

int64_t latency_quantile(const struct latency_band *b, double u) {
    CHECK(u >= 0 && u <= 1);
    int i = 1;
    while (i + 1 < LATENCY_POINTS && u > latency_p[i]) i++;
    double share = (u - latency_p[i - 1]) / (latency_p[i] - latency_p[i - 1]);
    return b->q_ns[i - 1] + (int64_t)(share * (double)(b->q_ns[i] - b->q_ns[i - 1]));
}

/* ---- recorded rows ---- */

/* The first row whose stamp is after ts; n if none. `venue`: by venue stamp, else by request. */
static size_t after(const struct latency_row *rows, size_t n, bool venue, int64_t ts) {
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int64_t stamp = venue ? rows[mid].venue_ns : rows[mid].req_ns;
        if (stamp <= ts) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static int64_t leg_of(const struct latency_row *r, enum latency_way way) {
    return way == WAY_ENTRY ? r->venue_ns - r->req_ns : r->resp_ns - r->venue_ns;
}

/* Linear between the accepted rows around ts. */
static int64_t between(const struct latency_config *c, enum latency_way way, int64_t ts) {
    const struct latency_row *rows = way == WAY_ENTRY ? c->by_req : c->by_venue;
    bool venue = way == WAY_RESPONSE;
    CHECK(c->n_good > 0);
    size_t i = after(rows, c->n_good, venue, ts);
    if (i == 0) return leg_of(&rows[0], way);
    if (i == c->n_good) return leg_of(&rows[i - 1], way);
    int64_t y1 = leg_of(&rows[i - 1], way), y2 = leg_of(&rows[i], way);
    int64_t x1 = venue ? rows[i - 1].venue_ns : rows[i - 1].req_ns;
    int64_t x2 = venue ? rows[i].venue_ns : rows[i].req_ns;
    return y1 + (int64_t)((int128)(y2 - y1) * (ts - x1) / (x2 - x1));
}

static struct latency_answer recorded_entry(const struct latency_config *c, int64_t now) {
    size_t i = after(c->rows, c->n_rows, false, now);
    const struct latency_row *newest = &c->rows[i > 0 ? i - 1 : 0];
    if (newest->venue_ns <= 0) {
        return (struct latency_answer){FATE_REJECTED, newest->resp_ns - newest->req_ns};
    }
    return (struct latency_answer){FATE_ARRIVES, between(c, WAY_ENTRY, now)};
}

/* ---- the anchor's interpolation ---- */

static int64_t anchor_line(int64_t x, int64_t x1, int64_t y1, int64_t x2, int64_t y2) {
    double slope = (double)(y2 - y1) / (double)(x2 - x1);
    return (int64_t)(slope * (double)(x - x1)) + y1;
}

/* A negative value is a reject that is heard after its absolute value. */
static int64_t anchor_entry(
    const struct latency_config *c, struct latency_cursor *at, int64_t now) {
    const struct latency_row *r = c->rows;
    if (now < r[0].req_ns) return r[0].venue_ns - r[0].req_ns;
    for (size_t i = at->entry; i + 1 < c->n_rows; i++) {
        const struct latency_row *a = &r[i], *b = &r[i + 1];
        if (now < a->req_ns || now >= b->req_ns) continue;
        at->entry = i;
        if (a->venue_ns <= 0 || b->venue_ns <= 0) {
            return -anchor_line(
                now, a->req_ns, a->resp_ns - a->req_ns, b->req_ns, b->resp_ns - b->req_ns);
        }
        return anchor_line(
            now, a->req_ns, a->venue_ns - a->req_ns, b->req_ns, b->venue_ns - b->req_ns);
    }
    const struct latency_row *last = &r[c->n_rows - 1];
    return last->venue_ns - last->req_ns;
}

static int64_t anchor_response(
    const struct latency_config *c, struct latency_cursor *at, int64_t ts) {
    const struct latency_row *r = c->rows, *last = &r[c->n_rows - 1];
    if (ts < r[0].venue_ns) return r[0].resp_ns - r[0].venue_ns;
    if (ts >= last->venue_ns) return last->resp_ns - last->venue_ns;
    for (size_t i = at->response; i + 1 < c->n_rows; i++) {
        const struct latency_row *a = &r[i], *b = &r[i + 1];
        if (ts < a->venue_ns || ts >= b->venue_ns) continue;
        at->response = i;
        return anchor_line(
            ts, a->venue_ns, a->resp_ns - a->venue_ns, b->venue_ns, b->resp_ns - b->venue_ns);
    }
    return last->resp_ns - last->venue_ns;
}

/* ---- what the world asks ---- */

static int64_t scaled(const struct latency_config *c, enum latency_leg leg, int64_t ns) {
    double f = c->factor[leg];
    return f == 1.0 ? ns : (int64_t)floor((double)ns * f + 0.5);
}

static int64_t drawn(const struct latency_config *c, enum latency_way way, enum latency_leg leg,
    double rate, uint64_t n) {
    const struct latency_band *b = latency_band_of(c->fit, way, rate);
    return scaled(c, leg, latency_quantile(b, latency_unit(c->seed, way, n)));
}

static struct latency_answer model_entry(const struct latency_config *c, struct latency_cursor *at,
    enum latency_leg leg, double rate, int64_t now) {
    struct latency_answer a = {FATE_ARRIVES, c->constant_ns[leg]};
    switch ((enum latency_kind)c->kind) {
    case LATENCY_CONSTANT: return a;
    case LATENCY_FITTED: a.ns = drawn(c, WAY_ENTRY, leg, rate, at->sent); return a;
    case LATENCY_RECORDED: break;
    }
    if (!c->defects) {
        a = recorded_entry(c, now);
    } else {
        int64_t ns = anchor_entry(c, at, now);
        a = (struct latency_answer){ns < 0 ? FATE_REJECTED : FATE_ARRIVES, ns < 0 ? -ns : ns};
    }
    a.ns = scaled(c, leg, a.ns);
    return a;
}

struct latency_answer latency_entry(const struct latency_config *c, struct latency_cursor *at,
    enum latency_leg leg, double rate, int64_t now_ns) {
    CHECK(leg <= LEG_MODIFY);
    struct latency_answer a = model_entry(c, at, leg, rate, now_ns);
    uint64_t n = at->sent++;
    if (a.fate != FATE_ARRIVES) return a;
    if (c->lost_rate > 0 && latency_unit(c->seed, 2, n) < c->lost_rate) a.fate = FATE_LOST;
    if (a.fate == FATE_ARRIVES && c->reject_rate > 0 &&
        latency_unit(c->seed, 3, n) < c->reject_rate) {
        int64_t back = 0; /* refused at the venue's door: there and back */
        if (!latency_response(c, at, LEG_ACK, rate, now_ns + a.ns, &back)) back = 0;
        a = (struct latency_answer){FATE_REJECTED, a.ns + back};
    }
    return a;
}

bool latency_response(const struct latency_config *c, struct latency_cursor *at,
    enum latency_leg leg, double rate, int64_t venue_ns, int64_t *ns) {
    CHECK(leg == LEG_ACK || leg == LEG_FILL);
    uint64_t n = at->heard++;
    switch ((enum latency_kind)c->kind) {
    case LATENCY_CONSTANT: *ns = c->constant_ns[leg]; return true;
    case LATENCY_FITTED: *ns = drawn(c, WAY_RESPONSE, leg, rate, n); return true;
    case LATENCY_RECORDED: break;
    }
    int64_t raw =
        c->defects ? anchor_response(c, at, venue_ns) : between(c, WAY_RESPONSE, venue_ns);
    if (raw < 0) return false;
    *ns = scaled(c, leg, raw);
    return true;
}

/* ---- message rate ---- */

void latency_rate_see(struct latency_rate *r, int64_t ts_ns) {
    int64_t slot = ts_ns / (NS_PER_S / LATENCY_RATE_SLOTS);
    if (slot > r->slot) {
        int64_t from = slot - r->slot > LATENCY_RATE_SLOTS ? slot - LATENCY_RATE_SLOTS : r->slot;
        for (int64_t i = from + 1; i <= slot; i++) {
            uint32_t *count = &r->count[i % LATENCY_RATE_SLOTS];
            r->sum -= *count;
            *count = 0;
        }
        r->slot = slot;
    }
    r->count[r->slot % LATENCY_RATE_SLOTS]++;
    r->sum++;
}

double latency_rate_at(const struct latency_rate *r, int64_t ts_ns) {
    int64_t slot = ts_ns / (NS_PER_S / LATENCY_RATE_SLOTS);
    uint32_t sum = 0;
    for (int64_t i = r->slot - LATENCY_RATE_SLOTS + 1; i <= r->slot; i++) {
        if (i >= 0 && i > slot - LATENCY_RATE_SLOTS) sum += r->count[i % LATENCY_RATE_SLOTS];
    }
    return sum;
}
