/* report_selection.c: selection.json -> the page that shows why each feature stayed or went. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observe/monitor/chart.h"
#include "observe/monitor/report_features.h"
#include "observe/monitor/report_features_internal.h"
#include "observe/monitor/report_internal.h"

enum { BARS_MAX = 40, FOLDS_MAX = 200 };

static const cJSON *member(const cJSON *o, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(o, key);
}

static double metric_of(const cJSON *list, const char *id, const char *key) {
    const cJSON *m;
    cJSON_ArrayForEach(m, list) {
        if (strcmp(report_string(m, "id", ""), id) == 0) return report_number(m, key);
    }
    return NAN;
}

static void evidence(struct html *h, const cJSON *doc) {
    const cJSON *v = member(doc, "evidence"), *m;
    html_put(h,
        "<h2 id=\"evidence\">Out of sample</h2><p class=\"sub\">%.0f test rows; in each "
        "fold the selection was made anew on its training rows. Bands: 95 %% of a "
        "stationary bootstrap with mean blocks of %.1f rows; differences draw the same rows "
        "for both.</p>",
        report_number(v, "scored"), report_number(v, "block"));
    page_table(h, "", "<figure|selected|from|to|all columns|from|to|without skill");
    cJSON_ArrayForEach(m, member(v, "selected")) {
        const char *id = report_string(m, "id", "");
        html_put(h, "<tr>");
        page_name(h, report_string(m, "name", ""));
        page_number(h, report_number(m, "value"), 4);
        page_number(h, report_number(m, "lo"), 4);
        page_number(h, report_number(m, "hi"), 4);
        page_number(h, metric_of(member(v, "full"), id, "value"), 4);
        page_number(h, metric_of(member(v, "full"), id, "lo"), 4);
        page_number(h, metric_of(member(v, "full"), id, "hi"), 4);
        page_number(h, report_number(m, "floor"), 4);
        html_put(h, "</tr>");
    }
    page_table_end(h);
}

/* The choice, all columns and the random sets on one scale. */
static void against(struct html *h, const cJSON *doc) {
    const cJSON *v = member(doc, "evidence");
    struct chart_band row[4];
    size_t n = 0, k = 0;
    double *random = report_numbers(v, "random_ic", &k), lo = INFINITY, hi = -INFINITY, sum = 0;
    size_t known = 0;
    for (size_t i = 0; i < k; i++) {
        if (!isfinite(random[i])) continue;
        lo = fmin(lo, random[i]);
        hi = fmax(hi, random[i]);
        sum += random[i];
        known++;
    }
    row[n++] = (struct chart_band){"selected", metric_of(member(v, "selected"), "ic", "value"),
        metric_of(member(v, "selected"), "ic", "lo"), metric_of(member(v, "selected"), "ic", "hi"),
        true};
    row[n++] = (struct chart_band){"all usable columns",
        metric_of(member(v, "full"), "ic", "value"), metric_of(member(v, "full"), "ic", "lo"),
        metric_of(member(v, "full"), "ic", "hi"), false};
    row[n++] = (struct chart_band){"selected - all", report_number(member(v, "ic_gain"), "value"),
        report_number(member(v, "ic_gain"), "lo"), report_number(member(v, "ic_gain"), "hi"),
        false};
    if (known)
        row[n++] =
            (struct chart_band){"random sets of that size", sum / (double)known, lo, hi, false};
    html_put(h, "<figure>");
    chart_bands(h, "IC out of sample", "IC, out of sample", row, n);
    html_put(h,
        "<figcaption>Dots with their 95 %% bands; of the random sets the mean, least and "
        "largest of %zu.</figcaption></figure>",
        known);
    free(random);
}

static void folds(struct html *h, const cJSON *doc) {
    const cJSON *f, *name;
    size_t number = 0;
    html_put(h, "<h2 id=\"folds\">Fold by fold</h2>");
    page_table(h, "", "fold|train rows|test rows|kept|IC|IC of all|<the set");
    cJSON_ArrayForEach(f, member(doc, "folds")) {
        html_put(h, "<tr>");
        page_number(h, (double)++number, 4);
        page_number(h, report_number(f, "train_rows"), 8);
        page_number(h, report_number(f, "test_rows"), 8);
        page_number(h, cJSON_GetArraySize(member(f, "kept")), 4);
        page_number(h, report_number(f, "ic"), 3);
        page_number(h, report_number(f, "full_ic"), 3);
        html_put(h, "<td class=\"l w\">");
        cJSON_ArrayForEach(name, member(f, "kept")) {
            html_text(h, cJSON_IsString(name) ? name->valuestring : "");
            html_put(h, " ");
        }
        html_put(h, "</td></tr>");
    }
    page_table_end(h);
}

static void kept(struct html *h, const cJSON *doc) {
    const char *label[BARS_MAX];
    double value[BARS_MAX];
    size_t n = 0;
    const cJSON *c;
    cJSON_ArrayForEach(c, member(doc, "columns")) {
        if (n == BARS_MAX || strcmp(report_string(c, "fate", ""), "kept") != 0) continue;
        label[n] = report_string(c, "name", "");
        value[n++] = report_number(c, "support");
    }
    html_put(h, "<h2 id=\"kept\">The set</h2>");
    if (n == 0) {
        html_put(h, "<p class=\"none\">Nothing was kept.</p>");
        return;
    }
    html_put(h, "<figure>");
    chart_bars(h, "Support", label, value, n);
    html_put(h, "<figcaption>Share of the inner folds over all rows in which at least two of link, "
                "lasso and forest voted for it.</figcaption></figure>");
}

static void fates(struct html *h, const cJSON *doc) {
    static const char *const fate[] = {
        "kept", "surplus", "weak", "same", "drift", "constant", "missing"};
    static const char *const about[] = {"in the set", "supported, beyond --most",
        "too few votes of link, lasso and forest", "says what its group's medoid says",
        "its distribution changed inside the rows", "does not vary", "too few values"};
    const cJSON *c;
    html_put(h, "<h2 id=\"fates\">Why each one stayed or went</h2>");
    page_table(h, "", "<fate|features|<meaning");
    for (size_t i = 0; i < sizeof fate / sizeof fate[0]; i++) {
        size_t n = 0;
        cJSON_ArrayForEach(c, member(doc, "columns")) {
            n += strcmp(report_string(c, "fate", ""), fate[i]) == 0;
        }
        html_put(h, "<tr>");
        page_name(h, fate[i]);
        page_number(h, (double)n, 4);
        page_name(h, about[i]);
        html_put(h, "</tr>");
    }
    page_table_end(h);
}

static void columns(struct html *h, const cJSON *doc) {
    const cJSON *c;
    html_put(h,
        "<h2 id=\"all\">All features</h2><p class=\"sub\">Click a head to sort. Votes: share "
        "of inner folds. IC: mean over them; gain and SHAP: mean share of the forest's "
        "total; permuted: rise of the log loss on later rows, in thousandths.</p>");
    page_table(h, "tall",
        "<feature|<fate|<speaks for it|missing|PSI|p KS|support|link|lasso|forest|"
        "IC|gain|SHAP|permuted");
    cJSON_ArrayForEach(c, member(doc, "columns")) {
        const char *name = report_string(c, "name", ""), *medoid = report_string(c, "medoid", "");
        html_put(h, "<tr>");
        page_name(h, name);
        page_name(h, report_string(c, "fate", ""));
        page_name(h, strcmp(name, medoid) == 0 ? "itself" : medoid);
        page_percent(h, report_number(c, "missing"));
        page_number(h, report_number(c, "psi"), 2);
        page_number(h, report_number(c, "ks_p"), 2);
        page_number(h, report_number(c, "support"), 2);
        page_number(h, report_number(c, "link"), 2);
        page_number(h, report_number(c, "lasso"), 2);
        page_number(h, report_number(c, "forest"), 2);
        page_number(h, report_number(c, "ic"), 3);
        page_number(h, report_number(c, "gain"), 2);
        page_number(h, report_number(c, "shap"), 2);
        page_number(h, 1e3 * report_number(c, "permutation"), 2);
        html_put(h, "</tr>");
    }
    page_table_end(h);
}

err_t report_selection_render(const char *json, struct html *h, struct err_info *e) {
    cJSON *doc = page_document(json, "fathom-selection-1", e);
    if (!doc) return ERR_INPUT;
    report_page_open(h, report_string(doc, "name", "selection"));
    page_head(h, doc);
    evidence(h, doc);
    against(h, doc);
    folds(h, doc);
    kept(h, doc);
    fates(h, doc);
    columns(h, doc);
    page_limits(h, doc);
    page_script(h);
    report_page_close(h);
    cJSON_Delete(doc);
    if (h->full) return err_set(e, ERR_RESOURCE, "the page is larger than %d bytes", HTML_MAX);
    return ERR_OK;
}
