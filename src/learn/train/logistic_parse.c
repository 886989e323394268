#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "learn/train/train_internal.h"

static bool count(const cJSON *doc, const char *key, double hi, size_t *out) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(doc, key);
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 1 && v->valuedouble <= hi)) return false;
    *out = (size_t)v->valuedouble;
    return (double)*out == v->valuedouble;
}

/* Exactly n finite numbers. */
static double *numbers(const cJSON *doc, const char *key, size_t n) {
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(doc, key), *v;
    if (!cJSON_IsArray(a)) return NULL;
    double *out = calloc(n, sizeof *out);
    CHECK(out != NULL);
    size_t i = 0;
    cJSON_ArrayForEach(v, a) {
        if (i == n || !cJSON_IsNumber(v) || !isfinite(v->valuedouble)) {
            free(out);
            return NULL;
        }
        out[i++] = v->valuedouble;
    }
    if (i == n) return out;
    free(out);
    return NULL;
}

static bool parse(const cJSON *doc, struct logistic *l) {
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(doc, "format");
    if (!cJSON_IsString(format) || strcmp(format->valuestring, "fathom-logistic-1") != 0)
        return false;
    if (!count(doc, "columns", MODEL_COLUMNS_MAX, &l->columns)) return false;
    if (!count(doc, "classes", MODEL_CLASSES_MAX, &l->classes)) return false;
    l->mean = numbers(doc, "mean", l->columns);
    l->scale = numbers(doc, "scale", l->columns);
    l->weights = numbers(doc, "weights", l->columns * l->classes);
    l->bias = numbers(doc, "bias", l->classes);
    return l->mean && l->scale && l->weights && l->bias;
}

err_t logistic_parse(const char *text, size_t n, struct logistic *out, struct err_info *e) {
    struct logistic l = {0};
    cJSON *doc = cJSON_ParseWithLength(text, n);
    bool ok = doc && parse(doc, &l);
    cJSON_Delete(doc);
    if (ok) {
        *out = l;
        return ERR_OK;
    }
    logistic_free(&l);
    return err_set(e, ERR_INPUT,
        "logistic.json is damaged: format, columns, classes, mean, scale, weights and bias must "
        "agree in size; train the model again");
}
