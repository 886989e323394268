#include "execute/intent/intent.h"

#include <math.h>
#include <string.h>

#include "base/check.h"

static const char *const names[INTENT_REASON_COUNT] = {"ok", "no_prediction", "not_finite",
    "book_state", "stale", "gapped", "missing", "confidence", "edge"};

const char *intent_reason_name(uint8_t reason) {
    return reason < INTENT_REASON_COUNT ? names[reason] : "invalid";
}

static bool finite_p(double p) { return p >= 0.0 && p <= 1.0; } /* false for NaN */

/* Two-class models give P(up); three-class ones P(down), P(flat), P(up). */
static bool sides(const struct prediction *p, double *up, double *down) {
    if (p->classes == 1) {
        *up = p->p[0];
        *down = 1.0 - p->p[0];
    } else if (p->classes == 3) {
        *down = p->p[0];
        *up = p->p[2];
    } else {
        return false;
    }
    return finite_p(*up) && finite_p(*down);
}

static enum intent_reason gate_data(
    const struct intent_config *cfg, const struct intent_input *in, double *spread_bps) {
    struct book_level bid, ask;
    *spread_bps = 0;
    if (in->b->gapped) return INTENT_GAPPED;
    if (!cfg->bars) {
        if (!in->book || book_state(in->book) != BOOK_SYNCED) return INTENT_BOOK_STATE;
        if (!book_best(in->book, BOOK_BID, &bid) || !book_best(in->book, BOOK_ASK, &ask)) {
            return INTENT_BOOK_STATE;
        }
        if (cfg->stale_ns > 0 && in->now.ns - book_update_ts(in->book).ns > cfg->stale_ns) {
            return INTENT_STALE;
        }
        double mid = 0.5 * (double)(bid.px.ticks + ask.px.ticks);
        *spread_bps = 1e4 * (double)(ask.px.ticks - bid.px.ticks) / mid;
    }
    double share = in->features ? (double)in->p->missing / (double)in->features : 0.0;
    return share > cfg->missing_max ? INTENT_MISSING : INTENT_OK;
}

/* Quantity for an edge: a whole multiple of the lot, toward zero. */
static int64_t size_of(const struct intent_config *cfg, const struct instrument *in, double edge) {
    double span = cfg->edge_full_bps - cfg->edge_min_bps;
    double share = span > 0 ? (edge - cfg->edge_min_bps) / span : 1.0;
    if (share > 1.0) share = 1.0;
    CHECK(share >= 0.0);
    int64_t lots = (int64_t)floor(share * (double)cfg->position_max);
    return lots - lots % in->lot_units;
}

static enum intent_reason judge(
    const struct intent_config *cfg, const struct intent_input *in, struct decision *d) {
    double spread_bps;
    if (!in->p) return INTENT_NO_PREDICTION;
    if (!sides(in->p, &d->p_up, &d->p_down)) {
        d->p_up = d->p_down = 0;
        return INTENT_NOT_FINITE;
    }
    enum intent_reason r = gate_data(cfg, in, &spread_bps);
    if (r != INTENT_OK) return r;
    double p = d->p_up > d->p_down ? d->p_up : d->p_down;
    if (p < cfg->confidence_min) return INTENT_CONFIDENCE;
    double legs = cfg->hold_to_horizon ? 1.0 : 2.0;
    d->cost_bps = legs * (cfg->taker_bps + cfg->slippage_bps + 0.5 * spread_bps);
    d->edge_bps = fabs(d->p_up - d->p_down) * cfg->move_bps - d->cost_bps;
    if (!(d->edge_bps > cfg->edge_min_bps)) return INTENT_EDGE;
    d->wanted = size_of(cfg, in->inst, d->edge_bps);
    if (d->p_down > d->p_up) d->wanted = -d->wanted;
    return INTENT_OK;
}

struct decision intent_decide(
    const struct intent_config *cfg, const struct intent_input *in, struct intent_counters *n) {
    CHECK(in->b);
    CHECK(cfg->position_max >= 0);
    struct decision d;
    memset(&d, 0, sizeof d);
    d.ts = in->now;
    d.bucket_id = in->b->id;
    d.before = in->position;
    d.inst = in->inst->id;
    d.reason = (uint8_t)judge(cfg, in, &d);
    n->decisions++;
    n->reason[d.reason]++;
    return d;
}
