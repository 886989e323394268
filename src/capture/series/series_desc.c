/* The description of a table of external series. Read with libfyaml: JSON is YAML too. */
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "capture/series/series_internal.h"
#include "capture/tape/import_csv.h"

enum { DESC_BYTES = 1 << 20 };

struct reader {
    const char *file;
    struct err_info *e;
};

static int line_of(struct fy_node *n) {
    struct fy_token *t = n ? fy_node_get_scalar_token(n) : NULL;
    const struct fy_mark *m = t ? fy_token_start_mark(t) : NULL;
    return m ? m->line + 1 : 0;
}

static err_t refuse(
    const struct reader *r, struct fy_node *at, const char *what, const char *word) {
    return err_set(r->e, ERR_USAGE,
        "%s:%d: %s '%s'; a series has name, value, event_time, and publish_time or "
        "publication_delay, and may have asset, unit, revision, ahead (docs/import.md)",
        r->file, line_of(at), what, word);
}

static err_t copy(
    const struct reader *r, struct fy_node *at, const char *text, char *to, size_t cap) {
    if (strlen(text) >= cap || text[0] == 0)
        return refuse(r, at, "a text that is empty or too long:", text);
    memset(to, 0, cap);
    memcpy(to, text, strlen(text));
    return ERR_OK;
}

/* Names become symbols on the tape and words of feature names. */
static bool plain(const char *s, bool upper) {
    for (; *s; s++) {
        bool letter = upper ? *s >= 'A' && *s <= 'Z' : *s >= 'a' && *s <= 'z';
        if (!letter && !(*s >= '0' && *s <= '9') && (upper || *s != '_')) return false;
    }
    return true;
}

static err_t set_delay(
    const struct reader *r, struct fy_node *at, const char *v, struct series_entry *x) {
    x->delay_ns = strcmp(v, "0") == 0 ? 0 : import_interval(v, strlen(v));
    if (x->delay_ns == 0 && strcmp(v, "0") != 0)
        return refuse(r, at, "publication_delay is a length such as 30m, 24h, 2d, or 0, not", v);
    return ERR_OK;
}

static err_t set_ahead(
    const struct reader *r, struct fy_node *at, const char *v, struct series_entry *x) {
    x->ahead = strcmp(v, "true") == 0;
    if (!x->ahead && strcmp(v, "false") != 0)
        return refuse(r, at, "ahead is true or false, not", v);
    return ERR_OK;
}

static err_t set_key(const struct reader *r, struct fy_node *at, const char *key, const char *v,
    struct series_entry *x) {
    if (strcmp(key, "name") == 0) {
        if (!plain(v, false)) return refuse(r, at, "a name is of a-z, 0-9 and _, not", v);
        return copy(r, at, v, x->name, sizeof x->name);
    }
    if (strcmp(key, "asset") == 0) {
        if (!plain(v, true)) return refuse(r, at, "an asset is of A-Z and 0-9, not", v);
        return copy(r, at, v, x->asset, sizeof x->asset);
    }
    if (strcmp(key, "unit") == 0) return copy(r, at, v, x->unit, sizeof x->unit);
    if (strcmp(key, "value") == 0) return copy(r, at, v, x->value, sizeof x->value);
    if (strcmp(key, "event_time") == 0) return copy(r, at, v, x->event, sizeof x->event);
    if (strcmp(key, "publish_time") == 0) return copy(r, at, v, x->publish, sizeof x->publish);
    if (strcmp(key, "revision") == 0) return copy(r, at, v, x->revision, sizeof x->revision);
    if (strcmp(key, "publication_delay") == 0) return set_delay(r, at, v, x);
    if (strcmp(key, "ahead") == 0) return set_ahead(r, at, v, x);
    return refuse(r, at, "unknown key", key);
}

static err_t complete(const struct reader *r, struct fy_node *at, const struct series_entry *x) {
    if (!x->name[0]) return refuse(r, at, "a series without", "name");
    if (!x->value[0]) return refuse(r, at, "no value column for", x->name);
    if (!x->event[0]) return refuse(r, at, "no event_time column for", x->name);
    if (!x->publish[0] && x->delay_ns < 0)
        return err_set(r->e, ERR_USAGE,
            "%s:%d: series '%s' does not say when its values were published: give publish_time (a "
            "column) or publication_delay (a length after event_time, such as 24h; 0 if they are "
            "known at once); it is never assumed",
            r->file, line_of(at), x->name);
    if (x->publish[0] && x->delay_ns >= 0)
        return refuse(r, at, "both publish_time and publication_delay for", x->name);
    return ERR_OK;
}

static err_t read_entry(const struct reader *r, struct fy_node *map, struct series_entry *x) {
    *x = (struct series_entry){.delay_ns = -1};
    if (!fy_node_is_mapping(map)) return refuse(r, map, "expected a map of", "name: ...");
    void *it = NULL;
    struct fy_node_pair *pair;
    struct fy_node *key = NULL;
    while ((pair = fy_node_mapping_iterate(map, &it)) != NULL) {
        key = fy_node_pair_key(pair);
        const char *k = fy_node_get_scalar0(key);
        const char *v = fy_node_get_scalar0(fy_node_pair_value(pair));
        if (!k || !v) return refuse(r, key, "expected one plain value for", k ? k : "a key");
        err_t err = set_key(r, key, k, v, x);
        if (err) return err;
    }
    return complete(r, key, x);
}

static err_t read_list(const struct reader *r, struct fy_node *list, struct series_desc *out) {
    void *it = NULL;
    struct fy_node *item;
    while ((item = fy_node_sequence_iterate(list, &it)) != NULL) {
        if (out->n == SERIES_MAX) return refuse(r, item, "more series than", "256");
        err_t err = read_entry(r, item, &out->entry[out->n]);
        if (err) return err;
        for (size_t i = 0; i < out->n; i++) {
            if (strcmp(out->entry[i].name, out->entry[out->n].name) == 0 &&
                strcmp(out->entry[i].asset, out->entry[out->n].asset) == 0)
                return refuse(r, item, "described twice:", out->entry[i].name);
        }
        out->n++;
    }
    return out->n ? ERR_OK : refuse(r, list, "no entry under", "series");
}

static err_t read_root(const struct reader *r, struct fy_node *root, struct series_desc *out) {
    if (fy_node_is_sequence(root)) return read_list(r, root, out);
    if (!fy_node_is_mapping(root)) return refuse(r, root, "expected the key", "series");
    struct fy_node *list = NULL;
    void *it = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(root, &it)) != NULL) {
        struct fy_node *key = fy_node_pair_key(pair), *value = fy_node_pair_value(pair);
        const char *k = fy_node_get_scalar0(key), *v = fy_node_get_scalar0(value);
        err_t err = ERR_OK;
        if (k && strcmp(k, "series") == 0)
            list = value;
        else if (k && v && strcmp(k, "rows") == 0)
            err = copy(r, key, v, out->rows, sizeof out->rows);
        else
            err = refuse(r, key, "beside series and rows there is no key", k ? k : "");
        if (err) return err;
    }
    if (!list || !fy_node_is_sequence(list))
        return refuse(r, root, "expected a list under", "series");
    return read_list(r, list, out);
}

err_t series_desc_load(struct series_desc *out, const char *file, struct err_info *e) {
    struct reader r = {file, e};
    char *text;
    size_t n;
    struct err_info why = {ERR_OK, ""};
    memset(out, 0, sizeof *out);
    if (file_read(file, DESC_BYTES, &text, &n, &why))
        return err_set(e, ERR_USAGE, "cannot read --series: %s", why.text);
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_DEFAULT_DOC};
    struct fy_document *doc = n > 0 ? fy_document_build_from_string(&cfg, text, n) : NULL;
    struct fy_node *root = doc ? fy_document_root(doc) : NULL;
    err_t err =
        root ? read_root(&r, root, out) : err_set(e, ERR_USAGE, "%s: neither YAML nor JSON", file);
    if (doc) fy_document_destroy(doc);
    free(text);
    return err;
}
