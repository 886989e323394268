#include "learn/train/model_store.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "learn/train/train_internal.h"

enum { MODEL_FILE_MAX = 1 << 30, MANIFEST_MAX = 16 << 20 };

static const char *const format_name = "fathom-model-1";
static const char *const kind_names[] = {"", "logistic", "lightgbm"};
static const char *const output_names[] = {"value", "binary", "classes"};
static const char *const calibration_names[] = {"none", "platt", "isotonic"};

static const char *model_file(enum model_kind kind) {
    return kind == MODEL_TREES ? "model.txt" : "logistic.json";
}

static void put_hash(struct json_out *j, const char *key, uint64_t h) {
    json_key(j, key);
    json_hash(j, h);
}

static void put_numbers(struct json_out *j, const char *key, const double *v, size_t n) {
    json_key(j, key);
    json_array(j);
    for (size_t i = 0; i < n; i++) json_double(j, v[i]);
    json_array_end(j);
}

static void put_calibration(struct json_out *j, const struct calibration *c) {
    json_object(j);
    json_kstr(j, "kind", calibration_names[c->kind]);
    if (c->kind == CALIBRATION_PLATT) {
        json_kdouble(j, "a", c->a);
        json_kdouble(j, "b", c->b);
    } else if (c->kind == CALIBRATION_ISOTONIC) {
        put_numbers(j, "x", c->x, c->points);
        put_numbers(j, "y", c->y, c->points);
    }
    json_object_end(j);
}

static void put_params(struct json_out *j, const struct train_params *p) {
    json_key(j, "parameters");
    json_object(j);
    if (p->kind == MODEL_LOGISTIC) {
        json_kdouble(j, "l2", p->l2);
    } else {
        json_kint(j, "trees", p->trees);
        json_kint(j, "leaves", p->leaves);
        json_kint(j, "min_leaf", p->min_leaf);
        json_kdouble(j, "rate", p->rate);
        json_kdouble(j, "columns", p->columns_share);
        json_kdouble(j, "rows", p->rows_share);
        json_kdouble(j, "l2", p->forest_l2);
    }
    json_object_end(j);
    json_key(j, "seed");
    json_uint(j, p->seed);
}

static void put_info(struct json_out *j, const struct store_info *info) {
    json_kstr(j, "feature_set", info->set);
    put_hash(j, "signature", info->signature);
    json_key(j, "names");
    json_array(j);
    for (size_t i = 0; i < info->columns; i++) json_str(j, info->names[i]);
    json_array_end(j);
    json_kstr(j, "label", info->label);
    json_kstr(j, "bucket", info->bucket);
    if (*info->others) json_kstr(j, "others", info->others);
    json_kdouble(j, "threshold", info->threshold);
    json_kdouble(j, "move_bps", info->move_bps);
    put_hash(j, "data_hash", info->data_hash);
    json_key(j, "train_rows");
    json_uint(j, info->train_rows);
    json_kint(j, "train_from_ns", info->train_from_ns);
    json_kint(j, "train_to_ns", info->train_to_ns);
    json_key(j, "metrics");
    json_object(j);
    for (size_t i = 0; i < info->metrics; i++)
        json_kdouble(j, info->metric[i].name, info->metric[i].value);
    json_object_end(j);
    json_kstr(j, "parent", info->parent);
}

/* The hash field covers everything else in the manifest, written with it as 0. */
static char *manifest_text(
    const struct trained *t, const struct store_info *info, uint64_t self, size_t *len) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "format", format_name);
    put_hash(&j, "hash", self);
    json_kstr(&j, "version", FATHOM_VERSION);
    json_kstr(&j, "kind", kind_names[t->kind]);
    json_kstr(&j, "output", output_names[t->output]);
    put_info(&j, info);
    put_params(&j, &t->params);
    json_key(&j, "calibration");
    json_array(&j);
    for (uint32_t i = 0; i < t->calibrations; i++) put_calibration(&j, &t->cal[i]);
    json_array_end(&j);
    json_key(&j, "files");
    json_object(&j);
    json_key(&j, model_file(t->kind));
    json_object(&j);
    json_kint(&j, "bytes", (int64_t)t->text_len);
    put_hash(&j, "xxh3", hash64(0, t->text, t->text_len));
    json_object_end(&j);
    json_object_end(&j);
    json_object_end(&j);
    *len = j.len;
    return j.text;
}

err_t model_store_save(const char *dir, const struct trained *t, const struct store_info *info,
    bool force, struct err_info *e) {
    CHECK(t->model != NULL && info->columns == t->columns);
    struct dir_out *d;
    err_t err = dir_out_open(&d, dir, "manifest.json", force, e);
    if (err) return err;
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", dir_out_path(d), model_file(t->kind));
    err = file_write(path, t->text, t->text_len, false, e);
    size_t n;
    char *text = manifest_text(t, info, 0, &n);
    uint64_t self = hash64(0, text, n);
    free(text);
    text = manifest_text(t, info, self, &n);
    snprintf(path, sizeof path, "%s/manifest.json", dir_out_path(d));
    if (!err) err = file_write(path, text, n, false, e);
    free(text);
    if (!err) return dir_out_commit(d, e);
    dir_out_abort(d);
    return err;
}

struct reader {
    const char *path;
    struct err_info *e;
    err_t err;
};

static void bad(struct reader *r, const char *what) {
    if (r->err) return;
    r->err = err_set(r->e, ERR_INPUT,
        "%s: %s; the manifest is damaged or of another version: train the model again", r->path,
        what);
}

static const char *get_text(struct reader *r, const cJSON *o, const char *key) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    if (cJSON_IsString(v)) return v->valuestring;
    bad(r, key);
    return "";
}

static double get_number(struct reader *r, const cJSON *o, const char *key, double lo, double hi) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    if (cJSON_IsNull(v) && lo < 0) return NAN;
    if (cJSON_IsNumber(v) && v->valuedouble >= lo && v->valuedouble <= hi) return v->valuedouble;
    bad(r, key);
    return 0;
}

static uint64_t get_hash(struct reader *r, const cJSON *o, const char *key) {
    const char *s = get_text(r, o, key);
    uint64_t h = 0;
    if (strlen(s) != 16 || strspn(s, "0123456789abcdef") != 16)
        bad(r, key);
    else
        h = strtoull(s, NULL, 16);
    return h;
}

/* Nanoseconds do not fit a double: read from the text itself. */
static int64_t get_time(struct reader *r, const char *text, const char *key) {
    char quoted[64], *end;
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = strstr(text, quoted);
    int64_t v = at ? strtoll(at + strlen(quoted), &end, 10) : 0;
    if (!at || end == at + strlen(quoted)) bad(r, key);
    return v;
}

static unsigned get_word(
    struct reader *r, const cJSON *o, const char *key, const char *const *words, unsigned n) {
    const char *s = get_text(r, o, key);
    for (unsigned i = 0; i < n; i++) {
        if (*words[i] && strcmp(s, words[i]) == 0) return i;
    }
    bad(r, key);
    return 1;
}

static size_t get_points(struct reader *r, const cJSON *o, const char *key, double *out) {
    const cJSON *v;
    size_t n = 0;
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(o, key)) {
        if (n == 256 || !cJSON_IsNumber(v) || !isfinite(v->valuedouble)) {
            bad(r, "calibration points");
            return 0;
        }
        out[n++] = v->valuedouble;
    }
    return n;
}

static void read_calibration(struct reader *r, const cJSON *o, struct calibration *c) {
    memset(c, 0, sizeof *c);
    c->kind = get_word(r, o, "kind", calibration_names, 3);
    if (c->kind == CALIBRATION_PLATT) {
        c->a = get_number(r, o, "a", -1e300, 1e300);
        c->b = get_number(r, o, "b", -1e300, 1e300);
    } else if (c->kind == CALIBRATION_ISOTONIC) {
        size_t n = get_points(r, o, "x", c->x);
        if (n == 0 || get_points(r, o, "y", c->y) != n) bad(r, "calibration points");
        for (size_t i = 1; i < n; i++) {
            if (!(c->x[i] > c->x[i - 1])) bad(r, "calibration points");
        }
        c->points = (uint32_t)n;
    }
}

static void read_calibrations(struct reader *r, const cJSON *doc, struct trained *t) {
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(doc, "calibration"), *c;
    int n = cJSON_GetArraySize(a);
    if (!cJSON_IsArray(a) || n > MODEL_CLASSES_MAX) {
        bad(r, "calibration");
        return;
    }
    cJSON_ArrayForEach(c, a) read_calibration(r, c, &t->cal[t->calibrations++]);
}

static void read_names(struct reader *r, const cJSON *doc, struct stored_model *s) {
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(doc, "names"), *v;
    int n = cJSON_GetArraySize(a);
    if (!cJSON_IsArray(a) || n < 1 || n > MODEL_COLUMNS_MAX) {
        bad(r, "names");
        return;
    }
    s->name_list = mem_alloc((size_t)n * sizeof(char *));
    cJSON_ArrayForEach(v, a) {
        const char *name = cJSON_IsString(v) ? v->valuestring : "";
        if (!*name) bad(r, "names");
        s->name_list[s->info.columns++] = mem_text(name, strlen(name));
    }
    s->info.names = (const char *const *)s->name_list;
}

static void read_params(struct reader *r, const cJSON *doc, struct train_params *p) {
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(doc, "parameters");
    p->seed = (uint64_t)get_number(r, doc, "seed", 0, 1.8e19);
    if (p->kind == MODEL_LOGISTIC) {
        p->l2 = get_number(r, o, "l2", 0, 1e300);
        return;
    }
    p->trees = (int64_t)get_number(r, o, "trees", 0, 1e9);
    p->leaves = (int64_t)get_number(r, o, "leaves", 0, 1e9);
    p->min_leaf = (int64_t)get_number(r, o, "min_leaf", 0, 1e12);
    p->rate = get_number(r, o, "rate", 0, 1e3);
    p->columns_share = get_number(r, o, "columns", 0, 1);
    p->rows_share = get_number(r, o, "rows", 0, 1);
    p->forest_l2 = get_number(r, o, "l2", 0, 1e300);
}

static void read_info(
    struct reader *r, const cJSON *doc, const char *text, struct store_info *info) {
    const cJSON *m, *others = cJSON_GetObjectItemCaseSensitive(doc, "others");
    if (cJSON_IsString(others))
        snprintf(info->others, sizeof info->others, "%s", others->valuestring);
    snprintf(info->set, sizeof info->set, "%s", get_text(r, doc, "feature_set"));
    snprintf(info->label, sizeof info->label, "%s", get_text(r, doc, "label"));
    snprintf(info->bucket, sizeof info->bucket, "%s", get_text(r, doc, "bucket"));
    snprintf(info->parent, sizeof info->parent, "%s", get_text(r, doc, "parent"));
    snprintf(info->version, sizeof info->version, "%s", get_text(r, doc, "version"));
    info->signature = get_hash(r, doc, "signature");
    info->data_hash = get_hash(r, doc, "data_hash");
    info->threshold = get_number(r, doc, "threshold", -1, 1e300);
    info->move_bps = get_number(r, doc, "move_bps", -1, 1e300);
    info->train_rows = (uint64_t)get_number(r, doc, "train_rows", 0, 1e15);
    info->train_from_ns = get_time(r, text, "train_from_ns");
    info->train_to_ns = get_time(r, text, "train_to_ns");
    cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(doc, "metrics")) {
        if (info->metrics == STORE_METRICS_MAX) break;
        struct store_metric *out = &info->metric[info->metrics++];
        snprintf(out->name, sizeof out->name, "%s", m->string);
        out->value = cJSON_IsNumber(m) ? m->valuedouble : NAN;
    }
}

/* The text with the 16 digits after "hash":" as zeros hashes to those digits. */
static void check_self(struct reader *r, char *text, size_t n, uint64_t want) {
    char *at = strstr(text, "\"hash\":\"");
    if (!at || (size_t)(at - text) + 24 > n) {
        bad(r, "hash");
        return;
    }
    memset(at + 8, '0', 16);
    if (hash64(0, text, n) != want) bad(r, "its bytes do not match its own hash");
}

static void read_manifest(
    struct reader *r, char *text, size_t n, struct stored_model *s, size_t *bytes, uint64_t *hash) {
    cJSON *doc = cJSON_ParseWithLength(text, n);
    if (!doc) bad(r, "it is no JSON");
    if (!r->err && strcmp(get_text(r, doc, "format"), format_name) != 0)
        bad(r, "its format is not fathom-model-1");
    if (!r->err) {
        s->t.kind = (enum model_kind)get_word(r, doc, "kind", kind_names, 3);
        s->t.output = (enum model_output)get_word(r, doc, "output", output_names, 3);
        s->t.params.kind = s->t.kind;
        s->t.params.output = s->t.output;
        s->info.hash = get_hash(r, doc, "hash");
        check_self(r, text, n, s->info.hash);
    }
    if (!r->err) {
        read_info(r, doc, text, &s->info);
        read_names(r, doc, s);
        read_params(r, doc, &s->t.params);
        read_calibrations(r, doc, &s->t);
        const cJSON *files = cJSON_GetObjectItemCaseSensitive(doc, "files");
        const cJSON *f = cJSON_GetObjectItemCaseSensitive(files, model_file(s->t.kind));
        *bytes = (size_t)get_number(r, f, "bytes", 1, MODEL_FILE_MAX);
        *hash = get_hash(r, f, "xxh3");
    }
    cJSON_Delete(doc);
}

static err_t open_file(const char *dir, const char *name, char path[FILE_PATH_MAX], size_t max,
    char **text, size_t *n, struct err_info *e) {
    if (snprintf(path, FILE_PATH_MAX, "%s/%s", dir, name) >= FILE_PATH_MAX)
        return err_set(e, ERR_USAGE, "%s: the path is too long", dir);
    if (file_exists(path)) return file_read(path, max, text, n, e);
    if (!file_exists(dir)) {
        return err_set(e, ERR_RESOURCE,
            "%s is missing: name a model folder made by fathom train or a run", dir);
    }
    return err_set(e, ERR_INPUT,
        "%s is missing: %s is no complete model folder; name a folder made by fathom train", path,
        dir);
}

/* The parts must fit each other: a calibration of another model is as bad as a flipped byte. */
static err_t check_fit(
    const char *dir, const struct stored_model *s, enum model_output said, struct err_info *e) {
    const struct trained *t = &s->t;
    bool fits = t->columns == s->info.columns && t->output == said &&
                (t->calibrations == 0 || t->calibrations == model_classes(t->model));
    if (fits) return ERR_OK;
    return err_set(e, ERR_INPUT,
        "%s: model and manifest do not belong together (columns, output or calibration differ); "
        "train the model again",
        dir);
}

static err_t load_model(
    const char *dir, struct stored_model *s, size_t bytes, uint64_t hash, struct err_info *e) {
    char path[FILE_PATH_MAX];
    err_t err =
        open_file(dir, model_file(s->t.kind), path, MODEL_FILE_MAX, &s->t.text, &s->t.text_len, e);
    if (err) return err;
    if (s->t.text_len != bytes || hash64(0, s->t.text, s->t.text_len) != hash) {
        return err_set(e, ERR_INPUT,
            "%s: %zu bytes that do not match the manifest (%zu bytes, another hash): the file was "
            "cut or changed; restore it or train the model again",
            path, s->t.text_len, bytes);
    }
    enum model_output said = s->t.output;
    err = trained_build(&s->t, path, e);
    return err ? err : check_fit(dir, s, said, e);
}

static err_t check_signature(
    const char *dir, const struct store_info *info, uint64_t signature, struct err_info *e) {
    char have[17], want[17];
    if (signature == 0 || info->signature == signature) return ERR_OK;
    hash64_text(info->signature, have);
    hash64_text(signature, want);
    return err_set(e, ERR_INPUT,
        "%s: the model was trained on feature set '%.200s' with signature %s, but the rows have "
        "signature %s; use the set and version it was trained with, or train again",
        dir, info->set, have, want);
}

err_t model_store_load(
    const char *dir, uint64_t signature, struct stored_model *out, struct err_info *e) {
    struct stored_model s = {0};
    char path[FILE_PATH_MAX], *text = NULL;
    size_t n = 0, bytes = 0;
    uint64_t hash = 0;
    err_t err = open_file(dir, "manifest.json", path, MANIFEST_MAX, &text, &n, e);
    if (err) return err;
    struct reader r = {path, e, ERR_OK};
    read_manifest(&r, text, n, &s, &bytes, &hash);
    free(text);
    err = r.err;
    if (!err) err = check_signature(dir, &s.info, signature, e);
    if (!err) err = load_model(dir, &s, bytes, hash, e);
    if (err)
        stored_model_free(&s);
    else
        *out = s;
    return err;
}

void stored_model_free(struct stored_model *s) {
    for (size_t i = 0; i < s->info.columns && s->name_list; i++) free(s->name_list[i]);
    free(s->name_list);
    trained_free(&s->t);
    memset(s, 0, sizeof *s);
}
