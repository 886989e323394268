/* report_marks.c: what became of the fills: mark-out curve, queue ahead, fees. */
#include <math.h>
#include <stdlib.h>

#include "observe/monitor/chart.h"
#include "observe/monitor/report_internal.h"

static void curve(struct html *h, const cJSON *marks, const char *unmarked) {
    static const char *const kind[2] = {"maker", "taker"};
    struct chart_means series[2];
    double *mean[2] = {NULL, NULL}, *error[2] = {NULL, NULL};
    size_t places, n, count = 0;
    const char **place = report_names(marks, "places", &places);
    for (int k = 0; k < 2; k++) {
        const cJSON *part = cJSON_GetObjectItemCaseSensitive(marks, kind[k]);
        mean[k] = report_numbers(part, "mean", &n);
        error[k] = report_numbers(part, "error", &n);
        if (mean[k] && error[k] && n == places)
            series[count++] = (struct chart_means){kind[k], k, mean[k], error[k]};
    }
    if (place && count > 0) {
        html_put(h, "<h3>Mark-outs: where the price went after the fills</h3><figure>");
        chart_curve(h, "Mean mark-out by time since the fill", "time since the fill's report",
            "bps of the price", place, places, series, count);
        report_caption(h, "Mean distance of mid from the price of the fill, in its favour (above "
                          "zero) or against "
                          "it (below). A maker line that falls is adverse selection: the fills "
                          "that came were the "
                          "ones others wanted to give. Bands are two standard errors as if fills "
                          "were independent; "
                          "fills come in bunches, so the truth is wider.");
        html_put(h, "<p class=\"sub\">");
        html_text(h, unmarked);
        html_put(h, "</p>");
    }
    for (int k = 0; k < 2; k++) {
        free(mean[k]);
        free(error[k]);
    }
    free(place);
}

static void ahead(struct html *h, const cJSON *part) {
    size_t places, n, k;
    const char **place = report_names(part, "places", &places);
    double *mean = report_numbers(part, "mean", &n), *error = report_numbers(part, "error", &k);
    if (place && mean && error && n == places && k == places) {
        struct chart_means series = {"maker", 0, mean, error};
        html_put(h, "<h3>Queue ahead and what it bought</h3><figure>");
        chart_curve(h, "Mark-out after 10 s by queue ahead at placement",
            "market quantity ahead when the order came to rest, in multiples of the order (fills)",
            "bps after 10 s", place, places, &series, 1);
        report_caption(h,
            "Passive fills by the queue they stood behind. A fill from the back of a long queue "
            "means that the whole level was eaten: the worst of them show what the queue model "
            "lets through.");
    }
    free(place);
    free(mean);
    free(error);
}

void report_marks(struct html *h, const cJSON *fills) {
    const cJSON *fees = cJSON_GetObjectItemCaseSensitive(fills, "fees");
    const cJSON *marks = cJSON_GetObjectItemCaseSensitive(fills, "marks");
    const cJSON *part = cJSON_GetObjectItemCaseSensitive(fills, "ahead");
    if (cJSON_GetArraySize(fees) > 1) {
        html_put(h, "<h3>Fees and mark-outs by kind</h3>");
        report_table(h, fees);
        html_put(h,
            "<p class=\"sub\">Value and fees in the settlement asset. The last column is what a "
            "fill was worth on average 10 s later after its own fee: below zero, fills cost "
            "money. fathom fills RUN --sum --by maker gives the same sums.</p>");
    }
    if (marks) curve(h, marks, report_string(fills, "unmarked", ""));
    if (part) ahead(h, part);
}
