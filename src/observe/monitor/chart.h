/* chart.h: inline SVG charts for reports: no script, no outside link.
 *
 * Colours come from the page's style sheet (classes c0..c5, grid, axis), so that light and dark
 * themes and print work. Every chart has a title for readers who do not see it.
 */
#ifndef FATHOM_OBSERVE_MONITOR_CHART_H
#define FATHOM_OBSERVE_MONITOR_CHART_H

#include "observe/monitor/html.h"

struct chart_series {
    const char *name;
    int color; /* 0..5 */
    bool area; /* filled down to zero */
    bool dashed;
    const double *y; /* NaN leaves a hole */
};

enum chart_axis { CHART_NUMBER, CHART_TIME }; /* CHART_TIME: x in seconds since 1970 UTC */

struct chart_lines {
    const char *title, *x_label, *y_label;
    enum chart_axis axis;
    const double *x;
    size_t points;
    const struct chart_series *series;
    size_t count;
    int ticks; /* at most so many on the x axis; 0 = as many as fit the full width */
};

void chart_lines(struct html *h, const struct chart_lines *c);

/* Steps from the first value to the last: each row adds `value`; `total` rows restart from zero. */
struct chart_step {
    const char *label;
    double value;
    bool total;
};
void chart_waterfall(
    struct html *h, const char *title, const char *unit, const struct chart_step *step, size_t n);

/* Horizontal bars, the widest first as given. */
void chart_bars(
    struct html *h, const char *title, const char *const *label, const double *value, size_t n);

/* One row each: a dot with its 95 % band about a zero line; `mark` rows in another colour. */
struct chart_band {
    const char *label;
    double value, lo, hi;
    bool mark;
};
void chart_bands(
    struct html *h, const char *title, const char *x_label, const struct chart_band *row, size_t n);

/* Columns over bins [x0 + i * width). */
void chart_histogram(struct html *h, const char *title, const char *x_label, double x0,
    double width, const double *count, size_t n);

/* Reliability diagram: mean forecast against observed rate, dot area by count, with its band. */
struct chart_bin {
    double forecast, observed, lo, hi, count;
};
void chart_calibration(struct html *h, const char *title, const struct chart_bin *bin, size_t n);

/* Walk-forward: one row a fold, training in grey, test coloured by the sign of its score. */
struct chart_fold {
    double train_from, train_to, test_from, test_to; /* seconds */
    double score, lo, hi;
};
void chart_folds(struct html *h, const char *title, const char *score_name,
    const struct chart_fold *fold, size_t n);

/* Columns with marks at chosen places of the x axis (named above them, at most CHART_MARKS_MAX). */
enum { CHART_MARKS_MAX = 8 };
struct chart_mark {
    double x; /* not finite: left out */
    const char *label;
};
void chart_spread(struct html *h, const char *title, const char *x_label, double x0, double width,
    const double *count, size_t n, const struct chart_mark *mark, size_t marks);

/* Heat map: value[row * columns + column], row 0 at the bottom; NaN = an empty cell. Colour by sign
 * and size, the number in each cell. */
struct chart_heat {
    const char *title, *x_label, *y_label;
    const char *const *x, *const *y;
    size_t columns, rows;
    const double *value;
};
void chart_heat(struct html *h, const struct chart_heat *c);

/* Points over named places, with the mean of each place; the first point is ringed. */
void chart_dots(struct html *h, const char *title, const char *x_label, const char *y_label,
    const char *const *place, size_t places, const double *at, const double *y, size_t points);

/* Means with bands over named places, one line a series; NaN = missing. */
struct chart_means {
    const char *name;
    int color;
    const double *mean, *error; /* band: mean +- 2 error */
};
void chart_curve(struct html *h, const char *title, const char *x_label, const char *y_label,
    const char *const *place, size_t places, const struct chart_means *series, size_t count);

#endif
