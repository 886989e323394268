/* profile_test.c: what a page says of planted columns is what was planted. */
#include "learn/select/profile.h"

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

enum { SEED = 1729, ROWS = 3000, NOISE = 30 };
enum { LEADS = NOISE, TURNS, SHIFTS, FLAT, EMPTY, COLUMNS };

static float *x;
static struct label_bar *bar;
static const char *names[COLUMNS];

/* NOISE columns with memory; one that leads the next return, one that leads it in the
 * first half and against it in the second, one that shifts, a constant, an empty one. */
static struct matrix world(void) {
    struct rng r;
    double v[NOISE] = {0}, px = 100, lead = 0, turn = 0;
    rng_init(&r, SEED, 1);
    x = calloc((size_t)ROWS * COLUMNS, sizeof *x);
    bar = calloc(ROWS, sizeof *bar);
    assert_true(x && bar);
    for (size_t i = 0; i < ROWS; i++) {
        float *row = x + i * COLUMNS;
        px *= exp(1e-4 * (0.3 * lead + 0.3 * turn + sqrt(0.82) * rng_normal(&r)));
        int64_t ns = (int64_t)(i + 1) * 60 * NS_PER_S; /* 50 hours: three UTC days */
        bar[i] = (struct label_bar){(int64_t)i, ns - 60 * NS_PER_S, ns, px, NAN, NAN, 0};
        for (size_t j = 0; j < NOISE; j++) {
            v[j] = 0.5 * v[j] + rng_normal(&r);
            row[j] = (float)v[j];
        }
        lead = rng_normal(&r);
        turn = rng_normal(&r);
        row[LEADS] = (float)lead;
        row[TURNS] = (float)(i < ROWS / 2 ? turn : -turn);
        row[SHIFTS] = (float)(rng_normal(&r) + (i < ROWS / 2 ? 0 : 1));
        row[FLAT] = 5;
        row[EMPTY] = NAN;
    }
    for (size_t j = 0; j < COLUMNS; j++) names[j] = "none";
    return (struct matrix){.rows = ROWS, .columns = COLUMNS, .x = x, .bar = bar, .names = names};
}

static void a_page_says_what_was_planted(void **state) {
    (void)state;
    struct matrix m = world();
    struct profile_config cfg = profile_defaults();
    struct profile p;
    struct err_info e;
    cfg.repeats = 100;
    assert_int_equal(profile_make(&m, &cfg, &p, &e), ERR_OK);
    const struct profile_column *lead = &p.column[LEADS], *turn = &p.column[TURNS];
    print_message("seed %d: IC %.3f, IR %.2f; turning %.3f, IR %.2f\n", SEED, lead->ic[0].ic,
        lead->ic_ir, turn->ic[0].ic, turn->ic_ir);
    assert_true(fabs(lead->ic[0].ic - 0.3) < 0.05 && lead->fdr < 0.001 && lead->same_sign == 1);
    assert_true(lead->ic[0].lo > 0.2 && lead->ic[0].hi < 0.4 && lead->ic_ir > 3);
    assert_true(fabs(lead->ic[1].ic) < lead->ic[0].ic); /* five rows ahead hold more noise */
    assert_true(fabs(turn->ic[0].ic) < 0.06 && fabs(turn->ic_ir) < 1 && turn->same_sign < 0.9);
    assert_true(fabs(turn->part_ic[0] - 0.3) < 0.12 && fabs(turn->part_ic[7] + 0.3) < 0.12);
    const struct profile_column *shift = &p.column[SHIFTS];
    assert_true(shift->psi > 0.25 && shift->ks_p < 0.001 && shift->days == 3);
    assert_true(shift->psi_day > 0.25 && p.column[0].psi < 0.1 && p.column[0].ks_p > 0.01);
    assert_true(fabs(p.column[0].autocorrelation[0] - 0.5) < 0.08);
    assert_true(fabs(p.column[0].effective - ROWS / 3.0) < ROWS / 8.0);
    assert_true(p.column[FLAT].cluster == UINT32_MAX && isnan(p.column[FLAT].ic[0].ic));
    assert_true(p.column[EMPTY].values == 0 && p.column[EMPTY].missing == 1);
    assert_int_equal(p.live, NOISE + 3);
    assert_int_equal(p.tested, NOISE + 3);
    assert_true(p.outside <= 6 && p.strict == 1);
    double in_bins = 0;
    for (size_t k = 0; k < PROFILE_BINS; k++) in_bins += p.column[0].bin[k];
    assert_true(in_bins == ROWS);
    profile_free(&p);
    m.rows = 20;
    assert_int_equal(profile_make(&m, &cfg, &p, &e), ERR_INPUT);
    free(x);
    free(bar);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_says_what_was_planted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
