#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "program/cli.h"
#include "program/fill_sums.h"
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

/* Times, counts, flags and rates are numbers in JSON; prices, quantities and money stay decimal
 * text. */
static bool is_number(const char *name) {
    static const char *const counts[] = {
        "id", "reduce_only", "order_id", "maker", "queue_placed", "queue_before"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (strcmp(name, counts[i]) == 0) return true;
    }
    return n > 3 && strcmp(name + n - 3, "_ns") == 0;
}

static bool is_rate(const char *name) {
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, "_bps") == 0;
}

static void put_json(struct json_out *j, const char *name, const char *cell) {
    char *end;
    errno = 0;
    if (is_rate(name)) {
        json_key(j, name);
        if (*cell) {
            json_double(j, strtod(cell, NULL));
        } else {
            json_null(j);
        }
        return;
    }
    long long v = strtoll(cell, &end, 10);
    if (is_number(name) && end != cell && *end == 0 && errno == 0) {
        json_kint(j, name, v);
    } else {
        json_kstr(j, name, cell);
    }
}

static void put_row(struct json_out *j, char *const *name, char *const *cell, size_t n) {
    if (j) json_object(j);
    for (size_t i = 0; i < n; i++) {
        if (j) {
            put_json(j, name[i], cell[i]);
        } else {
            printf("%s%s", cell[i], i + 1 < n ? "," : "\n");
        }
    }
    if (j) json_object_end(j);
}

struct wish { /* what the command line asks for */
    const char *path, *where, *by;
    bool sum;
    struct json_out *json; /* NULL: CSV */
};

static err_t each(FILE *f, const struct wish *a, struct fill_sums *sums, struct err_info *e) {
    char head[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
    char *name[WHERE_COLUMNS_MAX], *cell[WHERE_COLUMNS_MAX];
    struct where w;
    if (!fgets(head, sizeof head, f))
        return err_set(e, ERR_INPUT, "%s is empty; run the run again", a->path);
    size_t n = split(head, name, WHERE_COLUMNS_MAX);
    err_t code = where_parse(&w, a->where, (const char *const *)name, n, e);
    if (!code && a->sum) code = fill_sums_init(sums, (const char *const *)name, n, a->by, e);
    if (!code && !a->sum && !a->json) put_row(NULL, name, name, n);
    for (size_t row = 2; !code && fgets(line, sizeof line, f); row++) {
        if (split(line, cell, WHERE_COLUMNS_MAX) != n) {
            return err_set(e, ERR_INPUT, "%s: line %zu has not %zu columns", a->path, row, n);
        }
        if (!where_match(&w, (const char *const *)cell)) continue;
        if (a->sum) {
            code = fill_sums_add(sums, (const char *const *)cell, e);
        } else {
            put_row(a->json, name, cell, n);
        }
    }
    if (!code && a->sum && a->json) fill_sums_json(sums, a->json);
    if (!code && a->sum && !a->json) fill_sums_print(sums);
    return code;
}

static err_t print(const struct cli_args *a, const char *file, struct err_info *e) {
    char path[4096];
    struct json_out j = {0};
    struct wish wish = {.path = path,
        .where = cli_value(a, "where"),
        .by = cli_value(a, "by"),
        .sum = cli_flag(a, "sum"),
        .json = a->json ? &j : NULL};
    if (!wish.where) wish.where = "";
    if (wish.by && !wish.sum) return err_set(e, ERR_USAGE, "--by groups sums: give --sum too");
    struct fill_sums *sums = calloc(1, sizeof *sums);
    if (!sums) return err_set(e, ERR_RESOURCE, "out of memory");
    snprintf(path, sizeof path, "%s/%s", a->argv[0], file);
    FILE *f = fopen(path, "re");
    err_t code = f ? ERR_OK : err_set_errno(e, errno, "cannot read %s", path);
    json_init(&j);
    if (!wish.sum) json_array(&j);
    if (f) code = each(f, &wish, sums, e);
    if (f) fclose(f);
    if (!wish.sum) json_array_end(&j);
    if (!code && a->json) code = cli_print_json(&j, e);
    json_fini(&j);
    free(sums);
    return code;
}

static err_t show(
    const struct cli_verb *verb, const char *file, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = calloc(1, sizeof *a);
    if (!a) return err_set(e, ERR_RESOURCE, "out of memory");
    err_t code = cli_parse(verb, argc, argv, a, e);
    if (!code) code = print(a, file, e);
    free(a);
    return code;
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    return show(verb, "fills.csv", argc, argv, e);
}

static err_t run_orders(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    return show(verb, "orders.csv", argc, argv, e);
}

const struct cli_verb cmd_fills = {
    .name = "fills",
    .usage = "RUN [--where EXPR] [--sum [--by COLUMN]] [--json]",
    .about = "the fills of a run: filtered, or summed up",
    .help = "  --where EXPR   conditions joined by 'and': COLUMN OP VALUE with = != < <= > >=\n"
            "                 columns as in the first line of fills.csv; a cell without a value\n"
            "                 meets only = missing\n"
            "  --sum          rows, exact sum, mean, least and most of each column instead\n"
            "  --by COLUMN    one such block for each value of a column (side, maker, type, ...)\n"
            "\n"
            "Example:\n"
            "  fathom fills demo/real --where 'side = sell and wait_ns > 1000000000'\n"
            "  fathom fills demo/real --where 'queue_placed > 1000' --sum --by maker\n",
    .options = "where= sum by=",
    .args_min = 1,
    .args_max = 1,
    .run = run,
};

const struct cli_verb cmd_orders = {
    .name = "orders",
    .usage = "RUN [--where EXPR] [--sum [--by COLUMN]] [--json]",
    .about = "the orders of a run, with the reason of each rejection",
    .help = "  --where EXPR   conditions joined by 'and': COLUMN OP VALUE with = != < <= > >=\n"
            "                 columns as in the first line of orders.csv\n"
            "  --sum          rows, exact sum, mean, least and most of each column instead\n"
            "  --by COLUMN    one such block for each value of a column (status, why, type, ...)\n"
            "\n"
            "Example:\n"
            "  fathom orders demo/real --where 'status = rejected'\n"
            "  fathom orders demo/real --sum --by why\n",
    .options = "where= sum by=",
    .args_min = 1,
    .args_max = 1,
    .run = run_orders,
};
