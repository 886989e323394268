/* report.h: report.json -> one self-contained report.html; the index page of several reports.
 *
 * The JSON document (docs/formats/run.md) is the report; the page only shows it. Sections whose key
 * is absent are left out; nothing is invented here.
 */
#ifndef FATHOM_OBSERVE_MONITOR_REPORT_H
#define FATHOM_OBSERVE_MONITOR_REPORT_H

#include "base/err.h"
#include "observe/monitor/html.h"

/* Renders the text of a report.json. ERR_INPUT when it is no report or of an unknown format. */
MUST_USE err_t report_render(const char *json, struct html *out, struct err_info *e);

/* A page that links reports: reads DIR_i/report.json for name and headline. */
MUST_USE err_t report_index(
    const char *title, const char *const *dirs, size_t n, struct html *out, struct err_info *e);

#endif
