#include "program/import_series.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_out.h"
#include "capture/series/series.h"
#include "derive/feature/feature.h"

enum { NOTE_MAX = 400 };

bool import_series_format(const char *format) {
    return format && (strcmp(format, "series") == 0 || strcmp(format, "deribit-options") == 0);
}

/* The part of a series' symbol behind its asset. */
static const char *name_of(const char *symbol) {
    const char *dot = strchr(symbol, '.');
    return dot ? dot + 1 : symbol;
}

/* Whether a feature, or the calendar, is made of a series of this name. */
static bool is_read(const char *name) {
    char row[64];
    snprintf(row, sizeof row, "chain_%s", name);
    return feature_find(row) >= 0 || strcmp(name, "calendar") == 0 || strcmp(name, "dvol") == 0;
}

/* What was kept and may not be what was meant; false: there is no note `i`. */
static bool note(const struct series_options *opt, const struct series_report *r, size_t i,
    char *out, size_t n) {
    out[0] = 0;
    if (i == 0 && r->open_file)
        snprintf(out, n,
            "%s:%" PRIu64 ": the last row has no line end: if the file was cut short, it has lost "
            "digits",
            r->open_file, r->open_line);
    else if (i > 0 && i <= r->n_series && !opt->options &&
             !is_read(name_of(r->series[i - 1].symbol)))
        snprintf(out, n,
            "no feature reads a series named '%s': fathom features list names those of the family "
            "chain; further ones are calendar and dvol",
            name_of(r->series[i - 1].symbol));
    return i <= r->n_series;
}

static void json_notes(
    struct json_out *j, const struct series_options *opt, const struct series_report *r) {
    char text[NOTE_MAX];
    json_key(j, "notes");
    json_array(j);
    for (size_t i = 0; note(opt, r, i, text, sizeof text); i++)
        if (text[0]) json_str(j, text);
    json_array_end(j);
}

static void json_series(struct json_out *j, const struct series_report *r, bool options) {
    json_key(j, options ? "chains" : "series");
    json_array(j);
    for (size_t i = 0; i < r->n_series; i++) {
        const struct series_tally *t = &r->series[i];
        json_object(j);
        json_kstr(j, "symbol", t->symbol);
        if (!options) json_kstr(j, "unit", t->unit);
        json_kint(j, options ? "snapshots" : "points", (int64_t)t->points);
        json_kint(j, options ? "options" : "revisions", (int64_t)t->revisions);
        json_kint(j, "first_event_ns", t->first_event_ns);
        json_kint(j, "last_event_ns", t->last_event_ns);
        json_kint(j, "first_publish_ns", t->first_publish_ns);
        json_kint(j, "last_publish_ns", t->last_publish_ns);
        json_object_end(j);
    }
    json_array_end(j);
}

static err_t print_json(const struct series_options *opt, const struct series_report *r,
    const char *failure, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "tape", opt->to);
    json_kbool(&j, "written", r->written);
    json_kint(&j, "lines", (int64_t)r->lines);
    json_kint(&j, "rows", (int64_t)r->rows);
    json_kint(&j, "events", (int64_t)r->events);
    json_kint(&j, "rounded", (int64_t)r->rounded);
    json_key(&j, "rejected");
    json_object(&j);
    for (int i = 0; i < SERIES_REASON_COUNT; i++)
        json_kint(&j, series_reason_name((enum series_reason)i), (int64_t)r->rejected[i]);
    json_object_end(&j);
    json_key(&j, "hash");
    json_hash(&j, r->hash);
    json_series(&j, r, opt->options);
    json_notes(&j, opt, r);
    if (failure) json_kstr(&j, "error", failure);
    json_object_end(&j);
    err_t err = cli_print_json(&j, e);
    json_fini(&j);
    return err;
}

static void print_text(const struct series_options *opt, const struct series_report *r) {
    char hash[17];
    hash64_text(r->hash, hash);
    printf("%s: %" PRIu64 " events from %" PRIu64 " rows of %" PRIu64 " lines, hash %s\n", opt->to,
        r->events, r->rows, r->lines, hash);
    for (size_t i = 0; i < r->n_series; i++) {
        const struct series_tally *t = &r->series[i];
        if (opt->options)
            printf("  %s: %" PRIu64 " snapshots of %" PRIu64 " options in all\n", t->symbol,
                t->points, t->revisions);
        else
            printf("  %s (%s): %" PRIu64 " points, %" PRIu64 " revisions\n", t->symbol,
                t->unit[0] ? t->unit : "no unit named", t->points, t->revisions);
    }
    for (int i = 0; i < SERIES_REASON_COUNT; i++)
        if (r->rejected[i])
            printf(
                "  %s: %" PRIu64 "\n", series_reason_name((enum series_reason)i), r->rejected[i]);
    if (r->rounded) printf("  values of more than 18 digits, rounded: %" PRIu64 "\n", r->rounded);
}

static void print_samples(const struct series_options *opt, const struct series_report *r) {
    char text[NOTE_MAX];
    for (size_t i = 0; note(opt, r, i, text, sizeof text); i++)
        if (text[0]) fprintf(stderr, "fathom: %s\n", text);
    for (int i = 0; i < SERIES_REASON_COUNT; i++) {
        const char *name = series_reason_name((enum series_reason)i);
        uint64_t n = r->rejected[i], shown = n < SERIES_SAMPLES ? n : SERIES_SAMPLES;
        for (uint64_t k = 0; k < shown; k++)
            fprintf(stderr, "%s:%" PRIu64 ": %s: %s\n", r->sample[i][k].file, r->sample[i][k].line,
                name, r->sample[i][k].text);
        if (n > shown) fprintf(stderr, "... %s: %" PRIu64 " more\n", name, n - shown);
    }
}

/* Options of the other formats say nothing here: given, they are a mistake. */
static err_t check_words(const struct cli_args *a, bool options, struct err_info *e) {
    static const char *const foreign[] = {
        "venue", "interval", "instruments", "price-jump", "latency"};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (cli_value(a, foreign[i]))
            return err_set(e, ERR_USAGE, "--%s does not go with --format %s", foreign[i],
                cli_value(a, "format"));
    const char *wrong = options ? "series" : cli_value(a, "at") ? "at" : "symbol";
    if (cli_value(a, wrong))
        return err_set(e, ERR_USAGE, "--%s does not go with --format %s%s", wrong,
            cli_value(a, "format"),
            options ? "" : "; the description says times and assets (docs/import.md)");
    return ERR_OK;
}

static err_t read_options(
    const struct cli_args *a, struct series_options *opt, struct err_info *e) {
    const char *at = cli_value(a, "at");
    opt->files = (const char *const *)a->argv;
    opt->n_files = (size_t)a->argc;
    opt->to = cli_value(a, "to");
    opt->desc = cli_value(a, "series");
    opt->symbol = cli_value(a, "symbol");
    opt->options = strcmp(cli_value(a, "format"), "deribit-options") == 0;
    opt->strict = cli_flag(a, "strict");
    opt->force = a->force;
    opt->interrupted = cli_interrupted;
    err_t code = check_words(a, opt->options, e);
    if (code) return code;
    if (at && !series_time_text(at, &opt->at_ns))
        return err_set(e, ERR_USAGE,
            "--at %s is no time (2024-05-24T19:15:00Z, or digits of s, ms, us, ns since 1970)", at);
    if (!opt->force && file_exists(opt->to))
        return err_set(
            e, ERR_USAGE, "%s exists; give --force to replace it, or another --to", opt->to);
    return ERR_OK;
}

err_t import_series(const struct cli_args *a, struct err_info *e) {
    struct series_options opt = {0};
    struct series_report report;
    err_t code = read_options(a, &opt, e);
    if (code) return code;
    code = series_import(&opt, &report, e);
    if (!a->quiet) print_samples(&opt, &report);
    if (report.rows > 0) {
        struct err_info second = {ERR_OK, ""};
        err_t printed = ERR_OK;
        if (a->json)
            printed = print_json(&opt, &report, code ? e->text : NULL, &second);
        else if (!code)
            print_text(&opt, &report);
        if (!code && printed) {
            *e = second;
            code = printed;
        }
    }
    series_report_fini(&report);
    return code;
}
