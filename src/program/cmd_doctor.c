/* cmd_doctor.c: `fathom doctor`: what is installed, what is missing and the line that installs it.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/json_out.h"
#include "program/cli.h"

enum { DISK_LEAST_MIB = 512, DETAIL_MAX = 160 };

struct finding {
    const char *name;
    bool ok, needed;
    char detail[DETAIL_MAX];
    const char *remedy;
};

/* Parts that are not linked in: looked up when used. */
static const struct {
    const char *name, *library, *gives, *remedy;
} optional_parts[] = {
    {"onnxruntime", "libonnxruntime.so", "neural models", "pip install onnxruntime==1.31.1"},
    {"chdb", "libchdb.so", "embedded analytics store",
        "npm install @chdb/lib-linux-x64-gnu@26.7.3-stable.1"},
    {"nats", "libnats.so.3.4", "bus between processes", "apt-get install libnats-dev nats-server"},
    {"xgboost", "libxgboost.so", "XGBoost models", "apt-get install libxgboost-dev"},
};

enum { OPTIONAL_PARTS = sizeof optional_parts / sizeof optional_parts[0], FINDINGS_MAX = 16 };

static void find_optional(struct finding *f, size_t i) {
    void *lib = dlopen(optional_parts[i].library, RTLD_LAZY | RTLD_LOCAL);
    f->name = optional_parts[i].name;
    f->ok = lib != NULL;
    f->needed = false;
    f->remedy = optional_parts[i].remedy;
    snprintf(f->detail, sizeof f->detail, "%s: %s", lib ? "found" : "not installed (optional)",
        optional_parts[i].gives);
    if (lib) dlclose(lib);
}

static void find_disk(struct finding *f) {
    struct statvfs fs;
    *f = (struct finding){.name = "disk", .needed = true};
    f->remedy = "free space in this folder's file system or work in another folder";
    if (statvfs(".", &fs) != 0) {
        snprintf(f->detail, sizeof f->detail, "the free space here cannot be read");
        return;
    }
    uint64_t mib = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
    f->ok = mib >= DISK_LEAST_MIB && access(".", W_OK) == 0;
    snprintf(f->detail, sizeof f->detail, "%llu MiB free here%s", (unsigned long long)mib,
        access(".", W_OK) == 0 ? "" : ", but this folder cannot be written");
}

static void find_clock(struct finding *f) {
    struct timespec now, step;
    *f = (struct finding){.name = "clock", .needed = true};
    f->remedy = "set the system time (timedatectl set-ntp true)";
    clock_gettime(CLOCK_REALTIME, &now);
    clock_getres(CLOCK_MONOTONIC, &step);
    char text[32];
    struct tm utc;
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    f->ok = utc.tm_year + 1900 >= 2020 && utc.tm_year + 1900 < 2100;
    snprintf(f->detail, sizeof f->detail, "%s, resolution %ld ns", text, step.tv_nsec);
}

static void find_cores(struct finding *f) {
    *f = (struct finding){.name = "cores", .needed = true};
    long n = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES);
    long mib = pages > 0 ? pages / 1024 * (sysconf(_SC_PAGESIZE) / 1024) : 0;
    f->ok = n >= 1;
    f->remedy = "";
    snprintf(f->detail, sizeof f->detail, "%ld cores, %ld MiB memory", n, mib);
}

static size_t find_all(struct finding f[FINDINGS_MAX]) {
    size_t n = 0;
    f[n] = (struct finding){.name = "fathom", .ok = true, .needed = true, .remedy = ""};
    snprintf(f[n++].detail, DETAIL_MAX, "version %s", FATHOM_VERSION);
    find_disk(&f[n++]);
    find_clock(&f[n++]);
    find_cores(&f[n++]);
    for (size_t i = 0; i < OPTIONAL_PARTS; i++) find_optional(&f[n++], i);
    return n;
}

static err_t print_json(const struct finding *f, size_t n, bool ok, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kbool(&j, "ok", ok);
    json_key(&j, "findings");
    json_array(&j);
    for (size_t i = 0; i < n; i++) {
        json_object(&j);
        json_kstr(&j, "name", f[i].name);
        json_kbool(&j, "ok", f[i].ok);
        json_kbool(&j, "needed", f[i].needed);
        json_kstr(&j, "detail", f[i].detail);
        json_kstr(&j, "remedy", f[i].ok ? "" : f[i].remedy);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    err_t err = cli_print_json(&j, e);
    json_fini(&j);
    return err;
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args a;
    struct finding f[FINDINGS_MAX];
    err_t err = cli_parse(verb, argc, argv, &a, e);
    if (err) return err;
    size_t n = find_all(f);
    const char *bad = NULL;
    for (size_t i = 0; i < n; i++) {
        if (f[i].needed && !f[i].ok) bad = f[i].name;
    }
    if (a.json) {
        err = print_json(f, n, bad == NULL, e);
        if (err) return err;
    }
    for (size_t i = 0; i < n && !a.json; i++) {
        printf("%-8s %-12s %s\n",
            f[i].ok       ? "ok"
            : f[i].needed ? "MISSING"
                          : "-",
            f[i].name, f[i].detail);
        if (!f[i].ok) printf("%22s%s\n", "", f[i].remedy);
    }
    if (bad) return err_set(e, ERR_NO, "`%s` is not as it must be: see the line above", bad);
    return ERR_OK;
}

const struct cli_verb cmd_doctor = {
    .name = "doctor",
    .usage = "[--json]",
    .about = "what is installed, what is missing and the line that installs it",
    .help = "Exit 0 when everything needed is there, 1 when not. Optional parts never fail it.\n\n"
            "Example:\n  fathom doctor\n",
    .options = "",
    .args_min = 0,
    .args_max = 0,
    .run = run,
};
