/* report_ablation.c: ablation.json -> the page on what each family adds and costs. */
#include <math.h>
#include <string.h>

#include "observe/monitor/chart.h"
#include "observe/monitor/report_features.h"
#include "observe/monitor/report_features_internal.h"
#include "observe/monitor/report_internal.h"

enum { ROWS_MAX = 64 };

static const cJSON *member(const cJSON *o, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(o, key);
}

static double of(const cJSON *o, const char *key, const char *figure) {
    return report_number(member(o, key), figure);
}

static bool is(const cJSON *o, const char *verdict) {
    return strcmp(report_string(o, "verdict", ""), verdict) == 0;
}

static void verdict_cell(struct html *h, const cJSON *o) {
    bool good = is(o, "keep") || is(o, "met"), bad = is(o, "drop") || is(o, "not met");
    html_put(h, "<td class=\"l %s\">", good ? "met" : bad ? "notmet" : "unknown");
    html_text(h, report_string(o, "verdict", ""));
    html_put(h, "</td>");
}

static void bands(
    struct html *h, const cJSON *doc, const char *key, const char *title, const char *caption) {
    struct chart_band row[ROWS_MAX];
    size_t n = 0;
    const cJSON *f;
    cJSON_ArrayForEach(f, member(doc, "families")) {
        if (n == ROWS_MAX || is(f, "not measurable")) continue;
        row[n++] = (struct chart_band){report_string(f, "name", ""), of(f, key, "value"),
            of(f, key, "lo"), of(f, key, "hi"), is(f, "keep")};
    }
    if (n == 0) return;
    html_put(h, "<h3>%s</h3><figure>", title);
    chart_bands(h, title, "IC, out of sample", row, n);
    html_put(h, "<figcaption>%s</figcaption></figure>", caption);
}

static void families(struct html *h, const cJSON *doc) {
    const cJSON *f;
    html_put(h, "<h2 id=\"families\">What each family adds and costs</h2><p class=\"sub\">");
    html_text(h, report_string(doc, "cost_note", ""));
    html_put(h, "</p>");
    page_table(h, "",
        "<family|columns|usable|adds IC|from|to|p|adds log loss|alone IC|from|to|"
        "ns/event|us/close|<verdict");
    cJSON_ArrayForEach(f, member(doc, "families")) {
        html_put(h, "<tr>");
        page_name(h, report_string(f, "name", ""));
        page_number(h, report_number(f, "columns"), 4);
        page_number(h, report_number(f, "usable"), 4);
        page_number(h, of(f, "drop_ic", "value"), 3);
        page_number(h, of(f, "drop_ic", "lo"), 3);
        page_number(h, of(f, "drop_ic", "hi"), 3);
        page_number(h, of(f, "drop_ic", "p"), 2);
        page_number(h, of(f, "drop_loss", "value"), 3);
        page_number(h, of(f, "alone_ic", "value"), 3);
        page_number(h, of(f, "alone_ic", "lo"), 3);
        page_number(h, of(f, "alone_ic", "hi"), 3);
        page_number(h, report_number(f, "ns_per_event"), 3);
        page_number(h, report_number(f, "us_per_close"), 3);
        verdict_cell(h, f);
        html_put(h, "</tr>");
    }
    page_table_end(h);
    html_put(h,
        "<p class=\"sub\">Adds: the model over all columns less the model without the family "
        "(a negative log loss is a gain). Keep: at least %.3g of IC and the band above 0. "
        "Drop: the whole band below %.3g. Open: these rows cannot tell.</p>",
        report_number(doc, "least_ic"), report_number(doc, "least_ic"));
}

static void claims(struct html *h, const cJSON *doc) {
    const cJSON *c;
    html_put(h, "<h2 id=\"claims\">Beside the documents' claims</h2>");
    page_table(h, "", "<source|<claim|measured|from|to|<verdict|<why");
    cJSON_ArrayForEach(c, member(doc, "claims")) {
        html_put(h, "<tr>");
        page_name(h, report_string(c, "source", ""));
        page_name(h, report_string(c, "claim", ""));
        page_number(h, report_number(c, "value"), 3);
        page_number(h, report_number(c, "lo"), 3);
        page_number(h, report_number(c, "hi"), 3);
        verdict_cell(h, c);
        html_put(h, "<td class=\"l w\">");
        html_text(h, report_string(c, "why", ""));
        html_put(h, "</td></tr>");
    }
    page_table_end(h);
}

static void extreme(struct html *h, const cJSON *doc) {
    const cJSON *x = member(doc, "extreme");
    html_put(h, "<h2 id=\"extreme\">Trained without extreme liquidation</h2><p>");
    html_text(h, report_string(doc, "extreme_note", ""));
    html_put(h, ".</p>");
    if (!cJSON_IsTrue(member(x, "measured"))) return;
    page_table(h, "", "<figure|all rows train|without them|difference|from|to|p");
    static const char *const key[2] = {"ic", "log_loss"}, *const name[2] = {"IC", "log loss"};
    for (int i = 0; i < 2; i++) {
        const cJSON *gain = member(x, i ? "loss_gain" : "ic_gain");
        html_put(h, "<tr>");
        page_name(h, name[i]);
        page_number(h, of(member(doc, "full"), key[i], "value"), 4);
        page_number(h, of(member(x, "without"), key[i], "value"), 4);
        page_number(h, report_number(gain, "value"), 3);
        page_number(h, report_number(gain, "lo"), 3);
        page_number(h, report_number(gain, "hi"), 3);
        page_number(h, report_number(gain, "p"), 2);
        html_put(h, "</tr>");
    }
    page_table_end(h);
    html_put(h, "<p class=\"sub\">%.0f rows of all did not train.</p>", report_number(x, "rows"));
}

err_t report_ablation_render(const char *json, struct html *h, struct err_info *e) {
    cJSON *doc = page_document(json, "fathom-ablation-1", e);
    if (!doc) return ERR_INPUT;
    report_page_open(h, report_string(doc, "name", "ablation"));
    page_head(h, doc);
    families(h, doc);
    bands(h, doc, "drop_ic", "What the model loses without it",
        "IC of all columns less IC without the family, 95 % band; green: keep.");
    bands(h, doc, "alone_ic", "What it reaches alone",
        "IC of a model over this family only, 95 % band.");
    claims(h, doc);
    extreme(h, doc);
    page_limits(h, doc);
    page_script(h);
    report_page_close(h);
    cJSON_Delete(doc);
    if (h->full) return err_set(e, ERR_RESOURCE, "the page is larger than %d bytes", HTML_MAX);
    return ERR_OK;
}
