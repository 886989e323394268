/* portfolio.c: the instruments of a run, one merge over their worlds, and the account behind them.
 *
 *   fanout -> lane 0: world -> pipeline (engines of all sets) -.
 *          -> lane 1: world -> pipeline -----------------------+-> one account a set
 *          -> ...   `--- merge tree: who is next? ---'
 *
 * Order      by time; at equal times by kind of step (world.h), then by the instrument's place in
 *            the configuration. A run of one instrument is the same loop without a rival.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "capture/tape/tape.h"
#include "execute/sim/anchor_book.h"
#include "execute/sim/merge_tree.h"
#include "execute/sim/sim_l3.h"
#include "program/account.h"
#include "program/cli.h"
#include "program/pipeline_internal.h"
#include "program/plan.h"

struct portfolio {
    const struct pipeline_options *opt;
    struct pipeline_facts *facts; /* of the run: those of the first instrument */
    const struct pipeline_set *set;
    size_t sets;
    struct fanout *fanout;
    struct pipeline *lane;
    size_t lanes;
    struct config **cfg; /* [lane x (1 + sets)]: copies with the lane's own keys; NULL: one lane */
    struct account *account; /* by set */
    struct merge_tree tree;
    uint64_t steps;
};

/* ---- which instruments ---- */

err_t pipeline_instrument(
    const char *tape, const char *symbol, struct instrument *out, bool *bars, struct err_info *e) {
    struct tape_reader_options opt = {.torn_ok = false};
    struct tape_reader *r;
    err_t code = tape_reader_open(&r, tape, &opt, e);
    if (code) return code;
    size_t n;
    uint16_t at;
    const struct instrument *table = tape_reader_instruments(r, &n);
    code = others_pick(table, n, tape, "data.symbol", symbol, &at, e);
    if (!code) *out = table[at];
    bool book = false, kline = false;
    const struct event *slots;
    size_t slot_count, seen = 0;
    while (
        !code && !book && seen < 1000000 && tape_reader_next(r, &slots, &slot_count, e) == ERR_OK) {
        for (size_t i = 0; i < slot_count; i += event_slots(slots[i].kind), seen++) {
            if (slots[i].inst != out->id) continue;
            book |= slots[i].kind == EV_DEPTH || slots[i].kind == EV_TRADE ||
                    slots[i].kind == EV_AGG_TRADE;
            kline |= slots[i].kind == EV_KLINE;
        }
    }
    *bars = kline && !book;
    tape_reader_close(r);
    return code;
}

/* Keys that one instrument may have of its own. */
static bool may_differ(const char *text) {
    static const char *const group[] = {
        "strategy.", "intent.", "risk.", "fees.", "sim.", "bucket.", "features.", "margin."};
    for (size_t i = 0; i < sizeof group / sizeof *group; i++) {
        if (strncmp(text, group[i], strlen(group[i])) == 0) return true;
    }
    return false;
}

static err_t own_key(
    struct config *c, const char *item, char *text, const char *where, struct err_info *e) {
    if (!may_differ(text)) {
        return err_set(e, ERR_USAGE,
            "%s: instruments: \"%s\": %s cannot differ between instruments; strategy., intent., "
            "risk., fees., sim., bucket., features. and margin. keys can",
            where, item, text);
    }
    return config_override(c, text, where, e);
}

/* The lane's copy of a configuration: its symbol, and its own keys, which follow it in the item. */
static err_t copy_of(struct portfolio *f, size_t i, size_t k, const struct config *from,
    const char *item, struct err_info *e) {
    char text[1024], *save = NULL;
    struct config *c = config_copy(from);
    f->cfg[i * (1 + f->sets) + k] = c;
    if (strlen(item) >= sizeof text)
        return err_set(e, ERR_USAGE, "instruments: an item is too long");
    memcpy(text, item, strlen(item) + 1);
    char *name = strtok_r(text, " ", &save);
    err_t code = config_replace(c, "data.symbol", name ? name : "", "instruments", e);
    for (char *w; !code && (w = strtok_r(NULL, " ", &save)) != NULL;) {
        code = own_key(c, item, w, config_where(f->opt->cfg, "instruments"), e);
    }
    return code;
}

static const char *tape_named(const struct portfolio *f) {
    return config_list(f->opt->cfg, "data.tapes") > 0 ? "data.tapes" : f->opt->tape;
}

/* Row k of the table, if it is a series or a chain of options about the lane's instrument: under an
 * id that no lane's market events carry. */
static bool outside_row(
    const struct portfolio *f, const struct pipeline *p, size_t k, struct instrument *row) {
    size_t n, id = f->lanes > 1 ? k + f->lanes : k;
    *row = fanout_instruments(f->fanout, &n)[k];
    if (!instrument_concerns(row, &p->inst) || id >= INST_MAX) return false;
    row->id = (uint16_t)id;
    return true;
}

/* The instruments that the lane listens to besides its own. In company they carry ids that no lane
 * has, alone those of the table, as in a pass over the tape. */
static err_t others_in(struct portfolio *f, struct pipeline *p, uint16_t own, struct err_info *e) {
    struct others o = plan_others(p->cfg);
    size_t n;
    const struct instrument *table = fanout_instruments(f->fanout, &n);
    err_t code = others_spec(&o, table, n, tape_named(f), own, &p->spec, e);
    for (size_t i = 0; !code && i < p->spec.others; i++) {
        struct instrument *in = &p->spec.other[i].inst;
        uint16_t as = f->lanes > 1 ? (uint16_t)(INST_MAX + i) : in->id;
        if (fanout_facts(f->fanout, in->id)->events == 0) {
            code = err_set(e, ERR_INPUT, "%s holds no event of %s", tape_named(f), in->symbol);
        } else if (!fanout_also(p->lane, in->id, as)) {
            code = err_set(e, ERR_RESOURCE, "out of memory");
        }
        in->id = as;
    }
    return code;
}

/* Fills what the portfolio gives a lane. */
static err_t lane_of(struct portfolio *f, size_t i, const struct config *cfg, struct err_info *e) {
    struct pipeline *p = &f->lane[i];
    size_t n;
    uint16_t inst;
    const struct instrument *table = fanout_instruments(f->fanout, &n);
    err_t code = others_pick(
        table, n, tape_named(f), "data.symbol", config_string(cfg, "data.symbol"), &inst, e);
    if (code) return code;
    for (size_t k = 0; k < i; k++) {
        if (f->lane[k].inst.venue != table[inst].venue) continue;
        if (strcmp(f->lane[k].inst.symbol, table[inst].symbol) != 0) continue;
        return err_set(e, ERR_USAGE, "instruments: %s is named twice", table[inst].symbol);
    }
    p->found = fanout_facts(f->fanout, inst);
    if (p->found->events == 0) {
        return err_set(e, ERR_INPUT, "%s holds no event of %s", tape_named(f), table[inst].symbol);
    }
    p->cfg = cfg;
    p->models = f->opt->models;
    p->periods = f->opt->periods;
    p->inst = table[inst];
    if (f->lanes > 1) p->inst.id = (uint16_t)i;
    p->company = f->lanes > 1;
    p->rank = (uint16_t)i;
    p->bars = p->found->klines > 0 && p->found->books == 0;
    p->facts = i == 0 ? f->facts : calloc(1, sizeof *p->facts);
    p->lane = fanout_lane(f->fanout, inst, p->inst.id);
    struct instrument row;
    for (size_t k = 0; k < n && p->lane; k++) /* series and options that are about it */
        if (outside_row(f, p, k, &row) && !fanout_also(p->lane, (uint16_t)k, row.id))
            return err_set(e, ERR_RESOURCE, "out of memory");
    p->seats = (uint32_t)f->sets;
    p->seat = calloc(f->sets, sizeof *p->seat);
    if (!p->facts || !p->lane || !p->seat) return err_set(e, ERR_RESOURCE, "out of memory");
    return others_in(f, p, inst, e);
}

static err_t seats_of(struct portfolio *f, size_t i, struct err_info *e) {
    struct pipeline *p = &f->lane[i];
    for (size_t k = 0; k < f->sets; k++) {
        struct pipeline_seat *s = &p->seat[k];
        s->c = f->cfg ? f->cfg[i * (1 + f->sets) + 1 + k] : f->set[k].cfg;
        err_t code = account_lane(&f->account[k], i, s, e);
        if (code) return code;
    }
    err_t code = pipeline_open(p, e);
    struct instrument row;
    size_t n;
    (void)fanout_instruments(f->fanout, &n);
    for (size_t k = 0; k < n && !code; k++)
        if (outside_row(f, p, k, &row)) stream_join(p->stream, &row);
    return code;
}

/* Position of the i-th row that is traded; the number of rows if there are not so many. */
static size_t traded(const struct instrument *table, size_t n, size_t i) {
    size_t at = 0;
    for (; at < n; at++)
        if (instrument_trades(&table[at]) && i-- == 0) break;
    return at;
}

static size_t count_traded(const struct instrument *table, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += instrument_trades(&table[i]);
    return count;
}

/* How many instruments run: those of `instruments`, "all", or the one of data.symbol. */
static err_t count_lanes(struct portfolio *f, bool *all, struct err_info *e) {
    const struct config *c = f->opt->cfg;
    size_t n = config_list(c, "instruments"), table;
    *all = n == 1 && strcmp(config_item(c, "instruments", 0), "all") == 0;
    const struct instrument *rows = fanout_instruments(f->fanout, &table);
    f->lanes = *all ? count_traded(rows, table) : n > 0 ? n : 1;
    if (n > 0 && *config_string(c, "data.symbol")) {
        return err_set(e, ERR_USAGE, "%s: data.symbol and instruments are both set; give one",
            config_where(c, "instruments"));
    }
    if (n > 0 && *config_string(c, "bucket.config")) {
        return err_set(e, ERR_USAGE,
            "%s: bucket.config holds one instrument's sizes; with instruments give each its "
            "bucket.spec",
            config_where(c, "bucket.config"));
    }
    if (f->lanes == 0 || f->lanes > MERGE_MAX) {
        return err_set(e, ERR_USAGE, "%zu instruments; one run takes 1 to %d", f->lanes, MERGE_MAX);
    }
    return ERR_OK;
}

static err_t copies_of(struct portfolio *f, size_t i, bool all, struct err_info *e) {
    char name[64];
    size_t n;
    const struct instrument *table = fanout_instruments(f->fanout, &n);
    const char *item = all ? name : config_item(f->opt->cfg, "instruments", i);
    size_t at = all ? traded(table, n, i) : 0;
    if (all) snprintf(name, sizeof name, "%s:%s", venue_name(table[at].venue), table[at].symbol);
    err_t code = copy_of(f, i, 0, f->opt->cfg, item, e);
    for (size_t k = 0; !code && k < f->sets; k++) {
        code = copy_of(f, i, 1 + k, f->set[k].cfg, item, e);
    }
    return code;
}

static err_t open_all(struct portfolio *f, struct err_info *e) {
    bool all;
    size_t n = config_list(f->opt->cfg, "data.tapes");
    const char **tapes = calloc(n + 1, sizeof *tapes);
    if (!tapes) return err_set(e, ERR_RESOURCE, "out of memory");
    for (size_t i = 0; i < n; i++) tapes[i] = config_item(f->opt->cfg, "data.tapes", i);
    if (n == 0) tapes[n++] = f->opt->tape;
    err_t code = fanout_open(&f->fanout, tapes, n, 0, e);
    free(tapes);
    if (!code) code = count_lanes(f, &all, e);
    if (code) return code;
    bool named = config_list(f->opt->cfg, "instruments") > 0;
    f->lane = calloc(f->lanes, sizeof *f->lane);
    f->account = calloc(f->sets, sizeof *f->account);
    if (named) f->cfg = calloc(f->lanes * (1 + f->sets), sizeof *f->cfg);
    if (!f->lane || !f->account || (named && !f->cfg)) {
        return err_set(e, ERR_RESOURCE, "out of memory");
    }
    for (size_t i = 0; !code && i < f->lanes; i++) {
        if (named) code = copies_of(f, i, all, e);
        if (!code) code = lane_of(f, i, named ? f->cfg[i * (1 + f->sets)] : f->opt->cfg, e);
    }
    for (size_t k = 0; !code && k < f->sets; k++) {
        code = account_open(&f->account[k], &f->set[k], f->lane, f->lanes, (uint32_t)k, e);
    }
    for (size_t i = 0; !code && i < f->lanes; i++) code = seats_of(f, i, e);
    return code;
}

/* ---- the loop ---- */

static err_t stopped(const struct pipeline *p, enum world_result got, struct err_info *e) {
    if (got == WORLD_LATE) {
        return err_set(e, ERR_INPUT,
            "an event is older than the reorder window of %lld ms; raise sim.reorder_ms",
            (long long)(p->world_cfg.reorder_ns / NS_PER_MS));
    }
    if (got == WORLD_FULL) {
        return err_set(e, ERR_RESOURCE,
            "more than %zu messages to the strategy were in flight at once; lower "
            "sim.response_ms or trade less",
            p->world_cfg.bus_slots);
    }
    if (got == WORLD_ORDER_STATUS) {
        return err_set(e, ERR_NO,
            "venue time %lld ns: order %lld, filled exactly, is hit again: the anchor's error "
            "14 ends its run here; sim.anchor.ghosts=false goes on",
            (long long)world_fault(p->world)->venue_ns, (long long)world_fault(p->world)->order_id);
    }
    if (got == WORLD_ORDERS_FULL) {
        return err_set(e, ERR_RESOURCE,
            "more than %d orders of the market stand at once: use a queue model (sim.queue)",
            L3_SLOTS / 4 * 3);
    }
    if (got == WORLD_BOOK_FULL) {
        return err_set(e, ERR_RESOURCE,
            "more than %d levels of a side lie further than %d ticks from the best, or a snapshot "
            "has more than %d: the anchor's book cannot hold them; use sim.rules=strict",
            ANCHOR_OUTER_MAX, ANCHOR_WINDOW / 2, ANCHOR_SNAPSHOT_MAX);
    }
    if (got == WORLD_LATENCY) {
        return err_set(e, ERR_NO,
            "venue time %lld ns: the anchor's interpolation of sim.latency.file gives a negative "
            "latency of an answer, which ends its run; sim.rules=strict leaves rejected rows out",
            (long long)world_fault(p->world)->venue_ns);
    }
    if (got == WORLD_MONEY) {
        return err_set(e, ERR_FULL, "a value of the account does not fit 127 bits");
    }
    return ERR_OK;
}

/* Steps of one instrument until another is next. *next = its next place. */
static err_t run_lane(
    struct portfolio *f, struct pipeline *p, struct world_key *next, struct err_info *e) {
    struct world_key bound = merge_tree_bound(&f->tree);
    size_t rival = merge_tree_second(&f->tree);
    if (rival != merge_tree_first(&f->tree)) pipeline_fetch(&f->lane[rival]);
    const struct event *ev;
    uint32_t seat;
    enum world_result got;
    while ((got = world_until(p->world, bound, next, &ev, &seat)) == WORLD_EVENT) {
        pipeline_step(p, ev, seat);
        if (p->failed) {
            return err_set(e, p->failed,
                "event %llu: a value does not fit (money, port or order table)",
                (unsigned long long)p->events);
        }
        if ((f->steps++ & 0xffff) == 0 && cli_interrupted()) {
            return err_set(e, ERR_INTERRUPTED,
                "interrupted after %llu events; nothing was written, run the same command again",
                (unsigned long long)f->steps);
        }
    }
    if (got == WORLD_END) *next = merge_tree_end;
    return stopped(p, got, e);
}

/* Asks every world where its next step is, taking none. */
static err_t look_again(struct portfolio *f, struct err_info *e) {
    const struct world_key first = {INT64_MIN, 0};
    const struct event *ev;
    uint32_t seat;
    for (size_t i = 0; i < f->lanes; i++) {
        struct world_key at;
        enum world_result got = world_until(f->lane[i].world, first, &at, &ev, &seat);
        err_t code = stopped(&f->lane[i], got, e);
        if (code) return code;
        merge_tree_set(&f->tree, i, got == WORLD_END ? merge_tree_end : at);
    }
    return ERR_OK;
}

/* A liquidation reached into another instrument's world. */
static bool touched(struct portfolio *f) {
    bool any = false;
    for (size_t k = 0; k < f->sets; k++) {
        any |= f->account[k].clearing->touched;
        f->account[k].clearing->touched = false;
    }
    return any;
}

static err_t loop(struct portfolio *f, struct err_info *e) {
    merge_tree_init(&f->tree, f->lanes);
    err_t code = look_again(f, e);
    if (code) return code;
    while (!merge_tree_over(&f->tree)) {
        size_t i = merge_tree_first(&f->tree);
        struct world_key next;
        code = run_lane(f, &f->lane[i], &next, e);
        if (code) return code;
        merge_tree_set(&f->tree, i, next);
        if (touched(f) && (code = look_again(f, e)) != ERR_OK) return code;
    }
    return fanout_failed(f->fanout, e);
}

/* ---- ends ---- */

/* The book figures of all instruments stand in the run's facts. */
static void sum_facts(struct portfolio *f) {
    for (size_t i = 1; i < f->lanes; i++) {
        const struct pipeline_facts *from = f->lane[i].facts;
        struct book_counters *b = &f->facts->book;
        b->depth_messages += from->book.depth_messages;
        b->depth_levels += from->book.depth_levels;
        b->snapshots += from->book.snapshots;
        b->gaps += from->book.gaps;
        b->resyncs += from->book.resyncs;
        b->crossed += from->book.crossed;
        b->ticker_checked += from->book.ticker_checked;
        b->ticker_equal += from->book.ticker_equal;
        b->trades += from->book.trades;
        f->facts->gapped += from->gapped;
    }
}

static void release(struct portfolio *f) {
    for (size_t k = 0; f->account && k < f->sets; k++) account_close(&f->account[k]);
    for (size_t i = 0; f->lane && i < f->lanes; i++) {
        pipeline_close(&f->lane[i]);
        if (i > 0) free(f->lane[i].facts);
    }
    for (size_t i = 0; f->cfg && i < f->lanes * (1 + f->sets); i++) config_free(f->cfg[i]);
    fanout_close(f->fanout);
    free(f->cfg);
    free(f->account);
    free(f->lane);
    free(f);
}

static err_t finish(struct portfolio *f, struct err_info *e) {
    err_t code = ERR_OK;
    for (size_t i = 0; i < f->lanes; i++) pipeline_gather(&f->lane[i]);
    for (size_t i = 0; !code && i < f->lanes; i++) code = pipeline_finish(&f->lane[i], e);
    for (size_t k = 0; !code && k < f->sets; k++) code = account_finish(&f->account[k], e);
    if (!code) sum_facts(f);
    return code;
}

err_t pipeline_run_sets(const struct pipeline_options *opt, const struct pipeline_set *set,
    size_t n, struct pipeline_facts *facts, struct err_info *e) {
    CHECK(n > 0 && n <= PIPELINE_SETS_MAX);
    struct portfolio *f = calloc(1, sizeof *f);
    if (!f) return err_set(e, ERR_RESOURCE, "out of memory");
    memset(facts, 0, sizeof *facts);
    f->opt = opt;
    f->facts = facts;
    f->set = set;
    f->sets = n;
    err_t code = open_all(f, e);
    if (!code) code = loop(f, e);
    if (!code) code = finish(f, e);
    release(f);
    return code;
}

err_t pipeline_run(const struct pipeline_options *opt, struct run_result *out,
    struct pipeline_facts *facts, struct err_info *e) {
    struct pipeline_set one = {opt->cfg, out, opt->folder};
    return pipeline_run_sets(opt, &one, 1, facts, e);
}
