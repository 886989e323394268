#include "program/latency_file.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/unit.h"

enum { FILE_MAX = 1 << 30, CELLS_MAX = 3 + LATENCY_POINTS };
static const char fit_line[] = "# fathom latency fit 1";

/* ---- lines and cells ---- */

struct reader {
    const char *path;
    char *bytes, *at;
    unsigned line;
    char *cell[CELLS_MAX];
    size_t cells;
};

/* Splits the next line that is not empty into cells, in place; false at the end. */
static bool line_next(struct reader *r) {
    while (*r->at) {
        char *line = r->at;
        size_t n = strcspn(line, "\n");
        r->at += n + (line[n] == '\n');
        line[n] = 0;
        r->line++;
        if (n > 0 && line[n - 1] == '\r') line[--n] = 0;
        if (n == 0) continue;
        r->cells = 0;
        for (char *c = line; c && r->cells < CELLS_MAX; r->cells++) {
            r->cell[r->cells] = c;
            c = strchr(c, ',');
            if (c) *c++ = 0;
        }
        return true;
    }
    return false;
}

static bool number(const char *text, int64_t *out) {
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return end != text && *end == 0 && errno == 0;
}

static err_t open_reader(struct reader *r, const char *path, struct err_info *e) {
    size_t n;
    *r = (struct reader){.path = path};
    err_t code = file_read(path, FILE_MAX, &r->bytes, &n, e);
    r->at = r->bytes;
    if (code || strlen(r->bytes) == n) return code;
    free(r->bytes);
    return err_set(e, ERR_INPUT, "%s: holds a zero byte: not a CSV file", path);
}

/* ---- recorded stamps ---- */

static err_t stamp_fault(
    const struct reader *r, const struct latency_row *row, int64_t before, struct err_info *e) {
    const char *why = NULL;
    const int64_t least = NS_PER_S * 100000000, most = NS_PER_S * 4000000000; /* 1973 .. 2096 */
    bool in_units = row->req_ns >= least && row->req_ns <= most && row->resp_ns >= least &&
                    row->resp_ns <= most && row->venue_ns <= most;
    if (!in_units || (row->venue_ns > 0 && row->venue_ns < least))
        why = "a stamp is no nanoseconds since 1970 (19 digits)";
    if (!why && row->req_ns < before) why = "req_ns is before the row above: sort by req_ns";
    if (!why && row->resp_ns < row->req_ns) why = "the answer is before its request";
    if (!why) return ERR_OK;
    return err_set(e, ERR_INPUT, "%s:%u: %s", r->path, r->line, why);
}

static err_t read_rows(struct reader *r, struct latency_rows *out, struct err_info *e) {
    size_t cap = 0;
    bool header = line_next(r) && r->cells == 3 && strcmp(r->cell[0], "req_ns") == 0 &&
                  strcmp(r->cell[1], "venue_ns") == 0 && strcmp(r->cell[2], "resp_ns") == 0;
    if (!header) {
        return err_set(e, ERR_INPUT,
            "%s: its first line is not req_ns,venue_ns,resp_ns: no recorded order stamps", r->path);
    }
    int64_t before = 0;
    while (line_next(r)) {
        struct latency_row row;
        bool good = r->cells == 3 && number(r->cell[0], &row.req_ns) &&
                    number(r->cell[1], &row.venue_ns) && number(r->cell[2], &row.resp_ns);
        if (!good) return err_set(e, ERR_INPUT, "%s:%u: not three whole numbers", r->path, r->line);
        err_t code = stamp_fault(r, &row, before, e);
        if (code) return code;
        before = row.req_ns;
        if (row.venue_ns < 0) row.venue_ns = 0;
        out->rows = mem_array(out->rows, out->n, &cap, sizeof row);
        out->rows[out->n++] = row;
        out->n_good += row.venue_ns > 0;
    }
    if (out->n_good > 0) return ERR_OK;
    return err_set(e, ERR_INPUT, "%s: no order of it was accepted: it shows no latency", r->path);
}

static int by_venue(const void *a, const void *b) {
    const struct latency_row *x = a, *y = b;
    if (x->venue_ns != y->venue_ns) return x->venue_ns < y->venue_ns ? -1 : 1;
    return (x->req_ns > y->req_ns) - (x->req_ns < y->req_ns);
}

/* Venue stamps onto our clock; then the two sorted copies without the rejected ones. */
static void settle(struct latency_rows *r, bool raw) {
    int64_t there = INT64_MAX, back = INT64_MAX;
    for (size_t i = 0; i < r->n; i++) {
        const struct latency_row *w = &r->rows[i];
        if (w->venue_ns <= 0) continue;
        if (w->venue_ns - w->req_ns < there) there = w->venue_ns - w->req_ns;
        if (w->resp_ns - w->venue_ns < back) back = w->resp_ns - w->venue_ns;
    }
    r->offset_ns = raw ? 0 : (back - there) / 2;
    r->by_req = mem_alloc(r->n_good * sizeof *r->by_req);
    r->by_venue = mem_alloc(r->n_good * sizeof *r->by_venue);
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (r->rows[i].venue_ns <= 0) continue;
        r->rows[i].venue_ns += r->offset_ns;
        r->by_req[n] = r->by_venue[n] = r->rows[i];
        n++;
    }
    qsort(r->by_venue, n, sizeof *r->by_venue, by_venue);
}

err_t latency_rows_read(const char *path, bool raw, struct latency_rows *out, struct err_info *e) {
    struct reader r;
    *out = (struct latency_rows){.rows = NULL};
    err_t code = open_reader(&r, path, e);
    if (code) return code;
    code = read_rows(&r, out, e);
    if (!code) settle(out, raw);
    for (size_t i = 0; i < out->n_good && !code && !raw; i++) {
        const struct latency_row *w = &out->by_req[i];
        if (w->venue_ns >= w->req_ns && w->resp_ns >= w->venue_ns) continue;
        code = err_set(e, ERR_INPUT,
            "%s: the order sent at %" PRId64 " was stamped by the venue outside of its request and "
            "answer whatever the clock offset (%" PRId64 " ns here): the clocks drifted; split the "
            "file into shorter spans",
            path, w->req_ns, out->offset_ns);
    }
    free(r.bytes);
    if (code) latency_rows_free(out);
    return code;
}

void latency_rows_free(struct latency_rows *r) {
    free(r->rows);
    free(r->by_req);
    free(r->by_venue);
    *r = (struct latency_rows){.rows = NULL};
}

/* ---- fitted tables ---- */

static err_t fit_row(struct reader *r, struct latency_fit *fit, struct err_info *e) {
    int way = strcmp(r->cell[0], "entry") == 0      ? WAY_ENTRY
              : strcmp(r->cell[0], "response") == 0 ? WAY_RESPONSE
                                                    : -1;
    if (way < 0 || r->cells != CELLS_MAX)
        return err_set(e, ERR_INPUT,
            "%s:%u: not a row of %d cells that starts with entry or "
            "response",
            r->path, r->line, CELLS_MAX);
    if (fit->bands[way] == LATENCY_BANDS_MAX)
        return err_set(
            e, ERR_INPUT, "%s:%u: more than %d bands", r->path, r->line, LATENCY_BANDS_MAX);
    struct latency_band *b = &fit->band[way][fit->bands[way]];
    char *end;
    int64_t samples;
    b->rate_to = strtod(r->cell[1], &end);
    bool good = end != r->cell[1] && *end == 0 && isfinite(b->rate_to) && b->rate_to >= 0 &&
                number(r->cell[2], &samples) && samples >= 0;
    if (good && fit->bands[way] > 0) good = b->rate_to > b[-1].rate_to;
    for (int i = 0; i < LATENCY_POINTS && good; i++) {
        good = number(r->cell[3 + i], &b->q_ns[i]) && b->q_ns[i] >= (i > 0 ? b->q_ns[i - 1] : 0) &&
               b->q_ns[i] <= 3600 * NS_PER_S;
    }
    if (!good) {
        return err_set(e, ERR_INPUT,
            "%s:%u: rate_to must rise, quantiles must not fall and lie in 0 .. 1 hour of ns",
            r->path, r->line);
    }
    b->samples = (uint64_t)samples;
    fit->bands[way]++;
    return ERR_OK;
}

err_t latency_fit_read(const char *path, struct latency_fit *out, struct err_info *e) {
    struct reader r;
    memset(out, 0, sizeof *out);
    err_t code = open_reader(&r, path, e);
    if (code) return code;
    bool ours = line_next(&r) && r.cells == 1 && strcmp(r.cell[0], fit_line) == 0 && line_next(&r);
    if (!ours) {
        code = err_set(e, ERR_INPUT,
            "%s: its first line is not \"%s\"; fathom latency fit makes "
            "such a file",
            path, fit_line);
    }
    while (!code && line_next(&r)) code = fit_row(&r, out, e);
    if (!code && (out->bands[0] == 0 || out->bands[1] == 0))
        code = err_set(e, ERR_INPUT, "%s: no %s row", path, out->bands[0] ? "response" : "entry");
    free(r.bytes);
    return code;
}

err_t latency_fit_write(
    const char *path, const struct latency_fit *fit, bool force, struct err_info *e) {
    struct file_out *f;
    err_t code = file_out_open(&f, path, force, e);
    if (code) return code;
    FILE *to = file_out_stream(f);
    fprintf(to, "%s\nway,rate_to,samples", fit_line);
    for (int i = 0; i < LATENCY_POINTS; i++) fprintf(to, ",p%g", latency_p[i]);
    for (int way = 0; way < 2; way++) {
        for (uint32_t k = 0; k < fit->bands[way]; k++) {
            const struct latency_band *b = &fit->band[way][k];
            fprintf(to, "\n%s,%.17g,%" PRIu64, way == WAY_ENTRY ? "entry" : "response", b->rate_to,
                b->samples);
            for (int i = 0; i < LATENCY_POINTS; i++) fprintf(to, ",%" PRId64, b->q_ns[i]);
        }
    }
    fputc('\n', to);
    return file_out_commit(f, e);
}
