#include "learn/dataset/dataset.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "learn/dataset/dataset_internal.h"

enum { MANIFEST_MAX = 16 << 20 };
static const char *const format_name = "fathom-dataset-1";

const char *const dataset_file[DATASET_FILES] = {"features.npy", "meta.npy", "labels.npy"};
const char *const dataset_descr[DATASET_FILES] = {"'<f4'",
    "[('bucket_id', '<i8'), ('open_ns', '<i8'), ('close_ns', '<i8'), ('px', '<f8'), "
    "('high', '<f8'), ('low', '<f8'), ('gapped', '<u8')]",
    "[('value', '<f8'), ('move', '<f8'), ('known_row', '<i8'), ('known_ns', '<i8'), "
    "('klass', '<i4'), ('pad', '<i4')]"};

static const size_t record_bytes[DATASET_FILES] = {
    0, sizeof(struct label_bar), sizeof(struct label)};

uint64_t dataset_hash_file(const void *map, size_t bytes) { return hash64(0, map, bytes); }

uint64_t dataset_hash_all(const uint64_t file_hash[DATASET_FILES]) {
    return hash64(0, file_hash, DATASET_FILES * sizeof file_hash[0]);
}

static void put_hash(struct json_out *j, const char *key, uint64_t h) {
    json_key(j, key);
    json_hash(j, h);
}

static void put_columns(struct json_out *j, const struct dataset_manifest *m) {
    json_key(j, "names");
    json_array(j);
    for (uint64_t i = 0; i < m->columns; i++) json_str(j, m->names[i]);
    json_array_end(j);
    json_key(j, "missing");
    json_object(j);
    for (uint64_t i = 0; i < m->columns; i++) json_kdouble(j, m->names[i], m->missing[i]);
    json_object_end(j);
}

char *dataset_manifest_text(const struct dataset_manifest *m, size_t *len) {
    static const char *const class_name[3] = {"down", "flat", "up"};
    char label[128];
    struct json_out j;
    label_spec_text(&m->label, label, sizeof label);
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "format", format_name);
    json_kstr(&j, "version", FATHOM_VERSION);
    json_kstr(&j, "tape", m->tape);
    put_hash(&j, "tape_hash", m->tape_hash);
    json_kstr(&j, "venue", m->venue);
    json_kstr(&j, "symbol", m->symbol);
    json_kstr(&j, "bucket", m->bucket);
    json_kstr(&j, "others", m->others);
    json_kstr(&j, "label", label);
    json_kstr(&j, "feature_set", m->set);
    put_hash(&j, "signature", m->signature);
    json_kint(&j, "warmup", m->warmup);
    json_kint(&j, "rows", (int64_t)m->rows);
    json_kint(&j, "columns", (int64_t)m->columns);
    json_kint(&j, "labelled", (int64_t)m->labelled);
    json_kint(&j, "gapped", (int64_t)m->gapped);
    json_key(&j, "classes");
    json_object(&j);
    for (int k = 0; k < 3; k++) json_kint(&j, class_name[k], (int64_t)m->classes[k]);
    json_object_end(&j);
    put_columns(&j, m);
    json_key(&j, "files");
    json_object(&j);
    for (int k = 0; k < DATASET_FILES; k++) put_hash(&j, dataset_file[k], m->file_hash[k]);
    if (m->tensor) put_hash(&j, "book.npy", m->tensor_hash);
    json_object_end(&j);
    put_hash(&j, "hash", m->hash);
    json_object_end(&j);
    *len = j.len;
    return j.text;
}

static const char *text_of(const cJSON *doc, const char *key) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(doc, key);
    return cJSON_IsString(v) ? v->valuestring : NULL;
}

static bool hash_of(const cJSON *doc, const char *key, uint64_t *out) {
    const char *s = text_of(doc, key);
    if (!s || strlen(s) != 16 || strspn(s, "0123456789abcdef") != 16) return false;
    *out = strtoull(s, NULL, 16);
    return true;
}

static bool count_of(const cJSON *doc, const char *key, double hi, size_t *out) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(doc, key);
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= hi)) return false;
    *out = (size_t)v->valuedouble;
    return (double)*out == v->valuedouble;
}

static bool copy_text(const cJSON *doc, const char *key, char *out, size_t size) {
    const char *s = text_of(doc, key);
    if (!s || strlen(s) >= size) return false;
    memcpy(out, s, strlen(s) + 1);
    return true;
}

/* The names as one block of text, so that closing is one free. */
static bool read_names(const cJSON *doc, struct dataset *d) {
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(doc, "names"), *v;
    size_t bytes = 0, i = 0;
    if ((size_t)cJSON_GetArraySize(a) != d->m.columns) return false;
    cJSON_ArrayForEach(v, a) {
        if (!cJSON_IsString(v)) return false;
        bytes += strlen(v->valuestring) + 1;
    }
    char *at = d->names_text = mem_alloc(bytes + 1);
    cJSON_ArrayForEach(v, a) {
        size_t n = strlen(v->valuestring) + 1;
        d->names[i++] = memcpy(at, v->valuestring, n);
        at += n;
    }
    d->m.names = d->names;
    return true;
}

static bool read_manifest(const cJSON *doc, struct dataset *d, uint64_t file_hash[DATASET_FILES]) {
    const char *format = text_of(doc, "format"), *label = text_of(doc, "label");
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(doc, "files");
    if (!format || strcmp(format, format_name) != 0 || !label) return false;
    if (label_spec_parse(label, &d->m.spec, NULL) != ERR_OK) return false;
    for (int k = 0; k < DATASET_FILES; k++) {
        if (!hash_of(files, dataset_file[k], &file_hash[k])) return false;
    }
    return count_of(doc, "rows", 1e12, &d->m.rows) &&
           count_of(doc, "columns", FEATURE_MAX, &d->m.columns) && d->m.columns > 0 &&
           count_of(doc, "warmup", 1e12, &d->m.warmup) &&
           hash_of(doc, "signature", &d->m.signature) && hash_of(doc, "tape_hash", &d->tape_hash) &&
           hash_of(doc, "hash", &d->hash) &&
           copy_text(doc, "bucket", d->bucket, sizeof d->bucket) &&
           copy_text(doc, "others", d->others, sizeof d->others) &&
           copy_text(doc, "feature_set", d->set_name, sizeof d->set_name) && read_names(doc, d);
}

static err_t map_files(struct dataset *d, const char *dir, const uint64_t file_hash[DATASET_FILES],
    struct err_info *e) {
    uint64_t seen[DATASET_FILES];
    for (int k = 0; k < DATASET_FILES; k++) {
        char path[FILE_PATH_MAX];
        size_t row = k == DATASET_FEATURES ? d->m.columns * sizeof(float) : record_bytes[k];
        snprintf(path, sizeof path, "%s/%s", dir, dataset_file[k]);
        err_t err = npy_map(path, dataset_descr[k], d->m.rows,
            k == DATASET_FEATURES ? d->m.columns : 0, row, &d->maps[k], &d->map_bytes[k], e);
        if (err) return err;
        seen[k] = dataset_hash_file(d->maps[k], d->map_bytes[k]);
        if (seen[k] != file_hash[k]) {
            return err_set(e, ERR_INPUT,
                "%s differs from its hash in the manifest: it was changed; build the dataset again",
                path);
        }
    }
    if (dataset_hash_all(seen) == d->hash) return ERR_OK;
    return err_set(e, ERR_INPUT, "%s/manifest.json: the hash of the folder is wrong", dir);
}

err_t dataset_open(struct dataset **out, const char *dir, struct err_info *e) {
    char path[FILE_PATH_MAX], *text;
    size_t n;
    uint64_t file_hash[DATASET_FILES] = {0};
    if (snprintf(path, sizeof path, "%s/manifest.json", dir) >= (int)sizeof path)
        return err_set(e, ERR_USAGE, "%s: the path is too long", dir);
    if (!file_exists(path)) {
        return err_set(e, ERR_INPUT,
            "%s is missing: %s is no complete dataset; make one with fathom dataset", path, dir);
    }
    err_t err = file_read(path, MANIFEST_MAX, &text, &n, e);
    if (err) return err;
    struct dataset *d = mem_alloc(sizeof *d);
    cJSON *doc = cJSON_ParseWithLength(text, n);
    if (!doc || !read_manifest(doc, d, file_hash)) {
        err = err_set(
            e, ERR_INPUT, "%s is damaged or of another version: build the dataset again", path);
    }
    cJSON_Delete(doc);
    free(text);
    if (!err) err = map_files(d, dir, file_hash, e);
    if (err) {
        dataset_close(d);
        return err;
    }
    d->m.set = d->set_name;
    d->m.x = (const float *)(const void *)((const char *)d->maps[DATASET_FEATURES] + NPY_HEADER);
    d->m.bar = (const void *)((const char *)d->maps[DATASET_META] + NPY_HEADER);
    d->m.label = (const void *)((const char *)d->maps[DATASET_LABELS] + NPY_HEADER);
    *out = d;
    return ERR_OK;
}

void dataset_close(struct dataset *d) {
    if (!d) return;
    for (int k = 0; k < DATASET_FILES; k++) {
        if (d->maps[k]) munmap(d->maps[k], d->map_bytes[k]);
    }
    free(d->names_text);
    free(d);
}

double matrix_missing(const struct matrix *m, size_t column) {
    CHECK(column < m->columns);
    size_t missing = 0;
    for (size_t i = 0; i < m->rows; i++) missing += isnan(m->x[i * m->columns + column]) != 0;
    return m->rows ? (double)missing / (double)m->rows : 0;
}
