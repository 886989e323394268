/* report_style.h: the style sheet of reports, light and dark, screen and print. */
#ifndef FATHOM_OBSERVE_MONITOR_REPORT_STYLE_H
#define FATHOM_OBSERVE_MONITOR_REPORT_STYLE_H

/* In parts: C allows string literals of 4,095 bytes only. */
extern const char report_style[], report_style_places[];
extern const char report_feature_style[]; /* beside it on the pages of features */

#endif
