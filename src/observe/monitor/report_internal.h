/* report_internal.h: the sections of a report page; each takes its part of report.json. */
#ifndef FATHOM_OBSERVE_MONITOR_REPORT_INTERNAL_H
#define FATHOM_OBSERVE_MONITOR_REPORT_INTERNAL_H

#include <cjson/cJSON.h>

#include "observe/monitor/html.h"

const char *report_string(const cJSON *o, const char *key, const char *fallback);
double report_number(const cJSON *o, const char *key); /* NaN if absent or null */
/* Array of numbers as doubles the caller frees; *n = length. NULL when absent. */
double *report_numbers(const cJSON *o, const char *key, size_t *n);

void report_page_open(struct html *h, const char *title);
void report_page_close(struct html *h);
/* The strings of an array, each between `open` and `close`. */
void report_list(
    struct html *h, const cJSON *doc, const char *key, const char *open, const char *close);

void report_money(struct html *h, const cJSON *doc); /* equity, drawdown, costs */
void report_fills(struct html *h, const cJSON *doc); /* fills and queue */
void report_study(struct html *h, const cJSON *doc); /* metrics, folds, calibration, importance */
void report_truth(struct html *h, const cJSON *doc); /* found beside planted */
void report_score(struct html *h, const cJSON *doc); /* scorecard */
void report_data(struct html *h, const cJSON *doc);  /* data quality, gaps, buckets, features */
void report_trace(struct html *h, const cJSON *doc); /* stage hashes, configuration */

#endif
