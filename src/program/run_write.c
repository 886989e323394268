#include <stdlib.h>
#include <string.h>

#include "observe/monitor/report.h"
#include "program/plan.h"
#include "program/run.h"

static err_t write_json(
    const struct run *run, const char *name, struct json_out *j, struct err_info *e) {
    err_t code = run_folder_write(run->folder, name, j->text, j->len, e);
    json_fini(j);
    return code;
}

static err_t write_result(const struct run *run, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    run_result_json(&run->result, &j);
    if (run->study.done) {
        json_key(&j, "study");
        study_json(&run->study.result, &j);
    }
    json_object_end(&j);
    return write_json(run, "result.json", &j, e);
}

static err_t write_manifest(const struct run *run, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "format", "fathom-run-1");
    json_kstr(&j, "version", FATHOM_VERSION);
    json_kstr(&j, "name", config_string(run->cfg, "name"));
    json_kint(&j, "seed", config_int(run->cfg, "seed"));
    json_key(&j, "config_hash");
    json_hash(&j, plan_hash(run->cfg));
    json_kstr(&j, "tape", run->tape_named);
    json_key(&j, "tape_hash");
    json_hash(&j, run->result.tape_hash);
    json_kstr(&j, "mode", run->result.bars ? "bars" : "tick");
    json_kstr(&j, "symbol", run->result.inst.symbol);
    json_kstr(&j, "venue", venue_name(run->result.inst.venue));
    json_kstr(&j, "models", run->study.done ? "folds" : run->models_loaded ? "path" : "none");
    json_key(&j, "stages");
    run_stages_json(&run->result, &j);
    json_object_end(&j);
    return write_json(run, "manifest.json", &j, e);
}

static err_t write_config(const struct run *run, struct err_info *e) {
    char *yaml = config_yaml(run->cfg);
    if (!yaml) return err_set(e, ERR_RESOURCE, "out of memory for the configuration");
    err_t code = run_folder_write(run->folder, "config.yaml", yaml, strlen(yaml), e);
    free(yaml);
    return code;
}

static err_t write_report(const struct run *run, struct err_info *e) {
    struct json_out j;
    struct html h;
    json_init(&j);
    html_init(&h);
    run_doc_json(&run->doc, &j);
    err_t code = run_folder_write(run->folder, "report.json", j.text, j.len, e);
    if (!code && config_bool(run->cfg, "report.html")) {
        code = report_render(j.text, &h, e);
        if (!code) code = run_folder_write(run->folder, "report.html", h.text, h.len, e);
    }
    html_fini(&h);
    json_fini(&j);
    return code;
}

err_t run_write(struct run *run, struct err_info *e) {
    err_t code = write_config(run, e);
    if (!code) code = write_result(run, e);
    if (!code) code = write_report(run, e);
    return code ? code : write_manifest(run, e);
}
