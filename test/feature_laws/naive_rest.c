/* Impact, toxicity, order-flow imbalance, time and perpetual features again. */
#include <stdlib.h>

#include "feature_laws/world.h"

static double unit(const struct world *w) { return instrument_qty_unit(&w->inst); }
static double px_unit(const struct world *w) { return instrument_px_unit(&w->inst); }

/* --- impact ---------------------------------------------------------------------------------- */

static double net_base(const struct world *w, size_t k) { return b_signed(w, k) * unit(w); }
static double kyle(const struct world *w, size_t k, int n) {
    double x[64], y[64];
    if (!window(w, k, n, net_base, x) || !window(w, k, n, b_ret, y)) return NAN;
    return slope_of(x, y, n);
}
static double kyle_r2(const struct world *w, size_t k, int n) {
    double x[64], y[64];
    if (!window(w, k, n, net_base, x) || !window(w, k, n, b_ret, y)) return NAN;
    return r2_of(x, y, n);
}
static double range_per_signed(const struct world *w, size_t k, int n) {
    const struct bucket *b = &w->bucket[k].b;
    if (b->close.ticks == 0) return NAN;
    return n * quotient((double)(b->high.ticks - b->low.ticks) * px_unit(w), net_base(w, k));
}
static double amihud(const struct world *w, size_t k, int n) {
    double r[64], sum = 0.0, all = 0.0;
    if (!window(w, k, n, b_ret, r)) return NAN;
    for (int i = 0; i < n; i++) {
        double quote = b_quote(w, k + 1 - (size_t)n + (size_t)i);
        if (quote == 0.0) continue;
        sum += fabs(r[i]) / (quote / 1e6);
        all += 1.0;
    }
    return quotient(sum, all);
}
static double spread_bps(const struct world *w, size_t k) {
    const struct world_bucket *b = &w->bucket[k];
    if (b->side[0].n == 0) return NAN;
    return 1e4 * (double)(b->side[1].l[0].px.ticks - b->side[0].l[0].px.ticks) * px_unit(w) /
           b_mid(w, k);
}
static double quoted(const struct world *w, size_t k, int n) {
    return over(w, k, n, spread_bps) / n;
}

/* Over the trades of buckets first..last that met a synchronised book: sums by quantity of what
 * `f` says of each. */
typedef double touch_fn(const struct world *w, const struct world_trade *t);
static double touch(const struct world *w, size_t k, int n, size_t lag, touch_fn *f) {
    double sum = 0.0, all = 0.0;
    if (k + 1 < (size_t)n + lag) return NAN;
    for (size_t i = 0; i < w->trades; i++) {
        const struct world_trade *t = &w->trade[i];
        if (t->bucket + (size_t)n + lag <= k || t->bucket + lag > k || t->bid == 0) continue;
        sum += f(w, t) * (double)t->lots;
        all += (double)t->lots;
    }
    return quotient(sum, all);
}
static double side_of(const struct world_trade *t) { return t->buy ? 1.0 : -1.0; }
static double paid_bps(const struct world *w, const struct world_trade *t) {
    double mid = (double)(t->bid + t->ask) / 2.0;
    (void)w;
    return 1e4 * 2.0 * side_of(t) * ((double)t->px - mid) / mid;
}
static double earned_bps(const struct world *w, const struct world_trade *t) {
    double mid = b_mid(w, t->bucket + 5) / px_unit(w);
    return 1e4 * 2.0 * side_of(t) * ((double)t->px - mid) / mid;
}
static double is_improved(const struct world *w, const struct world_trade *t) {
    (void)w;
    return t->buy ? t->px < t->ask : t->px > t->bid;
}
static double is_through(const struct world *w, const struct world_trade *t) {
    (void)w;
    return t->buy ? t->px > t->ask : t->px < t->bid;
}
static double effective(const struct world *w, size_t k, int n) {
    return touch(w, k, n, 0, paid_bps);
}
static double realised(const struct world *w, size_t k, int n) {
    return touch(w, k, n, 5, earned_bps);
}
static double adverse(const struct world *w, size_t k, int n) {
    return touch(w, k, n, 5, paid_bps) - realised(w, k, n);
}
static double improved(const struct world *w, size_t k, int n) {
    return touch(w, k, n, 0, is_improved);
}
static double through(const struct world *w, size_t k, int n) {
    return touch(w, k, n, 0, is_through);
}
static double root_flow(const struct world *w, size_t k) {
    double sum = 0.0;
    for (size_t i = k ? w->bucket[k - 1].trades : 0; i < w->bucket[k].trades; i++) {
        const struct world_trade *t = &w->trade[i];
        sum += side_of(t) * sqrt((double)t->px * px_unit(w) * (double)t->lots * unit(w));
    }
    return sum;
}
static double hasbrouck(const struct world *w, size_t k, int n) {
    double x[64], y[64];
    if (!window(w, k, n, root_flow, x) || !window(w, k, n, b_ret, y)) return NAN;
    return slope_of(x, y, n);
}
/* Last trade price at or before bucket k's close. */
static double trade_px(const struct world *w, size_t k) {
    for (size_t i = k + 1; i-- > 0;)
        if (w->bucket[i].b.close.ticks) return instrument_px(&w->inst, w->bucket[i].b.close);
    return NAN;
}
static double trade_change(const struct world *w, size_t k) {
    return k ? 1e4 * log(trade_px(w, k) / trade_px(w, k - 1)) : NAN;
}
static double roll(const struct world *w, size_t k, int n) {
    double x[64], cov = 0.0;
    if (!window(w, k, n, trade_change, x)) return NAN;
    double now = mean_of(x + 1, n - 1), before = mean_of(x, n - 1);
    for (int i = 1; i < n; i++) cov += (x[i] - now) * (x[i - 1] - before);
    cov /= n - 2.0;
    return cov < 0.0 ? 2.0 * sqrt(-cov) : NAN;
}
static double corwin(const struct world *w, size_t k, int n) {
    double sum = 0.0, all = 0.0;
    if (k + 1 < (size_t)n) return NAN;
    for (size_t i = k + 1 - (size_t)n; i <= k; i++) {
        if (i == 0 || !w->bucket[i].b.close.ticks || !w->bucket[i - 1].b.close.ticks) continue;
        double h1 = log((double)w->bucket[i - 1].b.high.ticks);
        double l1 = log((double)w->bucket[i - 1].b.low.ticks);
        double h2 = log((double)w->bucket[i].b.high.ticks);
        double l2 = log((double)w->bucket[i].b.low.ticks);
        double beta = (h1 - l1) * (h1 - l1) + (h2 - l2) * (h2 - l2);
        double gamma = pow(fmax(h1, h2) - fmin(l1, l2), 2.0), den = 3.0 - 2.0 * sqrt(2.0);
        double alpha = (sqrt(2.0 * beta) - sqrt(beta)) / den - sqrt(gamma / den);
        sum += fmax(0.0, 2.0 * (exp(alpha) - 1.0) / (1.0 + exp(alpha)));
        all += 1.0;
    }
    return 1e4 * quotient(sum, all);
}

/* --- toxicity -------------------------------------------------------------------------------- */

/* Replays every trade lot by lot (in batches that end at bucket borders) from the start. */
static double vpin(const struct world *w, size_t k, int n) {
    const int64_t minute = 60 * NS_PER_S;
    double share[4096];
    size_t shares = 0;
    int64_t now = -1, first = -1, size = 0, volume = 0, filled = 0, buys = 0;
    int64_t close = last_ns(&w->bucket[k].b) / minute;
    for (size_t i = 0; i <= w->trades; i++) {
        bool past = i == w->trades || w->trade[i].bucket > k;
        int64_t at = past ? close : w->trade[i].ns / minute;
        int64_t seen = first < 0 ? last_ns(&w->bucket[0].b) / minute : 0;
        if (first < 0) now = first = at < seen ? at : seen; /* a close may come before a trade */
        if (at != now) {
            size = at == now + 1 && now > first ? (volume + 9) / 10 : 0;
            now = at;
            volume = filled = buys = 0;
        }
        if (past) break;
        volume += w->trade[i].lots;
        for (int64_t left = w->trade[i].lots; left > 0 && size > 0;) {
            int64_t part = left < size - filled ? left : size - filled;
            filled += part;
            buys += w->trade[i].buy ? part : 0;
            left -= part;
            if (filled < size) continue;
            share[shares++ % 4096] = (double)llabs(buys - (size - buys)) / (double)size;
            filled = buys = 0;
        }
    }
    if (shares < (size_t)n) return NAN;
    double sum = 0.0;
    for (size_t i = shares - (size_t)n; i < shares; i++) sum += share[i % 4096];
    return sum / n;
}
static double unsided(const struct world *w, size_t k) { return fabs(b_signed(w, k)); }
static double fast(const struct world *w, size_t k, int n) {
    return quotient(over(w, k, n, unsided), over(w, k, n, b_volume));
}
static double fast20(const struct world *w, size_t k) { return fast(w, k, 20); }
static double rank(const struct world *w, size_t k, int n) {
    double x[64], below = 0.0;
    if (!window(w, k, n, fast20, x)) return NAN;
    for (int i = 0; i < n; i++) below += x[i] <= x[n - 1];
    return below / n;
}
static double px_change(const struct world *w, size_t k) {
    return k ? b_px(w, k) - b_px(w, k - 1) : NAN;
}
static double bulk_part(const struct world *w, size_t k) {
    double x[20];
    if (!window(w, k, 20, px_change, x) || sd_of(x, 20) == 0.0) return NAN;
    double z = x[19] / (sd_of(x, 20) * sqrt(20.0 / 19.0));
    double buy = 0.5 * erfc(-z / sqrt(2.0));
    return fabs(buy - (1.0 - buy)) * b_volume(w, k);
}
static double bulk(const struct world *w, size_t k, int n) {
    return quotient(over(w, k, n, bulk_part), over(w, k, n, b_volume));
}

/* --- order-flow imbalance -------------------------------------------------------------------- */

struct ofi {
    double flow, depth, messages;
};

static double level_ofi(const struct book_level *a, const struct book_level *b, int side) {
    bool better = side == BOOK_BID ? b->px.ticks > a->px.ticks : b->px.ticks < a->px.ticks;
    double was = (double)a->qty.lots, is = (double)b->qty.lots;
    double e = a->px.ticks == b->px.ticks ? is - was : better ? is : -was;
    return side == BOOK_BID ? e : -e;
}

/* One bucket; false if the book was not followed all through. */
static bool ofi_bucket(const struct world *w, size_t k, size_t levels, struct ofi *o) {
    *o = (struct ofi){0};
    size_t i = k ? w->bucket[k - 1].messages : 0;
    bool whole = k > 0 && w->bucket[k].side[0].n > 0 && i > 0 && w->message[i - 1].synced;
    for (; i < w->bucket[k].messages; i++) {
        const struct world_message *m = &w->message[i];
        if (!m->synced || m->whole || i == 0) return false;
        o->messages += 1.0;
        for (int side = 0; side < 2; side++) {
            for (size_t l = 0; l < levels && l < m->n[side]; l++) {
                o->depth += (double)m->top[side][l].qty.lots;
                if (l < m[-1].n[side])
                    o->flow += level_ofi(&m[-1].top[side][l], &m->top[side][l], side);
            }
        }
    }
    return whole;
}
static bool ofi_sum(const struct world *w, size_t k, int n, size_t levels, struct ofi *sum) {
    *sum = (struct ofi){0};
    if (k + 1 < (size_t)n) return false;
    for (size_t i = k + 1 - (size_t)n; i <= k; i++) {
        struct ofi o;
        if (!ofi_bucket(w, i, levels, &o)) return false;
        sum->flow += o.flow;
        sum->depth += o.depth;
        sum->messages += o.messages;
    }
    return true;
}
static double ofi_plain(const struct world *w, size_t k, int n, size_t levels) {
    struct ofi o;
    return ofi_sum(w, k, n, levels, &o) ? o.flow * unit(w) : NAN;
}
static double ofi_normal(const struct world *w, size_t k, int n, size_t levels, double part) {
    struct ofi o;
    if (!ofi_sum(w, k, n, levels, &o)) return NAN;
    return quotient(o.flow * part, o.depth / (2.0 * (double)levels * o.messages));
}
static double ofi_l1(const struct world *w, size_t k, int n) { return ofi_plain(w, k, n, 1); }
static double ofi_l5(const struct world *w, size_t k, int n) { return ofi_plain(w, k, n, 5); }
static double ofi_l10(const struct world *w, size_t k, int n) { return ofi_plain(w, k, n, 10); }
static double ofi_n1(const struct world *w, size_t k, int n) { return ofi_normal(w, k, n, 1, 1.0); }
static double ofi_n5(const struct world *w, size_t k, int n) { return ofi_normal(w, k, n, 5, 1.0); }
static double ofi_all(const struct world *w, size_t k, int n) {
    return ofi_normal(w, k, n, 10, 0.1);
}

/* --- time ------------------------------------------------------------------------------------ */

/* Seconds into the period that began last; integers, because 2024 in ns has no exact double. */
static double into(const struct world *w, size_t k, int64_t period, int64_t from) {
    return (double)((w->bucket[k].b.close_ts.ns - from * NS_PER_S) % (period * NS_PER_S)) / 1e9;
}
static double turn(const struct world *w, size_t k, int period, int64_t from) {
    return 2.0 * M_PI * into(w, k, period, from) / period;
}
/* 345600: Monday 1970-01-05 */
static double sine(const struct world *w, size_t k, int period) {
    return sin(turn(w, k, period, period == 604800 ? 345600 : 0));
}
static double cosine(const struct world *w, size_t k, int period) {
    return cos(turn(w, k, period, period == 604800 ? 345600 : 0));
}
static double session(const struct world *w, size_t k, int n) {
    double hour = floor(into(w, k, 86400, 0) / 3600.0);
    return n * (hour < 8 ? 0 : hour < 13 ? 1 : hour < 21 ? 2 : 3);
}
static double day_end(const struct world *w, size_t k, int n) { return n - into(w, k, n, 0); }
static double duration1(const struct world *w, size_t k) {
    return (double)(w->bucket[k].b.close_ts.ns - w->bucket[k].b.open_ts.ns) / 1e9;
}
static double duration(const struct world *w, size_t k, int n) { return n * duration1(w, k); }
static double per_hour(const struct world *w, size_t k, int n) {
    return quotient(3600.0, over(w, k, n, duration1) / n);
}
static double trade_age(const struct world *w, size_t k, int n) {
    int64_t last = 0;
    for (size_t i = 0; i < w->trades && w->trade[i].bucket <= k; i++) last = w->trade[i].ns;
    double age = (double)(w->bucket[k].b.close_ts.ns - last) / 1e9;
    return age <= n ? age : NAN;
}

/* --- perpetuals ------------------------------------------------------------------------------ */

/* The last mark that came before the close and is at most a minute old. */
const struct world_mark *mark_at(const struct world *w, size_t k) {
    const struct world_mark *last = NULL;
    int64_t now = w->bucket[k].b.close_ts.ns;
    bool boundary = last_ns(&w->bucket[k].b) != now;
    for (size_t i = 0; i < w->marks; i++)
        if (boundary ? w->mark[i].ns < now : w->mark[i].ns <= now) last = &w->mark[i];
    return last && now - last->ns <= 60 * NS_PER_S ? last : NULL;
}
static double funding(const struct world *w, size_t k, int n) {
    const struct world_mark *m = mark_at(w, k);
    return m ? n * m->rate : NAN;
}
static double funding_change(const struct world *w, size_t k, int n) {
    return k < (size_t)n ? NAN : funding(w, k, 1) - funding(w, k - (size_t)n, 1);
}
double point_at(
    const struct world *w, const struct world_point *p, size_t n, size_t k, int64_t age_s) {
    int64_t now = w->bucket[k].b.close_ts.ns;
    int64_t until = last_ns(&w->bucket[k].b) != now ? now - 1 : now;
    size_t low = 0, high = n; /* those before `low` came by then, those from `high` on did not */
    while (low < high) {
        size_t half = (low + high) / 2;
        if (p[half].ns <= until)
            low = half + 1;
        else
            high = half;
    }
    return low && now - p[low - 1].ns <= age_s * NS_PER_S ? p[low - 1].value : NAN;
}
static double settled(const struct world *w, size_t k, int n) {
    return point_at(w, w->funding, w->fundings, k, n);
}
static double to_funding(const struct world *w, size_t k, int n) {
    const struct world_mark *m = mark_at(w, k);
    return m ? n * (double)(m->next_ns - w->bucket[k].b.close_ts.ns) / 1e9 : NAN;
}
static double mark_basis(const struct world *w, size_t k, int n) {
    const struct world_mark *m = mark_at(w, k);
    return m ? n * 1e4 * (b_px(w, k) / m->mark - 1.0) : NAN;
}
static double premium(const struct world *w, size_t k, int n) {
    const struct world_mark *m = mark_at(w, k);
    return m ? n * 1e4 * (m->mark / m->index - 1.0) : NAN;
}
static double index_basis(const struct world *w, size_t k, int n) {
    const struct world_mark *m = mark_at(w, k);
    return m ? n * 1e4 * (b_px(w, k) / m->index - 1.0) : NAN;
}
static double index_basis1(const struct world *w, size_t k) { return index_basis(w, k, 1); }
static double index_z(const struct world *w, size_t k, int n) {
    double x[64];
    if (!window(w, k, n, index_basis1, x)) return NAN;
    return quotient(x[n - 1] - mean_of(x, n), sd_of(x, n));
}
static double funding_flow(const struct world *w, size_t k, int n) {
    return funding(w, k, 1) * quotient(over(w, k, n, b_signed), over(w, k, n, b_volume));
}
static double interest(const struct world *w, size_t k) {
    return point_at(w, w->interest, w->interests, k, 600);
}
static double interest_change(const struct world *w, size_t k, int n) {
    return k < (size_t)n ? NAN : 1e4 * (interest(w, k) / interest(w, k - (size_t)n) - 1.0);
}

const struct naive_row naive_rest[] = {
    {"impact_kyle_lambda_b20", kyle, 20},
    {"impact_kyle_lambda_b60", kyle, 60},
    {"impact_kyle_r2_b60", kyle_r2, 60},
    {"impact_range_per_signed_volume_b1", range_per_signed, 1},
    {"impact_amihud_b20", amihud, 20},
    {"impact_amihud_b60", amihud, 60},
    {"impact_quoted_spread_b20", quoted, 20},
    {"impact_effective_spread_b1", effective, 1},
    {"impact_effective_spread_b20", effective, 20},
    {"impact_realised_spread_b20", realised, 20},
    {"impact_adverse_b20", adverse, 20},
    {"impact_improved_share_b20", improved, 20},
    {"impact_through_share_b20", through, 20},
    {"impact_hasbrouck_lambda_b60", hasbrouck, 60},
    {"impact_roll_b60", roll, 60},
    {"impact_corwin_schultz_b20", corwin, 20},
    {"toxic_vpin_v20", vpin, 20},
    {"toxic_vpin_v50", vpin, 50},
    {"toxic_vpin_fast_b20", fast, 20},
    {"toxic_vpin_fast_b60", fast, 60},
    {"toxic_vpin_fast_rank_b60", rank, 60},
    {"toxic_vpin_bulk_b20", bulk, 20},
    {"ofi_l1_b1", ofi_l1, 1},
    {"ofi_l1_b5", ofi_l1, 5},
    {"ofi_l1_b20", ofi_l1, 20},
    {"ofi_l5_b1", ofi_l5, 1},
    {"ofi_l5_b5", ofi_l5, 5},
    {"ofi_l5_b20", ofi_l5, 20},
    {"ofi_l10_b1", ofi_l10, 1},
    {"ofi_l10_b5", ofi_l10, 5},
    {"ofi_l10_b20", ofi_l10, 20},
    {"ofi_normalised_l1_b1", ofi_n1, 1},
    {"ofi_normalised_l1_b5", ofi_n1, 5},
    {"ofi_normalised_l1_b20", ofi_n1, 20},
    {"ofi_normalised_l5_b1", ofi_n5, 1},
    {"ofi_normalised_l5_b5", ofi_n5, 5},
    {"ofi_normalised_l5_b20", ofi_n5, 20},
    {"ofi_integrated_l10_b1", ofi_all, 1},
    {"ofi_integrated_l10_b5", ofi_all, 5},
    {"ofi_integrated_l10_b20", ofi_all, 20},
    {"time_hour_sin", sine, 86400},
    {"time_hour_cos", cosine, 86400},
    {"time_weekday_sin", sine, 604800},
    {"time_weekday_cos", cosine, 604800},
    {"time_session", session, 1},
    {"time_to_day_end_s", day_end, 86400},
    {"time_bucket_duration_s", duration, 1},
    {"time_buckets_per_hour_b20", per_hour, 20},
    {"time_since_trade_s", trade_age, 60},
    {"time_minute_sin", sine, 3600},
    {"time_minute_cos", cosine, 3600},
    {"perp_funding_predicted", funding, 1},
    {"perp_funding_change_b60", funding_change, 60},
    {"perp_funding_settled", settled, 86400},
    {"perp_to_funding_s", to_funding, 1},
    {"perp_mark_basis", mark_basis, 1},
    {"perp_premium", premium, 1},
    {"perp_index_basis", index_basis, 1},
    {"perp_index_basis_z_b60", index_z, 60},
    {"perp_funding_x_imbalance_b20", funding_flow, 20},
    {"perp_open_interest_change_b20", interest_change, 20},
    {"perp_open_interest_change_b60", interest_change, 60},
    {0},
};
