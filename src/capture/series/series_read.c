/* CSV and JSON files as rows of the described series. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/mem.h"
#include "capture/series/series_internal.h"
#include "capture/tape/import_source.h"

enum { COLUMNS_MAX = 256, NO_COLUMN = -1 };

/* Where the four fields of each series stand in a CSV row. */
struct columns {
    int16_t value[SERIES_MAX], event[SERIES_MAX], publish[SERIES_MAX], revision[SERIES_MAX];
    size_t n;
};

static int16_t column_of(const struct series_field *head, size_t n, const char *name) {
    if (!name[0]) return NO_COLUMN;
    for (size_t i = 0; i < n; i++)
        if (head[i].n == strlen(name) && memcmp(head[i].p, name, head[i].n) == 0) return (int16_t)i;
    return NO_COLUMN;
}

static err_t csv_header(const struct series_session *s, const char *path,
    const struct import_line *line, struct columns *c, struct err_info *e) {
    struct series_field head[COLUMNS_MAX];
    const char *text = line->text;
    size_t len = line->len;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
        text += 3;
        len -= 3;
    }
    c->n = series_csv_split(text, len, head, COLUMNS_MAX);
    for (size_t i = 0; i < s->desc->n; i++) {
        const struct series_entry *x = &s->desc->entry[i];
        c->value[i] = column_of(head, c->n, x->value);
        c->event[i] = column_of(head, c->n, x->event);
        c->publish[i] = column_of(head, c->n, x->publish);
        c->revision[i] = column_of(head, c->n, x->revision);
        const char *missing = c->value[i] < 0                        ? x->value
                              : c->event[i] < 0                      ? x->event
                              : x->publish[0] && c->publish[i] < 0   ? x->publish
                              : x->revision[0] && c->revision[i] < 0 ? x->revision
                                                                     : NULL;
        if (missing)
            return err_set(e, ERR_INPUT,
                "%s:%" PRIu64 ": no column '%s' in the header, which the description names for "
                "series '%s'",
                path, line->number, missing, x->name);
    }
    return ERR_OK;
}

static struct series_field pick(const struct series_field *f, int16_t at) {
    return at < 0 ? (struct series_field){NULL, 0} : f[at];
}

static void csv_row(
    struct series_session *s, const struct import_line *line, const struct columns *c) {
    struct series_field f[COLUMNS_MAX], whole = {line->text, line->len};
    size_t n = line->cut ? 0 : series_csv_split(line->text, line->len, f, COLUMNS_MAX);
    if (line->open) series_open_row(s, line->number);
    if (n != c->n) {
        s->report->rows++;
        series_refuse(
            s, SERIES_MALFORMED, line->number, "not as many columns as the header", whole);
        return;
    }
    for (size_t i = 0; i < s->desc->n; i++)
        series_take(s, i, line->number, pick(f, c->value[i]), pick(f, c->event[i]),
            pick(f, c->publish[i]), pick(f, c->revision[i]));
}

/* ---- JSON ---- */

static bool key_is(const struct json_ref *key, const char *name) {
    return name[0] && !key->escaped && key->n == strlen(name) && memcmp(key->p, name, key->n) == 0;
}

static struct series_field field_of(const struct json_ref *v) {
    bool plain = v->type == JSON_STRING || v->type == JSON_NUMBER || v->type == JSON_NULL;
    return plain ? (struct series_field){v->p, v->n} : (struct series_field){NULL, 0};
}

/* The four fields of each series out of one object or array (columns by index). */
static void json_row(struct series_session *s, const struct json_ref *row, uint64_t line) {
    struct series_field f[SERIES_MAX][4];
    struct json_scan in;
    memset(f, 0, s->desc->n * sizeof f[0]);
    json_scan_init(&in, row->p + 1, row->n - 2); /* without the brackets; it was scanned before */
    for (unsigned at = 0;; at++) {
        struct json_ref key = {0}, v;
        char index[12];
        json_ws(&in);
        if (in.p >= in.end) break;
        if (row->type == JSON_OBJECT) {
            if (!json_string(&in, &key) || !json_expect(&in, ':', "':'")) break;
        } else {
            key = (struct json_ref){index, 0, JSON_STRING, 0};
            char digits[12];
            unsigned n = 0, k = at;
            do digits[n++] = (char)('0' + k % 10);
            while ((k /= 10) > 0);
            while (n > 0) index[key.n++] = digits[--n];
        }
        if (!json_value(&in, 2, &v)) break;
        for (size_t i = 0; i < s->desc->n; i++) {
            const struct series_entry *x = &s->desc->entry[i];
            const char *const name[4] = {x->value, x->event, x->publish, x->revision};
            for (int k = 0; k < 4; k++)
                if (key_is(&key, name[k])) f[i][k] = field_of(&v);
        }
        json_ws(&in);
        if (in.p < in.end && *in.p == ',') in.p++;
    }
    for (size_t i = 0; i < s->desc->n; i++)
        series_take(s, i, line, f[i][0], f[i][1], f[i][2], f[i][3]);
}

static void json_item(struct series_session *s, const struct json_ref *row, uint64_t line) {
    if (row->type == JSON_OBJECT || row->type == JSON_ARRAY) {
        json_row(s, row, line);
        return;
    }
    s->report->rows++;
    series_refuse(s, SERIES_MALFORMED, line, "a row is an object or an array, not",
        (struct series_field){row->p, row->n});
}

static uint64_t lines_between(const char *from, const char *to) {
    uint64_t n = 0;
    for (; from < to && (from = memchr(from, '\n', (size_t)(to - from))) != NULL; from++) n++;
    return n;
}

static void json_broken(struct series_session *s, const char *text, const struct json_scan *in) {
    if (!s->failed)
        s->failed = err_set(s->e, ERR_INPUT, "%s:%" PRIu64 ": broken JSON%s%s%s",
            s->opt->files[s->file], 1 + lines_between(text, in->fault_at),
            in->expected ? ": expected " : "", in->expected ? in->expected : "",
            in->fault == JSON_TRUNCATED ? "; the file is torn" : "");
}

/* The value under the next word of a path within an object; false: not there. */
static bool json_under(
    const struct json_ref *in, const char *word, size_t n, struct json_ref *out) {
    struct json_scan s;
    if (in->type != JSON_OBJECT) return false;
    json_scan_init(&s, in->p + 1, in->n - 2);
    for (;;) {
        struct json_ref key, v;
        json_ws(&s);
        if (s.p >= s.end || !json_string(&s, &key) || !json_expect(&s, ':', "':'")) return false;
        if (!json_value(&s, 1, &v)) return false;
        if (key.n == n && memcmp(key.p, word, n) == 0) {
            *out = v;
            return true;
        }
        json_ws(&s);
        if (s.p < s.end && *s.p == ',') s.p++;
    }
}

static void json_document(struct series_session *s, const char *text, size_t n) {
    struct json_scan in;
    struct json_ref at;
    uint64_t line = 1;
    json_scan_init(&in, text, n);
    if (!json_value(&in, 0, &at) || !json_end(&in)) {
        json_broken(s, text, &in);
        return;
    }
    for (const char *word = s->desc->rows; *word;) {
        size_t len = strcspn(word, ".");
        if (!json_under(&at, word, len, &at)) {
            s->failed = err_set(s->e, ERR_INPUT,
                "%s: no '%s' in the document, where the description "
                "looks for the rows",
                s->opt->files[s->file], s->desc->rows);
            return;
        }
        word += len + (word[len] == '.');
    }
    if (at.type != JSON_ARRAY) {
        s->failed = err_set(s->e, ERR_INPUT,
            "%s: the rows are no array; `rows: a.b` in the description says where they are",
            s->opt->files[s->file]);
        return;
    }
    const char *end = at.p + at.n - 1, *seen = text;
    json_scan_init(&in, at.p + 1, (size_t)(end - at.p - 1));
    while (json_ws(&in), in.p < in.end && !s->failed) {
        struct json_ref row;
        if (!json_value(&in, 1, &row)) break;
        line += lines_between(seen, row.p);
        seen = row.p;
        json_item(s, &row, line);
        json_ws(&in);
        if (in.p < in.end && *in.p == ',') in.p++;
    }
}

/* One object a line. */
static void json_lines(struct series_session *s, const char *text, size_t n) {
    uint64_t number = 1;
    for (const char *end = text + n; text < end && !s->failed; number++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t len = (size_t)((stop ? stop : end) - text);
        struct json_scan in;
        struct json_ref row;
        json_scan_init(&in, text, len);
        json_ws(&in);
        if (in.p < in.end) {
            if (json_value(&in, 0, &row) && json_end(&in)) {
                json_item(s, &row, number);
            } else {
                s->report->rows++;
                series_refuse(
                    s, SERIES_MALFORMED, number, "broken JSON", (struct series_field){text, len});
            }
        }
        text += len + 1;
    }
}

void series_read_json(struct series_session *s, const char *text, size_t n) {
    size_t i = 0;
    while (i < n && json_space(text[i])) i++;
    bool lines = i < n && text[i] == '{' && !s->desc->rows[0];
    if (lines)
        json_lines(s, text, n);
    else
        json_document(s, text, n);
}

/* ---- files ---- */

struct text {
    char *p;
    size_t n, cap;
};

static bool text_add(struct text *t, const char *line, size_t len) {
    if (t->n + len + 1 > SERIES_JSON_MAX) return false;
    while (t->n + len + 1 + IMPORT_PAD > t->cap) {
        t->cap = t->cap ? 2 * t->cap : 1 << 16;
        t->p = mem_grow(t->p, t->cap);
    }
    memcpy(t->p + t->n, line, len);
    t->n += len;
    t->p[t->n++] = '\n';
    return true;
}

static bool begins_json(const struct import_line *line) {
    size_t i = 0;
    while (i < line->len && json_space(line->text[i])) i++;
    return i < line->len && (line->text[i] == '{' || line->text[i] == '[');
}

struct file_reader {
    struct series_session *s;
    const char *path;
    struct columns *columns;
    struct text text;
    bool json, begun;
};

static err_t take_line(struct file_reader *f, const struct import_line *line, struct err_info *e) {
    if (!f->begun) {
        if (line->len == 0) return ERR_OK;
        f->begun = true;
        f->json = begins_json(line);
        if (!f->json) return csv_header(f->s, f->path, line, f->columns, e);
    }
    if (!f->json) {
        if (line->len > 0) csv_row(f->s, line, f->columns);
        return ERR_OK;
    }
    if (line->cut)
        return err_set(e, ERR_INPUT,
            "%s:%" PRIu64 ": a line of more than %d bytes: write the rows on "
            "lines of their own",
            f->path, line->number, IMPORT_LINE_MAX);
    if (!text_add(&f->text, line->text, line->len))
        return err_set(e, ERR_INPUT, "%s: more than %d bytes of JSON: import it in parts", f->path,
            SERIES_JSON_MAX);
    return ERR_OK;
}

err_t series_read_file(struct series_session *s, const char *path, struct err_info *e) {
    struct import_source *source;
    struct file_reader f = {.s = s, .path = path};
    struct import_line line;
    err_t code = import_source_open(&source, path, e);
    if (code) return code;
    f.columns = mem_alloc(sizeof *f.columns);
    while ((code = import_source_line(source, &line, e)) == ERR_OK) {
        s->report->lines++;
        code = take_line(&f, &line, e);
        if (code || s->failed) break;
        if (s->opt->interrupted && s->opt->interrupted()) {
            code = err_set(e, ERR_INTERRUPTED, "stopped; nothing was written; run it again");
            break;
        }
    }
    if (code == ERR_END) code = ERR_OK;
    if (!code && f.json) series_read_json(s, f.text.p, f.text.n);
    if (!code && !f.begun) code = err_set(e, ERR_INPUT, "%s is empty", path);
    import_source_close(source);
    free(f.columns);
    free(f.text.p);
    return code ? code : s->failed;
}
