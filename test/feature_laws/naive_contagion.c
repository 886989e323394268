/* Forced orders across venues again: each value from the plain lists by time. */
#include "feature_laws/world.h"

static int64_t second_of(const struct world *w, size_t k) {
    return last_ns(&w->bucket[k].b) / NS_PER_S;
}

static double quote_of(const struct world *v, const struct world_liq *l) {
    double contract = (double)v->inst.contract_e8 / 1e8;
    double qty = l->lots * instrument_qty_unit(&v->inst) * contract;
    return v->inst.kind == INSTRUMENT_INVERSE ? qty : qty * l->px;
}

/* Counts and values of the liquidations in the seconds [from, to]. */
struct forced {
    double count[2], value[2]; /* by side: longs, shorts */
    int64_t last_ns;
};

static void forced_add(
    const struct world *v, int64_t from, int64_t to, int64_t now, struct forced *f) {
    for (size_t i = 0; i < v->liqs; i++) {
        const struct world_liq *l = &v->liq[i];
        int64_t t = l->ns / NS_PER_S;
        if (l->ns <= now && l->ns > f->last_ns) f->last_ns = l->ns;
        if (t < from || t > to || l->ns > now) continue;
        f->count[l->buy] += 1.0;
        f->value[l->buy] += quote_of(v, l);
    }
}

static struct forced forced_in(
    const struct world *w, size_t k, bool peers, int64_t from, int64_t to) {
    struct forced f = {{0.0, 0.0}, {0.0, 0.0}, 0};
    int64_t now = last_ns(&w->bucket[k].b);
    if (!peers) forced_add(w, from, to, now, &f);
    for (size_t p = 0; p < w->peers && peers; p++) forced_add(w->peer[p], from, to, now, &f);
    return f;
}

static bool known(const struct world *w, size_t k, bool own) {
    int64_t now = last_ns(&w->bucket[k].b), t = second_of(w, k);
    struct forced theirs = forced_in(w, k, true, t, t), ours = forced_in(w, k, false, t, t);
    if (w->peers == 0 || theirs.last_ns == 0 || now - theirs.last_ns > 600 * NS_PER_S) return false;
    return !own || (ours.last_ns != 0 && now - ours.last_ns <= 600 * NS_PER_S);
}

static double peers_in_60(const struct world *w, size_t k, int what) {
    int64_t t = second_of(w, k);
    if (!known(w, k, what == 2) || t - 60 < second_of(w, 0)) return NAN;
    struct forced p = forced_in(w, k, true, t - 59, t), o = forced_in(w, k, false, t - 59, t);
    double theirs = p.value[0] + p.value[1], ours = o.value[0] + o.value[1];
    if (what == 0) return theirs;
    return what == 1 ? quotient(p.value[1] - p.value[0], theirs) : quotient(theirs, theirs + ours);
}

/* Each cause looks for its own effect. */
static double followed(const struct world *w, size_t k, int n) {
    int64_t now = second_of(w, k), end = now - 11;
    double all = 0.0, met = 0.0;
    if (!known(w, k, true) || end - n < second_of(w, 0)) return NAN;
    for (size_t p = 0; p < w->peers; p++)
        for (size_t i = 0; i < w->peer[p]->liqs; i++) {
            const struct world_liq *l = &w->peer[p]->liq[i];
            int64_t t = l->ns / NS_PER_S;
            if (t > end || t <= end - n) continue;
            all += 1.0;
            met += forced_in(w, k, false, t + 1, t + 10).count[l->buy] > 0.0;
        }
    return quotient(met, all);
}

static double excites(const struct world *w, size_t k, int peers_cause) {
    double x[59], y[59], cross = 0.0;
    int64_t end = second_of(w, k) / 5, from = end - 60;
    if (!known(w, k, true) || from * 5 <= second_of(w, 0)) return NAN;
    for (int i = 0; i < 59; i++) {
        int64_t a = 5 * (from + i), b = a + 5;
        struct forced c = forced_in(w, k, peers_cause, a, a + 4);
        struct forced e = forced_in(w, k, !peers_cause, b, b + 4);
        x[i] = c.count[0] + c.count[1];
        y[i] = e.count[0] + e.count[1];
    }
    for (int i = 0; i < 59; i++) cross += (x[i] - mean_of(x, 59)) * (y[i] - mean_of(y, 59)) / 59.0;
    return quotient(cross, sd_of(x, 59) * sd_of(y, 59));
}

const struct naive_row naive_contagion[] = {
    {"perp_liq_peer_value_s60", peers_in_60, 0},
    {"perp_liq_peer_imbalance_s60", peers_in_60, 1},
    {"perp_liq_peer_share_s60", peers_in_60, 2},
    {"perp_liq_peer_follow_s300", followed, 300},
    {"perp_liq_peer_excite_in_s300", excites, 1},
    {"perp_liq_peer_excite_out_s300", excites, 0},
    {0},
};
