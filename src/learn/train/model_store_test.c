#include "learn/train/model_store.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

enum { N = 600, K = 4, SEED = 31 };
static float x[N * K];
static double y[N];
static const char *const names[K] = {"book_spread_bps", "ofi_1s", "ret_5s", "odd \"name\""};
static char folder[256];

static uint64_t rng_state = SEED;
static double uniform(void) {
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return (double)(rng_state >> 11) * 0x1p-53;
}

static void path_of(char *out, size_t size, const char *name) {
    snprintf(out, size, "%s/%s", folder, name);
}

static void make(enum model_kind kind, enum model_output output, enum calibration_kind cal,
    struct trained *t, struct store_info *info) {
    struct err_info e;
    struct train_params p = train_defaults();
    p.kind = kind, p.output = output, p.calibration = cal, p.trees = 5, p.min_leaf = 20;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < K; j++) x[i * K + j] = (float)uniform();
        double s = (double)x[i * K] + 0.4 * uniform();
        y[i] = output == OUTPUT_BINARY ? s > 0.7 : s < 0.5 ? 0 : s < 0.9 ? 1 : 2;
    }
    struct train_data d = {N, K, x, y, NULL, NULL};
    assert_int_equal(train_model(&p, &d, t, &e), ERR_OK);
    assert_int_equal(train_calibrate(t, &d, &e), ERR_OK);
    *info = (struct store_info){.signature = 0xfeedfacecafebeefu,
        .columns = K,
        .names = names,
        .data_hash = 42,
        .threshold = 1.5e-5,
        .move_bps = 2.25,
        .train_from_ns = 1723075200123456789,
        .train_to_ns = 1723075800123456789,
        .train_rows = N,
        .metrics = 1,
        .metric = {{"ic", 0.123}}};
    snprintf(info->set, sizeof info->set, "core");
    snprintf(info->label, sizeof info->label, "next=1,adaptive");
    snprintf(info->bucket, sizeof info->bucket, "time=1");
}

static void round_trip(enum model_kind kind, enum model_output output, enum calibration_kind cal) {
    struct trained t;
    struct store_info info;
    struct err_info e;
    struct stored_model s;
    make(kind, output, cal, &t, &info);
    if (model_store_save(folder, &t, &info, true, &e)) fail_msg("%s", e.text);
    if (model_store_load(folder, info.signature, &s, &e)) fail_msg("%s", e.text);
    for (size_t i = 0; i < N; i++) {
        struct prediction a, b;
        model_predict(t.model, trained_calibration(&t), x + i * K, &a);
        model_predict(s.t.model, trained_calibration(&s.t), x + i * K, &b);
        assert_memory_equal(a.p, b.p, a.classes * sizeof a.p[0]);
        assert_memory_equal(a.raw, b.raw, a.classes * sizeof a.raw[0]);
    }
    assert_string_equal(s.info.set, "core");
    assert_string_equal(s.info.names[3], names[3]);
    assert_string_equal(s.info.version, FATHOM_VERSION);
    assert_true(s.info.train_from_ns == info.train_from_ns);
    assert_true(s.info.threshold == info.threshold && s.info.move_bps == info.move_bps);
    assert_true(s.info.metrics == 1 && s.info.metric[0].value == 0.123);
    assert_int_equal(s.t.params.trees, t.params.trees * (kind == MODEL_TREES));
    stored_model_free(&s);
    trained_free(&t);
}

static void a_saved_model_scores_and_calibrates_to_the_same_bits(void **state) {
    (void)state;
    for (int cal = 0; cal < 3; cal++) {
        for (int output = OUTPUT_BINARY; output <= OUTPUT_CLASSES; output++) {
            round_trip(MODEL_TREES, (enum model_output)output, (enum calibration_kind)cal);
            round_trip(MODEL_LOGISTIC, (enum model_output)output, (enum calibration_kind)cal);
        }
    }
}

static void another_feature_signature_is_refused(void **state) {
    (void)state;
    struct err_info e;
    struct stored_model s;
    round_trip(MODEL_TREES, OUTPUT_BINARY, CALIBRATION_PLATT);
    assert_int_equal(model_store_load(folder, 7, &s, &e), ERR_INPUT);
    assert_int_equal(err_exit_code(e.code), 3);
    assert_non_null(strstr(e.text, "signature feedfacecafebeef"));
    assert_non_null(strstr(e.text, "0000000000000007"));
}

static void an_existing_folder_is_kept_unless_forced(void **state) {
    (void)state;
    struct trained t;
    struct store_info info;
    struct err_info e;
    make(MODEL_LOGISTIC, OUTPUT_BINARY, CALIBRATION_NONE, &t, &info);
    assert_int_equal(model_store_save(folder, &t, &info, true, &e), ERR_OK);
    assert_int_equal(model_store_save(folder, &t, &info, false, &e), ERR_USAGE);
    trained_free(&t);
}

static void put(const char *path, const char *bytes, size_t n) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* Every byte of the small model and of its manifest, flipped and cut, one at a time. */
static void every_flipped_or_missing_byte_is_refused(void **state) {
    (void)state;
    struct err_info e;
    struct stored_model s;
    round_trip(MODEL_LOGISTIC, OUTPUT_BINARY, CALIBRATION_PLATT);
    static const char *const files[] = {"manifest.json", "logistic.json"};
    for (int k = 0; k < 2; k++) {
        char path[300], *good;
        size_t n;
        path_of(path, sizeof path, files[k]);
        assert_int_equal(file_read(path, 1 << 20, &good, &n, &e), ERR_OK);
        char *damaged = malloc(n);
        for (size_t i = 0; i < n; i++) {
            memcpy(damaged, good, n);
            damaged[i] ^= (char)(1 << (i % 7));
            put(path, damaged, n);
            if (model_store_load(folder, 0, &s, &e) != ERR_INPUT)
                fail_msg("%s: flipped byte %zu accepted", files[k], i);
            if (i % 5 == 0) {
                put(path, good, i);
                assert_int_equal(model_store_load(folder, 0, &s, &e), ERR_INPUT);
            }
        }
        assert_int_equal(unlink(path), 0);
        assert_int_equal(model_store_load(folder, 0, &s, &e), ERR_INPUT);
        assert_non_null(strstr(e.text, "missing"));
        put(path, good, n);
        assert_int_equal(model_store_load(folder, 0, &s, &e), ERR_OK);
        stored_model_free(&s);
        free(good);
        free(damaged);
    }
}

static int in_a_folder(void **state) {
    (void)state;
    char base[] = "/tmp/fathom-store-XXXXXX";
    if (!mkdtemp(base)) return -1;
    snprintf(folder, sizeof folder, "%s/model", base);
    return 0;
}
static int remove_folder(void **state) {
    (void)state;
    struct err_info e;
    *strrchr(folder, '/') = 0;
    return file_remove_tree(folder, &e) != ERR_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_saved_model_scores_and_calibrates_to_the_same_bits),
        cmocka_unit_test(another_feature_signature_is_refused),
        cmocka_unit_test(an_existing_folder_is_kept_unless_forced),
        cmocka_unit_test(every_flipped_or_missing_byte_is_refused),
    };
    return cmocka_run_group_tests(tests, in_a_folder, remove_folder);
}
