/* report_page.c: cells, sortable tables and heads of the feature pages. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "observe/monitor/report_features_internal.h"
#include "observe/monitor/report_internal.h"
#include "observe/monitor/report_style.h"

void page_number(struct html *h, double v, int digits) {
    if (isfinite(v))
        html_put(h, "<td data-v=\"%.6g\">%.*g</td>", v, digits, v);
    else
        html_put(h, "<td class=\"unknown\">-</td>");
}

void page_percent(struct html *h, double share) {
    if (isfinite(share))
        html_put(h, "<td data-v=\"%.6g\">%.1f&#8239;%%</td>", share, 100 * share);
    else
        html_put(h, "<td class=\"unknown\">-</td>");
}

void page_name(struct html *h, const char *text) {
    html_put(h, "<td class=\"l\">");
    html_text(h, text);
    html_put(h, "</td>");
}

void page_table(struct html *h, const char *classes, const char *heads) {
    html_put(h, "<div class=\"scroll %s\"><table class=\"dense\"><thead><tr>", classes);
    while (*heads) {
        size_t n = strcspn(heads, "|");
        bool text = *heads == '<';
        html_put(
            h, "<th class=\"sort%s\">%.*s</th>", text ? " l" : "", (int)(n - text), heads + text);
        heads += n + (heads[n] == '|');
    }
    html_put(h, "</tr></thead><tbody>");
}

void page_table_end(struct html *h) { html_put(h, "</tbody></table></div>"); }

void page_cards(struct html *h, const cJSON *doc) {
    const cJSON *v;
    html_put(h, "<div class=\"cards\">");
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(doc, "summary")) {
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

void page_head(struct html *h, const cJSON *doc) {
    html_put(h, "<style>%s</style><h1>", report_feature_style);
    html_text(h, report_string(doc, "name", ""));
    html_put(h, "</h1><p class=\"sub\">");
    html_text(h, report_string(doc, "subtitle", ""));
    html_put(h, "</p><p class=\"lead\">");
    html_text(h, report_string(doc, "headline", ""));
    html_put(h, "</p>");
    report_list(h, doc, "warnings", "<p class=\"warn\">", "</p>");
    page_cards(h, doc);
}

void page_limits(struct html *h, const cJSON *doc) {
    html_put(h, "<h2 id=\"limits\">What this cannot show</h2><ul>");
    report_list(h, doc, "limits", "<li>", "</li>");
    html_put(h, "</ul>");
}

void page_script(struct html *h) {
    html_put(h, "%s",
        "<script>document.querySelectorAll('th.sort').forEach(function(th){"
        "th.addEventListener('click',function(){"
        "var row=th.parentNode,table=row.closest('table'),body=table.tBodies[0],"
        "at=Array.prototype.indexOf.call(row.children,th),"
        "up=!th.classList.contains('up')&&(th.classList.contains('down')||"
        "th.classList.contains('l'));"
        "Array.prototype.forEach.call(row.children,function(o){o.classList.remove('up','down')});"
        "th.classList.add(up?'up':'down');"
        "var key=function(r){var c=r.children[at],v=c.getAttribute('data-v');"
        "return v===null?c.textContent:parseFloat(v)};"
        "Array.prototype.slice.call(body.rows).sort(function(a,b){"
        "var x=key(a),y=key(b),nx=typeof x==='number',ny=typeof y==='number';"
        "if(nx!==ny&&!th.classList.contains('l'))return nx?-1:1;"
        "var d=nx&&ny?x-y:String(x).localeCompare(String(y));return up?d:-d})"
        ".forEach(function(r){body.appendChild(r)})})});</script>");
}

cJSON *page_document(const char *json, const char *format, struct err_info *e) {
    cJSON *doc = cJSON_Parse(json);
    const char *have = report_string(doc, "format", "none");
    if (doc && strcmp(have, format) == 0) return doc;
    (void)!err_set(e, ERR_INPUT, "not a document of this version (format \"%s\", wanted \"%s\")",
        doc ? have : "damaged", format);
    cJSON_Delete(doc);
    return NULL;
}
