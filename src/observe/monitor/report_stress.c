/* report_stress.c: the sections of a stress page. */
#include <stdlib.h>

#include "observe/monitor/chart.h"
#include "observe/monitor/report_internal.h"

static void spread(struct html *h, const cJSON *d, const char *title, const char *asset,
    const struct chart_mark *mark, size_t marks, const char *text) {
    size_t n;
    double *count = report_numbers(d, "count", &n);
    if (count && n > 0) {
        html_put(h, "<h3>");
        html_text(h, title);
        html_put(h, "</h3><figure>");
        chart_spread(h, title, asset, report_number(d, "x0"), report_number(d, "width"), count, n,
            mark, marks);
        report_caption(h, text);
    }
    free(count);
}

static void table(
    struct html *h, const cJSON *s, const char *key, const char *title, const char *note) {
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(s, key);
    if (cJSON_GetArraySize(rows) < 2) return;
    html_put(h, "<h3>");
    html_text(h, title);
    html_put(h, "</h3><p class=\"sub\">");
    html_text(h, note);
    html_put(h, "</p>");
    report_table(h, rows);
}

void report_stress(struct html *h, const cJSON *doc) {
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(doc, "stress");
    const char *asset = report_string(doc, "settle", "settlement asset");
    if (!s) return;
    const cJSON *w = cJSON_GetObjectItemCaseSensitive(s, "worlds");
    const cJSON *r = cJSON_GetObjectItemCaseSensitive(s, "histories");
    struct chart_mark worlds[] = {{report_number(w, "base"), "as configured"},
        {report_number(w, "median"), "median world"}, {0, "no profit, no loss"}};
    struct chart_mark drawn[] = {{report_number(r, "base"), "as it happened"},
        {report_number(r, "low"), "5 %"}, {report_number(r, "high"), "95 %"},
        {0, "no profit, no loss"}};
    html_put(h, "<h2 id=\"worlds\">Worlds a little worse</h2>");
    spread(h, w, "Net profit over all perturbed worlds", asset, worlds,
        sizeof worlds / sizeof *worlds,
        "How many worlds ended with which net profit. In each, latency, fees, queue model, rejects "
        "and "
        "outages were drawn by seed.");
    report_heat(h, cJSON_GetObjectItemCaseSensitive(s, "surface"),
        "Net profit over latency and fees",
        "Everything else as configured; the corner at the lower left is the configuration itself.");
    report_marginals(h, s, asset,
        "Each dot is a world, the bar the mean of its column, the ring the best world.");
    if (r) {
        html_put(h, "<h2 id=\"histories\">Other histories</h2>");
        spread(h, r, "Net profit of resampled histories", asset, drawn,
            sizeof drawn / sizeof *drawn, report_string(r, "note", ""));
    }
    html_put(h, "<h2 id=\"extremes\">Extreme spans and broken feeds</h2>");
    table(h, s, "extremes", "The wildest spans, each replayed alone",
        "The strategy starts flat with the book as it stood; high and low are of market prints.");
    table(h, s, "holes", "The same tape with a broken feed",
        "Lost messages: the book is not trusted until a snapshot restores it. Lost connections: "
        "nothing "
        "arrives at all meanwhile. Orders are rejected while the book is not trusted.");
}
