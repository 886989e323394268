#include "learn/label/label.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/unit.h"

enum { LABEL_BUCKETS_MAX = 1000000 };
static const double horizon_s_max = 1e8;

static const char *const kind_names[] = {"next", "horizon", "barrier"};

bool label_kind_parse(const char *text, enum label_kind *out) {
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, kind_names[i]) != 0) continue;
        *out = (enum label_kind)i;
        return true;
    }
    return false;
}

const char *label_kind_name(enum label_kind kind) { return kind_names[kind]; }

static bool number(const char **p, double lo, double hi, double *out) {
    char *end;
    if (!((**p >= '0' && **p <= '9') || **p == '.')) return false;
    double v = strtod(*p, &end);
    if (end == *p || !(v >= lo && v <= hi)) return false;
    *p = end;
    *out = v;
    return true;
}

static bool skip(const char **p, const char *word) {
    size_t n = strlen(word);
    if (strncmp(*p, word, n) != 0) return false;
    *p += n;
    return true;
}

static bool parse_head(const char **p, struct label_spec *s) {
    double v;
    if (skip(p, "next=")) {
        if (!number(p, 1, LABEL_BUCKETS_MAX, &v) || floor(v) != v) return false;
        s->kind = LABEL_NEXT;
        s->buckets = (int64_t)v;
        return true;
    }
    bool barrier = skip(p, "barrier=");
    if (!barrier && !skip(p, "horizon=")) return false;
    if (!number(p, 1e-3, horizon_s_max, &v)) return false;
    s->kind = barrier ? LABEL_BARRIER : LABEL_HORIZON;
    s->horizon_ns = llround(v * (double)NS_PER_S);
    if (!barrier) return true;
    return skip(p, ",") && number(p, 0.01, 1e5, &s->target_bps) && skip(p, ",") &&
           number(p, 0.01, 1e5, &s->stop_bps);
}

err_t label_spec_parse(const char *text, struct label_spec *out, struct err_info *e) {
    struct label_spec s = {.buckets = 1,
        .horizon_ns = NS_PER_S,
        .threshold = 1e-5, /* S3 1055-1141 */
        .target_bps = 20,
        .stop_bps = 20};
    const char *p = text;
    bool ok = parse_head(&p, &s);
    while (ok && *p) {
        if (skip(&p, ",threshold="))
            ok = number(&p, 0, 1, &s.threshold);
        else if (skip(&p, ",adaptive"))
            s.adaptive = true;
        else
            ok = false;
    }
    if (!ok) {
        return err_set(e, ERR_USAGE,
            "label '%s': not understood from '%s' on; write next=BUCKETS, horizon=SECONDS or "
            "barrier=SECONDS,TARGET_BPS,STOP_BPS, then ,threshold=X or ,adaptive",
            text, p);
    }
    *out = s;
    return ERR_OK;
}

void label_spec_text(const struct label_spec *s, char *out, size_t size) {
    char head[96];
    switch (s->kind) {
    case LABEL_NEXT: snprintf(head, sizeof head, "next=%lld", (long long)s->buckets); break;
    case LABEL_HORIZON:
        snprintf(head, sizeof head, "horizon=%.12g", (double)s->horizon_ns / (double)NS_PER_S);
        break;
    case LABEL_BARRIER:
        snprintf(head, sizeof head, "barrier=%.12g,%.12g,%.12g",
            (double)s->horizon_ns / (double)NS_PER_S, s->target_bps, s->stop_bps);
        break;
    }
    if (s->adaptive)
        snprintf(out, size, "%s,adaptive", head);
    else
        snprintf(out, size, "%s,threshold=%.12g", head, s->threshold);
}

int32_t label_class(double value, double threshold) {
    if (isnan(value)) return LABEL_NONE;
    return value > threshold ? LABEL_UP : value < -threshold ? LABEL_DOWN : LABEL_FLAT;
}

static struct label missing_label(void) {
    return (struct label){.value = NAN, .move = NAN, .known_row = -1, .klass = LABEL_NONE};
}

/* The label of row t whose span ends at row `end`. */
static struct label span_label(
    const struct label_spec *s, const struct label_bar *bar, size_t t, size_t end) {
    struct label l = missing_label();
    double seconds = (double)(bar[end].close_ns - bar[t].close_ns) / (double)NS_PER_S;
    if (!(bar[t].px > 0) || !(bar[end].px > 0) || !(seconds > 0)) return l;
    l.move = log(bar[end].px / bar[t].px);
    l.value = l.move / seconds;
    l.known_row = (int64_t)end;
    l.known_ns = bar[end].close_ns;
    l.klass = label_class(l.value, s->threshold);
    return l;
}

/* Ends move forward only, so one sweep serves all rows. `broken` is the last gapped row <= end. */
static void label_spans(
    const struct label_spec *s, const struct label_bar *bar, size_t n, struct label *out) {
    size_t end = 0, broken = 0;
    bool any_broken = false;
    for (size_t t = 0; t < n; t++) {
        out[t] = missing_label();
        size_t want = end;
        if (s->kind == LABEL_NEXT) {
            if ((uint64_t)s->buckets >= n - t) continue;
            want = t + (size_t)s->buckets;
        } else {
            if (want <= t) want = t + 1;
            while (want < n && bar[want].close_ns - bar[t].close_ns < s->horizon_ns) want++;
        }
        for (; end < want && end + 1 < n; end++) {
            if (bar[end + 1].gapped) {
                broken = end + 1;
                any_broken = true;
            }
        }
        if (want >= n) continue;
        if (any_broken && broken > t) continue;
        out[t] = span_label(s, bar, t, want);
    }
}

/* -1 stop, +1 target, 0 none inside this bar. Both inside one bar: the stop, since the order of
 * the touches is unknown and a study must not flatter itself. */
static int touch(const struct label_bar *b, double target, double stop) {
    double high = isnan(b->high) ? b->px : b->high, low = isnan(b->low) ? b->px : b->low;
    if (low <= stop) return -1;
    if (high >= target) return 1;
    return 0;
}

static struct label barrier_label(
    const struct label_spec *s, const struct label_bar *bar, size_t n, size_t t) {
    struct label l = missing_label();
    if (!(bar[t].px > 0)) return l;
    double up = 1 + s->target_bps * 1e-4, down = 1 - s->stop_bps * 1e-4;
    double target = bar[t].px * up, stop = bar[t].px * down;
    for (size_t i = t + 1; i < n; i++) {
        if (bar[i].gapped || !(bar[i].px > 0)) return l;
        int hit = touch(&bar[i], target, stop);
        bool timeout = bar[i].close_ns - bar[t].close_ns >= s->horizon_ns;
        if (hit == 0 && !timeout) continue;
        double seconds = (double)(bar[i].close_ns - bar[t].close_ns) / (double)NS_PER_S;
        if (!(seconds > 0)) return l;
        l.move = hit > 0 ? log(up) : hit < 0 ? log(down) : log(bar[i].px / bar[t].px);
        l.value = l.move / seconds;
        l.known_row = (int64_t)i;
        l.known_ns = bar[i].close_ns;
        l.klass = hit > 0 ? LABEL_UP : hit < 0 ? LABEL_DOWN : LABEL_FLAT;
        return l;
    }
    return l;
}

void label_make(
    const struct label_spec *spec, const struct label_bar *bar, size_t n, struct label *out) {
    CHECK(n == 0 || (bar != NULL && out != NULL));
    if (spec->kind != LABEL_BARRIER) {
        CHECK(spec->kind == LABEL_HORIZON ? spec->horizon_ns > 0 : spec->buckets > 0);
        label_spans(spec, bar, n, out);
        return;
    }
    for (size_t t = 0; t < n; t++) out[t] = barrier_label(spec, bar, n, t);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double label_threshold_fit(const double *value, size_t n) {
    double *size = malloc((n + 1) * sizeof *size);
    CHECK(size != NULL);
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(value[i])) size[m++] = fabs(value[i]);
    }
    qsort(size, m, sizeof *size, by_value);
    double third = m ? size[(m - 1) / 3] : 0;
    free(size);
    return third;
}
