#include "observe/monitor/report_features.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "observe/monitor/chart.h"
#include "observe/monitor/png.h"
#include "observe/monitor/report_features_internal.h"
#include "observe/monitor/report_internal.h"

enum { BANDS_MAX = 24, WORST_MAX = 15, MAP_MAX = 2048 };

static const cJSON *columns_of(const cJSON *doc) {
    return cJSON_GetObjectItemCaseSensitive(doc, "columns");
}

/* The first horizon's IC of a column; NULL if it has none. */
static const cJSON *ic_of(const cJSON *column, int horizon) {
    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(column, "ic"), horizon);
}

struct ranked {
    const cJSON *column;
    double by;
};

static int largest_first(const void *a, const void *b) {
    double x = ((const struct ranked *)a)->by, y = ((const struct ranked *)b)->by;
    return (x < y) - (x > y);
}

static double ic_strength(const cJSON *c) {
    const cJSON *ic = ic_of(c, 0);
    return fabs(report_number(ic, "ic")) * sqrt(report_number(ic, "n_effective"));
}

static double drift_strength(const cJSON *c) { return report_number(c, "psi"); }

/* Columns by a figure, largest first; those without it are left out. The caller frees. */
static struct ranked *ranked_by(const cJSON *doc, double (*by)(const cJSON *), size_t *n) {
    const cJSON *c;
    struct ranked *r = mem_alloc(((size_t)cJSON_GetArraySize(columns_of(doc)) + 1) * sizeof *r);
    *n = 0;
    cJSON_ArrayForEach(c, columns_of(doc)) {
        double v = by(c);
        if (isfinite(v)) r[(*n)++] = (struct ranked){c, v};
    }
    qsort(r, *n, sizeof *r, largest_first);
    return r;
}

static void families(struct html *h, const cJSON *doc) {
    const cJSON *f;
    html_put(h, "<h2 id=\"families\">Families</h2><p class=\"sub\">");
    html_text(h, report_string(doc, "cost_note", ""));
    html_put(h, "</p>");
    page_table(h, "",
        "<family|features|with values|missing|median abs IC|<best feature|its IC|"
        "discoveries|PSI &gt; .25|ns/event|us/close");
    cJSON_ArrayForEach(f, cJSON_GetObjectItemCaseSensitive(doc, "families")) {
        html_put(h, "<tr>");
        page_name(h, report_string(f, "name", ""));
        page_number(h, report_number(f, "features"), 4);
        page_number(h, report_number(f, "live"), 4);
        page_percent(h, report_number(f, "missing"));
        page_number(h, report_number(f, "median_ic"), 3);
        page_name(h, report_string(f, "best", "-"));
        page_number(h, report_number(f, "best_ic"), 3);
        page_number(h, report_number(f, "discoveries"), 4);
        page_number(h, report_number(f, "drifted"), 4);
        page_number(h, report_number(f, "ns_per_event"), 3);
        page_number(h, report_number(f, "us_per_close"), 3);
        html_put(h, "</tr>");
    }
    page_table_end(h);
}

static void best(struct html *h, const cJSON *doc) {
    size_t n;
    struct ranked *r = ranked_by(doc, ic_strength, &n);
    struct chart_band row[BANDS_MAX];
    size_t shown = n < BANDS_MAX ? n : BANDS_MAX;
    double rate = report_number(cJSON_GetObjectItemCaseSensitive(doc, "tests"), "rate");
    for (size_t i = 0; i < shown; i++) {
        const cJSON *ic = ic_of(r[i].column, 0);
        row[i] = (struct chart_band){report_string(r[i].column, "name", ""),
            report_number(ic, "ic"), report_number(ic, "lo"), report_number(ic, "hi"),
            report_number(r[i].column, "fdr") <= rate};
    }
    if (shown > 0) {
        html_put(h, "<h2 id=\"best\">Strongest links with what followed</h2><figure>");
        chart_bands(h, "IC and its band", "IC, first horizon", row, shown);
        html_put(h,
            "<figcaption>Correlation with the return of the next buckets (first horizon), 95 %% "
            "band of a block bootstrap. Green: still a finding when all tests are counted "
            "(Benjamini-Hochberg at %.0f %%). In sample: a selection from these is judged on other "
            "rows (fathom features select).</figcaption></figure>",
            100 * rate);
    }
    free(r);
}

static void worst(struct html *h, const cJSON *doc) {
    size_t n, never = 0, rare = 0;
    const cJSON *c;
    struct ranked *r = ranked_by(doc, drift_strength, &n);
    html_put(
        h, "<h2 id=\"worst\">What to distrust</h2><h3>Drift: second half against the first</h3>");
    page_table(h, "", "<feature|<family|PSI|KS|p of KS|effective rows|missing");
    for (size_t i = 0; i < n && i < WORST_MAX; i++) {
        c = r[i].column;
        html_put(h, "<tr>");
        page_name(h, report_string(c, "name", ""));
        page_name(h, report_string(c, "family", ""));
        page_number(h, report_number(c, "psi"), 3);
        page_number(h, report_number(c, "ks"), 3);
        page_number(h, report_number(c, "ks_p"), 2);
        page_number(h, report_number(c, "effective"), 4);
        page_percent(h, report_number(c, "missing"));
        html_put(h, "</tr>");
    }
    page_table_end(h);
    html_put(h,
        "<p class=\"sub\">A PSI above .25 reads as a shift, but a column with a long memory "
        "drifts by itself in a short recording: the p-value of KS counts the rows that its "
        "memory leaves.</p><h3>Nothing to see here</h3><p>");
    cJSON_ArrayForEach(c, columns_of(doc)) {
        double missing = report_number(c, "missing");
        if (missing >= 1)
            never++;
        else
            rare += missing > 0.5;
    }
    html_put(h,
        "%zu features have no value in these rows (an input is not on the tape, or the "
        "warm-up is longer than it), %zu have one in less than half of them.</p>",
        never, rare);
    html_put(h, "<details><summary>their names</summary><p>");
    cJSON_ArrayForEach(c, columns_of(doc)) {
        if (report_number(c, "missing") <= 0.5) continue;
        html_text(h, report_string(c, "name", ""));
        html_put(h, "%s ", report_number(c, "missing") >= 1 ? "" : " (rare)");
    }
    html_put(h, "</p></details>");
    free(r);
}

/* Blue (-1), white (0), red (+1); -100..100 at index 28..228. */
static void palette_make(uint8_t palette[768]) {
    memset(palette, 200, 768);
    for (int v = -100; v <= 100; v++) {
        uint8_t *p = palette + 3 * (v + 128);
        int fade = 250 - 2 * abs(v);
        p[0] = (uint8_t)(v < 0 ? fade : 250 - abs(v) / 3);
        p[1] = (uint8_t)(fade < 0 ? 0 : fade);
        p[2] = (uint8_t)(v < 0 ? 250 - abs(v) / 3 : fade);
    }
}

static void map(struct html *h, const cJSON *doc) {
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(doc, "map");
    int size = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(m, "order"));
    if (size < 2 || size > MAP_MAX) return;
    size_t n = (size_t)size;
    uint8_t *pixel = mem_alloc(n * n + 1), palette[768];
    html_put(h, "<h2 id=\"map\">Which features say the same</h2>");
    if (base64_decode(report_string(m, "correlation", ""), pixel, n * n)) {
        for (size_t i = 0; i < n * n; i++) pixel[i] = (uint8_t)(pixel[i] + 128);
        palette_make(palette);
        html_put(h, "<figure class=\"map\"><img alt=\"correlation map\" src=\"");
        png_data_uri(h, pixel, (uint32_t)n, (uint32_t)n, palette);
        html_put(h,
            "\"><figcaption>Rank correlation of %d features with values, ordered by an "
            "average-linkage tree: red +1, white 0, blue -1. Blocks on the diagonal are groups "
            "that say the same: at |correlation| %.2f there are %.0f groups.</figcaption></figure>",
            size, report_number(m, "same"), report_number(m, "clusters"));
    }
    free(pixel);
}

static void all_rows(struct html *h, const cJSON *doc) {
    const cJSON *c, *v;
    html_put(h,
        "<h2 id=\"all\">All features</h2><p class=\"sub\">Click a head to sort. IC: of the "
        "first horizon with its 95 %% band; then the other horizons. p: two-sided, at the "
        "effective number of rows; q: Benjamini-Hochberg over all. IC IR: mean of the IC "
        "of eight equal parts of the rows by its deviation; same sign: parts that agree.</p>");
    char heads[512] = "<feature|<family|missing|memory|eff. rows|PSI|p KS|IC|from|to|p|q|rank IC|"
                      "IC IR|same sign";
    bool first = true;
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(doc, "horizons")) {
        size_t n = strlen(heads);
        if (!first) snprintf(heads + n, sizeof heads - n, "|IC b%.0f", v->valuedouble);
        first = false;
    }
    page_table(h, "tall", heads);
    cJSON_ArrayForEach(c, columns_of(doc)) {
        const cJSON *ic = ic_of(c, 0), *a = cJSON_GetObjectItemCaseSensitive(c, "autocorrelation");
        const cJSON *one = cJSON_GetArrayItem(a, 0);
        html_put(h, "<tr>");
        page_name(h, report_string(c, "name", ""));
        page_name(h, report_string(c, "family", ""));
        page_percent(h, report_number(c, "missing"));
        page_number(h, cJSON_IsNumber(one) ? one->valuedouble : NAN, 2);
        page_number(h, report_number(c, "effective"), 4);
        page_number(h, report_number(c, "psi"), 2);
        page_number(h, report_number(c, "ks_p"), 2);
        page_number(h, report_number(ic, "ic"), 3);
        page_number(h, report_number(ic, "lo"), 3);
        page_number(h, report_number(ic, "hi"), 3);
        page_number(h, report_number(ic, "p"), 2);
        page_number(h, report_number(c, "fdr"), 2);
        page_number(h, report_number(c, "rank_ic"), 3);
        page_number(h, report_number(c, "ic_ir"), 3);
        page_percent(h, report_number(c, "same_sign"));
        for (int k = 1; k < cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(doc, "horizons"));
             k++)
            page_number(h, report_number(ic_of(c, k), "ic"), 3);
        html_put(h, "</tr>");
    }
    page_table_end(h);
}

err_t report_features_render(const char *json, size_t detail, struct html *h, struct err_info *e) {
    cJSON *doc = page_document(json, "fathom-features-report-1", e);
    if (!doc) return ERR_INPUT;
    report_page_open(h, report_string(doc, "name", "features"));
    page_head(h, doc);
    html_put(h, "<nav><a href=\"#families\">families</a><a href=\"#best\">strongest</a><a "
                "href=\"#worst\">distrust</a><a href=\"#map\">map</a><a href=\"#all\">all "
                "features</a><a href=\"#detail\">detail</a></nav>");
    families(h, doc);
    best(h, doc);
    worst(h, doc);
    map(h, doc);
    all_rows(h, doc);
    page_feature_details(h, doc, detail);
    page_limits(h, doc);
    page_script(h);
    report_page_close(h);
    cJSON_Delete(doc);
    if (h->full) return err_set(e, ERR_RESOURCE, "the page is larger than %d bytes", HTML_MAX);
    return ERR_OK;
}
