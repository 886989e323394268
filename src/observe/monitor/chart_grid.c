/* chart_grid.c: charts over named places: heat map, points, bands. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "observe/monitor/chart_internal.h"

enum { CELL = 34, TURN_FROM = 9 };

/* Names below the axis; many or long ones are turned. */
static void places_x(struct html *h, const char *const *name, size_t n, double slot, int y) {
    size_t longest = 0;
    for (size_t i = 0; i < n; i++) longest = strlen(name[i]) > longest ? strlen(name[i]) : longest;
    bool turn = (double)longest * 7.5 > slot;
    for (size_t i = 0; i < n; i++) {
        double x = CHART_LEFT + slot * ((double)i + 0.5);
        if (!turn) {
            chart_text(h, x, y + 18, "mid", name[i]);
            continue;
        }
        html_put(
            h, "<text class=\"end\" transform=\"translate(%.1f %d) rotate(-35)\">", x + 4, y + 14);
        html_text(h, name[i]);
        html_put(h, "</text>");
    }
}

static int name_height(const char *const *name, size_t n, double slot) {
    size_t longest = 0;
    for (size_t i = 0; i < n; i++) longest = strlen(name[i]) > longest ? strlen(name[i]) : longest;
    return (double)longest * 7.5 > slot ? 20 + (int)((double)longest * 4.4) : 24;
}

void chart_heat(struct html *h, const struct chart_heat *c) {
    enum { NAMES = 150 };
    double most = 0,
           slot = (double)(CHART_W - NAMES - CHART_RIGHT) / (double)(c->columns ? c->columns : 1);
    int names = name_height(c->x, c->columns, slot);
    int body = (int)c->rows * CELL, height = CHART_TOP + body + names + 22;
    for (size_t i = 0; i < c->rows * c->columns; i++) {
        if (isfinite(c->value[i])) most = fmax(most, fabs(c->value[i]));
    }
    chart_open(h, c->title, height);
    for (size_t r = 0; r < c->rows; r++) {
        double y = CHART_TOP + body - (double)(r + 1) * CELL;
        chart_text(h, NAMES - 8, y + CELL / 2.0 + 4, "end", c->y[r]);
        for (size_t k = 0; k < c->columns; k++) {
            double v = c->value[r * c->columns + k], x = NAMES + slot * (double)k;
            char t[32];
            if (!isfinite(v)) {
                html_put(h,
                    "<rect class=\"hole\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>",
                    x + 1, y + 1, slot - 2, CELL - 2);
                continue;
            }
            html_put(h,
                "<rect class=\"%s\" opacity=\"%.2f\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                "height=\"%d\"/>",
                v < 0 ? "loss" : "gain", most > 0 ? 0.08 + 0.72 * fabs(v) / most : 0.08, x + 1,
                y + 1, slot - 2, CELL - 2);
            snprintf(t, sizeof t, slot > 60 ? "%.4g" : "%.2g", v);
            chart_text(h, x + slot / 2, y + CELL / 2.0 + 4, "mid value", t);
        }
    }
    html_put(h, "<g transform=\"translate(%d 0)\">", NAMES - CHART_LEFT);
    places_x(h, c->x, c->columns, slot, CHART_TOP + body);
    html_put(h, "</g>");
    chart_text(h, CHART_W - CHART_RIGHT, height - 4, "end label", c->x_label);
    html_put(h, "<text class=\"mid label\" transform=\"translate(14 %.1f) rotate(-90)\">",
        CHART_TOP + body / 2.0);
    html_text(h, c->y_label);
    html_put(h, "</text></svg>");
}

static struct chart_scale scale_of(
    const double *v, const double *error, size_t n, struct chart_scale s) {
    for (size_t i = 0; i < n; i++) {
        double wide = error && isfinite(error[i]) ? 2 * error[i] : 0;
        if (!isfinite(v[i])) continue;
        s.lo = fmin(s.lo, v[i] - wide);
        s.hi = fmax(s.hi, v[i] + wide);
    }
    return s;
}

static struct chart_scale padded(struct chart_scale s) {
    double pad = (s.hi - s.lo) * 0.06;
    if (!(pad > 0)) pad = 1e-9;
    s.lo -= pad;
    s.hi += pad;
    return s;
}

void chart_dots(struct html *h, const char *title, const char *x_label, const char *y_label,
    const char *const *place, size_t places, const double *at, const double *y, size_t points) {
    double slot = (double)(CHART_W - CHART_LEFT - CHART_RIGHT) / (double)(places ? places : 1);
    int names = name_height(place, places, slot), height = CHART_H - CHART_BOTTOM + names + 20;
    struct chart_scale s = {0, 0, CHART_H - CHART_BOTTOM, CHART_TOP};
    s = padded(scale_of(y, NULL, points, s));
    chart_open(h, title, height);
    chart_axis_y(h, &s, y_label);
    for (size_t i = 0; i < points; i++) {
        /* spread sideways by rank, so that points do not hide each other */
        double shift = ((double)(i % 9) - 4) / 9 * fmin(slot * 0.6, 60);
        html_put(h, "<circle class=\"dot faint\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\"/>",
            CHART_LEFT + slot * (at[i] + 0.5) + shift, chart_px(&s, y[i]));
    }
    for (size_t k = 0; k < places; k++) {
        double sum = 0, n = 0;
        for (size_t i = 0; i < points; i++) {
            if ((size_t)at[i] != k) continue;
            sum += y[i];
            n++;
        }
        if (n == 0) continue;
        html_put(h, "<path class=\"line c1 thick\" d=\"M%.1f %.1fh%.1f\"/>",
            CHART_LEFT + slot * ((double)k + 0.5) - fmin(slot * 0.35, 40), chart_px(&s, sum / n),
            2 * fmin(slot * 0.35, 40));
    }
    if (points > 0)
        html_put(h, "<circle class=\"ring\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\"/>",
            CHART_LEFT + slot * (at[0] + 0.5) - 4.0 / 9 * fmin(slot * 0.6, 60), chart_px(&s, y[0]));
    places_x(h, place, places, slot, CHART_H - CHART_BOTTOM);
    chart_text(h, CHART_W - CHART_RIGHT, height - 4, "end label", x_label);
    html_put(h, "</svg>");
}

static void band(struct html *h, const struct chart_means *b, size_t places, double slot,
    double shift, const struct chart_scale *s) {
    bool open = false;
    html_put(h, "<path class=\"line c%d\" d=\"", b->color);
    for (size_t i = 0; i < places; i++) {
        if (!isfinite(b->mean[i])) {
            open = false;
            continue;
        }
        html_put(h, "%c%.1f %.1f", open ? 'L' : 'M', CHART_LEFT + slot * ((double)i + 0.5) + shift,
            chart_px(s, b->mean[i]));
        open = true;
    }
    html_put(h, "\"/>");
    for (size_t i = 0; i < places; i++) {
        double x = CHART_LEFT + slot * ((double)i + 0.5) + shift, e = b->error[i];
        char t[32];
        if (!isfinite(b->mean[i])) continue;
        if (isfinite(e)) {
            html_put(h, "<path class=\"line c%d thick\" opacity=\".45\" d=\"M%.1f %.1fV%.1f\"/>",
                b->color, x, chart_px(s, b->mean[i] - 2 * e), chart_px(s, b->mean[i] + 2 * e));
        }
        html_put(h, "<circle class=\"point c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", b->color, x,
            chart_px(s, b->mean[i]));
        snprintf(t, sizeof t, "%+.3g", b->mean[i]);
        chart_text(h, x + 8, chart_px(s, b->mean[i]) - 7, "value halo", t);
    }
}

void chart_curve(struct html *h, const char *title, const char *x_label, const char *y_label,
    const char *const *place, size_t places, const struct chart_means *series, size_t count) {
    double slot = (double)(CHART_W - CHART_LEFT - CHART_RIGHT) / (double)(places ? places : 1);
    struct chart_scale s = {0, 0, CHART_H - CHART_BOTTOM, CHART_TOP};
    for (size_t k = 0; k < count; k++) s = scale_of(series[k].mean, series[k].error, places, s);
    s = padded(s);
    chart_open(h, title, CHART_H + 20);
    chart_axis_y(h, &s, y_label);
    for (size_t k = 0; k < count; k++) {
        double shift = ((double)k - ((double)count - 1) / 2) * fmin(40, slot / 4);
        band(h, &series[k], places, slot, shift, &s);
    }
    places_x(h, place, places, slot, CHART_H - CHART_BOTTOM);
    chart_text(h, CHART_W - CHART_RIGHT, CHART_H + 16, "end label", x_label);
    html_put(h, "</svg>");
    if (count < 2) return;
    html_put(h, "<p class=\"legend\">");
    for (size_t k = 0; k < count; k++) {
        html_put(h, "<span class=\"key k%d\"></span>", series[k].color);
        html_text(h, series[k].name);
    }
    html_put(h, "</p>");
}
