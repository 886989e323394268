#include "base/yaml_flat.h"

#include <errno.h>
#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct level {
    bool list;
    bool have_key;    /* a map whose next node is a value */
    size_t path_len;  /* of the path this level lives at */
    size_t value_len; /* of the path of the value to come */
};

struct walk {
    struct yaml_flat *out;
    const char *file;
    struct err_info *e;
    struct level level[YAML_DEPTH_MAX];
    int depth; /* open levels */
    char path[YAML_PATH_MAX];
    size_t entry_cap, item_cap;
    int documents;
};

static err_t refuse(struct walk *w, int line, const char *what) {
    return err_set(w->e, ERR_USAGE, "%s:%d: %s", w->file, line, what);
}

static struct yaml_entry *find(struct yaml_flat *y, const char *path, size_t n) {
    for (size_t i = 0; i < y->entries; i++) {
        const char *p = y->entry[i].path;
        if (strncmp(p, path, n) == 0 && (p[n] == 0 || p[n] == '.')) return &y->entry[i];
    }
    return NULL;
}

/* A path may be given once; nor may it be both a value and a group ("a: 1" and "a.b: 2"). */
static err_t check_repeated(struct walk *w, size_t len, int line) {
    const struct yaml_entry *before = NULL;
    for (size_t n = 1; n <= len && !before; n++) {
        if (n < len && w->path[n] != '.') continue;
        const struct yaml_entry *hit = find(w->out, w->path, n);
        if (hit && (n == len || hit->path[n] == 0)) before = hit;
    }
    if (!before) return ERR_OK;
    return err_set(w->e, ERR_USAGE, "%s:%d: key `%.*s` is given twice, first in line %d", w->file,
        line, (int)len, w->path, before->line);
}

static err_t new_entry(struct walk *w, size_t path_len, bool list, int line) {
    struct yaml_flat *y = w->out;
    err_t err = check_repeated(w, path_len, line);
    if (err) return err;
    if (y->entries == YAML_PATHS_MAX) return refuse(w, line, "too many keys");
    y->entry = mem_array(y->entry, y->entries, &w->entry_cap, sizeof *y->entry);
    struct yaml_entry *entry = &y->entry[y->entries++];
    *entry = (struct yaml_entry){.path = mem_text(w->path, path_len), .line = line, .list = list};
    w->item_cap = 0;
    return ERR_OK;
}

static err_t add_item(struct walk *w, const char *text, size_t n, int line) {
    struct yaml_entry *entry = &w->out->entry[w->out->entries - 1];
    if (n > YAML_TEXT_MAX) return refuse(w, line, "the value is longer than 4096 bytes");
    if (memchr(text, 0, n)) return refuse(w, line, "the value holds a NUL byte");
    if (entry->items == YAML_ITEMS_MAX) return refuse(w, line, "the list is too long");
    entry->item = mem_array(entry->item, entry->items, &w->item_cap, sizeof *entry->item);
    entry->item[entry->items++] = mem_text(text, n);
    return ERR_OK;
}

static bool is_key(const char *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && c != '_' && c != '-' && (c != '.' || i == 0 || i + 1 == n)) return false;
    }
    return n > 0;
}

static err_t take_key(struct walk *w, const char *s, size_t n, int line) {
    struct level *top = &w->level[w->depth - 1];
    size_t dot = top->path_len > 0;
    if (!is_key(s, n)) {
        return refuse(w, line, "a key is a word of letters, digits, '_', '-' and inner dots");
    }
    if (top->path_len + dot + n >= YAML_PATH_MAX) return refuse(w, line, "the key is too long");
    if (dot) w->path[top->path_len] = '.';
    memcpy(w->path + top->path_len + dot, s, n);
    top->value_len = top->path_len + dot + n;
    w->path[top->value_len] = 0;
    top->have_key = true;
    return ERR_OK;
}

static err_t take_scalar(struct walk *w, struct fy_token *token, int line) {
    size_t n = 0;
    const char *s = fy_token_get_text(token, &n);
    if (!s) s = "";
    if (w->depth == 0) {
        /* an empty document is one empty scalar */
        return n == 0 ? ERR_OK : refuse(w, line, "`key: value` lines are wanted");
    }
    struct level *top = &w->level[w->depth - 1];
    if (top->list) return add_item(w, s, n, line);
    if (!top->have_key) return take_key(w, s, n, line);
    top->have_key = false;
    err_t err = new_entry(w, top->value_len, false, line);
    return err ? err : add_item(w, s, n, line);
}

static err_t open_level(struct walk *w, bool list, int line) {
    if (w->depth == YAML_DEPTH_MAX) return refuse(w, line, "nested deeper than 16 levels");
    size_t path_len = 0;
    if (w->depth > 0) {
        struct level *top = &w->level[w->depth - 1];
        if (top->list) return refuse(w, line, "a list holds plain values, no lists or maps");
        if (!top->have_key) return refuse(w, line, "a key must be a plain word");
        top->have_key = false;
        path_len = top->value_len;
    } else if (list) {
        return refuse(w, line, "`key: value` lines are wanted, not a list");
    }
    w->level[w->depth++] = (struct level){.list = list, .path_len = path_len};
    return list ? new_entry(w, path_len, true, line) : ERR_OK;
}

static err_t take_event(struct walk *w, struct fy_event *ev) {
    const struct fy_mark *mark = fy_event_start_mark(ev);
    int line = mark ? mark->line + 1 : 1;
    const void *anchor = NULL, *tag = NULL;
    err_t err = ERR_OK;
    switch (ev->type) {
    case FYET_NONE:
    case FYET_STREAM_START:
    case FYET_STREAM_END:
    case FYET_DOCUMENT_END: break;
    case FYET_DOCUMENT_START:
        if (++w->documents > 1) return refuse(w, line, "one document a file, no second `---`");
        break;
    case FYET_ALIAS: return refuse(w, line, "aliases (*name) are not taken: write the value out");
    case FYET_MAPPING_START:
        anchor = ev->mapping_start.anchor;
        tag = ev->mapping_start.tag;
        err = open_level(w, false, line);
        break;
    case FYET_SEQUENCE_START:
        anchor = ev->sequence_start.anchor;
        tag = ev->sequence_start.tag;
        err = open_level(w, true, line);
        break;
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END: w->depth--; break;
    case FYET_SCALAR:
        anchor = ev->scalar.anchor;
        tag = ev->scalar.tag;
        err = take_scalar(w, ev->scalar.value, line);
        break;
    }
    if (!err && (anchor || tag)) {
        return refuse(w, line, "anchors (&name) and tags (!name) are not taken");
    }
    return err;
}

/* libfyaml's own complaint about text that is no YAML. */
static err_t syntax_error(struct walk *w, struct fy_diag *diag) {
    void *at = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &at);
    if (!first) return refuse(w, 1, "this is no YAML");
    return err_set(w->e, ERR_USAGE, "%s:%d: this is no YAML: %s", w->file, first->line,
        first->msg ? first->msg : "syntax error");
}

static err_t parse(struct walk *w, const char *text, size_t n) {
    struct fy_diag_cfg quiet = {.level = FYET_ERROR, .module_mask = ~0u};
    struct fy_diag *diag = fy_diag_create(&quiet);
    if (!diag) return err_set_errno(w->e, ENOMEM, "%s", w->file);
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG, .diag = diag};
    struct fy_parser *parser = fy_parser_create(&cfg);
    err_t err = ERR_OK;
    if (!parser || fy_parser_set_string(parser, text, n) != 0) {
        err = err_set_errno(w->e, ENOMEM, "%s", w->file);
    }
    struct fy_event *ev;
    while (!err && (ev = fy_parser_parse(parser)) != NULL) {
        err = take_event(w, ev);
        fy_parser_event_free(parser, ev);
    }
    if (!err && fy_parser_get_stream_error(parser)) err = syntax_error(w, diag);
    if (parser) fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    return err;
}

static err_t read_file(const char *file, char **text, size_t *n, struct err_info *e) {
    FILE *f = fopen(file, "rbe");
    if (!f) return err_set_errno(e, errno, "configuration %s", file);
    char *buf = mem_alloc(YAML_FILE_MAX + 1);
    errno = 0;
    *n = fread(buf, 1, YAML_FILE_MAX + 1, f);
    int bad = ferror(f) ? (errno ? errno : EIO) : 0;
    fclose(f);
    if (bad || *n > YAML_FILE_MAX) {
        free(buf);
        if (bad) return err_set_errno(e, bad, "configuration %s", file);
        return err_set(e, ERR_USAGE, "%s: a configuration is at most 1 MiB", file);
    }
    *text = buf;
    return ERR_OK;
}

err_t yaml_flat_load(struct yaml_flat *out, const char *file, struct err_info *e) {
    char *text = NULL;
    size_t n = 0;
    struct yaml_flat y = {0};
    err_t err = read_file(file, &text, &n, e);
    if (err) return err;
    struct walk *w = mem_alloc(sizeof *w);
    w->out = &y;
    w->file = file;
    w->e = e;
    const char *nul = memchr(text, 0, n);
    err = nul ? refuse(w, 1, "the file holds NUL bytes: it is no text") : parse(w, text, n);
    free(w);
    free(text);
    if (err) {
        yaml_flat_free(&y);
        return err;
    }
    *out = y;
    return ERR_OK;
}

void yaml_flat_free(struct yaml_flat *y) {
    for (size_t i = 0; i < y->entries; i++) {
        for (size_t k = 0; k < y->entry[i].items; k++) free(y->entry[i].item[k]);
        free(y->entry[i].item);
        free(y->entry[i].path);
    }
    free(y->entry);
    *y = (struct yaml_flat){0};
}
