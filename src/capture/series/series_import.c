/* Rows in order of publication -> a tape with a dictionary of its series. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "capture/series/series_internal.h"
#include "capture/tape/tape.h"

struct target { /* of one series */
    struct instrument in;
    int64_t key, newest_ns;
    struct series_tally *tally;
};

static void row_of(const struct series_entry *x, struct instrument *in) {
    *in = (struct instrument){.px_mant = 1,
        .qty_mant = 1,
        .tick_units = 1,
        .lot_units = 1,
        .contract_e8 = 100000000,
        .venue = VENUE_OTHER,
        .kind = INSTRUMENT_SERIES};
    _Static_assert(sizeof x->asset + sizeof x->name <= SYMBOL_MAX, "a symbol holds both");
    _Static_assert(sizeof x->unit <= ASSET_MAX, "a unit fits");
    snprintf(in->symbol, sizeof in->symbol, "%s%s%s", x->asset, x->asset[0] ? "." : "", x->name);
    memcpy(in->base, x->asset, strlen(x->asset));
    memcpy(in->quote, x->unit, strlen(x->unit));
}

static void tally_row(struct target *t, const struct series_row *row) {
    struct series_tally *y = t->tally;
    bool first = y->points == 0;
    if (first || row->event_ns < y->first_event_ns) y->first_event_ns = row->event_ns;
    if (first || row->event_ns > y->last_event_ns) y->last_event_ns = row->event_ns;
    if (first) y->first_publish_ns = row->publish_ns;
    y->last_publish_ns = row->publish_ns;
    if (row->revision == 0)
        y->points++;
    else
        y->revisions++;
}

static err_t write_row(
    struct tape_writer *w, struct target *t, const struct series_row *row, struct err_info *e) {
    if (row->event_ns > t->newest_ns) t->newest_ns = row->event_ns;
    struct event ev = {.ts_venue = {row->event_ns},
        .ts_local = {row->publish_ns},
        .px = {row->revision},
        .qty = {row->decimals},
        .id = t->key,
        .inst = t->in.id,
        .kind = EV_EXTERNAL,
        .flags = EVF_FIRST | EVF_LAST,
        .aux = {row->mant, t->newest_ns}};
    tally_row(t, row);
    return tape_writer_append(w, &ev, 1, e);
}

static err_t targets(
    const struct series_session *s, struct tape_writer *w, struct target *t, struct err_info *e) {
    struct series_report *r = s->report;
    err_t code = ERR_OK;
    r->series = mem_alloc(s->desc->n * sizeof *r->series);
    r->n_series = s->desc->n;
    for (size_t i = 0; i < s->desc->n && !code; i++) {
        row_of(&s->desc->entry[i], &t[i].in);
        t[i].key = external_key(s->desc->entry[i].name);
        t[i].newest_ns = INT64_MIN;
        t[i].tally = &r->series[i];
        memcpy(r->series[i].symbol, t[i].in.symbol, SYMBOL_MAX);
        memcpy(r->series[i].unit, s->desc->entry[i].unit, SERIES_UNIT_MAX);
        code = tape_writer_instrument(w, &t[i].in, e);
    }
    return code;
}

static err_t write_tape(struct series_session *s, struct err_info *e) {
    struct dir_out *dir;
    struct tape_writer *w = NULL;
    struct tape_writer_options opt = {0};
    struct target *t = mem_alloc(s->desc->n * sizeof *t);
    err_t code = dir_out_open(&dir, s->opt->to, "00000000.tape", s->opt->force, e);
    if (code) {
        free(t);
        return code;
    }
    code = tape_writer_open(&w, dir_out_path(dir), &opt, NULL, e);
    if (!code) code = targets(s, w, t, e);
    for (size_t i = 0; i < s->n && !code; i++)
        code = write_row(w, &t[s->row[i].series], &s->row[i], e);
    if (w) {
        struct err_info second;
        s->report->events = tape_writer_events(w);
        err_t closed = tape_writer_close(w, code ? &second : e);
        if (!code) code = closed;
    }
    if (code)
        dir_out_abort(dir);
    else
        code = dir_out_commit(dir, e);
    free(t);
    if (!code) code = tape_hash(s->opt->to, &s->report->hash, e);
    s->report->written = !code;
    return code;
}

static err_t read_all(struct series_session *s, struct err_info *e) {
    err_t code = ERR_OK;
    for (size_t i = 0; i < s->opt->n_files && !code; i++) {
        s->file = (uint16_t)i;
        code = series_read_file(s, s->opt->files[i], e);
    }
    if (!code) series_settle(s);
    return code ? code : s->failed;
}

err_t series_import(
    const struct series_options *opt, struct series_report *report, struct err_info *e) {
    memset(report, 0, sizeof *report);
    if (opt->n_files > UINT16_MAX)
        return err_set(e, ERR_USAGE, "an import takes at most %d files", UINT16_MAX);
    if (opt->options) return option_import(opt, report, e);
    if (!opt->desc)
        return err_set(e, ERR_USAGE,
            "--format series needs --series FILE, the description of its columns (docs/import.md)");
    struct series_desc *desc = mem_alloc(sizeof *desc);
    struct series_session s = {.opt = opt, .report = report, .desc = desc, .e = e};
    err_t code = series_desc_load(desc, opt->desc, e);
    if (!code) code = read_all(&s, e);
    if (!code && s.n == 0)
        code = err_set(e, ERR_INPUT,
            "no value in %" PRIu64 " lines of %s%s: nothing was written to %s", report->lines,
            opt->files[0], opt->n_files > 1 ? " and the other files" : "", opt->to);
    if (!code) code = write_tape(&s, e);
    free(s.row);
    free(desc);
    return code;
}

void series_report_fini(struct series_report *report) {
    free(report->series);
    *report = (struct series_report){0};
}
