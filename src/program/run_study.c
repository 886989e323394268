#include "program/run_study.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json_out.h"
#include "program/plan.h"

static err_t save_schedule(const struct run_models *m, const char *folder, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "format", "fathom-schedule-1");
    json_key(&j, "models");
    json_array(&j);
    for (size_t i = 0; i < m->n; i++) {
        char name[32];
        snprintf(name, sizeof name, "fold-%zu", i + 1);
        json_object(&j);
        json_kstr(&j, "folder", name);
        json_kint(&j, "first_bucket", m->m[i].first_bucket);
        json_kint(&j, "last_bucket", m->m[i].last_bucket);
        json_kdouble(&j, "move_bps", m->m[i].move_bps);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    err_t code = run_folder_write(folder, "models/schedule.json", j.text, j.len, e);
    json_fini(&j);
    return code;
}

static struct store_info info_of(const struct run_study *s, const struct study_fold *f) {
    const struct matrix *m = &s->data->m;
    struct store_info info = {.signature = m->signature,
        .columns = m->columns,
        .names = m->names,
        .data_hash = s->data->hash,
        .threshold = f->threshold,
        .move_bps = f->move_bps,
        .train_from_ns = f->train_from_ns,
        .train_to_ns = f->train_to_ns,
        .train_rows = f->fitted};
    snprintf(info.set, sizeof info.set, "%s", m->set);
    snprintf(info.bucket, sizeof info.bucket, "%s", s->data->bucket);
    snprintf(info.others, sizeof info.others, "%s", s->data->others);
    label_spec_text(&m->spec, info.label, sizeof info.label);
    for (int k = 0; k < METRIC_COUNT && info.metrics < STORE_METRICS_MAX; k++) {
        struct store_metric *to = &info.metric[info.metrics++];
        snprintf(to->name, sizeof to->name, "%s", f->metric[k].name ? f->metric[k].name : "");
        to->value = f->metric[k].value;
    }
    return info;
}

static err_t save_models(struct run_study *s, const char *folder, struct err_info *e) {
    char path[RUN_PATH_MAX];
    err_t code = run_folder_path(folder, "models", path, e);
    if (code) return code;
    if (mkdir(path, 0777) != 0) return err_set_errno(e, errno, "cannot make the folder %s", path);
    s->models.m = calloc(s->result.folds, sizeof *s->models.m);
    if (!s->models.m)
        return err_set(e, ERR_RESOURCE, "out of memory for %zu folds", s->result.folds);
    s->models.n = s->result.folds;
    for (size_t i = 0; i < s->result.folds; i++) {
        const struct study_fold *f = &s->result.fold[i];
        const struct label_bar *bar = s->data->m.bar;
        s->models.m[i] = (struct run_model){
            bar[f->test_from].bucket_id, bar[f->test_to - 1].bucket_id, &f->model, f->move_bps};
        char name[64];
        snprintf(name, sizeof name, "models/fold-%zu", i + 1);
        code = run_folder_path(folder, name, path, e);
        if (code) return code;
        struct store_info info = info_of(s, f);
        code = model_store_save(path, &f->model, &info, false, e);
        if (code) return code;
    }
    return save_schedule(&s->models, folder, e);
}

static err_t save_predictions(
    const struct study_result *r, const char *folder, struct err_info *e) {
    FILE *f;
    err_t code = run_folder_open(folder, "predictions.csv", &f, e);
    if (code) return code;
    fprintf(f, "bucket_id,close_ns,fold,score,p0,p1,p2,class,value,move,missing\n");
    for (size_t i = 0; i < r->predictions; i++) {
        const struct study_prediction *p = &r->prediction[i];
        fprintf(f, "%" PRId64 ",%" PRId64 ",%d,%.9g,%.9g,", p->bucket_id, p->close_ns, p->fold + 1,
            p->score, p->p[0]);
        if (p->classes > 1)
            fprintf(f, "%.9g,%.9g", p->p[1], p->p[2]);
        else
            fprintf(f, ",");
        if (p->klass == LABEL_NONE)
            fprintf(f, ",,,,%u\n", p->missing);
        else
            fprintf(f, ",%d,%.9g,%.9g,%u\n", p->klass, p->value, p->move, p->missing);
    }
    return run_folder_close(f, "predictions.csv", e);
}

err_t run_study_make(struct run_study *s, const struct config *cfg, const char *tape,
    const char *folder, struct err_info *e) {
    memset(s, 0, sizeof *s);
    char to[RUN_PATH_MAX];
    err_t code = run_folder_path(folder, "dataset", to, e);
    if (code) return code;
    struct dataset_options opt = plan_dataset(cfg, tape, to);
    code = dataset_build(&opt, &s->data, e);
    if (code) return code;
    struct study_config study = plan_study(cfg);
    code = study_walk_forward(&s->data->m, &study, &s->result, e);
    if (code) return code;
    s->done = true;
    code = save_models(s, folder, e);
    if (!code) code = save_predictions(&s->result, folder, e);
    return code;
}

void run_study_fini(struct run_study *s) {
    if (s->done) study_free(&s->result);
    if (s->data) dataset_close(s->data);
    free(s->models.m);
    memset(s, 0, sizeof *s);
}

const struct run_model *run_models_at(const struct run_models *m, int64_t bucket_id) {
    for (size_t i = 0; i < m->n; i++) {
        if (bucket_id >= m->m[i].first_bucket && bucket_id <= m->m[i].last_bucket) return &m->m[i];
    }
    return NULL;
}

static err_t load_row(struct run_models *m, const char *run_dir, const cJSON *row,
    uint64_t signature, struct err_info *e) {
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(row, "folder");
    const cJSON *first = cJSON_GetObjectItemCaseSensitive(row, "first_bucket");
    const cJSON *last = cJSON_GetObjectItemCaseSensitive(row, "last_bucket");
    const cJSON *move = cJSON_GetObjectItemCaseSensitive(row, "move_bps");
    if (!cJSON_IsString(name) || strchr(name->valuestring, '/') || !cJSON_IsNumber(first) ||
        !cJSON_IsNumber(last) || !cJSON_IsNumber(move)) {
        return err_set(
            e, ERR_INPUT, "%s/models/schedule.json is damaged; run the run again", run_dir);
    }
    char path[RUN_PATH_MAX];
    snprintf(path, sizeof path, "%s/models/%s", run_dir, name->valuestring);
    struct stored_model *stored = &m->stored[m->n];
    err_t code = model_store_load(path, signature, stored, e);
    if (code) return code;
    m->m[m->n++] = (struct run_model){
        (int64_t)first->valuedouble, (int64_t)last->valuedouble, &stored->t, move->valuedouble};
    return ERR_OK;
}

static err_t room(struct run_models *m, size_t n, struct err_info *e) {
    memset(m, 0, sizeof *m);
    m->m = calloc(n, sizeof *m->m);
    m->stored = calloc(n, sizeof *m->stored);
    if (m->m && m->stored) return ERR_OK;
    run_models_fini(m);
    return err_set(e, ERR_RESOURCE, "out of memory for %zu models", n);
}

err_t run_models_load(
    struct run_models *m, const char *run_dir, uint64_t signature, struct err_info *e) {
    char path[RUN_PATH_MAX];
    char *text;
    size_t n_text;
    snprintf(path, sizeof path, "%s/models/schedule.json", run_dir);
    err_t code = file_read(path, 1 << 20, &text, &n_text, e);
    if (code) return code;
    cJSON *doc = cJSON_Parse(text);
    free(text);
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(doc, "models"), *row;
    int n = cJSON_GetArraySize(rows);
    if (n < 1 || n > STUDY_FOLDS_MAX) {
        code = err_set(e, ERR_INPUT, "%s is damaged; run the run again", path);
    } else {
        code = room(m, (size_t)n, e);
        cJSON_ArrayForEach(row, rows) {
            if (!code) code = load_row(m, run_dir, row, signature, e);
        }
        if (code) run_models_fini(m);
    }
    cJSON_Delete(doc);
    return code;
}

err_t run_models_load_one(
    struct run_models *m, const char *dir, uint64_t signature, struct err_info *e) {
    err_t code = room(m, 1, e);
    if (code) return code;
    code = model_store_load(dir, signature, &m->stored[0], e);
    if (code) {
        run_models_fini(m);
        return code;
    }
    m->m[0] = (struct run_model){INT64_MIN, INT64_MAX, &m->stored[0].t, m->stored[0].info.move_bps};
    m->n = 1;
    return ERR_OK;
}

void run_models_fini(struct run_models *m) {
    for (size_t i = 0; m->stored && i < m->n; i++) stored_model_free(&m->stored[i]);
    free(m->stored);
    free(m->m);
    memset(m, 0, sizeof *m);
}
