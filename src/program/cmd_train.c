/* cmd_train.c: `fathom train CONFIG`: dataset or tape -> study -> one model folder for use.
 *
 * The walk-forward says how good such models were on rows they had not seen; the model that is
 * kept is then trained on all rows, in the same way. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "learn/study/study.h"
#include "learn/train/model_store.h"
#include "program/cli.h"
#include "program/plan.h"
#include "program/run_config.h"

struct job {
    struct cli_args a;
    struct config *cfg;
    struct dataset *data;
    struct study_result result;
    struct study_fold final;
    char work[FILE_PATH_MAX]; /* dataset made for this run; removed at the end */
};

static err_t load(
    struct job *k, const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    err_t code = cli_parse(verb, argc, argv, &k->a, e);
    if (code) return code;
    const char *file = k->a.argc ? k->a.argv[0] : k->a.config;
    if (!file && k->a.sets == 0)
        return err_set(e, ERR_USAGE, "fathom train needs a configuration file or --set key=value");
    code = config_load(&k->cfg, run_schema, run_schema_keys, file, k->a.set, (size_t)k->a.sets, e);
    if (code) return code;
    if (!plan_has_model(k->cfg)) {
        return err_set(e, ERR_USAGE, "%s: model.kind is none: set logistic or lightgbm",
            config_where(k->cfg, "model.kind"));
    }
    return ERR_OK;
}

/* The dataset of --dataset, or one made from data.tape beside the output. */
static err_t open_data(struct job *k, const char *to, struct err_info *e) {
    const char *dataset = cli_value(&k->a, "dataset"), *tape = config_string(k->cfg, "data.tape");
    if (dataset) return dataset_open(&k->data, dataset, e);
    if (!*tape && config_list(k->cfg, "data.tapes") > 0)
        tape = config_item(k->cfg, "data.tapes", 0);
    if (!*tape) {
        return err_set(e, ERR_USAGE,
            "no rows to train on: set data.tape to a tape or give --dataset DIR (a raw recording "
            "becomes a tape with fathom import)");
    }
    if (snprintf(k->work, sizeof k->work, "%s.dataset", to) >= (int)sizeof k->work)
        return err_set(e, ERR_USAGE, "%s: the path is too long", to);
    err_t code = plan_features(k->cfg, e);
    if (!code) code = plan_buckets(k->cfg, tape, e);
    struct dataset_options opt = plan_dataset(k->cfg, tape, k->work);
    if (!code) code = dataset_build(&opt, &k->data, e);
    if (code) k->work[0] = 0;
    return code;
}

static struct store_info info_of(const struct job *k) {
    const struct matrix *m = &k->data->m;
    struct store_info info = {.signature = m->signature,
        .columns = m->columns,
        .names = m->names,
        .data_hash = k->data->hash,
        .threshold = k->final.threshold,
        .move_bps = k->final.move_bps,
        .train_from_ns = k->final.train_from_ns,
        .train_to_ns = k->final.train_to_ns,
        .train_rows = k->final.fitted};
    const char *parent = cli_value(&k->a, "parent");
    snprintf(info.set, sizeof info.set, "%s", m->set);
    snprintf(info.bucket, sizeof info.bucket, "%s", k->data->bucket);
    snprintf(info.others, sizeof info.others, "%s", k->data->others);
    snprintf(info.parent, sizeof info.parent, "%s", parent ? parent : "");
    label_spec_text(&m->spec, info.label, sizeof info.label);
    for (int i = 0; i < METRIC_COUNT; i++) {
        struct store_metric *to = &info.metric[info.metrics++];
        snprintf(to->name, sizeof to->name, "%s", k->result.metric[i].name);
        to->value = k->result.metric[i].value;
    }
    return info;
}

static err_t print(const struct job *k, const char *to, struct err_info *e) {
    if (!k->a.json) {
        printf("%s: trained on %zu rows, calibrated on %zu\n", to, k->final.fitted,
            k->final.calibrated);
        printf("out of sample (%zu folds, %zu rows):\n", k->result.folds, k->result.scored);
        for (int i = 0; i < METRIC_COUNT; i++) {
            const struct study_metric *m = &k->result.metric[i];
            printf("  %-16s %9.5f  [%9.5f, %9.5f]  p %.4f  %s\n",
                study_metric_title((enum study_metric_id)i), m->value, m->lo, m->hi, m->p, m->note);
        }
        return ERR_OK;
    }
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "model", to);
    json_kint(&j, "fitted", (int64_t)k->final.fitted);
    json_kint(&j, "calibrated", (int64_t)k->final.calibrated);
    json_key(&j, "data_hash");
    json_hash(&j, k->data->hash);
    json_key(&j, "predictions_hash");
    json_hash(&j, k->result.hash);
    json_key(&j, "study");
    study_json(&k->result, &j);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static err_t work(struct job *k, struct err_info *e) {
    const char *to = cli_value(&k->a, "to");
    if (!to) to = config_string(k->cfg, "output");
    if (file_exists(to) && !k->a.force)
        return err_set(e, ERR_USAGE, "%s exists: choose another --to or give --force", to);
    struct study_config cfg = plan_study(k->cfg);
    if (k->a.seed_given) cfg.seed = cfg.train.seed = k->a.seed;
    err_t code = file_make_parents(to, e);
    if (!code) code = open_data(k, to, e);
    if (!code) code = study_walk_forward(&k->data->m, &cfg, &k->result, e);
    if (!code) code = study_train_all(&k->data->m, &cfg, &k->final, e);
    if (code) return code;
    struct store_info info = info_of(k);
    code = model_store_save(to, &k->final.model, &info, k->a.force, e);
    return code ? code : print(k, to, e);
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct job *k = mem_alloc(sizeof *k);
    err_t code = load(k, verb, argc, argv, e);
    if (!code) code = work(k, e);
    study_free(&k->result);
    trained_free(&k->final.model);
    dataset_close(k->data);
    if (k->work[0] && file_remove_tree(k->work, code ? NULL : e) != ERR_OK && !code)
        code = ERR_RESOURCE;
    if (k->cfg) config_free(k->cfg);
    free(k);
    return code;
}

const struct cli_verb cmd_train = {
    .name = "train",
    .usage = "CONFIG [--dataset DIR] [--to DIR] [--parent TEXT] [--set key=value]...",
    .about = "train a model on all rows, with its out-of-sample study in the manifest",
    .help = "  --dataset DIR  rows made by fathom dataset (else data.tape of the configuration)\n"
            "  --to DIR       model folder to make (default: output of the configuration)\n"
            "  --parent TEXT  model that this one replaces; kept in the manifest\n"
            "\n"
            "Example:\n"
            "  fathom train examples/near-1m-bars.yaml --dataset near.data --to near.model\n",
    .options = "dataset= to= parent=",
    .args_min = 0,
    .args_max = 1,
    .run = run,
};
