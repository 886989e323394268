/* cmd_models.c: `fathom models list|show|verify`: model folders and their manifests. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "learn/train/model_store.h"
#include "program/cli.h"

static const char *kind_name(const struct trained *t) {
    return t->kind == MODEL_TREES ? "lightgbm" : "logistic";
}

static const char *output_name(const struct trained *t) {
    static const char *const name[] = {"value", "binary", "classes"};
    return name[t->output];
}

static const char *calibration_name(const struct trained *t) {
    static const char *const name[] = {"none", "platt", "isotonic"};
    return t->calibrations ? name[t->cal[0].kind] : name[0];
}

static void put_model(struct json_out *j, const char *dir, const struct stored_model *s) {
    const struct store_info *info = &s->info;
    json_object(j);
    json_kstr(j, "model", dir);
    json_kbool(j, "valid", true);
    json_kstr(j, "kind", kind_name(&s->t));
    json_kstr(j, "output", output_name(&s->t));
    json_kstr(j, "calibration", calibration_name(&s->t));
    json_kint(j, "columns", (int64_t)s->t.columns);
    json_kint(j, "trees", (int64_t)model_trees(s->t.model));
    json_kstr(j, "feature_set", info->set);
    json_key(j, "signature");
    json_hash(j, info->signature);
    json_key(j, "hash");
    json_hash(j, info->hash);
    json_key(j, "data_hash");
    json_hash(j, info->data_hash);
    json_kstr(j, "bucket", info->bucket);
    json_kstr(j, "others", info->others);
    json_kstr(j, "label", info->label);
    json_kdouble(j, "threshold", info->threshold);
    json_kdouble(j, "move_bps", info->move_bps);
    json_kint(j, "train_rows", (int64_t)info->train_rows);
    json_kint(j, "train_from_ns", info->train_from_ns);
    json_kint(j, "train_to_ns", info->train_to_ns);
    json_kstr(j, "version", info->version);
    json_kstr(j, "parent", info->parent);
    json_key(j, "metrics");
    json_object(j);
    for (size_t i = 0; i < info->metrics; i++)
        json_kdouble(j, info->metric[i].name, info->metric[i].value);
    json_object_end(j);
    json_object_end(j);
}

static void print_model(const char *dir, const struct stored_model *s) {
    const struct store_info *info = &s->info;
    printf("%s: %s, %s, calibration %s, %zu columns of set %s", dir, kind_name(&s->t),
        output_name(&s->t), calibration_name(&s->t), s->t.columns, info->set);
    if (s->t.kind == MODEL_TREES) printf(", %zu trees", model_trees(s->t.model));
    printf("\n  signature %016" PRIx64 ", hash %016" PRIx64 ", data %016" PRIx64 "\n",
        info->signature, info->hash, info->data_hash);
    printf("  bucket %s, label %s, threshold %.6g 1/s, mean move %.4g bps\n", info->bucket,
        info->label, info->threshold, info->move_bps);
    if (*info->others) printf("  with %s\n", info->others);
    printf("  trained on %" PRIu64 " rows, %" PRId64 " .. %" PRId64 " ns, by version %s%s%s\n",
        info->train_rows, info->train_from_ns, info->train_to_ns, info->version,
        *info->parent ? ", parent " : "", info->parent);
    for (size_t i = 0; i < info->metrics; i++) {
        if (isfinite(info->metric[i].value))
            printf("  %-12s %.6g\n", info->metric[i].name, info->metric[i].value);
    }
}

static err_t run_show(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = mem_alloc(sizeof *a);
    struct stored_model s;
    err_t code = cli_parse(verb, argc, argv, a, e);
    if (!code) code = model_store_load(a->argv[0], 0, &s, e);
    if (!code) {
        if (a->json) {
            struct json_out j;
            json_init(&j);
            put_model(&j, a->argv[0], &s);
            code = cli_print_json(&j, e);
            json_fini(&j);
        } else {
            print_model(a->argv[0], &s);
        }
        stored_model_free(&s);
    }
    free(a);
    return code;
}

/* One verdict a folder; the exit code is that of the first bad one. */
static err_t run_verify(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = mem_alloc(sizeof *a);
    struct json_out j;
    err_t code = cli_parse(verb, argc, argv, a, e), worst = code;
    json_init(&j);
    json_array(&j);
    for (int i = 0; !code && i < a->argc; i++) {
        struct stored_model s;
        struct err_info why = {ERR_OK, ""};
        err_t one = model_store_load(a->argv[i], 0, &s, &why);
        json_object(&j);
        json_kstr(&j, "model", a->argv[i]);
        json_kbool(&j, "valid", one == ERR_OK);
        json_kstr(&j, "reason", why.text);
        json_object_end(&j);
        if (!a->json) printf("%s: %s\n", a->argv[i], one ? why.text : "valid");
        if (one == ERR_OK)
            stored_model_free(&s);
        else if (worst == ERR_OK)
            *e = why, worst = one;
    }
    json_array_end(&j);
    if (!code && a->json) code = cli_print_json(&j, e);
    json_fini(&j);
    free(a);
    return code ? code : worst;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The manifest of a dataset or of a run: no model, so no damaged one either. */
static bool other_folder(const char *manifest) {
    enum { MANIFEST_MAX = 64 << 20 };
    static const char key[] = "\"format\":\"fathom-";
    char *text;
    size_t n;
    struct err_info ignored;
    if (file_read(manifest, MANIFEST_MAX, &text, &n, &ignored)) return false;
    const char *at = memmem(text, n, key, sizeof key - 1);
    bool other = at && strncmp(at + sizeof key - 1, "model-", 6) != 0;
    free(text);
    return other;
}

/* Sub-folders of `dir` that hold a manifest, sorted, without datasets and runs; the caller frees
 * the names and the array. */
static err_t model_folders(const char *dir, char ***out, size_t *n, struct err_info *e) {
    DIR *d = opendir(dir);
    if (!d) return err_set_errno(e, errno, "%s", dir);
    size_t cap = 0;
    char path[FILE_PATH_MAX];
    *out = NULL;
    *n = 0;
    for (struct dirent *f; (f = readdir(d)) != NULL;) {
        if (f->d_name[0] == '.') continue;
        int len = snprintf(path, sizeof path, "%s/%s/manifest.json", dir, f->d_name);
        if (len < 0 || len >= FILE_PATH_MAX || !file_exists(path)) continue;
        if (other_folder(path)) continue;
        *out = mem_array(*out, *n, &cap, sizeof **out);
        (*out)[(*n)++] = mem_text(path, (size_t)len - strlen("/manifest.json"));
    }
    closedir(d);
    if (*n) qsort(*out, *n, sizeof **out, by_name);
    return ERR_OK;
}

static void list_one(struct json_out *j, const char *path, bool json) {
    struct stored_model s;
    struct err_info why = {ERR_OK, ""};
    if (model_store_load(path, 0, &s, &why) == ERR_OK) {
        put_model(j, path, &s);
        if (!json) print_model(path, &s);
        stored_model_free(&s);
        return;
    }
    json_object(j);
    json_kstr(j, "model", path);
    json_kbool(j, "valid", false);
    json_kstr(j, "reason", why.text);
    json_object_end(j);
    if (!json) printf("%s: not usable: %s\n", path, why.text);
}

static err_t run_list(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = mem_alloc(sizeof *a);
    struct json_out j;
    char **path = NULL;
    size_t n = 0;
    err_t code = cli_parse(verb, argc, argv, a, e);
    const char *dir = a->argc ? a->argv[0] : ".";
    if (!code) code = model_folders(dir, &path, &n, e);
    json_init(&j);
    json_array(&j);
    for (size_t i = 0; i < n; i++) {
        list_one(&j, path[i], a->json);
        free(path[i]);
    }
    json_array_end(&j);
    if (!code && a->json) code = cli_print_json(&j, e);
    if (!code && !a->json && n == 0) printf("%s holds no model folder\n", dir);
    json_fini(&j);
    free(path);
    free(a);
    return code;
}

const struct cli_verb cmd_models_list = {
    .name = "models list",
    .usage = "[DIR]",
    .about = "the model folders inside a folder",
    .help = "Lists every sub-folder of DIR (default: here) that holds a model, checking each.\n"
            "\n"
            "Example:\n"
            "  fathom models list runs/known-truth/models\n",
    .options = "",
    .args_min = 0,
    .args_max = 1,
    .run = run_list,
};

const struct cli_verb cmd_models_show = {
    .name = "models show",
    .usage = "DIR",
    .about = "what a model is, what it was trained on, how it did",
    .help = "Example:\n"
            "  fathom models show runs/known-truth/models/fold-1\n",
    .options = "",
    .args_min = 1,
    .args_max = 1,
    .run = run_show,
};

const struct cli_verb cmd_models_verify = {
    .name = "models verify",
    .usage = "DIR...",
    .about = "check every byte of model folders against their manifests (exit 3 if one is bad)",
    .help = "Example:\n"
            "  fathom models verify runs/known-truth/models/fold-1\n",
    .options = "",
    .args_min = 1,
    .args_max = -1,
    .run = run_verify,
};
