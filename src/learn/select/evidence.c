#include "learn/select/evidence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "learn/study/stats.h"

void evidence_free(struct evidence *v) {
    for (size_t f = 0; f < v->folds && v->fold; f++) free(v->fold[f].keep);
    free(v->fold);
    select_free(&v->final);
    memset(v, 0, sizeof *v);
}

struct work {
    const struct matrix *m;
    const struct evidence_config *cfg;
    struct evidence *v;
    uint32_t *usable;
    struct trial selected, full, random[EVIDENCE_RANDOM_MAX];
    struct dice dice;
    size_t done, all;
};

static err_t step(struct work *w, struct err_info *e) {
    w->done++;
    if (w->cfg->step) w->cfg->step(w->cfg->user, w->done, w->all);
    if (w->cfg->stop && w->cfg->stop())
        return err_set(e, ERR_INTERRUPTED,
            "stopped after %zu of %zu steps: nothing was kept; run the same command again", w->done,
            w->all);
    return ERR_OK;
}

static double fold_ic(const struct trial *t, size_t from) {
    double *x = mem_alloc((t->n + 1) * sizeof *x), *y = mem_alloc((t->n + 1) * sizeof *y);
    size_t n = 0;
    for (size_t i = from; i < t->n; i++) {
        if (!isfinite(t->prediction[i].value)) continue;
        x[n] = t->prediction[i].score;
        y[n++] = t->prediction[i].value;
    }
    double ic = stats_pearson(x, y, n);
    free(x);
    free(y);
    return ic;
}

static err_t random_sets(
    struct work *w, const struct split_fold *f, int32_t number, size_t size, struct err_info *e) {
    uint32_t *mixed = mem_alloc((w->v->usable + 1) * sizeof *mixed);
    err_t err = ERR_OK;
    if (size > w->v->usable) size = w->v->usable;
    memcpy(mixed, w->usable, w->v->usable * sizeof *mixed);
    for (size_t r = 0; r < w->v->random && !err; r++) {
        dice_shuffle(&w->dice, mixed, w->v->usable);
        err = trial_fold(w->m, &w->cfg->study, f, number, mixed, size, NULL, &w->random[r], e);
    }
    free(mixed);
    return err;
}

static err_t fold_make(
    struct work *w, size_t number, const struct split_fold *f, struct err_info *e) {
    struct evidence_fold *out = &w->v->fold[number];
    struct select_config cfg = w->cfg->select;
    struct select_result r;
    size_t selected_at = w->selected.n, full_at = w->full.n;
    int64_t limit = w->m->bar[f->test_from].close_ns;
    cfg.seed = dice_next(&w->dice);
    out->rows = *f;
    out->test_from_ns = limit;
    out->test_to_ns = w->m->bar[f->test_to - 1].close_ns;
    err_t err = select_rows(w->m, f->train_from, f->train_to, limit, &cfg, &r, e);
    if (err) return err;
    out->kept = r.kept;
    out->keep = r.keep;
    r.keep = NULL;
    select_free(&r);
    const struct study_config *study = &w->cfg->study;
    err = step(w, e);
    if (!err)
        err = trial_fold(
            w->m, study, f, (int32_t)number, out->keep, out->kept, NULL, &w->selected, e);
    if (!err)
        err =
            trial_fold(w->m, study, f, (int32_t)number, w->usable, w->v->usable, NULL, &w->full, e);
    if (!err) err = step(w, e);
    if (!err) err = random_sets(w, f, (int32_t)number, out->kept, e);
    if (!err) err = step(w, e);
    out->ic = fold_ic(&w->selected, selected_at);
    out->full_ic = fold_ic(&w->full, full_at);
    return err;
}

/* |common| / |either|, mean over neighbouring folds. */
static double overlap(const struct evidence *v) {
    double sum = 0;
    for (size_t f = 1; f < v->folds; f++) {
        const struct evidence_fold *a = &v->fold[f - 1], *b = &v->fold[f];
        size_t common = 0;
        for (size_t i = 0; i < a->kept; i++)
            for (size_t j = 0; j < b->kept; j++) common += a->keep[i] == b->keep[j];
        size_t either = a->kept + b->kept - common;
        if (a->kept == 0 || b->kept == 0) return NAN;
        sum += (double)common / (double)either;
    }
    return v->folds > 1 ? sum / (double)(v->folds - 1) : NAN;
}

static void judge(struct work *w) {
    struct evidence *v = w->v;
    size_t repeats = (size_t)w->cfg->study.bootstrap;
    double span = trial_span(w->m), beaten = 0;
    double full_block = trial_metrics(&w->full, repeats, span, dice_next(&w->dice), v->full);
    v->block = trial_metrics(&w->selected, repeats, span, dice_next(&w->dice), v->selected);
    v->block = fmax(v->block, full_block);
    v->gain = trial_compare(&w->selected, &w->full, repeats, v->block, dice_next(&w->dice));
    double own = v->selected[METRIC_IC].value;
    for (size_t r = 0; r < v->random; r++) {
        struct study_metric metric[METRIC_COUNT];
        (void)trial_metrics(&w->random[r], 0, span, 1, metric);
        v->random_ic[r] = metric[METRIC_IC].value;
        v->random_loss[r] = metric[METRIC_LOG_LOSS].value;
        beaten += isfinite(own) && !(v->random_ic[r] >= own);
    }
    v->random_beaten = v->random > 0 && isfinite(own) ? beaten / (double)v->random : NAN;
    v->jaccard = overlap(v);
    for (size_t i = 0; i < w->selected.n; i++)
        v->scored += isfinite(w->selected.prediction[i].value) ? 1u : 0u;
}

static err_t last(struct work *w, struct err_info *e) {
    struct select_config cfg = w->cfg->select;
    cfg.seed = dice_next(&w->dice);
    err_t err = select_rows(w->m, w->m->warmup, w->m->rows, INT64_MAX, &cfg, &w->v->final, e);
    return err ? err : step(w, e);
}

err_t evidence_make(const struct matrix *m, const struct evidence_config *cfg, struct evidence *out,
    struct err_info *e) {
    struct evidence v = {.m = m, .random = cfg->random};
    struct split_fold *fold = NULL;
    struct work *w = mem_alloc(sizeof *w);
    CHECK(cfg->random <= EVIDENCE_RANDOM_MAX);
    *w = (struct work){.m = m, .cfg = cfg, .v = &v, .dice = {cfg->seed}};
    err_t err = study_plan(m, &cfg->study, &fold, &v.folds, e);
    if (!err) {
        v.fold = mem_alloc(v.folds * sizeof *v.fold);
        w->all = 3 * v.folds + 1;
        w->usable = mem_alloc((m->columns + 1) * sizeof *w->usable);
        v.usable = trial_usable(m, &fold[0], w->usable);
    }
    for (size_t f = 0; !err && f < v.folds; f++) err = fold_make(w, f, &fold[f], e);
    if (!err) err = last(w, e);
    if (!err) judge(w);
    free(fold);
    free(w->usable);
    trial_free(&w->selected);
    trial_free(&w->full);
    for (size_t r = 0; r < EVIDENCE_RANDOM_MAX; r++) trial_free(&w->random[r]);
    free(w);
    if (err)
        evidence_free(&v);
    else
        *out = v;
    return err;
}
