/* yaml_flat.h: a small, strict subset of YAML as a flat list "a.b.c" -> text or list of texts.
 *
 * Refused with file:line: anchors, aliases and tags (they can grow without bound or hide a type), a
 * second document, keys that are not plain words, maps inside lists, a repeated path ("a.b: 1" and
 * "a: {b: 2}" are the same path), NUL bytes, more than the limits.
 */
#ifndef FATHOM_BASE_YAML_FLAT_H
#define FATHOM_BASE_YAML_FLAT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
    YAML_FILE_MAX = 1 << 20,
    YAML_DEPTH_MAX = 16,
    YAML_PATHS_MAX = 4096,
    YAML_PATH_MAX = 256,
    YAML_TEXT_MAX = 4096,
    YAML_ITEMS_MAX = 4096
};

struct yaml_entry {
    char *path;
    char **item; /* item[0..items) */
    size_t items;
    int line; /* of the value, from 1 */
    bool list;
};

struct yaml_flat {
    struct yaml_entry *entry;
    size_t entries;
};

/* ERR_RESOURCE: the file cannot be read. ERR_USAGE: what is wrong with it, at file:line. */
MUST_USE err_t yaml_flat_load(struct yaml_flat *out, const char *file, struct err_info *e);
void yaml_flat_free(struct yaml_flat *y);

#endif
