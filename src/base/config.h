/* config.h: YAML configuration checked against a schema table.
 *
 * One schema row a key. Loading fails as a whole (ERR_USAGE with file:line and the nearest key) on
 * an unknown or repeated key, a wrong type, a value out of range. The resolved configuration
 * (defaults filled in) can be printed, hashed and documented from the same table.
 *
 * Ownership  text returned stays valid until config_free.
 */
#ifndef FATHOM_BASE_CONFIG_H
#define FATHOM_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum config_type {
    CONFIG_STRING,
    CONFIG_INT,
    CONFIG_DOUBLE,
    CONFIG_BOOL,
    CONFIG_ENUM,    /* one of `choices`, separated by '|' */
    CONFIG_DECIMAL, /* kept as text, checked by decimal_parse: prices, quantities, money */
    CONFIG_LIST     /* YAML list (or one scalar) of strings */
};

struct config_key {
    const char *path; /* "sim.latency.entry_ms" */
    enum config_type type;
    const char *fallback; /* default as text; NULL = required; "" = empty string or list */
    const char *choices;  /* CONFIG_ENUM */
    double lo, hi;        /* numbers; both 0 = any */
    const char *unit;     /* "ms", "bps", "" */
    const char *help;     /* one sentence */
    const char *source;   /* where the default comes from, or "" */
    bool secret;          /* hidden by config_print */
    const char *alias;    /* a second path that is taken for this key, NULL = none */
};

struct config;

/* `file` may be NULL (defaults and sets only). `sets` are "path=value". */
MUST_USE err_t config_load(struct config **out, const struct config_key *schema, size_t keys,
    const char *file, const char *const *sets, size_t n_sets, struct err_info *e);
void config_free(struct config *c);

/* A path that is not in the schema, or of another type, is our bug (CHECK). */
const char *config_string(const struct config *c, const char *path); /* also ENUM and DECIMAL */
int64_t config_int(const struct config *c, const char *path);
double config_double(const struct config *c, const char *path);
bool config_bool(const struct config *c, const char *path);
size_t config_list(const struct config *c, const char *path); /* length */
const char *config_item(const struct config *c, const char *path, size_t i);
/* "file:line" where the value was set, "default" or "--set". */
const char *config_where(const struct config *c, const char *path);
/* True if the value is another one than the key's default; numbers are compared as numbers. */
bool config_changed(const struct config *c, const char *path);

/* Another value for a text key that was resolved later (from data): checked like any other; it is
 * what is printed and hashed from then on. Text that config_string gave for it before is gone. */
MUST_USE err_t config_replace(
    struct config *c, const char *path, const char *text, const char *where, struct err_info *e);

/* A copy of its own, freed by config_free. */
struct config *config_copy(const struct config *c);
/* One more "path=value" over what is there; `where` is what config_where and errors name. */
MUST_USE err_t config_override(
    struct config *c, const char *set, const char *where, struct err_info *e);

void config_print(const struct config *c, FILE *to); /* resolved YAML, secrets as "(hidden)" */
char *config_yaml(const struct config *c);           /* the same as text the caller frees */
uint64_t config_hash(const struct config *c);        /* of the resolved values, secrets excluded */
void config_markdown(const struct config_key *schema, size_t keys, FILE *to);

#endif
