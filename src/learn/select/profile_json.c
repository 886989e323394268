#include <math.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/mem.h"
#include "learn/select/profile.h"

static void put_figures(struct json_out *j, const char *key, const double *v, size_t n) {
    json_key(j, key);
    json_array(j);
    for (size_t i = 0; i < n; i++) json_figure(j, v[i]);
    json_array_end(j);
}

static void put_ic(struct json_out *j, const struct ic_figures *f) {
    json_object(j);
    json_kfigure(j, "ic", f->ic);
    json_kfigure(j, "lo", f->lo);
    json_kfigure(j, "hi", f->hi);
    json_kfigure(j, "p", f->p);
    json_kfigure(j, "n", f->n);
    json_kfigure(j, "n_effective", f->n_effective);
    json_object_end(j);
}

static void put_shape(struct json_out *j, const struct profile *p, const struct profile_column *c) {
    static const char *const path[] = {"path_least", "path_mean", "path_largest"};
    json_kfigure(j, "mean", c->mean);
    json_kfigure(j, "sd", c->sd);
    json_kfigure(j, "skew", c->skew);
    json_kfigure(j, "kurtosis", c->kurtosis);
    put_figures(j, "quantiles", c->quantile, PROFILE_QUANTILES);
    json_kfigure(j, "bin_from", c->bin_from);
    json_kfigure(j, "bin_width", c->bin_width);
    put_figures(j, "bins", c->bin, PROFILE_BINS);
    for (size_t k = 0; k < 3; k++) put_figures(j, path[k], c->segment[k], p->segments);
}

static void put_signal(
    struct json_out *j, const struct profile *p, const struct profile_column *c) {
    put_figures(j, "autocorrelation", c->autocorrelation, PROFILE_LAGS);
    json_kfigure(j, "effective", c->effective);
    json_kfigure(j, "psi", c->psi);
    json_kfigure(j, "ks", c->ks);
    json_kfigure(j, "ks_p", c->ks_p);
    json_kint(j, "days", (int64_t)c->days);
    json_kfigure(j, "psi_day", c->psi_day);
    json_key(j, "ic");
    json_array(j);
    for (size_t h = 0; h < p->cfg.horizons; h++) put_ic(j, &c->ic[h]);
    json_array_end(j);
    json_kfigure(j, "rank_ic", c->rank_ic);
    put_figures(j, "part_ic", c->part_ic, PROFILE_PARTS);
    json_kfigure(j, "ic_ir", c->ic_ir);
    json_kfigure(j, "same_sign", c->same_sign);
    json_kfigure(j, "fdr", c->fdr);
    json_kfigure(j, "bonferroni", c->bonferroni);
    json_kint(j, "cluster", c->cluster);
}

static void put_column(struct json_out *j, const struct profile *p, size_t at) {
    const struct profile_column *c = &p->column[at];
    const struct feature_family *family = NULL;
    long row = feature_find(p->m->names[at]);
    const struct feature_def *d = row < 0 ? NULL : feature_get((size_t)row, &family);
    json_object(j);
    json_kstr(j, "name", p->m->names[at]);
    json_kstr(j, "family", family ? family->name : "");
    json_kstr(j, "unit", d ? d->unit : "");
    json_kstr(j, "about", d ? d->about : "");
    json_kint(j, "values", (int64_t)c->values);
    json_kfigure(j, "missing", c->missing);
    if (c->values > 0) put_shape(j, p, c);
    if (c->cluster != UINT32_MAX) put_signal(j, p, c);
    json_object_end(j);
}

static void put_tests(struct json_out *j, const struct profile *p) {
    json_key(j, "tests");
    json_object(j);
    json_kint(j, "tested", (int64_t)p->tested);
    json_kint(j, "outside", (int64_t)p->outside);
    json_kint(j, "by_chance", (int64_t)p->by_chance);
    json_kfigure(j, "rate", p->cfg.rate);
    json_kint(j, "discoveries", (int64_t)p->discoveries);
    json_kint(j, "bonferroni", (int64_t)p->strict);
    json_kfigure(j, "effective_median", p->effective_median);
    json_object_end(j);
}

/* The correlation map in the order of the tree, one byte a pair. */
static void put_map(struct json_out *j, const struct profile *p) {
    size_t n = p->live;
    signed char *r = mem_alloc(n * n + 1);
    char *text = mem_alloc(base64_size(n * n) + 1);
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
            double v = (double)p->correlation[p->tree.order[a] * n + p->tree.order[b]];
            r[a * n + b] = (signed char)floor(100 * v + 0.5);
        }
    }
    base64_encode(r, n * n, text);
    json_key(j, "map");
    json_object(j);
    json_kfigure(j, "same", p->cfg.same);
    json_kint(j, "clusters", (int64_t)p->tree.clusters);
    json_key(j, "order");
    json_array(j);
    for (size_t a = 0; a < n; a++) json_int(j, p->live_column[p->tree.order[a]]);
    json_array_end(j);
    json_kstr(j, "correlation", text);
    json_object_end(j);
    free(r);
    free(text);
}

void profile_json(const struct profile *p, struct json_out *j) {
    json_key(j, "horizons");
    json_array(j);
    for (size_t h = 0; h < p->cfg.horizons; h++) json_int(j, (int64_t)p->cfg.horizon[h]);
    json_array_end(j);
    put_figures(j, "blocks", p->block, p->cfg.horizons);
    json_kint(j, "bootstrap", (int64_t)p->cfg.repeats);
    json_key(j, "seed");
    json_uint(j, p->cfg.seed);
    put_tests(j, p);
    json_key(j, "path_s");
    json_array(j);
    for (size_t k = 0; k < p->segments; k++) json_double(j, p->segment_s[k]);
    json_array_end(j);
    json_key(j, "columns");
    json_array(j);
    for (size_t i = 0; i < p->columns; i++) put_column(j, p, i);
    json_array_end(j);
    put_map(j, p);
}
