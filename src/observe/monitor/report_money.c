#include <math.h>
#include <stdlib.h>

#include "observe/monitor/chart.h"
#include "observe/monitor/report_internal.h"

static void equity(struct html *h, const cJSON *eq, const char *asset) {
    size_t n = 0, k = 0;
    double *t = report_numbers(eq, "ts_s", &n);
    double *net = report_numbers(eq, "net", &k), *gross = report_numbers(eq, "gross", &k);
    double *hold = report_numbers(eq, "hold", &k), *down = report_numbers(eq, "drawdown", &k);
    if (t && net && gross && n > 1) {
        struct chart_series s[3] = {{"after all costs", 0, true, false, net},
            {"before fees and funding", 2, false, true, gross},
            {"buy and hold, same largest position", 5, false, true, hold}};
        struct chart_lines c = {
            "Profit over time", "UTC", asset, CHART_TIME, t, n, s, hold ? 3 : 2, 0};
        html_put(h, "<figure>");
        chart_lines(h, &c);
        report_caption(h,
            "Profit in the settlement asset, marked at mid. The distance of the two lines "
            "is what the "
            "costs took.");
    }
    if (t && down && n > 1) {
        struct chart_series s = {"drawdown", 4, true, false, down};
        struct chart_lines c = {"Drawdown", "UTC", asset, CHART_TIME, t, n, &s, 1, 0};
        html_put(h, "<figure>");
        chart_lines(h, &c);
        report_caption(h, "Distance below the highest profit so far, after costs.");
    }
    free(t);
    free(net);
    free(gross);
    free(hold);
    free(down);
}

void report_money(struct html *h, const cJSON *doc) {
    const cJSON *eq = cJSON_GetObjectItemCaseSensitive(doc, "equity");
    const cJSON *cost = cJSON_GetObjectItemCaseSensitive(doc, "cost");
    if (!eq && !cost) return;
    const char *asset = report_string(doc, "settle", "settlement asset");
    html_put(h, "<h2 id=\"money\">Profit and cost</h2>");
    if (eq) equity(h, eq, asset);
    if (!cost) return;
    struct chart_step step[] = {{"paper profit", report_number(cost, "paper"), true},
        {"spread", report_number(cost, "spread"), false},
        {"slippage", report_number(cost, "slippage"), false},
        {"at real prices", report_number(cost, "gross"), true},
        {"fees", -report_number(cost, "fee"), false},
        {"funding", report_number(cost, "funding"), false},
        {"after costs", report_number(cost, "net"), true}};
    html_put(h, "<figure>");
    chart_waterfall(h, "Where the profit went", asset, step, sizeof step / sizeof *step);
    report_caption(h,
        report_string(cost, "note",
            "Spread: distance of the fill from mid at the moment of the fill (a "
            "maker earns it, a taker pays it). Slippage: move of mid between decision and fill."));
}

static void fill_rows(struct html *h, const cJSON *rows) {
    const cJSON *r;
    html_put(h,
        "<h3>First fills</h3><div class=\"scroll\"><table><tr><th class=\"l\">UTC</th><th>side</th>"
        "<th>price</th><th>quantity</th><th>kind</th><th>fee</th><th>queue ahead at placing</th>"
        "<th>at fill</th><th>wait ms</th></tr>");
    cJSON_ArrayForEach(r, rows) {
        static const char *const key[] = {
            "time", "side", "px", "qty", "kind", "fee", "queue_start", "queue_fill", "wait_ms"};
        html_put(h, "<tr>");
        for (size_t i = 0; i < sizeof key / sizeof *key; i++) {
            html_put(h, "<td>");
            html_text(h, report_string(r, key[i], ""));
            html_put(h, "</td>");
        }
        html_put(h, "</tr>");
    }
    html_put(h, "</table></div>");
}

static void pairs(struct html *h, const cJSON *a) {
    const cJSON *v;
    html_put(h, "<div class=\"cards\">");
    cJSON_ArrayForEach(v, a) {
        html_put(h, "<div class=\"card\"><span>");
        html_text(h, report_string(v, "label", ""));
        html_put(h, "</span><b>");
        html_text(h, report_string(v, "value", ""));
        html_put(h, "</b><i>");
        html_text(h, report_string(v, "note", ""));
        html_put(h, "</i></div>");
    }
    html_put(h, "</div>");
}

void report_fills(struct html *h, const cJSON *doc) {
    const cJSON *f = cJSON_GetObjectItemCaseSensitive(doc, "fills");
    if (!f) return;
    html_put(h, "<h2 id=\"fills\">Orders, fills and queue</h2><p class=\"sub\">");
    html_text(h, report_string(f, "note", ""));
    html_put(h, "</p>");
    pairs(h, cJSON_GetObjectItemCaseSensitive(f, "cards"));
    report_marks(h, f);
    const cJSON *hist = cJSON_GetObjectItemCaseSensitive(f, "wait_histogram");
    size_t n = 0;
    double *count = report_numbers(hist, "count", &n);
    if (count && n > 0) {
        html_put(h, "<figure>");
        chart_histogram(h, "Wait of passive fills", report_string(hist, "x_label", "s"),
            report_number(hist, "x0"), report_number(hist, "width"), count, n);
        report_caption(h,
            "Time from placing an order to its passive fill; the last column holds all "
            "longer waits.");
    }
    free(count);
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(f, "rows");
    if (cJSON_GetArraySize(rows) > 0) fill_rows(h, rows);
    const cJSON *d = cJSON_GetObjectItemCaseSensitive(doc, "decisions"), *r;
    if (cJSON_GetArraySize(d) == 0) return;
    html_put(
        h, "<h3>Why nothing was sent</h3><table><tr><th>gate or limit</th><th>times</th></tr>");
    cJSON_ArrayForEach(r, d) {
        html_put(h, "<tr><td>");
        html_text(h, report_string(r, "reason", ""));
        html_put(h, "</td><td>%.0f</td></tr>", report_number(r, "count"));
    }
    html_put(h, "</table>");
}
