#include "program/where.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/cli.h"

static const char *const op_text[] = {"=", "!=", "<", "<=", ">", ">="};

/* The next word: an operator, or a run of anything that is neither blank nor part of one. */
static const char *word(const char *p, char *out, size_t cap) {
    size_t n = 0;
    p += strspn(p, " \t");
    if (*p && strchr("=!<>", *p)) {
        while (*p && strchr("=!<>", *p) && n + 1 < cap) out[n++] = *p++;
    } else {
        while (*p && !strchr(" \t=!<>", *p) && n + 1 < cap) out[n++] = *p++;
    }
    out[n] = 0;
    return p;
}

static err_t column_of(
    const char *name, const char *const *columns, size_t n, size_t *out, struct err_info *e) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(columns[i], name) == 0) {
            *out = i;
            return ERR_OK;
        }
    }
    const char *near = cli_nearest(name, columns, n);
    return err_set(e, ERR_USAGE, "--where: no column is called \"%s\"%s%s", name,
        near ? "; did you mean " : "", near ? near : "");
}

static err_t op_of(const char *text, enum where_op *out, struct err_info *e) {
    for (int i = 0; i < 6; i++) {
        if (strcmp(text, op_text[i]) == 0) {
            *out = (enum where_op)i;
            return ERR_OK;
        }
    }
    return err_set(e, ERR_USAGE, "--where: \"%s\" is no operator; use = != < <= > >=", text);
}

static bool is_number(const char *s) {
    char *end;
    strtod(s, &end);
    return end != s && *end == 0;
}

/* What is wrong with a condition's value: columns that are ordered hold numbers. */
static err_t value_good(const char *name, enum where_op op, const char *value, struct err_info *e) {
    if (!*value) return err_set(e, ERR_USAGE, "--where: no value after %s %s", name, op_text[op]);
    if (strpbrk(value, "'\""))
        return err_set(
            e, ERR_USAGE, "--where: write the value after %s %s without quotes", name, op_text[op]);
    if (op == WHERE_EQ || op == WHERE_NE || is_number(value)) return ERR_OK;
    return err_set(e, ERR_USAGE,
        "--where: %s %s wants a number, not \"%s\"; words take = and !=", name, op_text[op], value);
}

err_t where_parse(
    struct where *w, const char *text, const char *const *columns, size_t n, struct err_info *e) {
    char name[64], op[8], join[16];
    memset(w, 0, sizeof *w);
    for (const char *p = text + strspn(text, " \t"); *p; w->terms++) {
        if (w->terms == WHERE_TERMS_MAX)
            return err_set(e, ERR_USAGE, "--where: more than %d conditions", WHERE_TERMS_MAX);
        if (w->terms > 0) {
            p = word(p, join, sizeof join);
            if (strcmp(join, "and") != 0)
                return err_set(e, ERR_USAGE, "--where: expected 'and' before \"%s\"", join);
        }
        p = word(p, name, sizeof name);
        p = word(p, op, sizeof op);
        p = word(p, w->term[w->terms].value, WHERE_VALUE_MAX);
        err_t code = column_of(name, columns, n, &w->term[w->terms].column, e);
        if (!code) code = op_of(op, &w->term[w->terms].op, e);
        if (!code) code = value_good(name, w->term[w->terms].op, w->term[w->terms].value, e);
        if (code) return code;
        p += strspn(p, " \t");
    }
    return ERR_OK;
}

static int compare(const char *a, const char *b) {
    char *ea, *eb;
    errno = 0;
    long long i = strtoll(a, &ea, 10), j = strtoll(b, &eb, 10);
    if (ea != a && eb != b && *ea == 0 && *eb == 0 && errno == 0) return (i > j) - (i < j);
    double x = strtod(a, &ea), y = strtod(b, &eb);
    if (ea != a && eb != b && *ea == 0 && *eb == 0) return (x > y) - (x < y);
    return strcmp(a, b);
}

bool where_match(const struct where *w, const char *const *cell) {
    for (size_t i = 0; i < w->terms; i++) {
        const char *text = cell[w->term[i].column];
        bool missing = strcmp(w->term[i].value, "missing") == 0, good = false;
        if (missing || !*text) {
            bool equal = missing && !*text;
            bool want = w->term[i].op == WHERE_EQ ? equal : w->term[i].op == WHERE_NE && !equal;
            if (!want) return false;
            continue;
        }
        int c = compare(text, w->term[i].value);
        switch (w->term[i].op) {
        case WHERE_EQ: good = c == 0; break;
        case WHERE_NE: good = c != 0; break;
        case WHERE_LT: good = c < 0; break;
        case WHERE_LE: good = c <= 0; break;
        case WHERE_GT: good = c > 0; break;
        case WHERE_GE: good = c >= 0; break;
        }
        if (!good) return false;
    }
    return true;
}
