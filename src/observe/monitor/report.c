#include "observe/monitor/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "observe/monitor/report_internal.h"
#include "observe/monitor/report_style.h"

const char *report_string(const cJSON *o, const char *key, const char *fallback) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsString(v) ? v->valuestring : fallback;
}

double report_number(const cJSON *o, const char *key) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    if (cJSON_IsNumber(v)) return v->valuedouble;
    if (cJSON_IsString(v)) {
        char *end;
        double d = strtod(v->valuestring, &end);
        if (end != v->valuestring && *end == 0) return d;
    }
    return NAN;
}

double *report_numbers(const cJSON *o, const char *key, size_t *n) {
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(o, key), *v;
    *n = 0;
    if (!cJSON_IsArray(a)) return NULL;
    double *out = calloc((size_t)cJSON_GetArraySize(a) + 1, sizeof *out);
    if (!out) return NULL;
    cJSON_ArrayForEach(v, a) out[(*n)++] = cJSON_IsNumber(v) ? v->valuedouble : NAN;
    return out;
}

void report_page_open(struct html *h, const char *title) {
    html_put(h,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\"><title>");
    html_text(h, title);
    html_put(h, "</title><style>");
    html_put(h, "%s%s", report_style, report_style_places);
    html_put(h, "</style></head><body><main>");
}

void report_page_close(struct html *h) { html_put(h, "</main></body></html>\n"); }

void report_list(
    struct html *h, const cJSON *doc, const char *key, const char *open, const char *close) {
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(doc, key), *v;
    cJSON_ArrayForEach(v, a) {
        if (!cJSON_IsString(v)) continue;
        html_put(h, "%s", open);
        html_text(h, v->valuestring);
        html_put(h, "%s", close);
    }
}

static void head(struct html *h, const cJSON *doc) {
    html_put(h, "<h1>");
    html_text(h, report_string(doc, "name", "run"));
    html_put(h, "</h1><p class=\"sub\">");
    html_text(h, report_string(doc, "subtitle", ""));
    html_put(h, "</p><p class=\"lead\">");
    html_text(h, report_string(doc, "headline", ""));
    html_put(h, "</p>");
    report_list(h, doc, "warnings", "<p class=\"warn\">", "</p>");
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(doc, "summary"), *v;
    if (!cJSON_IsArray(a)) return;
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

static void limits(struct html *h, const cJSON *doc) {
    if (!cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(doc, "limits"))) return;
    html_put(h, "<h2 id=\"limits\">What this cannot show</h2><ul>");
    report_list(h, doc, "limits", "<li>", "</li>");
    html_put(h, "</ul>");
}

err_t report_render(const char *json, struct html *h, struct err_info *e) {
    const char *end = NULL;
    cJSON *doc = cJSON_ParseWithOpts(json, &end, false);
    if (!doc) {
        return err_set(e, ERR_INPUT, "report.json is damaged near byte %zu; run the run again",
            (size_t)(end ? end - json : 0));
    }
    if (strcmp(report_string(doc, "format", ""), "fathom-report-1") != 0) {
        err_t code = err_set(e, ERR_INPUT,
            "not a report of this version (format \"%s\", wanted \"fathom-report-1\")",
            report_string(doc, "format", "none"));
        cJSON_Delete(doc);
        return code;
    }
    report_page_open(h, report_string(doc, "name", "run"));
    head(h, doc);
    limits(h, doc);
    report_sweep(h, doc);
    report_stress(h, doc);
    report_truth(h, doc);
    report_money(h, doc);
    report_fills(h, doc);
    report_study(h, doc);
    report_score(h, doc);
    report_data(h, doc);
    report_trace(h, doc);
    report_page_close(h);
    cJSON_Delete(doc);
    if (h->full) return err_set(e, ERR_RESOURCE, "the report is larger than %d bytes", HTML_MAX);
    return ERR_OK;
}

err_t report_index(
    const char *title, const char *const *dirs, size_t n, struct html *h, struct err_info *e) {
    report_page_open(h, title);
    html_put(h, "<h1>");
    html_text(h, title);
    html_put(h, "</h1><p class=\"sub\">Each report is one self-contained page; the same figures "
                "lie beside it "
                "as report.json.</p>");
    for (size_t i = 0; i < n; i++) {
        char path[4096];
        char *text;
        snprintf(path, sizeof path, "%s/report.json", dirs[i]);
        size_t got;
        err_t code = file_read(path, HTML_MAX, &text, &got, e);
        if (code) return code;
        cJSON *doc = cJSON_Parse(text);
        free(text);
        if (!doc) return err_set(e, ERR_INPUT, "%s is damaged; run that run again", path);
        const char *base = strrchr(dirs[i], '/') ? strrchr(dirs[i], '/') + 1 : dirs[i];
        html_put(h, "<h2><a href=\"");
        html_text(h, base);
        html_put(h, "/report.html\">");
        html_text(h, report_string(doc, "name", base));
        html_put(h, "</a></h2><p class=\"sub\">");
        html_text(h, report_string(doc, "subtitle", ""));
        html_put(h, "</p><p class=\"lead\">");
        html_text(h, report_string(doc, "headline", ""));
        html_put(h, "</p>");
        report_list(h, doc, "warnings", "<p class=\"warn\">", "</p>");
        cJSON_Delete(doc);
    }
    report_page_close(h);
    return ERR_OK;
}
