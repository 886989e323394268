/* ablate_test.c: the family that carries the signal is kept, noise is dropped, one without values
 * is not judged; rows that mislead cost, and training without them pays. */
#include "learn/select/ablate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/unit.h"

enum { SEED = 6022, ROWS = 3000, SIGNAL = 0, NOISE = 4, EMPTY = 8, COLUMNS = 10 };
enum { WILD_LEAST = 100, WILD_MOST = 500 }; /* rows in which the link is turned round */

static const char *const families[] = {"signal", "noise", "empty"};
static const char *const names[COLUMNS] = {
    "a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3", "c0", "c1"};

struct world {
    float *x;
    struct label_bar *bar;
    struct label *label;
    uint8_t *wild, family[COLUMNS];
    struct matrix m;
};

static struct world world_new(bool wild) {
    struct world w = {.x = calloc((size_t)ROWS * COLUMNS, sizeof(float)),
        .bar = calloc(ROWS, sizeof *w.bar),
        .label = calloc(ROWS, sizeof *w.label),
        .wild = calloc(ROWS, 1)};
    struct rng r;
    double px = 100, lead = 0;
    assert_true(w.x && w.bar && w.label && w.wild);
    rng_init(&r, SEED, 1);
    for (size_t i = 0; i < ROWS; i++) {
        px *= exp(1e-4 * (0.25 * lead + sqrt(1 - 0.25 * 0.25) * rng_normal(&r)));
        for (size_t j = 0; j < EMPTY; j++) w.x[i * COLUMNS + j] = (float)rng_normal(&r);
        for (size_t j = EMPTY; j < COLUMNS; j++) w.x[i * COLUMNS + j] = NAN;
        w.wild[i] = wild && i >= WILD_LEAST && i < WILD_MOST;
        lead = (double)w.x[i * COLUMNS + SIGNAL + 1] * (w.wild[i] ? -4 : 1);
        int64_t ns = (int64_t)(i + 1) * NS_PER_S;
        w.bar[i] = (struct label_bar){(int64_t)i, ns - NS_PER_S, ns, px, NAN, NAN, 0};
    }
    for (size_t j = 0; j < COLUMNS; j++) w.family[j] = j < NOISE ? 0 : j < EMPTY ? 1 : 2;
    struct label_spec spec = {.kind = LABEL_NEXT, .buckets = 1};
    label_make(&spec, w.bar, ROWS, w.label);
    w.m = (struct matrix){ROWS, COLUMNS, w.x, w.bar, w.label, names, "test", 1, 0, spec};
    return w;
}

static void world_free(struct world *w) {
    free(w->x);
    free(w->bar);
    free(w->label);
    free(w->wild);
}

static struct ablate_result run(const struct world *w, bool mask) {
    struct ablate_input in = {&w->m, 3, families, w->family, mask ? w->wild : NULL};
    struct ablate_config cfg = {.study = study_defaults(), .least_ic = 0.005};
    struct ablate_result r;
    struct err_info e;
    cfg.study.folds = 3;
    cfg.study.bootstrap = 200;
    if (ablate_make(&in, &cfg, &r, &e)) fail_msg("%s", e.text);
    return r;
}

static void each_family_gets_the_verdict_it_earns(void **state) {
    (void)state;
    struct world w = world_new(false);
    struct ablate_result r = run(&w, false);
    const struct ablate_family *f = r.family;
    print_message("seed %d: signal adds %.3f [%.3f, %.3f], noise %.4f [%.4f, %.4f]\n", SEED,
        f[0].drop.ic.value, f[0].drop.ic.lo, f[0].drop.ic.hi, f[1].drop.ic.value, f[1].drop.ic.lo,
        f[1].drop.ic.hi);
    assert_int_equal(f[0].verdict, ABLATE_KEEP);
    assert_true(f[0].usable == 4 && f[0].drop.ic.value > 0.1 && f[0].drop.loss.hi < 0);
    assert_true(f[0].lift.ic.lo > 0.1 && fabs(f[0].alone[METRIC_IC].value - 0.25) < 0.08);
    assert_true(f[1].verdict != ABLATE_KEEP && fabs(f[1].drop.ic.value) < 0.03);
    assert_true(f[2].verdict == ABLATE_NONE && f[2].columns == 2 && f[2].usable == 0);
    assert_true(r.usable == 8 && !r.has_extreme && r.extreme_rows == 0);
    assert_true(r.checked && r.best == 0 && r.check.p < 0.02);
    ablate_free(&r);
    world_free(&w);
}

static void training_without_misleading_rows_pays(void **state) {
    (void)state;
    struct world w = world_new(true);
    struct ablate_result r = run(&w, true);
    print_message("IC %.3f, without the wild rows %.3f, gain %.3f [%.3f, %.3f]\n",
        r.full[METRIC_IC].value, r.calm[METRIC_IC].value, r.calm_gain.ic.value, r.calm_gain.ic.lo,
        r.calm_gain.ic.hi);
    assert_true(r.has_extreme && r.extreme_rows == WILD_MOST - WILD_LEAST);
    assert_true(r.calm_gain.ic.lo > 0 && r.calm_gain.loss.hi < 0);
    assert_true(
        fabs(r.calm[METRIC_IC].value - r.full[METRIC_IC].value - r.calm_gain.ic.value) < 1e-9);
    ablate_free(&r);
    world_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_family_gets_the_verdict_it_earns),
        cmocka_unit_test(training_without_misleading_rows_pays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
