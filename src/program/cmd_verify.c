#include <cjson/cJSON.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "program/cli.h"
#include "program/pipeline.h"
#include "program/plan.h"
#include "program/run_config.h"

extern char **environ;

enum { MANIFEST_MAX = 1 << 20, CHILD_TEXT_MAX = 1 << 16 };

struct stages {
    char hash[STAGE_COUNT][17];
};

/* What manifest.json promises. */
struct manifest {
    char tape[FILE_PATH_MAX];
    char tape_hash[17];
    char models[16];
    struct stages stages;
};

static bool copy_string(const cJSON *o, const char *key, char *out, size_t cap) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    if (!cJSON_IsString(v) || strlen(v->valuestring) >= cap) return false;
    memcpy(out, v->valuestring, strlen(v->valuestring) + 1);
    return true;
}

static bool stages_parse(const cJSON *o, struct stages *out) {
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(o, "stages");
    for (int i = 0; i < STAGE_COUNT; i++) {
        if (!copy_string(s, run_stage_name[i], out->hash[i], sizeof out->hash[i])) return false;
    }
    return true;
}

static err_t manifest_read(const char *dir, struct manifest *m, struct err_info *e) {
    char path[FILE_PATH_MAX], tape[FILE_PATH_MAX];
    char *text;
    size_t n;
    if (snprintf(path, sizeof path, "%s/manifest.json", dir) >= (int)sizeof path) {
        return err_set(e, ERR_USAGE, "the path of the run is too long");
    }
    err_t code = file_read(path, MANIFEST_MAX, &text, &n, e);
    if (code) return code;
    cJSON *doc = cJSON_Parse(text);
    free(text);
    bool good = copy_string(doc, "tape", tape, sizeof tape) &&
                copy_string(doc, "tape_hash", m->tape_hash, sizeof m->tape_hash) &&
                copy_string(doc, "models", m->models, sizeof m->models) &&
                stages_parse(doc, &m->stages);
    cJSON_Delete(doc);
    if (!good)
        return err_set(
            e, ERR_INPUT, "%s is damaged or of another version; run the run again", path);
    int len = strcmp(tape, "tape") == 0 ? snprintf(m->tape, sizeof m->tape, "%s/tape", dir)
                                        : snprintf(m->tape, sizeof m->tape, "%s", tape);
    if (len >= (int)sizeof m->tape)
        return err_set(e, ERR_USAGE, "the path of the tape is too long");
    return ERR_OK;
}

static err_t load_models(const char *dir, const struct manifest *m, const struct config *cfg,
    struct run_models *out, struct err_info *e) {
    struct feature_set *set = malloc(sizeof *set);
    const char *bad;
    memset(out, 0, sizeof *out);
    if (!set) return err_set(e, ERR_RESOURCE, "out of memory");
    bool good = feature_set_parse(config_string(cfg, "features.set"), set, &bad);
    uint64_t signature = good ? feature_set_signature(set) : 0;
    free(set);
    if (!good)
        return err_set(e, ERR_INPUT, "%s/config.yaml names a feature set that is not there", dir);
    if (strcmp(m->models, "folds") == 0) return run_models_load(out, dir, signature, e);
    if (strcmp(m->models, "path") == 0) {
        return run_models_load_one(out, config_string(cfg, "model.path"), signature, e);
    }
    return ERR_OK;
}

static err_t check_tape(const struct manifest *m, const struct config *cfg, struct err_info *e) {
    uint64_t hash;
    char text[17];
    err_t code = plan_tape_hash(cfg, m->tape, &hash, e);
    if (code) return code;
    hash64_text(hash, text);
    if (strcmp(text, m->tape_hash) == 0) return ERR_OK;
    return err_set(e, ERR_NO, "%s is not the tape of this run (hash %s, the run used %s)", m->tape,
        text, m->tape_hash);
}

/* Replays in this process. */
static err_t recompute(
    const char *dir, const struct manifest *m, struct stages *out, struct err_info *e) {
    char path[FILE_PATH_MAX + 16];
    struct config *cfg = NULL;
    struct run_models models = {0};
    struct pipeline_facts *facts = malloc(sizeof *facts);
    struct run_result result;
    snprintf(path, sizeof path, "%s/config.yaml", dir);
    err_t code = facts ? ERR_OK : err_set(e, ERR_RESOURCE, "out of memory");
    if (!code) code = config_load(&cfg, run_schema, run_schema_keys, path, NULL, 0, e);
    if (!code) code = check_tape(m, cfg, e);
    if (!code) code = load_models(dir, m, cfg, &models, e);
    if (!code) code = run_result_init(&result, e);
    if (!code) {
        struct pipeline_options opt = {
            .cfg = cfg, .tape = m->tape, .models = models.n ? &models : NULL, .quiet = true};
        code = pipeline_run(&opt, &result, facts, e);
        for (int i = 0; i < STAGE_COUNT && !code; i++) hash64_text(result.stage[i], out->hash[i]);
        run_result_fini(&result);
    }
    if (models.m) run_models_fini(&models);
    if (cfg) config_free(cfg);
    free(facts);
    return code;
}

static size_t read_all(int fd, char *out, size_t cap) {
    size_t n = 0;
    while (n + 1 < cap) {
        ssize_t got = read(fd, out + n, cap - n - 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        n += (size_t)got;
    }
    out[n] = 0;
    return n;
}

/* The same in a process of its own: `fathom verify DIR --json`. */
static err_t recompute_apart(const char *dir, struct stages *out, struct err_info *e) {
    int fd[2];
    pid_t pid;
    char *argv[] = {"fathom", "verify", "--json", "--", (char *)(uintptr_t)dir, NULL};
    char *text = malloc(CHILD_TEXT_MAX);
    if (!text) return err_set(e, ERR_RESOURCE, "out of memory");
    if (pipe(fd) != 0) {
        free(text);
        return err_set_errno(e, errno, "cannot make a pipe");
    }
    posix_spawn_file_actions_t act;
    posix_spawn_file_actions_init(&act);
    posix_spawn_file_actions_adddup2(&act, fd[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&act, fd[0]);
    int bad = posix_spawn(&pid, "/proc/self/exe", &act, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&act);
    close(fd[1]);
    if (!bad) read_all(fd[0], text, CHILD_TEXT_MAX);
    close(fd[0]);
    int status = 0;
    if (!bad) {
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    }
    cJSON *doc = bad ? NULL : cJSON_Parse(text);
    bool good = doc && stages_parse(doc, out);
    cJSON_Delete(doc);
    free(text);
    if (bad) return err_set_errno(e, bad, "cannot start a second process");
    if (good) return ERR_OK;
    return err_set(e, ERR_NO, "the second process found no result (its exit code: %d)",
        WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static bool show(const char *dir, const struct manifest *m, const struct stages *got, size_t n,
    bool json, struct err_info *e) {
    bool equal = true;
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "run", dir);
    json_kint(&j, "processes", (int64_t)n);
    json_key(&j, "stages");
    json_object(&j);
    for (int i = 0; i < STAGE_COUNT; i++) json_kstr(&j, run_stage_name[i], got[0].hash[i]);
    json_object_end(&j);
    json_key(&j, "different");
    json_array(&j);
    for (int i = 0; i < STAGE_COUNT; i++) {
        bool same = strcmp(got[0].hash[i], m->stages.hash[i]) == 0;
        if (n > 1 && strcmp(got[0].hash[i], got[1].hash[i]) != 0) same = false;
        if (!same) json_str(&j, run_stage_name[i]);
        if (!json)
            printf(
                "%-12s %s  %s\n", run_stage_name[i], got[0].hash[i], same ? "equal" : "DIFFERENT");
        if (!json && !same) printf("%-12s %s  in the run\n", "", m->stages.hash[i]);
        equal &= same;
    }
    json_array_end(&j);
    json_kbool(&j, "equal", equal);
    json_object_end(&j);
    if (json && cli_print_json(&j, e) != ERR_OK) equal = false;
    json_fini(&j);
    return equal;
}

static err_t verify(const char *dir, bool twice, bool json, struct err_info *e) {
    struct manifest *m = calloc(1, sizeof *m);
    struct stages got[2];
    if (!m) return err_set(e, ERR_RESOURCE, "out of memory");
    err_t code = manifest_read(dir, m, e);
    if (!code && twice) {
        code = recompute_apart(dir, &got[0], e);
        if (!code) code = recompute_apart(dir, &got[1], e);
    } else if (!code) {
        code = recompute(dir, m, &got[0], e);
    }
    if (!code && !show(dir, m, got, twice ? 2 : 1, json, e)) {
        code = err_set(e, ERR_NO, "%s: not every stage hash is equal", dir);
    }
    free(m);
    return code;
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = calloc(1, sizeof *a);
    if (!a) return err_set(e, ERR_RESOURCE, "out of memory");
    err_t code = cli_parse(verb, argc, argv, a, e);
    if (!code) code = verify(a->argv[0], cli_flag(a, "twice"), a->json, e);
    free(a);
    return code;
}

const struct cli_verb cmd_verify = {
    .name = "verify",
    .usage = "RUN [--twice] [--json]",
    .about = "replay a run and compare every stage hash",
    .help = "  --twice   replay in two processes of their own and compare all three\n"
            "\n"
            "Exit code 0: every stage is equal; 1: some differ.\n"
            "\n"
            "Example:\n"
            "  fathom verify demo/real --twice\n",
    .options = "twice",
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
