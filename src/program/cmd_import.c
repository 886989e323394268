#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/hash.h"
#include "base/json_out.h"
#include "base/progress.h"
#include "capture/tape/import.h"
#include "capture/tape/import_csv.h"
#include "program/cli.h"
#include "program/import_series.h"

/* The one name list of formats, for checking and for the nearest word. */
static const char *const formats[] = {"auto", "raw", "trades", "aggTrades", "klines", "mark",
    "bookTicker", "fundingRate", "metrics", "series", "deribit-options", "lobster"};
enum { FORMATS = sizeof formats / sizeof formats[0] };

static err_t unknown(
    const char *option, const char *word, const char *nearest, struct err_info *e) {
    return err_set(e, ERR_USAGE, "--%s %s is unknown%s%s%s", option, word,
        nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static err_t read_words(const struct cli_args *a, struct import_options *opt, struct err_info *e) {
    const char *venue = cli_value(a, "venue"), *interval = cli_value(a, "interval");
    opt->to = cli_value(a, "to");
    if (!opt->to) return err_set(e, ERR_USAGE, "give --to TAPE: the folder of the tape to write");
    opt->format = cli_value(a, "format");
    if (opt->format) {
        size_t i = 0;
        while (i < FORMATS && strcmp(formats[i], opt->format) != 0) i++;
        if (i == FORMATS)
            return unknown("format", opt->format, cli_nearest(opt->format, formats, FORMATS), e);
    }
    if (venue) {
        static const char *const venues[] = {
            "binance-usdm", "binance-coinm", "binance-spot", "other"};
        opt->venue = venue_from_name(venue);
        if (opt->venue == VENUE_NONE)
            return unknown("venue", venue, cli_nearest(venue, venues, 4), e);
    }
    opt->symbol = cli_value(a, "symbol");
    if (opt->symbol && (!opt->symbol[0] || strlen(opt->symbol) >= SYMBOL_MAX))
        return err_set(e, ERR_USAGE, "--symbol takes 1 to %d bytes", SYMBOL_MAX - 1);
    if (interval) {
        opt->interval_ns = import_interval(interval, strlen(interval));
        if (opt->interval_ns == 0)
            return err_set(e, ERR_USAGE, "--interval %s is no bar length (5m, 1h, 1d)", interval);
    }
    opt->instruments = cli_value(a, "instruments");
    return ERR_OK;
}

static err_t read_options(
    const struct cli_args *a, struct import_options *opt, struct err_info *e) {
    double jump, latency;
    err_t err = read_words(a, opt, e);
    if (!err) err = cli_double(a, "price-jump", 0.001, 100.0, 0.2, &jump, e);
    if (!err) err = cli_double(a, "latency", 0.001, 86400.0, 1.0, &latency, e);
    if (err) return err;
    opt->jump_ppm = (int64_t)(jump * 1e6 + 0.5);
    opt->latency_ns = (int64_t)(latency * 1e9 + 0.5);
    opt->strict = cli_flag(a, "strict");
    opt->force = a->force;
    return ERR_OK;
}

static const char *source_name(uint8_t source) {
    return source == UNIT_DECLARED ? "declared" : source == UNIT_FILE ? "file" : "inferred";
}

/* A step as decimal text: mant x steps / 10^exp. */
static void step_text(int64_t mant, int64_t steps, uint8_t exp, char *out) {
    decimal_text((int128)mant * steps, exp, true, out);
}

static void json_instruments(struct json_out *j, const struct import_report *r) {
    json_key(j, "instruments");
    json_array(j);
    for (size_t i = 0; i < r->n_instruments; i++) {
        const struct instrument *in = &r->instrument[i];
        char text[DECIMAL_TEXT_MAX];
        json_object(j);
        json_kstr(j, "symbol", in->symbol);
        json_kstr(j, "venue", venue_name(in->venue));
        step_text(in->px_mant, in->tick_units, in->px_exp, text);
        json_kstr(j, "tick_size", text);
        step_text(in->qty_mant, in->lot_units, in->qty_exp, text);
        json_kstr(j, "lot_size", text);
        json_kstr(j, "unit_source", source_name(in->unit_source));
        json_object_end(j);
    }
    json_array_end(j);
}

static void json_files(struct json_out *j, const struct import_report *r) {
    json_key(j, "files");
    json_array(j);
    for (size_t i = 0; i < r->n_files; i++) {
        const struct import_file_report *f = &r->file[i];
        json_object(j);
        json_kstr(j, "file", f->path);
        json_kstr(j, "format", f->format);
        json_kstr(j, "venue", venue_name(f->venue));
        json_kint(j, "lines", (int64_t)f->lines);
        json_kint(j, "control_lines", (int64_t)f->control_lines);
        if (f->open_line) json_kint(j, "open_line", (int64_t)f->open_line);
        if (f->received) {
            json_kint(j, "latency_median_ns", f->latency_median_ns);
            json_kint(j, "clock_offset_ns", f->clock_offset_ns);
        }
        json_object_end(j);
    }
    json_array_end(j);
}

static void json_samples(struct json_out *j, const struct import_tally *t) {
    json_key(j, "samples");
    json_array(j);
    for (int reason = 0; reason < IMPORT_REASON_COUNT; reason++) {
        for (uint64_t i = 0; i < IMPORT_SAMPLES && i < t->rejected[reason]; i++) {
            const struct import_sample *s = &t->sample[reason][i];
            json_object(j);
            json_kstr(j, "reason", import_reason_name((enum import_reason)reason));
            json_kstr(j, "file", s->file);
            json_kint(j, "line", (int64_t)s->line);
            json_kstr(j, "text", s->text);
            json_object_end(j);
        }
    }
    json_array_end(j);
}

static err_t print_json(const struct import_options *opt, const struct import_report *r,
    const char *failure, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "tape", opt->to);
    json_kbool(&j, "written", r->tape_written);
    json_kint(&j, "lines", (int64_t)r->lines);
    json_kint(&j, "events", (int64_t)r->tally.events);
    json_key(&j, "rejected");
    json_object(&j);
    for (int i = 0; i < IMPORT_REASON_COUNT; i++)
        json_kint(&j, import_reason_name((enum import_reason)i), (int64_t)r->tally.rejected[i]);
    json_object_end(&j);
    json_kint(&j, "non_market_trades", (int64_t)r->tally.non_market_trades);
    json_kstr(&j, "local_unit", r->local_unit ? r->local_unit : "");
    json_key(&j, "hash");
    json_hash(&j, r->hash);
    json_kint(&j, "clock_offset_ns", r->clock_offset_ns);
    json_kint(&j, "local_repaired", (int64_t)r->tally.local_repaired);
    json_kint(&j, "missing_ids", (int64_t)r->tally.missing_ids);
    json_kint(&j, "late_ids", (int64_t)r->tally.late_ids);
    json_kint(&j, "control_lines", (int64_t)r->control_lines);
    json_kint(&j, "other_messages", (int64_t)r->other_messages);
    if (r->n_files > 0 && strcmp(r->file[0].format, "lobster") == 0) {
        json_kint(&j, "levels_revealed", (int64_t)r->levels_revealed);
        json_kint(&j, "levels_stale", (int64_t)r->levels_stale);
        json_kint(&j, "levels_wrong", (int64_t)r->levels_wrong);
    }
    json_instruments(&j, r);
    json_files(&j, r);
    json_samples(&j, &r->tally);
    if (failure) json_kstr(&j, "error", failure);
    json_object_end(&j);
    err_t err = cli_print_json(&j, e);
    json_fini(&j);
    return err;
}

static void print_text(const struct import_options *opt, const struct import_report *r) {
    char hash[17];
    hash64_text(r->hash, hash);
    printf("%s: %" PRIu64 " events from %" PRIu64 " lines, hash %s\n", opt->to, r->tally.events,
        r->lines, hash);
    for (size_t i = 0; i < r->n_instruments; i++) {
        const struct instrument *in = &r->instrument[i];
        char tick[DECIMAL_TEXT_MAX], lot[DECIMAL_TEXT_MAX];
        step_text(in->px_mant, in->tick_units, in->px_exp, tick);
        step_text(in->qty_mant, in->lot_units, in->qty_exp, lot);
        printf("  %s %s: tick %s, lot %s (%s)\n", venue_name(in->venue), in->symbol, tick, lot,
            source_name(in->unit_source));
    }
    printf("  stamps in %s", r->local_unit ? r->local_unit : "?");
    if (r->clock_offset_ns) printf(", clock offset %.6f s", (double)r->clock_offset_ns / 1e9);
    printf("; %" PRIu64 " trades that are no market trades\n", r->tally.non_market_trades);
    for (int i = 0; i < IMPORT_REASON_COUNT; i++) {
        if (r->tally.rejected[i] == 0) continue;
        printf(
            "  %s: %" PRIu64 "\n", import_reason_name((enum import_reason)i), r->tally.rejected[i]);
    }
    if (r->levels_revealed + r->levels_stale + r->levels_wrong > 0) {
        printf("  levels taken from the order book file: %" PRIu64 " came into its range, %" PRIu64
               " changed out of it, %" PRIu64 " wrong\n",
            r->levels_revealed, r->levels_stale, r->levels_wrong);
    }
    if (r->tally.local_repaired)
        printf("  local stamps repaired: %" PRIu64 "\n", r->tally.local_repaired);
}

/* A line or two for each reason, where a person looks. */
static void print_samples(const struct import_tally *t) {
    for (int reason = 0; reason < IMPORT_REASON_COUNT; reason++) {
        const char *name = import_reason_name((enum import_reason)reason);
        uint64_t n = t->rejected[reason], shown = n < IMPORT_SAMPLES ? n : IMPORT_SAMPLES;
        for (uint64_t i = 0; i < shown; i++) {
            const struct import_sample *s = &t->sample[reason][i];
            fprintf(stderr, "%s:%" PRIu64 ": %s: %s\n", s->file, s->line, name, s->text);
        }
        if (n > shown) fprintf(stderr, "... %s: %" PRIu64 " more\n", name, n - shown);
    }
}

static void notes(const struct import_report *r) {
    for (size_t i = 0; i < r->n_files; i++) {
        if (r->file[i].open_line)
            fprintf(stderr,
                "%s:%" PRIu64
                ": the last row has no line end: if the file was cut short, it has lost digits\n",
                r->file[i].path, r->file[i].open_line);
        bool told = strcmp(r->file[i].format, "lobster") == 0; /* a US exchange, no venue of ours */
        if (r->file[i].venue != VENUE_OTHER || told) continue;
        fprintf(stderr, "%s: no sign of its venue; written as 'other' (--venue names it)\n",
            r->file[i].path);
    }
    if (r->other_messages) {
        fprintf(stderr, "%" PRIu64 " messages of kinds that carry no event here were left out\n",
            r->other_messages);
    }
}

static void on_progress(void *ctx, uint64_t done, uint64_t total) {
    struct progress *p = ctx;
    p->total = total;
    progress_at(p, done);
}

static err_t import(const struct cli_args *a, struct import_options *opt, struct err_info *e) {
    struct progress p;
    struct import_report report;
    progress_begin(&p, "import", "MB", 1e-6, 0, a->quiet);
    opt->progress = on_progress;
    opt->ctx = &p;
    opt->interrupted = cli_interrupted;
    err_t err = import_run(opt, &report, e);
    progress_end(&p, p.total);
    opt->ctx = NULL; /* p ends here */
    if (report.n_files > 0) {
        if (!a->quiet) print_samples(&report.tally);
        if (!a->quiet) notes(&report);
        struct err_info print_error;
        err_t printed = ERR_OK;
        if (a->json) {
            printed = print_json(opt, &report, err ? e->text : NULL, &print_error);
        } else {
            print_text(opt, &report);
        }
        if (!err && printed) {
            *e = print_error;
            err = printed;
        }
    }
    import_report_fini(&report);
    return err;
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = calloc(1, sizeof *a);
    if (!a) return err_set(e, ERR_RESOURCE, "out of memory");
    struct import_options opt = {0};
    err_t err = cli_parse(verb, argc, argv, a, e);
    if (!err) err = read_options(a, &opt, e);
    if (!err && import_series_format(opt.format)) {
        err = import_series(a, e);
    } else if (!err && (cli_value(a, "series") || cli_value(a, "at"))) {
        err = err_set(e, ERR_USAGE,
            "--series goes with --format series, --at with --format "
            "deribit-options; neither was given");
    } else if (!err) {
        opt.files = (const char *const *)a->argv;
        opt.n_files = (size_t)a->argc;
        err = import(a, &opt, e);
    }
    free(a);
    return err;
}

const struct cli_verb cmd_import = {
    .name = "import",
    .usage = "FILE... --to TAPE [--format auto] [--strict]",
    .about = "foreign history (raw recordings, Binance bulk files, CSV) -> tape",
    .help =
        "  --to TAPE            the tape to write (must not exist; --force replaces it)\n"
        "  --format NAME        auto, raw, trades, aggTrades, klines, mark, bookTicker,\n"
        "                       fundingRate, metrics, series, deribit-options, lobster\n"
        "                       (default auto)\n"
        "  --venue NAME         binance-usdm, binance-coinm, binance-spot, other\n"
        "  --symbol NAME        where neither file name nor columns say it\n"
        "  --interval LENGTH    of bars (5m, 1h) where the file name does not say it\n"
        "  --instruments FILE   YAML or JSON: symbol, tick_size, lot_size, ... of instruments\n"
        "  --series FILE        of --format series: YAML or JSON, what its columns mean\n"
        "  --at TIME            of --format deribit-options: when the table was taken\n"
        "  --strict             stop at the first row that a data quality rule rejects\n"
        "  --price-jump X       share of the price that makes a lone trade a jump (default 0.2)\n"
        "  --latency S          seconds from event to receipt that make an outlier (default 1)\n"
        "\n"
        "Several files are merged by time into one session.\n"
        "\n"
        "  fathom import btcusdt_20240808.gz --to btc.tape --json\n",
    .options =
        "to= format= venue= symbol= interval= instruments= series= at= strict price-jump= latency=",
    .args_min = 1,
    .args_max = -1,
    .run = run,
};
