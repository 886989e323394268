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
/* Strings of an array, borrowed from it; the caller frees the array of pointers. */
const char **report_names(const cJSON *o, const char *key, size_t *n);
void report_caption(struct html *h, const char *text);   /* ends the figure */
void report_table(struct html *h, const cJSON *rows);    /* strings; row 0 names the columns */
void report_verdicts(struct html *h, const cJSON *rows); /* question, found, needed, verdict */
void report_marginals(struct html *h, const cJSON *sweep, const char *asset, const char *text);
void report_heat(struct html *h, const cJSON *m, const char *title, const char *text);

void report_money(struct html *h, const cJSON *doc);   /* equity, drawdown, costs */
void report_fills(struct html *h, const cJSON *doc);   /* fills and queue */
void report_marks(struct html *h, const cJSON *fills); /* fees, mark-outs, queue ahead */
void report_study(struct html *h, const cJSON *doc);   /* metrics, folds, calibration, importance */
void report_truth(struct html *h, const cJSON *doc);   /* found beside planted */
void report_score(struct html *h, const cJSON *doc);   /* scorecard */
void report_data(struct html *h, const cJSON *doc);    /* data quality, gaps, buckets, features */
void report_sweep(struct html *h, const cJSON *doc);   /* many sets: doubts, pictures, table */
void report_stress(struct html *h, const cJSON *doc);  /* worlds, surface, histories, extremes */
void report_trace(struct html *h, const cJSON *doc);   /* stage hashes, configuration */

#endif
