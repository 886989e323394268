/* run_marks.c: what became of the fills afterwards: the parts of report.json about mark-outs, queue
 * and fees. Every figure is a sum over fills.csv. */
#include <math.h>
#include <stdio.h>

#include "program/run_doc.h"

static const char *const kind[2] = {"taker", "maker"};

static void means(
    struct json_out *j, const char *mean, const char *error, const struct run_mean *m, size_t n) {
    json_key(j, mean);
    json_array(j);
    for (size_t i = 0; i < n; i++) json_double(j, run_mean_bps(&m[i]));
    json_array_end(j);
    json_key(j, error);
    json_array(j);
    for (size_t i = 0; i < n; i++) json_double(j, run_mean_error_bps(&m[i]));
    json_array_end(j);
}

static void words(struct json_out *j, const char *key, const char *const *word, size_t n) {
    json_key(j, key);
    json_array(j);
    for (size_t i = 0; i < n; i++) json_str(j, word[i]);
    json_array_end(j);
}

static void marks(const struct run_fills *f, struct json_out *j) {
    static const char *const place[] = {"at the report", "1 s", "10 s", "60 s"};
    json_key(j, "marks");
    json_object(j);
    words(j, "places", place, 1 + RUN_MARKS);
    for (int maker = 1; maker >= 0; maker--) {
        if (f->count[maker] == 0) continue;
        json_key(j, kind[maker]);
        json_object(j);
        means(j, "mean", "error", f->mark[maker], 1 + RUN_MARKS);
        json_object_end(j);
    }
    json_object_end(j);
}

static void ahead(const struct run_fills *f, struct json_out *j) {
    static const char *const bin[RUN_AHEAD_BINS] = {
        "nothing", "up to 1 x", "up to 10 x", "up to 100 x", "up to 1000 x", "more"};
    char text[RUN_AHEAD_BINS][48];
    const char *place[RUN_AHEAD_BINS];
    for (int i = 0; i < RUN_AHEAD_BINS; i++) {
        snprintf(text[i], sizeof text[i], "%s (%llu)", bin[i], (unsigned long long)f->ahead[i].n);
        place[i] = text[i];
    }
    json_key(j, "ahead");
    json_object(j);
    words(j, "places", place, RUN_AHEAD_BINS);
    means(j, "mean", "error", f->ahead, RUN_AHEAD_BINS);
    json_object_end(j);
}

static void cell(struct json_out *j, double v, const char *fmt)
    __attribute__((format(printf, 3, 0)));
static void cell(struct json_out *j, double v, const char *fmt) {
    char t[48];
    snprintf(t, sizeof t, fmt, v);
    json_str(j, isfinite(v) ? t : "-");
}

static void fees_row(const struct run_fills *f, int maker, struct json_out *j) {
    double fee = (double)f->fee[maker] / 1e12, value = (double)f->value[maker] / 1e12;
    json_array(j);
    json_str(j, kind[maker]);
    cell(j, (double)f->count[maker], "%.0f");
    cell(j, value, "%.2f");
    cell(j, fee, "%.6f");
    cell(j, value > 0 ? fee / value * 1e4 : NAN, "%.4f");
    for (int h = 0; h <= RUN_MARKS; h++) cell(j, run_mean_bps(&f->mark[maker][h]), "%+.4f");
    double after = run_mean_bps(&f->mark[maker][2]);
    cell(j, value > 0 ? after - fee / value * 1e4 : NAN, "%+.4f");
    json_array_end(j);
}

static void fees(const struct run_fills *f, struct json_out *j) {
    static const char *const head[] = {"kind", "fills", "value", "fees", "fee, bps",
        "mark-out at the report, bps", "1 s", "10 s", "60 s", "10 s after fee, bps"};
    json_key(j, "fees");
    json_array(j);
    json_array(j);
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) json_str(j, head[i]);
    json_array_end(j);
    for (int maker = 1; maker >= 0; maker--) {
        if (f->count[maker] > 0) fees_row(f, maker, j);
    }
    json_array_end(j);
}

void run_marks_json(const struct run_result *r, struct json_out *j) {
    const struct run_fills *f = &r->log;
    char note[320];
    if (f->count[0] + f->count[1] == 0) return;
    fees(f, j);
    if (r->bars) return; /* no mid inside a bar */
    marks(f, j);
    if (f->count[1] > 0) ahead(f, j);
    snprintf(note, sizeof note,
        "Fills without a mark-out because the data ended, or the book was not trustworthy then: "
        "%llu after 1 s, %llu after 10 s, %llu after 60 s.",
        (unsigned long long)f->unmarked[0], (unsigned long long)f->unmarked[1],
        (unsigned long long)f->unmarked[2]);
    json_kstr(j, "unmarked", note);
}
