#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "program/cli.h"
#include "program/where.h"

enum { LINE_MAX_BYTES = 4096 };

/* Splits a line of our own CSV (no quotes, no commas inside) in place. */
static size_t split(char *line, char **cell, size_t max) {
    size_t n = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *p = line; p && n < max; n++) {
        cell[n] = p;
        p = strchr(p, ',');
        if (p) *p++ = 0;
    }
    return n;
}

/* Times, counts and flags are numbers in JSON; prices, quantities and money stay decimal text. */
static bool is_number(const char *name) {
    static const char *const counts[] = {"order_id", "maker", "queue_placed", "queue_before"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (strcmp(name, counts[i]) == 0) return true;
    }
    return n > 3 && strcmp(name + n - 3, "_ns") == 0;
}

static void put_json(struct json_out *j, char *const *name, char *const *cell, size_t n) {
    json_object(j);
    for (size_t i = 0; i < n; i++) {
        char *end;
        errno = 0;
        long long v = strtoll(cell[i], &end, 10);
        if (is_number(name[i]) && end != cell[i] && *end == 0 && errno == 0) {
            json_kint(j, name[i], v);
        } else {
            json_kstr(j, name[i], cell[i]);
        }
    }
    json_object_end(j);
}

static err_t each(
    FILE *f, const char *path, const char *expr, struct json_out *j, struct err_info *e) {
    char head[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
    char *name[WHERE_COLUMNS_MAX], *cell[WHERE_COLUMNS_MAX];
    struct where w;
    if (!fgets(head, sizeof head, f))
        return err_set(e, ERR_INPUT, "%s is empty; run the run again", path);
    size_t n = split(head, name, WHERE_COLUMNS_MAX);
    err_t code = where_parse(&w, expr, (const char *const *)name, n, e);
    for (size_t i = 0; !code && !j && i < n; i++) printf("%s%s", name[i], i + 1 < n ? "," : "\n");
    for (size_t row = 2; !code && fgets(line, sizeof line, f); row++) {
        if (split(line, cell, WHERE_COLUMNS_MAX) != n) {
            return err_set(e, ERR_INPUT, "%s: line %zu has not %zu columns", path, row, n);
        }
        if (!where_match(&w, (const char *const *)cell)) continue;
        if (j) {
            put_json(j, name, cell, n);
        } else {
            for (size_t i = 0; i < n; i++) printf("%s%s", cell[i], i + 1 < n ? "," : "\n");
        }
    }
    return code;
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = calloc(1, sizeof *a);
    if (!a) return err_set(e, ERR_RESOURCE, "out of memory");
    err_t code = cli_parse(verb, argc, argv, a, e);
    if (!code) {
        char path[4096];
        snprintf(path, sizeof path, "%s/fills.csv", a->argv[0]);
        FILE *f = fopen(path, "re");
        if (!f) {
            code = err_set_errno(e, errno, "cannot read %s", path);
        } else {
            struct json_out j;
            json_init(&j);
            json_array(&j);
            const char *expr = cli_value(a, "where");
            code = each(f, path, expr ? expr : "", a->json ? &j : NULL, e);
            json_array_end(&j);
            if (!code && a->json) code = cli_print_json(&j, e);
            json_fini(&j);
            fclose(f);
        }
    }
    free(a);
    return code;
}

const struct cli_verb cmd_fills = {
    .name = "fills",
    .usage = "RUN [--where EXPR] [--json]",
    .about = "the fills of a run, filtered",
    .help = "  --where EXPR   conditions joined by 'and': COLUMN OP VALUE with = != < <= > >=\n"
            "                 columns as in the first line of fills.csv\n"
            "\n"
            "Example:\n"
            "  fathom fills demo/real --where 'side = sell and wait_ns > 1000000000'\n",
    .options = "where=",
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
