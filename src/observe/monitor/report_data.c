#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "observe/monitor/chart.h"
#include "observe/monitor/report_internal.h"

/* A table whose first row names the columns; all cells are strings. */
static void table(struct html *h, const cJSON *t) {
    const cJSON *row, *c;
    bool first = true;
    html_put(h, "<h3>");
    html_text(h, report_string(t, "title", ""));
    html_put(h, "</h3><div class=\"scroll\"><table>");
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(t, "rows")) {
        html_put(h, "<tr>");
        cJSON_ArrayForEach(c, row) {
            html_put(h, first ? "<th>" : "<td>");
            html_text(h, cJSON_IsString(c) ? c->valuestring : "");
            html_put(h, first ? "</th>" : "</td>");
        }
        html_put(h, "</tr>");
        first = false;
    }
    html_put(h, "</table></div>");
    const char *note = report_string(t, "note", "");
    if (!*note) return;
    html_put(h, "<p class=\"sub\">");
    html_text(h, note);
    html_put(h, "</p>");
}

static void series(struct html *h, const cJSON *s) {
    size_t n = 0, k = 0;
    double *t = report_numbers(s, "ts_s", &n), *y = report_numbers(s, "value", &k);
    if (t && y && n == k && n > 1) {
        struct chart_series line = {report_string(s, "name", ""), 0, false, false, y};
        struct chart_lines c = {report_string(s, "name", ""), "UTC", report_string(s, "unit", ""),
            CHART_TIME, t, n, &line, 1, 0};
        html_put(h, "<figure>");
        chart_lines(h, &c);
        html_put(h, "<figcaption>");
        html_text(h, report_string(s, "note", ""));
        html_put(h, "</figcaption></figure>");
    }
    free(t);
    free(y);
}

void report_data(struct html *h, const cJSON *doc) {
    const cJSON *d = cJSON_GetObjectItemCaseSensitive(doc, "data"), *t;
    if (!d) return;
    html_put(h, "<h2 id=\"data\">The data, and what is wrong with it</h2><p class=\"sub\">");
    html_text(h, report_string(d, "note", ""));
    html_put(h, "</p>");
    cJSON_ArrayForEach(t, cJSON_GetObjectItemCaseSensitive(d, "series")) series(h, t);
    cJSON_ArrayForEach(t, cJSON_GetObjectItemCaseSensitive(d, "tables")) table(h, t);
}

void report_trace(struct html *h, const cJSON *doc) {
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(doc, "stages"), *v;
    html_put(h, "<h2 id=\"trace\">How to get the same figures</h2><p>");
    html_text(h, report_string(doc, "how", ""));
    html_put(h, "</p>");
    if (s) html_put(h, "<table><tr><th>stage</th><th class=\"l\">running hash</th></tr>");
    cJSON_ArrayForEach(v, s) {
        html_put(h, "<tr><td>");
        html_text(h, v->string);
        html_put(h, "</td><td class=\"l hash\">");
        html_text(h, cJSON_IsString(v) ? v->valuestring : "");
        html_put(h, "</td></tr>");
    }
    if (s) html_put(h, "</table>");
    const char *yaml = report_string(doc, "config", NULL);
    if (!yaml) return;
    html_put(h, "<details><summary>Resolved configuration</summary><pre>");
    html_text(h, yaml);
    html_put(h, "</pre></details>");
}
