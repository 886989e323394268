/* model_text_fuzz.c: any bytes as a LightGBM text model: refused with a reason, or built, and then
 * every walk ends at a leaf and both forms of the forest agree. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "derive/model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { MEM_MAX = 64 << 20, ROWS = 4 };

static float value(unsigned i, unsigned row) {
    static const float odd[] = {0.0f, -1.5f, 1e-36f, 3e38f, 0.25f, -0.0f, 7.0f};
    return odd[(i * 3 + row * 5) % 7];
}

static void score(const struct model *m) {
    static float row[MODEL_COLUMNS_MAX];
    static double wide[MODEL_COLUMNS_MAX];
    double a[MODEL_CLASSES_MAX], b[MODEL_CLASSES_MAX];
    for (unsigned r = 0; r < ROWS; r++) {
        for (unsigned i = 0; i < model_columns(m); i++) {
            row[i] = i % 5 == r ? __builtin_nanf("") : value(i, r);
            wide[i] = (double)row[i];
        }
        model_score(m, row, a);
        model_score_double(m, wide, b);
        CHECK(memcmp(a, b, model_classes(m) * sizeof a[0]) == 0);
        struct prediction p;
        model_predict(m, NULL, row, &p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    const char *why = NULL, *text = (const char *)bytes;
    size_t need = model_build_lightgbm(NULL, 0, text, n, &why);
    if (need == 0) {
        CHECK(why != NULL);
        return 0;
    }
    if (need > MEM_MAX) return 0;
    void *mem = aligned_alloc(64, need);
    CHECK(mem != NULL);
    if (model_build_lightgbm(mem, need, text, n, &why))
        score(model_view(mem));
    else
        CHECK(why != NULL);
    free(mem);
    return 0;
}
