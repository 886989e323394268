#include "program/plan_strategy.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "execute/strategy/strategy.h"
#include "program/plan.h"
#include "program/run_config.h"

enum { NAMES_MAX = 64, NAME_BYTES = 64 };

static bool has_key(const char *name) {
    char path[NAME_BYTES + 16];
    snprintf(path, sizeof path, "strategy.%s", name);
    for (size_t i = 0; i < run_schema_keys; i++) {
        if (strcmp(run_schema[i].path, path) == 0) return true;
    }
    return false;
}

/* NAME of a line NAME=VALUE; false if it is none. */
static bool name_of(const char *line, char out[NAME_BYTES]) {
    const char *equals = strchr(line, '=');
    size_t n = equals ? (size_t)(equals - line) : 0;
    while (n > 0 && line[n - 1] == ' ') n--;
    if (n == 0 || n >= NAME_BYTES) return false;
    memcpy(out, line, n);
    out[n] = 0;
    return true;
}

static const char *given(const struct config *c, const char *name) {
    char have[NAME_BYTES];
    const char *value = NULL;
    for (size_t i = 0; i < config_list(c, "strategy.params"); i++) {
        const char *line = config_item(c, "strategy.params", i);
        if (!name_of(line, have) || strcmp(have, name) != 0) continue;
        value = strchr(line, '=') + 1;
        value += strspn(value, " ");
    }
    return value;
}

static err_t unknown_kind(const struct config *c, const char *kind, struct err_info *e) {
    const char *name[NAMES_MAX] = {"none"};
    size_t n = 1;
    for (size_t i = 0; strategy_table[i] && n < NAMES_MAX; i++) name[n++] = strategy_table[i]->name;
    const char *near = nearest(kind, name, n);
    if (near)
        return err_set(e, ERR_USAGE,
            "%s: strategy.kind: no strategy is called \"%s\"; did you mean %s",
            config_where(c, "strategy.kind"), kind, near);
    char known[256] = "";
    for (size_t i = 0, at = 0; i < n && at < sizeof known; i++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "", name[i]);
    return err_set(e, ERR_USAGE, "%s: strategy.kind: no strategy is called \"%s\"; there are %s",
        config_where(c, "strategy.kind"), kind, known);
}

static err_t check_line(
    const struct config *c, const struct strategy *s, const char *line, struct err_info *e) {
    const char *where = config_where(c, "strategy.params"), *known[STRATEGY_PARAMS_MAX];
    char name[NAME_BYTES];
    if (!name_of(line, name)) {
        return err_set(
            e, ERR_USAGE, "%s: strategy.params: \"%.80s\": write NAME=VALUE", where, line);
    }
    if (has_key(name)) {
        return err_set(e, ERR_USAGE, "%s: strategy.params: %s has a key of its own: strategy.%s",
            where, name, name);
    }
    size_t n = s ? s->param_count : 0;
    for (size_t i = 0; i < n; i++) {
        known[i] = s->params[i].name;
        if (strcmp(known[i], name) == 0) return ERR_OK;
    }
    const char *near = nearest(name, known, n);
    return err_set(e, ERR_USAGE, "%s: strategy.params: strategy %s has no parameter \"%s\"%s%s",
        where, s ? s->name : "none", name, near ? "; did you mean " : "", near ? near : "");
}

err_t plan_strategy_check(const struct config *c, struct err_info *e) {
    const char *kind = config_string(c, "strategy.kind");
    const struct strategy *s = strategy_find(kind);
    if (!s && strcmp(kind, "none") != 0) return unknown_kind(c, kind, e);
    err_t code = ERR_OK;
    for (size_t i = 0; !code && i < config_list(c, "strategy.params"); i++)
        code = check_line(c, s, config_item(c, "strategy.params", i), e);
    return code;
}

/* The text of a parameter that has a key, as strategy_param_set takes it. */
static err_t keyed(const struct config *c, const struct strategy_param *p, const char *key,
    const struct instrument *in, char *text, size_t cap, struct err_info *e) {
    qty_t qty;
    if (p->kind == PARAM_NUMBER) {
        snprintf(text, cap, "%.8f", config_double(c, key));
        return ERR_OK;
    }
    if (p->kind != PARAM_LOTS) {
        snprintf(text, cap, "%lld", (long long)config_int(c, key));
        return ERR_OK;
    }
    err_t code = plan_qty(c, key, in, &qty, e);
    if (code) return code;
    if (qty.lots <= 0) {
        return err_set(e, ERR_USAGE, "%s: %s = %s: more than 0 is wanted", config_where(c, key),
            key, config_string(c, key));
    }
    snprintf(text, cap, "%s", config_string(c, key));
    return ERR_OK;
}

err_t plan_strategy(const struct config *c, const struct instrument *in,
    const struct strategy **out, struct strategy_params *params, struct err_info *e) {
    err_t code = plan_strategy_check(c, e);
    const struct strategy *s = strategy_find(config_string(c, "strategy.kind"));
    *out = s;
    for (size_t i = 0; !code && s && i < s->param_count; i++) {
        const struct strategy_param *p = &s->params[i];
        char key[NAME_BYTES + 16], text[64];
        const char *why = "", *own = given(c, p->name), *where = "default";
        snprintf(key, sizeof key, "strategy.%s", p->name);
        if (has_key(p->name)) {
            code = keyed(c, p, key, in, text, sizeof text, e);
            where = config_where(c, key);
        } else {
            snprintf(text, sizeof text, "%s", own ? own : p->fallback);
            if (own) where = config_where(c, "strategy.params");
        }
        if (!code && !strategy_param_set(s, in, p->name, text, params, &why))
            code = err_set(e, ERR_USAGE, "%s: %s = %s: %s", where, key, text, why);
    }
    return code;
}
