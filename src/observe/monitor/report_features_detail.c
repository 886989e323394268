/* report_features_detail.c: four charts a feature, folded away until asked for. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "observe/monitor/chart.h"
#include "observe/monitor/report_features_internal.h"
#include "observe/monitor/report_internal.h"

static void caption(struct html *h, const char *text) {
    html_put(h, "<figcaption>%s</figcaption></figure>", text);
}

static void histogram(struct html *h, const cJSON *c) {
    size_t n;
    double *bin = report_numbers(c, "bins", &n);
    if (bin && n > 0) {
        html_put(h, "<figure>");
        chart_histogram(h, "Distribution", report_string(c, "unit", ""),
            report_number(c, "bin_from"), report_number(c, "bin_width"), bin, n);
        caption(h, "values; the outer columns also hold what lies beyond the 1st and 99th "
                   "percentile");
    }
    free(bin);
}

static void path(struct html *h, const cJSON *doc, const cJSON *c) {
    size_t n, k[3];
    double *t = report_numbers(doc, "path_s", &n), *y[3];
    static const char *const key[3] = {"path_least", "path_mean", "path_largest"};
    struct chart_series line[3];
    for (int i = 0; i < 3; i++) {
        y[i] = report_numbers(c, key[i], &k[i]);
        line[i] = (struct chart_series){key[i] + 5, i == 1 ? 0 : 5, false, i != 1, y[i]};
    }
    if (t && k[0] == n && k[1] == n && k[2] == n && n > 1) {
        struct chart_lines l = {"Over time", "UTC", "", CHART_TIME, t, n, line, 3, 4};
        html_put(h, "<figure>");
        chart_lines(h, &l);
        html_put(h, "</figure>");
    }
    free(t);
    for (int i = 0; i < 3; i++) free(y[i]);
}

static void memory(struct html *h, const cJSON *c) {
    size_t n;
    double *a = report_numbers(c, "autocorrelation", &n);
    if (a && n > 1) {
        double *lag = mem_alloc(n * sizeof *lag);
        for (size_t i = 0; i < n; i++) lag[i] = (double)(i + 1);
        struct chart_series line = {"autocorrelation", 3, true, false, a};
        struct chart_lines l = {"Memory", "lag, buckets", "", CHART_NUMBER, lag, n, &line, 1, 6};
        html_put(h, "<figure>");
        chart_lines(h, &l);
        caption(h, "autocorrelation: how long a value stays what it was");
        free(lag);
    }
    free(a);
}

static void horizons(struct html *h, const cJSON *doc, const cJSON *c) {
    size_t n, k = 0;
    double *x = report_numbers(doc, "horizons", &n), *y[3];
    const cJSON *ic;
    for (int i = 0; i < 3; i++) y[i] = mem_alloc((n + 1) * sizeof(double));
    cJSON_ArrayForEach(ic, cJSON_GetObjectItemCaseSensitive(c, "ic")) {
        if (k == n) break;
        y[0][k] = report_number(ic, "ic");
        y[1][k] = report_number(ic, "lo");
        y[2][k++] = report_number(ic, "hi");
    }
    if (x && k == n && n > 1) {
        struct chart_series line[3] = {{"IC", 0, false, false, y[0]},
            {"95 % band", 5, false, true, y[1]}, {"", 5, false, true, y[2]}};
        struct chart_lines l = {
            "IC by horizon", "horizon, buckets", "", CHART_NUMBER, x, n, line, 3, 6};
        html_put(h, "<figure>");
        chart_lines(h, &l);
        html_put(h, "</figure>");
    }
    free(x);
    for (int i = 0; i < 3; i++) free(y[i]);
}

static void feature(struct html *h, const cJSON *doc, const cJSON *c, bool open) {
    html_put(h, "<details class=\"feature\"%s><summary><code>", open ? " open" : "");
    html_text(h, report_string(c, "name", ""));
    html_put(h, "</code> &nbsp; ");
    html_text(h, report_string(c, "about", ""));
    html_put(h, "</summary><div class=\"quad\">");
    histogram(h, c);
    path(h, doc, c);
    memory(h, c);
    horizons(h, doc, c);
    html_put(h, "</div></details>");
}

struct wanted {
    const cJSON *column;
    double strength;
};

static int strongest_first(const void *a, const void *b) {
    double x = ((const struct wanted *)a)->strength, y = ((const struct wanted *)b)->strength;
    return (x < y) - (x > y);
}

/* The strongest by IC over its error, that is, the ones a reader will ask about. */
void page_feature_details(struct html *h, const cJSON *doc, size_t detail) {
    const cJSON *columns = cJSON_GetObjectItemCaseSensitive(doc, "columns"), *c;
    struct wanted *w = mem_alloc(((size_t)cJSON_GetArraySize(columns) + 1) * sizeof *w);
    size_t n = 0;
    cJSON_ArrayForEach(c, columns) {
        const cJSON *ic = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(c, "ic"), 0);
        double s = fabs(report_number(ic, "ic")) * sqrt(report_number(ic, "n_effective"));
        if (isfinite(s)) w[n++] = (struct wanted){c, s};
    }
    qsort(w, n, sizeof *w, strongest_first);
    html_put(h,
        "<h2 id=\"detail\">In detail</h2><p class=\"sub\">The %zu features with the "
        "strongest link (--detail N shows more).</p>",
        n < detail ? n : detail);
    for (size_t i = 0; i < n && i < detail; i++) feature(h, doc, w[i].column, i == 0);
    free(w);
}
