#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "observe/monitor/chart.h"
#include "observe/monitor/report_internal.h"

enum { FOLDS_MAX = 200, BARS_MAX = 40, BINS_MAX = 64 };

static void cell(struct html *h, double v) {
    if (isfinite(v)) {
        html_put(h, "<td>%.5g</td>", v);
    } else {
        html_put(h, "<td class=\"unknown\">-</td>");
    }
}

static void metrics(struct html *h, const cJSON *a) {
    const cJSON *m;
    html_put(h, "<div class=\"scroll\"><table><tr><th>out of sample</th><th>value</th><th>95 %% "
                "from</th><th>to</th>"
                "<th>p</th><th>without skill</th><th class=\"l\">reading</th></tr>");
    cJSON_ArrayForEach(m, a) {
        html_put(h, "<tr><td>");
        html_text(h, report_string(m, "name", ""));
        html_put(h, "</td>");
        cell(h, report_number(m, "value"));
        cell(h, report_number(m, "lo"));
        cell(h, report_number(m, "hi"));
        cell(h, report_number(m, "p"));
        cell(h, report_number(m, "floor"));
        html_put(h, "<td class=\"l w\">");
        html_text(h, report_string(m, "note", ""));
        html_put(h, "</td></tr>");
    }
    html_put(h, "</table></div>");
}

static void folds(struct html *h, const cJSON *a, const char *score) {
    struct chart_fold fold[FOLDS_MAX];
    size_t n = 0;
    const cJSON *f;
    cJSON_ArrayForEach(f, a) {
        if (n == FOLDS_MAX) break;
        fold[n++] =
            (struct chart_fold){report_number(f, "train_from_s"), report_number(f, "train_to_s"),
                report_number(f, "test_from_s"), report_number(f, "test_to_s"),
                report_number(f, "score"), report_number(f, "lo"), report_number(f, "hi")};
    }
    if (n == 0) return;
    html_put(h, "<figure>");
    chart_folds(h, "Walk-forward", score, fold, n);
    html_put(h, "<figcaption>Grey: training rows (purged of labels that reach into the test). "
                "Colour: test rows, "
                "green where the score is above zero. A real effect is green in most folds, not in "
                "one.</figcaption>"
                "</figure>");
}

static void calibration(struct html *h, const cJSON *a) {
    struct chart_bin bin[BINS_MAX];
    size_t n = 0;
    const cJSON *b;
    cJSON_ArrayForEach(b, a) {
        if (n == BINS_MAX) break;
        bin[n++] = (struct chart_bin){report_number(b, "forecast"), report_number(b, "observed"),
            report_number(b, "lo"), report_number(b, "hi"), report_number(b, "count")};
    }
    if (n == 0) return;
    html_put(h, "<figure>");
    chart_calibration(h, "Calibration", bin, n);
    html_put(h,
        "<figcaption>Observed rate of \"up\" against the forecast, out of sample; bars are 95 %% "
        "bands, dot "
        "area is the number of rows. On the dashed line a forecast of 60 %% comes true 60 times in "
        "100.</figcaption></figure>");
}

static void importance(struct html *h, const cJSON *a) {
    const char *label[BARS_MAX];
    double value[BARS_MAX];
    size_t n = 0;
    const cJSON *f;
    cJSON_ArrayForEach(f, a) {
        if (n == BARS_MAX) break;
        label[n] = report_string(f, "name", "");
        value[n++] = report_number(f, "value");
    }
    if (n == 0) return;
    html_put(h, "<figure>");
    chart_bars(h, "Feature importance", label, value, n);
    html_put(h, "<figcaption>Mean over the folds. What a model leans on, not what causes "
                "anything.</figcaption>"
                "</figure>");
}

void report_study(struct html *h, const cJSON *doc) {
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(doc, "study");
    if (!s) return;
    html_put(h, "<h2 id=\"study\">Forecast, out of sample</h2><p class=\"sub\">");
    html_text(h, report_string(s, "note", ""));
    html_put(h, "</p>");
    metrics(h, cJSON_GetObjectItemCaseSensitive(s, "metrics"));
    folds(h, cJSON_GetObjectItemCaseSensitive(s, "folds"), report_string(s, "fold_score", "IC"));
    calibration(h, cJSON_GetObjectItemCaseSensitive(s, "calibration"));
    importance(h, cJSON_GetObjectItemCaseSensitive(s, "importance"));
}

void report_truth(struct html *h, const cJSON *doc) {
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(doc, "truth"), *r;
    if (!t) return;
    html_put(h, "<h2 id=\"truth\">Found beside planted</h2><p class=\"sub\">");
    html_text(h, report_string(t, "note", ""));
    html_put(h, "</p><div class=\"scroll\"><table><tr><th>what</th><th>planted</th><th>found</th>"
                "<th class=\"l\">reading</th></tr>");
    cJSON_ArrayForEach(r, cJSON_GetObjectItemCaseSensitive(t, "rows")) {
        html_put(h, "<tr><td>");
        html_text(h, report_string(r, "what", ""));
        html_put(h, "</td><td>");
        html_text(h, report_string(r, "planted", ""));
        html_put(h, "</td><td>");
        html_text(h, report_string(r, "found", ""));
        html_put(h, "</td><td class=\"l w\">");
        html_text(h, report_string(r, "note", ""));
        html_put(h, "</td></tr>");
    }
    html_put(h, "</table></div>");
}

void report_score(struct html *h, const cJSON *doc) {
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(doc, "scorecard"), *r;
    if (cJSON_GetArraySize(a) == 0) return;
    html_put(h, "<h2 id=\"scorecard\">Scorecard</h2><p class=\"sub\">Targets of the design "
                "documents beside what was "
                "measured. They are claims about a market; nothing here was tuned to them.</p><div "
                "class=\"scroll\">"
                "<table><tr><th>source</th><th class=\"l\">target</th><th>measured</th><th>95 %% "
                "from</th><th>to</th>"
                "<th class=\"l\">verdict</th></tr>");
    cJSON_ArrayForEach(r, a) {
        const char *verdict = report_string(r, "verdict", "not measurable");
        html_put(h, "<tr><td>");
        html_text(h, report_string(r, "source", ""));
        html_put(h, "</td><td class=\"l w\">");
        html_text(h, report_string(r, "target", ""));
        html_put(h, "</td>");
        cell(h, report_number(r, "value"));
        cell(h, report_number(r, "lo"));
        cell(h, report_number(r, "hi"));
        html_put(h, "<td class=\"l %s\">",
            strcmp(verdict, "met") == 0       ? "met"
            : strcmp(verdict, "not met") == 0 ? "notmet"
                                              : "unknown");
        html_text(h, verdict);
        html_put(h, "</td></tr>");
    }
    html_put(h, "</table></div>");
}
