/* Tables of Deribit's option chain -> a tape: one message of EV_OPTION a snapshot.
 *
 * Columns by the header's names: option_type (call, put), strike, maturity; mark_price, last_price
 * (in coin), mark_iv (percent), index_price, underlying_price, open_interest, volume where there
 * are any; time = when the row was taken. A table without that column is one snapshot, whose time
 * must be named (`at_ns`): `creation` is when an option was listed, not when it was quoted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/file.h"
#include "base/mem.h"
#include "capture/series/series_internal.h"
#include "capture/tape/import_source.h"
#include "capture/tape/tape.h"

enum { COLUMNS_MAX = 64, SLOTS = 2 };

enum option_column {
    OC_TYPE,
    OC_STRIKE,
    OC_MATURITY,
    OC_TIME,
    OC_INDEX,
    OC_MARK, /* from here on: words of the event */
    OC_LAST,
    OC_IV,
    OC_FORWARD,
    OC_INTEREST,
    OC_VOLUME,
    OC_COUNT
};

static const struct {
    const char *name;
    uint8_t decimals; /* of the fixed scale */
} column[OC_COUNT] = {{"option_type", 0}, {"strike", 10}, {"maturity", 0}, {"time", 0},
    {"index_price", 10}, {"mark_price", 10}, {"last_price", 10}, {"mark_iv", 8},
    {"underlying_price", 10}, {"open_interest", 8}, {"volume", 8}};

struct option_row {
    struct event slot[SLOTS];
    uint32_t order;
};

struct option_session {
    struct series_session s; /* for series_refuse */
    const struct series_options *opt;
    struct option_row *row;
    size_t n, cap;
    int at[OC_COUNT]; /* place in the file's rows, -1 = none */
    size_t columns;
};

static err_t header(struct option_session *o, const char *path, const struct import_line *line,
    struct err_info *e) {
    struct series_field f[COLUMNS_MAX];
    o->columns = series_csv_split(line->text, line->len, f, COLUMNS_MAX);
    for (int c = 0; c < OC_COUNT; c++) {
        o->at[c] = -1;
        for (size_t i = 0; i < o->columns; i++)
            if (f[i].n == strlen(column[c].name) && memcmp(f[i].p, column[c].name, f[i].n) == 0)
                o->at[c] = (int)i;
        if (c <= OC_MATURITY && o->at[c] < 0)
            return err_set(e, ERR_INPUT, "%s:%" PRIu64 ": an option table has a column '%s'", path,
                line->number, column[c].name);
    }
    if (o->at[OC_TIME] < 0 && o->opt->at_ns == 0)
        return err_set(e, ERR_USAGE,
            "%s does not say when its rows were taken (no column 'time'): give --at TIME", path);
    return ERR_OK;
}

/* x 10^decimals exactly, not negative; KLINE_UNKNOWN for an empty field. */
static bool scaled(struct series_field f, uint8_t decimals, int64_t *out) {
    struct external_number x;
    struct decimal d;
    *out = KLINE_UNKNOWN;
    if (f.n == 0) return true;
    if (!external_parse(f.p, f.n, &x) || x.rounded || x.mant < 0) return false;
    if (x.decimals < 0 || x.decimals > DECIMAL_EXP_MAX) return false;
    d = (struct decimal){x.mant, (uint8_t)x.decimals};
    return decimal_to_scale(d, decimals, out);
}

static bool text_is(struct series_field f, const char *word) {
    return f.n == strlen(word) && memcmp(f.p, word, f.n) == 0;
}

/* The number of column c; false: refused. */
static bool number_of(
    struct option_session *o, const struct series_field *f, int c, uint64_t line, int64_t *out) {
    *out = KLINE_UNKNOWN;
    if (o->at[c] < 0 || scaled(f[o->at[c]], column[c].decimals, out)) return true;
    char what[64];
    snprintf(what, sizeof what, "no %s, or one with more than %d decimals", column[c].name,
        (int)column[c].decimals);
    series_refuse(&o->s, SERIES_BAD_VALUE, line, what, f[o->at[c]]);
    return false;
}

static bool fill(
    struct option_session *o, const struct series_field *f, uint64_t line, struct event *ev) {
    struct event_cont *words = (struct event_cont *)(void *)(ev + 1);
    bool call = text_is(f[o->at[OC_TYPE]], "call"), put = text_is(f[o->at[OC_TYPE]], "put");
    int64_t at = o->opt->at_ns, strike, index;
    if (!call && !put) {
        series_refuse(&o->s, SERIES_MALFORMED, line, "neither call nor put", f[o->at[OC_TYPE]]);
        return false;
    }
    if (o->at[OC_TIME] >= 0 && !series_time(f[o->at[OC_TIME]].p, f[o->at[OC_TIME]].n, &at)) {
        series_refuse(&o->s, SERIES_BAD_TIME, line, "no time", f[o->at[OC_TIME]]);
        return false;
    }
    if (!series_time(f[o->at[OC_MATURITY]].p, f[o->at[OC_MATURITY]].n, &ev->id) || ev->id <= at) {
        series_refuse(&o->s, SERIES_BAD_TIME, line, "no maturity, or one that is over",
            f[o->at[OC_MATURITY]]);
        return false;
    }
    if (!number_of(o, f, OC_STRIKE, line, &strike) || !number_of(o, f, OC_INDEX, line, &index))
        return false;
    if (strike <= 0) {
        series_refuse(&o->s, SERIES_BAD_VALUE, line, "no strike", f[o->at[OC_STRIKE]]);
        return false;
    }
    for (int c = OC_MARK; c < OC_COUNT; c++)
        if (!number_of(o, f, c, line, &words->w[c - OC_MARK])) return false;
    ev->kind = EV_OPTION;
    ev->flags = call ? EVF_BUY : EVF_SELL;
    ev->ts_local.ns = ev->ts_venue.ns = at;
    ev->aux.a = strike;
    ev->aux.b = index == KLINE_UNKNOWN ? 0 : index;
    return true;
}

static void table_row(struct option_session *o, const struct import_line *line) {
    struct series_field f[COLUMNS_MAX], whole = {line->text, line->len};
    struct option_row row = {.order = (uint32_t)o->n};
    o->s.report->rows++;
    if (line->open) series_open_row(&o->s, line->number);
    if (line->cut || series_csv_split(line->text, line->len, f, COLUMNS_MAX) != o->columns) {
        series_refuse(
            &o->s, SERIES_MALFORMED, line->number, "not as many columns as the header", whole);
        return;
    }
    if (!fill(o, f, line->number, row.slot)) return;
    if (o->n == SERIES_ROWS_MAX) {
        if (!o->s.failed)
            o->s.failed = err_set(o->s.e, ERR_RESOURCE,
                "more than %d rows: import the files in "
                "parts and join them with `fathom tape merge`",
                SERIES_ROWS_MAX);
        return;
    }
    o->row = mem_array(o->row, o->n, &o->cap, sizeof *o->row);
    o->row[o->n++] = row;
}

static err_t read_table(struct option_session *o, const char *path, struct err_info *e) {
    struct import_source *source;
    struct import_line line;
    bool begun = false;
    err_t code = import_source_open(&source, path, e);
    if (code) return code;
    while (!o->s.failed && (code = import_source_line(source, &line, e)) == ERR_OK) {
        o->s.report->lines++;
        if (line.len == 0) continue;
        if (begun)
            table_row(o, &line);
        else
            code = header(o, path, &line, e);
        begun = true;
        if (code) break;
    }
    import_source_close(source);
    if (code == ERR_END) code = ERR_OK;
    return code ? code : o->s.failed;
}

static int by_time(const void *p, const void *q) {
    const struct option_row *a = p, *b = q;
    int64_t x = a->slot[0].ts_local.ns, y = b->slot[0].ts_local.ns;
    if (x != y) return x < y ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static err_t write_rows(struct option_session *o, struct tape_writer *w, struct err_info *e) {
    struct instrument in = {.px_mant = 1,
        .qty_mant = 1,
        .tick_units = 1,
        .lot_units = 1,
        .contract_e8 = 100000000,
        .venue = VENUE_DERIBIT,
        .kind = INSTRUMENT_OPTIONS};
    struct series_tally *y = o->s.report->series = mem_alloc(sizeof *y);
    o->s.report->n_series = 1;
    memcpy(in.symbol, o->opt->symbol, strlen(o->opt->symbol));
    memcpy(in.base, in.symbol, ASSET_MAX);
    memcpy(y->symbol, in.symbol, SYMBOL_MAX);
    err_t code = tape_writer_instrument(w, &in, e);
    for (size_t i = 0; i < o->n && !code; i++) {
        struct event *ev = o->row[i].slot;
        int64_t at = ev->ts_local.ns;
        bool first = i == 0 || o->row[i - 1].slot[0].ts_local.ns != at;
        bool last = i + 1 == o->n || o->row[i + 1].slot[0].ts_local.ns != at;
        ev->inst = in.id;
        ev->flags |= (uint8_t)((first ? EVF_FIRST : 0) | (last ? EVF_LAST : 0));
        y->points += first;
        y->revisions++;
        if (i == 0) y->first_event_ns = y->first_publish_ns = at;
        y->last_event_ns = y->last_publish_ns = at;
        code = tape_writer_append(w, ev, SLOTS, e);
    }
    return code;
}

static err_t write_tape(struct option_session *o, struct err_info *e) {
    struct dir_out *dir;
    struct tape_writer *w = NULL;
    struct tape_writer_options opt = {0};
    struct err_info second;
    err_t code = dir_out_open(&dir, o->opt->to, "00000000.tape", o->opt->force, e);
    if (code) return code;
    code = tape_writer_open(&w, dir_out_path(dir), &opt, NULL, e);
    if (!code) code = write_rows(o, w, e);
    if (w) {
        o->s.report->events = tape_writer_events(w);
        err_t closed = tape_writer_close(w, code ? &second : e);
        if (!code) code = closed;
    }
    if (code)
        dir_out_abort(dir);
    else
        code = dir_out_commit(dir, e);
    if (!code) code = tape_hash(o->opt->to, &o->s.report->hash, e);
    o->s.report->written = !code;
    return code;
}

err_t option_import(
    const struct series_options *opt, struct series_report *report, struct err_info *e) {
    struct option_session o = {.s = {.opt = opt, .report = report, .e = e}, .opt = opt};
    if (!opt->symbol || !opt->symbol[0] || strlen(opt->symbol) >= ASSET_MAX)
        return err_set(e, ERR_USAGE,
            "--format deribit-options needs --symbol, the underlying of the chain (BTC), of at "
            "most "
            "%d bytes",
            ASSET_MAX - 1);
    err_t code = ERR_OK;
    for (size_t i = 0; i < opt->n_files && !code; i++) {
        o.s.file = (uint16_t)i;
        code = read_table(&o, opt->files[i], e);
    }
    if (!code && o.n == 0)
        code =
            err_set(e, ERR_INPUT, "no option in %" PRIu64 " lines of %s: nothing was written to %s",
                report->lines, opt->files[0], opt->to);
    if (!code) {
        qsort(o.row, o.n, sizeof *o.row, by_time);
        code = write_tape(&o, e);
    }
    free(o.row);
    return code;
}
