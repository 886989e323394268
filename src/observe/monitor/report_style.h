/* report_style.h: the style sheet of reports, light and dark, screen and print. */
#ifndef FATHOM_OBSERVE_MONITOR_REPORT_STYLE_H
#define FATHOM_OBSERVE_MONITOR_REPORT_STYLE_H

extern const char report_style[];
extern const char report_feature_style[]; /* beside it on the pages of features */

#endif
