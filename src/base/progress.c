#include "base/progress.h"

#include <time.h>
#include <unistd.h>

#include "base/unit.h"

static const int64_t live_every_ns = 200 * NS_PER_MS, line_every_ns = 10 * NS_PER_S;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int time_text(double s, char *out, size_t n) {
    uint64_t v = s < 0 ? 0 : s > 359999 ? 359999 : (uint64_t)(s + 0.5);
    if (v >= 3600) return snprintf(out, n, "%lu h %02lu m", v / 3600, v / 60 % 60);
    if (v >= 60) return snprintf(out, n, "%lu m %02lu s", v / 60, v % 60);
    return snprintf(out, n, "%lu s", v);
}

size_t progress_line(
    const struct progress *p, uint64_t done, int64_t elapsed_ns, char out[PROGRESS_LINE_MAX]) {
    char left[32] = "";
    double s = (double)elapsed_ns / 1e9, shown = (double)done * p->scale;
    double rate = s > 0 ? shown / s : 0;
    int digits = p->scale < 1 ? 1 : 0, n;
    if (p->total == 0) {
        n = snprintf(out, PROGRESS_LINE_MAX, "%s: %.*f %s, %.*f %s/s", p->what, digits, shown,
            p->unit, digits, rate, p->unit);
    } else {
        double total = (double)p->total * p->scale;
        double percent = 100.0 * (double)done / (double)p->total;
        if (rate > 0 && done < p->total) time_text((total - shown) / rate, left, sizeof left);
        n = snprintf(out, PROGRESS_LINE_MAX, "%s: %.*f of %.*f %s (%.0f %%), %.*f %s/s%s%s",
            p->what, digits, shown, digits, total, p->unit, percent > 100 ? 100 : percent, digits,
            rate, p->unit, *left ? ", left " : "", left);
    }
    return n < 0 ? 0 : n < PROGRESS_LINE_MAX ? (size_t)n : PROGRESS_LINE_MAX - 1;
}

static void show(struct progress *p, uint64_t done, int64_t at_ns, bool last) {
    char line[PROGRESS_LINE_MAX];
    progress_line(p, done, at_ns - p->start_ns, line);
    fprintf(p->to, p->live ? "\r%s\x1b[K%s" : "%s%s", line, p->live && !last ? "" : "\n");
    fflush(p->to);
    p->shown = true;
    p->last_ns = at_ns;
}

void progress_begin_at(struct progress *p, FILE *to, bool live, int64_t at_ns) {
    p->to = to;
    p->live = live;
    p->shown = false;
    p->start_ns = p->last_ns = at_ns;
}

void progress_step(struct progress *p, uint64_t done, int64_t at_ns) {
    if (!p->to) return;
    if (at_ns - p->last_ns >= (p->live ? live_every_ns : line_every_ns))
        show(p, done, at_ns, false);
}

void progress_finish(struct progress *p, uint64_t done, int64_t at_ns) {
    if (p->to && p->shown) show(p, done, at_ns, true);
}

void progress_begin(struct progress *p, const char *what, const char *unit, double scale,
    uint64_t total, bool quiet) {
    *p = (struct progress){.what = what, .unit = unit, .scale = scale, .total = total};
    progress_begin_at(p, quiet ? NULL : stderr, isatty(STDERR_FILENO) == 1, now_ns());
}

void progress_at(struct progress *p, uint64_t done) {
    if (p->to) progress_step(p, done, now_ns());
}

void progress_end(struct progress *p, uint64_t done) {
    if (p->to) progress_finish(p, done, now_ns());
}
