#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/decimal.h"
#include "program/run.h"

enum { MISSING_ROWS = 16 };

static struct run_table *table(struct run *run, const char *title, const char *note, size_t cells) {
    if (run->doc.tables == RUN_TABLES_MAX) return NULL;
    struct run_table *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    snprintf(t->title, sizeof t->title, "%s", title);
    snprintf(t->note, sizeof t->note, "%s", note);
    t->cells = cells;
    run->doc.table[run->doc.tables++] = t;
    return t;
}

static void row2(struct run_table *t, const char *a, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void row2(struct run_table *t, const char *a, const char *fmt, ...) {
    char b[RUN_CELL_MAX];
    va_list ap;
    if (!t) return;
    va_start(ap, fmt);
    vsnprintf(b, sizeof b, fmt, ap);
    va_end(ap);
    const char *cell[2] = {a, b};
    run_table_row(t, cell);
}

static void import_table(struct run *run) {
    const struct import_report *im = &run->import;
    struct run_table *t = table(run, "Import",
        "Rows that break a hard rule (price, repeated id, jump, malformed) are not on the tape; "
        "the others are kept and "
        "marked. docs/import.md has the rules.",
        2);
    row2(t, "what", "count");
    row2(t, "lines", "%" PRIu64, im->lines);
    row2(t, "control lines", "%" PRIu64, im->control_lines);
    row2(t, "stamps in", "%s", im->local_unit);
    row2(t, "clock offset removed, s", "%.6f", (double)im->clock_offset_ns / 1e9);
    row2(t, "non-market prints kept aside", "%" PRIu64, im->tally.non_market_trades);
    for (int i = 0; i < IMPORT_REASON_COUNT; i++) {
        row2(t, import_reason_name((enum import_reason)i), "%" PRIu64, im->tally.rejected[i]);
        run->doc.rejected_rows += im->tally.rejected[i];
    }
}

static void instrument_table(struct run *run) {
    static const char *const source[] = {"declared by the venue", "file", "inferred from the data"};
    const struct instrument *in = &run->result.inst;
    char text[DECIMAL_TEXT_MAX];
    struct run_table *t = table(run, "Instrument", "", 2);
    row2(t, "what", "value");
    row2(t, "venue", "%s", venue_name(in->venue));
    row2(t, "symbol", "%s", in->symbol);
    instrument_px_text(in, (price_t){in->tick_units}, text);
    row2(t, "tick", "%s", text);
    instrument_qty_text(in, (qty_t){in->lot_units}, text);
    row2(t, "lot", "%s", text);
    row2(t, "units", "%s", in->unit_source < 3 ? source[in->unit_source] : "?");
    row2(t, "kind", "%s",
        in->kind == INSTRUMENT_INVERSE ? "inverse"
        : in->kind == INSTRUMENT_SPOT  ? "spot"
                                       : "linear");
}

/* Several instruments: one row each, in its own settlement asset. */
static void parts_table(struct run *run) {
    const struct run_result *r = &run->result;
    struct run_table *t = table(run, "Instruments",
        "Money of each row in the asset that it settles in; the account values all of them in one "
        "currency.",
        8);
    if (!t) return;
    const char *const head[8] = {
        "instrument", "asset", "orders", "fills", "position", "gross", "fees", "net"};
    run_table_row(t, head);
    for (size_t i = 0; i < r->parts; i++) {
        const struct run_result *p = &r->part[i];
        char name[80], orders[24], fills[24], position[DECIMAL_TEXT_MAX], gross[32], fees[32],
            net[32];
        snprintf(name, sizeof name, "%s:%s", venue_name(p->inst.venue), p->inst.symbol);
        snprintf(orders, sizeof orders, "%" PRIu64, p->orders);
        snprintf(fills, sizeof fills, "%" PRIu64, p->fills);
        instrument_qty_text(&p->inst, (qty_t){p->position_end}, position);
        snprintf(gross, sizeof gross, "%.8g", (double)run_gross(p) / 1e12);
        snprintf(fees, sizeof fees, "%.8g", (double)p->fees / 1e12);
        snprintf(net, sizeof net, "%.8g", (double)run_net(p) / 1e12);
        const char *const cell[8] = {
            name, p->inst.settle, orders, fills, position, gross, fees, net};
        run_table_row(t, cell);
    }
}

static void utc(int64_t ns, char *out, size_t n) {
    time_t t = (time_t)(ns / NS_PER_S);
    struct tm tm;
    char head[32];
    strftime(head, sizeof head, "%Y-%m-%d %H:%M:%S", gmtime_r(&t, &tm));
    snprintf(out, n, "%s.%03d", head, (int)(ns % NS_PER_S / NS_PER_MS));
}

/* Margin over time, at most 24 rows; the whole series is in equity.csv. */
static void margin_table(struct run *run) {
    const struct sampler *u = run->result.use;
    if (u->points == 0) return;
    struct run_table *t = table(run, "Margin over time",
        "Balance and maintenance margin at the venue of the first instrument's pool, in its asset; "
        "positions are liquidated at 100 %. equity.csv has every pool.",
        4);
    if (!t) return;
    const char *const head[4] = {"time (UTC)", "balance", "maintenance", "use"};
    run_table_row(t, head);
    size_t step = (u->points + 23) / 24;
    for (size_t i = 0; i < u->points; i += step) {
        char at[48], balance[32], upkeep[32], share[32];
        utc((int64_t)(u->row[i][RUN_USE_TS_S] * 1e3) * NS_PER_MS, at, sizeof at);
        snprintf(balance, sizeof balance, "%.8g", u->row[i][RUN_USE_BALANCE]);
        snprintf(upkeep, sizeof upkeep, "%.8g", u->row[i][RUN_USE_UPKEEP]);
        snprintf(share, sizeof share, "%.3g %%", 100 * u->row[i][RUN_USE_SHARE]);
        const char *const cell[4] = {at, balance, upkeep, share};
        run_table_row(t, cell);
    }
}

static void liquidation_table(struct run *run) {
    const struct run_result *r = &run->result;
    if (r->liquidation_rows == 0) return;
    struct run_table *t = table(run, "Liquidations",
        "Each fill by which the venue closed a position: through the book, or taken over at the "
        "bankruptcy price. At most the first 40.",
        7);
    if (!t) return;
    const char *const head[7] = {
        "time (UTC)", "instrument", "side", "price", "quantity", "how", "fees"};
    run_table_row(t, head);
    for (size_t i = 0; i < r->liquidation_rows; i++) {
        const struct run_liquidation_row *l = &r->liquidation[i];
        const char *const cell[7] = {l->time, l->symbol, l->side, l->px, l->qty, l->how, l->fee};
        run_table_row(t, cell);
    }
}

static void book_table(struct run *run) {
    static const char *const state[] = {"EMPTY", "SYNCED", "GAP"};
    const struct book_counters *b = &run->facts.book;
    struct run_table *t = table(run, "Order book",
        "The book is rebuilt from snapshot and differences by the venue's own numbering; its best "
        "quote is compared with the "
        "venue's own after every message.",
        2);
    row2(t, "what", "count");
    row2(t, "state at the end", "%s",
        run->facts.book_state <= BOOK_GAP ? state[run->facts.book_state] : "?");
    row2(t, "depth messages", "%" PRIu64, b->depth_messages);
    row2(t, "level changes", "%" PRIu64, b->depth_levels);
    row2(t, "snapshots", "%" PRIu64, b->snapshots);
    row2(t, "gaps", "%" PRIu64, b->gaps);
    row2(t, "resynchronised", "%" PRIu64, b->resyncs);
    row2(t, "crossed", "%" PRIu64, b->crossed);
    row2(t, "best quotes compared", "%" PRIu64, b->ticker_checked);
    row2(t, "best quotes equal", "%" PRIu64, b->ticker_equal);
    row2(t, "trades", "%" PRIu64, b->trades);
}

static void bucket_table(struct run *run) {
    static const char *const name[] = {
        "-", "time", "volume", "count", "updates", "limit", "bar", "end of data"};
    struct run_table *t = table(run, "Buckets", "", 2);
    row2(t, "cut by", "count");
    for (size_t i = 1; i < sizeof name / sizeof *name; i++) {
        if (run->facts.trigger[i] > 0) row2(t, name[i], "%" PRIu64, run->facts.trigger[i]);
    }
    row2(t, "with a gap inside", "%" PRIu64, run->facts.gapped);
}

static void gap_table(struct run *run) {
    const struct pipeline_facts *f = &run->facts;
    if (f->spans == 0) return;
    struct run_table *t = table(run, "Spans with a gap",
        "The book was not trustworthy, or the recording itself broke, inside these buckets: "
        "nothing was traded on them and "
        "labels that reach into them are missing. At most the first 20 are listed.",
        3);
    if (!t) return;
    const char *const head[3] = {"from (UTC)", "to", "buckets"};
    run_table_row(t, head);
    for (uint64_t i = 0; i < f->spans && i < PIPELINE_SPANS_MAX; i++) {
        char from[48], to[48], n[24];
        utc(f->span[i].from_ns, from, sizeof from);
        utc(f->span[i].to_ns, to, sizeof to);
        snprintf(n, sizeof n, "%" PRId64, f->span[i].buckets);
        const char *const cell[3] = {from, to, n};
        run_table_row(t, cell);
    }
}

/* The columns that are missing most, by repeated selection: the set is small. */
static void missing_table(struct run *run) {
    struct pipeline_facts *f = &run->facts;
    struct run_table *t = table(run, "Features missing most often",
        "Share of buckets without a value: not warm yet, no trade, or no input of that kind in "
        "these data.",
        2);
    row2(t, "feature", "missing");
    bool *used = calloc(f->set.count + 1, sizeof *used);
    for (int k = 0; used && k < MISSING_ROWS; k++) {
        size_t best = f->set.count;
        for (size_t i = 0; i < f->set.count; i++) {
            if (!used[i] && f->missing[i] > 0 &&
                (best == f->set.count || f->missing[i] > f->missing[best]))
                best = i;
        }
        if (best == f->set.count) break;
        used[best] = true;
        row2(t, feature_get(f->set.index[best], NULL)->name, "%.2f %%", f->missing[best] * 100);
    }
    free(used);
}

void run_tables(struct run *run) {
    if (run->imported) import_table(run);
    if (run->result.parts > 0) {
        parts_table(run);
    } else {
        instrument_table(run);
    }
    if (!run->result.bars) book_table(run);
    bucket_table(run);
    gap_table(run);
    margin_table(run);
    liquidation_table(run);
    missing_table(run);
}
