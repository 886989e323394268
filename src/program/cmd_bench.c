#include <dirent.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program/cli.h"

extern char **environ;

enum { STAGES_MAX = 32, NAME_MAX_BYTES = 64, PATH_BYTES = 4096 };

static const char suffix[] = "_bench";

/* The benchmarks are programs of their own beside this one: bench/STAGE_bench. */
static err_t bench_folder(char out[PATH_BYTES], struct err_info *e) {
    ssize_t n = readlink("/proc/self/exe", out, PATH_BYTES - 16);
    if (n <= 0) return err_set_errno(e, errno, "cannot find this program's own path");
    out[n] = 0;
    char *slash = strrchr(out, '/');
    strcpy(slash ? slash : out, "/bench");
    return ERR_OK;
}

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static size_t stages(const char *folder, char name[STAGES_MAX][NAME_MAX_BYTES]) {
    DIR *d = opendir(folder);
    size_t n = 0;
    for (struct dirent *at; d && (at = readdir(d)) != NULL && n < STAGES_MAX;) {
        size_t len = strlen(at->d_name);
        if (len <= sizeof suffix - 1 || len >= NAME_MAX_BYTES) continue;
        if (strcmp(at->d_name + len - (sizeof suffix - 1), suffix) != 0) continue;
        snprintf(name[n++], NAME_MAX_BYTES, "%.*s", (int)(len - (sizeof suffix - 1)), at->d_name);
    }
    if (d) closedir(d);
    qsort(name, n, NAME_MAX_BYTES, by_name);
    return n;
}

static err_t run_stage(
    const char *folder, const char *stage, int argc, char **args, struct err_info *e) {
    char path[PATH_BYTES + NAME_MAX_BYTES + 16];
    char *argv[CLI_OPTIONS_MAX];
    pid_t pid;
    int status = 0, n = 0;
    snprintf(path, sizeof path, "%s/%s%s", folder, stage, suffix);
    argv[n++] = path;
    for (int i = 0; i < argc && n < CLI_OPTIONS_MAX - 1; i++) argv[n++] = args[i];
    argv[n] = NULL;
    printf("== %s\n", stage);
    fflush(stdout);
    int bad = posix_spawn(&pid, path, NULL, NULL, argv, environ);
    if (bad) return err_set_errno(e, bad, "cannot start %s", path);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ERR_OK;
    return err_set(e, ERR_NO,
        "the benchmark %s failed (status %d): its result hash or a check was wrong", stage,
        WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static err_t bench(const struct cli_args *a, struct err_info *e) {
    char folder[PATH_BYTES], name[STAGES_MAX][NAME_MAX_BYTES];
    const char *known[STAGES_MAX];
    err_t code = bench_folder(folder, e);
    if (code) return code;
    size_t n = stages(folder, name);
    if (n == 0) {
        return err_set(e, ERR_RESOURCE, "no benchmark is built in %s: run make bench", folder);
    }
    for (size_t i = 0; i < n; i++) known[i] = name[i];
    if (a->argc == 0) {
        for (size_t i = 0; i < n && !code; i++) code = run_stage(folder, name[i], 0, NULL, e);
        return code;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(name[i], a->argv[0]) != 0) continue;
        return run_stage(folder, name[i], a->argc - 1, (char **)(uintptr_t)(a->argv + 1), e);
    }
    const char *near = cli_nearest(a->argv[0], known, n);
    return err_set(e, ERR_USAGE, "no stage is called \"%s\"%s%s", a->argv[0],
        near ? "; did you mean " : "", near ? near : "");
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = calloc(1, sizeof *a);
    if (!a) return err_set(e, ERR_RESOURCE, "out of memory");
    err_t code = cli_parse(verb, argc, argv, a, e);
    if (!code) code = bench(a, e);
    free(a);
    return code;
}

const struct cli_verb cmd_bench = {
    .name = "bench",
    .usage = "[STAGE [INPUT]...]",
    .about = "measure the stages: cost, result hash, memory",
    .help = "Without a stage every benchmark beside the program runs (make bench builds them).\n"
            "Input is the shipped recording (run it from the top of the repository) where no\n"
            "other is named; \"-\" is made-up input. docs/performance.md says how to read it.\n"
            "\n"
            "Example:\n"
            "  fathom bench book my.tape\n"
            "  fathom bench codec RECORDING.gz\n",
    .options = "",
    .args_min = 0,
    .args_max = -1,
    .run = run,
};
