#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_out.h"
#include "observe/monitor/report.h"
#include "program/cli.h"

/* DIR/report.json -> DIR/report.html */
static err_t render_one(const char *dir, struct err_info *e) {
    char path[4096];
    char *text = NULL;
    size_t n;
    snprintf(path, sizeof path, "%s/report.json", dir);
    err_t code = file_read(path, HTML_MAX, &text, &n, e);
    if (code) return code;
    struct html h;
    html_init(&h);
    code = report_render(text, &h, e);
    free(text);
    snprintf(path, sizeof path, "%s/report.html", dir);
    if (!code) code = file_write(path, h.text, h.len, true, e);
    html_fini(&h);
    return code;
}

static err_t index_page(
    const char *path, const char *title, const struct cli_args *a, struct err_info *e) {
    struct html h;
    html_init(&h);
    err_t code = report_index(title, (const char *const *)a->argv, (size_t)a->argc, &h, e);
    if (!code) code = file_write(path, h.text, h.len, a->force, e);
    html_fini(&h);
    return code;
}

static err_t print_json(const struct cli_args *a, const char *index, struct err_info *e) {
    char path[4096];
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_key(&j, "reports");
    json_array(&j);
    for (int i = 0; i < a->argc; i++) {
        snprintf(path, sizeof path, "%s/report.html", a->argv[i]);
        json_str(&j, path);
    }
    json_array_end(&j);
    if (index) json_kstr(&j, "index", index);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = calloc(1, sizeof *a);
    if (!a) return err_set(e, ERR_RESOURCE, "out of memory");
    err_t code = cli_parse(verb, argc, argv, a, e);
    for (int i = 0; !code && i < a->argc; i++) {
        code = render_one(a->argv[i], e);
        if (!code && !a->json) printf("%s/report.html\n", a->argv[i]);
    }
    const char *index = cli_value(a, "index");
    const char *title = cli_value(a, "title");
    if (!code && index) {
        code = index_page(index, title ? title : "Fathom reports", a, e);
        if (!code && !a->json) printf("%s\n", index);
    }
    if (!code && a->json) code = print_json(a, index, e);
    free(a);
    return code;
}

const struct cli_verb cmd_report = {
    .name = "report",
    .usage = "RUN... [--index FILE] [--title TEXT]",
    .about = "render the report of a run again; --index links several",
    .help = "  --index FILE   also write a page that links all given runs (--force replaces it)\n"
            "  --title TEXT   heading of that page\n"
            "\n"
            "Example:\n"
            "  fathom report demo/real demo/known-truth --index demo/index.html\n",
    .options = "index= title=",
    .args_min = 1,
    .args_max = -1,
    .run = run,
};
