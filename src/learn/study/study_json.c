#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/unit.h"
#include "learn/study/study.h"

enum { IMPORTANT_MAX = 20 };

const char *study_metric_title(enum study_metric_id id) {
    static const char *const title[METRIC_COUNT] = {"IC (Pearson)", "rank IC", "IC_IR over folds",
        "AUC", "log loss", "Brier", "ECE", "accuracy", "macro-F1"};
    return title[id];
}

static void put_metric(struct json_out *j, const struct study_metric *m, const char *title) {
    json_object(j);
    json_kstr(j, "id", m->name);
    json_kstr(j, "name", title);
    json_kdouble(j, "value", m->value);
    json_kdouble(j, "lo", m->lo);
    json_kdouble(j, "hi", m->hi);
    json_kdouble(j, "p", m->p);
    json_kdouble(j, "floor", m->floor);
    json_kdouble(j, "null_lo", m->null_lo);
    json_kdouble(j, "null_hi", m->null_hi);
    json_kstr(j, "note", m->note);
    json_object_end(j);
}

static double seconds(int64_t ns) { return (double)ns / (double)NS_PER_S; }

static void put_fold(struct json_out *j, const struct study_fold *f) {
    const struct study_metric *ic = &f->metric[METRIC_IC];
    json_object(j);
    json_kdouble(j, "train_from_s", seconds(f->train_from_ns));
    json_kdouble(j, "train_to_s", seconds(f->train_to_ns));
    json_kdouble(j, "test_from_s", seconds(f->test_from_ns));
    json_kdouble(j, "test_to_s", seconds(f->test_to_ns));
    json_kdouble(j, "score", ic->value);
    json_kdouble(j, "lo", ic->lo);
    json_kdouble(j, "hi", ic->hi);
    json_kint(j, "fitted", (int64_t)f->fitted);
    json_kint(j, "calibrated", (int64_t)f->calibrated);
    json_kint(j, "purged", (int64_t)f->purged);
    json_kint(j, "embargoed", (int64_t)f->embargoed);
    json_kint(j, "tested", (int64_t)(f->test_to - f->test_from));
    json_kdouble(j, "threshold", f->threshold);
    json_kdouble(j, "auc", f->metric[METRIC_AUC].value);
    json_object_end(j);
}

static void put_bins(struct json_out *j, const struct study_result *r) {
    json_key(j, "calibration");
    json_array(j);
    for (size_t b = 0; b < r->bins; b++) {
        json_object(j);
        json_kdouble(j, "forecast", r->bin[b].forecast);
        json_kdouble(j, "observed", r->bin[b].observed);
        json_kdouble(j, "lo", r->bin[b].lo);
        json_kdouble(j, "hi", r->bin[b].hi);
        json_kdouble(j, "count", r->bin[b].count);
        json_object_end(j);
    }
    json_array_end(j);
}

struct weighed {
    double gain;
    size_t column;
};

static int heaviest_first(const void *a, const void *b) {
    const struct weighed *p = a, *q = b;
    if (p->gain != q->gain) return p->gain > q->gain ? -1 : 1;
    return (p->column > q->column) - (p->column < q->column);
}

static void put_importance(struct json_out *j, const struct study_result *r) {
    struct weighed *w = mem_alloc((r->columns + 1) * sizeof *w);
    for (size_t c = 0; c < r->columns; c++) w[c] = (struct weighed){r->gain[c], c};
    qsort(w, r->columns, sizeof *w, heaviest_first);
    json_key(j, "importance");
    json_array(j);
    for (size_t i = 0; i < r->columns && i < IMPORTANT_MAX && w[i].gain > 0; i++) {
        json_object(j);
        json_kstr(j, "name", r->names[w[i].column]);
        json_kdouble(j, "value", w[i].gain);
        json_kdouble(j, "split", r->split[w[i].column]);
        json_object_end(j);
    }
    json_array_end(j);
    free(w);
}

static void put_note(struct json_out *j, const struct study_result *r) {
    char text[512];
    size_t bare = 0;
    for (size_t f = 0; f < r->folds; f++) bare += r->fold[f].calibrated == 0;
    snprintf(text, sizeof text,
        "%zu folds, %zu rows predicted by models that never saw them, %zu of them with a known "
        "label. Bands: 95 %% of a stationary bootstrap with mean blocks of %.1f rows "
        "(Politis-White); p: the same with forecasts and outcomes drawn apart.",
        r->folds, r->predictions, r->scored, r->block);
    size_t n = strlen(text);
    if (bare) snprintf(text + n, sizeof text - n, " %zu folds are not calibrated.", bare);
    json_kstr(j, "note", text);
}

void study_json(const struct study_result *r, struct json_out *j) {
    json_object(j);
    put_note(j, r);
    json_kint(j, "rows", (int64_t)r->predictions);
    json_kint(j, "scored", (int64_t)r->scored);
    json_key(j, "metrics");
    json_array(j);
    for (int m = 0; m < METRIC_COUNT; m++)
        put_metric(j, &r->metric[m], study_metric_title((enum study_metric_id)m));
    json_array_end(j);
    json_kstr(j, "fold_score", "IC");
    json_key(j, "folds");
    json_array(j);
    for (size_t f = 0; f < r->folds; f++) put_fold(j, &r->fold[f]);
    json_array_end(j);
    put_bins(j, r);
    put_importance(j, r);
    json_object_end(j);
}
