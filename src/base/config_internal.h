/* config_internal.h: the resolved configuration, shared by config.c and config_print.c. */
#ifndef FATHOM_BASE_CONFIG_INTERNAL_H
#define FATHOM_BASE_CONFIG_INTERNAL_H

#include "base/config.h"

struct config_value {
    char **item; /* one for a scalar, any number for a list */
    size_t items;
    char *where; /* NULL: not set */
};

struct config {
    const struct config_key *schema;
    size_t keys;
    struct config_value *value; /* one a key of the schema */
};

#endif
