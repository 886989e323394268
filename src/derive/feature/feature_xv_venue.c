/* feature_xv_venue.c: quotes, trades and order flow of each venue, and samples of their mids. */
#include "derive/feature/feature_xv_internal.h"

double xv_log_mid(const struct xv_venue *v, int64_t now) {
    if (!v->good || now - v->ns > XV_AGE_MAX_NS) return MISSING;
    return BPS * dm_log(0.5 * (v->px[BOOK_BID] + v->px[BOOK_ASK]));
}

static bool agree(double own, double peer) { return fabs(own - peer) <= XV_APART_BPS; }

/* Whose bid and whose ask is the best among the quotes that are known; ties are the own's. */
static void sample_best(struct xv_state *s, const struct feature_ctx *ctx, const double *mid) {
    bool any = false, best[2] = {true, true};
    for (size_t v = 1; v <= ctx->peers; v++) {
        if (isnan(mid[v])) continue;
        any = true;
        best[BOOK_BID] &= s->venue[0].px[BOOK_BID] >= s->venue[v].px[BOOK_BID];
        best[BOOK_ASK] &= s->venue[0].px[BOOK_ASK] <= s->venue[v].px[BOOK_ASK];
    }
    if (!any) return;
    s->samples++;
    for (int side = 0; side < 2; side++) s->best[side] += best[side];
}

static void sample(struct xv_state *s, const struct feature_ctx *ctx, int64_t at) {
    double mid[XV_VENUES];
    for (size_t v = 0; v <= ctx->peers; v++) {
        mid[v] = xv_log_mid(&s->venue[v], at);
        if (v > 0 && !agree(mid[0], mid[v])) mid[v] = MISSING;
        s->mid[v][s->n % XV_RING] = mid[v];
    }
    s->n++;
    sample_best(s, ctx, mid);
}

void xv_roll(struct xv_state *s, const struct feature_ctx *ctx, int64_t now) {
    if (s->next_ns == 0) s->next_ns = (now / XV_STEP_NS + 1) * XV_STEP_NS;
    if (now < s->next_ns) return;
    int64_t steps = (now - s->next_ns) / XV_STEP_NS + 1;
    if (steps > XV_RING) { /* a long silence: what falls out of the ring need not be written */
        s->n += (uint64_t)(steps - XV_RING);
        s->next_ns += (steps - XV_RING) * XV_STEP_NS;
    }
    for (; s->next_ns <= now; s->next_ns += XV_STEP_NS) sample(s, ctx, s->next_ns);
}

/* ---- events ---- */

static const struct book *book_of(const struct feature_ctx *ctx, size_t venue) {
    return venue == 0 ? ctx->book : ctx->peer[venue - 1].book;
}

/* Quantity in base units at a price. */
static double base_of(const struct feature_ctx *ctx, size_t venue, double qty, double px) {
    const struct instrument *in = venue == 0 ? ctx->inst : ctx->peer[venue - 1].inst;
    double units = qty * (venue == 0 ? ctx->qty_unit : ctx->peer[venue - 1].qty_unit);
    units *= (double)in->contract_e8 / 1e8;
    return in->kind == INSTRUMENT_INVERSE ? units / px : units;
}

/* Cont, Kukanov, Stoikov at the best level: what one side adds to the flow, in quantity units. */
static double side_flow(const struct book_level *was, const struct book_level *is, int better) {
    int64_t step = (is->px.ticks - was->px.ticks) * better;
    double flow = 0.0;
    if (step >= 0) flow += (double)is->qty.lots;
    if (step <= 0) flow -= (double)was->qty.lots;
    return flow * better;
}

static void quote_set(struct xv_venue *v, const struct feature_ctx *ctx, size_t venue,
    const struct book_level now[2], int64_t ns, bool whole) {
    double unit = venue == 0 ? ctx->px_unit : ctx->peer[venue - 1].px_unit;
    bool good = now[BOOK_BID].px.ticks > 0 && now[BOOK_BID].px.ticks < now[BOOK_ASK].px.ticks;
    for (int side = 0; side < 2 && good; side++) v->px[side] = (double)now[side].px.ticks * unit;
    if (good && v->primed && !whole) {
        double flow = side_flow(&v->level[BOOK_BID], &now[BOOK_BID], 1) +
                      side_flow(&v->level[BOOK_ASK], &now[BOOK_ASK], -1);
        v->ofi += base_of(ctx, venue, flow, 0.5 * (v->px[BOOK_BID] + v->px[BOOK_ASK]));
    } else {
        v->torn = true;
    }
    memcpy(v->level, now, sizeof v->level);
    v->good = v->primed = good;
    v->ns = ns;
}

static void quote_lost(struct xv_venue *v) {
    v->good = v->primed = false;
    v->torn = true;
    v->ticker_id = 0;
}

static void on_depth(struct xv_venue *v, const struct feature_ctx *ctx, size_t venue,
    const struct event *ev, const struct book_change *change) {
    const struct book *book = book_of(ctx, venue);
    struct book_level now[2];
    v->depth = true;
    if (!book || book_state(book) != BOOK_SYNCED || !book_best(book, BOOK_BID, &now[BOOK_BID]) ||
        !book_best(book, BOOK_ASK, &now[BOOK_ASK])) {
        quote_lost(v);
        return;
    }
    if (!change->whole && v->good && book_update_id(book) < v->ticker_id) {
        v->ns = ev->ts_local.ns; /* the ticker told more already */
        return;
    }
    v->ticker_id = 0;
    quote_set(v, ctx, venue, now, ev->ts_local.ns, change->whole);
}

static void on_ticker(
    struct xv_venue *v, const struct feature_ctx *ctx, size_t venue, const struct event *ev) {
    const struct book *book = book_of(ctx, venue);
    const struct book_level now[2] = {{ev->px, ev->qty}, {ev->ask.px, ev->ask.qty}};
    if (v->depth) {
        if (!v->good || ev->id <= book_update_id(book) || ev->id <= v->ticker_id) return;
        v->ticker_id = ev->id;
    }
    quote_set(v, ctx, venue, now, ev->ts_local.ns, false);
}

static void on_trade(
    struct xv_venue *v, const struct feature_ctx *ctx, size_t venue, const struct event *ev) {
    double unit = venue == 0 ? ctx->px_unit : ctx->peer[venue - 1].px_unit;
    v->trades |= ev->kind == EV_TRADE;
    if (!is_market_trade(ev) || (ev->kind == EV_AGG_TRADE && v->trades)) return;
    double base = base_of(ctx, venue, (double)ev->qty.lots, (double)ev->px.ticks * unit);
    v->volume += base;
    v->signed_volume += ev->flags & EVF_BUY ? base : -base;
}

void xv_event(struct xv_state *s, const struct feature_ctx *ctx, size_t venue,
    const struct event *ev, const struct book_change *change) {
    struct xv_venue *v = &s->venue[venue];
    xv_roll(s, ctx, ev->ts_local.ns);
    if (ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END) {
        on_depth(v, ctx, venue, ev, change);
    } else if (ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE) {
        on_trade(v, ctx, venue, ev);
    } else if (ev->kind == EV_TICKER) {
        on_ticker(v, ctx, venue, ev);
    } else if (ev->kind == EV_GAP && !v->depth) { /* a book knows its own gaps */
        quote_lost(v);
    }
}
