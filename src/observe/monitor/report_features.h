/* report_features.h: the pages of feature work: features-report.json, selection.json, ablation.json
 * -> one self-contained page each.
 *
 * The JSON documents (docs/formats/features-report.md, feature-set.md) are the results; the pages
 * only show them. A short script sorts tables on a click; without it the page reads the same.
 */
#ifndef FATHOM_OBSERVE_MONITOR_REPORT_FEATURES_H
#define FATHOM_OBSERVE_MONITOR_REPORT_FEATURES_H

#include "base/err.h"
#include "observe/monitor/html.h"

/* `detail`: how many features get charts of their own. ERR_INPUT when it is no such document. */
MUST_USE err_t report_features_render(
    const char *json, size_t detail, struct html *out, struct err_info *e);
MUST_USE err_t report_selection_render(const char *json, struct html *out, struct err_info *e);
MUST_USE err_t report_ablation_render(const char *json, struct html *out, struct err_info *e);

#endif
