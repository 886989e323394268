/* Two venues beside the instrument: markets of their own, in units of their own. The first is
 * inverse (contracts of 10 quote units), the second has prices in steps of two thousandths.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "feature_laws/synth.h"

static void as_inverse(struct synth *p) {
    p->inst.kind = INSTRUMENT_INVERSE;
    p->inst.contract_e8 = INT64_C(10) * 100000000;
    p->inst.qty_exp = 0;
    p->inst.venue = VENUE_BINANCE_COINM;
}

static void as_spot(struct synth *p) {
    p->inst.kind = INSTRUMENT_SPOT;
    p->inst.px_mant = 2;
    p->inst.px_exp = 3;
    p->inst.venue = VENUE_BINANCE_USDM; /* its numbering of messages */
    for (size_t i = 0; i < p->n; i += event_slots(p->slots[i].kind)) {
        struct event *ev = &p->slots[i];
        ev->px.ticks *= 5;
        if (ev->kind == EV_TICKER) ev->ask.px.ticks *= 5;
    }
}

static bool goes_first(const struct synth *a, size_t at, const struct synth *b, size_t bt) {
    if (at == a->n || bt == b->n) return at < a->n;
    return a->slots[at].ts_local.ns <= b->slots[bt].ts_local.ns;
}

/* By receive time, messages whole; at equal times `a` first. */
static void merge(struct synth *s, const struct synth *a, const struct synth *b) {
    struct event *out = malloc((a->n + b->n) * sizeof *out);
    size_t at = 0, bt = 0, n = 0;
    CHECK(out);
    while (at < a->n || bt < b->n) {
        const struct synth *from = goes_first(a, at, b, bt) ? a : b;
        size_t *i = from == a ? &at : &bt;
        for (bool last = false; !last;) {
            const struct event *ev = &from->slots[*i];
            size_t k = event_slots(ev->kind);
            last = ev->flags & EVF_LAST;
            memcpy(&out[n], ev, k * sizeof *ev);
            n += k;
            *i += k;
        }
    }
    free(s->slots);
    s->slots = out;
    s->n = s->cap = n;
}

/* Tickers that know more than the book: a wider touch under an id that comes later. */
static void tickers_ahead(struct synth *p) {
    int64_t by = 0;
    for (size_t i = 0; i < p->n; i += event_slots(p->slots[i].kind)) {
        struct event *ev = &p->slots[i];
        if (ev->kind != EV_TICKER) continue;
        by = by % 7 + 1;
        ev->id += by;
        ev->px.ticks -= by;
        ev->qty.lots += 11;
    }
}

void synth_add_peers(struct synth *s, const struct synth_options *o) {
    for (uint16_t id = 1; id <= SYNTH_PEERS; id++) {
        struct synth_options p = *o;
        struct synth peer;
        p.market_only = true;
        p.seed = o->seed * 1000 + id;
        p.depth_rate = o->depth_rate * (id == 1 ? 0.7 : 1.2);
        p.faults = o->faults && id == 1;
        synth_make(&peer, &p);
        tickers_ahead(&peer);
        if (id == 1) as_inverse(&peer);
        if (id == 2) as_spot(&peer);
        peer.inst.id = id;
        for (size_t i = 0; i < peer.n; i += event_slots(peer.slots[i].kind))
            peer.slots[i].inst = id;
        s->peer[id - 1] = peer.inst;
        merge(s, &peer, s);
        synth_free(&peer);
    }
    s->peers = SYNTH_PEERS;
}

void synth_of_peer(const struct synth *s, size_t peer, struct synth *out) {
    memset(out, 0, sizeof *out);
    out->inst = s->peer[peer];
    out->slots = malloc(s->n * sizeof *out->slots);
    CHECK(out->slots);
    for (size_t i = 0; i < s->n; i += event_slots(s->slots[i].kind)) {
        size_t k = event_slots(s->slots[i].kind);
        if (s->slots[i].inst != out->inst.id) continue;
        memcpy(&out->slots[out->n], &s->slots[i], k * sizeof *out->slots);
        out->n += k;
    }
    out->cap = s->n;
}
