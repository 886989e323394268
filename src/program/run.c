#include "program/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/tape/tape.h"
#include "program/bucket_config.h"
#include "program/plan.h"
#include "program/plan_strategy.h"

static void say(const struct run *run, const char *what) {
    if (!run->quiet) fprintf(stderr, "fathom: %s\n", what);
}

static err_t copy_path(char *to, const char *from, struct err_info *e) {
    int n = snprintf(to, FILE_PATH_MAX, "%s", from);
    if (n >= 0 && n < FILE_PATH_MAX) return ERR_OK;
    return err_set(e, ERR_USAGE, "a path is longer than %d bytes", FILE_PATH_MAX);
}

static err_t import_inputs(struct run *run, size_t n, struct err_info *e) {
    const struct config *c = run->cfg;
    const char **files = calloc(n, sizeof *files);
    if (!files) return err_set(e, ERR_RESOURCE, "out of memory for %zu inputs", n);
    for (size_t i = 0; i < n; i++) files[i] = config_item(c, "data.input", i);
    err_t code = run_folder_path(run->folder, "tape", run->tape, e);
    const char *symbol = config_string(c, "data.symbol"), *colon = strchr(symbol, ':');
    if (colon) symbol = colon + 1; /* VENUE:SYMBOL chooses; a table's symbol is the plain one */
    const char *venue = config_string(c, "data.venue");
    const char *instruments = config_string(c, "data.instruments");
    struct import_options opt = {.files = files,
        .n_files = n,
        .to = run->tape,
        .venue = strcmp(venue, "auto") == 0 ? VENUE_NONE : venue_from_name(venue),
        .symbol = *symbol ? symbol : NULL,
        .instruments = *instruments ? instruments : NULL,
        .jump_ppm = IMPORT_JUMP_PPM,
        .latency_ns = IMPORT_LATENCY_NS,
        .strict = config_bool(c, "data.strict"),
        .interrupted = cli_interrupted};
    if (!code) {
        say(run, "importing");
        code = import_run(&opt, &run->import, e);
        run->imported = true;
    }
    free(files);
    return code ? code : copy_path(run->tape_named, "tape", e);
}

static err_t find_tape(struct run *run, struct err_info *e) {
    size_t n = config_list(run->cfg, "data.input");
    const char *tape = config_string(run->cfg, "data.tape");
    size_t several = config_list(run->cfg, "data.tapes");
    if (several > 0 && (n > 0 || *tape)) {
        return err_set(e, ERR_USAGE, "%s: data.tapes is set beside %s; give one",
            config_where(run->cfg, "data.tapes"), n > 0 ? "data.input" : "data.tape");
    }
    if (several > 0) tape = config_item(run->cfg, "data.tapes", 0);
    if (n == 0 && !*tape) {
        return err_set(e, ERR_USAGE,
            "nothing to run on: give --set data.input=FILE (a raw recording or CSV) or --set "
            "data.tape=TAPE");
    }
    if (n > 0 && *tape) {
        return err_set(e, ERR_USAGE, "data.input and data.tape are both set; give one");
    }
    if (n > 0) return import_inputs(run, n, e);
    err_t code = copy_path(run->tape, tape, e);
    return code ? code : copy_path(run->tape_named, several > 0 ? "data.tapes" : tape, e);
}

static err_t signature_of(const struct config *c, uint64_t *out, struct err_info *e) {
    struct feature_set *set = malloc(sizeof *set);
    const char *bad;
    if (!set) return err_set(e, ERR_RESOURCE, "out of memory");
    bool good = feature_set_parse(config_string(c, "features.set"), set, &bad);
    if (good) *out = feature_set_signature(set);
    free(set);
    if (good) return ERR_OK;
    return err_set(e, ERR_USAGE, "%s: features.set: \"%s\" is no set, family or feature",
        config_where(c, "features.set"), bad);
}

/* Rows of another bucket are other rows, whatever their columns are called. */
static err_t same_bucket(const struct run *run, const char *model, struct err_info *e) {
    const char *want = run->models.stored[0].info.bucket;
    const char *have = config_string(run->cfg, "bucket.spec");
    if (strcmp(want, have) == 0 || bucket_config_named(have)) return ERR_OK;
    return err_set(e, ERR_INPUT,
        "%s: the model was trained on buckets %s, this run cuts %s; set bucket.spec=%s or train "
        "again",
        model, want, have, want);
}

/* So are rows beside other venues. */
static err_t same_others(const struct run *run, const char *model, struct err_info *e) {
    const char *want = run->models.stored[0].info.others;
    char have[OTHERS_TEXT_MAX];
    if (config_list(run->cfg, "instruments") > 0) return ERR_OK; /* one model, peers by lane */
    err_t code = plan_others_text(run->cfg, run->tape, have, e);
    if (code || strcmp(want, have) == 0) return code;
    return err_set(e, ERR_INPUT,
        "%s: the model was trained with %s, this run has %s; set data.peers, data.reference and "
        "bucket.reference to those or train again",
        model, *want ? want : "no other instrument", *have ? have : "none");
}

static err_t find_models(struct run *run, bool with_study, struct err_info *e) {
    const char *path = config_string(run->cfg, "model.path");
    if (*path) {
        uint64_t signature = 0;
        err_t code = signature_of(run->cfg, &signature, e);
        if (!code) code = run_models_load_one(&run->models, path, signature, e);
        run->models_loaded = !code;
        if (!code) code = same_bucket(run, path, e);
        return code ? code : same_others(run, path, e);
    }
    if (!plan_has_model(run->cfg)) return ERR_OK;
    if (!with_study) {
        return err_set(e, ERR_USAGE,
            "model.kind = %s, but fathom backtest trains nothing: give model.path, or use fathom "
            "run",
            config_string(run->cfg, "model.kind"));
    }
    if (config_list(run->cfg, "instruments") > 0) {
        return err_set(e, ERR_USAGE,
            "%s: a run of several instruments trains no model: train with data.symbol on one, then "
            "give model.path",
            config_where(run->cfg, "instruments"));
    }
    say(run, "dataset and walk-forward");
    return run_study_make(&run->study, run->cfg, run->tape, run->folder, e);
}

static err_t replay(struct run *run, struct err_info *e) {
    const struct run_models *models = run->models_loaded ? &run->models
                                      : run->study.done  ? &run->study.models
                                                         : NULL;
    struct pipeline_options opt = {.cfg = run->cfg,
        .tape = run->tape,
        .models = models,
        .folder = run->folder,
        .quiet = run->quiet};
    say(run, "replay");
    return pipeline_run(&opt, &run->result, &run->facts, e);
}

static err_t finish(struct run *run, struct err_info *e) {
    run->doc = (struct run_doc){.cfg = run->cfg,
        .result = &run->result,
        .study = run->study.done ? &run->study.result : NULL,
        .book = run->facts.book,
        .has_strategy = strcmp(config_string(run->cfg, "strategy.kind"), "none") != 0};
    if (run->models_loaded) {
        run->doc.model_from_ns = run->models.stored[0].info.train_from_ns;
        run->doc.model_to_ns = run->models.stored[0].info.train_to_ns;
    }
    err_t code = run_figures(run, e);
    if (!code) code = run_truth(run, e);
    if (code) return code;
    run_tables(run);
    say(run, "report");
    code = run_write(run, e);
    if (!code && run->study.done) {
        char path[RUN_PATH_MAX];
        code = run_folder_path(run->folder, "dataset", path, e);
        if (!code) code = file_remove_tree(path, e);
    }
    if (code) return code;
    struct dir_out *dir = run->dir;
    run->dir = NULL;
    return dir_out_commit(dir, e);
}

err_t run_open(struct run *run, struct config *cfg, const struct cli_args *args, bool with_study,
    struct err_info *e) {
    memset(run, 0, sizeof *run);
    run->cfg = cfg;
    run->quiet = args->quiet || args->json;
    err_t code = plan_strategy_check(cfg, e);
    if (!code) code = copy_path(run->output, config_string(cfg, "output"), e);
    if (!code) code = run_result_init(&run->result, e);
    if (!code) code = file_make_parents(run->output, e);
    if (!code) code = dir_out_open(&run->dir, run->output, "manifest.json", args->force, e);
    if (code) return code;
    run->folder = dir_out_path(run->dir);
    code = find_tape(run, e);
    if (!code) code = plan_features(cfg, e);
    if (!code) code = plan_buckets(cfg, run->tape, e);
    return code ? code : find_models(run, with_study, e);
}

err_t run_make(struct run *run, struct config *cfg, const struct cli_args *args, bool with_study,
    struct err_info *e) {
    err_t code = run_open(run, cfg, args, with_study, e);
    if (!code) code = replay(run, e);
    if (!code) code = plan_tape_hash(cfg, run->tape, &run->result.tape_hash, e);
    return code ? code : finish(run, e);
}

void run_fini(struct run *run) {
    for (size_t i = 0; i < run->doc.tables; i++) free(run->doc.table[i]);
    if (run->study.data || run->study.done) run_study_fini(&run->study);
    if (run->models_loaded) run_models_fini(&run->models);
    if (run->imported) import_report_fini(&run->import);
    run_result_fini(&run->result);
    if (run->dir) dir_out_abort(run->dir);
}
