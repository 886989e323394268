/* One field after the other -> a row, or the reason why not; then all rows in order of publication.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "capture/series/series_internal.h"

static const char *const reason_name[SERIES_REASON_COUNT] = {"malformed", "bad_time", "bad_value",
    "no_value", "no_publish_time", "published_before_event", "duplicate", "conflict",
    "revision_order"};

const char *series_reason_name(enum series_reason r) { return reason_name[r]; }

void series_refuse(struct series_session *s, enum series_reason why, uint64_t line,
    const char *what, struct series_field f) {
    struct series_report *r = s->report;
    uint64_t n = r->rejected[why]++;
    const char *file = s->opt->files[s->file];
    int len = f.p ? (int)(f.n < 40 ? f.n : 40) : 0;
    if (n < SERIES_SAMPLES) {
        struct series_sample *x = &r->sample[why][n];
        x->file = file;
        x->line = line;
        snprintf(x->text, sizeof x->text, "%s%s%.*s%s", what, f.p ? ": '" : "", len, f.p ? f.p : "",
            f.p ? "'" : "");
    }
    if (s->opt->strict && !s->failed)
        s->failed = err_set(s->e, ERR_INPUT, "%s:%" PRIu64 ": %s: %s%s%.*s%s (--strict)", file,
            line, reason_name[why], what, f.p ? ": '" : "", len, f.p ? f.p : "", f.p ? "'" : "");
}

void series_open_row(struct series_session *s, uint64_t line) {
    if (s->report->open_file) return;
    s->report->open_file = s->opt->files[s->file];
    s->report->open_line = line;
}

static bool absent(struct series_field f) {
    return f.n == 0 || (f.n == 4 && memcmp(f.p, "null", 4) == 0);
}

/* When the row was published, by its column or the delay that was named. */
static bool publish_time(struct series_session *s, const struct series_entry *x, uint64_t line,
    struct series_field publish, struct series_row *row) {
    const struct series_field none = {NULL, 0};
    if (!x->publish[0]) {
        row->publish_ns = row->event_ns + x->delay_ns;
        return true;
    }
    if (!publish.p || absent(publish)) {
        series_refuse(
            s, SERIES_NO_PUBLISH_TIME, line, "a row that does not say when it was known", none);
        return false;
    }
    if (!series_time(publish.p, publish.n, &row->publish_ns)) {
        series_refuse(s, SERIES_BAD_TIME, line, "no publish time", publish);
        return false;
    }
    if (row->publish_ns < row->event_ns && !x->ahead) {
        series_refuse(s, SERIES_PUBLISHED_BEFORE, line,
            "published before its event time (a calendar or forecast needs ahead: true)", publish);
        return false;
    }
    return true;
}

void series_take(struct series_session *s, size_t entry, uint64_t line, struct series_field value,
    struct series_field event, struct series_field publish, struct series_field revision) {
    const struct series_entry *x = &s->desc->entry[entry];
    const struct series_field none = {NULL, 0};
    struct external_number v = {0}, rev = {.mant = INT64_MIN};
    struct series_row row = {.line = line, .series = (uint16_t)entry, .file = s->file};
    s->report->rows++;
    if (!value.p || !event.p) {
        series_refuse(s, SERIES_MALFORMED, line, "no such column in this row",
            (struct series_field){
                value.p ? x->event : x->value, strlen(value.p ? x->event : x->value)});
    } else if (absent(value)) {
        series_refuse(s, SERIES_NO_VALUE, line, "no value", none);
    } else if (!external_parse(value.p, value.n, &v)) {
        series_refuse(s, SERIES_BAD_VALUE, line, "no number, or one out of range", value);
    } else if (!series_time(event.p, event.n, &row.event_ns)) {
        series_refuse(s, SERIES_BAD_TIME, line, "no event time", event);
    } else if (x->revision[0] && (!revision.p || !external_parse(revision.p, revision.n, &rev) ||
                                     rev.decimals != 0)) {
        series_refuse(
            s, SERIES_MALFORMED, line, "no whole revision number", revision.p ? revision : none);
    } else if (publish_time(s, x, line, publish, &row)) {
        if (s->n == SERIES_ROWS_MAX) {
            if (!s->failed)
                s->failed = err_set(s->e, ERR_RESOURCE,
                    "more than %d rows: import the files in parts and join them with `fathom tape "
                    "merge`",
                    SERIES_ROWS_MAX);
            return;
        }
        row.mant = v.mant;
        row.decimals = (int8_t)v.decimals;
        row.revision = x->revision[0] ? rev.mant : INT64_MIN;
        row.order = (uint32_t)s->n;
        s->report->rounded += v.rounded;
        s->row = mem_array(s->row, s->n, &s->cap, sizeof *s->row);
        s->row[s->n++] = row;
    }
}

static int by(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int by_point(const void *p, const void *q) {
    const struct series_row *a = p, *b = q;
    int c = by(a->series, b->series);
    if (!c) c = by(a->event_ns, b->event_ns);
    if (!c) c = by(a->publish_ns, b->publish_ns);
    return c ? c : by(a->order, b->order);
}

static int by_publication(const void *p, const void *q) {
    const struct series_row *a = p, *b = q;
    int c = by(a->publish_ns, b->publish_ns);
    if (!c) c = by(a->series, b->series);
    if (!c) c = by(a->event_ns, b->event_ns);
    return c ? c : by(a->revision, b->revision);
}

/* The row after `last` (the one kept before of the same event time): its number, or out. */
static void number(struct series_session *s, const struct series_row *last, int64_t source,
    struct series_row *row) {
    const struct series_field none = {NULL, 0};
    s->file = row->file;
    row->refused = true;
    if (row->publish_ns == last->publish_ns) {
        bool same = row->mant == last->mant && row->decimals == last->decimals;
        series_refuse(s, same ? SERIES_DUPLICATE : SERIES_CONFLICT, row->line,
            same ? "the same value of the same times again"
                 : "another value of the same event and publish time came before",
            none);
        return;
    }
    if (source != INT64_MIN && row->revision <= source) {
        series_refuse(s, SERIES_REVISION_ORDER, row->line,
            "published later than a revision that is as high", none);
        return;
    }
    row->refused = false;
}

void series_settle(struct series_session *s) {
    if (s->n == 0) return;
    qsort(s->row, s->n, sizeof *s->row, by_point);
    size_t last = 0;
    int64_t source = s->row[0].revision; /* of the row `last` */
    s->row[0].revision = 0;
    for (size_t i = 1; i < s->n; i++) {
        struct series_row *row = &s->row[i], *before = &s->row[last];
        int64_t own = row->revision;
        bool same = row->series == before->series && row->event_ns == before->event_ns;
        if (same) number(s, before, source, row);
        if (row->refused) continue;
        row->revision = same ? before->revision + 1 : 0;
        source = own;
        last = i;
    }
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++)
        if (!s->row[i].refused) s->row[kept++] = s->row[i];
    s->n = kept;
    qsort(s->row, s->n, sizeof *s->row, by_publication);
}
