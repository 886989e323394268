/* select_test.c: the planted column is kept, luck is not, and no later row has a say. */
#include "learn/select/select.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/unit.h"
#include "learn/select/evidence.h"

enum {
    SEED = 2718,
    ROWS = 2400,
    COLUMNS = 40,
    PLANTED = 5,
    TWIN = 6,
    DRIFTS = 7,
    RARE = 8,
    FLAT = 9
};

static char text[COLUMNS][16];
static const char *names[COLUMNS];

struct world {
    struct matrix m;
    float *x;
    struct label_bar *bar;
    struct label *label;
};

/* Columns with memory; one that leads the next return with this IC, one that says the same, one
 * that drifts, one that is mostly missing, one constant. */
static struct world world_new(double ic, uint64_t stream) {
    struct world w;
    struct rng r;
    double v[COLUMNS] = {0};
    rng_init(&r, SEED, stream);
    w.x = calloc((size_t)ROWS * COLUMNS, sizeof *w.x);
    w.bar = calloc(ROWS, sizeof *w.bar);
    w.label = calloc(ROWS, sizeof *w.label);
    assert_true(w.x && w.bar && w.label);
    double px = 1000, lead = 0;
    for (size_t i = 0; i < ROWS; i++) {
        px *= exp(1e-4 * (ic * lead + sqrt(1 - ic * ic) * rng_normal(&r)));
        for (size_t j = 0; j < COLUMNS; j++) {
            double rho = 0.3 + 0.6 * (double)j / COLUMNS;
            v[j] = rho * v[j] + sqrt(1 - rho * rho) * rng_normal(&r);
            w.x[i * COLUMNS + j] = (float)v[j];
        }
        lead = v[PLANTED];
        w.x[i * COLUMNS + TWIN] = (float)(-2 * lead + 0.05 * rng_normal(&r));
        w.x[i * COLUMNS + DRIFTS] = (float)(rng_normal(&r) + (i < ROWS / 2 ? 0 : 2));
        if (rng_below(&r, 10) < 7) w.x[i * COLUMNS + RARE] = NAN;
        w.x[i * COLUMNS + FLAT] = 4;
        int64_t ns = (int64_t)(i + 1) * NS_PER_S;
        w.bar[i] = (struct label_bar){(int64_t)i, ns - NS_PER_S, ns, px, NAN, NAN, 0};
    }
    for (size_t j = 0; j < COLUMNS; j++) {
        snprintf(text[j], sizeof text[j], "column_%zu", j);
        names[j] = text[j];
    }
    struct label_spec spec = {.kind = LABEL_NEXT, .buckets = 1};
    label_make(&spec, w.bar, ROWS, w.label);
    w.m = (struct matrix){ROWS, COLUMNS, w.x, w.bar, w.label, names, "test", 1, 0, spec};
    return w;
}

static void world_free(struct world *w) {
    free(w->x);
    free(w->bar);
    free(w->label);
}

static struct select_result run(const struct matrix *m, size_t to) {
    struct select_config cfg = select_defaults();
    struct select_result r;
    struct err_info e;
    cfg.trees = 30;
    if (select_rows(m, 0, to, to < m->rows ? m->bar[to].close_ns : INT64_MAX, &cfg, &r, &e))
        fail_msg("%s", e.text);
    return r;
}

static void the_planted_column_is_kept_and_each_other_goes_for_its_reason(void **state) {
    (void)state;
    for (uint64_t k = 1; k <= 5; k++) {
        struct world w = world_new(0.2, k);
        struct select_result r = run(&w.m, ROWS);
        const struct select_column *c = r.column;
        bool own = c[PLANTED].fate == SELECT_KEPT, twin = c[TWIN].fate == SELECT_KEPT;
        assert_true(own != twin); /* one speaks for both */
        assert_true(c[own ? TWIN : PLANTED].fate == SELECT_SAME);
        assert_int_equal(c[own ? TWIN : PLANTED].medoid, own ? PLANTED : TWIN);
        assert_true(fabs(fabs(c[own ? PLANTED : TWIN].ic) - 0.2) < 0.08);
        assert_true(c[own ? PLANTED : TWIN].support >= 0.6);
        assert_int_equal(c[DRIFTS].fate, SELECT_DRIFT);
        assert_int_equal(c[RARE].fate, SELECT_MISSING);
        assert_int_equal(c[FLAT].fate, SELECT_CONSTANT);
        print_message("seed %d stream %d: %zu kept\n", SEED, (int)k, r.kept);
        assert_true(r.kept <= 2);
        select_free(&r);
        world_free(&w);
    }
}

static void without_a_link_nothing_is_kept(void **state) {
    (void)state;
    size_t kept = 0, worlds = 12;
    for (uint64_t k = 0; k < worlds; k++) {
        struct world w = world_new(0, 100 + k);
        struct select_result r = run(&w.m, ROWS);
        kept += r.kept;
        select_free(&r);
        world_free(&w);
    }
    print_message("seed %d: %zu columns kept in %zu worlds of %d\n", SEED, kept, worlds, COLUMNS);
    assert_true(kept <= 2);
}

/* Everything from row `to` on, and every label known by then, is changed: nothing else may. */
static void no_row_after_the_range_has_a_say(void **state) {
    (void)state;
    enum { TO = 1500 };
    struct world a = world_new(0.2, 1), b = world_new(0.2, 1);
    for (size_t i = TO * COLUMNS; i < (size_t)ROWS * COLUMNS; i++) b.x[i] = -b.x[i] * 7;
    for (size_t i = 0; i < ROWS; i++) {
        if (b.label[i].known_ns < b.bar[TO].close_ns) continue;
        b.label[i].value *= -3;
        b.label[i].move *= -3;
    }
    struct select_result x = run(&a.m, TO), y = run(&b.m, TO);
    assert_true(x.kept > 0 && x.kept == y.kept);
    assert_memory_equal(x.keep, y.keep, x.kept * sizeof *x.keep);
    for (size_t j = 0; j < COLUMNS; j++) {
        assert_int_equal(x.column[j].fate, y.column[j].fate);
        assert_true(x.column[j].ic == y.column[j].ic && x.column[j].shap == y.column[j].shap);
        assert_true(x.column[j].permutation == y.column[j].permutation);
    }
    select_free(&x);
    select_free(&y);
    world_free(&a);
    world_free(&b);
}

static void a_limit_keeps_the_best(void **state) {
    (void)state;
    struct world w = world_new(0.25, 3);
    struct select_config cfg = select_defaults();
    struct select_result r;
    struct err_info e;
    cfg.stability = 0; /* all medoids */
    cfg.most = 3;
    cfg.trees = 30;
    assert_int_equal(select_rows(&w.m, 0, ROWS, INT64_MAX, &cfg, &r, &e), ERR_OK);
    assert_int_equal(r.kept, 3);
    assert_true(r.column[PLANTED].fate == SELECT_KEPT || r.column[TWIN].fate == SELECT_KEPT);
    select_free(&r);
    assert_int_equal(select_rows(&w.m, 0, 150, INT64_MAX, &cfg, &r, &e), ERR_INPUT);
    world_free(&w);
}

/* A fold by itself forecasts what the walk-forward over the same columns does. */
static void a_trial_is_the_study_of_its_columns(void **state) {
    (void)state;
    struct world w = world_new(0.2, 2);
    struct study_config cfg = study_defaults();
    struct study_result r;
    struct trial t = {0};
    struct split_fold *fold = NULL;
    struct err_info e;
    uint32_t all[COLUMNS];
    size_t folds;
    for (uint32_t j = 0; j < COLUMNS; j++) all[j] = j;
    cfg.folds = 3;
    cfg.bootstrap = 0;
    assert_int_equal(study_walk_forward(&w.m, &cfg, &r, &e), ERR_OK);
    assert_int_equal(study_plan(&w.m, &cfg, &fold, &folds, &e), ERR_OK);
    for (size_t f = 0; f < folds; f++)
        assert_int_equal(
            trial_fold(&w.m, &cfg, &fold[f], (int32_t)f, all, COLUMNS, NULL, &t, &e), ERR_OK);
    assert_int_equal(t.n, r.predictions);
    for (size_t i = 0; i < t.n; i++) {
        assert_int_equal(t.prediction[i].row, r.prediction[i].row);
        assert_true(t.prediction[i].score == r.prediction[i].score);
        assert_true(t.prediction[i].fold == r.prediction[i].fold);
    }
    struct trial_difference none = trial_compare(&t, &t, 50, 10, 1);
    assert_true(none.ic.value == 0 && none.ic.lo == 0 && none.loss.hi == 0 && none.ic.p == 1);
    study_free(&r);
    trial_free(&t);
    free(fold);
    world_free(&w);
}

static void the_evidence_is_out_of_sample(void **state) {
    (void)state;
    struct evidence_config cfg = {
        .study = study_defaults(), .select = select_defaults(), .random = 5, .seed = 3};
    struct evidence v;
    struct err_info e;
    cfg.study.folds = 3;
    cfg.study.bootstrap = 100;
    cfg.select.trees = 30;
    struct world w = world_new(0.2, 4);
    if (evidence_make(&w.m, &cfg, &v, &e)) fail_msg("%s", e.text);
    for (size_t f = 0; f < v.folds; f++)
        print_message("fold %zu: %zu kept, IC %.3f, all columns %.3f\n", f + 1, v.fold[f].kept,
            v.fold[f].ic, v.fold[f].full_ic);
    assert_int_equal(v.folds, 3);
    assert_int_equal(v.scored, ROWS / 4 * 3 - 1);
    assert_true(fabs(v.selected[METRIC_IC].value - 0.2) < 0.07);
    assert_true(v.selected[METRIC_IC].lo > 0.1);
    assert_true(v.gain.ic.value > 0 && v.gain.loss.value < 0); /* noise columns cost */
    assert_true(v.random_beaten >= 0.8);
    evidence_free(&v);
    world_free(&w);
    w = world_new(0, 104);
    if (evidence_make(&w.m, &cfg, &v, &e)) fail_msg("%s", e.text);
    double ic = v.selected[METRIC_IC].value;
    assert_true(isnan(ic) || fabs(ic) < 0.08);
    evidence_free(&v);
    world_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_planted_column_is_kept_and_each_other_goes_for_its_reason),
        cmocka_unit_test(without_a_link_nothing_is_kept),
        cmocka_unit_test(no_row_after_the_range_has_a_say),
        cmocka_unit_test(a_limit_keeps_the_best),
        cmocka_unit_test(a_trial_is_the_study_of_its_columns),
        cmocka_unit_test(the_evidence_is_out_of_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
