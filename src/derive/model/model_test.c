#include "derive/model/model.h"

#include <LightGBM/c_api.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../test/shared.h"

enum { SEED = 20240808 };

static uint64_t rng_state;
static double uniform(void) {
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return (double)(rng_state >> 11) * 0x1p-53;
}

static char *slurp(const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *text = malloc(*n + 1);
    assert_int_equal(fread(text, 1, *n, f), *n);
    text[*n] = 0;
    fclose(f);
    return text;
}

static struct model *build(const char *text, size_t n) {
    const char *why = NULL;
    size_t need = model_build_lightgbm(NULL, 0, text, n, &why);
    if (!need) fail_msg("refused: %s", why);
    void *mem = aligned_alloc(64, need);
    assert_int_equal(model_build_lightgbm(mem, need, text, n, &why), need);
    return mem;
}

/* Columns: 0 and 1 plain, 2 with NaN, 3 with many zeros, 4 a step, 5.. noise. */
enum { ROWS = 3000, COLS = 9 };
static void make_data(float *x, float *y, int classes) {
    for (int i = 0; i < ROWS; i++) {
        float *r = x + i * COLS;
        for (int j = 0; j < COLS; j++) r[j] = (float)(uniform() * 2 - 1);
        if (uniform() < 0.2) r[2] = NAN;
        if (uniform() < 0.4) r[3] = 0;
        r[4] = (float)floor(r[4] * 4) / 4;
        double s = r[0] * r[1] + (isnan(r[2]) ? 0.4 : r[2] * 0.5) + (r[3] == 0 ? -0.3 : r[3]) +
                   (double)r[4] * 0.3 + 0.2 * uniform();
        y[i] = classes == 0 ? (float)s : classes == 1 ? s > 0 : s < -0.4 ? 0 : s < 0.4 ? 1 : 2;
    }
}

static BoosterHandle train(const float *x, const float *y, const char *params, int trees) {
    DatasetHandle data;
    BoosterHandle model;
    assert_int_equal(
        LGBM_DatasetCreateFromMat(x, C_API_DTYPE_FLOAT32, ROWS, COLS, 1, params, NULL, &data), 0);
    assert_int_equal(LGBM_DatasetSetField(data, "label", y, ROWS, C_API_DTYPE_FLOAT32), 0);
    assert_int_equal(LGBM_BoosterCreate(data, params, &model), 0);
    int done = 0;
    for (int i = 0; i < trees && !done; i++)
        assert_int_equal(LGBM_BoosterUpdateOneIter(model, &done), 0);
    LGBM_DatasetFree(data);
    return model;
}

static char *model_text(BoosterHandle b, size_t *n) {
    int64_t need;
    assert_int_equal(LGBM_BoosterSaveModelToString(b, 0, -1, 0, 0, &need, NULL), 0);
    char *text = malloc((size_t)need);
    assert_int_equal(LGBM_BoosterSaveModelToString(b, 0, -1, 0, need, &need, text), 0);
    *n = (size_t)need - 1;
    return text;
}

static void hostile_values(float *row) {
    static const float odd[] = {0.0f, -0.0f, 1e-36f, -1e-36f, 1e-35f, 1.1e-35f, NAN, INFINITY,
        -INFINITY, 3e38f, -3e38f, 1e-45f, 0.25f, -0.5f};
    for (int j = 0; j < COLS; j++) {
        double u = uniform();
        row[j] = u < 0.4 ? odd[(size_t)(uniform() * 14)] : (float)(uniform() * 2 - 1);
    }
}

/* Ours against the library in the same run, on rows it never saw. */
static void compare(const char *params, int classes, int trees) {
    rng_state = SEED;
    float *x = malloc(sizeof *x * ROWS * COLS), *y = malloc(sizeof *y * ROWS);
    make_data(x, y, classes);
    BoosterHandle b = train(x, y, params, trees);
    size_t n;
    char *text = model_text(b, &n);
    struct model *m = build(text, n);
    assert_int_equal(model_columns(m), COLS);
    assert_int_equal(model_classes(m), classes > 1 ? classes : 1);
    for (int i = 0; i < 4000; i++) {
        float row[COLS];
        double wide[COLS], theirs[8], ours[8], ours_double[8], p[8];
        int64_t len;
        hostile_values(row);
        for (int j = 0; j < COLS; j++) wide[j] = row[j];
        assert_int_equal(LGBM_BoosterPredictForMatSingleRow(b, row, C_API_DTYPE_FLOAT32, COLS, 1,
                             C_API_PREDICT_RAW_SCORE, 0, -1, "num_threads=1", &len, theirs),
            0);
        model_score(m, row, ours);
        model_score_double(m, wide, ours_double);
        assert_memory_equal(ours, theirs, (size_t)len * sizeof(double));
        assert_memory_equal(ours_double, theirs, (size_t)len * sizeof(double));
        assert_int_equal(LGBM_BoosterPredictForMatSingleRow(b, row, C_API_DTYPE_FLOAT32, COLS, 1,
                             C_API_PREDICT_NORMAL, 0, -1, "num_threads=1", &len, theirs),
            0);
        model_probability(m, ours, p);
        for (int64_t k = 0; k < len; k++) assert_true(fabs(p[k] - theirs[k]) <= 1e-14);
    }
    free(m);
    free(text);
    LGBM_BoosterFree(b);
    free(x);
    free(y);
}

#define BASE                                                                                       \
    "num_leaves=31 min_data_in_leaf=5 num_threads=1 deterministic=true force_row_wise=true "       \
    "seed=1 verbosity=-1 "

static void binary_scores_equal_the_library_to_the_last_bit(void **state) {
    (void)state;
    printf("seed %d\n", SEED);
    compare(BASE "objective=binary sigmoid=0.7", 1, 60);
}
static void three_class_scores_equal_the_library_to_the_last_bit(void **state) {
    (void)state;
    compare(BASE "objective=multiclass num_class=3", 3, 20);
}
static void regression_scores_equal_the_library_to_the_last_bit(void **state) {
    (void)state;
    compare(BASE "objective=regression", 0, 40);
}
static void zero_as_missing_scores_equal_the_library_to_the_last_bit(void **state) {
    (void)state;
    compare(BASE "objective=binary zero_as_missing=true", 1, 40);
}
static void scores_without_missing_handling_equal_the_library_to_the_last_bit(void **state) {
    (void)state;
    compare(BASE "objective=binary use_missing=false", 1, 40);
}
static void more_trees_than_a_chunk_and_a_ragged_last_group_equal_the_library(void **state) {
    (void)state;
    compare("num_leaves=4 min_data_in_leaf=5 num_threads=1 deterministic=true force_row_wise=true "
            "seed=1 verbosity=-1 objective=binary",
        1, 1037);
}

static size_t read_table(const char *path, size_t columns, double *out, size_t rows) {
    size_t n;
    char *text = slurp(path, &n), *p = text;
    size_t i = 0;
    while (i < rows * columns) {
        char *end;
        double v = strtod(p, &end);
        if (end == p) break;
        out[i++] = v;
        p = end;
    }
    free(text);
    return i / columns;
}

static void the_recorded_model_gives_the_recorded_scores_probabilities_and_leaves(void **state) {
    (void)state;
    SHARED_OR_SKIP("oracles/lightgbm/model.txt", model_path);
    SHARED_OR_SKIP("oracles/lightgbm/binary.test", test_path);
    SHARED_OR_SKIP("oracles/lightgbm/raw.txt", raw_path);
    SHARED_OR_SKIP("oracles/lightgbm/pred.txt", pred_path);
    SHARED_OR_SKIP("oracles/lightgbm/leaf.txt", leaf_path);
    size_t n;
    char *text = slurp(model_path, &n);
    struct model *m = build(text, n);
    assert_int_equal(model_trees(m), 100);
    static double rows[500 * 29], raw[500], pred[500], leaf[500 * 100];
    assert_int_equal(read_table(test_path, 29, rows, 500), 500);
    assert_int_equal(read_table(raw_path, 1, raw, 500), 500);
    assert_int_equal(read_table(pred_path, 1, pred, 500), 500);
    assert_int_equal(read_table(leaf_path, 100, leaf, 500), 500);
    for (size_t i = 0; i < 500; i++) {
        double score, p;
        int32_t ours[100];
        model_score_double(m, rows + i * 29 + 1, &score);
        model_probability(m, &score, &p);
        model_leaves(m, rows + i * 29 + 1, ours);
        assert_true(fabs(score - raw[i]) <= 1e-12);
        assert_true(fabs(p - pred[i]) <= 1e-12);
        for (int t = 0; t < 100; t++) assert_int_equal(ours[t], (int)leaf[i * 100 + (size_t)t]);
    }
    free(m);
    free(text);
}

/* A tree of three leaves as text; `left` and `right` are the lines under test. */
static size_t small_model(char *out, size_t size, const char *objective, const char *features,
    const char *thresholds, const char *left, const char *right, const char *values) {
    return (size_t)snprintf(out, size,
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\n"
        "objective=%s\nTree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=%s\nthreshold=%s\n"
        "decision_type=2 2\nleft_child=%s\nright_child=%s\nleaf_value=%s\nis_linear=0\n\n"
        "end of trees\n",
        objective, features, thresholds, left, right, values);
}

static const char *refusal(const char *text, size_t n) {
    const char *why = NULL;
    static _Alignas(64) char mem[65536];
    if (model_build_lightgbm(mem, sizeof mem, text, n, &why)) return NULL;
    assert_non_null(why);
    return why;
}

static void hostile_texts_are_refused_with_a_reason(void **state) {
    (void)state;
    static const struct {
        const char *objective, *features, *thresholds, *left, *right, *values, *says;
    } cases[] = {
        {"binary sigmoid:1", "0 1", "0.5 0.5", "1 -1", "-2 -3", "1 2 3", NULL},
        {"binary sigmoid:1", "0 1", "0.5 0.5", "1 1", "-2 -3", "1 2 3", "cycle"},
        {"binary sigmoid:1", "0 1", "0.5 0.5", "-1 1", "-2 -3", "1 2 3", "no path"},
        {"binary sigmoid:1", "0 1", "0.5 0.5", "0 -1", "-2 -3", "1 2 3", "cycle"},
        {"binary sigmoid:1", "0 1", "0.5 0.5", "2 -1", "-2 -3", "1 2 3", "out of range"},
        {"binary sigmoid:1", "0 1", "0.5 0.5", "1 -1", "-2 -4", "1 2 3", "out of range"},
        {"binary sigmoid:1", "0 2", "0.5 0.5", "1 -1", "-2 -3", "1 2 3", "no column"},
        {"binary sigmoid:1", "0 1", "0.5 inf", "1 -1", "-2 -3", "1 2 3", NULL},
        {"binary sigmoid:1", "0 1", "0.5 0x1", "1 -1", "-2 -3", "1 2 3", "wrong"},
        {"binary sigmoid:1", "0 1", "0.5 nan", "1 -1", "-2 -3", "1 2 3", "wrong"},
        {"binary sigmoid:1", "0 1", "0.5", "1 -1", "-2 -3", "1 2 3", "missing"},
        {"binary sigmoid:1", "0 1", "0.5 0.5", "1 -1", "-2 -3", "1 2", "missing"},
        {"binary sigmoid:1", "0 1", "0.5 0.5", "1 -1", "-2 -3", "1 2 3 4", "too many"},
        {"binary sigmoid:1", "0 1 1", "0.5 0.5", "1 -1", "-2 -3", "1 2 3", "too many"},
        {"binary sigmoid:0", "0 1", "0.5 0.5", "1 -1", "-2 -3", "1 2 3", "sigmoid"},
        {"poisson", "0 1", "0.5 0.5", "1 -1", "-2 -3", "1 2 3", "objective"},
        {"multiclass num_class:3", "0 1", "0.5 0.5", "1 -1", "-2 -3", "1 2 3", "agree"},
        {"regression sqrt", "0 1", "0.5 0.5", "1 -1", "-2 -3", "1 2 3", "option"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        size_t n = small_model(text, sizeof text, cases[i].objective, cases[i].features,
            cases[i].thresholds, cases[i].left, cases[i].right, cases[i].values);
        const char *why = refusal(text, n);
        if (!cases[i].says)
            assert_null(why);
        else if (!why || !strstr(why, cases[i].says))
            fail_msg("case %zu: %s", i, why);
    }
}

static void an_infinite_threshold_sends_every_value_left_and_missing_ones_by_rule(void **state) {
    (void)state;
    static _Alignas(64) char mem[65536];
    char text[1024];
    const char *why;
    size_t n =
        small_model(text, sizeof text, "regression", "0 1", "inf 0.5", "-1 -2", "1 -3", "1 2 3");
    for (char *p = strstr(text, "decision_type=2"); p && p[14] == '2'; p = NULL)
        memcpy(p, "decision_type=8", 15); /* missing: NaN, default right */
    assert_int_not_equal(model_build_lightgbm(mem, sizeof mem, text, n, &why), 0);
    const float rows[4][2] = {{INFINITY, 0}, {-INFINITY, 0}, {3e38f, 0}, {NAN, 1}};
    const double want[4] = {1, 1, 1, 3};
    for (int i = 0; i < 4; i++) {
        double raw, wide[2] = {rows[i][0], rows[i][1]}, raw_wide;
        model_score(model_view(mem), rows[i], &raw);
        model_score_double(model_view(mem), wide, &raw_wide);
        assert_true(raw == want[i] && raw_wide == want[i]);
    }
}

static void every_cut_of_a_model_text_is_refused(void **state) {
    (void)state;
    char text[1024];
    size_t n = small_model(text, sizeof text, "binary", "0 1", "0.5 0.5", "1 -1", "-2 -3", "1 2 3");
    assert_null(refusal(text, n));
    for (size_t cut = 0; cut < n - 1; cut++) assert_non_null(refusal(text, cut));
}

static void flipped_bytes_never_break_the_builder_or_the_walk(void **state) {
    (void)state;
    rng_state = SEED + 1;
    char good[1024], text[1024];
    size_t n = small_model(good, sizeof good, "binary", "0 1", "0.5 0.5", "1 -1", "-2 -3", "1 2 3");
    static _Alignas(64) char mem[1 << 20];
    int kept = 0;
    for (int i = 0; i < 20000; i++) {
        memcpy(text, good, n);
        for (int k = 0; k < 1 + i % 3; k++) {
            text[(size_t)(uniform() * (double)n)] = "0123456789-= \n.e~"[(size_t)(uniform() * 17)];
        }
        const char *why = NULL;
        size_t got = model_build_lightgbm(mem, sizeof mem, text, n, &why);
        if (!got || got > sizeof mem) continue;
        float row[MODEL_COLUMNS_MAX] = {0.3f};
        double raw[MODEL_CLASSES_MAX];
        model_score(model_view(mem), row, raw);
        assert_true(isfinite(raw[0]));
        kept++;
    }
    assert_in_range(kept, 100, 19999);
}

static void a_logistic_score_is_the_written_sum_and_ignores_missing_columns(void **state) {
    (void)state;
    double mean[3] = {1, 2, 3}, scale[3] = {2, 4, 0.5}, w[6] = {1, -2, 0.5, 0, 1, 1};
    double bias[2] = {0.25, -1};
    const char *why;
    size_t need = model_build_logistic(NULL, 0, 3, mean, scale, w, bias, 2, &why);
    void *mem = aligned_alloc(64, need);
    assert_int_equal(model_build_logistic(mem, need, 3, mean, scale, w, bias, 2, &why), need);
    float row[3] = {3, NAN, 4};
    struct prediction p;
    model_predict(model_view(mem), NULL, row, &p);
    assert_int_equal(p.missing, 1);
    assert_true(fabs(p.raw[0] - (0.25 + 1.0 + 1.0)) < 1e-15);
    assert_true(fabs(p.raw[1] - (-1.0 + 0 + 2.0)) < 1e-15);
    assert_true(fabs(p.p[0] + p.p[1] - 1) < 1e-15);
    assert_true(fabs(p.p[0] / p.p[1] - exp(1.25)) < 1e-12);
    scale[1] = 0;
    assert_int_equal(model_build_logistic(mem, need, 3, mean, scale, w, bias, 2, &why), 0);
    assert_non_null(strstr(why, "scale"));
    free(mem);
}

static void calibration_tables_interpolate_and_clip(void **state) {
    (void)state;
    static struct calibration c = {.kind = CALIBRATION_ISOTONIC, .points = 3};
    c.x[0] = 0, c.x[1] = 1, c.x[2] = 3;
    c.y[0] = 0.1, c.y[1] = 0.2, c.y[2] = 0.8;
    assert_true(calibration_apply(&c, -5) == 0.1);
    assert_true(calibration_apply(&c, NAN) == 0.1);
    assert_true(calibration_apply(&c, 1) == 0.2);
    assert_true(fabs(calibration_apply(&c, 2) - 0.5) < 1e-15);
    assert_true(calibration_apply(&c, 3) == 0.8);
    struct calibration platt = {.kind = CALIBRATION_PLATT, .a = -2, .b = 0.5};
    assert_true(fabs(calibration_apply(&platt, 1) - 1 / (1 + exp(-1.5))) < 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_scores_equal_the_library_to_the_last_bit),
        cmocka_unit_test(three_class_scores_equal_the_library_to_the_last_bit),
        cmocka_unit_test(regression_scores_equal_the_library_to_the_last_bit),
        cmocka_unit_test(zero_as_missing_scores_equal_the_library_to_the_last_bit),
        cmocka_unit_test(scores_without_missing_handling_equal_the_library_to_the_last_bit),
        cmocka_unit_test(more_trees_than_a_chunk_and_a_ragged_last_group_equal_the_library),
        cmocka_unit_test(the_recorded_model_gives_the_recorded_scores_probabilities_and_leaves),
        cmocka_unit_test(hostile_texts_are_refused_with_a_reason),
        cmocka_unit_test(an_infinite_threshold_sends_every_value_left_and_missing_ones_by_rule),
        cmocka_unit_test(every_cut_of_a_model_text_is_refused),
        cmocka_unit_test(flipped_bytes_never_break_the_builder_or_the_walk),
        cmocka_unit_test(a_logistic_score_is_the_written_sum_and_ignores_missing_columns),
        cmocka_unit_test(calibration_tables_interpolate_and_clip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
