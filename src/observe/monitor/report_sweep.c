/* report_sweep.c: the sections of a sweep's page: reasons first, pictures after. */
#include <math.h>
#include <stdlib.h>

#include "observe/monitor/chart.h"
#include "observe/monitor/report_internal.h"

void report_caption(struct html *h, const char *text) {
    html_put(h, "<figcaption>");
    html_text(h, text);
    html_put(h, "</figcaption></figure>");
}

/* A table of strings; the first row names the columns. */
void report_table(struct html *h, const cJSON *rows) {
    const cJSON *r, *v;
    bool head = true;
    html_put(h, "<div class=\"scroll\"><table>");
    cJSON_ArrayForEach(r, rows) {
        html_put(h, "<tr>");
        cJSON_ArrayForEach(v, r) {
            html_put(h, head ? "<th>" : "<td>");
            html_text(h, cJSON_IsString(v) ? v->valuestring : "");
            html_put(h, head ? "</th>" : "</td>");
        }
        html_put(h, "</tr>");
        head = false;
    }
    html_put(h, "</table></div>");
}

/* Strings of an array, borrowed; the caller frees the array. */
const char **report_names(const cJSON *o, const char *key, size_t *n) {
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(o, key), *v;
    *n = 0;
    const char **out = calloc((size_t)cJSON_GetArraySize(a) + 1, sizeof *out);
    cJSON_ArrayForEach(v, a) {
        if (out) out[(*n)++] = cJSON_IsString(v) ? v->valuestring : "";
    }
    return out;
}

static const char *class_of(const char *word) {
    if (word[0] == 'p') return "met";
    return word[0] == 'f' && word[1] == 'a' ? "notmet" : "unknown";
}

void report_verdicts(struct html *h, const cJSON *rows) {
    const cJSON *r;
    html_put(h, "<table><tr><th>question</th><th class=\"l\">found</th><th class=\"l\">wanted</th>"
                "<th class=\"l\">verdict</th></tr>");
    cJSON_ArrayForEach(r, rows) {
        const char *word = report_string(r, "verdict", "");
        html_put(h, "<tr><td class=\"w\">");
        html_text(h, report_string(r, "question", ""));
        html_put(h, "</td><td class=\"l w\">");
        html_text(h, report_string(r, "found", ""));
        html_put(h, "</td><td class=\"l w\">");
        html_text(h, report_string(r, "needed", ""));
        html_put(h, "</td><td class=\"l %s\">", class_of(word));
        html_text(h, word);
        html_put(h, "</td></tr>");
    }
    html_put(h, "</table>");
}

static void distribution(struct html *h, const cJSON *d, const char *asset) {
    size_t n;
    double *count = report_numbers(d, "count", &n);
    struct chart_mark mark[] = {{report_number(d, "best"), "the best set"},
        {report_number(d, "noise"), "best of pure noise, expected"},
        {report_number(d, "noise_high"), "best of pure noise, 1 in 20"},
        {report_number(d, "median"), "median set"}, {0, "no profit, no loss"}};
    if (count && n > 0) {
        html_put(h, "<h3>All sets by net profit</h3><figure>");
        chart_spread(h, "Sets by net profit", asset, report_number(d, "x0"),
            report_number(d, "width"), count, n, mark, sizeof mark / sizeof *mark);
        report_caption(h,
            "How many sets ended with which net profit. Left of the noise marks even the "
            "best set is what chance alone "
            "would have shown you.");
    }
    free(count);
}

static void curves(struct html *h, const cJSON *c, const char *asset) {
    size_t n, k;
    double *t = report_numbers(c, "ts_s", &n), *best = report_numbers(c, "best", &k);
    double *median = report_numbers(c, "median", &k), *worst = report_numbers(c, "worst", &k);
    if (t && best && median && worst && n > 1 && k >= n) {
        struct chart_series s[3] = {{"best set", 0, false, false, best},
            {"median set", 5, false, false, median}, {"worst set", 4, false, true, worst}};
        struct chart_lines lines = {
            "Profit of three sets", "UTC", asset, CHART_TIME, t, n, s, 3, 0};
        html_put(h, "<h3>Best, median and worst set</h3><figure>");
        chart_lines(h, &lines);
        report_caption(h,
            "Net profit over time, after all costs. The best line was chosen after it "
            "was drawn; the median is what a blind choice gives.");
    }
    free(t);
    free(best);
    free(median);
    free(worst);
}

void report_heat(struct html *h, const cJSON *m, const char *title, const char *text) {
    size_t columns, rows, n;
    const char **x = report_names(m, "x", &columns), **y = report_names(m, "y", &rows);
    double *value = report_numbers(m, "value", &n);
    if (x && y && value && n == columns * rows && n > 0) {
        struct chart_heat c = {title, report_string(m, "x_label", ""),
            report_string(m, "y_label", ""), x, y, columns, rows, value};
        html_put(h, "<h3>");
        html_text(h, title);
        html_put(h, "</h3><figure>");
        chart_heat(h, &c);
        report_caption(h, text);
    }
    free(x);
    free(y);
    free(value);
}

void report_marginals(struct html *h, const cJSON *sweep, const char *asset, const char *text) {
    const cJSON *m;
    size_t n, k, places;
    double *net = report_numbers(sweep, "net", &n);
    html_put(h, "<h3>One parameter at a time</h3>");
    cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(sweep, "marginals")) {
        const char **place = report_names(m, "labels", &places);
        double *at = report_numbers(m, "at", &k);
        if (net && place && at && k == n && n > 0) {
            const char *key = report_string(m, "key", "");
            html_put(h, "<figure>");
            chart_dots(h, key, key, asset, place, places, at, net, n);
            report_caption(h, text);
        }
        free(place);
        free(at);
    }
    free(net);
}

static void ranks(struct html *h, const cJSON *sweep) {
    size_t n;
    double *rank = report_numbers(sweep, "ranks", &n);
    if (rank && n > 0) {
        struct chart_mark middle = {50, "middle of all sets"};
        html_put(h, "<h3>Where the best of one half stands in the other</h3><figure>");
        chart_spread(h, "Rank outside",
            "rank among all sets on the other half, % (100 = best again)", 0, 100.0 / (double)n,
            rank, n, &middle, 1);
        report_caption(h,
            "Every way to cut the spans into two halves: the set that was best on one, "
            "ranked on the other. Columns left of the middle are overfitting.");
    }
    free(rank);
}

void report_sweep(struct html *h, const cJSON *doc) {
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(doc, "sweep");
    const char *asset = report_string(doc, "settle", "settlement asset");
    if (!s) return;
    html_put(h,
        "<h2 id=\"doubt\">Reasons not to believe the best set</h2><p class=\"sub\">Each row "
        "could end the belief. All of them together do not prove anything.</p>");
    report_verdicts(h, cJSON_GetObjectItemCaseSensitive(s, "verdicts"));
    html_put(h, "<h2 id=\"sets\">The sets</h2>");
    distribution(h, cJSON_GetObjectItemCaseSensitive(s, "distribution"), asset);
    ranks(h, s);
    curves(h, cJSON_GetObjectItemCaseSensitive(s, "curves"), asset);
    report_heat(h, cJSON_GetObjectItemCaseSensitive(s, "heat"),
        "Mean net profit over two parameters",
        "The two parameters with most values; each cell is the mean over all others. Trust plains, "
        "not "
        "peaks: a good cell beside bad ones is luck.");
    report_marginals(h, s, asset,
        "Each dot is a set, the bar the mean of its column, the ring the best set. A parameter "
        "that "
        "matters moves the bars; one lucky dot does not.");
    html_put(h, "<h3>Best ten, median, worst three</h3>");
    report_table(h, cJSON_GetObjectItemCaseSensitive(s, "table"));
}
