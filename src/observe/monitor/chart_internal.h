/* chart_internal.h: what the chart files share: sizes, scales, axes. */
#ifndef FATHOM_OBSERVE_MONITOR_CHART_INTERNAL_H
#define FATHOM_OBSERVE_MONITOR_CHART_INTERNAL_H

#include "observe/monitor/chart.h"

enum {
    CHART_W = 960,
    CHART_H = 300,
    CHART_LEFT = 76,
    CHART_RIGHT = 16,
    CHART_TOP = 16,
    CHART_BOTTOM = 40
};

struct chart_scale {
    double lo, hi, from, to; /* data range -> pixels */
};

double chart_px(const struct chart_scale *s, double v);
void chart_open(struct html *h, const char *title, int height);
void chart_text(struct html *h, double x, double y, const char *cls, const char *text);
void chart_axis_y(struct html *h, const struct chart_scale *y, const char *label);
void chart_axis_x(struct html *h, const struct chart_scale *x, enum chart_axis axis,
    const char *label, int height);

#endif
