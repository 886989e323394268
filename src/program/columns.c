#include "program/columns.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"

enum { FIELDS_MAX = 512, NAME_MAX_LEN = 128 };

struct wanted {
    char name[NAME_MAX_LEN];
    size_t at; /* field of the line */
};

struct reading {
    const char *path;
    gzFile file;
    char line[COLUMNS_LINE_MAX];
    size_t number; /* of the line, from 1 */
    char *field[FIELDS_MAX];
    size_t fields;
    struct wanted want[COLUMNS_MAX];
};

static char *trimmed(char *s) {
    while (isspace((unsigned char)*s)) s++;
    char *end = s + strlen(s);
    while (end > s && isspace((unsigned char)end[-1])) *--end = '\0';
    if (end > s + 1 && *s == '"' && end[-1] == '"') {
        end[-1] = '\0';
        s++;
    }
    return s;
}

/* Cuts the line at its commas. */
static void split(struct reading *r) {
    char *at = r->line;
    r->fields = 0;
    while (at && r->fields < FIELDS_MAX) {
        char *comma = strchr(at, ',');
        if (comma) *comma++ = '\0';
        r->field[r->fields++] = trimmed(at);
        at = comma;
    }
}

static bool number_of(const char *s, double *out) {
    char *end;
    *out = strtod(s, &end);
    return end != s && *end == '\0';
}

/* The next line with anything on it; ERR_END after the last. */
static err_t next_line(struct reading *r, struct err_info *e) {
    while (gzgets(r->file, r->line, sizeof r->line)) {
        r->number++;
        size_t n = strlen(r->line);
        if (n + 1 == sizeof r->line && r->line[n - 1] != '\n') {
            return err_set(e, ERR_INPUT, "%s line %zu: longer than %d bytes: is this a CSV table?",
                r->path, r->number, COLUMNS_LINE_MAX);
        }
        split(r);
        if (r->fields > 1 || r->field[0][0] != '\0') return ERR_OK;
    }
    int code = Z_OK;
    const char *why = gzerror(r->file, &code);
    if (code != Z_OK && code != Z_STREAM_END) {
        return err_set(e, ERR_INPUT, "%s: torn or damaged after line %zu: %s: fetch the file again",
            r->path, r->number, why);
    }
    return ERR_END;
}

static err_t wanted_names(struct reading *r, const char *names, size_t *count, struct err_info *e) {
    const char *at = names ? names : "1";
    for (*count = 0; at; (*count)++) {
        const char *comma = strchr(at, ',');
        size_t n = comma ? (size_t)(comma - at) : strlen(at);
        if (*count == COLUMNS_MAX || n == 0 || n >= NAME_MAX_LEN) {
            return err_set(e, ERR_USAGE, "--columns %s: 1 to %d names or numbers joined by commas",
                names, COLUMNS_MAX);
        }
        memcpy(r->want[*count].name, at, n);
        r->want[*count].name[n] = '\0';
        r->want[*count].at = SIZE_MAX;
        at = comma ? comma + 1 : NULL;
    }
    return ERR_OK;
}

static err_t no_such_column(const struct reading *r, const char *name, struct err_info *e) {
    char known[512] = "";
    size_t len = 0;
    for (size_t k = 0; k < r->fields && len + 40 < sizeof known; k++) {
        len += (size_t)snprintf(
            known + len, sizeof known - len, "%s%.30s", k ? ", " : "", r->field[k]);
    }
    return err_set(
        e, ERR_USAGE, "%s has no column %s; its first line reads: %s", r->path, name, known);
}

/* Finds each wanted column by the first line; *header: that line is no row. */
static err_t place(struct reading *r, size_t count, bool *header, struct err_info *e) {
    *header = false;
    for (size_t i = 0; i < count; i++) {
        struct wanted *w = &r->want[i];
        for (size_t k = 0; k < r->fields && w->at == SIZE_MAX; k++) {
            if (strcmp(r->field[k], w->name) == 0 && !isdigit((unsigned char)w->name[0])) w->at = k;
        }
        *header |= w->at != SIZE_MAX;
        double number, ignored;
        if (w->at == SIZE_MAX && number_of(w->name, &number) && number >= 1 &&
            number <= (double)r->fields) {
            w->at = (size_t)number - 1;
            *header |= !number_of(r->field[w->at], &ignored);
        }
        if (w->at == SIZE_MAX) return no_such_column(r, w->name, e);
    }
    return ERR_OK;
}

static err_t take_row(
    const struct reading *r, struct columns *out, size_t *cap, struct err_info *e) {
    for (size_t i = 0; i < out->count; i++) {
        double x;
        size_t at = r->want[i].at;
        if (at >= r->fields || !number_of(r->field[at], &x)) {
            return err_set(e, ERR_INPUT,
                "%s line %zu, column %s: %.40s is no number: remove the row or fill it", r->path,
                r->number, r->want[i].name, at < r->fields ? r->field[at] : "nothing");
        }
        size_t room = *cap;
        out->value[i] = mem_array(out->value[i], out->rows, &room, sizeof *out->value[i]);
        out->value[i][out->rows] = x;
        if (i + 1 == out->count) *cap = room;
    }
    out->rows++;
    if (out->rows < COLUMNS_ROWS_MAX) return ERR_OK;
    return err_set(
        e, ERR_RESOURCE, "%s: more than %d rows: cut the table", r->path, COLUMNS_ROWS_MAX);
}

static err_t read_all(
    struct reading *r, const struct columns_spec *spec, struct columns *out, struct err_info *e) {
    bool header = false;
    size_t cap = 0;
    err_t code = wanted_names(r, spec->names, &out->count, e);
    if (!code) code = next_line(r, e);
    if (code == ERR_END) return err_set(e, ERR_INPUT, "%s is empty", r->path);
    if (!code) code = place(r, out->count, &header, e);
    if (!code && !header && !spec->header) code = take_row(r, out, &cap, e);
    while (!code) {
        code = next_line(r, e);
        if (!code) code = take_row(r, out, &cap, e);
    }
    if (code != ERR_END) return code;
    return out->rows > 0 ? ERR_OK : err_set(e, ERR_INPUT, "%s: a header and no rows", r->path);
}

err_t columns_read(
    const char *path, const struct columns_spec *spec, struct columns *out, struct err_info *e) {
    struct reading *r = mem_alloc(sizeof *r);
    struct columns got = {0};
    errno = 0;
    r->path = path;
    r->file = gzopen(path, "rb");
    err_t code =
        r->file ? read_all(r, spec, &got, e) : err_set_errno(e, errno, "%s cannot be read", path);
    if (r->file) gzclose(r->file);
    free(r);
    if (code)
        columns_free(&got);
    else
        *out = got;
    return code;
}

void columns_free(struct columns *c) {
    for (size_t i = 0; i < COLUMNS_MAX; i++) free(c->value[i]);
    *c = (struct columns){0};
}
