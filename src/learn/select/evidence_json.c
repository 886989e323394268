#include <math.h>

#include "learn/select/evidence.h"

static void put_metrics(struct json_out *j, const char *key, const struct study_metric *metric) {
    static const int wanted[] = {METRIC_IC, METRIC_RANK_IC, METRIC_AUC, METRIC_LOG_LOSS};
    json_key(j, key);
    json_array(j);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const struct study_metric *m = &metric[wanted[i]];
        json_object(j);
        json_kstr(j, "id", m->name);
        json_kstr(j, "name", study_metric_title((enum study_metric_id)wanted[i]));
        json_kfigure(j, "value", m->value);
        json_kfigure(j, "lo", m->lo);
        json_kfigure(j, "hi", m->hi);
        json_kfigure(j, "p", m->p);
        json_kfigure(j, "floor", m->floor);
        json_object_end(j);
    }
    json_array_end(j);
}

static void put_gain(struct json_out *j, const char *key, const struct trial_gain *g) {
    json_key(j, key);
    json_object(j);
    json_kfigure(j, "value", g->value);
    json_kfigure(j, "lo", g->lo);
    json_kfigure(j, "hi", g->hi);
    json_kfigure(j, "p", g->p);
    json_object_end(j);
}

static void put_figures(struct json_out *j, const char *key, const double *v, size_t n) {
    json_key(j, key);
    json_array(j);
    for (size_t i = 0; i < n; i++) json_figure(j, v[i]);
    json_array_end(j);
}

static void put_folds(struct json_out *j, const struct evidence *v) {
    json_key(j, "folds");
    json_array(j);
    for (size_t f = 0; f < v->folds; f++) {
        const struct evidence_fold *k = &v->fold[f];
        json_object(j);
        json_kdouble(j, "test_from_s", (double)k->test_from_ns / 1e9);
        json_kdouble(j, "test_to_s", (double)k->test_to_ns / 1e9);
        json_kint(j, "train_rows", (int64_t)(k->rows.train_to - k->rows.train_from));
        json_kint(j, "test_rows", (int64_t)(k->rows.test_to - k->rows.test_from));
        json_kfigure(j, "ic", k->ic);
        json_kfigure(j, "full_ic", k->full_ic);
        json_key(j, "kept");
        json_array(j);
        for (size_t i = 0; i < k->kept; i++) json_str(j, v->m->names[k->keep[i]]);
        json_array_end(j);
        json_object_end(j);
    }
    json_array_end(j);
}

static void put_columns(struct json_out *j, const struct evidence *v) {
    const struct select_result *r = &v->final;
    json_key(j, "columns");
    json_array(j);
    for (size_t i = 0; i < r->columns; i++) {
        const struct select_column *c = &r->column[i];
        json_object(j);
        json_kstr(j, "name", v->m->names[i]);
        json_kstr(j, "fate", select_fate_name[c->fate]);
        if (c->medoid != UINT32_MAX) json_kstr(j, "medoid", v->m->names[c->medoid]);
        json_kfigure(j, "missing", c->missing);
        json_kfigure(j, "psi", c->psi);
        json_kfigure(j, "ks_p", c->ks_p);
        if (c->medoid == i) {
            json_kfigure(j, "support", c->support);
            json_kfigure(j, "link", c->link);
            json_kfigure(j, "lasso", c->lasso);
            json_kfigure(j, "forest", c->forest);
            json_kfigure(j, "ic", c->ic);
            json_kfigure(j, "gain", c->gain);
            json_kfigure(j, "shap", c->shap);
            json_kfigure(j, "permutation", c->permutation);
        }
        json_object_end(j);
    }
    json_array_end(j);
}

void evidence_json(const struct evidence *v, struct json_out *j) {
    json_key(j, "evidence");
    json_object(j);
    json_kint(j, "scored", (int64_t)v->scored);
    json_kint(j, "full_columns", (int64_t)v->usable);
    json_kfigure(j, "block", v->block);
    put_metrics(j, "selected", v->selected);
    put_metrics(j, "full", v->full);
    put_gain(j, "ic_gain", &v->gain.ic);
    put_gain(j, "loss_gain", &v->gain.loss);
    put_figures(j, "random_ic", v->random_ic, v->random);
    put_figures(j, "random_loss", v->random_loss, v->random);
    json_kfigure(j, "random_beaten", v->random_beaten);
    json_kfigure(j, "overlap", v->jaccard);
    json_object_end(j);
    put_folds(j, v);
    json_kint(j, "inner_folds", (int64_t)v->final.folds);
    json_kint(j, "medoids", (int64_t)v->final.medoids);
    put_columns(j, v);
}
