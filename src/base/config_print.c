#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/config_internal.h"
#include "base/hash.h"
#include "base/mem.h"

/* Plain where YAML reads it back as the same text, else quoted. */
static void print_scalar(const char *s, FILE *to) {
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+=@";
    bool minus = s[0] == '-' && s[1] >= '0' && s[1] <= '9';
    const char *rest = s + minus;
    if (*rest && rest[strspn(rest, safe)] == 0 && *rest != '@' && *rest != '=') {
        fputs(s, to);
        return;
    }
    fputc('"', to);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            fprintf(to, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            fprintf(to, "\\x%02x", c);
        } else {
            fputc(c, to);
        }
    }
    fputc('"', to);
}

static void print_value(const struct config *c, size_t k, FILE *to) {
    const struct config_value *v = &c->value[k];
    bool list = c->schema[k].type == CONFIG_LIST;
    if (c->schema[k].secret) {
        bool empty = v->items == 0 || v->item[0][0] == 0;
        fputs(list ? (empty ? "[]" : "[\"(hidden)\"]") : empty ? "\"\"" : "\"(hidden)\"", to);
        return;
    }
    if (list) fputc('[', to);
    for (size_t i = 0; i < v->items; i++) {
        if (i > 0) fputs(", ", to);
        print_scalar(v->item[i], to);
    }
    if (list) fputc(']', to);
}

/* True if an earlier key shares the first n bytes up to a word's end: its group is printed there.
 */
static bool group_seen(const struct config *c, size_t k, size_t n) {
    for (size_t i = 0; i < k; i++) {
        const char *p = c->schema[i].path;
        if (strncmp(p, c->schema[k].path, n) == 0 && p[n] == '.') return true;
    }
    return false;
}

/* All keys that start with the first `n` bytes of key `first`, indented by depth. */
static void print_group(const struct config *c, size_t first, size_t n, int depth, FILE *to) {
    const char *prefix = c->schema[first].path;
    CHECK(depth < 16);
    for (size_t k = first; k < c->keys; k++) {
        const char *path = c->schema[k].path;
        if (strncmp(path, prefix, n) != 0) continue;
        size_t word = strcspn(path + n, ".");
        if (path[n + word] == 0) {
            fprintf(to, "%*s%s: ", depth * 2, "", path + n);
            print_value(c, k, to);
            fputc('\n', to);
        } else if (!group_seen(c, k, n + word)) {
            fprintf(to, "%*s%.*s:\n", depth * 2, "", (int)word, path + n);
            print_group(c, k, n + word + 1, depth + 1, to);
        }
    }
}

void config_print(const struct config *c, FILE *to) {
    if (c->keys > 0) print_group(c, 0, 0, 0, to);
}

char *config_yaml(const struct config *c) {
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    CHECK(to != NULL);
    config_print(c, to);
    CHECK(fclose(to) == 0);
    return text;
}

uint64_t config_hash(const struct config *c) {
    uint64_t h = 0;
    for (size_t k = 0; k < c->keys; k++) {
        if (c->schema[k].secret) continue;
        const struct config_value *v = &c->value[k];
        uint64_t items = v->items;
        h = hash64(h, c->schema[k].path, strlen(c->schema[k].path) + 1);
        h = hash64(h, &items, sizeof items);
        for (size_t i = 0; i < v->items; i++) h = hash64(h, v->item[i], strlen(v->item[i]) + 1);
    }
    return h;
}

static const char *type_name(enum config_type type) {
    switch (type) {
    case CONFIG_STRING: return "text";
    case CONFIG_INT: return "whole number";
    case CONFIG_DOUBLE: return "number";
    case CONFIG_BOOL: return "true or false";
    case CONFIG_ENUM: return "one of";
    case CONFIG_DECIMAL: return "decimal";
    case CONFIG_LIST: return "list";
    }
    return "";
}

/* Table cells: '|' would end one. */
static void print_cell(const char *s, FILE *to) {
    for (; s && *s; s++) {
        if (*s == '|') fputc('\\', to);
        fputc(*s, to);
    }
}

void config_markdown(const struct config_key *schema, size_t keys, FILE *to) {
    fputs("| key | takes | default | unit | meaning | source of the default |\n"
          "|---|---|---|---|---|---|\n",
        to);
    for (size_t k = 0; k < keys; k++) {
        const struct config_key *key = &schema[k];
        fprintf(to, "| `%s` | %s", key->path, type_name(key->type));
        if (key->type == CONFIG_ENUM) {
            fputc(' ', to);
            print_cell(key->choices, to);
        } else if (key->lo != 0 || key->hi != 0) {
            fprintf(to, " from %.15g to %.15g", key->lo, key->hi);
        }
        fputs(" | ", to);
        if (!key->fallback) {
            fputs("required", to);
        } else if (*key->fallback) {
            fputc('`', to);
            print_cell(key->fallback, to);
            fputc('`', to);
        }
        fputs(" | ", to);
        print_cell(key->unit, to);
        fputs(" | ", to);
        print_cell(key->help, to);
        fputs(key->secret ? " (secret: hidden when printed) | " : " | ", to);
        print_cell(key->source, to);
        fputs(" |\n", to);
    }
}
