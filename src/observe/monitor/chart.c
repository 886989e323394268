#include "observe/monitor/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "observe/monitor/chart_internal.h"

enum {
    W = CHART_W,
    H = CHART_H,
    LEFT = CHART_LEFT,
    RIGHT = CHART_RIGHT,
    TOP = CHART_TOP,
    BOTTOM = CHART_BOTTOM
};

double chart_px(const struct chart_scale *s, double v) {
    return s->hi > s->lo ? s->from + (v - s->lo) / (s->hi - s->lo) * (s->to - s->from)
                         : (s->from + s->to) / 2;
}

/* A step of 1, 2 or 5 x 10^k that cuts the range into at most `most` parts. */
static double nice_step(double range, int most) {
    if (!(range > 0)) return 1;
    double raw = range / most, mag = pow(10, floor(log10(raw))), r = raw / mag;
    return (r <= 1 ? 1 : r <= 2 ? 2 : r <= 5 ? 5 : 10) * mag;
}

static double nice_time_step(double range, int most) {
    static const double steps[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
        10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 5184000, 7776000, 15552000,
        31536000};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (range / steps[i] <= most) return steps[i];
    }
    return nice_step(range, most);
}

static void number_label(double v, double step, char *out, size_t n) {
    int decimals = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
    if (decimals > 9) decimals = 9;
    if (fabs(v) < step * 1e-6) v = 0;
    snprintf(out, n, "%.*f", decimals, v);
}

static void time_label(double v, double step, char *out, size_t n) {
    time_t t = (time_t)floor(v + 0.5);
    struct tm tm;
    CHECK(gmtime_r(&t, &tm) != NULL);
    strftime(out, n, step >= 86400 ? "%Y-%m-%d" : step >= 60 ? "%d %b %H:%M" : "%H:%M:%S", &tm);
}

void chart_open(struct html *h, const char *title, int height) {
    html_put(h, "<svg viewBox=\"0 0 %d %d\" role=\"img\"><title>", W, height);
    html_text(h, title);
    html_put(h, "</title>");
}

void chart_text(struct html *h, double x, double y, const char *cls, const char *text) {
    html_put(h, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, cls);
    html_text(h, text);
    html_put(h, "</text>");
}

void chart_axis_y(struct html *h, const struct chart_scale *y, const char *label) {
    double step = nice_step(y->hi - y->lo, 6);
    for (double v = ceil(y->lo / step) * step; v <= y->hi + step * 1e-9; v += step) {
        char t[48];
        number_label(v, step, t, sizeof t);
        html_put(h, "<path class=\"grid%s\" d=\"M%d %.1fH%d\"/>",
            fabs(v) < step * 1e-6 ? " zero" : "", LEFT, chart_px(y, v), W - RIGHT);
        chart_text(h, LEFT - 8, chart_px(y, v) + 4, "end", t);
    }
    html_put(h, "<text class=\"mid label\" transform=\"translate(14 %.1f) rotate(-90)\">",
        (y->from + y->to) / 2);
    html_text(h, label);
    html_put(h, "</text>");
}

static void axis_x_ticks(struct html *h, const struct chart_scale *x, enum chart_axis axis,
    const char *label, int height, int most) {
    double range = x->hi - x->lo;
    double step = axis == CHART_TIME ? nice_time_step(range, most) : nice_step(range, most);
    for (double v = ceil(x->lo / step) * step; v <= x->hi + step * 1e-9; v += step) {
        char t[48];
        if (axis == CHART_TIME) {
            time_label(v, step, t, sizeof t);
        } else {
            number_label(v, step, t, sizeof t);
        }
        html_put(h, "<path class=\"tick\" d=\"M%.1f %dv5\"/>", chart_px(x, v), height - BOTTOM);
        bool last = axis == CHART_TIME &&
                    chart_px(x, v) > W - RIGHT - 24; /* its middle would leave the picture */
        chart_text(h, last ? W - 2 : chart_px(x, v), height - BOTTOM + 18, last ? "end" : "mid", t);
    }
    chart_text(h, W - RIGHT, height - 6, "end label", label);
}

void chart_axis_x(struct html *h, const struct chart_scale *x, enum chart_axis axis,
    const char *label, int height) {
    axis_x_ticks(h, x, axis, label, height, axis == CHART_TIME ? 8 : 10);
}

static struct chart_scale range_of(const struct chart_lines *c, double from, double to) {
    struct chart_scale s = {INFINITY, -INFINITY, from, to};
    for (size_t k = 0; k < c->count; k++) {
        for (size_t i = 0; i < c->points; i++) {
            double v = c->series[k].y[i];
            if (!isfinite(v)) continue;
            s.lo = fmin(s.lo, v);
            s.hi = fmax(s.hi, v);
        }
        if (c->series[k].area) {
            s.lo = fmin(s.lo, 0);
            s.hi = fmax(s.hi, 0);
        }
    }
    if (!isfinite(s.lo)) s.lo = 0, s.hi = 1;
    double pad = (s.hi - s.lo) * 0.04;
    if (pad == 0) pad = fabs(s.hi) * 0.01 + 1e-9;
    s.lo -= pad;
    s.hi += pad;
    return s;
}

static void polyline(struct html *h, const struct chart_lines *c, const struct chart_series *line,
    const struct chart_scale *x, const struct chart_scale *y) {
    bool open = false;
    html_put(h, "<path class=\"line c%d%s\" d=\"", line->color, line->dashed ? " dashed" : "");
    for (size_t i = 0; i < c->points; i++) {
        if (!isfinite(line->y[i])) {
            open = false;
            continue;
        }
        html_put(h, "%c%.1f %.1f", open ? 'L' : 'M', chart_px(x, c->x[i]), chart_px(y, line->y[i]));
        open = true;
    }
    html_put(h, "\"/>");
    if (!line->area || c->points == 0) return;
    html_put(h, "<path class=\"area c%d\" d=\"M%.1f %.1f", line->color, chart_px(x, c->x[0]),
        chart_px(y, 0));
    for (size_t i = 0; i < c->points; i++) {
        if (isfinite(line->y[i]))
            html_put(h, "L%.1f %.1f", chart_px(x, c->x[i]), chart_px(y, line->y[i]));
    }
    html_put(h, "L%.1f %.1fZ\"/>", chart_px(x, c->x[c->points - 1]), chart_px(y, 0));
}

static void legend(struct html *h, const struct chart_lines *c) {
    if (c->count < 2) return;
    html_put(h, "<p class=\"legend\">");
    for (size_t k = 0; k < c->count; k++) {
        if (!*c->series[k].name) continue; /* shares the sign of another */
        html_put(h, "<span class=\"key k%d%s\"></span>", c->series[k].color,
            c->series[k].dashed ? " dashed" : "");
        html_text(h, c->series[k].name);
    }
    html_put(h, "</p>");
}

void chart_lines(struct html *h, const struct chart_lines *c) {
    if (c->points == 0) {
        html_put(h, "<p class=\"none\">Nothing to draw: no data.</p>");
        return;
    }
    struct chart_scale x = {c->x[0], c->x[c->points - 1], LEFT, W - RIGHT};
    struct chart_scale y = range_of(c, H - BOTTOM, TOP);
    chart_open(h, c->title, H);
    chart_axis_y(h, &y, c->y_label);
    int most = c->ticks > 0 ? c->ticks : c->axis == CHART_TIME ? 8 : 10;
    axis_x_ticks(h, &x, c->axis, c->x_label, H, most);
    for (size_t k = 0; k < c->count; k++) polyline(h, c, &c->series[k], &x, &y);
    html_put(h, "</svg>");
    legend(h, c);
}

void chart_waterfall(
    struct html *h, const char *title, const char *unit, const struct chart_step *step, size_t n) {
    struct chart_scale y = {0, 0, H - BOTTOM, TOP + 14};
    double at = 0;
    for (size_t i = 0; i < n; i++) {
        at = step[i].total ? step[i].value : at + step[i].value;
        y.lo = fmin(y.lo, at);
        y.hi = fmax(y.hi, at);
    }
    double pad = (y.hi - y.lo) * 0.06 + 1e-12;
    y.lo -= pad;
    y.hi += pad;
    chart_open(h, title, H);
    chart_axis_y(h, &y, unit);
    double slot = (double)(W - LEFT - RIGHT) / (double)(n ? n : 1), wide = fmin(110, slot * 0.62);
    at = 0;
    for (size_t i = 0; i < n; i++) {
        double from = step[i].total ? 0 : at,
               to = step[i].total ? step[i].value : at + step[i].value;
        double left = LEFT + slot * ((double)i + 0.5) - wide / 2, a = chart_px(&y, from),
               b = chart_px(&y, to);
        const char *cls = step[i].total ? "total" : to >= from ? "gain" : "loss";
        html_put(h, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
            cls, left, fmin(a, b), wide, fmax(1, fabs(a - b)));
        char t[48];
        snprintf(t, sizeof t, "%+.4g", step[i].value);
        chart_text(h, left + wide / 2, fmin(a, b) - 5, "mid value", t);
        chart_text(h, left + wide / 2, H - BOTTOM + 18, "mid", step[i].label);
        at = to;
    }
    html_put(h, "</svg>");
}

void chart_bars(
    struct html *h, const char *title, const char *const *label, const double *value, size_t n) {
    enum { ROW = 20, NAME = 320 };
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(value[i]));
    chart_open(h, title, (int)n * ROW + 12);
    for (size_t i = 0; i < n; i++) {
        double y = 6 + (double)i * ROW,
               wide = most > 0 ? fabs(value[i]) / most * (W - NAME - 90) : 0;
        char t[48];
        snprintf(t, sizeof t, "%.4g", value[i]);
        chart_text(h, NAME - 8, y + 14, "end mono", label[i]);
        html_put(h, "<rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>",
            value[i] < 0 ? "loss" : "bar", NAME, y + 3, fmax(wide, 0.5), ROW - 6);
        chart_text(h, NAME + wide + 6, y + 14, "", t);
    }
    html_put(h, "</svg>");
}

void chart_bands(struct html *h, const char *title, const char *x_label,
    const struct chart_band *row, size_t n) {
    enum { ROW = 20, NAME = 330 };
    int height = (int)n * ROW + BOTTOM + TOP;
    struct chart_scale x = {0, 0, NAME, W - RIGHT};
    for (size_t i = 0; i < n; i++) {
        x.lo = fmin(x.lo, fmin(row[i].value, row[i].lo)); /* fmin passes over NaN */
        x.hi = fmax(x.hi, fmax(row[i].value, row[i].hi));
    }
    double pad = (x.hi - x.lo) * 0.04 + 1e-12;
    x.lo -= pad;
    x.hi += pad;
    chart_open(h, title, height);
    html_put(
        h, "<path class=\"grid zero\" d=\"M%.1f %dV%d\"/>", chart_px(&x, 0), TOP, height - BOTTOM);
    chart_axis_x(h, &x, CHART_NUMBER, x_label, height);
    for (size_t i = 0; i < n; i++) {
        double y = TOP + ROW * ((double)i + 0.5);
        chart_text(h, NAME - 10, y + 4, "end mono", row[i].label);
        if (!isfinite(row[i].value)) continue;
        if (isfinite(row[i].lo) && isfinite(row[i].hi))
            html_put(h, "<path class=\"band%s\" d=\"M%.1f %.1fH%.1f\"/>",
                row[i].mark ? " marked" : "", chart_px(&x, row[i].lo), y, chart_px(&x, row[i].hi));
        html_put(h, "<circle class=\"dot%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>",
            row[i].mark ? " marked" : "", chart_px(&x, row[i].value), y);
    }
    html_put(h, "</svg>");
}

/* Row of a label: those in the left half are written to the right, leftmost on top, then those in
 * the right half to the left, rightmost on top: so a line begins below the labels it would cross.
 */
static size_t mark_row(
    const struct chart_scale *x, const struct chart_mark *mark, size_t marks, size_t i) {
    double middle = (x->from + x->to) / 2, at = chart_px(x, mark[i].x);
    size_t row = 0;
    for (size_t k = 0; k < marks; k++) {
        double other = chart_px(x, mark[k].x);
        if (k == i || !isfinite(mark[k].x)) continue;
        bool tie = fabs(other - at) < 1e-9 && k < i;
        if (at < middle) {
            row += other < at || tie;
        } else {
            row += other < middle || other > at || tie;
        }
    }
    return row;
}

static void put_marks(
    struct html *h, const struct chart_scale *x, const struct chart_mark *mark, size_t marks) {
    for (size_t i = 0; i < marks; i++) {
        if (!isfinite(mark[i].x)) continue;
        double at = chart_px(x, mark[i].x), top = TOP + 16 * (double)mark_row(x, mark, marks, i);
        bool left = at < (x->from + x->to) / 2;
        html_put(h, "<path class=\"line c%d dashed\" d=\"M%.1f %.1fV%d\"/>", i == 0 ? 4 : 5, at,
            top, H - BOTTOM);
        chart_text(h, at + (left ? 5 : -5), top + 10, left ? "value halo" : "value end halo",
            mark[i].label);
    }
}

void chart_spread(struct html *h, const char *title, const char *x_label, double x0, double width,
    const double *count, size_t n, const struct chart_mark *mark, size_t marks) {
    struct chart_scale x = {x0, x0 + width * (double)n, LEFT, W - RIGHT},
                       y = {0, 1, H - BOTTOM, TOP + 16 * (double)marks};
    for (size_t i = 0; i < n; i++) y.hi = fmax(y.hi, count[i] * 1.05);
    chart_open(h, title, H);
    chart_axis_y(h, &y, "count");
    chart_axis_x(h, &x, CHART_NUMBER, x_label, H);
    for (size_t i = 0; i < n; i++) {
        double a = chart_px(&x, x0 + width * (double)i),
               b = chart_px(&x, x0 + width * (double)(i + 1));
        html_put(h, "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
            a + 1, chart_px(&y, count[i]), fmax(b - a - 2, 0.5),
            chart_px(&y, 0) - chart_px(&y, count[i]));
    }
    put_marks(h, &x, mark, marks);
    html_put(h, "</svg>");
}

void chart_histogram(struct html *h, const char *title, const char *x_label, double x0,
    double width, const double *count, size_t n) {
    chart_spread(h, title, x_label, x0, width, count, n, NULL, 0);
}

void chart_calibration(struct html *h, const char *title, const struct chart_bin *bin, size_t n) {
    double lo = 1, hi = 0, most = 1;
    for (size_t i = 0; i < n; i++) {
        lo = fmin(lo, fmin(bin[i].forecast, bin[i].lo));
        hi = fmax(hi, fmax(bin[i].forecast, bin[i].hi));
        most = fmax(most, bin[i].count);
    }
    if (n == 0 || hi <= lo) lo = 0, hi = 1;
    struct chart_scale x = {lo - 0.02, hi + 0.02, LEFT, W - RIGHT},
                       y = {lo - 0.02, hi + 0.02, H - BOTTOM, TOP};
    chart_open(h, title, H);
    chart_axis_y(h, &y, "observed rate");
    chart_axis_x(h, &x, CHART_NUMBER, "forecast probability", H);
    html_put(h, "<path class=\"line c5 dashed\" d=\"M%.1f %.1fL%.1f %.1f\"/>", chart_px(&x, x.lo),
        chart_px(&y, x.lo), chart_px(&x, x.hi), chart_px(&y, x.hi));
    for (size_t i = 0; i < n; i++) {
        html_put(h,
            "<path class=\"band\" d=\"M%.1f %.1fV%.1f\"/><circle class=\"dot\" cx=\"%.1f\" "
            "cy=\"%.1f\" r=\"%.1f\"/>",
            chart_px(&x, bin[i].forecast), chart_px(&y, bin[i].lo), chart_px(&y, bin[i].hi),
            chart_px(&x, bin[i].forecast), chart_px(&y, bin[i].observed),
            2.5 + 7 * sqrt(bin[i].count / most));
    }
    html_put(h, "</svg>");
}

void chart_folds(struct html *h, const char *title, const char *score_name,
    const struct chart_fold *fold, size_t n) {
    enum { ROW = 24, TEXT = 250 };
    int height = (int)n * ROW + BOTTOM + TOP;
    if (n == 0) return;
    struct chart_scale x = {fold[0].train_from, fold[n - 1].test_to, LEFT, W - TEXT};
    for (size_t i = 0; i < n; i++) {
        x.lo = fmin(x.lo, fold[i].train_from);
        x.hi = fmax(x.hi, fold[i].test_to);
    }
    chart_open(h, title, height);
    chart_axis_x(h, &x, CHART_TIME, "", height);
    for (size_t i = 0; i < n; i++) {
        const struct chart_fold *f = &fold[i];
        double y = TOP + (double)i * ROW;
        char t[96];
        snprintf(t, sizeof t, "fold %zu", i + 1);
        chart_text(h, LEFT - 8, y + 14, "end", t);
        html_put(h, "<rect class=\"train\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>",
            chart_px(&x, f->train_from), y + 3,
            fmax(chart_px(&x, f->train_to) - chart_px(&x, f->train_from), 1), ROW - 8);
        html_put(h, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>",
            f->score >= 0 ? "gain" : "loss", chart_px(&x, f->test_from), y + 3,
            fmax(chart_px(&x, f->test_to) - chart_px(&x, f->test_from), 1), ROW - 8);
        snprintf(t, sizeof t, "%s %+.4f  [%+.3f, %+.3f]", score_name, f->score, f->lo, f->hi);
        chart_text(h, W - TEXT + 10, y + 14, "mono", t);
    }
    html_put(h, "</svg>");
}
