#include "program/feature_study.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/plan.h"
#include "program/run_config.h"

/* A folder with a manifest is a dataset (dataset_open says if it is another thing). */
static bool is_folder(const char *path) {
    char manifest[FILE_PATH_MAX];
    int n = snprintf(manifest, sizeof manifest, "%s/manifest.json", path);
    return n > 0 && n < FILE_PATH_MAX && file_exists(manifest);
}

static err_t load_config(struct feature_study *f, const char *file, struct err_info *e) {
    err_t code =
        config_load(&f->cfg, run_schema, run_schema_keys, file, f->a.set, (size_t)f->a.sets, e);
    if (code) return code;
    f->study = plan_study(f->cfg);
    f->study.train.output = OUTPUT_BINARY;
    if (f->a.seed_given) f->study.seed = f->study.train.seed = f->a.seed;
    return ERR_OK;
}

static err_t open_rows(struct feature_study *f, const char *dataset, struct err_info *e) {
    char path[FILE_PATH_MAX];
    if (dataset) return dataset_open(&f->data, dataset, e);
    if (!*f->tape)
        return err_set(e, ERR_USAGE,
            "no rows to judge by: set data.tape to a tape (fathom import makes one), or name a "
            "dataset folder");
    snprintf(path, sizeof path, "%s/dataset", dir_out_path(f->dir));
    err_t code = plan_features(f->cfg, e);
    if (!code) code = plan_buckets(f->cfg, f->tape, e);
    struct dataset_options opt = plan_dataset(f->cfg, f->tape, path);
    if (!code) code = dataset_build(&opt, &f->data, e);
    return code ? code : file_remove_tree(path, e); /* its files stay mapped */
}

err_t feature_study_open(struct feature_study *f, const struct cli_verb *verb, int argc,
    char **argv, const char *fallback, const char *marker, struct err_info *e) {
    err_t code = cli_parse(verb, argc, argv, &f->a, e);
    if (code) return code;
    const char *file = f->a.argc ? f->a.argv[0] : f->a.config;
    const char *dataset = cli_value(&f->a, "dataset");
    if (file && is_folder(file)) dataset = file, file = f->a.config;
    code = load_config(f, file, e);
    if (code) return code;
    f->tape = config_string(f->cfg, "data.tape");
    f->to = cli_value(&f->a, "to") ? cli_value(&f->a, "to") : fallback;
    code = file_make_parents(f->to, e);
    if (!code) code = dir_out_open(&f->dir, f->to, marker, f->a.force, e);
    return code ? code : open_rows(f, dataset, e);
}

err_t feature_study_write(struct feature_study *f, const char *name, const char *json,
    size_t json_n, const char *html, size_t html_n, struct err_info *e) {
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.json", dir_out_path(f->dir), name);
    err_t code = file_write(path, json, json_n, false, e);
    snprintf(path, sizeof path, "%s/%s.html", dir_out_path(f->dir), name);
    return code ? code : file_write(path, html, html_n, false, e);
}

err_t feature_study_commit(struct feature_study *f, struct err_info *e) {
    struct dir_out *dir = f->dir;
    f->dir = NULL;
    return dir_out_commit(dir, e);
}

void feature_study_fini(struct feature_study *f) {
    if (f->progressing) progress_end(&f->progress, 0);
    if (f->dir) dir_out_abort(f->dir);
    dataset_close(f->data);
    if (f->cfg) config_free(f->cfg);
}

void feature_study_step(void *user, size_t done, size_t all) {
    struct feature_study *f = user;
    if (!f->progressing) {
        progress_begin(&f->progress, "features", "fits", 1.0, all, f->a.quiet || f->a.json);
        f->progressing = true;
    }
    progress_at(&f->progress, done);
    if (done < all) return;
    progress_end(&f->progress, done);
    f->progressing = false;
}
