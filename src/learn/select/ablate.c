#include "learn/select/ablate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "learn/study/stats.h"

void ablate_free(struct ablate_result *r) {
    free(r->family);
    memset(r, 0, sizeof *r);
}

const char *ablate_verdict_name(enum ablate_verdict v) {
    static const char *const name[] = {"keep", "drop", "open", "not measurable"};
    return name[v];
}

struct work {
    const struct ablate_input *in;
    const struct ablate_config *cfg;
    struct ablate_result *r;
    struct split_fold *fold;
    uint32_t *usable, *chosen;
    struct trial full, none;
    struct dice dice;
    double span;
    double *gain; /* test rows that moved x families: log loss saved by each family alone */
    size_t moved, tried;
    size_t tried_family[ABLATE_FAMILIES_MAX];
    size_t done, all;
};

/* Log loss of one row's forecast; NaN where it did not move or is not known. */
static double row_loss(const struct study_prediction *p) {
    if (!isfinite(p->move) || p->move == 0) return NAN;
    return -log(fmax(p->move > 0 ? p->p[0] : 1 - p->p[0], 1e-12));
}

/* Gains over the base rate, one column a family that could be tried. */
static void note_gain(struct work *w, const struct trial *alone) {
    size_t k = 0;
    for (size_t i = 0; i < alone->n; i++) {
        double none = row_loss(&w->none.prediction[i]);
        if (isnan(none)) continue;
        w->gain[k++ * w->in->families + w->tried] = none - row_loss(&alone->prediction[i]);
    }
    w->moved = k;
}

/* The model over `columns` of work.chosen in every fold. */
static err_t walk(
    struct work *w, size_t columns, const uint8_t *leave_out, struct trial *t, struct err_info *e) {
    err_t err = ERR_OK;
    for (size_t f = 0; f < w->r->folds && !err; f++)
        err = trial_fold(
            w->in->m, &w->cfg->study, &w->fold[f], (int32_t)f, w->chosen, columns, leave_out, t, e);
    w->done++;
    if (!err && w->cfg->step) w->cfg->step(w->cfg->user, w->done, w->all);
    if (!err && w->cfg->stop && w->cfg->stop())
        err = err_set(e, ERR_INTERRUPTED,
            "stopped after %zu of %zu models: nothing was kept; run the same command again",
            w->done, w->all);
    return err;
}

/* Usable columns of one family (`of` = true) or of all others. */
static size_t choose(struct work *w, size_t family, bool of) {
    size_t n = 0;
    for (size_t i = 0; i < w->r->usable; i++)
        if ((w->in->family_of[w->usable[i]] == family) == of) w->chosen[n++] = w->usable[i];
    return n;
}

static enum ablate_verdict verdict_of(const struct trial_gain *ic, double least) {
    if (ic->value >= least && ic->lo > 0) return ABLATE_KEEP;
    return ic->hi < least ? ABLATE_DROP : ABLATE_OPEN;
}

static err_t family(struct work *w, size_t at, struct err_info *e) {
    struct ablate_family *f = &w->r->family[at];
    struct trial without = {0}, alone = {0};
    size_t repeats = (size_t)w->cfg->study.bootstrap;
    for (size_t j = 0; j < w->in->m->columns; j++) f->columns += w->in->family_of[j] == at;
    f->usable = choose(w, at, true);
    f->verdict = ABLATE_NONE;
    if (f->usable == 0) {
        w->done += 2;
        return ERR_OK;
    }
    err_t err = walk(w, f->usable, NULL, &alone, e);
    if (!err) err = walk(w, choose(w, at, false), NULL, &without, e);
    if (!err) {
        (void)trial_metrics(&alone, repeats, w->span, dice_next(&w->dice), f->alone);
        f->drop = trial_compare(&w->full, &without, repeats, w->r->block, dice_next(&w->dice));
        f->lift = trial_compare(&alone, &w->none, repeats, w->r->block, dice_next(&w->dice));
        f->verdict = verdict_of(&f->drop.ic, w->cfg->least_ic);
        note_gain(w, &alone);
        w->tried_family[w->tried++] = at;
    }
    trial_free(&without);
    trial_free(&alone);
    return err;
}

/* Trained without the extreme rows, tested on all. */
static err_t calm(struct work *w, struct err_info *e) {
    struct trial t = {0};
    size_t repeats = (size_t)w->cfg->study.bootstrap;
    if (!w->in->extreme) return ERR_OK;
    for (size_t i = w->in->m->warmup; i < w->in->m->rows; i++)
        w->r->extreme_rows += w->in->extreme[i] != 0;
    memcpy(w->chosen, w->usable, w->r->usable * sizeof *w->chosen);
    err_t err = walk(w, w->r->usable, w->in->extreme, &t, e);
    if (!err) {
        (void)trial_metrics(&t, repeats, w->span, dice_next(&w->dice), w->r->calm);
        w->r->calm_gain = trial_compare(&t, &w->full, repeats, w->r->block, dice_next(&w->dice));
        w->r->has_extreme = true;
    }
    trial_free(&t);
    return err;
}

/* Is the best family alone better than the base rate, the search for it counted? */
static void check_best(struct work *w) {
    size_t n = w->moved, k = w->tried, wide = w->in->families;
    size_t repeats = (size_t)w->cfg->study.bootstrap;
    if (n == 0 || k == 0 || repeats == 0) return;
    double *f = mem_alloc(n * k * sizeof *f);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < k; j++) f[i * k + j] = w->gain[i * wide + j];
    struct reality_check c = reality_check(f, n, k, w->r->block, repeats, dice_next(&w->dice));
    w->r->checked = true;
    w->r->best = w->tried_family[c.best];
    w->r->check = c;
    free(f);
}

static err_t all_columns(struct work *w, struct err_info *e) {
    size_t repeats = (size_t)w->cfg->study.bootstrap;
    memcpy(w->chosen, w->usable, w->r->usable * sizeof *w->chosen);
    err_t err = walk(w, w->r->usable, NULL, &w->full, e);
    if (!err) err = walk(w, 0, NULL, &w->none, e);
    if (err) return err;
    w->r->block = trial_metrics(&w->full, repeats, w->span, dice_next(&w->dice), w->r->full);
    w->gain = mem_alloc((w->full.n * w->in->families + 1) * sizeof *w->gain);
    for (size_t i = 0; i < w->full.n; i++)
        w->r->scored += isfinite(w->full.prediction[i].value) ? 1u : 0u;
    return ERR_OK;
}

err_t ablate_make(const struct ablate_input *in, const struct ablate_config *cfg,
    struct ablate_result *out, struct err_info *e) {
    struct ablate_result r = {.in = *in, .least_ic = cfg->least_ic};
    struct work w = {.in = in, .cfg = cfg, .r = &r, .dice = {cfg->study.seed}};
    CHECK(in->families <= ABLATE_FAMILIES_MAX);
    err_t err = study_plan(in->m, &cfg->study, &w.fold, &r.folds, e);
    if (err) return err;
    w.usable = mem_alloc((in->m->columns + 1) * sizeof *w.usable);
    w.chosen = mem_alloc((in->m->columns + 1) * sizeof *w.chosen);
    r.family = mem_alloc((in->families + 1) * sizeof *r.family);
    r.usable = trial_usable(in->m, &w.fold[0], w.usable);
    w.span = trial_span(in->m);
    w.all = 2 + 2 * in->families + (in->extreme ? 1 : 0);
    err = all_columns(&w, e);
    for (size_t f = 0; f < in->families && !err; f++) err = family(&w, f, e);
    if (!err) check_best(&w);
    if (!err) err = calm(&w, e);
    free(w.gain);
    free(w.fold);
    free(w.usable);
    free(w.chosen);
    trial_free(&w.full);
    trial_free(&w.none);
    if (err)
        ablate_free(&r);
    else
        *out = r;
    return err;
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void put_gain(struct json_out *j, const char *key, const struct trial_gain *g) {
    json_key(j, key);
    json_object(j);
    json_kfigure(j, "value", g->value);
    json_kfigure(j, "lo", g->lo);
    json_kfigure(j, "hi", g->hi);
    json_kfigure(j, "p", g->p);
    json_object_end(j);
}

static void put_metric(struct json_out *j, const char *key, const struct study_metric *m) {
    json_key(j, key);
    json_object(j);
    json_kfigure(j, "value", m->value);
    json_kfigure(j, "lo", m->lo);
    json_kfigure(j, "hi", m->hi);
    json_object_end(j);
}

static void put_model(struct json_out *j, const char *key, const struct study_metric *metric) {
    json_key(j, key);
    json_object(j);
    put_metric(j, "ic", &metric[METRIC_IC]);
    put_metric(j, "auc", &metric[METRIC_AUC]);
    put_metric(j, "log_loss", &metric[METRIC_LOG_LOSS]);
    json_object_end(j);
}

void ablate_json(const struct ablate_result *r, struct json_out *j,
    void (*extra)(void *user, size_t family, struct json_out *j), void *user) {
    json_kint(j, "folds", (int64_t)r->folds);
    json_kint(j, "scored", (int64_t)r->scored);
    json_kint(j, "usable", (int64_t)r->usable);
    json_kfigure(j, "block", r->block);
    json_kfigure(j, "least_ic", r->least_ic);
    put_model(j, "full", r->full);
    json_key(j, "families");
    json_array(j);
    for (size_t f = 0; f < r->in.families; f++) {
        const struct ablate_family *k = &r->family[f];
        json_object(j);
        json_kstr(j, "name", r->in.family[f]);
        json_kint(j, "columns", (int64_t)k->columns);
        json_kint(j, "usable", (int64_t)k->usable);
        json_kstr(j, "verdict", ablate_verdict_name(k->verdict));
        if (k->verdict != ABLATE_NONE) {
            put_gain(j, "drop_ic", &k->drop.ic);
            put_gain(j, "drop_loss", &k->drop.loss);
            put_model(j, "alone", k->alone);
            put_gain(j, "alone_ic", &k->lift.ic);
            put_gain(j, "alone_loss", &k->lift.loss);
        }
        if (extra) extra(user, f, j);
        json_object_end(j);
    }
    json_array_end(j);
    json_key(j, "reality_check");
    json_object(j);
    json_kstr(j, "best", r->checked ? r->in.family[r->best] : "");
    json_kfigure(j, "loss_saved", r->checked ? r->check.mean : NAN);
    json_kfigure(j, "p", r->checked ? r->check.p : NAN);
    json_kfigure(j, "p_alone", r->checked ? r->check.p_naive : NAN);
    json_object_end(j);
    json_key(j, "extreme");
    json_object(j);
    json_kbool(j, "measured", r->has_extreme);
    json_kint(j, "rows", (int64_t)r->extreme_rows);
    if (r->has_extreme) {
        put_model(j, "without", r->calm);
        put_gain(j, "ic_gain", &r->calm_gain.ic);
        put_gain(j, "loss_gain", &r->calm_gain.loss);
    }
    json_object_end(j);
}
