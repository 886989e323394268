/* report_features_internal.h: what the feature pages share: cells, sortable tables, warnings. */
#ifndef FATHOM_OBSERVE_MONITOR_REPORT_FEATURES_INTERNAL_H
#define FATHOM_OBSERVE_MONITOR_REPORT_FEATURES_INTERNAL_H

#include <cjson/cJSON.h>

#include "base/err.h"
#include "observe/monitor/html.h"

/* A number of `digits` significant digits that sorts by value; "-" where there is none. */
void page_number(struct html *h, double v, int digits);
void page_percent(struct html *h, double share); /* one decimal */
void page_name(struct html *h, const char *text);
/* Opens a table whose heads sort on a click; `heads` are split at '|', one marked with '<' is of
 * text. */
void page_table(struct html *h, const char *classes, const char *heads);
void page_table_end(struct html *h);
void page_cards(struct html *h, const cJSON *doc);
/* Title, subtitle, headline, warnings, cards. */
void page_head(struct html *h, const cJSON *doc);
void page_script(struct html *h);
/* "limits" as a closing section. */
void page_limits(struct html *h, const cJSON *doc);
/* Parses and checks the format; NULL with *e set. */
cJSON *page_document(const char *json, const char *format, struct err_info *e);

/* Charts of one feature, and the list of those worth them. */
void page_feature_details(struct html *h, const cJSON *doc, size_t detail);

#endif
