#include <string.h>

#include "base/check.h"
#include "base/unit.h"
#include "capture/generate/generate_internal.h"

static const char *const names[FAULT_KINDS] = {"gap", "dup", "reorder", "torn", "malformed",
    "price_jump", "id_gap", "clock_step", "nonmarket", "crossed"};

const char *generate_fault_name(enum generate_fault_kind kind) {
    CHECK(kind < FAULT_KINDS);
    return names[kind];
}

bool generate_fault_find(const char *word, enum generate_fault_kind *kind) {
    for (int i = 0; i < FAULT_KINDS; i++) {
        if (strcmp(word, names[i]) != 0) continue;
        *kind = (enum generate_fault_kind)i;
        return true;
    }
    return false;
}

/* Faults are spread evenly over the recording in the order they were asked for. */
struct generate_fault *fault_due(
    struct generator *g, enum generate_fault_kind kind, int64_t venue_ns) {
    struct generate_options *o = g->opt;
    double span = (double)(g->end_ns - GENERATE_START_NS);
    for (size_t i = 0; i < o->faults; i++) {
        struct generate_fault *f = &o->fault[i];
        if (f->kind != kind || f->done) continue;
        double at = span * (double)(i + 1) / (double)(o->faults + 1);
        if ((double)(venue_ns - GENERATE_START_NS) < at) return NULL;
        return f;
    }
    return NULL;
}

void fault_done(struct generator *g, struct generate_fault *f, int64_t local_ns, int64_t id) {
    f->done = true;
    f->line = g->sink.lines;
    f->lines = 1;
    f->local_ns = local_ns;
    f->id = id;
}

static void snapshot_soon(struct generator *g, int64_t venue_ns) {
    g->snapshot_at_ns = venue_ns + NS_PER_S;
}

/* Adds one bid level after the others (which lie below it: they rise). */
static void bid_insert(struct generator *g, int64_t tick, int64_t lots) {
    static const char mark[] = "],\"a\":[";
    struct text *t = &g->line, *piece = &g->piece;
    char *at = memmem(t->s, t->n, mark, sizeof mark - 1);
    CHECK(at);
    piece->n = 0;
    text_put(piece, at[-1] == '[' ? "[\"" : ",[\"");
    text_fixed(piece, tick, WIRE_PX_DECIMALS);
    text_put(piece, "\",\"");
    text_fixed(piece, lots, WIRE_QTY_DECIMALS);
    text_put(piece, "\"]");
    CHECK(t->n + piece->n < WIRE_LINE_MAX);
    memmove(at + piece->n, at, t->n - (size_t)(at - t->s));
    memcpy(at, piece->s, piece->n);
    t->n += piece->n;
}

/* The message goes out as it is, after the one that was held back if there is one. */
static int64_t depth_emit(
    struct generator *g, const struct market_step *step, const struct wire_depth *d) {
    int64_t local = generate_emit(g, step->venue_ns);
    if (!g->holding) return local;
    fault_done(g, g->held_fault, local, d->last_id);
    g->held_fault->lines = 2;
    g->line.n = 0;
    CHECK(g->held.n < WIRE_LINE_MAX);
    memcpy(g->line.s, g->held.s, g->held.n);
    g->line.n = g->held.n;
    g->holding = false;
    return generate_emit(g, step->venue_ns);
}

void fault_depth(struct generator *g, const struct market_step *step, const struct wire_depth *d) {
    struct generate_fault *f;
    if (g->crossed_tick > 0) {
        if (lob_qty(step->book, LOB_BID, g->crossed_tick) == 0) bid_insert(g, g->crossed_tick, 0);
        g->crossed_tick = 0;
    } else if (!g->holding && (f = fault_due(g, FAULT_GAP, step->venue_ns))) {
        fault_done(g, f, g->last_local_ns, d->last_id);
        f->line++; /* the line it would have had */
        f->lines = 0;
        g->result->depth_messages--;
        snapshot_soon(g, step->venue_ns);
        return;
    } else if (!g->holding && (f = fault_due(g, FAULT_REORDER, step->venue_ns))) {
        memcpy(g->held.s, g->line.s, g->line.n);
        g->held.n = g->line.n;
        g->holding = true;
        g->held_fault = f;
        snapshot_soon(g, step->venue_ns);
        return;
    } else if (!g->holding && (f = fault_due(g, FAULT_CROSSED, step->venue_ns))) {
        g->crossed_tick = step->book->best[LOB_ASK] + 2;
        bid_insert(g, g->crossed_tick, 1000);
        fault_done(g, f, generate_emit(g, step->venue_ns), d->last_id);
        snapshot_soon(g, step->venue_ns);
        return;
    }
    (void)depth_emit(g, step, d);
}

static void trade_line(struct generator *g, const struct market_step *step,
    const struct wire_depth *d, int64_t id, int64_t tick, const char *x) {
    g->line.n = 0;
    wire_trade(&g->line, &g->names, d, id, (struct lob_fill){tick, 1000}, true, x);
    (void)step;
}

void fault_lines(struct generator *g, const struct market_step *step, const struct wire_depth *d) {
    struct generate_fault *f;
    int64_t at = step->venue_ns, ask = step->book->best[LOB_ASK];
    if ((f = fault_due(g, FAULT_MALFORMED, at))) {
        trade_line(g, step, d, g->trade_id, ask, "MARKET");
        g->line.n -= 40;
        fault_done(g, f, generate_emit(g, at), 0);
    }
    if ((f = fault_due(g, FAULT_PRICE_JUMP, at))) {
        trade_line(g, step, d, ++g->trade_id, ask * 10, "MARKET");
        fault_done(g, f, generate_emit(g, at), g->trade_id);
    }
    if ((f = fault_due(g, FAULT_NONMARKET, at))) {
        trade_line(g, step, d, ++g->trade_id, ask, "INSURANCE_FUND");
        fault_done(g, f, generate_emit(g, at), g->trade_id);
        g->result->non_market++;
    }
    if ((f = fault_due(g, FAULT_CLOCK_STEP, at))) {
        g->ahead_until_ns = g->last_local_ns + NS_PER_S / 2;
        fault_done(g, f, g->last_local_ns, 0);
        f->line++; /* from the next line on; generate_emit counts them */
        f->lines = 0;
    }
}
