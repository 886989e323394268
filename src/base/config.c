#include "base/config.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/config_internal.h"
#include "base/decimal.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/yaml_flat.h"

static size_t find_key(const struct config_key *schema, size_t keys, const char *path) {
    for (size_t i = 0; i < keys; i++) {
        if (strcmp(schema[i].path, path) == 0) return i;
        if (schema[i].alias && strcmp(schema[i].alias, path) == 0) return i;
    }
    return keys;
}

static const char *last_word(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

static const char *suggest(const struct config *c, const char *path) {
    const char **known = mem_alloc(c->keys * sizeof *known);
    for (size_t i = 0; i < c->keys; i++) known[i] = c->schema[i].path;
    const char *near = nearest(path, known, c->keys);
    for (size_t i = 0; i < c->keys && !near; i++) {
        if (strcmp(last_word(known[i]), last_word(path)) == 0) near = known[i];
    }
    free(known);
    return near;
}

static err_t unknown_key(
    const struct config *c, const char *where, const char *path, struct err_info *e) {
    const char *near = suggest(c, path);
    if (near) {
        return err_set(e, ERR_USAGE, "%s: unknown key `%s`: did you mean `%s`?", where, path, near);
    }
    return err_set(e, ERR_USAGE,
        "%s: unknown key `%s`: `fathom show-config --markdown` lists the known keys", where, path);
}

static bool one_of(const char *choices, const char *text) {
    size_t n = strlen(text);
    for (const char *s = choices; n > 0 && *s;) {
        size_t len = strcspn(s, "|");
        if (len == n && strncmp(s, text, n) == 0) return true;
        s += len + (s[len] == '|');
    }
    return false;
}

static bool in_range(const struct config_key *key, double v) {
    return (key->lo == 0 && key->hi == 0) || (v >= key->lo && v <= key->hi);
}

static bool int_parse(const char *s, int64_t *out) {
    char *end = NULL;
    errno = 0;
    int64_t v = strtoll(s, &end, 10);
    bool digits = s[0] >= '0' && s[0] <= '9';
    bool minus = s[0] == '-' && s[1] >= '0' && s[1] <= '9';
    if ((!digits && !minus) || *end || errno != 0) return false;
    *out = v;
    return true;
}

static bool double_parse(const char *s, double *out) {
    char *end = NULL;
    if (s[0] == 0 || s[strspn(s, "0123456789+-.eE")] != 0) return false;
    double v = strtod(s, &end);
    if (*end || !isfinite(v)) return false;
    *out = v;
    return true;
}

/* Sets *wanted to what the key takes when the text is not that. */
static bool value_fits(const struct config_key *key, const char *text, const char **wanted) {
    int64_t i = 0;
    double d = 0;
    struct decimal dec;
    switch (key->type) {
    case CONFIG_STRING:
    case CONFIG_LIST: return true;
    case CONFIG_INT:
        *wanted = "a whole number";
        return int_parse(text, &i) && in_range(key, (double)i);
    case CONFIG_DOUBLE: *wanted = "a number"; return double_parse(text, &d) && in_range(key, d);
    case CONFIG_BOOL:
        *wanted = "true or false";
        return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
    case CONFIG_ENUM: *wanted = key->choices; return one_of(key->choices, text);
    case CONFIG_DECIMAL:
        *wanted = "a decimal number of at most 18 digits";
        return decimal_parse(text, strlen(text), false, &dec) &&
               in_range(key, (double)dec.mant / (double)decimal_pow10[dec.exp]);
    }
    return false;
}

static err_t check_value(
    const struct config_key *key, const char *where, const char *text, struct err_info *e) {
    const char *wanted = "";
    if (value_fits(key, text, &wanted)) return ERR_OK;
    const char *shown = key->secret ? "(hidden)" : text;
    const char *unit = key->unit && *key->unit ? key->unit : "";
    if (key->lo == 0 && key->hi == 0) {
        return err_set(e, ERR_USAGE, "%s: `%s: %.200s`: %s is wanted%s%s", where, key->path, shown,
            wanted, *unit ? ", in " : "", unit);
    }
    return err_set(e, ERR_USAGE, "%s: `%s: %.200s`: %s from %.15g to %.15g%s%s is wanted", where,
        key->path, shown, wanted, key->lo, key->hi, *unit ? " " : "", unit);
}

static void drop_value(struct config_value *v) {
    for (size_t i = 0; i < v->items; i++) free(v->item[i]);
    free(v->item);
    free(v->where);
    *v = (struct config_value){0};
}

static void add_item(struct config_value *v, size_t *cap, const char *s, size_t n) {
    v->item = mem_array(v->item, v->items, cap, sizeof *v->item);
    v->item[v->items++] = mem_text(s, n);
}

/* Text of a default or a --set; a list is separated by commas, "" is the empty list. */
static err_t set_text(
    struct config *c, size_t k, const char *where, const char *text, size_t n, struct err_info *e) {
    struct config_value v = {.where = mem_text(where, strlen(where))};
    size_t cap = 0;
    bool list = c->schema[k].type == CONFIG_LIST;
    while (list && n > 0) {
        const char *comma = memchr(text, ',', n);
        size_t len = comma ? (size_t)(comma - text) : n;
        add_item(&v, &cap, text, len);
        text += len + (comma != NULL);
        n -= len + (comma != NULL);
    }
    err_t err = ERR_OK;
    if (!list) {
        add_item(&v, &cap, text, n);
        err = check_value(&c->schema[k], where, v.item[0], e);
    }
    if (err) {
        drop_value(&v);
        return err;
    }
    drop_value(&c->value[k]);
    c->value[k] = v;
    return ERR_OK;
}

static err_t set_entry(
    struct config *c, const char *file, const struct yaml_entry *entry, struct err_info *e) {
    char where[1024];
    snprintf(where, sizeof where, "%.900s:%d", file, entry->line);
    size_t k = find_key(c->schema, c->keys, entry->path);
    if (k == c->keys) return unknown_key(c, where, entry->path, e);
    if (c->value[k].where && strcmp(c->value[k].where, "default") != 0) {
        return err_set(e, ERR_USAGE, "%s: key `%s` is given twice, first at %s", where,
            c->schema[k].path, c->value[k].where);
    }
    bool list = c->schema[k].type == CONFIG_LIST;
    if (entry->list && !list) {
        return err_set(e, ERR_USAGE, "%s: `%s` takes one value, no list", where, entry->path);
    }
    if (!list) return set_text(c, k, where, entry->item[0], strlen(entry->item[0]), e);
    struct config_value v = {.where = mem_text(where, strlen(where))};
    size_t cap = 0;
    for (size_t i = 0; i < entry->items; i++) {
        const char *s = entry->item[i];
        if (entry->list || *s) add_item(&v, &cap, s, strlen(s));
    }
    drop_value(&c->value[k]);
    c->value[k] = v;
    return ERR_OK;
}

static err_t load_file(struct config *c, const char *file, struct err_info *e) {
    struct yaml_flat y;
    err_t err = yaml_flat_load(&y, file, e);
    if (err) return err;
    for (size_t i = 0; i < y.entries && !err; i++) err = set_entry(c, file, &y.entry[i], e);
    yaml_flat_free(&y);
    return err;
}

err_t config_override(struct config *c, const char *set, const char *where, struct err_info *e) {
    const char *equals = strchr(set, '=');
    if (!equals || equals == set) {
        return err_set(e, ERR_USAGE, "%s %s: write %skey.path=value", where, set,
            strcmp(where, "--set") == 0 ? "--set " : "");
    }
    char *path = mem_text(set, (size_t)(equals - set));
    size_t k = find_key(c->schema, c->keys, path);
    err_t err = k == c->keys ? unknown_key(c, where, path, e)
                             : set_text(c, k, where, equals + 1, strlen(equals + 1), e);
    free(path);
    return err;
}

static err_t load_defaults(struct config *c, struct err_info *e) {
    err_t err = ERR_OK;
    for (size_t k = 0; k < c->keys && !err; k++) {
        const char *text = c->schema[k].fallback;
        if (!text) continue;
        err = set_text(c, k, "default", text, strlen(text), e);
        CHECK(err == ERR_OK); /* a default that its own schema refuses */
    }
    return err;
}

static err_t check_required(const struct config *c, const char *file, struct err_info *e) {
    for (size_t k = 0; k < c->keys; k++) {
        if (c->value[k].where) continue;
        return err_set(e, ERR_USAGE, "%s: key `%s` is required (%s)", file ? file : "configuration",
            c->schema[k].path, c->schema[k].help);
    }
    return ERR_OK;
}

err_t config_load(struct config **out, const struct config_key *schema, size_t keys,
    const char *file, const char *const *sets, size_t n_sets, struct err_info *e) {
    struct config *c = mem_alloc(sizeof *c);
    c->schema = schema;
    c->keys = keys;
    c->value = mem_alloc(keys * sizeof *c->value);
    err_t err = load_defaults(c, e);
    if (!err && file) err = load_file(c, file, e);
    for (size_t i = 0; i < n_sets && !err; i++) err = config_override(c, sets[i], "--set", e);
    if (!err) err = check_required(c, file, e);
    if (err) {
        config_free(c);
        return err;
    }
    *out = c;
    return ERR_OK;
}

struct config *config_copy(const struct config *c) {
    struct config *out = mem_alloc(sizeof *out);
    out->schema = c->schema;
    out->keys = c->keys;
    out->value = mem_alloc(c->keys * sizeof *out->value);
    for (size_t k = 0; k < c->keys; k++) {
        const struct config_value *from = &c->value[k];
        struct config_value *to = &out->value[k];
        size_t cap = 0;
        for (size_t i = 0; i < from->items; i++) {
            add_item(to, &cap, from->item[i], strlen(from->item[i]));
        }
        if (from->where) to->where = mem_text(from->where, strlen(from->where));
    }
    return out;
}

void config_free(struct config *c) {
    if (!c) return;
    for (size_t k = 0; k < c->keys; k++) drop_value(&c->value[k]);
    free(c->value);
    free(c);
}

static size_t key_of(const struct config *c, const char *path) {
    size_t k = find_key(c->schema, c->keys, path);
    CHECK(k < c->keys);
    return k;
}

const char *config_string(const struct config *c, const char *path) {
    size_t k = key_of(c, path);
    enum config_type type = c->schema[k].type;
    CHECK(type == CONFIG_STRING || type == CONFIG_ENUM || type == CONFIG_DECIMAL);
    return c->value[k].item[0];
}

err_t config_replace(
    struct config *c, const char *path, const char *text, const char *where, struct err_info *e) {
    size_t k = key_of(c, path);
    CHECK(c->schema[k].type != CONFIG_LIST);
    return set_text(c, k, where, text, strlen(text), e);
}

int64_t config_int(const struct config *c, const char *path) {
    size_t k = key_of(c, path);
    int64_t v = 0;
    CHECK(c->schema[k].type == CONFIG_INT);
    CHECK(int_parse(c->value[k].item[0], &v));
    return v;
}

double config_double(const struct config *c, const char *path) {
    size_t k = key_of(c, path);
    double v = 0;
    CHECK(c->schema[k].type == CONFIG_DOUBLE || c->schema[k].type == CONFIG_INT);
    CHECK(double_parse(c->value[k].item[0], &v));
    return v;
}

bool config_bool(const struct config *c, const char *path) {
    size_t k = key_of(c, path);
    CHECK(c->schema[k].type == CONFIG_BOOL);
    return strcmp(c->value[k].item[0], "true") == 0;
}

size_t config_list(const struct config *c, const char *path) {
    size_t k = key_of(c, path);
    CHECK(c->schema[k].type == CONFIG_LIST);
    return c->value[k].items;
}

const char *config_item(const struct config *c, const char *path, size_t i) {
    size_t k = key_of(c, path);
    CHECK(c->schema[k].type == CONFIG_LIST && i < c->value[k].items);
    return c->value[k].item[i];
}

const char *config_where(const struct config *c, const char *path) {
    return c->value[key_of(c, path)].where;
}

/* One value against a piece of the default's text. */
static bool same_value(enum config_type type, const char *a, const char *b) {
    double x, y;
    bool number = type == CONFIG_INT || type == CONFIG_DOUBLE || type == CONFIG_DECIMAL;
    if (number && double_parse(a, &x) && double_parse(b, &y)) return x == y;
    return strcmp(a, b) == 0;
}

bool config_changed(const struct config *c, const char *path) {
    size_t k = key_of(c, path);
    const struct config_key *key = &c->schema[k];
    const struct config_value *v = &c->value[k];
    if (!key->fallback) return true;
    if (key->type != CONFIG_LIST) return !same_value(key->type, v->item[0], key->fallback);
    const char *s = key->fallback;
    for (size_t i = 0; i < v->items; i++) {
        size_t n = strcspn(s, ",");
        if (n != strlen(v->item[i]) || strncmp(s, v->item[i], n) != 0) return true;
        s += n + (s[n] == ',');
    }
    return *s != 0;
}
