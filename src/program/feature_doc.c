#include "program/feature_doc.h"

#include <string.h>

static const struct {
    uint32_t bit;
    const char *name;
} needs[] = {
    {NEED_TRADE, "trade"},
    {NEED_DEPTH, "depth"},
    {NEED_TICKER, "ticker"},
    {NEED_MARK, "mark"},
    {NEED_FUNDING, "funding"},
    {NEED_LIQUIDATION, "liquidation"},
    {NEED_OPEN_INTEREST, "open_interest"},
    {NEED_KLINE, "kline"},
    {NEED_SERIES, "series"},
    {NEED_TAKER, "taker"},
    {NEED_VALUE, "value"},
    {NEED_RATIO, "ratio"},
    {NEED_REFERENCE, "reference"},
    {NEED_OPTION, "option"},
    {NEED_PEER, "peer"},
};
enum { NEEDS = sizeof needs / sizeof needs[0], NEED_TEXT_MAX = 128 };

static const char *clock_name(uint8_t clock) {
    static const char *const names[] = {"bucket", "time", "event"};
    return clock < sizeof names / sizeof names[0] ? names[clock] : "?";
}

static const char *warmup_unit(const struct feature_def *d) {
    if (d->clock == CLOCK_BUCKET) return "buckets";
    return d->clock == CLOCK_TIME ? "s" : "events";
}

/* "trade, depth (or bars)"; "none" where nothing but a bucket is needed. */
static const char *needs_text(const struct feature_def *d, char out[NEED_TEXT_MAX]) {
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < NEEDS; i++)
        if (d->needs & needs[i].bit)
            n += (size_t)snprintf(out + n, NEED_TEXT_MAX - n, "%s%s", n ? ", " : "", needs[i].name);
    if (n == 0) n = (size_t)snprintf(out, NEED_TEXT_MAX, "none");
    if (d->bars_ok && d->needs) snprintf(out + n, NEED_TEXT_MAX - n, " (or bars)");
    return out;
}

void feature_doc_json(struct json_out *j, size_t index) {
    const struct feature_family *family = NULL;
    const struct feature_def *d = feature_get(index, &family);
    json_object(j);
    json_kstr(j, "name", d->name);
    json_kstr(j, "family", family->name);
    json_kstr(j, "unit", d->unit);
    json_kint(j, "warmup", (int64_t)d->warmup);
    json_kstr(j, "warmup_unit", warmup_unit(d));
    json_kstr(j, "window", d->window);
    json_kstr(j, "clock", clock_name(d->clock));
    json_key(j, "needs");
    json_array(j);
    for (size_t i = 0; i < NEEDS; i++)
        if (d->needs & needs[i].bit) json_str(j, needs[i].name);
    json_array_end(j);
    json_kbool(j, "bars", d->bars_ok);
    json_kbool(j, "recursive", d->recursive);
    json_kstr(j, "about", d->about);
    json_kstr(j, "missing", d->missing);
    json_kstr(j, "source", d->source);
    json_kstr(j, "capability", d->capability);
    json_kint(j, "version", (int64_t)d->version);
    json_object_end(j);
}

void feature_doc_line(FILE *to, size_t index) {
    const struct feature_def *d = feature_get(index, NULL);
    fprintf(to, "%-36s %-16s %-6s %s\n", d->name, d->unit, d->window, d->about);
}

void feature_doc_explain(FILE *to, size_t index) {
    const struct feature_family *family = NULL;
    const struct feature_def *d = feature_get(index, &family);
    char text[NEED_TEXT_MAX];
    fprintf(to, "%s (family %s, version %u)\n", d->name, family->name, d->version);
    fprintf(to, "  value    %s\n", d->about);
    fprintf(to, "  unit     %s\n", d->unit);
    fprintf(to, "  window   %s on the %s clock\n", d->window, clock_name(d->clock));
    fprintf(to, "  warm-up  %u %s%s\n", d->warmup, warmup_unit(d),
        d->recursive ? " (never forgets: within 1e-9 after that)" : "");
    fprintf(to, "  missing  %s\n", d->missing);
    fprintf(to, "  needs    %s\n", needs_text(d, text));
    fprintf(to, "  source   %s\n", d->source);
    fprintf(to, "  belongs  %s\n", d->capability);
}

/* Rows of all registry lines of that family. */
static size_t family_rows(const char *name) {
    size_t rows = 0;
    for (size_t i = 0; i < feature_family_count(); i++)
        if (strcmp(feature_family(i)->name, name) == 0) rows += feature_family(i)->count;
    return rows;
}

/* Families by name: two lines of the registry may be of one. */
static size_t family_names(void) {
    size_t names = 0;
    for (size_t i = 0; i < feature_family_count(); i++) {
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = strcmp(feature_family(i)->name, feature_family(j)->name) == 0;
        names += !seen;
    }
    return names;
}

static void markdown_head(FILE *to) {
    fprintf(to,
        "# Features\n\n"
        "%zu features in %zu families. This page is `fathom features list --markdown`; one of them "
        "in full: `fathom features explain NAME`.\n\n"
        "Every feature holds four laws, tested for each: it sees the past only (truncation), it "
        "does not depend on where the stream began once warm (before that it is missing), it "
        "equals a naive recomputation (batch), and it does not matter how the input is cut "
        "(granularity).\n\n"
        "- Units: bps is 1e4 x ratio; base and quote are the instrument's; rates are per second.\n"
        "- Window: `b20` 20 buckets, `s60` 60 seconds of local time, `e100` 100 trades, `v20` 20 "
        "volume buckets, `20xm5` 20 closed bars of five minutes (`m1` one minute, `h1` one hour; "
        "of "
        "trades, else of the venue's bars), `last` the state at the close. Warm-up counts buckets, "
        "seconds or trades "
        "alike.\n"
        "- Reference price: mid at the bucket's close; where no depth was ever seen, the last "
        "trade "
        "or bar close.\n"
        "- Missing is NaN, never 0 and never infinite. Before the warm-up is over a value is "
        "missing.\n"
        "- Sets: `all`; `core` (what trades and depth carry within minutes); `bars` (rows marked "
        "bars); `ohlcv` (those of them that need neither taker-buy nor quote volume), all three "
        "without the rows on bars of their own "
        "(`m1`, `m5`, `h1`), which come with `all`, their family or their name; a family; or "
        "names joined by `+`, for example `--set book+ofi+ret_b1`. A set's "
        "signature covers names, windows, versions and order.\n",
        feature_count(), family_names());
}

void feature_doc_markdown(FILE *to) {
    char text[NEED_TEXT_MAX];
    const char *last = "";
    markdown_head(to);
    for (size_t i = 0; i < feature_count(); i++) {
        const struct feature_family *family = NULL;
        const struct feature_def *d = feature_get(i, &family);
        if (strcmp(family->name, last) != 0) {
            fprintf(to, "\n## %s (%zu)\n\n", family->name, family_rows(family->name));
            fprintf(to, "| name | unit | window | warm-up | value | missing | needs | source |\n");
            fprintf(to, "|---|---|---|---|---|---|---|---|\n");
        }
        last = family->name;
        fprintf(to, "| `%s` | %s | %s | %u | ", d->name, d->unit, d->window, d->warmup);
        for (const char *c = d->about; *c; c++) fputs(*c == '|' ? "\\|" : (char[2]){*c, 0}, to);
        fprintf(to, " | %s | %s | %s |\n", d->missing, needs_text(d, text), d->source);
    }
}
